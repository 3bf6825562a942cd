//! Our reading and writing next to that of the Go libraries.

use std::path::Path;

use yaml::ResolveOptions;

use crate::generate::{Dice, json, text};
use crate::reference::{Order, assert_none, compare};

/// Files above this are skipped: they are generated lists that only take time.
const FILE_BYTES_MAX: u64 = 600_000;

fn collect(folder: &Path, texts: &mut Vec<String>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder)
        .expect("the corpus can be listed")
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(&path, texts);
            continue;
        }
        let small = path
            .metadata()
            .is_ok_and(|meta| meta.len() < FILE_BYTES_MAX);
        let Some(extension) = path.extension().and_then(|name| name.to_str()) else {
            continue;
        };
        if !small {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        match extension {
            "yaml" | "yml" | "tpl" | "golden" | "out" => texts.push(text),
            "json" => {
                if let Ok(value) = serde_json::from_str(&text) {
                    strings(&value, texts);
                }
                if text.len() < 50_000 {
                    texts.push(text);
                }
            }
            _ => {}
        }
    }
}

/// Texts of several lines inside recorded cases are manifests.
fn strings(value: &serde_json::Value, texts: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) if text.contains('\n') => texts.push(text.clone()),
        serde_json::Value::Array(items) => items.iter().for_each(|item| strings(item, texts)),
        serde_json::Value::Object(map) => map.values().for_each(|item| strings(item, texts)),
        _ => {}
    }
}

#[test]
fn the_corpus_reads_and_writes_as_in_go() {
    let folders = [
        "kustomize",
        "flux",
        "helm",
        "openchoreo",
        "apimachinery",
        "apiserver",
        "kalypso",
        "mgo",
        "projectset",
    ];
    let Some(tool) = testkit::reference_tool("yaml-reference") else {
        return;
    };
    let mut texts = Vec::new();
    for folder in folders {
        if let Some(folder) = testkit::corpus(folder) {
            collect(&folder, &mut texts);
        }
    }
    texts.sort();
    texts.dedup();
    let differences = compare(&tool, &texts, Order::Counts);
    assert_none(&differences, texts.len());
    eprintln!("{} texts compared", texts.len());
}

/// What is read in one pass, as most of this is, means what its tree means.
#[test]
fn the_corpus_means_what_its_trees_mean() {
    let mut texts = Vec::new();
    for folder in ["helm", "kustomize", "openchoreo", "kalypso", "apiserver"] {
        if let Some(folder) = testkit::corpus(folder) {
            collect(&folder, &mut texts);
        }
    }
    let limits = yaml::Limits::default();
    for text in &texts {
        for document in text.split("\n---\n") {
            let (Ok(read), Ok(tree)) = (
                yaml::load_first(document, &ResolveOptions::default()),
                yaml::parse_first(document, &limits),
            ) else {
                continue;
            };
            let tree = tree.unwrap_or_else(yaml::Node::null);
            let meant = yaml::to_value(&tree, &ResolveOptions::default());
            assert_eq!(Ok(read), meant, "{document}");
        }
    }
    eprintln!("{} texts compared", texts.len());
}

/// How many generated texts are compared; more when hunting.
fn cases() -> u64 {
    let asked = std::env::var("FLEETWRIGHT_CASES");
    asked
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(2_000)
}

#[test]
fn generated_texts_read_and_write_as_in_go() {
    let Some(tool) = testkit::reference_tool("yaml-reference") else {
        return;
    };
    let texts: Vec<String> = (0..cases())
        .map(|seed| text(&mut Dice::new(seed)))
        .collect();
    assert_none(&compare(&tool, &texts, Order::Ignored), texts.len());
}

#[test]
fn generated_values_are_written_as_in_go() {
    let Some(tool) = testkit::reference_tool("yaml-reference") else {
        return;
    };
    let texts: Vec<String> = (0..cases())
        .map(|seed| json(&mut Dice::new(seed)))
        .collect();
    assert_none(&compare(&tool, &texts, Order::Ignored), texts.len());
}
