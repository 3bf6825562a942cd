//! Our client against the stock server, `git http-backend`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use diag::Explain as _;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;

use crate::client::{client, remote};
use crate::support::{Served, commit, git};

type Answer = http::Response<Full<bytes::Bytes>>;

/// Runs the stock server for one request; `newest` lets it see the wish for protocol 2.
async fn backend(
    program: PathBuf,
    root: PathBuf,
    newest: bool,
    request: http::Request<hyper::body::Incoming>,
) -> Answer {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let header = |name: &str| {
        let value = parts
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok());
        value.unwrap_or("").to_owned()
    };
    let protocol = if newest {
        header("git-protocol")
    } else {
        String::new()
    };
    let mut child = Command::new(program)
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", parts.method.as_str())
        .env("PATH_INFO", parts.uri.path())
        .env("QUERY_STRING", parts.uri.query().unwrap_or(""))
        .env("CONTENT_TYPE", header("content-type"))
        .env("GIT_PROTOCOL", protocol)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&body).unwrap();
    let output = child.wait_with_output().unwrap().stdout;
    let end = output
        .windows(4)
        .position(|bytes| bytes == b"\r\n\r\n")
        .unwrap();
    let mut response = Answer::new(Full::from(output[end + 4..].to_vec()));
    for line in String::from_utf8_lossy(&output[..end]).lines() {
        let (name, value) = line.split_once(": ").unwrap();
        if name == "Status" {
            *response.status_mut() = value[..3].parse().unwrap();
        } else {
            let name: http::HeaderName = name.parse().unwrap();
            response.headers_mut().insert(name, value.parse().unwrap());
        }
    }
    response
}

fn serve(runtime: &Served, root: &Path, newest: bool) -> String {
    let core = git(root, &["--exec-path"]);
    let (program, root) = (Path::new(&core).join("git-http-backend"), root.to_owned());
    runtime.block_on(async move {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (program, root) = (program.clone(), root.clone());
                let service = tower::service_fn(move |request| {
                    let answer = backend(program.clone(), root.clone(), newest, request);
                    async move { Ok::<_, std::convert::Infallible>(answer.await) }
                });
                tokio::spawn(async move {
                    let connection = auto::Builder::new(TokioExecutor::new());
                    let service = TowerToHyperService::new(service);
                    let _ = connection
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        format!("http://{address}/app.git")
    })
}

#[test]
fn the_stock_server_is_read_in_old_and_new_protocol() {
    let runtime = Served::new();
    let root = runtime.work("stock");
    git(&root, &["init", "-q", "--bare", "app.git"]);
    git(&root, &["init", "-q", "--bare", "empty.git"]);
    let work = runtime.work("work");
    git(&work, &["init", "-q"]);
    let long: String = (0..20_000)
        .map(|number| format!("line {number}\n"))
        .collect();
    let old = commit(&work, "deploy/long.txt", &long);
    git(&work, &["tag", "-a", "v1", "-m", "one"]);
    let new = commit(
        &work,
        "deploy/long.txt",
        &long.replace("line 7\n", "line seven\n"),
    );
    let target = root.join("app.git");
    git(
        &work,
        &["push", "-q", target.to_str().unwrap(), "main", "v1"],
    );
    git(&target, &["gc", "-q", "--aggressive"]);
    git(
        &target,
        &["config", "uploadpack.allowReachableSHA1InWant", "true"],
    );
    for newest in [true, false] {
        let url = serve(&runtime, &root, newest);
        let remote = remote(&url);
        let refs = runtime
            .block_on(client().list(&remote, &["refs/"]))
            .unwrap();
        assert_eq!(refs.head.as_ref().unwrap().as_str(), "refs/heads/main");
        let shown: Vec<_> = refs
            .refs
            .iter()
            .map(|r| (r.name.as_str(), r.target()))
            .collect();
        let id = |hex: &str| hex.parse::<git::Oid>().unwrap();
        assert_eq!(
            shown,
            [("refs/heads/main", id(&new)), ("refs/tags/v1", id(&old))]
        );
        for commit in [&new, &old] {
            let snapshot = runtime
                .block_on(client().fetch(&remote, id(commit)))
                .unwrap();
            let path = tree::TreePath::new("deploy/long.txt").unwrap();
            let text = snapshot.tree.read_text(&path).unwrap();
            assert_eq!(text.contains("seven"), *commit == new);
            assert_eq!(snapshot.commit.id, id(commit));
        }
        let tag = runtime
            .block_on(client().fetch(&remote, refs.refs[1].id))
            .unwrap();
        assert_eq!(tag.tag.unwrap().name, "v1");

        let mut empty = remote.clone();
        empty.url = git::client::RemoteUrl::parse(&url.replace("app", "empty")).unwrap();
        assert!(
            runtime
                .block_on(client().list(&empty, &[]))
                .unwrap()
                .refs
                .is_empty()
        );
        let mut none = remote;
        none.url = git::client::RemoteUrl::parse(&url.replace("app", "none")).unwrap();
        let error = runtime.block_on(client().list(&none, &[])).unwrap_err();
        assert_eq!(error.code().0, "RepositoryNotFound");
    }
}
