//! Walks the syntax tree.

use object::Text;

use crate::ast::{Bind, Binding, Call, Comprehension, Element, Entry, Expr, Fold, Index, Kind};
use crate::ast::{Select, Target};
use crate::cost;
use crate::error::{EvalError, EvalErrorKind};
use crate::functions::Function;
use crate::value::{Entries, MapValue};
use crate::{Bindings, Budget, Value};

type Outcome = Result<Value, EvalError>;

pub(crate) struct Evaluator<'a> {
    bindings: &'a Bindings,
    /// Variables of comprehensions and `cel.bind`, innermost last.
    locals: Vec<(Text, Value)>,
    budget: u64,
    left: u64,
    mixed_arithmetic: bool,
}

impl<'a> Evaluator<'a> {
    pub(crate) fn new(bindings: &'a Bindings, budget: Budget, mixed_arithmetic: bool) -> Self {
        Self {
            bindings,
            locals: Vec::new(),
            budget: budget.0,
            left: budget.0,
            mixed_arithmetic,
        }
    }

    /// What was spent.
    pub(crate) fn cost(&self) -> u64 {
        self.budget - self.left
    }

    fn spend(&mut self, cost: u64, at: u32) -> Result<(), EvalError> {
        match self.left.checked_sub(cost) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                Err(fail(EvalErrorKind::CostLimit, at))
            }
        }
    }

    pub(crate) fn value(&mut self, expr: &Expr) -> Outcome {
        match &expr.kind {
            Kind::Literal(value) => Ok(value.clone()),
            Kind::Ident(name) => self.ident(name, expr.at),
            Kind::Select(select) => self.select(select, expr.at),
            Kind::Has(select) => self.has(select, expr.at),
            Kind::Index(index) => self.index(index, expr.at),
            Kind::List(elements) => self.list(elements, expr.at),
            Kind::Map(entries) => self.map(entries, expr.at),
            Kind::Struct(name, fields) => self.object(name, fields, expr.at),
            Kind::And(operands) => self.logic(operands, false),
            Kind::Or(operands) => self.logic(operands, true),
            Kind::Not(operand) => self.not(operand, expr.at),
            Kind::Conditional(branches) => match self.value(&branches[0])? {
                Value::Bool(true) => self.value(&branches[1]),
                Value::Bool(false) => self.value(&branches[2]),
                _ => Err(fail(EvalErrorKind::NoSuchOverload, expr.at)),
            },
            Kind::Call(call) => self.call(call, expr.at),
            Kind::Comprehension(fold) => self.comprehension(fold, expr.at),
            Kind::Bind(bind) => self.bind(bind, expr.at),
        }
    }

    #[inline(never)]
    fn ident(&mut self, name: &str, at: u32) -> Outcome {
        self.spend(cost::SELECT, at)?;
        if let Some((_, value)) = self.locals.iter().rev().find(|(own, _)| own == name) {
            return Ok(value.clone());
        }
        self.bindings
            .get(name)
            .or_else(|| crate::functions::type_named(name))
            .ok_or_else(|| fail(EvalErrorKind::NoSuchAttribute(name.to_owned()), at))
    }

    #[inline(never)]
    fn select(&mut self, select: &Select, at: u32) -> Outcome {
        let operand = self.value(&select.operand)?;
        self.spend(cost::SELECT, at)?;
        if let Value::Optional(inner) = &operand {
            let Some(inner) = inner else {
                return Ok(Value::Optional(None));
            };
            return Ok(match inner.as_ref() {
                Value::Optional(None) => Value::Optional(None),
                inner => self
                    .field(inner, &select.field, at)?
                    .map_or(Value::Optional(None), Value::some),
            });
        }
        let found = self.field(&operand, &select.field, at)?;
        match (found, select.optional) {
            (Some(value), false) => Ok(value),
            (Some(value), true) => Ok(Value::some(value)),
            (None, true) => Ok(Value::Optional(None)),
            (None, false) => Err(fail(EvalErrorKind::NoSuchKey(select.field.to_string()), at)),
        }
    }

    fn field(&self, value: &Value, field: &str, at: u32) -> Result<Option<Value>, EvalError> {
        match value {
            Value::Map(map) => Ok(map.field(field)),
            Value::Opaque(opaque) => match opaque.field(field) {
                Some(outcome) => outcome
                    .map(Some)
                    .map_err(|message| fail(message.into(), at)),
                None => Ok(None),
            },
            // Reading a field of something without fields.
            _ => Err(fail(EvalErrorKind::NoSuchOverload, at)),
        }
    }

    #[inline(never)]
    fn has(&mut self, select: &Select, at: u32) -> Outcome {
        // The test itself is free, as in Kubernetes.
        let operand = self.value(&select.operand)?;
        let operand = match &operand {
            Value::Optional(None) => return Ok(Value::Bool(false)),
            Value::Optional(Some(inner)) => inner.as_ref(),
            other => other,
        };
        Ok(Value::Bool(
            self.field(operand, &select.field, at)?.is_some(),
        ))
    }

    #[inline(never)]
    fn index(&mut self, index: &Index, at: u32) -> Outcome {
        let operand = self.value(&index.operand)?;
        let key = self.value(&index.index)?;
        self.spend(cost::SELECT, at)?;
        let (operand, optional) = match operand {
            Value::Optional(None) => return Ok(Value::Optional(None)),
            Value::Optional(Some(inner)) => (inner.as_ref().clone(), true),
            other => (other, index.optional),
        };
        match (item(&operand, &key), optional) {
            (Ok(value), false) => Ok(value),
            (Ok(value), true) => Ok(Value::some(value)),
            (Err(EvalErrorKind::NoSuchKey(_) | EvalErrorKind::IndexOutOfBounds(_)), true) => {
                Ok(Value::Optional(None))
            }
            (Err(kind), _) => Err(fail(kind, at)),
        }
    }

    #[inline(never)]
    fn list(&mut self, elements: &[Element], at: u32) -> Outcome {
        self.spend(cost::LIST, at)?;
        let mut values = Vec::with_capacity(elements.len());
        for element in elements {
            let value = self.value(&element.value)?;
            match (element.optional, value) {
                (false, value) => values.push(value),
                (true, Value::Optional(Some(value))) => values.push(value.as_ref().clone()),
                (true, Value::Optional(None)) => {}
                (true, _) => return Err(fail(EvalErrorKind::NoSuchOverload, element.value.at)),
            }
        }
        bounded(Value::list(values), at)
    }

    #[inline(never)]
    fn map(&mut self, entries: &[Entry], at: u32) -> Outcome {
        self.spend(cost::MAP, at)?;
        let mut built = Entries::default();
        for entry in entries {
            let key = self.value(&entry.key)?;
            let value = match (entry.optional, self.value(&entry.value)?) {
                (false, value) => value,
                (true, Value::Optional(Some(value))) => value.as_ref().clone(),
                (true, Value::Optional(None)) => continue,
                (true, _) => return Err(fail(EvalErrorKind::NoSuchOverload, entry.value.at)),
            };
            // Of keys written twice the last one counts.
            built
                .set(key, value)
                .map_err(|kind| fail(kind, entry.key.at))?;
        }
        bounded(Value::Map(MapValue::new(built)), at)
    }

    #[inline(never)]
    fn object(&mut self, _name: &str, fields: &[(Text, Expr)], at: u32) -> Outcome {
        self.spend(cost::STRUCT, at)?;
        let mut built = Entries::default();
        for (name, expr) in fields {
            let value = self.value(expr)?;
            built
                .insert(Value::String(name.clone()), value)
                .map_err(|kind| fail(kind, expr.at))?;
        }
        bounded(Value::Map(MapValue::new(built)), at)
    }

    /// `&&` and `||`: any operand equal to `wins` decides, whatever the others do; without one an
    /// error stays an error.
    #[inline(never)]
    fn logic(&mut self, operands: &[Expr], wins: bool) -> Outcome {
        let mut error = None;
        for operand in operands {
            match self.value(operand) {
                Ok(Value::Bool(value)) if value == wins => return Ok(Value::Bool(wins)),
                Ok(Value::Bool(_)) => {}
                Ok(_) => {
                    error.get_or_insert(fail(EvalErrorKind::NoSuchOverload, operand.at));
                }
                Err(other) if other.is_cost_limit() => return Err(other),
                Err(other) => {
                    error.get_or_insert(other);
                }
            }
        }
        error.map_or(Ok(Value::Bool(!wins)), Err)
    }

    #[inline(never)]
    fn not(&mut self, operand: &Expr, at: u32) -> Outcome {
        let value = self.value(operand)?;
        self.spend(1, at)?;
        match value {
            Value::Bool(value) => Ok(Value::Bool(!value)),
            _ => Err(fail(EvalErrorKind::NoSuchOverload, at)),
        }
    }

    #[inline(never)]
    fn call(&mut self, call: &Call, at: u32) -> Outcome {
        // `a.or(b)` and `a.orValue(b)` evaluate `b` only when it is needed.
        if call.member && call.arguments.len() == 2 {
            match call.target.name() {
                "orValue" => return self.or_value(call, true, at),
                "or" => return self.or_value(call, false, at),
                _ => {}
            }
        }
        // Most calls have one or two arguments; the array keeps them off the heap.
        const NONE: Value = Value::Null;
        let mut inline = [NONE; 3];
        let mut many = Vec::new();
        let count = call.arguments.len();
        let arguments: &mut [Value] = if count <= inline.len() {
            &mut inline[..count]
        } else {
            many.resize(count, NONE);
            &mut many
        };
        for (slot, argument) in arguments.iter_mut().zip(&call.arguments) {
            *slot = self.value(argument)?;
        }
        self.apply(call, arguments, at)
    }

    #[inline(never)]
    fn apply(&mut self, call: &Call, arguments: &mut [Value], at: u32) -> Outcome {
        let own = match arguments.split_first() {
            Some((Value::Opaque(opaque), rest)) if call.member => {
                opaque.call(call.target.name(), rest)
            }
            Some((Value::Map(map), rest)) if call.member => map
                .methods()
                .and_then(|methods| methods.call(call.target.name(), rest)),
            _ => None,
        };
        if let Some(outcome) = own {
            let value = outcome.map_err(|message| fail(message.into(), at))?;
            self.spend(1 + value.weight() / 10, at)?;
            return bounded(value, at);
        }
        match &call.target {
            Target::Builtin(function) => {
                if self.mixed_arithmetic {
                    widen(function, arguments);
                }
                // Work that grows faster than its result must not begin unpaid.
                let mut paid = 0;
                if function.cost.is_known_before() {
                    paid = function.cost.of(arguments, None);
                    self.spend(paid, at)?;
                }
                let outcome = (function.call)(arguments);
                if !function.cost.is_known_before() {
                    paid = function.cost.of(arguments, outcome.as_ref().ok());
                    self.spend(paid, at)?;
                }
                let value = outcome.map_err(|kind| fail(kind, at))?;
                self.spend(cost::heavy(&value).saturating_sub(paid), at)?;
                bounded(value, at)
            }
            Target::Extension(name, extension) => {
                let weight = arguments.iter().map(Value::weight);
                let weight = weight.fold(0, u64::saturating_add);
                self.spend(1 + weight / 10, at)?;
                let value = extension
                    .call(name, arguments)
                    .map_err(|message| fail(message.into(), at))?;
                self.spend(cost::heavy(&value), at)?;
                bounded(value, at)
            }
            Target::Named(_) => Err(fail(EvalErrorKind::NoSuchOverload, at)),
        }
    }

    fn or_value(&mut self, call: &Call, unwrap: bool, at: u32) -> Outcome {
        let receiver = self.value(&call.arguments[0])?;
        self.spend(1, at)?;
        match receiver {
            Value::Optional(None) => self.value(&call.arguments[1]),
            Value::Optional(Some(value)) if unwrap => Ok(value.as_ref().clone()),
            Value::Optional(_) => Ok(receiver),
            _ => Err(fail(EvalErrorKind::NoSuchOverload, at)),
        }
    }

    #[inline(never)]
    fn bind(&mut self, bind: &Bind, at: u32) -> Outcome {
        // Kubernetes binds through a fold over an empty list.
        self.spend(cost::LIST, at)?;
        let init = self.value(&bind.init)?;
        let init = match (bind.binding, init) {
            (Binding::Plain, value) => value,
            (_, Value::Optional(None)) => return Ok(Value::Optional(None)),
            (_, Value::Optional(Some(value))) => value.as_ref().clone(),
            _ => return Err(fail(EvalErrorKind::NoSuchOverload, at)),
        };
        self.locals.push((bind.name.clone(), init));
        let outcome = self.value(&bind.body);
        self.locals.pop();
        match bind.binding {
            Binding::OptMap => Ok(Value::some(outcome?)),
            Binding::Plain | Binding::OptFlatMap => outcome,
        }
    }

    #[inline(never)]
    fn comprehension(&mut self, fold: &Comprehension, at: u32) -> Outcome {
        let range = self.value(&fold.range)?;
        let pairs: Box<dyn Iterator<Item = (Value, Value)>> = match &range {
            Value::List(list) => Box::new(
                list.iter()
                    .enumerate()
                    .map(|(index, value)| (Value::Int(index as i64), value)),
            ),
            Value::Map(map) => map.iter(),
            _ => return Err(fail(EvalErrorKind::NoSuchOverload, at)),
        };
        let over_list = matches!(range, Value::List(_));
        let mut state = FoldState::default();
        // Folds cost what the steps of their expansion cost, apart from the body.
        let costs = FoldCosts::of(fold.fold);
        self.spend(costs.before, at)?;
        for (key, value) in pairs {
            self.spend(costs.each, at)?;
            let kept = match fold.fold {
                Fold::Filter => Some(if over_list {
                    value.clone()
                } else {
                    key.clone()
                }),
                _ => None,
            };
            let locals = self.locals.len();
            match &fold.second {
                Some(second) => {
                    self.locals.push((fold.first.clone(), key.clone()));
                    self.locals.push((second.clone(), value));
                }
                None => {
                    let item = if over_list { value } else { key.clone() };
                    self.locals.push((fold.first.clone(), item));
                }
            }
            let done = self.step(fold, key, kept, &mut state);
            self.locals.truncate(locals);
            if done? {
                self.spend(costs.stop, at)?;
                break;
            }
        }
        self.spend(costs.after, at)?;
        bounded(state.finish(fold, at)?, at)
    }

    /// Takes one element into the fold; whether the rest cannot matter.
    fn step(
        &mut self,
        fold: &Comprehension,
        key: Value,
        kept: Option<Value>,
        state: &mut FoldState,
    ) -> Result<bool, EvalError> {
        if let Some(filter) = &fold.filter {
            match self.value(filter)? {
                Value::Bool(true) => {}
                Value::Bool(false) => return Ok(false),
                _ => return Err(fail(EvalErrorKind::NoSuchOverload, filter.at)),
            }
        }
        let at = fold.body.at;
        let outcome = self.value(&fold.body);
        match fold.fold {
            Fold::All | Fold::Exists => {
                let wins = fold.fold == Fold::Exists;
                match outcome {
                    Ok(Value::Bool(value)) if value == wins => {
                        state.decided = true;
                        return Ok(true);
                    }
                    Ok(Value::Bool(_)) => {}
                    Ok(_) => {
                        state
                            .error
                            .get_or_insert(fail(EvalErrorKind::NoSuchOverload, at));
                    }
                    Err(error) if error.is_cost_limit() => return Err(error),
                    Err(error) => {
                        state.error.get_or_insert(error);
                    }
                }
            }
            Fold::ExistsOne => match outcome? {
                Value::Bool(value) => state.count += u64::from(value),
                _ => return Err(fail(EvalErrorKind::NoSuchOverload, at)),
            },
            Fold::Filter => match outcome? {
                Value::Bool(true) => state.values.extend(kept),
                Value::Bool(false) => {}
                _ => return Err(fail(EvalErrorKind::NoSuchOverload, at)),
            },
            Fold::List => state.values.push(outcome?),
            Fold::SortBy => {
                let item = self.locals.last().map(|(_, value)| value.clone());
                state.keys.push(outcome?);
                state.values.extend(item);
            }
            Fold::Map => {
                let value = outcome?;
                let inserted = state.entries.insert(key, value);
                inserted.map_err(|kind| fail(kind, at))?;
            }
            Fold::Entries => match outcome? {
                Value::Map(map) => {
                    for (key, value) in map.iter() {
                        let inserted = state.entries.insert(key, value);
                        inserted.map_err(|kind| fail(kind, at))?;
                    }
                }
                _ => return Err(fail(EvalErrorKind::NoSuchOverload, at)),
            },
        }
        Ok(false)
    }
}

/// What a fold costs apart from its range and body.
struct FoldCosts {
    /// Making the accumulator.
    before: u64,
    /// The condition and the combining step of every element.
    each: u64,
    /// The condition that ends it early.
    stop: u64,
    /// Taking the result.
    after: u64,
}

impl FoldCosts {
    fn of(fold: Fold) -> Self {
        let (before, each, stop, after) = match fold {
            Fold::All => (0, 3, 2, 1),
            Fold::Exists => (0, 4, 3, 1),
            Fold::ExistsOne => (0, 2, 0, 2),
            // Every element is wrapped in a list of its own.
            Fold::List | Fold::SortBy => (cost::LIST, 2 + cost::LIST, 0, 1),
            Fold::Filter => (cost::LIST, 3 + cost::LIST, 0, 1),
            Fold::Map => (cost::MAP, 3, 0, 1),
            Fold::Entries => (cost::MAP, 2, 0, 1),
        };
        Self {
            before,
            each,
            stop,
            after,
        }
    }
}

#[derive(Default)]
struct FoldState {
    decided: bool,
    error: Option<EvalError>,
    count: u64,
    keys: Vec<Value>,
    values: Vec<Value>,
    entries: Entries,
}

impl FoldState {
    fn finish(self, fold: &Comprehension, at: u32) -> Outcome {
        Ok(match fold.fold {
            Fold::All | Fold::Exists => {
                if let (Some(error), false) = (self.error, self.decided) {
                    return Err(error);
                }
                Value::Bool(self.decided == (fold.fold == Fold::Exists))
            }
            Fold::ExistsOne => Value::Bool(self.count == 1),
            Fold::List | Fold::Filter => Value::list(self.values),
            Fold::Map | Fold::Entries => Value::Map(MapValue::new(self.entries)),
            Fold::SortBy => crate::functions::lists::sort_by_keys(self.values, &self.keys)
                .map_err(|kind| fail(kind, at))?,
        })
    }
}

/// Refuses values that consist of more than [`crate::VALUE_WEIGHT_MAX`] values.
fn bounded(value: Value, at: u32) -> Outcome {
    match value.weight() > crate::VALUE_WEIGHT_MAX {
        true => Err(fail(EvalErrorKind::CostLimit, at)),
        false => Ok(value),
    }
}

fn fail(kind: EvalErrorKind, at: u32) -> EvalError {
    EvalError { kind, at }
}

/// `operand[key]`
fn item(operand: &Value, key: &Value) -> Result<Value, EvalErrorKind> {
    match operand {
        Value::List(list) => {
            let index = match key {
                Value::Int(index) => *index,
                Value::Uint(index) => i64::try_from(*index).unwrap_or(i64::MAX),
                Value::Double(index) if index.fract() == 0.0 => *index as i64,
                _ => return Err(EvalErrorKind::NoSuchOverload),
            };
            usize::try_from(index)
                .ok()
                .and_then(|index| list.get(index))
                .ok_or(EvalErrorKind::IndexOutOfBounds(index))
        }
        Value::Map(map) if !map.is_object() => map
            .get(key)
            .ok_or_else(|| EvalErrorKind::NoSuchKey(key.display())),
        _ => Err(EvalErrorKind::NoSuchOverload),
    }
}

/// Makes integers and floats one kind of number.
fn widen(function: &'static Function, arguments: &mut [Value]) {
    let operator = function.name;
    match operator {
        // Whole numbers print as such.
        "string" => {
            if let [value @ Value::Double(_)] = arguments {
                *value = printed(value);
            }
            return;
        }
        name if name.starts_with("math.") && function.arity == (1, 1) => {
            let floats = matches!(
                &name[5..],
                "ceil" | "floor" | "round" | "trunc" | "isNaN" | "isInf" | "isFinite"
            );
            if let (true, [value @ (Value::Int(_) | Value::Uint(_))]) = (floats, &mut *arguments) {
                *value = float(value);
            }
            return;
        }
        _ => {}
    }
    if !matches!(operator, "_+_" | "_-_" | "_*_" | "_/_" | "_%_") {
        return;
    }
    if !arguments
        .iter()
        .any(|value| matches!(value, Value::Double(_)))
    {
        return;
    }
    for value in arguments {
        *value = float(value);
    }
}

fn float(value: &Value) -> Value {
    match value {
        Value::Int(number) => Value::Double(*number as f64),
        Value::Uint(number) => Value::Double(*number as f64),
        other => other.clone(),
    }
}

/// The value that prints as this one should.
fn printed(value: &Value) -> Value {
    match value {
        Value::Double(number) => crate::value::whole(*number).map_or(value.clone(), Value::Int),
        other => other.clone(),
    }
}
