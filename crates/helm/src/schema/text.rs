//! What is wrong with values, in the words and the shape of santhosh-tekuri/jsonschema.
//!
//! # Source
//! santhosh-tekuri/jsonschema v6.0.3 `output.go`, `kind/kind.go`; golang/x/text `message` for
//! numbers. Causes come in the order of their texts, where the reference has none.

use std::fmt::Display;

use boon::{ErrorKind, ValidationError};
use serde_json::{Number, Value};

/// The causes of a failed validation, one a line, deeper ones indented. `values` is what was
/// checked.
pub(super) fn validation(error: &ValidationError<'_, '_>, values: &Value) -> String {
    let lines = causes(error, Some(values), 0);
    lines.join("\n")
}

/// As [`validation`], with the line that says what failed.
pub(super) fn whole(error: &ValidationError<'_, '_>) -> String {
    let mut lines = vec![format!(
        "jsonschema validation failed with {}",
        quote(&match &error.kind {
            ErrorKind::Schema { url } => format!("{}#", url.trim_end_matches('#')),
            _ => error.schema_url.to_owned(),
        })
    )];
    lines.extend(causes(error, None, 0));
    lines.join("\n")
}

/// One text for each cause, its own causes in it.
fn causes(error: &ValidationError<'_, '_>, values: Option<&Value>, level: usize) -> Vec<String> {
    let mut texts: Vec<String> = error
        .causes
        .iter()
        .map(|cause| {
            let from = match &error.kind {
                ErrorKind::Reference { url, .. } => (*url).to_owned(),
                // Which of its schemas a cause is from is part of what failed.
                ErrorKind::AllOf => below_all_of(error.schema_url, cause.schema_url),
                _ => error.schema_url.to_owned(),
            };
            one(cause, &from, values, level)
        })
        .collect();
    texts.sort();
    texts
}

fn below_all_of(schema: &str, cause: &str) -> String {
    let rest = cause.strip_prefix(schema).unwrap_or_default();
    let index = rest.strip_prefix("/allOf/").unwrap_or_default();
    let index = index.split('/').next().unwrap_or_default();
    format!("{schema}/allOf/{index}")
}

/// The text of an error that came up while checking against the schema `from` or one inside it.
fn one(
    error: &ValidationError<'_, '_>,
    from: &str,
    values: Option<&Value>,
    mut level: usize,
) -> String {
    let at = error.instance_location.to_string();
    let mut text = String::new();
    for up in all_of_above(from, error.schema_url) {
        let mut place = &*at;
        for _ in 0..up {
            place = place.rsplit_once('/').map_or("", |(above, _)| above);
        }
        let indent = "  ".repeat(level);
        text.push_str(&format!("{indent}- at {}: 'allOf' failed\n", quote(place)));
        level += 1;
    }
    // A reference says nothing where what it leads to fails for one reason.
    if let (ErrorKind::Reference { url, .. }, [cause]) = (&error.kind, &error.causes[..]) {
        return text + &one(cause, url, values, level);
    }
    // The reference looks no further where a format is wrong.
    if let Some(format) = format_of(error) {
        return text + &one(format, error.schema_url, values, level);
    }
    let held = || match &error.kind {
        ErrorKind::PropertyName { prop } if at.is_empty() => holder(values?, prop),
        _ => None,
    };
    let place = held().unwrap_or_else(|| at.clone());
    let indent = "  ".repeat(level);
    text.push_str(&format!(
        "{indent}- at {}: {}",
        quote(&place),
        kind(&error.kind)
    ));
    for cause in causes(error, values, level + 1) {
        text.push('\n');
        text.push_str(&cause);
    }
    text
}

/// For each `allOf` on the way from one schema to another inside it: how many steps of the value
/// come after it. The checker says nothing of an `allOf` of which one schema fails.
fn all_of_above(from: &str, to: &str) -> Vec<usize> {
    let Some(rest) = to.strip_prefix(from) else {
        return Vec::new();
    };
    let mut keywords = rest.trim_start_matches(['#', '/']).split('/').peekable();
    let mut found: Vec<usize> = Vec::new();
    while let Some(keyword) = keywords.next() {
        let (has_name, is_step) = match keyword {
            "properties" | "patternProperties" | "prefixItems" => (true, true),
            "$defs" | "definitions" | "dependentSchemas" | "dependencies" => (true, false),
            "anyOf" | "oneOf" | "allOf" => (true, false),
            "items" => {
                let is_index = |next: &&str| next.bytes().all(|byte| byte.is_ascii_digit());
                (keywords.peek().is_some_and(is_index), true)
            }
            "additionalProperties"
            | "additionalItems"
            | "contains"
            | "unevaluatedItems"
            | "unevaluatedProperties" => (false, true),
            _ => (false, false),
        };
        if has_name {
            keywords.next();
        }
        if is_step {
            found.iter_mut().for_each(|steps| *steps += 1);
        }
        if keyword == "allOf" {
            found.push(0);
        }
    }
    found
}

fn format_of<'a, 's, 'v>(
    error: &'a ValidationError<'s, 'v>,
) -> Option<&'a ValidationError<'s, 'v>> {
    let here = |cause: &&ValidationError<'_, '_>| {
        matches!(cause.kind, ErrorKind::Format { .. }) && cause.schema_url == error.schema_url
    };
    match error.kind {
        ErrorKind::Group => error.causes.iter().find(here),
        _ => None,
    }
}

/// Where the first map with the key `name` is, as a pointer.
fn holder(value: &Value, name: &str) -> Option<String> {
    match value {
        Value::Object(map) if map.contains_key(name) => Some(String::new()),
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            entries.into_iter().find_map(|(key, value)| {
                let key = key.replace('~', "~0").replace('/', "~1");
                holder(value, name).map(|below| format!("/{key}{below}"))
            })
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, value)| holder(value, name).map(|below| format!("/{index}{below}"))),
        _ => None,
    }
}

pub(super) fn kind(kind: &ErrorKind<'_, '_>) -> String {
    use ErrorKind as K;
    match kind {
        K::Group | K::Reference { .. } => "validation failed".to_owned(),
        K::Schema { url } => format!("jsonschema validation failed with {}", quote(url)),
        K::ContentSchema => "'contentSchema' failed".to_owned(),
        K::PropertyName { prop } => format!("invalid propertyName {}", quote(prop)),
        K::RefCycle {
            url,
            kw_loc1,
            kw_loc2,
        } => format!(
            "both {kw_loc1} and {kw_loc2} resolve to {} causing reference cycle",
            golang::strconv::quote(url)
        ),
        K::FalseSchema => "false schema".to_owned(),
        K::Type { got, want } => {
            let want: Vec<String> = want.iter().map(|one| one.to_string()).collect();
            format!("got {got}, want {}", want.join(" or "))
        }
        K::Enum { want } if want.iter().any(is_collection) => "'enum' failed".to_owned(),
        K::Enum { want } => match &want[..] {
            [one] => format!("value must be {}", shown(one)),
            _ => {
                let want: Vec<String> = want.iter().map(shown).collect();
                format!("value must be one of {}", want.join(", "))
            }
        },
        K::Const { want } if is_collection(want) => "'const' failed".to_owned(),
        K::Const { want } => format!("value must be {}", shown(want)),
        K::Format { got, want, err } => format!("{} is not valid {want}: {err}", shown(got)),
        K::MinProperties { got, want } => counts("minProperties", *got, *want),
        K::MaxProperties { got, want } => counts("maxProperties", *got, *want),
        K::MinItems { got, want } => counts("minItems", *got, *want),
        K::MaxItems { got, want } => counts("maxItems", *got, *want),
        K::MinLength { got, want } => counts("minLength", *got, *want),
        K::MaxLength { got, want } => counts("maxLength", *got, *want),
        K::AdditionalProperties { got } => {
            let mut names: Vec<&str> = got.iter().map(|name| &**name).collect();
            names.sort_unstable();
            format!("additional properties {} not allowed", quoted(&names))
        }
        K::AdditionalItems { got } => {
            format!("last {} additionalItem(s) not allowed", count(*got))
        }
        K::Required { want } => match &want[..] {
            [one] => format!("missing property {}", quote(one)),
            _ => format!("missing properties {}", quoted(want)),
        },
        K::Dependency { prop, missing } | K::DependentRequired { prop, missing } => format!(
            "properties {} required, if {} exists",
            quoted(missing),
            quote(prop)
        ),
        K::Contains => "no items match contains schema".to_owned(),
        K::MinContains { got, want } if got.is_empty() => format!(
            "min {} items required to match contains schema, but none matched",
            count(*want)
        ),
        K::MinContains { got, want } => matched("min", got, *want),
        K::MaxContains { got, want } => matched("max", got, *want),
        K::UniqueItems { got: [one, other] } => {
            format!("items at {} and {} are equal", count(*one), count(*other))
        }
        K::Pattern { got, want } => {
            format!("{} does not match pattern {}", quote(got), quote(want))
        }
        K::ContentEncoding { want, err } => {
            format!("value is not {} encoded: {err}", quote(want))
        }
        K::ContentMediaType { want, err, .. } => {
            format!("value is not of mediatype {}: {err}", quote(want))
        }
        K::Minimum { got, want } => numbers("minimum", got, want),
        K::Maximum { got, want } => numbers("maximum", got, want),
        K::ExclusiveMinimum { got, want } => numbers("exclusiveMinimum", got, want),
        K::ExclusiveMaximum { got, want } => numbers("exclusiveMaximum", got, want),
        K::MultipleOf { got, want } => numbers("multipleOf", got, want),
        K::Not => "'not' failed".to_owned(),
        K::AllOf => "'allOf' failed".to_owned(),
        K::AnyOf => "'anyOf' failed".to_owned(),
        K::OneOf(None) => "'oneOf' failed, none matched".to_owned(),
        K::OneOf(Some((one, other))) => format!(
            "'oneOf' failed, subschemas {}, {} matched",
            count(*one),
            count(*other)
        ),
    }
}

fn counts(what: &str, got: usize, want: usize) -> String {
    format!("{what}: got {}, want {}", count(got), count(want))
}

fn matched(what: &str, got: &[usize], want: usize) -> String {
    let places: Vec<String> = got.iter().map(ToString::to_string).collect();
    format!(
        "{what} {} items required to match contains schema, but matched {} items at {}",
        count(want),
        count(got.len()),
        places.join(" ")
    )
}

fn numbers(what: &str, got: &Number, want: &Number) -> String {
    format!("{what}: got {}, want {}", number(got), number(want))
}

fn is_collection(value: &Value) -> bool {
    value.is_array() || value.is_object()
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => quote(text),
        Value::Array(_) | Value::Object(_) => "value".to_owned(),
        _ => value.to_string(),
    }
}

/// Text in single quotes, escaped as in Go.
fn quote(text: &str) -> String {
    let quoted = golang::strconv::quote(text)
        .replace("\\\"", "\"")
        .replace('\'', "\\'");
    let inside = quoted.get(1..quoted.len() - 1).unwrap_or_default();
    format!("'{inside}'")
}

fn quoted(names: &[impl AsRef<str>]) -> String {
    let names: Vec<String> = names.iter().map(|name| quote(name.as_ref())).collect();
    names.join(", ")
}

/// A count with a comma every three digits.
fn count(value: usize) -> String {
    grouped(&value)
}

fn grouped(value: &impl Display) -> String {
    let text = value.to_string();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", &*text),
    };
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, format!(".{fraction}")),
        None => (digits, String::new()),
    };
    let mut out = sign.to_owned();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out + &fraction
}

/// A number as English prints it: `12,345.5`, `1.5×10⁰⁷`.
fn number(value: &Number) -> String {
    let text = golang::strconv::format_float_g(value.as_f64().unwrap_or_default());
    let Some((mantissa, exponent)) = text.split_once('e') else {
        return grouped(&text);
    };
    let raised = exponent.chars().filter_map(|digit| match digit {
        '-' => Some('⁻'),
        '0'..='9' => "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().nth(digit as usize - '0' as usize),
        _ => None,
    });
    format!("{mantissa}×10{}", raised.collect::<String>())
}
