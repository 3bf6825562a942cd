//! Compiles a template into parts and renders them.

use std::sync::Arc;

use expr::{EvalErrorKind, Program, Value};
use object::{FieldPath, List, Map, Node, Step, Text};

use super::functions::is_omitted;
use super::{Compiled, Context, ERRORS_MAX, Engine, Meter, Template, TemplateError};
use super::{TEMPLATE_BYTES_MAX, TEMPLATE_DEPTH_MAX, TEMPLATE_NODES_MAX, TemplateErrorKind};
use super::{markers, text};

/// A part of a template.
#[derive(Debug)]
pub(super) enum Part {
    /// No expression inside; the node is shared with what is rendered.
    Constant(Node),
    /// A text that is one expression.
    Value(Expression),
    /// A text with expressions in it.
    Text(Vec<Piece>),
    List(Vec<Part>),
    Map(Vec<(Key, Part)>),
}

#[derive(Debug)]
pub(super) struct Key {
    /// As it is written.
    pub written: Text,
    /// `None` when it is no template.
    pub part: Option<Part>,
}

#[derive(Debug)]
pub(super) enum Piece {
    Fixed(Text),
    Expression(Expression),
}

#[derive(Debug)]
pub(super) struct Expression {
    pub text: Text,
    pub program: Result<Program, TemplateErrorKind>,
}

impl Part {
    /// Calls `visit` for every expression with its path.
    pub(super) fn walk(
        &self,
        path: &mut FieldPath,
        visit: &mut dyn FnMut(&FieldPath, &Expression),
    ) {
        match self {
            Self::Constant(_) => {}
            Self::Value(expression) => visit(path, expression),
            Self::Text(pieces) => {
                for piece in pieces {
                    if let Piece::Expression(expression) = piece {
                        visit(path, expression);
                    }
                }
            }
            Self::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    path.push(Step::Index(at));
                    item.walk(path, visit);
                    path.pop();
                }
            }
            Self::Map(entries) => {
                for (key, value) in entries {
                    path.push(Step::Key(key.written.clone()));
                    if let Some(part) = &key.part {
                        part.walk(path, visit);
                    }
                    value.walk(path, visit);
                    path.pop();
                }
            }
        }
    }
}

impl Expression {
    pub(super) fn error(&self, kind: TemplateErrorKind, path: &FieldPath) -> TemplateError {
        let at = match &kind {
            TemplateErrorKind::Invalid(issues) => {
                issues.first().map(|issue| (issue.line, issue.column))
            }
            _ => None,
        };
        TemplateError {
            expression: Some(self.text.clone()),
            at,
            ..TemplateError::new(kind, path.clone())
        }
    }
}

pub(super) fn compile(engine: &Engine, node: &Node) -> Template {
    let mut compiler = Compiler {
        engine,
        bytes: 0,
        nodes: 0,
    };
    let (root, problem) = match compiler.part(node, 0) {
        Ok(root) => (root, None),
        Err(kind) => (Part::Constant(Node::Null), Some(kind)),
    };
    Template(Arc::new(Compiled {
        root,
        options: engine.options.clone(),
        problem,
    }))
}

struct Compiler<'a> {
    engine: &'a Engine,
    bytes: usize,
    nodes: usize,
}

impl Compiler<'_> {
    fn part(&mut self, node: &Node, depth: usize) -> Result<Part, TemplateErrorKind> {
        if depth > TEMPLATE_DEPTH_MAX {
            return Err(TemplateErrorKind::TooDeep);
        }
        self.nodes += 1;
        if self.nodes > TEMPLATE_NODES_MAX {
            return Err(TemplateErrorKind::TooMany);
        }
        match node {
            Node::String(text) => Ok(self.text(text)?.unwrap_or(Part::Constant(node.clone()))),
            Node::List(items) => {
                let parts = items.iter().map(|item| self.part(item, depth + 1));
                let parts = parts.collect::<Result<Vec<_>, _>>()?;
                let constant = parts.iter().all(|part| matches!(part, Part::Constant(_)));
                Ok(match constant {
                    true => Part::Constant(node.clone()),
                    false => Part::List(parts),
                })
            }
            Node::Map(map) => {
                let mut entries = Vec::with_capacity(map.len());
                let mut constant = true;
                for (written, value) in map.iter() {
                    let part = self.text(written)?;
                    let value = self.part(value, depth + 1)?;
                    constant &= part.is_none() && matches!(value, Part::Constant(_));
                    let written = written.clone();
                    entries.push((Key { written, part }, value));
                }
                Ok(match constant {
                    true => Part::Constant(node.clone()),
                    false => Part::Map(entries),
                })
            }
            scalar => Ok(Part::Constant(scalar.clone())),
        }
    }

    /// `None` for a text without expressions.
    fn text(&mut self, text: &Text) -> Result<Option<Part>, TemplateErrorKind> {
        self.bytes += text.len();
        if self.bytes > TEMPLATE_BYTES_MAX {
            return Err(TemplateErrorKind::TooLarge);
        }
        let found = match markers(text) {
            Ok(found) => found,
            Err(nested) => {
                // As far as it can be told apart from what follows.
                let inner = text[nested.outer + 2..].trim_end();
                let expression = Expression {
                    text: inner.strip_suffix('}').unwrap_or(inner).into(),
                    program: Err(TemplateErrorKind::Nested),
                };
                return Ok(Some(Part::Value(expression)));
            }
        };
        if found.is_empty() {
            return Ok(None);
        }
        if let [only] = found.as_slice()
            && &text[only.range.clone()] == text.trim()
        {
            return Ok(Some(Part::Value(self.expression(only.expression(text)))));
        }
        let mut pieces = Vec::with_capacity(2 * found.len() + 1);
        let mut from = 0;
        for marker in found {
            if marker.range.start > from {
                pieces.push(Piece::Fixed(text[from..marker.range.start].into()));
            }
            let expression = self.expression(marker.expression(text));
            pieces.push(Piece::Expression(expression));
            from = marker.range.end;
        }
        if from < text.len() {
            pieces.push(Piece::Fixed(text[from..].into()));
        }
        Ok(Some(Part::Text(pieces)))
    }

    fn expression(&self, text: &str) -> Expression {
        let text = Text::from(text);
        let program = self.engine.program(&text).map_err(TemplateErrorKind::from);
        Expression { text, program }
    }
}

pub(super) fn render(
    template: &Compiled,
    context: &Context,
    meter: &mut Meter,
) -> Result<Option<Node>, Vec<TemplateError>> {
    if let Some(kind) = &template.problem {
        return Err(vec![TemplateError::new(kind.clone(), FieldPath::root())]);
    }
    let mut renderer = Renderer {
        context,
        meter,
        path: FieldPath::root(),
        errors: Vec::new(),
        stopped: false,
    };
    let node = renderer.part(&template.root);
    match renderer.errors.is_empty() {
        true => Ok(node),
        false => Err(renderer.errors),
    }
}

struct Renderer<'a> {
    context: &'a Context,
    meter: &'a mut Meter,
    path: FieldPath,
    errors: Vec<TemplateError>,
    /// A limit was reached; the rest is not rendered.
    stopped: bool,
}

impl Renderer<'_> {
    /// `None` for what is omitted, or failed.
    fn part(&mut self, part: &Part) -> Option<Node> {
        if self.stopped {
            return None;
        }
        match part {
            Part::Constant(node) => {
                let fits = self.meter.emit(node);
                self.limited(fits, TemplateErrorKind::OutputLimit)?;
                Some(node.clone())
            }
            Part::Value(expression) => {
                let value = self.value(expression)?;
                let node = match value.to_data(&is_omitted) {
                    Ok(node) => node?,
                    Err(message) => {
                        self.fail(expression, TemplateErrorKind::NoData(message));
                        return None;
                    }
                };
                let fits = self.meter.emit(&node);
                self.limited(fits, TemplateErrorKind::OutputLimit)?;
                Some(node)
            }
            Part::Text(pieces) => self.text(pieces).map(Node::from),
            Part::List(parts) => {
                let mut items = Vec::with_capacity(parts.len());
                for (at, part) in parts.iter().enumerate() {
                    self.path.push(Step::Index(at));
                    items.extend(self.part(part));
                    self.path.pop();
                }
                Some(Node::List(List::new(items)))
            }
            Part::Map(entries) => {
                let mut map = Map::with_capacity(entries.len());
                for (key, part) in entries {
                    self.path.push(Step::Key(key.written.clone()));
                    let name = self.key(key);
                    let value = self.part(part);
                    if let (Some(name), Some(value)) = (name, value)
                        && map.insert(name, value).is_some()
                    {
                        self.report(TemplateError::new(
                            TemplateErrorKind::RepeatedKey,
                            self.path.clone(),
                        ));
                    }
                    self.path.pop();
                }
                Some(Node::Map(map))
            }
        }
    }

    fn key(&mut self, key: &Key) -> Option<Text> {
        let Some(part) = &key.part else {
            let fits = self.meter.emit_bytes(key.written.len() as u64);
            self.limited(fits, TemplateErrorKind::OutputLimit)?;
            return Some(key.written.clone());
        };
        let failed = self.errors.len();
        let kind = match self.part(part) {
            Some(Node::String(text)) => return Some(text),
            Some(other) => TemplateErrorKind::KeyNoText {
                found: other.type_name(),
            },
            None if self.errors.len() > failed || self.stopped => return None,
            None => TemplateErrorKind::OmittedInText,
        };
        match part {
            Part::Value(expression) => self.fail(expression, kind),
            _ => self.report(TemplateError::new(kind, self.path.clone())),
        }
        None
    }

    fn text(&mut self, pieces: &[Piece]) -> Option<String> {
        let mut out = String::new();
        let mut complete = true;
        for piece in pieces {
            match piece {
                Piece::Fixed(text) => out.push_str(text),
                Piece::Expression(expression) => {
                    let pushed = self
                        .value(expression)
                        .map(|value| text::push(&value, &mut out));
                    match pushed {
                        Some(Ok(())) => {}
                        Some(Err(kind)) => {
                            self.fail(expression, kind);
                            complete = false;
                        }
                        None => complete = false,
                    }
                    if self.stopped {
                        return None;
                    }
                }
            }
            let fits = out.len() as u64 <= self.meter.bytes_left();
            self.limited(fits, TemplateErrorKind::OutputLimit)?;
        }
        self.meter.emit_bytes(out.len() as u64);
        complete.then_some(out)
    }

    /// The value of an expression; `None` when it failed, which is then reported.
    fn value(&mut self, expression: &Expression) -> Option<Value> {
        let program = match &expression.program {
            Ok(program) => program,
            Err(kind) => {
                self.fail(expression, kind.clone());
                return None;
            }
        };
        let unknown = program
            .variables()
            .iter()
            .find(|name| !self.context.names().contains(name));
        if let Some(name) = unknown {
            let kind = TemplateErrorKind::NoSuchVariable {
                name: name.clone(),
                known: self.context.names().to_vec(),
            };
            self.fail(expression, kind);
            return None;
        }
        let budget = self.meter.next();
        let (outcome, cost) = program.evaluate_counted(self.context.bindings(), budget);
        // One unit more, so that templates of nothing but constants come to an end as well.
        let paid = self.meter.spend(expr::Budget(cost.0 + 1));
        match outcome {
            Ok(value) => {
                self.limited(paid, TemplateErrorKind::CostLimit)?;
                Some(value)
            }
            Err(error) => {
                let kind = self.kind(program, &error.kind);
                let stopped = error.is_cost_limit();
                let mut report = expression.error(kind, &self.path);
                report.at = Some(place(&expression.text, error.at));
                report.used = self.context.used(program);
                self.report(report);
                self.stopped |= stopped;
                None
            }
        }
    }

    fn kind(&self, program: &Program, kind: &EvalErrorKind) -> TemplateErrorKind {
        if *kind == EvalErrorKind::CostLimit {
            return TemplateErrorKind::CostLimit;
        }
        let reads = program.reads();
        if let Some(place) = self.context.secret_of(&reads) {
            return TemplateErrorKind::Concealed { place };
        }
        match kind {
            EvalErrorKind::NoSuchKey(key) => {
                let found = self.context.missing(&reads, key);
                let (place, known) =
                    found.map_or((None, Vec::new()), |(place, known)| (Some(place), known));
                TemplateErrorKind::NoSuchKey {
                    key: self.context.masked(key.clone()),
                    place,
                    known,
                }
            }
            EvalErrorKind::NoSuchOverload => TemplateErrorKind::Failed(
                "no such overload: an operator or function does not take these values".into(),
            ),
            other => TemplateErrorKind::Failed(self.context.masked(other.to_string())),
        }
    }

    fn fail(&mut self, expression: &Expression, kind: TemplateErrorKind) {
        let mut error = expression.error(kind, &self.path);
        if let Ok(program) = &expression.program {
            error.used = self.context.used(program);
        }
        self.report(error);
    }

    fn report(&mut self, error: TemplateError) {
        self.stopped |= error.kind.is_limit();
        if self.errors.len() < ERRORS_MAX {
            self.errors.push(error);
        }
    }

    /// `None`, and a report, when a limit is exceeded.
    fn limited(&mut self, fits: bool, kind: TemplateErrorKind) -> Option<()> {
        if !fits && !self.stopped {
            self.report(TemplateError::new(kind, self.path.clone()));
        }
        fits.then_some(())
    }
}

/// Line and column of a byte, in characters from one.
fn place(text: &str, at: u32) -> (usize, usize) {
    let at = text.floor_char_boundary((at as usize).min(text.len()));
    let line = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    (
        text[..at].matches('\n').count() + 1,
        text[line..at].chars().count() + 1,
    )
}
