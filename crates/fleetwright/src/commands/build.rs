//! `build`: manifests from files, without a server.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use diag::{Code, Diagnostic, Explain, Span};
use object::Object;
use tree::Isolated;

use super::Outcome;
use crate::exit::{Exit, Failure};
use crate::files;
use crate::output::print;

/// What can be built.
#[derive(Debug, Subcommand)]
pub enum BuildCommand {
    /// Builds what a Kustomization would apply.
    #[command(alias = "kustomization")]
    Ks(KsArgs),
    /// Builds a folder with a kustomization file, as `kustomize build` does.
    Kustomize(super::kustomize::BuildArgs),
    /// Renders a chart, as `helm template` does.
    Helm(Box<super::helm::BuildArgs>),
}

/// `build ks`.
#[derive(Debug, Args)]
pub struct KsArgs {
    /// Name of the Kustomization, when the file has several.
    pub name: Option<String>,
    /// The file with the Kustomization.
    #[arg(long, value_name = "FILE")]
    pub kustomization_file: PathBuf,
    /// The checkout its source would give; `spec.path` is a folder in it.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub path: PathBuf,
    /// Further variables, as those of ConfigMaps and Secrets.
    #[arg(long = "substitute", value_name = "NAME=VALUE")]
    pub variables: Vec<String>,
}

/// Builds and prints.
pub fn run(command: &BuildCommand, is_verbose: bool) -> Outcome {
    match command {
        BuildCommand::Ks(args) => {
            let objects = kustomization(args)?;
            let masked = objects.into_iter().map(mask);
            let texts: Vec<String> = masked.map(|object| yaml::to_string(&object.node)).collect();
            print(&texts.join("---\n"));
            Ok(Exit::Done)
        }
        BuildCommand::Kustomize(args) => super::kustomize::build(args),
        BuildCommand::Helm(args) => super::helm::build(args, is_verbose),
    }
}

/// The objects a Kustomization in a file would apply from a folder.
pub fn kustomization(args: &KsArgs) -> Result<Vec<Object>, Failure> {
    let unit = read_unit(args)?;
    let tree = files::read(&args.path)?;
    let mut variables = render::Variables::default();
    for text in &args.variables {
        let (name, value) = text.split_once('=').ok_or_else(|| {
            Failure::plain(
                Exit::Usage,
                format!("--substitute `{text}` is not NAME=VALUE"),
            )
        })?;
        variables.set(name, value);
    }
    for (name, value) in &unit.substitute {
        variables.set(name.as_str(), value);
    }
    for from in &unit.substitute_from {
        eprintln!(
            "◎ the variables of {} {} are not known here; --substitute gives them",
            from.kind, from.name
        );
    }
    let spec = runtime::render_spec(&unit);
    let (rendered, warnings) = render::kustomization(&tree, &spec, &variables, &Isolated);
    for warning in warnings {
        eprint!("{}", warning.render());
    }
    match rendered {
        Ok(rendered) => Ok(rendered.objects),
        Err(errors) => {
            let diagnostics = errors.iter().map(Explain::to_diagnostic).collect();
            Err(Failure::explained(Exit::Unreadable, diagnostics))
        }
    }
}

/// The Kustomization of the file, by name if there are several.
pub fn read_unit(args: &KsArgs) -> Result<api::Kustomization, Failure> {
    let file = &args.kustomization_file;
    let shown = file.display().to_string();
    let text = files::read_text(file)?;
    let documents = yaml::load(&text, &yaml::Limits::default()).map_err(|error| {
        let diagnostic = Diagnostic::error(Code("YamlSyntax"), error.to_string());
        Failure::explained(Exit::Unreadable, vec![diagnostic.at(Span::file(&shown))])
    })?;
    let kind = api::kustomization_kind().group_kind();
    let units: Vec<Object> = documents
        .into_iter()
        .map(|document| Object::new(document.node))
        .filter(|object| object.gvk().group_kind() == kind)
        .collect();
    let names: Vec<String> = units.iter().map(|unit| unit.name().to_owned()).collect();
    let wanted = |unit: &Object| args.name.as_deref().is_none_or(|name| name == unit.name());
    let mut found: Vec<Object> = units.into_iter().filter(wanted).collect();
    if found.len() != 1 {
        let message = match &args.name {
            Some(name) => format!("`{shown}` holds no Kustomization `{name}`"),
            None => format!("`{shown}` holds {} Kustomizations, name one", found.len()),
        };
        let diagnostic = Diagnostic::error(Code("ObjectNotFound"), message)
            .with_help(format!("It holds: {}.", names.join(", ")));
        return Err(Failure::explained(Exit::Unreadable, vec![diagnostic]));
    }
    let unit = api::Kustomization::read(&found.remove(0));
    unit.map_err(|error| {
        let diagnostic = error.to_diagnostic().at(Span::file(&shown));
        Failure::explained(Exit::Unreadable, vec![diagnostic])
    })
}

/// The object with the values of a Secret hidden.
pub fn mask(mut object: Object) -> Object {
    if object.kind() == "Secret" && object.api_version() == "v1" {
        for field in ["data", "stringData"] {
            if let Some(data) = object
                .node
                .at_mut(&[field])
                .and_then(object::Node::as_map_mut)
            {
                data.iter_mut()
                    .for_each(|(_, value)| *value = "*** (masked)".into());
            }
        }
    }
    object
}
