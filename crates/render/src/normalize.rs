//! Bringing objects into the shape that is applied.
//!
//! # Source
//! fluxcd/pkg `ssa/normalize`, `ssa/utils`.

use std::sync::Arc;

use object::{Map, Node, Object};

use crate::spec::{CommonMetadata, Owner};

/// Label with the name of the unit an object belongs to.
const OWNER_NAME: &str = "kustomize.toolkit.fluxcd.io/name";
/// Label with the namespace of the unit an object belongs to.
const OWNER_NAMESPACE: &str = "kustomize.toolkit.fluxcd.io/namespace";

/// Deepest lists of lists that are taken apart.
const LISTS_MAX: usize = 5;

/// Takes lists apart; an object that is no list gives itself.
pub(crate) fn flatten(object: Object, into: &mut Vec<Object>) {
    flatten_at(object, into, 0);
}

fn flatten_at(object: Object, into: &mut Vec<Object>, depth: usize) {
    let is_list = object.kind().ends_with("List")
        && object
            .node
            .get("items")
            .is_some_and(|items| items.as_list().is_some());
    if !is_list || depth > LISTS_MAX {
        into.push(object);
        return;
    }
    let items = object
        .node
        .get("items")
        .and_then(Node::as_list)
        .unwrap_or_default();
    for item in items {
        let item = Object {
            node: item.clone(),
            origin: object.origin.clone(),
        };
        flatten_at(item, into, depth + 1);
    }
}

/// Whether an object only configures kustomize itself.
pub(crate) fn is_configuration(object: &Object) -> bool {
    object.api_version().starts_with("kustomize.config.k8s.io/")
}

/// Sets the unit's labels and the common metadata, and puts the object into its applied shape.
pub(crate) fn normalize(object: &mut Object, owner: Option<&Owner>, common: &CommonMetadata) {
    if let Some(owner) = owner {
        set_text(object, "labels", OWNER_NAME, &owner.name);
        set_text(object, "labels", OWNER_NAMESPACE, &owner.namespace);
    }
    let gvk = object.gvk();
    if !(gvk.kind == "CustomResourceDefinition" && gvk.group == "apiextensions.k8s.io") {
        object.node.remove(&["status"]);
    }
    object.node.remove(&["metadata", "creationTimestamp"]);
    if holds_unsigned(&object.node) {
        as_json_reads(&mut object.node);
    }
    match (gvk.group.as_str(), gvk.kind.as_str()) {
        ("", "Secret") => encode_strings(&mut object.node),
        ("", "Service") => default_protocol(object.node.at_mut(&["spec", "ports"])),
        ("", "Pod") => pod(&mut object.node, &["spec"]),
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
        | ("batch", "Job")
        | ("", "ReplicationController") => pod(&mut object.node, &["spec", "template", "spec"]),
        ("batch", "CronJob") => pod(
            &mut object.node,
            &["spec", "jobTemplate", "spec", "template", "spec"],
        ),
        _ => {}
    }
    for (key, value) in &common.labels {
        set_text(object, "labels", key, value);
    }
    for (key, value) in &common.annotations {
        set_text(object, "annotations", key, value);
    }
}

/// Makes integers above the signed range what every reader of JSON in Kubernetes makes of them.
fn as_json_reads(node: &mut Node) {
    match node {
        Node::Uint(value) => *node = Node::Float(*value as f64),
        Node::List(items) => Arc::make_mut(items).iter_mut().for_each(as_json_reads),
        Node::Map(map) => map.iter_mut().for_each(|(_, value)| as_json_reads(value)),
        _ => {}
    }
}

fn holds_unsigned(node: &Node) -> bool {
    match node {
        Node::Uint(_) => true,
        Node::List(items) => items.iter().any(holds_unsigned),
        Node::Map(map) => map.values().any(holds_unsigned),
        _ => false,
    }
}

fn set_text(object: &mut Object, field: &str, key: &str, value: &str) {
    object.node.set(&["metadata", field, key], value);
}

fn pod(object: &mut Node, path: &[&str]) {
    let Some(containers) = object
        .at_mut(path)
        .and_then(|spec| spec.get_mut("containers"))
    else {
        return;
    };
    for container in containers.as_list_mut().into_iter().flatten() {
        default_protocol(container.get_mut("ports"));
    }
}

fn default_protocol(ports: Option<&mut Node>) {
    for port in ports.and_then(Node::as_list_mut).into_iter().flatten() {
        let Some(port) = port.as_map_mut() else {
            continue;
        };
        if port
            .get("protocol")
            .is_none_or(|protocol| protocol.is_null() || protocol.as_str() == Some(""))
        {
            port.insert("protocol", "TCP");
        }
    }
}

/// Moves the readable values of a Secret to the encoded ones.
fn encode_strings(secret: &mut Node) {
    let Some(Node::Map(strings)) = secret.remove(&["stringData"]) else {
        return;
    };
    if strings.is_empty() {
        return;
    }
    let mut data: Map = secret
        .get("data")
        .and_then(Node::as_map)
        .cloned()
        .unwrap_or_default();
    for (key, value) in strings.iter() {
        let text = value
            .as_str()
            .map_or_else(|| object::json::to_string(value), str::to_owned);
        data.insert(key.clone(), golang::base64::encode(text.as_bytes()));
    }
    secret.set(&["data"], data);
}
