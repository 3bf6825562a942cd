//! Lists and watches over many writes: nothing is lost, nothing comes twice.

use std::collections::BTreeMap;

use apimachine::watch::{FrameKind, Watcher};
use apimachine::{Body, Random, Request, State, step};
use object::Node;

use crate::scenario::Cluster;

type Names = BTreeMap<String, String>;

fn names(list: &Node) -> Names {
    let items = list
        .get("items")
        .and_then(Node::as_list)
        .unwrap_or_default();
    items.iter().map(identity).collect()
}

fn identity(object: &Node) -> (String, String) {
    let text = |key: &str| {
        object
            .str_at(&["metadata", key])
            .unwrap_or_default()
            .to_owned()
    };
    (text("name"), text("resourceVersion"))
}

fn list(cluster: &mut Cluster, query: &str) -> Node {
    let answer = cluster.send(&format!(
        "GET /api/v1/namespaces/default/configmaps?{query}"
    ));
    assert_eq!(answer.status, 200, "{query}");
    answer.node().cloned().expect("a list")
}

fn scribble(cluster: &mut Cluster, random: &mut Random, writes: usize) {
    for _ in 0..writes {
        let name = format!("c{}", random.below(12));
        let path = "/api/v1/namespaces/default/configmaps";
        let value = random.below(4);
        let line = match random.below(4) {
            0 => format!("DELETE {path}/{name}"),
            1 => format!(
                r#"PATCH {path}/{name} merge {{"metadata":{{"labels":{{"v":"{value}"}}}}}}"#
            ),
            _ => format!(
                r#"PUT {path}/{name} {{"metadata":{{"name":"{name}","labels":{{"v":"{value}"}}}}}}"#
            ),
        };
        let created = cluster.send(&line).status;
        if created == 404 && line.starts_with("PUT") {
            cluster.send(&format!(
                r#"POST {path} {{"metadata":{{"name":"{name}","labels":{{"v":"{value}"}}}}}}"#
            ));
        }
    }
}

fn replay(state: &State, cluster: &Cluster, query: &str, mut seen: Names) -> Names {
    let path = format!("/api/v1/namespaces/default/configmaps?watch=1&{query}");
    let (response, _) = step(
        &mut state.clone(),
        &Request::new("GET", &path, ""),
        &cluster.env(),
    );
    let Body::Watch(plan) = response.body else {
        panic!("{query} is refused")
    };
    let (_, frames) = Watcher::start(*plan, state, cluster.env().now);
    for frame in frames {
        let (name, version) = identity(&frame.object);
        match frame.kind {
            FrameKind::Added => assert!(seen.insert(name, version).is_none(), "added twice"),
            FrameKind::Modified => assert!(
                seen.insert(name, version).is_some(),
                "modified, never added"
            ),
            FrameKind::Deleted => assert!(seen.remove(&name).is_some(), "deleted, never added"),
            other => panic!("unexpected {other:?}"),
        }
    }
    seen
}

#[test]
fn a_watch_from_any_list_leads_to_the_present() {
    for selector in ["", "&labelSelector=v%3D1"] {
        let mut cluster = Cluster::new();
        let mut random = Random::new([5; 32], 0);
        let mut moments = Vec::new();
        for _ in 0..25 {
            scribble(&mut cluster, &mut random, 6);
            let list = list(&mut cluster, &format!("x=1{selector}"));
            let version = list
                .str_at(&["metadata", "resourceVersion"])
                .unwrap_or_default()
                .to_owned();
            moments.push((version, names(&list)));
        }
        let present = names(&list(&mut cluster, &format!("x=1{selector}")));
        for (version, seen) in moments {
            let query = format!("resourceVersion={version}{selector}");
            assert_eq!(
                replay(&cluster.state, &cluster, &query, seen.clone()),
                present,
                "from {version}"
            );
            let past = list(
                &mut cluster,
                &format!("resourceVersion={version}&resourceVersionMatch=Exact{selector}"),
            );
            assert_eq!(names(&past), seen, "as it was at {version}");
        }
    }
}

#[test]
fn pages_are_of_one_moment_while_others_write() {
    let mut cluster = Cluster::new();
    for n in 0..40 {
        cluster.send(&format!(
            r#"POST /api/v1/namespaces/default/configmaps {{"metadata":{{"name":"c{n}"}}}}"#
        ));
    }
    let whole = names(&list(&mut cluster, "x=1"));
    let mut random = Random::new([6; 32], 0);
    let (mut pages, mut token) = (Names::new(), String::new());
    loop {
        let page = list(&mut cluster, &format!("limit=7&continue={token}"));
        for (name, version) in names(&page) {
            assert!(
                pages.insert(name.clone(), version).is_none(),
                "{name} came twice"
            );
        }
        scribble(&mut cluster, &mut random, 5);
        token = page
            .str_at(&["metadata", "continue"])
            .unwrap_or_default()
            .to_owned();
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(pages, whole);
}

#[test]
fn a_dry_run_leaves_everything_as_it_was() {
    let mut cluster = Cluster::new();
    let mut random = Random::new([7; 32], 0);
    scribble(&mut cluster, &mut random, 30);
    let (version, before) = (cluster.state.version(), names(&list(&mut cluster, "x=1")));
    let some = before
        .keys()
        .next()
        .cloned()
        .expect("something was written");
    for line in [
        r#"POST /api/v1/namespaces/default/configmaps?dryRun=All {"metadata":{"generateName":"x-"}}"#.to_owned(),
        format!(r#"PUT /api/v1/namespaces/default/configmaps/{some}?dryRun=All {{"metadata":{{"name":"{some}"}},"data":{{"a":"b"}}}}"#),
        format!(r#"PATCH /api/v1/namespaces/default/configmaps/{some}?dryRun=All&fieldManager=x apply {{"apiVersion":"v1","kind":"ConfigMap","data":{{"a":"b"}}}}"#),
        format!("DELETE /api/v1/namespaces/default/configmaps/{some}?dryRun=All"),
        "DELETE /api/v1/namespaces/default/configmaps?dryRun=All".to_owned(),
        r#"POST /api/v1/namespaces?dryRun=All {"metadata":{"name":"dry"}}"#.to_owned(),
        "DELETE /api/v1/namespaces/kube-node-lease?dryRun=All".to_owned(),
    ] {
        let status = cluster.send(&line).status;
        assert!((200..300).contains(&status), "{line}: {status}");
    }
    assert_eq!(cluster.state.version(), version);
    assert_eq!(names(&list(&mut cluster, "x=1")), before);
}

#[test]
fn a_watch_older_than_the_memory_is_told_so() {
    let mut cluster = Cluster::new();
    let features = apimachine::Features {
        events_kept: 4,
        ..apimachine::Features::default()
    };
    cluster.state = State::new(features, &cluster.env());
    for n in 0..10 {
        cluster.send(&format!(
            r#"POST /api/v1/namespaces/default/configmaps {{"metadata":{{"name":"c{n}"}}}}"#
        ));
    }
    let answer = cluster.send("GET /api/v1/configmaps?watch=1&resourceVersion=2");
    let Body::Watch(plan) = answer.body else {
        panic!("the watch is granted first")
    };
    let (watcher, frames) = Watcher::start(*plan, &cluster.state, cluster.env().now);
    assert!(watcher.ended());
    assert_eq!(frames.len(), 1);
    assert_eq!(frames[0].kind, FrameKind::Error);
    assert_eq!(frames[0].object.get("code"), Some(&Node::Int(410)));
    let expired =
        cluster.send("GET /api/v1/configmaps?resourceVersion=2&resourceVersionMatch=Exact");
    assert_eq!(expired.status, 410);
}

#[test]
fn a_clone_goes_its_own_way() {
    let mut one = Cluster::new();
    one.send(r#"POST /api/v1/namespaces/default/configmaps {"metadata":{"name":"both"}}"#);
    let mut other = Cluster::new();
    other.state = one.state.clone();
    other.send(r#"POST /api/v1/namespaces/default/configmaps {"metadata":{"name":"mine"}}"#);
    assert_eq!(
        one.send("GET /api/v1/namespaces/default/configmaps/mine")
            .status,
        404
    );
    assert_eq!(
        other
            .send("GET /api/v1/namespaces/default/configmaps/both")
            .status,
        200
    );
}
