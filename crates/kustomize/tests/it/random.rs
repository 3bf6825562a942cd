//! Random trees built by ours and by the tool, which have to agree on every one.
//!
//! `FLEETWRIGHT_RANDOM_TREES` says how many, `FLEETWRIGHT_RANDOM_SEED` with which seed the first is
//! made; a tree depends on its own seed only. A difference is printed as a case that can be recorded.
//!
//! Not generated, because they are known to differ:
//!
//! - comments behind a key, dash or block header whose value begins on the next line or is empty: the
//!   reference moves them into texts, or into YAML that it cannot read back;
//! - blocks whose text begins with a tab, and trees whose build has a text that begins with one;
//! - times of a date with a blank or a small `t`, and any time in braces or brackets;
//! - plain integers from 2^63 to 2^64: some patches make floats of them;
//! - aliases and merge keys inside the value of their own anchor;
//! - `<<` as a text or a quoted key, the empty key in objects, `~` and `null` as generated keys;
//! - merged keys that are given again in files of configurations;
//! - U+0085 and U+007F in generated literals;
//! - the tag `!x` on texts;
//! - field specs, replacements and operations of JSON patches for `metadata/annotations` as a whole or
//!   for annotations of the reference itself, field specs for `kind` and `apiVersion`;
//! - annotations in which the reference keeps former names, and others of its own together with
//!   replacements;
//! - objects for local use only, with an empty mark, together with replacements;
//! - annotations that are no texts together with JSON patches or items of lists;
//! - nulls for annotations in patches with `allowNameChange`, `allowKindChange` or `$retainKeys`;
//! - numbers and booleans patched over labels and over the data of `ConfigMap`s and `Secret`s;
//! - patches of `kind`, of the subjects of bindings, and copies of `metadata` as JSON patches;
//! - kinds changed by patches together with generators that merge or replace;
//! - hashes of kinds other than `ConfigMap` and `Secret`;
//! - names and namespaces with a comma, and empty names;
//! - options of a replacement that writes to its own source;
//! - validators that add labels which are taken away again;
//! - values of `ValueAddTransformer` that would be no texts without quotes;
//! - folded blocks that keep their last empty lines in items of lists;
//! - repeated keys in files with lists of objects;
//! - control characters that we refuse;
//! - schemas that make a kind cluster-scoped in trees of several layers.

mod check;
mod configuration;
mod known;
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
use maker::Maker;
use reach::Reach;
use testkit::Dice;

/// Trees built when nobody asks for more.
const TREES: u64 = 300;

/// The first seed when nobody asks for another.
const SEED: u64 = 1;

fn asked(variable: &str, default: u64) -> u64 {
    let asked = std::env::var(variable).ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Most differences that are made small and shown.
const SHOWN_MAX: usize = 20;

/// Of the trees that we refuse, how many percent are replaced by another, as a refused tree tests
/// only what comes before the refusal.
const REFUSED_REPLACED: usize = 60;

/// The tree of a seed, and what we make of it.
fn make(seed: u64) -> (Maker, Verdict) {
    let mut dice = Dice::new(seed);
    loop {
        let mut maker = Maker::new(dice.roll());
        layers::tree(&mut maker);
        let ours = check::ours(&maker.files);
        if known::differs(&maker, &ours) {
            continue;
        }
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
                    eprintln!("seed {seed}: {difference:?}");
                    let one = Found {
                        seed,
                        difference,
                        files: maker.files,
                    };
                    found.lock().expect("no worker panics").push(one);
                }
            });
        }
    });
    let reach = reach.into_inner().expect("no worker panics");
    eprintln!("{reach}");
    let mut found = found.into_inner().expect("no worker panics");
    found.sort_by_key(|one| one.seed);
    if !found.is_empty() {
        let tool = Tool::new(&program, workers);
        let texts: Vec<String> = found
            .iter_mut()
            .take(SHOWN_MAX)
            .map(|one| {
                one.shrink(&tool);
                one.show(&tool)
            })
            .collect();
        panic!(
            "{} of {count} trees differ\n{}",
            found.len(),
            texts.join("\n")
        );
    }
    reach.assert_complete();
}
