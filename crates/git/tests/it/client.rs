//! Our client against our server, in process and over a socket, and against lies.

use std::time::Duration;

use diag::Explain as _;
use git::client::{Addresses, Client, Credentials, Error, Options, Remote, RemoteUrl, Tls};
use git::{NewCommit, Oid, Signature};
use tree::{Entry, Tree, TreeBuilder, TreePath};

use crate::support::{Served, git};

pub fn client() -> Client {
    Client::new(Options {
        addresses: Addresses::ALL,
        environment_proxy: false,
        ..Options::default()
    })
}

pub fn remote(url: &str) -> Remote {
    Remote {
        url: RemoteUrl::parse(url).unwrap(),
        credentials: Credentials::None,
        tls: Tls::default(),
        proxy: None,
        timeout: Duration::from_secs(20),
    }
}

pub fn ann(seconds: i64) -> Signature {
    Signature {
        name: "Ann".into(),
        email: "ann@example.com".into(),
        seconds,
        offset_minutes: 60,
    }
}

fn sample() -> Tree {
    let mut builder = TreeBuilder::default();
    let path = |text: &str| TreePath::new(text).unwrap();
    builder.file(path("apps/web.yaml"), *b"a: 1\n");
    builder.file(path("apps-more/x"), *b"");
    builder.file(path("apps.d/y/z"), *b"deep");
    builder.add(path("apps/link"), Entry::Link("web.yaml".into()));
    builder.add(
        path("run.sh"),
        Entry::File {
            content: (*b"#!/bin/sh\n").into(),
            executable: true,
        },
    );
    builder.build()
}

#[test]
fn a_commit_made_here_reads_the_same_through_every_door() {
    let served = Served::new();
    let repository = served.server.create("team/app", "main").unwrap();
    let tree = sample();
    let new = |onto, tree, seconds| NewCommit {
        branch: "main",
        onto,
        tree,
        author: ann(seconds),
        committer: ann(seconds),
        message: "platform: first\n\nwith a body\n",
    };
    let first = served
        .server
        .commit("team/app", &new(None, &tree, 1_700_000_000))
        .unwrap();
    assert!(
        served
            .server
            .commit("team/app", &new(None, &tree, 1))
            .is_err(),
        "a lost race"
    );
    let more: Tree = [("only.yaml", "b: 2\n")].into_iter().collect();
    let second = served
        .server
        .commit("team/app", &new(Some(first), &more, 1_700_000_100))
        .unwrap();
    served.fsck("team/app");
    assert_eq!(served.events.lock().unwrap().len(), 2);

    assert_eq!(repository.resolve("HEAD").unwrap(), Some(second));
    let log: Vec<Oid> = repository
        .log(second, 10)
        .unwrap()
        .iter()
        .map(|c| c.id)
        .collect();
    assert_eq!(log, [second, first]);
    assert_eq!(repository.checkout(first).unwrap(), tree);

    let place = served.work("place");
    git(&place, &["clone", "-q", &served.url("team/app"), "clone"]);
    let clone = place.join("clone");
    assert_eq!(
        git(&clone, &["log", "-1", "--format=%an %ad"]),
        "Ann Tue Nov 14 23:15:00 2023 +0100"
    );
    git(&clone, &["checkout", "-q", &first.to_string()]);
    assert_eq!(
        std::fs::read_link(clone.join("apps/link"))
            .unwrap()
            .to_str(),
        Some("web.yaml")
    );

    let base = format!("http://{}", served.address);
    let near = client().with_local(&base, served.server.clone());
    for client in [client(), near] {
        let remote = remote(&served.url("team/app"));
        let refs = served
            .block_on(client.list(&remote, &["refs/heads/"]))
            .unwrap();
        assert_eq!(refs.head.as_ref().unwrap().as_str(), "refs/heads/main");
        assert_eq!(refs.refs[0].target(), second);
        let snapshot = served.block_on(client.fetch(&remote, first)).unwrap();
        assert_eq!(snapshot.tree, tree);
        assert_eq!(snapshot.commit.subject(), "platform: first");
        let absent = Oid::from_bytes([7; 20]);
        assert!(served.block_on(client.fetch(&remote, absent)).is_err());
    }
}

#[test]
fn annotated_tags_lead_to_their_commit() {
    let served = Served::new();
    served.server.create("app", "main").unwrap();
    let work = served.work("work");
    git(&work, &["init", "-q"]);
    let commit = crate::support::commit(&work, "a", "1");
    git(&work, &["tag", "-a", "v1", "-m", "one"]);
    git(
        &work,
        &["push", "-q", &served.push_url("app"), "main", "v1"],
    );
    let remote = remote(&served.url("app"));
    let refs = served
        .block_on(client().list(&remote, &["refs/tags/"]))
        .unwrap();
    let [tag] = &refs.refs[..] else {
        panic!("{refs:?}")
    };
    assert_eq!(tag.target().to_string(), commit);
    assert_ne!(tag.id, tag.target());
    let snapshot = served.block_on(client().fetch(&remote, tag.id)).unwrap();
    assert_eq!(snapshot.tag.unwrap().name, "v1");
    assert_eq!(snapshot.commit.id.to_string(), commit);
}

/// Answers the first connections with the given texts, each as it is.
fn liar(served: &Served, answers: Vec<Vec<u8>>) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    served.block_on(async move {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            for answer in answers {
                let Ok((mut stream, _)) = listener.accept().await else {
                    return;
                };
                let mut request = [0; 8192];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(&answer).await;
                let _ = stream.shutdown().await;
            }
        });
        format!("http://{address}/app.git")
    })
}

fn answer(head: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    [head.as_bytes(), body].concat()
}

#[test]
fn hosts_that_are_no_git_servers_or_lie_are_told_apart() {
    let served = Served::new();
    let git_type = "200 OK\r\ncontent-type: application/x-git-upload-pack-advertisement";
    let long_line = format!("ffff{}", "x".repeat(70_000));
    for (case, given, code) in [
        (
            "sign-in page",
            answer("200 OK\r\ncontent-type: text/html", b"<html>"),
            "NotAGitServer",
        ),
        (
            "dumb server",
            answer("200 OK\r\ncontent-type: text/plain", b"abc refs"),
            "NotAGitServer",
        ),
        (
            "401",
            answer("401 Unauthorized", b""),
            "AuthenticationRequired",
        ),
        ("403", answer("403 Forbidden", b""), "AccessDenied"),
        ("404", answer("404 Not Found", b""), "RepositoryNotFound"),
        (
            "429",
            answer("429 Too Many\r\nretry-after: 7", b""),
            "RemoteBusy",
        ),
        ("500", answer("500 Oops", b""), "RemoteStatus"),
        (
            "other host",
            answer(
                "301 M\r\nlocation: http://example.com/app.git/info/refs",
                b"",
            ),
            "RedirectForbidden",
        ),
        (
            "to file",
            answer("302 F\r\nlocation: file:///etc/passwd", b""),
            "RedirectForbidden",
        ),
        ("not hex", answer(git_type, b"zzzz"), "ProtocolError"),
        ("0003", answer(git_type, b"0003"), "ProtocolError"),
        (
            "65535",
            answer(git_type, long_line.as_bytes()),
            "ProtocolError",
        ),
        ("cut off", answer(git_type, b"00ff# serv"), "ProtocolError"),
        (
            "its words",
            answer(git_type, b"0010ERR go away\n"),
            "RemoteRefused",
        ),
        (
            "sha256",
            answer(git_type, b"000eversion 2\n0018object-format=sha2560000"),
            "ObjectFormatUnsupported",
        ),
    ] {
        let url = liar(&served, vec![given]);
        let error = served
            .block_on(client().list(&remote(&url), &[]))
            .unwrap_err();
        assert_eq!(error.code().0, code, "{case}: {error}");
    }
}

#[test]
fn a_silent_host_and_a_forbidden_address_end_in_time() {
    let served = Served::new();
    let address = served.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let held = listener.accept().await;
            tokio::time::sleep(Duration::from_secs(60)).await;
            drop(held);
        });
        address
    });
    let mut slow = remote(&format!("http://{address}/app"));
    slow.timeout = Duration::from_millis(200);
    let error = served.block_on(client().list(&slow, &[])).unwrap_err();
    assert_eq!(error.code().0, "RemoteTimeout");

    let careful = Client::new(Options {
        environment_proxy: false,
        ..Options::default()
    });
    for url in [
        served.url("app"),
        served.url("app").replace("127.0.0.1", "localhost"),
    ] {
        let error = served
            .block_on(careful.list(&remote(&url), &[]))
            .unwrap_err();
        assert!(matches!(error, Error::Address { .. }), "{url}: {error}");
    }
}

#[test]
fn a_repository_in_this_process_is_as_closed_as_over_a_socket() {
    let folder = tempfile::tempdir().unwrap();
    let options = git::server::Options {
        tokens: vec![git::server::Token {
            name: "reader".into(),
            secret: "r3ad".into(),
            write: false,
        }],
        ..Default::default()
    };
    let server = std::sync::Arc::new(git::server::Server::new(folder.path().into(), options));
    server.create("app", "main").unwrap();
    let client = client().with_local("http://127.0.0.1:7080", server);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut remote = remote("http://127.0.0.1:7080/git/app.git");
    assert_eq!(client.local_repository(&remote.url).as_deref(), Some("app"));
    for other in [
        "http://127.0.0.1:70801/git/app",
        "http://127.0.0.1:7080/other/app",
    ] {
        let url = RemoteUrl::parse(other);
        assert!(
            url.is_err() || client.local_repository(&url.unwrap()).is_none(),
            "{other}"
        );
    }
    for (credentials, open) in [
        (Credentials::None, false),
        (Credentials::Bearer("wrong".into()), false),
        (Credentials::Bearer("r3ad".into()), true),
    ] {
        remote.credentials = credentials;
        let listed = runtime.block_on(client.list(&remote, &[]));
        assert_eq!(listed.is_ok(), open, "{listed:?}");
    }
}

#[test]
fn requests_go_through_the_given_proxy() {
    let served = Served::new();
    let page = answer("404 Not Found\r\nx-from: proxy", b"");
    let proxy = liar(&served, vec![page]);
    let mut remote = remote("http://git.example.invalid/app.git");
    remote.proxy = Some(git::client::Proxy {
        address: proxy.trim_end_matches("/app.git").to_owned(),
        login: Some(("u".into(), "p".into())),
    });
    let error = served.block_on(client().list(&remote, &[])).unwrap_err();
    assert_eq!(error.code().0, "RepositoryNotFound", "{error}");
}
