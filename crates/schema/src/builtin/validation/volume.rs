//! Rules of volumes in pods.

use std::collections::{BTreeMap, BTreeSet};

use object::Node;

use super::{Errors, Fields, environment, names};
use crate::field_error::Place;

/// Volumes by name; only those that are well-formed.
pub(super) struct Volumes<'a>(BTreeMap<&'a str, &'a Node>);

impl Volumes<'_> {
    pub(super) fn get(&self, name: &str) -> Option<&Node> {
        self.0.get(name).copied()
    }
}

/// Sources in the order they are looked at.
const SOURCES: [&str; 30] = [
    "emptyDir",
    "hostPath",
    "gitRepo",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "secret",
    "nfs",
    "iscsi",
    "glusterfs",
    "flocker",
    "persistentVolumeClaim",
    "rbd",
    "cinder",
    "cephfs",
    "quobyte",
    "downwardAPI",
    "fc",
    "flexVolume",
    "configMap",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "storageos",
    "projected",
    "scaleIO",
    "csi",
    "ephemeral",
    "image",
];

pub(super) fn check<'a>(
    errors: &mut Errors,
    place: &Place<'_>,
    spec: &'a Node,
    pod_name: &str,
) -> Volumes<'a> {
    let mut volumes = Volumes(BTreeMap::new());
    // Claims that come with the pod: named after it and the volume.
    let generated: BTreeSet<String> = match pod_name {
        "" => BTreeSet::new(),
        pod_name => spec
            .items("volumes")
            .iter()
            .filter(|volume| volume.has("ephemeral"))
            .map(|volume| format!("{pod_name}-{}", volume.text("name")))
            .collect(),
    };
    for (at, volume) in spec.items("volumes").iter().enumerate() {
        let place = place.index(at);
        let before = errors.len();
        source(errors, &place, volume);
        let name = volume.text("name");
        match name {
            "" => errors.required(&place.child("name"), ""),
            name => errors.invalid_each(&place.child("name"), name, names::label(name)),
        }
        if volumes.get(name).is_some() {
            errors.duplicate(&place.child("name"), name);
        }
        if errors.len() == before {
            volumes.0.insert(name, volume);
        }
        let claim = volume.sub("persistentVolumeClaim").text("claimName");
        if generated.contains(claim) {
            let text = "must not reference a PVC that gets created for an ephemeral volume";
            errors.invalid(&place.child("persistentVolumeClaim.claimName"), claim, text);
        }
    }
    volumes
}

fn source(errors: &mut Errors, place: &Place<'_>, volume: &Node) {
    let mut found = false;
    for key in SOURCES {
        if !volume.has(key) {
            continue;
        }
        if found {
            errors.forbidden(&place.child(key), "may not specify more than 1 volume type");
            continue;
        }
        found = true;
        one(errors, &place.child(key), volume.sub(key), key);
    }
    if !found {
        errors.required(place, "must specify a volume type");
    }
}

fn one(errors: &mut Errors, place: &Place<'_>, source: &Node, key: &str) {
    let needed: &[&str] = match key {
        "hostPath" => &["path"],
        "secret" => &["secretName"],
        "configMap" => &["name"],
        "nfs" => &["server", "path"],
        "persistentVolumeClaim" => &["claimName"],
        "csi" => &["driver"],
        "iscsi" => &["targetPortal", "iqn"],
        "glusterfs" => &["endpoints", "path"],
        "flexVolume" => &["driver"],
        "azureFile" => &["secretName", "shareName"],
        "image" => &["reference"],
        _ => &[],
    };
    for field in needed {
        if source.text(field).is_empty() {
            errors.required(&place.child(field), "");
        }
    }
    match key {
        "hostPath" => {
            if source.text("path").split('/').any(|part| part == "..") {
                errors.invalid(
                    &place.child("path"),
                    source.text("path"),
                    "must not contain '..'",
                );
            }
            let kinds = [
                "",
                "BlockDevice",
                "CharDevice",
                "Directory",
                "DirectoryOrCreate",
                "File",
                "FileOrCreate",
                "Socket",
            ];
            if source.has("type") {
                errors.one_of(&place.child("type"), source.text("type"), &kinds);
            }
        }
        "nfs" if !source.text("path").is_empty() && !source.text("path").starts_with('/') => {
            errors.invalid(
                &place.child("path"),
                source.text("path"),
                "must be an absolute path",
            );
        }
        "secret" | "configMap" => {
            mode(
                errors,
                &place.child("defaultMode"),
                source.int("defaultMode"),
            );
            key_paths(errors, &place.child("items"), source.items("items"));
        }
        "downwardAPI" => {
            mode(
                errors,
                &place.child("defaultMode"),
                source.int("defaultMode"),
            );
            files(errors, place, source.items("items"));
        }
        "projected" => projected(errors, place, source),
        "ephemeral" => {
            let template = source.sub("volumeClaimTemplate");
            match template.is_null() {
                true => errors.required(&place.child("volumeClaimTemplate"), ""),
                false => super::storage::claim_spec(
                    errors,
                    &place.child("volumeClaimTemplate.spec"),
                    template.sub("spec"),
                ),
            }
        }
        "emptyDir" => {
            let limit = source.sub("sizeLimit");
            if limit.as_str().is_some_and(|text| text.starts_with('-')) {
                let text = "SizeLimit field must be a valid resource quantity";
                errors.forbidden(&place.child("sizeLimit"), text);
            }
        }
        _ => {}
    }
}

fn mode(errors: &mut Errors, place: &Place<'_>, mode: Option<i64>) {
    if let Some(mode) = mode
        && !(0..=0o777).contains(&mode)
    {
        let text = "must be a number between 0 and 0777 (octal), both inclusive";
        errors.invalid(place, mode, text);
    }
}

fn key_paths(errors: &mut Errors, place: &Place<'_>, items: &[Node]) {
    for (at, item) in items.iter().enumerate() {
        // Upstream names the list here, not the item.
        let place_at = place.index(at);
        if item.text("key").is_empty() {
            errors.required(&place_at.child("key"), "");
        }
        path(errors, &place_at.child("path"), item.text("path"));
        mode(errors, &place_at.child("mode"), item.int("mode"));
    }
}

fn path(errors: &mut Errors, place: &Place<'_>, path: &str) {
    if path.is_empty() {
        return errors.required(place, "");
    }
    if path.starts_with('/') {
        errors.invalid(place, path, "must be a relative path");
    }
    if path.split('/').any(|part| part == "..") {
        errors.invalid(place, path, "must not contain '..'");
    } else if path.starts_with("..") {
        errors.invalid(place, path, "must not start with '..'");
    }
}

fn files(errors: &mut Errors, place: &Place<'_>, items: &[Node]) {
    const FIELDS: [&str; 5] = [
        "metadata.annotations",
        "metadata.labels",
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
    ];
    for file in items {
        path(errors, &place.child("path"), file.text("path"));
        if file.has("fieldRef") {
            environment::field_ref(
                errors,
                &place.child("fieldRef"),
                file.sub("fieldRef"),
                &FIELDS,
            );
            if file.has("resourceFieldRef") {
                let text = "fieldRef and resourceFieldRef can not be specified simultaneously";
                errors.invalid(place, "resource", text);
            }
        } else if !file.has("resourceFieldRef") {
            errors.required(place, "one of fieldRef and resourceFieldRef is required");
        }
        mode(errors, &place.child("mode"), file.int("mode"));
    }
}

fn projected(errors: &mut Errors, place: &Place<'_>, source: &Node) {
    mode(
        errors,
        &place.child("defaultMode"),
        source.int("defaultMode"),
    );
    let list = place.child("sources");
    for (at, source) in source.items("sources").iter().enumerate() {
        let place = list.index(at);
        let mut found = 0;
        for key in [
            "secret",
            "configMap",
            "downwardAPI",
            "serviceAccountToken",
            "clusterTrustBundle",
            "podCertificate",
        ] {
            if !source.has(key) {
                continue;
            }
            found += 1;
            if found > 1 {
                errors.forbidden(
                    &place.child(key),
                    "may not specify more than 1 volume type per source",
                );
                continue;
            }
            let (place, source) = (place.child(key), source.sub(key));
            match key {
                "secret" | "configMap" => {
                    if source.text("name").is_empty() {
                        errors.required(&place.child("name"), "");
                    }
                    key_paths(errors, &place.child("items"), source.items("items"));
                }
                "downwardAPI" => files(errors, &place, source.items("items")),
                "serviceAccountToken" => {
                    let seconds = source.number("expirationSeconds");
                    if seconds < 600 {
                        let text = "may not specify a duration less than 10 minutes";
                        errors.invalid(&place.child("expirationSeconds"), seconds, text);
                    }
                    if source.text("path").is_empty() {
                        errors.required(&place.child("path"), "");
                    }
                }
                _ => {}
            }
        }
        if found == 0 {
            errors.required(&place, "must specify a volume type");
        }
    }
}
