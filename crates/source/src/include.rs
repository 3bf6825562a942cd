//! Files of other sources laid into a tree.

use tree::{PathError, Tree, TreeBuilder, TreePath};

/// Most files of a tree with everything that is laid into it.
const FILES_MAX: usize = git::FILES_MAX;

/// Part of another source's files and where it goes.
#[derive(Clone, Debug)]
pub struct Include {
    /// The other source's files.
    pub tree: Tree,
    /// Folder or file in them; empty for all.
    pub from: String,
    /// Where it goes; the other source's name where nothing else is said.
    pub to: String,
}

/// Why files cannot be laid into a tree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IncludeError {
    /// A path leads outside.
    #[error("cannot include `{path}`")]
    Path {
        /// As written.
        path: String,
        /// The rule.
        source: PathError,
    },
    /// The other source has nothing there.
    #[error("cannot include `{0}`: no such file or directory")]
    Absent(TreePath),
    /// Too many files.
    #[error("the included files are more than {FILES_MAX}")]
    TooMany,
}

/// The files of `base` and of every include; a later file at the same path wins.
///
/// # Errors
/// [`IncludeError`].
pub fn include(base: &Tree, includes: &[Include]) -> Result<Tree, IncludeError> {
    if includes.is_empty() {
        return Ok(base.clone());
    }
    let path = |text: &str| {
        TreePath::new(text).map_err(|source| IncludeError::Path {
            path: text.chars().take(200).collect(),
            source,
        })
    };
    let mut builder = TreeBuilder::default();
    let mut count = base.len();
    for (path, entry) in base.entries() {
        builder.add(path.clone(), entry.clone());
    }
    for include in includes {
        let (from, to) = (path(&include.from)?, path(&include.to)?);
        let below = include
            .tree
            .entries()
            .filter(|(file, _)| file.is_within(&from));
        let before = count;
        for (file, entry) in below {
            let rest = file.as_str()[from.as_str().len()..].trim_start_matches('/');
            let target = to.join(rest).map_err(|source| IncludeError::Path {
                path: file.to_string(),
                source,
            })?;
            builder.add(target, entry.clone());
            count += 1;
            if count > FILES_MAX {
                return Err(IncludeError::TooMany);
            }
        }
        if count == before && !from.is_root() {
            return Err(IncludeError::Absent(from));
        }
    }
    Ok(builder.build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_files_land_where_they_are_sent_and_nowhere_else() {
        let base: Tree = [("a", "base"), ("lib/x", "base")].into_iter().collect();
        let other: Tree = [("deep/x", "1"), ("deep/y/z", "2"), ("top", "3")]
            .into_iter()
            .collect();
        let with = |from: &str, to: &str| {
            let include = Include {
                tree: other.clone(),
                from: from.into(),
                to: to.into(),
            };
            let tree = super::include(&base, &[include])?;
            let names = tree.entries().map(|(path, _)| path.to_string());
            Ok::<_, IncludeError>(names.collect::<Vec<_>>().join(" "))
        };
        assert_eq!(
            with("", "other").unwrap(),
            "a lib/x other/deep/x other/deep/y/z other/top"
        );
        assert_eq!(with("./deep", "lib").unwrap(), "a lib/x lib/y/z");
        assert_eq!(with("top", "lib/top").unwrap(), "a lib/top lib/x");
        assert!(matches!(with("none", "x"), Err(IncludeError::Absent(_))));
        assert!(matches!(with("", "../x"), Err(IncludeError::Path { .. })));
        assert!(matches!(with("/etc", "x"), Err(IncludeError::Path { .. })));
    }
}
