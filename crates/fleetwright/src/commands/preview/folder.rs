//! The folder a command is about, and how places in it are shown.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use component::model::Environment;
use component::preview::Problem;
use diag::{Code, Diagnostic, Span};
use object::{FieldPath, Origin};
use tree::{Tree, TreePath};

use super::checkout;
use crate::exit::Failure;
use crate::files;

/// A checkout, or a folder of one that is a source of its own.
#[derive(Clone, Debug)]
pub struct Folder {
    /// Where the Git repository is, or the folder itself outside of one.
    pub git_root: PathBuf,
    /// The root of the source below it.
    root: TreePath,
    /// The files of the source.
    pub tree: Tree,
    /// The folder that was named, below the root of the source.
    pub inside: TreePath,
}

impl Folder {
    /// Reads the checkout that `folder` is in. A folder whose Kustomizations name folders below it
    /// is a source of its own, as in a collection of trees.
    pub fn read(folder: &Path) -> Result<Self, Failure> {
        let (git_root, inside) = files::checkout(folder)?;
        let tree = files::read(&git_root)?;
        Ok(Self::of(git_root, inside, tree))
    }

    /// As [`Self::read`], of files that were read.
    pub fn of(git_root: PathBuf, inside: TreePath, tree: Tree) -> Self {
        if !inside.is_root() {
            let own = tree.subtree(&inside);
            if checkout::has_units(&own) {
                return Self {
                    git_root,
                    root: inside,
                    tree: own,
                    inside: TreePath::root(),
                };
            }
        }
        Self {
            git_root,
            root: TreePath::root(),
            tree,
            inside,
        }
    }

    /// The same folder in another revision of the checkout.
    pub fn at(&self, tree: Tree) -> Self {
        Self {
            tree: tree.subtree(&self.root),
            ..self.clone()
        }
    }

    /// A path of the source as it is from where the user is.
    pub fn shown(&self, path: &str) -> String {
        let place = self.git_root.join(self.root.as_str()).join(path);
        let here = std::env::current_dir().and_then(|here| here.canonicalize());
        let shown = here.ok().and_then(|here| {
            let below = place.strip_prefix(&here).ok()?;
            Some(below.to_path_buf())
        });
        shown.unwrap_or(place).to_string_lossy().into_owned()
    }

    /// For showing problems with their lines.
    pub fn places(&self) -> Places<'_> {
        Places {
            folder: self,
            documents: BTreeMap::new(),
        }
    }
}

/// Finds lines of files; each file is read once.
#[derive(Debug)]
pub struct Places<'a> {
    folder: &'a Folder,
    documents: BTreeMap<String, Option<(String, Vec<yaml::Node>)>>,
}

impl Places<'_> {
    /// A problem with the line it is about.
    pub fn diagnostic(&mut self, problem: Problem) -> Diagnostic {
        let mut diagnostic = Diagnostic {
            severity: problem.severity,
            help: problem.help,
            ..Diagnostic::error(problem.code, problem.message)
        };
        if let Some(origin) = &problem.place.head.origin {
            self.locate(&mut diagnostic, origin, &problem.place.path);
        }
        diagnostic
    }

    /// The same, with the path of its place from where the user is.
    pub fn show(&self, mut diagnostic: Diagnostic) -> Diagnostic {
        if let Some(span) = &mut diagnostic.span {
            span.path = self.folder.shown(&span.path);
        }
        diagnostic
    }

    /// That an environment was rendered with a plane that is not in the checkout.
    pub fn assumed_plane(&mut self, environment: &Environment) -> Diagnostic {
        let plane = environment.data_plane.clone().unwrap_or_default();
        let message = format!(
            "{} `{}` of Environment `{}` is not in the checkout; it counts as one with nothing set",
            plane.kind, plane.name, environment.head.name
        );
        let mut diagnostic = Diagnostic::warning(Code("ComponentPlaneAssumed"), message);
        if let Some(origin) = &environment.head.origin {
            let path = FieldPath::keys(["spec", "dataPlaneRef"]);
            self.locate(&mut diagnostic, origin, &path);
        }
        diagnostic
    }

    /// Gives a diagnostic the line of a field.
    pub fn locate(&mut self, diagnostic: &mut Diagnostic, origin: &Origin, path: &FieldPath) {
        let file = origin.path.as_str();
        let tree = &self.folder.tree;
        let read = || {
            let text = tree.read_text(&TreePath::new(file).ok()?).ok()?;
            let documents = yaml::parse(&text, &yaml::Limits::default()).ok()?;
            Some((text, documents))
        };
        let known = self.documents.entry(file.to_owned()).or_insert_with(read);
        let mut span = Span::line(self.folder.shown(file), origin.line);
        if let Some((text, documents)) = known {
            // Not all readers count documents without content.
            let document = documents.iter().find(|own| own.line == origin.line);
            let place = document.and_then(|document| yaml::locate(document, path));
            if let Some((line, column)) = place {
                (span.line, span.column) = (line, column);
            }
            let line = (span.line as usize).saturating_sub(1);
            diagnostic.snippet = text.lines().nth(line).map(str::to_owned);
        }
        diagnostic.span = Some(span);
    }
}
