//! Why a binding gives no objects.

use std::fmt;

use diag::{Code, Explain, Reason, Retry};
use object::Text;

use crate::model::{Owner, Reference};
use crate::render::RenderErrors;

/// A reference of a binding that leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReferenceError {
    /// The binding names no release.
    NoRelease,
    /// There is no such release.
    Release {
        /// Its name.
        name: Text,
        /// The releases of the component.
        known: Vec<Text>,
    },
    /// There is no such release of a project.
    ProjectRelease {
        /// Its name.
        name: Text,
        /// The releases of the project.
        known: Vec<Text>,
    },
    /// The release is of another component.
    Owner {
        /// Of the binding.
        binding: Owner,
        /// Of the release.
        release: Owner,
    },
    /// There is no such environment.
    Environment(Text),
    /// The environment names no data plane.
    NoDataPlane(Text),
    /// There is no such data plane.
    DataPlane(Reference),
    /// There is no such component.
    Component(Text),
    /// There is no such project.
    Project(Text),
}

impl ReferenceError {
    /// The word for the condition `ReleaseSynced`.
    pub fn reason(&self) -> Reason {
        Reason(match self {
            Self::NoRelease | Self::Release { .. } => "ComponentReleaseNotFound",
            Self::ProjectRelease { .. } => "ProjectReleaseNotFound",
            Self::Owner { .. } => "InvalidReleaseConfiguration",
            Self::Environment(_) => "EnvironmentNotFound",
            Self::NoDataPlane(_) => "DataPlaneNotConfigured",
            Self::DataPlane(_) => "DataPlaneNotFound",
            Self::Component(_) => "ComponentNotFound",
            Self::Project(_) => "ProjectNotFound",
        })
    }
}

impl fmt::Display for ReferenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRelease => f.write_str("no release is selected"),
            Self::Release { name, known } | Self::ProjectRelease { name, known } => {
                let kind = match self {
                    Self::Release { .. } => "ComponentRelease",
                    _ => "ProjectRelease",
                };
                write!(f, "{kind} `{name}` does not exist")?;
                match diag::nearest(name, known.iter().map(Text::as_str)) {
                    Some(near) => write!(f, "; did you mean `{near}`?"),
                    None => Ok(()),
                }
            }
            Self::Owner { binding, release } => write!(
                f,
                "the binding is for component `{binding}`, and its release is of `{release}`"
            ),
            Self::Environment(name) => write!(f, "Environment `{name}` does not exist"),
            Self::NoDataPlane(name) => write!(f, "Environment `{name}` names no data plane"),
            Self::DataPlane(reference) => {
                write!(f, "{} `{}` does not exist", reference.kind, reference.name)
            }
            Self::Component(name) => write!(f, "Component `{name}` does not exist"),
            Self::Project(name) => write!(f, "Project `{name}` does not exist"),
        }
    }
}

/// Every reference of a binding that leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct ReferenceErrors(
    /// At least one.
    pub Vec<ReferenceError>,
);

impl Explain for ReferenceErrors {
    fn code(&self) -> Code {
        Code("ComponentReferenceMissing")
    }

    fn reason(&self) -> Reason {
        let first = self.0.first().map(ReferenceError::reason);
        first.unwrap_or(Reason("InvalidConfiguration"))
    }

    fn retry(&self) -> Retry {
        Retry::Later
    }
}

/// Why a binding gives no objects.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum BindingError {
    /// References lead nowhere.
    #[error(transparent)]
    References(#[from] ReferenceErrors),
    /// Templates fail.
    #[error(transparent)]
    Render(#[from] RenderErrors),
}

impl Explain for BindingError {
    fn code(&self) -> Code {
        match self {
            Self::References(error) => error.code(),
            Self::Render(error) => error.code(),
        }
    }

    fn reason(&self) -> Reason {
        match self {
            Self::References(error) => error.reason(),
            Self::Render(error) => error.reason(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::References(error) => error.retry(),
            Self::Render(error) => error.retry(),
        }
    }

    fn help(&self) -> Vec<String> {
        match self {
            Self::References(error) => error.help(),
            Self::Render(error) => error.help(),
        }
    }
}
