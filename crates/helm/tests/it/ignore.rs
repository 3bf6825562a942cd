//! `.helmignore`, recorded from Helm 4.3.1: what is left of a folder, `.helmignore` itself aside.

use helm::Profile;

use crate::support::chart;

const ALL: &str = ".hidden README.md a.txt docs/a.txt docs/b.md docs/deep/a.txt keep.txt";

#[test]
fn rules_leave_what_the_reference_leaves() {
    for (rules, left) in [
        ("", ALL),
        ("*.txt", ".hidden README.md docs/b.md"),
        (
            "/a.txt",
            ".hidden README.md docs/a.txt docs/b.md docs/deep/a.txt keep.txt",
        ),
        ("docs/", ".hidden README.md a.txt keep.txt"),
        ("docs", ".hidden README.md a.txt keep.txt"),
        (
            "docs/*.txt",
            ".hidden README.md a.txt docs/b.md docs/deep/a.txt keep.txt",
        ),
        (
            "docs/a.*",
            ".hidden README.md a.txt docs/b.md docs/deep/a.txt keep.txt",
        ),
        ("[a-k]*", ".hidden README.md"),
        ("?.txt", ".hidden README.md docs/b.md keep.txt"),
        ("# a.txt", ALL),
        ("  a.txt  ", ".hidden README.md docs/b.md keep.txt"),
        (
            "docs/deep/",
            ".hidden README.md a.txt docs/a.txt docs/b.md keep.txt",
        ),
        ("a.txt/", ALL),
        (
            ".*",
            "README.md a.txt docs/a.txt docs/b.md docs/deep/a.txt keep.txt",
        ),
        (
            "/docs/deep",
            ".hidden README.md a.txt docs/a.txt docs/b.md keep.txt",
        ),
        ("deep/a.txt", ALL),
        ("a.txt\ndocs/deep", ".hidden README.md docs/b.md keep.txt"),
        ("\u{feff}a.txt\r\n", ".hidden README.md docs/b.md keep.txt"),
        // Whatever does not match such a rule goes, Chart.yaml first of all.
        ("*.md\n!README.md", "Chart.yaml file is missing"),
        ("!keep.txt", "Chart.yaml file is missing"),
        ("!docs/", "Chart.yaml file is missing"),
        ("*", "Chart.yaml file is missing"),
        ("a/**/b", "double-star (**) syntax is not supported"),
        ("[z", "syntax error in pattern"),
    ] {
        let mut files = vec![
            (".helmignore", rules),
            ("Chart.yaml", "{apiVersion: v2, name: ig, version: 1.0.0}"),
            ("templates/.dot", "x"),
            ("templates/v.yaml", "x"),
            ("templates/sub/.dot", "x"),
        ];
        files.extend(ALL.split(' ').map(|name| (name, "x")));
        let got = match chart(&files, Profile::Helm4) {
            Ok(chart) => {
                let names = chart.files.iter().map(|file| &*file.name);
                let names: Vec<&str> = names.filter(|name| *name != ".helmignore").collect();
                names.join(" ")
            }
            Err(error) => error.to_string(),
        };
        assert_eq!(got, left, "{rules:?}");
    }
}

#[test]
fn hidden_files_right_in_templates_are_no_templates() {
    let files = [
        ("Chart.yaml", "{apiVersion: v2, name: ig, version: 1.0.0}"),
        ("templates/.dot", "x"),
        ("templates/sub/.dot", "x"),
    ];
    let chart = chart(&files, Profile::Helm4).unwrap();
    let names: Vec<&str> = chart.templates.iter().map(|file| &*file.name).collect();
    assert_eq!(names, ["templates/sub/.dot"]);
}
