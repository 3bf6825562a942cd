//! Fields that may not change once an object exists.
//!
//! # Source
//! The transition rules of openchoreo/openchoreo `config/crd/bases/*` at v0.12.0 and v1.2.3.

use object::{FieldPath, Node};

/// A field that is fixed, and whether it is so only once it has a value.
struct Fixed(&'static str, bool);

fn table(kind: &str) -> &'static [Fixed] {
    match kind {
        "Project" => &[Fixed("type", true)],
        "Environment" => &[Fixed("dataPlaneRef", true)],
        "ComponentType" | "ClusterComponentType" => &[Fixed("workloadType", false)],
        "Component" => &[Fixed("owner", false), Fixed("componentType", true)],
        "Workload" => &[Fixed("owner", false)],
        "ComponentRelease" => &[
            Fixed("owner", false),
            Fixed("componentType", false),
            Fixed("traits", false),
            Fixed("componentProfile", false),
            Fixed("workload", false),
        ],
        "ReleaseBinding" => &[Fixed("owner", false), Fixed("environment", false)],
        "RenderedRelease" => &[Fixed("owner", false)],
        "ProjectRelease" => &[
            Fixed("owner", false),
            Fixed("projectType", false),
            Fixed("parameters", false),
        ],
        "ProjectReleaseBinding" => &[Fixed("owner", false), Fixed("environment", false)],
        _ => &[],
    }
}

/// The fixed fields of an object of `kind` that `new` has otherwise than `old`, as paths from the
/// root of the object. Null and absent are the same, and so are a name and a reference of the kind
/// that older versions meant by it.
pub fn changed_fixed_fields(kind: &str, old: &Node, new: &Node) -> Vec<FieldPath> {
    let changed = table(kind).iter().filter(|Fixed(name, once_set)| {
        let before = plain(name, old.at(&["spec", name]));
        let after = plain(name, new.at(&["spec", name]));
        before != after && !(*once_set && before.is_null())
    });
    changed
        .map(|Fixed(name, _)| FieldPath::keys(["spec", name]))
        .collect()
}

/// The value as it is compared: the name of a reference of the default kind.
fn plain(field: &str, value: Option<&Node>) -> Node {
    let value = value.cloned().unwrap_or_default();
    let default_kind = match field {
        "dataPlaneRef" => "DataPlane",
        "componentType" => "ComponentType",
        "type" => "ProjectType",
        _ => return value,
    };
    match (value.get("kind").and_then(Node::as_str), value.get("name")) {
        (Some(kind), Some(name)) if kind == default_kind && value.get("spec").is_none() => {
            name.clone()
        }
        (None, Some(name)) if value.as_map().is_some_and(|map| map.len() == 1) => name.clone(),
        _ if value.as_str() == Some("") => Node::Null,
        _ => value,
    }
}
