//! Whether what a release became is ready: the condition `ResourcesReady`.
//!
//! # Source
//! openchoreo/openchoreo `internal/controller/releasebinding/controller_status.go` at v1.2.3. On
//! purpose different: nothing is ready by what an earlier generation of the release became, and a
//! release that could not be applied is never ready.

use api::{ConditionStatus, Conditions};
use object::{Node, Object};

/// Most objects that a message names.
const SHOWN: usize = 5;

/// Kinds whose health says nothing about a component.
const SILENT: &[&str] = &[
    "ConfigMap",
    "Secret",
    "Role",
    "RoleBinding",
    "ClusterRole",
    "ClusterRoleBinding",
    "ServiceAccount",
    "NetworkPolicy",
];

/// Whether resources are ready, why, and in a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub ready: bool,
    pub reason: &'static str,
    pub message: String,
}

fn verdict(ready: bool, reason: &'static str, message: impl Into<String>) -> Verdict {
    Verdict {
        ready,
        reason,
        message: message.into(),
    }
}

/// One object of a data plane, as a release reports it.
struct Part<'a> {
    kind: &'a str,
    name: &'a str,
    health: &'a str,
}

/// What a release of a workload type has become.
pub(super) fn of(release: &Object, workload_type: &str) -> Verdict {
    let name = release.name();
    let status = release.node.get("status").cloned().unwrap_or_default();
    let conditions = Conditions::read(status.get("conditions"));
    let applied = conditions.get("ResourcesApplied");
    let observed = status.get("observedGeneration").and_then(Node::as_i64);
    let observed = observed.unwrap_or_default();
    // Also of a release that was never applied, because nobody could.
    if let Some(applied) = applied
        && applied.status != ConditionStatus::True
        && applied.observed_generation.max(observed) >= release.generation()
    {
        let message = format!("release `{name}` is not applied: {}", applied.message);
        return verdict(false, "ResourceApplyFailed", message);
    }
    if observed < release.generation() {
        let message = format!("release `{name}` is not applied yet");
        return verdict(false, "ResourcesProgressing", message);
    }
    let parts = status.get("resources").and_then(Node::as_list);
    let parts: Vec<Part<'_>> = parts
        .unwrap_or_default()
        .iter()
        .map(|part| Part {
            kind: part.str_at(&["kind"]).unwrap_or_default(),
            name: part.str_at(&["name"]).unwrap_or_default(),
            health: part.str_at(&["healthStatus"]).unwrap_or("Unknown"),
        })
        .collect();
    let wanted = release.node.at(&["spec", "resources"]);
    let wanted = wanted.and_then(Node::as_list).map_or(0, <[Node]>::len);
    if parts.len() < wanted {
        let message = format!("{} of {wanted} objects are applied", parts.len());
        return verdict(false, "ResourcesProgressing", message);
    }
    let counted: Vec<&Part<'_>> = parts
        .iter()
        .filter(|part| !SILENT.contains(&part.kind))
        .collect();
    match workload_type {
        "deployment" => replicated("Deployment", &counted),
        "statefulset" => replicated("StatefulSet", &counted),
        "cronjob" => cron_job(&counted),
        "job" => job(&counted),
        _ => anything(&counted),
    }
}

/// Names the objects of a health, at most [`SHOWN`].
fn names<'a>(parts: impl IntoIterator<Item = &'a &'a Part<'a>>) -> String {
    let all: Vec<String> = parts
        .into_iter()
        .map(|part| format!("{} `{}`", part.kind, part.name))
        .collect();
    match all.len() {
        0..=SHOWN => all.join(", "),
        count => format!("{} and {} more", all[..SHOWN].join(", "), count - SHOWN),
    }
}

/// Objects of a kind, and all others.
fn split<'a>(kind: &str, parts: &[&'a Part<'a>]) -> (Vec<&'a Part<'a>>, Vec<&'a Part<'a>>) {
    parts.iter().partition(|part| part.kind == kind)
}

/// A verdict when any object has a health: which, ready or not, reason, and words after names.
type Rule = (&'static str, bool, &'static str, &'static str);

const DEGRADED: Rule = ("Degraded", false, "ResourcesDegraded", "degraded");
const PROGRESSING: Rule = ("Progressing", false, "ResourcesProgressing", "progressing");
const UNKNOWN: Rule = ("Unknown", false, "ResourcesUnknown", "in an unknown state");

/// The first rule that holds of any object.
fn judge(parts: &[&Part<'_>], rules: &[Rule]) -> Option<Verdict> {
    rules.iter().find_map(|(health, ready, reason, words)| {
        let own: Vec<_> = parts.iter().filter(|part| part.health == *health).collect();
        let verb = if own.len() == 1 { "is" } else { "are" };
        let message = || format!("{} {verb} {words}", names(own.iter().copied()));
        (!own.is_empty()).then(|| verdict(*ready, reason, message()))
    })
}

/// The verdict about the workload itself, or the one that everything is fine with it.
fn workload(
    kind: &str,
    parts: &[&Part<'_>],
    rules: &[Rule],
    fine: (&'static str, &str),
) -> Verdict {
    if parts.is_empty() {
        let message = format!("the release has no {kind}; see the resources of its component type");
        return verdict(false, "ResourcesProgressing", message);
    }
    judge(parts, rules).unwrap_or_else(|| verdict(true, fine.0, fine.1))
}

fn replicated(kind: &str, parts: &[&Part<'_>]) -> Verdict {
    let (primary, others) = split(kind, parts);
    let suspended = (
        "Suspended",
        true,
        "ReadyWithSuspendedResources",
        "suspended: it runs no pods",
    );
    let rules = [DEGRADED, PROGRESSING, UNKNOWN, suspended];
    let own = workload(kind, &primary, &rules, ("Ready", "all resources are ready"));
    match own.reason == "Ready" {
        true => judge(&others, &[DEGRADED]).unwrap_or(own),
        false => own,
    }
}

fn cron_job(parts: &[&Part<'_>]) -> Verdict {
    let (primary, _) = split("CronJob", parts);
    let suspended = ("Suspended", true, "CronJobSuspended", "suspended");
    let fine = ("CronJobScheduled", "the schedule is active");
    workload("CronJob", &primary, &[DEGRADED, UNKNOWN, suspended], fine)
}

fn job(parts: &[&Part<'_>]) -> Verdict {
    let (primary, _) = split("Job", parts);
    let failed = ("Degraded", false, "JobFailed", "failed");
    let running = ("Progressing", false, "JobRunning", "running");
    let suspended = ("Suspended", false, "JobRunning", "suspended");
    let rules = [failed, UNKNOWN, running, suspended];
    workload("Job", &primary, &rules, ("JobCompleted", "the job is done"))
}

fn anything(parts: &[&Part<'_>]) -> Verdict {
    judge(parts, &[DEGRADED, PROGRESSING, UNKNOWN])
        .unwrap_or_else(|| verdict(true, "Ready", "all resources are ready"))
}
