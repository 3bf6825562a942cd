//! Charts of kustomizations where the reference tools are no guide: packed ones, missing ones, places
//! of errors, limits, links, and who renders none.

use std::fmt::Write as _;
use std::path::Path;

use diag::Explain as _;
use expect_test::{Expect, expect};
use kustomize::{BuildError, Options};
use render::{Spec, Variables};
use tree::{Entry, Isolated, Missing, SourceRef, Tree, TreeBuilder, TreePath, World};

use crate::charts::{files_below, with_charts};

const CHART: &str = "apiVersion: v2\nname: small\nversion: 1.0.0\n";
const OBJECT: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n";

/// A kustomization with one small chart, and further files.
fn small<'a>(kustomization: &'a str, files: &[(&'a str, &'a str)]) -> TreeBuilder {
    let mut builder = TreeBuilder::default();
    let own = [
        ("kustomization.yaml", kustomization),
        ("charts/small/Chart.yaml", CHART),
        ("charts/small/values.yaml", "a: 1\n"),
        ("charts/small/templates/object.yaml", OBJECT),
    ];
    for (path, text) in own.iter().chain(files) {
        builder.file(path_of(path), text.as_bytes());
    }
    builder
}

fn path_of(text: &str) -> TreePath {
    TreePath::new(text).expect("paths of tests stay inside")
}

fn build(
    tree: &Tree,
    folder: &str,
    options: &Options,
) -> Result<kustomize::Build, Vec<BuildError>> {
    kustomize::build(tree, &path_of(folder), options, &Isolated).0
}

/// What a person is told, for every error.
fn told(errors: &[BuildError]) -> String {
    let mut out = String::new();
    for error in errors {
        let diagnostic = error.to_diagnostic();
        let _ = writeln!(out, "{} {}", diagnostic.code, diagnostic.one_line());
        for help in &diagnostic.help {
            let _ = writeln!(out, "  {help}");
        }
    }
    out
}

fn check_refused(tree: &Tree, folder: &str, options: &Options, expected: Expect) {
    match build(tree, folder, options) {
        Ok(build) => panic!("it builds:\n{}", build.to_yaml()),
        Err(errors) => expected.assert_eq(&told(&errors)),
    }
}

fn codes(tree: &Tree, folder: &str, options: &Options) -> Vec<&'static str> {
    match build(tree, folder, options) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.iter().map(|error| error.code().0).collect(),
    }
}

fn packed_web() -> Vec<u8> {
    let packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut archive = tar::Builder::new(packer);
    for (path, text) in files_below(Path::new("tests/charts/shared/web")) {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        archive
            .append_data(&mut header, format!("web/{path}"), text.as_bytes())
            .expect("memory can be written");
    }
    let packer = archive.into_inner().expect("memory can be written");
    packer.finish().expect("memory can be written")
}

#[test]
fn a_packed_chart_renders_as_its_folder() {
    const FIELDS: &str = "\n  releaseName: front\n  includeCRDs: true\n  valuesInline: {settings: {colors: [blue]}}\n";
    let mut folder = TreeBuilder::default();
    let kustomization = format!("helmCharts:\n- name: web{FIELDS}");
    folder.file(path_of("kustomization.yaml"), kustomization.as_bytes());
    for (path, text) in files_below(Path::new("tests/charts/shared/web")) {
        folder.file(path_of(&format!("charts/web/{path}")), text.as_bytes());
    }
    let wanted = build(&folder.build(), "", &with_charts()).expect("it builds");
    assert_eq!(wanted.objects.len(), 6);
    let template = path_of("charts/web/templates/tests/answers.yaml");
    assert!(wanted.files_read.contains(&template));
    for (fields, file) in [
        ("", "charts/web.tgz"),
        ("  version: 1.2.3\n", "charts/web-1.2.3.tgz"),
        ("  version: 1.2.3\n", "charts/web.tgz"),
        (
            "  version: 1.2.3\n  repo: https://charts.example.com\n",
            "charts/web-1.2.3.tgz",
        ),
    ] {
        let mut packed = TreeBuilder::default();
        let kustomization = format!("{kustomization}{fields}");
        packed.file(path_of("kustomization.yaml"), kustomization.as_bytes());
        packed.file(path_of(file), packed_web());
        let got = build(&packed.build(), "", &with_charts()).expect("it builds");
        assert_eq!(got.to_yaml(), wanted.to_yaml(), "{file} {fields}");
        assert!(got.files_read.contains(&path_of(file)));
    }
    // A folder comes first, and a file that is no chart is none.
    let tree = small("helmCharts: [{name: small}]", &[("charts/small.tgz", "no")]).build();
    assert_eq!(codes(&tree, "", &with_charts()), [""; 0]);
    let tree = small("helmCharts: [{name: other}]", &[("charts/other.tgz", "no")]).build();
    check_refused(
        &tree,
        "",
        &with_charts(),
        expect![[r#"
            ArchiveDamaged charts/other.tgz: chart `other` cannot be rendered: file does not appear to be a gzipped archive; got 'application/octet-stream'
              It is rendered for `helmCharts[0]` of kustomization.yaml:1:14.
        "#]],
    );
}

#[test]
fn a_missing_chart_says_where_it_was_looked_for_and_how_to_get_it() {
    let check = |kustomization: &str, expected: Expect| {
        check_refused(
            &small(kustomization, &[]).build(),
            "",
            &with_charts(),
            expected,
        );
    };
    check(
        "helmCharts:\n- name: web\n",
        expect![[r#"
        ChartNotFound kustomization.yaml:2:9: no chart `web` in `charts`: no repo specified for pull, no chart found at ''
          A build fetches no charts: put it there with `helm pull REPOSITORY/web --untar -d charts`, or name the folder of your charts as `helmGlobals.chartHome`.
    "#]],
    );
    check(
        "helmGlobals: {chartHome: vendor/charts}\nhelmCharts:\n- name: web\n  version: 1.2.3\n",
        expect![[r#"
            ChartNotFound kustomization.yaml:3:9: no chart `web` in `vendor/charts`: no repo specified for pull, no chart found at ''
              A build fetches no charts: put it there with `helm pull REPOSITORY/web --version 1.2.3 --untar -d vendor/charts`, or name the folder of your charts as `helmGlobals.chartHome`.
        "#]],
    );
    check(
        "helmCharts:\n- name: small\n  version: 1.2.3\n  repo: https://charts.example.com/stable\n",
        expect![[r#"
            ChartNotFound kustomization.yaml:2:9: no chart `small` in `charts/small-1.2.3`: no chart found at '/charts/small-1.2.3/small'
              There is a chart in `charts/small`; one with `repo` and `version` is looked for in `charts/small-1.2.3`. Remove `repo` to use it as it is.
              A build fetches no charts: put it there with `helm pull --repo https://charts.example.com/stable small --version 1.2.3 --untar -d charts/small-1.2.3`, or name the folder of your charts as `helmGlobals.chartHome`.
        "#]],
    );
    check(
        "helmCharts:\n- name: web\n  version: 1.2.3\n  repo: oci://registry.example.com/charts/\n",
        expect![[r#"
            ChartNotFound kustomization.yaml:2:9: no chart `web` in `charts/web-1.2.3`: no chart found at '/charts/web-1.2.3/web'
              A build fetches no charts: put it there with `helm pull oci://registry.example.com/charts/web --version 1.2.3 --untar -d charts/web-1.2.3`, or name the folder of your charts as `helmGlobals.chartHome`.
        "#]],
    );
    check(
        "helmCharts:\n- name: web\n  version: 1; rm -rf ~\n  repo: https://x/$(id)'y\n",
        expect![[r#"
            ChartNotFound kustomization.yaml:2:9: no chart `web` in `charts/web-1; rm -rf ~`: no chart found at '/charts/web-1; rm -rf ~/web'
              A build fetches no charts: put it there with `helm pull --repo 'https://x/$(id)'\''y' web --version '1; rm -rf ~' --untar -d 'charts/web-1; rm -rf ~'`, or name the folder of your charts as `helmGlobals.chartHome`.
        "#]],
    );
}

#[test]
fn errors_name_the_file_of_the_chart_and_who_asked_for_it() {
    let check = |fields: &str, file: (&str, &str), expected: Expect| {
        let kustomization = format!("resources: []\nhelmCharts:\n- name: small\n{fields}");
        let tree = small(&kustomization, &[file]).build();
        check_refused(&tree, "", &with_charts(), expected);
    };
    let template = "charts/small/templates/object.yaml";
    check(
        "",
        (template, "a: 1\nb: {{ fail \"no\" }}\n"),
        expect![[r#"
        TemplateFailed charts/small/templates/object.yaml:2:7: chart `small` cannot be rendered: execution error at (small/templates/object.yaml:2:6): no
          It is rendered for `helmCharts[0]` of kustomization.yaml:3:3.
    "#]],
    );
    check(
        "",
        (template, "a: 1\nb: {{ end }}\n"),
        expect![[r#"
        TemplateFailed charts/small/templates/object.yaml:2: chart `small` cannot be rendered: parse error at (small/templates/object.yaml:2): unexpected {{end}}
          It is rendered for `helmCharts[0]` of kustomization.yaml:3:3.
    "#]],
    );
    check(
        "",
        (template, "a: [1\n"),
        expect![[r#"
        ManifestInvalid charts/small/templates/object.yaml: chart `small` cannot be rendered: YAML parse error on small/templates/object.yaml: error converting YAML to JSON: yaml: line 1: did not find expected ',' or ']'
          It is rendered for `helmCharts[0]` of kustomization.yaml:3:3.
    "#]],
    );
    check(
        "",
        (template, "plain words\n"),
        expect![[r#"
        ManifestInvalid charts/small/templates/object.yaml: chart `small` cannot be rendered: YAML parse error on small/templates/object.yaml: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go value of type util.SimpleHead
          It is rendered for `helmCharts[0]` of kustomization.yaml:3:3.
    "#]],
    );
    check(
        "",
        (template, "a: 1\n---\nkind: ConfigMap\n"),
        expect![[r#"
        ObjectInvalid charts/small/templates/object.yaml: chart `small` cannot be rendered: could not parse rnode slice into resource map: missing metadata.name in object {{ ConfigMap} {{ } map[] map[]}}
          It is rendered for `helmCharts[0]` of kustomization.yaml:3:3.
    "#]],
    );
    check(
        "",
        ("charts/small/Chart.yaml", "name: [x\n"),
        expect![[r#"
        ChartInvalid charts/small/Chart.yaml: chart `small` cannot be rendered: cannot load Chart.yaml: error converting YAML to JSON: yaml: line 1: did not find expected ',' or ']'
          It is rendered for `helmCharts[0]` of kustomization.yaml:3:3.
    "#]],
    );
    check(
        "",
        ("charts/small/values.yaml", "a: [1\n"),
        expect![[r#"
        ChartInvalid charts/small/values.yaml: chart `small` cannot be rendered: cannot load values.yaml: cannot unmarshal yaml document: error converting YAML to JSON: yaml: line 1: did not find expected ',' or ']'
          It is rendered for `helmCharts[0]` of kustomization.yaml:3:3.
    "#]],
    );
    check(
        "  valuesFile: mine.yaml\n  valuesInline: {b: 1}\n",
        ("mine.yaml", "a: [1\n"),
        expect![[r#"
            ValuesInvalid mine.yaml: chart `small` cannot be rendered: could not parse values file into rnode: yaml: line 1: did not find expected ',' or ']'
              It is rendered for `helmCharts[0]` of kustomization.yaml:3:3.
        "#]],
    );
    check(
        "  valuesFile: mine.yaml\n",
        ("x", ""),
        expect![[r#"
        ResourceNotFound kustomization.yaml:4:15: `mine.yaml` does not exist: evalsymlink failure on '/mine.yaml' : lstat /mine.yaml: no such file or directory
    "#]],
    );
    check(
        "  kubeVersion: newest\n",
        ("x", ""),
        expect![[r#"
            KubeVersionInvalid kustomization.yaml:4:16: chart `small` cannot be rendered: invalid kube version 'newest': could not parse "newest" as version
        "#]],
    );
    check(
        "  releaseName: a\n  nameTemplate: b\n",
        ("x", ""),
        expect![[r#"
            ReleaseNameInvalid kustomization.yaml:5:17: chart `small` cannot be rendered: cannot set --name-template and also specify a name
              Keep one of `releaseName` and `nameTemplate`.
        "#]],
    );
    check(
        "  valuesInline: {a: text}\n",
        (
            "charts/small/values.schema.json",
            r#"{"properties": {"a": {"type": "integer"}}}"#,
        ),
        expect![[r#"
            ValuesSchemaMismatch kustomization.yaml:4:3: chart `small` cannot be rendered: values don't meet the specifications of the schema(s) in the following chart(s):
            small:
            - at '/a': got string, want integer

        "#]],
    );
}

#[test]
fn without_a_renderer_charts_are_refused() {
    let tree = small("helmCharts:\n- name: small\n", &[]).build();
    check_refused(
        &tree,
        "",
        &Options::default(),
        expect![[r#"
        ChartsForbidden kustomization.yaml:2:3: chart `small` is not rendered here: trouble configuring builtin HelmChartInflationGenerator with config: `
        name: small
        `: must specify --enable-helm
          With `build kustomize --enable-helm` charts are rendered.
          A Kustomization renders none, as in Flux: use a HelmRelease, or commit what `fleetwright build kustomize --enable-helm` prints.
    "#]],
    );
    let spec = Spec::default();
    let (rendered, _) = render::kustomization(&tree, &spec, &Variables::default(), &Isolated);
    let errors = rendered.expect_err("a unit has no charts");
    assert_eq!(errors[0].code().0, "ChartsForbidden");
}

#[test]
fn charts_are_named_by_their_folder() {
    for name in ["../small", "/charts/small", "a/b", "..", "small/"] {
        let tree = small(&format!("helmCharts: [{{name: '{name}'}}]"), &[]).build();
        assert_eq!(
            codes(&tree, "", &with_charts()),
            ["ChartNameInvalid"],
            "{name}"
        );
    }
    let tree = small("helmCharts: [{name: '../x'}]", &[]).build();
    check_refused(
        &tree,
        "",
        &with_charts(),
        expect![[r#"
        ChartNameInvalid kustomization.yaml:1:21: chart `../x` cannot be rendered: trouble configuring builtin HelmChartInflationGenerator with config: `
        name: ../x
        `: chart name "../x" is not the name of a folder
          Name the folder that holds the chart under `helmGlobals.chartHome`.
    "#]],
    );
}

#[test]
fn nothing_outside_is_read() {
    let at = |folder: &str, kustomization: &str| {
        let mut builder = small("resources: []", &[]);
        builder.file(
            path_of(&format!("{folder}/kustomization.yaml")),
            kustomization.as_bytes(),
        );
        builder
    };
    // Out of the tree.
    for home in ["../../..", "/etc", "../../../charts"] {
        let text = format!("helmGlobals: {{chartHome: {home}}}\nhelmCharts: [{{name: small}}]");
        assert_eq!(
            codes(&at("app", &text).build(), "app", &with_charts()),
            ["PathOutsideTree"],
            "{home}"
        );
    }
    // Out of the folder: the chart may lie there, its values only when nothing restricts them.
    let above = "helmGlobals: {chartHome: ../charts}\nhelmCharts: [{name: small}]";
    assert_eq!(
        codes(&at("app", above).build(), "app", &with_charts()),
        ["PathOutsideTree"]
    );
    let free = Options {
        root_only: false,
        ..with_charts()
    };
    assert_eq!(codes(&at("app", above).build(), "app", &free), [""; 0]);
    for files in [
        "valuesFile: ../secret.yaml",
        "additionalValuesFiles: [../secret.yaml]",
    ] {
        let text = format!(
            "helmGlobals: {{chartHome: ../charts}}\nhelmCharts: [{{name: small, {files}}}]"
        );
        let mut tree = at("app", &text);
        tree.file(path_of("secret.yaml"), *b"a: 1");
        assert_eq!(
            codes(&tree.build(), "app", &with_charts()),
            ["PathOutsideTree"]
        );
    }
    // By links.
    for (link, target, code) in [
        ("mine.yaml", "../../etc/passwd", "SymlinkOutsideTree"),
        ("mine.yaml", "/etc/passwd", "SymlinkOutsideTree"),
        ("mine.yaml", "../other/secret.yaml", "PathOutsideTree"),
        ("mine.yaml", "mine.yaml", "SymlinkLoop"),
        (
            "charts/small/templates/x.yaml",
            "../../../../../../etc/passwd",
            "SymlinkOutsideTree",
        ),
        (
            "charts/small/templates/x.yaml",
            "../../../../other/secret.yaml",
            "SymlinkOutsideTree",
        ),
        ("charts/small/files", "../../../other", "SymlinkOutsideTree"),
        ("charts/small/loop", "../small", "SymlinkLoop"),
    ] {
        let mut builder = TreeBuilder::default();
        builder.file(path_of("other/secret.yaml"), *b"a: 1");
        let kustomization = "helmCharts: [{name: small, valuesFile: mine.yaml}]";
        builder.file(path_of("app/kustomization.yaml"), kustomization.as_bytes());
        builder.file(path_of("app/charts/small/Chart.yaml"), CHART.as_bytes());
        builder.file(path_of("app/mine.yaml"), *b"a: 1");
        builder.add(
            path_of(&format!("app/{link}")),
            Entry::Link(target.to_owned()),
        );
        assert_eq!(
            codes(&builder.build(), "app", &with_charts()),
            [code],
            "{link} -> {target}"
        );
    }
}

#[test]
fn what_charts_render_is_limited() {
    let kustomization = "helmCharts: [{name: small}]";
    let one = format!("{OBJECT}  # {{{{ repeat 100000000 \"x\" }}}}\n");
    let tree = small(
        kustomization,
        &[("charts/small/templates/object.yaml", &one)],
    )
    .build();
    assert_eq!(codes(&tree, "", &with_charts()), ["TemplateLimit"]);

    let large =
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: large\n# {{ repeat 9000000 \"x\" }}\n";
    let paths: Vec<String> = (0..8)
        .map(|at| format!("charts/small/templates/{at}.yaml"))
        .collect();
    let files: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), large)).collect();
    let tree = small(kustomization, &files).build();
    check_refused(
        &tree,
        "",
        &with_charts(),
        expect![[r#"
            LimitReached kustomization.yaml:1:14: 67108864 bytes of rendered charts is more than a build may have: more than 67108864 bytes of rendered charts
        "#]],
    );

    let many = format!(
        "helmCharts: [{}]",
        "{name: small, releaseName: a}, ".repeat(600)
    );
    let tree = small(&many, &[("charts/small/templates/object.yaml", "")]).build();
    assert_eq!(
        codes(&tree, "", &with_charts()).last(),
        Some(&"LimitReached")
    );
}

/// A world with one repository, in which the chart lies beside the kustomization.
struct Elsewhere(Tree);

impl World for Elsewhere {
    fn tree(&self, _: &SourceRef) -> Result<Tree, Missing> {
        Ok(self.0.clone())
    }

    fn lookup(&self, _: &object::ObjectKey) -> Option<object::Object> {
        None
    }
}

#[test]
fn a_base_elsewhere_brings_its_own_charts() {
    let world = Elsewhere(small("helmCharts: [{name: small, releaseName: far}]", &[]).build());
    let tree: Tree = [(
        "kustomization.yaml",
        "resources: ['https://git.example.com/org/repo.git?ref=v1']\n",
    )]
    .into_iter()
    .collect();
    let options = Options {
        remote_bases: true,
        ..with_charts()
    };
    let root = TreePath::root();
    let (built, _) = kustomize::build(&tree, &root, &options, &world);
    let built = built.expect("it builds");
    assert_eq!(built.objects[0].name(), "far");
    assert_eq!(built.files_read.len(), 1, "{:?}", built.files_read);
    let world = Elsewhere(small("helmCharts: [{name: web}]", &[]).build());
    let (built, _) = kustomize::build(&tree, &root, &options, &world);
    let told = told(&built.expect_err("its chart is not there"));
    let place = "ChartNotFound https://git.example.com/org/repo.git//kustomization.yaml:1:21:";
    assert!(told.starts_with(place), "{told}");
}

#[test]
fn every_chart_has_randomness_of_its_own() {
    let template = format!("{OBJECT}data:\n  password: {{{{ randAlphaNum 20 }}}}\n");
    let kustomization =
        "helmCharts: [{name: small, releaseName: a}, {name: small, releaseName: b}]";
    let tree = small(
        kustomization,
        &[("charts/small/templates/object.yaml", &template)],
    )
    .build();
    let once = build(&tree, "", &with_charts()).expect("it builds");
    let twice = build(&tree, "", &with_charts()).expect("it builds");
    assert_eq!(once.to_yaml(), twice.to_yaml());
    let password = |at: usize| {
        once.objects[at]
            .node
            .str_at(&["data", "password"])
            .map(str::to_owned)
    };
    assert!(password(0).is_some_and(|text| text.len() == 20));
    assert_ne!(password(0), password(1));
}

#[test]
fn lint_looks_at_charts_that_are_there() {
    let lint = |kustomization: &str| -> Vec<String> {
        let tree = small(kustomization, &[]).build();
        let found = kustomize::lint(
            &tree,
            &Options {
                root_only: false,
                ..with_charts()
            },
            &Isolated,
            &[],
        );
        found
            .iter()
            .map(|finding| format!("{} {}", finding.code, finding.one_line()))
            .collect()
    };
    let patched = "helmCharts: [{name: small, releaseName: front}]\npatches:\n- target: {name: front}\n  patch: |\n    - op: add\n      path: /data\n      value: {}\n";
    assert_eq!(lint(patched), [""; 0]);
    assert_eq!(
        lint(&patched.replace("target: {name: front}", "target: {name: fron}")).len(),
        1
    );
    // Somebody else may pull it; without a repository nobody can.
    assert_eq!(
        lint("helmCharts: [{name: x, repo: 'https://x', version: 1.0.0}]\n"),
        [""; 0]
    );
    let missing = lint("helmCharts: [{name: x}]\n");
    assert!(missing[0].starts_with("ChartNotFound"), "{missing:?}");
}
