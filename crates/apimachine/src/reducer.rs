//! Controllers as functions: they look at the state after each change and write what follows.

use crate::{Env, Event, State, Timestamp, Writer};

/// Rounds of reactions to reactions before [`react`] leaves the rest to the next call.
///
/// A Deployment needs four (ReplicaSet, Pods, status, status); a hundred means that two reducers
/// undo each other's work, and a server that answers is better than one that argues with itself.
const ROUNDS_MAX: usize = 100;

/// A controller that lives beside the store.
///
/// Level-triggered: events say which objects to look at, [`Writer::state`] says what is true. A
/// reducer has to survive being called with no events at all, which happens once after a start
/// (look at everything) and whenever a wake-up it asked for is due.
pub trait Reducer: Send {
    /// How its writes are recorded in managed fields.
    fn manager(&self) -> &str;

    /// Reacts to changes, its own earlier ones included, and says when it wants to be called again
    /// even if nothing changes.
    ///
    /// What it writes twice is told once, as it is in the end; the writer's events are only those of
    /// the end as well. Time and seed are in [`Writer::env`]. Refused writes are the reducer's
    /// business: most mean that the object changed or went away meanwhile.
    fn react(&mut self, writer: &mut Writer<'_>, events: &[Event]) -> Option<Timestamp>;
}

/// What reducers did.
#[derive(Debug, Default)]
pub struct Reaction {
    /// What they changed, in order.
    pub events: Vec<Event>,
    /// When to call them again even if nothing changes.
    pub wake: Option<Timestamp>,
    /// Changes of theirs that some have not seen, because they did not come to an end: the first
    /// events of the next call, which is due at once.
    pub unseen: Vec<Event>,
}

/// Lets `reducers` react to `events` until nothing changes, and says when to call again.
///
/// The answer holds what they changed, without `events` themselves. The state is never left between
/// two writes of one reaction, so the caller may store and announce all at once.
pub fn react(
    reducers: &mut [Box<dyn Reducer>],
    state: &mut State,
    env: &Env,
    events: &[Event],
) -> Reaction {
    let mut all: Vec<Event> = Vec::new();
    let mut wake = vec![None; reducers.len()];
    // Where in `events` followed by `all` each reducer has read up to.
    let mut seen = vec![None; reducers.len()];
    for round in 0..=ROUNDS_MAX {
        let mut quiet = true;
        for (at, reducer) in reducers.iter_mut().enumerate() {
            let news: Vec<Event> = match seen[at] {
                None => events.iter().chain(&all).cloned().collect(),
                Some(seen) => all[seen..].to_vec(),
            };
            if seen[at].is_some() && news.is_empty() {
                continue;
            }
            if round == ROUNDS_MAX {
                wake[at] = Some(env.now);
                quiet = false;
                continue;
            }
            seen[at] = Some(all.len());
            let manager = reducer.manager().to_owned();
            let mut writer = Writer::new(state, env, &manager).folding();
            wake[at] = reducer.react(&mut writer, &news);
            let written = writer.finish();
            quiet &= written.is_empty();
            all.extend(written);
        }
        if quiet && seen.iter().flatten().all(|&seen| seen == all.len()) {
            break;
        }
    }
    let from = seen.iter().flatten().min().copied();
    let unseen = from.map_or_else(Vec::new, |from| all[from..].to_vec());
    Reaction {
        events: all,
        wake: wake.into_iter().flatten().min(),
        unseen,
    }
}
