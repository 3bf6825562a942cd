//! What is wrong with a release whatever it is bound to.

use object::{FieldPath, Text};

use super::run::maker_of_release;
use super::{ERRORS_MAX, Maker, Part, RenderError, RenderProblem};
use crate::model::{ComponentRelease, PostRule, Resource, Rule, Schemas, Target, Trait};
use crate::parameters;
use crate::patch::{OperationTemplate, Verb};
use crate::template::{Engine, Template, TemplateError};

/// Schemas that mean nothing, and expressions that cannot work with any values.
pub(super) fn problems(engine: &Engine, release: &ComponentRelease) -> Vec<RenderError> {
    let mut lint = Lint {
        engine,
        maker: maker_of_release(release),
        errors: Vec::new(),
    };
    let own = &release.component_type;
    lint.schemas(&own.schemas);
    for resource in &own.resources {
        lint.resource(resource, &Part::Resource(resource.id.clone()));
    }
    lint.rules(&own.pre_rules, &own.post_rules);
    for used in &own.traits {
        for (part, values) in [
            (Part::Parameters, &used.parameters),
            (Part::EnvironmentValues, &used.environment),
        ] {
            let found = engine.template(values).problems();
            lint.add(&part, &FieldPath::root(), found);
        }
    }
    for (reference, body) in &release.traits {
        lint.maker = Maker::Trait {
            kind: reference.kind.clone(),
            name: reference.name.clone(),
            instance: Text::default(),
        };
        lint.of_trait(body);
    }
    lint.errors.truncate(ERRORS_MAX);
    lint.errors
}

struct Lint<'a> {
    engine: &'a Engine,
    maker: Maker,
    errors: Vec<RenderError>,
}

impl Lint<'_> {
    fn add(&mut self, part: &Part, under: &FieldPath, found: Vec<TemplateError>) {
        for error in found {
            let error = error.under(under);
            self.push(
                part,
                error.path,
                error.expression,
                RenderProblem::Template(error.kind),
            );
        }
    }

    fn push(
        &mut self,
        part: &Part,
        path: FieldPath,
        expression: Option<Text>,
        problem: RenderProblem,
    ) {
        self.errors.push(RenderError {
            maker: self.maker.clone(),
            part: part.clone(),
            path,
            object: None,
            expression,
            problem,
            used: Vec::new(),
        });
    }

    fn schemas(&mut self, schemas: &Schemas) {
        let Err((parameters, environment)) = parameters::compile(schemas) else {
            return;
        };
        for (part, errors) in [
            (Part::Parameters, parameters),
            (Part::EnvironmentValues, environment),
        ] {
            for error in errors {
                self.push(
                    &part,
                    error.path.clone(),
                    None,
                    RenderProblem::Schema(error),
                );
            }
        }
    }

    /// An expression beside a template; also one that is no expression but text.
    fn text(&mut self, part: &Part, key: &str, text: Option<&Text>) {
        let found = text.map(|text| self.engine.text(text));
        let found = found.as_ref().map(Template::problems).unwrap_or_default();
        self.add(part, &FieldPath::keys([key]), found);
    }

    fn resource(&mut self, resource: &Resource, part: &Part) {
        self.text(part, "includeWhen", resource.include_when.as_ref());
        self.text(part, "forEach", resource.for_each.as_ref());
        let found = self.engine.template(&resource.template).problems();
        self.add(part, &FieldPath::keys(["template"]), found);
    }

    fn target(&mut self, target: &Target, part: &Part) {
        if let Some(condition) = &target.condition {
            let found = self.engine.text(condition).problems();
            self.add(part, &FieldPath::keys(["target", "where"]), found);
        }
    }

    fn rules(&mut self, before: &[Rule], after: &[PostRule]) {
        for (at, rule) in before.iter().enumerate() {
            self.text(&Part::PreRule(at), "rule", Some(&rule.rule));
        }
        for (at, rule) in after.iter().enumerate() {
            let part = Part::PostRule(at);
            self.text(&part, "rule", Some(&rule.rule.rule));
            self.text(&part, "when", rule.when.as_ref());
            self.text(&part, "forEach", rule.for_each.as_ref());
            self.target(&rule.target, &part);
        }
    }

    fn of_trait(&mut self, body: &Trait) {
        self.schemas(&body.schemas);
        for (at, resource) in body.creates.iter().enumerate() {
            self.resource(resource, &Part::Create(at));
        }
        for (at, patch) in body.patches.iter().enumerate() {
            let part = Part::Patch(at);
            self.text(&part, "forEach", patch.for_each.as_ref());
            self.target(&patch.target, &part);
            for (at, operation) in patch.operations.iter().enumerate() {
                let Some(verb) = Verb::parse(&operation.op) else {
                    continue;
                };
                let value = operation.value.as_ref();
                let own = OperationTemplate::new(self.engine, verb, &operation.path, value);
                let path = FieldPath::keys(["operations"]).index(at);
                self.add(&part, &path, own.problems());
            }
        }
        for (at, remove) in body.removes.iter().enumerate() {
            let part = Part::Remove(at);
            self.text(&part, "forEach", remove.for_each.as_ref());
            self.target(&remove.target, &part);
        }
        self.rules(&body.pre_rules, &body.post_rules);
    }
}
