//! Several clusters behind one address.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use apimachine::{Response, User};
use bytes::Bytes;
use http::{Request, Uri};

use crate::{Body, Cluster};

/// Clusters by name, served below `/clusters/<name>/`; one of them also at `/`.
#[derive(Default)]
pub struct Fleet {
    clusters: RwLock<BTreeMap<String, Arc<Cluster>>>,
    root: RwLock<Option<Arc<Cluster>>>,
}

impl Fleet {
    /// A fleet with one cluster at `/`.
    pub fn new(root: Arc<Cluster>) -> Arc<Self> {
        let fleet = Self::default();
        fleet.set_root(root);
        Arc::new(fleet)
    }

    /// Mounts a cluster at `/`.
    pub fn set_root(&self, cluster: Arc<Cluster>) {
        *self.root.write().unwrap_or_else(PoisonError::into_inner) = Some(cluster);
    }

    /// Mounts a cluster at `/clusters/<name>/`; gives back the one that was there.
    pub fn insert(&self, name: &str, cluster: Arc<Cluster>) -> Option<Arc<Cluster>> {
        self.clusters
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.to_owned(), cluster)
    }

    /// Takes a cluster out; its open watches go on until they end.
    pub fn remove(&self, name: &str) -> Option<Arc<Cluster>> {
        self.clusters
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(name)
    }

    /// The cluster of that name.
    pub fn get(&self, name: &str) -> Option<Arc<Cluster>> {
        self.clusters
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned()
    }

    /// The cluster at `/`.
    pub fn root(&self) -> Option<Arc<Cluster>> {
        self.root
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Names of the clusters below `/clusters/`.
    pub fn names(&self) -> Vec<String> {
        self.clusters
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .keys()
            .cloned()
            .collect()
    }

    /// Answers a request after looking at its credentials, see [`Cluster::serve`].
    pub async fn serve<B>(
        &self,
        request: Request<B>,
        certificate: Option<&User>,
    ) -> http::Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        match self.route(request) {
            Ok((cluster, prefix, request)) => {
                below(&prefix, cluster.serve(request, certificate).await)
            }
            Err(response) => response,
        }
    }

    /// Answers a request of a user who is known already, see [`Cluster::call`].
    pub async fn call<B>(&self, request: Request<B>, user: &User) -> http::Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        match self.route(request) {
            Ok((cluster, prefix, request)) => below(&prefix, cluster.call(request, user).await),
            Err(response) => response,
        }
    }

    /// The cluster a request is for, where it is mounted, and the request as the cluster sees it.
    fn route<B>(
        &self,
        mut request: Request<B>,
    ) -> Result<(Arc<Cluster>, String, Request<B>), http::Response<Body>> {
        let Some((name, rest)) = split(request.uri()) else {
            return match self.root() {
                Some(cluster) => Ok((cluster, String::new(), request)),
                None => Err(unknown()),
            };
        };
        let cluster = self.get(&name).ok_or_else(unknown)?;
        let prefix = format!("/clusters/{name}");
        *request.uri_mut() = rest;
        Ok((cluster, prefix, request))
    }
}

/// Lets redirects stay below the place where a cluster is mounted.
fn below(prefix: &str, mut response: http::Response<Body>) -> http::Response<Body> {
    let location = response.headers().get(http::header::LOCATION);
    let location = location.and_then(|value| value.to_str().ok());
    let moved = location.filter(|path| !prefix.is_empty() && path.starts_with('/'));
    let moved = moved.and_then(|path| http::HeaderValue::from_str(&format!("{prefix}{path}")).ok());
    if let Some(moved) = moved {
        response.headers_mut().insert(http::header::LOCATION, moved);
    }
    response
}

/// Name and remaining address of `/clusters/<name>/…`.
fn split(uri: &Uri) -> Option<(String, Uri)> {
    let rest = uri.path().strip_prefix("/clusters/")?;
    let (name, path) = match rest.split_once('/') {
        Some((name, path)) => (name, format!("/{path}")),
        None => (rest, "/".to_owned()),
    };
    let path = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    Some((crate::http::percent_decode(name), path.parse().ok()?))
}

fn unknown() -> http::Response<Body> {
    let answer = Response::text(404, "404 page not found\n");
    let mut response = http::Response::new(Body::complete(answer.encode()));
    *response.status_mut() = http::StatusCode::NOT_FOUND;
    response.headers_mut().insert(
        http::header::CONTENT_TYPE,
        http::HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}

/// A fleet as a `tower::Service` of one user.
#[derive(Clone)]
pub struct FleetService {
    fleet: Arc<Fleet>,
    user: User,
}

impl FleetService {
    /// Requests come from `user`.
    pub fn new(fleet: Arc<Fleet>, user: User) -> Self {
        Self { fleet, user }
    }
}

impl<B> tower::Service<Request<B>> for FleetService
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = http::Response<Body>;
    type Error = std::convert::Infallible;
    type Future = futures::future::BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(
        &mut self,
        _context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Self::Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let Self { fleet, user } = self.clone();
        Box::pin(async move { Ok(fleet.call(request, &user).await) })
    }
}
