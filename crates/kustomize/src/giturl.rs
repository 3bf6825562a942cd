//! Addresses of git repositories as kustomizations write them.
//!
//! # Source
//! kubernetes-sigs/kustomize `api/internal/git/repospec.go`.

/// A repository, a directory in it and a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// The entry as written.
    pub raw: String,
    /// What git would clone.
    pub repository: String,
    /// The directory inside, without a leading slash.
    pub path: String,
    /// Branch, tag or commit; empty for the default.
    pub reference: String,
}

/// Reads an entry; `None` when it is not the address of a repository.
pub(crate) fn parse(entry: &str) -> Option<Address> {
    if entry.starts_with('/') {
        return None;
    }
    let (address, query) = entry.split_once('?').unwrap_or((entry, ""));
    let address = strip_prefix_any_case(address, "git::").unwrap_or(address);
    let (host, rest, whole) = split_host(address)?;
    let (repository, path) = split_repository(&rest, whole)?;
    if repository.is_empty() || leaves(&path) {
        return None;
    }
    Some(Address {
        raw: entry.to_owned(),
        repository: format!("{host}{repository}"),
        path: path.trim_start_matches('/').to_owned(),
        reference: query_value(query, "ref")
            .or_else(|| query_value(query, "version"))
            .unwrap_or_default(),
    })
}

const SCHEMES: [&str; 4] = ["ssh://", "https://", "http://", "file://"];

/// The host with scheme and user, the rest, and whether the whole rest is the repository.
fn split_host(address: &str) -> Option<(String, String, bool)> {
    let found = SCHEMES
        .iter()
        .find_map(|scheme| Some((*scheme, strip_prefix_any_case(address, scheme)?)));
    let (scheme, rest) = found.unwrap_or(("", address));
    let (user, rest) = split_user(rest);
    let lower = rest.to_ascii_lowercase();
    let github = lower.starts_with("github.com/") || lower.starts_with("github.com:");
    let scp = scheme.is_empty() && (!user.is_empty() || github);
    if scheme.is_empty() && !scp {
        return None;
    }
    if scheme == "file://" {
        return Some((scheme.to_owned(), format!("{user}{rest}"), true));
    }
    let slash = rest.find('/');
    let separator = match rest.find(':') {
        Some(colon) if scp && colon > 0 && slash.is_none_or(|slash| colon < slash) => Some(colon),
        _ => slash,
    };
    let (host, path) = match separator {
        Some(at) => rest.split_at(at + 1),
        None => (rest, ""),
    };
    if github {
        return Some(match scheme == "ssh://" || !user.is_empty() {
            true => (format!("{user}github.com:"), path.to_owned(), false),
            false => ("https://github.com/".to_owned(), path.to_owned(), false),
        });
    }
    (!host.is_empty()).then(|| (format!("{scheme}{user}{host}"), path.to_owned(), false))
}

fn split_user(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .unwrap_or(0);
    match text[end..].starts_with('@') && text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        true => text.split_at(end + 1),
        false => ("", text),
    }
}

fn split_repository(path: &str, whole: bool) -> Option<(String, String)> {
    if let Some(at) = path.find("_git/") {
        let (before, after) = path.split_at(at + 5);
        let (name, rest) = after.split_once('/').unwrap_or((after, ""));
        return Some((format!("{before}{name}"), rest.to_owned()));
    }
    if let Some((repository, rest)) = path.split_once("//") {
        return Some((repository.to_owned(), rest.to_owned()));
    }
    if let Some(at) = path.find(".git") {
        return Some((path[..at + 4].to_owned(), path[at + 4..].to_owned()));
    }
    if whole {
        return Some((path.to_owned(), String::new()));
    }
    let segments: Vec<&str> = path.split('/').collect();
    (segments.len() >= 2).then(|| (segments[..2].join("/"), segments[2..].join("/")))
}

/// Whether a path inside a repository begins above it.
fn leaves(path: &str) -> bool {
    let mut depth = 0i32;
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => depth -= 1,
            _ => depth += 1,
        }
        if depth < 0 {
            return true;
        }
    }
    false
}

fn query_value(query: &str, key: &str) -> Option<String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let mut values = pairs
        .filter(|(name, _)| *name == key)
        .map(|(_, value)| value.to_owned());
    values.next().filter(|value| !value.is_empty())
}

fn strip_prefix_any_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix)
        .then(|| &text[prefix.len()..])
}

/// Whether an entry is an address of a single document.
pub(crate) fn is_remote_file(entry: &str) -> bool {
    ["http://", "https://"]
        .iter()
        .any(|scheme| strip_prefix_any_case(entry, scheme).is_some())
}

/// Whether the last part of an address is the name of a file with objects.
pub(crate) fn names_document(entry: &str) -> bool {
    let path = entry.split(['?', '#']).next().unwrap_or(entry);
    let lower = path.to_ascii_lowercase();
    [".yaml", ".yml", ".json"]
        .iter()
        .any(|end| lower.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_split_into_repository_path_and_reference() {
        let cases = [
            (
                "https://github.com/org/repo/dir?ref=v1",
                "https://github.com/org/repo",
                "dir",
                "v1",
            ),
            (
                "github.com/org/repo//deep/dir",
                "https://github.com/org/repo",
                "deep/dir",
                "",
            ),
            (
                "git@github.com:org/repo.git/dir",
                "git@github.com:org/repo.git",
                "/dir",
                "",
            ),
            (
                "ssh://git@host.xz/a/b.git?version=x",
                "ssh://git@host.xz/a/b.git",
                "",
                "x",
            ),
            (
                "git::https://dev.azure.com/o/p/_git/r/d",
                "https://dev.azure.com/o/p/_git/r",
                "d",
                "",
            ),
            ("file:///srv/repo", "file:///srv/repo", "", ""),
        ];
        for (entry, repository, path, reference) in cases {
            let address = parse(entry).unwrap_or_else(|| panic!("{entry} is an address"));
            assert_eq!(address.repository, repository, "{entry}");
            assert_eq!(address.path, path.trim_start_matches('/'), "{entry}");
            assert_eq!(address.reference, reference, "{entry}");
        }
    }

    #[test]
    fn local_paths_are_no_addresses() {
        for entry in [
            "../base",
            "base/web",
            "/abs/x",
            "a.yaml",
            "https://github.com/only",
            "host.xz/a/b",
            "",
        ] {
            assert_eq!(parse(entry), None, "{entry}");
        }
        assert_eq!(parse("https://host/org/repo//../../x"), None);
    }
}
