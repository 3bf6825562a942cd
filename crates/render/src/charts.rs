//! Charts of kustomizations, rendered by crate `helm`.
//!
//! `kustomize` and `helm` do not know each other: each follows a tool of its own. This crate is where
//! renderers are put together, so the bridge is here and not in the binary: whatever builds
//! kustomizations, be it a command or an engine, can offer charts with the same few lines. A unit's
//! render, [`kustomization()`](crate::kustomization()), offers none, as Flux does.
//!
//! # Source
//! The flags that kustomize gives to `helm template`: kubernetes-sigs/kustomize
//! `api/types/helmchartargs.go`, `AsHelmArgs`, at api/v0.21.1.

use std::sync::Arc;

use diag::{Code, Explain, Retry, Span};
use golang::Timestamp;
use helm::{
    Chart, Engine, HelmVersion, KubeVersion, Options, Profile, Programs, TextOptions, UserValues,
    ValuesFile, Warning,
};
use kustomize::{ChartError, ChartRelease, ChartRenderer, LoadedChart, RenderedChart};
use sha2::{Digest as _, Sha256};
use tree::{Moment, Tree, TreePath, World};

/// Renders charts as `helm template` does.
#[derive(Clone, Debug, Default)]
pub struct HelmCharts {
    /// Whose behaviour is followed where the two majors of Helm differ.
    pub profile: Profile,
    /// The time that templates see.
    pub now: Timestamp,
    /// Where randomness begins; every chart of a build gets randomness of its own from it.
    pub seed: [u8; 32],
    /// Templates that were parsed.
    pub programs: Arc<Programs>,
}

impl ChartRenderer for HelmCharts {
    fn load(&self, tree: &Tree, path: &TreePath) -> Result<Box<dyn LoadedChart>, ChartError> {
        let chart = match tree.is_directory(path) {
            true => Chart::from_tree(tree, path, self.profile),
            false => tree
                .read(path)
                .map_err(helm::ChartError::Read)
                .and_then(|bytes| Chart::from_archive(bytes, self.profile)),
        };
        let chart = chart.map_err(|error| {
            // A file of the chart is named from the chart's folder, what was found on the way by path.
            let at = match &error {
                helm::ChartError::File { file, .. } => Some(Span::file(inside(path, file))),
                error => error.span(),
            };
            ChartError {
                at: at.or_else(|| Some(Span::file(path.as_str()))),
                ..explained(&error)
            }
        })?;
        Ok(Box::new(Loaded {
            chart,
            path: path.clone(),
            charts: self.clone(),
        }))
    }
}

/// A chart, and where it is.
struct Loaded {
    chart: Arc<Chart>,
    path: TreePath,
    charts: HelmCharts,
}

impl LoadedChart for Loaded {
    fn values(&self) -> Option<Arc<[u8]>> {
        self.chart.values_file().cloned()
    }

    fn render(&self, release: &ChartRelease<'_>) -> Result<RenderedChart, ChartError> {
        let profile = self.charts.profile;
        let world = Moment {
            now: self.charts.now,
            seed: seed_of(&self.charts.seed, release.number),
        };
        let options = self.options(release, &world)?;
        let files = release.values.iter().map(|file| ValuesFile {
            name: file.path.clone(),
            content: Arc::clone(&file.content),
        });
        let user = UserValues {
            files: files.collect(),
            ..UserValues::default()
        };
        let engine = Engine {
            programs: &self.charts.programs,
            world: &world,
        };
        let no_file = |name: &str| Err(format!("open {name}: no such file or directory"));
        let mut warnings: Vec<Warning> = Vec::new();
        let manifests = helm::render(
            &self.chart,
            &user,
            &no_file,
            &options,
            &engine,
            &mut warnings,
        );
        let text = manifests.map_err(|error| self.failed(&error))?;
        let text = text.text(&TextOptions {
            profile,
            include_crds: release.include_crds,
            no_hooks: release.skip_hooks,
            skip_tests: release.skip_tests,
            show_only: Vec::new(),
        });
        Ok(RenderedChart {
            text: text.map_err(|error| explained(&error))?,
            warnings: warnings.into_iter().map(|warning| warning.text).collect(),
        })
    }
}

impl Loaded {
    fn options(
        &self,
        release: &ChartRelease<'_>,
        world: &dyn World,
    ) -> Result<Options, ChartError> {
        let profile = self.charts.profile;
        let mut options = Options {
            profile,
            ..Options::default()
        };
        match (release.name, release.name_template) {
            ("", "") => {}
            ("", template) => {
                let name = helm::engine::name_from_template(template, world);
                options.name = name.map_err(|error| ChartError {
                    at: None,
                    ..explained(&error)
                })?;
            }
            (name, "") => name.clone_into(&mut options.name),
            (_, _) => {
                return Err(ChartError {
                    code: Code("ReleaseNameInvalid"),
                    message: "cannot set --name-template and also specify a name".to_owned(),
                    at: None,
                    help: vec!["Keep one of `releaseName` and `nameTemplate`.".to_owned()],
                    retry: Retry::Never,
                });
            }
        }
        if !release.namespace.is_empty() {
            release.namespace.clone_into(&mut options.namespace);
        }
        let capabilities = Arc::make_mut(&mut options.capabilities);
        capabilities.helm_version = HelmVersion::of(profile);
        if !release.kube_version.is_empty() {
            let version = KubeVersion::parse(release.kube_version, profile);
            capabilities.kube_version = version.map_err(|error| explained(&error))?;
        }
        // The flag takes several, with commas between them.
        let given = release.api_versions.iter();
        let given = given.flat_map(|given| given.split(',')).map(str::to_owned);
        capabilities.api_versions.extend(given);
        Ok(options)
    }

    /// An error with the place in the tree: the chart's own name stands for its folder.
    fn failed(&self, error: &helm::RenderError) -> ChartError {
        let mut failed = explained(error);
        if let Some(at) = &mut failed.at
            && !matches!(error, helm::RenderError::Values(_))
        {
            let own = at.path.strip_prefix(self.chart.name());
            if let Some(below) = own.and_then(|rest| rest.strip_prefix('/')) {
                at.path = inside(&self.path, below);
            }
        }
        match error {
            helm::RenderError::Dependencies(helm::DependencyError::KubeVersion { .. }) => {
                failed.help = vec![
                    "Give the version of the cluster as `kubeVersion` of the chart, or with `--helm-kube-version`.".to_owned(),
                ];
            }
            helm::RenderError::Schema(schema) => {
                let help = schema.remote.iter().map(|address| {
                    format!(
                        "The schema refers to `{address}`, and rendering fetches nothing: put that schema into the chart's own."
                    )
                });
                failed.help = help.collect();
            }
            _ => {}
        }
        failed
    }
}

/// A path below that of a chart.
fn inside(chart: &TreePath, below: &str) -> String {
    let path = chart.join(below);
    path.map_or_else(|_| below.to_owned(), |path| path.as_str().to_owned())
}

fn explained(error: &dyn Explain) -> ChartError {
    ChartError {
        code: error.code(),
        message: error.to_string(),
        at: error.span(),
        help: error.help(),
        retry: error.retry(),
    }
}

/// Randomness of one chart: the same for the same build, another one for each of its charts.
fn seed_of(seed: &[u8; 32], number: u64) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"chart of a kustomization");
    hash.update(seed);
    hash.update(number.to_be_bytes());
    hash.finalize().into()
}
