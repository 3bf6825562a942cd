//! Trees that try to leave their folder, to run something, or never to end.

use diag::Explain as _;
use kustomize::{BuildError, Options};
use tree::{Entry, Isolated, Tree, TreeBuilder, TreePath};

fn path(text: &str) -> TreePath {
    TreePath::new(text).expect("paths in samples stay inside")
}

fn errors_with(tree: &Tree, directory: &str, options: &Options) -> Vec<BuildError> {
    let (result, _) = kustomize::build(tree, &path(directory), options, &Isolated);
    result
        .map(|build| build.to_yaml())
        .expect_err("the build has to fail")
}

fn codes(tree: &Tree, options: &Options) -> Vec<&'static str> {
    errors_with(tree, "a", options)
        .iter()
        .map(|error| error.code().0)
        .collect()
}

/// The codes of building `a` from one kustomization file, with and without load restriction.
fn check(kustomization: &str, expected: &[&str]) {
    let files = [
        ("a/kustomization.yaml", kustomization),
        (
            "a/cm.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {k: v}\n",
        ),
        ("secret.txt", "outside"),
    ];
    let tree: Tree = files.into_iter().collect();
    assert_eq!(
        codes(&tree, &Options::default()),
        expected,
        "{kustomization}"
    );
}

#[test]
fn paths_stay_inside() {
    for entry in [
        "../../../etc/passwd",
        "/etc/passwd",
        "..%2f..%2fetc",
        "b\\..\\..\\x",
    ] {
        check(&format!("resources: ['{entry}']"), &["PathOutsideTree"]);
    }
    check(
        "configMapGenerator: [{name: x, files: [../secret.txt]}]",
        &["PathOutsideTree"],
    );
    check(
        "resources: [nope.yaml, cn.yaml]",
        &["ResourceNotFound", "ResourceNotFound"],
    );
}

#[test]
fn links_stay_inside_and_end() {
    for (target, code) in [
        ("/etc/passwd", "SymlinkOutsideTree"),
        ("../../x", "SymlinkOutsideTree"),
        ("link.yaml", "SymlinkLoop"),
        ("gone.yaml", "ResourceNotFound"),
    ] {
        let mut builder = TreeBuilder::default();
        builder.file(path("a/kustomization.yaml"), *b"resources: [link.yaml]\n");
        builder.add(path("a/link.yaml"), Entry::Link(target.into()));
        let tree = builder.build();
        for options in [Options::default(), Options::flux()] {
            assert_eq!(codes(&tree, &options), [code], "{target}");
        }
    }
}

#[test]
fn bases_in_circles_and_endless_chains_end() {
    let tree: Tree = [
        ("a/kustomization.yaml", "resources: [../b]\n"),
        ("b/kustomization.yaml", "resources: [../a]\n"),
    ]
    .into_iter()
    .collect();
    assert_eq!(codes(&tree, &Options::default()), ["BaseCycle"]);
    check("resources: [.]", &["BaseCycle"]);

    let mut builder = TreeBuilder::default();
    for level in 0..70 {
        let text = format!("resources: [../a{}]\n", level + 1);
        let name = if level == 0 {
            "a".to_owned()
        } else {
            format!("a{level}")
        };
        builder.file(path(&format!("{name}/kustomization.yaml")), text.as_bytes());
    }
    assert_eq!(codes(&builder.build(), &Options::default()), ["BaseCycle"]);
}

#[test]
fn addresses_and_programs_are_refused() {
    for entry in [
        "https://example.com/base.yaml",
        "https://github.com/org/repo//dir?ref=v1",
        "git@github.com:org/repo.git",
        "file:///srv/repo",
        "ssh://-oProxyCommand=x/y/z",
    ] {
        check(&format!("resources: ['{entry}']"), &["RemoteBaseForbidden"]);
    }
    check(
        "crds: ['https://example.com/crd.json']",
        &["RemoteBaseForbidden"],
    );
    check("helmCharts: [{name: x}]", &["ChartsForbidden"]);
    for field in ["generators", "transformers", "validators"] {
        let exec = "{apiVersion: x/v1, kind: Exec, metadata: {name: e, annotations: {config.kubernetes.io/function: 'exec: {path: ./x}'}}}";
        check(
            &format!("resources: [cm.yaml]\n{field}:\n- |-\n  {exec}\n"),
            &["PluginForbidden"],
        );
    }
}

#[test]
fn remote_bases_are_asked_for_by_name() {
    let tree: Tree = [(
        "a/kustomization.yaml",
        "resources: ['https://github.com/org/repo//dir?ref=v1']\n",
    )]
    .into_iter()
    .collect();
    let options = Options {
        remote_bases: true,
        ..Options::default()
    };
    let errors = errors_with(&tree, "a", &options);
    let BuildError::RemoteBaseMissing(_, missing) = &errors[0] else {
        panic!("{errors:?}");
    };
    let source = &missing.source;
    assert_eq!(
        (source.url.as_str(), source.reference.as_str()),
        ("https://github.com/org/repo", "v1")
    );
}

#[test]
fn work_that_grows_without_end_is_stopped() {
    let operation = r#"{"op":"copy","from":"/data","path":"/data/x"},{"op":"copy","from":"/data","path":"/data/y"}"#;
    let many = vec![operation; 40].join(",");
    check(
        &format!(
            "resources: [cm.yaml]\npatches: [{{target: {{kind: ConfigMap}}, patch: '[{many}]'}}]"
        ),
        &["PatchFailed"],
    );
    let test = vec![r#"{"op":"test","path":"/kind","value":"ConfigMap"}"#; 10_001].join(",");
    check(
        &format!(
            "resources: [cm.yaml]\npatches: [{{target: {{kind: ConfigMap}}, patch: '[{test}]'}}]"
        ),
        &["PatchInvalid"],
    );
}

#[test]
fn nesting_that_grows_without_end_is_stopped() {
    let deeper = vec![r#"{"op":"copy","from":"/data","path":"/data/x"}"#; 5000].join(",");
    check(
        &format!(
            "resources: [cm.yaml]\npatches: [{{target: {{kind: ConfigMap}}, patch: '[{deeper}]'}}]"
        ),
        &["PatchFailed"],
    );
    let path = "a.".repeat(100_000);
    check(
        &format!(
            "resources: [cm.yaml]\nreplacements: [{{sourceValue: x, targets: [{{select: {{kind: ConfigMap}}, fieldPaths: ['{path}a'], options: {{create: true}}}}]}}]"
        ),
        &["ReplacementFailed"],
    );
    let copy = "{source: {kind: ConfigMap, fieldPath: data}, targets: [{select: {kind: ConfigMap}, fieldPaths: [data.x, data.y], options: {create: true}}]}";
    check(
        &format!(
            "resources: [cm.yaml]\nreplacements: [{}]",
            vec![copy; 60].join(", ")
        ),
        &["ReplacementFailed"],
    );
    let labels = format!(
        "resources: [cm.yaml]\nlabels: [{{pairs: {{a: b}}, fields: [{{path: '{}', create: true}}]}}]",
        "a/".repeat(100_000)
    );
    check(&labels, &["TransformFailed"]);
}

#[test]
fn errors_name_the_place_and_what_is_near() {
    let tree: Tree = [
        (
            "a/kustomization.yaml",
            "resources:\n- deployment.yml\n- x.yaml\nnamePrefx: p-\n",
        ),
        ("a/deployment.yaml", ""),
    ]
    .into_iter()
    .collect();
    let errors = errors_with(&tree, "a", &Options::default());
    let shown: Vec<_> = errors
        .iter()
        .map(|error| {
            format!(
                "{} {:?}",
                error.span().unwrap_or_default(),
                error.facts().near
            )
        })
        .collect();
    assert_eq!(shown, ["a/kustomization.yaml:4:12 Some(\"namePrefix\")"]);

    let tree: Tree = [
        (
            "a/kustomization.yaml",
            "resources:\n- deploymnt.yaml\n- bad.yaml\npatches:\n- path: p.yaml\n",
        ),
        ("a/deployment.yaml", ""),
        ("a/bad.yaml", "a: b\nc: [\n"),
        ("a/p.yaml", ""),
    ]
    .into_iter()
    .collect();
    let errors = errors_with(&tree, "a", &Options::default());
    let shown: Vec<_> = errors
        .iter()
        .map(|error| {
            format!(
                "{} {} {:?}",
                error.code(),
                error.span().unwrap_or_default(),
                error.facts().near
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "ResourceNotFound a/kustomization.yaml:2:3 Some(\"deployment.yaml\")",
            "YamlSyntax a/bad.yaml:3:1 None"
        ]
    );

    let tree: Tree = [
        (
            "a/kustomization.yaml",
            "resources: [d.yaml]\npatches:\n- patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: fronted}\n",
        ),
        ("a/d.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: frontend}\n"),
    ]
    .into_iter()
    .collect();
    let errors = errors_with(&tree, "a", &Options::default());
    assert_eq!(errors[0].code().0, "PatchTargetNotFound");
    assert_eq!(
        errors[0].span().map(|span| span.to_string()).as_deref(),
        Some("a/kustomization.yaml:3:3")
    );
    assert_eq!(
        errors[0].help()[0],
        "Did you mean `frontend`, from a/d.yaml:1?"
    );
}

#[test]
fn warnings_come_with_the_result() {
    let tree: Tree = [
        (
            "kustomization.yaml",
            "bases: []\nresources: [cm.yaml]\npatches:\n- target: {name: nothing}\n  patch: '[{\"op\": \"remove\", \"path\": \"/data\"}]'\n",
        ),
        ("cm.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"),
    ]
    .into_iter()
    .collect();
    let (result, warnings) =
        kustomize::build(&tree, &TreePath::root(), &Options::default(), &Isolated);
    assert!(result.is_ok());
    let shown: Vec<_> = warnings
        .iter()
        .map(|warning| {
            format!(
                "{} {}",
                warning.code,
                warning.span.clone().unwrap_or_default()
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "DeprecatedField kustomization.yaml:1:1",
            "PatchTargetNotFound kustomization.yaml:4:3"
        ]
    );
}

#[test]
fn every_repeated_key_is_told_with_its_place() {
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n  name: d\ndata: {a: b}\ndata: {c: d}\n";
    let tree: Tree = [
        ("a/kustomization.yaml", "resources: [cm.yaml]\n"),
        ("a/cm.yaml", text),
    ]
    .into_iter()
    .collect();
    let errors = errors_with(&tree, "a", &Options::default());
    let places: Vec<_> = errors
        .iter()
        .map(|error| (error.code().0, error.span().map(|span| span.to_string())))
        .collect();
    assert_eq!(
        places,
        [
            ("DuplicateKey", Some("a/cm.yaml:7:1".into())),
            ("DuplicateKey", Some("a/cm.yaml:5:3".into())),
        ]
    );
}
