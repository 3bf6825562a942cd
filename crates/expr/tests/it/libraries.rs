//! Which functions there are where, numbers of one kind, methods of maps, and what is read.

use std::sync::Arc;

use expr::{Bindings, Budget, Libraries, MapValue, Methods, Options, Program, Value};

const EVERYWHERE: [&str; 13] = [
    "'a'.upperAscii().charAt(0) + ['a', 'b'].join('-') + 'b'.replace('b', 'c')",
    "'a,b'.split(',').size() + 'abc'.indexOf('c') + 'abc'.lastIndexOf('a')",
    "'%s'.format([1]) + strings.quote('a') + 'abc'.substring(1) + ' a '.trim() + 'A'.lowerAscii()",
    "'abc'.matches('b') && 'abc'.startsWith('a') && 'abc'.endsWith('c') && 'abc'.contains('b')",
    "sets.contains([1], [1]) && sets.equivalent([1], [1]) && sets.intersects([1], [1])",
    "{'a': 1}.all(k, v, v > 0) && [1].exists(i, v, v > 0) && [1].existsOne(i, v, v > 0)",
    "[1].transformList(i, v, v > 0, v)",
    "{'a': 1}.transformMap(k, v, v + 1)",
    "[1].transformMapEntry(i, v, {v: i})",
    "{'a': 1}.?b.orValue(optional.none().or(optional.of(2)).value())",
    "[?optional.none(), 1].map(i, i).filter(i, i > 0)",
    "{?'a': optional.ofNonZeroValue('')}.size() + {'a': 1}[?'a'].optMap(x, x + 1).value()",
    "{'a': 1}.?a.optFlatMap(x, optional.of(x)).hasValue()",
];

const LATER: [&str; 4] = [
    "[1, 2].first().value() + [1, 2].last().value()",
    "optional.unwrap([optional.of(1)]) == [optional.of(1)].unwrapOpt()",
    "'%d'.format([1.5]) + '%s'.format(['a'])",
    "{1: 'a'}.size() + [1].first().orValue(2)",
];

const BINDINGS: &str = "cel.bind(x, 1, x + 1)";

const OF_CEL_GO: [&str; 9] = [
    "'abc'.reverse()",
    "base64.encode(base64.decode('aGk='))",
    "math.greatest(1, 2) + math.least([3, 4]) + math.abs(-1) + math.sign(-2)",
    "math.ceil(1.5) + math.floor(1.5) + math.round(1.5) + math.trunc(1.5)",
    "math.isNaN(0.0 / 0.0) && math.isInf(1.0 / 0.0) && math.isFinite(1.0)",
    "math.bitOr(1, math.bitAnd(3, math.bitXor(1, math.bitNot(math.bitShiftLeft(1, math.bitShiftRight(4, 1))))))",
    "[3, 1].sort() + [[1]].flatten() + [1, 1].distinct() + [1, 2].slice(0, 1)",
    "[3, 1].sortBy(x, -x)",
    "lists.range(3) + [1].reverse()",
];

const OF_LATER_CEL_GO: [&str; 1] = ["math.sqrt(4.0)"];

const OF_KUBERNETES: [&str; 8] = [
    "quantity('1Gi').isGreaterThan(quantity('1G'))",
    "ip('10.0.0.1').family()",
    "cidr('10.0.0.0/8').containsIP('10.0.0.1')",
    "url('https://example.com').getHost()",
    "semver('1.2.3').major()",
    "'abc'.find('b') + 'abc'.findAll('b').join('')",
    "[1, 2].sum() + [1, 2].max()",
    "format.dns1123Label().validate('a').hasValue()",
];

fn works(text: &str, libraries: Libraries) -> Result<Value, String> {
    let options = Options {
        known_methods: true,
        ..Options::dynamic().libraries(libraries)
    };
    let program = Program::compile(text, &options).map_err(|error| error.to_string())?;
    let value = program.evaluate(&Bindings::new(), Budget::CALL);
    value.map_err(|error| error.to_string())
}

#[test]
fn functions_are_where_their_library_is() {
    for text in EVERYWHERE {
        for libraries in [
            Libraries::STANDARD,
            Libraries::KUBERNETES,
            Libraries::CEL_GO,
            Libraries::CEL_GO_0_22,
        ] {
            assert!(
                works(text, libraries).is_ok(),
                "{text}: {:?}",
                works(text, libraries)
            );
        }
    }
    for text in LATER {
        for (libraries, there) in [
            (Libraries::STANDARD, false),
            (Libraries::CEL_GO_0_22, false),
            (Libraries::CEL_GO, true),
            (Libraries::KUBERNETES, true),
        ] {
            assert_eq!(
                works(text, libraries).is_ok(),
                there,
                "{text}: {libraries:?}"
            );
        }
    }
    assert!(works(BINDINGS, Libraries::KUBERNETES).is_ok());
    assert!(works(BINDINGS, Libraries::CEL_GO).is_err());
    for text in OF_LATER_CEL_GO {
        assert!(works(text, Libraries::CEL_GO_0_22).is_err(), "{text}");
    }
    for text in OF_CEL_GO {
        assert!(works(text, Libraries::CEL_GO_0_22).is_ok(), "{text}");
    }
    for text in OF_CEL_GO.into_iter().chain(OF_LATER_CEL_GO) {
        assert!(
            works(text, Libraries::CEL_GO).is_ok(),
            "{text}: {:?}",
            works(text, Libraries::CEL_GO)
        );
        assert!(works(text, Libraries::KUBERNETES).is_err(), "{text}");
        assert!(works(text, Libraries::ALL).is_ok(), "{text}");
    }
    for text in OF_KUBERNETES {
        assert!(
            works(text, Libraries::KUBERNETES).is_ok(),
            "{text}: {:?}",
            works(text, Libraries::KUBERNETES)
        );
        assert!(works(text, Libraries::CEL_GO).is_err(), "{text}");
        assert!(works(text, Libraries::ALL).is_ok(), "{text}");
    }
    assert!(works("'abc'.reverse() + base64.encode(b'a')", Libraries::FLUX).is_ok());
    // What nobody asked for is what Kubernetes has.
    assert_eq!(Options::default().libraries, Libraries::KUBERNETES);
}

#[test]
fn edges_of_extension_functions() {
    for (text, expected) in [
        ("'abc'.charAt(3)", "''"),
        ("'abc'.charAt(4)", "index out of range: 4"),
        ("'grüße'.substring(2, 4)", "'üß'"),
        ("'tacocat'.lastIndexOf('ac', 5)", "1"),
        ("'abc'.lastIndexOf('')", "3"),
        ("'abc'.lastIndexOf('', 9)", "9"),
        ("'abc'.indexOf('c', 3)", "-1"),
        ("'abc'.indexOf('c', 9)", "-1"),
        ("'abc'.indexOf('c', -1)", "index out of range: -1"),
        ("'abcabc'.lastIndexOf('abc', 5)", "3"),
        ("'aéaéa'.lastIndexOf('éa', 3)", "3"),
        ("'aéaéa'.lastIndexOf('éa', 2)", "1"),
        (
            "'abc'.substring(3, 1)",
            "invalid substring range. start: 3, end: 1",
        ),
        (
            "'%s %s'.format([1e21, 1e-7])",
            "'1000000000000000000000 0.0000001'",
        ),
        ("{'a': 1, 'a': 2}", "{'a': 2}"),
        (
            "string(base64.decode('aGVsbG9')) + string(base64.decode('aGVsbG8='))",
            "'hellohello'",
        ),
        (
            "math.greatest(0.0 / 0.0, 1)",
            "NaN values cannot be ordered",
        ),
        ("'a,b,c'.split(',', 2)", "['a', 'b,c']"),
        ("'a,b'.split(',', 0)", "[]"),
        ("'aaa'.replace('a', 'b', 2)", "'bba'"),
        ("strings.quote('a\"\\n')", "'\"a\\\\\"\\\\n\"'"),
        (
            "'%d %.2f %s %x %e'.format([1, 2.5, [1, 'a'], 255, 1234.5])",
            "'1 2.50 [1, a] ff 1.234500e+03'",
        ),
        ("math.round(-1.5)", "-2.0"),
        ("math.trunc(-1.5)", "-1.0"),
        ("math.abs(-9223372036854775808)", "integer overflow"),
        ("math.bitShiftLeft(1, 64)", "0"),
        ("math.bitShiftRight(-1024, 3) > 0", "true"),
        (
            "math.greatest([])",
            "math.@min(list) argument must not be empty",
        ),
        ("[1, [2, [3]]].flatten(2)", "[1, 2, 3]"),
        ("[1].flatten(-1)", "level must be non-negative"),
        ("['b', 'a', 'b'].distinct().sort()", "['a', 'b']"),
        ("[3, 1.5, 2u].sort() == [1.5, 2, 3]", "true"),
        ("['a', 1].sort()", "list elements must be comparable"),
        (
            "lists.range(-1)",
            "lists.range: size must be non-negative, got -1",
        ),
        (
            "[1, 2, 3].slice(1, 4)",
            "cannot slice(1, 4), list is length 3",
        ),
        (
            "{'a': 1, 'b': 2}.transformMapEntry(k, v, {'x': v})",
            "insert failed: key x already exists",
        ),
    ] {
        let found = works(text, Libraries::ALL);
        match works(expected, Libraries::ALL) {
            Ok(value) => assert_eq!(found, Ok(value), "{text}"),
            Err(_) => assert_eq!(found, Err(expected.to_owned()), "{text}"),
        }
    }
}

/// The `format` of cel-go 0.22.
#[test]
fn values_in_texts_were_written_as_cel() {
    for (text, expected) in [
        (
            "'%s'.format([{'b': [1, 'x'], 'a': 1.5}])",
            "{\"a\":1.500000, \"b\":[1, \"x\"]}",
        ),
        (
            "'%s'.format([[b'a', 'q\"\\n', null, true]])",
            "[b\"a\", \"q\\\"\\n\", null, true]",
        ),
        (
            "'%s'.format([[duration('90s'), 1.0 / 0.0]])",
            "[duration(\"90s\"), \"+Inf\"]",
        ),
        (
            "'%s %s'.format([duration('90s'), 1000000.5])",
            "90s 1.0000005e+06",
        ),
        (
            "'%.2f %f'.format([1234567.891, -999.0])",
            "1,234,567.89 -999.000000",
        ),
        ("'%.0f %.1f'.format([1000.0, 7])", "1,000 7.0"),
        (
            "'%e %e'.format([1234.5, -0.00012])",
            "1.234500×10⁰³ -1.200000×10⁻⁰⁴",
        ),
        ("'%.16e'.format([2.0])", "   2.000000×10⁰⁰"),
        ("'%f %f'.format(['Infinity', 0.0 / 0.0])", "∞ NaN"),
        (
            "'%d'.format([2.0])",
            "error during formatting: %d cannot format a value of type double",
        ),
        (
            "'%f'.format(['x'])",
            "error during formatting: %f cannot format a value of type string",
        ),
        (
            "'%x %X %b %o'.format([255, 'hi', -5, 8u])",
            "ff 6869 -101 10",
        ),
    ] {
        let found = works(text, Libraries::CEL_GO_0_22).map(|value| value.display());
        assert_eq!(found.unwrap_or_else(|error| error), expected, "{text}");
    }
}

#[test]
fn types_of_literals_are_checked_when_asked_for() {
    let compile = |text: &str, literal_types, mixed_arithmetic| {
        let options = Options {
            literal_types,
            mixed_arithmetic,
            ..Options::dynamic().libraries(Libraries::CEL_GO)
        };
        Program::compile(text, &options).is_ok()
    };
    for text in [
        "b ? 1 : 'a'",
        "b ? [1] : ['a']",
        "b ? null : []",
        "3u == 3",
        "3u < 4",
        "1 == 'a'",
        "null == 1",
        "{'a': 1} == {'a': true}",
        "[1] + ['a']",
        "1 in ['a']",
        "[1, 2][1.0]",
        "'a'.b",
        "1 && b",
        "x.?y == 'a'",
        "'%s'.format(['a', 'b'])",
        "[1, 2].filter(i, i + 1)",
        "math.greatest(1, 2) == 'a'",
    ] {
        assert!(compile(text, false, true), "{text}");
        assert!(!compile(text, true, true), "{text}");
    }
    for text in [
        "b ? 1 : x",
        "b ? [1] : [x]",
        "(b ? [1] : [x]) == ['a']",
        "b ? {'a': 1} : {}",
        "[1, 'a', true, null]",
        "{'a': 1, 'b': 'c'}",
        "x == 1 && x == 'a'",
        "[1, 2].filter(i, i > 1) == [2]",
        "x.?y.orValue('a') == 'a'",
        "'%s %d'.format(['a', 1]) + x",
        "x.matches('[')",
        "math.greatest(1, x) == 'a'",
    ] {
        assert!(compile(text, true, true), "{text}");
    }
    for text in ["1 == 1.0", "7 / 2.0", "1 < 2.5"] {
        assert!(
            compile(text, true, true) && !compile(text, true, false),
            "{text}"
        );
    }
}

#[test]
fn numbers_are_of_one_kind_when_asked_for() {
    let options = |mixed_arithmetic| Options {
        mixed_arithmetic,
        ..Options::dynamic().libraries(Libraries::ALL)
    };
    for (text, expected) in [
        ("1 + 1.5", "2.5"),
        ("7 - 0.5 * 2u", "6"),
        ("math.ceil(3)", "3"),
        ("string(1000000.0)", "1000000"),
        ("math.isNaN(3)", "false"),
    ] {
        let program = Program::compile(text, &options(true)).expect("compiles");
        let value = program
            .evaluate(&Bindings::new(), Budget::CALL)
            .expect(text);
        assert_eq!(value.display(), expected, "{text}");
        let strict = Program::compile(text, &options(false)).expect("compiles");
        let strict = strict.evaluate(&Bindings::new(), Budget::CALL);
        assert!(
            strict.map(|value| value.display()).ok().as_deref() != Some(expected),
            "{text}"
        );
    }
}

#[derive(Debug)]
struct Doubles(i64);

impl Methods for Doubles {
    fn call(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, String>> {
        match (name, arguments) {
            ("double", []) => Some(Ok(Value::Int(2 * self.0))),
            ("double", [Value::Int(by)]) => Some(Ok(Value::Int(by * self.0))),
            ("fail", _) => Some(Err("out of order".into())),
            _ => None,
        }
    }
}

#[test]
fn a_map_with_methods_is_a_map_all_the_same() {
    let data =
        object::json::parse(br#"{"n": 3, "m": {"k": 1}}"#, object::json::OBJECT_LIMITS).unwrap();
    let map = data.as_map().unwrap().clone();
    let value = Value::Map(MapValue::with_methods(map, Arc::new(Doubles(3))));
    let bindings = Bindings::new().bind("x", value);
    for (text, expected) in [
        ("x.double()", "6"),
        ("x.double(5)", "15"),
        ("x.n + x['n'] + size(x)", "8"),
        ("'n' in x && has(x.m) && x.exists(k, k == 'm')", "true"),
        ("x.?nope.orValue(x.m.k)", "1"),
        ("x == {'n': 3, 'm': {'k': 1}}", "true"),
        ("x.fail()", "out of order"),
        ("x.nope()", "no such overload"),
        ("x.m.double()", "no such overload"),
    ] {
        let program = Program::compile(text, &Options::dynamic()).expect("compiles");
        let found = match program.evaluate(&bindings, Budget::CALL) {
            Ok(value) => value.display(),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn a_program_lists_the_places_it_reads() {
    for (text, expected) in [
        ("1 + size([2])", ""),
        ("a", "a"),
        ("a.b.c + a.b['c d'][0]", "a.b.c a.b.c d[0]"),
        ("has(a.b) ? a.b : c.d", "a.b c.d"),
        ("a[b.c].d", "a[*].d b.c"),
        ("a.?b[?'c'].orValue(d)", "a.b.c d"),
        ("l.map(x, x.y + z)", "l l[*].y z"),
        ("m.transformList(k, v, v.p + k)", "m m[*].p"),
        ("cel.bind(x, a.b, x.c) + x", "a.b a.b.c x"),
        ("sets.contains(a, [b])", "a b"),
        ("a.b.toVolumes(c)", "a.b c"),
        ("type(a) == int", "a"),
    ] {
        let program = Program::compile(text, &Options::dynamic()).expect("compiles");
        let reads: Vec<String> = program.reads().iter().map(ToString::to_string).collect();
        assert_eq!(reads.join(" "), expected, "{text}");
    }
    let program = Program::compile("a.b[x].c", &Options::dynamic()).expect("compiles");
    let reads = program.reads();
    let touches = |keys: &[&str]| {
        let keys: Vec<object::Text> = keys.iter().map(|key| (*key).into()).collect();
        reads[0].touches("a", &keys)
    };
    assert!(touches(&["b"]) && touches(&["b", "any", "c", "d"]) && touches(&[]));
    assert!(!touches(&["c"]) && !touches(&["b", "any", "d"]));
}

#[test]
fn parts_of_a_result_can_be_left_out() {
    let program = Program::compile(
        "{'a': [1, null, 2.0], 'b': null, 'c': 0.5}",
        &Options::dynamic(),
    )
    .unwrap();
    let value = program.evaluate(&Bindings::new(), Budget::CALL).unwrap();
    let null = |value: &Value| matches!(value, Value::Null);
    let data = value.to_data(&null).unwrap().unwrap();
    assert_eq!(object::json::to_string(&data), r#"{"a":[1,2],"c":0.5}"#);
    assert_eq!(Value::Null.to_data(&null), Ok(None));
}
