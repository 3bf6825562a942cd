//! One request from path to answer.

use object::{Node, json};

use crate::call::{Call, Target};
use crate::decode::{self, Expected};
use crate::negotiate::{self, Negotiated};
use crate::options;
use crate::path::{self, Route, Verb};
use crate::rbac::{self, Attributes};
use crate::response::{Body, Format};
use crate::{Env, Event, Refusal, Request, Response, State};
use crate::{delete, discovery, list, patch, special, watch};

/// Together longer than this, warnings are cut.
const WARNINGS_BYTES_MAX: usize = 4096;
const WARNING_BYTES_MAX_WHEN_CUT: usize = 256;

/// An answer in the making.
pub(crate) struct Answer {
    pub status: u16,
    pub node: Node,
}

/// Answers a request; the events are those of the request itself.
pub(crate) fn serve(state: &mut State, request: &Request, env: &Env) -> (Response, Vec<Event>) {
    let Some(address) = path::address(request) else {
        return (outside(state, request), Vec::new());
    };
    let user = &request.user;
    if !rbac::authorize(&*state, user, &address.attributes()).is_allowed() {
        return (address.forbidden(&user.name).into_response(), Vec::new());
    }
    let route = match address.route(state) {
        Ok(route) => route,
        Err(refusal) => return (refusal.into_response(), Vec::new()),
    };
    let negotiated = match negotiate::negotiate(request, route.verb == Verb::Watch) {
        Ok(negotiated) => negotiated,
        Err(refusal) => {
            let yaml = request
                .accept
                .as_deref()
                .is_some_and(|accept| accept.starts_with("application/yaml"));
            let format = if yaml { Format::Yaml } else { Format::Json };
            let plain = Negotiated {
                format,
                ..Negotiated::default()
            };
            return (plain.finish(refusal.into_response()), Vec::new());
        }
    };
    if route.verb == Verb::Watch {
        let answer = watch::plan(state, request, &route, &negotiated).map(watch_response);
        return (
            answer.unwrap_or_else(|refusal| negotiated.finish(refusal.into_response())),
            Vec::new(),
        );
    }
    let mut call = Call::new(state, env, user);
    call.warnings.extend(deprecation(&route));
    let outcome = perform(&mut call, request, &route);
    let (warnings, events) = (
        std::mem::take(&mut call.warnings),
        std::mem::take(&mut call.events),
    );
    let response = outcome.and_then(|answer| {
        // A log is the one answer that is no object.
        if let Some(text) = answer.node.as_str() {
            return Ok(Response::text(answer.status, text));
        }
        let shown = special::shown_as(&route);
        negotiated.respond(answer.status, answer.node, &shown, request, env.now)
    });
    let response = response.unwrap_or_else(|refusal| match refusal.plain {
        true => refusal.into_response(),
        false => negotiated.finish(refusal.into_response()),
    });
    (with_warnings(response, warnings), events)
}

/// What users of old kinds are told with every answer.
fn deprecation(route: &Route) -> Option<String> {
    let resource = &route.resource;
    if let Some(custom) = &resource.custom {
        return custom.deprecation_warning.as_ref().map(ToString::to_string);
    }
    let warning = match resource.storage.as_str() {
        "endpoints" => {
            "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
        }
        "componentstatuses" => "v1 ComponentStatus is deprecated in v1.19+",
        _ => return None,
    };
    Some(warning.to_owned())
}

fn watch_response(plan: watch::WatchPlan) -> Response {
    Response {
        status: 200,
        headers: vec![("Content-Type".into(), "application/json".into())],
        body: Body::Watch(Box::new(plan)),
        format: Format::Json,
    }
}

/// Paths that are no resources.
fn outside(state: &State, request: &Request) -> Response {
    let verb = request.method.to_ascii_lowercase();
    let attributes = Attributes::Path {
        verb: &verb,
        path: &request.path,
    };
    if !rbac::authorize(state, &request.user, &attributes).is_allowed() {
        return path::forbidden(&request.user.name, &attributes).into_response();
    }
    discovery::respond(state, request).unwrap_or_else(|| Refusal::unknown_path().into_response())
}

fn perform(call: &mut Call<'_>, request: &Request, route: &Route) -> Result<Answer, Refusal> {
    if let Some(outcome) = special::perform(call, request, route) {
        return outcome;
    }
    let resource = &route.resource;
    match route.verb {
        Verb::Get => {
            let wanted = request.parameter("resourceVersion").unwrap_or_default();
            let node = list::get(call.state, route, wanted)?;
            Ok(Answer { status: 200, node })
        }
        Verb::List => {
            let node = list::list(call.state, route, &options::list(request)?)?;
            Ok(Answer { status: 200, node })
        }
        Verb::Create => {
            let options = options::write(request, "CreateOptions", false)?;
            call.dry_run = options.dry_run;
            let object = body(call, request, route, &options)?;
            let stored = call.create(&Target::of(route, &options), object)?;
            Ok(Answer {
                status: 201,
                node: resource.show(&stored),
            })
        }
        Verb::Update => {
            let options = options::write(request, "UpdateOptions", false)?;
            call.dry_run = options.dry_run;
            let object = body(call, request, route, &options)?;
            let written = call.update(&Target::of(route, &options), object)?;
            let status = if written.created { 201 } else { 200 };
            Ok(Answer {
                status,
                node: resource.show(&written.object),
            })
        }
        Verb::Patch => {
            let content_type = request.content_type.as_deref();
            let kind = patch::kind_of(content_type, resource.custom.is_some())?;
            let options = options::write(request, "PatchOptions", kind == patch::PatchKind::Apply)?;
            call.dry_run = options.dry_run;
            let written = call.patch(&Target::of(route, &options), kind, &request.body)?;
            let status = if written.created { 201 } else { 200 };
            Ok(Answer {
                status,
                node: resource.show(&written.object),
            })
        }
        Verb::Delete => {
            let body = delete_body(call.state, request)?;
            let options = options::delete(request, body.as_ref())?;
            call.dry_run = options.dry_run;
            let write = options::WriteOptions::default();
            let target = Target::of(route, &write);
            let deleted = call.delete(&target, &options)?;
            let status = if !deleted.removed && options.waits {
                202
            } else {
                200
            };
            let node = match deleted.show {
                true => resource.show(&deleted.object),
                false => delete::success(resource, &deleted.object),
            };
            Ok(Answer { status, node })
        }
        Verb::DeleteCollection => delete_collection(call, request, route),
        Verb::Watch | Verb::Other(_) => Err(Refusal::method_not_allowed()),
    }
}

/// The object in a body, canonical, its problems noted as warnings.
pub(crate) fn body(
    call: &mut Call<'_>,
    request: &Request,
    route: &Route,
    options: &options::WriteOptions,
) -> Result<Node, Refusal> {
    body_of(call, request, &Expected::object(&route.resource), options)
}

/// The object in a body that is to be of a kind of its own, as that of a subresource is.
pub(crate) fn body_of(
    call: &mut Call<'_>,
    request: &Request,
    expected: &Expected<'_>,
    options: &options::WriteOptions,
) -> Result<Node, Refusal> {
    let content_type = request.content_type.as_deref();
    let decoded = decode::object(
        call.state,
        &request.body,
        content_type,
        expected,
        options.validation,
    )?;
    call.warnings.extend(decoded.warnings);
    Ok(decoded.node)
}

/// The options in the body of a delete; none when it is empty.
fn delete_body(state: &State, request: &Request) -> Result<Option<Node>, Refusal> {
    if request.body.is_empty() {
        return Ok(None);
    }
    decode::check_size(&request.body)?;
    let encoding = decode::encoding(request.content_type.as_deref(), false)?;
    let raw = decode::parse(&request.body, encoding).map_err(|problem| match encoding {
        decode::Encoding::Json => Refusal::bad_request(format!(
            "couldn't get version/kind; json parse error: {problem}"
        )),
        _ => Refusal::bad_request(problem),
    })?;
    let (version, kind) = decode::version_and_kind(&raw.node).map_err(Refusal::bad_request)?;
    let _ = state;
    if !kind.is_empty() && kind != "DeleteOptions" {
        return Err(Refusal::bad_request(format!(
            "no kind {kind:?} is registered for version {version:?} in scheme \"pkg/runtime/scheme.go:111\""
        )));
    }
    Ok(Some(raw.node))
}

fn delete_collection(
    call: &mut Call<'_>,
    request: &Request,
    route: &Route,
) -> Result<Answer, Refusal> {
    let body = delete_body(call.state, request)?;
    let options = options::delete(request, body.as_ref())?;
    let mut selected = options::list(request)?;
    selected.watch = false;
    call.dry_run = options.dry_run;
    let deleted = list::list(call.state, route, &selected)?;
    let write = options::WriteOptions::default();
    let names: Vec<String> = deleted
        .get("items")
        .and_then(Node::as_list)
        .unwrap_or_default()
        .iter()
        .map(|item| crate::call::meta(item, "name").to_owned())
        .collect();
    for name in names {
        let target = Target {
            name: &name,
            ..Target::of(route, &write)
        };
        match call.delete(&target, &options) {
            Err(refusal) if refusal.code != 404 => return Err(refusal),
            _ => {}
        }
    }
    Ok(Answer {
        status: 200,
        node: deleted,
    })
}

/// Adds warnings as headers, each text once.
fn with_warnings(mut response: Response, warnings: Vec<String>) -> Response {
    let mut unique: Vec<String> = Vec::new();
    for warning in warnings {
        if !unique.contains(&warning) {
            unique.push(warning);
        }
    }
    let cut = unique.iter().map(String::len).sum::<usize>() > WARNINGS_BYTES_MAX;
    for warning in unique {
        let end = match cut {
            true => (0..=WARNING_BYTES_MAX_WHEN_CUT.min(warning.len()))
                .rev()
                .find(|end| warning.is_char_boundary(*end)),
            false => None,
        };
        let mut quoted = String::new();
        json::write_string(
            &warning[..end.unwrap_or(warning.len())].replace(['\n', '\r'], " "),
            &mut quoted,
        );
        response
            .headers
            .push(("Warning".into(), format!("299 - {quoted}")));
    }
    response
}
