//! Rules of limit ranges and resource quotas.

use golang::quantity::{Format, Quantity};
use object::Node;

use super::fields::amount;
use super::{Errors, Fields, Rules, Seen, container, names};
use crate::field_error::{FieldError, Place};

pub(super) const RULES: &[Rules] = &[
    Rules {
        of: "core.v1.LimitRange",
        object: limit_range,
        update: super::any_update,
        update_first: false,
    },
    Rules {
        of: "core.v1.ResourceQuota",
        object: resource_quota,
        update: quota_update,
        update_first: false,
    },
];

fn limit_range(errors: &mut Errors, range: &Node) {
    let list = Place::ROOT.child("spec.limits");
    let items = range.sub("spec").items("limits");
    let mut seen = Seen::default();
    for (at, item) in items.iter().enumerate() {
        let place = list.index(at);
        let kind = item.text("type");
        match kind {
            "" => errors.required(&place.child("type"), ""),
            "Pod" | "Container" | "PersistentVolumeClaim" => {}
            kind => {
                errors.invalid_each(&place.child("type"), kind, names::qualified(kind));
                if !kind.contains('/') {
                    let text = "must be a standard limit type or fully qualified";
                    errors.invalid(&place.child("type"), kind, text);
                }
            }
        }
        if seen.again(kind) {
            errors.duplicate(&place.child("type"), kind);
        }
        limits(errors, &place, item, kind);
    }
}

fn limits(errors: &mut Errors, place: &Place<'_>, item: &Node, kind: &str) {
    let mut keys: Vec<&str> = Vec::new();
    let mut seen = Seen::default();
    for key in [
        "max",
        "min",
        "default",
        "defaultRequest",
        "maxLimitRequestRatio",
    ] {
        let entries = item.entries(key);
        if kind == "Pod" && key.starts_with("default") {
            if !entries.is_empty() {
                let text = "may not be specified when `type` is 'Pod'";
                errors.forbidden(&place.child(key), text);
            }
            continue;
        }
        for (name, _) in entries {
            let place = place.child(key);
            match kind {
                "Pod" | "Container" => {
                    container::container_resource(errors, &place.key(name), name)
                }
                _ => container::resource_name(errors, &place.key(name), name),
            }
            if !seen.again(name) {
                keys.push(name);
            }
        }
    }
    if kind == "PersistentVolumeClaim" {
        let storage = |key| item.sub(key).get("storage").is_some();
        if !storage("min") && !storage("max") {
            let text =
                "either minimum or maximum storage value is required, but neither was provided";
            errors.required(&place.child("limits"), text);
        }
    }
    for name in keys {
        compare(errors, place, item, name, kind);
    }
}

/// The order that minimum, default request, default and maximum have to have.
fn compare(errors: &mut Errors, place: &Place<'_>, item: &Node, name: &str, kind: &str) {
    let of = |key: &str| {
        let pod_default = kind == "Pod" && key.starts_with("default");
        item.sub(key).get(name).filter(|_| !pod_default)
    };
    let (min, max, request, default) = (of("min"), of("max"), of("defaultRequest"), of("default"));
    // Field, its words, the smaller side, the larger side, their words, and which value is shown.
    let pairs = [
        ("min", min, "min value", max, "max value", min),
        (
            "defaultRequest",
            min,
            "min value",
            request,
            "default request value",
            request,
        ),
        (
            "defaultRequest",
            request,
            "default request value",
            max,
            "max value",
            request,
        ),
        (
            "defaultRequest",
            request,
            "default request value",
            default,
            "default limit value",
            request,
        ),
        ("default", min, "min value", default, "default value", min),
        ("default", default, "default value", max, "max value", max),
    ];
    for (field, low, low_words, high, high_words, shown) in pairs {
        let (Some(low), Some(high)) = (low, high) else {
            continue;
        };
        if amount(low) > amount(high) {
            let (low, high) = (low.as_str().unwrap_or("0"), high.as_str().unwrap_or("0"));
            let text = format!("{low_words} {low} is greater than {high_words} {high}");
            errors.push(FieldError::invalid(
                place.child(field).key(name),
                shown,
                text,
            ));
        }
    }
    let one = Quantity::new(1, Format::DecimalSi);
    if let Some(ratio) = of("maxLimitRequestRatio")
        && amount(ratio) < one
    {
        let text = format!("ratio {} is less than 1", ratio.as_str().unwrap_or("0"));
        let place = place.child("maxLimitRequestRatio");
        errors.invalid(&place.key(name), ratio, text);
    }
}

/// Resources a quota may count by their plain name.
fn is_quota_resource(name: &str) -> bool {
    const PLAIN: [&str; 16] = [
        "cpu",
        "memory",
        "ephemeral-storage",
        "requests.cpu",
        "requests.memory",
        "requests.storage",
        "requests.ephemeral-storage",
        "limits.cpu",
        "limits.memory",
        "limits.ephemeral-storage",
        "pods",
        "resourcequotas",
        "services",
        "replicationcontrollers",
        "secrets",
        "persistentvolumeclaims",
    ];
    PLAIN.contains(&name)
        || matches!(
            name,
            "configmaps" | "services.nodeports" | "services.loadbalancers"
        )
        || name.starts_with("hugepages-")
        || name.starts_with("requests.hugepages-")
}

fn is_counted(name: &str) -> bool {
    matches!(
        name,
        "pods"
            | "resourcequotas"
            | "services"
            | "replicationcontrollers"
            | "secrets"
            | "configmaps"
            | "persistentvolumeclaims"
            | "services.nodeports"
            | "services.loadbalancers"
    )
}

fn resource_quota(errors: &mut Errors, quota: &Node) {
    let (place, spec) = (Place::ROOT.child("spec"), quota.sub("spec"));
    let hard = place.child("hard");
    for (name, value) in spec.entries("hard") {
        let place = hard.key(name);
        container::resource_name(errors, &place, name);
        if !name.contains('/') && !is_quota_resource(name) {
            errors.invalid(&place, name, "must be a standard resource for quota");
        }
        errors.quantity_not_negative(&place, value);
        if is_counted(name) && !amount(value).is_whole() {
            errors.invalid(&place, value, "must be an integer");
        }
    }
    scopes(errors, &place, spec);
}

const SCOPES: [&str; 7] = [
    "Terminating",
    "NotTerminating",
    "BestEffort",
    "NotBestEffort",
    "PriorityClass",
    "CrossNamespacePodAffinity",
    "VolumeAttributesClass",
];

fn scopes(errors: &mut Errors, place: &Place<'_>, spec: &Node) {
    let place_of = place.child("scopes");
    let scopes = spec.items("scopes");
    let shown = spec.sub("scopes");
    let has = |name: &str| scopes.iter().any(|scope| scope.as_str() == Some(name));
    let mut seen = Seen::default();
    for scope in scopes {
        let scope = scope.as_str().unwrap_or_default();
        if !SCOPES.contains(&scope) {
            errors.invalid(&place_of, shown, "unsupported scope");
            continue;
        }
        if seen.again(scope) {
            continue;
        }
        for (name, _) in spec.entries("hard") {
            if is_quota_resource(name) && !counts_in(scope, name) {
                errors.invalid(&place_of, shown, "unsupported scope applied to resource");
            }
        }
    }
    for (one, other) in [
        ("BestEffort", "NotBestEffort"),
        ("Terminating", "NotTerminating"),
    ] {
        if has(one) && has(other) {
            errors.invalid(&place_of, shown, "conflicting scopes");
        }
    }
    let expressions = place.child("scopeSelector.matchExpressions");
    for expression in spec.sub("scopeSelector").items("matchExpressions") {
        let values = expression.items("values");
        let scope = expression.text("scopeName");
        if !SCOPES.contains(&scope) {
            errors.invalid(&expressions.child("scopeName"), scope, "unsupported scope");
        }
        match expression.text("operator") {
            "In" | "NotIn" if values.is_empty() => {
                let text = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
                errors.required(&expressions.child("values"), text);
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                let text = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
                errors.invalid(&expressions.child("values"), expression.sub("values"), text);
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            other => {
                let text = "not a valid selector operator";
                errors.invalid(&expressions.child("operator"), other, text);
            }
        }
    }
}

/// Whether a scope says anything about a resource.
fn counts_in(scope: &str, resource: &str) -> bool {
    match scope {
        "BestEffort" => resource == "pods",
        "Terminating"
        | "NotTerminating"
        | "NotBestEffort"
        | "PriorityClass"
        | "CrossNamespacePodAffinity" => {
            let compute = [
                "cpu",
                "memory",
                "requests.cpu",
                "requests.memory",
                "limits.cpu",
                "limits.memory",
                "ephemeral-storage",
                "requests.ephemeral-storage",
                "limits.ephemeral-storage",
            ];
            resource == "pods" || compute.contains(&resource)
        }
        "VolumeAttributesClass" => {
            matches!(resource, "persistentvolumeclaims" | "requests.storage")
        }
        _ => true,
    }
}

fn quota_update(errors: &mut Errors, new: &Node, old: &Node) {
    let place = Place::ROOT.child("spec");
    for key in ["scopes", "scopeSelector"] {
        super::immutable(errors, &place, key, new.sub("spec"), old.sub("spec"));
    }
}
