//! What a client and a server in one process give each other in place of text.
//!
//! Both speak HTTP, so that nothing above them can tell an API server in this process from one
//! elsewhere. Written as JSON and read again, every object would be there twice, and most of the
//! work of a small request would be writing and reading. So a client puts an [`Offer`] into the
//! extensions of its request, which no request from a socket can have, and a server that knows of
//! offers puts an [`Answer`] into those of its response. A server that does not sees the same
//! request without a body it understands, so only a client that knows its server makes offers.
//!
//! # Invariants
//!
//! - **A value says what its text would say.** What JSON would change, or a limit of the reader
//!   would refuse, travels as text: see [`object::json::survives`].
//! - **Refusals are text.** Only answers that tell of success are handed over.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use futures::stream::BoxStream;
use object::Node;

/// A client takes the answer as a value, and may give the body as one.
#[derive(Clone, Debug, Default)]
pub struct Offer {
    /// What the body would say; the body itself is empty then.
    pub body: Option<Node>,
}

/// What the body of a response would say; the body itself is empty.
#[derive(Clone)]
pub struct Answer(Arc<Mutex<Option<Content>>>);

/// One value, or those that come one after the other.
pub enum Content {
    /// An object or a list.
    Node(Node),
    /// What a watch sends, as many at a time as are there.
    Events(BoxStream<'static, Vec<Event>>),
}

/// One event of a watch.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// `ADDED`, `MODIFIED`, `DELETED`, `BOOKMARK` or `ERROR`.
    pub kind: &'static str,
    /// The object it is about.
    pub object: Node,
}

impl Answer {
    /// An answer to hand over.
    pub fn new(content: Content) -> Self {
        Self(Arc::new(Mutex::new(Some(content))))
    }

    /// The content; nothing when somebody has taken it already.
    pub fn take(&self) -> Option<Content> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer")
    }
}
