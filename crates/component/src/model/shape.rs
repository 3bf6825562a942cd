//! What fields an object may have, and of which kind their values are.
//!
//! A [`Shape`] knows the fields of every version of OpenChoreo at once, so that an object is never
//! refused for being written for another version. What no version knows is a warning; what cannot
//! be read at all is an error.

use object::{FieldPath, Node};

use super::{Finding, FindingKind};

/// Deepest nesting that shapes are followed; the tables end far above it.
const DEPTH_MAX: usize = 32;

/// What a value has to look like.
#[derive(Debug)]
pub(super) enum Shape {
    /// Anything, not looked into.
    Any,
    /// Text.
    Text,
    /// Text that is not empty.
    Name,
    /// A whole number.
    Int,
    /// `true` or `false`.
    Bool,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// A list of such values.
    List(&'static Shape),
    /// A map with any keys and such values.
    Map(&'static Shape),
    /// A map with these keys.
    Fields(&'static [Field]),
    /// The first of these that a value of its JSON type can be.
    Either(&'static [Shape]),
}

/// A field of a map.
#[derive(Debug)]
pub(super) struct Field {
    name: &'static str,
    required: bool,
    shape: &'static Shape,
}

/// A field that has to be there.
pub(super) const fn need(name: &'static str, shape: &'static Shape) -> Field {
    Field {
        name,
        required: true,
        shape,
    }
}

/// A field that may be absent or null.
pub(super) const fn may(name: &'static str, shape: &'static Shape) -> Field {
    Field {
        name,
        required: false,
        shape,
    }
}

impl Shape {
    /// Compares `node` with this shape and adds what is odd or wrong to `findings`.
    pub(super) fn check(&self, node: &Node, path: &mut FieldPath, findings: &mut Vec<Finding>) {
        self.check_at(node, path, 0, findings);
    }

    fn check_at(
        &self,
        node: &Node,
        path: &mut FieldPath,
        depth: usize,
        findings: &mut Vec<Finding>,
    ) {
        if depth > DEPTH_MAX {
            return;
        }
        let mut find = |kind| {
            findings.push(Finding {
                path: path.clone(),
                kind,
            });
        };
        if !self.fits(node) {
            return find(FindingKind::Type {
                wanted: self.words(),
                found: node.type_name(),
            });
        }
        match (self, node) {
            (Self::Name, Node::String(text)) if text.is_empty() => find(FindingKind::Empty),
            (Self::OneOf(values), Node::String(text)) if !values.contains(&text.as_str()) => {
                find(FindingKind::Value {
                    found: text.clone(),
                    allowed: values,
                });
            }
            (Self::List(inner), Node::List(items)) => {
                for (index, item) in items.iter().enumerate() {
                    path.push(object::Step::Index(index));
                    inner.check_at(item, path, depth + 1, findings);
                    path.pop();
                }
            }
            (Self::Map(inner), Node::Map(map)) => {
                for (key, value) in map.iter().filter(|(_, value)| !value.is_null()) {
                    path.push(object::Step::Key(key.clone()));
                    inner.check_at(value, path, depth + 1, findings);
                    path.pop();
                }
            }
            (Self::Fields(fields), Node::Map(map)) => {
                for (key, value) in map.iter() {
                    path.push(object::Step::Key(key.clone()));
                    match fields.iter().find(|field| field.name == key.as_str()) {
                        Some(field) if !value.is_null() => {
                            field.shape.check_at(value, path, depth + 1, findings);
                        }
                        Some(_) => {}
                        None => findings.push(Finding {
                            path: path.clone(),
                            kind: FindingKind::Unknown {
                                nearest: diag::nearest(key, fields.iter().map(|field| field.name)),
                            },
                        }),
                    }
                    path.pop();
                }
                for field in fields.iter().filter(|field| field.required) {
                    if map.get(field.name).is_none_or(Node::is_null) {
                        findings.push(Finding {
                            path: path.key(field.name),
                            kind: FindingKind::Missing,
                        });
                    }
                }
            }
            (Self::Either(shapes), _) => {
                if let Some(shape) = shapes.iter().find(|shape| shape.fits(node)) {
                    shape.check_at(node, path, depth + 1, findings);
                }
            }
            _ => {}
        }
    }

    /// Whether a value of this JSON type can be meant.
    fn fits(&self, node: &Node) -> bool {
        match self {
            Self::Any => true,
            Self::Text | Self::Name | Self::OneOf(_) => matches!(node, Node::String(_)),
            Self::Int => node.as_i64().is_some(),
            Self::Bool => matches!(node, Node::Bool(_)),
            Self::List(_) => matches!(node, Node::List(_)),
            Self::Map(_) | Self::Fields(_) => matches!(node, Node::Map(_)),
            Self::Either(shapes) => shapes.iter().any(|shape| shape.fits(node)),
        }
    }

    fn words(&self) -> &'static str {
        match self {
            Self::Any => "anything",
            Self::Text | Self::Name | Self::OneOf(_) => "text",
            Self::Int => "a whole number",
            Self::Bool => "true or false",
            Self::List(_) => "a list",
            Self::Map(_) | Self::Fields(_) => "a map",
            Self::Either(shapes) => match shapes {
                [Self::Text | Self::Name, _] => "text or a map",
                [Self::List(_), _] => "a list or a map",
                _ => "something else",
            },
        }
    }
}
