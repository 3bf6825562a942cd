//! One step of a path to a field, and whole paths.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use object::json::{self, Limits};
use object::{Map, Node, Text};

use crate::value;

/// One step from a value to a value inside it.
///
/// Ordered as they are stored: fields, keyed items, set members, indexes.
#[derive(Clone, Debug)]
pub enum PathElement {
    /// The value of a map key or struct field.
    Field(Text),
    /// The item of a keyed list whose key fields have these values, ordered by name.
    Key(Arc<[(Text, Node)]>),
    /// The item of a set that equals this single value.
    Value(Node),
    /// The item at this place of a list; no longer written, still read.
    Index(i64),
}

/// A path from an object to a field of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(pub Vec<PathElement>);

/// A stored path element that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ElementError {
    /// It has no prefix of a letter and a colon.
    #[error("path element `{0}` has no type")]
    NoType(String),
    /// What follows the prefix is no JSON, or no JSON of the right kind.
    #[error("path element `{0}` holds no value of its type")]
    BadValue(String),
}

/// What a stored path element may hold: names and short values, never documents.
const ELEMENT_LIMITS: Limits = Limits {
    bytes_max: 64 * 1024,
    depth_max: 16,
};

impl PathElement {
    /// The value of `name`.
    pub fn field(name: impl Into<Text>) -> Self {
        Self::Field(name.into())
    }

    /// The item with these key fields, in any order.
    pub fn key(fields: impl IntoIterator<Item = (impl Into<Text>, impl Into<Node>)>) -> Self {
        let mut fields = fields.into_iter();
        if fields.size_hint().1 == Some(1)
            && let Some((name, value)) = fields.next()
        {
            return Self::Key(Arc::new([(name.into(), value.into())]));
        }
        let mut fields: Vec<(Text, Node)> = fields
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        fields.sort_by(|a, b| a.0.cmp(&b.0));
        Self::Key(fields.into())
    }

    /// Reads a stored element; `None` for a type of a later version, to be ignored.
    ///
    /// # Errors
    /// [`ElementError`] when the text is none.
    pub fn decode(text: &str) -> Result<Option<Self>, ElementError> {
        let no_type = || ElementError::NoType(shorten(text));
        let bad_value = || ElementError::BadValue(shorten(text));
        let parse = |text: &str| json::parse(text.as_bytes(), ELEMENT_LIMITS);
        let rest = text.get(2..).ok_or_else(no_type)?;
        match &text.as_bytes()[..2] {
            b"f:" => Ok(Some(Self::field(rest))),
            b"k:" => match parse(rest) {
                Ok(Node::Map(map)) => Ok(Some(Self::key(map))),
                _ => Err(bad_value()),
            },
            b"v:" => {
                let value = parse(rest).map_err(|_| bad_value())?;
                Ok(Some(Self::Value(value)))
            }
            b"i:" => {
                let index = rest.parse().map_err(|_| bad_value())?;
                Ok(Some(Self::Index(index)))
            }
            [_, b':'] => Ok(None),
            _ => Err(no_type()),
        }
    }

    /// The text under which the element is stored.
    pub fn encode(&self) -> Text {
        match self {
            Self::Field(name) => smol_str::format_smolstr!("f:{name}"),
            Self::Key(fields) => {
                let map: Map = fields.iter().cloned().collect();
                let mut out = String::from("k:");
                json::write(&Node::Map(map), &mut out);
                out.into()
            }
            Self::Value(value) => {
                let mut out = String::from("v:");
                json::write(value, &mut out);
                out.into()
            }
            Self::Index(index) => smol_str::format_smolstr!("i:{index}"),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Field(_) => 0,
            Self::Key(_) => 1,
            Self::Value(_) => 2,
            Self::Index(_) => 3,
        }
    }
}

/// The start of a text, for messages.
fn shorten(text: &str) -> String {
    text.chars().take(64).collect()
}

impl Ord for PathElement {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Field(a), Self::Field(b)) => a.cmp(b),
            (Self::Key(a), Self::Key(b)) => {
                let fields = a.iter().zip(b.iter());
                let mut fields =
                    fields.map(|(a, b)| a.0.cmp(&b.0).then_with(|| value::compare(&a.1, &b.1)));
                let difference = fields.find(|order| order.is_ne());
                difference.unwrap_or_else(|| a.len().cmp(&b.len()))
            }
            (Self::Value(a), Self::Value(b)) => value::compare(a, b),
            (Self::Index(a), Self::Index(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for PathElement {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for PathElement {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for PathElement {}

impl fmt::Display for PathElement {
    /// `.name`, `[key="value",other=1]`, `[="member"]` or `[0]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(f, ".{name}"),
            Self::Key(fields) => {
                for (at, (name, value)) in fields.iter().enumerate() {
                    let open = if at == 0 { '[' } else { ',' };
                    write!(f, "{open}{name}={}", in_path(value))?;
                }
                f.write_str(if fields.is_empty() { "[]" } else { "]" })
            }
            Self::Value(value) => write!(f, "[={}]", in_path(value)),
            Self::Index(index) => write!(f, "[{index}]"),
        }
    }
}

fn in_path(node: &Node) -> String {
    match node {
        Node::Null => "null".to_owned(),
        Node::String(text) => value::go_quote(text),
        Node::List(items) => {
            let items: Vec<_> = items.iter().map(in_path).collect();
            format!("[{}]", items.join(","))
        }
        Node::Map(map) => {
            let entries = map.iter();
            entries
                .map(|(key, value)| format!("{key}={}", in_path(value)))
                .collect()
        }
        Node::Bool(_) | Node::Int(_) | Node::Uint(_) | Node::Float(_) => {
            let mut out = String::new();
            value::go_plain(node, &mut out);
            out
        }
    }
}

impl Path {
    /// The path through these fields.
    pub fn fields<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self(names.into_iter().map(PathElement::field).collect())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|element| element.fmt(f))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_elements_read_print_and_store_again() {
        let table = [
            ("f:replicas", ".replicas", "f:replicas"),
            (
                r#"k:{"protocol":"TCP","containerPort":80}"#,
                r#"[containerPort=80,protocol="TCP"]"#,
                r#"k:{"containerPort":80,"protocol":"TCP"}"#,
            ),
            (r#"v:"x/a""#, r#"[="x/a"]"#, r#"v:"x/a""#),
            ("v:1.5", "[=1.5]", "v:1.5"),
            ("i:3", "[3]", "i:3"),
            ("f:", ".", "f:"),
        ];
        for (stored, printed, again) in table {
            let element = PathElement::decode(stored).unwrap().unwrap();
            assert_eq!(element.to_string(), printed);
            assert_eq!(element.encode(), again);
        }
    }

    #[test]
    fn later_versions_are_ignored_and_rubbish_is_refused() {
        assert_eq!(PathElement::decode("x:1"), Ok(None));
        for rubbish in ["", "f", "fx", "k:[]", "k:{", "v:", "i:one", "é", "kéy"] {
            assert!(PathElement::decode(rubbish).is_err(), "{rubbish}");
        }
        let deep = format!("v:{}", "[".repeat(5000));
        assert!(PathElement::decode(&deep).is_err());
    }
}
