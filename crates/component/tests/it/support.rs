//! Objects from texts and folders.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use component::checkout::Checkout;
use object::{Node, Object, Origin};
use tree::{Tree, TreeBuilder, TreePath};
use yaml::{Limits, ResolveOptions, Rules};

/// One value from YAML.
pub fn node(text: &str) -> Node {
    let mut documents = yaml::load(text, &Limits::default()).expect("a test's YAML is right");
    match documents.len() {
        0 => Node::Null,
        _ => documents.remove(0).node,
    }
}

/// The value of a file that a tool for YAML 1.2 wrote, so that `n` and `y` are text.
pub fn read_file(path: &Path) -> Node {
    let text = fs::read_to_string(path).expect("a file of the corpus can be read");
    let options = ResolveOptions {
        rules: Rules::V3,
        ..ResolveOptions::default()
    };
    yaml::load_first(&text, &options).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Every object of a text.
pub fn objects(text: &str, path: &str) -> Vec<Object> {
    let documents = yaml::load(text, &Limits::default()).unwrap_or_else(|e| panic!("{path}: {e}"));
    documents
        .into_iter()
        .map(|document| Object {
            node: document.node,
            origin: Some(Arc::new(Origin {
                path: path.into(),
                line: document.line,
                document: document.index,
            })),
        })
        .collect()
}

/// The YAML files of a folder and below, sorted.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the corpus can be read") {
            let path = entry.expect("an entry can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|end| end == "yaml" || end == "yml")
            {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Every object of a folder and below.
pub fn tree(folder: &Path) -> Vec<Object> {
    let mut found = Vec::new();
    for path in files(folder) {
        let text = fs::read_to_string(&path).expect("a file of the corpus can be read");
        let name = path.strip_prefix(folder).unwrap_or(&path);
        found.extend(objects(&text, &name.display().to_string()));
    }
    found
}

/// Whether two values are the same as data: the order of keys is free, and whole numbers are equal
/// however they are held.
pub fn same(a: &Node, b: &Node) -> bool {
    match (a, b) {
        (Node::List(a), Node::List(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b))
        }
        (Node::Map(a), Node::Map(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        _ => a == b || (a.as_f64().is_some() && a.as_f64() == b.as_f64()),
    }
}

/// Where two values differ, as lines `path: wanted … got …`. Equal as data, see [`same`]; a text in
/// the form `<dp-resource-hash>` is equal to any text.
pub fn differences(wanted: &Node, got: &Node) -> Vec<String> {
    let mut found = Vec::new();
    differ(wanted, got, String::new(), &mut found);
    found
}

fn differ(wanted: &Node, got: &Node, path: String, found: &mut Vec<String>) {
    match (wanted, got) {
        (Node::List(a), Node::List(b)) if a.len() == b.len() => {
            for (at, (a, b)) in a.iter().zip(b.iter()).enumerate() {
                differ(a, b, format!("{path}[{at}]"), found);
            }
        }
        (Node::Map(a), Node::Map(b)) => {
            for (key, value) in a.iter() {
                let path = format!("{path}.{key}");
                match b.get(key) {
                    Some(other) => differ(value, other, path, found),
                    None => found.push(format!("{path}: missing")),
                }
            }
            for (key, value) in b.iter().filter(|(key, _)| !a.contains_key(key)) {
                let value = object::json::to_string(value);
                found.push(format!("{path}.{key}: not wanted: {value}"));
            }
        }
        (Node::String(a), Node::String(_)) if a == "<dp-resource-hash>" => {}
        _ if same(wanted, got) => {}
        _ => {
            let (wanted, got) = (
                object::json::to_string(wanted),
                object::json::to_string(got),
            );
            found.push(format!("{path}: wanted {wanted}, got {got}"));
        }
    }
}

/// A tree of files from paths and texts.
pub fn tree_of<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Tree {
    let mut builder = TreeBuilder::default();
    for (path, text) in files {
        let path = TreePath::new(path).expect("a test's path is right");
        builder.file(path, text.as_bytes());
    }
    builder.build()
}

/// A checkout of files that can all be read.
pub fn checkout<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Checkout {
    let (checkout, warnings) = Checkout::read(&tree_of(files), "default").expect("a right config");
    assert!(warnings.is_empty(), "{warnings:?}");
    checkout
}

/// The files of a folder, by their paths below a place.
pub fn folder(folder: &Path, below: &str) -> Vec<(String, String)> {
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a file of the corpus can be read");
        let name = path.strip_prefix(folder).unwrap_or(&path);
        (format!("{below}{}", name.display()), text)
    };
    files(folder).into_iter().map(read).collect()
}

/// A checkout of a folder's files.
pub fn checkout_of(files: &[(String, String)]) -> Checkout {
    let files = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()));
    let read = Checkout::read(&tree_of(files), "default");
    read.expect("a right config").0
}
