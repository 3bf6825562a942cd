//! Values of objects and values of templates.

use gotemplate::{Map, MapType, Value};
use helm::convert::{decoded, to_map, to_node, to_value};
use object::Node;

fn node(text: &str) -> Node {
    yaml::load_first(text, &yaml::ResolveOptions::default()).expect("YAML")
}

#[test]
fn whole_numbers_are_floats_when_they_were_read_and_integers_when_they_were_set() {
    let node = node("{a: 1, b: 1.5, c: [x, null, true]}");
    let kinds = |value: Value| match value {
        Value::Map(map) => ["a", "b", "c"].map(|key| {
            let value = map.get(key.as_bytes()).expect("a key");
            value.type_name()
        }),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        kinds(decoded(&node)),
        ["float64", "float64", "[]interface {}"]
    );
    assert_eq!(
        kinds(to_value(&node)),
        ["int64", "float64", "[]interface {}"]
    );
}

#[test]
fn values_come_back_as_they_were() {
    let node = node("{z: 1.5, a: {b: [1.5, x, null, true, {}]}, u: é}");
    assert_eq!(to_node(&to_value(&node)), Some(node.clone()));
    let map = to_map(node.as_map().expect("a map"), MapType::Any);
    assert_eq!(to_node(&Value::Map(map)), Some(node));
}

#[test]
fn what_has_no_end_becomes_nothing() {
    let map = Map::default();
    map.insert("self", Value::Map(map.clone()));
    assert_eq!(to_node(&Value::Map(map.clone())), None);
    map.remove(b"self");
}
