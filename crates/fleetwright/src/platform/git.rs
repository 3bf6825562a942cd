//! The Git server, and the client that reads from it and from elsewhere.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use ::git::client::Addresses;
use ::git::server::{PushEvent, Server, Token};
use axum::Router;
use axum::routing::any;
use runtime::Engine;

use crate::cli::EngineArgs;
use crate::exit::{Exit, Failure};

/// The token that pushes need; kept, so that clones go on working.
pub(super) fn push_token(data: &Path) -> Result<String, Failure> {
    let path = data.join("push-token");
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    if !kept.trim().is_empty() {
        return Ok(kept.trim().to_owned());
    }
    let token = random_token();
    write_private(&path, token.as_bytes())?;
    Ok(token)
}

/// Forty letters nobody can guess.
pub(super) fn random_token() -> String {
    let mut bytes = [0; 20];
    rustls::crypto::aws_lc_rs::default_provider()
        .secure_random
        .fill(&mut bytes)
        .expect("the system has a source of randomness");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a file that only its owner reads; whoever sees it sees all of it.
pub(super) fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let unfinished = path.with_extension("unfinished");
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&unfinished, path)
}

pub(super) fn git_server(
    data: &Path,
    push_token: &str,
    address: SocketAddr,
    engine: Arc<OnceLock<Engine>>,
) -> Arc<Server> {
    let on_push = move |push: &PushEvent| {
        let Some(engine) = engine.get() else {
            return;
        };
        let address = format!("http://{address}/git/{}", push.repository);
        engine.announce(|url| url.trim_end_matches('/').trim_end_matches(".git") == address);
    };
    let options = ::git::server::Options {
        anonymous_read: address.ip().is_loopback(),
        tokens: vec![Token {
            name: "push".into(),
            secret: push_token.to_owned(),
            write: true,
        }],
        on_push: Some(Arc::new(on_push)),
        ..::git::server::Options::default()
    };
    Arc::new(Server::new(data.join("git"), options))
}

/// The Git server, below its prefix.
pub(super) fn git_routes(git: Arc<Server>) -> Router {
    let path = format!("{}/{{*path}}", git.prefix());
    let handle = move |request: axum::extract::Request| {
        let git = git.clone();
        async move { git.handle(request).await.map(axum::body::Body::new) }
    };
    Router::new().route(&path, any(handle))
}

/// Addresses of this machine only when the operator's own rules of `--git-rewrite` lead there.
fn addresses(rules: &[String]) -> Addresses {
    let local = |rule: &String| {
        rule.rsplit_once('=')
            .is_some_and(|(_, to)| cluster::is_loopback(to))
    };
    Addresses {
        loopback: rules.iter().any(local),
        ..Addresses::default()
    }
}

/// A client that reaches only what the operator allows.
pub fn git_client(rules: &[String]) -> ::git::client::Client {
    ::git::client::Client::new(::git::client::Options {
        addresses: addresses(rules),
        ..::git::client::Options::default()
    })
}

/// Who fetches the bases that kustomizations name by address.
pub fn bases(
    rules: &[String],
    client: &::git::client::Client,
    rewrites: &::git::Rewrites,
) -> source::Bases {
    source::Bases::new(client.clone(), rewrites.clone(), addresses(rules))
}

/// The same for an engine, if it may fetch them.
pub fn engine_bases(
    args: &EngineArgs,
    client: &::git::client::Client,
    rewrites: &::git::Rewrites,
) -> Option<Arc<source::Bases>> {
    let bases = || Arc::new(bases(&args.git_rewrite, client, rewrites));
    (!args.no_remote_bases).then(bases)
}

/// The rules of `--git-rewrite`, and one of our own.
pub fn rewrites(rules: &[String], own: Option<&str>) -> Result<::git::Rewrites, Failure> {
    let rules = rules.iter().map(String::as_str).chain(own);
    ::git::Rewrites::parse(rules)
        .map_err(|error| Failure::plain(Exit::Usage, format!("--git-rewrite: {error}")))
}

pub(super) fn create_repositories(git: &Server, names: &[String]) -> Result<(), Failure> {
    let known = git.list();
    for name in names.iter().filter(|name| !known.contains(name)) {
        git.create(name, "main").map_err(|error| {
            let message = format!("cannot make the repository `{name}`: {error}");
            Failure::plain(Exit::Unreadable, message)
        })?;
    }
    Ok(())
}
