//! How many trees contain what, so that a part of the generator that died is noticed.

use std::collections::BTreeMap;
use std::fmt;

use super::check::Verdict;
use super::maker::Maker;

/// From this many trees on, everything has to have been reached.
const COMPLETE_FROM: usize = 20_000;

/// The fewest trees that contain a feature, in a long run.
const FEATURE_TREES_MIN: usize = 3;

/// What has to be reached by a long run, beside whatever the generator notes on the way.
const FEATURES: &[&str] = &[
    "field: bases",
    "field: buildMetadata",
    "field: commonAnnotations",
    "field: commonLabels",
    "field: components",
    "field: configMapGenerator",
    "field: configurations",
    "field: crds",
    "field: generatorOptions",
    "field: generators",
    "field: helmCharts",
    "field: imageTags",
    "field: images",
    "field: labels",
    "field: metadata",
    "field: namePrefix",
    "field: nameSuffix",
    "field: namespace",
    "field: openapi",
    "field: patches",
    "field: patchesJson6902",
    "field: patchesStrategicMerge",
    "field: replacements",
    "field: replicas",
    "field: resources",
    "field: secretGenerator",
    "field: sortOptions",
    "field: transformers",
    "field: validators",
    "field: vars",
    "layers: 4",
    "layers: nested component",
    "layers: shared base",
    "patch: delete element",
    "patch: delete list",
    "patch: delete map",
    "patch: delete object",
    "patch: merge list",
    "patch: merge map",
    "patch: replace list",
    "patch: replace map",
    "style: >",
    "style: >+",
    "style: >-",
    "style: CRLF",
    "style: alias of a list",
    "style: alias of a map",
    "style: alias of a scalar",
    "style: byte order mark",
    "style: comment in flow",
    "style: key that is no text",
    "layers: component on top",
    "style: explicit key",
    "style: flow",
    "style: json",
    "style: merge key",
    "style: |",
    "style: |+",
    "style: |-",
];

/// Counts of trees.
#[derive(Default)]
pub struct Reach {
    trees: usize,
    features: BTreeMap<String, (usize, usize)>,
    refused: usize,
    worded_alike: usize,
    files: BTreeMap<usize, usize>,
}

impl Reach {
    pub fn add(&mut self, maker: &Maker, ours: &Verdict, theirs: &Verdict) {
        self.trees += 1;
        *self.files.entry(maker.files.len()).or_default() += 1;
        let built = matches!(theirs, Verdict::Built(_));
        for feature in &maker.reach {
            let (count, of_built) = self.features.entry(feature.clone()).or_default();
            *count += 1;
            *of_built += usize::from(built);
        }
        if let Verdict::Refused(theirs) = theirs {
            self.refused += 1;
            if let Verdict::Refused(ours) = ours {
                self.worded_alike += usize::from(comparable(ours) == comparable(theirs));
            }
        }
    }

    fn files_median(&self) -> usize {
        let mut seen = 0;
        for (files, count) in &self.files {
            seen += count;
            if seen * 2 >= self.trees {
                return *files;
            }
        }
        0
    }

    /// Fails when a long run has missed something.
    pub fn assert_complete(&self) {
        if self.trees < COMPLETE_FROM {
            return;
        }
        let missed: Vec<&str> = FEATURES
            .iter()
            .copied()
            .filter(|feature| {
                self.features.get(*feature).map_or(0, |(count, _)| *count) < FEATURE_TREES_MIN
            })
            .collect();
        assert!(missed.is_empty(), "hardly any tree has {missed:?}");
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = |count: usize| 100.0 * count as f64 / self.trees.max(1) as f64;
        writeln!(
            out,
            "{} trees of {} files (median), {:.1} % built; of {} refusals {} are worded alike",
            self.trees,
            self.files_median(),
            share(self.trees - self.refused),
            self.refused,
            self.worded_alike
        )?;
        for (feature, (count, built)) in &self.features {
            writeln!(
                out,
                "{:7.2} %  {:4} % of them built  {}",
                share(*count),
                100 * built / count,
                feature.escape_debug()
            )?;
        }
        Ok(())
    }
}

/// A refusal without what differs from run to run.
fn comparable(error: &str) -> String {
    crate::golden::comparable(error)
}
