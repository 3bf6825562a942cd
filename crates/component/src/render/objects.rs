//! What happens to objects once templates and traits are done with them.

use std::collections::BTreeMap;

use object::{Map, Node, ObjectKey};
use sha2::{Digest as _, Sha256};

use super::{Maker, Part, Rendered};
use crate::metadata::{keys, resource_id};
use crate::model::Plane;
use crate::names::{LABEL_BYTES_MAX, generate_name};

/// `Kind/name`, for messages.
pub(super) fn shown(object: &Node) -> String {
    let text = |keys: &[&str]| object.str_at(keys).unwrap_or_default().to_owned();
    format!("{}/{}", text(&["kind"]), text(&["metadata", "name"]))
}

/// The first of the fields that every object has as text and this one has not.
pub(super) fn missing_field(object: &Node) -> Option<&'static str> {
    let fields: [(&'static str, &[&str]); 3] = [
        ("apiVersion", &["apiVersion"]),
        ("kind", &["kind"]),
        ("metadata.name", &["metadata", "name"]),
    ];
    fields
        .into_iter()
        .find(|(_, keys)| object.str_at(keys).is_none_or(str::is_empty))
        .map(|(name, _)| name)
}

/// Puts labels into an object over what it has.
pub(super) fn label(object: &mut Node, labels: &Map) {
    let own = object.at(&["metadata", "labels"]).and_then(Node::as_map);
    let mut own = own.cloned().unwrap_or_default();
    own.extend(labels.clone());
    object.set(&["metadata", "labels"], own);
}

/// Writes a hash of what the pods may read into the pod template of the workload, so that a
/// changed configuration starts them anew.
pub(super) fn annotate_hash(objects: &mut [Rendered], workload_type: &str) {
    let kind = match workload_type {
        "deployment" => "Deployment",
        "statefulset" => "StatefulSet",
        _ => return,
    };
    let is_own =
        |own: &Rendered| own.plane == Plane::Data && own.object.str_at(&["kind"]) == Some(kind);
    let Some(at) = objects.iter().position(is_own) else {
        return;
    };
    let mut others: Vec<String> = Vec::new();
    for (other, own) in objects.iter().enumerate() {
        if other != at && own.plane == Plane::Data {
            let mut content = own.object.clone();
            if let Some(map) = content.as_map_mut() {
                map.remove("metadata");
            }
            content.sort_keys();
            others.push(object::json::to_string(&content));
        }
    }
    if others.is_empty() {
        return;
    }
    others.sort();
    let mut hash = Sha256::new();
    for other in others {
        hash.update(other);
        hash.update("\n");
    }
    let digest = hash.finalize();
    let hash: String = digest[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let object = &mut objects[at].object;
    object.set(
        &[
            "spec",
            "template",
            "metadata",
            "annotations",
            keys::RESOURCE_HASH,
        ],
        hash,
    );
}

/// Orders objects by kind, apiVersion, namespace and name.
pub(super) fn sort(objects: &mut [Rendered]) {
    objects.sort_by(|a, b| {
        let key = |own: &Rendered| {
            let text = |keys: &[&str]| own.object.str_at(keys).unwrap_or_default().to_owned();
            [
                text(&["kind"]),
                text(&["apiVersion"]),
                text(&["metadata", "namespace"]),
                text(&["metadata", "name"]),
            ]
        };
        key(a).cmp(&key(b))
    });
}

/// Positions of objects that are there twice, with who made the first.
pub(super) fn repeated(objects: &[Rendered]) -> Vec<(usize, (Maker, Part))> {
    let mut seen: BTreeMap<(Plane, ObjectKey), usize> = BTreeMap::new();
    let mut out = Vec::new();
    for (at, own) in objects.iter().enumerate() {
        let key = object::Object::new(own.object.clone()).key();
        match seen.get(&(own.plane, key.clone())) {
            Some(first) => {
                let first = &objects[*first];
                out.push((at, (first.maker.clone(), first.part.clone())));
            }
            None => drop(seen.insert((own.plane, key), at)),
        }
    }
    out
}

/// Gives each object its id: kind and name as upstream has it, and where that was given already,
/// a generated one of group and namespace, too.
pub(super) fn give_ids(objects: &mut [Rendered]) {
    let mut taken = std::collections::BTreeSet::new();
    for own in objects {
        let mut id = resource_id(&own.object);
        if !taken.insert((own.plane, id.clone())) {
            let key = object::Object::new(own.object.clone()).key();
            let mut parts = vec![
                key.kind.as_str(),
                key.group.as_str(),
                key.namespace.as_str(),
                key.name.as_str(),
            ];
            parts.retain(|part| !part.is_empty());
            id = generate_name(LABEL_BYTES_MAX, &parts);
            taken.insert((own.plane, id.clone()));
        }
        own.id = id;
    }
}
