//! Components to start from.

use component::catalog::Catalog;
use component::model::Reference;
use component::scaffold::{self, LINES_MAX, ScaffoldError, ScaffoldRequest};
use diag::Explain;
use expect_test::expect;
use object::{Node, Object};

use crate::support::{differences, node, objects};

const TYPES: &str = r#"
apiVersion: openchoreo.dev/v1alpha1
kind: ComponentType
metadata: {name: web, namespace: acme}
spec:
  workloadType: deployment
  schema:
    types: {Probe: {path: 'string | default="/"', port: integer}}
    parameters:
      port: 'integer | description="Where it listens"'
      replicas: integer | default=1
      version: 'string | default="1.10"'
      level: "string | enum=debug,info"
      probe: Probe
      hosts: "[]string"
      labels: map<string>
    envOverrides: {cpu: "string | default=100m"}
  resources: [{id: a, template: {}}]
---
apiVersion: openchoreo.dev/v1alpha1
kind: Trait
metadata: {name: volume, namespace: acme}
spec:
  schema: {parameters: {mountPath: string, size: "string | default=1Gi"}}
"#;

fn request() -> ScaffoldRequest {
    ScaffoldRequest {
        name: "shop-web".into(),
        namespace: Some("acme".into()),
        lookup: "acme".into(),
        project: "shop".into(),
        component_type: Reference {
            kind: "ComponentType".into(),
            name: "web".into(),
        },
        traits: Vec::new(),
        comments: true,
    }
}

fn volume(name: &str) -> (Reference, object::Text) {
    let reference = Reference {
        kind: "Trait".into(),
        name: "volume".into(),
    };
    (reference, name.into())
}

fn catalog(text: &str) -> Catalog {
    Catalog::read(&objects(text, "types.yaml"), "acme").0
}

#[test]
fn what_has_to_be_said_stands_there_and_the_rest_is_commented_out() {
    let mut request = request();
    request.traits = vec![volume("data")];
    let text = scaffold::component(&catalog(TYPES), &request).expect("a right type");
    expect![[r##"
        # A Component of ComponentType `deployment/web`.
        # Fill in what is in angle brackets; what is commented out shows defaults.
        apiVersion: openchoreo.dev/v1alpha1
        kind: Component
        metadata:
          name: shop-web
          namespace: acme
        spec:
          owner:
            projectName: shop
          componentType: deployment/web
          # autoDeploy: true # release and deploy every change

          # What the component type can be told
          parameters:
            hosts:
              - example
              - example
            labels:
              key1: example
              key2: example
            level: debug # one of debug, info
            port: <TODO_PORT> # Where it listens
            probe:
              port: <TODO_PORT>
              # Defaults, to be uncommented and changed:
              # path: /
            # Defaults, to be uncommented and changed:
            # replicas: 1
            # version: "1.10"

          # Traits add to what the type makes
          traits:
            - name: volume
              instanceName: data
              parameters:
                mountPath: <TODO_MOUNTPATH>
                # Defaults, to be uncommented and changed:
                # size: 1Gi
    "##]]
    .assert_eq(&text);
    node(&text);
    request.comments = false;
    request.traits.clear();
    let short = scaffold::component(&catalog(TYPES), &request).expect("a right type");
    assert!(
        !short.contains("Defaults") && short.contains("# replicas: 1\n"),
        "{short}"
    );
    assert!(differences(&node(&text), &node(&short)).len() <= 1);
}

#[test]
fn what_cannot_be_scaffolded_says_why() {
    let catalog_of = catalog;
    let check = |change: &dyn Fn(&mut ScaffoldRequest), wanted: &str| {
        let mut request = request();
        change(&mut request);
        let error = scaffold::component(&catalog_of(TYPES), &request).expect_err(wanted);
        assert_eq!(error.to_string(), wanted);
    };
    check(
        &|own| own.component_type.name = "wen".into(),
        "ComponentType `wen` is not in the checkout",
    );
    check(
        &|own| own.name = "../x".into(),
        "`../x` is no name of a component",
    );
    check(
        &|own| own.traits = vec![volume("a"), volume("a")],
        "trait instance `a` is there twice",
    );
    let mut request = request();
    request.component_type.name = "wep".into();
    let error = scaffold::component(&catalog(TYPES), &request).expect_err("no type");
    assert_eq!(error.help(), ["Did you mean `web`?"]);
    // Lists in maps in lists double with every level.
    let mut deep = "{type: object, required: [a], properties: {a: {type: string}}}".to_owned();
    for _ in 0..14 {
        deep = format!(
            "{{type: array, items: {{type: object, required: [a], properties: {{a: {deep}}}}}}}"
        );
    }
    let types = format!(
        "apiVersion: openchoreo.dev/v1alpha1\nkind: ComponentType\nmetadata: {{name: wep, namespace: acme}}\nspec: {{workloadType: deployment, parameters: {{openAPIV3Schema: {{type: object, required: [a], properties: {{a: {deep}}}}}}}, resources: []}}\n"
    );
    let error = scaffold::component(&catalog(&types), &request).expect_err("too much");
    assert_eq!(error, ScaffoldError::Size, "more than {LINES_MAX} lines");
}

#[test]
fn descriptions_stay_in_their_comment() {
    let types = r#"{apiVersion: openchoreo.dev/v1alpha1, kind: ComponentType, metadata: {name: web, namespace: acme}, spec: {workloadType: deployment, parameters: {openAPIV3Schema: {type: object, required: [a, "b: c"], properties: {a: {type: string, description: "one\nspec: {evil: true}\r# two"}, "b: c": {type: boolean}}}}, resources: []}}"#;
    let text = scaffold::component(&catalog(types), &request()).expect("a right type");
    let read = node(&text);
    assert_eq!(read.str_at(&["spec", "parameters", "a"]), Some("<TODO_A>"));
    assert_eq!(
        read.str_at(&["spec", "parameters", "b: c"]),
        Some("<TODO_B: C>")
    );
    assert!(read.at(&["spec", "evil"]).is_none());
}

/// The published cases: equal as data; comments are our own words.
#[test]
fn published_cases_ask_for_the_same_fields() {
    let Some(root) = testkit::corpus("openchoreo/cases/v1.2.3/scaffold/component/testdata") else {
        return;
    };
    let read = |name: &str| {
        let text = std::fs::read_to_string(root.join(name));
        text.expect("a file of the corpus can be read")
    };
    let mut names: Vec<String> = std::fs::read_dir(&root)
        .expect("a folder of the corpus can be read")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| Some(name.strip_suffix("_input.yaml")?.to_owned()))
        .collect();
    names.sort();
    let (mut equal, mut failed) = (0, Vec::new());
    for name in names {
        let mut documents = objects(&read(&format!("{name}_input.yaml")), "input");
        let settings = documents.remove(0).node;
        // The cases take types and traits of one namespace as those for all.
        for own in &mut documents {
            let kind = format!("Cluster{}", own.kind());
            own.node.set(&["kind"], kind);
            if own.kind() == "ClusterComponentType" {
                // They leave out what every type has to have.
                let resources = node("[{id: deployment, template: {kind: Deployment}}]");
                own.node.set(&["spec", "resources"], resources);
            }
        }
        let workflow = documents.iter().any(|own| own.kind() == "ClusterWorkflow");
        let catalog = Catalog::read(&documents, "acme").0;
        let named = |kind: &str| -> Vec<&Object> {
            documents.iter().filter(|own| own.kind() == kind).collect()
        };
        let text = |key: &str| settings.str_at(&[key]).unwrap_or_default();
        let traits = named("ClusterTrait").into_iter().map(|own| {
            let reference = Reference {
                kind: own.kind().into(),
                name: own.name().into(),
            };
            let instance = settings.str_at(&["traitInstanceNames", own.name()]);
            (reference, instance.unwrap_or(own.name()).into())
        });
        let request = ScaffoldRequest {
            name: text("componentName").into(),
            namespace: Some(text("namespace").into()),
            lookup: text("namespace").into(),
            project: text("projectName").into(),
            component_type: Reference {
                kind: "ClusterComponentType".into(),
                name: named("ClusterComponentType")[0].name().into(),
            },
            traits: traits.collect(),
            comments: true,
        };
        let made = scaffold::component(&catalog, &request);
        let made = made.unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut wanted = node(&read(&format!("{name}_want.yaml")));
        if workflow {
            wanted.remove(&["spec", "workflow"]);
        }
        let found = differences(&wanted, &node(&made));
        match found.is_empty() {
            true => equal += 1,
            false => failed.push(format!("{name}\n{}\n{made}", found.join("\n"))),
        }
        every_default_can_be_uncommented(&name, &made);
    }
    println!("{equal} scaffolds are equal as data");
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert_eq!(equal, 11);
}

/// Lines behind a `#` that are no words are YAML in their place.
fn every_default_can_be_uncommented(name: &str, text: &str) {
    let words = [
        "A Component",
        "Fill in",
        "What the",
        "Traits add",
        "Defaults,",
    ];
    let lines = text.lines().map(|line| {
        let bare = line.trim_start();
        match bare.strip_prefix("# ") {
            Some(rest) if !words.iter().any(|own| rest.starts_with(own)) => {
                format!("{}{rest}\n", &line[..line.len() - bare.len()])
            }
            _ => format!("{line}\n"),
        }
    });
    // An empty object with its defaults below is one or the other.
    let whole: String = lines.collect::<String>().replace(": {}\n", ":\n");
    let read = yaml::load(&whole, &yaml::Limits::default());
    let read = read.unwrap_or_else(|error| panic!("{name}: {error}\n{whole}"));
    assert!(matches!(read[0].node, Node::Map(_)));
}
