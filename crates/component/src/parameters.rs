//! Values for a type or a trait: which of several win, and what schemas make of them.
//!
//! From low to high: default of the schema, value of the component, and for the environment the
//! value of the binding. In the first dialect values for the environment fall back to those of the
//! component and are seen among the parameters too; see [`Dialect::LegacyMerged`].
//!
//! # Source
//! openchoreo/openchoreo `internal/pipeline/component/context/` at v0.7.0, v0.12.0 and v1.2.3.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use object::{Map, Node};
use schema::FieldError;

use crate::model::{Dialect, Schemas};
use crate::schema::{Schema, SchemaError};

/// Compiled schemas of a type or a trait.
#[derive(Clone, Debug, Default)]
pub struct Compiled {
    /// Of parameters; `None` takes nothing.
    pub parameters: Option<Arc<Schema>>,
    /// Of values for the environment; `None` takes nothing.
    pub environment: Option<Arc<Schema>>,
}

/// What [`compile`] gives.
type Outcome = Result<Compiled, (Vec<SchemaError>, Vec<SchemaError>)>;

/// Compiled schemas that are remembered. A platform has some dozen types and traits, and compiling
/// the schemas of one takes as long as the rest of a render; what is remembered takes 10 to 100 KiB
/// each.
const KNOWN_MAX: usize = 128;

/// Schemas that were compiled before; those asked for last are last.
#[derive(Debug, Default)]
pub struct Known(Mutex<Vec<(Schemas, Outcome)>>);

impl Known {
    /// As [`compile`].
    ///
    /// # Errors
    /// As [`compile`].
    pub fn compile(&self, schemas: &Schemas) -> Outcome {
        if let Some(outcome) = self.find(schemas) {
            return outcome;
        }
        let outcome = compile(schemas);
        let mut known = self.lock();
        if known.len() >= KNOWN_MAX {
            drop(known.remove(0));
        }
        known.push((schemas.clone(), outcome.clone()));
        outcome
    }

    fn find(&self, schemas: &Schemas) -> Option<Outcome> {
        let mut known = self.lock();
        // Frozen copies of one type mostly have their parts in common, so few are compared in full.
        let at = known.iter().rposition(|(own, _)| own == schemas)?;
        known[at..].rotate_left(1);
        known.last().map(|(_, outcome)| outcome.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Schemas, Outcome)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Values as templates see them.
#[derive(Clone, Debug, Default)]
pub struct Values {
    /// The variable `parameters`, a map.
    pub parameters: Node,
    /// The variable `envOverrides` or `environmentConfigs`, a map.
    pub environment: Node,
    /// Values that no schema knows and that were left out, with their places.
    pub unknown: Vec<String>,
    /// Why parameters are refused.
    pub parameter_errors: Vec<FieldError>,
    /// Why values for the environment are refused.
    pub environment_errors: Vec<FieldError>,
}

/// Compiles the schemas of a type or a trait.
///
/// # Errors
/// Everything wrong with them: of parameters, of values for the environment.
pub fn compile(schemas: &Schemas) -> Outcome {
    type Made = Result<Option<Schema>, Vec<SchemaError>>;
    let (parameters, environment): (Made, Made) = match schemas {
        Schemas::None => (Ok(None), Ok(None)),
        Schemas::Shorthand {
            types,
            parameters,
            environment,
        } => {
            let of = |name: &str, fields: &Node| match fields {
                Node::Null => Ok(None),
                fields => Schema::shorthand(name, fields, types).map(Some),
            };
            (
                of("parameters", parameters),
                of("envOverrides", environment),
            )
        }
        Schemas::OpenApi {
            parameters,
            environment,
        } => {
            let of = |name: &str, schema: &Node| match schema {
                Node::Null => Ok(None),
                schema => Schema::open_api(name, schema).map(Some),
            };
            (
                of("parameters", parameters),
                of("environmentConfigs", environment),
            )
        }
    };
    match (parameters, environment) {
        (Ok(parameters), Ok(environment)) => Ok(Compiled {
            parameters: parameters.map(Arc::new),
            environment: environment.map(Arc::new),
        }),
        (parameters, environment) => Err((
            parameters.err().unwrap_or_default(),
            environment.err().unwrap_or_default(),
        )),
    }
}

/// Applies schemas to the values of a component and, for the environment, of a binding.
pub fn apply(schemas: &Compiled, dialect: Dialect, own: &Node, environment: &Node) -> Values {
    let prune = !dialect.is_v1();
    let mut out = Values {
        parameters: Node::map(),
        environment: Node::map(),
        ..Values::default()
    };
    let mut unknown = Vec::new();
    match &schemas.parameters {
        Some(schema) => {
            let applied = schema.apply(own, prune);
            out.parameters = applied.values;
            out.parameter_errors = applied.errors;
            unknown.extend(applied.pruned);
        }
        None => unknown.extend(keys("parameters", own)),
    }
    let merged = match dialect {
        Dialect::LegacyMerged => deep_merge(own, environment),
        _ => environment.clone(),
    };
    let name = match dialect.is_v1() {
        true => "environmentConfigs",
        false => "envOverrides",
    };
    let mut environment_unknown = Vec::new();
    match &schemas.environment {
        Some(schema) => {
            let applied = schema.apply(&merged, prune);
            out.environment = applied.values;
            out.environment_errors = applied.errors;
            environment_unknown.extend(applied.pruned);
        }
        None => environment_unknown.extend(keys(name, environment)),
    }
    if dialect == Dialect::LegacyMerged {
        // What one schema leaves out, the other one may take.
        let known = |place: &str, other: &Node| {
            let key = place.split(['.', '[']).nth(1).unwrap_or_default();
            other.get(key).is_some()
        };
        unknown.retain(|place| !known(place, &out.environment));
        environment_unknown.retain(|place| {
            let key = place.split(['.', '[']).nth(1).unwrap_or_default();
            environment.get(key).is_some()
        });
        if let (Node::Map(parameters), Node::Map(environment)) =
            (&mut out.parameters, &out.environment)
        {
            parameters.extend(environment.clone());
        }
    }
    unknown.extend(environment_unknown);
    out.unknown = unknown;
    out
}

fn keys(name: &str, values: &Node) -> Vec<String> {
    let keys = values.as_map().into_iter().flat_map(Map::keys);
    keys.map(|key| format!("{name}.{key}")).collect()
}

/// `base` with what `over` says: maps are merged, everything else is replaced; null says nothing.
pub fn deep_merge(base: &Node, over: &Node) -> Node {
    match (base, over) {
        (base, Node::Null) => base.clone(),
        (Node::Map(base), Node::Map(over)) => {
            let mut out = base.clone();
            for (key, value) in over.iter() {
                let merged = match base.get(key) {
                    Some(own) => deep_merge(own, value),
                    None => value.clone(),
                };
                out.insert(key.clone(), merged);
            }
            out.into()
        }
        (_, over) => over.clone(),
    }
}
