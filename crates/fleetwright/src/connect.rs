//! Finding the server, and the object a command is about.

use std::path::{Path, PathBuf};

use cluster::Cluster;
use diag::{Code, Diagnostic};
use object::{GroupVersionKind, Object};

use crate::cli::ServerArgs;
use crate::exit::{Exit, Failure};

/// Name of the kubeconfig in the state folder.
const KUBECONFIG: &str = "kubeconfig";

/// The folder where a running demo or serve leaves its kubeconfig.
///
/// `XDG_STATE_HOME` if set, else `.local/state` in the home folder; `~/.kube` is never touched.
pub fn state_folder(given: Option<&Path>) -> PathBuf {
    if let Some(given) = given {
        return given.to_owned();
    }
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".local/state"));
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    let base = state.or_else(home).unwrap_or_else(std::env::temp_dir);
    base.join("fleetwright")
}

/// The kubeconfig of a running demo or serve.
pub fn state_kubeconfig(given: Option<&Path>) -> PathBuf {
    state_folder(given).join(KUBECONFIG)
}

/// The server a command talks to.
pub async fn connect(server: &ServerArgs) -> Result<Cluster, Failure> {
    connect_to(&kubeconfig(server)?, server.context.as_deref()).await
}

/// The kubeconfig file that leads to the server a command talks to.
pub fn kubeconfig(server: &ServerArgs) -> Result<PathBuf, Failure> {
    let given = server
        .kubeconfig
        .clone()
        .filter(|path| path.as_os_str() != "");
    match (&given, &server.context) {
        (Some(path), _) => Ok(path.clone()),
        (None, Some(_)) => home_kubeconfig(),
        (None, None) => {
            let path = state_kubeconfig(server.state_dir.as_deref());
            if !path.is_file() {
                let diagnostic = Diagnostic::error(
                    Code("NoServer"),
                    "no server to talk to: nothing runs here, and no kubeconfig is named",
                )
                .with_help("Start `fleetwright demo` in another terminal.")
                .with_help("Or name a cluster with --kubeconfig FILE or --context NAME.");
                return Err(Failure::explained(Exit::Unreachable, vec![diagnostic]));
            }
            Ok(path)
        }
    }
}

/// The server a kubeconfig file names.
pub async fn connect_to(path: &Path, context: Option<&str>) -> Result<Cluster, Failure> {
    let connected = cluster::from_kubeconfig_file(path, context).await;
    connected.map_err(|error| {
        let mut diagnostic = Diagnostic::error(Code("KubeconfigUnusable"), error.to_string());
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            diagnostic.notes.push(error.to_string());
            cause = error.source();
        }
        diagnostic = diagnostic.at(diag::Span::file(path.display().to_string()));
        Failure::explained(Exit::Unreachable, vec![diagnostic])
    })
}

fn home_kubeconfig() -> Result<PathBuf, Failure> {
    let home = std::env::var_os("HOME").ok_or_else(|| {
        Failure::plain(
            Exit::Usage,
            "--context needs --kubeconfig, as HOME is not set",
        )
    })?;
    Ok(Path::new(&home).join(".kube/config"))
}

/// A kind by the names people give it, with the alias that is printed.
pub fn kind(name: &str) -> Option<(GroupVersionKind, &'static str)> {
    match name.to_ascii_lowercase().as_str() {
        "ks" | "kustomization" | "kustomizations" => Some((api::kustomization_kind(), "ks")),
        "gitrepo" | "gitrepository" | "gitrepositories" | "source" | "sources" => {
            Some((api::git_repository_kind(), "gitrepo"))
        }
        _ => None,
    }
}

/// The kind and name that `KIND/NAME` or `KIND NAME` name.
pub fn target(words: &[String]) -> Result<(GroupVersionKind, String), Failure> {
    let parts: Vec<&str> = match words {
        [one] => one.splitn(2, '/').collect(),
        words => words.iter().map(String::as_str).collect(),
    };
    let usage = || {
        let message = format!(
            "`{}` is no KIND/NAME; kinds are ks (Kustomization) and gitrepo (GitRepository), and for some commands {}",
            words.join(" "),
            crate::commands::openchoreo::words()
        );
        Failure::plain(Exit::Usage, message)
    };
    let [kind_name, name] = parts[..] else {
        return Err(usage());
    };
    let (kind, _) = kind(kind_name).ok_or_else(usage)?;
    Ok((kind, name.to_owned()))
}

/// The object a command is about; tells near names when it is not there.
pub async fn find(
    cluster: &Cluster,
    kind: &GroupVersionKind,
    namespace: &str,
    name: &str,
) -> Result<Object, Failure> {
    if let Some(object) = cluster.get(kind, namespace, name).await? {
        return Ok(object);
    }
    let others = cluster.list(kind, namespace, "").await.unwrap_or_default();
    let others = others.iter().map(Object::name).collect();
    Err(not_found(&kind.kind, name, Some(namespace), others))
}

/// That an object is not there, and which near names are.
pub fn not_found(kind: &str, name: &str, namespace: Option<&str>, others: Vec<&str>) -> Failure {
    let mut names = others;
    names.sort_by_key(|other| std::cmp::Reverse(likeness(name, other)));
    let place = match namespace {
        Some(namespace) => format!("in namespace `{namespace}`"),
        None => "there".to_owned(),
    };
    let message = format!("{kind} `{name}` is not {place}");
    let mut diagnostic = Diagnostic::error(Code("ObjectNotFound"), message);
    if !names.is_empty() {
        names.truncate(5);
        diagnostic = diagnostic.with_help(format!("There are: {}.", names.join(", ")));
    }
    Failure::explained(Exit::Negative, vec![diagnostic])
}

/// Length of the longest common part, as a rough likeness.
fn likeness(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut best = 0;
    let mut row = vec![0; b.len() + 1];
    for x in a.chars() {
        for at in (0..b.len()).rev() {
            row[at + 1] = if b[at] == x { row[at] + 1 } else { 0 };
            best = best.max(row[at + 1]);
        }
    }
    best
}
