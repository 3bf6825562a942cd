//! Who renders charts for a build: the contract between this crate and one that knows Helm.
//!
//! A build finds a chart's files, puts its values together and reads what is rendered; what happens
//! in between is a [`ChartRenderer`]'s. So nothing here knows templates, and a build without a
//! renderer refuses charts.

use std::fmt;
use std::sync::Arc;

use diag::{Code, Retry, Span};
use tree::{Tree, TreePath};

/// That charts are rendered, and how.
#[derive(Clone, Debug)]
pub struct Charts {
    /// Renders them.
    pub renderer: Arc<dyn ChartRenderer>,
    /// APIs that templates of charts without `apiVersions` see.
    pub api_versions: Vec<String>,
    /// The version of Kubernetes that templates of charts without `kubeVersion` see; empty for the
    /// renderer's own.
    pub kube_version: String,
}

/// Renders charts.
pub trait ChartRenderer: fmt::Debug + Send + Sync {
    /// Reads the chart at `path`: a folder, or a file that is a packed chart.
    ///
    /// # Errors
    /// [`ChartError`].
    fn load(&self, tree: &Tree, path: &TreePath) -> Result<Box<dyn LoadedChart>, ChartError>;
}

/// A chart that was read.
pub trait LoadedChart {
    /// The text of its `values.yaml`, if it has one.
    fn values(&self) -> Option<Arc<[u8]>>;

    /// The text of all its manifests, as `helm template` prints it.
    ///
    /// # Errors
    /// [`ChartError`].
    fn render(&self, release: &ChartRelease<'_>) -> Result<RenderedChart, ChartError>;
}

/// What a chart is rendered for.
#[derive(Clone, Copy, Debug)]
pub struct ChartRelease<'a> {
    /// Name of the release; empty when the kustomization gives none.
    pub name: &'a str,
    /// Template of the name; empty when there is none.
    pub name_template: &'a str,
    /// Its namespace; empty for the renderer's own.
    pub namespace: &'a str,
    /// Files of values, later ones over earlier ones.
    pub values: &'a [ChartValues],
    /// Further APIs that templates see.
    pub api_versions: &'a [String],
    /// The version of Kubernetes that templates see; empty for the renderer's own.
    pub kube_version: &'a str,
    /// Whether the files of `crds/` are part of the text.
    pub include_crds: bool,
    /// Whether hooks that are tests are left out.
    pub skip_tests: bool,
    /// Whether hooks are left out.
    pub skip_hooks: bool,
    /// How many charts this build has rendered before. What is random differs by it, so that two
    /// releases do not get the same password.
    pub number: u64,
}

/// A file of values.
#[derive(Clone, Debug)]
pub struct ChartValues {
    /// Its path in the tree; empty when it was put together by the build.
    pub path: String,
    /// Its text.
    pub content: Arc<[u8]>,
}

/// What a chart renders to.
#[derive(Clone, Debug, Default)]
pub struct RenderedChart {
    /// Its manifests.
    pub text: String,
    /// What is odd, one sentence each.
    pub warnings: Vec<String>,
}

/// Why a chart cannot be rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChartError {
    /// The finest name.
    pub code: Code,
    /// What is wrong, in Helm's words.
    pub message: String,
    /// The place, where it is known: a file of the tree, or one inside of a packed chart as if that
    /// were a folder. An empty path means values that the build put together.
    pub at: Option<Span>,
    /// What to try.
    pub help: Vec<String>,
    /// Whether waiting can help.
    pub retry: Retry,
}
