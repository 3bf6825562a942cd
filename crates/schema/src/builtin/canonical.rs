//! The canonical form of built-in objects: what a Go API server makes of JSON it decodes and encodes again.

use std::fmt;
use std::sync::{LazyLock, OnceLock};

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use golang::quantity::QuantityError;
use object::{Map, Node, Text};

use super::quantity;
use super::time;
use super::types::{Field, Struct, StructId, Type, types};

/// Unknown fields reported for one object; the API server stops counting there as well.
const UNKNOWN_FIELDS_MAX: usize = 100;

/// Levels of lists and structs an object may have.
///
/// Go's decoder stops at 10,000; JSON schemas inside CRDs are the only recursive types, and real
/// ones stay below 50. Each level costs a few stack frames.
const DEPTH_MAX: usize = 200;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// A field that the type does not have; it was dropped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnknownField {
    /// `spec.template.spec.containers[0].imag`.
    pub path: String,
}

impl fmt::Display for UnknownField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown field {}", crate::field_error::quote(&self.path))
    }
}

/// A value that does not fit its type, in the words of Go's decoder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DecodeError {
    /// `json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32`.
    pub message: String,
}

/// Brings `node`, an object of type `ty`, into canonical form; says which fields were unknown and dropped.
///
/// Fields come out in the order of the Go struct. Zero scalars, empty lists and maps and nulls go
/// where Go omits them; structs that Go always writes appear; quantities, times and base64 are
/// normalised. A subtree that is canonical already keeps its allocation.
///
/// # Errors
/// The first value that does not fit its type; `node` is unchanged then.
///
/// # Source
/// sigs.k8s.io/json and encoding/json, as used by kubernetes/apimachinery
/// `pkg/runtime/serializer/json` at v0.36.3; lists that are empty come back as `null` where Go does
/// not omit them, because the store keeps protobuf.
pub fn canonicalize(ty: StructId, node: &mut Node) -> Result<Vec<UnknownField>, DecodeError> {
    canonicalize_beside(ty, node, None)
}

/// The same; parts that `node` shares with `known`, an object of that type in canonical form, are
/// not looked at again.
///
/// # Errors
/// As [`canonicalize`].
pub fn canonicalize_beside(
    ty: StructId,
    node: &mut Node,
    known: Option<&Node>,
) -> Result<Vec<UnknownField>, DecodeError> {
    let mut decoder = Decoder {
        path: Vec::new(),
        unknown: Vec::new(),
        depth: 0,
    };
    let form = decoder.structure(ty, node, known)?;
    if let Form::New(canonical) = form {
        *node = canonical;
    }
    Ok(decoder.unknown)
}

/// What Go writes for a struct whose fields are all unset.
pub fn zero(ty: StructId) -> Node {
    static ZEROS: LazyLock<Vec<OnceLock<Node>>> = LazyLock::new(|| {
        let count = types().iter().count();
        std::iter::repeat_with(OnceLock::new).take(count).collect()
    });
    let compute = || {
        let mut node = Node::map();
        match canonicalize(ty, &mut node) {
            Ok(_) => node,
            Err(_) => Node::map(),
        }
    };
    ZEROS[ty.index()].get_or_init(compute).clone()
}

/// What became of a value.
enum Form {
    /// It is canonical as it is.
    Same,
    /// It becomes this.
    New(Node),
    /// Go leaves the field out.
    Absent,
}

struct Decoder {
    path: Vec<PathStep>,
    unknown: Vec<UnknownField>,
    depth: usize,
}

enum PathStep {
    Key(Text),
    Index(usize),
    /// A field, and the struct that has it.
    Field(&'static str, &'static Struct),
}

impl Decoder {
    fn structure(
        &mut self,
        id: StructId,
        node: &Node,
        known: Option<&Node>,
    ) -> Result<Form, DecodeError> {
        let ty = types().get(id);
        let empty = Map::new();
        let map = match node {
            Node::Map(map) => map,
            Node::Null => &empty,
            other => return Err(self.mismatch(other, &Type::Struct(id))),
        };
        self.enter()?;
        let form = match is_ordered(ty, map) && !node.is_null() {
            true => self.ordered(ty, map, known),
            false => self.rebuilt(ty, map, node.is_null(), known),
        };
        self.depth -= 1;
        form
    }

    /// A struct whose keys are all known and stand in order, and that misses nothing.
    fn ordered(
        &mut self,
        ty: &'static Struct,
        map: &Map,
        known: Option<&Node>,
    ) -> Result<Form, DecodeError> {
        let mut changed: Option<Map> = None;
        let mut fields = ty.fields.iter();
        for (key, value) in map.iter() {
            let field = fields.find(|field| field.json == key);
            let field = field.expect("the keys were compared just before");
            self.path.push(PathStep::Field(field.json, ty));
            let form = self.field(field, value, of_key(known, key))?;
            self.path.pop();
            match form {
                Form::Same => {}
                Form::New(value) => {
                    changed
                        .get_or_insert_with(|| map.clone())
                        .insert(key.clone(), value);
                }
                Form::Absent => {
                    changed.get_or_insert_with(|| map.clone()).remove(key);
                }
            }
        }
        Ok(changed.map_or(Form::Same, |map| Form::New(Node::Map(map))))
    }

    /// Any struct, put together anew.
    fn rebuilt(
        &mut self,
        ty: &'static Struct,
        map: &Map,
        null: bool,
        known: Option<&Node>,
    ) -> Result<Form, DecodeError> {
        // Values are read in the order they were written, since the first error counts.
        let mut values: Vec<Option<Form>> = Vec::new();
        values.resize_with(ty.fields.len(), || None);
        let mut changed = null;
        for (key, value) in map.iter() {
            let Some(at) = ty.position(key) else {
                self.report_unknown(key);
                changed = true;
                continue;
            };
            let field = &ty.fields[at];
            self.path.push(PathStep::Field(field.json, ty));
            values[at] = Some(self.field(field, value, of_key(known, key))?);
            self.path.pop();
        }

        let mut entries: Vec<(Text, Node)> = Vec::with_capacity(map.len());
        let mut next = map.iter();
        for (field, form) in ty.fields.iter().zip(values) {
            let written = form.is_some();
            let form = match form {
                Some(form) => form,
                None => absent(field),
            };
            let value = match form {
                Form::Absent => {
                    changed |= written;
                    continue;
                }
                Form::Same => map.get(field.json).cloned().unwrap_or_default(),
                Form::New(value) => {
                    changed = true;
                    value
                }
            };
            // The next key that was written has to be this one, or the order changes.
            changed = changed || next.next().is_none_or(|(key, _)| key != field.json);
            entries.push((Text::new_static(field.json), value));
        }
        match changed {
            false => Ok(Form::Same),
            true => Ok(Form::New(Node::Map(entries.into_iter().collect()))),
        }
    }

    fn field(
        &mut self,
        field: &Field,
        node: &Node,
        known: Option<&Node>,
    ) -> Result<Form, DecodeError> {
        if known.is_some_and(|known| node.is_one_with(known)) {
            return Ok(Form::Same);
        }
        let form = self.value(&field.ty, node, known)?;
        let value = match &form {
            Form::Same => node,
            Form::New(value) => value,
            Form::Absent => return Ok(absent(field)),
        };
        Ok(match is_empty(field, value) {
            true if field.omit_empty || field.omit_zero => Form::Absent,
            // The store keeps no difference between an empty and an absent list.
            true if matches!(field.ty, Type::List(_) | Type::Items(_) | Type::Map(_)) => {
                match value.is_null() && matches!(form, Form::Same) {
                    true => Form::Same,
                    false => Form::New(Node::Null),
                }
            }
            _ => form,
        })
    }

    /// A value outside omission: `Absent` only for null pointers, lists and maps.
    fn value(&mut self, ty: &Type, node: &Node, known: Option<&Node>) -> Result<Form, DecodeError> {
        if node.is_null() {
            return Ok(match ty {
                Type::Pointer(_) | Type::List(_) | Type::Items(_) | Type::Map(_) | Type::Bytes => {
                    Form::Absent
                }
                Type::Raw | Type::Fields | Type::Json => Form::Same,
                Type::Time | Type::MicroTime => Form::Same,
                other => Form::New(zero_of(other)),
            });
        }
        match ty {
            Type::Pointer(inner) => self.value(inner, node, known),
            Type::Struct(id) => self.structure(*id, node, known),
            Type::List(item) | Type::Items(item) => self.list(ty, item, node, known),
            Type::Map(value) => self.map(ty, value, node, known),
            Type::String => match node {
                Node::String(_) => Ok(Form::Same),
                other => Err(self.mismatch(other, ty)),
            },
            Type::Bool => match node {
                Node::Bool(_) => Ok(Form::Same),
                other => Err(self.mismatch(other, ty)),
            },
            Type::Int32 => match node {
                Node::Int(value) if i32::try_from(*value).is_ok() => Ok(Form::Same),
                other => Err(self.mismatch(other, ty)),
            },
            Type::Int64 => match node {
                Node::Int(_) => Ok(Form::Same),
                other => Err(self.mismatch(other, ty)),
            },
            Type::Float64 => match node {
                Node::Int(_) | Node::Uint(_) | Node::Float(_) => Ok(Form::Same),
                other => Err(self.mismatch(other, ty)),
            },
            Type::Bytes => self.bytes(node),
            Type::Time | Type::MicroTime => self.time(ty, node),
            Type::Duration => match node {
                Node::String(_) => Ok(Form::Same),
                other => Err(self.mismatch(other, &Type::String)),
            },
            Type::Quantity => quantity_form(node, quantity::canonical),
            Type::IntOrString => match node {
                Node::String(_) => Ok(Form::Same),
                Node::Int(value) if i32::try_from(*value).is_ok() => Ok(Form::Same),
                other => Err(self.mismatch(other, &Type::Int32)),
            },
            Type::Raw | Type::Fields | Type::Json => Ok(Form::Same),
            Type::SchemaOrBool => match node {
                Node::Bool(_) => Ok(Form::Same),
                Node::Map(_) => self.schema(node),
                _ => Err(plain("boolean or JSON schema expected")),
            },
            Type::SchemaOrArray => match node {
                Node::Map(_) => self.schema(node),
                Node::List(_) => {
                    let schemas = Type::List(Box::new(Type::Struct(json_schema())));
                    self.value(&schemas, node, None)
                }
                _ => Ok(Form::Same),
            },
            Type::SchemaOrStrings => match node {
                Node::Map(_) => self.schema(node),
                Node::List(_) => self.value(&Type::List(Box::new(Type::String)), node, None),
                _ => Ok(Form::Same),
            },
        }
    }

    fn schema(&mut self, node: &Node) -> Result<Form, DecodeError> {
        self.structure(json_schema(), node, None)
    }

    fn list(
        &mut self,
        ty: &Type,
        item: &Type,
        node: &Node,
        known: Option<&Node>,
    ) -> Result<Form, DecodeError> {
        let Node::List(items) = node else {
            return Err(self.mismatch(node, ty));
        };
        self.enter()?;
        let mut changed: Option<Vec<Node>> = None;
        let others = known.and_then(Node::as_list).unwrap_or_default();
        for (at, node) in items.iter().enumerate() {
            let known = others.get(at);
            self.path.push(PathStep::Index(at));
            let form = match known.is_some_and(|known| node.is_one_with(known)) {
                true => Form::Same,
                false => self.value(item, node, known)?,
            };
            self.path.pop();
            let value = match form {
                Form::Same => {
                    if let Some(list) = &mut changed {
                        list.push(node.clone());
                    }
                    continue;
                }
                Form::New(value) => value,
                Form::Absent => Node::Null,
            };
            let list = changed.get_or_insert_with(|| items[..at].to_vec());
            list.push(value);
        }
        self.depth -= 1;
        Ok(changed.map_or(Form::Same, |list| Form::New(Node::from(list))))
    }

    fn map(
        &mut self,
        ty: &Type,
        value: &Type,
        node: &Node,
        known: Option<&Node>,
    ) -> Result<Form, DecodeError> {
        let Node::Map(map) = node else {
            return Err(self.mismatch(node, ty));
        };
        self.enter()?;
        let mut changed: Option<Map> = None;
        for (key, node) in map.iter() {
            let known = of_key(known, key);
            if known.is_some_and(|known| node.is_one_with(known)) {
                continue;
            }
            self.path.push(PathStep::Key(key.clone()));
            let form = match value {
                // Maps of quantities are amounts of resources.
                Type::Quantity if !node.is_null() => {
                    quantity_form(node, quantity::canonical_resource)?
                }
                _ => self.value(value, node, known)?,
            };
            self.path.pop();
            let value = match form {
                Form::Same => continue,
                Form::New(value) => value,
                Form::Absent => zero_of(value),
            };
            changed
                .get_or_insert_with(|| map.clone())
                .insert(key.clone(), value);
        }
        self.depth -= 1;
        Ok(changed.map_or(Form::Same, |map| Form::New(Node::Map(map))))
    }

    fn bytes(&self, node: &Node) -> Result<Form, DecodeError> {
        let Node::String(text) = node else {
            return Err(self.mismatch(node, &Type::Bytes));
        };
        let compact: std::borrow::Cow<'_, str> = match text.contains(['\n', '\r']) {
            true => text.replace(['\n', '\r'], "").into(),
            false => text.as_str().into(),
        };
        let decoded = BASE64.decode(compact.as_bytes()).map_err(|error| {
            let at = match error {
                base64::DecodeError::InvalidByte(at, _) => at,
                base64::DecodeError::InvalidLastSymbol(at, _) => at,
                _ => compact.len(),
            };
            plain(format!("illegal base64 data at input byte {at}"))
        })?;
        let canonical = BASE64.encode(decoded);
        match canonical == text.as_str() {
            true => Ok(Form::Same),
            false => Ok(Form::New(canonical.into())),
        }
    }

    fn time(&self, ty: &Type, node: &Node) -> Result<Form, DecodeError> {
        let Node::String(text) = node else {
            return Err(self.mismatch(node, &Type::String));
        };
        let micro = *ty == Type::MicroTime;
        if text.is_empty() && !micro {
            return Err(time_error(text, micro));
        }
        let instant = time::parse(text, micro).ok_or_else(|| time_error(text, micro))?;
        if instant.is_go_zero() {
            return Ok(Form::New(Node::Null));
        }
        let canonical = instant
            .format(micro)
            .ok_or_else(|| time_error(text, micro))?;
        match canonical == text.as_str() {
            true => Ok(Form::Same),
            false => Ok(Form::New(canonical.into())),
        }
    }

    fn enter(&mut self) -> Result<(), DecodeError> {
        self.depth += 1;
        match self.depth > DEPTH_MAX {
            true => Err(plain("exceeded max depth")),
            false => Ok(()),
        }
    }

    fn report_unknown(&mut self, key: &str) {
        if self.unknown.len() >= UNKNOWN_FIELDS_MAX {
            return;
        }
        let mut path = String::new();
        for step in &self.path {
            match step {
                PathStep::Index(at) => path.push_str(&format!("[{at}]")),
                PathStep::Key(name) => push_key(&mut path, name),
                PathStep::Field(name, _) => push_key(&mut path, name),
            }
        }
        push_key(&mut path, key);
        self.unknown.push(UnknownField { path });
    }

    fn mismatch(&self, node: &Node, ty: &Type) -> DecodeError {
        self.mismatch_of(&go_value(node, ty), &go_type(ty))
    }

    fn mismatch_of(&self, value: &str, ty: &str) -> DecodeError {
        let mut fields: Vec<&str> = Vec::new();
        let mut owner = "";
        for step in &self.path {
            if let PathStep::Field(name, of) = step {
                fields.push(name);
                owner = of.short_name();
            }
        }
        if fields.is_empty() {
            return plain(format!(
                "json: cannot unmarshal {value} into Go value of type {ty}"
            ));
        }
        let field = fields.join(".");
        plain(format!(
            "json: cannot unmarshal {value} into Go struct field {owner}.{field} of type {ty}"
        ))
    }
}

/// What a known value has under a key.
fn of_key<'n>(known: Option<&'n Node>, key: &str) -> Option<&'n Node> {
    known?.get(key)
}

/// Whether the keys of `map` are fields of `ty`, in its order, and the others may be left out.
fn is_ordered(ty: &Struct, map: &Map) -> bool {
    let mut fields = ty.fields.iter();
    for key in map.keys() {
        loop {
            match fields.next() {
                Some(field) if field.json == key => break,
                Some(field) if field.is_optional() => {}
                _ => return false,
            }
        }
    }
    fields.all(Field::is_optional)
}

/// What Go writes for a field that was not given.
fn absent(field: &Field) -> Form {
    match field.is_optional() {
        true => Form::Absent,
        false => Form::New(zero_of(&field.ty)),
    }
}

/// Whether Go's `omitempty` or `omitzero` of this field drops `value`.
fn is_empty(field: &Field, value: &Node) -> bool {
    match &field.ty {
        Type::Pointer(_) => false,
        Type::Struct(id) => field.omit_zero && *value == zero(*id),
        Type::Time | Type::MicroTime => field.omit_zero && value.is_null(),
        Type::Raw | Type::Json | Type::Quantity | Type::IntOrString | Type::Duration => {
            field.omit_zero && *value == zero_of(&field.ty)
        }
        _ => match value {
            Node::Null => true,
            Node::Bool(value) => !value,
            Node::Int(value) => *value == 0,
            Node::Uint(value) => *value == 0,
            Node::Float(value) => *value == 0.0,
            Node::String(text) => text.is_empty(),
            Node::List(items) => items.is_empty(),
            Node::Map(map) => map.is_empty(),
        },
    }
}

fn zero_of(ty: &Type) -> Node {
    match ty {
        Type::String => "".into(),
        Type::Bool => false.into(),
        Type::Int32 | Type::Int64 | Type::IntOrString | Type::Float64 => Node::Int(0),
        Type::Duration => "0s".into(),
        Type::Quantity => "0".into(),
        Type::Bytes => "".into(),
        Type::Struct(id) => zero(*id),
        _ => Node::Null,
    }
}

fn json_schema() -> StructId {
    let id = types().by_name("apiextensions.v1.JSONSchemaProps");
    id.expect("the table has the CRD types")
}

fn quantity_form(
    node: &Node,
    canonical: fn(&str) -> Result<String, QuantityError>,
) -> Result<Form, DecodeError> {
    let text = match node {
        Node::String(text) => text.to_string(),
        other => object::json::to_string(other),
    };
    let canonical = canonical(&text).map_err(|error| plain(error.to_string()))?;
    match node.as_str() == Some(canonical.as_str()) {
        true => Ok(Form::Same),
        false => Ok(Form::New(canonical.into())),
    }
}

fn time_error(text: &str, micro: bool) -> DecodeError {
    plain(time::complaint(text, micro))
}

fn plain(message: impl Into<String>) -> DecodeError {
    DecodeError {
        message: message.into(),
    }
}

fn push_key(path: &mut String, key: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(key);
}

/// What Go's decoder calls a JSON value that does not fit `ty`.
fn go_value(node: &Node, ty: &Type) -> String {
    let numeric = matches!(ty, Type::Int32 | Type::Int64 | Type::Float64);
    match node {
        Node::Null => "null".into(),
        Node::Bool(_) => "bool".into(),
        Node::Int(value) if numeric => format!("number {value}"),
        Node::Float(_) if numeric => format!("number {}", object::json::to_string(node)),
        Node::Int(_) | Node::Uint(_) | Node::Float(_) => "number".into(),
        Node::String(_) => "string".into(),
        Node::List(_) => "array".into(),
        Node::Map(_) => "object".into(),
    }
}

fn go_type(ty: &Type) -> String {
    match ty {
        Type::String => "string".into(),
        Type::Bool => "bool".into(),
        Type::Int32 => "int32".into(),
        Type::Int64 => "int64".into(),
        Type::Float64 => "float64".into(),
        Type::Bytes => "[]uint8".into(),
        Type::Time => "v1.Time".into(),
        Type::MicroTime => "v1.MicroTime".into(),
        Type::Duration => "v1.Duration".into(),
        Type::Quantity => "resource.Quantity".into(),
        Type::IntOrString => "intstr.IntOrString".into(),
        Type::Raw => "runtime.RawExtension".into(),
        Type::Fields => "v1.FieldsV1".into(),
        Type::Json => "v1.JSON".into(),
        Type::SchemaOrBool => "v1.JSONSchemaPropsOrBool".into(),
        Type::SchemaOrArray => "v1.JSONSchemaPropsOrArray".into(),
        Type::SchemaOrStrings => "v1.JSONSchemaPropsOrStringArray".into(),
        Type::Struct(id) => {
            let ty: &Struct = types().get(*id);
            ty.go_name().into()
        }
        Type::Pointer(inner) => go_type(inner),
        Type::List(item) | Type::Items(item) => format!("[]{}", go_type(item)),
        Type::Map(value) => format!("map[string]{}", go_type(value)),
    }
}
