//! From files to objects, as `kustomize-controller` makes them.

use std::fmt::Write as _;

use diag::Explain as _;
use expect_test::{Expect, expect};
use render::{CommonMetadata, Owner, Patch, RenderError, Selector, Spec, Variables};
use tree::{Isolated, Tree};

const WEB: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
      - name: web
        image: web:1
        ports:
        - containerPort: 80
";

fn config_map(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n")
}

fn render(
    files: &[(&str, &str)],
    spec: &Spec,
    variables: &[(&str, &str)],
) -> Result<render::Rendered, Vec<RenderError>> {
    let tree: Tree = files.iter().copied().collect();
    let variables: Variables = variables.iter().copied().collect();
    render::kustomization(&tree, spec, &variables, &Isolated).0
}

fn check(files: &[(&str, &str)], spec: &Spec, variables: &[(&str, &str)], expected: Expect) {
    let text = match render(files, spec, variables) {
        Ok(rendered) => {
            let texts: Vec<_> = rendered
                .objects
                .iter()
                .map(|object| yaml::to_string(&object.node))
                .collect();
            texts.join("---\n")
        }
        Err(errors) => errors.iter().fold(String::new(), |mut out, error| {
            let diagnostic = error.to_diagnostic();
            let _ = writeln!(out, "{} {}", diagnostic.code, diagnostic.one_line());
            for help in &diagnostic.help {
                let _ = writeln!(out, "  {help}");
            }
            out
        }),
    };
    expected.assert_eq(&text);
}

#[test]
fn a_directory_without_kustomization_file_is_walked() {
    let files = [
        ("apps/b.yaml", config_map("b")),
        ("apps/a/one.yml", config_map("one")),
        ("apps/a/readme.md", "no yaml".into()),
        (
            "apps/sub/kustomization.yaml",
            "resources: [x.yaml]\nnamePrefix: sub-\n".into(),
        ),
        ("apps/sub/x.yaml", config_map("x")),
        ("apps/sub/unused.yaml", config_map("unused")),
        ("other/c.yaml", config_map("c")),
    ];
    let files: Vec<_> = files
        .iter()
        .map(|(path, text)| (*path, text.as_str()))
        .collect();
    let spec = Spec {
        path: "./apps".into(),
        owner: Some(Owner {
            name: "apps".into(),
            namespace: "flux-system".into(),
        }),
        ..Spec::default()
    };
    let rendered = render(&files, &spec, &[]).unwrap();
    let names: Vec<_> = rendered
        .objects
        .iter()
        .map(|object| format!("{} {}", object.key(), object.origin.as_ref().unwrap()))
        .collect();
    assert_eq!(
        names,
        [
            "ConfigMap/one apps/a/one.yml:1",
            "ConfigMap/b apps/b.yaml:1",
            "ConfigMap/sub-x apps/sub/x.yaml:1"
        ]
    );
    let label = rendered.objects[0].label("kustomize.toolkit.fluxcd.io/namespace");
    assert_eq!(label, Some("flux-system"));
}

#[test]
fn fields_of_the_unit_are_added_to_the_file() {
    let files = [
        (
            "kustomization.yaml",
            "resources: [web.yaml]\nunknown: ignored\n",
        ),
        ("web.yaml", WEB),
    ];
    let spec = Spec {
        target_namespace: "prod".into(),
        name_prefix: "a-".into(),
        patches: vec![Patch {
            patch: "[{\"op\": \"add\", \"path\": \"/metadata/annotations/x\", \"value\": \"y\"}]"
                .into(),
            target: Some(Selector {
                kind: "Deployment".into(),
                ..Selector::default()
            }),
        }],
        images: vec![render::Image {
            name: "web".into(),
            new_tag: "2".into(),
            ..render::Image::default()
        }],
        common_metadata: CommonMetadata {
            labels: vec![("team".into(), "a".into())],
            annotations: Vec::new(),
        },
        owner: Some(Owner {
            name: "apps".into(),
            namespace: "flux-system".into(),
        }),
        ..Spec::default()
    };
    check(
        &files,
        &spec,
        &[],
        expect![[r#"
            apiVersion: apps/v1
            kind: Deployment
            metadata:
              annotations:
                x: "y"
              labels:
                kustomize.toolkit.fluxcd.io/name: apps
                kustomize.toolkit.fluxcd.io/namespace: flux-system
                team: a
              name: a-web
              namespace: prod
            spec:
              template:
                spec:
                  containers:
                  - image: web:2
                    name: web
                    ports:
                    - containerPort: 80
                      protocol: TCP
        "#]],
    );
}

#[test]
fn variables_are_replaced_and_marked_objects_left_alone() {
    let files = [(
        "a.yaml",
        "apiVersion: v1
kind: ConfigMap
metadata:
  name: ${name:=default}
data:
  number: ${quote}${port}${quote}
  kept: $${port}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: marked
  annotations:
    kustomize.toolkit.fluxcd.io/substitute: disabled
data:
  text: ${missing}
",
    )];
    check(
        &files,
        &Spec::default(),
        &[("port", "80\n"), ("quote", "\"")],
        expect![[r#"
            apiVersion: v1
            data:
              kept: ${port}
              number: "80"
            kind: ConfigMap
            metadata:
              name: default
            ---
            apiVersion: v1
            data:
              text: ${missing}
            kind: ConfigMap
            metadata:
              annotations:
                kustomize.toolkit.fluxcd.io/substitute: disabled
              name: marked
        "#]],
    );
}

#[test]
fn all_errors_of_a_step_come_at_once() {
    let unset = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  x: ${regoin}\n";
    let broken = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: b\ndata:\n  x: ${region\n";
    check(
        &[("a.yaml", unset), ("b.yaml", broken)],
        &Spec::default(),
        &[("region", "eu")],
        expect![[r#"
            VariableUnset a.yaml:1: post build failed for 'a': envsubst error: variable substitution failed: variable not set (strict mode): "regoin"
              Set `regoin` under `spec.postBuild.substitute` or in a ConfigMap or Secret of `substituteFrom`.
              Give it a default: `${regoin:=value}`.
              Write `$${regoin}` if the text belongs to the object itself.
            SubstitutionSyntax b.yaml:1: post build failed for 'b': envsubst error: variable substitution failed: missing closing brace
              Write `$${` for a brace that belongs to the object itself.
              Annotate the object with `kustomize.toolkit.fluxcd.io/substitute: disabled` to leave all of it alone.
        "#]],
    );
    check(
        &[
            ("a.yaml", "a: ["),
            ("b.yaml", "no object"),
            ("c.yaml", &config_map("c")),
        ],
        &Spec::default(),
        &[],
        expect![[r#"
            YamlSyntax a.yaml:2: failed to decode Kubernetes YAML from a.yaml: MalformedYAMLError: yaml: line 1: did not find expected node content
              Add a kustomization file that lists what belongs to this directory, if this file does not.
            ObjectInvalid b.yaml:1: failed to decode Kubernetes YAML from b.yaml: missing Resource metadata
              Add a kustomization file that lists what belongs to this directory, if this file does not.
        "#]],
    );
}

#[test]
fn an_object_in_two_files_names_both() {
    let one = "apiVersion: batch/v1\nkind: CronJob\nmetadata:\n  name: a\n";
    let other = "apiVersion: batch/v1beta1\nkind: CronJob\nmetadata:\n  name: a\n";
    check(
        &[("one.yaml", one), ("other.yaml", other)],
        &Spec::default(),
        &[],
        expect![[r#"
            DuplicateObject other.yaml:1: CronJob/a is defined twice
              Delete it here or in one.yaml:1.
        "#]],
    );
}

#[test]
fn objects_take_the_shape_that_is_applied() {
    let files = [(
        "a.yaml",
        "apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Secret
  metadata:
    name: s
    creationTimestamp: null
  data:
    a: YQ==
  stringData:
    b: b
- apiVersion: v1
  kind: Service
  metadata:
    name: s
  spec:
    ports:
    - port: 80
  status:
    loadBalancer: {}
",
    )];
    check(
        &files,
        &Spec::default(),
        &[],
        expect![[r#"
            apiVersion: v1
            data:
              a: YQ==
              b: Yg==
            kind: Secret
            metadata:
              name: s
            ---
            apiVersion: v1
            kind: Service
            metadata:
              name: s
            spec:
              ports:
              - port: 80
                protocol: TCP
        "#]],
    );
}

#[test]
fn hostile_values_and_paths_are_refused() {
    let files = [(
        "a.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  x: ${x}\n",
    )];
    check(
        &files,
        &Spec::default(),
        &[("x", "\"\n\"\nkind: ClusterRoleBinding")],
        expect![[r#"
            SubstitutionBroke a.yaml:1: post build failed for 'a': envsubst error: YAMLToJSON: yaml: line 3: mapping values are not allowed in this context
              Quote the variable where its value holds characters that mean something in YAML.
        "#]],
    );
    check(
        &files,
        &Spec {
            path: "../x".into(),
            ..Spec::default()
        },
        &[],
        expect![[r#"
            PathNotFound kustomization path not found: ../x
              Correct `spec.path`, or add the directory to the source.
        "#]],
    );
    check(
        &files,
        &Spec {
            components: vec!["https://github.com/a/b".into()],
            ..Spec::default()
        },
        &[("1x", "")],
        expect![[r#"
            ComponentNotLocal component path 'https://github.com/a/b' must be local and relative
              Copy the component into the source and name its directory.
        "#]],
    );
    let spec = Spec {
        name_prefix: "p".repeat(300),
        ..Spec::default()
    };
    let errors = render(&files, &spec, &[("x", "")]).unwrap_err();
    assert_eq!(errors[0].code(), diag::Code("ObjectInvalid"));
    assert!(
        errors[0]
            .to_string()
            .ends_with("look at `namePrefix` and `nameSuffix`"),
        "{}",
        errors[0]
    );
}

#[test]
fn the_digest_follows_what_was_read_and_nothing_else() {
    let digest = |files: &[(&str, &str)], variables: &[(&str, &str)]| {
        let spec = Spec {
            path: "a".into(),
            ..Spec::default()
        };
        render(files, &spec, variables).unwrap().digest
    };
    let (one, two) = (config_map("one"), config_map("two"));
    let base = digest(&[("a/x.yaml", &one), ("b/y.yaml", &one)], &[]);
    assert_eq!(base, digest(&[("a/x.yaml", &one), ("b/y.yaml", &two)], &[]));
    assert_ne!(base, digest(&[("a/x.yaml", &two)], &[]));
    assert_ne!(base, digest(&[("a/x.yaml", &one)], &[("v", "1")]));
    assert!(base.to_string().starts_with("sha256:"));
}

#[test]
fn paths_that_leave_the_source_stay_at_its_root() {
    let one = config_map("one");
    let files = [("a/x.yaml", one.as_str())];
    for path in ["a", "./a/", "/a", "../../a", "b/../a"] {
        let spec = Spec {
            path: path.into(),
            ..Spec::default()
        };
        assert_eq!(
            render(&files, &spec, &[]).unwrap().objects.len(),
            1,
            "{path}"
        );
    }
}

#[test]
fn an_empty_directory_renders_nothing() {
    let files = [("a/readme.md", "x")];
    let spec = Spec {
        path: "/a".into(),
        ..Spec::default()
    };
    assert_eq!(render(&files, &spec, &[]).unwrap().objects, []);
}

#[test]
fn limits_of_yaml_keep_their_names_in_a_folder_without_a_kustomization_file() {
    let mut aliases = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..9 {
        let below = format!("*a{}", level - 1);
        let items = [below.as_str(); 9].join(", ");
        aliases.push_str(&format!("a{level}: &a{level} [{items}]\n"));
    }
    for (text, code) in [
        (aliases, "YamlAliasLimit"),
        ("[".repeat(100_000), "NestingLimit"),
    ] {
        let tree: Tree = [("x.yaml", text.as_str())].into_iter().collect();
        let (rendered, _) = render::kustomization(
            &tree,
            &Spec::default(),
            &Variables::default(),
            &tree::Isolated,
        );
        let errors = rendered.unwrap_err();
        assert_eq!(errors[0].code(), diag::Code(code), "{}", errors[0]);
    }
}
