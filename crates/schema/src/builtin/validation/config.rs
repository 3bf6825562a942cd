//! Rules of ConfigMaps, Secrets, Namespaces, Nodes and service accounts.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use object::{Node, json};

use super::{Errors, Fields, Rules, Seen, immutable, names};
use crate::field_error::{FieldError, Place};

pub(super) const RULES: &[Rules] = &[
    Rules {
        of: "core.v1.ConfigMap",
        object: config_map,
        update: config_map_update,
        update_first: true,
    },
    Rules {
        of: "core.v1.Secret",
        object: secret,
        update: secret_update,
        update_first: true,
    },
    Rules {
        of: "core.v1.Namespace",
        object: namespace,
        update: namespace_update,
        update_first: false,
    },
    Rules {
        of: "core.v1.Node",
        object: node,
        update: node_update,
        update_first: false,
    },
];

/// Bytes of all values of a ConfigMap or Secret.
const DATA_BYTES_MAX: usize = 1 << 20;

const FIXED: &str = "field is immutable when `immutable` is set";

fn config_map(errors: &mut Errors, map: &Node) {
    let mut bytes = 0;
    for (key, value) in map.entries("data") {
        let place = Place::ROOT.child("data");
        errors.invalid_each(&place.key(key), key, names::config_key(key));
        if map.sub("binaryData").get(key).is_some() {
            let text = "duplicate of key present in binaryData";
            errors.invalid(&place.key(key), key, text);
        }
        bytes += value.as_str().map_or(0, str::len);
    }
    for (key, value) in map.entries("binaryData") {
        let place = Place::ROOT.child("binaryData");
        errors.invalid_each(&place.key(key), key, names::config_key(key));
        bytes += decoded(value).len();
    }
    if bytes > DATA_BYTES_MAX {
        // Go prints a path of one empty name like this.
        errors.push(FieldError::too_long("[]", DATA_BYTES_MAX));
    }
}

fn decoded(value: &Node) -> Vec<u8> {
    STANDARD
        .decode(value.as_str().unwrap_or_default())
        .unwrap_or_default()
}

fn config_map_update(errors: &mut Errors, new: &Node, old: &Node) {
    frozen(errors, new, old, &["data", "binaryData"]);
}

/// What an object that was declared immutable may not change.
fn frozen(errors: &mut Errors, new: &Node, old: &Node, keys: &[&str]) {
    if !old.flag("immutable") {
        return;
    }
    if !new.flag("immutable") {
        errors.forbidden(&Place::ROOT.child("immutable"), FIXED);
    }
    for key in keys {
        if new.sub(key) != old.sub(key) {
            errors.forbidden(&Place::ROOT.child(key), FIXED);
        }
    }
}

fn secret(errors: &mut Errors, secret: &Node) {
    let place = Place::ROOT.child("data");
    let mut bytes = 0;
    for (key, value) in secret.entries("data") {
        errors.invalid_each(&place.key(key), key, names::config_key(key));
        bytes += decoded(value).len();
    }
    if bytes > DATA_BYTES_MAX {
        errors.push(FieldError::too_long(place, DATA_BYTES_MAX));
    }
    let data = secret.sub("data");
    let mut needs = |key: &str| {
        if data.get(key).is_none() {
            errors.required(&place.key(key), "");
        }
    };
    match secret.text("type") {
        "kubernetes.io/service-account-token" => {
            let key = "kubernetes.io/service-account.name";
            let annotations = secret.sub("metadata").sub("annotations");
            if annotations.text(key).is_empty() {
                let place = Place::ROOT.child("metadata.annotations");
                errors.required(&place.key(key), "");
            }
        }
        "kubernetes.io/dockercfg" => registry(errors, &place, data, ".dockercfg"),
        "kubernetes.io/dockerconfigjson" => registry(errors, &place, data, ".dockerconfigjson"),
        "kubernetes.io/basic-auth" => {
            let given = |key| data.get(key).is_some();
            if !given("username") && !given("password") {
                needs("username");
                needs("password");
            }
        }
        "kubernetes.io/ssh-auth" => needs("ssh-privatekey"),
        "kubernetes.io/tls" => {
            needs("tls.crt");
            needs("tls.key");
        }
        _ => {}
    }
}

fn registry(errors: &mut Errors, place: &Place<'_>, data: &Node, key: &str) {
    let Some(value) = data.get(key) else {
        return errors.required(&place.key(key), "");
    };
    let text = decoded(value);
    if json::parse(&text, json::OBJECT_LIMITS).is_err() {
        let complaint = match String::from_utf8_lossy(&text).trim() {
            "" | "{" | "[" => "unexpected end of JSON input".to_owned(),
            other => match other.chars().next() {
                Some(first) if !matches!(first, '{' | '[' | '"') => {
                    format!("invalid character '{first}' looking for beginning of value")
                }
                _ => "unexpected end of JSON input".to_owned(),
            },
        };
        errors.invalid(&place.key(key), "<secret contents redacted>", complaint);
    }
}

fn secret_update(errors: &mut Errors, new: &Node, old: &Node) {
    immutable(errors, &Place::ROOT, "type", new, old);
    frozen(errors, new, old, &["data"]);
}

fn namespace(errors: &mut Errors, namespace: &Node) {
    let place = Place::ROOT.child("spec.finalizers");
    for finalizer in namespace.sub("spec").items("finalizers") {
        let name = finalizer.as_str().unwrap_or_default();
        errors.invalid_each(&place, name, names::qualified(name));
        if !name.contains('/') && name != "kubernetes" {
            let text = "name is neither a standard finalizer name nor is it fully qualified";
            errors.invalid(&place, name, text);
        }
    }
}

fn namespace_update(errors: &mut Errors, new: &Node, _: &Node) {
    let phase = new.sub("status").text("phase");
    let deleting = new.sub("metadata").has("deletionTimestamp");
    let place = Place::ROOT.child("status.Phase");
    match (deleting, phase) {
        (false, phase) if phase != "Active" => {
            let text = "may only be 'Active' if `deletionTimestamp` is empty";
            errors.invalid(&place, phase, text);
        }
        (true, phase) if phase != "Terminating" => {
            let text = "may only be 'Terminating' if `deletionTimestamp` is not empty";
            errors.invalid(&place, phase, text);
        }
        _ => {}
    }
}

fn node(errors: &mut Errors, node: &Node) {
    let list = Place::ROOT.child("spec.taints");
    let taints = node.sub("spec").items("taints");
    let mut seen = Seen::default();
    for (at, taint) in taints.iter().enumerate() {
        let place = list.index(at);
        let key = taint.text("key");
        errors.invalid_each(&place.child("key"), key, names::qualified(key));
        let value = taint.text("value");
        errors.invalid_each(&place.child("value"), value, names::label_value(value));
        let effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
        errors.required_one_of(&place.child("effect"), taint.text("effect"), &effects);
        if seen.again((key, taint.text("effect"))) {
            errors.duplicate(&place, taint);
        }
    }
    let list = Place::ROOT.child("spec.podCIDRs");
    for (at, network) in node.sub("spec").items("podCIDRs").iter().enumerate() {
        let network = network.as_str().unwrap_or_default();
        errors.invalid_each(&list.index(at), network, names::cidr(network));
    }
}

fn node_update(errors: &mut Errors, new: &Node, old: &Node) {
    let (new, old) = (new.sub("spec"), old.sub("spec"));
    let fixed = [
        (
            "podCIDRs",
            "node updates may not change podCIDR except from \"\" to valid",
        ),
        (
            "providerID",
            "node updates may not change providerID except from \"\" to valid",
        ),
    ];
    for (key, text) in fixed {
        if old.has(key) && new.sub(key) != old.sub(key) {
            errors.forbidden(&Place::ROOT.child("spec").child(key), text);
        }
    }
}
