//! Reading a folder of this machine into a tree.

use std::path::Path;

use diag::{Code, Diagnostic, Span};
use tree::{Entry, Tree, TreeBuilder, TreePath};

use crate::exit::{Exit, Failure};

/// Most files of a folder, as of a repository.
const FILES_MAX: usize = 200_000;

/// Most bytes of all files.
const BYTES_MAX: u64 = 1 << 30;

/// Reads every file below `folder`; `.git` folders are left out, links stay links.
pub fn read(folder: &Path) -> Result<Tree, Failure> {
    let mut builder = TreeBuilder::default();
    let mut open = vec![TreePath::root()];
    let (mut files, mut bytes) = (0, 0);
    while let Some(directory) = open.pop() {
        let here = folder.join(directory.as_str());
        let entries = std::fs::read_dir(&here).map_err(|error| unreadable(&here, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| unreadable(&here, &error))?;
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| *name != ".git") else {
                continue;
            };
            let Ok(path) = directory.join(name) else {
                continue;
            };
            let kind = entry
                .file_type()
                .map_err(|error| unreadable(&here, &error))?;
            let place = entry.path();
            if kind.is_dir() {
                open.push(path);
                continue;
            }
            let failed = |error| unreadable(&place, &error);
            if kind.is_symlink() {
                let target = std::fs::read_link(&place).map_err(failed)?;
                builder.add(path, Entry::Link(target.to_string_lossy().into_owned()));
            } else if kind.is_file() {
                let content = std::fs::read(&place).map_err(failed)?;
                bytes += content.len() as u64;
                builder.file(path, content);
            }
            files += 1;
            if files > FILES_MAX || bytes > BYTES_MAX {
                let message = format!(
                    "`{}` holds more than {FILES_MAX} files or {BYTES_MAX} bytes",
                    folder.display()
                );
                let diagnostic = Diagnostic::error(Code("FolderTooLarge"), message)
                    .with_help("Name a folder further down.");
                return Err(Failure::explained(Exit::Unreadable, vec![diagnostic]));
            }
        }
    }
    Ok(builder.build())
}

/// Reads a text file.
pub fn read_text(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    let diagnostic = Diagnostic::error(Code("FileUnreadable"), error.to_string())
        .at(Span::file(path.display().to_string()));
    Failure::explained(Exit::Unreadable, vec![diagnostic])
}
