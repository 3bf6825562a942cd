//! Counters of one cluster, in Prometheus' text format.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of the latency buckets in seconds.
const BUCKETS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0];

/// Most label sets that are told apart: kinds times verbs times codes of a real cluster are some
/// hundreds; a client that invents resources must not fill the memory.
const SERIES_MAX: usize = 5_000;

/// Requests counted by verb, resource and code.
#[derive(Default)]
pub(crate) struct Metrics {
    series: Mutex<BTreeMap<(String, String, u16), Series>>,
}

#[derive(Clone, Default)]
struct Series {
    count: u64,
    seconds: f64,
    buckets: [u64; BUCKETS.len()],
}

impl Metrics {
    /// Counts one answered request.
    pub(crate) fn observe(&self, verb: &str, resource: &str, code: u16, took: Duration) {
        let mut all = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = (verb.to_owned(), resource.to_owned(), code);
        if all.len() >= SERIES_MAX && !all.contains_key(&key) {
            key.1 = "other".to_owned();
        }
        let series = all.entry(key).or_default();
        let seconds = took.as_secs_f64();
        series.count += 1;
        series.seconds += seconds;
        for (bucket, bound) in series.buckets.iter_mut().zip(BUCKETS) {
            *bucket += u64::from(seconds <= bound);
        }
    }

    /// All counters, and gauges given as (name, help, value).
    pub(crate) fn text(&self, gauges: &[(&str, &str, u64)]) -> String {
        let all = self
            .series
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let mut out = String::new();
        let mut line = |text: std::fmt::Arguments<'_>| {
            out.write_fmt(text).expect("a String takes every write");
            out.push('\n');
        };
        line(format_args!(
            "# HELP apiserver_request_total Requests by verb, resource and HTTP code."
        ));
        line(format_args!("# TYPE apiserver_request_total counter"));
        for ((verb, resource, code), series) in &all {
            line(format_args!(
                "apiserver_request_total{{verb=\"{verb}\",resource=\"{resource}\",code=\"{code}\"}} {}",
                series.count
            ));
        }
        line(format_args!(
            "# HELP apiserver_request_duration_seconds Time to answer, watches excluded."
        ));
        line(format_args!(
            "# TYPE apiserver_request_duration_seconds histogram"
        ));
        for ((verb, resource, code), series) in &all {
            let labels = format!("verb=\"{verb}\",resource=\"{resource}\",code=\"{code}\"");
            for (count, bound) in series.buckets.iter().zip(BUCKETS) {
                line(format_args!(
                    "apiserver_request_duration_seconds_bucket{{{labels},le=\"{bound}\"}} {count}"
                ));
            }
            line(format_args!(
                "apiserver_request_duration_seconds_bucket{{{labels},le=\"+Inf\"}} {}",
                series.count
            ));
            line(format_args!(
                "apiserver_request_duration_seconds_sum{{{labels}}} {}",
                series.seconds
            ));
            line(format_args!(
                "apiserver_request_duration_seconds_count{{{labels}}} {}",
                series.count
            ));
        }
        for (name, help, value) in gauges {
            line(format_args!("# HELP {name} {help}"));
            line(format_args!("# TYPE {name} gauge"));
            line(format_args!("{name} {value}"));
        }
        out
    }
}
