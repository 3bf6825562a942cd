//! Mistakes are found, and what is none is not.

use helm::Profile;

use crate::support::{chart, values_file};

const CHART: (&str, &str) = ("Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n");

/// What is found, a line each: place, code, message, help.
fn findings(files: &[(&str, &str)], values: Option<&str>) -> String {
    let mut all = files.to_vec();
    if !files.iter().any(|(path, _)| *path == CHART.0) {
        all.push(CHART);
    }
    let chart = chart(&all, Profile::Helm4).expect("a chart");
    let values: Vec<_> = values
        .map(|text| values_file("v.yaml", text))
        .into_iter()
        .collect();
    let found = helm::lint(&chart, &values, Profile::Helm4).expect("templates");
    let lines = found.iter().map(|finding| {
        let place = finding.span.as_ref();
        let place = place.map_or_else(String::new, |span| format!("{}:{} ", span.path, span.line));
        let help = finding.help.join(" ");
        let help = help.strip_prefix("Did you mean ").map_or("", |near| near);
        format!("{place}{} {} {help}", finding.code.0, finding.message)
    });
    let lines: Vec<String> = lines.map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

const SCHEMA: &str = r##"{
  "$defs": {
    "image": {
      "type": "object",
      "properties": {"tag": {"type": "string"}, "repository": {"type": "string"}}
    }
  },
  "type": "object",
  "properties": {
    "image": {"$ref": "#/$defs/image"},
    "replicas": {"type": "integer"},
    "strategy": {
      "oneOf": [
        {"properties": {"rolling": {"type": "object"}}, "additionalProperties": false},
        {"properties": {"recreate": {"type": "boolean"}}, "additionalProperties": false}
      ]
    },
    "labels": {"type": "object", "properties": {"app": {}}, "additionalProperties": {"type": "string"}},
    "ports": {"type": "object", "patternProperties": {"^p": {"type": "integer"}}, "properties": {"main": {}}}
  }
}"##;

/// Takes all values, so that nothing is known of what is read.
const TAKES_ALL: (&str, &str) = ("templates/a.yaml", "{{ toYaml .Values }}");

#[test]
fn misspelt_keys_are_found_where_the_schema_names_keys() {
    let files = [TAKES_ALL, ("values.schema.json", SCHEMA)];
    for (values, wanted) in [
        ("image: {tag: a}", ""),
        (
            "replica: 2",
            "v.yaml:1 ChartValueUnknown the chart knows no value `replica` `replicas`?",
        ),
        (
            "image: {tagg: a}",
            "v.yaml:1 ChartValueUnknown the chart knows no value `image.tagg` `tag`?",
        ),
        // Nothing like it is known, and a template takes all there is.
        ("other: 1\nimage: {digest: a}", ""),
        // Any key may be given.
        ("labels: {apps: a}\nports: {pain: 1}", ""),
        (
            "strategy: {rollin: {}}",
            "v.yaml:1 ChartValueUnknown the chart knows no value `strategy.rollin` `rolling`?\n\
             v.yaml:1 ValuesSchemaMismatch the schema of chart `c` refuses `strategy`: \
             'oneOf' failed, none matched",
        ),
        (
            "replicas: two",
            "v.yaml:1 ValuesSchemaMismatch the schema of chart `c` refuses `replicas`: \
             got string, want integer",
        ),
        ("global: {replica: 1}\ntags: {replica: true}", ""),
    ] {
        assert_eq!(findings(&files, Some(values)), wanted, "{values}");
    }
}

#[test]
fn keys_that_a_template_names_are_never_misspelt() {
    let files = [
        (
            "templates/a.yaml",
            "{{ toYaml .Values }}{{ .Values.replica }}",
        ),
        ("values.schema.json", SCHEMA),
    ];
    assert_eq!(findings(&files, Some("replica: 2")), "");
}

#[test]
fn a_closed_schema_refuses_keys() {
    let schema = r#"{"properties": {"web": {"properties": {"port": {}}, "additionalProperties": {"not": {}}}},
        "additionalProperties": false}"#;
    let files = [
        (
            "templates/a.yaml",
            "{{ .Values.web.port }}{{ .Values.other }}",
        ),
        ("values.schema.json", schema),
        ("values.yaml", "web: {port: 1}\nother: 1\n"),
    ];
    // The chart's own default is refused.
    let own = "c/values.yaml:2 ValuesSchemaMismatch the schema of chart `c` refuses `other`: \
               it allows no such key";
    assert_eq!(findings(&files, None), own);
    let found = findings(&files, Some("web:\n  ports: 1\n"));
    let near = "v.yaml:2 ChartValueUnknown the chart knows no value `web.ports` `port`?";
    assert_eq!(found, format!("{near}\n{own}"));
}

#[test]
fn defaults_that_users_replace_are_no_findings() {
    let schema = r#"{"required": ["cluster", "host"], "properties": {
        "host": {"type": "string", "minLength": 1}, "cluster": {"type": "string"},
        "kind": {"enum": ["a", "b"]}, "size": {"type": "integer"}}}"#;
    let template = "{{ .Values.host }}{{ .Values.cluster }}{{ .Values.kind }}{{ .Values.size }}";
    let files = [
        ("templates/a.yaml", template),
        ("values.schema.json", schema),
        ("values.yaml", "host: \"\"\nkind: \"\"\nsize: null\n"),
    ];
    assert_eq!(findings(&files, None), "");
    let files = [files[0], files[1], ("values.yaml", "kind: c\nsize: big\n")];
    assert_eq!(
        findings(&files, None),
        "c/values.yaml:1 ValuesSchemaMismatch the schema of chart `c` refuses `kind`: value must be \
         one of 'a', 'b'\n\
         c/values.yaml:2 ValuesSchemaMismatch the schema of chart `c` refuses `size`: got string, \
         want integer"
    );
}

#[test]
fn the_schema_of_a_chart_inside_is_asked_too() {
    let schema = r#"{"properties": {"size": {"type": "integer"}}, "additionalProperties": false}"#;
    let files = [
        ("templates/a.yaml", "{{ .Values.kid.size }}"),
        (
            "charts/kid/Chart.yaml",
            "apiVersion: v2\nname: kid\nversion: 1.0.0\n",
        ),
        ("charts/kid/values.schema.json", schema),
        ("charts/kid/templates/a.yaml", "{{ .Values.size }}"),
        ("values.yaml", "kid: {siz: 1}\n"),
    ];
    assert_eq!(
        findings(&files, None),
        "c/values.yaml:1 ChartValueUnknown the chart knows no value `kid.siz` `size`?\n\
         c/values.yaml:1 ValuesSchemaMismatch the schema of chart `kid` refuses `kid.global`: it \
         allows no such key"
    );
}

#[test]
fn sections_of_charts_inside_are_compared_with_those() {
    let meta = "apiVersion: v2\nname: c\nversion: 1.0.0\ndependencies:\n\
                - {name: kid, version: 1.0.0, alias: one, condition: one.install}\n\
                - {name: other, version: 1.0.0}\n";
    let files = [
        ("Chart.yaml", meta),
        (
            "templates/a.yaml",
            "{{ .Values.one.parent }}{{ toYaml .Values.other }}",
        ),
        (
            "charts/kid/Chart.yaml",
            "apiVersion: v2\nname: kid\nversion: 1.0.0\n",
        ),
        (
            "charts/kid/values.yaml",
            "size: 1\nweb: {port: 1}\nlabels: {}\n",
        ),
        (
            "charts/kid/templates/a.yaml",
            "{{ .Values.size }}{{ .Values.hidden }}{{ .Values.web.port }}",
        ),
        (
            "charts/other/Chart.yaml",
            "apiVersion: v2\nname: other\nversion: 1.0.0\n",
        ),
        ("charts/other/values.yaml", "a: 1\n"),
        ("charts/other/templates/a.yaml", "{{ .Values.a }}"),
        (
            "values.yaml",
            "one: {siz: 1, install: true, enabled: true, parent: 1, hidden: 1, global: {x: 1}, labels: {y: z}}\n\
             other: {b: 1}\n",
        ),
    ];
    let own = "c/values.yaml:1 ChartValueUnknown the chart knows no value `one.siz` `size`?";
    assert_eq!(findings(&files, None), own);
    let given = findings(&files, Some("one:\n  web: {prot: 1}\n"));
    let near = "v.yaml:2 ChartValueUnknown the chart knows no value `one.web.prot`";
    assert_eq!(given, format!("{own}\n{near}"));
    // A template of the chart around it, or a text beside it, may read it.
    let mut read = files;
    read[8].1 = "one: {siz: 1, parent: 1}";
    for template in [
        "{{ .Values.one.parent }}{{ index .Values \"one\" \"siz\" }}",
        "{{ $one := (.Values).one }}{{ $one.siz }}",
    ] {
        read[1].1 = template;
        assert_eq!(findings(&read, None), "", "{template}");
    }
    let mut read = files;
    read[8].1 = "one: {siz: 1, labels: {y: '{{ .Values.siz }}'}}";
    assert_eq!(findings(&read, None), "");
}

#[test]
fn what_the_schema_describes_and_nothing_reads_is_found() {
    let schema = r#"{"properties": {
        "read": {}, "unread": {},
        "old": {"deprecated": true},
        "web": {"properties": {"port": {}, "host": {}}},
        "free": {"properties": {"any": {}}}}}"#;
    let files = [
        (
            "templates/a.yaml",
            "{{ .Values.read }}{{ .Values.web.port }}{{ toYaml .Values.free }}",
        ),
        ("values.schema.json", schema),
        ("values.yaml", "web: {port: 1}\nfree: {}\n"),
    ];
    assert_eq!(
        findings(&files, None),
        "c/values.schema.json:2 ChartValueUnread the schema describes the value `unread`, which has \
         no default and no reader\n\
         c/values.schema.json:4 ChartValueUnread the schema describes the value `web.host`, which \
         has no default and no reader"
    );
    assert_eq!(findings(&[TAKES_ALL, files[1], files[2]], None), "");
}

#[test]
fn values_that_are_read_in_a_roundabout_way_are_read() {
    for template in [
        "{{ $ctx := . }}{{ $ctx.Values.auth.password }}",
        "{{ (index (list .) 0).Values.auth.password }}",
        r#"{{ include "lib.get" (dict "context" . "key" "auth.password") }}"#,
        r#"{{ define "x" }}{{ .context.Values.auth.password }}{{ end }}"#,
        "{{ with .Values.auth }}{{ .password }}{{ end }}",
        "{{ $values := .Values.AsMap }}{{ $values.auth.password }}",
        r#"{{ tpl (.Files.Get "files/job.tpl") . }}"#,
    ] {
        let files = [
            ("templates/a.yaml", template),
            ("values.yaml", "auth: {password: a}\n"),
            ("files/job.tpl", "{{ .Values.auth.password }}"),
        ];
        let files = match template.contains("tpl") {
            true => &files[..],
            false => &files[..2],
        };
        assert_eq!(findings(files, None), "", "{template}");
    }
    // What a library defines may be called with these values.
    let files = [
        ("templates/a.yaml", r#"{{ include "lib.name" . }}"#),
        (
            "charts/lib/Chart.yaml",
            "apiVersion: v2\nname: lib\nversion: 1.0.0\ntype: library\n",
        ),
        (
            "charts/lib/templates/_a.tpl",
            r#"{{ define "lib.name" }}{{ .Values.nameOverride }}{{ end }}"#,
        ),
        ("values.yaml", "nameOverride: a\nunread: b\n"),
    ];
    assert_eq!(
        findings(&files, None),
        "c/values.yaml:2 ChartValueUnread no template reads the value `unread`"
    );
}

#[test]
fn schemas_without_an_end_are_looked_at_for_a_while() {
    let circles = r##"{"$defs": {"a": {"allOf": [{"$ref": "#/$defs/b"}]}, "b": {"anyOf": [{"$ref": "#/$defs/a"}, {"$ref": "#"}]}},
        "properties": {"x": {"$ref": "#/$defs/a"}}}"##;
    let files = [
        ("templates/a.yaml", "{{ .Values.x }}"),
        ("values.schema.json", circles),
    ];
    let values = format!("{}1{}", "{x: ".repeat(60), "}".repeat(60));
    findings(&files, Some(&values));
    let wide = (0..3000).map(|at| format!(r##"{{"properties": {{"k{at}": {{}}}}}}"##));
    let wide = wide.collect::<Vec<_>>().join(",");
    let schema = format!(r#"{{"allOf": [{wide}]}}"#);
    let files = [TAKES_ALL, ("values.schema.json", &*schema)];
    assert_eq!(findings(&files, Some("kk: 1")), "");
    for broken in [
        "",
        "[]",
        "1",
        "{",
        r#"{"properties": []}"#,
        r#"{"properties": {"a": 1}}"#,
    ] {
        let files = [TAKES_ALL, ("values.schema.json", broken)];
        findings(&files, Some("a: {b: 1}"));
    }
}

#[test]
fn sections_that_multiply_are_compared_for_a_while() {
    // Each chart has the next one under thirty names.
    let names: Vec<String> = (0..30).map(|at| format!("k{at}")).collect();
    let mut folder = String::new();
    let mut files = Vec::new();
    for level in 0..6 {
        let aliases = names.iter().map(|name| {
            format!(
                "- {{name: c{}, version: 1.0.0, alias: {name}}}\n",
                level + 1
            )
        });
        let aliases: String = aliases.collect();
        files.push((
            format!("{folder}Chart.yaml"),
            format!("apiVersion: v2\nname: c{level}\nversion: 1.0.0\ndependencies:\n{aliases}"),
        ));
        files.push((
            format!("{folder}templates/a.yaml"),
            "{{ .Values.a }}".to_owned(),
        ));
        folder = format!("{folder}charts/c{}/", level + 1);
    }
    let last = "apiVersion: v2\nname: c6\nversion: 1.0.0\n".to_owned();
    files.push((format!("{folder}Chart.yaml"), last));
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (&**path, &**text))
        .collect();
    findings(&files, None);
    let chart = chart(&files, Profile::Helm4).expect("a chart");
    let read = |name: &str| Err(name.to_owned());
    let (user, options) = (helm::UserValues::default(), helm::Options::default());
    let refused = helm::prepare(&chart, &user, &read, &options, &mut Vec::new());
    let error = refused.expect_err("too many");
    assert_eq!(
        error.to_string(),
        "more than 10000 charts inside each other, each alias counted"
    );
}
