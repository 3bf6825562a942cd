//! Templates that want too much end in an error that says where, soon, and without much memory.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use gotemplate::{Context, Error, Limits, MissingKey, Set, Str, Value};

use crate::fixture::{Nowhere, data, functions, run, set};

/// Runs on the stack of a worker thread, and takes the error's text.
fn fails(template: impl Into<Vec<u8>>) -> String {
    fails_within(template, Limits::default())
}

fn fails_within(template: impl Into<Vec<u8>>, limits: Limits) -> String {
    let template = template.into();
    let run = move || {
        let error = run(&template, MissingKey::Zero, limits).err();
        error.map(|error| (error.is_limit(), error.to_string()))
    };
    let worker = thread::Builder::new().stack_size(2 << 20).spawn(run);
    let failed = worker.map(thread::JoinHandle::join);
    let (is_limit, text) = failed
        .expect("a thread starts")
        .expect("no template panics")
        .expect("the template wants too much");
    assert_eq!(is_limit, text.contains("limit reached: "), "{text}");
    text
}

fn check(template: &str, expected: &str) {
    let text = fails(template);
    assert!(
        text.ends_with(expected),
        "{template}: {}",
        &text[text.len().saturating_sub(200)..]
    );
}

#[test]
fn loops_end_with_the_steps() {
    let limits = Limits {
        steps: 2_000_000,
        ..Limits::default()
    };
    for template in [
        "a\n{{ range 1000000000 }}{{ end }}",
        "a\n{{ range 9223372036854775807 }}{{ $x := . }}{{ end }}",
        "a\n{{ range 100000 }}{{ range 100000 }}{{ end }}{{ end }}",
        "a\n{{ range 1000000000 }}{{ continue }}{{ end }}",
    ] {
        let text = fails_within(template, limits);
        assert!(text.starts_with("template: F:2:"), "{text}");
        assert!(
            text.ends_with("limit reached: more than 2000000 steps"),
            "{text}"
        );
    }
}

#[test]
fn steps_are_counted_for_what_one_node_does() {
    let limits = Limits {
        steps: 1_000_000,
        ..Limits::default()
    };
    let big = "{{ $x := `0123456789` }}{{ range 18 }}{{ $x = print $x $x }}{{ end }}";
    let names = ".a".repeat(20_000);
    let args = " 1".repeat(20_000);
    let scope: String = (0..20_000)
        .map(|at| format!("{{{{ $v{at} := 1 }}}}"))
        .collect();
    let before = Instant::now();
    for template in [
        format!("{big}{{{{ range 1000000000 }}}}{{{{ if eq $x $x }}}}{{{{ end }}}}{{{{ end }}}}"),
        format!("{big}{{{{ range 1000000000 }}}}{{{{ if lt $x $x }}}}{{{{ end }}}}{{{{ end }}}}"),
        format!("{big}{{{{ range 1000000000 }}}}{{{{ $_ := index $ $x }}}}{{{{ end }}}}"),
        format!("{big}{{{{ $x = print `{{{{/*` $x `*/}}}}` }}}}{{{{ range 1000000000 }}}}{{{{ tpl $x . }}}}{{{{ end }}}}"),
        format!("{{{{ $d := dict }}}}{{{{ $_ := set $d `a` $d }}}}{{{{ range 1000000000 }}}}{{{{ $_ := $d{names} }}}}{{{{ end }}}}"),
        format!("{{{{ range 1000000000 }}}}{{{{ $_ := and{args} }}}}{{{{ end }}}}"),
        format!("{{{{ range 1000000000 }}}}{{{{ $_ := print{args} }}}}{{{{ end }}}}"),
        format!("{scope}{{{{ range 1000000000 }}}}{{{{ $_ := $v1 }}}}{{{{ end }}}}"),
        "{{ $d := dict }}{{ range 10000 }}{{ $_ := set $d (print .) 1 }}{{ end }}{{ range 1000000000 }}{{ range $d }}{{ break }}{{ end }}{{ end }}".to_owned(),
    ] {
        let text = fails_within(template, limits);
        assert!(
            text.ends_with("limit reached: more than 1000000 steps"),
            "{}",
            &text[text.len().saturating_sub(200)..]
        );
    }
    assert!(before.elapsed() < Duration::from_secs(20));
}

#[test]
fn recursion_ends_with_the_depth() {
    check(
        r#"{{ define "r" }}{{ template "r" . }}{{ end }}{{ template "r" . }}"#,
        r#"template: F:1:28: executing "r" at <{{template "r" .}}>: limit reached: templates nested 10000 deep"#,
    );
    check(
        r#"{{ define "r" }}{{ if 1 }}{{ with 1 }}{{ range 1 }}{{ include "r" (include "r" .) }}{{ end }}{{ end }}{{ end }}{{ end }}{{ include "r" . }}"#,
        "at <include \"r\" .>: error calling include: limit reached: templates nested 10000 deep",
    );
    check(
        r#"{{ define "a" }}{{ include "b" . }}{{ end }}{{ define "b" }}{{ template "a" . }}{{ end }}{{ template "a" . }}"#,
        "limit reached: templates nested 10000 deep",
    );
    check(
        r#"{{ define "r" }}{{ tpl "{{ include `r` . }}" . }}{{ end }}{{ include "r" . }}"#,
        "limit reached: texts parsed more than 200 deep inside each other",
    );
}

#[test]
fn includes_reach_the_depth_that_helm_allows() {
    let template = r#"{{ define "r" }}{{ if lt . 999 }}{{ range 1 }}{{ include "r" (next $) }}{{ end }}{{ else }}bottom{{ end }}{{ end }}{{ include "r" 0 }}"#;
    let run = move || {
        let mut functions = functions();
        functions.insert(
            "next",
            gotemplate::Function {
                params: &[gotemplate::Type::Int],
                variadic: None,
                body: |_, args| match args[0] {
                    Value::Int(value, _) => Ok(Value::int(value + 1)),
                    _ => Err("no number".into()),
                },
            },
        );
        let mut set = Set::new("gotpl", Arc::new(functions), MissingKey::Zero);
        set.parse("F", template).expect("it parses");
        let mut out = Vec::new();
        let mut host = ();
        let mut context = Context::new(&Arc::new(set), &Nowhere, &mut host, Limits::default());
        context
            .execute(b"F", &data(), &mut out)
            .expect("a thousand is not too deep");
        out
    };
    let worker = thread::Builder::new().stack_size(2 << 20).spawn(run);
    let out = worker.expect("a thread starts").join();
    assert_eq!(out.expect("it does not overflow"), b"bottom");
}

#[test]
fn texts_nest_as_deeply_as_parsing_allows() {
    let nested = |open: &str, inner: &str, close: &str, count: usize| {
        format!("{}{inner}{}", open.repeat(count), close.repeat(count))
    };
    // Go's limit, and its text.
    let parens = nested("(", "1", ")", 10_001);
    assert_eq!(
        fails(format!("{{{{ {parens} }}}}")),
        "template: F:1: max expression depth exceeded"
    );
    let parens = nested("(", "1", ")", 10_000);
    let out = run(
        format!("{{{{ {parens} }}}}").as_bytes(),
        MissingKey::Zero,
        Limits::default(),
    );
    assert_eq!(out.ok().as_deref(), Some(b"1".as_slice()));
    // A deep context is printed.
    let parens = nested("(", "fail `x`", ")", 9_999);
    let error = run(
        format!("{{{{ if {parens} }}}}{{{{ end }}}}").as_bytes(),
        MissingKey::Zero,
        Limits::default(),
    );
    assert!(error.is_err());

    let blocks = nested("{{ if 1 }}", "x", "{{ end }}", 10_000);
    let out = run(blocks.as_bytes(), MissingKey::Zero, Limits::default());
    assert_eq!(out.ok().as_deref(), Some(b"x".as_slice()));
    for open in [
        "{{ if 1 }}",
        "{{ with 1 }}",
        "{{ range 1 }}\n",
        "{{ if 0 }}{{ else }}{{ if 1 }}",
        "{{ if 1 }}{{ else if 1 }}",
        "{{ block \"x\" . }}",
    ] {
        let text = fails(open.repeat(100_000));
        assert!(
            text.ends_with("limit reached: actions nested more than 10000 deep"),
            "{text}"
        );
    }
    assert_eq!(
        fails(format!(
            "{{{{ if 0 }}}}{}",
            "{{ else if 0 }}".repeat(50_000)
        )),
        "template: F:1: limit reached: actions nested more than 10000 deep"
    );
    assert_eq!(
        fails("{{ (".repeat(100_000)),
        "template: F:1: unexpected \"{\" in parenthesized pipeline"
    );
    assert_eq!(
        fails("x".repeat((8 << 20) + 1)),
        "template: F:1: limit reached: a template of more than 8388608 bytes"
    );
}

#[test]
fn values_do_not_grow_without_bound() {
    // Forty doublings.
    check(
        r#"{{ $x := "0123456789" }}{{ range 40 }}{{ $x = print $x $x }}{{ end }}"#,
        "limit reached: a text of more than 16777216 bytes",
    );
    // A list of two lists of two lists …
    check(
        "{{ $x := list 1 2 }}{{ range 60 }}{{ $x = list $x $x }}{{ end }}{{ $x }}",
        "limit reached: a value of more than 16777216 bytes",
    );
    check(
        "{{ $x := list 1 2 }}{{ range 60 }}{{ $x = list $x $x }}{{ end }}{{ print 1 $x }}",
        "limit reached: a value of more than 16777216 bytes",
    );
    // A map that holds itself.
    check(
        "{{ $d := dict }}{{ $_ := set $d `self` $d }}{{ $d }}",
        "limit reached: a value nested more than 500 deep",
    );
    check(
        "{{ $d := dict }}{{ $_ := set $d `self` $d }}{{ html $d }}",
        "limit reached: a value nested more than 500 deep",
    );
    // Many texts that stay alive.
    let limits = Limits {
        value_bytes: 50 << 20,
        ..Limits::default()
    };
    let text = fails_within(
        r#"{{ $x := "0123456789" }}{{ range 18 }}{{ $x = print $x $x }}{{ end }}{{ $d := dict }}{{ range 1000000 }}{{ $_ := set $d (print .) (print $x 1) }}{{ end }}"#,
        limits,
    );
    assert!(
        text.ends_with("limit reached: more than 52428800 bytes of values"),
        "{text}"
    );
    check(
        r#"{{ $x := "0123456789" }}{{ range 18 }}{{ $x = print $x $x }}{{ end }}{{ range 1000000 }}{{ $x }}{{ end }}"#,
        "limit reached: more than 16777216 bytes of output",
    );
    check(
        &format!(
            "{{{{ range 1000000 }}}}{}{{{{ end }}}}",
            "0123456789".repeat(11)
        ),
        "executing \"F\" at <0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789...>: limit reached: more than 16777216 bytes of output",
    );
}

#[test]
fn deeply_nested_values_are_freed() {
    let out = run(
        b"{{ $x := list }}{{ range 100000 }}{{ $x = list $x }}{{ end }}{{ $x = 1 }}{{ $d := dict }}{{ range 100000 }}{{ $d = dict `a` $d }}{{ end }}{{ $d = $x }}{{ $d }}",
        MissingKey::Zero,
        Limits::default(),
    );
    assert_eq!(out.ok().as_deref(), Some(b"1".as_slice()));
}

#[test]
fn unclosed_texts_are_errors_in_linear_time() {
    let before = Instant::now();
    for piece in [
        "{{", "{{/*", "{{ \"", "{{ `", "{{ (", "{{ 1 ", "{{- ", "{{ .a", "{{ '",
    ] {
        let text = piece.repeat((1 << 18) / piece.len());
        assert!(
            run(text.as_bytes(), MissingKey::Zero, Limits::default()).is_err(),
            "{piece}"
        );
    }
    // Many names, which Go looks for one by one.
    let names: String = (0..20_000)
        .map(|at| format!("{{{{ define \"t{at}\" }}}}{{{{ $v{at} := 1 }}}}{{{{ end }}}}{{{{ $w{at} := 1 }}}}{{{{ $w{at} }}}}"))
        .collect();
    assert!(run(names.as_bytes(), MissingKey::Zero, Limits::default()).is_ok());
    let many = "{{ 1 }}\n".repeat(20_000) + "{{ nofn }}";
    let error = run(many.as_bytes(), MissingKey::Zero, Limits::default()).err();
    assert_eq!(
        error.map(|error| error.to_string()).as_deref(),
        Some("template: F:20001: function \"nofn\" not defined")
    );
    assert!(before.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_set_takes_so_much_text_and_no_more() {
    let mut set = Set::default();
    let text = Str::from("x".repeat(5 << 20));
    for name in ["a", "b", "c"] {
        set.parse(name, text.clone()).expect("it fits");
    }
    let error = set.parse("d", text).err();
    assert_eq!(
        error.map(|error| error.to_string()).as_deref(),
        Some("template: d:1: limit reached: templates of more than 16777216 bytes")
    );
}

#[test]
fn bytes_that_are_no_text_pass() {
    for (template, expected) in [
        (b"\xff{{ 1 }}\xfe".as_slice(), Ok(b"\xff1\xfe".as_slice())),
        (b"{{ `\xff` }}{{ \"\\xff\" }}", Ok(b"\xff\xff")),
        (b"{{ \"a\xff\" }}", Ok("a\u{fffd}".as_bytes())),
        (b"{{ define \"\xff\" }}x{{ end }}", Ok(b"")),
        (
            b"{{ \xff }}",
            Err("template: F:1: unrecognized character in action: U+FFFD '\u{fffd}'"),
        ),
        (
            b"{{ a\xff }}",
            Err("template: F:1: bad character U+FFFD '\u{fffd}'"),
        ),
        (
            b"{{ nofn `\xff` }}",
            Err("template: F:1: function \"nofn\" not defined"),
        ),
    ] {
        let got = run(template, MissingKey::Zero, Limits::default());
        let got = got.map_err(|error| error.to_string());
        let got = got.as_deref().map_err(String::as_str);
        assert_eq!(got, expected, "{:?}", String::from_utf8_lossy(template));
    }
}

#[test]
fn a_context_goes_on_after_an_error() {
    let set = set(
        b"{{ $x := 1 }}{{ if 1 }}{{ $y := 2 }}{{ tpl `{{ .a.b }}{{ fail \"x\" }}` . }}{{ end }}",
        MissingKey::Zero,
    )
    .expect("it parses");
    let mut host = ();
    let mut context = Context::new(&set, &Nowhere, &mut host, Limits::default());
    for _ in 0..3 {
        let mut out = Vec::new();
        assert!(matches!(
            context.execute(b"F", &data(), &mut out),
            Err(Error::Exec(_))
        ));
        context
            .execute(b"echo", &Value::int(1), &mut out)
            .expect("it is fine");
        assert_eq!(out, b"[1]");
        assert!(!context.contains(b"gotpl"));
        let text = Str::from("{{ define `n` }}n{{ end }}{{ template `n` }}");
        context
            .execute_text(&"t".into(), &text, &Value::Nil, &mut out)
            .expect("it is fine");
        assert!(!context.contains(b"n"));
    }
}
