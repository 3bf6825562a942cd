//! Definitions: what is refused, what names are given, what conditions say.

use object::Node;
use schema::structural::{Structural, crd};

use crate::{data, lines, text};

/// Lines of `properties of the root => errors`, at paths below `openAPIV3Schema`.
fn check(table: &str) {
    let mut wrong = String::new();
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (schema, expected) = line.rsplit_once("=>").expect("`schema => errors`");
        let found = match Structural::compile(&data(schema.trim())) {
            Ok(_) => String::new(),
            Err(errors) => lines(&errors).trim().replace('\n', " ; "),
        };
        let found = found.replace("openAPIV3Schema", "~");
        if found != expected.trim() {
            wrong.push_str(&format!(
                "{schema}\n  expected {expected}\n  found     {found}\n"
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn schemas_are_structural() {
    check(
        r#"
        {type: object} =>
        {} => ~.type: Required value: must not be empty at the root
        {type: array, items: {type: string}} => ~.type: Invalid value: "array": must be object at the root
        {type: object, additionalProperties: {type: string}} => ~.additionalProperties: Forbidden: must not be used at the root
        {type: object, properties: {a: {type: array, items: {}}}} => ~.properties[a].items.type: Required value: must not be empty for specified array items
        {type: object, properties: {a: {x-kubernetes-int-or-string: true}}} =>
        {type: object, properties: {a: {x-kubernetes-int-or-string: true, x-kubernetes-preserve-unknown-fields: true}}} => ~.properties[a].x-kubernetes-preserve-unknown-fields: Invalid value: true: must be false if x-kubernetes-int-or-string is true
        {type: object, properties: {a: {x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}]}}} =>
        {type: object, properties: {a: {x-kubernetes-int-or-string: true, allOf: [{anyOf: [{type: integer}, {type: string}]}, {pattern: x}]}}} =>
        {type: object, properties: {a: {type: string, anyOf: [{nullable: true}, {default: x}, {description: x}]}}} => ~.properties[a].anyOf[0].nullable: Forbidden: must be false to be structural ; ~.properties[a].anyOf[1].default: Forbidden: must be undefined to be structural ; ~.properties[a].anyOf[2].description: Forbidden: must be empty to be structural
        {type: object, not: {properties: {a: {minLength: 1}}}} => ~.properties[a]: Required value: because it is defined in ~.not.properties[a]
        {type: object, properties: {a: {type: foo}}} => ~.properties[a].type: Unsupported value: "foo": supported values: "array", "boolean", "integer", "number", "object", "string"
        {type: object, properties: {a: {type: object, x-kubernetes-preserve-unknown-fields: false}}} => ~.properties[a].x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined
        {type: object, properties: {a: {type: array, items: [{type: string}]}}} => ~.properties[a].items: Forbidden: items must be a schema object and not an array
        {type: object, properties: {a: {type: string, x-kubernetes-list-type: set}}} => ~.properties[a].type: Invalid value: "string": must be array if x-kubernetes-list-type is specified
        {type: object, properties: {a: {type: object, x-kubernetes-map-type: foo}}} => ~.properties[a].x-kubernetes-map-type: Unsupported value: "foo": supported values: "atomic", "granular"
        {type: object, properties: {a: {type: array, x-kubernetes-list-map-keys: [k], items: {type: string}}}} => ~.properties[a].x-kubernetes-list-type: Required value: must be map if x-kubernetes-list-map-keys is non-empty
        {type: object, properties: {a: {type: array, x-kubernetes-list-type: set, items: {type: string, nullable: true}}}} => ~.properties[a].items.nullable: Forbidden: cannot be nullable when x-kubernetes-list-type is set
        {type: object, properties: {a: {type: object, x-kubernetes-embedded-resource: true, properties: {x: {type: string}}}}} =>
        {type: object, properties: {kind: {type: integer}}} => ~.properties[kind].type: Invalid value: "integer": must be string
        "#,
    );
}

#[test]
fn defaults_are_values_of_their_schema() {
    check(
        r#"
        {type: object, properties: {a: {type: integer, default: 3, maximum: 5}}} =>
        {type: object, properties: {a: {type: integer, default: 7, maximum: 5}}} => ~.properties[a].default: Invalid value: 7:  in body should be less than or equal to 5
        {type: object, properties: {a: {type: object, default: {b: {c: x}}, properties: {b: {type: object, properties: {c: {type: integer}}}}}}} => ~.properties[a].default.b.c: Invalid value: "string": b.c in body must be of type integer: "string"
        {type: object, properties: {a: {type: integer, default: 1, x-kubernetes-validations: [{rule: self > 1, message: small}]}}} => ~.properties[a].default: Invalid value: 1: small
        {type: object, properties: {a: {type: integer, default: 2, x-kubernetes-validations: [{rule: self > 1, message: small}]}}} =>
        "#,
    );
}

#[test]
fn rules_are_checked_against_the_schema() {
    check(
        r#"
        {type: object, properties: {a: {type: integer, x-kubernetes-validations: [{rule: ' '}]}}} => ~.properties[a].x-kubernetes-validations[0].rule: Required value: rule is not specified
        {type: object, properties: {a: {type: integer, x-kubernetes-validations: [{rule: self > 1, reason: Foo}]}}} => ~.properties[a].x-kubernetes-validations[0].reason: Unsupported value: "Foo": supported values: "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"
        {type: object, properties: {a: {type: object, properties: {x: {type: integer}}, x-kubernetes-validations: [{rule: self.x > 1, fieldPath: .y}]}}} => ~.properties[a].x-kubernetes-validations[0].fieldPath: Invalid value: ".y": must be a valid path
        {type: object, properties: {a: {type: integer, x-kubernetes-validations: [{rule: self > 1, optionalOldSelf: true}]}}} => ~.properties[a].x-kubernetes-validations[0].optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule
        {type: object, properties: {a: {type: array, items: {type: integer, x-kubernetes-validations: [{rule: self > oldSelf}]}}}} => ~.properties[a].items.x-kubernetes-validations[0].rule: Invalid value: "self > oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within ~.properties[a]
        {type: object, properties: {a: {type: integer, x-kubernetes-validations: [{rule: self + 1}]}}} => ~.properties[a].x-kubernetes-validations[0].rule: Invalid value: {"Rule":"self + 1","Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: cel expression must evaluate to a bool
        {type: object, properties: {a: {type: integer, x-kubernetes-validations: [{rule: self > 1, messageExpression: self}]}}} => ~.properties[a].x-kubernetes-validations[0].messageExpression: Invalid value: {"Rule":"self > 1","Message":"","MessageExpression":"self","Reason":null,"FieldPath":"","OptionalOldSelf":null}: messageExpression must evaluate to a string
        "#,
    );
    let invisible = "Internal error: internal error: failed to construct type information for x-kubernetes-validations rules: unable to convert structural schema to CEL declarations";
    check(&format!(
        r#"
        {{type: object, properties: {{a: {{x-kubernetes-preserve-unknown-fields: true, x-kubernetes-validations: [{{rule: 'true'}}]}}}}}} => ~.properties[a].x-kubernetes-validations: {invisible}
        {{type: object, properties: {{a: {{x-kubernetes-preserve-unknown-fields: true, properties: {{b: {{type: string, x-kubernetes-validations: [{{rule: self == oldSelf}}]}}}}}}}}}} =>
        {{type: object, x-kubernetes-validations: [{{rule: 'true'}}], properties: {{a: {{x-kubernetes-preserve-unknown-fields: true, items: {{type: string, x-kubernetes-validations: [{{rule: self == ''}}]}}}}}}}} => ~.properties[a].items.x-kubernetes-validations: {invisible}
        {{type: object, x-kubernetes-validations: [{{rule: 'true'}}], properties: {{a: {{x-kubernetes-preserve-unknown-fields: true, properties: {{b: {{type: object, properties: {{c: {{type: string, x-kubernetes-validations: [{{rule: self == ''}}]}}}}}}}}}}}}}} => ~.properties[a].properties[b].properties[c].x-kubernetes-validations: {invisible}
        {{type: object, properties: {{a: {{type: object, additionalProperties: {{x-kubernetes-preserve-unknown-fields: true, properties: {{b: {{type: string, x-kubernetes-validations: [{{rule: self == ''}}]}}}}}}}}}}}} =>
        {{type: object, properties: {{a: {{type: object, x-kubernetes-validations: [{{rule: 'true'}}], additionalProperties: {{x-kubernetes-preserve-unknown-fields: true}}}}}}}} => ~.properties[a].x-kubernetes-validations: {invisible}
        {{type: object, properties: {{a: {{type: object, properties: {{b: {{x-kubernetes-preserve-unknown-fields: true}}}}, x-kubernetes-validations: [{{rule: '[dyn(self).b] == [dyn(oldSelf).b]'}}]}}}}}} =>
        {{type: object, properties: {{a: {{type: object, properties: {{b: {{x-kubernetes-preserve-unknown-fields: true}}}}, x-kubernetes-validations: [{{rule: 'self == oldSelf'}}]}}}}}} =>
        "#
    ));
    let refused = Structural::compile(&data(
        "{type: object, properties: {a: {type: object, properties: {b: {type: string}}, x-kubernetes-validations: [{rule: self.c == 1}]}}}",
    ));
    assert!(lines(&refused.unwrap_err()).ends_with(
        "compilation failed: ERROR: <input>:1:5: undefined field 'c'\n | self.c == 1\n | ....^\n"
    ));
    let refused = Structural::compile(&data(
        "{type: object, properties: {a: {type: object, properties: {b: {x-kubernetes-preserve-unknown-fields: true}}, x-kubernetes-validations: [{rule: self.b == 1}]}}}",
    ));
    assert!(lines(&refused.unwrap_err()).contains("undefined field 'b'"));
}

fn definition(changes: &[(&[&str], &str)]) -> Node {
    let mut definition = data(
        "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition,
          metadata: {name: things.example.com},
          spec: {group: example.com, scope: Namespaced, names: {plural: things, kind: Thing},
            versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]}}",
    );
    for (keys, value) in changes {
        definition.set(keys, data(value));
    }
    crd::default(&mut definition);
    crd::record_storage_version(&mut definition);
    definition
}

#[test]
fn definitions_are_completed_and_checked() {
    let plain = definition(&[]);
    assert_eq!(
        plain.str_at(&["spec", "names", "listKind"]),
        Some("ThingList")
    );
    assert_eq!(plain.str_at(&["spec", "names", "singular"]), Some("thing"));
    assert_eq!(
        plain.str_at(&["spec", "conversion", "strategy"]),
        Some("None")
    );
    assert_eq!(
        text(plain.at(&["status", "storedVersions"]).unwrap()),
        "[\"v1\"]"
    );
    assert_eq!(lines(&crd::validate(&plain)), "");

    let schema = "schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {n: {type: integer}, o: {type: object}}}}}}";
    let version =
        |rest: &str| format!("[{{name: v1, served: true, storage: true, {schema}, {rest}}}]");
    for (rest, expected) in [
        (
            "additionalPrinterColumns: [{name: A, type: string, jsonPath: .spec.a}]",
            "",
        ),
        (
            "additionalPrinterColumns: [{name: '', type: text, jsonPath: spec.a, format: x}]",
            "spec.additionalPrinterColumns[0].name: Required value\nspec.additionalPrinterColumns[0].type: Invalid value: \"text\": must be one of boolean,date,integer,number,string\nspec.additionalPrinterColumns[0].format: Invalid value: \"x\": must be one of byte,date,date-time,double,float,int32,int64,password\nspec.additionalPrinterColumns[0].JSONPath: Invalid value: \"spec.a\": must be a simple json path starting with .\n",
        ),
        (
            "subresources: {scale: {specReplicasPath: .status.n, statusReplicasPath: .status.n}}",
            "spec.subresources.scale.specReplicasPath: Invalid value: \".status.n\": should be a json path under .spec\n",
        ),
        ("selectableFields: [{jsonPath: .spec.n}]", ""),
        (
            "selectableFields: [{jsonPath: .spec.o}, {jsonPath: .spec.x}, {jsonPath: .spec.n}, {jsonPath: .spec.n}]",
            "spec.selectableFields[0].jsonPath: Invalid value: \".spec.o\": must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.\nspec.selectableFields[1].jsonPath: Invalid value: \".spec.x\": is an invalid path: does not refer to a valid field\nspec.selectableFields[3].jsonPath: Duplicate value: \".spec.n\"\n",
        ),
        (
            "deprecationWarning: old",
            "spec.versions[0].deprecationWarning: Invalid value: \"old\": can only be set for deprecated versions\n",
        ),
    ] {
        let definition = definition(&[(&["spec", "versions"], &version(rest))]);
        assert_eq!(lines(&crd::validate(&definition)), expected, "{rest}");
    }
}

#[test]
fn updates_keep_what_storage_depends_on() {
    let mut old = definition(&[]);
    let status = crd::settle(&old, &[], "2024-01-01T00:00:00Z");
    old.set(&["status"], status);
    let mut new = old.clone();
    new.set(&["spec", "scope"], "Cluster");
    new.set(&["spec", "names", "plural"], "others");
    assert_eq!(
        lines(&crd::validate_update(&new, &old)),
        "spec.scope: Invalid value: \"Cluster\": field is immutable\nspec.names.plural: Invalid value: \"others\": field is immutable\n"
    );
    let mut new = old.clone();
    new.set(
        &["spec", "versions"],
        data(
            "[{name: v2, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]",
        ),
    );
    crd::record_storage_version(&mut new);
    assert!(lines(&crd::validate_update(&new, &old)).starts_with(
        "status.storedVersions[0]: Invalid value: \"v1\": missing from spec.versions; v1 was previously"
    ));
}

#[test]
fn names_go_to_the_first_who_asks() {
    let now = "2024-01-01T00:00:00Z";
    let conditions = |status: &Node| -> Vec<String> {
        let list = status.get("conditions").and_then(Node::as_list).unwrap();
        list.iter()
            .map(|one| {
                let text = |key: &str| one.str_at(&[key]).unwrap_or_default();
                format!(
                    "{} {} {} {}",
                    text("type"),
                    text("status"),
                    text("reason"),
                    text("message")
                )
            })
            .collect()
    };
    let mut first = definition(&[
        (&["spec", "names", "shortNames"], "[th]"),
        (&["spec", "names", "categories"], "[all]"),
    ]);
    let status = crd::settle(&first, &[], now);
    assert_eq!(
        conditions(&status),
        [
            "NamesAccepted True NoConflicts no conflicts found",
            "Established True InitialNamesAccepted the initial names have been accepted"
        ]
    );
    let accepted = status.get("acceptedNames").unwrap();
    assert_eq!(Some(accepted), first.at(&["spec", "names"]));
    first.set(&["status"], status);
    // Settling again changes nothing, at any time.
    assert_eq!(
        &crd::settle(&first, &[], "2025-01-01T00:00:00Z"),
        first.get("status").unwrap()
    );

    let second = definition(&[
        (&["metadata", "name"], "others.example.com"),
        (&["spec", "names", "plural"], "others"),
    ]);
    let status = crd::settle(&second, &[&first], now);
    assert_eq!(
        conditions(&status),
        [
            "NamesAccepted False ListKindConflict \"ThingList\" is already in use",
            "Established False NotAccepted not all names are accepted"
        ]
    );
    assert_eq!(
        text(status.get("acceptedNames").unwrap()),
        "{\"plural\":\"others\",\"kind\":\"\"}"
    );
    let elsewhere = definition(&[(&["spec", "group"], "example.org")]);
    assert_eq!(
        crd::condition(
            &{
                let mut settled = elsewhere.clone();
                settled.set(&["status"], crd::settle(&elsewhere, &[&first], now));
                settled
            },
            "NamesAccepted"
        ),
        Some("True")
    );
}

#[test]
fn groups_of_kubernetes_need_approval() {
    let judge = |annotation: &str| {
        let mut definition = definition(&[
            (&["metadata", "name"], "things.x.k8s.io"),
            (&["spec", "group"], "x.k8s.io"),
        ]);
        if !annotation.is_empty() {
            definition.set(
                &["metadata", "annotations", "api-approved.kubernetes.io"],
                annotation,
            );
        }
        let status = crd::settle(&definition, &[], "2024-01-01T00:00:00Z");
        let condition = status.get("conditions").and_then(Node::as_list).unwrap()[0].clone();
        let text = |key: &str| condition.str_at(&[key]).unwrap_or_default().to_owned();
        (
            crd::validate(&definition).len(),
            text("type"),
            format!("{} {}: {}", text("status"), text("reason"), text("message")),
        )
    };
    let name = "KubernetesAPIApprovalPolicyConformant";
    let missing = "False MissingAnnotation: protected groups must have approval annotation \"api-approved.kubernetes.io\", see https://github.com/kubernetes/enhancements/pull/1111";
    for (annotation, errors, told) in [
        (
            "https://example.com/1",
            0,
            "True ApprovedAnnotation: approved in https://example.com/1",
        ),
        (
            "unapproved, a test",
            0,
            "False UnapprovedAnnotation: not approved: \"unapproved, a test\"",
        ),
        ("", 1, missing),
    ] {
        assert_eq!(judge(annotation), (errors, name.into(), told.into()));
    }
}
