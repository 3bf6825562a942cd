//! Kustomizations with charts, through the shipped binary.

use std::fs;
use std::process::Output;

use expect_test::expect;
use tempfile::TempDir;

use crate::process::fleetwright;

const FILES: [(&str, &str); 6] = [
    (
        "app/kustomization.yaml",
        "namespace: shop\nnamePrefix: my-\nhelmCharts:\n- name: web\n  releaseName: front\n  valuesInline: {text: inline}\n",
    ),
    (
        "app/charts/web/Chart.yaml",
        "{apiVersion: v2, name: web, version: 1.0.0}",
    ),
    ("app/charts/web/values.yaml", "text: plain\nkept: 1\n"),
    (
        "app/charts/web/templates/settings.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n  namespace: {{ .Release.Namespace }}\ndata:\n  values: {{ .Values | toJson | quote }}\n  helm: {{ .Capabilities.HelmVersion.Version }}\n  kube: {{ .Capabilities.KubeVersion.Version }}\n  has: '{{ .Capabilities.APIVersions.Has \"a/v1\" }}'\n  time: '{{ now | unixEpoch }}'\n",
    ),
    (
        "broken/kustomization.yaml",
        "resources: [../app]\nhelmGlobals: {chartHome: vendor}\nhelmCharts:\n- name: web\n  version: 1.0.0\n  repo: https://charts.example.com\n",
    ),
    (
        "unit.yaml",
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: app, namespace: flux-system}\nspec:\n  interval: 1h\n  path: ./app\n  prune: true\n  sourceRef: {kind: GitRepository, name: fleet}\n",
    ),
];

fn fixture() -> TempDir {
    let home = tempfile::tempdir().expect("a temporary folder can be made");
    for (path, text) in FILES {
        let path = home.path().join(path);
        let folder = path.parent().expect("it has a folder");
        fs::create_dir_all(folder).expect("the folder can be made");
        fs::write(path, text).expect("the file can be written");
    }
    home
}

fn run(home: &TempDir, words: &[&str]) -> Output {
    let mut command = fleetwright(home.path());
    command.args(words).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What went to standard error, without the name of the folder.
fn said(home: &TempDir, output: &Output) -> String {
    let home = home.path().canonicalize().expect("the folder is there");
    text(&output.stderr).replace(&*home.to_string_lossy(), "/HOME")
}

#[test]
fn charts_are_rendered_when_asked_for() {
    let home = fixture();
    let built = run(
        &home,
        &[
            "build",
            "kustomize",
            "--enable-helm",
            "--fixed-time",
            "5",
            "app",
        ],
    );
    assert_eq!(text(&built.stderr), "");
    assert_eq!(built.status.code(), Some(0));
    expect![[r#"
        apiVersion: v1
        data:
          has: "false"
          helm: v4.3
          kube: v1.37.0
          time: "5"
          values: '{"kept":1,"text":"inline"}'
        kind: ConfigMap
        metadata:
          name: my-front
          namespace: shop
    "#]]
    .assert_eq(&text(&built.stdout));
    let flags = [
        "build",
        "kustomize",
        "app",
        "--enable-helm",
        "--helm3",
        "--helm-kube-version=1.30.2",
        "--helm-api-versions=b/v1,a/v1",
    ];
    let built = text(&run(&home, &flags).stdout);
    for line in ["has: \"true\"", "helm: v3.22", "kube: v1.30.2"] {
        assert!(built.contains(line), "{line} is not in\n{built}");
    }
}

#[test]
fn charts_are_refused_unless_asked_for() {
    let home = fixture();
    let built = run(&home, &["build", "kustomize", "app"]);
    assert_eq!(built.status.code(), Some(1));
    assert_eq!(text(&built.stdout), "");
    expect![[r#"
        error[ChartsForbidden]: chart `web` is not rendered here
         --> app/kustomization.yaml:4:3
          = because trouble configuring builtin HelmChartInflationGenerator with config: `
        name: web
        namespace: shop
        releaseName: front
        valuesInline:
          text: inline
        `: must specify --enable-helm
          = help: With `build kustomize --enable-helm` charts are rendered.
          = help: A Kustomization renders none, as in Flux: use a HelmRelease, or commit what `fleetwright build kustomize --enable-helm` prints.
          = more: fleetwright explain ChartsForbidden
    "#]].assert_eq(&said(&home, &built));
    // A unit is built as Flux builds it, which has no charts.
    for command in ["build", "diff"] {
        let words = [
            command,
            "ks",
            "app",
            "--kustomization-file",
            "unit.yaml",
            "--path",
            ".",
        ];
        let refused = run(&home, &words);
        assert_eq!(refused.status.code(), Some(3), "{refused:?}");
        assert_eq!(text(&refused.stdout), "");
        let said = text(&refused.stderr);
        assert!(said.contains("error[ChartsForbidden]"), "{said}");
        assert!(said.contains("use a HelmRelease"), "{said}");
    }
}

#[test]
fn the_command_of_helm_is_not_run() {
    let home = fixture();
    let script = home.path().join("helm");
    fs::write(&script, "#!/bin/sh\ntouch ran\n").expect("the file can be written");
    let runs = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&script, runs).expect("the script can be made to run");
    let built = run(
        &home,
        &[
            "build",
            "kustomize",
            "app",
            "--enable-helm",
            "--helm-command",
            "./helm",
            "--helm-debug",
        ],
    );
    assert!(built.status.success(), "{built:?}");
    assert!(!home.path().join("ran").exists());
    let said = text(&built.stderr);
    for flag in ["--helm-command", "--helm-debug"] {
        let notice = format!("{flag} changes nothing");
        assert!(said.contains(&notice), "{said}");
    }
}

#[test]
fn a_chart_that_is_not_there_and_one_that_fails_are_explained() {
    let home = fixture();
    let built = run(&home, &["build", "kustomize", "--enable-helm", "broken"]);
    assert_eq!(built.status.code(), Some(1));
    expect![[r#"
        error[ChartNotFound]: no chart `web` in `broken/vendor/web-1.0.0`
         --> broken/kustomization.yaml:4:9
          = because no chart found at '/HOME/broken/vendor/web-1.0.0/web'
          = help: A build fetches no charts: put it there with `helm pull --repo https://charts.example.com web --version 1.0.0 --untar -d broken/vendor/web-1.0.0`, or name the folder of your charts as `helmGlobals.chartHome`.
          = more: fleetwright explain ChartNotFound
    "#]].assert_eq(&said(&home, &built));
    let template = home.path().join("app/charts/web/templates/settings.yaml");
    fs::write(
        template,
        "a: 1\nb: {{ required \"say it\" .Values.none }}\n",
    )
    .expect("the file can be written");
    let built = run(&home, &["build", "kustomize", "--enable-helm", "app"]);
    assert_eq!(built.status.code(), Some(1));
    expect![[r#"
        error[TemplateFailed]: chart `web` cannot be rendered
         --> app/charts/web/templates/settings.yaml:2:7
          = because execution error at (web/templates/settings.yaml:2:6): say it
          = help: It is rendered for `helmCharts[0]` of app/kustomization.yaml:4:3.
          = more: fleetwright explain TemplateFailed
    "#]]
    .assert_eq(&said(&home, &built));
}

#[test]
fn lint_renders_charts_that_are_there() {
    let home = fixture();
    fs::create_dir(home.path().join(".git")).expect("the folder can be made");
    let found = run(&home, &["lint", "--output", "line"]);
    // The chart is asked for by a kustomization that is right, and by one whose chart is elsewhere.
    let lines = text(&found.stdout);
    assert!(!lines.contains("Charts"), "{lines}");
    assert!(!lines.contains("ChartNotFound"), "{lines}");
    assert!(!lines.contains("ResourceUnlisted"), "{lines}");
}
