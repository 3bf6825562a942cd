//! Random trees built by ours and by the tool, which have to agree on every one.
//!
//! `FLEETWRIGHT_RANDOM_TREES` says how many, `FLEETWRIGHT_RANDOM_SEED` with which seed the first is
//! made; a tree depends on its own seed only. A difference is printed as a case that can be recorded.

mod check;
mod configuration;
mod dice;
mod kustomization;
mod layers;
mod maker;
mod objects;
mod patches;
mod plugins;
mod reach;
mod replacements;
mod shrink;
mod value;
mod words;
mod writer;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use check::{Difference, Files, Tool, Verdict};
use dice::Dice;
use maker::Maker;
use reach::Reach;

/// Trees built when nobody asks for more.
const TREES: u64 = 300;

/// The first seed when nobody asks for another.
const SEED: u64 = 1;

fn asked(variable: &str, default: u64) -> u64 {
    let asked = std::env::var(variable).ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Trees of the usual run that are known to differ; it only shrinks.
const DIFFERENT_MAX: usize = 7;

/// Of the trees that we refuse, how many percent are replaced by another, as a refused tree tests
/// only what comes before the refusal.
const REFUSED_REPLACED: usize = 60;

/// The tree of a seed, and what we make of it.
fn make(seed: u64) -> (Maker, Verdict) {
    let mut dice = Dice::new(seed);
    loop {
        let mut maker = Maker::new(dice.next());
        layers::tree(&mut maker);
        let ours = check::ours(&maker.files);
        if !matches!(ours, Verdict::Refused(_)) || !dice.percent(REFUSED_REPLACED) {
            return (maker, ours);
        }
    }
}

/// A tree on which the two differ.
struct Found {
    seed: u64,
    difference: Difference,
    files: Files,
}

impl Found {
    /// Makes the tree as small as it gets while it differs in the same way.
    fn shrink(&mut self, tool: &Tool) {
        self.files = shrink::shrink(&self.files, &mut |files| {
            check::difference(&check::ours(files), &tool.build(files)) == Some(self.difference)
        });
    }

    /// The tree with what the tool makes of it, ready to be recorded, and what we make of it.
    fn show(&self, tool: &Tool) -> String {
        let ours = match check::ours(&self.files) {
            Verdict::Built(text) | Verdict::Refused(text) => text,
            other => format!("{other:?}"),
        };
        let case = check::case(&self.files, &tool.build(&self.files));
        let (seed, difference) = (self.seed, self.difference);
        format!("seed {seed}: {difference:?}\n{case}--- ours\n{ours}\n")
    }
}

#[test]
fn random_trees_build_as_with_the_tool() {
    let Some(program) = testkit::reference_tool("kustomize") else {
        return;
    };
    let hunting = std::env::var_os("FLEETWRIGHT_RANDOM_TREES").is_some();
    let count = asked("FLEETWRIGHT_RANDOM_TREES", TREES);
    let first = asked("FLEETWRIGHT_RANDOM_SEED", SEED);
    let next = AtomicU64::new(0);
    let reach = Mutex::new(Reach::default());
    let found = Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let (next, reach, found, program) = (&next, &reach, &found, &program);
            scope.spawn(move || {
                let tool = Tool::new(program, worker);
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= count {
                        return;
                    }
                    let seed = first + at;
                    let (maker, ours) = make(seed);
                    let theirs = tool.build(&maker.files);
                    reach
                        .lock()
                        .expect("no worker panics")
                        .add(&maker, &ours, &theirs);
                    let Some(difference) = check::difference(&ours, &theirs) else {
                        continue;
                    };
                    let mut one = Found {
                        seed,
                        difference,
                        files: maker.files,
                    };
                    if hunting {
                        one.shrink(&tool);
                        eprintln!("{}", one.show(&tool));
                    }
                    found.lock().expect("no worker panics").push(one);
                }
            });
        }
    });
    let reach = reach.into_inner().expect("no worker panics");
    eprintln!("{reach}");
    let mut found = found.into_inner().expect("no worker panics");
    found.sort_by_key(|one| one.seed);
    let allowed = if hunting { 0 } else { DIFFERENT_MAX };
    if found.len() > allowed {
        let tool = Tool::new(&program, workers);
        let texts: Vec<String> = found
            .iter_mut()
            .map(|one| {
                if !hunting {
                    one.shrink(&tool);
                }
                one.show(&tool)
            })
            .collect();
        panic!(
            "{} of {count} trees differ, {allowed} are known to\n{}",
            texts.len(),
            texts.join("\n")
        );
    }
    let seeds: Vec<u64> = found.iter().map(|one| one.seed).collect();
    eprintln!("different: {seeds:?}");
    reach.assert_complete();
}
