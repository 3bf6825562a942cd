//! Patches made from the objects they are for, so that they hit.

use super::maker::{Made, Maker, Odd};
use super::objects::{self, at_mut};
use super::value::{Path, Step, Value, list, map};
use super::writer;

/// Keys by which the elements of a list are known, in the order they are looked for.
const MERGE_KEYS: &[&str] = &[
    "name",
    "containerPort",
    "port",
    "mountPath",
    "ip",
    "topologyKey",
    "type",
    "key",
    "devicePath",
    "uid",
];

/// A strategic merge patch for an object, with its id.
pub fn strategic(maker: &mut Maker, made: &Made) -> Value {
    let mut patch = object_id(maker, made);
    if maker.dice.one_in(50) {
        maker.note("patch", "delete object");
        patch.set("$patch", "delete");
        return patch;
    }
    for _ in 0..maker.dice.between(1, 3) {
        change(maker, &made.value, &mut patch);
    }
    if maker.odd(Odd::Annotations, 4) {
        patch
            .entry("metadata")
            .entry("annotations")
            .set("config.kubernetes.io/local-config", "true");
    }
    if maker.dice.one_in(60) {
        let word = maker.noted("object directive", &["replace", "merge", "merge", "zap"]);
        patch.set("$patch", word);
    }
    patch
}

/// The id of an object by one of its names.
fn object_id(maker: &mut Maker, made: &Made) -> Value {
    let (name, namespace) = made.id(&mut maker.dice);
    let name = match maker.odd(Odd::Misses, 4) {
        true => "missing".to_owned(),
        false => name,
    };
    let mut metadata = map! {"name" => name};
    if !namespace.is_empty() && !maker.odd(Odd::Misses, 6) {
        metadata.set("namespace", namespace);
    }
    map! {"apiVersion" => made.api_version(), "kind" => made.kind(), "metadata" => metadata}
}

/// Adds one change of the object to a patch.
fn change(maker: &mut Maker, object: &Value, patch: &mut Value) {
    let paths: Vec<Path> = object
        .paths()
        .into_iter()
        .filter(|path| !matches!(&path[0], Step::Key(key) if key == "apiVersion" || key == "kind"))
        .filter(|path| path.len() > 1 || path[0] != Step::Key("metadata".into()))
        .filter(|path| !is_subject(path) && !is_internal(path))
        .filter(|path| path.last() != Some(&Step::Key("name".into())) || path.len() > 2)
        .collect();
    let Some(path) = maker.dice.choose(&paths).cloned() else {
        patch.entry("data").set("added", "x");
        return;
    };
    let there = object.at(&path).cloned().unwrap_or_else(Value::null);
    let mut value = new_value(maker, &there);
    let below = path.starts_with(&[
        Step::Key("metadata".into()),
        Step::Key("annotations".into()),
    ]);
    if below && value.has_null() {
        maker.note("patch", "null annotation");
    }
    if keeps_texts(object, &path) {
        value.scalars_as_texts();
    }
    // From the inside out: an element of a list needs its merge key.
    for depth in (0..path.len()).rev() {
        let parent = object.at(&path[..depth]);
        value = match &path[depth] {
            Step::Key(key) => map! {key.as_str() => value},
            Step::Index(index) => {
                let element = parent.and_then(|parent| parent.at(&[Step::Index(*index)]));
                list![with_key(maker, element, value)]
            }
        };
    }
    merge_into(patch, value);
    if maker.dice.one_in(20) {
        let (key, word) = match maker.dice.below(3) {
            0 => ("$retainKeys", list!["type", "name"]),
            1 => (
                "$setElementOrder/containers",
                list![map! {"name" => "side"}, map! {"name" => "app"}],
            ),
            _ => (
                "$deleteFromPrimitiveList/finalizers",
                list!["example.com/a"],
            ),
        };
        maker.note("patch", key);
        let folder = match path.first() {
            Some(Step::Key(first)) if matches!(patch.get(first), Some(Value::Map(_))) => {
                patch.entry(first)
            }
            _ => patch,
        };
        folder.set(key, word);
    }
}

/// Whether it is the path of all annotations of an object.
pub fn is_annotations(path: &[Step]) -> bool {
    matches!(path, [Step::Key(first), Step::Key(second)] if first == "metadata" && second == "annotations")
}

/// Whether it is the path of an annotation in which the reference keeps its own books.
pub fn is_internal(path: &[Step]) -> bool {
    path.iter().any(
        |step| matches!(step, Step::Key(key) if key.starts_with("internal.config.kubernetes.io/")),
    )
}

/// Whether it is the path of the subjects of a binding, or of one of them.
fn is_subject(path: &[Step]) -> bool {
    path[0] == Step::Key("subjects".into())
}

/// Whether other values than texts are unwelcome: in labels, and in what generators merge into.
fn keeps_texts(object: &Value, path: &[Step]) -> bool {
    let generated = matches!(object.str_at(&["kind"]), "ConfigMap" | "Secret");
    path.contains(&Step::Key("labels".into())) || generated && path[0] == Step::Key("data".into())
}

/// What a patch puts in the place of a value.
fn new_value(maker: &mut Maker, there: &Value) -> Value {
    match maker.dice.below(16) {
        0 | 1 => {
            maker.note("patch", "null");
            return Value::plain(maker.dice.pick(&["null", "~", ""]));
        }
        2 if maker.odd(Odd::Types, 2) => {
            maker.note("patch", "other kind");
            return match there {
                Value::List(_) => map! {"x" => "y"},
                Value::Map(_) => list!["x"],
                _ => map! {"x" => 1},
            };
        }
        _ => {}
    }
    match there {
        Value::Map(entries) => match maker.dice.below(8) {
            0 => {
                maker.note("patch", "delete map");
                map! {"$patch" => "delete"}
            }
            1 => {
                maker.note("patch", "replace map");
                let mut map = map! {"$patch" => "replace"};
                map.set(&maker.key(), maker.text());
                map
            }
            2 => {
                maker.note("patch", "merge map");
                let mut map = map! {"$patch" => "merge"};
                map.set(&maker.key(), maker.text());
                map
            }
            3 => Value::empty_map(),
            4 => there.clone(),
            5 => {
                let mut map = Value::empty_map();
                if let Some((key, _)) = entries.first() {
                    map.set(key.scalar().unwrap_or("x"), Value::null());
                }
                map.set("added", maker.text());
                map
            }
            _ => {
                let mut map = Value::empty_map();
                map.set(&maker.key(), maker.any_scalar());
                map
            }
        },
        Value::List(items) => list_value(maker, items),
        Value::Plain(_) | Value::Text(_) => maker.any_scalar(),
    }
}

fn list_value(maker: &mut Maker, items: &[Value]) -> Value {
    let directive = |word: &str| map! {"$patch" => word};
    match maker.dice.below(10) {
        0 => {
            maker.note("patch", "delete list");
            list![directive("delete")]
        }
        1 => {
            maker.note("patch", "replace list");
            let mut new = vec![directive("replace")];
            new.extend(items.first().cloned());
            Value::List(new)
        }
        2 => {
            maker.note("patch", "merge list");
            let mut new = vec![directive("merge")];
            new.extend(items.last().cloned());
            Value::List(new)
        }
        3 => Value::List(Vec::new()),
        4 => {
            maker.note("patch", "reordered list");
            let mut items = items.to_vec();
            maker.dice.shuffle(&mut items);
            Value::List(items)
        }
        5 if maker.has(Odd::Misses) => {
            maker.note("patch", "element without its key");
            list![map! {"image" => "nokey"}]
        }
        6 if maker.has(Odd::Nulls) => list![
            Value::null(),
            items.first().cloned().unwrap_or_else(Value::null)
        ],
        7 => {
            maker.note("patch", "delete element");
            let element = with_key(maker, items.first(), map! {"$patch" => "delete"});
            list![element]
        }
        _ => {
            maker.note("patch", "new element");
            let element = match items.first() {
                Some(Value::Map(_)) => {
                    let mut element = items[0].clone();
                    for key in MERGE_KEYS {
                        if element.get(key).is_some() && maker.dice.one_in(2) {
                            let port = key.ends_with("ort");
                            element.set(
                                key,
                                if port {
                                    Value::from(9090)
                                } else {
                                    "added".into()
                                },
                            );
                        }
                    }
                    element
                }
                Some(other) => new_value(maker, &other.clone()),
                None => "x".into(),
            };
            match maker.dice.one_in(3) {
                true => list![element, items.last().cloned().unwrap_or_else(Value::null)],
                false => list![element],
            }
        }
    }
}

/// An element of a patch's list that has the key of the element it is for.
fn with_key(maker: &mut Maker, element: Option<&Value>, value: Value) -> Value {
    let Some(element @ Value::Map(_)) = element else {
        return value;
    };
    let mut out = match value {
        Value::Map(_) => value,
        _ => return value,
    };
    if maker.odd(Odd::Misses, 8) {
        return out;
    }
    let mut found = 0;
    for key in MERGE_KEYS {
        let Some(known) = element.get(key) else {
            continue;
        };
        if out.get(key).is_none() && (found == 0 || maker.dice.one_in(3)) {
            out.set(key, known.clone());
        }
        found += 1;
    }
    for key in ["protocol", "whenUnsatisfiable"] {
        if let Some(known) = element.get(key)
            && out.get(key).is_none()
            && maker.dice.one_in(2)
        {
            out.set(key, known.clone());
        }
    }
    if maker.dice.one_in(15) {
        let word = maker.noted("element directive", &["delete", "replace", "merge"]);
        out.set("$patch", word);
    }
    out
}

fn merge_into(patch: &mut Value, other: Value) {
    match (patch, other) {
        (Value::Map(entries), Value::Map(more)) => {
            for (key, value) in more {
                match entries.iter_mut().find(|(name, _)| *name == key) {
                    Some((_, known)) => merge_into(known, value),
                    None => entries.push((key, value)),
                }
            }
        }
        (Value::List(items), Value::List(more)) => items.extend(more),
        (patch, other) => *patch = other,
    }
}

/// A list of JSON patch operations for an object.
pub fn json_operations(maker: &mut Maker, made: &Made) -> Value {
    let mut object = made.value.clone();
    let mut operations = Vec::new();
    for _ in 0..maker.dice.between(1, 3) {
        let mut paths: Vec<Path> = object.paths();
        paths.retain(|path| {
            !is_annotations(path)
                && !is_internal(path)
                && !is_subject(path)
                && path[0] != Step::Key("kind".into())
        });
        let Some(path) = maker.dice.choose(&paths).cloned() else {
            break;
        };
        let identity = path.len() == 1
            || matches!(&path[0], Step::Key(key) if key == "metadata") && path.len() < 3;
        let there = object.at(&path).cloned().unwrap_or_else(Value::null);
        let word = match maker.dice.below(12) {
            0..=3 => "replace",
            4..=7 => "add",
            8 if !identity => "remove",
            9 if path.len() > 1 => "test",
            10 => "copy",
            11 if !identity => "move",
            _ => "add",
        };
        maker.note("json patch", word);
        let mut operation = map! {"op" => word};
        match word {
            "replace" => {
                let value = match identity {
                    true => there.clone(),
                    false => json_value(maker, &there),
                };
                operation.set("path", pointer(maker, &path));
                operation.set("value", value);
            }
            "remove" => {
                operation.set("path", pointer(maker, &path));
                *at_mut(&mut object, &path) = Value::null();
            }
            "test" => {
                operation.set("path", pointer(maker, &path));
                operation.set("value", there.clone());
            }
            "copy" | "move" => {
                let metadata = path[0] == Step::Key("metadata".into()) && path.len() == 1;
                let path = match metadata {
                    true => vec![path[0].clone(), Step::Key("name".into())],
                    false => path,
                };
                operation.set("from", pointer(maker, &path));
                let to = match maker.dice.below(2) {
                    0 => "/metadata/copied",
                    _ => "/copied",
                };
                operation.set("path", to);
            }
            _ => {
                let mut text = pointer(maker, &path);
                let value = match (&there, maker.dice.below(3)) {
                    (Value::List(_), 0 | 1) => {
                        text.push_str(maker.dice.pick(&["/-", "/0", "/-1", "/1"]));
                        json_value(maker, &there)
                    }
                    (Value::Map(_), 0 | 1) => {
                        let key = maker.key().replace('~', "~0").replace('/', "~1");
                        text.push('/');
                        text.push_str(&key);
                        maker.any_scalar()
                    }
                    _ if identity => there.clone(),
                    _ => json_value(maker, &there),
                };
                operation.set("path", text);
                operation.set("value", value);
            }
        }
        if maker.odd(Odd::Types, 12) {
            maker.note("json patch", "broken operation");
            match maker.dice.below(4) {
                0 => operation.remove("value"),
                1 => operation.set("op", "Replace"),
                2 => operation.set("extra", "x"),
                _ => operation.remove("path"),
            }
        }
        operations.push(operation);
    }
    Value::List(operations)
}

fn json_value(maker: &mut Maker, there: &Value) -> Value {
    if there.scalar().is_some() && maker.dice.percent(75) {
        return maker.any_scalar();
    }
    match maker.dice.below(8) {
        0 => there.clone(),
        1 => map! {"a" => maker.any_scalar()},
        2 => list!["x", maker.any_scalar()],
        _ => maker.any_scalar(),
    }
}

fn pointer(maker: &mut Maker, path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        text.push('/');
        match step {
            Step::Key(key) => text.push_str(&key.replace('~', "~0").replace('/', "~1")),
            Step::Index(index) => text.push_str(&index.to_string()),
        }
    }
    if maker.odd(Odd::Misses, 5) {
        text.push_str("/missing");
    }
    text
}

/// A JSON patch as text; where it is a flow list it has to be strict JSON.
pub fn json_text(maker: &mut Maker, operations: &Value) -> String {
    if maker.dice.one_in(3) {
        let mut text = String::new();
        let indent = maker.dice.one_in(2).then_some(0);
        writer::json(operations, indent, &mut text);
        return text;
    }
    let text = writer::inline(maker, operations);
    if text.trim_start().starts_with('[') && !maker.odd(Odd::Misses, 2) {
        let mut text = String::new();
        writer::json(operations, None, &mut text);
        return text;
    }
    text
}

/// A selector that finds the object, as a rule.
pub fn selector(maker: &mut Maker, made: &Made) -> Value {
    let mut selector = Value::empty_map();
    if maker.dice.percent(80) {
        let kind = match maker.dice.below(6) {
            0 => {
                maker.note("selector", "regular expression");
                format!("{}|Nothing", made.kind())
            }
            1 if maker.dice.one_in(4) => ".*".to_owned(),
            _ => made.kind().to_owned(),
        };
        selector.set("kind", kind);
    }
    if maker.dice.percent(50) {
        let name = maker.dice.choose(&made.names).cloned().unwrap_or_default();
        let name = match maker.dice.below(6) {
            0 => format!("{}.*", &name[..name.len().min(1)]),
            1 => format!("^{name}$"),
            2 => "(web|api|db)".to_owned(),
            _ => name,
        };
        selector.set("name", name);
    }
    if maker.dice.one_in(6) {
        selector.set("group", made.group());
    }
    if maker.dice.one_in(6) {
        selector.set("version", made.version());
    }
    if maker.dice.one_in(10) {
        selector.set(
            "namespace",
            maker.dice.pick(&["dev", "prod", "default", ".*", ""]),
        );
    }
    if maker.dice.one_in(8) {
        let text = maker.noted(
            "label selector",
            &[
                "app=web",
                "app",
                "!app",
                "app in (web, api)",
                "app notin (web)",
                "tier!=front",
                "app=web,tier",
                "app==web",
                "app in (web",
                "team=1",
                "x.y/z=1",
                "",
            ],
        );
        selector.set("labelSelector", text);
    }
    if maker.dice.one_in(16) {
        let text = maker.noted(
            "annotation selector",
            &["note", "note=x", "!note", "example.com/x in (x,value)"],
        );
        selector.set("annotationSelector", text);
    }
    if maker.odd(Odd::Types, 20) {
        selector.set(
            "name",
            maker
                .dice
                .pick(&["(", "[", "*", "a{2", "\\d+", "(?i)WEB", "\\pL+"]),
        );
    }
    selector
}

/// Strategic patches as the documents of one text.
fn strategic_text(maker: &mut Maker, patches: &[Value]) -> String {
    match patches {
        [one] => writer::inline(maker, one),
        _ => writer::documents(maker, patches),
    }
}

fn some_objects<'a>(maker: &mut Maker, made: &'a [Made], count: usize) -> Vec<&'a Made> {
    (0..count).filter_map(|_| maker.target(made)).collect()
}

/// One entry of `patches`.
pub fn entry(maker: &mut Maker, folder: &str, made: &[Made]) -> Option<Value> {
    let target = maker.target(made)?;
    let mut entry = Value::empty_map();
    let text = if maker.dice.percent(65) {
        let mut patches = vec![strategic(maker, target)];
        if maker.dice.percent(40) {
            let mut selector = selector(maker, target);
            if maker.dice.one_in(12) {
                selector = Value::empty_map();
            }
            entry.set("target", selector);
            maker.note("patch", "strategic with target");
            if maker.dice.one_in(3) {
                patches[0].set("metadata", map! {"name" => "any"});
                change(maker, &target.value, &mut patches[0]);
            }
        } else if maker.dice.one_in(8) {
            maker.note("patch", "several documents");
            for other in some_objects(maker, made, 1) {
                patches.push(strategic(maker, other));
            }
        }
        if maker.dice.one_in(8) {
            let mut options = Value::empty_map();
            for key in ["allowNameChange", "allowKindChange"] {
                if maker.dice.one_in(2) {
                    maker.note("patch option", key);
                    options.set(key, !maker.dice.one_in(6));
                }
            }
            if maker.dice.one_in(2) {
                maker.note("patch", "renames");
                patches[0].entry("metadata").set("name", "renamed");
                entry.set("target", selector(maker, target));
            }
            if maker.dice.one_in(4) {
                maker.note("patch", "kind of the object");
                patches[0].set("kind", "Renamed");
                entry.set("target", selector(maker, target));
            }
            entry.set("options", options);
        }
        strategic_text(maker, &patches)
    } else {
        maker.note("patch", "json with target");
        let operations = json_operations(maker, target);
        if !maker.odd(Odd::Misses, 6) {
            entry.set("target", narrow_selector(maker, target));
        }
        json_text(maker, &operations)
    };
    if maker.dice.percent(40) {
        let ending = maker.dice.pick(&["yaml", "yaml", "yaml", "json", "txt"]);
        let name = maker.store(folder, "patch", ending, text.into_bytes());
        entry.set("path", name);
        maker.note("patch", "path");
    } else {
        maker.note("patch", "inline");
        entry.set("patch", text);
    }
    if maker.odd(Odd::Fields, 6) {
        entry.set("patch", "x: y");
    }
    Some(entry)
}

/// A selector of just this object, as a JSON patch seldom fits another.
fn narrow_selector(maker: &mut Maker, made: &Made) -> Value {
    if maker.dice.one_in(6) {
        return selector(maker, made);
    }
    let name = maker.dice.choose(&made.names).cloned().unwrap_or_default();
    let mut selector = map! {"kind" => made.kind(), "name" => name};
    if maker.dice.one_in(4) {
        selector.set("version", made.version());
    }
    if maker.dice.one_in(4) {
        selector.set("group", made.group());
    }
    selector
}

/// One entry of `patchesStrategicMerge`.
pub fn strategic_entry(maker: &mut Maker, folder: &str, made: &[Made]) -> Option<Value> {
    let count = [1, 1, 1, 2][maker.dice.below(4)];
    let targets = some_objects(maker, made, count);
    if targets.is_empty() {
        return None;
    }
    let patches: Vec<Value> = targets
        .into_iter()
        .map(|made| strategic(maker, made))
        .collect();
    Some(match maker.dice.one_in(2) {
        true => maker.write(folder, "merge", &patches).into(),
        false => strategic_text(maker, &patches).into(),
    })
}

/// One entry of `patchesJson6902`.
pub fn json_entry(maker: &mut Maker, folder: &str, made: &[Made]) -> Option<Value> {
    let target = maker.target(made)?;
    let operations = json_operations(maker, target);
    let mut selector = narrow_selector(maker, target);
    if !maker.odd(Odd::Misses, 4) {
        selector.set("name", target.names[0].as_str());
    }
    if !target.namespace.is_empty() && maker.dice.one_in(2) {
        selector.set("namespace", target.namespace.as_str());
    }
    let mut entry = map! {"target" => selector};
    let text = json_text(maker, &operations);
    if maker.dice.one_in(2) {
        entry.set(
            "path",
            maker.store(folder, "json-patch", "json", text.into_bytes()),
        );
    } else {
        entry.set("patch", text);
    }
    Some(entry)
}

/// A strategic patch as transformer configurations hold it.
pub fn transformer(maker: &mut Maker, folder: &str, kind: &str, made: &[Made]) -> Option<Value> {
    let target = maker.target(made)?;
    Some(match kind {
        "PatchTransformer" => entry(maker, folder, made)?,
        "PatchStrategicMergeTransformer" => {
            let patch = strategic(maker, target);
            match maker.dice.one_in(2) {
                true => map! {"patches" => writer::inline(maker, &patch)},
                false => map! {"paths" => list![maker.write(folder, "merge", &[patch])]},
            }
        }
        _ => {
            let operations = json_operations(maker, target);
            let name = target.names[0].clone();
            let mut target = narrow_selector(maker, target);
            target.set("name", name);
            let text = json_text(maker, &operations);
            match maker.dice.one_in(2) {
                true => map! {"target" => target, "jsonOp" => text},
                false => {
                    map! {"target" => target, "path" => maker.store(folder, "json-patch", "yaml", text.into_bytes())}
                }
            }
        }
    })
}

/// An object other transformers can be pointed at, or a fresh one.
pub fn any(maker: &mut Maker, made: &[Made]) -> Made {
    match maker.target(made) {
        Some(made) => made.clone(),
        None => Made::new(objects::object(maker)),
    }
}
