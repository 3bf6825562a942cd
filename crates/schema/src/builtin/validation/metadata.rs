//! Rules of metadata, for every kind.

use object::Node;

use super::names;
use super::{Errors, Fields, selector};
use crate::builtin::kinds::{Kind, NameRule};
use crate::field_error::Place;

/// Bytes all annotations of an object may have together.
const ANNOTATIONS_BYTES_MAX: usize = 256 << 10;

/// Bytes of a field manager's name.
const MANAGER_BYTES_MAX: usize = 128;

pub(super) fn check(errors: &mut Errors, kind: &Kind, node: &Node) {
    check_parts(errors, kind.namespaced, kind.name_rule, node);
    unqualified_finalizers(errors, node);
    if kind.kind == "CronJob" {
        // Eleven characters are added for the jobs it starts.
        let name = node.sub("metadata").text("name");
        if name.len() > 52 && name.len() <= names::SUBDOMAIN_BYTES_MAX {
            let place = Place::ROOT.child("metadata.name");
            errors.invalid(&place, name, "must be no more than 52 characters");
        }
    }
}

pub(super) fn check_parts(errors: &mut Errors, namespaced: bool, rule: NameRule, node: &Node) {
    let metadata = node.sub("metadata");
    let place = Place::ROOT.child("metadata");
    if rule == NameRule::Free {
        return;
    }
    let generate = metadata.text("generateName");
    if !generate.is_empty() {
        // The generated part follows a trailing dash.
        let masked = match generate.strip_suffix('-') {
            Some(prefix) if generate.len() > 1 => format!("{prefix}a"),
            _ => generate.to_owned(),
        };
        let messages = name_messages(rule, &masked);
        errors.invalid_each(&place.child("generateName"), generate, messages);
    }
    match metadata.text("name") {
        "" => errors.required(&place.child("name"), "name or generateName is required"),
        name => errors.invalid_each(&place.child("name"), name, name_messages(rule, name)),
    }
    let namespace = metadata.text("namespace");
    match (namespaced, namespace) {
        (true, "") => errors.required(&place.child("namespace"), ""),
        (true, name) => errors.invalid_each(&place.child("namespace"), name, names::label(name)),
        (false, "") => {}
        (false, _) => errors.forbidden(&place.child("namespace"), "not allowed on this type"),
    }
    errors.not_negative(&place.child("generation"), metadata.int("generation"));
    common(errors, metadata, &place);
    finalizers(errors, metadata, &place);
    managed_fields(errors, metadata, &place);
}

fn name_messages(rule: NameRule, name: &str) -> Vec<String> {
    match rule {
        NameRule::Subdomain => names::subdomain(name),
        NameRule::Label | NameRule::ServiceLabel => names::label(name),
        NameRule::PathSegment => names::path_segment(name),
        NameRule::Free => Vec::new(),
    }
}

/// What holds on creation and on update alike.
fn common(errors: &mut Errors, metadata: &Node, place: &Place<'_>) {
    selector::labels(errors, &place.child("labels"), metadata.sub("labels"));
    annotations(
        errors,
        &place.child("annotations"),
        metadata.sub("annotations"),
    );
    owners(errors, metadata, place);
}

pub(super) fn annotations(errors: &mut Errors, place: &Place<'_>, annotations: &Node) {
    let mut bytes = 0;
    for (key, value) in annotations.as_map().into_iter().flat_map(|map| map.iter()) {
        errors.invalid_each(place, key, names::qualified(&key.to_lowercase()));
        bytes += key.len() + value.as_str().map_or(0, str::len);
    }
    if bytes > ANNOTATIONS_BYTES_MAX {
        errors.push(crate::FieldError::too_long(place, ANNOTATIONS_BYTES_MAX));
    }
}

fn owners(errors: &mut Errors, metadata: &Node, place: &Place<'_>) {
    let place = place.child("ownerReferences");
    let mut controller: Option<String> = None;
    for owner in metadata.items("ownerReferences") {
        let api_version = owner.text("apiVersion");
        if api_version.rsplit('/').next().is_none_or(str::is_empty) {
            let at = place.child("apiVersion");
            errors.invalid(&at, api_version, "version must not be empty");
        }
        for key in ["kind", "name", "uid"] {
            if owner.text(key).is_empty() {
                errors.invalid(&place.child(key), "", "must not be empty");
            }
        }
        if (api_version, owner.text("kind")) == ("v1", "Event") {
            let text = "/v1, Kind=Event is disallowed from being an owner";
            errors.invalid(&place, owner, text);
        }
        if owner.flag("controller") {
            let name = format!("{}/{}", owner.text("kind"), owner.text("name"));
            match &controller {
                Some(first) => {
                    let text = format!(
                        "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {name}"
                    );
                    errors.invalid(&place, metadata.sub("ownerReferences"), text);
                }
                None => controller = Some(name),
            }
        }
    }
}

fn finalizers(errors: &mut Errors, metadata: &Node, place: &Place<'_>) {
    let place = place.child("finalizers");
    let list = metadata.items("finalizers");
    for finalizer in list {
        let name = finalizer.as_str().unwrap_or_default();
        errors.invalid_each(&place, name, names::qualified(name));
    }
    let has = |wanted| list.iter().any(|name| name.as_str() == Some(wanted));
    if has("orphan") && has("foregroundDeletion") {
        let text = "finalizer orphan and foregroundDeletion cannot be both set";
        errors.invalid(&place, metadata.sub("finalizers"), text);
    }
}

/// Names without a domain are reserved for the API's own finalizers; custom resources only warn.
pub(super) fn unqualified_finalizers(errors: &mut Errors, node: &Node) {
    let metadata = node.sub("metadata");
    let place = Place::ROOT.child("metadata.finalizers");
    for (at, finalizer) in metadata.items("finalizers").iter().enumerate() {
        let name = finalizer.as_str().unwrap_or_default();
        let standard = matches!(name, "kubernetes" | "orphan" | "foregroundDeletion");
        if !name.contains('/') && !standard {
            let text = "name is neither a standard finalizer name nor is it fully qualified";
            errors.invalid(&place.index(at), name, text);
        }
    }
}

fn managed_fields(errors: &mut Errors, metadata: &Node, place: &Place<'_>) {
    let place = place.child("managedFields");
    for (at, entry) in metadata.items("managedFields").iter().enumerate() {
        let place = place.index(at);
        if !matches!(entry.text("operation"), "Apply" | "Update") {
            let text = "must be `Apply` or `Update`";
            errors.invalid(&place.child("operation"), entry.text("operation"), text);
        }
        if !matches!(entry.text("fieldsType"), "FieldsV1" | "") {
            let text = "must be `FieldsV1`";
            errors.invalid(&place.child("fieldsType"), entry.text("fieldsType"), text);
        }
        if entry.text("manager").len() > MANAGER_BYTES_MAX {
            let place = place.child("manager");
            errors.push(crate::FieldError::too_long(place, MANAGER_BYTES_MAX));
        }
        if entry.text("subresource").len() > 256 {
            errors.push(crate::FieldError::too_long(place.child("subresource"), 256));
        }
    }
}

pub(super) fn check_update(errors: &mut Errors, new: &Node, old: &Node) {
    let place = Place::ROOT.child("metadata");
    let (new, old) = (new.sub("metadata"), old.sub("metadata"));
    if old.has("deletionTimestamp") {
        let known = old.items("finalizers");
        let mut added: Vec<&str> = new
            .items("finalizers")
            .iter()
            .filter(|name| !known.contains(name))
            .filter_map(Node::as_str)
            .collect();
        added.sort_unstable();
        added.dedup();
        if !added.is_empty() {
            let quoted: Vec<_> = added.iter().map(|name| format!("{name:?}")).collect();
            let text = format!(
                "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                quoted.join(", ")
            );
            errors.forbidden(&place.child("finalizers"), text);
        }
    }
    if new.number("generation") < old.number("generation") {
        let at = place.child("generation");
        errors.invalid(&at, new.number("generation"), "must not be decremented");
    }
    for key in [
        "name",
        "namespace",
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    ] {
        super::immutable(errors, &place, key, new, old);
    }
    common(errors, new, &place);
    managed_fields(errors, new, &place);
}
