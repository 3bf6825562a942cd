//! Paths that stay inside their tree.

use std::fmt;

use object::Text;

/// Longest path in bytes, as Linux has it.
pub const PATH_BYTES_MAX: usize = 4096;

/// Most components of a path; no repository nests deeper for a reason.
pub const DEPTH_MAX: usize = 128;

/// A relative path with forward slashes and without `.`, `..` or empty components.
///
/// The root of the tree is the empty path.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreePath(Text);

/// Why a text is no path inside a tree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// More `..` than components before it.
    #[error("path `{0}` leads outside the tree")]
    Outside(String),
    /// Starts with a slash.
    #[error("path `{0}` is absolute")]
    Absolute(String),
    /// Holds a NUL byte.
    #[error("path {0:?} holds a NUL byte")]
    Nul(String),
    /// Longer or deeper than the limits.
    #[error("path is longer than {PATH_BYTES_MAX} bytes or deeper than {DEPTH_MAX} levels")]
    TooLong,
}

impl TreePath {
    /// The root of the tree.
    pub fn root() -> Self {
        Self::default()
    }

    /// Reads `text` as a path from the root.
    ///
    /// # Errors
    /// [`PathError`] when it is absolute, leads outside, holds a NUL byte or is too long.
    pub fn new(text: &str) -> Result<Self, PathError> {
        Self::root().join(text)
    }

    /// Reads `text` as a path from this directory; `.` and `..` are resolved by text.
    ///
    /// # Errors
    /// As [`TreePath::new`].
    pub fn join(&self, text: &str) -> Result<Self, PathError> {
        if text.starts_with('/') {
            return Err(PathError::Absolute(text.to_owned()));
        }
        if text.contains('\0') {
            return Err(PathError::Nul(text.to_owned()));
        }
        let mut components: Vec<&str> = self.components().collect();
        for component in text.split('/') {
            match component {
                "" | "." => {}
                ".." => {
                    if components.pop().is_none() {
                        return Err(PathError::Outside(text.to_owned()));
                    }
                }
                _ => components.push(component),
            }
        }
        let path = components.join("/");
        if path.len() > PATH_BYTES_MAX || components.len() > DEPTH_MAX {
            return Err(PathError::TooLong);
        }
        Ok(Self(path.into()))
    }

    /// The path as text; empty for the root.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the root of the tree.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The directory that holds this path; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        let parent = self.0.rsplit_once('/').map_or("", |(parent, _)| parent);
        Some(Self(parent.into()))
    }

    /// The last component; empty for the root.
    pub fn file_name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&self.0, |(_, name)| name)
    }

    /// The components from the root down.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/').filter(|component| !component.is_empty())
    }

    /// This path and every directory on the way to it, the root left out, from the top down.
    pub fn prefixes(&self) -> impl Iterator<Item = Self> + '_ {
        let slashes = self.0.match_indices('/').map(|(at, _)| at);
        let ends = slashes.chain([self.0.len()]).filter(|end| *end > 0);
        ends.map(|end| Self(self.0[..end].into()))
    }

    /// How this path is written in `directory`: `../base/x.yaml`; `.` for the directory itself.
    pub fn relative_to(&self, directory: &Self) -> String {
        let shared = self
            .components()
            .zip(directory.components())
            .take_while(|(a, b)| a == b)
            .count();
        let up = directory.components().skip(shared).map(|_| "..");
        let parts: Vec<&str> = up.chain(self.components().skip(shared)).collect();
        match parts.is_empty() {
            true => ".".to_owned(),
            false => parts.join("/"),
        }
    }

    /// Whether this path is `directory` or lies below it.
    pub fn is_within(&self, directory: &Self) -> bool {
        directory.is_root()
            || self
                .0
                .strip_prefix(directory.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl fmt::Display for TreePath {
    /// The path, `.` for the root.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_root() { "." } else { &self.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_and_stay_inside() {
        let base = TreePath::new("./apps//web/").unwrap();
        assert_eq!(base.as_str(), "apps/web");
        assert_eq!(
            base.join("../api/./x.yaml").unwrap().as_str(),
            "apps/api/x.yaml"
        );
        assert_eq!(
            base.join("../../../etc/passwd"),
            Err(PathError::Outside("../../../etc/passwd".into()))
        );
        assert!(matches!(base.join("/etc"), Err(PathError::Absolute(_))));
        assert!(matches!(base.join("a\0b"), Err(PathError::Nul(_))));
        assert_eq!(base.join(&"a/".repeat(200)), Err(PathError::TooLong));
    }

    #[test]
    fn relative_paths_go_up_and_down() {
        let path = |text| TreePath::new(text).unwrap();
        let from = path("apps/web");
        assert_eq!(
            path("apps/base/x.yaml").relative_to(&from),
            "../base/x.yaml"
        );
        assert_eq!(path("apps/web/x.yaml").relative_to(&from), "x.yaml");
        assert_eq!(path("apps/web").relative_to(&from), ".");
        assert_eq!(path("apps").relative_to(&TreePath::root()), "apps");
        let prefixes: Vec<_> = from.prefixes().map(|p| p.to_string()).collect();
        assert_eq!(prefixes, ["apps", "apps/web"]);
        assert_eq!(TreePath::root().prefixes().count(), 0);
    }

    #[test]
    fn within_compares_whole_components() {
        let web = TreePath::new("apps/web").unwrap();
        assert!(web.is_within(&TreePath::new("apps").unwrap()));
        assert!(web.is_within(&TreePath::root()));
        assert!(!TreePath::new("apps/webber").unwrap().is_within(&web));
    }
}
