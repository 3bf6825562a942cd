//! Maps: `dict`, `get`, `set`, `keys`, `pick`, `dig` …
//!
//! Merging is in `merge`.

use gotemplate::{CallError, Context, Functions, Map, MapType, Type, Use, Value};

use crate::args::{function, map, string_of, text, variadic};
use crate::{copy, limits};

pub(crate) fn add(functions: &mut Functions) {
    making(functions);
    reading(functions);
    functions.insert(
        "set",
        function(&[Type::Map, Type::String, Type::Any], |context, args| {
            let [Value::Map(map), Value::String(key), value] = args else {
                return Err("assignment to entry in nil map".into());
            };
            if map.is_nil() {
                return Err("assignment to entry in nil map".into());
            }
            context.changes(map);
            map.insert(key.clone(), std::mem::take(value));
            Ok(Value::Map(map.as_type(MapType::Any)))
        }),
    );
    functions.insert(
        "unset",
        function(&[Type::Map, Type::String], |context, args| {
            let Some(map) = map(&args[0]) else {
                return Ok(Value::Map(Map::nil(MapType::Any)));
            };
            context.changes(map);
            map.remove(text(&args[1]));
            Ok(Value::Map(map.as_type(MapType::Any)))
        }),
    );
    let reporting = ["get", "hasKey", "pick", "pluck", "dig"];
    functions.looks(None, &reporting);
    functions.looks(None, &["dict", "set", "unset"]);
    functions.looks(Some(Use::Elements), &["omit", "keys", "values"]);
    for name in ["deepCopy", "mustDeepCopy"] {
        functions.insert(
            name,
            function(&[Type::Any], |_, args| copy::deep_copy(&args[0])),
        );
    }
}

fn making(functions: &mut Functions) {
    functions.insert(
        "dict",
        variadic(&[], Type::Any, |_, args| {
            let made = Map::default();
            for pair in args.chunks_mut(2) {
                let key = string_of(&pair[0])?;
                let value = pair.get_mut(1).map(std::mem::take);
                made.insert(key, value.unwrap_or_else(|| Value::from("")));
            }
            Ok(Value::Map(made))
        }),
    );
    functions.insert(
        "pick",
        variadic(&[Type::Map], Type::String, |context, args| {
            let picked = Map::default();
            if let Some(map) = map(&args[0]) {
                for key in &args[1..] {
                    context.read_key(map, text(key));
                    if let (Value::String(key), Some(value)) = (key, map.get(text(key))) {
                        picked.insert(key.clone(), value);
                    }
                }
            }
            Ok(Value::Map(picked))
        }),
    );
    functions.insert(
        "omit",
        variadic(&[Type::Map], Type::String, |_, args| {
            let Some(map) = map(&args[0]) else {
                return Ok(Value::Map(Map::default()));
            };
            let mut entries = map.entries().clone();
            for key in &args[1..] {
                entries.remove(text(key));
            }
            Ok(Value::Map(Map::new(entries, MapType::Any)))
        }),
    );
}

fn reading(functions: &mut Functions) {
    functions.insert(
        "get",
        function(&[Type::Map, Type::String], |context, args| {
            let found = map(&args[0]).and_then(|map| {
                context.read_key(map, text(&args[1]));
                map.get(text(&args[1]))
            });
            Ok(found.unwrap_or_else(|| Value::from("")))
        }),
    );
    functions.insert(
        "hasKey",
        function(&[Type::Map, Type::String], |context, args| {
            let key = text(&args[1]);
            let is_there = map(&args[0]).is_some_and(|map| {
                context.read_key(map, key);
                map.contains(key)
            });
            Ok(Value::Bool(is_there))
        }),
    );
    functions.insert(
        "keys",
        variadic(&[], Type::Map, |_, args| {
            limits::items(args.iter().filter_map(map).map(Map::len).sum())?;
            let mut keys = Vec::new();
            for map in args.iter().filter_map(map) {
                keys.extend(map.entries().keys().cloned());
            }
            Ok(Value::strings(keys))
        }),
    );
    functions.insert(
        "values",
        function(&[Type::Map], |_, args| {
            let values: Vec<Value> = map(&args[0])
                .map(|map| map.entries().values().cloned().collect())
                .unwrap_or_default();
            Ok(Value::list(values))
        }),
    );
    functions.insert(
        "pluck",
        variadic(&[Type::String], Type::Map, |context, args| {
            let key = text(&args[0]);
            let maps = args[1..].iter().filter_map(map);
            let found: Vec<Value> = maps
                .filter_map(|map| {
                    context.read_key(map, key);
                    map.get(key)
                })
                .collect();
            Ok(Value::list(found))
        }),
    );
    functions.insert("dig", variadic(&[], Type::Any, dig));
}

/// Keys, a default, and the map to look into: it and all on the way are no other type of map, as `.Values`
/// itself is.
fn dig(context: &mut Context<'_>, args: &mut [Value]) -> Result<Value, CallError> {
    let [keys @ .., default, map] = args else {
        return Err("dig needs at least three arguments".into());
    };
    if keys.is_empty() {
        return Err("dig needs at least three arguments".into());
    }
    let mut map = plain_map(map)?;
    if let Some(key) = keys.iter().find(|key| !matches!(key, Value::String(_))) {
        return Err(CallError::Failed(format!(
            "interface conversion: interface {{}} is {}, not string",
            type_in_panic(key)
        )));
    }
    let last = keys.len() - 1;
    for (at, key) in keys.iter().enumerate() {
        context.read_key(&map, text(key));
        let Some(value) = map.get(text(key)) else {
            break;
        };
        if at == last {
            return Ok(value);
        }
        map = plain_map(&value)?;
    }
    Ok(std::mem::take(default))
}

fn plain_map(value: &Value) -> Result<Map, CallError> {
    match value {
        Value::Map(map) if matches!(map.of(), MapType::Any) => Ok(map.clone()),
        _ => Err(CallError::Failed(format!(
            "interface conversion: interface {{}} is {}, not map[string]interface {{}}",
            type_in_panic(value)
        ))),
    }
}

fn type_in_panic(value: &Value) -> &'static str {
    match value {
        Value::Nil => "nil",
        _ => value.type_name(),
    }
}
