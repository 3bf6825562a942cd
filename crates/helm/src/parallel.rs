//! Work on many texts at once, on as many cores as there are.
//!
//! Results come in the order of the items, so that nothing depends on who was faster.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Bytes of text that are worth a thread: some two milliseconds of parsing, where starting one takes
/// a twentieth of that.
const BYTES_PER_THREAD: usize = 256 << 10;

/// Most threads; more would wait for memory.
const THREADS_MAX: usize = 4;

/// What `call` gives for every item.
pub(crate) fn map<T: Sync, R: Send>(
    items: &[T],
    bytes: impl Fn(&T) -> usize,
    call: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let wanted = items.iter().map(bytes).sum::<usize>() / BYTES_PER_THREAD;
    let threads = if wanted > 1 { wanted.min(cores()) } else { 1 };
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
}
