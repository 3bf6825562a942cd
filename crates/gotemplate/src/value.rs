//! Values as Go has them: what a template prints, compares and passes on.
//!
//! Lists do not change once made; maps do, and every holder of a map sees the change, as charts that
//! call `set` or `merge` expect. Texts are bytes: Go's strings need not be UTF-8.

use std::borrow::{Borrow, Cow};
use std::cell::{Ref, RefCell, RefMut};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use crate::{CallError, Context};

/// A Go string: bytes, cheap to copy.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Str(Arc<[u8]>);

impl Str {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text, with U+FFFD for every byte that is none.
    pub fn to_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    /// The text, unless some byte is none.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// Bytes, not characters.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_text(), f)
    }
}

impl Borrow<[u8]> for Str {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl From<&str> for Str {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().into())
    }
}

impl From<String> for Str {
    fn from(text: String) -> Self {
        Self(text.into_bytes().into())
    }
}

impl From<&[u8]> for Str {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }
}

impl From<Vec<u8>> for Str {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

/// Go's signed integers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are Go's")]
pub enum IntType {
    #[default]
    Int,
    Int8,
    Int16,
    Int32,
    Int64,
}

/// Go's unsigned integers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are Go's")]
pub enum UintType {
    #[default]
    Uint,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
}

/// What the elements of a list are in Go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ElementType {
    /// `interface {}`
    #[default]
    Any,
    /// `string`
    String,
    /// `int`
    Int,
    /// `map[string]interface {}`
    Map,
    /// `[]interface {}`
    List,
}

/// A value.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// No value: Go's nil, or a key that a map does not have.
    #[default]
    Nil,
    /// `bool`
    Bool(bool),
    /// A signed integer; `int` unless said otherwise.
    Int(i64, IntType),
    /// An unsigned integer.
    Uint(u64, UintType),
    /// `float64`
    Float(f64),
    /// `string`
    String(Str),
    /// `[]uint8`
    Bytes(Arc<[u8]>),
    /// A slice.
    List(List),
    /// A map with text keys.
    Map(Map),
    /// A value of a type that has methods, or fields, of its own.
    Host(Rc<dyn Host>),
}

/// A slice. Its elements never change; what they refer to may.
#[derive(Clone, Debug, Default)]
pub struct List {
    items: Rc<[Value]>,
    of: ElementType,
}

impl List {
    /// A slice of elements of one type.
    pub fn new(items: impl Into<Rc<[Value]>>, of: ElementType) -> Self {
        Self {
            items: items.into(),
            of,
        }
    }

    /// The elements.
    pub fn items(&self) -> &[Value] {
        &self.items
    }

    /// What the elements are in Go.
    pub fn of(&self) -> ElementType {
        self.of
    }
}

/// A map with text keys, in the order of the keys. Copies are the same map.
#[derive(Clone, Debug)]
pub struct Map(Rc<MapInner>);

#[derive(Debug)]
struct MapInner {
    of: MapType,
    entries: RefCell<BTreeMap<Str, Value>>,
}

/// What a map is in Go.
#[derive(Clone, Copy, Debug, Default)]
pub enum MapType {
    /// `map[string]interface {}`
    #[default]
    Any,
    /// `map[string]string`
    String,
    /// A named type whose underlying type is `map[string]interface {}`, with its methods.
    Named(&'static dyn MapMethods),
}

/// The methods of a named map type.
pub trait MapMethods: fmt::Debug + Sync {
    /// The type as `%T` prints it: `common.Values`.
    fn type_name(&self) -> &'static str;

    /// Calls a method; `None` when there is none of this name.
    fn call(
        &self,
        map: &Map,
        name: &str,
        args: &[Value],
        context: &mut Context<'_>,
    ) -> Option<Result<Value, CallError>>;
}

impl Map {
    /// A map of a type.
    pub fn new(entries: BTreeMap<Str, Value>, of: MapType) -> Self {
        Self(Rc::new(MapInner {
            of,
            entries: RefCell::new(entries),
        }))
    }

    /// What it is in Go.
    pub fn of(&self) -> MapType {
        self.0.of
    }

    /// The value of a key.
    pub fn get(&self, key: &[u8]) -> Option<Value> {
        self.0.entries.borrow().get(key).cloned()
    }

    /// Gives a key a value. Everybody who holds this map sees it.
    pub fn insert(&self, key: impl Into<Str>, value: Value) {
        self.0.entries.borrow_mut().insert(key.into(), value);
    }

    /// Takes a key away.
    pub fn remove(&self, key: &[u8]) -> Option<Value> {
        self.0.entries.borrow_mut().remove(key)
    }

    /// All entries, in the order of the keys. Nothing may change the map meanwhile.
    pub fn entries(&self) -> Ref<'_, BTreeMap<Str, Value>> {
        self.0.entries.borrow()
    }

    /// All entries, to be changed.
    pub fn entries_mut(&self) -> RefMut<'_, BTreeMap<Str, Value>> {
        self.0.entries.borrow_mut()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.entries.borrow().len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.0.entries.borrow().is_empty()
    }

    /// Whether both are one and the same map.
    pub fn is_same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Default for Map {
    fn default() -> Self {
        Self::new(BTreeMap::new(), MapType::Any)
    }
}

impl<K: Into<Str>> FromIterator<(K, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(entries: I) -> Self {
        let entries = entries.into_iter().map(|(key, value)| (key.into(), value));
        Self::new(entries.collect(), MapType::Any)
    }
}

/// What Go's reflection calls a type's kind, as far as templates can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are Go's")]
pub enum Kind {
    Invalid,
    Bool,
    Int(IntType),
    Uint(UintType),
    Float64,
    String,
    Slice,
    Map,
    Struct,
    Pointer,
    Func,
}

/// A value of a type of its own: a time, a version, a chart's files.
pub trait Host: fmt::Debug {
    /// The type as `%T` prints it: `time.Time`, `*semver.Version`.
    fn type_name(&self) -> &'static str;

    /// Its kind.
    fn kind(&self) -> Kind;

    /// What `{{ . }}` and `%v` print.
    fn display(&self) -> String;

    /// What `if` makes of it. Structs and pointers are always true.
    fn truth(&self) -> bool {
        true
    }

    /// The field of a struct, or the entry of a map.
    fn field(&self, _name: &str) -> Option<Value> {
        None
    }

    /// Calls a method; `None` when there is none of this name.
    fn call(
        &self,
        _name: &str,
        _args: &[Value],
        _context: &mut Context<'_>,
    ) -> Option<Result<Value, CallError>> {
        None
    }

    /// The entries of a map or the elements of a slice, to go over or to take by key or index.
    fn contents(&self) -> Option<Value> {
        None
    }

    /// The value behind the trait, for functions that know the type.
    fn as_any(&self) -> &dyn std::any::Any;
}

impl Value {
    /// An `int`.
    pub fn int(value: i64) -> Self {
        Self::Int(value, IntType::Int)
    }

    /// An `int64`.
    pub fn int64(value: i64) -> Self {
        Self::Int(value, IntType::Int64)
    }

    /// A `[]interface {}`.
    pub fn list(items: impl Into<Rc<[Self]>>) -> Self {
        Self::List(List::new(items, ElementType::Any))
    }

    /// A `[]string`.
    pub fn strings<S: Into<Str>>(items: impl IntoIterator<Item = S>) -> Self {
        let items: Vec<Self> = items.into_iter().map(Self::from).collect();
        Self::List(List::new(items, ElementType::String))
    }

    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Nil => Kind::Invalid,
            Self::Bool(_) => Kind::Bool,
            Self::Int(_, of) => Kind::Int(*of),
            Self::Uint(_, of) => Kind::Uint(*of),
            Self::Float(_) => Kind::Float64,
            Self::String(_) => Kind::String,
            Self::Bytes(_) | Self::List(_) => Kind::Slice,
            Self::Map(_) => Kind::Map,
            Self::Host(host) => host.kind(),
        }
    }

    /// Its type as `%T` prints it; `<nil>` for no value.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_, of) => of.name(),
            Self::Uint(_, of) => of.name(),
            Self::Float(_) => "float64",
            Self::String(_) => "string",
            Self::Bytes(_) => "[]uint8",
            Self::List(list) => match list.of {
                ElementType::Any => "[]interface {}",
                ElementType::String => "[]string",
                ElementType::Int => "[]int",
                ElementType::Map => "[]map[string]interface {}",
                ElementType::List => "[][]interface {}",
            },
            Self::Map(map) => match map.of() {
                MapType::Any => "map[string]interface {}",
                MapType::String => "map[string]string",
                MapType::Named(methods) => methods.type_name(),
            },
            Self::Host(host) => host.type_name(),
        }
    }

    /// Whether `if` takes its branch, as text/template's `IsTrue` has it.
    pub fn truth(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Int(value, _) => *value != 0,
            Self::Uint(value, _) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::String(text) => !text.is_empty(),
            Self::Bytes(bytes) => !bytes.is_empty(),
            Self::List(list) => !list.items.is_empty(),
            Self::Map(map) => !map.is_empty(),
            Self::Host(host) => host.truth(),
        }
    }
}

impl IntType {
    /// Go's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
        }
    }
}

impl UintType {
    /// Go's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Uint => "uint",
            Self::Uint8 => "uint8",
            Self::Uint16 => "uint16",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
        }
    }
}

impl<S: Into<Str>> From<S> for Value {
    fn from(text: S) -> Self {
        Self::String(text.into())
    }
}
