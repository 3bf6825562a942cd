//! Reading request bodies in Kubernetes' protobuf form.
//!
//! Go clients send built-in kinds that way and do not fall back to JSON. What comes out has the
//! shape of JSON; [`canonicalize`](super::canonicalize) drops the zero scalars that Go always
//! writes. Deliberately absent: writing. Answers are JSON or YAML.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use object::{Map, Node, Text, json};

use super::time::Instant;
use super::types::{Field, StructId, Type, types};

/// What every body starts with.
const MAGIC: &[u8; 4] = b"k8s\0";

/// Messages inside messages; JSON schemas are the only recursive type and real ones stay below 50.
const DEPTH_MAX: usize = 200;

/// A body that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtobufError {
    /// The first four bytes are not those of Kubernetes protobuf.
    #[error(
        "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"
    )]
    Magic,
    /// The envelope names a kind that is not built in.
    #[error("no kind \"{kind}\" is registered for version \"{api_version}\"")]
    UnknownKind {
        /// As the envelope says, or as the request expects.
        api_version: Text,
        /// As the envelope says, or as the request expects.
        kind: Text,
    },
    /// The envelope announces an encoding of its content that nobody uses.
    #[error("content encoding \"{0}\" is not supported")]
    Encoding(Text),
    /// The bytes end early or do not fit their type.
    #[error("proto: {0}")]
    Malformed(&'static str),
}

/// Reads a body: envelope and object.
///
/// # Errors
/// See [`ProtobufError`].
///
/// # Source
/// kubernetes/apimachinery `pkg/runtime/serializer/protobuf/protobuf.go` at v0.36.3.
pub fn decode(bytes: &[u8]) -> Result<Node, ProtobufError> {
    decode_expecting(bytes, "", "")
}

/// Reads a body whose envelope may leave out the kind, which then is the expected one.
///
/// # Errors
/// See [`ProtobufError`].
pub fn decode_expecting(
    bytes: &[u8],
    api_version: &str,
    kind: &str,
) -> Result<Node, ProtobufError> {
    let body = bytes.strip_prefix(MAGIC).ok_or(ProtobufError::Magic)?;
    let (mut raw, mut encoding) = (&[][..], Text::default());
    let (mut api_version, mut kind) = (Text::from(api_version), Text::from(kind));
    let mut envelope = Reader::new(body);
    while let Some((number, value)) = envelope.next()? {
        match (number, value) {
            (1, Value::Bytes(meta)) => {
                let mut meta = Reader::new(meta);
                while let Some((number, value)) = meta.next()? {
                    match (number, value) {
                        (1, Value::Bytes(text)) if !text.is_empty() => api_version = utf8(text),
                        (2, Value::Bytes(text)) if !text.is_empty() => kind = utf8(text),
                        _ => {}
                    }
                }
            }
            (2, Value::Bytes(bytes)) => raw = bytes,
            (3, Value::Bytes(text)) => encoding = utf8(text),
            _ => {}
        }
    }
    if !encoding.is_empty() {
        return Err(ProtobufError::Encoding(encoding));
    }
    let Some(ty) = types().of_kind(&api_version, &kind) else {
        return Err(ProtobufError::UnknownKind { api_version, kind });
    };
    let mut object = Map::new();
    object.insert("apiVersion", api_version);
    object.insert("kind", kind);
    message(ty, raw, &mut object, 0)?;
    Ok(Node::Map(object))
}

enum Value<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'a [u8]),
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    fn next(&mut self) -> Result<Option<(u32, Value<'a>)>, ProtobufError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).unwrap_or(0);
        if number == 0 {
            return Err(ProtobufError::Malformed("illegal tag"));
        }
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => {
                let mut bytes = [0; 8];
                bytes.copy_from_slice(self.take(8)?);
                Value::Fixed64(u64::from_le_bytes(bytes))
            }
            2 => {
                let length = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
                Value::Bytes(self.take(length)?)
            }
            5 => {
                let mut bytes = [0; 4];
                bytes.copy_from_slice(self.take(4)?);
                Value::Fixed32(u32::from_le_bytes(bytes))
            }
            _ => return Err(ProtobufError::Malformed("illegal wireType")),
        };
        Ok(Some((number, value)))
    }

    fn varint(&mut self) -> Result<u64, ProtobufError> {
        let mut value = 0u64;
        for (at, &byte) in self.rest.iter().enumerate().take(10) {
            value |= u64::from(byte & 0x7f) << (7 * at);
            if byte < 0x80 {
                self.rest = &self.rest[at + 1..];
                return Ok(value);
            }
        }
        match self.rest.len() < 10 {
            true => Err(ProtobufError::Malformed("unexpected EOF")),
            false => Err(ProtobufError::Malformed("integer overflow")),
        }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], ProtobufError> {
        if length > self.rest.len() {
            return Err(ProtobufError::Malformed("unexpected EOF"));
        }
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        Ok(taken)
    }
}

/// Reads a message of type `id` into `map`.
fn message(id: StructId, bytes: &[u8], map: &mut Map, depth: usize) -> Result<(), ProtobufError> {
    if depth > DEPTH_MAX {
        return Err(ProtobufError::Malformed("message nested too deeply"));
    }
    let ty = types().get(id);
    let mut reader = Reader::new(bytes);
    while let Some((number, value)) = reader.next()? {
        let Some(field) = ty.declared().iter().find(|field| field.number == number) else {
            continue;
        };
        match &field.ty {
            Type::Struct(inner) if field.inline => {
                message(*inner, content(&value)?, map, depth + 1)?
            }
            _ => member(field, &value, map, depth)?,
        }
    }
    Ok(())
}

fn member(
    field: &Field,
    value: &Value<'_>,
    map: &mut Map,
    depth: usize,
) -> Result<(), ProtobufError> {
    match field.ty.target() {
        Type::List(item) => {
            let slot = map.entry(field.json);
            if slot.is_null() {
                *slot = Node::from(Vec::new());
            }
            let Some(items) = slot.as_list_mut() else {
                return Ok(());
            };
            match (&**item, value) {
                (Type::Int32 | Type::Int64 | Type::Bool, Value::Bytes(packed)) => {
                    let mut reader = Reader::new(packed);
                    while !reader.rest.is_empty() {
                        items.push(single(item, &Value::Varint(reader.varint()?), depth)?);
                    }
                }
                _ => items.push(single(item, value, depth)?),
            }
        }
        Type::Map(ty) => {
            let (mut key, mut entry) = (Text::default(), None);
            let mut reader = Reader::new(content(value)?);
            while let Some((number, value)) = reader.next()? {
                match number {
                    1 => key = utf8(content(&value)?),
                    2 => entry = Some(single(ty, &value, depth)?),
                    _ => {}
                }
            }
            let slot = map.entry(field.json);
            if slot.is_null() {
                *slot = Node::map();
            }
            if let Some(entries) = slot.as_map_mut() {
                let entry = entry.unwrap_or_else(|| match **ty {
                    Type::String | Type::Bytes => "".into(),
                    _ => Node::Null,
                });
                entries.insert(key, entry);
            }
        }
        other => {
            let node = single(other, value, depth)?;
            // A struct that stands twice is merged, as protobuf asks.
            match (map.get_mut(field.json), node) {
                (Some(Node::Map(earlier)), Node::Map(later)) => earlier.extend(later),
                (_, node) => {
                    map.insert(field.json, node);
                }
            }
        }
    }
    Ok(())
}

/// One value of a type that is no list and no map.
fn single(ty: &Type, value: &Value<'_>, depth: usize) -> Result<Node, ProtobufError> {
    Ok(match ty {
        Type::Pointer(inner) => single(inner, value, depth)?,
        Type::String => utf8(content(value)?).into(),
        Type::Bytes => STANDARD.encode(content(value)?).into(),
        Type::Bool => Node::Bool(varint(value)? != 0),
        Type::Int32 => Node::Int(i64::from(varint(value)? as i32)),
        Type::Int64 => Node::Int(varint(value)? as i64),
        Type::Float64 => match value {
            Value::Fixed64(bits) => {
                let number = f64::from_bits(*bits);
                match number.is_finite() {
                    true if number.fract() == 0.0 && number.abs() < 1e15 => {
                        Node::Int(number as i64)
                    }
                    true => Node::Float(number),
                    false => return Err(ProtobufError::Malformed("number out of range")),
                }
            }
            _ => return Err(ProtobufError::Malformed("wrong wireType")),
        },
        Type::Struct(id) => {
            let mut map = Map::new();
            message(*id, content(value)?, &mut map, depth + 1)?;
            Node::Map(map)
        }
        Type::Time | Type::MicroTime => instant(ty, content(value)?)?,
        Type::Duration => {
            let (mut nanoseconds, mut reader) = (0, Reader::new(content(value)?));
            while let Some((number, value)) = reader.next()? {
                if number == 1 {
                    nanoseconds = varint(&value)? as i64;
                }
            }
            format!("{}s", nanoseconds as f64 / 1e9).into()
        }
        Type::Quantity => match text_of(content(value)?, 1)? {
            text if text.is_empty() => "0".into(),
            text => text.into(),
        },
        Type::IntOrString => {
            let (mut kind, mut number, mut text) = (0, 0, Text::default());
            let mut reader = Reader::new(content(value)?);
            while let Some((field, value)) = reader.next()? {
                match field {
                    1 => kind = varint(&value)?,
                    2 => number = i64::from(varint(&value)? as i32),
                    3 => text = utf8(content(&value)?),
                    _ => {}
                }
            }
            if kind == 1 {
                text.into()
            } else {
                Node::Int(number)
            }
        }
        Type::Raw | Type::Fields | Type::Json => {
            let mut raw: &[u8] = &[];
            let mut reader = Reader::new(content(value)?);
            while let Some((number, value)) = reader.next()? {
                if let (1, Value::Bytes(bytes)) = (number, value) {
                    raw = bytes;
                }
            }
            match raw.is_empty() {
                true => Node::Null,
                false => json::parse(raw, json::OBJECT_LIMITS)
                    .map_err(|_| ProtobufError::Malformed("embedded JSON is malformed"))?,
            }
        }
        Type::SchemaOrBool | Type::SchemaOrArray | Type::SchemaOrStrings => {
            schema_or(ty, content(value)?, depth)?
        }
        Type::Items(item) => {
            let mut items = Vec::new();
            let mut reader = Reader::new(content(value)?);
            while let Some((number, value)) = reader.next()? {
                if number == 1 {
                    items.push(single(item, &value, depth)?);
                }
            }
            items.into()
        }
        Type::List(_) | Type::Map(_) => Node::Null,
    })
}

/// The three wrappers around JSON schemas; each has one of two fields set.
fn schema_or(ty: &Type, bytes: &[u8], depth: usize) -> Result<Node, ProtobufError> {
    let schema = types().by_name("apiextensions.v1.JSONSchemaProps");
    let schema = Type::Struct(schema.expect("the table has the CRD types"));
    let (mut one, mut allows, mut many) = (None, false, Vec::new());
    let mut reader = Reader::new(bytes);
    while let Some((number, value)) = reader.next()? {
        match (ty, number) {
            (Type::SchemaOrBool, 1) => allows = varint(&value)? != 0,
            (Type::SchemaOrBool, 2) | (_, 1) => one = Some(single(&schema, &value, depth + 1)?),
            (Type::SchemaOrArray, 2) => many.push(single(&schema, &value, depth + 1)?),
            (Type::SchemaOrStrings, 2) => many.push(single(&Type::String, &value, depth + 1)?),
            _ => {}
        }
    }
    Ok(match (ty, one) {
        (_, Some(schema)) => schema,
        (Type::SchemaOrBool, None) => Node::Bool(allows),
        (_, None) => many.into(),
    })
}

fn instant(ty: &Type, bytes: &[u8]) -> Result<Node, ProtobufError> {
    if bytes.is_empty() {
        return Ok(Node::Null);
    }
    let (mut seconds, mut nanoseconds) = (0, 0);
    let mut reader = Reader::new(bytes);
    while let Some((number, value)) = reader.next()? {
        match number {
            1 => seconds = varint(&value)? as i64,
            2 => nanoseconds = u32::try_from(varint(&value)?).unwrap_or(0) % 1_000_000_000,
            _ => {}
        }
    }
    let instant = Instant {
        seconds,
        nanoseconds,
    };
    if instant.is_go_zero() {
        return Ok(Node::Null);
    }
    let text = instant.format(*ty == Type::MicroTime);
    text.map(Node::from)
        .ok_or(ProtobufError::Malformed("time out of range"))
}

fn text_of(bytes: &[u8], wanted: u32) -> Result<Text, ProtobufError> {
    let mut text = Text::default();
    let mut reader = Reader::new(bytes);
    while let Some((number, value)) = reader.next()? {
        if number == wanted {
            text = utf8(content(&value)?);
        }
    }
    Ok(text)
}

fn content<'a>(value: &Value<'a>) -> Result<&'a [u8], ProtobufError> {
    match value {
        Value::Bytes(bytes) => Ok(bytes),
        _ => Err(ProtobufError::Malformed("wrong wireType")),
    }
}

fn varint(value: &Value<'_>) -> Result<u64, ProtobufError> {
    match value {
        Value::Varint(number) => Ok(*number),
        Value::Fixed32(number) => Ok(u64::from(*number)),
        _ => Err(ProtobufError::Malformed("wrong wireType")),
    }
}

fn utf8(bytes: &[u8]) -> Text {
    String::from_utf8_lossy(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ConfigMap `c` with one key `k` and `immutable: false`, written by hand.
    fn config_map() -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(b"\x0a\x0f\x0a\x02v1\x12\x09ConfigMap");
        let raw = b"\x0a\x03\x0a\x01c\x12\x06\x0a\x01k\x12\x01v\x20\x00";
        bytes.extend([0x12, raw.len() as u8]);
        bytes.extend(raw);
        bytes
    }

    #[test]
    fn a_zero_behind_a_pointer_stays() {
        let node = decode(&config_map()).expect("well-formed");
        let text = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"k":"v"},"immutable":false}"#;
        let expected = json::parse(text.as_bytes(), json::OBJECT_LIMITS).expect("JSON");
        assert_eq!(node, expected);
    }

    #[test]
    fn broken_bodies_are_refused() {
        assert_eq!(decode(b"{}"), Err(ProtobufError::Magic));
        let whole = config_map();
        for end in 5..whole.len() {
            // Never panics; a cut at a field's end is a shorter object.
            let _ = decode(&whole[..end]);
        }
        let unknown = decode(b"k8s\0\x0a\x09\x0a\x02v9\x12\x03Foo");
        assert!(matches!(unknown, Err(ProtobufError::UnknownKind { .. })));
        let mut endless = MAGIC.to_vec();
        endless.extend([
            0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01,
        ]);
        assert_eq!(
            decode(&endless),
            Err(ProtobufError::Malformed("unexpected EOF"))
        );
    }
}
