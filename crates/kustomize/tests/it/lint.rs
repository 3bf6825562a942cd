//! Findings recorded for small trees.
//!
//! A case is one file, as those of builds are: lines `-- path --` begin a file of the tree, and
//! `-- findings --` the findings as a terminal shows them. Run the tests with `GOLDEN_UPDATE=1` to
//! write the findings anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tree::{Isolated, Tree, TreeBuilder, TreePath};

use crate::sections::{files, sections};

const FINDINGS: &str = "findings";

fn cases() -> Vec<PathBuf> {
    files("golden_lint")
}

fn tree(sections: &[(String, String)]) -> Tree {
    let mut builder = TreeBuilder::default();
    for (path, text) in sections.iter().filter(|(name, _)| name != FINDINGS) {
        let path = TreePath::new(path).expect("cases stay inside");
        builder.file(path, text.as_bytes());
    }
    builder.build()
}

fn findings(tree: &Tree, roots: &[TreePath]) -> String {
    let found = kustomize::lint(tree, &kustomize::Options::default(), &Isolated, roots);
    let shown: Vec<String> = found.iter().map(|finding| finding.render()).collect();
    let lines: Vec<String> = shown
        .join("\n")
        .lines()
        .map(|line| line.trim_end().to_owned() + "\n")
        .collect();
    lines.concat()
}

#[test]
fn recorded_findings_are_equal() {
    let update = std::env::var_os("GOLDEN_UPDATE").is_some();
    let mut different = Vec::new();
    for file in cases() {
        let text = fs::read_to_string(&file).expect("cases are readable");
        let mut sections = sections(&text);
        let found = findings(&tree(&sections), &[]);
        let wanted = sections
            .iter()
            .find(|(name, _)| name == FINDINGS)
            .map_or("", |(_, content)| content);
        if wanted == found && text.contains("-- findings --") {
            continue;
        }
        if !update {
            let name = file.file_stem().unwrap_or_default().to_string_lossy();
            different.push(format!("{name}\n--- wanted\n{wanted}--- got\n{found}"));
            continue;
        }
        sections.retain(|(name, _)| name != FINDINGS);
        sections.push((FINDINGS.to_owned(), found));
        let text: String = sections
            .iter()
            .map(|(name, content)| format!("-- {name} --\n{content}"))
            .collect();
        fs::write(&file, text).expect("cases can be written");
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn clean_trees_have_no_findings() {
    for file in cases() {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        if name.starts_with("clean_") {
            let text = fs::read_to_string(&file).expect("cases are readable");
            assert_eq!(findings(&tree(&sections(&text)), &[]), "", "{name}");
        }
    }
}

#[test]
fn every_code_has_a_case() {
    let source = Path::new("src/lint");
    let mut cases_text = String::new();
    for file in cases() {
        cases_text.push_str(&fs::read_to_string(file).expect("cases are readable"));
    }
    let mut codes = 0;
    for file in fs::read_dir(source).expect("the folder is there").flatten() {
        let text = fs::read_to_string(file.path()).expect("sources are readable");
        for (_, rest) in text.split("Code(\"").skip(1).map(|rest| ("", rest)) {
            let code = rest.split('"').next().unwrap_or_default();
            codes += 1;
            assert!(
                cases_text.contains(&format!("warning[{code}]")),
                "no case shows {code}"
            );
        }
    }
    assert!(codes > 15, "found only {codes} codes");
}

#[test]
fn only_the_roots_that_are_asked_for_are_linted() {
    let files = [
        ("a/kustomization.yaml", "bases: [../c]\n"),
        ("b/kustomization.yaml", "bases: [../c]\n"),
        ("c/kustomization.yaml", "resources: []\n"),
    ];
    let files: Vec<_> = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect();
    let tree = tree(&files);
    let root = TreePath::new("a").expect("a path");
    let found = findings(&tree, &[root]);
    assert!(found.contains("a/kustomization.yaml:1:1"), "{found}");
    assert!(!found.contains("b/kustomization.yaml"), "{found}");
    assert_eq!(findings(&tree, &[]).matches("DeprecatedField]").count(), 2);
}

/// What lint finds in the trees of the reference's own tests, deprecated fields aside. Where these
/// numbers jump, a code has begun to cry wolf.
const KRUSTY: &str = "ConfigurationUnused 1, FieldLetterCase 4, FieldRepeated 2, ImageUnmatched 11, PatchReplacesList 1, PatchTargetNotFound 3, ResourceUnlisted 3";

#[test]
fn the_reference_tests_are_nearly_clean() {
    let Some(folder) = testkit::corpus("kustomize/krusty") else {
        return;
    };
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for file in fs::read_dir(folder)
        .expect("the corpus is readable")
        .flatten()
    {
        let text = fs::read_to_string(file.path()).expect("cases are readable");
        let case = crate::krusty::read(&text, "");
        let found = kustomize::lint(&case.tree, &case.options, &Isolated, &[]);
        for finding in found
            .iter()
            .filter(|finding| finding.severity == diag::Severity::Warning)
        {
            *counts.entry(finding.code.0).or_default() += 1;
        }
    }
    counts.remove("DeprecatedField");
    let counts: Vec<String> = counts
        .iter()
        .map(|(code, count)| format!("{code} {count}"))
        .collect();
    assert_eq!(counts.join(", "), KRUSTY);
}

#[test]
fn hostile_trees_end() {
    let elements = |count: usize| -> String {
        (0..count)
            .map(|at| format!("{{name: a{at}, b: c}}, "))
            .collect()
    };
    let object = format!(
        "apiVersion: x.io/v1\nkind: X\nmetadata: {{name: x}}\nspec: [{}]\n",
        elements(20_000)
    );
    let pod = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec: {{containers: [{{name: a, ports: [{}]}}]}}\n",
        "{containerPort: 1}, ".repeat(20_000)
    );
    let copy = "{source: {kind: X, fieldPath: spec}, targets: [{select: {kind: X}, fieldPaths: [a.x, a.y], options: {create: true}}]}";
    let replacements = format!(
        "resources: [x.yaml]\nreplacements: [{}]",
        vec![copy; 60].join(", ")
    );
    let trees: [&[(&str, &str)]; 6] = [
        &[],
        &[
            ("kustomization.yaml", "resources: [.]"),
            ("b.yaml", "a: &a [*a]"),
        ],
        &[
            (
                "kustomization.yaml",
                "resources: [x.yaml, pod.yaml]\npatches: [{path: x.yaml}, {path: pod.yaml}]",
            ),
            ("x.yaml", &object),
            ("pod.yaml", &pod),
        ],
        &[("kustomization.yaml", &replacements), ("x.yaml", &object)],
        &[
            ("a/kustomization.yaml", "resources: [../b]"),
            ("b/kustomization.yaml", "resources: [../a]"),
        ],
        &[("kustomization.yaml", "\u{0}"), ("Kustomization", "[[[[")],
    ];
    for files in trees {
        let tree: Tree = files.iter().copied().collect();
        drop(findings(&tree, &[]));
    }
}

#[test]
fn recorded_builds_can_be_linted() {
    let folder = Path::new("tests/golden");
    for file in fs::read_dir(folder).expect("the folder is there").flatten() {
        let text = fs::read_to_string(file.path()).expect("cases are readable");
        let mut sections = sections(&text);
        sections.retain(|(name, _)| name != "output" && name != "error");
        // No panic, and the same findings twice.
        let tree = tree(&sections);
        assert_eq!(findings(&tree, &[]), findings(&tree, &[]));
    }
}
