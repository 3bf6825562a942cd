//! `component release generate` and `component binding generate`.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use component::generate::{
    self, BindingRequest, GenerateError, Output, ReleaseRequest, Selection, Step,
};
use diag::{Explain, Severity};
use golang::Timestamp;

use super::checkout::{CheckoutArgs, Opened, write};
use crate::commands::Outcome;
use crate::exit::{Exit, Failure};
use crate::output::print;

/// Which components.
#[derive(Debug, Args)]
pub struct SelectionArgs {
    /// Every component of the checkout.
    #[arg(long, conflicts_with_all = ["project", "component"])]
    pub all: bool,
    /// Components of this project.
    #[arg(short, long, value_name = "NAME")]
    pub project: Option<String>,
    /// This component.
    #[arg(short, long, value_name = "NAME")]
    pub component: Option<String>,
}

impl SelectionArgs {
    fn selection(&self, namespace: Option<&str>) -> Result<Selection, Failure> {
        if !self.all && self.project.is_none() && self.component.is_none() {
            let message =
                "say of which components: --all, --project NAME, or --component NAME with it";
            return Err(Failure::plain(Exit::Usage, message));
        }
        Ok(Selection {
            namespace: namespace.map(Into::into),
            project: self.project.as_deref().map(Into::into),
            component: self.component.as_deref().map(Into::into),
        })
    }
}

/// `component release generate`.
#[derive(Debug, Args)]
pub struct ReleaseArgs {
    #[command(flatten)]
    selection: SelectionArgs,
    #[command(flatten)]
    checkout: CheckoutArgs,
    /// Name of the release; by default component, day and number.
    #[arg(long, requires = "component")]
    name: Option<String>,
    /// Folder for releases of components that release-config.yaml names none for.
    #[arg(short, long, value_name = "DIR")]
    output_path: Option<PathBuf>,
    /// A component that cannot be released, or renders nowhere, is an error, and nothing is written.
    #[arg(long)]
    strict: bool,
    /// Fixed time for names, in seconds after 1970.
    #[arg(long, value_name = "SECONDS")]
    fixed_time: Option<i64>,
}

/// `component binding generate`.
#[derive(Debug, Args)]
pub struct BindingArgs {
    #[command(flatten)]
    selection: SelectionArgs,
    #[command(flatten)]
    checkout: CheckoutArgs,
    /// The environment; the first of the pipeline by default.
    #[arg(short = 'e', long, alias = "env", value_name = "NAME")]
    target_env: Option<String>,
    /// The pipeline; that of the project by default.
    #[arg(long, value_name = "NAME")]
    use_pipeline: Option<String>,
    /// The release; by default the newest, or that of the environment before.
    #[arg(long, alias = "release", requires = "component", value_name = "NAME")]
    component_release: Option<String>,
    /// Folder for new bindings.
    #[arg(short, long, value_name = "DIR")]
    output_path: Option<PathBuf>,
    /// A component that cannot be bound, or does not render, is an error, and nothing is written.
    #[arg(long)]
    strict: bool,
}

/// Freezes components.
pub fn releases(args: &ReleaseArgs) -> Outcome {
    let opened = args.checkout.open()?;
    let selection = args.selection.selection(opened.namespace.as_deref())?;
    let folder = args.output_path.as_deref();
    let folder = folder.map(|path| opened.inside(path));
    let request = ReleaseRequest {
        selection,
        name: args.name.as_deref().map(Into::into),
        folder: folder.transpose()?,
        now: now(args.fixed_time),
    };
    let output = generate::releases(&opened.checkout, &request).map_err(refused)?;
    let single = request.selection.component.is_some();
    finish(&opened, &args.checkout, output, args.strict, single)
}

/// Selects releases.
pub fn bindings(args: &BindingArgs) -> Outcome {
    let opened = args.checkout.open()?;
    let selection = args.selection.selection(opened.namespace.as_deref())?;
    let folder = args.output_path.as_deref();
    let folder = folder.map(|path| opened.inside(path));
    let request = BindingRequest {
        selection,
        environment: args.target_env.as_deref().map(Into::into),
        pipeline: args.use_pipeline.as_deref().map(Into::into),
        release: args.component_release.as_deref().map(Into::into),
        values: Vec::new(),
        annotations: Vec::new(),
        folder: folder.transpose()?,
    };
    let output = generate::bindings(&opened.checkout, &request).map_err(refused)?;
    let single = request.selection.component.is_some();
    finish(&opened, &args.checkout, output, args.strict, single)
}

/// Tells what was found, and writes what is to be written.
///
/// Of many components those that cannot be done are told and left out; a single one, or any with
/// `strict`, is an error, and then nothing is written.
pub fn finish(
    opened: &Opened,
    args: &CheckoutArgs,
    output: Output,
    strict: bool,
    single: bool,
) -> Outcome {
    let mut found: Vec<_> = output.warnings.clone();
    if strict {
        found
            .iter_mut()
            .for_each(|own| own.severity = Severity::Error);
    }
    for error in output.errors() {
        let mut diagnostic = error.to_diagnostic();
        if !strict && !single {
            diagnostic.severity = Severity::Warning;
        }
        found.push(diagnostic);
    }
    let (errors, warnings): (Vec<_>, Vec<_>) = found
        .into_iter()
        .partition(|own| own.severity == Severity::Error);
    for warning in warnings {
        eprint!("{}", warning.render());
    }
    if !errors.is_empty() {
        return Err(Failure::explained(Exit::Refused, errors));
    }
    if args.dry_run {
        let made = output.made().filter(|(_, made)| made.step != Step::Keep);
        let texts: Vec<String> = made
            .map(|(_, made)| format!("# {}\n{}", made.path, yaml::to_string(&made.object.node)))
            .collect();
        print(&texts.join("---\n"));
        return Ok(Exit::Done);
    }
    write(&opened.root, &output.files)?;
    let mut text = String::new();
    for (_, made) in output.made() {
        let word = match made.step {
            Step::Create => "created",
            Step::Update => "updated",
            Step::Keep => "unchanged",
        };
        text.push_str(&format!("{word} {} in {}\n", made.object.name(), made.path));
        for change in &made.changes {
            text.push_str(&format!("  {change}\n"));
        }
    }
    print(&text);
    Ok(Exit::Done)
}

/// A request that cannot be carried out at all.
pub fn refused(error: GenerateError) -> Failure {
    Failure::explained(Exit::Refused, vec![error.to_diagnostic()])
}

fn now(fixed: Option<i64>) -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Timestamp::from_unix(fixed.unwrap_or(since.unwrap_or_default().as_secs() as i64))
}
