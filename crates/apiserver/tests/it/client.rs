//! Requests to a cluster in this process, and their answers.

use std::sync::Arc;
use std::time::Duration;

use apimachine::User;
use apiserver::{Body, Cluster};
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use serde_json::Value;

/// An answer that has come completely.
pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub bytes: Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }
}

/// Sends one request as an administrator; `body` may be null.
pub async fn send(cluster: &Arc<Cluster>, method: &str, path: &str, body: &Value) -> Answer {
    let bytes = if body.is_null() {
        Bytes::new()
    } else {
        body.to_string().into()
    };
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("accept", "application/json");
    if !bytes.is_empty() {
        request = request.header("content-type", "application/json");
    }
    let request = request.body(Full::new(bytes)).expect("a request");
    collect(cluster.call(request, &User::admin()).await).await
}

/// Waits for the rest of an answer.
pub async fn collect(response: Response<Body>) -> Answer {
    let (head, body) = response.into_parts();
    let bytes = body.collect().await.expect("bodies do not fail").to_bytes();
    Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        bytes,
    }
}

/// Frames of a watch, until there are `most`, the stream ends or nothing comes for `patience`.
pub async fn frames(body: &mut Body, most: usize, patience: Duration) -> Vec<Value> {
    let mut frames = Vec::new();
    let mut rest = Vec::new();
    while frames.len() < most {
        let Ok(Some(Ok(frame))) = tokio::time::timeout(patience, body.frame()).await else {
            break;
        };
        rest.extend_from_slice(&frame.into_data().unwrap_or_default());
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = rest.drain(..=end).collect();
            frames.push(serde_json::from_slice(&line).expect("a frame is JSON"));
        }
    }
    frames.truncate(most);
    frames
}

/// As [`frames`], of a watch whose events are handed over.
pub async fn events(
    mut stream: BoxStream<'static, Vec<handover::Event>>,
    most: usize,
    patience: Duration,
) -> Vec<Value> {
    let mut frames = Vec::new();
    while frames.len() < most {
        let Ok(Some(events)) = tokio::time::timeout(patience, stream.next()).await else {
            break;
        };
        frames.extend(events.into_iter().map(|handover::Event { kind, object }| {
            let object: Value = serde_json::from_str(&object::json::to_string(&object))
                .expect("the text of a node is JSON");
            serde_json::json!({"type": kind, "object": object})
        }));
    }
    frames.truncate(most);
    frames
}

/// The body of a namespace.
pub fn namespace(name: &str) -> Value {
    serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
}

/// The body of a ConfigMap with one entry.
pub fn config_map(name: &str, value: &str) -> Value {
    serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"key": value}})
}
