//! The files of a chart that is a folder.
//!
//! # Source
//! helm/helm `pkg/chart/v2/loader/directory.go` and `internal/sympath/walk.go`. Other than there,
//! links are followed inside the tree only.

use tree::{ReadError, Tree, TreePath};

use super::archive::{FILE_BYTES_MAX, UNPACKED_BYTES_MAX};
use super::ignore::Rules;
use super::{Budget, File, without_mark};
use crate::error::ChartError;
use crate::options::Profile;

/// The files below `folder` that its `.helmignore` leaves, in the order of a walk: names sorted in
/// each folder, a folder's own files where its name stands.
pub(super) fn read(
    tree: &Tree,
    folder: &TreePath,
    profile: Profile,
    budget: &mut Budget,
) -> Result<Vec<File>, ChartError> {
    let mut walk = Walk {
        tree,
        root: folder,
        rules: rules(tree, folder)?,
        profile,
        budget,
        remaining: UNPACKED_BYTES_MAX,
        files: Vec::new(),
    };
    walk.directory(folder)?;
    Ok(walk.files)
}

fn rules(tree: &Tree, folder: &TreePath) -> Result<Rules, ChartError> {
    let path = join(folder, ".helmignore")?;
    match tree.read(&path) {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            Rules::parse(&text).map_err(|text| ChartError::Ignore { path, text })
        }
        Err(ReadError::Absent(_)) => Ok(Rules::none()),
        Err(error) => Err(ChartError::Read(error)),
    }
}

struct Walk<'a> {
    tree: &'a Tree,
    root: &'a TreePath,
    rules: Rules,
    profile: Profile,
    budget: &'a mut Budget,
    remaining: u64,
    files: Vec<File>,
}

impl Walk<'_> {
    /// Paths are limited in depth, so this is, too.
    fn directory(&mut self, directory: &TreePath) -> Result<(), ChartError> {
        // Links in a circle end here.
        self.tree.resolve(directory).map_err(ChartError::Read)?;
        for (name, is_directory) in self.tree.list(directory) {
            self.budget.entry()?;
            let path = join(directory, &name)?;
            let inside = path.as_str()[self.root.as_str().len()..].trim_start_matches('/');
            if self.rules.ignores(inside, is_directory) {
                continue;
            }
            if is_directory {
                self.directory(&path)?;
            } else {
                let inside = inside.to_owned();
                self.file(&path, inside)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &TreePath, name: String) -> Result<(), ChartError> {
        let content = self.tree.read(path).map_err(|error| match error {
            // It was listed, so something is there: a pipe, a device, or a link to nowhere.
            ReadError::Absent(absent) => match self.tree.resolve(path) {
                Ok(target) if target != *path => ChartError::LinkToNothing {
                    link: path.clone(),
                    target,
                },
                _ => ChartError::Irregular(absent),
            },
            error => ChartError::Read(error),
        })?;
        let size = content.len() as u64;
        if self.profile == Profile::Helm3 && size > FILE_BYTES_MAX {
            return Err(ChartError::TooLarge(format!(
                "chart file {} is larger than the maximum file size {FILE_BYTES_MAX}",
                golang::strconv::quote(path.file_name())
            )));
        }
        if size > self.remaining {
            return Err(ChartError::TooLarge(format!(
                "error reading {name}: chart exceeds maximum decompressed size of {UNPACKED_BYTES_MAX} bytes"
            )));
        }
        self.remaining -= size;
        self.budget.bytes(size)?;
        let plain = without_mark(&content);
        let content = match plain.len() == content.len() {
            true => content,
            false => plain.into(),
        };
        let content = content.into();
        self.files.push(File { name, content });
        Ok(())
    }
}

fn join(directory: &TreePath, name: &str) -> Result<TreePath, ChartError> {
    directory.join(name).map_err(ChartError::Path)
}
