//! Trees as compressed archives, and back.

use std::collections::BTreeSet;
use std::io::{self, Read, Write as _};

use flate2::bufread::GzDecoder;
use flate2::{Compression, GzBuilder};
use tree::{Entry, Tree, TreeBuilder, TreePath};

/// What an archive may hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of all files together, headers included.
    pub unpacked_bytes_max: u64,
    /// Number of files and folders.
    pub entries_max: usize,
    /// How many times larger than packed it may get, beyond the first 10 MiB.
    pub ratio_max: u64,
}

impl Limits {
    /// For archives that somebody else made.
    pub const FOREIGN: Self = Self {
        unpacked_bytes_max: 1 << 30,
        entries_max: 200_000,
        ratio_max: 100,
    };

    /// For archives made here, whose trees were within the limits of their source.
    pub const OWN: Self = Self {
        unpacked_bytes_max: 2 << 30,
        entries_max: 1_000_000,
        ratio_max: u64::MAX,
    };
}

/// What may be unpacked before the ratio counts.
const RATIO_FREE_BYTES: u64 = 10 << 20;

/// Why an archive is refused.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It is damaged.
    #[error("the archive cannot be read")]
    Read(#[source] io::Error),
    /// It holds more than the limits allow.
    #[error("the archive has more {what} than the limit of {limit}")]
    TooLarge {
        /// What is counted.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// It holds what archives of sources have no reason to hold.
    #[error("entry {name:?} of the archive is {what}")]
    Entry {
        /// At most 200 characters of its name.
        name: String,
        /// What it is.
        what: &'static str,
    },
    /// Two readers could take it differently.
    #[error("bytes follow the end of the archive")]
    Ambiguous,
}

/// The archive of a tree: the same bytes for the same files, whenever and wherever.
///
/// Files and the folders that hold them; symbolic links are left out. No times, no owners.
///
/// # Source
/// Modes are those of fluxcd/pkg `artifact/storage/storage.go`: 0600, 0700 when executable, 0750
/// for folders.
pub fn write(tree: &Tree) -> io::Result<Vec<u8>> {
    let gzip = GzBuilder::new()
        .mtime(0)
        .operating_system(255)
        .write(Vec::new(), Compression::default());
    let mut archive = tar::Builder::new(gzip);
    let mut folders: BTreeSet<TreePath> = BTreeSet::new();
    for (path, entry) in tree.entries() {
        let Entry::File {
            content,
            executable,
        } = entry
        else {
            continue;
        };
        let mut above = Vec::new();
        let mut parent = path.parent();
        while let Some(folder) = parent.filter(|folder| !folder.is_root()) {
            if !folders.insert(folder.clone()) {
                break;
            }
            parent = folder.parent();
            above.push(folder);
        }
        for folder in above.into_iter().rev() {
            append(
                &mut archive,
                &format!("{folder}/"),
                0o750,
                tar::EntryType::Directory,
                &[],
            )?;
        }
        let mode = if *executable { 0o700 } else { 0o600 };
        append(
            &mut archive,
            path.as_str(),
            mode,
            tar::EntryType::Regular,
            content,
        )?;
    }
    let mut gzip = archive.into_inner()?;
    gzip.flush()?;
    gzip.finish()
}

fn append(
    archive: &mut tar::Builder<impl io::Write>,
    path: &str,
    mode: u32,
    kind: tar::EntryType,
    content: &[u8],
) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(content.len() as u64);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    archive.append_data(&mut header, path, content)
}

/// The files of an archive; symbolic links in it are left out.
///
/// # Errors
/// [`ArchiveError`]; no part of it may be used then.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Tree, ArchiveError> {
    let allowed = (bytes.len() as u64).saturating_mul(limits.ratio_max);
    let unpacked = limits.unpacked_bytes_max.min(allowed.max(RATIO_FREE_BYTES));
    let mut gzip = GzDecoder::new(bytes);
    let mut bounded = Bounded {
        inner: &mut gzip,
        left: unpacked,
        exceeded: false,
    };
    let result = read_entries(&mut bounded, limits);
    if bounded.exceeded {
        return Err(ArchiveError::TooLarge {
            what: "unpacked bytes",
            limit: unpacked,
        });
    }
    let tree = result?;
    drain(&mut bounded)?;
    match gzip.into_inner().is_empty() {
        true => Ok(tree),
        false => Err(ArchiveError::Ambiguous),
    }
}

/// Reads what follows the last entry, which may only be zeros.
fn drain(reader: &mut impl Read) -> Result<(), ArchiveError> {
    let mut buffer = [0; 8192];
    loop {
        match reader.read(&mut buffer).map_err(ArchiveError::Read)? {
            0 => return Ok(()),
            filled if buffer[..filled].iter().any(|byte| *byte != 0) => {
                return Err(ArchiveError::Ambiguous);
            }
            _ => {}
        }
    }
}

fn read_entries(reader: &mut impl Read, limits: &Limits) -> Result<Tree, ArchiveError> {
    let mut archive = tar::Archive::new(reader);
    let mut builder = TreeBuilder::default();
    let mut count = 0;
    for entry in archive.entries().map_err(ArchiveError::Read)? {
        let mut entry = entry.map_err(ArchiveError::Read)?;
        count += 1;
        if count > limits.entries_max {
            return Err(ArchiveError::TooLarge {
                what: "entries",
                limit: limits.entries_max as u64,
            });
        }
        let bytes = entry.path_bytes().into_owned();
        let name = String::from_utf8_lossy(&bytes).into_owned();
        let refuse = |what| ArchiveError::Entry {
            name: name.chars().take(200).collect(),
            what,
        };
        if name.len() != bytes.len() || std::str::from_utf8(&bytes).is_err() {
            return Err(refuse("not named in UTF-8"));
        }
        let outside = name.starts_with('/') || name.split('/').any(|part| part == "..");
        if outside || name.contains('\\') && name.get(1..3) == Some(":\\") {
            return Err(refuse("outside the archive"));
        }
        let path = TreePath::new(&name).map_err(|_| refuse("not named as a file"))?;
        match entry.header().entry_type() {
            tar::EntryType::Directory | tar::EntryType::Symlink => {}
            tar::EntryType::XGlobalHeader => {}
            tar::EntryType::Regular => {
                if path.is_root() {
                    return Err(refuse("without a name"));
                }
                let mode = entry.header().mode().map_err(ArchiveError::Read)?;
                // Grows with what arrives; the size in the header is not believed.
                let mut content = Vec::new();
                entry
                    .read_to_end(&mut content)
                    .map_err(ArchiveError::Read)?;
                if content.len() as u64 != entry.size() {
                    return Err(ArchiveError::Read(io::ErrorKind::UnexpectedEof.into()));
                }
                builder.add(
                    path,
                    Entry::File {
                        content: content.into(),
                        executable: mode & 0o100 != 0,
                    },
                );
            }
            _ => return Err(refuse("neither a file nor a folder")),
        }
    }
    Ok(builder.build())
}

/// A reader that fails after so many bytes.
struct Bounded<R> {
    inner: R,
    left: u64,
    exceeded: bool,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let filled = self.inner.read(buffer)?;
        match self.left.checked_sub(filled as u64) {
            Some(left) => self.left = left,
            None => {
                self.exceeded = true;
                return Err(io::ErrorKind::FileTooLarge.into());
            }
        }
        Ok(filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(build: impl FnOnce(&mut tar::Builder<&mut Vec<u8>>)) -> Vec<u8> {
        let mut plain = Vec::new();
        let mut builder = tar::Builder::new(&mut plain);
        build(&mut builder);
        builder.finish().unwrap();
        drop(builder);
        gzip(&plain)
    }

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn entry(name: &str, kind: tar::EntryType) -> Vec<u8> {
        packed(|builder| {
            let mut header = tar::Header::new_ustar();
            header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
            header.set_entry_type(kind);
            header.set_size(0);
            header.set_cksum();
            builder.append(&header, &[][..]).unwrap();
        })
    }

    #[test]
    fn a_tree_survives_and_gives_the_same_bytes_each_time() {
        let mut builder = TreeBuilder::default();
        let long = format!("{}/x.yaml", ["directory-name"; 20].join("/"));
        let path = |text: &str| TreePath::new(text).unwrap();
        builder.file(path("a/b.yaml"), *b"b: 1\n");
        builder.file(path("a-b/c"), *b"");
        builder.file(path(&long), *b"deep");
        let executable = Entry::File {
            content: (*b"#!").into(),
            executable: true,
        };
        builder.add(path("run.sh"), executable);
        let without_link = builder.build();
        let mut builder = TreeBuilder::default();
        for (path, entry) in without_link.entries() {
            builder.add(path.clone(), entry.clone());
        }
        builder.add(path("link"), Entry::Link("a/b.yaml".into()));
        let bytes = write(&builder.build()).unwrap();
        assert_eq!(bytes, write(&without_link).unwrap());
        assert_eq!(read(&bytes, &Limits::FOREIGN).unwrap(), without_link);
        assert_eq!(
            read(&write(&Tree::default()).unwrap(), &Limits::OWN)
                .unwrap()
                .len(),
            0
        );
    }

    #[test]
    fn entries_that_could_reach_outside_refuse_the_archive() {
        for (name, kind) in [
            ("../x", tar::EntryType::Regular),
            ("a/../../x", tar::EntryType::Regular),
            ("/x", tar::EntryType::Regular),
            ("C:\\x", tar::EntryType::Regular),
            ("x", tar::EntryType::Link),
            ("x", tar::EntryType::Char),
            ("x", tar::EntryType::Block),
            ("x", tar::EntryType::Fifo),
            ("x", tar::EntryType::GNUSparse),
            (".", tar::EntryType::Regular),
        ] {
            let result = read(&entry(name, kind), &Limits::FOREIGN);
            let refused = matches!(
                result,
                Err(ArchiveError::Entry { .. } | ArchiveError::Read(_))
            );
            assert!(refused, "{name} {kind:?}: {result:?}");
        }
        let link = read(&entry("x", tar::EntryType::Symlink), &Limits::FOREIGN).unwrap();
        assert!(link.is_empty());
    }

    #[test]
    fn bombs_end_at_the_limit() {
        let zeros = vec![0; 30 << 20];
        let bomb = packed(|builder| {
            let mut header = tar::Header::new_ustar();
            header.set_size(zeros.len() as u64);
            header.set_mode(0o600);
            builder.append_data(&mut header, "x", &zeros[..]).unwrap();
        });
        assert!(matches!(
            read(&bomb, &Limits::FOREIGN),
            Err(ArchiveError::TooLarge {
                what: "unpacked bytes",
                ..
            })
        ));
        assert_eq!(read(&bomb, &Limits::OWN).unwrap().len(), 1);
        let limits = Limits {
            entries_max: 2,
            ..Limits::FOREIGN
        };
        let files = |names: &[&str]| {
            write(&names.iter().map(|name| (*name, "")).collect::<Tree>()).unwrap()
        };
        assert!(read(&files(&["a", "b"]), &limits).is_ok());
        assert!(read(&files(&["a", "b", "c"]), &limits).is_err());
    }

    #[test]
    fn what_two_readers_could_take_differently_is_refused() {
        let one = write(&[("a", "1")].into_iter().collect()).unwrap();
        let two = write(&[("a", "2")].into_iter().collect()).unwrap();
        let twice = [one.clone(), two].concat();
        assert!(matches!(
            read(&twice, &Limits::FOREIGN),
            Err(ArchiveError::Ambiguous)
        ));
        let mut plain = Vec::new();
        GzDecoder::new(&one[..]).read_to_end(&mut plain).unwrap();
        let behind = gzip(&[plain.clone(), plain].concat());
        assert!(matches!(
            read(&behind, &Limits::FOREIGN),
            Err(ArchiveError::Ambiguous)
        ));
        for cut in [0, 5, one.len() / 2, one.len() - 1] {
            assert!(read(&one[..cut], &Limits::FOREIGN).is_err(), "{cut}");
        }
    }
}
