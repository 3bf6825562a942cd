//! Watches: order, bookmarks, slow readers, and clients that stand on them.

use std::time::Duration;

use apimachine::{Features, User};
use apiserver::{Body, Cluster, Options};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Empty};
use serde_json::{Value, json};

use crate::client::{config_map, frames, send};

const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";
const PATIENCE: Duration = Duration::from_millis(200);

async fn watch(cluster: &std::sync::Arc<Cluster>, query: &str) -> Response<Body> {
    let request = Request::get(format!("{CONFIG_MAPS}?watch=true&{query}"))
        .body(Empty::new())
        .expect("a request");
    cluster.call(request, &User::admin()).await
}

/// `ADDED a`, `BOOKMARK`, …
fn summary(frames: &[Value]) -> Vec<String> {
    let one = |frame: &Value| {
        let name = frame["object"]["metadata"]["name"]
            .as_str()
            .unwrap_or_default();
        format!("{} {name}", frame["type"].as_str().unwrap_or_default())
            .trim()
            .to_owned()
    };
    frames
        .iter()
        .map(one)
        .filter(|line| !line.ends_with("kube-root-ca.crt"))
        .collect()
}

async fn put(cluster: &std::sync::Arc<Cluster>, name: &str, value: &str) -> u64 {
    let path = format!("{CONFIG_MAPS}/{name}");
    let answer = match send(cluster, "POST", CONFIG_MAPS, &config_map(name, value)).await {
        answer if answer.status == 409 => {
            send(cluster, "PUT", &path, &config_map(name, value)).await
        }
        answer => answer,
    };
    assert!(answer.status < 300, "{}", answer.json());
    answer.json()["metadata"]["resourceVersion"]
        .as_str()
        .and_then(|text| text.parse().ok())
        .expect("a version")
}

#[tokio::test(start_paused = true)]
async fn a_watch_tells_the_state_then_every_change_in_order() {
    let cluster = Cluster::new(Options::default());
    put(&cluster, "a", "1").await;
    let mut all = watch(
        &cluster,
        "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true",
    )
    .await;
    let mut named = watch(&cluster, "fieldSelector=metadata.name=b").await;
    let version = put(&cluster, "a", "2").await;
    put(&cluster, "b", "1").await;
    send(
        &cluster,
        "DELETE",
        &format!("{CONFIG_MAPS}/a"),
        &Value::Null,
    )
    .await;
    assert_eq!(
        summary(&frames(all.body_mut(), 9, PATIENCE).await),
        ["ADDED a", "BOOKMARK", "MODIFIED a", "ADDED b", "DELETED a"]
    );
    assert_eq!(
        summary(&frames(named.body_mut(), 9, PATIENCE).await),
        ["ADDED b"]
    );
    let mut later = watch(&cluster, &format!("resourceVersion={version}")).await;
    assert_eq!(
        summary(&frames(later.body_mut(), 9, PATIENCE).await),
        ["ADDED b", "DELETED a"]
    );
}

#[tokio::test(start_paused = true)]
async fn bookmarks_come_by_the_minute_and_before_the_end() {
    let cluster = Cluster::new(Options::default());
    let mut quiet = watch(
        &cluster,
        "resourceVersion=1&allowWatchBookmarks=true&timeoutSeconds=90",
    )
    .await;
    let version = put(&cluster, "other", "1").await;
    let started = tokio::time::Instant::now();
    let frames = frames(quiet.body_mut(), 1000, Duration::from_secs(100)).await;
    assert_eq!(
        started.elapsed().as_secs(),
        90,
        "the server ends the watch in time"
    );
    let bookmarks: Vec<&Value> = frames
        .iter()
        .filter(|frame| frame["type"] == "BOOKMARK")
        .collect();
    assert_eq!(bookmarks.len(), 2, "{frames:?}");
    let told = bookmarks[1]["object"]["metadata"]["resourceVersion"]
        .as_str()
        .and_then(|text| text.parse::<u64>().ok());
    assert!(told >= Some(version));
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_falls_behind_is_cut_off_and_the_others_go_on() {
    let cluster = Cluster::new(Options {
        features: Features {
            events_kept: 5_000,
            ..Features::default()
        },
        ..Options::default()
    });
    put(&cluster, "a", "start").await;
    let mut slow = watch(&cluster, "resourceVersion=0").await;
    let mut quick = watch(&cluster, "resourceVersion=0").await;
    for at in 0..1_200 {
        put(&cluster, "a", &at.to_string()).await;
        let seen = frames(quick.body_mut(), 1, PATIENCE).await;
        assert_eq!(seen.len(), 1, "change {at} is told at once");
    }
    let rest = frames(slow.body_mut(), 10_000, PATIENCE).await;
    assert!(
        rest.len() < 1_100,
        "{} frames were kept for a reader that does not read",
        rest.len()
    );
    assert!(
        slow.body_mut().frame().await.is_none(),
        "the stream has ended"
    );
    // It resumes where it was.
    let last = rest
        .last()
        .and_then(|frame| frame["object"]["metadata"]["resourceVersion"].as_str())
        .expect("a version");
    let mut again = watch(&cluster, &format!("resourceVersion={last}")).await;
    let missed = frames(again.body_mut(), 10_000, PATIENCE).await;
    assert_eq!(
        missed
            .last()
            .map(|frame| frame["object"]["data"]["key"].clone()),
        Some(json!("1199"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_version_that_is_forgotten_ends_the_watch_with_gone() {
    let cluster = Cluster::new(Options {
        features: Features {
            events_kept: 10,
            ..Features::default()
        },
        ..Options::default()
    });
    let version = put(&cluster, "a", "0").await;
    for at in 0..20 {
        put(&cluster, "a", &format!("x{at}")).await;
    }
    let mut old = watch(&cluster, &format!("resourceVersion={version}")).await;
    assert_eq!(old.status(), 200);
    let frames = frames(old.body_mut(), 10, PATIENCE).await;
    assert_eq!(
        (
            frames.len(),
            &frames[0]["type"],
            &frames[0]["object"]["code"]
        ),
        (1, &json!("ERROR"), &json!(410))
    );
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_idle_watchers_cost_others_nothing() {
    let cluster = Cluster::new(Options::default());
    let mut idle = Vec::new();
    for _ in 0..10_000 {
        idle.push(
            watch(
                &cluster,
                "resourceVersion=1&fieldSelector=metadata.name=nobody",
            )
            .await,
        );
    }
    let started = std::time::Instant::now();
    for at in 0..20 {
        put(&cluster, "a", &at.to_string()).await;
    }
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
    let metrics = send(&cluster, "GET", "/metrics", &Value::Null).await;
    let text = String::from_utf8_lossy(&metrics.bytes).into_owned();
    assert!(
        text.contains("apiserver_longrunning_watches 10000"),
        "{text}"
    );
    drop(idle);
}

#[tokio::test]
async fn a_kube_client_stands_on_a_cluster_without_sockets() {
    use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
    use kube::core::{ApiResource, GroupVersionKind};
    let cluster = Cluster::new(Options::default());
    let client = kube::Client::new(cluster.service(User::admin()), "default");
    assert_eq!(
        client
            .apiserver_version()
            .await
            .expect("a version")
            .git_version,
        "v1.36.3+fleetwright"
    );
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "ConfigMap"));
    let api: Api<DynamicObject> = Api::namespaced_with(client, "default", &kind);
    let object: DynamicObject = serde_json::from_value(config_map("a", "1")).expect("an object");
    api.create(&PostParams::default(), &object)
        .await
        .expect("created");
    let applied: DynamicObject = serde_json::from_value(config_map("a", "2")).expect("an object");
    let patch = PatchParams::apply("test").force();
    let patched = api
        .patch("a", &patch, &Patch::Apply(&applied))
        .await
        .expect("applied");
    assert_eq!(patched.data["data"]["key"], json!("2"));
    let names: Vec<_> = api
        .list(&Default::default())
        .await
        .expect("a list")
        .into_iter()
        .filter_map(|object| object.metadata.name)
        .collect();
    assert_eq!(names, ["a", "kube-root-ca.crt"]);
    let refused = api.get("b").await.expect_err("nothing there");
    assert!(
        refused.to_string().contains("configmaps \"b\" not found"),
        "{refused}"
    );
}
