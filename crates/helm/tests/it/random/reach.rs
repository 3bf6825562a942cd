//! How many charts contain what, so that a part of the generator that died is noticed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::chart::Case;
use super::check::{Verdict, comparable};

/// From this many charts on, every function has to have been called.
const COMPLETE_FROM: usize = 5_000;

/// Counts of charts.
#[derive(Default)]
pub struct Reach {
    charts: usize,
    features: BTreeMap<String, (usize, usize)>,
    refused: usize,
    endless: usize,
    worded_alike: usize,
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
                if let Verdict::Refused(ours) = ours {
                    self.worded_alike += usize::from(comparable(ours) == comparable(theirs));
                }
            }
            Verdict::Endless => self.endless += 1,
            _ => {}
        }
    }

    /// Fails when a long run has called a function in no chart that rendered.
    pub fn assert_complete(&self) {
        if self.charts < COMPLETE_FROM {
            return;
        }
        let missed: Vec<&str> = super::names()
            .into_iter()
            .filter(|name| {
                let counts = self.features.get(&format!("function: {name}"));
                // Some can only fail.
                counts.is_none_or(|(_, rendered)| *rendered == 0) && *name != "buildCustomCert"
            })
            .collect();
        assert!(missed.is_empty(), "no chart that renders calls {missed:?}");
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = |count: usize| 100.0 * count as f64 / self.charts.max(1) as f64;
        writeln!(
            out,
            "{} charts, {:.1} % rendered, {} without an answer of the tool; of {} refusals {} are worded alike",
            self.charts,
            share(self.charts - self.refused - self.endless),
            self.endless,
            self.refused,
            self.worded_alike
        )?;
        for (feature, (count, rendered)) in &self.features {
            writeln!(
                out,
                "{:7.2} %  {:4} % of them rendered  {}",
                share(*count),
                100 * rendered / count,
                feature.escape_debug()
            )?;
        }
        Ok(())
    }
}
