//! Named formats: `!format.dns1123Label().validate(name).hasValue()`.
//!
//! # Source
//! kubernetes/apiserver `pkg/cel/library/format.go`.

use object::names;

use super::{Function, Outcome, global, member, no_overload, text};
use crate::cost::Cost;
use crate::{Shape, Value};

const NAME: Shape = Shape::Named("kubernetes.NamedFormat");

macro_rules! named {
    ($name:literal) => {
        global(concat!("format.", $name), (0, 0), Cost::One, NAME, |_| {
            Ok(Value::Format($name))
        })
    };
}

pub(super) static FUNCTIONS: &[Function] = &[
    named!("dns1123Label"),
    named!("dns1123Subdomain"),
    named!("dns1035Label"),
    named!("dns1123LabelPrefix"),
    named!("dns1123SubdomainPrefix"),
    named!("dns1035LabelPrefix"),
    named!("qualifiedName"),
    named!("labelValue"),
    named!("uri"),
    named!("uuid"),
    named!("byte"),
    named!("date"),
    named!("datetime"),
    global("format.named", (1, 1), Cost::One, Shape::Dyn, |a| {
        let wanted = text(&a[0])?;
        let found = NAMES.iter().find(|name| **name == wanted);
        Ok(found.map_or(Value::Optional(None), |name| {
            Value::some(Value::Format(name))
        }))
    }),
    member(
        "validate",
        (2, 2),
        &["kubernetes.NamedFormat"],
        Cost::Format,
        Shape::Dyn,
        validate,
    ),
];

const NAMES: [&str; 13] = [
    "dns1123Label",
    "dns1123Subdomain",
    "dns1035Label",
    "dns1123LabelPrefix",
    "dns1123SubdomainPrefix",
    "dns1035LabelPrefix",
    "qualifiedName",
    "labelValue",
    "uri",
    "uuid",
    "byte",
    "date",
    "datetime",
];

/// An optional list of what is wrong.
fn validate(a: &[Value]) -> Outcome {
    let Value::Format(format) = &a[0] else {
        return no_overload();
    };
    let errors = errors(format, text(&a[1])?);
    if errors.is_empty() {
        return Ok(Value::Optional(None));
    }
    Ok(Value::some(Value::list(
        errors.into_iter().map(Value::string).collect(),
    )))
}

fn errors(format: &str, value: &str) -> Vec<String> {
    // A prefix may end in a dash, which a suffix will follow.
    let prefix = |value: &str| match value.strip_suffix('-') {
        Some(_) if value.len() > 1 => format!("{}a", &value[..value.len() - 1]),
        _ => value.to_owned(),
    };
    match format {
        "dns1123Label" => names::label(value),
        "dns1123LabelPrefix" => names::label(&prefix(value)),
        "dns1123Subdomain" => names::subdomain(value),
        "dns1123SubdomainPrefix" => names::subdomain(&prefix(value)),
        "dns1035Label" => names::label_1035(value),
        "dns1035LabelPrefix" => names::label_1035(&prefix(value)),
        "labelValue" => names::label_value(value),
        "qualifiedName" => names::qualified(value),
        "uri" => when(super::url::Url::parse(value).is_none(), "invalid URI"),
        "uuid" => when(!uuid(value), "does not match the UUID format"),
        "byte" => when(super::encoders::decode(value).is_none(), "invalid base64"),
        "date" => when(super::times::parse_date(value).is_none(), "invalid date"),
        "datetime" => when(
            super::times::parse_time(value).is_none(),
            "invalid datetime",
        ),
        _ => Vec::new(),
    }
}

fn when(wrong: bool, message: &str) -> Vec<String> {
    wrong.then(|| message.to_owned()).into_iter().collect()
}

fn uuid(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
