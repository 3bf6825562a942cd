//! Helm charts: loading, values, rendering.
//!
//! [`render`] is the whole way in one function: what the user gives, which charts are used, their
//! values, the templates, the manifests.
//!
//! # Invariants
//!
//! - **Charts never change.** A [`Chart`] is shared by whoever renders it; what one release makes of
//!   it is an [`Assembly`].
//! - **Nothing from outside.** No disk, network, clock or environment: files come from a tree or an
//!   archive, and those that `--set-file` names from a function.
//! - **Equal inputs give equal bytes**, and the bytes are those of `helm template`.
//! - **No input panics.** Charts, values and what they grow to are limited.
//!
//! Deliberately absent: fetching charts, and storing or installing releases.

pub mod capabilities;
pub mod chart;
pub mod convert;
mod decode;
pub mod dependencies;
pub mod engine;
pub mod error;
pub mod functions;
mod lint;
pub mod manifest;
pub mod options;
mod parallel;
pub mod provenance;
mod schema;
pub mod values;

use std::sync::Arc;

use object::Map;

use engine::Made;

pub use capabilities::{Capabilities, HelmVersion, KubeVersion};
pub use chart::{Chart, Dependency, Digest, File, Maintainer, Metadata};
pub use dependencies::{Assembly, Template};
pub use engine::{Engine, Executed, Programs};
pub use error::{
    ChartError, DependencyError, ManifestError, OptionsError, RenderError, SchemaError,
    TemplateError, ValuesError, Warning,
};
pub use gotemplate::ImpureCall;
pub use lint::lint;
pub use manifest::{
    Crd, Event, Files, Hook, Manifest, Manifests, TextOptions, Written, WrittenKind,
};
pub use options::{Options, Profile, check_name};
pub use values::{ReadFile, UserValues, ValuesFile};

use values::coalesce::{self, Mode};

/// Everything that templates see, and which of them there are.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The charts that are used.
    pub charts: Assembly,
    /// The values of all of them: those of a chart inside are under its name.
    pub values: Map,
    /// The release.
    pub options: Options,
}

/// Renders `chart` with the values that the user gives.
///
/// Warnings are sorted; they are there also when rendering fails.
///
/// # Errors
/// [`RenderError`], whose text is the reference's.
pub fn render(
    chart: &Arc<Chart>,
    user: &UserValues,
    read: ReadFile<'_>,
    options: &Options,
    engine: &Engine<'_>,
    warnings: &mut Vec<Warning>,
) -> Result<Manifests, RenderError> {
    let (given, charts) = choose(chart, user, read, options, warnings)?;
    let (values, program) = parallel::both(
        engine.programs.bytes_to_parse(&charts),
        || values_of(&charts, &given, options, warnings),
        || engine.programs.get(&charts, options.profile),
    );
    let scope = Scope {
        values: values?,
        charts,
        options: options.clone(),
    };
    let program = program?;
    // What files have made is read while others are executed.
    let (executed, taken) = parallel::meanwhile(
        |give| {
            engine.execute_each(&program, &scope, &mut |made| {
                let bytes = made.text.len();
                give(made, bytes);
            })
        },
        |Made { round, path, text }| (round, manifest::take(&path, &text, options.profile)),
    );
    let (last, impure) = executed?;
    let taken = taken.into_iter().filter(|(round, _)| *round == last);
    let taken = taken.map(|(_, taken)| taken);
    let name = &scope.charts.metadata.name;
    let mut manifests = manifest::put_together(taken, name, false, options.profile, warnings)?;
    manifests.impure = impure;
    manifests.crds = scope.charts.crds();
    warnings.sort();
    Ok(manifests)
}

/// Renders that come one after another, such as previews of a change while it is typed: what cannot
/// have changed since the last one is neither executed nor read again.
///
/// Each gives what [`render`] would give. Nothing depends on which charts and releases come in which
/// order, but only renders of the same release of the same chart gain.
#[derive(Debug, Default)]
pub struct Renders {
    memory: engine::Memory,
    manifests: manifest::Known,
}

impl Renders {
    /// The same as [`render`].
    ///
    /// # Errors
    /// As [`render`].
    pub fn render(
        &mut self,
        chart: &Arc<Chart>,
        user: &UserValues,
        read: ReadFile<'_>,
        options: &Options,
        engine: &Engine<'_>,
        warnings: &mut Vec<Warning>,
    ) -> Result<Manifests, RenderError> {
        let scope = prepare(chart, user, read, options, warnings)?;
        let executed = engine.execute_again(&scope, &mut self.memory)?;
        let name = &scope.charts.metadata.name;
        let known = &mut self.manifests;
        let mut manifests = manifest::sort_again(
            executed.files,
            known,
            name,
            false,
            options.profile,
            warnings,
        )?;
        manifests.impure = executed.impure;
        manifests.crds = scope.charts.crds();
        warnings.sort();
        Ok(manifests)
    }

    /// How many templates the last render executed.
    pub fn executed(&self) -> usize {
        self.memory.executed()
    }
}

/// All that comes before templates: values merged, charts chosen, values coalesced and checked.
///
/// # Errors
/// As [`render`].
pub fn prepare(
    chart: &Arc<Chart>,
    user: &UserValues,
    read: ReadFile<'_>,
    options: &Options,
    warnings: &mut Vec<Warning>,
) -> Result<Scope, RenderError> {
    let (given, charts) = choose(chart, user, read, options, warnings)?;
    Ok(Scope {
        values: values_of(&charts, &given, options, warnings)?,
        charts,
        options: options.clone(),
    })
}

/// What the user gives, in one map, and the charts that are used with it.
fn choose(
    chart: &Arc<Chart>,
    user: &UserValues,
    read: ReadFile<'_>,
    options: &Options,
    warnings: &mut Vec<Warning>,
) -> Result<(Map, Assembly), RenderError> {
    let profile = options.profile;
    let given = user.merged(read, profile)?;
    warnings.extend(chart.warnings.iter().cloned());
    dependencies::check(chart, profile)?;
    check_name(&options.name, profile)?;
    let charts = Assembly::new(chart, &given, profile, warnings)?;
    Ok((given, charts))
}

/// The values of all charts that are used, checked.
fn values_of(
    charts: &Assembly,
    given: &Map,
    options: &Options,
    warnings: &mut Vec<Warning>,
) -> Result<Map, RenderError> {
    let profile = options.profile;
    let values = coalesce::coalesce(charts, given, Mode::Coalesce, profile, warnings)?;
    if !options.skip_schema {
        schema::check(charts, &values, warnings)?;
    }
    dependencies::check_kube_version(&charts.metadata, options)?;
    warnings.sort();
    Ok(values)
}
