//! Checking a value against its type.

use std::fmt;

use object::{Map, Node};

use super::{Form, item_complaint, item_element};
use crate::element::PathElement;
use crate::schema::{ListType, MapType, ObjectType, Scalar, TypeRef};
use crate::value::{go_plain, go_syntax, go_type};

/// Whether two items of a list may have the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplicates {
    /// No: what somebody applies.
    Refused,
    /// Yes: what is already there.
    Allowed,
}

/// One place where a value does not fit its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeError {
    /// Path of the place; empty for the object itself.
    pub path: String,
    /// What does not fit.
    pub message: String,
}

/// All places where a value does not fit its type; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeErrors(pub Vec<TypeError>);

/// Most misfits that are reported at once; more would not help anybody.
const ERRORS_MAX: usize = 32;

impl ObjectType {
    /// Checks that `node` fits the type.
    ///
    /// # Errors
    /// [`TypeErrors`], worded as the API server words them.
    pub fn validate(&self, node: &Node, duplicates: Duplicates) -> Result<(), TypeErrors> {
        let mut check = Check {
            types: self,
            duplicates,
            errors: Vec::new(),
        };
        check.node(node, self.root());
        if check.errors.is_empty() {
            return Ok(());
        }
        check.errors.truncate(ERRORS_MAX);
        Err(TypeErrors(check.errors))
    }
}

struct Check<'t> {
    types: &'t ObjectType,
    duplicates: Duplicates,
    errors: Vec<TypeError>,
}

impl Check<'_> {
    fn node(&mut self, node: &Node, type_ref: TypeRef) {
        let types = self.types;
        match types.schema().atom(type_ref).form_of(node) {
            Form::Scalar(scalar) => self.scalar(node, scalar),
            Form::List(list) => match node {
                Node::Null => {}
                Node::List(items) => self.list(items, list),
                other => self.misfit("list", other),
            },
            Form::Map(map) => match node {
                Node::Null => {}
                Node::Map(entries) => self.map(entries, map),
                other => self.misfit("map", other),
            },
            Form::Nothing => self.error("schema error: invalid atom: inlined".to_owned()),
        }
    }

    fn scalar(&mut self, node: &Node, scalar: Scalar) {
        let fits = match scalar {
            Scalar::Numeric => matches!(node, Node::Int(_) | Node::Float(_)),
            Scalar::String => matches!(node, Node::String(_)),
            Scalar::Boolean => matches!(node, Node::Bool(_)),
            Scalar::Untyped => !matches!(node, Node::List(_) | Node::Map(_)),
        };
        if fits || node.is_null() {
            return;
        }
        let message = match scalar {
            Scalar::Numeric => format!("expected numeric (int or float), got {}", go_type(node)),
            Scalar::String => {
                let mut value = String::new();
                go_syntax(node, &mut value);
                format!("expected string, got &value.valueUnstructured{{Value:{value}}}")
            }
            Scalar::Boolean => format!("expected boolean, got {}", wrapped(node)),
            Scalar::Untyped => format!("expected any scalar, got {}", wrapped(node)),
        };
        self.error(message);
    }

    fn list(&mut self, items: &[Node], list: &ListType) {
        let schema = self.types.schema();
        for (at, item) in items.iter().enumerate() {
            if !list.is_atomic()
                && let Some(complaint) = item_complaint(schema, list, item)
            {
                return self.error(format!("element {at}: {complaint}"));
            }
            let before = self.errors.len();
            self.node(item, list.element);
            if self.errors.len() > before {
                let element = item_element(schema, list, item);
                let element = element.unwrap_or(PathElement::Index(at as i64));
                self.prefix(before, &element.to_string());
            }
            if self.errors.len() >= ERRORS_MAX {
                return;
            }
        }
        if self.duplicates == Duplicates::Refused && !list.is_atomic() && items.len() > 1 {
            let elements = items.iter().map(|item| item_element(schema, list, item));
            self.duplicates_in(elements.flatten().collect());
        }
    }

    fn duplicates_in(&mut self, mut elements: Vec<PathElement>) {
        elements.sort();
        for pair in elements.windows(2) {
            if pair[0] == pair[1] {
                self.error(format!("duplicate entries for key {}", pair[0]));
            }
        }
    }

    fn map(&mut self, entries: &Map, map: &MapType) {
        for (key, value) in entries.iter() {
            let element = || PathElement::field(key.clone());
            match map.value_type(key) {
                Some(inner) => {
                    let before = self.errors.len();
                    self.node(value, inner);
                    if self.errors.len() > before {
                        let prefix = element().to_string();
                        self.prefix(before, &prefix);
                    }
                }
                None => {
                    let message = "field not declared in schema".to_owned();
                    return self.below(&element(), |check| check.error(message));
                }
            }
            if self.errors.len() >= ERRORS_MAX {
                return;
            }
        }
    }

    fn below(&mut self, element: &PathElement, check: impl FnOnce(&mut Self)) {
        let before = self.errors.len();
        check(self);
        if self.errors.len() > before {
            self.prefix(before, &element.to_string());
        }
    }

    fn prefix(&mut self, from: usize, prefix: &str) {
        for error in &mut self.errors[from..] {
            error.path.insert_str(0, prefix);
        }
    }

    fn misfit(&mut self, wanted: &str, node: &Node) {
        self.error(format!("expected {wanted}, got {}", wrapped(node)));
    }

    fn error(&mut self, message: String) {
        self.errors.push(TypeError {
            path: String::new(),
            message,
        });
    }
}

/// The value as Go prints the pointer to the struct that holds it.
fn wrapped(node: &Node) -> String {
    let mut out = String::from("&{");
    go_plain(node, &mut out);
    out.push('}');
    out
}

impl fmt::Display for TypeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

impl fmt::Display for TypeErrors {
    /// The only error in one line, or `errors:` and one error a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = self.0.as_slice() {
            return only.fmt(f);
        }
        f.write_str("errors:")?;
        self.0.iter().try_for_each(|error| write!(f, "\n  {error}"))
    }
}

impl std::error::Error for TypeErrors {}
