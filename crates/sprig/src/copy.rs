//! Deep copies: `deepCopy`, `mustDeepCopy`.
//!
//! # Source
//! mitchellh/copystructure v1.2.0.

use std::collections::BTreeMap;

use gotemplate::{CallError, List, Map, Str, Value};

use crate::limits::Walk;

/// A value that shares no map with the given one. Types stay as they are, down to nil slices.
pub(crate) fn deep_copy(value: &Value) -> Result<Value, CallError> {
    if matches!(value, Value::Nil) {
        return Err("reflect: call of reflect.Value.Type on zero Value".into());
    }
    copy(value, &mut Walk::default())
}

fn copy(value: &Value, walk: &mut Walk) -> Result<Value, CallError> {
    match value {
        Value::List(list) if !list.items().is_empty() => copy_list(list, walk),
        Value::Map(map) if !map.is_nil() => copy_map(map, walk),
        Value::Host(host) => Ok(host.deep_copy().unwrap_or_else(|| value.clone())),
        _ => Ok(value.clone()),
    }
}

fn copy_list(list: &List, walk: &mut Walk) -> Result<Value, CallError> {
    walk.enter()?;
    let mut items = Vec::with_capacity(list.items().len());
    for item in list.items() {
        walk.step()?;
        items.push(copy(item, walk)?);
    }
    walk.leave();
    Ok(Value::List(List::new(items, list.of())))
}

fn copy_map(map: &Map, walk: &mut Walk) -> Result<Value, CallError> {
    walk.enter()?;
    let mut entries: BTreeMap<Str, Value> = BTreeMap::new();
    for (key, value) in map.entries().iter() {
        walk.step()?;
        entries.insert(key.clone(), copy(value, walk)?);
    }
    walk.leave();
    Ok(Value::Map(Map::new(entries, map.of())))
}
