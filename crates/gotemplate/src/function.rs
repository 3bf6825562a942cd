//! Functions that templates call, and what they may ask for.

use std::any::Any;
use std::collections::HashMap;

use golang::Timestamp;

use crate::Value;

/// The Go type of a parameter: what an argument is checked against before the call.
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

/// Functions by name. Made once, shared by everything that is compiled with it.
#[derive(Clone, Debug, Default)]
pub struct Functions(HashMap<&'static str, Function>);

impl Functions {
    /// Adds or replaces a function.
    pub fn insert(&mut self, name: &'static str, function: Function) {
        self.0.insert(name, function);
    }

    /// Takes a function away.
    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// A function.
    pub fn get(&self, name: &str) -> Option<Function> {
        self.0.get(name).copied()
    }

    /// All names, in no order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }
}

/// All that functions may learn from outside the values they are given.
pub trait World {
    /// The time.
    fn now(&self) -> Timestamp;

    /// Fills `bytes` with what nobody can guess, or with what a seed gives.
    fn random(&self, bytes: &mut [u8]);

    /// Notes that the result of `function` does not depend on its arguments alone.
    fn impure(&self, _function: &'static str) {}
}

/// What a function has besides its arguments.
pub struct Context<'a> {
    /// The clock and the dice.
    pub world: &'a dyn World,
    /// What the program that executes the templates keeps for its own functions.
    pub host: &'a mut dyn Any,
}

/// Why a function gave no result.
#[derive(Debug)]
pub enum CallError {
    /// The function's error: the template fails with `error calling NAME: ` and this text. A panic of
    /// Go's function reads the same.
    Failed(String),
    /// A limit was reached.
    Limit(String),
}

impl From<String> for CallError {
    fn from(text: String) -> Self {
        Self::Failed(text)
    }
}

impl From<&str> for CallError {
    fn from(text: &str) -> Self {
        Self::Failed(text.into())
    }
}
