//! What can be wrong with an expression, before and while it is evaluated.

use std::fmt;

/// One finding of the parser or the type check, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// Line, from one.
    pub line: usize,
    /// Column in characters, from one.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// The line of the expression.
    pub snippet: String,
}

impl Issue {
    pub(crate) fn new(text: &str, at: u32, message: String) -> Self {
        let at = text.floor_char_boundary((at as usize).min(text.len()));
        let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
        Self {
            line: text[..at].matches('\n').count() + 1,
            column: text[start..at].chars().count() + 1,
            message,
            snippet: text[start..end].replace('\t', " "),
        }
    }
}

/// Printed as cel-go prints it: place, message, the line, and a caret under the place.
///
/// # Source
/// google/cel-go `common/error.go`, `ToDisplayString`; wide characters get wide dots there too.
impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = (self.line, self.column);
        write!(f, "ERROR: <input>:{line}:{column}: {}", self.message)?;
        write!(f, "\n | {}\n | ", self.snippet)?;
        let mut characters = self.snippet.chars();
        for c in characters.by_ref().take(column - 1) {
            f.write_str(if c.len_utf8() > 1 { "．" } else { "." })?;
        }
        let wide = characters.next().is_some_and(|c| c.len_utf8() > 1);
        f.write_str(if wide { "＾" } else { "^" })
    }
}

/// Why a text is no expression we accept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// Syntax or type errors, at least one.
    #[error("{}", .0.iter().map(Issue::to_string).collect::<Vec<_>>().join("\n"))]
    Invalid(Vec<Issue>),
    /// More text, nodes or nesting than a limit allows.
    #[error("expression exceeds {what} of {limit}")]
    TooLarge {
        /// What was counted.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
}

impl CompileError {
    /// Stable name: `ExpressionInvalid` or `ExpressionTooLarge`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "ExpressionInvalid",
            Self::TooLarge { .. } => "ExpressionTooLarge",
        }
    }
}

/// Why an evaluation gave no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct EvalError {
    /// What went wrong; prints the text Kubernetes shows.
    pub kind: EvalErrorKind,
    /// Byte of the expression at which it went wrong.
    pub at: u32,
}

/// What went wrong in an evaluation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvalErrorKind {
    /// A map or object has no such key.
    #[error("no such key: {0}")]
    NoSuchKey(String),
    /// A variable has no value.
    #[error("no such attribute(s): {0}")]
    NoSuchAttribute(String),
    /// An operator or function does not take these values.
    #[error("no such overload")]
    NoSuchOverload,
    /// A list has no such item.
    #[error("index out of bounds: {0}")]
    IndexOutOfBounds(i64),
    /// The budget is used up.
    #[error("operation cancelled: actual cost limit exceeded")]
    CostLimit,
    /// A function refused its arguments.
    #[error("{0}")]
    Function(String),
}

impl EvalError {
    /// Whether the budget ended the evaluation, as opposed to the expression itself.
    pub fn is_cost_limit(&self) -> bool {
        self.kind == EvalErrorKind::CostLimit
    }
}

impl From<&str> for EvalErrorKind {
    fn from(message: &str) -> Self {
        Self::Function(message.to_owned())
    }
}

impl From<String> for EvalErrorKind {
    fn from(message: String) -> Self {
        Self::Function(message)
    }
}
