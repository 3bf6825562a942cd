//! Resolves names and finds what cannot work before it is evaluated.
//!
//! A light check: fields of declared objects, names, operators over known types, the type of the
//! result. What it cannot know it leaves to the evaluation.
//!
//! # Source
//! Texts: google/cel-go `checker/errors.go`.

use std::sync::Arc;

use object::Text;

use crate::ast::{Binding, Call, Comprehension, Expr, Fold, Kind, Select, Target};
use crate::error::{CompileError, Issue};
use crate::functions::{self, Function};
use crate::shape::{ListIdentity, ListShape};
use crate::{Extension, Libraries, Options, Shape, Value};

pub(crate) struct Checked {
    pub shape: Shape,
    /// Names of variables that are used.
    pub variables: Vec<Text>,
}

pub(crate) fn check(
    text: &str,
    root: &mut Expr,
    options: &Options,
) -> Result<Checked, CompileError> {
    let mut checker = Checker {
        text,
        declared: options.variables.as_deref(),
        extension: options.extension.as_ref(),
        libraries: options.libraries,
        known_methods: options.known_methods,
        literal_types: options.literal_types,
        objects_are_maps: options.objects_are_maps,
        mixed_arithmetic: options.mixed_arithmetic,
        locals: Vec::new(),
        used: Vec::new(),
        issues: Vec::new(),
        mixed_items: false,
    };
    let shape = checker.expr(root);
    if checker.issues.is_empty() && !same(&options.result, &shape) {
        let (wanted, found) = (options.result.name(), shape.name());
        checker.issue(
            root.at,
            format!("expected type '{wanted}' but found '{found}'"),
        );
    }
    if checker.issues.is_empty() {
        return Ok(Checked {
            shape,
            variables: checker.used,
        });
    }
    let mut issues = checker.issues;
    issues.sort_by_key(|issue| (issue.line, issue.column));
    Err(CompileError::Invalid(issues))
}

struct Checker<'a> {
    text: &'a str,
    declared: Option<&'a [(Text, Shape)]>,
    extension: Option<&'a Arc<dyn Extension>>,
    libraries: Libraries,
    known_methods: bool,
    literal_types: bool,
    objects_are_maps: bool,
    mixed_arithmetic: bool,
    locals: Vec<(Text, Shape)>,
    used: Vec<Text>,
    issues: Vec<Issue>,
    /// Inside the values of a `format`, which are of any types.
    mixed_items: bool,
}

impl Checker<'_> {
    /// Without declared variables nothing is known well enough to refuse it; Kubernetes, too, only
    /// parses such expressions.
    fn issue(&mut self, at: u32, message: String) {
        if self.declared.is_some() || self.literal_types {
            self.issues.push(Issue::new(self.text, at, message));
        }
    }

    fn undeclared_function(&mut self, at: u32, name: &str) -> Shape {
        let message = format!("undeclared reference to '{name}' (in container '')");
        self.issues.push(Issue::new(self.text, at, message));
        Shape::Dyn
    }

    fn undeclared(&mut self, at: u32, name: &str) -> Shape {
        self.issue(
            at,
            format!("undeclared reference to '{name}' (in container '')"),
        );
        Shape::Dyn
    }

    /// Whether `name` is a variable here, as opposed to a namespace or a type.
    fn is_variable(&self, name: &str) -> bool {
        self.locals.iter().any(|(own, _)| own == name)
            || self
                .declared
                .is_some_and(|declared| declared.iter().any(|(own, _)| own == name))
    }

    fn expr(&mut self, expr: &mut Expr) -> Shape {
        let at = expr.at;
        if let Kind::Select(_) = &expr.kind
            && let Some(name) = expr.dotted()
            && expr.root().is_some_and(|root| !self.is_variable(root))
            && let Some(value) = functions::type_named(&name)
        {
            expr.kind = Kind::Literal(value);
            return Shape::Type;
        }
        match &mut expr.kind {
            Kind::Literal(value) => shape_of(value),
            Kind::Ident(name) => {
                let name = name.clone();
                self.ident(&name, at)
            }
            Kind::Select(select) => self.select(select, at, false),
            Kind::Has(select) => {
                self.select(select, at, true);
                Shape::Bool
            }
            Kind::Index(index) => {
                let operand = self.expr(&mut index.operand);
                let key = self.expr(&mut index.index);
                let (operand, optional) = match operand {
                    Shape::Optional(inner) => ((*inner).clone(), true),
                    other => (other, index.optional),
                };
                let item = match (&operand, &index.index.kind) {
                    (Shape::Object(object), Kind::Literal(Value::String(key)))
                        if self.objects_are_maps =>
                    {
                        let named = object.fields.values().find(|field| field.key == *key);
                        match named {
                            Some(field) => field.shape.clone(),
                            None if optional => Shape::Dyn,
                            None => {
                                self.issue(at, format!("undefined field '{key}'"));
                                Shape::Dyn
                            }
                        }
                    }
                    _ => self.item(&self.as_map(operand), &key, at),
                };
                if optional {
                    Shape::Optional(Arc::new(item))
                } else {
                    item
                }
            }
            Kind::List(elements) => {
                let mut shapes = Vec::with_capacity(elements.len());
                for element in elements {
                    let shape = self.expr(&mut element.value);
                    let shape = match (element.optional, shape) {
                        (true, Shape::Optional(inner)) => (*inner).clone(),
                        (_, shape) => shape,
                    };
                    self.alike(&shapes, &shape, element.value.at);
                    shapes.push(shape);
                }
                Shape::list(common(&shapes))
            }
            Kind::Map(entries) => {
                let mut values = Vec::with_capacity(entries.len());
                let mut texts = !entries.is_empty();
                for entry in entries {
                    texts &= matches!(self.expr(&mut entry.key), Shape::String);
                    let value = self.expr(&mut entry.value);
                    let value = match (entry.optional, value) {
                        (true, Shape::Optional(inner)) => (*inner).clone(),
                        (_, value) => value,
                    };
                    self.alike(&values, &value, entry.value.at);
                    values.push(value);
                }
                // Shapes know maps from text only.
                if texts {
                    Shape::map(common(&values))
                } else {
                    Shape::Dyn
                }
            }
            Kind::Struct(_, fields) => {
                for (_, value) in fields {
                    self.expr(value);
                }
                Shape::Dyn
            }
            Kind::And(operands) => self.logic(operands, "_&&_", at),
            Kind::Or(operands) => self.logic(operands, "_||_", at),
            Kind::Not(operand) => {
                let shape = self.expr(operand);
                if !same(&Shape::Bool, &shape) {
                    self.no_overload("!_", false, &[shape], at);
                }
                Shape::Bool
            }
            Kind::Conditional(branches) => {
                let condition = self.expr(&mut branches[0]);
                let (then, otherwise) = (self.expr(&mut branches[1]), self.expr(&mut branches[2]));
                let (then, otherwise) = (self.as_map(then), self.as_map(otherwise));
                if !same(&Shape::Bool, &condition) || !same(&then, &otherwise) {
                    self.no_overload("_?_:_", false, &[condition, then, otherwise], at);
                    return Shape::Dyn;
                }
                join(then, otherwise)
            }
            Kind::Call(call) => self.call(call, at),
            Kind::Comprehension(fold) => self.comprehension(fold),
            Kind::Bind(bind) => {
                if bind.binding == Binding::Plain && !self.libraries.has(Libraries::BINDINGS) {
                    return self.undeclared_function(at, "cel.bind");
                }
                let init = self.expr(&mut bind.init);
                let bound = match (bind.binding, &init) {
                    (Binding::Plain, _) => init,
                    (_, Shape::Optional(inner)) => (**inner).clone(),
                    _ => Shape::Dyn,
                };
                self.locals.push((bind.name.clone(), bound));
                let body = self.expr(&mut bind.body);
                self.locals.pop();
                match bind.binding {
                    Binding::OptMap => Shape::Optional(Arc::new(body)),
                    Binding::Plain | Binding::OptFlatMap => body,
                }
            }
        }
    }

    /// Items of one literal are of one type, as Kubernetes asks.
    fn alike(&mut self, others: &[Shape], shape: &Shape, at: u32) {
        if let Some(first) = others.first()
            && !same(first, shape)
            && !self.mixed_arithmetic
            && !self.mixed_items
        {
            let (wanted, found) = (first.name(), shape.name());
            self.issue(at, format!("expected type '{wanted}' but found '{found}'"));
        }
    }

    /// Constants that can never be read.
    fn constants(&mut self, name: &str, arguments: &[Expr]) {
        if let ("format", [pattern, values]) = (name, arguments)
            && let Kind::Literal(Value::String(pattern)) = &pattern.kind
            && let Kind::List(values_given) = &values.kind
            && let Some(taken) = functions::printf::arguments_of(pattern)
            && taken < values_given.len()
        {
            let given = values_given.len();
            let message = format!(
                "too many arguments supplied to string.format (expected {taken}, got {given})"
            );
            self.issue(values.at, message);
        }
        let text = arguments.last().and_then(|last| match &last.kind {
            Kind::Literal(Value::String(text)) => Some((text.clone(), last.at)),
            _ => None,
        });
        let Some((text, at)) = text else {
            return;
        };
        let wrong = match (name, arguments.len()) {
            ("matches", 2) if golang::Regexp::new(&text).is_err() => "invalid matches argument",
            ("duration", 1) if functions::times::parse_duration(&text).is_none() => {
                "invalid duration argument"
            }
            ("timestamp", 1) if functions::times::parse_time(&text).is_none() => {
                "invalid timestamp argument"
            }
            _ => return,
        };
        if self.declared.is_some() {
            self.issue(at, wrong.to_owned());
        }
    }

    fn ident(&mut self, name: &Text, at: u32) -> Shape {
        if let Some((_, shape)) = self.locals.iter().rev().find(|(own, _)| own == name) {
            return shape.clone();
        }
        let Some(declared) = self.declared else {
            if functions::type_named(name).is_none() && !self.used.contains(name) {
                self.used.push(name.clone());
            }
            return Shape::Dyn;
        };
        if let Some((_, shape)) = declared.iter().find(|(own, _)| own == name) {
            self.used.push(name.clone());
            return shape.clone();
        }
        match functions::type_named(name) {
            Some(_) => Shape::Type,
            None => self.undeclared(at, name),
        }
    }

    fn select(&mut self, select: &mut Select, at: u32, test: bool) -> Shape {
        let operand = self.expr(&mut select.operand);
        let (operand, optional) = match operand {
            Shape::Optional(inner) => ((*inner).clone(), true),
            other => (other, select.optional),
        };
        let field = match &operand {
            Shape::Dyn => Shape::Dyn,
            Shape::Map(value) => (**value).clone(),
            Shape::Object(object) => match object.field(&select.field) {
                Some(field) if !field.hidden => field.shape.clone(),
                _ => {
                    self.issue(at, format!("undefined field '{}'", select.field));
                    Shape::Dyn
                }
            },
            // Values of the program around have fields the check does not know.
            Shape::Named(name) if !name.starts_with("kubernetes.") && !name.starts_with("net.") => {
                Shape::Dyn
            }
            other => {
                let name = other.name();
                self.issue(
                    at,
                    format!("type '{name}' does not support field selection"),
                );
                Shape::Dyn
            }
        };
        if optional && !test {
            Shape::Optional(Arc::new(field))
        } else {
            field
        }
    }

    /// An object as the map it may be read as.
    fn as_map(&self, shape: Shape) -> Shape {
        match shape {
            Shape::Object(_) if self.objects_are_maps => Shape::map(Shape::Dyn),
            other => other,
        }
    }

    fn item(&mut self, operand: &Shape, key: &Shape, at: u32) -> Shape {
        match (operand, key) {
            (Shape::Dyn, _) => Shape::Dyn,
            (Shape::List(list), Shape::Int | Shape::Dyn) => list.item.clone(),
            (Shape::List(list), Shape::Uint | Shape::Double) if !self.literal_types => {
                list.item.clone()
            }
            (Shape::Map(value), Shape::String | Shape::Dyn) => (**value).clone(),
            (operand, key) => {
                self.no_overload("_[_]", false, &[operand.clone(), key.clone()], at);
                Shape::Dyn
            }
        }
    }

    fn logic(&mut self, operands: &mut [Expr], name: &str, at: u32) -> Shape {
        let shapes: Vec<Shape> = operands
            .iter_mut()
            .map(|operand| self.expr(operand))
            .collect();
        if shapes.iter().any(|shape| !same(&Shape::Bool, shape)) {
            self.no_overload(name, false, &shapes, at);
        }
        Shape::Bool
    }

    fn no_overload(&mut self, name: &str, member: bool, shapes: &[Shape], at: u32) {
        let names: Vec<String> = shapes.iter().map(Shape::name).collect();
        let applied = match (member, names.split_first()) {
            (true, Some((receiver, rest))) => format!("{receiver}.({})", rest.join(", ")),
            _ => format!("({})", names.join(", ")),
        };
        self.issue(
            at,
            format!("found no matching overload for '{name}' applied to '{applied}'"),
        );
    }

    fn call(&mut self, call: &mut Call, at: u32) -> Shape {
        // `sets.contains(a, b)` was parsed as a method of a variable `sets`.
        if call.member
            && let Some(namespace) = call.arguments[0].dotted()
            && call.arguments[0]
                .root()
                .is_some_and(|root| !self.is_variable(root))
        {
            let name = format!("{namespace}.{}", call.target.name());
            let known = functions::find(self.libraries, &name, false)
                .next()
                .is_some()
                || self
                    .extension
                    .is_some_and(|known| known.knows(&name, false));
            if known {
                call.arguments.remove(0);
                call.member = false;
                call.target = Target::Named(name.into());
            }
        }
        let mixed = self.mixed_items;
        self.mixed_items = mixed || (call.member && call.target.name() == "format");
        let shapes: Vec<Shape> = call
            .arguments
            .iter_mut()
            .map(|argument| {
                let shape = self.expr(argument);
                self.as_map(shape)
            })
            .collect();
        self.mixed_items = mixed;
        let name: Text = call.target.name().into();
        self.constants(&name, &call.arguments);
        if let Some(extension) = self
            .extension
            .filter(|known| known.knows(&name, call.member))
        {
            let gives = extension.gives(&name);
            call.target = Target::Extension(name, extension.clone());
            return gives;
        }
        let mut named = functions::find(self.libraries, &name, call.member).peekable();
        if named.peek().is_none() {
            // A method of a value of the program around is found when it is called.
            let receiver = shapes.first().filter(|_| call.member);
            let opaque = matches!(receiver, Some(Shape::Named(_)))
                || (matches!(receiver, Some(Shape::Dyn))
                    && self.declared.is_none()
                    && !self.known_methods);
            if opaque {
                return Shape::Dyn;
            }
            return self.undeclared_function(at, &name);
        }
        let fits = |function: &&Function| {
            let (least, most) = function.arity;
            let first = shapes.first().map_or(Some(true), |shape| {
                let kind = kind_name(shape)?;
                Some(function.first.is_empty() || function.first.contains(&kind))
            });
            (least..=most).contains(&shapes.len()) && first.unwrap_or(true)
        };
        let Some(function) = named.find(|function| fits(function)) else {
            self.no_overload(&name, call.member, &shapes, at);
            return Shape::Dyn;
        };
        call.target = Target::Builtin(function);
        match self.result(function, &shapes) {
            Some(shape) => shape,
            None => {
                self.no_overload(&name, call.member, &shapes, at);
                Shape::Dyn
            }
        }
    }

    /// What the function gives for these arguments; `None` when it does not take them.
    fn result(&self, function: &Function, shapes: &[Shape]) -> Option<Shape> {
        use Shape::{Double, Duration, Dyn, Int, Timestamp, Uint};
        let numeric = |shape: &Shape| matches!(shape, Int | Uint | Double);
        let mixed = |a: &Shape, b: &Shape| {
            self.mixed_arithmetic && matches!((a, b), (Int, Double) | (Double, Int))
        };
        Some(match (function.name, shapes) {
            ("_==_" | "_!=_", [a, b]) => (same(a, b) || mixed(a, b)).then_some(Shape::Bool)?,
            ("_<_" | "_<=_" | "_>_" | "_>=_", [a, b]) => {
                let fits = matches!((a, b), (Dyn, _) | (_, Dyn))
                    || mixed(a, b)
                    || (numeric(a) && numeric(b) && (!self.literal_types || same(a, b)))
                    || (same(a, b)
                        && matches!(
                            a,
                            Shape::Bool
                                | Shape::String
                                | Shape::Bytes
                                | Timestamp
                                | Shape::Date
                                | Duration
                        ));
                fits.then_some(Shape::Bool)?
            }
            ("_+_", [a, b]) => match (a, b) {
                (Dyn, other) | (other, Dyn)
                    if matches!(other, Shape::String | Int | Uint | Double | Shape::Bytes) =>
                {
                    other.clone()
                }
                (Dyn, _) | (_, Dyn) => Dyn,
                (Int, Int) | (Uint, Uint) | (Double, Double) => a.clone(),
                (Shape::String, Shape::String) | (Shape::Bytes, Shape::Bytes) => a.clone(),
                (Duration, Duration) => Duration,
                (Timestamp | Shape::Date, Duration) | (Duration, Timestamp | Shape::Date) => {
                    Timestamp
                }
                (Shape::List(own), Shape::List(other)) if same(&own.item, &other.item) => {
                    Shape::List(Arc::new(ListShape {
                        item: join(own.item.clone(), other.item.clone()),
                        identity: ListIdentity::Position,
                    }))
                }
                _ if mixed(a, b) => Double,
                _ => return None,
            },
            ("_-_", [a, b]) => match (a, b) {
                (Dyn, _) | (_, Dyn) => Dyn,
                (Int, Int) | (Uint, Uint) | (Double, Double) | (Duration, Duration) => a.clone(),
                (Timestamp | Shape::Date, Timestamp | Shape::Date) => Duration,
                (Timestamp | Shape::Date, Duration) => Timestamp,
                _ if mixed(a, b) => Double,
                _ => return None,
            },
            ("_*_" | "_/_" | "_%_", [a, b]) => match (a, b) {
                (Dyn, _) | (_, Dyn) => Dyn,
                (Double, Double) if function.name == "_%_" => return None,
                (Int, Int) | (Uint, Uint) | (Double, Double) => a.clone(),
                _ if mixed(a, b) => Double,
                _ => return None,
            },
            ("-_", [a]) => match a {
                Dyn | Int | Double | Duration => a.clone(),
                _ => return None,
            },
            ("@in", [a, b]) => match b {
                Dyn => Shape::Bool,
                Shape::List(list) => same(a, &list.item).then_some(Shape::Bool)?,
                Shape::Map(_) => same(a, &Shape::String).then_some(Shape::Bool)?,
                _ => return None,
            },
            ("size", [a]) if !function.member => matches!(
                a,
                Dyn | Shape::String | Shape::Bytes | Shape::List(_) | Shape::Map(_)
            )
            .then_some(Int)?,
            ("optional.of" | "optional.ofNonZeroValue", [a]) => {
                Shape::Optional(Arc::new(a.clone()))
            }
            ("optional.none", _) => Shape::Optional(Arc::new(Dyn)),
            ("value", [Shape::Optional(inner)]) => (**inner).clone(),
            ("orValue", [Shape::Optional(inner), b]) => {
                same(inner, b).then(|| join((**inner).clone(), b.clone()))?
            }
            ("or", [a @ Shape::Optional(_), b]) => same(a, b).then(|| a.clone())?,
            ("split" | "findAll", _) => Shape::list(Shape::String),
            ("min" | "max" | "sum", [Shape::List(list)]) => {
                let fits = match &list.item {
                    Dyn | Int | Uint | Double | Duration => true,
                    Shape::String | Shape::Bool | Shape::Bytes | Timestamp | Shape::Date => {
                        function.name != "sum"
                    }
                    _ => false,
                };
                fits.then(|| list.item.clone())?
            }
            ("first" | "last", [Shape::List(list)]) => Shape::Optional(Arc::new(list.item.clone())),
            ("sort" | "distinct" | "slice", [list @ Shape::List(_), ..]) => list.clone(),
            ("reverse", [a]) => a.clone(),
            ("lists.range", _) => Shape::list(Int),
            ("math.greatest" | "math.least", [first @ (Int | Uint | Double), rest @ ..])
                if rest
                    .iter()
                    .all(|other| kind_name(other) == kind_name(first)) =>
            {
                first.clone()
            }
            ("getQuery", _) => Shape::map(Shape::list(Shape::String)),
            ("validate", _) => Shape::Optional(Arc::new(Shape::list(Shape::String))),
            ("format.named", _) => {
                Shape::Optional(Arc::new(Shape::Named("kubernetes.NamedFormat")))
            }
            ("startsWith" | "endsWith" | "contains" | "matches", [a, b]) => {
                (same(a, &Shape::String) && same(b, &Shape::String)).then_some(Shape::Bool)?
            }
            ("containsIP" | "containsCIDR" | "isLessThan" | "isGreaterThan", _) => Shape::Bool,
            (
                "quantity" | "isQuantity" | "ip" | "isIP" | "cidr" | "isCIDR" | "url" | "isURL"
                | "semver" | "isSemver",
                [a, ..],
            ) if !function.member => same(a, &Shape::String).then(|| function.gives.clone())?,
            _ => function.gives.clone(),
        })
    }

    fn comprehension(&mut self, fold: &mut Comprehension) -> Shape {
        let range_at = fold.range.at;
        let range = self.expr(&mut fold.range);
        let range = self.as_map(range);
        if fold.fold == Fold::SortBy && !self.libraries.has(Libraries::LISTS) {
            self.undeclared_function(range_at, "sortBy");
        }
        let (key, value) = match &range {
            Shape::Dyn => (Shape::Dyn, Shape::Dyn),
            Shape::List(list) => (Shape::Int, list.item.clone()),
            Shape::Map(value) => (Shape::String, (**value).clone()),
            other => {
                let name = other.name();
                self.issue(
                    range_at,
                    format!(
                        "expression of type '{name}' cannot be range of a comprehension (must be list, map, or dynamic)"
                    ),
                );
                (Shape::Dyn, Shape::Dyn)
            }
        };
        let scope = self.locals.len();
        let item = match (&range, &fold.second) {
            (_, Some(second)) => {
                self.locals.push((fold.first.clone(), key.clone()));
                self.locals.push((second.clone(), value.clone()));
                value
            }
            (Shape::Map(_), None) => {
                self.locals.push((fold.first.clone(), key.clone()));
                key
            }
            (_, None) => {
                self.locals.push((fold.first.clone(), value.clone()));
                value
            }
        };
        if let Some(filter) = &mut fold.filter {
            let at = filter.at;
            let shape = self.expr(filter);
            if !same(&Shape::Bool, &shape) {
                self.no_overload("_?_:_", false, &[shape, Shape::Dyn, Shape::Dyn], at);
            }
        }
        let body_at = fold.body.at;
        let body = self.expr(&mut fold.body);
        self.locals.truncate(scope);
        let predicate = matches!(
            fold.fold,
            Fold::All | Fold::Exists | Fold::ExistsOne | Fold::Filter
        );
        if predicate && !same(&Shape::Bool, &body) {
            let name = match fold.fold {
                Fold::All => "_&&_",
                Fold::Exists => "_||_",
                _ => "_?_:_",
            };
            self.no_overload(name, false, &[Shape::Bool, body.clone()], body_at);
        }
        match fold.fold {
            Fold::All | Fold::Exists | Fold::ExistsOne => Shape::Bool,
            Fold::List => Shape::list(body),
            Fold::Filter | Fold::SortBy => Shape::list(item),
            Fold::Map => Shape::map(body),
            Fold::Entries => body,
        }
    }
}

/// The type of a literal.
fn shape_of(value: &Value) -> Shape {
    match value {
        Value::Null => Shape::Null,
        Value::Bool(_) => Shape::Bool,
        Value::Int(_) => Shape::Int,
        Value::Uint(_) => Shape::Uint,
        Value::Double(_) => Shape::Double,
        Value::String(_) => Shape::String,
        Value::Bytes(_) => Shape::Bytes,
        Value::Type(_) => Shape::Type,
        _ => Shape::Dyn,
    }
}

/// The runtime type name of a shape; `None` when it may be several.
fn kind_name(shape: &Shape) -> Option<&'static str> {
    Some(match shape {
        Shape::Dyn => return None,
        Shape::Null => "null_type",
        Shape::Bool => "bool",
        Shape::Int => "int",
        Shape::Uint => "uint",
        Shape::Double => "double",
        Shape::String => "string",
        Shape::Bytes => "bytes",
        Shape::Timestamp | Shape::Date => "google.protobuf.Timestamp",
        Shape::Duration => "google.protobuf.Duration",
        Shape::List(_) => "list",
        Shape::Map(_) => "map",
        Shape::Object(_) => "object",
        Shape::Optional(_) => "optional_type",
        Shape::Named(name) => name,
        Shape::Type => "type",
    })
}

/// Whether values of one may be values of the other.
fn same(a: &Shape, b: &Shape) -> bool {
    match (a, b) {
        (Shape::Dyn, _) | (_, Shape::Dyn) => true,
        (Shape::Null, other) | (other, Shape::Null) => matches!(
            other,
            Shape::Null
                | Shape::Object(_)
                | Shape::Timestamp
                | Shape::Date
                | Shape::Duration
                | Shape::Optional(_)
                | Shape::Named(_)
        ),
        (Shape::List(a), Shape::List(b)) => same(&a.item, &b.item),
        (Shape::Map(a), Shape::Map(b)) | (Shape::Optional(a), Shape::Optional(b)) => same(a, b),
        (Shape::Object(a), Shape::Object(b)) => a.name == b.name,
        (Shape::Map(_), Shape::Object(_)) | (Shape::Object(_), Shape::Map(_)) => false,
        (Shape::Named(a), Shape::Named(b)) => a == b,
        (a, b) => kind_name(a) == kind_name(b),
    }
}

/// The shape of either of two values.
fn join(a: Shape, b: Shape) -> Shape {
    match (&a, &b) {
        (Shape::Null, _) => b,
        (_, Shape::Null) => a,
        (Shape::Dyn, _) | (_, Shape::Dyn) => Shape::Dyn,
        (Shape::List(one), Shape::List(other)) if one.identity == other.identity => {
            let item = join(one.item.clone(), other.item.clone());
            let identity = one.identity.clone();
            Shape::List(Arc::new(ListShape { item, identity }))
        }
        (Shape::Map(one), Shape::Map(other)) => {
            Shape::map(join((**one).clone(), (**other).clone()))
        }
        _ => a,
    }
}

/// The shape of every item of a literal, or `Dyn` when they differ.
fn common(shapes: &[Shape]) -> Shape {
    let Some(first) = shapes.first() else {
        return Shape::Dyn;
    };
    let mut shape = first.clone();
    for other in &shapes[1..] {
        if !same(&shape, other) {
            return Shape::Dyn;
        }
        shape = join(shape, other.clone());
    }
    shape
}
