//! Templates: YAML whose texts hold `${…}` expressions.
//!
//! A [`Template`] is compiled once by an [`Engine`] and rendered many times, each time with another
//! [`Context`]. A text that is one expression and nothing else gives the value of the expression
//! with its type; in any other text expressions are replaced by their text, by position: what one
//! gives is never looked at again. Keys of maps are rendered as well.
//!
//! ```
//! use component::template::{Context, Engine, Meter};
//! let parse = |text: &str| object::json::parse(text.as_bytes(), object::json::OBJECT_LIMITS);
//! let template = Engine::default().template(&parse(
//!     r#"{"replicas": "${parameters.replicas + 1}", "host": "${metadata.name}.example.org"}"#)?);
//! let context = Context::default()
//!     .with("metadata", &parse(r#"{"name": "web"}"#)?)
//!     .with("parameters", &parse(r#"{"replicas": 2}"#)?);
//! let rendered = template.render(&context, &mut Meter::default()).unwrap();
//! assert_eq!(rendered, Some(parse(r#"{"replicas": 3, "host": "web.example.org"}"#)?));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Invariants
//!
//! - **Equal inputs render to equal bytes.** There is no clock, no randomness, no file, no network.
//! - **Everything wrong is reported**, not only what comes first, each with its path in the
//!   template, the expression and the place inside it.
//! - **Bounded.** Templates, repetitions, the cost of evaluations and the size of what comes out
//!   have limits; see [`Meter`].
//! - **Secrets stay secret.** What a [`Context`] conceals is in no message.
//!
//! Deliberately absent: positions in files. A place is a [`FieldPath`] inside the template, and
//! whoever read the file finds the line.
//!
//! # Source
//! openchoreo/openchoreo `internal/template` at v0.12.0 and v1.2.3. On purpose different: integers
//! stay integers and whole numbers print without an exponent, an omitted value inside text is an
//! error, expressions are replaced by position, and two keys that render alike are an error.

mod context;
mod error;
mod functions;
mod render;
mod repeat;
mod scan;
mod shape;
mod text;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use expr::{CompileError, Libraries, Options, Program, Shape};
use object::{FieldPath, Node, Text};

pub use context::{Context, Meter};
pub(crate) use error::shortened;
pub use error::{TemplateError, TemplateErrorKind, Used};
pub use expr::{Read, ReadStep};
pub use repeat::Repeat;
pub use scan::{Marker, NestedMarker, markers};
pub use shape::shape;

use crate::parameters::Known;
use functions::Functions;
use render::Part;

/// Most bytes of the keys and texts of one template.
///
/// The API server takes requests of 1.5 MiB and a ComponentType holds several templates; the
/// largest of the samples has 4 KiB.
pub const TEMPLATE_BYTES_MAX: usize = 1 << 20;

/// Most values in one template, at about 100 bytes each when compiled.
pub const TEMPLATE_NODES_MAX: usize = 100_000;

/// Deepest nesting of lists and maps in a template, that of an object.
pub const TEMPLATE_DEPTH_MAX: usize = 200;

/// Most times one template is repeated by `forEach`: everything becomes one Release, which has to
/// fit into a request of 1.5 MiB.
pub const REPEAT_ITEMS_MAX: usize = 1_000;

/// Most errors reported for one template.
pub const ERRORS_MAX: usize = 100;

/// Most bytes of expressions an engine remembers. Compiled, a byte of text takes up to 50; the
/// types and traits of a large platform have some 100 KiB.
const REMEMBERED_BYTES_MAX: usize = 1 << 20;

/// Compiles templates.
///
/// Expressions are compiled once for all templates of an engine.
#[derive(Debug)]
pub struct Engine {
    options: Options,
    remembered: Mutex<Remembered>,
    /// Schemas of types and traits whose templates were rendered.
    pub(crate) schemas: Known,
}

#[derive(Debug, Default)]
struct Remembered {
    programs: HashMap<Text, Result<Program, CompileError>>,
    /// Of their texts.
    bytes: usize,
}

impl Default for Engine {
    /// With no methods.
    fn default() -> Self {
        Self::new([] as [&str; 0])
    }
}

impl Engine {
    /// An engine whose contexts hold values with these methods, such as
    /// `configurations.toVolumes()`; see [`expr::Methods`].
    ///
    /// Other methods, which no value will have, are found when a template is compiled.
    pub fn new<M: Into<Text>>(methods: impl IntoIterator<Item = M>) -> Self {
        Self::with(methods, Libraries::CEL_GO)
    }

    /// The same with the functions that there were before the first major version.
    pub fn earlier<M: Into<Text>>(methods: impl IntoIterator<Item = M>) -> Self {
        Self::with(methods, Libraries::CEL_GO_0_22)
    }

    fn with<M: Into<Text>>(methods: impl IntoIterator<Item = M>, libraries: Libraries) -> Self {
        let functions = Functions::new(methods.into_iter().map(Into::into).collect());
        Self {
            options: Options {
                libraries,
                extension: Some(Arc::new(functions)),
                known_methods: true,
                literal_types: true,
                mixed_arithmetic: true,
                ..Options::dynamic()
            },
            remembered: Mutex::default(),
            schemas: Known::default(),
        }
    }

    /// Compiles a template.
    ///
    /// Always gives one: what is wrong with it is in [`Template::problems`], and is reported again
    /// when that part is rendered.
    pub fn template(&self, node: &Node) -> Template {
        render::compile(self, node)
    }

    /// Compiles a template that is one text: a condition, a source of `forEach`, a path.
    pub fn text(&self, text: &str) -> Template {
        self.template(&Node::from(text))
    }

    fn program(&self, text: &Text) -> Result<Program, CompileError> {
        // Nothing under the lock leaves it half changed.
        let remembered = &mut *self
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = remembered.programs.get(text) {
            return known.clone();
        }
        let program = Program::compile(text, &self.options);
        remembered.bytes += text.len();
        if remembered.bytes > REMEMBERED_BYTES_MAX {
            remembered.programs.clear();
            remembered.bytes = text.len();
        }
        remembered.programs.insert(text.clone(), program.clone());
        program
    }
}

/// A compiled template. Cloning copies a pointer.
#[derive(Clone, Debug)]
pub struct Template(Arc<Compiled>);

#[derive(Debug)]
struct Compiled {
    root: Part,
    options: Options,
    /// Of the template as a whole: too large, too deep.
    problem: Option<TemplateErrorKind>,
}

impl Template {
    /// What is wrong with the template whatever the context is: syntax, unknown functions, size.
    pub fn problems(&self) -> Vec<TemplateError> {
        let mut problems: Vec<TemplateError> = Vec::new();
        if let Some(kind) = &self.0.problem {
            problems.push(TemplateError::new(kind.clone(), FieldPath::root()));
        }
        self.0
            .root
            .walk(&mut FieldPath::root(), &mut |path, expression| {
                if let Err(kind) = &expression.program {
                    problems.push(expression.error(kind.clone(), path));
                }
            });
        problems.truncate(ERRORS_MAX);
        problems
    }

    /// Whether there is no expression in it.
    pub fn is_constant(&self) -> bool {
        matches!(self.0.root, Part::Constant(..))
    }

    /// The expressions in it: path, text, and which places of the context it reads, in the order
    /// of the template. Expressions that do not compile read nothing.
    pub fn expressions(&self) -> Vec<(FieldPath, Text, Vec<Read>)> {
        let mut expressions = Vec::new();
        self.0
            .root
            .walk(&mut FieldPath::root(), &mut |path, expression| {
                let reads = expression.program.as_ref().map(Program::reads);
                let reads = reads.unwrap_or_default();
                expressions.push((path.clone(), expression.text.clone(), reads));
            });
        expressions
    }

    /// What cannot work when the variables are of these shapes, and no others exist; for shapes of
    /// parameters see [`shape`].
    ///
    /// Methods give values of unknown type. Problems of the template as
    /// such are found as well.
    pub fn check(&self, variables: &[(Text, Shape)]) -> Vec<TemplateError> {
        let options = self.check_options(variables);
        let mut found = self.problems();
        self.0
            .root
            .walk(&mut FieldPath::root(), &mut |path, expression| {
                if expression.program.is_err() || found.len() >= ERRORS_MAX {
                    return;
                }
                if let Err(error) = Program::compile(&expression.text, &options) {
                    found.push(expression.error(TemplateErrorKind::from(error), path));
                }
            });
        found
    }

    /// What it gives, as far as the shapes of the variables tell.
    pub fn shape(&self, variables: &[(Text, Shape)]) -> Shape {
        match &self.0.root {
            Part::Value(expression) => {
                let options = self.check_options(variables);
                let program = Program::compile(&expression.text, &options);
                program.map_or(Shape::Dyn, |program| program.shape().clone())
            }
            Part::Text(_) => Shape::String,
            _ => Shape::Dyn,
        }
    }

    fn check_options(&self, variables: &[(Text, Shape)]) -> Options {
        Options {
            variables: Some(variables.to_vec()),
            objects_are_maps: true,
            ..self.0.options.clone()
        }
    }

    /// Renders it; `None` when all of it is omitted.
    ///
    /// # Errors
    /// Everything that failed, at least one and at most [`ERRORS_MAX`], in the order of the
    /// template.
    pub fn render(
        &self,
        context: &Context,
        meter: &mut Meter,
    ) -> Result<Option<Node>, Vec<TemplateError>> {
        render::render(&self.0, context, meter)
    }

    /// Renders a condition.
    ///
    /// # Errors
    /// As [`Self::render`]; also when the result is no boolean.
    pub fn render_bool(
        &self,
        context: &Context,
        meter: &mut Meter,
    ) -> Result<bool, Vec<TemplateError>> {
        match self.render(context, meter)? {
            Some(Node::Bool(value)) => Ok(value),
            other => Err(vec![self.unfit("a boolean", other)]),
        }
    }

    /// Renders a text: a path, a name.
    ///
    /// # Errors
    /// As [`Self::render`]; also when the result is no text.
    pub fn render_text(
        &self,
        context: &Context,
        meter: &mut Meter,
    ) -> Result<Text, Vec<TemplateError>> {
        match self.render(context, meter)? {
            Some(Node::String(text)) => Ok(text),
            other => Err(vec![self.unfit("text", other)]),
        }
    }

    /// The whole gave something else than `wanted`.
    fn unfit(&self, wanted: &'static str, found: Option<Node>) -> TemplateError {
        let found = found.map_or("nothing", |node| node.type_name());
        self.fault(TemplateErrorKind::Unfit { wanted, found })
    }

    /// An error about the whole.
    pub(crate) fn fault(&self, kind: TemplateErrorKind) -> TemplateError {
        match &self.0.root {
            Part::Value(expression) => expression.error(kind, &FieldPath::root()),
            _ => TemplateError::new(kind, FieldPath::root()),
        }
    }
}
