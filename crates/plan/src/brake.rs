//! Holding deletions until a person agrees.

use std::fmt;

use object::ObjectKey;
use sha2::{Digest, Sha256};

use crate::prune::Deletion;
use crate::stages::sha256_text;

/// Deletions that always pass, however small the inventory.
///
/// Renaming a component replaces a Deployment, a Service and a ConfigMap; more than that at once is
/// rarely an edit of one thing.
const DELETIONS_FREE: usize = 3;

/// Share of an inventory, in percent, that may go at once.
const SHARE_PERCENT: usize = 10;

/// What is done about a large deletion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Brake {
    /// It waits until a person confirms exactly it.
    #[default]
    Confirm,
    /// It happens, with a warning.
    Warn,
    /// It happens.
    Off,
}

/// A deletion that is large, why, and under which digest it can be confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// `sha256:HEX` over the objects by key and UID.
    pub digest: String,
    /// Why it is large, in sentences without final stop, worst first.
    pub reasons: Vec<String>,
    /// What would be deleted.
    pub objects: Vec<ObjectKey>,
}

/// Whether `deletions` from an inventory of `inventory_len` objects are large; `None` when not.
///
/// Large is a Namespace, CustomResourceDefinition or volume with content, everything the unit has,
/// or more than the larger of three and a tenth of it.
pub fn brake(deletions: &[Deletion], inventory_len: usize) -> Option<Held> {
    let mut reasons = Vec::new();
    for deletion in deletions.iter().filter(|deletion| deletion.has_content) {
        let key = deletion.live.key();
        let with = match key.kind.as_str() {
            "Namespace" => "everything in it",
            "CustomResourceDefinition" => "every object of its kind",
            _ => "its data",
        };
        reasons.push(format!("{key} would go with {with}"));
    }
    let free = DELETIONS_FREE.max(inventory_len * SHARE_PERCENT / 100);
    let count = deletions.len();
    if count > 1 && count >= inventory_len {
        reasons.push(format!("all {count} objects of the unit would go"));
    } else if count > free {
        reasons.push(format!(
            "{count} of {inventory_len} objects would go, more than {free}"
        ));
    }
    if reasons.is_empty() {
        return None;
    }
    let objects: Vec<ObjectKey> = deletions
        .iter()
        .map(|deletion| deletion.live.key())
        .collect();
    let mut lines: Vec<String> = deletions
        .iter()
        .map(|deletion| {
            let key = deletion.live.key();
            format!("{key} {} {}", key.group, deletion.live.uid())
        })
        .collect();
    lines.sort();
    Some(Held {
        digest: sha256_text(&Sha256::digest(lines.join("\n"))),
        reasons,
        objects,
    })
}

impl Held {
    /// The first twelve characters of the digest, enough to type.
    pub fn short_digest(&self) -> &str {
        let hex = self.digest.strip_prefix("sha256:").unwrap_or(&self.digest);
        &hex[..12.min(hex.len())]
    }

    /// Whether a person's confirmation names this digest, in full or its first twelve characters.
    pub fn is_confirmed_by(&self, text: &str) -> bool {
        let text = text.strip_prefix("sha256:").unwrap_or(text);
        text.len() >= 12
            && self
                .digest
                .strip_prefix("sha256:")
                .is_some_and(|hex| hex.starts_with(text))
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.reasons.join("; "))
    }
}
