//! The variables of templates.
//!
//! A release sees what its own version gives it. Where its templates name what only another
//! version has, that is added, so that trees of two versions can be mixed; see [`Mentions`].
//!
//! # Source
//! openchoreo/openchoreo `internal/pipeline/component/context/types.go` at v0.12.0 and v1.2.3.

use std::collections::BTreeMap;

use object::{Map, Node, Text};

use crate::helpers;
use crate::metadata::Metadata;
use crate::model::dialect::{trait_texts, type_texts};
use crate::model::read::SINGLE_CONTAINER;
use crate::model::{
    ComponentRelease, Container, DataPlane, Dialect, Endpoint, Environment, Workload,
};
use crate::parameters::Values;
use crate::template::Context;

/// What templates name that only another version has.
///
/// Looked for as text: what is added without need does no harm, except that a template that prints
/// a whole variable would print it too.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mentions {
    container: bool,
    containers: bool,
    container_configurations: bool,
    own_configurations: bool,
    public_virtual_host: bool,
    pub(crate) routes: bool,
    derived: bool,
}

impl Mentions {
    pub(crate) fn of(release: &ComponentRelease) -> Self {
        let mut found = Self::default();
        let mut texts = type_texts(&release.component_type);
        for (_, own) in &release.traits {
            texts.extend(trait_texts(own));
        }
        for text in texts {
            if !text.contains("${") {
                continue;
            }
            found.container |= has_word(text, "workload.container");
            found.containers |= has_word(text, "workload.containers");
            found.container_configurations |=
                text.contains("configurations.main.") || text.contains("configurations[");
            found.own_configurations |= has_word(text, "configurations.configs")
                || has_word(text, "configurations.secrets");
            found.public_virtual_host |= has_word(text, "dataplane.publicVirtualHost");
            found.routes |= text.contains("toEndpointResources");
            found.derived |= has_word(text, "derived");
        }
        found
    }
}

fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let after = text[at + word.len()..].chars().next();
        after.is_none_or(|c| !(c.is_alphanumeric() || c == '_'))
    })
}

/// What all variables but the values are made from.
pub(crate) struct Base<'a> {
    pub release: &'a ComponentRelease,
    pub workload: &'a Workload,
    /// Whether there is one container without a name.
    pub single: bool,
    pub configurations: Map,
    pub environment: &'a Environment,
    pub data_plane: &'a DataPlane,
    pub metadata: &'a Metadata,
    pub dependencies: Map,
    pub notification_channel: Option<&'a Text>,
    /// Routes of endpoints by name.
    pub routes: BTreeMap<Text, Node>,
    pub mentions: Mentions,
}

impl Base<'_> {
    /// Every variable that does not depend on a type's or trait's values.
    pub(crate) fn context(&self) -> Context {
        let mentions = self.mentions;
        let gateway = gateway(self.environment, self.data_plane);
        let own = &self.metadata.identities;
        let mut configurations = self.configurations.clone();
        if self.single && mentions.container_configurations {
            configurations.insert(SINGLE_CONTAINER, self.configurations.clone());
        }
        if !self.single
            && mentions.own_configurations
            && let (1, Some(Node::Map(only))) = (
                self.configurations.len(),
                self.configurations.values().next(),
            )
        {
            configurations.extend(only.clone());
        }
        // Methods look at what is really there.
        let configurations = helpers::configurations(
            configurations,
            self.configurations.clone(),
            self.single,
            &own.component,
            &own.environment,
        );
        let mut context = Context::default()
            .with("metadata", &self.metadata.to_node())
            .with("dataplane", &self.data_plane(mentions))
            .with("environment", &self.environment(&gateway))
            .with(
                "workload",
                helpers::workload(self.workload(mentions), self.routes.clone()),
            )
            .with("configurations", configurations)
            .with(
                "dependencies",
                helpers::dependencies(self.dependencies.clone()),
            );
        if !gateway.is_empty() {
            context = context.with("gateway", &Node::from(gateway));
        }
        if self.single && self.release.dialect.is_v1() && mentions.derived {
            let derived = helpers::derived(
                &self.configurations,
                (&own.component, &own.environment),
                &self.workload(mentions),
                &self.routes,
                &self.dependencies,
            );
            context = context.with("derived", &derived);
        }
        context
    }

    fn workload(&self, mentions: Mentions) -> Map {
        let containers = &self.workload.containers;
        let only = match containers.len() {
            1 => containers.values().next(),
            _ => None,
        };
        let mut out = Map::new();
        if self.single || (mentions.container && only.is_some()) {
            let container = only.map_or_else(Node::map, container);
            out.insert("container", container);
        }
        if !self.single || mentions.containers {
            let all: Map = containers
                .iter()
                .map(|(name, own)| (name.clone(), container(own)))
                .collect();
            out.insert("containers", all);
        }
        let v1 = self.single;
        let endpoints: Map = self
            .workload
            .endpoints
            .iter()
            .map(|(name, own)| (name.clone(), endpoint(own, v1)))
            .collect();
        out.insert("endpoints", endpoints);
        out
    }

    fn data_plane(&self, mentions: Mentions) -> Node {
        let plane = self.data_plane;
        let mut out = Map::new();
        if let Some(store) = &plane.secret_store {
            out.insert("secretStore", store.clone());
        }
        let v1 = self.release.dialect.is_v1();
        if (!v1 || mentions.public_virtual_host)
            && let Some(host) = &plane.public_virtual_host
        {
            out.insert("publicVirtualHost", host.clone());
        }
        let gateway = plane.gateway.as_map().cloned().unwrap_or_default();
        if v1 && !gateway.is_empty() {
            out.insert("gateway", gateway);
        }
        if let Some(reference) = &plane.observability_plane {
            let name = Node::from(reference.name.clone());
            let value = match v1 {
                true => {
                    Map::from_iter([("kind", reference.kind.clone().into()), ("name", name)]).into()
                }
                false => name,
            };
            out.insert("observabilityPlaneRef", value);
        }
        let mut annotations = plane.head.annotations.clone();
        // What we write ourselves is no business of templates.
        annotations.retain(|key, _| !key.starts_with("fleetwright.dev/"));
        if v1 && !annotations.is_empty() {
            out.insert("annotations", annotations);
        }
        out.into()
    }

    fn environment(&self, gateway: &Map) -> Node {
        let mut out = Map::new();
        if !gateway.is_empty() {
            out.insert("gateway", gateway.clone());
        }
        if let Some(channel) = self.notification_channel {
            out.insert("defaultNotificationChannel", channel.clone());
        }
        out.into()
    }
}

/// A context with the values of a type or a trait.
pub(crate) fn with_values(context: &Context, values: &Values) -> Context {
    context
        .clone()
        .with("parameters", &values.parameters)
        .with("envOverrides", &values.environment)
        .with("environmentConfigs", &values.environment)
}

/// Gateways of the environment over those of the plane: for each direction and visibility the
/// whole entry of one or the other.
pub(crate) fn gateway(environment: &Environment, plane: &DataPlane) -> Map {
    let mut out = Map::new();
    for direction in ["ingress", "egress"] {
        let mut entries = Map::new();
        for visibility in ["external", "internal"] {
            let at = [direction, visibility];
            let own = environment.gateway.at(&at);
            if let Some(entry) = own.or_else(|| plane.gateway.at(&at)) {
                entries.insert(visibility, entry.clone());
            }
        }
        if !entries.is_empty() {
            out.insert(direction, entries);
        }
    }
    out
}

fn container(container: &Container) -> Node {
    let mut out = Map::new();
    if !container.image.is_empty() {
        out.insert("image", container.image.clone());
    }
    for (key, words) in [("command", &container.command), ("args", &container.args)] {
        if let Some(words) = words {
            out.insert(key, words.clone());
        }
    }
    out.into()
}

fn endpoint(endpoint: &Endpoint, v1: bool) -> Node {
    let mut out = Map::from_iter([
        ("type", Node::from(endpoint.kind.clone())),
        ("port", endpoint.port.into()),
    ]);
    if !v1 {
        if let Some(schema) = &endpoint.schema {
            out.insert("schema", schema.clone());
        }
        return out.into();
    }
    out.insert("targetPort", endpoint.target_port.unwrap_or(endpoint.port));
    for (key, text) in [
        ("displayName", &endpoint.display_name),
        ("basePath", &endpoint.base_path),
    ] {
        if let Some(text) = text {
            out.insert(key, text.clone());
        }
    }
    let others = endpoint.visibility.iter().filter(|own| *own != "project");
    let visibility: Vec<Node> = std::iter::once(Node::from("project"))
        .chain(others.map(|own| own.clone().into()))
        .collect();
    out.insert("visibility", visibility);
    out.into()
}

/// Whether a workload is seen as one container without a name.
pub(crate) fn is_single(workload: &Workload, dialect: Dialect) -> bool {
    workload.single || (dialect.is_v1() && workload.containers.len() <= 1)
}
