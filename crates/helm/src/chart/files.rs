//! Files to a chart: which file is what.
//!
//! # Source
//! helm/helm `pkg/chart/v2/loader/load.go`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use object::Map;

use super::metadata::{self, Invalid, Metadata};
use super::{Budget, Chart, Content, File, LEVELS_MAX, archive};
use crate::error::{ChartError, Warning};
use crate::options::Profile;
use crate::parallel;
use crate::schema::Compiled;
use crate::values;

/// The chart that `files` are; `warnings` are what was odd while they were read.
pub(super) fn chart(
    files: Vec<File>,
    warnings: Vec<Warning>,
    profile: Profile,
    budget: &mut Budget,
    level: usize,
) -> Result<Arc<Chart>, ChartError> {
    if level >= LEVELS_MAX {
        return Err(ChartError::TooLarge(format!(
            "charts are nested deeper than {LEVELS_MAX} levels"
        )));
    }
    let metadata = read_metadata(&files, profile, level)?;
    let mut chart = Chart {
        metadata: Metadata::default(),
        values: Map::new(),
        values_file: None,
        schema: None,
        compiled: Compiled::default(),
        templates: Vec::new(),
        files: Vec::new(),
        charts: Vec::new(),
        templates_digest: OnceLock::new(),
        warnings,
    };
    let sorted = sort(files, metadata, &mut chart, profile);
    let text = chart.values_file.take();
    let read_values = || match &text {
        Some(text) => values(text.bytes(), profile),
        None => Ok(Map::new()),
    };
    let inside = match sorted {
        Ok(inside) => inside,
        Err(error) => {
            // A mistake in the values comes before it.
            read_values()?;
            return Err(error);
        }
    };
    let bytes = text.as_ref().map_or(0, Content::length);
    let (values, unpacked) = parallel::both(bytes, read_values, || {
        charts_inside(inside, &mut chart, profile, budget, level)
    });
    chart.values = values?;
    chart.values_file = text.map(Content::let_go);
    unpacked?;
    Ok(Arc::new(chart))
}

/// Puts files where they belong, and gives those of the charts inside. Values are not read yet.
fn sort(
    files: Vec<File>,
    mut metadata: Option<Metadata>,
    chart: &mut Chart,
    profile: Profile,
) -> Result<BTreeMap<String, Vec<File>>, ChartError> {
    let mut inside: BTreeMap<String, Vec<File>> = BTreeMap::new();
    for file in files {
        match &*file.name {
            "Chart.yaml" => {}
            "Chart.lock" => check_lock(&file, profile)?,
            "values.yaml" => {
                // Only the last one of an archive counts, and all have to be values.
                if let Some(before) = &chart.values_file {
                    values(before.bytes(), profile)?;
                }
                chart.values_file = Some(file.content);
            }
            "values.schema.json" => chart.schema = Some(Arc::clone(file.content.bytes())),
            "requirements.yaml" | "requirements.lock" => {
                requirements(&file, &mut metadata, &mut chart.warnings, profile)?;
                if metadata
                    .as_ref()
                    .is_some_and(|data| data.api_version == "v1")
                {
                    chart.files.push(file);
                }
            }
            name if name.starts_with("templates/") => chart.templates.push(file),
            name => match name.strip_prefix("charts/") {
                Some(rest) if !name.ends_with(".prov") => {
                    let first = rest.split('/').next().unwrap_or(rest).to_owned();
                    let name = rest.to_owned();
                    let content = file.content;
                    inside
                        .entry(first)
                        .or_default()
                        .push(File { name, content });
                }
                _ => chart.files.push(file),
            },
        }
    }
    chart.metadata = metadata.ok_or(ChartError::Missing)?;
    chart
        .metadata
        .validate()
        .map_err(|Invalid { text, name }| ChartError::Validation { text, name })?;
    Ok(inside)
}

fn values(text: &[u8], profile: Profile) -> Result<Map, ChartError> {
    let read = values::read_documents(text, profile);
    read.map_err(|error| ChartError::invalid("values.yaml", error))
}

/// Adds the charts inside.
fn charts_inside(
    inside: BTreeMap<String, Vec<File>>,
    chart: &mut Chart,
    profile: Profile,
    budget: &mut Budget,
    level: usize,
) -> Result<(), ChartError> {
    let inside = inside.into_iter();
    let inside: Vec<_> = inside
        .filter(|(name, _)| !name.starts_with(['_', '.']))
        .collect();
    let parent = chart.name();
    let unpacked = match at_once(&inside, profile, budget, level, parent) {
        Some(unpacked) => unpacked,
        // One after the other, so that the first mistake is told.
        None => inside
            .into_iter()
            .map(|(name, files)| {
                let unpacked = chart_inside(&name, &files, profile, budget, level, parent);
                unpacked.map_err(|error| ChartError::Inside {
                    name,
                    parent: parent.to_owned(),
                    error: Box::new(error),
                })
            })
            .collect::<Result<_, _>>()?,
    };
    for unpacked in unpacked {
        chart.warnings.extend(unpacked.warnings.iter().cloned());
        chart.charts.push(unpacked);
    }
    Ok(())
}

/// The charts inside, several at a time, where that is worth a thread; nothing if there is a mistake, or
/// if they are nearly too much.
fn at_once(
    inside: &[(String, Vec<File>)],
    profile: Profile,
    budget: &mut Budget,
    level: usize,
    parent: &str,
) -> Option<Vec<Arc<Chart>>> {
    let bytes = |(_, files): &(String, Vec<File>)| {
        let files = files.iter();
        files.map(|file| file.content.length()).sum()
    };
    let wanted: usize = inside.iter().map(bytes).sum();
    // What is unpacked already is read sooner than a thread has memory of its own.
    let unpacks = inside.iter().any(|(name, _)| name.ends_with(PACKED));
    // Mistakes are looked for twice, so not at every level.
    if level > 0 || !unpacks || !parallel::is_worth_threads(wanted) {
        return None;
    }
    // No more at once than may be read one after the other.
    let part = budget.part(parallel::THREADS_MAX);
    let left = Mutex::new(Some(*budget));
    let left_now = || left.lock().unwrap_or_else(PoisonError::into_inner);
    let read = parallel::map(inside, bytes, |(name, files)| {
        (*left_now())?;
        let mut budget = part;
        let chart = chart_inside(name, files, profile, &mut budget, level, parent).ok();
        let mut left = left_now();
        *left = chart.as_ref().and((*left)?.without(part, budget));
        chart
    });
    let charts = read.into_iter().collect::<Option<_>>()?;
    *budget = (*left_now())?;
    Some(charts)
}

/// The name, in its own chart, of a file of a chart or of one inside it; nothing if it is one of
/// [`Chart::files`] whatever is in it.
pub(super) fn meaning(name: &str) -> Option<&str> {
    let mut name = name;
    while let Some(inside) = name.strip_prefix("charts/") {
        match inside.split_once('/') {
            Some((_, rest)) => name = rest,
            None => return Some(inside),
        }
    }
    let known = [
        "Chart.yaml",
        "Chart.lock",
        "values.yaml",
        "values.schema.json",
        "requirements.yaml",
        "requirements.lock",
    ];
    (known.contains(&name) || name.starts_with("templates/")).then_some(name)
}

/// How names of packed charts end.
const PACKED: &str = ".tgz";

/// Bytes of the shortest header of a compressed file.
const GZIP_HEADER: usize = 10;

fn chart_inside(
    name: &str,
    files: &[File],
    profile: Profile,
    budget: &mut Budget,
    level: usize,
    parent: &str,
) -> Result<Arc<Chart>, ChartError> {
    if !name.ends_with(PACKED) {
        let below = files.iter().filter_map(|file| {
            let (_, name) = file.name.split_once('/')?;
            Some(File {
                name: name.to_owned(),
                content: file.content.clone(),
            })
        });
        return chart(below.collect(), Vec::new(), profile, budget, level + 1);
    }
    let [file, ..] = files else {
        return Err(ChartError::Missing);
    };
    if file.name != name {
        return Err(ChartError::Archive(format!(
            "error unpacking subchart tar in {parent}: expected {name}, got {}",
            file.name
        )));
    }
    // The reference looks at what these seem to be only while it unpacks them.
    let (files, warnings) =
        archive::read(file.content.bytes(), profile, budget).map_err(|error| match error {
            ChartError::NotAnArchive(_) if file.content.length() < GZIP_HEADER => {
                ChartError::Archive("unexpected EOF".to_owned())
            }
            ChartError::NotAnArchive(_) => ChartError::Archive("gzip: invalid header".to_owned()),
            error => error,
        })?;
    chart(files, warnings, profile, budget, level + 1)
}

fn read_metadata(
    files: &[File],
    profile: Profile,
    level: usize,
) -> Result<Option<Metadata>, ChartError> {
    let mut metadata: Option<Metadata> = None;
    for file in files.iter().filter(|file| file.name == "Chart.yaml") {
        let metadata = metadata.get_or_insert_default();
        // The outermost chart is looked at for its format first.
        let structure = match (profile, level) {
            (Profile::Helm4, 0) => "loader.chartBase",
            _ => structure(profile),
        };
        if let Err(text) = metadata.read(file.content.bytes(), structure) {
            let text = text.replace("loader.Maintainer", "v2.Maintainer");
            let text = text.replace("loader.Dependency", "v2.Dependency");
            return Err(ChartError::invalid("Chart.yaml", text));
        }
        if metadata.api_version.is_empty() {
            metadata.api_version = "v1".to_owned();
        }
        if profile == Profile::Helm4 && level == 0 {
            match &*metadata.api_version {
                "v1" | "v2" => {}
                "v3" => return Err(ChartError::Format("invalid chart apiVersion")),
                _ => return Err(ChartError::Format("unsupported chart version")),
            }
        }
    }
    Ok(metadata)
}

/// The Go type that the reference names for metadata.
fn structure(profile: Profile) -> &'static str {
    match profile {
        Profile::Helm4 => "v2.Metadata",
        Profile::Helm3 => "chart.Metadata",
    }
}

fn requirements(
    file: &File,
    metadata: &mut Option<Metadata>,
    warnings: &mut Vec<Warning>,
    profile: Profile,
) -> Result<(), ChartError> {
    let metadata = metadata.get_or_insert_default();
    let newer = metadata.api_version != "v1";
    if file.name == "requirements.yaml" {
        if newer {
            let text = "Warning: Dependencies are handled in Chart.yaml since apiVersion \"v2\". We recommend migrating dependencies to Chart.yaml.";
            warnings.push(Warning::new(text));
        }
        let read = metadata.read(file.content.bytes(), structure(profile));
        return read.map_err(|text| ChartError::invalid("requirements.yaml", text));
    }
    if newer {
        let text = "Warning: Dependency locking is handled in Chart.lock since apiVersion \"v2\". We recommend migrating to Chart.lock.";
        warnings.push(Warning::new(text));
    }
    check_lock(file, profile)
}

/// A lock says which versions somebody has put into `charts/`; those are what counts. It has to be
/// one all the same.
fn check_lock(file: &File, profile: Profile) -> Result<(), ChartError> {
    let package = match profile {
        Profile::Helm4 => "v2",
        Profile::Helm3 => "chart",
    };
    let read = metadata::check_lock(file.content.bytes(), package);
    read.map_err(|text| ChartError::invalid(&file.name, text))
}
