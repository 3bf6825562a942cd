//! The documents themselves.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use object::{Map, Node, Text};

use super::{map, storage_version_hash, texts};
use crate::types::Subresource;
use crate::{ResourceType, State};

/// Built-in groups in the order in which they are listed; custom ones follow by name.
///
/// # Source
/// kubernetes/kubernetes `pkg/controlplane/apiserver/aggregator.go`, group priorities.
const GROUPS: &[&str] = &[
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "scheduling.k8s.io",
    "coordination.k8s.io",
    "node.k8s.io",
    "discovery.k8s.io",
    "resource.k8s.io",
    "flowcontrol.apiserver.k8s.io",
];

/// Verbs of custom resources, in the order in which upstream's handler lists them.
const CUSTOM_VERBS: [&str; 8] = [
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "create",
    "update",
    "watch",
];

/// A group's versions, the preferred one first, each with its resources by plural.
type Versions<'a> = Vec<(&'a Text, Vec<&'a Arc<ResourceType>>)>;

/// Groups in order, with their versions; the core group is not among them unless asked for alone.
fn served(state: &State, core: bool) -> Vec<(&Text, Versions<'_>)> {
    let mut groups: BTreeMap<&Text, Versions<'_>> = BTreeMap::new();
    for resource in state
        .resource_types()
        .filter(|resource| resource.group.is_empty() == core)
    {
        let versions = groups.entry(&resource.group).or_default();
        match versions
            .iter_mut()
            .find(|(version, _)| **version == resource.version)
        {
            Some((_, resources)) => resources.push(resource),
            None => versions.push((&resource.version, vec![resource])),
        }
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    let rank = |group: &str| {
        GROUPS
            .iter()
            .position(|one| *one == group)
            .unwrap_or(GROUPS.len())
    };
    groups.sort_by_key(|(group, _)| (rank(group), (*group).clone()));
    for (_, versions) in &mut groups {
        versions.sort_by(|(left, _), (right, _)| compare_versions(right, left));
    }
    groups
}

/// Orders versions as Kubernetes prefers them: `v2` after `v1` after `v2beta1` after `v1alpha1`
/// after everything else; the greatest comes first in discovery.
pub(super) fn compare_versions(left: &str, right: &str) -> Ordering {
    match (parse_version(left), parse_version(right)) {
        (Some(left), Some(right)) => left.cmp(&right),
        (Some(_), None) => Ordering::Greater,
        (None, Some(_)) => Ordering::Less,
        (None, None) => right.cmp(left),
    }
}

/// Stability, major and minor number of `v1`, `v1beta2`, `v1alpha3`.
fn parse_version(version: &str) -> Option<(u8, u64, u64)> {
    let rest = version.strip_prefix('v')?;
    let digits = rest
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(rest.len());
    let major = rest[..digits].parse().ok()?;
    match &rest[digits..] {
        "" => Some((2, major, 0)),
        beta if beta.starts_with("beta") => Some((1, major, beta[4..].parse().ok()?)),
        alpha if alpha.starts_with("alpha") => Some((0, major, alpha[5..].parse().ok()?)),
        _ => None,
    }
}

pub(super) fn version(state: &State) -> Node {
    let minor = state.features().minor;
    let patch = if minor == 36 { 3 } else { 0 };
    map([
        ("major", "1".into()),
        ("minor", minor.to_string().into()),
        ("emulationMajor", "1".into()),
        ("emulationMinor", minor.to_string().into()),
        ("minCompatibilityMajor", "1".into()),
        (
            "minCompatibilityMinor",
            minor.saturating_sub(1).to_string().into(),
        ),
        (
            "gitVersion",
            format!("v1.{minor}.{patch}+fleetwright").into(),
        ),
        (
            "gitCommit",
            "0000000000000000000000000000000000000000".into(),
        ),
        ("gitTreeState", "clean".into()),
        ("buildDate", "1970-01-01T00:00:00Z".into()),
        ("goVersion", "none".into()),
        ("compiler", "rustc".into()),
        ("platform", "linux/amd64".into()),
    ])
}

/// Everything that can be asked for outside of the resources.
pub(super) fn paths(state: &State) -> Node {
    let mut paths: Vec<String> = [
        "/api",
        "/api/v1",
        "/apis",
        "/healthz",
        "/livez",
        "/metrics",
        "/openapi/v2",
        "/openapi/v3",
        "/readyz",
        "/version",
    ]
    .map(str::to_owned)
    .to_vec();
    for (group, versions) in served(state, false) {
        paths.push(format!("/apis/{group}"));
        paths.extend(
            versions
                .iter()
                .map(|(version, _)| format!("/apis/{group}/{version}")),
        );
    }
    paths.sort();
    map([("paths", Node::list(paths))])
}

pub(super) fn core_versions() -> Node {
    let address = map([
        ("clientCIDR", "0.0.0.0/0".into()),
        ("serverAddress", "".into()),
    ]);
    map([
        ("kind", "APIVersions".into()),
        ("versions", Node::list(["v1"])),
        ("serverAddressByClientCIDRs", Node::list([address])),
    ])
}

pub(super) fn groups(state: &State) -> Node {
    let groups = served(state, false);
    let groups = groups
        .iter()
        .map(|(group, versions)| group_members(group, versions));
    map([
        ("kind", "APIGroupList".into()),
        ("apiVersion", "v1".into()),
        ("groups", Node::list(groups)),
    ])
}

pub(super) fn group(state: &State, wanted: &str) -> Option<Node> {
    let groups = served(state, false);
    let (group, versions) = groups.iter().find(|(group, _)| *group == wanted)?;
    let mut document: Map = [("kind", "APIGroup"), ("apiVersion", "v1")]
        .into_iter()
        .collect();
    if let Node::Map(members) = group_members(group, versions) {
        document.extend(members);
    }
    Some(document.into())
}

fn group_members(group: &Text, versions: &Versions<'_>) -> Node {
    let entry = |version: &Text| {
        map([
            ("groupVersion", format!("{group}/{version}").into()),
            ("version", version.clone().into()),
        ])
    };
    let preferred = versions
        .first()
        .map_or(Node::Null, |(version, _)| entry(version));
    map([
        ("name", group.clone().into()),
        (
            "versions",
            Node::list(versions.iter().map(|(version, _)| entry(version))),
        ),
        ("preferredVersion", preferred),
    ])
}

/// The resources of one group version, `None` when it is not served.
pub(super) fn resources(state: &State, group: &str, version: &str) -> Option<Node> {
    let mut list: Vec<Node> = Vec::new();
    let mut found = false;
    for resource in state
        .resource_types()
        .filter(|one| one.group == group && one.version == version)
    {
        found = true;
        list.push(resource_entry(resource));
        list.extend(
            resource
                .subresources
                .iter()
                .map(|sub| subresource_entry(resource, sub)),
        );
    }
    if !found {
        return None;
    }
    let mut document: Map = [("kind", "APIResourceList")].into_iter().collect();
    if !group.is_empty() {
        document.insert("apiVersion", "v1");
    }
    document.insert(
        "groupVersion",
        if group.is_empty() {
            version.to_owned()
        } else {
            format!("{group}/{version}")
        },
    );
    document.insert("resources", list);
    Some(document.into())
}

fn resource_entry(resource: &ResourceType) -> Node {
    let mut entry = Map::new();
    entry.insert("name", resource.plural.clone());
    entry.insert("singularName", resource.singular.clone());
    entry.insert("namespaced", resource.namespaced);
    entry.insert("kind", resource.kind.clone());
    entry.insert("verbs", verbs(resource));
    if !resource.short_names.is_empty() {
        entry.insert("shortNames", texts(&resource.short_names));
    }
    if !resource.categories.is_empty() {
        entry.insert("categories", texts(&resource.categories));
    }
    if let Some(hash) = storage_version_hash(resource) {
        entry.insert("storageVersionHash", hash);
    }
    entry.into()
}

fn verbs(resource: &ResourceType) -> Node {
    if resource.custom.is_none() {
        return texts(&resource.verbs);
    }
    let served = CUSTOM_VERBS
        .into_iter()
        .filter(|verb| resource.verbs.iter().any(|one| one == verb));
    Node::list(served)
}

/// Group and version of what a subresource serves, when they are not those of its resource.
fn foreign<'a>(resource: &ResourceType, sub: &'a Subresource) -> Option<(&'a Text, &'a Text)> {
    let kind = sub.kind.as_ref()?;
    (!kind.version.is_empty() && (kind.group != resource.group || kind.version != resource.version))
        .then_some((&kind.group, &kind.version))
}

fn subresource_entry(resource: &ResourceType, sub: &Subresource) -> Node {
    let mut entry = Map::new();
    entry.insert("name", format!("{}/{}", resource.plural, sub.name));
    entry.insert("singularName", "");
    entry.insert("namespaced", resource.namespaced);
    if let Some((group, version)) = foreign(resource, sub) {
        entry.insert("group", group.clone());
        entry.insert("version", version.clone());
    }
    entry.insert(
        "kind",
        sub.kind
            .as_ref()
            .map_or(&resource.kind, |kind| &kind.kind)
            .clone(),
    );
    entry.insert("verbs", texts(&sub.verbs));
    entry.into()
}

/// All groups with all their resources in one document; the core group has its own.
pub(super) fn aggregated(state: &State, core: bool) -> Node {
    let groups = served(state, core);
    let items = groups.iter().map(|(group, versions)| {
        let versions = versions.iter().map(|(version, resources)| {
            map([
                ("version", (*version).clone().into()),
                (
                    "resources",
                    Node::list(
                        resources
                            .iter()
                            .map(|resource| aggregated_resource(resource)),
                    ),
                ),
                ("freshness", "Current".into()),
            ])
        });
        let metadata = if group.is_empty() {
            Node::map()
        } else {
            map([("name", (*group).clone().into())])
        };
        map([("metadata", metadata), ("versions", Node::list(versions))])
    });
    map([
        ("kind", "APIGroupDiscoveryList".into()),
        ("apiVersion", "apidiscovery.k8s.io/v2".into()),
        ("metadata", Node::map()),
        ("items", Node::list(items)),
    ])
}

fn response_kind(group: &str, version: &str, kind: &Text) -> Node {
    map([
        ("group", group.into()),
        ("version", version.into()),
        ("kind", kind.clone().into()),
    ])
}

fn aggregated_resource(resource: &ResourceType) -> Node {
    let mut entry = Map::new();
    entry.insert("resource", resource.plural.clone());
    // Built-in kinds of the group version itself go without it.
    let own = match resource.custom {
        Some(_) => (resource.group.as_str(), resource.version.as_str()),
        None => ("", ""),
    };
    entry.insert("responseKind", response_kind(own.0, own.1, &resource.kind));
    entry.insert(
        "scope",
        if resource.namespaced {
            "Namespaced"
        } else {
            "Cluster"
        },
    );
    entry.insert("singularResource", resource.singular.clone());
    entry.insert("verbs", verbs(resource));
    if !resource.short_names.is_empty() {
        entry.insert("shortNames", texts(&resource.short_names));
    }
    if !resource.categories.is_empty() {
        entry.insert("categories", texts(&resource.categories));
    }
    if !resource.subresources.is_empty() {
        let subresources = resource.subresources.iter().map(|sub| {
            let (group, version) =
                foreign(resource, sub).map_or(own, |(group, version)| (group, version));
            let kind = sub.kind.as_ref().map_or(&resource.kind, |kind| &kind.kind);
            map([
                ("subresource", sub.name.clone().into()),
                ("responseKind", response_kind(group, version, kind)),
                ("verbs", texts(&sub.verbs)),
            ])
        });
        entry.insert("subresources", Node::list(subresources));
    }
    entry.into()
}
