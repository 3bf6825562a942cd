//! Rules of containers.

use std::collections::BTreeSet;

use object::Node;

use super::fields::amount;
use super::internal::{self, Member};
use super::volume::Volumes;
use super::{Errors, Fields, Seen, environment, handlers, names};
use crate::field_error::{FieldError, Place};

const SECURITY_CONTEXT: &[Member] = &[
    ("Capabilities", "capabilities", "null"),
    ("Privileged", "privileged", "null"),
    ("SELinuxOptions", "seLinuxOptions", "null"),
    ("WindowsOptions", "windowsOptions", "null"),
    ("RunAsUser", "runAsUser", "null"),
    ("RunAsGroup", "runAsGroup", "null"),
    ("RunAsNonRoot", "runAsNonRoot", "null"),
    ("ReadOnlyRootFilesystem", "readOnlyRootFilesystem", "null"),
    (
        "AllowPrivilegeEscalation",
        "allowPrivilegeEscalation",
        "null",
    ),
    ("ProcMount", "procMount", "null"),
    ("SeccompProfile", "seccompProfile", "null"),
    ("AppArmorProfile", "appArmorProfile", "null"),
];

/// Checks all containers of a pod.
pub(super) fn check_all(
    errors: &mut Errors,
    place: &Place<'_>,
    spec: &Node,
    volumes: &Volumes<'_>,
) {
    let containers = spec.items("containers");
    let list = place.child("containers");
    if containers.is_empty() {
        errors.required(&list, "");
    }
    let mut seen = Seen::default();
    for (at, container) in containers.iter().enumerate() {
        let place = list.index(at);
        check(errors, &place, container, spec, volumes);
        let name = container.text("name");
        if seen.again(name) {
            errors.duplicate(&place.child("name"), name);
        }
        handlers::handlers(errors, &place, container);
    }
    host_ports(errors, &list, containers);
    let list = place.child("initContainers");
    for (at, container) in spec.items("initContainers").iter().enumerate() {
        let place = list.index(at);
        check(errors, &place, container, spec, volumes);
        let name = container.text("name");
        if seen.again(name) {
            errors.duplicate(&place.child("name"), name);
        }
        host_ports(errors, &list, std::slice::from_ref(container));
        match container.text("restartPolicy") == "Always" {
            true => handlers::handlers(errors, &place, container),
            false => {
                for key in [
                    "lifecycle",
                    "livenessProbe",
                    "readinessProbe",
                    "startupProbe",
                ] {
                    if container.has(key) {
                        let text =
                            "may not be set for init containers without restartPolicy=Always";
                        errors.forbidden(&place.child(key), text);
                    }
                }
            }
        }
    }
    let list = place.child("ephemeralContainers");
    for (at, container) in spec.items("ephemeralContainers").iter().enumerate() {
        let place = list.index(at);
        check(errors, &place, container, spec, volumes);
        let name = container.text("name");
        if seen.again(name) {
            errors.duplicate(&place.child("name"), name);
        }
        let forbidden = [
            "ports",
            "livenessProbe",
            "readinessProbe",
            "startupProbe",
            "lifecycle",
            "resizePolicy",
        ];
        for key in forbidden {
            if container.has(key) {
                let text = "cannot be set for an Ephemeral Container";
                errors.forbidden(&place.child(key), text);
            }
        }
    }
}

/// What holds for containers of every kind.
fn check(
    errors: &mut Errors,
    place: &Place<'_>,
    container: &Node,
    spec: &Node,
    volumes: &Volumes<'_>,
) {
    match container.text("name") {
        "" => errors.required(&place.child("name"), ""),
        name => errors.invalid_each(&place.child("name"), name, names::label(name)),
    }
    if container.text("image").is_empty() {
        errors.required(&place.child("image"), "");
    }
    let policies = ["File", "FallbackToLogsOnError"];
    let policy = container.text("terminationMessagePolicy");
    errors.required_one_of(&place.child("terminationMessagePolicy"), policy, &policies);
    ports(errors, &place.child("ports"), container);
    environment::variables(errors, place, container);
    mounts(errors, place, container, volumes);
    let policies = ["Always", "IfNotPresent", "Never"];
    let policy = container.text("imagePullPolicy");
    errors.required_one_of(&place.child("imagePullPolicy"), policy, &policies);
    resources(
        errors,
        &place.child("resources"),
        container.sub("resources"),
        spec,
    );
    security_context(
        errors,
        &place.child("securityContext"),
        container.sub("securityContext"),
    );
}

fn ports(errors: &mut Errors, place: &Place<'_>, container: &Node) {
    let mut seen = Seen::default();
    for (at, port) in container.items("ports").iter().enumerate() {
        let place = place.index(at);
        let name = port.text("name");
        if !name.is_empty() {
            let messages = names::port_name(name);
            if messages.is_empty() && seen.again(name) {
                errors.duplicate(&place.child("name"), name);
            }
            errors.invalid_each(&place.child("name"), name, messages);
        }
        match port.number("containerPort") {
            0 => errors.required(&place.child("containerPort"), ""),
            number => errors.port(&place.child("containerPort"), number),
        }
        if port.number("hostPort") != 0 {
            errors.port(&place.child("hostPort"), port.number("hostPort"));
        }
        let protocol = port.text("protocol");
        errors.required_one_of(&place.child("protocol"), protocol, &["SCTP", "TCP", "UDP"]);
    }
}

/// Refuses two containers on one port of the node.
fn host_ports(errors: &mut Errors, place: &Place<'_>, containers: &[Node]) {
    let mut taken = Seen::default();
    for (at, container) in containers.iter().enumerate() {
        let container_place = place.index(at);
        let ports = container_place.child("ports");
        for (at, port) in container.items("ports").iter().enumerate() {
            let number = port.number("hostPort");
            if number == 0 {
                continue;
            }
            let key = (port.text("protocol"), port.text("hostIP"), number);
            if taken.again(key) {
                let value = format!("{}/{}/{}", key.0, key.1, key.2);
                errors.duplicate(&ports.index(at).child("hostPort"), value);
            }
        }
    }
}

fn mounts(errors: &mut Errors, place: &Place<'_>, container: &Node, volumes: &Volumes<'_>) {
    let list = place.child("volumeMounts");
    let devices = container.items("volumeDevices");
    let mut paths = Seen::default();
    let device_names: BTreeSet<&str> = devices.iter().map(|device| device.text("name")).collect();
    for (at, mount) in container.items("volumeMounts").iter().enumerate() {
        let place = list.index(at);
        let (name, path) = (mount.text("name"), mount.text("mountPath"));
        if name.is_empty() {
            errors.required(&place.child("name"), "");
        }
        if volumes.get(name).is_none() {
            errors.push(FieldError::not_found(place.child("name"), name));
        }
        if path.is_empty() {
            errors.required(&place.child("mountPath"), "");
        }
        if paths.again(path) {
            errors.invalid(&place.child("mountPath"), path, "must be unique");
        }
        if device_names.contains(name) {
            errors.invalid(
                &place.child("name"),
                name,
                "must not already exist in volumeDevices",
            );
        }
        for key in ["subPath", "subPathExpr"] {
            let below = mount.text(key);
            if below.starts_with('/') {
                errors.invalid(&list.child(key), below, "must be a relative path");
            }
            if below.split('/').any(|part| part == "..") {
                errors.invalid(&list.child(key), below, "must not contain '..'");
            }
        }
        if mount.has("subPath") && mount.has("subPathExpr") {
            let text = "subPathExpr and subPath are mutually exclusive";
            errors.invalid(&place.child("subPathExpr"), mount.text("subPathExpr"), text);
        }
        let propagation = mount.text("mountPropagation");
        let known = ["Bidirectional", "HostToContainer", "None"];
        errors.optional_one_of(&list.child("mountPropagation"), propagation, &known);
    }
    let list = place.child("volumeDevices");
    for (at, device) in devices.iter().enumerate() {
        let place = list.index(at);
        match device.text("name") {
            "" => errors.required(&place.child("name"), ""),
            name if volumes.get(name).is_none() => {
                errors.push(FieldError::not_found(place.child("name"), name));
            }
            _ => {}
        }
        if device.text("devicePath").is_empty() {
            errors.required(&place.child("devicePath"), "");
        }
    }
}

/// Refuses negative amounts and names that are no resources of a container.
pub(super) fn amounts(errors: &mut Errors, place: &Place<'_>, amounts: &Node) {
    for (name, value) in amounts.as_map().into_iter().flat_map(|map| map.iter()) {
        let place = place.key(name);
        container_resource(errors, &place, name);
        errors.quantity_not_negative(&place, value);
    }
}

fn resources(errors: &mut Errors, place: &Place<'_>, resources: &Node, spec: &Node) {
    let (limits, requests) = (resources.sub("limits"), resources.sub("requests"));
    amounts(errors, &place.child("limits"), limits);
    let requests_place = place.child("requests");
    for (name, value) in requests.as_map().into_iter().flat_map(|map| map.iter()) {
        let at = requests_place.key(name);
        container_resource(errors, &at, name);
        errors.quantity_not_negative(&at, value);
        let overcommitted = !name.contains('/') && !name.starts_with("hugepages-")
            || name.contains("kubernetes.io/");
        match limits.get(name) {
            Some(limit) if amount(value) > amount(limit) => {
                let limit = limit.as_str().unwrap_or_default();
                let text = format!("must be less than or equal to {name} limit of {limit}");
                errors.invalid(&requests_place, value, text);
            }
            Some(limit) if !overcommitted && amount(value) != amount(limit) => {
                let limit = limit.as_str().unwrap_or_default();
                let text = format!("must be equal to {name} limit of {limit}");
                errors.invalid(&requests_place, value, text);
            }
            None if !overcommitted => {
                let text = "Limit must be set for non overcommitable resources";
                errors.required(&place.child("limits"), text);
            }
            _ => {}
        }
    }
    let claims = place.child("claims");
    let known: BTreeSet<&str> = match resources.items("claims").is_empty() {
        true => BTreeSet::new(),
        false => spec
            .items("resourceClaims")
            .iter()
            .map(|claim| claim.text("name"))
            .collect(),
    };
    for (at, claim) in resources.items("claims").iter().enumerate() {
        let name = claim.text("name");
        let known = known.contains(name);
        if name.is_empty() {
            errors.required(&claims.index(at), "");
        } else if !known {
            errors.push(FieldError::not_found(claims.index(at), name));
        }
    }
}

const CONTAINER_RESOURCES: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];
const OTHER_RESOURCES: [&str; 10] = [
    "pods",
    "services",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "storage",
    "services.nodeports",
    "services.loadbalancers",
];

/// Whether `name` is one of the resources the API knows by itself.
pub(super) fn is_standard_resource(name: &str) -> bool {
    let inner = name
        .strip_prefix("requests.")
        .or_else(|| name.strip_prefix("limits."))
        .unwrap_or(name);
    CONTAINER_RESOURCES.contains(&inner)
        || OTHER_RESOURCES.contains(&inner)
        || inner.starts_with("hugepages-")
}

/// Refuses names that are no resources; the answer says whether the name was fine.
pub(super) fn resource_name(errors: &mut Errors, place: &Place<'_>, name: &str) {
    let messages = names::qualified(name);
    if !messages.is_empty() {
        return errors.invalid_each(place, name, messages);
    }
    if !name.contains('/') && !is_standard_resource(name) {
        errors.invalid(
            place,
            name,
            "must be a standard resource type or fully qualified",
        );
    }
}

pub(super) fn container_resource(errors: &mut Errors, place: &Place<'_>, name: &str) {
    resource_name(errors, place, name);
    let standard = CONTAINER_RESOURCES.contains(&name) || name.starts_with("hugepages-");
    if !name.contains('/') && !standard {
        errors.invalid(place, name, "must be a standard resource for containers");
    } else if name.starts_with("requests.") && name.contains('/') {
        errors.invalid(
            place,
            name,
            "doesn't follow extended resource name standard",
        );
    }
}

/// Refuses numbers that are no user or group.
pub(super) fn user_id(errors: &mut Errors, place: &Place<'_>, id: Option<i64>) {
    if let Some(id) = id
        && !(0..=i64::from(i32::MAX)).contains(&id)
    {
        errors.invalid(place, id, "must be between 0 and 2147483647, inclusive");
    }
}

fn security_context(errors: &mut Errors, place: &Place<'_>, context: &Node) {
    user_id(errors, &place.child("runAsUser"), context.int("runAsUser"));
    user_id(
        errors,
        &place.child("runAsGroup"),
        context.int("runAsGroup"),
    );
    let mount = context.text("procMount");
    errors.optional_one_of(&place.child("procMount"), mount, &["Default", "Unmasked"]);
    seccomp(
        errors,
        &place.child("seccompProfile"),
        context.sub("seccompProfile"),
    );
    if context.sub("allowPrivilegeEscalation").as_bool() == Some(false) {
        let shown = || internal::structure(context, SECURITY_CONTEXT);
        if context.flag("privileged") {
            let text = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
            errors.invalid(place, shown(), text);
        }
        let added = context.sub("capabilities").items("add");
        if added
            .iter()
            .any(|name| name.as_str() == Some("CAP_SYS_ADMIN"))
        {
            let text = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
            errors.invalid(place, shown(), text);
        }
    }
}

/// Checks a seccomp profile; absent is fine.
pub(super) fn seccomp(errors: &mut Errors, place: &Place<'_>, profile: &Node) {
    if profile.is_null() {
        return;
    }
    let kind = profile.text("type");
    match (kind, profile.has("localhostProfile")) {
        ("", _) => errors.required(
            &place.child("type"),
            "type is required when seccompProfile is set",
        ),
        ("Localhost", false) => {
            let text = "must be set when seccomp type is Localhost";
            errors.required(&place.child("localhostProfile"), text);
        }
        ("Localhost", true) => {}
        (_, true) => {
            let text = "can only be set when seccomp type is Localhost";
            let value = profile.text("localhostProfile");
            errors.invalid(&place.child("localhostProfile"), value, text);
        }
        _ => {}
    }
    let kinds = ["Localhost", "RuntimeDefault", "Unconfined"];
    errors.optional_one_of(&place.child("type"), kind, &kinds);
}
