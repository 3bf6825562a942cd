//! What a project needs in an environment, from a catalog.

use object::{Node, Text};

use super::{BindingError, Catalog, ReferenceError, ReferenceErrors, Session};
use crate::identity;
use crate::metadata::Identities;
use crate::model::{Item, ProjectReleaseBinding, ProjectType, Reference};
use crate::render::{ProjectInputs, Rendered};

static NOTHING: Node = Node::Null;

impl Catalog {
    /// Bindings of projects by namespace and name.
    pub fn project_bindings(&self) -> impl Iterator<Item = &ProjectReleaseBinding> {
        self.of_kind("ProjectReleaseBinding")
            .filter_map(|item| match item {
                Item::ProjectReleaseBinding(binding) => Some(binding),
                _ => None,
            })
    }

    /// A project type that an object of `namespace` refers to.
    pub fn project_type(&self, namespace: &str, reference: &Reference) -> Option<&ProjectType> {
        match self.referred(namespace, reference)? {
            Item::ProjectType(own) => Some(&own.spec),
            _ => None,
        }
    }

    /// Everything the render of a project in an environment needs.
    ///
    /// The release that a binding names counts. Without one it is the project as it is now, and
    /// without a type that can be found the built-in one, so that a tree of any version has its
    /// namespaces.
    ///
    /// # Errors
    /// Every reference that leads nowhere.
    pub fn resolve_project<'a>(
        &'a self,
        namespace: &str,
        project: &str,
        environment: &str,
    ) -> Result<ProjectInputs<'a>, ReferenceErrors> {
        let mut errors = Vec::new();
        let found = self.project(namespace, project);
        if found.is_none() {
            errors.push(ReferenceError::Project(project.into()));
        }
        let place = self.environment(namespace, environment);
        let plane = match place {
            None => {
                errors.push(ReferenceError::Environment(environment.into()));
                None
            }
            Some(place) => match &place.data_plane {
                None => {
                    errors.push(ReferenceError::NoDataPlane(environment.into()));
                    None
                }
                Some(reference) => {
                    let plane = self.data_plane(namespace, reference);
                    if plane.is_none() {
                        errors.push(ReferenceError::DataPlane(reference.clone()));
                    }
                    plane
                }
            },
        };
        let binding = self.project_bindings().find(|own| {
            own.head.namespace == namespace
                && own.project == project
                && own.environment == environment
        });
        let mut frozen = None;
        if let Some(name) = binding.and_then(|own| own.release.as_ref()) {
            match self.get("ProjectRelease", namespace, name) {
                Some(Item::ProjectRelease(release)) if release.project == project => {
                    frozen = Some(release);
                }
                _ => errors.push(ReferenceError::ProjectRelease {
                    name: name.clone(),
                    known: self.project_releases(namespace, project),
                }),
            }
        }
        let (true, Some(found), Some(place), Some(plane)) =
            (errors.is_empty(), found, place, plane)
        else {
            return Err(ReferenceErrors(errors));
        };
        let (project_type, parameters) = match frozen {
            Some(release) => (
                Some((release.type_reference.clone(), &release.project_type)),
                &release.parameters,
            ),
            None => {
                let reference = found.project_type.clone();
                let live = reference.and_then(|reference| {
                    let own = self.project_type(namespace, &reference)?;
                    Some((reference, own))
                });
                (live, &found.parameters)
            }
        };
        Ok(ProjectInputs {
            project_type,
            parameters,
            type_values: binding.map_or(&NOTHING, |own| &own.type_values),
            environment: place,
            data_plane: plane,
            identities: Identities {
                namespace: namespace.into(),
                project: project.into(),
                project_uid: identity::of(&found.head),
                environment: environment.into(),
                environment_uid: identity::of(&place.head),
                data_plane: plane.head.name.clone(),
                data_plane_uid: identity::of(&plane.head),
                ..Identities::default()
            },
        })
    }

    fn project_releases(&self, namespace: &str, project: &str) -> Vec<Text> {
        let releases = self
            .of_kind("ProjectRelease")
            .filter_map(|item| match item {
                Item::ProjectRelease(own) => Some(own),
                _ => None,
            });
        releases
            .filter(|own| own.head.namespace == namespace && own.project == project)
            .map(|own| own.head.name.clone())
            .collect()
    }
}

impl Session<'_> {
    /// Renders what a project needs in an environment; its namespace at least.
    ///
    /// # Errors
    /// [`BindingError`]
    pub fn render_project(
        &self,
        namespace: &str,
        project: &str,
        environment: &str,
    ) -> Result<Vec<Rendered>, BindingError> {
        let inputs = self
            .catalog
            .resolve_project(namespace, project, environment)?;
        Ok(self.renderer.render_project(&inputs)?)
    }
}
