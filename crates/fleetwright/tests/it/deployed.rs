//! Components that run, on the command line: `get`, `tree`, `why`, `history`, `promote`, `approve`
//! and `rollback` against a server.

use std::process::Command;
use std::time::Duration;

use expect_test::{Expect, expect};
use tempfile::TempDir;

use crate::backend::{Backend, Kind};
use crate::process::{eventually, fleetwright, output};
use crate::repository::write_tree;

/// Longest wait for one effect.
const EFFECT_TIME_MAX: Duration = Duration::from_secs(20);

const PLATFORM: &str = r#"
apiVersion: v1
kind: Namespace
metadata: {name: depot}
---
apiVersion: openchoreo.dev/v1alpha1
kind: ComponentType
metadata: {name: web, namespace: depot}
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
metadata: {name: main, namespace: depot}
spec:
  promotionPaths:
    - sourceEnvironmentRef: dev
      targetEnvironmentRefs: [{name: staging}]
    - sourceEnvironmentRef: staging
      targetEnvironmentRefs: [{name: prod, requiresApproval: true}]
---
apiVersion: openchoreo.dev/v1alpha1
kind: Environment
metadata: {name: dev, namespace: depot}
spec: {dataPlaneRef: plane}
---
apiVersion: openchoreo.dev/v1alpha1
kind: Environment
metadata: {name: staging, namespace: depot, annotations: {fleetwright.dev/promotion: enforce}}
spec: {dataPlaneRef: plane}
---
apiVersion: openchoreo.dev/v1alpha1
kind: Environment
metadata: {name: prod, namespace: depot, annotations: {fleetwright.dev/promotion: enforce}}
spec: {dataPlaneRef: plane}
---
apiVersion: openchoreo.dev/v1alpha1
kind: DataPlane
metadata: {name: plane, namespace: depot}
spec: {gateway: {publicVirtualHost: apps.example.org}}
---
apiVersion: openchoreo.dev/v1alpha1
kind: Project
metadata: {name: shop, namespace: depot}
spec: {deploymentPipelineRef: main}
---
apiVersion: openchoreo.dev/v1alpha1
kind: Component
metadata: {name: web, namespace: depot}
spec: {owner: {projectName: shop}, componentType: deployment/web}
---
apiVersion: openchoreo.dev/v1alpha1
kind: Workload
metadata: {name: web, namespace: depot}
spec:
  owner: {projectName: shop, componentName: web}
  containers: {app: {image: "registry.example.com/web:1"}}
---
apiVersion: openchoreo.dev/v1alpha1
kind: Component
metadata: {name: idle, namespace: depot}
spec: {owner: {projectName: shop}, componentType: deployment/web}
"#;

/// A release of `web` that runs an image.
fn release(name: &str, image: &str) -> String {
    format!(
        r#"---
apiVersion: openchoreo.dev/v1alpha1
kind: ComponentRelease
metadata: {{name: {name}, namespace: depot}}
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
metadata: {{name: web-{environment}, namespace: depot}}
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

    /// Waits until a binding is ready and runs a release.
    fn await_release(&self, binding: &str, release: &str) {
        eventually(
            &format!("{binding} to run {release}"),
            EFFECT_TIME_MAX,
            || {
                let binding = self
                    .0
                    .get("releasebindings.openchoreo.dev", "depot", binding)?;
                let runs = binding.node.str_at(&["status", "release", "name"]);
                (runs == Some(release)).then_some(())
            },
        );
        self.await_reason(binding, "Ready");
    }

    fn await_condition(&self, binding: &str, kind: &str, reason: &str) {
        eventually(
            &format!("{binding} to be {reason}"),
            EFFECT_TIME_MAX,
            || {
                let binding = self
                    .0
                    .get("releasebindings.openchoreo.dev", "depot", binding)?;
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
    world.check("get components -n depot", expect![[r#"
        exit 0
        NAME             PROJECT   TYPE             LATEST RELEASE   READY              DEV       STAGING                      PROD
        component/idle   shop      deployment/web   -                WorkloadNotFound   -         -                            -
        component/web    shop      deployment/web   web-2            Ready              1 Ready   3 ComponentReleaseNotFound   -
    "#]]);
    world.check("get bindings -n depot", expect![[r#"
        exit 0
        NAME                  PROJECT   COMPONENT   ENVIRONMENT   RELEASE   READY                      MESSAGE
        binding/web-dev       shop      web         dev           web-1     Ready                      the release runs and is ready
        binding/web-staging   shop      web         staging       web-3     ComponentReleaseNotFound   ComponentRelease `web-3` does not exist; did you mean `web-1`?
    "#]]);
    world.check("get release web-1 -o wide", expect![[r#"
        exit 0
        NAMESPACE   NAME            PROJECT   COMPONENT   BOUND IN   RENDERS   DIGEST         MESSAGE
        depot       release/web-1   shop      web         dev        Yes       8db1b59108f6   renders for every environment of its pipeline
    "#]]);
    world.check("get envs -n depot", expect![[r#"
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
                  "namespace": "depot",
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
        "get comp -o name -n depot",
        expect![[r#"
            exit 0
            component/idle
            component/web
        "#]],
    );
    world.check("tree component/web", expect![[r#"
        exit 0
        Component/depot/web   Ready
        ├── ComponentRelease/depot/web-1   Renders
        │   └── ReleaseBinding/depot/web-dev   Ready   in dev
        │       └── Release/depot/web-dev   Applied   on DataPlane/plane
        │           ├── ConfigMap/dp-depot-shop-dev-41f73917/web-dev-40b11ae7   Current
        │           └── Deployment/dp-depot-shop-dev-41f73917/web-dev-40b11ae7   Current
        │               └── ReplicaSet/dp-depot-shop-dev-41f73917/web-dev-40b11ae7-xnpjqccxld   Current
        │                   └── Pod/dp-depot-shop-dev-41f73917/web-dev-40b11ae7-xnpjqccxld-XXXXX   Current
        ├── ComponentRelease/depot/web-2   Renders   bound nowhere
        └── ReleaseBinding/depot/web-staging   ComponentReleaseNotFound   in staging
                ComponentRelease `web-3` does not exist; did you mean `web-1`?
    "#]]);
    world.check(
        "tree binding web-staging",
        expect![[r#"
        exit 0
        ReleaseBinding/depot/web-staging   ComponentReleaseNotFound   in staging
            ComponentRelease `web-3` does not exist; did you mean `web-1`?
    "#]],
    );
    world.check(
        "get component/wab -n depot",
        expect![[r#"
            exit 1
            error[ObjectNotFound]: Component `wab` is not in namespace `depot`
             = help: There are: web, idle.
             = more: fleetwright explain ObjectNotFound
        "#]],
    );
    world.check("get nonsense", expect![[r#"
        exit 2
        error: `nonsense` is nothing to get; there are all, ks, sources, and component, release, binding, project, environment, pipeline, dataplane, componenttype, trait, workload, rendered
    "#]]);
    world.check(
        "why binding/web-dev deployment:spec.replicas",
        expect![[r#"
            exit 0
            Deployment/web-dev-40b11ae7 spec.replicas is 1, of web-1 in dev
              written by ComponentType `deployment`, resource `deployment`, template.spec.replicas: ${envOverrides.replicas} → 1
                envOverrides.replicas = 1, from the defaults of the schema
        "#]],
    );
    world.check("why binding/web-dev deployment", expect![[r#"
        exit 0
        Deployment/web-dev-40b11ae7 of web-1 in dev
          written by ComponentType `deployment`, resource `deployment`
            metadata.name = "web-dev-40b11ae7", from the platform
            metadata.namespace = "dp-depot-shop-dev-41f73917", from the platform
            envOverrides.replicas = 1, from the defaults of the schema
            metadata.podSelectors = {"openchoreo.dev/component-uid":"783ea739-a0c5-57da-b12b-95670cace4ea","openchor…, from the platform
            workload.containers.app.image = "registry.example.com/web:1", from the workload, frozen in the release
          changed by the platform
    "#]]);
    world.check(
        "why binding/web-dev configmap:data.nothing",
        expect![[r#"
        exit 1
        ConfigMap/web-dev-40b11ae7 data.nothing is not there
    "#]],
    );
    world.check("why binding/web-dev service", expect![[r#"
        exit 2
        error: no object is `service`; there are: ConfigMap/web-dev-40b11ae7, Deployment/web-dev-40b11ae7
    "#]]);
    world.check("why binding/web-dev deployment:spec[x]", expect![[r#"
        exit 2
        error: `deployment:spec[x]` is no KIND[/NAME][:PATH], as `deployment:spec.replicas`; a dot in a key is written `\.`
    "#]]);
    world.check(
        "why binding/web-dev configmap:data.port -o json",
        expect![[r#"
            exit 0
            {
              "value": "80",
              "writes": [
                {
                  "by": "ComponentType `deployment`",
                  "part": "resource `settings`",
                  "place": "template.data.port",
                  "text": "${string(parameters.port)}",
                  "value": "80",
                  "inputs": [
                    {
                      "place": "parameters.port",
                      "value": "80",
                      "from": "default"
                    }
                  ]
                }
              ],
              "id": "binding/web-dev",
              "release": "web-1",
              "object": "ConfigMap/web-dev-40b11ae7",
              "path": "data.port"
            }
        "#]],
    );
    // Without the way to the plane there is what the status says, and it says so.
    let state = world.0.home.path().join("state");
    std::fs::remove_file(state.join("kubeconfig-plane-depot-plane")).unwrap();
    world.check("tree binding/web-dev", expect![[r#"
        exit 0
        ReleaseBinding/depot/web-dev   Ready   in dev
        └── Release/depot/web-dev   Applied   on DataPlane/plane
                DataPlane/plane names no cluster, there is no kubeconfig of it in HOME/state, and its objects are not on the control plane; below is what the status says
            ├── ConfigMap/dp-depot-shop-dev-41f73917/web-dev-40b11ae7   Healthy
            └── Deployment/dp-depot-shop-dev-41f73917/web-dev-40b11ae7   Healthy
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
            because Deployment/dp-depot-shop-dev-41f73917/web-dev-40b11ae7: 0 of 1 pod ready: container app: image `fault.local/image-pull:2` not found (ImagePullBackOff)
          staging: binding/web-staging is PromotionBlocked: web-2, for AGE
            because the release has not been ready in `dev`; bind and prove it there first
            because in dev, binding/web-dev is ResourcesProgressing: web-2, for AGE
            because Deployment/dp-depot-shop-dev-41f73917/web-dev-40b11ae7: 0 of 1 pod ready: container app: image `fault.local/image-pull:2` not found (ImagePullBackOff)
        Next: fleetwright tree binding/web-dev -n depot
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
            Next: fleetwright why binding/web-dev -n depot
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
        .kubectl(&["annotate", planes, "plane", "-n", "depot", annotation]);
    world.apply(&binding("dev", "web-2", ""));
    let told = eventually("the plane to be away", EFFECT_TIME_MAX, || {
        let told = world.told("why binding/web-dev");
        told.contains("not applied").then_some(told)
    });
    for line in [
        "because it is not applied on DataPlane/plane: the kubeconfig Secret 'depot/away' not found",
        "Next: make the kubeconfig in Secret away lead to the cluster of DataPlane/plane; it is tried again by itself",
    ] {
        assert!(told.contains(line), "{told}");
    }
    let told = world.told("tree binding/web-dev");
    let line = "DataPlane/plane cannot be reached: the kubeconfig Secret 'depot/away' not found; below is what the status says";
    assert!(told.contains(line), "{told}");
}

#[test]
fn releases_are_promoted_approved_forced_and_rolled_back_on_a_server() {
    let more = [
        release("web-1", IMAGE),
        release("web-2", "registry.example.com/web:2"),
        binding("dev", "web-1", ""),
    ];
    let Some(world) = World::start(&more) else {
        return;
    };
    world.await_reason("web-dev", "Ready");
    world.check("promote web --to prod --server", expect![[r#"
        exit 6
        error[PromotionSourceMissing]: component `web` is not bound in staging, from where `prod` would get its release
         = help: Say which with --from ENVIRONMENT or --release NAME.
         = more: fleetwright explain PromotionSourceMissing
    "#]]);
    world.check(
        "promote web --to prod --release web-1 --server",
        expect![[r#"
            exit 6
            error[PromotionPath]: release `web-1` may not go to `prod`: the release has not been ready in `staging`; bind and prove it there first
             = help: Promote it along the pipeline: `fleetwright why component/web --env prod` says how far it is.
             = help: Or go on all the same with --force --reason TEXT, which is recorded.
             = more: fleetwright explain PromotionPath
        "#]],
    );
    world.check(
        "promote component/web --to staging --server --dry-run",
        expect![[r#"
            exit 0
            created web-staging, or would be
              spec.releaseName: web-1
        "#]],
    );
    world.check(
        "promote component/web --to staging --server",
        expect![[r#"
        exit 0
        created web-staging
          spec.releaseName: web-1
    "#]],
    );
    world.await_reason("web-staging", "Ready");
    world.check("promote web --to prod --server", expect![[r#"
        exit 6
        error[PromotionApproval]: release `web-1` may not go to `prod`: release `web-1` waits for an approval of digest df0520914099059b46e93e8c75c6daba5fb8a92bb2099051f1acca64d6ee9564; set annotation `fleetwright.dev/approval` to it, or record it
         = help: Approve it in the same change with --approve.
         = help: Or go on all the same with --force --reason TEXT, which is recorded.
         = more: fleetwright explain PromotionApproval
    "#]]);
    world.check(
        "promote web --to prod --server --approve",
        expect![[r#"
            exit 0
            created web-prod
              spec.releaseName: web-1
              fleetwright.dev/approval: df0520914099059b46e93e8c75c6daba5fb8a92bb2099051f1acca64d6ee9564
        "#]],
    );
    world.await_reason("web-prod", "Ready");

    // The next release takes the same way, and the last step by force.
    world.check(
        "promote web --to dev --server",
        expect![[r#"
        exit 0
        updated web-dev
          spec.releaseName: web-1 → web-2
    "#]],
    );
    world.await_reason("web-dev", "Ready");

    // A checkout may be ahead of what is proven; the server knows what is.
    let checkout = PLATFORM.to_owned()
        + &more[..2].concat()
        + &binding("dev", "web-2", "")
        + &binding("staging", "web-2", "");
    let folder = world.0.home.path().join("fleet");
    write_tree(&folder, &[("all.yaml", &checkout)]);
    world.check(
        "promote web --to prod --root-dir fleet --ask-server",
        expect![[r#"
            exit 6
            error[PromotionPath]: release `web-2` may not go to `prod`: the release has not been ready in `staging`; bind and prove it there first
             = help: Promote it along the pipeline: `fleetwright why component/web --env prod` says how far it is.
             = help: Or go on all the same with --force --reason TEXT, which is recorded.
             = more: fleetwright explain PromotionPath
        "#]],
    );
    world.check(
        "rollback web --env dev --root-dir fleet --ask-server --dry-run",
        expect![[r#"
            exit 0
            # all.yaml
            apiVersion: openchoreo.dev/v1alpha1
            kind: ReleaseBinding
            metadata:
              annotations:
                fleetwright.dev/rolled-back: web-2 to web-1
              name: web-dev
              namespace: depot
            spec:
              environment: dev
              owner:
                componentName: web
                projectName: shop
              releaseName: web-1
        "#]],
    );

    world.told("promote web --to staging --server");
    world.await_reason("web-staging", "Ready");
    world.check("promote web --to prod --server --force", expect![[r#"
        exit 2
        error: the following required arguments were not provided:
          --reason <TEXT>

        Usage: fleetwright promote --to <ENVIRONMENT> --reason <TEXT> --server --force --state-dir <DIR> <COMPONENT>

        For more information, try '--help'.
    "#]]);
    world.check(
        "promote web --to prod --server --force --reason pager-4711",
        expect![[r#"
            exit 0
            updated web-prod
              spec.releaseName: web-1 → web-2
              fleetwright.dev/promotion-forced: 1fd5d33e9afa88dae5ca273e014e99ec1da1342e6a6066e61ce87f600aa0fb34
              fleetwright.dev/promotion-forced-reason: pager-4711
            ◎ forced, and recorded in the binding: release `web-2` waits for an approval of digest 1fd5d33e9afa88dae5ca273e014e99ec1da1342e6a6066e61ce87f600aa0fb34; set annotation `fleetwright.dev/approval` to it, or record it
        "#]],
    );
    world.await_release("web-prod", "web-2");
    world.check(
        "history component/web",
        expect![[r#"
            exit 0
            ENVIRONMENT   RELEASE   DIGEST         READY SINCE            UNTIL                  NOTE
            dev           web-2     c075ffbce3cb   TIME   -                      
            dev           web-1     8db1b59108f6   TIME   TIME   
            staging       web-2     c075ffbce3cb   TIME   -                      
            staging       web-1     8db1b59108f6   TIME   TIME   
            prod          web-2     c075ffbce3cb   TIME   -                      forced: pager-4711
            prod          web-1     8db1b59108f6   TIME   TIME   
        "#]],
    );
    world.check(
        "rollback component/web --env prod --server --reason slow",
        expect![[r#"
            exit 0
            updated web-prod
              spec.releaseName: web-2 → web-1
              fleetwright.dev/rolled-back: web-2 to web-1: slow
        "#]],
    );
    world.await_release("web-prod", "web-1");
    world.check("history component/web --env prod", expect![[r#"
        exit 0
        ENVIRONMENT   RELEASE   DIGEST         READY SINCE            UNTIL                  NOTE
        prod          web-1     8db1b59108f6   TIME   -                      rolled back from web-2 to web-1: slow; forced: pager-4711
        prod          web-2     c075ffbce3cb   TIME   TIME   
        prod          web-1     8db1b59108f6   TIME   TIME   
    "#]]);
    world.check(
        "rollback web --env staging --to web-9 --server",
        expect![[r#"
            exit 6
            error[ReleaseUnknown]: release `web-9` of component `web` is not there
             = help: There are: web-1, web-2.
             = more: fleetwright explain ReleaseUnknown
        "#]],
    );

    // An approval is for these values, too.
    let patch = r#"{"spec":{"componentTypeEnvOverrides":{"replicas":2}}}"#;
    let bindings = "releasebindings.openchoreo.dev";
    let change = [
        "patch",
        bindings,
        "web-prod",
        "-n",
        "depot",
        "--type=merge",
        "-p",
        patch,
    ];
    world.0.kubectl(&change);
    world.await_condition("web-prod", "PromotionBlocked", "PromotionApproval");
    world.check("why component/web --env prod", expect![[r#"
        exit 1
        component/web is Ready, for AGE
          prod: binding/web-prod is PromotionBlocked: web-1, for AGE
            because release `web-1` waits for an approval of digest 98ef17a5b051335feb45db7552edc4b3c6efe4773a13a959d40176ed2fd819ba; set annotation `fleetwright.dev/approval` to it, or record it
        Next: fleetwright approve component/web --env prod
    "#]]);
    world.check(
        "approve component/web --env prod --server",
        expect![[r#"
            exit 0
            updated web-prod
              fleetwright.dev/approval: 98ef17a5b051335feb45db7552edc4b3c6efe4773a13a959d40176ed2fd819ba
        "#]],
    );
    world.await_reason("web-prod", "Ready");
    world.check(
        "approve component/web --env staging --server",
        expect![[r#"
            exit 1
            error[ApprovalImpossible]: no way into `staging` asks for an approval
             = help: `requiresApproval: true` of a target in the pipeline does.
             = more: fleetwright explain ApprovalImpossible
        "#]],
    );

    // What Git owns is changed in Git.
    let label = "kustomize.toolkit.fluxcd.io/name=apps";
    world
        .0
        .kubectl(&["label", bindings, "web-staging", "-n", "depot", label]);
    world.check(
        "rollback web --env staging --to web-1 --server",
        expect![[r#"
            exit 6
            error[BindingFromGit]: ReleaseBinding `web-staging` comes from Git, and what is changed here would be undone
             = help: Run the command without --server in a checkout, and push.
             = help: It is applied by ks/apps.
             = more: fleetwright explain BindingFromGit
        "#]],
    );
}

#[test]
fn releases_are_promoted_approved_and_rolled_back_in_a_checkout() {
    let home = TempDir::new().unwrap();
    let releases = release("web-1", IMAGE) + &release("web-2", "registry.example.com/web:2");
    let dev = binding("dev", "web-2", "").replace("releaseName", "# who runs\n  releaseName");
    write_tree(
        home.path(),
        &[
            ("fleet/platform.yaml", PLATFORM),
            ("fleet/web/releases.yaml", &releases),
            ("fleet/web/bindings/dev.yaml", &dev),
        ],
    );
    let told = |arguments: &str| {
        let words = arguments.split_whitespace();
        let output = output(
            fleetwright(home.path())
                .args(words)
                .args(["--root-dir", "fleet"]),
        );
        format!(
            "exit {}\n{}{}",
            output.status.code().unwrap_or(-1),
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    };
    let check = |arguments: &str, expected: Expect| expected.assert_eq(&told(arguments));
    let file = |name: &str| {
        std::fs::read_to_string(home.path().join("fleet/web/bindings").join(name)).unwrap()
    };
    check(
        "promote component/web --to prod",
        expect![[r#"
        exit 6
        error[PromotionSourceMissing]: component `web` is not bound in staging, from where `prod` would get its release
         = help: Say which with --from ENVIRONMENT or --release NAME.
         = more: fleetwright explain PromotionSourceMissing
    "#]],
    );
    check(
        "promote component/web --to prod -n other",
        expect![[r#"
        exit 1
        error[ObjectNotFound]: Component `web` is not in namespace `other`
         = more: fleetwright explain ObjectNotFound
    "#]],
    );
    check(
        "promote component/web --to staging --from prod",
        expect![[r#"
            exit 6
            error[PromotionPath]: no path of the pipeline leads from `prod` to `staging`
             = help: What leads to it: dev.
             = more: fleetwright explain PromotionPath
        "#]],
    );
    check(
        "promote component/web --to staging",
        expect![[r#"
        exit 0
        created web-staging in web/bindings/web-staging.yaml
        ◎ files do not say whether web-2 was ready before: the controller looks before it lets it run in staging; --ask-server asks now
    "#]],
    );
    check(
        "promote component/web --to staging",
        expect![[r#"
        exit 0
        unchanged web-staging in web/bindings/web-staging.yaml
        ◎ files do not say whether web-2 was ready before: the controller looks before it lets it run in staging; --ask-server asks now
    "#]],
    );
    check(
        "promote component/web --to prod --release web-1 --approve",
        expect![[r#"
            exit 6
            error[PromotionPath]: release `web-1` may not go to `prod`: the release has not been ready in `staging`; bind and prove it there first
             = help: Promote it along the pipeline: `fleetwright why component/web --env prod` says how far it is.
             = help: Or go on all the same with --force --reason TEXT, which is recorded.
             = more: fleetwright explain PromotionPath
        "#]],
    );
    check(
        "promote component/web --to prod",
        expect![[r#"
        exit 6
        error[PromotionApproval]: release `web-2` may not go to `prod`: release `web-2` waits for an approval of digest 1fd5d33e9afa88dae5ca273e014e99ec1da1342e6a6066e61ce87f600aa0fb34; set annotation `fleetwright.dev/approval` to it, or record it
         = help: Approve it in the same change with --approve.
         = help: Or go on all the same with --force --reason TEXT, which is recorded.
         = more: fleetwright explain PromotionApproval
    "#]],
    );
    check(
        "promote component/web --to prod --approve",
        expect![[r#"
        exit 0
        created web-prod in web/bindings/web-prod.yaml
        ◎ files do not say whether web-2 was ready before: the controller looks before it lets it run in prod; --ask-server asks now
    "#]],
    );
    expect![[r#"
        apiVersion: openchoreo.dev/v1alpha1
        kind: ReleaseBinding
        metadata:
          annotations:
            fleetwright.dev/approval: 1fd5d33e9afa88dae5ca273e014e99ec1da1342e6a6066e61ce87f600aa0fb34
          name: web-prod
          namespace: depot
        spec:
          environment: prod
          owner:
            componentName: web
            projectName: shop
          releaseName: web-2
    "#]].assert_eq(&file("web-prod.yaml"));
    told("component deploy web --env prod --set replicas=2");
    // The digest is the one that a server asks for, though servers fill in defaults.
    check(
        "approve component/web --env prod",
        expect![[r#"
        exit 0
        updated web-prod in web/bindings/web-prod.yaml
          metadata.annotations[fleetwright.dev/approval]: 1fd5d33e9afa88dae5ca273e014e99ec1da1342e6a6066e61ce87f600aa0fb34 -> 4e208c5ba299c651841a0b5ccd77e9fcc6a647a764d6f6b846df3f199e0ca79a
    "#]],
    );
    check(
        "rollback component/web --env dev",
        expect![[r#"
        exit 6
        error[RollbackImpossible]: files do not say what ran in `dev` before
         = help: Ask the server with --ask-server.
         = help: Or say which with --to; there are: web-1.
         = more: fleetwright explain RollbackImpossible
    "#]],
    );
    check(
        "rollback component/web --env dev --to web-1 --reason slow",
        expect![[r#"
            exit 0
            updated web-dev in web/bindings/dev.yaml
              metadata.annotations: (nothing) -> {"fleetwright.dev/rolled-back":"web-2 to web-1: slow"}
              spec.releaseName: web-2 -> web-1
        "#]],
    );
    expect![[r#"
        apiVersion: openchoreo.dev/v1alpha1
        kind: ReleaseBinding
        metadata: {name: web-dev, namespace: depot, annotations: {fleetwright.dev/rolled-back: 'web-2 to web-1: slow'}}
        spec:
          owner: {projectName: shop, componentName: web}
          environment: dev
          # who runs
          releaseName: web-1
    "#]].assert_eq(&file("dev.yaml"));
    check(
        "rollback component/web --env prod --to web-1",
        expect![[r#"
            exit 6
            error[PromotionApproval]: release `web-1` may not go to `prod`: release `web-1` waits for an approval of digest 98ef17a5b051335feb45db7552edc4b3c6efe4773a13a959d40176ed2fd819ba; set annotation `fleetwright.dev/approval` to it, or record it
             = help: Approve it in the same change with --approve.
             = help: Or go on all the same with --force --reason TEXT, which is recorded.
             = more: fleetwright explain PromotionApproval
        "#]],
    );
    check(
        "rollback component/web --env prod --to web-1 --force --reason pager",
        expect![[r#"
            exit 0
            updated web-prod in web/bindings/web-prod.yaml
              metadata.annotations[fleetwright.dev/rolled-back]: (nothing) -> web-2 to web-1: pager
              metadata.annotations[fleetwright.dev/promotion-forced]: (nothing) -> 98ef17a5b051335feb45db7552edc4b3c6efe4773a13a959d40176ed2fd819ba
              metadata.annotations[fleetwright.dev/promotion-forced-reason]: (nothing) -> pager
              spec.releaseName: web-2 -> web-1
            ◎ forced, and recorded in the binding: release `web-1` waits for an approval of digest 98ef17a5b051335feb45db7552edc4b3c6efe4773a13a959d40176ed2fd819ba; set annotation `fleetwright.dev/approval` to it, or record it
        "#]],
    );
}
