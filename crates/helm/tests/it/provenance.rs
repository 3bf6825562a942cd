//! Where values come from.

use std::fmt::Write as _;

use helm::provenance::{Source, parse_path, why};
use helm::{Profile, UserValues};
use object::FieldPath;

use crate::support::{chart, read, sorted_json, values_file};

const FILES: [(&str, &str); 6] = [
    (
        "Chart.yaml",
        "{apiVersion: v2, name: top, version: 1.0.0, dependencies: [{name: kid, version: 1.0.0, import-values: [{child: data, parent: taken}]}]}",
    ),
    (
        "values.yaml",
        "# defaults\na: 1\nimage:\n  tag: v1\nglobal:\n  colour: red\nkid:\n  size: 2\n---\na: 2\n",
    ),
    (
        "charts/kid/Chart.yaml",
        "{apiVersion: v2, name: kid, version: 1.0.0}",
    ),
    (
        "charts/kid/values.yaml",
        "size: 1\nglobal: {colour: blue}\ndata:\n  host: kid\n",
    ),
    ("templates/x", ""),
    ("README.md", ""),
];

fn check(path: &[&str], wanted: &str) {
    let chart = chart(&FILES, Profile::Helm4).unwrap();
    let user = UserValues {
        files: vec![
            values_file("one.yaml", "image:\n  tag: v2\nkid: {size: 3}\n"),
            values_file("two.yaml", "image: {name: web}\n"),
        ],
        set: vec![
            "image.tag=v3,b=1".into(),
            "kid.global.colour=green".into(),
            "a=null".into(),
        ],
        ..UserValues::default()
    };
    let options = helm::Options::default();
    let scope = helm::prepare(&chart, &user, &read, &options, &mut Vec::new()).unwrap();
    let path = FieldPath::keys(path.iter().copied());
    let why = why(&scope, &user, &read, &path).unwrap();
    let mut got = String::new();
    for given in why.given {
        let source = match given.source {
            Source::Chart(chart) => format!("chart {chart}"),
            Source::Import { chart, from } => format!("{chart} imports from {from}"),
            Source::File(file) => format!("file {file}"),
            Source::Flag(flag, text) => format!("{flag} {text}"),
        };
        let at = given
            .at
            .map(|span| format!(" at {span}"))
            .unwrap_or_default();
        let value = sorted_json(given.value);
        writeln!(got, "{source}{at}: {} = {value}", given.path).unwrap();
    }
    let value = why.value.map_or("nothing".to_owned(), sorted_json);
    writeln!(got, "{value}").unwrap();
    assert_eq!(got, wanted);
}

#[test]
fn every_layer_that_says_something_is_named() {
    check(
        &["image", "tag"],
        "chart top at top/values.yaml:4:8: image.tag = \"v1\"
file one.yaml at one.yaml:2:8: image.tag = \"v2\"
--set image.tag=v3,b=1: image.tag = \"v3\"
\"v3\"
",
    );
    check(
        &["kid", "size"],
        "chart top/charts/kid at top/charts/kid/values.yaml:1:7: size = 1
chart top at top/values.yaml:8:9: kid.size = 2
file one.yaml at one.yaml:3:13: kid.size = 3
3
",
    );
}

#[test]
fn a_null_takes_the_default_of_the_last_document_away() {
    check(
        &["a"],
        "chart top at top/values.yaml:10:4: a = 2
--set a=null: a = null
nothing
",
    );
}

#[test]
fn globals_of_the_chart_around_win() {
    check(
        &["kid", "global", "colour"],
        "chart top/charts/kid at top/charts/kid/values.yaml:2:18: global.colour = \"blue\"
chart top at top/values.yaml:6:11: global.colour = \"red\"
--set kid.global.colour=green: kid.global.colour = \"green\"
\"red\"
",
    );
}

#[test]
fn imports_name_the_chart_they_come_from() {
    check(
        &["taken", "host"],
        "top imports from top/charts/kid at top/charts/kid/values.yaml:4:9: data.host = \"kid\"
\"kid\"
",
    );
}

#[test]
fn paths_are_written_as_for_flags() {
    for (text, wanted) in [
        ("image.tag", Some("image.tag")),
        ("a[0].b[1][2]", Some("a[0].b[1][2]")),
        (
            r"labels.example\.org/name",
            Some("labels[example.org/name]"),
        ),
        ("a[x]", None),
        ("a[0", None),
        ("a[0]b", None),
        (r"a\", None),
    ] {
        let path = parse_path(text).map(|path| path.to_string());
        assert_eq!(path.as_deref(), wanted, "{text}");
    }
}
