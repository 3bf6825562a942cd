//! Watches: what a stream sends, so that its carrier only moves bytes.
//!
//! # Source
//! kubernetes/apiserver `pkg/storage/cacher`, KEP 3157.

use std::sync::Arc;

use golang::Timestamp;
use object::{Map, Node};

use crate::list::Selection;
use crate::negotiate::{self, Form, Negotiated};
use crate::options::{self, ListOptions};
use crate::path::Route;
use crate::tables::{self, IncludeObject};
use crate::types::ResourceType;
use crate::{Change, Event, Key, Refusal, Request, State, Stored};

/// What kind of frame a watch sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    /// The object is new to the watcher.
    Added,
    /// The object changed.
    Modified,
    /// The object is gone, or no longer selected.
    Deleted,
    /// Everything up to a version was sent.
    Bookmark,
    /// The watch ends with a Status.
    Error,
}

impl FrameKind {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "ADDED",
            Self::Modified => "MODIFIED",
            Self::Deleted => "DELETED",
            Self::Bookmark => "BOOKMARK",
            Self::Error => "ERROR",
        }
    }
}

/// One line of a watch.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// What it says.
    pub kind: FrameKind,
    /// About which object.
    pub object: Node,
}

impl Frame {
    /// The line, its end included.
    pub fn encode(&self) -> String {
        let object = object::json::to_string(&self.object);
        format!(
            "{{\"type\":\"{}\",\"object\":{object}}}\n",
            self.kind.as_str()
        )
    }
}

/// A watch that was asked for and granted.
#[derive(Clone, Debug)]
pub struct WatchPlan {
    /// The watched resource in the version to send.
    pub resource: Arc<ResourceType>,
    /// Which objects.
    pub selection: Selection,
    /// Changes after this version; `None`: changes from now on.
    pub after: Option<u64>,
    /// Whether the current state is sent before changes.
    pub initial_events: bool,
    /// Whether the client wants bookmarks, the one that ends the current state included.
    pub bookmarks: bool,
    /// When to end; `None`: between half an hour and an hour.
    pub timeout_seconds: Option<u64>,
    form: Form,
    include: IncludeObject,
}

/// Reads what a watch request asks for.
pub(crate) fn plan(
    state: &State,
    request: &Request,
    route: &Route,
    negotiated: &Negotiated,
) -> Result<WatchPlan, Refusal> {
    let options: ListOptions = options::list(request)?;
    let selection = Selection::of(route, &options)?;
    let version = options::version(&options.resource_version).map_err(Refusal::plain_error)?;
    let legacy = matches!(options.resource_version.as_str(), "" | "0");
    let initial_events = options.send_initial_events.unwrap_or(legacy);
    let include = match negotiated.form {
        Form::Table(_) => negotiate::include_object(request)?,
        _ => IncludeObject::default(),
    };
    let _ = state;
    Ok(WatchPlan {
        resource: route.resource.clone(),
        selection,
        after: (!legacy).then_some(version),
        initial_events,
        bookmarks: options.bookmarks,
        timeout_seconds: options
            .timeout_seconds
            .and_then(|seconds| u64::try_from(seconds).ok())
            .filter(|&s| s > 0),
        form: negotiated.form.clone(),
        include,
    })
}

/// A running watch: takes the cluster's events in order, gives frames.
#[derive(Clone, Debug)]
pub struct Watcher {
    plan: WatchPlan,
    /// Every event up to this version was looked at.
    seen: u64,
    /// The bookmark that ends the current state waits for this version.
    end_pending: Option<u64>,
    columns_sent: bool,
    ended: bool,
}

impl Watcher {
    /// Starts a watch; the frames bring the client up to `state.version()`.
    pub fn start(plan: WatchPlan, state: &State, now: Timestamp) -> (Self, Vec<Frame>) {
        let current = state.version();
        let mut watcher = Self {
            seen: current,
            end_pending: None,
            columns_sent: false,
            ended: false,
            plan,
        };
        let mut frames = Vec::new();
        let after = watcher.plan.after;
        if watcher.plan.initial_events {
            watcher.seen = current.max(after.unwrap_or_default());
            let resource = watcher.plan.resource.clone();
            for (key, stored) in state.list(&resource.storage, None) {
                if watcher.selects(key, &stored.node) {
                    frames.extend(watcher.frame(FrameKind::Added, &stored.node, now));
                }
            }
            if watcher.plan.bookmarks {
                let wanted = after.unwrap_or_default();
                watcher.end_pending = Some(wanted);
                frames.extend(watcher.initial_end(current));
            }
            return (watcher, frames);
        }
        let Some(after) = after else {
            return (watcher, frames);
        };
        watcher.seen = after;
        match state.events_after(after) {
            Some(events) => {
                let events: Vec<Event> = events.cloned().collect();
                frames.extend(events.iter().filter_map(|event| watcher.event(event, now)));
                watcher.seen = watcher.seen.max(current.min(watcher.seen.max(after)));
            }
            None => {
                watcher.ended = true;
                let message = format!("too old resource version: {after} ({current})");
                let status = Refusal::new(410, "Expired", message).node();
                frames.push(Frame {
                    kind: FrameKind::Error,
                    object: status,
                });
            }
        }
        (watcher, frames)
    }

    /// What one change means for this watch. Events that [`Watcher::start`] already covered are skipped.
    pub fn event(&mut self, event: &Event, now: Timestamp) -> Option<Frame> {
        if self.ended || event.version <= self.seen {
            return None;
        }
        self.seen = event.version;
        if event.resource != self.plan.resource.storage {
            return None;
        }
        let selects = |stored: &Stored| self.selects(&event.key, &stored.node);
        let before = event.old.as_deref().is_some_and(selects);
        let after = event.change != Change::Deleted && selects(&event.object);
        match (before, after) {
            (false, false) => None,
            (false, true) => self.frame(FrameKind::Added, &event.object.node, now),
            (true, true) => self.frame(FrameKind::Modified, &event.object.node, now),
            (true, false) => {
                let old = event.old.as_deref().unwrap_or(&event.object);
                let mut last = old.node.clone();
                last.set(&["metadata", "resourceVersion"], event.version.to_string());
                self.frame(FrameKind::Deleted, &last, now)
            }
        }
    }

    /// A bookmark that every event up to `version` was sent, when the client wants one.
    ///
    /// Call it about once a minute and two seconds before the end, with the state's version.
    pub fn bookmark(&mut self, version: u64) -> Option<Frame> {
        if self.ended || !self.plan.bookmarks {
            return None;
        }
        self.seen = self.seen.max(version);
        self.initial_end(version)
            .or_else(|| Some(self.bookmark_frame(version, false)))
    }

    /// Whether the stream has to be closed, all frames given so far being sent.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// What was asked for.
    pub fn plan(&self) -> &WatchPlan {
        &self.plan
    }

    fn selects(&self, key: &Key, object: &Node) -> bool {
        self.plan
            .selection
            .matches(&self.plan.resource, key, object)
    }

    fn initial_end(&mut self, version: u64) -> Option<Frame> {
        let wanted = self.end_pending?;
        if version < wanted {
            return None;
        }
        self.end_pending = None;
        Some(self.bookmark_frame(version, true))
    }

    fn bookmark_frame(&self, version: u64, initial_end: bool) -> Frame {
        let mut metadata: Map = [("resourceVersion", version.to_string())]
            .into_iter()
            .collect();
        if initial_end {
            let annotations: Map = [("k8s.io/initial-events-end", "true")]
                .into_iter()
                .collect();
            metadata.insert("annotations", annotations);
        }
        let mut object = match self.plan.form {
            Form::Object => self.plan.resource.missing(),
            _ => negotiate::partial(&Node::map()),
        };
        object.set(&["metadata"], metadata);
        Frame {
            kind: FrameKind::Bookmark,
            object,
        }
    }

    fn frame(&mut self, kind: FrameKind, stored: &Node, now: Timestamp) -> Option<Frame> {
        let resource = self.plan.resource.clone();
        let node = resource.show(stored);
        let object = match &self.plan.form {
            Form::Object => node,
            Form::Partial | Form::PartialList => negotiate::partial(&node),
            Form::Table(version) => {
                let rv = node
                    .str_at(&["metadata", "resourceVersion"])
                    .unwrap_or_default()
                    .to_owned();
                let metadata: Map = [("resourceVersion", rv)].into_iter().collect();
                let columns = !self.columns_sent;
                let table = tables::table(
                    &resource,
                    &[node],
                    metadata,
                    self.plan.include,
                    columns,
                    version,
                    now,
                );
                self.columns_sent = true;
                table.ok()?
            }
        };
        Some(Frame { kind, object })
    }
}
