//! Rules of volumes, claims and storage classes.

use golang::quantity::Quantity;
use object::Node;

use super::fields::{amount, labels_value};
use super::{Errors, Fields, Rules, immutable, internal, names, scheduling, selector};
use crate::field_error::Place;

pub(super) const RULES: &[Rules] = &[
    Rules {
        of: "core.v1.PersistentVolumeClaim",
        object: claim,
        update: claim_update,
        update_first: false,
    },
    Rules {
        of: "core.v1.PersistentVolume",
        object: volume,
        update: volume_update,
        update_first: false,
    },
    Rules {
        of: "storage.v1.StorageClass",
        object: class,
        update: class_update,
        update_first: false,
    },
    Rules {
        of: "storage.v1.CSIDriver",
        object: driver,
        update: super::any_update,
        update_first: false,
    },
    Rules {
        of: "storage.v1.VolumeAttachment",
        object: attachment,
        update: attachment_update,
        update_first: false,
    },
];

const MODES: [&str; 4] = [
    "ReadOnlyMany",
    "ReadWriteMany",
    "ReadWriteOnce",
    "ReadWriteOncePod",
];

fn claim(errors: &mut Errors, claim: &Node) {
    claim_spec(errors, &Place::ROOT.child("spec"), claim.sub("spec"));
}

/// Checks the wish for a volume, also inside templates.
pub(super) fn claim_spec(errors: &mut Errors, place: &Place<'_>, spec: &Node) {
    let modes = spec.items("accessModes");
    if modes.is_empty() {
        errors.required(
            &place.child("accessModes"),
            "at least 1 access mode is required",
        );
    }
    if spec.has("selector") {
        selector::check(errors, &place.child("selector"), spec.sub("selector"));
    }
    access_modes(errors, &place.child("accessModes"), modes);
    let storage = spec.sub("resources").sub("requests").get("storage");
    let at = place.child("resources");
    match storage {
        None => errors.required(&at.key("storage"), ""),
        Some(storage) => positive(errors, &at.key("storage"), storage),
    }
    let class = spec.text("storageClassName");
    if !class.is_empty() {
        errors.invalid_each(
            &place.child("storageClassName"),
            class,
            names::subdomain(class),
        );
    }
    let kinds = ["Block", "Filesystem"];
    errors.optional_one_of(&place.child("volumeMode"), spec.text("volumeMode"), &kinds);
    for key in ["dataSource", "dataSourceRef"] {
        let (place, source) = (place.child(key), spec.sub(key));
        if source.is_null() {
            continue;
        }
        for key in ["name", "kind"] {
            if source.text(key).is_empty() {
                errors.required(&place.child(key), "");
            }
        }
        if source.text("apiGroup").is_empty()
            && !matches!(source.text("kind"), "PersistentVolumeClaim" | "")
        {
            let text = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
            errors.invalid(&place, source.text("kind"), text);
        }
    }
}

fn access_modes(errors: &mut Errors, place: &Place<'_>, modes: &[Node]) {
    let mut alone = false;
    for mode in modes {
        let mode = mode.as_str().unwrap_or_default();
        errors.one_of(place, mode, &MODES);
        alone |= mode == "ReadWriteOncePod";
    }
    if alone && modes.len() > 1 {
        let text = "may not use ReadWriteOncePod with other access modes";
        errors.forbidden(place, text);
    }
}

fn positive(errors: &mut Errors, place: &Place<'_>, value: &Node) {
    if amount(value) <= Quantity::ZERO {
        errors.invalid(place, value, "must be greater than zero");
    }
}

fn claim_update(errors: &mut Errors, new: &Node, old: &Node) {
    let place = Place::ROOT.child("spec");
    let bound = old.sub("status").text("phase") == "Bound";
    let (spec, before) = (new.sub("spec"), old.sub("spec"));
    // Binding fills in the volume once; a claim without class may get one before that.
    let mut comparable = before.clone();
    if before.text("volumeName").is_empty() {
        copy(&mut comparable, spec, &["volumeName"]);
    }
    let gets_class = !before.has("storageClassName") && spec.has("storageClassName");
    if gets_class {
        copy(&mut comparable, spec, &["storageClassName"]);
    }
    if bound {
        copy(&mut comparable, spec, &["resources", "requests"]);
        copy(&mut comparable, spec, &["volumeAttributesClassName"]);
    }
    if comparable != *spec {
        let text = format!(
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n{}",
            internal::diff(&comparable, spec, "core.v1.PersistentVolumeClaimSpec")
        );
        errors.forbidden(&place, text);
    }
    let size = |node: &Node| node.get("storage").map(amount);
    let wanted = size(spec.sub("resources").sub("requests"));
    let capacity = size(old.sub("status").sub("capacity")).unwrap_or(Quantity::ZERO);
    let asked = size(before.sub("resources").sub("requests"));
    if let (Some(wanted), Some(asked)) = (wanted, asked)
        && wanted < asked
        && wanted <= capacity
    {
        let text = "field can not be less than status.capacity";
        errors.forbidden(&place.child("resources.requests.storage"), text);
    }
    immutable(errors, &Place::ROOT, "volumeMode", spec, before);
}

fn copy(to: &mut Node, from: &Node, keys: &[&str]) {
    match from.at(keys) {
        Some(value) => to.set(keys, value.clone()),
        None => {
            to.remove(keys);
        }
    }
}

const SOURCES: [&str; 22] = [
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "hostPath",
    "glusterfs",
    "nfs",
    "rbd",
    "iscsi",
    "cinder",
    "cephfs",
    "fc",
    "flocker",
    "flexVolume",
    "azureFile",
    "vsphereVolume",
    "quobyte",
    "azureDisk",
    "photonPersistentDisk",
    "portworxVolume",
    "scaleIO",
    "local",
    "storageos",
    "csi",
];

fn volume(errors: &mut Errors, volume: &Node) {
    let (place, spec) = (Place::ROOT.child("spec"), volume.sub("spec"));
    let modes = spec.items("accessModes");
    if modes.is_empty() {
        errors.required(&place.child("accessModes"), "");
    }
    access_modes(errors, &place.child("accessModes"), modes);
    let capacity = spec.entries("capacity");
    if capacity.is_empty() {
        errors.required(&place.child("capacity"), "");
    }
    if capacity.len() != 1 || capacity[0].0 != "storage" {
        let supported = ["storage"];
        let shown = spec.sub("capacity");
        errors.push(crate::FieldError::not_supported(
            place.child("capacity"),
            shown,
            supported,
        ));
    }
    for (name, value) in capacity {
        let place = place.child("capacity");
        positive(errors, &place.key(name), value);
    }
    let policies = ["Delete", "Recycle", "Retain"];
    let policy = spec.text("persistentVolumeReclaimPolicy");
    errors.optional_one_of(
        &place.child("persistentVolumeReclaimPolicy"),
        policy,
        &policies,
    );
    let mut found = 0;
    for key in SOURCES.into_iter().filter(|key| spec.has(key)) {
        found += 1;
        let at = place.child(key);
        if found > 1 {
            errors.forbidden(&at, "may not specify more than 1 volume type");
        }
        let source = spec.sub(key);
        let needed: &[&str] = match key {
            "hostPath" | "local" => &["path"],
            "nfs" => &["server", "path"],
            "csi" => &["driver", "volumeHandle"],
            _ => &[],
        };
        for field in needed {
            if source.text(field).is_empty() {
                errors.required(&at.child(field), "");
            }
        }
        if key == "local" && !spec.has("nodeAffinity") {
            errors.required(
                &place.child("nodeAffinity"),
                "Local volume requires node affinity",
            );
        }
    }
    if found == 0 {
        errors.required(&place, "must specify a volume type");
    }
    let class = spec.text("storageClassName");
    if !class.is_empty() {
        errors.invalid_each(
            &place.child("storageClassName"),
            class,
            names::subdomain(class),
        );
    }
    let kinds = ["Block", "Filesystem"];
    errors.optional_one_of(&place.child("volumeMode"), spec.text("volumeMode"), &kinds);
    if spec.has("nodeAffinity") {
        let at = place.child("nodeAffinity");
        let affinity = spec.sub("nodeAffinity");
        match affinity.has("required") {
            true => {
                scheduling::node_selector(errors, &at.child("required"), affinity.sub("required"))
            }
            false => errors.required(
                &at.child("required"),
                "must specify required node constraints",
            ),
        }
    }
}

fn volume_update(errors: &mut Errors, new: &Node, old: &Node) {
    let (new, old) = (new.sub("spec"), old.sub("spec"));
    let source = |spec: &Node| {
        let mut source = Node::map();
        for key in SOURCES.into_iter().filter(|key| spec.has(key)) {
            source.set(&[key], spec.sub(key).clone());
        }
        source
    };
    let (new_source, old_source) = (source(new), source(old));
    if new_source != old_source {
        let text = format!(
            "spec.persistentvolumesource is immutable after creation\n{}",
            internal::diff(&old_source, &new_source, "core.v1.PersistentVolumeSource")
        );
        errors.forbidden(&Place::ROOT.child("spec.persistentvolumesource"), text);
    }
    if new.sub("volumeMode") != old.sub("volumeMode") {
        errors.invalid(
            &Place::ROOT.child("volumeMode"),
            new.sub("volumeMode"),
            "field is immutable",
        );
    }
    if old.has("nodeAffinity") && new.sub("nodeAffinity") != old.sub("nodeAffinity") {
        let text = "field is immutable, except for updating from beta label to GA";
        let shown = internal::value(new.sub("nodeAffinity"), "core.v1.VolumeNodeAffinity");
        errors.invalid(&Place::ROOT.child("nodeAffinity"), shown, text);
    }
}

fn class(errors: &mut Errors, class: &Node) {
    let provisioner = class.text("provisioner");
    match provisioner {
        "" => errors.required(&Place::ROOT.child("provisioner"), provisioner),
        provisioner => {
            let messages = names::qualified(&provisioner.to_lowercase());
            errors.invalid_each(&Place::ROOT.child("provisioner"), provisioner, messages);
        }
    }
    for (key, _) in class.entries("parameters") {
        if key.is_empty() {
            let text = "field can not be empty.";
            errors.invalid(&Place::ROOT.child("parameters"), key, text);
        }
    }
    let policies = ["Delete", "Retain"];
    errors.optional_one_of(
        &Place::ROOT.child("reclaimPolicy"),
        class.text("reclaimPolicy"),
        &policies,
    );
    let place = Place::ROOT.child("volumeBindingMode");
    let modes = ["Immediate", "WaitForFirstConsumer"];
    errors.required_one_of(&place, class.text("volumeBindingMode"), &modes);
}

fn class_update(errors: &mut Errors, new: &Node, old: &Node) {
    let parameters = new.sub("parameters");
    if parameters != old.sub("parameters") {
        let shown = labels_value(parameters);
        errors.invalid(
            &Place::ROOT.child("parameters"),
            shown,
            "field is immutable",
        );
    }
    for key in ["provisioner", "reclaimPolicy", "volumeBindingMode"] {
        immutable(errors, &Place::ROOT, key, new, old);
    }
}

fn driver(errors: &mut Errors, driver: &Node) {
    let spec = driver.sub("spec");
    let list = Place::ROOT.child("spec.volumeLifecycleModes");
    for (at, mode) in spec.items("volumeLifecycleModes").iter().enumerate() {
        let mode = mode.as_str().unwrap_or_default();
        errors.one_of(&list.index(at), mode, &["Ephemeral", "Persistent"]);
    }
}

fn attachment(errors: &mut Errors, attachment: &Node) {
    let (place, spec) = (Place::ROOT.child("spec"), attachment.sub("spec"));
    for key in ["attacher", "nodeName"] {
        if spec.text(key).is_empty() {
            errors.required(&place.child(key), "");
        }
    }
    let source = spec.sub("source");
    if source.has("inlineVolumeSpec") == source.has("persistentVolumeName") {
        match source.has("persistentVolumeName") {
            true => {
                let text = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
                errors.forbidden(&place.child("source"), text);
            }
            false => errors.required(
                &place.child("source"),
                "must specify exactly one of inlineVolumeSpec and persistentVolumeName",
            ),
        }
    }
}

fn attachment_update(errors: &mut Errors, new: &Node, old: &Node) {
    immutable(errors, &Place::ROOT, "spec", new, old);
}
