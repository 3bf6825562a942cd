//! As much of DER as keys need.

use num_bigint::BigUint;

/// One element.
pub(super) fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = vec![tag];
    match length {
        0..0x80 => out.push(length as u8),
        0x80..0x100 => out.extend([0x81, length as u8]),
        _ => {
            // Keys have some thousand bytes at most.
            let length = u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
            out.extend([0x82, length[0], length[1]]);
        }
    }
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out
}

/// A number that is not negative.
pub(super) fn integer(number: &BigUint) -> Vec<u8> {
    let bytes = number.to_bytes_be();
    // The highest bit is a sign.
    let sign: &[u8] = if bytes[0] < 0x80 { &[] } else { &[0] };
    element(2, &[sign, &bytes])
}

/// The contents of the element at the start of `der` and what follows it; `None` when its tag is
/// another.
pub(super) fn read(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x83 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first) - 0x80)?;
            let length = bytes
                .iter()
                .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            (length, rest)
        }
        _ => return None,
    };
    (found == tag).then(|| rest.split_at_checked(length))?
}
