//! Why a text cannot be read.

use std::fmt::{self, Write as _};

use diag::{Code, Explain, Reason, Retry};
use object::Text;

use crate::Rules;

/// A place in the text; line and column count from one, columns in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, from one; zero when unknown.
    pub line: u32,
    /// Column in characters, from one; zero when unknown.
    pub column: u32,
}

/// Why a text is not YAML we accept.
///
/// `Display` is our own wording; [`YamlError::go_message`] gives the text that Go programs print,
/// which kustomize and Flux put into their own errors.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum YamlError {
    /// The text breaks the grammar.
    #[error("line {}, column {}: {problem}", at.line, at.column)]
    Syntax {
        /// Where reading stopped.
        at: Position,
        /// What is wrong, in the words of go-yaml.
        problem: &'static str,
        /// The line that go-yaml v3's message names; zero when it names none.
        go_line: u32,
        /// The line that go-yaml v2's message names; zero when it names none.
        go_line_v2: u32,
    },
    /// An alias whose anchor does not exist before it.
    #[error("line {}, column {}: alias `*{name}` has no anchor before it", at.line, at.column)]
    UnknownAlias {
        /// The place of the alias.
        at: Position,
        /// Its name.
        name: Text,
    },
    /// An alias inside the node it stands for.
    #[error("line {}, column {}: alias `*{name}` contains itself", at.line, at.column)]
    AliasCycle {
        /// The place of the alias.
        at: Position,
        /// Its name.
        name: Text,
    },
    /// Aliases multiply the document beyond its limit.
    #[error("aliases expand {written} nodes to more than {nodes_max}")]
    AliasLimit {
        /// Nodes written in the document.
        written: usize,
        /// Most nodes after expansion.
        nodes_max: usize,
    },
    /// Nested too deeply.
    #[error("line {}, column {}: nested deeper than {depth_max} levels", at.line, at.column)]
    Depth {
        /// The first place that is too deep.
        at: Position,
        /// The limit.
        depth_max: usize,
    },
    /// Keys that occur twice in one mapping.
    #[error("{}", .keys.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    DuplicateKeys {
        /// Every repetition; never empty.
        keys: Vec<DuplicateKey>,
        /// Whose message [`YamlError::go_message`] gives.
        rules: Rules,
    },
    /// A tag that is not one of YAML's own, or does not fit its value.
    #[error("line {}, column {}: cannot read `{value}` as `{tag}`", at.line, at.column)]
    Tag {
        /// The place of the node.
        at: Position,
        /// The tag in its short form.
        tag: Text,
        /// The text of the scalar; empty for lists and maps.
        value: Text,
        /// The tag the text resolves to; empty for a tag that is not known.
        found: &'static str,
    },
    /// Text tagged `!!binary` that is no base64.
    #[error("line {}, column {}: `!!binary` value is not base64", at.line, at.column)]
    Binary {
        /// The place of the scalar.
        at: Position,
    },
    /// A merge key (`<<`) whose value is neither a map nor a list of maps.
    #[error("line {}, column {}: `<<` needs a map or a list of maps", at.line, at.column)]
    Merge {
        /// The place of the value.
        at: Position,
    },
    /// A key that is not text and cannot become it.
    #[error("line {}, column {}: {kind} cannot be a key", at.line, at.column)]
    Key {
        /// The place of the key.
        at: Position,
        /// What it is: `list`, `map`, `null`, `number`, …
        kind: &'static str,
        /// What go-yaml v2 says, which shows the key as Go's syntax has it; empty for v3.
        go: Box<str>,
    },
    /// A number that JSON cannot hold: an infinity or NaN.
    #[error("line {}, column {}: `{value}` is not a number JSON can hold", at.line, at.column)]
    Number {
        /// The place of the number.
        at: Position,
        /// As JSON encoders name it: `+Inf`, `-Inf` or `NaN`.
        value: &'static str,
    },
    /// Too many documents.
    #[error("line {}: more than {documents_max} documents in one file", at.line)]
    Documents {
        /// The first document too many.
        at: Position,
        /// The limit.
        documents_max: usize,
    },
    /// The file is too large.
    #[error("{bytes} bytes, more than the {bytes_max} a YAML file may have")]
    FileSize {
        /// Its size.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// One scalar is too large.
    #[error("line {}, column {}: a text of {bytes} bytes, more than the {bytes_max} one value may have", at.line, at.column)]
    ScalarSize {
        /// The place of the scalar.
        at: Position,
        /// Its size.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// A byte or character that YAML does not allow.
    #[error("byte {offset}: {problem}")]
    Encoding {
        /// Its byte offset.
        offset: usize,
        /// What is wrong, in the words of go-yaml.
        problem: &'static str,
    },
}

/// One key that occurs again in the same mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DuplicateKey {
    /// The key as written, without quotes.
    pub key: Text,
    /// The second occurrence.
    pub at: Position,
    /// The first occurrence.
    pub first: Position,
    /// Line of the second occurrence's value.
    pub value_line: u32,
}

impl fmt::Display for DuplicateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, at, first, .. } = self;
        write!(
            f,
            "line {}: key `{key}` is already set at line {}",
            at.line, first.line
        )
    }
}

impl YamlError {
    /// The place of the error, where one is known.
    pub fn position(&self) -> Option<Position> {
        match self {
            Self::Syntax { at, .. }
            | Self::UnknownAlias { at, .. }
            | Self::AliasCycle { at, .. }
            | Self::Depth { at, .. }
            | Self::Tag { at, .. }
            | Self::Binary { at }
            | Self::Merge { at }
            | Self::Key { at, .. }
            | Self::Number { at, .. }
            | Self::Documents { at, .. }
            | Self::ScalarSize { at, .. } => Some(*at),
            Self::DuplicateKeys { keys, .. } => keys.first().map(|key| key.at),
            Self::AliasLimit { .. } | Self::FileSize { .. } | Self::Encoding { .. } => None,
        }
    }

    /// The message of go-yaml v3 for this error: `yaml: line 3: did not find expected key`.
    ///
    /// For our own limits, which Go does not have, it is `yaml: ` and our message.
    pub fn go_message(&self) -> String {
        match self {
            Self::Syntax {
                problem,
                go_line: 0,
                ..
            } => format!("yaml: {problem}"),
            Self::Syntax {
                problem, go_line, ..
            } => format!("yaml: line {go_line}: {problem}"),
            Self::UnknownAlias { name, .. } => format!("yaml: unknown anchor '{name}' referenced"),
            Self::AliasCycle { name, .. } => format!("yaml: anchor '{name}' value contains itself"),
            Self::AliasLimit { .. } => "yaml: document contains excessive aliasing".into(),
            Self::DuplicateKeys { keys, rules } => {
                let mut message = String::from("yaml: unmarshal errors:");
                for DuplicateKey {
                    key,
                    at,
                    first,
                    value_line,
                } in keys
                {
                    let key = golang::strconv::quote(key);
                    let written = match rules {
                        Rules::V2 => write!(
                            message,
                            "\n  line {value_line}: key {key} already set in map"
                        ),
                        Rules::V3 => write!(
                            message,
                            "\n  line {}: mapping key {key} already defined at line {}",
                            at.line, first.line
                        ),
                    };
                    written.expect("a String takes every write");
                }
                message
            }
            Self::Tag {
                tag, value, found, ..
            } if !found.is_empty() => {
                format!("yaml: cannot decode {found} `{value}` as a {tag}")
            }
            Self::Binary { .. } => "yaml: !!binary value contains invalid base64 data".into(),
            Self::Merge { .. } => {
                "yaml: map merge requires map or sequence of maps as the value".into()
            }
            Self::Number { value, .. } => format!("json: unsupported value: {value}"),
            Self::Encoding { problem, .. } => format!("yaml: {problem}"),
            Self::Key { go, .. } if !go.is_empty() => go.to_string(),
            _ => format!("yaml: {self}"),
        }
    }
}

impl YamlError {
    /// The message of `sigs.k8s.io/yaml` for this error, which counts lines a little differently
    /// than go-yaml v3.
    pub fn sigs_message(&self) -> String {
        match self {
            Self::Syntax {
                problem,
                go_line_v2: 0,
                ..
            } => format!("yaml: {problem}"),
            Self::Syntax {
                problem,
                go_line_v2,
                ..
            } => format!("yaml: line {go_line_v2}: {problem}"),
            Self::DuplicateKeys { keys, .. } => Self::DuplicateKeys {
                keys: keys.clone(),
                rules: Rules::V2,
            }
            .go_message(),
            _ => self.go_message(),
        }
    }
}

impl Explain for YamlError {
    fn code(&self) -> Code {
        Code(match self {
            Self::Syntax { .. }
            | Self::UnknownAlias { .. }
            | Self::Key { .. }
            | Self::Number { .. } => "YamlSyntax",
            Self::AliasCycle { .. } => "YamlAliasCycle",
            Self::AliasLimit { .. } => "YamlAliasLimit",
            Self::Depth { .. } => "NestingLimit",
            Self::DuplicateKeys { .. } => "DuplicateKey",
            Self::Tag { .. } | Self::Binary { .. } => "YamlTagUnknown",
            Self::Merge { .. } => "YamlMergeInvalid",
            Self::Documents { .. } => "DocumentLimit",
            Self::FileSize { .. } | Self::ScalarSize { .. } => "FileTooLarge",
            Self::Encoding { .. } => "InvalidUtf8",
        })
    }

    fn reason(&self) -> Reason {
        Reason("BuildFailed")
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }
}
