//! What one render leaves behind so that the next one of the same chart executes less.
//!
//! While a file is executed, a [`Recording`] notes which aspects of which values it learned. The next
//! render compares its values with those of the one before; a file that learned nothing of what
//! differs prints what it printed. The same holds for the clock, the dice and objects of the cluster.
//!
//! # Invariants
//!
//! - **Equal to a full render.** A file that changes what others see (`set`, `merge`) is executed
//!   every time, and so is every file after it.
//! - **Nothing of an execution is kept but texts.** Values of templates live as long as the execution.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use golang::Timestamp;
use gotemplate::{ImpureCall, Map, Recorder, Spent, Use, Value};
use object::{Node, ObjectKey};

use super::Program;
use super::outside::Used;
use super::places::{Aspects, Marks, PLACES_MAX, Place, Places};
use crate::Scope;
use crate::chart::{Chart, Metadata};
use crate::options::Options;

/// The last render of a chart.
#[derive(Debug, Default)]
pub struct Memory {
    pub(super) last: Option<Last>,
    executed: usize,
}

impl Memory {
    /// How many files the last render executed.
    pub fn executed(&self) -> usize {
        self.executed
    }

    pub(super) fn set_executed(&mut self, files: usize) {
        self.executed = files;
    }
}

/// A render that succeeded.
#[derive(Debug)]
pub(super) struct Last {
    program: Arc<Program>,
    /// With its files, which templates read as well.
    chart: Arc<Chart>,
    /// What the charts say about themselves: values decide which of their dependencies are used.
    metadata: Vec<Metadata>,
    options: Options,
    values: object::Map,
    now: Timestamp,
    seed: [u8; 32],
    pub places: Places,
    /// In the order of execution, partials left out; up to the first that changed something.
    pub files: Vec<KeptFile>,
}

/// A file that was executed and changed nothing.
#[derive(Clone, Debug)]
pub(super) struct KeptFile {
    pub text: Arc<[u8]>,
    learned: Marks,
    used: Used,
    /// The objects it looked up, with what there was.
    looked_up: Vec<(ObjectKey, Option<Node>)>,
    pub spent: Spent,
    /// Its calls whose results do not depend on their arguments alone.
    pub impure: Vec<ImpureCall>,
}

/// What is to be done with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// It prints what it printed.
    Nothing,
    /// It is executed.
    Execution,
}

impl Last {
    pub fn new(
        program: &Arc<Program>,
        scope: &Scope,
        world: &dyn tree::World,
        places: Places,
        files: Vec<KeptFile>,
    ) -> Self {
        Self {
            program: Arc::clone(program),
            chart: Arc::clone(&scope.charts.chart),
            metadata: metadata(scope),
            options: scope.options.clone(),
            values: scope.values.clone(),
            now: world.now(),
            seed: world.seed(),
            places,
            files,
        }
    }

    /// What differs in values, if this is a render of the same release of the same charts.
    pub fn differences(&self, program: &Arc<Program>, scope: &Scope) -> Option<Marks> {
        let alike = Arc::ptr_eq(&self.program, program)
            && Arc::ptr_eq(&self.chart, &scope.charts.chart)
            && self.options == scope.options
            && self.places.len() < PLACES_MAX
            && self.metadata == metadata(scope);
        alike.then(|| Marks::between(&self.places, &self.values, &scope.values))
    }

    /// Whether a file has to be executed in a world where `blocks` blocks of randomness are gone.
    pub fn need(
        &self,
        file: &KeptFile,
        differences: &Marks,
        world: &dyn tree::World,
        blocks: u64,
    ) -> Need {
        let used = &file.used;
        let is_same = !file.learned.meets(differences)
            && (!used.now || world.now() == self.now)
            && (used.blocks.is_empty() || used.blocks.start == blocks && world.seed() == self.seed)
            && file.looked_up.iter().all(|(key, found)| {
                let there = world.lookup(key).map(|object| object.node);
                there == *found
            });
        match is_same {
            true => Need::Nothing,
            false => Need::Execution,
        }
    }
}

impl KeptFile {
    pub fn new(
        text: Arc<[u8]>,
        learned: Marks,
        used: Used,
        looked_up: Vec<(ObjectKey, Option<Node>)>,
        spent: Spent,
    ) -> Self {
        Self {
            text,
            learned,
            used,
            looked_up,
            spent,
            impure: Vec::new(),
        }
    }

    /// How many blocks of randomness it takes.
    pub fn blocks(&self) -> u64 {
        self.used.blocks.end - self.used.blocks.start
    }

    /// The objects it looked up that were there.
    pub fn found(&self) -> impl Iterator<Item = (&ObjectKey, &Node)> {
        let found = self.looked_up.iter();
        found.filter_map(|(key, found)| Some((key, found.as_ref()?)))
    }
}

fn metadata(scope: &Scope) -> Vec<Metadata> {
    let parts = scope.charts.walk().into_iter();
    parts.map(|(_, part)| part.metadata.clone()).collect()
}

/// Notes what is learned of values, file by file.
pub(super) struct Recording {
    places: RefCell<Places>,
    /// The maps and lists of the values, by address. They live as long as the execution.
    values: HashMap<usize, Place>,
    /// Other maps that all files see.
    shared: HashSet<usize>,
    learned: RefCell<Marks>,
    changed: Cell<bool>,
}

/// Deepest nesting in which values of a release are looked for in what a function is given.
const DEPTH_MAX: usize = 64;

impl Recording {
    /// Of an execution whose dots are these; the first is the outermost chart's.
    pub fn new(places: Places, dots: &[Map]) -> Self {
        let mut values = HashMap::new();
        let mut shared = HashSet::new();
        let mut places = places;
        let root = dots.first().and_then(|dot| dot.get(b"Values"));
        if let Some(root) = root {
            add_values(&root, Place::ROOT, &mut places, &mut values);
        }
        for dot in dots {
            add_shared(&Value::Map(dot.clone()), &values, &mut shared);
        }
        let is_known = |dot: &Map| match dot.get(b"Values") {
            Some(Value::Map(section)) => values.contains_key(&section.address()),
            _ => false,
        };
        // A chart without a section has values that nobody else knows.
        let changed = Cell::new(!dots.iter().all(is_known));
        Self {
            places: RefCell::new(places),
            values,
            shared,
            learned: RefCell::default(),
            changed,
        }
    }

    /// Whether something was changed that other files see.
    pub fn has_changed(&self) -> bool {
        self.changed.get()
    }

    /// What was learned since this was asked last.
    pub fn take(&self) -> Marks {
        self.learned.take()
    }

    pub fn into_places(self) -> Places {
        self.places.into_inner()
    }

    fn learn(&self, place: Place, aspects: Aspects) {
        self.learned.borrow_mut().add(place, aspects);
    }

    /// All values of the release in something that was made from them.
    fn inside(&self, value: &Value, depth: usize) {
        if let Some(place) = address(value).and_then(|address| self.values.get(&address)) {
            return self.learn(*place, Aspects::WHOLE);
        }
        if depth > DEPTH_MAX {
            // What is not looked at counts as if all had been.
            return self.learn(Place::ROOT, Aspects::WHOLE);
        }
        match value {
            Value::List(list) => {
                let mut items = list.items().iter();
                items.by_ref().for_each(|item| self.inside(item, depth + 1));
            }
            Value::Map(map) => {
                let items: Vec<Value> = map.entries().values().cloned().collect();
                items.iter().for_each(|item| self.inside(item, depth + 1));
            }
            _ => {}
        }
    }
}

impl Recorder for Recording {
    fn key(&self, map: &Map, key: &[u8]) {
        if let Some(place) = self.values.get(&map.address()) {
            let below = self.places.borrow_mut().key(*place, key);
            self.learn(below, Aspects::SHAPE);
        }
    }

    fn whole(&self, value: &Value, how: Use) {
        let aspects = Aspects::of(how);
        match address(value).and_then(|address| self.values.get(&address)) {
            Some(place) => self.learn(*place, aspects),
            None if aspects == Aspects::WHOLE => self.inside(value, 0),
            None => {}
        }
    }

    fn changed(&self, map: &Map) {
        let address = map.address();
        if self.values.contains_key(&address) || self.shared.contains(&address) {
            self.changed.set(true);
        }
    }
}

fn address(value: &Value) -> Option<usize> {
    match value {
        Value::Map(map) => Some(map.address()),
        Value::List(list) => Some(list.address()),
        _ => None,
    }
}

fn add_values(
    value: &Value,
    place: Place,
    places: &mut Places,
    values: &mut HashMap<usize, Place>,
) {
    match value {
        Value::Map(map) => {
            values.insert(map.address(), place);
            for (key, item) in map.entries().iter() {
                if matches!(item, Value::Map(_) | Value::List(_)) {
                    add_values(item, places.key(place, key.as_bytes()), places, values);
                }
            }
        }
        Value::List(list) => {
            values.insert(list.address(), place);
            for (at, item) in list.items().iter().enumerate() {
                if matches!(item, Value::Map(_) | Value::List(_)) {
                    add_values(item, places.item(place, at), places, values);
                }
            }
        }
        _ => {}
    }
}

/// The maps that are no values: dots, what charts say about themselves, the release.
fn add_shared(value: &Value, values: &HashMap<usize, Place>, shared: &mut HashSet<usize>) {
    match value {
        Value::Map(map) => {
            let address = map.address();
            if !values.contains_key(&address) && shared.insert(address) {
                let entries = map.entries();
                entries
                    .values()
                    .for_each(|item| add_shared(item, values, shared));
            }
        }
        Value::List(list) => {
            let mut items = list.items().iter();
            items
                .by_ref()
                .for_each(|item| add_shared(item, values, shared));
        }
        _ => {}
    }
}
