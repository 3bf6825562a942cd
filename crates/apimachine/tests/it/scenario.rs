//! Stories told as requests: what is asked, what is answered, what is left.

use std::fmt::Write as _;

use apimachine::watch::Watcher;
use apimachine::{Body, Env, Features, Request, State, Timestamp, step};
use expect_test::{Expect, expect};
use object::Node;

/// A cluster with a clock that tests move.
pub struct Cluster {
    pub state: State,
    seconds: i64,
}

impl Cluster {
    pub fn new() -> Self {
        Self {
            state: State::new(Features::default(), &env(0)),
            seconds: 0,
        }
    }

    pub fn env(&self) -> Env {
        env(self.seconds)
    }

    /// Sends one request, written as `METHOD path [content-type] [body]`.
    pub fn send(&mut self, line: &str) -> apimachine::Response {
        self.seconds += 1;
        let env = self.env();
        step(&mut self.state, &request(line), &env).0
    }
}

fn env(seconds: i64) -> Env {
    Env {
        now: Timestamp::from_unix(1_700_000_000 + seconds),
        seed: [1; 32],
    }
}

fn request(line: &str) -> Request {
    let (method, rest) = line.split_once(' ').expect("a method and a path");
    let (path, body) = rest.split_once(' ').unwrap_or((rest, ""));
    let (kind, body) = match body.split_once(' ') {
        Some((kind @ ("merge" | "json" | "strategic" | "apply"), body)) => (kind, body),
        _ => ("", body),
    };
    let mut request = Request::new(method, path, body);
    request.content_type = match kind {
        "merge" => Some("application/merge-patch+json".to_owned()),
        "json" => Some("application/json-patch+json".to_owned()),
        "strategic" => Some("application/strategic-merge-patch+json".to_owned()),
        "apply" => Some("application/apply-patch+yaml".to_owned()),
        _ => request.content_type,
    };
    request
}

/// Sends each line of `script` and compares the transcript; lines that begin with `#` are narration.
fn check(script: &str, expected: Expect) {
    let mut cluster = Cluster::new();
    let mut transcript = String::new();
    for line in script
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
    {
        let _ = writeln!(transcript, "{line}");
        if !line.starts_with('#') {
            let response = cluster.send(line);
            tell(&mut transcript, &cluster, response);
        }
    }
    expected.assert_eq(&transcript);
}

fn tell(transcript: &mut String, cluster: &Cluster, response: apimachine::Response) {
    match response.body {
        Body::Watch(plan) => {
            let (_, frames) = Watcher::start(*plan, &cluster.state, cluster.env().now);
            for frame in frames {
                let _ = writeln!(
                    transcript,
                    "  {} {}",
                    frame.kind.as_str(),
                    brief(&frame.object)
                );
            }
        }
        Body::Node(node) => {
            let _ = writeln!(transcript, "  {} {}", response.status, brief(&node));
        }
        Body::Text(text) => {
            let _ = writeln!(transcript, "  {} {}", response.status, text.trim());
        }
    }
    for (name, value) in &response.headers {
        if name == "Warning" {
            let _ = writeln!(transcript, "  {value}");
        }
    }
}

/// What matters of an object: no versions, uids, times or managers.
fn brief(node: &Node) -> String {
    if node.str_at(&["kind"]) == Some("Status") {
        let reason = node.str_at(&["reason"]).or(node.str_at(&["status"]));
        return format!(
            "{}: {}",
            reason.unwrap_or_default(),
            node.str_at(&["message"]).unwrap_or_default()
        );
    }
    if let Some(items) = node.get("items").and_then(Node::as_list) {
        let names: Vec<&str> = items
            .iter()
            .filter_map(|item| item.str_at(&["metadata", "name"]))
            .collect();
        return format!("[{}]", names.join(" "));
    }
    let mut node = node.clone();
    for key in [
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "managedFields",
        "namespace",
    ] {
        node.remove(&["metadata", key]);
    }
    if node.at(&["metadata", "deletionTimestamp"]).is_some() {
        node.set(&["metadata", "deletionTimestamp"], "…");
    }
    node.remove(&["apiVersion"]);
    object::json::to_string(&node)
}

#[test]
fn an_object_is_created_changed_and_deleted() {
    check(
        r#"
        POST /api/v1/namespaces/default/configmaps {"metadata":{"name":"a"},"data":{"k":"1"}}
        POST /api/v1/namespaces/default/configmaps {"metadata":{"name":"a"}}
        PATCH /api/v1/namespaces/default/configmaps/a merge {"data":{"k":null,"l":"2"}}
        PUT /api/v1/namespaces/default/configmaps/a {"metadata":{"name":"a","resourceVersion":"1"}}
        # a dry run shows what would be and changes nothing
        DELETE /api/v1/namespaces/default/configmaps/a?dryRun=All
        GET /api/v1/namespaces/default/configmaps/a
        DELETE /api/v1/namespaces/default/configmaps/a
        GET /api/v1/namespaces/default/configmaps/a
        "#,
        expect![[r#"
            POST /api/v1/namespaces/default/configmaps {"metadata":{"name":"a"},"data":{"k":"1"}}
              201 {"kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"1"}}
            POST /api/v1/namespaces/default/configmaps {"metadata":{"name":"a"}}
              409 AlreadyExists: configmaps "a" already exists
            PATCH /api/v1/namespaces/default/configmaps/a merge {"data":{"k":null,"l":"2"}}
              200 {"kind":"ConfigMap","metadata":{"name":"a"},"data":{"l":"2"}}
            PUT /api/v1/namespaces/default/configmaps/a {"metadata":{"name":"a","resourceVersion":"1"}}
              409 Conflict: Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again
            # a dry run shows what would be and changes nothing
            DELETE /api/v1/namespaces/default/configmaps/a?dryRun=All
              200 Success: 
            GET /api/v1/namespaces/default/configmaps/a
              200 {"kind":"ConfigMap","metadata":{"name":"a"},"data":{"l":"2"}}
            DELETE /api/v1/namespaces/default/configmaps/a
              200 Success: 
            GET /api/v1/namespaces/default/configmaps/a
              404 NotFound: configmaps "a" not found
        "#]],
    );
}

#[test]
fn dependents_go_first_with_their_owner_or_stay() {
    let mut cluster = Cluster::new();
    let owner = |cluster: &mut Cluster, name: &str| {
        let body = format!(
            r#"POST /api/v1/namespaces/default/configmaps {{"metadata":{{"name":"{name}"}}}}"#
        );
        let answer = cluster.send(&body);
        answer
            .node()
            .and_then(|node| node.str_at(&["metadata", "uid"]))
            .unwrap_or_default()
            .to_owned()
    };
    let mut transcript = String::new();
    for (name, policy) in [("b", "Background"), ("f", "Foreground"), ("o", "Orphan")] {
        let uid = owner(&mut cluster, name);
        let reference = format!(
            r#"{{"apiVersion":"v1","kind":"ConfigMap","name":"{name}","uid":"{uid}","blockOwnerDeletion":true}}"#
        );
        cluster.send(&format!(
            r#"POST /api/v1/namespaces/default/secrets {{"metadata":{{"name":"of-{name}","finalizers":["x.y/z"],"ownerReferences":[{reference}]}}}}"#
        ));
        let _ = writeln!(transcript, "{policy}");
        for line in [
            format!(
                r#"DELETE /api/v1/namespaces/default/configmaps/{name} {{"propagationPolicy":"{policy}"}}"#
            ),
            format!("GET /api/v1/namespaces/default/configmaps/{name}"),
            format!("GET /api/v1/namespaces/default/secrets/of-{name}"),
            format!(
                r#"PATCH /api/v1/namespaces/default/secrets/of-{name} merge {{"metadata":{{"finalizers":null}}}}"#
            ),
            format!("GET /api/v1/namespaces/default/configmaps/{name}"),
            "GET /api/v1/namespaces/default/secrets".to_owned(),
        ] {
            let response = cluster.send(&line);
            let method = line.split(' ').next().unwrap_or_default();
            let mut told = String::new();
            tell(&mut told, &cluster, response);
            let _ = write!(transcript, "  {method}{told}");
        }
    }
    let transcript = mask_uids(&transcript);
    expect![[r#"
        Background
          DELETE  200 Success: 
          GET  404 NotFound: configmaps "b" not found
          GET  200 {"kind":"Secret","metadata":{"name":"of-b","deletionTimestamp":"…","deletionGracePeriodSeconds":0,"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"b","uid":"<uid>","blockOwnerDeletion":true}],"finalizers":["x.y/z"]},"type":"Opaque"}
          PATCH  200 {"kind":"Secret","metadata":{"name":"of-b","deletionTimestamp":"…","deletionGracePeriodSeconds":0,"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"b","uid":"<uid>","blockOwnerDeletion":true}]},"type":"Opaque"}
          GET  404 NotFound: configmaps "b" not found
          GET  200 []
        Foreground
          DELETE  200 {"kind":"ConfigMap","metadata":{"name":"f","deletionTimestamp":"…","deletionGracePeriodSeconds":0,"finalizers":["foregroundDeletion"]}}
          GET  200 {"kind":"ConfigMap","metadata":{"name":"f","deletionTimestamp":"…","deletionGracePeriodSeconds":0,"finalizers":["foregroundDeletion"]}}
          GET  200 {"kind":"Secret","metadata":{"name":"of-f","deletionTimestamp":"…","deletionGracePeriodSeconds":0,"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"f","uid":"<uid>","blockOwnerDeletion":true}],"finalizers":["x.y/z"]},"type":"Opaque"}
          PATCH  200 {"kind":"Secret","metadata":{"name":"of-f","deletionTimestamp":"…","deletionGracePeriodSeconds":0,"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"f","uid":"<uid>","blockOwnerDeletion":true}]},"type":"Opaque"}
          GET  404 NotFound: configmaps "f" not found
          GET  200 []
        Orphan
          DELETE  200 {"kind":"ConfigMap","metadata":{"name":"o","deletionTimestamp":"…","deletionGracePeriodSeconds":0,"finalizers":["orphan"]}}
          GET  404 NotFound: configmaps "o" not found
          GET  200 {"kind":"Secret","metadata":{"name":"of-o","finalizers":["x.y/z"]},"type":"Opaque"}
          PATCH  200 {"kind":"Secret","metadata":{"name":"of-o"},"type":"Opaque"}
          GET  404 NotFound: configmaps "o" not found
          GET  200 [of-o]
    "#]].assert_eq(&transcript);
}

fn mask_uids(text: &str) -> String {
    let uuid =
        regex::Regex::new("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").expect("a valid pattern");
    uuid.replace_all(text, "<uid>").into_owned()
}

#[test]
fn a_namespace_ends_when_its_last_object_lets_go() {
    check(
        r#"
        POST /api/v1/namespaces {"metadata":{"name":"n"}}
        GET /api/v1/namespaces/n/serviceaccounts
        POST /api/v1/namespaces/n/configmaps {"metadata":{"name":"stuck","finalizers":["x.y/z"]}}
        DELETE /api/v1/namespaces/n
        POST /api/v1/namespaces/n/configmaps {"metadata":{"name":"late"}}
        GET /api/v1/namespaces/n/configmaps
        PATCH /api/v1/namespaces/n/configmaps/stuck merge {"metadata":{"finalizers":null}}
        GET /api/v1/namespaces/n
        DELETE /api/v1/namespaces/default
        "#,
        expect![[r#"
            POST /api/v1/namespaces {"metadata":{"name":"n"}}
              201 {"kind":"Namespace","metadata":{"name":"n","labels":{"kubernetes.io/metadata.name":"n"}},"spec":{"finalizers":["kubernetes"]},"status":{"phase":"Active"}}
            GET /api/v1/namespaces/n/serviceaccounts
              200 [default]
            POST /api/v1/namespaces/n/configmaps {"metadata":{"name":"stuck","finalizers":["x.y/z"]}}
              201 {"kind":"ConfigMap","metadata":{"name":"stuck","finalizers":["x.y/z"]}}
            DELETE /api/v1/namespaces/n
              200 {"kind":"Namespace","metadata":{"name":"n","deletionTimestamp":"…","labels":{"kubernetes.io/metadata.name":"n"}},"spec":{"finalizers":["kubernetes"]},"status":{"phase":"Terminating"}}
            POST /api/v1/namespaces/n/configmaps {"metadata":{"name":"late"}}
              403 Forbidden: configmaps "late" is forbidden: unable to create new content in namespace n because it is being terminated
            GET /api/v1/namespaces/n/configmaps
              200 [stuck]
            PATCH /api/v1/namespaces/n/configmaps/stuck merge {"metadata":{"finalizers":null}}
              200 {"kind":"ConfigMap","metadata":{"name":"stuck","deletionTimestamp":"…","deletionGracePeriodSeconds":0}}
            GET /api/v1/namespaces/n
              404 NotFound: namespaces "n" not found
            DELETE /api/v1/namespaces/default
              403 Forbidden: namespaces "default" is forbidden: this namespace may not be deleted
        "#]],
    );
}

#[test]
fn a_definition_is_served_at_once_and_takes_its_objects_along() {
    check(
        r#"
        POST /apis/apiextensions.k8s.io/v1/customresourcedefinitions {"metadata":{"name":"cogs.example.com"},"spec":{"group":"example.com","scope":"Namespaced","names":{"plural":"cogs","kind":"Cog"},"versions":[{"name":"v1","served":true,"storage":true,"subresources":{"status":{}},"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","required":["teeth"],"properties":{"teeth":{"type":"integer","minimum":3},"size":{"type":"string","default":"m"}}},"status":{"type":"object","properties":{"ok":{"type":"boolean"}}}}}}}]}}
        POST /apis/example.com/v1/namespaces/default/cogs {"apiVersion":"example.com/v1","kind":"Cog","metadata":{"name":"a"},"spec":{"teeth":8,"typo":1}}
        POST /apis/example.com/v1/namespaces/default/cogs {"apiVersion":"example.com/v1","kind":"Cog","metadata":{"name":"b"},"spec":{"teeth":2}}
        PATCH /apis/example.com/v1/namespaces/default/cogs/a/status merge {"status":{"ok":true},"spec":{"teeth":9}}
        PATCH /apis/example.com/v1/namespaces/default/cogs/a strategic {"spec":{"teeth":9}}
        DELETE /apis/apiextensions.k8s.io/v1/customresourcedefinitions/cogs.example.com
        GET /apis/example.com/v1/namespaces/default/cogs/a
        GET /apis/apiextensions.k8s.io/v1/customresourcedefinitions
        "#,
        expect![[r#"
            POST /apis/apiextensions.k8s.io/v1/customresourcedefinitions {"metadata":{"name":"cogs.example.com"},"spec":{"group":"example.com","scope":"Namespaced","names":{"plural":"cogs","kind":"Cog"},"versions":[{"name":"v1","served":true,"storage":true,"subresources":{"status":{}},"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","required":["teeth"],"properties":{"teeth":{"type":"integer","minimum":3},"size":{"type":"string","default":"m"}}},"status":{"type":"object","properties":{"ok":{"type":"boolean"}}}}}}}]}}
              201 {"kind":"CustomResourceDefinition","metadata":{"name":"cogs.example.com","generation":1},"spec":{"group":"example.com","names":{"plural":"cogs","singular":"cog","kind":"Cog","listKind":"CogList"},"scope":"Namespaced","versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","required":["teeth"],"properties":{"teeth":{"type":"integer","minimum":3},"size":{"type":"string","default":"m"}}},"status":{"type":"object","properties":{"ok":{"type":"boolean"}}}}}},"subresources":{"status":{}}}],"conversion":{"strategy":"None"}},"status":{"conditions":null,"acceptedNames":{"plural":"","kind":""},"storedVersions":["v1"]}}
            POST /apis/example.com/v1/namespaces/default/cogs {"apiVersion":"example.com/v1","kind":"Cog","metadata":{"name":"a"},"spec":{"teeth":8,"typo":1}}
              201 {"kind":"Cog","metadata":{"name":"a","generation":1},"spec":{"teeth":8,"size":"m"}}
              299 - "unknown field \"spec.typo\""
            POST /apis/example.com/v1/namespaces/default/cogs {"apiVersion":"example.com/v1","kind":"Cog","metadata":{"name":"b"},"spec":{"teeth":2}}
              422 Invalid: Cog.example.com "b" is invalid: spec.teeth: Invalid value: 2: spec.teeth in body should be greater than or equal to 3
            PATCH /apis/example.com/v1/namespaces/default/cogs/a/status merge {"status":{"ok":true},"spec":{"teeth":9}}
              200 {"kind":"Cog","metadata":{"name":"a","generation":1},"spec":{"teeth":8,"size":"m"},"status":{"ok":true}}
            PATCH /apis/example.com/v1/namespaces/default/cogs/a strategic {"spec":{"teeth":9}}
              415 UnsupportedMediaType: the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml
            DELETE /apis/apiextensions.k8s.io/v1/customresourcedefinitions/cogs.example.com
              200 {"kind":"CustomResourceDefinition","metadata":{"name":"cogs.example.com","generation":1,"deletionTimestamp":"…","finalizers":["customresourcecleanup.apiextensions.k8s.io"]},"spec":{"group":"example.com","names":{"plural":"cogs","singular":"cog","kind":"Cog","listKind":"CogList"},"scope":"Namespaced","versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","required":["teeth"],"properties":{"teeth":{"type":"integer","minimum":3},"size":{"type":"string","default":"m"}}},"status":{"type":"object","properties":{"ok":{"type":"boolean"}}}}}},"subresources":{"status":{}}}],"conversion":{"strategy":"None"}},"status":{"conditions":[{"type":"NamesAccepted","status":"True","lastTransitionTime":"2023-11-14T22:13:21Z","reason":"NoConflicts","message":"no conflicts found"},{"type":"Established","status":"True","lastTransitionTime":"2023-11-14T22:13:21Z","reason":"InitialNamesAccepted","message":"the initial names have been accepted"}],"acceptedNames":{"plural":"cogs","singular":"cog","kind":"Cog","listKind":"CogList"},"storedVersions":["v1"]}}
            GET /apis/example.com/v1/namespaces/default/cogs/a
              404 404 page not found
            GET /apis/apiextensions.k8s.io/v1/customresourcedefinitions
              200 []
        "#]],
    );
}

#[test]
fn appliers_share_and_dispute_fields() {
    check(
        r#"
        PATCH /api/v1/namespaces/default/configmaps/a?fieldManager=one apply {"apiVersion":"v1","kind":"ConfigMap","data":{"k":"1","l":"1"}}
        PATCH /api/v1/namespaces/default/configmaps/a?fieldManager=two apply {"apiVersion":"v1","kind":"ConfigMap","data":{"k":"2"}}
        PATCH /api/v1/namespaces/default/configmaps/a?fieldManager=two&force=true apply {"apiVersion":"v1","kind":"ConfigMap","data":{"k":"2"}}
        # what the first one leaves out and nobody else owns goes
        PATCH /api/v1/namespaces/default/configmaps/a?fieldManager=one apply {"apiVersion":"v1","kind":"ConfigMap"}
        PATCH /api/v1/namespaces/default/configmaps/a apply {"apiVersion":"v1","kind":"ConfigMap"}
        "#,
        expect![[r#"
            PATCH /api/v1/namespaces/default/configmaps/a?fieldManager=one apply {"apiVersion":"v1","kind":"ConfigMap","data":{"k":"1","l":"1"}}
              201 {"kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"1","l":"1"}}
            PATCH /api/v1/namespaces/default/configmaps/a?fieldManager=two apply {"apiVersion":"v1","kind":"ConfigMap","data":{"k":"2"}}
              409 Conflict: Apply failed with 1 conflict: conflict with "one": .data.k
            PATCH /api/v1/namespaces/default/configmaps/a?fieldManager=two&force=true apply {"apiVersion":"v1","kind":"ConfigMap","data":{"k":"2"}}
              200 {"kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"2","l":"1"}}
            # what the first one leaves out and nobody else owns goes
            PATCH /api/v1/namespaces/default/configmaps/a?fieldManager=one apply {"apiVersion":"v1","kind":"ConfigMap"}
              200 {"kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"2"}}
            PATCH /api/v1/namespaces/default/configmaps/a apply {"apiVersion":"v1","kind":"ConfigMap"}
              422 Invalid: PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch
        "#]],
    );
}

#[test]
fn replicas_are_scaled_through_a_small_object() {
    check(
        r#"
        POST /apis/apps/v1/namespaces/default/deployments {"metadata":{"name":"d"},"spec":{"replicas":2,"selector":{"matchLabels":{"app":"x"}},"template":{"metadata":{"labels":{"app":"x"}},"spec":{"containers":[{"name":"c","image":"i:1"}]}}}}
        GET /apis/apps/v1/namespaces/default/deployments/d/scale
        PATCH /apis/apps/v1/namespaces/default/deployments/d/scale merge {"spec":{"replicas":5}}
        PUT /apis/apps/v1/namespaces/default/deployments/d/scale {"metadata":{"name":"d"},"spec":{"replicas":-1}}
        PATCH /apis/apps/v1/namespaces/default/deployments/d/scale?fieldManager=x apply {"apiVersion":"autoscaling/v1","kind":"Scale","spec":{"replicas":7}}
        "#,
        expect![[r#"
            POST /apis/apps/v1/namespaces/default/deployments {"metadata":{"name":"d"},"spec":{"replicas":2,"selector":{"matchLabels":{"app":"x"}},"template":{"metadata":{"labels":{"app":"x"}},"spec":{"containers":[{"name":"c","image":"i:1"}]}}}}
              201 {"kind":"Deployment","metadata":{"name":"d","generation":1},"spec":{"replicas":2,"selector":{"matchLabels":{"app":"x"}},"template":{"metadata":{"labels":{"app":"x"}},"spec":{"containers":[{"name":"c","image":"i:1","resources":{},"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File","imagePullPolicy":"IfNotPresent"}],"restartPolicy":"Always","terminationGracePeriodSeconds":30,"dnsPolicy":"ClusterFirst","securityContext":{},"schedulerName":"default-scheduler"}},"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxUnavailable":"25%","maxSurge":"25%"}},"revisionHistoryLimit":10,"progressDeadlineSeconds":600},"status":{}}
            GET /apis/apps/v1/namespaces/default/deployments/d/scale
              200 {"kind":"Scale","metadata":{"name":"d"},"spec":{"replicas":2},"status":{"replicas":0,"selector":"app=x"}}
            PATCH /apis/apps/v1/namespaces/default/deployments/d/scale merge {"spec":{"replicas":5}}
              200 {"kind":"Scale","metadata":{"name":"d"},"spec":{"replicas":5},"status":{"replicas":0,"selector":"app=x"}}
            PUT /apis/apps/v1/namespaces/default/deployments/d/scale {"metadata":{"name":"d"},"spec":{"replicas":-1}}
              422 Invalid: Scale.autoscaling "d" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0
            PATCH /apis/apps/v1/namespaces/default/deployments/d/scale?fieldManager=x apply {"apiVersion":"autoscaling/v1","kind":"Scale","spec":{"replicas":7}}
              409 Conflict: Apply failed with 1 conflict: conflict with "test" with subresource "scale" using autoscaling/v1: .spec.replicas
        "#]],
    );
}

#[test]
fn a_watch_sees_objects_come_into_and_leave_its_selection() {
    check(
        r#"
        POST /api/v1/namespaces/default/secrets {"metadata":{"name":"a","labels":{"w":"1"}}}
        POST /api/v1/namespaces/default/secrets {"metadata":{"name":"b"}}
        PATCH /api/v1/namespaces/default/secrets/b merge {"metadata":{"labels":{"w":"1"}}}
        PATCH /api/v1/namespaces/default/secrets/a merge {"metadata":{"labels":null}}
        DELETE /api/v1/namespaces/default/secrets/b
        GET /api/v1/namespaces/default/secrets?watch=1&resourceVersion=1&labelSelector=w%3D1
        # the state first, and a bookmark when it is complete
        GET /api/v1/namespaces/default/secrets?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true
        "#,
        expect![[r#"
            POST /api/v1/namespaces/default/secrets {"metadata":{"name":"a","labels":{"w":"1"}}}
              201 {"kind":"Secret","metadata":{"name":"a","labels":{"w":"1"}},"type":"Opaque"}
            POST /api/v1/namespaces/default/secrets {"metadata":{"name":"b"}}
              201 {"kind":"Secret","metadata":{"name":"b"},"type":"Opaque"}
            PATCH /api/v1/namespaces/default/secrets/b merge {"metadata":{"labels":{"w":"1"}}}
              200 {"kind":"Secret","metadata":{"name":"b","labels":{"w":"1"}},"type":"Opaque"}
            PATCH /api/v1/namespaces/default/secrets/a merge {"metadata":{"labels":null}}
              200 {"kind":"Secret","metadata":{"name":"a"},"type":"Opaque"}
            DELETE /api/v1/namespaces/default/secrets/b
              200 Success: 
            GET /api/v1/namespaces/default/secrets?watch=1&resourceVersion=1&labelSelector=w%3D1
              ADDED {"kind":"Secret","metadata":{"name":"a","labels":{"w":"1"}},"type":"Opaque"}
              ADDED {"kind":"Secret","metadata":{"name":"b","labels":{"w":"1"}},"type":"Opaque"}
              DELETED {"kind":"Secret","metadata":{"name":"a","labels":{"w":"1"}},"type":"Opaque"}
              DELETED {"kind":"Secret","metadata":{"name":"b","labels":{"w":"1"}},"type":"Opaque"}
            # the state first, and a bookmark when it is complete
            GET /api/v1/namespaces/default/secrets?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true
              ADDED {"kind":"Secret","metadata":{"name":"a"},"type":"Opaque"}
              BOOKMARK {"kind":"Secret","metadata":{"annotations":{"k8s.io/initial-events-end":"true"}}}
        "#]],
    );
}

#[test]
fn events_and_autoscalers_look_different_in_each_version() {
    check(
        r#"
        POST /apis/events.k8s.io/v1/namespaces/default/events {"metadata":{"name":"e"},"eventTime":"2024-01-01T00:00:00.000000Z","reportingController":"x.y/z","reportingInstance":"i","action":"A","reason":"R","type":"Normal","note":"hello","regarding":{"kind":"Pod","name":"p","namespace":"default"}}
        GET /api/v1/namespaces/default/events/e
        GET /api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3Dp
        "#,
        expect![[r#"
            POST /apis/events.k8s.io/v1/namespaces/default/events {"metadata":{"name":"e"},"eventTime":"2024-01-01T00:00:00.000000Z","reportingController":"x.y/z","reportingInstance":"i","action":"A","reason":"R","type":"Normal","note":"hello","regarding":{"kind":"Pod","name":"p","namespace":"default"}}
              201 {"kind":"Event","metadata":{"name":"e"},"eventTime":"2024-01-01T00:00:00.000000Z","reportingController":"x.y/z","reportingInstance":"i","action":"A","reason":"R","regarding":{"kind":"Pod","namespace":"default","name":"p"},"note":"hello","type":"Normal","deprecatedSource":{},"deprecatedFirstTimestamp":null,"deprecatedLastTimestamp":null}
            GET /api/v1/namespaces/default/events/e
              200 {"kind":"Event","metadata":{"name":"e"},"involvedObject":{"kind":"Pod","namespace":"default","name":"p"},"reason":"R","message":"hello","source":{},"firstTimestamp":null,"lastTimestamp":null,"type":"Normal","eventTime":"2024-01-01T00:00:00.000000Z","action":"A","reportingComponent":"x.y/z","reportingInstance":"i"}
            GET /api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3Dp
              200 [e]
        "#]],
    );
}

const POLICY: &str = r#"
        POST /apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies {"metadata":{"name":"few"},"spec":{"matchConstraints":{"resourceRules":[{"apiGroups":[""],"apiVersions":["*"],"operations":["CREATE","UPDATE"],"resources":["configmaps"]}]},"validations":[{"expression":"size(object.data) < 2","messageExpression":"'too many keys: ' + string(size(object.data))"},{"expression":"object.metadata.name != 'bad'"}]}}
        POST /apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings {"metadata":{"name":"everywhere"},"spec":{"policyName":"few","validationActions":["Deny"]}}
        "#;

#[test]
fn a_policy_denies_from_the_next_request_on() {
    let script = format!(
        r#"{POLICY}
        POST /api/v1/namespaces/default/configmaps {{"metadata":{{"name":"a"}},"data":{{"a":"1"}}}}
        PATCH /api/v1/namespaces/default/configmaps/a merge {{"data":{{"b":"2"}}}}
        POST /api/v1/namespaces/default/configmaps {{"metadata":{{"name":"bad"}},"data":{{"a":"1"}}}}
        DELETE /apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/everywhere
        PATCH /api/v1/namespaces/default/configmaps/a merge {{"data":{{"b":"2"}}}}
        "#
    );
    check(
        &script,
        expect![[r#"
        POST /apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies {"metadata":{"name":"few"},"spec":{"matchConstraints":{"resourceRules":[{"apiGroups":[""],"apiVersions":["*"],"operations":["CREATE","UPDATE"],"resources":["configmaps"]}]},"validations":[{"expression":"size(object.data) < 2","messageExpression":"'too many keys: ' + string(size(object.data))"},{"expression":"object.metadata.name != 'bad'"}]}}
          201 {"kind":"ValidatingAdmissionPolicy","metadata":{"name":"few","generation":1},"spec":{"matchConstraints":{"namespaceSelector":{},"objectSelector":{},"resourceRules":[{"operations":["CREATE","UPDATE"],"apiGroups":[""],"apiVersions":["*"],"resources":["configmaps"],"scope":"*"}],"matchPolicy":"Equivalent"},"validations":[{"expression":"size(object.data) < 2","messageExpression":"'too many keys: ' + string(size(object.data))"},{"expression":"object.metadata.name != 'bad'"}],"failurePolicy":"Fail"},"status":{}}
        POST /apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings {"metadata":{"name":"everywhere"},"spec":{"policyName":"few","validationActions":["Deny"]}}
          201 {"kind":"ValidatingAdmissionPolicyBinding","metadata":{"name":"everywhere","generation":1},"spec":{"policyName":"few","validationActions":["Deny"]}}
        POST /api/v1/namespaces/default/configmaps {"metadata":{"name":"a"},"data":{"a":"1"}}
          201 {"kind":"ConfigMap","metadata":{"name":"a"},"data":{"a":"1"}}
        PATCH /api/v1/namespaces/default/configmaps/a merge {"data":{"b":"2"}}
          422 Invalid: configmaps "a" is forbidden: ValidatingAdmissionPolicy 'few' with binding 'everywhere' denied request: too many keys: 2
        POST /api/v1/namespaces/default/configmaps {"metadata":{"name":"bad"},"data":{"a":"1"}}
          422 Invalid: configmaps "bad" is forbidden: ValidatingAdmissionPolicy 'few' with binding 'everywhere' denied request: failed expression: object.metadata.name != 'bad'
        DELETE /apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/everywhere
          200 Success: 
        PATCH /api/v1/namespaces/default/configmaps/a merge {"data":{"b":"2"}}
          200 {"kind":"ConfigMap","metadata":{"name":"a"},"data":{"a":"1","b":"2"}}
    "#]],
    );
}

#[test]
fn strategic_patches_are_converted_not_decoded() {
    check(
        r#"
        POST /apis/apps/v1/namespaces/default/deployments {"metadata":{"name":"d"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}}
        PATCH /apis/apps/v1/namespaces/default/deployments/d strategic {"spec":{"replicas":"1"}}
        PATCH /apis/apps/v1/namespaces/default/deployments/d strategic {"metadata":{"labels":{"a":1}}}
        PATCH /apis/apps/v1/namespaces/default/deployments/d strategic {"spec":{"paused":1}}
        PATCH /apis/apps/v1/namespaces/default/deployments/d strategic {"spec":{"strategy":"Recreate"}}
        PATCH /apis/apps/v1/namespaces/default/deployments/d merge {"spec":{"strategy":"Recreate"}}
        "#,
        expect![[r#"
            POST /apis/apps/v1/namespaces/default/deployments {"metadata":{"name":"d"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}}
              201 {"kind":"Deployment","metadata":{"name":"d","generation":1},"spec":{"replicas":1,"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i","resources":{},"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File","imagePullPolicy":"Always"}],"restartPolicy":"Always","terminationGracePeriodSeconds":30,"dnsPolicy":"ClusterFirst","securityContext":{},"schedulerName":"default-scheduler"}},"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxUnavailable":"25%","maxSurge":"25%"}},"revisionHistoryLimit":10,"progressDeadlineSeconds":600},"status":{}}
            PATCH /apis/apps/v1/namespaces/default/deployments/d strategic {"spec":{"replicas":"1"}}
              422 Invalid:  "" is invalid: patch: Invalid value: "map[spec:map[replicas:1]]": unrecognized type: int32
            PATCH /apis/apps/v1/namespaces/default/deployments/d strategic {"metadata":{"labels":{"a":1}}}
              422 Invalid:  "" is invalid: patch: Invalid value: "map[metadata:map[labels:map[a:1]]]": cannot convert int64 to string
            PATCH /apis/apps/v1/namespaces/default/deployments/d strategic {"spec":{"paused":1}}
              422 Invalid:  "" is invalid: patch: Invalid value: "map[spec:map[paused:1]]": unrecognized type: bool
            PATCH /apis/apps/v1/namespaces/default/deployments/d strategic {"spec":{"strategy":"Recreate"}}
              422 Invalid:  "" is invalid: patch: Invalid value: "map[spec:map[strategy:Recreate]]": cannot restore struct from: string
            PATCH /apis/apps/v1/namespaces/default/deployments/d merge {"spec":{"strategy":"Recreate"}}
              422 Invalid:  "" is invalid: patch: Invalid value: "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"d\",\"namespace\":\"default\",\"uid\":\"40373b26-93c7-46b7-9d39-f4857ddebfb5\",\"resourceVersion\":\"40\",\"generation\":1,\"creationTimestamp\":\"2023-11-14T22:13:21Z\",\"managedFields\":[{\"manager\":\"test\",\"operation\":\"Update\",\"apiVersion\":\"apps/v1\",\"time\":\"2023-11-14T22:13:21Z\",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{\"f:spec\":{\"f:progressDeadlineSeconds\":{},\"f:replicas\":{},\"f:revisionHistoryLimit\":{},\"f:selector\":{},\"f:strategy\":{\"f:rollingUpdate\":{\".\":{},\"f:maxSurge\":{},\"f:maxUnavailable\":{}},\"f:type\":{}},\"f:template\":{\"f:metadata\":{\"f:labels\":{\".\":{},\"f:a\":{}}},\"f:spec\":{\"f:containers\":{\"k:{\\\"name\\\":\\\"c\\\"}\":{\".\":{},\"f:image\":{},\"f:imagePullPolicy\":{},\"f:name\":{},\"f:resources\":{},\"f:terminationMessagePath\":{},\"f:terminationMessagePolicy\":{}}},\"f:dnsPolicy\":{},\"f:restartPolicy\":{},\"f:schedulerName\":{},\"f:securityContext\":{},\"f:terminationGracePeriodSeconds\":{}}}}}}]},\"spec\":{\"progressDeadlineSeconds\":600,\"replicas\":1,\"revisionHistoryLimit\":10,\"selector\":{\"matchLabels\":{\"a\":\"b\"}},\"strategy\":\"Recreate\",\"template\":{\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"resources\":{},\"terminationMessagePath\":\"/dev/termination-log\",\"terminationMessagePolicy\":\"File\",\"imagePullPolicy\":\"Always\"}],\"restartPolicy\":\"Always\",\"terminationGracePeriodSeconds\":30,\"dnsPolicy\":\"ClusterFirst\",\"securityContext\":{},\"schedulerName\":\"default-scheduler\"}}},\"status\":{}}": json: cannot unmarshal string into Go struct field DeploymentSpec.spec.strategy of type v1.DeploymentStrategy
        "#]],
    );
}

#[test]
fn a_policy_that_cannot_be_evaluated_is_refused() {
    check(
        r#"
        POST /apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies {"metadata":{"name":"p"},"spec":{"matchConstraints":{"resourceRules":[{"apiGroups":[""],"apiVersions":["v1"],"operations":["CREATE"],"resources":["pods"]}]},"validations":[{"expression":"object.a +"},{"expression":"'a'","messageExpression":"1"}]}}
        POST /apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies {"metadata":{"name":"p"},"spec":{"matchConstraints":{"resourceRules":[{"apiGroups":[""],"apiVersions":["v1"],"operations":["CREATE"],"resources":["pods"]}]},"mutations":[{"patchType":"JSONPatch"},{"patchType":"ApplyConfiguration","applyConfiguration":{"expression":"1"}}]}}
        "#,
        expect![[r#"
            POST /apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies {"metadata":{"name":"p"},"spec":{"matchConstraints":{"resourceRules":[{"apiGroups":[""],"apiVersions":["v1"],"operations":["CREATE"],"resources":["pods"]}]},"validations":[{"expression":"object.a +"},{"expression":"'a'","messageExpression":"1"}]}}
              422 Invalid: ValidatingAdmissionPolicy.admissionregistration.k8s.io "p" is invalid: [spec.validations[0].expression: Invalid value: "object.a +": compilation failed: ERROR: <input>:1:11: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}
             | object.a +
             | ..........^, spec.validations[1].expression: Invalid value: "'a'": must evaluate to bool but got string, spec.validations[1].messageExpression: Invalid value: "1": must evaluate to string but got int]
            POST /apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies {"metadata":{"name":"p"},"spec":{"matchConstraints":{"resourceRules":[{"apiGroups":[""],"apiVersions":["v1"],"operations":["CREATE"],"resources":["pods"]}]},"mutations":[{"patchType":"JSONPatch"},{"patchType":"ApplyConfiguration","applyConfiguration":{"expression":"1"}}]}}
              422 Invalid: MutatingAdmissionPolicy.admissionregistration.k8s.io "p" is invalid: [spec.mutations[0].jsonPatch: Required value: must be specified when patchType is JSONPatch, spec.mutations[1].applyConfiguration.expression: Invalid value: "1": must evaluate to Object but got int, spec.reinvocationPolicy: Required value]
        "#]],
    );
}

#[test]
fn a_preview_names_every_denial() {
    let mut cluster = Cluster::new();
    for line in POLICY
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
    {
        cluster.send(line);
    }
    let object = br#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"bad","namespace":"default"},"data":{"a":"1","b":"2"}}"#;
    let object = object::json::parse(object, object::json::OBJECT_LIMITS).expect("valid JSON");
    let user = apimachine::User::admin();
    let verdicts = apimachine::admit_all(&cluster.state, &[object], &user, &cluster.env());
    let told: Vec<String> = verdicts
        .iter()
        .map(|verdict| {
            format!(
                "{} {}: {}",
                verdict.policy,
                verdict.actions.join(","),
                verdict.message
            )
        })
        .collect();
    expect![[r#"
        few Deny: too many keys: 2
        few Deny: failed expression: object.metadata.name != 'bad'"#]]
    .assert_eq(&told.join("\n"));
}

#[test]
fn quotas_are_charged_at_once() {
    check(
        r#"
        POST /api/v1/namespaces/default/resourcequotas {"metadata":{"name":"q"},"spec":{"hard":{"secrets":"1"}}}
        POST /api/v1/namespaces/default/secrets {"metadata":{"name":"a"}}
        POST /api/v1/namespaces/default/secrets {"metadata":{"name":"b"}}
        GET /api/v1/namespaces/default/resourcequotas/q
        DELETE /api/v1/namespaces/default/secrets/a
        POST /api/v1/namespaces/default/secrets {"metadata":{"name":"b"}}
        "#,
        expect![[r#"
            POST /api/v1/namespaces/default/resourcequotas {"metadata":{"name":"q"},"spec":{"hard":{"secrets":"1"}}}
              201 {"kind":"ResourceQuota","metadata":{"name":"q"},"spec":{"hard":{"secrets":"1"}},"status":{}}
            POST /api/v1/namespaces/default/secrets {"metadata":{"name":"a"}}
              201 {"kind":"Secret","metadata":{"name":"a"},"type":"Opaque"}
            POST /api/v1/namespaces/default/secrets {"metadata":{"name":"b"}}
              403 Forbidden: secrets "b" is forbidden: exceeded quota: q, requested: secrets=1, used: secrets=1, limited: secrets=1
            GET /api/v1/namespaces/default/resourcequotas/q
              200 {"kind":"ResourceQuota","metadata":{"name":"q"},"spec":{"hard":{"secrets":"1"}},"status":{"hard":{"secrets":"1"},"used":{"secrets":"1"}}}
            DELETE /api/v1/namespaces/default/secrets/a
              200 Success: 
            POST /api/v1/namespaces/default/secrets {"metadata":{"name":"b"}}
              201 {"kind":"Secret","metadata":{"name":"b"},"type":"Opaque"}
        "#]],
    );
}

#[test]
fn a_strict_namespace_refuses_pods_and_warns_about_templates() {
    check(
        r#"
        POST /api/v1/namespaces {"metadata":{"name":"strict","labels":{"pod-security.kubernetes.io/enforce":"baseline","pod-security.kubernetes.io/warn":"restricted"}}}
        POST /api/v1/namespaces/strict/pods {"metadata":{"name":"p"},"spec":{"hostPID":true,"containers":[{"name":"c","image":"i:1","securityContext":{"privileged":true}}]}}
        POST /api/v1/namespaces/strict/pods?dryRun=All {"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i:1"}]}}
        PATCH /api/v1/namespaces/strict merge {"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"none"}}}
        "#,
        expect![[r#"
            POST /api/v1/namespaces {"metadata":{"name":"strict","labels":{"pod-security.kubernetes.io/enforce":"baseline","pod-security.kubernetes.io/warn":"restricted"}}}
              201 {"kind":"Namespace","metadata":{"name":"strict","labels":{"pod-security.kubernetes.io/enforce":"baseline","pod-security.kubernetes.io/warn":"restricted","kubernetes.io/metadata.name":"strict"}},"spec":{"finalizers":["kubernetes"]},"status":{"phase":"Active"}}
            POST /api/v1/namespaces/strict/pods {"metadata":{"name":"p"},"spec":{"hostPID":true,"containers":[{"name":"c","image":"i:1","securityContext":{"privileged":true}}]}}
              403 Forbidden: pods "p" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostPID=true), privileged (container "c" must not set securityContext.privileged=true)
            POST /api/v1/namespaces/strict/pods?dryRun=All {"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i:1"}]}}
              201 {"kind":"Pod","metadata":{"name":"p","generation":1},"spec":{"volumes":[{"name":"kube-api-access-pgh8t","projected":{"sources":[{"serviceAccountToken":{"expirationSeconds":3607,"path":"token"}},{"configMap":{"name":"kube-root-ca.crt","items":[{"key":"ca.crt","path":"ca.crt"}]}},{"downwardAPI":{"items":[{"path":"namespace","fieldRef":{"apiVersion":"v1","fieldPath":"metadata.namespace"}}]}}],"defaultMode":420}}],"containers":[{"name":"c","image":"i:1","resources":{},"volumeMounts":[{"name":"kube-api-access-pgh8t","readOnly":true,"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"}],"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File","imagePullPolicy":"IfNotPresent"}],"restartPolicy":"Always","terminationGracePeriodSeconds":30,"dnsPolicy":"ClusterFirst","serviceAccountName":"default","serviceAccount":"default","securityContext":{},"schedulerName":"default-scheduler","tolerations":[{"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute","tolerationSeconds":300},{"key":"node.kubernetes.io/unreachable","operator":"Exists","effect":"NoExecute","tolerationSeconds":300}],"priority":0,"enableServiceLinks":true,"preemptionPolicy":"PreemptLowerPriority"},"status":{"phase":"Pending","qosClass":"BestEffort"}}
              299 - "would violate PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false (container \"c\" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container \"c\" must set securityContext.capabilities.drop=[\"ALL\"]), runAsNonRoot != true (pod or container \"c\" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container \"c\" must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")"
            PATCH /api/v1/namespaces/strict merge {"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"none"}}}
              422 Invalid: Namespace "strict" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "none": must be one of privileged, baseline, restricted
        "#]],
    );
}

#[test]
fn a_service_changes_its_type() {
    check(
        r#"
        POST /api/v1/namespaces/default/services {"metadata":{"name":"s"},"spec":{"type":"LoadBalancer","loadBalancerClass":"a.b/c","clusterIP":"10.0.9.9","ports":[{"port":80,"nodePort":30080}]}}
        PATCH /api/v1/namespaces/default/services/s merge {"spec":{"clusterIP":null,"ports":[{"port":81}]}}
        PATCH /api/v1/namespaces/default/services/s merge {"spec":{"type":"ClusterIP"}}
        PATCH /api/v1/namespaces/default/services/s merge {"spec":{"type":"ExternalName","externalName":"a.b"}}
        POST /api/v1/namespaces/default/services {"metadata":{"name":"t"},"spec":{"clusterIP":"10.0.9.9","ports":[{"port":80}]}}
        POST /api/v1/namespaces/default/services {"metadata":{"name":"u"},"spec":{"clusterIP":"10.0.9.9","ports":[{"port":80}]}}
        "#,
        expect![[r#"
            POST /api/v1/namespaces/default/services {"metadata":{"name":"s"},"spec":{"type":"LoadBalancer","loadBalancerClass":"a.b/c","clusterIP":"10.0.9.9","ports":[{"port":80,"nodePort":30080}]}}
              201 {"kind":"Service","metadata":{"name":"s"},"spec":{"ports":[{"protocol":"TCP","port":80,"targetPort":80,"nodePort":30080}],"clusterIP":"10.0.9.9","clusterIPs":["10.0.9.9"],"type":"LoadBalancer","sessionAffinity":"None","externalTrafficPolicy":"Cluster","ipFamilies":["IPv4"],"ipFamilyPolicy":"SingleStack","allocateLoadBalancerNodePorts":true,"loadBalancerClass":"a.b/c","internalTrafficPolicy":"Cluster"},"status":{"loadBalancer":{}}}
            PATCH /api/v1/namespaces/default/services/s merge {"spec":{"clusterIP":null,"ports":[{"port":81}]}}
              200 {"kind":"Service","metadata":{"name":"s"},"spec":{"ports":[{"protocol":"TCP","port":81,"targetPort":81,"nodePort":30080}],"clusterIP":"10.0.9.9","clusterIPs":["10.0.9.9"],"type":"LoadBalancer","sessionAffinity":"None","externalTrafficPolicy":"Cluster","ipFamilies":["IPv4"],"ipFamilyPolicy":"SingleStack","allocateLoadBalancerNodePorts":true,"loadBalancerClass":"a.b/c","internalTrafficPolicy":"Cluster"},"status":{"loadBalancer":{}}}
            PATCH /api/v1/namespaces/default/services/s merge {"spec":{"type":"ClusterIP"}}
              200 {"kind":"Service","metadata":{"name":"s"},"spec":{"ports":[{"protocol":"TCP","port":81,"targetPort":81}],"clusterIP":"10.0.9.9","clusterIPs":["10.0.9.9"],"type":"ClusterIP","sessionAffinity":"None","ipFamilies":["IPv4"],"ipFamilyPolicy":"SingleStack","internalTrafficPolicy":"Cluster"},"status":{"loadBalancer":{}}}
            PATCH /api/v1/namespaces/default/services/s merge {"spec":{"type":"ExternalName","externalName":"a.b"}}
              200 {"kind":"Service","metadata":{"name":"s"},"spec":{"ports":[{"protocol":"TCP","port":81,"targetPort":81}],"type":"ExternalName","sessionAffinity":"None","externalName":"a.b"},"status":{"loadBalancer":{}}}
            POST /api/v1/namespaces/default/services {"metadata":{"name":"t"},"spec":{"clusterIP":"10.0.9.9","ports":[{"port":80}]}}
              201 {"kind":"Service","metadata":{"name":"t"},"spec":{"ports":[{"protocol":"TCP","port":80,"targetPort":80}],"clusterIP":"10.0.9.9","clusterIPs":["10.0.9.9"],"type":"ClusterIP","sessionAffinity":"None","ipFamilies":["IPv4"],"ipFamilyPolicy":"SingleStack","internalTrafficPolicy":"Cluster"},"status":{"loadBalancer":{}}}
            POST /api/v1/namespaces/default/services {"metadata":{"name":"u"},"spec":{"clusterIP":"10.0.9.9","ports":[{"port":80}]}}
              422 Invalid: Service "u" is invalid: spec.clusterIPs: Invalid value: ["10.0.9.9"]: failed to allocate IP 10.0.9.9: provided IP is already allocated
        "#]],
    );
}

#[test]
fn claims_and_ingresses_get_the_default_class_and_grow_where_it_allows() {
    check(
        r#"
        POST /api/v1/namespaces/default/persistentvolumeclaims {"metadata":{"name":"early"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}
        POST /apis/storage.k8s.io/v1/storageclasses {"metadata":{"name":"old","annotations":{"storageclass.kubernetes.io/is-default-class":"true"}},"provisioner":"a.b/c"}
        POST /apis/storage.k8s.io/v1/storageclasses {"metadata":{"name":"new","annotations":{"storageclass.kubernetes.io/is-default-class":"true"}},"provisioner":"a.b/c"}
        POST /api/v1/namespaces/default/persistentvolumeclaims {"metadata":{"name":"late"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}
        POST /api/v1/namespaces/default/persistentvolumeclaims {"metadata":{"name":"none"},"spec":{"storageClassName":"","accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}
        PATCH /api/v1/namespaces/default/persistentvolumeclaims/late/status merge {"status":{"phase":"Bound","capacity":{"storage":"1Gi"}}}
        PATCH /api/v1/namespaces/default/persistentvolumeclaims/late merge {"spec":{"resources":{"requests":{"storage":"2Gi"}}}}
        PATCH /apis/storage.k8s.io/v1/storageclasses/new merge {"allowVolumeExpansion":true}
        PATCH /api/v1/namespaces/default/persistentvolumeclaims/late merge {"spec":{"resources":{"requests":{"storage":"2Gi"}}}}
        POST /apis/networking.k8s.io/v1/ingressclasses {"metadata":{"name":"web","annotations":{"ingressclass.kubernetes.io/is-default-class":"true"}},"spec":{"controller":"a.b/c"}}
        POST /apis/networking.k8s.io/v1/namespaces/default/ingresses {"metadata":{"name":"i"},"spec":{"defaultBackend":{"service":{"name":"s","port":{"number":80}}}}}
        "#,
        expect![[r#"
            POST /api/v1/namespaces/default/persistentvolumeclaims {"metadata":{"name":"early"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}
              201 {"kind":"PersistentVolumeClaim","metadata":{"name":"early","finalizers":["kubernetes.io/pvc-protection"]},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}},"volumeMode":"Filesystem"},"status":{"phase":"Pending"}}
            POST /apis/storage.k8s.io/v1/storageclasses {"metadata":{"name":"old","annotations":{"storageclass.kubernetes.io/is-default-class":"true"}},"provisioner":"a.b/c"}
              201 {"kind":"StorageClass","metadata":{"name":"old","annotations":{"storageclass.kubernetes.io/is-default-class":"true"}},"provisioner":"a.b/c","reclaimPolicy":"Delete","volumeBindingMode":"Immediate"}
            POST /apis/storage.k8s.io/v1/storageclasses {"metadata":{"name":"new","annotations":{"storageclass.kubernetes.io/is-default-class":"true"}},"provisioner":"a.b/c"}
              201 {"kind":"StorageClass","metadata":{"name":"new","annotations":{"storageclass.kubernetes.io/is-default-class":"true"}},"provisioner":"a.b/c","reclaimPolicy":"Delete","volumeBindingMode":"Immediate"}
            POST /api/v1/namespaces/default/persistentvolumeclaims {"metadata":{"name":"late"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}
              201 {"kind":"PersistentVolumeClaim","metadata":{"name":"late","finalizers":["kubernetes.io/pvc-protection"]},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}},"storageClassName":"new","volumeMode":"Filesystem"},"status":{"phase":"Pending"}}
            POST /api/v1/namespaces/default/persistentvolumeclaims {"metadata":{"name":"none"},"spec":{"storageClassName":"","accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}
              201 {"kind":"PersistentVolumeClaim","metadata":{"name":"none","finalizers":["kubernetes.io/pvc-protection"]},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}},"storageClassName":"","volumeMode":"Filesystem"},"status":{"phase":"Pending"}}
            PATCH /api/v1/namespaces/default/persistentvolumeclaims/late/status merge {"status":{"phase":"Bound","capacity":{"storage":"1Gi"}}}
              200 {"kind":"PersistentVolumeClaim","metadata":{"name":"late","finalizers":["kubernetes.io/pvc-protection"]},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}},"storageClassName":"new","volumeMode":"Filesystem"},"status":{"phase":"Bound","capacity":{"storage":"1Gi"}}}
            PATCH /api/v1/namespaces/default/persistentvolumeclaims/late merge {"spec":{"resources":{"requests":{"storage":"2Gi"}}}}
              403 Forbidden: persistentvolumeclaims "late" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize
            PATCH /apis/storage.k8s.io/v1/storageclasses/new merge {"allowVolumeExpansion":true}
              200 {"kind":"StorageClass","metadata":{"name":"new","annotations":{"storageclass.kubernetes.io/is-default-class":"true"}},"provisioner":"a.b/c","reclaimPolicy":"Delete","allowVolumeExpansion":true,"volumeBindingMode":"Immediate"}
            PATCH /api/v1/namespaces/default/persistentvolumeclaims/late merge {"spec":{"resources":{"requests":{"storage":"2Gi"}}}}
              200 {"kind":"PersistentVolumeClaim","metadata":{"name":"late","finalizers":["kubernetes.io/pvc-protection"]},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"2Gi"}},"storageClassName":"new","volumeMode":"Filesystem"},"status":{"phase":"Bound","capacity":{"storage":"1Gi"}}}
            POST /apis/networking.k8s.io/v1/ingressclasses {"metadata":{"name":"web","annotations":{"ingressclass.kubernetes.io/is-default-class":"true"}},"spec":{"controller":"a.b/c"}}
              201 {"kind":"IngressClass","metadata":{"name":"web","generation":1,"annotations":{"ingressclass.kubernetes.io/is-default-class":"true"}},"spec":{"controller":"a.b/c"}}
            POST /apis/networking.k8s.io/v1/namespaces/default/ingresses {"metadata":{"name":"i"},"spec":{"defaultBackend":{"service":{"name":"s","port":{"number":80}}}}}
              201 {"kind":"Ingress","metadata":{"name":"i","generation":1},"spec":{"ingressClassName":"web","defaultBackend":{"service":{"name":"s","port":{"number":80}}}},"status":{"loadBalancer":{}}}
        "#]],
    );
}

#[test]
fn a_new_cluster_has_what_every_cluster_has() {
    check(
        r#"
        GET /api/v1/namespaces
        GET /api/v1/services
        GET /apis/discovery.k8s.io/v1/endpointslices
        GET /api/v1/namespaces/kube-system/configmaps
        GET /apis/scheduling.k8s.io/v1/priorityclasses
        POST /api/v1/namespaces/default/pods {"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i:1"}]}}
        POST /api/v1/namespaces/default/pods/p/binding {"metadata":{"name":"p"},"target":{"name":"n"}}
        POST /api/v1/nodes {"metadata":{"name":"n"}}
        GET /api/v1/namespaces/default/pods/p/log
        GET /api/v1/namespaces/default/pods/p/exec
        "#,
        expect![[r#"
            GET /api/v1/namespaces
              200 [default kube-node-lease kube-public kube-system]
            GET /api/v1/services
              200 [kubernetes]
            GET /apis/discovery.k8s.io/v1/endpointslices
              200 [kubernetes]
            GET /api/v1/namespaces/kube-system/configmaps
              200 [kube-root-ca.crt]
            GET /apis/scheduling.k8s.io/v1/priorityclasses
              200 [system-cluster-critical system-node-critical]
            POST /api/v1/namespaces/default/pods {"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i:1"}]}}
              201 {"kind":"Pod","metadata":{"name":"p","generation":1},"spec":{"volumes":[{"name":"kube-api-access-nchpq","projected":{"sources":[{"serviceAccountToken":{"expirationSeconds":3607,"path":"token"}},{"configMap":{"name":"kube-root-ca.crt","items":[{"key":"ca.crt","path":"ca.crt"}]}},{"downwardAPI":{"items":[{"path":"namespace","fieldRef":{"apiVersion":"v1","fieldPath":"metadata.namespace"}}]}}],"defaultMode":420}}],"containers":[{"name":"c","image":"i:1","resources":{},"volumeMounts":[{"name":"kube-api-access-nchpq","readOnly":true,"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"}],"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File","imagePullPolicy":"IfNotPresent"}],"restartPolicy":"Always","terminationGracePeriodSeconds":30,"dnsPolicy":"ClusterFirst","serviceAccountName":"default","serviceAccount":"default","securityContext":{},"schedulerName":"default-scheduler","tolerations":[{"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute","tolerationSeconds":300},{"key":"node.kubernetes.io/unreachable","operator":"Exists","effect":"NoExecute","tolerationSeconds":300}],"priority":0,"enableServiceLinks":true,"preemptionPolicy":"PreemptLowerPriority"},"status":{"phase":"Pending","qosClass":"BestEffort"}}
            POST /api/v1/namespaces/default/pods/p/binding {"metadata":{"name":"p"},"target":{"name":"n"}}
              201 Success: 
            POST /api/v1/nodes {"metadata":{"name":"n"}}
              201 {"kind":"Node","metadata":{"name":"n"},"spec":{},"status":{"daemonEndpoints":{"kubeletEndpoint":{"Port":0}},"nodeInfo":{"machineID":"","systemUUID":"","bootID":"","kernelVersion":"","osImage":"","containerRuntimeVersion":"","kubeletVersion":"","kubeProxyVersion":"","operatingSystem":"","architecture":""}}}
            GET /api/v1/namespaces/default/pods/p/log
              200 
            GET /api/v1/namespaces/default/pods/p/exec
              501 NotImplemented: exec is not available: this cluster runs no containers
        "#]],
    );
}
