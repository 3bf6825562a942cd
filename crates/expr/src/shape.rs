//! What is declared about data: how a node reads as a value, and what the check knows.

use std::collections::BTreeMap;
use std::sync::Arc;

use object::Text;

/// The declared type of a variable, field or item.
///
/// A node alone does not say whether `"5s"` is text or a duration, or which lists are maps by key;
/// a shape does. [`Shape::Dyn`] declares nothing.
#[derive(Clone, Debug, Default)]
pub enum Shape {
    /// Anything; read as it is.
    #[default]
    Dyn,
    /// `null` only.
    Null,
    /// A boolean.
    Bool,
    /// A signed integer.
    Int,
    /// An unsigned integer.
    Uint,
    /// A floating-point number; integers of the data are converted.
    Double,
    /// Text.
    String,
    /// Bytes, in data as base64 text.
    Bytes,
    /// A time, in data as RFC 3339 text.
    Timestamp,
    /// A date, in data as `2006-01-02`; a timestamp in expressions.
    Date,
    /// A duration, in data as Go duration text.
    Duration,
    /// A list.
    List(Arc<ListShape>),
    /// A map from text to values of one shape.
    Map(Arc<Shape>),
    /// An object with declared fields.
    Object(Arc<ObjectShape>),
    /// A value that may be absent.
    Optional(Arc<Shape>),
    /// A value of a library type, by its name (`kubernetes.Quantity`).
    Named(&'static str),
    /// A type.
    Type,
}

/// A declared list.
#[derive(Clone, Debug, Default)]
pub struct ListShape {
    /// Its items.
    pub item: Shape,
    /// When two such lists are equal and how they are added.
    pub identity: ListIdentity,
}

/// When items of two lists are the same item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ListIdentity {
    /// By position.
    #[default]
    Position,
    /// By value; order means nothing.
    Value,
    /// By the values of these fields; order means nothing.
    Keys(Vec<Text>),
}

/// A declared object.
#[derive(Clone, Debug, Default)]
pub struct ObjectShape {
    /// Name for messages; may be empty.
    pub name: Text,
    /// Fields under the names expressions use, see [`escape`].
    pub fields: BTreeMap<Text, Field>,
}

/// A field of an [`ObjectShape`].
#[derive(Clone, Debug)]
pub struct Field {
    /// Its key in the data.
    pub key: Text,
    /// Its type.
    pub shape: Shape,
    /// Whether expressions are checked as if it were not declared, see [`ObjectShape::hide`].
    pub hidden: bool,
}

impl ObjectShape {
    /// Declares the data key `key`; left out when no expression can name it.
    pub fn declare(&mut self, key: &str, shape: Shape) {
        if let Some(name) = escape(key) {
            let key = Text::from(key);
            let hidden = false;
            self.fields.insert(name, Field { key, shape, hidden });
        }
    }

    /// Declares the data key `key`, of whose values nothing is known.
    ///
    /// Expressions that select it do not compile, but those that select it from `dyn(…)` find it.
    /// Kubernetes lets such values be compared and nothing else; here they are read as they are.
    ///
    /// # Source
    /// kubernetes/apiserver `pkg/cel/common/values.go`, `unknownPreserved`.
    pub fn hide(&mut self, key: &str) {
        if let Some(name) = escape(key) {
            let key = Text::from(key);
            let (shape, hidden) = (Shape::Dyn, true);
            self.fields.insert(name, Field { key, shape, hidden });
        }
    }
}

impl ObjectShape {
    /// The field an expression calls `name`; keywords may be written as they are, too.
    ///
    /// # Source
    /// kubernetes/apiserver `pkg/cel/types.go`, `FindStructFieldType`.
    pub(crate) fn field(&self, name: &str) -> Option<&Field> {
        let found = self.fields.get(name);
        found.or_else(|| match RESERVED.contains(&name) {
            true => self.fields.get(format!("__{name}__").as_str()),
            false => None,
        })
    }
}

impl Shape {
    /// A list by position.
    pub fn list(item: Shape) -> Self {
        Self::List(Arc::new(ListShape {
            item,
            identity: ListIdentity::Position,
        }))
    }

    /// A map from text.
    pub fn map(value: Shape) -> Self {
        Self::Map(Arc::new(value))
    }

    /// The name messages use.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Dyn => "dyn".into(),
            Self::Null => "null".into(),
            Self::Bool => "bool".into(),
            Self::Int => "int".into(),
            Self::Uint => "uint".into(),
            Self::Double => "double".into(),
            Self::String => "string".into(),
            Self::Bytes => "bytes".into(),
            Self::Timestamp | Self::Date => "timestamp".into(),
            Self::Duration => "duration".into(),
            Self::List(list) => format!("list({})", list.item.name()),
            Self::Map(value) => format!("map(string, {})", value.name()),
            Self::Object(object) if object.name.is_empty() => "object".into(),
            Self::Object(object) => object.name.to_string(),
            Self::Optional(inner) => format!("optional_type({})", inner.name()),
            Self::Named(name) => (*name).into(),
            Self::Type => "type".into(),
        }
    }
}

/// Words of CEL that cannot be field names as they are.
///
/// # Source
/// kubernetes/apiserver `pkg/cel/escaping.go`.
const RESERVED: [&str; 21] = [
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// The name by which expressions call the data key `key`: `a-b` is `a__dash__b`.
///
/// `None` for keys that have none: they start with a digit or hold other characters.
pub fn escape(key: &str) -> Option<Text> {
    if RESERVED.contains(&key) {
        return Some(format!("__{key}__").into());
    }
    let mut name = String::with_capacity(key.len());
    let mut rest = key;
    while let Some(c) = rest.chars().next() {
        match c {
            '.' => name.push_str("__dot__"),
            '-' => name.push_str("__dash__"),
            '/' => name.push_str("__slash__"),
            '_' if rest.starts_with("__") => {
                name.push_str("__underscores__");
                rest = &rest[1..];
            }
            '_' | 'a'..='z' | 'A'..='Z' => name.push(c),
            '0'..='9' if !name.is_empty() => name.push(c),
            _ => return None,
        }
        rest = &rest[c.len_utf8()..];
    }
    (!name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit())).then(|| name.into())
}
