//! Flags of `build helm`, as recorded from `helm template` 4.3.1.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::process::fleetwright;

const FILES: [(&str, &str); 5] = [
    ("Chart.yaml", "{apiVersion: v2, name: c, version: 1.0.0}"),
    ("values.yaml", "text: a\n"),
    ("crds/crd.yaml", "kind: Crd\n"),
    (
        "templates/a.yaml",
        "kind: B\ntext: {{ .Values.text }}\nin: {{ .Release.Namespace }}\n---\nkind: A\n",
    ),
    (
        "templates/hook.yaml",
        "kind: Hook\nmetadata:\n  annotations: {helm.sh/hook: test}\n",
    ),
];

struct Fixture {
    home: tempfile::TempDir,
}

impl Fixture {
    fn new(files: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().expect("a temporary folder can be made");
        for (path, text) in files {
            let path = home.path().join("c").join(path);
            let folder = path.parent().expect("it has a folder");
            fs::create_dir_all(folder).expect("the folder can be made");
            fs::write(path, text).expect("the file can be written");
        }
        Self { home }
    }

    fn run(&self, flags: &[&str]) -> Output {
        self.command(flags).output().expect("the program starts")
    }

    /// A run that reads the file `input` as its standard input.
    fn run_with(&self, input: &str, flags: &[&str]) -> Output {
        let input = fs::File::open(self.home.path().join(input)).expect("the file is there");
        let mut command = self.command(flags);
        command.stdin(input).output().expect("the program starts")
    }

    fn command(&self, flags: &[&str]) -> Command {
        let mut command = fleetwright(self.home.path());
        command
            .current_dir(self.home.path())
            .args(["build", "helm", "demo", "c"])
            .args(flags);
        command
    }

    fn file(&self, path: &str) -> String {
        let path = self.home.path().join(path);
        fs::read_to_string(&path).unwrap_or_else(|error| format!("{path:?}: {error}"))
    }

    fn has(&self, path: impl AsRef<Path>) -> bool {
        self.home.path().join(path).exists()
    }
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// One command line a line; what is printed does not change.
const WITHOUT_EFFECT: &str = "
--cert-file x
--key-file x
--insecure-skip-tls-verify
--keyring x
--pass-credentials
--username u --password p
--plain-http
--version 1.2.3
--repository-cache x --repository-config x --registry-config x --content-cache x
--kubeconfig /nowhere --kube-context none --kube-apiserver x --kube-token t
--kube-as-group a --kube-as-group b --kube-as-user c --kube-ca-file x
--kube-insecure-skip-tls-verify --kube-tls-server-name x
--burst-limit 5 --qps 1.5
--color never
--colour=auto
--labels a=b,c=d
--timeout 5m
--wait --wait=legacy --wait-for-jobs
--server-side=false
--dry-run
--dry-run=client
--dry-run=true
--validate=false
--force
--hide-notes --render-subchart-notes
--dependency-update
--skip-crds
--include-crds=false
--include-crds --include-crds=F
--is-upgrade=0
--debug=false
--namespace=
--namespace a --namespace default
--output-dir=
--name-template=
--values=
";

const REFUSED: &str = "
--no-such-flag
--namespace
more words
--labels a
--timeout 5
--timeout 5x
--wait=maybe
--color sometimes
--server-side=maybe
--no-hooks=maybe
--qps x
--dry-run=none
--dry-run=false
--dry-run=maybe
--verify
--repo https://charts.example
";

#[test]
fn flags_for_clusters_and_downloads_change_nothing() {
    let fixture = Fixture::new(&FILES);
    let plain = printed(&fixture.run(&[]));
    for line in WITHOUT_EFFECT.trim().lines() {
        let flags: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(printed(&fixture.run(&flags)), plain, "{line}");
    }
    for line in REFUSED.trim().lines() {
        let flags: Vec<&str> = line.split_whitespace().collect();
        let output = fixture.run(&flags);
        assert_eq!(output.status.code(), Some(1), "{line}");
        assert_eq!(output.stdout, b"", "{line}");
    }
}

#[test]
fn skipping_crds_does_not_undo_including_them() {
    let fixture = Fixture::new(&FILES);
    let included = printed(&fixture.run(&["--include-crds"]));
    assert!(included.starts_with("---\n# Source: c/crds/crd.yaml\nkind: Crd\n"));
    for flags in [
        ["--include-crds", "--skip-crds"],
        ["--skip-crds", "--include-crds"],
    ] {
        assert_eq!(printed(&fixture.run(&flags)), included);
    }
}

#[test]
fn every_document_that_goes_to_a_file_is_told() {
    let fixture = Fixture::new(&FILES);
    let flags = ["--output-dir", "out", "--release-name", "--include-crds"];
    let wanted = "wrote out/c/crds/crd.yaml
wrote out/demo/c/templates/a.yaml
wrote out/demo/c/templates/a.yaml
wrote out/demo/c/templates/hook.yaml

";
    assert_eq!(printed(&fixture.run(&flags)), wanted);
    let hook = "---
# Source: c/templates/hook.yaml
kind: Hook
metadata:
  annotations: {helm.sh/hook: test}
";
    let a = "---
# Source: c/templates/a.yaml
kind: A
---
# Source: c/templates/a.yaml
kind: B
text: a
in: default
";
    assert_eq!(
        fixture.file("out/demo/c/templates/hook.yaml").trim_end(),
        hook.trim_end()
    );
    // Files of templates begin anew, those of hooks go on.
    printed(&fixture.run(&flags));
    assert_eq!(
        fixture
            .file("out/demo/c/templates/hook.yaml")
            .matches(hook.trim_end())
            .count(),
        2
    );
    let written = fixture.file("out/demo/c/templates/a.yaml");
    let written: String = written
        .lines()
        .filter(|line| !line.is_empty())
        .fold(String::new(), |all, line| all + line + "\n");
    assert_eq!(written, a);

    let only = ["--output-dir", "only", "--show-only", "templates/a.yaml"];
    let output = fixture.run(&only);
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("could not find template templates/a.yaml in chart"),
        "{said}"
    );
    assert!(fixture.has("only/c/templates/a.yaml"));
}

#[test]
fn capabilities_as_json_and_yaml_are_fields_in_an_order() {
    let template = "kind: A
json: {{ toJson .Capabilities.KubeVersion }}
helm: {{ toJson .Capabilities.HelmVersion }}
all: {{ toJson .Capabilities | trunc 72 | quote }}
{{ toYaml .Capabilities | trunc 14 }}
{{ toYaml .Capabilities.KubeVersion }}
";
    let files = [FILES[0], ("templates/a.yaml", template)];
    let fixture = Fixture::new(&files);
    let wanted = r#"---
# Source: c/templates/a.yaml
kind: A
json: {"Version":"v1.37.0","Major":"1","Minor":"37"}
helm: {"version":"v4.3","go_version":"go1.26.8","kube_client_version":"v1.37"}
all: "{\"KubeVersion\":{\"Version\":\"v1.37.0\",\"Major\":\"1\",\"Minor\":\"37\"},\"APIVersio"
APIVersions:
-
Major: "1"
Minor: "37"
Version: v1.37.0
"#;
    assert_eq!(printed(&fixture.run(&[])), wanted);
}

#[test]
fn a_change_of_values_is_shown_object_by_object() {
    let chart = Fixture::new(&[
        ("Chart.yaml", "{apiVersion: v2, name: c, version: 1.0.0}"),
        ("values.yaml", "{a: 1, b: false}"),
        (
            "templates/a.yaml",
            "{apiVersion: v1, kind: ConfigMap, metadata: {name: one}, data: {a: {{ .Values.a }}}}",
        ),
        (
            "templates/b.yaml",
            "{{ if .Values.b }}{apiVersion: v1, kind: ConfigMap, metadata: {name: two}}{{ end }}",
        ),
    ]);
    let run = |flags: &[&str]| {
        let mut command = fleetwright(chart.home.path());
        let command = command.current_dir(chart.home.path());
        let output = command
            .args(["diff", "helm", "demo", "c"])
            .args(flags)
            .output();
        let output = output.expect("the program starts");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code(), text)
    };
    fs::write(chart.home.path().join("v.yaml"), "b: true").expect("the file can be written");
    let (changed, added) = ("~ ConfigMap/one\n    data.a  1 → 5\n", "+ ConfigMap/two\n");
    for (flags, code, text) in [
        (&["--then-set", "a=5"][..], 1, changed.to_owned()),
        (&["--set", "a=5", "--then-set", "a=5"], 0, String::new()),
        (&["--then-values", "v.yaml"], 1, added.to_owned()),
        (
            &["--then-values", "v.yaml", "--then-set", "a=5"],
            1,
            format!("{changed}{added}"),
        ),
        (&["--then-set", "other=5"], 0, String::new()),
        (&["--then-set", "a={"], 3, String::new()),
        (&[], 2, String::new()),
    ] {
        assert_eq!(run(flags), (Some(code), text), "{flags:?}");
    }
}

#[test]
fn values_come_from_standard_input() {
    let fixture = Fixture::new(&[
        FILES[0],
        ("input", "a: 1\n"),
        ("templates/a.yaml", "{{ toJson .Values }}\n"),
    ]);
    for (flags, wanted) in [
        (&["-f", "-"][..], r#"{"a":1}"#),
        (&["--set-file", "t=-"], r#"{"t":"a: 1\n"}"#),
        (&["--set-file", "t= - ,u=-"], r#"{"t":"a: 1\n","u":""}"#),
    ] {
        let output = fixture.run_with("c/input", flags);
        let wanted = format!("---\n# Source: c/templates/a.yaml\n{wanted}\n");
        assert_eq!(printed(&output), wanted, "{flags:?}");
    }
}

#[test]
fn values_of_flags_are_read_as_by_the_tool() {
    let fixture = Fixture::new(&[
        FILES[0],
        ("w,w.yaml", "a: 1\n"),
        (
            "templates/a.yaml",
            "{{ toJson .Values }} {{ len .Capabilities.APIVersions }} {{ .Release.Namespace }}\n",
        ),
    ]);
    let known = "57 default";
    for (flags, wanted) in [
        (
            &["-f", "\"c/w,w.yaml\""][..],
            format!("{{\"a\":1}} {known}"),
        ),
        (&["-f", ""], format!("{{}} {known}")),
        (&["-a", ""], format!("{{}} {known}")),
        (&["-a", "x,\"y,z\""], "{} 59 default".to_owned()),
        (&["--set", "-x=1"], format!("{{\"-x\":1}} {known}")),
        (
            &["--set-string", "--no-hooks=1"],
            format!("{{\"--no-hooks\":\"1\"}} {known}"),
        ),
        (&["-n", "--debug"], "{} 57 --debug".to_owned()),
        (
            &["--description", "-x", "--labels", "-y=z"],
            format!("{{}} {known}"),
        ),
    ] {
        let wanted = format!("---\n# Source: c/templates/a.yaml\n{wanted}\n");
        assert_eq!(printed(&fixture.run(flags)), wanted, "{flags:?}");
    }
    for flags in [["-f", "a\"b"], ["-a", "\"a"], ["-f", ","]] {
        let output = fixture.run(&flags);
        assert_eq!(output.status.code(), Some(1), "{flags:?}");
    }
}

#[test]
fn debugging_prints_what_is_no_yaml() {
    let files = [
        ("Chart.yaml", "{apiVersion: v2, name: c, version: 1.0.0}"),
        ("templates/a.yaml", "a: b\n---\nkind: X\n bad: [\n"),
        ("templates/b.yaml", "\nkind: ok\n\n"),
        ("templates/blank.yaml", "{{/* nothing */}}\n"),
        ("templates/_p.tpl", "text of a partial"),
        ("templates/NOTES.txt", "hello"),
        ("crds/x.yaml", "kind: Crd\n"),
    ];
    let fixture = Fixture::new(&files);
    // Recorded where Go's map had the likeliest order.
    let all = "---\n# Source: c/templates/b.yaml\n\nkind: ok\n\n\n---\n\
               # Source: c/templates/a.yaml\na: b\n---\nkind: X\n bad: [\n";
    for (flags, wanted) in [
        (&[][..], ""),
        (&["--debug"], all),
        (&["--debug", "--include-crds"], all),
        (
            &["--debug", "--show-only", "templates/b.yaml"],
            "---\n# Source: c/templates/b.yaml\n\nkind: ok\n\n\n\n",
        ),
        (&["--debug", "--show-only", "templates/c.yaml"], ""),
        (&["--debug", "--output-dir", "out"], all),
        (&["--debug", "--set", "a"], ""),
    ] {
        let output = fixture.run(flags);
        assert_eq!(output.status.code(), Some(1), "{flags:?}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), wanted, "{flags:?}");
    }
    let newer = "{apiVersion: v2, name: c, version: 1.0.0, kubeVersion: '>=1.99'}";
    for (chart, template) in [(files[0].1, "{{ fail \"x\" }}"), (newer, "a: b")] {
        let fixture = Fixture::new(&[("Chart.yaml", chart), ("templates/a.yaml", template)]);
        let output = fixture.run(&["--debug"]);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(output.stdout, b"\n");
    }
}

#[test]
fn what_a_render_depends_on_is_told_when_asked() {
    let fixture = Fixture::new(&[
        ("Chart.yaml", "{apiVersion: v2, name: c, version: 1.0.0}"),
        (
            "templates/a.yaml",
            "a: {{ now | unixEpoch }}\nb: {{ range 2 }}{{ randAlpha 3 }}{{ end }}\n",
        ),
    ]);
    let said = |flags: &[&str]| {
        let output = fixture.run(flags);
        assert!(output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert_eq!(said(&[]), "");
    let said = said(&["--verbose"]);
    for wanted in [
        "warning[ChartNotReproducible]: chart `c` calls `now`;",
        "--> c/templates/a.yaml:1:7",
        "chart `c` calls `randAlpha` 2 times;",
        "--> c/templates/a.yaml:2:20",
    ] {
        assert!(said.contains(wanted), "{said}");
    }
}

/// The tool knows a name before it would make one.
#[test]
fn a_name_is_never_generated() {
    let chart = Fixture::new(&[
        ("Chart.yaml", "{apiVersion: v2, name: c, version: 1.0.0}"),
        ("templates/a.yaml", "name: {{ .Release.Name }}"),
    ]);
    for (flags, code, wanted) in [
        (&["c", "--generate-name"][..], 0, "name: release-name\n"),
        (
            &["c", "--generate-name", "--name-template", "n{{ 1 }}"],
            0,
            "name: n1\n",
        ),
        (&["demo", "c", "--generate-name"], 1, ""),
    ] {
        let mut command = fleetwright(chart.home.path());
        let command = command.current_dir(chart.home.path());
        let output = command.args(["build", "helm"]).args(flags).output();
        let output = output.expect("the program starts");
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{flags:?}");
        assert!(text.ends_with(wanted), "{flags:?}: {text}");
    }
}
