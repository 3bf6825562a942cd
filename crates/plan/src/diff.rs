//! What differs between two states of an object, field by field.

use std::fmt;

use object::{FieldPath, Node, Object, ObjectKey};

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
    /// The field.
    pub path: FieldPath,
    /// Its old value.
    pub old: Option<Node>,
    /// Its new value.
    pub new: Option<Node>,
}

/// Compares two states of an object; `None` when nothing differs.
///
/// `metadata` counts only with labels and annotations, `status` not at all. Values of Secrets are
/// masked, different ones differently.
pub fn difference(old: Option<&Object>, new: Option<&Object>) -> Option<ObjectDifference> {
    let key = new.or(old)?.key();
    let sign = match (old, new) {
        (None, _) => '+',
        (_, None) => '-',
        _ => '~',
    };
    let mut fields = Vec::new();
    if let (Some(old), Some(new)) = (old, new) {
        let (old, new) = (content(old), content(new));
        compare(&mut FieldPath::root(), Some(&old), Some(&new), &mut fields);
        if fields.is_empty() {
            return None;
        }
        if key.kind == "Secret" && key.group.is_empty() {
            fields.iter_mut().for_each(mask);
        }
    }
    Some(ObjectDifference { key, sign, fields })
}

fn content(object: &Object) -> Node {
    let mut node = object.node.clone();
    let metadata = node.remove(&["metadata"]).unwrap_or_default();
    node.remove(&["status"]);
    for field in ["labels", "annotations"] {
        if let Some(map) = metadata.get(field) {
            node.set(&["metadata", field], map.clone());
        }
    }
    node
}

fn compare(
    path: &mut FieldPath,
    old: Option<&Node>,
    new: Option<&Node>,
    fields: &mut Vec<FieldDifference>,
) {
    match (old, new) {
        (Some(Node::Map(old)), Some(Node::Map(new))) => {
            let added = new.keys().filter(|key| !old.contains_key(key));
            for key in old.keys().chain(added) {
                path.push(object::Step::Key(key.clone()));
                compare(path, old.get(key), new.get(key), fields);
                path.pop();
            }
        }
        (Some(Node::List(old)), Some(Node::List(new))) => {
            for index in 0..old.len().max(new.len()) {
                path.push(object::Step::Index(index));
                compare(path, old.get(index), new.get(index), fields);
                path.pop();
            }
        }
        (old, new) if old == new => {}
        (old, new) => fields.push(FieldDifference {
            path: path.clone(),
            old: old.cloned(),
            new: new.cloned(),
        }),
    }
}

fn mask(field: &mut FieldDifference) {
    let shown = field.path.to_string();
    if shown.starts_with("data") || shown.starts_with("stringData") {
        field.old = field.old.take().map(|_| "*** (before)".into());
        field.new = field.new.take().map(|_| "*** (after)".into());
    }
}

impl fmt::Display for ObjectDifference {
    /// The object's line, then one line a field.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.sign, self.key)?;
        for field in &self.fields {
            write!(f, "\n    {}  ", field.path)?;
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
