//! Operations that traits apply to rendered objects.
//!
//! An [`Operation`] has a path into an object: keys and positions as in a JSON pointer, `-` for the
//! end of a list, and filters that pick list items by what is in them. It is made from an
//! [`OperationTemplate`], whose path and value hold expressions; a [`Target`] says which objects
//! it is for.
//!
//! ```
//! use component::patch::{Dialect, Operation, Verb, apply};
//! let parse = |text: &str| object::json::parse(text.as_bytes(), object::json::OBJECT_LIMITS);
//! let mut object = parse(r#"{"spec": {"containers": [{"name": "app"}, {"name": "side"}]}}"#)?;
//! let operation = Operation {
//!     verb: Verb::Add,
//!     path: "/spec/containers/[?(@.name=='app')]/env/-".into(),
//!     value: Some(parse(r#"{"name": "A", "value": "1"}"#)?),
//! };
//! apply(&mut object, &operation, Dialect::Current)?;
//! assert_eq!(object, parse(
//!     r#"{"spec": {"containers": [{"name": "app", "env": [{"name": "A", "value": "1"}]}, {"name": "side"}]}}"#)?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Invariants
//!
//! - **All or nothing.** An operation that fails leaves the object as it was.
//! - **Every match.** A filter that matches several items applies the operation to all of them,
//!   the last first, so that positions stay right.
//!
//! # Source
//! openchoreo/openchoreo `internal/patch` at v0.12.0 and v1.2.3; `mergeShallow` at v0.7.0. On
//! purpose different: a value that is omitted as a whole is an error, and a filter that matches
//! nothing says what there is.

mod apply;
mod error;
mod path;
mod template;

use object::{Node, Text};

pub use apply::{apply, expand};
pub use error::{PatchError, PatchErrorKind};
pub use path::{PathError, Segment, parse as parse_path};
pub use template::OperationTemplate;

/// What an operation does with the place its path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Sets a key, inserts into a list or appends to it; makes what is missing on the way.
    Add,
    /// Sets what is there already.
    Replace,
    /// Removes a key, if it is there, or an item, which must be.
    Remove,
    /// Sets the keys of a map that is there, or sets the value where no map is.
    MergeShallow,
}

impl Verb {
    /// The verb of `op`.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "add" => Self::Add,
            "replace" => Self::Replace,
            "remove" => Self::Remove,
            "mergeShallow" => Self::MergeShallow,
            _ => return None,
        })
    }

    /// As it is written in a trait.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Replace => "replace",
            Self::Remove => "remove",
            Self::MergeShallow => "mergeShallow",
        }
    }
}

/// One operation, rendered.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// What to do.
    pub verb: Verb,
    /// Where; with or without a slash in front.
    pub path: Text,
    /// With what; `null` when absent.
    pub value: Option<Node>,
}

/// Whose rules decide what a filter means where there is no list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// Up to v0.17: it matches nothing.
    Legacy,
    /// From v1.0: it is an error of its own.
    #[default]
    Current,
}

/// Which objects a patch is for; the plane and the condition are not part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// API group; empty for any.
    pub group: Text,
    /// API version without the group; empty for any.
    pub version: Text,
    /// Kind; empty for any.
    pub kind: Text,
}

impl Target {
    /// Whether the object is of this group, version and kind.
    pub fn matches(&self, object: &Node) -> bool {
        let api_version = object.str_at(&["apiVersion"]).unwrap_or_default();
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let kind = object.str_at(&["kind"]).unwrap_or_default();
        let fits = |wanted: &Text, found: &str| wanted.is_empty() || wanted == found;
        fits(&self.group, group) && fits(&self.version, version) && fits(&self.kind, kind)
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.group.is_empty() {
            true => write!(f, "{}/{}", self.version, self.kind),
            false => write!(f, "{}/{}/{}", self.group, self.version, self.kind),
        }
    }
}
