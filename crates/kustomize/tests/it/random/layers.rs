//! Whole trees: kustomizations on kustomizations, with components and shared bases.

use super::kustomization;
use super::maker::{Made, Maker, Odd, join};
use super::objects;
use super::value::{Value, list, map};
use super::writer;

/// A folder that was made, and what it gives to whoever lists it.
struct Layer {
    folder: String,
    made: Vec<Made>,
}

/// Makes a tree whose top folder holds the kustomization to build.
pub fn tree(maker: &mut Maker) {
    let depth = [0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3][maker.dice.below(12)];
    maker.crowd = [100, 65, 45, 30][depth];
    maker.note("layers", &(depth + 1).to_string());
    let mut shared = Vec::new();
    let role = match maker.dice.one_in(40) {
        true => Role::Component,
        false => Role::Kustomization,
    };
    if role == Role::Component {
        maker.note("layers", "component on top");
    }
    layer(maker, "", depth, role, &[], &mut shared);
}

#[derive(Clone, Copy, PartialEq)]
enum Role {
    Kustomization,
    Component,
}

fn layer(
    maker: &mut Maker,
    folder: &str,
    depth: usize,
    role: Role,
    above: &[Made],
    shared: &mut Vec<Layer>,
) -> Vec<Made> {
    let mut file = Value::empty_map();
    let mut made = Vec::new();
    let mut resources = Vec::new();
    let mut bases = Vec::new();
    let before = shared.len();
    let files = match (role, depth) {
        (Role::Component, _) => maker.dice.below(2),
        (_, 0) => [1, 1, 2, 2, 3][maker.dice.below(5)],
        _ => [0, 1, 1, 2][maker.dice.below(4)],
    };
    for _ in 0..files {
        let values = objects::file(maker, &mut made);
        let stem = maker.dice.pick(&["objects", "app", "config"]);
        resources.push(Value::from(maker.write(folder, stem, &values)));
    }
    if depth > 0 {
        for _ in 0..[1, 1, 1, 1, 2][maker.dice.below(5)] {
            // Both sides of a diamond have to give their objects names of their own.
            if let Some(at) = (before > 0 && maker.dice.one_in(3)).then(|| maker.dice.below(before))
            {
                maker.note("layers", "shared base");
                let prefix = format!("d{}-", maker.number());
                file.set("namePrefix", prefix);
                made.extend(shared[at].made.clone());
                bases.push(Value::from(relative(folder, &shared[at].folder)));
                continue;
            }
            let inner = subfolder(maker, folder, "base");
            let inside = layer(maker, &inner, depth - 1, Role::Kustomization, &[], shared);
            made.extend(inside.clone());
            bases.push(relative(folder, &inner).into());
            shared.push(Layer {
                folder: inner,
                made: inside,
            });
        }
    }
    for base in bases {
        if maker.dice.one_in(12) {
            let list = file.entry("bases");
            match list {
                Value::List(items) => items.push(base),
                _ => *list = list![base],
            }
        } else {
            resources.push(base);
        }
    }
    if maker.dice.one_in(2) {
        maker.dice.shuffle(&mut resources);
    }
    if maker.odd(Odd::Misses, 10) {
        resources.push(
            maker
                .dice
                .pick(&[
                    "missing.yaml",
                    "missing",
                    "../missing",
                    "/etc/none",
                    "..",
                    ".",
                    "",
                ])
                .into(),
        );
    }
    if maker.odd(Odd::Repeats, 10)
        && let Some(first) = resources.first().cloned()
    {
        resources.push(first);
    }
    if !resources.is_empty() || maker.dice.one_in(4) {
        file.set("resources", resources);
    }
    if maker.dice.one_in(8) {
        let mut components = Vec::new();
        for _ in 0..[1, 1, 2][maker.dice.below(3)] {
            maker.note(
                "layers",
                if role == Role::Component {
                    "nested component"
                } else {
                    "component"
                },
            );
            let inner = subfolder(maker, folder, "component");
            let inside = layer(maker, &inner, 0, Role::Component, &made, shared);
            made = inside;
            components.push(Value::from(relative(folder, &inner)));
        }
        file.set("components", components);
    }
    // A component works on what is above it as well.
    let mut all = above.to_vec();
    all.extend(made);
    kustomization::add_fields(maker, folder, &mut file, &mut all);
    if file.is_empty_collection() && !maker.odd(Odd::Misses, 4) {
        file.set("resources", Value::List(Vec::new()));
    }
    if role == Role::Component || maker.dice.one_in(4) {
        let (version, kind) = match role == Role::Component && !maker.odd(Odd::Fields, 5) {
            true => ("kustomize.config.k8s.io/v1alpha1", "Component"),
            false => ("kustomize.config.k8s.io/v1beta1", "Kustomization"),
        };
        file.set("apiVersion", version);
        file.set("kind", kind);
    }
    note_fields(maker, &file);
    spoil(maker, &mut file);
    let name = match maker.dice.below(12) {
        0 => maker.noted("file name", &["kustomization.yml"]),
        1 => maker.noted("file name", &["Kustomization"]),
        _ => "kustomization.yaml",
    };
    if maker.odd(Odd::Misses, 12) {
        maker.note("file name", "two of them");
        let text = writer::only_document(maker, &file);
        maker
            .files
            .insert(join(folder, "kustomization.yml"), text.into_bytes());
    }
    let text = writer::only_document(maker, &file);
    maker.files.insert(join(folder, name), text.into_bytes());
    all
}

/// A folder below this one, or beside it.
fn subfolder(maker: &mut Maker, folder: &str, stem: &str) -> String {
    let name = format!("{stem}{}", maker.number());
    match maker.dice.one_in(2) {
        true => join(folder, &name),
        false => name,
    }
}

/// The way from one folder to another.
fn relative(from: &str, to: &str) -> String {
    let parts = |path: &'_ str| -> Vec<String> {
        path.split('/')
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let (from, to) = (parts(from), parts(to));
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let mut out = vec!["..".to_owned(); from.len() - common];
    out.extend(to[common..].iter().cloned());
    out.join("/")
}

/// What is wrong with a kustomization file itself.
fn spoil(maker: &mut Maker, file: &mut Value) {
    if maker.odd(Odd::Fields, 3) {
        let key = maker.noted(
            "broken field",
            &["spec", "resource", "patch", "nameprefixes", "unknown"],
        );
        file.set(key, "x");
    }
    if maker.odd(Odd::Types, 3) {
        maker.note("broken field", "wrong type");
        let key = maker.dice.pick(&[
            "namespace",
            "namePrefix",
            "resources",
            "commonLabels",
            "labels",
            "images",
            "patches",
            "replicas",
            "configMapGenerator",
            "sortOptions",
            "openapi",
            "buildMetadata",
            "vars",
            "kind",
            "apiVersion",
            "generatorOptions",
        ]);
        let value = match maker.dice.below(6) {
            0 => Value::from(1),
            1 => list!["x"],
            2 => map! {"a" => "b"},
            3 => Value::from(true),
            4 => Value::null(),
            _ => "text".into(),
        };
        file.set(key, value);
    }
    if maker.odd(Odd::Nulls, 6) {
        maker.note("broken field", "null");
        let key = maker.dice.pick(&[
            "namespace",
            "namePrefix",
            "commonLabels",
            "images",
            "patches",
            "components",
            "metadata",
            "configMapGenerator",
        ]);
        file.set(key, Value::null());
    }
    if maker.odd(Odd::LetterCase, 2)
        && let Value::Map(entries) = file
    {
        let at = maker.dice.below(entries.len());
        let change = maker.dice.below(3);
        if let Some((Value::Text(key), _)) = entries.get_mut(at) {
            *key = match change {
                0 => key.to_lowercase(),
                1 => key.to_uppercase(),
                _ => key.replace('s', "\u{17f}"),
            };
        }
        maker.note("broken field", "letter case");
    }
}

fn note_fields(maker: &mut Maker, file: &Value) {
    if let Value::Map(entries) = file {
        for key in entries.iter().filter_map(|(key, _)| key.scalar()) {
            maker.note("field", key);
        }
    }
}
