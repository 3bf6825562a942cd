//! The files of a packed chart.
//!
//! # Source
//! helm/helm `pkg/chart/loader/archive/archive.go`. There, everything that is no folder is read as a
//! file, and what has no bytes is an empty one. Here that is so of symbolic links that lead to a place
//! in the chart, with a warning; all else that is neither a file nor a folder is refused, and so are
//! archives that two readers could take differently.

use std::io::{self, BufReader, Read};
use std::sync::Arc;

use golang::strconv::quote;
use tar::EntryType;

use super::content::{InArchive, Packed};
use super::gunzip::Gunzip;
use super::{Budget, Content, File, content_type, files, without_mark};
use crate::error::{ChartError, Warning};
use crate::options::Profile;

/// Most bytes of one packed chart once unpacked, as in the reference.
pub const UNPACKED_BYTES_MAX: u64 = 100 << 20;

/// Most bytes of one file, as in Helm 3.
pub(super) const FILE_BYTES_MAX: u64 = 5 << 20;

/// Smallest file that may stay packed, or is let go once it was read. Those that are smaller are not
/// most of any chart.
const PACKED_BYTES_MIN: u64 = 32 << 10;

/// Most bytes that are asked for before they are there.
const AHEAD_BYTES_MAX: u64 = 1 << 20;

/// Bytes that are unpacked at once: headers and small files are asked for in pieces.
const UNPACKED_AT_ONCE: usize = 64 << 10;

/// The files of an archive, without the folder they are in, and what is odd about them. Large ones that
/// have no meaning of their own are only looked through; those of values can be let go.
pub(super) fn read(
    bytes: &Arc<[u8]>,
    profile: Profile,
    budget: &mut Budget,
) -> Result<(Vec<File>, Vec<Warning>), ChartError> {
    if !bytes.starts_with(content_type::GZIP) {
        return Err(ChartError::NotAnArchive(content_type::of(bytes)));
    }
    let mut archive = unpack(bytes);
    let packed = Packed::new(Arc::clone(bytes));
    let mut packed_count = 0;
    let mut found = Vec::new();
    let mut warnings = Vec::new();
    let mut remaining = UNPACKED_BYTES_MAX;
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(bad_header)?;
        budget.entry()?;
        let written = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        match entry.header().entry_type() {
            EntryType::Directory => continue,
            EntryType::XGlobalHeader | EntryType::XHeader => continue,
            EntryType::Regular | EntryType::Continuous => {}
            EntryType::Symlink if leads_to_plain_file(&entry, &written) => {
                warnings.push(Warning::new(format!(
                    "entry {} of the chart archive is a link, which is not followed: it counts as an empty file",
                    quote(&short(&written))
                )));
            }
            _ => {
                let what = "is neither a file nor a folder";
                return Err(ChartError::Entry {
                    name: short(&written),
                    what,
                });
            }
        }
        // A name that ends in a slash is a folder in old archives.
        if written.ends_with('/') {
            continue;
        }
        if is_sparse(&mut entry)? {
            let what = "is a sparse file, which readers take differently";
            return Err(ChartError::Entry {
                name: short(&written),
                what,
            });
        }
        let name = inner_path(&written)?;
        let size = entry.size();
        if size > remaining {
            return Err(too_large(profile));
        }
        if profile == Profile::Helm3 && size > FILE_BYTES_MAX {
            return Err(ChartError::TooLarge(format!(
                "decompressed chart file {} is larger than the maximum file size {FILE_BYTES_MAX}",
                quote(&written)
            )));
        }
        budget.bytes(size)?;
        let place = rest(&name, size);
        let in_archive = |length| InArchive {
            archive: Arc::clone(&packed),
            at: packed_count,
            length,
        };
        let mut entry = entry.take(remaining);
        let (content, length) = if place == Rest::Packed {
            let length = io::copy(&mut entry, &mut io::sink()).map_err(damaged)?;
            (in_archive(length as usize).into(), length)
        } else {
            let read = content(&mut entry, size).map_err(damaged)?;
            let bytes = Arc::from(without_mark(&read));
            let content = match place {
                Rest::Read => Content::passing(bytes, in_archive(read.len())),
                _ => Content::from(bytes),
            };
            (content, read.len() as u64)
        };
        packed_count += usize::from(place != Rest::Here);
        remaining -= length;
        if length < size {
            return Err(damaged(io::ErrorKind::UnexpectedEof.into()));
        }
        if remaining == 0 {
            return Err(too_large(profile));
        }
        found.push(File { name, content });
    }
    if found.is_empty() {
        return Err(ChartError::Archive("no files in chart archive".to_owned()));
    }
    Ok((found, warnings))
}

/// Whether a link leads to a place in the chart, and stands for a file that says nothing about the
/// chart by itself. One that has bytes is read differently by different readers.
fn leads_to_plain_file(entry: &tar::Entry<'_, impl Read>, written: &str) -> bool {
    let (Some(target), Ok(name)) = (entry.link_name_bytes(), inner_path(written)) else {
        return false;
    };
    let target = String::from_utf8_lossy(&target);
    let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
    let leads_to = clean(&format!("{folder}/{target}"));
    let is_plain = files::meaning(&name).is_none_or(|name| name.starts_with("templates/"));
    is_plain && entry.size() == 0 && !target.starts_with('/') && !leads_to.starts_with("..")
}

/// The contents of the files that do not stay at hand, in their order; `bytes` have been read before.
pub(super) fn read_packed(bytes: &[u8]) -> Vec<Arc<[u8]>> {
    let mut archive = unpack(bytes);
    let mut found = Vec::new();
    for mut entry in archive.entries().into_iter().flatten().flatten() {
        let written = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let is_file = matches!(
            entry.header().entry_type(),
            EntryType::Regular | EntryType::Continuous
        );
        let size = entry.size();
        let name = inner_path(&written).ok();
        let is_rest = |name: String| rest(&name, size) != Rest::Here;
        if is_file && !written.ends_with('/') && name.is_some_and(is_rest) {
            let content = content(&mut entry, size).unwrap_or_default();
            found.push(without_mark(&content).into());
        }
    }
    found
}

fn unpack(bytes: &[u8]) -> tar::Archive<io::Take<BufReader<Gunzip<'_>>>> {
    // Headers count, too: an archive of empty files is all headers.
    let limit = UNPACKED_BYTES_MAX.saturating_mul(2);
    let unpacked = BufReader::with_capacity(UNPACKED_AT_ONCE, Gunzip::new(bytes));
    tar::Archive::new(unpacked.take(limit))
}

/// Where a file is while nobody looks at it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    Here,
    Packed,
    /// Packed after it was read.
    Read,
}

fn rest(name: &str, size: u64) -> Rest {
    match files::meaning(name) {
        _ if size < PACKED_BYTES_MIN => Rest::Here,
        None => Rest::Packed,
        Some("values.yaml") => Rest::Read,
        Some(_) => Rest::Here,
    }
}

/// What a reader gives that should give `size` bytes.
fn content(reader: &mut impl Read, size: u64) -> io::Result<Vec<u8>> {
    let ahead = usize::try_from(size.min(AHEAD_BYTES_MAX)).unwrap_or(0);
    let mut content = Vec::with_capacity(ahead);
    reader.read_to_end(&mut content)?;
    Ok(content)
}

/// The path of an entry inside its chart.
fn inner_path(written: &str) -> Result<String, ChartError> {
    let refused = |text: &str| ChartError::EntryPath(text.to_owned());
    // Archives made on Windows hold backslashes.
    let delimiter = if written.contains('\\') { '\\' } else { '/' };
    let (first, inner) = written.split_once(delimiter).unwrap_or((written, ""));
    let inner = inner.replace(delimiter, "/");
    if inner.starts_with('/') {
        return Err(refused("chart illegally contains absolute paths"));
    }
    let clean = clean(&inner);
    if clean == "." {
        let name = quote(written);
        return Err(ChartError::EntryPath(format!(
            "chart illegally contains content outside the base directory: {name}"
        )));
    }
    if clean.starts_with("..") {
        return Err(refused("chart illegally references parent directory"));
    }
    let drive = clean.as_bytes();
    if drive.len() > 2 && drive[0].is_ascii_alphabetic() && &drive[1..3] == b":/" {
        return Err(refused("chart contains illegally named files"));
    }
    if first == "Chart.yaml" {
        return Err(refused("chart yaml not in base directory"));
    }
    Ok(clean)
}

/// The shortest text for a relative path, as Go's `path.Clean` gives it.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    match parts.is_empty() {
        true => ".".to_owned(),
        false => parts.join("/"),
    }
}

/// Whether an entry's extension headers say that its bytes are not its content.
fn is_sparse(entry: &mut tar::Entry<'_, impl Read>) -> Result<bool, ChartError> {
    let Some(extensions) = entry.pax_extensions().map_err(damaged)? else {
        return Ok(false);
    };
    for extension in extensions {
        let extension = extension.map_err(damaged)?;
        if extension.key_bytes().starts_with(b"GNU.sparse.") {
            return Ok(true);
        }
    }
    Ok(false)
}

fn too_large(profile: Profile) -> ChartError {
    let what = match profile {
        Profile::Helm4 => "size",
        Profile::Helm3 => "file size",
    };
    ChartError::TooLarge(format!(
        "decompressed chart is larger than the maximum {what} {UNPACKED_BYTES_MAX}"
    ))
}

/// What is said when the next entry cannot be found.
fn bad_header(error: io::Error) -> ChartError {
    let text = error.to_string();
    let is_cut = text.contains("failed to read entire block");
    match error.kind() {
        io::ErrorKind::UnexpectedEof => damaged(error),
        _ if is_cut => damaged(io::ErrorKind::UnexpectedEof.into()),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData if text.contains("gzip") => {
            ChartError::Archive("gzip: invalid header".to_owned())
        }
        io::ErrorKind::Other => ChartError::Archive("archive/tar: invalid tar header".to_owned()),
        _ => damaged(error),
    }
}

fn damaged(error: io::Error) -> ChartError {
    let text = match error.kind() {
        io::ErrorKind::UnexpectedEof => "unexpected EOF".to_owned(),
        _ => error.to_string(),
    };
    ChartError::Archive(text)
}

/// At most 200 characters of a name that somebody else chose.
fn short(name: &str) -> String {
    name.chars().take(200).collect()
}
