//! Group commit: a thread that writes whatever piled up while the disk was busy.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use apimachine::{Event, Stored, TEXTS_KEPT};

use super::{Durable, StorageError};

/// Most changes written with one flush.
///
/// A flush costs about a millisecond; 256 changes of a few kilobytes add less than that, so the
/// last one in a group waits at most twice as long as the first.
const GROUP_EVENTS_MAX: usize = 256;

/// Tells what became of the changes it was given.
pub(crate) trait Outcome: Send + Sync + 'static {
    /// These changes are stored.
    fn stored(&self, events: &[Event]);
    /// Nothing after the last [`Outcome::stored`] is; no further change is taken until the store was loaded again.
    fn failed(&self, error: StorageError);
}

/// The thread and the way to it.
pub(crate) struct Committer {
    store: Arc<Mutex<Box<dyn Durable>>>,
    sender: Option<Sender<Vec<Event>>>,
    thread: Option<JoinHandle<()>>,
}

impl Committer {
    /// Starts the thread.
    pub(crate) fn start(store: Arc<Mutex<Box<dyn Durable>>>, outcome: Arc<dyn Outcome>) -> Self {
        let (sender, receiver) = channel();
        let shared = store.clone();
        let thread = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || run(&receiver, &shared, &*outcome))
            .map_err(|error| tracing::error!(%error, "no thread for the store"))
            .ok();
        Self {
            store,
            sender: Some(sender),
            thread,
        }
    }

    /// Hands over changes; false when the thread has given up.
    pub(crate) fn submit(&self, events: Vec<Event>) -> bool {
        self.sender
            .as_ref()
            .is_some_and(|sender| sender.send(events).is_ok())
    }

    /// Ends the thread after everything submitted is stored, and gives the store back.
    pub(crate) fn stop(&mut self) -> Arc<Mutex<Box<dyn Durable>>> {
        self.sender = None;
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
        self.store.clone()
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn run(receiver: &Receiver<Vec<Event>>, store: &Mutex<Box<dyn Durable>>, outcome: &dyn Outcome) {
    // Objects whose text was made for the store. The rules let go of it when it was there before;
    // here it is made later when the disk is slow.
    let mut texts: VecDeque<Arc<Stored>> = VecDeque::new();
    while let Ok(mut group) = receiver.recv() {
        while group.len() < GROUP_EVENTS_MAX
            && let Ok(more) = receiver.try_recv()
        {
            group.extend(more);
        }
        let result = store
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .append(&group);
        match result {
            Ok(()) => {
                outcome.stored(&group);
                for event in group {
                    texts.push_back(event.object);
                    if texts.len() > TEXTS_KEPT
                        && let Some(read) = texts.pop_front()
                    {
                        read.forget_json();
                    }
                }
            }
            Err(error) => {
                outcome.failed(error);
                return;
            }
        }
    }
}
