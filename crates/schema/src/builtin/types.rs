//! The Go types behind the built-in kinds, as a table.
//!
//! `types.table` is made by `xtask/types` from the published Go modules and holds facts only. Its
//! lines are, by first character:
//!
//! ```text
//! @apps/v1 Deployment apps.v1.Deployment       a kind of an API version and its struct
//! core.v1.PodSpec [atomic]                     a struct; its fields follow
//!  hostname 16 string omitempty …              a field: JSON name, protobuf number, type, facts
//!  +VolumeSource 2 core.v1.VolumeSource        a struct whose fields stand in the outer JSON object
//! ```
//!
//! Types are written `*T` (pointer), `[]T` (list), `{}T` (map from text), `<>T` (a list that is a
//! message of its own in protobuf), a scalar, a special type, or the name of a struct. Facts are
//! `omitempty`, `omitzero`, `optional` and `required` (where they say something else than the former
//! two), `atomic`, `granular`, `patch=`, `key=` (strategic merge), `list=`, `keys=` (apply)
//! `default=` (the default the schema carries, as JSON) and `go=`
//! (the Go name where it is not the JSON name with a capital).

use std::collections::HashMap;
use std::sync::OnceLock;

use object::Text;

/// Everything known about the Go types of the built-in kinds.
#[derive(Debug)]
pub struct Types {
    /// Ordered by name.
    structs: Vec<Struct>,
    kinds: HashMap<(&'static str, &'static str), StructId>,
}

/// A struct in [`Types`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StructId(u32);

impl StructId {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// A Go struct.
#[derive(Debug)]
pub struct Struct {
    /// Package and name: `core.v1.PodSpec`.
    pub name: &'static str,
    /// Owned as a whole in server-side apply.
    pub atomic: bool,
    /// As declared, inlined structs unresolved, where there are any.
    inlined: Option<Vec<Field>>,
    /// As JSON has them, inlined structs resolved, in Go's order.
    pub fields: Vec<Field>,
    /// Positions in `fields`, ordered by JSON name.
    by_json: Vec<u16>,
}

/// A field of a struct.
#[derive(Clone, Debug)]
pub struct Field {
    /// JSON name; of an inlined struct its Go name.
    pub json: &'static str,
    /// Go name where it is not the JSON name with a capital.
    go: Option<&'static str>,
    /// Whether the members of this struct stand in the outer JSON object.
    pub inline: bool,
    /// Protobuf field number; zero for fields that protobuf does not carry.
    pub number: u32,
    /// Type.
    pub ty: Type,
    /// Go drops the zero value of scalars, lists, maps and pointers when it writes JSON.
    pub omit_empty: bool,
    /// Go drops the zero value of structs and times as well.
    pub omit_zero: bool,
    /// Owned as a whole in server-side apply.
    pub atomic: bool,
    /// Owned member by member here, though its type is owned as a whole elsewhere.
    pub granular: bool,
    /// Whether documentation calls the field required.
    pub required: bool,
    /// Strategic merge: `merge`, `replace`, `retainKeys`, joined by commas; empty when not said.
    pub patch_strategy: &'static str,
    /// Strategic merge: the key of list items; empty when there is none.
    pub patch_key: &'static str,
    /// Server-side apply: what a list is.
    pub list: ListType,
    /// Server-side apply: keys of list items.
    pub list_keys: Vec<&'static str>,
    /// The default the schema carries, as JSON text.
    pub default: Option<&'static str>,
}

/// How lists merge in server-side apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListType {
    /// Not said: follow the patch strategy, else atomic.
    Unset,
    /// One value.
    Atomic,
    /// Distinct scalars.
    Set,
    /// Items with keys.
    Map,
}

/// A Go type.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// `string` and named strings.
    String,
    /// `bool`.
    Bool,
    /// `int32`.
    Int32,
    /// `int64`.
    Int64,
    /// `float64`.
    Float64,
    /// `[]byte`, base64 in JSON.
    Bytes,
    /// Seconds in RFC 3339.
    Time,
    /// Microseconds in RFC 3339.
    MicroTime,
    /// Go duration as text.
    Duration,
    /// A quantity as text; JSON numbers are read too.
    Quantity,
    /// A 32-bit integer or text.
    IntOrString,
    /// Any JSON of an object.
    Raw,
    /// The owned fields of a manager, as JSON.
    Fields,
    /// Any JSON value.
    Json,
    /// A JSON schema or a boolean.
    SchemaOrBool,
    /// A JSON schema or a list of them.
    SchemaOrArray,
    /// A JSON schema or a list of strings.
    SchemaOrStrings,
    /// A struct.
    Struct(StructId),
    /// A pointer: absent and zero differ.
    Pointer(Box<Type>),
    /// A slice.
    List(Box<Type>),
    /// A slice that is a message with `items = 1` in protobuf.
    Items(Box<Type>),
    /// A map from text.
    Map(Box<Type>),
}

/// The table of all types; made on first use.
pub fn types() -> &'static Types {
    static TYPES: OnceLock<Types> = OnceLock::new();
    TYPES.get_or_init(|| Types::parse(include_str!("types.table")))
}

impl Types {
    /// The struct of `kind` in `api_version` (`apps/v1`), also of list kinds and options.
    pub fn of_kind(&self, api_version: &str, kind: &str) -> Option<StructId> {
        self.kinds.get(&(api_version, kind)).copied()
    }

    /// The struct called `name` (`core.v1.PodSpec`).
    pub fn by_name(&self, name: &str) -> Option<StructId> {
        let found = self.structs.binary_search_by(|ty| ty.name.cmp(name));
        found.ok().map(|at| StructId(at as u32))
    }

    /// A struct.
    pub fn get(&self, id: StructId) -> &Struct {
        &self.structs[id.0 as usize]
    }

    /// The struct with this [`StructId::index`].
    pub(crate) fn at(&self, index: usize) -> Option<&Struct> {
        self.structs.get(index)
    }

    /// All structs, ordered by name.
    pub fn iter(&self) -> impl Iterator<Item = (StructId, &Struct)> {
        (0u32..).map(StructId).zip(&self.structs)
    }

    /// All kinds: API version, kind, struct; in no particular order.
    pub fn kinds(&self) -> impl Iterator<Item = (&'static str, &'static str, StructId)> {
        self.kinds
            .iter()
            .map(|(&(version, kind), &id)| (version, kind, id))
    }

    fn parse(table: &'static str) -> Self {
        let lines = table.lines();
        let names = lines.filter(|line| !line.starts_with([' ', '@', '#']));
        let names: Vec<&str> = names
            .map(|line| line.split(' ').next().unwrap_or_default())
            .collect();
        let mut kinds = HashMap::with_capacity(256);
        let mut structs: Vec<Struct> = Vec::with_capacity(names.len());
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            if let Some(field) = line.strip_prefix(' ') {
                let last = structs
                    .last_mut()
                    .expect("a struct stands above its fields");
                last.fields.push(Field::parse(field, &names));
            } else if let Some(kind) = line.strip_prefix('@') {
                let mut words = kind.split(' ');
                let mut word = || words.next().unwrap_or_default();
                let (version, kind, name) = (word(), word(), word());
                kinds.insert((version, kind), id_of(&names, name));
            } else {
                let (name, facts) = line.split_once(' ').unwrap_or((line, ""));
                structs.push(Struct {
                    name,
                    atomic: facts == "atomic",
                    inlined: None,
                    fields: Vec::new(),
                    by_json: Vec::new(),
                });
            }
        }
        // Objects are written with their version first, as everybody writes manifests.
        let meta = structs.iter_mut().find(|ty| ty.name == "meta.v1.TypeMeta");
        meta.into_iter().for_each(|ty| ty.fields.reverse());
        for at in 0..structs.len() {
            if structs[at].fields.iter().any(|field| field.inline) {
                let mut fields = Vec::new();
                flatten(&structs, at, &mut fields);
                let declared = std::mem::replace(&mut structs[at].fields, fields);
                structs[at].inlined = Some(declared);
            }
        }
        for ty in &mut structs {
            let mut by_json: Vec<u16> = (0..ty.fields.len() as u16).collect();
            by_json.sort_unstable_by_key(|&position| ty.fields[position as usize].json);
            ty.by_json = by_json;
        }
        Self { structs, kinds }
    }
}

impl Struct {
    /// Fields as declared, inlined structs unresolved; what protobuf follows.
    pub fn declared(&self) -> &[Field] {
        self.inlined.as_ref().unwrap_or(&self.fields)
    }

    /// Position in [`Struct::fields`] of the field with this JSON name.
    pub fn position(&self, json: &str) -> Option<usize> {
        let found = self
            .by_json
            .binary_search_by(|&at| self.fields[at as usize].json.cmp(json));
        found.ok().map(|at| self.by_json[at] as usize)
    }

    /// The field with this JSON name.
    pub fn field(&self, json: &str) -> Option<&Field> {
        self.position(json).map(|at| &self.fields[at])
    }

    /// The struct's name without its package: `PodSpec`.
    pub fn short_name(&self) -> &'static str {
        self.name.rsplit('.').next().unwrap_or(self.name)
    }

    /// As Go prints the type: `v1.PodSpec`.
    pub fn go_name(&self) -> &'static str {
        self.name
            .split_once('.')
            .map_or(self.name, |(_, rest)| rest)
    }

    /// The name of the struct's schema in OpenAPI documents: `io.k8s.api.core.v1.PodSpec`.
    pub fn openapi_name(&self) -> String {
        let prefix = match self.name.split('.').next() {
            Some("meta") => "io.k8s.apimachinery.pkg.apis.",
            Some("apiextensions") => "io.k8s.apiextensions-apiserver.pkg.apis.",
            _ => "io.k8s.api.",
        };
        format!("{prefix}{}", self.name)
    }
}

impl Type {
    /// The type without pointers around it.
    pub fn target(&self) -> &Self {
        match self {
            Self::Pointer(inner) => inner.target(),
            other => other,
        }
    }

    /// Whether absent and zero differ.
    pub fn is_pointer(&self) -> bool {
        matches!(self, Self::Pointer(_))
    }

    /// The struct of this type, of what it points to, or of its items.
    pub fn element_struct(&self) -> Option<StructId> {
        match self {
            Self::Struct(id) => Some(*id),
            Self::Pointer(inner) | Self::List(inner) | Self::Items(inner) | Self::Map(inner) => {
                inner.element_struct()
            }
            _ => None,
        }
    }

    fn parse(text: &'static str, names: &[&str]) -> Self {
        let inner = |rest| Box::new(Self::parse(rest, names));
        if let Some(rest) = text.strip_prefix('*') {
            return Self::Pointer(inner(rest));
        }
        if let Some(rest) = text.strip_prefix("[]") {
            return Self::List(inner(rest));
        }
        if let Some(rest) = text.strip_prefix("{}") {
            return Self::Map(inner(rest));
        }
        if let Some(rest) = text.strip_prefix("<>") {
            return Self::Items(inner(rest));
        }
        match text {
            "string" => Self::String,
            "bool" => Self::Bool,
            "int32" | "uint16" => Self::Int32,
            "int64" => Self::Int64,
            "float64" => Self::Float64,
            "bytes" => Self::Bytes,
            "time" => Self::Time,
            "microtime" => Self::MicroTime,
            "duration" => Self::Duration,
            "quantity" => Self::Quantity,
            "intorstring" => Self::IntOrString,
            "raw" => Self::Raw,
            "fields" => Self::Fields,
            "json" => Self::Json,
            "schemaorbool" => Self::SchemaOrBool,
            "schemaorarray" => Self::SchemaOrArray,
            "schemaorstrings" => Self::SchemaOrStrings,
            name => Self::Struct(id_of(names, name)),
        }
    }
}

impl Field {
    /// Whether Go leaves the field out when it is zero.
    pub fn is_optional(&self) -> bool {
        match self.ty {
            // Go's `omitempty` does nothing for structs, whatever they look like in JSON.
            Type::Struct(_)
            | Type::Time
            | Type::MicroTime
            | Type::Raw
            | Type::Json
            | Type::Quantity
            | Type::IntOrString
            | Type::Duration => self.omit_zero,
            _ => self.omit_empty || self.omit_zero,
        }
    }

    /// Name of the field in the Go struct.
    pub fn go_name(&self) -> Text {
        if let Some(name) = self.go {
            return Text::new_static(name);
        }
        let mut chars = self.json.chars();
        let first = chars.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(chars).collect()
    }

    fn parse(line: &'static str, names: &[&str]) -> Self {
        let mut words = line.split(' ');
        let name = words.next().unwrap_or_default();
        let number = words.next().unwrap_or_default();
        let ty = words.next().unwrap_or_default();
        let mut field = Self {
            json: name.strip_prefix('+').unwrap_or(name),
            go: None,
            inline: name.starts_with('+'),
            number: number.parse().unwrap_or(0),
            ty: Type::parse(ty, names),
            omit_empty: false,
            omit_zero: false,
            atomic: false,
            granular: false,
            required: true,
            patch_strategy: "",
            patch_key: "",
            list: ListType::Unset,
            list_keys: Vec::new(),
            default: None,
        };
        for fact in words {
            field.required &= !matches!(fact, "omitempty" | "omitzero" | "optional");
            match fact.split_once('=').unwrap_or((fact, "")) {
                ("omitempty", _) => field.omit_empty = true,
                ("omitzero", _) => field.omit_zero = true,
                ("atomic", _) => field.atomic = true,
                ("granular", _) => field.granular = true,
                ("required", _) => field.required = true,
                ("patch", strategy) => field.patch_strategy = strategy,
                ("key", key) => field.patch_key = key,
                ("list", "atomic") => field.list = ListType::Atomic,
                ("list", "set") => field.list = ListType::Set,
                ("list", "map") => field.list = ListType::Map,
                ("keys", keys) => field.list_keys = keys.split(',').collect(),
                ("default", json) => field.default = Some(json),
                ("go", name) => field.go = Some(name),
                _ => {}
            }
        }
        field
    }
}

/// The number of a struct; the table names only structs that it has, in order.
fn id_of(names: &[&str], name: &str) -> StructId {
    let found = names.binary_search(&name);
    StructId(found.expect("the table is made whole and ordered") as u32)
}

/// Adds the fields of struct `at`, those of inlined structs in their place.
fn flatten(structs: &[Struct], at: usize, fields: &mut Vec<Field>) {
    for field in structs[at].declared() {
        match &field.ty {
            Type::Struct(inner) if field.inline => flatten(structs, inner.0 as usize, fields),
            _ => fields.push(field.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_knows_pods() {
        let types = types();
        let pod = types.of_kind("v1", "Pod").expect("pods are built in");
        assert_eq!(types.get(pod).name, "core.v1.Pod");
        let spec = types.get(types.by_name("core.v1.PodSpec").expect("known"));
        let containers = spec.field("containers").expect("known");
        assert_eq!(containers.list, ListType::Map);
        assert_eq!(containers.list_keys, ["name"]);
        assert_eq!(
            (containers.patch_strategy, containers.patch_key),
            ("merge", "name")
        );
        assert_eq!(spec.openapi_name(), "io.k8s.api.core.v1.PodSpec");
        let volume = types.get(types.by_name("core.v1.Volume").expect("known"));
        assert!(
            volume
                .field("configMap")
                .is_some_and(|field| field.ty.is_pointer())
        );
        assert!(spec.field("nope").is_none());
    }
}
