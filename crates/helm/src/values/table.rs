//! Maps that several holders share and change, as Go's maps are.
//!
//! Coalescing hands tables from one chart to another, and who changes one later changes it for
//! everybody; results depend on it. A table is taken apart only as far as somebody looks into it, so
//! that default values nobody overrides cost nothing.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use object::{Map, Node, Text};

/// Most entries of all tables of one result. The largest public charts have twenty thousand; tables
/// put into each other by `import-values` could grow without end.
const ENTRIES_MAX: usize = 2_000_000;

/// Deepest nesting of tables; twice what a file may have. A table inside itself has no end.
pub(super) const DEPTH_MAX: usize = 400;

/// A map with an identity. Cloning gives another holder of the same map.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table(Rc<RefCell<BTreeMap<Text, Slot>>>);

#[derive(Clone, Debug)]
enum Slot {
    /// Not looked into yet.
    Whole(Node),
    Table(Table),
}

/// What a table holds under a key.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Table(Table),
    /// Anything but a null or a map.
    Other(Node),
}

/// A result larger than any values can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Overgrown;

impl Table {
    pub fn new(map: &Map) -> Self {
        let slots = map
            .iter()
            .map(|(key, node)| (key.clone(), Slot::Whole(node.clone())));
        Self(Rc::new(RefCell::new(slots.collect())))
    }

    /// The value of `key`. A map is taken apart now, so that all who ask share it.
    pub fn get(&self, key: &str) -> Option<Value> {
        let mut slots = self.0.borrow_mut();
        let slot = slots.get_mut(key)?;
        if let Slot::Whole(Node::Map(map)) = slot {
            *slot = Slot::Table(Self::new(map));
        }
        Some(match slot {
            Slot::Whole(Node::Null) => Value::Null,
            Slot::Whole(node) => Value::Other(node.clone()),
            Slot::Table(table) => Value::Table(table.clone()),
        })
    }

    /// The table at `key`, if it is one.
    pub fn table(&self, key: &str) -> Option<Self> {
        match self.get(key)? {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The table under nested keys, joined by dots.
    pub fn table_at(&self, path: &str) -> Result<Self, String> {
        path.split('.').try_fold(self.clone(), |table, key| {
            table
                .table(key)
                .ok_or_else(|| format!("{} is not a table", golang::strconv::quote(key)))
        })
    }

    /// Whether a null is at `key`.
    pub fn is_null(&self, key: &str) -> bool {
        let slots = self.0.borrow();
        matches!(slots.get(key), Some(Slot::Whole(Node::Null)))
    }

    /// Sets `key` to a value that nobody else holds.
    pub fn insert_whole(&self, key: &str, node: Node) {
        self.0.borrow_mut().insert(key.into(), Slot::Whole(node));
    }

    pub fn insert(&self, key: &str, value: Value) {
        let slot = match value {
            Value::Null => Slot::Whole(Node::Null),
            Value::Table(table) => Slot::Table(table),
            Value::Other(node) => Slot::Whole(node),
        };
        self.0.borrow_mut().insert(key.into(), slot);
    }

    pub fn remove(&self, key: &str) {
        self.0.borrow_mut().remove(key);
    }

    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// The keys there are now, in order.
    pub fn keys(&self) -> Vec<Text> {
        self.0.borrow().keys().cloned().collect()
    }

    /// Another table with the same entries; tables in it are shared.
    pub fn shallow_copy(&self) -> Self {
        // So that both hold the same tables, not equal ones.
        for key in self.keys() {
            let _ = self.get(&key);
        }
        Self(Rc::new(RefCell::new(self.0.borrow().clone())))
    }

    /// The values, nothing shared any more.
    ///
    /// # Errors
    /// When tables are in each other so often that there is no end of them.
    pub fn freeze(&self) -> Result<Map, Overgrown> {
        self.freeze_counting(&mut 0, 0)
    }

    fn freeze_counting(&self, count: &mut usize, depth: usize) -> Result<Map, Overgrown> {
        let slots = self.0.borrow();
        *count += slots.len();
        if *count > ENTRIES_MAX || depth > DEPTH_MAX {
            return Err(Overgrown);
        }
        let mut map = Map::with_capacity(slots.len());
        for (key, slot) in slots.iter() {
            let node = match slot {
                Slot::Whole(node) => node.clone(),
                Slot::Table(table) => Node::Map(table.freeze_counting(count, depth + 1)?),
            };
            map.insert(key.clone(), node);
        }
        Ok(map)
    }
}

impl Value {
    /// For messages.
    pub fn node(&self) -> Node {
        match self {
            Self::Null => Node::Null,
            Self::Table(table) => table.freeze().map_or(Node::Null, Node::Map),
            Self::Other(node) => node.clone(),
        }
    }
}

/// A map without nulls, in maps below, too.
pub(crate) fn without_nulls(map: &Map) -> Map {
    if !has_null(map) {
        return map.clone();
    }
    let mut clean = Map::with_capacity(map.len());
    for (key, node) in map.iter() {
        match node {
            Node::Null => {}
            Node::Map(map) => {
                clean.insert(key.clone(), without_nulls(map));
            }
            node => {
                clean.insert(key.clone(), node.clone());
            }
        }
    }
    clean
}

fn has_null(map: &Map) -> bool {
    map.values().any(|node| match node {
        Node::Null => true,
        Node::Map(map) => has_null(map),
        _ => false,
    })
}
