//! Questions about identity and rights, asked as objects that are never stored.

use object::{Map, Node, Text};
use schema::{FieldError, FieldValue};

use super::{Attributes, Decision, User, authorize, rules_review};
use crate::call::{Call, Target};
use crate::decode::Expected;
use crate::path::{Route, Verb};
use crate::serve::{self, Answer};
use crate::{Refusal, Request, options};

/// Answers the creation of a review; `None` when the route is about something else.
///
/// The status of a TokenReview stays open: only the shell knows tokens.
///
/// # Source
/// kubernetes/kubernetes `pkg/registry/authorization`, `pkg/registry/authentication`.
pub(crate) fn answer(
    call: &mut Call<'_>,
    request: &Request,
    route: &Route,
) -> Option<Result<Answer, Refusal>> {
    let group = route.resource.group.as_str();
    if route.subresource == "token" && route.resource.storage == "serviceaccounts" {
        return Some(token(call, request, route));
    }
    let ours = matches!(group, "authorization.k8s.io" | "authentication.k8s.io");
    if !ours || route.resource.custom.is_some() || route.verb != Verb::Create {
        return None;
    }
    Some(review(call, request, route))
}

fn review(call: &mut Call<'_>, request: &Request, route: &Route) -> Result<Answer, Refusal> {
    let options = options::write(request, "CreateOptions", false)?;
    let mut object = serve::body(call, request, route, &options)?;
    if object.get("metadata").and_then(Node::as_map).is_none() {
        object.set(&["metadata"], Node::map());
    }
    if route.resource.namespaced {
        crate::create::place_in_namespace(&mut object, true, &route.namespace)?;
    }
    let target = Target::of(route, &options);
    let now = call.now();
    let status = match route.resource.kind.as_str() {
        "SelfSubjectReview" => {
            object.set(&["metadata", "creationTimestamp"], now);
            let mut status = Map::new();
            status.insert("userInfo", call.user.to_node());
            Node::Map(status)
        }
        "SelfSubjectRulesReview" => {
            let namespace = Text::from(object.str_at(&["spec", "namespace"]).unwrap_or_default());
            if namespace.is_empty() {
                return Err(Refusal::bad_request("no namespace on request"));
            }
            object.set(&["spec"], Node::map());
            rules_review(&*call.state, call.user, &namespace)
        }
        "TokenReview" => {
            if object
                .str_at(&["spec", "token"])
                .unwrap_or_default()
                .is_empty()
            {
                return Err(Refusal::bad_request(
                    "token is required for TokenReview in authentication",
                ));
            }
            call.own(&target, None, &mut object, &now);
            Node::map()
        }
        kind => {
            let user = asked_user(kind, &object, call.user, &route.namespace)?;
            call.own(&target, None, &mut object, &now);
            access_status(call, &user, &object)
        }
    };
    object.set(&["status"], status);
    Ok(Answer {
        status: 201,
        node: object,
    })
}

/// Shortest and default life of a service account's token, in seconds.
const TOKEN_SECONDS_MIN: i64 = 600;
const TOKEN_SECONDS_DEFAULT: i64 = 3600;

/// A request for a token of a service account; the token itself is made by the shell.
///
/// # Source
/// kubernetes/kubernetes `pkg/registry/core/serviceaccount/storage/token.go`.
fn token(call: &mut Call<'_>, request: &Request, route: &Route) -> Result<Answer, Refusal> {
    let options = options::write(request, "CreateOptions", false)?;
    let (group, kind) = ("authentication.k8s.io", "TokenRequest");
    let expected = Expected {
        group,
        version: "v1",
        kind,
        custom: None,
    };
    let mut object = serve::body_of(call, request, &expected, &options)?;
    if call
        .live(&route.resource, &route.namespace, &route.name)
        .is_none()
    {
        return Err(Refusal::not_found(&route.resource, &route.name));
    }
    let seconds = object
        .at(&["spec", "expirationSeconds"])
        .and_then(Node::as_i64)
        .unwrap_or(TOKEN_SECONDS_DEFAULT);
    let problem = match seconds {
        ..TOKEN_SECONDS_MIN => Some("may not specify a duration less than 10 minutes"),
        0x1_0000_0001.. => Some("may not specify a duration larger than 2^32 seconds"),
        _ => None,
    };
    if let Some(problem) = problem {
        let error = FieldError::invalid("spec.expirationSeconds", seconds, problem);
        return Err(Refusal::invalid(group, kind, "", &[error]));
    }
    object.set(&["metadata", "name"], route.name.clone());
    object.set(&["metadata", "namespace"], route.namespace.clone());
    object.set(&["metadata", "creationTimestamp"], call.now());
    object.set(&["spec", "expirationSeconds"], seconds);
    object.set(&["status"], Node::map());
    Ok(Answer {
        status: 201,
        node: object,
    })
}

/// Whose rights are asked for; checks the question on the way.
fn asked_user(kind: &str, review: &Node, caller: &User, namespace: &str) -> Result<User, Refusal> {
    let present = |member: &str| {
        review
            .at(&["spec", member])
            .is_some_and(|node| !node.is_null())
    };
    let mut errors = Vec::new();
    match (
        present("resourceAttributes"),
        present("nonResourceAttributes"),
    ) {
        (true, true) => errors.push(FieldError::invalid(
            "spec.nonResourceAttributes",
            "",
            "cannot be specified in combination with resourceAttributes",
        )),
        (false, false) => errors.push(FieldError::invalid(
            "spec.resourceAttributes",
            FieldValue::Bare("null".into()),
            "exactly one of nonResourceAttributes or resourceAttributes must be specified",
        )),
        _ => {}
    }
    if kind == "SelfSubjectAccessReview" {
        return refuse(errors).map(|()| caller.clone());
    }
    let texts = |member: &str| -> Vec<Text> {
        let items = review
            .at(&["spec", member])
            .and_then(Node::as_list)
            .unwrap_or_default();
        items
            .iter()
            .filter_map(|item| item.as_str().map(Text::from))
            .collect()
    };
    let text = |member: &str| Text::from(review.str_at(&["spec", member]).unwrap_or_default());
    let user = User {
        name: text("user"),
        uid: text("uid"),
        groups: texts("groups"),
        ..User::default()
    };
    if user.name.is_empty() && user.groups.is_empty() {
        errors.push(FieldError::invalid(
            "spec.user",
            "",
            "at least one of user or group must be specified",
        ));
    }
    if kind == "LocalSubjectAccessReview" {
        let asked = review
            .str_at(&["spec", "resourceAttributes", "namespace"])
            .unwrap_or_default();
        if present("nonResourceAttributes") {
            errors.push(FieldError::invalid(
                "spec.nonResourceAttributes",
                "",
                "disallowed on this kind of request",
            ));
        } else if asked != namespace {
            errors.push(FieldError::invalid(
                "spec.resourceAttributes.namespace",
                asked,
                "must match metadata.namespace",
            ));
        }
    }
    refuse(errors).map(|()| user)
}

fn refuse(errors: Vec<FieldError>) -> Result<(), Refusal> {
    match errors.is_empty() {
        true => Ok(()),
        false => Err(Refusal::invalid("authorization.k8s.io", "", "", &errors)),
    }
}

fn access_status(call: &Call<'_>, user: &User, review: &Node) -> Node {
    let path = |keys: [&str; 2]| {
        review
            .str_at(&["spec", keys[0], keys[1]])
            .unwrap_or_default()
    };
    let resource = |key| path(["resourceAttributes", key]);
    let wanted = match review
        .at(&["spec", "resourceAttributes"])
        .filter(|node| !node.is_null())
    {
        Some(_) => Attributes::Resource {
            verb: resource("verb"),
            group: resource("group"),
            resource: resource("resource"),
            subresource: resource("subresource"),
            namespace: resource("namespace"),
            name: resource("name"),
        },
        None => Attributes::Path {
            verb: path(["nonResourceAttributes", "verb"]),
            path: path(["nonResourceAttributes", "path"]),
        },
    };
    let mut status = Map::new();
    match authorize(&*call.state, user, &wanted) {
        Decision::Allow(reason) => {
            status.insert("allowed", true);
            if !reason.is_empty() {
                status.insert("reason", reason);
            }
        }
        Decision::NoOpinion => {
            status.insert("allowed", false);
        }
    }
    Node::Map(status)
}
