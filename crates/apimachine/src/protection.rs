//! Volumes and claims that are deleted go when nobody uses them any more.
//!
//! # Source
//! kubernetes/kubernetes `pkg/controller/volume/pvcprotection`, `pvprotection`.

use object::{Node, Text};

use crate::call::{finalizers, is_deleting, set_finalizers};
use crate::settle::Worklist;
use crate::{Event, Key, Writer};

pub(crate) const CLAIM: &str = "kubernetes.io/pvc-protection";
pub(crate) const VOLUME: &str = "kubernetes.io/pv-protection";

/// Looks at changed claims and volumes, and at those a changed pod or claim may have held.
pub(crate) fn react(writer: &mut Writer<'_>, worklist: &Worklist, events: &[Event]) {
    let held = |resource: &str| events.iter().any(|event| event.resource == resource);
    let mut look_at = |resource: &str, finalizer: &str, holders: &str| {
        let all: Vec<Key> = match held(holders) {
            true => writer
                .state()
                .list(resource, None)
                .map(|(key, _)| key.clone())
                .collect(),
            false => worklist
                .iter()
                .filter(|(one, _)| one == resource)
                .map(|(_, key)| key.clone())
                .collect(),
        };
        for key in all {
            release(writer, resource, &key, finalizer);
        }
    };
    look_at("persistentvolumeclaims", CLAIM, "pods");
    look_at("persistentvolumes", VOLUME, "persistentvolumeclaims");
}

fn release(writer: &mut Writer<'_>, resource: &str, key: &Key, finalizer: &str) {
    let Some(stored) = writer.state().get(resource, &key.namespace, &key.name) else {
        return;
    };
    let mut object = stored.node.clone();
    let names = finalizers(&object);
    let protected = names.iter().any(|name| name == finalizer);
    if !is_deleting(&object) || !protected {
        return;
    }
    let in_use = match resource {
        "persistentvolumes" => object.str_at(&["status", "phase"]) == Some("Bound"),
        _ => is_mounted(writer, key),
    };
    if in_use {
        return;
    }
    let kept: Vec<Text> = names.into_iter().filter(|name| name != finalizer).collect();
    set_finalizers(&mut object, &kept);
    // A refusal means that somebody else changed it: their event brings us back.
    let _ = writer.update(resource, object);
}

fn is_mounted(writer: &Writer<'_>, claim: &Key) -> bool {
    let mut pods = writer.state().list("pods", Some(&claim.namespace));
    pods.any(|(_, pod)| {
        let ended = matches!(
            pod.str_at(&["status", "phase"]),
            Some("Succeeded" | "Failed")
        );
        let scheduled = pod
            .str_at(&["spec", "nodeName"])
            .is_some_and(|node| !node.is_empty());
        let volumes = pod
            .at(&["spec", "volumes"])
            .and_then(Node::as_list)
            .unwrap_or_default();
        let named = |volume: &Node| {
            volume.str_at(&["persistentVolumeClaim", "claimName"]) == Some(claim.name.as_str())
        };
        scheduled && !ended && volumes.iter().any(named)
    })
}
