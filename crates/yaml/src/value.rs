//! What a document means: from trees to [`object::Node`] and back.

mod direct;
mod resolver;

use object::{FieldPath, Step, Text};

use crate::compose::compose;
use crate::emit::{View, Viewer, write_value};
use crate::node::{Style, tag};
use crate::parse::check_text;
use crate::resolve::{Rules, Scalar, reads_as_text};
use crate::{Limits, Node, YamlError};
use resolver::{Resolver, Value};

/// How to resolve a tree.
#[derive(Clone, Copy, Debug, Default)]
pub struct ResolveOptions {
    /// Whose rules: which words are booleans, and which value wins over a merged one.
    pub rules: Rules,
    /// What to do with a key that occurs twice.
    pub duplicates: Duplicates,
    /// What to do with a tag that is not one of YAML's own.
    pub tags: Tags,
    /// Whether `-0.0` keeps its sign: for who makes a float of every number. Otherwise it is the
    /// integer 0, as Kubernetes has it.
    pub minus_zero: bool,
    /// How far aliases may expand the document.
    pub limits: Limits,
}

/// What to do with a key that occurs twice in one mapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Duplicates {
    /// It is an error, as for strict decoders and kustomize.
    #[default]
    Refuse,
    /// The last one wins, as for `sigs.k8s.io/yaml`'s plain `Unmarshal`.
    LastWins,
}

/// What to do with a tag that is not one of YAML's own, like `!Ref`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tags {
    /// It is an error: somebody expects something to happen that will not.
    #[default]
    Refuse,
    /// A scalar is text, anything else as if it had no tag; so do the Go libraries.
    Ignore,
}

/// One document of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its value; never null.
    pub node: object::Node,
    /// Line of its first token, from one.
    pub line: u32,
    /// Its place among the documents of the file, from zero, empty ones counted.
    pub index: u32,
}

/// Resolves a tree as `sigs.k8s.io/yaml` does: as if it were written as JSON and read again.
///
/// By default words and numbers follow YAML 1.1 (`yes` is true, `0755` octal), merge keys and
/// aliases are expanded, times stay text, an integer too large for 64 bits is text when it is
/// hexadecimal and a float when it is decimal, and keys that are numbers or booleans become text.
///
/// # Errors
/// [`YamlError`] for repeated keys, unknown tags, bad merge keys, numbers that JSON cannot hold,
/// and aliases that expand beyond the limits.
pub fn to_value(doc: &Node, options: &ResolveOptions) -> Result<object::Node, YamlError> {
    Resolver::resolve(doc, options)
}

/// A tree in block style for a value; texts that YAML 1.1 would read as something else (`yes`) are
/// quoted.
pub fn from_value(node: &object::Node) -> Node {
    match node {
        object::Node::Null => Node::null(),
        object::Node::Bool(value) => Node::bool(*value),
        object::Node::Int(value) => Node::int(*value),
        object::Node::Uint(value) => Node::typed(tag::INT, value.to_string()),
        object::Node::Float(value) => Node::typed(tag::FLOAT, float_text(*value)),
        object::Node::String(text) => text_node(text),
        object::Node::List(items) => Node::sequence(items.iter().map(from_value)),
        object::Node::Map(map) => Node::mapping(
            map.iter()
                .map(|(key, value)| (text_node(key), from_value(value))),
        ),
    }
}

fn text_node(text: &Text) -> Node {
    let node = Node::string(text.clone());
    if reads_as_text(text, Rules::V2) {
        return node;
    }
    node.styled(Style::DOUBLE_QUOTED)
}

/// A float as Go's encoders write it.
pub(crate) fn float_text(value: f64) -> String {
    if value.is_nan() {
        ".nan".into()
    } else if value.is_infinite() {
        if value > 0.0 { ".inf" } else { "-.inf" }.into()
    } else {
        golang::strconv::format_float_g(value)
    }
}

/// Reads and resolves all documents of a file; those without content are skipped but counted.
///
/// # Errors
/// [`YamlError`] from [`crate::parse`] and [`to_value`].
pub fn load(text: &str, limits: &Limits) -> Result<Vec<Document>, YamlError> {
    load_with(
        text,
        &ResolveOptions {
            limits: *limits,
            ..ResolveOptions::default()
        },
    )
}

/// As [`load`], with a choice of rules.
///
/// # Errors
/// As [`load`].
pub fn load_with(text: &str, options: &ResolveOptions) -> Result<Vec<Document>, YamlError> {
    let text = check_text(text, &options.limits)?;
    if let Some(documents) = direct::all(text, options) {
        return Ok(documents);
    }
    let mut documents = Vec::new();
    let sources = compose(text, &options.limits, false, usize::MAX)?;
    for (source, index) in sources.iter().zip(0..) {
        let node = to_value(&source.root, options)?;
        if !node.is_null() {
            documents.push(Document {
                node,
                line: source.root.line,
                index,
            });
        }
    }
    Ok(documents)
}

/// Reads and resolves the first document, without a look at what follows it, as Go's `Unmarshal`
/// functions do; null for a text without any.
///
/// # Errors
/// As [`load`].
pub fn load_first(text: &str, options: &ResolveOptions) -> Result<object::Node, YamlError> {
    first(text, options, None)
}

/// As [`load_first`], but where the document is a map, only its entries whose keys are `wanted` are
/// sure to be there. All of it is checked, so that it is an error when it is one for [`load_first`].
///
/// # Errors
/// As [`load_first`].
pub fn load_first_entries(
    text: &str,
    options: &ResolveOptions,
    wanted: impl Fn(&str) -> bool,
) -> Result<object::Node, YamlError> {
    first(text, options, Some(&wanted))
}

fn first(
    text: &str,
    options: &ResolveOptions,
    wanted: Option<&dyn Fn(&str) -> bool>,
) -> Result<object::Node, YamlError> {
    let text = check_text(text, &options.limits)?;
    if let Some(node) = direct::first(text, options, wanted) {
        return Ok(node);
    }
    match compose(text, &options.limits, false, 1)?.first() {
        Some(source) => to_value(&source.root, options),
        None => Ok(object::Node::Null),
    }
}

/// The text that `sigs.k8s.io/yaml`'s `Marshal` writes: sorted keys, two spaces a level, lists at
/// the column of their key, long text folded at column 80.
pub fn to_string(node: &object::Node) -> String {
    write_value(&Nodes, node)
}

/// The text that kustomize prints for a document: resolved by go-yaml v3's rules, written as
/// [`to_string`] does. Integers up to 2^64 stay exact.
///
/// # Errors
/// As [`to_value`].
pub fn to_canonical_string(doc: &Node, limits: &Limits) -> Result<String, YamlError> {
    let options = ResolveOptions {
        rules: Rules::V3,
        tags: Tags::Ignore,
        limits: *limits,
        ..ResolveOptions::default()
    };
    Ok(write_value(
        &Exacts,
        &Resolver::<Exact>::resolve(doc, &options)?,
    ))
}

/// Line and column of the value at `path`, or of the deepest node on the way that exists; `None`
/// when nothing of it does.
pub fn locate(doc: &Node, path: &FieldPath) -> Option<(u32, u32)> {
    let mut node = doc;
    let mut place = doc;
    let mut found = path.is_root();
    for step in path.steps() {
        let child = match step {
            Step::Key(key) => node.get_pair(key).or_else(|| merged_pair(node, key)),
            Step::Index(index) => node.items().get(*index).map(|item| (item, item)),
        };
        let Some((name, value)) = child else { break };
        (place, node) = (name, value);
        found = true;
    }
    if std::ptr::eq(node, doc) || matches!(node.kind, crate::Kind::Scalar) {
        place = node;
    }
    found.then_some((place.line, place.column))
}

/// A key that comes from a map written in place behind `<<`.
fn merged_pair<'a>(node: &'a Node, key: &str) -> Option<(&'a Node, &'a Node)> {
    node.get("<<")?.get_pair(key)
}

impl Value for object::Node {
    type Entries = object::Map;

    fn minus_zero() -> Option<Self> {
        Some(Self::Float(-0.0))
    }

    fn scalar(scalar: Scalar, text: &Text) -> Self {
        match scalar {
            Scalar::Null => Self::Null,
            Scalar::Bool(value) => Self::Bool(value),
            Scalar::Int(value) => Self::Int(value),
            Scalar::Uint(value) => Self::Float(value as f64),
            // As JSON writes it: with the fewest digits, so not always the float's exact value.
            Scalar::Float(value) if value.fract() == 0.0 && value.abs() < 1e19 => {
                let whole = golang::strconv::format_float_f(value).parse();
                whole.map_or(Self::Float(value), Self::Int)
            }
            Scalar::Float(value) => Self::Float(value),
            Scalar::Timestamp | Scalar::Text => Self::String(text.clone()),
        }
    }

    fn list(items: Vec<Self>) -> Self {
        items.into()
    }

    fn map(map: Self::Entries) -> Self {
        Self::Map(map)
    }

    fn insert(map: &mut Self::Entries, key: Text, value: Self) {
        map.insert(key, value);
    }

    fn is_finite(&self) -> bool {
        match self {
            Self::Float(value) => value.is_finite(),
            Self::List(items) => items.iter().all(Value::is_finite),
            Self::Map(map) => map.values().all(Value::is_finite),
            _ => true,
        }
    }

    fn insert_missing(map: &mut Self::Entries, key: Text, value: Self) {
        if !map.contains_key(&key) {
            map.insert(key, value);
        }
    }
}

/// A value that keeps integers above `i64::MAX`.
enum Exact {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Text(Text),
    List(Vec<Exact>),
    Map(std::collections::BTreeMap<Text, Exact>),
}

impl Value for Exact {
    type Entries = std::collections::BTreeMap<Text, Exact>;

    fn scalar(scalar: Scalar, text: &Text) -> Self {
        match scalar {
            Scalar::Null => Self::Null,
            Scalar::Bool(value) => Self::Bool(value),
            Scalar::Int(value) => Self::Int(value),
            Scalar::Uint(value) => Self::Uint(value),
            Scalar::Float(value) => Self::Float(value),
            Scalar::Timestamp | Scalar::Text => Self::Text(text.clone()),
        }
    }

    fn list(items: Vec<Self>) -> Self {
        Self::List(items)
    }

    fn map(map: Self::Entries) -> Self {
        Self::Map(map)
    }

    fn insert(map: &mut Self::Entries, key: Text, value: Self) {
        map.insert(key, value);
    }

    fn is_finite(&self) -> bool {
        match self {
            Self::Float(value) => value.is_finite(),
            Self::List(items) => items.iter().all(Self::is_finite),
            Self::Map(map) => map.values().all(Self::is_finite),
            _ => true,
        }
    }

    fn insert_missing(map: &mut Self::Entries, key: Text, value: Self) {
        map.entry(key).or_insert(value);
    }
}

/// Shows what kustomize prints.
struct Exacts;

impl Viewer for Exacts {
    type Value = Exact;

    fn view<R>(&self, value: &Exact, see: impl FnOnce(View<'_, Exact>) -> R) -> R {
        see(match value {
            Exact::Null => View::Null,
            Exact::Bool(value) => View::Bool(*value),
            Exact::Int(value) => View::Int(*value),
            Exact::Uint(value) => View::Uint(*value),
            Exact::Float(value) => View::Float(*value),
            Exact::Text(text) => View::Text(text),
            Exact::List(items) => View::List(items),
            Exact::Map(map) => View::Map(map.iter().map(|(key, value)| (&**key, value)).collect()),
        })
    }
}

/// Shows values of objects.
struct Nodes;

impl Viewer for Nodes {
    type Value = object::Node;

    fn view<R>(&self, value: &object::Node, see: impl FnOnce(View<'_, object::Node>) -> R) -> R {
        see(match value {
            object::Node::Null => View::Null,
            object::Node::Bool(value) => View::Bool(*value),
            object::Node::Int(value) => View::Int(*value),
            object::Node::Uint(value) => View::Uint(*value),
            object::Node::Float(value) => View::Float(*value),
            object::Node::String(text) => View::Text(text),
            object::Node::List(items) => View::List(items),
            object::Node::Map(map) => {
                View::Map(map.iter().map(|(key, value)| (&**key, value)).collect())
            }
        })
    }
}
