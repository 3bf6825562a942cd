//! Recorded cases: one file each, in which lines `-- name --` begin sections.

use std::fs;
use std::path::{Path, PathBuf};

/// The files of the folder `name` beside the tests, in order.
pub fn files(name: &str) -> Vec<PathBuf> {
    let folder = Path::new("tests").join(name);
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("the folder is there")
        .flatten()
        .map(|entry| entry.path())
        .collect();
    files.sort();
    files
}

/// The sections of a case by name, in order.
pub fn sections(text: &str) -> Vec<(String, String)> {
    let mut sections: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        let name = line
            .strip_prefix("-- ")
            .and_then(|rest| rest.strip_suffix(" --"));
        match (name, sections.last_mut()) {
            (Some(name), _) => sections.push((name.to_owned(), String::new())),
            (None, Some((_, content))) => {
                content.push_str(line);
                content.push('\n');
            }
            (None, None) => panic!("a case begins with a name, not with {line}"),
        }
    }
    sections
}
