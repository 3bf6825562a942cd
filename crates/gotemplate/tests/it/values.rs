//! Values: what is shared, and how they end.

use gotemplate::{Map, MapType, Value};

#[test]
fn deep_nesting_is_given_back_without_a_deep_stack() {
    let mut value = Value::Nil;
    for depth in 0..1_000_000 {
        value = if depth % 2 == 0 {
            Value::list([value])
        } else {
            Value::Map(Map::from_iter([("a", value)]))
        };
    }
    drop(value);
}

#[test]
fn a_map_seen_as_another_type_is_the_same_map() {
    let texts = Map::new(Default::default(), MapType::String);
    let plain = texts.as_type(MapType::Any);
    let again = plain.as_type(MapType::String);
    plain.insert("a", Value::from("b"));
    assert!(texts.is_same(&plain) && texts.is_same(&again));
    assert_eq!((texts.len(), again.len()), (1, 1));
    assert_eq!(Value::Map(again).type_name(), "map[string]string");
    assert_eq!(Value::Map(plain).type_name(), "map[string]interface {}");
    assert!(!texts.is_same(&Map::default()));
}
