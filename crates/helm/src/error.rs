//! Why a chart cannot be rendered: our code and next step, in the reference's own words.
//!
//! `Display` is what `helm template` prints behind `Error: `, character by character, wherever the
//! reference has a message for the case.

use diag::{Code, Explain, Reason, Retry, Span};
use tree::{PathError, ReadError, TreePath};

/// Something odd that stops nothing; the words of the reference's log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Warning {
    /// What is odd.
    pub text: String,
}

impl Warning {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }
}

/// Why a chart cannot be loaded.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ChartError {
    /// There is no `Chart.yaml`.
    #[error("Chart.yaml file is missing")]
    Missing,
    /// A file of the chart that has a meaning cannot be understood.
    #[error("cannot load {file}: {text}")]
    File {
        /// The file, from the chart's folder.
        file: String,
        /// What is wrong.
        text: String,
    },
    /// What the chart says about itself is not allowed.
    #[error("validation: {text}")]
    Validation {
        /// What is wrong.
        text: String,
        /// Whether it is the name.
        name: bool,
    },
    /// Written for another Helm.
    #[error("{0}")]
    Format(&'static str),
    /// A rule for what to ignore cannot be understood.
    #[error("{text}")]
    Ignore {
        /// The file of rules.
        path: TreePath,
        /// What is wrong.
        text: String,
    },
    /// A file cannot be read; links that lead outside, too.
    #[error(transparent)]
    Read(ReadError),
    /// A path is too long or too deep.
    #[error(transparent)]
    Path(PathError),
    /// Something that is not a file, such as a pipe.
    #[error("cannot load irregular file {0} as it has file mode type bits set")]
    Irregular(TreePath),
    /// A link that leads to no file of the tree.
    #[error("symbolic link `{link}` leads to `{target}`, and there is no such file here")]
    LinkToNothing {
        /// The link.
        link: TreePath,
        /// Where it leads, from the top of the tree.
        target: TreePath,
    },
    /// Bytes that are no compressed archive, and what they seem to be: `text/html; charset=utf-8`.
    #[error("file does not appear to be a gzipped archive; got '{0}'")]
    NotAnArchive(&'static str),
    /// An archive that is damaged or holds no chart.
    #[error("{0}")]
    Archive(String),
    /// An archive with something other than files and folders in it.
    #[error("entry {name:?} of the chart archive {what}")]
    Entry {
        /// At most 200 characters of its name.
        name: String,
        /// What it is.
        what: &'static str,
    },
    /// An archive with a path that is not below one folder.
    #[error("{0}")]
    EntryPath(String),
    /// Larger than a chart may be.
    #[error("{0}")]
    TooLarge(String),
    /// A chart inside cannot be loaded.
    #[error("error unpacking subchart {name} in {parent}: {error}")]
    Inside {
        /// Its folder or archive below `charts/`.
        name: String,
        /// The chart that holds it.
        parent: String,
        /// Why; part of the message, as in the reference.
        error: Box<ChartError>,
    },
}

impl ChartError {
    pub(crate) fn invalid(file: &str, text: impl Into<String>) -> Self {
        Self::File {
            file: file.to_owned(),
            text: text.into(),
        }
    }
}

impl Explain for ChartError {
    fn code(&self) -> Code {
        match self {
            Self::Read(ReadError::LinkOutside { .. }) => Code("SymlinkOutsideTree"),
            Self::Read(ReadError::LinkLoop(_)) => Code("SymlinkLoop"),
            Self::Read(_) | Self::Path(_) | Self::Irregular(_) | Self::LinkToNothing { .. } => {
                Code("FileUnreadable")
            }
            Self::Missing => Code("ChartNotFound"),
            Self::Validation { name: true, .. } => Code("ChartNameInvalid"),
            Self::File { .. } | Self::Validation { .. } | Self::Format(_) => Code("ChartInvalid"),
            Self::Ignore { .. } => Code("ChartIgnoreInvalid"),
            Self::NotAnArchive(_) | Self::Archive(_) => Code("ArchiveDamaged"),
            Self::Entry { .. } | Self::EntryPath(_) => Code("ArchiveEntryForbidden"),
            Self::TooLarge(_) => Code("ChartTooLarge"),
            Self::Inside { error, .. } => error.code(),
        }
    }

    fn reason(&self) -> Reason {
        Reason("BuildFailed")
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }

    fn span(&self) -> Option<Span> {
        match self {
            Self::Ignore { path, .. } | Self::Irregular(path) => Some(Span::file(path.as_str())),
            Self::LinkToNothing { link, .. } | Self::Read(ReadError::LinkOutside { link, .. }) => {
                Some(Span::file(link.as_str()))
            }
            _ => None,
        }
    }

    fn help(&self) -> Vec<String> {
        let help = match self {
            Self::Missing => "A chart is a folder or a packed folder with a Chart.yaml at its top.",
            Self::Entry { .. } => {
                "Pack the chart with `helm package`, which replaces links by the files they name."
            }
            Self::Read(ReadError::LinkOutside { .. }) => {
                "Copy the file into the repository: a chart reads nothing outside it."
            }
            Self::Inside { error, .. } => return error.help(),
            _ => return Vec::new(),
        };
        vec![help.to_owned()]
    }
}

/// Why values given for a release cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ValuesError {
    /// A values file that cannot be read.
    #[error("{text}")]
    Unreadable {
        /// The file as named.
        file: String,
        /// What is wrong, the file included.
        text: String,
    },
    /// A values file that cannot be understood.
    #[error("failed to parse {file}: {text}")]
    File {
        /// The file as named.
        file: String,
        /// What is wrong.
        text: String,
    },
    /// A flag such as `--set` that cannot be understood.
    #[error("failed parsing {flag} data{}{text}", if *.colon { ": " } else { " " })]
    Flag {
        /// The flag.
        flag: &'static str,
        /// Whether a colon stands before the text.
        colon: bool,
        /// What is wrong.
        text: String,
    },
    /// The section of a chart inside is no map.
    #[error("{prefix}type mismatch on {chart}: {shown}")]
    Section {
        /// What the reference puts before it.
        prefix: &'static str,
        /// The chart whose section it is.
        chart: String,
        /// The value, in the reference's rather special form.
        shown: String,
    },
    /// Tables put into each other by `import-values` so often that there is no end of them.
    #[error("values of chart {0} are in each other without end")]
    TooLarge(String),
    /// Aliases of charts that have aliases, and so on.
    #[error(
        "more than {} charts inside each other, each alias counted",
        crate::dependencies::CHARTS_MAX
    )]
    TooManyCharts,
}

impl Explain for ValuesError {
    fn code(&self) -> Code {
        match self {
            Self::Unreadable { .. } => Code("FileUnreadable"),
            Self::File { .. } | Self::Section { .. } | Self::TooLarge(_) => Code("ValuesInvalid"),
            Self::Flag { .. } => Code("SetSyntax"),
            Self::TooManyCharts => Code("ChartTooLarge"),
        }
    }

    fn reason(&self) -> Reason {
        Reason("BuildFailed")
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }

    fn span(&self) -> Option<Span> {
        match self {
            Self::File { file, .. } => Some(Span::file(file.as_str())),
            _ => None,
        }
    }

    fn help(&self) -> Vec<String> {
        match self {
            Self::Section { chart, .. } => {
                vec![format!(
                    "`{chart}` is a chart; its values have to be a map."
                )]
            }
            _ => Vec::new(),
        }
    }
}

/// Why the charts that a chart needs cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DependencyError {
    /// Some are not in `charts/`.
    #[error("{}found in Chart.yaml, but missing in charts/ directory: {}", .prefix, .names.join(", "))]
    Missing {
        /// What the reference puts before it.
        prefix: &'static str,
        /// Their names.
        names: Vec<String>,
    },
    /// It only holds definitions for other charts.
    #[error("{0} charts are not installable")]
    NotInstallable(String),
    /// The cluster's Kubernetes is not one the chart is for.
    #[error("chart requires kubeVersion: {range} which is incompatible with Kubernetes {version}")]
    KubeVersion {
        /// What the chart is for.
        range: String,
        /// What the cluster is.
        version: String,
    },
}

impl Explain for DependencyError {
    fn code(&self) -> Code {
        match self {
            Self::Missing { .. } => Code("ChartDependencyMissing"),
            Self::NotInstallable(_) => Code("ChartNotInstallable"),
            Self::KubeVersion { .. } => Code("KubeVersionIncompatible"),
        }
    }

    fn reason(&self) -> Reason {
        Reason("BuildFailed")
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }

    fn help(&self) -> Vec<String> {
        match self {
            Self::KubeVersion { .. } => {
                vec!["Name the version of the cluster with `--kube-version`.".to_owned()]
            }
            _ => Vec::new(),
        }
    }
}

/// Why values do not fit the schemas of their charts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("values don't meet the specifications of the schema(s) in the following chart(s):\n{text}")]
pub struct SchemaError {
    /// Chart by chart, what is wrong; ends with a line break.
    pub text: String,
    /// Schemas by address, which are never fetched.
    pub remote: Vec<String>,
}

impl Explain for SchemaError {
    fn code(&self) -> Code {
        match self.remote.is_empty() {
            true => Code("ValuesSchemaMismatch"),
            false => Code("SchemaRefForbidden"),
        }
    }

    fn reason(&self) -> Reason {
        Reason("BuildFailed")
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }

    fn help(&self) -> Vec<String> {
        let remote = self.remote.iter().map(|address| {
            format!(
                "The schema refers to `{address}`, and rendering fetches nothing: put that schema into the chart's own, or use `--skip-schema-validation`."
            )
        });
        remote.collect()
    }
}

/// Why rendered text is no list of manifests.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// A document that cannot be understood.
    #[error("YAML parse error on {path}: {text}")]
    Yaml {
        /// The template, from the outermost chart's name on.
        path: String,
        /// What is wrong.
        text: String,
        /// The document, from its first line on.
        document: String,
    },
    /// `--show-only` names a template that is not there or rendered nothing.
    #[error("could not find template {0} in chart")]
    NotFound(String),
}

impl Explain for ManifestError {
    fn code(&self) -> Code {
        match self {
            Self::Yaml { .. } => Code("ManifestInvalid"),
            Self::NotFound(_) => Code("TemplateNotFound"),
        }
    }

    fn reason(&self) -> Reason {
        Reason("BuildFailed")
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }

    fn span(&self) -> Option<Span> {
        match self {
            Self::Yaml { path, .. } => Some(Span::file(path.as_str())),
            Self::NotFound(_) => None,
        }
    }
}

/// Why a render cannot begin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// The name of the release is not allowed.
    #[error("{0}")]
    Name(String),
    /// A version of Kubernetes that is none.
    #[error("{0}")]
    KubeVersion(String),
}

impl Explain for OptionsError {
    fn code(&self) -> Code {
        match self {
            Self::Name(_) => Code("ReleaseNameInvalid"),
            Self::KubeVersion(_) => Code("KubeVersionInvalid"),
        }
    }

    fn reason(&self) -> Reason {
        Reason("BuildFailed")
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }
}

/// Why templates give no text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct TemplateError {
    /// The reference's message.
    pub text: String,
    /// Whether a limit was reached, of which the reference knows nothing.
    pub is_limit: bool,
    /// Where, as far as it is known: the file from the outermost chart's name on.
    pub at: Option<Span>,
}

impl Explain for TemplateError {
    fn code(&self) -> Code {
        match self.is_limit {
            true => Code("TemplateLimit"),
            false => Code("TemplateFailed"),
        }
    }

    fn reason(&self) -> Reason {
        Reason("BuildFailed")
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }

    fn span(&self) -> Option<Span> {
        self.at.clone()
    }
}

/// Why a chart cannot be rendered.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// Before anything was looked at.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// While values were put together.
    #[error(transparent)]
    Values(#[from] ValuesError),
    /// While it was decided which charts are used.
    #[error(transparent)]
    Dependencies(#[from] DependencyError),
    /// While values were checked.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// While templates were executed.
    #[error(transparent)]
    Templates(#[from] TemplateError),
    /// While the text was taken apart.
    #[error(transparent)]
    Manifests(#[from] ManifestError),
}

impl RenderError {
    fn inner(&self) -> &dyn Explain {
        match self {
            Self::Options(error) => error,
            Self::Values(error) => error,
            Self::Dependencies(error) => error,
            Self::Schema(error) => error,
            Self::Templates(error) => error,
            Self::Manifests(error) => error,
        }
    }
}

impl Explain for RenderError {
    fn code(&self) -> Code {
        self.inner().code()
    }

    fn reason(&self) -> Reason {
        self.inner().reason()
    }

    fn retry(&self) -> Retry {
        self.inner().retry()
    }

    fn span(&self) -> Option<Span> {
        self.inner().span()
    }

    fn help(&self) -> Vec<String> {
        self.inner().help()
    }
}
