//! What messages may not show.
//!
//! Values of secrets never come here: templates see only where they are. But people write
//! passwords as literals and parameters too, so values whose names say that they are secret are
//! masked.

use expr::{ReadStep, Value};
use object::{Node, Text};

use super::Inputs;
use crate::model::{Setting, Source, Workload};
use crate::template::{Context, Template, Used};

/// The variable that holds what is secret.
pub(super) const SECRETS: &str = "(secrets)";

/// Most values shown with a rule that is not met.
const USED_MAX: usize = 8;

/// Most characters of each.
const VALUE_SHOWN: usize = 80;

/// Texts shorter than this are not masked: they occur everywhere.
const SECRET_BYTES_MIN: usize = 4;

/// Words in a name that make its value a secret.
const SECRET_WORDS: [&str; 8] = [
    "password",
    "passwd",
    "secret",
    "token",
    "credential",
    "private",
    "api_key",
    "apikey",
];

/// Environment variables and files of all containers.
pub(super) fn settings(workload: &Workload) -> impl Iterator<Item = &Setting> {
    let containers = workload.containers.values();
    containers.flat_map(|own| own.env.iter().chain(&own.files))
}

/// Values that are secret by their names; longer ones first.
pub(super) fn secret_values(inputs: &Inputs<'_>, workload: &Workload) -> Vec<Text> {
    let mut out = Vec::new();
    for setting in settings(workload) {
        if let Source::Literal(value) = &setting.source
            && is_secret(&setting.key)
        {
            out.push(value.clone());
        }
    }
    let release = inputs.release;
    collect(&release.parameters, false, &mut out);
    collect(&inputs.binding.type_values, false, &mut out);
    for own in release.component_type.traits.iter().chain(&release.uses) {
        collect(&own.parameters, false, &mut out);
        collect(&own.environment, false, &mut out);
    }
    for values in inputs.binding.trait_values.values() {
        collect(values, false, &mut out);
    }
    out.retain(|text| text.len() >= SECRET_BYTES_MIN && !text.contains("${"));
    out.sort_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
    out.dedup();
    out
}

/// Whether the name of a value says that it is secret.
pub(crate) fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    SECRET_WORDS.iter().any(|word| name.contains(word))
}

fn collect(node: &Node, secret: bool, out: &mut Vec<Text>) {
    match node {
        Node::String(text) if secret => out.push(text.clone()),
        Node::List(items) => items.iter().for_each(|item| collect(item, secret, out)),
        Node::Map(map) => {
            for (key, value) in map.iter() {
                collect(value, secret || is_secret(key), out);
            }
        }
        _ => {}
    }
}

/// `context` with secrets that no message shows. They are in a variable that no expression can name.
pub(super) fn conceal(context: Context, secrets: Vec<Text>) -> Context {
    let secrets = Node::list(secrets);
    context
        .with(SECRETS, &secrets)
        .conceal(SECRETS, [] as [&str; 0])
}

/// The values an expression over a context looked at.
pub(super) fn used(template: &Template, context: &Context) -> Vec<Used> {
    let expressions = template.expressions();
    let reads = expressions.iter().flat_map(|(_, _, reads)| reads);
    let shown = reads.filter_map(|read| {
        let start = context.get(&read.variable)?;
        let steps = &mut read.steps.iter();
        let value = steps.try_fold(start, |value, step| match (value, step) {
            (Value::Map(map), ReadStep::Field(name)) => map.field(name),
            (Value::List(list), ReadStep::Index(at)) => list.get(usize::try_from(*at).ok()?),
            _ => None,
        })?;
        let text = object::json::to_string(&value.to_node().ok()?);
        let text = context.masked(text);
        let short: String = text.chars().take(VALUE_SHOWN).collect();
        let more = if short.len() < text.len() { "…" } else { "" };
        Some(Used {
            place: read.to_string(),
            value: Some(format!("{short}{more}")),
        })
    });
    shown.take(USED_MAX).collect()
}
