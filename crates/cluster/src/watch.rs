//! One watch: lines of JSON that never end by themselves.

use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use http_body_util::BodyExt;
use object::{Node, Object, json};

use crate::error::ApiError;
use crate::request::Cluster;

/// Longest silence before a watch counts as dead; servers send a bookmark about once a minute.
const SILENCE_MAX: Duration = Duration::from_secs(180);

/// Most bytes of one event: the largest object a server stores, with room for its envelope.
const EVENT_BYTES_MAX: usize = 4 << 20;

/// What a watch reports.
#[derive(Clone, Debug)]
pub(crate) enum WatchEvent {
    /// An object appeared or changed.
    Set(Object),
    /// An object is gone; its last state.
    Gone(Object),
    /// Everything up to this version was reported.
    Bookmark(String),
}

/// An open watch.
pub(crate) struct Watch {
    frames: BoxStream<'static, Result<Bytes, String>>,
    buffer: Vec<u8>,
    /// Bytes of `buffer` that were read already.
    used: usize,
}

impl Watch {
    pub(crate) async fn open(cluster: &Cluster, path: &str) -> Result<Self, ApiError> {
        let response = cluster.stream(path).await?;
        let frames = response.into_body().into_data_stream();
        let frames = frames.map(|frame| frame.map_err(|error| error.to_string()));
        Ok(Self {
            frames: frames.boxed(),
            buffer: Vec::new(),
            used: 0,
        })
    }

    /// The next event; `None` when the server ended the watch, as it does from time to time.
    pub(crate) async fn next(&mut self) -> Result<Option<WatchEvent>, ApiError> {
        loop {
            let unread = &self.buffer[self.used..];
            if let Some(end) = unread.iter().position(|&byte| byte == b'\n') {
                let line = &unread[..end];
                let event = (!line.is_empty()).then(|| read_event(line));
                self.used += end + 1;
                match event {
                    Some(event) => return event.map(Some),
                    None => continue,
                }
            }
            self.buffer.drain(..self.used);
            self.used = 0;
            if self.buffer.len() > EVENT_BYTES_MAX {
                let message = format!("an event is longer than {EVENT_BYTES_MAX} bytes");
                return Err(ApiError::unreachable(message));
            }
            let frame = tokio::time::timeout(SILENCE_MAX, self.frames.next());
            match frame.await {
                Err(_) => return Err(ApiError::unreachable("the watch went silent")),
                Ok(None) => return Ok(None),
                Ok(Some(Err(error))) => return Err(ApiError::unreachable(error)),
                Ok(Some(Ok(bytes))) => self.buffer.extend_from_slice(&bytes),
            }
        }
    }
}

fn read_event(line: &[u8]) -> Result<WatchEvent, ApiError> {
    let broken = |what: &str| ApiError::unreachable(format!("a watch event {what}"));
    let mut event =
        json::parse(line, json::ANSWER_LIMITS).map_err(|error| broken(&error.to_string()))?;
    let kind = event.str_at(&["type"]).unwrap_or_default().to_owned();
    let object = event.remove(&["object"]).filter(|node| !node.is_null());
    let object: Node = object.ok_or_else(|| broken("has no object"))?;
    match kind.as_str() {
        "ADDED" | "MODIFIED" => Ok(WatchEvent::Set(Object::new(object))),
        "DELETED" => Ok(WatchEvent::Gone(Object::new(object))),
        "BOOKMARK" => {
            let version = object.str_at(&["metadata", "resourceVersion"]);
            Ok(WatchEvent::Bookmark(version.unwrap_or_default().to_owned()))
        }
        "ERROR" => Err(ApiError::from_status(&object)),
        _ => Err(broken(&format!("is of unknown type `{kind}`"))),
    }
}
