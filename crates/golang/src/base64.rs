//! Base64 as Go's `base64.StdEncoding` writes and reads it.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

/// Like Go, takes a last symbol whose spare bits are not zero.
const STANDARD: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// Standard base64 with padding, in one line.
pub fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The bytes of standard base64 with padding; line breaks are ignored. `None` when it is none.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let packed: Vec<u8> = text
        .bytes()
        .filter(|byte| !matches!(byte, b'\n' | b'\r'))
        .collect();
    STANDARD.decode(packed).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_read_back_and_read_as_go_reads_it() {
        assert_eq!(encode(b"a=\"q\""), "YT0icSI=");
        for bytes in [&b""[..], b"a", b"ab", b"abc", &[0xff, 0xfe, 0]] {
            assert_eq!(decode(&encode(bytes)).as_deref(), Some(bytes));
        }
        for (text, bytes) in [
            ("aGVs\r\nbG8=\n", Some(&b"hello"[..])),
            ("aGVsbG9=", Some(b"hello")),
            ("a", None),
            ("aGVsbG8", None),
            ("aGVs bG8=", None),
            ("aG=sbG8=", None),
            ("aGVsbG8=aGVs", None),
            ("====", None),
        ] {
            assert_eq!(decode(text).as_deref(), bytes, "{text}");
        }
    }
}
