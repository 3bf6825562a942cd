//! What is one and the same after a call, and what is not: maps are shared, and named types of maps
//! are told apart.

use gotemplate::{CallError, Context, Map, MapMethods, MapType, Value};

use super::language::Session;

#[derive(Debug)]
struct Values;

impl MapMethods for Values {
    fn type_name(&self) -> &'static str {
        "common.Values"
    }

    fn call(
        &self,
        _map: &Map,
        _name: &str,
        _args: &[Value],
        _context: &mut Context<'_>,
    ) -> Option<Result<Value, CallError>> {
        None
    }
}

fn session() -> (Session, Map) {
    let inner = Map::from_iter([("z", Value::int(1))]);
    let entries = [
        ("s".into(), Value::from("str")),
        ("m".into(), Value::Map(inner)),
    ];
    let values = Map::new(entries.into(), MapType::Named(&Values));
    let mut session = Session::new();
    session.set("v", Value::Map(values.clone()));
    (session, values)
}

/// Checks what calls with `$v`, a map of a named type, give, as JSON.
fn check(calls: &str, expected: &str) {
    let (mut session, _) = session();
    let found = match session.run(calls) {
        Ok(value) => {
            String::from_utf8(sprig::json::encode(&value, sprig::json::Style::Raw).expect("short"))
                .expect("text")
        }
        Err(error) => format!("! {error}"),
    };
    assert_eq!(found, expected, "{calls}");
}

#[test]
fn a_named_map_keeps_its_type_until_a_function_takes_it_for_a_plain_one() {
    check("typeOf $v", r#""common.Values""#);
    check("typeOf (set $v \"a\" 1)", r#""map[string]interface {}""#);
    check("typeOf (unset $v \"a\")", r#""map[string]interface {}""#);
    check("typeOf (merge $v (dict))", r#""map[string]interface {}""#);
    check("typeOf (first (list $v))", r#""common.Values""#);
    check("typeOf (deepCopy $v)", r#""common.Values""#);
    check("typeOf (omit $v \"s\")", r#""map[string]interface {}""#);
    check("typeOf (get (dict \"v\" $v) \"v\")", r#""common.Values""#);
    check("kindOf $v", r#""map""#);
    check("deepEqual $v (merge (dict) $v)", "false");
    check("deepEqual $v $v", "true");
    check("deepEqual $v (deepCopy $v)", "true");
}

#[test]
fn looking_deep_takes_plain_maps_only() {
    check(
        "dig \"s\" \"x\" \"d\" $v",
        "! interface conversion: interface {} is common.Values, not map[string]interface {}",
    );
    check("dig \"m\" \"z\" \"d\" (set $v \"a\" 1)", "1");
    check("dig \"m\" \"y\" \"d\" (merge (dict) $v)", r#""d""#);
    check(
        "dig \"v\" \"s\" \"d\" (dict \"v\" $v)",
        "! interface conversion: interface {} is common.Values, not map[string]interface {}",
    );
    check("get $v \"s\"", r#""str""#);
    check("hasKey $v \"s\"", "true");
    check("keys $v", r#"["m","s"]"#);
    check("values $v", r#"[{"z":1},"str"]"#);
    check("pick $v \"s\" \"q\"", r#"{"s":"str"}"#);
    check("pluck \"s\" $v (dict \"s\" 2)", r#"["str",2]"#);
}

#[test]
fn every_holder_of_a_map_sees_a_change() {
    let (mut session, values) = session();
    session
        .run("set $v \"a\" 1 ;; set (get $v \"m\") \"y\" 2 ;; merge $v (dict \"b\" 3)")
        .expect("no error");
    session
        .run("$w := set $v \"c\" 4 ;; unset $w \"s\"")
        .expect("no error");
    let found = sprig::json::encode(&Value::Map(values), sprig::json::Style::Compact);
    assert_eq!(
        found.expect("short"),
        br#"{"a":1,"b":3,"c":4,"m":{"y":2,"z":1}}"#
    );
}

#[test]
fn what_is_merged_from_another_map_stays_part_of_it() {
    let (mut session, values) = session();
    session
        .run("$d := dict ;; merge $d $v ;; set (get $d \"m\") \"new\" true")
        .expect("no error");
    let found = sprig::json::encode(&Value::Map(values), sprig::json::Style::Compact);
    assert_eq!(
        found.expect("short"),
        br#"{"m":{"new":true,"z":1},"s":"str"}"#
    );
}

#[test]
fn objects_and_arrays_are_read_as_go_reads_them_into_a_type() {
    let map = |text: &str| match sprig::json::decode_map(text.as_bytes()) {
        Ok((_, Some(error))) => error,
        Ok((map, None)) => format!("{} entries", map.len()),
        Err(error) => error.to_string(),
    };
    let list = |text: &str| match sprig::json::decode_list(text.as_bytes()) {
        Ok(list) => format!("{} items, nil: {}", list.items().len(), list.is_nil()),
        Err(error) => error.to_string(),
    };
    for (text, as_map, as_list) in [
        ("{\"a\":1}", "1 entries", "object"),
        ("[1]", "array", "1 items, nil: false"),
        ("null", "0 entries", "0 items, nil: true"),
        ("5", "number", "number"),
        ("1e999", "number", "number"),
        ("\"x\"", "string", "string"),
        ("true", "bool", "bool"),
        (
            "[1e999]",
            "array",
            "json: cannot unmarshal number 1e999 into Go value of type float64",
        ),
        (
            "[",
            "unexpected end of JSON input",
            "unexpected end of JSON input",
        ),
    ] {
        let full = |short: &str, target: &str| {
            if short.contains(' ') {
                return short.to_owned();
            }
            format!("json: cannot unmarshal {short} into Go value of type {target}")
        };
        assert_eq!(map(text), full(as_map, "map[string]interface {}"));
        assert_eq!(list(text), full(as_list, "[]interface {}"));
    }
}
