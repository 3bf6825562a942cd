//! Large realistic trees of kustomizations, made by rule: the same bytes on every machine.
//!
//! Tests compare what is built from them with the reference, benchmarks measure it. A tree is
//! handed out file by file, so that whoever writes it to disk never holds all of it.

mod definitions;
mod deployments;
mod fleet;
pub mod platform;
mod small;

use std::io;
use std::path::Path;

pub use fleet::CLUSTERS;

/// A tree of kustomizations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tree {
    /// One ConfigMap.
    Tiny,
    /// So many objects of the kinds that applications have, and one strategic patch.
    Small(usize),
    /// An operator with large custom resource definitions: 59 objects, 1.9 MB.
    LargeDefinitions,
    /// The same with most of a pod in every definition: 56 objects, 11.7 MB.
    HugeDefinitions,
    /// So many Deployments below an overlay with namespace, prefix, labels, images and one patch.
    Deployments(usize),
    /// Twelve clusters over shared bases, components, regions and environments, see [`CLUSTERS`].
    Fleet,
    /// So many components with releases bound in three environments, see [`platform`].
    Platform(usize),
}

/// Takes the files of a tree: path, text.
type Put<'a> = &'a mut dyn FnMut(&str, &str);

impl Tree {
    /// Hands out every file, by path from the root of the tree.
    pub fn files(self, put: &mut dyn FnMut(&str, &str)) {
        match self {
            Self::Tiny => small::tiny(put),
            Self::Small(objects) => small::files(objects, put),
            Self::LargeDefinitions => definitions::files(definitions::Shape::Large, put),
            Self::HugeDefinitions => definitions::files(definitions::Shape::Huge, put),
            Self::Deployments(count) => deployments::files(count, put),
            Self::Fleet => fleet::files(put),
            Self::Platform(components) => platform::files(components, put),
        }
    }

    /// The folders that are built, from the root of the tree.
    pub fn targets(self) -> Vec<String> {
        match self {
            Self::Tiny | Self::Small(_) => vec![String::new()],
            Self::LargeDefinitions | Self::HugeDefinitions | Self::Deployments(_) => {
                vec!["overlay".into()]
            }
            Self::Fleet => CLUSTERS.map(|name| format!("clusters/{name}")).into(),
            Self::Platform(_) => ["organization", "platform", "projects"]
                .map(str::to_owned)
                .into(),
        }
    }

    /// Writes every file below `folder`.
    ///
    /// # Errors
    /// The first file that cannot be written.
    pub fn write(self, folder: &Path) -> io::Result<()> {
        let mut written = Ok(());
        self.files(&mut |path, text| {
            if written.is_ok() {
                let path = folder.join(path);
                let parent = path.parent().unwrap_or(folder);
                written =
                    std::fs::create_dir_all(parent).and_then(|()| std::fs::write(&path, text));
            }
        });
        written
    }
}

/// A text with every `{name}` of `values` filled in.
fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut text = template.to_owned();
    for (name, value) in values {
        text = text.replace(&format!("{{{name}}}"), value);
    }
    text
}

/// The items of a list in a kustomization, two columns in.
fn list(items: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let lines = items
        .into_iter()
        .map(|item| format!("  - {}\n", item.as_ref()));
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fleet_is_as_large_as_it_says() {
        let mut files = 0;
        let mut folders = std::collections::BTreeSet::new();
        Tree::Fleet.files(&mut |path, text| {
            files += 1;
            folders.extend(path.rsplit_once('/').map(|(folder, _)| folder.to_owned()));
            assert!(!text.is_empty() && text.ends_with('\n'), "{path}");
        });
        assert_eq!((files, folders.len()), (183, 50));
        assert!(
            CLUSTERS
                .iter()
                .all(|name| folders.contains(&format!("clusters/{name}")))
        );
    }

    #[test]
    fn trees_are_the_same_every_time() {
        let text = |tree: Tree| {
            let mut all = String::new();
            tree.files(&mut |path, text| all.extend([path, text]));
            all
        };
        for tree in [Tree::Small(35), Tree::LargeDefinitions, Tree::Fleet] {
            assert_eq!(text(tree), text(tree));
        }
    }
}
