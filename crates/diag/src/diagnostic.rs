//! An error or warning ready to show.

use std::fmt::Write as _;

use crate::{Code, Span};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The result stands, but somebody should look.
    Warning,
    /// There is no result.
    Error,
}

/// One error or warning: what failed, where, why, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// Stable name, for `fleetwright explain`.
    pub code: Code,
    /// What failed; lowercase, no final stop, user input in backticks.
    pub message: String,
    /// The place that has to change.
    pub span: Option<Span>,
    /// The line of the file at `span`, if the reader had it at hand.
    pub snippet: Option<String>,
    /// Words beside the underlined place.
    pub label: String,
    /// Causes, nearest first.
    pub notes: Vec<String>,
    /// What to try, likeliest first.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// An error with a code and a message.
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            message: message.into(),
            span: None,
            snippet: None,
            label: String::new(),
            notes: Vec::new(),
            help: Vec::new(),
        }
    }

    /// A warning with a code and a message.
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, message)
        }
    }

    /// The same, at `span`.
    pub fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    /// The same, with one more thing to try.
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// One line for conditions and logs: `path:line:column: message: cause`.
    pub fn one_line(&self) -> String {
        let mut line = String::new();
        if let Some(span) = &self.span {
            let _ = write!(line, "{span}: ");
        }
        line.push_str(&self.message);
        for note in &self.notes {
            let _ = write!(line, ": {note}");
        }
        line
    }

    /// Several lines for a terminal, without color.
    ///
    /// Code and message first, then the place with its source line, causes, help, and the command
    /// that tells more.
    pub fn render(&self) -> String {
        let severity = match self.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        let mut out = format!("{severity}[{}]: {}\n", self.code, self.message);
        let gutter = match &self.span {
            Some(span) => self.render_place(span, &mut out),
            None => 1,
        };
        let pad = " ".repeat(gutter);
        for note in &self.notes {
            let _ = writeln!(out, "{pad}= because {note}");
        }
        for help in &self.help {
            let _ = writeln!(out, "{pad}= help: {help}");
        }
        let _ = writeln!(out, "{pad}= more: fleetwright explain {}", self.code);
        out
    }

    /// Writes the place and its source line; returns the width of the gutter.
    fn render_place(&self, span: &Span, out: &mut String) -> usize {
        let number = span.line.to_string();
        let gutter = number.len() + 1;
        let pad = " ".repeat(gutter);
        let _ = writeln!(out, "{}--> {span}", " ".repeat(gutter - 1));
        if let Some(snippet) = &self.snippet {
            let _ = writeln!(out, "{pad}|\n{number} | {snippet}");
            if span.column > 0 {
                let indent = " ".repeat(span.column as usize - 1);
                let underline = "^".repeat(span.length.max(1) as usize);
                let line = format!("{pad}| {indent}{underline} {}", self.label);
                let _ = writeln!(out, "{}", line.trim_end());
            }
        }
        gutter
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn a_diagnostic_shows_place_cause_and_next_step() {
        let diagnostic = Diagnostic {
            snippet: Some("    name: fronted".into()),
            label: "no Deployment named `fronted` in this build".into(),
            ..Diagnostic::error(
                Code("PatchTargetNotFound"),
                "patch target matches no object",
            )
            .at(Span {
                path: "apps/web/kustomization.yaml".into(),
                line: 14,
                column: 11,
                length: 7,
            })
            .with_help("Did you mean `frontend`, from base/deployment.yaml:4?")
        };
        expect![[r#"
            error[PatchTargetNotFound]: patch target matches no object
              --> apps/web/kustomization.yaml:14:11
               |
            14 |     name: fronted
               |           ^^^^^^^ no Deployment named `fronted` in this build
               = help: Did you mean `frontend`, from base/deployment.yaml:4?
               = more: fleetwright explain PatchTargetNotFound
        "#]]
        .assert_eq(&diagnostic.render());
    }
}
