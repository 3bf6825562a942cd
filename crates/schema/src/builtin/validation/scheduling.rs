//! Rules of where pods may run: affinity, tolerations, spreading, priority and runtime classes.

use std::collections::BTreeMap;

use object::Node;

use super::{Errors, Fields, Rules, immutable, names, selector};
use crate::field_error::{FieldError, Place};

pub(super) const RULES: &[Rules] = &[
    Rules {
        of: "scheduling.v1.PriorityClass",
        object: priority_class,
        update: priority_update,
        update_first: false,
    },
    Rules {
        of: "node.v1.RuntimeClass",
        object: runtime_class,
        update: runtime_update,
        update_first: false,
    },
    Rules {
        of: "coordination.v1.Lease",
        object: lease,
        update: super::any_update,
        update_first: false,
    },
];

/// Checks node, pod and anti-affinity; absent is fine.
pub(super) fn affinity(errors: &mut Errors, place: &Place<'_>, affinity: &Node) {
    const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
    const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";
    let (node_place, node) = (place.child("nodeAffinity"), affinity.sub("nodeAffinity"));
    if node.has(REQUIRED) {
        node_selector(errors, &node_place.child(REQUIRED), node.sub(REQUIRED));
    }
    let list = node_place.child(PREFERRED);
    for (at, term) in node.items(PREFERRED).iter().enumerate() {
        let place = list.index(at);
        weight(errors, &place, term);
        node_term(errors, &place.child("preference"), term.sub("preference"));
    }
    for key in ["podAffinity", "podAntiAffinity"] {
        let (place, pods) = (place.child(key), affinity.sub(key));
        let list = place.child(REQUIRED);
        for (at, term) in pods.items(REQUIRED).iter().enumerate() {
            pod_term(errors, &list.index(at), term);
        }
        let list = place.child(PREFERRED);
        for (at, term) in pods.items(PREFERRED).iter().enumerate() {
            let place = list.index(at);
            weight(errors, &place, term);
            pod_term(
                errors,
                &place.child("podAffinityTerm"),
                term.sub("podAffinityTerm"),
            );
        }
    }
}

fn weight(errors: &mut Errors, place: &Place<'_>, term: &Node) {
    let weight = term.number("weight");
    if !(1..=100).contains(&weight) {
        errors.invalid(&place.child("weight"), weight, "must be in the range 1-100");
    }
}

/// Checks what a node has to look like.
pub(super) fn node_selector(errors: &mut Errors, place: &Place<'_>, selector: &Node) {
    let list = place.child("nodeSelectorTerms");
    let terms = selector.items("nodeSelectorTerms");
    if terms.is_empty() {
        errors.required(&list, "must have at least one node selector term");
    }
    for (at, term) in terms.iter().enumerate() {
        node_term(errors, &list.index(at), term);
    }
}

fn node_term(errors: &mut Errors, place: &Place<'_>, term: &Node) {
    let list = place.child("matchExpressions");
    for (at, expression) in term.items("matchExpressions").iter().enumerate() {
        let (place, values) = (list.index(at), expression.items("values"));
        match expression.text("operator") {
            "In" | "NotIn" if values.is_empty() => {
                let text = "must be specified when `operator` is 'In' or 'NotIn'";
                errors.required(&place.child("values"), text);
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                let text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
                errors.forbidden(&place.child("values"), text);
            }
            "Gt" | "Lt" if values.len() != 1 => {
                let text = "must be specified single value when `operator` is 'Lt' or 'Gt'";
                errors.required(&place.child("values"), text);
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt" => {}
            other => {
                let text = "not a valid selector operator";
                errors.invalid(&place.child("operator"), other, text);
            }
        }
        let key = expression.text("key");
        errors.invalid_each(&place.child("key"), key, names::qualified(key));
    }
    let list = place.child("matchFields");
    for (at, requirement) in term.items("matchFields").iter().enumerate() {
        let place = list.index(at);
        if !matches!(requirement.text("operator"), "In" | "NotIn") {
            let text = "not a valid selector operator";
            errors.invalid(&place.child("operator"), requirement.text("operator"), text);
        } else if requirement.items("values").len() != 1 {
            let text =
                "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
            errors.required(&place.child("values"), text);
        }
        if requirement.text("key") != "metadata.name" {
            let text = "not a valid field selector key";
            errors.invalid(&place.child("key"), requirement.text("key"), text);
        }
    }
}

fn pod_term(errors: &mut Errors, place: &Place<'_>, term: &Node) {
    selector::check(
        errors,
        &place.child("labelSelector"),
        term.sub("labelSelector"),
    );
    selector::check(
        errors,
        &place.child("namespaceSelector"),
        term.sub("namespaceSelector"),
    );
    for name in term.items("namespaces") {
        let name = name.as_str().unwrap_or_default();
        errors.invalid_each(&place.child("namespace"), name, names::label(name));
    }
    match term.text("topologyKey") {
        "" => errors.required(&place.child("topologyKey"), "can not be empty"),
        key => errors.invalid_each(&place.child("topologyKey"), key, names::qualified(key)),
    }
}

/// Checks the tolerations of a pod.
pub(super) fn tolerations(errors: &mut Errors, place: &Place<'_>, spec: &Node) {
    for (at, toleration) in spec.items("tolerations").iter().enumerate() {
        let place = place.index(at);
        let key = toleration.text("key");
        if !key.is_empty() {
            errors.invalid_each(&place.child("key"), key, names::qualified(key));
        }
        let operator = toleration.text("operator");
        let operator_place = place.child("operator");
        if key.is_empty() && operator != "Exists" {
            let text = "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
            errors.invalid(&operator_place, operator, text);
        }
        let effect = toleration.text("effect");
        if toleration.has("tolerationSeconds") && effect != "NoExecute" {
            let text = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            errors.invalid(&place.child("effect"), effect, text);
        }
        let value = toleration.text("value");
        match operator {
            "Equal" | "" => {
                let messages = names::label_value(value);
                if !messages.is_empty() {
                    errors.invalid(&operator_place, value, messages.join(";"));
                }
            }
            "Exists" if !value.is_empty() => {
                errors.invalid(
                    &operator_place,
                    value,
                    "value must be empty when `operator` is 'Exists'",
                );
            }
            "Exists" => {}
            other => errors.one_of(&operator_place, other, &["Equal", "Exists"]),
        }
        let effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
        errors.optional_one_of(&place.child("effect"), effect, &effects);
    }
}

/// Checks how pods spread over topologies.
pub(super) fn spread(errors: &mut Errors, place: &Place<'_>, spec: &Node) {
    let constraints = spec.items("topologySpreadConstraints");
    let last: BTreeMap<(&str, &str), usize> = constraints
        .iter()
        .enumerate()
        .map(|(at, constraint)| {
            (
                (
                    constraint.text("topologyKey"),
                    constraint.text("whenUnsatisfiable"),
                ),
                at,
            )
        })
        .collect();
    for (at, constraint) in constraints.iter().enumerate() {
        let place = place.index(at);
        let skew = constraint.number("maxSkew");
        if skew <= 0 {
            errors.invalid(&place.child("maxSkew"), skew, "must be greater than zero");
        }
        let (key, when) = (
            constraint.text("topologyKey"),
            constraint.text("whenUnsatisfiable"),
        );
        match key {
            "" => errors.required(&place.child("topologyKey"), "can not be empty"),
            key => errors.invalid_each(&place.child("topologyKey"), key, names::qualified(key)),
        }
        errors.one_of(
            &place.child("whenUnsatisfiable"),
            when,
            &["DoNotSchedule", "ScheduleAnyway"],
        );
        if last.get(&(key, when)).is_some_and(|last| *last > at) {
            let shown = format!("{{{key}, {when}}}");
            let place = place.child("{topologyKey, whenUnsatisfiable}");
            errors.push(FieldError::duplicate(place, shown));
        }
        if let Some(domains) = constraint.int("minDomains") {
            let place = place.child("minDomains");
            if domains <= 0 {
                errors.invalid(&place, domains, "must be greater than zero");
            }
            if when != "DoNotSchedule" {
                let text = format!(
                    "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {when}"
                );
                errors.invalid(&place, domains, text);
            }
        }
        for key in ["nodeAffinityPolicy", "nodeTaintsPolicy"] {
            errors.optional_one_of(
                &place.child(key),
                constraint.text(key),
                &["Honor", "Ignore"],
            );
        }
        selector::check(
            errors,
            &place.child("labelSelector"),
            constraint.sub("labelSelector"),
        );
    }
}

/// Priorities above this are the system's.
const USER_PRIORITY_MAX: i64 = 1_000_000_000;

fn priority_class(errors: &mut Errors, class: &Node) {
    let name = class.sub("metadata").text("name");
    let value = class.number("value");
    if name.starts_with("system-") {
        let known = matches!(
            (name, value),
            ("system-node-critical", 2_000_001_000) | ("system-cluster-critical", 2_000_000_000)
        );
        if !known {
            let text = "priority class names with 'system-' prefix are reserved for system use only. error: ";
            let why = match name {
                "system-node-critical" => {
                    "value of system-node-critical PriorityClass must be 2000001000"
                }
                "system-cluster-critical" => {
                    "value of system-cluster-critical PriorityClass must be 2000000000"
                }
                _ => "is not a known system priority class",
            };
            let why = match why.starts_with("is") {
                true => format!("{name} {why}"),
                false => why.to_owned(),
            };
            errors.forbidden(&Place::ROOT.child("metadata.name"), format!("{text}{why}"));
        }
    } else if value > USER_PRIORITY_MAX {
        let text =
            format!("maximum allowed value of a user defined priority is {USER_PRIORITY_MAX}");
        errors.forbidden(&Place::ROOT.child("value"), text);
    }
    let policies = ["PreemptLowerPriority", "Never"];
    let policy = class.text("preemptionPolicy");
    errors.optional_one_of(&Place::ROOT.child("preemptionPolicy"), policy, &policies);
}

fn priority_update(errors: &mut Errors, new: &Node, old: &Node) {
    if new.number("value") != old.number("value") {
        errors.forbidden(
            &Place::ROOT.child("value"),
            "may not be changed in an update.",
        );
    }
    immutable(errors, &Place::ROOT, "preemptionPolicy", new, old);
}

fn runtime_class(errors: &mut Errors, class: &Node) {
    let handler = class.text("handler");
    errors.invalid_each(
        &Place::ROOT.child("handler"),
        handler,
        names::label(handler),
    );
}

fn runtime_update(errors: &mut Errors, new: &Node, old: &Node) {
    immutable(errors, &Place::ROOT, "handler", new, old);
}

fn lease(errors: &mut Errors, lease: &Node) {
    let (place, spec) = (Place::ROOT.child("spec"), lease.sub("spec"));
    for key in ["leaseDurationSeconds", "leaseTransitions"] {
        let Some(number) = spec.int(key) else {
            continue;
        };
        match key {
            "leaseDurationSeconds" if number <= 0 => {
                errors.invalid(&place.child(key), number, "must be greater than 0");
            }
            "leaseTransitions" if number < 0 => {
                errors.invalid(
                    &place.child(key),
                    number,
                    "must be greater than or equal to 0",
                );
            }
            _ => {}
        }
    }
    if spec.has("holderIdentity") && spec.text("holderIdentity").is_empty() {
        errors.invalid(&place.child("holderIdentity"), "", "must not be empty");
    }
}
