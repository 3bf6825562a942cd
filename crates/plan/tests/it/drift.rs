//! Take-over, ignored fields, normalisation and differences.

use expect_test::{Expect, expect};
use object::{Node, Object, json};
use plan::{IgnoreRule, Options, Probe, ProbeRefusal, Stage, Write};

fn object(text: &str) -> Object {
    let node = json::parse(text.as_bytes(), json::OBJECT_LIMITS);
    Object::new(node.unwrap_or_else(|error| panic!("{error}: {text}")))
}

/// Settles one object; shows the change, its fields and the bodies of the writes.
fn check(
    wanted: &str,
    live: &str,
    result: Result<&str, ProbeRefusal>,
    options: &Options,
    expected: Expect,
) {
    let stage = Stage {
        objects: vec![object(wanted)],
        wait: false,
    };
    let probe = Probe {
        live: (!live.is_empty()).then(|| object(live)),
        dry_run: result.map(object),
    };
    let settled = plan::settle(&stage, &[probe], options);
    let mut shown = settled.changes.to_string();
    for difference in &settled.differences {
        shown.push_str(&format!("\n{difference}"));
    }
    for write in &settled.writes {
        let (word, body) = match write {
            Write::TakeOver { patch, .. } => ("take over", patch),
            Write::Apply(object) => ("apply", &object.node),
            Write::Recreate { object, .. } => ("recreate", &object.node),
        };
        shown.push_str(&format!("\n{word} {}", json::to_string(body)));
    }
    for failure in &settled.failures {
        shown.push_str(&format!("refused: {failure}"));
    }
    expected.assert_eq(&shown);
}

fn ignoring(path: &str) -> Options {
    Options {
        ignore: vec![IgnoreRule {
            paths: vec![path.to_owned()],
            ..IgnoreRule::default()
        }],
        ..Options::default()
    }
}

const SCALED: &str = r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"shop","managedFields":[
    {"manager":"kustomize-controller","operation":"Apply","apiVersion":"apps/v1","fieldsType":"FieldsV1","fieldsV1":{"f:spec":{"f:replicas":{}}}}]},"spec":{"replicas":9,"paused":true}}"#;

#[test]
fn an_ignored_field_is_no_drift_and_keeps_its_live_value_when_something_else_drifts() {
    let wanted = r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"shop"},"spec":{"replicas":2}}"#;
    let same = r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"shop"},"spec":{"replicas":2,"paused":true}}"#;
    let rule = ignoring("/spec/replicas");
    check(
        wanted,
        SCALED,
        Ok(same),
        &rule,
        expect!["Deployment/shop/web unchanged"],
    );
    check(
        wanted,
        SCALED,
        Ok(wanted),
        &rule,
        expect![[r#"
            Deployment/shop/web configured
            ~ Deployment/shop/web
                spec.paused  - true
            apply {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"shop"},"spec":{"replicas":9}}"#]],
    );
}

#[test]
fn an_ignored_field_that_somebody_else_applies_is_left_out() {
    let live = r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","managedFields":[
        {"manager":"vpa","operation":"Apply","apiVersion":"apps/v1","fieldsType":"FieldsV1","fieldsV1":{"f:spec":{"f:containers":{"k:{\"name\":\"b\"}":{"f:cpu":{}}}}}}]},
        "spec":{"containers":[{"name":"a","cpu":1},{"name":"b","cpu":7}],"paused":true}}"#;
    let wanted = r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"containers":[{"name":"a","cpu":1},{"name":"b","cpu":2}]}}"#;
    check(
        wanted,
        live,
        Ok(wanted),
        &ignoring("/spec/containers/1/cpu"),
        expect![[r#"
            Deployment/web configured
            ~ Deployment/web
                spec.paused  - true
            apply {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"containers":[{"name":"a","cpu":1},{"name":"b"}]}}"#]],
    );
}

#[test]
fn a_container_that_kubectl_owned_as_a_whole_stays_owned_as_a_whole() {
    let live = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c","resourceVersion":"5",
        "annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{}","fluxcd.io/sync-checksum":"x"},
        "labels":{"fluxcd.io/sync-gc-mark":"x"},
        "managedFields":[
        {"manager":"kustomize-controller","operation":"Apply","apiVersion":"v1","time":"2024-01-01T00:00:00Z","fieldsType":"FieldsV1","fieldsV1":{"f:data":{"f:a":{}}}},
        {"manager":"kubectl-client-side-apply","operation":"Update","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:data":{}}},
        {"manager":"flux-client-side-apply","operation":"Update","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:data":{"f:z":{}}}},
        {"manager":"kubectl","operation":"Update","apiVersion":"v1","fieldsType":"FieldsV1","subresource":"status","fieldsV1":{"f:status":{}}}]}}"#;
    let wanted = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"}}"#;
    check(
        wanted,
        live,
        Ok(wanted),
        &Options::default(),
        expect![[r#"
            ConfigMap/c configured
            ~ ConfigMap/c
                metadata.labels[fluxcd.io/sync-gc-mark]  - x
                metadata.annotations[fluxcd.io/sync-checksum]  - x
            take over [{"op":"remove","path":"/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration"},{"op":"remove","path":"/metadata/annotations/fluxcd.io~1sync-checksum"},{"op":"remove","path":"/metadata/labels/fluxcd.io~1sync-gc-mark"},{"op":"replace","path":"/metadata/managedFields","value":[{"manager":"kustomize-controller","operation":"Apply","apiVersion":"v1","time":"2024-01-01T00:00:00Z","fieldsType":"FieldsV1","fieldsV1":{"f:data":{".":{},"f:a":{}}}},{"manager":"flux-client-side-apply","operation":"Update","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:data":{"f:z":{}}}},{"manager":"kubectl","operation":"Update","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:status":{}},"subresource":"status"}]},{"op":"replace","path":"/metadata/resourceVersion","value":"5"}]
            apply {"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"}}"#]],
    );
}

#[test]
fn a_live_object_marked_to_merge_keeps_what_others_wrote() {
    let live = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c","labels":{"kustomize.toolkit.fluxcd.io/ssa":"Merge"},
        "managedFields":[{"manager":"kubectl-edit","operation":"Update","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:data":{}}}]}}"#;
    let wanted = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c","labels":{"kustomize.toolkit.fluxcd.io/ssa":"Merge"}}}"#;
    check(
        wanted,
        live,
        Ok(wanted),
        &Options::default(),
        expect!["ConfigMap/c unchanged"],
    );
    let migrating = Options {
        migrate_versions: true,
        ..Options::default()
    };
    let newer = wanted.replace("\"v1\"", "\"v2\"");
    let live_newer = live.replacen("\"v1\"", "\"v2\"", 1);
    check(
        &newer,
        &live_newer,
        Ok(&newer),
        &migrating,
        expect![[r#"
            ConfigMap/c configured
            take over [{"op":"replace","path":"/metadata/managedFields","value":[{"manager":"kubectl-edit","operation":"Update","apiVersion":"v2","fieldsType":"FieldsV1","fieldsV1":{"f:data":{}}}]},{"op":"replace","path":"/metadata/resourceVersion","value":""}]
            apply {"apiVersion":"v2","kind":"ConfigMap","metadata":{"name":"c","labels":{"kustomize.toolkit.fluxcd.io/ssa":"Merge"}}}"#]],
    );
}

#[test]
fn a_missing_kind_and_a_missing_namespace_are_told_apart() {
    let not_found = || ProbeRefusal {
        reason: "NotFound".into(),
        message: "the server could not find the requested resource".into(),
        not_found: true,
    };
    let options = Options::default();
    check(
        r#"{"apiVersion":"x/v1","kind":"Thing","metadata":{"name":"t"}}"#,
        "",
        Err(not_found()),
        &options,
        expect![
            "refused: Thing/t namespace not specified: the server could not find the requested resource"
        ],
    );
    check(
        r#"{"apiVersion":"x/v1","kind":"Thing","metadata":{"name":"t","namespace":"n"}}"#,
        "",
        Err(not_found()),
        &options,
        expect!["refused: Thing/n/t not found: the server could not find the requested resource"],
    );
}

#[test]
fn repeated_metrics_of_an_old_server_are_no_drift() {
    let metric = r#"{"type":"Resource","resource":{"name":"cpu"}}"#;
    let scaler = |metrics: &str| {
        format!(
            r#"{{"apiVersion":"autoscaling/v2","kind":"HorizontalPodAutoscaler","metadata":{{"name":"h"}},"spec":{{"metrics":[{metrics}]}}}}"#
        )
    };
    let live = scaler(metric);
    let result = scaler(&format!(r#"{metric},{metric},{{"type":""}}"#));
    check(
        &live,
        &live,
        Ok(&result),
        &Options::default(),
        expect!["HorizontalPodAutoscaler/h unchanged"],
    );
}

#[test]
fn list_items_are_compared_with_those_of_the_same_name() {
    let containers = |items: &str| {
        object(&format!(
            r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"p"}},"spec":{{"containers":[{items}]}}}}"#
        ))
    };
    let old = containers(r#"{"name":"web","image":"w:1"},{"name":"side","image":"s:1"}"#);
    let new =
        containers(r#"{"name":"new","image":"n:1"},{"name":"web","image":"w:2","args":["a"]}"#);
    expect![[r#"
        ~ Pod/p
            spec.containers[web].image  w:1 → w:2
            spec.containers[web].args  + ["a"]
            spec.containers[side]  - {"name":"side","image":"s:1"}
            spec.containers[new]  + {"name":"new","image":"n:1"}"#]]
    .assert_eq(
        &plan::difference(Some(&old), Some(&new))
            .unwrap()
            .to_string(),
    );
}

#[test]
fn no_value_of_a_secret_is_shown_wherever_it_hides() {
    let canary = "c4n4ry";
    let secret = |value: &str| {
        object(&format!(
            r#"{{"apiVersion":"v1","kind":"Secret","metadata":{{"name":"s","annotations":{{"kubectl.kubernetes.io/last-applied-configuration":"{value}","note":"n"}}}},"data":{{"k":"{value}"}},"stringData":{{"k":"{value}"}}}}"#
        ))
    };
    let plain = object(r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"}}"#);
    for (old, new) in [
        (secret(canary), secret("other")),
        (secret("other"), secret(canary)),
        (plain.clone(), secret(canary)),
        (secret(canary), plain),
    ] {
        let difference = plan::difference(Some(&old), Some(&new)).unwrap();
        assert!(!difference.to_string().contains(canary), "{difference}");
        assert!(!format!("{difference:?}").contains(canary));
    }
}

#[test]
fn a_plan_has_a_bound_and_a_digest_of_its_own() {
    let many: Vec<Object> = (0..=plan::OBJECTS_MAX)
        .map(|_| Object::new(Node::map()))
        .collect();
    let refused = plan::make(many, &plan::Inventory::default(), &Options::default());
    assert_eq!(
        refused.unwrap_err().to_string(),
        "the build gives 10001 objects, more than 10000"
    );
    let plan = |value: &str| {
        let text = format!(
            r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"c"}},"data":{{"k":"{value}"}}}}"#
        );
        let made = plan::make(
            vec![object(&text)],
            &plan::Inventory::default(),
            &Options::default(),
        );
        made.unwrap().digest()
    };
    assert_eq!(plan("a"), plan("a"));
    assert_ne!(plan("a"), plan("b"));
}
