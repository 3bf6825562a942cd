//! Taking fields over from those who wrote an object before.
//!
//! Somebody who runs `kubectl apply` or `kubectl edit` on an object of ours becomes the owner of
//! fields, and what they added would stay for ever. Their entries in `metadata.managedFields` are
//! folded into ours, so that the next apply removes what the source does not have.
//!
//! # Source
//! Which managers: fluxcd/kustomize-controller `internal/controller/kustomization_controller.go`
//! and fluxcd/pkg `ssa/patch.go`.

use object::{Map, Node, Object};

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The JSON patch that makes `manager` the owner of what others wrote, `None` when nobody did.
///
/// It replaces the version by the one it was made from, so that it fails on a changed object.
pub(crate) fn patch(live: &Object, manager: &str) -> Option<Node> {
    let mut operations = Vec::new();
    if live.annotation(LAST_APPLIED).is_some() {
        let path = format!(
            "/metadata/annotations/{}",
            LAST_APPLIED.replace('~', "~0").replace('/', "~1")
        );
        operations.push(operation("remove", &path, None));
    }
    let fields = live.node.at(&["metadata", "managedFields"]);
    let fields = fields.and_then(Node::as_list).unwrap_or(&[]);
    if let Some(folded) = fold(fields, manager) {
        let path = "/metadata/managedFields";
        operations.push(operation("replace", path, Some(Node::from(folded))));
    }
    if operations.is_empty() {
        return None;
    }
    let version = Node::from(live.resource_version());
    operations.push(operation(
        "replace",
        "/metadata/resourceVersion",
        Some(version),
    ));
    Some(Node::from(operations))
}

/// The entries with those of others folded into the apply entry of `manager`.
fn fold(entries: &[Node], manager: &str) -> Option<Vec<Node>> {
    let (theirs, mut kept): (Vec<&Node>, Vec<&Node>) = entries
        .iter()
        .partition(|entry| is_taken_over(entry, manager));
    let first = theirs.first()?;
    let is_ours = |entry: &&Node| {
        let text = |key: &str| entry.str_at(&[key]).unwrap_or_default();
        text("manager") == manager && text("operation") == "Apply" && text("subresource").is_empty()
    };
    let at = kept.iter().position(is_ours);
    let mut ours = match at {
        Some(at) => kept.remove(at).clone(),
        None => {
            let mut entry = (*first).clone();
            entry.set(&["manager"], manager);
            entry.set(&["operation"], "Apply");
            entry
        }
    };
    for entry in theirs {
        if let (Some(Node::Map(fields)), Some(Node::Map(ours))) =
            (entry.get("fieldsV1"), ours.get_mut("fieldsV1"))
        {
            unite(ours, fields);
        }
    }
    let mut folded: Vec<Node> = vec![ours];
    folded.extend(kept.into_iter().cloned());
    Some(folded)
}

fn is_taken_over(entry: &Node, manager: &str) -> bool {
    let text = |key: &str| entry.str_at(&[key]).unwrap_or_default();
    if !text("subresource").is_empty() {
        return false;
    }
    let (name, operation) = (text("manager"), text("operation"));
    name.starts_with("kubectl")
        || (operation == "Update" && (name == "before-first-apply" || name == manager))
}

/// Adds the paths of a field set to another; both are tries of nested maps.
fn unite(ours: &mut Map, theirs: &Map) {
    for (key, below) in theirs.iter() {
        match (ours.get_mut(key), below) {
            (Some(Node::Map(ours)), Node::Map(theirs)) => unite(ours, theirs),
            (Some(_), _) => {}
            (None, below) => {
                ours.insert(key.clone(), below.clone());
            }
        }
    }
}

fn operation(op: &str, path: &str, value: Option<Node>) -> Node {
    let mut node = Node::map();
    node.set(&["op"], op);
    node.set(&["path"], path);
    if let Some(value) = value {
        node.set(&["value"], value);
    }
    node
}
