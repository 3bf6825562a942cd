//! Errors of templates that execute templates can be followed level by level.

use gotemplate::{Cause, Error, Limits, MissingKey};

use crate::fixture::run;

/// One line per level: where, what, and what is said there.
fn levels(template: &str) -> String {
    let failed = run(template.as_bytes(), MissingKey::Zero, Limits::default());
    let first = failed.expect_err("every row fails");
    let mut lines = Vec::new();
    let mut next = Some(&first);
    while let Some(error) = next {
        next = None;
        lines.push(match error {
            Error::Parse(error) => format!("parse {}:{} {}", error.name, error.line, error.message),
            Error::Limit(limit) => format!("limit {limit}"),
            Error::NotFound { name, set } => format!("no {name} in {set}"),
            Error::Exec(error) => {
                next = error.inner();
                let what = match &error.cause {
                    Cause::Call { function, .. } if next.is_some() => format!("calls {function}"),
                    cause => cause.to_string(),
                };
                let at = error.location();
                format!("{at} {} <{}> {what}", error.template, error.context)
            }
        });
    }
    lines.join("\n")
}

#[test]
fn every_level_has_its_place() {
    for (template, expected) in [
        (
            r#"{{ include "outer" . }}"#,
            "F:1:3 F <include \"outer\" .> calls include\n\
             defs:2:52 outer <include \"bad\" .> calls include\n\
             defs:2:13 bad <.Values.s.x> can't evaluate field x in type interface {}",
        ),
        (
            r#"{{ include "nope" . }}"#,
            "F:1:3 F <include \"nope\" .> calls include\n\
             no nope in gotpl",
        ),
        (
            r#"{{ template "bad" . }}"#,
            "defs:2:13 bad <.Values.s.x> can't evaluate field x in type interface {}",
        ),
        (
            r#"{{ tpl "{{ tpl `{{ nofn }}` . }}" . }}"#,
            "F:1:3 F <tpl \"{{ tpl `{{ nofn }}` . }}\" .> calls tpl\n\
             gotpl:1:3 gotpl <tpl `{{ nofn }}` .> calls tpl\n\
             parse gotpl:1 function \"nofn\" not defined",
        ),
        (
            r#"{{ tpl "{{ fail `no` }}" . }}"#,
            "F:1:3 F <tpl \"{{ fail `no` }}\" .> calls tpl\n\
             gotpl:1:3 gotpl <fail `no`> error calling fail: no",
        ),
        (
            "{{ if 1 }}\n  {{ upper (1 | print | len) }}{{ end }}",
            "F:2:24 F <len> wrong type for value; expected string; got int",
        ),
        ("{{ if }}{{ end }}", "parse F:1 missing value for if"),
    ] {
        assert_eq!(levels(template), expected, "{template}");
    }
}
