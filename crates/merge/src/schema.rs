//! What the merge needs to know about a type: which values belong together and which have owners.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use object::{Node, Text};

/// A set of types that refer to each other, built once and shared.
///
/// Types live in one table and refer to each other by number, so that recursive types are
/// possible and a lookup is an index.
#[derive(Debug)]
pub struct Schema {
    atoms: Vec<Atom>,
    names: HashMap<Text, TypeRef>,
}

/// The number of a type inside its [`Schema`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TypeRef(u32);

/// One type: the forms its values may take.
///
/// Most types allow one form. A type that allows several, as values without a schema do, is
/// decided by the value at hand; `null` counts as the first allowed of map, scalar, list.
#[derive(Clone, Debug, Default)]
pub struct Atom {
    /// Single values.
    pub scalar: Option<Scalar>,
    /// Lists.
    pub list: Option<ListType>,
    /// Maps and structs.
    pub map: Option<MapType>,
}

/// Which single values are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// Integers and floats, equal when their numbers are.
    Numeric,
    /// Text.
    String,
    /// `true` and `false`.
    Boolean,
    /// Any single value, compared as written: `"1"` is not `1`.
    Untyped,
}

/// Whether the values inside a map have owners of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MapRelationship {
    /// Every value has its own owners.
    #[default]
    Granular,
    /// The map changes hands as a whole.
    Atomic,
}

/// What identifies an item of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListRelationship {
    /// Nothing: the list changes hands as a whole.
    Atomic,
    /// The values of these fields of an item; never empty.
    Associative(Arc<[Text]>),
    /// The item itself, a single value.
    Set,
}

/// A list type.
#[derive(Clone, Debug)]
pub struct ListType {
    /// Type of the items.
    pub element: TypeRef,
    /// What identifies an item.
    pub relationship: ListRelationship,
}

/// A map or struct type.
#[derive(Clone, Debug)]
pub struct MapType {
    fields: Vec<Field>,
    /// Places in `fields` by a hash of the name; `u16::MAX` where there is none.
    index: Box<[u16]>,
    /// Type of the values of keys that are no declared field; `None` refuses such keys.
    pub element: Option<TypeRef>,
    /// Whether the values inside have owners of their own.
    pub relationship: MapRelationship,
}

/// A declared field of a struct.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its key.
    pub name: Text,
    /// Type of its value.
    pub type_ref: TypeRef,
    /// The default of the field, used to complete the key of a list item that leaves it out.
    pub default: Option<Node>,
}

/// A type together with the schema that holds it: all that is needed to merge an object.
#[derive(Clone, Debug)]
pub struct ObjectType {
    schema: Arc<Schema>,
    root: TypeRef,
}

/// A schema that refers to a type it does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// A type was declared by name and never defined.
    #[error("type `{0}` is referred to and never defined")]
    Undefined(Text),
    /// A chain of atomic overrides leads back to itself.
    #[error("an atomic override refers to itself")]
    EndlessOverride,
}

/// Collects types into a [`Schema`].
///
/// # Example
/// ```
/// use merge::schema::{Atom, Builder, Field, MapType, TypeRef};
///
/// let mut builder = Builder::new();
/// let data = builder.add(MapType::of(TypeRef::STRING));
/// let fields = [Field::new("immutable", TypeRef::BOOLEAN), Field::new("data", data)];
/// let root = builder.declare("example.ConfigMap");
/// builder.define(root, MapType::fields(fields));
/// let schema = builder.build().unwrap();
/// assert!(schema.object_type("example.ConfigMap").is_some());
/// ```
#[derive(Debug)]
pub struct Builder {
    slots: Vec<Slot>,
    names: HashMap<Text, TypeRef>,
}

#[derive(Debug)]
enum Slot {
    Declared(Text),
    Defined(Atom),
    AtomicOf(TypeRef),
}

impl TypeRef {
    /// Any value; the whole of it changes hands at once.
    pub const UNTYPED_ATOMIC: Self = Self(0);
    /// Any value, without a schema: maps are granular, lists atomic, single values untyped.
    pub const DEDUCED: Self = Self(1);
    /// [`Scalar::Numeric`].
    pub const NUMERIC: Self = Self(2);
    /// [`Scalar::String`].
    pub const STRING: Self = Self(3);
    /// [`Scalar::Boolean`].
    pub const BOOLEAN: Self = Self(4);
    /// [`Scalar::Untyped`].
    pub const UNTYPED: Self = Self(5);

    /// The type of a single value.
    pub fn scalar(scalar: Scalar) -> Self {
        match scalar {
            Scalar::Numeric => Self::NUMERIC,
            Scalar::String => Self::STRING,
            Scalar::Boolean => Self::BOOLEAN,
            Scalar::Untyped => Self::UNTYPED,
        }
    }
}

impl Schema {
    /// The type a reference names.
    pub fn atom(&self, type_ref: TypeRef) -> &Atom {
        &self.atoms[type_ref.0 as usize]
    }

    /// The type named `name`.
    pub fn named(&self, name: &str) -> Option<TypeRef> {
        self.names.get(name).copied()
    }

    /// The type named `name`, ready to merge with.
    pub fn object_type(self: &Arc<Self>, name: &str) -> Option<ObjectType> {
        Some(ObjectType::new(self.clone(), self.named(name)?))
    }
}

impl ObjectType {
    /// The type `root` of `schema`, which has to come from the same [`Builder`].
    pub fn new(schema: Arc<Schema>, root: TypeRef) -> Self {
        Self { schema, root }
    }

    /// The type of objects that have no schema.
    pub fn deduced() -> Self {
        let schema = Builder::new().build();
        let schema = schema.expect("the built-in types refer to nothing undefined");
        Self::new(schema, TypeRef::DEDUCED)
    }

    /// The schema.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The type of the whole object.
    pub fn root(&self) -> TypeRef {
        self.root
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// A builder that holds the types of [`TypeRef`]'s constants.
    pub fn new() -> Self {
        let untyped = |map_element, relationship| Atom {
            scalar: Some(Scalar::Untyped),
            list: Some(ListType {
                element: TypeRef::UNTYPED_ATOMIC,
                relationship: ListRelationship::Atomic,
            }),
            map: Some(MapType {
                relationship,
                ..MapType::of(map_element)
            }),
        };
        let atoms = [
            untyped(TypeRef::UNTYPED_ATOMIC, MapRelationship::Atomic),
            untyped(TypeRef::DEDUCED, MapRelationship::Granular),
            Scalar::Numeric.into(),
            Scalar::String.into(),
            Scalar::Boolean.into(),
            Scalar::Untyped.into(),
        ];
        Self {
            slots: atoms.into_iter().map(Slot::Defined).collect(),
            names: HashMap::new(),
        }
    }

    /// The type named `name`, which may be defined before or after.
    pub fn declare(&mut self, name: &str) -> TypeRef {
        if let Some(&known) = self.names.get(name) {
            return known;
        }
        let type_ref = self.push(Slot::Declared(name.into()));
        self.names.insert(name.into(), type_ref);
        type_ref
    }

    /// Says what a declared type is; a later definition replaces an earlier one.
    pub fn define(&mut self, type_ref: TypeRef, atom: impl Into<Atom>) {
        self.slots[type_ref.0 as usize] = Slot::Defined(atom.into());
    }

    /// Gives `name` to a type that exists; useful when the type was added without a name.
    pub fn alias(&mut self, name: &str, type_ref: TypeRef) {
        self.names.insert(name.into(), type_ref);
    }

    /// A type without a name.
    pub fn add(&mut self, atom: impl Into<Atom>) -> TypeRef {
        self.push(Slot::Defined(atom.into()))
    }

    /// `type_ref` with its maps and lists atomic, whatever the type itself says.
    pub fn atomic(&mut self, type_ref: TypeRef) -> TypeRef {
        self.push(Slot::AtomicOf(type_ref))
    }

    /// The finished schema.
    ///
    /// # Errors
    /// When a declared type was never defined.
    pub fn build(self) -> Result<Arc<Schema>, SchemaError> {
        let atoms = (0..self.slots.len())
            .map(|at| self.resolve(at))
            .collect::<Result<_, _>>()?;
        Ok(Arc::new(Schema {
            atoms,
            names: self.names,
        }))
    }

    fn push(&mut self, slot: Slot) -> TypeRef {
        self.slots.push(slot);
        TypeRef((self.slots.len() - 1) as u32)
    }

    fn resolve(&self, at: usize) -> Result<Atom, SchemaError> {
        let mut at = at;
        let mut overridden = false;
        for _ in 0..=self.slots.len() {
            match &self.slots[at] {
                Slot::Declared(name) => return Err(SchemaError::Undefined(name.clone())),
                Slot::Defined(atom) if overridden => return Ok(atom.clone().into_atomic()),
                Slot::Defined(atom) => return Ok(atom.clone()),
                Slot::AtomicOf(inner) => {
                    at = inner.0 as usize;
                    overridden = true;
                }
            }
        }
        Err(SchemaError::EndlessOverride)
    }
}

impl Atom {
    fn into_atomic(mut self) -> Self {
        if let Some(list) = &mut self.list {
            list.relationship = ListRelationship::Atomic;
        }
        if let Some(map) = &mut self.map {
            map.relationship = MapRelationship::Atomic;
        }
        self
    }
}

impl From<Scalar> for Atom {
    fn from(scalar: Scalar) -> Self {
        Self {
            scalar: Some(scalar),
            ..Self::default()
        }
    }
}

impl From<ListType> for Atom {
    fn from(list: ListType) -> Self {
        Self {
            list: Some(list),
            ..Self::default()
        }
    }
}

impl From<MapType> for Atom {
    fn from(map: MapType) -> Self {
        Self {
            map: Some(map),
            ..Self::default()
        }
    }
}

impl ListType {
    /// A list that changes hands as a whole.
    pub fn atomic(element: TypeRef) -> Self {
        Self {
            element,
            relationship: ListRelationship::Atomic,
        }
    }

    /// A list of distinct single values.
    pub fn set(element: TypeRef) -> Self {
        Self {
            element,
            relationship: ListRelationship::Set,
        }
    }

    /// A list whose items are told apart by the fields `keys`; a [`ListType::set`] without keys.
    pub fn keyed(element: TypeRef, keys: impl IntoIterator<Item = impl Into<Text>>) -> Self {
        let keys: Arc<[Text]> = keys.into_iter().map(Into::into).collect();
        if keys.is_empty() {
            return Self::set(element);
        }
        Self {
            element,
            relationship: ListRelationship::Associative(keys),
        }
    }

    /// Whether the list changes hands as a whole.
    pub fn is_atomic(&self) -> bool {
        self.relationship == ListRelationship::Atomic
    }
}

impl MapType {
    /// A struct of exactly these fields; of two with one name the first counts.
    pub fn fields(fields: impl IntoIterator<Item = Field>) -> Self {
        let mut fields: Vec<Field> = fields.into_iter().collect();
        fields.sort_by(|a, b| a.name.cmp(&b.name));
        fields.dedup_by(|later, first| later.name == first.name);
        fields.truncate(usize::from(u16::MAX));
        Self {
            index: index_of(&fields),
            fields,
            element: None,
            relationship: MapRelationship::Granular,
        }
    }

    /// A map from any key to `element`.
    pub fn of(element: TypeRef) -> Self {
        Self::fields([]).with_element(element)
    }

    /// The same, with other keys allowed, whose values are `element`.
    pub fn with_element(mut self, element: TypeRef) -> Self {
        self.element = Some(element);
        self
    }

    /// The same, changing hands as a whole.
    pub fn into_atomic(mut self) -> Self {
        self.relationship = MapRelationship::Atomic;
        self
    }

    /// Whether the map changes hands as a whole.
    pub fn is_atomic(&self) -> bool {
        self.relationship == MapRelationship::Atomic
    }

    /// The declared field `name`.
    pub fn field(&self, name: &str) -> Option<&Field> {
        let mut slot = slot(name, self.index.len());
        loop {
            let field = self.fields.get(usize::from(*self.index.get(slot)?))?;
            if field.name == name {
                return Some(field);
            }
            slot = (slot + 1) % self.index.len();
        }
    }

    /// Type of the value of `key`: the field's if declared, else the element type.
    pub fn value_type(&self, key: &str) -> Option<TypeRef> {
        self.field(key).map(|field| field.type_ref).or(self.element)
    }

    /// All declared fields, ordered by name.
    pub fn declared(&self) -> &[Field] {
        &self.fields
    }
}

/// The index over `fields`: at most half full, so that a search ends soon.
fn index_of(fields: &[Field]) -> Box<[u16]> {
    if fields.is_empty() {
        return Box::default();
    }
    let length = (fields.len() * 2).next_power_of_two();
    let mut index = vec![u16::MAX; length].into_boxed_slice();
    for (at, field) in fields.iter().enumerate() {
        let mut slot = slot(&field.name, length);
        while index[slot] != u16::MAX {
            slot = (slot + 1) % length;
        }
        index[slot] = at as u16;
    }
    index
}

/// Where a search for `name` begins in an index of `length` slots, a power of two.
///
/// Field names of one struct differ in length, first or last letters nearly always; they come
/// from a schema, so nobody can choose them to collide in a request.
fn slot(name: &str, length: usize) -> usize {
    let bytes = name.as_bytes();
    let at = |place: usize| bytes.get(place).copied().map_or(0, usize::from);
    let count = bytes.len();
    let hash = count
        .wrapping_add(at(0).wrapping_mul(31))
        .wrapping_add(at(count / 2).wrapping_mul(131))
        .wrapping_add(at(count.wrapping_sub(1)).wrapping_mul(1031));
    hash & length.wrapping_sub(1)
}

impl Field {
    /// A field without a default.
    pub fn new(name: impl Into<Text>, type_ref: TypeRef) -> Self {
        Self {
            name: name.into(),
            type_ref,
            default: None,
        }
    }

    /// The same, with a default.
    pub fn with_default(mut self, default: impl Into<Node>) -> Self {
        self.default = Some(default.into());
        self
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Numeric => "numeric",
            Self::String => "string",
            Self::Boolean => "boolean",
            Self::Untyped => "untyped",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_may_refer_to_themselves_and_overrides_leave_the_original_alone() {
        let mut builder = Builder::new();
        let tree = builder.declare("Tree");
        let children = builder.add(ListType::keyed(tree, ["name"]));
        let frozen = builder.atomic(tree);
        builder.define(
            tree,
            MapType::fields([
                Field::new("children", children),
                Field::new("frozen", frozen),
            ]),
        );
        let schema = builder.build().unwrap();
        let map = schema.atom(tree).map.as_ref().unwrap();
        assert!(!map.is_atomic());
        let frozen = map.value_type("frozen").unwrap();
        assert!(schema.atom(frozen).map.as_ref().unwrap().is_atomic());
    }

    #[test]
    fn a_forgotten_definition_is_named() {
        let mut builder = Builder::new();
        builder.declare("Missing");
        assert_eq!(
            builder.build().unwrap_err(),
            SchemaError::Undefined("Missing".into())
        );
    }
}
