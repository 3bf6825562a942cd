//! One API server seen with one identity, and what can be asked of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use handover::{Answer, Content, Offer};
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Limited};
use kube::client::Body;
use object::{GroupVersionKind, Node, Object, json};

use crate::discovery::{Discovery, Mapping};
use crate::error::ApiError;

/// Longest time one request may take; watches have their own.
///
/// Kubernetes itself ends other requests after a minute; a server that takes half of that for one
/// object is not going to answer.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(30);

/// Most bytes of one answer: a list of 50,000 objects of 10 KiB still fits.
const ANSWER_BYTES_MAX: usize = 512 << 20;

static NEXT_ID: AtomicU64 = AtomicU64::new(0);

/// One API server seen with one identity; cloning copies pointers.
#[derive(Clone)]
pub struct Cluster {
    client: kube::Client,
    shared: Arc<Shared>,
    /// User to act as; our own identity when `None`.
    user: Option<Arc<str>>,
}

/// What every identity of one server shares.
struct Shared {
    id: u64,
    discovery: Discovery,
    requests: AtomicU64,
    /// Whether values are handed over in place of text.
    hands_over: bool,
}

/// How an object is applied.
#[derive(Clone, Copy, Debug)]
pub struct Apply<'a> {
    /// Name under which fields are owned.
    pub manager: &'a str,
    /// Takes fields from other managers instead of failing.
    pub force: bool,
    /// Answers what would happen, and does nothing.
    pub dry_run: bool,
    /// `status` to write the status; empty for the object.
    pub subresource: &'a str,
}

/// How a patch is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchType {
    /// RFC 6902.
    Json,
    /// RFC 7386.
    Merge,
}

/// What happens to the objects an object owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Propagation {
    /// They go afterwards.
    Background,
    /// They go first.
    Foreground,
    /// They stay.
    Orphan,
}

/// How an object is deleted.
#[derive(Clone, Debug)]
pub struct Delete<'a> {
    /// What happens to the objects it owns.
    pub propagation: Propagation,
    /// Refused unless the object still has this UID; empty for any.
    pub uid: &'a str,
    /// Refused unless the object still has this version; empty for any.
    pub resource_version: &'a str,
}

impl<'a> Delete<'a> {
    /// This very object, whatever its version; what it owns goes afterwards.
    pub fn exactly(object: &'a Object) -> Self {
        Self {
            propagation: Propagation::Background,
            uid: object.uid(),
            resource_version: "",
        }
    }
}

impl Cluster {
    pub(crate) fn new(client: kube::Client) -> Self {
        Self::at(client, false)
    }

    /// A server in this process, which takes what is handed over.
    pub(crate) fn in_process(client: kube::Client) -> Self {
        Self::at(client, true)
    }

    fn at(client: kube::Client, hands_over: bool) -> Self {
        Self {
            client,
            shared: Arc::new(Shared {
                id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
                discovery: Discovery::default(),
                requests: AtomicU64::new(0),
                hands_over,
            }),
            user: None,
        }
    }

    /// The same server, seen as `user`.
    pub fn impersonating(&self, user: &str) -> Self {
        Self {
            user: Some(user.into()),
            ..self.clone()
        }
    }

    /// Tells servers apart: equal for every identity of one server, different for two servers.
    pub fn id(&self) -> u64 {
        self.shared.id
    }

    /// Takes from an answer which fields each manager owns, see [`Object::forget_owned_fields`].
    ///
    /// Answers of a server in this process are shared with it, and stay as they are: a change would
    /// be a copy.
    pub fn forget_owned_fields(&self, answer: &mut Object) {
        if !self.shared.hands_over {
            answer.forget_owned_fields();
        }
    }

    /// Requests made so far with any identity.
    pub fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
    }

    /// Where objects of a kind are served; asks the server when the kind is not known yet.
    ///
    /// # Errors
    /// `NotFound` when the server does not serve the kind, or why it could not be asked.
    pub async fn mapping(&self, kind: &GroupVersionKind) -> Result<Mapping, ApiError> {
        self.shared.discovery.mapping(self, kind).await
    }

    /// The object of a kind by name, or `None` when it or its kind is not there.
    ///
    /// # Errors
    /// Why it could not be asked.
    pub async fn get(
        &self,
        kind: &GroupVersionKind,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Object>, ApiError> {
        let found = async {
            let mapping = self.mapping(kind).await?;
            let path = mapping.path(namespace, name);
            self.read(&path).await
        };
        match found.await {
            Ok(node) => Ok(Some(Object::new(node))),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All objects of a kind, in one namespace or, when it is empty, in all.
    ///
    /// # Errors
    /// Why it could not be asked; a kind that is not served is an error, not an empty list.
    pub async fn list(
        &self,
        kind: &GroupVersionKind,
        namespace: &str,
        label_selector: &str,
    ) -> Result<Vec<Object>, ApiError> {
        let mapping = self.mapping(kind).await?;
        let selector = query("labelSelector", label_selector);
        let path = format!("{}?{selector}", mapping.path(namespace, ""));
        let list = self.read(&path).await?;
        Ok(items(&list))
    }

    /// Creates an object.
    ///
    /// # Errors
    /// The server's refusal, or that it could not be asked.
    pub async fn create(&self, object: &Object, manager: &str) -> Result<Object, ApiError> {
        let mapping = self.mapping(&object.gvk()).await?;
        let path = format!(
            "{}?{}",
            mapping.path(object.namespace(), ""),
            query("fieldManager", manager)
        );
        self.write(Method::POST, &path, "application/json", &object.node)
            .await
    }

    /// Applies an object by server-side apply.
    ///
    /// # Errors
    /// The server's refusal, or that it could not be asked.
    pub async fn apply(&self, object: &Object, how: Apply<'_>) -> Result<Object, ApiError> {
        let mapping = self.mapping(&object.gvk()).await?;
        let path = format!(
            "{}?{}&force={}{}",
            mapping.subresource_path(object.namespace(), object.name(), how.subresource),
            query("fieldManager", how.manager),
            how.force,
            if how.dry_run { "&dryRun=All" } else { "" },
        );
        let content_type = "application/apply-patch+yaml";
        self.write(Method::PATCH, &path, content_type, &object.node)
            .await
    }

    /// Patches an object, or its status when `subresource` is `status`.
    ///
    /// # Errors
    /// The server's refusal, or that it could not be asked.
    pub async fn patch(
        &self,
        target: &Object,
        subresource: &str,
        (kind, patch): (PatchType, &Node),
        manager: &str,
    ) -> Result<Object, ApiError> {
        let mapping = self.mapping(&target.gvk()).await?;
        let path = format!(
            "{}?{}",
            mapping.subresource_path(target.namespace(), target.name(), subresource),
            query("fieldManager", manager)
        );
        let content_type = match kind {
            PatchType::Json => "application/json-patch+json",
            PatchType::Merge => "application/merge-patch+json",
        };
        self.write(Method::PATCH, &path, content_type, patch).await
    }

    /// Deletes an object; one that is not there is deleted already.
    ///
    /// # Errors
    /// The server's refusal, or that it could not be asked.
    pub async fn delete(&self, target: &Object, how: &Delete<'_>) -> Result<(), ApiError> {
        let mapping = self.mapping(&target.gvk()).await?;
        let mut options = Node::map();
        options.set(&["apiVersion"], "v1");
        options.set(&["kind"], "DeleteOptions");
        options.set(
            &["propagationPolicy"],
            match how.propagation {
                Propagation::Background => "Background",
                Propagation::Foreground => "Foreground",
                Propagation::Orphan => "Orphan",
            },
        );
        if !how.uid.is_empty() {
            options.set(&["preconditions", "uid"], how.uid);
        }
        if !how.resource_version.is_empty() {
            options.set(&["preconditions", "resourceVersion"], how.resource_version);
        }
        let path = mapping.path(target.namespace(), target.name());
        let deleted = self.write(Method::DELETE, &path, "application/json", &options);
        match deleted.await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }

    /// The answer to a GET of any path, as JSON.
    ///
    /// # Errors
    /// The server's refusal, or that it could not be asked.
    pub async fn read(&self, path: &str) -> Result<Node, ApiError> {
        self.answer(self.request(Method::GET, path, "", None)).await
    }

    /// Every namespaced kind that can be listed, in the version the server prefers.
    ///
    /// # Errors
    /// Why it could not be asked; a group that does not answer is an error, not an absence.
    pub async fn namespaced_kinds(&self) -> Result<Vec<GroupVersionKind>, ApiError> {
        let mut kinds = Vec::new();
        for path in ["/api", "/apis"] {
            let mut request = self.request(Method::GET, path, "", None);
            let accept = http::HeaderValue::from_static(crate::discovery::AGGREGATED);
            request.headers_mut().insert(http::header::ACCEPT, accept);
            let answer = self.answer(request).await?;
            kinds.extend(crate::discovery::namespaced_kinds(&answer)?);
        }
        Ok(kinds)
    }

    /// Starts a request whose answer is read piece by piece.
    pub(crate) async fn stream(&self, path: &str) -> Result<Response<Body>, ApiError> {
        let request = self.request(Method::GET, path, "", None);
        let sent = tokio::time::timeout(REQUEST_TIME_MAX, self.client.send(request));
        let response = sent
            .await
            .map_err(|_| timed_out())?
            .map_err(|error| ApiError::unreachable(chain(&error)))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(refusal(response).await)
    }

    async fn write(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: &Node,
    ) -> Result<Object, ApiError> {
        let request = self.request(method, path, content_type, Some(body));
        Ok(Object::new(self.answer(request).await?))
    }

    async fn answer(&self, request: Request<Body>) -> Result<Node, ApiError> {
        let answer = async {
            let response = self.client.send(request).await;
            let response = response.map_err(|error| ApiError::unreachable(chain(&error)))?;
            if !response.status().is_success() {
                return Err(refusal(response).await);
            }
            if let Some(Content::Node(node)) = handed_over(&response) {
                return Ok(node);
            }
            let limited = Limited::new(response.into_body(), ANSWER_BYTES_MAX);
            let body = limited.collect().await;
            let body = body.map_err(|error| ApiError::unreachable(error.to_string()))?;
            json::parse(&body.to_bytes(), json::ANSWER_LIMITS)
                .map_err(|error| ApiError::unreachable(format!("the answer is no JSON: {error}")))
        };
        let answered = tokio::time::timeout(REQUEST_TIME_MAX, answer).await;
        answered.map_err(|_| timed_out())?
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: Option<&Node>,
    ) -> Request<Body> {
        self.shared.requests.fetch_add(1, Ordering::Relaxed);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("accept", "application/json");
        if !content_type.is_empty() {
            request = request.header("content-type", content_type);
        }
        if let Some(user) = &self.user {
            request = request.header("impersonate-user", &**user);
            if let Some(account) = user.strip_prefix("system:serviceaccount:") {
                let namespace = account.split(':').next().unwrap_or_default();
                request = request
                    .header("impersonate-group", "system:serviceaccounts")
                    .header(
                        "impersonate-group",
                        format!("system:serviceaccounts:{namespace}"),
                    )
                    .header("impersonate-group", "system:authenticated");
            }
        }
        let mut text = body;
        if self.shared.hands_over {
            let body = body.filter(|node| json::survives(node, json::OBJECT_LIMITS));
            text = text.filter(|_| body.is_none());
            let body = body.cloned();
            request = request.extension(Offer { body });
        }
        let bytes = text.map(|node| json::to_string(node).into_bytes());
        request
            .body(Body::from(bytes.unwrap_or_default()))
            .unwrap_or_else(|_| Request::new(Body::empty()))
    }
}

/// What a server in this process has put into its response in place of a body.
pub(crate) fn handed_over(response: &Response<Body>) -> Option<Content> {
    response.extensions().get::<Answer>()?.take()
}

/// The objects of a list, each with the `apiVersion` and `kind` that lists leave out.
pub(crate) fn items(list: &Node) -> Vec<Object> {
    let api_version = list.str_at(&["apiVersion"]).unwrap_or_default();
    let kind = list.str_at(&["kind"]).unwrap_or_default();
    let kind = kind.strip_suffix("List").unwrap_or(kind);
    let items = list.get("items").and_then(Node::as_list).unwrap_or(&[]);
    items
        .iter()
        .map(|item| {
            let mut node = item.clone();
            if node.get("kind").is_none() {
                node.set(&["apiVersion"], api_version);
                node.set(&["kind"], kind);
            }
            Object::new(node)
        })
        .collect()
}

/// `name=value`, the value escaped.
pub(crate) fn query(name: &str, value: &str) -> String {
    let mut out = format!("{name}=");
    escape(value, &mut out);
    out
}

/// Appends `text` as a segment of a path or a value of a query.
pub(crate) fn escape(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
}

async fn refusal(response: Response<Body>) -> ApiError {
    let status = response.status().as_u16();
    let header = response.headers().get("retry-after");
    let retry_after = header.and_then(|value| value.to_str().ok()?.parse().ok());
    let limited = Limited::new(response.into_body(), json::OBJECT_LIMITS.bytes_max);
    let body = limited.collect().await.map(|body| body.to_bytes());
    ApiError::from_answer(status, &body.unwrap_or_default(), retry_after)
}

fn timed_out() -> ApiError {
    ApiError::unreachable(format!(
        "no answer within {} seconds",
        REQUEST_TIME_MAX.as_secs()
    ))
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
