//! From a release and a binding to the objects of one environment.
//!
//! [`Renderer::render`] goes through the frozen templates in this order: values and their rules,
//! resources of the type, traits of the type, traits of the component, rules over what was made,
//! labels, hash, order. Either everything renders or nothing does; then every reason is told.
//!
//! # Invariants
//!
//! - **Only the snapshot counts.** No live type, trait or workload is looked at.
//! - **Equal inputs give equal bytes.**
//! - **All reasons at once**, each with type or trait, part, path, expression and values.
//!
//! # Source
//! openchoreo/openchoreo `internal/pipeline/component/` at v0.7.0, v0.12.0 and v1.2.3. On purpose
//! different: two objects of one group, kind, namespace and name are an error, and what is worth a
//! look without being wrong is a [`Warning`].

mod error;
mod lint;
mod masks;
mod objects;
mod origins;
mod place;
mod project;
mod run;
mod stage;

use std::collections::BTreeMap;

use object::{FieldPath, Node, ObjectKey, Text};

pub use origins::{Input, Layer, Origins, Write};
pub use place::Document;
pub use project::ProjectInputs;

pub use error::{Maker, Part, RenderError, RenderErrors, RenderProblem, Warning, WarningKind};
pub(crate) use masks::is_secret;

use crate::dependencies::Dependencies;
use crate::helpers::METHODS;
use crate::metadata::Metadata;
use crate::model::{
    ComponentRelease, DataPlane, Dialect, Environment, Plane, ReleaseBinding, Resource,
    SecretReference, Trait,
};
use crate::template::{Context, Engine};
use stage::Stage;

/// Most objects a binding may render to: they become one release, which has to fit into a request
/// of 1.5 MiB.
pub const OBJECTS_MAX: usize = 2_000;

/// Most operations that the traits of one binding may apply. Each copies what it changes of an
/// object, which takes about ten microseconds; traits of the samples apply a handful.
pub const OPERATIONS_MAX: usize = 20_000;

/// Most errors told for one binding.
pub const ERRORS_MAX: usize = 200;

/// Everything a render depends on.
#[derive(Clone, Debug)]
pub struct Inputs<'a> {
    /// What runs.
    pub release: &'a ComponentRelease,
    /// With which overrides.
    pub binding: &'a ReleaseBinding,
    /// Where.
    pub environment: &'a Environment,
    /// On what.
    pub data_plane: &'a DataPlane,
    /// Whether there is a plane for what is to be observed.
    pub observed: bool,
    /// Names and labels; see [`Metadata::new`].
    pub metadata: Metadata,
    /// SecretReferences of the namespace by name.
    pub secrets: BTreeMap<Text, &'a SecretReference>,
    /// What the workload needs of others.
    pub dependencies: Dependencies,
    /// Where alerts of the environment go.
    pub notification_channel: Option<Text>,
}

/// What a binding renders to.
#[derive(Clone, Debug)]
pub struct Rendering {
    /// The objects by kind, apiVersion, namespace and name; a network policy is last.
    pub objects: Vec<Rendered>,
    /// What is worth a look.
    pub warnings: Vec<Warning>,
    /// The rules it was rendered by.
    pub dialect: Dialect,
    /// SecretReferences it took places from, in the order of the workload.
    pub secret_references: Vec<Text>,
}

/// An object, and where it came from.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// Name in a rendered release, unique in it.
    pub id: String,
    /// Where it goes.
    pub plane: Plane,
    /// The object.
    pub object: Node,
    /// Whose template it is.
    pub maker: Maker,
    /// Which template.
    pub part: Part,
    /// Traits that changed it, in order.
    pub patched_by: Vec<Maker>,
}

/// Renders bindings.
///
/// Expressions are compiled once for all bindings of a renderer.
#[derive(Debug)]
pub struct Renderer {
    engine: Engine,
    /// For releases from before the first major version.
    earlier: Engine,
}

impl Default for Renderer {
    fn default() -> Self {
        Self {
            engine: Engine::new(METHODS),
            earlier: Engine::earlier(METHODS),
        }
    }
}

impl Renderer {
    fn engine(&self, release: &ComponentRelease) -> &Engine {
        match release.dialect.is_v1() {
            true => &self.engine,
            false => &self.earlier,
        }
    }

    /// Renders a binding.
    ///
    /// # Errors
    /// Everything that keeps it from rendering, at most [`ERRORS_MAX`].
    pub fn render(&self, inputs: &Inputs<'_>) -> Result<Rendering, RenderErrors> {
        run::run(self.engine(inputs.release), inputs)
    }

    /// What is wrong with a release whatever it is bound to: schemas that mean nothing, expressions
    /// that no values can make work. At most [`ERRORS_MAX`]; empty when nothing was found, which
    /// does not say that it renders.
    pub fn problems(&self, release: &ComponentRelease) -> Vec<RenderError> {
        lint::problems(self.engine(release), release)
    }

    /// Renders what a project needs in an environment, in the order of its templates.
    ///
    /// # Errors
    /// As [`Self::render`].
    pub fn render_project(
        &self,
        inputs: &ProjectInputs<'_>,
    ) -> Result<Vec<Rendered>, RenderErrors> {
        project::render_project(&self.engine, inputs)
    }

    /// The variables that templates of the type see, and those of each trait in use, by instance.
    ///
    /// # Errors
    /// As [`Self::render`]; templates themselves are not looked at.
    pub fn contexts(
        &self,
        inputs: &Inputs<'_>,
    ) -> Result<(Context, Vec<(Text, Context)>), RenderErrors> {
        run::contexts(self.engine(inputs.release), inputs)
    }

    /// Tells how a field of a rendered object came to be.
    ///
    /// # Errors
    /// As [`Self::render`].
    pub fn origins(
        &self,
        inputs: &Inputs<'_>,
        key: &ObjectKey,
        path: &FieldPath,
    ) -> Result<Origins, RenderErrors> {
        origins::origins(self, self.engine(inputs.release), inputs, key, path)
    }

    /// Renders templates in a context, without labels and in the order of the templates.
    ///
    /// # Errors
    /// As [`Self::render`].
    pub fn resources(
        &self,
        maker: Maker,
        resources: &[Resource],
        context: &Context,
    ) -> Result<Vec<Rendered>, RenderErrors> {
        let mut stage = Stage::new(&self.engine, true, maker);
        stage.resources(resources, context);
        match stage.errors.is_empty() {
            true => Ok(stage.objects),
            false => Err(RenderErrors(stage.errors)),
        }
    }

    /// Applies a trait in a context: objects are created, changed and taken away.
    ///
    /// # Errors
    /// As [`Self::render`].
    pub fn apply_trait(
        &self,
        maker: Maker,
        body: &Trait,
        context: &Context,
        objects: Vec<Rendered>,
    ) -> Result<Vec<Rendered>, RenderErrors> {
        let mut stage = Stage::new(&self.engine, true, maker);
        stage.objects = objects;
        stage.apply_trait(body, context, false);
        match stage.errors.is_empty() {
            true => Ok(stage.objects),
            false => Err(RenderErrors(stage.errors)),
        }
    }
}
