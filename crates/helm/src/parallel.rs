//! Work on many texts at once, on as many cores as there are.
//!
//! Results come in the order of the items, so that nothing depends on who was faster.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError, mpsc};
use std::thread;

/// Bytes of text that are worth a thread: some two milliseconds of parsing, where starting one takes
/// a twentieth of that.
const BYTES_PER_THREAD: usize = 256 << 10;

/// Bytes of text that are handed to another thread at once: waking it costs some microseconds.
const BYTES_PER_BATCH: usize = 16 << 10;

/// Most threads; more would wait for memory.
pub(crate) const THREADS_MAX: usize = 4;

/// Whether so many bytes of text are worth a second thread.
pub(crate) fn is_worth_threads(bytes: usize) -> bool {
    threads(bytes) > 1
}

fn threads(bytes: usize) -> usize {
    match bytes / BYTES_PER_THREAD {
        0 | 1 => 1,
        wanted => wanted.min(cores()),
    }
}

/// What `call` gives for every item.
pub(crate) fn map<T: Sync, R: Send>(
    items: &[T],
    bytes: impl Fn(&T) -> usize,
    call: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let threads = threads(items.iter().map(bytes).sum());
    if threads == 1 {
        return items.iter().map(call).collect();
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let at = next.fetch_add(1, Ordering::Relaxed)
            && let Some(item) = items.get(at)
        {
            done.push((at, call(item)));
        }
        done
    };
    let mut done = thread::scope(|scope| {
        // Where the system gives no thread, those that are there do more.
        let others: Vec<_> = (1..threads)
            .filter_map(|_| thread::Builder::new().spawn_scoped(scope, work).ok())
            .collect();
        let mut done = work();
        for other in others {
            match other.join() {
                Ok(more) => done.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Calls `one` beside `other` if that is worth a thread for so many bytes.
pub(crate) fn both<A: Send, B>(
    bytes: usize,
    one: impl FnOnce() -> A + Send,
    other: impl FnOnce() -> B,
) -> (A, B) {
    if bytes < BYTES_PER_THREAD / 4 || cores() == 1 {
        return (one(), other());
    }
    thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = other();
        match one.join() {
            Ok(one) => (one, other),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Calls `call` for every item that `make` gives, with the item's bytes, while `make` goes on: what
/// `make` returns, and what the calls gave in the order of the items.
pub(crate) fn meanwhile<T: Send, R: Send, M>(
    make: impl FnOnce(&mut dyn FnMut(T, usize)) -> M,
    call: impl Fn(T) -> R + Sync,
) -> (M, Vec<R>) {
    let (sender, receiver) = mpsc::channel();
    let receiver = Mutex::new(receiver);
    let work = || {
        let next = || {
            let receiver = receiver.lock().unwrap_or_else(PoisonError::into_inner);
            receiver.recv().ok()
        };
        let mut done = Vec::new();
        while let Some(batch) = next() {
            let batch: Vec<(usize, T)> = batch;
            let called = batch.into_iter().map(|(at, item)| (at, call(item)));
            done.extend(called);
        }
        done
    };
    // The sender is dropped in any case, or the other thread would wait forever.
    let (made, mut done) = thread::scope(move |scope| {
        let mut other = None;
        let (mut sum, mut sent, mut count) = (0, 0, 0);
        let mut batch = Vec::new();
        let made = make(&mut |item, bytes| {
            sum += bytes;
            if other.is_none() && sum >= BYTES_PER_THREAD / 4 && cores() > 1 {
                other = thread::Builder::new().spawn_scoped(scope, work).ok();
            }
            batch.push((count, item));
            count += 1;
            if sum - sent >= BYTES_PER_BATCH {
                sent = sum;
                hand_over(&sender, std::mem::take(&mut batch));
            }
        });
        hand_over(&sender, batch);
        drop(sender);
        let mut done = work();
        match other.map(thread::ScopedJoinHandle::join) {
            None => {}
            Some(Ok(more)) => done.extend(more),
            Some(Err(panic)) => std::panic::resume_unwind(panic),
        }
        (made, done)
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    (made, done.into_iter().map(|(_, result)| result).collect())
}

/// Gives items to whoever is free.
fn hand_over<T>(sender: &mpsc::Sender<T>, items: T) {
    let sent = sender.send(items);
    debug_assert!(sent.is_ok(), "the receiver lives longer");
}

fn cores() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| {
        let cores = thread::available_parallelism().map_or(1, |cores| cores.get());
        cores.min(THREADS_MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..1000).collect();
        for bytes in [0, BYTES_PER_THREAD] {
            let doubled = map(&items, |_| bytes, |item| item * 2);
            assert!(
                doubled
                    .iter()
                    .zip(0..)
                    .all(|(twice, item)| *twice == item * 2)
            );
            assert_eq!(doubled.len(), items.len());
        }
    }

    #[test]
    fn what_is_made_meanwhile_comes_in_its_order() {
        for bytes in [0, BYTES_PER_THREAD] {
            let make = |give: &mut dyn FnMut(usize, usize)| {
                (0..1000).for_each(|item| give(item, bytes));
                "made"
            };
            let (made, doubled) = meanwhile(make, |item| item * 2);
            let expected: Vec<usize> = (0..1000).map(|item| item * 2).collect();
            assert_eq!((made, doubled), ("made", expected));
        }
    }
}
