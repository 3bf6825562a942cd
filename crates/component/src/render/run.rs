//! One render, step by step.

use std::collections::BTreeMap;

use expr::{ReadStep, Value};
use object::{FieldPath, Node, Text};

use super::objects::{annotate_hash, give_ids, label, missing_field, repeated, shown, sort};
use super::{
    ERRORS_MAX, Inputs, Maker, OBJECTS_MAX, OPERATIONS_MAX, Part, RenderError, RenderErrors,
    RenderProblem, Rendered, Rendering, Warning, WarningKind,
};
use crate::configurations::{configurations, override_containers};
use crate::context::{Base, is_single, with_values};
use crate::model::{
    Patch, Plane, PostRule, Remove, Resource, Rule, Schemas, Source, Target, Trait, TraitUse,
    Workload,
};
use crate::network_policy::network_policy;
use crate::parameters::{self, Compiled, Values};
use crate::patch::{Dialect as PatchDialect, Operation, OperationTemplate, Verb, apply};
use crate::template::{
    Context, Engine, Meter, Repeat, Template, TemplateError, TemplateErrorKind, Used,
};

/// The loop variable of a `forEach` that names none.
const DEFAULT_VARIABLE: &str = "item";

/// Most values shown with a rule that is not met, and most characters of each.
const USED_MAX: usize = 8;
const VALUE_SHOWN: usize = 80;

/// Literal texts shorter than this are not masked: they occur everywhere.
const SECRET_BYTES_MIN: usize = 4;

/// Words in the name of a setting that make its value a secret.
const SECRET_WORDS: [&str; 8] = [
    "password",
    "passwd",
    "secret",
    "token",
    "credential",
    "private",
    "api_key",
    "apikey",
];

pub(super) fn run(engine: &Engine, inputs: &Inputs<'_>) -> Result<Rendering, RenderErrors> {
    let release = inputs.release;
    let mut run = Run {
        engine,
        inputs,
        meter: Meter::default(),
        maker: Maker::Type {
            kind: release.type_reference.kind.clone(),
            name: match release.type_reference.name.as_str() {
                "" => release.component_type.workload_type.clone(),
                name => name.into(),
            },
        },
        part: Part::Whole,
        masks: Vec::new(),
        errors: Vec::new(),
        warnings: Vec::new(),
        objects: Vec::new(),
        operations: 0,
    };
    let done = run.all();
    let Run {
        errors,
        warnings,
        objects,
        ..
    } = run;
    match done {
        Some(secret_references) if errors.is_empty() => Ok(Rendering {
            objects,
            warnings,
            dialect: release.dialect,
            secret_references,
        }),
        _ => Err(RenderErrors(errors)),
    }
}

struct Run<'a> {
    engine: &'a Engine,
    inputs: &'a Inputs<'a>,
    meter: Meter,
    /// What is being rendered, for errors.
    maker: Maker,
    part: Part,
    /// Texts that no message may show.
    masks: Vec<Text>,
    errors: Vec<RenderError>,
    warnings: Vec<Warning>,
    objects: Vec<Rendered>,
    operations: usize,
}

/// A trait in use with its values.
struct Use<'a> {
    maker: Maker,
    body: &'a Trait,
    context: Context,
}

impl<'a> Run<'a> {
    /// Everything in order; `None` when it cannot go on.
    fn all(&mut self) -> Option<Vec<Text>> {
        let inputs = self.inputs;
        let release = inputs.release;
        if release.component_type.resources.is_empty() {
            self.fail(FieldPath::root(), RenderProblem::NoResources);
            return None;
        }
        let own = self.maker.clone();
        self.maker = Maker::Workload;
        let workload = self.workload();
        self.masks = secrets(&workload);
        let single = is_single(&workload, release.dialect);
        let known: Vec<Text> = inputs.secrets.keys().cloned().collect();
        let found = |name: &str| inputs.secrets.get(name).copied();
        let (configurations, unresolved) = configurations(&workload, single, found, &known);
        for one in unresolved {
            self.fail(FieldPath::root(), RenderProblem::Unresolved(one));
        }
        self.maker = own.clone();

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
        }
        .context();
        let mut schemas: BTreeMap<Text, Option<Compiled>> = BTreeMap::new();
        let compiled = self.schemas(&release.component_type.schemas);
        let values = compiled.map(|compiled| {
            self.values(&compiled, &release.parameters, &inputs.binding.type_values)
        });
        let context = with_values(&base, &values.unwrap_or_default());
        if !self.errors.is_empty() {
            // What is wrong with the values of traits is worth knowing all the same.
            self.uses(&base, &context, &mut schemas, false);
            return None;
        }
        self.rules(&release.component_type.pre_rules, &context);
        let uses = self.uses(&base, &context, &mut schemas, true);
        if !self.errors.is_empty() {
            return None;
        }

        self.maker = own.clone();
        for resource in &release.component_type.resources {
            self.part = Part::Resource(resource.id.clone());
            self.resource(resource, &context);
        }
        let complete = self.errors.is_empty();
        for one in &uses {
            self.maker = one.maker.clone();
            for (at, resource) in one.body.creates.iter().enumerate() {
                self.part = Part::Create(at);
                self.resource(resource, &one.context);
            }
            if !complete {
                continue;
            }
            for (at, patch) in one.body.patches.iter().enumerate() {
                self.part = Part::Patch(at);
                self.patch(patch, &one.context);
            }
            for (at, remove) in one.body.removes.iter().enumerate() {
                self.part = Part::Remove(at);
                self.remove(remove, &one.context);
            }
        }
        if !self.errors.is_empty() {
            return None;
        }
        self.check_objects();
        self.maker = own;
        self.post_rules(&release.component_type.post_rules, &context);
        for one in &uses {
            self.maker = one.maker.clone();
            self.post_rules(&one.body.post_rules, &one.context);
        }
        self.part = Part::Whole;
        if !self.errors.is_empty() {
            return None;
        }
        self.finish(&workload);
        Some(secret_names(&workload))
    }

    fn fail(&mut self, path: FieldPath, problem: RenderProblem) {
        self.report(RenderError {
            maker: self.maker.clone(),
            part: self.part.clone(),
            path,
            object: None,
            expression: Text::default(),
            problem,
            used: Vec::new(),
        });
    }

    fn report(&mut self, mut error: RenderError) {
        if self.errors.len() >= ERRORS_MAX || self.errors.iter().any(|own| own.same_as(&error)) {
            return;
        }
        if let RenderProblem::Template(TemplateErrorKind::Failed(message)) = &mut error.problem {
            *message = mask(&self.masks, message);
        }
        for used in &mut error.used {
            used.value = used.value.as_deref().map(|value| mask(&self.masks, value));
        }
        self.errors.push(error);
    }

    fn fail_template(&mut self, under: &FieldPath, errors: Vec<TemplateError>) {
        for error in errors {
            let error = error.under(under);
            self.report(RenderError {
                maker: self.maker.clone(),
                part: self.part.clone(),
                path: error.path,
                object: None,
                expression: error.expression,
                problem: RenderProblem::Template(error.kind),
                used: error.used,
            });
        }
    }

    fn warn(&mut self, kind: WarningKind) {
        let warning = Warning {
            maker: self.maker.clone(),
            part: self.part.clone(),
            kind,
        };
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// The workload with the overrides of the binding.
    fn workload(&mut self) -> Workload {
        let mut workload = self.inputs.release.workload.clone();
        let overrides = &self.inputs.binding.workload_overrides;
        for name in override_containers(&mut workload, overrides) {
            let known = workload.containers.keys().cloned().collect();
            self.warn(WarningKind::UnknownContainer { name, known });
        }
        workload
    }

    fn schemas(&mut self, schemas: &Schemas) -> Option<Compiled> {
        match parameters::compile(schemas) {
            Ok(compiled) => Some(compiled),
            Err((parameters, environment)) => {
                for (part, errors) in [
                    (Part::Parameters, parameters),
                    (Part::EnvironmentValues, environment),
                ] {
                    self.part = part;
                    for error in errors {
                        self.fail(error.path.clone(), RenderProblem::Schema(error));
                    }
                }
                self.part = Part::Whole;
                None
            }
        }
    }

    fn values(&mut self, schemas: &Compiled, own: &Node, environment: &Node) -> Values {
        let dialect = self.inputs.release.dialect;
        let mut values = parameters::apply(schemas, dialect, own, environment);
        for place in std::mem::take(&mut values.unknown) {
            self.warn(WarningKind::UnknownValue(place));
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
            self.part = part;
            for error in errors {
                self.fail(FieldPath::root(), RenderProblem::Value(error));
            }
        }
        self.part = Part::Whole;
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
                None => self.warn(WarningKind::UnknownInstance {
                    name: name.clone(),
                    known: all.iter().map(|(own, _)| own.instance.clone()).collect(),
                }),
                Some((_, true)) => self.warn(WarningKind::EmbeddedInstance(name.clone())),
                Some((_, false)) => {}
            }
        }
        let mut uses = Vec::new();
        for (at, (own, embedded)) in all.iter().enumerate() {
            self.maker = Maker::Trait {
                kind: own.kind.clone(),
                name: own.name.clone(),
                instance: own.instance.clone(),
            };
            self.part = Part::Whole;
            if all[..at]
                .iter()
                .any(|(other, _)| other.instance == own.instance)
            {
                self.fail(FieldPath::root(), RenderProblem::RepeatedInstance);
                continue;
            }
            let traits = &inputs.release.traits;
            let body = traits
                .iter()
                .find(|(reference, _)| reference.name == own.name && reference.kind == own.kind)
                .or_else(|| {
                    traits
                        .iter()
                        .find(|(reference, _)| reference.name == own.name)
                });
            let Some((reference, body)) = body else {
                let known = traits.iter().map(|(reference, _)| reference.name.clone());
                let known = known.collect();
                self.fail(FieldPath::root(), RenderProblem::NoTrait { known });
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
                    let values = values.get(&own.instance).cloned();
                    (own.parameters.clone(), values.unwrap_or_default())
                }
                true if !ready => continue,
                true => {
                    let before = self.errors.len();
                    let parameters = self.bound(&own.parameters, Part::Parameters, context);
                    let environment =
                        self.bound(&own.environment, Part::EnvironmentValues, context);
                    self.part = Part::Whole;
                    if self.errors.len() > before {
                        continue;
                    }
                    (parameters, environment)
                }
            };
            let before = self.errors.len();
            let values = self.values(&compiled, &parameters, &environment);
            if self.errors.len() > before {
                continue;
            }
            let mut described = Node::map();
            described.set(&["name"], own.name.clone());
            described.set(&["instanceName"], own.instance.clone());
            let context = with_values(base, &values).with("trait", &described);
            if ready {
                self.rules(&body.pre_rules, &context);
            }
            uses.push(Use {
                maker: self.maker.clone(),
                body,
                context,
            });
        }
        self.part = Part::Whole;
        uses
    }

    /// Values of an embedded trait: expressions over the context of the component.
    fn bound(&mut self, values: &Node, part: Part, context: &Context) -> Node {
        self.part = part;
        let template = self.engine.template(values);
        match template.render(context, &mut self.meter) {
            Ok(rendered) => rendered.unwrap_or_default(),
            Err(errors) => {
                self.fail_template(&FieldPath::root(), errors);
                Node::Null
            }
        }
    }

    fn rules(&mut self, rules: &[Rule], context: &Context) {
        for (at, rule) in rules.iter().enumerate() {
            self.part = Part::PreRule(at);
            let path = FieldPath::keys(["rule"]);
            if self.condition(&rule.rule, context, &path) == Some(false) {
                self.fail_rule(rule, context, None);
            }
        }
        self.part = Part::Whole;
    }

    fn fail_rule(&mut self, rule: &Rule, context: &Context, object: Option<String>) {
        let template = self.engine.text(&rule.rule);
        let used = used(&template, context);
        self.report(RenderError {
            maker: self.maker.clone(),
            part: self.part.clone(),
            path: FieldPath::keys(["rule"]),
            object,
            expression: Text::default(),
            problem: RenderProblem::Rule {
                rule: rule.rule.clone(),
                message: rule.message.clone(),
            },
            used,
        });
    }

    /// A condition's value; `None` when it failed, which was reported.
    fn condition(&mut self, text: &str, context: &Context, path: &FieldPath) -> Option<bool> {
        let template = self.engine.text(text);
        match template.render_bool(context, &mut self.meter) {
            Ok(value) => Some(value),
            Err(errors) => {
                self.fail_template(path, errors);
                None
            }
        }
    }

    /// The contexts a part is rendered in: one, or one for each item of its loop.
    fn contexts(
        &mut self,
        for_each: Option<&Text>,
        variable: Option<&Text>,
        context: &Context,
    ) -> Option<Vec<Context>> {
        let Some(source) = for_each else {
            return Some(vec![context.clone()]);
        };
        let variable = variable.cloned().unwrap_or(DEFAULT_VARIABLE.into());
        let repeat = Repeat::new(self.engine, source, variable);
        match repeat.contexts(context, &mut self.meter) {
            Ok(contexts) => Some(contexts),
            Err(errors) => {
                self.fail_template(&FieldPath::keys(["forEach"]), errors);
                None
            }
        }
    }

    fn resource(&mut self, resource: &Resource, context: &Context) {
        if let Some(condition) = &resource.include_when {
            let path = FieldPath::keys(["includeWhen"]);
            if self.condition(condition, context, &path) != Some(true) {
                return;
            }
        }
        let (for_each, variable) = (resource.for_each.as_ref(), resource.variable.as_ref());
        let Some(contexts) = self.contexts(for_each, variable, context) else {
            return;
        };
        let template = self.engine.template(&resource.template);
        let path = FieldPath::keys(["template"]);
        for context in contexts {
            match template.render(&context, &mut self.meter) {
                Ok(Some(object)) => self.add(resource, object),
                Ok(None) => self.fail(path.clone(), RenderProblem::NoObject { found: "nothing" }),
                Err(errors) => self.fail_template(&path, errors),
            }
        }
    }

    fn add(&mut self, resource: &Resource, object: Node) {
        let path = FieldPath::keys(["template"]);
        if object.as_map().is_none() {
            let found = object.type_name();
            return self.fail(path, RenderProblem::NoObject { found });
        }
        if let Some(field) = missing_field(&object) {
            return self.fail(path, RenderProblem::Incomplete { field });
        }
        if self.objects.len() >= OBJECTS_MAX {
            return self.fail(FieldPath::root(), RenderProblem::TooManyObjects);
        }
        self.objects.push(Rendered {
            id: String::new(),
            plane: resource.plane,
            object,
            maker: self.maker.clone(),
            part: self.part.clone(),
            patched_by: Vec::new(),
        });
    }

    /// Positions of objects that a target is for: those of its kind, and of them those its
    /// condition takes. `None` when the condition failed.
    fn targets(
        &mut self,
        target: &Target,
        plane: Plane,
        context: &Context,
    ) -> Option<(usize, Vec<usize>)> {
        let kind = crate::patch::Target {
            group: target.group.clone(),
            version: target.version.clone(),
            kind: target.kind.clone(),
        };
        let of_kind: Vec<usize> = (0..self.objects.len())
            .filter(|at| {
                let own = &self.objects[*at];
                own.plane == plane && kind.matches(&own.object)
            })
            .collect();
        let count = of_kind.len();
        let Some(condition) = &target.condition else {
            return Some((count, of_kind));
        };
        let path = FieldPath::keys(["target", "where"]);
        let mut taken = Vec::new();
        let mut failed = false;
        for at in of_kind {
            let context = context.clone().with("resource", &self.objects[at].object);
            match self.condition(condition, &context, &path) {
                Some(true) => taken.push(at),
                Some(false) => {}
                None => failed = true,
            }
        }
        (!failed).then_some((count, taken))
    }

    fn patch(&mut self, patch: &Patch, context: &Context) {
        let (for_each, variable) = (patch.for_each.as_ref(), patch.variable.as_ref());
        let Some(contexts) = self.contexts(for_each, variable, context) else {
            return;
        };
        let templates: Vec<Option<OperationTemplate>> = patch
            .operations
            .iter()
            .map(|own| {
                let verb = Verb::parse(&own.op)?;
                let value = own.value.as_ref();
                Some(OperationTemplate::new(self.engine, verb, &own.path, value))
            })
            .collect();
        for context in contexts {
            let Some((candidates, targets)) = self.targets(&patch.target, patch.plane, &context)
            else {
                continue;
            };
            if targets.is_empty() {
                self.no_target(&patch.target, false);
            }
            if candidates == 0 {
                continue;
            }
            let mut operations = Vec::new();
            for (at, template) in templates.iter().enumerate() {
                let path = FieldPath::keys(["operations"]).index(at);
                match template
                    .as_ref()
                    .map(|own| own.render(&context, &mut self.meter))
                {
                    Some(Ok(operation)) => operations.push((path, operation)),
                    Some(Err(errors)) => self.fail_template(&path, errors),
                    None => {}
                }
            }
            for at in targets {
                self.apply(at, &operations);
            }
        }
    }

    /// Applies operations to an object until one fails.
    fn apply(&mut self, at: usize, operations: &[(FieldPath, Operation)]) {
        let dialect = match self.inputs.release.dialect.is_v1() {
            true => PatchDialect::Current,
            false => PatchDialect::Legacy,
        };
        for (path, operation) in operations {
            self.operations += 1;
            if self.operations > OPERATIONS_MAX {
                return self.fail(FieldPath::root(), RenderProblem::TooManyOperations);
            }
            let own = &mut self.objects[at];
            if let Err(error) = apply(&mut own.object, operation, dialect) {
                let object = shown(&own.object);
                self.report(RenderError {
                    maker: self.maker.clone(),
                    part: self.part.clone(),
                    path: path.key("path"),
                    object: Some(format!("{object} at `{}`", operation.path)),
                    expression: Text::default(),
                    problem: RenderProblem::Patch(error.kind),
                    used: Vec::new(),
                });
                return;
            }
        }
        let own = &mut self.objects[at];
        if !own.patched_by.contains(&self.maker) {
            own.patched_by.push(self.maker.clone());
        }
    }

    /// Nothing matched a target.
    fn no_target(&mut self, target: &Target, must_match: bool) {
        let mut text = match target.group.as_str() {
            "" => format!("{}/{}", target.version, target.kind),
            group => format!("{group}/{}/{}", target.version, target.kind),
        };
        if let Some(condition) = &target.condition {
            text.push_str(&format!(" where `{condition}`"));
        }
        match target.must_match.unwrap_or(must_match) {
            true => self.fail(
                FieldPath::keys(["target"]),
                RenderProblem::NoTarget { target: text },
            ),
            false => self.warn(WarningKind::NoTarget(text)),
        }
    }

    fn remove(&mut self, remove: &Remove, context: &Context) {
        let (for_each, variable) = (remove.for_each.as_ref(), remove.variable.as_ref());
        let Some(contexts) = self.contexts(for_each, variable, context) else {
            return;
        };
        for context in contexts {
            let found = self.targets(&remove.target, remove.plane, &context);
            let Some((_, targets)) = found else { continue };
            if targets.is_empty() {
                self.no_target(&remove.target, false);
            }
            for at in targets.into_iter().rev() {
                self.objects.remove(at);
            }
        }
    }

    /// Objects that patches may have broken.
    fn check_objects(&mut self) {
        let broken: Vec<(Maker, Part, String, &'static str)> = self
            .objects
            .iter()
            .filter_map(|own| {
                let field = missing_field(&own.object)?;
                let maker = own.patched_by.last().unwrap_or(&own.maker);
                Some((maker.clone(), own.part.clone(), shown(&own.object), field))
            })
            .collect();
        for (maker, part, object, field) in broken {
            self.report(RenderError {
                maker,
                part,
                path: FieldPath::root(),
                object: Some(object),
                expression: Text::default(),
                problem: RenderProblem::Incomplete { field },
                used: Vec::new(),
            });
        }
        for (at, first) in repeated(&self.objects) {
            let own = &self.objects[at];
            let error = RenderError {
                maker: own.maker.clone(),
                part: own.part.clone(),
                path: FieldPath::root(),
                object: Some(shown(&own.object)),
                expression: Text::default(),
                problem: RenderProblem::Duplicate {
                    first: Box::new(first),
                },
                used: Vec::new(),
            };
            self.report(error);
        }
    }

    fn post_rules(&mut self, rules: &[PostRule], context: &Context) {
        for (at, rule) in rules.iter().enumerate() {
            self.part = Part::PostRule(at);
            self.post_rule(rule, context);
        }
    }

    fn post_rule(&mut self, rule: &PostRule, context: &Context) {
        if let Some(when) = &rule.when {
            let path = FieldPath::keys(["when"]);
            if self.condition(when, context, &path) != Some(true) {
                return;
            }
        }
        let (for_each, variable) = (rule.for_each.as_ref(), rule.variable.as_ref());
        let Some(contexts) = self.contexts(for_each, variable, context) else {
            return;
        };
        for context in contexts {
            let Some((_, targets)) = self.targets(&rule.target, rule.plane, &context) else {
                continue;
            };
            if targets.is_empty() && rule.target.must_match.unwrap_or(true) {
                self.no_target(&rule.target, true);
            }
            for at in targets {
                let object = &self.objects[at].object;
                let name = shown(object);
                let context = context.clone().with("resource", object);
                let path = FieldPath::keys(["rule"]);
                if self.condition(&rule.rule.rule, &context, &path) == Some(false) {
                    self.fail_rule(&rule.rule, &context, Some(name));
                }
            }
        }
    }

    /// Labels, hash, order, network policy, ids.
    fn finish(&mut self, workload: &Workload) {
        let inputs = self.inputs;
        let v1 = inputs.release.dialect.is_v1();
        for own in &mut self.objects {
            label(&mut own.object, &inputs.metadata.forced_labels);
        }
        if v1 {
            annotate_hash(
                &mut self.objects,
                &inputs.release.component_type.workload_type,
            );
        }
        sort(&mut self.objects);
        if v1 {
            self.objects.push(Rendered {
                id: String::new(),
                plane: Plane::Data,
                object: network_policy(&inputs.metadata, workload, inputs.data_plane),
                maker: Maker::Platform,
                part: Part::NetworkPolicy,
                patched_by: Vec::new(),
            });
        }
        give_ids(&mut self.objects);
        if inputs.data_plane.observability_plane.is_none() {
            let lost: Vec<(Maker, Part, String)> = self
                .objects
                .iter()
                .filter(|own| own.plane == Plane::Observability)
                .map(|own| (own.maker.clone(), own.part.clone(), shown(&own.object)))
                .collect();
            for (maker, part, object) in lost {
                (self.maker, self.part) = (maker, part);
                self.warn(WarningKind::NoObservabilityPlane(object));
            }
        }
    }
}

fn mask(masks: &[Text], text: &str) -> String {
    let masked = |text: String, secret: &Text| text.replace(secret.as_str(), "***");
    masks.iter().fold(text.to_owned(), masked)
}

/// The values an expression over a context looked at.
fn used(template: &Template, context: &Context) -> Vec<Used> {
    let expressions = template.expressions();
    let reads = expressions.iter().flat_map(|(_, _, reads)| reads);
    let shown = reads.filter_map(|read| {
        let start = context.get(&read.variable)?;
        let steps = &mut read.steps.iter();
        let value = steps.try_fold(start, |value, step| match (value, step) {
            (Value::Map(map), ReadStep::Field(name)) => map.field(name),
            (Value::List(list), ReadStep::Index(at)) => list.get(usize::try_from(*at).ok()?),
            _ => None,
        })?;
        let text = object::json::to_string(&value.to_node().ok()?);
        let short: String = text.chars().take(VALUE_SHOWN).collect();
        let more = if short.len() < text.len() { "…" } else { "" };
        Some(Used {
            place: read.to_string(),
            value: Some(format!("{short}{more}")),
        })
    });
    shown.take(USED_MAX).collect()
}

/// Literal values of settings whose names say that they are secret; longer ones first.
fn secrets(workload: &Workload) -> Vec<Text> {
    let settings = workload
        .containers
        .values()
        .flat_map(|own| own.env.iter().chain(&own.files));
    let mut out: Vec<Text> = settings
        .filter_map(|own| match &own.source {
            Source::Literal(value) if value.len() >= SECRET_BYTES_MIN => {
                let name = own.key.to_lowercase();
                let secret = SECRET_WORDS.iter().any(|word| name.contains(word));
                secret.then(|| value.clone())
            }
            _ => None,
        })
        .collect();
    out.sort_by_key(|own| std::cmp::Reverse(own.len()));
    out.dedup();
    out
}

/// SecretReferences that a workload names, each once.
fn secret_names(workload: &Workload) -> Vec<Text> {
    let settings = workload
        .containers
        .values()
        .flat_map(|own| own.env.iter().chain(&own.files));
    let mut names: Vec<Text> = settings
        .filter_map(|own| match &own.source {
            Source::Secret { name, .. } => Some(name.clone()),
            _ => None,
        })
        .collect();
    names.sort();
    names.dedup();
    names
}
