//! Identities that stay when a control plane is built again.
//!
//! Pod selectors hold identities of a component, its environment and its project, and selectors of
//! a Deployment cannot change. Identities given by an API server are new after every rebuild, so
//! ours are computed from kind, namespace and name: RFC 9562, version 5.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
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
    // It only spreads names; nobody gains by two names with one identity that he could not have by
    // using one name.
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, &message);
    bytes.copy_from_slice(&hash.as_ref()[..16]);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_standard() {
        let hex = |text: &str| -> String {
            let bytes = digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
            bytes
                .as_ref()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect()
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
