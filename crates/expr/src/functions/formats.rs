//! Named formats: `!format.dns1123Label().validate(name).hasValue()`.
//!
//! # Source
//! kubernetes/apiserver `pkg/cel/library/format.go`, texts of kubernetes/apimachinery
//! `pkg/util/validation/validation.go`.

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

const LABEL_1123: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_1035: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const QUALIFIED: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

fn errors(format: &str, value: &str) -> Vec<String> {
    // A prefix may end in a dash, which a suffix will follow.
    let prefix = |value: &str| match value.strip_suffix('-') {
        Some(_) if value.len() > 1 => format!("{}a", &value[..value.len() - 1]),
        _ => value.to_owned(),
    };
    match format {
        "dns1123Label" => named(value, 63, label_1123, LABEL_1123),
        "dns1123LabelPrefix" => named(&prefix(value), 63, label_1123, LABEL_1123),
        "dns1123Subdomain" => named(value, 253, subdomain, SUBDOMAIN),
        "dns1123SubdomainPrefix" => named(&prefix(value), 253, subdomain, SUBDOMAIN),
        "dns1035Label" => named(value, 63, label_1035, LABEL_1035),
        "dns1035LabelPrefix" => named(&prefix(value), 63, label_1035, LABEL_1035),
        "labelValue" => named(
            value,
            63,
            |text| text.is_empty() || qualified(text),
            LABEL_VALUE,
        ),
        "qualifiedName" => qualified_name(value),
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

fn named(value: &str, length_max: usize, holds: fn(&str) -> bool, message: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if value.len() > length_max {
        errors.push(format!("must be no more than {length_max} bytes"));
    }
    if !holds(value) {
        errors.push(message.to_owned());
    }
    errors
}

fn ends_alphanumeric(text: &str, inner: fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    match (bytes.first(), bytes.last()) {
        (Some(first), Some(last)) => {
            first.is_ascii_alphanumeric()
                && last.is_ascii_alphanumeric()
                && bytes
                    .iter()
                    .all(|byte| byte.is_ascii_alphanumeric() || inner(*byte))
        }
        _ => false,
    }
}

fn label_1123(text: &str) -> bool {
    ends_alphanumeric(text, |byte| byte == b'-') && !text.bytes().any(|b| b.is_ascii_uppercase())
}

fn label_1035(text: &str) -> bool {
    label_1123(text) && text.starts_with(|c: char| c.is_ascii_lowercase())
}

fn subdomain(text: &str) -> bool {
    text.split('.').all(label_1123)
}

fn qualified(text: &str) -> bool {
    ends_alphanumeric(text, |byte| matches!(byte, b'-' | b'_' | b'.'))
}

fn qualified_name(value: &str) -> Vec<String> {
    let (prefix, name) = match value.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, value),
    };
    let mut errors = Vec::new();
    if name.contains('/') {
        return vec![format!(
            "a qualified name {} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
            &QUALIFIED["name part ".len()..]
        )];
    }
    if let Some(prefix) = prefix {
        if prefix.is_empty() {
            errors.push("prefix part must be non-empty".into());
        } else {
            let wrong = named(prefix, 253, subdomain, SUBDOMAIN);
            errors.extend(
                wrong
                    .into_iter()
                    .map(|error| format!("prefix part {error}")),
            );
        }
    }
    if name.is_empty() {
        errors.push("name part must be non-empty".into());
    } else if name.len() > 63 {
        errors.push("name part must be no more than 63 bytes".into());
    }
    if !qualified(name) {
        errors.push(QUALIFIED.into());
    }
    errors
}

fn uuid(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
