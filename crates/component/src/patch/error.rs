//! Why an operation cannot be applied.

use std::fmt;

use diag::{Code, Explain, Reason, Retry};
use object::Text;

use super::{PathError, Verb};
use crate::template::Context;

/// Most names that a message lists.
const NAMES_SHOWN: usize = 20;

/// An operation that cannot be applied.
#[derive(Clone, Debug, PartialEq)]
pub struct PatchError {
    /// What was to be done.
    pub verb: Verb,
    /// The path as it is written.
    pub path: Text,
    /// What is in the way.
    pub kind: PatchErrorKind,
}

/// What is in the way; `at` is a place of the object as a JSON pointer.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum PatchErrorKind {
    /// The path itself.
    Path(PathError),
    /// A filter, or `[*]`, that matches no item.
    NoMatch {
        /// The list.
        at: String,
        /// What was looked for.
        filter: String,
        /// What the items have there, or their names.
        found: Vec<Text>,
    },
    /// A filter, `[*]` or `-` where there is no list.
    NoList {
        /// The place.
        at: String,
        /// What is there.
        found: &'static str,
        /// What needs a list.
        segment: String,
    },
    /// A key where there is no map.
    NoMap {
        /// The place.
        at: String,
        /// What is there.
        found: &'static str,
        /// The key.
        key: String,
    },
    /// A key that has to be there.
    NoSuchKey {
        /// The map.
        at: String,
        /// The key.
        key: String,
        /// The keys there are.
        found: Vec<Text>,
    },
    /// A position that has to be there.
    OutOfRange {
        /// The list.
        at: String,
        /// The position.
        index: usize,
        /// Items of the list.
        length: usize,
    },
    /// `-` where something has to be there.
    EndOfList {
        /// The list.
        at: String,
    },
    /// A merge of something that is no map.
    ValueNoMap {
        /// What it is.
        found: &'static str,
    },
}

impl PatchError {
    /// The same without what `context` conceals: places, filters and names come from the object,
    /// which may hold secrets.
    pub fn masked(mut self, context: &Context) -> Self {
        let mask = |text: &mut String| *text = context.masked(std::mem::take(text));
        let mask_all = |texts: &mut Vec<Text>| {
            for text in texts {
                *text = context.masked(text.to_string()).into();
            }
        };
        self.path = context.masked(self.path.to_string()).into();
        match &mut self.kind {
            PatchErrorKind::Path(PathError::Brackets(text)) => {
                *text = context.masked(text.to_string()).into();
            }
            PatchErrorKind::Path(_) | PatchErrorKind::ValueNoMap { .. } => {}
            PatchErrorKind::NoMatch { at, filter, found } => {
                mask(at);
                mask(filter);
                mask_all(found);
            }
            PatchErrorKind::NoList { at, segment, .. } => {
                mask(at);
                mask(segment);
            }
            PatchErrorKind::NoMap { at, key, .. } => {
                mask(at);
                mask(key);
            }
            PatchErrorKind::NoSuchKey { at, key, found } => {
                mask(at);
                mask(key);
                mask_all(found);
            }
            PatchErrorKind::OutOfRange { at, .. } | PatchErrorKind::EndOfList { at } => mask(at),
        }
        self
    }
}

impl PatchErrorKind {
    /// The finest stable name.
    pub fn code(&self) -> Code {
        Code(match self {
            Self::Path(_) => "TraitPatchPathInvalid",
            Self::NoMatch { .. } => "TraitPatchWithoutMatch",
            Self::NoList { .. } | Self::NoMap { .. } | Self::EndOfList { .. } => {
                "TraitPatchPathUnfit"
            }
            Self::NoSuchKey { .. } | Self::OutOfRange { .. } => "TraitPatchPlaceNotFound",
            Self::ValueNoMap { .. } => "TraitPatchValueUnfit",
        })
    }
}

impl fmt::Display for PatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cannot {} `{}`: {}",
            self.verb.as_str(),
            self.path,
            self.kind
        )
    }
}

impl std::error::Error for PatchError {}

impl Explain for PatchError {
    fn code(&self) -> Code {
        self.kind.code()
    }

    fn reason(&self) -> Reason {
        Reason("RenderingFailed")
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }

    fn help(&self) -> Vec<String> {
        match &self.kind {
            PatchErrorKind::NoList {
                found: "absent", ..
            } => {
                vec!["Add the list first; `-` at the end of a path makes one.".into()]
            }
            PatchErrorKind::NoSuchKey { .. } if self.verb == Verb::Replace => {
                vec!["Use `add`, which sets a key whether it is there or not.".into()]
            }
            _ => Vec::new(),
        }
    }
}

impl fmt::Display for PatchErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(error) => write!(f, "{error}"),
            Self::NoMatch { at, filter, found } => {
                write!(f, "`{filter}` matches nothing in `{at}`")?;
                match found.is_empty() {
                    true => f.write_str(", which has no items to choose from"),
                    false => list(f, ", which has", found),
                }
            }
            Self::NoList { at, found, segment } => {
                write!(f, "`{segment}` needs a list, and `{at}` is {found}")
            }
            Self::NoMap { at, found, key } => {
                write!(f, "key `{key}` needs a map, and `{at}` is {found}")
            }
            Self::NoSuchKey { at, key, found } => {
                write!(f, "there is no key `{key}` in `{at}`")?;
                list(f, ", which has", found)
            }
            Self::OutOfRange { at, index, length } => {
                write!(
                    f,
                    "position {index} is outside of `{at}`, which has {length} items"
                )
            }
            Self::EndOfList { at } => write!(f, "there is nothing at the end of `{at}`"),
            Self::ValueNoMap { found } => write!(f, "only a map can be merged, not {found}"),
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, lead: &str, names: &[Text]) -> fmt::Result {
    for (at, name) in names.iter().take(NAMES_SHOWN).enumerate() {
        let separator = if at > 0 { "," } else { lead };
        write!(f, "{separator} `{name}`")?;
    }
    match names.len().saturating_sub(NAMES_SHOWN) {
        0 => Ok(()),
        more => write!(f, " and {more} more"),
    }
}
