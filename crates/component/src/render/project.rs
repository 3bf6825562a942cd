//! What a project needs in an environment: its namespace and whatever its type adds.
//!
//! # Source
//! openchoreo/openchoreo `internal/pipeline/project/pipeline.go` after v1.2.3, whose names for the
//! namespace are both known. On purpose different: a project without a type has the built-in one.

use object::{Map, Node, Text};

use super::objects::give_ids;
use super::stage::Stage;
use super::{Maker, Part, RenderErrors, RenderProblem, Rendered};
use crate::context::{gateway, with_values};
use crate::metadata::{Identities, keys, namespace};
use crate::model::{DataPlane, Dialect, Environment, Plane, ProjectType, Reference};
use crate::names::{NAME_BYTES_MAX, generate_name};
use crate::parameters;
use crate::template::{Context, Engine};

/// Everything the render of a project depends on.
#[derive(Clone, Debug)]
pub struct ProjectInputs<'a> {
    /// The type with its kind and name; `None` for the built-in one, which makes the namespace.
    pub project_type: Option<(Reference, &'a ProjectType)>,
    /// Values of the project, or null.
    pub parameters: &'a Node,
    /// Values for the environment, or null.
    pub type_values: &'a Node,
    /// Where.
    pub environment: &'a Environment,
    /// On what.
    pub data_plane: &'a DataPlane,
    /// Names and identities; those of a component are empty.
    pub identities: Identities,
}

pub(super) fn render_project(
    engine: &Engine,
    inputs: &ProjectInputs<'_>,
) -> Result<Vec<Rendered>, RenderErrors> {
    let Some((reference, project_type)) = &inputs.project_type else {
        return Ok(vec![built_in(&inputs.identities)]);
    };
    let maker = Maker::Type {
        kind: reference.kind.clone(),
        name: reference.name.clone(),
    };
    let mut stage = Stage::new(engine, true, maker);
    if let Ok(compiled) = stage_schemas(&mut stage, project_type) {
        let dialect = Dialect::V1;
        let values = parameters::apply(&compiled, dialect, inputs.parameters, inputs.type_values);
        for (part, errors) in [
            (Part::Parameters, &values.parameter_errors),
            (Part::EnvironmentValues, &values.environment_errors),
        ] {
            stage.part = part;
            for error in errors {
                let problem = RenderProblem::Value(error.clone());
                stage.fail(object::FieldPath::root(), problem);
            }
        }
        stage.part = Part::Whole;
        if stage.errors.is_empty() {
            let context = with_values(&context(inputs), &values);
            stage.rules(&project_type.pre_rules, &context);
            if stage.errors.is_empty() {
                stage.resources(&project_type.resources, &context);
                stage.check_objects();
            }
        }
    }
    if !stage.errors.is_empty() {
        return Err(RenderErrors(stage.errors));
    }
    give_ids(&mut stage.objects);
    Ok(stage.objects)
}

/// The compiled schemas of a type; mistakes are reported.
fn stage_schemas(
    stage: &mut Stage<'_>,
    project_type: &ProjectType,
) -> Result<parameters::Compiled, ()> {
    parameters::compile(&project_type.schemas).map_err(|(parameters, environment)| {
        for (part, errors) in [
            (Part::Parameters, parameters),
            (Part::EnvironmentValues, environment),
        ] {
            stage.part = part;
            for error in errors {
                stage.fail(error.path.clone(), RenderProblem::Schema(error));
            }
        }
    })
}

fn labels(own: &Identities) -> Map {
    Map::from_iter([
        (keys::NAMESPACE, own.namespace.clone()),
        (keys::PROJECT, own.project.clone()),
        (keys::ENVIRONMENT, own.environment.clone()),
        (keys::PROJECT_UID, own.project_uid.clone()),
        (keys::ENVIRONMENT_UID, own.environment_uid.clone()),
    ])
}

fn context(inputs: &ProjectInputs<'_>) -> Context {
    let own = &inputs.identities;
    let namespace = namespace(&own.namespace, &own.project, &own.environment);
    let name = generate_name(NAME_BYTES_MAX, &[&own.project, &own.environment]);
    let metadata = Map::from_iter([
        ("name", Node::from(name)),
        ("namespace", namespace.clone().into()),
        ("cellNamespace", namespace.into()),
        ("projectNamespace", own.namespace.clone().into()),
        ("projectName", own.project.clone().into()),
        ("projectUID", own.project_uid.clone().into()),
        ("environmentName", own.environment.clone().into()),
        ("environmentUID", own.environment_uid.clone().into()),
        ("dataPlaneName", own.data_plane.clone().into()),
        ("dataPlaneUID", own.data_plane_uid.clone().into()),
        ("labels", labels(own).into()),
        ("annotations", Map::new().into()),
    ]);
    let gateway = gateway(inputs.environment, inputs.data_plane);
    let mut plane = Map::new();
    if let Some(store) = &inputs.data_plane.secret_store {
        plane.insert("secretStore", store.clone());
    }
    let mut environment = Map::new();
    if !gateway.is_empty() {
        plane.insert("gateway", inputs.data_plane.gateway.clone());
        environment.insert("gateway", gateway.clone());
    }
    let context = Context::default()
        .with("metadata", &Node::from(metadata))
        .with("dataplane", &Node::from(plane))
        .with("environment", &Node::from(environment));
    match gateway.is_empty() {
        true => context,
        false => context.with("gateway", &Node::from(gateway)),
    }
}

/// The namespace that every project has.
fn built_in(own: &Identities) -> Rendered {
    let name: Text = namespace(&own.namespace, &own.project, &own.environment).into();
    let mut object = Node::map();
    object.set(&["apiVersion"], "v1");
    object.set(&["kind"], "Namespace");
    object.set(&["metadata", "name"], name.clone());
    object.set(&["metadata", "labels"], labels(own));
    let mut objects = [Rendered {
        id: String::new(),
        plane: Plane::Data,
        object,
        maker: Maker::Platform,
        part: Part::Whole,
        patched_by: Vec::new(),
    }];
    give_ids(&mut objects);
    let [only] = objects;
    only
}
