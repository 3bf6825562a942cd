//! Arguments: what they are, and whether they fit.

use super::{Callee, Frame, Operand, Result, builtin};
use crate::function::Known;
use crate::parse::{Called, Id, Node};
use crate::{CallError, Context, ElementType, Kind, MapType, Signature, Type, Use, Value};
use crate::{IntType, UintType, stack};

/// Lists of arguments kept for later calls.
const SPARE_MAX: usize = 16;

impl Context<'_> {
    /// Calls a function. `node` is what an error of it is reported at.
    pub(super) fn call(
        &mut self,
        frame: &mut Frame<'_>,
        dot: &Operand,
        Called { name, callee }: Called,
        node: Id,
        args: &[Id],
        last: Option<Operand>,
    ) -> Result<Operand> {
        let result = match callee {
            Callee::Builtin(builtin) => {
                if builtin.is_logic() {
                    return self.logic(frame, dot, builtin, args, last);
                }
                let mut operands = self.spare_operands.pop().unwrap_or_default();
                let signature = builtin.signature();
                self.arguments(frame, dot, name, signature, args, last, &mut operands)?;
                let callee = || match args.first() {
                    Some(first) => frame.source.print(*first),
                    None => match &operands[0].value {
                        Value::String(text) => text.to_text().into_owned(),
                        other => format!("<{} Value>", other.type_name()),
                    },
                };
                let result = self
                    .charge_work(operands.iter().map(|operand| &operand.value))
                    .and_then(|()| builtin::call(self, builtin, &operands, callee));
                operands.clear();
                if self.spare_operands.len() < SPARE_MAX {
                    self.spare_operands.push(operands);
                }
                result
            }
            Callee::Function(Known {
                function,
                look,
                impure,
            }) => {
                let mut values = self.spare.pop().unwrap_or_default();
                let signature = function.signature();
                self.arguments(frame, dot, name, signature, args, last, &mut values)?;
                if let Some(how) = look
                    && self.recorder.is_some()
                {
                    for value in &values {
                        self.read_whole(value, how);
                    }
                }
                let result = self
                    .charge_work(&values)
                    .and_then(|()| (function.body)(self, &mut values));
                self.keep_spare(values);
                self.note_call(frame, name, node, impure);
                result
                    .and_then(|value| self.charge_result(value))
                    .map(|value| Operand {
                        boxed: matches!(value, Value::Nil),
                        value,
                    })
            }
        };
        result.map_err(|error| {
            frame.at = node;
            frame.call_error(name, error)
        })
    }

    pub(super) fn keep_spare(&mut self, mut values: Vec<Value>) {
        values.clear();
        if self.spare.len() < SPARE_MAX {
            self.spare.push(values);
        }
    }

    /// Takes what a function has made off the budget; what others hold as well was there before.
    pub(super) fn charge_result(&mut self, value: Value) -> Result<Value, CallError> {
        let bytes = value.fresh_bytes();
        if bytes > 0 {
            self.charge_bytes(bytes)?;
        }
        Ok(value)
    }

    /// `and` and `or`: the first argument that decides, or the last one.
    fn logic(
        &mut self,
        frame: &mut Frame<'_>,
        dot: &Operand,
        builtin: builtin::Builtin,
        args: &[Id],
        last: Option<Operand>,
    ) -> Result<Operand> {
        if args.is_empty() && last.is_none() {
            let name = builtin.name();
            return Err(frame.error(format!(
                "wrong number of args for {name}: want at least 1 got 0"
            )));
        }
        self.steps_for(frame, args.len())?;
        let mut value = Operand::NONE;
        for arg in args {
            value = self.arg(frame, dot, Type::Reflect, *arg)?;
            self.read_whole(&value.value, Use::Truth);
            if value.value.truth() == (builtin == builtin::Builtin::Or) {
                return Ok(value);
            }
        }
        Ok(last.unwrap_or(value))
    }

    /// Evaluates and checks all arguments of a call.
    #[expect(clippy::too_many_arguments, reason = "they are what Go's has, too")]
    pub(super) fn arguments<T: From<Operand>>(
        &mut self,
        frame: &mut Frame<'_>,
        dot: &Operand,
        name: &str,
        signature: Signature,
        args: &[Id],
        last: Option<Operand>,
        into: &mut Vec<T>,
    ) -> Result<()> {
        let fixed = signature.params;
        let count = args.len() + usize::from(last.is_some());
        match signature.variadic {
            Some(_) if count < fixed.len() => {
                return Err(frame.error(format!(
                    "wrong number of args for {name}: want at least {} got {}",
                    fixed.len(),
                    args.len()
                )));
            }
            None if count != fixed.len() => {
                return Err(frame.error(format!(
                    "wrong number of args for {name}: want {} got {count}",
                    fixed.len()
                )));
            }
            _ => {}
        }
        self.steps_for(frame, args.len())?;
        let param = |at: usize| {
            let param = fixed.get(at).copied().or(signature.variadic);
            param.unwrap_or(Type::Any)
        };
        for (at, arg) in args.iter().enumerate() {
            let value = self.arg(frame, dot, param(at), *arg)?;
            into.push(value.into());
        }
        if let Some(last) = last {
            into.push(fit(frame, last, param(args.len()))?.into());
        }
        Ok(())
    }

    /// Evaluates an argument for a parameter of a type.
    fn arg(&mut self, frame: &mut Frame<'_>, dot: &Operand, of: Type, id: Id) -> Result<Operand> {
        frame.at = id;
        let source = frame.source;
        let value = match source.node(id) {
            Node::Dot => dot.clone(),
            Node::Nil if of.has_nil() => return Ok(Operand::NONE),
            Node::Nil => {
                return Err(frame.error(format!("cannot assign nil to {}", of.name())));
            }
            Node::Field { names } => {
                self.fields(frame, dot, dot, source.names(names), id, &[], None)?
            }
            Node::Variable { .. } => self.variable_word(frame, dot, id, &[], None)?,
            Node::Pipe { .. } => stack::grow(|| self.pipeline(frame, dot, id))?,
            Node::Function(function) => {
                self.call(frame, dot, source.function(function), id, &[], None)?
            }
            Node::Chain { .. } => self.chain(frame, dot, id, &[], None)?,
            _ => return self.constant_for(frame, of, id),
        };
        fit(frame, value, of)
    }

    /// A constant for a parameter of a type.
    fn constant_for(&mut self, frame: &mut Frame<'_>, of: Type, id: Id) -> Result<Operand> {
        let node = frame.source.node(id);
        let number = match node {
            Node::Number { number, .. } => Some(frame.source.number(number)),
            _ => None,
        };
        let (found, expected) = match of {
            Type::Any | Type::Reflect => return self.constant(frame, id),
            Type::Bool => {
                let found = match node {
                    Node::Bool(value) => Some(Value::Bool(value)),
                    _ => None,
                };
                (found, "bool")
            }
            Type::String => {
                let found = match node {
                    Node::String { text, .. } => {
                        Some(Value::String(frame.source.string(text).clone()))
                    }
                    _ => None,
                };
                (found, "string")
            }
            // A length of time is an integer with a name.
            Type::Int | Type::Int64 | Type::Named("time.Duration") => {
                let of = if of == Type::Int {
                    IntType::Int
                } else {
                    IntType::Int64
                };
                let int = number.and_then(|number| number.int);
                (int.map(|int| Value::Int(int, of)), "integer")
            }
            Type::Uint32 => {
                let int = number.and_then(|number| number.uint);
                let int = int.and_then(|int| u32::try_from(int).ok());
                let value = int.map(|int| Value::Uint(int.into(), UintType::Uint32));
                (value, "unsigned integer")
            }
            Type::Float64 => {
                let float = number.and_then(|number| number.float);
                (float.map(Value::Float), "float")
            }
            Type::List | Type::Strings | Type::Map | Type::Named(_) => {
                return Err(frame.error(format!(
                    "can't handle {} for arg of type {}",
                    frame.source.print(id),
                    of.name()
                )));
            }
        };
        match found {
            Some(value) => Ok(Operand::of(value)),
            None => {
                let shown = frame.source.print(id);
                Err(frame.error(format!("expected {expected}; found {shown}")))
            }
        }
    }
}

/// Checks that a value can be given to a parameter of a type.
fn fit(frame: &Frame<'_>, value: Operand, of: Type) -> Result<Operand> {
    if of == Type::Any
        && let Value::Host(host) = &value.value
        && let Some(copy) = host.copied()
    {
        return Ok(Operand::of(copy));
    }
    if matches!(of, Type::Any | Type::Reflect) {
        return Ok(value);
    }
    if value.is_none() {
        if of.has_nil() {
            return Ok(value);
        }
        return Err(frame.error(format!("invalid value; expected {}", of.name())));
    }
    let fits = match (&value.value, of) {
        (Value::Bool(_), Type::Bool)
        | (Value::Int(_, IntType::Int), Type::Int)
        | (Value::Int(_, IntType::Int64), Type::Int64)
        | (Value::Uint(_, UintType::Uint32), Type::Uint32)
        | (Value::Float(_), Type::Float64)
        | (Value::String(_), Type::String) => true,
        (Value::List(list), Type::List) => list.of() == ElementType::Any,
        (Value::List(list), Type::Strings) => list.of() == ElementType::String,
        (Value::Map(map), Type::Map) => match map.of() {
            MapType::Any => true,
            MapType::String | MapType::Bytes => false,
            // The function gets the map without its methods.
            MapType::Named(_) => {
                let map = map.as_type(MapType::Any);
                return Ok(Operand::of(Value::Map(map)));
            }
        },
        (Value::Map(map), Type::Named(name)) => {
            matches!(map.of(), MapType::Named(methods) if methods.type_name() == name)
        }
        (Value::Host(host), Type::Named(name)) => {
            let own = host.type_name();
            own == name || host.kind() == Kind::Pointer && own.strip_prefix('*') == Some(name)
        }
        // A named type is as good as the one it is made of, unless that has a name as well.
        (Value::Host(host), Type::List | Type::Strings | Type::Map) => {
            return match host.contents() {
                Some(contents @ (Value::List(_) | Value::Map(_))) => {
                    fit(frame, Operand::of(contents), of)
                        .map_err(|_| wrong_type(frame, of, host.type_name()))
                }
                _ => Err(wrong_type(frame, of, host.type_name())),
            };
        }
        _ => false,
    };
    if fits {
        return Ok(value);
    }
    let got = if value.is_boxed_nil() {
        "interface {}"
    } else {
        value.value.type_name()
    };
    Err(wrong_type(frame, of, got))
}

#[cold]
fn wrong_type(frame: &Frame<'_>, of: Type, got: &str) -> super::Fault {
    let expected = of.name();
    frame.error(format!(
        "wrong type for value; expected {expected}; got {got}"
    ))
}
