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
    Packed(InArchive),
    /// At hand until somebody has looked at it.
    Passing(Arc<[u8]>, InArchive),
}

/// A file of an archive that can be unpacked again.
#[derive(Clone)]
pub(super) struct InArchive {
    pub(super) archive: Arc<Packed>,
    /// Which of its files that may stay packed.
    pub(super) at: usize,
    /// Its bytes.
    pub(super) length: usize,
}

/// An archive of which some files are not at hand.
pub(super) struct Packed {
    bytes: Arc<[u8]>,
    /// All that may stay packed, once one of them was asked for.
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
    /// The bytes, unpacked now unless they are at hand.
    pub fn bytes(&self) -> &Arc<[u8]> {
        match &self.0 {
            Store::Here(bytes) | Store::Passing(bytes, _) => bytes,
            Store::Packed(InArchive { archive, at, .. }) => {
                let files = archive
                    .files
                    .get_or_init(|| archive::read_packed(&archive.bytes));
                files.get(*at).expect("it was there when it was counted")
            }
        }
    }

    /// How many these are, a byte order mark counted where they are packed.
    pub fn length(&self) -> usize {
        match &self.0 {
            Store::Here(bytes) | Store::Passing(bytes, _) => bytes.len(),
            Store::Packed(packed) => packed.length,
        }
    }

    /// Bytes that are needed once while a chart is read, and hardly ever again.
    pub(super) fn passing(bytes: Arc<[u8]>, packed: InArchive) -> Self {
        Self(Store::Passing(bytes, packed))
    }

    /// The same, after those who need the bytes have had them.
    pub(super) fn let_go(self) -> Self {
        match self.0 {
            Store::Passing(_, packed) => packed.into(),
            _ => self,
        }
    }
}

impl From<InArchive> for Content {
    fn from(packed: InArchive) -> Self {
        Self(Store::Packed(packed))
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
            Store::Here(bytes) | Store::Passing(bytes, _) => write!(f, "{} bytes", bytes.len()),
            Store::Packed(packed) => write!(f, "{} bytes, packed", packed.length),
        }
    }
}
