//! Rows as kubectl would print them.

use object::json;

use super::*;
use crate::types::CustomVersion;

fn node(text: &str) -> Node {
    json::parse(text.as_bytes(), json::OBJECT_LIMITS).expect("a test's JSON is right")
}

/// Ten minutes after the objects of these tests were made.
fn now() -> Timestamp {
    "2026-01-01T00:10:00Z".parse().expect("a time")
}

fn line(cells: &[Node]) -> String {
    let cells: Vec<String> = cells
        .iter()
        .map(|cell| {
            cell.as_str()
                .map_or_else(|| json::to_string(cell), str::to_owned)
        })
        .collect();
    cells.join(" | ")
}

fn row(kind: &str, object: &str) -> String {
    let object = format!(
        "{{\"metadata\":{{\"name\":\"x\",\"creationTimestamp\":\"2026-01-01T00:00:00Z\"}},{object}}}"
    );
    let layout = columns::of_kind(kind);
    let cells = (layout.cells)(&node(&object), now());
    assert_eq!(cells.len(), layout.definitions().len(), "{kind}");
    line(&cells)
}

#[test]
fn every_kind_has_as_many_cells_as_columns() {
    for kind in [
        "Pod",
        "Job",
        "CronJob",
        "Node",
        "Event",
        "PersistentVolume",
        "HorizontalPodAutoscaler",
        "ResourceQuota",
        "Lease",
        "Nothing",
    ] {
        row(kind, r#""spec":{}"#);
    }
}

#[test]
fn cells_sum_up_objects() {
    let table = [
        (
            "Deployment",
            r#""spec":{"replicas":3,"selector":{"matchLabels":{"b":"2"},"matchExpressions":[{"key":"a","operator":"In","values":["y","x"]}]},"template":{"spec":{"containers":[{"name":"c","image":"i:1"},{"name":"d","image":"j:2"}]}}},"status":{"readyReplicas":2,"updatedReplicas":3}"#,
            "x | 2/3 | 3 | 0 | 10m | c,d | i:1,j:2 | a in (x,y),b=2",
        ),
        (
            "Service",
            r#""spec":{"type":"NodePort","clusterIP":"10.0.0.1","ports":[{"port":80,"nodePort":30080,"protocol":"TCP"},{"port":53,"protocol":"UDP"}]}"#,
            "x | NodePort | 10.0.0.1 | <none> | 80:30080/TCP,53/UDP | 10m | <none>",
        ),
        (
            "Service",
            r#""spec":{"type":"LoadBalancer"}"#,
            "x | LoadBalancer | <none> | <pending> | <none> | 10m | <none>",
        ),
        (
            "Job",
            r#""spec":{"parallelism":2},"status":{"succeeded":1,"startTime":"2026-01-01T00:01:00Z","completionTime":"2026-01-01T00:01:30Z","conditions":[{"type":"Complete","status":"True"}]}"#,
            "x | Complete | 1/1 of 2 | 30s | 10m |  |  | <none>",
        ),
        (
            "Ingress",
            r#""spec":{"rules":[{"host":"a"},{"host":"b"},{"host":"c"},{"host":"d"}],"tls":[{}]}"#,
            "x | <none> | a,b,c + 1 more... |  | 80, 443 | 10m",
        ),
        (
            "Node",
            r#""spec":{"unschedulable":true},"status":{"conditions":[{"type":"Ready","status":"True"}],"nodeInfo":{"kubeletVersion":"v1"}}"#,
            "x | Ready,SchedulingDisabled | <none> | 10m | v1 | <none> | <none> | <unknown> | <unknown> | <unknown>",
        ),
        (
            "PodDisruptionBudget",
            r#""spec":{"maxUnavailable":"25%"}"#,
            "x | N/A | 25% | 0 | 10m",
        ),
        (
            "RoleBinding",
            r#""roleRef":{"kind":"Role","name":"r"},"subjects":[{"kind":"User","name":"u"},{"kind":"ServiceAccount","name":"s","namespace":"n"}]"#,
            "x | Role/r | 10m | u |  | n/s",
        ),
        (
            "Event",
            r#""lastTimestamp":"2026-01-01T00:09:58Z","type":"Normal","reason":"Pulled","involvedObject":{"kind":"Pod","name":"p"},"source":{"component":"kubelet","host":"n"},"message":"done\n","count":4"#,
            "2s | Normal | Pulled | pod/p |  | kubelet, n | done | <unknown> | 4 | x",
        ),
        (
            "ResourceQuota",
            r#""status":{"hard":{"pods":"2","limits.cpu":"1","cpu":"3"},"used":{"pods":"1"}}"#,
            "x | cpu: 0/3, pods: 1/2 | limits.cpu: 0/1 | 10m",
        ),
        ("ClusterRole", r#""rules":[]"#, "x | 2026-01-01T00:00:00Z"),
    ];
    for (kind, object, expected) in table {
        assert_eq!(row(kind, object), expected, "{kind}");
    }
}

#[test]
fn a_pod_shows_what_its_containers_do() {
    let spec = r#""spec":{"initContainers":[{"name":"i"},{"name":"s","restartPolicy":"Always"}],"containers":[{"name":"a"},{"name":"b"}]}"#;
    let table = [
        (r#""phase":"Pending""#, "0/3 | Pending | 0"),
        (
            r#""phase":"Pending","initContainerStatuses":[{"name":"i","state":{"running":{}}}]"#,
            "0/3 | Init:0/2 | 0",
        ),
        (
            r#""phase":"Pending","initContainerStatuses":[{"name":"i","restartCount":2,"state":{"terminated":{"exitCode":3}}}]"#,
            "0/3 | Init:ExitCode:3 | 2",
        ),
        (
            r#""phase":"Pending","initContainerStatuses":[{"name":"i","state":{"waiting":{"reason":"ImagePullBackOff"}}}]"#,
            "0/3 | Init:ImagePullBackOff | 0",
        ),
        (
            r#""phase":"Running","initContainerStatuses":[{"name":"i","state":{"terminated":{"exitCode":0}}},{"name":"s","started":true,"ready":true,"state":{"running":{}}}],"containerStatuses":[{"name":"a","ready":true,"state":{"running":{}}},{"name":"b","restartCount":4,"state":{"waiting":{"reason":"CrashLoopBackOff"}},"lastState":{"terminated":{"finishedAt":"2026-01-01T00:05:00Z"}}}]"#,
            "2/3 | CrashLoopBackOff | 4 (5m ago)",
        ),
        (
            r#""phase":"Running","conditions":[{"type":"Ready","status":"True"}],"containerStatuses":[{"name":"a","state":{"terminated":{"reason":"Completed"}}},{"name":"b","ready":true,"state":{"running":{}}}]"#,
            "1/3 | Running | 0",
        ),
        (
            r#""phase":"Failed","reason":"Evicted""#,
            "0/3 | Evicted | 0",
        ),
    ];
    for (status, expected) in table {
        let found = row("Pod", &format!("{spec},\"status\":{{{status}}}"));
        let found: Vec<&str> = found.split(" | ").collect();
        assert_eq!(found[1..4].join(" | "), expected, "{status}");
    }
}

#[test]
fn custom_columns_follow_their_paths() {
    let column = |name: &str, kind: &str, path: &str| {
        node(&format!(
            r#"{{"name":"{name}","type":"{kind}","jsonPath":{path:?}}}"#
        ))
    };
    let version = CustomVersion {
        printer_columns: vec![
            column(
                "Ready",
                "string",
                r#".status.conditions[?(@.type=="Ready")].status"#,
            ),
            column("Hosts", "string", ".spec.hosts[*]"),
            column("First", "string", ".spec.hosts[0]"),
            column("Size", "integer", ".spec.size"),
            column("Wrong", "integer", ".spec.hosts"),
            column("Since", "date", ".status.since"),
            column("App", "string", r".metadata.labels.app\.io/name"),
            column("None", "string", ".spec.absent"),
        ],
        ..CustomVersion::default()
    };
    let object = node(
        r#"{"metadata":{"name":"x","labels":{"app.io/name":"web"}},"spec":{"hosts":["a","b"],"size":3},"status":{"since":"2026-01-01T00:00:00Z","conditions":[{"type":"Old","status":"False"},{"type":"Ready","status":"True"}]}}"#,
    );
    let columns = custom::Columns::new(&version);
    assert_eq!(
        line(&columns.cells(&object, now())),
        "x | True | a b | a | 3 | null | 10m | web | null"
    );
    assert_eq!(columns.definitions().len(), 9);
    let empty = CustomVersion::default();
    let plain = custom::Columns::new(&empty);
    assert_eq!(line(&plain.cells(&object, now())), "x | null");
}
