//! Go's fmt, row by row.
//!
//! `format.tsv` was recorded with Go 1.26.8: a format, the names of its arguments, and the text that
//! `fmt.Sprintf` makes of them, quoted.

use std::sync::Arc;

use golang::strconv;
use gotemplate::format::{DEPTH_MAX, TEXT_BYTES_MAX, display, sprint, sprintf, sprintln};
use gotemplate::{CallError, ElementType, List, Map, MapType, UintType, Value};

fn value(name: &str) -> Value {
    let text = |text: &str| Value::from(text);
    match name {
        "nil" => Value::Nil,
        "true" => Value::Bool(true),
        "zero" => Value::int(0),
        "five" => Value::int(5),
        "minus" => Value::int(-42),
        "big" => Value::int64(i64::MAX),
        "min" => Value::int64(i64::MIN),
        "char" => Value::int(233),
        "control" => Value::int(7),
        "uint" => Value::Uint(u64::MAX, UintType::Uint64),
        "byte" => Value::Uint(200, UintType::Uint8),
        "f0" => Value::Float(0.0),
        "f1" => Value::Float(1.0),
        "fpi" => Value::Float("3.14159".parse().expect("a float")),
        "fmillion" => Value::Float(1_000_000.0),
        "fbig" => Value::Float(1_234_567.5),
        "fsmall" => Value::Float(0.00001),
        "fhuge" => Value::Float(1e21),
        "fhalf" => Value::Float(2.5),
        "fneg" => Value::Float(-0.125),
        "inf" => Value::Float(f64::INFINITY),
        "ninf" => Value::Float(f64::NEG_INFINITY),
        "nan" => Value::Float(f64::NAN),
        "empty" => text(""),
        "text" => text("hi"),
        "uni" => text("hé日😀"),
        "esc" => text("a\"b`\n\x7f"),
        "bad" => Value::from(&b"a\xff\xe2\x82z"[..]),
        "bytes" => Value::Bytes(Arc::from(*b"h\xff")),
        "nobytes" => Value::Bytes(Arc::from([])),
        "list" => Value::list([
            Value::int(1),
            text("x"),
            Value::Nil,
            Value::Float(2.5),
            Value::list([Value::Bool(true)]),
        ]),
        "nolist" => Value::list([]),
        "strings" => Value::strings(["a", "b c"]),
        "ints" => Value::List(List::new([Value::int(1), Value::int(-2)], ElementType::Int)),
        "lists" => Value::List(List::new(
            [Value::list([Value::int(1)]), Value::list([])],
            ElementType::List,
        )),
        "maps" => Value::List(List::new(
            [Value::Map(Map::from_iter([("k", Value::int(1))]))],
            ElementType::Map,
        )),
        "map" => Value::Map(Map::from_iter([
            ("b", Value::int(1)),
            ("a", Value::list([Value::Nil, text("x")])),
            ("c", Value::Map(Map::default())),
            ("d", Value::Bytes(Arc::from([1]))),
        ])),
        "texts" => {
            let entries = [("z", "1"), ("y", "q")];
            let entries = entries.map(|(key, value)| (key.into(), value.into()));
            Value::Map(Map::new(entries.into(), MapType::String))
        }
        _ => panic!("no value {name}"),
    }
}

#[test]
fn every_verb_prints_every_value_as_in_go() {
    let mut wrong = Vec::new();
    for row in include_str!("format.tsv").lines() {
        let mut columns = row.split('\t');
        let mut next = || columns.next().expect("three columns");
        let (format, names, expected) = (next(), next(), next());
        let args: Vec<Value> = names
            .split(',')
            .filter(|name| !name.is_empty())
            .map(value)
            .collect();
        let printed = match format {
            "print" => sprint(&args),
            "println" => sprintln(&args),
            _ => sprintf(format.as_bytes(), &args),
        };
        let printed = strconv::quote_ascii(&printed.expect("short"));
        if printed != expected {
            wrong.push(format!("{format} {names}: {printed}, not {expected}"));
        }
        if let ("%v", [value]) = (format, &*args) {
            let mut alone = Vec::new();
            display(value, &mut alone).expect("short");
            assert_eq!(strconv::quote_ascii(&alone), expected, "{names}");
        }
    }
    assert!(
        wrong.is_empty(),
        "{} rows\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn formats_need_not_be_text() {
    let format = |format: &[u8]| sprintf(format, &[Value::int(5)]).expect("short");
    assert_eq!(format(b"\xff%d\xfe"), b"\xff5\xfe");
    assert_eq!(format(b"%\xffz"), "%!\u{fffd}(int=5)z".as_bytes());
}

#[test]
fn the_deepest_value_fits_on_a_small_stack() {
    let deepest = || {
        let mut value = Value::int(1);
        for depth in 0..DEPTH_MAX {
            value = if depth % 2 == 0 {
                Value::list([value])
            } else {
                Value::Map(Map::from_iter([("a", value)]))
            };
        }
        let printed = sprintf(b"%v%d%#v", &[value.clone(), value.clone(), value.clone()]);
        assert!(printed.is_ok());
        assert!(sprint(&[Value::list([value])]).is_err());
    };
    let thread = std::thread::Builder::new().stack_size(1 << 20);
    let thread = thread.spawn(deepest).expect("a thread");
    thread.join().expect("no overflow");
}

#[test]
fn what_has_no_end_is_refused() {
    let limit = |result: Result<Vec<u8>, CallError>| matches!(result, Err(CallError::Limit(_)));
    let round = Map::default();
    round.insert("a", Value::Map(round.clone()));
    assert!(limit(sprintf(b"%v", &[Value::Map(round.clone())])));
    assert!(limit(sprint(&[Value::Map(round.clone())])));
    assert!(limit(sprintln(&[Value::Map(round.clone())])));
    round.insert("b", Value::Map(round.clone()));
    assert!(limit(sprint(&[Value::Map(round.clone())])));
    round.entries_mut().clear();

    // Go looks at a width before it takes the next digit.
    let wide = |width: &str| sprintf(format!("%{width}d").as_bytes(), &[Value::int(5)]);
    assert_eq!(wide("1000000").expect("short").len(), 1_000_000);
    assert_eq!(wide("10000009").expect("short").len(), 10_000_009);
    assert_eq!(
        wide("10000010").expect("short"),
        b"%!(NOVERB)%!(EXTRA int=5)"
    );
    let many = |format: &[u8]| sprintf(&format.repeat(100), &[Value::int(5)]);
    assert!(limit(many(b"%[1]*[1]d%1000000[1]d")));
    assert!(limit(many(b"%.1000000[1]d")));
    let long = [Value::from(vec![b'a'; TEXT_BYTES_MAX])];
    assert!(!limit(sprintf(b"%s", &long)));
    assert!(limit(sprintf(b"%sa", &long)));
    assert!(limit(sprintf(b"%x", &long)));
    assert!(limit(sprint(&[&long[..], &[Value::int(1)]].concat())));
}
