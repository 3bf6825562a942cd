//! Strategic merge patches whose lists come out otherwise than the patch says.
//!
//! Each patch is applied to a copy of its object; then the patch, the object before and the object
//! after are walked together. What is in the result is no finding, however it was written.

use diag::{Code, Diagnostic, Span};
use object::{FieldPath, Step, Text};
use yaml::{Kind, Node};

use super::{Collector, described, finding, some};
use crate::merge;
use crate::ops;
use crate::patch;
use crate::resource::Item;
use crate::schema::{Place, Schema};
use crate::select::Selector;

const KEY_MISSING: Code = Code("MergeKeyMissing");
const IGNORED: Code = Code("PatchElementIgnored");
const DIRECTIVE: Code = Code("PatchDirectiveIgnored");
const REPLACED: Code = Code("PatchReplacesList");

/// Directives of the API server that the reference leaves in the object.
const DIRECTIVES: [&str; 3] = [
    "$retainKeys",
    "$setElementOrder/",
    "$deleteFromPrimitiveList/",
];

/// Lists of pods that merge by name wherever the kind is known.
const POD_LISTS: [&str; 8] = [
    "containers",
    "initContainers",
    "ephemeralContainers",
    "env",
    "volumes",
    "volumeMounts",
    "ports",
    "imagePullSecrets",
];

/// Most objects that one patch is tried on.
const OBJECTS_MAX: usize = 100;

/// Most elements times elements of two lists that are compared; longer lists are left alone.
const COMPARED_MAX: usize = 1_000_000;

/// Looks at merge patches before they are applied; `inline` is the place of those without file.
pub(super) fn check(
    lint: &mut Collector,
    patches: &[Item],
    target: Option<&Selector>,
    items: &[Item],
    schema: &Schema,
    inline: Option<Span>,
) {
    for patch in patches {
        let selected = match target {
            Some(target) => patch::select(items, target).unwrap_or_default(),
            None => patch::find_target(items, &patch.original_id())
                .into_iter()
                .collect(),
        };
        for at in selected.into_iter().take(OBJECTS_MAX) {
            let item = &items[at];
            let mut after = item.node.clone();
            if !matches!(
                merge::merge(&mut after, patch.node.clone(), schema),
                Ok(true)
            ) {
                continue;
            }
            let gvk = &item.id.gvk;
            let place = schema.kind(&gvk.api_version(), &gvk.kind);
            let mut walk = Walk {
                item,
                patch,
                inline: inline.as_ref(),
                known_kind: place.is_some(),
                path: FieldPath::root(),
                found: Vec::new(),
            };
            walk.node(Some(&item.node), &patch.node, Some(&after), place);
            for (code, about, finding) in walk.found {
                lint.report(code, &about, finding);
            }
        }
    }
}

struct Walk<'a> {
    item: &'a Item,
    patch: &'a Item,
    inline: Option<&'a Span>,
    known_kind: bool,
    path: FieldPath,
    found: Vec<(Code, String, Diagnostic)>,
}

impl Walk<'_> {
    fn node(
        &mut self,
        before: Option<&Node>,
        patch: &Node,
        after: Option<&Node>,
        place: Option<Place<'_>>,
    ) {
        match patch.kind {
            Kind::Mapping => self.map(before, patch, after, place),
            Kind::Sequence => {
                let Some(before) = before.filter(|node| node.kind == Kind::Sequence) else {
                    return;
                };
                let has_directive = patch
                    .content
                    .iter()
                    .any(|item| item.get("$patch").is_some() && item.content.len() <= 2);
                let Some(after) = after.filter(|_| !has_directive) else {
                    return;
                };
                let (nodes, _) = ops::measure(patch);
                if nodes.saturating_mul(ops::measure(after).0) > COMPARED_MAX
                    || nodes.saturating_mul(before.content.len()) > COMPARED_MAX
                {
                    return;
                }
                match place.and_then(Place::merge_keys) {
                    Some(keys) if keys.is_empty() => {}
                    Some(keys) => {
                        let elements = place.and_then(Place::elements);
                        self.keyed_list(before, patch, after, &keys, elements);
                    }
                    None if !self.known_kind => self.replaced_list(before, patch),
                    None => {}
                }
            }
            Kind::Scalar | Kind::Alias => {}
        }
    }

    fn map(
        &mut self,
        before: Option<&Node>,
        patch: &Node,
        after: Option<&Node>,
        place: Option<Place<'_>>,
    ) {
        if patch
            .get("$patch")
            .is_some_and(|word| word.value != "merge")
        {
            return;
        }
        for (key, value) in patch.pairs() {
            if DIRECTIVES.iter().any(|word| key.value.starts_with(word)) {
                self.directive(key);
                continue;
            }
            let before = before.and_then(|node| node.get(&key.value));
            let after = after.and_then(|node| node.get(&key.value));
            let place = place.and_then(|place| place.field(&key.value));
            self.path.push(Step::Key(key.value.clone()));
            self.node(before, value, after, place);
            self.path.pop();
        }
    }

    fn directive(&mut self, key: &Node) {
        let message = format!("`{}` is not interpreted and stays in the object", key.value);
        let found = finding(DIRECTIVE, message, "becomes a field");
        let help = match key.value.starts_with("$deleteFromPrimitiveList") {
            true => "Remove the value with a JSON patch instead.",
            false => "Use `$patch: replace` or a JSON patch instead.",
        };
        self.add(DIRECTIVE, key, found.with_help(help));
    }

    fn keyed_list(
        &mut self,
        before: &Node,
        patch: &Node,
        after: &Node,
        keys: &[Text],
        elements: Option<Place<'_>>,
    ) {
        let has_key = |node: &Node| keys.iter().any(|key| node.get(key).is_some());
        let is_object = |node: &&Node| node.kind == Kind::Mapping;
        let without_key = patch
            .content
            .iter()
            .chain(&before.content)
            .filter(is_object)
            .find(|element| !has_key(element));
        if let Some(culprit) = without_key {
            let in_patch = patch
                .content
                .iter()
                .any(|element| std::ptr::eq(element, culprit));
            let nodes = ops::measure(before).0;
            if nodes.saturating_mul(ops::measure(after).0) > COMPARED_MAX {
                return;
            }
            let lost = lost_elements(before, patch, after, keys);
            if !lost.is_empty() {
                self.key_missing(culprit, in_patch, patch, &keys[0], &lost);
            }
            return;
        }
        for element in &patch.content {
            if element.kind != Kind::Mapping || element.get("$patch").is_some() {
                continue;
            }
            if keys.len() > 1 && !after.content.iter().any(|other| contains(other, element)) {
                let has_same = |list: &Node| {
                    list.content.iter().any(|other| {
                        other.get(&keys[0]).map(|node| &node.value)
                            == element.get(&keys[0]).map(|node| &node.value)
                    })
                };
                if has_same(before) {
                    self.element_ignored(element, keys);
                }
                continue;
            }
            let own = before
                .content
                .iter()
                .find(|other| same_keys(element, other, keys));
            let result = after
                .content
                .iter()
                .find(|other| same_keys(element, other, keys));
            let name = element.get(&keys[0]).map_or("", |node| &node.value);
            let step = format!("{}={name}", keys[0]);
            self.path.push(Step::Key(step.into()));
            self.node(own, element, result, elements);
            self.path.pop();
        }
    }

    fn key_missing(
        &mut self,
        culprit: &Node,
        in_patch: bool,
        patch: &Node,
        key: &Text,
        lost: &[String],
    ) {
        let message = format!(
            "an element of `{}` has no `{key}`, so other elements vanish",
            self.path
        );
        let mut found = finding(KEY_MISSING, message, format!("`{key}` is missing"));
        found.notes.push(format!(
            "elements merge by `{key}`; gone from {}: {}",
            described(self.item),
            some(lost)
        ));
        let place = match in_patch {
            true => culprit,
            false => {
                found.notes.push(format!(
                    "the element without `{key}` is in the object itself"
                ));
                found.label = format!("merges into a list with an element without `{key}`");
                patch
            }
        };
        self.add(
            KEY_MISSING,
            place,
            found.with_help(format!("Give every element its `{key}`.")),
        );
    }

    fn element_ignored(&mut self, element: &Node, keys: &[Text]) {
        let message = format!(
            "this element of `{}` changes nothing: several elements have its `{}`",
            self.path, keys[0]
        );
        let mut found = finding(IGNORED, message, "is ignored");
        found.notes.push(format!(
            "the list of {} has elements that differ only in `{}`",
            described(self.item),
            keys[1]
        ));
        let help = format!("Say `{}` as well, as the object does.", keys[1]);
        self.add(IGNORED, element, found.with_help(help));
    }

    /// A list of a kind without schema, which the patch's list replaces.
    fn replaced_list(&mut self, before: &Node, patch: &Node) {
        let list = match self.path.steps().last() {
            Some(Step::Key(name)) => name.clone(),
            _ => return,
        };
        let name_of = |node: &Node| node.get("name").map(|name| name.value.clone());
        let names: Vec<Text> = patch.content.iter().filter_map(name_of).collect();
        if names.is_empty() || names.len() != patch.content.len() {
            return;
        }
        let mut lost = Vec::new();
        for element in &before.content {
            let Some(name) = name_of(element) else { return };
            let new = patch
                .content
                .iter()
                .find(|other| name_of(other).as_ref() == Some(&name));
            match new {
                None if POD_LISTS.contains(&list.as_str()) => lost.push(format!("`{name}`")),
                None => {}
                Some(new) => lost.extend(
                    element
                        .pairs()
                        .filter(|(key, _)| new.get(&key.value).is_none())
                        .map(|(key, _)| format!("`{}` of `{name}`", key.value)),
                ),
            }
        }
        if lost.is_empty() {
            return;
        }
        let gvk = &self.item.id.gvk;
        let message = format!(
            "the list `{}` is replaced whole: kustomize has no schema of {} in {}",
            self.path,
            gvk.kind,
            gvk.api_version()
        );
        let mut found = finding(REPLACED, message, "replaces the list");
        found.notes.push(format!(
            "gone from {}: {}",
            described(self.item),
            some(&lost)
        ));
        let found = found.with_help(
            "Write the whole list, use a JSON patch, or name a schema of the kind under `openapi`.",
        );
        self.add(REPLACED, patch, found);
    }

    fn add(&mut self, code: Code, node: &Node, finding: Diagnostic) {
        let span = match &self.patch.origin {
            Some(origin) => Some(Span {
                path: origin.path.to_string(),
                line: node.line,
                column: node.column,
                length: match node.kind {
                    Kind::Scalar => node.value.chars().count() as u32,
                    _ => 0,
                },
            }),
            None => self.inline.cloned(),
        };
        let Some(span) = span else { return };
        let about = format!("{} {}", self.path, node.value);
        self.found.push((code, about, finding.at(span)));
    }
}

fn same_keys(a: &Node, b: &Node, keys: &[Text]) -> bool {
    keys.iter().all(|key| match (a.get(key), b.get(key)) {
        (Some(a), Some(b)) => a.value == b.value,
        (None, _) => true,
        (Some(_), None) => false,
    })
}

/// Elements of both lists that the result does not have, by name where they have one.
fn lost_elements(before: &Node, patch: &Node, after: &Node, keys: &[Text]) -> Vec<String> {
    let key = &keys[0];
    let deleted = |element: &Node| {
        patch.content.iter().any(|other| {
            other.get("$patch").is_some()
                && other.get(key).map(|node| &node.value)
                    == element.get(key).map(|node| &node.value)
        })
    };
    let shown = |element: &Node| match element.get(key) {
        Some(name) => format!("`{}`", name.value),
        None => format!("one without `{key}`"),
    };
    let mut lost = Vec::new();
    for element in before.content.iter().filter(|element| !deleted(element)) {
        let kept = after.content.iter().any(|other| match element.get(key) {
            Some(name) => other
                .get(key)
                .is_some_and(|other| other.value == name.value),
            None => contains(other, element),
        });
        if !kept {
            lost.push(shown(element));
        }
    }
    for element in &patch.content {
        if element.get("$patch").is_none()
            && !lost.contains(&shown(element))
            && !after.content.iter().any(|other| contains(other, element))
        {
            lost.push(format!("{} of the patch", shown(element)));
        }
    }
    lost
}

/// Whether everything that a part of a patch says holds in the result.
fn contains(result: &Node, part: &Node) -> bool {
    if ops::is_null(part) {
        return true;
    }
    match part.kind {
        Kind::Scalar => result.kind == Kind::Scalar && result.value == part.value,
        Kind::Sequence => {
            result.kind == Kind::Sequence
                && part
                    .content
                    .iter()
                    .filter(|element| element.get("$patch").is_none() && !ops::is_empty(element))
                    .all(|element| result.content.iter().any(|other| contains(other, element)))
        }
        Kind::Mapping => {
            if part.get("$patch").is_some() {
                return true;
            }
            result.kind == Kind::Mapping
                && part.pairs().all(|(key, value)| {
                    key.value.starts_with('$')
                        || ops::is_empty(value)
                        || value.get("$patch").is_some()
                        || result
                            .get(&key.value)
                            .is_some_and(|result| contains(result, value))
                })
        }
        Kind::Alias => true,
    }
}
