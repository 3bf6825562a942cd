//! Where fields of rendered objects come from.

use component::catalog::{Catalog, Session};
use component::render::Renderer;
use expect_test::{Expect, expect};
use object::{FieldPath, Object};

use crate::support::objects;

const TREE: &str = r#"
apiVersion: openchoreo.dev/v1alpha1
kind: Project
metadata: {name: shop, namespace: acme}
spec: {deploymentPipelineRef: main}
---
apiVersion: openchoreo.dev/v1alpha1
kind: Component
metadata: {name: web, namespace: acme}
spec: {owner: {projectName: shop}, componentType: deployment/web}
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
kind: ComponentRelease
metadata: {name: web-1, namespace: acme}
spec:
  owner: {projectName: shop, componentName: web}
  componentType:
    workloadType: deployment
    schema:
      parameters: {port: "integer | default=80", dbPassword: "string | default=none", tier: "string | default=small"}
      envOverrides: {replicas: "integer | default=1", cpu: "string | default=100m"}
    resources:
      - id: deployment
        template:
          apiVersion: apps/v1
          kind: Deployment
          metadata: {name: web, labels: {tier: "${parameters.tier}"}}
          spec:
            replicas: ${envOverrides.replicas}
            paused: ${parameters.port > 100}
            cpu: ${envOverrides.cpu}
            containers: "${[{'name': 'app', 'image': workload.containers.app.image}]}"
            password: ${parameters.dbPassword}
  traits:
    scaler:
      schema:
        parameters: {least: "integer | default=2"}
        envOverrides: {most: "integer | default=5"}
      creates:
        - template: {apiVersion: v1, kind: Scaler, metadata: {name: web}, spec: {most: "${envOverrides.most}"}}
      patches:
        - target: {group: apps, version: v1, kind: Deployment}
          operations:
            - {op: replace, path: /spec/replicas, value: "${parameters.least}"}
            - {op: add, path: "/spec/containers/[?(@.name=='app')]/ready", value: true}
        - target: {group: apps, version: v1, kind: Deployment}
          operations: [{op: remove, path: /spec/cpu}]
  componentProfile:
    parameters: {port: 8080, dbPassword: hunter2}
    traits: [{name: scaler, instanceName: s, parameters: {least: 3}}]
  workload:
    containers: {app: {image: "web:1"}}
---
apiVersion: openchoreo.dev/v1alpha1
kind: ReleaseBinding
metadata: {name: web-dev, namespace: acme}
spec:
  owner: {projectName: shop, componentName: web}
  environment: dev
  releaseName: web-1
  componentTypeEnvOverrides: {replicas: 2}
  traitOverrides: {s: {most: 9}}
"#;

fn check(kind: &str, path: FieldPath, expected: Expect) {
    let (catalog, _) = Catalog::read(&objects(TREE, "tree.yaml"), "acme");
    let binding = catalog.bindings().next().unwrap();
    let inputs = Session::new(&catalog).inputs(binding).unwrap();
    let renderer = Renderer::default();
    let rendering = renderer.render(&inputs).unwrap();
    let mut keys = rendering
        .objects
        .iter()
        .map(|own| Object::new(own.object.clone()).key());
    let key = keys.find(|key| key.kind == kind).unwrap();
    let found = renderer.origins(&inputs, &key, &path).unwrap();
    let mut out = format!("{}\n", found.value.as_deref().unwrap_or("nothing"));
    for write in &found.writes {
        out.push_str(&format!(
            "{} {}: {}: {} -> {}\n",
            write.maker,
            write.part,
            write.place,
            write.text,
            write.value.as_deref().unwrap_or("nothing")
        ));
        for input in &write.inputs {
            let value = input.value.as_deref().unwrap_or("(secret)");
            let layer = input.layer.word();
            out.push_str(&format!("  {} = {value} ({layer})\n", input.place));
        }
    }
    expected.assert_eq(&out);
}

fn spec(field: &str) -> FieldPath {
    FieldPath::keys(["spec", field])
}

#[test]
fn a_field_is_followed_from_its_template_through_every_patch() {
    check(
        "Deployment",
        spec("replicas"),
        expect![[r#"
        3
        ComponentType `deployment` resource `deployment`: template.spec.replicas: ${envOverrides.replicas} -> 2
          envOverrides.replicas = 2 (binding)
        Trait `scaler` as `s` patches[0]: replace /spec/replicas: ${parameters.least} -> 3
          parameters.least = 3 (component)
    "#]],
    );
    check(
        "Deployment",
        spec("cpu"),
        expect![[r#"
        nothing
        ComponentType `deployment` resource `deployment`: template.spec.cpu: ${envOverrides.cpu} -> 100m
          envOverrides.cpu = "100m" (default)
        Trait `scaler` as `s` patches[1]: remove /spec/cpu:  -> nothing
    "#]],
    );
    check(
        "Deployment",
        spec("containers").index(0).key("ready"),
        expect![[r#"
            true
            Trait `scaler` as `s` patches[0]: add /spec/containers/[?(@.name=='app')]/ready: true -> true
        "#]],
    );
    check(
        "Deployment",
        spec("containers").index(0).key("image"),
        expect![[r#"
            web:1
            ComponentType `deployment` resource `deployment`: template.spec.containers: ${[{'name': 'app', 'image': workload.containers.app.image}]} -> web:1
              workload.containers.app.image = "web:1" (workload)
        "#]],
    );
    check(
        "Deployment",
        FieldPath::keys(["metadata", "labels"]),
        expect![[r#"
            {"tier":"small","openchoreo.dev/project":"shop","openchoreo.dev/component":"web","openchoreo.dev/environment":"dev"}
            ComponentType `deployment` resource `deployment`: template.metadata.labels: {"tier":"${parameters.tier}"} -> {"tier":"small"}
              parameters.tier = "small" (default)
            platform : :  -> {"tier":"small","openchoreo.dev/project":"shop","openchoreo.dev/component":"web","openchoreo.dev/environment":"dev"}
        "#]],
    );
    check(
        "Deployment",
        spec("nothing"),
        expect![[r#"
        nothing
    "#]],
    );
}

#[test]
fn each_value_says_who_gave_it_and_secrets_stay_secret() {
    check(
        "Deployment",
        spec("paused"),
        expect![[r#"
        true
        ComponentType `deployment` resource `deployment`: template.spec.paused: ${parameters.port > 100} -> true
          parameters.port = 8080 (component)
    "#]],
    );
    check(
        "Deployment",
        FieldPath::keys(["metadata", "labels", "tier"]),
        expect![[r#"
            small
            ComponentType `deployment` resource `deployment`: template.metadata.labels.tier: ${parameters.tier} -> small
              parameters.tier = "small" (default)
        "#]],
    );
    check(
        "Deployment",
        spec("password"),
        expect![[r#"
        ***
        ComponentType `deployment` resource `deployment`: template.spec.password: ${parameters.dbPassword} -> ***
          parameters.dbPassword = "***" (component)
    "#]],
    );
    check(
        "Scaler",
        spec("most"),
        expect![[r#"
        9
        Trait `scaler` as `s` creates[0]: template.spec.most: ${envOverrides.most} -> 9
          envOverrides.most = 9 (binding)
    "#]],
    );
    check(
        "Scaler",
        FieldPath::root(),
        expect![[r#"
        {"apiVersion":"v1","kind":"Scaler","metadata":{"name":"web","labels":{"openchoreo.dev/project":"shop","openchoreo.dev/component":"web","openchoreo.dev/environment":"dev"}},"spec":{"most":9}}
        Trait `scaler` as `s` creates[0]: template: {"apiVersion":"v1","kind":"Scaler","metadata":{"name":"web"},"spec":{"most":"${envOverrides.most}"}} -> {"apiVersion":"v1","kind":"Scaler","metadata":{"name":"web"},"spec":{"most":9}}
          envOverrides.most = 9 (binding)
        platform : :  -> {"apiVersion":"v1","kind":"Scaler","metadata":{"name":"web","labels":{"openchoreo.dev/project":"shop","openchoreo.dev/component":"web","openchoreo.dev/environment":"dev"}},"spec":{"most":9}}
    "#]],
    );
}
