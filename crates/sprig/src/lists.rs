//! Lists: `list`, `first`, `append`, `concat`, `uniq`, `slice` … Any kind of list will do; the result is a
//! `[]interface {}` unless said otherwise.
//!
//! What the functions named `must…` return as an error, the others panic with: the texts are the same.

use std::borrow::Cow;

use gotemplate::{Body, CallError, ElementType, Functions, Kind, List, Type, UintType, Use, Value};

use crate::args::{function, nil_dereference, variadic};
use crate::cast::to_int;
use crate::compare::Seen;
use crate::{limits, numbers, types};

pub(crate) fn add(functions: &mut Functions) {
    for name in ["list", "tuple"] {
        functions.insert(
            name,
            variadic(&[], Type::Any, |_, args| Ok(Value::list(taken(args)))),
        );
    }
    parts(functions);
    both(functions, "slice", "mustSlice", &[Type::Any], true, slice);
    both(
        functions,
        "has",
        "mustHas",
        &[Type::Any; 2],
        false,
        |_, args| {
            if matches!(args[1], Value::Nil) {
                return Ok(Value::Bool(false));
            }
            let mut wanted = Seen::default();
            wanted.insert(&args[0]);
            for item in items(&args[1], "Cannot find has on type ", "")?.iter() {
                if wanted.contains(item)? {
                    return Ok(Value::Bool(true));
                }
            }
            Ok(Value::Bool(false))
        },
    );
    both(
        functions,
        "chunk",
        "mustChunk",
        &[Type::Int, Type::Any],
        false,
        |_, args| chunk(crate::args::int(&args[0]), &args[1]),
    );
    functions.insert("concat", variadic(&[], Type::Any, |_, args| concat(args)));
    growing(functions);
    filtering(functions);
    functions.looks(None, &["list", "tuple"]);
    functions.looks(Some(Use::Elements), &PASSING_ELEMENTS);
}

/// Functions that hand on lists and maps inside a list as they are.
const PASSING_ELEMENTS: [&str; 19] = [
    "first",
    "mustFirst",
    "last",
    "mustLast",
    "rest",
    "mustRest",
    "initial",
    "mustInitial",
    "append",
    "mustAppend",
    "push",
    "mustPush",
    "prepend",
    "mustPrepend",
    "reverse",
    "mustReverse",
    "slice",
    "mustSlice",
    "concat",
];

/// Adds a function by two names.
fn both(
    functions: &mut Functions,
    name: &'static str,
    must: &'static str,
    params: &'static [Type],
    more: bool,
    body: Body,
) {
    for name in [name, must] {
        functions.insert(
            name,
            if more {
                variadic(params, Type::Any, body)
            } else {
                function(params, body)
            },
        );
    }
}

fn parts(functions: &mut Functions) {
    both(
        functions,
        "first",
        "mustFirst",
        &[Type::Any],
        false,
        |_, args| {
            let items = items(&args[0], "Cannot find first on type ", "")?;
            Ok(items.first().cloned().unwrap_or_default())
        },
    );
    both(
        functions,
        "last",
        "mustLast",
        &[Type::Any],
        false,
        |_, args| {
            let items = items(&args[0], "Cannot find last on type ", "")?;
            Ok(items.last().cloned().unwrap_or_default())
        },
    );
    both(
        functions,
        "rest",
        "mustRest",
        &[Type::Any],
        false,
        |_, args| {
            let items = items(&args[0], "Cannot find rest on type ", "")?;
            Ok(match &*items {
                [] => Value::List(List::nil(ElementType::Any)),
                [_, rest @ ..] => Value::list(rest),
            })
        },
    );
    both(
        functions,
        "initial",
        "mustInitial",
        &[Type::Any],
        false,
        |_, args| {
            let items = items(&args[0], "Cannot find initial on type ", "")?;
            Ok(match &*items {
                [] => Value::List(List::nil(ElementType::Any)),
                [initial @ .., _] => Value::list(initial),
            })
        },
    );
}

fn growing(functions: &mut Functions) {
    for (name, must) in [("append", "mustAppend"), ("push", "mustPush")] {
        both(functions, name, must, &[Type::Any; 2], false, |_, args| {
            let items = items(&args[0], "Cannot push on type ", "")?;
            limits::items(items.len() + 1)?;
            let mut longer = Vec::with_capacity(items.len() + 1);
            longer.extend_from_slice(&items);
            longer.push(args[1].clone());
            Ok(Value::list(longer))
        });
    }
    both(
        functions,
        "prepend",
        "mustPrepend",
        &[Type::Any; 2],
        false,
        |_, args| {
            let items = items(&args[0], "Cannot prepend on type ", "")?;
            limits::items(items.len() + 1)?;
            let mut longer = Vec::with_capacity(items.len() + 1);
            longer.push(args[1].clone());
            longer.extend_from_slice(&items);
            Ok(Value::list(longer))
        },
    );
    both(
        functions,
        "reverse",
        "mustReverse",
        &[Type::Any],
        false,
        |_, args| {
            let mut items = items(&args[0], "Cannot find reverse on type ", "")?.into_owned();
            items.reverse();
            Ok(Value::list(items))
        },
    );
}

fn filtering(functions: &mut Functions) {
    both(
        functions,
        "compact",
        "mustCompact",
        &[Type::Any],
        false,
        |_, args| {
            let mut items = items(&args[0], "Cannot compact on type ", "")?.into_owned();
            items.retain(Value::truth);
            Ok(Value::list(items))
        },
    );
    both(
        functions,
        "uniq",
        "mustUniq",
        &[Type::Any],
        false,
        |_, args| {
            let mut seen = Seen::default();
            let mut kept = Vec::new();
            for item in items(&args[0], "Cannot find uniq on type ", "")?.iter() {
                if !seen.contains(item)? {
                    seen.insert(item);
                    kept.push(item.clone());
                }
            }
            Ok(Value::list(kept))
        },
    );
    both(
        functions,
        "without",
        "mustWithout",
        &[Type::Any],
        true,
        |_, args| {
            let mut unwanted = Seen::default();
            for value in &args[1..] {
                unwanted.insert(value);
            }
            let mut kept = Vec::new();
            for item in items(&args[0], "Cannot find without on type ", "")?.iter() {
                if !unwanted.contains(item)? {
                    kept.push(item.clone());
                }
            }
            Ok(Value::list(kept))
        },
    );
}

fn taken(args: &mut [Value]) -> Vec<Value> {
    args.iter_mut().map(std::mem::take).collect()
}

/// The elements of a list of any kind. Otherwise an error: `before`, the kind, `after`.
fn items<'a>(value: &'a Value, before: &str, after: &str) -> Result<Cow<'a, [Value]>, CallError> {
    match elements(value) {
        Some(items) => Ok(items),
        None if matches!(value, Value::Nil) => Err(nil_dereference()),
        None => Err(CallError::Failed(format!(
            "{before}{}{after}",
            types::kind(value)
        ))),
    }
}

/// The elements of a list of any kind.
pub(crate) fn elements(value: &Value) -> Option<Cow<'_, [Value]>> {
    match value {
        Value::List(list) => Some(Cow::Borrowed(list.items())),
        Value::Bytes(bytes) => Some(
            bytes
                .iter()
                .map(|&byte| Value::Uint(u64::from(byte), UintType::Uint8))
                .collect(),
        ),
        Value::Host(host) if host.kind() == Kind::Slice => match host.contents() {
            Some(Value::List(list)) => Some(Cow::Owned(list.items().to_vec())),
            _ => None,
        },
        _ => None,
    }
}

fn concat(args: &[Value]) -> Result<Value, CallError> {
    let mut all = Vec::new();
    for list in args {
        let items = items(list, "Cannot concat type ", " as list")?;
        limits::items(all.len() + items.len())?;
        all.extend_from_slice(&items);
    }
    Ok(if all.is_empty() {
        Value::List(List::nil(ElementType::Any))
    } else {
        Value::list(all)
    })
}

/// A part of the list, of its own type.
fn slice(_: &mut gotemplate::Context<'_>, args: &mut [Value]) -> Result<Value, CallError> {
    let items = items(&args[0], "list should be type of slice or array but ", "")?;
    if items.is_empty() {
        return Ok(Value::Nil);
    }
    let start = args.get(1).map_or(0, to_int);
    let end = args.get(2).map_or(items.len() as i64, to_int);
    let range = usize::try_from(start)
        .ok()
        .zip(usize::try_from(end).ok())
        .filter(|&(start, end)| start <= end && end <= items.len());
    let Some((start, end)) = range else {
        return Err("reflect.Value.Slice: slice index out of bounds".into());
    };
    Ok(match &args[0] {
        Value::Bytes(bytes) => Value::Bytes(bytes[start..end].into()),
        Value::List(list) => Value::List(List::new(&items[start..end], list.of())),
        Value::Host(host) => match host.part(start..end) {
            Some(part) => part,
            None => Value::list(&items[start..end]),
        },
        _ => Value::list(&items[start..end]),
    })
}

/// Lists of `size` elements, the last of what is left. How many there are is computed in floats, which
/// shows when the size is not above zero.
fn chunk(size: i64, list: &Value) -> Result<Value, CallError> {
    const OUT_OF_RANGE: &str = "runtime error: makeslice: len out of range";
    let items = items(list, "Cannot chunk type ", "")?;
    let length = items.len();
    let count = numbers::count(((length as f64 - 1.0) / size as f64).floor() + 1.0);
    if count < 0 {
        return Err(OUT_OF_RANGE.into());
    }
    let mut chunks = Vec::new();
    for at in 0..count {
        let mut chunk_size = size;
        if at == count - 1 {
            chunk_size = numbers::count((length as f64 % size as f64).floor());
            if chunk_size == 0 {
                chunk_size = size;
            }
        }
        let Ok(chunk_size) = usize::try_from(chunk_size) else {
            return Err(OUT_OF_RANGE.into());
        };
        let start = usize::try_from(at * size).unwrap_or(usize::MAX);
        let chunk = items
            .get(start..)
            .and_then(|rest| rest.get(..chunk_size))
            .ok_or("reflect: slice index out of range")?;
        chunks.push(Value::list(chunk));
    }
    Ok(Value::List(List::new(chunks, ElementType::List)))
}
