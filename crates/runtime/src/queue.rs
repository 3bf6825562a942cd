//! Which objects to look at, each by one worker at a time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard};

use tokio::sync::Notify;
use tokio::time::Instant;

/// Of so many keys one does not come from the first lane that has any, so that no lane waits for
/// ever. The fewer, the more often objects are looked at of which more is about to come.
const TURNS: usize = 8;

/// Keys to look at, now or at a time.
///
/// A key is handed to one worker at a time. Adding a key that a worker has marks it, and it comes
/// again when the worker is done; adding it twice before that is the same as adding it once.
pub(crate) struct Queue<K> {
    inner: Mutex<Inner<K>>,
    /// Something became ready, or a timer changed.
    news: Notify,
    /// A key was marked while a worker has it.
    interrupts: Notify,
}

struct Inner<K> {
    /// One queue for each lane.
    ready: Vec<VecDeque<K>>,
    lane: fn(&K) -> usize,
    /// Keys handed out so far.
    handed_out: usize,
    /// Everything in `ready`, and everything marked while running.
    wanted: BTreeSet<K>,
    running: BTreeSet<K>,
    timers: BTreeMap<K, Instant>,
    /// The same by time.
    due: BTreeSet<(Instant, K)>,
}

impl<K: Ord + Clone> Queue<K> {
    pub(crate) fn new() -> Self {
        Self::with_lanes(1, |_| 0)
    }

    /// A queue with several lanes: a key waits until the lanes before its own are empty, most of
    /// the time. Added again while it waits it is looked at once, so what changes often is best
    /// looked at late.
    pub(crate) fn with_lanes(lanes: usize, lane: fn(&K) -> usize) -> Self {
        Self {
            inner: Mutex::new(Inner {
                ready: (0..lanes).map(|_| VecDeque::new()).collect(),
                lane,
                handed_out: 0,
                wanted: BTreeSet::new(),
                running: BTreeSet::new(),
                timers: BTreeMap::new(),
                due: BTreeSet::new(),
            }),
            news: Notify::new(),
            interrupts: Notify::new(),
        }
    }

    /// Wants `key` to be looked at now.
    pub(crate) fn add(&self, key: K) {
        let mut inner = self.lock();
        let fresh = inner.wanted.insert(key.clone());
        if inner.running.contains(&key) {
            drop(inner);
            self.interrupts.notify_waiters();
        } else if fresh {
            inner.push(key);
            drop(inner);
            self.news.notify_one();
        }
    }

    /// Wants `key` to be looked at at a time; replaces an earlier wish, `None` takes it back.
    pub(crate) fn schedule(&self, key: K, at: Option<Instant>) {
        let mut inner = self.lock();
        inner.forget_timer(&key);
        if let Some(at) = at {
            inner.timers.insert(key.clone(), at);
            inner.due.insert((at, key));
            drop(inner);
            self.news.notify_one();
        }
    }

    /// The next key; the caller owns it until it calls [`Queue::done`].
    pub(crate) async fn next(&self) -> K {
        loop {
            let due = {
                let mut inner = self.lock();
                if inner.move_due() {
                    self.interrupts.notify_waiters();
                }
                if let Some(key) = inner.pop() {
                    inner.wanted.remove(&key);
                    inner.running.insert(key.clone());
                    return key;
                }
                inner.due.first().map(|(at, _)| *at)
            };
            let news = self.news.notified();
            match due {
                None => news.await,
                Some(due) => tokio::select! {
                    () = news => {}
                    () = tokio::time::sleep_until(due) => {}
                },
            }
        }
    }

    /// Gives `key` back; it comes again if it was added meanwhile.
    pub(crate) fn done(&self, key: &K) {
        let mut inner = self.lock();
        inner.running.remove(key);
        if inner.wanted.contains(key) {
            inner.push(key.clone());
            drop(inner);
            self.news.notify_one();
        }
    }

    /// Waits until `key`, which the caller has, is added again.
    pub(crate) async fn interrupted(&self, key: &K) {
        loop {
            let interrupt = self.interrupts.notified();
            tokio::pin!(interrupt);
            interrupt.as_mut().enable();
            if self.lock().wanted.contains(key) {
                return;
            }
            interrupt.await;
        }
    }

    /// Takes back that `key`, which the caller has, was added again.
    ///
    /// Call it before looking at what has changed: what is added after that counts again.
    pub(crate) fn forgive(&self, key: &K) {
        self.lock().wanted.remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, Inner<K>> {
        self.inner.lock().unwrap_or_else(|lock| lock.into_inner())
    }
}

impl<K: Ord + Clone> Inner<K> {
    fn push(&mut self, key: K) {
        let lane = (self.lane)(&key).min(self.ready.len() - 1);
        self.ready[lane].push_back(key);
    }

    /// The next key of the first lane that has any; each lane's turn to be the first comes.
    fn pop(&mut self) -> Option<K> {
        let lanes = self.ready.len();
        let first = match self.handed_out % TURNS {
            0 => self.handed_out / TURNS % lanes,
            _ => 0,
        };
        let mut order = (first..lanes).chain(0..first);
        let key = order.find_map(|lane| self.ready[lane].pop_front())?;
        self.handed_out += 1;
        Some(key)
    }

    fn forget_timer(&mut self, key: &K) {
        if let Some(at) = self.timers.remove(key) {
            self.due.remove(&(at, key.clone()));
        }
    }

    /// Makes keys ready whose time has come; whether a worker has one of them.
    fn move_due(&mut self) -> bool {
        let now = Instant::now();
        let mut interrupts = false;
        while self.due.first().is_some_and(|(at, _)| *at <= now)
            && let Some((_, key)) = self.due.pop_first()
        {
            self.timers.remove(&key);
            if self.running.contains(&key) {
                self.wanted.insert(key);
                interrupts = true;
            } else if self.wanted.insert(key.clone()) {
                self.push(key);
            }
        }
        interrupts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn a_key_added_while_a_worker_has_it_comes_again_once() {
        let queue = Queue::new();
        queue.add("a");
        assert_eq!(queue.next().await, "a");
        queue.add("a");
        queue.add("a");
        queue.interrupted(&"a").await;
        let other = tokio::time::timeout(Duration::from_secs(1), queue.next()).await;
        assert!(other.is_err(), "one worker at a time");
        queue.done(&"a");
        assert_eq!(queue.next().await, "a");
        queue.done(&"a");
        let again = tokio::time::timeout(Duration::from_secs(1), queue.next()).await;
        assert!(again.is_err(), "once");
    }

    #[tokio::test(start_paused = true)]
    async fn a_timer_that_fires_while_a_worker_has_the_key_hides_nothing_that_comes_later() {
        let queue = std::sync::Arc::new(Queue::new());
        queue.add("a");
        assert_eq!(queue.next().await, "a");
        queue.schedule("a", Some(Instant::now() + Duration::from_secs(10)));
        let others = queue.clone();
        let others = tokio::spawn(async move { others.next().await });
        queue.interrupted(&"a").await;
        queue.forgive(&"a");
        queue.add("a");
        let again = tokio::time::timeout(Duration::from_secs(1), queue.interrupted(&"a"));
        assert!(again.await.is_ok());
        queue.done(&"a");
        assert_eq!(others.await.ok(), Some("a"));
    }

    #[tokio::test(start_paused = true)]
    async fn earlier_lanes_come_first_and_no_lane_waits_for_ever() {
        let queue = Queue::with_lanes(3, |key: &(usize, usize)| key.0);
        let mut at = [0; 3];
        let mut add = |lane: usize| {
            at[lane] += 1;
            queue.add((lane, at[lane]));
        };
        (0..3).for_each(&mut add);
        let mut seen = [0; 3];
        for _ in 0..TURNS * 30 {
            let key = queue.next().await;
            queue.done(&key);
            seen[key.0] += 1;
            add(key.0);
        }
        assert_eq!(seen, [TURNS * 30 - 20, 10, 10]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_timer_fires_at_its_time_and_the_last_wish_counts() {
        let queue = Queue::new();
        let start = Instant::now();
        queue.schedule("a", Some(start + Duration::from_secs(10)));
        queue.schedule("a", Some(start + Duration::from_secs(20)));
        queue.schedule("b", Some(start + Duration::from_secs(5)));
        queue.schedule("b", None);
        assert_eq!(queue.next().await, "a");
        assert_eq!(start.elapsed(), Duration::from_secs(20));
    }
}
