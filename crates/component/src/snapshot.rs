//! Freezing a component into a release, and what a release consists of as one number.
//!
//! [`snapshot`] takes specs as they are written, so that no field is forgotten.
//!
//! Two releases with equal content have equal digests, whatever their names are, however their keys
//! are ordered, whether a field is left out, null or empty, and whether a server has filled in what
//! is meant without being written. Templates, schemas and values are content as they stand: `{}` in
//! them is not the same as nothing.
//!
//! # Source
//! RFC 8785 for the text that is hashed, with SHA-256.

use std::fmt::Write as _;

use object::{Map, Node, Text};
use sha2::{Digest as _, Sha256};

use crate::model::{Owner, Reference};
use crate::names::LABEL_BYTES_MAX;

/// The annotation that holds the digest of a release.
pub const RELEASE_DIGEST: &str = "fleetwright.dev/release-digest";

/// Hexadecimal digits of a digest at the end of a release's name: enough for 2^20 releases of one
/// component with a chance of a clash below one in two.
const NAME_DIGITS: usize = 10;

/// What a release freezes: specs as they are written.
#[derive(Clone, Debug)]
pub struct Parts<'a> {
    /// Of the Component.
    pub component: &'a Node,
    /// Its project and name.
    pub owner: &'a Owner,
    /// Kind and name of the type.
    pub type_reference: &'a Reference,
    /// Of the ComponentType.
    pub component_type: &'a Node,
    /// Kind, name and spec of each trait in use, those of the type too, each once.
    pub traits: &'a [(Reference, Node)],
    /// Of the Workload.
    pub workload: &'a Node,
}

/// The spec of the ComponentRelease that freezes these parts.
///
/// In the form of the version the type is written for: a bare type and a map of traits beside
/// shorthand schemas, else kind and name around both.
pub fn snapshot(parts: &Parts<'_>) -> Node {
    let mut out = Node::map();
    out.set(&["owner", "projectName"], parts.owner.project.clone());
    out.set(&["owner", "componentName"], parts.owner.component.clone());
    let shorthand = |spec: &Node| spec.get("schema").is_some_and(|schema| !schema.is_null());
    let single = parts
        .workload
        .get("container")
        .is_some_and(|own| !own.is_null());
    let open_api = ["parameters", "environmentConfigs"];
    let v1 = !shorthand(parts.component_type)
        && (single
            || open_api
                .iter()
                .any(|key| parts.component_type.get(key).is_some()));
    if v1 {
        let reference = parts.type_reference;
        out.set(&["componentType", "kind"], reference.kind.clone());
        out.set(&["componentType", "name"], reference.name.clone());
        out.set(&["componentType", "spec"], parts.component_type.clone());
        if !parts.traits.is_empty() {
            let traits = parts.traits.iter().map(|(reference, spec)| {
                Map::from_iter([
                    ("kind", reference.kind.clone().into()),
                    ("name", reference.name.clone().into()),
                    ("spec", spec.clone()),
                ])
            });
            out.set(&["traits"], Node::list(traits));
        }
    } else {
        out.set(&["componentType"], parts.component_type.clone());
        for (reference, spec) in parts.traits {
            out.set(&["traits", &reference.name], spec.clone());
        }
    }
    for key in ["parameters", "traits"] {
        let value = parts.component.get(key).filter(|value| !is_empty(value));
        if let Some(value) = value {
            out.set(&["componentProfile", key], value.clone());
        }
    }
    let mut workload = parts.workload.clone();
    workload.remove(&["owner"]);
    out.set(&["workload"], workload);
    out
}

/// The digest of the spec of a ComponentRelease, 64 hexadecimal digits. Its owner is no content.
pub fn release_digest(spec: &Node) -> String {
    digest(&content(spec))
}

/// The digest of a value in its one form, 64 hexadecimal digits.
pub fn digest(node: &Node) -> String {
    let digest = Sha256::digest(canonical_json(node).as_bytes());
    digest.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// The name of a release of `component` with this digest: at most 63 bytes, so that it can be the
/// value of a label.
pub fn release_name(component: &str, digest: &str) -> String {
    let digits = &digest[..digest.floor_char_boundary(NAME_DIGITS)];
    let room = LABEL_BYTES_MAX - 1 - digits.len();
    let component = &component[..component.floor_char_boundary(room)];
    format!("{}-{digits}", component.trim_end_matches(['-', '.']))
}

/// The content of the spec of a ComponentRelease in one form.
///
/// A list of traits is ordered by kind and name, a map of them becomes such a list. Which workflows
/// and traits a type allows is no content: it says what may be released, not what is.
pub fn content(spec: &Node) -> Node {
    let mut out = Map::new();
    let own = spec.get("componentType").cloned().unwrap_or_default();
    let wrapped = own.get("spec").is_some_and(|inner| !inner.is_null());
    let component_type = match wrapped {
        true => {
            let mut kept = shallow(&own);
            if let Some(inner) = own.get("spec") {
                kept.insert("spec", body(inner));
            }
            kept
        }
        false => Map::from_iter([("spec", Node::from(body(&own)))]),
    };
    let mut component_type = Node::from(component_type);
    for key in ["allowedWorkflows", "allowedTraits"] {
        component_type.remove(&["spec", key]);
    }
    out.insert("componentType", component_type);

    let mut traits: Vec<(Text, Text, Node)> = Vec::new();
    let text = |node: &Node, key: &str| -> Text { node.str_at(&[key]).unwrap_or_default().into() };
    match spec.get("traits") {
        Some(Node::List(items)) => {
            for item in items.iter() {
                let kind = match text(item, "kind") {
                    kind if kind.is_empty() => "Trait".into(),
                    kind => kind,
                };
                let body = body(item.get("spec").unwrap_or(&Node::Null));
                traits.push((kind, text(item, "name"), body.into()));
            }
        }
        Some(Node::Map(map)) => {
            for (name, own) in map.iter() {
                traits.push(("Trait".into(), name.clone(), body(own).into()));
            }
        }
        _ => {}
    }
    traits.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    if !traits.is_empty() {
        let traits = traits.into_iter().map(|(kind, name, body)| {
            Map::from_iter([("kind", kind.into()), ("name", name.into()), ("spec", body)])
        });
        out.insert("traits", Node::list(traits));
    }

    let profile = spec.get("componentProfile").cloned().unwrap_or_default();
    let mut kept = shallow(&profile);
    if let Some(Node::List(uses)) = kept.get("traits") {
        let uses = uses.iter().map(|own| {
            let mut own = shallow(own);
            if !own.contains_key("kind") {
                own.insert("kind", "Trait");
            }
            own
        });
        let uses = Node::list(uses);
        kept.insert("traits", uses);
    }
    if !kept.is_empty() {
        out.insert("componentProfile", kept);
    }
    if let Some(workload) = spec.get("workload").and_then(without_empty) {
        out.insert("workload", workload);
    }
    out.into()
}

fn is_empty(node: &Node) -> bool {
    match node {
        Node::Null => true,
        Node::List(items) => items.is_empty(),
        Node::Map(map) => map.is_empty(),
        Node::String(text) => text.is_empty(),
        _ => false,
    }
}

/// The fields of a map that say something.
fn shallow(node: &Node) -> Map {
    let mut map = node.as_map().cloned().unwrap_or_default();
    map.retain(|_, value| !is_empty(value));
    map
}

/// The fields of a component type or trait that say something, without the defaults that servers
/// fill in: in files they are not written.
fn body(node: &Node) -> Map {
    let mut map = shallow(node);
    for key in [
        "resources",
        "creates",
        "patches",
        "removes",
        "postRenderValidations",
    ] {
        without(&mut map, key, &["targetPlane"], &"dataplane".into());
    }
    let must_match = &["target", "mustMatch"];
    without(&mut map, "postRenderValidations", must_match, &true.into());
    without(&mut map, "traits", &["kind"], &"Trait".into());
    map
}

/// Takes a value out of the items of a list.
fn without(map: &mut Map, list: &str, keys: &[&str], value: &Node) {
    let Some(items) = map.get(list).and_then(Node::as_list) else {
        return;
    };
    if !items.iter().any(|item| item.at(keys) == Some(value)) {
        return;
    }
    if let Some(items) = map.get_mut(list).and_then(Node::as_list_mut) {
        for item in items.iter_mut().filter(|item| item.at(keys) == Some(value)) {
            item.remove(keys);
        }
    }
}

/// A value without empty parts, which mean nothing in a workload; `None` when nothing is left.
fn without_empty(node: &Node) -> Option<Node> {
    let kept: Node = match node {
        Node::Map(map) => {
            let kept = map
                .iter()
                .filter_map(|(key, value)| Some((key.clone(), without_empty(value)?)));
            kept.collect::<Map>().into()
        }
        // Items keep their places.
        Node::List(items) => Node::list(
            items
                .iter()
                .map(|item| without_empty(item).unwrap_or_else(|| item.clone())),
        ),
        other => other.clone(),
    };
    (!is_empty(&kept)).then_some(kept)
}

/// The one text of a value: RFC 8785. Integers beyond 2^53 keep their digits.
pub fn canonical_json(node: &Node) -> String {
    let mut out = String::new();
    write_node(node, &mut out);
    out
}

fn write_node(node: &Node, out: &mut String) {
    match node {
        Node::String(text) => write_text(text, out),
        Node::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_node(item, out);
            }
            out.push(']');
        }
        Node::Map(map) => {
            let mut entries: Vec<(&Text, &Node)> = map.iter().collect();
            entries.sort_by(|a, b| a.0.encode_utf16().cmp(b.0.encode_utf16()));
            out.push('{');
            for (at, (key, value)) in entries.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_text(key, out);
                out.push(':');
                write_node(value, out);
            }
            out.push('}');
        }
        scalar => out.push_str(&object::json::to_string(scalar)),
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Node {
        let limits = object::json::OBJECT_LIMITS;
        object::json::parse(text.as_bytes(), limits).expect("a test's JSON is right")
    }

    #[test]
    fn the_text_is_that_of_the_standard() {
        let node = parse(
            r#"{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001], "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}"#,
        );
        assert_eq!(
            canonical_json(&node),
            r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"#
        );
    }

    #[test]
    fn what_says_nothing_changes_no_digest_and_what_says_something_does() {
        let digest = |text: &str| release_digest(&parse(text));
        let plain = digest(
            r#"{"owner": {"projectName": "p"}, "componentType": {"workloadType": "deployment", "resources": [{"id": "a", "template": {"x": {}}}]}, "workload": {"containers": {"app": {"image": "i"}}}}"#,
        );
        assert_eq!(
            plain,
            digest(
                r#"{"componentProfile": {"parameters": null}, "traits": {}, "workload": {"endpoints": {}, "containers": {"app": {"args": [], "image": "i", "env": null}}}, "componentType": {"resources": [{"template": {"x": {}}, "id": "a"}], "allowedWorkflows": [], "workloadType": "deployment"}}"#
            )
        );
        assert_ne!(
            plain,
            digest(
                r#"{"componentType": {"workloadType": "deployment", "resources": [{"id": "a", "template": {}}]}, "workload": {"containers": {"app": {"image": "i"}}}}"#
            )
        );
        assert_eq!(
            plain,
            digest(
                r#"{"componentType": {"workloadType": "deployment", "resources": [{"id": "a", "targetPlane": "dataplane", "template": {"x": {}}}], "allowedTraits": [{"kind": "Trait", "name": "t"}]}, "workload": {"containers": {"app": {"image": "i"}}}}"#
            ),
            "what a server fills in is no content"
        );
        let rules = r#"{"componentType": {"spec": {"traits": [{"name": "t"}], "postRenderValidations": [{"target": {"kind": "K"}}]}}, "traits": [{"kind": "Trait", "name": "t", "spec": {"creates": [{"template": {}}]}}]}"#;
        let filled = r#"{"componentType": {"spec": {"traits": [{"kind": "Trait", "name": "t"}], "postRenderValidations": [{"targetPlane": "dataplane", "target": {"kind": "K", "mustMatch": true}}]}}, "traits": [{"kind": "Trait", "name": "t", "spec": {"creates": [{"targetPlane": "dataplane", "template": {}}]}}]}"#;
        assert_eq!(digest(rules), digest(filled));
        assert_ne!(
            digest(rules),
            digest(&filled.replace("dataplane", "observabilityplane"))
        );
        let by_name = r#"{"componentType": {"resources": [1]}, "traits": {"b": {"creates": [1]}, "a": {"patches": [2]}}}"#;
        let listed = r#"{"componentType": {"resources": [1]}, "traits": [{"name": "a", "spec": {"patches": [2]}}, {"kind": "Trait", "name": "b", "spec": {"creates": [1]}}]}"#;
        assert_eq!(digest(by_name), digest(listed));
    }

    #[test]
    fn names_fit_into_labels_and_keep_the_digest() {
        assert_eq!(release_name("web", "0123456789abcdef"), "web-0123456789");
        let long = release_name(&format!("{}-x", "a".repeat(51)), "0123456789abcdef");
        assert_eq!(long, format!("{}-0123456789", "a".repeat(51)));
        assert!(release_name(&"ü".repeat(60), "0123456789abcdef").len() <= 63);
    }
}
