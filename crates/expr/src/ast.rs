//! The syntax tree of an expression, with macros kept as what they mean.
//!
//! Comprehensions stay comprehensions: expanding `list.map(x, f)` into a fold over an accumulator,
//! as the CEL specification describes it, copies the accumulator in every step.

use object::Text;

use crate::functions::Function;
use crate::{Extension, Value};

/// One expression and the byte it starts at, or that its operator or name stands at.
pub(crate) struct Expr {
    pub kind: Kind,
    pub at: u32,
    /// Nesting below this expression, itself included.
    pub depth: u16,
}

pub(crate) enum Kind {
    Literal(Value),
    /// A variable, or a dotted name before it is resolved.
    Ident(Text),
    Select(Box<Select>),
    /// `has(operand.field)`.
    Has(Box<Select>),
    Index(Box<Index>),
    List(Vec<Element>),
    Map(Vec<Entry>),
    /// `Type{field: value}`.
    Struct(Text, Vec<(Text, Expr)>),
    /// Two or more operands; cheaper and flatter than a tree of pairs.
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    Conditional(Box<[Expr; 3]>),
    /// A function or operator with its arguments, the receiver first.
    Call(Call),
    Comprehension(Box<Comprehension>),
    /// `cel.bind(name, init, body)`; also `x.optMap(name, body)` and `x.optFlatMap(name, body)`.
    Bind(Box<Bind>),
}

pub(crate) struct Select {
    pub operand: Expr,
    pub field: Text,
    /// `a.?b`
    pub optional: bool,
}

pub(crate) struct Index {
    pub operand: Expr,
    pub index: Expr,
    /// `a[?b]`
    pub optional: bool,
}

pub(crate) struct Element {
    pub value: Expr,
    pub optional: bool,
}

pub(crate) struct Entry {
    pub key: Expr,
    pub value: Expr,
    pub optional: bool,
}

pub(crate) struct Call {
    pub target: Target,
    /// The receiver is the first argument of a member call.
    pub member: bool,
    pub arguments: Vec<Expr>,
}

/// What a call calls.
pub(crate) enum Target {
    /// Parsed, and not looked up yet.
    Named(Text),
    Builtin(&'static Function),
    Extension(Text, std::sync::Arc<dyn Extension>),
}

impl Target {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Named(name) | Self::Extension(name, _) => name,
            Self::Builtin(function) => function.name,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fold {
    All,
    Exists,
    ExistsOne,
    /// `map`, also with a filter, and `transformList`.
    List,
    Filter,
    /// `transformMap`.
    Map,
    /// `transformMapEntry`.
    Entries,
    SortBy,
}

pub(crate) struct Comprehension {
    pub fold: Fold,
    pub range: Expr,
    /// The element of a list or key of a map; with `second`, index or key.
    pub first: Text,
    /// The value, of comprehensions over two variables.
    pub second: Option<Text>,
    pub filter: Option<Expr>,
    pub body: Expr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binding {
    Plain,
    OptMap,
    OptFlatMap,
}

pub(crate) struct Bind {
    pub binding: Binding,
    pub name: Text,
    pub init: Expr,
    pub body: Expr,
}

impl Expr {
    /// The dotted name this spells, if it is nothing but names.
    pub(crate) fn dotted(&self) -> Option<String> {
        match &self.kind {
            Kind::Ident(name) => Some(name.to_string()),
            Kind::Select(select) if !select.optional => {
                Some(format!("{}.{}", select.operand.dotted()?, select.field))
            }
            _ => None,
        }
    }

    /// The first name of [`Self::dotted`].
    pub(crate) fn root(&self) -> Option<&Text> {
        match &self.kind {
            Kind::Ident(name) => Some(name),
            Kind::Select(select) if !select.optional => select.operand.root(),
            _ => None,
        }
    }
}
