//! The files of one revision.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::on_demand::{Changed, Files, Found};
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
#[derive(Clone, Debug)]
pub struct Tree(Store);

#[derive(Clone, Debug)]
enum Store {
    /// Everything is at hand.
    Whole {
        entries: Arc<BTreeMap<TreePath, Entry>>,
        has_links: bool,
    },
    /// Files are read when somebody asks.
    OnDemand(Arc<dyn Files>),
}

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
    /// The file is there and cannot be had.
    #[error("cannot read `{0}`: {1}")]
    Unreadable(TreePath, String),
}

impl Default for Tree {
    fn default() -> Self {
        TreeBuilder::default().build()
    }
}

impl PartialEq for Tree {
    /// Equal files; a tree that is read on demand equals only its own clones.
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Store::Whole { entries: a, .. }, Store::Whole { entries: b, .. }) => a == b,
            (Store::OnDemand(a), Store::OnDemand(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

impl Eq for Tree {}

impl Tree {
    /// A tree whose files are read when somebody asks for them.
    pub fn on_demand(files: Arc<dyn Files>) -> Self {
        Self(Store::OnDemand(files))
    }

    /// Whether files are read when somebody asks, and not at hand.
    pub fn is_on_demand(&self) -> bool {
        matches!(self.0, Store::OnDemand(_))
    }

    /// The same tree with other content in some of its files. What is not a file stays as it is.
    pub fn with_changes(&self, changes: BTreeMap<TreePath, Arc<[u8]>>) -> Self {
        match &self.0 {
            Store::Whole { entries, has_links } => {
                let mut entries = entries.as_ref().clone();
                for (path, changed) in changes {
                    if let Some(Entry::File { content, .. }) = entries.get_mut(&path) {
                        *content = changed;
                    }
                }
                Self(Store::Whole {
                    entries: Arc::new(entries),
                    has_links: *has_links,
                })
            }
            Store::OnDemand(files) => Self::on_demand(Arc::new(Changed {
                files: files.clone(),
                changes,
            })),
        }
    }

    /// The same tree; what `other` has alike under the same path is in memory once.
    pub fn sharing(&self, other: &Self) -> Self {
        let (Store::Whole { entries, has_links }, Store::Whole { entries: known, .. }) =
            (&self.0, &other.0)
        else {
            return self.clone();
        };
        let shared = entries
            .iter()
            .map(|own| match known.get_key_value(own.0) {
                Some(known) if known == own => known,
                _ => own,
            })
            .map(|(path, entry)| (path.clone(), entry.clone()));
        Self(Store::Whole {
            entries: Arc::new(shared.collect()),
            has_links: *has_links,
        })
    }

    /// Every file and link, in path order; of a tree that is read on demand, none.
    pub fn entries(&self) -> impl Iterator<Item = (&TreePath, &Entry)> {
        let entries = match &self.0 {
            Store::Whole { entries, .. } => Some(entries.iter()),
            Store::OnDemand(_) => None,
        };
        entries.into_iter().flatten()
    }

    /// Number of files and links, as [`Tree::entries`] gives them.
    pub fn len(&self) -> usize {
        self.entries().count()
    }

    /// Whether [`Tree::entries`] gives nothing.
    pub fn is_empty(&self) -> bool {
        self.entries().next().is_none()
    }

    /// The bytes of the file at `path`, symbolic links resolved inside the tree.
    ///
    /// # Errors
    /// [`ReadError`] when there is no file, or a link leads outside or in a circle.
    pub fn read(&self, path: &TreePath) -> Result<Arc<[u8]>, ReadError> {
        let real = self.resolve(path)?;
        let found = match &self.0 {
            Store::Whole { entries, .. } => match entries.get(&real) {
                Some(Entry::File { content, .. }) => return Ok(content.clone()),
                _ if self.has_below(&real) => Found::Directory,
                _ => Found::Absent,
            },
            Store::OnDemand(files) => match files.find(&real) {
                Found::File => {
                    let read = files.read(&real);
                    return read.map_err(|text| ReadError::Unreadable(path.clone(), text));
                }
                found => found,
            },
        };
        match found {
            Found::Directory => Err(ReadError::Directory(path.clone())),
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
        real.is_ok_and(|real| matches!(self.find(&real), Found::File))
    }

    /// Whether a directory is at `path`, links followed; the root always is one.
    pub fn is_directory(&self, path: &TreePath) -> bool {
        let real = || self.resolve(path);
        path.is_root() || real().is_ok_and(|real| matches!(self.find(&real), Found::Directory))
    }

    /// What is at a path, links not followed.
    fn find(&self, path: &TreePath) -> Found {
        match &self.0 {
            Store::Whole { entries, .. } => match entries.get(path) {
                Some(Entry::File { .. }) => Found::File,
                Some(Entry::Link(target)) => Found::Link(target.clone()),
                None if self.has_below(path) => Found::Directory,
                None => Found::Absent,
            },
            Store::OnDemand(files) => files.find(path),
        }
    }

    /// Names directly inside the directory at `path`, in order, with whether each is a directory.
    pub fn list(&self, path: &TreePath) -> Vec<(String, bool)> {
        let Ok(real) = self.resolve(path) else {
            return Vec::new();
        };
        let mut names: BTreeMap<String, bool> = BTreeMap::new();
        if let Store::OnDemand(files) = &self.0 {
            for name in files.list(&real) {
                let directory = real.join(&name).is_ok_and(|path| match files.find(&path) {
                    Found::Link(_) => self.is_directory(&path),
                    found => found == Found::Directory,
                });
                names.insert(name, directory);
            }
        }
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
        if let Store::Whole {
            has_links: false, ..
        } = &self.0
        {
            return Ok(path.clone());
        }
        let mut real = path.clone();
        let mut followed = 0;
        while let Some((link, target, rest)) = self.first_link(&real) {
            followed += 1;
            if followed > LINKS_MAX {
                return Err(ReadError::LinkLoop(path.clone()));
            }
            let whole = match rest.is_empty() {
                true => target.clone(),
                false => format!("{target}/{rest}"),
            };
            let from = link.parent().unwrap_or_default();
            // The root of a tree that is read on demand is that of the file system.
            let next = match (&self.0, whole.strip_prefix('/')) {
                (Store::OnDemand(_), Some(inside)) => TreePath::new(inside),
                _ => from.join(&whole),
            };
            real = next.map_err(|error| match error {
                PathError::TooLong => ReadError::LinkLoop(path.clone()),
                _ => ReadError::LinkOutside { link, target },
            })?;
        }
        Ok(real)
    }

    /// The first link on the way down to `path`, its target, and what of the path comes after it.
    fn first_link(&self, path: &TreePath) -> Option<(TreePath, String, String)> {
        for here in path.prefixes() {
            match self.find_step(&here) {
                Found::Link(target) => {
                    let rest = path.as_str()[here.as_str().len()..].trim_start_matches('/');
                    return Some((here, target, rest.to_owned()));
                }
                Found::Absent => return None,
                Found::File | Found::Directory => {}
            }
        }
        None
    }

    /// What is at a path on the way to another; in a whole tree only links matter.
    fn find_step(&self, path: &TreePath) -> Found {
        match &self.0 {
            Store::Whole { entries, .. } => match entries.get(path) {
                Some(Entry::Link(target)) => Found::Link(target.clone()),
                _ => Found::Directory,
            },
            Store::OnDemand(files) => files.find(path),
        }
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
        let entries = match &self.0 {
            Store::Whole { entries, .. } => Some(entries.range(directory.clone()..)),
            Store::OnDemand(_) => None,
        };
        entries
            .into_iter()
            .flatten()
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
        let has_links = self.0.values().any(|entry| matches!(entry, Entry::Link(_)));
        let entries = Arc::new(self.0);
        Tree(Store::Whole { entries, has_links })
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

    #[test]
    fn a_tree_that_shares_says_what_it_said() {
        let old: Tree = [("a", "same"), ("b", "old"), ("c", "gone")]
            .into_iter()
            .collect();
        let new: Tree = [("a", "same"), ("b", "new"), ("d", "more")]
            .into_iter()
            .collect();
        let shared = new.sharing(&old);
        assert_eq!(shared, new);
        let content = |tree: &Tree, name: &str| tree.read(&path(name)).unwrap();
        assert!(Arc::ptr_eq(&content(&shared, "a"), &content(&old, "a")));
        assert!(!Arc::ptr_eq(&content(&shared, "b"), &content(&old, "b")));
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
    fn changed_files_keep_their_places() {
        let tree = sample();
        let changes = [(path("a/x.yaml"), b"new"), (path("none"), b"new")];
        let changed = tree.with_changes(
            changes
                .map(|(path, text)| (path, Arc::from(text.as_slice())))
                .into(),
        );
        assert_eq!(&*changed.read(&path("link/x.yaml")).unwrap(), b"new");
        assert_eq!(&*tree.read(&path("link/x.yaml")).unwrap(), b"x");
        assert_eq!(changed.len(), tree.len());
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
