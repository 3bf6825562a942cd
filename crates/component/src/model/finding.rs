//! What is odd or wrong about an object.

use std::fmt;

use diag::{Code, Explain, Reason, Retry, Span};
use object::{FieldPath, Text};

use super::Head;

/// Something odd or wrong about one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where, from the root of the object.
    pub path: FieldPath,
    /// What.
    pub kind: FindingKind,
}

/// What is odd or wrong about a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FindingKind {
    /// No version has it. It is kept and has no effect.
    Unknown {
        /// The field that may have been meant.
        nearest: Option<String>,
    },
    /// The kind is one that no version has. The object is kept.
    UnknownKind {
        /// The kind that may have been meant.
        nearest: Option<String>,
    },
    /// A value of another type than any version has there.
    Type {
        /// What should be there.
        wanted: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// A field without which the object means nothing.
    Missing,
    /// An empty text where a name has to stand.
    Empty,
    /// A word that is none of those allowed.
    Value {
        /// What is there.
        found: Text,
        /// What may be there.
        allowed: &'static [&'static str],
    },
    /// A text that has not the form it must have.
    Form {
        /// What is there.
        found: Text,
        /// The form.
        wanted: &'static str,
    },
    /// The same name twice where each may stand once.
    Duplicate {
        /// The name.
        found: Text,
    },
    /// Two fields of which one may be there.
    Both {
        /// The other field.
        other: &'static str,
    },
}

impl Finding {
    /// Whether the object is fine all the same.
    pub fn is_warning(&self) -> bool {
        matches!(
            self.kind,
            FindingKind::Unknown { .. } | FindingKind::UnknownKind { .. }
        )
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ", self.path)?;
        match &self.kind {
            FindingKind::Unknown { nearest: None } => f.write_str("is a field of no version"),
            FindingKind::Unknown {
                nearest: Some(name),
            } => write!(f, "is a field of no version; did you mean `{name}`?"),
            FindingKind::UnknownKind { nearest: None } => f.write_str("is of no version"),
            FindingKind::UnknownKind {
                nearest: Some(name),
            } => write!(f, "is of no version; did you mean `{name}`?"),
            FindingKind::Type { wanted, found } => write!(f, "has to be {wanted}, not a {found}"),
            FindingKind::Missing => f.write_str("is missing"),
            FindingKind::Empty => f.write_str("is empty"),
            FindingKind::Value { found, allowed } => {
                write!(f, "is `{found}`, not one of {}", allowed.join(", "))
            }
            FindingKind::Form { found, wanted } => {
                write!(f, "is `{found}`, which is not {wanted}")
            }
            FindingKind::Duplicate { found } => write!(f, "repeats `{found}`"),
            FindingKind::Both { other } => write!(f, "stands beside `{other}`; only one may"),
        }
    }
}

/// Why an object cannot be understood.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{head} cannot be read: {}", list(findings))]
pub struct ReadError {
    /// Which object.
    pub head: Box<Head>,
    /// Everything wrong with it, at least one finding, and none that is a warning.
    pub findings: Vec<Finding>,
}

fn list(findings: &[Finding]) -> String {
    let texts: Vec<String> = findings.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

impl Explain for ReadError {
    fn code(&self) -> Code {
        Code("ComponentObjectInvalid")
    }

    fn reason(&self) -> Reason {
        Reason("InvalidConfiguration")
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }

    fn span(&self) -> Option<Span> {
        self.head.span()
    }
}
