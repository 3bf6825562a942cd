//! Repositories inside a repository.

use git::client::{Client, Credentials, Error, Remote, RemoteUrl, Snapshot, Tls};
use tree::{Entry, Tree, TreeBuilder, TreePath};

/// Most submodules of one source, those of submodules included.
pub const SUBMODULES_MAX: usize = 50;

/// Deepest submodule of a submodule.
pub const DEPTH_MAX: usize = 5;

/// Largest `.gitmodules`; fifty entries take some kilobytes.
const FILE_BYTES_MAX: usize = 256 * 1024;

/// Why submodules cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SubmoduleError {
    /// The file that lists them cannot be read.
    #[error("`.gitmodules` cannot be read: {0}")]
    File(&'static str),
    /// The address of one leads nowhere.
    #[error("the address of submodule `{path}` leads above its host")]
    Relative {
        /// Where it belongs.
        path: TreePath,
    },
    /// One cannot be fetched.
    #[error("submodule `{path}`")]
    Fetch {
        /// Where it belongs.
        path: TreePath,
        /// The cause.
        source: Box<Error>,
    },
    /// Too many, too deep, or too many files.
    #[error("the submodules have more {what} than the limit of {limit}")]
    Limit {
        /// What is counted.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
}

/// A repository whose submodules are still to be laid in.
struct Pending {
    at: TreePath,
    remote: Remote,
    snapshot: Snapshot,
    depth: usize,
}

/// The files of `snapshot` and of its submodules, each at the commit that is recorded for it.
///
/// Credentials and certificates go along only to submodules on the host of their parent. A recorded
/// submodule that `.gitmodules` does not list stays empty.
///
/// # Errors
/// [`SubmoduleError`]; a tree with a part missing is never returned.
pub(crate) async fn lay_in(
    client: &Client,
    remote: &Remote,
    snapshot: Snapshot,
) -> Result<Tree, SubmoduleError> {
    let mut builder = TreeBuilder::default();
    let (mut files, mut fetched) = (0, 0);
    let mut pending = vec![Pending {
        at: TreePath::root(),
        remote: remote.clone(),
        snapshot,
        depth: 0,
    }];
    while let Some(next) = pending.pop() {
        let Snapshot {
            tree, submodules, ..
        } = &next.snapshot;
        files += tree.len();
        if files > git::FILES_MAX {
            return Err(SubmoduleError::Limit {
                what: "files",
                limit: git::FILES_MAX,
            });
        }
        for (path, entry) in tree.entries() {
            builder.add(join(&next.at, path)?, entry.clone());
        }
        if submodules.is_empty() {
            continue;
        }
        if next.depth == DEPTH_MAX {
            return Err(SubmoduleError::Limit {
                what: "levels",
                limit: DEPTH_MAX,
            });
        }
        for (path, url) in listed(tree)? {
            let Some(commit) = submodules.get(&path) else {
                continue;
            };
            fetched += 1;
            if fetched > SUBMODULES_MAX {
                return Err(SubmoduleError::Limit {
                    what: "submodules",
                    limit: SUBMODULES_MAX,
                });
            }
            let at = join(&next.at, &path)?;
            let failed = |source| SubmoduleError::Fetch {
                path: at.clone(),
                source: Box::new(source),
            };
            let url = resolve(next.remote.url.as_str(), &url)
                .ok_or_else(|| SubmoduleError::Relative { path: at.clone() })?;
            let remote = beside(&next.remote, RemoteUrl::parse(&url).map_err(failed)?);
            let snapshot = client.fetch(&remote, *commit).await.map_err(failed)?;
            pending.push(Pending {
                at,
                remote,
                snapshot,
                depth: next.depth + 1,
            });
        }
    }
    Ok(builder.build())
}

fn join(at: &TreePath, path: &TreePath) -> Result<TreePath, SubmoduleError> {
    at.join(path.as_str()).map_err(|_| SubmoduleError::Limit {
        what: "levels of folders",
        limit: 128,
    })
}

/// How to reach another repository: with our credentials only on the same scheme, host and port.
fn beside(parent: &Remote, url: RemoteUrl) -> Remote {
    let origin = |url: &RemoteUrl| -> String {
        let parts: Vec<&str> = url.as_str().splitn(4, '/').collect();
        parts[..parts.len().min(3)].join("/")
    };
    let same = origin(&parent.url) == origin(&url);
    Remote {
        url,
        credentials: if same {
            parent.credentials.clone()
        } else {
            Credentials::None
        },
        tls: if same {
            parent.tls.clone()
        } else {
            Tls::default()
        },
        proxy: parent.proxy.clone(),
        timeout: parent.timeout,
    }
}

/// The address of a submodule; one that starts with a dot is relative to its parent's.
fn resolve(parent: &str, url: &str) -> Option<String> {
    if !url.starts_with("./") && !url.starts_with("../") {
        return Some(url.to_owned());
    }
    let (scheme, rest) = parent.split_once("://")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    for part in url.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(format!("{scheme}://{host}/{}", parts.join("/")))
}

/// Paths and addresses that `.gitmodules` lists; entries that lack one are passed over.
fn listed(tree: &Tree) -> Result<Vec<(TreePath, String)>, SubmoduleError> {
    let name = TreePath::new(".gitmodules").map_err(|_| SubmoduleError::File("its name"))?;
    let regular = tree.entries().find(|(path, _)| **path == name);
    let content = match regular {
        None => return Ok(Vec::new()),
        Some((_, Entry::File { content, .. })) => content,
        Some((_, Entry::Link(_))) => return Err(SubmoduleError::File("it is a link")),
    };
    if content.len() > FILE_BYTES_MAX {
        return Err(SubmoduleError::File("it is larger than 256 KiB"));
    }
    let text = std::str::from_utf8(content).map_err(|_| SubmoduleError::File("it is no text"))?;
    let mut entries: Vec<(Option<TreePath>, Option<String>)> = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            entries.push((None, None));
            continue;
        }
        let (Some((key, value)), Some(entry)) = (line.split_once('='), entries.last_mut()) else {
            continue;
        };
        let value = value.trim().trim_matches('"');
        match key.trim() {
            "path" => {
                let path = TreePath::new(value);
                entry.0 = Some(path.map_err(|_| SubmoduleError::File("a path leads outside"))?);
            }
            "url" => entry.1 = Some(value.to_owned()),
            _ => {}
        }
    }
    Ok(entries
        .into_iter()
        .filter_map(|(path, url)| path.zip(url))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_addresses_stay_on_the_host_of_the_parent() {
        let parent = "https://example.com/team/app.git";
        for (url, expected) in [
            ("../lib.git", Some("https://example.com/team/lib.git")),
            ("../../other/lib", Some("https://example.com/other/lib")),
            ("./sub", Some("https://example.com/team/app.git/sub")),
            ("../../../x", None),
            (
                "https://elsewhere.example/x",
                Some("https://elsewhere.example/x"),
            ),
        ] {
            assert_eq!(resolve(parent, url).as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn credentials_do_not_follow_to_another_origin() {
        let parent = Remote {
            url: RemoteUrl::parse("https://example.com/team/app").unwrap(),
            credentials: Credentials::Bearer("secret".into()),
            tls: Tls::default(),
            proxy: None,
            timeout: std::time::Duration::from_secs(1),
        };
        for (url, same) in [
            ("https://example.com/other", true),
            ("http://example.com/other", false),
            ("https://example.com:8443/other", false),
            ("https://example.com.evil/other", false),
        ] {
            let remote = beside(&parent, RemoteUrl::parse(url).unwrap());
            assert_eq!(remote.credentials == parent.credentials, same, "{url}");
        }
    }
}
