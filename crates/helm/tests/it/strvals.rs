//! Flags such as `--set`, recorded from Helm 4.3.1 and 3.22.0 over a file of
//! `{s: str, l: [a, {k: v}, [1, 2]], m: {x: 1}}`.

use helm::{Profile, UserValues};

use crate::support::{chart, values, values_file};

/// Rows: the flag and its text; behind `=` what comes of it; behind `3=` what Helm 3 says instead.
const ROWS: &str = include_str!("strvals.txt");

fn run(flag: &str, text: &str, profile: Profile) -> String {
    let mut user = UserValues {
        files: vec![values_file(
            "base.yaml",
            "s: str\nl: [a, {k: v}, [1, 2]]\nm: {x: 1}\n",
        )],
        ..UserValues::default()
    };
    let list = match flag {
        "--set" => &mut user.set,
        "--set-string" => &mut user.set_string,
        "--set-json" => &mut user.set_json,
        "--set-file" => &mut user.set_file,
        "--set-literal" => &mut user.set_literal,
        _ => panic!("{flag}"),
    };
    list.push(text.to_owned());
    let files = [("Chart.yaml", "{apiVersion: v2, name: top, version: 1.0.0}")];
    let chart = chart(&files, profile).unwrap();
    let values = values(&chart, &user, profile);
    values.strip_prefix("Error: ").unwrap_or(&values).to_owned()
}

#[test]
fn flags_give_what_the_reference_gives() {
    let mut lines = ROWS.lines().peekable();
    let mut count = 0;
    while let Some(line) = lines.next() {
        let (flag, text) = line.split_once(' ').unwrap();
        let helm4 = lines.next().unwrap().strip_prefix("  =").unwrap();
        let other = lines.next_if(|line| line.starts_with("  3="));
        let helm3 = other.map_or(helm4, |line| &line[4..]);
        assert_eq!(run(flag, text, Profile::Helm4), helm4, "{line}");
        assert_eq!(run(flag, text, Profile::Helm3), helm3, "{line}, Helm 3");
        count += 1;
    }
    assert!(count > 70, "only {count} rows");
}

#[test]
fn numbers_of_flags_are_integers_and_those_of_files_are_not() {
    let user = UserValues {
        files: vec![values_file("base.yaml", "f: 1\n")],
        set: vec!["i=1".to_owned()],
        set_json: vec!["j=1".to_owned()],
        ..UserValues::default()
    };
    let values = user.merged(&crate::support::read, Profile::Helm4).unwrap();
    for (key, kind) in [("f", "float"), ("i", "int"), ("j", "float")] {
        assert_eq!(values.get(key).unwrap().type_name(), kind, "{key}");
    }
}

#[test]
fn nesting_and_padding_are_limited() {
    for text in [
        format!("a{}=1", "[0]".repeat(100_000)),
        format!("a{}=1", "[0].b".repeat(100_000)),
        format!("a{}", ".b".repeat(10_000)),
        (0..100)
            .map(|at| format!("a{at}[65536]=1"))
            .collect::<Vec<_>>()
            .join(","),
        format!("a={{{}", "a,{b,".repeat(10_000)),
    ] {
        for flag in ["--set", "--set-string"] {
            let answer = run(flag, &text, Profile::Helm4);
            assert!(answer.starts_with("failed parsing --set"), "{flag}");
        }
    }
    let deep = format!("a={}", "[".repeat(100_000));
    assert!(
        run("--set-json", &deep, Profile::Helm4).starts_with("failed parsing --set-json data a=[")
    );
}
