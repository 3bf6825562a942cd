//! An execution: what templates and the functions they call share while it lasts.

use std::any::Any;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::exec::{Frame, Operand};
use crate::impure::Impure;
use crate::parse::{Parsed, Template, Variable, parse};
use crate::{
    CallError, Error, Limits, Map, ParseError, Recorder, Set, Str, Use, Value, World, limits, stack,
};

/// What a function has besides its arguments, and what executes templates.
///
/// One context can execute any number of templates; the limits are for all of them together.
pub struct Context<'a> {
    /// The clock and the dice.
    pub world: &'a dyn World,
    /// What the program that executes the templates keeps for its own functions.
    pub host: &'a mut dyn Any,
    pub(crate) set: Arc<Set>,
    pub(crate) limits: Limits,
    pub(crate) recorder: Option<&'a dyn Recorder>,
    pub(crate) impure: Impure,
    pub(crate) steps: u64,
    value_bytes: u64,
    parse_bytes: u64,
    parse_depth: u32,
    pub(crate) depth: u32,
    /// Variables of all frames, the innermost last.
    pub(crate) variables: Vec<(Variable, Operand)>,
    /// Lists of arguments that are not in use.
    pub(crate) spare: Vec<Vec<Value>>,
    pub(crate) spare_operands: Vec<Vec<Operand>>,
    /// Texts parsed while executing; charts parse the same ones over and over.
    parsed: HashMap<(Str, Str), Rc<Parsed>>,
}

/// What executions use of the limits that are for all of a context together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    steps: u64,
    value_bytes: u64,
}

impl std::ops::Sub for Spent {
    type Output = Self;

    /// What was used since `earlier`.
    fn sub(self, earlier: Self) -> Self {
        Self {
            steps: self.steps - earlier.steps,
            value_bytes: self.value_bytes - earlier.value_bytes,
        }
    }
}

/// Most texts remembered in parsed form.
const PARSED_MAX: usize = 1024;

/// Bytes of text that are written, compared or hashed in the time of a step.
const BYTES_PER_STEP: u64 = 64;

/// Steps of entering a template.
const STEPS_PER_TEMPLATE: u64 = 4;

/// Steps of a call without its arguments.
const STEPS_PER_CALL: u64 = 2;

/// Elements of a list or map that are looked at in the time of a step.
const ELEMENTS_PER_STEP: u64 = 4;

impl<'a> Context<'a> {
    /// A context for the templates of a set.
    pub fn new(
        set: &Arc<Set>,
        world: &'a dyn World,
        host: &'a mut dyn Any,
        limits: Limits,
    ) -> Self {
        Self {
            world,
            host,
            set: Arc::clone(set),
            limits,
            recorder: None,
            impure: Impure::default(),
            steps: limits.steps,
            value_bytes: limits.value_bytes,
            parse_bytes: limits.parse_bytes,
            parse_depth: 0,
            depth: 0,
            variables: Vec::new(),
            spare: Vec::new(),
            spare_operands: Vec::new(),
            parsed: HashMap::new(),
        }
    }

    /// Has a recorder told of what is read from now on; none ends that.
    pub fn record(&mut self, recorder: Option<&'a dyn Recorder>) {
        self.recorder = recorder;
    }

    /// The bounds.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What was used of the limits so far.
    pub fn spent(&self) -> Spent {
        Spent {
            steps: self.limits.steps - self.steps,
            value_bytes: self.limits.value_bytes - self.value_bytes,
        }
    }

    /// Takes off the limits what an execution would use; false, and nothing is taken, if not as much is
    /// left.
    pub fn spend(&mut self, spent: Spent) -> bool {
        let left = (
            self.steps.checked_sub(spent.steps),
            self.value_bytes.checked_sub(spent.value_bytes),
        );
        let (Some(steps), Some(value_bytes)) = left else {
            return false;
        };
        (self.steps, self.value_bytes) = (steps, value_bytes);
        true
    }

    /// How many steps are left.
    pub fn steps_left(&self) -> u64 {
        self.steps
    }

    /// Whether a template of this name can be executed at this moment.
    pub fn contains(&self, name: &[u8]) -> bool {
        self.set.contains(name)
    }

    /// Executes the template of a name and adds what it prints to `out`. What was printed before an
    /// error is there, too.
    ///
    /// # Errors
    /// [`Error::NotFound`] and [`Error::Exec`].
    pub fn execute(&mut self, name: &[u8], dot: &Value, out: &mut Vec<u8>) -> Result<(), Error> {
        let set = Arc::clone(&self.set);
        if self.depth == 0 {
            self.impure.root = name.into();
        }
        let Some(template) = set.find(name) else {
            return Err(Error::NotFound {
                name: String::from_utf8_lossy(name).into_owned(),
                set: set.name().to_text().into_owned(),
            });
        };
        self.enter(template, dot, out)
    }

    /// Parses a text and executes it; it sees all templates of this moment, and what it defines is
    /// seen while it runs, by those templates as well.
    ///
    /// # Errors
    /// [`Error::Parse`] and [`Error::Exec`].
    pub fn execute_text(
        &mut self,
        name: &Str,
        text: &Str,
        dot: &Value,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        // It is at least looked up.
        self.steps = self
            .steps
            .saturating_sub(text.len() as u64 / BYTES_PER_STEP);
        if memchr::memmem::find(text.as_bytes(), b"{{").is_none() {
            // Charts pass most of their values through here, and few hold actions.
            if text.len() + out.len() > self.limits.output_bytes {
                let limit = format!("more than {} bytes of output", self.limits.output_bytes);
                return Err(Error::Limit(limit));
            }
            out.extend_from_slice(text.as_bytes());
            return Ok(());
        }
        let parsed = self.parse_text(name, text)?;
        let Some(template) = parsed.main() else {
            return Ok(());
        };
        let child = Arc::new(Set::child(&self.set, &parsed));
        let parent = std::mem::replace(&mut self.set, child);
        self.parse_depth += 1;
        let done = self.enter(template, dot, out);
        self.parse_depth -= 1;
        self.set = parent;
        done
    }

    fn parse_text(&mut self, name: &Str, text: &Str) -> Result<Rc<Parsed>, ParseError> {
        let limit = |limit: String| ParseError::limit(name, 1, &limit);
        if self.parse_depth >= self.limits.parse_depth {
            return Err(limit(format!(
                "texts parsed more than {} deep inside each other",
                self.limits.parse_depth
            )));
        }
        let key = (name.clone(), text.clone());
        if let Some(parsed) = self.parsed.get(&key) {
            return Ok(Rc::clone(parsed));
        }
        let Some(left) = self.parse_bytes.checked_sub(text.len() as u64) else {
            return Err(limit(format!(
                "more than {} bytes of text parsed while executing",
                self.limits.parse_bytes
            )));
        };
        self.parse_bytes = left;
        let parsed = Rc::new(parse(name.clone(), text.clone(), self.set.functions())?);
        if self.parsed.len() < PARSED_MAX {
            self.parsed.insert(key, Rc::clone(&parsed));
        }
        Ok(parsed)
    }

    /// Executes a template on behalf of the program or a function.
    fn enter(&mut self, template: &Template, dot: &Value, out: &mut Vec<u8>) -> Result<(), Error> {
        if let Some(limit) = self.template_limit() {
            return Err(Error::Limit(limit));
        }
        let variables = self.variables.len();
        let depth = self.depth;
        let dot = Operand::of(dot.clone());
        let mut frame = Frame::new(template, variables);
        let done = stack::grow(|| self.run(&mut frame, &dot, out));
        self.variables.truncate(variables);
        self.depth = depth;
        Ok(done?)
    }

    /// Why no other template may be entered; takes the steps for it.
    pub(crate) fn template_limit(&mut self) -> Option<String> {
        if self.depth >= self.limits.depth {
            return Some(format!("templates nested {} deep", self.limits.depth));
        }
        match self.charge(STEPS_PER_TEMPLATE) {
            Err(CallError::Limit(limit)) => Some(limit),
            _ => None,
        }
    }

    /// Takes steps off the budget: for functions that do more than a few microseconds' work.
    ///
    /// # Errors
    /// [`CallError::Limit`] when none are left.
    pub fn charge(&mut self, steps: u64) -> Result<(), CallError> {
        match self.steps.checked_sub(steps) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => {
                self.steps = 0;
                Err(CallError::Limit(self.steps_text()))
            }
        }
    }

    pub(crate) fn steps_text(&self) -> String {
        format!("more than {} steps", self.limits.steps)
    }

    /// Takes the bytes of a new value off the budget: before they are allocated, where the size
    /// comes from the template. What a function returns is counted anyway.
    ///
    /// # Errors
    /// [`CallError::Limit`] when none are left.
    pub fn charge_bytes(&mut self, bytes: u64) -> Result<(), CallError> {
        // Writing them takes time as well.
        self.charge(bytes / BYTES_PER_STEP)?;
        match self.value_bytes.checked_sub(bytes) {
            Some(left) => {
                self.value_bytes = left;
                Ok(())
            }
            None => {
                self.value_bytes = 0;
                Err(CallError::Limit(format!(
                    "more than {} bytes of values",
                    self.limits.value_bytes
                )))
            }
        }
    }

    /// Takes the steps off the budget for a function that goes over its arguments once.
    pub(crate) fn charge_work<'v>(
        &mut self,
        args: impl IntoIterator<Item = &'v Value>,
    ) -> Result<(), CallError> {
        let work = args.into_iter().map(|arg| match arg {
            Value::String(text) => text.len() as u64 / BYTES_PER_STEP,
            Value::Bytes(bytes) => bytes.len() as u64 / BYTES_PER_STEP,
            Value::List(list) => list.items().len() as u64 / ELEMENTS_PER_STEP,
            Value::Map(map) => map.len() as u64 / ELEMENTS_PER_STEP,
            _ => 0,
        });
        let work: u64 = work.sum();
        self.charge(STEPS_PER_CALL + work)
    }

    /// Makes sure that a value can be gone through and written out: it is not nested too deeply, does
    /// not hold itself, and has not more bytes than an output may have.
    ///
    /// Takes the steps for going through it, and gives about the bytes of it printed.
    ///
    /// # Errors
    /// [`CallError::Limit`].
    pub fn weigh(&mut self, value: &Value) -> Result<usize, CallError> {
        let mut scale = Scale {
            bytes: 0,
            nodes: 0,
            bytes_max: self.limits.output_bytes,
        };
        let weighed = scale.add(value, 0);
        self.charge(scale.nodes)?;
        match weighed {
            Ok(()) => Ok(scale.bytes),
            Err(limit) => Err(CallError::Limit(limit)),
        }
    }

    /// Tells the recorder that a key is looked up.
    pub fn read_key(&mut self, map: &Map, key: &[u8]) {
        if let Some(recorder) = self.recorder {
            recorder.key(map, key);
        }
    }

    /// Tells the recorder that a map is changed.
    pub fn changes(&mut self, map: &Map) {
        if let Some(recorder) = self.recorder {
            recorder.changed(map);
        }
    }

    /// Tells the recorder that a value is used as a whole.
    pub fn read_whole(&mut self, value: &Value, how: Use) {
        if let Some(recorder) = self.recorder
            && matches!(value, Value::List(_) | Value::Map(_) | Value::Host(_))
        {
            recorder.whole(value, how);
        }
    }
}

struct Scale {
    bytes: usize,
    nodes: u64,
    bytes_max: usize,
}

impl Scale {
    fn add(&mut self, value: &Value, depth: usize) -> Result<(), String> {
        self.nodes += 1;
        self.bytes += match value {
            Value::String(text) => text.len(),
            Value::Bytes(bytes) => bytes.len(),
            _ => 2,
        };
        if self.bytes > self.bytes_max {
            return Err(format!("a value of more than {} bytes", self.bytes_max));
        }
        if depth > limits::VALUE_DEPTH_MAX {
            return Err(format!(
                "a value nested more than {} deep",
                limits::VALUE_DEPTH_MAX
            ));
        }
        match value {
            Value::List(list) => stack::grow(|| {
                let mut items = list.items().iter();
                items.try_for_each(|item| self.add(item, depth + 1))
            }),
            Value::Map(map) => stack::grow(|| {
                map.entries().iter().try_for_each(|(key, item)| {
                    self.bytes += key.len();
                    self.add(item, depth + 1)
                })
            }),
            _ => Ok(()),
        }
    }
}
