//! Kustomizations with charts: recorded from the reference tools, and those tools themselves where
//! they are installed.
//!
//! A case is one file in `tests/charts/cases`: lines `-- path --` begin a file of the tree,
//! `-- path = name --` puts a chart of `tests/charts/shared` there, `-- args --` holds the flags of
//! the tool, and `-- output --` and `-- error --` what it printed, without what it says of its own
//! run of Helm. `/ROOT` stands for the directory the tree lay in, `VALUES` for a file of values. To
//! add a case, write its tree and run the tests with `GOLDEN_UPDATE=1` and the tools installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use kustomize::{BuildError, Charts, Options};
use render::HelmCharts;
use tree::{Isolated, Tree, TreeBuilder, TreePath};

/// Cases; further ones are welcome, fewer mean that some were not found.
const CASES_MIN: usize = 90;

struct Case {
    file: PathBuf,
    sections: Vec<(String, String)>,
}

impl Case {
    fn read(file: PathBuf) -> Self {
        let text = fs::read_to_string(&file).expect("cases are readable");
        let mut sections: Vec<(String, String)> = Vec::new();
        for line in text.lines() {
            let name = line
                .strip_prefix("-- ")
                .and_then(|rest| rest.strip_suffix(" --"));
            match (name, sections.last_mut()) {
                (Some(name), _) => sections.push((name.to_owned(), String::new())),
                (None, Some((_, content))) => {
                    content.push_str(line);
                    content.push('\n');
                }
                (None, None) => panic!("a case begins with a name, not with {line}"),
            }
        }
        Self { file, sections }
    }

    fn name(&self) -> String {
        let name = self.file.file_stem().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    fn section(&self, wanted: &str) -> &str {
        let found = self.sections.iter().find(|(name, _)| name == wanted);
        found.map_or("", |(_, content)| content)
    }

    fn args(&self) -> Vec<&str> {
        self.section("args").lines().collect()
    }

    /// Every file of the tree.
    fn files(&self) -> Vec<(String, String)> {
        let mut files = Vec::new();
        for (name, content) in &self.sections {
            if matches!(name.as_str(), "args" | "output" | "error") {
                continue;
            }
            match name.split_once(" = ") {
                None => files.push((name.clone(), content.clone())),
                Some((path, chart)) => {
                    let shared = Path::new("tests/charts/shared").join(chart);
                    for (inside, content) in files_below(&shared) {
                        files.push((format!("{path}/{inside}"), content));
                    }
                }
            }
        }
        files
    }

    /// Builds it with our own code.
    fn build(&self) -> (String, String) {
        let mut folder = TreePath::root();
        let mut options = Options {
            root: "/ROOT".into(),
            ..with_charts()
        };
        let mut args = self.args().into_iter();
        while let Some(arg) = args.next() {
            let charts = options.charts.as_mut();
            match arg {
                "--no-helm" => options.charts = None,
                "--load-restrictor" => {
                    options.root_only = args.next() != Some("LoadRestrictionsNone");
                }
                "--helm-kube-version" => {
                    charts.expect("charts are rendered").kube_version =
                        args.next().expect("a version follows").to_owned();
                }
                "--helm-api-versions" => {
                    let given = args.next().expect("versions follow").split(',');
                    charts.expect("charts are rendered").api_versions =
                        given.map(str::to_owned).collect();
                }
                path => folder = TreePath::new(path).expect("cases stay inside"),
            }
        }
        let files = self.files();
        let files = files.iter().map(|(path, text)| (&**path, &**text));
        match build(&tree(files), &folder, &options) {
            Ok(output) => (output, String::new()),
            Err(errors) => (String::new(), comparable(errors[0].reference())),
        }
    }
}

fn cases() -> Vec<Case> {
    let entries = fs::read_dir("tests/charts/cases").expect("the folder is there");
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let cases: Vec<Case> = files.into_iter().map(Case::read).collect();
    assert!(cases.len() >= CASES_MIN, "found only {}", cases.len());
    cases
}

pub(crate) fn files_below(folder: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("the chart is there").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path();
        if path.is_dir() {
            let inside = files_below(&path).into_iter();
            files.extend(inside.map(|(below, text)| (format!("{name}/{below}"), text)));
        } else {
            let text = fs::read_to_string(&path).expect("charts are readable");
            files.push((name, text));
        }
    }
    files
}

fn tree<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Tree {
    let mut builder = TreeBuilder::default();
    for (path, text) in files {
        let path = TreePath::new(path).expect("cases stay inside");
        builder.file(path, text.as_bytes());
    }
    builder.build()
}

pub(crate) fn with_charts() -> Options {
    with_seed([0; 32])
}

fn with_seed(seed: [u8; 32]) -> Options {
    Options {
        charts: Some(Charts {
            renderer: Arc::new(HelmCharts {
                seed,
                ..HelmCharts::default()
            }),
            api_versions: Vec::new(),
            kube_version: String::new(),
        }),
        ..Options::default()
    }
}

fn build(tree: &Tree, folder: &TreePath, options: &Options) -> Result<String, Vec<BuildError>> {
    let (result, _) = kustomize::build(tree, folder, options, &Isolated);
    result.map(|build| build.to_yaml())
}

/// An error without what the tool says of its run of Helm, or dumps of its own values.
fn comparable(error: &str) -> String {
    let mut error = error.replace("Error: ", "");
    if let Some(at) = error.find(": unable to run: '") {
        error.truncate(at);
    }
    if let Some(at) = error.find("merging from generator &{")
        && let Some(end) = error.rfind("}: id ")
    {
        error.replace_range(at + "merging from generator &{".len()..end, "");
    }
    if let Some(at) = error.find("failed to parse ") {
        let begin = at + "failed to parse ".len();
        if let Some(length) = error[begin..].find(": ") {
            error.replace_range(begin..begin + length, "VALUES");
        }
    }
    let error = error.replace("Use --debug flag to render out invalid YAML", "");
    let lines = error.trim().lines().map(str::trim_end);
    let lines: Vec<&str> = lines.filter(|line| !line.starts_with("level=")).collect();
    lines.join("\n") + "\n"
}

#[test]
fn recorded_builds_of_the_tools_are_equal() {
    let mut different = Vec::new();
    let cases = cases();
    for case in &cases {
        let (output, error) = case.build();
        let (wanted, failure) = (case.section("output"), case.section("error"));
        if output != wanted || error != failure {
            different.push(format!(
                "{}\n--- wanted\n{wanted}{failure}--- got\n{output}{error}",
                case.name(),
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
fn recorded_builds_are_what_the_tools_print() {
    let (Some(tool), Some(helm)) = (
        testkit::reference_tool("kustomize"),
        testkit::reference_tool("helm4"),
    ) else {
        return;
    };
    let update = std::env::var_os("GOLDEN_UPDATE").is_some();
    for case in cases() {
        let own = tempfile::tempdir().expect("temporary folders can be made");
        // The name of the folder shows in some outputs.
        let folder = own.path().join("ROOT");
        for (path, text) in case.files() {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().expect("a file is in a folder"))
                .expect("temporary folders can be made");
            fs::write(path, text).expect("temporary files can be written");
        }
        let root = fs::canonicalize(&folder).expect("the folder is there");
        let mut command = Command::new(&tool);
        command.current_dir(&root).arg("build");
        match case.args().contains(&"--no-helm") {
            true => command.args(case.args().into_iter().filter(|arg| *arg != "--no-helm")),
            false => command
                .args(["--enable-helm", "--helm-command"])
                .arg(&helm)
                .args(case.args()),
        };
        // Neither a cluster nor settings of this machine count.
        let ran = command
            .env("HOME", own.path())
            .env_remove("KUBECONFIG")
            .env_remove("HELM_NAMESPACE")
            .output()
            .expect("the tool starts");
        let plain = |bytes: &[u8]| {
            String::from_utf8_lossy(bytes).replace(&*root.to_string_lossy(), "/ROOT")
        };
        let output = plain(&ran.stdout);
        let error = match ran.status.success() {
            true => String::new(),
            false => {
                let said = plain(&ran.stderr);
                let (_, text) = said.split_once("Error: ").expect("failures are said");
                comparable(text)
            }
        };
        if update {
            let recorded = |name: &str| matches!(name, "output" | "error");
            let sections = case.sections.iter().filter(|(name, _)| !recorded(name));
            let mut text: String = sections
                .map(|(path, text)| format!("-- {path} --\n{text}"))
                .collect();
            match error.is_empty() {
                true => text.push_str(&format!("-- output --\n{output}")),
                false => text.push_str(&format!("-- error --\n{error}")),
            }
            fs::write(&case.file, text).expect("cases can be written");
        } else {
            let wanted = (case.section("output"), case.section("error"));
            assert_eq!((&*output, &*error), wanted, "{}", case.name());
        }
    }
}

/// Public charts that build to the same bytes; it only grows.
const PUBLIC_CHARTS_MIN: usize = 16;

/// All values of a chart are merged, and all its objects transformed.
const AROUND_A_PUBLIC_CHART: &str = "\
namespace: apps
namePrefix: x-
commonAnnotations: {team: shop}
helmCharts:
- name: CHART
  releaseName: demo
  includeCRDs: true
  skipTests: true
  valuesInline: {global: {}}
";

#[test]
fn public_charts_build_as_with_the_tools() {
    let (Some(corpus), Some(tool), Some(helm)) = (
        testkit::corpus("helm"),
        testkit::reference_tool("kustomize"),
        testkit::reference_tool("helm4"),
    ) else {
        return;
    };
    let own = tempfile::tempdir().expect("temporary folders can be made");
    let entries = fs::read_dir(corpus.join("charts")).expect("the corpus is readable");
    let mut charts: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    charts.sort();
    let (mut equal, mut failing, mut different) = (0, 0, Vec::new());
    for chart in charts.iter().filter(|path| path.is_dir()) {
        let name = chart.file_name().unwrap_or_default().to_string_lossy();
        let folder = own.path().join(&*name);
        let kustomization = AROUND_A_PUBLIC_CHART.replace("CHART", &name);
        let mut builder = TreeBuilder::default();
        let mut put = |path: &str, content: &[u8]| {
            let place = folder.join(path);
            fs::create_dir_all(place.parent().expect("a file is in a folder"))
                .expect("temporary folders can be made");
            fs::write(place, content).expect("temporary files can be written");
            builder.file(TreePath::new(path).expect("charts stay inside"), content);
        };
        put("kustomization.yaml", kustomization.as_bytes());
        let mut open = vec![(chart.clone(), format!("charts/{name}"))];
        while let Some((from, to)) = open.pop() {
            for entry in fs::read_dir(from).expect("charts are readable").flatten() {
                let to = format!("{to}/{}", entry.file_name().to_string_lossy());
                match entry.path().is_dir() {
                    true => open.push((entry.path(), to)),
                    false => put(&to, &fs::read(entry.path()).expect("charts are readable")),
                }
            }
        }
        let ran = Command::new(&tool)
            .args(["build", "--enable-helm", "--helm-command"])
            .args([helm.as_path(), &folder])
            .env("HOME", own.path())
            .env_remove("KUBECONFIG")
            .env_remove("HELM_NAMESPACE")
            .output()
            .expect("the tool starts");
        let said = String::from_utf8_lossy(&ran.stderr);
        let tree = builder.build();
        let built = build(&tree, &TreePath::root(), &with_charts());
        let by_chance = || {
            let other = build(&tree, &TreePath::root(), &with_seed([1; 32]));
            other.ok() != built.as_ref().ok().cloned()
        };
        match &built {
            Ok(output) if ran.status.success() && output.as_bytes() == ran.stdout => equal += 1,
            Ok(_) if said.starts_with("panic: ") || by_chance() => {}
            Err(errors) if !ran.status.success() => {
                let said = said.replace(&*folder.to_string_lossy(), "");
                let (_, said) = said.split_once("Error: ").expect("failures are said");
                match comparable(errors[0].reference()) == comparable(said) {
                    true => failing += 1,
                    false => different.push(format!("{name}: {errors:?}, wanted {said}")),
                }
            }
            Ok(output) => {
                let wanted = String::from_utf8_lossy(&ran.stdout);
                let lines = output.lines().zip(wanted.lines());
                let first = lines.into_iter().find(|(got, wanted)| got != wanted);
                different.push(format!("{name}: {first:?} {said}"));
            }
            Err(errors) => different.push(format!("{name}: {}", errors[0].reference())),
        }
    }
    eprintln!("{equal} public charts are equal, {failing} fail in the same words");
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert!(equal >= PUBLIC_CHARTS_MIN, "only {equal} charts are equal");
}
