//! `metadata.managedFields`: who set which fields, when, through which version.

use std::fmt;

use object::{Map, Node, Text, json};

use crate::field_set::FieldSet;
use crate::fields_v1::FieldsError;
use crate::value::go_quote;

/// How a manager writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// It applies: what it leaves out it gives up.
    Apply,
    /// It creates, updates or patches: it owns what it changed.
    Update,
}

/// What tells managers apart.
///
/// A manager that applies keeps its identity across versions; one that updates has another
/// identity in each.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ManagerId {
    /// The name the client gave.
    pub name: Text,
    /// How it writes.
    pub operation: Operation,
    /// Version it last wrote through; for [`Operation::Apply`] not part of the identity.
    pub api_version: Text,
    /// Subresource it writes through; empty for the object itself.
    pub subresource: Text,
}

/// One manager and its fields.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Who.
    pub id: ManagerId,
    /// When it last changed something, as RFC 3339 in UTC; empty when unknown.
    pub time: Text,
    fields: FieldSet,
    /// The set as it was stored, while it is unchanged.
    stored: Option<Node>,
}

/// The managers of an object, each at most once.
#[derive(Clone, Debug, Default)]
pub struct Managers(Vec<Entry>);

/// A list of managers that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManagersError {
    /// The list or an entry has the wrong form.
    #[error("metadata.managedFields holds something else than a list of entries")]
    Malformed,
    /// Neither Apply nor Update.
    #[error("operation must be `Apply` or `Update`")]
    Operation,
    /// No version.
    #[error("apiVersion must not be empty")]
    ApiVersion,
    /// Another format of fields.
    #[error("invalid fieldsType in managed fields entry {0}")]
    FieldsType(usize),
    /// More than [`MANAGERS_MAX`] entries.
    #[error("more than {MANAGERS_MAX} managed fields entries")]
    TooMany,
    /// The fields of an entry.
    #[error("cannot read the fields of a manager")]
    Fields(#[from] FieldsError),
}

/// Most managers that are read.
///
/// Updating managers are capped at [`UPDATERS_MAX`]; hundreds of distinct appliers of one object
/// do not happen, and each costs a comparison on every write.
pub const MANAGERS_MAX: usize = 1_000;

/// Updating managers above which the oldest are folded into one.
///
/// # Source
/// kubernetes/apimachinery `pkg/util/managedfields/internal/capmanagers.go`, at eed236ce.
pub const UPDATERS_MAX: usize = 10;

/// Name of the manager that old updating managers are folded into.
pub const ANCIENT_CHANGES: &str = "ancient-changes";

/// Name of the manager that owns what an object held before somebody applied for the first time.
pub const BEFORE_FIRST_APPLY: &str = "before-first-apply";

impl ManagerId {
    /// Whether both name one manager.
    pub fn is(&self, other: &Self) -> bool {
        self.name == other.name
            && self.operation == other.operation
            && self.subresource == other.subresource
            && (self.operation == Operation::Apply || self.api_version == other.api_version)
    }

    /// The text by which the server orders managers in messages.
    pub(crate) fn sort_key(&self) -> String {
        let mut key = String::from("{\"manager\":");
        json::write_string(&self.name, &mut key);
        key.push_str(match self.operation {
            Operation::Apply => ",\"operation\":\"Apply\"",
            Operation::Update => ",\"operation\":\"Update\",\"apiVersion\":",
        });
        if self.operation == Operation::Update {
            json::write_string(&self.api_version, &mut key);
        }
        if !self.subresource.is_empty() {
            key.push_str(",\"subresource\":");
            json::write_string(&self.subresource, &mut key);
        }
        key.push('}');
        key
    }
}

impl fmt::Display for ManagerId {
    /// `"name"`, with subresource, and version when it updates: as conflicts name it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&go_quote(&self.name))?;
        if !self.subresource.is_empty() {
            write!(f, " with subresource {}", go_quote(&self.subresource))?;
        }
        if self.operation == Operation::Update {
            write!(f, " using {}", self.api_version)?;
        }
        Ok(())
    }
}

impl Entry {
    /// An entry for a new manager.
    pub fn new(id: ManagerId, time: impl Into<Text>, fields: FieldSet) -> Self {
        Self {
            id,
            time: time.into(),
            fields,
            stored: None,
        }
    }

    /// What the manager owns.
    pub fn fields(&self) -> &FieldSet {
        &self.fields
    }

    /// Changes what the manager owns.
    pub fn set_fields(&mut self, fields: FieldSet) {
        if self.fields != fields {
            self.fields = fields;
            self.stored = None;
        }
    }

    fn decode(at: usize, node: &Node) -> Result<Self, ManagersError> {
        let map = node.as_map().ok_or(ManagersError::Malformed)?;
        let text = |key: &str| match map.get(key) {
            None | Some(Node::Null) => Ok(Text::default()),
            Some(Node::String(text)) => Ok(text.clone()),
            Some(_) => Err(ManagersError::Malformed),
        };
        let operation = match text("operation")?.as_str() {
            "Apply" => Operation::Apply,
            "Update" => Operation::Update,
            _ => return Err(ManagersError::Operation),
        };
        let id = ManagerId {
            name: text("manager")?,
            operation,
            api_version: text("apiVersion")?,
            subresource: text("subresource")?,
        };
        if id.api_version.is_empty() {
            return Err(ManagersError::ApiVersion);
        }
        if text("fieldsType")? != "FieldsV1" {
            return Err(ManagersError::FieldsType(at));
        }
        let stored = map.get("fieldsV1").cloned().unwrap_or_else(Node::map);
        Ok(Self {
            id,
            time: text("time")?,
            fields: FieldSet::decode(&stored)?,
            stored: Some(stored),
        })
    }

    fn encode(&self) -> Node {
        let mut map = Map::with_capacity(7);
        map.insert("manager", self.id.name.clone());
        map.insert(
            "operation",
            match self.id.operation {
                Operation::Apply => "Apply",
                Operation::Update => "Update",
            },
        );
        map.insert("apiVersion", self.id.api_version.clone());
        if !self.time.is_empty() {
            map.insert("time", self.time.clone());
        }
        map.insert("fieldsType", "FieldsV1");
        let fields = self.stored.clone();
        map.insert("fieldsV1", fields.unwrap_or_else(|| self.fields.encode()));
        if !self.id.subresource.is_empty() {
            map.insert("subresource", self.id.subresource.clone());
        }
        map.into()
    }
}

impl Managers {
    /// Nobody.
    pub fn none() -> Self {
        Self::default()
    }

    /// Reads a `managedFields` list; null is an empty list.
    ///
    /// # Errors
    /// [`ManagersError`] for the first entry that cannot be read.
    pub fn decode(list: &Node) -> Result<Self, ManagersError> {
        let items = match list {
            Node::Null => &[][..],
            Node::List(items) => items,
            _ => return Err(ManagersError::Malformed),
        };
        if items.len() > MANAGERS_MAX {
            return Err(ManagersError::TooMany);
        }
        let mut managers = Self::default();
        for (at, item) in items.iter().enumerate() {
            managers.put(Entry::decode(at, item)?);
        }
        Ok(managers)
    }

    /// The managers of a stored object; nobody when its list is missing or cannot be read.
    pub fn of(object: &Node) -> Self {
        let list = object.at(&["metadata", "managedFields"]);
        let decoded = list.map(Self::decode);
        decoded.and_then(Result::ok).unwrap_or_default()
    }

    /// The managers that an update starts from: those in the new object if it has valid ones,
    /// nobody if it asks for that by an empty list or one empty entry, else those of the live
    /// object. Through a subresource the new object's do not count.
    pub fn for_update(live: &Node, new: &Node, subresource: &str) -> Self {
        if !subresource.is_empty() {
            return Self::of(live);
        }
        let list = new.at(&["metadata", "managedFields"]);
        let asked = list.and_then(Node::as_list);
        let reset = match asked {
            Some([]) => true,
            Some([only]) => only.as_map().is_some_and(Map::is_empty),
            _ => false,
        };
        if reset {
            return Self::none();
        }
        match list.map(Self::decode) {
            Some(Ok(managers)) if !managers.is_empty() => managers,
            _ => Self::of(live),
        }
    }

    /// The list as it is stored: who applies first, then by time, name, version, subresource.
    pub fn encode(&self) -> Node {
        let mut entries: Vec<&Entry> = self.0.iter().collect();
        entries.sort_by(|a, b| {
            let key = |entry: &Entry| (entry.id.operation, entry.time.clone());
            let names = |entry: &Entry| {
                let id = &entry.id;
                (
                    id.name.clone(),
                    id.api_version.clone(),
                    id.subresource.clone(),
                )
            };
            key(a).cmp(&key(b)).then_with(|| names(a).cmp(&names(b)))
        });
        Node::from(entries.into_iter().map(Entry::encode).collect::<Vec<_>>())
    }

    /// Puts the list into an object, or takes it away when there is nobody.
    pub fn write(&self, object: &mut Node) {
        if !self.is_empty() {
            object.set(&["metadata", "managedFields"], self.encode());
        } else if object.at(&["metadata", "managedFields"]).is_some() {
            object.remove(&["metadata", "managedFields"]);
        }
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Everybody, in no particular order.
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// The entry of a manager.
    pub fn get(&self, id: &ManagerId) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.id.is(id))
    }

    /// Adds an entry, in place of the manager's earlier one.
    pub fn put(&mut self, entry: Entry) {
        match self.0.iter_mut().find(|known| known.id.is(&entry.id)) {
            Some(known) => *known = entry,
            None => self.0.push(entry),
        }
    }

    /// Takes an entry out.
    pub fn take(&mut self, id: &ManagerId) -> Option<Entry> {
        let at = self.0.iter().position(|entry| entry.id.is(id))?;
        Some(self.0.remove(at))
    }

    /// Changes every entry; those that end without fields go.
    pub(crate) fn update_each(&mut self, mut change: impl FnMut(&mut Entry)) {
        self.0.iter_mut().for_each(&mut change);
        self.0.retain(|entry| !entry.fields.is_empty());
    }

    /// Keeps only the entries that `keep` accepts.
    pub fn retain(&mut self, keep: impl FnMut(&Entry) -> bool) {
        self.0.retain(keep);
    }

    /// Folds the oldest updating managers of a version into one until at most [`UPDATERS_MAX`]
    /// are left, or nothing more can be folded.
    pub(crate) fn cap_updaters(&mut self) {
        let updates = |entry: &&Entry| entry.id.operation == Operation::Update;
        let mut left = self.0.iter().filter(updates).count();
        if left <= UPDATERS_MAX {
            return;
        }
        let mut oldest: Vec<(Text, String, ManagerId)> = self
            .0
            .iter()
            .filter(updates)
            .map(|entry| (entry.time.clone(), entry.id.sort_key(), entry.id.clone()))
            .collect();
        oldest.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        let mut first_of: Vec<(Text, ManagerId)> = Vec::new();
        for (time, _, id) in oldest {
            if left <= UPDATERS_MAX {
                return;
            }
            let version = id.api_version.clone();
            let Some((_, first)) = first_of.iter().find(|(known, _)| *known == version) else {
                first_of.push((version, id));
                continue;
            };
            let bucket = ManagerId {
                name: ANCIENT_CHANGES.into(),
                operation: Operation::Update,
                api_version: version,
                subresource: Text::default(),
            };
            if self.get(&bucket).is_none()
                && let Some(entry) = self.take(first)
            {
                self.put(Entry {
                    id: bucket.clone(),
                    ..entry
                });
            }
            if let Some(folded) = self.take(&id) {
                let fields = self
                    .get(&bucket)
                    .map(|entry| entry.fields.union(&folded.fields));
                self.put(Entry::new(bucket, time, fields.unwrap_or(folded.fields)));
                left -= 1;
            }
        }
    }
}
