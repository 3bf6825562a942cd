//! Values of whole charts, recorded from Helm 4.3.1 and 3.22.0 with a template of
//! `{{ toJson .Values }}`.

use helm::{Profile, UserValues};

use crate::support::{chart, parts, values, values_file};

fn check(text: &str) {
    let parts = parts(text);
    let files: Vec<(&str, &str)> = parts
        .iter()
        .copied()
        .filter(|(name, _)| !matches!(*name, "user.yaml" | "helm4" | "helm3"))
        .collect();
    let part = |wanted: &str| parts.iter().find(|(name, _)| *name == wanted).unwrap().1;
    for (profile, name) in [(Profile::Helm4, "helm4"), (Profile::Helm3, "helm3")] {
        let user = UserValues {
            files: vec![values_file("user.yaml", part("user.yaml"))],
            ..UserValues::default()
        };
        let chart = chart(&files, profile).unwrap();
        assert_eq!(
            values(&chart, &user, profile),
            part(name).trim_end(),
            "{name}"
        );
    }
}

#[test]
fn nulls_take_defaults_away_and_globals_reach_every_chart() {
    check(include_str!("cases/nulls.txt"));
}

#[test]
fn conditions_tags_and_versions_choose_charts() {
    check(include_str!("cases/enabling.txt"));
}

#[test]
fn values_of_charts_inside_can_be_imported() {
    check(include_str!("cases/imports.txt"));
}

#[test]
fn tables_do_not_mix_with_other_values() {
    check(include_str!("cases/conflicts.txt"));
}

#[test]
fn a_section_has_to_be_a_map() {
    check(include_str!("cases/section.txt"));
}

#[test]
fn charts_of_helm_2_name_their_dependencies_elsewhere() {
    check(include_str!("cases/requirements.txt"));
}

#[test]
fn conflicts_are_told() {
    let files = [
        ("Chart.yaml", "{apiVersion: v2, name: top, version: 1.0.0}"),
        ("values.yaml", "{a: {b: {c: 1}}, d: 1, e: {f: 1}}"),
    ];
    let user = UserValues {
        files: vec![values_file("u", "{a: {b: 2}, d: {x: 1}, e: {f: {g: 1}}}")],
        ..UserValues::default()
    };
    let chart = chart(&files, Profile::Helm4).unwrap();
    let mut warnings = Vec::new();
    let options = helm::Options::default();
    let read = crate::support::read;
    helm::prepare(&chart, &user, &read, &options, &mut warnings).unwrap();
    let texts: Vec<&str> = warnings.iter().map(|warning| &*warning.text).collect();
    assert_eq!(
        texts,
        [
            "warning: cannot overwrite table with non table for top.a.b (map[c:1])",
            "warning: destination for top.e.f is a table. Ignoring non-table value (1)",
            "warning: skipped value for top.d: Not a table.",
        ]
    );
}

#[test]
fn imports_that_put_tables_into_themselves_end() {
    let entry = |parent: &str| format!("{{child: a, parent: {parent}}}");
    let twice = [entry("x"), entry("x.y")].join(", ");
    let deep = (0..40)
        .map(|at| entry(&vec!["p"; at + 1].join(".")))
        .collect::<Vec<_>>()
        .join(", ");
    let long = entry(&"a.".repeat(5_000));
    for imports in [twice, deep, long] {
        let top = format!(
            "{{apiVersion: v2, name: top, version: 1.0.0, dependencies: [{{name: kid, version: 1.0.0, import-values: [{imports}]}}]}}"
        );
        let files = [
            ("Chart.yaml", &*top),
            (
                "charts/kid/Chart.yaml",
                "{apiVersion: v2, name: kid, version: 1.0.0}",
            ),
            ("charts/kid/values.yaml", "a: {b: {c: 1}}"),
        ];
        let chart = chart(&files, Profile::Helm4).unwrap();
        let values = values(&chart, &UserValues::default(), Profile::Helm4);
        let refused = "Error: values of chart top are in each other without end";
        assert_eq!(values, refused);
    }
}

#[test]
fn files_of_values_say_what_is_wrong() {
    let list = "json: cannot unmarshal array into Go value of type map[string]interface {}";
    for (text, helm4, helm3) in [
        (
            "- a",
            format!("cannot unmarshal yaml document: error unmarshaling JSON: while decoding JSON: {list}"),
            format!("error unmarshaling JSON: while decoding JSON: {list}"),
        ),
        (
            "a: [",
            "cannot unmarshal yaml document: error converting YAML to JSON: yaml: line 1: did not find expected node content".into(),
            "error converting YAML to JSON: yaml: line 1: did not find expected node content".into(),
        ),
        (
            "a: 1\n---x\n",
            "error reading yaml document: invalid Yaml document separator: x".into(),
            "error converting YAML to JSON: yaml: line 3: could not find expected ':'".into(),
        ),
    ] {
        for (profile, problem) in [(Profile::Helm4, helm4), (Profile::Helm3, helm3)] {
            let read = values_file("v.yaml", text).values(profile);
            let got = read.map_or_else(|error| error.to_string(), |_| String::new());
            let wanted = format!("failed to parse v.yaml: {problem}");
            assert_eq!(got, wanted);
        }
    }
}
