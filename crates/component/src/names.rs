//! Names that are generated from parts, and the labels objects carry.

use sha2::{Digest as _, Sha256};

/// Longest name of most objects: a DNS subdomain.
pub const NAME_BYTES_MAX: usize = 253;

/// Longest name of a namespace, of a label value and of a part of a DNS name.
pub const LABEL_BYTES_MAX: usize = 63;

/// Hexadecimal digits of the hash at the end of a generated name.
const HASH_DIGITS: usize = 8;

/// A name made of `parts` and eight digits of their hash, at most `limit` bytes long.
///
/// Each part is cut to its own share of the room, also when all of them would fit uncut, so that
/// a name tells its parts apart. Letters outside ASCII stay, as they do upstream, and make a name
/// that Kubernetes refuses.
///
/// ```
/// assert_eq!(component::names::generate_name(63, &["dp", "default", "default", "development"]),
///     "dp-default-default-development-f8e58905");
/// ```
///
/// # Source
/// openchoreo/openchoreo `internal/dataplane/kubernetes/name.go` at v0.12.0. Where that cuts
/// through a letter of several bytes, we drop the letter.
pub fn generate_name(limit: usize, parts: &[&str]) -> String {
    generate_name_from(limit, parts, &[])
}

/// Like [`generate_name`]; `hashed` changes the hash and is not seen in the name.
pub fn generate_name_from(limit: usize, parts: &[&str], hashed: &[&str]) -> String {
    let mut hash = Sha256::new();
    for (at, part) in parts.iter().chain(hashed).enumerate() {
        if at > 0 {
            hash.update("-");
        }
        hash.update(part);
    }
    let digest = hash.finalize();

    // A dash after every part: between them, and before the hash.
    let budget = limit.saturating_sub(HASH_DIGITS + parts.len());
    let count = parts.len().max(1);
    let mut name = String::with_capacity(limit.min(NAME_BYTES_MAX));
    for (at, part) in parts.iter().enumerate() {
        let share = budget / count + usize::from(at < budget % count);
        let part = sanitize(part);
        name.push_str(&part[..part.floor_char_boundary(share)]);
        name.push('-');
    }
    for byte in &digest[..HASH_DIGITS / 2] {
        name.push_str(&format!("{byte:02x}"));
    }
    name.trim_matches(|c: char| !c.is_alphanumeric()).to_owned()
}

fn sanitize(part: &str) -> String {
    let lower = part.to_lowercase();
    let kept: String = lower
        .chars()
        .map(|c| match c {
            '-' | '.' => c,
            c if c.is_alphabetic() || c.is_numeric() => c,
            _ => '-',
        })
        .collect();
    kept.trim_matches(['-', '.']).to_owned()
}

/// The 32-bit FNV-1a hash of `text` in eight hexadecimal digits.
///
/// ```
/// assert_eq!(component::names::short_hash("hello world"), "d58b3fa7");
/// ```
pub fn short_hash(text: &str) -> String {
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    format!("{hash:08x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_has_its_share_even_when_all_would_fit() {
        for (limit, parts, name) in [
            (
                253,
                &["greeter-service", "development"][..],
                "greeter-service-development-a9f97fde",
            ),
            (
                253,
                &["My_Project$", "Component@Name"],
                "my-project-component-name-40314333",
            ),
            (
                253,
                &["-invalid-start", "invalid-end-"],
                "invalid-start-invalid-end-f124257d",
            ),
            (253, &["", ""], "3973e022"),
            (
                63,
                &["dp", "openchoreo", "demo-project-1", "development"],
                "dp-openchoreo-demo-project--development-a67fc1dd",
            ),
        ] {
            assert_eq!(generate_name(limit, parts), name, "{parts:?}");
        }
    }

    #[test]
    fn names_stay_inside_their_limit_whatever_the_parts_are() {
        let long = "ü".repeat(1_000);
        let many = vec!["x"; 5_000];
        assert!(generate_name(63, &[&long, &long]).len() <= 63);
        assert_eq!(generate_name(63, &many).len(), 8);
        assert_eq!(generate_name(0, &[]).len(), 8);
        assert_eq!(
            generate_name(253, &["ünï", "x"]).split('-').next(),
            Some("ünï")
        );
    }

    #[test]
    fn what_is_only_hashed_changes_nothing_but_the_hash() {
        let (a, b) = (
            generate_name(63, &["web", "dev"]),
            generate_name_from(63, &["web", "dev"], &["key"]),
        );
        assert_eq!(a[..8], b[..8]);
        assert_ne!(a, b);
    }
}
