//! What `lint` has to say about components.

use std::path::PathBuf;

use component::catalog::Catalog;
use component::preview::{self, Problem, Written};
use diag::Diagnostic;
use object::FieldPath;
use tree::{Tree, TreePath};

use super::checkout::{self, Checkout};
use super::folder::Folder;
use super::revision;

/// Namespace of objects that nothing gives one, where commands have no flag for it.
const NAMESPACE: &str = "default";

/// Findings about the components of a checkout that stand in the folder `inside`, by file and line.
/// Nothing for a checkout without components.
pub fn lint(git_root: PathBuf, inside: &TreePath, tree: &Tree) -> Vec<Diagnostic> {
    let folder = Folder::of(git_root, inside.clone(), tree.clone());
    let mut checkout = Checkout::read(&folder.tree);
    if checkout.objects.is_empty() && checkout.problems.is_empty() {
        return Vec::new();
    }
    let mut places = folder.places();
    let mut found: Vec<(String, Diagnostic)> = Vec::new();
    for problem in std::mem::take(&mut checkout.problems) {
        let file = problem.span.as_ref().map(|span| span.path.clone());
        found.push((file.unwrap_or_default(), places.show(problem)));
    }
    for (object, mut diagnostic) in checkout::not_applied(&checkout) {
        let Some(origin) = object.origin.as_deref() else {
            continue;
        };
        places.locate(&mut diagnostic, origin, &FieldPath::root());
        found.push((origin.path.to_string(), diagnostic));
    }
    checkout::place(&mut checkout.objects, NAMESPACE);
    let objects = &checkout.objects;
    let (catalog, notices) = Catalog::read(objects, NAMESPACE);
    let mut problems = preview::notices(&notices, objects);
    let written = Written::new(objects);
    problems.extend(changed(&folder, &written));
    problems.extend(preview::lint(catalog, &written));
    for problem in problems {
        let file = problem.place.head.origin.as_ref();
        let file = file.map_or_else(String::new, |origin| origin.path.to_string());
        found.push((file, places.diagnostic(problem)));
    }
    found.retain(|(file, _)| TreePath::new(file).is_ok_and(|file| file.is_within(&folder.inside)));
    let mut found: Vec<Diagnostic> = found.into_iter().map(|(_, own)| own).collect();
    found.sort_by(|a, b| (&a.span, a.code, &a.message).cmp(&(&b.span, b.code, &b.message)));
    found.dedup();
    found
}

/// Releases of a working copy that the last commit has with another content. Nothing where there is
/// no repository, or no commit yet.
fn changed(folder: &Folder, written: &Written<'_>) -> Vec<Problem> {
    if !folder.git_root.join(".git").exists() {
        return Vec::new();
    }
    let Ok((_, tree)) = revision::tree(&folder.git_root, "HEAD") else {
        return Vec::new();
    };
    let mut before = Checkout::read(&folder.at(tree).tree).objects;
    checkout::place(&mut before, NAMESPACE);
    preview::changed_releases(&Written::new(&before), written)
}
