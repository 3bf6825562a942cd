//! Components that run, on the command line: `get`, `tree`, `why`, `history`, `promote`, `approve`
//! and `rollback` against a server.

use std::process::Command;
use std::time::Duration;

use expect_test::{Expect, expect};

use crate::backend::{Backend, Kind};
use crate::process::{eventually, fleetwright, output};

/// Longest wait for one effect.
const EFFECT_TIME_MAX: Duration = Duration::from_secs(20);

const PLATFORM: &str = r#"
apiVersion: v1
kind: Namespace
metadata: {name: acme}
---
apiVersion: openchoreo.dev/v1alpha1
kind: ComponentType
metadata: {name: web, namespace: acme}
spec:
  workloadType: deployment
  schema:
    parameters: {port: "integer | default=80"}
    envOverrides: {replicas: "integer | default=1"}
  resources:
    - id: deployment
      template:
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: "${metadata.name}", namespace: "${metadata.namespace}"}
        spec:
          replicas: "${envOverrides.replicas}"
          selector: {matchLabels: "${metadata.podSelectors}"}
          template:
            metadata: {labels: "${metadata.podSelectors}"}
            spec: {containers: [{name: app, image: '${workload.containers["app"].image}'}]}
    - id: settings
      template:
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: "${metadata.name}", namespace: "${metadata.namespace}"}
        data: {port: "${string(parameters.port)}"}
---
apiVersion: openchoreo.dev/v1alpha1
kind: DeploymentPipeline
metadata: {name: main, namespace: acme}
spec:
  promotionPaths:
    - sourceEnvironmentRef: dev
      targetEnvironmentRefs: [{name: staging}]
    - sourceEnvironmentRef: staging
      targetEnvironmentRefs: [{name: prod, requiresApproval: true}]
---
apiVersion: openchoreo.dev/v1alpha1
kind: Environment
metadata: {name: dev, namespace: acme}
spec: {dataPlaneRef: plane}
---
apiVersion: openchoreo.dev/v1alpha1
kind: Environment
metadata: {name: staging, namespace: acme, annotations: {fleetwright.dev/promotion: enforce}}
spec: {dataPlaneRef: plane}
---
apiVersion: openchoreo.dev/v1alpha1
kind: Environment
metadata: {name: prod, namespace: acme, annotations: {fleetwright.dev/promotion: enforce}}
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
---
apiVersion: openchoreo.dev/v1alpha1
kind: Component
metadata: {name: web, namespace: acme}
spec: {owner: {projectName: shop}, componentType: deployment/web}
---
apiVersion: openchoreo.dev/v1alpha1
kind: Workload
metadata: {name: web, namespace: acme}
spec:
  owner: {projectName: shop, componentName: web}
  containers: {app: {image: "registry.example.com/web:1"}}
---
apiVersion: openchoreo.dev/v1alpha1
kind: Component
metadata: {name: idle, namespace: acme}
spec: {owner: {projectName: shop}, componentType: deployment/web}
"#;

/// A release of `web` that runs an image.
fn release(name: &str, image: &str) -> String {
    format!(
        r#"---
apiVersion: openchoreo.dev/v1alpha1
kind: ComponentRelease
metadata: {{name: {name}, namespace: acme}}
spec:
  owner: {{projectName: shop, componentName: web}}
  componentType:
    workloadType: deployment
    schema:
      parameters: {{port: "integer | default=80"}}
      envOverrides: {{replicas: "integer | default=1"}}
    resources:
      - id: deployment
        template:
          apiVersion: apps/v1
          kind: Deployment
          metadata: {{name: "${{metadata.name}}", namespace: "${{metadata.namespace}}"}}
          spec:
            replicas: "${{envOverrides.replicas}}"
            selector: {{matchLabels: "${{metadata.podSelectors}}"}}
            template:
              metadata: {{labels: "${{metadata.podSelectors}}"}}
              spec: {{containers: [{{name: app, image: '${{workload.containers["app"].image}}'}}]}}
      - id: settings
        template:
          apiVersion: v1
          kind: ConfigMap
          metadata: {{name: "${{metadata.name}}", namespace: "${{metadata.namespace}}"}}
          data: {{port: "${{string(parameters.port)}}"}}
  workload:
    containers: {{app: {{image: "{image}"}}}}
"#
    )
}

/// A binding of `web`; `more` are further lines of its spec.
fn binding(environment: &str, release: &str, more: &str) -> String {
    format!(
        "---
apiVersion: openchoreo.dev/v1alpha1
kind: ReleaseBinding
metadata: {{name: web-{environment}, namespace: acme}}
spec:
  owner: {{projectName: shop, componentName: web}}
  environment: {environment}
  releaseName: {release}
{more}"
    )
}

const IMAGE: &str = "registry.example.com/web:1";

/// A server with the platform, and the command line that talks to it.
struct World(Backend);

impl World {
    fn start(more: &[String]) -> Option<Self> {
        let world = Self(Backend::start(Kind::Embedded, "shop/fleet", &[])?);
        world.apply(&(PLATFORM.to_owned() + &more.concat()));
        Some(world)
    }

    fn apply(&self, text: &str) {
        let file = self.0.home.path().join("objects.yaml");
        std::fs::write(&file, text).unwrap();
        self.0.kubectl(&["apply", "-f", &file.to_string_lossy()]);
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = fleetwright(self.0.home.path());
        command
            .args(arguments.split_whitespace())
            .env("FLEETWRIGHT_STATE_DIR", self.0.home.path().join("state"));
        command
    }

    /// Exit code and all that a command says, without what differs from run to run.
    fn told(&self, arguments: &str) -> String {
        let output = output(&mut self.command(arguments));
        let text = format!(
            "exit {}\n{}{}",
            output.status.code().unwrap_or(-1),
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        steady(&text.replace(&self.0.home.path().display().to_string(), "HOME"))
    }

    fn check(&self, arguments: &str, expected: Expect) {
        expected.assert_eq(&self.told(arguments));
    }

    /// Waits until a binding is not ready, or is, for a reason.
    fn await_reason(&self, binding: &str, reason: &str) {
        self.await_condition(binding, "Ready", reason);
    }

    fn await_condition(&self, binding: &str, kind: &str, reason: &str) {
        eventually(
            &format!("{binding} to be {reason}"),
            EFFECT_TIME_MAX,
            || {
                let binding = self
                    .0
                    .get("releasebindings.openchoreo.dev", "acme", binding)?;
                let conditions = binding.node.at(&["status", "conditions"])?.as_list()?;
                let mut conditions = conditions.iter();
                let own = conditions.find(|own| own.str_at(&["type"]) == Some(kind))?;
                let seen = own.get("observedGeneration").and_then(object::Node::as_i64);
                let is_new = seen == Some(binding.generation());
                (is_new && own.str_at(&["reason"]) == Some(reason)).then_some(())
            },
        );
    }
}

/// Names that a ReplicaSet gives to pods, times and ages are others in every run.
fn steady(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let mut line = line.to_owned();
        if let Some(at) = line.find("Pod/") {
            let end = line[at..].find(' ').map_or(line.len(), |end| at + end);
            line.replace_range(end - 5..end, "XXXXX");
        }
        if let Some(at) = line.find(", for ") {
            let age = line[at + 6..].find(|c: char| !c.is_ascii_alphanumeric());
            let end = age.map_or(line.len(), |age| at + 6 + age);
            line.replace_range(at + 6..end, "AGE");
        }
        let words = line.split(' ').map(|word| match word {
            time if time.len() == 20 && time.ends_with('Z') && time.starts_with("20") => "TIME",
            word => word,
        });
        words.collect::<Vec<_>>().join(" ") + "\n"
    });
    lines.collect()
}

#[test]
fn components_are_listed_and_followed_down_to_their_pods() {
    let ready = [
        release("web-1", IMAGE),
        release("web-2", "registry.example.com/web:2"),
        binding("dev", "web-1", ""),
        binding("staging", "web-3", ""),
    ];
    let Some(world) = World::start(&ready) else {
        return;
    };
    world.await_reason("web-dev", "Ready");
    world.await_reason("web-staging", "ComponentReleaseNotFound");
    world.check("get components", expect![[r#"
        exit 0
        NAMESPACE   NAME             PROJECT   TYPE             LATEST RELEASE   READY              DEV       STAGING                      PROD
        acme        component/idle   shop      deployment/web   -                WorkloadNotFound   -         -                            -
        acme        component/web    shop      deployment/web   web-2            Ready              1 Ready   3 ComponentReleaseNotFound   -
    "#]]);
    world.check("get bindings -n acme", expect![[r#"
        exit 0
        NAME                  PROJECT   COMPONENT   ENVIRONMENT   RELEASE   READY                      MESSAGE
        binding/web-dev       shop      web         dev           web-1     Ready                      the release runs and is ready
        binding/web-staging   shop      web         staging       web-3     ComponentReleaseNotFound   ComponentRelease `web-3` does not exist; did you mean `web-1`?
    "#]]);
    world.check("get release web-1 -o wide", expect![[r#"
        exit 0
        NAMESPACE   NAME            PROJECT   COMPONENT   BOUND IN   RENDERS   DIGEST         MESSAGE
        acme        release/web-1   shop      web         dev        Yes       42595ed7a133   renders for every environment of its pipeline
    "#]]);
    world.check("get envs -n acme", expect![[r#"
        exit 0
        NAME                  DATA PLANE        PROMOTION   BINDINGS READY   READY   MESSAGE
        environment/dev       DataPlane/plane   warn        1 of 1           Ready   runs on DataPlane `plane`
        environment/prod      DataPlane/plane   enforce     -                Ready   runs on DataPlane `plane`
        environment/staging   DataPlane/plane   enforce     0 of 1           Ready   runs on DataPlane `plane`
    "#]]);
    world.check(
        "get proj/shop -o json",
        expect![[r#"
            exit 0
            {
              "apiVersion": "fleetwright.dev/v1alpha1",
              "kind": "ProjectList",
              "items": [
                {
                  "id": "project/shop",
                  "kind": "Project",
                  "namespace": "acme",
                  "name": "shop",
                  "pipeline": "main",
                  "components": 2,
                  "bindingsReady": "1 of 2",
                  "ready": true,
                  "message": "the project can be used",
                  "reason": "Reconciled"
                }
              ]
            }
        "#]],
    );
    world.check(
        "get comp -o name",
        expect![[r#"
        exit 0
        component/idle
        component/web
    "#]],
    );
    world.check("tree component/web", expect![[r#"
        exit 0
        Component/acme/web   Ready
        ├── ComponentRelease/acme/web-1   Renders
        │   └── ReleaseBinding/acme/web-dev   Ready   in dev
        │       └── Release/acme/web-dev   Applied   on DataPlane/plane
        │           ├── ConfigMap/dp-acme-shop-dev-1c11194b/web-dev-40b11ae7   Current
        │           └── Deployment/dp-acme-shop-dev-1c11194b/web-dev-40b11ae7   Current
        │               └── ReplicaSet/dp-acme-shop-dev-1c11194b/web-dev-40b11ae7-rx9rp6r4lj   Current
        │                   └── Pod/dp-acme-shop-dev-1c11194b/web-dev-40b11ae7-rx9rp6r4lj-XXXXX   Current
        ├── ComponentRelease/acme/web-2   Renders   bound nowhere
        └── ReleaseBinding/acme/web-staging   ComponentReleaseNotFound   in staging
                ComponentRelease `web-3` does not exist; did you mean `web-1`?
    "#]]);
    world.check(
        "tree binding web-staging",
        expect![[r#"
        exit 0
        ReleaseBinding/acme/web-staging   ComponentReleaseNotFound   in staging
            ComponentRelease `web-3` does not exist; did you mean `web-1`?
    "#]],
    );
    world.check(
        "get component/wab",
        expect![[r#"
        exit 1
        error[ObjectNotFound]: Component `wab` is not there
         = help: There are: web, idle.
         = more: fleetwright explain ObjectNotFound
    "#]],
    );
    world.check("get nonsense", expect![[r#"
        exit 2
        error: `nonsense` is nothing to get; there are all, ks, sources, and component, release, binding, project, environment, pipeline, dataplane, componenttype, trait, workload, rendered
    "#]]);
    // Without the way to the plane there is what the status says, and it says so.
    let state = world.0.home.path().join("state");
    std::fs::remove_file(state.join("kubeconfig-plane-acme-plane")).unwrap();
    world.check("tree binding/web-dev", expect![[r#"
        exit 0
        ReleaseBinding/acme/web-dev   Ready   in dev
        └── Release/acme/web-dev   Applied   on DataPlane/plane
                DataPlane/plane names no cluster, there is no kubeconfig of it in HOME/state, and its objects are not on the control plane; below is what the status says
            ├── ConfigMap/dp-acme-shop-dev-1c11194b/web-dev-40b11ae7   Healthy
            └── Deployment/dp-acme-shop-dev-1c11194b/web-dev-40b11ae7   Healthy
    "#]]);
}

#[test]
fn the_way_from_a_component_to_what_stops_it_is_told() {
    let broken = release("web-3", IMAGE).replace("[\"app\"]", ".main");
    let missing = release("web-2", "fault.local/image-pull:2");
    let more = [
        release("web-1", IMAGE),
        missing,
        broken,
        binding("dev", "web-2", ""),
        binding("staging", "web-2", ""),
    ];
    let Some(world) = World::start(&more) else {
        return;
    };
    world.await_condition("web-staging", "PromotionBlocked", "PromotionPath");
    world.await_reason("web-dev", "ResourcesProgressing");
    let pods = || {
        let told = world.told("why binding/web-dev");
        told.contains("ImagePullBackOff").then_some(())
    };
    eventually("the pod to say why", EFFECT_TIME_MAX, pods);
    world.check("why component/web", expect![[r#"
        exit 1
        component/web is Ready, for AGE; not bound in prod
          dev: binding/web-dev is ResourcesProgressing: web-2, for AGE
            because Deployment/dp-acme-shop-dev-1c11194b/web-dev-40b11ae7: 0 of 1 pod ready: container app: image `fault.local/image-pull:2` not found (ImagePullBackOff)
          staging: binding/web-staging is PromotionBlocked: web-2, for AGE
            because the release has not been ready in `dev`; bind and prove it there first
            because in dev, binding/web-dev is ResourcesProgressing: web-2, for AGE
            because Deployment/dp-acme-shop-dev-1c11194b/web-dev-40b11ae7: 0 of 1 pod ready: container app: image `fault.local/image-pull:2` not found (ImagePullBackOff)
        Next: fleetwright tree binding/web-dev -n acme
    "#]]);
    world.check("why component/idle", expect![[r#"
        exit 1
        component/idle is WorkloadNotFound, for AGE; not bound in dev, staging, prod
          because the component has no Workload
        Next: fleetwright workload create --component idle --project shop --image IMAGE, in a checkout
    "#]]);
    world.check(
        "why component/web --env prod",
        expect![[r#"
        exit 1
        component/web is Ready, for AGE
          because it is not bound in prod
        Next: fleetwright promote component/web --to prod
    "#]],
    );
    world.check(
        "why component/web --env moon",
        expect![[r#"
        exit 2
        error: component `web` has no environment `moon`; there are: dev, staging, prod
    "#]],
    );
    world.check(
        "why env/dev",
        expect![[r#"
            exit 1
            environment/dev is Ready, for AGE, with 0 of 1 bindings as they should be
              because binding/web-dev is ResourcesProgressing
            Next: fleetwright why binding/web-dev -n acme
        "#]],
    );
    world.check("why release/web-3", expect![[r#"
        exit 1
        release/web-3 does not render everywhere; bound nowhere
          because in dev, staging, prod: ComponentType `deployment`, resource `deployment`, template.spec.template.spec.containers[0].image: no such key: `main` in `workload.containers`, which has `app` (in `${workload.containers.main.image}`)
        Next: a release never changes: correct templates or Workload, then fleetwright component release generate --component web --project shop
    "#]]);

    // What does not render is told reason by reason; what runs goes on running.
    world.apply(&binding("dev", "web-1", ""));
    world.await_reason("web-dev", "Ready");
    world.apply(&binding("dev", "web-3", ""));
    world.await_reason("web-dev", "RenderingFailed");
    world.check("why binding/web-dev", expect![[r#"
        exit 1
        binding/web-dev is RenderingFailed: web-3, and web-1 goes on running, for AGE
          because ComponentType `deployment`, resource `deployment`, template.spec.template.spec.containers[0].image: no such key: `main` in `workload.containers`, which has `app` (in `${workload.containers.main.image}`)
        Next: a release never changes: correct templates or Workload, then fleetwright component release generate --component web --project shop, and bind the new one
    "#]]);

    // A plane away: its Secret is not there.
    let annotation = "fleetwright.dev/kubeconfig-secret=away";
    let planes = "dataplanes.openchoreo.dev";
    world
        .0
        .kubectl(&["annotate", planes, "plane", "-n", "acme", annotation]);
    world.apply(&binding("dev", "web-2", ""));
    let told = eventually("the plane to be away", EFFECT_TIME_MAX, || {
        let told = world.told("why binding/web-dev");
        told.contains("not applied").then_some(told)
    });
    for line in [
        "because it is not applied on DataPlane/plane: the kubeconfig Secret 'acme/away' not found",
        "Next: make the kubeconfig in Secret away lead to the cluster of DataPlane/plane; it is tried again by itself",
    ] {
        assert!(told.contains(line), "{told}");
    }
    let told = world.told("tree binding/web-dev");
    let line = "DataPlane/plane cannot be reached: the kubeconfig Secret 'acme/away' not found; below is what the status says";
    assert!(told.contains(line), "{told}");
}
