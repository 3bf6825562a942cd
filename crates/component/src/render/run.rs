//! One render of a binding, step by step.

use std::collections::BTreeMap;

use object::{FieldPath, Node, Text};

use super::masks::{conceal, secret_values, settings};
use super::objects::{annotate_hash, give_ids, label, shown, sort};
use super::stage::Stage;
use super::{Inputs, Maker, Part, RenderErrors, RenderProblem, Rendered, Rendering, WarningKind};
use crate::configurations::{configurations, override_containers};
use crate::context::{Base, Mentions, is_single, with_values};
use crate::model::{
    ComponentRelease, Plane, Reference, Schemas, Source, Trait, TraitUse, Workload,
};
use crate::network_policy::network_policy;
use crate::parameters::{self, Compiled, Values};
use crate::template::{Context, Engine};

/// The trait whose alerts go to a channel, in releases from before the first major version; later
/// ones read it from the variable `environment`.
const ALERT_RULE: &str = "observability-alert-rule";

pub(super) fn run(engine: &Engine, inputs: &Inputs<'_>) -> Result<Rendering, RenderErrors> {
    let release = inputs.release;
    let maker = maker_of_release(inputs.release);
    let mut run = Run {
        stage: Stage::new(engine, release.dialect.is_v1(), maker),
        inputs,
    };
    let done = run.all();
    let stage = run.stage;
    match done {
        Some(secret_references) if stage.errors.is_empty() => Ok(Rendering {
            objects: stage.objects,
            warnings: stage.warnings,
            dialect: release.dialect,
            secret_references,
        }),
        _ => Err(RenderErrors(stage.errors)),
    }
}

/// The variables of the type and of each trait in use, by instance.
pub(super) fn contexts(
    engine: &Engine,
    inputs: &Inputs<'_>,
) -> Result<(Context, Vec<(Text, Context)>), RenderErrors> {
    let (context, uses) = prepared(engine, inputs)?;
    let uses = uses.into_iter().map(|(maker, _, context)| match maker {
        Maker::Trait { instance, .. } => (instance, context),
        _ => (Text::default(), context),
    });
    Ok((context, uses.collect()))
}

/// A trait in use: who it is, what it says, and its variables.
pub(super) type PreparedUse<'a> = (Maker, &'a Trait, Context);

/// The variables of the type, and each trait in use with its own, in the order they are applied.
pub(super) fn prepared<'a>(
    engine: &'a Engine,
    inputs: &'a Inputs<'a>,
) -> Result<(Context, Vec<PreparedUse<'a>>), RenderErrors> {
    let maker = maker_of_release(inputs.release);
    let mut run = Run {
        stage: Stage::new(engine, inputs.release.dialect.is_v1(), maker),
        inputs,
    };
    let prepared = run.prepare();
    match prepared {
        Some(prepared) if run.stage.errors.is_empty() => {
            let uses = prepared.uses.into_iter();
            let uses = uses.map(|one| (one.maker, one.body, one.context));
            Ok((prepared.context, uses.collect()))
        }
        _ => Err(RenderErrors(run.stage.errors)),
    }
}

/// The component type of a release, for errors.
pub(super) fn maker_of_release(release: &ComponentRelease) -> Maker {
    Maker::Type {
        kind: release.type_reference.kind.clone(),
        name: match release.type_reference.name.as_str() {
            "" => release.component_type.workload_type.clone(),
            name => name.into(),
        },
    }
}

struct Run<'a> {
    stage: Stage<'a>,
    inputs: &'a Inputs<'a>,
}

/// A trait in use with its values.
struct Use<'a> {
    maker: Maker,
    body: &'a Trait,
    context: Context,
}

/// What templates are rendered with.
struct Prepared<'a> {
    workload: Workload,
    /// The variables of the type.
    context: Context,
    uses: Vec<Use<'a>>,
}

impl<'a> Run<'a> {
    /// Everything in order; `None` when it cannot go on.
    fn all(&mut self) -> Option<Vec<Text>> {
        let own = self.stage.maker.clone();
        let Prepared {
            workload,
            context,
            uses,
        } = self.prepare()?;
        let component_type = &self.inputs.release.component_type;
        self.stage.maker = own.clone();
        self.stage.resources(&component_type.resources, &context);
        let complete = self.stage.errors.is_empty();
        for one in &uses {
            self.stage.maker = one.maker.clone();
            self.stage.apply_trait(one.body, &one.context, !complete);
        }
        if !self.stage.errors.is_empty() {
            return None;
        }
        self.stage.check_objects();
        self.stage.maker = own;
        self.stage.post_rules(&component_type.post_rules, &context);
        for one in &uses {
            self.stage.maker = one.maker.clone();
            self.stage.post_rules(&one.body.post_rules, &one.context);
        }
        self.stage.part = Part::Whole;
        if !self.stage.errors.is_empty() {
            return None;
        }
        self.finish(&workload);
        Some(secret_names(&workload))
    }

    /// Values and the rules over them; `None` when something is wrong with those.
    fn prepare(&mut self) -> Option<Prepared<'a>> {
        let inputs = self.inputs;
        let release = inputs.release;
        if release.component_type.resources.is_empty() {
            self.stage
                .fail(FieldPath::root(), RenderProblem::NoResources);
            return None;
        }
        let own = self.stage.maker.clone();
        self.stage.maker = Maker::Workload;
        let workload = self.workload();
        let secrets = secret_values(inputs, &workload);
        self.stage.hidden = conceal(Context::default(), secrets.clone());
        let single = is_single(&workload, release.dialect);
        let known: Vec<Text> = inputs.secrets.keys().cloned().collect();
        let found = |name: &str| inputs.secrets.get(name).copied();
        let (configurations, unresolved) = configurations(&workload, single, found, &known);
        for one in unresolved {
            self.stage
                .fail(FieldPath::root(), RenderProblem::Unresolved(one));
        }
        let mentions = Mentions::of(release);
        let mut routes = BTreeMap::new();
        // Descriptions are large, and few templates ask for routes.
        let endpoints = workload.endpoints.iter().filter(|_| mentions.routes);
        for (name, endpoint) in endpoints {
            match crate::routes::routes(endpoint) {
                Ok(found) if found.as_list().is_some_and(|found| !found.is_empty()) => {
                    routes.insert(name.clone(), found);
                }
                Ok(_) => {}
                Err(why) => self.stage.warn(WarningKind::EndpointSchema {
                    name: name.clone(),
                    why,
                }),
            }
        }
        self.stage.maker = own.clone();

        let base = Base {
            release,
            workload: &workload,
            single,
            configurations,
            environment: inputs.environment,
            data_plane: inputs.data_plane,
            metadata: &inputs.metadata,
            dependencies: inputs.dependencies.to_map(),
            notification_channel: inputs.notification_channel.as_ref(),
            routes,
            mentions,
        }
        .context();
        let base = conceal(base, secrets);
        let mut schemas: BTreeMap<Text, Option<Compiled>> = BTreeMap::new();
        let compiled = self.schemas(&release.component_type.schemas);
        let values = compiled.map(|compiled| {
            self.values(&compiled, &release.parameters, &inputs.binding.type_values)
        });
        let context = with_values(&base, &values.unwrap_or_default());
        if !self.stage.errors.is_empty() {
            // What is wrong with the values of traits is worth knowing all the same.
            self.uses(&base, &context, &mut schemas, false);
            return None;
        }
        self.stage
            .rules(&release.component_type.pre_rules, &context);
        let uses = self.uses(&base, &context, &mut schemas, true);
        if !self.stage.errors.is_empty() {
            return None;
        }
        Some(Prepared {
            workload,
            context,
            uses,
        })
    }

    /// The workload with the overrides of the binding.
    fn workload(&mut self) -> Workload {
        let mut workload = self.inputs.release.workload.clone();
        let overrides = &self.inputs.binding.workload_overrides;
        for name in override_containers(&mut workload, overrides) {
            let known = workload.containers.keys().cloned().collect();
            self.stage
                .warn(WarningKind::UnknownContainer { name, known });
        }
        workload
    }

    fn schemas(&mut self, schemas: &Schemas) -> Option<Compiled> {
        match self.stage.engine.schemas.compile(schemas) {
            Ok(compiled) => Some(compiled),
            Err((parameters, environment)) => {
                for (part, errors) in [
                    (Part::Parameters, parameters),
                    (Part::EnvironmentValues, environment),
                ] {
                    self.stage.part = part;
                    for error in errors {
                        self.stage
                            .fail(error.path.clone(), RenderProblem::Schema(error));
                    }
                }
                self.stage.part = Part::Whole;
                None
            }
        }
    }

    fn values(&mut self, schemas: &Compiled, own: &Node, environment: &Node) -> Values {
        let dialect = self.inputs.release.dialect;
        let mut values = parameters::apply(schemas, dialect, own, environment);
        for place in std::mem::take(&mut values.unknown) {
            self.stage.warn(WarningKind::UnknownValue(place));
        }
        for (part, errors) in [
            (
                Part::Parameters,
                std::mem::take(&mut values.parameter_errors),
            ),
            (
                Part::EnvironmentValues,
                std::mem::take(&mut values.environment_errors),
            ),
        ] {
            self.stage.part = part;
            for error in errors {
                self.stage
                    .fail(FieldPath::root(), RenderProblem::Value(error));
            }
        }
        self.stage.part = Part::Whole;
        values
    }

    /// Traits of the type, then those of the component, with their values. Those of the type need
    /// the context of the component, which is `ready` when its own values are right.
    fn uses(
        &mut self,
        base: &Context,
        context: &Context,
        schemas: &mut BTreeMap<Text, Option<Compiled>>,
        ready: bool,
    ) -> Vec<Use<'a>> {
        let inputs = self.inputs;
        let embedded = inputs.release.component_type.traits.iter();
        let embedded = embedded.map(|own| (own, true));
        let all: Vec<(&TraitUse, bool)> = embedded
            .chain(inputs.release.uses.iter().map(|own| (own, false)))
            .collect();
        let values = &inputs.binding.trait_values;
        for name in values.keys() {
            let found = all.iter().find(|(own, _)| own.instance == *name);
            match found {
                None => self.stage.warn(WarningKind::UnknownInstance {
                    name: name.clone(),
                    known: all.iter().map(|(own, _)| own.instance.clone()).collect(),
                }),
                Some((_, true)) => self.stage.warn(WarningKind::EmbeddedInstance(name.clone())),
                Some((_, false)) => {}
            }
        }
        let mut uses = Vec::new();
        for (at, (own, embedded)) in all.iter().enumerate() {
            self.stage.maker = Maker::Trait {
                kind: own.kind.clone(),
                name: own.name.clone(),
                instance: own.instance.clone(),
            };
            self.stage.part = Part::Whole;
            if all[..at]
                .iter()
                .any(|(other, _)| other.instance == own.instance)
            {
                self.stage
                    .fail(FieldPath::root(), RenderProblem::RepeatedInstance);
                continue;
            }
            let traits = &inputs.release.traits;
            let body = traits
                .iter()
                .find(|(reference, _)| reference.name == own.name && reference.kind == own.kind)
                .or_else(|| {
                    // Kinds of traits came later.
                    let named = |(reference, _): &&(Reference, Trait)| reference.name == own.name;
                    let v1 = inputs.release.dialect.is_v1();
                    traits.iter().find(named).filter(|_| !v1)
                });
            let Some((reference, body)) = body else {
                let known = traits.iter().map(|(reference, _)| reference.name.clone());
                let known = known.collect();
                self.stage
                    .fail(FieldPath::root(), RenderProblem::NoTrait { known });
                continue;
            };
            let key: Text = format!("{}/{}", reference.kind, reference.name).into();
            let compiled = match schemas.get(&key) {
                Some(compiled) => compiled.clone(),
                None => {
                    let compiled = self.schemas(&body.schemas);
                    schemas.insert(key, compiled.clone());
                    compiled
                }
            };
            let Some(compiled) = compiled else { continue };
            let (parameters, environment) = match embedded {
                false => {
                    let mut values = values.get(&own.instance).cloned().unwrap_or_default();
                    if own.name == ALERT_RULE && !inputs.release.dialect.is_v1() {
                        self.set_channel(&mut values);
                    }
                    (own.parameters.clone(), values)
                }
                true if !ready => continue,
                true => {
                    let before = self.stage.errors.len();
                    let parameters = self.stage.bound(&own.parameters, Part::Parameters, context);
                    let environment =
                        self.stage
                            .bound(&own.environment, Part::EnvironmentValues, context);
                    self.stage.part = Part::Whole;
                    if self.stage.errors.len() > before {
                        continue;
                    }
                    (parameters, environment)
                }
            };
            let before = self.stage.errors.len();
            let values = self.values(&compiled, &parameters, &environment);
            if self.stage.errors.len() > before {
                continue;
            }
            let mut described = Node::map();
            described.set(&["name"], own.name.clone());
            described.set(&["instanceName"], own.instance.clone());
            let context = with_values(base, &values).with("trait", &described);
            if ready {
                self.stage.rules(&body.pre_rules, &context);
            }
            uses.push(Use {
                maker: self.stage.maker.clone(),
                body,
                context,
            });
        }
        self.stage.part = Part::Whole;
        uses
    }

    /// Sends alerts to the channel of the environment where no other one is named.
    fn set_channel(&mut self, values: &mut Node) {
        let own = values.get("notificationChannel");
        if own.is_some_and(|own| own.as_str() != Some("")) {
            return;
        }
        match self.inputs.notification_channel {
            Some(ref channel) => values.set(&["notificationChannel"], channel.clone()),
            None => {
                let environment = self.inputs.environment.head.name.clone();
                self.stage
                    .fail(FieldPath::root(), RenderProblem::NoChannel { environment });
            }
        }
    }

    /// Labels, hash, order, network policy, ids.
    fn finish(&mut self, workload: &Workload) {
        let inputs = self.inputs;
        let v1 = inputs.release.dialect.is_v1();
        for own in &mut self.stage.objects {
            label(&mut own.object, &inputs.metadata.forced_labels);
        }
        if v1 {
            annotate_hash(
                &mut self.stage.objects,
                &inputs.release.component_type.workload_type,
            );
        }
        sort(&mut self.stage.objects);
        if v1 {
            self.stage.objects.push(Rendered {
                id: String::new(),
                plane: Plane::Data,
                object: network_policy(&inputs.metadata, workload, inputs.data_plane),
                maker: Maker::Platform,
                part: Part::NetworkPolicy,
                patched_by: Vec::new(),
            });
        }
        give_ids(&mut self.stage.objects);
        if !inputs.observed {
            let lost: Vec<(Maker, Part, String)> = self
                .stage
                .objects
                .iter()
                .filter(|own| own.plane == Plane::Observability)
                .map(|own| (own.maker.clone(), own.part.clone(), shown(&own.object)))
                .collect();
            for (maker, part, object) in lost {
                (self.stage.maker, self.stage.part) = (maker, part);
                self.stage.warn(WarningKind::NoObservabilityPlane(object));
            }
        }
    }
}

/// SecretReferences that a workload names, each once, in its order.
fn secret_names(workload: &Workload) -> Vec<Text> {
    let mut names: Vec<Text> = Vec::new();
    let named = settings(workload).filter_map(|own| match &own.source {
        Source::Secret { name, .. } => Some(name.clone()),
        _ => None,
    });
    for name in named {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
