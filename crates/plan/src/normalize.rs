//! Bringing built objects into the form in which they are applied.
//!
//! # Source
//! fluxcd/pkg `ssa/normalize/normalize.go`, `ssa/utils/meta.go`; owner labels:
//! fluxcd/pkg `ssa/manager.go`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use object::{Map, Node, Object, Text};

use crate::Owner;

/// Labels and annotations that every object of a unit gets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Labels, over those the object has.
    pub labels: Vec<(Text, Text)>,
    /// Annotations, over those the object has.
    pub annotations: Vec<(Text, Text)>,
}

/// Normalizes an object before it is planned.
///
/// Common labels and annotations and the owner's labels are set; ports without a protocol become
/// TCP, which the key of a port needs; `stringData` of a Secret moves into `data`; `status` goes,
/// except that of a CustomResourceDefinition; an unusable `caBundle` of its conversion webhook
/// goes. `metadata.creationTimestamp` is left out, where Flux sends null: a server treats both
/// alike.
pub fn normalize(object: &mut Object, owner: &Owner, common: &Metadata) {
    let fields = [
        ("labels", &common.labels),
        ("annotations", &common.annotations),
    ];
    for (field, entries) in fields {
        for (key, value) in entries {
            object.node.set(&["metadata", field, key], value.clone());
        }
    }
    owner.mark(object);
    object.node.remove(&["metadata", "creationTimestamp"]);
    let gvk = object.gvk();
    let node = &mut object.node;
    match (gvk.group.as_str(), gvk.kind.as_str()) {
        ("", "Pod") => default_protocols(node.at_mut(&["spec"])),
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet") | ("batch", "Job") => {
            default_protocols(node.at_mut(&["spec", "template", "spec"]));
        }
        ("batch", "CronJob") => {
            let pod = ["spec", "jobTemplate", "spec", "template", "spec"];
            default_protocols(node.at_mut(&pod));
        }
        ("", "Service") => default_ports(node.at_mut(&["spec", "ports"])),
        ("", "Secret") => merge_string_data(node),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            remove_bad_bundle(node);
            return;
        }
        _ => {}
    }
    if node.get("status").is_some() {
        node.remove(&["status"]);
    }
}

fn default_protocols(pod: Option<&mut Node>) {
    let containers = pod.and_then(|pod| pod.at_mut(&["containers"])?.as_list_mut());
    for container in containers.into_iter().flatten() {
        default_ports(container.at_mut(&["ports"]));
    }
}

fn default_ports(ports: Option<&mut Node>) {
    let lacks = |port: &Node| {
        let protocol = port.get("protocol");
        port.as_map().is_some()
            && protocol.is_none_or(|value| matches!(value.as_str(), None | Some("")))
    };
    let Some(ports) = ports else {
        return;
    };
    if !ports.as_list().is_some_and(|ports| ports.iter().any(lacks)) {
        return;
    }
    for port in ports.as_list_mut().into_iter().flatten() {
        if lacks(port) {
            port.set(&["protocol"], "TCP");
        }
    }
}

fn merge_string_data(secret: &mut Node) {
    let Some(Node::Map(plain)) = secret.remove(&["stringData"]) else {
        return;
    };
    let mut data = match secret.remove(&["data"]) {
        Some(Node::Map(data)) => data,
        _ => Map::new(),
    };
    for (key, value) in plain.iter() {
        if let Some(text) = value.as_str() {
            data.insert(key.clone(), STANDARD.encode(text));
        }
    }
    secret.set(&["data"], data);
}

/// A certificate bundle that holds no certificate makes the server refuse the whole definition;
/// injectors fill it in later.
fn remove_bad_bundle(definition: &mut Node) {
    let client = ["spec", "conversion", "webhook", "clientConfig"];
    let bundle = definition
        .at(&client)
        .and_then(|config| config.get("caBundle"));
    const HEADER: &str = "-----BEGIN CERTIFICATE";
    let usable = bundle.and_then(Node::as_str).is_some_and(|text| {
        let decoded = STANDARD.decode(text.trim());
        decoded.is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(HEADER))
    });
    if bundle.is_some() && !usable {
        let [a, b, c, d] = client;
        definition.remove(&[a, b, c, d, "caBundle"]);
    }
}
