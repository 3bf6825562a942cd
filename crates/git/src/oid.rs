//! Object ids and kinds.

use std::fmt;
use std::str::FromStr;

/// The SHA-1 of an object's kind, size and content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid([u8; 20]);

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A state of the files, with author, message and parents.
    Commit,
    /// One directory.
    Tree,
    /// The content of one file.
    Blob,
    /// A named, dated pointer to another object.
    Tag,
}

/// Why a text is no object id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no object id of 40 hexadecimal digits")]
pub struct OidError(String);

/// The content hashes to what a known attack on SHA-1 produces.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an object was made to collide with another one's SHA-1")]
pub struct Collision;

impl Oid {
    /// Forty zeros, which the protocol uses for "no object".
    pub const ZERO: Self = Self([0; 20]);

    /// The id with these bytes.
    pub const fn from_bytes(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// The first twenty of `bytes`, if there are so many.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        Some(Self(bytes.get(..20)?.try_into().ok()?))
    }

    /// Reads forty hexadecimal digits.
    pub fn from_hex(hex: &[u8]) -> Option<Self> {
        let digits: &[u8; 40] = hex.try_into().ok()?;
        let mut bytes = [0; 20];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let high = (pair[0] as char).to_digit(16)?;
            let low = (pair[1] as char).to_digit(16)?;
            *byte = (high << 4 | low) as u8;
        }
        Some(Self(bytes))
    }

    /// The twenty bytes.
    pub const fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// Whether this is [`Oid::ZERO`].
    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }

    /// The id of an object of this kind and content.
    ///
    /// # Errors
    /// [`Collision`] when the content carries the marks of a collision attack.
    pub fn of(kind: Kind, content: &[u8]) -> Result<Self, Collision> {
        let mut hasher = Hasher::new();
        hasher.update(format!("{kind} {}\0", content.len()).as_bytes());
        hasher.update(content);
        hasher.finish()
    }

    pub(crate) fn to_gix(self) -> gix::ObjectId {
        gix::ObjectId::Sha1(self.0)
    }
}

/// SHA-1 that notices collision attacks.
pub(crate) struct Hasher(gix::hash::Hasher);

impl Hasher {
    pub(crate) fn new() -> Self {
        Self(gix::hash::hasher(gix::hash::Kind::Sha1))
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn finish(self) -> Result<Oid, Collision> {
        let id = self.0.try_finalize().map_err(|_| Collision)?;
        Oid::from_slice(id.as_bytes()).ok_or(Collision)
    }
}

impl Kind {
    /// The word in an object's header.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Tree => "tree",
            Self::Blob => "blob",
            Self::Tag => "tag",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0 {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Oid {
    type Err = OidError;

    fn from_str(text: &str) -> Result<Self, OidError> {
        Self::from_hex(text.as_bytes())
            .ok_or_else(|| OidError(text.chars().take(60).collect::<String>()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_git() {
        let empty = Oid::of(Kind::Blob, b"").unwrap();
        assert_eq!(
            empty.to_string(),
            "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
        );
        let tree = Oid::of(Kind::Tree, b"").unwrap();
        assert_eq!(tree.to_string(), "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
        assert_eq!(empty.to_string().parse::<Oid>().unwrap(), empty);
        assert!("e69d".parse::<Oid>().is_err());
        assert!("g".repeat(40).parse::<Oid>().is_err());
    }
}
