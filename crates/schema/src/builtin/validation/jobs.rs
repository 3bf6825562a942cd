//! Rules of the group batch.

use object::Node;

use super::{Errors, Fields, Rules, cron, immutable, names, pod, selector};
use crate::field_error::{FieldError, Place};

pub(super) const RULES: &[Rules] = &[
    Rules {
        of: "batch.v1.Job",
        object: job,
        update: job_update,
        update_first: false,
    },
    Rules {
        of: "batch.v1.CronJob",
        object: cron_job,
        update: super::any_update,
        update_first: false,
    },
];

/// Most completions of an indexed job whose pods can be told apart by host name.
const INDEXED_PARALLELISM_MAX: i64 = 100_000;

/// Most rules of a pod failure policy.
const FAILURE_RULES_MAX: usize = 20;

/// Bytes of the name of a job's manager.
const MANAGED_BY_BYTES_MAX: usize = 63;

fn job(errors: &mut Errors, job: &Node) {
    let (place, spec) = (Place::ROOT.child("spec"), job.sub("spec"));
    generated_selector(errors, &place, job);
    job_spec(errors, &place, spec);
    let selector = spec.sub("selector");
    match selector.is_null() {
        true => errors.required(&place.child("selector"), ""),
        false => selector::check(errors, &place.child("selector"), selector),
    }
    if selector::is_usable(selector) {
        pod::check_matches(
            errors,
            &place.child("template"),
            selector,
            spec.sub("template"),
        );
    }
    let completions = spec.number("completions");
    if spec.text("completionMode") == "Indexed" && completions > 0 {
        let name = job.sub("metadata").text("name");
        let host = format!("{name}-{}", completions - 1);
        if !names::label(&host).is_empty() {
            let text = format!("will not able to create pod with invalid DNS label: {host}");
            errors.invalid(&Place::ROOT.child("metadata.name"), name, text);
        }
    }
}

/// The selector and labels that tell the pods of one job from those of another, unless the user
/// took that on.
fn generated_selector(errors: &mut Errors, place: &Place<'_>, job: &Node) {
    let (metadata, spec) = (job.sub("metadata"), job.sub("spec"));
    let selector = spec.sub("selector");
    if spec.flag("manualSelector") || selector.is_null() {
        return;
    }
    let (uid, name) = (metadata.text("uid"), metadata.text("name"));
    let labels = spec.sub("template").sub("metadata").sub("labels");
    let wanted = [
        ("batch.kubernetes.io/controller-uid", uid),
        ("batch.kubernetes.io/job-name", name),
        ("controller-uid", uid),
        ("job-name", name),
    ];
    let labels_place = place.child("template.metadata.labels");
    for (key, value) in wanted {
        let found = labels.text(key);
        if !labels.has(key) {
            errors.required(
                &labels_place.key(key),
                "must be set to auto-generated value",
            );
        } else if found != value {
            let text = format!("must be '{value}'");
            errors.invalid(&labels_place.key(key), found, text);
        }
    }
    let only_uid = selector.items("matchExpressions").is_empty()
        && selector.entries("matchLabels").iter().all(|(key, value)| {
            matches!(
                *key,
                "batch.kubernetes.io/controller-uid" | "controller-uid"
            ) && value.as_str() == Some(uid)
        })
        && selector.entries("matchLabels").len() == 1;
    if !only_uid {
        let text = "`selector` not auto-generated";
        errors.invalid(&place.child("selector"), selector::value(selector), text);
    }
}

fn job_spec(errors: &mut Errors, place: &Place<'_>, spec: &Node) {
    let numbers = [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    ];
    for key in numbers {
        errors.not_negative(&place.child(key), spec.int(key));
    }
    let (per_index, failed) = (
        spec.int("backoffLimitPerIndex"),
        spec.int("maxFailedIndexes"),
    );
    if failed.is_some() && per_index.is_none() {
        let place = place.child("backoffLimitPerIndex");
        errors.required(&place, "when maxFailedIndexes is specified");
    }
    if spec.has("managedBy") {
        let (place, manager) = (place.child("managedBy"), spec.text("managedBy"));
        match manager {
            "" => errors.required(&place, ""),
            manager => {
                for (part, text) in names::domain_prefixed(manager) {
                    errors.invalid(&place, part, text);
                }
            }
        }
        if manager.len() > MANAGED_BY_BYTES_MAX {
            errors.push(FieldError::too_long(place, MANAGED_BY_BYTES_MAX));
        }
    }
    let indexed = spec.text("completionMode") == "Indexed";
    let modes = ["NonIndexed", "Indexed"];
    errors.optional_one_of(
        &place.child("completionMode"),
        spec.text("completionMode"),
        &modes,
    );
    if indexed {
        let completions = spec.int("completions");
        if completions.is_none() {
            errors.required(
                &place.child("completions"),
                "when completion mode is Indexed",
            );
        }
        if let Some(parallelism) = spec.int("parallelism")
            && parallelism > INDEXED_PARALLELISM_MAX
        {
            let text = "must be less than or equal to 100000 when completion mode is Indexed";
            errors.invalid(&place.child("parallelism"), parallelism, text);
        }
        if let (Some(completions), Some(failed)) = (completions, failed)
            && failed > completions
        {
            let text = "must be less than or equal to completions";
            errors.invalid(&place.child("maxFailedIndexes"), failed, text);
        }
    } else if matches!(spec.text("completionMode"), "" | "NonIndexed") {
        for (key, value) in [
            ("backoffLimitPerIndex", per_index),
            ("maxFailedIndexes", failed),
        ] {
            if let Some(value) = value {
                errors.invalid(&place.child(key), value, "requires indexed completion mode");
            }
        }
    }
    if spec.has("podFailurePolicy") {
        failure_policy(errors, &place.child("podFailurePolicy.rules"), spec);
    }
    if spec.has("successPolicy") && !indexed {
        let text = "requires indexed completion mode";
        errors.invalid(
            &place.child("successPolicy"),
            spec.sub("successPolicy"),
            text,
        );
    }
    let (replacement, policy) = (
        place.child("podReplacementPolicy"),
        spec.text("podReplacementPolicy"),
    );
    match spec.has("podFailurePolicy") {
        true => errors.optional_one_of(&replacement, policy, &["Failed"]),
        false => errors.optional_one_of(&replacement, policy, &["Failed", "TerminatingOrFailed"]),
    }
    let template = place.child("template");
    pod::check_template(errors, &template, spec.sub("template"));
    let restart_place = template.child("spec.restartPolicy");
    match spec.sub("template").sub("spec").text("restartPolicy") {
        "Always" | "" => errors.required(&restart_place, "valid values: \"OnFailure\", \"Never\""),
        "Never" => {}
        "OnFailure" if spec.has("podFailurePolicy") => {
            let text = "only \"Never\" is supported when podFailurePolicy is specified";
            errors.invalid(&restart_place, "OnFailure", text);
        }
        other => errors.one_of(&restart_place, other, &["OnFailure", "Never"]),
    }
}

fn failure_policy(errors: &mut Errors, place: &Place<'_>, spec: &Node) {
    let rules = spec.sub("podFailurePolicy").items("rules");
    if rules.len() > FAILURE_RULES_MAX {
        errors.push(FieldError::too_many(place, rules.len(), FAILURE_RULES_MAX));
    }
    for (at, rule) in rules.iter().enumerate() {
        let place = place.index(at);
        let actions = ["Count", "FailIndex", "FailJob", "Ignore"];
        errors.required_one_of(&place.child("action"), rule.text("action"), &actions);
        if rule.text("action") == "FailIndex" && !spec.has("backoffLimitPerIndex") {
            let text = "requires the backoffLimitPerIndex to be set";
            errors.invalid(&place.child("action"), "FailIndex", text);
        }
        let (codes, conditions) = (rule.sub("onExitCodes"), rule.items("onPodConditions"));
        if !codes.is_null() {
            let place = place.child("onExitCodes");
            errors.required_one_of(
                &place.child("operator"),
                codes.text("operator"),
                &["In", "NotIn"],
            );
            let values = codes.items("values");
            if values.is_empty() {
                let text = "at least one value is required";
                errors.invalid(&place.child("values"), codes.sub("values"), text);
            }
            for (at, value) in values.iter().enumerate() {
                if codes.text("operator") == "In" && value.as_i64() == Some(0) {
                    let text = "must not be 0 for the In operator";
                    errors.invalid(&place.child("values").index(at), 0, text);
                }
            }
        }
        let conditions_place = place.child("onPodConditions");
        for (at, condition) in conditions.iter().enumerate() {
            let place = conditions_place.index(at);
            let kind = condition.text("type");
            errors.invalid_each(&place.child("type"), kind, names::qualified(kind));
            let status = condition.text("status");
            let known = ["False", "True", "Unknown"];
            errors.required_one_of(&place.child("status"), status, &known);
        }
        if !codes.is_null() && !conditions.is_empty() {
            let text = "specifying both OnExitCodes and OnPodConditions is not supported";
            errors.invalid(&place, rule, text);
        }
        if codes.is_null() && conditions.is_empty() {
            let text = "specifying one of OnExitCodes and OnPodConditions is required";
            errors.invalid(&place, rule, text);
        }
    }
}

fn job_update(errors: &mut Errors, new: &Node, old: &Node) {
    let place = Place::ROOT.child("spec");
    let (new, old) = (new.sub("spec"), old.sub("spec"));
    let completions = new.int("completions");
    if completions != old.int("completions") {
        let place = place.child("completions");
        match new.text("completionMode") == "Indexed" {
            false => errors.invalid(&place, new.sub("completions"), "field is immutable"),
            true if completions.is_some() && completions != new.int("parallelism") => {
                let text = "can only be modified in tandem with spec.parallelism";
                errors.invalid(&place, new.sub("completions"), text);
            }
            true => {}
        }
    }
    if new.sub("selector") != old.sub("selector") {
        let shown = selector::value(new.sub("selector"));
        errors.invalid(&place.child("selector"), shown, "field is immutable");
    }
    template_update(errors, &place, new, old);
    for key in [
        "completionMode",
        "podFailurePolicy",
        "backoffLimitPerIndex",
        "managedBy",
        "successPolicy",
    ] {
        if key == "podFailurePolicy" && new.sub(key) != old.sub(key) {
            let members = [("Rules", "rules", "null")];
            let mut policy = new.sub(key).clone();
            if policy.items("rules").is_empty() && !policy.is_null() {
                policy.set(&["rules"], Vec::new());
            }
            let shown = match policy.is_null() {
                true => (&policy).into(),
                false => super::internal::structure(&policy, &members),
            };
            errors.invalid(&place.child(key), shown, "field is immutable");
            continue;
        }
        immutable(errors, &place, key, new, old);
    }
}

/// The template is fixed, but a job that never ran may still be told where its pods go.
fn template_update(errors: &mut Errors, place: &Place<'_>, new: &Node, old: &Node) {
    let (template, mut before) = (new.sub("template"), old.sub("template").clone());
    // Whether it ran is told by its start time, which the status of the whole object holds; a job
    // that is resumed keeps being compared with its suspended form.
    if old.flag("suspend") {
        for keys in [
            ["spec", "nodeSelector"],
            ["spec", "tolerations"],
            ["spec", "schedulingGates"],
            ["metadata", "annotations"],
            ["metadata", "labels"],
        ] {
            match template.at(&keys) {
                Some(value) => before.set(&keys, value.clone()),
                None => {
                    before.remove(&keys);
                }
            }
        }
        let affinity = ["spec", "affinity", "nodeAffinity"];
        match template.at(&affinity) {
            Some(value) => before.set(&affinity, value.clone()),
            None => {
                before.remove(&affinity);
                if before
                    .at(&["spec", "affinity"])
                    .and_then(Node::as_map)
                    .is_some_and(|map| map.is_empty())
                {
                    before.remove(&["spec", "affinity"]);
                }
            }
        }
    }
    if *template != before {
        let shown = super::internal::value(template, "core.v1.PodTemplateSpec");
        errors.invalid(&place.child("template"), shown, "field is immutable");
    }
}

fn cron_job(errors: &mut Errors, job: &Node) {
    let (place, spec) = (Place::ROOT.child("spec"), job.sub("spec"));
    let schedule = spec.text("schedule");
    let schedule_place = place.child("schedule");
    if schedule.is_empty() {
        errors.required(&schedule_place, "");
    } else {
        if let Err(text) = cron::check(schedule) {
            errors.invalid(&schedule_place, schedule, text);
        }
        if schedule.contains("TZ") {
            let text = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
            errors.invalid(&schedule_place, schedule, text);
        }
    }
    errors.not_negative(
        &place.child("startingDeadlineSeconds"),
        spec.int("startingDeadlineSeconds"),
    );
    if spec.has("timeZone") {
        let zone = spec.text("timeZone");
        let place = place.child("timeZone");
        if zone.is_empty() {
            errors.invalid(&place, zone, "timeZone must be nil or non-empty string");
        } else if zone.eq_ignore_ascii_case("Local") {
            let text = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
            errors.invalid(&place, zone, text);
        } else if !cron::is_zone(zone) {
            errors.invalid(&place, zone, format!("unknown time zone {zone}"));
        }
    }
    let policies = ["Allow", "Forbid", "Replace"];
    let policy = spec.text("concurrencyPolicy");
    errors.required_one_of(&place.child("concurrencyPolicy"), policy, &policies);
    let template = spec.sub("jobTemplate").sub("spec");
    job_spec(errors, &place.child("jobTemplate.spec"), template);
    for key in ["successfulJobsHistoryLimit", "failedJobsHistoryLimit"] {
        errors.not_negative(&place.child(key), spec.int(key));
    }
}
