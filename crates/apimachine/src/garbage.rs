//! Garbage collection: objects whose owners are gone, and owners that wait for their dependents.
//!
//! # Source
//! kubernetes/kubernetes `pkg/controller/garbagecollector/garbagecollector.go`.

use object::{Node, Text};

use crate::call::{finalizers, is_deleting, meta, set_finalizers};
use crate::delete::{FOREGROUND, ORPHAN};
use crate::settle::Worklist;
use crate::{Change, Deletion, Event, Key, Writer};

/// Looks at changed objects as dependents and as owners.
pub(crate) fn react(writer: &mut Writer<'_>, worklist: &Worklist, events: &[Event]) {
    for (resource, key) in worklist {
        let Some(stored) = writer.state().get(resource, &key.namespace, &key.name) else {
            continue;
        };
        let object = stored.node.clone();
        if is_deleting(&object) {
            owner(writer, resource, key, &object);
        }
        dependent(writer, resource, key);
    }
    // Whoever named a removed object as owner, and whoever waits for a removed dependent.
    for event in events
        .iter()
        .filter(|event| event.change == Change::Deleted)
    {
        let uid = meta(&event.object, "uid").to_owned();
        let dependents: Vec<_> = writer.state().owned_by(&uid).cloned().collect();
        for (resource, key) in dependents {
            dependent(writer, &resource, &key);
        }
        for reference in owners(&event.object) {
            let owner_uid = reference.str_at(&["uid"]).unwrap_or_default();
            let Some((resource, key)) = writer.state().by_uid(owner_uid).cloned() else {
                continue;
            };
            let Some(stored) = writer.state().get(&resource, &key.namespace, &key.name) else {
                continue;
            };
            let object = stored.node.clone();
            if is_deleting(&object) {
                owner(writer, &resource, &key, &object);
            }
        }
    }
}

fn owners(object: &Node) -> Vec<Node> {
    let list = object
        .at(&["metadata", "ownerReferences"])
        .and_then(Node::as_list);
    list.unwrap_or_default().to_vec()
}

/// The owner an object really has: same kind and name, in reach, not replaced by a namesake.
fn live_owner(writer: &Writer<'_>, key: &Key, reference: &Node) -> Option<Node> {
    let uid = reference.str_at(&["uid"])?;
    let (resource, owner) = writer.state().by_uid(uid)?;
    let in_reach = owner.namespace.is_empty() || owner.namespace == key.namespace;
    let stored = writer
        .state()
        .get(resource, &owner.namespace, &owner.name)?;
    let same = reference.str_at(&["kind"]) == stored.str_at(&["kind"])
        && reference.str_at(&["name"]) == Some(owner.name.as_str());
    (in_reach && same).then(|| stored.node.clone())
}

/// Whether nobody can be the owner that is named: only kinds that are served are looked for.
fn is_known_kind(writer: &Writer<'_>, reference: &Node) -> bool {
    let version = reference.str_at(&["apiVersion"]).unwrap_or_default();
    let kind = reference.str_at(&["kind"]).unwrap_or_default();
    let group = version.rsplit_once('/').map_or("", |(group, _)| group);
    let mut types = writer.state().resource_types();
    types.any(|resource| resource.group == group && resource.kind == kind)
}

/// Deletes an object that nobody owns any more, or takes dangling references out of it.
fn dependent(writer: &mut Writer<'_>, resource: &Text, key: &Key) {
    let Some(stored) = writer.state().get(resource, &key.namespace, &key.name) else {
        return;
    };
    let object = stored.node.clone();
    let references = owners(&object);
    if references.is_empty() || is_deleting(&object) {
        return;
    }
    let (mut solid, mut dangling, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
    for reference in references {
        match live_owner(writer, key, &reference) {
            Some(owner)
                if is_deleting(&owner)
                    && finalizers(&owner).iter().any(|name| name == FOREGROUND) =>
            {
                waiting.push(reference);
            }
            Some(_) => solid.push(reference),
            None if is_known_kind(writer, &reference) => dangling.push(reference),
            None => solid.push(reference),
        }
    }
    if !solid.is_empty() {
        if dangling.is_empty() && waiting.is_empty() {
            return;
        }
        let mut kept = object.clone();
        kept.set(&["metadata", "ownerReferences"], solid);
        // A refusal means that somebody else changed it: their event brings us back.
        let _ = writer.update(resource, kept);
        return;
    }
    if waiting.is_empty() && dangling.is_empty() {
        return;
    }
    let policy = match waiting.is_empty() {
        false
            if writer
                .state()
                .owned_by(meta(&object, "uid"))
                .next()
                .is_some() =>
        {
            "Foreground"
        }
        _ if finalizers(&object).iter().any(|name| name == ORPHAN) => "Orphan",
        _ if finalizers(&object).iter().any(|name| name == FOREGROUND) => "Foreground",
        _ => "Background",
    };
    let deletion = Deletion {
        propagation_policy: Some(policy.into()),
        uid: Some(meta(&object, "uid").into()),
        ..Deletion::default()
    };
    let _ = writer.delete(resource, &key.namespace, &key.name, &deletion);
}

/// Does what the finalizers of a deleted owner promise about its dependents.
fn owner(writer: &mut Writer<'_>, resource: &Text, key: &Key, object: &Node) {
    let names = finalizers(object);
    let has = |name: &str| names.iter().any(|finalizer| finalizer == name);
    let uid = meta(object, "uid");
    let dependents: Vec<_> = writer.state().owned_by(uid).cloned().collect();
    if has(ORPHAN) {
        for (resource, key) in dependents {
            let Some(stored) = writer.state().get(&resource, &key.namespace, &key.name) else {
                continue;
            };
            let mut orphan = stored.node.clone();
            let kept: Vec<Node> = owners(&orphan)
                .into_iter()
                .filter(|one| one.str_at(&["uid"]) != Some(uid))
                .collect();
            match kept.is_empty() {
                true => {
                    orphan.remove(&["metadata", "ownerReferences"]);
                }
                false => orphan.set(&["metadata", "ownerReferences"], kept),
            }
            let _ = writer.update(&resource, orphan);
        }
        drop_finalizer(writer, resource, key, ORPHAN);
    } else if has(FOREGROUND) {
        for (resource, key) in &dependents {
            dependent(writer, resource, key);
        }
        let blocking = writer.state().owned_by(uid).any(|(resource, key)| {
            let stored = writer.state().get(resource, &key.namespace, &key.name);
            let references = stored.map(|stored| owners(stored)).unwrap_or_default();
            references.iter().any(|reference| {
                reference.str_at(&["uid"]) == Some(uid)
                    && reference.get("blockOwnerDeletion").and_then(Node::as_bool) == Some(true)
            })
        });
        if !blocking {
            drop_finalizer(writer, resource, key, FOREGROUND);
        }
    }
}

fn drop_finalizer(writer: &mut Writer<'_>, resource: &Text, key: &Key, name: &str) {
    let Some(stored) = writer.state().get(resource, &key.namespace, &key.name) else {
        return;
    };
    let mut object = stored.node.clone();
    let kept: Vec<Text> = finalizers(&object)
        .into_iter()
        .filter(|finalizer| finalizer != name)
        .collect();
    set_finalizers(&mut object, &kept);
    let _ = writer.update(resource, object);
}
