//! Functions that templates call, and what they may ask for.

use std::collections::HashMap;

use golang::Timestamp;

use crate::{CallError, Context, Use, Value};

/// The Go type of a parameter: what an argument is checked against before the call.
///
/// Go's nil is an argument of the types that have one: [`Type::Any`], [`Type::Reflect`],
/// [`Type::List`], [`Type::Strings`], [`Type::Map`] and named pointers. The function sees
/// [`Value::Nil`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `interface {}`: anything, nil too.
    Any,
    /// `reflect.Value`: anything, told apart from nil by the function.
    Reflect,
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `int64`
    Int64,
    /// `uint32`
    Uint32,
    /// `float64`
    Float64,
    /// `string`
    String,
    /// `[]interface {}`
    List,
    /// `[]string`
    Strings,
    /// `map[string]interface {}`; named map types are assignable.
    Map,
    /// A type with methods of its own, by the name that `%T` prints.
    Named(&'static str),
}

impl Type {
    /// Go's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Any => "interface {}",
            Self::Reflect => "reflect.Value",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Int64 => "int64",
            Self::Uint32 => "uint32",
            Self::Float64 => "float64",
            Self::String => "string",
            Self::List => "[]interface {}",
            Self::Strings => "[]string",
            Self::Map => "map[string]interface {}",
            Self::Named(name) => name,
        }
    }

    /// Whether nil is one of its values.
    pub(crate) fn has_nil(self) -> bool {
        match self {
            Self::Any | Self::Reflect | Self::List | Self::Strings | Self::Map => true,
            Self::Bool | Self::Int | Self::Int64 | Self::Uint32 | Self::Float64 | Self::String => {
                false
            }
            Self::Named(name) => name.starts_with('*'),
        }
    }
}

/// The parameters of a function or method.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    /// Types of the parameters before the variadic one.
    pub params: &'static [Type],
    /// Type of the elements of a last, variadic parameter.
    pub variadic: Option<Type>,
}

/// What a type says about a method before it is called.
#[derive(Clone, Copy, Debug)]
pub enum Method {
    /// Calling it shows whether it is there; arguments are passed as they are.
    Unknown,
    /// There is none.
    Absent,
    /// It takes these.
    Takes(Signature),
}

/// The body of a function. The arguments have passed the check; the body may take them.
pub type Body = fn(&mut Context<'_>, &mut [Value]) -> Result<Value, CallError>;

/// A function with its Go signature.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// Types of the parameters before the variadic one.
    pub params: &'static [Type],
    /// Type of the elements of a last, variadic parameter.
    pub variadic: Option<Type>,
    /// What it does.
    pub body: Body,
}

impl Function {
    pub(crate) fn signature(&self) -> Signature {
        Signature {
            params: self.params,
            variadic: self.variadic,
        }
    }
}

/// Functions by name. Made once, shared by everything that is compiled with it.
#[derive(Clone, Debug, Default)]
pub struct Functions(HashMap<&'static str, Known>);

/// A function, and what is said of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    pub function: Function,
    /// What it looks at of the lists and maps among its arguments; `None` when it only passes them on,
    /// or tells a [`Recorder`](crate::Recorder) itself.
    pub look: Option<Use>,
    /// Its result does not depend on its arguments alone.
    pub impure: bool,
}

impl Functions {
    /// Adds or replaces a function.
    pub fn insert(&mut self, name: &'static str, function: Function) {
        let known = Known {
            function,
            look: Some(Use::Passed),
            impure: false,
        };
        self.0.insert(name, known);
    }

    /// Takes a function away.
    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// A function.
    pub fn get(&self, name: &str) -> Option<Function> {
        self.0.get(name).map(|known| known.function)
    }

    /// All names, in no order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }

    /// Declares what functions look at of the lists and maps among their arguments: at everything
    /// unless this says less. `None` is for those that pass them on without looking inside, or tell a
    /// [`Recorder`](crate::Recorder) themselves.
    pub fn looks(&mut self, how: Option<Use>, names: &[&'static str]) {
        for name in names {
            if let Some(known) = self.0.get_mut(name) {
                known.look = how;
            }
        }
    }

    /// Declares that the results of functions never depend on their arguments alone, but on the
    /// clock, on chance, on a cluster. Each call of them is one of
    /// [`Context::impure_calls`](crate::Context::impure_calls).
    pub fn impure(&mut self, names: &[&'static str]) {
        for name in names {
            if let Some(known) = self.0.get_mut(name) {
                known.impure = true;
            }
        }
    }

    /// Whether that was declared of a function.
    pub fn is_impure(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|known| known.impure)
    }

    pub(crate) fn known(&self, name: &str) -> Option<(&'static str, Known)> {
        let (name, known) = self.0.get_key_value(name)?;
        Some((name, *known))
    }
}

/// All that functions may learn from outside the values they are given.
pub trait World {
    /// The time.
    fn now(&self) -> Timestamp;

    /// Fills `bytes` with what nobody can guess, or with what a seed gives.
    fn random(&self, bytes: &mut [u8]);
}
