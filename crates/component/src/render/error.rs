//! Why a binding does not render, and what is worth a look when it does.

use std::fmt;

use diag::{Code, Explain, Reason, Retry};
use object::{FieldPath, Text};
use schema::FieldError;

use crate::configurations::Unresolved;
use crate::patch::PatchErrorKind;
use crate::schema::SchemaError;
use crate::template::{TemplateErrorKind, Used};

use super::{ERRORS_MAX, OBJECTS_MAX, OPERATIONS_MAX};

/// Most errors that one line tells in full.
const ERRORS_SHOWN: usize = 20;

/// Most characters of an expression that a message shows.
const EXPRESSION_SHOWN: usize = 300;

/// Whose template something is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Maker {
    /// The component type.
    Type {
        /// Kind of the type.
        kind: Text,
        /// Its name, or its workload type where a release does not name it.
        name: Text,
    },
    /// A trait in use.
    Trait {
        /// Kind of the trait.
        kind: Text,
        /// Its name.
        name: Text,
        /// Name of the use.
        instance: Text,
    },
    /// The workload.
    Workload,
    /// The platform itself.
    Platform,
}

impl fmt::Display for Maker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type { kind, name } => write!(f, "{kind} `{name}`"),
            Self::Trait {
                kind,
                name,
                instance,
            } => write!(f, "{kind} `{name}` as `{instance}`"),
            Self::Workload => f.write_str("workload"),
            Self::Platform => f.write_str("platform"),
        }
    }
}

/// Which part of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// All of it.
    Whole,
    /// Its parameters.
    Parameters,
    /// Its values for the environment.
    EnvironmentValues,
    /// A resource, by id.
    Resource(Text),
    /// What a trait creates, by position.
    Create(usize),
    /// What a trait changes, by position.
    Patch(usize),
    /// What a trait takes away, by position.
    Remove(usize),
    /// A rule over values, by position.
    PreRule(usize),
    /// A rule over objects, by position.
    PostRule(usize),
    /// The network policy.
    NetworkPolicy,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => Ok(()),
            Self::Parameters => f.write_str("parameters"),
            Self::EnvironmentValues => f.write_str("environment values"),
            Self::Resource(id) => write!(f, "resource `{id}`"),
            Self::Create(at) => write!(f, "creates[{at}]"),
            Self::Patch(at) => write!(f, "patches[{at}]"),
            Self::Remove(at) => write!(f, "removes[{at}]"),
            Self::PreRule(at) => write!(f, "preRenderValidations[{at}]"),
            Self::PostRule(at) => write!(f, "postRenderValidations[{at}]"),
            Self::NetworkPolicy => f.write_str("network policy"),
        }
    }
}

/// One reason why a binding does not render.
#[derive(Clone, Debug, PartialEq)]
pub struct RenderError {
    /// Whose template.
    pub maker: Maker,
    /// Which part of it.
    pub part: Part,
    /// The place in that part: `template.spec.replicas`.
    pub path: FieldPath,
    /// The object it is about, as `Kind/name`, when it is about one.
    pub object: Option<String>,
    /// The expression without `${` and `}`, when it is about one.
    pub expression: Option<Text>,
    /// What is wrong.
    pub problem: RenderProblem,
    /// What the expression looked at; secrets are masked.
    pub used: Vec<Used>,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum RenderProblem {
    /// A template or an expression.
    Template(TemplateErrorKind),
    /// A schema.
    Schema(SchemaError),
    /// A value that the schema refuses.
    Value(FieldError),
    /// A secret that is not there.
    Unresolved(Unresolved),
    /// A trait in use that the release does not hold.
    NoTrait {
        /// The traits it holds.
        known: Vec<Text>,
    },
    /// Two uses of one name.
    RepeatedInstance,
    /// Alerts of an environment that has no channel for them.
    NoChannel {
        /// The environment.
        environment: Text,
    },
    /// An object without what every object has.
    Incomplete {
        /// The field that is missing or no text.
        field: &'static str,
    },
    /// A template that gives no object.
    NoObject {
        /// What it gives.
        found: &'static str,
    },
    /// An operation of a patch.
    Patch(PatchErrorKind),
    /// A patch that has to match and does not.
    NoTarget {
        /// What it looks for.
        target: String,
    },
    /// A rule that is not met.
    Rule {
        /// The rule as written.
        rule: Text,
        /// What its author has to say.
        message: Text,
    },
    /// Another object of the same group, kind, namespace and name.
    Duplicate {
        /// Whose template made the first.
        first: Box<(Maker, Part)>,
    },
    /// A type without templates.
    NoResources,
    /// More than [`OBJECTS_MAX`] objects.
    TooManyObjects,
    /// More than [`OPERATIONS_MAX`] operations.
    TooManyOperations,
}

impl RenderError {
    /// The finest stable name.
    pub fn code(&self) -> Code {
        match &self.problem {
            RenderProblem::Template(kind) => kind.code(),
            RenderProblem::Patch(kind) => kind.code(),
            RenderProblem::Schema(_) => Code("ComponentSchemaInvalid"),
            RenderProblem::Value(_) => Code("ComponentValueInvalid"),
            RenderProblem::Unresolved(_) => Code("SecretReferenceUnresolved"),
            RenderProblem::NoTrait { .. } => Code("ComponentTraitMissing"),
            RenderProblem::RepeatedInstance => Code("ComponentTraitRepeated"),
            RenderProblem::NoChannel { .. } => Code("ComponentChannelMissing"),
            RenderProblem::Incomplete { .. }
            | RenderProblem::NoObject { .. }
            | RenderProblem::NoResources => Code("ComponentObjectIncomplete"),
            RenderProblem::NoTarget { .. } => Code("ComponentTargetMissing"),
            RenderProblem::Rule { .. } => Code("ComponentRuleViolated"),
            RenderProblem::Duplicate { .. } => Code("ComponentObjectRepeated"),
            RenderProblem::TooManyObjects | RenderProblem::TooManyOperations => {
                Code("ComponentTooLarge")
            }
        }
    }

    /// Whether both tell the same.
    pub(super) fn same_as(&self, other: &Self) -> bool {
        self.maker == other.maker
            && self.part == other.part
            && self.path == other.path
            && self.expression == other.expression
            && self.problem == other.problem
    }
}

impl fmt::Display for RenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.maker)?;
        if self.part != Part::Whole {
            write!(f, ", {}", self.part)?;
        }
        if let Some(object) = &self.object {
            write!(f, ", {object}")?;
        }
        if !self.path.is_root() {
            write!(f, ", {}", self.path)?;
        }
        write!(f, ": {}", self.problem)?;
        if let Some(expression) = &self.expression {
            let shown: String = expression.chars().take(EXPRESSION_SHOWN).collect();
            let more = if shown.len() < expression.len() {
                "…"
            } else {
                ""
            };
            write!(f, " (in `${{{shown}{more}}}`")?;
            let shown = self.used.iter().map(|used| {
                let value = used.value.as_deref().unwrap_or("***");
                format!("{} = {value}", used.place)
            });
            let shown: Vec<String> = shown.collect();
            if !shown.is_empty() {
                write!(f, ", where {}", shown.join(", "))?;
            }
            f.write_str(")")?;
        }
        Ok(())
    }
}

impl fmt::Display for RenderProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Template(kind) => write!(f, "{kind}"),
            Self::Schema(error) => write!(f, "the schema is wrong: {error}"),
            Self::Value(error) => write!(f, "{error}"),
            Self::Unresolved(error) => write!(f, "{error}"),
            Self::NoTrait { known } => {
                f.write_str("the release does not hold this trait")?;
                match known.is_empty() {
                    true => f.write_str(", nor any"),
                    false => {
                        let known: Vec<String> =
                            known.iter().map(|name| format!("`{name}`")).collect();
                        write!(f, "; it holds {}", known.join(", "))
                    }
                }
            }
            Self::RepeatedInstance => f.write_str("another trait in use has this instance name"),
            Self::NoChannel { environment } => write!(
                f,
                "no ObservabilityAlertsNotificationChannel is the default of environment \
                 `{environment}`, and the binding names none in `notificationChannel`"
            ),
            Self::Incomplete { field } => write!(f, "the object has no text in `{field}`"),
            Self::NoObject { found } => write!(f, "the template gives no object but {found}"),
            Self::Patch(kind) => write!(f, "{kind}"),
            Self::NoTarget { target } => write!(f, "nothing matches {target}"),
            Self::Rule { rule, message } => {
                write!(f, "`{rule}` is false")?;
                if !message.is_empty() {
                    write!(f, ": {message}")?;
                }
                Ok(())
            }
            Self::Duplicate { first } => write!(
                f,
                "an object of this kind, namespace and name was made already by {}, {}",
                first.0, first.1
            ),
            Self::NoResources => f.write_str("the type has no resources"),
            Self::TooManyObjects => write!(f, "more than {OBJECTS_MAX} objects"),
            Self::TooManyOperations => write!(f, "more than {OPERATIONS_MAX} operations"),
        }
    }
}

/// Everything that keeps a binding from rendering.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{}", shown(.0))]
pub struct RenderErrors(
    /// At least one and at most [`ERRORS_MAX`].
    pub Vec<RenderError>,
);

fn shown(errors: &[RenderError]) -> String {
    let lines = errors.iter().take(ERRORS_SHOWN).map(ToString::to_string);
    let mut lines: Vec<String> = lines.collect();
    if errors.len() > ERRORS_SHOWN {
        let more = errors.len() - ERRORS_SHOWN;
        let least = if errors.len() >= ERRORS_MAX {
            "at least "
        } else {
            ""
        };
        lines.push(format!("and {least}{more} more"));
    }
    lines.join("; ")
}

impl Explain for RenderErrors {
    fn code(&self) -> Code {
        Code("ComponentRenderFailed")
    }

    fn reason(&self) -> Reason {
        Reason("RenderingFailed")
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }

    fn help(&self) -> Vec<String> {
        let mut codes: Vec<Code> = self.0.iter().map(RenderError::code).collect();
        codes.sort();
        codes.dedup();
        let help = codes
            .into_iter()
            .map(|code| format!("Read `fleetwright explain {code}`."));
        help.collect()
    }
}

/// Something worth a look that stops nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Whose template.
    pub maker: Maker,
    /// Which part of it.
    pub part: Part,
    /// What.
    pub kind: WarningKind,
}

/// What is worth a look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WarningKind {
    /// A value that no schema knows and no template sees.
    UnknownValue(String),
    /// A patch or removal that no object is for.
    NoTarget(String),
    /// Values for a trait that is not in use.
    UnknownInstance {
        /// The name.
        name: Text,
        /// The names in use.
        known: Vec<Text>,
    },
    /// Values for a trait of the type, which takes its values from there.
    EmbeddedInstance(Text),
    /// Overrides for a container that the workload does not have.
    UnknownContainer {
        /// The name; empty for a single one.
        name: Text,
        /// The names there are.
        known: Vec<Text>,
    },
    /// The description of an endpoint has no routes that could be read.
    EndpointSchema {
        /// The endpoint.
        name: Text,
        /// Why.
        why: String,
    },
    /// An object for a plane that the data plane does not name.
    NoObservabilityPlane(String),
}

impl WarningKind {
    /// The finest stable name.
    pub fn code(&self) -> Code {
        Code(match self {
            Self::UnknownValue(_) => "ComponentValueUnknown",
            Self::NoTarget(_) => "ComponentTargetMissing",
            Self::UnknownInstance { .. } | Self::EmbeddedInstance(_) => "ComponentOverrideUnused",
            Self::UnknownContainer { .. } => "ComponentContainerUnknown",
            Self::EndpointSchema { .. } => "EndpointSchemaUnreadable",
            Self::NoObservabilityPlane(_) => "ObservabilityPlaneMissing",
        })
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.maker)?;
        if self.part != Part::Whole {
            write!(f, ", {}", self.part)?;
        }
        f.write_str(": ")?;
        let list = |names: &[Text]| {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            match names.is_empty() {
                true => "none".to_owned(),
                false => names.join(", "),
            }
        };
        match &self.kind {
            WarningKind::UnknownValue(place) => {
                write!(f, "`{place}` is in no schema and has no effect")
            }
            WarningKind::NoTarget(target) => write!(f, "nothing matches {target}"),
            WarningKind::UnknownInstance { name, known } => write!(
                f,
                "values for trait instance `{name}`, which is not in use; in use: {}",
                list(known)
            ),
            WarningKind::EmbeddedInstance(name) => write!(
                f,
                "values for `{name}` have no effect: a trait of the type has its values from there"
            ),
            WarningKind::UnknownContainer { name, known } if name.is_empty() => write!(
                f,
                "overrides for a single container, but there are {}",
                list(known)
            ),
            WarningKind::UnknownContainer { name, known } => write!(
                f,
                "overrides for container `{name}`, which does not exist; there are {}",
                list(known)
            ),
            WarningKind::EndpointSchema { name, why } => {
                write!(f, "endpoint `{name}` has no routes: {why}")
            }
            WarningKind::NoObservabilityPlane(object) => write!(
                f,
                "{object} is for an observability plane, and the data plane names none"
            ),
        }
    }
}
