//! The manifests of a checkout, and in which file each stands.
//!
//! # Source
//! openchoreo/openchoreo `pkg/fsindex` at v0.12.0: which files are looked at, and which folders are
//! not.

use std::collections::BTreeMap;
use std::sync::Arc;

use diag::{Code, Diagnostic, Span};
use object::{Object, Origin, Text};
use tree::{Tree, TreePath};
use yaml::Limits;

use crate::catalog::{Catalog, Notice};
use crate::model::{self, Component, Owner};
use crate::release_config::{self, ReleaseConfig, ReleaseConfigError};

/// Folders that hold no manifests of their own, beside hidden ones.
const SKIPPED: [&str; 5] = ["build", "dist", "node_modules", "target", "vendor"];

/// Most files and folders that are looked at: as many as a whole repository may have. What is
/// behind them is not there.
const ENTRIES_MAX: usize = 200_000;

/// What a file must hold to be worth reading: the group of the kinds we look for.
const MARK: &[u8] = b"openchoreo.dev/";

/// What was found in a checkout.
#[derive(Clone, Debug)]
pub struct Checkout {
    tree: Tree,
    catalog: Catalog,
    config: ReleaseConfig,
    manifests: Vec<Manifest>,
    by_owner: BTreeMap<(Text, Owner), Vec<usize>>,
    by_name: BTreeMap<(Text, Text, Text), usize>,
}

/// One object of a file.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The file.
    pub path: TreePath,
    /// Its place among the documents of the file, from zero.
    pub document: u32,
    /// The object as it is written.
    pub object: Object,
    /// Its namespace; that of the checkout when none is written.
    pub namespace: Text,
}

impl Checkout {
    /// Reads all manifests of the tree; objects that name no namespace are in `namespace`.
    ///
    /// The second value warns of files and objects that cannot be read. They are not there for
    /// anybody else.
    ///
    /// # Errors
    /// `release-config.yaml` that cannot be followed.
    pub fn read(
        tree: &Tree,
        namespace: &str,
    ) -> Result<(Self, Vec<Diagnostic>), Vec<ReleaseConfigError>> {
        let mut checkout = Self {
            tree: tree.clone(),
            catalog: Catalog::default(),
            config: ReleaseConfig::default(),
            manifests: Vec::new(),
            by_owner: BTreeMap::new(),
            by_name: BTreeMap::new(),
        };
        let mut warnings = Vec::new();
        for path in manifest_files(tree) {
            let content = match tree.read(&path) {
                Ok(content) => content,
                Err(error) => {
                    let warning = Diagnostic::warning(Code("FileUnreadable"), error.to_string());
                    warnings.push(warning.at(Span::file(path.as_str())));
                    continue;
                }
            };
            if !content.windows(MARK.len()).any(|at| at == MARK) {
                continue;
            }
            let documents =
                yaml::decode(&content).and_then(|text| yaml::load(text, &Limits::default()));
            let documents = match documents {
                Ok(documents) => documents,
                Err(error) => {
                    let line = error.position().map_or(1, |position| position.line);
                    warnings.push(
                        Diagnostic::warning(Code("ManifestInvalid"), error.to_string())
                            .at(Span::line(path.as_str(), line)),
                    );
                    continue;
                }
            };
            if path.as_str() == release_config::FILE_NAME {
                if let Some(first) = documents.first() {
                    checkout.config = ReleaseConfig::read(&first.node)?;
                }
                continue;
            }
            for document in documents {
                let object = Object {
                    node: document.node,
                    origin: Some(Arc::new(Origin {
                        path: path.as_str().into(),
                        line: document.line,
                        document: document.index,
                    })),
                };
                if !model::is_openchoreo(&object) {
                    continue;
                }
                warnings.extend(checkout.add(&path, document.index, object, namespace));
            }
        }
        Ok((checkout, warnings))
    }

    fn add(
        &mut self,
        path: &TreePath,
        document: u32,
        object: Object,
        namespace: &str,
    ) -> Vec<Diagnostic> {
        let notices = self.catalog.add(&object, namespace);
        let gone = |notice: &Notice| {
            matches!(
                notice,
                Notice::Refused(_) | Notice::Repeated { .. } | Notice::ReleaseConfig(_)
            )
        };
        if !notices.iter().any(gone) {
            let own = match object.namespace() {
                "" => namespace.into(),
                own => Text::from(own),
            };
            let index = self.manifests.len();
            self.by_owner
                .entry((own.clone(), Owner::of(&object)))
                .or_default()
                .push(index);
            let key = (object.kind().into(), own.clone(), object.name().into());
            self.by_name.insert(key, index);
            self.manifests.push(Manifest {
                path: path.clone(),
                document,
                object,
                namespace: own,
            });
        }
        let span = Span::file(path.as_str());
        let told = notices.into_iter().filter_map(|notice| {
            match &notice {
                Notice::Refused(_) => Some("ManifestInvalid"),
                Notice::Repeated { .. } => Some("ComponentObjectRepeated"),
                Notice::Unknown(..) | Notice::ReleaseConfig(_) => None,
            }
            .map(|code| (code, notice.to_string()))
        });
        told.map(|(code, text)| Diagnostic::warning(Code(code), text).at(span.clone()))
            .collect()
    }

    /// What refers to what.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Where things are written to.
    pub fn config(&self) -> &ReleaseConfig {
        &self.config
    }

    /// The files.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Every object, in the order of files.
    pub fn manifests(&self) -> &[Manifest] {
        &self.manifests
    }

    /// Where an object stands.
    pub fn manifest(&self, kind: &str, namespace: &str, name: &str) -> Option<&Manifest> {
        let key = (kind.into(), namespace.into(), name.into());
        self.by_name.get(&key).map(|at| &self.manifests[*at])
    }

    /// Objects of a kind that belong to a component, in the order of their files.
    pub fn owned<'a>(
        &'a self,
        kind: &'a str,
        namespace: &str,
        owner: &Owner,
    ) -> impl Iterator<Item = &'a Manifest> {
        let found = self.by_owner.get(&(namespace.into(), owner.clone()));
        let found = found.into_iter().flatten().map(|at| &self.manifests[*at]);
        found.filter(move |manifest| manifest.object.kind() == kind)
    }

    /// Names of a kind that begin with a text, in order.
    pub fn names<'a>(
        &'a self,
        kind: &'a str,
        namespace: &'a str,
        stem: &'a str,
    ) -> impl Iterator<Item = &'a Text> {
        let from = (Text::from(kind), Text::from(namespace), Text::from(stem));
        self.by_name
            .range(from..)
            .map(|(key, _)| key)
            .take_while(move |(own, place, name)| {
                own == kind && place == namespace && name.starts_with(stem)
            })
            .map(|(_, _, name)| name)
    }

    /// The bindings of a component to an environment.
    pub fn bindings(&self, namespace: &str, owner: &Owner, environment: &str) -> Vec<&Manifest> {
        self.owned("ReleaseBinding", namespace, owner)
            .filter(|own| own.spec("environment") == environment)
            .collect()
    }

    /// The file of a component.
    pub fn file_of(&self, component: &Component) -> Option<&Manifest> {
        let head = &component.head;
        self.manifest("Component", &head.namespace, &head.name)
    }
}

impl Manifest {
    /// A text in the spec, empty when there is none.
    pub fn spec(&self, key: &str) -> &str {
        self.object.node.str_at(&["spec", key]).unwrap_or_default()
    }
}

/// The files that are looked at, in order; links are not followed.
fn manifest_files(tree: &Tree) -> Vec<TreePath> {
    let mut found = Vec::new();
    let mut open = vec![TreePath::root()];
    let mut seen = 0;
    while let Some(folder) = open.pop() {
        for (name, is_folder) in tree.list(&folder) {
            seen += 1;
            if seen > ENTRIES_MAX {
                return found;
            }
            let Ok(path) = folder.join(&name) else {
                continue;
            };
            let wanted = match is_folder {
                true => !SKIPPED.contains(&name.as_str()),
                false => name.ends_with(".yaml") || name.ends_with(".yml"),
            };
            let link = || tree.resolve(&path).is_ok_and(|real| real != path);
            if !wanted || name.starts_with('.') || link() {
                continue;
            }
            match is_folder {
                true => open.push(path),
                false => found.push(path),
            }
        }
    }
    found.sort();
    found
}
