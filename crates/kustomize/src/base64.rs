//! Base64 wrapped as the generators wrap it.

use golang::base64::encode;

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
        assert_eq!(encode_wrapped(b"a=\"q\""), "YT0icSI=");
        let wrapped = encode_wrapped(&[0; 60]);
        assert_eq!(wrapped, format!("{}\n{}\n", "A".repeat(70), "A".repeat(10)));
        assert_eq!(encode_wrapped(&[0; 51]).len(), 68);
    }
}
