//! Values without an end, texts without a bottom: an error, and no overflow of the stack.

use std::sync::Arc;

use gotemplate::{CallError, Context, Limits, Map, Set, Value};
use helm::functions::DEPTH_MAX;

use crate::functions::functions;
use crate::recording::Fixed;

fn call(name: &str, value: Value) -> Result<Value, CallError> {
    let function = functions().get(name).expect("a function");
    let mut host = ();
    let set = Arc::<Set>::default();
    let world = Fixed::default();
    let mut context = Context::new(&set, &world, &mut host, Limits::default());
    (function.body)(&mut context, &mut [value])
}

const WRITERS: [&str; 7] = [
    "toYaml",
    "mustToYaml",
    "toYamlPretty",
    "toToml",
    "mustToToml",
    "toJson",
    "mustToJson",
];

fn nested(depth: usize) -> Value {
    (0..depth).fold(Value::int(1), |inner, level| match level % 2 {
        0 => Value::Map(Map::from_iter([("a", inner)])),
        _ => Value::list([inner]),
    })
}

#[test]
fn a_map_that_contains_itself_is_not_written() {
    for name in WRITERS {
        let map = Map::default();
        map.insert("self", Value::Map(map.clone()));
        let result = call(name, Value::Map(map.clone()));
        match result {
            Err(CallError::Limit(_)) => {}
            // JSON notices what it is.
            Err(CallError::Failed(text)) if text.contains("cycle") => {}
            Ok(Value::String(text)) if text.is_empty() && matches!(name, "toJson" | "toYaml") => {}
            other => panic!("{name}: {other:?}"),
        }
        map.remove(b"self");
    }
}

#[test]
fn toml_meets_nil_in_a_list_before_a_map_that_contains_itself() {
    let map = Map::default();
    map.insert("a", Value::Map(map.clone()));
    map.insert("z", Value::list([Value::list([Value::Nil])]));
    match call("toToml", Value::Map(map.clone())) {
        Ok(Value::String(text)) => {
            assert_eq!(text.to_text(), "toml: cannot encode array with nil element");
        }
        other => panic!("{:?}", other.map(|value| value.type_name())),
    }
    map.remove(b"a");
}

#[test]
fn a_value_that_doubles_at_every_level_is_not_written() {
    for name in WRITERS {
        let value = (0..60).fold(Value::int(1), |inner, _| {
            Value::Map(Map::from_iter([("a", inner.clone()), ("b", inner)]))
        });
        match call(name, value) {
            Err(CallError::Limit(_)) => {}
            other => panic!("{name}: {:?}", other.map(|value| value.type_name())),
        }
    }
}

#[test]
fn deep_values_are_written_up_to_the_limit() {
    for name in WRITERS {
        assert!(call(name, nested(DEPTH_MAX - 1)).is_ok(), "{name}");
        match call(name, nested(DEPTH_MAX + 2)) {
            Err(CallError::Limit(_)) => {}
            other => panic!("{name}: {:?}", other.map(|value| value.type_name())),
        }
    }
}

#[test]
fn deep_texts_are_refused() {
    for (name, text) in [
        ("fromYaml", "[".repeat(200_000)),
        ("fromYamlArray", "- ".repeat(100_000)),
        ("fromJson", "{\"a\":".repeat(100_000)),
        ("fromJsonArray", "[".repeat(200_000)),
        ("fromToml", format!("a = {}", "[".repeat(100_000))),
        ("fromToml", format!("a = {}", "{a = ".repeat(100_000))),
        ("fromToml", format!("{}a = 1", "a.".repeat(100_000))),
        ("fromToml", format!("[{}a]", "a.".repeat(100_000))),
        ("fromToml", "a = 1\n".repeat(1_000_000)),
    ] {
        match call(name, text.into()) {
            Err(CallError::Limit(_)) => {}
            Ok(Value::Map(map)) if map.get(b"Error").is_some() => {}
            Ok(Value::List(list)) if list.items().len() == 1 => {}
            other => panic!("{name}: {:?}", other.map(|value| value.type_name())),
        }
    }
}
