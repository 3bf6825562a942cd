//! The deepest cause of a workload that is not ready.

use std::collections::HashSet;
use std::fmt::Write as _;

use golang::Timestamp;
use object::{Node, Object};

use crate::assessment::Status;
use crate::generic::{assess, conditions};

/// Most generations of owned objects looked through: workload, ReplicaSet, pod and room to spare.
const OWNERS_MAX: usize = 8;

/// Longest text taken over from a server or a registry, in characters.
const DETAIL_CHARS_MAX: usize = 300;

/// Says in one sentence why `object` is not there yet; `None` when it is.
///
/// `related` holds objects that may belong to it, at least its pods and what stands between; they
/// are found by their owner references. Events among them that warn about one of these objects
/// say more where the object itself is silent, as about volumes and probes. The sentence counts ready pods and names the container
/// that is worst off, for example ``1 of 3 pods ready: container web: image `r/x:1` not found
/// (ImagePullBackOff)``.
pub fn explain(object: &Object, related: &[Object], now: Timestamp) -> Option<String> {
    let health = assess(object, now);
    if health.is_current() && object.kind() != "Pod" {
        return None;
    }
    let owned = owned_by(object, related);
    let own_pod = std::iter::once(object).filter(|object| object.kind() == "Pod");
    let pods: Vec<&Object> = own_pod
        .chain(owned.iter().copied().filter(|owned| owned.kind() == "Pod"))
        .filter(|pod| !pod.is_deleting())
        .collect();
    let causes = pods.iter().filter_map(|pod| {
        let cause = cause_of_pod(pod)?;
        let cause = with_warning(cause, latest_warning(pod, related));
        Some((*pod, cause))
    });
    let worst = causes.max_by(|(_, a), (_, b)| a.weight.cmp(&b.weight));
    if object.kind() == "Pod" {
        return worst.map(|(_, cause)| cause.sentence);
    }
    if let Some((pod, cause)) = worst {
        let total = wanted(object).unwrap_or(pods.len() as i64);
        // In a rollout, pods of the revision before may all be ready: they are not the trouble.
        let newest = pods.iter().max_by_key(|pod| created(pod));
        let rolls_out = newest.is_some_and(|newest| revision(newest) == revision(pod))
            && pods.iter().any(|other| revision(other) != revision(pod));
        let counts = |other: &&&Object| !rolls_out || revision(other) == revision(pod);
        let ready = pods
            .iter()
            .filter(counts)
            .filter(|pod| is_ready(pod))
            .count();
        let noun = match (total, rolls_out) {
            (1, false) => "pod",
            (_, false) => "pods",
            (1, true) => "new pod",
            (_, true) => "new pods",
        };
        return Some(format!(
            "{ready} of {total} {noun} ready: {}",
            cause.sentence
        ));
    }
    if let Some(refusal) = refused_creation(object, &owned) {
        let count = pods.len();
        return Some(format!("{count} pods exist: {refusal}"));
    }
    let own = std::iter::once(object).chain(owned.iter().copied());
    let warning = own
        .filter_map(|object| latest_warning(object, related))
        .next();
    if let Some(warning) = warning {
        return Some(format!("{} ({})", shorten(warning.message), warning.reason));
    }
    let child = owned.iter().find_map(|child| {
        let health = assess(child, now);
        let troubled = matches!(health.status, Status::Failed | Status::InProgress);
        let named = (troubled && !health.message.is_empty()).then_some(health.message)?;
        Some(format!("{}: {named}", child.key()))
    });
    child.or_else(|| (!health.message.is_empty()).then(|| shorten(&health.message)))
}

/// Which revision of its workload a pod is of; empty when its labels do not say.
fn revision(pod: &Object) -> &str {
    let label = ["pod-template-hash", "controller-revision-hash"];
    let found = label.iter().find_map(|label| pod.label(label));
    found.unwrap_or_default()
}

/// When an object was created, as a text that sorts.
fn created(object: &Object) -> &str {
    let created = object.node.str_at(&["metadata", "creationTimestamp"]);
    created.unwrap_or_default()
}

/// What an event warns about.
#[derive(Clone, Copy)]
struct Warning<'o> {
    reason: &'o str,
    message: &'o str,
}

/// The latest warning about an object among events of both kinds.
fn latest_warning<'o>(about: &Object, related: &'o [Object]) -> Option<Warning<'o>> {
    let uid = about.uid();
    let warns = |event: &&Object| {
        let text = |keys: &[&str]| event.node.str_at(keys).unwrap_or_default();
        event.kind() == "Event"
            && text(&["type"]) == "Warning"
            && (text(&["involvedObject", "uid"]) == uid || text(&["regarding", "uid"]) == uid)
    };
    if uid.is_empty() {
        return None;
    }
    let latest = related.iter().filter(warns).max_by_key(|event| {
        let times: [&[&str]; 5] = [
            &["series", "lastObservedTime"],
            &["lastTimestamp"],
            &["deprecatedLastTimestamp"],
            &["eventTime"],
            &["metadata", "creationTimestamp"],
        ];
        let mut times = times.iter().filter_map(|keys| event.node.str_at(keys));
        let parsed: Option<Timestamp> = times.next().and_then(|time| time.parse().ok());
        parsed.map(Timestamp::unix)
    })?;
    let text = |key: &str| latest.node.str_at(&[key]).unwrap_or_default();
    let message = if text("message").is_empty() {
        text("note")
    } else {
        text("message")
    };
    Some(Warning {
        reason: text("reason"),
        message,
    })
}

/// Most telling cause to which a warning adds something: whatever the pod itself explains is
/// newer and clearer than an event.
const VAGUE: u8 = 20;

fn with_warning(mut cause: Cause, warning: Option<Warning<'_>>) -> Cause {
    let Some(warning) = warning.filter(|_| cause.weight <= VAGUE) else {
        return cause;
    };
    let message = warning.message;
    let message = message
        .strip_prefix("Readiness probe failed: ")
        .unwrap_or(message);
    let _ = write!(
        cause.sentence,
        ": {} ({})",
        shorten(message),
        warning.reason
    );
    cause.weight += VAGUE;
    cause
}

/// A reason why a pod is not ready, and how telling it is.
struct Cause {
    weight: u8,
    sentence: String,
}

impl Cause {
    fn new(weight: u8, sentence: impl Into<String>) -> Option<Self> {
        Some(Self {
            weight,
            sentence: sentence.into(),
        })
    }
}

fn cause_of_pod(pod: &Object) -> Option<Cause> {
    if is_ready(pod) || pod.node.str_at(&["status", "phase"]) == Some("Succeeded") {
        return None;
    }
    let named = |list: &str, word: &str| -> Option<Cause> {
        let statuses = pod.node.at(&["status", list])?.as_list()?;
        let causes = statuses.iter().filter_map(|status| {
            let mut cause = cause_of_container(status)?;
            let name = status.str_at(&["name"]).unwrap_or("?");
            cause.sentence.insert_str(0, &format!("{word} {name}: "));
            Some(cause)
        });
        causes.max_by(|a, b| a.weight.cmp(&b.weight))
    };
    let containers = [
        named("initContainerStatuses", "init container"),
        named("containerStatuses", "container"),
    ];
    let containers = containers.into_iter().flatten();
    let worst = containers.max_by(|a, b| a.weight.cmp(&b.weight));
    worst.or_else(|| cause_of_phase(pod))
}

fn cause_of_phase(pod: &Object) -> Option<Cause> {
    let scheduled = conditions(pod).find(|condition| condition.kind == "PodScheduled");
    if let Some(condition) = scheduled
        && condition.status == "False"
    {
        let detail = shorten(condition.message);
        return Cause::new(60, format!("no node fits: {detail} ({})", condition.reason));
    }
    let text = |key: &str| pod.node.str_at(&["status", key]).unwrap_or_default();
    let (phase, reason, message) = (text("phase"), text("reason"), text("message"));
    match phase {
        "Failed" if !reason.is_empty() => Cause::new(
            65,
            format!("the pod failed: {} ({reason})", shorten(message)),
        ),
        "Failed" => Cause::new(65, "the pod failed"),
        "" => Cause::new(5, "the pod is not scheduled yet"),
        "Running" => Cause::new(15, "the pod runs but is not ready"),
        _ => Cause::new(10, "the pod is starting"),
    }
}

fn cause_of_container(status: &Node) -> Option<Cause> {
    if status.get("ready").and_then(Node::as_bool) == Some(true) {
        return None;
    }
    let waiting = |key: &str| {
        status
            .str_at(&["state", "waiting", key])
            .unwrap_or_default()
    };
    let (reason, message) = (waiting("reason"), waiting("message"));
    let image = status.str_at(&["image"]).unwrap_or_default();
    match reason {
        "" => {}
        "ImagePullBackOff"
        | "ErrImagePull"
        | "InvalidImageName"
        | "ErrImageNeverPull"
        | "RegistryUnavailable" => {
            return Cause::new(90, format!("{} ({reason})", image_trouble(image, message)));
        }
        "CrashLoopBackOff" => {
            let restarts = status
                .get("restartCount")
                .and_then(Node::as_i64)
                .unwrap_or(0);
            let last = ended(status, "lastState").unwrap_or_else(|| "it ends".to_owned());
            let noun = if restarts == 1 { "restart" } else { "restarts" };
            return Cause::new(80, format!("{last}, {restarts} {noun} (CrashLoopBackOff)"));
        }
        "ContainerCreating" | "PodInitializing" => {
            return Cause::new(10, format!("not started yet ({reason})"));
        }
        _ if message.is_empty() => return Cause::new(70, format!("cannot start ({reason})")),
        _ => return Cause::new(70, format!("{} ({reason})", shorten(message))),
    }
    if let Some(end) = ended(status, "state") {
        let zero = status.at(&["state", "terminated", "exitCode"]) == Some(&Node::Int(0));
        return if zero { None } else { Cause::new(75, end) };
    }
    let running = status.at(&["state", "running"]).is_some();
    if running {
        return Cause::new(20, "running, but its readiness probe has not passed");
    }
    None
}

/// How a container ended, from `state` or `lastState`.
fn ended(status: &Node, state: &str) -> Option<String> {
    let end = status.at(&[state, "terminated"])?;
    let code = end.get("exitCode").and_then(Node::as_i64).unwrap_or(0);
    let reason = end.str_at(&["reason"]).unwrap_or_default();
    let message = end.str_at(&["message"]).unwrap_or_default();
    let mut sentence = match reason {
        "OOMKilled" => "killed because it used more memory than its limit (OOMKilled)".to_owned(),
        "" | "Error" | "Completed" => format!("ended with exit code {code}"),
        other => format!("ended with exit code {code} ({other})"),
    };
    if !message.trim().is_empty() {
        let last = message.trim().lines().last().unwrap_or_default();
        let _ = write!(sentence, ": {}", shorten(last));
    }
    Some(sentence)
}

/// What keeps an image from being pulled, from the words of the container runtime.
fn image_trouble(image: &str, message: &str) -> String {
    let lower = message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if says(&["not found", "manifest unknown", "notfound"]) {
        return format!("image `{image}` not found");
    }
    if says(&[
        "unauthorized",
        "denied",
        "forbidden",
        "authentication",
        "401",
        "403",
    ]) {
        return format!("image `{image}` may not be pulled: the registry refuses access");
    }
    if says(&["no such host", "timeout", "connection refused", "i/o"]) {
        return format!("image `{image}` cannot be pulled: its registry does not answer");
    }
    if says(&["toomanyrequests", "rate limit", "429"]) {
        return format!("image `{image}` cannot be pulled: the registry limits requests");
    }
    if says(&[
        "invalid reference",
        "couldn't parse image",
        "invalid image name",
    ]) {
        return format!("image `{image}` is no valid image name");
    }
    format!("image `{image}` cannot be pulled")
}

/// Why a controller could not create pods, in the words of the server.
fn refused_creation(object: &Object, owned: &[&Object]) -> Option<String> {
    let all = owned.iter().copied().chain(std::iter::once(object));
    let mut failures = all.flat_map(|object| {
        conditions(object)
            .filter(|condition| condition.kind == "ReplicaFailure" && condition.status == "True")
    });
    let failure = failures.next()?;
    Some(format!("{} ({})", shorten(failure.message), failure.reason))
}

fn is_ready(pod: &Object) -> bool {
    conditions(pod).any(|condition| condition.kind == "Ready" && condition.status == "True")
}

/// How many pods the workload asks for, where its kind says so.
fn wanted(object: &Object) -> Option<i64> {
    let keys: &[&str] = match object.kind() {
        "Deployment" | "StatefulSet" | "ReplicaSet" => &["spec", "replicas"],
        "DaemonSet" => &["status", "desiredNumberScheduled"],
        "Job" => &["spec", "parallelism"],
        _ => return None,
    };
    let count = object.node.at(keys).and_then(Node::as_i64);
    count.or(Some(1).filter(|_| object.kind() != "DaemonSet"))
}

/// The objects that belong to `object` by their owner references, over several generations.
fn owned_by<'o>(object: &Object, related: &'o [Object]) -> Vec<&'o Object> {
    let mut found = Vec::new();
    let mut owners: HashSet<&str> = HashSet::new();
    let root = object.uid().to_owned();
    if root.is_empty() {
        return found;
    }
    owners.insert(&root);
    let mut taken = vec![false; related.len()];
    for _ in 0..OWNERS_MAX {
        let before = found.len();
        for (at, candidate) in related.iter().enumerate() {
            if !taken[at] && has_owner(candidate, &owners) {
                taken[at] = true;
                found.push(candidate);
            }
        }
        if found.len() == before {
            break;
        }
        let uids = found[before..].iter().map(|object| object.uid());
        owners.extend(uids.filter(|uid| !uid.is_empty()));
    }
    found
}

fn has_owner(object: &Object, owners: &HashSet<&str>) -> bool {
    let references = object.node.at(&["metadata", "ownerReferences"]);
    let references = references.and_then(Node::as_list).unwrap_or_default();
    let mut uids = references.iter().filter_map(|owner| owner.str_at(&["uid"]));
    uids.any(|uid| owners.contains(uid))
}

/// The text in one line, cut where it gets long.
fn shorten(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(DETAIL_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}
