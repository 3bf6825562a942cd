//! `render`: what the components of a checkout come to in an environment, without a server.

mod checkout;
mod folder;
mod lint;
mod revision;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use component::catalog::{Catalog, Notice};
use component::model::{Item, Plane};
use component::preview::{self, Selection, State, Written};
use diag::{Code, Diagnostic, Severity};
use object::{Node, Object};

use self::checkout::Checkout;
use self::folder::Folder;
use super::Outcome;
use super::build::mask;
use crate::exit::{Exit, Failure};
use crate::output::print_all;

pub use self::lint::lint;

/// `render`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: fleetwright render --env staging            the objects of staging\n         fleetwright render --env staging --diff     what the working copy changes of them"
)]
pub struct RenderArgs {
    /// A folder of the checkout: only bindings in it are rendered, with what they need from all of
    /// the checkout.
    #[arg(default_value = ".", value_name = "PATH")]
    pub path: PathBuf,
    /// The environment.
    #[arg(long, value_name = "NAME")]
    pub env: String,
    /// Only this component.
    #[arg(long, value_name = "NAME")]
    pub component: Option<String>,
    /// Only components of this project.
    #[arg(long, value_name = "NAME")]
    pub project: Option<String>,
    /// Namespace of objects that name none and that nothing in the checkout gives one.
    #[arg(short, long, default_value = "default")]
    pub namespace: String,
    /// How it is printed; YAML by default, and lines for people with --diff.
    #[arg(short, long, value_enum)]
    pub output: Option<RenderFormat>,
    /// Shows only how the objects differ from those of a Git revision: a branch, a tag or a commit,
    /// with `~2` or `^` behind it. Ends with 1 if any does.
    #[arg(
        long,
        value_name = "REV",
        num_args = 0..=1,
        default_missing_value = "HEAD"
    )]
    pub diff: Option<String>,
}

/// How objects are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RenderFormat {
    /// Documents.
    Yaml,
    /// One JSON document.
    Json,
    /// `Kind/namespace/name`, one a line.
    Name,
}

/// Renders and prints, or compares.
pub fn render(args: &RenderArgs) -> Outcome {
    let folder = Folder::read(&args.path)?;
    let mut now = Rendering::of(Checkout::read(&folder.tree), &folder, args);
    let Some(revision) = &args.diff else {
        now.check_environment(args)?;
        if now.bindings.is_empty() {
            eprintln!("◎ no binding to render for {}", args.env);
        }
        return finish(&now, &BTreeSet::new(), || {
            print_objects(&now, args);
            (Exit::Done, None)
        });
    };
    let (id, tree) = revision::tree(&folder.git_root, revision)?;
    let old_folder = folder.at(tree);
    let old = Rendering::of(Checkout::read(&old_folder.tree), &old_folder, args);
    let changed =
        preview::changed_releases(&Written::new(&old.objects), &Written::new(&now.objects));
    let mut places = folder.places();
    let changed = changed.into_iter().map(|own| places.diagnostic(own));
    now.diagnostics.extend(changed);
    if !old.has_environment {
        now.check_environment(args)?;
    }
    finish(&now, &old.errors(), || {
        let differences = compare(&old, &now);
        print_differences(&differences, args);
        let signs = |sign| differences.iter().filter(|own| own.sign == sign).count();
        let summary = format!(
            "{}: {} added, {} changed, {} removed, compared with {revision} ({})",
            args.env,
            signs('+'),
            signs('~'),
            signs('-'),
            &id[..12]
        );
        let exit = match differences.is_empty() {
            true => Exit::Done,
            false => Exit::Negative,
        };
        (exit, Some(summary))
    })
}

/// Prints, which gives a code and a last word, and says what is wrong on standard error. Errors that
/// were there before do not count.
fn finish(
    now: &Rendering,
    before: &BTreeSet<(Code, String)>,
    print: impl FnOnce() -> (Exit, Option<String>),
) -> Outcome {
    let (exit, summary) = print();
    for note in &now.notes {
        eprintln!("◎ {note}");
    }
    let mut failed = Vec::new();
    for diagnostic in &now.diagnostics {
        let known = before.contains(&(diagnostic.code, diagnostic.message.clone()));
        match diagnostic.severity {
            Severity::Error if !known => failed.push(diagnostic.clone()),
            _ => {
                let mut shown = diagnostic.clone();
                shown.severity = Severity::Warning;
                eprint!("{}", shown.render());
            }
        }
    }
    if let Some(summary) = summary {
        eprintln!("{summary}");
    }
    match failed.is_empty() {
        true => Ok(exit),
        false => Err(Failure::explained(Exit::Unreadable, failed)),
    }
}

/// What one state of a checkout comes to.
struct Rendering {
    /// Objects by binding, with what became of it; a binding is its kind, namespace and name.
    bindings: BTreeMap<String, (State, Vec<Rendered>)>,
    diagnostics: Vec<Diagnostic>,
    /// What is worth a word and no mistake.
    notes: Vec<String>,
    /// The objects of OpenChoreo it was made of.
    objects: Vec<Object>,
    has_environment: bool,
    /// Environments there are.
    environments: BTreeSet<String>,
}

struct Rendered {
    object: Object,
    plane: Plane,
}

impl Rendering {
    fn of(checkout: Checkout, folder: &Folder, args: &RenderArgs) -> Self {
        let Checkout {
            mut objects,
            problems,
            ..
        } = checkout;
        checkout::place(&mut objects, &args.namespace);
        let (mut catalog, notices) = Catalog::read(&objects, &args.namespace);
        let written = Written::new(&objects);
        let mut places = folder.places();
        let problems = problems.into_iter();
        let mut diagnostics: Vec<Diagnostic> = problems.map(|own| places.show(own)).collect();
        // What is only odd about an object is for `lint`.
        let about = preview::notices(&notices, &objects).into_iter();
        let about = about.filter(|problem| problem.severity == Severity::Error);
        diagnostics.extend(about.map(|problem| places.diagnostic(problem)));
        let mut notes = Vec::new();
        for notice in &notices {
            if let Notice::ReleaseConfig(head) = notice {
                let file = head.origin.as_ref();
                let file = file.map_or_else(|| head.to_string(), |own| folder.shown(&own.path));
                notes.push(format!(
                    "{file} is a file of command-line tools and has no part in this"
                ));
            }
        }
        let assumed = preview::assume_planes(&mut catalog, |own| own.head.name == args.env);
        let bound: Vec<&str> = catalog
            .bindings()
            .map(|binding| binding.environment.as_str())
            .collect();
        if bound.contains(&args.env.as_str()) {
            diagnostics.extend(assumed.iter().map(|own| places.assumed_plane(own)));
        }
        let environments: BTreeSet<String> = catalog
            .items()
            .filter(|item| matches!(item, Item::Environment(_)))
            .map(|item| item.head().name.to_string())
            .collect();
        let has_environment =
            environments.contains(&args.env) || bound.contains(&args.env.as_str());
        let selection = Selection {
            environment: &args.env,
            project: args.project.as_deref(),
            component: args.component.as_deref(),
            folder: folder.inside.as_str(),
        };
        let found = preview::preview(&catalog, &written, selection);
        let found_problems = found.problems.into_iter();
        diagnostics.extend(found_problems.map(|problem| places.diagnostic(problem)));
        let bindings = found.bindings.into_iter().map(|own| {
            let objects = own.objects.into_iter().map(|rendered| Rendered {
                object: Object::new(rendered.object),
                plane: rendered.plane,
            });
            (own.head.to_string(), (own.state, objects.collect()))
        });
        Self {
            bindings: bindings.collect(),
            diagnostics,
            notes,
            objects,
            has_environment,
            environments,
        }
    }

    /// Refuses an environment that nothing of the checkout knows, for a name that is misspelt
    /// renders to nothing as well.
    fn check_environment(&self, args: &RenderArgs) -> Result<(), Failure> {
        if self.has_environment {
            return Ok(());
        }
        let known = self.environments.iter().map(String::as_str);
        let message = format!("the checkout has no Environment `{}`", args.env);
        let diagnostic = Diagnostic::error(Code("ComponentReferenceMissing"), message);
        let diagnostic = match diag::nearest(&args.env, known) {
            Some(near) => diagnostic.with_help(format!("Did you mean `{near}`?")),
            None if self.environments.is_empty() => diagnostic.with_help(
                "Run it on the checkout that holds the Environments, and name its folder.",
            ),
            None => {
                let known: Vec<&str> = self.environments.iter().map(String::as_str).collect();
                diagnostic.with_help(format!("It has: {}.", known.join(", ")))
            }
        };
        let mut diagnostics = self.diagnostics.clone();
        diagnostics.push(diagnostic);
        Err(Failure::explained(Exit::Unreadable, diagnostics))
    }

    fn errors(&self) -> BTreeSet<(Code, String)> {
        let errors = self.diagnostics.iter();
        errors
            .filter(|own| own.severity == Severity::Error)
            .map(|own| (own.code, own.message.clone()))
            .collect()
    }
}

/// What differs between two states, by object.
///
/// A binding that gives nothing because it fails or waits leaves what it had, as in a cluster.
fn compare(old: &Rendering, new: &Rendering) -> Vec<plan::ObjectDifference> {
    let mut before: BTreeMap<_, &Object> = BTreeMap::new();
    let mut after: BTreeMap<_, &Object> = BTreeMap::new();
    for (name, (_, objects)) in &old.bindings {
        let stays = new
            .bindings
            .get(name)
            .is_some_and(|(state, _)| matches!(state, State::Failed | State::Pending));
        for own in objects {
            let key = (own.plane, own.object.key());
            if stays {
                after.insert(key.clone(), &own.object);
            }
            before.insert(key, &own.object);
        }
    }
    for (_, objects) in new.bindings.values() {
        for own in objects {
            after.insert((own.plane, own.object.key()), &own.object);
        }
    }
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let differences = keys
        .into_iter()
        .filter_map(|key| plan::difference(before.get(key).copied(), after.get(key).copied()));
    differences.collect()
}

fn print_objects(rendering: &Rendering, args: &RenderArgs) {
    let mut objects = Vec::new();
    let mut observed = Vec::new();
    for (_, own) in rendering.bindings.values() {
        for Rendered { object, plane } in own {
            match plane {
                Plane::Data => objects.push(mask(object.clone())),
                Plane::Observability => observed.push(mask(object.clone())),
            }
        }
    }
    plan::sort(&mut objects);
    plan::sort(&mut observed);
    match args.output {
        None | Some(RenderFormat::Yaml) => {
            let own = objects.iter().map(|own| yaml::to_string(&own.node));
            let observed = observed.iter().map(|own| {
                let text = yaml::to_string(&own.node);
                format!("# for the observability plane\n{text}")
            });
            let texts = own.chain(observed).enumerate();
            print_all(texts.map(|(at, text)| match at {
                0 => text,
                _ => format!("---\n{text}"),
            }));
        }
        Some(RenderFormat::Json) => {
            let items = objects.into_iter().chain(observed).map(|own| own.node);
            let mut list = Node::map();
            list.set(&["apiVersion"], "v1");
            list.set(&["kind"], "List");
            list.set(&["items"], Node::list(items));
            print_all(std::iter::once(
                object::json::to_string_pretty(&list, 2) + "\n",
            ));
        }
        Some(RenderFormat::Name) => {
            let all = objects.iter().chain(&observed);
            print_all(all.map(|own| format!("{}\n", own.key())));
        }
    }
}

fn print_differences(differences: &[plan::ObjectDifference], args: &RenderArgs) {
    let shown = differences.iter();
    match args.output {
        None => print_all(shown.map(|own| format!("{own}\n"))),
        Some(RenderFormat::Name) => print_all(shown.map(|own| format!("{}\n", own.key))),
        Some(format) => {
            let mut document = Node::map();
            document.set(&["apiVersion"], "fleetwright.dev/v1alpha1");
            document.set(&["kind"], "Differences");
            document.set(&["items"], Node::list(shown.map(difference_node)));
            print_all(std::iter::once(match format {
                RenderFormat::Json => object::json::to_string_pretty(&document, 2) + "\n",
                _ => yaml::to_string(&document),
            }));
        }
    }
}

fn difference_node(own: &plan::ObjectDifference) -> Node {
    let mut node = Node::map();
    let change = match own.sign {
        '+' => "added",
        '-' => "removed",
        _ => "changed",
    };
    node.set(&["change"], change);
    node.set(&["id"], own.key.to_string());
    let fields = own.fields.iter().map(|field| {
        let mut node = Node::map();
        node.set(&["field"], field.field.as_str());
        if let Some(old) = &field.old {
            node.set(&["old"], old.clone());
        }
        if let Some(new) = &field.new {
            node.set(&["new"], new.clone());
        }
        node
    });
    node.set(&["fields"], Node::list(fields));
    node
}
