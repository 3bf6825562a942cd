//! What operations cost.
//!
//! # Source
//! google/cel-go `interpreter/runtimecost.go` and `common/cost.go`; kubernetes/apiserver
//! `pkg/cel/library/cost.go`. Macros cost what their steps cost.

use crate::Value;

/// A name, a field, an item.
pub(crate) const SELECT: u64 = 1;
/// `[…]`
pub(crate) const LIST: u64 = 10;
/// `{…}`
pub(crate) const MAP: u64 = 30;
/// `Type{…}`
pub(crate) const STRUCT: u64 = 40;

/// How the cost of a function follows from its arguments and result.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cost {
    /// One unit.
    One,
    /// A tenth of the size of the first argument.
    Traverse,
    /// Twice that: the traversal and the building of the result.
    Rebuild,
    /// A fifth of the size of the result.
    Build,
    /// The smaller of both arguments.
    Equal,
    /// Both arguments.
    Concatenate,
    /// The size of the second argument.
    In,
    /// First argument times second.
    Search,
    /// First argument times a quarter of the second.
    Regex,
    /// Every element of the first argument.
    Elements,
    /// Every element of the first with every other.
    Square,
    /// Every element of the first with every element of the second.
    Pairs,
    /// The same in both directions.
    PairsTwice,
    /// First argument against a long fixed pattern.
    Format,
}

fn tenth(size: u64) -> u64 {
    size.div_ceil(10)
}

fn elements(value: &Value) -> u64 {
    match value {
        Value::List(list) => list
            .iter()
            .map(|item| match item {
                Value::String(_) | Value::Bytes(_) => tenth(item.size()),
                _ => 1,
            })
            .sum(),
        other => tenth(other.size()),
    }
}

/// Weight from which values cost more than Kubernetes charges for them, as it knows only their
/// outermost level and takes the length of a text for free.
const HEAVY: u64 = 1_000;

/// What a value costs that is built, or walked to its last leaf.
pub(crate) fn heavy(value: &Value) -> u64 {
    match value.weight() {
        weight if weight > HEAVY => weight / 10,
        _ => 0,
    }
}

/// What the texts among the arguments cost when nothing else is charged for them.
fn texts(arguments: &[Value]) -> u64 {
    let bytes = arguments.iter().map(|value| match value {
        Value::String(text) => text.len() as u64,
        _ => 0,
    });
    bytes.sum::<u64>() / HEAVY
}

impl Cost {
    /// Whether the result has no part in it, so that it can be paid in advance.
    pub(crate) fn is_known_before(self) -> bool {
        !matches!(self, Self::Build)
    }

    pub(crate) fn of(self, arguments: &[Value], result: Option<&Value>) -> u64 {
        let size = |index: usize| arguments.get(index).map_or(1, Value::size);
        match self {
            Self::One => 1 + texts(arguments),
            Self::Traverse => tenth(size(0)),
            Self::Rebuild => tenth(2 * size(0)),
            Self::Build => result.map_or(1, |value| tenth(2 * value.size())),
            Self::Equal => tenth(deep_size(&arguments[0], arguments.get(1))),
            Self::Concatenate => match arguments.first() {
                Some(Value::String(_) | Value::Bytes(_)) => tenth(size(0) + size(1)),
                // Lists are copied here, so they cost what they hold.
                Some(Value::List(_)) => 1 + tenth(size(0) + size(1)),
                _ => 1,
            },
            Self::In => match arguments.get(1) {
                Some(Value::List(_)) => size(1),
                _ => 1,
            },
            Self::Search => tenth(size(0)) * tenth(size(1)),
            Self::Regex => tenth(1 + size(0)) * size(1).div_ceil(4),
            Self::Elements => arguments.first().map_or(0, elements),
            Self::Square => 1 + size(0).saturating_mul(size(0)),
            Self::Pairs => 1 + size(0).saturating_mul(size(1)),
            Self::PairsTwice => 1 + size(0).saturating_mul(size(1)).saturating_mul(2),
            Self::Format => {
                // A quarter of the length of the pattern behind the format.
                let pattern = match arguments.first() {
                    Some(Value::Format(name)) if name.contains("Label") => 8,
                    _ => 15,
                };
                tenth(1 + size(1)) * pattern
            }
        }
    }
}

/// The smaller size of two compared values. Kubernetes counts only the outermost level; what is
/// inside is counted here too when it is much, as comparing it takes time.
fn deep_size(a: &Value, b: Option<&Value>) -> u64 {
    let Some(b) = b else {
        return a.size();
    };
    let deep = a.deep_weight().min(b.deep_weight());
    let outer = a.size().min(b.size());
    if deep > HEAVY { deep.max(outer) } else { outer }
}
