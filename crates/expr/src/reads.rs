//! Which data an expression looks at.

use std::collections::BTreeSet;

use object::Text;

use crate::ast::{Expr, Kind};
use crate::{Program, Value};

/// A place in the data that an expression may look at, with everything below it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Read {
    /// The variable.
    pub variable: Text,
    /// Steps from its value to the place.
    pub steps: Vec<ReadStep>,
}

/// One step from a value to a part of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReadStep {
    /// A field, or a key written as text.
    Field(Text),
    /// An item of a list, by a number that is written out.
    Index(i64),
    /// Some item or field; which one only the evaluation knows.
    Any,
}

impl Read {
    /// Whether `place`, a path of keys from the variable on, is inside what is read or around it.
    pub fn touches(&self, variable: &str, place: &[Text]) -> bool {
        self.variable == variable
            && self.steps.iter().zip(place).all(|(step, key)| match step {
                ReadStep::Field(name) => name == key,
                ReadStep::Index(index) => index.to_string() == key.as_str(),
                ReadStep::Any => true,
            })
    }
}

impl std::fmt::Display for Read {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.variable)?;
        for step in &self.steps {
            match step {
                ReadStep::Field(name) => write!(f, ".{name}")?,
                ReadStep::Index(index) => write!(f, "[{index}]")?,
                ReadStep::Any => f.write_str("[*]")?,
            }
        }
        Ok(())
    }
}

impl Program {
    /// The places of the data the expression may look at, each once, ordered by name.
    ///
    /// Whatever branch is taken: `a.b ? c : d` reads three places. A place inside another that is
    /// read, too, is listed as well.
    pub fn reads(&self) -> Vec<Read> {
        let mut reader = Reader::default();
        reader.whole(&self.0.root);
        reader.reads.into_iter().collect()
    }
}

/// Where a value comes from; `None` when it is computed.
type Origin = Option<Read>;

#[derive(Default)]
struct Reader {
    reads: BTreeSet<Read>,
    locals: Vec<(Text, Origin)>,
}

impl Reader {
    /// The value of `expr` is used as it is.
    fn whole(&mut self, expr: &Expr) {
        if let Some(read) = self.origin(expr) {
            self.reads.insert(read);
        }
    }

    /// Where the value of `expr` comes from; reads what its parts use.
    fn origin(&mut self, expr: &Expr) -> Origin {
        let step = |origin: Origin, step: ReadStep| {
            origin.map(|mut read| {
                read.steps.push(step);
                read
            })
        };
        match &expr.kind {
            Kind::Literal(_) => None,
            Kind::Ident(name) => match self.locals.iter().rev().find(|(own, _)| own == name) {
                Some((_, origin)) => origin.clone(),
                None if crate::functions::type_named(name).is_some() => None,
                None => Some(Read {
                    variable: name.clone(),
                    steps: Vec::new(),
                }),
            },
            Kind::Select(select) => step(
                self.origin(&select.operand),
                ReadStep::Field(select.field.clone()),
            ),
            Kind::Has(select) => {
                let read = step(
                    self.origin(&select.operand),
                    ReadStep::Field(select.field.clone()),
                );
                self.reads.extend(read);
                None
            }
            Kind::Index(index) => {
                let operand = self.origin(&index.operand);
                match &index.index.kind {
                    Kind::Literal(Value::String(key)) => {
                        step(operand, ReadStep::Field(key.clone()))
                    }
                    Kind::Literal(Value::Int(at)) => step(operand, ReadStep::Index(*at)),
                    _ => {
                        self.whole(&index.index);
                        step(operand, ReadStep::Any)
                    }
                }
            }
            Kind::List(elements) => {
                elements
                    .iter()
                    .for_each(|element| self.whole(&element.value));
                None
            }
            Kind::Map(entries) => {
                for entry in entries {
                    self.whole(&entry.key);
                    self.whole(&entry.value);
                }
                None
            }
            Kind::Struct(_, fields) => {
                fields.iter().for_each(|(_, value)| self.whole(value));
                None
            }
            Kind::And(operands) | Kind::Or(operands) => {
                operands.iter().for_each(|operand| self.whole(operand));
                None
            }
            Kind::Not(operand) => {
                self.whole(operand);
                None
            }
            Kind::Conditional(branches) => {
                branches.iter().for_each(|branch| self.whole(branch));
                None
            }
            Kind::Call(call) => {
                call.arguments
                    .iter()
                    .for_each(|argument| self.whole(argument));
                None
            }
            Kind::Comprehension(fold) => {
                let range = self.origin(&fold.range);
                // The keys and the number of items matter, whatever the body looks at.
                self.reads.extend(range.clone());
                let scope = self.locals.len();
                let item = step(range, ReadStep::Any);
                match &fold.second {
                    Some(second) => {
                        self.locals.push((fold.first.clone(), None));
                        self.locals.push((second.clone(), item));
                    }
                    None => self.locals.push((fold.first.clone(), item)),
                }
                if let Some(filter) = &fold.filter {
                    self.whole(filter);
                }
                self.whole(&fold.body);
                self.locals.truncate(scope);
                None
            }
            Kind::Bind(bind) => {
                let init = self.origin(&bind.init);
                self.reads.extend(init.clone());
                self.locals.push((bind.name.clone(), init));
                self.whole(&bind.body);
                self.locals.pop();
                None
            }
        }
    }
}
