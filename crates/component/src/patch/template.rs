//! Operations with expressions in them.

use object::{FieldPath, Node};

use super::{Operation, Verb};
use crate::template::{Context, Engine, Meter, Template, TemplateError, TemplateErrorKind};

/// An operation as a trait writes it.
#[derive(Clone, Debug)]
pub struct OperationTemplate {
    verb: Verb,
    path: Template,
    value: Option<Template>,
}

impl OperationTemplate {
    /// Compiles the path and the value; problems are found by [`Self::problems`].
    pub fn new(engine: &Engine, verb: Verb, path: &str, value: Option<&Node>) -> Self {
        Self {
            verb,
            path: engine.text(path),
            value: value.map(|value| engine.template(value)),
        }
    }

    /// The templates of `path` and `value`, with these names.
    pub fn templates(&self) -> impl Iterator<Item = (&'static str, &Template)> {
        let value = self.value.iter().map(|value| ("value", value));
        std::iter::once(("path", &self.path)).chain(value)
    }

    /// What is wrong whatever the context is, with paths from the operation on.
    pub fn problems(&self) -> Vec<TemplateError> {
        let templates = self.templates();
        let problems = templates.flat_map(|(name, template)| at(name, template.problems()));
        problems.collect()
    }

    /// The operation in this context.
    ///
    /// # Errors
    /// Everything that failed, with paths from the operation on; also when all of the value is
    /// omitted, which is not the same as to remove something.
    pub fn render(
        &self,
        context: &Context,
        meter: &mut Meter,
    ) -> Result<Operation, Vec<TemplateError>> {
        let path = self.path.render_text(context, meter);
        let value = match &self.value {
            Some(template) => template
                .render(context, meter)
                .and_then(|value| match value {
                    Some(value) => Ok(Some(value)),
                    None => Err(vec![template.fault(TemplateErrorKind::OmittedWhole)]),
                }),
            None => Ok(None),
        };
        match (path, value) {
            (Ok(path), Ok(value)) => Ok(Operation {
                verb: self.verb,
                path,
                value,
            }),
            (path, value) => {
                let mut errors = at("path", path.err().unwrap_or_default());
                errors.extend(at("value", value.err().unwrap_or_default()));
                Err(errors)
            }
        }
    }
}

fn at(name: &str, errors: Vec<TemplateError>) -> Vec<TemplateError> {
    let place = FieldPath::keys([name]);
    let errors = errors.into_iter().map(|error| error.under(&place));
    errors.collect()
}
