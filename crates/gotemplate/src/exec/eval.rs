//! Pipelines, commands and their words.

use super::{Fault, Frame, Operand, Result};
use crate::parse::{Id, Node, Number};
use crate::value::Complex;
use crate::{Context, Value, stack};

impl Context<'_> {
    /// What a pipeline gives. The variables it declares stay until the caller takes them away.
    pub(super) fn pipeline(
        &mut self,
        frame: &mut Frame<'_>,
        dot: &Operand,
        id: Id,
    ) -> Result<Operand> {
        frame.at = id;
        let source = frame.source;
        let Node::Pipe {
            assigns,
            declared,
            nodes,
        } = source.node(id)
        else {
            return Ok(Operand::NONE);
        };
        let (declared, commands) = source.pipe(declared, nodes);
        let mut last = None;
        for command in commands {
            let mut value = self.command(frame, dot, *command, last)?;
            value.boxed = false;
            last = Some(value);
        }
        let value = last.unwrap_or(Operand::NONE);
        for id in declared {
            let Node::Variable { variable, .. } = source.node(*id) else {
                continue;
            };
            if assigns {
                self.set_variable(frame, variable, value.clone())?;
            } else {
                self.variables.push((variable, value.clone()));
            }
        }
        Ok(value)
    }

    fn command(
        &mut self,
        frame: &mut Frame<'_>,
        dot: &Operand,
        id: Id,
        last: Option<Operand>,
    ) -> Result<Operand> {
        self.step(frame)?;
        let source = frame.source;
        let (first, args): (Id, &[Id]) = match source.node(id) {
            Node::Command { words } => match source.ids(words) {
                [first, args @ ..] => (*first, args),
                [] => return Ok(Operand::NONE),
            },
            _ => (id, &[]),
        };
        match source.node(first) {
            Node::Field { names } => {
                frame.at = first;
                return self.fields(frame, dot, dot, source.names(names), first, args, last);
            }
            Node::Chain { .. } => return self.chain(frame, dot, first, args, last),
            Node::Function(function) => {
                frame.at = first;
                return self.call(frame, dot, source.function(function), id, args, last);
            }
            Node::Pipe { .. } => {
                not_a_function(frame, first, args, last.as_ref())?;
                return stack::grow(|| self.pipeline(frame, dot, first));
            }
            Node::Variable { .. } => return self.variable_word(frame, dot, first, args, last),
            _ => {}
        }
        frame.at = first;
        not_a_function(frame, first, args, last.as_ref())?;
        match source.node(first) {
            Node::Dot => Ok(dot.clone()),
            Node::Nil => Err(frame.error("nil is not a command")),
            _ => self.constant(frame, first),
        }
    }

    /// A constant where nothing asks for a type.
    pub(super) fn constant(&mut self, frame: &mut Frame<'_>, id: Id) -> Result<Operand> {
        frame.at = id;
        let value = match frame.source.node(id) {
            Node::Bool(value) => Value::Bool(value),
            Node::String { text, .. } => Value::String(frame.source.string(text).clone()),
            Node::Number { number, .. } => ideal(frame, frame.source.number(number), id)?,
            _ => {
                let text = frame.source.print(id);
                return Err(frame.error(format!("can't evaluate command {text:?}")));
            }
        };
        Ok(Operand::of(value))
    }

    pub(super) fn chain(
        &mut self,
        frame: &mut Frame<'_>,
        dot: &Operand,
        id: Id,
        args: &[Id],
        last: Option<Operand>,
    ) -> Result<Operand> {
        frame.at = id;
        let source = frame.source;
        let Node::Chain { of, names } = source.node(id) else {
            return Ok(Operand::NONE);
        };
        frame.at = of;
        let receiver = match source.node(of) {
            Node::Function(function) => {
                self.call(frame, dot, source.function(function), of, &[], None)?
            }
            _ => stack::grow(|| self.pipeline(frame, dot, of))?,
        };
        self.fields(frame, dot, &receiver, source.names(names), id, args, last)
    }

    pub(super) fn variable_word(
        &mut self,
        frame: &mut Frame<'_>,
        dot: &Operand,
        id: Id,
        args: &[Id],
        last: Option<Operand>,
    ) -> Result<Operand> {
        frame.at = id;
        let source = frame.source;
        let Node::Variable { variable, names } = source.node(id) else {
            return Ok(Operand::NONE);
        };
        let value = self.variable(frame, variable)?;
        if names.is_empty() {
            not_a_function(frame, id, args, last.as_ref())?;
            return Ok(value);
        }
        self.fields(frame, dot, &value, source.names(names), id, args, last)
    }
}

fn not_a_function(frame: &Frame<'_>, word: Id, args: &[Id], last: Option<&Operand>) -> Result<()> {
    if args.is_empty() && last.is_none() {
        return Ok(());
    }
    let word = frame.source.print(word);
    Err(frame.error(format!("can't give argument to non-function {word}")))
}

fn ideal(frame: &Frame<'_>, number: &Number, id: Id) -> Result<Value, Fault> {
    if let Some((real, imaginary)) = number.complex {
        return Ok(Value::Host(std::rc::Rc::new(Complex { real, imaginary })));
    }
    match number {
        Number {
            reads_as_float: true,
            float: Some(float),
            ..
        } => Ok(Value::Float(*float)),
        Number { int: Some(int), .. } => Ok(Value::int(*int)),
        _ => Err(frame.error(format!("{} overflows int", frame.source.print(id)))),
    }
}
