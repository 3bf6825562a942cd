//! Rendered files to manifests, hooks and text, recorded from Helm 4.3.1 and 3.22.0 with templates
//! that hold no actions.

use diag::Explain as _;
use helm::{
    Engine, Event, Manifests, Profile, Programs, TextOptions, UserValues, Warning, WrittenKind,
};
use tree::Isolated;

use crate::support::{chart, read};

const HEAD: (&str, &str) = ("Chart.yaml", "{apiVersion: v2, name: m, version: 1.0.0}");

fn render(files: &[(&str, &str)], profile: Profile) -> Result<(Manifests, Vec<Warning>), String> {
    let mut all = vec![HEAD];
    all.extend_from_slice(files);
    let chart = chart(&all, profile).unwrap();
    let options = helm::Options {
        profile,
        ..helm::Options::default()
    };
    let mut warnings = Vec::new();
    let user = UserValues::default();
    let programs = Programs::default();
    let engine = Engine {
        programs: &programs,
        world: &Isolated,
    };
    helm::render(&chart, &user, &read, &options, &engine, &mut warnings)
        .map(|manifests| (manifests, warnings))
        .map_err(|error| format!("{} {error}", error.code()))
}

fn text(files: &[(&str, &str)], options: &TextOptions) -> String {
    let (manifests, _) = render(files, options.profile).unwrap();
    manifests
        .text(options)
        .unwrap_or_else(|error| format!("{} {error}", error.code()))
}

fn helm4() -> TextOptions {
    TextOptions::default()
}

fn helm3() -> TextOptions {
    TextOptions {
        profile: Profile::Helm3,
        ..TextOptions::default()
    }
}

#[test]
fn documents_are_split_where_the_reference_splits_them() {
    let file = "\n--- # first\nkind: A\n\n\n---\n# comment\n---kind: B\ndata: |\n  x\n  ---\n  y\n   \n---\t\n\nkind: C";
    let got = text(&[("templates/a.yaml", file)], &helm4());
    assert_eq!(
        got,
        "---
# Source: m/templates/a.yaml
# comment

---
# Source: m/templates/a.yaml
# first
kind: A



---
# Source: m/templates/a.yaml
kind: B
data: |
  x
  ---
  y
   

---
# Source: m/templates/a.yaml
kind: C
"
    );
    let got = text(
        &[("templates/a.yaml", "a: 1\n\n---\nkind: A\n\n  \n---\n")],
        &helm3(),
    );
    let wanted =
        "---\n# Source: m/templates/a.yaml\na: 1\n---\n# Source: m/templates/a.yaml\nkind: A\n";
    assert_eq!(got, wanted);
}

#[test]
fn kinds_have_an_order_and_hooks_come_last() {
    let kind = |kind: &str, name: &str| format!("kind: {kind}\nmetadata: {{name: {name}}}");
    let hook = |kind: &str, words: &str| {
        format!("kind: {kind}\nmetadata: {{name: h, annotations: {{helm.sh/hook: {words}}}}}")
    };
    let file = [
        kind("Zed", "a"),
        kind("ValidatingWebhookConfiguration", "b"),
        hook("Service", "test"),
        kind("Deployment", "c"),
        kind("Alpha", "d"),
        hook("Secret", "\"pre-install, Post-Upgrade\""),
        kind("Deployment", "e"),
        kind("Namespace", "f"),
        hook("Secret", "nonsense"),
        hook("Secret", "\"test,\""),
    ]
    .join("\n---\n");
    let files = [
        ("templates/a.yaml", &*file),
        ("templates/_p.yaml", "kind: X"),
        ("templates/b.yaml", " \n"),
    ];
    for (profile, wanted) in [
        (Profile::Helm4, "f c e b d a | Secret Service"),
        (Profile::Helm3, "f c e d b a | Secret Service"),
    ] {
        let (manifests, warnings) = render(&files, profile).unwrap();
        let names = manifests.manifests.iter();
        let names: Vec<String> = names
            .map(|one| one.node().str_at(&["metadata", "name"]).unwrap().to_owned())
            .collect();
        let hooks: Vec<&str> = manifests.hooks.iter().map(|hook| &*hook.kind).collect();
        assert_eq!(format!("{} | {}", names.join(" "), hooks.join(" ")), wanted);
        assert_eq!(warnings.len(), 2, "{warnings:?}");
    }
    let shown = text(
        &files,
        &TextOptions {
            no_hooks: true,
            ..helm4()
        },
    );
    assert!(!shown.contains("helm.sh/hook"), "{shown}");
    let shown = text(
        &files,
        &TextOptions {
            skip_tests: true,
            ..helm4()
        },
    );
    assert!(
        shown.contains("pre-install") && !shown.contains("hook: test"),
        "{shown}"
    );
}

#[test]
fn hooks_run_by_weight_and_then_name() {
    let hook = |name: &str, more: &str| {
        format!(
            "kind: Job\nmetadata: {{name: {name}, annotations: {{helm.sh/hook: pre-install{more}}}}}"
        )
    };
    let file = [
        hook("c", ""),
        hook("b", ", helm.sh/hook-weight: \"x\""),
        hook("a", ", helm.sh/hook-weight: 5"),
        hook("z", ", helm.sh/hook-weight: \"-5\", helm.sh/hook-delete-policy: \"Hook-Failed, hook-succeeded\""),
        hook("x", ", helm.sh/hook-weight: NaN"),
    ]
    .join("\n---\n");
    let (manifests, _) = render(&[("templates/a.yaml", &file)], Profile::Helm4).unwrap();
    let order: Vec<String> = manifests
        .hooks_at(Event::PreInstall)
        .iter()
        .map(|hook| format!("{}{}", hook.name, hook.weight))
        .collect();
    assert_eq!(order, ["z-5", "b0", "c0", "x0", "a5"]);
    assert_eq!(
        manifests.hooks[3].delete_policies,
        ["hook-failed", "hook-succeeded"]
    );
    assert!(manifests.hooks_at(Event::Test).is_empty());
}

#[test]
fn notes_are_no_manifests() {
    let files = [
        ("templates/NOTES.txt", "hello"),
        ("templates/sub/NOTES.txt", ": not: yaml"),
        (
            "charts/k/Chart.yaml",
            "{apiVersion: v2, name: k, version: 1.0.0}",
        ),
        ("charts/k/templates/NOTES.txt", "kid"),
        ("charts/k/templates/a.yaml", "kind: A"),
    ];
    let (manifests, _) = render(&files, Profile::Helm4).unwrap();
    assert_eq!(manifests.notes, "hello");
    assert_eq!(manifests.manifests.len(), 1);
    assert_eq!(manifests.manifests[0].path, "m/charts/k/templates/a.yaml");
}

#[test]
fn crds_come_first_when_they_are_wanted() {
    let files = [
        ("crds/b.yaml", "\n\nb\n"),
        ("crds/a.YML", "a"),
        ("crds/c.txt", "c"),
        ("templates/x.yaml", "kind: X\n"),
        (
            "charts/k/Chart.yaml",
            "{apiVersion: v2, name: k, version: 1.0.0}",
        ),
        ("charts/k/crds/z/d.json", "{}"),
    ];
    let wanted = "---
# Source: m/crds/a.YML
a
---
# Source: m/crds/b.yaml


b

---
# Source: m/charts/k/crds/z/d.json
{}
---
# Source: m/templates/x.yaml
kind: X
";
    let all = TextOptions {
        include_crds: true,
        ..helm4()
    };
    assert_eq!(text(&files, &all), wanted);
    assert_eq!(
        text(&files, &helm4()),
        "---\n# Source: m/templates/x.yaml\nkind: X\n"
    );
    let (manifests, _) = render(&files, Profile::Helm4).unwrap();
    let written = manifests.written(&all);
    let written: Vec<_> = written.map(|one| (one.path, one.kind)).collect();
    assert_eq!(
        written,
        [
            ("m/crds/a.YML", WrittenKind::Crd),
            ("m/crds/b.yaml", WrittenKind::Crd),
            ("m/charts/k/crds/z/d.json", WrittenKind::Crd),
            ("m/templates/x.yaml", WrittenKind::Manifest),
        ]
    );
}

#[test]
fn show_only_takes_patterns_that_do_not_cross_folders() {
    let files = [
        ("templates/a.yaml", "kind: B\n---\nkind: A\n"),
        ("templates/b.yaml", "kind: C"),
        ("templates/sub/c.yaml", "kind: D"),
        ("templates/_p.yaml", "kind: E"),
    ];
    // White space at the end of a document stays.
    let one = |file: &str, kind: &str, end: &str| {
        format!("---\n# Source: m/templates/{file}\nkind: {kind}\n{end}")
    };
    let a = [one("a.yaml", "A", "\n\n"), one("a.yaml", "B", "\n\n")].concat();
    for (pattern, wanted) in [
        ("templates/a.yaml", a.clone()),
        ("templates/*", a + &one("b.yaml", "C", "\n")),
        ("templates/sub/*", one("sub/c.yaml", "D", "\n")),
        (
            "templates/_p.yaml",
            "TemplateNotFound could not find template templates/_p.yaml in chart".into(),
        ),
        (
            "templates/[",
            "TemplateNotFound could not find template templates/[ in chart".into(),
        ),
        (
            "*",
            "TemplateNotFound could not find template * in chart".into(),
        ),
    ] {
        let options = TextOptions {
            show_only: vec![pattern.to_owned()],
            ..helm4()
        };
        assert_eq!(text(&files, &options), wanted, "{pattern}");
    }
}

#[test]
fn text_that_is_no_manifest_is_refused_by_file() {
    let json = "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal";
    for (file, problem) in [
        (
            "hello",
            format!("{json} string into Go value of type util.SimpleHead"),
        ),
        (
            "[a]",
            format!("{json} array into Go value of type util.SimpleHead"),
        ),
        (
            "metadata: {annotations: [a]}",
            format!(
                "{json} array into Go struct field .metadata.annotations of type map[string]string"
            ),
        ),
        (
            "metadata: {annotations: {a: [b]}}",
            format!("{json} array into Go struct field .metadata.annotations of type string"),
        ),
        (
            "metadata: a",
            format!(
                r#"{json} string into Go struct field SimpleHead.metadata of type struct {{ Name string "json:\"name\""; Annotations map[string]string "json:\"annotations\"" }}"#
            ),
        ),
        (
            "metadata: {name: [a]}",
            format!("{json} array into Go struct field .metadata.name of type string"),
        ),
        (
            "kind: {a: b}",
            format!("{json} object into Go struct field SimpleHead.kind of type string"),
        ),
        (
            "a: .inf",
            "error converting YAML to JSON: json: unsupported value: +Inf".into(),
        ),
        (
            "a: b: c",
            "error converting YAML to JSON: yaml: mapping values are not allowed in this context"
                .into(),
        ),
        (
            "a: \u{1}",
            "error converting YAML to JSON: yaml: control characters are not allowed".into(),
        ),
    ] {
        let got = render(&[("templates/a.yaml", file)], Profile::Helm4).unwrap_err();
        let wanted = format!("ManifestInvalid YAML parse error on m/templates/a.yaml: {problem}");
        assert_eq!(got, wanted, "{file}");
    }
    let mut files = helm::Files::new();
    files.insert("m/templates/a.yaml".to_owned(), b"a: \xff".to_vec());
    let error =
        helm::manifest::sort(files, "m", false, Profile::Helm4, &mut Vec::new()).unwrap_err();
    let wanted = "YAML parse error on m/templates/a.yaml: error converting YAML to JSON: yaml: invalid leading UTF-8 octet";
    assert_eq!(error.to_string(), wanted);
}

#[test]
fn charts_say_which_kubernetes_they_are_for() {
    let files = [(
        "Chart.yaml",
        "{apiVersion: v2, name: m, version: 1.0.0, kubeVersion: \"<1.20\"}",
    )];
    for (profile, version) in [
        (Profile::Helm4, "v1.29.3-gke.5"),
        (Profile::Helm3, "v1.29.3"),
    ] {
        let chart = chart(&files, profile).unwrap();
        let mut options = helm::Options {
            profile,
            ..helm::Options::default()
        };
        std::sync::Arc::make_mut(&mut options.capabilities).kube_version =
            helm::KubeVersion::parse("1.29.3-gke.5", profile).unwrap();
        let user = UserValues::default();
        let programs = Programs::default();
        let engine = Engine {
            programs: &programs,
            world: &Isolated,
        };
        let error = helm::render(&chart, &user, &read, &options, &engine, &mut Vec::new());
        let wanted = format!(
            "chart requires kubeVersion: <1.20 which is incompatible with Kubernetes {version}"
        );
        assert_eq!(error.unwrap_err().to_string(), wanted);
    }
}
