//! `range`.

use super::{ENTRIES_PER_STEP, Flow, Frame, Operand, Result};
use crate::parse::{Branch, Id, Node, Variable};
use crate::{Context, Kind, Use, Value, format};

/// Steps of a turn without its body.
const STEPS_PER_TURN: usize = 2;

/// The variables of a `range`.
struct Loop<'t> {
    assigns: bool,
    declared: &'t [Id],
    body: Id,
    /// Where the variables of the body begin.
    mark: usize,
}

impl Context<'_> {
    pub(super) fn walk_range(
        &mut self,
        frame: &mut Frame<'_>,
        dot: &Operand,
        branch: Branch,
        out: &mut Vec<u8>,
    ) -> Result<Flow> {
        let before = self.variables.len();
        let value = self.pipeline(frame, dot, branch.pipe)?.value;
        let Node::Pipe {
            assigns,
            declared,
            nodes,
        } = frame.source.node(branch.pipe)
        else {
            return Ok(Flow::Go);
        };
        let turns = Loop {
            assigns,
            declared: frame.source.pipe(declared, nodes).0,
            body: branch.body,
            mark: self.variables.len(),
        };
        self.read_whole(&value, Use::Elements);
        let ran = self.turns(frame, &turns, &value, out)?;
        if !ran && let Some(otherwise) = branch.otherwise {
            let flow = self.walk(frame, dot, otherwise, out)?;
            self.variables.truncate(before);
            // Go takes a `break` in an `else` for one of this range, and passes a `continue` on.
            return Ok(if flow == Flow::Continue {
                Flow::Continue
            } else {
                Flow::Go
            });
        }
        self.variables.truncate(before);
        Ok(Flow::Go)
    }

    /// Goes over a value; whether there was anything.
    fn turns(
        &mut self,
        frame: &mut Frame<'_>,
        turns: &Loop<'_>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<bool> {
        let two = turns.declared.len() > 1;
        match value {
            Value::Nil => Ok(false),
            _ if two && matches!(value.kind(), Kind::Int(_) | Kind::Uint(_)) => {
                let shown = show(value);
                Err(frame.error(format!(
                    "can't use {shown} to iterate over more than one variable"
                )))
            }
            Value::Int(count, of) => {
                for number in 0..*count {
                    let element = Operand::of(Value::Int(number, *of));
                    if self.turn(frame, turns, Operand::NONE, element, out)? {
                        break;
                    }
                }
                Ok(*count > 0)
            }
            Value::Uint(count, of) => {
                for number in 0..*count {
                    let element = Operand::of(Value::Uint(number, *of));
                    if self.turn(frame, turns, Operand::NONE, element, out)? {
                        break;
                    }
                }
                Ok(*count > 0)
            }
            Value::List(list) => {
                let boxed = list.has_boxed_elements();
                for (index, value) in list.items().iter().enumerate() {
                    let index = Operand::of(Value::int(index as i64));
                    let value = value.clone();
                    if self.turn(frame, turns, index, Operand { value, boxed }, out)? {
                        break;
                    }
                }
                Ok(!list.items().is_empty())
            }
            Value::Bytes(bytes) => {
                for (index, byte) in bytes.iter().enumerate() {
                    let index = Operand::of(Value::int(index as i64));
                    let element = Value::Uint(u64::from(*byte), crate::UintType::Uint8);
                    if self.turn(frame, turns, index, Operand::of(element), out)? {
                        break;
                    }
                }
                Ok(!bytes.is_empty())
            }
            Value::Map(map) => {
                let boxed = map.has_boxed_elements();
                self.steps_for(frame, map.len() / ENTRIES_PER_STEP)?;
                // The body may change the map: entries are those of the beginning.
                let entries: Vec<_> = map
                    .entries()
                    .iter()
                    .map(|(key, value)| (key.clone(), value.clone()))
                    .collect();
                let any = !entries.is_empty();
                for (key, value) in entries {
                    let key = Operand::of(Value::String(key));
                    if self.turn(frame, turns, key, Operand { value, boxed }, out)? {
                        break;
                    }
                }
                Ok(any)
            }
            Value::Host(host) => match host.contents() {
                Some(
                    contents @ (Value::List(_) | Value::Map(_) | Value::Int(..) | Value::Uint(..)),
                ) => self.turns(frame, turns, &contents, out),
                _ => Err(no_range(frame, value)),
            },
            Value::Bool(_) | Value::Float(_) | Value::String(_) => Err(no_range(frame, value)),
        }
    }

    /// One turn; whether it was the last.
    fn turn(
        &mut self,
        frame: &mut Frame<'_>,
        turns: &Loop<'_>,
        index: Operand,
        element: Operand,
        out: &mut Vec<u8>,
    ) -> Result<bool> {
        self.steps_for(frame, STEPS_PER_TURN)?;
        match turns.declared {
            [] => {}
            [one] => self.turn_variable(frame, turns, *one, 1, element.clone())?,
            [first, second, ..] => {
                self.turn_variable(frame, turns, *first, 2, index)?;
                self.turn_variable(frame, turns, *second, 1, element.clone())?;
            }
        }
        let flow = self.walk(frame, &element, turns.body, out)?;
        self.variables.truncate(turns.mark);
        Ok(flow == Flow::Break)
    }

    /// Gives a variable of the loop its value; `from_top` says where a declared one is.
    fn turn_variable(
        &mut self,
        frame: &Frame<'_>,
        turns: &Loop<'_>,
        id: Id,
        from_top: usize,
        value: Operand,
    ) -> Result<()> {
        if turns.assigns {
            let Node::Variable { variable, .. } = frame.source.node(id) else {
                return Ok(());
            };
            let variable: Variable = variable;
            return self.set_variable(frame, variable, value);
        }
        let at = self.variables.len() - from_top;
        self.variables[at].1 = value;
        Ok(())
    }
}

#[cold]
fn no_range(frame: &Frame<'_>, value: &Value) -> super::Fault {
    let shown = show(value);
    frame.error(format!("range can't iterate over {shown}"))
}

fn show(value: &Value) -> String {
    let mut shown = Vec::new();
    let copied = match value {
        Value::Host(host) => host.copied(),
        _ => None,
    };
    if format::display(copied.as_ref().unwrap_or(value), &mut shown).is_err() {
        return value.type_name().to_owned();
    }
    String::from_utf8_lossy(&shown).into_owned()
}
