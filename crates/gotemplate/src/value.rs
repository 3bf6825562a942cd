//! Values as Go has them: what a template prints, compares and passes on.
//!
//! Lists do not change once made; maps do, and every holder of a map sees the change, as charts that
//! call `set` or `merge` expect. Texts are bytes: Go's strings need not be UTF-8.

mod release;

use std::borrow::{Borrow, Cow};
use std::cell::{Ref, RefCell, RefMut};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use crate::exec::Operand;
use crate::{CallError, Context, Method};

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
        match self.as_str() {
            Some(text) => Cow::Borrowed(text),
            None => {
                let characters = golang::utf8::characters(&self.0);
                let or_replaced = |(_, character, _): (_, Option<char>, _)| {
                    character.unwrap_or(char::REPLACEMENT_CHARACTER)
                };
                Cow::Owned(characters.map(or_replaced).collect())
            }
        }
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

/// Shares the bytes.
impl From<&Arc<[u8]>> for Str {
    fn from(bytes: &Arc<[u8]>) -> Self {
        Self(Arc::clone(bytes))
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
    nil: bool,
}

impl List {
    /// A slice of elements of one type.
    pub fn new(items: impl Into<Rc<[Value]>>, of: ElementType) -> Self {
        Self {
            items: items.into(),
            of,
            nil: false,
        }
    }

    /// Go's nil slice of a type: it has no elements, prints as `[]`, and is `null` in JSON.
    pub fn nil(of: ElementType) -> Self {
        Self {
            items: Rc::from([]),
            of,
            nil: true,
        }
    }

    /// Whether it is Go's nil slice, and not merely empty.
    pub fn is_nil(&self) -> bool {
        self.nil
    }

    /// Whether both share their elements.
    pub fn is_same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.items, &other.items)
    }

    /// Tells this list from every other that lives at the same time.
    pub fn address(&self) -> usize {
        Rc::as_ptr(&self.items).addr()
    }

    /// The elements.
    pub fn items(&self) -> &[Value] {
        &self.items
    }

    /// What the elements are in Go.
    pub fn of(&self) -> ElementType {
        self.of
    }

    /// Whether each element is an `interface {}`.
    pub(crate) fn has_boxed_elements(&self) -> bool {
        self.of == ElementType::Any
    }
}

/// A map with text keys, in the order of the keys. Copies are the same map.
#[derive(Clone, Debug)]
pub struct Map(Rc<MapInner>);

#[derive(Debug)]
struct MapInner {
    of: MapType,
    nil: bool,
    entries: Entries,
}

#[derive(Debug)]
enum Entries {
    Own(RefCell<BTreeMap<Str, Value>>),
    /// Those of a map of another type.
    Of(Map),
}

/// What a map is in Go.
#[derive(Clone, Copy, Debug, Default)]
pub enum MapType {
    /// `map[string]interface {}`
    #[default]
    Any,
    /// `map[string]string`
    String,
    /// `map[string][]uint8`
    Bytes,
    /// A named type whose underlying type is `map[string]interface {}`, with its methods.
    Named(&'static dyn MapMethods),
}

/// The methods of a named map type.
pub trait MapMethods: fmt::Debug + Sync {
    /// The type as `%T` prints it: `common.Values`.
    fn type_name(&self) -> &'static str;

    /// Whether there is a method of this name, and its parameters, for arguments to be checked
    /// against.
    fn method(&self, _name: &str) -> Method {
        Method::Unknown
    }

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
            nil: false,
            entries: Entries::Own(RefCell::new(entries)),
        }))
    }

    /// Go's nil map of a type: it has no entries, prints as `map[]`, and is `null` in JSON. Nothing
    /// may be put into it.
    pub fn nil(of: MapType) -> Self {
        Self(Rc::new(MapInner {
            of,
            nil: true,
            entries: Entries::Own(RefCell::default()),
        }))
    }

    /// Whether it is Go's nil map, and not merely empty.
    pub fn is_nil(&self) -> bool {
        self.0.nil
    }

    /// The same map as another type, as Go's conversions make it: both see every change.
    pub fn as_type(&self, of: MapType) -> Self {
        let same = match (self.of(), of) {
            (MapType::Any, MapType::Any)
            | (MapType::String, MapType::String)
            | (MapType::Bytes, MapType::Bytes) => true,
            (MapType::Named(one), MapType::Named(other)) => one.type_name() == other.type_name(),
            _ => false,
        };
        if same {
            return self.clone();
        }
        let base = match &self.0.entries {
            Entries::Own(_) => self,
            Entries::Of(base) => base,
        };
        Self(Rc::new(MapInner {
            of,
            nil: self.0.nil,
            entries: Entries::Of(base.clone()),
        }))
    }

    fn cell(&self) -> &RefCell<BTreeMap<Str, Value>> {
        match &self.0.entries {
            Entries::Own(entries) => entries,
            Entries::Of(base) => base.cell(),
        }
    }

    /// What it is in Go.
    pub fn of(&self) -> MapType {
        self.0.of
    }

    /// The value of a key.
    pub fn get(&self, key: &[u8]) -> Option<Value> {
        self.cell().borrow().get(key).cloned()
    }

    /// Whether a key is there.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.cell().borrow().contains_key(key)
    }

    /// Gives a key a value. Everybody who holds this map sees it.
    pub fn insert(&self, key: impl Into<Str>, value: Value) {
        self.cell().borrow_mut().insert(key.into(), value);
    }

    /// Takes a key away.
    pub fn remove(&self, key: &[u8]) -> Option<Value> {
        self.cell().borrow_mut().remove(key)
    }

    /// All entries, in the order of the keys. Nothing may change the map meanwhile.
    pub fn entries(&self) -> Ref<'_, BTreeMap<Str, Value>> {
        self.cell().borrow()
    }

    /// All entries, to be changed.
    pub fn entries_mut(&self) -> RefMut<'_, BTreeMap<Str, Value>> {
        self.cell().borrow_mut()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.cell().borrow().len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.cell().borrow().is_empty()
    }

    /// Whether both are one and the same map.
    pub fn is_same(&self, other: &Self) -> bool {
        std::ptr::eq(self.cell(), other.cell())
    }

    /// Tells this map from every other that lives at the same time.
    pub fn address(&self) -> usize {
        std::ptr::from_ref(self.cell()).addr()
    }

    /// Whether each element is an `interface {}`.
    pub(crate) fn has_boxed_elements(&self) -> bool {
        !matches!(self.of(), MapType::String | MapType::Bytes)
    }

    /// What Go gives for a key that is not there.
    pub(crate) fn zero_element(&self) -> Operand {
        match self.of() {
            MapType::Any | MapType::Named(_) => Operand::boxed(Value::Nil),
            MapType::String => Operand::of(Value::String(Str::default())),
            MapType::Bytes => Operand::of(Value::Bytes(Arc::from([]))),
        }
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
    Complex128,
    String,
    Slice,
    Map,
    Struct,
    Pointer,
    Func,
}

/// A field of a Go structure.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name in Go.
    pub name: &'static str,
    /// What it holds.
    pub value: Value,
    /// Whether it is a structure whose fields count as fields of the one around it.
    pub is_embedded: bool,
}

impl Field {
    /// A field of this name.
    pub fn new(name: &'static str, value: impl Into<Value>) -> Self {
        Self {
            name,
            value: value.into(),
            is_embedded: false,
        }
    }

    /// Whether others than its own package see it.
    pub fn is_exported(&self) -> bool {
        self.name
            .starts_with(|first: char| first.is_ascii_uppercase())
    }
}

/// A value of a type of its own: a time, a version, a chart's files.
pub trait Host: fmt::Debug {
    /// The type as `%T` prints it: `time.Time`, `*semver.Version`.
    fn type_name(&self) -> &'static str;

    /// Its kind.
    fn kind(&self) -> Kind;

    /// What its method `String` or `Error` gives, when Go's `fmt` finds one.
    fn text(&self) -> Option<String> {
        None
    }

    /// What its method `GoString` gives, when it has one: `%#v` prints it.
    fn syntax(&self) -> Option<String> {
        None
    }

    /// The fields of a structure, or of the one that a pointer points to, in their order. A pointer
    /// without any is nil. Fields that are not exported hold nothing with methods: Go's `fmt` would not
    /// call them.
    fn fields(&self) -> Option<Vec<Field>> {
        None
    }

    /// What a function gets that takes anything, where that is not the same: Go finds a method of a
    /// pointer only on the value itself, not on a copy.
    fn copied(&self) -> Option<Value> {
        None
    }

    /// What a deep copy of it is, where that is something else: fields that are not exported are empty.
    fn deep_copy(&self) -> Option<Value> {
        None
    }

    /// A part of a slice, of its own type.
    fn slice(&self, _range: Range<usize>) -> Option<Value> {
        None
    }

    /// What `if` makes of it. Structs and pointers are always true.
    fn truth(&self) -> bool {
        true
    }

    /// The field of a struct, or the entry of a map.
    fn field(&self, _name: &str) -> Option<Value> {
        None
    }

    /// Whether there is a method of this name, and its parameters, for arguments to be checked
    /// against.
    fn method(&self, _name: &str) -> Method {
        Method::Absent
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

    /// The entries of a map or the elements of a slice, to go over, to print, or to take by key or
    /// index; the number of a number with a name, such as a duration.
    fn contents(&self) -> Option<Value> {
        None
    }

    /// Whether `eq` takes it for equal to another of the same type.
    fn equals(&self, _other: &dyn Host) -> bool {
        false
    }

    /// The fields that JSON has in its place, in the order in which Go writes them.
    fn json_fields(&self) -> Option<Vec<(&'static str, Value)>> {
        None
    }

    /// What JSON has in its place. Otherwise that is its contents, or else what `%v` prints.
    fn json(&self) -> Option<Value> {
        let fields = self.json_fields()?;
        Some(Value::Map(fields.into_iter().collect()))
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
                MapType::Bytes => "map[string][]uint8",
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

impl Value {
    /// Bytes that nobody else holds: of a text or list just made.
    pub(crate) fn fresh_bytes(&self) -> u64 {
        let bytes = match self {
            Self::String(text) if Arc::strong_count(&text.0) == 1 => text.len(),
            Self::Bytes(bytes) if Arc::strong_count(bytes) == 1 => bytes.len(),
            Self::List(list) if Rc::strong_count(&list.items) == 1 => size_of_val(list.items()),
            _ => 0,
        };
        bytes as u64
    }
}

/// A `complex128`: templates have it only as a constant.
#[derive(Debug)]
pub(crate) struct Complex {
    pub(crate) real: f64,
    pub(crate) imaginary: f64,
}

impl Host for Complex {
    fn type_name(&self) -> &'static str {
        "complex128"
    }

    fn kind(&self) -> Kind {
        Kind::Complex128
    }

    fn truth(&self) -> bool {
        self.real != 0.0 || self.imaginary != 0.0
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

impl dyn Host + '_ {
    /// What `%v` prints. What is too long or has no end ends early.
    pub fn display(&self) -> String {
        crate::format::display_host(self)
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
