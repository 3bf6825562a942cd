//! Pruning, defaults and validation of custom resources.

use crate::{data, lines, object, schema, text};

/// Lines of `schema of spec.f | value of spec.f => what validation says` (nothing when accepted).
fn check(table: &str) {
    let mut wrong = String::new();
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (case, expected) = line.rsplit_once("=>").expect("`schema | value => errors`");
        let (level, value) = case.split_once(" | ").expect("`schema | value => errors`");
        let schema = schema(&format!("f: {level}"));
        let object = object(&format!("{{f: {value}}}"));
        let found = lines(&schema.validate(&object, None).errors)
            .trim()
            .replace('\n', " ; ");
        if found != expected.trim() {
            wrong.push_str(&format!(
                "{case}\n  expected {expected}\n  found     {found}\n"
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn types() {
    check(
        r#"
        {type: string} | a =>
        {type: string} | 1 => spec.f: Invalid value: "integer": spec.f in body must be of type string: "integer"
        {type: integer} | 1.0 =>
        {type: integer} | 1.5 => spec.f: Invalid value: "number": spec.f in body must be of type integer: "number" ; <nil>: Invalid value: "": Checked value must be of type integer (default format) in spec.f
        {type: number} | 1 =>
        {type: boolean} | "x" => spec.f: Invalid value: "string": spec.f in body must be of type boolean: "string"
        {type: object} | [] => spec.f: Invalid value: "array": spec.f in body must be of type object: "array"
        {type: array, items: {type: string}} | [a, {}] => spec.f[1]: Invalid value: "object": spec.f[1] in body must be of type string: "object"
        {type: string} | null => spec.f: Invalid value: "null": spec.f in body must be of type string: "null"
        {type: string, nullable: true} | null =>
        {x-kubernetes-int-or-string: true} | 5 =>
        {x-kubernetes-int-or-string: true} | [] => spec.f: Invalid value: "array": spec.f in body must be of type integer,string: "array"
        {x-kubernetes-preserve-unknown-fields: true} | [1, a] =>
        {type: object, additionalProperties: {type: integer}} | {a: 1, b: x} => spec.f.b: Invalid value: "string": spec.f.b in body must be of type integer: "string"
        "#,
    );
}

#[test]
fn bounds() {
    check(
        r#"
        {type: string, maxLength: 2} | äö =>
        {type: string, maxLength: 2} | abc => spec.f: Too long: may not be more than 2 bytes
        {type: string, minLength: 2} | a => spec.f: Invalid value: "a": spec.f in body should be at least 2 chars long
        {type: string, pattern: 'b$'} | ab =>
        {type: string, pattern: '^\d+$'} | ١ => spec.f: Invalid value: "١": spec.f in body should match '^\d+$'
        {type: integer, maximum: 3} | 4 => spec.f: Invalid value: 4: spec.f in body should be less than or equal to 3
        {type: integer, maximum: 3, exclusiveMaximum: true} | 3 => spec.f: Invalid value: 3: spec.f in body should be less than 3
        {type: integer, minimum: 3, exclusiveMinimum: true} | 3 => spec.f: Invalid value: 3: spec.f in body should be greater than 3
        {type: integer, minimum: 9007199254740993} | 9007199254740992 => spec.f: Invalid value: 9007199254740992: spec.f in body should be greater than or equal to 9007199254740993
        {type: integer, multipleOf: 3} | 7 => spec.f: Invalid value: 7: spec.f in body should be a multiple of 3
        {type: number, multipleOf: 0.5} | 1.5 =>
        {type: integer, format: int32} | 2147483648 => <nil>: Invalid value: "": Checked value must be of type integer with format int32 in spec.f
        {type: string, enum: [a, b]} | c => spec.f: Unsupported value: "c": supported values: "a", "b"
        {type: integer, enum: [1, 2]} | 3 => spec.f: Unsupported value: 3: supported values: "1", "2"
        {type: array, items: {type: integer}, maxItems: 1} | [1, 2] => spec.f: Too many: 2: must have at most 1 item
        {type: array, items: {type: integer}, minItems: 1} | [] => spec.f: Invalid value: 0: spec.f in body should have at least 1 items
        {type: object, additionalProperties: {type: integer}, minProperties: 1} | {} => spec.f: Invalid value: 0: spec.f in body should have at least 1 properties
        {type: object, properties: {a: {type: string}}, required: [a]} | {} => spec.f.a: Required value
        "#,
    );
}

#[test]
fn combinations() {
    check(
        r#"
        {type: object, properties: {a: {type: string}, b: {type: string}}, oneOf: [{required: [a]}, {required: [b]}]} | {a: x} =>
        {type: object, properties: {a: {type: string}, b: {type: string}}, oneOf: [{required: [a]}, {required: [b]}]} | {a: x, b: y} => <nil>: Invalid value: "": "spec.f" must validate one and only one schema (oneOf). Found 2 valid alternatives
        {type: object, properties: {a: {type: string}, b: {type: string}}, anyOf: [{required: [a]}, {required: [b]}]} | {} => <nil>: Invalid value: "": "spec.f" must validate at least one schema (anyOf) ; spec.f.a: Required value
        {type: integer, allOf: [{minimum: 2}, {maximum: 5}]} | 7 => spec.f: Invalid value: 7: spec.f in body should be less than or equal to 5 ; <nil>: Invalid value: "": "spec.f" must validate all the schemas (allOf)
        {type: string, not: {enum: [bad]}} | bad => <nil>: Invalid value: "": "spec.f" must not validate the schema (not)
        {x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}], pattern: '^\d+%$'} | x => spec.f: Invalid value: "x": spec.f in body should match '^\d+%$'
        "#,
    );
}

#[test]
fn formats() {
    let cases = [
        ("date", "2024-02-29", "2023-02-29"),
        ("date-time", "2024-02-29T10:00:00.5+02:00", "2024-02-29"),
        ("duration", "3 days", "soon"),
        ("email", "a.b@example.com", "a@"),
        ("hostname", "web-1.example.com", "-web"),
        ("ipv4", "10.0.0.1", "10.0.0"),
        ("ipv6", "fe80::1", "fe80:::1"),
        ("cidr", "10.0.0.0/8", "10.0.0.0/33"),
        ("mac", "00:1b:44:11:3a:b7", "00:1b:44"),
        ("uri", "https://example.com/x", "no uri"),
        ("uuid", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "6ba7b810"),
        (
            "uuid4",
            "f47ac10b-58cc-4372-a567-0e02b2c3d479",
            "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        ),
        ("byte", "aGVsbG8=", "aGVsbG8"),
        ("bsonobjectid", "507f1f77bcf86cd799439011", "507f"),
        ("isbn10", "0-306-40615-2", "0-306-40615-3"),
        ("isbn13", "978-0-306-40615-7", "978-0-306-40615-8"),
        ("creditcard", "4111 1111 1111 1111", "4111 1111 1111 1112"),
        ("ssn", "123-45-6789", "123-456"),
        ("hexcolor", "#ffaa00", "#ffa00"),
        ("rgbcolor", "rgb(1, 2, 255)", "rgb(1, 2, 256)"),
        ("k8s-short-name", "web-1", "Web"),
        ("k8s-long-name", "web.example.com", "web..com"),
        ("password", "anything", ""),
        ("made-up", "anything", ""),
    ];
    for (format, good, bad) in cases {
        let schema = schema(&format!("f: {{type: string, format: {format}}}"));
        let check = |value: &str| {
            let mut object = object("{}");
            object.set(&["spec", "f"], value);
            lines(&schema.validate(&object, None).errors)
        };
        assert_eq!(check(good), "", "{format}");
        if !bad.is_empty() {
            let expected = format!(
                "spec.f: Invalid value: \"{bad}\": spec.f in body must be of type {format}: \"{bad}\"\n"
            );
            assert_eq!(check(bad), expected, "{format}");
        }
    }
}

#[test]
fn unknown_fields_are_dropped_except_where_kept() {
    let schema = schema(
        "known: {type: object, properties: {a: {type: string}}},
         kept: {type: object, x-kubernetes-preserve-unknown-fields: true, properties: {in: {type: object, properties: {a: {type: string}}}}},
         list: {type: array, items: {type: object, properties: {a: {type: string}}}},
         map: {type: object, additionalProperties: {type: object, properties: {a: {type: string}}}},
         embedded: {type: object, x-kubernetes-embedded-resource: true, x-kubernetes-preserve-unknown-fields: true}",
    );
    let mut object = object(
        "{typo: 1, known: {a: x, b: 1}, kept: {any: 1, in: {a: x, b: 1}}, list: [{a: x}, {b: 1}],
          map: {k: {b: 1}}, embedded: {apiVersion: v1, kind: X, metadata: {name: a, typo: 1}, any: 1}}",
    );
    object.set(&["metadata", "typo"], 1i64);
    let shared = object.clone();
    assert_eq!(
        schema.prune(&mut object),
        [
            "spec.embedded.metadata.typo",
            "spec.kept.in.b",
            "spec.known.b",
            "spec.list[1].b",
            "spec.map.k.b",
            "spec.typo"
        ]
    );
    assert_eq!(
        text(object.get("spec").unwrap()),
        text(&data(
            "{known: {a: x}, kept: {any: 1, in: {a: x}}, list: [{a: x}, {}], map: {k: {}},
              embedded: {apiVersion: v1, kind: X, metadata: {name: a}, any: 1}}"
        ))
    );
    assert!(
        object.at(&["metadata", "typo"]).is_some(),
        "metadata is the server's business"
    );
    assert!(
        shared.at(&["spec", "typo"]).is_some(),
        "what is shared was not changed"
    );
    assert!(schema.prune(&mut object).is_empty());
}

#[test]
fn defaults_fill_what_is_missing_or_null_where_null_is_not_allowed() {
    let schema = schema(
        "a: {type: string, default: dflt},
         n: {type: string, nullable: true, default: dflt},
         drop: {type: string},
         in: {type: object, default: {}, properties: {x: {type: integer, default: 3}}},
         list: {type: array, items: {type: object, properties: {x: {type: integer, default: 3}}}},
         map: {type: object, additionalProperties: {type: object, properties: {x: {type: integer, default: 3}}}}",
    );
    for (before, after) in [
        ("{}", "{a: dflt, n: dflt, in: {x: 3}}"),
        (
            "{a: null, n: null, drop: null}",
            "{a: dflt, n: null, in: {x: 3}}",
        ),
        (
            "{a: '', in: {x: 1}, list: [{}, {x: 1}], map: {k: {}}}",
            "{a: '', n: dflt, in: {x: 1}, list: [{x: 3}, {x: 1}], map: {k: {x: 3}}}",
        ),
    ] {
        let mut object = object(before);
        schema.drop_nulls(&mut object);
        schema.default(&mut object);
        let mut found = object.get("spec").unwrap().clone();
        let mut expected = data(after);
        found.sort_keys();
        expected.sort_keys();
        assert_eq!(text(&found), text(&expected), "{before}");
    }
}

#[test]
fn items_of_sets_and_lists_with_keys_are_unique() {
    let schema = schema(
        "set: {type: array, items: {type: string}, x-kubernetes-list-type: set},
         one: {type: array, items: {type: object, properties: {k: {type: string}}, required: [k]}, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k]},
         two: {type: array, items: {type: object, properties: {k: {type: string, default: d}, p: {type: integer, default: 1}}}, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k, p]}",
    );
    let twice = object(
        "{set: [a, b, a, a], one: [{k: x}, {k: y}, {k: x}], two: [{k: x, p: 1}, {k: x, p: 2}, {p: 1, k: x}]}",
    );
    assert_eq!(
        lines(&schema.validate(&twice, None).errors),
        "spec.set[2]: Duplicate value: \"a\"\nspec.one[2]: Duplicate value: {\"k\":\"x\"}\nspec.two[2]: Duplicate value: {\"k\":\"x\",\"p\":1}\n"
    );
    // What was wrong before does not stop an update.
    assert_eq!(lines(&schema.validate(&twice, Some(&twice)).errors), "");
}

#[test]
fn an_update_is_not_held_to_what_it_leaves_alone() {
    let schema = schema(
        "n: {type: integer, maximum: 10}, s: {type: string},
         atomic: {type: array, items: {type: integer, maximum: 10}},
         keyed: {type: array, items: {type: object, properties: {k: {type: string}, n: {type: integer, maximum: 10}}, required: [k]}, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k]},
         all: {type: object, properties: {n: {type: integer}, s: {type: string}}, allOf: [{properties: {n: {maximum: 10}}}]}",
    );
    let above = |path: &str, value: i64| {
        format!(
            "{path}: Invalid value: {value}: {path} in body should be less than or equal to 10\n"
        )
    };
    for (old, new, expected) in [
        ("{n: 11, s: a}", "{n: 11, s: b}", String::new()),
        ("{n: 11}", "{n: 12}", above("spec.n", 12)),
        // Items of atomic lists cannot be found again; the list as a whole can.
        (
            "{atomic: [11], s: a}",
            "{atomic: [11], s: b}",
            String::new(),
        ),
        (
            "{atomic: [11]}",
            "{atomic: [11, 1]}",
            above("spec.atomic[0]", 11),
        ),
        (
            "{keyed: [{k: a, n: 11}]}",
            "{keyed: [{k: b, n: 1}, {k: a, n: 11}]}",
            String::new(),
        ),
        (
            "{keyed: [{k: a, n: 11}]}",
            "{keyed: [{k: b, n: 11}]}",
            above("spec.keyed[0].n", 11),
        ),
        // Nothing below allOf is compared.
        (
            "{all: {n: 11, s: a}}",
            "{all: {n: 11, s: b}}",
            above("spec.all.n", 11)
                + "<nil>: Invalid value: \"\": \"spec.all\" must validate all the schemas (allOf). None validated\n",
        ),
    ] {
        let (old, new) = (object(old), object(new));
        assert_eq!(
            lines(&schema.validate(&new, Some(&old)).errors),
            expected,
            "{}",
            text(&new)
        );
    }
}

#[test]
fn embedded_objects_are_objects() {
    let schema = schema(
        "e: {type: object, x-kubernetes-embedded-resource: true, x-kubernetes-preserve-unknown-fields: true}",
    );
    for (embedded, expected) in [
        ("{apiVersion: v1, kind: Pod, metadata: {name: a}}", ""),
        (
            "{kind: ''}",
            "spec.e.apiVersion: Required value\nspec.e.kind: Invalid value: \"\": must not be empty\n",
        ),
        (
            "{apiVersion: a/b/c, kind: Pod}",
            "spec.e.apiVersion: Invalid value: \"a/b/c\": unexpected GroupVersion string: a/b/c\n",
        ),
        (
            "{apiVersion: v1, kind: Pod, metadata: {name: a/b}}",
            "spec.e.metadata.name: Invalid value: \"a/b\": may not contain '/'\n",
        ),
    ] {
        let object = object(&format!("{{e: {embedded}}}"));
        assert_eq!(
            lines(&schema.validate(&object, None).errors),
            expected,
            "{embedded}"
        );
    }
    let object = object("{e: {apiVersion: v1, kind: Pod, metadata: {labels: 1}}}");
    assert_eq!(
        lines(&schema.malformed(&object)),
        "spec.e.metadata: Invalid value: {\"labels\":1}: json: cannot unmarshal number into Go struct field ObjectMeta.labels of type map[string]string\n"
    );
}

#[test]
fn deep_schemas_are_refused_and_deep_objects_end_at_their_schema() {
    let nested = |depth: usize| {
        let mut schema = data("{type: object, x-kubernetes-preserve-unknown-fields: true}");
        for _ in 0..depth {
            let mut outer = data("{type: object}");
            outer.set(&["properties", "a"], schema);
            schema = outer;
        }
        schema
    };
    assert!(schema::Structural::compile(&nested(90)).is_ok());
    let refused = schema::Structural::compile(&nested(150)).unwrap_err();
    assert_eq!(
        lines(&refused),
        "openAPIV3Schema: Invalid value: \"\": nested deeper than 100 levels\n"
    );
}

#[test]
fn long_lists_with_keys_are_compared_in_linear_time() {
    let schema = schema(
        "l: {type: array, items: {type: object, properties: {k: {type: string}, n: {type: integer, x-kubernetes-validations: [{rule: self >= oldSelf}]}}, required: [k]}, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k]}",
    );
    let list = |reverse: bool| {
        let mut items: Vec<object::Node> = (0..20_000i64)
            .map(|n| {
                let mut item = object::Node::map();
                item.set(&["k"], format!("key-{n}"));
                item.set(&["n"], n);
                item
            })
            .collect();
        if reverse {
            items.reverse();
        }
        let mut object = object("{}");
        object.set(&["spec", "l"], items);
        object
    };
    let started = std::time::Instant::now();
    let found = schema.validate(&list(true), Some(&list(false)));
    assert_eq!(lines(&found.errors), "");
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}
