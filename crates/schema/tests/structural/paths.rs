//! JSONPath, printer columns, and the type that apply merges by.

use object::Node;
use schema::structural::{JsonPath, columns, jsonpath};

use crate::{data, schema, text};

#[test]
fn paths_find_values_in_order() {
    let object = data(
        "{spec: {a: x, 'd.e': 1, list: [{t: Ready, s: 'True', n: 1}, {t: Live, s: 'False', n: 2.5}], words: [p, q, r], on: true}}",
    );
    for (path, expected) in [
        (".spec.a", "[\"x\"]"),
        ("{.spec.a}", "[\"x\"]"),
        ("$.spec.a", "[\"x\"]"),
        (".spec['d.e']", "[1]"),
        (".spec.d\\.e", "[1]"),
        (".spec.words[0]", "[\"p\"]"),
        (".spec.words[-1]", "[\"r\"]"),
        (".spec.words[1:]", "[\"q\",\"r\"]"),
        (".spec.words[*]", "[\"p\",\"q\",\"r\"]"),
        (".spec.words[9]", "[]"),
        (".spec.list[?(@.t==\"Ready\")].s", "[\"True\"]"),
        (".spec.list[?(@.t != 'Ready')].s", "[\"False\"]"),
        (".spec.list[?(@.n >= 2)].t", "[\"Live\"]"),
        (".spec.list[?(@.n)].t", "[\"Ready\",\"Live\"]"),
        (".spec.list[?(@.nope)].t", "[]"),
        ("..t", "[\"Ready\",\"Live\"]"),
        (".nope.deeper", "[]"),
    ] {
        let compiled = JsonPath::parse(path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let found: Vec<Node> = compiled.find(&object).into_iter().cloned().collect();
        assert_eq!(text(&Node::from(found)), expected, "{path}");
    }
    for (path, message) in [
        (".spec[", "expected ] at byte 6 of the path"),
        (".spec[x]", "expected an index at byte 6 of the path"),
        (".spec[?(@.a==)]", "expected a value at byte 13 of the path"),
        (
            ".spec[?(@.a[?(@.b)])]",
            "a filter cannot hold another at byte 14 of the path",
        ),
        (".spec['a", "unfinished text at byte 6 of the path"),
    ] {
        let error = JsonPath::parse(path).unwrap_err().to_string();
        assert_eq!(error, message, "{path}");
    }
    assert!(JsonPath::parse(&".a".repeat(jsonpath::PATH_BYTES_MAX)).is_err());
    let bomb = JsonPath::parse(&"..[*]".repeat(50)).unwrap();
    assert!(bomb.find(&object).len() <= jsonpath::RESULTS_MAX);
}

#[test]
fn cells_have_the_type_of_their_column() {
    let version = data(
        "{additionalPrinterColumns: [
            {name: S, type: string, jsonPath: .spec.n},
            {name: N, type: integer, jsonPath: .spec.n, priority: 1, description: the n},
            {name: B, type: boolean, jsonPath: .spec.b},
            {name: Wrong, type: integer, jsonPath: .spec.s},
            {name: List, type: string, jsonPath: .spec.list},
            {name: Age, type: date, jsonPath: .metadata.creationTimestamp}]}",
    );
    let object = data(
        "{metadata: {creationTimestamp: '2024-01-01T00:00:00Z'}, spec: {n: 3, b: true, s: x, list: [a, 1]}}",
    );
    let now = "2024-01-01T00:05:00Z".parse().unwrap();
    let columns = columns::columns(&version);
    let cells: Vec<Node> = columns
        .iter()
        .map(|column| column.cell(&object, now))
        .collect();
    assert_eq!(
        text(&Node::from(cells)),
        "[\"3\",3,true,null,\"[\\\"a\\\",1]\",\"5m\"]"
    );
    assert_eq!(
        columns[0].description,
        "Custom resource definition column (in JSONPath format): .spec.n"
    );
    assert_eq!(
        (columns[1].description.as_str(), columns[1].priority),
        ("the n", 1)
    );
    // Without columns there is one: the age.
    let plain = columns::columns(&Node::map());
    assert_eq!((plain.len(), plain[0].cell(&object, now)), (1, "5m".into()));
}

#[test]
fn apply_merges_by_the_list_and_map_types_of_the_schema() {
    let schema = schema(
        "keyed: {type: array, items: {type: object, properties: {k: {type: string, default: d}}}, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k]},
         set: {type: array, items: {type: string}, x-kubernetes-list-type: set},
         plain: {type: array, items: {type: string}},
         whole: {type: object, x-kubernetes-map-type: atomic, properties: {a: {type: string}}},
         any: {x-kubernetes-preserve-unknown-fields: true}",
    );
    let object_type = schema.object_type();
    let types = object_type.schema();
    let field = |parent, name: &str| {
        let map = types.atom(parent).map.as_ref().expect("a map");
        map.field(name)
            .unwrap_or_else(|| panic!("no field {name}"))
            .type_ref
    };
    let spec = field(object_type.root(), "spec");
    let list = |name: &str| {
        types
            .atom(field(spec, name))
            .list
            .clone()
            .expect("a list")
            .relationship
    };
    use merge::schema::{ListRelationship, MapRelationship};
    assert_eq!(
        list("keyed"),
        ListRelationship::Associative(["k".into()].into())
    );
    assert_eq!(list("set"), ListRelationship::Set);
    assert_eq!(list("plain"), ListRelationship::Atomic);
    let whole = types.atom(field(spec, "whole")).map.as_ref().unwrap();
    assert_eq!(whole.relationship, MapRelationship::Atomic);
    assert!(types.atom(field(spec, "any")).scalar.is_some());
    let metadata = field(object_type.root(), "metadata");
    assert!(types.atom(field(metadata, "finalizers")).list.is_some());
}

#[test]
fn no_path_panics() {
    let pieces = [
        "a", ".", "..", "[", "]", "?(", "@", ")", "'", "\"", "\\", "1", "-", ":", "*", "==", "<",
        " ", "$", "{", "}", "ü",
    ];
    let object = data("{a: [{a: 1}, {a: {a: [1, 2]}}], b: x}");
    // The same texts every time.
    let mut state = 1u64;
    for _ in 0..20_000 {
        let mut path = String::from(".a");
        for _ in 0..8 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            path.push_str(pieces[(state >> 33) as usize % pieces.len()]);
        }
        if let Ok(path) = JsonPath::parse(&path) {
            path.find(&object);
        }
    }
}
