//! Taking fields over from those who wrote an object before.
//!
//! Somebody who runs `kubectl apply` or `kubectl edit` on an object of ours becomes the owner of
//! fields, and what they added would stay for ever. Their entries in `metadata.managedFields` are
//! folded into ours, so that the next apply removes what the source does not have.
//!
//! # Source
//! Which managers and keys: fluxcd/kustomize-controller
//! `internal/controller/kustomization_controller.go`; how: fluxcd/pkg `ssa/patch.go`.

use merge::json_patch::Patch;
use merge::{BEFORE_FIRST_APPLY, Entry, ManagerId, Managers, Operation};
use object::{Node, Object};

use crate::Options;

/// Annotations of tools that applied the object before, and of old releases.
const ANNOTATIONS: &[&str] = &[
    "kubectl.kubernetes.io/last-applied-configuration",
    "kustomize.toolkit.fluxcd.io/checksum",
    "fluxcd.io/sync-checksum",
];

/// Labels of old releases.
const LABELS: &[&str] = &["fluxcd.io/sync-gc-mark"];

/// The JSON patch that makes us the owner of what others wrote, `None` when nobody did.
///
/// With `merges` others keep what they wrote, and only versions are migrated. The patch replaces
/// the object's version by the one it was made from, so that it fails on a changed object.
pub(crate) fn patch(
    live: &Object,
    wanted: &Object,
    merges: bool,
    options: &Options,
) -> Option<Node> {
    let mut patch = Patch::new();
    if !merges {
        for (field, keys, map) in [
            (
                "annotations",
                ANNOTATIONS,
                live.node.at(&["metadata", "annotations"]),
            ),
            ("labels", LABELS, live.node.at(&["metadata", "labels"])),
        ] {
            for key in keys {
                if map.is_some_and(|map| map.get(key).is_some()) {
                    let token = key.replace('~', "~0").replace('/', "~1");
                    patch = patch.remove(&format!("/metadata/{field}/{token}"));
                }
            }
        }
    }
    if let Some(list) = managed_fields(live, wanted, merges, options) {
        patch = patch.replace("/metadata/managedFields", list);
    }
    if patch.is_empty() {
        return None;
    }
    let version = live.resource_version();
    let patch = patch.replace("/metadata/resourceVersion", version);
    Some(patch.to_node())
}

/// The JSON patch that makes `manager` the owner of what managers of these names applied or wrote;
/// `None` when they own nothing. Like [`patch`] it fails on a changed object.
pub fn take_over(live: &Object, from: &[&str], manager: &str) -> Option<Node> {
    let list = live.node.at(&["metadata", "managedFields"])?;
    let mut managers = Managers::decode(list).ok()?;
    let theirs = |id: &ManagerId| id.subresource.is_empty() && from.contains(&id.name.as_str());
    if !fold(&mut managers, manager, theirs) {
        return None;
    }
    let patch = Patch::new().replace("/metadata/managedFields", managers.encode());
    let patch = patch.replace("/metadata/resourceVersion", live.resource_version());
    Some(patch.to_node())
}

/// The list of managers after the take-over; `None` when it stays or cannot be read.
fn managed_fields(live: &Object, wanted: &Object, merges: bool, options: &Options) -> Option<Node> {
    let list = live.node.at(&["metadata", "managedFields"])?;
    let mut managers = Managers::decode(list).ok()?;
    let mut changed = false;
    if options.migrate_versions {
        changed |= migrate(&mut managers, wanted.api_version());
    }
    if !merges {
        changed |= fold(&mut managers, options.manager(), |id| {
            is_taken_over(id, options)
        });
    }
    changed.then(|| managers.encode())
}

/// Moves every manager to `version`; entries that become one are united.
fn migrate(managers: &mut Managers, version: &str) -> bool {
    let old: Vec<ManagerId> = managers
        .entries()
        .iter()
        .map(|entry| entry.id.clone())
        .filter(|id| id.api_version != version)
        .collect();
    for id in &old {
        let Some(mut entry) = managers.take(id) else {
            continue;
        };
        entry.id.api_version = version.into();
        let known = managers.get(&entry.id);
        if let Some(fields) = known.map(|known| known.fields().union(entry.fields())) {
            entry.set_fields(fields);
        }
        managers.put(entry);
    }
    !old.is_empty()
}

/// Folds the entries of those we take over from into ours.
fn fold(managers: &mut Managers, ours: &str, is_taken_over: impl Fn(&ManagerId) -> bool) -> bool {
    let theirs: Vec<ManagerId> = managers
        .entries()
        .iter()
        .map(|entry| entry.id.clone())
        .filter(is_taken_over)
        .collect();
    let Some(first) = theirs.first() else {
        return false;
    };
    let id = ManagerId {
        name: ours.into(),
        operation: Operation::Apply,
        ..first.clone()
    };
    let mut entry = match managers.take(&id) {
        Some(entry) => entry,
        None => Entry::new(id, "", merge::FieldSet::EMPTY),
    };
    for id in &theirs {
        if let Some(folded) = managers.take(id) {
            entry.set_fields(entry.fields().union(folded.fields()));
            if entry.time.is_empty() {
                entry.time = folded.time;
            }
        }
    }
    managers.put(entry);
    true
}

fn is_taken_over(id: &ManagerId, options: &Options) -> bool {
    if !id.subresource.is_empty() {
        return false;
    }
    let updates = id.operation == Operation::Update;
    let ours = id.name == options.manager();
    let overridden = |prefix: &String| !prefix.is_empty() && id.name.starts_with(prefix.as_str());
    id.name.starts_with("kubectl")
        || (updates && (ours || id.name == BEFORE_FIRST_APPLY))
        || (!ours && options.override_managers.iter().any(overridden))
}
