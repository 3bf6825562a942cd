//! The bytes of a chart's file.

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::archive;

/// The bytes of a file: at hand, or still packed.
///
/// Large files of an archive that have no meaning of their own (CRDs above all, which can be most of a
/// chart) are looked at by few renders, so they stay packed until somebody asks.
#[derive(Clone)]
pub struct Content(Store);

#[derive(Clone)]
enum Store {
    Here(Arc<[u8]>),
    Packed { archive: Arc<Packed>, at: usize },
}

/// An archive of which some files are not at hand.
pub(super) struct Packed {
    bytes: Arc<[u8]>,
    /// All that are not, once one of them was asked for.
    files: OnceLock<Vec<Arc<[u8]>>>,
}

impl Packed {
    pub(super) fn new(bytes: Arc<[u8]>) -> Arc<Self> {
        Arc::new(Self {
            bytes,
            files: OnceLock::new(),
        })
    }
}

impl Content {
    /// The file that is the `at`th of an archive's files that stay packed.
    pub(super) fn packed(archive: &Arc<Packed>, at: usize) -> Self {
        Self(Store::Packed {
            archive: Arc::clone(archive),
            at,
        })
    }

    /// The bytes, unpacked now unless they are at hand.
    pub fn bytes(&self) -> &Arc<[u8]> {
        match &self.0 {
            Store::Here(bytes) => bytes,
            Store::Packed { archive, at } => {
                let files = archive
                    .files
                    .get_or_init(|| archive::read_packed(&archive.bytes));
                files.get(*at).expect("it was there when it was counted")
            }
        }
    }
}

impl From<Arc<[u8]>> for Content {
    fn from(bytes: Arc<[u8]>) -> Self {
        Self(Store::Here(bytes))
    }
}

impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Content {}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Store::Here(bytes) => write!(f, "{} bytes", bytes.len()),
            Store::Packed { .. } => f.write_str("packed"),
        }
    }
}
