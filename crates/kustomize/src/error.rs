//! Why a build fails: our code, place and next step, with the reference's own words as the cause.

use std::fmt;

use diag::{Code, Explain, Reason, Retry, Span};
pub(crate) use diag::{distance, nearest};

use crate::chart::ChartError;

/// What every build error knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// What the error is about: a path, an id, a field.
    pub subject: String,
    /// The place that has to change, where one is known.
    pub at: Option<Span>,
    /// The nearest thing that does exist, when the subject does not.
    pub near: Option<String>,
    /// The file and line of that; of the first definition for an object that is defined twice.
    pub near_from: Option<String>,
    /// The whole message of `kustomize build` for this error, without `Error: `.
    pub reference: String,
}

/// Why a build fails.
///
/// `Display` says what failed in our words; the source is the reference's message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// A directory without a kustomization file.
    #[error("no kustomization file in `{}`", .0.subject)]
    KustomizationNotFound(#[source] Facts),
    /// A directory with several kustomization files.
    #[error("several kustomization files in `{}`", .0.subject)]
    KustomizationAmbiguous(#[source] Facts),
    /// A kustomization file that cannot be decoded.
    #[error("kustomization file `{}` is not valid", .0.subject)]
    KustomizationInvalid(#[source] Facts),
    /// A kustomization file that configures nothing.
    #[error("kustomization file `{}` is empty", .0.subject)]
    KustomizationEmpty(#[source] Facts),
    /// A Component where a Kustomization belongs, or the other way round.
    #[error("`{}` is of the wrong kind here", .0.subject)]
    KindMismatch(#[source] Facts),
    /// A file or directory that does not exist.
    #[error("`{}` does not exist", .0.subject)]
    ResourceNotFound(#[source] Facts),
    /// A path that leaves what this build may read.
    #[error("path `{}` leads outside the files of this build", .0.subject)]
    PathOutsideTree(#[source] Facts),
    /// A symbolic link that leaves what this build may read.
    #[error("symbolic link `{}` leads outside the files of this build", .0.subject)]
    SymlinkOutsideTree(#[source] Facts),
    /// Symbolic links in a circle.
    #[error("symbolic links at `{}` lead in a circle", .0.subject)]
    SymlinkLoop(#[source] Facts),
    /// A base that contains itself.
    #[error("base `{}` contains itself", .0.subject)]
    BaseCycle(#[source] Facts),
    /// An address where only local paths are allowed.
    #[error("remote base `{}` is not allowed here", .0.subject)]
    RemoteBaseForbidden(#[source] Facts),
    /// An address whose files are not at hand yet.
    #[error("the files of remote base `{}` are not at hand", .0.subject)]
    RemoteBaseMissing(#[source] Facts, tree::Missing),
    /// Something that would run a program.
    #[error("`{}` needs a plugin, and plugins are never run", .0.subject)]
    PluginForbidden(#[source] Facts),
    /// A chart, where charts are not rendered.
    #[error("chart `{}` is not rendered here", .0.subject)]
    ChartsForbidden(#[source] Facts),
    /// A chart that is not in the files of this build.
    #[error("no chart `{}` in `{}`", .0.subject, .1.folder)]
    ChartNotFound(#[source] Facts, Box<ChartWanted>),
    /// A chart that cannot be rendered.
    #[error("chart `{}` cannot be rendered", .0.subject)]
    ChartFailed(#[source] Facts, Box<ChartError>),
    /// The same object twice.
    #[error("object `{}` is defined twice", .0.subject)]
    DuplicateObject(#[source] Facts),
    /// Text that is not YAML.
    #[error("`{}` is not valid YAML", .0.subject)]
    YamlSyntax(#[source] Facts),
    /// A document that is not a Kubernetes object.
    #[error("`{}` holds something that is not a Kubernetes object", .0.subject)]
    ObjectInvalid(#[source] Facts),
    /// A key that stands twice in one map.
    #[error("key `{}` is set twice in one map", .0.subject)]
    DuplicateKey(#[source] Facts),
    /// A patch for an object that is not there.
    #[error("patch target `{}` matches no object", .0.subject)]
    PatchTargetNotFound(#[source] Facts),
    /// A patch that is neither a strategic merge nor a JSON patch.
    #[error("patch `{}` is not valid", .0.subject)]
    PatchInvalid(#[source] Facts),
    /// A patch that does not fit its target.
    #[error("patch does not fit `{}`", .0.subject)]
    PatchFailed(#[source] Facts),
    /// A regular expression or label selector that cannot be read.
    #[error("selector `{}` is not valid", .0.subject)]
    SelectorInvalid(#[source] Facts),
    /// A generator that cannot make its object.
    #[error("generator `{}` fails", .0.subject)]
    GeneratorFailed(#[source] Facts),
    /// A replacement that has no source, no target or no field.
    #[error("replacement `{}` fails", .0.subject)]
    ReplacementFailed(#[source] Facts),
    /// A variable without value, or defined twice.
    #[error("variable `{}` cannot be resolved", .0.subject)]
    VariableFailed(#[source] Facts),
    /// A name that could mean several objects.
    #[error("a name in `{}` could mean several objects", .0.subject)]
    ReferenceAmbiguous(#[source] Facts),
    /// A file of field specs or schemas that cannot be used.
    #[error("configuration `{}` is not valid", .0.subject)]
    ConfigurationInvalid(#[source] Facts),
    /// A transformer that fails on an object.
    #[error("transforming `{}` fails", .0.subject)]
    TransformFailed(#[source] Facts),
    /// More than this build may hold.
    #[error("{} is more than a build may have", .0.subject)]
    LimitReached(#[source] Facts),
}

/// A chart that is not there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChartWanted {
    /// The folder in which the chart's folder was looked for.
    pub folder: String,
    /// The repository it could be fetched from; empty when none is named.
    pub repo: String,
    /// Its version; empty when none is named.
    pub version: String,
    /// A folder of that name where charts without repository are.
    pub elsewhere: Option<String>,
}

impl ChartWanted {
    /// What to do.
    fn help(&self, name: &str) -> Vec<String> {
        let mut command = "helm pull".to_owned();
        let mut word = |text: &str| {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-._/:@+=".contains(c);
            command.push(' ');
            match !text.is_empty() && text.chars().all(plain) {
                true => command.push_str(text),
                false => command.push_str(&format!("'{}'", text.replace('\'', r"'\''"))),
            }
        };
        match self.repo.as_str() {
            "" => word(&format!("REPOSITORY/{name}")),
            oci if oci.starts_with("oci://") => {
                word(&format!("{}/{name}", oci.trim_end_matches('/')));
            }
            repo => ["--repo", repo, name].into_iter().for_each(&mut word),
        }
        if !self.version.is_empty() {
            ["--version", &self.version].into_iter().for_each(&mut word);
        }
        ["--untar", "-d", &self.folder]
            .into_iter()
            .for_each(&mut word);
        let mut help = Vec::new();
        if let Some(elsewhere) = &self.elsewhere {
            help.push(format!(
                "There is a chart in `{elsewhere}`; one with `repo` and `version` is looked for in `{}`. Remove `repo` to use it as it is.",
                self.folder
            ));
        }
        help.push(format!(
            "A build fetches no charts: put it there with `{command}`, or name the folder of your charts as `helmGlobals.chartHome`."
        ));
        help
    }
}

impl BuildError {
    /// What this error knows.
    pub fn facts(&self) -> &Facts {
        match self {
            Self::KustomizationNotFound(facts)
            | Self::KustomizationAmbiguous(facts)
            | Self::KustomizationInvalid(facts)
            | Self::KustomizationEmpty(facts)
            | Self::KindMismatch(facts)
            | Self::ResourceNotFound(facts)
            | Self::PathOutsideTree(facts)
            | Self::SymlinkOutsideTree(facts)
            | Self::SymlinkLoop(facts)
            | Self::BaseCycle(facts)
            | Self::RemoteBaseForbidden(facts)
            | Self::RemoteBaseMissing(facts, _)
            | Self::ChartsForbidden(facts)
            | Self::ChartNotFound(facts, _)
            | Self::ChartFailed(facts, _)
            | Self::PluginForbidden(facts)
            | Self::DuplicateObject(facts)
            | Self::YamlSyntax(facts)
            | Self::ObjectInvalid(facts)
            | Self::DuplicateKey(facts)
            | Self::PatchTargetNotFound(facts)
            | Self::PatchInvalid(facts)
            | Self::PatchFailed(facts)
            | Self::SelectorInvalid(facts)
            | Self::GeneratorFailed(facts)
            | Self::ReplacementFailed(facts)
            | Self::VariableFailed(facts)
            | Self::ReferenceAmbiguous(facts)
            | Self::ConfigurationInvalid(facts)
            | Self::TransformFailed(facts)
            | Self::LimitReached(facts) => facts,
        }
    }

    pub(crate) fn facts_mut(&mut self) -> &mut Facts {
        match self {
            Self::KustomizationNotFound(facts)
            | Self::KustomizationAmbiguous(facts)
            | Self::KustomizationInvalid(facts)
            | Self::KustomizationEmpty(facts)
            | Self::KindMismatch(facts)
            | Self::ResourceNotFound(facts)
            | Self::PathOutsideTree(facts)
            | Self::SymlinkOutsideTree(facts)
            | Self::SymlinkLoop(facts)
            | Self::BaseCycle(facts)
            | Self::RemoteBaseForbidden(facts)
            | Self::RemoteBaseMissing(facts, _)
            | Self::ChartsForbidden(facts)
            | Self::ChartNotFound(facts, _)
            | Self::ChartFailed(facts, _)
            | Self::PluginForbidden(facts)
            | Self::DuplicateObject(facts)
            | Self::YamlSyntax(facts)
            | Self::ObjectInvalid(facts)
            | Self::DuplicateKey(facts)
            | Self::PatchTargetNotFound(facts)
            | Self::PatchInvalid(facts)
            | Self::PatchFailed(facts)
            | Self::SelectorInvalid(facts)
            | Self::GeneratorFailed(facts)
            | Self::ReplacementFailed(facts)
            | Self::VariableFailed(facts)
            | Self::ReferenceAmbiguous(facts)
            | Self::ConfigurationInvalid(facts)
            | Self::TransformFailed(facts)
            | Self::LimitReached(facts) => facts,
        }
    }

    /// The base that is not at hand, if that is what is wrong and nobody has tried to fetch it.
    pub fn missing(&self) -> Option<tree::SourceRef> {
        match self {
            Self::RemoteBaseMissing(_, missing) if missing.why.is_none() => {
                Some(missing.source.clone())
            }
            _ => None,
        }
    }

    /// The message of `kustomize build`, without `Error: `.
    pub fn reference(&self) -> &str {
        &self.facts().reference
    }
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reference)
    }
}

impl std::error::Error for Facts {}

impl Explain for BuildError {
    fn code(&self) -> Code {
        Code(match self {
            Self::KustomizationNotFound(_) => "KustomizationNotFound",
            Self::KustomizationAmbiguous(_) => "KustomizationAmbiguous",
            Self::KustomizationInvalid(_) => "KustomizationInvalid",
            Self::KustomizationEmpty(_) => "KustomizationEmpty",
            Self::KindMismatch(_) => "KindMismatch",
            Self::ResourceNotFound(_) => "ResourceNotFound",
            Self::PathOutsideTree(_) => "PathOutsideTree",
            Self::SymlinkOutsideTree(_) => "SymlinkOutsideTree",
            Self::SymlinkLoop(_) => "SymlinkLoop",
            Self::BaseCycle(_) => "BaseCycle",
            Self::RemoteBaseForbidden(_) => "RemoteBaseForbidden",
            Self::RemoteBaseMissing(..) => "RemoteBaseMissing",
            Self::PluginForbidden(_) => "PluginForbidden",
            Self::ChartsForbidden(_) => "ChartsForbidden",
            Self::ChartNotFound(..) => "ChartNotFound",
            Self::ChartFailed(_, error) => return error.code,
            Self::DuplicateObject(_) => "DuplicateObject",
            Self::YamlSyntax(_) => "YamlSyntax",
            Self::ObjectInvalid(_) => "ObjectInvalid",
            Self::DuplicateKey(_) => "DuplicateKey",
            Self::PatchTargetNotFound(_) => "PatchTargetNotFound",
            Self::PatchInvalid(_) => "PatchInvalid",
            Self::PatchFailed(_) => "PatchFailed",
            Self::SelectorInvalid(_) => "SelectorInvalid",
            Self::GeneratorFailed(_) => "GeneratorFailed",
            Self::ReplacementFailed(_) => "ReplacementFailed",
            Self::VariableFailed(_) => "VariableFailed",
            Self::ReferenceAmbiguous(_) => "ReferenceAmbiguous",
            Self::ConfigurationInvalid(_) => "ConfigurationInvalid",
            Self::TransformFailed(_) => "TransformFailed",
            Self::LimitReached(_) => "LimitReached",
        })
    }

    fn reason(&self) -> Reason {
        Reason("BuildFailed")
    }

    fn retry(&self) -> Retry {
        match self {
            Self::RemoteBaseMissing(..) => Retry::Later,
            Self::ChartFailed(_, error) => error.retry,
            _ => Retry::Never,
        }
    }

    fn span(&self) -> Option<Span> {
        self.facts().at.clone()
    }

    fn help(&self) -> Vec<String> {
        let mut help: Vec<String> = Vec::new();
        if let Some(near) = &self.facts().near {
            let from = self
                .facts()
                .near_from
                .as_ref()
                .map_or_else(String::new, |from| format!(", from {from}"));
            help.push(format!("Did you mean `{near}`{from}?"));
        }
        if let (Self::DuplicateObject(_), Some(first)) = (self, &self.facts().near_from) {
            help.push(format!("It is first defined in {first}."));
        }
        let more = match self {
            Self::KustomizationNotFound(_) => {
                "Add a file named `kustomization.yaml` to that directory, or name another directory."
            }
            Self::KustomizationAmbiguous(_) => "Keep one of the files and delete the others.",
            Self::KustomizationEmpty(_) => "List at least one entry under `resources`.",
            Self::PathOutsideTree(_) => {
                "Move the file below the kustomization that reads it, or refer to its directory under `resources`."
            }
            Self::SymlinkOutsideTree(_) | Self::SymlinkLoop(_) => {
                "Replace the link by the file it stands for."
            }
            Self::BaseCycle(_) => "Move what both need into a directory of its own.",
            Self::RemoteBaseMissing(..) => {
                "Check the address and its `ref`; private repositories have to be copied into yours, or be sources of their own."
            }
            Self::RemoteBaseForbidden(_) => {
                "Copy the base into the repository, or make it a source of its own."
            }
            Self::PluginForbidden(_) => "Commit what the plugin would generate.",
            Self::ChartsForbidden(_) => {
                help.push("With `build kustomize --enable-helm` charts are rendered.".to_owned());
                "A Kustomization renders none, as in Flux: use a HelmRelease, or commit what `fleetwright build kustomize --enable-helm` prints."
            }
            Self::ChartNotFound(facts, wanted) => {
                help.extend(wanted.help(&facts.subject));
                return help;
            }
            Self::ChartFailed(_, error) => {
                help.extend(error.help.iter().cloned());
                return help;
            }
            Self::DuplicateObject(_) => {
                "Delete one of the two, or give them different names or namespaces."
            }
            Self::DuplicateKey(_) => "Delete one of the two lines.",
            Self::PatchTargetNotFound(_) => {
                "A patch without `target` needs the name the object had in its own file, its kind, version and namespace."
            }
            _ => return help,
        };
        help.push(more.to_owned());
        help
    }
}

/// One or more errors on their way up, each to be wrapped by what was being done.
#[derive(Clone, Debug)]
pub(crate) struct Failures(pub Vec<BuildError>);

pub(crate) type Outcome<T> = Result<T, Failures>;

impl Failures {
    /// An error of the kind `make`, about `subject`, with the reference's words.
    pub fn new(
        make: fn(Facts) -> BuildError,
        subject: impl Into<String>,
        reference: impl Into<String>,
    ) -> Self {
        Self(vec![make(Facts {
            subject: subject.into(),
            reference: reference.into(),
            ..Facts::default()
        })])
    }

    /// The same, with `wrap` applied to the reference's words of each.
    pub fn map(mut self, wrap: impl Fn(&str) -> String) -> Self {
        for error in &mut self.0 {
            let facts = error.facts_mut();
            facts.reference = wrap(&facts.reference);
        }
        self
    }

    /// The same, with `prefix: ` before the reference's words of each.
    pub fn prefix(self, prefix: impl fmt::Display) -> Self {
        self.map(|text| format!("{prefix}: {text}"))
    }

    /// The same, at `span` where no place is known yet.
    pub fn at(mut self, span: Option<Span>) -> Self {
        for error in &mut self.0 {
            let facts = error.facts_mut();
            if facts.at.is_none() {
                facts.at = span.clone();
            }
        }
        self
    }

    /// The same, with the nearest name that exists.
    pub fn near(mut self, near: Option<String>) -> Self {
        for error in &mut self.0 {
            let facts = error.facts_mut();
            if facts.near.is_none() {
                facts.near = near.clone();
            }
        }
        self
    }

    /// The same, with the file and line of the nearest thing.
    pub fn near_from(mut self, from: Option<String>) -> Self {
        for error in &mut self.0 {
            error.facts_mut().near_from.clone_from(&from);
        }
        self
    }

    /// The first one's words of the reference.
    pub fn text(&self) -> &str {
        self.0.first().map_or("", BuildError::reference)
    }
}
