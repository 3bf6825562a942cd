//! What a DataPlane or ClusterDataPlane needs now.
//!
//! Whether the cluster answers is not known here; whoever talks to it reports that in conditions
//! of its own, which stay untouched.

use std::sync::Arc;

use component::names::short_hash;
use object::{Object, ObjectKey, Text};

use super::component::waits_for;
use super::rendered;
use super::report::{FINALIZING, Report};
use super::subject::Subject;
use super::{Action, Decision, keys};

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
            report.warn(&findings);
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
