//! Releases and bindings as files.

use component::generate::{self, BindingRequest, Output, ReleaseRequest, Selection, Step, names};
use diag::Explain;
use expect_test::{Expect, expect};
use golang::Timestamp;
use object::Node;
use testkit::corpus;
use tree::TreePath;

use crate::support::{checkout, checkout_of, differences, folder, objects, tree_of};

/// A platform with one type, and two environments.
const PLATFORM: &str = r#"
apiVersion: openchoreo.dev/v1alpha1
kind: ComponentType
metadata: {name: web, namespace: acme}
spec:
  workloadType: deployment
  schema:
    parameters: {replicas: "integer | default=1"}
    envOverrides: {cpu: "string | default=100m"}
  resources:
    - id: deployment
      template:
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: "${metadata.name}", namespace: "${metadata.namespace}"}
        spec:
          replicas: ${parameters.replicas}
          template: {spec: {containers: [{name: app, image: '${workload.containers["app"].image}'}]}}
---
apiVersion: openchoreo.dev/v1alpha1
kind: DeploymentPipeline
metadata: {name: main, namespace: acme}
spec:
  promotionPaths:
    - {sourceEnvironmentRef: dev, targetEnvironmentRefs: [{name: prod}]}
---
apiVersion: openchoreo.dev/v1alpha1
kind: Environment
metadata: {name: dev, namespace: acme}
spec: {dataPlaneRef: plane}
---
apiVersion: openchoreo.dev/v1alpha1
kind: Environment
metadata: {name: prod, namespace: acme}
spec: {dataPlaneRef: plane}
---
apiVersion: openchoreo.dev/v1alpha1
kind: DataPlane
metadata: {name: plane, namespace: acme}
spec: {gateway: {publicVirtualHost: apps.example.org}}
---
apiVersion: openchoreo.dev/v1alpha1
kind: Project
metadata: {name: shop, namespace: acme}
spec: {deploymentPipelineRef: main}
"#;

const COMPONENT: &str = r#"
apiVersion: openchoreo.dev/v1alpha1
kind: Component
metadata: {name: web, namespace: acme}
spec: {owner: {projectName: shop}, componentType: deployment/web, parameters: {replicas: 2}}
"#;

fn workload(container: &str, image: &str) -> String {
    format!(
        "apiVersion: openchoreo.dev/v1alpha1\nkind: Workload\nmetadata: {{name: web-workload, namespace: acme}}\nspec:\n  owner: {{projectName: shop, componentName: web}}\n  containers: {{{container}: {{image: \"{image}\"}}}}\n"
    )
}

fn binding(environment: &str, release: &str) -> String {
    format!(
        "apiVersion: openchoreo.dev/v1alpha1\nkind: ReleaseBinding\nmetadata: {{name: web-{environment}, namespace: acme}}\nspec:\n  owner: {{projectName: shop, componentName: web}}\n  environment: {environment}\n  releaseName: {release} # chosen\n  componentTypeEnvOverrides: {{cpu: 200m}}\n"
    )
}

/// Files of a checkout, which tests add to.
struct Story(Vec<(String, String)>);

impl Story {
    fn new() -> Self {
        Self(vec![
            ("platform/all.yaml".into(), PLATFORM.into()),
            ("shop/web/component.yaml".into(), COMPONENT.into()),
            ("shop/web/workload.yaml".into(), workload("app", "web:1")),
        ])
    }

    fn with(mut self, path: &str, text: impl Into<String>) -> Self {
        self.0.retain(|(own, _)| own != path);
        self.0.push((path.to_owned(), text.into()));
        self
    }

    /// The checkout after the files were written.
    fn after(mut self, output: &Output) -> Self {
        for (path, text) in &output.files {
            self = self.with(path.as_str(), text.clone());
        }
        self
    }

    fn release(&self, name: Option<&str>) -> Output {
        let request = ReleaseRequest {
            selection: web(),
            name: name.map(Into::into),
            folder: None,
            now: day(),
        };
        let checkout = checkout_of(&self.0);
        generate::releases(&checkout, &request).expect("the component is there")
    }

    fn bind(&self, environment: &str, release: Option<&str>) -> Output {
        let request = BindingRequest {
            selection: web(),
            environment: Some(environment.into()),
            release: release.map(Into::into),
            ..BindingRequest::default()
        };
        let checkout = checkout_of(&self.0);
        generate::bindings(&checkout, &request).expect("the component is there")
    }
}

fn web() -> Selection {
    Selection {
        component: Some("web".into()),
        ..Selection::default()
    }
}

/// 2026-02-01.
fn day() -> Timestamp {
    Timestamp::from_unix(1_769_904_000)
}

/// What is said: warnings, then each item with its path and changes, or the error.
fn told(output: &Output) -> String {
    let mut out = String::new();
    for warning in &output.warnings {
        out.push_str(&format!("warning: {}\n", warning.one_line()));
    }
    for item in &output.items {
        match &item.outcome {
            Ok(made) => {
                let name = made.object.name();
                out.push_str(&format!("{:?} {name} {}\n", made.step, made.path));
                for change in &made.changes {
                    out.push_str(&format!("  {change}\n"));
                }
            }
            Err(error) => out.push_str(&format!("{}: {error}\n", error.code())),
        }
    }
    out
}

fn check(output: &Output, expected: Expect) {
    expected.assert_eq(&told(output));
}

#[test]
fn names_are_ordered_by_their_numbers() {
    let sorted = [
        "web-20251231-11",
        "web-20260101-1",
        "web-20260101-2",
        "web-20260101-9",
        "web-20260101-10",
        "web-20260102-1",
        "web-b1e72d38",
    ];
    for pair in sorted.windows(2) {
        assert_eq!(
            names::compare(pair[0], pair[1]),
            std::cmp::Ordering::Less,
            "{pair:?}"
        );
    }
    assert_eq!(names::newest(sorted), Some("web-b1e72d38"));
    let next = |taken: &[&str]| names::next("web", day(), taken.iter().copied());
    assert_eq!(next(&[]), "web-20260201-1");
    assert_eq!(
        next(&["web-20260131-7", "web-20260201-x"]),
        "web-20260201-1"
    );
    let nine: Vec<String> = (1..=9).map(|n| format!("web-20260201-{n}")).collect();
    let nine: Vec<&str> = nine.iter().map(String::as_str).collect();
    assert_eq!(next(&nine), "web-20260201-10");
    assert_eq!(
        next(&["web-20260201-99999999999999999999"]),
        "web-20260201-1"
    );
}

#[test]
fn a_release_is_written_once_for_one_content() {
    let story = Story::new();
    let first = story.release(None);
    check(
        &first,
        expect![[r#"
        Create web-20260201-1 shop/web/releases/web-20260201-1.yaml
    "#]],
    );
    let path = TreePath::new("shop/web/releases/web-20260201-1.yaml").expect("a right path");
    expect![[r#"
        apiVersion: openchoreo.dev/v1alpha1
        kind: ComponentRelease
        metadata:
          name: web-20260201-1
          namespace: acme
        spec:
          componentProfile:
            parameters:
              replicas: 2
          componentType:
            resources:
            - id: deployment
              template:
                apiVersion: apps/v1
                kind: Deployment
                metadata:
                  name: ${metadata.name}
                  namespace: ${metadata.namespace}
                spec:
                  replicas: ${parameters.replicas}
                  template:
                    spec:
                      containers:
                      - image: ${workload.containers["app"].image}
                        name: app
            schema:
              envOverrides:
                cpu: string | default=100m
              parameters:
                replicas: integer | default=1
            workloadType: deployment
          owner:
            componentName: web
            projectName: shop
          workload:
            containers:
              app:
                image: web:1
    "#]]
    .assert_eq(&first.files[&path]);

    let story = story.after(&first);
    let again = story.release(None);
    assert!(again.files.is_empty());
    check(
        &again,
        expect![[r#"
        Keep web-20260201-1 shop/web/releases/web-20260201-1.yaml
    "#]],
    );
    let changed = story.with("shop/web/workload.yaml", workload("app", "web:2"));
    check(
        &changed.release(None),
        expect![[r#"
        Create web-20260201-2 shop/web/releases/web-20260201-2.yaml
    "#]],
    );
}

#[test]
fn the_tenth_release_of_a_day_follows_the_ninth() {
    let mut story = Story::new();
    for number in 1..=11 {
        let image = format!("web:{number}");
        story = story.with("shop/web/workload.yaml", workload("app", &image));
        let output = story.release(None);
        assert_eq!(output.files.len(), 1);
        story = story.after(&output);
    }
    let again = story.release(None);
    check(
        &again,
        expect![[r#"
        Keep web-20260201-11 shop/web/releases/web-20260201-11.yaml
    "#]],
    );
    let bound = story.bind("dev", None);
    check(
        &bound,
        expect![[r#"
        Create web-dev shop/web/release-bindings/web-dev.yaml
    "#]],
    );
    let text = bound.files.values().next().expect("one file");
    assert!(text.contains("releaseName: web-20260201-11\n"), "{text}");
}

#[test]
fn a_name_that_is_in_use_keeps_its_content() {
    let story = Story::new();
    let story = story.release(Some("web-b1e72d38"));
    check(
        &story,
        expect![[r#"
        Create web-b1e72d38 shop/web/releases/web-b1e72d38.yaml
    "#]],
    );
    let story = Story::new().after(&story);
    check(
        &story.release(Some("web-b1e72d38")),
        expect![[r#"
        Keep web-b1e72d38 shop/web/releases/web-b1e72d38.yaml
    "#]],
    );
    // A pipeline that asks for a name finds it, also when the content is that of another release.
    check(
        &story.release(Some("web-c0ffee")),
        expect![[r#"
        Create web-c0ffee shop/web/releases/web-c0ffee.yaml
    "#]],
    );
    let secret = workload("app", "web:2").replace(
        "image: \"web:2\"",
        "image: \"web:2\", env: [{key: DB_PASSWORD, value: hunter2}]",
    );
    let changed = story.with("shop/web/workload.yaml", secret);
    let refused = changed.release(Some("web-b1e72d38"));
    assert!(refused.files.is_empty());
    check(
        &refused,
        expect![[r#"
        ReleaseNameTaken: release `web-b1e72d38` is there with other content, and releases never change:
          workload.containers.app.image: web:1 -> web:2
          workload.containers.app.env: (nothing) -> [{"key":"DB_PASSWORD","value":"(masked)"}]
    "#]],
    );
}

#[test]
fn names_that_are_paths_are_refused() {
    let story = Story::new();
    for name in ["../../etc/web", "a/b", "..", "Web", "", "a..b"] {
        let request = ReleaseRequest {
            selection: web(),
            name: Some(name.into()),
            ..ReleaseRequest::default()
        };
        let checkout = checkout_of(&story.0);
        let error = generate::releases(&checkout, &request).expect_err(name);
        assert_eq!(error.code().0, "ComponentNameInvalid", "{name}");
    }
    // Names in files are no better.
    let evil = COMPONENT.replace("name: web,", "name: ../../web,");
    let story = Story::new().with("shop/web/component.yaml", evil);
    let checkout = checkout_of(&story.0);
    let output = generate::releases(&checkout, &ReleaseRequest::default()).expect("all");
    assert!(output.files.is_empty());
    assert!(
        output
            .errors()
            .all(|error| error.code().0 == "ComponentNameInvalid")
    );
}

#[test]
fn what_stands_at_the_path_is_never_overwritten() {
    let story = Story::new().with("shop/web/releases/web-20260201-1.yaml", "kind: Other\n");
    check(
        &story.release(None),
        expect![[r#"
        OutputFileTaken: `shop/web/releases/web-20260201-1.yaml` is taken, so ComponentRelease `web-20260201-1` cannot be written there
    "#]],
    );
    let story = Story::new().with("shop/web/releases", "a file\n");
    check(
        &story.release(None),
        expect![[r#"
        OutputFileTaken: `shop/web/releases/web-20260201-1.yaml` is taken, so ComponentRelease `web-20260201-1` cannot be written there
    "#]],
    );
}

#[test]
fn folders_come_from_the_config_then_from_the_command_then_from_what_is_there() {
    const CONFIG: &str = "apiVersion: openchoreo.dev/v1alpha1\nkind: ReleaseConfig\n";
    let cases = [
        ("", None, "shop/web/releases"),
        ("", Some("out"), "out"),
        (
            "componentReleaseDefaults: {defaultOutputDir: ./all}",
            Some("out"),
            "all",
        ),
        (
            "componentReleaseDefaults: {defaultOutputDir: ./all, projects: {shop: {defaultOutputDir: ./shop-releases}}}",
            None,
            "shop-releases",
        ),
        (
            "componentReleaseDefaults: {defaultOutputDir: ./all, projects: {shop: {components: {web: ./web-releases/}}}}",
            None,
            "web-releases",
        ),
        (
            "componentReleaseDefaults: {projects: {other: {defaultOutputDir: x}}}",
            None,
            "shop/web/releases",
        ),
    ];
    for (config, given, wanted) in cases {
        let story = Story::new().with("release-config.yaml", format!("{CONFIG}{config}\n"));
        let request = ReleaseRequest {
            selection: web(),
            folder: given.map(|path| TreePath::new(path).expect("a right path")),
            now: day(),
            ..ReleaseRequest::default()
        };
        let checkout = checkout_of(&story.0);
        let output = generate::releases(&checkout, &request).expect("the component is there");
        let paths: Vec<String> = output
            .files
            .keys()
            .map(|path| path.as_str().to_owned())
            .collect();
        assert_eq!(paths, [format!("{wanted}/web-20260201-1.yaml")], "{config}");
    }
    for (config, wanted) in [
        (
            "componentReleaseDefaults: {defaultOutputDir: ../x}",
            "path `../x` leads outside the tree",
        ),
        (
            "releaseBindingDefaults: {projects: {p: {defaultOutputDir: /x}}}",
            "path `/x` is absolute",
        ),
        (
            "releaseBindingDefaults: {projects: [p]}",
            "`releaseBindingDefaults.projects` is to be a map",
        ),
    ] {
        let text = format!("{CONFIG}{config}\n");
        let tree = tree_of([("release-config.yaml", text.as_str())]);
        let errors = component::checkout::Checkout::read(&tree, "x").expect_err(config);
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert!(errors.join("; ").contains(wanted), "{config}: {errors:?}");
    }
    // Without a hint the folders of the published layout.
    let loose = Story::new()
        .with("all/components.yaml", COMPONENT)
        .with("shop/web/component.yaml", "{}");
    check(
        &loose.release(None),
        expect![[r#"
        Create web-20260201-1 projects/shop/components/web/releases/web-20260201-1.yaml
    "#]],
    );
}

#[test]
fn a_release_that_renders_nowhere_is_told() {
    let story = Story::new().with("shop/web/workload.yaml", workload("main", "web:1"));
    let output = story.release(None);
    let text = told(&output);
    assert!(
        text.starts_with("warning: shop/web/releases/web-20260201-1.yaml: release `web-20260201-1` renders in no environment of its pipeline: dev: "),
        "{text}"
    );
    assert!(text.contains("`app`") || text.contains("app"), "{text}");
    // Without environments in the checkout nothing is known, so nothing is told.
    let platform = PLATFORM.replace("kind: Environment", "kind: Workflow");
    let story = story.with("platform/all.yaml", platform);
    assert!(story.release(None).warnings.is_empty());
}

#[test]
fn components_that_cannot_be_released_say_why_and_others_are() {
    let second = COMPONENT.replace("name: web,", "name: api,");
    let story = Story::new().with("shop/api/component.yaml", second);
    let checkout = checkout_of(&story.0);
    let request = ReleaseRequest {
        now: day(),
        ..ReleaseRequest::default()
    };
    let output = generate::releases(&checkout, &request).expect("all");
    check(
        &output,
        expect![[r#"
        ComponentNotReleasable: component `api` cannot be released: the component has no Workload
        Create web-20260201-1 shop/web/releases/web-20260201-1.yaml
    "#]],
    );
    for (selection, wanted) in [
        (
            Selection {
                component: Some("webb".into()),
                ..Selection::default()
            },
            "component `webb` is not in the checkout",
        ),
        (
            Selection {
                project: Some("shopp".into()),
                ..Selection::default()
            },
            "no component of the checkout belongs to project `shopp`",
        ),
    ] {
        let request = ReleaseRequest {
            selection,
            ..ReleaseRequest::default()
        };
        let error = generate::releases(&checkout, &request).expect_err(wanted);
        assert_eq!(error.to_string(), wanted);
        assert!(
            error.help()[0].starts_with("Did you mean"),
            "{:?}",
            error.help()
        );
    }
}

#[test]
fn a_binding_gets_what_runs_in_the_environment_before() {
    let story = Story::new();
    let story = Story::new().after(&story.release(None));
    check(
        &story.bind("prod", None),
        expect![[r#"
        PromotionSourceMissing: nothing of component `web` is bound in `dev`, from where `prod` gets its releases
    "#]],
    );
    let story = story
        .with("bindings/dev.yaml", binding("dev", "web-20260201-1"))
        .with("bindings/prod.yaml", binding("prod", "web-20250101-1"));
    check(
        &story.bind("dev", None),
        expect![[r#"
        Keep web-dev bindings/dev.yaml
    "#]],
    );
    let output = story.bind("prod", None);
    check(
        &output,
        expect![[r#"
        Update web-prod bindings/prod.yaml
          spec.releaseName: web-20250101-1 -> web-20260201-1
    "#]],
    );
    let text = output.files.values().next().expect("one file");
    assert_eq!(*text, binding("prod", "web-20260201-1"), "all else stays");
    assert!(story.after(&output).bind("prod", None).files.is_empty());
}

#[test]
fn releases_and_environments_that_are_not_there_are_refused() {
    let story = Story::new();
    check(
        &story.bind("dev", None),
        expect![[r#"
        ReleaseUnknown: component `web` has no release
    "#]],
    );
    let story = Story::new().after(&story.release(None));
    check(
        &story.bind("dev", Some("web-20260201-2")),
        expect![[r#"
        ReleaseUnknown: component `web` has no release `web-20260201-2`
    "#]],
    );
    check(
        &story.bind("test", None),
        expect![[r#"
        EnvironmentNotInPipeline: environment `test` is not in pipeline `main`
    "#]],
    );
    let story = story.with("a.yaml", binding("dev", "x")).with(
        "b.yaml",
        binding("dev", "x").replace("name: web-dev", "name: other"),
    );
    check(
        &story.bind("dev", None),
        expect![[r#"
        BindingRepeated: component `web` has several bindings to `dev`: web-dev, other
    "#]],
    );
}

#[test]
fn the_first_environment_gets_the_release_that_is_as_the_component_is() {
    let story = Story::new();
    let first = story.release(None);
    let story = story
        .after(&first)
        .with("shop/web/workload.yaml", workload("app", "web:2"));
    let story = Story(story.0.clone()).after(&story.release(None));
    // Taken back: the older release is what the component says.
    let story = story.with("shop/web/workload.yaml", workload("app", "web:1"));
    let output = story.bind("dev", None);
    let text = output.files.values().next().expect("one file");
    assert!(text.contains("releaseName: web-20260201-1\n"), "{text}");
    // Changed since: the newest, with a word about it.
    let story = story.with("shop/web/workload.yaml", workload("app", "web:3"));
    check(
        &story.bind("dev", None),
        expect![[r#"
        warning: shop/web/component.yaml:2: component `web` has changed since its newest release `web-20260201-2`, which is what is bound
        Create web-dev shop/web/release-bindings/web-dev.yaml
    "#]],
    );
}

#[test]
fn values_for_an_environment_go_where_the_version_has_them() {
    let story = Story::new();
    let story = Story::new()
        .after(&story.release(None))
        .with("bindings/dev.yaml", binding("dev", "web-20260201-1"));
    let request = BindingRequest {
        selection: web(),
        values: vec![
            (vec!["cpu".into()], "300m".into()),
            (vec!["spec".into(), "state".into()], "Active".into()),
        ],
        ..BindingRequest::default()
    };
    let checkout = checkout_of(&story.0);
    let output = generate::bindings(&checkout, &request).expect("the component is there");
    check(
        &output,
        expect![[r#"
        Update web-dev bindings/dev.yaml
          spec.componentTypeEnvOverrides.cpu: 200m -> 300m
          spec.state: (nothing) -> Active
    "#]],
    );
    let text = output.files.values().next().expect("one file");
    let wanted = binding("dev", "web-20260201-1").replace("200m", "300m") + "  state: Active\n";
    assert_eq!(*text, wanted);
}

#[test]
fn changes_of_one_file_with_several_bindings_add_up() {
    let second = COMPONENT.replace("name: web,", "name: api,");
    let api = |text: &str| {
        text.replace("name: web-", "name: api-")
            .replace("componentName: web", "componentName: api")
    };
    let both = format!(
        "{}---\n{}",
        binding("dev", "old"),
        api(&binding("dev", "old"))
    );
    let story = Story::new()
        .with("shop/api/component.yaml", second)
        .with("shop/api/workload.yaml", api(&workload("app", "api:1")))
        .with("dev.yaml", both);
    let all = ReleaseRequest {
        now: day(),
        ..ReleaseRequest::default()
    };
    let output = generate::releases(&checkout_of(&story.0), &all).expect("all");
    let story = story.after(&output);
    let output =
        generate::bindings(&checkout_of(&story.0), &BindingRequest::default()).expect("all");
    check(
        &output,
        expect![[r#"
        Update api-dev dev.yaml
          spec.releaseName: old -> api-20260201-1
        Update web-dev dev.yaml
          spec.releaseName: old -> web-20260201-1
    "#]],
    );
    let text = output.files.values().next().expect("one file");
    let wanted = format!(
        "{}---\n{}",
        binding("dev", "web-20260201-1"),
        api(&binding("dev", "api-20260201-1"))
    );
    assert_eq!(*text, wanted);
}

#[test]
fn folders_that_hold_no_manifests_are_left_alone() {
    for path in [
        "node_modules/a.yaml",
        ".occ/a.yaml",
        "x/vendor/a.yaml",
        "x/.a.yaml",
        "a.txt",
    ] {
        let checkout = checkout([(path, COMPONENT)]);
        assert_eq!(checkout.catalog().components().count(), 0, "{path}");
    }
    assert_eq!(
        checkout([("x/a.yml", COMPONENT)])
            .catalog()
            .components()
            .count(),
        1
    );
    let broken = format!("{COMPONENT}\n: {{\n");
    let tree = tree_of([("a.yaml", broken.as_str()), ("b.yaml", COMPONENT)]);
    let (checkout, warnings) = component::checkout::Checkout::read(&tree, "x").expect("no config");
    assert_eq!(
        (checkout.catalog().components().count(), warnings.len()),
        (1, 1)
    );
}

#[test]
fn the_public_tree_gives_the_releases_that_the_reference_tool_wrote() {
    let Some(root) = corpus("openchoreo") else {
        return;
    };
    let mut files = folder(&root.join("gitops-demo"), "");
    files.extend(folder(&root.join("expected/extended/input"), "extended/"));
    let request = ReleaseRequest {
        now: day(),
        ..ReleaseRequest::default()
    };
    let output = generate::releases(&checkout_of(&files), &request).expect("all");
    let wanted = std::fs::read_to_string(root.join("expected/extended/releases.yaml"));
    let wanted = objects(
        &wanted.expect("a file of the corpus can be read"),
        "releases.yaml",
    );
    let mut equal = 0;
    for release in &wanted {
        let made = output
            .made()
            .find(|(_, made)| made.object.name() == release.name());
        let (_, made) = made.unwrap_or_else(|| panic!("no {}", release.name()));
        assert_eq!(made.step, Step::Create);
        let found = differences(&release.node, &made.object.node);
        // The file of the reference drops what is empty.
        assert!(found.is_empty(), "{}\n{}", release.name(), found.join("\n"));
        let text = &output.files[&made.path];
        let read = objects(text, made.path.as_str());
        assert!(differences(&made.object.node, &read[0].node).is_empty());
        equal += 1;
    }
    println!("{equal} releases are equal as data");
    assert_eq!(equal, 3);
    // What is there already stays, what cannot be released says so.
    let kept = output
        .made()
        .filter(|(_, made)| made.step == Step::Keep)
        .count();
    let failed = output.errors().count();
    println!(
        "{kept} kept, {} new, {failed} not releasable",
        output.files.len()
    );
    assert_eq!((kept, output.files.len(), failed), (4, 3, 3));
}

#[test]
fn promoting_the_public_tree_gives_the_bindings_of_its_own_workflow() {
    let Some(root) = corpus("openchoreo") else {
        return;
    };
    let files = folder(&root.join("gitops-demo"), "");
    let request = BindingRequest {
        environment: Some("staging".into()),
        ..BindingRequest::default()
    };
    let output = generate::bindings(&checkout_of(&files), &request).expect("all");
    let branch = root.join("gitops-demo-branches/bulk-release_all-20260128-090321");
    let mut equal = 0;
    for (path, text) in folder(&branch, "") {
        let path = TreePath::new(&path).expect("a path of the corpus");
        // One of the files ended without a line feed, and still does.
        let got = output.files.get(&path).map(|text| text.trim_end());
        assert_eq!(got, Some(text.trim_end()), "{path}");
        equal += 1;
    }
    println!("{equal} bindings have the bytes of the branch");
    assert_eq!((equal, output.files.len()), (4, 4));
}

#[test]
fn two_contents_under_one_name_of_the_public_branches_are_refused() {
    let Some(root) = corpus("openchoreo") else {
        return;
    };
    let branch = |name: &str| {
        let name = format!("gitops-demo-branches/release_greeter-service-gitops-{name}");
        folder(&root.join(name), "")
    };
    let mut refused = 0;
    for (older, newer) in [
        ("20260121-044445", "20260130-050053"),
        ("20260130-050053", "20260130-050053"),
    ] {
        let mut files = folder(&root.join("gitops-demo"), "");
        files.extend(
            branch(older)
                .into_iter()
                .filter(|(path, _)| path.contains("/releases/")),
        );
        files.extend(
            branch(newer)
                .into_iter()
                .filter(|(path, _)| path.ends_with("workload.yaml")),
        );
        let request = ReleaseRequest {
            selection: Selection {
                component: Some("greeter-service-gitops".into()),
                ..Selection::default()
            },
            name: Some("greeter-service-gitops-b1e72d38".into()),
            ..ReleaseRequest::default()
        };
        let output = generate::releases(&checkout_of(&files), &request).expect("it is there");
        println!("{}", told(&output));
        assert!(output.files.is_empty());
        refused += output
            .errors()
            .filter(|error| error.code().0 == "ReleaseNameTaken")
            .count();
    }
    assert!(refused >= 1);
}

#[test]
fn a_tree_of_the_first_major_version_keeps_its_folders() {
    let Some(root) = corpus("openchoreo") else {
        return;
    };
    let files = folder(&root.join("sample-gitops"), "");
    let request = ReleaseRequest {
        now: day(),
        ..ReleaseRequest::default()
    };
    let output = generate::releases(&checkout_of(&files), &request).expect("all");
    println!("{}", told(&output));
    let paths: Vec<&str> = output.files.keys().map(TreePath::as_str).collect();
    assert!(!paths.is_empty());
    for path in &paths {
        assert!(
            path.starts_with("namespaces/default/projects/doclet/components/"),
            "{path}"
        );
    }
    for (_, made) in output.made().filter(|(_, made)| made.step == Step::Create) {
        assert!(
            made.object
                .node
                .at(&["spec", "componentType", "kind"])
                .and_then(Node::as_str)
                .is_some()
        );
    }
}
