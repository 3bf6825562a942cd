//! The deepest cause of a workload that is not ready.

use expect_test::{Expect, expect};
use object::Object;

use crate::{now, object};

/// A Deployment of three pods: two ready ones, and one with this status.
fn check(status: &str, expected: Expect) {
    let pod = |name: &str, status: &str| {
        object(&format!(
            r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{name}","uid":"{name}","ownerReferences":[{{"uid":"rs"}}]}},"status":{status}}}"#
        ))
    };
    let ready = r#"{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}"#;
    let related = [
        object(
            r#"{"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"name":"web-1","uid":"rs","ownerReferences":[{"uid":"d"}]}}"#,
        ),
        pod("one", ready),
        pod("two", status),
        pod("three", ready),
        object(r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"stranger"},"status":{}}"#),
    ];
    let said = health::explain(&deployment(), &related, now());
    expected.assert_eq(said.as_deref().unwrap_or("nothing"));
}

fn deployment() -> Object {
    object(
        r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","uid":"d"},"spec":{"replicas":3},"status":{"replicas":3}}"#,
    )
}

#[test]
fn the_container_that_is_worst_off_is_named_with_its_trouble() {
    check(
        r#"{"phase":"Pending","containerStatuses":[{"name":"web","image":"fault.local/x","state":{"waiting":{"reason":"ImagePullBackOff","message":"Back-off pulling image \"fault.local/x\": ErrImagePull: not found"}}}]}"#,
        expect![
            "2 of 3 pods ready: container web: image `fault.local/x` not found (ImagePullBackOff)"
        ],
    );
    check(
        r#"{"phase":"Running","containerStatuses":[
            {"name":"side","ready":true,"state":{"running":{}}},
            {"name":"web","restartCount":4,"state":{"waiting":{"reason":"CrashLoopBackOff"}},"lastState":{"terminated":{"exitCode":1,"reason":"Error","message":"starting\ncannot open db: refused\n"}}}]}"#,
        expect![
            "2 of 3 pods ready: container web: ended with exit code 1: cannot open db: refused, 4 restarts (CrashLoopBackOff)"
        ],
    );
    check(
        r#"{"phase":"Running","containerStatuses":[{"name":"web","restartCount":1,"state":{"waiting":{"reason":"CrashLoopBackOff"}},"lastState":{"terminated":{"exitCode":137,"reason":"OOMKilled"}}}]}"#,
        expect![
            "2 of 3 pods ready: container web: killed because it used more memory than its limit (OOMKilled), 1 restart (CrashLoopBackOff)"
        ],
    );
    check(
        r#"{"phase":"Pending","containerStatuses":[{"name":"web","state":{"waiting":{"reason":"CreateContainerConfigError","message":"secret \"db\" not found"}}}]}"#,
        expect![[
            r#"2 of 3 pods ready: container web: secret "db" not found (CreateContainerConfigError)"#
        ]],
    );
    check(
        r#"{"phase":"Pending","initContainerStatuses":[{"name":"migrate","state":{"terminated":{"exitCode":2}}}],"containerStatuses":[{"name":"web","state":{"waiting":{"reason":"PodInitializing"}}}]}"#,
        expect!["2 of 3 pods ready: init container migrate: ended with exit code 2"],
    );
    check(
        r#"{"phase":"Running","containerStatuses":[{"name":"web","ready":false,"state":{"running":{}}}]}"#,
        expect![
            "2 of 3 pods ready: container web: running, but its readiness probe has not passed"
        ],
    );
    check(
        r#"{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable","message":"0/3 nodes are available: 3 Insufficient cpu."}]}"#,
        expect![
            "2 of 3 pods ready: no node fits: 0/3 nodes are available: 3 Insufficient cpu. (Unschedulable)"
        ],
    );
}

#[test]
fn without_pods_the_refusal_of_the_server_or_the_object_itself_speaks() {
    let refused = object(
        r#"{"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"name":"web-1","uid":"rs","ownerReferences":[{"uid":"d"}]},"status":{"conditions":[{"type":"ReplicaFailure","status":"True","reason":"FailedCreate","message":"pods \"web-1-\" is forbidden: exceeded quota: q"}]}}"#,
    );
    let said = health::explain(&deployment(), &[refused], now());
    expect![[r#"0 pods exist: pods "web-1-" is forbidden: exceeded quota: q (FailedCreate)"#]]
        .assert_eq(&said.unwrap());

    let said = health::explain(&deployment(), &[], now());
    expect!["Updated: 0/3"].assert_eq(&said.unwrap());

    let ready = object(
        r#"{"apiVersion":"example.com/v1","kind":"Database","status":{"conditions":[{"type":"Ready","status":"True"}]}}"#,
    );
    assert_eq!(health::explain(&ready, &[], now()), None);
}

/// Three pods of the revision before are ready; the first of the new one is not.
#[test]
fn a_rollout_counts_the_new_pods() {
    let of = |hash: &str, second: u8, status: &str| {
        object(&format!(
            r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{hash}-{second}","uid":"{hash}-{second}","creationTimestamp":"2026-01-01T00:00:0{second}Z","labels":{{"pod-template-hash":"{hash}"}},"ownerReferences":[{{"uid":"d"}}]}},"status":{status}}}"#
        ))
    };
    let ready = r#"{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}"#;
    let missing = r#"{"phase":"Pending","containerStatuses":[{"name":"web","image":"fault.local/x","state":{"waiting":{"reason":"ImagePullBackOff"}}}]}"#;
    let before = || (0..3).map(|second| of("old", second, ready));
    let said = |related: Vec<Object>| health::explain(&deployment(), &related, now()).unwrap();
    let rollout = said(before().chain([of("new", 5, missing)]).collect());
    assert!(rollout.starts_with("0 of 3 new pods ready: "), "{rollout}");
    let settled = said(before().skip(1).chain([of("old", 5, missing)]).collect());
    assert!(settled.starts_with("2 of 3 pods ready: "), "{settled}");
}

#[test]
fn events_speak_where_the_pod_is_silent() {
    let pod = object(
        r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","uid":"p","ownerReferences":[{"uid":"d"}]},"status":{"phase":"Pending","containerStatuses":[{"name":"web","state":{"waiting":{"reason":"ContainerCreating"}}}]}}"#,
    );
    let event = |time: &str, kind: &str, message: &str| {
        object(&format!(
            r#"{{"apiVersion":"v1","kind":"Event","type":"{kind}","reason":"FailedMount","message":"{message}","lastTimestamp":"{time}","involvedObject":{{"uid":"p"}}}}"#
        ))
    };
    let related = [
        pod.clone(),
        event(
            "2024-01-01T00:00:02Z",
            "Warning",
            "secret \\\"db\\\" not found",
        ),
        event("2024-01-01T00:00:01Z", "Warning", "older"),
        event("2024-01-01T00:00:03Z", "Normal", "Pulled"),
    ];
    expect![[r#"0 of 3 pods ready: container web: not started yet (ContainerCreating): secret "db" not found (FailedMount)"#]]
        .assert_eq(&health::explain(&deployment(), &related, now()).unwrap());

    let unready = object(
        r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","uid":"p"},"status":{"phase":"Running","containerStatuses":[{"name":"web","state":{"running":{}}}]}}"#,
    );
    let probe = object(
        r#"{"apiVersion":"events.k8s.io/v1","kind":"Event","type":"Warning","reason":"Unhealthy","note":"Readiness probe failed: HTTP probe failed with statuscode: 503","regarding":{"uid":"p"}}"#,
    );
    expect!["container web: running, but its readiness probe has not passed: HTTP probe failed with statuscode: 503 (Unhealthy)"]
        .assert_eq(&health::explain(&unready, &[probe], now()).unwrap());
}

#[test]
fn owners_that_refer_to_each_other_do_not_go_round_for_ever() {
    let loops = [
        object(
            r#"{"kind":"A","metadata":{"uid":"a","ownerReferences":[{"uid":"d"},{"uid":"b"}]}}"#,
        ),
        object(r#"{"kind":"B","metadata":{"uid":"b","ownerReferences":[{"uid":"a"}]}}"#),
    ];
    assert!(health::explain(&deployment(), &loops, now()).is_some());
}
