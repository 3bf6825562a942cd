//! Renders that come one after another print what each would print alone.
//!
//! Values, the clock, the dice and the cluster change between them, in random charts and in public
//! ones. `FLEETWRIGHT_RANDOM_CHANGES` says in how many random charts.

use std::cell::Cell;
use std::sync::Arc;

use golang::Timestamp;
use helm::{Chart, Engine, Manifests, Options, Profile, Programs, Renders, UserValues, ValuesFile};
use object::{Map, Node, Object, ObjectKey};
use testkit::Dice;
use tree::{Missing, SourceRef, Tree, World};

use crate::random::{chart, check, functions};
use crate::support;

/// Random charts when nobody asks for more.
const CHARTS: u64 = 200;

/// Renders of each chart.
const ROUNDS: usize = 5;

/// A world that is another one at times.
struct Moving {
    now: i64,
    seed: u8,
    has_object: bool,
}

impl World for Moving {
    fn tree(&self, at: &SourceRef) -> Result<Tree, Missing> {
        tree::Isolated.tree(at)
    }

    fn lookup(&self, key: &ObjectKey) -> Option<Object> {
        let text = format!(
            r#"{{"apiVersion": "v1", "kind": "{}", "metadata": {{"name": "{}"}}, "data": {{"a": "b"}}}}"#,
            key.kind, key.name
        );
        let node = object::json::parse(text.as_bytes(), object::json::OBJECT_LIMITS).ok()?;
        self.has_object.then(|| Object::new(node))
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.now)
    }

    fn seed(&self) -> [u8; 32] {
        [self.seed; 32]
    }
}

/// One chart rendered again and again.
struct Story<'a> {
    chart: &'a Arc<Chart>,
    options: &'a Options,
    programs: &'a Programs,
    renders: Renders,
    /// Templates that were executed, of those that could have been.
    executed: usize,
    executable: usize,
}

impl Story<'_> {
    fn render(&mut self, user: &UserValues, world: &Moving, about: &str) {
        let engine = Engine {
            programs: self.programs,
            world,
        };
        let (chart, options) = (self.chart, self.options);
        let (mut theirs, mut ours) = (Vec::new(), Vec::new());
        let full = helm::render(chart, user, &check::read, options, &engine, &mut theirs);
        let full = full.map_err(|error| error.to_string());
        let again = self
            .renders
            .render(chart, user, &check::read, options, &engine, &mut ours);
        let again = again.map_err(|error| error.to_string());
        if let Some(difference) = difference(&full, &again) {
            panic!("{about}, {:?}: {difference}", user.files.last());
        }
        assert_eq!(theirs, ours, "{about}: {user:?}");
        self.executed += self.renders.executed();
        self.executable += chart.templates.len();
    }
}

/// The first thing that is not the same.
fn difference(
    full: &Result<Manifests, String>,
    again: &Result<Manifests, String>,
) -> Option<String> {
    if full == again {
        return None;
    }
    let (Ok(full), Ok(again)) = (full, again) else {
        return Some(format!(
            "{:?}\n{:?}",
            full.as_ref().err(),
            again.as_ref().err()
        ));
    };
    let mut pairs = full.manifests.iter().zip(&again.manifests);
    let different = pairs.find(|(full, again)| full != again);
    Some(match different {
        Some((full, again)) => format!("{}\n{}\n{}", full.path, full.content, again.content),
        None => "other hooks, notes, or a manifest more".to_owned(),
    })
}

/// A values file that changes one thing of what the values are.
fn change(values: &Map, dice: &mut Dice) -> Node {
    let keys: Vec<_> = values.iter().map(|(key, _)| key.clone()).collect();
    let key = match dice.one_in(12) {
        true => None,
        false => dice.choose(&keys).cloned(),
    };
    let Some(key) = key else {
        return single("added", replacement(None, dice));
    };
    let new = match values.get(&key) {
        Some(Node::Map(inside)) if !inside.is_empty() && !dice.one_in(10) => change(inside, dice),
        old => replacement(old, dice),
    };
    single(&key, new)
}

fn single(key: &str, value: Node) -> Node {
    let mut map = Map::new();
    map.insert(key, value);
    Node::Map(map)
}

/// Something else of the same kind, or of another.
fn replacement(old: Option<&Node>, dice: &mut Dice) -> Node {
    match old {
        Some(Node::List(items)) if !dice.one_in(4) => {
            let mut items = items.to_vec();
            match dice.below(3) {
                0 => {
                    items.pop();
                }
                1 => items.push(items.last().cloned().unwrap_or_else(|| Node::from("new"))),
                _ => {
                    if let Some(item) = items.last_mut() {
                        *item = replacement(Some(&item.clone()), dice);
                    }
                }
            }
            items.into()
        }
        Some(Node::Map(map)) if !dice.one_in(3) => change(map, dice),
        Some(Node::Bool(value)) if !dice.one_in(4) => Node::Bool(!value),
        Some(Node::String(text)) if !dice.one_in(4) => Node::from(format!("{text}x").as_str()),
        Some(Node::Int(number)) if !dice.one_in(4) => Node::Int(number + 1),
        Some(Node::Float(number)) if !dice.one_in(4) => Node::Float(number + 1.0),
        _ => match dice.below(6) {
            0 => Node::Null,
            1 => Node::Bool(dice.one_in(2)),
            2 => Node::Int(dice.below(3) as i64),
            3 => Node::from(dice.pick(&["", "a", "b"])),
            4 => vec![Node::from("a")].into(),
            _ => single("a", Node::Int(1)),
        },
    }
}

fn file(node: &Node) -> ValuesFile {
    ValuesFile {
        name: "changed.yaml".to_owned(),
        content: object::json::to_string(node).into_bytes().into(),
    }
}

/// Renders with one change after the other, going back at times.
fn tell(story: &mut Story<'_>, user: &UserValues, dice: &mut Dice, about: &str) {
    let mut user = user.clone();
    let given = user.files.len();
    let mut world = Moving {
        now: 1_700_000_000,
        seed: 7,
        has_object: false,
    };
    for round in 0..ROUNDS {
        let about = format!("{about}, render {round}");
        story.render(&user, &world, &about);
        let options = story.options;
        let prepared = helm::prepare(story.chart, &user, &check::read, options, &mut Vec::new());
        match prepared {
            Ok(scope) if !dice.one_in(4) => user.files.push(file(&change(&scope.values, dice))),
            _ => user
                .files
                .truncate(given.max(user.files.len().saturating_sub(1))),
        }
        match dice.below(12) {
            0 => world.now += 1,
            1 => world.seed += 1,
            2 => world.has_object = !world.has_object,
            _ => {}
        }
    }
}

/// What a template says, what is changed in the values, and whether it is executed again. The values are
/// `{a: {b: 1, c: {d: 2}}, l: [1, {e: 3}], t: "", z: 0}`.
const AGAIN: &[(&str, &str, bool)] = &[
    ("{{ .Values.a.b }}", "{z: 1}", false),
    ("{{ .Values.a.b }}", "{a: {b: 5}}", true),
    ("{{ .Values.a.b }}", "{a: {c: {d: 5}}}", false),
    ("{{ .Values.a.b }}", "{a: {new: 5}}", false),
    ("{{ .Values.a.b }}", "{a: {b: null}}", true),
    ("{{ .Values.missing }}", "{missing: 1}", true),
    ("{{ if .Values.a }}x{{ end }}", "{a: {b: 5}}", false),
    ("{{ if .Values.a }}x{{ end }}", "{a: null}", true),
    ("{{ toYaml .Values.a }}", "{a: {c: {d: 5}}}", true),
    ("{{ toYaml .Values.a }}", "{z: 1}", false),
    ("{{ toYaml .Values.a.c }}", "{a: {b: 5}}", false),
    (
        "{{ range $k, $v := .Values.a }}{{ $k }}{{ end }}",
        "{a: {c: {d: 5}}}",
        false,
    ),
    (
        "{{ range $k, $v := .Values.a }}{{ $k }}{{ end }}",
        "{a: {new: 1}}",
        true,
    ),
    (
        "{{ range .Values.l }}{{ kindOf . }}{{ end }}",
        "{l: [1, {e: 4}]}",
        false,
    ),
    (
        "{{ range .Values.l }}{{ kindOf . }}{{ end }}",
        "{l: [2, {e: 3}]}",
        true,
    ),
    ("{{ len .Values.l }}", "{l: [2, {e: 4}]}", false),
    ("{{ len .Values.l }}", "{l: []}", true),
    ("{{ (index .Values.l 1).e }}", "{l: [1, {e: 4}]}", true),
    ("{{ (last .Values.l).e }}", "{l: [1, {e: 4}]}", true),
    ("{{ (dict \"x\" $).x.Values.a.b }}", "{z: 1}", false),
    ("{{ (dict \"x\" $).x.Values.a.b }}", "{a: {b: 5}}", true),
    (
        "{{ toJson (dict \"x\" .Values.a) }}",
        "{a: {c: {d: 5}}}",
        true,
    ),
    (
        "{{ toJson (list .Values.l .Values.t) }}",
        "{l: [1, {e: 4}]}",
        true,
    ),
    ("{{ include \"h\" . }}", "{a: {c: {d: 5}}}", true),
    ("{{ include \"h\" . }}", "{a: {b: 5}}", false),
    ("{{ tpl \"{{ .Values.a.b }}\" . }}", "{a: {b: 5}}", true),
    ("{{ tpl \"{{ .Values.a.b }}\" . }}", "{z: 1}", false),
    ("{{ get .Values.a \"b\" }}", "{a: {c: {d: 5}}}", false),
    (
        "{{ dig \"c\" \"d\" 0 .Values.a }}",
        "{a: {c: {d: 5}}}",
        true,
    ),
    ("{{ hasKey .Values.a \"x\" }}", "{a: {x: 5}}", true),
    ("{{ .Values.t | default .Values.a.b }}", "{t: x}", true),
    (
        "{{ merge (dict) .Values.a | toYaml }}",
        "{a: {c: {d: 5}}}",
        true,
    ),
    (
        "{{ (merge (dict) .Values.a).b }}",
        "{a: {c: {d: 5}}}",
        false,
    ),
    ("{{ (merge (dict) .Values.a).b }}", "{a: {b: 5}}", true),
    (
        "{{ (merge (dict) .Values.a).c.d }}",
        "{a: {c: {d: 5}}}",
        true,
    ),
    (
        "{{ deepCopy .Values.a | toYaml }}",
        "{a: {c: {d: 5}}}",
        true,
    ),
    (
        "{{ $_ := set .Values.a \"x\" 1 }}{{ .Values.a.b }}",
        "{z: 1}",
        true,
    ),
    (
        "{{ $_ := set (deepCopy .Values.a) \"x\" 1 }}",
        "{z: 1}",
        false,
    ),
    ("{{ $_ := unset .Values \"z\" }}", "{t: x}", true),
    ("{{ $_ := set $ \"x\" 1 }}", "{t: x}", true),
    (
        "{{ $_ := mergeOverwrite .Values.a (dict \"b\" 2) }}",
        "{t: x}",
        true,
    ),
    ("{{ eq .Values.a.b 1.0 }}", "{z: 1}", false),
    ("{{ printf \"%v\" .Values.a.c }}", "{a: {c: {d: 5}}}", true),
    ("{{ .Values.a.c }}", "{a: {c: {d: 5}}}", true),
    ("{{ .Values.PathValue \"a.b\" }}", "{a: {b: 5}}", true),
    (
        "{{ required \"r\" .Values.a | toJson }}",
        "{a: {b: 5}}",
        true,
    ),
    ("{{ .Release.Name }}", "{z: 1}", false),
    ("{{ now }}", "{z: 1}", false),
    ("{{ randAlpha 5 }}", "{z: 1}", false),
];

#[test]
fn a_template_is_executed_again_when_what_it_read_has_changed() {
    const VALUES: &str = r#"{"a": {"b": 1, "c": {"d": 2}}, "l": [1, {"e": 3}], "t": "", "z": 0}"#;
    let mut wrong = Vec::new();
    for (template, change, wanted) in AGAIN {
        let files = [
            ("Chart.yaml", "{apiVersion: v2, name: c, version: 1.0.0}"),
            ("values.yaml", VALUES),
            ("templates/a.txt", template),
            (
                "templates/_h.tpl",
                r#"{{ define "h" }}{{ .Values.a.c.d }}{{ end }}"#,
            ),
        ];
        let chart = support::chart(&files, Profile::Helm4).expect("a chart");
        let programs = Programs::default();
        let mut renders = Renders::default();
        let mut render = |user: &UserValues| {
            let engine = Engine {
                programs: &programs,
                world: &tree::Isolated,
            };
            let options = Options::default();
            // Not every text is a manifest.
            let _ = renders.render(
                &chart,
                user,
                &check::read,
                &options,
                &engine,
                &mut Vec::new(),
            );
            renders.executed()
        };
        assert_eq!(render(&UserValues::default()), 1, "{template}");
        let user = UserValues {
            files: vec![support::values_file("v.yaml", change)],
            ..UserValues::default()
        };
        if (render(&user) == 1) != *wanted {
            wrong.push((template, change));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A file that changes values makes those behind it execute, and no others.
#[test]
fn files_behind_a_change_are_executed() {
    let files = [
        ("Chart.yaml", "{apiVersion: v2, name: c, version: 1.0.0}"),
        ("values.yaml", "{a: 1, b: 2, m: {}}"),
        // Files are executed from the last to the first.
        ("templates/4.yaml", "a: {{ .Values.a }}"),
        (
            "templates/3.yaml",
            "{{ $_ := set .Values.m \"x\" .Values.b }}m: 1",
        ),
        ("templates/2.yaml", "m: {{ .Values.m.x }}"),
        ("templates/1.yaml", "n: 1"),
    ];
    let chart = support::chart(&files, Profile::Helm4).expect("a chart");
    let programs = Programs::default();
    let mut renders = Renders::default();
    for (set, wanted, text) in [
        ("z=1", 4, "m: 2"),
        ("z=2", 3, "m: 2"),
        ("b=5", 3, "m: 5"),
        ("a=2", 4, "m: 2"),
    ] {
        let engine = Engine {
            programs: &programs,
            world: &tree::Isolated,
        };
        let user = UserValues {
            set: vec![set.to_owned()],
            ..UserValues::default()
        };
        let options = Options::default();
        let manifests = renders.render(
            &chart,
            &user,
            &check::read,
            &options,
            &engine,
            &mut Vec::new(),
        );
        let manifests = manifests.expect("manifests").manifests;
        assert_eq!(renders.executed(), wanted, "{set}");
        assert!(
            manifests.iter().any(|manifest| manifest.content == text),
            "{set}"
        );
    }
}

#[test]
fn random_charts_render_again_as_they_would_anew() {
    let asked = std::env::var("FLEETWRIGHT_RANDOM_CHANGES").ok();
    let count = asked.and_then(|text| text.parse().ok()).unwrap_or(CHARTS);
    let calls = functions::table();
    let (executed, executable) = (Cell::new(0), Cell::new(0));
    for seed in 1..=count {
        let dice = &mut Dice::new(seed);
        let case = chart::make(dice, &calls);
        let Ok((chart, user, options)) = check::asked(&case) else {
            continue;
        };
        let programs = Programs::default();
        let mut story = Story {
            chart: &chart,
            options: &options,
            programs: &programs,
            renders: Renders::default(),
            executed: 0,
            executable: 0,
        };
        tell(&mut story, &user, dice, &format!("seed {seed}"));
        executed.set(executed.get() + story.executed);
        executable.set(executable.get() + story.executable);
    }
    eprintln!(
        "{} of {} templates executed",
        executed.get(),
        executable.get()
    );
    assert!(
        executed.get() * 2 < executable.get(),
        "most are not executed again"
    );
}

#[test]
fn public_charts_render_again_as_they_would_anew() {
    let Some(corpus) = testkit::corpus("helm/charts") else {
        return;
    };
    let mut names: Vec<_> = std::fs::read_dir(&corpus)
        .expect("the corpus")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    names.sort();
    for (at, path) in names.iter().enumerate() {
        let Ok(chart) = support::load(path, Profile::Helm4) else {
            continue;
        };
        let programs = Programs::default();
        let mut story = Story {
            chart: &chart,
            options: &Options::default(),
            programs: &programs,
            renders: Renders::default(),
            executed: 0,
            executable: 0,
        };
        let user = UserValues::default();
        let dice = &mut Dice::new(at as u64 + 1);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        tell(&mut story, &user, dice, &name);
        eprintln!(
            "{name}: {} of {} executed",
            story.executed, story.executable
        );
    }
}

/// Another chart with the same templates is another chart.
#[test]
fn files_that_templates_read_count() {
    let programs = Programs::default();
    let mut renders = Renders::default();
    for text in ["one", "two"] {
        let files = [
            ("Chart.yaml", "{apiVersion: v2, name: c, version: 1.0.0}"),
            ("templates/a.yaml", "text: {{ .Files.Get \"f\" }}"),
            ("f", text),
        ];
        let chart = support::chart(&files, Profile::Helm4).expect("a chart");
        let engine = Engine {
            programs: &programs,
            world: &tree::Isolated,
        };
        let (user, options) = (UserValues::default(), Options::default());
        let manifests = renders.render(
            &chart,
            &user,
            &check::read,
            &options,
            &engine,
            &mut Vec::new(),
        );
        let manifests = manifests.expect("manifests").manifests;
        assert_eq!(manifests[0].content, format!("text: {text}"));
    }
}
