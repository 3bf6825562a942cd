//! The HTTP server people look at: status page and API.
//!
//! [`router`] answers a page for people and the same facts as JSON; [`health`] answers what a
//! kubelet asks. What else an address serves, such as Git, is merged in by whoever listens.
//!
//! # Invariants
//!
//! - **Read only.** Nothing here changes anything.
//! - **Text is text.** Everything that came from a cluster or a repository is escaped.
//! - **No request leaves the page**: no script, no font, no picture from elsewhere, and a policy that says so.
//!
//! Deliberately absent: authentication. It binds loopback; whoever binds more has to put something
//! in front.

mod page;
mod units;

use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use runtime::Engine;
use tokio::net::TcpListener;

/// What the page may load: its own style, and nothing else.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

/// The status page at `/` and the API below `/api/v1/`.
pub fn router(engine: Engine) -> Router {
    let page_engine = engine.clone();
    Router::new()
        .route(
            "/",
            get(move || {
                let engine = page_engine.clone();
                async move {
                    html(page::render(
                        &engine.summary(),
                        &engine.recent_events().list(),
                    ))
                }
            }),
        )
        .route(
            "/api/v1/units",
            get(move || {
                let engine = engine.clone();
                async move { json(&units::to_node(&engine.summary())) }
            }),
        )
        .fallback(|| async {
            (
                StatusCode::NOT_FOUND,
                "there is nothing here; the status page is at /\n",
            )
        })
}

/// What a kubelet asks: `/healthz` says that the process answers, `/readyz` that it knows its objects.
pub fn health(engine: Engine) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route(
            "/readyz",
            get(move || {
                let ready = engine.is_ready();
                async move {
                    match ready {
                        true => (StatusCode::OK, "ok\n"),
                        false => (
                            StatusCode::SERVICE_UNAVAILABLE,
                            "the first lists are not in yet\n",
                        ),
                    }
                }
            }),
        )
}

/// Serves `router` until the listener fails.
///
/// # Errors
/// What the system said about the listener.
pub async fn serve(listener: TcpListener, router: Router) -> std::io::Result<()> {
    axum::serve(listener, router).await
}

fn html(page: String) -> Response {
    let mut response = Html(page).into_response();
    let headers = response.headers_mut();
    let policy = HeaderValue::from_static(POLICY);
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    let plain = HeaderValue::from_static("nosniff");
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, plain);
    response
}

fn json(node: &object::Node) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (kind, object::json::to_string_pretty(node, 2)).into_response()
}
