//! Charts as they were written: metadata, default values, templates, other files, charts inside.
//!
//! A [`Chart`] never changes. What a release makes of it (which of its charts are used, under what
//! names, with what values) is in [`crate::dependencies`].

mod archive;
mod content;
mod content_type;
mod directory;
mod files;
mod gunzip;
mod ignore;
mod metadata;

use std::sync::{Arc, OnceLock};

use object::Map;
use sha2::{Digest as _, Sha256};
use tree::{Tree, TreePath};

pub use archive::UNPACKED_BYTES_MAX;
pub use content::Content;
pub use metadata::{Dependency, Maintainer, Metadata};

use crate::error::{ChartError, Warning};
use crate::options::Profile;
use crate::schema::Compiled;

/// Most files and folders of a chart with all charts inside it. The largest public ones have a few
/// thousand.
pub const ENTRIES_MAX: usize = 100_000;

/// Most bytes of a chart with all charts inside it, packed ones unpacked: what the reference allows
/// for each of them is one hundred MiB, and a chart that is that large holds no second one.
pub const TOTAL_BYTES_MAX: u64 = 256 << 20;

/// Deepest nesting of charts in charts; people stop at four.
pub const LEVELS_MAX: usize = 32;

/// A chart and the charts inside it.
#[derive(Clone, Debug)]
pub struct Chart {
    /// What it says about itself.
    pub metadata: Metadata,
    /// Default values; numbers are floats.
    pub values: Map,
    /// Its `values.yaml`.
    values_file: Option<Content>,
    /// The text of its `values.schema.json`.
    pub schema: Option<Arc<[u8]>>,
    /// What was made of it, once somebody has checked values.
    pub(crate) compiled: Compiled,
    /// Everything below `templates/`, in the order of the source.
    pub templates: Vec<File>,
    /// Everything that has no meaning of its own; CRDs, too.
    pub files: Vec<File>,
    /// The charts below `charts/`, by name.
    pub charts: Vec<Arc<Chart>>,
    /// Which templates it has, once somebody has asked.
    templates_digest: OnceLock<Digest>,
    /// What was odd while loading, of the charts inside, too.
    pub warnings: Vec<Warning>,
}

/// A file of a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Path inside the chart.
    pub name: String,
    /// Its bytes, a byte order mark taken off.
    pub content: Content,
}

/// A SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Chart {
    /// Which templates it has, those of charts inside left out. Equal digests mean that equal programs
    /// are made of them.
    pub fn templates_digest(&self) -> Digest {
        let digest = || {
            let mut sorted: Vec<&File> = self.templates.iter().collect();
            sorted.sort_by(|a, b| a.name.cmp(&b.name));
            let mut hash = Sha256::new();
            // Of a library only partials are taken.
            hash.update([u8::from(self.metadata.is_library())]);
            for file in sorted {
                hash.update((file.name.len() as u64).to_le_bytes());
                hash.update(&file.name);
                let content = file.content.bytes();
                hash.update((content.len() as u64).to_le_bytes());
                hash.update(content);
            }
            Digest(hash.finalize().into())
        };
        *self.templates_digest.get_or_init(digest)
    }

    /// Reads the chart in a folder.
    ///
    /// # Errors
    /// [`ChartError`].
    pub fn from_tree(
        tree: &Tree,
        folder: &TreePath,
        profile: Profile,
    ) -> Result<Arc<Self>, ChartError> {
        let mut budget = Budget::default();
        let read = directory::read(tree, folder, profile, &mut budget)?;
        files::chart(read, Vec::new(), profile, &mut budget, 0)
    }

    /// Reads a packed chart.
    ///
    /// # Errors
    /// [`ChartError`].
    pub fn from_archive(
        bytes: impl Into<Arc<[u8]>>,
        profile: Profile,
    ) -> Result<Arc<Self>, ChartError> {
        let mut budget = Budget::default();
        let (files, warnings) = archive::read(&bytes.into(), profile, &mut budget)?;
        files::chart(files, warnings, profile, &mut budget, 0)
    }

    /// Its `values.yaml`, if it has one.
    pub fn values_file(&self) -> Option<&Arc<[u8]>> {
        self.values_file.as_ref().map(Content::bytes)
    }

    /// The text of its `values.yaml`; nothing without one.
    pub fn values_text(&self) -> &[u8] {
        self.values_file().map_or(&[], |text| text)
    }

    /// Its name, as it calls itself.
    pub fn name(&self) -> &str {
        &self.metadata.name
    }
}

impl std::fmt::Display for Digest {
    /// `sha256:` and the digits.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// What one load may still read.
#[derive(Clone, Copy, Debug)]
struct Budget {
    entries: usize,
    bytes: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            entries: ENTRIES_MAX,
            bytes: TOTAL_BYTES_MAX,
        }
    }
}

impl Budget {
    fn entry(&mut self) -> Result<(), ChartError> {
        self.entries = self.entries.checked_sub(1).ok_or_else(|| {
            ChartError::TooLarge(format!(
                "chart has more than {ENTRIES_MAX} files and folders"
            ))
        })?;
        Ok(())
    }

    /// One of so many parts.
    fn part(self, of: usize) -> Self {
        Self {
            entries: self.entries / of,
            bytes: self.bytes / of as u64,
        }
    }

    /// What is left when what `before` had and `after` has not is taken, if there is enough.
    fn without(self, before: Self, after: Self) -> Option<Self> {
        let entries = before.entries - after.entries;
        let bytes = before.bytes - after.bytes;
        Some(Self {
            entries: self.entries.checked_sub(entries)?,
            bytes: self.bytes.checked_sub(bytes)?,
        })
    }

    fn bytes(&mut self, count: u64) -> Result<(), ChartError> {
        self.bytes = self.bytes.checked_sub(count).ok_or_else(|| {
            ChartError::TooLarge(format!(
                "chart has more than {TOTAL_BYTES_MAX} bytes with the charts inside it"
            ))
        })?;
        Ok(())
    }
}

/// The bytes behind a byte order mark.
fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charts_inside_count_towards_the_chart() {
        let file = |name: &str| File {
            name: name.to_owned(),
            content: Content::from(Arc::from(*b"{name: c, version: 1.0.0}")),
        };
        let mut budget = Budget::default();
        for _ in 0..ENTRIES_MAX {
            budget.entry().expect("there is room");
        }
        assert!(budget.entry().is_err());
        assert_eq!(budget.bytes(TOTAL_BYTES_MAX), Ok(()));
        assert!(budget.bytes(1).is_err());
        let inside = vec![file("Chart.yaml"), file("charts/k.tgz")];
        let read = files::chart(inside, Vec::new(), Profile::Helm4, &mut budget, 0);
        assert!(matches!(read, Err(ChartError::Inside { .. })));
    }
}
