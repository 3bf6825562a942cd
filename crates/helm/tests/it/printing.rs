//! What `printf` makes of the Go values that templates can hold, verb by verb.
//!
//! A row of `recorded/printing.txt` is a format, an expression, and the text that `helm template` of
//! v4.3.1, built with Go 1.26.8, prints for it, as JSON. `FLEETWRIGHT_RECORD=1` writes the texts anew;
//! addresses in them are those of that run.

use std::fs;
use std::process::Command;
use std::sync::Arc;

use helm::Profile;
use helm::engine::{Engine, Programs};
use helm::{HelmVersion, Options, TextOptions, UserValues};
use tree::Isolated;

use crate::addresses::equal_but_addresses;
use crate::support::chart;

const RECORDED: &str = include_str!("recorded/printing.txt");

/// The chart's files, without templates.
const FILES: &[(&str, &str)] = &[
    (
        "Chart.yaml",
        "apiVersion: v2\nname: c\nversion: 0.1.0\nkeywords: [x]\nannotations: {a: b}\n\
         maintainers: [{name: n, email: e}]\n",
    ),
    ("values.yaml", "map: {a: 1, b: [x, null, 1.5]}\n"),
    ("notes.cfg", "té\n"),
];

/// One template that prints every row as an element of a list.
fn template() -> String {
    let rows = RECORDED.lines().map(|row| {
        let (format, expression, _) = columns(row);
        format!("- {{{{ printf {format:?} ({expression}) | toJson }}}}\n")
    });
    format!("rows:\n{}", rows.collect::<String>())
}

fn columns(row: &str) -> (&str, &str, &str) {
    let mut columns = row.splitn(3, '\t');
    let mut next = || columns.next().unwrap_or_default();
    (next(), next(), next())
}

/// The elements of the list that such a template makes.
fn printed(text: &str) -> Vec<&str> {
    let lines = text.lines();
    lines.filter_map(|line| line.strip_prefix("- ")).collect()
}

fn ours(template: &str, profile: Profile) -> String {
    let files = [FILES, &[("templates/t.yaml", template)]].concat();
    let programs = Programs::default();
    let engine = Engine {
        programs: &programs,
        world: &Isolated,
    };
    let mut options = Options {
        profile,
        ..Options::default()
    };
    Arc::make_mut(&mut options.capabilities).helm_version = HelmVersion::of(profile);
    let manifests = helm::render(
        &chart(&files, profile).expect("it is a chart"),
        &UserValues::default(),
        &|name| Err(name.to_owned()),
        &options,
        &engine,
        &mut Vec::new(),
    );
    let text = manifests.expect("it renders").text(&TextOptions::default());
    text.expect("nothing was asked for by name")
}

/// What the tool prints; `None` where there is none.
fn theirs(template: &str, name: &str) -> Option<String> {
    let tool = testkit::reference_tool(name)?;
    let folder = std::env::temp_dir().join(format!("{name}-printing-{}", std::process::id()));
    fs::create_dir_all(folder.join("templates")).expect("temporary folders can be made");
    for (path, text) in [FILES, &[("templates/t.yaml", template)]].concat() {
        fs::write(folder.join(path), text).expect("temporary files can be written");
    }
    let run = Command::new(tool)
        .args(["template", "release-name", "--kube-version", "v1.37.0"])
        .arg(&folder)
        .env("TZ", "UTC")
        .output()
        .expect("the tool starts");
    fs::remove_dir_all(&folder).expect("temporary folders can be removed");
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    Some(String::from_utf8(run.stdout).expect("JSON is text"))
}

fn compare<'a>(ours: &str, wanted: impl Iterator<Item = &'a str>) {
    let ours = printed(ours);
    let wanted: Vec<&str> = wanted.collect();
    assert_eq!(ours.len(), wanted.len());
    let rows = RECORDED.lines().zip(ours).zip(wanted);
    let wrong: Vec<String> = rows
        .filter(|((_, ours), wanted)| !equal_but_addresses(ours, wanted))
        .map(|((row, ours), wanted)| {
            let (format, expression, _) = columns(row);
            format!("{format} {expression}\n  wanted {wanted}\n  found  {ours}")
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} rows\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn every_verb_prints_every_go_value_as_there() {
    let template = template();
    if std::env::var_os("FLEETWRIGHT_RECORD").is_some() {
        let theirs = theirs(&template, "helm4").expect("recording needs the tool");
        let rows = RECORDED.lines().zip(printed(&theirs)).map(|(row, text)| {
            let (format, expression, _) = columns(row);
            format!("{format}\t{expression}\t{text}\n")
        });
        let file = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/it/recorded/printing.txt"
        );
        fs::write(file, rows.collect::<String>()).expect("the recording can be written");
        return;
    }
    let wanted = RECORDED.lines().map(|row| columns(row).2);
    compare(&ours(&template, Profile::Helm4), wanted);
}

/// Versions of Helm before 4 show other structures, `.Chart` among them.
#[test]
fn every_verb_prints_every_go_value_as_in_helm_3() {
    let template = template();
    if let Some(theirs) = theirs(&template, "helm3") {
        compare(
            &ours(&template, Profile::Helm3),
            printed(&theirs).into_iter(),
        );
    }
}
