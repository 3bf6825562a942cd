//! `component scaffold`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use component::model::Reference;
use component::scaffold::{self, ScaffoldRequest};
use diag::{Code, Diagnostic, Explain, Span};
use object::Text;

use super::checkout::{CheckoutArgs, write};
use crate::commands::Outcome;
use crate::exit::{Exit, Failure};
use crate::output::print;

/// `component scaffold`.
#[derive(Debug, Args)]
pub struct ScaffoldArgs {
    /// Name of the component.
    name: String,
    #[command(flatten)]
    checkout: CheckoutArgs,
    /// Its type: `NAME`, or `deployment/NAME`.
    #[arg(
        long,
        alias = "type",
        value_name = "NAME",
        required_unless_present = "clustercomponenttype"
    )]
    componenttype: Option<String>,
    /// Its type, of those for all namespaces.
    #[arg(long, value_name = "NAME", conflicts_with = "componenttype")]
    clustercomponenttype: Option<String>,
    /// Traits: `NAME`, or `NAME=INSTANCE`.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    traits: Vec<String>,
    /// Traits of those for all namespaces.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    clustertraits: Vec<String>,
    /// Its project.
    #[arg(short, long, default_value = "default", value_name = "NAME")]
    project: String,
    /// The file; standard output by default.
    #[arg(short, long, alias = "output-file", value_name = "FILE")]
    output_path: Option<PathBuf>,
    /// No comments but the defaults.
    #[arg(long)]
    skip_comments: bool,
}

/// Prints or writes the Component.
pub fn run(args: &ScaffoldArgs) -> Outcome {
    let opened = args.checkout.open()?;
    let (kind, typed) = match (&args.clustercomponenttype, &args.componenttype) {
        (Some(name), _) => ("ClusterComponentType", name.as_str()),
        (None, name) => ("ComponentType", name.as_deref().unwrap_or_default()),
    };
    let typed = typed.rsplit_once('/').map_or(typed, |(_, name)| name);
    let traits = of_kind("Trait", &args.traits).chain(of_kind("ClusterTrait", &args.clustertraits));
    let catalog = opened.checkout.catalog();
    // Without a namespace, the only one in which the type is.
    let mut places: Vec<Text> = catalog
        .items()
        .map(component::model::Item::head)
        .filter(|head| head.kind == kind && head.name == typed)
        .map(|head| head.namespace.clone())
        .collect();
    places.dedup();
    let lookup = match (&opened.namespace, places.as_slice()) {
        (Some(namespace), _) => namespace.as_str().into(),
        (None, [only]) => only.clone(),
        (None, []) => Text::from("default"),
        (None, several) => {
            let message = format!(
                "{kind} `{typed}` is in several namespaces, choose one with --namespace: {}",
                several.join(", ")
            );
            return Err(Failure::plain(Exit::Usage, message));
        }
    };
    let request = ScaffoldRequest {
        name: args.name.as_str().into(),
        namespace: Some(match lookup.is_empty() {
            true => "default".into(),
            false => lookup.clone(),
        }),
        lookup,
        project: args.project.as_str().into(),
        component_type: Reference {
            kind: kind.into(),
            name: typed.into(),
        },
        traits: traits.collect(),
        comments: !args.skip_comments,
    };
    let text = scaffold::component(catalog, &request)
        .map_err(|error| Failure::explained(Exit::Refused, vec![error.to_diagnostic()]))?;
    let Some(path) = args
        .output_path
        .as_deref()
        .filter(|_| !args.checkout.dry_run)
    else {
        print(&text);
        return Ok(Exit::Done);
    };
    let path = opened.inside(path)?;
    let place = opened.root.join(path.as_str());
    if place.symlink_metadata().is_ok() {
        let message = format!("`{path}` is taken");
        let diagnostic = Diagnostic::error(Code("OutputFileTaken"), message)
            .at(Span::file(path.as_str()))
            .with_help("Name another file, or remove this one.");
        return Err(Failure::explained(Exit::Refused, vec![diagnostic]));
    }
    write(&opened.root, &BTreeMap::from([(path.clone(), text)]))?;
    print(&format!("created {} in {path}\n", args.name));
    Ok(Exit::Done)
}

fn of_kind(kind: &'static str, words: &[String]) -> impl Iterator<Item = (Reference, Text)> {
    words.iter().map(move |word| {
        let (name, instance) = word.split_once('=').unwrap_or((word, word));
        let reference = Reference {
            kind: kind.into(),
            name: name.into(),
        };
        (reference, instance.into())
    })
}
