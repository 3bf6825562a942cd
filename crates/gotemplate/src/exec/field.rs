//! Fields, keys and methods.

use super::{Frame, Operand, Result};
use crate::parse::{Id, Name};
use crate::{
    CallError, Context, Kind, Map, MapType, Method, MissingKey, Signature, Type, Use, Value,
};

/// What a method of an unknown signature takes.
const ANYTHING: Signature = Signature {
    params: &[],
    variadic: Some(Type::Any),
};

/// Something with methods.
enum Receiver<'v> {
    Map(&'v Map, &'static dyn crate::MapMethods),
    Host(&'v std::rc::Rc<dyn crate::Host>),
}

impl Receiver<'_> {
    fn method(&self, name: &str) -> Method {
        match self {
            Self::Map(_, methods) => methods.method(name),
            Self::Host(host) => host.method(name),
        }
    }

    fn has_field(&self, name: &str) -> bool {
        match self {
            Self::Map(map, _) => map.contains(name.as_bytes()),
            Self::Host(host) => host.field(name).is_some(),
        }
    }

    fn call(
        &self,
        name: &str,
        args: &[Value],
        context: &mut Context<'_>,
    ) -> Option<Result<Value, CallError>> {
        match self {
            Self::Map(map, methods) => methods.call(map, name, args, context),
            Self::Host(host) => host.call(name, args, context),
        }
    }
}

impl Context<'_> {
    /// Follows `.a.b.c` from a value; the last of them may be a method that takes arguments.
    #[expect(clippy::too_many_arguments, reason = "they are what Go's has, too")]
    pub(super) fn fields(
        &mut self,
        frame: &mut Frame<'_>,
        dot: &Operand,
        receiver: &Operand,
        names: &[Name],
        node: Id,
        args: &[Id],
        last: Option<Operand>,
    ) -> Result<Operand> {
        let [names @ .., name] = names else {
            return Ok(receiver.clone());
        };
        let Some((first, names)) = names.split_first() else {
            return self.field(frame, dot, receiver, *name, node, args, last);
        };
        self.steps_for(frame, names.len())?;
        let mut value = self.field(frame, dot, receiver, *first, node, &[], None)?;
        for name in names {
            value = self.field(frame, dot, &value, *name, node, &[], None)?;
        }
        self.field(frame, dot, &value, *name, node, args, last)
    }

    #[expect(clippy::too_many_arguments, reason = "they are what Go's has, too")]
    fn field(
        &mut self,
        frame: &mut Frame<'_>,
        dot: &Operand,
        receiver: &Operand,
        name: Name,
        node: Id,
        args: &[Id],
        last: Option<Operand>,
    ) -> Result<Operand> {
        let key = frame.source.name(name);
        // A name can be a method's if it begins with an upper-case letter.
        let is_exported = key.starts_with(char::is_uppercase);
        let has_args = !args.is_empty() || last.is_some();
        let value = &receiver.value;
        match value {
            Value::Map(map) => {
                if let MapType::Named(methods) = map.of()
                    && is_exported
                {
                    let receiver = Receiver::Map(map, methods);
                    let called = self.method(frame, dot, &receiver, key, node, args, &last)?;
                    if let Some(result) = called {
                        self.read_whole(value, Use::Passed);
                        return Ok(result);
                    }
                }
                if has_args {
                    return Err(frame.error(format!("{key} is not a method but has arguments")));
                }
                if let Some(recorder) = self.recorder {
                    recorder.key(map, key.as_bytes());
                }
                match map.get(key.as_bytes()) {
                    Some(value) => Ok(Operand {
                        value,
                        boxed: map.has_boxed_elements(),
                    }),
                    None => self.missing(frame, map, key),
                }
            }
            Value::Host(host) => {
                if is_exported {
                    let receiver = Receiver::Host(host);
                    let called = self.method(frame, dot, &receiver, key, node, args, &last)?;
                    if let Some(result) = called {
                        self.read_whole(value, Use::Passed);
                        return Ok(result);
                    }
                }
                let is_map = host.kind() == Kind::Map;
                if has_args && is_map {
                    return Err(frame.error(format!("{key} is not a method but has arguments")));
                }
                match host.field(key) {
                    Some(_) if has_args => Err(frame.error(format!(
                        "{key} has arguments but cannot be invoked as function"
                    ))),
                    Some(value) => Ok(Operand::of(value)),
                    None if is_map => self.missing_any(frame, key, Operand::NONE),
                    None => Err(no_field(frame, receiver, key)),
                }
            }
            Value::Nil if receiver.boxed => {
                Err(frame.error(format!("nil pointer evaluating interface {{}}.{key}")))
            }
            Value::Nil if self.set.missing_key() == MissingKey::Error => {
                Err(frame.error(format!("nil data; no entry for key {key:?}")))
            }
            Value::Nil => Ok(Operand::NONE),
            _ => Err(no_field(frame, receiver, key)),
        }
    }

    fn missing(&self, frame: &Frame<'_>, map: &Map, key: &str) -> Result<Operand> {
        self.missing_any(frame, key, map.zero_element())
    }

    fn missing_any(&self, frame: &Frame<'_>, key: &str, zero: Operand) -> Result<Operand> {
        match self.set.missing_key() {
            MissingKey::Default => Ok(Operand::NONE),
            MissingKey::Zero => Ok(zero),
            MissingKey::Error => {
                let key = crate::parse::quote(key.as_bytes());
                Err(frame.error(format!("map has no entry for key {key}")))
            }
        }
    }

    /// Calls a method; none if there is none of this name.
    #[expect(clippy::too_many_arguments, reason = "they are what Go's has, too")]
    fn method(
        &mut self,
        frame: &mut Frame<'_>,
        dot: &Operand,
        receiver: &Receiver<'_>,
        name: &str,
        node: Id,
        args: &[Id],
        last: &Option<Operand>,
    ) -> Result<Option<Operand>> {
        let has_args = !args.is_empty() || last.is_some();
        let signature = match receiver.method(name) {
            Method::Absent => return Ok(None),
            Method::Takes(signature) => signature,
            Method::Unknown if !has_args => {
                return match receiver.call(name, &[], self) {
                    None => Ok(None),
                    Some(result) => self.method_result(frame, name, node, result).map(Some),
                };
            }
            Method::Unknown if receiver.has_field(name) => return Ok(None),
            Method::Unknown => ANYTHING,
        };
        let mut values = self.spare.pop().unwrap_or_default();
        self.arguments(frame, dot, name, signature, args, last.clone(), &mut values)?;
        for value in &values {
            self.read_whole(value, Use::Passed);
        }
        let result = receiver.call(name, &values, self);
        self.keep_spare(values);
        match result {
            None => Ok(None),
            Some(result) => self.method_result(frame, name, node, result).map(Some),
        }
    }

    fn method_result(
        &mut self,
        frame: &mut Frame<'_>,
        name: &str,
        node: Id,
        result: Result<Value, CallError>,
    ) -> Result<Operand> {
        match result.and_then(|value| self.charge_result(value)) {
            Ok(value) => Ok(Operand {
                boxed: matches!(value, Value::Nil),
                value,
            }),
            Err(error) => {
                frame.at = node;
                Err(frame.call_error(name, error))
            }
        }
    }
}

#[cold]
fn no_field(frame: &Frame<'_>, receiver: &Operand, key: &str) -> super::Fault {
    let of = receiver.type_name();
    frame.error(format!("can't evaluate field {key} in type {of}"))
}
