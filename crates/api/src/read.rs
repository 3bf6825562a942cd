//! Reading typed values out of an object.

use diag::{Code, Explain, Reason, Retry};
use golang::Duration;
use object::{FieldPath, Node};

/// A field of an object holds what its kind does not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("field `{path}` {problem}")]
pub struct InvalidSpec {
    /// The field.
    pub path: FieldPath,
    /// What is wrong, starting with a verb.
    pub problem: String,
}

impl Explain for InvalidSpec {
    fn code(&self) -> Code {
        Code("InvalidSpec")
    }

    fn reason(&self) -> Reason {
        Reason("InvalidSpec")
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }
}

/// A map inside an object, read field by field.
///
/// Absent and null fields read as empty; a field of another type is an [`InvalidSpec`].
#[derive(Clone)]
pub(crate) struct Fields<'a> {
    node: &'a Node,
    path: FieldPath,
}

type Outcome<T> = Result<T, InvalidSpec>;

impl<'a> Fields<'a> {
    pub(crate) fn new(node: &'a Node) -> Self {
        Self {
            node,
            path: FieldPath::root(),
        }
    }

    /// The map under `key`, `None` when absent.
    pub(crate) fn map(&self, key: &str) -> Outcome<Option<Fields<'a>>> {
        match self.get(key) {
            None => Ok(None),
            Some(node @ Node::Map(_)) => Ok(Some(Fields {
                node,
                path: self.path.key(key),
            })),
            Some(other) => Err(self.wrong(key, "a map", other)),
        }
    }

    /// The maps of the list under `key`.
    pub(crate) fn maps(&self, key: &str) -> Outcome<Vec<Fields<'a>>> {
        self.items(key)?
            .iter()
            .enumerate()
            .map(|(index, node)| {
                let path = self.path.key(key).index(index);
                match node {
                    Node::Map(_) => Ok(Fields { node, path }),
                    other => Err(InvalidSpec {
                        path,
                        problem: format!("is of type {}, wanted a map", other.type_name()),
                    }),
                }
            })
            .collect()
    }

    /// The texts of the list under `key`.
    pub(crate) fn texts(&self, key: &str) -> Outcome<Vec<String>> {
        self.items(key)?
            .iter()
            .map(|node| match node {
                Node::String(text) => Ok(text.to_string()),
                other => Err(self.wrong(key, "a list of texts", other)),
            })
            .collect()
    }

    /// The texts of the map under `key`, in order.
    pub(crate) fn text_map(&self, key: &str) -> Outcome<Vec<(String, String)>> {
        let Some(fields) = self.map(key)? else {
            return Ok(Vec::new());
        };
        let map = fields.node.as_map().into_iter().flat_map(|map| map.iter());
        map.map(|(name, value)| match value {
            Node::String(text) => Ok((name.to_string(), text.to_string())),
            other => Err(fields.wrong(name, "a text", other)),
        })
        .collect()
    }

    /// The text under `key`, empty when absent.
    pub(crate) fn text(&self, key: &str) -> Outcome<String> {
        match self.get(key) {
            None => Ok(String::new()),
            Some(Node::String(text)) => Ok(text.to_string()),
            Some(other) => Err(self.wrong(key, "a text", other)),
        }
    }

    /// The boolean under `key`, false when absent.
    pub(crate) fn flag(&self, key: &str) -> Outcome<bool> {
        match self.get(key) {
            None => Ok(false),
            Some(Node::Bool(value)) => Ok(*value),
            Some(other) => Err(self.wrong(key, "true or false", other)),
        }
    }

    /// The duration under `key`; negative ones are refused.
    pub(crate) fn duration(&self, key: &str) -> Outcome<Option<Duration>> {
        let text = self.text(key)?;
        if text.is_empty() {
            return Ok(None);
        }
        match text.parse::<Duration>() {
            Ok(duration) if duration >= Duration::ZERO => Ok(Some(duration)),
            _ => Err(InvalidSpec {
                path: self.path.key(key),
                problem: format!("is `{text}`, wanted a duration such as `10m` or `1h30m`"),
            }),
        }
    }

    fn items(&self, key: &str) -> Outcome<&'a [Node]> {
        match self.get(key) {
            None => Ok(&[]),
            Some(Node::List(items)) => Ok(items),
            Some(other) => Err(self.wrong(key, "a list", other)),
        }
    }

    fn get(&self, key: &str) -> Option<&'a Node> {
        self.node.get(key).filter(|node| !node.is_null())
    }

    fn wrong(&self, key: &str, wanted: &str, found: &Node) -> InvalidSpec {
        InvalidSpec {
            path: self.path.key(key),
            problem: format!("is of type {}, wanted {wanted}", found.type_name()),
        }
    }
}
