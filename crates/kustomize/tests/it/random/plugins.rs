//! Generators, transformers and validators that are configured by objects of their own.

use super::configuration::{field_spec, map_spec, specs, text_spec};
use super::kustomization;
use super::maker::{Made, Maker, Odd, join};
use super::patches;
use super::replacements;
use super::value::{Value, list, map};
use super::words;
use super::writer;

const TRANSFORMERS: &[&str] = &[
    "AnnotationsTransformer",
    "HashTransformer",
    "ImageTagTransformer",
    "LabelTransformer",
    "NamespaceTransformer",
    "NamespaceTransformer",
    "PatchJson6902Transformer",
    "PatchStrategicMergeTransformer",
    "PatchTransformer",
    "PatchTransformer",
    "PrefixTransformer",
    "SuffixTransformer",
    "PrefixSuffixTransformer",
    "ReplacementTransformer",
    "ReplicaCountTransformer",
    "ValueAddTransformer",
    "SortOrderTransformer",
    "UnknownTransformer",
];

/// The configuration of one transformer.
pub fn transformer(maker: &mut Maker, folder: &str, made: &[Made]) -> Value {
    let mut kind = maker.dice.pick(TRANSFORMERS);
    if matches!(kind, "SortOrderTransformer" | "UnknownTransformer") && !maker.has(Odd::Fields) {
        kind = "LabelTransformer";
    }
    maker.note("transformer", kind);
    let mut config = match kind {
        "AnnotationsTransformer" => {
            map! {"annotations" => map! {"added" => maker.text()}, "fieldSpecs" => specs(maker, made, map_spec)}
        }
        "LabelTransformer" => {
            map! {"labels" => map! {"added" => maker.dice.pick(words::LABEL_VALUES)}, "fieldSpecs" => specs(maker, made, map_spec)}
        }
        "ImageTagTransformer" => {
            let mut config = map! {"imageTag" => kustomization::image(maker)};
            if maker.dice.one_in(2) {
                config.set("fieldSpecs", specs(maker, made, text_spec));
            }
            config
        }
        "NamespaceTransformer" => {
            let mut config = Value::empty_map();
            if maker.dice.one_in(3) {
                maker.note("namespace transformer", "unsetOnly");
                config.set("unsetOnly", true);
            }
            if maker.dice.one_in(2) {
                let word = maker.noted(
                    "namespace transformer",
                    &[
                        "defaultOnly",
                        "allServiceAccounts",
                        "none",
                        "none",
                        "allServiceAccounts",
                    ],
                );
                config.set("setRoleBindingSubjects", word);
            }
            if maker.dice.one_in(2) {
                config.set("fieldSpecs", specs(maker, made, text_spec));
            }
            config
        }
        "PatchTransformer" | "PatchJson6902Transformer" | "PatchStrategicMergeTransformer" => {
            patches::transformer(maker, folder, kind, made).unwrap_or_else(Value::empty_map)
        }
        "PrefixTransformer" => {
            map! {"prefix" => maker.dice.pick(&["t-", "x", ""]), "fieldSpecs" => specs(maker, made, text_spec)}
        }
        "SuffixTransformer" => {
            map! {"suffix" => maker.dice.pick(&["-t", "x", ""]), "fieldSpecs" => specs(maker, made, text_spec)}
        }
        "PrefixSuffixTransformer" => {
            map! {"prefix" => "t-", "suffix" => "-t", "fieldSpecs" => specs(maker, made, text_spec)}
        }
        "ReplacementTransformer" => {
            map! {"replacements" => replacements::entries(maker, folder, made)}
        }
        "ReplicaCountTransformer" => {
            let name = patches::any(maker, made).names[0].clone();
            let specs = list![
                map! {"path" => "spec/replicas", "create" => true, "kind" => "Deployment"},
                field_spec(maker, made)
            ];
            map! {"replica" => map! {"name" => name, "count" => 7}, "fieldSpecs" => specs}
        }
        "ValueAddTransformer" => {
            let made_one = patches::any(maker, made);
            let mut target = map! {"fieldPath" => maker.dice.pick(&["metadata/annotations/x", "spec/ref", "metadata/namespace", "metadata/name", "data/a", "spec/new/deep"])};
            if maker.dice.one_in(2) {
                target.set("selector", patches::selector(maker, &made_one));
            }
            if maker.dice.one_in(4) {
                target.set("filePathPosition", 1);
            }
            // Other texts lose or keep their quotes by what happens to the object later.
            let value =
                maker
                    .dice
                    .pick(&["x", "value", "one two", "a:b:c", "http://web:80/x", "/data"]);
            map! {"value" => value, "targets" => list![target]}
        }
        _ => Value::empty_map(),
    };
    config.set("apiVersion", "builtin");
    config.set("kind", kind);
    let name = maker.name();
    config.set("metadata", map! {"name" => name});
    if kind == "NamespaceTransformer" {
        config
            .entry("metadata")
            .set("namespace", maker.dice.pick(&["prod", "dev", "other", ""]));
    }
    spoil(maker, &mut config);
    config
}

/// The configuration of one generator.
pub fn generator(maker: &mut Maker, folder: &str) -> Value {
    let kind = match maker.dice.below(6) {
        0 if maker.has(Odd::Fields) => "HelmChartInflationGenerator",
        1 => "IAMPolicyGenerator",
        2 | 3 => "SecretGenerator",
        _ => "ConfigMapGenerator",
    };
    maker.note("generator", kind);
    let mut config = match kind {
        "IAMPolicyGenerator" => map! {
            "cloud" => if maker.odd(Odd::Fields, 2) { "aws" } else { "gke" },
            "kubernetesService" => map! {"namespace" => "dev", "name" => maker.name()},
            "serviceAccount" => map! {"name" => "svc", "projectId" => "project"},
        },
        "HelmChartInflationGenerator" => map! {"name" => "x", "chartName" => "x"},
        _ => kustomization::generator_entry(maker, folder, kind == "SecretGenerator", &[]),
    };
    let name = config.str_at(&["name"]).to_owned();
    if kind != "HelmChartInflationGenerator" {
        config.remove("name");
    }
    config.set("apiVersion", "builtin");
    config.set("kind", kind);
    let name = match name.as_str() {
        "" => maker.name(),
        _ => name,
    };
    config.set("metadata", map! {"name" => name});
    if let Some(namespace) = config.get("namespace").cloned() {
        config.remove("namespace");
        config.entry("metadata").set("namespace", namespace);
    }
    spoil(maker, &mut config);
    config
}

fn spoil(maker: &mut Maker, config: &mut Value) {
    if maker.odd(Odd::Fields, 4) {
        match maker.dice.below(4) {
            0 => config.set("unknown", "x"),
            1 => config.set("apiVersion", "example.com/v1"),
            2 => config.entry("metadata").set(
                "annotations",
                map! {"config.kubernetes.io/function" => "container: {image: x}"},
            ),
            _ => config.remove("metadata"),
        }
    }
}

/// An entry of `generators`, `transformers` or `validators`: a file, text in place, or a folder.
pub fn entry(maker: &mut Maker, folder: &str, field: &str, configs: &[Value]) -> Value {
    match maker.dice.below(6) {
        0 | 1 => {
            maker.note("plugin entry", "inline");
            match configs {
                [one] => writer::inline(maker, one).into(),
                _ => writer::documents(maker, configs).into(),
            }
        }
        2 => {
            maker.note("plugin entry", "folder");
            let number = maker.number();
            let name = format!("{field}-{number}");
            let inner = join(folder, &name);
            let file = maker.write(&inner, "config", configs);
            let mut layer = map! {"resources" => list![file]};
            if maker.dice.one_in(4) {
                layer.set("namePrefix", "c-");
            }
            maker.write(&inner, "kustomization", &[layer]);
            name.into()
        }
        _ => {
            maker.note("plugin entry", "file");
            maker.write(folder, field, configs).into()
        }
    }
}
