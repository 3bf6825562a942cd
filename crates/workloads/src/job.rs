//! Jobs: pods that end, until enough have.

use golang::{Duration, Timestamp};
use object::{Node, Object};

use crate::conditions::Conditions;
use crate::pod::{is_active, ready_since};
use crate::template::{self, number};
use crate::view::{View, Writes, int};

const JOBS: &str = "jobs.batch";
const INDEX: &str = "batch.kubernetes.io/job-completion-index";

/// What the controller would do about one Job.
pub(crate) fn reconcile(view: &dyn View, job: &Object, now: Timestamp) -> Writes {
    let mut writes = Writes::default();
    if job.is_deleting() {
        return writes;
    }
    let mut conditions = Conditions::of(job);
    let ended = conditions.is_true("Complete") || conditions.is_true("Failed");
    if ended {
        expire(job, now, &mut writes);
        return writes;
    }
    let pods = view.owned("pods", job);
    let phase = |pod: &&Object, wanted: &str| pod.node.str_at(&["status", "phase"]) == Some(wanted);
    let active: Vec<&Object> = pods.iter().filter(|pod| is_active(pod)).collect();
    let succeeded = pods.iter().filter(|pod| phase(pod, "Succeeded")).count() as i64;
    let failed = pods.iter().filter(|pod| phase(pod, "Failed")).count() as i64;
    let parallelism = int(job, &["spec", "parallelism"], 1);
    let completions = int(job, &["spec", "completions"], parallelism.max(1));
    let suspended = job.node.at(&["spec", "suspend"]).and_then(Node::as_bool) == Some(true);
    let mut status = job.node.get("status").cloned().unwrap_or(Node::map());
    if suspended {
        for pod in &active {
            writes.delete("pods", pod);
        }
        let words = ("JobSuspended", "Job suspended");
        conditions.set("Suspended", true, words, now);
        status.remove(&["startTime"]);
        put_counts(&mut status, 0, 0, succeeded, failed);
        status.set(&["conditions"], conditions.into_node());
        writes.status(JOBS, job, status);
        return writes;
    }
    if conditions.is_true("Suspended") {
        conditions.set("Suspended", false, ("JobResumed", "Job resumed"), now);
    }
    let started = status
        .str_at(&["startTime"])
        .and_then(|text| text.parse().ok());
    let start: Timestamp = started.unwrap_or(now);
    status.set(&["startTime"], start.to_string());
    let deadline = job
        .node
        .at(&["spec", "activeDeadlineSeconds"])
        .and_then(Node::as_i64);
    let deadline = deadline.map(|seconds| start.plus(Duration::from_seconds(seconds)));
    let verdict = if succeeded >= completions {
        Some((
            "Complete",
            "SuccessCriteriaMet",
            "CompletionsReached",
            "Reached expected number of succeeded pods",
        ))
    } else if failed > int(job, &["spec", "backoffLimit"], 6) {
        Some((
            "Failed",
            "FailureTarget",
            "BackoffLimitExceeded",
            "Job has reached the specified backoff limit",
        ))
    } else if deadline.is_some_and(|deadline| deadline <= now) {
        Some((
            "Failed",
            "FailureTarget",
            "DeadlineExceeded",
            "Job was active longer than specified deadline",
        ))
    } else {
        None
    };
    let mut running = active.len() as i64;
    match verdict {
        Some((kind, before, reason, message)) => {
            for pod in &active {
                writes.delete("pods", pod);
            }
            running = 0;
            conditions.set(before, true, (reason, message), now);
            conditions.set(kind, true, (reason, message), now);
            if kind == "Complete" {
                status.set(&["completionTime"], now.to_string());
            }
            expire(job, now, &mut writes);
        }
        None => {
            let missing = parallelism.min(completions - succeeded) - running;
            for nth in 0..missing.max(0) {
                create(view, job, &pods, nth, &mut writes);
            }
            if let Some(deadline) = deadline {
                writes.wake_at(deadline);
            }
        }
    }
    let ready = active
        .iter()
        .filter(|pod| ready_since(pod).is_some())
        .count() as i64;
    put_counts(
        &mut status,
        running,
        if running > 0 { ready } else { 0 },
        succeeded,
        failed,
    );
    let conditions = conditions.into_node();
    if conditions.as_list().is_some_and(|list| !list.is_empty()) {
        status.set(&["conditions"], conditions);
    }
    writes.status(JOBS, job, status);
    writes
}

fn put_counts(status: &mut Node, active: i64, ready: i64, succeeded: i64, failed: i64) {
    for (key, count) in [
        ("active", active),
        ("succeeded", succeeded),
        ("failed", failed),
    ] {
        match count {
            0 => {
                status.remove(&[key]);
            }
            count => status.set(&[key], count),
        }
    }
    status.set(&["ready"], ready);
    status.set(&["terminating"], 0i64);
    status.set(&["uncountedTerminatedPods"], Node::map());
}

fn create(view: &dyn View, job: &Object, pods: &[Object], nth: i64, writes: &mut Writes) {
    let indexed = job.node.str_at(&["spec", "completionMode"]) == Some("Indexed");
    let taken = |index: i64| {
        pods.iter().any(|pod| {
            let failed = pod.node.str_at(&["status", "phase"]) == Some("Failed");
            pod.annotation(INDEX) == Some(&index.to_string()) && !failed
        })
    };
    let draw = number(job.name()).wrapping_add(nth as u64 + pods.len() as u64);
    let mut pod = template::pod(view, job, &[], draw);
    let mut name = format!("{}-", job.name());
    if indexed {
        let free = (0..).filter(|index| !taken(*index)).nth(nth as usize);
        let index = free.unwrap_or(nth).to_string();
        pod.set(&["metadata", "annotations", INDEX], index.as_str());
        pod.set(&["metadata", "labels", INDEX], index.as_str());
        name.push_str(&format!("{index}-"));
    }
    pod.set(&["metadata", "generateName"], name);
    writes.create("pods", pod, job);
}

/// Deletes an ended Job when its time to live is over.
fn expire(job: &Object, now: Timestamp, writes: &mut Writes) {
    let seconds = job
        .node
        .at(&["spec", "ttlSecondsAfterFinished"])
        .and_then(Node::as_i64);
    let conditions = Conditions::of(job);
    let ended = ["Complete", "Failed"].iter().find_map(|kind| {
        let condition = conditions.get(kind)?;
        condition
            .str_at(&["lastTransitionTime"])?
            .parse::<Timestamp>()
            .ok()
    });
    let Some(seconds) = seconds else {
        return;
    };
    let due = ended.unwrap_or(now).plus(Duration::from_seconds(seconds));
    if ended.is_some() && due <= now {
        writes.delete(JOBS, job);
    } else {
        writes.wake_at(due);
    }
}
