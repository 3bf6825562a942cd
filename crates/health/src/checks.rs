//! Health rules in CEL for kinds that do not say in the usual way.

use std::collections::BTreeMap;

use api::HealthExpressions;
use expr::{Bindings, Budget, Libraries, Options, Program, Value};
use golang::Timestamp;
use object::{GroupKind, GroupVersionKind, Node, Object};

use crate::assessment::{Assessment, Status};
use crate::generic::assess;

/// Compiled health rules by kind.
///
/// ```
/// use health::{Checks, Status};
///
/// let rules = api::HealthExpressions {
///     api_version: "example.com/v1".into(),
///     kind: "Database".into(),
///     current: "status.phase == 'Running'".into(),
///     ..Default::default()
/// };
/// let checks = Checks::compile(&[rules])?;
/// let text = br#"{"apiVersion": "example.com/v1", "kind": "Database", "status": {"phase": "Running"}}"#;
/// let database = object::json::parse(text, object::json::OBJECT_LIMITS).unwrap();
/// let health = checks.assess(&database.into(), golang::Timestamp::from_unix(0));
/// assert_eq!(health.status, Status::Current);
/// # Ok::<(), health::CheckError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Checks(BTreeMap<GroupKind, Rules>);

#[derive(Clone, Debug)]
struct Rules {
    in_progress: Option<Program>,
    failed: Option<Program>,
    current: Program,
}

/// Health rules that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// A kind has two sets of rules.
    #[error("duplicate custom health check for GroupKind {kind} at healthchecks[{at}]")]
    Duplicate {
        /// The kind.
        kind: GroupKind,
        /// Place of the second set.
        at: usize,
    },
    /// No rule says when the object is current.
    #[error(
        "failed to create custom status evaluator for healthchecks[{at}]: \
         expression Current not specified"
    )]
    NoCurrent {
        /// Place of the rules.
        at: usize,
    },
    /// A rule is no expression.
    #[error(
        "failed to create custom status evaluator for healthchecks[{at}]: \
         failed to parse the expression {rule}: failed to parse the CEL expression '{text}': {problem}"
    )]
    Parse {
        /// Place of the rules.
        at: usize,
        /// `Current`, `Failed` or `InProgress`.
        rule: &'static str,
        /// The expression.
        text: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl Checks {
    /// Compiles rules; only the group of their API version counts, and a set without a kind is
    /// for every kind of its group that has no set of its own.
    ///
    /// # Errors
    /// [`CheckError`] for the first set that cannot be used.
    ///
    /// # Source
    /// fluxcd/pkg `runtime/cel/status_reader.go`, `status_evaluator.go`.
    pub fn compile(sets: &[HealthExpressions]) -> Result<Self, CheckError> {
        let mut rules = BTreeMap::new();
        for (at, set) in sets.iter().enumerate() {
            let kind = GroupVersionKind::new(&set.api_version, &set.kind).group_kind();
            if rules.contains_key(&kind) {
                return Err(CheckError::Duplicate { kind, at });
            }
            if set.current.is_empty() {
                return Err(CheckError::NoCurrent { at });
            }
            let compiled = Rules {
                current: program(at, "Current", &set.current)?,
                failed: optional(at, "Failed", &set.failed)?,
                in_progress: optional(at, "InProgress", &set.in_progress)?,
            };
            rules.insert(kind, compiled);
        }
        Ok(Self(rules))
    }

    /// Assesses an object by the rules for its kind, else as [`assess`] does.
    ///
    /// An unobserved generation counts as in progress before any rule is asked. Then `inProgress`,
    /// `failed` and `current` are asked in this order; when none holds, it is in progress. A rule
    /// that cannot be evaluated makes the answer [`Status::Unknown`]: wait, and say why.
    pub fn assess(&self, object: &Object, now: Timestamp) -> Assessment {
        match self.rules(object) {
            None => assess(object, now),
            Some(rules) => rules.assess(object),
        }
    }

    /// Whether there are rules for the kind of this object.
    pub fn covers(&self, object: &Object) -> bool {
        self.rules(object).is_some()
    }

    fn rules(&self, object: &Object) -> Option<&Rules> {
        if self.0.is_empty() {
            return None;
        }
        let kind = object.gvk().group_kind();
        let group = GroupKind {
            group: kind.group.clone(),
            ..GroupKind::default()
        };
        self.0.get(&kind).or_else(|| self.0.get(&group))
    }
}

impl Rules {
    fn assess(&self, object: &Object) -> Assessment {
        let integer = |keys: &[&str]| match object.node.at(keys) {
            Some(Node::Int(value)) => Some(*value),
            _ => None,
        };
        let seen = integer(&["status", "observedGeneration"]);
        let wanted = integer(&["metadata", "generation"]);
        if let (Some(seen), Some(wanted)) = (seen, wanted)
            && seen != wanted
        {
            let message = format!(
                "{} generation is {wanted}, but latest observed generation is {seen}",
                object.kind()
            );
            return Assessment::plain(Status::InProgress, message);
        }
        let bindings = Bindings::of_root(&object.node);
        let rules = [
            (self.in_progress.as_ref(), Status::InProgress, "inProgress"),
            (self.failed.as_ref(), Status::Failed, "failed"),
            (Some(&self.current), Status::Current, "current"),
        ];
        for (program, status, name) in rules {
            let Some(program) = program else {
                continue;
            };
            let text = program.text();
            match program.evaluate(&bindings, Budget::CALL) {
                Ok(Value::Bool(false)) => {}
                Ok(Value::Bool(true)) => {
                    let message = format!("the rule `{name}` holds: {text}");
                    return Assessment::plain(status, message);
                }
                Ok(_) => {
                    let message = format!("failed to evaluate CEL expression as boolean: '{text}'");
                    return Assessment::plain(Status::Unknown, message);
                }
                Err(error) => {
                    let message =
                        format!("failed to evaluate the CEL expression '{text}': {error}");
                    return Assessment::plain(Status::Unknown, message);
                }
            }
        }
        let message = format!("the rule `current` does not hold: {}", self.current.text());
        Assessment::plain(Status::InProgress, message)
    }
}

fn optional(at: usize, rule: &'static str, text: &str) -> Result<Option<Program>, CheckError> {
    if text.is_empty() {
        return Ok(None);
    }
    program(at, rule, text).map(Some)
}

fn program(at: usize, rule: &'static str, text: &str) -> Result<Program, CheckError> {
    let libraries = Libraries::FLUX;
    let compiled = Program::compile(text, &Options::dynamic().libraries(libraries));
    compiled.map_err(|error| CheckError::Parse {
        at,
        rule,
        text: text.to_owned(),
        problem: error.to_string(),
    })
}
