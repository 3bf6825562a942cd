//! The files of a chart that is a folder.
//!
//! # Source
//! helm/helm `pkg/chart/v2/loader/directory.go` and `internal/sympath/walk.go`. Other than there,
//! links are followed inside the tree only.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tree::{ReadError, Tree, TreePath};

use super::archive::{FILE_BYTES_MAX, UNPACKED_BYTES_MAX};
use super::ignore::Rules;
use super::{Budget, Content, File, without_mark};
use crate::error::ChartError;
use crate::options::Profile;
use crate::parallel;

/// What opening a file of the disk costs, in bytes of text that are parsed in that time.
const OPENING_BYTES: usize = 4 << 10;

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
        budget,
        found: Vec::new(),
    };
    let walked = walk.directory(folder);
    let found = walk.found;
    let contents = contents(tree, &found);
    let mut reading = Reading {
        tree,
        profile,
        budget,
        remaining: UNPACKED_BYTES_MAX,
    };
    let files = found.into_iter().zip(contents);
    let files = files.map(|(found, content)| reading.file(found, content));
    // A file that was found before something else went wrong comes first.
    let files = files.collect::<Result<_, _>>()?;
    walked.map(|()| files)
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

/// A file that is one of the chart's.
struct Found {
    path: TreePath,
    /// Path inside the chart.
    name: String,
}

struct Walk<'a> {
    tree: &'a Tree,
    root: &'a TreePath,
    rules: Rules,
    budget: &'a mut Budget,
    found: Vec<Found>,
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
                let name = inside.to_owned();
                self.found.push(Found { path, name });
            }
        }
        Ok(())
    }
}

type Read = Result<Arc<[u8]>, ReadError>;

/// What is in the files of a disk, as far as it is no more than a chart may be. Opening many files
/// takes longer than reading what is in them, so several are opened at once.
fn contents(tree: &Tree, found: &[Found]) -> Vec<Option<Read>> {
    let bytes = AtomicU64::new(0);
    let read = |found: &Found| {
        if bytes.load(Ordering::Relaxed) > UNPACKED_BYTES_MAX {
            return None;
        }
        let read = tree.read(&found.path);
        let size = read.as_ref().map_or(0, |content| content.len() as u64);
        bytes.fetch_add(size, Ordering::Relaxed);
        Some(read)
    };
    let opening = match tree.is_on_demand() {
        true => OPENING_BYTES,
        false => 0,
    };
    parallel::map(found, |_| opening, read)
}

struct Reading<'a> {
    tree: &'a Tree,
    profile: Profile,
    budget: &'a mut Budget,
    remaining: u64,
}

impl Reading<'_> {
    /// The file that was found, read now unless its content is at hand.
    fn file(&mut self, found: Found, content: Option<Read>) -> Result<File, ChartError> {
        let Found { path, name } = found;
        let content = content.unwrap_or_else(|| self.tree.read(&path));
        let content = content.map_err(|error| match error {
            // It was listed, so something is there: a pipe, a device, or a link to nowhere.
            ReadError::Absent(absent) => match self.tree.resolve(&path) {
                Ok(target) if target != path => ChartError::LinkToNothing {
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
        let content = Content::from(content);
        Ok(File { name, content })
    }
}

fn join(directory: &TreePath, name: &str) -> Result<TreePath, ChartError> {
    directory.join(name).map_err(ChartError::Path)
}
