//! Why a unit's files do not become objects.

use std::fmt;

use diag::{Code, Diagnostic, Explain, Reason, Retry, Span};
use kustomize::BuildError;
use object::{ObjectKey, Origin};

use crate::substitute::{Problem, SubstituteError};

/// Why a unit's files do not become objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RenderError {
    /// The unit's path is not in the source.
    PathNotFound {
        /// The path as the unit writes it.
        path: String,
        /// The directory most like it.
        near: Option<String>,
    },
    /// The kustomization does not build.
    Build(BuildError),
    /// A file of a directory without kustomization file does not hold objects.
    FileInvalid {
        /// The file, and the line where it is known.
        at: Span,
        /// What is wrong.
        problem: String,
        /// The finest name of it: a limit of YAML, say.
        code: Code,
    },
    /// A component of the unit is an address or an absolute path.
    ComponentNotLocal {
        /// The component as the unit writes it.
        path: String,
    },
    /// A variable has a name that references cannot have.
    VariableName {
        /// The name.
        name: String,
    },
    /// Variables in an object cannot be replaced.
    Substitution {
        /// The object.
        object: ObjectKey,
        /// The file it is from.
        at: Option<Span>,
        /// What is wrong.
        error: SubstituteError,
        /// The variable most like the missing one.
        near: Option<String>,
    },
    /// An object is no longer YAML after its variables were replaced.
    SubstitutionBroke {
        /// The object.
        object: ObjectKey,
        /// The file it is from.
        at: Option<Span>,
        /// What is wrong with the text.
        problem: String,
    },
    /// A value changed what an object is, though nothing in its identity is a variable.
    SubstitutionChangedStructure {
        /// The object as the file has it.
        object: ObjectKey,
        /// The file it is from.
        at: Option<Span>,
        /// The object after replacing variables.
        became: ObjectKey,
    },
    /// Two files define the same object.
    DuplicateObject {
        /// The object.
        object: ObjectKey,
        /// The first place.
        first: Option<Origin>,
        /// The second place.
        second: Option<Origin>,
    },
    /// A document that cannot be an object of a cluster.
    ObjectInvalid {
        /// What is known of it.
        object: ObjectKey,
        /// The file it is from.
        at: Option<Span>,
        /// What is wrong.
        problem: String,
    },
    /// A Secret that is still encrypted.
    SecretEncrypted {
        /// The Secret.
        object: ObjectKey,
        /// The file it is from.
        at: Option<Span>,
    },
    /// More than one unit may render.
    LimitReached {
        /// What there is too much of, with the limit.
        what: String,
    },
}

impl fmt::Display for RenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PathNotFound { path, .. } => write!(f, "kustomization path not found: {path}"),
            Self::Build(error) => write!(f, "kustomize build failed: {error}"),
            Self::FileInvalid { at, problem, .. } => {
                write!(
                    f,
                    "failed to decode Kubernetes YAML from {}: {problem}",
                    at.path
                )
            }
            Self::ComponentNotLocal { path } => {
                write!(f, "component path '{path}' must be local and relative")
            }
            Self::VariableName { name } => write!(
                f,
                "'{name}' var name is invalid, must match '^[_[:alpha:]][_[:alpha:][:digit:]]*$'"
            ),
            Self::Substitution { object, error, .. } => write!(
                f,
                "post build failed for '{}': envsubst error: variable substitution failed: {error}",
                object.name
            ),
            Self::SubstitutionBroke {
                object, problem, ..
            } => {
                write!(
                    f,
                    "post build failed for '{}': envsubst error: YAMLToJSON: {problem}",
                    object.name
                )
            }
            Self::SubstitutionChangedStructure { object, became, .. } => {
                write!(f, "replacing variables turns {object} into {became}")
            }
            Self::DuplicateObject { object, .. } => write!(f, "{object} is defined twice"),
            Self::ObjectInvalid {
                object, problem, ..
            } => write!(f, "{object} is no valid object: {problem}"),
            Self::SecretEncrypted { object, .. } => {
                write!(
                    f,
                    "{object} is SOPS encrypted, configuring decryption is required for this secret to be reconciled"
                )
            }
            Self::LimitReached { what } => write!(f, "rendering gives {what}"),
        }
    }
}

impl std::error::Error for RenderError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Build(error) => error.source(),
            _ => None,
        }
    }
}

impl RenderError {
    /// The base that is not at hand, if that is what is wrong and nobody has tried to fetch it.
    pub fn missing(&self) -> Option<tree::SourceRef> {
        match self {
            Self::Build(error) => error.missing(),
            _ => None,
        }
    }
}

impl Explain for RenderError {
    fn code(&self) -> Code {
        match self {
            Self::PathNotFound { .. } => Code("PathNotFound"),
            Self::Build(error) => error.code(),
            Self::FileInvalid { code, .. } => *code,
            Self::ObjectInvalid { .. } => Code("ObjectInvalid"),
            Self::ComponentNotLocal { .. } => Code("ComponentNotLocal"),
            Self::VariableName { .. } => Code("VariableNameInvalid"),
            Self::Substitution { error, .. } => match error.problem {
                Problem::Unset(_) => Code("VariableUnset"),
                _ => Code("SubstitutionSyntax"),
            },
            Self::SubstitutionBroke { .. } => Code("SubstitutionBroke"),
            Self::SubstitutionChangedStructure { .. } => Code("SubstitutionChangedStructure"),
            Self::DuplicateObject { .. } => Code("DuplicateObject"),
            Self::SecretEncrypted { .. } => Code("SecretEncrypted"),
            Self::LimitReached { .. } => Code("LimitReached"),
        }
    }

    fn reason(&self) -> Reason {
        match self {
            Self::PathNotFound { .. } => Reason("ArtifactFailed"),
            _ => Reason("BuildFailed"),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Build(error) => error.retry(),
            _ => Retry::Later,
        }
    }

    fn span(&self) -> Option<Span> {
        match self {
            Self::Build(error) => error.span(),
            Self::FileInvalid { at, .. } => Some(at.clone()),
            Self::Substitution { at, .. }
            | Self::SubstitutionBroke { at, .. }
            | Self::SubstitutionChangedStructure { at, .. }
            | Self::ObjectInvalid { at, .. }
            | Self::SecretEncrypted { at, .. } => at.clone(),
            Self::DuplicateObject { second, .. } => second.as_ref().map(span_of),
            _ => None,
        }
    }

    fn help(&self) -> Vec<String> {
        match self {
            Self::PathNotFound { near: Some(near), .. } => vec![format!("Did you mean `{near}`?")],
            Self::PathNotFound { .. } => vec!["Correct `spec.path`, or add the directory to the source.".into()],
            Self::Build(error) => error.help(),
            Self::ComponentNotLocal { .. } => vec!["Copy the component into the source and name its directory.".into()],
            Self::VariableName { .. } => {
                vec!["Use letters, digits and underscores, and begin with no digit.".into()]
            }
            Self::Substitution { error, near, .. } => match &error.problem {
                Problem::Unset(name) => {
                    let mut help = Vec::new();
                    if let Some(near) = near {
                        help.push(format!("Did you mean `{near}`?"));
                    }
                    help.push(format!("Set `{name}` under `spec.postBuild.substitute` or in a ConfigMap or Secret of `substituteFrom`."));
                    help.push(format!("Give it a default: `${{{name}:=value}}`."));
                    help.push(format!("Write `$${{{name}}}` if the text belongs to the object itself."));
                    help
                }
                _ => vec![
                    "Write `$${` for a brace that belongs to the object itself.".into(),
                    "Annotate the object with `kustomize.toolkit.fluxcd.io/substitute: disabled` to leave all of it alone.".into(),
                ],
            },
            Self::SubstitutionBroke { .. } => {
                vec!["Quote the variable where its value holds characters that mean something in YAML.".into()]
            }
            Self::SubstitutionChangedStructure { .. } => {
                vec!["Look at the values of the variables in this object; one of them holds YAML of its own.".into()]
            }
            Self::DuplicateObject { first, .. } => match first {
                Some(first) => vec![format!("Delete it here or in {first}.")],
                None => vec!["Delete one of the two.".into()],
            },
            Self::SecretEncrypted { .. } => vec!["Configure `spec.decryption`.".into()],
            Self::FileInvalid { .. } => vec![
                "Add a kustomization file that lists what belongs to this directory, if this file does not.".into(),
            ],
            Self::ObjectInvalid { .. } | Self::LimitReached { .. } => Vec::new(),
        }
    }

    fn to_diagnostic(&self) -> Diagnostic {
        let (message, notes) = match self {
            // The build's own words come first; the reference's are their cause.
            Self::Build(error) => (error.to_string(), vec![error.reference().to_owned()]),
            other => (other.to_string(), Vec::new()),
        };
        let mut diagnostic = Diagnostic::error(self.code(), message);
        diagnostic.notes = notes;
        diagnostic.span = self.span();
        diagnostic.help = self.help();
        diagnostic
    }
}

/// The place an object came from.
pub(crate) fn span_of(origin: &Origin) -> Span {
    Span::line(origin.path.as_str(), origin.line)
}
