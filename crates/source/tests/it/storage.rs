//! Artifacts on a disk that is full, loses power, or is tampered with.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use api::Artifact;
use diag::Explain as _;
use git::client::Addresses;
use golang::Timestamp;
use source::disk::{Disk, Listed, RealDisk};
use source::{ArtifactKey, Downloader, Retention, Storage, Stored};
use tree::Tree;

const HOST: &str = "source-controller.flux-system.svc.cluster.local.";

fn storage(folder: &Path, disk: Arc<dyn Disk>) -> Storage {
    Storage::new(folder.to_owned(), HOST, Retention::default(), disk)
}

fn key() -> ArtifactKey {
    ArtifactKey::git_repository("flux-system", "app")
}

fn tree(text: &str) -> Tree {
    [("a.yaml", text)].into_iter().collect()
}

fn now() -> Timestamp {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp::from_unix(now.unwrap().as_secs() as i64)
}

fn store(storage: &Storage, stem: &str, text: &str) -> Artifact {
    storage
        .store(
            &key(),
            stem,
            &format!("main@sha1:{stem}"),
            &tree(text),
            now(),
        )
        .unwrap()
}

/// A disk that works for so many operations, then fails all others, as if the machine had stopped.
#[derive(Debug)]
struct Failing {
    left: AtomicUsize,
    kind: io::ErrorKind,
}

impl Failing {
    fn after(operations: usize, kind: io::ErrorKind) -> Arc<Self> {
        Arc::new(Self {
            left: AtomicUsize::new(operations),
            kind,
        })
    }

    fn step(&self) -> io::Result<()> {
        let left = self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        left.map(|_| ()).map_err(|_| self.kind.into())
    }
}

impl Disk for Failing {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        RealDisk.create_folder(path)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        if let Err(error) = self.step() {
            RealDisk.write(path, &bytes[..bytes.len() / 2])?;
            return Err(error);
        }
        RealDisk.write(path, bytes)
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        RealDisk.sync(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        RealDisk.rename(from, to)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.step()?;
        RealDisk.read(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<Listed>> {
        self.step()?;
        RealDisk.list(folder)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        RealDisk.remove(path)
    }
}

#[test]
fn an_artifact_is_advertised_where_it_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let storage = storage(folder.path(), Arc::new(RealDisk));
    let artifact = store(&storage, "abc", "a: 1\n");
    assert_eq!(artifact.path, "gitrepository/flux-system/app/abc.tar.gz");
    assert_eq!(artifact.url, format!("http://{HOST}/{}", artifact.path));
    assert_eq!(artifact.revision, "main@sha1:abc");
    let bytes = std::fs::read(folder.path().join(&artifact.path)).unwrap();
    assert_eq!(artifact.size, bytes.len() as i64);
    assert_eq!(storage.verify(&artifact).unwrap(), Stored::Good);

    // Another process unpacks it to the same files.
    let other = self::storage(folder.path(), Arc::new(RealDisk));
    assert_eq!(other.tree(&artifact).unwrap(), tree("a: 1\n"));
    storage.remove_all(&key()).unwrap();
    assert_eq!(storage.verify(&artifact).unwrap(), Stored::Missing);
    storage.remove_all(&key()).unwrap();
}

#[test]
fn a_changed_archive_is_never_read_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let artifact = store(&storage(folder.path(), Arc::new(RealDisk)), "abc", "a: 1\n");
    let path = folder.path().join(&artifact.path);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[20] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let storage = storage(folder.path(), Arc::new(RealDisk));
    let error = storage.tree(&artifact).unwrap_err();
    assert_eq!(error.code().0, "ArtifactDigestMismatch");
    assert_eq!(storage.verify(&artifact).unwrap(), Stored::Corrupt);
    assert_eq!(storage.verify(&artifact).unwrap(), Stored::Missing);
}

#[test]
fn a_failure_at_any_step_leaves_the_old_archive_and_no_half_one() {
    let power = [io::ErrorKind::Other, io::ErrorKind::StorageFull];
    for (kind, after) in power
        .into_iter()
        .flat_map(|kind| (0..6).map(move |n| (kind, n)))
    {
        let folder = tempfile::tempdir().unwrap();
        let old = store(&storage(folder.path(), Arc::new(RealDisk)), "old", "a: 1\n");
        let failing = storage(folder.path(), Failing::after(after, kind));
        let result = failing.store(&key(), "new", "main@sha1:new", &tree("a: 2\n"), now());

        let after_restart = storage(folder.path(), Arc::new(RealDisk));
        assert_eq!(after_restart.tree(&old).unwrap(), tree("a: 1\n"), "{after}");
        let found = after_restart
            .file("gitrepository/flux-system/app/new.tar.gz")
            .unwrap();
        match &result {
            Ok(new) => assert_eq!(after_restart.tree(new).unwrap(), tree("a: 2\n")),
            Err(error) => {
                let full = kind == io::ErrorKind::StorageFull;
                assert_eq!(error.code().0 == "StorageFull", full, "{error:?}");
                // Renamed but not yet promised to survive: whole all the same.
                let whole =
                    found.map(|bytes| source::archive::read(&bytes, &source::archive::Limits::OWN));
                assert!(whole.is_none_or(|read| read.unwrap() == tree("a: 2\n")));
            }
        }
        assert_eq!(result.is_ok(), after >= 5, "{after} operations");
        // What was left half-written goes once it is old.
        let later = Timestamp::from_unix(now().unix() + 3600);
        after_restart.collect(&key(), Some(&old), later).unwrap();
        let left = RealDisk
            .list(&folder.path().join("gitrepository/flux-system/app"))
            .unwrap();
        assert_eq!(left.len(), 1, "{left:?}");
    }
}

#[test]
fn old_archives_go_and_the_advertised_one_stays() {
    let folder = tempfile::tempdir().unwrap();
    let storage = storage(folder.path(), Arc::new(RealDisk));
    let artifacts: Vec<Artifact> = ["a", "b", "c", "d"]
        .iter()
        .map(|stem| store(&storage, stem, stem))
        .collect();
    let good = || -> Vec<bool> {
        let states = artifacts
            .iter()
            .map(|artifact| storage.verify(artifact).unwrap());
        states.map(|state| state == Stored::Good).collect()
    };
    assert_eq!(
        storage.collect(&key(), Some(&artifacts[1]), now()).unwrap(),
        2
    );
    assert!(good()[1], "the advertised one");
    assert_eq!(good().iter().filter(|good| **good).count(), 2);
    let later = Timestamp::from_unix(now().unix() + 61);
    assert_eq!(
        storage.collect(&key(), Some(&artifacts[1]), later).unwrap(),
        1
    );
    assert_eq!(good(), [false, true, false, false]);
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let storage = storage(&folder.path().join("storage"), Arc::new(RealDisk));
    for (namespace, name, stem) in [
        ("..", "app", "abc"),
        ("a/b", "app", "abc"),
        ("a", "", "abc"),
        ("a", "app", "../x"),
        ("a", "app", ".hidden"),
    ] {
        let key = ArtifactKey::git_repository(namespace, name);
        let error = storage
            .store(&key, stem, "r", &tree("x"), now())
            .unwrap_err();
        assert_eq!(error.reason().0, "IllegalPath");
    }
    assert!(!folder.path().join("storage").exists());
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "x").unwrap();
    for path in [
        "../secret",
        "a/b/../../../secret",
        "/etc/passwd",
        "a/b/c/.writing-1",
        "",
    ] {
        assert_eq!(storage.file(path).unwrap(), None, "{path}");
    }
}

#[tokio::test]
async fn archives_are_served_and_downloaded_by_digest() {
    use http_body_util::BodyExt as _;
    let folder = tempfile::tempdir().unwrap();
    let storage = Arc::new(storage(folder.path(), Arc::new(RealDisk)));
    let artifact = store(&storage, "abc", "a: 1\n");
    let get = async |method: &str, path: &str| {
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .body(())
            .unwrap();
        let response = source::serve::handle(&storage, &request).await;
        let status = response.status().as_u16();
        let length = response.headers().get("content-length").cloned();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (
            status,
            length.map(|length| length.to_str().unwrap().to_owned()),
            bytes,
        )
    };
    let (status, length, bytes) = get("GET", &format!("/{}", artifact.path)).await;
    assert_eq!((status, length), (200, Some(artifact.size.to_string())));
    assert!(
        source::storage::open(&artifact.digest, &bytes, &source::archive::Limits::FOREIGN).is_ok()
    );
    let (status, length, bytes) = get("HEAD", &format!("/{}", artifact.path)).await;
    assert_eq!(
        (status, length, bytes.len()),
        (200, Some(artifact.size.to_string()), 0)
    );
    for path in [
        "/",
        "/gitrepository/flux-system/app/",
        "/gitrepository/flux-system/app/%61bc.tar.gz",
    ] {
        assert_eq!(get("GET", path).await.0, 404, "{path}");
    }
    assert_eq!(get("POST", "/x").await.0, 405);

    // Our own address needs no socket; a foreign one is judged first.
    let downloader = Downloader::new(storage.clone(), Addresses::default());
    assert_eq!(downloader.tree(&artifact).await.unwrap(), tree("a: 1\n"));
    let foreign = |url: &str| Artifact {
        url: url.into(),
        digest: format!("sha256:{}", "0".repeat(64)),
        ..artifact.clone()
    };
    for (url, code) in [
        ("http://169.254.169.254/latest", "AddressForbidden"),
        ("http://127.0.0.1:9/x", "AddressForbidden"),
        ("file:///etc/passwd", "UrlInvalid"),
    ] {
        let error = downloader.tree(&foreign(url)).await.unwrap_err();
        assert_eq!(error.code().0, code, "{url}: {error}");
    }
    let served = serve_once(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc").await;
    let near = Downloader::new(storage, Addresses::ALL);
    let error = near.tree(&foreign(&served)).await.unwrap_err();
    assert_eq!(error.code().0, "ArtifactDigestMismatch");
}

async fn serve_once(answer: &'static [u8]) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await;
        let _ = stream.write_all(answer).await;
    });
    format!("http://{address}/x.tar.gz")
}
