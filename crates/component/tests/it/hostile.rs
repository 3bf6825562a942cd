//! Input that wants to crash, exhaust or mislead: refused soon and in words.

use std::time::{Duration, Instant};

use component::catalog::{Catalog, Outcome, Session};
use component::model;
use object::{Map, Node, Object};

use crate::support::{node, objects};

/// Renders a release of this spec alone with what it needs; the message when it fails.
fn render(spec: &Node, binding: &Node) -> Result<usize, String> {
    let around = "{apiVersion: openchoreo.dev/v1alpha1, kind: Project, metadata: {name: p}}\n---\n{apiVersion: openchoreo.dev/v1alpha1, kind: Component, metadata: {name: c}, spec: {owner: {projectName: p}, componentType: job/x}}\n---\n{apiVersion: openchoreo.dev/v1alpha1, kind: Environment, metadata: {name: e}, spec: {dataPlaneRef: d}}\n---\n{apiVersion: openchoreo.dev/v1alpha1, kind: DataPlane, metadata: {name: d}}\n";
    let mut all = objects(around, "around.yaml");
    let owner = node("{projectName: p, componentName: c}");
    for (kind, name, spec) in [
        ("ComponentRelease", "r", spec),
        ("ReleaseBinding", "b", binding),
    ] {
        let mut object = Object::new(node("{apiVersion: openchoreo.dev/v1alpha1}"));
        object.node.set(&["kind"], kind);
        object.node.set(&["metadata", "name"], name);
        object.node.set(&["spec"], spec.clone());
        object.node.set(&["spec", "owner"], owner.clone());
        if kind == "ReleaseBinding" {
            object.node.set(&["spec", "environment"], "e");
            object.node.set(&["spec", "releaseName"], "r");
        }
        all.push(object);
    }
    let (catalog, notices) = Catalog::read(&all, "n");
    let mut session = Session::new(&catalog);
    let binding = catalog.bindings().next().ok_or(format!("{notices:?}"))?;
    match session.render(binding) {
        Outcome::Rendered(rendering) => Ok(rendering.objects.len()),
        Outcome::Failed(error) => Err(format!("{error} {notices:?}")),
        other => Err(format!("{other:?}")),
    }
}

fn refused(what: &str, spec: &Node, words: &str) {
    let start = Instant::now();
    let said = render(spec, &Node::map()).expect_err(what);
    let took = start.elapsed();
    assert!(
        said.contains(words),
        "{what}: {}",
        &said[..said.len().min(600)]
    );
    assert!(took < Duration::from_secs(20), "{what} took {took:?}");
    assert!(said.len() < 100_000, "{what} says {} bytes", said.len());
}

fn release(resources: Node) -> Node {
    let mut spec = Node::map();
    spec.set(&["componentType", "workloadType"], "proxy");
    spec.set(&["componentType", "resources"], resources);
    spec
}

#[test]
fn what_grows_without_end_is_stopped() {
    let looped = "[{id: a, forEach: '${lists.range(10000)}', var: i, template: {apiVersion: v1, kind: ConfigMap, metadata: {name: 'c${i}'}}}]";
    refused("ten thousand items", &release(node(looped)), "10000");

    let mut many = Vec::new();
    for n in 0..5 {
        many.push(node(&format!(
            "{{id: r{n}, forEach: '${{lists.range(900)}}', var: i, template: {{apiVersion: v1, kind: ConfigMap, metadata: {{name: 'c{n}-${{i}}'}}}}}}"
        )));
    }
    refused(
        "too many objects",
        &release(many.into()),
        "more than 2000 objects",
    );

    let mut template = node("{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}");
    template.set(&["data", "big"], "x".repeat(2 << 20));
    let mut resource = node("{id: a}");
    resource.set(&["template"], template);
    refused("two megabytes", &release(Node::list([resource])), "limit");

    let cubic = "[{id: a, template: {apiVersion: v1, kind: ConfigMap, metadata: {name: x}, data: '${lists.range(1000).map(a, lists.range(1000).map(b, lists.range(1000)))}'}}]";
    refused("a cubic expression", &release(node(cubic)), "cost");

    let mut spec = release(node(
        "[{id: a, forEach: '${lists.range(900)}', var: i, template: {apiVersion: v1, kind: ConfigMap, metadata: {name: 'c${i}'}}}]",
    ));
    spec.set(&["traits", "t"], node("{patches: [{forEach: '${lists.range(900)}', var: at, target: {version: v1, kind: ConfigMap}, operations: [{op: add, path: '/data/k${at}', value: v}]}]}"));
    spec.set(
        &["componentProfile", "traits"],
        node("[{name: t, instanceName: i}]"),
    );
    refused(
        "operations on operations",
        &spec,
        "more than 20000 operations",
    );
}

#[test]
fn deep_and_odd_values_are_refused_or_rendered_but_never_crash() {
    let mut deep = Node::from("x");
    for _ in 0..150 {
        deep = Map::from_iter([("a", deep)]).into();
    }
    let mut spec = release(node(
        "[{id: a, template: {apiVersion: v1, kind: ConfigMap, metadata: {name: x}}}]",
    ));
    spec.set(&["componentProfile", "parameters"], deep.clone());
    assert_eq!(render(&spec, &Node::map()), Ok(1));
    let mut schema = spec.clone();
    schema.set(&["componentType", "schema", "parameters"], deep.clone());
    assert!(
        render(&schema, &Node::map())
            .expect_err("deep")
            .contains("deeper")
    );
    // Not a schema of anything, but none that means harm.
    let mut schema = spec.clone();
    let place = [
        "componentType",
        "parameters",
        "openAPIV3Schema",
        "properties",
    ];
    schema.set(&place, deep);
    assert_eq!(render(&schema, &Node::map()), Ok(2));

    for odd in [
        "{componentType: {workloadType: job, resources: [{id: a, template: '${x}'}]}}",
        "{componentType: []}",
        "{componentType: {workloadType: 7, resources: {}}, traits: 3, componentProfile: [1], workload: x}",
        "{componentType: {workloadType: job, resources: [null, 1, {id: ''}]}}",
        "{componentType: {spec: {workloadType: job, resources: [{id: a, template: {}}], preRenderValidations: [{}], postRenderValidations: [{rule: a}]}}}",
        "{}",
    ] {
        assert!(render(&node(odd), &Node::map()).is_err(), "{odd}");
    }
}

#[test]
fn objects_made_of_noise_never_crash_the_reader() {
    let kinds = [
        "Project",
        "Environment",
        "DataPlane",
        "DeploymentPipeline",
        "ComponentType",
        "Trait",
        "Component",
        "Workload",
        "ComponentRelease",
        "ReleaseBinding",
        "SecretReference",
        "ProjectType",
        "RenderedRelease",
    ];
    let keys = [
        "owner",
        "projectName",
        "componentName",
        "componentType",
        "spec",
        "traits",
        "resources",
        "template",
        "workload",
        "containers",
        "container",
        "env",
        "valueFrom",
        "secretRef",
        "name",
        "key",
        "schema",
        "parameters",
        "envOverrides",
        "patches",
        "operations",
        "path",
        "target",
        "forEach",
        "endpoints",
        "port",
        "gateway",
        "ingress",
        "external",
        "kind",
        "environment",
    ];
    let texts = [
        "",
        "x",
        "${",
        "${x}",
        "${parameters.a}",
        "deployment/x",
        "integer | default=",
        "[]",
        "map<",
        "\u{0}\u{fffd}",
        "a'b\"c",
        "| | |",
        "string | default='",
        "enum=",
        "T | x=y",
    ];
    let mut dice = testkit::Dice::new(11);
    for _ in 0..3_000 {
        let spec = noise(&mut dice, &keys, &texts, 6);
        let mut object = Object::new(node(
            "{apiVersion: openchoreo.dev/v1alpha1, metadata: {name: x}}",
        ));
        object.node.set(&["kind"], dice.pick(&kinds));
        object.node.set(&["spec"], spec.clone());
        let _ = model::read(&object);
        let mut spec = release(node(
            "[{id: a, template: {apiVersion: v1, kind: A, metadata: {name: x}}}]",
        ));
        spec.set(
            &["componentType", "schema", "parameters"],
            noise(&mut dice, &keys, &texts, 4),
        );
        spec.set(
            &["componentProfile", "parameters"],
            noise(&mut dice, &keys, &texts, 4),
        );
        let _ = render(&spec, &noise(&mut dice, &keys, &texts, 4));
    }
}

/// A release with everything in it.
const RELEASE: &str = r#"
componentType:
  kind: ComponentType
  name: deployment/web
  spec:
    workloadType: deployment
    parameters: {openAPIV3Schema: {type: object, $defs: {P: {type: integer, default: 80}}, properties: {port: {$ref: '#/$defs/P'}, hosts: {type: array, items: {type: string}, default: [a, b]}}}}
    environmentConfigs: {openAPIV3Schema: {type: object, properties: {size: {type: string, default: 1Gi}}}}
    traits: [{name: volume, instanceName: data, parameters: {size: '${environmentConfigs.size}'}}]
    preRenderValidations: [{rule: '${parameters.port > 0}', message: m}]
    postRenderValidations: [{rule: '${has(resource.spec)}', message: m, target: {group: apps, version: v1, kind: Deployment, where: '${true}'}}]
    resources:
    - id: deployment
      template: {apiVersion: apps/v1, kind: Deployment, metadata: {name: '${metadata.name}', labels: '${metadata.labels}'}, spec: {template: {spec: {containers: [{name: app, image: '${workload.container.image}', envFrom: '${configurations.toContainerEnvFrom()}', ports: [{containerPort: '${parameters.port}'}]}], volumes: '${configurations.toVolumes()}'}}}}
    - id: route
      includeWhen: ${size(workload.endpoints) > 0}
      forEach: ${parameters.hosts}
      var: host
      template: {apiVersion: v1, kind: Service, metadata: {name: '${oc_generate_name(metadata.name, host)}'}, spec: {ports: '${workload.toServicePorts()}'}}
traits:
- kind: Trait
  name: volume
  spec:
    parameters: {openAPIV3Schema: {type: object, required: [size], properties: {size: {type: string}}}}
    creates: [{template: {apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: '${metadata.name}-${trait.instanceName}'}, spec: {size: '${parameters.size}'}}}]
    patches: [{target: {group: apps, version: v1, kind: Deployment}, operations: [{op: add, path: "/spec/template/spec/containers/[?(@.name=='app')]/volumeMounts/-", value: {name: v}}]}]
    removes: [{target: {version: v1, kind: Secret}}]
componentProfile: {parameters: {port: 8080}}
workload:
  container: {image: i, env: [{key: A, value: b}], files: [{key: f, mountPath: /x, value: v}]}
  endpoints: {http: {type: HTTP, port: 80, visibility: [external]}}
"#;

#[test]
fn releases_with_any_part_exchanged_never_crash_the_renderer() {
    let whole = node(RELEASE);
    let binding = node("{componentTypeEnvironmentConfigs: {size: 2Gi}}");
    assert_eq!(render(&whole, &binding), Ok(5));
    let texts = [
        "",
        "x",
        "${",
        "${}",
        "${x}",
        "${parameters}",
        "${metadata}",
        "${configurations}",
        "-",
        "/a/[?(@.b=='c')]",
        "${oc_omit()}",
        "${[1, 2]}",
        "${{'a': oc_omit()}}",
        "${'${'}",
        "ü${1}ü",
    ];
    let mut dice = testkit::Dice::new(23);
    let mut rendered = 0;
    for _ in 0..1_500 {
        let mut spec = whole.clone();
        for _ in 0..dice.between(1, 3) {
            let with = noise(
                &mut dice,
                &["name", "a", "port", "spec", "metadata"],
                &texts,
                2,
            );
            exchange(&mut dice, &mut spec, &with);
        }
        rendered += usize::from(render(&spec, &binding).is_ok());
    }
    assert!(rendered > 0, "nothing rendered at all");
}

/// Puts a value in place of some part.
fn exchange(dice: &mut testkit::Dice, place: &mut Node, with: &Node) {
    if dice.one_in(6) {
        *place = with.clone();
        return;
    }
    match place {
        Node::Map(map) if !map.is_empty() => {
            let at = dice.below(map.len());
            if let Some((_, value)) = map.iter_mut().nth(at) {
                exchange(dice, value, with);
            }
        }
        Node::List(_) => {
            if let Some(items) = place.as_list_mut().filter(|items| !items.is_empty()) {
                let at = dice.below(items.len());
                exchange(dice, &mut items[at], with);
            }
        }
        _ => *place = with.clone(),
    }
}

fn noise(dice: &mut testkit::Dice, keys: &[&str], texts: &[&str], depth: usize) -> Node {
    match dice.below(if depth == 0 { 4 } else { 8 }) {
        0 => Node::Null,
        1 => Node::Bool(dice.one_in(2)),
        2 => Node::Int(dice.roll() as i64),
        3 => dice.pick(texts).into(),
        4 => {
            let items = (0..dice.below(4)).map(|_| noise(dice, keys, texts, depth - 1));
            items.collect::<Vec<_>>().into()
        }
        _ => {
            let mut map = Map::new();
            for _ in 0..dice.below(6) {
                map.insert(dice.pick(keys), noise(dice, keys, texts, depth - 1));
            }
            map.into()
        }
    }
}
