//! The files of a Git revision, read from the repository of a working copy.

use std::path::{Path, PathBuf};

use diag::{Code, Diagnostic};
use git::{Oid, Repository, RepositoryError};
use tree::Tree;

use crate::exit::{Exit, Failure};

/// Most commits that are looked through for one whose id begins with some digits: a few seconds.
const COMMITS_MAX: usize = 50_000;

/// Fewest digits of a shortened commit id, as Git has it.
const DIGITS_MIN: usize = 4;

/// Where a working copy has its references and objects. A further working tree of a repository has
/// only a `HEAD` of its own.
struct Place {
    own: PathBuf,
    common: PathBuf,
}

/// Id and files of a revision: `HEAD`, a branch, a tag, a reference or a commit, with `^` and `~2`
/// behind it for ancestors.
pub fn tree(root: &Path, revision: &str) -> Result<(String, Tree), Failure> {
    let place = place(root)?;
    let repository = Repository::open(&place.common).map_err(unreadable)?;
    let id = find(&repository, &place, revision).map_err(unreadable)?;
    let Some(id) = id else {
        let message = format!("the repository has no revision `{revision}`");
        let mut diagnostic = Diagnostic::error(Code("RevisionNotFound"), message);
        if Path::new(revision).exists() {
            diagnostic = diagnostic.with_help("Write the folder in front of --diff.");
        }
        return Err(Failure::explained(Exit::Unreadable, vec![diagnostic]));
    };
    let tree = repository.checkout(id).map_err(unreadable)?;
    Ok((id.to_string(), tree))
}

fn unreadable(error: RepositoryError) -> Failure {
    let message = diag::with_causes(&error);
    let diagnostic = Diagnostic::error(Code("RepositoryUnreadable"), message);
    Failure::explained(Exit::Unreadable, vec![diagnostic])
}

fn place(root: &Path) -> Result<Place, Failure> {
    let own = root.join(".git");
    if own.is_dir() {
        return Ok(Place {
            common: own.clone(),
            own,
        });
    }
    let named = std::fs::read_to_string(&own).ok();
    let named = named
        .as_deref()
        .and_then(|text| text.strip_prefix("gitdir:"));
    let Some(named) = named else {
        let message = format!("`{}` is in no Git repository", root.display());
        let diagnostic = Diagnostic::error(Code("RepositoryUnreadable"), message)
            .with_help("--diff compares a working copy with a revision of its repository.");
        return Err(Failure::explained(Exit::Unreadable, vec![diagnostic]));
    };
    let own = root.join(named.trim());
    let common = std::fs::read_to_string(own.join("commondir"));
    let common = common.map_or_else(|_| own.clone(), |text| own.join(text.trim()));
    Ok(Place { own, common })
}

fn find(
    repository: &Repository,
    place: &Place,
    revision: &str,
) -> Result<Option<Oid>, RepositoryError> {
    let end = revision.find(['^', '~']).unwrap_or(revision.len());
    let (name, ancestors) = revision.split_at(end);
    let Some(mut id) = named(repository, place, name)? else {
        return Ok(None);
    };
    let Some(steps) = steps(ancestors) else {
        return Ok(None);
    };
    for parent in steps {
        match repository.commit(id)?.parents.get(parent) {
            Some(found) => id = *found,
            None => return Ok(None),
        }
    }
    Ok(Some(id))
}

/// Which parent to follow at each step; `None` when the text means nothing.
fn steps(text: &str) -> Option<Vec<usize>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(sign) = rest.chars().next() {
        rest = &rest[sign.len_utf8()..];
        let end = rest.find(['^', '~']).unwrap_or(rest.len());
        let (digits, after) = rest.split_at(end);
        let count: usize = match digits {
            "" => 1,
            digits => digits.parse().ok().filter(|count| *count <= COMMITS_MAX)?,
        };
        match sign {
            '~' if out.len() + count <= COMMITS_MAX => out.extend(std::iter::repeat_n(0, count)),
            '^' if count > 0 => out.push(count - 1),
            // The commit itself.
            '^' => {}
            _ => return None,
        }
        rest = after;
    }
    Some(out)
}

/// What a name without ancestors means, in Git's order.
fn named(
    repository: &Repository,
    place: &Place,
    name: &str,
) -> Result<Option<Oid>, RepositoryError> {
    if matches!(name, "HEAD" | "@") {
        return head(repository, place);
    }
    for prefix in ["", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"] {
        // A text that is no name of a reference may still be a commit.
        if let Ok(Some(id)) = repository.resolve(&format!("{prefix}{name}")) {
            return Ok(Some(id));
        }
    }
    let hexadecimal = name.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !hexadecimal || name.len() < DIGITS_MIN {
        return Ok(None);
    }
    let name = name.to_ascii_lowercase();
    if let Some(id) = Oid::from_hex(name.as_bytes()) {
        return Ok(repository.commit(id).ok().map(|commit| commit.id));
    }
    let Some(head) = head(repository, place)? else {
        return Ok(None);
    };
    let log = repository.log(head, COMMITS_MAX)?;
    let mut found = log
        .iter()
        .filter(|own| own.id.to_string().starts_with(&name));
    let first = found.next().map(|own| own.id);
    // Digits that two commits begin with name neither.
    Ok(first.filter(|_| found.next().is_none()))
}

fn head(repository: &Repository, place: &Place) -> Result<Option<Oid>, RepositoryError> {
    if place.own == place.common {
        return repository.resolve("HEAD");
    }
    let text = std::fs::read_to_string(place.own.join("HEAD")).unwrap_or_default();
    match text.trim().strip_prefix("ref:") {
        Some(name) => repository.resolve(name.trim()),
        None => Ok(Oid::from_hex(text.trim().as_bytes())),
    }
}
