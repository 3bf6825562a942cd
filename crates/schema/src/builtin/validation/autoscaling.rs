//! Rules of autoscalers and disruption budgets.

use golang::quantity::Quantity;
use object::Node;

use super::fields::amount;
use super::internal::{self, Member};
use super::{Errors, Fields, Rules, names, selector, workloads};
use crate::field_error::{FieldError, Place};

pub(super) const RULES: &[Rules] = &[
    Rules {
        of: "autoscaling.v2.HorizontalPodAutoscaler",
        object: autoscaler,
        update: super::any_update,
        update_first: false,
    },
    Rules {
        of: "autoscaling.v1.HorizontalPodAutoscaler",
        object: autoscaler,
        update: super::any_update,
        update_first: false,
    },
    Rules {
        of: "autoscaling.v1.Scale",
        object: scale,
        update: super::any_update,
        update_first: false,
    },
    Rules {
        of: "policy.v1.PodDisruptionBudget",
        object: budget,
        update: super::any_update,
        update_first: false,
    },
];

const SOURCES: [(&str, &str); 5] = [
    ("object", "Object"),
    ("external", "External"),
    ("pods", "Pods"),
    ("resource", "Resource"),
    ("containerResource", "ContainerResource"),
];
const KINDS: [&str; 5] = [
    "ContainerResource",
    "External",
    "Object",
    "Pods",
    "Resource",
];

fn autoscaler(errors: &mut Errors, autoscaler: &Node) {
    let (place, spec) = (Place::ROOT.child("spec"), autoscaler.sub("spec"));
    let (min, max) = (spec.int("minReplicas"), spec.number("maxReplicas"));
    if let Some(min) = min.filter(|min| *min < 1) {
        let text = "must be greater than or equal to 1";
        errors.invalid(&place.child("minReplicas"), min, text);
    }
    let max_place = place.child("maxReplicas");
    match max {
        0 => errors.required(&max_place, "must be set and greater than 0"),
        max if max < 0 => errors.invalid(&max_place, max, "must be greater than or equal to 1"),
        _ => {}
    }
    if min.is_some_and(|min| max < min) {
        errors.invalid(
            &max_place,
            max,
            "must be greater than or equal to `minReplicas`",
        );
    }
    reference(
        errors,
        &place.child("scaleTargetRef"),
        spec.sub("scaleTargetRef"),
    );
    let list = place.child("metrics");
    let metrics = spec.items("metrics");
    for (at, metric) in metrics.iter().enumerate() {
        check_metric(errors, &list.index(at), metric);
    }
    let measured = |metric: &Node| matches!(metric.text("type"), "Object" | "External");
    if min == Some(0) && !metrics.iter().any(measured) {
        let text = "must specify at least one Object or External metric to support scaling to zero replicas";
        errors.forbidden(&list, text);
    }
    for key in ["scaleUp", "scaleDown"] {
        let rules = spec.sub("behavior").sub(key);
        if !rules.is_null() {
            check_rules(errors, &place.child("behavior").child(key), rules);
        }
    }
}

fn reference(errors: &mut Errors, place: &Place<'_>, reference: &Node) {
    for key in ["kind", "name"] {
        match reference.text(key) {
            "" => errors.required(&place.child(key), ""),
            text => errors.invalid_each(&place.child(key), text, names::path_segment(text)),
        }
    }
    let api_version = reference.text("apiVersion");
    let core = matches!(reference.text("kind"), "ReplicationController");
    if !api_version.contains('/') && !core {
        let place = place.child("apiVersion");
        errors.invalid(&place, api_version, "apiVersion must specify API group");
    }
}

fn check_metric(errors: &mut Errors, place: &Place<'_>, metric: &Node) {
    let kind = metric.text("type");
    let kind_place = place.child("type");
    if kind.is_empty() {
        errors.required(&kind_place, "must specify a metric source type");
    }
    // Upstream checks the type twice; equal errors are reported once.
    errors.one_of(&kind_place, kind, &KINDS);
    let present: Vec<&str> = SOURCES
        .iter()
        .map(|(key, _)| *key)
        .filter(|key| metric.has(key))
        .collect();
    if let Some(key) = present.first() {
        source(errors, &place.child(key), metric.sub(key), key);
    }
    let expected = SOURCES
        .iter()
        .find(|(_, name)| *name == kind)
        .map(|(key, _)| *key);
    if let Some(expected) = expected.filter(|expected| !metric.has(expected)) {
        let text = "must populate information for the given metric source";
        errors.required(&place.child(expected), text);
    }
    if present.len() > 1 {
        for key in present.iter().filter(|key| Some(**key) != expected) {
            errors.forbidden(
                &place.child(key),
                "must populate the given metric source only",
            );
        }
    }
}

fn source(errors: &mut Errors, place: &Place<'_>, source: &Node, key: &str) {
    let target_place = place.child("target");
    let target = source.sub("target");
    if key == "object" {
        reference(
            errors,
            &place.child("describedObject"),
            source.sub("describedObject"),
        );
    }
    if matches!(key, "object" | "external" | "pods") {
        let place = place.child("metric.name");
        match source.sub("metric").text("name") {
            "" => errors.required(&place, "must specify a metric name"),
            name => errors.invalid_each(&place, name, names::path_segment(name)),
        }
    } else if source.text("name").is_empty() {
        errors.required(&place.child("name"), "must specify a resource name");
    }
    if key == "containerResource" {
        let place = place.child("container");
        match source.text("container") {
            "" => errors.required(&place, "must specify a container"),
            name => errors.invalid_each(&place, name, names::label(name)),
        }
    }
    check_target(errors, &target_place, target);
    let (value, average) = (target.has("value"), target.has("averageValue"));
    let utilization = target.has("averageUtilization");
    match key {
        "object" if !value && !average => {
            let text = "must set either a target value or averageValue";
            errors.required(&target_place.child("averageValue"), text);
        }
        "external" if !value && !average => {
            let text = "must set either a target value for metric or a per-pod target";
            errors.required(&target_place.child("averageValue"), text);
        }
        "external" if value && average => {
            let text = "may not set both a target value for metric and a per-pod target";
            errors.forbidden(&target_place.child("value"), text);
        }
        "pods" if !average => {
            let text = "must specify a positive target averageValue";
            errors.required(&target_place.child("averageValue"), text);
        }
        "resource" | "containerResource" if !utilization && !average => {
            let text = "must set either a target raw value or a target utilization";
            errors.required(&target_place.child("averageUtilization"), text);
        }
        "resource" | "containerResource" if utilization && average => {
            let text = "may not set both a target raw value and a target utilization";
            errors.forbidden(&target_place.child("averageValue"), text);
        }
        _ => {}
    }
}

fn check_target(errors: &mut Errors, place: &Place<'_>, target: &Node) {
    let kind = target.text("type");
    let kind_place = place.child("type");
    if kind.is_empty() {
        errors.required(&kind_place, "must specify a metric target type");
    }
    if !matches!(kind, "Utilization" | "Value" | "AverageValue") {
        let text = "must be either Utilization, Value, or AverageValue";
        errors.invalid(&kind_place, kind, text);
    }
    for key in ["value", "averageValue"] {
        if target.has(key) && amount(target.sub(key)) <= Quantity::ZERO {
            errors.invalid(&place.child(key), target.sub(key), "must be positive");
        }
    }
    if let Some(percent) = target
        .int("averageUtilization")
        .filter(|percent| *percent < 1)
    {
        let place = place.child("averageUtilization");
        errors.invalid(&place, percent, "must be greater than 0");
    }
}

fn check_rules(errors: &mut Errors, place: &Place<'_>, rules: &Node) {
    const WINDOW_MAX: i64 = 3600;
    const PERIOD_MAX: i64 = 1800;
    let window = place.child("stabilizationWindowSeconds");
    match rules.int("stabilizationWindowSeconds") {
        Some(seconds) if seconds < 0 => {
            errors.invalid(&window, seconds, "must be greater than or equal to zero");
        }
        Some(seconds) if seconds > WINDOW_MAX => {
            let text = format!("must be less than or equal to {WINDOW_MAX}");
            errors.invalid(&window, seconds, text);
        }
        _ => {}
    }
    let select = rules.text("selectPolicy");
    errors.optional_one_of(
        &place.child("selectPolicy"),
        select,
        &["Disabled", "Max", "Min"],
    );
    let list = place.child("policies");
    if rules.items("policies").is_empty() {
        errors.required(&list, "must specify at least one Policy");
    }
    for (at, policy) in rules.items("policies").iter().enumerate() {
        let place = list.index(at);
        errors.one_of(
            &place.child("type"),
            policy.text("type"),
            &["Percent", "Pods"],
        );
        for key in ["value", "periodSeconds"] {
            let number = policy.number(key);
            if number <= 0 {
                errors.invalid(&place.child(key), number, "must be greater than zero");
            }
        }
        let period = policy.number("periodSeconds");
        if period > PERIOD_MAX {
            let text = format!("must be less than or equal to {PERIOD_MAX}");
            errors.invalid(&place.child("periodSeconds"), period, text);
        }
    }
    if rules.has("tolerance") {
        errors.quantity_not_negative(&place.child("tolerance"), rules.sub("tolerance"));
    }
}

fn scale(errors: &mut Errors, scale: &Node) {
    let place = Place::ROOT.child("spec.replicas");
    errors.not_negative(&place, scale.sub("spec").int("replicas"));
}

const BUDGET: &[Member] = &[
    ("MinAvailable", "minAvailable", "null"),
    ("Selector", "selector", "null"),
    ("MaxUnavailable", "maxUnavailable", "null"),
    (
        "UnhealthyPodEvictionPolicy",
        "unhealthyPodEvictionPolicy",
        "null",
    ),
];

fn budget(errors: &mut Errors, budget: &Node) {
    let (place, spec) = (Place::ROOT.child("spec"), budget.sub("spec"));
    if spec.has("minAvailable") && spec.has("maxUnavailable") {
        let text = "minAvailable and maxUnavailable cannot be both set";
        errors.push(FieldError::invalid(
            place,
            internal::structure(spec, BUDGET),
            text,
        ));
    }
    for key in ["minAvailable", "maxUnavailable"] {
        if spec.has(key) {
            workloads::int_or_percent(errors, &place.child(key), spec.sub(key));
            workloads::at_most_all(errors, &place.child(key), spec.sub(key));
        }
    }
    selector::check(errors, &place.child("selector"), spec.sub("selector"));
    let policies = ["AlwaysAllow", "IfHealthyBudget"];
    let policy = spec.text("unhealthyPodEvictionPolicy");
    errors.optional_one_of(
        &place.child("unhealthyPodEvictionPolicy"),
        policy,
        &policies,
    );
}
