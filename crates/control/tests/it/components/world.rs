//! A control plane in memory: carries decisions out until nothing is left to do.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use component::catalog::Catalog;
use control::components::{self, Action, KINDS, Objects, Options, View, dependents, keys};
use object::{Node, Object, ObjectKey};
use testkit::Dice;

use crate::timing;

/// Most looks before a world counts as one that never settles.
const LOOKS_MAX: usize = 20_000;

/// Objects, data planes, and who has to be looked at.
pub struct World {
    objects: Store,
    catalog: Catalog,
    pub options: Options,
    pub seconds: i64,
    /// Objects in data planes, by release: id and object.
    pub applied: BTreeMap<ObjectKey, BTreeMap<String, Node>>,
    /// What the next rollout reports of an object; `Healthy` unless said otherwise.
    pub health: BTreeMap<String, &'static str>,
    /// Whether data planes answer.
    pub online: bool,
    queue: BTreeSet<ObjectKey>,
    dice: Option<Dice>,
    uids: u64,
    /// How many looks were taken, and what was done, as `Kind/name verb`.
    pub looks: usize,
    pub log: RefCell<Vec<String>>,
    /// Reasons of all events.
    pub told: BTreeSet<String>,
}

#[derive(Default)]
struct Store(BTreeMap<ObjectKey, Arc<Object>>);

impl Objects for Store {
    fn get(&self, key: &ObjectKey) -> Option<Arc<Object>> {
        self.0.get(key).cloned()
    }

    fn list(&self, kind: &str) -> Vec<Arc<Object>> {
        let own = self.0.iter().filter(|(key, _)| key.kind == kind);
        own.map(|(_, object)| object.clone()).collect()
    }
}

/// Objects that do not change, and how often all of a kind were asked for.
pub struct Listed {
    store: Store,
    lists: Cell<usize>,
}

impl Listed {
    pub fn new(objects: &[Object]) -> Self {
        let all = objects.iter().map(|own| (own.key(), Arc::new(own.clone())));
        Self {
            store: Store(all.collect()),
            lists: Cell::new(0),
        }
    }

    pub fn lists(&self) -> usize {
        self.lists.get()
    }
}

impl Objects for Listed {
    fn get(&self, key: &ObjectKey) -> Option<Arc<Object>> {
        self.store.get(key)
    }

    fn list(&self, kind: &str) -> Vec<Arc<Object>> {
        self.lists.set(self.lists.get() + 1);
        self.store.list(kind)
    }
}

pub fn key(kind: &str, namespace: &str, name: &str) -> ObjectKey {
    ObjectKey {
        group: match kind {
            "Namespace" => "".into(),
            _ => "openchoreo.dev".into(),
        },
        kind: kind.into(),
        namespace: namespace.into(),
        name: name.into(),
    }
}

impl World {
    pub fn new() -> Self {
        Self {
            objects: Store::default(),
            catalog: Catalog::default(),
            options: Options::default(),
            seconds: 0,
            applied: BTreeMap::new(),
            health: BTreeMap::new(),
            online: true,
            queue: BTreeSet::new(),
            dice: None,
            uids: 0,
            looks: 0,
            log: RefCell::default(),
            told: BTreeSet::new(),
        }
    }

    /// Looks at objects in an order of chance.
    pub fn shuffled(seed: u64) -> Self {
        Self {
            dice: Some(Dice::new(seed)),
            ..Self::new()
        }
    }

    pub fn get(&self, key: &ObjectKey) -> Option<Arc<Object>> {
        self.objects.get(key)
    }

    pub fn keys(&self) -> Vec<ObjectKey> {
        self.objects.0.keys().cloned().collect()
    }

    /// Applies manifests, as a tool that reads Git does, and lets everything settle.
    pub fn apply(&mut self, yaml: &str) {
        for document in yaml::load(yaml, &yaml::Limits::default()).expect("a test's YAML is right")
        {
            self.put(Object::new(document.node));
        }
        self.settle();
    }

    /// Creates or replaces an object; what a server owns stays.
    pub fn put(&mut self, object: Object) {
        let key = object.key();
        match self.get(&key) {
            None => self.create(object),
            Some(old) => {
                let mut node = object.node;
                for path in [&["metadata", "finalizers"][..], &["status"]] {
                    if let Some(value) = old.node.at(path) {
                        node.set(path, value.clone());
                    }
                }
                self.replace(&old, node);
            }
        }
    }

    fn create(&mut self, mut object: Object) {
        self.uids += 1;
        let uid = format!("uid-{}", self.uids);
        object.node.set(&["metadata", "uid"], uid);
        object.node.set(&["metadata", "generation"], 1_i64);
        let created = timing(self.seconds).now.to_string();
        object.node.set(&["metadata", "creationTimestamp"], created);
        self.catalog.add(&object, "default");
        let key = object.key();
        self.objects.0.insert(key.clone(), Arc::new(object));
        self.touched(&key, None);
    }

    /// Replaces an object with one of the same key.
    fn replace(&mut self, old: &Object, mut node: Node) {
        let key = old.key();
        for path in [
            &["metadata", "uid"][..],
            &["metadata", "creationTimestamp"],
            &["metadata", "deletionTimestamp"],
        ] {
            if let Some(value) = old.node.at(path) {
                node.set(path, value.clone());
            }
        }
        let changed = node.get("spec") != old.node.get("spec");
        let generation = old.generation() + i64::from(changed);
        node.set(&["metadata", "generation"], generation);
        if node == old.node {
            return;
        }
        let mut without_status = (old.node.clone(), node.clone());
        without_status.0.remove(&["status"]);
        without_status.1.remove(&["status"]);
        let only_status = without_status.0 == without_status.1;
        self.objects
            .0
            .insert(key.clone(), Arc::new(Object::new(node)));
        let read = |node: &Node| {
            let annotations = node.at(&["metadata", "annotations"]).cloned();
            (node.get("spec").cloned(), annotations)
        };
        let current = self.get(&key).expect("it was put there just above");
        if read(&current.node) != read(&old.node) {
            self.reread(&key);
        }
        self.touched(&key, Some((old, only_status)));
    }

    /// Reads an object anew that came, changed or went, and none of the others.
    fn reread(&mut self, key: &ObjectKey) {
        let ObjectKey {
            kind,
            namespace,
            name,
            ..
        } = key;
        self.catalog.remove(kind, namespace, name);
        if let Some(object) = self.get(key) {
            self.catalog.add(&object, "default");
        }
    }

    /// Queues an object and everybody who depends on it, as it is and as it was.
    fn touched(&mut self, key: &ObjectKey, old: Option<(&Object, bool)>) {
        let mut found = vec![key.clone()];
        let current = self.get(key);
        if let Some((old, true)) = old
            && let Some(current) = &current
        {
            found.extend(components::dependents_of_status(
                old,
                current,
                &self.catalog,
            ));
        } else {
            let states = current
                .as_deref()
                .into_iter()
                .chain(old.map(|(old, _)| old));
            for state in states {
                found.extend(dependents(state, &self.catalog, &self.objects));
            }
        }
        self.queue.extend(found);
    }

    pub fn delete(&mut self, key: &ObjectKey) {
        let Some(old) = self.get(key) else { return };
        if old.is_deleting() {
            return;
        }
        let mut node = old.node.clone();
        let now = timing(self.seconds).now.to_string();
        node.set(&["metadata", "deletionTimestamp"], now);
        self.objects
            .0
            .insert(key.clone(), Arc::new(Object::new(node)));
        self.touched(key, Some((&old, false)));
        self.sweep(key);
    }

    /// Makes an object disappear at once, whoever holds it, as a restored database does.
    pub fn vanish(&mut self, key: &ObjectKey) {
        let object = self.objects.0.remove(key).expect("the object is there");
        self.reread(key);
        let found = dependents(&object, &self.catalog, &self.objects);
        self.queue.extend(found);
        self.settle();
    }

    /// Removes an object that is being deleted and that nobody holds.
    fn sweep(&mut self, key: &ObjectKey) {
        let Some(object) = self.get(key) else { return };
        let held = object.node.at(&["metadata", "finalizers"]);
        let held = held
            .and_then(Node::as_list)
            .is_some_and(|own| !own.is_empty());
        let inside =
            key.kind == "Namespace" && self.objects.0.keys().any(|own| own.namespace == key.name);
        if !object.is_deleting() || held || inside {
            return;
        }
        self.objects.0.remove(key);
        self.applied.remove(key);
        self.reread(key);
        let found = dependents(&object, &self.catalog, &self.objects);
        self.queue.extend(found);
    }

    /// What Kubernetes does by itself: a namespace takes its objects with it, and objects follow
    /// their owners.
    fn collect_garbage(&mut self) {
        for key in self.keys() {
            let Some(object) = self.get(&key) else {
                continue;
            };
            let namespace = self.get(&self::key("Namespace", "", &key.namespace));
            let owners = object.node.at(&["metadata", "ownerReferences"]);
            let owners = owners.and_then(Node::as_list).unwrap_or_default();
            let owners: Vec<&str> = owners
                .iter()
                .filter_map(|own| own.str_at(&["uid"]))
                .collect();
            let alive = |uid: &&str| self.objects.0.values().any(|object| object.uid() == *uid);
            let orphan = !owners.is_empty() && !owners.iter().any(alive);
            if orphan || namespace.is_some_and(|namespace| namespace.is_deleting()) {
                self.delete(&key);
            }
            self.sweep(&key);
        }
    }

    /// What the part does that talks to data planes: applies releases, reports, cleans up.
    fn roll_out(&mut self) {
        if !self.online {
            return;
        }
        for key in self.keys() {
            if key.kind != "Release" && key.kind != "RenderedRelease" {
                continue;
            }
            let old = self.get(&key).expect("it is in the list of keys");
            let mut node = old.node.clone();
            if old.is_deleting() {
                self.applied.remove(&key);
                node.remove(&["metadata", "finalizers"]);
                self.replace(&old, node);
                self.sweep(&key);
                continue;
            }
            let finalizers = Node::list([keys::DATA_PLANE_FINALIZER]);
            node.set(&["metadata", "finalizers"], finalizers);
            let resources = old.node.at(&["spec", "resources"]);
            let resources = resources.and_then(Node::as_list).unwrap_or_default();
            let mut report = Vec::new();
            let mut applied = BTreeMap::new();
            for resource in resources {
                let object = resource.get("object").cloned().unwrap_or_default();
                let id = resource.str_at(&["id"]).unwrap_or_default();
                let name = object.str_at(&["metadata", "name"]).unwrap_or_default();
                let mut own = Node::map();
                own.set(&["id"], id);
                own.set(&["kind"], object.str_at(&["kind"]).unwrap_or_default());
                own.set(&["name"], name);
                let health = self.health.get(name).unwrap_or(&"Healthy");
                own.set(&["healthStatus"], *health);
                report.push(own);
                applied.insert(id.to_owned(), object.clone());
            }
            self.applied.insert(key.clone(), applied);
            node.set(&["status", "resources"], Node::list(report));
            node.set(&["status", "observedGeneration"], old.generation());
            self.replace(&old, node);
        }
    }

    fn pick(&mut self) -> Option<ObjectKey> {
        let at = match &mut self.dice {
            Some(dice) => dice.below(self.queue.len()),
            None => 0,
        };
        let key = self.queue.iter().nth(at).cloned()?;
        self.queue.remove(&key);
        Some(key)
    }

    fn view(&self) -> View<'_> {
        View {
            catalog: &self.catalog,
            objects: &self.objects,
            options: &self.options,
            timing: timing(self.seconds),
        }
    }

    fn decide(&self, key: &ObjectKey) -> control::components::Decision {
        components::next(&self.view(), key)
    }

    /// Takes one look and does what it says; whether there was something to look at.
    fn step(&mut self) -> bool {
        let Some(key) = self.pick() else {
            return false;
        };
        self.looks += 1;
        assert!(
            self.looks < LOOKS_MAX,
            "never settles; last:\n{}",
            self.log
                .borrow()
                .iter()
                .rev()
                .take(30)
                .rev()
                .cloned()
                .collect::<Vec<_>>()
                .join("\n")
        );
        let decision = self.decide(&key);
        let reasons = decision.events.iter().map(|event| event.reason.clone());
        self.told.extend(reasons);
        if !decision.actions.is_empty() {
            self.queue.insert(key.clone());
        }
        for action in decision.actions {
            self.carry_out(&key, action);
        }
        true
    }

    fn carry_out(&mut self, looked_at: &ObjectKey, action: Action) {
        let tell = |verb: &str, key: &ObjectKey| {
            let line = format!(
                "{}/{}: {verb} {}/{}",
                looked_at.kind, looked_at.name, key.kind, key.name
            );
            self.log.borrow_mut().push(line);
        };
        match action {
            Action::Create(object) => {
                tell("create", &object.key());
                if self.get(&object.key()).is_none() {
                    self.create(object);
                }
            }
            Action::Apply(object) => {
                tell("apply", &object.key());
                match self.get(&object.key()) {
                    None => self.create(object),
                    Some(old) => {
                        let mut node = old.node.clone();
                        merge(&mut node, &object.node);
                        self.replace(&old, node);
                    }
                }
            }
            Action::Status(status) => {
                tell("status", looked_at);
                if let Some(old) = self.get(looked_at) {
                    let mut node = old.node.clone();
                    node.set(&["status"], status);
                    self.replace(&old, node);
                }
            }
            Action::Finalizer { name, present } => {
                tell(if present { "hold" } else { "release" }, looked_at);
                if let Some(old) = self.get(looked_at) {
                    let mut node = old.node.clone();
                    let own = old.node.at(&["metadata", "finalizers"]);
                    let own = own.and_then(Node::as_list).unwrap_or_default();
                    let mut own: Vec<Node> = own
                        .iter()
                        .filter(|own| own.as_str() != Some(name))
                        .cloned()
                        .collect();
                    if present {
                        own.push(name.into());
                    }
                    match own.is_empty() {
                        true => drop(node.remove(&["metadata", "finalizers"])),
                        false => node.set(&["metadata", "finalizers"], Node::list(own)),
                    }
                    self.replace(&old, node);
                    self.sweep(looked_at);
                }
            }
            Action::LetSecretGo {
                secret: (namespace, name),
                ..
            } => {
                let line = format!("{}: let go Secret {namespace}/{name}", looked_at.name);
                self.log.borrow_mut().push(line);
            }
            Action::Patch(key, patch) => {
                tell("patch", &key);
                if let Some(old) = self.get(&key) {
                    let mut node = old.node.clone();
                    merge(&mut node, &patch);
                    self.replace(&old, node);
                }
            }
            Action::Delete(key) => {
                tell("delete", &key);
                self.delete(&key);
            }
        }
    }

    /// Lets everything happen that can, and makes sure that nobody was forgotten.
    pub fn settle(&mut self) {
        loop {
            while self.step() {
                let now = self.dice.as_mut().is_some_and(|dice| dice.one_in(9));
                if now {
                    self.roll_out();
                    self.collect_garbage();
                }
            }
            self.collect_garbage();
            self.roll_out();
            if self.queue.is_empty() {
                break;
            }
        }
        for key in self.keys() {
            let decision = self.decide(&key);
            assert!(
                decision.actions.is_empty(),
                "{} {} was not looked at: {:#?}",
                key.kind,
                key.name,
                decision.actions
            );
        }
    }

    /// Lets data planes report again.
    pub fn recover(&mut self) {
        self.roll_out();
        self.settle();
    }

    /// Writes the status of an object, as its controller would.
    pub fn set_status(&mut self, key: &ObjectKey, status: Node) {
        let old = self.get(key).expect("the object is there");
        let mut node = old.node.clone();
        node.set(&["status"], status);
        self.replace(&old, node);
        self.settle();
    }

    /// What is decided when the server says no.
    pub fn refused(&self, key: &ObjectKey, message: &str) -> control::components::Decision {
        components::refused(&self.view(), key, message)
    }

    /// Looks at an object again, as at a time that a decision named.
    pub fn look(&mut self, key: &ObjectKey) {
        self.queue.insert(key.clone());
        self.settle();
    }

    /// When a settled object wants to be looked at again, in seconds.
    pub fn wake(&self, key: &ObjectKey) -> String {
        crate::seconds(self.decide(key).wake)
    }

    /// A condition of an object, as `True Reason`.
    pub fn condition(&self, key: &ObjectKey, kind: &str) -> String {
        let Some(object) = self.get(key) else {
            return "gone".to_owned();
        };
        let conditions = api::Conditions::read(object.node.at(&["status", "conditions"]));
        match conditions.get(kind) {
            Some(own) => format!("{} {}", own.status.as_str(), own.reason),
            None => "none".to_owned(),
        }
    }

    pub fn message(&self, key: &ObjectKey, kind: &str) -> String {
        let object = self.get(key).expect("the object is there");
        let conditions = api::Conditions::read(object.node.at(&["status", "conditions"]));
        conditions
            .get(kind)
            .map_or_else(String::new, |own| own.message.clone())
    }

    /// `Ready` of every object that decisions are about, one per line.
    pub fn ready(&self, kinds: &[&str]) -> String {
        let own =
            self.objects.0.keys().filter(|key| {
                KINDS.contains(&key.kind.as_str()) && kinds.contains(&key.kind.as_str())
            });
        let lines = own.map(|key| {
            let ready = self.condition(key, "Ready");
            format!("{} {} {ready}\n", key.kind, key.name)
        });
        lines.collect()
    }

    /// Kinds and names of everything in data planes, sorted.
    pub fn running(&self) -> Vec<String> {
        let all = self.applied.values().flat_map(BTreeMap::values);
        let mut names: Vec<String> = all
            .map(|own| {
                format!(
                    "{} {}",
                    own.str_at(&["kind"]).unwrap_or_default(),
                    own.str_at(&["metadata", "name"]).unwrap_or_default()
                )
            })
            .collect();
        names.sort();
        names
    }

    /// Everything that is there, without what depends on when it came.
    pub fn state(&self) -> BTreeMap<ObjectKey, Node> {
        let all = self.objects.0.iter().map(|(key, object)| {
            let mut node = object.node.clone();
            for field in ["uid", "creationTimestamp", "generation"] {
                node.remove(&["metadata", field]);
            }
            forget(&mut node);
            (key.clone(), node)
        });
        all.collect()
    }
}

/// Takes away what the server counts or times, and the order of conditions.
fn forget(node: &mut Node) {
    match node {
        Node::Map(map) => {
            for key in ["observedGeneration", "lastTransitionTime", "uid"] {
                map.remove(key);
            }
            map.iter_mut().for_each(|(_, value)| forget(value));
            if let Some(Node::List(items)) = map.get_mut("conditions") {
                let own = Arc::make_mut(items);
                own.sort_by_key(|own| own.str_at(&["type"]).unwrap_or_default().to_owned());
            }
        }
        Node::List(items) => Arc::make_mut(items).iter_mut().for_each(forget),
        _ => {}
    }
}

/// A merge patch; lists are replaced.
fn merge(node: &mut Node, patch: &Node) {
    match (node, patch) {
        (Node::Map(own), Node::Map(patch)) => {
            for (key, value) in patch.iter() {
                match value.is_null() {
                    true => drop(own.remove(key)),
                    false => merge(own.entry(key), value),
                }
            }
        }
        (node, patch) => *node = patch.clone(),
    }
}
