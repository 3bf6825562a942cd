//! What a build knows about kinds: which lists merge by key, and which kinds have no namespace.
//!
//! The facts come from the schemas of Kubernetes 1.21.2, the ones the reference embeds; only those
//! that can change a build are kept ([`built_in`]). A build may bring a schema of its own.
//!
//! # Source
//! kubernetes-sigs/kustomize `kyaml/openapi/openapi.go`.

use std::borrow::Cow;
use std::collections::HashMap;

use object::{Node as Value, Text};

mod built_in;

use built_in::BuiltIn;

/// Kinds and their fields.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schema {
    /// What Kubernetes has is known too.
    has_built_in: bool,
    kinds: HashMap<(Text, Text), usize>,
    definitions: Vec<Definition>,
    names: HashMap<Text, usize>,
    /// Whether objects of a kind live in a namespace, for kinds that a custom schema adds.
    namespaced: HashMap<(Text, Text), bool>,
}

#[derive(Clone, Debug, Default)]
struct Definition {
    fields: HashMap<Text, usize>,
    additional: Option<usize>,
    items: Option<usize>,
    /// The lists' elements are joined instead of replaced.
    merges: bool,
    /// The keys by which they are joined; none for plain values.
    keys: Vec<Text>,
    /// Another definition this one stands for.
    reference: Option<Text>,
}

/// The schema of one place in an object.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'a> {
    /// A definition that a build brought.
    Own { schema: &'a Schema, at: usize },
    /// A type that is built in, or a list of such.
    BuiltIn(BuiltIn),
}

impl<'a> Place<'a> {
    /// The schema of a field.
    pub fn field(self, name: &str) -> Option<Self> {
        match self {
            Self::Own { schema, at } => {
                let definition = &schema.definitions[at];
                let field = definition.fields.get(name).copied();
                schema.follow(field.or(definition.additional)?)
            }
            Self::BuiltIn(place) => place.field(name).map(Self::BuiltIn),
        }
    }

    /// The schema of the list's elements.
    pub fn elements(self) -> Option<Self> {
        match self {
            Self::Own { schema, at } => schema.follow(schema.definitions[at].items?),
            Self::BuiltIn(place) => place.elements().map(Self::BuiltIn),
        }
    }

    /// The keys by which the list's elements are joined; `None` when a patch replaces the list.
    pub fn merge_keys(self) -> Option<Cow<'a, [Text]>> {
        match self {
            Self::Own { schema, at } => {
                let definition = &schema.definitions[at];
                definition.merges.then_some((&definition.keys).into())
            }
            Self::BuiltIn(place) => place.merge_keys().map(Cow::Owned),
        }
    }
}

/// Most definitions that stand for one another in a row.
const REFERENCES_MAX: usize = 32;

impl Schema {
    /// The schema every build starts with.
    pub fn built_in() -> Self {
        Self {
            has_built_in: true,
            ..Self::default()
        }
    }

    /// The schema of a kind.
    pub fn kind(&self, api_version: &str, kind: &str) -> Option<Place<'_>> {
        if let Some(&at) = self.kinds.get(&(api_version.into(), kind.into())) {
            return self.follow(at);
        }
        let place = self.has_built_in.then(|| BuiltIn::kind(api_version, kind));
        place.flatten().map(Place::BuiltIn)
    }

    /// Whether objects of this kind certainly have no namespace.
    pub fn is_cluster_scoped(&self, api_version: &str, kind: &str) -> bool {
        if is_known_cluster_scoped(api_version, kind) {
            return true;
        }
        !self.namespaced.is_empty()
            && self.namespaced.get(&(api_version.into(), kind.into())) == Some(&false)
    }

    /// Follows references to where the definition is.
    fn follow(&self, mut at: usize) -> Option<Place<'_>> {
        for _ in 0..REFERENCES_MAX {
            let Some(name) = &self.definitions[at].reference else {
                return Some(Place::Own { schema: self, at });
            };
            match self.names.get(name) {
                Some(&next) => at = next,
                None if self.has_built_in => {
                    let known = BuiltIn::named(name).or_else(|| BuiltIn::named(short_name(name)));
                    return known.map(Place::BuiltIn);
                }
                None => return None,
            }
        }
        None
    }

    fn add(&mut self, definition: Definition) -> usize {
        self.definitions.push(definition);
        self.definitions.len() - 1
    }

    /// Adds the definitions and paths of an OpenAPI document.
    pub fn add_document(&mut self, document: &Value) {
        if let Some(definitions) = document.get("definitions").and_then(Value::as_map) {
            for (name, value) in definitions.iter() {
                let definition = self.read(value, 0);
                let at = self.add(definition);
                self.names.insert(name.clone(), at);
                for kind in gvks(value) {
                    self.kinds.insert(kind, at);
                }
            }
        }
        let Some(paths) = document.get("paths").and_then(Value::as_map) else {
            return;
        };
        for (path, value) in paths.iter() {
            let Some(kind) = value
                .get("get")
                .and_then(|get| type_meta(get.get("x-kubernetes-group-version-kind")?))
            else {
                continue;
            };
            if path.contains("namespaces/{namespace}") {
                self.namespaced.insert(kind, true);
            } else {
                self.namespaced.entry(kind).or_insert(false);
            }
        }
    }

    fn read(&mut self, value: &Value, depth: usize) -> Definition {
        let mut definition = Definition::default();
        if depth > DEPTH_MAX {
            return definition;
        }
        if let Some(reference) = value.str_at(&["$ref"]) {
            let name = reference
                .strip_prefix("#/definitions/")
                .unwrap_or(reference);
            definition.reference = Some(name.into());
            return definition;
        }
        for (name, property) in value
            .get("properties")
            .and_then(Value::as_map)
            .into_iter()
            .flat_map(|map| map.iter())
        {
            let property = self.read(property, depth + 1);
            let at = self.add(property);
            definition.fields.insert(name.clone(), at);
        }
        if let Some(additional @ Value::Map(_)) = value.get("additionalProperties") {
            let additional = self.read(additional, depth + 1);
            definition.additional = Some(self.add(additional));
        }
        if value.str_at(&["type"]) == Some("array")
            && let Some(items @ Value::Map(_)) = value.get("items")
        {
            let items = self.read(items, depth + 1);
            definition.items = Some(self.add(items));
        }
        if let Some(strategy) = value.str_at(&["x-kubernetes-patch-strategy"]) {
            definition.merges = strategy.split(',').any(|word| word == "merge");
            let keys = value
                .get("x-kubernetes-list-map-keys")
                .and_then(Value::as_list);
            definition.keys = match (keys, value.str_at(&["x-kubernetes-patch-merge-key"])) {
                (Some(keys), _) => keys
                    .iter()
                    .filter_map(Value::as_str)
                    .map(Text::from)
                    .collect(),
                (None, Some(key)) => vec![key.into()],
                (None, None) => Vec::new(),
            };
        }
        definition
    }
}

/// The name our table has for a definition: `v1.PodSpec` of `io.k8s.api.core.v1.PodSpec`.
fn short_name(name: &str) -> &str {
    let dots = name.rmatch_indices('.').nth(1);
    dots.map_or(name, |(at, _)| &name[at + 1..])
}

/// Deepest nesting of a schema that is read; deeper parts are as if they had no schema.
const DEPTH_MAX: usize = 100;

fn gvks(value: &Value) -> Vec<(Text, Text)> {
    let list = value
        .get("x-kubernetes-group-version-kind")
        .and_then(Value::as_list);
    list.unwrap_or_default()
        .iter()
        .filter_map(type_meta)
        .collect()
}

fn type_meta(value: &Value) -> Option<(Text, Text)> {
    let (version, kind) = (value.str_at(&["version"])?, value.str_at(&["kind"])?);
    let api_version = match value.str_at(&["group"]) {
        Some(group) if !group.is_empty() => format!("{group}/{version}"),
        _ => version.to_owned(),
    };
    Some((api_version.into(), kind.into()))
}

/// Kinds without namespace in Kubernetes 1.21.2, by exact group and version.
fn is_known_cluster_scoped(api_version: &str, kind: &str) -> bool {
    let kinds: &[&str] = match api_version {
        "v1" => &[
            "ComponentStatus",
            "Namespace",
            "Node",
            "NodeProxyOptions",
            "PersistentVolume",
        ],
        "admissionregistration.k8s.io/v1" | "admissionregistration.k8s.io/v1beta1" => &[
            "MutatingWebhookConfiguration",
            "ValidatingWebhookConfiguration",
        ],
        "apiextensions.k8s.io/v1" | "apiextensions.k8s.io/v1beta1" => &["CustomResourceDefinition"],
        "apiregistration.k8s.io/v1" | "apiregistration.k8s.io/v1beta1" => &["APIService"],
        "certificates.k8s.io/v1" | "certificates.k8s.io/v1beta1" => &["CertificateSigningRequest"],
        "flowcontrol.apiserver.k8s.io/v1beta1" => &["FlowSchema", "PriorityLevelConfiguration"],
        "networking.k8s.io/v1" | "networking.k8s.io/v1beta1" => &["IngressClass"],
        "node.k8s.io/v1" | "node.k8s.io/v1beta1" => &["RuntimeClass"],
        "policy/v1beta1" => &["PodSecurityPolicy"],
        "rbac.authorization.k8s.io/v1" | "rbac.authorization.k8s.io/v1beta1" => {
            &["ClusterRole", "ClusterRoleBinding"]
        }
        "scheduling.k8s.io/v1" | "scheduling.k8s.io/v1beta1" => &["PriorityClass"],
        "storage.k8s.io/v1" | "storage.k8s.io/v1beta1" => {
            &["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"]
        }
        _ => return false,
    };
    kinds.contains(&kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_leads_from_a_kind_to_its_lists() {
        let schema = Schema::built_in();
        let pod = schema.kind("apps/v1", "Deployment").unwrap();
        let containers = ["spec", "template", "spec", "containers"]
            .iter()
            .try_fold(pod, |place, field| place.field(field))
            .unwrap();
        assert_eq!(containers.merge_keys().unwrap()[..], ["name"]);
        let ports = containers.elements().unwrap().field("ports").unwrap();
        assert_eq!(
            ports.merge_keys().unwrap()[..],
            ["containerPort", "protocol"]
        );
        assert!(containers.elements().unwrap().field("args").is_none());
        assert!(
            schema
                .kind("autoscaling/v2", "HorizontalPodAutoscaler")
                .is_none()
        );
        assert!(schema.is_cluster_scoped("v1", "Namespace"));
        assert!(!schema.is_cluster_scoped("v2", "Namespace"));
    }
}
