//! What each object of OpenChoreo's component model needs now.
//!
//! [`next`] looks at one object and says which requests are right at this moment; when they are
//! carried out it is asked again. What a release becomes in a data plane is not decided here: a
//! binding writes a Release or RenderedRelease, and reads what became of it from its status.
//!
//! # Invariants
//!
//! - **The order of arrival does not matter.** Every reference is an edge of [`dependents`], so that
//!   whoever waits for an object is looked at when it comes.
//! - **A settled world gives no actions.** Statuses that say the same are not written again.
//! - **What runs stays** while something it needs is missing or wrong: a binding that does not render
//!   keeps the objects it has.
//! - **Cleaning up needs no other object.** What is deleted in one go ends in any order.
//!
//! # Source
//! openchoreo/openchoreo `internal/controller/*` at v0.12.0 and v1.2.3: conditions, reasons and names.

mod binding;
mod collection;
mod component;
mod data_plane;
mod dependents;
mod environment;
mod organization;
mod pipeline;
mod project;
mod project_binding;
mod promotion;
mod readiness;
mod release;
mod remembered;
mod rendered;
mod rendering;
mod report;
mod roll_up;
mod subject;
mod templates;

use std::collections::BTreeSet;
use std::sync::Arc;

use ::component::catalog::Catalog;
use ::component::model::{GROUP, Owner};
use ::component::render::Renderer;
use golang::{Duration, Timestamp};
use object::{Node, Object, ObjectKey, Text};

pub use collection::{Collection, CollectionMode};
pub use component::comes_from_git;
pub use data_plane::{
    CONNECTED, Contact, HEARTBEAT, kubeconfig_secret, secret_finalizer, with_contact,
};
pub use dependents::{dependents, dependents_of_status};
pub use promotion::{Gate, Unmet, gate};
pub use remembered::Remembered;
use subject::Subject;

use crate::{Event, Timing};

/// All that is there.
pub trait Objects {
    /// The object, if it is there; also one that is being deleted.
    fn get(&self, key: &ObjectKey) -> Option<Arc<Object>>;

    /// Every object of a kind of OpenChoreo's group, or every Namespace of the core group.
    fn list(&self, kind: &str) -> Vec<Arc<Object>>;

    /// The objects of a kind that a link leads to, in the order of their names. Whoever has many
    /// objects keeps an index.
    fn linked(&self, kind: &str, link: &Link) -> Vec<Arc<Object>> {
        let mut all = self.list(kind);
        all.retain(|object| Link::of(object).contains(link));
        all
    }
}

/// What an object says it belongs to, whether or not it can be read otherwise.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Link {
    /// Namespace and name of the component in `spec.owner`.
    Component(Text, Text),
    /// Namespace, kind and name of its controller.
    Controller(Text, Text, Text),
}

impl Link {
    /// The links of an object.
    pub fn of(object: &Object) -> Vec<Self> {
        let namespace = Text::from(object.namespace());
        let component = Owner::of(object).component;
        let component = Some(component).filter(|name| !name.is_empty());
        let component = component.map(|name| Self::Component(namespace.clone(), name));
        let controller = rendered::controller(object)
            .map(|(kind, name)| Self::Controller(namespace.clone(), kind.into(), name.into()));
        component.into_iter().chain(controller).collect()
    }
}

/// What a decision may look at.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The objects as they were read; the same ones as `objects`.
    pub catalog: &'a Catalog,
    /// The objects as they are stored.
    pub objects: &'a dyn Objects,
    /// What to vary.
    pub options: &'a Options,
    /// Now.
    pub timing: Timing,
}

/// What to vary about all components.
#[derive(Clone, Debug)]
pub struct Options {
    /// What is done about a release that has not earned its environment; an environment's
    /// annotation [`keys::PROMOTION`] counts more.
    pub promotion: PromotionMode,
    /// How long a release has to be ready in an environment before it may go to the next; an
    /// environment's annotation [`keys::PROMOTION_SOAK`] counts more.
    pub soak: Duration,
    /// Approvals that were recorded outside the objects: digests as [`keys::APPROVAL`] holds them.
    pub approvals: BTreeSet<Text>,
    /// Which releases are kept; annotations of a project and of a component count more.
    pub collection: Collection,
    /// Renders, and remembers compiled expressions: one for all decisions of a process.
    pub renderer: Arc<Renderer>,
    /// What earlier decisions found out.
    pub remembered: Arc<Remembered>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            promotion: PromotionMode::Warn,
            soak: Duration::from_seconds(0),
            approvals: BTreeSet::new(),
            collection: Collection::default(),
            renderer: Arc::default(),
            remembered: Arc::default(),
        }
    }
}

/// What is done about a release that has not earned its environment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PromotionMode {
    /// It is held back; what runs stays.
    Enforce,
    /// It goes, and the binding says what was missing.
    #[default]
    Warn,
    /// Nobody looks.
    Off,
}

/// Keys of annotations and finalizers that these decisions read and write.
pub mod keys {
    /// On an environment: `enforce`, `warn` or `off`.
    pub const PROMOTION: &str = "fleetwright.dev/promotion";
    /// On an environment: how long a release has to be ready there before it goes further, as `10m`.
    pub const PROMOTION_SOAK: &str = "fleetwright.dev/promotion-soak";
    /// On a binding: the digest of what was approved; `status.promotion.digest` says which it has to be.
    pub const APPROVAL: &str = "fleetwright.dev/approval";
    /// On a binding: the digest, as for an approval, of what goes although a rule is not met.
    pub const FORCED: &str = "fleetwright.dev/promotion-forced";
    /// On a binding: why somebody forced it, for people.
    pub const FORCED_REASON: &str = "fleetwright.dev/promotion-forced-reason";
    /// On a binding: from which release to which it was rolled back last, and why, for people.
    pub const ROLLED_BACK: &str = "fleetwright.dev/rolled-back";
    /// On a project or component: what is done about releases that nobody needs, `dry-run`, `delete`
    /// or `off`.
    pub const COLLECTION: &str = "fleetwright.dev/release-collection";
    /// On a project or component: how many of its newest releases are kept.
    pub const COLLECTION_NEWEST: &str = "fleetwright.dev/keep-releases";
    /// On a project or component: how long every release is kept, as `720h`.
    pub const COLLECTION_YOUNGER: &str = "fleetwright.dev/keep-releases-for";
    /// On a data plane: the Secret with its kubeconfig, as `name`; on one that is in no namespace as
    /// `namespace/name`.
    pub const KUBECONFIG: &str = "fleetwright.dev/kubeconfig-secret";
    /// On a data plane: `true` says that its cluster is gone for good, so that nothing waits for what
    /// is on it to be deleted.
    pub const ABANDON: &str = "fleetwright.dev/abandon";
    /// On a Release: kind and name of its data plane, as `DataPlane/local`.
    pub const DATA_PLANE: &str = "fleetwright.dev/data-plane";
    /// On an object of a data plane: whether it stays when its binding is undeployed.
    pub const RETAIN: &str = "fleetwright.dev/retain";
    /// On an Organization: `true` confirms that its production bindings may be deleted with it.
    pub const CONFIRM_DELETION: &str = "fleetwright.dev/confirm-deletion";
    /// Finalizer of Organizations.
    pub const ORGANIZATION_FINALIZER: &str = "openchoreo.dev/delete-namespace";
    /// Finalizer of Projects.
    pub const PROJECT_FINALIZER: &str = "openchoreo.dev/project-cleanup";
    /// Finalizer of Environments.
    pub const ENVIRONMENT_FINALIZER: &str = "openchoreo.dev/environment-cleanup";
    /// Finalizer of data planes, and of Releases.
    pub const DATA_PLANE_FINALIZER: &str = "openchoreo.dev/dataplane-cleanup";
    /// Finalizer of pipelines.
    pub const PIPELINE_FINALIZER: &str = "openchoreo.dev/deployment-pipeline-cleanup";
    /// Finalizer of Components.
    pub const COMPONENT_FINALIZER: &str = "openchoreo.dev/component-cleanup";
    /// Finalizer of bindings.
    pub const BINDING_FINALIZER: &str = "openchoreo.dev/releasebinding-cleanup";
    /// Finalizer of project bindings.
    pub const PROJECT_BINDING_FINALIZER: &str = "openchoreo.dev/projectreleasebinding-cleanup";
}

/// The kinds [`next`] has something to say about, as they are named in manifests.
pub const KINDS: &[&str] = &[
    "Organization",
    "Project",
    "Environment",
    "DataPlane",
    "ClusterDataPlane",
    "DeploymentPipeline",
    "ComponentType",
    "ClusterComponentType",
    "Trait",
    "ClusterTrait",
    "Component",
    "Workload",
    "ComponentRelease",
    "ReleaseBinding",
    "SecretReference",
    "ProjectType",
    "ClusterProjectType",
    "ProjectRelease",
    "ProjectReleaseBinding",
];

/// What is right now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    /// What to do, in this order; when one fails, those after it wait for the next look.
    pub actions: Vec<Action>,
    /// What is worth telling about the object looked at.
    pub events: Vec<Event>,
    /// When to look again though nothing changed.
    pub wake: Option<Timestamp>,
}

/// One request to the control plane.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Create this object. That it exists by now is no failure: look again.
    Create(Object),
    /// Server-side apply with our field manager and force.
    Apply(Object),
    /// Replace the status of the object looked at; all of it stands here.
    Status(Node),
    /// Put a finalizer on the object looked at, or take it off.
    Finalizer {
        /// Which.
        name: &'static str,
        /// Whether it shall be there.
        present: bool,
    },
    /// Take the finalizer of a data plane off the Secret with its kubeconfig. That the Secret is
    /// not there is no failure.
    LetSecretGo {
        /// Namespace and name of the Secret.
        secret: (Text, Text),
        /// As [`secret_finalizer`] gives it.
        finalizer: String,
    },
    /// Merge patch of an object.
    Patch(ObjectKey, Node),
    /// Delete an object, in the background. That it is gone by now is no failure.
    Delete(ObjectKey),
}

/// Decides what an object needs now. One that is not there, or whose kind is not in [`KINDS`],
/// needs nothing.
pub fn next(view: &View<'_>, key: &ObjectKey) -> Decision {
    if key.group != GROUP || !KINDS.contains(&key.kind.as_str()) {
        return Decision::default();
    }
    let Some(object) = view.objects.get(key) else {
        return Decision::default();
    };
    let subject = Subject::new(view, key, object);
    if !subject.object.is_deleting() && subject.namespace_goes() {
        return Decision::default(); // It goes in a moment, and nothing new can be made beside it.
    }
    match key.kind.as_str() {
        "Organization" => organization::next(&subject),
        "Project" => project::next(&subject),
        "Environment" => environment::next(&subject),
        "DataPlane" | "ClusterDataPlane" => data_plane::next(&subject),
        "DeploymentPipeline" => pipeline::next(&subject),
        "Component" => component::next(&subject),
        "ComponentRelease" => release::next(&subject),
        "ReleaseBinding" => binding::next(&subject),
        "ProjectReleaseBinding" => project_binding::next(&subject),
        "SecretReference" => templates::ready(&subject),
        "Workload" | "ProjectRelease" => templates::readable(&subject),
        _ => templates::next(&subject),
    }
}

/// The decision after an action of [`next`] was refused: a status that says so.
///
/// `message` is the server's answer. When to look again is up to whoever carries actions out.
pub fn refused(view: &View<'_>, key: &ObjectKey, message: &str) -> Decision {
    if key.group != GROUP || !KINDS.contains(&key.kind.as_str()) {
        return Decision::default();
    }
    let Some(object) = view.objects.get(key) else {
        return Decision::default();
    };
    let subject = Subject::new(view, key, object);
    if key.kind == "ReleaseBinding" {
        return binding::refused(&subject, message);
    }
    let mut report = report::Report::new(&subject);
    let reason = match key.kind.as_str() {
        "Component" => "AutoDeployFailed",
        _ => "WriteFailed",
    };
    report.ready(false, reason, message);
    report.finish()
}
