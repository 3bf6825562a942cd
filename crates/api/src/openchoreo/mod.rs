//! OpenChoreo's kinds: their names, and definitions that take objects of every release of it.
//!
//! OpenChoreo changed the shape of its kinds several times under the same apiVersion. Our
//! definitions accept all of these shapes, so that repositories written for any release can be
//! applied as they are; what a shape means is decided by whoever reads the object.
//!
//! `ReleaseConfig` carries the same apiVersion, but is a file of OpenChoreo's command line: it has no
//! definition, see [`RELEASE_CONFIG`].
//!
//! # Source
//! openchoreo/openchoreo `config/crd/bases` at v0.7.0, v0.12.0, v1.0.0 and v1.2.3.

mod definitions;
mod undeclared;

use object::GroupVersionKind;

pub use definitions::custom_resource_definitions;
pub use undeclared::{DeclaredFields, UNDECLARED_FIELDS_MAX};

/// Group of all kinds.
pub const GROUP: &str = "openchoreo.dev";

/// Their only version.
pub const VERSION: &str = "v1alpha1";

/// Their apiVersion.
pub const API_VERSION: &str = "openchoreo.dev/v1alpha1";

/// Kind of the file in which OpenChoreo's command line keeps output folders.
///
/// Repositories contain it among the objects; it belongs into no cluster.
pub const RELEASE_CONFIG: &str = "ReleaseConfig";

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $plural:literal $scope:ident,)*) => {
        /// A kind with a meaning here; others of the group are stored only.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $($(#[$doc])* $kind,)* }

        impl Kind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// Its name, as in `kind`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$kind => stringify!($kind),)* }
            }

            /// Its name in addresses.
            pub fn plural(self) -> &'static str {
                match self { $(Self::$kind => $plural,)* }
            }

            fn scope(self) -> Scope {
                match self { $(Self::$kind => Scope::$scope,)* }
            }
        }
    };
}

#[derive(PartialEq, Eq)]
enum Scope {
    Cluster,
    Namespaced,
}

kinds! {
    /// A tenant, before 1.0.
    Organization "organizations" Cluster,
    /// Components that are promoted along one pipeline.
    Project "projects" Namespaced,
    /// A place components are deployed to.
    Environment "environments" Namespaced,
    /// A cluster components run on.
    DataPlane "dataplanes" Namespaced,
    /// The same for all namespaces.
    ClusterDataPlane "clusterdataplanes" Cluster,
    /// The order of environments.
    DeploymentPipeline "deploymentpipelines" Namespaced,
    /// Templates that components are built from.
    ComponentType "componenttypes" Namespaced,
    /// The same for all namespaces.
    ClusterComponentType "clustercomponenttypes" Cluster,
    /// Something that can be added to components.
    Trait "traits" Namespaced,
    /// The same for all namespaces.
    ClusterTrait "clustertraits" Cluster,
    /// One deployable part of a project.
    Component "components" Namespaced,
    /// What runs as a component.
    Workload "workloads" Namespaced,
    /// A component frozen.
    ComponentRelease "componentreleases" Namespaced,
    /// Which release is in an environment.
    ReleaseBinding "releasebindings" Namespaced,
    /// Rendered objects, before 1.0.
    Release "releases" Namespaced,
    /// Rendered objects.
    RenderedRelease "renderedreleases" Namespaced,
    /// A secret in an external store.
    SecretReference "secretreferences" Namespaced,
    /// What projects have in each environment.
    ProjectType "projecttypes" Namespaced,
    /// The same for all namespaces.
    ClusterProjectType "clusterprojecttypes" Cluster,
    /// A project frozen.
    ProjectRelease "projectreleases" Namespaced,
    /// Which release of a project is in an environment.
    ProjectReleaseBinding "projectreleasebindings" Namespaced,
}

impl Kind {
    /// The kind called `name`; of this group, which the caller has looked at.
    pub fn from_name(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|kind| kind.name() == name)
    }

    /// The kind of an object of this group and version.
    pub fn of(kind: &GroupVersionKind) -> Option<Self> {
        (kind.api_version() == API_VERSION)
            .then(|| Self::from_name(&kind.kind))
            .flatten()
    }

    /// Whether its objects live in namespaces.
    pub fn is_namespaced(self) -> bool {
        self.scope() == Scope::Namespaced
    }

    /// Group, version and name.
    pub fn group_version_kind(self) -> GroupVersionKind {
        GroupVersionKind::new(API_VERSION, self.name())
    }
}
