//! `component deploy`: one binding of one component.

use clap::Args;
use component::generate::{self, BindingRequest, Selection};
use object::{Node, Text};
use yaml::ResolveOptions;

use super::checkout::CheckoutArgs;
use super::generate::{finish, refused};
use crate::commands::Outcome;
use crate::exit::{Exit, Failure};

/// `component deploy`.
#[derive(Debug, Args)]
pub struct DeployArgs {
    /// The component.
    name: String,
    #[command(flatten)]
    checkout: CheckoutArgs,
    /// The environment; the first of the pipeline by default.
    #[arg(short, long, alias = "to", value_name = "NAME")]
    env: Option<String>,
    /// Its project.
    #[arg(short, long, value_name = "NAME")]
    project: Option<String>,
    /// The release; by default the newest, or that of the environment before.
    #[arg(long, value_name = "NAME")]
    release: Option<String>,
    /// A value of the component type for this environment, as `resources.limits.cpu=2`; with
    /// `spec.` in front, any field of the binding. May be repeated.
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// As --set; the value is text even if it looks like a number.
    #[arg(long, value_name = "PATH=VALUE")]
    set_string: Vec<String>,
    /// A release that does not render in the environment is an error, and nothing is written.
    #[arg(long)]
    strict: bool,
}

/// Changes the binding and says what changed.
pub fn run(args: &DeployArgs) -> Outcome {
    let mut values = Vec::new();
    for text in &args.set {
        values.push(assignment(text, false)?);
    }
    for text in &args.set_string {
        values.push(assignment(text, true)?);
    }
    let opened = args.checkout.open()?;
    let request = BindingRequest {
        selection: Selection {
            namespace: opened.namespace.as_deref().map(Into::into),
            project: args.project.as_deref().map(Into::into),
            component: Some(args.name.as_str().into()),
        },
        environment: args.env.as_deref().map(Into::into),
        pipeline: None,
        release: args.release.as_deref().map(Into::into),
        values,
        annotations: Vec::new(),
        folder: None,
    };
    let output = generate::bindings(&opened.checkout, &request).map_err(refused)?;
    finish(&opened, &args.checkout, output, args.strict, true)
}

/// `a.b=value`; a dot that belongs to a key is written `\.`.
fn assignment(text: &str, as_text: bool) -> Result<(Vec<Text>, Node), Failure> {
    let refused = |reason: &str| {
        let message = format!("`{text}` is no PATH=VALUE: {reason}");
        Err(Failure::plain(Exit::Usage, message))
    };
    let Some((path, value)) = text.split_once('=') else {
        return refused("there is no `=`");
    };
    let mut keys = vec![String::new()];
    let mut characters = path.chars();
    while let Some(c) = characters.next() {
        match c {
            '.' => keys.push(String::new()),
            c => {
                let c = match c {
                    '\\' => characters.next().unwrap_or('\\'),
                    c => c,
                };
                if let Some(key) = keys.last_mut() {
                    key.push(c);
                }
            }
        }
    }
    if keys.iter().any(String::is_empty) {
        return refused("a key is empty");
    }
    let fixed = ["spec.owner", "spec.environment"];
    if fixed
        .iter()
        .any(|own| path == *own || path.starts_with(&format!("{own}.")))
    {
        return refused("it says which binding this is");
    }
    let keys = keys.into_iter().map(Text::from).collect();
    if as_text || value.is_empty() {
        return Ok((keys, value.into()));
    }
    match yaml::load_first(value, &ResolveOptions::default()) {
        Ok(value) => Ok((keys, value)),
        Err(error) => refused(&error.to_string()),
    }
}
