//! Places in files.

use std::fmt;

/// A place in a file: `apps/web/kustomization.yaml:14:11`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Path from the root of the tree, with forward slashes.
    pub path: String,
    /// Line, from one; zero when only the file is known.
    pub line: u32,
    /// Column in characters, from one; zero when only the line is known.
    pub column: u32,
    /// Length in characters to underline; zero underlines one.
    pub length: u32,
}

impl Span {
    /// A place of which only the file is known.
    pub fn file(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            ..Self::default()
        }
    }

    /// A place of which file and line are known.
    pub fn line(path: impl Into<String>, line: u32) -> Self {
        Self {
            path: path.into(),
            line,
            ..Self::default()
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
            if self.column > 0 {
                write!(f, ":{}", self.column)?;
            }
        }
        Ok(())
    }
}
