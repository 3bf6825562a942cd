//! Structural schemas: what becomes of custom resources and their definitions.

mod definitions;
mod objects;
mod paths;
mod recorded;
mod rules;

use object::{Node, json};
use schema::FieldError;
use schema::structural::Structural;

/// Data written as YAML, which is shorter than JSON.
fn data(text: &str) -> Node {
    let options = yaml::ResolveOptions {
        // Here `n` is a name.
        rules: yaml::Rules::V3,
        ..yaml::ResolveOptions::default()
    };
    yaml::load_first(text, &options).expect("valid YAML")
}

/// A schema whose `spec` has these properties, written as a YAML flow map.
fn schema(properties: &str) -> Structural {
    let text = format!(
        "{{type: object, properties: {{spec: {{type: object, properties: {{{properties}}}}}}}}}"
    );
    Structural::compile(&data(&text)).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

/// An object with this `spec`.
fn object(spec: &str) -> Node {
    let mut object = data("{apiVersion: example.com/v1, kind: Thing, metadata: {name: x}}");
    object.set(&["spec"], data(spec));
    object
}

fn lines(errors: &[FieldError]) -> String {
    errors.iter().map(|error| format!("{error}\n")).collect()
}

fn text(node: &Node) -> String {
    json::to_string(node)
}
