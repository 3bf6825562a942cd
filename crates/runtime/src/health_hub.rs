//! Watching the health of objects, one watch for everybody who asks.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, Weak};

use cluster::{Cluster, ErrorClass, Reflector, Scope};
use control::kustomization::HealthTarget;
use golang::Timestamp;
use health::{Assessment, Checks, Mode, Status, Verdict};
use object::{Object, ObjectKey};
use tokio::sync::watch;
use tokio::time::{Duration, Instant};

use crate::Clock;

/// How often objects are read where they cannot be watched.
const POLL_PAUSE: Duration = Duration::from_secs(2);

/// Shared watches over the kinds that somebody waits for.
#[derive(Default)]
pub(crate) struct HealthHub {
    shared: Mutex<HashMap<(u64, Scope), Weak<Shared>>>,
}

/// A watch that lives as long as somebody waits.
struct Shared {
    reflector: Reflector,
    changes: watch::Receiver<u64>,
}

/// What a wait is for.
pub(crate) struct Wait<'a> {
    /// The cluster with our own rights.
    pub(crate) cluster: &'a Cluster,
    /// The cluster with the unit's rights, for reads where we may not watch.
    pub(crate) impersonated: &'a Cluster,
    /// The objects.
    pub(crate) targets: &'a [HealthTarget],
    /// Rules of the unit for kinds that do not say in the usual way.
    pub(crate) checks: &'a Checks,
    /// Says what time it is.
    pub(crate) clock: &'a dyn Clock,
    /// Versions that are known to exist: a watch that is behind them is not believed.
    pub(crate) at_least: &'a BTreeMap<ObjectKey, u64>,
}

/// The version of an object; versions of one object compare as numbers (KEP 5504).
pub(crate) fn version(object: &Object) -> u64 {
    object.resource_version().parse().unwrap_or(0)
}

impl HealthHub {
    /// Waits until everything is healthy.
    ///
    /// # Errors
    /// What is not, in Flux's words, when something has failed or the time is up.
    pub(crate) async fn wait(&self, wait: &Wait<'_>, until: Instant) -> Result<(), String> {
        let watches = self.watches(wait);
        let deadline = tokio::time::sleep_until(until);
        tokio::pin!(deadline);
        loop {
            let mut receivers: Vec<watch::Receiver<u64>> = Vec::new();
            let mut polling = false;
            for shared in watches.values() {
                let mut receiver = shared.changes.clone();
                receiver.mark_unchanged();
                receivers.push(receiver);
                polling |= !shared.reflector.is_synced();
            }
            let set = assess(wait, &watches).await;
            let mode = Mode {
                timed_out: Instant::now() >= until,
                wait_for_all: false,
            };
            match health::verdict(&set, mode) {
                Verdict::Healthy => return Ok(()),
                Verdict::Unhealthy(why) => return Err(why),
                Verdict::Waiting(_) => {}
            }
            let changed = futures::future::select_all(
                receivers
                    .iter_mut()
                    .map(|receiver| Box::pin(receiver.changed())),
            );
            let pause = match polling {
                true => POLL_PAUSE.min(Duration::from_millis(100)),
                false => Duration::from_secs(60),
            };
            tokio::select! {
                _ = changed => {}
                () = tokio::time::sleep(pause) => {}
                () = &mut deadline => {}
            }
        }
    }

    fn watches(&self, wait: &Wait<'_>) -> BTreeMap<Scope, Arc<Shared>> {
        let scopes: BTreeSet<Scope> = wait.targets.iter().map(scope).collect();
        let mut shared = self.shared.lock().unwrap_or_else(|lock| lock.into_inner());
        shared.retain(|_, weak| weak.strong_count() > 0);
        scopes
            .into_iter()
            .map(|scope| {
                let place = shared
                    .entry((wait.cluster.id(), scope.clone()))
                    .or_default();
                let watch = place.upgrade().unwrap_or_else(|| {
                    let watch = Arc::new(start(wait.cluster.clone(), scope.clone()));
                    *place = Arc::downgrade(&watch);
                    watch
                });
                (scope, watch)
            })
            .collect()
    }
}

/// How every object is now.
async fn assess(
    wait: &Wait<'_>,
    watches: &BTreeMap<Scope, Arc<Shared>>,
) -> Vec<(ObjectKey, Assessment)> {
    let now: Timestamp = wait.clock.now();
    let mut set = Vec::with_capacity(wait.targets.len());
    for target in wait.targets {
        let assessment = match live(wait, target, &watches[&scope(target)]).await {
            Ok(Some(object)) => wait.checks.assess(&object, now),
            Ok(None) => Assessment::plain(Status::NotFound, "it is not there"),
            Err(problem) => Assessment::plain(Status::Unknown, problem),
        };
        set.push((target.entry.key.clone(), assessment));
    }
    set
}

/// The object of a target, from the watch, or read where we may not watch or the watch is behind.
async fn live(
    wait: &Wait<'_>,
    target: &HealthTarget,
    shared: &Shared,
) -> Result<Option<Arc<Object>>, String> {
    let key = &target.entry.key;
    if shared.reflector.is_synced() {
        let found = shared.reflector.get(key);
        let known = wait.at_least.get(key).copied().unwrap_or(0);
        if found.as_deref().map_or(0, version) >= known {
            return Ok(found);
        }
        // Behind our own writes, or gone since: only the server knows.
    }
    let forbidden = shared
        .reflector
        .problem()
        .is_some_and(|problem| problem.class == ErrorClass::Forbidden);
    let reader = match forbidden {
        true => wait.impersonated,
        false => wait.cluster,
    };
    let ObjectKey {
        namespace, name, ..
    } = &target.entry.key;
    let found = reader.get(&target.entry.gvk(), namespace, name).await;
    found
        .map(|object| object.map(Arc::new))
        .map_err(|error| error.message)
}

fn scope(target: &HealthTarget) -> Scope {
    Scope {
        kind: target.entry.gvk(),
        namespace: target.entry.key.namespace.to_string(),
        labels: String::new(),
    }
}

fn start(cluster: Cluster, scope: Scope) -> Shared {
    let (sender, changes) = watch::channel(0);
    let reflector = Reflector::trimmed(
        cluster,
        scope,
        |_| true,
        move |_| {
            sender.send_modify(|count| *count += 1);
        },
    );
    Shared { reflector, changes }
}
