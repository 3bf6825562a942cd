//! What a set is after several texts, and from several threads.

use std::sync::Arc;
use std::thread;

use gotemplate::{Context, Functions, Limits, MissingKey, Set, Str, Value};

use crate::fixture::{Nowhere, functions};

fn execute(set: &Arc<Set>, name: &str) -> String {
    let mut host = ();
    let mut context = Context::new(set, &Nowhere, &mut host, Limits::default());
    let mut out = Vec::new();
    match context.execute(name.as_bytes(), &Value::Nil, &mut out) {
        Ok(()) => String::from_utf8_lossy(&out).into_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn later_definitions_replace_earlier_ones_unless_they_are_empty() {
    let mut set = Set::new("gotpl", Arc::new(Functions::default()), MissingKey::Zero);
    for (file, text) in [
        (
            "a",
            r#"{{ define "one" }}1 of a{{ end }}{{ define "two" }}2 of a{{ end }}"#,
        ),
        (
            "b",
            r#"{{ define "one" }}1 of b{{ end }}{{ define "two" }} {{/* none */}} {{ end }}b: {{ template "one" }}"#,
        ),
        (
            "c",
            r#"{{ define "b" }}b of c{{ end }}{{ template "two" }}"#,
        ),
        ("d", "  \n"),
    ] {
        set.parse(file, text).expect("it parses");
    }
    let failed = set.parse("e", r#"{{ define "one" }}1 of e{{ end }}{{ end }}"#);
    assert_eq!(
        failed.map_err(|error| error.to_string()),
        Err("template: e:1: unexpected {{end}}".to_owned())
    );
    let set = Arc::new(set);
    for (name, expected) in [
        ("one", "1 of b"),
        ("two", "2 of a"),
        ("a", ""),
        ("b", "b of c"),
        ("c", "2 of a"),
        ("d", "  \n"),
        (
            "e",
            r#"template: no template "e" associated with template "gotpl""#,
        ),
    ] {
        assert_eq!(execute(&set, name), expected, "{name}");
    }
}

#[test]
fn errors_tell_the_file_and_the_template() {
    let mut set = Set::new("gotpl", Arc::new(functions()), MissingKey::Zero);
    set.parse(
        "lib.tpl",
        "\n{{ define \"x.y\" }}\n\n {{ fail \"no\" }}{{ end }}",
    )
    .expect("it parses");
    set.parse("main.yaml", "{{ template \"x.y\" }}")
        .expect("it parses");
    assert_eq!(
        execute(&Arc::new(set), "main.yaml"),
        r#"template: lib.tpl:4:4: executing "x.y" at <fail "no">: error calling fail: no"#
    );
}

#[test]
fn a_text_parsed_while_executing_is_seen_by_all_while_it_runs() {
    let mut set = Set::new("gotpl", Arc::new(functions()), MissingKey::Zero);
    set.parse(
        "lib",
        r#"{{ define "inner" }}old{{ end }}{{ define "outer" }}<{{ template "inner" }}>{{ end }}"#,
    )
    .expect("it parses");
    let set = Arc::new(set);
    let mut host = ();
    let mut context = Context::new(&set, &Nowhere, &mut host, Limits::default());
    let mut out = Vec::new();
    let text = Str::from(
        r#"{{ define "inner" }}new{{ end }}{{ include "outer" . }}{{ tpl "{{ template `inner` }}" . }}"#,
    );
    for _ in 0..2 {
        context
            .execute_text(&"gotpl".into(), &text, &Value::Nil, &mut out)
            .expect("it runs");
        context
            .execute(b"outer", &Value::Nil, &mut out)
            .expect("it runs");
    }
    assert_eq!(String::from_utf8_lossy(&out), "<new>new<old><new>new<old>");
}

#[test]
fn threads_share_a_set() {
    let mut set = Set::new("gotpl", Arc::new(Functions::default()), MissingKey::Zero);
    set.parse("f", "{{ range 100 }}{{ . }}{{ end }}")
        .expect("it parses");
    let set = Arc::new(set);
    let outputs = thread::scope(|scope| {
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(|| execute(&set, "f"))).collect();
        let outputs = workers
            .into_iter()
            .map(|worker| worker.join().expect("it ends"));
        outputs.collect::<Vec<_>>()
    });
    assert!(
        outputs
            .iter()
            .all(|output| *output == outputs[0] && output.ends_with("9899"))
    );
}
