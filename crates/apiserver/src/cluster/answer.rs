//! From an HTTP request to the rules, and back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use apimachine::rbac::{self, Impersonation, ImpersonationError};
use apimachine::{Content, Refusal, User};
use bytes::Bytes;
use handover::Offer;
use http::{HeaderMap, Request, Response, header};

use super::{Cluster, Stepped};
use crate::http::{RequestInfo, query_pairs};
use crate::watch::OpenWatch;
use crate::{Body, authentication, wire};

/// A request that is no watch ends after this time; clients give up at about the same.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(34);

impl Cluster {
    /// Authenticates, carries out and answers one request.
    pub(super) async fn answer<B>(
        self: &Arc<Self>,
        request: Request<B>,
        authenticate: impl Fn(&HeaderMap, &str) -> Option<User>,
    ) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let started = Instant::now();
        let (head, body) = request.into_parts();
        let query = query_pairs(head.uri.query().unwrap_or_default());
        let info = RequestInfo::new(head.method.as_str(), head.uri.path(), &query);
        let user = authenticate(&head.headers, head.uri.path());
        let audit_id = wire::audit_id(&head.headers);
        let accepts_gzip = wire::accepts_gzip(&head.headers);
        let offer = head.extensions.get::<Offer>().cloned();
        let hands_over = offer.is_some();
        let outcome = match user {
            None => Ok(Err(Refusal::new(401, "Unauthorized", "Unauthorized"))),
            Some(user) => {
                tokio::time::timeout(
                    REQUEST_TIME_MAX,
                    self.respond(head, (body, offer), query, &info, user),
                )
                .await
            }
        };
        let timed_out = || {
            let message = "Timeout: request did not complete within the allotted timeout";
            Err(Refusal::new(504, "Timeout", message))
        };
        let (response, watch) = match outcome.unwrap_or_else(|_| timed_out()) {
            Ok(Stepped {
                response, watch, ..
            }) => (response, watch),
            Err(refusal) => (refusal.into_response(), None),
        };
        let code = response.status;
        let response = match watch {
            None if hands_over => wire::hand_over(&response),
            None => wire::complete(&response, accepts_gzip),
            Some((watcher, frames, queue)) => {
                let open = OpenWatch::new(self.clone(), watcher, frames, queue);
                match hands_over {
                    true => wire::with_answer(&response, handover::Content::Events(open.events())),
                    false => wire::head_of(&response, Body::stream(open.chunks())),
                }
            }
        };
        let response = wire::with_common_headers(response, audit_id);
        self.metrics
            .observe(&info.verb, &info.resource, code, started.elapsed());
        response
    }

    async fn respond<B>(
        self: &Arc<Self>,
        head: http::request::Parts,
        (body, offer): (B, Option<Offer>),
        query: Vec<(String, String)>,
        info: &RequestInfo,
        caller: User,
    ) -> Result<Stepped, Refusal>
    where
        B: http_body::Body<Data = Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let user =
            self.impersonated(caller, &authentication::impersonation(&head.headers), info)?;
        if let Some(response) = self.own_path(&head, &query, info, &user)? {
            return Ok(Stepped {
                response,
                version: 0,
                epoch: 0,
                wrote: false,
                watch: None,
            });
        }
        let text = |name: header::HeaderName| {
            let values: Vec<&str> = head
                .headers
                .get_all(name)
                .iter()
                .filter_map(|value| value.to_str().ok())
                .collect();
            (!values.is_empty()).then(|| values.join(","))
        };
        let body = match offer.and_then(|offer| offer.body) {
            Some(node) => Content::Node(node),
            None => wire::read_body(body).await?.to_vec().into(),
        };
        let request = apimachine::Request {
            method: head.method.as_str().into(),
            path: head.uri.path().to_owned(),
            query,
            content_type: text(header::CONTENT_TYPE),
            accept: text(header::ACCEPT),
            if_none_match: text(header::IF_NONE_MATCH),
            body,
            user,
            user_agent: text(header::USER_AGENT).unwrap_or_default(),
        };
        self.run(&request).await
    }

    /// The identity a request runs under.
    fn impersonated(
        &self,
        caller: User,
        wish: &Impersonation,
        info: &RequestInfo,
    ) -> Result<User, Refusal> {
        if !wish.is_wanted() {
            return Ok(caller);
        }
        let inner = self.lock();
        rbac::impersonate(&inner.state, &caller, wish, &info.attributes()).map_err(|error| {
            match error {
                ImpersonationError::NoUser(message) => Refusal::new(400, "BadRequest", message),
                ImpersonationError::Forbidden {
                    verb,
                    group,
                    resource,
                    namespace,
                    name,
                } => forbidden(&caller, &verb, &group, &resource, &namespace, &name),
            }
        })
    }

    /// Paths that the rules know nothing of: health and metrics.
    fn own_path(
        &self,
        head: &http::request::Parts,
        query: &[(String, String)],
        info: &RequestInfo,
        user: &User,
    ) -> Result<Option<apimachine::Response>, Refusal> {
        let path = head.uri.path();
        let health = ["/healthz", "/livez", "/readyz"].into_iter().find(|one| {
            path.strip_prefix(one)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        if health.is_none() && path != "/metrics" {
            return Ok(None);
        }
        if !rbac::authorize(&self.lock().state, user, &info.attributes()).is_allowed() {
            let message = format!(
                "forbidden: User {:?} cannot {} path {:?}",
                user.name.as_str(),
                info.verb,
                path
            );
            return Err(Refusal {
                bare_details: true,
                ..Refusal::new(403, "Forbidden", message)
            });
        }
        let Some(health) = health else {
            let text = apimachine::Response::text(200, self.metrics_text());
            return Ok(Some(wire::with_content_type(
                text,
                "text/plain; version=0.0.4; charset=utf-8",
            )));
        };
        let check = path[health.len()..].trim_matches('/');
        let text = match check {
            "" if query.iter().any(|(key, _)| key == "verbose") => {
                format!("[+]ping ok\n[+]store ok\n{} check passed\n", &health[1..])
            }
            "" | "ping" | "store" => "ok".to_owned(),
            _ => return Err(Refusal::unknown_path()),
        };
        Ok(Some(apimachine::Response::text(200, text)))
    }
}

/// Paths that callers without credentials may read.
pub(super) fn is_public(path: &str) -> bool {
    matches!(path, "/healthz" | "/livez" | "/readyz" | "/version")
}

/// Forbidden, in the words of Kubernetes' authorisation filter.
fn forbidden(
    user: &User,
    verb: &str,
    group: &str,
    resource: &str,
    namespace: &str,
    name: &str,
) -> Refusal {
    let plural = resource.split('/').next().unwrap_or_default();
    let qualified = if group.is_empty() {
        plural.to_owned()
    } else {
        format!("{plural}.{group}")
    };
    let subject = if name.is_empty() {
        qualified
    } else {
        format!("{qualified} {name:?}")
    };
    let place = if namespace.is_empty() {
        "at the cluster scope".to_owned()
    } else {
        format!("in the namespace {namespace:?}")
    };
    let message = format!(
        "{subject} is forbidden: User {:?} cannot {verb} resource {resource:?} in API group {group:?} {place}",
        user.name.as_str()
    );
    Refusal {
        name: name.into(),
        group: group.into(),
        kind: plural.into(),
        ..Refusal::new(403, "Forbidden", message)
    }
}
