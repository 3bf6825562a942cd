//! What an expression evaluates to.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use golang::{Quantity, Timestamp};
use object::{Map, Node, Text};

use crate::error::EvalErrorKind;
use crate::functions::network::Cidr;
use crate::functions::times;
use crate::functions::url::Url;
use crate::shape::{ListIdentity, ListShape, ObjectShape, Shape};

/// A value. Cloning copies at most a pointer.
#[derive(Clone, Debug)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    Uint(u64),
    /// A floating-point number.
    Double(f64),
    /// Text.
    String(Text),
    /// Bytes.
    Bytes(Arc<[u8]>),
    /// A list.
    List(List),
    /// A map or an object.
    Map(MapValue),
    /// A point in time.
    Timestamp(Timestamp),
    /// A duration in nanoseconds.
    Duration(i64),
    /// A value that may be absent.
    Optional(Option<Arc<Value>>),
    /// A type, by name.
    Type(Text),
    /// `quantity("1Gi")`
    Quantity(Arc<Quantity>),
    /// `ip("10.0.0.1")`
    Ip(IpAddr),
    /// `cidr("10.0.0.0/8")`
    Cidr(Cidr),
    /// `url("https://example.com/a?b=c")`
    Url(Arc<Url>),
    /// `semver("1.2.3")`
    Semver(Arc<semver::Version>),
    /// `format.dns1123Label()`
    Format(&'static str),
    /// A value of the program around: authorizers, sentinels.
    Opaque(Arc<dyn Opaque>),
}

/// A value that only the program around understands.
pub trait Opaque: Any + fmt::Debug + Send + Sync {
    /// Its type, for `type(x)` and messages.
    fn type_name(&self) -> &'static str;

    /// Calls the method `name`; `None` when there is none for these arguments.
    fn call(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, String>>;

    /// Its field `name`; `None` when it has none.
    fn field(&self, name: &str) -> Option<Result<Value, String>> {
        let _ = name;
        None
    }

    /// Itself, to be recognised.
    fn as_any(&self) -> &dyn Any;
}

/// Methods of a map, beside the functions there are: `configurations.toVolumes()`.
pub trait Methods: fmt::Debug + Send + Sync {
    /// Calls the method `name`; `None` when there is none for these arguments.
    ///
    /// # Errors
    /// The text to fail the evaluation with.
    fn call(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, String>>;
}

/// A list: of nodes it was read from, or built by an expression.
#[derive(Clone, Debug)]
pub struct List(ListRepr);

#[derive(Clone, Debug)]
enum ListRepr {
    Nodes(object::List, Option<Arc<ListShape>>),
    /// With what they weigh together.
    Values(Arc<Vec<Value>>, u64),
}

/// A map: read from a node, or built by an expression.
#[derive(Clone, Debug)]
pub struct MapValue(MapRepr);

#[derive(Clone, Debug)]
enum MapRepr {
    /// Shape: `Dyn`, `Map` or `Object`.
    Node(Map, Shape),
    Hosted(Map, Arc<dyn Methods>),
    Entries(Arc<Entries>),
}

/// Entries of a built map in the order they were written, found by scanning when few.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    entries: Vec<(Value, Value)>,
    texts: HashMap<Text, usize>,
    /// Numbers that are equal are one key, whatever their type.
    numbers: HashMap<i128, usize>,
    booleans: [Option<usize>; 2],
    weight: u64,
}

impl Entries {
    /// Adds an entry.
    ///
    /// # Errors
    /// When the key is there already or cannot be one.
    pub(crate) fn insert(&mut self, key: Value, value: Value) -> Result<(), EvalErrorKind> {
        match &key {
            Value::String(_) | Value::Int(_) | Value::Uint(_) | Value::Bool(_) => {}
            other => return Err(format!("unsupported key type: {}", other.type_name()).into()),
        }
        if self.position(&key).is_some() {
            return Err(format!("insert failed: key {} already exists", key.display()).into());
        }
        let at = self.entries.len();
        match &key {
            Value::String(text) => {
                self.texts.insert(text.clone(), at);
            }
            Value::Bool(value) => self.booleans[usize::from(*value)] = Some(at),
            other => {
                self.numbers
                    .extend(other.as_integer().map(|number| (number, at)));
            }
        }
        let weight = key.weight().saturating_add(value.weight());
        self.weight = self.weight.saturating_add(weight);
        self.entries.push((key, value));
        Ok(())
    }

    /// Adds an entry, or changes the one with this key.
    ///
    /// # Errors
    /// When the key cannot be one.
    pub(crate) fn set(&mut self, key: Value, value: Value) -> Result<(), EvalErrorKind> {
        match self.position(&key) {
            Some(at) => {
                self.weight = self.weight.saturating_add(value.weight());
                self.entries[at].1 = value;
                Ok(())
            }
            None => self.insert(key, value),
        }
    }

    fn position(&self, key: &Value) -> Option<usize> {
        match key {
            Value::String(text) => self.texts.get(text).copied(),
            Value::Bool(value) => self.booleans[usize::from(*value)],
            other => self.numbers.get(&other.as_integer()?).copied(),
        }
    }
}

impl List {
    /// A list an expression built.
    pub fn new(values: Vec<Value>) -> Self {
        let weights = values.iter().map(Value::weight);
        let weight = weights.fold(0, u64::saturating_add);
        Self(ListRepr::Values(Arc::new(values), weight))
    }

    /// Number of items.
    pub fn len(&self) -> usize {
        match &self.0 {
            ListRepr::Nodes(nodes, _) => nodes.len(),
            ListRepr::Values(values, _) => values.len(),
        }
    }

    /// Whether there is no item.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The item at `index`.
    pub fn get(&self, index: usize) -> Option<Value> {
        match &self.0 {
            ListRepr::Nodes(nodes, shape) => nodes.get(index).map(|node| match shape {
                Some(shape) => Value::shaped(node, &shape.item),
                None => Value::from_node(node),
            }),
            ListRepr::Values(values, _) => values.get(index).cloned(),
        }
    }

    /// All items in order.
    pub fn iter(&self) -> impl Iterator<Item = Value> + '_ {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// What its items are declared to be.
    pub(crate) fn item_shape(&self) -> Option<&Shape> {
        match &self.0 {
            ListRepr::Nodes(_, shape) => shape.as_ref().map(|shape| &shape.item),
            ListRepr::Values(..) => None,
        }
    }

    pub(crate) fn identity(&self) -> &ListIdentity {
        match &self.0 {
            ListRepr::Nodes(_, Some(shape)) => &shape.identity,
            _ => &ListIdentity::Position,
        }
    }
}

impl MapValue {
    pub(crate) fn new(entries: Entries) -> Self {
        Self(MapRepr::Entries(Arc::new(entries)))
    }

    /// A map of the data whose methods the program around has.
    pub fn with_methods(map: Map, methods: Arc<dyn Methods>) -> Self {
        Self(MapRepr::Hosted(map, methods))
    }

    /// Its own methods.
    pub(crate) fn methods(&self) -> Option<&Arc<dyn Methods>> {
        match &self.0 {
            MapRepr::Hosted(_, methods) => Some(methods),
            _ => None,
        }
    }

    /// The entries of an object of the data.
    pub(crate) fn of(map: Map, shape: Shape) -> Self {
        Self(MapRepr::Node(map, shape))
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        match &self.0 {
            MapRepr::Node(map, _) | MapRepr::Hosted(map, _) => map.len(),
            MapRepr::Entries(entries) => entries.entries.len(),
        }
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether this is an object with declared fields.
    pub(crate) fn is_object(&self) -> bool {
        matches!(self.0, MapRepr::Node(_, Shape::Object(_)))
    }

    /// The value of `key`.
    pub fn get(&self, key: &Value) -> Option<Value> {
        match (&self.0, key) {
            (MapRepr::Node(..) | MapRepr::Hosted(..), Value::String(key)) => self.field(key),
            (MapRepr::Node(..) | MapRepr::Hosted(..), _) => None,
            (MapRepr::Entries(entries), key) => {
                let at = entries.position(key)?;
                Some(entries.entries[at].1.clone())
            }
        }
    }

    /// The value of the text key or field `name`.
    pub fn field(&self, name: &str) -> Option<Value> {
        match &self.0 {
            MapRepr::Node(map, Shape::Object(object)) => {
                let field = object.field(name)?;
                let node = map.get(&field.key).filter(|node| !node.is_null())?;
                Some(Value::shaped(node, &field.shape))
            }
            MapRepr::Node(map, Shape::Map(value)) => Some(Value::shaped(map.get(name)?, value)),
            MapRepr::Node(map, _) | MapRepr::Hosted(map, _) => map.get(name).map(Value::from_node),
            MapRepr::Entries(entries) => {
                let at = *entries.texts.get(name)?;
                Some(entries.entries[at].1.clone())
            }
        }
    }

    /// The data and declared fields of an object.
    pub(crate) fn object(&self) -> Option<(&Map, &ObjectShape)> {
        match &self.0 {
            MapRepr::Node(map, Shape::Object(object)) => Some((map, object)),
            _ => None,
        }
    }

    /// Keys and values in the order of the data or the expression.
    pub fn iter(&self) -> Box<dyn Iterator<Item = (Value, Value)> + '_> {
        match &self.0 {
            MapRepr::Node(map, Shape::Object(object)) => {
                let visible = object.fields.iter().filter(|(_, field)| !field.hidden);
                Box::new(visible.filter_map(move |(name, field)| {
                    let node = map.get(&field.key).filter(|node| !node.is_null())?;
                    let value = Value::shaped(node, &field.shape);
                    Some((Value::String(name.clone()), value))
                }))
            }
            MapRepr::Node(map, shape) => Box::new(map.iter().map(move |(key, node)| {
                let value = match shape {
                    Shape::Map(value) => Value::shaped(node, value),
                    _ => Value::from_node(node),
                };
                (Value::String(key.clone()), value)
            })),
            MapRepr::Hosted(map, _) => Box::new(
                map.iter()
                    .map(|(key, node)| (Value::String(key.clone()), Value::from_node(node))),
            ),
            MapRepr::Entries(entries) => Box::new(entries.entries.iter().cloned()),
        }
    }
}

impl Value {
    /// Reads a node as it is; lists and maps are shared, not copied.
    pub fn from_node(node: &Node) -> Self {
        match node {
            Node::Null => Self::Null,
            Node::Bool(value) => Self::Bool(*value),
            Node::Int(value) => Self::Int(*value),
            Node::Uint(value) => Self::Uint(*value),
            Node::Float(value) => Self::Double(*value),
            Node::String(text) => Self::String(text.clone()),
            Node::List(items) => Self::List(List(ListRepr::Nodes(items.clone(), None))),
            Node::Map(map) => Self::Map(MapValue(MapRepr::Node(map.clone(), Shape::Dyn))),
        }
    }

    /// Reads a node as what it is declared to be; what does not fit is read as it is.
    pub fn shaped(node: &Node, shape: &Shape) -> Self {
        let converted = match (shape, node) {
            (Shape::Int, Node::Float(_)) => node.as_i64().map(Self::Int),
            (Shape::Uint, Node::Int(value)) => u64::try_from(*value).ok().map(Self::Uint),
            (Shape::Double, Node::Int(value)) => Some(Self::Double(*value as f64)),
            (Shape::Bytes, Node::String(text)) => {
                crate::functions::encoders::decode(text).map(|bytes| Self::Bytes(Arc::from(bytes)))
            }
            (Shape::Timestamp, Node::String(text)) => times::parse_time(text).map(Self::Timestamp),
            (Shape::Date, Node::String(text)) => times::parse_date(text).map(Self::Timestamp),
            (Shape::Duration, Node::String(text)) => {
                times::parse_duration(text).map(Self::Duration)
            }
            (Shape::List(list), Node::List(items)) => Some(Self::List(List(ListRepr::Nodes(
                items.clone(),
                Some(list.clone()),
            )))),
            (Shape::Map(_) | Shape::Object(_), Node::Map(map)) => {
                Some(Self::Map(MapValue::of(map.clone(), shape.clone())))
            }
            _ => None,
        };
        converted.unwrap_or_else(|| Self::from_node(node))
    }

    /// Text.
    pub fn string(text: impl Into<Text>) -> Self {
        Self::String(text.into())
    }

    /// A list.
    pub fn list(values: Vec<Value>) -> Self {
        Self::List(List::new(values))
    }

    /// A map with text keys; of repeated keys the first counts.
    pub fn map<K: Into<Text>>(entries: impl IntoIterator<Item = (K, Value)>) -> Self {
        let mut built = Entries::default();
        for (key, value) in entries {
            // Only a repeated key can fail.
            let _ = built.insert(Value::String(key.into()), value);
        }
        Self::Map(MapValue::new(built))
    }

    /// A present optional.
    pub fn some(value: Value) -> Self {
        Self::Optional(Some(Arc::new(value)))
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The value of a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The name of its type, as `type(x)` gives it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::String(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Timestamp(_) => "google.protobuf.Timestamp",
            Self::Duration(_) => "google.protobuf.Duration",
            Self::Optional(_) => "optional_type",
            Self::Type(_) => "type",
            Self::Quantity(_) => "kubernetes.Quantity",
            Self::Ip(_) => "net.IP",
            Self::Cidr(_) => "net.CIDR",
            Self::Url(_) => "kubernetes.URL",
            Self::Semver(_) => "kubernetes.Semver",
            Self::Format(_) => "kubernetes.NamedFormat",
            Self::Opaque(value) => value.type_name(),
        }
    }

    /// Number of characters, bytes, items or entries; 1 for everything else.
    pub(crate) fn size(&self) -> u64 {
        match self {
            Self::String(text) => text.chars().count() as u64,
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::List(list) => list.len() as u64,
            Self::Map(map) => map.len() as u64,
            Self::Optional(Some(value)) => value.size(),
            _ => 1,
        }
    }

    /// How many values this consists of; see [`crate::VALUE_WEIGHT_MAX`].
    ///
    /// Data that was bound counts for its outermost level: there is only so much of it.
    pub(crate) fn weight(&self) -> u64 {
        let inner = match self {
            Self::String(text) => text.len() as u64 / 8,
            Self::Bytes(bytes) => bytes.len() as u64 / 8,
            Self::List(List(ListRepr::Values(_, weight))) => *weight,
            Self::List(list) => list.len() as u64,
            Self::Map(MapValue(MapRepr::Entries(entries))) => entries.weight,
            Self::Map(map) => map.len() as u64,
            Self::Optional(Some(value)) => value.weight(),
            _ => 0,
        };
        inner.saturating_add(1)
    }

    /// Like [`Self::weight`], with data counted to its last leaf.
    pub(crate) fn deep_weight(&self) -> u64 {
        match self {
            Self::List(List(ListRepr::Nodes(nodes, _))) => nodes.iter().map(node_weight).sum(),
            Self::Map(MapValue(MapRepr::Node(map, _) | MapRepr::Hosted(map, _))) => {
                map.values().map(node_weight).sum()
            }
            // Data inside built values is counted as far as it is bound.
            other => other.weight(),
        }
    }

    /// The value of a whole number.
    fn as_integer(&self) -> Option<i128> {
        match self {
            Self::Int(value) => Some(i128::from(*value)),
            Self::Uint(value) => Some(i128::from(*value)),
            Self::Double(value) => whole(*value).map(i128::from),
            _ => None,
        }
    }

    /// Like [`Self::to_node`], without the parts that `omitted` says are none; `None` when it is
    /// all of it.
    ///
    /// Floating-point numbers without a fraction become integers, durations nanoseconds, and types
    /// their names.
    ///
    /// # Errors
    /// As [`Self::to_node`].
    pub fn to_data(&self, omitted: &dyn Fn(&Value) -> bool) -> Result<Option<Node>, String> {
        Form {
            omitted: Some(omitted),
        }
        .node(self, 0)
    }

    /// The value as data.
    ///
    /// Bytes become base64, times RFC 3339, durations seconds (`5s`), library values their text,
    /// an absent optional null. Map keys become text.
    ///
    /// # Errors
    /// For values that are no data: types, formats, values of the program around, and nesting
    /// deeper than [`crate::DATA_DEPTH_MAX`].
    pub fn to_node(&self) -> Result<Node, String> {
        let node = Form { omitted: None }.node(self, 0)?;
        Ok(node.expect("nothing is omitted"))
    }

    /// The text of a scalar as `string(x)` gives it; other values in the form messages use.
    pub fn display(&self) -> String {
        match self {
            Self::Null => "null".into(),
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Uint(value) => value.to_string(),
            Self::Double(value) => golang::strconv::format_float_g(*value),
            Self::String(text) => text.to_string(),
            Self::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Self::Timestamp(time) => time.to_nano(),
            Self::Duration(nanos) => times::duration_text(*nanos),
            Self::Type(name) => name.to_string(),
            Self::Quantity(quantity) => quantity.to_string(),
            Self::Ip(ip) => ip.to_string(),
            Self::Cidr(cidr) => cidr.to_string(),
            Self::Url(url) => url.text.clone(),
            Self::Semver(version) => version.to_string(),
            Self::Format(name) => (*name).into(),
            Self::Optional(None) => "optional.none()".into(),
            Self::Optional(Some(value)) => format!("optional({})", value.display()),
            Self::List(list) => {
                let items: Vec<_> = list.iter().map(|value| value.display()).collect();
                format!("[{}]", items.join(", "))
            }
            Self::Map(map) => {
                let entries: Vec<_> = map
                    .iter()
                    .map(|(key, value)| format!("{}: {}", key.display(), value.display()))
                    .collect();
                format!("{{{}}}", entries.join(", "))
            }
            Self::Opaque(value) => value.type_name().into(),
        }
    }
}

fn node_weight(node: &Node) -> u64 {
    1 + match node {
        Node::String(text) => text.len() as u64 / 8,
        Node::List(items) => items.iter().map(node_weight).sum(),
        Node::Map(map) => map.values().map(node_weight).sum(),
        _ => 0,
    }
}

/// How a value becomes data.
struct Form<'a> {
    /// What is left out; with it, whole numbers become integers.
    omitted: Option<&'a dyn Fn(&Value) -> bool>,
}

impl Form<'_> {
    fn node(&self, value: &Value, depth: usize) -> Result<Option<Node>, String> {
        if depth > crate::DATA_DEPTH_MAX {
            return Err("value is nested too deeply".into());
        }
        if self.omitted.is_some_and(|omitted| omitted(value)) {
            return Ok(None);
        }
        Ok(Some(match value {
            Value::Null | Value::Optional(None) => Node::Null,
            Value::Bool(value) => Node::Bool(*value),
            Value::Int(value) => Node::Int(*value),
            Value::Uint(value) => match i64::try_from(*value) {
                Ok(value) => Node::Int(value),
                Err(_) => Node::Float(*value as f64),
            },
            Value::Double(value) => match whole(*value).filter(|_| self.omitted.is_some()) {
                Some(integer) => Node::Int(integer),
                None if value.is_finite() => Node::Float(*value),
                None => return Err(format!("{value} is no JSON number")),
            },
            Value::String(text) => Node::String(text.clone()),
            Value::List(list) => match &list.0 {
                ListRepr::Nodes(nodes, _) => Node::List(nodes.clone()),
                ListRepr::Values(values, _) => {
                    let mut nodes = Vec::with_capacity(values.len());
                    for value in values.iter() {
                        nodes.extend(self.node(value, depth + 1)?);
                    }
                    Node::List(Arc::new(nodes))
                }
            },
            Value::Map(map) => match &map.0 {
                MapRepr::Node(map, _) | MapRepr::Hosted(map, _) => Node::Map(map.clone()),
                MapRepr::Entries(entries) => {
                    let mut map = Map::with_capacity(entries.entries.len());
                    for (key, value) in &entries.entries {
                        if let Some(node) = self.node(value, depth + 1)? {
                            map.insert(key.display(), node);
                        }
                    }
                    Node::Map(map)
                }
            },
            Value::Optional(Some(value)) => return self.node(value, depth + 1),
            Value::Bytes(bytes) => crate::functions::encoders::encode(bytes).into(),
            // As Go writes them.
            Value::Duration(nanos) if self.omitted.is_some() => Node::Int(*nanos),
            Value::Type(name) if self.omitted.is_some() => Node::String(name.clone()),
            Value::Type(_) | Value::Format(_) | Value::Opaque(_) => {
                return Err(format!("a value of type {} is no data", value.type_name()));
            }
            other => other.display().into(),
        }))
    }
}

/// The integer a floating-point number is, if it is one of 64 bits.
pub(crate) fn whole(value: f64) -> Option<i64> {
    // Every whole number below 2^63 in size is exact.
    (value.fract() == 0.0 && value.abs() < 9_223_372_036_854_775_808.0).then_some(value as i64)
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.equals(other)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::String(value.into())
    }
}

impl From<&Node> for Value {
    fn from(node: &Node) -> Self {
        Self::from_node(node)
    }
}
