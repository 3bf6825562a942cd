//! A value in the hands of the interpreter: Go's `reflect.Value`.

use crate::Value;

/// A value, and whether it stands where Go has an `interface {}`.
///
/// Elements of `map[string]interface {}` and `[]interface {}` do; results of pipelines do not. Users
/// see it in errors, and in nil: an interface that holds nil is a value, nil alone is none.
#[derive(Clone, Debug)]
pub(crate) struct Operand {
    pub(crate) value: Value,
    pub(crate) boxed: bool,
}

impl Operand {
    /// No value at all.
    pub(crate) const NONE: Self = Self {
        value: Value::Nil,
        boxed: false,
    };

    /// A value of its own type.
    pub(crate) fn of(value: Value) -> Self {
        Self {
            value,
            boxed: false,
        }
    }

    /// A value in an interface.
    pub(crate) fn boxed(value: Value) -> Self {
        Self { value, boxed: true }
    }

    /// Whether there is no value.
    pub(crate) fn is_none(&self) -> bool {
        !self.boxed && matches!(self.value, Value::Nil)
    }

    /// Whether it is an interface that holds nil.
    pub(crate) fn is_boxed_nil(&self) -> bool {
        self.boxed && matches!(self.value, Value::Nil)
    }

    /// The type where it stands.
    pub(crate) fn type_name(&self) -> &'static str {
        if self.boxed {
            "interface {}"
        } else {
            self.value.type_name()
        }
    }
}

impl From<Operand> for Value {
    fn from(operand: Operand) -> Self {
        operand.value
    }
}
