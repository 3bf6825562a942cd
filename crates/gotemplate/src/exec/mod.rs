//! Executes templates.
//!
//! # Source
//! golang/go `src/text/template/exec.go` at 1.26. What an error's position is follows from the order
//! in which that file visits nodes, so this one visits them in the same order ([`Frame::at`]).

mod args;
mod builtin;
mod eval;
mod field;
mod operand;
mod range;

pub(crate) use builtin::Callee;
pub(crate) use operand::Operand;

use crate::parse::{Branch, Id, Node, ROOT, Source, Template, Variable};
use crate::{CallError, Cause, Context, ExecError, Use, Value, format, stack};

/// An error with its place.
pub(crate) type Fault = Box<ExecError>;

type Result<T, E = Fault> = std::result::Result<T, E>;

/// How much of a node is told where a limit was reached.
const LIMIT_CONTEXT_CHARACTERS: usize = 100;

/// Variables that are passed over in the time of a step.
const VARIABLES_PER_STEP: usize = 16;

/// Entries of a map that are copied in the time of a step.
const ENTRIES_PER_STEP: usize = 4;

/// How a list of nodes ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Go,
    Break,
    Continue,
}

/// A template being executed.
pub(crate) struct Frame<'t> {
    template: &'t Template,
    source: &'t Source,
    /// The node at hand, for errors.
    at: Id,
    /// Where its variables begin; `$` is the first.
    base: usize,
}

impl<'t> Frame<'t> {
    pub(crate) fn new(template: &'t Template, base: usize) -> Self {
        Self {
            template,
            source: &template.source,
            at: Id::NONE,
            base,
        }
    }

    pub(crate) fn source(&self) -> &'t Source {
        self.source
    }

    #[cold]
    fn fault(&self, cause: Cause) -> Fault {
        let (line, column) = self.source.line_and_column(self.at);
        Box::new(ExecError {
            name: self.source.name.to_text().into_owned(),
            line,
            column,
            template: self.template.name.to_text().into_owned(),
            context: self.source.print(self.at),
            cause,
        })
    }

    #[cold]
    fn error(&self, message: impl Into<String>) -> Fault {
        self.fault(Cause::Message(message.into()))
    }

    /// A limit may be reached anywhere, at a long text or at a block: only its head is told.
    #[cold]
    fn limit(&self, limit: impl Into<String>) -> Fault {
        let at = match self.source.node(self.at) {
            Node::If(branch) | Node::With(branch) | Node::Range(branch) => branch.pipe,
            _ => self.at,
        };
        let here = Frame { at, ..*self };
        let mut fault = here.fault(Cause::Limit(limit.into()));
        let context = &mut fault.context;
        if let Some((end, _)) = context.char_indices().nth(LIMIT_CONTEXT_CHARACTERS) {
            context.truncate(end);
            context.push_str("...");
        }
        fault
    }

    #[cold]
    fn call_error(&self, function: &str, error: CallError) -> Fault {
        self.fault(Cause::Call {
            function: function.into(),
            error,
        })
    }
}

impl Context<'_> {
    /// Executes the template of a frame, whose variables begin where the others end.
    pub(crate) fn run(
        &mut self,
        frame: &mut Frame<'_>,
        dot: &Operand,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        frame.at = frame.template.root;
        self.depth += 1;
        self.variables.push((ROOT, dot.clone()));
        self.walk(frame, dot, frame.template.root, out)?;
        self.variables.truncate(frame.base);
        self.depth -= 1;
        Ok(())
    }

    fn step(&mut self, frame: &Frame<'_>) -> Result<()> {
        match self.steps.checked_sub(1) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => Err(frame.limit(self.steps_text())),
        }
    }

    /// Takes the steps for names and the like that have none of their own.
    fn steps_for(&mut self, frame: &Frame<'_>, count: usize) -> Result<()> {
        self.charge(count as u64)
            .map_err(|error| self.charge_fault(frame, error))
    }

    fn walk(
        &mut self,
        frame: &mut Frame<'_>,
        dot: &Operand,
        id: Id,
        out: &mut Vec<u8>,
    ) -> Result<Flow> {
        let source = frame.source;
        if let Node::List { nodes } = source.node(id) {
            for id in source.ids(nodes) {
                let flow = self.walk_node(frame, dot, *id, out)?;
                if flow != Flow::Go {
                    return Ok(flow);
                }
            }
        }
        Ok(Flow::Go)
    }

    fn walk_node(
        &mut self,
        frame: &mut Frame<'_>,
        dot: &Operand,
        id: Id,
        out: &mut Vec<u8>,
    ) -> Result<Flow> {
        frame.at = id;
        self.step(frame)?;
        let source = frame.source;
        match source.node(id) {
            Node::Text { end } => {
                out.extend_from_slice(source.slice(source.position(id), end));
                self.check_output(frame, out)?;
            }
            Node::Action { pipe } => {
                let value = self.pipeline(frame, dot, pipe)?;
                let declares = matches!(source.node(pipe), Node::Pipe { declared: 1.., .. });
                if !declares {
                    frame.at = id;
                    self.print(frame, &value.value, out)?;
                }
            }
            Node::If(branch) => return self.walk_if(frame, dot, branch, false, out),
            Node::With(branch) => return self.walk_if(frame, dot, branch, true, out),
            Node::Range(branch) => {
                return stack::grow(|| self.walk_range(frame, dot, branch, out));
            }
            Node::Template { name, pipe } => self.walk_template(frame, dot, name, pipe, out)?,
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
            _ => {}
        }
        Ok(Flow::Go)
    }

    fn check_output(&self, frame: &Frame<'_>, out: &[u8]) -> Result<()> {
        if out.len() > self.limits.output_bytes {
            return Err(frame.limit(format!(
                "more than {} bytes of output",
                self.limits.output_bytes
            )));
        }
        Ok(())
    }

    fn print(&mut self, frame: &Frame<'_>, value: &Value, out: &mut Vec<u8>) -> Result<()> {
        match value {
            Value::Nil => out.extend_from_slice(b"<no value>"),
            Value::String(text) => out.extend_from_slice(text.as_bytes()),
            Value::List(_) | Value::Map(_) => {
                self.read_whole(value, Use::Printed);
                self.weigh(value)
                    .and_then(|_| format::display(value, out))
                    .map_err(|error| self.charge_fault(frame, error))?;
            }
            Value::Host(host) if host.kind() == crate::Kind::Func => {
                return Err(frame.error(format!(
                    "can't print {} of type {}",
                    frame.source.print(frame.at),
                    host.type_name()
                )));
            }
            _ => format::display_target(value, out)
                .map_err(|error| self.charge_fault(frame, error))?,
        }
        self.check_output(frame, out)
    }

    /// A limit reached outside of any call.
    #[cold]
    fn charge_fault(&self, frame: &Frame<'_>, error: CallError) -> Fault {
        match error {
            CallError::Limit(limit) => frame.limit(limit),
            other => frame.error(other.to_string()),
        }
    }

    fn walk_if(
        &mut self,
        frame: &mut Frame<'_>,
        dot: &Operand,
        branch: Branch,
        moves_dot: bool,
        out: &mut Vec<u8>,
    ) -> Result<Flow> {
        let mark = self.variables.len();
        let value = self.pipeline(frame, dot, branch.pipe)?;
        self.read_whole(&value.value, Use::Truth);
        let flow = if value.value.truth() {
            let dot = if moves_dot { &value } else { dot };
            stack::grow(|| self.walk(frame, dot, branch.body, out))?
        } else if let Some(otherwise) = branch.otherwise {
            stack::grow(|| self.walk(frame, dot, otherwise, out))?
        } else {
            Flow::Go
        };
        self.variables.truncate(mark);
        Ok(flow)
    }

    fn walk_template(
        &mut self,
        frame: &mut Frame<'_>,
        dot: &Operand,
        name: u32,
        pipe: Option<Id>,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let name = frame.source.string(name);
        let set = std::sync::Arc::clone(&self.set);
        let Some(template) = set.find(name.as_bytes()) else {
            let name = crate::parse::quote(name.as_bytes());
            return Err(frame.error(format!("template {name} not defined")));
        };
        if let Some(limit) = self.template_limit() {
            return Err(frame.limit(limit));
        }
        let dot = match pipe {
            Some(pipe) => self.pipeline(frame, dot, pipe)?,
            None => Operand::NONE,
        };
        let mut inner = Frame::new(template, self.variables.len());
        stack::grow(|| self.run(&mut inner, &dot, out))
    }

    // Variables.

    fn variable(&mut self, frame: &Frame<'_>, variable: Variable) -> Result<Operand> {
        let own = &self.variables[frame.base..];
        let Some(at) = own.iter().rposition(|(name, _)| *name == variable) else {
            return Err(undefined(frame, variable));
        };
        let value = own[at].1.clone();
        let passed = own.len() - at;
        self.steps_for(frame, passed / VARIABLES_PER_STEP)?;
        Ok(value)
    }

    fn set_variable(
        &mut self,
        frame: &Frame<'_>,
        variable: Variable,
        value: Operand,
    ) -> Result<()> {
        let mut own = self.variables[frame.base..].iter_mut().rev();
        match own.find(|(name, _)| *name == variable) {
            Some((_, slot)) => {
                *slot = value;
                Ok(())
            }
            None => Err(undefined(frame, variable)),
        }
    }
}

#[cold]
fn undefined(frame: &Frame<'_>, variable: Variable) -> Fault {
    frame.error(format!(
        "undefined variable: {}",
        frame.source.variable(variable)
    ))
}
