//! One watch: lines of JSON that never end by themselves.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use handover::Content;
use http_body_util::BodyExt;
use object::{Node, Object, json};

use crate::error::ApiError;
use crate::request::{Cluster, handed_over};

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
pub(crate) enum Watch {
    /// Of a server elsewhere.
    Text(Lines),
    /// Of a server in this process: the stream, and what came of it that was not asked for yet.
    Values(
        BoxStream<'static, Vec<handover::Event>>,
        VecDeque<handover::Event>,
    ),
}

/// A body of lines.
pub(crate) struct Lines {
    frames: BoxStream<'static, Result<Bytes, String>>,
    buffer: Vec<u8>,
    /// Bytes of `buffer` that were read already.
    used: usize,
}

impl Watch {
    pub(crate) async fn open(cluster: &Cluster, path: &str) -> Result<Self, ApiError> {
        let response = cluster.stream(path).await?;
        if let Some(Content::Events(events)) = handed_over(&response) {
            return Ok(Self::Values(events, VecDeque::new()));
        }
        let frames = response.into_body().into_data_stream();
        let frames = frames.map(|frame| frame.map_err(|error| error.to_string()));
        Ok(Self::Text(Lines {
            frames: frames.boxed(),
            buffer: Vec::new(),
            used: 0,
        }))
    }

    /// The next event; `None` when the server ended the watch, as it does from time to time.
    pub(crate) async fn next(&mut self) -> Result<Option<WatchEvent>, ApiError> {
        match self {
            Self::Text(lines) => lines.next().await,
            Self::Values(events, pending) => loop {
                if let Some(handover::Event { kind, object }) = pending.pop_front() {
                    return event(kind, object).map(Some);
                }
                match tokio::time::timeout(SILENCE_MAX, events.next()).await {
                    Err(_) => return Err(silent()),
                    Ok(None) => return Ok(None),
                    Ok(Some(more)) => pending.extend(more),
                }
            },
        }
    }
}

impl Lines {
    async fn next(&mut self) -> Result<Option<WatchEvent>, ApiError> {
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
                Err(_) => return Err(silent()),
                Ok(None) => return Ok(None),
                Ok(Some(Err(error))) => return Err(ApiError::unreachable(error)),
                Ok(Some(Ok(bytes))) => self.buffer.extend_from_slice(&bytes),
            }
        }
    }
}

fn silent() -> ApiError {
    ApiError::unreachable("the watch went silent")
}

fn broken(what: &str) -> ApiError {
    ApiError::unreachable(format!("a watch event {what}"))
}

fn read_event(line: &[u8]) -> Result<WatchEvent, ApiError> {
    let mut read =
        json::parse(line, json::ANSWER_LIMITS).map_err(|error| broken(&error.to_string()))?;
    let object = read.remove(&["object"]).filter(|node| !node.is_null());
    let object = object.ok_or_else(|| broken("has no object"))?;
    event(read.str_at(&["type"]).unwrap_or_default(), object)
}

fn event(kind: &str, object: Node) -> Result<WatchEvent, ApiError> {
    match kind {
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
