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
            (
                "tool.yaml",
                "apiVersion: openchoreo.dev/v1alpha1\nkind: ReleaseConfig\nmetadata: {name: tool}\n",
            ),
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
    check(
        &[],
        &["render", "--env", "staging"],
        expect![[r#"
            exit 0
            apiVersion: v1
            kind: Service
            metadata:
              labels:
                openchoreo.dev/component: web
                openchoreo.dev/environment: staging
                openchoreo.dev/project: shop
              name: web
              namespace: dp-acme-shop-staging-de803930
            spec:
              ports:
              - port: 80
            ---
            apiVersion: apps/v1
            kind: Deployment
            metadata:
              labels:
                openchoreo.dev/component: web
                openchoreo.dev/environment: staging
                openchoreo.dev/project: shop
              name: web-staging-3b28db39
              namespace: dp-acme-shop-staging-de803930
            spec:
              replicas: 2
              template:
                spec:
                  containers:
                  - image: web:1
                    name: app
            ◎ tool.yaml is a file of command-line tools and has no part in this
        "#]],
    );
    check(
        &[],
        &["render", "--env", "development", "-o", "name"],
        expect![[r#"
            exit 0
            Service/dp-acme-shop-development-12d45ec4/web
            Deployment/dp-acme-shop-development-12d45ec4/web-development-b408fa90
            ◎ tool.yaml is a file of command-line tools and has no part in this
        "#]],
    );
}

#[test]
fn a_tree_without_flux_takes_its_namespace_from_kustomization_files_or_the_flag() {
    let home = TempDir::new().unwrap();
    shop(home.path(), &[]);
    std::fs::remove_dir_all(home.path().join("flux")).unwrap();
    // The platform is listed nowhere, the projects are.
    let arguments = ["render", "--env", "staging", "-o", "name", "-n", "acme"];
    expect![[r#"
        exit 0
        Service/dp-acme-shop-staging-de803930/web
        Deployment/dp-acme-shop-staging-de803930/web-staging-3b28db39
        ◎ tool.yaml is a file of command-line tools and has no part in this
    "#]]
    .assert_eq(&said(home.path(), &arguments));
    let arguments = ["render", "--env", "staging", "-o", "name"];
    expect![[r#"
        exit 3
        ◎ tool.yaml is a file of command-line tools and has no part in this
        error[ComponentReferenceMissing]: ReleaseBinding/acme/web-staging: Environment `staging` does not exist
         --> projects/shop/staging.yaml:6:16
          |
        6 |   environment: staging
          |                ^
          = help: There is one in namespace `default`; it has to be in that of the binding.
          = more: fleetwright explain ComponentReferenceMissing
    "#]].assert_eq(&said(home.path(), &arguments));
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
    check(
        &files,
        &["render", "--env", "staging"],
        expect![[r#"
            exit 3
            ◎ tool.yaml is a file of command-line tools and has no part in this
            error[ExpressionKeyNotFound]: ReleaseBinding/acme/web-staging: ComponentType `deployment`, resource `deployment`, template.spec.template.spec.containers[0].image: no such key: `main` in `workload.containers`, which has `app` (in `${workload.containers.main.image}`)
              --> projects/shop/more.yaml:23:24
               |
            23 |                 image: ${workload.containers.main.image}
               |                        ^
               = more: fleetwright explain ExpressionKeyNotFound
        "#]],
    );
    check(
        &files,
        &["lint", "-o", "line"],
        expect![[r#"
        exit 1
        projects/shop/more.yaml:23:24: ExpressionKeyNotFound: ComponentRelease/acme/web-2 cannot be rendered in development, staging: ComponentType `deployment`, resource `deployment`, template.spec.template.spec.containers[0].image: no such key: `main` in `workload.containers`, which has `app` (in `${workload.containers.main.image}`)
    "#]],
    );
}

#[test]
fn mistakes_of_the_command_line_are_answered_with_what_to_do() {
    check(
        &[],
        &["render", "--env", "stagin"],
        expect![[r#"
        exit 3
        error[ComponentReferenceMissing]: the checkout has no Environment `stagin`
         = help: Did you mean `staging`?
         = more: fleetwright explain ComponentReferenceMissing
    "#]],
    );
    check(
        &[],
        &["render", "--env", "staging", "--diff"],
        expect![[r#"
            exit 3
            error[RepositoryUnreadable]: `HOME` is in no Git repository
             = help: --diff compares a working copy with a revision of its repository.
             = more: fleetwright explain RepositoryUnreadable
        "#]],
    );
    check(
        &[],
        &["render", "--env", "staging", "--project", "nothing"],
        expect![[r#"
            exit 0
            ◎ no binding to render for staging
            ◎ tool.yaml is a file of command-line tools and has no part in this
        "#]],
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
    expect![[r#"
        exit 0
        ◎ tool.yaml is a file of command-line tools and has no part in this
        staging: 0 added, 0 changed, 0 removed, compared with HEAD (COMMIT)
    "#]]
    .assert_eq(&diff(&["--diff"]));
    copy.replace("projects/shop/staging.yaml", "replicas: 2", "replicas: 3");
    copy.replace("projects/shop/staging.yaml", "web-1", "web-2");
    let newer = RELEASE.replace("web-1", "web-2");
    let newer = newer.replace("name: web,", "name: shop,");
    let list =
        "resources: [project.yaml, release.yaml, newer.yaml, development.yaml, staging.yaml]\n";
    write_tree(
        &copy.folder,
        &[
            ("projects/shop/newer.yaml", newer.as_str()),
            ("projects/shop/kustomization.yaml", list),
        ],
    );
    expect![[r#"
        exit 1
        + Service/dp-acme-shop-staging-de803930/shop
        - Service/dp-acme-shop-staging-de803930/web
        ~ Deployment/dp-acme-shop-staging-de803930/web-staging-3b28db39
            spec.replicas  2 → 3
        ◎ tool.yaml is a file of command-line tools and has no part in this
        staging: 1 added, 1 changed, 1 removed, compared with HEAD (COMMIT)
    "#]]
    .assert_eq(&diff(&["--diff"]));
    expect![[r#"
        exit 1
        {
          "apiVersion": "fleetwright.dev/v1alpha1",
          "kind": "Differences",
          "items": [
            {
              "change": "added",
              "id": "Service/dp-acme-shop-staging-de803930/shop",
              "fields": []
            },
            {
              "change": "removed",
              "id": "Service/dp-acme-shop-staging-de803930/web",
              "fields": []
            },
            {
              "change": "changed",
              "id": "Deployment/dp-acme-shop-staging-de803930/web-staging-3b28db39",
              "fields": [
                {
                  "field": "spec.replicas",
                  "old": 2,
                  "new": 3
                }
              ]
            }
          ]
        }
        ◎ tool.yaml is a file of command-line tools and has no part in this
        staging: 1 added, 1 changed, 1 removed, compared with HEAD (COMMIT)
    "#]]
    .assert_eq(&diff(&["--diff", "-o", "json"]));
    copy.git(&["tag", "start"]);
    copy.commit("second");
    expect![[r#"
        exit 0
        ◎ tool.yaml is a file of command-line tools and has no part in this
        staging: 0 added, 0 changed, 0 removed, compared with HEAD (COMMIT)
    "#]]
    .assert_eq(&diff(&["--diff"]));
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
    copy.replace("projects/shop/newer.yaml", "web:1", "web:2");
    expect![[r#"
        exit 3
        ~ Deployment/dp-acme-shop-staging-de803930/web-staging-3b28db39
            spec.template.spec.containers[app].image  web:1 → web:2
        ◎ tool.yaml is a file of command-line tools and has no part in this
        staging: 0 added, 1 changed, 0 removed, compared with HEAD (COMMIT)
        error[ComponentReleaseReused]: ComponentRelease/acme/web-2 had another content before
         --> projects/shop/newer.yaml:3:18
          |
        3 | metadata: {name: web-2}
          |                  ^
          = help: Give the newer one a name of its own: a release never changes.
          = more: fleetwright explain ComponentReleaseReused
    "#]]
    .assert_eq(&diff(&["--diff"]));
    copy.replace("projects/shop/newer.yaml", "web:2", "web:1");
    // What fails now leaves what was there.
    copy.replace("projects/shop/staging.yaml", "web-2", "web-9");
    expect![[r#"
        exit 3
        ◎ tool.yaml is a file of command-line tools and has no part in this
        staging: 0 added, 0 changed, 0 removed, compared with HEAD (COMMIT)
        error[ComponentReferenceMissing]: ReleaseBinding/acme/web-staging: ComponentRelease `web-9` does not exist; did you mean `web-1`?
         --> projects/shop/staging.yaml:7:16
          |
        7 |   releaseName: web-9
          |                ^
          = more: fleetwright explain ComponentReferenceMissing
    "#]].assert_eq(&diff(&["--diff"]));
    expect![[r#"
        exit 3
        error[RevisionNotFound]: the repository has no revision `HEAD~7`
         = more: fleetwright explain RevisionNotFound
    "#]]
    .assert_eq(&diff(&["--diff", "HEAD~7"]));
    expect![[r#"
        exit 3
        error[RevisionNotFound]: the repository has no revision `.`
         = help: Write the folder in front of --diff.
         = more: fleetwright explain RevisionNotFound
    "#]]
    .assert_eq(&diff(&["--diff", "."]));
    // A second working tree of the repository has a HEAD of its own.
    let other = home.path().join("other");
    copy.git(&[
        "worktree",
        "add",
        "--quiet",
        &other.display().to_string(),
        "start",
    ]);
    expect![[r#"
        exit 0
        ◎ tool.yaml is a file of command-line tools and has no part in this
        staging: 0 added, 0 changed, 0 removed, compared with HEAD (COMMIT)
    "#]]
    .assert_eq(
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
                .replace("{name: web-1}", "{name: web-1, namespace: acme}")
                .replace("web:1", "web:2"),
        ),
        (
            "projects/shop/project.yaml",
            PROJECT.replace("{deployment", "{displayName: Shop, deployment"),
        ),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(a, b)| (*a, b.as_str())).collect();
    check(
        &files,
        &["lint", "-o", "line"],
        expect![[r#"
            exit 1
            bindings/web.yaml:1:1: ComponentNotApplied: no Kustomization of this checkout applies ReleaseBinding/acme/web-other
            projects/shop/development.yaml:8:20: ComponentOverrideUnused: ReleaseBinding/acme/web-development: ComponentType `deployment`: values for trait instance `disk`, which is not in use; in use: none
            projects/shop/development.yaml:9:36: ComponentContainerUnknown: ReleaseBinding/acme/web-development: workload: overrides for container `main`, which does not exist; there are `app`
            projects/shop/development.yaml:10:51: ComponentValueUnknown: ReleaseBinding/acme/web-development: ComponentType `deployment`: `envOverrides.extra` is in no schema and has no effect
            projects/shop/project.yaml:4:21: ComponentFieldUnknown: Project/acme/shop: `spec.displayName` is a field of no version
            projects/shop/release.yaml:31:7: ComponentRouteNarrow: ComponentRelease/acme/web-1: HTTPRoute `web-development-b408fa90` in development answers only GET, and below its own generated name
            projects/shop/staging.yaml:6:16: ComponentBoundTwice: ReleaseBinding/acme/web-staging: ReleaseBinding/acme/web-other binds this component in staging too
            projects/shop/staging.yaml:7:16: ComponentReferenceMissing: ReleaseBinding/acme/web-staging: ComponentRelease `web-7` does not exist; did you mean `web-1`?
            releases/web.yaml:1:1: ComponentNotApplied: no Kustomization of this checkout applies ComponentRelease/acme/web-1
            releases/web.yaml:3:18: ComponentReleaseReused: ComponentRelease/acme/web-1 is there with another content in projects/shop/release.yaml:1
        "#]],
    );
    check(
        &files,
        &["lint", "bindings"],
        expect![[r#"
            exit 1
            error[ComponentReferenceMissing]: ReleaseBinding/acme/web-other: Project `shop` does not exist
             --> bindings/web.yaml:5:24
              |
            5 |   owner: {projectName: shop, componentName: web}
              |                        ^
              = more: fleetwright explain ComponentReferenceMissing
            error[ComponentReferenceMissing]: ReleaseBinding/acme/web-other: Component `web` does not exist
             --> bindings/web.yaml:5:45
              |
            5 |   owner: {projectName: shop, componentName: web}
              |                                             ^
              = more: fleetwright explain ComponentReferenceMissing
            error[ComponentReferenceMissing]: ReleaseBinding/acme/web-other: Environment `staging` does not exist
             --> bindings/web.yaml:6:16
              |
            6 |   environment: staging
              |                ^
              = more: fleetwright explain ComponentReferenceMissing
            error[ComponentReferenceMissing]: ReleaseBinding/acme/web-other: ComponentRelease `web-1` does not exist
             --> bindings/web.yaml:7:16
              |
            7 |   releaseName: web-1
              |                ^
              = more: fleetwright explain ComponentReferenceMissing
        "#]],
    );
    check(
        &[],
        &["lint"],
        expect![[r#"
        exit 0
    "#]],
    );
}

#[test]
fn a_plane_that_is_elsewhere_is_assumed() {
    let elsewhere = PLATFORM.replace("kind: DataPlane", "kind: Unrelated");
    let files = [("platform/all.yaml", elsewhere.as_str())];
    check(
        &files,
        &["render", "--env", "development", "-o", "name"],
        expect![[r#"
            exit 0
            Service/dp-acme-shop-development-12d45ec4/web
            Deployment/dp-acme-shop-development-12d45ec4/web-development-b408fa90
            ◎ tool.yaml is a file of command-line tools and has no part in this
            warning[ComponentPlaneAssumed]: DataPlane `plane` of Environment `development` is not in the checkout; it counts as one with nothing set
             --> platform/all.yaml:4:22
              |
            4 | spec: {dataPlaneRef: plane}
              |                      ^
              = more: fleetwright explain ComponentPlaneAssumed
        "#]],
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
        expect![[r#"
            exit 3
            Service/dp-acme-shop-development-12d45ec4/web
            Deployment/dp-acme-shop-development-12d45ec4/web-development-b408fa90
            ◎ tool.yaml is a file of command-line tools and has no part in this
            error[YamlAliasLimit]: aliases expand 52 nodes to more than 5200
             --> notes/aliases.yaml
              = more: fleetwright explain YamlAliasLimit
            error[NestingLimit]: line 2, column 201: nested deeper than 200 levels
             --> notes/deep.yaml:2:201
              = more: fleetwright explain NestingLimit
            error[YamlSyntax]: line 3, column 1: did not find expected node content
             --> notes/half.yaml:3:1
              = more: fleetwright explain YamlSyntax
            error[ComponentObjectInvalid]: ReleaseBinding/default/odd: `spec` has to be a map, not a list
             --> notes/odd.yaml:4:1
              |
            4 | spec: []
              | ^
              = more: fleetwright explain ComponentObjectInvalid
            4 errors
        "#]],
    );
}

#[test]
fn a_kustomization_that_does_not_build_is_said_and_its_files_are_read() {
    let list = "resources: [project.yaml, release.yaml, development.yaml, missing.yaml]\n";
    let development = DEVELOPMENT.replace("{name:", "{namespace: acme, name:");
    let project = PROJECT.replace("{name:", "{namespace: acme, name:");
    let release = RELEASE.replace("{name: web-1}", "{namespace: acme, name: web-1}");
    let files = [
        ("projects/shop/kustomization.yaml", list),
        ("projects/shop/development.yaml", development.as_str()),
        ("projects/shop/project.yaml", project.as_str()),
        ("projects/shop/release.yaml", release.as_str()),
    ];
    let arguments = ["render", "--env", "development", "-o", "name"];
    check(
        &files,
        &arguments,
        expect![[r#"
            exit 0
            Service/dp-acme-shop-development-12d45ec4/web
            Deployment/dp-acme-shop-development-12d45ec4/web-development-b408fa90
            ◎ tool.yaml is a file of command-line tools and has no part in this
            warning[ResourceNotFound]: `missing.yaml` does not exist; the files of Kustomization/flux-system/projects count as they are written
             --> projects/shop/kustomization.yaml:1:59
              = because accumulating resources: accumulation err='accumulating resources from 'shop': read /projects/shop: is a directory': recursed accumulation of path '/projects/shop': accumulating resources: accumulation err='accumulating resources from 'missing.yaml': open /projects/shop/missing.yaml: no such file or directory': must build at directory: not a valid directory: evalsymlink failure on '/projects/shop/missing.yaml' : lstat /projects/shop/missing.yaml: no such file or directory
              = help: Did you mean `staging.yaml`?
              = more: fleetwright explain ResourceNotFound
        "#]],
    );
}

#[test]
fn a_tree_among_others_is_a_source_of_its_own_and_a_folder_of_one_a_part() {
    let home = TempDir::new().unwrap();
    let files = home.path().join("files");
    shop(&files.join("east"), &[]);
    shop(&files.join("west"), &[]);
    let copy = WorkingCopy::of(&files, home.path(), "http://127.0.0.1:1/none");
    copy.replace(
        "west/projects/shop/staging.yaml",
        "replicas: 2",
        "replicas: 4",
    );
    let names = |arguments: &[&str]| {
        let mut all = vec!["render", "--env", "staging", "-o", "name"];
        all.extend(arguments);
        said(&copy.folder, &all)
    };
    expect![[r#"
        exit 0
        Service/dp-acme-shop-staging-de803930/web
        Deployment/dp-acme-shop-staging-de803930/web-staging-3b28db39
        ◎ east/tool.yaml is a file of command-line tools and has no part in this
    "#]]
    .assert_eq(&names(&["east"]));
    let text = names(&["west", "--diff"]);
    assert!(text.contains("0 added, 1 changed, 0 removed"), "{text}");
    let text = names(&["east", "--diff"]);
    assert!(text.contains("0 added, 0 changed, 0 removed"), "{text}");

    let home = TempDir::new().unwrap();
    let files = home.path().join("files");
    shop(&files, &[]);
    let copy = WorkingCopy::of(&files, home.path(), "http://127.0.0.1:1/none");
    let within = |folder: &str| {
        said(
            &copy.folder,
            &["render", "--env", "staging", "-o", "name", folder],
        )
    };
    assert!(within("projects/shop").contains("web-staging"));
    expect![[r#"
        exit 0
        ◎ no binding to render for staging
        ◎ tool.yaml is a file of command-line tools and has no part in this
    "#]]
    .assert_eq(&within("platform"));
}
