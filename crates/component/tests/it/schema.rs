//! Schemas of both languages and what they make of values.

use component::schema::{Schema, SchemaError};
use expect_test::{Expect, expect};
use object::Node;

use crate::support::{node, same};

fn lines(errors: &[SchemaError]) -> String {
    errors.iter().map(|error| format!("{error}\n")).collect()
}

fn shorthand(fields: &str, types: &str) -> Result<Schema, Vec<SchemaError>> {
    Schema::shorthand("parameters", &node(fields), &node(types))
}

/// Applies a schema and prints values, pruned fields and errors.
fn check(schema: &Schema, values: &str, prune: bool, expected: Expect) {
    let applied = schema.apply(&node(values), prune);
    let mut out = format!("{}\n", object::json::to_string(&applied.values));
    for field in &applied.pruned {
        out.push_str(&format!("pruned {field}\n"));
    }
    for error in &applied.errors {
        out.push_str(&format!("error {error}\n"));
    }
    expected.assert_eq(&out);
}

#[test]
fn a_field_is_required_exactly_when_it_has_no_default() {
    let schema = shorthand(
        "{port: integer, replicas: 'integer | default=1', tls: {cert: string, enabled: 'boolean|default=false'}, cache: {$default: {}, size: 'string | default=1Gi'}}",
        "",
    )
    .expect("a schema");
    check(
        &schema,
        "{}",
        true,
        expect![[r#"
            {"cache":{"size":"1Gi"},"replicas":1}
            error parameters.port: Required value
            error parameters.tls: Required value
        "#]],
    );
    check(
        &schema,
        "{port: '80', tls: {cert: x, typo: 1}, more: 2, replicas: null}",
        true,
        expect![[r#"
            {"port":"80","tls":{"cert":"x","enabled":false},"replicas":1,"cache":{"size":"1Gi"}}
            pruned parameters.more
            pruned parameters.tls.typo
            error parameters.port: Invalid value: "string": parameters.port in body must be of type integer: "string"
        "#]],
    );
}

#[test]
fn fields_named_as_those_of_objects_are_fields_like_any() {
    let schema = shorthand("{metadata: {a: string}, kind: integer}", "").expect("a schema");
    check(
        &schema,
        "{metadata: {a: x, b: y}, kind: 1, apiVersion: v1}",
        true,
        expect![[r#"
            {"metadata":{"a":"x"},"kind":1}
            pruned parameters.apiVersion
            pruned parameters.metadata.b
        "#]],
    );
}

#[test]
fn every_mistake_of_a_schema_is_told_with_its_field() {
    let errors = shorthand(
        "{a: integr, b: 'string | minimun=5', c: {d: 'integer | default=x', e: [1]}, f: 'map[integer]string', g: object, h: T, i: 'integer | minimum=5 default=1'}",
        "{T: {u: 'map<T>'}}",
    )
    .expect_err("mistakes");
    expect![[r#"
        field "a": unknown type "integr"
        field "b": unknown constraint marker "minimun"
        field "c.d": invalid default: `x` is no integer
        field "c.e": a field is a text with a type or a map, not a list
        field "f": map key type must be 'string', got "integer"
        field "g": 'object' type is not allowed: write the fields, a named type or map<string>
        field "h.u": cyclic type reference "T"
    "#]]
    .assert_eq(&lines(&errors));
    let errors = shorthand(
        "{i: 'integer | minimum=5 default=1', j: 'string | pattern=('}",
        "",
    )
    .expect_err("mistakes");
    assert!(lines(&errors).contains("field \"i\": invalid default value: "));
    assert!(lines(&errors).contains("field \"j\": invalid pattern: "));
}

#[test]
fn markers_may_hold_separators_inside_quotes_and_braces() {
    let schema = shorthand(
        r#"{a: 'string | pattern="a|b c" default="a"', b: "T | default={\"x\": \"1 | 2\", \"z\": \"3\"}", c: '[]string | default=[] maxItems=3'}"#,
        "{T: {x: string, z: string}}",
    );
    let schema = schema.unwrap_or_else(|errors| panic!("{}", lines(&errors)));
    check(
        &schema,
        "",
        true,
        expect![[r#"
            {"a":"a","b":{"x":"1 | 2","z":"3"},"c":[]}
        "#]],
    );
}

#[test]
fn a_bar_inside_a_value_is_part_of_it() {
    let schema = shorthand(
        r#"{a: 'string | pattern=^(dev|prod)$ | default=dev'}"#,
        "{}",
    );
    let schema = schema.unwrap_or_else(|errors| panic!("{}", lines(&errors)));
    check(
        &schema,
        "",
        true,
        expect![[r#"
            {"a":"dev"}
        "#]],
    );
}

#[test]
fn references_are_put_in_place_and_keys_beside_them_win() {
    let schema = Schema::open_api(
        "parameters",
        &node(
            "{type: object, $defs: {Port: {type: integer, minimum: 1, default: 80}, Pair: {type: object, properties: {a: {$ref: '#/$defs/Port'}}}}, properties: {web: {$ref: '#/$defs/Port', default: 8080}, pair: {$ref: '#/$defs/Pair', default: {}}, kind: {oneOf: [{type: string}, {type: integer}]}}}",
        ),
    )
    .expect("a schema");
    assert!(same(
        schema.json(),
        &node(
            "{type: object, properties: {web: {type: integer, minimum: 1, default: 8080}, pair: {type: object, default: {}, properties: {a: {type: integer, minimum: 1, default: 80}}}, kind: {oneOf: [{type: string}, {type: integer}]}}}"
        )
    ));
    check(
        &schema,
        "{extra: 1, kind: [1]}",
        false,
        expect![[r#"
            {"extra":1,"kind":[1],"pair":{"a":80},"web":8080}
            error <nil>: Invalid value: "": "parameters.kind" must validate one and only one schema (oneOf). Found none valid
            error parameters.kind: Invalid value: "array": parameters.kind in body must be of type string: "array"
        "#]],
    );
}

#[test]
fn references_that_lead_nowhere_or_in_circles_are_refused() {
    for (schema, expected) in [
        (
            "{$defs: {A: {type: object, properties: {b: {$ref: '#/$defs/B'}}}, B: {type: object, properties: {a: {$ref: '#/$defs/A'}}}}, properties: {root: {$ref: '#/$defs/A'}}}",
            "field \"root.b.a\": circular reference \"#/$defs/A\"\n",
        ),
        (
            "{properties: {x: {$ref: 'https://example.org/schema.json'}, z: {$ref: '#/$defs/No'}}}",
            "field \"x\": reference \"https://example.org/schema.json\" leads to nothing in this schema\nfield \"z\": reference \"#/$defs/No\" leads to nothing in this schema\n",
        ),
        (
            "[1]",
            "a field is a text with a type or a map, not a list\n",
        ),
        (
            "{properties: {a: {$ref: '#/properties/b'}, b: {type: string}}}",
            "field \"a\": reference \"#/properties/b\" leads to nothing in this schema\n",
        ),
        (
            "{definitions: {T: {type: string}}, properties: {a: {$ref: '#/definitions/T'}}}",
            "\"definitions\" is not supported\nfield \"a\": reference \"#/definitions/T\" leads to nothing in this schema\n",
        ),
    ] {
        let errors = Schema::open_api("parameters", &node(schema)).expect_err(schema);
        assert_eq!(lines(&errors), expected);
    }
}

#[test]
fn keywords_have_values_of_their_types() {
    for (schema, expected) in [
        ("{type: [string, 'null']}", "\"type\" has to be text"),
        (
            "{type: integer, exclusiveMinimum: 3}",
            "\"exclusiveMinimum\" has to be true or false",
        ),
        ("{minimum: 'a'}", "\"minimum\" has to be a number"),
        ("{minLength: 1.5}", "\"minLength\" has to be a whole number"),
        ("{required: [1]}", "\"required\" has to be a list of names"),
        ("{enum: a}", "\"enum\" has to be a list"),
        ("{oneOf: {}}", "\"oneOf\" has to be a list of schemas"),
        ("{items: [{type: string}]}", "\"items\" has to be a schema"),
        (
            "{additionalProperties: 1}",
            "\"additionalProperties\" has to be a schema, true or false",
        ),
        (
            "{patternProperties: {'^x': {type: string}}}",
            "\"patternProperties\" is not supported",
        ),
        ("true", "a field is a text with a type or a map, not a bool"),
    ] {
        let text = format!("{{properties: {{v: {schema}}}}}");
        let errors = Schema::open_api("parameters", &node(&text)).expect_err(schema);
        assert!(
            lines(&errors).contains(expected),
            "{schema}: {}",
            lines(&errors)
        );
    }
    for schema in [
        "{type: null, minimum: null}",
        "{type: number, minimum: 1, exclusiveMinimum: true}",
        "{type: array, items: {type: string}, minItems: 1.0}",
        "{additionalProperties: false, unknown: 3}",
    ] {
        let text = format!("{{properties: {{v: {schema}}}}}");
        assert!(
            Schema::open_api("parameters", &node(&text)).is_ok(),
            "{schema}"
        );
    }
}

#[test]
fn schemas_that_grow_without_end_are_refused_soon() {
    let mut types = String::from("{T0: string");
    for n in 1..60 {
        types.push_str(&format!(", T{n}: {{a: T{0}, b: T{0}}}", n - 1));
    }
    types.push('}');
    let errors = shorthand("{x: T59, y: T15}", &types).expect_err("too large");
    assert!(errors.len() <= 2, "{}", lines(&errors));
    let deep = format!("{{x: '{}string'}}", "[]".repeat(5_000));
    assert!(shorthand(&deep, "").is_err());
    let mut defs = String::from("{$defs: {T0: {type: string}");
    for n in 1..40 {
        let to = format!("{{$ref: '#/$defs/T{}'}}", n - 1);
        defs.push_str(&format!(", T{n}: {{properties: {{a: {to}, b: {to}}}}}"));
    }
    defs.push_str("}, properties: {x: {$ref: '#/$defs/T39'}}}");
    assert!(Schema::open_api("parameters", &node(&defs)).is_err());
    assert!(Schema::shorthand("parameters", &Node::Int(1), &Node::Null).is_err());
}
