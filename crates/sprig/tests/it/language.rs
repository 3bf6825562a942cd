//! As much of the template language as calls need: literals, pipelines, parentheses, variables.

use std::any::Any;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use golang::Timestamp;
use gotemplate::{
    CallError, Context, Functions, Host, Kind, Limits, MapType, Set, Type, Value, World, format,
};

struct NoWorld;

impl World for NoWorld {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(0)
    }

    fn random(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

/// A pointer to something with methods.
#[derive(Debug)]
struct Version;

impl Host for Version {
    fn type_name(&self) -> &'static str {
        "*semver.Version"
    }

    fn kind(&self) -> Kind {
        Kind::Pointer
    }

    fn display(&self) -> String {
        "1.2.3".into()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Functions, and the variables that calls have set.
pub struct Session {
    functions: Functions,
    variables: HashMap<String, Value>,
}

impl Session {
    pub fn new() -> Self {
        Self {
            functions: sprig::functions(),
            variables: HashMap::new(),
        }
    }

    /// Gives a variable a value.
    pub fn set(&mut self, name: &str, value: Value) {
        self.variables.insert(name.to_owned(), value);
    }

    /// The value of the last of the statements, which ` ;; ` separates.
    pub fn run(&mut self, text: &str) -> Result<Value, CallError> {
        let mut last = Value::Nil;
        for statement in text.split(" ;; ") {
            let (name, pipeline) = match statement.split_once(" := ") {
                Some((name, pipeline)) if name.starts_with('$') => (Some(&name[1..]), pipeline),
                _ => (None, statement),
            };
            let mut parser = Parser {
                text: pipeline,
                session: self,
            };
            last = parser.pipeline()?;
            assert!(parser.text.trim().is_empty(), "left: {}", parser.text);
            if let Some(name) = name {
                self.set(name, last.clone());
            }
        }
        Ok(last)
    }

    fn call(&self, name: &str, mut args: Vec<Value>) -> Result<Value, CallError> {
        match name {
            "printf" => {
                let Value::String(format) = &args[0] else {
                    panic!("no format")
                };
                return format::sprintf(format.as_bytes(), &args[1..]).map(Value::from);
            }
            "semver" => return Ok(Value::Host(Rc::new(Version))),
            _ => {}
        }
        let Some(function) = self.functions.get(name) else {
            panic!("no function {name}")
        };
        assert!(
            args.len() == function.params.len()
                || args.len() > function.params.len() && function.variadic.is_some(),
            "{name} with {} arguments",
            args.len()
        );
        for (at, arg) in args.iter_mut().enumerate() {
            let wanted = function.params.get(at).copied().or(function.variadic);
            let wanted = wanted.expect("counted above");
            // Constants fit both kinds of number.
            *arg = match (wanted, std::mem::take(arg)) {
                (Type::Int, Value::Float(number)) => Value::int(number as i64),
                (Type::Float64, Value::Int(number, _)) => Value::Float(number as f64),
                (_, value) => value,
            };
            let fits = match (wanted, &*arg) {
                (Type::Any, _) | (Type::Map, Value::Nil) => true,
                (Type::String, Value::String(_)) => true,
                (Type::Int, Value::Int(..)) => true,
                (Type::Float64, Value::Float(_)) => true,
                (Type::Bool, Value::Bool(_)) => true,
                (Type::Map, Value::Map(map)) => !matches!(map.of(), MapType::String),
                _ => false,
            };
            assert!(fits, "argument {at} of {name} is no {wanted:?}: {arg:?}");
        }
        let mut host = ();
        let set = Arc::<Set>::default();
        let mut context = Context::new(&set, &NoWorld, &mut host, Limits::default());
        (function.body)(&mut context, &mut args)
    }
}

struct Parser<'t, 's> {
    text: &'t str,
    session: &'s Session,
}

impl<'t> Parser<'t, '_> {
    fn skip(&mut self, prefix: &str) -> bool {
        self.text = self.text.trim_start();
        match self.text.strip_prefix(prefix) {
            Some(rest) => {
                self.text = rest;
                true
            }
            None => false,
        }
    }

    fn pipeline(&mut self) -> Result<Value, CallError> {
        let mut value = self.command(None)?;
        while self.skip("|") {
            value = self.command(Some(value))?;
        }
        Ok(value)
    }

    fn command(&mut self, piped: Option<Value>) -> Result<Value, CallError> {
        let name = self.word();
        let mut args = Vec::new();
        if name.is_empty() {
            return self.operand().expect("a command");
        }
        while let Some(arg) = self.operand() {
            args.push(arg?);
        }
        args.extend(piped);
        self.session.call(name, args)
    }

    fn word(&mut self) -> &'t str {
        self.text = self.text.trim_start();
        let end = self.text.find(|c: char| !c.is_ascii_alphanumeric());
        let (word, rest) = self.text.split_at(end.unwrap_or(self.text.len()));
        let literal = matches!(word, "true" | "false" | "nil");
        if literal || !word.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return "";
        }
        self.text = rest;
        word
    }

    fn operand(&mut self) -> Option<Result<Value, CallError>> {
        self.text = self.text.trim_start();
        if self.text.is_empty() || self.text.starts_with(['|', ')']) {
            return None;
        }
        if self.skip("(") {
            let value = self.pipeline();
            assert!(value.is_err() || self.skip(")"), "left: {}", self.text);
            if !self.text.starts_with('.') {
                return Some(value);
            }
            self.text = &self.text[1..];
            let end = self.text.find([' ', ')']).unwrap_or(self.text.len());
            let (field, rest) = self.text.split_at(end);
            self.text = rest;
            return Some(value.map(|value| match value {
                Value::Map(map) => map.get(field.as_bytes()).unwrap_or_default(),
                _ => Value::Nil,
            }));
        }
        if self.text.starts_with('"') {
            return Some(Ok(self.quoted()));
        }
        let end = self.text.find([' ', ')', '|']).unwrap_or(self.text.len());
        let (word, rest) = self.text.split_at(end);
        self.text = rest;
        Some(match word {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            "nil" => Ok(Value::Nil),
            _ if word.starts_with('$') => Ok(self.session.variables[&word[1..]].clone()),
            _ if word.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                self.session.call(word, Vec::new())
            }
            _ => Ok(match word.parse() {
                Ok(number) => Value::int(number),
                Err(_) => Value::Float(word.parse().expect("a number")),
            }),
        })
    }

    fn quoted(&mut self) -> Value {
        let (value, rest) = unquoted(self.text);
        self.text = rest;
        Value::from(value)
    }
}

/// The quoted text at the start, and what is behind it.
pub fn unquoted(text: &str) -> (Vec<u8>, &str) {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 1;
    loop {
        match bytes[at] {
            b'"' => return (out, &text[at + 1..]),
            b'\\' => {
                at += 1;
                let digits = match bytes[at] {
                    b'x' => 2,
                    b'u' => 4,
                    b'U' => 8,
                    _ => 0,
                };
                let code = u32::from_str_radix(&text[at + 1..at + 1 + digits], 16);
                match (bytes[at], code) {
                    (b'x', Ok(code)) => out.push(code as u8),
                    (_, Ok(code)) => {
                        let character = char::from_u32(code).expect("a character");
                        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                    }
                    (b'a', _) => out.push(7),
                    (b'b', _) => out.push(8),
                    (b't', _) => out.push(9),
                    (b'n', _) => out.push(10),
                    (b'v', _) => out.push(11),
                    (b'f', _) => out.push(12),
                    (b'r', _) => out.push(13),
                    (other, _) => out.push(other),
                }
                at += 1 + digits;
            }
            byte => {
                out.push(byte);
                at += 1;
            }
        }
    }
}
