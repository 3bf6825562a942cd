//! Rules of the group apps, and of replication controllers.

use object::Node;

use super::internal;
use super::{Errors, Fields, Rules, immutable, names, pod, selector, storage};
use crate::field_error::{FieldError, Place};

pub(super) const RULES: &[Rules] = &[
    Rules {
        of: "apps.v1.Deployment",
        object: deployment,
        update: selector_kept,
        update_first: false,
    },
    Rules {
        of: "apps.v1.ReplicaSet",
        object: replica_set,
        update: selector_kept,
        update_first: false,
    },
    Rules {
        of: "apps.v1.DaemonSet",
        object: daemon_set,
        update: selector_kept,
        update_first: false,
    },
    Rules {
        of: "apps.v1.StatefulSet",
        object: stateful_set,
        update: stateful_set_update,
        update_first: false,
    },
    Rules {
        of: "apps.v1.ControllerRevision",
        object: revision,
        update: revision_update,
        update_first: false,
    },
    Rules {
        of: "core.v1.ReplicationController",
        object: replication_controller,
        update: super::any_update,
        update_first: false,
    },
];

fn selector_kept(errors: &mut Errors, new: &Node, old: &Node) {
    let (new, old) = (
        new.sub("spec").sub("selector"),
        old.sub("spec").sub("selector"),
    );
    if new != old {
        let place = Place::ROOT.child("spec.selector");
        errors.invalid(&place, selector::value(new), "field is immutable");
    }
}

/// Required, well-formed, not empty; the answer says whether pods can be compared with it.
fn selector_needed(errors: &mut Errors, place: &Place<'_>, spec: &Node, kind: &str) -> bool {
    let (place, selector) = (place.child("selector"), spec.sub("selector"));
    if selector.is_null() {
        errors.required(&place, "");
        return true;
    }
    selector::check(errors, &place, selector);
    if selector::is_empty(selector) {
        let text = format!("empty selector is invalid for {kind}");
        errors.invalid(&place, selector::value(selector), text);
    }
    selector::is_usable(selector)
}

/// The template of what keeps pods running.
fn template(errors: &mut Errors, place: &Place<'_>, spec: &Node, kind: &str) {
    let (place, template) = (place.child("template"), spec.sub("template"));
    if !selector::is_empty(spec.sub("selector")) {
        pod::check_matches(errors, &place, spec.sub("selector"), template);
    }
    pod::check_template(errors, &place, template);
    pod::check_runs_always(errors, &place, template, kind);
}

/// A StatefulSet's spec whose template has the volumes that its claims will give each pod.
fn with_claimed_volumes(spec: &Node) -> Node {
    let mut spec = spec.clone();
    let volumes = spec.at(&["template", "spec", "volumes"]);
    let mut volumes = volumes.and_then(Node::as_list).unwrap_or(&[]).to_vec();
    for claim in spec.items("volumeClaimTemplates") {
        let name = claim.sub("metadata").text("name");
        if volumes.iter().all(|volume| volume.text("name") != name) {
            let mut volume = Node::map();
            volume.set(&["name"], name);
            volume.set(&["emptyDir"], Node::map());
            volumes.push(volume);
        }
    }
    if !volumes.is_empty() {
        spec.set(&["template", "spec", "volumes"], Node::from(volumes));
    }
    spec
}

fn deployment(errors: &mut Errors, deployment: &Node) {
    let (place, spec) = (Place::ROOT.child("spec"), deployment.sub("spec"));
    errors.not_negative(&place.child("replicas"), spec.int("replicas"));
    match selector_needed(errors, &place, spec, "deployment") {
        true => template(errors, &place, spec, "ReplicaSet"),
        false => {
            let shown = selector::value(spec.sub("selector"));
            errors.invalid(&place.child("selector"), shown, "invalid label selector");
        }
    }
    deployment_strategy(errors, &place.child("strategy"), spec.sub("strategy"));
    errors.not_negative(&place.child("minReadySeconds"), spec.int("minReadySeconds"));
    errors.not_negative(
        &place.child("revisionHistoryLimit"),
        spec.int("revisionHistoryLimit"),
    );
    if let Some(seconds) = spec.int("progressDeadlineSeconds") {
        let place = place.child("progressDeadlineSeconds");
        errors.not_negative(&place, Some(seconds));
        if seconds <= spec.number("minReadySeconds") {
            errors.invalid(&place, seconds, "must be greater than minReadySeconds");
        }
    }
}

fn deployment_strategy(errors: &mut Errors, place: &Place<'_>, strategy: &Node) {
    let rolling_place = place.child("rollingUpdate");
    match strategy.text("type") {
        "Recreate" if strategy.has("rollingUpdate") => {
            let text = "may not be specified when strategy `type` is 'Recreate'";
            errors.forbidden(&rolling_place, text);
        }
        "Recreate" => {}
        "RollingUpdate" => {
            let rolling = strategy.sub("rollingUpdate");
            let (unavailable, surge) = (rolling.sub("maxUnavailable"), rolling.sub("maxSurge"));
            let at = rolling_place.child("maxUnavailable");
            int_or_percent(errors, &at, unavailable);
            int_or_percent(errors, &rolling_place.child("maxSurge"), surge);
            if value_of(unavailable) == 0 && value_of(surge) == 0 {
                errors.invalid(&at, unavailable, "may not be 0 when `maxSurge` is 0");
            }
            at_most_all(errors, &at, unavailable);
        }
        _ => {
            let members = [
                ("Type", "type", "\"\""),
                ("RollingUpdate", "rollingUpdate", "null"),
            ];
            let shown = internal::structure(strategy, &members);
            errors.push(FieldError::not_supported(
                place,
                shown,
                ["Recreate", "RollingUpdate"],
            ));
        }
    }
}

/// A number of pods, or a share of them.
pub(super) fn int_or_percent(errors: &mut Errors, place: &Place<'_>, value: &Node) {
    match value {
        Node::String(text) => errors.invalid_each(place, text, names::percent(text)),
        other => errors.not_negative(place, other.as_i64()),
    }
}

/// Refuses more than all.
pub(super) fn at_most_all(errors: &mut Errors, place: &Place<'_>, value: &Node) {
    if let Node::String(text) = value
        && names::percent(text).is_empty()
        && value_of(value) > 100
    {
        errors.invalid(place, text.as_str(), "must not be greater than 100%");
    }
}

/// The number in front of a percent sign, or the number; huge ones count as the largest.
fn value_of(value: &Node) -> i64 {
    match value {
        Node::String(text) => match text.trim_end_matches('%').parse() {
            Ok(number) => number,
            Err(_) if names::percent(text).is_empty() => i64::MAX,
            Err(_) => 0,
        },
        other => other.as_i64().unwrap_or(0),
    }
}

fn replica_set(errors: &mut Errors, set: &Node) {
    let (place, spec) = (Place::ROOT.child("spec"), set.sub("spec"));
    errors.not_negative(&place.child("replicas"), spec.int("replicas"));
    errors.not_negative(&place.child("minReadySeconds"), spec.int("minReadySeconds"));
    match selector_needed(errors, &place, spec, "deployment") {
        true => template(errors, &place, spec, "ReplicaSet"),
        false => {
            let shown = selector::value(spec.sub("selector"));
            errors.invalid(&place.child("selector"), shown, "invalid label selector");
        }
    }
}

fn daemon_set(errors: &mut Errors, set: &Node) {
    let (place, spec) = (Place::ROOT.child("spec"), set.sub("spec"));
    let (selector, pods) = (spec.sub("selector"), spec.sub("template"));
    let selector_place = place.child("selector");
    selector::check(errors, &selector_place, selector);
    let template_place = place.child("template");
    if selector::is_usable(selector) {
        pod::check_matches(errors, &template_place, selector, pods);
    }
    if selector::is_empty(selector) {
        let text = "empty selector is invalid for daemonset";
        errors.invalid(&selector_place, selector::value(selector), text);
    }
    pod::check_template(errors, &template_place, pods);
    pod::check_runs_always(errors, &template_place, pods, "DaemonSet");
    errors.not_negative(&place.child("minReadySeconds"), spec.int("minReadySeconds"));
    let (strategy_place, strategy) = (place.child("updateStrategy"), spec.sub("updateStrategy"));
    match strategy.text("type") {
        "OnDelete" => {}
        "RollingUpdate" => {
            let rolling_place = strategy_place.child("rollingUpdate");
            let rolling = strategy.sub("rollingUpdate");
            if rolling.is_null() {
                errors.required(&rolling_place, "");
            } else {
                let (unavailable, surge) = (rolling.sub("maxUnavailable"), rolling.sub("maxSurge"));
                for (key, value) in [("maxUnavailable", unavailable), ("maxSurge", surge)] {
                    int_or_percent(errors, &rolling_place.child(key), value);
                    at_most_all(errors, &rolling_place.child(key), value);
                }
                match (value_of(unavailable) != 0, value_of(surge) != 0) {
                    (true, true) => {
                        let text = "may not be set when maxUnavailable is non-zero";
                        errors.invalid(&rolling_place.child("maxSurge"), surge, text);
                    }
                    (false, false) => {
                        let text = "cannot be 0 when maxSurge is 0";
                        errors.invalid(&rolling_place.child("maxUnavailable"), unavailable, text);
                    }
                    _ => {}
                }
            }
        }
        other => {
            let kinds = ["RollingUpdate", "OnDelete"];
            errors.push(FieldError::not_supported(
                strategy_place.child("type"),
                other,
                kinds,
            ));
        }
    }
    errors.not_negative(
        &place.child("revisionHistoryLimit"),
        spec.int("revisionHistoryLimit"),
    );
}

fn stateful_set(errors: &mut Errors, set: &Node) {
    let (place, spec) = (Place::ROOT.child("spec"), set.sub("spec"));
    match spec.text("podManagementPolicy") {
        "" => errors.required(&place.child("podManagementPolicy"), ""),
        "OrderedReady" | "Parallel" => {}
        other => {
            let text = "must be 'OrderedReady' or 'Parallel'";
            errors.invalid(&place.child("podManagementPolicy"), other, text);
        }
    }
    update_strategy(
        errors,
        &place.child("updateStrategy"),
        spec.sub("updateStrategy"),
    );
    let retention = place.child("persistentVolumeClaimRetentionPolicy");
    for key in ["whenDeleted", "whenScaled"] {
        let policy = spec.sub("persistentVolumeClaimRetentionPolicy").text(key);
        errors.optional_one_of(&retention.child(key), policy, &["Retain", "Delete"]);
    }
    errors.not_negative(&place.child("replicas"), spec.int("replicas"));
    errors.not_negative(&place.child("minReadySeconds"), spec.int("minReadySeconds"));
    errors.not_negative(
        &place.child("ordinals.start"),
        spec.sub("ordinals").int("start"),
    );
    match selector_needed(errors, &place, spec, "statefulset") {
        true => template(errors, &place, &with_claimed_volumes(spec), "StatefulSet"),
        false => errors.invalid(
            &place.child("selector"),
            selector::value(spec.sub("selector")),
            "",
        ),
    }
    errors.not_negative(
        &place.child("revisionHistoryLimit"),
        spec.int("revisionHistoryLimit"),
    );
    let service = spec.text("serviceName");
    if !service.is_empty() {
        errors.invalid_each(&place.child("serviceName"), service, names::label(service));
    }
    let claims = place.child("volumeClaimTemplates");
    for (at, claim) in spec.items("volumeClaimTemplates").iter().enumerate() {
        let place = claims.index(at);
        let name = claim.sub("metadata").text("name");
        match name {
            "" => errors.required(
                &place.child("metadata.name"),
                "name or generateName is required",
            ),
            name => {
                errors.invalid_each(&place.child("metadata.name"), name, names::subdomain(name))
            }
        }
        storage::claim_spec(errors, &place.child("spec"), claim.sub("spec"));
    }
}

fn update_strategy(errors: &mut Errors, place: &Place<'_>, strategy: &Node) {
    let rolling = strategy.sub("rollingUpdate");
    match strategy.text("type") {
        "" => errors.required(place, ""),
        "OnDelete" if !rolling.is_null() => {
            let members = [
                ("Partition", "partition", "0"),
                ("MaxUnavailable", "maxUnavailable", "null"),
            ];
            let text = "only allowed for updateStrategy 'RollingUpdate'";
            let shown = internal::structure(rolling, &members);
            errors.invalid(&place.child("rollingUpdate"), shown, text);
        }
        "OnDelete" => {}
        "RollingUpdate" => {
            let place = place.child("rollingUpdate");
            errors.not_negative(&place.child("partition"), rolling.int("partition"));
            if rolling.has("maxUnavailable") {
                int_or_percent(
                    errors,
                    &place.child("maxUnavailable"),
                    rolling.sub("maxUnavailable"),
                );
            }
        }
        _ => {
            let members = [
                ("Type", "type", "\"\""),
                ("RollingUpdate", "rollingUpdate", "null"),
            ];
            let shown = internal::structure(strategy, &members);
            errors.invalid(place, shown, "must be 'RollingUpdate' or 'OnDelete'");
        }
    }
}

/// Fields of a StatefulSet that may change.
const UPDATABLE: [&str; 7] = [
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
];

fn stateful_set_update(errors: &mut Errors, new: &Node, old: &Node) {
    let fixed = |set: &Node| {
        let mut spec = set.sub("spec").clone();
        for key in UPDATABLE {
            spec.remove(&[key]);
        }
        spec
    };
    if fixed(new) != fixed(old) {
        let text = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
        errors.forbidden(&Place::ROOT.child("spec"), text);
    }
}

fn replication_controller(errors: &mut Errors, controller: &Node) {
    let (place, spec) = (Place::ROOT.child("spec"), controller.sub("spec"));
    errors.not_negative(&place.child("minReadySeconds"), spec.int("minReadySeconds"));
    let wanted = spec.entries("selector");
    if wanted.is_empty() {
        errors.required(&place.child("selector"), "");
    }
    errors.not_negative(&place.child("replicas"), spec.int("replicas"));
    let (place, template) = (place.child("template"), spec.sub("template"));
    if template.is_null() {
        return errors.required(&place, "");
    }
    let labels = template.sub("metadata").sub("labels");
    if !wanted
        .iter()
        .all(|(key, value)| labels.get(key) == Some(value))
    {
        let text = "`selector` does not match template `labels`";
        let shown = super::fields::labels_value(labels);
        errors.invalid(&place.child("metadata.labels"), shown, text);
    }
    pod::check_template(errors, &place, template);
    pod::check_runs_always(errors, &place, template, "ReplicationController");
}

fn revision(errors: &mut Errors, revision: &Node) {
    if !revision.has("data") {
        errors.required(&Place::ROOT.child("data"), "data is mandatory");
    }
    errors.not_negative(&Place::ROOT.child("revision"), revision.int("revision"));
}

fn revision_update(errors: &mut Errors, new: &Node, old: &Node) {
    immutable(errors, &Place::ROOT, "data", new, old);
}
