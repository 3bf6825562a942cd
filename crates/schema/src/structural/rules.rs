//! `x-kubernetes-validations`: rules in CEL over values of a schema.
//!
//! # Source
//! kubernetes/apiextensions-apiserver `pkg/apiserver/schema/cel/{validation,compilation}.go`.

use std::sync::Arc;

use expr::{Bindings, Budget, CompileError, Options, Program, Shape, Sizes, Value};
use object::Node;

use super::field_path;
use super::node::{Level, Rule};
use super::shapes::{REQUEST_BYTES_MAX, bounds_of, shape_of};
use super::values::Before;
use crate::field_error::{FieldError, FieldErrorKind, FieldValue, Place};

/// Longest message an expression may give, as in Kubernetes.
const MESSAGE_BYTES_MAX: usize = 5 << 10;

/// The rules of one level.
#[derive(Debug, Default)]
pub(super) struct CompiledRules {
    shape: Shape,
    rules: Vec<CompiledRule>,
}

#[derive(Debug)]
struct CompiledRule {
    rule: Rule,
    /// `None` when it does not compile, which the definition checks refuse.
    program: Option<Program>,
    error: Option<String>,
    message: Option<Program>,
    field_path: Option<String>,
    uses_old: bool,
}

/// What the definition checks need to know of a rule.
#[derive(Debug, Default)]
pub(super) struct RuleReport {
    /// The field that does not compile, `rule` or `messageExpression`, and why.
    pub problem: Option<(&'static str, String)>,
    /// Most that one evaluation can cost.
    pub cost: u64,
    /// Most that one evaluation of the message can cost.
    pub message_cost: u64,
    /// Whether it compares with the old value.
    pub uses_old: bool,
}

/// Compiles the rules here and below. `root`: this is the schema of a whole object.
pub(super) fn compile(level: &mut Level, root: bool) {
    if !level.has_rules {
        return;
    }
    if !level.rules.is_empty()
        && let Some(shape) = shape_of(level, root || level.embedded)
    {
        let rules = level.rules.clone();
        let rules = rules
            .into_iter()
            .map(|rule| CompiledRule::new(level, rule, &shape));
        level.compiled = CompiledRules {
            rules: rules.collect(),
            shape,
        };
    }
    // Nothing else holds a level that is still being read.
    let inner = level.items.as_mut().and_then(Arc::get_mut);
    inner.into_iter().for_each(|inner| compile(inner, false));
    let inner = level
        .additional
        .as_mut()
        .and_then(|inner| inner.level.as_mut());
    let inner = inner.and_then(Arc::get_mut);
    inner.into_iter().for_each(|inner| compile(inner, false));
    for property in level.properties.values_mut().filter_map(Arc::get_mut) {
        compile(property, false);
    }
}

/// Whether expressions can see values of `level`.
pub(super) fn can_see(level: &Level, root: bool) -> bool {
    let plain = level.kind == "object" && level.additional.is_none();
    plain || shape_of(level, root || level.embedded).is_some()
}

/// Looks at the rules of one level, in their order; the second part is how often its values can
/// occur in a request at most.
///
/// `None` when expressions cannot see values of the level.
pub(super) fn reports(level: &Level, root: bool) -> Option<(Vec<RuleReport>, u64)> {
    let bounds = bounds_of(level, root || level.embedded)?;
    let shape = &bounds.sizes.shape;
    let occurrences = REQUEST_BYTES_MAX / (bounds.bytes_min + 1);
    let report = |rule: &Rule| {
        let mut report = RuleReport::default();
        if rule.rule.trim().is_empty() {
            return report;
        }
        let old = match rule.optional_old_self {
            Some(true) => Arc::new(Sizes {
                shape: Shape::Optional(Arc::new(shape.clone())),
                ..(*bounds.sizes).clone()
            }),
            _ => bounds.sizes.clone(),
        };
        let variables = [("self", bounds.sizes.clone()), ("oldSelf", old)];
        match compile_rule(rule, shape) {
            Ok(program) => {
                report.uses_old = program.uses("oldSelf");
                report.cost = program.estimate(&variables).0;
            }
            Err(error) => {
                report.problem = Some(("rule", error));
                return report;
            }
        }
        if !rule.message_expression.trim().is_empty() {
            match compile_message(rule, shape) {
                Ok(program) => report.message_cost = program.estimate(&variables).0,
                Err(error) => report.problem = Some(("messageExpression", error)),
            }
        }
        report
    };
    Some((level.rules.iter().map(report).collect(), occurrences))
}

fn options(rule: &Rule, shape: &Shape) -> Options {
    let old = match rule.optional_old_self {
        Some(true) => Shape::Optional(Arc::new(shape.clone())),
        _ => shape.clone(),
    };
    Options::declared([("self", shape.clone()), ("oldSelf", old)])
}

fn compile_rule(rule: &Rule, shape: &Shape) -> Result<Program, String> {
    let program = Program::compile(&rule.rule, &options(rule, shape))
        .map_err(|error| compile_error("compilation failed", &error))?;
    match program.shape() {
        Shape::Bool => Ok(program),
        _ => Err("cel expression must evaluate to a bool".into()),
    }
}

fn compile_message(rule: &Rule, shape: &Shape) -> Result<Program, String> {
    let program = Program::compile(&rule.message_expression, &options(rule, shape))
        .map_err(|error| compile_error("messageExpression compilation failed", &error))?;
    match program.shape() {
        Shape::String => Ok(program),
        _ => Err("messageExpression must evaluate to a string".into()),
    }
}

fn compile_error(what: &str, error: &CompileError) -> String {
    format!("{what}: {error}")
}

impl CompiledRule {
    fn new(level: &Level, rule: Rule, shape: &Shape) -> Self {
        let (program, error) = match rule.rule.trim() {
            "" => (None, None),
            _ => match compile_rule(&rule, shape) {
                Ok(program) => (Some(program), None),
                Err(error) => (None, Some(error)),
            },
        };
        let message = match rule.message_expression.trim() {
            "" => None,
            _ => compile_message(&rule, shape).ok(),
        };
        let path = rule.field_path.as_str();
        let field_path = (!path.is_empty())
            .then(|| field_path::resolve(path, level, true).ok())
            .flatten()
            .map(|resolved| resolved.path);
        Self {
            uses_old: program
                .as_ref()
                .is_some_and(|program| program.uses("oldSelf")),
            program,
            error,
            message,
            field_path,
            rule,
        }
    }

    /// The rule as messages quote it.
    fn text(&self) -> &str {
        match self.rule.message.trim() {
            "" => self.rule.rule.trim(),
            message => message,
        }
    }

    fn default_message(&self) -> String {
        match self.rule.message.trim() {
            "" => format!("failed rule: {}", self.rule.rule.trim()),
            message => message.to_owned(),
        }
    }
}

/// What evaluating the rules over an object found.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub errors: Vec<FieldError>,
    /// Errors about what was already there, to be shown and not to fail the request.
    pub warnings: Vec<FieldError>,
}

/// Evaluates all rules over an object, within one budget.
pub(super) fn evaluate(level: &Level, node: &Node, old: Option<&Node>) -> Outcome {
    evaluate_at(level, node, old, None)
}

/// Evaluates all rules over a value that stands at `prefix`.
pub(super) fn evaluate_at(
    level: &Level,
    node: &Node,
    old: Option<&Node>,
    prefix: Option<&str>,
) -> Outcome {
    let mut run = Run {
        budget: Budget::OBJECT.0,
        stopped: false,
        outcome: Outcome::default(),
    };
    let place = match prefix {
        Some(prefix) => Place::ROOT.child(prefix),
        None => Place::ROOT,
    };
    run.value(level, node, old, place, Correlation::start(node, old));
    run.outcome
}

/// Whether a failure at a place is about what was there before.
#[derive(Clone, Copy)]
struct Correlation<'a> {
    /// The value here and what it was, when that is known.
    here: Option<(&'a Node, &'a Node)>,
    /// The nearest value above of which it is known.
    above: Option<(&'a Node, &'a Node)>,
}

impl<'a> Correlation<'a> {
    fn start(node: &'a Node, old: Option<&'a Node>) -> Self {
        Self {
            here: old.map(|old| (node, old)),
            above: None,
        }
    }

    fn below(self, key: Option<&str>, node: &'a Node, old: Option<&'a Node>) -> Self {
        if self.here.is_none() {
            return self;
        }
        if self.above.is_none() && matches!(key, Some("apiVersion" | "kind")) {
            return Self {
                here: None,
                above: None,
            };
        }
        Self {
            here: old.map(|old| (node, old)),
            above: self.here,
        }
    }

    fn unchanged(self) -> bool {
        self.here
            .or(self.above)
            .is_some_and(|(new, old)| new == old)
    }
}

struct Run {
    budget: u64,
    stopped: bool,
    outcome: Outcome,
}

impl Run {
    fn value<'a>(
        &mut self,
        level: &Level,
        node: &'a Node,
        old: Option<&'a Node>,
        place: Place<'_>,
        correlation: Correlation<'a>,
    ) {
        if !level.has_rules || node.is_null() || self.stopped {
            return;
        }
        if !level.compiled.rules.is_empty() {
            self.rules(level, node, old, place, correlation);
        }
        match node {
            Node::Map(map) => {
                for (key, value) in map.iter() {
                    if self.stopped {
                        return;
                    }
                    let before = old.and_then(|old| old.get(key));
                    let correlation = correlation.below(Some(key), value, before);
                    if let Some(property) = level.properties.get(key) {
                        self.value(property, value, before, place.child(key), correlation);
                    } else if let Some(inner) = level.additional_level() {
                        self.value(inner, value, before, place.key(key), correlation);
                    }
                }
            }
            Node::List(items) => {
                let Some(inner) = level.items.as_ref().filter(|inner| inner.has_rules) else {
                    return;
                };
                let known = Before::of(level, old);
                for (index, item) in items.iter().enumerate() {
                    if self.stopped {
                        return;
                    }
                    let before = known.item(item);
                    let correlation = correlation.below(None, item, before);
                    self.value(inner, item, before, place.index(index), correlation);
                }
            }
            _ => {}
        }
    }

    fn rules(
        &mut self,
        level: &Level,
        node: &Node,
        old: Option<&Node>,
        place: Place<'_>,
        correlation: Correlation<'_>,
    ) {
        let compiled = &level.compiled;
        let current = Value::shaped(node, &compiled.shape);
        let before = old.filter(|old| !old.is_null());
        let before = before.map(|old| Value::shaped(old, &compiled.shape));
        let plain = Bindings::new().bind("self", current);
        let optional = plain.clone().bind(
            "oldSelf",
            before.clone().map_or(Value::Optional(None), Value::some),
        );
        let plain = match &before {
            Some(before) => plain.bind("oldSelf", before.clone()),
            None => plain,
        };
        for rule in &compiled.rules {
            let invalid = |detail: String| FieldError::invalid(place, level.kind.as_str(), detail);
            if let Some(error) = &rule.error {
                let error = invalid(format!("rule compile error: {error}"));
                self.outcome.errors.push(error);
                continue;
            }
            let Some(program) = &rule.program else {
                continue;
            };
            let takes_none = rule.rule.optional_old_self == Some(true);
            if rule.uses_old && before.is_none() && !takes_none {
                continue;
            }
            let bindings = if takes_none { &optional } else { &plain };
            let (result, cost) = program.evaluate_counted(bindings, Budget::CALL);
            let Some(left) = self.budget.checked_sub(cost.0) else {
                self.outcome.errors.push(invalid(
                    "validation failed due to running out of cost budget, no further validation rules will be run".into(),
                ));
                self.stopped = true;
                return;
            };
            self.budget = left;
            match result {
                Ok(Value::Bool(true)) => {}
                Ok(_) => {
                    if !self.failed(level, rule, node, bindings, place, correlation) {
                        return;
                    }
                }
                Err(error) if error.is_cost_limit() => {
                    self.outcome.errors.push(invalid(format!(
                        "'{error}': no further validation rules will be run due to call cost exceeds limit for rule: {}",
                        rule.text()
                    )));
                    self.stopped = true;
                    return;
                }
                Err(error) if error.kind == expr::EvalErrorKind::NoSuchOverload => {
                    self.outcome.errors.push(invalid(format!(
                        "'{error}': call arguments did not match a supported operator, function or macro signature for rule: {}",
                        rule.text()
                    )));
                }
                Err(error) => {
                    let detail = format!("{error} evaluating rule: {}", rule.text());
                    self.outcome.errors.push(invalid(detail));
                }
            }
        }
    }

    /// Reports a rule that is not met; whether to go on.
    fn failed(
        &mut self,
        level: &Level,
        rule: &CompiledRule,
        node: &Node,
        bindings: &Bindings,
        place: Place<'_>,
        correlation: Correlation<'_>,
    ) -> bool {
        let path = match &rule.field_path {
            Some(relative) => {
                let joined = format!("{place}{relative}");
                joined.strip_prefix("<nil>.").unwrap_or(&joined).to_owned()
            }
            None => place.to_string(),
        };
        let message = match self.message(rule, bindings) {
            Ok(message) => message.unwrap_or_else(|| rule.default_message()),
            Err(detail) => {
                let error = FieldError::invalid(path, level.kind.as_str(), detail);
                self.report(rule, error, correlation);
                self.stopped = true;
                return false;
            }
        };
        let value = match level.kind.as_str() {
            "object" | "array" => FieldValue::Omitted,
            _ => FieldValue::from(node),
        };
        let error = match rule.rule.reason.as_deref() {
            Some("FieldValueForbidden") => FieldError::forbidden(path, message),
            Some("FieldValueRequired") => FieldError::required(path, message),
            Some("FieldValueDuplicate") => FieldError::duplicate(path, value),
            _ => FieldError::new(path, FieldErrorKind::Invalid, value, message),
        };
        self.report(rule, error, correlation);
        true
    }

    fn report(&mut self, rule: &CompiledRule, error: FieldError, correlation: Correlation<'_>) {
        match !rule.uses_old && correlation.unchanged() {
            true => self.outcome.warnings.push(error),
            false => self.outcome.errors.push(error),
        }
    }

    /// The message the rule's expression gives; `None` when it gives none that can be shown.
    ///
    /// # Errors
    /// When the budget ends.
    fn message(
        &mut self,
        rule: &CompiledRule,
        bindings: &Bindings,
    ) -> Result<Option<String>, String> {
        let Some(program) = &rule.message else {
            return Ok(None);
        };
        let (result, cost) = program.evaluate_counted(bindings, Budget::CALL);
        let Some(left) = self.budget.checked_sub(cost.0) else {
            return Err("messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run".into());
        };
        self.budget = left;
        let text = match result {
            Ok(Value::String(text)) => text,
            Err(error) if error.is_cost_limit() => {
                let quoted = crate::field_error::quote(&rule.rule.message_expression);
                return Err(format!(
                    "no further validation rules will be run due to call cost exceeds limit for messageExpression: {quoted}"
                ));
            }
            _ => return Ok(None),
        };
        let text = text.trim();
        let shown = !text.is_empty() && text.len() <= MESSAGE_BYTES_MAX && !text.contains('\n');
        Ok(shown.then(|| text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The estimate of each rule over values of a level, as kube-apiserver computes it.
    ///
    /// # Source
    /// kubernetes/apiextensions-apiserver `pkg/apiserver/schema/cel/compilation_test.go`,
    /// `TestCostEstimation`.
    #[test]
    fn rules_cost_what_the_schema_lets_them() {
        let list = |item: &str, bound: &str| format!("{{type: array, items: {{{item}}}{bound}}}");
        let map = |item: &str| format!("{{type: object, additionalProperties: {{{item}}}}}");
        let text = "{type: string}".to_owned();
        let number = "type: number";
        for (level, rule, cost) in [
            (list(number, ""), "self.all(x, true)", 4_718_591),
            (list(number, ", maxItems: 10"), "self.all(x, true)", 32),
            (list("type: string", ""), "self.all(x, true)", 3_145_727),
            (list("type: boolean", ""), "self.all(x, true)", 1_887_437),
            (
                list("type: string, format: duration", ""),
                "self.all(x, true)",
                2_359_295,
            ),
            (
                list("type: string, format: date", ""),
                "self.all(x, true)",
                725_936,
            ),
            (
                list("type: string, format: date-time", ""),
                "self.all(x, true)",
                428_963,
            ),
            (
                list("x-kubernetes-int-or-string: true", ""),
                "self.all(x, true)",
                4_718_591,
            ),
            (map(number), "self.all(x, true)", 1_348_169),
            (map("type: string"), "self.all(x, true)", 1_179_647),
            (map("type: boolean"), "self.all(x, true)", 943_718),
            (map(number), "has(self.x)", 0),
            (text.clone(), "self.contains('test')", 314_574),
            (text.clone(), "self.startsWith('test')", 2),
            (
                text.clone(),
                "size(self + 'hello') > size('hello')",
                314_578,
            ),
            (text.clone(), "self.matches('x')", 314_574),
            (text.clone(), "self.matches('')", 1),
            (list(number, ""), "self[1] == 0.0", 2),
            (list("type: string", ""), "self[1] == self[1]", 314_577),
            (
                list(number, ", maxItems: 10"),
                "self.all(x, self.all(y, true))",
                352,
            ),
            (list(number, ""), "self.all(x, x == 0.0)", 6_291_454),
            (
                list("x-kubernetes-int-or-string: true", ""),
                "self[0] == 5",
                3,
            ),
            (list("type: boolean", ""), "self[0] == false", 2),
            (
                list("type: string, format: duration", ""),
                "self[0].getHours() == 2",
                4,
            ),
        ] {
            let documents = yaml::load(&level, &yaml::Limits::default()).expect("valid YAML");
            let mut node = documents[0].node.clone();
            let mut written = Node::map();
            written.set(&["rule"], rule);
            node.set(&["x-kubernetes-validations"], Node::list([written]));
            let level = Level::read(&node).expect("a shallow schema");
            let (reports, _) = reports(&level, false).expect("a visible value");
            assert_eq!(reports[0].problem, None, "{rule}");
            assert_eq!(reports[0].cost, cost, "{rule} over {level:?}");
        }
    }
}
