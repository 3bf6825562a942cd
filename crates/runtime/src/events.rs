//! Telling people: Kubernetes Events, and the last of them in memory.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use cluster::Cluster;
use control::{Event, Severity};
use futures::StreamExt as _;
use futures::stream;
use golang::Timestamp;
use object::{Node, Object, ObjectKey};
use tokio::sync::mpsc;

/// Events kept in memory for the status page.
const RECENT_MAX: usize = 500;

/// Events that wait to be written; more are dropped, as telling must never stop doing.
const WAITING_MAX: usize = 4_000;

/// Events that are written at the same time.
const WRITING_MAX: usize = 8;

/// One event and what it is about.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// When it happened.
    pub at: Timestamp,
    /// The object it happened to.
    pub key: ObjectKey,
    /// What happened.
    pub event: Event,
}

/// The last events, oldest first.
#[derive(Clone, Default)]
pub struct RecentEvents(Arc<Mutex<VecDeque<Recorded>>>);

impl RecentEvents {
    /// A copy of them.
    pub fn list(&self) -> Vec<Recorded> {
        let events = self.0.lock().unwrap_or_else(|lock| lock.into_inner());
        events.iter().cloned().collect()
    }

    fn push(&self, recorded: Recorded) {
        let mut events = self.0.lock().unwrap_or_else(|lock| lock.into_inner());
        if events.len() == RECENT_MAX {
            events.pop_front();
        }
        events.push_back(recorded);
    }
}

/// Tells what happens.
#[derive(Clone)]
pub(crate) struct Recorder {
    recent: RecentEvents,
    queue: mpsc::Sender<Object>,
}

impl Recorder {
    /// A recorder, and the task that writes its events, which ends with the last recorder.
    pub(crate) fn new(cluster: Cluster) -> (Self, impl Future<Output = ()>) {
        let (queue, mut waiting) = mpsc::channel::<Object>(WAITING_MAX);
        let written = stream::poll_fn(move |context| waiting.poll_recv(context));
        let writer = written.for_each_concurrent(WRITING_MAX, move |event| {
            let cluster = cluster.clone();
            async move {
                if let Err(error) = cluster.create(&event, api::field_manager::KUSTOMIZE).await {
                    tracing::debug!(%error, "an event was not written");
                }
            }
        });
        let recorder = Self {
            recent: RecentEvents::default(),
            queue,
        };
        (recorder, writer)
    }

    pub(crate) fn recent(&self) -> RecentEvents {
        self.recent.clone()
    }

    /// Tells `event` about `object` in the name of a controller.
    pub(crate) fn tell(&self, controller: &str, object: &Object, event: Event, now: Timestamp) {
        let key = object.key();
        tracing::info!(
            controller, %key, reason = event.reason, revision = event.revision,
            "{}", event.message
        );
        let node = event_object(controller, object, &event, now);
        if self.queue.try_send(Object::new(node)).is_err() {
            tracing::warn!("too many events wait to be written; one is dropped");
        }
        self.recent.push(Recorded {
            at: now,
            key,
            event,
        });
    }
}

/// The nanosecond of `now`, or a later one that no other event of this process has.
///
/// Events are named by it, and readers order those of one second by their names.
fn stamp(now: Timestamp) -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let seconds = u64::try_from(now.unix()).unwrap_or(0);
    let moment = seconds
        .saturating_mul(1_000_000_000)
        .saturating_add(u64::from(now.subsecond()));
    let next = |last: u64| moment.max(last.saturating_add(1));
    let last = LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| {
        Some(next(last))
    });
    next(last.unwrap_or_default())
}

fn event_object(controller: &str, object: &Object, event: &Event, now: Timestamp) -> Node {
    let mut node = Node::map();
    let name = format!("{}.{:x}", object.name(), stamp(now));
    let time = now.to_string();
    node.set(&["apiVersion"], "v1");
    node.set(&["kind"], "Event");
    node.set(&["metadata", "name"], name);
    node.set(&["metadata", "namespace"], object.namespace());
    if !event.revision.is_empty() {
        let key = format!("{}/revision", object.gvk().group);
        node.set(&["metadata", "annotations", &key], event.revision.as_str());
    }
    for (field, value) in [
        ("apiVersion", object.api_version()),
        ("kind", object.kind()),
        ("namespace", object.namespace()),
        ("name", object.name()),
        ("uid", object.uid()),
        ("resourceVersion", object.resource_version()),
    ] {
        node.set(&["involvedObject", field], value);
    }
    node.set(&["reason"], event.reason.as_str());
    node.set(&["message"], cut(&event.message));
    node.set(
        &["type"],
        match event.severity {
            Severity::Info => "Normal",
            Severity::Error => "Warning",
        },
    );
    node.set(&["source", "component"], controller);
    node.set(&["reportingComponent"], controller);
    node.set(&["reportingInstance"], "");
    node.set(&["firstTimestamp"], time.as_str());
    node.set(&["lastTimestamp"], time.as_str());
    node.set(&["count"], 1i64);
    node
}

/// Kubernetes takes at most 1,024 bytes for a message.
fn cut(message: &str) -> String {
    const MESSAGE_BYTES_MAX: usize = 1_024;
    let end = (0..=message.len().min(MESSAGE_BYTES_MAX))
        .rev()
        .find(|&at| message.is_char_boundary(at));
    message[..end.unwrap_or(0)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_one_moment_are_named_in_their_order() {
        let now = Timestamp::from_unix(1_700_000_000);
        assert!(stamp(now) < stamp(now));
    }
}
