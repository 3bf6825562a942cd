//! Declared variables: what the check finds, and how data reads by its declaration.

use std::sync::Arc;

use expr::{
    Bindings, Budget, ListIdentity, ListShape, ObjectShape, Options, Program, Shape, Value, escape,
};
use object::Node;

fn spec() -> Shape {
    let mut item = ObjectShape::default();
    item.declare("name", Shape::String);
    item.declare("v", Shape::Int);
    let mut object = ObjectShape::default();
    object.declare("replicas", Shape::Int);
    object.declare("name", Shape::String);
    object.declare("share", Shape::Double);
    object.declare("kebab-name", Shape::String);
    object.declare("namespace", Shape::String);
    object.declare("since", Shape::Timestamp);
    object.declare("every", Shape::Duration);
    object.declare("data", Shape::Bytes);
    object.declare("either", Shape::Dyn);
    object.declare("labels", Shape::map(Shape::String));
    object.declare(
        "items",
        Shape::List(Arc::new(ListShape {
            item: Shape::Object(Arc::new(item)),
            identity: ListIdentity::Keys(vec!["name".into()]),
        })),
    );
    object.declare(
        "set",
        Shape::List(Arc::new(ListShape {
            item: Shape::String,
            identity: ListIdentity::Value,
        })),
    );
    Shape::Object(Arc::new(object))
}

fn compile(text: &str) -> Result<Program, String> {
    let options = Options::declared([("self", spec()), ("oldSelf", spec())]).result(Shape::Bool);
    Program::compile(text, &options).map_err(|error| {
        let text = error.to_string();
        text.lines().next().unwrap_or_default().to_owned()
    })
}

#[test]
fn the_check_finds_what_cannot_work() {
    for (text, expected) in [
        (
            "self.nope == 1",
            "ERROR: <input>:1:5: undefined field 'nope'",
        ),
        (
            "has(self.nope)",
            "ERROR: <input>:1:9: undefined field 'nope'",
        ),
        (
            "nope",
            "ERROR: <input>:1:1: undeclared reference to 'nope' (in container '')",
        ),
        (
            "self.replicas",
            "ERROR: <input>:1:5: expected type 'bool' but found 'int'",
        ),
        (
            "self.replicas == 'a'",
            "ERROR: <input>:1:15: found no matching overload for '_==_' applied to '(int, string)'",
        ),
        (
            "self.name + 1 == 'a'",
            "ERROR: <input>:1:11: found no matching overload for '_+_' applied to '(string, int)'",
        ),
        (
            "self.replicas.startsWith('a')",
            "ERROR: <input>:1:25: found no matching overload for 'startsWith' applied to 'int.(string)'",
        ),
        (
            "self.name.nope",
            "ERROR: <input>:1:10: type 'string' does not support field selection",
        ),
        (
            "self.replicas.all(x, true)",
            "ERROR: <input>:1:5: expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)",
        ),
        (
            "self.items.all(i, i.nope == 1)",
            "ERROR: <input>:1:20: undefined field 'nope'",
        ),
        (
            "self.name == null",
            "ERROR: <input>:1:11: found no matching overload for '_==_' applied to '(string, null)'",
        ),
        (
            "self.set.sum() == 'a'",
            "ERROR: <input>:1:13: found no matching overload for 'sum' applied to 'list(string).()'",
        ),
        (
            "self.name in [1, 'a']",
            "ERROR: <input>:1:18: expected type 'int' but found 'string'",
        ),
        (
            "self.name.matches('(')",
            "ERROR: <input>:1:19: invalid matches argument",
        ),
        (
            "self.every < duration('1d')",
            "ERROR: <input>:1:23: invalid duration argument",
        ),
        (
            "self.items.exists(i, i.v)",
            "ERROR: <input>:1:23: found no matching overload for '_||_' applied to '(bool, int)'",
        ),
    ] {
        assert_eq!(
            compile(text).map(|_| ()),
            Err(expected.to_owned()),
            "{text}"
        );
    }
    for text in [
        "self.replicas < 1.5",
        "self.either + 1 == 2",
        "type(self.either) == int ? self.either > 0 : self.either.endsWith('%')",
        "self == oldSelf && self.items == oldSelf.items",
        "self.?name.orValue('') == '' && self.labels.?a.hasValue()",
        "self.labels['a'] == self.labels.b",
        "quantity(self.name).isLessThan(quantity('1'))",
        "self.since + self.every > timestamp('2020-01-01T00:00:00Z')",
        "self.items.map(i, i.v).sum() > 0 && self.set.join(',') != ''",
        "self == null || self.since == null || self.either == null",
        "size(self.data) > 0",
        "'%s %d'.format([self.name, 1]) == ''",
        "self.items[0].name in self.labels && 'a' in self.set",
        "cel.bind(x, self.items, x.all(i, i.v > 0))",
    ] {
        assert!(compile(text).is_ok(), "{text}: {:?}", compile(text));
    }
}

fn holds(text: &str, new: &str, old: &str) -> bool {
    let parse = |text: &str| -> Node {
        object::json::parse(text.as_bytes(), object::json::OBJECT_LIMITS).unwrap()
    };
    let shape = spec();
    let bindings = Bindings::new()
        .bind("self", Value::shaped(&parse(new), &shape))
        .bind("oldSelf", Value::shaped(&parse(old), &shape));
    let program = compile(text).unwrap();
    program.evaluate(&bindings, Budget::CALL) == Ok(Value::Bool(true))
}

#[test]
fn data_reads_as_it_is_declared() {
    let data = r#"{"replicas": 3, "share": 1, "kebab-name": "k", "namespace": "n",
        "since": "2024-01-01T00:00:00Z", "every": "90s", "data": "aGk=",
        "items": [{"name": "a", "v": 1}, {"name": "b", "v": 2}], "set": ["x", "y"]}"#;
    for text in [
        "type(self.share) == double",
        "self.kebab__dash__name + self.__namespace__ == 'kn'",
        "self.namespace == 'n' && has(self.namespace)",
        "self.since.getFullYear() == 2024",
        "self.every == duration('1m30s')",
        "self.data == b'hi'",
        "self == oldSelf",
    ] {
        assert!(holds(text, data, data), "{text}");
    }
}

#[test]
fn lists_with_keys_and_sets_ignore_order_and_add_by_key() {
    let one = r#"{"items": [{"name": "a", "v": 1}, {"name": "b", "v": 2}], "set": ["x", "y"]}"#;
    let two = r#"{"items": [{"name": "b", "v": 2}, {"name": "a", "v": 1}], "set": ["y", "x"]}"#;
    let three = r#"{"items": [{"name": "b", "v": 7}, {"name": "c", "v": 1}], "set": ["y", "z"]}"#;
    assert!(holds(
        "self.items == oldSelf.items && self.set == oldSelf.set",
        one,
        two
    ));
    assert!(!holds("self.items == oldSelf.items", one, three));
    let sum = "(self.items + oldSelf.items).map(i, i.name + string(i.v)) == ['a1', 'b7', 'c1']";
    assert!(holds(sum, one, three));
    assert!(holds(
        "(self.set + oldSelf.set) == ['x', 'y', 'z']",
        one,
        three
    ));
}

#[test]
fn null_fields_are_absent_and_undeclared_ones_count_in_equality() {
    assert!(holds(
        "!has(self.name) && !has(self.labels)",
        r#"{"name": null}"#,
        "{}"
    ));
    assert!(holds(
        "self == oldSelf",
        r#"{"name": null, "x": 1}"#,
        r#"{"x": 1}"#
    ));
    assert!(holds("self != oldSelf", r#"{"x": 1}"#, r#"{"x": 2}"#));
}

#[test]
fn names_are_escaped_as_kubernetes_does() {
    for (key, name) in [
        ("a", Some("a")),
        ("a.b-c/d", Some("a__dot__b__dash__c__slash__d")),
        ("a__b", Some("a__underscores__b")),
        ("in", Some("__in__")),
        ("2a", None),
        ("a b", None),
        ("", None),
    ] {
        assert_eq!(escape(key).as_deref(), name, "{key}");
    }
}
