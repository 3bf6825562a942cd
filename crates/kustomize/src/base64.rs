//! Base64 as Go encodes it, and wrapped as the generators wrap it.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Standard base64 with padding.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk
            .iter()
            .fold(0u32, |group, byte| group << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for at in 0..4 {
            match at <= chunk.len() {
                true => out.push(char::from(ALPHABET[(group >> (18 - 6 * at)) as usize & 63])),
                false => out.push('='),
            }
        }
    }
    out
}

/// The bytes of standard base64 with padding; `None` when it is not.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let bytes = text.as_bytes();
    if !bytes.len().is_multiple_of(4) {
        return None;
    }
    let padding = bytes.iter().rev().take_while(|byte| **byte == b'=').count();
    if padding > 2 {
        return None;
    }
    let mut out = Vec::with_capacity(bytes.len() / 4 * 3);
    let (mut group, mut bits) = (0u32, 0);
    for byte in &bytes[..bytes.len() - padding] {
        let value = ALPHABET.iter().position(|known| known == byte)? as u32;
        group = group << 6 | value;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((group >> bits) as u8);
            group &= (1 << bits) - 1;
        }
    }
    Some(out)
}

/// Base64 in lines of 70 characters, each ended, when it is longer than one line.
///
/// # Source
/// kubernetes-sigs/kustomize `kyaml/yaml/datamap.go`, `encodeBase64`.
pub(crate) fn encode_wrapped(bytes: &[u8]) -> String {
    const LINE: usize = 70;
    let packed = encode(bytes);
    if packed.len() < LINE {
        return packed;
    }
    let mut out = String::with_capacity(packed.len() + packed.len() / LINE + 1);
    for (at, symbol) in packed.chars().enumerate() {
        if at > 0 && at % LINE == 0 {
            out.push('\n');
        }
        out.push(symbol);
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_wrapped_at_70() {
        assert_eq!(encode(b"a=\"q\""), "YT0icSI=");
        for bytes in [&b""[..], b"a", b"ab", b"abc", &[0xff, 0xfe, 0]] {
            assert_eq!(decode(&encode(bytes)).as_deref(), Some(bytes));
        }
        assert_eq!(decode("a"), None);
        let wrapped = encode_wrapped(&[0; 60]);
        assert_eq!(wrapped, format!("{}\n{}\n", "A".repeat(70), "A".repeat(10)));
        assert_eq!(encode_wrapped(&[0; 51]).len(), 68);
    }
}
