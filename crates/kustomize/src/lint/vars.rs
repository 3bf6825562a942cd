//! Variables that nothing uses, and references that stay as they are.

use std::collections::BTreeSet;

use diag::Code;
use object::FieldPath;
use yaml::{Kind, Node};

use super::{Collector, described, finding};
use crate::accumulate::Target;
use crate::file::Var;
use crate::resource::Item;

const UNUSED: Code = Code("VariableUnused");
const NOT_EXPANDED: Code = Code("VariableNotExpanded");

/// Most references of one build that are followed.
const REFERENCES_MAX: usize = 10_000;

/// A text that holds `$(NAME)` of a known variable.
pub(crate) struct Reference {
    item: usize,
    path: FieldPath,
    text: String,
    name: String,
}

/// Remembers where the variables of a file are defined.
pub(super) fn remember(lint: &mut Collector, target: &Target) {
    for (at, var) in target.file.vars.iter().enumerate() {
        let path = FieldPath::keys(["vars"]).index(at).key("name");
        if let Some(span) = target.value_span(&path, &var.name) {
            let place = (span, target.loader.root.clone());
            lint.build.variables.insert(var.name.clone(), place);
        }
    }
}

/// Every text that refers to one of the variables.
pub(crate) fn references(items: &[Item], vars: &[Var]) -> Vec<Reference> {
    let names: BTreeSet<&str> = vars.iter().map(|var| var.name.as_str()).collect();
    let mut found = Vec::new();
    if names.is_empty() {
        return found;
    }
    for (item, object) in items.iter().enumerate() {
        let mut path = FieldPath::root();
        collect(&object.node, &mut path, &mut |path, text| {
            if found.len() >= REFERENCES_MAX || !text.contains("$(") {
                return;
            }
            if let Some(name) = names.iter().find(|name| refers(text, name)) {
                found.push(Reference {
                    item,
                    path: path.clone(),
                    text: text.to_owned(),
                    name: (*name).to_owned(),
                });
            }
        });
    }
    found
}

/// Whether a text holds `$(NAME)` that is not escaped.
fn refers(text: &str, name: &str) -> bool {
    let wanted = format!("$({name})");
    text.match_indices(&wanted)
        .any(|(at, _)| !text[..at].ends_with('$'))
}

fn collect(node: &Node, path: &mut FieldPath, found: &mut dyn FnMut(&FieldPath, &str)) {
    match node.kind {
        Kind::Scalar => found(path, &node.value),
        Kind::Sequence => {
            for (at, item) in node.content.iter().enumerate() {
                path.push(object::Step::Index(at));
                collect(item, path, found);
                path.pop();
            }
        }
        Kind::Mapping => {
            for (key, value) in node.pairs() {
                path.push(object::Step::Key(key.value.clone()));
                collect(value, path, found);
                path.pop();
            }
        }
        Kind::Alias => {}
    }
}

/// Looks at a build whose variables are resolved.
pub(super) fn check(
    lint: &mut Collector,
    items: &[Item],
    unused: &[String],
    references: &[Reference],
) {
    for (name, (span, directory)) in std::mem::take(&mut lint.build.variables) {
        let mut left = references.iter().filter(|reference| {
            reference.name == name
                && items
                    .get(reference.item)
                    .and_then(|item| at(&item.node, &reference.path))
                    .is_some_and(|node| node.value == reference.text.as_str())
        });
        let first = left.next();
        let unused = (first.is_none() && unused.contains(&name)).then(|| {
            let message = format!("variable `{name}` is defined, but nothing refers to it");
            let found = finding(UNUSED, message, "is never replaced");
            found.with_help(format!(
                "Remove it, or write `$({name})` where its value belongs."
            ))
        });
        let expanded = first.and_then(|reference| {
            let item = items.get(reference.item)?;
            let message =
                format!("`$({name})` stays as it is in a field where variables are not expanded");
            let mut found = finding(NOT_EXPANDED, message, "is not expanded everywhere");
            found.notes.push(format!(
                "`{}` of {} refers to it",
                reference.path,
                described(item)
            ));
            Some(found.with_help(format!(
                "List the field of {} under `varReference` in a file of `configurations`, or use `replacements`.",
                item.id.gvk.kind
            )))
        });
        lint.see(UNUSED, Some(span.clone()), "", Some(&directory), unused);
        lint.see(NOT_EXPANDED, Some(span), "", Some(&directory), expanded);
    }
}

fn at<'a>(node: &'a Node, path: &FieldPath) -> Option<&'a Node> {
    path.steps().iter().try_fold(node, |node, step| match step {
        object::Step::Key(key) => node.get(key),
        object::Step::Index(at) => node.items().get(*at),
    })
}
