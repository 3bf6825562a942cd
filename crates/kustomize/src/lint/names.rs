//! Names that a custom resource refers to and that change without it.
//!
//! A prefix, a suffix or the hash of a generated object renames it, and references follow in the
//! fields that `nameReference` lists. Fields of custom resources are not among them by default.

use std::collections::BTreeMap;

use diag::Code;
use object::{FieldPath, Step, Text};
use tree::TreePath;
use yaml::{Kind, Node};

use super::{Collector, described, finding};
use crate::resource::Item;
use crate::schema::Schema;

const CODE: Code = Code("ReferenceNotRenamed");

/// An object that has another name now.
struct Renamed<'a> {
    item: &'a Item,
    old: Text,
}

/// Renamed objects by a name.
type ByName<'a> = BTreeMap<Text, Vec<Renamed<'a>>>;

/// Looks at a finished build.
pub(super) fn check(lint: &mut Collector, items: &[Item], schema: &Schema) {
    let (mut by_old, mut by_new) = (ByName::new(), ByName::new());
    for item in items {
        let mut seen: Vec<&Text> = vec![&item.id.name];
        for previous in &item.history.previous {
            let old = &previous.name;
            if seen.contains(&old) || seen.len() > NAMES_MAX {
                continue;
            }
            seen.push(old);
            for (names, name) in [(&mut by_old, old), (&mut by_new, &item.id.name)] {
                let renamed = Renamed {
                    item,
                    old: old.clone(),
                };
                names.entry(name.clone()).or_default().push(renamed);
            }
        }
    }
    // A name that an object still has is no mistake.
    for item in items {
        if let Some(all) = by_old.get_mut(&item.id.name) {
            all.retain(|known| known.item.id.gvk.kind != item.id.gvk.kind);
        }
    }
    if by_new.is_empty() {
        return;
    }
    for item in items {
        let gvk = &item.id.gvk;
        let is_known = schema.kind(&gvk.api_version(), &gvk.kind).is_some();
        if is_known || gvk.group.is_empty() || gvk.kind == "CustomResourceDefinition" {
            continue;
        }
        let directory = item.origin.as_ref().and_then(|origin| {
            let path = lint.shown_from.join(&origin.path).ok()?;
            path.parent()
        });
        let mut walk = Walk {
            item,
            by_old: &by_old,
            by_new: &by_new,
            path: FieldPath::root(),
            directory,
            lint,
        };
        walk.node(&item.node);
    }
}

/// Most former names of an object that are looked for.
const NAMES_MAX: usize = 32;

struct Walk<'a> {
    item: &'a Item,
    by_old: &'a ByName<'a>,
    by_new: &'a ByName<'a>,
    path: FieldPath,
    /// Where the object is defined.
    directory: Option<TreePath>,
    lint: &'a mut Collector,
}

impl Walk<'_> {
    fn node(&mut self, node: &Node) {
        match node.kind {
            Kind::Mapping => self.map(node),
            Kind::Sequence => {
                for (at, item) in node.content.iter().enumerate() {
                    self.path.push(Step::Index(at));
                    self.node(item);
                    self.path.pop();
                }
            }
            Kind::Scalar | Kind::Alias => {}
        }
    }

    fn map(&mut self, map: &Node) {
        let is_top = self.path.is_root();
        // `{kind: ConfigMap, name: settings}`
        if let (false, Some(kind), Some(name)) = (is_top, map.get("kind"), map.get("name")) {
            let namespace = map.get("namespace").map(|node| node.value.clone());
            let kind = kind.value.clone();
            self.reference(&name.value, "name", namespace, &|known| {
                known == kind.as_str()
            });
        }
        for (key, value) in map.pairs() {
            if is_top && matches!(key.value.as_str(), "metadata" | "kind" | "apiVersion") {
                continue;
            }
            self.path.push(Step::Key(key.value.clone()));
            match (value.kind, value.get("name")) {
                // `configMapRef: {name: settings}`
                (Kind::Mapping, Some(name)) if value.get("kind").is_none() => {
                    let namespace = value.get("namespace").map(|node| node.value.clone());
                    self.reference(&name.value, "name", namespace, &|kind| {
                        refers(
                            &key.value,
                            kind,
                            &["Ref", "KeyRef", "Reference", "Selector"],
                        )
                    });
                }
                // `secretName: login`
                (Kind::Scalar, _) => {
                    self.path.pop();
                    self.reference(&value.value, &key.value, None, &|kind| {
                        refers(&key.value, kind, &["Name"])
                    });
                    self.path.push(Step::Key(key.value.clone()));
                }
                _ => {}
            }
            self.node(value);
            self.path.pop();
        }
    }

    /// Reports a name if it is the old one of an object of a kind that `is_kind` accepts.
    ///
    /// A name that followed its object says that the field is known where this build starts; then
    /// it is no mistake that a base alone does not know it.
    fn reference(
        &mut self,
        name: &Text,
        field: &str,
        namespace: Option<Text>,
        is_kind: &dyn Fn(&str) -> bool,
    ) {
        if !self.by_old.contains_key(name) && !self.by_new.contains_key(name) {
            return;
        }
        let own = self.item.id.effective_namespace();
        let wanted = namespace.as_deref().unwrap_or(own);
        let is_meant = |known: &&Renamed<'_>| {
            let id = &known.item.id;
            is_kind(&id.gvk.kind)
                && !std::ptr::eq(known.item, self.item)
                && (id.effective_namespace() == wanted || id.cluster_scoped)
        };
        let path = self.path.key(field);
        let about = |old: &Text| format!("{path} {old}");
        let (place, directory) = (self.item.place(), self.directory.as_ref());
        for followed in self.by_new.get(name).into_iter().flatten().filter(is_meant) {
            let about = about(&followed.old);
            self.lint.followed.insert(field_of(self.item, &path));
            self.lint.see(CODE, place.clone(), &about, directory, None);
        }
        let Some(Renamed { item: now, old }) =
            self.by_old.get(name).into_iter().flatten().find(is_meant)
        else {
            return;
        };
        let kind = &now.id.gvk.kind;
        let message = format!("`{path}` refers to {kind} `{old}`, which has another name now");
        let mut found = finding(CODE, message, "");
        found.notes.push(format!(
            "it became {}, and kustomize does not know that this field of {} holds a name",
            described(now),
            self.item.id.gvk.kind
        ));
        let found = found.with_help(format!(
            "List the field for {kind} under `nameReference` in a file of `configurations`{}.",
            match now.history.generated {
                true => ", or set `disableNameSuffixHash: true` in the generator's `options`",
                false => "",
            }
        ));
        // Where other builds know the field, a base that nothing uses is not meant to.
        if let Some(place) = &place {
            let site = (place.clone(), CODE, about(old));
            if directory == Some(&self.lint.build.directory) {
                let field = field_of(self.item, &path);
                self.lint.alone.entry(site).or_insert(Some(field));
            } else {
                self.lint.alone.insert(site, None);
            }
        }
        self.lint
            .see(CODE, place, &about(old), directory, Some(found));
    }
}

/// A field of a kind, whichever element of a list it is in.
fn field_of(item: &Item, path: &FieldPath) -> String {
    let names: Vec<&str> = path
        .steps()
        .iter()
        .filter_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Index(_) => None,
        })
        .collect();
    format!("{} {}", item.id.gvk.kind, names.join("."))
}

/// Whether a field's name is that of a kind with one of the endings: `configMapRef`.
fn refers(field: &str, kind: &str, endings: &[&str]) -> bool {
    let Some(ending) = field.get(kind.len()..) else {
        return false;
    };
    field[..kind.len()].eq_ignore_ascii_case(kind) && endings.contains(&ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_named_after_its_kind() {
        assert!(refers("configMapRef", "ConfigMap", &["Ref"]));
        assert!(refers("secretName", "Secret", &["Name"]));
        assert!(!refers("secret", "Secret", &["Name"]));
        assert!(!refers("häßlich", "Se", &["Ref"]));
    }
}
