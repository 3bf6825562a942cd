//! Recordings: calls as templates write them, and what came of them.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use golang::Timestamp;
use gotemplate::{
    CallError, Cause, Context, Error, Function, Functions, Limits, MissingKey, Set, Str, Type,
    Value, World,
};

/// A world with a fixed time, and dice whose state is a number that is multiplied.
#[derive(Debug, Default)]
pub struct Fixed {
    pub dice: Cell<u64>,
    /// What the last expression called whose result does not depend on its arguments alone.
    pub impure: RefCell<Vec<String>>,
}

impl World for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(1_700_000_000)
    }

    fn random(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let next = self.dice.get().wrapping_mul(6_364_136_223_846_793_005);
            self.dice.set(next.wrapping_add(1_442_695_040_888_963_407));
            *byte = (self.dice.get() >> 56) as u8;
        }
    }
}

/// The value of an expression, `f "a" (g 1)` or `(f "x").Method 1`.
pub fn eval(functions: &Functions, world: &Fixed, text: &str) -> Result<Value, CallError> {
    let template = format!("{{{{ keep ({text}) }}}}");
    let (mut kept, done) = evaluate(functions, world, &template, &Value::Nil);
    done.map(|()| kept.pop().unwrap_or_default())
}

/// What a template gives to the function `keep`, also before an error.
pub fn evaluate(
    functions: &Functions,
    world: &Fixed,
    template: &str,
    dot: &Value,
) -> (Vec<Value>, Result<(), CallError>) {
    let mut functions = functions.clone();
    let keep = Function {
        params: &[Type::Any],
        variadic: None,
        body: |context, args| {
            let kept = context.host.downcast_mut::<Vec<Value>>().expect("a place");
            kept.push(args[0].clone());
            Ok("".into())
        },
    };
    functions.insert("keep", keep);
    let mut set = Set::new("set", Arc::new(functions), MissingKey::default());
    set.parse("t", template)
        .unwrap_or_else(|error| panic!("{template}: {error}"));
    let mut kept: Vec<Value> = Vec::new();
    let set = Arc::new(set);
    let mut context = Context::new(&set, world, &mut kept, Limits::default());
    let done = context.execute(b"t", dot, &mut Vec::new());
    let calls = context.impure_calls().into_iter();
    *world.impure.borrow_mut() = calls.map(|call| call.function).collect();
    let done = done.map_err(|error| match error {
        Error::Exec(mut error) => match std::mem::take(&mut error.cause) {
            Cause::Call { error, .. } => error,
            cause => CallError::Failed(cause.to_string()),
        },
        error => CallError::Failed(error.to_string()),
    });
    (kept, done)
}

/// What Go's JSON encoder writes for a value, as a value of its own.
pub fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Nil => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Int(value, _) => (*value).into(),
        Value::Uint(value, _) => (*value).into(),
        Value::Float(value) => (*value).into(),
        Value::String(text) => text.to_text().into(),
        Value::Bytes(bytes) => golang::base64::encode(bytes).into(),
        Value::List(list) if list.is_nil() => serde_json::Value::Null,
        Value::List(list) => list.items().iter().map(json).collect(),
        Value::Map(map) => {
            let entries = map.entries();
            let text = |key: &Str| key.to_text().into_owned();
            let pairs = entries.iter().map(|(key, value)| (text(key), json(value)));
            serde_json::Value::Object(pairs.collect())
        }
        Value::Host(host) => {
            let value = host.json().or_else(|| host.contents());
            let text = || host.display().into();
            let value = value.unwrap_or_else(text);
            json(&value)
        }
    }
}

/// Compares each line of a recording, a call and behind a tab its result as JSON or `!` and the
/// error, with what `functions` give.
pub fn check(functions: &Functions, recorded: &str) {
    let mut wrong = Vec::new();
    for line in recorded.lines() {
        let (text, wanted) = line.split_once('\t').expect("a tab");
        let found = match eval(functions, &Fixed::default(), text) {
            Ok(value) => serde_json::to_string(&json(&value)).expect("JSON"),
            Err(CallError::Failed(text) | CallError::Limit(text)) => format!("!{text}"),
            Err(other) => format!("!{other:?}"),
        };
        let same = match serde_json::from_str::<serde_json::Value>(wanted) {
            Ok(wanted) => {
                let found: serde_json::Value = serde_json::from_str(&found).unwrap_or_default();
                floats(&found) == floats(&wanted)
            }
            Err(_) => found == wanted,
        };
        if !same {
            wrong.push(format!("{text}\n  wanted {wanted}\n  found  {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// With every number that a float holds as one: JSON does not tell 1 from 1.0.
fn floats(value: &serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Number(number) => match number.as_f64() {
            Some(float) if float.abs() < 1e15 || number.is_f64() => float.into(),
            _ => value.clone(),
        },
        serde_json::Value::Array(items) => items.iter().map(floats).collect(),
        serde_json::Value::Object(map) => {
            let pairs = map.iter().map(|(key, value)| (key.clone(), floats(value)));
            serde_json::Value::Object(pairs.collect())
        }
        _ => value.clone(),
    }
}
