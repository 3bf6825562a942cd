//! One line per behaviour: an operation on an object, and the object after it or the error.

use component::patch::{Dialect, Operation, OperationTemplate, Target, Verb, apply};
use component::template::{Context, Engine, Meter, TemplateError};
use object::Node;

fn json(text: &str) -> Node {
    object::json::parse(text.as_bytes(), object::json::OBJECT_LIMITS)
        .unwrap_or_else(|error| panic!("{error}: {text}"))
}

const OBJECT: &str = r#"{"spec": {"containers": [
    {"name": "app", "role": "x", "env": [{"name": "A"}]},
    {"name": "side", "role": "x"},
    {"name": "last", "role": "y", "env": null}
], "n": 1, "m": {"a": {"b": 1}, "k": 2}, "l": [1, 2]}}"#;

fn run(verb: &str, path: &str, value: &str, dialect: Dialect) -> String {
    let mut object = json(OBJECT);
    let operation = Operation {
        verb: Verb::parse(verb).expect("is a verb"),
        path: path.into(),
        value: (!value.is_empty()).then(|| json(value)),
    };
    match apply(&mut object, &operation, dialect) {
        Ok(()) => {
            let spec = object.get_mut("spec").expect("nobody removes it");
            // Only what the operation changed.
            let before = json(OBJECT);
            let map = spec.as_map_mut().expect("stays a map");
            map.retain(|key, value| before.at(&["spec", key]) != Some(value));
            object::json::to_string(spec)
        }
        Err(error) => {
            assert_eq!(object, json(OBJECT), "a failed operation changes nothing");
            format!("error: {}", error.kind)
        }
    }
}

/// Checks lines of `verb path [value] => outcome`, the outcome without what stayed the same.
fn check(table: &str) {
    let mut wrong = String::new();
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (call, expected) = line
            .split_once(" => ")
            .expect("a line is `call => outcome`");
        let mut words = call.splitn(3, ' ');
        let (verb, path) = (words.next().expect("a verb"), words.next().expect("a path"));
        let found = run(
            verb,
            path,
            words.next().unwrap_or_default(),
            Dialect::Current,
        );
        if found != expected {
            wrong.push_str(&format!(
                "{call}\n  expected {expected}\n  found    {found}\n"
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn add_sets_inserts_appends_and_makes_parents() {
    check(
        r#"
        add /spec/n 2 => {"n":2}
        add spec/n 2 => {"n":2}
        add /spec/n => {"n":null}
        add /spec/new/deep/key 1 => {"new":{"deep":{"key":1}}}
        add /spec/new/- 1 => {"new":[1]}
        add /spec/new/0 1 => error: `0` needs a list, and `/spec/new` is absent
        add /spec/new/[0]/x 1 => error: `0` needs a list, and `/spec/new` is absent
        add /spec/l/0 0 => {"l":[0,1,2]}
        add /spec/l/[1] 3 => {"l":[1,3,2]}
        add /spec/l/[2] 3 => error: position 2 is outside of `/spec/l`, which has 2 items
        add /spec/l/3 0 => error: position 3 is outside of `/spec/l`, which has 2 items
        add /spec/l[-] 3 => {"l":[1,2,3]}
        add /spec/l[0] 0 => {"l":[0,1,2]}
        add //spec//n/ 2 => {"n":2}
        add /spec/l/- 3 => {"l":[1,2,3]}
        add /spec/l/[-] 3 => {"l":[1,2,3]}
        add /spec/l/-/x 3 => error: there is nothing at the end of `/spec/l`
        add /spec/l/x 3 => error: key `x` needs a map, and `/spec/l` is list
        add /spec/m/- 3 => error: `-` needs a list, and `/spec/m` is map
        add /spec/n/x 3 => error: key `x` needs a map, and `/spec/n` is int
        add /spec/m/a~1b~0c 3 => {"m":{"a":{"b":1},"k":2,"a/b~c":3}}
        add /spec/m/1 3 => error: `1` needs a list, and `/spec/m` is map
        "#,
    );
}

#[test]
fn replace_and_remove_need_what_they_change() {
    check(
        r#"
        replace /spec/n 2 => {"n":2}
        replace /spec/x 2 => error: there is no key `x` in `/spec`, which has `containers`, `n`, `m`, `l`
        replace /spec/x/y 2 => error: there is no key `x` in `/spec`, which has `containers`, `n`, `m`, `l`
        replace /spec/l/1 5 => {"l":[1,5]}
        replace /spec/l/2 5 => error: position 2 is outside of `/spec/l`, which has 2 items
        replace /spec/l/- 5 => error: there is nothing at the end of `/spec/l`
        remove /spec/n => {}
        remove /spec/x => {}
        remove /spec/x/y => error: there is no key `x` in `/spec`, which has `containers`, `n`, `m`, `l`
        remove /spec/l/0 => {"l":[2]}
        remove /spec/l/2 => error: position 2 is outside of `/spec/l`, which has 2 items
        remove /spec/l/- => error: there is nothing at the end of `/spec/l`
        "#,
    );
}

#[test]
fn merges_are_shallow() {
    check(
        r#"
        mergeShallow /spec/m {"a":{"c":1},"z":1} => {"m":{"a":{"c":1},"k":2,"z":1}}
        mergeShallow /spec/new {"a":1} => {"new":{"a":1}}
        mergeShallow /spec/new/deep {"a":1} => {"new":{"deep":{"a":1}}}
        mergeShallow /spec/n {"a":1} => {"n":{"a":1}}
        mergeShallow /spec/l/0 {"a":1} => {"l":[{"a":1},2]}
        mergeShallow /spec/l/- {"a":1} => error: there is nothing at the end of `/spec/l`
        mergeShallow /spec/m 1 => error: only a map can be merged, not int
        mergeShallow /spec/m => error: only a map can be merged, not null
        mergeShallow /spec/containers/[?(@.name=='nope')] {"a":1} => {}
        mergeShallow /spec/containers/[?(@.name=='last')] {"role":"z"} => {"containers":[{"name":"app","role":"x","env":[{"name":"A"}]},{"name":"side","role":"x"},{"name":"last","role":"z","env":null}]}
        "#,
    );
}

#[test]
fn filters_pick_every_item_that_matches() {
    check(
        r#"
        add /spec/containers/[?(@.name=='app')]/env/- 1 => {"containers":[{"name":"app","role":"x","env":[{"name":"A"},1]},{"name":"side","role":"x"},{"name":"last","role":"y","env":null}]}
        add /spec/containers/[?(@.role=='x')]/t 1 => {"containers":[{"name":"app","role":"x","env":[{"name":"A"}],"t":1},{"name":"side","role":"x","t":1},{"name":"last","role":"y","env":null}]}
        add /spec/containers/[?(@.name=="last")]/env/- 1 => {"containers":[{"name":"app","role":"x","env":[{"name":"A"}]},{"name":"side","role":"x"},{"name":"last","role":"y","env":[1]}]}
        add /spec/containers/[*]/env/- 1 => {"containers":[{"name":"app","role":"x","env":[{"name":"A"},1]},{"name":"side","role":"x","env":[1]},{"name":"last","role":"y","env":[1]}]}
        remove /spec/containers/[?(@.role=='x')] => {"containers":[{"name":"last","role":"y","env":null}]}
        remove /spec/containers/[*] => {"containers":[]}
        remove /spec/containers[?(@.role=='x')] => {"containers":[{"name":"last","role":"y","env":null}]}
        remove /spec/containers[?(@.env=='')] => {"containers":[{"name":"app","role":"x","env":[{"name":"A"}]},{"name":"side","role":"x"}]}
        remove /spec/containers/[*]/env/[?(@.name=='A')] => error: `[?(@.name=='A')]` needs a list, and `/spec/containers/1/env` is absent
        replace /spec/containers/[?(@.name=='nope')]/image 1 => error: `[?(@.name=='nope')]` matches nothing in `/spec/containers`, which has `app`, `side`, `last`
        replace /spec/containers/[?(@.x.y=='1')]/image 1 => error: `[?(@.x.y=='1')]` matches nothing in `/spec/containers`, which has `app`, `side`, `last`
        replace /spec/m/[?(@.name=='a')] 1 => error: `[?(@.name=='a')]` needs a list, and `/spec/m` is map
        add /spec/m/[*] 1 => error: `[*]` needs a list, and `/spec/m` is map
        add /spec/none/[*] 1 => error: `[*]` needs a list, and `/spec/none` is absent
        "#,
    );
    // Numbers and booleans are compared as they are printed.
    let mut ports = json(r#"{"ports": [{"port": 80}, {"port": 81, "tls": true}]}"#);
    for path in ["/ports[?(@.port=='80')]/a", "/ports[?(@.tls=='true')]/b"] {
        let operation = Operation {
            verb: Verb::Add,
            path: path.into(),
            value: Some(json("1")),
        };
        apply(&mut ports, &operation, Dialect::Current).expect("matches");
    }
    let changed = r#"{"ports": [{"port": 80, "a": 1}, {"port": 81, "tls": true, "b": 1}]}"#;
    assert_eq!(ports, json(changed));
    let legacy = run("add", "/spec/m/[?(@.name=='a')]/x", "1", Dialect::Legacy);
    assert_eq!(
        legacy,
        "error: `[?(@.name=='a')]` matches nothing in `/spec/m`, which has no items to choose from"
    );
}

#[test]
fn paths_that_are_none_are_refused() {
    check(
        r#"
        add / 1 => error: the path is empty
        add /spec/[x] 1 => error: `[x]` is no position, `[-]`, `[*]` or filter `[?(@.key=='text')]`
        add /spec/[] 1 => error: `[]` is no position, `[-]`, `[*]` or filter `[?(@.key=='text')]`
        add /spec/[99999999999999999999] 1 => error: `[99999999999999999999]` is no position, `[-]`, `[*]` or filter `[?(@.key=='text')]`
        add /spec/[?(@.a=='x]')] 1 => error: `[?(@.a=='x]')]` is no position, `[-]`, `[*]` or filter `[?(@.key=='text')]`
        add /spec/[?(@.a>1)] 1 => error: `[?(@.a>1)]` is no position, `[-]`, `[*]` or filter `[?(@.key=='text')]`
        add /spec/[?(@.a..b=='x')] 1 => error: `[?(@.a..b=='x')]` is no position, `[-]`, `[*]` or filter `[?(@.key=='text')]`
        "#,
    );
    let long = "/a".repeat(201);
    let found = run("add", &long, "1", Dialect::Current);
    assert_eq!(
        found,
        "error: the path is longer than 4096 bytes or 200 segments"
    );
}

#[test]
fn secrets_are_in_no_message() {
    let context = Context::default()
        .with("p", &json(r#"{"password": "hunter2-hunter2"}"#))
        .conceal("p", ["password"]);
    let mut object = json(
        r#"{"env": [{"name": "A", "value": "hunter2-hunter2"}, {"name": "B", "value": "aHVudGVyMi1odW50ZXIy"}]}"#,
    );
    for path in [
        "/env/[?(@.value=='nope')]",
        "/env/[?(@.value=='hunter2-hunter2x')]",
        "/env/hunter2-hunter2",
        "/hunter2-hunter2/x",
        "/env/[hunter2-hunter2]",
    ] {
        let operation = Operation {
            verb: Verb::Replace,
            path: path.into(),
            value: None,
        };
        let error = apply(&mut object, &operation, Dialect::Current).expect_err(path);
        let shown = format!("{0} {0:?}", error.masked(&context));
        assert!(
            !shown.contains("hunter2") && !shown.contains("aHVudGVyM"),
            "{shown}"
        );
        assert!(shown.contains("***"), "{shown}");
    }
}

#[test]
fn no_path_panics() {
    let pieces = [
        "/",
        "/",
        "spec",
        "containers",
        "[?(@.name=='app')]",
        "[*]",
        "[-]",
        "-",
        "0",
        "1",
        "[2]",
        "env",
        "l",
        "m",
        "~1",
        "~0",
        "[",
        "]",
        "'",
        "n",
        "ü",
        "[?(@.",
        "')]",
        "",
    ];
    let mut dice = testkit::Dice::new(11);
    let mut object = json(OBJECT);
    for _ in 0..20_000 {
        let operation = Operation {
            verb: *dice
                .choose(&[Verb::Add, Verb::Replace, Verb::Remove, Verb::MergeShallow])
                .expect("there are some"),
            path: (0..dice.between(0, 10))
                .map(|_| dice.pick(&pieces))
                .collect::<String>()
                .into(),
            value: dice.one_in(2).then(|| json(r#"{"name": "x"}"#)),
        };
        let dialect = if dice.one_in(2) {
            Dialect::Legacy
        } else {
            Dialect::Current
        };
        let _ = apply(&mut object, &operation, dialect).map_err(|error| error.to_string());
        if dice.one_in(20) {
            object = json(OBJECT);
        }
    }
}

#[test]
fn targets_match_by_group_version_and_kind() {
    let object = json(r#"{"apiVersion": "apps/v1", "kind": "Deployment"}"#);
    let core = json(r#"{"apiVersion": "v1", "kind": "Deployment"}"#);
    for (group, version, kind, of_apps, of_core) in [
        ("apps", "v1", "Deployment", true, false),
        ("", "v1", "Deployment", true, true),
        ("batch", "v1", "Deployment", false, false),
        ("apps", "v2", "Deployment", false, false),
        ("apps", "v1", "Service", false, false),
        ("", "", "Deployment", true, true),
    ] {
        let target = Target {
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
        };
        let found = (target.matches(&object), target.matches(&core));
        assert_eq!(found, (of_apps, of_core), "{target}");
    }
}

#[test]
fn operations_are_rendered_before_they_are_applied() {
    let engine = Engine::default();
    let context = Context::default().with("c", "app");
    let render = |path: &str, value: Option<&str>| {
        let value = value.map(json);
        let template = OperationTemplate::new(&engine, Verb::Add, path, value.as_ref());
        template.render(&context, &mut Meter::default())
    };
    let operation = render(
        "/spec/[?(@.name=='${c}')]/-",
        Some(r#"{"a": "${c}", "b": "${oc_omit()}"}"#),
    );
    let operation = operation.expect("renders");
    assert_eq!(operation.path, "/spec/[?(@.name=='app')]/-");
    assert_eq!(operation.value, Some(json(r#"{"a": "app"}"#)));
    let texts = |errors: Vec<TemplateError>| -> Vec<String> {
        errors.iter().map(|error| error.to_string()).collect()
    };
    assert_eq!(
        texts(render("/${nope}", Some(r#"{"a": ["${nope}"]}"#)).unwrap_err()),
        [
            "path: there is no variable `nope`; there are `c` (in `${nope}`)",
            "value.a[0]: there is no variable `nope`; there are `c` (in `${nope}`)",
        ]
    );
    assert_eq!(
        texts(render("/x", Some(r#""${oc_omit()}""#)).unwrap_err()),
        ["value: there must be a value, and all of it is omitted (in `${oc_omit()}`)"]
    );
    assert_eq!(
        texts(render("${1}", None).unwrap_err()),
        ["path: must give text, not int (in `${1}`)"]
    );
}
