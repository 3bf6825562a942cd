//! Resources and subresources that are not plain objects.

use std::sync::Arc;

use crate::call::Call;
use crate::path::Route;
use crate::serve::Answer;
use crate::{Refusal, Request, ResourceType, pod_actions, scale};

/// Answers what is not plain create, read, update or delete; `None` for everything else.
pub(crate) fn perform(
    call: &mut Call<'_>,
    request: &Request,
    route: &Route,
) -> Option<Result<Answer, Refusal>> {
    if let Some(outcome) = crate::rbac::review(call, request, route) {
        return Some(outcome);
    }
    match route.subresource.as_str() {
        "scale" => Some(scale::perform(call, request, route)),
        "binding" => Some(pod_actions::bind(call, request, route)),
        "eviction" => Some(pod_actions::evict(call, request, route)),
        "log" => Some(pod_actions::log(call, route)),
        "" if route.resource.storage == "bindings" => Some(pod_actions::bind(call, request, route)),
        "exec" | "attach" | "portforward" | "proxy" => Some(Err(no_containers(&route.subresource))),
        _ => None,
    }
}

/// What a cluster without containers cannot do.
fn no_containers(subresource: &str) -> Refusal {
    let message = format!("{subresource} is not available: this cluster runs no containers");
    Refusal::new(501, "NotImplemented", message)
}

/// The type by which an answer is shown as a Table.
pub(crate) fn shown_as(route: &Route) -> Arc<ResourceType> {
    match route.subresource.as_str() {
        "scale" => Arc::new(scale::shown_as(&route.resource)),
        _ => route.resource.clone(),
    }
}
