//! The functions of the standard library and of the libraries beyond it.

pub(crate) mod core;
pub(crate) mod encoders;
pub(crate) mod formats;
pub(crate) mod lists;
pub(crate) mod math;
pub(crate) mod network;
pub(crate) mod optionals;
pub(crate) mod patterns;
pub(crate) mod printf;
pub(crate) mod quantity;
pub(crate) mod semvers;
pub(crate) mod sets;
pub(crate) mod strings;
pub(crate) mod times;
pub(crate) mod url;

use crate::Libraries;
use crate::cost::Cost;
use crate::error::EvalErrorKind;
use crate::{Shape, Value};

pub(crate) type Outcome = Result<Value, EvalErrorKind>;

/// One function; overloads by type are inside.
#[derive(Debug)]
pub(crate) struct Function {
    /// With its namespace: `sets.contains`.
    pub name: &'static str,
    /// Called as `receiver.name(…)`; the receiver counts as an argument.
    pub member: bool,
    /// Fewest and most arguments.
    pub arity: (usize, usize),
    /// What the first argument may be; empty for anything.
    pub first: &'static [&'static str],
    pub cost: Cost,
    /// What it gives; `Dyn` when that depends.
    pub gives: Shape,
    pub call: fn(&[Value]) -> Outcome,
}

/// A function called as `name(…)`.
pub(crate) const fn global(
    name: &'static str,
    arity: (usize, usize),
    cost: Cost,
    gives: Shape,
    call: fn(&[Value]) -> Outcome,
) -> Function {
    Function {
        name,
        member: false,
        arity,
        first: &[],
        cost,
        gives,
        call,
    }
}

/// A function called as `receiver.name(…)` on values of the types `first`.
pub(crate) const fn member(
    name: &'static str,
    arity: (usize, usize),
    first: &'static [&'static str],
    cost: Cost,
    gives: Shape,
    call: fn(&[Value]) -> Outcome,
) -> Function {
    Function {
        name,
        member: true,
        arity,
        first,
        cost,
        gives,
        call,
    }
}

const LATER_LISTS: Libraries = Libraries::LISTS.and(Libraries::LATER);
const LATER_MATH: Libraries = Libraries::MATH.and(Libraries::LATER);

/// Functions with the libraries that bring them.
static LIBRARIES: [(Libraries, &[Function]); 22] = [
    (Libraries::STANDARD, core::FUNCTIONS),
    (Libraries::STANDARD, strings::FUNCTIONS),
    // The later `format` comes before the one it took the place of.
    (Libraries::LATER, printf::FUNCTIONS),
    (Libraries::STANDARD, printf::EARLIER_FUNCTIONS),
    (Libraries::STANDARD, sets::FUNCTIONS),
    (Libraries::STANDARD, patterns::FUNCTIONS),
    (Libraries::STANDARD, times::FUNCTIONS),
    (Libraries::STANDARD, optionals::FUNCTIONS),
    (Libraries::LATER, optionals::LATER_FUNCTIONS),
    (LATER_LISTS, lists::LATER_FUNCTIONS),
    // Their `reverse` takes text as well, so they come first.
    (Libraries::LISTS, lists::FUNCTIONS),
    (Libraries::STRINGS, strings::LATER_FUNCTIONS),
    (Libraries::MATH, math::FUNCTIONS),
    (LATER_MATH, math::LATER_FUNCTIONS),
    (Libraries::ENCODERS, encoders::FUNCTIONS),
    (Libraries::KUBERNETES, lists::KUBERNETES_FUNCTIONS),
    (Libraries::KUBERNETES, patterns::KUBERNETES_FUNCTIONS),
    (Libraries::KUBERNETES, quantity::FUNCTIONS),
    (Libraries::KUBERNETES, network::FUNCTIONS),
    (Libraries::KUBERNETES, url::FUNCTIONS),
    (Libraries::KUBERNETES, semvers::FUNCTIONS),
    (Libraries::KUBERNETES, formats::FUNCTIONS),
];

/// All functions of a name in `libraries`.
pub(crate) fn find(
    libraries: Libraries,
    name: &str,
    member: bool,
) -> impl Iterator<Item = &'static Function> {
    LIBRARIES
        .iter()
        .filter(move |(library, _)| libraries.has(*library))
        .flat_map(|(_, functions)| functions.iter())
        .filter(move |function| function.member == member && function.name == name)
}

/// The type a name stands for where a value is expected.
pub(crate) fn type_named(name: &str) -> Option<Value> {
    let known = match name {
        "timestamp" | "duration" => return None,
        "bool"
        | "int"
        | "uint"
        | "double"
        | "string"
        | "bytes"
        | "list"
        | "map"
        | "null_type"
        | "type"
        | "optional_type"
        | "google.protobuf.Timestamp"
        | "google.protobuf.Duration"
        | "net.IP"
        | "net.CIDR"
        | "kubernetes.Quantity"
        | "kubernetes.URL"
        | "kubernetes.Semver"
        | "kubernetes.NamedFormat" => name,
        _ => return None,
    };
    Some(Value::Type(known.into()))
}

pub(crate) fn no_overload() -> Outcome {
    Err(EvalErrorKind::NoSuchOverload)
}

pub(crate) fn text(value: &Value) -> Result<&str, EvalErrorKind> {
    value.as_str().ok_or(EvalErrorKind::NoSuchOverload)
}

pub(crate) fn int(value: &Value) -> Result<i64, EvalErrorKind> {
    match value {
        Value::Int(value) => Ok(*value),
        Value::Uint(value) => i64::try_from(*value).map_err(|_| EvalErrorKind::NoSuchOverload),
        _ => Err(EvalErrorKind::NoSuchOverload),
    }
}

pub(crate) fn list(value: &Value) -> Result<&crate::List, EvalErrorKind> {
    match value {
        Value::List(list) => Ok(list),
        _ => Err(EvalErrorKind::NoSuchOverload),
    }
}
