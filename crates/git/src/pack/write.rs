//! Writing packs and their indexes.

use std::io::{self, Write};

use flate2::{Compression, write::ZlibEncoder};

use super::read::PackEntry;
use crate::oid::Hasher;
use crate::{Kind, Oid};

/// Writes a pack object by object; every object is stored whole.
pub(crate) struct PackWriter<W: Write> {
    out: W,
    hasher: Hasher,
    offset: u64,
    entries: Vec<PackEntry>,
}

impl<W: Write> PackWriter<W> {
    /// Starts a pack of exactly `count` objects.
    pub(crate) fn new(out: W, count: u32) -> io::Result<Self> {
        let mut writer = Self {
            out,
            hasher: Hasher::new(),
            offset: 0,
            entries: Vec::new(),
        };
        writer.put(b"PACK\0\0\0\x02")?;
        writer.put(&count.to_be_bytes())?;
        Ok(writer)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.offset += bytes.len() as u64;
        self.out.write_all(bytes)
    }

    /// Adds one object.
    pub(crate) fn add(&mut self, id: Oid, kind: Kind, content: &[u8]) -> io::Result<()> {
        let bytes = encode_entry(kind, content)?;
        let mut crc = flate2::Crc::new();
        crc.update(&bytes);
        self.entries.push(PackEntry {
            id,
            crc: crc.sum(),
            offset: self.offset,
        });
        self.put(&bytes)
    }

    /// Writes the checksum; returns it, what was written, and the objects by id.
    pub(crate) fn finish(mut self) -> io::Result<(W, Oid, Vec<PackEntry>)> {
        let checksum = self.hasher.finish().map_err(io::Error::other)?;
        self.out.write_all(checksum.as_bytes())?;
        self.out.flush()?;
        self.entries.sort_unstable();
        Ok((self.out, checksum, self.entries))
    }
}

/// Header and compressed content of one object.
pub(crate) fn encode_entry(kind: Kind, content: &[u8]) -> io::Result<Vec<u8>> {
    let kind: u8 = match kind {
        Kind::Commit => 1,
        Kind::Tree => 2,
        Kind::Blob => 3,
        Kind::Tag => 4,
    };
    let mut bytes = Vec::with_capacity(content.len() / 2 + 32);
    let mut size = content.len() as u64;
    let mut byte = kind << 4 | (size & 0x0f) as u8;
    size >>= 4;
    while size > 0 {
        bytes.push(byte | 0x80);
        byte = (size & 0x7f) as u8;
        size >>= 7;
    }
    bytes.push(byte);
    let mut encoder = ZlibEncoder::new(bytes, Compression::fast());
    encoder.write_all(content)?;
    encoder.finish()
}

/// The bytes of an index of version 2 for the pack with `checksum`; `entries` sorted by id.
pub(crate) fn write_index(entries: &[PackEntry], checksum: Oid) -> io::Result<Vec<u8>> {
    let mut bytes = b"\xfftOc\0\0\0\x02".to_vec();
    let mut fanout = [0_u32; 256];
    for entry in entries {
        fanout[entry.id.as_bytes()[0] as usize] += 1;
    }
    let mut sum = 0;
    for count in fanout {
        sum += count;
        bytes.extend_from_slice(&u32::to_be_bytes(sum));
    }
    for entry in entries {
        bytes.extend_from_slice(entry.id.as_bytes());
    }
    for entry in entries {
        bytes.extend_from_slice(&entry.crc.to_be_bytes());
    }
    let mut large = Vec::new();
    for entry in entries {
        let offset = match u32::try_from(entry.offset) {
            Ok(offset) if offset < 1 << 31 => offset,
            _ => {
                large.extend_from_slice(&entry.offset.to_be_bytes());
                1 << 31 | (large.len() / 8 - 1) as u32
            }
        };
        bytes.extend_from_slice(&offset.to_be_bytes());
    }
    bytes.extend_from_slice(&large);
    bytes.extend_from_slice(checksum.as_bytes());
    let mut hasher = Hasher::new();
    hasher.update(&bytes);
    let own = hasher.finish().map_err(io::Error::other)?;
    bytes.extend_from_slice(own.as_bytes());
    Ok(bytes)
}
