//! A cluster as one user sees it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use apimachine::User;
use bytes::Bytes;
use http::{Request, Response};

use super::Cluster;
use crate::Body;

/// A cluster as seen by one user: a `tower::Service` over HTTP requests.
#[derive(Clone)]
pub struct ClusterService {
    pub(super) cluster: Arc<Cluster>,
    pub(super) user: User,
}

impl<B> tower::Service<Request<B>> for ClusterService
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<Body>;
    type Error = std::convert::Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let Self { cluster, user } = self.clone();
        Box::pin(async move { Ok(cluster.call(request, &user).await) })
    }
}
