//! Replacements and vars between fields that exist.

use super::maker::{Made, Maker, Odd};
use super::patches;
use super::value::{Path, Step, Value, list, map};
use super::writer;

/// A random path into an object as a replacement writes it, and whether a scalar is there.
fn field_path(maker: &mut Maker, object: &Value, target: bool) -> (String, bool) {
    let paths: Vec<Path> = object
        .paths()
        .into_iter()
        .filter(|path| !patches::is_annotations(path) && !patches::is_internal(path))
        .filter(|path| target || object.at(path).is_some_and(|value| !value.is_empty_collection()))
        .filter(|path| !target || !matches!(&path[0], Step::Key(key) if ["apiVersion", "kind", "roleRef"].contains(&key.as_str())))
        .collect();
    let is_scalar = |path: &Path| {
        object
            .at(path)
            .is_some_and(|value| value.scalar().is_some())
    };
    // A scalar is the usual thing.
    let chosen = (0..8)
        .filter_map(|_| maker.dice.choose(&paths))
        .find(|path| is_scalar(path));
    let Some(path) = chosen.or(paths.first()).cloned() else {
        return ("metadata.name".into(), true);
    };
    let mut text = String::new();
    for (depth, step) in path.iter().enumerate() {
        let separator = if text.is_empty() { "" } else { "." };
        text.push_str(separator);
        match step {
            Step::Key(key) if key.contains('.') => match maker.dice.one_in(2) {
                true => {
                    maker.note("field path", "brackets");
                    text.push_str(&format!("[{key}]"));
                }
                false => {
                    maker.note("field path", "escaped dot");
                    text.push_str(&key.replace('.', "\\."));
                }
            },
            Step::Key(key) => match target && maker.dice.one_in(40) {
                true => text.push('*'),
                false => text.push_str(key),
            },
            Step::Index(index) => {
                let element = object.at(&path[..=depth]);
                let name = element.map_or("", |element| element.str_at(&["name"]));
                let scalar = element.and_then(Value::scalar);
                match (maker.dice.below(4), name, scalar) {
                    (0 | 1, name, _) if !name.is_empty() => {
                        maker.note("field path", "[name=x]");
                        text.push_str(&format!("[name={name}]"));
                    }
                    (0, _, Some(word)) if !word.contains(['[', ']']) => {
                        maker.note("field path", "[=x]");
                        text.push_str(&format!("[={word}]"));
                    }
                    (2, ..) if target => {
                        maker.note("field path", "*");
                        text.push('*');
                    }
                    (2, ..) => {
                        maker.note("field path", "-");
                        text.push('-');
                    }
                    _ => {
                        maker.note("field path", "index");
                        text.push_str(&index.to_string());
                    }
                }
            }
        }
    }
    if let Some(word) = object.at(&path).and_then(Value::scalar)
        && (word.starts_with('{') || word.starts_with("a:"))
    {
        maker.note("field path", "into a text");
        text.push_str(maker.dice.pick(&[".a.b", ".c.1", ".a", ".new", ".c"]));
    }
    if maker.odd(Odd::Misses, 4) {
        text.push_str(maker.dice.pick(&[
            ".missing",
            ".[name=x]",
            ".0",
            ".[x",
            "..",
            ".*",
            ".-",
            ".",
        ]));
    }
    (text, is_scalar(&path))
}

fn options(maker: &mut Maker, target: bool, scalar: bool) -> Option<Value> {
    if !maker.dice.one_in(3) {
        return None;
    }
    let mut options = Value::empty_map();
    if scalar && maker.dice.one_in(2) {
        options.set("delimiter", maker.dice.pick(&[":", ",", "/", "-", "."]));
        maker.note("replacement option", "delimiter");
        if maker.dice.percent(70) {
            let index = match target {
                true => [0, 0, 1, 1, -1, 2, 9][maker.dice.below(7)],
                false if maker.odd(Odd::Misses, 3) => 1,
                false => 0,
            };
            options.set("index", index);
            maker.note("replacement option", "index");
        }
    }
    if target && maker.dice.percent(60) {
        options.set("create", true);
        maker.note("replacement option", "create");
    }
    if maker.dice.one_in(15) {
        options.set("encoding", "base64");
        maker.note("replacement option", "encoding");
    }
    Some(options)
}

fn exact(maker: &mut Maker, made: &Made) -> Value {
    let (name, namespace) = made.id(&mut maker.dice);
    let mut source = map! {"kind" => made.kind(), "name" => name};
    if maker.dice.one_in(4) {
        source.set("version", made.version());
    }
    if maker.dice.one_in(4) {
        source.set("group", made.group());
    }
    if !namespace.is_empty() && maker.dice.one_in(3) {
        source.set("namespace", namespace);
    }
    if maker.dice.one_in(30) {
        source.remove("name");
    }
    source
}

/// One replacement.
pub fn replacement(maker: &mut Maker, made: &[Made]) -> Value {
    let mut out = Value::empty_map();
    let mut source_names = None;
    if maker.dice.one_in(4) {
        maker.note("replacement", "sourceValue");
        out.set("sourceValue", maker.text());
    } else {
        maker.note("replacement", "source");
        let from = patches::any(maker, made);
        source_names = Some(from.names.clone());
        let mut source = exact(maker, &from);
        let mut scalar = true;
        if maker.dice.percent(75) {
            let data = ["data", "spec", "metadata"].into_iter().find(|key| {
                from.value
                    .get(key)
                    .is_some_and(|value| !value.is_empty_collection())
            });
            let path = match (maker.dice.below(3), data) {
                (0 | 1, _) | (_, None) => "metadata.name".to_owned(),
                _ => {
                    let (path, is_scalar) = field_path(maker, &from.value, false);
                    scalar = is_scalar || maker.odd(Odd::Misses, 4);
                    path
                }
            };
            source.set("fieldPath", path);
        }
        if let Some(options) = options(maker, false, scalar) {
            source.set("options", options);
        }
        out.set("source", source);
    }
    let mut targets = Vec::new();
    for _ in 0..maker.dice.between(1, 2) {
        let to = patches::any(maker, made);
        let mut target = map! {"select" => patches::selector(maker, &to)};
        if maker.dice.percent(70) {
            target.set("select", exact(maker, &to));
        }
        if maker.dice.one_in(8) {
            maker.note("replacement", "reject");
            let other = patches::any(maker, made);
            target.set("reject", list![patches::selector(maker, &other)]);
        }
        let mut scalar = true;
        if !maker.dice.one_in(15) {
            let mut paths = Vec::new();
            for _ in 0..maker.dice.between(1, 2) {
                let (path, is_scalar) = field_path(maker, &to.value, true);
                scalar &= is_scalar;
                paths.push(Value::from(path));
            }
            if maker.dice.one_in(6) {
                paths = vec![
                    maker
                        .dice
                        .pick(&[
                            "metadata.annotations.new",
                            "metadata.labels.[x.y/z]",
                            "spec.template.spec.containers.[name=new].image",
                            "data.new",
                            "spec.list.[=x]",
                            "spec.list.0",
                        ])
                        .into(),
                ];
                target.set("options", map! {"create" => true});
            }
            target.set("fieldPaths", paths);
        }
        // The reference would read the source from what the first target has written.
        let itself = source_names.as_ref() == Some(&to.names);
        if let Some(options) = options(maker, true, scalar)
            && !itself
        {
            target.set("options", options);
        }
        targets.push(target);
    }
    out.set("targets", targets);
    if maker.odd(Odd::Fields, 5) {
        out.remove("targets");
    }
    out
}

/// The entries of `replacements`.
pub fn entries(maker: &mut Maker, folder: &str, made: &[Made]) -> Value {
    let mut entries = Vec::new();
    for _ in 0..maker.dice.between(1, 2) {
        let one = replacement(maker, made);
        if !maker.dice.one_in(4) {
            entries.push(one);
            continue;
        }
        maker.note("replacement", "path");
        let file = match maker.dice.one_in(2) {
            true => one,
            false => list![one, replacement(maker, made)],
        };
        let text = writer::inline(maker, &file);
        let name = maker.store(folder, "replacement", "yaml", text.into_bytes());
        entries.push(map! {"path" => name});
    }
    Value::List(entries)
}

/// The entries of `vars`.
pub fn vars(maker: &mut Maker, made: &[Made]) -> Value {
    let mut vars = Vec::new();
    for variable in ["VAR", "VAR_A", "VAR_B"]
        .iter()
        .take(maker.dice.between(1, 3))
    {
        let from = patches::any(maker, made);
        let (name, namespace) = from.id(&mut maker.dice);
        let mut reference =
            map! {"apiVersion" => from.api_version(), "kind" => from.kind(), "name" => name};
        if !namespace.is_empty() && maker.dice.one_in(2) {
            reference.set("namespace", namespace);
        }
        let mut var = map! {"name" => *variable, "objref" => reference};
        if maker.dice.one_in(2) {
            let path = match maker.dice.below(4) {
                1 if !from.namespace.is_empty() => "metadata.namespace".to_owned(),
                0 | 1 => "metadata.name".to_owned(),
                _ => field_path(maker, &from.value, false)
                    .0
                    .replace(".0", "[0]")
                    .replace(".1", "[1]"),
            };
            var.set("fieldref", map! {"fieldpath" => path});
        }
        vars.push(var);
    }
    Value::List(vars)
}
