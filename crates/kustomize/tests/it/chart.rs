//! What a build asks a renderer of charts for, and what it does with the answer.

use std::sync::{Arc, Mutex};

use diag::{Code, Explain as _, Retry};
use kustomize::{
    CHART_BYTES_MAX, ChartError, ChartRelease, ChartRenderer, Charts, LoadedChart, Options,
    RenderedChart,
};
use tree::{Isolated, Tree, TreePath};

/// Writes down what it is asked for, and answers with the same text every time.
#[derive(Clone, Debug, Default)]
struct Echo {
    asked: Arc<Mutex<Vec<String>>>,
    answer: Arc<str>,
}

impl ChartRenderer for Echo {
    fn load(&self, _: &Tree, path: &TreePath) -> Result<Box<dyn LoadedChart>, ChartError> {
        self.note(format!("load {}", path.as_str()));
        Ok(Box::new(self.clone()))
    }
}

impl LoadedChart for Echo {
    fn values(&self) -> Option<Arc<[u8]>> {
        Some(Arc::from(*b"packed: true\n"))
    }

    fn render(&self, release: &ChartRelease<'_>) -> Result<RenderedChart, ChartError> {
        let values: Vec<String> = release
            .values
            .iter()
            .map(|file| {
                let text = String::from_utf8_lossy(&file.content);
                format!("{}: {}", file.path, text.trim().replace('\n', ", "))
            })
            .collect();
        let text = |name: &str, text: &str| match text {
            "" => String::new(),
            text => format!(" {name}={text}"),
        };
        let flag = |name: &str, set: bool| text(name, if set { "yes" } else { "" });
        let parts = [
            text("name", release.name),
            text("template", release.name_template),
            text("namespace", release.namespace),
            text("apis", &release.api_versions.join("+")),
            text("kubernetes", release.kube_version),
            flag("crds", release.include_crds),
            flag("skip-tests", release.skip_tests),
            flag("skip-hooks", release.skip_hooks),
            text("number", &release.number.to_string()),
            text("values", &values.join("; ")),
        ];
        self.note(format!("render{}", parts.concat()));
        if release.name == "fails" {
            return Err(ChartError {
                code: Code("TemplateFailed"),
                message: "it fails".to_owned(),
                at: Some(diag::Span::line("charts/web/templates/a.yaml", 7)),
                help: vec!["Mend it.".to_owned()],
                retry: Retry::Never,
            });
        }
        Ok(RenderedChart {
            text: self.answer.to_string(),
            warnings: vec!["it is odd".to_owned()],
        })
    }
}

impl Echo {
    fn note(&self, what: String) {
        self.asked
            .lock()
            .expect("nothing panics with it")
            .push(what);
    }
}

type Built = (
    Result<kustomize::Build, Vec<kustomize::BuildError>>,
    Vec<diag::Diagnostic>,
);

/// Builds a kustomization with a chart `web` and says what was asked for.
fn build(kustomization: &str, answer: &str) -> (Built, String) {
    let tree: Tree = [
        ("kustomization.yaml", kustomization),
        ("charts/web/values.yaml", "a: 1\nb: 2\n"),
        ("charts/packed.tgz", "bytes"),
        ("mine.yaml", "a: 5\n"),
    ]
    .into_iter()
    .collect();
    let echo = Echo {
        answer: answer.into(),
        ..Echo::default()
    };
    let options = Options {
        charts: Some(Charts {
            renderer: Arc::new(echo.clone()),
            api_versions: vec!["given/v1".to_owned()],
            kube_version: "v1.30".to_owned(),
        }),
        ..Options::default()
    };
    let built = kustomize::build(&tree, &TreePath::root(), &options, &Isolated);
    let asked = echo.asked.lock().expect("nothing panics with it");
    (built, asked.join("\n"))
}

#[test]
fn fields_become_what_the_renderer_is_asked_for() {
    const OWN: &str =
        "apis=given/v1 kubernetes=v1.30 number=0 values=charts/web/values.yaml: a: 1, b: 2";
    for (fields, wanted) in [
        ("", format!("render {OWN}")),
        ("releaseName: x", format!("render name=x {OWN}")),
        ("namespace: x", format!("render namespace=x {OWN}")),
        ("nameTemplate: x", format!("render template=x {OWN}")),
        ("devel: true, debug: true", format!("render {OWN}")),
        (
            "apiVersions: [a/v1, b/v1], kubeVersion: v1.28",
            OWN.replace("given/v1", "a/v1+b/v1")
                .replace("v1.30", "v1.28"),
        ),
        (
            "includeCRDs: true, skipTests: true, skipHooks: true",
            OWN.replace(" number", " crds=yes skip-tests=yes skip-hooks=yes number"),
        ),
        ("valuesFile: mine.yaml", "values=mine.yaml: a: 5".to_owned()),
        (
            "additionalValuesFiles: [mine.yaml]",
            format!("{OWN}; mine.yaml: a: 5"),
        ),
        (
            "valuesInline: {a: 3, c: 4}",
            "values=: a: 3, b: 2, c: 4".to_owned(),
        ),
        (
            "valuesInline: {a: 3, c: 4}, valuesMerge: merge",
            "values=: a: 1, b: 2, c: 4".to_owned(),
        ),
        (
            "valuesInline: {a: 3, c: 4}, valuesMerge: replace, valuesFile: nowhere",
            "values=: a: 3, c: 4".to_owned(),
        ),
        (
            "valuesInline: {a: null}, valuesFile: mine.yaml",
            "values=: {}".to_owned(),
        ),
    ] {
        let comma = if fields.is_empty() { "" } else { ", " };
        let ((result, _), asked) =
            build(&format!("helmCharts: [{{name: web{comma}{fields}}}]"), "");
        assert!(result.is_ok(), "{fields}: {result:?}");
        assert!(asked.starts_with("load charts/web\nrender "), "{asked}");
        assert!(asked.ends_with(&wanted), "{fields}\n  {asked}\n  {wanted}");
    }
    // A packed chart gives its own values.
    let (_, asked) = build("helmCharts: [{name: packed}, {name: web}]", "");
    let wanted = [
        "load charts/packed.tgz",
        "render apis=given/v1 kubernetes=v1.30 number=0 values=charts/packed.tgz/values.yaml: packed: true",
        "load charts/web",
    ];
    assert!(asked.starts_with(&wanted.join("\n")), "{asked}");
    assert!(asked.contains("number=1"), "{asked}");
}

#[test]
fn what_comes_back_is_bounded_and_becomes_objects() {
    let web = "helmCharts: [{name: web}]";
    let object =
        "# Source: web/templates/a.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
    let ((result, warnings), _) = build(&format!("namespace: shop\n{web}"), object);
    let built = result.expect("it builds");
    // The transformer of namespaces leaves what comes from charts alone.
    assert_eq!(
        built.to_yaml(),
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"
    );
    let origin = built.objects[0].origin.as_ref().map(ToString::to_string);
    assert_eq!(origin.as_deref(), Some("kustomization.yaml:2"));
    let odd: Vec<_> = warnings.iter().map(|warning| warning.one_line()).collect();
    assert_eq!(odd, ["kustomization.yaml:2:14: it is odd"]);

    let long = format!("#{}\n", "x".repeat(CHART_BYTES_MAX));
    for (answer, code) in [
        (long.as_str(), "LimitReached"),
        ("a: [", "YamlSyntax"),
        ("words", "ObjectInvalid"),
        ("a: 1", "ObjectInvalid"),
    ] {
        let ((result, _), _) = build(web, answer);
        let errors = result.expect_err("it is refused");
        assert_eq!(errors[0].code().0, code, "{:.60}", answer);
    }
    let document = format!("#{}\n---\n", "x".repeat(1 << 20));
    let half = document.repeat(CHART_BYTES_MAX / 2 / (1 << 20));
    let ((result, _), _) = build("helmCharts: [{name: web}, {name: web}]", &half);
    let errors = result.expect_err("both together are too much");
    assert_eq!(errors[0].code().0, "LimitReached");
}

#[test]
fn every_chart_that_fails_is_told_with_its_place() {
    let ((result, _), _) = build(
        "helmCharts:\n- name: web\n  releaseName: fails\n- name: nowhere\n",
        "",
    );
    let errors = result.expect_err("both fail");
    let told: Vec<String> = errors
        .iter()
        .map(|error| format!("{} {}", error.code(), error.to_diagnostic().one_line()))
        .collect();
    assert_eq!(
        told,
        [
            "TemplateFailed charts/web/templates/a.yaml:7: chart `web` cannot be rendered: it fails",
            "ChartNotFound kustomization.yaml:4:9: no chart `nowhere` in `charts`: no repo specified for pull, no chart found at ''",
        ]
    );
    let help = errors[0].help();
    assert_eq!(
        help,
        [
            "Mend it.",
            "It is rendered for `helmCharts[0]` of kustomization.yaml:2:3."
        ]
    );
}
