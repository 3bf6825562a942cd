//! Rules of built-in kinds.

use golang::Timestamp;
use object::{Node, Object};

use crate::assessment::{Assessment, Status};
use crate::generic::{Seen, conditions};

/// How long a pod may wait for a node before it counts as failed, in seconds.
///
/// # Source
/// kubernetes-sigs/cli-utils `pkg/kstatus/status/core.go`, `ScheduleWindow`.
const SCHEDULE_SECONDS_MAX: i64 = 15;

/// What a Deployment without a deadline has, and what its controller takes for none.
const NO_DEADLINE: i64 = i32::MAX as i64;

/// Assesses an object of a kind with rules of its own; `None` for all others.
pub(crate) fn assess(object: &Object, now: Timestamp) -> Option<Assessment> {
    let gvk = object.gvk();
    Some(match (gvk.group.as_str(), gvk.kind.as_str()) {
        ("", "Secret" | "ConfigMap") | ("batch", "CronJob") => {
            Assessment::current("Resource is always ready")
        }
        ("", "Service") => service(object),
        ("", "Pod") => pod(object, now),
        ("", "PersistentVolumeClaim") => claim(object),
        ("apps", "StatefulSet") => stateful_set(object),
        ("apps" | "extensions", "DaemonSet") => daemon_set(object),
        ("apps" | "extensions", "Deployment") => deployment(object),
        ("apps" | "extensions", "ReplicaSet") => replica_set(object),
        ("policy", "PodDisruptionBudget") => {
            Assessment::current("AllowedDisruptions has been computed.")
        }
        ("batch", "Job") => job(object),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition(object),
        _ => return None,
    })
}

fn service(object: &Object) -> Assessment {
    let balanced = text(object, &["spec", "type"]) == "LoadBalancer";
    if balanced && text(object, &["spec", "clusterIP"]).is_empty() {
        let message = "ClusterIP not set. Service type: LoadBalancer";
        return Assessment::in_progress("NoIPAssigned", message);
    }
    Assessment::current("Service is ready")
}

fn claim(object: &Object) -> Assessment {
    let phase = object
        .node
        .str_at(&["status", "phase"])
        .unwrap_or("unknown");
    if phase != "Bound" {
        return Assessment::in_progress("NotBound", format!("PVC is not Bound. phase: {phase}"));
    }
    Assessment::current("PVC is Bound")
}

fn stateful_set(object: &Object) -> Assessment {
    if text(object, &["spec", "updateStrategy", "type"]) == "OnDelete" {
        return Assessment::current("StatefulSet is using the ondelete update strategy");
    }
    let wanted = number(object, &["spec", "replicas"], 1);
    let all = number(object, &["status", "replicas"], 0);
    let ready = number(object, &["status", "readyReplicas"], 0);
    let updated = number(object, &["status", "updatedReplicas"], 0);
    let current = number(object, &["status", "currentReplicas"], 0);
    if wanted > all {
        return Assessment::in_progress("LessReplicas", format!("Replicas: {all}/{wanted}"));
    }
    if wanted > ready {
        return Assessment::in_progress("LessReady", format!("Ready: {ready}/{wanted}"));
    }
    if all > wanted {
        return extra(all.saturating_sub(wanted));
    }
    let partition = ["spec", "updateStrategy", "rollingUpdate", "partition"];
    let partition = number(object, &partition, -1);
    if partition != -1 {
        let due = wanted.saturating_sub(partition);
        if updated < due {
            let message = format!("updated: {updated}/{due}");
            return Assessment::in_progress("PartitionRollout", message);
        }
        let message = format!("Partition rollout complete. updated: {updated}");
        return Assessment::current(message);
    }
    if wanted > current {
        return Assessment::in_progress("LessCurrent", format!("current: {current}/{wanted}"));
    }
    if text(object, &["status", "currentRevision"]) != text(object, &["status", "updateRevision"]) {
        let message = "Waiting for updated revision to match current";
        return Assessment::in_progress("RevisionMismatch", message);
    }
    Assessment::current(format!(
        "All replicas scheduled as expected. Replicas: {all}"
    ))
}

fn deployment(object: &Object) -> Assessment {
    let deadline = number(object, &["spec", "progressDeadlineSeconds"], NO_DEADLINE);
    let mut progressing = deadline == NO_DEADLINE;
    let mut available = false;
    for condition in conditions(object) {
        match condition.kind {
            "Progressing" if condition.reason == "ProgressDeadlineExceeded" => {
                let mut failed = Assessment::failed(condition.reason, condition.message);
                failed.message = "Progress deadline exceeded".to_owned();
                return failed;
            }
            "Progressing" => {
                let done =
                    condition.status == "True" && condition.reason == "NewReplicaSetAvailable";
                progressing = progressing || done;
            }
            "Available" => available = available || condition.status == "True",
            _ => {}
        }
    }
    let wanted = number(object, &["spec", "replicas"], 1);
    let all = number(object, &["status", "replicas"], 0);
    let updated = number(object, &["status", "updatedReplicas"], 0);
    let ready = number(object, &["status", "readyReplicas"], 0);
    let usable = number(object, &["status", "availableReplicas"], 0);
    if wanted > all {
        return Assessment::in_progress("LessReplicas", format!("Replicas: {all}/{wanted}"));
    }
    if wanted > updated {
        return Assessment::in_progress("LessUpdated", format!("Updated: {updated}/{wanted}"));
    }
    if all > wanted {
        return extra(all.saturating_sub(wanted));
    }
    if updated > usable {
        return Assessment::in_progress("LessAvailable", format!("Available: {usable}/{updated}"));
    }
    if wanted > ready {
        return Assessment::in_progress("LessReady", format!("Ready: {ready}/{wanted}"));
    }
    if !progressing {
        return Assessment::in_progress("ReplicaSetNotAvailable", "ReplicaSet not Available");
    }
    if !available {
        return Assessment::in_progress("DeploymentNotAvailable", "Deployment not Available");
    }
    Assessment::current(format!("Deployment is available. Replicas: {all}"))
}

fn replica_set(object: &Object) -> Assessment {
    if has(object, "ReplicaFailure", "True").is_some() {
        let message = "Replica Failure condition. Check Pods";
        return Assessment::in_progress("ReplicaFailure", message);
    }
    let wanted = number(object, &["spec", "replicas"], 1);
    let all = number(object, &["status", "replicas"], 0);
    let ready = number(object, &["status", "readyReplicas"], 0);
    let usable = number(object, &["status", "availableReplicas"], 0);
    let labelled = number(object, &["status", "fullyLabeledReplicas"], 0);
    if wanted > labelled {
        return Assessment::in_progress("LessLabelled", format!("Labelled: {labelled}/{wanted}"));
    }
    if wanted > usable {
        return Assessment::in_progress("LessAvailable", format!("Available: {usable}/{wanted}"));
    }
    if wanted > ready {
        return Assessment::in_progress("LessReady", format!("Ready: {ready}/{wanted}"));
    }
    if all > wanted {
        return extra(all.saturating_sub(wanted));
    }
    Assessment::current(format!("ReplicaSet is available. Replicas: {all}"))
}

fn daemon_set(object: &Object) -> Assessment {
    for (keys, reason) in [
        (["metadata", "generation"], "NoGeneration"),
        (["status", "observedGeneration"], "NoObservedGeneration"),
    ] {
        if object.node.at(&keys).is_none() {
            let message = format!("{} {} not found", object.kind(), keys.join("."));
            return Assessment::in_progress(reason, message);
        }
    }
    let wanted = number(object, &["status", "desiredNumberScheduled"], -1);
    let current = number(object, &["status", "currentNumberScheduled"], 0);
    let updated = number(object, &["status", "updatedNumberScheduled"], 0);
    let usable = number(object, &["status", "numberAvailable"], 0);
    let ready = number(object, &["status", "numberReady"], 0);
    if wanted == -1 {
        let message = "Missing .status.desiredNumberScheduled";
        return Assessment::in_progress("NoDesiredNumber", message);
    }
    for (count, reason, word) in [
        (current, "LessCurrent", "Current"),
        (updated, "LessUpdated", "Updated"),
        (usable, "LessAvailable", "Available"),
        (ready, "LessReady", "Ready"),
    ] {
        if wanted > count {
            return Assessment::in_progress(reason, format!("{word}: {count}/{wanted}"));
        }
    }
    Assessment::current(format!(
        "All replicas scheduled as expected. Replicas: {wanted}"
    ))
}

fn pod(object: &Object, now: Timestamp) -> Assessment {
    match text(object, &["status", "phase"]) {
        "Succeeded" => Assessment::current("Pod has completed successfully"),
        "Failed" => Assessment::current("Pod has completed, but not successfully"),
        "Running" => {
            if has(object, "Ready", "True").is_some() {
                return Assessment::current("Pod is Ready");
            }
            let crashing = crash_looping(object);
            if !crashing.is_empty() {
                let names = crashing.join(",");
                let message = format!("Containers in CrashLoop state: {names}");
                return Assessment::failed("ContainerCrashLooping", message);
            }
            Assessment::in_progress("PodRunningNotReady", "Pod is running but is not Ready")
        }
        "Pending" => {
            let scheduled = has(object, "PodScheduled", "False");
            if scheduled.is_none_or(|condition| condition.reason != "Unschedulable") {
                return Assessment::in_progress("PodPending", "Pod is in the Pending phase");
            }
            let created: Option<Timestamp> = text(object, &["metadata", "creationTimestamp"])
                .parse()
                .ok();
            let age = created.map(|created| now.unix().saturating_sub(created.unix()));
            if age.is_some_and(|age| age < SCHEDULE_SECONDS_MAX) {
                return Assessment::in_progress("PodNotScheduled", "Pod has not been scheduled");
            }
            Assessment::failed("PodUnschedulable", "Pod could not be scheduled")
        }
        "" => Assessment::in_progress("PodNotObserved", "Pod phase not available"),
        other => Assessment::plain(Status::Unknown, format!("unknown phase {other}")),
    }
}

fn crash_looping(object: &Object) -> Vec<&str> {
    let statuses = object.node.at(&["status", "containerStatuses"]);
    let statuses = statuses.and_then(Node::as_list).unwrap_or_default();
    let crashing = statuses.iter().filter(|status| {
        status.str_at(&["state", "waiting", "reason"]) == Some("CrashLoopBackOff")
    });
    crashing
        .filter_map(|status| status.str_at(&["name"]))
        .collect()
}

fn job(object: &Object) -> Assessment {
    let suspended = object.node.at(&["spec", "suspend"]);
    if suspended.and_then(Node::as_bool) == Some(true) {
        return Assessment::current("Job is suspended");
    }
    let parallelism = number(object, &["spec", "parallelism"], 1);
    let completions = number(object, &["spec", "completions"], parallelism);
    let active = number(object, &["status", "active"], 0);
    let succeeded = number(object, &["status", "succeeded"], 0);
    let failed = number(object, &["status", "failed"], 0);
    for condition in conditions(object).filter(|condition| condition.status == "True") {
        match condition.kind {
            "Complete" => {
                let message = format!("Job Completed. succeeded: {succeeded}/{completions}");
                return Assessment::current(message);
            }
            "Failed" => {
                let message = format!("Job Failed. failed: {failed}/{completions}");
                return Assessment::failed("JobFailed", message);
            }
            _ => {}
        }
    }
    if text(object, &["status", "startTime"]).is_empty() {
        let message = format!("Job not started. active: 0/{parallelism}");
        return Assessment::in_progress("JobNotStarted", message);
    }
    let message =
        format!("Job in progress. success:{succeeded}, active: {active}, failed: {failed}");
    Assessment::in_progress("JobInProgress", message)
}

fn definition(object: &Object) -> Assessment {
    for condition in conditions(object) {
        match (condition.kind, condition.status) {
            ("NamesAccepted", "False") => {
                return Assessment::failed(condition.reason, condition.message);
            }
            ("Established", "False") if condition.reason != "Installing" => {
                return Assessment::failed(condition.reason, condition.message);
            }
            ("Established", "True") => return Assessment::current("CRD is established"),
            _ => {}
        }
    }
    Assessment::in_progress("Installing", "Install in progress")
}

fn extra(count: i64) -> Assessment {
    Assessment::in_progress("ExtraPods", format!("Pending termination: {count}"))
}

fn has<'o>(object: &'o Object, kind: &str, status: &str) -> Option<Seen<'o>> {
    conditions(object).find(|condition| condition.kind == kind && condition.status == status)
}

fn text<'o>(object: &'o Object, keys: &[&str]) -> &'o str {
    object.node.str_at(keys).unwrap_or_default()
}

/// The number at a place; `otherwise` when there is none or something else.
fn number(object: &Object, keys: &[&str], otherwise: i64) -> i64 {
    object
        .node
        .at(keys)
        .and_then(Node::as_i64)
        .unwrap_or(otherwise)
}
