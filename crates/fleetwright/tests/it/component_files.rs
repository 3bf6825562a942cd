//! Releases, bindings and manifests of components as files of a checkout.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use expect_test::{Expect, expect};
use tempfile::TempDir;

use crate::process::{fleetwright, output};
use crate::repository::write_tree;

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
        spec: {replicas: "${parameters.replicas}", template: {spec: {containers: [{name: app, image: '${workload.containers["app"].image}'}]}}}
---
apiVersion: openchoreo.dev/v1alpha1
kind: DeploymentPipeline
metadata: {name: main, namespace: acme}
spec: {promotionPaths: [{sourceEnvironmentRef: dev, targetEnvironmentRefs: [{name: prod}]}]}
---
apiVersion: openchoreo.dev/v1alpha1
kind: Environment
metadata: {name: dev, namespace: acme}
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

const COMPONENT: &str = "apiVersion: openchoreo.dev/v1alpha1\nkind: Component\nmetadata: {name: web, namespace: acme}\nspec: {owner: {projectName: shop}, componentType: deployment/web}\n";

fn repository() -> TempDir {
    let home = TempDir::new().unwrap();
    let files = [
        ("fleet/platform.yaml", PLATFORM),
        ("fleet/shop/web/component.yaml", COMPONENT),
    ];
    write_tree(home.path(), &files);
    home
}

/// Runs a command; its exit code and all it says.
fn told(home: &Path, arguments: &str) -> String {
    let words = arguments.split_whitespace();
    let output = output(fleetwright(home).args(words));
    let text = format!(
        "exit {}\n{}{}",
        output.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    text.replace(&home.display().to_string(), "HOME")
}

fn check(home: &Path, arguments: &str, expected: Expect) {
    expected.assert_eq(&told(home, arguments));
}

/// Every file with its text, but for the folders that writing may make.
fn files(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false => found.push((
                    path.display().to_string(),
                    fs::read_to_string(&path).unwrap_or_default(),
                )),
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_pipeline_goes_from_an_image_to_a_binding() {
    let home = repository();
    let home = home.path();
    check(
        home,
        "workload create --root-dir fleet --image web:1 --component web --project shop",
        expect![[r#"
            exit 0
            created web-workload in shop/web/workload.yaml
        "#]],
    );
    check(
        home,
        "component release generate --root-dir fleet --all --fixed-time 1769904000",
        expect![[r#"
            exit 0
            created web-20260201-1 in shop/web/releases/web-20260201-1.yaml
        "#]],
    );
    check(
        home,
        "component binding generate --root-dir fleet --project shop --target-env dev",
        expect![[r#"
            exit 0
            created web-dev in shop/web/release-bindings/web-dev.yaml
        "#]],
    );
    let before = files(home);
    check(
        home,
        "component release generate --root-dir fleet --all --fixed-time 1800000000",
        expect![[r#"
            exit 0
            unchanged web-20260201-1 in shop/web/releases/web-20260201-1.yaml
        "#]],
    );
    assert_eq!(files(home), before, "a second run writes nothing");

    // The same with the words of OpenChoreo's own command line.
    check(
        home,
        "workload create --mode file-system --root-dir fleet --image web:2 --component web --project shop",
        expect![[r#"
            exit 0
            updated web-workload in shop/web/workload.yaml
              spec.containers.app.image: web:1 -> web:2
        "#]],
    );
    check(
        home,
        "componentrelease generate --mode file-system --root-dir fleet --name web-b1e72d38 --component web --project shop",
        expect![[r#"
            exit 0
            created web-b1e72d38 in shop/web/releases/web-b1e72d38.yaml
        "#]],
    );
    check(
        home,
        "release-binding generate --root-dir fleet --component web --component-release web-b1e72d38 --target-env dev --project shop --use-pipeline main",
        expect![[r#"
            exit 0
            updated web-dev in shop/web/release-bindings/web-dev.yaml
              spec.releaseName: web-20260201-1 -> web-b1e72d38
        "#]],
    );
    expect![[r#"
        apiVersion: openchoreo.dev/v1alpha1
        kind: ReleaseBinding
        metadata:
          name: web-dev
          namespace: acme
        spec:
          environment: dev
          owner:
            componentName: web
            projectName: shop
          releaseName: web-b1e72d38
    "#]]
    .assert_eq(
        &fs::read_to_string(home.join("fleet/shop/web/release-bindings/web-dev.yaml")).unwrap(),
    );
    // One commit, another content: a release that others may run already does not change.
    told(
        home,
        "workload create --root-dir fleet --image web:3 --component web --project shop",
    );
    let before = files(home);
    check(
        home,
        "component-release generate --root-dir fleet --name web-b1e72d38 --component web --project shop",
        expect![[r#"
            exit 6
            error[ReleaseNameTaken]: release `web-b1e72d38` is there with other content, and releases never change:
              workload.containers.app.image: web:2 -> web:3
             --> shop/web/releases/web-b1e72d38.yaml
              = help: Give the release another name, or leave --name away for the next free one.
              = more: fleetwright explain ReleaseNameTaken
        "#]],
    );
    assert_eq!(files(home), before);
}

#[test]
fn deploying_edits_one_binding_and_says_what_changed() {
    let home = repository();
    let home = home.path();
    told(
        home,
        "workload create --root-dir fleet -i web:1 -c web -p shop",
    );
    told(
        home,
        "component release generate --root-dir fleet -c web -p shop --name web-1",
    );
    told(home, "component deploy web --root-dir fleet --env dev");
    let path = home.join("fleet/shop/web/release-bindings/web-dev.yaml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("spec:\n", "spec: # by hand\n")).unwrap();
    check(
        home,
        "component deploy web --root-dir fleet --env dev --set cpu=200m",
        expect![[r#"
            exit 0
            updated web-dev in shop/web/release-bindings/web-dev.yaml
              spec.componentTypeEnvOverrides: (nothing) -> {"cpu":"200m"}
        "#]],
    );
    assert!(
        fs::read_to_string(&path)
            .unwrap()
            .contains("spec: # by hand\n")
    );
    // A number is no text: the schema says so before anybody applies it.
    let strict = told(
        home,
        "component deploy web --root-dir fleet --env dev --set cpu=2 --strict",
    );
    assert!(
        strict.starts_with("exit 6\nerror[ReleaseNotRenderable]"),
        "{strict}"
    );
    assert!(fs::read_to_string(&path).unwrap().contains("cpu: 200m"));
    check(
        home,
        "component deploy web --root-dir fleet --env dev --set spec.environment=prod",
        expect![[r#"
            exit 2
            error: `spec.environment=prod` is no PATH=VALUE: it says which binding this is
        "#]],
    );
    check(
        home,
        "component deploy web --root-dir fleet --env dev --set-string cpu=1 --dry-run",
        expect![[r#"
            exit 0
            # shop/web/release-bindings/web-dev.yaml
            apiVersion: openchoreo.dev/v1alpha1
            kind: ReleaseBinding
            metadata:
              name: web-dev
              namespace: acme
            spec:
              componentTypeEnvOverrides:
                cpu: "1"
              environment: dev
              owner:
                componentName: web
                projectName: shop
              releaseName: web-1
        "#]],
    );
}

#[test]
fn nothing_is_written_outside_of_the_checkout() {
    let home = repository();
    let home = home.path();
    told(
        home,
        "workload create --root-dir fleet -i web:1 -c web -p shop",
    );
    fs::create_dir(home.join("outside")).unwrap();
    symlink(home.join("outside"), home.join("fleet/shop/web/releases")).unwrap();
    symlink(home.join("outside"), home.join("fleet/away")).unwrap();
    let before = files(home);
    for arguments in [
        "component release generate --root-dir fleet --all",
        "component release generate --root-dir fleet --all --output-path ../outside",
        "component release generate --root-dir fleet --all --output-path /outside",
        "component release generate --root-dir fleet --all --output-path away/deeper",
        "component release generate --root-dir fleet -c web -p shop --name ../../outside/x",
        "workload create --root-dir fleet -i x -c ../../outside -p shop",
        "workload create --root-dir fleet -i x -c new -p shop -o ../outside/w.yaml",
        "workload create --root-dir fleet -i x -c new -p shop -o away/w.yaml",
        "component scaffold new --root-dir fleet --componenttype web -o ../outside/c.yaml",
        "component scaffold new --root-dir fleet --componenttype web -o away/c.yaml",
        "component scaffold new --root-dir fleet --componenttype web -o platform.yaml",
    ] {
        let said = told(home, arguments);
        assert!(!said.starts_with("exit 0"), "{arguments}\n{said}");
        assert!(said.contains("error"), "{arguments}\n{said}");
        assert_eq!(files(home), before, "{arguments}\n{said}");
    }
    assert_eq!(fs::read_dir(home.join("outside")).unwrap().count(), 0);
}

#[test]
fn what_cannot_be_done_is_a_warning_among_many_and_an_error_alone() {
    let home = repository();
    let home = home.path();
    let all = told(home, "component release generate --root-dir fleet --all");
    assert!(
        all.starts_with("exit 0\nwarning[ComponentNotReleasable]"),
        "{all}"
    );
    let strict = told(
        home,
        "component release generate --root-dir fleet --all --strict",
    );
    assert!(
        strict.starts_with("exit 6\nerror[ComponentNotReleasable]"),
        "{strict}"
    );
    let one = told(
        home,
        "component release generate --root-dir fleet -p shop -c web",
    );
    assert!(
        one.starts_with("exit 6\nerror[ComponentNotReleasable]"),
        "{one}"
    );
    check(
        home,
        "component release generate --root-dir fleet",
        expect![[r#"
            exit 2
            error: say of which components: --all, --project NAME, or --component NAME with it
        "#]],
    );
    // A release that nobody can run is told before it is committed.
    told(
        home,
        "workload create --root-dir fleet -i web:1 -c web -p shop --container main",
    );
    let broken = told(
        home,
        "component release generate --root-dir fleet --all --strict",
    );
    assert!(
        broken.starts_with("exit 6\nerror[ReleaseNotRenderable]"),
        "{broken}"
    );
    assert!(!home.join("fleet/shop/web/releases").exists());
    let told = told(home, "component release generate --root-dir fleet --all");
    assert!(told.contains("exit 0\ncreated web-"), "{told}");
    assert!(told.contains("warning[ReleaseNotRenderable]"), "{told}");
}

#[test]
fn a_scaffold_is_a_component_that_can_be_applied() {
    let home = repository();
    let home = home.path();
    check(
        home,
        "component scaffold api --root-dir fleet --componenttype deployment/web --project shop",
        expect![[r#"
            exit 0
            # A Component of ComponentType `deployment/web`.
            # Fill in what is in angle brackets; what is commented out shows defaults.
            apiVersion: openchoreo.dev/v1alpha1
            kind: Component
            metadata:
              name: api
              namespace: acme
            spec:
              owner:
                projectName: shop
              componentType: deployment/web
              # autoDeploy: true # release and deploy every change

              # What the component type can be told
              parameters:
                # Defaults, to be uncommented and changed:
                # replicas: 1
        "#]],
    );
    check(
        home,
        "scaffold component api --root-dir fleet --type wep -o shop/api/component.yaml",
        expect![[r#"
            exit 6
            error[ComponentReferenceMissing]: ComponentType `wep` is not in the checkout
             = help: Did you mean `web`?
             = more: fleetwright explain ComponentReferenceMissing
        "#]],
    );
    told(
        home,
        "scaffold component api --root-dir fleet --type web --project shop -o shop/api/component.yaml",
    );
    told(
        home,
        "create workload --root-dir fleet -i api:1 -c api -p shop",
    );
    check(
        home,
        "component release generate --root-dir fleet -p shop -c api --name api-1",
        expect![[r#"
            exit 0
            created api-1 in shop/api/releases/api-1.yaml
        "#]],
    );
}

#[test]
fn descriptors_name_files_beside_them() {
    let home = repository();
    let home = home.path();
    let files = [
        (
            "source/workload.yaml",
            "metadata: {name: web}\nendpoints: [{name: api, type: HTTP, port: 80, schemaFile: api/open.yaml}]\n",
        ),
        ("source/api/open.yaml", "openapi: 3.0.0\n"),
        (
            "source/bad.yaml",
            "endpoints: [{name: api, port: 80, schemaFile: link.yaml}]\n",
        ),
        ("secret.yaml", "top: secret\n"),
    ];
    write_tree(home, &files);
    symlink("../secret.yaml", home.join("source/link.yaml")).unwrap();
    told(
        home,
        "workload create --root-dir fleet -i web:1 -c web -p shop --descriptor source/workload.yaml",
    );
    let text = fs::read_to_string(home.join("fleet/shop/web/workload.yaml")).unwrap();
    assert!(
        text.contains("content: |\n          openapi: 3.0.0\n"),
        "{text}"
    );
    let bad = told(
        home,
        "workload create --root-dir fleet -i web:1 -c web -p shop --descriptor source/bad.yaml",
    );
    assert!(
        bad.starts_with("exit 6\nerror[WorkloadDescriptorInvalid]"),
        "{bad}"
    );
    assert!(!bad.contains("top"), "{bad}");
}

#[test]
fn a_chosen_context_says_where_the_checkout_is() {
    let home = repository();
    let home = home.path();
    let fine = |arguments: &str| assert_eq!(told(home, arguments), "exit 0\n", "{arguments}");
    // As pipelines for v0.12 begin.
    fine(
        "config set-context ci --mode file-system --root-directory-path fleet --organization acme",
    );
    fine("config use-context ci");
    let create = "create workload --project shop --component web --image web:1";
    check(
        home,
        create,
        expect![[r#"
            exit 0
            created web-workload in shop/web/workload.yaml
        "#]],
    );
    // As pipelines for v1.2 begin: the checkout is named by each command.
    fine(
        "config context add other --namespace elsewhere --controlplane default --credentials default",
    );
    fine("config context use other");
    let generate = "componentrelease generate --mode file-system --root-dir fleet --component web --project shop --fixed-time 1769904000";
    check(
        home,
        generate,
        expect![[r#"
            exit 6
            error[ComponentUnknown]: component `web` is not in the checkout, at least not in project `shop`
             = more: fleetwright explain ComponentUnknown
        "#]],
    );
    let listed = told(home, "config context list");
    let rows = listed
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    let expected = [
        "exit 0",
        "NAME ROOT NAMESPACE",
        "ci HOME/fleet acme",
        "* other elsewhere",
    ];
    assert_eq!(rows.collect::<Vec<_>>(), expected);
    fine("config context delete other");
    check(
        home,
        "config use-context other",
        expect![[r#"
            exit 2
            error: there is no context `other`; contexts are ci
        "#]],
    );
    // Without a choice, the working folder is the checkout.
    check(
        home,
        &format!("{create} --output-path -"),
        expect![[r#"
        exit 0
        apiVersion: openchoreo.dev/v1alpha1
        kind: Workload
        metadata:
          name: web-workload
          namespace: acme
        spec:
          containers:
            app:
              image: web:1
          owner:
            componentName: web
            projectName: shop
    "#]],
    );
    let place = home.join(".config/fleetwright/contexts.yaml");
    fs::write(&place, "contexts: [").unwrap();
    check(
        home,
        create,
        expect![[r#"
        exit 3
        error[ContextsInvalid]: line 2, column 1: did not find expected node content
         --> HOME/.config/fleetwright/contexts.yaml:2
          = more: fleetwright explain ContextsInvalid
    "#]],
    );
}
