//! Fan-out: from one stream of events to many watchers.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use apimachine::watch::{Frame, WatchPlan, Watcher};
use apimachine::{Event, Stored, Timestamp};
use bytes::{Bytes, BytesMut};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt as _};
use object::{Text, json};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::cluster::Cluster;

/// Events that may wait for one watcher.
///
/// A watcher that is a thousand changes behind is not reading; cut off, it resumes from the last
/// version it saw, which the event window of the rules still holds.
const QUEUE_MAX: usize = 1_000;

/// Most watchers of one cluster.
///
/// One costs about 4 KiB here and a stream of its connection; twenty thousand are 80 MiB, and
/// several times what the controllers of a large fleet open.
const WATCHERS_MAX: usize = 20_000;

/// Time between two bookmarks.
const BOOKMARK_PERIOD: Duration = Duration::from_secs(60);

/// A last bookmark comes this long before the end, so that the client resumes from close by.
const BOOKMARK_BEFORE_END: Duration = Duration::from_secs(2);

/// Frames that are put into one chunk at most; keeps a burst from starving other tasks.
const CHUNK_FRAMES_MAX: usize = 64;

/// Everybody who watches one cluster.
#[derive(Default)]
pub(crate) struct Hub {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// By storage key of the resource.
    watchers: BTreeMap<Text, Vec<Subscriber>>,
    count: usize,
}

struct Subscriber {
    namespace: Option<Text>,
    name: Option<Text>,
    queue: mpsc::Sender<Event>,
}

impl Hub {
    /// Takes up a watcher; `None` when there are too many.
    pub(crate) fn subscribe(&self, plan: &WatchPlan) -> Option<mpsc::Receiver<Event>> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.count >= WATCHERS_MAX {
            inner.sweep();
            if inner.count >= WATCHERS_MAX {
                return None;
            }
        }
        let (queue, receiver) = mpsc::channel(QUEUE_MAX);
        let subscriber = Subscriber {
            namespace: (!plan.selection.namespace.is_empty())
                .then(|| plan.selection.namespace.clone()),
            name: plan.selection.fields.exact("metadata.name").cloned(),
            queue,
        };
        inner.count += 1;
        let watchers = inner
            .watchers
            .entry(plan.resource.storage.clone())
            .or_default();
        // Whoever left is noticed by the next event; a quiet resource is tidied when somebody comes.
        let before = watchers.len();
        watchers.retain(|one| !one.queue.is_closed());
        let gone = before - watchers.len();
        watchers.push(subscriber);
        inner.count -= gone;
        Some(receiver)
    }

    /// Hands events to the watchers of their resources; never waits.
    pub(crate) fn publish(&self, events: &[Event]) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let mut gone = 0;
        for event in events {
            let Some(watchers) = inner.watchers.get_mut(&event.resource) else {
                continue;
            };
            watchers.retain(|one| {
                let wanted = one
                    .namespace
                    .as_ref()
                    .is_none_or(|namespace| *namespace == event.key.namespace)
                    && one.name.as_ref().is_none_or(|name| *name == event.key.name);
                let stays = if wanted {
                    one.queue.try_send(event.clone()).is_ok()
                } else {
                    !one.queue.is_closed()
                };
                gone += usize::from(!stays);
                stays
            });
        }
        inner.count -= gone;
    }

    /// Ends every watch; clients resume from the last version they saw.
    pub(crate) fn close_all(&self) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.watchers.clear();
        inner.count = 0;
    }

    /// How many watchers there are.
    pub(crate) fn count(&self) -> usize {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.sweep();
        inner.count
    }
}

impl Inner {
    fn sweep(&mut self) {
        self.watchers.retain(|_, watchers| {
            watchers.retain(|one| !one.queue.is_closed());
            !watchers.is_empty()
        });
        self.count = self.watchers.values().map(Vec::len).sum();
    }
}

/// One open watch.
pub(crate) struct OpenWatch {
    cluster: Arc<Cluster>,
    watcher: Watcher,
    /// Frames that are not sent yet.
    pending: VecDeque<Pending>,
    queue: mpsc::Receiver<Event>,
    next_bookmark: Instant,
    end: Instant,
    said_goodbye: bool,
}

/// A frame to send.
struct Pending {
    frame: Frame,
    /// The stored object that it shows unchanged.
    stored: Option<Arc<Stored>>,
}

impl From<Frame> for Pending {
    fn from(frame: Frame) -> Self {
        Self {
            frame,
            stored: None,
        }
    }
}

impl Pending {
    /// Most watchers show an object as it is stored, and then all of them share its text.
    fn encode(&self) -> String {
        match &self.stored {
            Some(stored) => format!(
                "{{\"type\":\"{}\",\"object\":{}}}\n",
                self.frame.kind.as_str(),
                stored.json()
            ),
            None => self.frame.encode(),
        }
    }
}

impl OpenWatch {
    /// A watch that has to send `initial` and continues with what `queue` brings.
    pub(crate) fn new(
        cluster: Arc<Cluster>,
        watcher: Watcher,
        initial: Vec<Frame>,
        queue: mpsc::Receiver<Event>,
    ) -> Self {
        let timeout = watcher
            .plan()
            .timeout_seconds
            .unwrap_or_else(|| cluster.default_watch_seconds());
        let now = Instant::now();
        Self {
            cluster,
            watcher,
            pending: initial.into_iter().map(Pending::from).collect(),
            queue,
            next_bookmark: now + BOOKMARK_PERIOD,
            end: now + Duration::from_secs(timeout),
            // A watch that ends at once says nothing before.
            said_goodbye: Duration::from_secs(timeout) <= BOOKMARK_BEFORE_END,
        }
    }

    /// What the watch sends, as text.
    pub(crate) fn chunks(self) -> impl Stream<Item = Bytes> + Send {
        self.frames().map(|frames| {
            let mut chunk = BytesMut::new();
            for frame in &frames {
                chunk.extend_from_slice(frame.encode().as_bytes());
            }
            chunk.freeze()
        })
    }

    /// What the watch sends, as values.
    pub(crate) fn events(self) -> BoxStream<'static, Vec<handover::Event>> {
        let event = |Pending { frame, stored }| handover::Event {
            kind: frame.kind.as_str(),
            object: match stored {
                Some(stored) => stored.as_read(),
                None => json::as_read(&frame.object),
            },
        };
        let events = self
            .frames()
            .map(move |frames| frames.into_iter().map(event).collect());
        events.boxed()
    }

    fn frames(self) -> impl Stream<Item = Vec<Pending>> + Send {
        let frames = futures::stream::unfold(self, |mut watch| async move {
            let frames = watch.next_frames().await?;
            Some((frames, watch))
        });
        // Because a body may be asked again after its end.
        frames.fuse()
    }

    async fn next_frames(&mut self) -> Option<Vec<Pending>> {
        loop {
            if !self.pending.is_empty() {
                let many = self.pending.len().min(CHUNK_FRAMES_MAX);
                return Some(self.pending.drain(..many).collect());
            }
            if self.watcher.ended() {
                return None;
            }
            let goodbye = self
                .end
                .checked_sub(BOOKMARK_BEFORE_END)
                .filter(|_| !self.said_goodbye);
            let bookmark_at = goodbye.map_or(self.next_bookmark, |goodbye| {
                goodbye.min(self.next_bookmark)
            });
            tokio::select! {
                biased;
                event = self.queue.recv() => {
                    let now = self.cluster.now();
                    self.take(&event?, now);
                    // More may be there already; they travel in the same chunk.
                    while self.pending.len() < CHUNK_FRAMES_MAX && let Ok(event) = self.queue.try_recv() {
                        self.take(&event, now);
                    }
                }
                () = tokio::time::sleep_until(self.end) => return None,
                () = tokio::time::sleep_until(bookmark_at) => {
                    let now = Instant::now();
                    self.said_goodbye |= goodbye.is_some_and(|at| at <= now);
                    self.next_bookmark = now + BOOKMARK_PERIOD;
                    // Everything up to the published version is in the queue already, so after
                    // draining it the promise of the bookmark holds.
                    let version = self.cluster.published_version();
                    let now = self.cluster.now();
                    while let Ok(event) = self.queue.try_recv() {
                        self.take(&event, now);
                    }
                    let bookmark = self.watcher.bookmark(version);
                    self.pending.extend(bookmark.map(Pending::from));
                }
            }
        }
    }

    fn take(&mut self, event: &Event, now: Timestamp) {
        let Some(frame) = self.watcher.event(event, now) else {
            return;
        };
        let stored = frame.object == event.object.node;
        self.pending.push_back(Pending {
            stored: stored.then(|| event.object.clone()),
            frame,
        });
    }
}
