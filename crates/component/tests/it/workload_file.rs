//! Workloads from images and descriptors.

use component::checkout::Checkout;
use component::model::Owner;
use component::workload_file::{self, Descriptor, WorkloadError, WorkloadFile, WorkloadRequest};
use expect_test::expect;
use tree::TreePath;

use crate::support::{checkout, node, tree_of};

const COMPONENT: &str = "apiVersion: openchoreo.dev/v1alpha1\nkind: Component\nmetadata: {name: web, namespace: acme}\nspec: {owner: {projectName: shop}, componentType: deployment/web}\n";

fn old_type(container: &str) -> String {
    format!(
        "apiVersion: openchoreo.dev/v1alpha1\nkind: ComponentType\nmetadata: {{name: web, namespace: acme}}\nspec:\n  workloadType: deployment\n  schema: {{parameters: {{}}}}\n  resources: [{{id: a, template: {{image: '${{workload.containers[\"{container}\"].image}}'}}}}]\n"
    )
}

const NEW_TYPE: &str = "apiVersion: openchoreo.dev/v1alpha1\nkind: ComponentType\nmetadata: {name: web, namespace: acme}\nspec:\n  workloadType: deployment\n  parameters: {openAPIV3Schema: {type: object}}\n  resources: [{id: a, template: {image: '${workload.container.image}'}}]\n";

const DESCRIPTOR: &str = r#"
apiVersion: openchoreo.dev/v1alpha1
metadata: {name: greeter}
endpoints:
  - name: api
    displayName: Greeter
    port: 9090
    targetPort: 8080
    type: HTTP
    basePath: /greet
    visibility: [external]
    schemaFile: docs/openapi.yaml
dependencies:
  endpoints:
    - {component: db, name: tcp, visibility: project, envBindings: {host: DB_HOST}}
configurations:
  env:
    - {name: LOG_LEVEL, value: info}
    - {name: RETRIES, value: 3}
    - {name: PASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}
  files:
    - {name: a.conf, mountPath: /etc/app, valueFrom: {path: conf/a.conf}}
    - {name: b.conf, mountPath: /etc/app, value: "x=1\n"}
"#;

fn request() -> WorkloadRequest {
    WorkloadRequest {
        owner: Owner {
            project: "shop".into(),
            component: "web".into(),
        },
        image: "registry.example/web:2".into(),
        ..WorkloadRequest::default()
    }
}

fn descriptor(text: &str) -> Descriptor {
    Descriptor {
        node: node(text),
        folder: tree_of([
            ("docs/openapi.yaml", "openapi: 3.0.0\n"),
            ("conf/a.conf", "a=1\n"),
        ]),
    }
}

fn create(
    checkout: &Checkout,
    descriptor: Option<&Descriptor>,
) -> Result<WorkloadFile, WorkloadError> {
    workload_file::create(checkout, &request(), descriptor)
}

#[test]
fn everything_a_descriptor_says_is_kept() {
    let checkout = checkout([("web/component.yaml", COMPONENT), ("type.yaml", NEW_TYPE)]);
    let made = create(&checkout, Some(&descriptor(DESCRIPTOR))).expect("a right descriptor");
    assert_eq!((made.path.as_str(), made.new), ("web/workload.yaml", true));
    assert!(made.warnings.is_empty(), "{:?}", made.warnings);
    expect![[r#"
        apiVersion: openchoreo.dev/v1alpha1
        kind: Workload
        metadata:
          name: web-workload
          namespace: acme
        spec:
          container:
            env:
            - key: LOG_LEVEL
              value: info
            - key: RETRIES
              value: "3"
            - key: PASSWORD
              valueFrom:
                secretKeyRef:
                  key: password
                  name: db
            files:
            - key: a.conf
              mountPath: /etc/app
              value: |
                a=1
            - key: b.conf
              mountPath: /etc/app
              value: |
                x=1
            image: registry.example/web:2
          dependencies:
            endpoints:
            - component: db
              envBindings:
                host: DB_HOST
              name: tcp
              visibility: project
          endpoints:
            api:
              basePath: /greet
              displayName: Greeter
              port: 9090
              schema:
                content: |
                  openapi: 3.0.0
                type: HTTP
              targetPort: 8080
              type: HTTP
              visibility:
              - external
          owner:
            componentName: web
            projectName: shop
    "#]]
    .assert_eq(&made.text.expect("a new file"));
}

#[test]
fn a_container_is_called_as_the_type_asks_for_it() {
    let cases = [
        (Some(old_type("app")), "containers:\n    app:\n"),
        (Some(old_type("main")), "containers:\n    main:\n"),
        (Some(NEW_TYPE.to_owned()), "container:\n    image:"),
        (None, "container:\n    image:"),
    ];
    for (typed, wanted) in cases {
        let typed = typed.unwrap_or_else(|| "{}".to_owned());
        let checkout = checkout([("web/component.yaml", COMPONENT), ("type.yaml", &typed)]);
        let made = create(&checkout, None).expect("an image is enough");
        let text = made.text.expect("a new file");
        assert!(text.contains(wanted), "{wanted}\n{text}");
    }
    let checkout = checkout([]);
    let request = WorkloadRequest {
        container: Some("side".into()),
        ..request()
    };
    let made = workload_file::create(&checkout, &request, None).expect("an image is enough");
    assert_eq!(
        made.path.as_str(),
        "projects/shop/components/web/workload.yaml"
    );
    assert!(made.text.expect("a new file").contains("side:"));
}

#[test]
fn without_a_descriptor_only_the_image_changes() {
    const WORKLOAD: &str = "# ours\napiVersion: openchoreo.dev/v1alpha1\nkind: Workload\nmetadata: {name: w, namespace: acme}\nspec:\n  owner: {projectName: shop, componentName: web}\n  containers:\n    app:\n      image: \"registry.example/web:1\"   # built\n      args: [--port, \"9090\"]\n";
    let checkout = checkout([("web/component.yaml", COMPONENT), ("x/w.yaml", WORKLOAD)]);
    let made = create(&checkout, None).expect("an image is enough");
    assert_eq!((made.path.as_str(), made.new), ("x/w.yaml", false));
    let wanted = WORKLOAD.replace("\"registry.example/web:1\"", "registry.example/web:2");
    assert_eq!(made.text.as_deref(), Some(wanted.as_str()));
    let again = crate::support::checkout([("x/w.yaml", wanted.as_str()), ("c.yaml", COMPONENT)]);
    assert_eq!(create(&again, None).expect("an image is enough").text, None);
    // With a descriptor it is written anew, in its form and under its name.
    let made = create(
        &checkout,
        Some(&descriptor("{endpoints: [{name: a, type: TCP, port: 1}]}")),
    );
    expect![[r#"
        apiVersion: openchoreo.dev/v1alpha1
        kind: Workload
        metadata:
          name: w
          namespace: acme
        spec:
          containers:
            app:
              image: registry.example/web:2
          endpoints:
            a:
              port: 1
              type: TCP
          owner:
            componentName: web
            projectName: shop
    "#]]
    .assert_eq(&made.expect("a right descriptor").text.expect("a change"));
}

#[test]
fn descriptors_that_cannot_be_used_say_everything() {
    let checkout = checkout([("web/component.yaml", COMPONENT)]);
    let refused = |text: &str| {
        let error = create(&checkout, Some(&descriptor(text))).expect_err(text);
        error.to_string()
    };
    let said = refused(
        "{endpoints: [{name: a, port: 70000, visibility: [world]}, {port: 1, schemaFile: ../secret}], dependencies: {endpoints: [{component: db, visibility: external}]}, configurations: {env: [{value: x}], files: [{name: f, valueFrom: {path: /etc/passwd}}]}}",
    );
    for wanted in [
        "`endpoints[0].port` is to be a port",
        "`world` is none of project, namespace, internal, external",
        "`endpoints[1].name` is missing",
        "path `../secret` leads outside the tree",
        "`dependencies.endpoints[0].name` is missing",
        "`external` is none of project, namespace",
        "`configurations.env[0].name` is missing",
        "`configurations.files[0].mountPath` is missing",
        "path `/etc/passwd` is absolute",
    ] {
        assert!(said.contains(wanted), "{wanted}\n{said}");
    }
    assert!(refused("[1]").contains("it is no map"));
    assert!(refused("{endpoints: {a: {}}}").contains("`endpoints` is to be a list"));
    let odd = create(
        &checkout,
        Some(&descriptor(
            "{endpoint: [], endpoints: [{name: a, port: 1, tls: true}]}",
        )),
    );
    let odd = odd.expect("unknown fields are told");
    let warnings: Vec<&str> = odd
        .warnings
        .iter()
        .map(|own| own.message.as_str())
        .collect();
    assert_eq!(
        warnings,
        [
            "`endpoint` is no known field of a descriptor; did you mean `endpoints`?",
            "`endpoints[0].tls` is no known field of a descriptor",
        ]
    );
    assert!(odd.text.expect("a new file").contains("tls: true"));
}

#[test]
fn workloads_stay_where_they_are_and_take_no_place_of_others() {
    let checkout = checkout([
        ("web/component.yaml", COMPONENT),
        ("web/workload.yaml", "kind: Other\n"),
    ]);
    let error = create(&checkout, None).expect_err("the file is taken");
    assert_eq!(
        error.to_string(),
        "`web/workload.yaml` is taken by something else"
    );
    for (path, wanted) in [("a/b.yaml", "a/b.yaml"), ("a/b", "a/b/workload.yaml")] {
        let request = WorkloadRequest {
            path: Some(TreePath::new(path).expect("a right path")),
            ..request()
        };
        let made = workload_file::create(&checkout, &request, None).expect("a free place");
        assert_eq!(made.path.as_str(), wanted);
    }
    let evil = WorkloadRequest {
        owner: Owner {
            project: "..".into(),
            component: "../../x".into(),
        },
        ..request()
    };
    let error = workload_file::create(&checkout, &evil, None).expect_err("no name");
    assert_eq!(error.to_string(), "`../../x` is no name of a component");
}
