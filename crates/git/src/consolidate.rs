//! Many small packs become one, so that looking an object up stays cheap.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::odb::Objects as _;
use crate::pack::{PackWriter, write_index};
use crate::repository::{Quarantine, io_error};
use crate::{ObjectError, Oid, Repository, RepositoryError};

/// Small packs of one repository beyond which they are merged: every push and commit adds one.
const PACKS_MAX: usize = 50;

/// Size from which a pack is left alone, so that merging never copies a large repository.
const PACK_BYTES_LARGE: u64 = 32 << 20;

/// One at a time in this process; who comes meanwhile need not wait, the next push tries again.
static RUNNING: Mutex<()> = Mutex::new(());

impl Repository {
    /// Merges small packs when there are too many.
    ///
    /// The new pack is in place before the old ones go; being stopped in between costs space only.
    ///
    /// # Errors
    /// [`RepositoryError`]; nothing is lost then.
    pub fn consolidate(&self) -> Result<(), RepositoryError> {
        let Ok(_running) = RUNNING.try_lock() else {
            return Ok(());
        };
        let folder = self.folder().join("objects/pack");
        let Some(packs) = small_packs(&folder).map_err(io_error("list", &folder))? else {
            return Ok(());
        };
        let mut ids = BTreeSet::new();
        for pack in &packs {
            let path = pack.with_extension("idx");
            let read = read_index(&path).map_err(io_error("read", &path))?;
            ids.extend(read);
        }
        let odb = self.odb()?;
        let quarantine = Quarantine::new(self)?;
        let path = quarantine.pack();
        let file = File::create(&path).map_err(io_error("create", &path))?;
        let writer = PackWriter::new(BufWriter::new(file), ids.len() as u32);
        let mut writer = writer.map_err(io_error("write", &path))?;
        for id in ids {
            let found = odb.find(id)?;
            let (kind, content) = found.ok_or(ObjectError::Missing { kind: None, id })?;
            let added = writer.add(id, kind, &content);
            added.map_err(io_error("write", &path))?;
        }
        let (_, checksum, entries) = writer.finish().map_err(io_error("write", &path))?;
        let index = write_index(&entries, checksum).map_err(io_error("write", &path))?;
        quarantine.promote(checksum, &index)?;
        let new = folder.join(format!("pack-{checksum}.pack"));
        for pack in packs.iter().filter(|pack| **pack != new) {
            // The index first: a pack without one is invisible, an index without a pack is an error.
            for extension in ["idx", "rev", "pack"] {
                let path = pack.with_extension(extension);
                match fs::remove_file(&path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(io_error("remove", &path)(error));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

/// The packs to merge, if there are enough of them and nobody else keeps books about them.
fn small_packs(folder: &Path) -> io::Result<Option<Vec<PathBuf>>> {
    let mut packs = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path
            .file_name()
            .is_some_and(|name| name == "multi-pack-index")
        {
            return Ok(None);
        }
        let guarded = ["keep", "promisor", "bitmap"];
        let guarded = guarded
            .iter()
            .any(|kind| path.with_extension(kind).exists());
        if path.extension().is_some_and(|kind| kind == "pack")
            && !guarded
            && path.with_extension("idx").exists()
            && fs::metadata(&path).is_ok_and(|metadata| metadata.len() < PACK_BYTES_LARGE)
        {
            packs.push(path);
        }
    }
    packs.sort();
    Ok((packs.len() > PACKS_MAX).then_some(packs))
}

/// The ids that an index of version 2 lists.
fn read_index(path: &Path) -> io::Result<Vec<Oid>> {
    let bytes = fs::read(path)?;
    let damaged = || io::Error::from(io::ErrorKind::InvalidData);
    let table = bytes
        .strip_prefix(b"\xfftOc\0\0\0\x02")
        .ok_or_else(damaged)?;
    let count = table.get(1020..1024).ok_or_else(damaged)?;
    let count = u32::from_be_bytes([count[0], count[1], count[2], count[3]]) as usize;
    let ids = table[1024..]
        .get(..count.saturating_mul(20))
        .ok_or_else(damaged)?;
    Ok(ids.chunks_exact(20).filter_map(Oid::from_slice).collect())
}
