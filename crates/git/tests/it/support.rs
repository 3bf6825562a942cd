//! A served folder, and the stock `git` client in a clean environment.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use git::server::{Options, PushEvent, Server, Token};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;

/// The secret that may push.
pub const SECRET: &str = "s3cret";
/// The secret that may only read.
pub const READER: &str = "r3ader";

/// A server on a free port of this machine.
pub struct Served {
    pub folder: tempfile::TempDir,
    pub server: Arc<Server>,
    pub address: String,
    pub events: Arc<Mutex<Vec<PushEvent>>>,
    runtime: tokio::runtime::Runtime,
}

impl Served {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("repositories");
        Self::with(folder, &root)
    }

    /// Serves a folder that somebody else cleans up.
    pub fn in_folder(root: &Path) -> Self {
        Self::with(tempfile::tempdir().unwrap(), root)
    }

    fn with(folder: tempfile::TempDir, root: &Path) -> Self {
        let events: Arc<Mutex<Vec<PushEvent>>> = Arc::default();
        let seen = events.clone();
        let token = |name: &str, secret: &str, write| Token {
            name: name.into(),
            secret: secret.into(),
            write,
        };
        let options = Options {
            anonymous_read: true,
            tokens: vec![token("robot", SECRET, true), token("reader", READER, false)],
            on_push: Some(Arc::new(move |event| {
                seen.lock().unwrap().push(event.clone())
            })),
            ..Options::default()
        };
        let server = Arc::new(Server::new(root.to_owned(), options));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let address = runtime.block_on(listen(server.clone()));
        Self {
            folder,
            server,
            address,
            events,
            runtime,
        }
    }

    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// The address of a repository.
    pub fn url(&self, name: &str) -> String {
        format!("http://{}/git/{name}.git", self.address)
    }

    /// The address with the secret that may push.
    pub fn push_url(&self, name: &str) -> String {
        format!("http://user:{SECRET}@{}/git/{name}.git", self.address)
    }

    /// The folder of a repository.
    pub fn repository(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("repositories/{name}.git"))
    }

    /// A new folder beside the repositories.
    pub fn work(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(&path).unwrap();
        path
    }

    /// Checks a repository as strictly as git can.
    pub fn fsck(&self, name: &str) {
        git(&self.repository(name), &["fsck", "--strict", "--full"]);
    }
}

async fn listen(server: Arc<Server>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve_connection(stream, server.clone()));
        }
    });
    address
}

/// Serves one connection until it ends.
pub async fn serve_connection<S>(stream: S, server: Arc<Server>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let service = tower::service_fn(move |request| {
        let server = server.clone();
        async move { Ok::<_, std::convert::Infallible>(server.handle(request).await) }
    });
    let connection = auto::Builder::new(TokioExecutor::new());
    let service = TowerToHyperService::new(service);
    let _ = connection
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// Runs git in `folder` without the user's or the system's settings.
pub fn try_git(folder: &Path, arguments: &[&str]) -> Output {
    Command::new("git")
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_AUTHOR_NAME", "Ann")
        .env("GIT_AUTHOR_EMAIL", "ann@example.com")
        .env("GIT_COMMITTER_NAME", "Ann")
        .env("GIT_COMMITTER_EMAIL", "ann@example.com")
        .env("GIT_CONFIG_COUNT", "2")
        .env("GIT_CONFIG_KEY_0", "init.defaultBranch")
        .env("GIT_CONFIG_VALUE_0", "main")
        .env("GIT_CONFIG_KEY_1", "advice.detachedHead")
        .env("GIT_CONFIG_VALUE_1", "false")
        .output()
        .expect("tests need a stock git")
}

/// Runs git, which has to succeed; returns what it prints.
pub fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = try_git(folder, arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Runs git, which has to fail; returns what it complains.
pub fn git_fails(folder: &Path, arguments: &[&str]) -> String {
    let output = try_git(folder, arguments);
    assert!(!output.status.success(), "git {arguments:?} succeeded");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Writes a file and commits everything.
pub fn commit(folder: &Path, file: &str, text: &str) -> String {
    let path = folder.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    git(folder, &["add", "-A"]);
    git(folder, &["commit", "-q", "-m", &format!("change {file}")]);
    git(folder, &["rev-parse", "HEAD"])
}
