//! What a DataPlane or ClusterDataPlane needs now.
//!
//! Whether the cluster answers is not known by looking at objects; whoever talks to it reports that
//! by [`with_contact`] in conditions of its own, which stay untouched.

use std::sync::Arc;

use api::{ConditionStatus, Conditions};
use component::names::short_hash;
use golang::{Duration, Timestamp};
use object::{Node, Object, ObjectKey, Text};

use super::component::waits_for;
use super::rendered;
use super::report::{FINALIZING, Report};
use super::subject::Subject;
use super::{Action, Decision, keys};

/// Most objects that a condition names.
const ORPHANS_SHOWN: usize = 5;

/// Where the status remembers on which Secret our finalizer is.
const HELD_SECRET: &str = "kubeconfigSecret";

/// Namespace and name of the Secret with the kubeconfig of a data plane, if it names one.
///
/// A plane that is in no namespace may leave the Secret's away: then it is that of each release.
///
/// # Errors
/// A plane of one tenant cannot use a Secret of another.
pub fn kubeconfig_secret(plane: &Object) -> Result<Option<(Text, Text)>, String> {
    let Some(secret) = plane.annotation(keys::KUBECONFIG) else {
        return Ok(None);
    };
    let (namespace, name) = secret
        .split_once('/')
        .unwrap_or((plane.namespace(), secret));
    if !plane.namespace().is_empty() && namespace != plane.namespace() {
        return Err(format!(
            "annotation {} names Secret `{secret}` of another namespace; put it into `{}`",
            keys::KUBECONFIG,
            plane.namespace()
        ));
    }
    Ok(Some((namespace.into(), name.into())))
}

pub(super) fn next(subject: &Subject<'_>) -> Decision {
    if subject.object.is_deleting() {
        return finalize(subject);
    }
    if !subject.has_finalizer(keys::DATA_PLANE_FINALIZER) {
        return Decision::finalizer(keys::DATA_PLANE_FINALIZER, true);
    }
    let mut report = Report::new(subject);
    let secret = match kubeconfig_secret(&subject.object) {
        Ok(secret) => secret,
        Err(message) => {
            report.ready(false, "InvalidConfiguration", &message);
            return report.finish();
        }
    };
    match subject.readable() {
        Ok((_, findings)) => {
            report.warn(findings);
            report.ready(true, "Reconciled", "the data plane can be used");
        }
        Err(message) => report.ready(false, "InvalidConfiguration", &message),
    }
    let secret = secret.filter(|(namespace, _)| !namespace.is_empty());
    let known = held(subject).filter(|known| secret.as_ref() != Some(known));
    let secret = secret.map(|(namespace, name)| format!("{namespace}/{name}"));
    report.field(HELD_SECRET, secret.unwrap_or_default());
    let mut decision = report.finish();
    let let_go = known.map(|secret| let_go(subject, secret));
    decision.actions.splice(..0, let_go);
    decision
}

/// The Secret that the status says is held.
fn held(subject: &Subject<'_>) -> Option<(Text, Text)> {
    let known = subject.object.node.str_at(&["status", HELD_SECRET])?;
    let (namespace, name) = known.split_once('/')?;
    Some((namespace.into(), name.into()))
}

fn let_go(subject: &Subject<'_>, secret: (Text, Text)) -> Action {
    Action::LetSecretGo {
        secret,
        finalizer: secret_finalizer(subject.key),
    }
}

/// The finalizer that a data plane puts on the Secret with its kubeconfig.
///
/// A Secret that goes with its namespace has to stay as long as it leads to what is to be cleaned
/// up. Each plane has a finalizer of its own, as several may use one Secret.
pub fn secret_finalizer(plane: &ObjectKey) -> String {
    let own = format!("{}/{}/{}", plane.kind, plane.namespace, plane.name);
    format!("fleetwright.dev/plane-{}", short_hash(&own))
}

/// Lets a data plane go when nothing is left on it: cleaning up needs the way there.
fn finalize(subject: &Subject<'_>) -> Decision {
    if !subject.has_finalizer(keys::DATA_PLANE_FINALIZER) {
        return Decision::default();
    }
    let reference = format!("{}/{}", subject.key.kind, subject.name());
    let cluster_scoped = subject.namespace().is_empty();
    let on_it = |own: &Arc<Object>| {
        own.annotation(keys::DATA_PLANE) == Some(reference.as_str())
            && (cluster_scoped || own.namespace() == subject.namespace())
    };
    let releases: Vec<Arc<Object>> = rendered::KINDS
        .iter()
        .flat_map(|kind| subject.view.objects.list(kind))
        .filter(on_it)
        .collect();
    if releases.is_empty() {
        let mut decision = Decision::finalizer(keys::DATA_PLANE_FINALIZER, false);
        let let_go = held(subject).map(|secret| let_go(subject, secret));
        decision.actions.splice(..0, let_go);
        return decision;
    }
    let mut report = Report::new(subject);
    let message = format!(
        "releases are on it; delete their bindings or environments: {}",
        waits_for(&releases)
    );
    report.set(FINALIZING, true, "DeletionBlocked", &message);
    report.ready(false, "DeletionBlocked", &message);
    report.finish()
}

/// What is known of the cluster of a data plane by talking to it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contact {
    /// When it answered the last time, or when somebody began to ask.
    pub heard: Timestamp,
    /// Why it does not answer now, if it does not.
    pub problem: Option<String>,
    /// Objects on it that were made for releases that are not there, as far as their kinds are known.
    pub orphans: Vec<ObjectKey>,
}

/// Whether the cluster of a data plane answers; unknown when nothing was heard for some time.
pub const CONNECTED: &str = "Connected";

/// Whether objects are left of which nobody knows; present only while there are some.
const ORPHANED: &str = "ObjectsOrphaned";

/// Time between two questions whether a cluster is there.
pub const HEARTBEAT: Duration = Duration::from_seconds(30);

/// After so long without an answer nothing is known any more: three questions in a row.
const SILENCE_MAX: Duration = Duration::from_seconds(90);

/// The status of a data plane with what talking to its cluster has told.
///
/// Says the same as long as nothing changes, so that a heartbeat writes nothing.
pub fn with_contact(plane: &Object, contact: &Contact, now: Timestamp) -> Node {
    let mut status = plane.node.get("status").cloned();
    let mut status = status.take().filter(|own| own.as_map().is_some());
    let mut status = status.take().unwrap_or_else(Node::map);
    let mut conditions = Conditions::read(status.get("conditions"));
    let generation = plane.generation();
    let known = conditions.get(CONNECTED).map(|own| own.status);
    let connected = match &contact.problem {
        None => {
            let message = "the cluster answers";
            let state = (CONNECTED, ConditionStatus::True);
            conditions.set(state, CONNECTED, message, generation, now);
            Some(true)
        }
        Some(problem) if contact.heard.plus(SILENCE_MAX) <= now => {
            let state = (CONNECTED, ConditionStatus::Unknown);
            conditions.set(state, "HeartbeatExpired", problem, generation, now);
            Some(false)
        }
        Some(_) => known.map(|known| known == ConditionStatus::True),
    };
    if let Some(connected) = connected {
        let connection = ["agentConnection", "connected"];
        if status.at(&connection).and_then(Node::as_bool) != Some(connected) {
            let field = match connected {
                true => "lastConnectedTime",
                false => "lastDisconnectedTime",
            };
            status.set(&["agentConnection", field], now.to_string());
        }
        status.set(&connection, connected);
        // Upstream counts its agents; here the controller itself is one.
        status.set(
            &["agentConnection", "connectedAgents"],
            i64::from(connected),
        );
    }
    match contact.orphans.is_empty() {
        true => conditions.remove(ORPHANED),
        false => {
            let shown = contact.orphans.iter().take(ORPHANS_SHOWN);
            let mut shown: Vec<String> = shown.map(ToString::to_string).collect();
            let more = contact.orphans.len().saturating_sub(ORPHANS_SHOWN);
            if more > 0 {
                shown.push(format!("{more} more"));
            }
            let message = format!(
                "their labels name releases that are not there; delete what nobody needs: {}",
                shown.join(", ")
            );
            let state = (ORPHANED, ConditionStatus::True);
            conditions.set(state, ORPHANED, &message, generation, now);
        }
    }
    status.set(&["conditions"], conditions.to_node());
    status
}

/// Why nothing is known of what runs on a data plane, if nothing is.
pub(super) fn silent(plane: &Object) -> Option<String> {
    let conditions = Conditions::read(plane.node.at(&["status", "conditions"]));
    let connected = conditions.get(CONNECTED)?;
    (connected.status == ConditionStatus::Unknown).then(|| {
        format!(
            "{} `{}` does not answer: {}",
            plane.kind(),
            plane.name(),
            connected.message
        )
    })
}
