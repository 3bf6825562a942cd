//! The builds recorded from the reference library's own tests.

use std::fs;

use object::Node;
use tree::{Isolated, Tree, TreeBuilder, TreePath};

/// Recorded builds whose output is equal; it only grows.
const EQUAL_OUTPUTS_MIN: usize = 260;

/// Recorded failures that fail here too; it only grows.
const EQUAL_FAILURES_MIN: usize = 38;

pub struct Case {
    name: String,
    pub tree: Tree,
    path: TreePath,
    pub options: kustomize::Options,
    output: String,
    error: String,
    plugins: bool,
}

pub fn read(text: &str, name: &str) -> Case {
    let value =
        object::json::parse(text.as_bytes(), object::json::ANSWER_LIMITS).expect("cases are JSON");
    let path = |text: &str| TreePath::new(text.trim_start_matches('/')).expect("cases stay inside");
    let mut builder = TreeBuilder::default();
    let files = value
        .get("tree")
        .and_then(Node::as_map)
        .expect("a case has files");
    for (file, content) in files.iter() {
        builder.file(path(file), content.as_str().unwrap_or_default().as_bytes());
    }
    for (file, content) in value
        .get("tree_base64")
        .and_then(Node::as_map)
        .into_iter()
        .flat_map(|map| map.iter())
    {
        builder.file(path(file), decode(content.as_str().unwrap_or_default()));
    }
    let text = |keys: &[&str]| value.str_at(keys).unwrap_or_default().to_owned();
    let number = |keys: &[&str]| value.at(keys).and_then(Node::as_i64).unwrap_or_default();
    let flag = |keys: &[&str]| value.at(keys).and_then(Node::as_bool).unwrap_or_default();
    Case {
        name: name.to_owned(),
        tree: builder.build(),
        path: path(&text(&["path"])),
        options: kustomize::Options {
            root_only: number(&["options", "LoadRestrictions"]) == 1,
            order: match text(&["options", "Reorder"]).as_str() {
                "none" => kustomize::Order::Fifo,
                _ => kustomize::Order::Legacy,
            },
            managed_by_label: flag(&["options", "AddManagedbyLabel"]),
            version: "(devel)".into(),
            absolute_paths: true,
            ..kustomize::Options::default()
        },
        output: text(&["out"]),
        error: text(&["err"]),
        plugins: number(&["options", "PluginConfig", "PluginRestrictions"]) == 2
            || flag(&["options", "PluginConfig", "FnpLoadingOptions", "EnableExec"]),
    }
}

fn decode(text: &str) -> Vec<u8> {
    let digits = text
        .bytes()
        .filter(|byte| *byte != b'=')
        .filter_map(|byte| match byte {
            b'A'..=b'Z' => Some(byte - b'A'),
            b'a'..=b'z' => Some(byte - b'a' + 26),
            b'0'..=b'9' => Some(byte - b'0' + 52),
            b'+' => Some(62),
            b'/' => Some(63),
            _ => None,
        });
    let digits: Vec<u8> = digits.collect();
    digits
        .chunks(4)
        .flat_map(|chunk| {
            let group = chunk
                .iter()
                .fold(0u32, |group, digit| group << 6 | u32::from(*digit))
                << (6 * (4 - chunk.len()));
            group.to_be_bytes()[1..chunk.len()].to_vec()
        })
        .collect()
}

#[test]
fn recorded_builds_are_equal() {
    let Some(folder) = testkit::corpus("kustomize/krusty") else {
        return;
    };
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("the corpus is readable")
        .flatten()
        .map(|entry| entry.path())
        .collect();
    files.sort();
    let only = std::env::var("KRUSTY_ONLY").ok();
    let (mut equal, mut failing, mut refused, mut worded) = (0, 0, 0, 0);
    let mut different = Vec::new();
    for file in &files {
        let name = file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if only
            .as_ref()
            .is_some_and(|only| !name.contains(only.as_str()))
        {
            continue;
        }
        let case = read(
            &fs::read_to_string(file).expect("cases are readable"),
            &name,
        );
        let (result, _) = kustomize::build(&case.tree, &case.path, &case.options, &Isolated);
        match result {
            Ok(_) if !case.error.is_empty() => {
                different.push(format!("{}: builds, wanted: {}", case.name, case.error))
            }
            Ok(build) => {
                let output = build.to_yaml();
                if output == case.output {
                    equal += 1;
                } else {
                    different.push(format!(
                        "{}:\n{}",
                        case.name,
                        difference(&case.output, &output)
                    ));
                }
            }
            Err(errors) if case.error.is_empty() && case.plugins => {
                let text = errors[0].reference();
                // Some of these were recorded without their files, which lay outside the case.
                let without_files = text.contains("/tmp/");
                if without_files || text.contains("plugin") {
                    refused += 1;
                } else {
                    different.push(format!("{}: refused with {text}", case.name));
                }
            }
            Err(errors) if case.error.is_empty() => {
                different.push(format!(
                    "{}: fails with {}",
                    case.name,
                    errors[0].reference()
                ));
            }
            Err(errors) => {
                failing += 1;
                if errors[0].reference() == case.error {
                    worded += 1;
                } else if only.is_some() {
                    eprintln!(
                        "{}:\n  wanted {}\n  got    {}",
                        case.name,
                        case.error,
                        errors[0].reference()
                    );
                }
            }
        }
    }
    for text in &different {
        eprintln!("{text}\n");
    }
    eprintln!(
        "{} cases: {equal} outputs equal, {failing} failures equal ({worded} word for word), {refused} plugins refused, {} different",
        files.len(),
        different.len()
    );
    if only.is_none() {
        assert!(
            equal >= EQUAL_OUTPUTS_MIN,
            "{equal} outputs equal, {EQUAL_OUTPUTS_MIN} before"
        );
        assert!(
            failing >= EQUAL_FAILURES_MIN,
            "{failing} failures equal, {EQUAL_FAILURES_MIN} before"
        );
    }
}

/// The first lines that differ, with a little before them.
fn difference(wanted: &str, got: &str) -> String {
    let (wanted, got): (Vec<_>, Vec<_>) = (wanted.lines().collect(), got.lines().collect());
    let first = wanted.iter().zip(&got).take_while(|(a, b)| a == b).count();
    let from = first.saturating_sub(3);
    let show = |lines: &[&str]| {
        lines
            .iter()
            .skip(from)
            .take(12)
            .map(|line| format!("    {line}\n"))
            .collect::<String>()
    };
    format!("  wanted\n{}  got\n{}", show(&wanted), show(&got))
}
