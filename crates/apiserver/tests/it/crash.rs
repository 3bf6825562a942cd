//! Crashes and failing disks: nothing acknowledged is lost.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use apimachine::Features;
use apiserver::{Cluster, Options, RedbStore};
use redb::StorageBackend;
use serde_json::Value;

use crate::client::{config_map, frames, send};

const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";

/// A disk in memory that can lose power: what was not flushed is gone, and so is all that comes after.
#[derive(Clone, Debug, Default)]
struct Disk(Arc<Mutex<DiskState>>);

#[derive(Debug, Default)]
struct DiskState {
    /// What survives a loss of power.
    flushed: Vec<u8>,
    /// What reads see.
    current: Vec<u8>,
    writes: usize,
    /// Writes and flushes fail from this write on.
    fails_at: Option<usize>,
    /// The disk does not grow beyond this.
    size_max: Option<usize>,
    /// Only flushes fail.
    flush_fails: bool,
}

impl Disk {
    /// The disk after a loss of power and a restart.
    fn after_crash(&self) -> Self {
        let state = self.0.lock().expect("no test panics while holding it");
        let flushed = state.flushed.clone();
        Self(Arc::new(Mutex::new(DiskState {
            current: flushed.clone(),
            flushed,
            ..DiskState::default()
        })))
    }

    fn set(&self, change: impl FnOnce(&mut DiskState)) {
        change(&mut self.0.lock().expect("no test panics while holding it"));
    }

    fn store(&self) -> Box<RedbStore> {
        let disk = self.clone();
        Box::new(RedbStore::disk(move || {
            Ok(Box::new(disk.clone()) as Box<dyn StorageBackend>)
        }))
    }
}

fn full() -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::StorageFull, "no space left on device")
}

impl StorageBackend for Disk {
    fn len(&self) -> std::io::Result<u64> {
        Ok(self.0.lock().expect("whole").current.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        let state = self.0.lock().expect("whole");
        let start = usize::try_from(offset).expect("small");
        let bytes = state
            .current
            .get(start..start + out.len())
            .ok_or(std::io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, length: u64) -> std::io::Result<()> {
        let mut state = self.0.lock().expect("whole");
        if state.size_max.is_some_and(|most| length > most as u64) {
            return Err(full());
        }
        state
            .current
            .resize(usize::try_from(length).expect("small"), 0);
        Ok(())
    }

    fn sync_data(&self) -> std::io::Result<()> {
        let mut state = self.0.lock().expect("whole");
        if state.flush_fails || state.fails_at.is_some_and(|at| state.writes >= at) {
            return Err(full());
        }
        state.flushed = state.current.clone();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> std::io::Result<()> {
        let mut state = self.0.lock().expect("whole");
        state.writes += 1;
        if state.fails_at.is_some_and(|at| state.writes > at) {
            return Err(full());
        }
        let start = usize::try_from(offset).expect("small");
        state.current[start..start + data.len()].copy_from_slice(data);
        Ok(())
    }
}

fn open(disk: &Disk) -> Arc<Cluster> {
    Cluster::open(Options::default(), disk.store()).expect("the store opens")
}

fn open_file(path: &Path) -> Arc<Cluster> {
    let store = Box::new(RedbStore::file(path));
    Cluster::open(Options::default(), store).expect("the store opens")
}

async fn config_maps(cluster: &Arc<Cluster>) -> BTreeMap<String, String> {
    let list = send(cluster, "GET", CONFIG_MAPS, &Value::Null).await.json();
    let items = list["items"].as_array().cloned().unwrap_or_default();
    let pairs = items.iter().map(|item| {
        (
            item["metadata"]["name"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            item["data"]["key"].as_str().unwrap_or_default().to_owned(),
        )
    });
    pairs
        .filter(|(name, _)| name != "kube-root-ca.crt")
        .collect()
}

/// Writes until the disk fails; gives what was acknowledged, and the highest version seen.
async fn write_until_failure(
    cluster: &Arc<Cluster>,
    most: usize,
) -> (BTreeMap<String, String>, u64) {
    let mut acknowledged = BTreeMap::new();
    let mut version = 0;
    for at in 0..most {
        let name = format!("m{}", at % 7);
        let body = config_map(&name, &at.to_string());
        let answer = match acknowledged.contains_key(&name) {
            true => send(cluster, "PUT", &format!("{CONFIG_MAPS}/{name}"), &body).await,
            false => send(cluster, "POST", CONFIG_MAPS, &body).await,
        };
        if answer.status >= 300 {
            assert_eq!(answer.status, 500, "{}", answer.json());
            assert!(
                answer.json()["message"]
                    .as_str()
                    .unwrap_or_default()
                    .contains("no space left on device"),
                "{}",
                answer.json()
            );
            break;
        }
        acknowledged.insert(name, at.to_string());
        version = answer.json()["metadata"]["resourceVersion"]
            .as_str()
            .and_then(|text| text.parse().ok())
            .expect("a version");
    }
    (acknowledged, version)
}

#[tokio::test(flavor = "multi_thread")]
async fn power_lost_after_any_write_loses_nothing_acknowledged() {
    let disk = Disk::default();
    drop(open(&disk));
    let mut crashed = 0;
    for after in (1..160).step_by(3) {
        let disk = disk.after_crash();
        let cluster = open(&disk);
        disk.set(|state| state.fails_at = Some(state.writes + after));
        let (acknowledged, version) = write_until_failure(&cluster, 40).await;
        crashed +=
            usize::from(acknowledged.len() < 7 || acknowledged.values().all(|value| value != "39"));
        let restarted = open(&disk.after_crash());
        let kept = config_maps(&restarted).await;
        for (name, value) in &acknowledged {
            // The write that failed may have been kept; none that was acknowledged is older.
            let found: usize = kept
                .get(name)
                .and_then(|value| value.parse().ok())
                .expect("an acknowledged object is there");
            assert!(
                found >= value.parse().expect("a number"),
                "{name} after {after} writes"
            );
        }
        let next = send(&restarted, "POST", CONFIG_MAPS, &config_map("next", "1"))
            .await
            .json();
        let next = next["metadata"]["resourceVersion"]
            .as_str()
            .and_then(|text| text.parse::<u64>().ok())
            .expect("a version");
        assert!(
            next > version,
            "version {version} was acknowledged, {next} is handed out after the crash"
        );
    }
    assert!(
        crashed > 20,
        "only {crashed} of the runs met a failing disk"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_writes_shows_only_what_is_kept_and_recovers() {
    let disk = Disk::default();
    let cluster = open(&disk);
    assert_eq!(
        send(&cluster, "POST", CONFIG_MAPS, &config_map("a", "1"))
            .await
            .status,
        201
    );
    disk.set(|state| state.size_max = Some(state.current.len()));
    let large = config_map("b", &"x".repeat(900_000));
    let mut refused = None;
    for at in 0..20 {
        let mut body = large.clone();
        body["metadata"]["name"] = format!("b{at}").into();
        let answer = send(&cluster, "POST", CONFIG_MAPS, &body).await;
        if answer.status != 201 {
            refused = Some((at, answer));
            break;
        }
    }
    let (at, refused) = refused.expect("the disk is full at some time");
    assert_eq!(
        (refused.status, refused.json()["reason"].as_str()),
        (500, Some("InternalError"))
    );
    let message = refused.json()["message"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert!(
        message.contains("nothing was changed") && message.contains("no space left on device"),
        "{message}"
    );
    let kept = config_maps(&cluster).await;
    assert_eq!(kept.len(), at + 1, "the refused one is not shown");
    disk.set(|state| state.size_max = None);
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    assert_eq!(
        send(&cluster, "POST", CONFIG_MAPS, &config_map("c", "1"))
            .await
            .status,
        201
    );
    assert_eq!(config_maps(&open(&disk.after_crash())).await.len(), at + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failed_flush_the_server_and_its_disk_agree() {
    let disk = Disk::default();
    let cluster = open(&disk);
    assert_eq!(
        send(&cluster, "POST", CONFIG_MAPS, &config_map("a", "1"))
            .await
            .status,
        201
    );
    disk.set(|state| state.flush_fails = true);
    let refused = send(&cluster, "POST", CONFIG_MAPS, &config_map("b", "1")).await;
    assert_eq!(refused.status, 500, "{}", refused.json());
    disk.set(|state| state.flush_fails = false);
    let shown = config_maps(&cluster).await;
    assert_eq!(config_maps(&open(&disk.after_crash())).await, shown);
    assert_eq!(shown.get("a").map(String::as_str), Some("1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_keeps_identities_versions_and_the_window_of_watches() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.redb");
    let options = || Options {
        features: Features {
            events_kept: 50,
            ..Features::default()
        },
        ..Options::default()
    };
    let start =
        || Cluster::open(options(), Box::new(RedbStore::file(&path))).expect("the store opens");
    let first = start();
    let before = send(&first, "POST", CONFIG_MAPS, &config_map("a", "1"))
        .await
        .json();
    send(
        &first,
        "PUT",
        &format!("{CONFIG_MAPS}/a"),
        &config_map("a", "2"),
    )
    .await;
    for at in 0..100 {
        send(
            &first,
            "POST",
            CONFIG_MAPS,
            &config_map(&format!("x{at}"), "1"),
        )
        .await;
    }
    let after = send(&first, "GET", &format!("{CONFIG_MAPS}/a"), &Value::Null)
        .await
        .json();
    let late = send(&first, "POST", CONFIG_MAPS, &config_map("late", "1"))
        .await
        .json();
    send(
        &first,
        "DELETE",
        &format!("{CONFIG_MAPS}/late"),
        &Value::Null,
    )
    .await;
    drop(first);
    let second = start();
    assert_eq!(
        send(&second, "GET", &format!("{CONFIG_MAPS}/a"), &Value::Null)
            .await
            .json(),
        after
    );
    assert_eq!(after["metadata"]["uid"], before["metadata"]["uid"]);
    let watch = |version: &Value| {
        format!(
            "{CONFIG_MAPS}?watch=true&resourceVersion={}",
            version.as_str().unwrap_or_default()
        )
    };
    for (version, expected) in [
        (&late["metadata"]["resourceVersion"], "DELETED"),
        (&before["metadata"]["resourceVersion"], "ERROR"),
    ] {
        let request = http::Request::get(watch(version))
            .body(http_body_util::Empty::new())
            .expect("a request");
        let mut response = second.call(request, &apimachine::User::admin()).await;
        let frames = frames(response.body_mut(), 1, std::time::Duration::from_secs(2)).await;
        assert_eq!(
            frames.first().map(|frame| frame["type"].clone()),
            Some(expected.into())
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_tells_the_same_changes_as_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.redb");
    let start = || open_file(&path);
    let first = start();
    let begin = send(&first, "POST", CONFIG_MAPS, &config_map("begin", "0"))
        .await
        .json();
    let begin = begin["metadata"]["resourceVersion"].as_str();
    let begin = begin.expect("a version").to_owned();
    for (method, name, value) in [
        ("POST", "a", "1"),
        ("PUT", "a", "2"),
        ("POST", "b", "1"),
        ("PUT", "a", "3"),
        ("DELETE", "a", ""),
        ("POST", "a", "4"),
        ("PUT", "b", "2"),
        ("PUT", "a", "5"),
        ("DELETE", "b", ""),
    ] {
        let target = format!("{CONFIG_MAPS}/{name}");
        let (path, body) = match method {
            "POST" => (CONFIG_MAPS, config_map(name, value)),
            "PUT" => (target.as_str(), config_map(name, value)),
            _ => (target.as_str(), Value::Null),
        };
        assert!(send(&first, method, path, &body).await.status < 300);
    }
    let changes = async |cluster: &Arc<Cluster>| {
        let path = format!("{CONFIG_MAPS}?watch=true&resourceVersion={begin}");
        let request = http::Request::get(path)
            .body(http_body_util::Empty::new())
            .expect("a request");
        let mut response = cluster.call(request, &apimachine::User::admin()).await;
        frames(response.body_mut(), 9, std::time::Duration::from_secs(2)).await
    };
    let before = changes(&first).await;
    assert_eq!(before.len(), 9);
    drop(first);
    assert_eq!(changes(&start()).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_serves_custom_resources_and_their_objects() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.redb");
    let start = || open_file(&path);
    let first = start();
    let definition = serde_json::json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com", "scope": "Cluster", "names": {"plural": "widgets", "kind": "Widget"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}],
        },
    });
    let answer = send(
        &first,
        "POST",
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        &definition,
    )
    .await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    let widgets = "/apis/example.com/v1/widgets";
    let widget = serde_json::json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "size": 3});
    let before = send(&first, "POST", widgets, &widget).await;
    assert_eq!(before.status, 201, "{}", before.json());
    drop(first);
    let second = start();
    let after = send(&second, "GET", &format!("{widgets}/w"), &Value::Null).await;
    assert_eq!(after.json(), before.json());
}
