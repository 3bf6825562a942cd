//! The files of one revision.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{PathError, TreePath};

/// Most symbolic links followed for one path, as Linux has it.
const LINKS_MAX: usize = 40;

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A regular file.
    File {
        /// Its bytes.
        content: Arc<[u8]>,
        /// Whether its owner may execute it.
        executable: bool,
    },
    /// A symbolic link and its target as written.
    Link(String),
}

/// The files of one revision, by path; directories exist because of what is in them.
///
/// Cloning copies a pointer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree(Arc<BTreeMap<TreePath, Entry>>);

/// Collects the files of a tree.
#[derive(Debug, Default)]
pub struct TreeBuilder(BTreeMap<TreePath, Entry>);

/// Why a file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Nothing is there.
    #[error("no such file `{0}`")]
    Absent(TreePath),
    /// A directory is there.
    #[error("`{0}` is a directory")]
    Directory(TreePath),
    /// A symbolic link leads out of the tree.
    #[error("symbolic link `{link}` leads outside the tree to `{target}`")]
    LinkOutside {
        /// The link.
        link: TreePath,
        /// What it points to.
        target: String,
    },
    /// Symbolic links lead in a circle, or are too many.
    #[error("symbolic links at `{0}` lead in a circle")]
    LinkLoop(TreePath),
    /// The file is not text.
    #[error("`{0}` is not UTF-8 at byte {1}")]
    Utf8(TreePath, usize),
}

impl Tree {
    /// Every file and link, in path order.
    pub fn entries(&self) -> impl Iterator<Item = (&TreePath, &Entry)> {
        self.0.iter()
    }

    /// Number of files and links.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no file.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes of the file at `path`, symbolic links resolved inside the tree.
    ///
    /// # Errors
    /// [`ReadError`] when there is no file, or a link leads outside or in a circle.
    pub fn read(&self, path: &TreePath) -> Result<Arc<[u8]>, ReadError> {
        let real = self.resolve(path)?;
        match self.0.get(&real) {
            Some(Entry::File { content, .. }) => Ok(content.clone()),
            _ if self.has_below(&real) => Err(ReadError::Directory(path.clone())),
            _ => Err(ReadError::Absent(path.clone())),
        }
    }

    /// The text of the file at `path`; a byte order mark is dropped.
    ///
    /// # Errors
    /// As [`Tree::read`], and when the bytes are not UTF-8.
    pub fn read_text(&self, path: &TreePath) -> Result<String, ReadError> {
        let content = self.read(path)?;
        let content = content
            .strip_prefix("\u{feff}".as_bytes())
            .unwrap_or(&content);
        match std::str::from_utf8(content) {
            Ok(text) => Ok(text.to_owned()),
            Err(error) => Err(ReadError::Utf8(path.clone(), error.valid_up_to())),
        }
    }

    /// Whether a file is at `path`, links followed.
    pub fn is_file(&self, path: &TreePath) -> bool {
        let real = self.resolve(path);
        real.is_ok_and(|real| matches!(self.0.get(&real), Some(Entry::File { .. })))
    }

    /// Whether a directory is at `path`, links followed; the root always is one.
    pub fn is_directory(&self, path: &TreePath) -> bool {
        path.is_root() || self.resolve(path).is_ok_and(|real| self.has_below(&real))
    }

    /// Names directly inside the directory at `path`, in order, with whether each is a directory.
    pub fn list(&self, path: &TreePath) -> Vec<(String, bool)> {
        let Ok(real) = self.resolve(path) else {
            return Vec::new();
        };
        let mut names: BTreeMap<String, bool> = BTreeMap::new();
        for (below, entry) in self.below(&real) {
            let rest = &below.as_str()[real.as_str().len()..];
            let rest = rest.trim_start_matches('/');
            match rest.split_once('/') {
                Some((name, _)) => names.insert(name.to_owned(), true),
                None => {
                    let directory = matches!(entry, Entry::Link(_)) && self.is_directory(below);
                    names.insert(rest.to_owned(), directory)
                }
            };
        }
        names.into_iter().collect()
    }

    /// The files below `directory`, as a tree of its own.
    pub fn subtree(&self, directory: &TreePath) -> Self {
        let mut builder = TreeBuilder::default();
        let prefix = directory.as_str().len();
        for (path, entry) in self.below(directory) {
            let rest = path.as_str()[prefix..].trim_start_matches('/');
            if let Ok(path) = TreePath::new(rest) {
                builder.0.insert(path, entry.clone());
            }
        }
        builder.build()
    }

    /// Where `path` really is: every symbolic link on the way replaced by its target.
    ///
    /// # Errors
    /// [`ReadError::LinkOutside`] and [`ReadError::LinkLoop`]. A path at which nothing is
    /// resolves to itself.
    pub fn resolve(&self, path: &TreePath) -> Result<TreePath, ReadError> {
        let mut real = TreePath::root();
        let mut rest: Vec<String> = path.components().rev().map(str::to_owned).collect();
        let mut followed = 0;
        while let Some(component) = rest.pop() {
            let here = match real.join(&component) {
                Ok(here) => here,
                Err(_) => return Err(ReadError::Absent(path.clone())),
            };
            let Some(Entry::Link(target)) = self.0.get(&here) else {
                real = here;
                continue;
            };
            followed += 1;
            if followed > LINKS_MAX {
                return Err(ReadError::LinkLoop(path.clone()));
            }
            let whole = match rest.is_empty() {
                true => target.clone(),
                false => {
                    let tail: Vec<_> = rest.iter().rev().map(String::as_str).collect();
                    format!("{target}/{}", tail.join("/"))
                }
            };
            let next = real.join(&whole).map_err(|error| match error {
                PathError::TooLong => ReadError::LinkLoop(path.clone()),
                _ => ReadError::LinkOutside {
                    link: here.clone(),
                    target: target.clone(),
                },
            })?;
            rest = next.components().rev().map(str::to_owned).collect();
            real = TreePath::root();
        }
        Ok(real)
    }

    fn has_below(&self, directory: &TreePath) -> bool {
        directory.is_root() || self.below(directory).next().is_some()
    }

    /// Entries strictly below `directory`, links not followed.
    fn below<'a>(
        &'a self,
        directory: &'a TreePath,
    ) -> impl Iterator<Item = (&'a TreePath, &'a Entry)> {
        // Siblings that sort between `a` and `a/x`, such as `a-b`, are skipped, not the end.
        let from = directory.as_str().len();
        self.0
            .range(directory.clone()..)
            .take_while(move |(path, _)| path.as_str().starts_with(directory.as_str()))
            .filter(move |(path, _)| {
                *path != directory
                    && (directory.is_root() || path.as_str().as_bytes().get(from) == Some(&b'/'))
            })
    }
}

impl TreeBuilder {
    /// Adds a regular file; a later file of the same path wins.
    pub fn file(&mut self, path: TreePath, content: impl Into<Arc<[u8]>>) -> &mut Self {
        self.add(
            path,
            Entry::File {
                content: content.into(),
                executable: false,
            },
        )
    }

    /// Adds a file or link; a later entry of the same path wins.
    pub fn add(&mut self, path: TreePath, entry: Entry) -> &mut Self {
        self.0.insert(path, entry);
        self
    }

    /// The tree of everything added.
    pub fn build(self) -> Tree {
        Tree(Arc::new(self.0))
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Tree {
    /// Files by path and text, for tests and samples.
    ///
    /// # Panics
    /// When a path leads outside the tree.
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(files: I) -> Self {
        let mut builder = TreeBuilder::default();
        for (path, text) in files {
            let path = TreePath::new(path).expect("paths in samples stay inside");
            builder.file(path, text.as_bytes());
        }
        builder.build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> TreePath {
        TreePath::new(text).unwrap()
    }

    fn sample() -> Tree {
        let mut builder = TreeBuilder::default();
        builder.file(path("a/x.yaml"), *b"x");
        builder.file(path("a-b/y.yaml"), *b"y");
        builder.file(path("top.yaml"), *b"t");
        for (link, target) in [
            ("link", "a"),
            ("a/up", "../top.yaml"),
            ("out", "../../etc/passwd"),
            ("root", "/etc"),
            ("loop", "loop2"),
            ("loop2", "loop"),
        ] {
            builder.add(path(link), Entry::Link(target.into()));
        }
        builder.build()
    }

    #[test]
    fn links_are_followed_inside_and_refused_outside() {
        let tree = sample();
        assert_eq!(&*tree.read(&path("link/x.yaml")).unwrap(), b"x");
        assert_eq!(&*tree.read(&path("link/up")).unwrap(), b"t");
        for outside in ["out", "root", "root/passwd"] {
            let error = tree.read(&path(outside)).unwrap_err();
            assert!(matches!(error, ReadError::LinkOutside { .. }), "{error}");
        }
        let error = tree.read(&path("loop")).unwrap_err();
        assert_eq!(error, ReadError::LinkLoop(path("loop")));
    }

    #[test]
    fn directories_list_only_what_is_directly_inside() {
        let tree = sample();
        let names: Vec<_> = tree.list(&path("a")).into_iter().map(|(n, _)| n).collect();
        assert_eq!(names, ["up", "x.yaml"]);
        assert!(tree.is_directory(&path("link")));
        assert!(!tree.is_directory(&path("a/x.yaml")));
        assert_eq!(tree.read(&path("a")), Err(ReadError::Directory(path("a"))));
        assert_eq!(tree.subtree(&path("a")).len(), 2);
    }
}
