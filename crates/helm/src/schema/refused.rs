//! What schemas refuse, thing by thing, for whoever wants to name the place.

use boon::{ErrorKind, InstanceToken, ValidationError};
use object::{FieldPath, Map, Node, Step};

use super::{Checker, cost, document, json, text};
use crate::dependencies::Assembly;

/// One thing that a schema refuses.
#[derive(Clone, Debug)]
pub(crate) struct Refusal<'a> {
    /// Whose schema it is.
    pub chart: &'a Assembly,
    /// What is refused, in the values of the outermost chart.
    pub path: FieldPath,
    /// How many of the path's keys lead to the chart's own values.
    pub section: usize,
    /// Why, in the checker's words.
    pub text: String,
    /// What kind of fault it is.
    pub fault: Fault,
}

/// Why something is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The schema has no such key.
    Key,
    /// The value has another type than wanted.
    Type,
    /// Something has to be given.
    Missing,
    /// Anything else.
    Other,
}

/// Everything that the schemas of charts refuse in `values`; nothing for a schema that cannot be read.
pub(crate) fn refusals<'a>(charts: &'a Assembly, values: &Map) -> Vec<Refusal<'a>> {
    let mut found = Vec::new();
    add(charts, values, &mut Vec::new(), &mut found);
    found
}

fn add<'a>(chart: &'a Assembly, values: &Map, at: &mut Vec<String>, found: &mut Vec<Refusal<'a>>) {
    if let Some(document) = document(&chart.chart) {
        let values = json(&Node::Map(values.clone()));
        if !cost::is_excessive(document, &values) {
            let checker = chart
                .chart
                .compiled
                .checker
                .get_or_init(|| Checker::new(document));
            if let Ok(index) = checker.index
                && let Err(error) = checker.schemas.validate(&values, index)
            {
                leaves(&error, chart, at, found);
            }
        }
    }
    for inside in &chart.charts {
        let name = &inside.metadata.name;
        if let Some(Node::Map(section)) = values.get(name) {
            at.push(name.clone());
            add(inside, section, at, found);
            at.pop();
        }
    }
}

fn leaves<'a>(
    error: &ValidationError<'_, '_>,
    chart: &'a Assembly,
    section: &[String],
    found: &mut Vec<Refusal<'a>>,
) {
    use ErrorKind as K;
    let fault = match &error.kind {
        K::Schema { .. } | K::Group | K::Reference { .. } | K::AllOf => {
            for cause in &error.causes {
                leaves(cause, chart, section, found);
            }
            return;
        }
        K::AdditionalProperties { .. } | K::FalseSchema => Fault::Key,
        K::Type { .. } => Fault::Type,
        K::Required { .. }
        | K::MinProperties { .. }
        | K::MinItems { .. }
        | K::MinLength { .. }
        | K::Dependency { .. }
        | K::DependentRequired { .. } => Fault::Missing,
        _ => Fault::Other,
    };
    let mut path = FieldPath::keys(section.iter().map(String::as_str));
    for token in &error.instance_location.tokens {
        path.push(match token {
            InstanceToken::Prop(name) => Step::Key(name.as_ref().into()),
            InstanceToken::Item(index) => Step::Index(*index),
        });
    }
    let refusal = Refusal {
        chart,
        path,
        section: section.len(),
        text: text::kind(&error.kind),
        fault,
    };
    match &error.kind {
        K::AdditionalProperties { got } => found.extend(got.iter().map(|name| {
            let mut refusal = refusal.clone();
            refusal.path.push(Step::Key(name.as_ref().into()));
            refusal.text = "it allows no such key".to_owned();
            refusal
        })),
        K::FalseSchema => found.push(Refusal {
            text: "it allows no such key".to_owned(),
            ..refusal
        }),
        _ => found.push(refusal),
    }
}
