//! Watches: what a stream sends, so that its carrier only moves bytes.

use std::sync::Arc;

use golang::Timestamp;
use object::{Node, Text};

use crate::types::ResourceType;
use crate::{Event, State};

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
    /// Only this namespace.
    pub namespace: Option<Text>,
    /// Only the object of this name.
    pub name: Option<Text>,
    /// Changes after this version; `None`: the current state first.
    pub after: Option<u64>,
    /// Whether the current state is sent before changes.
    pub initial_events: bool,
    /// Whether a bookmark with its annotation ends the current state.
    pub initial_events_end: bool,
    /// Whether the client wants bookmarks.
    pub bookmarks: bool,
    /// When to end; `None`: between half an hour and an hour.
    pub timeout_seconds: Option<u64>,
}

/// A running watch: takes the cluster's events in order, gives frames.
#[derive(Clone, Debug)]
pub struct Watcher {
    plan: WatchPlan,
    seen: u64,
    ended: bool,
}

impl Watcher {
    /// Starts a watch; the frames bring the client up to `state.version()`.
    pub fn start(plan: WatchPlan, state: &State, now: Timestamp) -> (Self, Vec<Frame>) {
        let _ = now;
        let watcher = Self {
            plan,
            seen: state.version(),
            ended: false,
        };
        (watcher, Vec::new())
    }

    /// What one change means for this watch. Events that [`Watcher::start`] already covered are skipped.
    pub fn event(&mut self, event: &Event, now: Timestamp) -> Option<Frame> {
        let _ = (event, now, &self.plan);
        None
    }

    /// A bookmark that every event up to `version` was sent, when the client wants one.
    ///
    /// Call it about once a minute and two seconds before the end, with the state's version.
    pub fn bookmark(&mut self, version: u64) -> Option<Frame> {
        self.seen = self.seen.max(version);
        None
    }

    /// Whether the stream has to be closed, all frames given so far being sent.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// What was asked for.
    pub fn plan(&self) -> &WatchPlan {
        &self.plan
    }
}
