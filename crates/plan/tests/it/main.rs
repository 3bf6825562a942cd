//! Plans, told as stories: what is in the inventory, what is live, what is wanted, and what follows.

mod again;
mod drift;

use expect_test::{Expect, expect};
use object::{Node, Object, ObjectKey};
use plan::{
    Deletion, Entry, Inventory, LiveStale, Options, Owner, Probe, ProbeRefusal, Stage, Write,
};

const OWNER: (&str, &str) = ("apps", "flux-system");

fn options() -> Options {
    Options {
        owner: Owner {
            name: OWNER.0.into(),
            namespace: OWNER.1.into(),
        },
        prune: true,
        ..Options::default()
    }
}

/// `Kind/namespace/name` or `Kind/name`, with the group the kind usually has.
fn key(text: &str) -> ObjectKey {
    let parts: Vec<&str> = text.split('/').collect();
    let (namespace, name) = match parts[1..] {
        [name] => ("", name),
        [namespace, name] => (namespace, name),
        _ => panic!("{text} is no key"),
    };
    let group = match parts[0] {
        "Deployment" => "apps",
        "CustomResourceDefinition" => "apiextensions.k8s.io",
        "ClusterRole" => "rbac.authorization.k8s.io",
        "IngressClass" => "networking.k8s.io",
        "Widget" => "example.com",
        _ => "",
    };
    ObjectKey {
        group: group.into(),
        kind: parts[0].into(),
        namespace: namespace.into(),
        name: name.into(),
    }
}

fn object(text: &str) -> Object {
    let key = key(text);
    let mut node = Node::map();
    let api_version = match key.group.as_str() {
        "" => "v1".to_owned(),
        group => format!("{group}/v1"),
    };
    node.set(&["apiVersion"], api_version);
    node.set(&["kind"], key.kind);
    if !key.namespace.is_empty() {
        node.set(&["metadata", "namespace"], key.namespace);
    }
    node.set(&["metadata", "name"], key.name);
    Object::new(node)
}

fn owned(text: &str) -> Object {
    let mut object = object(text);
    let labels = ["metadata", "labels"];
    let (name, namespace) = OWNER;
    object.node.set(
        &[labels[0], labels[1], "kustomize.toolkit.fluxcd.io/name"],
        name,
    );
    let key = "kustomize.toolkit.fluxcd.io/namespace";
    object.node.set(&[labels[0], labels[1], key], namespace);
    object
        .node
        .set(&["metadata", "uid"], format!("uid of {text}"));
    object
}

fn inventory(keys: &str) -> Inventory {
    let entries = keys.split_whitespace().map(|text| Entry {
        key: key(text),
        version: "v1".into(),
    });
    entries.collect()
}

fn check_plan(had: &str, wants: &str, expected: Expect) {
    let desired = wants.split_whitespace().map(object).collect();
    let plan = plan::make(desired, &inventory(had), &options());
    let shown = match plan {
        Err(error) => format!("{error}\n"),
        Ok(plan) => {
            let mut lines = String::new();
            for (at, stage) in plan.stages.iter().enumerate() {
                let wait = if stage.wait { ", then wait" } else { "" };
                lines.push_str(&format!("stage {}{wait}\n", at + 1));
                for object in &stage.objects {
                    lines.push_str(&format!("  apply  {}\n", object.key()));
                }
            }
            for entry in &plan.stale {
                lines.push_str(&format!("stale    {}\n", entry.key));
            }
            lines
        }
    };
    expected.assert_eq(&shown);
}

#[test]
fn definitions_come_before_what_they_define() {
    check_plan(
        "",
        "Widget/app/w Deployment/app/web ConfigMap/app/settings Namespace/app
         CustomResourceDefinition/widgets.example.com IngressClass/nginx ClusterRole/reader",
        expect![[r#"
            stage 1, then wait
              apply  CustomResourceDefinition/widgets.example.com
              apply  Namespace/app
              apply  ClusterRole/reader
            stage 2, then wait
              apply  IngressClass/nginx
            stage 3
              apply  ConfigMap/app/settings
              apply  Deployment/app/web
              apply  Widget/app/w
        "#]],
    );
}

#[test]
fn what_left_the_source_goes_in_reverse_order() {
    check_plan(
        "Namespace/app ConfigMap/app/settings Deployment/app/web Service/app/web",
        "Service/app/web",
        expect![[r#"
            stage 1
              apply  Service/app/web
            stale    Deployment/app/web
            stale    ConfigMap/app/settings
            stale    Namespace/app
        "#]],
    );
}

#[test]
fn an_object_defined_twice_is_refused() {
    check_plan(
        "",
        "ConfigMap/app/settings ConfigMap/app/settings",
        expect![[r#"
            ConfigMap/app/settings is defined twice: the build and the build
        "#]],
    );
}

fn check_settle(stories: &[(Object, Probe)], options: &Options, expected: Expect) {
    let stage = Stage {
        objects: stories.iter().map(|(object, _)| object.clone()).collect(),
        wait: false,
    };
    let probes: Vec<Probe> = stories.iter().map(|(_, probe)| probe.clone()).collect();
    let settled = plan::settle(&stage, &probes, options);
    let mut shown = format!("{}\n", settled.changes);
    for write in &settled.writes {
        shown.push_str(&match write {
            Write::TakeOver { patch, .. } => {
                format!("take over {}\n", object::json::to_string(patch))
            }
            Write::Apply(object) => format!("apply {}\n", object.key()),
            Write::Recreate { object, .. } => format!("recreate {}\n", object.key()),
        });
    }
    for failure in &settled.failures {
        shown.push_str(&format!("refused: {failure}\n"));
    }
    expected.assert_eq(&shown);
}

fn refused(reason: &str, message: &str) -> Result<Object, ProbeRefusal> {
    Err(ProbeRefusal {
        reason: reason.into(),
        message: message.into(),
        not_found: false,
    })
}

#[test]
fn only_what_differs_is_written() {
    let same = owned("ConfigMap/app/same");
    let mut status_only = owned("ConfigMap/app/status");
    status_only.node.set(&["status", "x"], 1i64);
    let mut drifted = owned("ConfigMap/app/drifted");
    drifted.node.set(&["data", "k"], "edited");
    let probe = |live: Option<&Object>, result: &Object| Probe {
        live: live.cloned(),
        dry_run: Ok(result.clone()),
    };
    let new = object("ConfigMap/app/new");
    check_settle(
        &[
            (same.clone(), probe(Some(&same), &same)),
            (
                owned("ConfigMap/app/status"),
                probe(Some(&status_only), &owned("ConfigMap/app/status")),
            ),
            (
                owned("ConfigMap/app/drifted"),
                probe(Some(&drifted), &owned("ConfigMap/app/drifted")),
            ),
            (new.clone(), probe(None, &new)),
        ],
        &options(),
        expect![[r#"
            ConfigMap/app/same unchanged
            ConfigMap/app/status unchanged
            ConfigMap/app/drifted configured
            ConfigMap/app/new created
            apply ConfigMap/app/drifted
            apply ConfigMap/app/new
        "#]],
    );
}

#[test]
fn one_refusal_stops_the_stage_and_all_are_told() {
    let good = object("ConfigMap/app/good");
    let bad = |name: &str, message: &str| {
        let probe = Probe {
            live: None,
            dry_run: refused("Invalid", message),
        };
        (object(&format!("Deployment/app/{name}")), probe)
    };
    let fine = Probe {
        live: None,
        dry_run: Ok(good.clone()),
    };
    check_settle(
        &[
            (good.clone(), fine),
            bad("a", "spec.replicas: Invalid value: -1"),
            bad("b", "spec.selector: Required value"),
        ],
        &options(),
        expect![[r#"

            refused: Deployment/app/a dry-run failed (Invalid): spec.replicas: Invalid value: -1
            refused: Deployment/app/b dry-run failed (Invalid): spec.selector: Required value
        "#]],
    );
}

#[test]
fn a_fixed_field_is_changed_by_creating_again_only_when_allowed() {
    let live = owned("Deployment/app/web");
    let probe = Probe {
        live: Some(live.clone()),
        dry_run: refused("Invalid", "spec.selector: field is immutable"),
    };
    let stories = [(live, probe)];
    check_settle(
        &stories,
        &options(),
        expect![[r#"

            refused: Deployment/app/web dry-run failed (Invalid): spec.selector: field is immutable
        "#]],
    );
    let forced = Options {
        force: true,
        ..options()
    };
    check_settle(
        &stories,
        &forced,
        expect![[r#"
            Deployment/app/web created
            recreate Deployment/app/web
        "#]],
    );
}

#[test]
fn fields_written_by_kubectl_become_ours() {
    let mut live = owned("ConfigMap/app/settings");
    live.node.set(&["metadata", "resourceVersion"], "7");
    let entry = |manager: &str, operation: &str, field: &str| {
        let mut entry = Node::map();
        entry.set(&["manager"], manager);
        entry.set(&["operation"], operation);
        entry.set(&["apiVersion"], "v1");
        entry.set(&["fieldsType"], "FieldsV1");
        entry.set(&["fieldsV1", "f:data", field], Node::map());
        entry
    };
    let managers = [
        entry("kustomize-controller", "Apply", "f:a"),
        entry("kubectl-edit", "Update", "f:b"),
        entry("someone", "Update", "f:c"),
    ];
    live.node
        .set(&["metadata", "managedFields"], Node::list(managers));
    let wanted = owned("ConfigMap/app/settings");
    let probe = Probe {
        live: Some(live),
        dry_run: Ok(wanted.clone()),
    };
    check_settle(
        &[(wanted, probe)],
        &options(),
        expect![[r#"
            ConfigMap/app/settings configured
            take over [{"op":"replace","path":"/metadata/managedFields","value":[{"manager":"kustomize-controller","operation":"Apply","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:data":{"f:a":{},"f:b":{}}}},{"manager":"someone","operation":"Update","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:data":{"f:c":{}}}}]},{"op":"replace","path":"/metadata/resourceVersion","value":"7"}]
            apply ConfigMap/app/settings
        "#]],
    );
}

#[test]
fn only_objects_with_our_labels_are_deleted() {
    let stale = |text: &str, live: Option<Object>| LiveStale {
        entry: Entry {
            key: key(text),
            version: "v1".into(),
        },
        live,
        has_content: false,
    };
    let mut kept = owned("ConfigMap/app/kept");
    let marker = "kustomize.toolkit.fluxcd.io/prune";
    kept.node
        .set(&["metadata", "annotations", marker], "Disabled");
    let pruning = plan::prune(
        vec![
            stale("ConfigMap/app/ours", Some(owned("ConfigMap/app/ours"))),
            stale("ConfigMap/app/theirs", Some(object("ConfigMap/app/theirs"))),
            stale("ConfigMap/app/kept", Some(kept)),
            stale("ConfigMap/app/gone", None),
        ],
        &options(),
    );
    let deleted: Vec<_> = pruning.deletions.iter().map(|d| d.live.key()).collect();
    assert_eq!(deleted, [key("ConfigMap/app/ours")]);
    let released: Vec<_> = pruning
        .released
        .iter()
        .map(|(key, _)| key.clone())
        .collect();
    assert_eq!(
        released,
        [key("ConfigMap/app/theirs"), key("ConfigMap/app/kept")]
    );
    assert_eq!(pruning.gone, [key("ConfigMap/app/gone")]);
}

fn check_brake(deleted: usize, of: usize, with_content: &[&str], expected: Option<&str>) {
    let mut deletions: Vec<Deletion> = (0..deleted)
        .map(|n| Deletion {
            live: owned(&format!("ConfigMap/app/c{n}")),
            has_content: false,
        })
        .collect();
    deletions.extend(with_content.iter().map(|text| Deletion {
        live: owned(text),
        has_content: true,
    }));
    let held = plan::brake(&deletions, of);
    assert_eq!(held.map(|held| held.to_string()).as_deref(), expected);
}

#[test]
fn a_large_deletion_waits_for_a_person() {
    check_brake(3, 20, &[], None);
    check_brake(4, 20, &[], Some("4 of 20 objects would go, more than 3"));
    check_brake(10, 100, &[], None);
    check_brake(
        11,
        100,
        &[],
        Some("11 of 100 objects would go, more than 10"),
    );
    check_brake(2, 2, &[], Some("all 2 objects of the unit would go"));
    check_brake(
        0,
        20,
        &["Namespace/app"],
        Some("Namespace/app would go with everything in it"),
    );
}

#[test]
fn a_confirmation_is_for_one_deletion_only() {
    let deletion = |text: &str| Deletion {
        live: owned(text),
        has_content: true,
    };
    let held = plan::brake(&[deletion("Namespace/app")], 20).unwrap();
    let other = plan::brake(&[deletion("Namespace/other")], 20).unwrap();
    assert!(held.is_confirmed_by(&held.digest));
    assert!(held.is_confirmed_by(held.short_digest()));
    assert!(!held.is_confirmed_by(other.short_digest()));
    assert!(!held.is_confirmed_by(""));
}

#[test]
fn a_difference_names_fields_and_masks_secrets() {
    let mut old = object("Secret/app/token");
    let mut new = old.clone();
    old.node.set(&["data", "password"], "b2xk");
    new.node.set(&["data", "password"], "bmV3");
    new.node.set(&["type"], "Opaque");
    let difference = plan::difference(Some(&old), Some(&new)).unwrap();
    expect![[r#"
        ~ Secret/app/token
            data.password  *** (before) → *** (after)
            type  + Opaque"#]]
    .assert_eq(&difference.to_string());
    assert_eq!(plan::difference(Some(&old), Some(&old)), None);
}
