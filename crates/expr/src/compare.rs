//! Equality and order of values.
//!
//! # Source
//! Numbers compare by value across types, other values of different types are unequal:
//! google/cel-go `common/types`, option `CrossTypeNumericComparisons`. Lists with keys or of
//! unique values ignore order: kubernetes/apiserver `pkg/cel/common/valuesunstructured.go`.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt::Write as _;

use object::Map;

use crate::shape::ListIdentity;
use crate::value::{List, MapValue, Value};

impl Value {
    /// Whether both are equal as `==` sees it.
    pub fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::Timestamp(a), Self::Timestamp(b)) => a == b,
            (Self::Duration(a), Self::Duration(b)) => a == b,
            (Self::Type(a), Self::Type(b)) => a == b,
            (Self::Quantity(a), Self::Quantity(b)) => a == b,
            (Self::Ip(a), Self::Ip(b)) => a == b,
            (Self::Cidr(a), Self::Cidr(b)) => a == b,
            (Self::Url(a), Self::Url(b)) => a.text == b.text,
            (Self::Semver(a), Self::Semver(b)) => a.cmp_precedence(b) == Ordering::Equal,
            (Self::Format(a), Self::Format(b)) => a == b,
            (Self::Opaque(a), Self::Opaque(b)) => std::sync::Arc::ptr_eq(a, b),
            (Self::Optional(a), Self::Optional(b)) => match (a, b) {
                (Some(a), Some(b)) => a.equals(b),
                (a, b) => a.is_none() && b.is_none(),
            },
            (Self::List(a), Self::List(b)) => lists_equal(a, b),
            (Self::Map(a), Self::Map(b)) if a.object().is_some() && b.object().is_some() => {
                objects_equal(a, b)
            }
            (Self::Map(a), Self::Map(b)) => {
                a.len() == b.len()
                    && a.iter()
                        .all(|(key, value)| b.get(&key).is_some_and(|other| value.equals(&other)))
            }
            _ => numbers(self, other) == Some(Some(Ordering::Equal)),
        }
    }

    /// The order of two values; `None` when they have none.
    pub(crate) fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            (Self::String(a), Self::String(b)) => Some(a.cmp(b)),
            (Self::Bytes(a), Self::Bytes(b)) => Some(a.cmp(b)),
            (Self::Timestamp(a), Self::Timestamp(b)) => Some(a.cmp(b)),
            (Self::Duration(a), Self::Duration(b)) => Some(a.cmp(b)),
            _ => numbers(self, other)?,
        }
    }

    /// Whether `order` is defined for the types of both; NaN has a type but no order.
    pub(crate) fn orders_with(&self, other: &Self) -> bool {
        numbers(self, other).is_some() || self.order(other).is_some()
    }
}

/// `None` when one is no number, `Some(None)` when one is NaN.
fn numbers(a: &Value, b: &Value) -> Option<Option<Ordering>> {
    use Value::{Double, Int, Uint};
    Some(match (a, b) {
        (Int(a), Int(b)) => Some(a.cmp(b)),
        (Uint(a), Uint(b)) => Some(a.cmp(b)),
        (Double(a), Double(b)) => a.partial_cmp(b),
        (Int(a), Uint(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
        (Uint(a), Int(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
        (Int(a), Double(b)) => integer_with_double(i128::from(*a), *b),
        (Uint(a), Double(b)) => integer_with_double(i128::from(*a), *b),
        (Double(a), Int(b)) => integer_with_double(i128::from(*b), *a).map(Ordering::reverse),
        (Double(a), Uint(b)) => integer_with_double(i128::from(*b), *a).map(Ordering::reverse),
        _ => return None,
    })
}

/// Outside of what 64 bits hold the double decides; inside both compare as doubles, which loses the
/// last digits of large integers, as in Kubernetes.
fn integer_with_double(integer: i128, double: f64) -> Option<Ordering> {
    (integer as f64).partial_cmp(&double)
}

/// Declared fields are equal as values, others as data; null is as good as absent.
fn objects_equal(a: &MapValue, b: &MapValue) -> bool {
    let (Some((left, object)), Some((right, _))) = (a.object(), b.object()) else {
        return false;
    };
    let present = |map: &Map| map.values().filter(|node| !node.is_null()).count();
    if left.same(right) {
        return true;
    }
    let visible = object.fields.iter().filter(|(_, field)| !field.hidden);
    let declared = |key: &str| visible.clone().find(|(_, field)| field.key == key);
    present(left) == present(right)
        && left
            .iter()
            .filter(|(_, node)| !node.is_null())
            .all(|(key, node)| match declared(key) {
                Some((name, _)) => match (a.field(name), b.field(name)) {
                    (Some(a), Some(b)) => a.equals(&b),
                    _ => false,
                },
                None => right.get(key) == Some(node),
            })
}

fn lists_equal(a: &List, b: &List) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let identity = match a.identity() {
        ListIdentity::Position => b.identity(),
        other => other,
    };
    if *identity == ListIdentity::Position {
        return a.iter().zip(b.iter()).all(|(a, b)| a.equals(&b));
    }
    let index = index(b, identity);
    a.iter().all(|item| {
        let at = index.get(&identity_of(&item, identity));
        at.and_then(|at| b.get(*at))
            .is_some_and(|other| item.equals(&other))
    })
}

/// Positions of the items of a list by what identifies them, so that comparing stays linear.
fn index(list: &List, identity: &ListIdentity) -> HashMap<String, usize> {
    let items = list.iter().enumerate();
    items
        .map(|(at, item)| (identity_of(&item, identity), at))
        .collect()
}

/// A text that is the same for items that are the same by `identity`.
fn identity_of(item: &Value, identity: &ListIdentity) -> String {
    let mut text = String::new();
    match (identity, item) {
        (ListIdentity::Keys(keys), Value::Map(map)) => {
            for key in keys {
                let name = crate::shape::escape(key).unwrap_or_else(|| key.clone());
                match map.field(&name) {
                    Some(value) => write_identity(&value, &mut text),
                    None => text.push('-'),
                }
            }
        }
        _ => write_identity(item, &mut text),
    }
    text
}

fn write_identity(value: &Value, text: &mut String) {
    // Writing to a String cannot fail.
    let _ = match value {
        Value::Double(number) if number.fract() == 0.0 => write!(text, "n{number:.0};"),
        Value::Int(_) | Value::Uint(_) | Value::Double(_) => write!(text, "n{};", value.display()),
        Value::String(own) => write!(text, "s{}:{own}", own.len()),
        Value::List(list) => {
            text.push('[');
            list.iter().for_each(|item| write_identity(&item, text));
            write!(text, "]")
        }
        Value::Map(map) => {
            let mut entries: Vec<String> = map
                .iter()
                .map(|(key, value)| {
                    let mut entry = String::new();
                    write_identity(&key, &mut entry);
                    write_identity(&value, &mut entry);
                    entry
                })
                .collect();
            entries.sort_unstable();
            write!(text, "{{{}}}", entries.concat())
        }
        other => write!(text, "o{};", other.display()),
    };
}

/// `a + b` for lists: items of `b` that `a` has, by the identity of `a`, replace them.
pub(crate) fn concatenate(a: &List, b: &List) -> List {
    let mut values: Vec<Value> = a.iter().collect();
    let identity = a.identity();
    if *identity == ListIdentity::Position {
        values.extend(b.iter());
        return List::new(values);
    }
    let mut index = index(a, identity);
    for item in b.iter() {
        let next = values.len();
        match *index.entry(identity_of(&item, identity)).or_insert(next) {
            at if at < next => values[at] = item,
            _ => values.push(item),
        }
    }
    List::new(values)
}
