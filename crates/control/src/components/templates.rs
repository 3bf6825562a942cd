//! What component types, project types and traits say of their templates, and what objects say
//! that only have to be readable.

use component::helpers::METHODS;
use component::model::{Item, Remove, Resource};
use component::parameters;
use component::template::Engine;
use object::Node;

use super::Decision;
use super::report::Report;
use super::subject::Subject;

/// Most problems that a message lists.
const SHOWN: usize = 10;

pub(super) fn next(subject: &Subject<'_>) -> Decision {
    if subject.object.is_deleting() {
        return Decision::default();
    }
    let mut report = Report::new(subject);
    let problems = match subject.readable() {
        Ok((item, findings)) => {
            report.warn(findings);
            problems(item)
        }
        Err(message) => {
            report.ready(false, "InvalidConfiguration", &message);
            return report.finish();
        }
    };
    match problems.len() {
        0 => report.ready(true, "Reconciled", "schemas and templates are understood"),
        count => {
            let mut message = problems[..count.min(SHOWN)].join("; ");
            if count > SHOWN {
                message = format!("{message}; and {} more", count - SHOWN);
            }
            report.ready(false, "TemplateInvalid", &message);
        }
    }
    report.finish()
}

/// A kind without conditions of its own: only what is odd is told.
pub(super) fn readable(subject: &Subject<'_>) -> Decision {
    if subject.object.is_deleting() {
        return Decision::default();
    }
    let mut report = Report::new(subject);
    match subject.readable() {
        Ok((_, findings)) => {
            report.conditions.remove("Readable");
            report.warn(findings);
        }
        Err(message) => report.set("Readable", false, "InvalidConfiguration", &message),
    }
    report.finish_quietly()
}

/// A kind whose only duty is to be readable.
pub(super) fn ready(subject: &Subject<'_>) -> Decision {
    if subject.object.is_deleting() {
        return Decision::default();
    }
    let mut report = Report::new(subject);
    match subject.readable() {
        Ok((_, findings)) => {
            report.warn(findings);
            report.ready(true, "Reconciled", "the object is understood");
        }
        Err(message) => report.ready(false, "InvalidConfiguration", &message),
    }
    report.finish()
}

/// Everything that does not compile.
fn problems(item: &Item) -> Vec<String> {
    let engine = Engine::new(METHODS);
    let mut found = Vec::new();
    let schemas = match item {
        Item::ComponentType(own) => &own.spec.schemas,
        Item::Trait(own) => &own.spec.schemas,
        Item::ProjectType(own) => &own.spec.schemas,
        _ => return found,
    };
    if let Err((own, environment)) = parameters::compile(schemas) {
        found.extend(own.iter().map(|error| format!("parameters: {error}")));
        let environment = environment.iter();
        found.extend(environment.map(|error| format!("environment values: {error}")));
    }
    match item {
        Item::ComponentType(own) => {
            resources(&engine, "resources", &own.spec.resources, &mut found)
        }
        Item::ProjectType(own) => resources(&engine, "resources", &own.spec.resources, &mut found),
        Item::Trait(own) => {
            resources(&engine, "creates", &own.spec.creates, &mut found);
            for (at, patch) in own.spec.patches.iter().enumerate() {
                let place = format!("patches[{at}]");
                for text in [&patch.for_each, &patch.target.condition]
                    .into_iter()
                    .flatten()
                {
                    template(&engine, &place, &Node::from(text.clone()), &mut found);
                }
                for operation in &patch.operations {
                    template(&engine, &place, &operation.path.clone().into(), &mut found);
                    if let Some(value) = &operation.value {
                        template(&engine, &place, value, &mut found);
                    }
                }
            }
            for (
                at,
                Remove {
                    for_each, target, ..
                },
            ) in own.spec.removes.iter().enumerate()
            {
                let place = format!("removes[{at}]");
                for text in [for_each, &target.condition].into_iter().flatten() {
                    template(&engine, &place, &Node::from(text.clone()), &mut found);
                }
            }
        }
        _ => {}
    }
    found
}

fn resources(engine: &Engine, field: &str, resources: &[Resource], found: &mut Vec<String>) {
    for (at, own) in resources.iter().enumerate() {
        let place = match own.id.as_str() {
            "" => format!("{field}[{at}]"),
            id => format!("resource `{id}`"),
        };
        for text in [&own.include_when, &own.for_each].into_iter().flatten() {
            template(engine, &place, &Node::from(text.clone()), found);
        }
        template(engine, &place, &own.template, found);
    }
}

fn template(engine: &Engine, place: &str, node: &Node, found: &mut Vec<String>) {
    let problems = engine.template(node).problems();
    found.extend(problems.iter().map(|error| format!("{place}: {error}")));
}
