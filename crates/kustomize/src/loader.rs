//! Files and directories as one kustomization sees them, and the chain that led to it.
//!
//! # Source
//! kubernetes-sigs/kustomize `api/internal/loader/fileloader.go`.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use tree::{ReadError, SourceKind, SourceRef, Tree, TreePath, World};

use crate::Options;
use crate::error::{BuildError, Failures, Outcome, nearest};
use crate::giturl::{self, Address};

/// Deepest chain of kustomizations that include each other; people stop at eight.
const LEVELS_MAX: usize = 64;

/// Most files one build reads.
const FILES_MAX: usize = 20_000;

/// A directory that relative paths start from.
#[derive(Debug)]
pub(crate) struct Loader {
    pub tree: Tree,
    /// Links resolved.
    pub root: TreePath,
    /// Whether files must lie in or below the root.
    root_only: bool,
    /// What is shown before paths in the reference's messages.
    prefix: String,
    /// The directory from which the paths of places are shown.
    shown_from: TreePath,
    referrer: Option<Rc<Loader>>,
    repository: Option<Address>,
    levels: usize,
}

/// The bytes of a file that are known to be text; shared with the tree, not copied.
#[derive(Clone, Debug)]
pub(crate) struct FileText(Arc<[u8]>);

impl std::ops::Deref for FileText {
    type Target = str;

    fn deref(&self) -> &str {
        std::str::from_utf8(&self.0).expect("only text becomes a file text")
    }
}

/// What a build may read, and what it has read.
pub(crate) struct Access<'a> {
    pub world: &'a dyn World,
    pub remote_bases: bool,
    /// Whether absolute paths name files of the tree.
    pub absolute: bool,
    pub files_read: BTreeSet<TreePath>,
    pub sources_read: BTreeSet<SourceRef>,
    pub count: usize,
}

impl Access<'_> {
    /// The files of a source that `entry` names, which counts as read then.
    fn remote_tree(&mut self, mut source: SourceRef, entry: &str) -> Outcome<Tree> {
        let tree = self.world.tree(&source).map_err(|missing| {
            let facts = crate::error::Facts {
                subject: entry.to_owned(),
                reference: missing.to_string(),
                ..Default::default()
            };
            Failures(vec![BuildError::RemoteBaseMissing(facts, missing)])
        })?;
        if let Some(revision) = self.world.revision(&source) {
            source.reference = revision;
        }
        self.sources_read.insert(source);
        Ok(tree)
    }
}

impl Loader {
    /// The loader of a whole build.
    ///
    /// # Errors
    /// When there is no such directory.
    pub fn top(tree: &Tree, directory: &TreePath, options: &Options) -> Outcome<Rc<Self>> {
        let base = Self {
            tree: tree.clone(),
            root: TreePath::root(),
            root_only: options.root_only,
            prefix: options.root.clone(),
            shown_from: options.shown_from.clone(),
            referrer: None,
            repository: None,
            levels: 1,
        };
        let root = base.confirm_directory(directory)?;
        Ok(Rc::new(Self { root, ..base }))
    }

    /// The path as the reference's messages show it.
    pub fn absolute(&self, path: &TreePath) -> String {
        match path.is_root() && !self.prefix.is_empty() {
            true => self.prefix.clone(),
            false => format!("{}/{}", self.prefix, path.as_str()),
        }
    }

    /// The root as the reference's messages show it.
    pub fn root_text(&self) -> String {
        self.absolute(&self.root)
    }

    /// The name of the root.
    pub fn root_name(&self) -> &str {
        match self.root.is_root() {
            true => self.prefix.rsplit('/').next().unwrap_or(""),
            false => self.root.file_name(),
        }
    }

    /// The path of a file named in this directory's kustomization, for showing places.
    pub fn shown(&self, name: &str) -> String {
        let path = self.root.join(name).map_or_else(
            |_| name.to_owned(),
            |path| path.relative_to(&self.shown_from),
        );
        match &self.repository {
            Some(address) => format!("{}//{path}", address.repository),
            None => path,
        }
    }

    /// A path of this tree, for showing places.
    pub fn shown_path(&self, path: &str) -> String {
        let path = TreePath::new(path).map_or_else(
            |_| path.to_owned(),
            |path| path.relative_to(&self.shown_from),
        );
        match &self.repository {
            Some(address) => format!("{}//{path}", address.repository),
            None => path,
        }
    }

    /// The path that an entry of this directory's kustomization names, be it allowed or not.
    ///
    /// # Errors
    /// When it leads out of the tree.
    pub fn path_of(&self, access: &Access<'_>, entry: &str) -> Outcome<TreePath> {
        self.locate(access, entry).map_err(|_| self.outside(entry))
    }

    fn locate(&self, access: &Access<'_>, entry: &str) -> Result<TreePath, tree::PathError> {
        match entry.strip_prefix('/') {
            Some(rest) if access.absolute => TreePath::new(rest),
            _ => self.root.join(entry),
        }
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// When it does not exist, is a directory, lies where this build may not read, or is remote.
    pub fn load(&self, access: &mut Access<'_>, entry: &str) -> Outcome<Arc<[u8]>> {
        if giturl::is_remote_file(entry) {
            return self.load_document(access, entry);
        }
        let path = self.path_of(access, entry)?;
        self.load_at(access, &path, entry)
    }

    /// The bytes of the file at a path of the tree, `entry` to the user.
    ///
    /// # Errors
    /// As [`Loader::load`].
    pub fn load_at(
        &self,
        access: &mut Access<'_>,
        path: &TreePath,
        entry: &str,
    ) -> Outcome<Arc<[u8]>> {
        let shown = self.absolute(path);
        let real = self
            .tree
            .resolve(path)
            .map_err(|error| link_failure(&error, &shown))?;
        if !self.tree.is_file(&real) {
            if self.tree.is_directory(&real) {
                let text = match self.root_only {
                    true => format!("'{shown}' must resolve to a file"),
                    false => format!("read {shown}: is a directory"),
                };
                return Err(Failures::new(BuildError::ResourceNotFound, entry, text));
            }
            return Err(self.absent(entry, path));
        }
        let directory = real.parent().unwrap_or_default();
        if self.root_only && !directory.is_within(&self.root) {
            let text = format!(
                "security; file '{shown}' is not in or below '{}'",
                self.root_text()
            );
            return Err(Failures::new(BuildError::PathOutsideTree, entry, text));
        }
        access.count += 1;
        if access.count > FILES_MAX {
            let text = format!("more than {FILES_MAX} files read");
            return Err(Failures::new(
                BuildError::LimitReached,
                format!("{FILES_MAX} files"),
                text,
            ));
        }
        let content = self
            .tree
            .read(&real)
            .map_err(|error| link_failure(&error, &shown))?;
        if self.in_repository().is_none() {
            access.files_read.insert(path.clone());
            access.files_read.insert(real);
        }
        Ok(content)
    }

    /// Counts the files of a chart, a folder or a file, as read.
    ///
    /// The chart itself may lie anywhere, as the reference has it; where only files below the root
    /// may be read, its files are in the root or in `home`, links followed.
    ///
    /// # Errors
    /// Links that lead elsewhere, and charts of too many files.
    pub fn note_chart(
        &self,
        access: &mut Access<'_>,
        chart: &TreePath,
        home: &TreePath,
    ) -> Outcome<()> {
        let resolve = |path: &TreePath| {
            let real = self.tree.resolve(path);
            real.map_err(|error| link_failure(&error, &self.absolute(path)))
        };
        let home = resolve(home)?;
        let mut open = vec![chart.clone()];
        let mut count = 0;
        while let Some(path) = open.pop() {
            let real = resolve(&path)?;
            if self.root_only && !real.is_within(&self.root) && !real.is_within(&home) {
                let text = format!(
                    "security; file '{}' is not in or below '{}'",
                    self.absolute(&real),
                    self.root_text()
                );
                let link = self.shown_path(path.as_str());
                return Err(Failures::new(BuildError::SymlinkOutsideTree, link, text));
            }
            count += 1;
            if count > FILES_MAX {
                let what = format!("{FILES_MAX} files of one chart");
                let text = format!("a chart has more than {FILES_MAX} files and folders");
                return Err(Failures::new(BuildError::LimitReached, what, text));
            }
            if self.tree.is_directory(&real) {
                let names = self.tree.list(&path).into_iter();
                open.extend(names.filter_map(|(name, _)| path.join(&name).ok()));
            } else if self.in_repository().is_none() && self.tree.is_file(&real) {
                access.files_read.insert(path);
                access.files_read.insert(real);
            }
        }
        Ok(())
    }

    /// The bytes at an address, unless it looks like that of a repository.
    fn load_document(&self, access: &mut Access<'_>, entry: &str) -> Outcome<Arc<[u8]>> {
        if !access.remote_bases {
            return Err(forbidden(entry));
        }
        if giturl::parse(entry).is_some() && !giturl::names_document(entry) {
            let text = format!("URL is a git repository: {entry}");
            return Err(Failures::new(BuildError::ResourceNotFound, entry, text));
        }
        let source = SourceRef {
            url: entry.to_owned(),
            reference: String::new(),
            kind: SourceKind::Document,
        };
        let tree = access.remote_tree(source, entry)?;
        let read = TreePath::new(SourceRef::DOCUMENT).map(|path| tree.read(&path));
        match read {
            Ok(Ok(content)) => Ok(content),
            _ => Err(Failures::new(
                BuildError::ResourceNotFound,
                entry,
                format!("nothing at {entry}"),
            )),
        }
    }

    /// The text of a file; bytes that are not UTF-8 are an error of the reader that needs text.
    ///
    /// # Errors
    /// As [`Loader::load`].
    pub fn load_text(&self, access: &mut Access<'_>, entry: &str) -> Outcome<FileText> {
        let bytes = self.load(access, entry)?;
        match std::str::from_utf8(&bytes) {
            Ok(_) => Ok(FileText(bytes)),
            Err(error) => {
                let offset = error.valid_up_to();
                let text = format!(
                    "MalformedYAMLError: yaml: invalid leading UTF-8 octet at byte {offset} in File: {entry}"
                );
                Err(Failures::new(BuildError::YamlSyntax, entry, text))
            }
        }
    }

    /// The loader of a directory or repository that an entry of this one names.
    ///
    /// # Errors
    /// When there is none, it is on the chain already, or it is remote and may not be read.
    pub fn enter(self: &Rc<Self>, access: &mut Access<'_>, entry: &str) -> Outcome<Rc<Self>> {
        if entry.is_empty() {
            return Err(Failures::new(
                BuildError::ResourceNotFound,
                "",
                "new root cannot be empty",
            ));
        }
        if self.levels >= LEVELS_MAX {
            let text =
                format!("cycle detected: more than {LEVELS_MAX} kustomizations include each other");
            return Err(Failures::new(BuildError::BaseCycle, entry, text));
        }
        if let Some(address) = giturl::parse(entry) {
            return self.enter_repository(access, address);
        }
        if giturl::is_remote_file(entry) {
            return Err(forbidden(entry));
        }
        if entry.starts_with('/') && !access.absolute {
            let text = format!("new root '{entry}' cannot be absolute");
            return Err(Failures::new(BuildError::PathOutsideTree, entry, text));
        }
        if entry.starts_with('/') {
            let text = format!("new root '{entry}' cannot be absolute");
            return Err(Failures::new(BuildError::ResourceNotFound, entry, text));
        }
        let Ok(path) = self.root.join(entry) else {
            return Err(self.outside(entry));
        };
        let root = self.confirm_directory(&path).map_err(|failures| {
            let near = self.nearest_entry(&path);
            failures.near(near)
        })?;
        let mut next = Some(self);
        while let Some(loader) = next {
            if loader.root.is_within(&root) {
                let text = format!(
                    "cycle detected: candidate root '{}' contains visited root '{}'",
                    self.absolute(&root),
                    loader.root_text()
                );
                return Err(Failures::new(BuildError::BaseCycle, entry, text));
            }
            next = match &loader.repository {
                // Another tree begins above; its paths mean other directories.
                Some(_) => None,
                None => loader.referrer.as_ref(),
            };
        }
        Ok(Rc::new(Self {
            tree: self.tree.clone(),
            root,
            root_only: self.root_only,
            prefix: self.prefix.clone(),
            shown_from: self.shown_from.clone(),
            referrer: Some(self.clone()),
            repository: None,
            levels: self.levels + 1,
        }))
    }

    fn enter_repository(
        self: &Rc<Self>,
        access: &mut Access<'_>,
        address: Address,
    ) -> Outcome<Rc<Self>> {
        if !access.remote_bases {
            return Err(forbidden(&address.raw));
        }
        let mut next = Some(self);
        while let Some(loader) = next {
            if let Some(visited) = &loader.repository
                && visited.raw.starts_with(&address.raw)
            {
                let text = format!(
                    "cycle detected: URI '{}' referenced by previous URI '{}'",
                    address.raw, visited.raw
                );
                return Err(Failures::new(BuildError::BaseCycle, address.raw, text));
            }
            next = loader.referrer.as_ref();
        }
        let source = SourceRef {
            url: address.repository.clone(),
            reference: address.reference.clone(),
            kind: SourceKind::Repository,
        };
        let tree = access.remote_tree(source, &address.raw)?;
        let directory = TreePath::new(&address.path).map_err(|_| {
            let text = format!("url path exits repo: {}", address.path);
            Failures::new(BuildError::PathOutsideTree, address.raw.clone(), text)
        })?;
        let base = Self {
            tree,
            root: TreePath::root(),
            root_only: true,
            prefix: format!("/{}", address.repository.replace("://", "/")),
            shown_from: TreePath::root(),
            referrer: Some(self.clone()),
            repository: Some(address),
            levels: self.levels + 1,
        };
        let root = base.confirm_directory(&directory)?;
        Ok(Rc::new(Self { root, ..base }))
    }

    /// The repository outside the tree that this directory is in, if it is.
    pub fn in_repository(&self) -> Option<&Address> {
        match (&self.repository, &self.referrer) {
            (Some(address), _) => Some(address),
            (None, Some(referrer)) => referrer.in_repository(),
            (None, None) => None,
        }
    }

    fn confirm_directory(&self, path: &TreePath) -> Outcome<TreePath> {
        let shown = self.absolute(path);
        let real = self
            .tree
            .resolve(path)
            .map_err(|error| link_failure(&error, &shown))?;
        if self.tree.is_file(&real) {
            let text = format!("must build at directory: '{shown}': file is not directory");
            return Err(Failures::new(
                BuildError::ResourceNotFound,
                path.relative_to(&self.shown_from),
                text,
            ));
        }
        if !self.tree.is_directory(&real) {
            let text = format!(
                "must build at directory: not a valid directory: evalsymlink failure on '{shown}' : lstat {}: no such file or directory",
                self.first_missing(path)
            );
            return Err(Failures::new(
                BuildError::ResourceNotFound,
                path.relative_to(&self.shown_from),
                text,
            ));
        }
        Ok(real)
    }

    fn outside(&self, entry: &str) -> Failures {
        let text = format!(
            "security; file '{entry}' is not in or below '{}'",
            self.root_text()
        );
        Failures::new(BuildError::PathOutsideTree, entry, text)
    }

    /// The first part of a path at which nothing is.
    fn first_missing(&self, path: &TreePath) -> String {
        let mut at = TreePath::root();
        for component in path.components() {
            match at.join(component) {
                Ok(next) => at = next,
                Err(_) => break,
            }
            if !self.tree.is_file(&at) && !self.tree.is_directory(&at) {
                break;
            }
        }
        self.absolute(&at)
    }

    fn absent(&self, entry: &str, path: &TreePath) -> Failures {
        let shown = self.absolute(path);
        let text = match self.root_only {
            true => format!(
                "evalsymlink failure on '{shown}' : lstat {}: no such file or directory",
                self.first_missing(path)
            ),
            false => format!("open {shown}: no such file or directory"),
        };
        if entry.starts_with('/') || smuggles_parent(entry) {
            return Failures::new(BuildError::PathOutsideTree, entry, text);
        }
        Failures::new(BuildError::ResourceNotFound, entry, text).near(self.nearest_entry(path))
    }

    /// The name beside a missing one that is most like it.
    fn nearest_entry(&self, path: &TreePath) -> Option<String> {
        let names = self.tree.list(&path.parent()?);
        nearest(
            path.file_name(),
            names.iter().map(|(name, _)| name.as_str()),
        )
    }

    /// Whether a link or file of this name is in the root.
    pub fn has(&self, name: &str) -> bool {
        self.root
            .join(name)
            .is_ok_and(|path| self.tree.is_file(&path))
    }
}

/// Whether a name says `..` in another spelling; such a name is meant to leave.
fn smuggles_parent(entry: &str) -> bool {
    let plain = entry
        .to_ascii_lowercase()
        .replace("%2f", "/")
        .replace("%2e", ".")
        .replace('\\', "/");
    plain != entry.to_ascii_lowercase() && plain.split('/').any(|part| part == "..")
}

fn forbidden(entry: &str) -> Failures {
    let text = format!("remote resource '{entry}' is not allowed");
    Failures::new(BuildError::RemoteBaseForbidden, entry, text)
}

fn link_failure(error: &ReadError, shown: &str) -> Failures {
    let text = format!("evalsymlink failure on '{shown}' : {error}");
    match error {
        ReadError::LinkOutside { link, .. } => {
            Failures::new(BuildError::SymlinkOutsideTree, link.to_string(), text)
        }
        ReadError::LinkLoop(path) => Failures::new(BuildError::SymlinkLoop, path.to_string(), text),
        other => Failures::new(BuildError::ResourceNotFound, other.to_string(), text),
    }
}
