//! One line per behaviour: an expression over a small object, and its value or error.

use expr::{Bindings, Budget, Libraries, Options, Program, Value};

const OBJECT: &[u8] = br#"{
    "name": "web", "replicas": 3, "ratio": 0.5, "ready": true, "nothing": null,
    "labels": {"app": "web", "tier": "front-end"},
    "ports": [{"name": "http", "port": 80}, {"name": "https", "port": 443}],
    "numbers": [3, 1, 2], "empty": [], "text": "gr\u00fc\u00dfe, welt"
}"#;

fn run(text: &str) -> String {
    let object = object::json::parse(OBJECT, object::json::OBJECT_LIMITS).unwrap();
    let program = match Program::compile(text, &Options::dynamic().libraries(Libraries::ALL)) {
        Ok(program) => program,
        Err(error) => return format!("compile: {}", error.to_string().lines().next().unwrap()),
    };
    match program.evaluate(&Bindings::of_root(&object), Budget::CALL) {
        Ok(Value::String(text)) => format!("{text:?}"),
        Ok(value) => match value.to_node() {
            Ok(node) => object::json::to_string(&node),
            Err(_) => value.display(),
        },
        Err(error) => format!("error: {error}"),
    }
}

/// Checks lines of `expression => outcome`.
fn check(table: &str) {
    let mut wrong = String::new();
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (text, expected) = line
            .rsplit_once(" => ")
            .expect("a line is `expression => outcome`");
        let found = run(text.trim());
        if found != expected.trim() {
            wrong.push_str(&format!(
                "{text}\n  expected {expected}\n  found    {found}\n"
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn operators_bind_as_in_c_and_integers_do_not_wrap() {
    check(
        r#"
        1 + 2 * 3 - 4 / 2 => 5
        -7 % 3 => -1
        -9223372036854775808 => -9223372036854775808
        9223372036854775807 + 1 => error: integer overflow
        -(-9223372036854775808) => error: integer overflow
        9223372036854775808 => compile: ERROR: <input>:1:1: invalid int literal
        1 / 0 => error: division by zero
        1 % 0 => error: modulus by zero
        1u - 2u => error: unsigned integer overflow
        0x10 + 1 => 17
        1 + 1.0 => error: no such overload
        1.5 * 2.0 => 3
        "a" + "b" => "ab"
        [1] + [2, 3] => [1,2,3]
        !ready || replicas > 2 && name == "web" => true
        ready ? "yes" : "no" => "yes"
        ready ? 1 : missing => 1
        !!ready => true
        --replicas => 3
        "#,
    );
}

#[test]
fn numbers_compare_across_types_and_other_types_are_unequal() {
    check(
        r#"
        1 == 1.0 => true
        1u < 1.5 => true
        9007199254740993 > 9007199254740992.0 => false
        {1.5: 1} => error: unsupported key type: double
        1 == "1" => false
        null == nothing => true
        [1, 2.0] == [1.0, 2] => true
        {"a": 1} == {"a": 1.0} => true
        "b" > "a" => true
        "b" > 1 => error: no such overload
        0.0/0.0 == 0.0/0.0 => false
        0.0/0.0 < 1 => error: NaN values cannot be ordered
        1 in [1.0] => true
        "app" in labels => true
        "x" in labels => false
        type(1) == int && type(name) == string && type(labels) == map => true
        type(null) == null_type => true
        type(timestamp("2020-01-01T00:00:00Z")) == google.protobuf.Timestamp => true
        "#,
    );
}

#[test]
fn missing_fields_and_variables_are_errors_that_logic_can_absorb() {
    check(
        r#"
        labels.app => "web"
        labels["tier"] => "front-end"
        labels.nope => error: no such key: nope
        nope => error: no such attribute(s): nope
        ports[5] => error: index out of bounds: 5
        name.first => error: no such overload
        has(labels.app) && !has(labels.nope) => true
        has(nothing) => compile: ERROR: <input>:1:5: invalid argument to has() macro
        ready || nope => true
        nope || ready => true
        nope && !ready => false
        nope && ready => error: no such attribute(s): nope
        [1, 2].all(n, n > 0 || nope) => true
        [1, 2].exists(n, n == 2 || nope) => true
        [0, 1].exists(n, 1 / n == 1) => true
        [0, 1].all(n, 1 / n == 1) => error: division by zero
        "#,
    );
}

#[test]
fn macros_walk_lists_and_maps() {
    check(
        r#"
        ports.map(p, p.port) => [80,443]
        ports.map(p, p.port > 100, p.name) => ["https"]
        ports.filter(p, p.port > 100).size() => 1
        ports.exists_one(p, p.name == "http") => true
        ports.existsOne(i, p, p.port > 0) => false
        labels.all(k, labels[k] != "") => true
        labels.map(k, k) => ["app","tier"]
        empty.all(n, false) => true
        [1, 2].all(i, v, v == i + 1) => true
        labels.exists(k, v, v == "web") => true
        [10, 20].transformList(i, v, v + i) => [10,21]
        [10, 20].transformList(i, v, i > 0, v) => [20]
        labels.transformMap(k, v, v + "!") => {"app":"web!","tier":"front-end!"}
        labels.transformMap(k, v, k == "app", v) => {"app":"web"}
        ["a", "b"].transformMapEntry(i, v, {v: i}) => {"a":0,"b":1}
        ["a", "a"].transformMapEntry(i, v, {v: i}) => error: insert failed: key a already exists
        cel.bind(n, replicas * 2, n + n) => 12
        numbers.map(n, numbers.map(m, n * m)) => [[9,3,6],[3,1,2],[6,2,4]]
        numbers.map(n, ports.all(n, n.port > 0)) => [true,true,true]
        numbers.map(n.x, n) => compile: ERROR: <input>:1:14: argument must be a simple name
        replicas.map(n, n) => error: no such overload
        "#,
    );
}

#[test]
fn optional_values_chain() {
    check(
        r#"
        labels.?app.orValue("none") => "web"
        labels.?nope.orValue("none") => "none"
        labels[?"nope"].orValue("none") => "none"
        labels.?nope.deeper.deeper.hasValue() => false
        ports[?7].port.orValue(0) => 0
        optional.none().or(optional.of(2)).value() => 2
        optional.none().value() => error: optional.none() dereference
        labels.?app.optMap(v, v + "!").value() => "web!"
        labels.?nope.optMap(v, v + "!").hasValue() => false
        labels.?app.optFlatMap(v, labels.?tier).value() => "front-end"
        optional.ofNonZeroValue("").hasValue() => false
        [?labels.?app, ?labels.?nope] => ["web"]
        {?"a": labels.?app, ?"b": labels.?nope} => {"a":"web"}
        labels.?app.orValue(nope) => "web"
        [optional.of(1), optional.none()].unwrapOpt() => [1]
        "#,
    );
}

#[test]
fn text_functions_count_characters() {
    check(
        r#"
        size(text) => 11
        text.charAt(2) => "ü"
        text.substring(0, 3) => "grü"
        text.substring(7) => "welt"
        text.substring(12) => error: index out of range: 12
        text.indexOf("w") => 7
        "hello".lastIndexOf("l") => 3
        "hello".indexOf("l", 3) => 3
        "hello".lastIndexOf("l", 2) => 2
        "a©o©".lastIndexOf("©", 2) => 1
        "a".indexOf("a", 0, 1) => error: no such overload
        "a,b,c".split(",") => ["a","b","c"]
        "a,b,c".split(",", 2) => ["a","b,c"]
        "abc".split("") => ["a","b","c"]
        ["a", "b"].join("-") => "a-b"
        "aaa".replace("a", "b", 2) => "bba"
        "  x ".trim() => "x"
        "AbC".lowerAscii() + "AbC".upperAscii() => "abcABC"
        "abc".reverse() => "cba"
        jsonpatch.escapeKey("a/b~c") => "a~1b~0c"
        strings.quote("a\"b\n") => "\"a\\\"b\\n\""
        "%s is %d, %.2f, %x, %s".format(["a", 1, 2.0, 255, [1, "b"]]) => "a is 1, 2.00, ff, [1, b]"
        "%d".format(["a"]) => error: error during formatting: %d cannot format a value of type string
        "web-1".matches("^web-[0-9]+$") => true
        "web-1".matches("(") => error: error parsing regexp: missing closing ): `(`
        "a1b22".find("[0-9]+") => "1"
        "a1b22".findAll("[0-9]+") => ["1","22"]
        r"a\d" + 'it''s' => compile: ERROR: <input>:1:14: Syntax error: mismatched input ''s'' expecting <EOF>
        '''a"b''' => "a\"b"
        "\u00e9\x41\101" => "éAA"
        "#,
    );
}

#[test]
fn conversions_say_what_they_cannot_read() {
    check(
        r#"
        int("42") + int(2.9) + int(3u) => 47
        int("x") => error: type conversion error from 'string' to 'int'
        int(1e19) => error: integer overflow
        uint(-1) => error: unsigned integer overflow
        double("1.5") => 1.5
        string(1.0) + string(true) + string(7) => "1true7"
        bool("true") => true
        bytes("ab") == b"ab" => true
        string(b"\xff") => error: invalid UTF-8 in bytes, cannot convert to string
        base64.encode(b"hello") => "aGVsbG8="
        string(base64.decode("aGVsbG8")) => "hello"
        duration("1h30m") > duration("5000s") => true
        string(duration("90m")) => "5400s"
        duration("1h").getMinutes() => 60
        timestamp("2024-02-29T12:00:00Z") + duration("24h") == timestamp("2024-03-01T12:00:00Z") => true
        timestamp("2024-02-29T12:00:00Z").getDayOfWeek() => 4
        timestamp("2024-02-29T23:30:00Z").getDate("+02:00") => 1
        timestamp("2024-02-29T12:00:00Z").getMonth() => 1
        timestamp("2024-01-02T00:00:00Z") - timestamp("2024-01-01T00:00:00Z") == duration("24h") => true
        timestamp("9999-12-31T23:59:59Z") + duration("1s") => error: timestamp overflow
        "#,
    );
}

#[test]
fn list_set_and_math_functions() {
    check(
        r#"
        numbers.isSorted() => false
        numbers.sum() => 6
        numbers.min() => 1
        numbers.max() => 3
        empty.min() => error: min called on empty list
        numbers.indexOf(2) => 2
        numbers.sort() => [1,2,3]
        ports.sortBy(p, -p.port).map(p, p.name) => ["https","http"]
        [1, "a"].sort() => error: list elements must be comparable
        numbers.slice(1, 3) => [1,2]
        numbers.slice(0, 9) => error: cannot slice(0, 9), list is length 3
        [[1], [2, [3]]].flatten() => [1,2,[3]]
        [[1], [2, [3]]].flatten(2) => [1,2,3]
        [1, 1.0, 2].distinct() => [1,2]
        numbers.reverse() => [2,1,3]
        lists.range(3) => [0,1,2]
        empty.first().hasValue() => false
        numbers.last().value() => 2
        sets.contains([1, 2], [2.0]) => true
        sets.equivalent([1, 2, 2], [2, 1]) => true
        sets.intersects([1], []) => false
        math.greatest(1, 2.5, 2) => 2.5
        math.least([3, 1]) => 1
        math.ceil(1.2) => 2
        math.abs(-3) => 3
        math.bitShiftLeft(1, 4) => 16
        "#,
    );
}

#[test]
fn kubernetes_types() {
    check(
        r#"
        quantity("1Gi") > quantity("1G") => error: no such overload
        quantity("1Gi").isGreaterThan(quantity("1G")) => true
        quantity("1.5").add(quantity("500m")) == quantity("2") => true
        quantity("50k").sub(20000) => "30k"
        quantity("50k").asInteger() => 50000
        quantity("1.5").isInteger() => false
        quantity("1.5").asInteger() => error: cannot convert value to integer
        quantity("x").sign() => error: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'
        isQuantity("1Mi") && !isQuantity("1Q") => true
        ip("10.0.0.1").family() => 4
        ip("::ffff:1.2.3.4") => error: IPv4-mapped IPv6 address "::ffff:1.2.3.4" is not allowed
        isIP("1.2.3") => false
        ip.isCanonical("2001:DB8::1") => false
        ip("127.0.0.1").isLoopback() && ip("fe80::1").isLinkLocalUnicast() => true
        cidr("10.1.2.3/8").containsIP("10.9.9.9") => true
        cidr("10.0.0.0/8").containsCIDR("10.0.0.0/7") => false
        string(cidr("10.1.2.3/8").masked()) => "10.0.0.0/8"
        cidr("10.0.0.0/8").ip() == ip("10.0.0.0") => true
        isCIDR("10.0.0.0/33") => false
        url("https://u@example.com:8443/a%20b?x=1&x=2#f").getHost() => "example.com:8443"
        url("https://[::1]:80/").getHostname() => "::1"
        url("https://example.com/a?x=1&x=2#end").getQuery() => {"x":["1","2"]}
        isURL("no url") => false
        isURL("/path") => true
        semver("1.2.3").isLessThan(semver("1.10.0")) => true
        semver("v1.2", true).minor() => 2
        isSemver("1.2") => false
        format.dns1123Label().validate("Ab").hasValue() => true
        format.dns1123Label().validate("ab").hasValue() => false
        format.named("nope").hasValue() => false
        "#,
    );
}

#[test]
fn errors_point_at_their_place() {
    let error = |text: &str| {
        Program::compile(text, &Options::dynamic().libraries(Libraries::ALL))
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        error("name ==\n  'ü' + + 1"),
        "ERROR: <input>:2:9: Syntax error: mismatched input '+' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}\n |   'ü' + + 1\n | ...．....^"
    );
    assert_eq!(
        error("nope(1)"),
        "ERROR: <input>:1:5: undeclared reference to 'nope' (in container '')\n | nope(1)\n | ....^"
    );
    let program = Program::compile(
        "ready && labels.nope",
        &Options::dynamic().libraries(Libraries::ALL),
    )
    .unwrap();
    let object = object::json::parse(OBJECT, object::json::OBJECT_LIMITS).unwrap();
    let failed = program
        .evaluate(&Bindings::of_root(&object), Budget::CALL)
        .unwrap_err();
    assert_eq!(failed.at, 15);
}
