//! Charts of the corpus, their values changed at random, rendered by ours and by the tool.
//!
//! Each render begins with the flags of a recorded case, so that what charts do when much is
//! switched on is reached, and adds one file of changes: flags turned, nulls, other types, longer and
//! shorter lists, extreme numbers, keys that nobody knows.
//!
//! `FLEETWRIGHT_RANDOM_VALUES` says how many renders, `FLEETWRIGHT_RANDOM_SEED` with which seed the
//! first is made.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use helm::engine::Programs;
use helm::{Chart, Profile};
use object::{Map, Node};
use testkit::Dice;
use tree::TreePath;

use super::chart::Case;
use super::check::{self, Difference, Tool, Verdict};
use super::{asked, known, words};
use crate::support;

/// Renders when nobody asks for more.
const RENDERS: u64 = 60;

/// Most changes of one render; more of them make most charts fail.
const CHANGES_MAX: usize = 3;

/// Times the tool renders what differs, to see what of it is random.
const RUNS: usize = 3;

/// A chart, and ways to render it.
struct Subject {
    name: String,
    path: PathBuf,
    chart: Arc<Chart>,
    bases: Vec<Base>,
}

/// Flags of a recorded case with their files, and the values that templates see then.
struct Base {
    case: Case,
    values: Map,
}

fn subjects(corpus: &Path) -> Vec<Subject> {
    let mut paths: Vec<PathBuf> = fs::read_dir(corpus.join("charts"))
        .expect("the corpus has charts")
        .map(|entry| entry.expect("the corpus can be read").path())
        .collect();
    paths.sort();
    let mut subjects = Vec::new();
    for path in paths {
        let read = match path.is_dir() {
            true => {
                let tree = support::folder(&path);
                Chart::from_tree(&tree, &TreePath::root(), Profile::Helm4)
            }
            false => {
                let bytes = fs::read(&path).expect("the corpus can be read");
                Chart::from_archive(&bytes[..], Profile::Helm4)
            }
        };
        // One is there to be refused.
        let Ok(chart) = read else { continue };
        let name = path.file_name().expect("it has a name").to_string_lossy();
        let name = name.strip_suffix(".tgz").unwrap_or(&name).to_owned();
        let mut bases = Vec::from_iter(base(&chart, Case::default()));
        let cases = fs::read_dir(corpus.join("cases").join(&name));
        for folder in cases.into_iter().flatten() {
            let folder = folder.expect("the corpus can be read").path();
            bases.extend(recorded(&folder).and_then(|case| base(&chart, case)));
        }
        subjects.push(Subject {
            name,
            path,
            chart,
            bases,
        });
    }
    subjects
}

/// A base. Some charts refuse these values, and then their defaults are what is changed; those that
/// ask for a schema of another address are left alone.
fn base(chart: &Arc<Chart>, case: Case) -> Option<Base> {
    let values = match check::values(chart, &case) {
        Ok(values) => values,
        Err(error) if error.contains("schemas are not fetched") => return None,
        Err(_) => chart.values.clone(),
    };
    Some(Base { case, values })
}

/// The flags of a recorded case; none where it has one that is not known here.
fn recorded(folder: &Path) -> Option<Case> {
    let text = fs::read_to_string(folder.join("args.txt")).ok()?;
    let mut case = Case::default();
    let mut lines = text.lines();
    while let Some(flag) = lines.next() {
        let words = match flag {
            "--values" => {
                let name = lines.next()?;
                let content = fs::read_to_string(folder.join(name)).ok()?;
                let name = format!("values/{name}");
                case.files.insert(name.clone(), content);
                vec!["-f".to_owned(), name]
            }
            "--is-upgrade" | "--skip-schema-validation" => vec![flag.to_owned()],
            "--set" | "--set-string" | "--set-json" | "--set-literal" | "--kube-version"
            | "--api-versions" | "--namespace" => {
                vec![flag.to_owned(), lines.next()?.to_owned()]
            }
            // What is left out shows less.
            "--skip-tests" | "--no-hooks" | "--include-crds" => continue,
            "--show-only" => {
                lines.next();
                continue;
            }
            _ => return None,
        };
        case.flags.push(words);
    }
    Some(case)
}

/// Makes one change somewhere in `node`: what to put over it. Inside a list nothing is merged, and
/// `whole` values are asked for.
fn change(dice: &mut Dice, node: &Node, whole: bool) -> Node {
    match node {
        Node::Map(map) if !map.is_empty() && dice.percent(96) => {
            let keys: Vec<_> = map.keys().collect();
            let key = keys[dice.below(keys.len())];
            let child = map.get(key).unwrap_or(&Node::Null);
            let mut changed = if whole { map.clone() } else { Map::new() };
            match dice.percent(4) {
                true => changed.insert("unknownKey", other(dice)),
                false => changed.insert(key.clone(), change(dice, child, whole)),
            };
            Node::Map(changed)
        }
        Node::List(_) if dice.percent(85) => {
            let mut items = node.as_list().unwrap_or_default().to_vec();
            let at = dice.below(items.len());
            match dice.below(6) {
                0 | 1 if !items.is_empty() => items[at] = change(dice, &items[at], true),
                2 if !items.is_empty() => {
                    items.remove(at);
                }
                3 if !items.is_empty() => items.push(items[at].clone()),
                4 if !items.is_empty() => items.swap(at, 0),
                _ => items.push(other(dice)),
            }
            Node::list(items)
        }
        Node::Bool(value) if dice.percent(97) => Node::Bool(!value),
        Node::Int(_) | Node::Uint(_) | Node::Float(_) if dice.percent(90) => number(dice),
        Node::String(_) if dice.percent(88) => text(dice),
        _ => other(dice),
    }
}

/// Any value.
fn other(dice: &mut Dice) -> Node {
    let short = |dice: &mut Dice| dice.pick(words::WORDS).to_owned();
    match dice.below(12) {
        0..=2 => Node::Null,
        3 => Node::Bool(dice.one_in(2)),
        4 => number(dice),
        5 | 6 => text(dice),
        7 => Node::list(Vec::<Node>::new()),
        8 => Node::list([text(dice), number(dice)]),
        9 => Node::map(),
        10 => {
            let (key, inner) = (short(dice), short(dice));
            let mut map = Map::new();
            map.insert(key, text(dice));
            map.insert("nested", Node::map());
            if let Some(nested) = map.get_mut("nested").and_then(Node::as_map_mut) {
                nested.insert(inner, number(dice));
            }
            Node::Map(map)
        }
        _ => {
            let mut map = Map::new();
            map.insert("name", short(dice));
            map.insert("value", text(dice));
            Node::list([Node::Map(map)])
        }
    }
}

fn number(dice: &mut Dice) -> Node {
    match dice.below(10) {
        0 => Node::Int(0),
        1 => Node::Int(-1),
        2 => Node::Int(1),
        3 => Node::Int(3),
        4 => Node::Int(65_536),
        5 => Node::Int(2_147_483_648),
        6 => Node::Int(9_007_199_254_740_993),
        7 => Node::Float(1.5),
        8 => Node::Float(1e21),
        _ => Node::Float(-0.25),
    }
}

fn text(dice: &mut Dice) -> Node {
    const TEMPLATES: &[&str] = &[
        "{{ .Release.Name }}",
        "{{ .Values.nope }}-x",
        "{{ .Chart.Name | upper }}",
        "{{ include \"nope\" . }}",
        "{{",
        "{{ toYaml .Values.global }}",
    ];
    match dice.below(16) {
        0 => Node::from(dice.pick(TEMPLATES)),
        1..=6 => {
            Node::from(dice.pick(&["1.2.3", "v9.0.0-rc.1", "5m", "128Mi", "ClusterIP", "Always"]))
        }
        7..=14 => Node::from(dice.pick(words::WORDS)),
        _ => Node::from(dice.pick(words::TEXTS)),
    }
}

fn put_over(values: &mut Map, over: Map) {
    for (key, value) in over.iter() {
        match (values.get_mut(key), value) {
            (Some(Node::Map(old)), Node::Map(new)) => put_over(old, new.clone()),
            _ => {
                values.insert(key.clone(), value.clone());
            }
        }
    }
}

/// A render: a base with changes.
fn make(dice: &mut Dice, subject: &Subject) -> Case {
    let base = &subject.bases[dice.below(subject.bases.len())];
    let mut changes = Map::new();
    for _ in 0..dice.between(1, CHANGES_MAX) {
        if let Node::Map(over) = change(dice, &Node::Map(base.values.clone()), false) {
            put_over(&mut changes, over);
        }
    }
    let mut case = base.case.clone();
    let name = "values/changes.json".to_owned();
    let text = object::json::to_string_pretty(&Node::Map(changes), 1);
    case.files.insert(name.clone(), text);
    case.flags.push(vec!["-f".to_owned(), name]);
    case
}

/// The lines of some texts that are the same in all of them; none where they have not even as many.
fn steady(texts: &[String]) -> Option<Vec<Option<&str>>> {
    let first: Vec<&str> = texts.first()?.lines().collect();
    let mut kept: Vec<Option<&str>> = first.into_iter().map(Some).collect();
    for text in &texts[1..] {
        if text.lines().count() != kept.len() {
            return None;
        }
        for (line, kept) in text.lines().zip(&mut kept) {
            if *kept != Some(line) {
                *kept = None;
            }
        }
    }
    Some(kept)
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

/// What came of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Same,
    /// What is known to differ.
    Known,
    /// The same but for lines that differ from run to run of the tool.
    SameWhereSteady,
    /// The tool puts its lines in another order every time, and these are the same.
    SameLines,
    /// The tool's runs have little in common.
    Unsteady,
    Differs(Difference),
}

fn compare(ours: &Verdict, subject: &Subject, case: &Case, tool: &Tool) -> (Outcome, Verdict) {
    let theirs = tool.render_at(&subject.path, case);
    let Some(difference) = check::difference(ours, &theirs) else {
        return (Outcome::Same, theirs);
    };
    if known::is_known(difference, ours, &theirs) {
        return (Outcome::Known, theirs);
    }
    let runs: Vec<Verdict> = (1..RUNS)
        .map(|_| tool.render_at(&subject.path, case))
        .chain([theirs.clone()])
        .collect();
    if runs
        .iter()
        .any(|run| check::difference(ours, run).is_none())
    {
        return (Outcome::SameLines, theirs);
    }
    let texts: Option<Vec<String>> = runs
        .iter()
        .map(|run| match run {
            Verdict::Rendered(text) => Some(text.clone()),
            _ => None,
        })
        .collect();
    let (Difference::Output, Some(texts), Verdict::Rendered(ours)) = (difference, texts, ours)
    else {
        // Which of several mistakes is told may be random, too.
        let steady = runs
            .iter()
            .all(|run| check::difference(run, &theirs).is_none());
        return match steady {
            true => (Outcome::Differs(difference), theirs),
            false => (Outcome::Unsteady, theirs),
        };
    };
    let outcome = match steady(&texts) {
        Some(kept) => {
            let lines: Vec<&str> = ours.lines().collect();
            let fits = |(kept, line): (&Option<&str>, &&str)| kept.is_none_or(|kept| kept == *line);
            match lines.len() == kept.len() && kept.iter().zip(&lines).all(fits) {
                true => Outcome::SameWhereSteady,
                false if kept.iter().all(Option::is_some) => Outcome::Differs(difference),
                false if sorted(ours) == sorted(&texts[0]) => Outcome::SameLines,
                false => Outcome::Differs(difference),
            }
        }
        None if sorted(ours) == sorted(&texts[0]) => Outcome::SameLines,
        None => Outcome::Unsteady,
    };
    (outcome, theirs)
}

/// Drops changes that a difference does not need.
fn shrink(subject: &Subject, case: &Case, outcome: Outcome, tool: &Tool) -> Case {
    const NAME: &str = "values/changes.json";
    let mut case = case.clone();
    let differs = |case: &Case| {
        let ours = check::ours_of(&subject.chart, case, &Programs::default());
        compare(&ours, subject, case, tool).0 == outcome
    };
    let limits = object::json::OBJECT_LIMITS;
    let read = object::json::parse(case.files[NAME].as_bytes(), limits);
    let Ok(mut changes) = read else { return case };
    for path in leaves(&changes) {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let before = changes.clone();
        changes.remove(&path);
        let mut smaller = case.clone();
        let text = object::json::to_string_pretty(&changes, 1);
        smaller.files.insert(NAME.to_owned(), text);
        match differs(&smaller) {
            true => case = smaller,
            false => changes = before,
        }
    }
    for at in (0..case.flags.len()).rev() {
        let mut smaller = case.clone();
        smaller.flags.remove(at);
        if differs(&smaller) {
            case = smaller;
        }
    }
    case
}

/// The paths of what is no map.
fn leaves(node: &Node) -> Vec<Vec<String>> {
    let Node::Map(map) = node else {
        return vec![Vec::new()];
    };
    let mut paths = Vec::new();
    for (key, value) in map.iter() {
        for mut path in leaves(value) {
            path.insert(0, key.to_string());
            paths.push(path);
        }
    }
    paths
}

/// The first lines that differ.
fn first_difference(ours: &Verdict, theirs: &Verdict) -> String {
    let (Verdict::Rendered(ours), Verdict::Rendered(theirs)) = (ours, theirs) else {
        return format!("ours: {ours:?}\ntool: {theirs:?}\n");
    };
    let (ours, theirs): (Vec<&str>, Vec<&str>) = (ours.lines().collect(), theirs.lines().collect());
    let at = ours
        .iter()
        .zip(&theirs)
        .position(|(one, other)| one != other);
    let at = at.unwrap_or(ours.len().min(theirs.len()));
    let part = |lines: &[&str]| {
        let lines = &lines[at.saturating_sub(2)..(at + 4).min(lines.len())];
        lines.join("\n")
    };
    format!(
        "--- ours\n{}\n--- tool, line {}\n{}\n",
        part(&ours),
        at + 1,
        part(&theirs)
    )
}

#[test]
fn charts_of_the_corpus_render_as_with_the_tool_whatever_their_values() {
    let (Some(program), Some(corpus)) = (testkit::reference_tool("helm4"), testkit::corpus("helm"))
    else {
        return;
    };
    let subjects = subjects(&corpus);
    assert!(subjects.len() > 30, "only {} charts", subjects.len());
    let count = asked("FLEETWRIGHT_RANDOM_VALUES", RENDERS);
    let first = asked("FLEETWRIGHT_RANDOM_SEED", super::SEED);
    let next = AtomicU64::new(0);
    let outcomes = Mutex::new(BTreeMap::<(bool, Outcome), u64>::new());
    let found = Mutex::new(Vec::new());
    let programs = Programs::default();
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let (next, outcomes, found) = (&next, &outcomes, &found);
            let (program, subjects, programs) = (&program, &subjects, &programs);
            scope.spawn(move || {
                let tool = Tool::new(program, &format!("corpus-{worker}"));
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= count {
                        return;
                    }
                    let seed = first + at;
                    let dice = &mut Dice::new(seed);
                    let subject = &subjects[dice.below(subjects.len())];
                    let case = make(dice, subject);
                    let ours = check::ours_of(&subject.chart, &case, programs);
                    let (outcome, theirs) = compare(&ours, subject, &case, &tool);
                    let rendered = matches!(theirs, Verdict::Rendered(_));
                    let mut outcomes = outcomes.lock().expect("no worker panics");
                    *outcomes.entry((rendered, outcome)).or_default() += 1;
                    drop(outcomes);
                    if let Outcome::Differs(_) | Outcome::Unsteady = outcome {
                        eprintln!("seed {seed}: {} {outcome:?}", subject.name);
                    }
                    if let Outcome::Differs(_) = outcome {
                        found
                            .lock()
                            .expect("no worker panics")
                            .push((seed, subject, case, outcome));
                    }
                }
            });
        }
    });
    for ((rendered, outcome), count) in outcomes.into_inner().expect("no worker panics") {
        let what = if rendered { "rendered" } else { "refused" };
        eprintln!("{count:6} {what} by the tool: {outcome:?}");
    }
    let mut found = found.into_inner().expect("no worker panics");
    found.sort_by_key(|one| one.0);
    let tool = Tool::new(&program, "corpus-shrink");
    let shown = asked("FLEETWRIGHT_RANDOM_SHOWN", super::SHOWN_MAX);
    let texts: Vec<String> = found
        .iter()
        .take(shown as usize)
        .map(|(seed, subject, case, outcome)| {
            let case = shrink(subject, case, *outcome, &tool);
            let ours = check::ours_of(&subject.chart, &case, &programs);
            let theirs = tool.render_at(&subject.path, &case);
            let lines = first_difference(&ours, &theirs);
            let name = &subject.name;
            let flags: Vec<String> = case.flags.iter().map(|flag| flag.join(" ")).collect();
            let changes = &case.files["values/changes.json"];
            format!(
                "=== seed {seed}: {name} {outcome:?}\n{}\n{changes}\n{lines}",
                flags.join("\n")
            )
        })
        .collect();
    assert!(
        found.is_empty(),
        "{} of {count} renders differ\n{}",
        found.len(),
        texts.join("\n")
    );
}
