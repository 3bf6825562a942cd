//! `forEach`: one template, several contexts.

use expr::{ObjectShape, Shape, Value};
use object::{Map, Node, Text};

use super::{Context, Engine, Meter, REPEAT_ITEMS_MAX, Template, TemplateError, TemplateErrorKind};

/// A source of items and the variable each is bound to.
#[derive(Clone, Debug)]
pub struct Repeat {
    source: Template,
    variable: Text,
}

impl Repeat {
    /// Repeats for the items that the text `source` gives.
    pub fn new(engine: &Engine, source: &str, variable: impl Into<Text>) -> Self {
        Self {
            source: engine.text(source),
            variable: variable.into(),
        }
    }

    /// The template of the source.
    pub fn source(&self) -> &Template {
        &self.source
    }

    /// The variable that is bound and its shape, for [`Template::check`] of what is repeated.
    pub fn variable(&self, variables: &[(Text, Shape)]) -> (Text, Shape) {
        let entry = |value: Shape| {
            let mut entry = ObjectShape::default();
            entry.declare("key", Shape::String);
            entry.declare("value", value);
            Shape::Object(entry.into())
        };
        let shape = match self.source.shape(variables) {
            Shape::List(list) => list.item.clone(),
            Shape::Map(value) => entry((*value).clone()),
            Shape::Object(_) => entry(Shape::Dyn),
            _ => Shape::Dyn,
        };
        (self.variable.clone(), shape)
    }

    /// The context with each item of the list in turn; of a map each entry as `{key, value}`, in
    /// the order of the keys.
    ///
    /// # Errors
    /// As [`Template::render`]; also when there is no list or map, and for more than
    /// [`REPEAT_ITEMS_MAX`] items.
    pub fn contexts(
        &self,
        context: &Context,
        meter: &mut Meter,
    ) -> Result<Vec<Context>, Vec<TemplateError>> {
        let rendered = self.source.render(context, meter)?;
        let items: Vec<Node> = match rendered {
            Some(Node::List(items)) => items.to_vec(),
            Some(Node::Map(mut map)) => {
                map.sort_keys();
                let entry = |(key, value): (Text, Node)| {
                    let entry: Map = [("key", Node::String(key)), ("value", value)]
                        .into_iter()
                        .collect();
                    Node::Map(entry)
                };
                map.into_iter().map(entry).collect()
            }
            other => return Err(vec![self.source.unfit("a list or a map", other)]),
        };
        if items.len() > REPEAT_ITEMS_MAX {
            let kind = TemplateErrorKind::TooManyItems { found: items.len() };
            return Err(vec![self.source.fault(kind)]);
        }
        // Items of something secret are secret.
        let expressions = self.source.expressions();
        let mut reads = expressions.iter().flat_map(|(_, _, reads)| reads);
        let base = match reads.any(|read| context.conceals(read)) {
            true => context.clone().conceal(&*self.variable, [] as [&str; 0]),
            false => context.clone(),
        };
        let bind = |item: &Node| base.clone().with(self.variable.clone(), Value::from(item));
        Ok(items.iter().map(bind).collect())
    }
}
