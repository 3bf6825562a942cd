//! What a build knows about kinds: which lists merge by key, and which kinds have no namespace.
//!
//! The facts come from the schemas of Kubernetes 1.21.2, the ones the reference embeds; only those
//! that can change a build are kept (`merge_keys.txt`). A build may bring a schema of its own.
//!
//! # Source
//! kubernetes-sigs/kustomize `kyaml/openapi/openapi.go`.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use object::{Node as Value, Text};

/// Kinds and their fields.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schema {
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
pub(crate) struct Place<'a> {
    schema: &'a Schema,
    at: usize,
}

impl<'a> Place<'a> {
    /// The schema of a field.
    pub fn field(self, name: &str) -> Option<Self> {
        let definition = &self.schema.definitions[self.at];
        let at = definition
            .fields
            .get(name)
            .copied()
            .or(definition.additional)?;
        self.schema.follow(at)
    }

    /// The schema of the list's elements.
    pub fn elements(self) -> Option<Self> {
        self.schema.follow(self.schema.definitions[self.at].items?)
    }

    /// The keys by which the list's elements are joined; `None` when a patch replaces the list.
    pub fn merge_keys(self) -> Option<&'a [Text]> {
        let definition = &self.schema.definitions[self.at];
        definition.merges.then_some(&definition.keys)
    }
}

/// Most definitions that stand for one another in a row.
const REFERENCES_MAX: usize = 32;

impl Schema {
    /// The schema every build starts with.
    pub fn built_in() -> Arc<Self> {
        static BUILT_IN: OnceLock<Arc<Schema>> = OnceLock::new();
        BUILT_IN
            .get_or_init(|| Arc::new(Self::from_table(include_str!("merge_keys.txt"))))
            .clone()
    }

    /// The schema of a kind.
    pub fn kind(&self, api_version: &str, kind: &str) -> Option<Place<'_>> {
        self.follow(*self.kinds.get(&(api_version.into(), kind.into()))?)
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
            match &self.definitions[at].reference {
                Some(name) => {
                    at = *self
                        .names
                        .get(name)
                        .or_else(|| self.names.get(short_name(name)))?
                }
                None => return Some(Place { schema: self, at }),
            }
        }
        None
    }

    fn add(&mut self, definition: Definition) -> usize {
        self.definitions.push(definition);
        self.definitions.len() - 1
    }

    fn from_table(table: &str) -> Self {
        let mut schema = Self::default();
        let reference = |name: &str| Definition {
            reference: Some(name.into()),
            ..Definition::default()
        };
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            let mut words = line.split(' ');
            let (what, name) = (
                words.next().unwrap_or_default(),
                words.next().unwrap_or_default(),
            );
            if what == "kind" {
                let version = name.rsplit('/').next().unwrap_or_default();
                for word in words {
                    let (kind, type_name) = match word.split_once('=') {
                        Some((kind, type_name)) => (kind, type_name.to_owned()),
                        None => (word, format!("{version}.{word}")),
                    };
                    let at = schema.add(reference(&type_name));
                    schema.kinds.insert((name.into(), kind.into()), at);
                }
                continue;
            }
            let mut definition = Definition::default();
            for (field, shape) in words.filter_map(|word| word.split_once('=')) {
                let at = match shape
                    .strip_prefix('[')
                    .and_then(|list| list.split_once(']'))
                {
                    Some((keys, element)) => {
                        let items = match element.is_empty() {
                            true => None,
                            false => Some(schema.add(reference(element))),
                        };
                        schema.add(Definition {
                            merges: true,
                            keys: keys
                                .split('+')
                                .filter(|key| !key.is_empty())
                                .map(Text::from)
                                .collect(),
                            items,
                            ..Definition::default()
                        })
                    }
                    None => schema.add(reference(shape)),
                };
                definition.fields.insert(field.into(), at);
            }
            let at = schema.add(definition);
            schema.names.insert(name.into(), at);
        }
        schema
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
        assert_eq!(containers.merge_keys().unwrap(), ["name"]);
        let ports = containers.elements().unwrap().field("ports").unwrap();
        assert_eq!(ports.merge_keys().unwrap(), ["containerPort", "protocol"]);
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
