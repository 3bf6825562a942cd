//! The fields of one kustomization file, given the objects it works on.

use super::configuration::{self, map_spec, specs};
use super::maker::{Made, Maker, Odd};
use super::objects;
use super::patches;
use super::plugins;
use super::replacements;
use super::value::{Value, list, map};
use super::words;
use super::writer;

/// Fields with their chance in percent.
const FIELDS: &[(&str, usize)] = &[
    ("namespace", 18),
    ("namePrefix", 18),
    ("nameSuffix", 12),
    ("commonLabels", 8),
    ("labels", 12),
    ("commonAnnotations", 10),
    ("patches", 28),
    ("patchesStrategicMerge", 10),
    ("patchesJson6902", 8),
    ("images", 10),
    ("imageTags", 2),
    ("replicas", 5),
    ("replacements", 12),
    ("vars", 5),
    ("configMapGenerator", 16),
    ("secretGenerator", 10),
    ("generatorOptions", 6),
    ("configurations", 6),
    ("crds", 3),
    ("generators", 4),
    ("transformers", 12),
    ("validators", 2),
    ("openapi", 2),
    ("sortOptions", 4),
    ("buildMetadata", 6),
    ("metadata", 2),
    ("helmCharts", 6),
    ("helmChartInflationGenerator", 6),
    ("helmGlobals", 6),
];

/// Adds fields to a kustomization, files they need, and what becomes of the objects.
pub fn add_fields(maker: &mut Maker, folder: &str, file: &mut Value, made: &mut Vec<Made>) {
    let asked: Vec<&str> = FIELDS
        .iter()
        .filter(|(field, chance)| {
            let rare = field.starts_with("helm") && !maker.has(Odd::Fields);
            !rare && maker.dice.percent(*chance) && maker.dice.percent(maker.crowd)
        })
        .map(|(field, _)| *field)
        .collect();
    // Generators come first, so that the rest can work on what they make.
    for field in ["configMapGenerator", "secretGenerator"] {
        if !asked.contains(&field) {
            continue;
        }
        let mut entries = Vec::new();
        for _ in 0..maker.dice.between(1, 2) {
            let entry = generator_entry(maker, folder, field == "secretGenerator", made);
            if !matches!(entry.str_at(&["behavior"]), "merge" | "replace") {
                made.push(generated(&entry, field));
            }
            entries.push(entry);
        }
        file.set(field, entries);
    }
    for field in &asked {
        if file.get(field).is_some() {
            continue;
        }
        if let Some(value) = value_of(maker, folder, field, made) {
            file.set(field, value);
        }
    }
    if let Some((prefix, suffix)) = affixes(file) {
        for one in made.iter_mut() {
            if !matches!(
                one.kind(),
                "CustomResourceDefinition" | "APIService" | "Namespace"
            ) && let Some(last) = one.names.last()
            {
                let name = format!("{prefix}{last}{suffix}");
                one.names.push(name);
            }
        }
    }
    let namespace = file.str_at(&["namespace"]).to_owned();
    if !namespace.is_empty() {
        made.iter_mut()
            .for_each(|one| one.namespace.clone_from(&namespace));
    }
}

fn affixes(file: &Value) -> Option<(String, String)> {
    let prefix = file.str_at(&["namePrefix"]);
    let suffix = file.str_at(&["nameSuffix"]);
    let some = !prefix.is_empty() || !suffix.is_empty();
    some.then(|| (prefix.to_owned(), suffix.to_owned()))
}

fn generated(entry: &Value, field: &str) -> Made {
    let kind = match field {
        "secretGenerator" => "Secret",
        _ => "ConfigMap",
    };
    let metadata = map! {"name" => entry.str_at(&["name"])};
    Made::new(
        map! {"apiVersion" => "v1", "kind" => kind, "metadata" => metadata, "data" => map! {"a" => "x"}},
    )
}

fn list_of(
    maker: &mut Maker,
    most: usize,
    mut one: impl FnMut(&mut Maker) -> Option<Value>,
) -> Option<Value> {
    let count = maker.dice.between(1, most);
    let entries: Vec<Value> = (0..count).filter_map(|_| one(maker)).collect();
    (!entries.is_empty()).then_some(Value::List(entries))
}

fn value_of(maker: &mut Maker, folder: &str, field: &str, made: &[Made]) -> Option<Value> {
    Some(match field {
        "namespace" => maker.dice.pick(words::NAMESPACES).into(),
        "namePrefix" => maker.dice.pick(&["p-", "dev-", "x"]).into(),
        "nameSuffix" => maker.dice.pick(&["-s", "-v2", "x"]).into(),
        "commonLabels" => texts(maker),
        "commonAnnotations" => texts(maker),
        "labels" => list_of(maker, 2, |maker| Some(label(maker, made)))?,
        "patches" => list_of(maker, 3, |maker| patches::entry(maker, folder, made))?,
        "patchesStrategicMerge" => list_of(maker, 2, |maker| {
            patches::strategic_entry(maker, folder, made)
        })?,
        "patchesJson6902" => list_of(maker, 2, |maker| patches::json_entry(maker, folder, made))?,
        "images" | "imageTags" => list_of(maker, 2, |maker| Some(image(maker)))?,
        "replicas" => {
            let scaled = made
                .iter()
                .filter(|made| matches!(made.kind(), "Deployment" | "StatefulSet" | "ReplicaSet"));
            let names: Vec<String> = scaled.flat_map(|made| made.names.clone()).collect();
            let name = match maker.odd(Odd::Misses, 3) {
                true => "missing".to_owned(),
                false => maker.dice.choose(&names)?.clone(),
            };
            let count = match maker.odd(Odd::Types, 4) {
                true => maker.any_scalar(),
                false => (maker.dice.below(9) as i64).into(),
            };
            list![map! {"name" => name, "count" => count}]
        }
        "replacements" => replacements::entries(maker, folder, made),
        "vars" => replacements::vars(maker, made),
        "generatorOptions" => generator_options(maker),
        "configurations" => list_of(maker, 2, |maker| {
            let file = configuration::configuration(maker, made);
            Some(maker.write(folder, "configuration", &[file]).into())
        })?,
        "crds" => {
            let file = configuration::crd(maker);
            let mut text = String::new();
            let ending = match maker.dice.one_in(2) {
                true => {
                    writer::json(&file, Some(0), &mut text);
                    "json"
                }
                false => {
                    text = writer::inline(maker, &file);
                    "yaml"
                }
            };
            list![maker.store(folder, "crd", ending, text.into_bytes())]
        }
        "generators" => list_of(maker, 1, |maker| {
            let config = plugins::generator(maker, folder);
            Some(plugins::entry(maker, folder, "generator", &[config]))
        })?,
        "transformers" => list_of(maker, 2, |maker| {
            let mut configs = vec![plugins::transformer(maker, folder, made)];
            if maker.dice.one_in(8) {
                configs.push(plugins::transformer(maker, folder, made));
            }
            Some(plugins::entry(maker, folder, "transformer", &configs))
        })?,
        "validators" => {
            // A validator must not change anything, so it is a transformer that finds nothing.
            let config = map! {
                "apiVersion" => "builtin",
                "kind" => "LabelTransformer",
                "metadata" => map! {"name" => "validator"},
                "labels" => map! {"validated-by" => "x"},
                "fieldSpecs" => list![map! {"path" => "none/x", "create" => maker.odd(Odd::Misses, 2)}],
            };
            list![plugins::entry(maker, folder, "validator", &[config])]
        }
        "openapi" => match maker.dice.below(4) {
            0 if maker.odd(Odd::Misses, 2) => map! {"version" => "v1.20.4"},
            0 => map! {"version" => "v1.21.2"},
            _ => {
                let schema = configuration::schema(maker);
                let mut text = String::new();
                match maker.dice.one_in(2) {
                    true => writer::json(&schema, Some(0), &mut text),
                    false => text = writer::inline(maker, &schema),
                }
                map! {"path" => maker.store(folder, "schema", "json", text.into_bytes())}
            }
        },
        "sortOptions" => {
            let order = maker.noted("sort order", &["fifo", "legacy", "legacy"]);
            let mut options = map! {"order" => order};
            if order == "legacy" && maker.dice.one_in(2) || maker.odd(Odd::Fields, 3) {
                maker.note("sort order", "legacySortOptions");
                options.set("legacySortOptions", map! {"orderFirst" => list!["Service", "ConfigMap"], "orderLast" => list!["Deployment"]});
            }
            options
        }
        "buildMetadata" => {
            let mut words = Vec::new();
            for word in [
                "originAnnotations",
                "transformerAnnotations",
                "managedByLabel",
                "unknown",
            ] {
                if maker.dice.one_in(if word == "unknown" { 20 } else { 2 }) {
                    maker.note("build metadata", word);
                    words.push(word.into());
                }
            }
            Value::List(words)
        }
        "metadata" => map! {"name" => "x", "labels" => map! {"a" => "b"}},
        "helmCharts" | "helmChartInflationGenerator" => {
            list![map! {"name" => "x", "version" => "1"}]
        }
        "helmGlobals" => map! {"chartHome" => "charts"},
        _ => return None,
    })
}

fn texts(maker: &mut Maker) -> Value {
    let mut texts = Value::empty_map();
    for _ in 0..maker.dice.between(1, 2) {
        let key = match maker.odd(Odd::Keys, 6) {
            true => maker.key(),
            false => maker.dice.pick(words::LABEL_KEYS).to_owned(),
        };
        let text = match maker.dice.one_in(2) {
            true => maker.text(),
            false => maker.dice.pick(words::LABEL_VALUES).into(),
        };
        texts.set(&key, text);
    }
    texts
}

fn label(maker: &mut Maker, made: &[Made]) -> Value {
    let mut label = map! {"pairs" => texts(maker)};
    for (key, chances) in [("includeSelectors", 3), ("includeTemplates", 3)] {
        if maker.dice.one_in(chances) {
            maker.note("labels", key);
            label.set(key, true);
        }
    }
    if maker.dice.one_in(4) {
        maker.note("labels", "fields");
        label.set("fields", specs(maker, made, map_spec));
    }
    label
}

/// One entry of `images`.
pub fn image(maker: &mut Maker) -> Value {
    let name = maker.dice.pick(&[
        "nginx",
        "busybox",
        "registry.example.com:5000/team/app",
        "ghcr.io/org/app",
        "alpine",
        "app",
        "ngin.",
        "n.*x",
    ]);
    let mut image = map! {"name" => name};
    for (key, words) in [
        ("newName", &["new", "registry.example.com/new", "nginx"][..]),
        ("newTag", &["2.0", "latest", "v1-x", ""][..]),
        (
            "digest",
            &[
                "sha256:def",
                "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            ][..],
        ),
        ("tagSuffix", &["-debug"][..]),
    ] {
        if maker.dice.one_in(3) {
            maker.note("images", key);
            image.set(key, maker.dice.pick(words));
        }
    }
    if maker.odd(Odd::Types, 3) {
        let tag = maker.any_scalar();
        image.set("newTag", tag);
    }
    image
}

fn generator_options(maker: &mut Maker) -> Value {
    let mut options = Value::empty_map();
    if maker.dice.one_in(2) {
        options.set("disableNameSuffixHash", !maker.dice.one_in(4));
    }
    if maker.dice.one_in(3) {
        options.set("immutable", true);
    }
    if maker.dice.one_in(3) {
        let labels = objects::labels(maker);
        options.set("labels", text_labels(labels));
    }
    if maker.dice.one_in(3) {
        options.set("annotations", map! {"generated" => maker.text()});
    }
    options
}

fn text_labels(labels: Value) -> Value {
    let Value::Map(entries) = labels else {
        return labels;
    };
    let texts = entries.into_iter().map(|(key, value)| {
        let text = value.scalar().unwrap_or_default().into();
        (key, text)
    });
    Value::Map(texts.collect())
}

/// One entry of `configMapGenerator` or `secretGenerator`.
pub fn generator_entry(maker: &mut Maker, folder: &str, secret: bool, made: &[Made]) -> Value {
    let kind = if secret { "Secret" } else { "ConfigMap" };
    let known: Vec<&Made> = made.iter().filter(|made| made.kind() == kind).collect();
    let mut name = maker.name();
    let mut entry = Value::empty_map();
    if let Some(one) = maker.dice.choose(&known).copied()
        && maker.dice.one_in(2)
    {
        let behavior = maker.noted("behavior", &["merge", "merge", "replace"]);
        entry.set("behavior", behavior);
        let namespace;
        (name, namespace) = one.id(&mut maker.dice);
        if !namespace.is_empty() {
            entry.set("namespace", namespace);
        }
    } else if maker.dice.one_in(8) || maker.odd(Odd::Misses, 4) {
        let behavior = match maker.odd(Odd::Misses, 2) {
            true => "merge",
            false => maker.noted("behavior", &["create", "unknown"]),
        };
        entry.set("behavior", behavior);
        name = format!("{name}-{}", maker.number());
    } else if !maker.taken.insert(format!("{kind}//{name}")) {
        name = format!("{name}-{}", maker.number());
    }
    entry.set("name", name);
    if maker.namespaces && maker.dice.one_in(5) && entry.get("behavior").is_none() {
        entry.set("namespace", maker.dice.pick(words::NAMESPACES));
    }
    let mut pairs = Vec::new();
    let mut keys = Vec::new();
    for _ in 0..maker.dice.between(0, 3) {
        let key = loop_key(maker, &mut keys);
        let text = literal(maker);
        pairs.push(format!("{key}={text}").into());
    }
    if maker.odd(Odd::Misses, 8) {
        pairs.push(maker.dice.pick(&["nothing", "=x", "a=1", "a b=c"]).into());
    }
    if !pairs.is_empty() {
        maker.note("generator source", "literals");
        entry.set("literals", pairs);
    }
    if maker.dice.one_in(4) {
        maker.note("generator source", "files");
        let (stem, bytes) = source_file(maker);
        let file = maker.store(folder, stem, "txt", bytes);
        let text = match maker.dice.below(3) {
            0 => format!("{}={file}", loop_key(maker, &mut keys)),
            _ => file,
        };
        entry.set("files", list![text]);
    }
    if maker.dice.one_in(4) {
        let text = env_file(maker);
        let file = maker.store(folder, "settings", "env", text);
        if maker.dice.one_in(3) {
            maker.note("generator source", "env");
            entry.set("env", file);
        } else {
            maker.note("generator source", "envs");
            entry.set("envs", list![file]);
        }
    }
    if secret && maker.dice.one_in(3) {
        entry.set(
            "type",
            maker.dice.pick(&["Opaque", "kubernetes.io/tls", ""]),
        );
    }
    if maker.dice.one_in(5) {
        maker.note("generator source", "options");
        entry.set("options", generator_options(maker));
    }
    entry
}

fn loop_key(maker: &mut Maker, keys: &mut Vec<String>) -> String {
    let mut key = maker.key().replace('=', "-");
    if matches!(key.as_str(), "<<" | "~" | "null") {
        key = "a".to_owned();
    }
    if keys.contains(&key) || key.is_empty() {
        key = format!("{key}{}", keys.len());
    }
    keys.push(key.clone());
    key
}

fn literal(maker: &mut Maker) -> String {
    match maker.dice.below(6) {
        0 => maker
            .dice
            .pick(&[
                "\"quoted\"",
                "'single'",
                "\"odd",
                "x=y",
                "",
                "  blanks ",
                "'",
                "\"\"",
            ])
            .to_owned(),
        _ => {
            let text = maker.text().scalar().unwrap_or_default().to_owned();
            match text.contains(['\u{7f}', '\u{85}']) {
                true => "x".to_owned(),
                false => text,
            }
        }
    }
}

fn source_file(maker: &mut Maker) -> (&'static str, Vec<u8>) {
    let bytes = match maker.dice.below(7) {
        0 => {
            maker.note("generator source", "binary file");
            vec![0xff, 0xfe, 0, 1, 2, 0x80]
        }
        1 => {
            maker.note("generator source", "long binary file");
            let length = maker.dice.between(40, 120);
            (0..length).map(|_| maker.dice.below(256) as u8).collect()
        }
        2 => Vec::new(),
        3 => b"line one\nline two  \n\ttab\n".to_vec(),
        4 => b"windows\r\nlines\r\n".to_vec(),
        5 => "x".repeat(maker.dice.between(40, 120)).into_bytes(),
        _ => maker
            .text()
            .scalar()
            .unwrap_or_default()
            .as_bytes()
            .to_vec(),
    };
    (maker.dice.pick(&["data", "file"]), bytes)
}

fn env_file(maker: &mut Maker) -> Vec<u8> {
    let mut text = String::new();
    if maker.odd(Odd::LineEnds, 2) {
        text.push('\u{feff}');
    }
    for _ in 0..maker.dice.between(0, 4) {
        let line = match maker.dice.below(12) {
            0 => "# comment",
            1 => "",
            2 => "  INDENTED=x",
            3 => "QUOTED=\"a b\"",
            4 if maker.has(Odd::Misses) => "NOTHING",
            5 => "EQUALS=a=b",
            6 if maker.has(Odd::Texts) => "TRAILING =x ",
            _ => maker
                .dice
                .pick(&["ONE=1", "TWO=two words", "THREE=", "FOUR=é"]),
        };
        if !text.contains(line) || maker.odd(Odd::Repeats, 2) {
            text.push_str(line);
            text.push_str(if maker.odd(Odd::LineEnds, 3) {
                "\r\n"
            } else {
                "\n"
            });
        }
    }
    text.into_bytes()
}
