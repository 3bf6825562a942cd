//! JSON patches with the leniency of the library the reference uses.
//!
//! `replace` of a missing member adds it, negative indexes count from the end, and `test` for null
//! passes on a missing member.
//!
//! # Source
//! evanphx/json-patch v4 `patch.go`.

use object::{Map, Node as Value, json};

/// Most operations of one patch; longer ones are generated and want another form.
const OPERATIONS_MAX: usize = 10_000;

/// Most values a patched object may hold, so that copies of copies end.
const VALUES_MAX: usize = 1_000_000;

/// Deepest nesting an operation may make; documents that are read have the same limit.
const DEPTH_MAX: usize = 200;

/// A list of operations.
#[derive(Clone, Debug, Default)]
pub(crate) struct JsonPatch {
    operations: Vec<Map>,
}

/// A patch read from text; `None` when the text holds nothing.
///
/// # Errors
/// Text that is no list of operations, in the reference's words.
pub(crate) fn parse(text: &str) -> Result<Option<JsonPatch>, String> {
    if text.is_empty() {
        return Err("empty json patch operations".into());
    }
    let value = match text.starts_with('[') {
        true => {
            json::parse(text.as_bytes(), json::OBJECT_LIMITS).map_err(|error| error.to_string())?
        }
        false => crate::read_value(text)?,
    };
    let items = match value {
        Value::Null => return Ok(None),
        Value::List(items) => items,
        other => {
            let found = match other {
                Value::Map(_) => "object",
                Value::String(_) => "string",
                Value::Bool(_) => "bool",
                _ => "number",
            };
            return Err(format!(
                "json: cannot unmarshal {found} into Go value of type jsonpatch.Patch"
            ));
        }
    };
    if items.len() > OPERATIONS_MAX {
        return Err(format!(
            "more than {OPERATIONS_MAX} operations in one patch"
        ));
    }
    let mut operations = Vec::with_capacity(items.len());
    for item in items.iter() {
        match item {
            Value::Map(map) => operations.push(map.clone()),
            Value::Null => operations.push(Map::new()),
            _ => {
                return Err(
                    "json: cannot unmarshal array into Go value of type jsonpatch.Operation".into(),
                );
            }
        }
    }
    Ok(Some(JsonPatch { operations }))
}

/// Makes integers what is left of them after Go read them from JSON without knowing their type.
pub(crate) fn round_numbers(value: &mut Value) {
    const EXACT: u64 = 1 << 53;
    match value {
        Value::Int(number) if number.unsigned_abs() > EXACT => {
            *value = crate::value::from_float(*number as f64);
        }
        Value::Uint(number) => *value = crate::value::from_float(*number as f64),
        Value::List(_) => value
            .as_list_mut()
            .into_iter()
            .flatten()
            .for_each(round_numbers),
        Value::Map(_) => value
            .as_map_mut()
            .into_iter()
            .flat_map(|map| map.iter_mut())
            .for_each(|(_, value)| round_numbers(value)),
        _ => {}
    }
}

const MISSING: &str = "missing value";

impl JsonPatch {
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// Whether an operation names the value at `place`, one around it or one below it.
    pub fn reaches(&self, place: &[&str]) -> bool {
        let paths = self.operations.iter().flat_map(|operation| {
            let fields = ["path", "from"].map(|field| operation.get(field));
            fields.into_iter().flatten().filter_map(Value::as_str)
        });
        paths.into_iter().any(|path| {
            let parts: Vec<String> = path.split('/').skip(1).map(decode_key).collect();
            parts.iter().zip(place).all(|(a, b)| a == b)
        })
    }

    /// Carries the operations out in order.
    ///
    /// # Errors
    /// The first operation that does not apply, in the reference's words.
    pub fn apply(&self, document: &mut Value) -> Result<(), String> {
        for operation in &self.operations {
            match operation
                .get("op")
                .and_then(Value::as_str)
                .unwrap_or("unknown")
            {
                "add" => add(document, operation)?,
                "remove" => remove(document, operation)?,
                "replace" => replace(document, operation)?,
                "move" => relocate(document, operation)?,
                "copy" => copy(document, operation)?,
                "test" => test(document, operation)?,
                other => return Err(format!("Unexpected kind: {other}")),
            }
        }
        Ok(())
    }
}

fn text<'a>(operation: &'a Map, field: &str) -> Result<&'a str, String> {
    match operation.get(field) {
        Some(Value::String(text)) => Ok(text),
        Some(Value::Null) | None if field == "path" => {
            Err(format!("operation missing path field: {MISSING}"))
        }
        Some(Value::Null) | None => Err(format!("operation, missing {field} field: {MISSING}")),
        Some(_) => Err("json: cannot unmarshal value into Go value of type string".into()),
    }
}

/// The list or map that holds what `path` names, and the name in it.
fn find<'a>(document: &'a mut Value, path: &str) -> Option<(&'a mut Value, String)> {
    let mut parts: Vec<String> = path.split('/').skip(1).map(decode_key).collect();
    let key = parts.pop()?;
    let mut container = document;
    for part in parts {
        container = match container {
            Value::Map(map) => map.get_mut(&part)?,
            Value::List(_) => {
                let at = index(&part, container.as_list()?.len()).ok()?;
                container.as_list_mut()?.get_mut(at)?
            }
            _ => return None,
        };
    }
    matches!(container, Value::Map(_) | Value::List(_)).then_some((container, key))
}

fn decode_key(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

/// A place in a list of `length`, counted from the end when negative.
fn index(key: &str, length: usize) -> Result<usize, String> {
    let at: i64 = key
        .parse()
        .map_err(|_| format!("strconv.Atoi: parsing {key:?}: invalid syntax"))?;
    let place = if at < 0 { at + length as i64 } else { at };
    match usize::try_from(place) {
        Ok(place) if place < length => Ok(place),
        _ => Err(format!(
            "Unable to access invalid index: {at}: invalid index referenced"
        )),
    }
}

fn get(container: &Value, key: &str) -> Result<Option<Value>, String> {
    match container {
        Value::Map(map) => Ok(map.get(key).cloned()),
        Value::List(items) => Ok(Some(items[index(key, items.len())?].clone())),
        _ => Ok(None),
    }
}

/// # Errors
/// A value that would nest too deeply at `path`.
fn check_depth(path: &str, value: &Value) -> Result<(), String> {
    match path.matches('/').count() + depth(value) > DEPTH_MAX {
        true => Err(format!(
            "operation nests values deeper than {DEPTH_MAX} levels"
        )),
        false => Ok(()),
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::List(items) => 1 + items.iter().map(depth).max().unwrap_or_default(),
        Value::Map(map) => 1 + map.values().map(depth).max().unwrap_or_default(),
        _ => 0,
    }
}

fn insert(container: &mut Value, key: &str, value: Value) -> Result<(), String> {
    match container {
        Value::Map(map) => drop(map.insert(key, value)),
        Value::List(_) => {
            let items = container.as_list_mut().expect("it is a list");
            if key == "-" {
                items.push(value);
                return Ok(());
            }
            let at: i64 = key.parse().map_err(|_| {
                format!("value was not a proper array index: '{key}': strconv.Atoi: parsing {key:?}: invalid syntax")
            })?;
            let length = items.len() as i64 + 1;
            let place = if at < 0 { at + length } else { at };
            if place < 0 || place >= length {
                return Err(format!(
                    "Unable to access invalid index: {at}: invalid index referenced"
                ));
            }
            items.insert(place as usize, value);
        }
        _ => {}
    }
    Ok(())
}

fn take(container: &mut Value, key: &str) -> Result<(), String> {
    match container {
        Value::Map(map) => match map.remove(key) {
            Some(_) => Ok(()),
            None => Err(format!(
                "Unable to remove nonexistent key: {key}: {MISSING}"
            )),
        },
        Value::List(_) => {
            let items = container.as_list_mut().expect("it is a list");
            let at = index(key, items.len())?;
            items.remove(at);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn add(document: &mut Value, operation: &Map) -> Result<(), String> {
    let path = text(operation, "path")
        .map_err(|_| format!("add operation failed to decode path: {MISSING}"))?;
    let Some((container, key)) = find(document, path) else {
        return Err(format!(
            "add operation does not apply: doc is missing path: \"{path}\": {MISSING}"
        ));
    };
    let value = operation.get("value").cloned().unwrap_or_default();
    check_depth(path, &value)?;
    insert(container, &key, value)
        .map_err(|error| format!("error in add for path: '{path}': {error}"))
}

fn remove(document: &mut Value, operation: &Map) -> Result<(), String> {
    let path = text(operation, "path")
        .map_err(|_| format!("remove operation failed to decode path: {MISSING}"))?;
    let Some((container, key)) = find(document, path) else {
        return Err(format!(
            "remove operation does not apply: doc is missing path: \"{path}\": {MISSING}"
        ));
    };
    take(container, &key).map_err(|error| format!("error in remove for path: '{path}': {error}"))
}

fn replace(document: &mut Value, operation: &Map) -> Result<(), String> {
    let path = text(operation, "path")
        .map_err(|error| format!("replace operation failed to decode path: {error}"))?;
    let value = operation.get("value").cloned().unwrap_or_default();
    if path.is_empty() {
        if !matches!(value, Value::Map(_) | Value::List(_)) {
            return Err("replace operation value must be object or array: %!w(<nil>)".into());
        }
        *document = value;
        return Ok(());
    }
    let Some((container, key)) = find(document, path) else {
        return Err(format!(
            "replace operation does not apply: doc is missing path: {path}: {MISSING}"
        ));
    };
    check_depth(path, &value)?;
    match container {
        Value::Map(map) => drop(map.insert(key.as_str(), value)),
        Value::List(_) => {
            let items = container.as_list_mut().expect("it is a list");
            let at = index(&key, items.len()).map_err(|_| {
                format!("replace operation does not apply: doc is missing key: {path}: {MISSING}")
            })?;
            items[at] = value;
        }
        _ => {}
    }
    Ok(())
}

fn relocate(document: &mut Value, operation: &Map) -> Result<(), String> {
    let from = text(operation, "from")
        .map_err(|error| format!("move operation failed to decode from: {error}"))?;
    let Some((container, key)) = find(document, from) else {
        return Err(format!(
            "move operation does not apply: doc is missing from path: {from}: {MISSING}"
        ));
    };
    let wrap = |error: String| format!("error in move for path: '{key}': {error}");
    let value = get(container, &key).map_err(wrap)?;
    take(container, &key).map_err(|error| format!("error in move for path: '{key}': {error}"))?;
    let path = text(operation, "path")
        .map_err(|error| format!("move operation failed to decode path: {error}"))?;
    let Some((container, key)) = find(document, path) else {
        return Err(format!(
            "move operation does not apply: doc is missing destination path: {path}: {MISSING}"
        ));
    };
    let value = value.unwrap_or_default();
    check_depth(path, &value)?;
    insert(container, &key, value)
        .map_err(|error| format!("error in move for path: '{path}': {error}"))
}

fn copy(document: &mut Value, operation: &Map) -> Result<(), String> {
    let from = text(operation, "from")
        .map_err(|error| format!("copy operation failed to decode from: {error}"))?;
    let Some((container, key)) = find(document, from) else {
        return Err(format!(
            "copy operation does not apply: doc is missing from path: {from}: {MISSING}"
        ));
    };
    let value = get(container, &key)
        .map_err(|error| format!("error in copy for from: '{from}': {error}"))?
        .unwrap_or_default();
    if count(document, VALUES_MAX) + count(&value, VALUES_MAX) > VALUES_MAX {
        return Err(format!(
            "copy operation makes more than {VALUES_MAX} values"
        ));
    }
    let path = text(operation, "path")
        .map_err(|_| format!("copy operation failed to decode path: {MISSING}"))?;
    let Some((container, key)) = find(document, path) else {
        return Err(format!(
            "copy operation does not apply: doc is missing destination path: {path}: {MISSING}"
        ));
    };
    check_depth(path, &value)?;
    insert(container, &key, value)
        .map_err(|error| format!("error while adding value during copy: {error}"))
}

/// Number of values, counted no further than `most`.
fn count(value: &Value, most: usize) -> usize {
    let mut total = 1;
    let mut add = |child: &Value| {
        if total <= most {
            total += count(child, most - total.min(most));
        }
    };
    match value {
        Value::List(items) => items.iter().for_each(&mut add),
        Value::Map(map) => map.values().for_each(&mut add),
        _ => {}
    }
    total
}

fn test(document: &mut Value, operation: &Map) -> Result<(), String> {
    let path = text(operation, "path")
        .map_err(|error| format!("test operation failed to decode path: {error}"))?;
    let failed = || format!("testing value {path} failed: test failed");
    let wanted = operation.get("value");
    if path.is_empty() {
        return match wanted == Some(document) {
            true => Ok(()),
            false => Err(failed()),
        };
    }
    let Some((container, key)) = find(document, path) else {
        return Err(format!(
            "test operation does not apply: is missing path: {path}: {MISSING}"
        ));
    };
    let found = get(container, &key)
        .map_err(|error| format!("error in test for path: '{path}': {error}"))?;
    let is_null = |value: Option<&Value>| value.is_none_or(Value::is_null);
    match (found.as_ref(), wanted) {
        (found, wanted) if is_null(found) && is_null(wanted) => Ok(()),
        (Some(found), Some(wanted)) if found == wanted => Ok(()),
        _ => Err(failed()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(document: &str, patch: &str, expected: Result<&str, &str>) {
        let read = |text: &str| json::parse(text.as_bytes(), json::OBJECT_LIMITS).unwrap();
        let mut value = read(document);
        let result = parse(patch).unwrap().unwrap().apply(&mut value);
        match expected {
            Ok(expected) => {
                assert_eq!(result, Ok(()), "{patch}");
                assert_eq!(value, read(expected), "{patch}");
            }
            Err(expected) => assert_eq!(result, Err(expected.to_owned()), "{patch}"),
        }
    }

    #[test]
    fn operations_are_as_lenient_as_the_reference() {
        let document = r#"{"a":{"b":[1,2,3]}}"#;
        let cases = [
            (
                r#"[{"op":"replace","path":"/a/x","value":1}]"#,
                Ok(r#"{"a":{"b":[1,2,3],"x":1}}"#),
            ),
            (
                r#"[{"op":"remove","path":"/a/b/-1"}]"#,
                Ok(r#"{"a":{"b":[1,2]}}"#),
            ),
            (
                r#"[{"op":"add","path":"/a/b/-","value":4}]"#,
                Ok(r#"{"a":{"b":[1,2,3,4]}}"#),
            ),
            (
                r#"[{"op":"add","path":"/a/b/0","value":0}]"#,
                Ok(r#"{"a":{"b":[0,1,2,3]}}"#),
            ),
            (
                r#"[{"op":"test","path":"/a/c","value":null}]"#,
                Ok(document),
            ),
            (
                r#"[{"op":"move","from":"/a/b","path":"/c"}]"#,
                Ok(r#"{"a":{},"c":[1,2,3]}"#),
            ),
            (
                r#"[{"op":"copy","from":"/a","path":"/a/c"}]"#,
                Ok(r#"{"a":{"b":[1,2,3],"c":{"b":[1,2,3]}}}"#),
            ),
            (
                r#"[{"op":"remove","path":"/a/x"}]"#,
                Err(
                    "error in remove for path: '/a/x': Unable to remove nonexistent key: x: missing value",
                ),
            ),
            (
                r#"[{"op":"add","path":"/x/y/z","value":1}]"#,
                Err("add operation does not apply: doc is missing path: \"/x/y/z\": missing value"),
            ),
            (
                r#"[{"op":"add","path":"/a/b/9","value":1}]"#,
                Err(
                    "error in add for path: '/a/b/9': Unable to access invalid index: 9: invalid index referenced",
                ),
            ),
            (
                r#"[{"op":"test","path":"/a/b/0","value":7}]"#,
                Err("testing value /a/b/0 failed: test failed"),
            ),
        ];
        for (patch, expected) in cases {
            check(document, patch, expected);
        }
    }

    #[test]
    fn copies_of_copies_end() {
        let operation =
            r#"{"op":"copy","from":"/a","path":"/a/x"},{"op":"copy","from":"/a","path":"/a/y"}"#;
        let patch = format!("[{}]", vec![operation; 40].join(","));
        let mut value = json::parse(br#"{"a":{"b":1}}"#, json::OBJECT_LIMITS).unwrap();
        let error = parse(&patch)
            .unwrap()
            .unwrap()
            .apply(&mut value)
            .unwrap_err();
        assert!(error.contains("more than"), "{error}");
    }
}
