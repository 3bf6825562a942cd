//! Where a server serves which kind.

use std::collections::HashMap;
use std::sync::RwLock;
use std::time::Duration;

use object::{GroupVersionKind, Node, Text};
use tokio::time::Instant;

use crate::error::{ApiError, ErrorClass};
use crate::request::{Cluster, escape};

/// Shortest time between two looks for a kind that was not there.
///
/// A kind appears when its CustomResourceDefinition is established, which a plan waits for; the
/// pause only keeps a manifest of an unknown kind from becoming a stream of requests.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(200);

/// Where objects of a kind are served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// `/api/v1` or `/apis/GROUP/VERSION`.
    base: Text,
    /// Plural name of the resource.
    pub resource: Text,
    /// Whether objects live in namespaces.
    pub namespaced: bool,
    /// Whether the kind can be watched.
    pub watchable: bool,
}

/// What is known about one group and version: where each of its kinds is served.
type Kinds = HashMap<Text, Mapping>;

/// Cache of what a server serves, by group and version.
#[derive(Default)]
pub(crate) struct Discovery {
    versions: RwLock<HashMap<(Text, Text), (Instant, Kinds)>>,
}

impl Mapping {
    /// Path of an object, or of the collection when `name` is empty; the namespace is used only
    /// by namespaced kinds.
    pub fn path(&self, namespace: &str, name: &str) -> String {
        let mut path = self.base.to_string();
        if self.namespaced && !namespace.is_empty() {
            path.push_str("/namespaces/");
            escape(namespace, &mut path);
        }
        path.push('/');
        path.push_str(&self.resource);
        if !name.is_empty() {
            path.push('/');
            escape(name, &mut path);
        }
        path
    }

    /// Path of a subresource, or of the object when it is empty.
    pub(crate) fn subresource_path(
        &self,
        namespace: &str,
        name: &str,
        subresource: &str,
    ) -> String {
        let mut path = self.path(namespace, name);
        if !subresource.is_empty() {
            path.push('/');
            path.push_str(subresource);
        }
        path
    }
}

impl Discovery {
    pub(crate) async fn mapping(
        &self,
        cluster: &Cluster,
        kind: &GroupVersionKind,
    ) -> Result<Mapping, ApiError> {
        let version = (kind.group.clone(), kind.version.clone());
        {
            let versions = self
                .versions
                .read()
                .unwrap_or_else(|lock| lock.into_inner());
            if let Some((looked, kinds)) = versions.get(&version) {
                if let Some(mapping) = kinds.get(&kind.kind) {
                    return Ok(mapping.clone());
                }
                if looked.elapsed() < LOOK_AGAIN_AFTER {
                    return Err(not_served(kind));
                }
            }
        }
        let base = match kind.group.as_str() {
            "" => format!("/api/{}", kind.version),
            group => format!("/apis/{group}/{}", kind.version),
        };
        let kinds = match cluster.read(&base).await {
            Ok(list) => kinds(&base, &list),
            Err(error) if error.is_not_found() => Kinds::new(),
            Err(error) => return Err(error),
        };
        let found = kinds.get(&kind.kind).cloned();
        let mut versions = self
            .versions
            .write()
            .unwrap_or_else(|lock| lock.into_inner());
        versions.insert(version, (Instant::now(), kinds));
        found.ok_or_else(|| not_served(kind))
    }
}

/// The kinds of an APIResourceList, subresources left out.
fn kinds(base: &str, list: &Node) -> Kinds {
    let resources = list.get("resources").and_then(Node::as_list);
    let resources = resources.unwrap_or(&[]).iter();
    resources
        .filter_map(|resource| {
            let name = resource.str_at(&["name"])?;
            if name.contains('/') {
                return None;
            }
            let verbs = resource.get("verbs").and_then(Node::as_list);
            let verbs = verbs.unwrap_or(&[]);
            let mapping = Mapping {
                base: base.into(),
                resource: name.into(),
                namespaced: resource.get("namespaced")?.as_bool()?,
                watchable: verbs.iter().any(|verb| verb.as_str() == Some("watch")),
            };
            Some((Text::from(resource.str_at(&["kind"])?), mapping))
        })
        .collect()
}

/// Asks for one document with all groups.
pub(crate) const AGGREGATED: &str =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// The namespaced kinds of an APIGroupDiscoveryList that can be listed, of each group in the
/// version that comes first.
pub(crate) fn namespaced_kinds(list: &Node) -> Result<Vec<GroupVersionKind>, ApiError> {
    let items = |node: &Node, key: &str| -> Vec<Node> {
        let items = node.get(key).and_then(Node::as_list);
        items.unwrap_or(&[]).to_vec()
    };
    let mut kinds = Vec::new();
    for group in items(list, "items") {
        let name = group.str_at(&["metadata", "name"]).unwrap_or_default();
        let Some(version) = items(&group, "versions").into_iter().next() else {
            continue;
        };
        if version.str_at(&["freshness"]) == Some("Stale") {
            let message = format!("the API group `{name}` does not answer");
            return Err(ApiError::unreachable(message));
        }
        for resource in items(&version, "resources") {
            let listed = items(&resource, "verbs").contains(&Node::from("list"));
            let namespaced = resource.str_at(&["scope"]) == Some("Namespaced");
            let kind = resource.str_at(&["responseKind", "kind"]);
            if let (true, true, Some(kind)) = (listed, namespaced, kind) {
                kinds.push(GroupVersionKind {
                    group: name.into(),
                    version: version.str_at(&["version"]).unwrap_or_default().into(),
                    kind: kind.into(),
                });
            }
        }
    }
    Ok(kinds)
}

fn not_served(kind: &GroupVersionKind) -> ApiError {
    ApiError {
        class: ErrorClass::NotFound,
        status: 404,
        reason: "NotFound".into(),
        message: format!(
            "no matches for kind \"{}\" in version \"{}\"",
            kind.kind,
            kind.api_version()
        ),
        retry_after: None,
    }
}
