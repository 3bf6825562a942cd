//! Files with Kubernetes objects that no kustomization reads.

use std::collections::{BTreeMap, BTreeSet};

use diag::{Code, Span};
use object::Text;
use tree::{Entry, Tree, TreePath};
use yaml::Node;

use super::{Collector, finding};
use crate::accumulate::FILE_NAMES;
use crate::resource::{self, LOCAL_CONFIG};

const CODE: Code = Code("ResourceUnlisted");

/// Largest file that is searched for the names of others.
const TEXT_BYTES_MAX: usize = 512 << 10;

/// Words in the names of what people keep for later, without the plural's letter.
const ASIDE: &[&str] = &[
    "archive",
    "backup",
    "bak",
    "demo",
    "deprecated",
    "disabled",
    "example",
    "manual",
    "old",
    "sample",
    "template",
    "test",
    "testdata",
    "unused",
];

/// Groups of objects that are no part of what a kustomization builds.
const TOOL_GROUPS: &[&str] = &[
    "backstage.io",
    "builtin",
    "cli.kyverno.io",
    "config.kubernetes.io",
    "ctlptl.dev",
    "k3d.io",
    "kind.x-k8s.io",
    "kind.sigs.k8s.io",
    "kubeadm.k8s.io",
    "kudo.dev",
    "kuttl.dev",
    "kustomize.config.k8s.io",
    "skaffold",
    "viaduct.ai",
    "fn.kpt.dev",
    "kpt.dev",
];

/// Looks for files that no build of any of the `kustomizations` reads or even mentions.
pub(super) fn check(
    lint: &mut Collector,
    tree: &Tree,
    kustomizations: &BTreeMap<TreePath, bool>,
    shown_from: &TreePath,
) {
    let mut used = std::mem::take(&mut lint.read);
    for directory in kustomizations.keys() {
        mentioned(tree, directory, &mut used);
    }
    let mut read_in: BTreeMap<TreePath, usize> = BTreeMap::new();
    for path in used.iter().filter(|path| is_candidate(path)) {
        *read_in
            .entry(path.parent().unwrap_or_default())
            .or_default() += 1;
    }
    let mut candidates: BTreeMap<TreePath, (TreePath, Vec<Node>)> = BTreeMap::new();
    for (path, entry) in tree.entries() {
        if !is_candidate(path) || used.contains(path) || !matches!(entry, Entry::File { .. }) {
            continue;
        }
        let Some(directory) = path.parent() else {
            continue;
        };
        let Some(owner) = owner(&directory, kustomizations) else {
            continue;
        };
        // A folder that no kustomization reads from is some other tool's.
        if directory != owner && !read_in.contains_key(&directory) {
            continue;
        }
        let Ok(text) = tree.read_text(path) else {
            continue;
        };
        let Ok(nodes) = resource::read_objects(&text) else {
            continue;
        };
        if !nodes.is_empty() && nodes.iter().all(is_deployable) {
            candidates.insert(path.clone(), (owner, nodes));
        }
    }
    let named = named_elsewhere(tree, &candidates);
    candidates.retain(|path, _| !named.contains(path));
    let mut left_in: BTreeMap<TreePath, usize> = BTreeMap::new();
    for path in candidates.keys() {
        *left_in
            .entry(path.parent().unwrap_or_default())
            .or_default() += 1;
    }
    for (path, (owner, nodes)) in &candidates {
        // Where most files are in no build, the kustomization is not meant to list them all.
        let directory = path.parent().unwrap_or_default();
        let read = read_in.get(&directory).copied().unwrap_or_default();
        if left_in
            .get(&directory)
            .is_some_and(|left| *left > read.max(1))
        {
            continue;
        }
        let message = format!("no kustomization reads `{}`", path.file_name());
        let first = &nodes[0];
        let text = |keys: &[&str]| first.str_at(keys).unwrap_or_default().to_owned();
        let mut found = finding(CODE, message, "is in no build");
        found.span = Some(Span::line(path.relative_to(shown_from), first.line.max(1)));
        let more = match nodes.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        found.notes.push(format!(
            "it holds {} `{}`{more}",
            text(&["kind"]),
            text(&["metadata", "name"])
        ));
        let file = kustomization_of(tree, owner).relative_to(shown_from);
        let relative = path
            .as_str()
            .strip_prefix(owner.as_str())
            .unwrap_or(path.as_str())
            .trim_start_matches('/');
        let found = found.with_help(format!("List `{relative}` in {file}, or delete the file."));
        lint.report(CODE, "", found);
    }
}

fn kustomization_of(tree: &Tree, directory: &TreePath) -> TreePath {
    FILE_NAMES
        .iter()
        .filter_map(|name| directory.join(name).ok())
        .find(|path| tree.is_file(path))
        .unwrap_or_else(|| directory.clone())
}

/// The nearest directory at or above that has a kustomization.
fn owner(directory: &TreePath, kustomizations: &BTreeMap<TreePath, bool>) -> Option<TreePath> {
    let mut at = directory.clone();
    loop {
        if kustomizations.contains_key(&at) {
            return Some(at);
        }
        if at.is_root() {
            return None;
        }
        at = at.parent()?;
    }
}

/// Whether a file could be meant for a kustomization, by its name.
fn is_candidate(path: &TreePath) -> bool {
    let name = path.file_name();
    let is_yaml = name.ends_with(".yaml") || name.ends_with(".yml");
    let is_aside = path.components().any(|part| {
        part.starts_with(['.', '~', '_'])
            || part
                .split(|c: char| !c.is_ascii_alphabetic())
                .any(|word| ASIDE.contains(&word.to_ascii_lowercase().trim_end_matches('s')))
    });
    // Kubebuilder makes these for people to pick from.
    let is_picked = ["_viewer_role.yaml", "_editor_role.yaml", "_admin_role.yaml"]
        .iter()
        .any(|end| name.ends_with(end))
        || ["cainjection_in_", "webhook_in_"]
            .iter()
            .any(|begin| name.starts_with(begin));
    is_yaml && !is_aside && !is_picked && !FILE_NAMES.contains(&name)
}

/// Whether the object is one that a cluster gets, as opposed to a tool's own.
fn is_deployable(node: &Node) -> bool {
    let api_version = node.str_at(&["apiVersion"]).unwrap_or_default();
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    let local = node
        .at(&["metadata", "annotations"])
        .and_then(|annotations| annotations.get(LOCAL_CONFIG))
        .is_some_and(|value| value.value != "false");
    // A Secret beside a kustomization is to be filled in and applied by hand.
    let is_secret = api_version == "v1" && node.str_at(&["kind"]) == Some("Secret");
    !is_secret && !api_version.is_empty() && !local && !TOOL_GROUPS.contains(&group)
}

/// Files that a kustomization names anywhere, its comments included.
fn mentioned(tree: &Tree, directory: &TreePath, used: &mut BTreeSet<TreePath>) {
    for name in FILE_NAMES {
        let Some(text) = directory
            .join(name)
            .ok()
            .and_then(|path| tree.read_text(&path).ok())
        else {
            continue;
        };
        for word in words(&text) {
            if let Ok(path) = directory.join(word)
                && tree.is_file(&path)
            {
                used.extend(tree.resolve(&path));
                used.insert(path);
            }
        }
    }
}

/// The parts of a text that could be paths.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_alphanumeric() || "._/-+@".contains(c);
    text.split(move |c| !is_part(c))
        .filter(|word| word.len() > 4 && word.contains('.') && !word.starts_with('/'))
}

/// Candidates that another file names: a script, a page, another tool's configuration.
fn named_elsewhere(
    tree: &Tree,
    candidates: &BTreeMap<TreePath, (TreePath, Vec<Node>)>,
) -> BTreeSet<TreePath> {
    let mut by_name: BTreeMap<Text, Vec<&TreePath>> = BTreeMap::new();
    for path in candidates.keys() {
        by_name
            .entry(path.file_name().into())
            .or_default()
            .push(path);
    }
    let mut named = BTreeSet::new();
    for (file, entry) in tree.entries() {
        let Entry::File { content, .. } = entry else {
            continue;
        };
        if content.len() > TEXT_BYTES_MAX || FILE_NAMES.contains(&file.file_name()) {
            continue;
        }
        let (Ok(text), Some(here)) = (std::str::from_utf8(content), file.parent()) else {
            continue;
        };
        for word in words(text) {
            let name = word.rsplit('/').next().unwrap_or(word);
            let Some(paths) = by_name.get(name) else {
                continue;
            };
            let tail = word.trim_start_matches(['.', '/']);
            for path in paths.iter().filter(|path| **path != file) {
                let directory = path.parent().unwrap_or_default();
                let by_folder = tail.contains('/')
                    && path
                        .as_str()
                        .strip_suffix(tail)
                        .is_some_and(|rest| rest.is_empty() || rest.ends_with('/'));
                if by_folder || directory.is_within(&here) {
                    named.insert((*path).clone());
                }
            }
        }
    }
    named
}
