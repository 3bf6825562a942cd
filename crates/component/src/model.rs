//! What a component tree says, whichever version of OpenChoreo it was written for.
//!
//! Every version calls itself `openchoreo.dev/v1alpha1`, and versions disagree about the shapes of
//! the same kinds. [`read`] therefore looks at the shape of each object and never at its version:
//! a name where another version wants kind and name, one container or several, a bare component
//! type or a wrapped one. What comes out is one model; the original [`Object`] stays what is stored.
//!
//! # Invariants
//!
//! - **Unknown fields never refuse an object.** They are [`Finding`]s that [`Finding::is_warning`]s.
//! - **Null is absent.**
//! - **Nothing is resolved here.** References are names; `catalog` looks them up.

pub(crate) mod dialect;
mod finding;
mod fixed;
mod kinds;
pub(crate) mod read;
mod shape;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use diag::Span;
use object::{Map, Node, Object, Origin, Text};

pub use dialect::Dialect;
pub use finding::{Finding, FindingKind, ReadError};
pub use fixed::changed_fixed_fields;
pub use read::{
    component_type, is_openchoreo, read, read_release_spec, resources, trait_spec, workload,
};

/// The group of every kind of OpenChoreo.
pub const GROUP: &str = "openchoreo.dev";

/// An object that was understood, and what is odd about it.
#[derive(Clone, Debug)]
pub struct Read {
    /// What it is.
    pub item: Item,
    /// Fields that no version knows.
    pub warnings: Vec<Finding>,
}

/// An object of OpenChoreo's group.
#[derive(Clone, Debug)]
pub enum Item {
    /// A tenant; only its name counts.
    Organization(Head),
    /// Components that belong together.
    Project(Project),
    /// A place to deploy to.
    Environment(Environment),
    /// A cluster, or a way to one; also the cluster-scoped kind.
    DataPlane(DataPlane),
    /// Which environment follows which.
    DeploymentPipeline(DeploymentPipeline),
    /// Templates of a kind of component; also the cluster-scoped kind.
    ComponentType(Named<ComponentType>),
    /// Something that can be added to components; also the cluster-scoped kind.
    Trait(Named<Trait>),
    /// One component of a project.
    Component(Component),
    /// What runs in a component.
    Workload(Named<Workload>, Owner),
    /// A component frozen at one moment.
    ComponentRelease(Box<ComponentRelease>),
    /// Which release runs in an environment, with which overrides.
    ReleaseBinding(ReleaseBinding),
    /// What a binding was rendered to.
    RenderedRelease(RenderedRelease),
    /// Where secret values come from.
    SecretReference(SecretReference),
    /// Templates of what a project needs in each environment; also the cluster-scoped kind.
    ProjectType(Named<ProjectType>),
    /// A project frozen at one moment.
    ProjectRelease(ProjectRelease),
    /// Which release of a project an environment has.
    ProjectReleaseBinding(ProjectReleaseBinding),
    /// Folders that command-line tools write to. A file beside the tree, no object of a cluster.
    ReleaseConfig(Head),
    /// A kind of the group that has no part in rendering.
    Stored(Head),
}

/// What every object has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Head {
    /// As written.
    pub kind: Text,
    /// Empty for cluster-scoped objects and for manifests that name none.
    pub namespace: Text,
    /// Name.
    pub name: Text,
    /// `metadata.uid`, empty for what never was in a cluster.
    pub uid: Text,
    /// `metadata.annotations`.
    pub annotations: Map,
    /// File and line, for what came from a file.
    pub origin: Option<Arc<Origin>>,
}

/// Something with a head of its own.
#[derive(Clone, Debug)]
pub struct Named<T> {
    /// Kind, namespace and name.
    pub head: Head,
    /// What it says.
    pub spec: T,
}

/// A reference to an object by kind and name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The kind; the only kind of older versions where only a name was written.
    pub kind: Text,
    /// The name.
    pub name: Text,
}

/// What something belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// The project.
    pub project: Text,
    /// The component; empty for what belongs to the project itself.
    pub component: Text,
}

impl Owner {
    /// What an object says it belongs to, read from the object itself: also of those that cannot be
    /// read otherwise.
    pub fn of(object: &Object) -> Self {
        let text = |field: &str| -> Text {
            let text = object.node.str_at(&["spec", "owner", field]);
            text.unwrap_or_default().into()
        };
        Self {
            project: text("projectName"),
            component: text("componentName"),
        }
    }
}

/// See [`Item::Project`].
#[derive(Clone, Debug)]
pub struct Project {
    /// Kind, namespace and name.
    pub head: Head,
    /// The pipeline; `None` when it names none.
    pub pipeline: Option<Reference>,
    /// The project type; `None` for the built-in one that gives a namespace and nothing else.
    pub project_type: Option<Reference>,
    /// Values for the project type.
    pub parameters: Node,
}

/// See [`Item::Environment`].
#[derive(Clone, Debug)]
pub struct Environment {
    /// Kind, namespace and name.
    pub head: Head,
    /// Where it is; `None` while that is not said.
    pub data_plane: Option<Reference>,
    /// Whether people depend on it.
    pub production: bool,
    /// Gateways by direction and visibility; a map, empty when it has none of its own.
    pub gateway: Node,
}

/// See [`Item::DataPlane`].
#[derive(Clone, Debug)]
pub struct DataPlane {
    /// Kind, namespace and name.
    pub head: Head,
    /// Gateways by direction and visibility; older hosts became `ingress.external` and
    /// `ingress.internal`.
    pub gateway: Node,
    /// Host name that public routes end with; of newer planes the host of `ingress.external`.
    pub public_virtual_host: Option<Text>,
    /// Name of the store that secrets come from.
    pub secret_store: Option<Text>,
    /// The plane that observability objects go to.
    pub observability_plane: Option<Reference>,
}

/// See [`Item::DeploymentPipeline`].
#[derive(Clone, Debug)]
pub struct DeploymentPipeline {
    /// Kind, namespace and name.
    pub head: Head,
    /// From where to where, in the order of the file.
    pub paths: Vec<PromotionPath>,
}

impl DeploymentPipeline {
    /// Every environment, in the order in which the paths name them.
    pub fn environments(&self) -> Vec<Text> {
        let mut found: Vec<Text> = Vec::new();
        for path in &self.paths {
            let targets = path.targets.iter().map(|target| &target.environment);
            for name in std::iter::once(&path.source).chain(targets) {
                if !found.contains(name) {
                    found.push(name.clone());
                }
            }
        }
        found
    }

    /// The environment that releases come to first: the source of the first path that is no
    /// path's target.
    pub fn first_environment(&self) -> Option<&Text> {
        let targets: BTreeSet<&Text> = self
            .paths
            .iter()
            .flat_map(|path| &path.targets)
            .map(|target| &target.environment)
            .collect();
        let mut sources = self.paths.iter().map(|path| &path.source);
        sources.find(|source| !targets.contains(source))
    }

    /// The paths that lead to an environment.
    pub fn paths_to(&self, environment: &str) -> impl Iterator<Item = &PromotionPath> {
        self.paths.iter().filter(move |path| {
            let mut targets = path.targets.iter();
            targets.any(|target| target.environment == environment)
        })
    }
}

/// One source of a pipeline and where it leads.
#[derive(Clone, Debug)]
pub struct PromotionPath {
    /// The environment that is left.
    pub source: Text,
    /// The environments it leads to.
    pub targets: Vec<PromotionTarget>,
}

/// Where a promotion leads.
#[derive(Clone, Debug)]
pub struct PromotionTarget {
    /// The environment.
    pub environment: Text,
    /// Whether somebody has to approve.
    pub approval: bool,
}

/// Which schema language a type or trait is written in, and the schemas.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Schemas {
    /// It has no schema; then it takes no values.
    #[default]
    None,
    /// `name: "type | default=…"`, up to v0.17.
    Shorthand {
        /// Named types.
        types: Node,
        /// Schema of parameters, or null.
        parameters: Node,
        /// Schema of values for one environment, or null.
        environment: Node,
    },
    /// `openAPIV3Schema`, since v1.
    OpenApi {
        /// Schema of parameters, or null.
        parameters: Node,
        /// Schema of values for one environment, or null.
        environment: Node,
    },
}

/// See [`Item::ComponentType`].
#[derive(Clone, Debug, Default)]
pub struct ComponentType {
    /// `deployment`, `statefulset`, `cronjob`, `job` or `proxy`.
    pub workload_type: Text,
    /// What values it takes.
    pub schemas: Schemas,
    /// What it makes.
    pub resources: Vec<Resource>,
    /// Traits that every component of the type has.
    pub traits: Vec<TraitUse>,
    /// Which traits components may add; empty for any.
    pub allowed_traits: Vec<Reference>,
    /// Which workflows components may use.
    pub allowed_workflows: Vec<Reference>,
    /// Rules over the values.
    pub pre_rules: Vec<Rule>,
    /// Rules over what was made.
    pub post_rules: Vec<PostRule>,
}

/// See [`Item::Trait`].
#[derive(Clone, Debug, Default)]
pub struct Trait {
    /// What values it takes.
    pub schemas: Schemas,
    /// What it makes; the ids are empty.
    pub creates: Vec<Resource>,
    /// What it changes.
    pub patches: Vec<Patch>,
    /// What it takes away.
    pub removes: Vec<Remove>,
    /// Rules over the values.
    pub pre_rules: Vec<Rule>,
    /// Rules over what was made.
    pub post_rules: Vec<PostRule>,
}

/// Which of an environment's planes an object goes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Plane {
    /// Where the component runs.
    #[default]
    Data,
    /// Where what is observed of it goes.
    Observability,
}

/// A template of objects.
#[derive(Clone, Debug, Default)]
pub struct Resource {
    /// Unique in its type; empty for what a trait creates.
    pub id: Text,
    /// Where the objects go.
    pub plane: Plane,
    /// Condition, `${…}`.
    pub include_when: Option<Text>,
    /// List or map to repeat over, `${…}`.
    pub for_each: Option<Text>,
    /// Name of the loop variable.
    pub variable: Option<Text>,
    /// The template.
    pub template: Node,
}

/// A trait in use.
#[derive(Clone, Debug, Default)]
pub struct TraitUse {
    /// `Trait` or `ClusterTrait`.
    pub kind: Text,
    /// Which trait.
    pub name: Text,
    /// Name of this use, unique in the component.
    pub instance: Text,
    /// Values, null when there are none.
    pub parameters: Node,
    /// Values for the environment, of embedded traits only.
    pub environment: Node,
}

/// Which objects a patch, removal or rule is about.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// Group; empty for any.
    pub group: Text,
    /// Version.
    pub version: Text,
    /// Kind.
    pub kind: Text,
    /// Condition over `resource`, `${…}`.
    pub condition: Option<Text>,
    /// Whether matching nothing is an error; `None` for what the place has as default.
    pub must_match: Option<bool>,
}

/// Changes of a trait to objects.
#[derive(Clone, Debug, Default)]
pub struct Patch {
    /// Where the objects are.
    pub plane: Plane,
    /// List or map to repeat over, `${…}`.
    pub for_each: Option<Text>,
    /// Name of the loop variable.
    pub variable: Option<Text>,
    /// Which objects.
    pub target: Target,
    /// The changes, in order.
    pub operations: Vec<Operation>,
}

/// One change.
#[derive(Clone, Debug, Default)]
pub struct Operation {
    /// `add`, `replace`, `remove` or `mergeShallow`.
    pub op: Text,
    /// Where, with filters; a template.
    pub path: Text,
    /// What; a template. `None` when none is written.
    pub value: Option<Node>,
}

/// Objects that a trait takes away.
#[derive(Clone, Debug, Default)]
pub struct Remove {
    /// Where the objects are.
    pub plane: Plane,
    /// List or map to repeat over, `${…}`.
    pub for_each: Option<Text>,
    /// Name of the loop variable.
    pub variable: Option<Text>,
    /// Which objects.
    pub target: Target,
}

/// A rule over values.
#[derive(Clone, Debug, Default)]
pub struct Rule {
    /// Has to be true, `${…}`.
    pub rule: Text,
    /// What to say when it is not.
    pub message: Text,
}

/// A rule over objects.
#[derive(Clone, Debug, Default)]
pub struct PostRule {
    /// Rule and message.
    pub rule: Rule,
    /// Which objects.
    pub target: Target,
    /// Where the objects are.
    pub plane: Plane,
    /// Condition for the rule to count, `${…}`.
    pub when: Option<Text>,
    /// List or map to repeat over, `${…}`.
    pub for_each: Option<Text>,
    /// Name of the loop variable.
    pub variable: Option<Text>,
}

/// See [`Item::Component`].
#[derive(Clone, Debug)]
pub struct Component {
    /// Kind, namespace and name.
    pub head: Head,
    /// Its project; the component of the owner is its own name.
    pub owner: Owner,
    /// Kind of the component type.
    pub type_kind: Text,
    /// `workloadType/name`; `None` for a component of the first versions, which have `type` only.
    pub component_type: Option<Text>,
    /// Values for the type, null when there are none.
    pub parameters: Node,
    /// Traits in use.
    pub traits: Vec<TraitUse>,
    /// Whether a new release goes to the first environment by itself.
    pub auto_deploy: bool,
    /// What builds it.
    pub workflow: Option<Reference>,
}

impl Component {
    /// The component as owner of others.
    pub fn as_owner(&self) -> Owner {
        Owner {
            project: self.owner.project.clone(),
            component: self.head.name.clone(),
        }
    }
}

/// See [`Item::Workload`].
#[derive(Clone, Debug, Default)]
pub struct Workload {
    /// Containers by name. A single container without a name is called `main`.
    pub containers: BTreeMap<Text, Container>,
    /// Whether it was written as one container without a name.
    pub single: bool,
    /// Endpoints by name.
    pub endpoints: BTreeMap<Text, Endpoint>,
    /// Endpoints of others it needs.
    pub endpoint_dependencies: Vec<EndpointDependency>,
    /// Resources it needs.
    pub resource_dependencies: Vec<ResourceDependency>,
}

/// A container of a workload.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Container {
    /// Image.
    pub image: Text,
    /// Command; `None` when the image's own is used.
    pub command: Option<Node>,
    /// Arguments; `None` when the image's own are used.
    pub args: Option<Node>,
    /// Environment variables, in order.
    pub env: Vec<Setting>,
    /// Files, in order.
    pub files: Vec<Setting>,
}

/// An environment variable or a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Setting {
    /// Its name.
    pub key: Text,
    /// The folder of a file; empty for a variable.
    pub mount_path: Text,
    /// Where the value comes from.
    pub source: Source,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// It stands there; empty when neither a value nor a source is written.
    Literal(Text),
    /// A key of a SecretReference.
    Secret {
        /// The SecretReference.
        name: Text,
        /// The key.
        key: Text,
    },
    /// A key of a ConfigurationGroup, which nothing resolves.
    Group {
        /// The ConfigurationGroup.
        name: Text,
        /// The key.
        key: Text,
    },
}

impl Default for Source {
    fn default() -> Self {
        Self::Literal(Text::default())
    }
}

/// A port that others can reach.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Endpoint {
    /// `HTTP`, `gRPC`, `TCP`, …; may be empty.
    pub kind: Text,
    /// Port of the service.
    pub port: i64,
    /// Port of the container, where it differs.
    pub target_port: Option<i64>,
    /// For people.
    pub display_name: Option<Text>,
    /// Where its paths start.
    pub base_path: Option<Text>,
    /// Who may reach it besides the project.
    pub visibility: Vec<Text>,
    /// Description of the interface, as written.
    pub schema: Option<Node>,
}

/// An endpoint of another component that a workload needs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EndpointDependency {
    /// Whose.
    pub component: Text,
    /// Of which project; empty for the same.
    pub project: Text,
    /// Which endpoint.
    pub endpoint: Text,
    /// `project` or `namespace`.
    pub visibility: Text,
    /// Names of environment variables: `address`, `host`, `port`, `basePath`.
    pub variables: BTreeMap<Text, Text>,
}

/// A resource that a workload needs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResourceDependency {
    /// Which.
    pub reference: Text,
    /// Environment variables by output.
    pub variables: BTreeMap<Text, Text>,
    /// Paths of files by output.
    pub files: BTreeMap<Text, Text>,
}

/// See [`Item::ComponentRelease`].
#[derive(Clone, Debug)]
pub struct ComponentRelease {
    /// Kind, namespace and name.
    pub head: Head,
    /// Whose.
    pub owner: Owner,
    /// Kind and name of the type; a bare type has no name.
    pub type_reference: Reference,
    /// The type, frozen.
    pub component_type: ComponentType,
    /// The traits, frozen, in the order of a list or by name.
    pub traits: Vec<(Reference, Trait)>,
    /// Values for the type, null when there are none.
    pub parameters: Node,
    /// Traits in use.
    pub uses: Vec<TraitUse>,
    /// The workload, frozen.
    pub workload: Workload,
    /// Which rules it renders by.
    pub dialect: Dialect,
}

/// See [`Item::ReleaseBinding`].
#[derive(Clone, Debug)]
pub struct ReleaseBinding {
    /// Kind, namespace and name.
    pub head: Head,
    /// Whose.
    pub owner: Owner,
    /// Where.
    pub environment: Text,
    /// Which release; `None` when none is selected.
    pub release: Option<Text>,
    /// Values for the type in this environment, null when there are none.
    pub type_values: Node,
    /// Values for traits in this environment, by instance.
    pub trait_values: BTreeMap<Text, Node>,
    /// Changes to containers by name; those of a single container under an empty name.
    pub workload_overrides: BTreeMap<Text, Overrides>,
    /// Whether it shall run.
    pub active: bool,
}

/// Changes to a container.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overrides {
    /// Environment variables.
    pub env: Vec<Setting>,
    /// Files.
    pub files: Vec<Setting>,
}

/// See [`Item::RenderedRelease`].
#[derive(Clone, Debug)]
pub struct RenderedRelease {
    /// Kind, namespace and name.
    pub head: Head,
    /// Whose.
    pub owner: Owner,
    /// Where.
    pub environment: Text,
    /// For which plane.
    pub plane: Plane,
    /// Ids and objects, in order.
    pub resources: Vec<(Text, Node)>,
}

/// See [`Item::SecretReference`].
#[derive(Clone, Debug)]
pub struct SecretReference {
    /// Kind, namespace and name.
    pub head: Head,
    /// Keys and where their values are, in order: maps of `key`, `property`, `version`.
    pub data: Vec<(Text, Node)>,
}

/// See [`Item::ProjectType`].
#[derive(Clone, Debug, Default)]
pub struct ProjectType {
    /// What values it takes.
    pub schemas: Schemas,
    /// What it makes.
    pub resources: Vec<Resource>,
    /// Rules over the values.
    pub pre_rules: Vec<Rule>,
}

/// See [`Item::ProjectRelease`].
#[derive(Clone, Debug)]
pub struct ProjectRelease {
    /// Kind, namespace and name.
    pub head: Head,
    /// The project.
    pub project: Text,
    /// Kind and name of the type.
    pub type_reference: Reference,
    /// The type, frozen.
    pub project_type: ProjectType,
    /// Values for the type.
    pub parameters: Node,
}

/// See [`Item::ProjectReleaseBinding`].
#[derive(Clone, Debug)]
pub struct ProjectReleaseBinding {
    /// Kind, namespace and name.
    pub head: Head,
    /// The project.
    pub project: Text,
    /// Where.
    pub environment: Text,
    /// Which release; `None` until one is chosen.
    pub release: Option<Text>,
    /// Values for the type in this environment.
    pub type_values: Node,
}

impl Item {
    /// Kind, namespace and name.
    pub fn head(&self) -> &Head {
        match self {
            Self::Organization(head) | Self::ReleaseConfig(head) | Self::Stored(head) => head,
            Self::Project(item) => &item.head,
            Self::Environment(item) => &item.head,
            Self::DataPlane(item) => &item.head,
            Self::DeploymentPipeline(item) => &item.head,
            Self::ComponentType(item) => &item.head,
            Self::Trait(item) => &item.head,
            Self::Component(item) => &item.head,
            Self::Workload(item, _) => &item.head,
            Self::ComponentRelease(item) => &item.head,
            Self::ReleaseBinding(item) => &item.head,
            Self::RenderedRelease(item) => &item.head,
            Self::SecretReference(item) => &item.head,
            Self::ProjectType(item) => &item.head,
            Self::ProjectRelease(item) => &item.head,
            Self::ProjectReleaseBinding(item) => &item.head,
        }
    }
}

impl Head {
    /// Kind, namespace and name of an object.
    pub fn of(object: &Object) -> Self {
        Self {
            kind: object.kind().into(),
            namespace: object.namespace().into(),
            name: object.name().into(),
            uid: object.uid().into(),
            annotations: object
                .node
                .at(&["metadata", "annotations"])
                .and_then(Node::as_map)
                .cloned()
                .unwrap_or_default(),
            origin: object.origin.clone(),
        }
    }

    /// Where it stands, if it came from a file.
    pub fn span(&self) -> Option<Span> {
        let origin = self.origin.as_ref()?;
        Some(Span::line(origin.path.as_str(), origin.line))
    }
}

impl fmt::Display for Head {
    /// `Kind/namespace/name`, or `Kind/name` without a namespace.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.namespace.as_str() {
            "" => write!(f, "{}/{}", self.kind, self.name),
            namespace => write!(f, "{}/{namespace}/{}", self.kind, self.name),
        }
    }
}

impl fmt::Display for Owner {
    /// `project/component`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.project, self.component)
    }
}

impl Plane {
    /// The word manifests use.
    pub fn word(self) -> &'static str {
        match self {
            Self::Data => "dataplane",
            Self::Observability => "observabilityplane",
        }
    }
}
