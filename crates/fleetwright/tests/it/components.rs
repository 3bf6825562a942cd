//! Components of a checkout without a server: `render`, `render --diff` and `lint`.

use std::path::Path;

use expect_test::{Expect, expect};
use tempfile::TempDir;

use crate::process::{fleetwright, output};
use crate::repository::{WorkingCopy, write_tree};

const PLATFORM: &str = "\
apiVersion: openchoreo.dev/v1alpha1
kind: Environment
metadata: {name: development}
spec: {dataPlaneRef: plane}
---
apiVersion: openchoreo.dev/v1alpha1
kind: Environment
metadata: {name: staging}
spec: {dataPlaneRef: plane}
---
apiVersion: openchoreo.dev/v1alpha1
kind: DataPlane
metadata: {name: plane}
spec: {gateway: {publicVirtualHost: apps.example.org}}
---
apiVersion: openchoreo.dev/v1alpha1
kind: DeploymentPipeline
metadata: {name: main}
spec:
  promotionPaths:
  - sourceEnvironmentRef: development
    targetEnvironmentRefs: [{name: staging}]
";

const PROJECT: &str = "\
apiVersion: openchoreo.dev/v1alpha1
kind: Project
metadata: {name: shop}
spec: {deploymentPipelineRef: main}
---
apiVersion: openchoreo.dev/v1alpha1
kind: Component
metadata: {name: web}
spec: {owner: {projectName: shop}, componentType: deployment/web}
";

const RELEASE: &str = "\
apiVersion: openchoreo.dev/v1alpha1
kind: ComponentRelease
metadata: {name: web-1}
spec:
  owner: {projectName: shop, componentName: web}
  componentType:
    workloadType: deployment
    schema:
      parameters: {port: integer | default=80}
      envOverrides: {replicas: integer | default=1}
    resources:
    - id: deployment
      template:
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: '${metadata.name}', namespace: '${metadata.namespace}'}
        spec:
          replicas: ${envOverrides.replicas}
          template:
            spec:
              containers:
              - name: app
                image: ${workload.containers[\"app\"].image}
    - id: service
      template:
        apiVersion: v1
        kind: Service
        metadata: {name: web, namespace: '${metadata.namespace}'}
        spec: {ports: [{port: '${parameters.port}'}]}
  workload:
    containers: {app: {image: 'web:1'}}
";

const DEVELOPMENT: &str = "\
apiVersion: openchoreo.dev/v1alpha1
kind: ReleaseBinding
metadata: {name: web-development}
spec:
  owner: {projectName: shop, componentName: web}
  environment: development
  releaseName: web-1
";

const STAGING: &str = "\
apiVersion: openchoreo.dev/v1alpha1
kind: ReleaseBinding
metadata: {name: web-staging}
spec:
  owner: {projectName: shop, componentName: web}
  environment: staging
  releaseName: web-1
  componentTypeEnvOverrides: {replicas: 2}
";

/// A Kustomization of Flux; `more` are further lines of its spec.
fn unit(name: &str, path: &str, more: &str) -> String {
    format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: {name}, namespace: flux-system}}
spec:
  interval: 5m
  prune: true
  path: {path}
  sourceRef: {{kind: GitRepository, name: fleet}}
{more}---
"
    )
}

/// A tree whose namespace comes from its Kustomizations, with further or other files.
fn shop(folder: &Path, files: &[(&str, &str)]) {
    let units = unit("platform", "./platform", "  targetNamespace: acme\n")
        + &unit("projects", "./projects", "");
    write_tree(
        folder,
        &[
            ("flux/apps.yaml", units.as_str()),
            ("platform/all.yaml", PLATFORM),
            (
                "projects/kustomization.yaml",
                "namespace: acme\nresources: [shop]\n",
            ),
            (
                "projects/shop/kustomization.yaml",
                "resources: [project.yaml, release.yaml, development.yaml, staging.yaml]\n",
            ),
            ("projects/shop/project.yaml", PROJECT),
            ("projects/shop/release.yaml", RELEASE),
            ("projects/shop/development.yaml", DEVELOPMENT),
            ("projects/shop/staging.yaml", STAGING),
            (".cache/old.yaml", "kind: {openchoreo.dev/: broken"),
        ],
    );
    write_tree(folder, files);
}

/// Exit code, standard output and standard error of a command in a folder.
fn said(folder: &Path, arguments: &[&str]) -> String {
    let output = output(fleetwright(folder).args(arguments));
    let shown = format!(
        "exit {}\n{}{}",
        output.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    shown.replace(&folder.display().to_string(), "HOME")
}

fn check(files: &[(&str, &str)], arguments: &[&str], expected: Expect) {
    let home = TempDir::new().unwrap();
    shop(home.path(), files);
    expected.assert_eq(&said(home.path(), arguments));
}

#[test]
fn an_environment_renders_in_the_namespaces_of_its_kustomizations() {
    check(&[], &["render", "--env", "staging"], expect![[""]]);
    check(
        &[],
        &["render", "--env", "development", "-o", "name"],
        expect![[""]],
    );
}

#[test]
fn a_tree_without_flux_takes_its_namespace_from_kustomization_files_or_the_flag() {
    let home = TempDir::new().unwrap();
    shop(home.path(), &[]);
    std::fs::remove_dir_all(home.path().join("flux")).unwrap();
    // The platform is listed nowhere, the projects are.
    let arguments = ["render", "--env", "staging", "-o", "name", "-n", "acme"];
    expect![[""]].assert_eq(&said(home.path(), &arguments));
    let arguments = ["render", "--env", "staging", "-o", "name"];
    expect![[""]].assert_eq(&said(home.path(), &arguments));
}

#[test]
fn what_does_not_render_is_told_with_its_line_and_the_rest_is_printed() {
    let broken = RELEASE
        .replace("[\\\"app\\\"]", ".main")
        .replace("[\"app\"]", ".main");
    let files = [
        ("projects/shop/more.yaml", broken.replace("web-1", "web-2")),
        (
            "projects/shop/staging.yaml",
            STAGING.replace("web-1", "web-2"),
        ),
        (
            "projects/shop/kustomization.yaml",
            "resources: [project.yaml, release.yaml, more.yaml, development.yaml, staging.yaml]\n"
                .to_owned(),
        ),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(a, b)| (*a, b.as_str())).collect();
    check(&files, &["render", "--env", "staging"], expect![[""]]);
    check(&files, &["lint", "-o", "line"], expect![[""]]);
}

#[test]
fn mistakes_of_the_command_line_are_answered_with_what_to_do() {
    check(&[], &["render", "--env", "stagin"], expect![[""]]);
    check(
        &[],
        &["render", "--env", "staging", "--diff"],
        expect![[""]],
    );
    check(
        &[],
        &["render", "--env", "staging", "--project", "nothing"],
        expect![[""]],
    );
}

#[test]
fn a_working_copy_is_compared_with_its_commits() {
    let home = TempDir::new().unwrap();
    let files = home.path().join("files");
    shop(&files, &[]);
    let copy = WorkingCopy::of(&files, home.path(), "http://127.0.0.1:1/none");
    let diff = |arguments: &[&str]| {
        let mut all = vec!["render", "--env", "staging"];
        all.extend(arguments);
        let mut said = said(&copy.folder, &all);
        for commit in copy.git(&["log", "--format=%H"]).lines() {
            said = said.replace(&commit[..12], "COMMIT");
        }
        said
    };
    expect![[""]].assert_eq(&diff(&["--diff"]));
    copy.replace("projects/shop/staging.yaml", "replicas: 2", "replicas: 3");
    copy.replace("projects/shop/release.yaml", "name: web,", "name: shop,");
    expect![[""]].assert_eq(&diff(&["--diff"]));
    expect![[""]].assert_eq(&diff(&["--diff", "-o", "json"]));
    copy.git(&["tag", "start"]);
    copy.commit("second");
    expect![[""]].assert_eq(&diff(&["--diff"]));
    let first = copy.git(&["rev-parse", "HEAD~1"]);
    copy.git(&["gc", "--quiet"]);
    let wanted = diff(&["--diff", "start"]);
    for revision in [
        "HEAD~1",
        "HEAD^",
        "@~",
        first.trim(),
        &first[..7],
        "refs/tags/start",
    ] {
        let lines = |text: &str| {
            text.lines()
                .filter(|line| !line.contains("compared"))
                .count()
        };
        let found = diff(&["--diff", revision]);
        assert_eq!(lines(&found), lines(&wanted), "{revision}\n{found}");
        assert!(found.starts_with("exit 1\n"), "{revision}\n{found}");
    }
    // What fails now leaves what was there.
    copy.replace("projects/shop/staging.yaml", "web-1", "web-9");
    expect![[""]].assert_eq(&diff(&["--diff"]));
    expect![[""]].assert_eq(&diff(&["--diff", "HEAD~7"]));
    expect![[""]].assert_eq(&diff(&["--diff", "."]));
    // A second working tree of the repository has a HEAD of its own.
    let other = home.path().join("other");
    copy.git(&[
        "worktree",
        "add",
        "--quiet",
        &other.display().to_string(),
        "start",
    ]);
    expect![[""]].assert_eq(
        &said(
            &other,
            &["render", "--env", "staging", "--diff", "-o", "name"],
        )
        .replace(&first[..12], "COMMIT"),
    );
}

#[test]
fn silent_mistakes_of_components_are_findings() {
    let narrow = RELEASE.replace(
        "  workload:",
        "    - id: route
      template:
        apiVersion: gateway.networking.k8s.io/v1
        kind: HTTPRoute
        metadata: {name: '${metadata.name}', namespace: '${metadata.namespace}'}
        spec:
          rules:
          - matches: [{method: GET, path: {type: PathPrefix, value: '/${metadata.name}'}}]
  workload:",
    );
    let odd = STAGING.replace("web-1", "web-8").replace(
        "  componentType",
        "  traitOverrides: {disk: {size: 1Gi}}\n  workloadOverrides: {containers: {main: {env: []}}}\n  componentType",
    );
    let odd = odd.replace("replicas: 2", "replicas: 2, extra: 1");
    let files = [
        ("projects/shop/release.yaml", narrow.clone()),
        (
            "projects/shop/staging.yaml",
            STAGING.replace("web-1", "web-7"),
        ),
        (
            "projects/shop/development.yaml",
            odd.replace("staging", "development")
                .replace("web-8", "web-1"),
        ),
        (
            "bindings/web.yaml",
            STAGING
                .replace("metadata: {", "metadata: {namespace: acme, ")
                .replace("web-staging", "web-other"),
        ),
        (
            "releases/web.yaml",
            RELEASE
                .replace("metadata: {", "metadata: {namespace: acme, ")
                .replace("web:1", "web:2"),
        ),
        (
            "projects/shop/project.yaml",
            PROJECT.replace("{deployment", "{displayName: Shop, deployment"),
        ),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(a, b)| (*a, b.as_str())).collect();
    check(&files, &["lint", "-o", "line"], expect![[""]]);
    check(&files, &["lint", "bindings"], expect![[""]]);
    check(&[], &["lint"], expect![[""]]);
}

#[test]
fn a_plane_that_is_elsewhere_is_assumed() {
    let elsewhere = PLATFORM.replace("kind: DataPlane", "kind: Unrelated");
    let files = [("platform/all.yaml", elsewhere.as_str())];
    check(
        &files,
        &["render", "--env", "development", "-o", "name"],
        expect![[""]],
    );
}

#[test]
fn damaged_files_harm_only_themselves() {
    let deep = format!("# openchoreo.dev/\n{}", "[".repeat(5_000));
    let aliases = "# openchoreo.dev/\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d]\n";
    let files = [
        ("notes/deep.yaml", deep.as_str()),
        ("notes/aliases.yaml", aliases),
        (
            "notes/half.yaml",
            "apiVersion: openchoreo.dev/v1alpha1\nkind: {",
        ),
        (
            "notes/odd.yaml",
            "apiVersion: openchoreo.dev/v1alpha1\nkind: ReleaseBinding\nmetadata: {name: odd}\nspec: []\n",
        ),
        ("notes/list.yaml", "# openchoreo.dev/\n- 1\n- [2]\n"),
        (
            "chart/templates/a.yaml",
            "{{ if .Values.a }}\n# not of openchoreo\n{{ end }}",
        ),
    ];
    check(
        &files,
        &["render", "--env", "development", "-o", "name"],
        expect![[""]],
    );
}
