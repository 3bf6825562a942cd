//! Namespaces: what appears in a new one, and how one ends.
//!
//! # Source
//! kubernetes/kubernetes `pkg/controller/namespace/deletion/namespaced_resources_deleter.go`,
//! `pkg/controller/namespace/deletion/status_condition_utils.go`.

use std::collections::BTreeMap;

use object::{Map, Node, Text};

use crate::call::{finalizers, is_deleting, stamp};
use crate::settle::Worklist;
use crate::{Change, Deletion, Event, Key, Writer};

const ROOT_CERTIFICATE: &str = "kube-root-ca.crt";

/// Fills new namespaces, ends terminating ones, restores what belongs into each.
pub(crate) fn react(writer: &mut Writer<'_>, worklist: &Worklist, events: &[Event]) {
    let mut affected: Vec<Text> = Vec::new();
    for (resource, key) in worklist {
        if resource == "namespaces" {
            affected.push(key.name.clone());
        }
    }
    for event in events {
        let belongs = matches!(event.resource.as_str(), "serviceaccounts" | "configmaps");
        if !event.key.namespace.is_empty()
            && (event.change == Change::Deleted || belongs || is_deleting(&event.object))
        {
            affected.push(event.key.namespace.clone());
        }
    }
    affected.sort();
    affected.dedup();
    for name in affected {
        let Some(stored) = writer.state().get("namespaces", "", &name) else {
            continue;
        };
        let namespace = stored.node.clone();
        match is_deleting(&namespace) {
            true => terminate(writer, &name, namespace),
            false => fill(writer, &name),
        }
    }
}

/// Every namespace has a ServiceAccount for its pods and the certificate they trust.
fn fill(writer: &mut Writer<'_>, namespace: &str) {
    if writer
        .state()
        .get("serviceaccounts", namespace, "default")
        .is_none()
    {
        let mut account = Node::map();
        account.set(&["metadata", "name"], "default");
        account.set(&["metadata", "namespace"], namespace);
        let _ = writer.create("serviceaccounts", account);
    }
    if writer
        .state()
        .get("configmaps", namespace, ROOT_CERTIFICATE)
        .is_none()
    {
        let mut map = Node::map();
        map.set(&["metadata", "name"], ROOT_CERTIFICATE);
        map.set(&["metadata", "namespace"], namespace);
        map.set(
            &["metadata", "annotations", "kubernetes.io/description"],
            "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.",
        );
        let certificate = writer.state().features().root_certificate.clone();
        map.set(&["data", "ca.crt"], certificate);
        let _ = writer.create("configmaps", map);
    }
}

/// Deletes what is in a namespace, pods first, and says what is left.
fn terminate(writer: &mut Writer<'_>, name: &Text, namespace: Node) {
    let held = namespace
        .at(&["spec", "finalizers"])
        .and_then(Node::as_list);
    if !held.is_some_and(|list| {
        list.iter()
            .any(|finalizer| finalizer.as_str() == Some("kubernetes"))
    }) {
        return;
    }
    let mut contents = contents(writer, name);
    let pods = contents.get("pods").cloned().unwrap_or_default();
    if pods.is_empty() {
        for (resource, keys) in &contents {
            delete_all(writer, resource, keys);
        }
    } else {
        delete_all(writer, &"pods".into(), &pods);
    }
    contents = self::contents(writer, name);
    let Some(stored) = writer.state().get("namespaces", "", name) else {
        return;
    };
    let mut namespace = stored.node.clone();
    set_conditions(writer, &mut namespace, &contents);
    if !contents.is_empty() {
        let _ = writer.update_status("namespaces", namespace);
        return;
    }
    let _ = writer.update_status("namespaces", namespace);
    let Some(stored) = writer.state().get("namespaces", "", name) else {
        return;
    };
    let mut namespace = stored.node.clone();
    let kept: Vec<Node> = namespace
        .at(&["spec", "finalizers"])
        .and_then(Node::as_list)
        .unwrap_or_default()
        .iter()
        .filter(|finalizer| finalizer.as_str() != Some("kubernetes"))
        .cloned()
        .collect();
    match kept.is_empty() {
        true => {
            namespace.remove(&["spec", "finalizers"]);
        }
        false => namespace.set(&["spec", "finalizers"], kept),
    }
    let _ = writer.update_subresource("namespaces", "finalize", namespace);
}

type Contents = BTreeMap<Text, Vec<Key>>;

fn contents(writer: &Writer<'_>, namespace: &str) -> Contents {
    let state = writer.state();
    let mut contents = Contents::new();
    for resource in state.stored_resources() {
        let keys: Vec<Key> = state
            .list(resource, Some(namespace))
            .map(|(key, _)| key.clone())
            .collect();
        if !keys.is_empty() {
            contents.insert(resource.clone(), keys);
        }
    }
    contents
}

fn delete_all(writer: &mut Writer<'_>, resource: &Text, keys: &[Key]) {
    let deletion = Deletion {
        propagation_policy: Some("Background".into()),
        ..Deletion::default()
    };
    for key in keys {
        let live = writer.state().get(resource, &key.namespace, &key.name);
        if live.is_some_and(|live| !is_deleting(live)) {
            let _ = writer.delete(resource, &key.namespace, &key.name, &deletion);
        }
    }
}

fn set_conditions(writer: &Writer<'_>, namespace: &mut Node, contents: &Contents) {
    let mut remaining = Vec::new();
    let mut held: BTreeMap<Text, usize> = BTreeMap::new();
    for (resource, keys) in contents {
        let resource_name = match resource.contains('.') {
            true => resource.to_string(),
            false => format!("{resource}."),
        };
        remaining.push(format!(
            "{resource_name} has {} resource instances",
            keys.len()
        ));
        for key in keys {
            let Some(stored) = writer.state().get(resource, &key.namespace, &key.name) else {
                continue;
            };
            for finalizer in finalizers(stored) {
                *held.entry(finalizer).or_default() += 1;
            }
        }
    }
    let now = stamp(writer.env().now);
    let good = |condition: &str, reason: &str, message: &str| {
        (
            condition.to_owned(),
            "False",
            reason.to_owned(),
            message.to_owned(),
        )
    };
    let mut conditions = vec![
        good(
            "NamespaceDeletionDiscoveryFailure",
            "ResourcesDiscovered",
            "All resources successfully discovered",
        ),
        good(
            "NamespaceDeletionGroupVersionParsingFailure",
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        ),
        good(
            "NamespaceDeletionContentFailure",
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
        ),
    ];
    conditions.push(match remaining.is_empty() {
        true => good(
            "NamespaceContentRemaining",
            "ContentRemoved",
            "All content successfully removed",
        ),
        false => (
            "NamespaceContentRemaining".to_owned(),
            "True",
            "SomeResourcesRemain".to_owned(),
            format!("Some resources are remaining: {}", remaining.join(", ")),
        ),
    });
    let held: Vec<String> = held
        .iter()
        .map(|(name, count)| format!("{name} in {count} resource instances"))
        .collect();
    conditions.push(match held.is_empty() {
        true => good(
            "NamespaceFinalizersRemaining",
            "ContentHasNoFinalizers",
            "All content-preserving finalizers finished",
        ),
        false => (
            "NamespaceFinalizersRemaining".to_owned(),
            "True",
            "SomeFinalizersRemain".to_owned(),
            format!(
                "Some content in the namespace has finalizers remaining: {}",
                held.join(", ")
            ),
        ),
    });
    let old: Vec<Node> = namespace
        .at(&["status", "conditions"])
        .and_then(Node::as_list)
        .unwrap_or_default()
        .to_vec();
    let conditions = conditions
        .into_iter()
        .map(|(kind, status, reason, message)| {
            let before = old
                .iter()
                .find(|condition| condition.str_at(&["type"]) == Some(&kind));
            let since = before
                .filter(|before| before.str_at(&["status"]) == Some(status))
                .and_then(|before| before.str_at(&["lastTransitionTime"]))
                .map_or_else(|| now.clone(), Text::from);
            let mut condition = Map::new();
            condition.insert("type", kind);
            condition.insert("status", status);
            condition.insert("lastTransitionTime", since);
            condition.insert("reason", reason);
            condition.insert("message", message);
            Node::Map(condition)
        });
    let conditions: Vec<Node> = conditions.collect();
    namespace.set(&["status", "conditions"], conditions);
}
