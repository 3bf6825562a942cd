//! Who owns what after which write.

use expect_test::{Expect, expect};
use merge::{
    ApplyError, FieldSet, Force, Managers, OneVersion, Reset, Write, fields_of_last_applied,
};
use object::{Node, json};

use crate::schemas::{node, workload};

/// Runs a story and compares what each line of it led to.
///
/// A line is a writer, a verb (`applies`, `forces`, `updates`), and the spec as JSON. Writers may
/// carry a subresource: `kubelet/status`.
fn check(story: &str, expected: Expect) {
    let object_type = workload();
    let version = OneVersion {
        api_version: "example/v1",
        object_type: &object_type,
    };
    let missing = node(r#"{"apiVersion": "example/v1", "kind": "Workload"}"#);
    let (mut live, mut managers) = (None::<Node>, Managers::none());
    let mut out = String::new();
    for (second, line) in story.lines().map(str::trim).enumerate() {
        let mut words = line.splitn(3, ' ');
        let (Some(writer), Some(verb), Some(body)) = (words.next(), words.next(), words.next())
        else {
            panic!("`{line}` is no line of a story");
        };
        let (manager, subresource) = writer.split_once('/').unwrap_or((writer, ""));
        let reset = match subresource {
            "" => Reset::Except(FieldSet::of_fields(&[&["status"]])),
            _ => Reset::Except(FieldSet::of_fields(&[&["spec"], &["metadata"]])),
        };
        let now = format!("2024-01-01T00:00:{second:02}Z");
        let write = Write {
            manager,
            api_version: "example/v1",
            subresource,
            now: &now,
            reset: &reset,
            missing: &missing,
        };
        let mut object = missing.clone();
        object.set(&["metadata", "name"], "web");
        for (key, value) in node(body).as_map().unwrap().iter() {
            match key.as_str() {
                "labels" | "finalizers" => object.set(&["metadata", key], value.clone()),
                "status" => object.set(&["status"], value.clone()),
                _ => object.set(&["spec", key], value.clone()),
            }
        }
        out.push_str(&format!("{writer} {verb}: "));
        match verb {
            "updates" => {
                managers =
                    merge::update(&version, live.as_ref(), &object, managers.clone(), &write)
                        .unwrap();
                live = Some(object);
                out.push_str("done\n");
            }
            _ => {
                let force = if verb == "forces" {
                    Force::Yes
                } else {
                    Force::No
                };
                let outcome = merge::apply(
                    &version,
                    live.as_ref(),
                    &object,
                    managers.clone(),
                    &write,
                    force,
                );
                match outcome {
                    Ok(applied) => {
                        let word = match (&applied.object, applied.managers_changed) {
                            (Some(_), _) => "changed",
                            (None, true) => "shared",
                            (None, false) => "unchanged",
                        };
                        out.push_str(word);
                        out.push('\n');
                        managers = applied.managers;
                        live = applied.object.or(live);
                    }
                    Err(error) => out.push_str(&format!("{error}\n")),
                }
            }
        }
    }
    let live = live.unwrap_or_default();
    for part in [
        &["metadata", "labels"][..],
        &["metadata", "finalizers"],
        &["spec"],
        &["status"],
    ] {
        if let Some(node) = live.at(part) {
            out.push_str(&format!("{} = {}\n", part.join("."), json::to_string(node)));
        }
    }
    for entry in managers.encode().as_list().unwrap() {
        let text = |key: &str| entry.str_at(&[key]).unwrap_or("-").to_owned();
        out.push_str(&format!(
            "{} {} {} {}: {}\n",
            text("manager"),
            text("operation"),
            text("subresource"),
            &text("time")[17..19],
            json::to_string(entry.get("fieldsV1").unwrap())
        ));
    }
    expected.assert_eq(&out);
}

#[test]
fn two_appliers_share_a_value_and_the_last_one_takes_it_away() {
    check(
        r#"a applies {"replicas": 3, "paused": true}
           b applies {"replicas": 3}
           a applies {"paused": true}
           a applies {"paused": true}
           b applies {"labels": {"x": "y"}}"#,
        expect![[r#"
            a applies: changed
            b applies: shared
            a applies: shared
            a applies: unchanged
            b applies: changed
            metadata.labels = {"x":"y"}
            spec = {"paused":true}
            a Apply - 00: {"f:spec":{"f:paused":{}}}
            b Apply - 04: {"f:metadata":{"f:labels":{"f:x":{}}}}
        "#]],
    );
}

#[test]
fn a_conflict_names_every_manager_and_field_and_changes_nothing() {
    check(
        r#"a applies {"replicas": 3, "containers": [{"name": "c", "image": "i:1"}]}
           hpa updates {"replicas": 5, "containers": [{"name": "c", "image": "i:1"}]}
           b applies {"replicas": 7}
           b applies {"replicas": 7, "containers": [{"name": "c", "image": "i:2"}]}
           b forces {"replicas": 7, "containers": [{"name": "c", "image": "i:2"}]}"#,
        expect![[r#"
            a applies: changed
            hpa updates: done
            b applies: Apply failed with 1 conflict: conflict with "hpa" using example/v1: .spec.replicas
            b applies: Apply failed with 2 conflicts: conflicts with "a":
            - .spec.containers[name="c"].image
            conflicts with "hpa" using example/v1:
            - .spec.replicas
            b forces: changed
            spec = {"replicas":7,"containers":[{"name":"c","image":"i:2"}]}
            a Apply - 00: {"f:spec":{"f:containers":{"k:{\"name\":\"c\"}":{".":{},"f:name":{}}}}}
            b Apply - 04: {"f:spec":{"f:containers":{"k:{\"name\":\"c\"}":{".":{},"f:image":{},"f:name":{}}},"f:replicas":{}}}
        "#]],
    );
}

#[test]
fn list_items_keep_their_owners_and_their_order() {
    check(
        r#"a applies {"containers": [{"name": "a1"}, {"name": "both"}]}
           b applies {"containers": [{"name": "b1"}, {"name": "both"}]}
           a applies {"containers": [{"name": "a1"}]}"#,
        expect![[r#"
            a applies: changed
            b applies: changed
            a applies: shared
            spec = {"containers":[{"name":"a1"},{"name":"b1"},{"name":"both"}]}
            a Apply - 00: {"f:spec":{"f:containers":{"k:{\"name\":\"a1\"}":{".":{},"f:name":{}}}}}
            b Apply - 01: {"f:spec":{"f:containers":{"k:{\"name\":\"b1\"}":{".":{},"f:name":{}},"k:{\"name\":\"both\"}":{".":{},"f:name":{}}}}}
        "#]],
    );
}

#[test]
fn a_status_endpoint_owns_status_and_the_main_one_never_does() {
    check(
        r#"a applies {"replicas": 1, "status": {"phase": "mine"}}
           kubelet/status updates {"replicas": 9, "status": {"phase": "Running"}}"#,
        expect![[r#"
            a applies: changed
            kubelet/status updates: done
            spec = {"replicas":9}
            status = {"phase":"Running"}
            a Apply - 00: {"f:spec":{"f:replicas":{}}}
            kubelet Update status 01: {"f:status":{"f:phase":{}}}
        "#]],
    );
}

#[test]
fn what_does_not_fit_its_type_is_refused_with_the_place() {
    check(
        r#"a applies {"replicas": "3"}
           a applies {"selector": "app"}
           a applies {"extra": 1}
           a applies {"paused": [1, {"a": null}], "containers": [{"name": "c", "image": 7, "env": [{"name": "A"}, {"name": "A"}]}]}
           a applies {"containers": [{"image": "x"}]}
           a applies {"finalizers": ["x", "x"]}
           a applies {"finalizers": [null]}"#,
        expect![[r#"
            a applies: failed to create typed patch object (/web; example/v1, Kind=Workload): .spec.replicas: expected numeric (int or float), got string
            a applies: failed to create typed patch object (/web; example/v1, Kind=Workload): .spec.selector: expected map, got &{app}
            a applies: failed to create typed patch object (/web; example/v1, Kind=Workload): .spec.extra: field not declared in schema
            a applies: failed to create typed patch object (/web; example/v1, Kind=Workload): errors:
              .spec.paused: expected boolean, got &{[1 map[a:<nil>]]}
              .spec.containers[name="c"].image: expected string, got &value.valueUnstructured{Value:7}
              .spec.containers[name="c"].env: duplicate entries for key [name="A"]
            a applies: failed to create typed patch object (/web; example/v1, Kind=Workload): .spec.containers: element 0: associative list with keys has an element that omits all key fields ["name"] (and doesn't have default values for any key fields)
            a applies: failed to create typed patch object (/web; example/v1, Kind=Workload): .metadata.finalizers: duplicate entries for key [="x"]
            a applies: failed to create typed patch object (/web; example/v1, Kind=Workload): .metadata.finalizers: element 0: associative list without keys has an element that's an explicit null
        "#]],
    );
}

#[test]
fn the_oldest_of_more_than_ten_updaters_are_folded_together() {
    let story: Vec<String> = (0..13)
        .map(|n| format!(r#"u{n:02} updates {{"labels": {{{}}}}}"#, labels(n)))
        .collect();
    let object_type = workload();
    let version = OneVersion {
        api_version: "example/v1",
        object_type: &object_type,
    };
    let missing = Node::map();
    let (mut live, mut managers) = (None, Managers::none());
    for (n, _) in story.iter().enumerate() {
        let mut object = Node::map();
        object.set(&["metadata", "labels"], node(&format!("{{{}}}", labels(n))));
        let write = Write {
            manager: &format!("u{n:02}"),
            api_version: "example/v1",
            subresource: "",
            now: &format!("2024-01-01T00:00:{n:02}Z"),
            reset: &Reset::Nothing,
            missing: &missing,
        };
        managers = merge::update(&version, live.as_ref(), &object, managers, &write).unwrap();
        live = Some(object);
    }
    let names: Vec<_> = managers
        .encode()
        .as_list()
        .unwrap()
        .iter()
        .map(|entry| entry.str_at(&["manager"]).unwrap().to_owned())
        .collect();
    assert_eq!(names.len(), 10);
    assert_eq!(names[0], "ancient-changes");
    assert_eq!(names[9], "u12");
}

fn labels(count: usize) -> String {
    let labels: Vec<_> = (0..=count).map(|n| format!(r#""l{n:02}": "x""#)).collect();
    labels.join(",")
}

#[test]
fn an_object_written_before_tracking_conflicts_with_before_first_apply() {
    let object_type = workload();
    let version = OneVersion {
        api_version: "example/v1",
        object_type: &object_type,
    };
    let missing = node(r#"{"apiVersion": "example/v1", "kind": "Workload"}"#);
    let write = Write {
        manager: "kubectl",
        api_version: "example/v1",
        subresource: "",
        now: "2024-01-01T00:00:00Z",
        reset: &Reset::Nothing,
        missing: &missing,
    };
    let mut live = missing.clone();
    live.set(&["spec", "replicas"], 2i64);
    let mut applied = missing.clone();
    applied.set(&["spec", "replicas"], 3i64);
    let apply = |force| {
        merge::apply(
            &version,
            Some(&live),
            &applied,
            Managers::none(),
            &write,
            force,
        )
    };
    let Err(ApplyError::Conflicts(conflicts)) = apply(Force::No) else {
        panic!("nobody may take a field silently");
    };
    let causes = conflicts.causes();
    assert_eq!(
        causes[0].message,
        "conflict with \"before-first-apply\" using example/v1"
    );
    assert_eq!(causes[0].field, ".spec.replicas");

    let last_applied = live.clone();
    let allowed = fields_of_last_applied(&version, &last_applied, &live, "example/v1").unwrap();
    let migrated = apply(Force::Over(&allowed)).unwrap();
    assert_eq!(
        migrated.object.unwrap().at(&["spec", "replicas"]),
        Some(&Node::Int(3))
    );
    let left: Vec<_> = migrated
        .managers
        .entries()
        .iter()
        .map(|entry| entry.fields().to_string())
        .collect();
    assert_eq!(left, [".spec", ".spec.replicas"]);
}

#[test]
fn stored_managers_survive_a_round_trip_and_rubbish_counts_as_none() {
    let stored = node(
        r#"{"metadata": {"managedFields": [
            {"manager": "b", "operation": "Update", "apiVersion": "v1", "time": "2024-01-01T00:00:02Z",
             "fieldsType": "FieldsV1", "fieldsV1": {"f:a": {".": {}, "f:b": {}}}, "subresource": "status"},
            {"manager": "a", "operation": "Apply", "apiVersion": "v1", "time": "2024-01-01T00:00:09Z",
             "fieldsType": "FieldsV1", "fieldsV1": {"f:x": {"k:{\"name\":\"n\"}": {}}}}]}}"#,
    );
    let managers = Managers::of(&stored);
    let names = |managers: &Managers| {
        let list = managers.encode();
        let names = list
            .as_list()
            .unwrap()
            .iter()
            .map(|entry| entry.str_at(&["manager"]).unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(names(&managers), ["a", "b"]);
    let again = Managers::decode(&managers.encode()).unwrap();
    assert_eq!(again.encode(), managers.encode());

    let deep = format!("{}{{}}{}", "{\"f:a\":".repeat(205), "}".repeat(205));
    for rubbish in [r#"{"f:a": 7}"#, r#"{"k:nonsense": {}}"#, deep.as_str()] {
        let entry = format!(
            r#"{{"metadata": {{"managedFields": [{{"manager": "a", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {rubbish}}}]}}}}"#
        );
        assert!(Managers::of(&node(&entry)).is_empty());
    }
    let reset = node(r#"{"metadata": {"managedFields": [{}]}}"#);
    assert!(Managers::for_update(&stored, &reset, "").is_empty());
    assert_eq!(
        Managers::for_update(&stored, &Node::map(), "")
            .entries()
            .len(),
        2
    );
    assert_eq!(
        Managers::for_update(&stored, &reset, "status")
            .entries()
            .len(),
        2
    );
}

#[test]
fn set_operations_follow_their_definitions() {
    let set = |text: &str| FieldSet::decode(&node(text)).unwrap();
    let a = set(r#"{"f:a": {".": {}, "f:b": {}, "f:c": {}}, "f:d": {}}"#);
    let b = set(r#"{"f:a": {"f:b": {}}, "f:e": {}}"#);
    let parent = set(r#"{"f:a": {}}"#);
    let table = [
        (a.union(&b), ".a\n.d\n.e\n.a.b\n.a.c"),
        (a.intersection(&b), ".a.b"),
        (a.difference(&b), ".a\n.d\n.a.c"),
        (a.difference(&parent), ".d\n.a.b\n.a.c"),
        (a.recursive_difference(&parent), ".d"),
        (a.leaves(), ".d\n.a.b\n.a.c"),
    ];
    for (got, wanted) in table {
        assert_eq!(got.to_string(), wanted);
    }
    assert!(b.intersection(&a).is_subset(&a));
    assert!(!a.is_subset(&b));
    let extracted = workload().extract(
        &node(r#"{"spec": {"replicas": 3, "containers": [{"name": "c", "image": "i"}, {"name": "d"}]}}"#),
        &set(r#"{"f:spec": {"f:containers": {"k:{\"name\":\"c\"}": {".": {}, "f:image": {}}}}}"#),
    );
    assert_eq!(
        extracted,
        node(r#"{"spec": {"containers": [{"image": "i"}]}}"#)
    );
}
