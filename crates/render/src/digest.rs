//! One value for everything a render read.

use std::collections::BTreeSet;
use std::fmt;

use sha2::{Digest as _, Sha256};
use tree::{SourceRef, Tree, TreePath};

use crate::spec::{Spec, Variables};

/// SHA-256 of the inputs of a render: equal digests mean equal objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of the files that were read, the spec, the variables and the other sources.
    pub(crate) fn of(
        tree: &Tree,
        files: &BTreeSet<TreePath>,
        sources: &BTreeSet<SourceRef>,
        spec: &Spec,
        variables: &Variables,
    ) -> Self {
        let mut hash = Sha256::new();
        // Every part begins with its length, so that no two inputs run together the same way.
        let mut add = |part: &[u8]| {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        };
        add(format!("{spec:?}").as_bytes());
        for (name, value) in variables.iter() {
            add(name.as_bytes());
            add(value.as_bytes());
        }
        add(b"files");
        for path in files {
            add(path.as_str().as_bytes());
            if let Ok(content) = tree.read(path) {
                add(&content);
            }
        }
        add(b"sources");
        for source in sources {
            add(source.url.as_bytes());
            add(source.reference.as_bytes());
        }
        Self(hash.finalize().into())
    }
}

impl fmt::Display for Digest {
    /// `sha256:` and 64 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
