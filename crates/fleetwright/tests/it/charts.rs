//! `build helm` beside what Helm has printed for the same charts.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::process::fleetwright;

/// One recorded run.
struct Case {
    /// `CHART/CASE`.
    name: String,
    folder: PathBuf,
    chart: String,
}

/// Recorded runs per major of Helm; further ones are welcome, fewer mean that some were not found.
const CASES_MIN: usize = 191;

fn cases(corpus: &Path) -> Vec<Case> {
    let folders = |path: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(path).expect("the folder is there").flatten();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        paths.retain(|path| path.is_dir());
        paths.sort();
        paths
    };
    let name = |path: &Path| {
        let name = path.file_name().expect("entries have names");
        name.to_string_lossy().into_owned()
    };
    let mut cases = Vec::new();
    for chart in folders(&corpus.join("cases")) {
        let packed = corpus.join("charts").join(name(&chart) + ".tgz").exists();
        let ending = if packed { ".tgz" } else { "" };
        for folder in folders(&chart) {
            cases.push(Case {
                name: format!("{}/{}", name(&chart), name(&folder)),
                chart: format!("../../../charts/{}{ending}", name(&chart)),
                folder,
            });
        }
    }
    cases
}

impl Case {
    fn read(&self, file: &str) -> Option<String> {
        fs::read_to_string(self.folder.join(file)).ok()
    }

    /// Runs it, and says how it differs from what was recorded.
    fn difference(&self, home: &Path, helm3: bool) -> Option<String> {
        let release = self.read("release.txt");
        let release = release.as_deref().map_or("demo", str::trim);
        let arguments = self.read("args.txt").unwrap_or_default();
        let mut command = fleetwright(home);
        command
            .current_dir(&self.folder)
            .args(["build", "helm", release, &self.chart])
            .args(arguments.lines());
        if helm3 {
            command.arg("--helm3");
            if !arguments.contains("--kube-version") {
                command.args(["--kube-version", "v1.37.0"]);
            }
        }
        let output = command.output().expect("the program starts");
        let recorded = helm3.then(|| self.read("expected.helm3.err")).flatten();
        let recorded = recorded.or_else(|| self.read("expected.err"));
        let failed = recorded.is_some_and(|text| !text.starts_with("exit 0"));
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.success() == failed {
            return Some(format!("ends with {}: {said}", output.status));
        }
        if self.folder.join("nondeterministic.txt").exists() {
            return None;
        }
        let expected = helm3.then(|| self.folder.join("expected.helm3.yaml"));
        let expected = expected
            .filter(|path| path.exists())
            .unwrap_or_else(|| self.folder.join("expected.helm4.yaml"));
        let expected = fs::read(expected).unwrap_or_default();
        if output.stdout == expected {
            return None;
        }
        let (ours, theirs) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&expected),
        );
        let mut lines = ours.lines().zip(theirs.lines()).enumerate();
        let line = lines.find(|(_, (ours, theirs))| ours != theirs);
        Some(match line {
            Some((at, (ours, theirs))) => format!("line {}: `{theirs}`, ours `{ours}`", at + 1),
            None => format!("{} bytes, ours {}", theirs.len(), ours.len()),
        })
    }
}

/// Runs every case and gives the differences.
fn differences(cases: &[Case], helm3: bool) -> Vec<String> {
    let home = tempfile::tempdir().expect("a temporary folder can be made");
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Some(text) = case.difference(home.path(), helm3) {
                        let line = format!("{}: {text}", case.name);
                        found.lock().expect("no worker panics").push(line);
                    }
                }
            });
        }
    });
    let mut found = found.into_inner().expect("no worker panics");
    found.sort();
    found
}

#[test]
fn charts_render_as_with_helm_4() {
    let Some(corpus) = testkit::corpus("helm") else {
        return;
    };
    let cases = cases(&corpus);
    assert!(cases.len() >= CASES_MIN, "{} cases", cases.len());
    let found = differences(&cases, false);
    assert!(
        found.is_empty(),
        "{} differ:\n{}",
        found.len(),
        found.join("\n")
    );
}

#[test]
fn charts_render_as_with_helm_3_where_it_differs() {
    let Some(corpus) = testkit::corpus("helm") else {
        return;
    };
    let mut cases = cases(&corpus);
    cases.retain(|case| case.folder.join("expected.helm3.yaml").exists());
    assert!(cases.len() >= 37, "{} cases", cases.len());
    let found = differences(&cases, true);
    assert!(
        found.is_empty(),
        "{} differ:\n{}",
        found.len(),
        found.join("\n")
    );
}
