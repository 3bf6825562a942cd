//! Admission: what a cluster asks of writes beyond the rules of their kind.

use object::Node;

use crate::call::{Call, Target, finalizers, is_deleting, set_finalizers};
use crate::status::Cause;
use crate::{Refusal, classes, crds, limits, pod_security, pods, policies, protection, quota};

/// Changes an object on its way in, or refuses it. `object` is new, `live` what it replaces.
pub(crate) fn mutate(
    call: &mut Call<'_>,
    target: &Target<'_>,
    object: &mut Node,
    live: Option<&Node>,
) -> Result<(), Refusal> {
    if live.is_none() {
        namespace_exists(call, target, crate::call::meta(object, "name"))?;
        crds::admit(call, target, crate::call::meta(object, "name"))?;
        match target.resource.storage.as_str() {
            "pods" => {
                pods::admit(call, target, object)?;
                limits::set_defaults(call, target, object);
            }
            "persistentvolumeclaims" => {
                classes::for_claim(call, object);
                protect(object, protection::CLAIM);
            }
            "ingresses.networking.k8s.io" => classes::for_ingress(call, object),
            "persistentvolumes" => protect(object, protection::VOLUME),
            _ => {}
        }
    }
    if let Some(live) = live
        && target.resource.storage == "pods"
        && target.subresource.is_empty()
    {
        pods::admit_update(object, live);
    }
    policies::mutate(call, target, object, live)
}

/// Refuses a change that may not be. `object` is `None` when it is deleted.
pub(crate) fn validate(
    call: &mut Call<'_>,
    target: &Target<'_>,
    object: Option<&Node>,
    live: Option<&Node>,
) -> Result<(), Refusal> {
    if let (Some(claim), Some(live), "persistentvolumeclaims", "") = (
        object,
        live,
        target.resource.storage.as_str(),
        target.subresource,
    ) {
        classes::check_growth(target, call.state, claim, live)?;
    }
    policies::validate(call, target, object, live)?;
    if let Some(object) =
        object.filter(|_| matches!(target.subresource, "" | "ephemeralcontainers"))
    {
        pod_security::check(call, target, object, live)?;
    }
    let Some(object) =
        object.filter(|_| target.resource.namespaced && target.subresource.is_empty())
    else {
        return Ok(());
    };
    if live.is_none() {
        limits::check(call, target, object)?;
    }
    quota::check(call, target, object, live)
}

/// Storage in use is not deleted: whoever uses it, or finds it unused, drops the finalizer.
fn protect(object: &mut Node, finalizer: &str) {
    let mut finalizers = finalizers(object);
    if !finalizers.iter().any(|name| name == finalizer) {
        finalizers.push(finalizer.into());
        set_finalizers(object, &finalizers);
    }
}

/// Nothing is created where no namespace is, or in one that is going away.
///
/// # Source
/// kubernetes/apiserver `pkg/admission/plugin/namespace/lifecycle/admission.go`.
fn namespace_exists(call: &Call<'_>, target: &Target<'_>, name: &str) -> Result<(), Refusal> {
    let resource = target.resource;
    if !resource.namespaced
        || target.namespace.is_empty()
        || resource.kind == "LocalSubjectAccessReview"
    {
        return Ok(());
    }
    let Some(namespace) = call.state.get("namespaces", "", target.namespace) else {
        let message = format!("namespaces {:?} not found", target.namespace);
        return Err(Refusal {
            name: target.namespace.into(),
            kind: "namespaces".into(),
            ..Refusal::new(404, "NotFound", message)
        });
    };
    if !is_deleting(namespace) {
        return Ok(());
    }
    let problem = format!(
        "unable to create new content in namespace {} because it is being terminated",
        target.namespace
    );
    let mut refusal = Refusal::not_admitted(resource, name, &problem);
    refusal.causes.push(Cause {
        reason: "NamespaceTerminating".into(),
        message: format!("namespace {} is being terminated", target.namespace),
        field: "metadata.namespace".into(),
    });
    Err(refusal)
}
