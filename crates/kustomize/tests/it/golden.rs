//! Builds recorded from the reference tool, and the tool itself where it is installed.
//!
//! A case is one file: lines `-- path --` begin a file of the tree, `-- output --` and `-- error --`
//! what the tool printed. `/ROOT` stands for the directory the tree lay in. To add a case, write its
//! tree and run the tests with `GOLDEN_UPDATE=1` and the tool installed.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tree::{Isolated, Tree, TreeBuilder, TreePath};

use crate::sections::{files, sections};

const OUTPUT: &str = "output";
const ERROR: &str = "error";

struct Case {
    file: PathBuf,
    files: Vec<(String, String)>,
    output: String,
    error: String,
}

fn cases() -> Vec<Case> {
    files("golden").into_iter().map(read).collect()
}

fn read(file: PathBuf) -> Case {
    let text = fs::read_to_string(&file).expect("cases are readable");
    let mut case = Case {
        file,
        files: Vec::new(),
        output: String::new(),
        error: String::new(),
    };
    for (name, content) in sections(&text) {
        match name.as_str() {
            OUTPUT => case.output = content,
            ERROR => case.error = content,
            _ => case.files.push((name, content)),
        }
    }
    case
}

impl Case {
    fn tree(&self) -> Tree {
        let mut builder = TreeBuilder::default();
        for (path, text) in &self.files {
            builder.file(
                TreePath::new(path).expect("cases stay inside"),
                text.as_bytes(),
            );
        }
        builder.build()
    }

    fn name(&self) -> String {
        self.file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    }
}

/// An error without what differs from run to run or is a dump of the tool's own values.
pub(crate) fn comparable(error: &str) -> String {
    if error.starts_with("map[string]interface {}")
        && let Some(at) = ["json: ", "yaml: "]
            .iter()
            .filter_map(|word| error.rfind(word))
            .max()
    {
        // The line is one of a text that only the tool has written.
        let problem = match error[at..].strip_prefix("yaml: line ") {
            Some(rest) => rest.split_once(": ").map_or(rest, |(_, problem)| problem),
            None => error[at..].trim_start_matches("yaml: "),
        };
        return problem.to_owned();
    }
    match error
        .strip_prefix("merging from generator &{")
        .and_then(|rest| rest.split_once(' '))
    {
        Some((_, rest)) => format!("merging from generator &{{{rest}"),
        None => error.to_owned(),
    }
}

#[test]
fn recorded_builds_of_the_tool_are_equal() {
    let options = kustomize::Options {
        root: "/ROOT".into(),
        ..kustomize::Options::default()
    };
    let mut different = Vec::new();
    let cases = cases();
    for case in &cases {
        let (result, _) = kustomize::build(&case.tree(), &TreePath::root(), &options, &Isolated);
        let (output, error) = match result {
            Ok(build) => (build.to_yaml(), String::new()),
            Err(errors) => (
                String::new(),
                format!("{}\n", errors[0].reference().trim_end()),
            ),
        };
        if output != case.output || comparable(&error) != comparable(&case.error) {
            different.push(format!(
                "{}\n--- wanted\n{}{}--- got\n{output}{error}",
                case.name(),
                case.output,
                case.error
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
fn recorded_builds_are_what_the_tool_prints() {
    let Some(tool) = testkit::reference_tool("kustomize") else {
        return;
    };
    let update = std::env::var_os("GOLDEN_UPDATE").is_some();
    for case in cases() {
        let own = std::env::temp_dir().join(format!(
            "kustomize-golden-{}-{}",
            std::process::id(),
            case.name()
        ));
        // The name of the folder shows in some outputs.
        let folder = own.join("ROOT");
        for (path, text) in &case.files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().expect("a file is in a folder"))
                .expect("temporary folders can be made");
            fs::write(path, text).expect("temporary files can be written");
        }
        let ran = Command::new(&tool)
            .arg("build")
            .arg(&folder)
            .output()
            .expect("the tool starts");
        let root = fs::canonicalize(&folder).expect("the folder is there");
        fs::remove_dir_all(&own).expect("temporary folders can be removed");
        let plain = |bytes: &[u8]| {
            String::from_utf8_lossy(bytes).replace(&*root.to_string_lossy(), "/ROOT")
        };
        let output = plain(&ran.stdout);
        let error = match ran.status.success() {
            true => String::new(),
            false => plain(&ran.stderr)
                .split_once("Error: ")
                .map_or_else(String::new, |(_, text)| format!("{}\n", text.trim_end())),
        };
        if update {
            let mut text: String = case
                .files
                .iter()
                .map(|(path, text)| format!("-- {path} --\n{text}"))
                .collect();
            match error.is_empty() {
                true => text.push_str(&format!("-- {OUTPUT} --\n{output}")),
                false => text.push_str(&format!("-- {ERROR} --\n{error}")),
            }
            fs::write(&case.file, text).expect("cases can be written");
        } else {
            let (wanted, printed) = (comparable(&case.error), comparable(&error));
            assert_eq!(
                (output, printed),
                (case.output.clone(), wanted),
                "{}",
                case.name()
            );
        }
    }
}
