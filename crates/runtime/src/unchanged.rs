//! Objects that a dry run has shown to be as wanted: as long as nobody touches them, the same
//! question has the same answer.
//!
//! A commit that changes one file of thousands would else cost a dry run of every object.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard};

use object::{Node, Object, ObjectKey};
use tokio::time::{Duration, Instant};

/// After this time a dry run is asked for again: rules of the server may have changed, which no
/// object shows.
const VALID_TIME_MAX: Duration = Duration::from_secs(600);

/// Most objects remembered for one unit, two trees of the most that a unit may render. With more
/// everything is asked for again.
const OBJECTS_MAX: usize = 20_000;

/// What is remembered of all units.
#[derive(Default)]
pub(crate) struct Unchanged(Mutex<BTreeMap<ObjectKey, Unit>>);

/// Objects of a unit, as long as its spec is the same.
#[derive(Default)]
struct Unit {
    generation: i64,
    objects: BTreeMap<(u64, ObjectKey), Entry>,
}

#[derive(Clone, Copy)]
struct Entry {
    wanted: u64,
    live: u64,
    at: Instant,
}

impl Unchanged {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<ObjectKey, Unit>> {
        self.0.lock().unwrap_or_else(|lock| lock.into_inner())
    }

    /// The digest, see [`live`], that makes applying an object change nothing.
    pub fn expected(&self, unit: &Object, server: u64, wanted: &Object) -> Option<u64> {
        let units = self.lock();
        let known = units.get(&unit.key())?;
        let entry = known.objects.get(&(server, wanted.key()))?;
        let holds = known.generation == unit.generation()
            && entry.at.elapsed() < VALID_TIME_MAX
            && entry.wanted == whole(&wanted.node);
        holds.then_some(entry.live)
    }

    /// Remembers that applying `wanted` leaves an object of this digest as it is.
    pub fn remember(&self, unit: &Object, server: u64, wanted: &Object, live: u64) {
        let mut units = self.lock();
        let known = units.entry(unit.key()).or_default();
        if known.generation != unit.generation() || known.objects.len() >= OBJECTS_MAX {
            *known = Unit {
                generation: unit.generation(),
                ..Unit::default()
            };
        }
        let entry = Entry {
            wanted: whole(&wanted.node),
            live,
            at: Instant::now(),
        };
        known.objects.insert((server, wanted.key()), entry);
    }

    /// Forgets a unit that is gone.
    pub fn forget(&self, unit: &ObjectKey) {
        self.lock().remove(unit);
    }
}

/// A digest of all that an apply may look at: everything but the status, who manages that, and the
/// version, which changes with it.
pub(crate) fn live(object: &Object) -> u64 {
    let mut node = object.node.clone();
    node.remove(&["status"]);
    node.remove(&["metadata", "resourceVersion"]);
    let managers = node.at(&["metadata", "managedFields"]);
    if let Some(managers) = managers.and_then(Node::as_list) {
        let of_status = |own: &&Node| own.str_at(&["subresource"]) == Some("status");
        let others = managers.iter().filter(|own| !of_status(own)).cloned();
        let others = Node::list(others);
        node.set(&["metadata", "managedFields"], others);
    }
    whole(&node)
}

fn whole(node: &Node) -> u64 {
    let mut hasher = DefaultHasher::new();
    hash(node, &mut hasher);
    hasher.finish()
}

fn hash(node: &Node, hasher: &mut DefaultHasher) {
    std::mem::discriminant(node).hash(hasher);
    match node {
        Node::Null => {}
        Node::Bool(own) => own.hash(hasher),
        Node::Int(own) => own.hash(hasher),
        Node::Uint(own) => own.hash(hasher),
        Node::Float(own) => own.to_bits().hash(hasher),
        Node::String(own) => own.hash(hasher),
        Node::List(items) => {
            items.len().hash(hasher);
            items.iter().for_each(|item| hash(item, hasher));
        }
        Node::Map(map) => {
            map.len().hash(hasher);
            for (key, value) in map.iter() {
                key.hash(hasher);
                hash(value, hasher);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(text: &str) -> Object {
        let limits = object::json::OBJECT_LIMITS;
        Object::new(object::json::parse(text.as_bytes(), limits).expect("JSON"))
    }

    const LIVE: &str = r#"{"kind":"A","metadata":{"name":"a","generation":1,"resourceVersion":"7","managedFields":[{"manager":"m"},{"manager":"s","subresource":"status"}]},"spec":{"x":1},"status":{"y":1}}"#;

    #[test]
    fn only_the_status_and_what_goes_with_it_may_change() {
        let before = live(&object(LIVE));
        for (old, new, same) in [
            ("\"y\":1", "\"y\":2", true),
            (
                "\"resourceVersion\":\"7\"",
                "\"resourceVersion\":\"8\"",
                true,
            ),
            (
                "\"manager\":\"s\"",
                "\"manager\":\"s\",\"time\":\"t\"",
                true,
            ),
            ("\"x\":1", "\"x\":2", false),
            ("\"manager\":\"m\"", "\"manager\":\"n\"", false),
            ("\"generation\":1", "\"generation\":2", false),
        ] {
            let after = live(&object(&LIVE.replace(old, new)));
            assert_eq!(before == after, same, "{new}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_holds_for_one_spec_of_the_unit_one_object_one_server_and_ten_minutes() {
        let unit = object(r#"{"kind":"K","metadata":{"name":"u","generation":1}}"#);
        let changed = object(r#"{"kind":"K","metadata":{"name":"u","generation":2}}"#);
        let wanted = object(r#"{"kind":"A","metadata":{"name":"a"},"spec":{"x":1}}"#);
        let other = object(r#"{"kind":"A","metadata":{"name":"a"},"spec":{"x":2}}"#);
        let unchanged = Unchanged::default();
        unchanged.remember(&unit, 1, &wanted, 42);
        assert_eq!(unchanged.expected(&unit, 1, &wanted), Some(42));
        assert_eq!(unchanged.expected(&unit, 1, &other), None);
        assert_eq!(unchanged.expected(&unit, 2, &wanted), None);
        assert_eq!(unchanged.expected(&changed, 1, &wanted), None);
        tokio::time::advance(VALID_TIME_MAX).await;
        assert_eq!(unchanged.expected(&unit, 1, &wanted), None);
        unchanged.remember(&unit, 1, &wanted, 42);
        unchanged.forget(&unit.key());
        assert_eq!(unchanged.expected(&unit, 1, &wanted), None);
    }
}
