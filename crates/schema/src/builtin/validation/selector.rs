//! Label selectors: whether they are well-formed, and what they match.

use object::{LabelSelector, Node};

use super::{Errors, Fields, names};
use crate::field_error::Place;

/// Refuses keys and values that are no labels; errors stand at the map itself.
pub(super) fn labels(errors: &mut Errors, place: &Place<'_>, labels: &Node) {
    for (key, value) in labels.as_map().into_iter().flat_map(|map| map.iter()) {
        errors.invalid_each(place, key, names::qualified(key));
        let value = value.as_str().unwrap_or_default();
        errors.invalid_each(place, value, names::label_value(value));
    }
}

/// Refuses what is no label selector; an absent one is fine.
pub(super) fn check(errors: &mut Errors, place: &Place<'_>, selector: &Node) {
    labels(
        errors,
        &place.child("matchLabels"),
        selector.sub("matchLabels"),
    );
    let expressions = place.child("matchExpressions");
    for (at, expression) in selector.items("matchExpressions").iter().enumerate() {
        requirement(errors, &expressions.index(at), expression);
    }
}

fn requirement(errors: &mut Errors, place: &Place<'_>, expression: &Node) {
    let values = expression.items("values");
    match expression.text("operator") {
        "In" | "NotIn" if values.is_empty() => {
            let text = "must be specified when `operator` is 'In' or 'NotIn'";
            errors.required(&place.child("values"), text);
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            let text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
            errors.forbidden(&place.child("values"), text);
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        other => errors.invalid(
            &place.child("operator"),
            other,
            "not a valid selector operator",
        ),
    }
    let key = expression.text("key");
    errors.invalid_each(&place.child("key"), key, names::qualified(key));
    let place = place.child("values");
    for (at, value) in values.iter().enumerate() {
        let value = value.as_str().unwrap_or_default();
        errors.invalid_each(&place.index(at), value, names::label_value(value));
    }
}

/// Whether nothing is asked for; absent is not empty.
pub(super) fn is_empty(selector: &Node) -> bool {
    !selector.is_null()
        && selector
            .sub("matchLabels")
            .as_map()
            .is_none_or(|map| map.is_empty())
        && selector.items("matchExpressions").is_empty()
}

/// Whether a selector can be used at all.
pub(super) fn is_usable(selector: &Node) -> bool {
    let mut errors = Errors::default();
    check(&mut errors, &Place::ROOT, selector);
    errors.len() == 0
}

/// Whether `labels` fit `selector`; an absent selector matches nothing.
pub(super) fn matches(selector: &Node, labels: &Node) -> bool {
    if selector.is_null() {
        return false;
    }
    LabelSelector::from_node(selector).matches(labels.as_map())
}

/// `selector` as it stands in messages.
pub(super) fn value(selector: &Node) -> crate::FieldValue {
    let mut shown = selector.clone();
    if let Some(labels) = shown.get_mut("matchLabels") {
        labels.sort_keys();
    }
    crate::FieldValue::from(&shown)
}
