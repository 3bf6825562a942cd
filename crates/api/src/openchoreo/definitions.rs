//! Definitions of OpenChoreo's kinds, put together from shared parts.
//!
//! The type of a component stands in four kinds, a workload in two, a trait in three places of one
//! release: written out, the definitions are ten thousand lines of YAML; they say in sixteen hundred fields what a
//! thousand lines can say. So each kind has a short file in
//! `crds/openchoreo`, what kinds share is in `types.yaml`, and this module writes definitions
//! out of them:
//!
//! - `$ref: Name` takes in a part, `$ref: Name.field` one of its fields. What stands beside it is
//!   laid over it: maps field by field, everything else as a whole; null takes away.
//! - Below spec and status, every object keeps fields its schema does not know: no release knows
//!   all fields of all others, and a field that is not understood may be warned about but not lost.
//!
//! # What holds for every release
//!
//! - A field that is text in one release and an object in another has no type: text, object and
//!   whatever else are kept, and constraints bind those values they can apply to. Expressions do
//!   not see such fields but through `dyn`, where they can only be compared; a list around both sides
//!   keeps the estimated cost of the comparison in bounds.
//! - A field is required, an enumeration closed, a pattern binding, if all releases agree that have
//!   the field; otherwise the widest of them counts.
//! - A default is filled in only where objects of no release that lacks the field would get it, or
//!   where it says what such a release does anyway.
//! - What is immutable in all releases that have it is immutable; also for what was added or taken
//!   away, which OpenChoreo's own rules of single fields do not notice.

use object::Node;

use super::{API_VERSION, GROUP, VERSION};

/// Deepest chain of parts that take in other parts, before it must be a circle.
const REFERENCES_MAX: usize = 8;

/// What kinds share.
const TYPES: &str = include_str!("../../crds/openchoreo/types.yaml");

/// Kinds without a schema of their own.
const STORED: &str = include_str!("../../crds/openchoreo/stored.yaml");

macro_rules! files {
    ($($plural:literal)*) => {
        &[$(include_str!(concat!("../../crds/openchoreo/", $plural, ".yaml")),)*]
    };
}

const KINDS: &[&str] = files! {
    "clustercomponenttypes" "clusterdataplanes" "clusterprojecttypes" "clustertraits"
    "componentreleases" "components" "componenttypes" "dataplanes" "deploymentpipelines"
    "environments" "organizations" "projectreleasebindings" "projectreleases" "projects"
    "projecttypes" "releasebindings" "releases" "renderedreleases" "secretreferences" "traits"
    "workloads"
};

/// The CustomResourceDefinitions of OpenChoreo's kinds: those of [`super::Kind`], then those that are
/// stored only, each in the order of their names.
pub fn custom_resource_definitions() -> Vec<Node> {
    let types = read(TYPES);
    let stored = read(STORED);
    let kinds = KINDS.iter().map(|text| read(text));
    let stored = stored.as_list().unwrap_or_default().iter().map(as_stored);
    kinds
        .chain(stored)
        .map(|kind| definition(&kind, &types))
        .collect()
}

fn read(text: &str) -> Node {
    let documents = yaml::load(text, &yaml::Limits::default());
    let mut documents =
        documents.unwrap_or_else(|error| panic!("definitions ship with the program: {error}"));
    documents.remove(0).node
}

/// A kind about whose fields nothing is said.
fn as_stored(kind: &Node) -> Node {
    let mut kind = kind.clone();
    let name = kind.str_at(&["kind"]).unwrap_or_default();
    let about = format!("OpenChoreo's {name}; stored as it is.");
    kind.set(&["description"], about);
    for (field, about) in [
        ("spec", "Its content, unchecked."),
        ("status", "What was observed."),
    ] {
        kind.set(&[field, "type"], "object");
        kind.set(&[field, "description"], about);
    }
    kind
}

fn definition(kind: &Node, types: &Node) -> Node {
    let text = |key: &str| kind.str_at(&[key]).unwrap_or_default();
    let (name, plural) = (text("kind"), text("plural"));

    let mut schema = Node::map();
    schema.set(&["type"], "object");
    schema.set(&["description"], text("description"));
    for (field, about) in [
        (
            "apiVersion",
            format!("Version of this schema, `{API_VERSION}`."),
        ),
        ("kind", format!("Kind of this object, `{name}`.")),
    ] {
        schema.set(&["properties", field, "type"], "string");
        schema.set(&["properties", field, "description"], about);
    }
    schema.set(&["properties", "metadata", "type"], "object");
    for field in ["spec", "status"] {
        let part = kind.get(field).cloned().unwrap_or_else(Node::map);
        schema.set(&["properties", field], written_out(part, types, true));
    }

    let mut version = Node::map();
    version.set(&["name"], VERSION);
    version.set(&["served"], true);
    version.set(&["storage"], true);
    version.set(&["subresources", "status"], Node::map());
    version.set(&["schema", "openAPIV3Schema"], schema);
    if let Some(columns) = kind.get("columns") {
        version.set(&["additionalPrinterColumns"], columns.clone());
    }

    let mut crd = Node::map();
    crd.set(&["apiVersion"], "apiextensions.k8s.io/v1");
    crd.set(&["kind"], "CustomResourceDefinition");
    crd.set(&["metadata", "name"], format!("{plural}.{GROUP}"));
    // Patterns contain `${`, which is no variable to put in.
    let substitute = "kustomize.toolkit.fluxcd.io/substitute";
    crd.set(&["metadata", "annotations", substitute], "disabled");
    crd.set(&["spec", "group"], GROUP);
    crd.set(&["spec", "names", "kind"], name);
    crd.set(&["spec", "names", "listKind"], format!("{name}List"));
    crd.set(&["spec", "names", "plural"], plural);
    crd.set(&["spec", "names", "singular"], name.to_lowercase());
    if let Some(short) = kind.get("shortNames") {
        crd.set(&["spec", "names", "shortNames"], short.clone());
    }
    crd.set(&["spec", "scope"], text("scope"));
    crd.set(&["spec", "versions"], Node::list([version]));
    crd.sort_keys();
    crd
}

/// A schema with its parts put in, whose objects keep what they do not know.
///
/// Unless it is `visible` to expressions, it has no rules: Kubernetes refuses them below a field
/// without a type.
fn written_out(schema: Node, types: &Node, visible: bool) -> Node {
    let mut schema = resolved(schema, types);
    let Some(map) = schema.as_map_mut() else {
        return schema;
    };
    if !visible {
        map.remove("x-kubernetes-validations");
    }
    let visible = visible && map.contains_key("type");
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = map.get_mut(key) {
            *inner = written_out(std::mem::take(inner), types, visible);
        }
    }
    if let Some(properties) = map.get_mut("properties").and_then(Node::as_map_mut) {
        for (_, property) in properties.iter_mut() {
            *property = written_out(std::mem::take(property), types, visible);
        }
    }
    let is_object = map.get("type").and_then(Node::as_str) == Some("object");
    if is_object && !map.contains_key("additionalProperties") {
        map.insert("x-kubernetes-preserve-unknown-fields", true);
    }
    schema
}

/// A schema with the parts put in that it takes in itself.
fn resolved(mut schema: Node, types: &Node) -> Node {
    for _ in 0..REFERENCES_MAX {
        let Some(Node::String(reference)) = schema.remove(&["$ref"]) else {
            return schema;
        };
        let part = |name: &str| {
            let part = types.get(name).cloned();
            part.unwrap_or_else(|| panic!("definitions ship with the program: no part {name}"))
        };
        let mut below = match reference.split_once('.') {
            None => part(&reference),
            Some((name, field)) => {
                let whole = resolved(part(name), types);
                let field = whole.at(&["properties", field]).cloned();
                field.unwrap_or_else(|| {
                    panic!("definitions ship with the program: no field {reference}")
                })
            }
        };
        lay_over(&mut below, schema);
        schema = below;
    }
    panic!("definitions ship with the program: parts in a circle")
}

fn lay_over(below: &mut Node, above: Node) {
    match (below.as_map_mut(), above) {
        (Some(below), Node::Map(above)) => {
            for (key, value) in above.iter() {
                match below.get_mut(key) {
                    _ if value.is_null() => {
                        below.remove(key);
                    }
                    Some(inner) => lay_over(inner, value.clone()),
                    None => {
                        below.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        (_, above) => *below = above,
    }
}
