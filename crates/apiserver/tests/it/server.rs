//! The edges: credentials, sizes, compression, both versions of HTTP.

use std::sync::Arc;

use apimachine::User;
use apiserver::{Cluster, Fleet, Options, Server, ServerOptions, Tokens};
use http::Request;
use http_body_util::{Empty, Full};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::{Answer, collect, config_map, namespace, send};

const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";

type Headers<'a> = &'a [(&'a str, &'a str)];

fn cluster() -> Arc<Cluster> {
    let tokens =
        Tokens::parse("ada-token,ada,1,\"system:masters\"\nbob-token,bob,2").expect("tokens");
    Cluster::new(Options {
        tokens,
        ..Options::default()
    })
}

async fn get(cluster: &Arc<Cluster>, path: &str, headers: Headers<'_>) -> Answer {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    collect(
        cluster
            .serve(request.body(Empty::new()).expect("a request"), None)
            .await,
    )
    .await
}

#[tokio::test]
async fn credentials_decide_who_is_answered() {
    let cluster = cluster();
    let bearer = |token: &str| format!("Bearer {token}");
    let (ada, bob, wrong) = (bearer("ada-token"), bearer("bob-token"), bearer("nope"));
    let table: &[(&str, Headers<'_>, u16)] = &[
        ("/api/v1/nodes", &[("authorization", &ada)], 200),
        ("/api/v1/nodes", &[("authorization", &bob)], 403),
        ("/api/v1/nodes", &[("authorization", &wrong)], 401),
        ("/api/v1/nodes", &[("authorization", "Basic YTpi")], 401),
        ("/api/v1/nodes", &[], 401),
        ("/healthz", &[], 200),
        ("/readyz?verbose", &[], 200),
        ("/version", &[], 200),
        ("/metrics", &[], 401),
        ("/metrics", &[("authorization", &bob)], 403),
        ("/apis", &[], 401),
        // Only who may impersonate does; a claim of being an administrator changes nothing.
        (
            "/api/v1/nodes",
            &[
                ("authorization", &bob),
                ("impersonate-user", "ada"),
                ("impersonate-group", "system:masters"),
            ],
            403,
        ),
        (
            "/api/v1/nodes",
            &[("authorization", &ada), ("impersonate-user", "bob")],
            403,
        ),
        (
            "/api/v1/nodes",
            &[
                ("authorization", &ada),
                ("impersonate-group", "system:masters"),
            ],
            400,
        ),
        ("/api/v1/nodes", &[("impersonate-user", "ada")], 401),
    ];
    for (path, headers, status) in table {
        let answer = get(&cluster, path, headers).await;
        assert_eq!(answer.status, *status, "{path} {headers:?}");
        assert!(answer.headers.contains_key("audit-id"), "{path}");
    }
    assert_eq!(
        get(&cluster, "/healthz", &[("audit-id", "mine")])
            .await
            .headers["audit-id"],
        "mine"
    );
}

#[tokio::test]
async fn paths_cannot_leave_their_namespace() {
    let cluster = cluster();
    send(&cluster, "POST", "/api/v1/namespaces", &namespace("a")).await;
    send(&cluster, "POST", CONFIG_MAPS, &config_map("secret", "x")).await;
    for path in [
        "/api/v1/namespaces/a/../default/configmaps/secret",
        "/api/v1/namespaces/a/configmaps/..%2f..%2fdefault%2fconfigmaps%2fsecret",
        "/api/v1/namespaces/a%2f..%2fdefault/configmaps/secret",
        "/api/v1/namespaces/a/configmaps/..",
    ] {
        let answer = send(&cluster, "GET", path, &Value::Null).await;
        assert!(
            !answer.json()["data"].is_object(),
            "{path}: {}",
            answer.json()
        );
        assert!(answer.status >= 400, "{path}: {}", answer.status);
    }
    // A forged token that points into another namespace shows nothing of it.
    let forged = "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiIuLi9kZWZhdWx0L3NlY3JldCJ9";
    let answer = send(
        &cluster,
        "GET",
        &format!("/api/v1/namespaces/a/configmaps?continue={forged}"),
        &Value::Null,
    )
    .await;
    assert!(!String::from_utf8_lossy(&answer.bytes).contains("\"secret\""));
    let long = format!("{CONFIG_MAPS}?labelSelector={}", "a,".repeat(20_000));
    assert!(send(&cluster, "GET", &long, &Value::Null).await.status < 500);
}

#[tokio::test]
async fn bodies_are_bounded_and_long_answers_compressed() {
    let cluster = cluster();
    let too_long = config_map("a", &"x".repeat(3 << 20));
    let refused = send(&cluster, "POST", CONFIG_MAPS, &too_long).await;
    assert_eq!(
        (refused.status, refused.json()["message"].clone()),
        (413, json!("Request entity too large: limit is 3145728"))
    );
    send(
        &cluster,
        "POST",
        CONFIG_MAPS,
        &config_map("a", &"x".repeat(200_000)),
    )
    .await;
    let path = format!("{CONFIG_MAPS}/a");
    let ask = |encoding: &'static str| {
        let request = Request::get(&path)
            .header("accept-encoding", encoding)
            .body(Empty::<bytes::Bytes>::new())
            .expect("a request");
        let cluster = cluster.clone();
        async move { collect(cluster.call(request, &User::admin()).await).await }
    };
    let packed = ask("br, gzip;q=0.5").await;
    assert_eq!(packed.headers["content-encoding"], "gzip");
    let mut text = String::new();
    std::io::Read::read_to_string(
        &mut flate2::read::GzDecoder::new(&packed.bytes[..]),
        &mut text,
    )
    .expect("gzip");
    let plain = ask("identity").await;
    assert!(!plain.headers.contains_key("content-encoding"));
    assert_eq!(text.as_bytes(), plain.bytes);
}

#[tokio::test]
async fn a_fleet_keeps_its_clusters_apart() {
    let fleet = Fleet::new(cluster());
    fleet.insert("east", cluster());
    let call = |method: &'static str, path: &'static str, body: Value| {
        let fleet = fleet.clone();
        async move {
            let bytes = if body.is_null() {
                bytes::Bytes::new()
            } else {
                body.to_string().into()
            };
            let request = Request::builder()
                .method(method)
                .uri(path)
                .body(Full::new(bytes))
                .expect("a request");
            collect(fleet.call(request, &User::admin()).await)
                .await
                .status
        }
    };
    assert_eq!(
        call(
            "POST",
            "/clusters/east/api/v1/namespaces",
            namespace("only-east")
        )
        .await,
        201
    );
    assert_eq!(
        call(
            "GET",
            "/clusters/east/api/v1/namespaces/only-east",
            Value::Null
        )
        .await,
        200
    );
    assert_eq!(
        call("GET", "/api/v1/namespaces/only-east", Value::Null).await,
        404
    );
    assert_eq!(
        call("GET", "/clusters/west/api/v1/namespaces", Value::Null).await,
        404
    );
    assert_eq!(call("GET", "/clusters/east", Value::Null).await, 200);
    fleet.remove("east");
    assert_eq!(
        call("GET", "/clusters/east/version", Value::Null).await,
        404
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_connection_is_answered_stalled_ones_do_not_hinder_and_stopping_is_quick() {
    let listen = "127.0.0.1:0".parse().expect("an address");
    let options = ServerOptions {
        listen,
        authority: None,
        names: Vec::new(),
    };
    let server = Server::start(Fleet::new(cluster()), options)
        .await
        .expect("a free port");
    let mut silent = Vec::new();
    for _ in 0..50 {
        silent.push(
            TcpStream::connect(server.address())
                .await
                .expect("a connection"),
        );
    }
    let mut stream = TcpStream::connect(server.address())
        .await
        .expect("a connection");
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    assert!(
        answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("ok"),
        "{answer}"
    );
    let started = std::time::Instant::now();
    server.stop().await;
    assert!(started.elapsed().as_secs() < 5);
    drop(silent);
}
