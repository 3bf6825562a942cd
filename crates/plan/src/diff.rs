//! What differs between two states of an object, field by field.

use std::collections::HashMap;
use std::fmt;

use object::{FieldPath, Node, Object, ObjectKey, Step};

/// What differs about one object.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectDifference {
    /// Which object.
    pub key: ObjectKey,
    /// `+` when only the new state has it, `-` when only the old one, `~` when both differ.
    pub sign: char,
    /// Fields that differ; empty for objects that only one state has.
    pub fields: Vec<FieldDifference>,
}

/// What differs about one field; `None` where a state lacks it.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldDifference {
    /// The field, in the state that has it, the new one if both do.
    pub path: FieldPath,
    /// The field for people: list items by their name, as in `spec.containers[web].image`.
    pub field: String,
    /// Its old value.
    pub old: Option<Node>,
    /// Its new value.
    pub new: Option<Node>,
}

/// Most fields listed for one object; a person reads a fraction, and a hostile list of a million
/// items should not become a million lines.
const FIELDS_MAX: usize = 1_000;

/// Where `kubectl apply` keeps a copy of what it applied.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Fields that tell the items of a list apart, the first that all items have with different
/// values.
const ITEM_NAMES: &[&str] = &[
    "name",
    "key",
    "mountPath",
    "ip",
    "type",
    "containerPort",
    "port",
];

/// Compares two states of an object; `None` when nothing differs.
///
/// `metadata` counts only with labels and annotations, `status` not at all. Items of a list are
/// compared with those of the same name. Values of Secrets are masked, different ones differently.
/// The copy of the object that `kubectl apply` leaves in an annotation is left out: it says
/// nothing new, and of a Secret it says too much.
pub fn difference(old: Option<&Object>, new: Option<&Object>) -> Option<ObjectDifference> {
    let key = new.or(old)?.key();
    let sign = match (old, new) {
        (None, _) => '+',
        (_, None) => '-',
        _ => '~',
    };
    let mut walk = Walk::default();
    if let (Some(old), Some(new)) = (old, new) {
        let (old, new) = (content(old), content(new));
        walk.compare(Some(&old), Some(&new));
        if walk.fields.is_empty() {
            return None;
        }
        if key.kind == "Secret" && key.group.is_empty() {
            walk.fields.iter_mut().for_each(mask);
        }
    }
    Some(ObjectDifference {
        key,
        sign,
        fields: walk.fields,
    })
}

/// The part of an object that counts; labels and annotations are always there, so that they are
/// compared one by one.
fn content(object: &Object) -> Node {
    let mut node = object.node.clone();
    let metadata = node.remove(&["metadata"]).unwrap_or_default();
    node.remove(&["status"]);
    for field in ["labels", "annotations"] {
        let entries = metadata.get(field).filter(|entries| !entries.is_null());
        let entries = entries.cloned().unwrap_or_else(Node::map);
        node.set(&["metadata", field], entries);
    }
    node.remove(&["metadata", "annotations", LAST_APPLIED]);
    node
}

/// Where a comparison is, and what it found.
#[derive(Default)]
struct Walk {
    path: FieldPath,
    /// The same place for people, step by step.
    shown: Vec<String>,
    fields: Vec<FieldDifference>,
}

impl Walk {
    fn compare(&mut self, old: Option<&Node>, new: Option<&Node>) {
        if self.fields.len() >= FIELDS_MAX {
            return;
        }
        match (old, new) {
            (Some(Node::Map(old)), Some(Node::Map(new))) => {
                let added = new.keys().filter(|key| !old.contains_key(key));
                for key in old.keys().chain(added) {
                    let shown = shown_key(key, self.shown.is_empty());
                    self.step(Step::Key(key.clone()), shown, old.get(key), new.get(key));
                }
            }
            (Some(Node::List(old)), Some(Node::List(new))) => match item_name(old, new) {
                Some(name) => self.items_by_name(old, new, name),
                None => self.items_by_place(old, new),
            },
            (Some(old), Some(new)) if merge::same(old, new) => {}
            (None, None) => {}
            (old, new) => self.fields.push(FieldDifference {
                path: self.path.clone(),
                field: self.shown.concat(),
                old: old.cloned(),
                new: new.cloned(),
            }),
        }
    }

    fn items_by_place(&mut self, old: &[Node], new: &[Node]) {
        for index in 0..old.len().max(new.len()) {
            let shown = format!("[{index}]");
            self.step(Step::Index(index), shown, old.get(index), new.get(index));
        }
    }

    fn items_by_name(&mut self, old: &[Node], new: &[Node], name: &str) {
        let text = |item: &Node| item.get(name).map(plain).unwrap_or_default();
        let places: HashMap<String, usize> = new
            .iter()
            .enumerate()
            .map(|(at, item)| (text(item), at))
            .collect();
        let mut kept = vec![false; new.len()];
        for (at, item) in old.iter().enumerate() {
            let own = text(item);
            let place = places.get(&own).copied();
            if let Some(place) = place {
                kept[place] = true;
            }
            let step = Step::Index(place.unwrap_or(at));
            let other = place.map(|place| &new[place]);
            self.step(step, format!("[{own}]"), Some(item), other);
        }
        for (at, item) in new.iter().enumerate().filter(|(at, _)| !kept[*at]) {
            let shown = format!("[{}]", text(item));
            self.step(Step::Index(at), shown, None, Some(item));
        }
    }

    fn step(&mut self, step: Step, shown: String, old: Option<&Node>, new: Option<&Node>) {
        self.path.push(step);
        self.shown.push(shown);
        self.compare(old, new);
        self.shown.pop();
        self.path.pop();
    }
}

fn shown_key(key: &str, first: bool) -> String {
    if key.contains(['.', '/', '[', ']']) {
        format!("[{key}]")
    } else if first {
        key.to_owned()
    } else {
        format!(".{key}")
    }
}

/// The field that tells the items of both lists apart, if one does.
fn item_name(old: &[Node], new: &[Node]) -> Option<&'static str> {
    let distinct = |items: &[Node], name: &str| {
        let mut values: Vec<String> = Vec::with_capacity(items.len());
        for item in items {
            match item.get(name) {
                Some(value @ (Node::String(_) | Node::Int(_))) => values.push(plain(value)),
                _ => return false,
            }
        }
        values.sort();
        values.windows(2).all(|pair| pair[0] != pair[1])
    };
    let names = ITEM_NAMES.iter().copied();
    let mut names = names.filter(|name| distinct(old, name) && distinct(new, name));
    names.next().filter(|_| !old.is_empty() && !new.is_empty())
}

fn mask(field: &mut FieldDifference) {
    let first = match field.path.steps().first() {
        Some(Step::Key(key)) => key.as_str(),
        _ => "",
    };
    if matches!(first, "data" | "stringData") {
        field.old = field.old.take().map(|_| "*** (before)".into());
        field.new = field.new.take().map(|_| "*** (after)".into());
    }
}

impl fmt::Display for ObjectDifference {
    /// The object's line, then one line a field.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.sign, self.key)?;
        for field in &self.fields {
            write!(f, "\n    {}  ", field.field)?;
            match (&field.old, &field.new) {
                (Some(old), Some(new)) => write!(f, "{} → {}", short(old), short(new))?,
                (None, Some(new)) => write!(f, "+ {}", short(new))?,
                (Some(old), None) => write!(f, "- {}", short(old))?,
                (None, None) => {}
            }
        }
        Ok(())
    }
}

fn plain(node: &Node) -> String {
    match node {
        Node::String(text) => text.to_string(),
        other => object::json::to_string(other),
    }
}

fn short(node: &Node) -> String {
    const SHOWN_MAX: usize = 120;
    let text = match node {
        Node::String(text) if !text.contains('\n') => text.to_string(),
        other => object::json::to_string(other),
    };
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
