//! Stories of bindings: what a small tree comes to, and what is said when it does not.

use component::catalog::{Catalog, Outcome, Session};
use component::snapshot;
use expect_test::{Expect, expect};
use object::{Node, Object};

use crate::support::{node, objects};

/// A tree around a release: project, environments, plane.
const AROUND: &str = r#"
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
spec: {gateway: {publicVirtualHost: apps.example.org}, secretStoreRef: {name: vault}}
"#;

fn manifest(kind: &str, name: &str, spec: &str) -> String {
    let spec = spec.trim_end().replace('\n', "\n  ");
    format!(
        "---\napiVersion: openchoreo.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}, namespace: acme}}\nspec:\n  {spec}\n"
    )
}

const OWNER: &str = "owner: {projectName: shop, componentName: web}\n";

/// The tree with a release and a binding of these specs, and more manifests.
fn tree(release: &str, binding: &str, more: &str) -> Vec<Object> {
    let release = manifest("ComponentRelease", "web-1", &format!("{OWNER}{release}"));
    let binding = format!("{OWNER}environment: dev\nreleaseName: web-1\n{binding}");
    let binding = manifest("ReleaseBinding", "web-dev", &binding);
    objects(&format!("{AROUND}{release}{binding}{more}"), "tree.yaml")
}

fn outcome(all: &[Object]) -> String {
    let (catalog, notices) = Catalog::read(all, "acme");
    let mut out = String::new();
    for notice in notices {
        out.push_str(&format!("notice: {notice}\n"));
    }
    out.push_str(&rendered(&catalog));
    out
}

/// What the bindings of a catalog come to.
fn rendered(catalog: &Catalog) -> String {
    let mut out = String::new();
    let mut session = Session::new(catalog);
    for binding in catalog.bindings() {
        match session.render(binding) {
            Outcome::Rendered(rendering) => {
                for warning in &rendering.warnings {
                    out.push_str(&format!("warning: {warning}\n"));
                }
                for own in &rendering.objects {
                    let mut object = own.object.clone();
                    object.remove(&["metadata", "labels"]);
                    object.sort_keys();
                    out.push_str(&format!(
                        "{} {}\n",
                        own.id,
                        object::json::to_string(&object)
                    ));
                }
            }
            Outcome::Failed(error) => {
                use diag::Explain;
                out.push_str(&format!("{}: {error}\n", error.reason()));
            }
            other => out.push_str(&format!("{other:?}\n")),
        }
    }
    out
}

fn check(release: &str, binding: &str, expected: Expect) {
    expected.assert_eq(&outcome(&tree(release, binding, "")));
}

/// A type with one template that prints an expression.
fn printing(schema: &str, out: &str) -> String {
    let template =
        format!("{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: x}}, out: {out}}}");
    format!(
        "componentType:\n  workloadType: deployment\n{schema}  resources: [{{id: deployment, template: {template}}}]\n"
    )
}

#[test]
fn values_win_in_order_of_default_component_and_binding() {
    let schema = "  schema: {parameters: {a: integer | default=1, b: integer | default=1}, envOverrides: {c: integer | default=1, d: integer | default=1}}\n";
    check(
        &format!(
            "{}componentProfile: {{parameters: {{b: 2, c: 2}}}}\n",
            printing(
                schema,
                "'${[parameters.a, parameters.b, envOverrides.c, environmentConfigs.d]}'"
            )
        ),
        "componentTypeEnvOverrides: {d: 3, b: 3}\n",
        expect![[r#"
            warning: ComponentType `deployment`: `parameters.c` is in no schema and has no effect
            warning: ComponentType `deployment`: `envOverrides.b` is in no schema and has no effect
            deployment-x {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"x"},"out":[1,2,1,3]}
        "#]],
    );
}

#[test]
fn the_first_dialect_sees_values_of_the_environment_among_parameters() {
    let schema = "  schema: {parameters: {a: integer | default=1}, envOverrides: {r: {cpu: string | default=1, memory: string | default=1Gi}}}\n";
    check(
        &format!(
            "{}componentProfile: {{parameters: {{r: {{cpu: '2'}}}}}}\n",
            printing(schema, "'${parameters.r}'")
        ),
        "componentTypeEnvOverrides: {r: {memory: 3Gi}}\n",
        expect![[r#"
            deployment-x {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"x"},"out":{"cpu":"2","memory":"3Gi"}}
        "#]],
    );
}

#[test]
fn bindings_and_releases_of_different_versions_understand_each_other() {
    let old = printing(
        "  schema: {envOverrides: {count: integer | default=1}}\n",
        "{a: '${envOverrides.count}', e: '${configurations.toContainerEnvFrom(\"app\")}'}",
    );
    let workload = "workload: {containers: {app: {image: i, env: [{key: A, value: '1'}]}}}\n";
    check(
        &format!("{old}{workload}"),
        "componentTypeEnvironmentConfigs: {count: 5}\nworkloadOverrides: {container: {env: [{key: A, value: '2'}]}}\n",
        expect![[r#"
            deployment-x {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"x"},"out":{"a":5,"e":[{"configMapRef":{"name":"web-dev-app-env-configs-dfb692a0"}}]}}
        "#]],
    );
    let new = "componentType:\n  kind: ComponentType\n  name: deployment/web\n  spec:\n    workloadType: deployment\n    environmentConfigs: {openAPIV3Schema: {type: object, properties: {count: {type: integer, default: 1}}}}\n    resources: [{id: deployment, template: {apiVersion: apps/v1, kind: Deployment, metadata: {name: x}, out: ['${environmentConfigs.count}', '${configurations.configs.envs}', '${dataplane.publicVirtualHost}', '${workload.containers.main.image}', '${gateway.ingress.external.http.host}']}}]\nworkload: {container: {image: i, env: [{key: A, value: '1'}]}}\n";
    check(
        new,
        "componentTypeEnvOverrides: {count: 5}\nworkloadOverrides: {containers: {app: {env: [{key: A, value: '2'}]}}}\n",
        expect![[r#"
            deployment-x {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"x"},"out":[5,[{"name":"A","value":"2"}],"apps.example.org","i","apps.example.org"]}
            networkpolicy-openchoreo-web {"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"openchoreo-web","namespace":"dp-acme-shop-dev-1c11194b"},"spec":{"podSelector":{"matchLabels":{"openchoreo.dev/component":"web","openchoreo.dev/component-uid":"4004b0ad-f779-555b-b2e5-84613bc56836","openchoreo.dev/environment":"dev","openchoreo.dev/environment-uid":"82ab9ff8-768d-5eb5-b496-fe614635fe49","openchoreo.dev/namespace":"acme","openchoreo.dev/project":"shop","openchoreo.dev/project-uid":"f908a311-537b-5616-9e35-341cb9dabdc6"}},"policyTypes":["Ingress"]}}
        "#]],
    );
}

#[test]
fn every_reason_is_told_with_its_place_and_what_was_looked_at() {
    let release = r#"componentType:
  workloadType: deployment
  schema: {parameters: {count: integer | default=3, hosts: '[]string | default=[]'}}
  resources:
  - id: deployment
    template: {apiVersion: apps/v1, kind: Deployment, metadata: {name: '${metadata.nam}'}, spec: {replicas: '${parameters.count + "1"}'}}
  - id: route
    includeWhen: ${parameters.count}
    template: {kind: HTTPRoute, metadata: {name: x}}
  - id: config
    forEach: ${parameters.count}
    template: {}
  - id: nameless
    template: {apiVersion: v1, kind: ConfigMap, metadata: {name: '${oc_omit()}'}}
traits:
  volume: {schema: {parameters: {size: string}}}
componentProfile:
  traits:
  - {name: volume, instanceName: data, parameters: {size: 1Gi}}
"#;
    check(
        release,
        "",
        expect![[r#"
            RenderingFailed: ComponentType `deployment`, resource `deployment`, template.metadata.name: no such key: `nam` in `metadata`, which has `annotations`, `componentName`, `componentUID`, `dataPlaneName`, `dataPlaneUID`, `environmentName`, `environmentUID`, `labels`, `name`, `namespace`, `podSelectors`, `projectName`, `projectUID` (in `${metadata.nam}`); ComponentType `deployment`, resource `deployment`, template.spec.replicas: no such overload: an operator or function does not take these values (in `${parameters.count + "1"}`, where parameters.count = 3); ComponentType `deployment`, resource `route`, includeWhen: must give a boolean, not int (in `${parameters.count}`); ComponentType `deployment`, resource `config`, forEach: must give a list or a map, not int (in `${parameters.count}`); ComponentType `deployment`, resource `nameless`, template: the object has no text in `metadata.name`
        "#]],
    );
    check(
        "componentType:\n  workloadType: deployment\n  schema: {parameters: {count: integer}}\n  resources: [{id: a, template: {}}]\ntraits: {volume: {schema: {parameters: {size: string}}}}\ncomponentProfile: {traits: [{name: volume, instanceName: data}, {name: ghost, instanceName: g}, {name: volume, instanceName: data}]}\nworkload: {containers: {app: {image: i, env: [{key: A, valueFrom: {secretRef: {name: nodb, key: k}}}]}}}\n",
        "",
        expect![[r#"
            RenderingFailed: workload: `A` of container `app` names SecretReference `nodb`, which does not exist; ComponentType `deployment`, parameters: parameters.count: Required value; Trait `volume` as `data`, parameters: parameters.size: Required value; Trait `ghost` as `g`: the release does not hold this trait; it holds `volume`; Trait `volume` as `data`: another trait in use has this instance name
        "#]],
    );
    check(
        "componentType:\n  workloadType: deployment\n  schema: {parameters: {count: integer}}\n  resources: [{id: a, template: {}}]\ntraits: {volume: {schema: {parameters: {size: string}}}}\ncomponentProfile: {traits: [{name: volume, instanceName: data}, {name: ghost, instanceName: g}]}\nworkload: {containers: {app: {image: i, env: [{key: A, valueFrom: {secretRef: {name: nodb, key: k}}}, {key: B, valueFrom: {configurationGroupRef: {name: g, key: k}}}]}}}\n",
        "traitOverrides: {other: {}}\nworkloadOverrides: {containers: {side: {env: []}}}\n",
        expect![[r#"
            RenderingFailed: workload: `A` of container `app` names SecretReference `nodb`, which does not exist; workload: `B` of container `app` names ConfigurationGroup `g`, and nothing gives values of those; ComponentType `deployment`, parameters: parameters.count: Required value; Trait `volume` as `data`, parameters: parameters.size: Required value; Trait `ghost` as `g`: the release does not hold this trait; it holds `volume`
        "#]],
    );
}

#[test]
fn a_patch_without_a_match_names_trait_path_and_what_there_is() {
    let release = r#"componentType:
  workloadType: deployment
  resources:
  - id: deployment
    template: {apiVersion: apps/v1, kind: Deployment, metadata: {name: x}, spec: {containers: [{name: app}, {name: side}]}}
traits:
  mount:
    schema: {parameters: {container: string | default=main}}
    patches:
    - target: {group: apps, version: v1, kind: Deployment}
      operations:
      - {op: add, path: "/spec/containers/[?(@.name=='${parameters.container}')]/image", value: i}
      - {op: add, path: /spec/after, value: 1}
    - target: {version: v1, kind: Service}
      operations: [{op: remove, path: '/spec/${parameters.nothing}'}]
componentProfile: {traits: [{name: mount, instanceName: m}]}
"#;
    check(
        release,
        "",
        expect![[r#"
            RenderingFailed: Trait `mount` as `m`, patches[0], Deployment/x at `/spec/containers/[?(@.name=='main')]/image`, operations[0].path: `[?(@.name=='main')]` matches nothing in `/spec/containers`, which has `app`, `side`
        "#]],
    );
    check(
        &release.replace("default=main", "default=side"),
        "",
        expect![[r#"
            warning: Trait `mount` as `m`, patches[1]: nothing matches v1/Service
            deployment-x {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"x"},"spec":{"after":1,"containers":[{"name":"app"},{"image":"i","name":"side"}]}}
        "#]],
    );
}

#[test]
fn values_that_are_secret_by_their_names_are_in_no_message() {
    let secret = "hunter2-hunter2";
    let release = format!(
        "{}componentProfile: {{parameters: {{dbPassword: {secret}}}}}\nworkload: {{containers: {{app: {{image: i, env: [{{key: API_TOKEN, value: {secret}-token}}, {{key: LEVEL, value: debug}}]}}}}}}\n",
        printing(
            "  schema: {parameters: {dbPassword: string}}\n",
            "['${parameters.dbPassword + 1}', '${int(parameters.dbPassword)}', '${configurations.app.configs.envs[7]}', '${configurations.toContainerEnvFrom(parameters.dbPassword)}', '${nope}', '${{\"a\": 1}[parameters.dbPassword]}']",
        )
    );
    let said = outcome(&tree(&release, "", ""));
    assert!(!said.contains("hunter2"), "{said}");
    assert!(said.contains("***") && said.contains("LEVEL"), "{said}");
    assert!(!said.contains("(secrets)"), "{said}");
    let refused = format!(
        "{}componentProfile: {{parameters: {{dbPassword: {secret}}}}}\n",
        printing(
            "  schema: {parameters: {dbPassword: string | maxLength=3 pattern=^x}}\n",
            "a"
        )
    );
    let said = outcome(&tree(&refused, "", ""));
    assert!(
        said.contains("dbPassword") && !said.contains("hunter2"),
        "{said}"
    );
}

#[test]
fn references_that_lead_nowhere_are_told_together_and_the_first_is_the_reason() {
    let all = objects(
        &manifest("ReleaseBinding", "b", &format!("{OWNER}environment: dev\n")),
        "b.yaml",
    );
    expect![[r#"
        ComponentReleaseNotFound: no release is selected; Environment `dev` does not exist; Component `web` does not exist; Project `shop` does not exist
    "#]]
    .assert_eq(&outcome(&all));
}

#[test]
fn objects_with_one_name_are_an_error_and_one_kind_in_two_groups_is_none() {
    let twice = "componentType:\n  workloadType: proxy\n  resources:\n  - {id: a, template: {apiVersion: v1, kind: ConfigMap, metadata: {name: x}}}\n  - {id: b, template: {apiVersion: VERSION, kind: ConfigMap, metadata: {name: x}}}\n";
    check(
        &twice.replace("VERSION", "v1"),
        "",
        expect![[r#"
            RenderingFailed: ComponentType `proxy`, resource `b`, ConfigMap/x: an object of this kind, namespace and name was made already by ComponentType `proxy`, resource `a`
        "#]],
    );
    check(
        &twice.replace("VERSION", "example.org/v1"),
        "",
        expect![[r#"
            configmap-x {"apiVersion":"example.org/v1","kind":"ConfigMap","metadata":{"name":"x"}}
            configmap-x-51876f79 {"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"}}
        "#]],
    );
}

#[test]
fn what_waits_for_others_and_what_shall_not_run_gives_no_objects() {
    let release = "componentType:\n  kind: ComponentType\n  name: deployment/web\n  spec:\n    workloadType: deployment\n    resources: [{id: deployment, template: {apiVersion: apps/v1, kind: Deployment, metadata: {name: x}, out: '${dependencies.toContainerEnvs()}'}}]\nworkload: {container: {image: i}, dependencies: {endpoints: [{component: db, name: sql, visibility: project, envBindings: {address: DB}}], resources: [{ref: queue, envBindings: {url: Q}}]}}\n";
    check(
        release,
        "",
        expect![[r#"
            Pending { missing: ["endpoint `sql` of component `shop/db`", "resource `queue`: nothing binds it in environment `dev`"], errors: None }
        "#]],
    );
    check(
        release,
        "state: Undeploy\n",
        expect![[r#"
            Undeployed
        "#]],
    );
}

#[test]
fn rendering_again_gives_the_same_bytes_whatever_the_order_of_objects() {
    let release = "componentType:\n  workloadType: deployment\n  resources:\n  - {id: b, forEach: '${workload.endpoints}', var: e, template: {apiVersion: v1, kind: Service, metadata: {name: '${oc_generate_name(metadata.name, e.key)}'}, labels: '${metadata.labels}'}}\n  - {id: deployment, template: {apiVersion: apps/v1, kind: Deployment, metadata: {name: x}, spec: '${configurations.toVolumes()}'}}\nworkload: {containers: {z: {image: i, files: [{key: a, mountPath: /x, value: '1'}, {key: b, mountPath: /y, value: '1'}]}, a: {image: i, files: [{key: c, mountPath: /z, value: '1'}]}}, endpoints: {q: {port: 1}, p: {port: 2}}}\n";
    let mut all = tree(release, "", "");
    let first = outcome(&all);
    assert!(first.contains("service-web-dev"), "{first}");
    let mut dice = testkit::Dice::new(7);
    for _ in 0..200 {
        dice.shuffle(&mut all);
        assert_eq!(outcome(&all), first);
    }
}

#[test]
fn a_release_and_its_digest_do_not_depend_on_how_it_is_written() {
    let spec = |text: &str| node(text).get("spec").cloned().unwrap_or(Node::Null);
    let one = spec(
        "spec: {owner: {projectName: p}, componentType: {workloadType: job, resources: []}, workload: {containers: {a: {image: i, env: []}}}}",
    );
    let other = spec(
        "spec: {workload: {containers: {a: {env: null, image: i}}}, componentType: {workloadType: job}}",
    );
    assert_eq!(
        snapshot::release_digest(&one),
        snapshot::release_digest(&other)
    );
}

#[test]
fn an_error_leads_to_its_line_in_the_file() {
    let text = r#"apiVersion: openchoreo.dev/v1alpha1
kind: ComponentRelease
metadata: {name: web-1, namespace: acme}
spec:
  owner: {projectName: shop, componentName: web}
  componentType:
    workloadType: deployment
    schema:
      envOverrides:
        size: string | default=1
    resources:
    - id: deployment
      template:
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: x
        spec:
          replicas: ${parameters.nope}
    - id: route
      includeWhen: ${metadata.nope}
      template: {apiVersion: v1, kind: A, metadata: {name: x}}
  traits:
    mount:
      creates:
      - template:
          apiVersion: v1
          kind: ConfigMap
          metadata:
            name: ${trait.nope}
  componentProfile:
    traits:
    - {name: mount, instanceName: m}
    - {name: mount, instanceName: other}
"#;
    let around = manifest(
        "ReleaseBinding",
        "web-dev",
        &format!("{OWNER}environment: dev\nreleaseName: web-1\n"),
    );
    let all = objects(&format!("{AROUND}---\n{text}{around}"), "tree.yaml");
    let (catalog, _) = Catalog::read(&all, "acme");
    let binding = catalog.bindings().next().expect("a binding");
    let Outcome::Failed(component::catalog::BindingError::Render(errors)) =
        Session::new(&catalog).render(binding)
    else {
        panic!("rendered");
    };
    let release = node(text);
    let source = yaml::parse_first(text, &yaml::Limits::default()).expect("YAML");
    let source = source.expect("a document");
    let lines: Vec<String> = errors
        .0
        .iter()
        .map(|error| {
            let (document, path) = error.place_in(&release, &Node::Null);
            let line = yaml::locate(&source, &path).map(|(line, _)| line);
            format!("{document:?} line {line:?} {path}")
        })
        .collect();
    assert_eq!(
        lines,
        [
            "Release line Some(19) spec.componentType.resources[0].template.spec.replicas",
            "Release line Some(21) spec.componentType.resources[1].includeWhen",
            "Release line Some(30) spec.traits.mount.creates[0].template.metadata.name",
            "Release line Some(30) spec.traits.mount.creates[0].template.metadata.name",
        ]
    );
}

#[test]
fn a_project_has_its_namespace_whatever_its_type_is() {
    let project = |all: &[Object]| -> String {
        let (catalog, _) = Catalog::read(all, "acme");
        match Session::new(&catalog).render_project("acme", "shop", "dev") {
            Ok(objects) => objects
                .iter()
                .map(|own| format!("{} {}\n", own.id, object::json::to_string(&own.object)))
                .collect(),
            Err(error) => format!("{error}\n"),
        }
    };
    let plain = objects(AROUND, "tree.yaml");
    let built_in = project(&plain);
    expect![[r#"
        namespace-dp-acme-shop-dev-1c11194b {"apiVersion":"v1","kind":"Namespace","metadata":{"name":"dp-acme-shop-dev-1c11194b","labels":{"openchoreo.dev/namespace":"acme","openchoreo.dev/project":"shop","openchoreo.dev/environment":"dev","openchoreo.dev/project-uid":"f908a311-537b-5616-9e35-341cb9dabdc6","openchoreo.dev/environment-uid":"82ab9ff8-768d-5eb5-b496-fe614635fe49"}}}
    "#]]
    .assert_eq(&built_in);

    let typed = AROUND.replace(
        "{deploymentPipelineRef: main}",
        "{deploymentPipelineRef: main, type: {kind: ClusterProjectType, name: small}, parameters: {cpu: 4}}",
    );
    assert_eq!(project(&objects(&typed, "tree.yaml")), built_in);
    let of_type = "\n---\napiVersion: openchoreo.dev/v1alpha1\nkind: ClusterProjectType\nmetadata: {name: small}\nspec:\n  parameters: {openAPIV3Schema: {type: object, properties: {cpu: {type: integer, default: 1}}}}\n  environmentConfigs: {openAPIV3Schema: {type: object, properties: {labels: {type: object, default: {}, additionalProperties: {type: string}}}}}\n  resources:\n  - {id: ns, template: {apiVersion: v1, kind: Namespace, metadata: {name: '${metadata.cellNamespace}', labels: '${oc_merge(metadata.labels, environmentConfigs.labels)}'}}}\n  - {id: quota, template: {apiVersion: v1, kind: ResourceQuota, metadata: {name: q, namespace: '${metadata.namespace}'}, spec: {hard: {cpu: '${string(parameters.cpu)}'}}}}\n---\napiVersion: openchoreo.dev/v1alpha1\nkind: ProjectReleaseBinding\nmetadata: {name: shop-dev, namespace: acme}\nspec: {owner: {projectName: shop}, environment: dev, environmentConfigs: {labels: {team: a}}}\n";
    let both = project(&objects(&format!("{typed}{of_type}"), "tree.yaml"));
    assert!(
        both.contains(r#""team":"a""#) && both.contains(r#"{"cpu":"4"}"#),
        "{both}"
    );
    let missing = format!(
        "{typed}{}",
        of_type.replace(
            "environment: dev,",
            "environment: dev, projectRelease: gone,"
        )
    );
    expect![[r#"
        ProjectRelease `gone` does not exist
    "#]]
    .assert_eq(&project(&objects(&missing, "tree.yaml")));
}

#[test]
fn what_no_values_can_make_work_is_found_without_a_binding() {
    let spec = node(
        r#"
componentType:
  workloadType: deployment
  schema: {parameters: {a: integr}}
  resources:
  - {id: a, includeWhen: '${1 +}', forEach: '${[1]}', template: {x: '${nope(1)}', y: '${parameters.whatever}'}}
traits:
  t:
    patches:
    - target: {version: v1, kind: A, where: '${resource.}'}
      operations: [{op: add, path: '/a/${b', value: {c: '${${x}}'}}]
"#,
    );
    let release = component::model::read_release_spec(component::model::Head::default(), &spec);
    let problems = component::render::Renderer::default().problems(&release);
    let lines: Vec<String> = problems
        .iter()
        .map(|error| format!("{} {} {}", error.code(), error.part, error.path))
        .collect();
    assert_eq!(
        lines,
        [
            "ComponentSchemaInvalid parameters a",
            "ExpressionInvalid resource `a` includeWhen",
            "ExpressionInvalid resource `a` template.x",
            "ExpressionInvalid patches[0] target.where",
            "ExpressionNested patches[0] operations[0].value.c",
        ]
    );
}

/// A template with one trait in use, from before the first major version.
fn with_trait(name: &str, body: &str) -> String {
    format!(
        "{}traits: {{{name}: {body}}}\ncomponentProfile: {{traits: [{{name: {name}, instanceName: one}}]}}\n",
        printing("", "[]")
    )
}

#[test]
fn alerts_go_to_the_channel_of_the_environment_unless_another_is_named() {
    let release = with_trait(
        "observability-alert-rule",
        "{schema: {envOverrides: {notificationChannel: string}}, creates: [{template: {apiVersion: v1, kind: ConfigMap, metadata: {name: alert}, data: {to: '${envOverrides.notificationChannel}'}}}]}",
    );
    let channel = manifest(
        "ObservabilityAlertsNotificationChannel",
        "mails",
        "{environment: dev, isEnvDefault: true}",
    );
    let of = |binding: &str, more: &str| outcome(&tree(&release, binding, more));
    for (binding, more, expected) in [
        ("", channel.as_str(), "\"to\":\"mails\""),
        (
            "traitOverrides: {one: {notificationChannel: ''}}\n",
            &channel,
            "\"to\":\"mails\"",
        ),
        (
            "traitOverrides: {one: {notificationChannel: pager}}\n",
            "",
            "\"to\":\"pager\"",
        ),
        (
            "",
            "",
            "RenderingFailed: Trait `observability-alert-rule` as `one`: no ObservabilityAlertsNotificationChannel is the default of environment `dev`",
        ),
    ] {
        let found = of(binding, more);
        assert!(found.contains(expected), "{binding}: {found}");
    }
}

#[test]
fn the_default_channel_is_one_that_is_there() {
    let release = with_trait(
        "observability-alert-rule",
        "{schema: {envOverrides: {notificationChannel: string}}, creates: [{template: {apiVersion: v1, kind: ConfigMap, metadata: {name: alert}, data: {to: '${envOverrides.notificationChannel}'}}}]}",
    );
    const CHANNEL: &str = "ObservabilityAlertsNotificationChannel";
    let mut catalog = Catalog::read(&tree(&release, "", ""), "acme").0;
    let channel = |name: &str, spec: &str| {
        let channels = objects(&manifest(CHANNEL, name, spec), "tree.yaml");
        channels.into_iter().next().expect("one channel")
    };
    for (gone, come, expected) in [
        ("", channel("b", "{environment: dev}"), "b"),
        ("", channel("c", "{environment: dev}"), "b"),
        ("", channel("a", "{environment: dev}"), "a"),
        (
            "",
            channel("z", "{environment: dev, isEnvDefault: true}"),
            "z",
        ),
        (
            "z",
            channel("z", "{environment: staging, isEnvDefault: true}"),
            "a",
        ),
        ("a", channel("d", "{environment: dev}"), "b"),
    ] {
        catalog.remove(CHANNEL, "acme", gone);
        catalog.add(&come, "acme");
        let found = rendered(&catalog);
        assert!(found.contains(&format!("\"to\":\"{expected}\"")), "{found}");
    }
}

#[test]
fn traits_are_told_apart_by_kind() {
    let body = |name: &str| {
        format!(
            "{{creates: [{{template: {{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}}}}}}}]}}"
        )
    };
    let traits = |kinds: &[&str]| {
        let own = kinds.iter().map(|kind| {
            let body = body(&kind.to_lowercase());
            format!("{{kind: {kind}, name: t, spec: {body}}}")
        });
        own.collect::<Vec<_>>().join(", ")
    };
    let release = |held: &[&str], embedded: &str, used: &str| {
        format!(
            "componentType: {{kind: ComponentType, name: deployment/web, spec: {{workloadType: deployment, traits: [{embedded}], resources: [{{id: deployment, template: {{apiVersion: apps/v1, kind: Deployment, metadata: {{name: x}}}}}}]}}}}\ntraits: [{}]\ncomponentProfile: {{traits: [{used}]}}\nworkload: {{container: {{image: i}}}}\n",
            traits(held)
        )
    };
    let one = "{kind: ClusterTrait, name: t, instanceName: a}";
    for (held, embedded, used, expected) in [
        (
            &["Trait", "ClusterTrait"][..],
            one,
            "",
            "configmap-clustertrait",
        ),
        (
            &["Trait", "ClusterTrait"],
            "{name: t, instanceName: a}",
            "",
            "configmap-trait",
        ),
        (
            &["Trait", "ClusterTrait"],
            "",
            one,
            "configmap-clustertrait",
        ),
        (&["Trait"], one, "", "the release does not hold this trait"),
        (&["Trait"], "", one, "the release does not hold this trait"),
        (
            &["ClusterTrait"],
            "",
            "{name: t, instanceName: a}",
            "the release does not hold this trait",
        ),
    ] {
        let found = outcome(&tree(&release(held, embedded, used), "", ""));
        assert!(
            found.contains(expected),
            "{held:?} {embedded} {used}: {found}"
        );
    }
}

#[test]
fn a_binding_that_shall_not_run_still_tells_what_is_missing() {
    let release = printing("", "[]");
    for (binding, expected) in [
        ("state: Undeploy\n", "Undeployed\n"),
        (
            "state: Undeploy\nreleaseName: gone\n",
            "ComponentReleaseNotFound: ComponentRelease `gone` does not exist",
        ),
        (
            "state: Undeploy\nenvironment: gone\n",
            "EnvironmentNotFound: Environment `gone` does not exist",
        ),
    ] {
        let (_, own) = binding.split_once('\n').expect("two lines");
        let mut all = tree(&release, "state: Undeploy\n", "");
        for object in &mut all {
            if let Some((key, value)) = own.trim().split_once(": ")
                && object.kind() == "ReleaseBinding"
            {
                object.node.set(&["spec", key], value);
            }
        }
        let found = outcome(&all);
        assert!(found.starts_with(expected), "{binding}: {found}");
    }
}

#[test]
fn functions_are_those_of_the_version_a_release_is_for() {
    let v0 = |out: &str| printing("  schema: {parameters: {a: integer | default=1}}\n", out);
    let v1 = |out: &str| {
        let template =
            format!("{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: x}}, out: {out}}}");
        format!(
            "componentType: {{kind: ComponentType, name: deployment/web, spec: {{workloadType: deployment, parameters: {{openAPIV3Schema: {{type: object, properties: {{a: {{type: integer, default: 1}}}}}}}}, resources: [{{id: deployment, template: {template}}}]}}}}\nworkload: {{container: {{image: i, env: [{{key: A, value: '1'}}]}}, endpoints: {{h: {{type: HTTP, port: 80}}}}}}\n"
        )
    };
    for (out, old, new) in [
        (
            "'${[1, 2].first()}'",
            "undeclared reference to 'first'",
            "\"out\":1",
        ),
        (
            "'${math.sqrt(4.0)}'",
            "undeclared reference to 'sqrt'",
            "\"out\":2",
        ),
        (
            "'${cel.bind(x, 1, x)}'",
            "undeclared reference to 'cel.bind'",
            "undeclared reference to 'cel.bind'",
        ),
        (
            "'${\"%s\".format([[\"a\"]])}'",
            "\"out\":\"[\\\"a\\\"]\"",
            "\"out\":\"[a]\"",
        ),
        (
            "'${\"%d\".format([1.5])}'",
            "cannot format a value of type double",
            "\"out\":\"1.5\"",
        ),
        (
            "'${lists.range(-1)}'",
            "\"out\":[]",
            "size must be non-negative",
        ),
        (
            "'${true ? 1 : \"a\"}'",
            "found no matching overload for '_?_:_'",
            "found no matching overload for '_?_:_'",
        ),
        (
            "'${true ? oc_hash(\"a\") : 1}'",
            "found no matching overload for '_?_:_' applied to '(bool, string, int)'",
            "found no matching overload for '_?_:_' applied to '(bool, string, int)'",
        ),
        (
            "'${true ? oc_merge({}, {}) : oc_omit()}'",
            "\"out\":{}",
            "\"out\":{}",
        ),
        (
            "'${parameters.a == \"a\" ? 1 : parameters.a}'",
            "\"out\":1",
            "\"out\":1",
        ),
        (
            "'${oc_merge({\"a\": oc_omit()}, {\"b\": 1})}'",
            "\"out\":{\"a\":{},\"b\":1}",
            "\"out\":{\"a\":{},\"b\":1}",
        ),
        (
            "'${oc_generate_name()}'",
            "oc_generate_name takes at least one text",
            "oc_generate_name takes at least one text",
        ),
        (
            "'${oc_generate_name([1, \"a\"])}'",
            "the first is a value of type int",
            "the first is a value of type int",
        ),
        ("'x${1.0 / 0.0}'", "\"out\":\"x+Inf\"", "\"out\":\"x+Inf\""),
        (
            "'${derived.containerEnvFrom.size()}'",
            "there is no variable `derived`",
            "\"out\":1",
        ),
        (
            "'${derived.servicePorts[0].name}'",
            "there is no variable `derived`",
            "\"out\":\"h\"",
        ),
        (
            "'${derived.configVolumes}'",
            "there is no variable `derived`",
            "\"out\":[]",
        ),
    ] {
        for (release, expected) in [(v0(out), old), (v1(out), new)] {
            let found = outcome(&tree(&release, "", ""));
            assert!(found.contains(expected), "{out}: {found}");
        }
    }
}

#[test]
fn every_item_of_a_list_is_a_path_of_newer_versions() {
    let body = "{patches: [{target: {group: apps, version: v1, kind: Deployment}, operations: [{op: replace, path: '/out/[*]/a', value: 2}]}]}";
    let release = with_trait("t", body).replace("out: []", "out: [{a: 1}]");
    let found = outcome(&tree(&release, "", ""));
    assert!(found.contains("`[*]` is no position"), "{found}");
}

#[test]
fn a_value_wins_over_a_secret_in_older_versions() {
    let release = printing("", "'${configurations.app.configs.envs}'");
    let workload = "workload: {containers: {app: {image: i, env: [{key: A, value: '1', valueFrom: {secretRef: {name: gone, key: k}}}]}}}\n";
    let found = outcome(&tree(&format!("{release}{workload}"), "", ""));
    assert!(
        found.contains(r#""out":[{"name":"A","value":"1"}]"#),
        "{found}"
    );
}
