//! Rendering the bindings of a catalog.

use std::collections::BTreeMap;
use std::sync::Arc;

use object::{Node, Text};

use super::{BindingError, Catalog, ReferenceErrors};
use crate::dependencies::{Dependencies, EndpointItem, EndpointUrl, ResourceItem};
use crate::model::{Owner, ReleaseBinding, Workload};
use crate::render::{Inputs, RenderErrors, Renderer, Rendering};

/// What a binding comes to.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Objects.
    Rendered(Box<Rendering>),
    /// It shall not run: no objects, and those there are go.
    Undeployed,
    /// What it needs of others is not there yet: the objects there are stay.
    Pending {
        /// What is missing, in words.
        missing: Vec<String>,
        /// What fails besides, with nothing in place of what is missing; perhaps because of that.
        errors: Option<RenderErrors>,
    },
    /// It gives no objects: those there are stay.
    Failed(BindingError),
}

/// Renders bindings of a catalog.
#[derive(Debug)]
pub struct Session<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) renderer: Arc<Renderer>,
    /// Endpoints of bindings by namespace and name.
    endpoints: BTreeMap<(Text, Text), BTreeMap<Text, EndpointUrl>>,
}

impl<'a> Session<'a> {
    /// A session over a catalog.
    pub fn new(catalog: &'a Catalog) -> Self {
        Self::with(catalog, Arc::default())
    }

    /// A session that goes on with what a renderer has compiled before.
    pub fn with(catalog: &'a Catalog, renderer: Arc<Renderer>) -> Self {
        Self {
            catalog,
            renderer,
            endpoints: BTreeMap::new(),
        }
    }

    /// Renders a binding with what its workload needs of others.
    pub fn render(&mut self, binding: &'a ReleaseBinding) -> Outcome {
        if !binding.active {
            return match self.catalog.resolve(binding) {
                Ok(_) => Outcome::Undeployed,
                Err(errors) => Outcome::Failed(errors.into()),
            };
        }
        let inputs = match self.inputs(binding) {
            Ok(inputs) => inputs,
            Err(errors) => return Outcome::Failed(errors.into()),
        };
        let missing = inputs.dependencies.pending();
        let rendered = self.renderer.render(&inputs);
        if !missing.is_empty() {
            return Outcome::Pending {
                missing,
                errors: rendered.err(),
            };
        }
        match rendered {
            Ok(rendering) => Outcome::Rendered(Box::new(rendering)),
            Err(errors) => Outcome::Failed(errors.into()),
        }
    }

    /// Everything a binding renders from, with what its workload needs of others.
    ///
    /// # Errors
    /// Every reference that leads nowhere.
    pub fn inputs(&mut self, binding: &'a ReleaseBinding) -> Result<Inputs<'a>, ReferenceErrors> {
        let mut inputs = self.catalog.resolve(binding)?;
        inputs.dependencies = self.dependencies(binding, &inputs.release.workload);
        Ok(inputs)
    }

    /// What a workload needs of others, as far as the catalog tells.
    pub fn dependencies(&mut self, binding: &ReleaseBinding, workload: &Workload) -> Dependencies {
        let namespace = &binding.head.namespace;
        let mut endpoints = Vec::new();
        for dependency in &workload.endpoint_dependencies {
            let project = match dependency.project.as_str() {
                "" => binding.owner.project.clone(),
                project => project.into(),
            };
            let owner = Owner {
                project: project.clone(),
                component: dependency.component.clone(),
            };
            // Of several the first that shall run.
            let catalog = self.catalog;
            let provider = catalog
                .bindings_of_component(namespace, &owner.component)
                .find(|own| {
                    own.active && own.owner == owner && own.environment == binding.environment
                });
            let url = provider.and_then(|provider| {
                let known = self.endpoints_of(provider);
                known.get(&dependency.endpoint).cloned()
            });
            let why = match provider {
                None => format!(
                    "nothing of it is bound in environment `{}`",
                    binding.environment
                ),
                Some(provider) => format!(
                    "ReleaseBinding `{}` has no Service with the port of such an endpoint",
                    provider.head.name
                ),
            };
            endpoints.push(EndpointItem {
                dependency: dependency.clone(),
                namespace: namespace.clone(),
                project,
                why: if url.is_some() { String::new() } else { why },
                url,
            });
        }
        let resources = workload.resource_dependencies.iter().map(|dependency| {
            let name = &dependency.reference;
            let outputs =
                self.catalog
                    .outputs(namespace, &binding.owner, name, &binding.environment);
            let (outputs, why) = match outputs {
                Ok(outputs) => (Some(outputs.clone()), String::new()),
                Err(why) => (None, why),
            };
            ResourceItem {
                dependency: dependency.clone(),
                outputs,
                why,
            }
        });
        Dependencies {
            endpoints,
            resources: resources.collect(),
        }
    }

    /// Where the endpoints of a binding are inside its data plane.
    ///
    /// It is rendered without what it needs of others, which no Service depends on.
    pub fn endpoints_of(&mut self, binding: &'a ReleaseBinding) -> &BTreeMap<Text, EndpointUrl> {
        let key = (binding.head.namespace.clone(), binding.head.name.clone());
        if !self.endpoints.contains_key(&key) {
            let inputs = self.catalog.resolve(binding).ok();
            let found = inputs.and_then(|inputs| {
                let rendering = self.renderer.render(&inputs).ok()?;
                Some(endpoints(&rendering, &inputs))
            });
            self.endpoints
                .insert(key.clone(), found.unwrap_or_default());
        }
        &self.endpoints[&key]
    }
}

/// Addresses of the endpoints of a workload: of the first Service that has the port.
pub fn endpoints(rendering: &Rendering, inputs: &Inputs<'_>) -> BTreeMap<Text, EndpointUrl> {
    let services: Vec<&Node> = rendering
        .objects
        .iter()
        .map(|own| &own.object)
        .filter(|own| {
            own.str_at(&["kind"]) == Some("Service") && own.str_at(&["apiVersion"]) == Some("v1")
        })
        .collect();
    let mut out = BTreeMap::new();
    for (name, endpoint) in &inputs.release.workload.endpoints {
        let service = services.iter().find(|own| {
            let ports = own.at(&["spec", "ports"]).and_then(Node::as_list);
            ports
                .unwrap_or_default()
                .iter()
                .any(|port| port.get("port").and_then(Node::as_i64) == Some(endpoint.port))
        });
        let Some(service) = service else { continue };
        let own = service.str_at(&["metadata", "name"]).unwrap_or_default();
        let namespace = service.str_at(&["metadata", "namespace"]);
        let namespace = namespace.unwrap_or(&inputs.metadata.namespace);
        let scheme = match endpoint.kind.as_str() {
            "gRPC" => "grpc",
            "Websocket" => "ws",
            "TCP" => "tcp",
            "UDP" => "udp",
            _ => "http",
        };
        let url = EndpointUrl {
            scheme: scheme.into(),
            host: format!("{own}.{namespace}.svc.cluster.local").into(),
            port: endpoint.port,
            path: endpoint.base_path.clone().unwrap_or_default(),
        };
        out.insert(name.clone(), url);
    }
    out
}
