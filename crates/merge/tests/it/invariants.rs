//! What holds after any story of writes.

use merge::{ApplyError, FieldSet, Force, Managers, ObjectType, OneVersion, Reset, Write};
use object::{Map, Node};

use crate::schemas::workload;

const STORIES: u64 = 300;
const WRITES: u64 = 8;

/// Small numbers from a seed, the same on every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        let next = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = next.wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn often(&mut self) -> bool {
        self.below(5) < 2
    }

    /// Some of the values, each at most once.
    fn some(&mut self, values: &[&'static str]) -> Vec<&'static str> {
        values.iter().copied().filter(|_| self.often()).collect()
    }

    fn text(&mut self) -> &'static str {
        ["x", "y", "z"][self.below(3) as usize]
    }

    fn strings(&mut self) -> Node {
        let keys = self.some(&["k1", "k2", "k3"]);
        keys.into_iter()
            .map(|key| (key, Node::from(self.text())))
            .collect::<Map>()
            .into()
    }

    fn container(&mut self, name: &'static str) -> Node {
        let mut container = Node::map();
        container.set(&["name"], name);
        if self.often() {
            container.set(&["image"], self.text());
        }
        if self.often() {
            container.set(&["args"], Node::list(self.some(&["-a", "-b"])));
        }
        if self.often() {
            let numbers = self.some(&["1", "2", "3"]);
            let ports = numbers.into_iter().map(|number| {
                let mut port = Node::map();
                port.set(&["number"], number.parse::<i64>().unwrap());
                if self.often() {
                    port.set(&["protocol"], ["TCP", "UDP"][self.below(2) as usize]);
                }
                port
            });
            container.set(&["ports"], Node::list(ports.collect::<Vec<_>>()));
        }
        if self.often() {
            let names = self.some(&["A", "B", "C"]);
            let env = names.into_iter().map(|name| {
                let mut variable = Node::map();
                variable.set(&["name"], name);
                variable.set(&["value"], self.text());
                variable
            });
            container.set(&["env"], Node::list(env.collect::<Vec<_>>()));
        }
        container
    }

    /// An object without empty lists and maps: an applied empty list is a value nobody owns, and
    /// pruning may leave null in its place.
    fn object(&mut self) -> Node {
        let mut object = self.any_object();
        drop_empty(&mut object);
        object
    }

    fn any_object(&mut self) -> Node {
        let mut object = Node::map();
        object.set(&["metadata", "name"], "w");
        if self.often() {
            object.set(&["metadata", "labels"], self.strings());
        }
        if self.often() {
            object.set(
                &["metadata", "finalizers"],
                Node::list(self.some(&["f/1", "f/2"])),
            );
        }
        if self.often() {
            object.set(&["spec", "replicas"], self.below(3) as i64);
        }
        if self.often() {
            object.set(&["spec", "selector"], self.strings());
        }
        if self.often() {
            let names = self.some(&["a", "b", "c", "d"]);
            let containers: Vec<Node> =
                names.into_iter().map(|name| self.container(name)).collect();
            object.set(&["spec", "containers"], Node::list(containers));
        }
        if self.often() {
            object.set(
                &["status", "free", self.text()],
                Node::list(self.some(&["p", "q"])),
            );
        }
        object
    }
}

fn drop_empty(node: &mut Node) {
    let empty = |node: &Node| match node {
        Node::Map(map) => map.is_empty(),
        Node::List(items) => items.is_empty(),
        _ => false,
    };
    match node {
        Node::Map(map) => map.retain(|_, value| {
            drop_empty(value);
            !empty(value)
        }),
        Node::List(_) => {
            let items = node.as_list_mut().into_iter().flatten();
            items.for_each(drop_empty);
        }
        _ => {}
    }
}

/// An object, its managers, and everything that must be true of them.
struct Story {
    object_type: ObjectType,
    live: Option<Node>,
    managers: Managers,
}

impl Story {
    fn apply(
        &self,
        object: &Node,
        manager: &str,
        force: Force<'_>,
    ) -> Result<merge::Applied, ApplyError> {
        self.with_write(manager, |version, write| {
            merge::apply(
                version,
                self.live.as_ref(),
                object,
                self.managers.clone(),
                write,
                force,
            )
        })
    }

    fn with_write<T>(
        &self,
        manager: &str,
        act: impl FnOnce(&OneVersion<'_>, &Write<'_>) -> T,
    ) -> T {
        let version = OneVersion {
            api_version: "v1",
            object_type: &self.object_type,
        };
        let write = Write {
            manager,
            api_version: "v1",
            subresource: "",
            now: "2024-01-01T00:00:00Z",
            reset: &Reset::Nothing,
            missing: &Node::map(),
        };
        act(&version, &write)
    }

    fn step(&mut self, numbers: &mut Numbers) {
        let object = numbers.object();
        let manager = ["one", "two", "three"][numbers.below(3) as usize];
        match numbers.below(3) {
            0 => {
                self.managers = self.with_write(manager, |version, write| {
                    let managers = self.managers.clone();
                    merge::update(version, self.live.as_ref(), &object, managers, write).unwrap()
                });
                self.live = Some(object);
            }
            1 => match self.apply(&object, manager, Force::No) {
                Ok(applied) => self.applied(applied, &object, manager),
                Err(ApplyError::Conflicts(conflicts)) => {
                    assert!(!conflicts.causes().is_empty());
                    let forced = self.apply(&object, manager, Force::Yes).unwrap();
                    self.applied(forced, &object, manager);
                }
                Err(other) => panic!("{other}"),
            },
            _ => {
                let forced = self.apply(&object, manager, Force::Yes).unwrap();
                self.applied(forced, &object, manager);
            }
        }
        self.managers_survive_storage();
    }

    /// Takes the outcome over, and checks it.
    fn applied(&mut self, outcome: merge::Applied, object: &Node, manager: &str) {
        let before = self.managers.clone();
        if let Some(new) = outcome.object {
            self.live = Some(new);
        }
        self.managers = outcome.managers;
        let live = self.live.clone().unwrap_or_default();
        let merged = self.object_type.merge(&live, object);
        assert!(
            merge::same(&merged, &live),
            "everything that was applied is there"
        );
        self.nothing_given_up_lingers(&before, manager, &live);

        let again = self.apply(object, manager, Force::No).unwrap();
        assert!(again.object.is_none(), "applying again changes nothing");
        assert!(!again.managers_changed);
        assert_eq!(again.managers.encode(), self.managers.encode());
    }

    /// Leaves that only this applier owned and does not own now are gone.
    fn nothing_given_up_lingers(&self, before: &Managers, manager: &str, live: &Node) {
        let own = |managers: &Managers| {
            let entries = managers.entries().iter();
            let mut own = entries.filter(|entry| {
                entry.id.name == manager && entry.id.operation == merge::Operation::Apply
            });
            own.next()
                .map(|entry| entry.fields().clone())
                .unwrap_or_default()
        };
        let owned = self.managers.entries().iter();
        let owned = owned.fold(FieldSet::EMPTY, |all, entry| all.union(entry.fields()));
        let given_up = own(before).leaves().difference(&owned);
        let there = self.object_type.fields(live).leaves();
        let lingering = there.intersection(&given_up);
        assert!(lingering.is_empty(), "{lingering} of {manager} lingers");
    }

    fn managers_survive_storage(&self) {
        let stored = self.managers.encode();
        let read = Managers::decode(&stored).unwrap();
        for entry in self.managers.entries() {
            let same = read.get(&entry.id).unwrap();
            assert_eq!(same.fields(), entry.fields());
            assert_eq!(
                FieldSet::decode(&entry.fields().encode()).as_ref(),
                Ok(entry.fields())
            );
        }
        assert_eq!(read.encode(), stored);
    }
}

#[test]
fn after_any_story_what_was_applied_is_there_and_what_was_given_up_is_gone() {
    for seed in 0..STORIES {
        let mut numbers = Numbers(seed);
        let mut story = Story {
            object_type: workload(),
            live: None,
            managers: Managers::none(),
        };
        for _ in 0..WRITES {
            story.step(&mut numbers);
        }
    }
}
