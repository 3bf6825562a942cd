//! What a workload needs of others, as templates see it.
//!
//! # Source
//! openchoreo/openchoreo `internal/controller/releasebinding/connections.go` and
//! `internal/pipeline/component/context/resourcedependency.go` at v1.2.3.

use std::collections::BTreeMap;

use object::{Map, Node, Text};

use crate::model::{EndpointDependency, ResourceDependency};
use crate::names::short_hash;

/// Resolved dependencies of a workload.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dependencies {
    /// Endpoints, in the order of the workload.
    pub endpoints: Vec<EndpointItem>,
    /// Resources, in the order of the workload.
    pub resources: Vec<ResourceItem>,
}

/// An endpoint that is needed, and where it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EndpointItem {
    /// What is needed.
    pub dependency: EndpointDependency,
    /// Tenant of the provider.
    pub namespace: Text,
    /// Project of the provider.
    pub project: Text,
    /// Where it is; `None` while that is not known.
    pub url: Option<EndpointUrl>,
    /// Why it is not known, in words.
    pub why: String,
}

/// Where an endpoint is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointUrl {
    /// `http`, `https`, `ws`, `grpc`, `tcp` or `udp`.
    pub scheme: Text,
    /// Host name.
    pub host: Text,
    /// Port.
    pub port: i64,
    /// Base path; may be empty.
    pub path: Text,
}

/// A resource that is needed, and what it gives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResourceItem {
    /// What is needed.
    pub dependency: ResourceDependency,
    /// Outputs by name; `None` while the resource is not there.
    pub outputs: Option<BTreeMap<Text, Output>>,
    /// Why it is not there, in words.
    pub why: String,
}

/// An output of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// A value.
    Value(Text),
    /// A key of a Secret in the data plane.
    Secret {
        /// The Secret.
        name: Text,
        /// The key.
        key: Text,
    },
    /// A key of a ConfigMap in the data plane.
    ConfigMap {
        /// The ConfigMap.
        name: Text,
        /// The key.
        key: Text,
    },
}

impl EndpointUrl {
    /// Host and port; of what speaks HTTP the whole address with its path.
    pub fn address(&self) -> String {
        let Self {
            scheme,
            host,
            port,
            path,
        } = self;
        match scheme.as_str() {
            "http" | "https" | "ws" | "wss" => {
                let slash = match path.starts_with('/') || path.is_empty() {
                    true => "",
                    false => "/",
                };
                format!("{scheme}://{host}:{port}{slash}{path}")
            }
            _ => format!("{host}:{port}"),
        }
    }
}

impl Dependencies {
    /// What is needed and not there yet, in words.
    pub fn pending(&self) -> Vec<String> {
        let endpoints = self.endpoints.iter().filter(|item| item.url.is_none());
        let endpoints = endpoints.map(|item| {
            let own = &item.dependency;
            format!(
                "endpoint `{}` of component `{}/{}`",
                own.endpoint, item.project, own.component
            )
        });
        let resources = self.resources.iter().filter_map(ResourceItem::problem);
        endpoints.chain(resources).collect()
    }

    /// The variable `dependencies`.
    pub fn to_map(&self) -> Map {
        let mut variables = Vec::new();
        let (mut mounts, mut volumes) = (Vec::new(), Vec::new());
        let items: Vec<Node> = self.endpoints.iter().map(EndpointItem::to_node).collect();
        let resources: Vec<Node> = self.resources.iter().map(ResourceItem::to_node).collect();
        for item in items.iter().chain(&resources) {
            let list = |key: &str| item.get(key).and_then(Node::as_list).unwrap_or_default();
            variables.extend_from_slice(list("envVars"));
            mounts.extend_from_slice(list("volumeMounts"));
            volumes.extend_from_slice(list("volumes"));
        }
        Map::from_iter([
            ("items", Node::from(items)),
            ("resources", resources.into()),
            ("envVars", variables.into()),
            ("volumeMounts", mounts.into()),
            ("volumes", volumes.into()),
        ])
    }
}

impl EndpointItem {
    fn to_node(&self) -> Node {
        let own = &self.dependency;
        let mut variables = Vec::new();
        if let Some(url) = &self.url {
            let values = [
                ("address", url.address()),
                ("host", url.host.to_string()),
                ("port", url.port.to_string()),
                ("basePath", url.path.to_string()),
            ];
            for (kind, value) in values {
                if let Some(name) = own.variables.get(kind) {
                    let mut entry = Map::from_iter([("name", name.clone())]);
                    // Without a value the variable is set and empty.
                    if !value.is_empty() {
                        entry.insert("value", value);
                    }
                    variables.push(Node::from(entry));
                }
            }
        }
        Map::from_iter([
            ("namespace", Node::from(self.namespace.clone())),
            ("project", self.project.clone().into()),
            ("component", own.component.clone().into()),
            ("endpoint", own.endpoint.clone().into()),
            ("visibility", own.visibility.clone().into()),
            ("envVars", variables.into()),
        ])
        .into()
    }
}

impl ResourceItem {
    /// What is missing of it, in words.
    pub fn problem(&self) -> Option<String> {
        let own = &self.dependency;
        let name = &own.reference;
        let Some(outputs) = &self.outputs else {
            return Some(format!("resource `{name}`: {}", self.why));
        };
        let missing = |wanted: &Text| !outputs.contains_key(wanted);
        let wanted = own.variables.keys().chain(own.files.keys());
        let missing: Vec<String> = wanted
            .filter(|own| missing(own))
            .map(|own| format!("`{own}`"))
            .collect();
        if !missing.is_empty() {
            return Some(format!(
                "output {} of resource `{name}`",
                missing.join(", ")
            ));
        }
        // A value is no key of anything that could be mounted.
        let values = own.files.keys();
        let mut values = values.filter(|own| matches!(outputs.get(*own), Some(Output::Value(_))));
        let value = values.next()?;
        Some(format!(
            "a file for output `{value}` of resource `{name}`, which is a value and no key of a Secret or ConfigMap"
        ))
    }

    fn to_node(&self) -> Node {
        let own = &self.dependency;
        let nothing = BTreeMap::new();
        let outputs = self.outputs.as_ref().unwrap_or(&nothing);
        let entry = |name: &Text, key: &Text| -> Node {
            Map::from_iter([("name", name.clone()), ("key", key.clone())]).into()
        };
        let mut variables = Vec::new();
        for (output, variable) in &own.variables {
            let mut out = Map::from_iter([("name", Node::from(variable.clone()))]);
            let from = match outputs.get(output) {
                None => continue,
                Some(Output::Value(value)) => {
                    out.insert("value", value.clone());
                    variables.push(out.into());
                    continue;
                }
                Some(Output::Secret { name, key }) => ("secretKeyRef", entry(name, key)),
                Some(Output::ConfigMap { name, key }) => ("configMapKeyRef", entry(name, key)),
            };
            out.insert("valueFrom", Map::from_iter([from]));
            variables.push(out.into());
        }
        let mut mounts = Vec::new();
        let mut volumes: BTreeMap<(&str, &Text), Node> = BTreeMap::new();
        for (output, path) in &own.files {
            let (kind, field, name_key, name, key) = match outputs.get(output) {
                Some(Output::Secret { name, key }) => ("secret", "secret", "secretName", name, key),
                Some(Output::ConfigMap { name, key }) => {
                    ("configmap", "configMap", "name", name, key)
                }
                _ => continue,
            };
            let volume = short_hash(&format!("{}:{kind}:{name}", own.reference));
            let volume = format!("r-{volume}");
            mounts.push(Node::from(Map::from_iter([
                ("name", volume.clone()),
                ("mountPath", path.to_string()),
                ("subPath", key.to_string()),
            ])));
            let mut entry = Node::map();
            entry.set(&["name"], volume);
            entry.set(&[field, name_key], name.clone());
            volumes.insert((kind, name), entry);
        }
        Map::from_iter([
            ("ref", Node::from(own.reference.clone())),
            ("envVars", variables.into()),
            ("volumeMounts", mounts.into()),
            ("volumes", volumes.into_values().collect::<Vec<_>>().into()),
        ])
        .into()
    }
}
