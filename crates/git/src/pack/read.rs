//! Reading a pack that somebody else made.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use super::inflate::Inflater;
use crate::oid::{Collision, Hasher};
use crate::{Kind, Oid};

/// Deepest chain of deltas, the most that git itself makes.
const DELTA_DEPTH_MAX: usize = 4095;

/// What a pack may hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of the pack itself.
    pub pack_bytes_max: u64,
    /// Number of objects.
    pub objects_max: u32,
    /// Bytes of one object.
    pub object_bytes_max: u64,
    /// Bytes of all objects together: what a pack made of deltas can be blown up to.
    pub inflated_bytes_max: u64,
}

impl Limits {
    /// Enough for the largest repositories that hold manifests, small enough for one machine.
    pub const DEFAULT: Self = Self {
        pack_bytes_max: 1 << 30,
        objects_max: 2_000_000,
        object_bytes_max: 100 << 20,
        inflated_bytes_max: 4 << 30,
    };
}

/// Why a pack is refused.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// It cannot be read, or ends early.
    #[error("cannot read the pack")]
    Io(#[from] io::Error),
    /// It does not start as a pack of version 2 does.
    #[error("this is no pack of version 2")]
    Header,
    /// Its own checksum is wrong.
    #[error("the pack's checksum does not match its content")]
    Checksum,
    /// Bytes follow its end.
    #[error("bytes follow the end of the pack")]
    Trailing,
    /// One of its objects is damaged.
    #[error("the object at byte {offset} of the pack is damaged: {why}")]
    Object {
        /// Where it starts.
        offset: u64,
        /// What is wrong.
        why: &'static str,
    },
    /// Deltas stand on objects that are neither in the pack nor in the repository.
    #[error("{0} objects of the pack lack the object they are based on")]
    MissingBase(usize),
    /// A limit is reached.
    #[error("the pack has more {what} than the limit of {limit}")]
    Limit {
        /// What is counted.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// An object carries the marks of an attack on SHA-1.
    #[error(transparent)]
    Collision(#[from] Collision),
}

/// Bytes of a pack, in memory or in a file.
pub(crate) trait Source {
    /// Reads up to `buffer.len()` bytes from `offset`; zero at the end.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Number of bytes.
    fn size(&self) -> io::Result<u64>;
}

impl Source for Vec<u8> {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let from = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(self.len());
        let rest = &self[from..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }
}

impl Source for std::fs::File {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(self, buffer, offset)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
}

/// One object of a pack, as an index lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PackEntry {
    pub id: Oid,
    pub crc: u32,
    pub offset: u64,
}

/// What reading a pack found.
#[derive(Debug)]
pub(crate) struct Indexed {
    /// Every object, by id.
    pub entries: Vec<PackEntry>,
    /// The objects from outside that deltas stand on, by id.
    pub bases: BTreeMap<Oid, (Kind, Arc<[u8]>)>,
    /// The checksum at the end.
    pub checksum: Oid,
}

/// What is done with every object.
pub(crate) type Visit<'a> = dyn FnMut(Oid, Kind, &Arc<[u8]>) + 'a;

/// An object from outside the pack.
pub(crate) type Base = Option<(Kind, Arc<[u8]>)>;

#[derive(Clone, Copy)]
enum Form {
    Whole(Kind),
    OffsetDelta(u64),
    IdDelta(Oid),
}

struct Raw {
    offset: u64,
    data: u64,
    size: u64,
    crc: u32,
    form: Form,
}

/// Reads a whole pack, hands every object to `visit` once, in no promised order.
///
/// `outside` finds objects that deltas stand on and the pack lacks.
///
/// # Errors
/// [`PackError`]; nothing of the pack may be used then.
pub(crate) fn index(
    source: &dyn Source,
    limits: &Limits,
    outside: &mut dyn FnMut(Oid) -> Result<Base, io::Error>,
    visit: &mut Visit<'_>,
) -> Result<Indexed, PackError> {
    let count = check_frame(source, limits)?;
    let mut reader = Reader {
        source,
        limits,
        inflater: Inflater::new(),
        inflated: 0,
        raw: Vec::new(),
        ids: Vec::new(),
        by_offset: Vec::new(),
        by_id: Vec::new(),
    };
    reader.scan(count, visit)?;
    let (resolved, bases) = reader.resolve(outside, visit)?;
    let unresolved = reader.raw.len() - resolved;
    if unresolved > 0 {
        return Err(PackError::MissingBase(unresolved));
    }
    let mut entries: Vec<_> = reader
        .raw
        .iter()
        .zip(&reader.ids)
        .filter_map(|(raw, id)| {
            Some(PackEntry {
                id: (*id)?,
                crc: raw.crc,
                offset: raw.offset,
            })
        })
        .collect();
    entries.sort_unstable();
    Ok(Indexed {
        entries,
        bases,
        checksum: read_checksum(source)?,
    })
}

fn read_checksum(source: &dyn Source) -> Result<Oid, PackError> {
    let mut trailer = [0; 20];
    read_exact(source, source.size()? - 20, &mut trailer)?;
    Ok(Oid::from_bytes(trailer))
}

/// Checks header and checksum; returns the number of objects.
fn check_frame(source: &dyn Source, limits: &Limits) -> Result<u32, PackError> {
    let size = source.size()?;
    if size > limits.pack_bytes_max {
        return Err(PackError::Limit {
            what: "bytes",
            limit: limits.pack_bytes_max,
        });
    }
    let mut header = [0; 12];
    if size < 32 || read_exact(source, 0, &mut header).is_err() {
        return Err(PackError::Header);
    }
    if header[..8] != *b"PACK\0\0\0\x02" {
        return Err(PackError::Header);
    }
    let count = u32::from_be_bytes([header[8], header[9], header[10], header[11]]);
    if count > limits.objects_max {
        return Err(PackError::Limit {
            what: "objects",
            limit: limits.objects_max.into(),
        });
    }
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut at = 0;
    while at < size - 20 {
        let wanted = buffer.len().min((size - 20 - at) as usize);
        let filled = source.read_at(at, &mut buffer[..wanted])?;
        if filled == 0 {
            return Err(PackError::Io(io::ErrorKind::UnexpectedEof.into()));
        }
        hasher.update(&buffer[..filled]);
        at += filled as u64;
    }
    match hasher.finish()? == read_checksum(source)? {
        true => Ok(count),
        false => Err(PackError::Checksum),
    }
}

fn read_exact(source: &dyn Source, mut at: u64, mut buffer: &mut [u8]) -> io::Result<()> {
    while !buffer.is_empty() {
        let filled = source.read_at(at, buffer)?;
        if filled == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        at += filled as u64;
        buffer = &mut buffer[filled..];
    }
    Ok(())
}

struct Reader<'a> {
    source: &'a dyn Source,
    limits: &'a Limits,
    inflater: Inflater,
    inflated: u64,
    raw: Vec<Raw>,
    ids: Vec<Option<Oid>>,
    /// (offset of base, index of delta), sorted.
    by_offset: Vec<(u64, u32)>,
    /// (id of base, index of delta), sorted.
    by_id: Vec<(Oid, u32)>,
}

/// A delta whose base is at hand.
struct Ready {
    delta: u32,
    kind: Kind,
    base: Arc<[u8]>,
    depth: usize,
}

impl Reader<'_> {
    /// First pass: finds every object, and visits those that are stored whole.
    fn scan(&mut self, count: u32, visit: &mut Visit<'_>) -> Result<(), PackError> {
        let end = self.source.size()? - 20;
        let mut at = 12;
        for index in 0..count {
            if at >= end {
                return Err(PackError::Io(io::ErrorKind::UnexpectedEof.into()));
            }
            let mut raw = self.header(at)?;
            let whole = match raw.form {
                Form::Whole(kind) => Some(kind),
                Form::OffsetDelta(base) => {
                    self.by_offset.push((base, index));
                    None
                }
                Form::IdDelta(base) => {
                    self.by_id.push((base, index));
                    None
                }
            };
            self.account(raw.size)?;
            let mut crc = flate2::Crc::new();
            let mut head = vec![0; (raw.data - raw.offset) as usize];
            read_exact(self.source, raw.offset, &mut head)?;
            crc.update(&head);
            let (content, length) = self.inflater.inflate(
                self.source,
                raw.data,
                raw.size,
                whole.is_some(),
                |bytes| crc.update(bytes),
            )?;
            raw.crc = crc.sum();
            at = raw.data + length;
            let id = match whole {
                Some(kind) => {
                    let id = Oid::of(kind, &content)?;
                    visit(id, kind, &content.into());
                    Some(id)
                }
                None => None,
            };
            self.raw.push(raw);
            self.ids.push(id);
        }
        match at == end {
            true => Ok(()),
            false => Err(PackError::Trailing),
        }
    }

    fn account(&mut self, bytes: u64) -> Result<(), PackError> {
        self.inflated = self.inflated.saturating_add(bytes);
        let limit = self.limits.inflated_bytes_max;
        if self.inflated > limit {
            return Err(PackError::Limit {
                what: "unpacked bytes",
                limit,
            });
        }
        Ok(())
    }

    fn header(&self, offset: u64) -> Result<Raw, PackError> {
        let bad = |why| PackError::Object { offset, why };
        // The longest header: size in ten bytes, then an object id of twenty.
        let mut buffer = [0_u8; 40];
        let filled = self.source.read_at(offset, &mut buffer)?;
        let mut bytes = buffer[..filled].iter().copied();
        let mut next = || bytes.next().ok_or(bad("its header is cut off"));
        let first = next()?;
        let mut used = 1_u64;
        let mut size = u64::from(first & 0x0f);
        let mut shift = 4;
        let mut more = first & 0x80 != 0;
        while more {
            let byte = next()?;
            used += 1;
            if shift > 57 {
                return Err(bad("its size is too large"));
            }
            size |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            more = byte & 0x80 != 0;
        }
        if size > self.limits.object_bytes_max {
            return Err(PackError::Limit {
                what: "bytes in one object",
                limit: self.limits.object_bytes_max,
            });
        }
        let form = match first >> 4 & 7 {
            1 => Form::Whole(Kind::Commit),
            2 => Form::Whole(Kind::Tree),
            3 => Form::Whole(Kind::Blob),
            4 => Form::Whole(Kind::Tag),
            6 => {
                let mut byte = next()?;
                used += 1;
                let mut distance = u64::from(byte & 0x7f);
                while byte & 0x80 != 0 {
                    byte = next()?;
                    used += 1;
                    if distance > 1 << 50 {
                        return Err(bad("its base lies before the pack"));
                    }
                    distance = (distance + 1) << 7 | u64::from(byte & 0x7f);
                }
                match offset.checked_sub(distance) {
                    Some(base) if distance > 0 => Form::OffsetDelta(base),
                    _ => return Err(bad("its base lies before the pack")),
                }
            }
            7 => {
                let start = used as usize;
                used += 20;
                let id = buffer[..filled].get(start..).and_then(Oid::from_slice);
                Form::IdDelta(id.ok_or(bad("its header is cut off"))?)
            }
            _ => return Err(bad("its kind is unknown")),
        };
        Ok(Raw {
            offset,
            data: offset + used,
            size,
            crc: 0,
            form,
        })
    }

    /// Second pass: applies deltas from their bases outwards; returns how many objects have ids.
    #[expect(clippy::type_complexity, reason = "one caller takes the pair apart")]
    fn resolve(
        &mut self,
        outside: &mut dyn FnMut(Oid) -> Result<Base, io::Error>,
        visit: &mut Visit<'_>,
    ) -> Result<(usize, BTreeMap<Oid, (Kind, Arc<[u8]>)>), PackError> {
        self.by_offset.sort_unstable();
        self.by_id.sort_unstable();
        let mut resolved = self.ids.iter().flatten().count();
        for index in 0..self.raw.len() {
            let (Form::Whole(kind), Some(id)) = (self.raw[index].form, self.ids[index]) else {
                continue;
            };
            let (offset, data, size) = {
                let raw = &self.raw[index];
                (raw.offset, raw.data, raw.size)
            };
            if !self.has_children(offset, id) {
                continue;
            }
            let (content, _) = self
                .inflater
                .inflate(self.source, data, size, true, |_| {})?;
            resolved += self.resolve_from(Some(offset), id, kind, content.into(), visit)?;
        }
        let mut bases = BTreeMap::new();
        let mut wanted: Vec<Oid> = self
            .by_id
            .iter()
            .filter(|(_, delta)| self.ids[*delta as usize].is_none())
            .map(|(base, _)| *base)
            .collect();
        wanted.dedup();
        for id in wanted {
            if let Some((kind, content)) = outside(id)? {
                bases.insert(id, (kind, content.clone()));
                resolved += self.resolve_from(None, id, kind, content, visit)?;
            }
        }
        Ok((resolved, bases))
    }

    fn has_children(&self, offset: u64, id: Oid) -> bool {
        let by_offset = self.by_offset.partition_point(|(base, _)| *base < offset);
        let by_id = self.by_id.partition_point(|(base, _)| *base < id);
        self.by_offset
            .get(by_offset)
            .is_some_and(|(base, _)| *base == offset)
            || self.by_id.get(by_id).is_some_and(|(base, _)| *base == id)
    }

    fn children(&self, offset: Option<u64>, id: Oid) -> Vec<u32> {
        let mut children = Vec::new();
        if let Some(offset) = offset {
            let from = self.by_offset.partition_point(|(base, _)| *base < offset);
            let same = self.by_offset[from..]
                .iter()
                .take_while(|(base, _)| *base == offset);
            children.extend(same.map(|(_, delta)| *delta));
        }
        let from = self.by_id.partition_point(|(base, _)| *base < id);
        let same = self.by_id[from..]
            .iter()
            .take_while(|(base, _)| *base == id);
        children.extend(same.map(|(_, delta)| *delta));
        children.retain(|delta| self.ids[*delta as usize].is_none());
        children
    }

    fn resolve_from(
        &mut self,
        offset: Option<u64>,
        id: Oid,
        kind: Kind,
        content: Arc<[u8]>,
        visit: &mut Visit<'_>,
    ) -> Result<usize, PackError> {
        let ready = |delta, base: &Arc<[u8]>, depth| Ready {
            delta,
            kind,
            base: base.clone(),
            depth,
        };
        let first = self.children(offset, id);
        let mut stack: Vec<Ready> = first.into_iter().map(|d| ready(d, &content, 1)).collect();
        drop(content);
        let mut resolved = 0;
        while let Some(next) = stack.pop() {
            let index = next.delta as usize;
            if self.ids[index].is_some() {
                continue;
            }
            let (offset, data, size) = {
                let raw = &self.raw[index];
                (raw.offset, raw.data, raw.size)
            };
            if next.depth > DELTA_DEPTH_MAX {
                return Err(PackError::Limit {
                    what: "deltas on one object",
                    limit: DELTA_DEPTH_MAX as u64,
                });
            }
            let (delta, _) = self
                .inflater
                .inflate(self.source, data, size, true, |_| {})?;
            let limit = self.limits.object_bytes_max;
            let content = apply_delta(&next.base, &delta, limit)
                .map_err(|why| PackError::Object { offset, why })?;
            self.account(content.len() as u64)?;
            let id = Oid::of(next.kind, &content)?;
            let content: Arc<[u8]> = content.into();
            visit(id, next.kind, &content);
            self.ids[index] = Some(id);
            resolved += 1;
            for child in self.children(Some(offset), id) {
                stack.push(ready(child, &content, next.depth + 1));
            }
        }
        Ok(resolved)
    }
}

/// Builds an object from its base and a delta.
fn apply_delta(base: &[u8], delta: &[u8], limit: u64) -> Result<Vec<u8>, &'static str> {
    const CUT_OFF: &str = "its delta is cut off";
    let mut bytes = delta.iter();
    let mut size = || {
        let (mut value, mut shift) = (0_u64, 0);
        loop {
            let byte = *bytes.next().ok_or(CUT_OFF)?;
            if shift > 56 {
                return Err("its size is too large");
            }
            value |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
    };
    if size()? != base.len() as u64 {
        return Err("its delta was made for another base");
    }
    let target = size()?;
    if target > limit {
        return Err("it unpacks to more than the limit");
    }
    let mut out = Vec::new();
    let mut rest = bytes.as_slice();
    while let Some((op, tail)) = rest.split_first() {
        rest = tail;
        if op & 0x80 != 0 {
            let mut fields = [0_u32; 2];
            for bit in 0..7 {
                if op >> bit & 1 == 1 {
                    let (byte, tail) = rest.split_first().ok_or(CUT_OFF)?;
                    rest = tail;
                    let (field, shift) = if bit < 4 { (0, bit) } else { (1, bit - 4) };
                    fields[field] |= u32::from(*byte) << (shift * 8);
                }
            }
            let [from, length] = fields.map(|value| value as usize);
            let length = if length == 0 { 0x10000 } else { length };
            let copied = base.get(from..).and_then(|rest| rest.get(..length));
            out.extend_from_slice(copied.ok_or("its delta copies from beyond its base")?);
        } else if *op != 0 {
            let (literal, tail) = rest.split_at_checked(*op as usize).ok_or(CUT_OFF)?;
            out.extend_from_slice(literal);
            rest = tail;
        } else {
            return Err("its delta uses a reserved instruction");
        }
        if out.len() as u64 > target {
            return Err("its delta makes more than it says");
        }
    }
    match out.len() as u64 == target {
        true => Ok(out),
        false => Err("its delta makes less than it says"),
    }
}
