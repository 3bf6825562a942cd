//! Templates, patches and rules of one type or trait after the other, over the objects so far.

use object::{FieldPath, Node, Text};
use schema::FieldValue;

use super::masks::{SECRETS, used};
use super::objects::{missing_field, repeated, shown};
use super::{
    ERRORS_MAX, Maker, OBJECTS_MAX, OPERATIONS_MAX, Part, RenderError, RenderProblem, Rendered,
    Warning, WarningKind,
};
use crate::model::{Patch, Plane, PostRule, Remove, Resource, Rule, Target, Trait};
use crate::patch::{Dialect as PatchDialect, Operation, OperationTemplate, Verb, apply};
use crate::template::{Context, Engine, Meter, Repeat, TemplateError, TemplateErrorKind};

/// The loop variable of a `forEach` that names none.
const DEFAULT_VARIABLE: &str = "item";

/// Where a render stands: what was made so far, and what went wrong.
pub(super) struct Stage<'a> {
    pub engine: &'a Engine,
    /// Whether the rules of the first major version count.
    pub v1: bool,
    pub meter: Meter,
    /// What is being rendered, for errors.
    pub maker: Maker,
    pub part: Part,
    /// Conceals what no message may show.
    pub hidden: Context,
    pub errors: Vec<RenderError>,
    pub warnings: Vec<Warning>,
    pub objects: Vec<Rendered>,
    operations: usize,
}

impl<'a> Stage<'a> {
    pub(super) fn new(engine: &'a Engine, v1: bool, maker: Maker) -> Self {
        Self {
            engine,
            v1,
            meter: Meter::default(),
            maker,
            part: Part::Whole,
            hidden: Context::default(),
            errors: Vec::new(),
            warnings: Vec::new(),
            objects: Vec::new(),
            operations: 0,
        }
    }

    /// All resources of a type.
    pub(super) fn resources(&mut self, resources: &[Resource], context: &Context) {
        for resource in resources {
            self.part = Part::Resource(resource.id.clone());
            self.resource(resource, context);
        }
        self.part = Part::Whole;
    }

    /// What a trait creates, and unless `creates_only`, changes and takes away.
    pub(super) fn apply_trait(&mut self, body: &Trait, context: &Context, creates_only: bool) {
        for (at, resource) in body.creates.iter().enumerate() {
            self.part = Part::Create(at);
            self.resource(resource, context);
        }
        if !creates_only {
            for (at, patch) in body.patches.iter().enumerate() {
                self.part = Part::Patch(at);
                self.patch(patch, context);
            }
            for (at, remove) in body.removes.iter().enumerate() {
                self.part = Part::Remove(at);
                self.remove(remove, context);
            }
        }
        self.part = Part::Whole;
    }

    pub(super) fn fail(&mut self, path: FieldPath, problem: RenderProblem) {
        self.report(RenderError {
            maker: self.maker.clone(),
            part: self.part.clone(),
            path,
            object: None,
            expression: None,
            problem,
            used: Vec::new(),
        });
    }

    pub(super) fn report(&mut self, mut error: RenderError) {
        if self.errors.len() >= ERRORS_MAX || self.errors.iter().any(|own| own.same_as(&error)) {
            return;
        }
        let hidden = &self.hidden;
        match &mut error.problem {
            RenderProblem::Template(TemplateErrorKind::NoSuchVariable { known, .. }) => {
                known.retain(|name| name != SECRETS);
            }
            RenderProblem::Value(refused) => {
                if let FieldValue::Text(text) | FieldValue::Bare(text) = &mut refused.value {
                    *text = hidden.masked(std::mem::take(text));
                }
                refused.detail = hidden.masked(std::mem::take(&mut refused.detail));
            }
            _ => {}
        }
        error.object = error.object.map(|object| hidden.masked(object));
        self.errors.push(error);
    }

    pub(super) fn fail_template(&mut self, under: &FieldPath, errors: Vec<TemplateError>) {
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

    pub(super) fn warn(&mut self, kind: WarningKind) {
        let warning = Warning {
            maker: self.maker.clone(),
            part: self.part.clone(),
            kind,
        };
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// Values of an embedded trait: expressions over the context of the component.
    pub(super) fn bound(&mut self, values: &Node, part: Part, context: &Context) -> Node {
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

    pub(super) fn rules(&mut self, rules: &[Rule], context: &Context) {
        for (at, rule) in rules.iter().enumerate() {
            self.part = Part::PreRule(at);
            let path = FieldPath::keys(["rule"]);
            if self.condition(&rule.rule, context, &path) == Some(false) {
                self.fail_rule(rule, context, None);
            }
        }
        self.part = Part::Whole;
    }

    pub(super) fn fail_rule(&mut self, rule: &Rule, context: &Context, object: Option<String>) {
        let template = self.engine.text(&rule.rule);
        let used = used(&template, context);
        self.report(RenderError {
            maker: self.maker.clone(),
            part: self.part.clone(),
            path: FieldPath::keys(["rule"]),
            object,
            expression: None,
            problem: RenderProblem::Rule {
                rule: rule.rule.clone(),
                message: rule.message.clone(),
            },
            used,
        });
    }

    /// A condition's value; `None` when it failed, which was reported.
    pub(super) fn condition(
        &mut self,
        text: &str,
        context: &Context,
        path: &FieldPath,
    ) -> Option<bool> {
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
    pub(super) fn contexts(
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

    pub(super) fn resource(&mut self, resource: &Resource, context: &Context) {
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

    pub(super) fn add(&mut self, resource: &Resource, object: Node) {
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
    pub(super) fn targets(
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

    pub(super) fn patch(&mut self, patch: &Patch, context: &Context) {
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
    pub(super) fn apply(&mut self, at: usize, operations: &[(FieldPath, Operation)]) {
        let dialect = match self.v1 {
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
                let error = error.masked(&self.hidden);
                let object = shown(&own.object);
                self.report(RenderError {
                    maker: self.maker.clone(),
                    part: self.part.clone(),
                    path: path.key("path"),
                    object: Some(format!("{object} at `{}`", error.path)),
                    expression: None,
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
    pub(super) fn no_target(&mut self, target: &Target, must_match: bool) {
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

    pub(super) fn remove(&mut self, remove: &Remove, context: &Context) {
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
    pub(super) fn check_objects(&mut self) {
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
                expression: None,
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
                expression: None,
                problem: RenderProblem::Duplicate {
                    first: Box::new(first),
                },
                used: Vec::new(),
            };
            self.report(error);
        }
    }

    pub(super) fn post_rules(&mut self, rules: &[PostRule], context: &Context) {
        for (at, rule) in rules.iter().enumerate() {
            self.part = Part::PostRule(at);
            self.post_rule(rule, context);
        }
    }

    pub(super) fn post_rule(&mut self, rule: &PostRule, context: &Context) {
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
}
