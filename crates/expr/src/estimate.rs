//! What an expression may cost at most, before there is data.
//!
//! Sizes of data come from a [`Sizes`] tree, sizes of results from what functions do; a size
//! nobody bounds is as large as a number gets, and so is the cost of walking it.
//!
//! # Source
//! google/cel-go `checker/cost.go`, `ext/sets.go`; kubernetes/apiserver `pkg/cel/library/cost.go`.

use std::collections::BTreeMap;
use std::sync::Arc;

use object::Text;

use crate::ast::{Binding, Call, Comprehension, Expr, Fold, Kind};
use crate::{Budget, Program, Shape, Value};

/// How large declared data can get.
#[derive(Clone, Debug, Default)]
pub struct Sizes {
    /// Most characters, bytes, items or entries; 0 for scalars and objects.
    pub most: u64,
    /// What it is.
    pub shape: Shape,
    /// Of the items of a list or values of a map.
    pub item: Option<Arc<Sizes>>,
    /// Of the fields of an object, by the names expressions use.
    pub fields: BTreeMap<Text, Arc<Sizes>>,
}

impl Program {
    /// The most one evaluation can cost when variables are no larger than told.
    pub fn estimate(&self, variables: &[(&str, Arc<Sizes>)]) -> Budget {
        let locals = variables.iter().map(|(name, sizes)| {
            let name = Text::from(*name);
            (name, Estimate::of_data(sizes.clone()))
        });
        let mut estimator = Estimator {
            locals: locals.collect(),
        };
        Budget(estimator.expr(&self.0.root).cost)
    }
}

/// Least and most.
type Range = (u64, u64);

const UNKNOWN: Range = (0, u64::MAX);
const ONE: Range = (1, 1);

/// What is known of the value of an expression.
#[derive(Clone, Debug, Default)]
struct Estimate {
    cost: u64,
    /// Characters, bytes, items or entries.
    size: Option<Range>,
    /// Sizes of keys and of values of a list or map.
    entries: Option<(Range, Range)>,
    /// The data it is, if it is a part of declared data.
    data: Option<Arc<Sizes>>,
    shape: Shape,
}

impl Estimate {
    fn of_data(data: Arc<Sizes>) -> Self {
        Self {
            cost: 1,
            shape: data.shape.clone(),
            data: Some(data),
            ..Self::default()
        }
    }

    fn of(cost: u64, shape: Shape) -> Self {
        Self {
            cost,
            shape,
            ..Self::default()
        }
    }

    fn known_size(&self) -> Option<Range> {
        let scalar = matches!(
            self.shape,
            Shape::Bool
                | Shape::Double
                | Shape::Duration
                | Shape::Int
                | Shape::Timestamp
                | Shape::Date
                | Shape::Uint
        );
        self.size
            .or_else(|| self.data.as_ref().map(|data| (0, data.most)))
            .or(scalar.then_some(ONE))
    }

    fn size(&self) -> Range {
        self.known_size().unwrap_or(UNKNOWN)
    }

    /// An item of a list, a value of a map.
    fn value(&self) -> Self {
        let inner = match &self.shape {
            Shape::List(list) => list.item.clone(),
            Shape::Map(value) => (**value).clone(),
            _ => Shape::Dyn,
        };
        Self {
            cost: 1,
            size: self.entries.map(|(_, value)| value),
            data: self.data.as_ref().and_then(|data| data.item.clone()),
            shape: inner,
            entries: None,
        }
    }

    /// A key of a map, an index of a list.
    fn key(&self) -> Self {
        let shape = match self.shape {
            Shape::List(_) => Shape::Int,
            _ => Shape::String,
        };
        Self {
            cost: 1,
            size: self.entries.map(|(key, _)| key),
            ..Self::of(1, shape)
        }
    }

    fn is_text(&self) -> bool {
        matches!(self.shape, Shape::String | Shape::Bytes)
    }

    fn is_unknown(&self) -> bool {
        matches!(self.shape, Shape::Dyn)
    }
}

fn add(a: Range, b: Range) -> Range {
    (a.0.saturating_add(b.0), a.1.saturating_add(b.1))
}

fn union(a: Range, b: Range) -> Range {
    (a.0.min(b.0), a.1.max(b.1))
}

/// So many times a factor, rounded up.
fn scaled(count: u64, factor: f64) -> u64 {
    // The cast saturates.
    (count as f64 * factor).ceil() as u64
}

fn tenth(size: Range) -> u64 {
    scaled(size.1, 0.1)
}

struct Estimator {
    locals: Vec<(Text, Estimate)>,
}

impl Estimator {
    fn expr(&mut self, expr: &Expr) -> Estimate {
        match &expr.kind {
            Kind::Literal(value) => literal(value),
            Kind::Ident(name) => {
                let found = self.locals.iter().rev().find(|(own, _)| own == name);
                let found = found.map(|(_, estimate)| estimate.clone());
                // Names of types count as large as the first variable.
                let other = || Estimate {
                    size: self
                        .locals
                        .first()
                        .and_then(|(_, first)| first.known_size()),
                    ..Estimate::default()
                };
                Estimate {
                    cost: 1,
                    ..found.unwrap_or_else(other)
                }
            }
            Kind::Select(select) => {
                let operand = self.expr(&select.operand);
                // Objects and maps cost a step, values of unknown type none.
                let step = u64::from(!operand.is_unknown() || select.optional);
                let cost = operand.cost.saturating_add(step);
                if select.optional || matches!(operand.shape, Shape::Optional(_)) {
                    return Estimate::of(cost, Shape::Dyn);
                }
                let data = operand.data.as_ref().and_then(|data| {
                    let field = data.fields.get(&select.field);
                    field
                        .or_else(|| data.fields.get(format!("__{}__", select.field).as_str()))
                        .or(data.item.as_ref())
                        .cloned()
                });
                let shape = data.as_ref().map_or(Shape::Dyn, |data| data.shape.clone());
                Estimate {
                    data,
                    ..Estimate::of(cost, shape)
                }
            }
            Kind::Has(select) => {
                // The test takes the place of the last step to its operand.
                let operand = self.expr(&select.operand);
                Estimate::of(operand.cost.saturating_sub(1), Shape::Bool)
            }
            Kind::Index(index) => {
                let operand = self.expr(&index.operand);
                let key = self.expr(&index.index);
                let cost = operand.cost.saturating_add(key.cost).saturating_add(1);
                if index.optional || matches!(operand.shape, Shape::Optional(_)) {
                    return Estimate::of(cost, Shape::Dyn);
                }
                Estimate {
                    cost,
                    ..operand.value()
                }
            }
            Kind::List(elements) => {
                let mut cost = crate::cost::LIST;
                let mut item: Option<Range> = None;
                for element in elements {
                    let estimate = self.expr(&element.value);
                    cost = cost.saturating_add(estimate.cost);
                    item = Some(item.map_or(estimate.size(), |item| union(item, estimate.size())));
                }
                let count = elements.len() as u64;
                Estimate {
                    size: Some((count, count)),
                    entries: Some((ONE, item.unwrap_or((0, 0)))),
                    ..Estimate::of(cost, Shape::list(Shape::Dyn))
                }
            }
            Kind::Map(entries) => {
                let mut cost = crate::cost::MAP;
                let mut sizes: Option<(Range, Range)> = None;
                for entry in entries {
                    let (key, value) = (self.expr(&entry.key), self.expr(&entry.value));
                    cost = cost.saturating_add(key.cost).saturating_add(value.cost);
                    let own = (key.size(), value.size());
                    sizes =
                        Some(sizes.map_or(own, |all| (union(all.0, own.0), union(all.1, own.1))));
                }
                let count = entries.len() as u64;
                Estimate {
                    size: Some((count, count)),
                    entries: Some(sizes.unwrap_or(((0, 0), (0, 0)))),
                    ..Estimate::of(cost, Shape::map(Shape::Dyn))
                }
            }
            Kind::Struct(_, fields) => {
                let costs = fields.iter().map(|(_, value)| self.expr(value).cost);
                let cost = costs.fold(crate::cost::STRUCT, u64::saturating_add);
                Estimate::of(cost, Shape::Dyn)
            }
            Kind::And(operands) | Kind::Or(operands) => {
                let costs = operands.iter().map(|operand| self.expr(operand).cost);
                Estimate::of(costs.fold(0, u64::saturating_add), Shape::Bool)
            }
            Kind::Not(operand) => {
                let operand = self.expr(operand);
                Estimate::of(operand.cost.saturating_add(1), Shape::Bool)
            }
            Kind::Conditional(branches) => {
                let condition = self.expr(&branches[0]);
                let (then, otherwise) = (self.expr(&branches[1]), self.expr(&branches[2]));
                let entries = then.entries.zip(otherwise.entries);
                Estimate {
                    cost: condition.cost.saturating_add(then.cost.max(otherwise.cost)),
                    size: Some(union(then.size(), otherwise.size())),
                    entries: entries.map(|(a, b)| (union(a.0, b.0), union(a.1, b.1))),
                    data: None,
                    shape: then.shape,
                }
            }
            Kind::Call(call) => self.call(call),
            Kind::Comprehension(fold) => self.comprehension(fold),
            Kind::Bind(bind) => {
                let init = self.expr(&bind.init);
                let bound = match bind.binding {
                    Binding::Plain => init.clone(),
                    Binding::OptMap | Binding::OptFlatMap => Estimate::of(1, Shape::Dyn),
                };
                self.locals.push((bind.name.clone(), bound));
                let body = self.expr(&bind.body);
                self.locals.pop();
                // Macros bind through a fold over an empty list.
                let cost = init
                    .cost
                    .saturating_add(body.cost)
                    .saturating_add(crate::cost::LIST);
                match bind.binding {
                    Binding::Plain => Estimate { cost, ..body },
                    // The test for a value, the value, and the wrapping.
                    _ => Estimate::of(cost.saturating_add(init.cost).saturating_add(3), Shape::Dyn),
                }
            }
        }
    }

    fn comprehension(&mut self, fold: &Comprehension) -> Estimate {
        let range = self.expr(&fold.range);
        let scope = self.locals.len();
        let over_map = matches!(range.shape, Shape::Map(_));
        let item = if over_map { range.key() } else { range.value() };
        match &fold.second {
            Some(second) => {
                self.locals.push((fold.first.clone(), range.key()));
                self.locals.push((second.clone(), range.value()));
            }
            None => self.locals.push((fold.first.clone(), item.clone())),
        }
        let filter = fold
            .filter
            .as_ref()
            .map_or(0, |filter| self.expr(filter).cost);
        let body = self.expr(&fold.body);
        self.locals.truncate(scope);
        // What the fold's own steps cost: before, each time, after.
        let (before, each, after) = match fold.fold {
            Fold::All => (0, 3, 1),
            Fold::Exists => (0, 4, 1),
            Fold::ExistsOne => (0, 2, 2),
            Fold::List | Fold::SortBy => (10, 12, 1),
            Fold::Filter => (10, 13, 1),
            Fold::Map => (30, 3, 1),
            Fold::Entries => (30, 2, 1),
        };
        let step = filter.saturating_add(body.cost).saturating_add(each);
        let mut cost = range.size().1.saturating_mul(step);
        cost = cost
            .saturating_add(range.cost)
            .saturating_add(before + after);
        if fold.fold == Fold::SortBy {
            cost = cost.saturating_add(range.size().1.saturating_mul(range.size().1));
        }
        let whole = |shape, value: Range| Estimate {
            size: Some(range.size()),
            entries: Some((ONE, value)),
            ..Estimate::of(cost, shape)
        };
        match fold.fold {
            Fold::All | Fold::Exists | Fold::ExistsOne => Estimate::of(cost, Shape::Bool),
            Fold::List => whole(Shape::list(body.shape.clone()), body.size()),
            Fold::Filter | Fold::SortBy => whole(Shape::list(item.shape.clone()), item.size()),
            Fold::Map | Fold::Entries => whole(Shape::map(body.shape.clone()), body.size()),
        }
    }

    fn call(&mut self, call: &Call) -> Estimate {
        let arguments: Vec<Estimate> = call
            .arguments
            .iter()
            .map(|argument| self.expr(argument))
            .collect();
        let name = call.target.name();
        let gives = match &call.target {
            crate::ast::Target::Builtin(function) => function.gives.clone(),
            _ => Shape::Dyn,
        };
        let mut estimate = function(name, call.member, &arguments);
        if estimate.is_unknown() {
            estimate.shape = gives;
        }
        for argument in &arguments {
            estimate.cost = estimate.cost.saturating_add(argument.cost);
        }
        estimate
    }
}

fn literal(value: &Value) -> Estimate {
    let shape = match value {
        Value::String(_) => Shape::String,
        Value::Bytes(_) => Shape::Bytes,
        Value::Bool(_) => Shape::Bool,
        Value::Int(_) => Shape::Int,
        Value::Uint(_) => Shape::Uint,
        Value::Double(_) => Shape::Double,
        _ => Shape::Dyn,
    };
    let size = value.size();
    Estimate {
        size: Some((size, size)),
        ..Estimate::of(0, shape)
    }
}

/// What a call costs apart from its arguments, and what it gives.
fn function(name: &str, member: bool, a: &[Estimate]) -> Estimate {
    let size = |index: usize| a.get(index).map_or(UNKNOWN, Estimate::size);
    let cost = |cost: u64| Estimate::of(cost, Shape::Dyn);
    let sized = |cost: u64, size: Range, shape: Shape| Estimate {
        size: Some(size),
        ..Estimate::of(cost, shape)
    };
    match (name, a) {
        ("_==_" | "_!=_" | "_<_" | "_<=_" | "_>_" | "_>=_", [left, right]) => {
            let equality = matches!(name, "_==_" | "_!=_");
            let opaque = matches!(left.shape, Shape::Named(_));
            let walked = equality || left.is_text() || left.is_unknown();
            if opaque || !walked {
                return Estimate::of(1, Shape::Bool);
            }
            let least = left.size().1.min(right.size().1);
            Estimate::of(scaled(least, 0.1), Shape::Bool)
        }
        ("_+_", [left, right]) => {
            let total = add(left.size(), right.size());
            if let Shape::List(_) = left.shape {
                let entries = left.entries.zip(right.entries);
                return Estimate {
                    entries: entries.map(|(a, b)| (union(a.0, b.0), union(a.1, b.1))),
                    ..sized(1, total, left.shape.clone())
                };
            }
            let text = left.is_text() || right.is_text();
            if text || (left.is_unknown() && right.is_unknown()) {
                let shape = if text { Shape::String } else { Shape::Dyn };
                return sized(tenth(total).max(1), total, shape);
            }
            Estimate::of(1, left.shape.clone())
        }
        ("_-_" | "_*_" | "_/_" | "_%_" | "-_", [left, ..]) => Estimate::of(1, left.shape.clone()),
        ("@in", [_, list]) => match list.shape {
            Shape::Map(_) => Estimate::of(1, Shape::Bool),
            _ => Estimate::of(list.size().1, Shape::Bool),
        },
        ("dyn", [value]) => Estimate {
            cost: 1,
            ..value.clone()
        },
        ("startsWith" | "endsWith", [_, needle]) => cost(tenth(needle.size())),
        ("matches" | "find" | "findAll", [text, pattern, ..]) => {
            let text = add(text.size(), ONE);
            let searched = tenth(text).saturating_mul(scaled(pattern.size().1, 0.25));
            match name {
                "matches" => cost(searched),
                _ => sized(searched, (0, text.1), Shape::Dyn),
            }
        }
        ("contains", [text, needle]) => {
            cost(tenth(text.size()).saturating_mul(tenth(needle.size())))
        }
        (
            "isSorted" | "sum" | "max" | "min" | "indexOf" | "lastIndexOf" | "includes",
            [target, ..],
        ) => match &target.shape {
            Shape::String => cost(tenth(target.size())),
            _ => {
                let item = target.value();
                let each = match item.is_text() {
                    true => tenth(item.size()).saturating_add(1),
                    false => 1,
                };
                Estimate {
                    size: item.known_size(),
                    ..Estimate::of(target.size().1.saturating_mul(each), item.shape)
                }
            }
        },
        ("url" | "lowerAscii" | "upperAscii" | "substring" | "trim", _) => {
            sized(tenth(size(0)), size(0), Shape::Dyn)
        }
        ("replace", [text, old, new, ..]) => {
            let (text, old, new) = (text.size(), old.size(), new.size());
            let (count, kept) = if old.0 == 0 {
                (text.1.saturating_add(1), text.1)
            } else if new.1 <= old.0 {
                (0, text.1)
            } else {
                (text.1.div_ceil(old.0), 0)
            };
            let most = count.saturating_mul(new.1).saturating_add(kept);
            sized(scaled(text.1, 0.2), (0, most), Shape::String)
        }
        ("split", [text, ..]) => Estimate {
            entries: Some((ONE, (0, text.size().1))),
            ..sized(
                scaled(text.size().1, 0.2),
                (0, text.size().1),
                Shape::list(Shape::String),
            )
        },
        ("join", [list, ..]) => {
            let separators = list
                .size()
                .1
                .saturating_sub(1)
                .saturating_mul(a.get(1).map_or(0, |s| s.size().1));
            let items = list.size().1.saturating_mul(list.value().size().1);
            let total = (0, items.saturating_add(separators));
            sized(tenth(total), total, Shape::String)
        }
        ("cidr" | "isIP" | "isCIDR" | "quantity" | "isQuantity" | "semver" | "isSemver", _) => {
            cost(tenth(size(0)))
        }
        ("ip", _) if !member => cost(tenth(size(0))),
        ("ip.isCanonical", _) => cost(scaled(size(0).1, 0.2)),
        // Addresses have up to 16 bytes; texts are parsed first.
        ("containsIP" | "containsCIDR", [_, other]) => {
            let parse = if other.is_text() {
                tenth(other.size())
            } else {
                0
            };
            let compare = if name == "containsIP" { 4 } else { 7 };
            cost(parse.saturating_add(compare))
        }
        ("validate", [_, text]) => cost(scaled(tenth(text.size()), 32.0)),
        ("bytes", [text]) if text.is_text() => {
            let most = text.size().1.saturating_mul(4);
            sized(tenth(text.size()), (0, most), Shape::Bytes)
        }
        ("string", [value]) if matches!(value.shape, Shape::Bytes) => {
            sized(tenth(value.size()), (0, value.size().1), Shape::String)
        }
        ("strings.quote", [text]) => {
            let most = text.size().1.saturating_mul(2).saturating_add(2);
            sized(tenth(text.size()), (2, most), Shape::String)
        }
        ("format", [pattern, ..]) => cost(tenth(pattern.size())),
        ("sets.contains" | "sets.intersects", _) => {
            cost(size(0).1.saturating_mul(size(1).1).saturating_add(1))
        }
        ("sets.equivalent", _) => cost(
            size(0)
                .1
                .saturating_mul(size(1).1)
                .saturating_mul(2)
                .saturating_add(1),
        ),
        ("distinct" | "sort", [list]) => Estimate {
            cost: size(0).1.saturating_mul(size(0).1).saturating_add(1),
            ..list.clone()
        },
        ("slice" | "flatten" | "reverse", [list, ..]) => Estimate {
            cost: size(0).1.saturating_add(1),
            size: Some(list.size()),
            ..list.clone()
        },
        _ => cost(1),
    }
}
