//! Reading canonical objects, and collecting what is wrong with them.

use std::collections::BTreeSet;

use golang::quantity::Quantity;
use object::{Map, Node};

use crate::field_error::{FieldError, FieldValue, Place};

static NULL: Node = Node::Null;

/// Reads fields as Go structs have them: what is absent is zero.
pub(super) trait Fields {
    /// The value of a field; null when absent.
    fn sub(&self, key: &str) -> &Node;
    /// Whether a pointer is set.
    fn has(&self, key: &str) -> bool;
    /// Text; empty when absent.
    fn text(&self, key: &str) -> &str;
    /// A number behind a pointer.
    fn int(&self, key: &str) -> Option<i64>;
    /// A plain number; zero when absent.
    fn number(&self, key: &str) -> i64;
    /// A boolean; false when absent.
    fn flag(&self, key: &str) -> bool;
    /// Items of a list; none when absent.
    fn items(&self, key: &str) -> &[Node];
    /// Entries of a map; none when absent.
    fn entries(&self, key: &str) -> Vec<(&str, &Node)>;
}

impl Fields for Node {
    fn sub(&self, key: &str) -> &Node {
        self.get(key).unwrap_or(&NULL)
    }

    fn has(&self, key: &str) -> bool {
        !self.sub(key).is_null()
    }

    fn text(&self, key: &str) -> &str {
        self.sub(key).as_str().unwrap_or_default()
    }

    fn int(&self, key: &str) -> Option<i64> {
        self.sub(key).as_i64()
    }

    fn number(&self, key: &str) -> i64 {
        self.int(key).unwrap_or(0)
    }

    fn flag(&self, key: &str) -> bool {
        self.sub(key).as_bool().unwrap_or(false)
    }

    fn items(&self, key: &str) -> &[Node] {
        self.sub(key).as_list().unwrap_or_default()
    }

    fn entries(&self, key: &str) -> Vec<(&str, &Node)> {
        let map = self.sub(key).as_map();
        let entries = map.into_iter().flat_map(Map::iter);
        entries.map(|(key, value)| (key.as_str(), value)).collect()
    }
}

/// Most errors that are reported for one object.
///
/// An object of 3 MiB can hold a hundred thousand broken items; nobody reads more than a page, and
/// the answer has to stay smaller than the request.
const ERRORS_MAX: usize = 1000;

/// The errors found so far, in order; those beyond [`ERRORS_MAX`] are only counted.
#[derive(Default)]
pub(super) struct Errors {
    list: Vec<FieldError>,
    count: usize,
}

/// Values of which each may stand once.
pub(super) struct Seen<T>(BTreeSet<T>);

impl<T> Default for Seen<T> {
    fn default() -> Self {
        Self(BTreeSet::new())
    }
}

impl<T: Ord> Seen<T> {
    /// Whether `value` was here before; it is from now on.
    pub(super) fn again(&mut self, value: T) -> bool {
        !self.0.insert(value)
    }
}

impl Errors {
    pub(super) fn into_list(self) -> Vec<FieldError> {
        self.list
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn push(&mut self, error: FieldError) {
        self.count += 1;
        if self.list.len() < ERRORS_MAX {
            self.list.push(error);
        }
    }

    pub(super) fn required(&mut self, place: &Place<'_>, detail: &str) {
        self.push(FieldError::required(place, detail));
    }

    pub(super) fn forbidden(&mut self, place: &Place<'_>, detail: impl Into<String>) {
        self.push(FieldError::forbidden(place, detail));
    }

    pub(super) fn invalid(
        &mut self,
        place: &Place<'_>,
        value: impl Into<FieldValue>,
        detail: impl Into<String>,
    ) {
        self.push(FieldError::invalid(place, value, detail));
    }

    pub(super) fn duplicate(&mut self, place: &Place<'_>, value: impl Into<FieldValue>) {
        self.push(FieldError::duplicate(place, value));
    }

    /// One error per message about the same value.
    pub(super) fn invalid_each(&mut self, place: &Place<'_>, value: &str, messages: Vec<String>) {
        for message in messages {
            self.invalid(place, value, message);
        }
    }

    /// Refuses text that is not one of `supported`.
    pub(super) fn one_of(&mut self, place: &Place<'_>, value: &str, supported: &[&str]) {
        if !supported.contains(&value) {
            let supported = supported.iter().copied();
            self.push(FieldError::not_supported(place, value, supported));
        }
    }

    /// [`Errors::one_of`], with empty text being an error of its own.
    pub(super) fn required_one_of(&mut self, place: &Place<'_>, value: &str, supported: &[&str]) {
        match value {
            "" => self.required(place, ""),
            value => self.one_of(place, value, supported),
        }
    }

    /// [`Errors::one_of`] for a field that may be absent.
    pub(super) fn optional_one_of(&mut self, place: &Place<'_>, value: &str, supported: &[&str]) {
        if !value.is_empty() {
            self.one_of(place, value, supported);
        }
    }

    /// Refuses a negative number.
    pub(super) fn not_negative(&mut self, place: &Place<'_>, value: Option<i64>) {
        if let Some(value) = value.filter(|value| *value < 0) {
            self.invalid(place, value, NEGATIVE);
        }
    }

    /// Refuses numbers that are no ports.
    pub(super) fn port(&mut self, place: &Place<'_>, port: i64) {
        if !(1..=65_535).contains(&port) {
            self.invalid(place, port, "must be between 1 and 65535, inclusive");
        }
    }

    /// Refuses a negative amount.
    pub(super) fn quantity_not_negative(&mut self, place: &Place<'_>, node: &Node) {
        if amount(node).is_negative() {
            self.invalid(place, node, NEGATIVE);
        }
    }
}

pub(super) const NEGATIVE: &str = "must be greater than or equal to 0";

/// The amount of a quantity; canonical objects hold only readable ones.
pub(super) fn amount(node: &Node) -> Quantity {
    let text = node.as_str().unwrap_or("0");
    text.parse().unwrap_or(Quantity::ZERO)
}

/// Labels as they stand in messages: JSON with sorted keys, `null` when absent.
pub(super) fn labels_value(labels: &Node) -> FieldValue {
    let mut labels = labels.clone();
    labels.sort_keys();
    FieldValue::from(&labels)
}
