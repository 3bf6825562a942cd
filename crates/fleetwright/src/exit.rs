//! How a command ends.

use cluster::{ApiError, ErrorClass};
use diag::{Diagnostic, Explain};

/// Exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done; no differences; checks pass.
    Done = 0,
    /// A valid negative answer: differences, not ready.
    Negative = 1,
    /// The command was not understood.
    Usage = 2,
    /// Input cannot be read or rendered.
    Unreadable = 3,
    /// A remote is not reachable, or does not know us.
    Unreachable = 4,
    /// The time was up.
    TimedOut = 5,
    /// A rule refuses it.
    Refused = 6,
    /// Our defect.
    Defect = 70,
    /// Interrupted.
    Interrupted = 130,
}

/// Why a command did not do what was asked.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What to say; several for input with several mistakes.
    pub diagnostics: Vec<Diagnostic>,
    /// A message without a code, for mistakes of the command line itself.
    pub message: Option<String>,
}

impl Failure {
    /// A failure said in one sentence.
    pub fn plain(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            diagnostics: Vec::new(),
            message: Some(message.into()),
        }
    }

    /// A failure with codes and places.
    pub fn explained(exit: Exit, diagnostics: Vec<Diagnostic>) -> Self {
        Self {
            exit,
            diagnostics,
            message: None,
        }
    }

    /// What to print on standard error, the most important line last.
    pub fn render(&self) -> String {
        let mut text: String = self.diagnostics.iter().map(Diagnostic::render).collect();
        if self.diagnostics.len() > 1 {
            text.push_str(&format!("{} errors\n", self.diagnostics.len()));
        }
        if let Some(message) = &self.message {
            text.push_str(&format!("error: {message}\n"));
        }
        text
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        let exit = match error.class {
            ErrorClass::Unreachable | ErrorClass::Unauthorized | ErrorClass::Server => {
                Exit::Unreachable
            }
            ErrorClass::Forbidden => Exit::Refused,
            _ => Exit::Negative,
        };
        Self::explained(exit, vec![error.to_diagnostic()])
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::plain(Exit::Unreadable, error.to_string())
    }
}
