//! Who has to be looked at when an object came, changed or went.

use std::collections::BTreeSet;

use component::catalog::{Catalog, RESOURCE_BINDING};
use component::model::{GROUP, Owner, ReleaseBinding, Source, Workload};
use object::{Object, ObjectKey, Text};

use super::Objects;
use super::rendered::controller;
use super::roll_up::failure;
use super::subject::key;

/// Who has to be looked at when an object came, changed or went, without the object itself.
///
/// Each key once. An answer too many costs a look; one too few would leave an object waiting for
/// ever. What belongs to one component is found by the indexes of the catalog; only changes of what
/// many share, like an environment, look at every binding.
pub fn dependents(changed: &Object, catalog: &Catalog, objects: &dyn Objects) -> Vec<ObjectKey> {
    let mut found = Found {
        catalog,
        objects,
        namespace: changed.namespace(),
        keys: BTreeSet::new(),
    };
    let name = changed.name();
    if changed.api_version() == "v1" && changed.kind() == "Namespace" {
        found.add_cluster("Organization", name);
        found.namespace = name;
        if changed.is_deleting() {
            found.all("Environment");
            found.all("DeploymentPipeline");
        }
    } else if changed.gvk().group == GROUP {
        found.of_kind(changed);
    }
    if let Some((kind, name)) = controller(changed) {
        found.add(kind, name);
    }
    found.keys.remove(&changed.key());
    found.keys.into_iter().collect()
}

/// Who has to be looked at when only the status of an object changed: its generation, labels,
/// annotations, finalizers and deletion time are as before. A part of what [`dependents`] gives.
pub fn dependents_of_status(
    before: &Object,
    changed: &Object,
    catalog: &Catalog,
) -> Vec<ObjectKey> {
    let mut keys = BTreeSet::new();
    let namespace = changed.namespace();
    let told = ["Component", "ReleaseBinding", "ProjectReleaseBinding"];
    if changed.gvk().group == GROUP
        && told.contains(&changed.kind())
        && failure(before) != failure(changed)
    {
        let own = Owner::of(changed);
        keys.insert(key("Project", namespace, &own.project));
        if changed.kind() == "ReleaseBinding" {
            keys.insert(key("Component", namespace, &own.component));
        }
    }
    let history = |own: &Object| own.node.at(&["status", "releaseHistory"]).cloned();
    if changed.gvk().group == GROUP
        && changed.kind() == "ReleaseBinding"
        && history(before) != history(changed)
    {
        // What was ready here may go further.
        let own = Owner::of(changed);
        let same = catalog.bindings_of_component(namespace, &own.component);
        let same = same.filter(|other| other.owner == own && other.head.name != changed.name());
        keys.extend(same.map(|other| key("ReleaseBinding", namespace, &other.head.name)));
    }
    if changed.gvk().group == GROUP && changed.kind().ends_with("DataPlane") {
        // Whether it answers is told by what runs there.
        let on_it = catalog.bindings().filter(|own| {
            let plane = catalog.data_plane_of(own).map(|own| &own.head);
            plane.is_some_and(|own| own.kind == changed.kind() && own.name == changed.name())
        });
        keys.extend(on_it.map(|own| key("ReleaseBinding", &own.head.namespace, &own.head.name)));
    }
    if let Some((kind, name)) = controller(changed)
        && changed.gvk().group == GROUP
    {
        keys.insert(key(kind, namespace, name));
    }
    keys.into_iter().collect()
}

/// Dependents found so far, and where to look for more.
struct Found<'a> {
    catalog: &'a Catalog,
    objects: &'a dyn Objects,
    /// Where the changed object is; empty for cluster-scoped ones, which everybody sees.
    namespace: &'a str,
    keys: BTreeSet<ObjectKey>,
}

impl Found<'_> {
    fn of_kind(&mut self, changed: &Object) {
        let name = changed.name();
        let own = Owner::of(changed);
        let environment = changed.node.str_at(&["spec", "environment"]);
        let environment = environment.unwrap_or_default();
        match changed.kind() {
            "Organization" => {}
            "Project" => {
                self.components(|owner| owner.project == name);
                self.releases(|owner| owner.project == name);
                self.bindings_and_users(|own| own.owner.project == name);
                self.all("DeploymentPipeline");
                self.project_bindings(|own| Owner::of(own).project == name);
            }
            "Component" => {
                self.add("Project", &own.project);
                let catalog = self.catalog;
                self.these_and_users(catalog.bindings_of_component(self.namespace, name));
                self.releases_of(name, |_| true);
            }
            "Workload" => self.add("Component", &own.component),
            "Environment" => {
                self.all("DeploymentPipeline");
                self.bindings_and_users(|own| own.environment == name);
                self.all("ComponentRelease");
                self.all("Project");
                self.project_bindings(|own| {
                    own.node.str_at(&["spec", "environment"]) == Some(name)
                });
                let reference = changed.node.at(&["spec", "dataPlaneRef"]);
                let plane = reference.and_then(|own| own.as_str().or(own.str_at(&["name"])));
                self.add("DataPlane", plane.unwrap_or_default());
                self.add_cluster("ClusterDataPlane", plane.unwrap_or_default());
            }
            "DataPlane" | "ClusterDataPlane" => self.data_plane(changed),
            "ObservabilityPlane" | "ClusterObservabilityPlane" => {
                self.bindings_and_users(|_| true);
            }
            "DeploymentPipeline" => {
                self.all("Environment");
                self.all("Component");
                self.all("Project");
                self.all("ComponentRelease");
                self.bindings(|_| true);
            }
            "ComponentType" | "ClusterComponentType" | "Trait" | "ClusterTrait" => {
                self.users_of_templates(changed);
            }
            "Workflow" | "ClusterWorkflow" => {
                let uses =
                    |own: &Object| own.node.str_at(&["spec", "workflow", "name"]) == Some(name);
                self.filtered("Component", uses);
            }
            "WorkflowRun" => self.add("Component", &own.component),
            "ComponentRelease" => {
                self.add("Component", &own.component);
                let (catalog, namespace) = (self.catalog, self.namespace);
                self.these_and_users(catalog.bindings_of_release(namespace, name));
                // Who misses another release is told names that come close.
                self.bindings_of(&own.component, |other| {
                    let release = other.release.as_deref().unwrap_or_default();
                    other.owner == own && catalog.release(namespace, release).is_none()
                });
            }
            "ReleaseBinding" => {
                self.add("Component", &own.component);
                self.add("Project", &own.project);
                self.add_if_going("Environment", environment);
                // Duplicates, bindings that this one is promoted to, and who uses its endpoints.
                self.bindings_of(&own.component, |other| other.owner == own);
                self.users(self.namespace, &own.component, environment);
                self.releases_of(&own.component, |owner| *owner == own);
                self.project_bindings(|other| Owner::of(other).project == own.project);
                self.add_if_going("Organization", changed.namespace());
            }
            "Release" | "RenderedRelease" => {
                let environment = changed.node.str_at(&["spec", "environmentName"]);
                // Its namespaces, or a name that one of those shall have.
                match own.component.is_empty() || changed.name().starts_with("project-") {
                    true => self.add("Project", &own.project),
                    false => self.add_if_going("Project", &own.project),
                }
                let name = environment.unwrap_or_default();
                self.add_if_going("Environment", name);
                self.bindings_of(&own.component, |other| other.environment == name);
                let plane = changed.annotation(super::keys::DATA_PLANE);
                if let Some((kind, name)) = plane.and_then(|own| own.split_once('/')) {
                    self.add_if_going(kind, name);
                }
                if own.component.is_empty() {
                    self.project_bindings(|other| Owner::of(other).project == own.project);
                }
            }
            RESOURCE_BINDING => {
                let text = |keys: &[&str]| changed.node.str_at(keys).unwrap_or_default();
                self.users_of_resource(text(&["spec", "owner", "resourceName"]), environment);
            }
            "SecretReference" => self.users_of_secret(name),
            "ProjectType" | "ClusterProjectType" => {
                let uses = |own: &Object| {
                    let reference = own.node.at(&["spec", "type"]);
                    reference.and_then(|own| own.as_str().or(own.str_at(&["name"]))) == Some(name)
                };
                self.filtered("Project", uses);
            }
            "ProjectRelease" => {
                self.add("Project", &own.project);
                self.project_bindings(|other| Owner::of(other).project == own.project);
            }
            "ProjectReleaseBinding" => {
                self.add("Project", &own.project);
                self.add("Environment", environment);
            }
            _ => {}
        }
    }

    fn add(&mut self, kind: &str, name: &str) {
        if !name.is_empty() {
            self.keys.insert(self.place(kind, name));
        }
    }

    fn place(&self, kind: &str, name: &str) -> ObjectKey {
        let namespace = match kind.starts_with("Cluster") || kind == "Organization" {
            true => "",
            false => self.namespace,
        };
        key(kind, namespace, name)
    }

    /// Adds what only counts what is left of others while it is being deleted.
    fn add_if_going(&mut self, kind: &str, name: &str) {
        let key = self.place(kind, name);
        if self.objects.get(&key).is_some_and(|own| own.is_deleting()) {
            self.keys.insert(key);
        }
    }

    fn add_cluster(&mut self, kind: &str, name: &str) {
        if !name.is_empty() {
            self.keys.insert(key(kind, "", name));
        }
    }

    /// Whether an object of a namespace can see the changed one.
    fn sees(&self, namespace: &str) -> bool {
        self.namespace.is_empty() || self.namespace == namespace
    }

    fn all(&mut self, kind: &str) {
        self.filtered(kind, |_| true);
    }

    fn filtered(&mut self, kind: &str, wanted: impl Fn(&Object) -> bool) {
        for object in self.objects.list(kind) {
            if self.sees(object.namespace()) && wanted(&object) {
                self.keys.insert(object.key());
            }
        }
    }

    fn project_bindings(&mut self, wanted: impl Fn(&Object) -> bool) {
        self.filtered("ProjectReleaseBinding", wanted);
    }

    fn components(&mut self, wanted: impl Fn(&Owner) -> bool) {
        for own in self.catalog.components() {
            if self.sees(&own.head.namespace) && wanted(&own.owner) {
                let key = key("Component", &own.head.namespace, &own.head.name);
                self.keys.insert(key);
            }
        }
    }

    fn releases(&mut self, wanted: impl Fn(&Owner) -> bool) {
        for own in self.catalog.releases() {
            if self.sees(&own.head.namespace) && wanted(&own.owner) {
                let key = key("ComponentRelease", &own.head.namespace, &own.head.name);
                self.keys.insert(key);
            }
        }
    }

    fn bindings(&mut self, wanted: impl Fn(&ReleaseBinding) -> bool) {
        for own in self.catalog.bindings() {
            if self.sees(&own.head.namespace) && wanted(own) {
                let key = key("ReleaseBinding", &own.head.namespace, &own.head.name);
                self.keys.insert(key);
            }
        }
    }

    /// Bindings of components of a name.
    fn bindings_of(&mut self, component: &str, wanted: impl Fn(&ReleaseBinding) -> bool) {
        let all = self
            .catalog
            .bindings_of_component(self.namespace, component);
        for own in all.filter(|own| wanted(own)) {
            let key = key("ReleaseBinding", self.namespace, &own.head.name);
            self.keys.insert(key);
        }
    }

    /// Releases of components of a name.
    fn releases_of(&mut self, component: &str, wanted: impl Fn(&Owner) -> bool) {
        let all = self
            .catalog
            .releases_of_component(self.namespace, component);
        for own in all.filter(|own| wanted(&own.owner)) {
            let key = key("ComponentRelease", self.namespace, &own.head.name);
            self.keys.insert(key);
        }
    }

    /// Bindings, and those whose workloads use endpoints of them.
    fn bindings_and_users(&mut self, wanted: impl Fn(&ReleaseBinding) -> bool) {
        let catalog = self.catalog;
        let visible = self.namespace;
        let all = catalog
            .bindings()
            .filter(|own| (visible.is_empty() || own.head.namespace == visible) && wanted(own));
        self.these_and_users(all);
    }

    fn these_and_users<'b>(&mut self, bindings: impl Iterator<Item = &'b ReleaseBinding>) {
        for own in bindings {
            let namespace = &own.head.namespace;
            let key = key("ReleaseBinding", namespace, &own.head.name);
            self.keys.insert(key);
            self.users(namespace, &own.owner.component, &own.environment);
        }
    }

    /// Bindings whose workloads use endpoints of a component in an environment, and their releases.
    fn users(&mut self, namespace: &str, component: &str, environment: &str) {
        for release in self.catalog.releases_that_need(namespace, component) {
            let name = &release.head.name;
            let bound = self.catalog.bindings_of_release(namespace, name);
            for own in bound.filter(|own| own.environment == environment) {
                self.keys
                    .insert(key("ReleaseBinding", namespace, &own.head.name));
                self.keys.insert(key("ComponentRelease", namespace, name));
            }
        }
    }

    /// Bindings of an environment whose workloads need a resource, and their releases.
    fn users_of_resource(&mut self, resource: &str, environment: &str) {
        for own in self.catalog.bindings() {
            let namespace = own.head.namespace.as_str();
            let name = own.release.as_deref().unwrap_or_default();
            let release = self.catalog.release(namespace, name);
            let needed = release.map(|release| &release.workload.resource_dependencies);
            let mut needed = needed.into_iter().flatten();
            if self.sees(namespace)
                && own.environment == environment
                && needed.any(|needed| needed.reference == resource)
            {
                self.keys
                    .insert(key("ReleaseBinding", namespace, &own.head.name));
                self.keys.insert(key("ComponentRelease", namespace, name));
            }
        }
    }

    fn data_plane(&mut self, changed: &Object) {
        let name = changed.name();
        let kind = changed.kind();
        let names: BTreeSet<(Text, Text)> = self
            .catalog
            .items()
            .filter_map(|item| match item {
                component::model::Item::Environment(own) => Some(own),
                _ => None,
            })
            .filter(|own| {
                let reference = own.data_plane.as_ref();
                self.sees(&own.head.namespace)
                    && reference.is_some_and(|own| own.name == name && own.kind == kind)
            })
            .map(|own| (own.head.namespace.clone(), own.head.name.clone()))
            .collect();
        for (namespace, name) in &names {
            self.keys.insert(key("Environment", namespace, name));
        }
        let on = |namespace: &Text, environment: &Text| {
            names.contains(&(namespace.clone(), environment.clone()))
        };
        self.bindings_and_users(|own| on(&own.head.namespace, &own.environment));
        if !names.is_empty() {
            self.all("ComponentRelease");
            self.all("Project");
            self.all("ProjectReleaseBinding");
        }
    }

    fn users_of_templates(&mut self, changed: &Object) {
        let (kind, name) = (changed.kind(), changed.name());
        let is_type = kind.ends_with("ComponentType");
        let mut types = BTreeSet::new();
        if !is_type {
            // A type may embed the trait.
            for item in self.catalog.items() {
                if let component::model::Item::ComponentType(own) = item
                    && own.spec.traits.iter().any(|own| own.name == name)
                {
                    types.insert(own.head.name.clone());
                }
            }
        }
        for own in self.catalog.components() {
            let own_type = own.component_type.as_deref().unwrap_or_default();
            let own_type = own_type.split_once('/').map_or(own_type, |(_, name)| name);
            let uses = match is_type {
                true => own_type == name,
                false => types.contains(own_type) || own.traits.iter().any(|own| own.name == name),
            };
            if uses && self.sees(&own.head.namespace) {
                let key = key("Component", &own.head.namespace, &own.head.name);
                self.keys.insert(key);
            }
        }
    }

    /// Bindings and releases that take a value from a secret reference, or from one that is
    /// missing: they are told names that come close.
    fn users_of_secret(&mut self, name: &str) {
        let (catalog, namespace) = (self.catalog, self.namespace);
        let wanted = |secret: &str| {
            secret == name || catalog.get("SecretReference", namespace, secret).is_none()
        };
        let mut releases = BTreeSet::new();
        for own in self.catalog.releases() {
            if self.sees(&own.head.namespace) && mentions(&own.workload, &wanted) {
                let namespace = own.head.namespace.clone();
                releases.insert((namespace, own.head.name.clone()));
            }
        }
        for (namespace, name) in &releases {
            self.keys.insert(key("ComponentRelease", namespace, name));
        }
        self.bindings(|own| {
            let release = own.release.clone().unwrap_or_default();
            let overrides = own.workload_overrides.values();
            let mut settings = overrides.flat_map(|own| own.env.iter().chain(&own.files));
            releases.contains(&(own.head.namespace.clone(), release))
                || settings.any(|own| is_of(&own.source, &wanted))
        });
    }
}

fn mentions(workload: &Workload, secret: &dyn Fn(&str) -> bool) -> bool {
    let containers = workload.containers.values();
    let mut settings = containers.flat_map(|own| own.env.iter().chain(&own.files));
    settings.any(|own| is_of(&own.source, secret))
}

fn is_of(source: &Source, secret: &dyn Fn(&str) -> bool) -> bool {
    matches!(source, Source::Secret { name, .. } if secret(name))
}
