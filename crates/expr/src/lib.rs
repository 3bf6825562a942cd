//! CEL over [`object::Node`]: parse, check and evaluate within a cost budget.
//!
//! A [`Program`] is compiled once and evaluated many times, from any thread. Values read nodes in
//! place: binding a whole object copies a pointer.
//!
//! ```
//! use expr::{Bindings, Budget, Options, Program};
//! let ready = Program::compile("status.replicas >= spec.replicas", &Options::dynamic())?;
//! let object = object::json::parse(br#"{"spec": {"replicas": 2}, "status": {"replicas": 2}}"#, object::json::OBJECT_LIMITS)?;
//! let value = ready.evaluate(&Bindings::of_root(&object), Budget::CALL)?;
//! assert_eq!(value, expr::Value::Bool(true));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Invariants
//!
//! - **Bounded.** Text, syntax nodes and nesting are limited when compiling; every evaluation has
//!   a [`Budget`] of cost units that also bounds the memory it can take.
//! - **No clock, network, files, environment or randomness.** Regular expressions are linear.
//! - **No input panics.**
//!
//! # Source
//! The language is google/cel-spec `doc/langdef.md` with cross-type numeric comparison. Functions
//! come from [`Libraries`]: those of kubernetes/apiserver `pkg/cel` unless asked otherwise, and the
//! extensions of google/cel-go. Costs are those of Kubernetes; values of more than a thousand parts
//! and texts of more than a thousand bytes cost what they take, also where it charges nothing.

mod ast;
mod check;
mod compare;
mod cost;
mod error;
mod estimate;
mod eval;
mod functions;
mod lexer;
mod libraries;
mod parser;
mod reads;
mod shape;
mod value;

use std::sync::Arc;

use object::{Map, Node, Text};

pub use error::{CompileError, EvalError, EvalErrorKind, Issue};
pub use estimate::Sizes;
pub use functions::network::Cidr;
pub use functions::url::Url;
pub use libraries::Libraries;
pub use reads::{Read, ReadStep};
pub use shape::{Field, ListIdentity, ListShape, ObjectShape, Shape, escape};
pub use value::{List, MapValue, Methods, Opaque, Value};

/// Longest text of an expression.
///
/// Kubernetes has no limit of its own below the request size; the longest rule of the Gateway API
/// has under 1 KiB.
pub const TEXT_BYTES_MAX: usize = 10 << 10;

/// Most syntax nodes of an expression: a node takes about 100 bytes, and 10 KiB of text rarely
/// make more than 3,000.
pub const AST_NODES_MAX: usize = 5_000;

/// Deepest nesting of an expression. Evaluation recurses, and a level costs it about 2 KiB of
/// stack in unoptimised builds; threads have 2 MiB.
pub const NESTING_MAX: usize = 120;

/// Deepest nesting of a value turned into data; objects themselves end at 200.
pub const DATA_DEPTH_MAX: usize = 200;

/// Most values a value may consist of, with everything it holds counted every time it is held; text
/// counts for eight bytes a value.
///
/// Ten lines of `cel.bind(x, [x, x], …)` make a thousand items out of one, a hundred lines more
/// than there is time to look at. A million is above what an object of 3 MiB can hold.
pub const VALUE_WEIGHT_MAX: u64 = 1 << 20;

/// Largest text or list one function may build, in bytes and items.
///
/// The budget is charged after the fact; this keeps a single call from outrunning it.
pub const RESULT_MAX: usize = 16 << 20;

/// What an evaluation may cost, in the units of the Kubernetes API server.
///
/// One unit is about one function call or ten characters looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Budget(pub u64);

impl Budget {
    /// For one expression, as in Kubernetes.
    pub const CALL: Self = Self(1_000_000);
    /// For all rules over one object, as in Kubernetes.
    pub const OBJECT: Self = Self(10_000_000);
    /// For all matchConditions of admission over one object, as in Kubernetes.
    pub const MATCH_CONDITIONS: Self = Self(2_500_000);
}

/// What an expression may refer to.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Variables that will be bound; `None` when any name may be one.
    pub variables: Option<Vec<(Text, Shape)>>,
    /// What the expression must give; not checked when [`Shape::Dyn`].
    pub result: Shape,
    /// Which functions there are.
    pub libraries: Libraries,
    /// Functions beyond the libraries.
    pub extension: Option<Arc<dyn Extension>>,
    /// Whether `libraries` and `extension` know every method there will be, also those of
    /// [`Opaque`] values and of maps with [`Methods`].
    ///
    /// Without this a method of a value of unknown type may turn out to exist when it is called.
    pub known_methods: bool,
    /// Whether types that literals and functions have are checked although any name may be a
    /// variable, as if all variables were declared [`Shape::Dyn`].
    pub literal_types: bool,
    /// Whether declared objects may be read as maps as well: by key, with `in` and in
    /// comprehensions. Kubernetes knows only their fields.
    pub objects_are_maps: bool,
    /// Makes signed integers and floating-point numbers one kind of number.
    ///
    /// CEL refuses `1 + 1.0` and `math.ceil(1)`, and prints `1000000.0` as `1e+06`. Templates
    /// written for engines that turn all numbers into floats need the first two, and nobody wants
    /// the third.
    pub mixed_arithmetic: bool,
}

impl Options {
    /// Any name may be a variable; nothing is checked but syntax and function names.
    pub fn dynamic() -> Self {
        Self::default()
    }

    /// Only these variables exist.
    pub fn declared<N: Into<Text>>(variables: impl IntoIterator<Item = (N, Shape)>) -> Self {
        let variables = variables
            .into_iter()
            .map(|(name, shape)| (name.into(), shape));
        Self {
            variables: Some(variables.collect()),
            ..Self::default()
        }
    }

    /// With these functions.
    pub fn libraries(self, libraries: Libraries) -> Self {
        Self { libraries, ..self }
    }

    /// The expression must give this.
    pub fn result(self, result: Shape) -> Self {
        Self { result, ..self }
    }
}

/// Functions the program around adds.
pub trait Extension: std::fmt::Debug + Send + Sync {
    /// Whether there is a function of this name; `member` when called as `x.name()`.
    fn knows(&self, name: &str, member: bool) -> bool;

    /// What the function gives, as far as it is the same for all arguments.
    fn gives(&self, _name: &str) -> Shape {
        Shape::Dyn
    }

    /// Calls it; the receiver is the first argument.
    ///
    /// # Errors
    /// The text to fail the evaluation with.
    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, String>;
}

/// Values for variables.
#[derive(Clone, Debug, Default)]
pub struct Bindings {
    variables: Vec<(Text, Value)>,
    root: Option<Map>,
}

impl Bindings {
    /// No variables.
    pub fn new() -> Self {
        Self::default()
    }

    /// Every field of `object` is a variable.
    pub fn of_root(object: &Node) -> Self {
        Self {
            variables: Vec::new(),
            root: object.as_map().cloned(),
        }
    }

    /// Adds a variable; a later one hides an earlier one of the same name.
    pub fn bind(mut self, name: impl Into<Text>, value: impl Into<Value>) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<Value> {
        let bound = self.variables.iter().rev().find(|(own, _)| own == name);
        match bound {
            Some((_, value)) => Some(value.clone()),
            None => self.root.as_ref()?.get(name).map(Value::from_node),
        }
    }
}

/// A compiled expression.
#[derive(Clone)]
pub struct Program(Arc<Compiled>);

struct Compiled {
    text: Text,
    root: ast::Expr,
    shape: Shape,
    mixed_arithmetic: bool,
    variables: Vec<Text>,
}

impl Program {
    /// Parses and checks an expression.
    ///
    /// # Errors
    /// Every finding of the check; of the parser the first.
    pub fn compile(text: &str, options: &Options) -> Result<Self, CompileError> {
        let mut root = parser::parse(text)?;
        let checked = check::check(text, &mut root, options)?;
        Ok(Self(Arc::new(Compiled {
            text: text.into(),
            root,
            shape: checked.shape,
            mixed_arithmetic: options.mixed_arithmetic,
            variables: checked.variables,
        })))
    }

    /// The text it was compiled from.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// What it gives, as far as the check can tell.
    pub fn shape(&self) -> &Shape {
        &self.0.shape
    }

    /// The variables it refers to, by name, each at least once.
    pub fn variables(&self) -> &[Text] {
        &self.0.variables
    }

    /// Whether it refers to the variable `name`.
    pub fn uses(&self, name: &str) -> bool {
        self.0.variables.iter().any(|own| own == name)
    }

    /// Evaluates the expression.
    ///
    /// # Errors
    /// When it fails or would cost more than `budget`.
    pub fn evaluate(&self, bindings: &Bindings, budget: Budget) -> Result<Value, EvalError> {
        self.evaluate_counted(bindings, budget).0
    }

    /// Like [`Self::evaluate`]; also says what it cost, however it ended.
    pub fn evaluate_counted(
        &self,
        bindings: &Bindings,
        budget: Budget,
    ) -> (Result<Value, EvalError>, Budget) {
        let mut evaluator = eval::Evaluator::new(bindings, budget, self.0.mixed_arithmetic);
        let value = evaluator.value(&self.0.root);
        (value, Budget(evaluator.cost()))
    }
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Program").field(&self.0.text).finish()
    }
}
