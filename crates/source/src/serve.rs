//! Serves stored artifacts to whoever consumes them elsewhere.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;

use crate::Storage;

/// Answers GET and HEAD of `/{kind}/{namespace}/{name}/{file}`; other paths do not exist.
///
/// Never fails: what goes wrong is a response. Nothing but files of the storage can be reached,
/// folders are not listed.
pub async fn handle<B>(storage: &Arc<Storage>, request: &Request<B>) -> Response<Full<Bytes>> {
    let head = match *request.method() {
        Method::GET => false,
        Method::HEAD => true,
        _ => return text(StatusCode::METHOD_NOT_ALLOWED, "use GET"),
    };
    let path = request.uri().path().trim_start_matches('/').to_owned();
    let storage = storage.clone();
    let read = tokio::task::spawn_blocking(move || storage.file(&path)).await;
    let bytes = match read {
        Ok(Ok(Some(bytes))) => bytes,
        Ok(Ok(None)) => return text(StatusCode::NOT_FOUND, "no such artifact"),
        Ok(Err(error)) => {
            tracing::error!(%error, "cannot serve an artifact");
            return text(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the storage cannot be read",
            );
        }
        Err(_) => return text(StatusCode::INTERNAL_SERVER_ERROR, "reading broke off"),
    };
    let length = bytes.len();
    let mut response = Response::new(Full::from(if head { Vec::new() } else { bytes }));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    let kind = HeaderValue::from_static("application/gzip");
    headers.insert(header::CONTENT_TYPE, kind);
    response
}

fn text(status: StatusCode, message: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(message));
    *response.status_mut() = status;
    response
}
