//! Identities that stay when a control plane is built again.
//!
//! Pod selectors hold identities of a component, its environment and its project, and selectors of
//! a Deployment cannot change. Identities given by an API server are new after every rebuild, so
//! ours are computed from kind, namespace and name: RFC 9562, version 5.

use object::Text;

use crate::model::Head;

/// The annotation that holds an identity which shall be kept, whatever the object's name is.
pub const STABLE_UID: &str = "fleetwright.dev/stable-uid";

/// The name space of our identities: version 5 of `openchoreo.dev` in the name space of DNS.
const NAME_SPACE: [u8; 16] = [
    0xa6, 0x31, 0x14, 0x1b, 0x1b, 0xd9, 0x51, 0x72, 0xa0, 0x38, 0xb1, 0xfa, 0x4b, 0x80, 0x48, 0xdc,
];

/// The identity of an object: what its annotation says, else the one of its kind, namespace and
/// name.
pub fn of(head: &Head) -> Text {
    match head
        .annotations
        .get(STABLE_UID)
        .and_then(|uid| uid.as_str())
    {
        Some(uid) if !uid.is_empty() => uid.into(),
        _ => stable_uid(&head.kind, &head.namespace, &head.name).into(),
    }
}

/// The identity of kind, namespace and name, as a UUID of version 5.
///
/// ```
/// let uid = component::identity::stable_uid("Component", "acme", "web");
/// assert_eq!(uid, component::identity::stable_uid("Component", "acme", "web"));
/// assert_ne!(uid, component::identity::stable_uid("Component", "acme", "api"));
/// assert_eq!(uid.as_bytes()[14], b'5');
/// ```
pub fn stable_uid(kind: &str, namespace: &str, name: &str) -> String {
    let mut message = NAME_SPACE.to_vec();
    message.extend(format!("{kind}/{namespace}/{name}").bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&sha1(&message)[..16]);
    bytes[6] = (bytes[6] & 0x0f) | 0x50;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let mut out = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        out.push_str(&format!("{byte:02x}"));
    }
    out
}

/// FIPS 180-4. Here it only spreads names; nobody gains by two names with one identity that he
/// could not have by using one name.
fn sha1(message: &[u8]) -> [u8; 20] {
    let mut state: [u32; 5] = [
        0x6745_2301,
        0xefcd_ab89,
        0x98ba_dcfe,
        0x1032_5476,
        0xc3d2_e1f0,
    ];
    let mut padded = message.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend((message.len() as u64 * 8).to_be_bytes());
    for block in padded.chunks_exact(64) {
        let mut words = [0_u32; 80];
        for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
            *word = bytes
                .iter()
                .fold(0, |word, byte| (word << 8) | u32::from(*byte));
        }
        for at in 16..80 {
            let mixed = words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16];
            words[at] = mixed.rotate_left(1);
        }
        let [mut a, mut b, mut c, mut d, mut e] = state;
        for (at, word) in words.iter().enumerate() {
            let (mixed, constant) = match at / 20 {
                0 => ((b & c) | (!b & d), 0x5a82_7999),
                1 => (b ^ c ^ d, 0x6ed9_eba1),
                2 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
                _ => (b ^ c ^ d, 0xca62_c1d6_u32),
            };
            let next = a
                .rotate_left(5)
                .wrapping_add(mixed)
                .wrapping_add(e)
                .wrapping_add(constant)
                .wrapping_add(*word);
            (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
        }
        for (own, add) in state.iter_mut().zip([a, b, c, d, e]) {
            *own = own.wrapping_add(add);
        }
    }
    let mut out = [0; 20];
    for (bytes, word) in out.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_standard() {
        let hex = |text: &str| -> String {
            let bytes = sha1(text.as_bytes());
            bytes.iter().map(|byte| format!("{byte:02x}")).collect()
        };
        assert_eq!(hex("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(hex(""), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
        let long = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        assert_eq!(hex(long), "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    }

    #[test]
    fn an_identity_that_was_written_down_is_kept() {
        let mut head = Head {
            kind: "Component".into(),
            namespace: "acme".into(),
            name: "web".into(),
            ..Head::default()
        };
        assert_eq!(of(&head), stable_uid("Component", "acme", "web"));
        head.annotations.insert(STABLE_UID, "kept");
        assert_eq!(of(&head), "kept");
    }
}
