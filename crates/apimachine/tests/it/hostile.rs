//! Input nobody means well with: refused, bounded, never a panic.

use apimachine::watch::Watcher;
use apimachine::{Body, Random, Request, step};

use crate::scenario::Cluster;

fn send(cluster: &mut Cluster, request: &Request) -> u16 {
    let env = cluster.env();
    let (response, _) = step(&mut cluster.state, request, &env);
    if let Body::Watch(plan) = response.body {
        Watcher::start(*plan, &cluster.state, env.now);
    }
    response.status
}

#[test]
fn bodies_that_are_too_much_are_refused() {
    let mut cluster = Cluster::new();
    let path = "/api/v1/namespaces/default/configmaps";
    let deep = "[".repeat(100_000);
    let nested = format!("{}{}", r#"{"metadata":"#.repeat(5_000), "}".repeat(5_000));
    let bomb = format!("a: &a [x,x,x,x,x,x,x,x,x]\n{}", (0..9).fold(String::new(), |text, n| {
        let (this, last) = (char::from(b'b' + n), char::from(b'a' + n));
        format!("{text}{this}: &{this} [*{last},*{last},*{last},*{last},*{last},*{last},*{last},*{last},*{last}]\n")
    }));
    for (content_type, body) in [
        ("application/json", deep.clone().into_bytes()),
        ("application/json", nested.into_bytes()),
        ("application/yaml", deep.into_bytes()),
        ("application/yaml", bomb.into_bytes()),
        ("application/yaml", vec![0xff, 0xfe, 0x00]),
        ("application/json", vec![0xff; 64]),
        (
            "application/vnd.kubernetes.protobuf",
            b"k8s\0\xff\xff\xff\xff\xff".to_vec(),
        ),
        ("application/json", vec![b' '; 4 << 20]),
    ] {
        let mut request = Request::new("POST", path, "x");
        request.content_type = Some(content_type.to_owned());
        request.body = body.into();
        let status = send(&mut cluster, &request);
        assert!((400..500).contains(&status), "{content_type}: {status}");
    }
}

#[test]
fn a_patch_cannot_grow_without_end() {
    let mut cluster = Cluster::new();
    cluster.send(r#"POST /api/v1/namespaces/default/configmaps {"metadata":{"name":"a"},"data":{"k":"xxxxxxxxxxxxxxxx"}}"#);
    let copies: Vec<String> = (0..9_000)
        .map(|n| format!(r#"{{"op":"copy","from":"/data","path":"/data/k{n}"}}"#))
        .collect();
    let line = format!(
        "PATCH /api/v1/namespaces/default/configmaps/a json [{}]",
        copies.join(",")
    );
    let status = cluster.send(&line).status;
    assert!((400..500).contains(&status), "{status}");
}

#[test]
fn random_requests_get_an_answer() {
    const SEGMENTS: [&str; 24] = [
        "api",
        "apis",
        "v1",
        "apps",
        "namespaces",
        "default",
        "pods",
        "configmaps",
        "deployments",
        "scale",
        "status",
        "..",
        ".",
        "%00",
        "%2f",
        "%zz",
        "events.k8s.io",
        "customresourcedefinitions",
        "apiextensions.k8s.io",
        "a",
        "",
        "finalize",
        "nodes",
        "binding",
    ];
    const QUERIES: [&str; 12] = [
        "",
        "watch=1",
        "limit=-5",
        "continue=e30",
        "resourceVersion=99999999999999999999",
        "fieldSelector=%5C",
        "labelSelector=a%20in%20(",
        "timeoutSeconds=-1",
        "dryRun=All",
        "fieldManager=%00",
        "limit=1&continue=AAAA",
        "resourceVersion=-0",
    ];
    const BODIES: [&str; 10] = [
        "",
        "{}",
        "[]",
        "null",
        "1",
        r#"{"metadata":null}"#,
        r#"{"metadata":{"name":["x"]}}"#,
        r#"{"spec":{"finalizers":1}}"#,
        r#"[{"op":"add","path":"/metadata/finalizers/-","value":{}}]"#,
        r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","generateName":"\u0000","ownerReferences":[null],"managedFields":[{}]}}"#,
    ];
    const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"];
    const TYPES: [&str; 6] = [
        "application/json",
        "application/yaml",
        "application/apply-patch+yaml",
        "application/merge-patch+json",
        "application/json-patch+json",
        "application/strategic-merge-patch+json",
    ];
    let mut cluster = Cluster::new();
    let mut random = Random::new([9; 32], 0);
    let mut pick =
        |length: usize| usize::try_from(random.below(length as u64)).expect("a small number");
    for _ in 0..4_000 {
        let path: Vec<&str> = (0..pick(9))
            .map(|_| SEGMENTS[pick(SEGMENTS.len())])
            .collect();
        let line = format!("/{}?{}", path.join("/"), QUERIES[pick(QUERIES.len())]);
        let mut request = Request::new(
            METHODS[pick(METHODS.len())],
            &line,
            BODIES[pick(BODIES.len())],
        );
        request.content_type = Some(TYPES[pick(TYPES.len())].to_owned());
        let status = send(&mut cluster, &request);
        assert!((200..600).contains(&status), "{line}: {status}");
    }
}

#[test]
fn owners_in_a_circle_do_not_keep_the_server_busy() {
    let mut cluster = Cluster::new();
    let uid = |cluster: &mut Cluster, name: &str| {
        let answer = cluster.send(&format!(
            r#"POST /api/v1/namespaces/default/configmaps {{"metadata":{{"name":"{name}"}}}}"#
        ));
        answer
            .node()
            .and_then(|node| node.str_at(&["metadata", "uid"]))
            .unwrap_or_default()
            .to_owned()
    };
    let (a, b) = (uid(&mut cluster, "a"), uid(&mut cluster, "b"));
    for (name, owner, owner_uid) in [("a", "b", &b), ("b", "a", &a)] {
        cluster.send(&format!(
            r#"PATCH /api/v1/namespaces/default/configmaps/{name} merge {{"metadata":{{"ownerReferences":[{{"apiVersion":"v1","kind":"ConfigMap","name":"{owner}","uid":"{owner_uid}","blockOwnerDeletion":true}}]}}}}"#
        ));
    }
    cluster.send(
        r#"DELETE /api/v1/namespaces/default/configmaps/a {"propagationPolicy":"Foreground"}"#,
    );
    let version = cluster.state.version();
    apimachine::settle(&mut cluster.state.clone(), &cluster.env());
    assert!(version < 1_000, "the circle was walked {version} times");
}
