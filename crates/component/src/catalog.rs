//! The objects of a tree, and what they refer to.
//!
//! A [`Catalog`] holds what was read of a checkout or a cluster and finds what a binding needs.
//! A [`Session`] renders bindings of a catalog; what one of them offers others is rendered once.
//!
//! ```no_run
//! use component::catalog::{Catalog, Outcome, Session};
//! # let objects: Vec<object::Object> = Vec::new();
//! let (catalog, notices) = Catalog::read(&objects, "default");
//! let mut session = Session::new(&catalog);
//! for binding in catalog.bindings().filter(|binding| binding.environment == "staging") {
//!     match session.render(binding) {
//!         Outcome::Rendered(rendering) => println!("{} objects", rendering.objects.len()),
//!         Outcome::Failed(error) => println!("{}: {error}", binding.head),
//!         other => println!("{}: {other:?}", binding.head),
//!     }
//! }
//! ```
//!
//! # Invariants
//!
//! - **The order of objects does not matter**, except that of two with one key the first counts.
//! - **One unreadable object harms only itself.**

mod component;
mod project;

use std::collections::BTreeMap;
use std::fmt;

pub use component::{ComponentProblem, Frozen};

use diag::{Code, Explain, Reason, Retry};
use object::{Node, Object, Text};

use crate::dependencies::{Dependencies, EndpointItem, EndpointUrl, ResourceItem};
use crate::identity;
use crate::metadata::{Identities, Metadata};
use crate::model::{
    self, Component, ComponentRelease, ComponentType, DataPlane, DeploymentPipeline, Environment,
    Finding, Head, Item, Named, Owner, Project, ReadError, Reference, ReleaseBinding,
    SecretReference, Trait, Workload,
};
use crate::render::{Inputs, RenderErrors, Renderer, Rendering};

/// The kind of notification channels.
const NOTIFICATION_CHANNEL: &str = "ObservabilityAlertsNotificationChannel";

/// Kind, namespace and name.
type Key = (Text, Text, Text);

/// Objects by kind, namespace and name.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    items: BTreeMap<Key, Item>,
    /// Specs as they are written, of what releases freeze.
    specs: BTreeMap<Key, Node>,
    /// Default notification channels by namespace and environment, and whether they are marked.
    channels: BTreeMap<(Text, Text), (Text, bool)>,
}

/// Something to tell about an object that was read.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// A field that no version knows.
    Unknown(Box<Head>, Finding),
    /// A file of command-line tools; it is no object and is left alone.
    ReleaseConfig(Box<Head>),
    /// An object that cannot be read, and is not there for others.
    Refused(ReadError),
    /// An object whose kind, namespace and name another one has; this one does not count.
    Repeated {
        /// The one that does not count.
        head: Box<Head>,
        /// The one that counts.
        first: Box<Head>,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(head, finding) => write!(f, "{head}: {finding}"),
            Self::ReleaseConfig(head) => write!(
                f,
                "{head} is a file of command-line tools, not an object; it is left alone"
            ),
            Self::Refused(error) => write!(f, "{error}"),
            Self::Repeated { head, first } => {
                write!(f, "{head} is there twice")?;
                match &first.origin {
                    Some(origin) => write!(f, "; the one in {origin} counts"),
                    None => f.write_str("; the first counts"),
                }
            }
        }
    }
}

impl Catalog {
    /// Reads objects; those of other groups are skipped. Namespaced objects without a namespace
    /// are in `namespace`.
    pub fn read<'a>(
        objects: impl IntoIterator<Item = &'a Object>,
        namespace: &str,
    ) -> (Self, Vec<Notice>) {
        let mut catalog = Self::default();
        let mut notices = Vec::new();
        for object in objects {
            notices.extend(catalog.add(object, namespace));
        }
        (catalog, notices)
    }

    /// Reads one more object; see [`Self::read`].
    pub fn add(&mut self, object: &Object, namespace: &str) -> Vec<Notice> {
        let placed = place(object, namespace);
        let object = placed.as_ref().unwrap_or(object);
        let read = match model::read(object) {
            None => return Vec::new(),
            Some(Err(error)) => return vec![Notice::Refused(error)],
            Some(Ok(read)) => read,
        };
        let head = read.item.head().clone();
        if matches!(read.item, Item::ReleaseConfig(_)) {
            return vec![Notice::ReleaseConfig(Box::new(head))];
        }
        let mut notices: Vec<Notice> = read
            .warnings
            .into_iter()
            .map(|finding| Notice::Unknown(Box::new(head.clone()), finding))
            .collect();
        let key = (head.kind.clone(), head.namespace.clone(), head.name.clone());
        match self.items.get(&key) {
            Some(first) => notices.push(Notice::Repeated {
                first: Box::new(first.head().clone()),
                head: Box::new(head),
            }),
            None => {
                let spec = object.node.get("spec").cloned().unwrap_or_default();
                match &read.item {
                    Item::Component(_)
                    | Item::ComponentType(_)
                    | Item::Trait(_)
                    | Item::Workload(..) => drop(self.specs.insert(key.clone(), spec)),
                    Item::Stored(_) if head.kind == NOTIFICATION_CHANNEL => {
                        self.add_channel(&head, &spec);
                    }
                    _ => {}
                }
                self.items.insert(key, read.item);
            }
        }
        notices
    }

    /// The channel that is marked, else the first by name, is the default of its environment.
    fn add_channel(&mut self, head: &Head, spec: &Node) {
        let environment = spec.str_at(&["environment"]).unwrap_or_default();
        let key = (head.namespace.clone(), Text::from(environment));
        let marked = spec.get("isEnvDefault").and_then(Node::as_bool) == Some(true);
        match self.channels.get(&key) {
            Some((_, true)) if !marked => {}
            Some((name, was)) if *was == marked && *name <= head.name => {}
            _ => drop(self.channels.insert(key, (head.name.clone(), marked))),
        }
    }

    /// The object of this kind, namespace and name.
    pub fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<&Item> {
        self.items
            .get(&(kind.into(), namespace.into(), name.into()))
    }

    /// Every object by kind, namespace and name.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.items.values()
    }

    fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Item> {
        let from = (Text::from(kind), Text::default(), Text::default());
        let items = self.items.range(from..);
        let kind = Text::from(kind);
        items
            .take_while(move |((own, _, _), _)| *own == kind)
            .map(|(_, item)| item)
    }

    /// Bindings by namespace and name.
    pub fn bindings(&self) -> impl Iterator<Item = &ReleaseBinding> {
        self.of_kind("ReleaseBinding")
            .filter_map(|item| match item {
                Item::ReleaseBinding(binding) => Some(binding),
                _ => None,
            })
    }

    /// Bindings of one component to one environment, by name. Where there are several, which one
    /// runs is for a controller to decide; none is preferred here.
    pub fn bindings_of<'a>(
        &'a self,
        namespace: &'a str,
        owner: &'a Owner,
        environment: &'a str,
    ) -> impl Iterator<Item = &'a ReleaseBinding> {
        self.bindings().filter(move |own| {
            own.head.namespace == namespace && own.owner == *owner && own.environment == environment
        })
    }

    /// Releases by namespace and name.
    pub fn releases(&self) -> impl Iterator<Item = &ComponentRelease> {
        self.of_kind("ComponentRelease")
            .filter_map(|item| match item {
                Item::ComponentRelease(release) => Some(&**release),
                _ => None,
            })
    }

    /// Components by namespace and name.
    pub fn components(&self) -> impl Iterator<Item = &Component> {
        self.of_kind("Component").filter_map(|item| match item {
            Item::Component(component) => Some(component),
            _ => None,
        })
    }

    /// Workloads of a component.
    pub fn workloads<'a>(
        &'a self,
        namespace: &'a str,
        owner: &'a Owner,
    ) -> impl Iterator<Item = &'a Named<Workload>> {
        self.of_kind("Workload").filter_map(move |item| match item {
            Item::Workload(workload, own) if own == owner => {
                Some(workload).filter(|workload| workload.head.namespace == namespace)
            }
            _ => None,
        })
    }

    /// A release.
    pub fn release(&self, namespace: &str, name: &str) -> Option<&ComponentRelease> {
        match self.get("ComponentRelease", namespace, name)? {
            Item::ComponentRelease(release) => Some(release),
            _ => None,
        }
    }

    /// An environment.
    pub fn environment(&self, namespace: &str, name: &str) -> Option<&Environment> {
        match self.get("Environment", namespace, name)? {
            Item::Environment(environment) => Some(environment),
            _ => None,
        }
    }

    /// A data plane that an object of `namespace` refers to.
    pub fn data_plane(&self, namespace: &str, reference: &Reference) -> Option<&DataPlane> {
        match self.referred(namespace, reference)? {
            Item::DataPlane(plane) => Some(plane),
            _ => None,
        }
    }

    /// The data plane that a binding's environment is on.
    pub fn data_plane_of(&self, binding: &ReleaseBinding) -> Option<&DataPlane> {
        let namespace = binding.head.namespace.as_str();
        let environment = self.environment(namespace, &binding.environment)?;
        self.data_plane(namespace, environment.data_plane.as_ref()?)
    }

    /// A project.
    pub fn project(&self, namespace: &str, name: &str) -> Option<&Project> {
        match self.get("Project", namespace, name)? {
            Item::Project(project) => Some(project),
            _ => None,
        }
    }

    /// A component.
    pub fn component(&self, namespace: &str, name: &str) -> Option<&Component> {
        match self.get("Component", namespace, name)? {
            Item::Component(component) => Some(component),
            _ => None,
        }
    }

    /// A pipeline.
    pub fn pipeline(&self, namespace: &str, name: &str) -> Option<&DeploymentPipeline> {
        match self.get("DeploymentPipeline", namespace, name)? {
            Item::DeploymentPipeline(pipeline) => Some(pipeline),
            _ => None,
        }
    }

    /// A component type that an object of `namespace` refers to.
    pub fn component_type(
        &self,
        namespace: &str,
        reference: &Reference,
    ) -> Option<&Named<ComponentType>> {
        match self.referred(namespace, reference)? {
            Item::ComponentType(own) => Some(own),
            _ => None,
        }
    }

    /// A trait that an object of `namespace` refers to.
    pub fn trait_of(&self, namespace: &str, reference: &Reference) -> Option<&Named<Trait>> {
        match self.referred(namespace, reference)? {
            Item::Trait(own) => Some(own),
            _ => None,
        }
    }

    /// What a reference leads to: cluster-scoped kinds have no namespace.
    fn referred(&self, namespace: &str, reference: &Reference) -> Option<&Item> {
        let namespace = match reference.kind.starts_with("Cluster") {
            true => "",
            false => namespace,
        };
        self.get(&reference.kind, namespace, &reference.name)
    }

    /// SecretReferences of a namespace by name.
    pub fn secrets(&self, namespace: &str) -> BTreeMap<Text, &SecretReference> {
        let secrets = self
            .of_kind("SecretReference")
            .filter_map(|item| match item {
                Item::SecretReference(own) if own.head.namespace == namespace => {
                    Some((own.head.name.clone(), own))
                }
                _ => None,
            });
        secrets.collect()
    }

    /// Everything a binding needs, without what its workload needs of others.
    ///
    /// # Errors
    /// Every reference that leads nowhere, the one that upstream looks at first in front.
    pub fn resolve<'a>(
        &'a self,
        binding: &'a ReleaseBinding,
    ) -> Result<Inputs<'a>, ReferenceErrors> {
        let namespace = binding.head.namespace.as_str();
        let mut errors = Vec::new();
        let release = match &binding.release {
            None => {
                errors.push(ReferenceError::NoRelease);
                None
            }
            Some(name) => {
                let found = self.release(namespace, name);
                match found {
                    None => errors.push(ReferenceError::Release {
                        name: name.clone(),
                        known: self.release_names(namespace, &binding.owner),
                    }),
                    Some(release) if release.owner != binding.owner => {
                        errors.push(ReferenceError::Owner {
                            binding: binding.owner.clone(),
                            release: release.owner.clone(),
                        });
                    }
                    Some(_) => {}
                }
                found
            }
        };
        let environment = self.environment(namespace, &binding.environment);
        let data_plane = match environment {
            None => {
                errors.push(ReferenceError::Environment(binding.environment.clone()));
                None
            }
            Some(environment) => match &environment.data_plane {
                None => {
                    let name = binding.environment.clone();
                    errors.push(ReferenceError::NoDataPlane(name));
                    None
                }
                Some(reference) => {
                    let found = self.data_plane(namespace, reference);
                    if found.is_none() {
                        errors.push(ReferenceError::DataPlane(reference.clone()));
                    }
                    found
                }
            },
        };
        let component = self.component(namespace, &binding.owner.component);
        if component.is_none() {
            let name = binding.owner.component.clone();
            errors.push(ReferenceError::Component(name));
        }
        let project = self.project(namespace, &binding.owner.project);
        if project.is_none() {
            let name = binding.owner.project.clone();
            errors.push(ReferenceError::Project(name));
        }
        let (
            true,
            Some(release),
            Some(environment),
            Some(data_plane),
            Some(component),
            Some(project),
        ) = (
            errors.is_empty(),
            release,
            environment,
            data_plane,
            component,
            project,
        )
        else {
            return Err(ReferenceErrors(errors));
        };
        let identities = Identities {
            namespace: binding.head.namespace.clone(),
            project: binding.owner.project.clone(),
            project_uid: identity::of(&project.head),
            component: binding.owner.component.clone(),
            component_uid: identity::of(&component.head),
            environment: binding.environment.clone(),
            environment_uid: identity::of(&environment.head),
            data_plane: data_plane.head.name.clone(),
            data_plane_uid: identity::of(&data_plane.head),
        };
        Ok(Inputs {
            release,
            binding,
            environment,
            data_plane,
            metadata: Metadata::new(identities, release.dialect),
            secrets: self.secrets(namespace),
            dependencies: Dependencies::default(),
            notification_channel: self
                .channels
                .get(&(binding.head.namespace.clone(), binding.environment.clone()))
                .map(|(name, _)| name.clone()),
        })
    }

    fn release_names(&self, namespace: &str, owner: &Owner) -> Vec<Text> {
        let releases = self
            .releases()
            .filter(|release| release.head.namespace == namespace && release.owner == *owner);
        releases.map(|release| release.head.name.clone()).collect()
    }

    /// Whether the observability plane that a data plane names is there.
    pub fn has_observability_plane(&self, plane: &DataPlane) -> bool {
        let reference = plane.observability_plane.as_ref();
        reference.is_some_and(|reference| self.referred(&plane.head.namespace, reference).is_some())
    }
}

/// The object with its namespace, if it has none and its kind needs one.
fn place(object: &Object, namespace: &str) -> Option<Object> {
    let cluster_scoped = object.kind().starts_with("Cluster")
        || matches!(object.kind(), "Organization" | "ReleaseConfig");
    if cluster_scoped || !object.namespace().is_empty() || !model::is_openchoreo(object) {
        return None;
    }
    let mut placed = object.clone();
    placed.node.set(&["metadata", "namespace"], namespace);
    Some(placed)
}

/// A reference of a binding that leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReferenceError {
    /// The binding names no release.
    NoRelease,
    /// There is no such release.
    Release {
        /// Its name.
        name: Text,
        /// The releases of the component.
        known: Vec<Text>,
    },
    /// There is no such release of a project.
    ProjectRelease {
        /// Its name.
        name: Text,
        /// The releases of the project.
        known: Vec<Text>,
    },
    /// The release is of another component.
    Owner {
        /// Of the binding.
        binding: Owner,
        /// Of the release.
        release: Owner,
    },
    /// There is no such environment.
    Environment(Text),
    /// The environment names no data plane.
    NoDataPlane(Text),
    /// There is no such data plane.
    DataPlane(Reference),
    /// There is no such component.
    Component(Text),
    /// There is no such project.
    Project(Text),
}

impl ReferenceError {
    /// The word for the condition `ReleaseSynced`.
    pub fn reason(&self) -> Reason {
        Reason(match self {
            Self::NoRelease | Self::Release { .. } => "ComponentReleaseNotFound",
            Self::ProjectRelease { .. } => "ProjectReleaseNotFound",
            Self::Owner { .. } => "InvalidReleaseConfiguration",
            Self::Environment(_) => "EnvironmentNotFound",
            Self::NoDataPlane(_) => "DataPlaneNotConfigured",
            Self::DataPlane(_) => "DataPlaneNotFound",
            Self::Component(_) => "ComponentNotFound",
            Self::Project(_) => "ProjectNotFound",
        })
    }
}

impl fmt::Display for ReferenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRelease => f.write_str("no release is selected"),
            Self::Release { name, known } | Self::ProjectRelease { name, known } => {
                let kind = match self {
                    Self::Release { .. } => "ComponentRelease",
                    _ => "ProjectRelease",
                };
                write!(f, "{kind} `{name}` does not exist")?;
                match diag::nearest(name, known.iter().map(Text::as_str)) {
                    Some(near) => write!(f, "; did you mean `{near}`?"),
                    None => Ok(()),
                }
            }
            Self::Owner { binding, release } => write!(
                f,
                "the binding is for component `{binding}`, and its release is of `{release}`"
            ),
            Self::Environment(name) => write!(f, "Environment `{name}` does not exist"),
            Self::NoDataPlane(name) => write!(f, "Environment `{name}` names no data plane"),
            Self::DataPlane(reference) => {
                write!(f, "{} `{}` does not exist", reference.kind, reference.name)
            }
            Self::Component(name) => write!(f, "Component `{name}` does not exist"),
            Self::Project(name) => write!(f, "Project `{name}` does not exist"),
        }
    }
}

/// Every reference of a binding that leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct ReferenceErrors(
    /// At least one.
    pub Vec<ReferenceError>,
);

impl Explain for ReferenceErrors {
    fn code(&self) -> Code {
        Code("ComponentReferenceMissing")
    }

    fn reason(&self) -> Reason {
        let first = self.0.first().map(ReferenceError::reason);
        first.unwrap_or(Reason("InvalidConfiguration"))
    }

    fn retry(&self) -> Retry {
        Retry::Later
    }
}

/// Why a binding gives no objects.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum BindingError {
    /// References lead nowhere.
    #[error(transparent)]
    References(#[from] ReferenceErrors),
    /// Templates fail.
    #[error(transparent)]
    Render(#[from] RenderErrors),
}

impl Explain for BindingError {
    fn code(&self) -> Code {
        match self {
            Self::References(error) => error.code(),
            Self::Render(error) => error.code(),
        }
    }

    fn reason(&self) -> Reason {
        match self {
            Self::References(error) => error.reason(),
            Self::Render(error) => error.reason(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::References(error) => error.retry(),
            Self::Render(error) => error.retry(),
        }
    }

    fn help(&self) -> Vec<String> {
        match self {
            Self::References(error) => error.help(),
            Self::Render(error) => error.help(),
        }
    }
}

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
    catalog: &'a Catalog,
    renderer: Renderer,
    /// Bindings that shall run, by namespace, owner and environment; of several the first.
    bindings: BTreeMap<(&'a str, &'a Owner, &'a str), &'a ReleaseBinding>,
    /// Endpoints of bindings by namespace and name.
    endpoints: BTreeMap<(Text, Text), BTreeMap<Text, EndpointUrl>>,
}

impl<'a> Session<'a> {
    /// A session over a catalog.
    pub fn new(catalog: &'a Catalog) -> Self {
        let mut bindings = BTreeMap::new();
        for own in catalog.bindings().filter(|own| own.active) {
            let key = (
                own.head.namespace.as_str(),
                &own.owner,
                own.environment.as_str(),
            );
            bindings.entry(key).or_insert(own);
        }
        Self {
            catalog,
            renderer: Renderer::default(),
            bindings,
            endpoints: BTreeMap::new(),
        }
    }

    /// Renders a binding with what its workload needs of others.
    pub fn render(&mut self, binding: &'a ReleaseBinding) -> Outcome {
        if !binding.active {
            return Outcome::Undeployed;
        }
        let mut inputs = match self.catalog.resolve(binding) {
            Ok(inputs) => inputs,
            Err(errors) => return Outcome::Failed(errors.into()),
        };
        inputs.dependencies = self.dependencies(binding, &inputs.release.workload);
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

    /// What a workload needs of others, as far as the catalog tells.
    fn dependencies(&mut self, binding: &ReleaseBinding, workload: &Workload) -> Dependencies {
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
            let key = (namespace.as_str(), &owner, binding.environment.as_str());
            let provider = self.bindings.get(&key).copied();
            let url = provider.and_then(|provider| {
                let known = self.endpoints_of(provider);
                known.get(&dependency.endpoint).cloned()
            });
            endpoints.push(EndpointItem {
                dependency: dependency.clone(),
                namespace: namespace.clone(),
                project,
                url,
            });
        }
        let resources = workload.resource_dependencies.iter();
        Dependencies {
            endpoints,
            resources: resources
                .map(|dependency| ResourceItem {
                    dependency: dependency.clone(),
                    outputs: None,
                })
                .collect(),
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
fn endpoints(rendering: &Rendering, inputs: &Inputs<'_>) -> BTreeMap<Text, EndpointUrl> {
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
