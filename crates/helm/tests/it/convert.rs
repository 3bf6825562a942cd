//! Values of objects as values of templates.

use gotemplate::{MapType, Value};
use helm::convert::{decoded, to_map, to_value};
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
fn values_stay_what_they_are() {
    let node = node("{z: 1.5, a: {b: [1.5, x, null, true, {}]}, u: é}");
    let written = |value: &Value| {
        let mut text = Vec::new();
        gotemplate::format::display(value, &mut text).expect("short");
        String::from_utf8(text).expect("UTF-8")
    };
    let wanted = "map[a:map[b:[1.5 x <nil> true map[]]] u:é z:1.5]";
    assert_eq!(written(&to_value(&node)), wanted);
    let map = to_map(node.as_map().expect("a map"), MapType::Any);
    assert_eq!(written(&Value::Map(map)), wanted);
}
