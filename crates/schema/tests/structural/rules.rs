//! Rules in CEL.

use crate::{data, lines, object, schema};
use schema::structural::Structural;

/// Checks the rule over `spec`, whose schema is `{n: integer, s: string, …}`.
fn judge(rule: &str, old: Option<&str>, new: &str) -> String {
    let text = format!(
        "{{type: object, properties: {{spec: {{type: object, properties: {{n: {{type: integer}}, s: {{type: string}}, m: {{type: object, additionalProperties: {{type: integer}}}}, o: {{type: object, properties: {{n: {{type: integer}}}}}}}}, x-kubernetes-validations: [{rule}]}}}}}}"
    );
    let schema = Structural::compile(&data(&text)).unwrap_or_else(|errors| panic!("{errors:#?}"));
    let old = old.map(object);
    let found = schema.validate(&object(new), old.as_ref());
    let warnings: String = found
        .warnings
        .iter()
        .map(|error| format!("warning: {error}\n"))
        .collect();
    lines(&found.errors) + &warnings
}

#[test]
fn messages() {
    for (rule, new, expected) in [
        ("{rule: self.n > 1}", "{n: 2}", ""),
        (
            "{rule: self.n > 1}",
            "{n: 1}",
            "spec: Invalid value: failed rule: self.n > 1\n",
        ),
        (
            "{rule: self.n > 1, message: ' small '}",
            "{n: 1}",
            "spec: Invalid value: small\n",
        ),
        (
            "{rule: self.n > 1, messageExpression: '\"n is \" + (self.n == 1 ? \"one\" : \"less\")'}",
            "{n: 1}",
            "spec: Invalid value: n is one\n",
        ),
        // A message that cannot be shown falls back.
        (
            "{rule: self.n > 1, message: m, messageExpression: 'self.s'}",
            "{n: 1, s: ''}",
            "spec: Invalid value: m\n",
        ),
        (
            "{rule: self.n > 1, message: m, messageExpression: 'self.s'}",
            "{n: 1}",
            "spec: Invalid value: m\n",
        ),
        (
            "{rule: self.n > 1, message: m, reason: FieldValueForbidden, fieldPath: .n}",
            "{n: 1}",
            "spec.n: Forbidden: m\n",
        ),
        (
            "{rule: self.n > 1, message: m, reason: FieldValueRequired, fieldPath: .o.n}",
            "{n: 1}",
            "spec.o.n: Required value: m\n",
        ),
        (
            "{rule: self.n > 1, message: m, reason: FieldValueDuplicate}",
            "{n: 1}",
            "spec: Duplicate value\n",
        ),
        (
            "{rule: 'self.n > 1', message: m, fieldPath: \".m['a b']\"}",
            "{n: 1}",
            "spec.m[a b]: Invalid value: m\n",
        ),
        (
            "{rule: 'self.m[\"k\"] > 1'}",
            "{m: {}}",
            "spec: Invalid value: \"object\": no such key: k evaluating rule: self.m[\"k\"] > 1\n",
        ),
        (
            "{rule: '1 / self.n > 1', message: m}",
            "{n: 0}",
            "spec: Invalid value: \"object\": division by zero evaluating rule: m\n",
        ),
    ] {
        assert_eq!(judge(rule, None, new), expected, "{rule}");
    }
}

#[test]
fn rules_that_compare_need_something_to_compare_with() {
    let grows = "{rule: self.n >= oldSelf.n, message: shrinks}";
    assert_eq!(judge(grows, None, "{n: 1}"), "");
    assert_eq!(
        judge(grows, Some("{n: 2}"), "{n: 1}"),
        "spec: Invalid value: shrinks\n"
    );
    // They are never set aside for having failed before.
    let changes = "{rule: self.n != oldSelf.n, message: same}";
    assert_eq!(
        judge(changes, Some("{n: 2}"), "{n: 2}"),
        "spec: Invalid value: same\n"
    );
    let first = "{rule: 'oldSelf.hasValue() ? self.n > oldSelf.value().n : self.n == 0', optionalOldSelf: true, message: m}";
    assert_eq!(judge(first, None, "{n: 1}"), "spec: Invalid value: m\n");
    assert_eq!(judge(first, None, "{n: 0}"), "");
    assert_eq!(judge(first, Some("{n: 0}"), "{n: 1}"), "");
}

#[test]
fn a_failure_that_was_there_before_is_a_warning() {
    let small = "{rule: self.n < 10, message: big}";
    assert_eq!(
        judge(small, Some("{n: 11}"), "{n: 11}"),
        "warning: spec: Invalid value: big\n"
    );
    assert_eq!(
        judge(small, Some("{n: 11}"), "{n: 12}"),
        "spec: Invalid value: big\n"
    );
}

#[test]
fn old_items_are_found_by_their_keys() {
    let schema = schema(
        "l: {type: array, items: {type: object, properties: {k: {type: string}, v: {type: integer, x-kubernetes-validations: [{rule: self >= oldSelf, message: only up}]}}, required: [k]}, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k]},
         m: {type: object, additionalProperties: {type: integer, x-kubernetes-validations: [{rule: self >= oldSelf, message: only up}]}}",
    );
    let old = object("{l: [{k: a, v: 1}, {k: b, v: 5}], m: {x: 5}}");
    let new = object("{l: [{k: b, v: 4}, {k: c, v: 0}, {k: a, v: 2}], m: {x: 4, y: 0}}");
    assert_eq!(
        lines(&schema.validate(&new, Some(&old)).errors),
        "spec.l[0].v: Invalid value: 4: only up\nspec.m[x]: Invalid value: 4: only up\n"
    );
}

#[test]
fn one_object_has_one_budget() {
    // Definitions accepted by another server may hold rules this one would refuse.
    let stored = |properties: &str| {
        let text = format!(
            "{{type: object, properties: {{spec: {{type: object, properties: {{{properties}}}}}}}}}"
        );
        Structural::compile_stored(&data(&text)).expect("a shallow schema")
    };
    let schema = stored(
        "l: {type: array, items: {type: string, x-kubernetes-validations: [{rule: 'lists.range(40000).all(i, i >= 0) && lists.range(40000).all(i, i >= 0)'}]}}",
    );
    let many: Vec<&str> = vec!["a"; 50];
    let found = schema.validate(&object(&format!("{{l: [{}]}}", many.join(","))), None);
    let last = found
        .errors
        .last()
        .map(ToString::to_string)
        .unwrap_or_default();
    assert!(
        last.ends_with("validation failed due to running out of cost budget, no further validation rules will be run"),
        "{last}"
    );
    let schema = stored(
        "l: {type: string, x-kubernetes-validations: [{rule: 'lists.range(1000000).all(i, i >= 0)', message: m}]}",
    );
    assert_eq!(
        lines(&schema.validate(&object("{l: a}"), None).errors),
        "spec.l: Invalid value: \"string\": 'operation cancelled: actual cost limit exceeded': no further validation rules will be run due to call cost exceeds limit for rule: m\n"
    );
}

#[test]
fn rules_see_names_of_the_object_and_nothing_else_of_its_metadata() {
    let compile = |rule: &str| {
        let text = format!("{{type: object, x-kubernetes-validations: [{{rule: '{rule}'}}]}}");
        Structural::compile(&data(&text))
    };
    assert!(compile("self.metadata.name.startsWith(\"x\") && self.kind == \"Thing\"").is_ok());
    let refused = lines(&compile("size(self.metadata.labels) > 0").unwrap_err());
    assert!(refused.contains("undefined field 'labels'"), "{refused}");
}

#[test]
fn rules_that_could_cost_too_much_are_refused() {
    let refused = |level: &str| {
        let text = format!("{{type: object, properties: {{a: {level}}}}}");
        match Structural::compile(&data(&text)) {
            Ok(_) => String::new(),
            Err(errors) => lines(&errors).replace("openAPIV3Schema", "~"),
        }
    };
    let advice = "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)";
    let total =
        "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema";
    let rule = "~.properties[a].x-kubernetes-validations[0].rule: Forbidden";
    let pairs = |bound: &str| {
        format!(
            "{{type: array, items: {{type: integer}}{bound}, x-kubernetes-validations: [{{rule: 'self.all(x, self.all(y, x != y))'}}]}}"
        )
    };
    assert_eq!(refused(&pairs(", maxItems: 100")), "");
    assert_eq!(
        refused(&pairs("")),
        format!(
            "{rule}: estimated rule cost exceeds budget by factor of more than 100x {advice}\n{rule}: {total}\n~: Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of more than 100x {advice}\n"
        )
    );
    // A rule below a list counts once for every item that fits a request.
    assert_eq!(
        refused(
            "{type: array, items: {type: object, properties: {s: {type: string}}, x-kubernetes-validations: [{rule: 'self.s.matches(\"x\")'}]}}"
        ),
        format!(
            "~.properties[a].items.x-kubernetes-validations[0].rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x {advice}\n~.properties[a].items.x-kubernetes-validations[0].rule: Forbidden: {total}\n~: Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of more than 100x {advice}\n"
        )
    );
    // Nobody knows how long the text of a number is.
    let message = refused(
        "{type: integer, x-kubernetes-validations: [{rule: self > 1, messageExpression: '\"n is \" + string(self)'}]}",
    );
    assert!(
        message.starts_with("~.properties[a].x-kubernetes-validations[0].messageExpression: Forbidden: estimated messageExpression cost exceeds budget by factor of more than 100x"),
        "{message}"
    );
}

#[test]
fn fields_without_a_type_can_be_compared() {
    let judge = |rule: &str, old: &str, new: &str| {
        let text = format!(
            "{{type: object, properties: {{spec: {{type: object, properties: {{a: {{x-kubernetes-preserve-unknown-fields: true}}, b: {{type: string}}}}, x-kubernetes-validations: [{{rule: '{rule}', message: m}}]}}}}}}"
        );
        let schema =
            Structural::compile(&data(&text)).unwrap_or_else(|errors| panic!("{errors:#?}"));
        let found = schema.validate(&object(new), Some(&object(old)));
        lines(&found.errors)
    };
    let refused = "spec: Invalid value: m\n";
    let same = "[dyn(self).?a] == [dyn(oldSelf).?a]";
    for (rule, old, new, expected) in [
        (same, "{a: x}", "{a: x, b: c}", ""),
        (same, "{a: x}", "{a: y}", refused),
        (same, "{a: {n: [1]}}", "{a: {n: [1]}, b: c}", ""),
        (same, "{a: {n: [1]}}", "{a: {n: [2]}}", refused),
        (same, "{a: x}", "{a: {n: x}}", refused),
        (same, "{a: x}", "{b: c}", refused),
        (same, "{b: c}", "{a: x}", refused),
        ("has(dyn(self).a)", "{}", "{a: x}", ""),
        ("has(dyn(self).a)", "{}", "{b: c}", refused),
        ("[dyn(self).a] == [\"x\"]", "{}", "{a: x}", ""),
        ("self == oldSelf", "{a: {n: 1}}", "{a: {n: 1}}", ""),
        ("self == oldSelf", "{a: {n: 1}}", "{a: {n: 2}}", refused),
    ] {
        assert_eq!(judge(rule, old, new), expected, "{rule}: {old} to {new}");
    }
}
