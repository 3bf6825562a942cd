//! Rules of environment variables, and of references to fields of the pod.

use object::Node;

use super::{Errors, Fields, names};
use crate::field_error::Place;

const ENV_FIELDS: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];
const POD_FIELDS: [&str; 14] = [
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.serviceAccountName",
    "spec.schedulerName",
    "status.phase",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

pub(super) fn variables(errors: &mut Errors, place: &Place<'_>, container: &Node) {
    let list = place.child("env");
    for (at, variable) in container.items("env").iter().enumerate() {
        let place = list.index(at);
        match variable.text("name") {
            "" => errors.required(&place.child("name"), ""),
            name => errors.invalid_each(&place.child("name"), name, names::variable(name)),
        }
        if variable.has("valueFrom") {
            let source = variable.sub("valueFrom");
            value_from(
                errors,
                &place.child("valueFrom"),
                source,
                variable.text("value"),
            );
        }
    }
    let list = place.child("envFrom");
    for (at, source) in container.items("envFrom").iter().enumerate() {
        let place = list.index(at);
        let prefix = source.text("prefix");
        if !prefix.is_empty() {
            errors.invalid_each(&place.child("prefix"), prefix, names::variable(prefix));
        }
        let mut sources = 0;
        for key in ["configMapRef", "secretRef"] {
            if source.has(key) {
                sources += 1;
                if source.sub(key).text("name").is_empty() {
                    errors.required(&place.child(key).child("name"), "");
                }
            }
        }
        match sources {
            0 => errors.invalid(
                &place,
                "",
                "must specify one of: `configMapRef` or `secretRef`",
            ),
            1 => {}
            _ => errors.invalid(
                &place,
                "",
                "may not have more than one field specified at a time",
            ),
        }
    }
}

fn value_from(errors: &mut Errors, place: &Place<'_>, source: &Node, value: &str) {
    let mut sources = 0;
    if source.has("fieldRef") {
        sources += 1;
        field_ref(
            errors,
            &place.child("fieldRef"),
            source.sub("fieldRef"),
            &ENV_FIELDS,
        );
    }
    if source.has("resourceFieldRef") {
        sources += 1;
        resource_field_ref(
            errors,
            &place.child("resourceFieldRef"),
            source.sub("resourceFieldRef"),
        );
    }
    for key in ["configMapKeyRef", "secretKeyRef"] {
        if source.has(key) {
            sources += 1;
            let (place, source) = (place.child(key), source.sub(key));
            if source.text("name").is_empty() {
                errors.required(&place.child("name"), "");
            }
            match source.text("key") {
                "" => errors.required(&place.child("key"), ""),
                name => errors.invalid_each(&place.child("key"), name, names::config_key(name)),
            }
        }
    }
    if source.has("fileKeyRef") {
        sources += 1;
    }
    let text = match sources {
        0 => {
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
        }
        _ if !value.is_empty() => "may not be specified when `value` is not empty",
        1 => return,
        _ => "may not have more than one field specified at a time",
    };
    errors.invalid(place, "", text);
}

/// A field of the pod, as environment variables and files may refer to it.
pub(super) fn field_ref(errors: &mut Errors, place: &Place<'_>, field: &Node, allowed: &[&str]) {
    let (api_version, path) = (field.text("apiVersion"), field.text("fieldPath"));
    if api_version.is_empty() {
        return errors.required(&place.child("apiVersion"), "");
    }
    if path.is_empty() {
        return errors.required(&place.child("fieldPath"), "");
    }
    if let Some((map, subscript)) = path
        .strip_suffix("']")
        .and_then(|path| path.split_once("['"))
    {
        let messages = match map {
            "metadata.labels" => names::qualified(subscript),
            "metadata.annotations" => names::qualified(&subscript.to_lowercase()),
            _ => {
                let text = format!("does not support subscript: {map}");
                return errors.invalid(&place.child("fieldPath"), path, text);
            }
        };
        return errors.invalid_each(place, subscript, messages);
    }
    if !POD_FIELDS.contains(&path) && path != "spec.host" {
        let text = format!("error converting fieldPath: field label not supported: {path}");
        return errors.invalid(&place.child("fieldPath"), path, text);
    }
    let mut allowed = allowed.to_vec();
    allowed.sort_unstable();
    errors.one_of(&place.child("fieldPath"), path, &allowed);
}

fn resource_field_ref(errors: &mut Errors, place: &Place<'_>, field: &Node) {
    let resource = field.text("resource");
    let known = [
        "limits.cpu",
        "limits.ephemeral-storage",
        "limits.memory",
        "requests.cpu",
        "requests.ephemeral-storage",
        "requests.memory",
    ];
    let huge =
        resource.starts_with("limits.hugepages-") || resource.starts_with("requests.hugepages-");
    match resource {
        "" => errors.required(&place.child("resource"), ""),
        _ if huge => {}
        resource => errors.one_of(&place.child("resource"), resource, &known),
    }
}
