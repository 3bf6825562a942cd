//! Taking fields out of a value.

use object::{Map, Node};

use super::{Form, item_element};
use crate::field_set::FieldSet;
use crate::schema::{ListType, MapType, ObjectType, TypeRef};

/// What is left of a value.
enum Left {
    /// All of it.
    Whole,
    /// This.
    Part(Node),
}

impl ObjectType {
    /// `node` without the fields and items in `fields`.
    ///
    /// A map or list that loses its last entry becomes null.
    pub fn remove(&self, node: &Node, fields: &FieldSet) -> Node {
        if fields.is_empty() {
            return node.clone();
        }
        match self.remove_from(node, fields, self.root()) {
            Left::Whole => node.clone(),
            Left::Part(part) => part,
        }
    }

    /// Only the fields and items of `node` that are in `fields`, with the containers around them.
    ///
    /// Keys of list items are kept only when `fields` has them.
    pub fn extract(&self, node: &Node, fields: &FieldSet) -> Node {
        self.extract_from(node, fields, self.root())
    }

    fn remove_from(&self, node: &Node, fields: &FieldSet, type_ref: TypeRef) -> Left {
        match (self.schema().atom(type_ref).form_of(node), node) {
            (Form::Scalar(_), _) => Left::Whole,
            (Form::List(list), Node::List(items)) if !items.is_empty() && !list.is_atomic() => {
                self.remove_items(items, fields, list)
            }
            (Form::Map(map), Node::Map(entries)) if !entries.is_empty() && !map.is_atomic() => {
                self.remove_entries(entries, fields, map)
            }
            _ => Left::Part(Node::Null),
        }
    }

    fn remove_items(&self, items: &[Node], fields: &FieldSet, list: &ListType) -> Left {
        let mut changed = false;
        let mut out = Vec::with_capacity(items.len());
        for item in items {
            let element = item_element(self.schema(), list, item);
            match element.and_then(|element| fields.get(&element)) {
                None => out.push(item.clone()),
                Some(branch) if branch.member => changed = true,
                Some(branch) => match self.remove_from(item, &branch.below, list.element) {
                    Left::Whole => out.push(item.clone()),
                    Left::Part(part) => {
                        changed = true;
                        out.push(part);
                    }
                },
            }
        }
        match (changed, out.is_empty()) {
            (false, _) => Left::Whole,
            (true, true) => Left::Part(Node::Null),
            (true, false) => Left::Part(Node::from(out)),
        }
    }

    fn remove_entries(&self, entries: &Map, fields: &FieldSet, map: &MapType) -> Left {
        let left = |key: &str, value: &Node| {
            let branch = fields.get_field(key)?;
            if branch.member {
                return Some(None);
            }
            match self.remove_from(value, &branch.below, map.value_type(key)?) {
                Left::Whole => None,
                Left::Part(part) => Some(Some(part)),
            }
        };
        let changes: Vec<Option<Option<Node>>> = entries
            .iter()
            .map(|(key, value)| left(key, value))
            .collect();
        if changes.iter().all(Option::is_none) {
            return Left::Whole;
        }
        let mut out = Map::with_capacity(entries.len());
        for ((key, value), change) in entries.iter().zip(changes) {
            if let Some(node) = change.unwrap_or_else(|| Some(value.clone())) {
                out.insert(key.clone(), node);
            }
        }
        let emptied = out.is_empty();
        Left::Part(if emptied { Node::Null } else { out.into() })
    }

    fn extract_from(&self, node: &Node, fields: &FieldSet, type_ref: TypeRef) -> Node {
        match (self.schema().atom(type_ref).form_of(node), node) {
            (Form::List(list), Node::List(items)) if !items.is_empty() && !list.is_atomic() => {
                let kept = items.iter().filter_map(|item| {
                    let element = item_element(self.schema(), list, item)?;
                    let branch = fields.get(&element)?;
                    Some(if branch.below.is_empty() {
                        item.clone()
                    } else {
                        self.extract_from(item, &branch.below, list.element)
                    })
                });
                let kept: Vec<Node> = kept.collect();
                if kept.is_empty() {
                    Node::Null
                } else {
                    kept.into()
                }
            }
            (Form::Map(map), Node::Map(entries)) if !entries.is_empty() && !map.is_atomic() => {
                let kept = entries.iter().filter_map(|(key, value)| {
                    let branch = fields.get_field(key)?;
                    let value = match map.value_type(key) {
                        Some(inner) if !branch.below.is_empty() => {
                            self.extract_from(value, &branch.below, inner)
                        }
                        _ => value.clone(),
                    };
                    Some((key.clone(), value))
                });
                let kept: Map = kept.collect();
                if kept.is_empty() {
                    Node::Null
                } else {
                    kept.into()
                }
            }
            _ => node.clone(),
        }
    }
}
