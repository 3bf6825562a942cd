//! Pods from templates.

use object::{Map, Node, Object};

use crate::node;
use crate::view::View;

/// Letters of generated names.
const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// A stable name for a template: ten letters that change with it.
///
/// The order of keys does not matter. The letters are not those Kubernetes would compute, which
/// hashes how Go prints its structs.
pub(crate) fn hash(template: &Node) -> String {
    let mut sorted = template.clone();
    sorted.sort_keys();
    letters(number(&object::json::to_string(&sorted)), 10)
}

/// A number that depends on all of a text (FNV-1a).
pub(crate) fn number(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// `count` letters that depend on a number.
pub(crate) fn letters(mut number: u64, count: usize) -> String {
    let base = LETTERS.len() as u64;
    (0..count)
        .map(|_| {
            let letter = LETTERS[(number % base) as usize];
            number /= base;
            char::from(letter)
        })
        .collect()
}

/// The pod of a template, on a node; name and owner are up to the caller.
pub(crate) fn pod(view: &dyn View, owner: &Object, labels: &[(&str, &str)], draw: u64) -> Node {
    let empty = Node::map();
    let template = owner.node.at(&["spec", "template"]).unwrap_or(&empty);
    let mut pod = Node::map();
    pod.set(&["apiVersion"], "v1");
    pod.set(&["kind"], "Pod");
    for field in ["labels", "annotations"] {
        if let Some(map) = template.at(&["metadata", field]) {
            pod.set(&["metadata", field], map.clone());
        }
    }
    for (key, value) in labels {
        pod.set(&["metadata", "labels", key], *value);
    }
    let spec = template.get("spec").cloned();
    pod.set(&["spec"], spec.unwrap_or(Node::map()));
    if pod.at(&["spec", "nodeName"]).is_none() {
        let nodes = node::fitting(view, &pod);
        if !nodes.is_empty() {
            let chosen = &nodes[(draw % nodes.len() as u64) as usize];
            pod.set(&["spec", "nodeName"], chosen.as_str());
        }
    }
    pod
}

/// Whether labels have every pair of a map; an empty map matches nothing.
pub(crate) fn has_all(wanted: Option<&Map>, labels: Option<&Map>) -> bool {
    let Some(wanted) = wanted.filter(|wanted| !wanted.is_empty()) else {
        return false;
    };
    wanted
        .iter()
        .all(|(key, value)| labels.and_then(|labels| labels.get(key)) == Some(value))
}
