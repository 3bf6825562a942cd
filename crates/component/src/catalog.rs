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
mod error;
mod gateway;
mod index;
mod project;
mod provided;
mod session;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

pub use component::{ComponentProblem, Frozen};
pub use error::{BindingError, ReferenceError, ReferenceErrors};
pub use gateway::{GatewayUrls, Reachable, gateway_urls};
use provided::Provided;
pub use session::{Outcome, Session, endpoints};

use index::{Index, Link};
use object::{Node, Object, Text};

use crate::dependencies::Dependencies;
use crate::identity;
use crate::metadata::{Identities, Metadata};
use crate::model::{
    self, Component, ComponentRelease, ComponentType, DataPlane, DeploymentPipeline, Dialect,
    Environment, Finding, Head, Item, Named, Owner, Project, ReadError, Reference, ReleaseBinding,
    SecretReference, Trait, Workload,
};
use crate::render::Inputs;

/// The kind of notification channels.
const NOTIFICATION_CHANNEL: &str = "ObservabilityAlertsNotificationChannel";

/// The kind whose status tells what a resource provides in an environment.
pub const RESOURCE_BINDING: &str = "ResourceReleaseBinding";

/// Kind, namespace and name.
type Key = (Text, Text, Text);

/// Objects by kind, namespace and name.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    items: BTreeMap<Key, Entry>,
    /// The reading of the last object that came or went and is of none of the kinds that
    /// [`Catalog::readings`] tells apart.
    others: Reading,
    index: Index,
    /// Specs as they are written, of what releases freeze.
    specs: BTreeMap<Key, Node>,
    /// What is provided to workloads, by namespace and name of the binding that provides it.
    provided: BTreeMap<(Text, Text), Provided>,
    /// Environment of each notification channel, and whether it is marked as its default, by
    /// namespace and name.
    channels: BTreeMap<(Text, Text), (Text, bool)>,
}

/// An object as it was read.
#[derive(Clone, Debug)]
struct Entry {
    item: Item,
    findings: Box<[Finding]>,
    reading: Reading,
}

/// One reading of one object, which no other reading in this process equals; zero is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Reading(u64);

impl Reading {
    fn new() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// What a binding was rendered from: equal readings mean equal inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readings([Reading; 5]);

/// Kinds of which a binding is rendered from one object each, and those it is not rendered from.
const APART: &[&str] = &[
    "Component",
    "ComponentRelease",
    "Project",
    "ReleaseBinding",
    "Workload",
];

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
            .iter()
            .map(|finding| Notice::Unknown(Box::new(head.clone()), finding.clone()))
            .collect();
        let key = (head.kind.clone(), head.namespace.clone(), head.name.clone());
        match self.items.get(&key) {
            Some(first) => notices.push(Notice::Repeated {
                first: Box::new(first.item.head().clone()),
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
                    Item::Stored(_) if head.kind == RESOURCE_BINDING => {
                        let key = (head.namespace.clone(), head.name.clone());
                        self.provided.insert(key, Provided::read(&object.node));
                    }
                    _ => {}
                }
                self.index.set(&read.item, true);
                let entry = Entry {
                    item: read.item,
                    findings: read.warnings.into(),
                    reading: self.read_anew(&key.0),
                };
                self.items.insert(key, entry);
            }
        }
        notices
    }

    fn add_channel(&mut self, head: &Head, spec: &Node) {
        let environment = spec.str_at(&["environment"]).unwrap_or_default();
        let marked = spec.get("isEnvDefault").and_then(Node::as_bool) == Some(true);
        let key = (head.namespace.clone(), head.name.clone());
        self.channels.insert(key, (environment.into(), marked));
    }

    /// The channel that is marked, else the first by name, is the default of its environment.
    fn default_channel(&self, namespace: &str, environment: &str) -> Option<Text> {
        let channels = self.channels.range((namespace.into(), Text::default())..);
        channels
            .take_while(|((own, _), _)| own == namespace)
            .filter(|(_, (own, _))| own == environment)
            .min_by_key(|(_, (_, marked))| !marked)
            .map(|((_, name), _)| name.clone())
    }

    /// Forgets an object; whether it was there.
    pub fn remove(&mut self, kind: &str, namespace: &str, name: &str) -> bool {
        let place = (namespace.into(), name.into());
        match kind {
            RESOURCE_BINDING => drop(self.provided.remove(&place)),
            NOTIFICATION_CHANNEL => drop(self.channels.remove(&place)),
            _ => {}
        }
        let key = (kind.into(), namespace.into(), name.into());
        self.specs.remove(&key);
        let gone = self.items.remove(&key);
        if let Some(gone) = &gone {
            self.index.set(&gone.item, false);
            self.read_anew(kind);
        }
        gone.is_some()
    }

    /// The reading of an object of this kind that comes or goes now.
    fn read_anew(&mut self, kind: &str) -> Reading {
        let reading = Reading::new();
        if !APART.contains(&kind) {
            self.others = reading;
        }
        reading
    }

    /// What a binding is rendered from. `None` when its release is not there, or its workload needs
    /// something of others: whatever these are rendered from counts then as well.
    pub fn readings(&self, binding: &ReleaseBinding) -> Option<Readings> {
        let namespace = binding.head.namespace.as_str();
        let name = binding.release.as_ref()?;
        let workload = &self.release(namespace, name)?.workload;
        let needs = !workload.endpoint_dependencies.is_empty()
            || !workload.resource_dependencies.is_empty();
        let of = |kind, name: &str| self.reading(kind, namespace, name);
        (!needs).then(|| {
            Readings([
                of("ReleaseBinding", &binding.head.name),
                of("ComponentRelease", name),
                of("Component", &binding.owner.component),
                of("Project", &binding.owner.project),
                self.others,
            ])
        })
    }

    fn reading(&self, kind: &str, namespace: &str, name: &str) -> Reading {
        let entry = self.entry(kind, namespace, name);
        entry.map_or(Reading::default(), |entry| entry.reading)
    }

    /// Fields of an object that no version knows.
    pub fn findings(&self, kind: &str, namespace: &str, name: &str) -> &[Finding] {
        let entry = self.entry(kind, namespace, name);
        entry.map_or(&[], |entry| &entry.findings)
    }

    /// The object of this kind, namespace and name.
    pub fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<&Item> {
        Some(&self.entry(kind, namespace, name)?.item)
    }

    fn entry(&self, kind: &str, namespace: &str, name: &str) -> Option<&Entry> {
        self.items
            .get(&(kind.into(), namespace.into(), name.into()))
    }

    /// Every object by kind, namespace and name.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.items.values().map(|entry| &entry.item)
    }

    fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Item> {
        let from = (Text::from(kind), Text::default(), Text::default());
        let items = self.items.range(from..);
        let kind = Text::from(kind);
        items
            .take_while(move |((own, _, _), _)| *own == kind)
            .map(|(_, entry)| &entry.item)
    }

    /// Bindings by namespace and name.
    pub fn bindings(&self) -> impl Iterator<Item = &ReleaseBinding> {
        self.of_kind("ReleaseBinding")
            .filter_map(|item| match item {
                Item::ReleaseBinding(binding) => Some(binding),
                _ => None,
            })
    }

    /// A binding.
    pub fn binding(&self, namespace: &str, name: &str) -> Option<&ReleaseBinding> {
        match self.get("ReleaseBinding", namespace, name)? {
            Item::ReleaseBinding(binding) => Some(binding),
            _ => None,
        }
    }

    /// Bindings of one component to one environment, by name. Where there are several, which one
    /// runs is for a controller to decide; none is preferred here.
    pub fn bindings_of<'a>(
        &'a self,
        namespace: &str,
        owner: &'a Owner,
        environment: &'a str,
    ) -> impl Iterator<Item = &'a ReleaseBinding> + use<'a> {
        self.bindings_of_component(namespace, &owner.component)
            .filter(move |own| own.owner == *owner && own.environment == environment)
    }

    /// Bindings of a component of this name, in whatever project, by name.
    pub fn bindings_of_component(
        &self,
        namespace: &str,
        component: &str,
    ) -> impl Iterator<Item = &ReleaseBinding> + use<'_> {
        let names = self.index.names(Link::Binding, namespace, component);
        names.filter_map(|(namespace, name)| self.binding(namespace, name))
    }

    /// Bindings of the components of a project, by name.
    pub fn bindings_of_project(
        &self,
        namespace: &str,
        project: &str,
    ) -> impl Iterator<Item = &ReleaseBinding> + use<'_> {
        let names = self.index.names(Link::OfProject, namespace, project);
        names.filter_map(|(namespace, name)| self.binding(namespace, name))
    }

    /// Bindings that name a release, by name.
    pub fn bindings_of_release(
        &self,
        namespace: &str,
        release: &str,
    ) -> impl Iterator<Item = &ReleaseBinding> + use<'_> {
        let names = self.index.names(Link::Bound, namespace, release);
        names.filter_map(|(namespace, name)| self.binding(namespace, name))
    }

    /// Releases of a component of this name, in whatever project, by name.
    pub fn releases_of_component(
        &self,
        namespace: &str,
        component: &str,
    ) -> impl Iterator<Item = &ComponentRelease> + use<'_> {
        let names = self.index.names(Link::Release, namespace, component);
        names.filter_map(|(namespace, name)| self.release(namespace, name))
    }

    /// Releases whose workloads need endpoints of a component of this name, by name.
    pub fn releases_that_need(
        &self,
        namespace: &str,
        component: &str,
    ) -> impl Iterator<Item = &ComponentRelease> + use<'_> {
        let names = self.index.names(Link::Needed, namespace, component);
        names.filter_map(|(namespace, name)| self.release(namespace, name))
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
        let names = self
            .index
            .names(Link::Workload, namespace, &owner.component);
        names.filter_map(
            move |(namespace, name)| match self.get("Workload", namespace, name)? {
                Item::Workload(workload, own) if own == owner => Some(workload),
                _ => None,
            },
        )
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
        let release = binding.release.as_ref();
        let release = release.and_then(|name| self.release(namespace, name));
        self.data_plane_under(environment, release.is_some_and(|own| own.dialect.is_v1()))
    }

    /// The data plane of an environment; where it names none, in newer versions the one that is
    /// called `default`, of the namespace before that of the cluster.
    fn data_plane_under(&self, environment: &Environment, v1: bool) -> Option<&DataPlane> {
        let namespace = &environment.head.namespace;
        match &environment.data_plane {
            Some(reference) => self.data_plane(namespace, reference),
            None if v1 => {
                let mut planes = default_planes("DataPlane", "ClusterDataPlane").into_iter();
                planes.find_map(|reference| self.data_plane(namespace, &reference))
            }
            None => None,
        }
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

    /// The pipeline of a project.
    pub fn pipeline_of(&self, namespace: &str, project: &str) -> Option<&DeploymentPipeline> {
        let reference = self.project(namespace, project)?.pipeline.as_ref()?;
        self.pipeline(namespace, &reference.name)
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

    /// Whether what an object of `namespace` refers to is there.
    pub fn has(&self, namespace: &str, reference: &Reference) -> bool {
        self.referred(namespace, reference).is_some()
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
            Some(environment) => {
                let v1 = release.is_some_and(|own| own.dialect.is_v1());
                let found = self.data_plane_under(environment, v1);
                match &environment.data_plane {
                    _ if found.is_some() => {}
                    Some(reference) => errors.push(ReferenceError::DataPlane(reference.clone())),
                    None if v1 => {
                        let [reference, _] = default_planes("DataPlane", "ClusterDataPlane");
                        errors.push(ReferenceError::DataPlane(reference));
                    }
                    None => {
                        let name = binding.environment.clone();
                        errors.push(ReferenceError::NoDataPlane(name));
                    }
                }
                found
            }
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
            observed: self
                .observability_plane_of(data_plane, release.dialect)
                .is_some(),
            secrets: self.secrets(namespace),
            dependencies: Dependencies::default(),
            notification_channel: self
                .default_channel(&binding.head.namespace, &binding.environment),
        })
    }

    fn release_names(&self, namespace: &str, owner: &Owner) -> Vec<Text> {
        let releases = self.releases_of_component(namespace, &owner.component);
        let releases = releases.filter(|release| release.owner == *owner);
        releases.map(|release| release.head.name.clone()).collect()
    }

    /// The observability plane of a data plane, if it is there. Where the data plane names none, it
    /// is in newer versions the one that is called `default`. Older versions do not ask whether
    /// the one that is named is there.
    pub fn observability_plane_of(&self, plane: &DataPlane, dialect: Dialect) -> Option<Reference> {
        let is_there = |reference: &Reference| self.has(&plane.head.namespace, reference);
        match &plane.observability_plane {
            Some(reference) if dialect.is_v1() => Some(reference.clone()).filter(is_there),
            Some(reference) => Some(reference.clone()),
            None if dialect.is_v1() => {
                let planes = default_planes("ObservabilityPlane", "ClusterObservabilityPlane");
                planes.into_iter().find(is_there)
            }
            None => None,
        }
    }
}

/// What is looked for where no plane is named, of a namespace and of the cluster.
fn default_planes(of_namespace: &str, of_cluster: &str) -> [Reference; 2] {
    [of_namespace, of_cluster].map(|kind| Reference {
        kind: kind.into(),
        name: "default".into(),
    })
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
