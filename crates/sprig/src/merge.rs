//! Merging maps into the first: `merge` fills what is missing or empty, `mergeOverwrite` replaces.
//!
//! Maps on both sides are merged in place. A map that only the source has becomes part of both.
//!
//! # Source
//! darccio/mergo v1.0.1, `merge.go`, as far as it concerns maps, lists and single values.

use gotemplate::{Body, CallError, Context, Functions, Kind, Map, MapType, Str, Type, Use, Value};

use crate::args::{map, variadic};
use crate::limits::Walk;

pub(crate) fn add(functions: &mut Functions) {
    let table: [(&'static str, Body); 4] = [
        ("merge", |context, args| merge(context, args, false, false)),
        ("mergeOverwrite", |context, args| {
            merge(context, args, true, false)
        }),
        ("mustMerge", |context, args| {
            merge(context, args, false, true)
        }),
        ("mustMergeOverwrite", |context, args| {
            merge(context, args, true, true)
        }),
    ];
    for (name, body) in table {
        functions.insert(name, variadic(&[Type::Map], Type::Map, body));
        functions.looks(None, &[name]);
    }
}

fn merge(
    context: &mut Context<'_>,
    args: &[Value],
    overwrite: bool,
    must: bool,
) -> Result<Value, CallError> {
    let target = map(&args[0]).map(|map| map.as_type(MapType::Any));
    let mut target = target.unwrap_or_else(|| Map::nil(MapType::Any));
    let mut walk = Walk::default();
    for source in args[1..].iter().filter_map(map) {
        if target.is_nil() && !source.is_nil() {
            target = Map::default();
        }
        match merge_into(context, &target, source, overwrite, &mut walk) {
            Ok(()) => {}
            Err(Problem::Types) if must => {
                return Err("src and dst must be of same type".into());
            }
            Err(Problem::Types) => return Ok(Value::from("")),
            Err(Problem::Call(error)) => return Err(error),
        }
    }
    Ok(Value::Map(target))
}

enum Problem {
    /// A pointer is to be merged with something else.
    Types,
    Call(CallError),
}

impl From<CallError> for Problem {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

fn merge_into(
    context: &mut Context<'_>,
    target: &Map,
    source: &Map,
    overwrite: bool,
    walk: &mut Walk,
) -> Result<(), Problem> {
    walk.enter()?;
    context.changes(target);
    context.read_whole(&Value::Map(source.clone()), Use::Elements);
    // The source may be the target, or be part of it: nothing is borrowed while we change things.
    let keys: Vec<Str> = source.entries().keys().cloned().collect();
    for key in keys {
        walk.step()?;
        let pair = (target.get(key.as_bytes()), source.get(key.as_bytes()));
        if let (Some(Value::Map(into)), Some(Value::Map(from))) = &pair
            && !into.is_nil()
        {
            merge_into(context, into, from, overwrite, walk)?;
        } else {
            for value in [&pair.0, &pair.1].into_iter().flatten() {
                context.read_whole(value, Use::Truth);
            }
        }
        merge_entry(target, source, key, pair, overwrite)?;
    }
    walk.leave();
    Ok(())
}

/// Merges what is there with a value of the source; two maps have been merged already.
fn merge_entry(
    target: &Map,
    source: &Map,
    key: Str,
    pair: (Option<Value>, Option<Value>),
    overwrite: bool,
) -> Result<(), Problem> {
    let (there, Some(value)) = pair else {
        return Ok(());
    };
    match (&there, &value) {
        (_, Value::Nil) if overwrite => return Ok(put(target, source, key, value)?),
        (_, Value::Nil) => return Ok(()),
        (Some(Value::Host(host)), Value::Map(_)) if host.kind() == Kind::Pointer && !overwrite => {
            return Err(Problem::Types);
        }
        (Some(Value::Host(host)), Value::Host(other))
            if host.kind() == Kind::Pointer
                && other.kind() == Kind::Struct
                && host.type_name().strip_prefix('*') != Some(other.type_name())
                && !overwrite =>
        {
            return Err(Problem::Types);
        }
        _ => {}
    }
    if is_texts(target) && value.kind() == Kind::Slice {
        return Err(Problem::Call(CallError::Failed(match there {
            Some(_) => "reflect: call of reflect.Value.IsNil on string Value".into(),
            None => not_assignable(value.type_name()),
        })));
    }
    let replace = match &there {
        None => true,
        // An empty map has just been filled, unless there was nothing to fill it with.
        Some(there) if !there.truth() => true,
        Some(Value::Map(_)) if matches!(value, Value::Map(_)) => false,
        Some(_) => overwrite,
    };
    if replace {
        put(target, source, key, value)?;
    }
    Ok(())
}

/// A map of texts takes values from its like only.
fn put(target: &Map, source: &Map, key: Str, value: Value) -> Result<(), CallError> {
    if is_texts(target) && !is_texts(source) {
        return Err(not_assignable("interface {}").into());
    }
    target.insert(key, value);
    Ok(())
}

fn is_texts(map: &Map) -> bool {
    matches!(map.of(), MapType::String)
}

fn not_assignable(type_name: &str) -> String {
    format!("reflect.Value.SetMapIndex: value of type {type_name} is not assignable to type string")
}
