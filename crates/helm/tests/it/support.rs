//! Charts from texts.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use helm::{Chart, ChartError, Options, Profile, UserValues, ValuesFile};
use object::Node;
use tree::{Tree, TreeBuilder, TreePath};

pub fn chart(files: &[(&str, &str)], profile: Profile) -> Result<Arc<Chart>, ChartError> {
    let tree: Tree = files.iter().copied().collect();
    Chart::from_tree(&tree, &TreePath::root(), profile)
}

/// A chart on disk: a folder or an archive.
pub fn load(path: &Path, profile: Profile) -> Result<Arc<Chart>, ChartError> {
    match path.is_dir() {
        true => Chart::from_tree(&folder(path), &TreePath::root(), profile),
        false => Chart::from_archive(fs::read(path).unwrap(), profile),
    }
}

pub fn values_file(name: &str, text: &str) -> ValuesFile {
    ValuesFile {
        name: name.to_owned(),
        content: text.as_bytes().into(),
    }
}

/// The file that `--set-file` may name.
pub fn read(name: &str) -> Result<String, String> {
    match name {
        "secret.txt" => Ok("hello\n".to_owned()),
        _ => Err(format!("open {name}: no such file or directory")),
    }
}

/// What templates would see as `.Values`, or the error, as the reference prints them.
pub fn values(chart: &Arc<Chart>, user: &UserValues, profile: Profile) -> String {
    let options = Options {
        profile,
        ..Options::default()
    };
    match helm::prepare(chart, user, &read, &options, &mut Vec::new()) {
        Ok(scope) => sorted_json(Node::Map(scope.values)),
        Err(error) => format!("Error: {error}"),
    }
}

pub fn sorted_json(mut node: Node) -> String {
    node.sort_keys();
    object::json::to_string(&node)
}

/// The parts of a text in which lines such as `-- name --` begin a part.
pub fn parts(text: &str) -> Vec<(&str, &str)> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = split_mark(rest) {
        let (name, body) = after;
        let end = split_mark(body).map_or(body.len(), |(before, _)| before);
        parts.push((name, &body[..end]));
        rest = &body[end..];
    }
    parts
}

/// Where the first mark begins, its name, and what follows it.
fn split_mark(text: &str) -> Option<(usize, (&str, &str))> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let name = line
            .strip_prefix("-- ")
            .and_then(|line| line.strip_suffix(" --\n"));
        if let Some(name) = name {
            return Some((at, (name, &text[at + line.len()..])));
        }
        at += line.len();
    }
    None
}

/// All files of a folder.
pub fn folder(root: &Path) -> Tree {
    let mut builder = TreeBuilder::default();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            builder.file(TreePath::new(name).unwrap(), fs::read(&path).unwrap());
        }
    }
    builder.build()
}
