//! What can be wrong with a template.

use std::fmt;

use diag::{Code, Explain, Reason, Retry, nearest};
use expr::{CompileError, Issue};
use object::{FieldPath, Text};

use super::{REPEAT_ITEMS_MAX, TEMPLATE_BYTES_MAX, TEMPLATE_DEPTH_MAX, TEMPLATE_NODES_MAX};

/// Most characters of an expression that a message shows.
const EXPRESSION_SHOWN: usize = 300;

/// Most names that a message lists.
const NAMES_SHOWN: usize = 20;

/// One thing that is wrong, with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct TemplateError {
    /// What is wrong.
    pub kind: TemplateErrorKind,
    /// The place in the template; keys as they are written there.
    pub path: FieldPath,
    /// The expression without `${` and `}`, when it is about one.
    pub expression: Option<Text>,
    /// Line and column inside the expression, in characters from one.
    pub at: Option<(usize, usize)>,
    /// The values the expression looked at.
    pub used: Vec<Used>,
}

/// A place of the context that an expression looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    /// The place: `parameters.replicas`.
    pub place: String,
    /// What is there, as shortened JSON; `None` when it is secret.
    pub value: Option<String>,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum TemplateErrorKind {
    /// An expression that cannot be one: syntax, functions, types.
    Invalid(Vec<Issue>),
    /// An expression above a limit of [`expr`].
    ExpressionTooLarge {
        /// What was counted.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// `${` inside an expression.
    Nested,
    /// A variable that the context does not have.
    NoSuchVariable {
        /// Its name.
        name: Text,
        /// The names there are.
        known: Vec<Text>,
    },
    /// A key that a map does not have.
    NoSuchKey {
        /// The key.
        key: String,
        /// The place of the map, when it is known.
        place: Option<String>,
        /// The keys it has.
        known: Vec<Text>,
    },
    /// The expression failed.
    Failed(String),
    /// The expression failed, and why may tell a secret.
    Concealed {
        /// The place it read.
        place: String,
    },
    /// `oc_omit()` inside a text or as a key.
    OmittedInText,
    /// `oc_omit()` where there has to be a value.
    OmittedWhole,
    /// A key that is no text.
    KeyNoText {
        /// What it is.
        found: &'static str,
    },
    /// Two keys of a map that render alike.
    RepeatedKey,
    /// A value that is no data.
    NoData(String),
    /// The template gave something of another type.
    Unfit {
        /// What it should give.
        wanted: &'static str,
        /// What it gave.
        found: &'static str,
    },
    /// The expressions cost more than they may.
    CostLimit,
    /// What is rendered is larger than it may be.
    OutputLimit,
    /// More items than a template may be repeated for.
    TooManyItems {
        /// How many there are.
        found: usize,
    },
    /// The keys and texts of the template have more bytes than they may.
    TooLarge,
    /// The template has more values than it may.
    TooMany,
    /// The template is nested deeper than it may be.
    TooDeep,
}

impl TemplateErrorKind {
    /// The finest stable name.
    pub fn code(&self) -> Code {
        Code(match self {
            Self::Invalid(_) => "ExpressionInvalid",
            Self::ExpressionTooLarge { .. } => "ExpressionTooLarge",
            Self::Nested => "ExpressionNested",
            Self::NoSuchVariable { .. } => "ExpressionVariableNotFound",
            Self::NoSuchKey { .. } => "ExpressionKeyNotFound",
            Self::Failed(_) | Self::Concealed { .. } => "ExpressionFailed",
            Self::CostLimit => "ExpressionCostLimit",
            Self::NoData(_) | Self::Unfit { .. } => "ExpressionResultUnfit",
            Self::OmittedInText | Self::OmittedWhole => "TemplateValueOmitted",
            Self::KeyNoText { .. } => "TemplateKeyNotText",
            Self::RepeatedKey => "TemplateKeyRepeated",
            Self::OutputLimit => "TemplateOutputTooLarge",
            Self::TooManyItems { .. } => "TemplateItemsTooMany",
            Self::TooLarge | Self::TooMany | Self::TooDeep => "TemplateTooLarge",
        })
    }

    /// Whether data that is not there is the reason, as opposed to the template.
    pub fn is_missing_data(&self) -> bool {
        matches!(self, Self::NoSuchVariable { .. } | Self::NoSuchKey { .. })
    }

    /// Whether rendering has to stop here.
    pub(super) fn is_limit(&self) -> bool {
        matches!(self, Self::CostLimit | Self::OutputLimit)
    }
}

impl fmt::Display for TemplateErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(issues) => {
                for (at, issue) in issues.iter().enumerate() {
                    let separator = if at > 0 { "; " } else { "" };
                    write!(f, "{separator}{}", issue.message)?;
                }
                Ok(())
            }
            Self::ExpressionTooLarge { what, limit } => {
                write!(f, "expression exceeds {what} of {limit}")
            }
            Self::Nested => f.write_str("`${` inside an expression must be in quotes"),
            Self::NoSuchVariable { name, known } => {
                write!(f, "there is no variable `{name}`")?;
                list(f, "; there are", known)
            }
            Self::NoSuchKey { key, place, known } => {
                write!(f, "no such key: `{key}`")?;
                if let Some(place) = place {
                    write!(f, " in `{place}`")?;
                    if known.is_empty() {
                        f.write_str(", which is empty")?;
                    }
                    list(f, ", which has", known)?;
                }
                Ok(())
            }
            Self::Failed(message) => f.write_str(message),
            Self::Concealed { place } => write!(
                f,
                "the expression failed; why is not shown, as it reads `{place}`, which is secret"
            ),
            Self::OmittedInText => f.write_str("`oc_omit()` cannot stand inside text"),
            Self::OmittedWhole => f.write_str("there must be a value, and all of it is omitted"),
            Self::KeyNoText { found } => write!(f, "a map key must be text, not {found}"),
            Self::RepeatedKey => f.write_str("another key of this map renders to the same text"),
            Self::NoData(message) => f.write_str(message),
            Self::Unfit { wanted, found } => write!(f, "must give {wanted}, not {found}"),
            Self::CostLimit => f.write_str(
                "rendering costs too much; loops over loops and long texts are what costs most",
            ),
            Self::OutputLimit => f.write_str("what is rendered becomes too large"),
            Self::TooManyItems { found } => write!(
                f,
                "{found} items to repeat for, more than the limit of {REPEAT_ITEMS_MAX}"
            ),
            Self::TooLarge => write!(
                f,
                "the template is larger than the limit of {TEMPLATE_BYTES_MAX} bytes"
            ),
            Self::TooMany => write!(
                f,
                "the template has more than the limit of {TEMPLATE_NODES_MAX} values"
            ),
            Self::TooDeep => write!(
                f,
                "the template is nested deeper than the limit of {TEMPLATE_DEPTH_MAX} levels"
            ),
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, lead: &str, names: &[Text]) -> fmt::Result {
    if names.is_empty() {
        return Ok(());
    }
    let mut names: Vec<&Text> = names.iter().collect();
    names.sort_unstable();
    write!(f, "{lead} ")?;
    for (at, name) in names.iter().take(NAMES_SHOWN).enumerate() {
        let separator = if at > 0 { ", " } else { "" };
        write!(f, "{separator}`{}`", shortened(name, 80))?;
    }
    match names.len().saturating_sub(NAMES_SHOWN) {
        0 => Ok(()),
        more => write!(f, " and {more} more"),
    }
}

/// The start of a text that is too long to show.
pub(crate) fn shortened(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl From<CompileError> for TemplateErrorKind {
    fn from(error: CompileError) -> Self {
        match error {
            CompileError::Invalid(issues) => Self::Invalid(issues),
            CompileError::TooLarge { what, limit } => Self::ExpressionTooLarge { what, limit },
        }
    }
}

impl TemplateError {
    pub(super) fn new(kind: TemplateErrorKind, path: FieldPath) -> Self {
        Self {
            kind,
            path,
            expression: None,
            at: None,
            used: Vec::new(),
        }
    }

    /// The same, in a template that stands at `path` of a larger one.
    pub fn under(mut self, path: &FieldPath) -> Self {
        let mut whole = path.clone();
        for step in self.path.steps() {
            whole.push(step.clone());
        }
        self.path = whole;
        self
    }
}

/// Place, reason, expression; not the values.
impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_root() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{}", self.kind)?;
        if let Some(expression) = &self.expression {
            write!(f, " (in `${{{}}}`", shortened(expression, EXPRESSION_SHOWN))?;
            match self.at {
                Some((1, column)) => write!(f, ", character {column})")?,
                Some((line, column)) => write!(f, ", line {line}, character {column})")?,
                None => f.write_str(")")?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for TemplateError {}

impl Explain for TemplateError {
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
        let near = |wanted: &str, known: &[Text]| {
            let found = nearest(wanted, known.iter().map(Text::as_str));
            found.map(|found| format!("Did you mean `{found}`?"))
        };
        match &self.kind {
            TemplateErrorKind::NoSuchVariable { name, known } => {
                near(name, known).into_iter().collect()
            }
            TemplateErrorKind::NoSuchKey { key, known, .. } => {
                let optional = "Write `.?key` and `orValue()` for what may be absent.".to_owned();
                near(key, known).into_iter().chain([optional]).collect()
            }
            TemplateErrorKind::Nested => {
                vec![
                    "Leave out the inner `${` and `}`; inside an expression names stand alone."
                        .into(),
                ]
            }
            TemplateErrorKind::OmittedInText => {
                vec!["Give an empty text, or make the whole text one expression.".into()]
            }
            TemplateErrorKind::OmittedWhole => {
                vec![
                    "Use the operation `remove`, or `forEach` over a list that may be empty."
                        .into(),
                ]
            }
            TemplateErrorKind::KeyNoText { .. } => vec!["Wrap the key in `string()`.".into()],
            _ => Vec::new(),
        }
    }
}
