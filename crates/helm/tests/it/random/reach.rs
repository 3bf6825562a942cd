//! How many charts contain what, so that a part of the generator that died is noticed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::chart::Case;
use super::check::{Verdict, comparable};

/// From this many charts on, every function has to have been called.
const COMPLETE_FROM: usize = 5_000;

/// From this many charts on, the share of those that render is looked at.
const SHARE_FROM: usize = 100;

/// How many percent have to render: what is refused says little.
const RENDERED_MIN: usize = 55;

/// What a long run has to have done in charts that rendered, besides calling functions.
const FEATURES: &[&str] = &[
    "assignment",
    "block",
    "break",
    "break: in an else",
    "break: inside other blocks",
    "comment",
    "continue",
    "continue: in an else",
    "continue: inside other blocks",
    "define",
    "else if",
    "else with",
    "range: changes what it is over",
    "range: in a range",
    "values: globals on both sides",
    "template",
    "trim: blanks of all kinds",
    "trim: more blanks",
    "lines end as on Windows",
    "variable: declared again",
    "variables behind blocks",
    "chart: subchart of a subchart",
    "chart: two subcharts",
    "chart: schema",
    "many calls",
    "versions near each other",
    "chart: files walked",
    "dependency: alias",
    "dependency: several conditions",
    "dependency: tags",
    "dependency: import-values",
    "dependency: twice",
    "values: nulls over defaults",
    "hook",
];

/// Counts of charts.
#[derive(Default)]
pub struct Reach {
    charts: usize,
    features: BTreeMap<String, (usize, usize)>,
    refused: usize,
    endless: usize,
    worded_alike: usize,
    /// Why charts are refused.
    causes: BTreeMap<&'static str, usize>,
}

impl Reach {
    pub fn add(&mut self, case: &Case, ours: &Verdict, theirs: &Verdict) {
        self.charts += 1;
        let rendered = matches!(theirs, Verdict::Rendered(_));
        for feature in case.reach.iter().collect::<BTreeSet<_>>() {
            let (count, of_rendered) = self.features.entry(feature.clone()).or_default();
            *count += 1;
            *of_rendered += usize::from(rendered);
        }
        match theirs {
            Verdict::Refused(theirs) => {
                self.refused += 1;
                *self.causes.entry(cause(theirs)).or_default() += 1;
                if let Verdict::Refused(ours) = ours {
                    self.worded_alike += usize::from(comparable(ours) == comparable(theirs));
                }
            }
            Verdict::Endless => self.endless += 1,
            _ => {}
        }
    }

    /// Fails when too few charts render, or when a long run has called a function in no chart that
    /// rendered, or has not done what the generator was made to do.
    pub fn assert_complete(&self) {
        if self.charts < SHARE_FROM {
            return;
        }
        let rendered = self.charts - self.refused - self.endless;
        assert!(
            100 * rendered >= RENDERED_MIN * self.charts,
            "only {rendered} of {} charts render",
            self.charts
        );
        if self.charts < COMPLETE_FROM {
            return;
        }
        let functions = super::names().into_iter();
        // This one can only fail.
        let functions = functions.filter(|name| *name != "buildCustomCert");
        let features = functions.map(|name| format!("function: {name}"));
        let missed: Vec<String> = features
            .chain(FEATURES.iter().map(|&name| name.to_owned()))
            .filter(|name| self.features.get(name).is_none_or(|counts| counts.1 == 0))
            .collect();
        assert!(missed.is_empty(), "no chart that renders has {missed:?}");
    }
}

/// What features are called, and under what heading they are told.
const HEADINGS: &[(&str, &str)] = &[
    ("function: ", "functions"),
    ("method: ", "methods"),
    ("verb: ", "verbs of printf"),
    ("flag: ", "flags"),
    ("chart: ", "parts of charts"),
    ("dependency: ", "dependencies"),
    ("values: ", "values"),
    ("risk: ", "what may fail"),
    ("", "actions"),
];

/// Most functions per line.
const PER_LINE: usize = 6;

impl fmt::Display for Reach {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = |count: usize| 100.0 * count as f64 / self.charts.max(1) as f64;
        let rendered = self.charts - self.refused - self.endless;
        writeln!(
            out,
            "{} charts: {:.1} % rendered, {:.1} % refused, {} without an answer of the tool; {} of {} refusals are worded alike",
            self.charts,
            share(rendered),
            share(self.refused),
            self.endless,
            self.worded_alike,
            self.refused,
        )?;
        for (cause, count) in &self.causes {
            writeln!(out, "{:7.2} %  refused: {cause}", share(*count))?;
        }
        let mut left: BTreeMap<&str, (usize, usize)> = self
            .features
            .iter()
            .map(|(name, counts)| (&**name, *counts))
            .collect();
        for (prefix, heading) in HEADINGS {
            let mut told: Vec<(&str, (usize, usize))> = Vec::new();
            left.retain(|name, counts| match name.strip_prefix(prefix) {
                Some(name) => {
                    told.push((name, *counts));
                    false
                }
                None => true,
            });
            if *heading == "functions" {
                let all = super::names();
                let called = told.iter().filter(|(name, _)| all.contains(name));
                let (called, all) = (called.count(), all.len());
                writeln!(out, "functions: {called} of {all} called")?;
            } else {
                writeln!(out, "{heading}: {}", told.len())?;
            }
            if !matches!(*heading, "functions" | "methods" | "verbs of printf") {
                for (name, (count, rendered)) in told {
                    let of_them = 100 * rendered / count;
                    writeln!(
                        out,
                        "{:7.2} %  {of_them:3} % of them rendered  {name}",
                        share(count)
                    )?;
                }
                continue;
            }
            told.sort_by_key(|(_, (_, rendered))| *rendered);
            for line in told.chunks(PER_LINE) {
                let line: Vec<String> = line
                    .iter()
                    .map(|(name, (count, _))| {
                        format!("{} {:.2} %", name.escape_debug(), share(*count))
                    })
                    .collect();
                writeln!(out, "    {}", line.join(", "))?;
            }
        }
        Ok(())
    }
}

/// Why the tool refuses a chart, in a few words.
fn cause(text: &str) -> &'static str {
    const CAUSES: &[(&str, &str)] = &[
        ("parse error at", "parsing a template"),
        ("execution error at", "fail and required"),
        ("YAML parse error", "what came out is no YAML"),
        ("values don't meet", "a schema"),
        ("chart requires kubeVersion", "the version of Kubernetes"),
        ("failed parsing --set", "a flag"),
        ("cannot load values.yaml", "values.yaml"),
        ("failed to parse values", "a file of values"),
        ("could not find template", "--show-only"),
        ("dependenc", "dependencies"),
        ("template: ", "executing a template"),
        ("/templates/", "executing a template"),
    ];
    let found = CAUSES.iter().find(|(mark, _)| text.contains(mark));
    found.map_or("anything else", |(_, cause)| cause)
}
