//! Characters of byte strings, as Go's `unicode/utf8` takes them: a byte that starts no character
//! stands for itself.
//!
//! # Source
//! golang/go `src/unicode/utf8/utf8.go`.

/// The first character and its length in bytes. For a byte that starts no character: `None` and 1.
/// For no bytes: `None` and 0.
pub fn decode(bytes: &[u8]) -> (Option<char>, usize) {
    let Some(&first) = bytes.first() else {
        return (None, 0);
    };
    if first < 0x80 {
        return (Some(char::from(first)), 1);
    }
    let width = match first {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return (None, 1),
    };
    let character = bytes
        .get(..width)
        .and_then(|bytes| std::str::from_utf8(bytes).ok())
        .and_then(|text| text.chars().next());
    match character {
        Some(character) => (Some(character), width),
        None => (None, 1),
    }
}

/// The last character and its length in bytes, as [`decode`] gives them.
pub fn decode_last(bytes: &[u8]) -> (Option<char>, usize) {
    for width in 1..=bytes.len().min(4) {
        let start = bytes.len() - width;
        if bytes[start] & 0xc0 != 0x80 {
            return match decode(&bytes[start..]) {
                (character, size) if size == width => (character, width),
                _ => (None, 1),
            };
        }
    }
    (None, bytes.len().min(1))
}

/// Goes over the characters: where each starts, what it is (`None` for a byte that starts none) and
/// how long it is.
pub fn characters(bytes: &[u8]) -> impl Iterator<Item = (usize, Option<char>, usize)> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (character, width) = decode(bytes.get(at..)?);
        if width == 0 {
            return None;
        }
        let start = at;
        at += width;
        Some((start, character, width))
    })
}

/// How many characters there are; a byte that starts none counts as one.
pub fn count(bytes: &[u8]) -> usize {
    if bytes.is_ascii() {
        return bytes.len();
    }
    characters(bytes).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_stand_alone() {
        let bytes = b"a\xc3\xa9\xe2\x82\xff\xed\xa0\x80";
        let found: Vec<_> = characters(bytes).collect();
        assert_eq!(
            found,
            [
                (0, Some('a'), 1),
                (1, Some('é'), 2),
                (3, None, 1),
                (4, None, 1),
                (5, None, 1),
                (6, None, 1),
                (7, None, 1),
                (8, None, 1),
            ]
        );
        assert_eq!(count(bytes), 8);
        assert_eq!(decode_last("é".as_bytes()), (Some('é'), 2));
        assert_eq!(decode_last(b"a\xa9"), (None, 1));
        assert_eq!(decode_last(b"\x80\x80\x80\x80\x80"), (None, 1));
        assert_eq!(decode_last(b""), (None, 0));
    }
}
