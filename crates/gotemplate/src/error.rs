//! Why a template gave no text, in Go's words.

use std::fmt;

use crate::stack;

/// Why a template gave no text.
///
/// Unlike errors elsewhere, its `Display` is the whole line that Go prints, causes included, as
/// programs match on it. [`ExecError::cause`] leads down the chain.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text is no template.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// The set has no template of this name.
    #[error("template: no template {} associated with template {}", crate::parse::quote(.name.as_bytes()), crate::parse::quote(.set.as_bytes()))]
    NotFound {
        /// The name asked for.
        name: String,
        /// The name of the set.
        set: String,
    },
    /// It failed on the way.
    #[error(transparent)]
    Exec(#[from] Box<ExecError>),
    /// It was not begun: a limit was reached before.
    #[error("limit reached: {0}")]
    Limit(String),
}

/// A text that is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("template: {name}:{line}: {message}")]
pub struct ParseError {
    /// The name under which the text was parsed.
    pub name: String,
    /// Line, from one.
    pub line: u32,
    /// What is wrong.
    pub message: String,
    /// Whether a limit of ours was reached, and no rule of Go broken.
    pub is_limit: bool,
}

/// An execution that failed: one level of a chain.
#[derive(Debug)]
pub struct ExecError {
    /// The name under which the text at fault was parsed: a file.
    pub name: String,
    /// Line, from one.
    pub line: usize,
    /// Bytes before the node in its line.
    pub column: usize,
    /// The template that was executed: the file's own or one it defines.
    pub template: String,
    /// The node at fault, printed back.
    pub context: String,
    /// What happened.
    pub cause: Cause,
}

/// What happened at a node.
#[derive(Debug, Default)]
pub enum Cause {
    /// Nothing.
    #[default]
    None,
    /// The template does what Go forbids.
    Message(String),
    /// A function or method failed.
    Call {
        /// Its name.
        function: String,
        /// Why.
        error: CallError,
    },
    /// A limit was reached: which one, in words.
    Limit(String),
}

/// Why a function gave no result.
#[derive(Debug)]
pub enum CallError {
    /// The function's error: the template fails with `error calling NAME: ` and this text. A panic of
    /// Go's function reads the same.
    Failed(String),
    /// A limit was reached.
    Limit(String),
    /// Another template failed, which the function had executed.
    Template {
        /// What the function says before that template's error.
        before: String,
        /// That template's error.
        error: Box<Error>,
    },
}

impl Error {
    /// Whether a limit of ours is at the bottom of it, and no fault that Go knows.
    pub fn is_limit(&self) -> bool {
        let mut error = self;
        loop {
            let exec = match error {
                Self::Parse(error) => return error.is_limit,
                Self::NotFound { .. } => return false,
                Self::Limit(_) => return true,
                Self::Exec(exec) => exec,
            };
            match &exec.cause {
                Cause::Limit(_) => return true,
                Cause::Call { error: call, .. } => match call {
                    CallError::Failed(_) => return false,
                    CallError::Limit(_) => return true,
                    CallError::Template { error: inner, .. } => error = inner,
                },
                Cause::None | Cause::Message(_) => return false,
            }
        }
    }
}

impl ParseError {
    pub(crate) fn limit(name: &crate::Str, line: u32, limit: &str) -> Self {
        Self {
            name: name.to_text().into_owned(),
            line,
            message: format!("limit reached: {limit}"),
            is_limit: true,
        }
    }
}

impl ExecError {
    /// `NAME:LINE:COLUMN`, as Go prints it.
    pub fn location(&self) -> String {
        format!("{}:{}:{}", self.name, self.line, self.column)
    }

    /// What is said behind the context: this level's message with all below it.
    pub fn message(&self) -> String {
        self.cause.to_string()
    }

    /// The error of the template that a function executed here, if that is what failed.
    pub fn inner(&self) -> Option<&Error> {
        match &self.cause {
            Cause::Call {
                error: CallError::Template { error, .. },
                ..
            } => Some(error),
            _ => None,
        }
    }
}

impl std::error::Error for ExecError {}

impl fmt::Display for ExecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let template = crate::parse::quote(self.template.as_bytes());
        let location = self.location();
        write!(
            f,
            "template: {location}: executing {template} at <{}>: ",
            self.context
        )?;
        stack::grow(|| self.cause.fmt(f))
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => Ok(()),
            Self::Message(message) => f.write_str(message),
            Self::Call { function, error } => write!(f, "error calling {function}: {error}"),
            Self::Limit(limit) => write!(f, "limit reached: {limit}"),
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(text) => f.write_str(text),
            Self::Limit(limit) => write!(f, "limit reached: {limit}"),
            Self::Template { before, error } => write!(f, "{before}{error}"),
        }
    }
}

impl std::error::Error for CallError {}

impl Drop for ExecError {
    fn drop(&mut self) {
        // As many levels as templates were nested; freeing them recurses.
        if let Cause::Call {
            error: CallError::Template { .. },
            ..
        } = &self.cause
        {
            let cause = std::mem::take(&mut self.cause);
            stack::grow(|| drop(cause));
        }
    }
}

impl From<String> for CallError {
    fn from(text: String) -> Self {
        Self::Failed(text)
    }
}

impl From<&str> for CallError {
    fn from(text: &str) -> Self {
        Self::Failed(text.into())
    }
}

impl From<Error> for CallError {
    fn from(error: Error) -> Self {
        Self::Template {
            before: String::new(),
            error: Box::new(error),
        }
    }
}
