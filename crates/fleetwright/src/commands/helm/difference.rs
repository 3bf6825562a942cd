//! What a change of values changes in the objects of a chart.

use std::collections::BTreeMap;

use clap::Args;
use helm::{Chart, Engine, Hook, Manifest, Manifests, Options, Programs, Renders, UserValues};
use object::{Object, ObjectKey};
use tree::Moment;

use super::{
    BuildArgs, Names, explained, load, machine, name_and_chart, options, print_warnings, profile,
    read_set_file, user_values,
};
use crate::commands::Outcome;
use crate::exit::{Exit, Failure};
use crate::output::print;

/// `diff helm`.
#[derive(Debug, Args)]
// The group of these arguments would have the name of the one that is flattened into it.
#[group(skip)]
pub struct DiffArgs {
    #[command(flatten)]
    build: BuildArgs,
    /// A file of values that is added after the others; later ones win.
    #[arg(long, value_name = "FILE")]
    then_values: Vec<String>,
    /// A value that is changed: `a.b=1,c[0]=x`.
    #[arg(long, value_name = "PATH=VALUE")]
    then_set: Vec<String>,
}

/// Renders before and after the change, and prints what differs object by object.
pub fn diff(args: &DiffArgs) -> Outcome {
    if args.then_values.is_empty() && args.then_set.is_empty() {
        let message =
            "no change is given: say what changes with --then-set PATH=VALUE or --then-values FILE";
        return Err(Failure::plain(Exit::Usage, message));
    }
    compare(args).map_err(|failure| match failure.exit {
        // Here this would say that something differs.
        Exit::Negative => Failure {
            exit: Exit::Unreadable,
            ..failure
        },
        _ => failure,
    })
}

fn compare(args: &DiffArgs) -> Outcome {
    let profile = profile(args.build.helm3);
    let world = machine(args.build.fixed_time)?;
    let (name, chart) = name_and_chart(&args.build, &world)?;
    let before = user_values(&args.build.values)?;
    let mut after = before.clone();
    let mut files = args.build.values.clone();
    files.files = vec![Names(args.then_values.clone())];
    after.files.extend(user_values(&files)?.files);
    after.set.extend(args.then_set.iter().cloned());
    let mut rendering = Rendering {
        chart: load(&chart, profile)?,
        options: options(&args.build, name, profile).map_err(|error| explained(&error))?,
        programs: Programs::default(),
        world,
        renders: Renders::default(),
    };
    let old = rendering.objects(&before)?;
    let mut new = rendering.objects(&after)?;
    let mut differences = 0;
    for (key, old) in &old {
        let new = new.remove(key);
        if let Some(difference) = plan::difference(Some(old), new.as_ref()) {
            print(&format!("{difference}\n"));
            differences += 1;
        }
    }
    for new in new.values() {
        if let Some(difference) = plan::difference(None, Some(new)) {
            print(&format!("{difference}\n"));
            differences += 1;
        }
    }
    Ok(match differences {
        0 => Exit::Done,
        _ => Exit::Negative,
    })
}

/// One chart, rendered with values that change.
struct Rendering {
    chart: std::sync::Arc<Chart>,
    options: Options,
    programs: Programs,
    world: Moment,
    renders: Renders,
}

impl Rendering {
    fn objects(&mut self, user: &UserValues) -> Result<BTreeMap<ObjectKey, Object>, Failure> {
        let engine = Engine {
            programs: &self.programs,
            world: &self.world,
        };
        let mut warnings = Vec::new();
        let manifests = self.renders.render(
            &self.chart,
            user,
            &read_set_file,
            &self.options,
            &engine,
            &mut warnings,
        );
        print_warnings(&warnings);
        Ok(objects(&manifests.map_err(|error| explained(&error))?))
    }
}

/// Everything that a chart renders to, hooks included; comments are no objects.
fn objects(manifests: &Manifests) -> BTreeMap<ObjectKey, Object> {
    let nodes = manifests.manifests.iter().map(Manifest::node);
    let nodes = nodes.chain(manifests.hooks.iter().map(Hook::node));
    let objects = nodes.filter(|node| !node.is_null()).map(Object::new);
    objects.map(|object| (object.key(), object)).collect()
}
