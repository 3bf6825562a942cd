//! `workload create`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use component::model::Owner;
use component::workload_file::{self, Descriptor, WorkloadRequest};
use diag::{Code, Diagnostic, Explain, Span};
use yaml::ResolveOptions;

use super::checkout::{CheckoutArgs, write};
use crate::commands::Outcome;
use crate::exit::{Exit, Failure};
use crate::files;
use crate::output::print;

/// `workload create`.
#[derive(Debug, Args)]
pub struct WorkloadArgs {
    #[command(flatten)]
    checkout: CheckoutArgs,
    /// The image.
    #[arg(short, long)]
    image: String,
    /// The component.
    #[arg(short, long, value_name = "NAME")]
    component: String,
    /// Its project.
    #[arg(short, long, value_name = "NAME")]
    project: String,
    /// A descriptor: endpoints, dependencies and configurations that the source code asks for.
    #[arg(short, long, value_name = "FILE")]
    descriptor: Option<PathBuf>,
    /// The container, for types that name theirs.
    #[arg(long, value_name = "NAME")]
    container: Option<String>,
    /// The file, or a folder for it; where the Workload stands by default. `-` prints it.
    #[arg(short, long, alias = "output", value_name = "PATH")]
    output_path: Option<PathBuf>,
}

/// Writes the Workload.
pub fn run(args: &WorkloadArgs) -> Outcome {
    let opened = args.checkout.open()?;
    let descriptor = args.descriptor.as_deref().map(descriptor).transpose()?;
    let printed = args.output_path.as_deref() == Some(Path::new("-"));
    let path = match &args.output_path {
        Some(path) if !printed => Some(opened.inside(path)?),
        _ => None,
    };
    let request = WorkloadRequest {
        namespace: opened.namespace.as_deref().map(Into::into),
        owner: Owner {
            project: args.project.as_str().into(),
            component: args.component.as_str().into(),
        },
        image: args.image.as_str().into(),
        container: args.container.as_deref().map(Into::into),
        path,
    };
    let made = workload_file::create(&opened.checkout, &request, descriptor.as_ref());
    let made = made.map_err(|error| {
        let mut diagnostic = error.to_diagnostic();
        if let (workload_file::WorkloadError::Descriptor(_), Some(file)) =
            (&error, &args.descriptor)
        {
            diagnostic.span = Some(Span::file(file.display().to_string()));
        }
        Failure::explained(Exit::Refused, vec![diagnostic])
    })?;
    for warning in &made.warnings {
        eprint!("{}", warning.render());
    }
    if printed || args.checkout.dry_run {
        print(&yaml::to_string(&made.object.node));
        return Ok(Exit::Done);
    }
    let word = match (&made.text, made.new) {
        (None, _) => "unchanged",
        (Some(_), true) => "created",
        (Some(_), false) => "updated",
    };
    if let Some(text) = made.text {
        write(&opened.root, &BTreeMap::from([(made.path.clone(), text)]))?;
    }
    let mut text = format!("{word} {} in {}\n", made.object.name(), made.path);
    for change in &made.changes {
        text.push_str(&format!("  {change}\n"));
    }
    print(&text);
    Ok(Exit::Done)
}

/// Reads a descriptor; files it names are looked for beside it.
fn descriptor(path: &Path) -> Result<Descriptor, Failure> {
    let text = files::read_text(path)?;
    let node = yaml::load_first(&text, &ResolveOptions::default()).map_err(|error| {
        let line = error.position().map_or(1, |position| position.line);
        let diagnostic = Diagnostic::error(Code("WorkloadDescriptorInvalid"), error.to_string())
            .at(Span::line(path.display().to_string(), line));
        Failure::explained(Exit::Unreadable, vec![diagnostic])
    })?;
    let real = path.canonicalize()?;
    let folder = real.parent().unwrap_or(Path::new("/")).to_owned();
    Ok(Descriptor {
        node,
        folder: files::below(folder),
    })
}
