//! Fixed files recorded from the reference tool, and the tool itself where it is installed.
//!
//! A case is one file: lines `-- path --` begin a file of the tree, `-- in --` names the directory
//! that the tool runs in, `-- flags --` its flags. What the tool made of it follows: `-- fixed path --`
//! for every file that it changed, `-- stdout --` and `-- warnings --` what it printed, or `-- error --`.
//! `/ROOT` stands for the directory the tree lay in, `␍` for a carriage return, `␃` at the end of a file
//! for the absence of a last line feed. To add a case, write its tree and run the tests with
//! `GOLDEN_UPDATE=1` and the tool installed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use diag::Explain as _;
use kustomize::{Fix, FixOptions, Options};
use tree::{Entry, Isolated, Tree, TreeBuilder, TreePath};

use crate::sections::{files, sections};

const IN: &str = "in";
const FLAGS: &str = "flags";
const STDOUT: &str = "stdout";
const WARNINGS: &str = "warnings";
const ERROR: &str = "error";
const FIXED: &str = "fixed ";

/// A case as it is written.
struct Case {
    file: PathBuf,
    directory: String,
    flags: String,
    files: BTreeMap<String, String>,
    answer: Answer,
}

/// What a fix gives, as text.
#[derive(Debug, Default, PartialEq)]
struct Answer {
    fixed: BTreeMap<String, String>,
    stdout: String,
    warnings: String,
    error: String,
}

fn cases() -> Vec<Case> {
    files("golden_fix").into_iter().map(read).collect()
}

fn read(file: PathBuf) -> Case {
    let text = fs::read_to_string(&file).expect("cases are readable");
    let mut case = Case {
        file,
        directory: String::new(),
        flags: String::new(),
        files: BTreeMap::new(),
        answer: Answer::default(),
    };
    for (name, content) in sections(&text) {
        let content = content.replace("␃\n", "").replace('␍', "\r");
        match name.as_str() {
            IN => case.directory = content.trim().to_owned(),
            FLAGS => case.flags = content.trim().to_owned(),
            STDOUT => case.answer.stdout = content,
            WARNINGS => case.answer.warnings = content,
            ERROR => case.answer.error = content,
            _ => match name.strip_prefix(FIXED) {
                Some(path) => drop(case.answer.fixed.insert(path.to_owned(), content)),
                None => drop(case.files.insert(name.to_owned(), content)),
            },
        }
    }
    case
}

impl Case {
    fn name(&self) -> String {
        let name = self.file.file_stem().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    fn tree(&self) -> Tree {
        let files = self.files.iter();
        files
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect()
    }

    fn ours(&self) -> Answer {
        let options = FixOptions {
            vars: self.flags.contains("--vars"),
            build: Options {
                root: "/ROOT".into(),
                ..Options::default()
            },
        };
        let directory = TreePath::new(&self.directory).expect("cases stay inside");
        match kustomize::fix(&self.tree(), &directory, &options, &Isolated) {
            Ok(fix) => answer(fix),
            Err(errors) => Answer {
                error: format!("{}\n", errors[0].reference().trim_end()),
                ..Answer::default()
            },
        }
    }

    /// What the tool makes of the case.
    fn theirs(&self, tool: &Path) -> Answer {
        let folder = std::env::temp_dir().join(format!(
            "kustomize-fix-{}-{}",
            std::process::id(),
            self.name()
        ));
        for (path, text) in &self.files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().expect("a file is in a folder"))
                .expect("temporary folders can be made");
            fs::write(path, text).expect("temporary files can be written");
        }
        let ran = Command::new(tool)
            .args(["edit", "fix"])
            .args(self.flags.split_whitespace())
            .current_dir(folder.join(&self.directory))
            .output()
            .expect("the tool starts");
        let root = fs::canonicalize(&folder).expect("the folder is there");
        let plain = |bytes: &[u8]| {
            String::from_utf8_lossy(bytes).replace(&*root.to_string_lossy(), "/ROOT")
        };
        let stderr = plain(&ran.stderr);
        let mut answer = Answer::default();
        if ran.status.success() {
            for (path, before) in &self.files {
                let after = fs::read_to_string(folder.join(path)).expect("files stay");
                if after != *before {
                    answer.fixed.insert(path.clone(), after);
                }
            }
            answer.stdout = plain(&ran.stdout);
            answer.warnings = stderr
                .lines()
                .map(|line| format!("{}\n", without_date(line)))
                .collect();
        } else {
            let text = match stderr.split_once("panic: ") {
                Some((_, panic)) => panic.lines().next().unwrap_or_default(),
                None => {
                    let text = stderr.split_once("Error: ").map_or("", |(_, text)| text);
                    text.split_once("\nUsage:").map_or(text, |(text, _)| text)
                }
            };
            answer.error = format!("{}\n", text.trim_end());
        }
        fs::remove_dir_all(&folder).expect("temporary folders can be removed");
        answer
    }

    fn text(&self, answer: &Answer) -> String {
        let mut text = String::new();
        let mut add = |name: &str, content: &str| {
            let content = content.replace('\r', "␍");
            let end = match content.is_empty() || content.ends_with('\n') {
                true => "",
                false => "␃\n",
            };
            text.push_str(&format!("-- {name} --\n{content}{end}"));
        };
        for (name, content) in [(IN, &self.directory), (FLAGS, &self.flags)] {
            if !content.is_empty() {
                add(name, &format!("{content}\n"));
            }
        }
        for (path, content) in &self.files {
            add(path, content);
        }
        for (path, content) in &answer.fixed {
            add(&format!("{FIXED}{path}"), content);
        }
        let printed = [
            (STDOUT, &answer.stdout),
            (WARNINGS, &answer.warnings),
            (ERROR, &answer.error),
        ];
        for (name, content) in printed {
            if !content.is_empty() {
                add(name, content);
            }
        }
        text
    }
}

fn answer(fix: Fix) -> Answer {
    let lines = |texts: Vec<String>| texts.into_iter().map(|text| format!("{text}\n")).collect();
    let warnings = fix.warnings.into_iter();
    Answer {
        fixed: fix
            .files
            .into_iter()
            .map(|(path, text)| (path.to_string(), text))
            .collect(),
        stdout: lines(fix.notes),
        // Of what we warn about, the tool says this.
        warnings: lines(
            warnings
                .filter(|warning| matches!(warning.code.0, "DeprecatedField" | "VariableUnused"))
                .map(|warning| warning.message)
                .collect(),
        ),
        error: String::new(),
    }
}

/// What was printed without the dumps of objects and plugins that some errors of a build hold.
fn comparable(printed: &str) -> String {
    const DUMPS: [(&str, &str); 2] = [
        ("HelmChartInflationGenerator with config: `", "`: "),
        ("node contents:\n", ""),
    ];
    for (begin, end) in DUMPS {
        if let Some((before, rest)) = printed.split_once(begin) {
            let after = match end {
                "" => "",
                end => rest.split_once(end).map_or("", |(_, after)| after),
            };
            return format!("{before}{begin}{end}{after}");
        }
    }
    printed.to_owned()
}

/// A line of a log without the moment it was written at.
fn without_date(line: &str) -> &str {
    let shape = b"0000/00/00 00:00:00 ";
    let is_dated = line.len() > shape.len()
        && line.bytes().zip(shape).all(|(byte, wanted)| match wanted {
            b'0' => byte.is_ascii_digit(),
            _ => byte == *wanted,
        });
    if is_dated { &line[shape.len()..] } else { line }
}

#[test]
fn recorded_fixes_of_the_tool_are_equal() {
    let mut different = Vec::new();
    let cases = cases();
    for case in &cases {
        let ours = case.ours();
        let is_equal = ours.fixed == case.answer.fixed
            && comparable(&ours.stdout) == comparable(&case.answer.stdout)
            && ours.warnings == case.answer.warnings
            && ours.error == case.answer.error;
        if !is_equal {
            let (wanted, got) = (case.text(&case.answer), case.text(&ours));
            different.push(format!(
                "{}\n--- wanted\n{wanted}--- got\n{got}",
                case.name()
            ));
        }
    }
    assert!(
        different.is_empty(),
        "{} of {} differ\n{}",
        different.len(),
        cases.len(),
        different.join("\n")
    );
}

#[test]
fn recorded_fixes_are_what_the_tool_makes() {
    let Some(tool) = testkit::reference_tool("kustomize") else {
        return;
    };
    let update = std::env::var_os("GOLDEN_UPDATE").is_some();
    for case in cases() {
        let theirs = case.theirs(&tool);
        if update {
            fs::write(&case.file, case.text(&theirs)).expect("cases can be written");
        } else {
            assert_eq!(theirs, case.answer, "{}", case.name());
        }
    }
}

/// Cases whose texts hold lines that look like comments or are empty: those move with every fix.
const MOVING: [&str; 3] = [
    "comment_like_lines_in_text",
    "vars_escaped_in_quotes",
    "vars_windows_lines",
];

/// Fixing what was fixed changes nothing: the file is in the form that the fix gives it.
#[test]
fn a_fixed_file_stays_as_it_is() {
    for case in cases() {
        if !case.answer.error.is_empty() || MOVING.contains(&case.name().as_str()) {
            continue;
        }
        let mut builder = TreeBuilder::default();
        for (path, text) in case.files.iter().chain(&case.answer.fixed) {
            let path = TreePath::new(path).expect("cases stay inside");
            builder.file(path, text.as_bytes());
        }
        let directory = TreePath::new(&case.directory).expect("cases stay inside");
        let options = FixOptions::default();
        let again = kustomize::fix(&builder.build(), &directory, &options, &Isolated);
        let files = again.expect("what was fixed can be read").files;
        assert_eq!(files, BTreeMap::new(), "{}", case.name());
    }
}

fn check_errors(files: &[(&str, &str)], expected: &[&str]) {
    let tree: Tree = files.iter().copied().collect();
    let options = FixOptions {
        vars: true,
        ..FixOptions::default()
    };
    let errors = kustomize::fix(&tree, &TreePath::root(), &options, &Isolated)
        .expect_err("the files are wrong");
    let errors: Vec<String> = errors
        .iter()
        .map(|error| {
            let span = error
                .span()
                .map(|span| format!("{span}: "))
                .unwrap_or_default();
            format!("{span}{} {}", error.code().0, error.reference())
        })
        .collect();
    assert_eq!(errors, expected);
}

#[test]
fn every_error_is_given_with_its_place() {
    check_errors(
        &[(
            "kustomization.yaml",
            "resource: []\nnamespace: [a]\nfoo: 1\n",
        )],
        &[
            "kustomization.yaml:3:6: KustomizationInvalid invalid Kustomization: json: unknown field \"foo\"",
            "kustomization.yaml:2:1: KustomizationInvalid invalid Kustomization: json: cannot unmarshal array into Go struct field Kustomization.namespace of type string",
            "kustomization.yaml:1:1: KustomizationInvalid invalid Kustomization: json: unknown field \"resource\"",
        ],
    );
    check_errors(
        &[(
            "kustomization.yaml",
            "commonLabels: {a: b}\nlabels:\n- pairs:\n    c: d\n    a: e\n",
        )],
        &[
            "kustomization.yaml:5:8: KustomizationInvalid label name 'a' exists in both commonLabels and labels",
        ],
    );
    check_errors(
        &[
            (
                "kustomization.yaml",
                "resources: [a.yaml]\nvars: [{name: V, objref: {kind: K, name: x}}]\n",
            ),
            ("a.yaml", "kind: A\ndata:\n  a: x/$(V):y\n  b: $$(V)$\n"),
        ],
        &[
            "a.yaml:3:6: VariableFailed error with a.yaml: cannot convert all vars to replacements; $(V) is not delimited",
            "a.yaml:4:6: VariableFailed error with a.yaml: internal error: could not get index of var $(V)",
        ],
    );
}

/// Bytes that mean something to one of the readers.
const ODD: &[u8] = b"$(V){}[]:-&*!|>#'\"%@`\n\r\t \x00\x7f\xff.";

/// Cuts, doubles and adds bytes of the cases; only that nothing panics is looked at.
#[test]
fn no_input_panics() {
    let mut seed = 7_u64;
    let mut random = |below: usize| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below.max(1)
    };
    for case in cases() {
        for _ in 0..10 {
            let mut builder = TreeBuilder::default();
            for (path, text) in &case.files {
                let mut bytes = text.clone().into_bytes();
                for _ in 0..random(4) {
                    let at = random(bytes.len());
                    match random(5) {
                        0 => bytes.truncate(at),
                        1 => bytes.extend_from_within(at..),
                        2 if at < bytes.len() => drop(bytes.remove(at)),
                        _ => bytes.insert(at, ODD[random(ODD.len())]),
                    }
                }
                let path = TreePath::new(path).expect("cases stay inside");
                builder.file(path, bytes);
            }
            let options = FixOptions {
                vars: random(2) == 0 || case.flags.contains("--vars"),
                ..FixOptions::default()
            };
            let directory = TreePath::new(&case.directory).expect("cases stay inside");
            drop(kustomize::fix(
                &builder.build(),
                &directory,
                &options,
                &Isolated,
            ));
        }
    }
}

#[test]
fn links_are_followed_inside_the_tree_only() {
    let path = |text: &str| TreePath::new(text).expect("paths in samples stay inside");
    let mut builder = TreeBuilder::default();
    builder.file(
        path("shared/k.yaml"),
        *b"resources: [in.yaml, out.yaml, loop.yaml]\nvars: [{name: V, objref: {kind: K, name: x}}]\n",
    );
    builder.file(path("shared/in.yaml"), *b"kind: A\na: $(V)\n");
    for (link, target) in [
        ("a/kustomization.yaml", "../shared/k.yaml"),
        ("a/in.yaml", "../shared/in.yaml"),
        ("a/out.yaml", "../../outside.yaml"),
        ("a/loop.yaml", "loop.yaml"),
        ("b/kustomization.yaml", "/etc/passwd"),
        ("c/kustomization.yaml", "kustomization.yaml"),
    ] {
        builder.add(path(link), Entry::Link(target.into()));
    }
    let tree = builder.build();
    let options = FixOptions {
        vars: true,
        ..FixOptions::default()
    };
    let run = |directory: &str| kustomize::fix(&tree, &path(directory), &options, &Isolated);
    let files = run("a").expect("links inside are followed").files;
    let names: Vec<&str> = files.keys().map(TreePath::as_str).collect();
    assert_eq!(names, ["shared/in.yaml", "shared/k.yaml"]);
    for directory in ["b", "c"] {
        let errors = run(directory).expect_err("there is no file");
        assert_eq!(errors[0].code().0, "KustomizationNotFound");
    }
}

#[test]
fn work_is_bounded() {
    let vars = |count: usize| -> String {
        (0..count)
            .map(|at| format!("- {{name: v{at}, objref: {{kind: K, name: x}}}}\n"))
            .collect()
    };
    let references: String = (0..11).map(|at| format!("$(v{at}) ")).collect();
    let texts: String = (0..10_000)
        .map(|at| format!("k{at}: {references}\n"))
        .collect();
    let listed = "- a.yaml\n".repeat(21_000);
    let cases = [
        (format!("resources: [a.yaml]\nvars:\n{}", vars(11)), texts),
        (format!("vars:\n{}", vars(1_100)), String::new()),
        (format!("resources:\n{listed}vars: []\n"), String::new()),
    ];
    for (kustomization, file) in &cases {
        let tree: Tree = [
            ("kustomization.yaml", kustomization.as_str()),
            ("a.yaml", file.as_str()),
        ]
        .into_iter()
        .collect();
        let options = FixOptions {
            vars: true,
            ..FixOptions::default()
        };
        let errors = kustomize::fix(&tree, &TreePath::root(), &options, &Isolated);
        let errors = errors.expect_err("that is too much");
        assert_eq!(errors[0].code().0, "LimitReached", "{errors:?}");
    }
}

#[test]
fn replacements_that_are_dropped_are_warned_about() {
    let tree: Tree = [(
        "kustomization.yaml",
        "vars: []\nreplacements:\n- path: r.yaml\n",
    )]
    .into_iter()
    .collect();
    let options = FixOptions {
        vars: true,
        ..FixOptions::default()
    };
    let fix = kustomize::fix(&tree, &TreePath::root(), &options, &Isolated);
    let warning = fix.expect("the file is valid").warnings.swap_remove(0);
    assert_eq!(warning.code.0, "ReplacementsDropped");
    let place = warning.span.expect("its place is known").to_string();
    assert_eq!(place, "kustomization.yaml:2:1");
}

#[test]
fn kustomizations_in_a_circle_are_refused() {
    let tree: Tree = [
        ("kustomization.yaml", "resources: [base]\nvars: []\n"),
        ("base/kustomization.yaml", "resources: [base, base]\n"),
    ]
    .into_iter()
    .collect();
    let options = FixOptions {
        vars: true,
        ..FixOptions::default()
    };
    let errors = kustomize::fix(&tree, &TreePath::root(), &options, &Isolated);
    let errors = errors.expect_err("the base lists itself");
    assert_eq!(errors[0].code().0, "BaseCycle");
}
