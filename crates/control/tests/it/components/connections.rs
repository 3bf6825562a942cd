//! Components that need each other.

use expect_test::expect;
use object::Object;
use testkit::Dice;

use super::stories::PLATFORM;
use super::world::{World, key};

/// Two components of the newest version: `web` needs an endpoint of `api`.
const PAIR: &str = r#"
apiVersion: openchoreo.dev/v1alpha1
kind: ClusterComponentType
metadata: {name: server}
spec:
  workloadType: deployment
  parameters: {openAPIV3Schema: {type: object, properties: {}}}
  resources:
  - id: deployment
    template:
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: "${metadata.name}", namespace: "${metadata.namespace}"}
      spec:
        image: ${workload.container.image}
        env: ${dependencies.toContainerEnvs()}
  - id: service
    includeWhen: ${size(workload.endpoints) > 0}
    template:
      apiVersion: v1
      kind: Service
      metadata: {name: "${metadata.componentName}", namespace: "${metadata.namespace}"}
      spec: {ports: "${workload.toServicePorts()}"}
---
apiVersion: openchoreo.dev/v1alpha1
kind: Component
metadata: {name: api, namespace: acme}
spec:
  owner: {projectName: shop}
  autoDeploy: true
  componentType: {kind: ClusterComponentType, name: deployment/server}
---
apiVersion: openchoreo.dev/v1alpha1
kind: Workload
metadata: {name: api, namespace: acme}
spec:
  owner: {projectName: shop, componentName: api}
  container: {image: "api:1"}
  endpoints: {http: {type: HTTP, port: 8080}}
---
apiVersion: openchoreo.dev/v1alpha1
kind: Component
metadata: {name: web, namespace: acme}
spec:
  owner: {projectName: shop}
  autoDeploy: true
  componentType: {kind: ClusterComponentType, name: deployment/server}
---
apiVersion: openchoreo.dev/v1alpha1
kind: Workload
metadata: {name: web, namespace: acme}
spec:
  owner: {projectName: shop, componentName: web}
  container: {image: "web:1"}
  dependencies:
    endpoints:
    - {component: api, name: http, visibility: project, envBindings: {address: API}}
"#;

fn documents(text: &str) -> Vec<Object> {
    let all = yaml::load(text, &yaml::Limits::default()).expect("a test's YAML is right");
    all.into_iter().map(|own| Object::new(own.node)).collect()
}

fn address(world: &World) -> String {
    let release = key("RenderedRelease", "acme", "web-development");
    let Some(objects) = world.applied.get(&release) else {
        return "nothing".to_owned();
    };
    let env = objects
        .values()
        .find_map(|own| own.at(&["spec", "env"])?.as_list());
    let value = env.and_then(|env| env.first()?.str_at(&["value"]));
    value.unwrap_or("no address").to_owned()
}

#[test]
fn a_component_waits_for_an_endpoint_and_keeps_running_when_it_goes() {
    let web = key("ReleaseBinding", "acme", "web-development");
    let mut world = World::new();
    world.apply(PLATFORM);
    let own = PAIR.split("---\n").collect::<Vec<_>>();
    for part in [0, 3, 4] {
        world.apply(own[part]);
    }
    assert_eq!(
        world.condition(&web, "ConnectionsResolved"),
        "False ConnectionsPending"
    );
    assert_eq!(world.condition(&web, "Ready"), "False ConnectionsPending");
    assert_eq!(address(&world), "nothing");
    expect!["waits for endpoint `http` of component `shop/api`"]
        .assert_eq(&world.message(&web, "Ready"));

    world.apply(own[1]);
    world.apply(own[2]);
    assert_eq!(
        world.condition(&web, "ConnectionsResolved"),
        "True AllConnectionsResolved"
    );
    assert_eq!(world.condition(&web, "Ready"), "True Ready");
    let namespace = component::metadata::namespace("acme", "shop", "development");
    let wanted = format!("http://api.{namespace}.svc.cluster.local:8080");
    assert_eq!(address(&world), wanted);
    let api = world
        .get(&key("ReleaseBinding", "acme", "api-development"))
        .unwrap();
    let endpoints = api.node.at(&["status", "endpoints"]).unwrap();
    expect![[r#"
        - name: http
          serviceURL:
            host: api.NAMESPACE.svc.cluster.local
            port: 8080
            scheme: http
          type: HTTP
    "#]]
    .assert_eq(&yaml::to_string(endpoints).replace(&namespace, "NAMESPACE"));

    world.delete(&key("Component", "acme", "api"));
    world.settle();
    assert_eq!(world.condition(&web, "Ready"), "False ConnectionsPending");
    assert_eq!(address(&world), wanted, "what runs stays");
}

#[test]
fn a_pair_ends_the_same_in_whatever_order_it_arrives() {
    let mut objects = documents(PLATFORM);
    objects.extend(documents(PAIR));
    let wanted = arrived(World::new(), &objects);
    assert_eq!(
        wanted.condition(&key("ReleaseBinding", "acme", "web-development"), "Ready"),
        "True Ready"
    );
    for seed in 0..100 {
        Dice::new(seed).shuffle(&mut objects);
        let got = arrived(World::shuffled(seed), &objects);
        assert_eq!(wanted.running(), got.running(), "seed {seed}");
        assert_eq!(wanted.state(), got.state(), "seed {seed}");
    }
}

fn arrived(mut world: World, objects: &[Object]) -> World {
    for (at, object) in objects.iter().enumerate() {
        world.put(object.clone());
        if at % 5 == 0 {
            world.settle();
        }
    }
    world.settle();
    world
}

/// A tenant of a thousand components in three environments: what one of them is made of depends on
/// the others of that component, and nobody looks at all bindings to find out.
#[test]
fn dependents_of_one_of_a_thousand_components_are_few() {
    use control::components::dependents;
    let mut objects = documents(PLATFORM);
    for at in 0..1_000 {
        for environment in ["development", "staging", "production"] {
            let text = format!(
                "apiVersion: openchoreo.dev/v1alpha1\nkind: ReleaseBinding\nmetadata: {{name: c{at}-{environment}, namespace: acme}}\nspec: {{owner: {{projectName: shop, componentName: c{at}}}, environment: {environment}, releaseName: r{at}}}\n"
            );
            objects.extend(documents(&text));
        }
    }
    let (catalog, _) = component::catalog::Catalog::read(&objects, "default");
    let store = super::world::Listed::new(&objects);
    let bindings: Vec<&Object> = objects
        .iter()
        .filter(|own| own.kind() == "ReleaseBinding")
        .collect();
    let mut most = 0;
    for binding in &bindings[..300] {
        most = most.max(dependents(binding, &catalog, &store).len());
    }
    assert!(most <= 6, "{most}");
    // Every list that was asked for is a scan: one for each change, of bindings of projects.
    assert!(store.lists() <= 300, "{}", store.lists());
    let environment = objects
        .iter()
        .find(|own| own.kind() == "Environment")
        .unwrap();
    assert_eq!(
        dependents(environment, &catalog, &store)
            .iter()
            .filter(|key| key.kind == "ReleaseBinding")
            .count(),
        1_000
    );
}

/// A worker that needs a queue, which somebody else provides.
const WORKER: &str = r#"
apiVersion: openchoreo.dev/v1alpha1
kind: Component
metadata: {name: worker, namespace: acme}
spec:
  owner: {projectName: shop}
  autoDeploy: true
  componentType: {kind: ClusterComponentType, name: deployment/server}
---
apiVersion: openchoreo.dev/v1alpha1
kind: Workload
metadata: {name: worker, namespace: acme}
spec:
  owner: {projectName: shop, componentName: worker}
  container: {image: "worker:1"}
  dependencies:
    resources:
    - {ref: queue, envBindings: {url: QUEUE_URL, password: QUEUE_PASSWORD}}
"#;

/// What a resource provides in the first environment, with its status.
const QUEUE: &str = r#"
apiVersion: openchoreo.dev/v1alpha1
kind: ResourceReleaseBinding
metadata: {name: queue-development, namespace: acme}
spec:
  owner: {projectName: shop, resourceName: queue}
  environment: development
  resourceRelease: queue-1
status:
  conditions: [{type: Ready, status: "READY", reason: Ready, message: ""}]
  outputs:
  - {name: url, value: "amqp://queue"}
  - {name: password, secretKeyRef: {name: queue-credentials, key: password}}
"#;

/// A field of the status of a binding, as YAML.
fn status(world: &World, binding: &object::ObjectKey, field: &str) -> String {
    let object = world.get(binding).expect("the binding is there");
    let field = object.node.at(&["status", field]);
    field.map(yaml::to_string).unwrap_or_default()
}

#[test]
fn a_workload_waits_for_what_a_resource_provides() {
    let worker = key("ReleaseBinding", "acme", "worker-development");
    let mut world = World::new();
    world.apply(PLATFORM);
    world.apply(PAIR.split("---\n").next().unwrap());
    world.apply(WORKER);
    assert_eq!(
        world.condition(&worker, "ResourceDependenciesReady"),
        "False ResourceDependenciesPending"
    );
    expect![[r#"
        - environment: development
          namespace: acme
          project: shop
          resourceName: queue
    "#]]
    .assert_eq(&status(&world, &worker, "resourceDependencyTargets"));
    expect![[r#"
        - namespace: acme
          project: shop
          reason: 'resource `queue`: nothing binds it in environment `development`'
          resourceName: queue
    "#]]
    .assert_eq(&status(&world, &worker, "pendingResourceDependencies"));

    world.apply(&QUEUE.replace("READY", "False"));
    expect!["waits for resource `queue`: ResourceReleaseBinding `queue-development` is not ready"]
        .assert_eq(&world.message(&worker, "Ready"));
    world.vanish(&key("ResourceReleaseBinding", "acme", "queue-development"));
    world.apply(
        &QUEUE
            .replace("READY", "True")
            .replace("name: url,", "name: other,"),
    );
    expect!["waits for output `url` of resource `queue`"]
        .assert_eq(&world.message(&worker, "Ready"));
    world.vanish(&key("ResourceReleaseBinding", "acme", "queue-development"));
    world.apply(&QUEUE.replace("READY", "True"));
    assert_eq!(
        world.condition(&worker, "ResourceDependenciesReady"),
        "True AllResourceDependenciesReady"
    );
    assert_eq!(world.condition(&worker, "Ready"), "True Ready");
    assert_eq!(status(&world, &worker, "pendingResourceDependencies"), "");
    let release = key("RenderedRelease", "acme", "worker-development");
    let objects = world.applied[&release].values();
    let mut env = objects.filter_map(|own| own.at(&["spec", "env"]));
    expect![[r#"
        - name: QUEUE_PASSWORD
          valueFrom:
            secretKeyRef:
              key: password
              name: queue-credentials
        - name: QUEUE_URL
          value: amqp://queue
    "#]]
    .assert_eq(&yaml::to_string(
        env.next().expect("the container has variables"),
    ));
}

/// A type whose endpoints are at the gateway of their environment.
const GATEWAY: &str = r#"
apiVersion: openchoreo.dev/v1alpha1
kind: DataPlane
metadata: {name: local, namespace: acme}
spec:
  gateway:
    ingress:
      external: {name: gate, namespace: gates, http: {host: apps.example.test, port: 80}, https: {host: apps.example.test, port: 8443}}
      internal: {name: gate, namespace: gates, http: {host: inside.test, port: 8080}}
---
apiVersion: openchoreo.dev/v1alpha1
kind: ClusterComponentType
metadata: {name: routed}
spec:
  workloadType: deployment
  resources:
  - {id: deployment, template: {apiVersion: apps/v1, kind: Deployment, metadata: {name: "${metadata.name}"}}}
  - id: service
    template: {apiVersion: v1, kind: Service, metadata: {name: "${metadata.componentName}"}, spec: {ports: "${workload.toServicePorts()}"}}
  - id: routes
    forEach: '${["external", "internal"]}'
    var: visibility
    template:
      apiVersion: gateway.networking.k8s.io/v1
      kind: HTTPRoute
      metadata:
        name: "${metadata.name}-${visibility}"
        labels: {openchoreo.dev/endpoint-name: web, openchoreo.dev/endpoint-visibility: "${visibility}"}
      spec:
        hostnames: ["${visibility}.${gateway.ingress.external.http.host}"]
        rules: [{matches: [{path: {type: PathPrefix, value: "/shop"}}]}]
---
apiVersion: openchoreo.dev/v1alpha1
kind: Component
metadata: {name: front, namespace: acme}
spec: {owner: {projectName: shop}, autoDeploy: true, componentType: {kind: ClusterComponentType, name: deployment/routed}}
---
apiVersion: openchoreo.dev/v1alpha1
kind: Workload
metadata: {name: front, namespace: acme}
spec:
  owner: {projectName: shop, componentName: front}
  container: {image: "front:1"}
  endpoints: {web: {type: HTTP, port: 8080, visibility: [external]}, feed: {type: Websocket, port: 9090}}
"#;

#[test]
fn a_binding_says_where_its_endpoints_are() {
    let mut world = World::new();
    world.apply(PLATFORM);
    world.apply(GATEWAY);
    let front = key("ReleaseBinding", "acme", "front-development");
    assert_eq!(world.condition(&front, "Ready"), "True Ready");
    let namespace = component::metadata::namespace("acme", "shop", "development");
    expect![[r#"
        - name: feed
          serviceURL:
            host: front.NAMESPACE.svc.cluster.local
            port: 9090
            scheme: ws
          type: Websocket
        - externalURLs:
            http:
              host: external.apps.example.test
              path: /shop
              port: 80
              scheme: http
            https:
              host: external.apps.example.test
              path: /shop
              port: 8443
              scheme: https
          internalURLs:
            http:
              host: internal.apps.example.test
              path: /shop
              port: 8080
              scheme: http
          invokeURL: https://external.apps.example.test:8443/shop
          name: web
          serviceURL:
            host: front.NAMESPACE.svc.cluster.local
            port: 8080
            scheme: http
          type: HTTP
    "#]]
    .assert_eq(&status(&world, &front, "endpoints").replace(&namespace, "NAMESPACE"));
    let updated = status(&world, &front, "lastSpecUpdateTime");
    assert!(!updated.is_empty());

    // Time alone is no change of the spec.
    world.seconds = 60;
    world.look(&front);
    assert_eq!(status(&world, &front, "lastSpecUpdateTime"), updated);
    let mut node = world.get(&front).unwrap().node.clone();
    node.set(&["spec", "state"], "Undeploy");
    world.put(Object::new(node));
    world.settle();
    assert_ne!(status(&world, &front, "lastSpecUpdateTime"), updated);
    assert_eq!(status(&world, &front, "endpoints"), "");
}
