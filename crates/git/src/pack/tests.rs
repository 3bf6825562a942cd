//! Packs that are right, wrong and hostile.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::oid::Hasher;
use crate::{Kind, Oid};

/// Limits small enough to be reached.
const SMALL: Limits = Limits {
    pack_bytes_max: 1 << 20,
    objects_max: 1000,
    object_bytes_max: 1 << 20,
    inflated_bytes_max: 4 << 20,
};

/// A pack made entry by entry, with whatever header they claim.
struct Forge {
    bytes: Vec<u8>,
    count: u32,
}

impl Forge {
    fn new() -> Self {
        Self {
            bytes: b"PACK\0\0\0\x02\0\0\0\0".to_vec(),
            count: 0,
        }
    }

    fn header(&mut self, kind: u8, mut size: u64) -> u64 {
        let offset = self.bytes.len() as u64;
        let mut byte = kind << 4 | (size & 15) as u8;
        size >>= 4;
        while size > 0 {
            self.bytes.push(byte | 0x80);
            byte = (size & 0x7f) as u8;
            size >>= 7;
        }
        self.bytes.push(byte);
        self.count += 1;
        offset
    }

    fn compressed(&mut self, content: &[u8]) {
        use std::io::Write as _;
        let level = flate2::Compression::fast();
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), level);
        encoder.write_all(content).unwrap();
        self.bytes.extend(encoder.finish().unwrap());
    }

    fn blob(&mut self, content: &[u8]) -> u64 {
        let offset = self.header(3, content.len() as u64);
        self.compressed(content);
        offset
    }

    fn id_delta(&mut self, base: Oid, delta: &[u8]) -> u64 {
        let offset = self.header(7, delta.len() as u64);
        self.bytes.extend_from_slice(base.as_bytes());
        self.compressed(delta);
        offset
    }

    fn offset_delta(&mut self, base: u64, delta: &[u8]) -> u64 {
        let offset = self.header(6, delta.len() as u64);
        let mut distance = offset.wrapping_sub(base);
        let mut digits = vec![(distance & 0x7f) as u8];
        distance >>= 7;
        while distance > 0 {
            distance -= 1;
            digits.push(0x80 | (distance & 0x7f) as u8);
            distance >>= 7;
        }
        digits.reverse();
        self.bytes.extend(digits);
        self.compressed(delta);
        offset
    }

    fn finish(mut self) -> Vec<u8> {
        self.bytes[8..12].copy_from_slice(&self.count.to_be_bytes());
        sealed(self.bytes)
    }
}

fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let mut hasher = Hasher::new();
    hasher.update(&bytes);
    bytes.extend_from_slice(hasher.finish().unwrap().as_bytes());
    bytes
}

type Objects = BTreeMap<Oid, Arc<[u8]>>;

fn read(pack: Vec<u8>, outside: &[&[u8]]) -> Result<Objects, PackError> {
    let outside: BTreeMap<Oid, &[u8]> = outside
        .iter()
        .map(|bytes| (Oid::of(Kind::Blob, bytes).unwrap(), *bytes))
        .collect();
    let mut found = Objects::new();
    index(
        &pack,
        &SMALL,
        &mut |id| {
            Ok(outside
                .get(&id)
                .map(|bytes| (Kind::Blob, Arc::from(*bytes))))
        },
        &mut |id, _, content| {
            found.insert(id, content.clone());
        },
    )?;
    Ok(found)
}

/// A delta that keeps all of a base of `base` bytes and adds `more`.
fn append(base: usize, more: &[u8]) -> Vec<u8> {
    let size = |mut value: usize| {
        let mut bytes = Vec::new();
        while value > 0x7f {
            bytes.push(0x80 | (value & 0x7f) as u8);
            value >>= 7;
        }
        bytes.push(value as u8);
        bytes
    };
    let mut delta = size(base);
    delta.extend(size(base + more.len()));
    delta.extend([0xb0, base as u8, (base >> 8) as u8]);
    delta.push(more.len() as u8);
    delta.extend_from_slice(more);
    delta
}

#[test]
fn deltas_of_each_form_are_resolved_in_any_order() {
    let base = b"hello, this is the base".to_vec();
    let id = Oid::of(Kind::Blob, &base).unwrap();
    let mut forge = Forge::new();
    // Before its base, by id; then a chain on it by offset.
    let first = forge.id_delta(id, &append(base.len(), b" one"));
    forge.blob(&base);
    forge.offset_delta(first, &append(base.len() + 4, b" two"));
    let found = read(forge.finish(), &[]).unwrap();
    let texts: Vec<_> = found
        .values()
        .map(|c| String::from_utf8_lossy(c).into_owned())
        .collect();
    assert_eq!(found.len(), 3);
    assert!(
        texts.contains(&"hello, this is the base one two".to_owned()),
        "{texts:?}"
    );

    let mut thin = Forge::new();
    thin.id_delta(id, &append(base.len(), b" one"));
    let thin = thin.finish();
    assert!(matches!(
        read(thin.clone(), &[]),
        Err(PackError::MissingBase(1))
    ));
    assert_eq!(read(thin, &[&base]).unwrap().len(), 1);
}

#[test]
fn packs_that_lie_are_refused_within_their_own_size() {
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("four GiB declared", {
            let mut forge = Forge::new();
            forge.header(3, 1 << 32);
            forge.compressed(b"small");
            forge.finish()
        }),
        ("larger than declared", {
            let mut forge = Forge::new();
            forge.header(3, 3);
            forge.compressed(&[0; 100_000]);
            forge.finish()
        }),
        ("smaller than declared", {
            let mut forge = Forge::new();
            forge.header(3, 100_000);
            forge.compressed(b"small");
            forge.finish()
        }),
        ("size of seventy bits", {
            let mut forge = Forge::new();
            forge.bytes.extend([0xbf; 12]);
            forge.count = 1;
            forge.finish()
        }),
        ("four billion objects", {
            let mut forge = Forge::new();
            forge.count = u32::MAX;
            forge.finish()
        }),
        ("fewer objects than said", {
            let mut forge = Forge::new();
            forge.blob(b"a");
            forge.count = 2;
            forge.finish()
        }),
        ("more objects than said", {
            let mut forge = Forge::new();
            forge.blob(b"a");
            forge.blob(b"b");
            forge.count = 1;
            forge.finish()
        }),
        ("deltas on each other", {
            let mut forge = Forge::new();
            forge.id_delta(Oid::from_bytes([1; 20]), &append(1, b"x"));
            forge.id_delta(Oid::from_bytes([2; 20]), &append(1, b"y"));
            forge.finish()
        }),
        ("delta on itself", {
            let mut forge = Forge::new();
            let own = forge.bytes.len() as u64;
            forge.offset_delta(own, &append(1, b"x"));
            forge.finish()
        }),
        ("base before the pack", {
            let mut forge = Forge::new();
            forge.offset_delta(0, &append(1, b"x"));
            forge.bytes[13] = 0x7f;
            forge.finish()
        }),
        ("base between objects", {
            let mut forge = Forge::new();
            let base = forge.blob(b"0123456789");
            forge.offset_delta(base + 1, &append(10, b"x"));
            forge.finish()
        }),
        ("base of another size", {
            let mut forge = Forge::new();
            let base = forge.blob(b"0123456789");
            forge.offset_delta(base, &append(11, b"x"));
            forge.finish()
        }),
        ("copy from beyond the base", {
            let mut forge = Forge::new();
            let base = forge.blob(b"0123456789");
            forge.offset_delta(base, &[10, 5, 0x91, 8, 5]);
            forge.finish()
        }),
        ("reserved instruction", {
            let mut forge = Forge::new();
            let base = forge.blob(b"0123456789");
            forge.offset_delta(base, &[10, 5, 0]);
            forge.finish()
        }),
        ("unknown kind", {
            let mut forge = Forge::new();
            forge.header(5, 1);
            forge.compressed(b"x");
            forge.finish()
        }),
        ("bad checksum", {
            let mut forge = Forge::new();
            forge.blob(b"a");
            let mut bytes = forge.finish();
            *bytes.last_mut().unwrap() ^= 1;
            bytes
        }),
        ("version 3", sealed(b"PACK\0\0\0\x03\0\0\0\0".to_vec())),
        ("nothing", Vec::new()),
        (
            "a page",
            b"<html><body>please sign in to continue</body></html>".to_vec(),
        ),
    ];
    for (case, pack) in cases {
        assert!(read(pack, &[]).is_err(), "{case}");
    }
}

#[test]
fn a_pack_that_unfolds_to_terabytes_ends_at_the_limit() {
    // Every delta copies its base as often as a delta can: sixty-four times, ten deep.
    let mut forge = Forge::new();
    let mut size = 0x10000_usize;
    let mut base = forge.blob(&vec![b'x'; size]);
    for _ in 0..10 {
        let varint = |mut value: usize| {
            let mut bytes = Vec::new();
            while value > 0x7f {
                bytes.push(0x80 | (value & 0x7f) as u8);
                value >>= 7;
            }
            bytes.push(value as u8);
            bytes
        };
        let mut delta = varint(size);
        delta.extend(varint(0x10000 * 64));
        delta.extend([0x80; 64]);
        base = forge.offset_delta(base, &delta);
        size = 0x10000 * 64;
    }
    let error = read(forge.finish(), &[]).unwrap_err();
    let limited = matches!(error, PackError::Limit { .. } | PackError::Object { .. });
    assert!(limited, "{error}");
    // Many that each stay below the limit of one object.
    let mut forge = Forge::new();
    let content = vec![0; 1 << 20];
    for number in 0..10_u8 {
        let mut content = content.clone();
        content[0] = number;
        forge.blob(&content);
    }
    let error = read(forge.finish(), &[]).unwrap_err();
    assert!(
        matches!(
            error,
            PackError::Limit {
                what: "unpacked bytes",
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn no_change_of_any_byte_makes_the_reader_panic() {
    let mut forge = Forge::new();
    let base = forge.blob(b"some content that repeats, some content that repeats");
    let next = forge.offset_delta(base, &append(52, b"more"));
    forge.id_delta(
        Oid::of(Kind::Blob, b"outside").unwrap(),
        &append(7, b"thin"),
    );
    forge.offset_delta(next, &append(56, b"yet more"));
    let good = forge.finish();
    assert_eq!(read(good.clone(), &[b"outside"]).unwrap().len(), 4);
    let body = good.len() - 20;
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    for round in 0..4_000 {
        let mut bytes = good[..body].to_vec();
        for _ in 0..=round % 4 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let at = (random >> 16) as usize % body;
            bytes[at] = random as u8;
        }
        if round % 7 == 0 {
            bytes.truncate((random >> 32) as usize % body);
        }
        let _ = read(sealed(bytes), &[b"outside"]);
    }
}

#[test]
fn what_is_written_is_read_back_and_found_by_the_index() {
    let contents: Vec<Vec<u8>> = (0..50_usize).map(|n| vec![n as u8; n * 1000]).collect();
    let mut writer = PackWriter::new(Vec::new(), 50).unwrap();
    for content in &contents {
        writer
            .add(Oid::of(Kind::Blob, content).unwrap(), Kind::Blob, content)
            .unwrap();
    }
    let (pack, checksum, entries) = writer.finish().unwrap();
    let limits = Limits::DEFAULT;
    let read = index(&pack, &limits, &mut |_| Ok(None), &mut |_, _, _| {}).unwrap();
    assert_eq!(read.checksum, checksum);
    assert_eq!(read.entries, entries);
    let bytes = write_index(&entries, checksum).unwrap();
    assert_eq!(bytes.len(), 8 + 1024 + 50 * 28 + 40);
}
