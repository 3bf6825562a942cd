//! What the schema crate promises, compared with recorded API objects and told in small examples.

mod canonical;
mod defaults;
mod goldens;
mod hostile;
mod merge_types;
mod merging;
mod roundtrip;
mod validation;

use object::{Node, json};
use schema::builtin::{self, StructId};

/// JSON, with `'` for `"` so that cases stay readable.
fn parse(text: &str) -> Node {
    json::parse(text.replace('\'', "\"").as_bytes(), json::OBJECT_LIMITS).expect("a case is JSON")
}

/// The struct of an object.
fn type_of(node: &Node) -> StructId {
    let api_version = node.str_at(&["apiVersion"]).unwrap_or_default();
    let kind = node.str_at(&["kind"]).unwrap_or_default();
    builtin::type_of(api_version, kind).expect("a built-in kind")
}

/// An object as it is when validation sees it.
fn prepared(text: &str) -> Node {
    let mut node = parse(text);
    let ty = type_of(&node);
    let unknown = builtin::canonicalize(ty, &mut node).expect("well-typed");
    assert_eq!(unknown, [], "{text}");
    builtin::default(ty, &mut node);
    node
}
