//! Schemas, recorded from Helm 4.3.1; its findings sorted, since it has no order for them.

use diag::Explain as _;
use helm::{Profile, UserValues};

use crate::support::{chart, read, values_file};

const HEAD: (&str, &str) = ("Chart.yaml", "{apiVersion: v2, name: s, version: 1.0.0}");

fn check(schema: &str, values: &str, wanted: &str) {
    let files = [HEAD, ("values.schema.json", schema)];
    let chart = chart(&files, Profile::Helm4).unwrap();
    let user = UserValues {
        files: vec![values_file("u", values)],
        ..UserValues::default()
    };
    let options = helm::Options::default();
    let prepared = helm::prepare(&chart, &user, &read, &options, &mut Vec::new());
    let got = match prepared {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    };
    let wanted = match wanted.is_empty() {
        true => String::new(),
        false => format!(
            "values don't meet the specifications of the schema(s) in the following chart(s):\ns:\n{wanted}"
        ),
    };
    assert_eq!(got, wanted, "{schema}");
}

#[test]
fn findings_read_as_the_reference_writes_them() {
    check(
        r#"{"properties":{"a":{"minimum":1234567.5},"b":{"maximum":0.00001},"c":{"exclusiveMinimum":1e21},"d":{"multipleOf":0.3},"f":{"minimum":-5},"g":{"minimum":1e25},"h":{"minLength":1234}}}"#,
        "{a: 12345, b: 0.12345678, c: 5, d: 1, f: -12345.678, g: 123456789012345678, h: x}",
        "- at '/a': minimum: got 12,345, want 1.2345675×10⁰⁶
- at '/b': maximum: got 0.12345678, want 1×10⁻⁰⁵
- at '/c': exclusiveMinimum: got 5, want 1×10²¹
- at '/d': multipleOf: got 1, want 0.3
- at '/f': minimum: got -12,345.678, want -5
- at '/g': minimum: got 1.2345678901234568×10¹⁷, want 1×10²⁵
- at '/h': minLength: got 1, want 1,234
",
    );
    check(
        r#"{"properties":{"a":{"type":["string","null"]},"b":{"enum":["x",1,null,true]},"c":{"const":5},"d":{"const":{"a":1}},"e":{"enum":[[1]]},"f":{"pattern":"^z"},"g":{"uniqueItems":true},"h":{"oneOf":[{"type":"string"},{"minimum":5}]},"i":{"anyOf":[{"type":"string"},{"type":"null"}]},"j":{"allOf":[{"type":"string"}]},"k":{"not":{"type":"string"}},"l":false,"m":{"additionalProperties":false},"nn":{"propertyNames":{"pattern":"^z"}},"o":{"oneOf":[{},{}]}},"required":["q","r"]}"#,
        r#"{a: 1, b: 2, c: 6, d: 1, e: 1, f: "st'r\"", g: [1, 2, 1], h: 3, i: 1, j: 1, k: s, l: 1, m: {b: 1, a: 2}, nn: {z1: 1, y1: 1}, o: 1}"#,
        r#"- at '': missing properties 'q', 'r'
- at '/a': got number, want null or string
- at '/b': value must be one of 'x', 1, <nil>, true
- at '/c': value must be 5
- at '/d': 'const' failed
- at '/e': 'enum' failed
- at '/f': 'st\'r"' does not match pattern '^z'
- at '/g': items at 0 and 2 are equal
- at '/h': 'oneOf' failed, none matched
  - at '/h': got number, want string
  - at '/h': minimum: got 3, want 5
- at '/i': 'anyOf' failed
  - at '/i': got number, want null
  - at '/i': got number, want string
- at '/j': 'allOf' failed
  - at '/j': got number, want string
- at '/k': 'not' failed
- at '/l': false schema
- at '/m': additional properties 'a', 'b' not allowed
- at '/nn': invalid propertyName 'y1'
  - at '': 'y1' does not match pattern '^z'
- at '/o': 'oneOf' failed, subschemas 0, 1 matched
"#,
    );
    check(
        r##"{"properties":{"a":{"$ref":"#/$defs/x"},"b":{"$ref":"#/$defs/y"},"c/d~e":{"type":"string"},"l":{"items":{"type":"string"},"contains":{"const":5},"minItems":3},"m":{"allOf":[{},{"properties":{"c":{"allOf":[{"type":"string"},{"enum":[1]}]}}}]}},"$defs":{"x":{"type":"string","minLength":3},"y":{"required":["a"],"properties":{"b":{"type":"string"}}}}}"##,
        "{a: 1, b: {b: 1}, c/d~e: 1, l: [1], m: {c: 2}}",
        "- at '/a': got number, want string
- at '/b': validation failed
  - at '/b': missing property 'a'
  - at '/b/b': got number, want string
- at '/c~1d~0e': got number, want string
- at '/l': validation failed
  - at '/l': minItems: got 1, want 3
  - at '/l': no items match contains schema
    - at '/l/0': value must be 5
  - at '/l/0': got number, want string
- at '/m': 'allOf' failed
  - at '/m/c': 'allOf' failed
    - at '/m/c': got number, want string
    - at '/m/c': value must be 1
",
    );
}

#[test]
fn schemas_that_are_none_say_so() {
    check("{", "{}", "unexpected EOF");
    check("true", "{}", "");
    check("false", "{}", "- at '': false schema\n");
    check(
        r##"{"$ref":"#/definitions/x"}"##,
        "{}",
        r#"json-pointer in "file:///values.schema.json#/definitions/x" not found"#,
    );
    check(
        r#"{"type": "foo", "minimum": "x"}"#,
        "{}",
        r#""file:///values.schema.json#" is not valid against metaschema: jsonschema validation failed with 'https://json-schema.org/draft/2020-12/schema#'
- at '': 'allOf' failed
  - at '': validation failed
    - at '/minimum': got string, want number
    - at '/type': 'anyOf' failed
      - at '/type': got string, want array
      - at '/type': value must be one of 'array', 'boolean', 'integer', 'null', 'number', 'object', 'string'"#,
    );
}

#[test]
fn nothing_is_fetched() {
    for address in [
        "http://127.0.0.1:1/x.json",
        "https://example.com/x",
        "file:///etc/passwd",
    ] {
        let schema = format!(r#"{{"$ref":"{address}"}}"#);
        let files = [HEAD, ("values.schema.json", &schema)];
        let chart = chart(&files, Profile::Helm4).unwrap();
        let mut warnings = Vec::new();
        let options = helm::Options::default();
        let user = UserValues::default();
        let error = helm::prepare(&chart, &user, &read, &options, &mut warnings).unwrap_err();
        assert_eq!(error.code().0, "SchemaRefForbidden");
        assert!(error.help()[0].contains(address), "{:?}", error.help());
    }
    check(r#"{"$ref":"urn:anything:at:all"}"#, "{}", "");
}

#[test]
fn each_chart_is_checked_with_its_own_section() {
    let schema = r#"{"properties":{"size":{"type":"string"}}}"#;
    let files = [
        ("Chart.yaml", "{apiVersion: v2, name: top, version: 1.0.0}"),
        ("values.schema.json", schema),
        ("values.yaml", "size: 1"),
        (
            "charts/kid/Chart.yaml",
            "{apiVersion: v2, name: kid, version: 1.0.0}",
        ),
        ("charts/kid/values.schema.json", schema),
        ("charts/kid/values.yaml", "size: 2"),
    ];
    let chart = chart(&files, Profile::Helm4).unwrap();
    let got = crate::support::values(&chart, &UserValues::default(), Profile::Helm4);
    assert_eq!(
        got,
        "Error: values don't meet the specifications of the schema(s) in the following chart(s):
top:
- at '/size': got number, want string
kid:
- at '/size': got number, want string
"
    );
}

#[test]
fn schemas_that_ask_for_too_much_are_refused() {
    let refused = "the schema asks for more checks than there is time for\n";
    let chain = |links: usize, link: &dyn Fn(usize) -> String| {
        let links: Vec<String> = (0..links)
            .map(|at| format!(r#""a{at}":{}"#, link(at + 1)))
            .collect();
        format!(
            r##"{{"$ref":"#/$defs/a0","$defs":{{{}}}}}"##,
            links.join(",")
        )
    };
    let twice = |at: usize| {
        format!(r##"{{"allOf":[{{"$ref":"#/$defs/a{at}"}},{{"$ref":"#/$defs/a{at}"}}]}}"##)
    };
    let inside = |at: usize| {
        format!(
            r##"{{"allOf":[{{"properties":{{"x":{{"$ref":"#/$defs/a{at}"}}}}}},{{"properties":{{"x":{{"$ref":"#/$defs/a{at}"}}}}}}]}}"##
        )
    };
    let next = |at: usize| format!(r##"{{"$ref":"#/$defs/a{at}"}}"##);
    check(&chain(40, &twice), "{}", refused);
    let nested = format!("{}1{}", "{x: ".repeat(40), "}".repeat(40));
    check(&chain(40, &inside), &nested, refused);
    check(
        &chain(40, &inside),
        "{x: {x: 1}}",
        r#"json-pointer in "file:///values.schema.json#/$defs/a40" not found"#,
    );
    check(&chain(100_000, &next), "{}", refused);
    // A tree of itself is as large as the value.
    let tree = r##"{"additionalProperties":{"$ref":"#"},"type":["object","number"]}"##;
    check(tree, &nested, "");
}

#[test]
fn a_schema_that_is_only_itself_says_so() {
    let files = [HEAD, ("values.schema.json", r##"{"$ref":"#"}"##)];
    let chart = chart(&files, Profile::Helm4).unwrap();
    let got = crate::support::values(&chart, &UserValues::default(), Profile::Helm4);
    assert!(got.ends_with("causing reference cycle\n"), "{got}");
}
