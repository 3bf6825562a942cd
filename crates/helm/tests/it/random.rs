//! Random charts rendered by ours and by the tool, which have to agree on every one.
//!
//! `FLEETWRIGHT_RANDOM_CHARTS` says how many, `FLEETWRIGHT_RANDOM_SEED` with which seed the first is
//! made; a chart depends on its own seed only. A difference is printed as a chart with what the tool
//! makes of it, made small. Charts that people have written are in [`corpus`].
//!
//! Not generated, other than in forms that take the difference away:
//!
//! - what differs from run to run: keys of maps in no order, randomness, the clock;
//! - `.Subcharts`, `.Files` and parts of `.Capabilities` as values other than of `printf`: structures
//!   merge in their own ways.

pub mod chart;
pub mod check;
mod corpus;
mod expression;
mod family;
pub mod functions;
mod known;
mod reach;
mod shrink;
mod template;
mod values;
mod words;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use chart::Case;
use check::{Difference, Tool, Verdict};
use reach::Reach;
use testkit::Dice;

/// Charts rendered when nobody asks for more.
const CHARTS: u64 = 300;

/// The first seed when nobody asks for another.
const SEED: u64 = 1;

/// Most differences that are made small and shown; `FLEETWRIGHT_RANDOM_SHOWN` asks for another number.
const SHOWN_MAX: u64 = 20;

/// A long run says how far it is after so many charts.
const TOLD_EVERY: u64 = 1_000;

fn asked(variable: &str, default: u64) -> u64 {
    let asked = std::env::var(variable).ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Names of all functions that templates can call.
fn names() -> BTreeSet<&'static str> {
    let mut functions = sprig::functions();
    helm::functions::add(&mut functions);
    let mut names: BTreeSet<&str> = functions.names().collect();
    names.remove("env");
    names.remove("expandenv");
    names.extend(["include", "tpl", "required", "lookup", "fail"]);
    names.extend([
        "and", "call", "html", "index", "js", "len", "not", "or", "print", "printf", "println",
        "urlquery",
    ]);
    names.extend(["eq", "ge", "gt", "le", "lt", "ne"]);
    names
}

#[test]
fn every_function_is_in_reach() {
    let reached: BTreeSet<&str> = expression::names().into_iter().collect();
    let missed: Vec<&str> = names()
        .into_iter()
        .filter(|name| !reached.contains(name))
        .collect();
    assert_eq!(missed, ["buildCustomCert"], "which always fails here");
}

/// A chart on which the two differ.
struct Found {
    seed: u64,
    difference: Difference,
    case: Case,
}

impl Found {
    /// Makes the chart as small as it gets while it differs in the same way.
    fn shrink(&mut self, tool: &Tool) {
        self.case = shrink::shrink(&self.case, &mut |case| {
            let (ours, theirs) = (check::ours(case), tool.render(case));
            check::difference(&ours, &theirs) == Some(self.difference)
                && !known::is_known(self.difference, &ours, &theirs)
                && !check::agree_at_one_time(case, tool)
        });
    }

    fn show(&self, tool: &Tool) -> String {
        let ours = match check::ours(&self.case) {
            Verdict::Rendered(text) | Verdict::Refused(text) => text,
            other => format!("{other:?}"),
        };
        let case = check::show(&self.case, &tool.render(&self.case));
        let (seed, difference) = (self.seed, self.difference);
        format!("=== seed {seed}: {difference:?}\n{case}--- ours\n{ours}\n")
    }
}

/// How often the tool is asked again about a difference. Where it goes through a Go map, it is luck
/// which of several errors comes first, and ours is right if it is one of them.
const ASKED_AGAIN: usize = 10;

#[test]
fn random_charts_render_as_with_the_tool() {
    let Some(program) = testkit::reference_tool("helm4") else {
        return;
    };
    let count = asked("FLEETWRIGHT_RANDOM_CHARTS", CHARTS);
    let first = asked("FLEETWRIGHT_RANDOM_SEED", SEED);
    let calls = functions::table();
    let next = AtomicU64::new(0);
    let reach = Mutex::new(Reach::default());
    let found = Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let (next, reach, found, program, calls) = (&next, &reach, &found, &program, &calls);
            scope.spawn(move || {
                let tool = Tool::new(program, &worker.to_string());
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= count {
                        return;
                    }
                    if at > 0 && at % TOLD_EVERY == 0 {
                        eprintln!("{at} charts");
                    }
                    let seed = first + at;
                    let case = chart::make(&mut Dice::new(seed), calls);
                    let ours = check::ours(&case);
                    let theirs = tool.render(&case);
                    reach
                        .lock()
                        .expect("no worker panics")
                        .add(&case, &ours, &theirs);
                    let Some(difference) = check::difference(&ours, &theirs) else {
                        continue;
                    };
                    let says_so_too =
                        || (0..ASKED_AGAIN).any(|_| check::agree_at_one_time(&case, &tool));
                    if known::is_known(difference, &ours, &theirs)
                        || known::is_unsteady(&ours, &theirs, &tool.render(&case))
                        || says_so_too()
                    {
                        continue;
                    }
                    eprintln!("seed {seed}: {difference:?}");
                    found.lock().expect("no worker panics").push(Found {
                        seed,
                        difference,
                        case,
                    });
                }
            });
        }
    });
    let reach = reach.into_inner().expect("no worker panics");
    eprintln!("{reach}");
    let mut found = found.into_inner().expect("no worker panics");
    found.sort_by_key(|one| one.seed);
    if !found.is_empty() {
        let tool = Tool::new(&program, "shrink");
        let shown = asked("FLEETWRIGHT_RANDOM_SHOWN", SHOWN_MAX);
        let texts: Vec<String> = found
            .iter_mut()
            .take(shown as usize)
            .map(|one| {
                one.shrink(&tool);
                one.show(&tool)
            })
            .collect();
        panic!(
            "{} of {count} charts differ\n{}",
            found.len(),
            texts.join("\n")
        );
    }
    reach.assert_complete();
}
