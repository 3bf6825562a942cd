//! What kinds do to their objects before these are checked and stored.
//!
//! # Source
//! kubernetes/kubernetes `pkg/registry/*/*/strategy.go`.

use object::Node;
use schema::structural::crd;

use crate::builtin::traits;
use crate::call::{Call, Target};
use crate::{Refusal, pods, services};

/// Every namespace carries its name as a label, for selectors.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// How often the template of a DaemonSet has changed, kept for old controllers.
const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

/// Sets what the server decides when an object is created: generation, empty status, allocations.
///
/// What the object shares with `known` has its defaults already.
pub(crate) fn prepare_create(
    call: &mut Call<'_>,
    target: &Target<'_>,
    mut object: Node,
    known: &Node,
) -> Result<Node, Refusal> {
    let resource = target.resource;
    if traits(&resource.storage).generation {
        object.set(&["metadata", "generation"], 1);
    }
    if resource.has_status() {
        drop_status(target, &mut object, known);
    }
    match (resource.group.as_str(), resource.kind.as_str()) {
        ("", "Namespace") => {
            if finalizers_of(&object).is_empty() {
                object.set(&["spec", "finalizers"], Node::list(["kubernetes"]));
            }
            object.set(&["status"], Node::map());
            object.set(&["status", "phase"], "Active");
            let name = crate::call::meta(&object, "name").to_owned();
            object.set(&["metadata", "labels", NAME_LABEL], name);
        }
        ("", "Service") => {
            let name = crate::call::meta(&object, "name").to_owned();
            services::create(call, target, &mut object, &name)?;
        }
        ("", "Pod") => {
            object.set(&["status", "phase"], "Pending");
            let quality = pods::quality_of_service(&object);
            object.set(&["status", "qosClass"], quality);
        }
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            crd::record_storage_version(&mut object)
        }
        ("apps", "DaemonSet") => {
            object.set(&["metadata", "annotations", TEMPLATE_GENERATION], "1");
        }
        ("", "PersistentVolume") => {
            let now = call.now();
            object.set(&["status", "lastPhaseTransitionTime"], now);
        }
        ("batch", "Job") => job_selector(&mut object),
        _ => {}
    }
    Ok(object)
}

/// A Job selects its own pods by its uid, unless the client chose a selector.
fn job_selector(job: &mut Node) {
    if job.at(&["spec", "manualSelector"]).and_then(Node::as_bool) == Some(true) {
        return;
    }
    let uid = crate::call::meta(job, "uid").to_owned();
    let name = crate::call::meta(job, "name").to_owned();
    for (key, value) in [
        ("batch.kubernetes.io/controller-uid", &uid),
        ("controller-uid", &uid),
        ("batch.kubernetes.io/job-name", &name),
        ("job-name", &name),
    ] {
        job.set(&["metadata", "labels", key], value.as_str());
        job.set(
            &["spec", "template", "metadata", "labels", key],
            value.as_str(),
        );
    }
    let label = "batch.kubernetes.io/controller-uid";
    job.set(&["spec", "selector", "matchLabels", label], uid);
}

fn finalizers_of(namespace: &Node) -> Vec<Node> {
    let list = namespace
        .at(&["spec", "finalizers"])
        .and_then(Node::as_list);
    list.unwrap_or_default().to_vec()
}

fn drop_status(target: &Target<'_>, object: &mut Node, known: &Node) {
    let zero = target.resource.missing();
    match zero.get("status") {
        Some(status) => object.set(&["status"], status.clone()),
        None => {
            object.remove(&["status"]);
        }
    }
    target.resource.set_defaults_beside(object, Some(known));
}

/// Carries over from the live object what clients leave out, before owners are recorded.
pub(crate) fn before_update(
    call: &mut Call<'_>,
    target: &Target<'_>,
    object: &mut Node,
    live: &Node,
) -> Result<(), Refusal> {
    let _ = call;
    if target.resource.kind == "DaemonSet"
        && target.resource.group == "apps"
        && target.subresource.is_empty()
    {
        let key = ["metadata", "annotations", TEMPLATE_GENERATION];
        let before = live
            .str_at(&key)
            .and_then(|count| count.parse::<i64>().ok())
            .unwrap_or(1);
        let changed = object.at(&["spec", "template"]) != live.at(&["spec", "template"]);
        object.set(&key, (before + i64::from(changed)).to_string());
    }
    Ok(())
}

/// Fills what belongs to an object before owners are recorded, beyond its defaults.
pub(crate) fn before_create(target: &Target<'_>, object: &mut Node) {
    let resource = target.resource;
    if resource.kind == "DaemonSet" && resource.group == "apps" {
        object.set(&["metadata", "annotations", TEMPLATE_GENERATION], "0");
    }
}

/// Sets what the server decides when an object is replaced; `object` and `live` are in one version.
pub(crate) fn prepare_update(
    call: &mut Call<'_>,
    target: &Target<'_>,
    mut object: Node,
    live: &Node,
) -> Result<Node, Refusal> {
    let resource = target.resource;
    let traits = traits(&resource.storage);
    match target.subresource {
        "" | "scale" if resource.has_status() => keep(&mut object, live, "status"),
        "ephemeralcontainers" => {
            let mut kept = live.clone();
            if let Some(containers) = object.at(&["spec", "ephemeralContainers"]) {
                kept.set(&["spec", "ephemeralContainers"], containers.clone());
            }
            copy_managers(&object, &mut kept);
            object = kept;
        }
        "resize" => {
            let mut kept = live.clone();
            resize(&object, &mut kept);
            copy_managers(&object, &mut kept);
            object = kept;
        }
        "finalize" => {
            let mut kept = live.clone();
            match object.at(&["spec", "finalizers"]) {
                Some(finalizers) => kept.set(&["spec", "finalizers"], finalizers.clone()),
                None => {
                    kept.remove(&["spec", "finalizers"]);
                }
            }
            let metadata = object.get("metadata").cloned().unwrap_or_else(Node::map);
            kept.set(&["metadata"], metadata);
            object = kept;
        }
        "status" => {
            let mut kept = live.clone();
            match object.get("status") {
                Some(status) => kept.set(&["status"], status.clone()),
                None => {
                    kept.remove(&["status"]);
                }
            }
            let metadata = object.get("metadata").cloned().unwrap_or_else(Node::map);
            if resource.custom.is_some() {
                copy(&metadata, &mut kept, "managedFields");
            } else {
                kept.set(&["metadata"], metadata);
                if matches!(
                    resource.kind.as_str(),
                    "Deployment" | "DaemonSet" | "ReplicaSet" | "StatefulSet"
                ) {
                    let live_metadata = live.get("metadata").cloned().unwrap_or_else(Node::map);
                    copy(&live_metadata, &mut kept, "labels");
                }
            }
            object = kept;
        }
        _ => {}
    }
    if resource.storage == "services" && target.subresource.is_empty() {
        services::update(call, target, &mut object, live)?;
    }
    if resource.storage == "namespaces" && target.subresource.is_empty() {
        object.set(&["metadata", "labels", NAME_LABEL], target.name);
        keep(&mut object, live, "spec");
    }
    if resource.storage == crate::crds::STORAGE {
        crd::record_storage_version(&mut object);
    }
    if traits.generation && target.subresource != "status" {
        let changed = match resource.custom {
            Some(_) => {
                custom_payload(&object, resource.has_status())
                    != custom_payload(live, resource.has_status())
            }
            None => {
                traits
                    .payload
                    .iter()
                    .any(|key| object.get(key) != live.get(key))
                    || resource.kind == "EndpointSlice"
                        && object.at(&["metadata", "labels"]) != live.at(&["metadata", "labels"])
            }
        };
        if changed {
            let generation = live
                .at(&["metadata", "generation"])
                .and_then(Node::as_i64)
                .unwrap_or_default();
            object.set(&["metadata", "generation"], generation + 1);
        }
    }
    Ok(object)
}

/// Everything of a custom resource that counts as its wish.
fn custom_payload(object: &Node, has_status: bool) -> Node {
    let mut payload = object.clone();
    payload.remove(&["metadata"]);
    payload.remove(&["apiVersion"]);
    if has_status {
        payload.remove(&["status"]);
    }
    payload
}

fn copy_managers(object: &Node, kept: &mut Node) {
    if let Some(managers) = object.at(&["metadata", "managedFields"]) {
        kept.set(&["metadata", "managedFields"], managers.clone());
    }
}

/// Takes over the resources of containers by name, nothing else.
fn resize(object: &Node, kept: &mut Node) {
    for key in ["initContainers", "containers"] {
        let wished = object
            .at(&["spec", key])
            .and_then(Node::as_list)
            .unwrap_or_default();
        let containers = kept.at_mut(&["spec", key]).and_then(Node::as_list_mut);
        for container in containers.into_iter().flatten() {
            let name = container.str_at(&["name"]).map(str::to_owned);
            let wish = wished
                .iter()
                .find(|wish| wish.str_at(&["name"]).map(str::to_owned) == name);
            for key in ["resources", "resizePolicy"] {
                if let Some(value) = wish.and_then(|wish| wish.get(key)) {
                    container.set(&[key], value.clone());
                }
            }
        }
    }
}

fn keep(object: &mut Node, live: &Node, key: &str) {
    match live.get(key) {
        Some(value) => object.set(&[key], value.clone()),
        None => {
            object.remove(&[key]);
        }
    }
}

fn copy(metadata: &Node, to: &mut Node, key: &str) {
    match metadata.get(key) {
        Some(value) => to.set(&["metadata", key], value.clone()),
        None => {
            to.remove(&["metadata", key]);
        }
    }
}

/// What a kind notes down when its deletion begins.
pub(crate) fn begin_delete(target: &Target<'_>, object: &mut Node) {
    if target.resource.storage == crate::crds::STORAGE {
        crate::crds::begin_delete(object);
    }
}
