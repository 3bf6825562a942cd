//! Templates made to take all time and memory: each ends at a limit, with a place.

use diag::Explain as _;
use helm::{Engine, Options, Profile, Programs, RenderError, UserValues};
use tree::Isolated;

use crate::support::{chart, read};

/// The error of a chart with this template.
fn error(template: &str) -> RenderError {
    let files = [
        ("Chart.yaml", "{apiVersion: v2, name: c, version: 1.0.0}"),
        ("templates/a.yaml", template),
    ];
    let chart = chart(&files, Profile::Helm4).expect("the chart is one");
    let programs = Programs::default();
    let engine = Engine {
        programs: &programs,
        world: &Isolated,
    };
    let user = UserValues::default();
    let options = Options::default();
    let rendered = helm::render(&chart, &user, &read, &options, &engine, &mut Vec::new());
    rendered.expect_err("nobody can render it")
}

#[test]
fn what_has_no_end_ends_at_a_limit() {
    for template in [
        r#"{{ repeat 1000000000 "a" }}"#,
        "{{ range 1000000000 }}{{ end }}",
        r#"{{ define "t" }}{{ template "t" . }}{{ end }}{{ template "t" . }}"#,
        r#"{{ $x := "{{ tpl .t . }}" }}{{ tpl $x (dict "t" $x) }}"#,
        "{{ range until 1000000000 }}{{ end }}",
        "{{ randAlphaNum 1000000000 }}",
        r#"{{ indent 100000000 "a" }}"#,
        "{{ $l := list 1 }}{{ range until 40 }}{{ $l = concat $l $l }}{{ end }}{{ len $l }}",
    ] {
        let error = error(template);
        assert_eq!(error.code().0, "TemplateLimit", "{template}: {error}");
        let at = error.span().expect("limits have a place");
        assert_eq!(
            (&*at.path, at.line),
            ("c/templates/a.yaml", 1),
            "{template}"
        );
    }
}

#[test]
fn a_template_that_includes_itself_ends_as_with_helm() {
    let error = error(r#"{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}"#);
    let text = error.to_string();
    let end = "rendering template has a nested reference name: a: unable to execute template";
    assert!(text.ends_with(end), "{}", &text[text.len() - 200..]);
}
