//! Components from their objects to what runs on data planes, with time that the test turns.

use std::time::Duration;

use cluster::{Apply, Cluster};
use futures::FutureExt;
use futures::future::BoxFuture;
use object::{GroupVersionKind, Node, Object, ObjectKey};
use runtime::{ComponentOptions, Components, DefaultPlane};
use testkit::Dice;

use crate::world::{World, condition, nodes};

/// A tenant, two environments on one plane, one type, one component of one release.
const PLATFORM: &str = include_str!("components/platform.yaml");

/// Longest that anything is waited for, on the paused clock.
const PATIENCE: Duration = Duration::from_secs(600);

/// Every data plane is the world's other cluster.
struct OnePlane(Cluster);

impl DefaultPlane for OnePlane {
    fn cluster<'a>(&'a self, _: &'a ObjectKey) -> BoxFuture<'a, Result<Cluster, String>> {
        async { Ok(self.0.clone()) }.boxed()
    }
}

/// A world whose controllers of components run.
struct Platform {
    world: World,
    plane: Cluster,
    components: tokio::task::JoinHandle<String>,
}

impl Platform {
    async fn new() -> Self {
        let mut world = World::new(&[]).await;
        for definition in api::openchoreo::custom_resource_definitions() {
            world.apply_node(definition).await;
        }
        for kind in api::openchoreo::Kind::ALL {
            while world
                .client
                .mapping(&kind.group_version_kind())
                .await
                .is_err()
            {
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
        }
        world.start();
        let plane = world.remote_client();
        let components = Self::start(&world, &plane);
        Self {
            world,
            plane,
            components,
        }
    }

    fn start(world: &World, plane: &Cluster) -> tokio::task::JoinHandle<String> {
        let options = ComponentOptions {
            control: control::components::Options::default(),
            default_plane: std::sync::Arc::new(OnePlane(plane.clone())),
        };
        let (_, run) = Components::new(world.engine(), options);
        tokio::spawn(run)
    }

    /// The process dies, and another one begins.
    async fn restart(&mut self) {
        self.components.abort();
        self.world.kill().await;
        self.world.start();
        self.components = Self::start(&self.world, &self.plane);
    }

    /// Applies the tenant, and the others when its namespace is there.
    async fn apply(&self, documents: Vec<Node>) {
        for document in documents {
            let is_tenant = document.str_at(&["kind"]) == Some("Organization");
            self.world.apply_node(document).await;
            while is_tenant && self.world.find("v1", "Namespace", "acme").await.is_none() {
                self.world.pass(Duration::from_millis(100)).await;
            }
            self.world.pass(Duration::from_millis(30)).await;
        }
    }

    async fn on_plane(&self, api_version: &str, kind: &str) -> Vec<Object> {
        let kind = GroupVersionKind::new(api_version, kind);
        let label = "openchoreo.dev/managed-by";
        let listed = self.plane.list(&kind, "", label).await;
        listed.expect("the plane answers")
    }

    async fn deployments(&self) -> Vec<String> {
        let deployments = self.on_plane("apps/v1", "Deployment").await;
        let shown = |object: &Object| {
            let replicas = object.node.at(&["spec", "replicas"]).and_then(Node::as_i64);
            format!(
                "{}/{} {}",
                object.namespace(),
                object.name(),
                replicas.unwrap_or(-1)
            )
        };
        deployments.iter().map(shown).collect()
    }

    async fn binding(&self, name: &str) -> Object {
        let name = format!("acme/{name}");
        self.world
            .get(api::openchoreo::API_VERSION, "ReleaseBinding", &name)
            .await
    }

    /// Waits until `is` holds.
    async fn until(&self, what: &str, mut is: impl AsyncFnMut(&Self) -> bool) {
        let begun = tokio::time::Instant::now();
        while !is(self).await {
            assert!(
                !self.components.is_finished(),
                "the controllers ended by themselves"
            );
            if begun.elapsed() > PATIENCE {
                let namespaces = GroupVersionKind::new("v1", "Namespace");
                let namespaces = self.plane.list(&namespaces, "", "").await;
                let namespaces = namespaces.expect("a list").into_iter();
                let mut left: Vec<String> = namespaces
                    .map(|object| object::json::to_string(&object.node))
                    .collect();
                for kind in api::openchoreo::Kind::ALL {
                    let kind = kind.group_version_kind();
                    let listed = self.world.client.list(&kind, "", "").await;
                    let listed = listed.expect("a list").into_iter();
                    left.extend(listed.map(|object| object::json::to_string(&object.node)));
                }
                panic!(
                    "{what}: never; {}\n{}",
                    self.deployments().await.join(", "),
                    left.join("\n")
                );
            }
            self.world.pass(Duration::from_millis(500)).await;
        }
    }

    async fn until_ready(&self, binding: &str) {
        self.until(&format!("{binding} ready"), async |platform| {
            condition(&platform.binding(binding).await, "Ready").0 == "True"
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn bindings_become_workloads_on_data_planes_and_go_with_them() {
    let platform = Platform::new().await;
    platform.apply(nodes(PLATFORM)).await;
    platform.until_ready("cart-development").await;
    platform.until_ready("cart-production").await;
    let deployments = platform.deployments().await;
    assert_eq!(deployments.len(), 2, "{deployments:?}");
    // Nobody writes when nothing changes.
    platform
        .world
        .quiet(Duration::from_secs(20), "settled")
        .await;

    // What somebody else changes on the plane is put right.
    let mut deployment = platform.on_plane("apps/v1", "Deployment").await.remove(0);
    deployment.node.set(&["spec", "replicas"], 7_i64);
    deployment.node.remove(&["metadata", "managedFields"]);
    let how = Apply {
        manager: "somebody",
        force: true,
        dry_run: false,
        subresource: "",
    };
    platform
        .plane
        .apply(&deployment, how)
        .await
        .expect("a change");
    platform
        .until("drift is corrected", async |platform| {
            platform.deployments().await == deployments
        })
        .await;

    // A binding that goes takes its objects with it, and nothing else.
    let binding = platform.binding("cart-development").await;
    platform.world.delete(&binding).await;
    platform
        .until("one is left", async |platform| {
            platform.deployments().await == deployments[1..]
        })
        .await;
    assert_eq!(platform.on_plane("v1", "ConfigMap").await.len(), 1);
    let release = platform
        .world
        .find(
            api::openchoreo::API_VERSION,
            "ComponentRelease",
            "acme/cart-1",
        )
        .await;
    assert!(release.is_some(), "releases stay");
}

#[tokio::test(start_paused = true)]
async fn the_order_of_arrival_does_not_matter() {
    let mut documents: Vec<Node> = nodes(PLATFORM);
    // A namespace has to be there before what is in it.
    let organization = documents.remove(0);
    let mut pictures = Vec::new();
    for seed in 0..8 {
        let platform = Platform::new().await;
        let mut documents = documents.clone();
        match seed {
            0 => {}
            1 => documents.reverse(),
            seed => Dice::new(seed).shuffle(&mut documents),
        }
        documents.insert(0, organization.clone());
        platform.apply(documents).await;
        platform.until_ready("cart-development").await;
        platform.until_ready("cart-production").await;
        pictures.push(platform.deployments().await);
        platform.components.abort();
    }
    assert!(
        pictures.iter().all(|picture| *picture == pictures[0]),
        "{pictures:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_restart_changes_nothing_and_forgets_nothing() {
    let mut platform = Platform::new().await;
    platform.apply(nodes(PLATFORM)).await;
    platform.until_ready("cart-production").await;
    platform.until_ready("cart-development").await;
    let before = platform.on_plane("apps/v1", "Deployment").await;
    platform.restart().await;
    platform.world.pass(Duration::from_secs(30)).await;
    let after = platform.on_plane("apps/v1", "Deployment").await;
    let versions = |objects: &[Object]| -> Vec<(String, i64)> {
        let version = |object: &Object| (object.uid().to_owned(), object.generation());
        objects.iter().map(version).collect()
    };
    assert_eq!(versions(&before), versions(&after));
    // What was listed before the restart goes after it.
    let binding = platform.binding("cart-production").await;
    platform.world.delete(&binding).await;
    platform
        .until("one is left", async |platform| {
            platform.deployments().await.len() == 1
        })
        .await;
}

/// Everything at once, in any order: no finalizer is left.
#[tokio::test(start_paused = true)]
async fn a_platform_that_is_deleted_at_once_is_gone() {
    let platform = Platform::new().await;
    platform.apply(nodes(PLATFORM)).await;
    platform.until_ready("cart-development").await;
    platform.until_ready("cart-production").await;
    for document in nodes(PLATFORM) {
        let object = Object::new(document);
        platform.world.delete(&object).await;
    }
    platform
        .until("nothing is left", async |platform| {
            if !platform.deployments().await.is_empty() {
                return false;
            }
            for kind in api::openchoreo::Kind::ALL {
                let left = platform
                    .world
                    .client
                    .list(&kind.group_version_kind(), "", "")
                    .await;
                if !left.expect("a list").is_empty() {
                    return false;
                }
            }
            true
        })
        .await;
}

/// A rebuilt control plane finds what runs, and nothing of it is made anew.
#[tokio::test(start_paused = true)]
async fn a_control_plane_that_is_made_anew_keeps_what_runs() {
    let first = Platform::new().await;
    first.apply(nodes(PLATFORM)).await;
    first.until_ready("cart-development").await;
    first.until_ready("cart-production").await;
    let before = first.on_plane("apps/v1", "Deployment").await;
    first.components.abort();

    let mut second = Platform::new().await;
    second.components.abort();
    second.plane = first.plane.clone();
    second.components = Platform::start(&second.world, &second.plane);
    second.apply(nodes(PLATFORM)).await;
    second.until_ready("cart-development").await;
    second.until_ready("cart-production").await;
    let after = second.on_plane("apps/v1", "Deployment").await;
    let uids = |objects: &[Object]| -> Vec<String> {
        objects
            .iter()
            .map(|object| object.uid().to_owned())
            .collect()
    };
    assert_eq!(uids(&before), uids(&after));
    assert!(
        after.iter().all(|object| object.generation() == 1),
        "no spec has changed"
    );
}

/// What OpenChoreo itself has made of the binding `cart-development`, on the plane: labels, managers and
/// identities are those of its own control plane.
async fn left_by_upstream(plane: &Cluster, namespace: &str) {
    let labels = |id: &str| {
        format!(
            "{{openchoreo.dev/managed-by: release-controller, openchoreo.dev/release-resource-id: {id}, \
             openchoreo.dev/release-uid: 0f9b1c34-9d5c-4a1e-8f0a-2a44a1d5a111, openchoreo.dev/release-name: cart-development, \
             openchoreo.dev/release-namespace: acme, openchoreo.dev/component: cart, \
             openchoreo.dev/environment: development, openchoreo.dev/project: shop}}"
        )
    };
    let identities = "{openchoreo.dev/component-uid: c-1, openchoreo.dev/environment-uid: e-1, openchoreo.dev/project-uid: p-1}";
    let name = deployment_name();
    let texts = [
        format!(
            "{{apiVersion: v1, kind: Namespace, metadata: {{name: {namespace}, labels: {{openchoreo.dev/created-by: release-controller}}}}}}"
        ),
        format!(
            "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: {name}, namespace: {namespace}, labels: {}}}, \
             spec: {{replicas: 2, minReadySeconds: 3, selector: {{matchLabels: {identities}}}, template: {{metadata: {{labels: {identities}}}, \
             spec: {{containers: [{{name: main, image: \"example.com/cart:1\", ports: [{{containerPort: 9000}}]}}]}}}}}}}}",
            labels("deployment-x")
        ),
        format!(
            "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}, namespace: {namespace}, labels: {}}}, data: {{host: old, stale: \"yes\"}}}}",
            labels("configmap-x")
        ),
        // No release makes this one any more.
        format!(
            "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: leftover, namespace: {namespace}, labels: {}}}, data: {{a: b}}}}",
            labels("configmap-leftover")
        ),
        // Made by another control plane, of a project that is called otherwise.
        format!(
            "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: foreign, namespace: default, labels: {}}}, data: {{a: b}}}}",
            labels("configmap-foreign")
        ),
    ];
    for text in texts {
        let how = Apply {
            manager: "release-controller",
            force: true,
            dry_run: false,
            subresource: "",
        };
        let object = Object::new(nodes(&text).remove(0));
        let applied = plane.apply(&object, how).await;
        applied.unwrap_or_else(|error| panic!("{}: {error}", object.key()));
    }
}

fn deployment_name() -> String {
    component::names::generate_name(253, &["cart", "development"])
}

/// What OpenChoreo runs is taken over as it is: nothing is made anew, what it had and nobody wants
/// goes.
#[tokio::test(start_paused = true)]
async fn what_openchoreo_left_is_taken_over_in_place() {
    let platform = Platform::new().await;
    let namespace = component::metadata::namespace("acme", "shop", "development");
    left_by_upstream(&platform.plane, &namespace).await;
    let find = async |kind: &str, name: &str| {
        let api_version = if kind == "Deployment" {
            "apps/v1"
        } else {
            "v1"
        };
        let kind = GroupVersionKind::new(api_version, kind);
        platform
            .plane
            .get(&kind, &namespace, name)
            .await
            .expect("the plane answers")
    };
    let name = deployment_name();
    platform.world.pass(Duration::from_secs(60)).await;
    let before = find("Deployment", &name).await.expect("it runs");
    platform.apply(nodes(PLATFORM)).await;
    platform.until_ready("cart-development").await;

    let after = find("Deployment", &name).await.expect("it runs");
    assert_eq!(after.uid(), before.uid(), "it was not made anew");
    let template = ["spec", "template", "metadata", "labels"];
    let selector = ["spec", "selector", "matchLabels"];
    for keys in [&template[..], &selector] {
        assert_eq!(
            after.node.at(keys),
            before.node.at(keys),
            "live identities count"
        );
    }
    let pods = |object: &Object| object.node.at(&["spec", "template"]).cloned();
    assert_eq!(pods(&after), pods(&before), "no pod is replaced");
    assert!(
        after.node.at(&["spec", "minReadySeconds"]).is_none(),
        "what only OpenChoreo set is gone"
    );
    let release = platform
        .world
        .get(
            api::openchoreo::API_VERSION,
            "Release",
            "acme/cart-development",
        )
        .await;
    assert_eq!(
        after.label("openchoreo.dev/release-uid"),
        Some(release.uid())
    );
    let settings = find("ConfigMap", &name).await.expect("it is there");
    assert_eq!(settings.node.at(&["data", "stale"]), None);
    platform
        .until("what nobody makes is pruned", async |_| {
            find("ConfigMap", "leftover").await.is_none()
        })
        .await;
    platform
        .world
        .quiet(Duration::from_secs(20), "settled")
        .await;

    let kind = GroupVersionKind::new("v1", "ConfigMap");
    let foreign = platform.plane.get(&kind, "default", "foreign").await;
    assert!(foreign.expect("the plane answers").is_some());

    // The identities stay, also where the workload is changed, and after a restart.
    let binding = platform.binding("cart-development").await;
    let patch = "{spec: {componentTypeEnvOverrides: {replicas: 3}}}";
    platform.world.patch(&binding, patch).await;
    platform
        .until("three replicas", async |platform| {
            let deployments = platform.deployments().await;
            deployments.iter().any(|own| own.ends_with(" 3"))
        })
        .await;
    let changed = find("Deployment", &name).await.expect("it runs");
    assert_eq!(changed.uid(), before.uid());
    assert_eq!(changed.node.at(&selector), before.node.at(&selector));
}

/// An object that another release has made is not taken away from it.
#[tokio::test(start_paused = true)]
async fn two_releases_do_not_fight_for_an_object() {
    let platform = Platform::new().await;
    let shared = |text: &str| {
        text.replace(
            "metadata: {name: \"${metadata.name}\", namespace: \"${metadata.namespace}\"}\n        data",
            "metadata: {name: shared, namespace: \"${metadata.namespace}\"}\n        data",
        )
    };
    let text = shared(PLATFORM);
    assert_ne!(text, PLATFORM);
    platform.apply(nodes(&text)).await;
    platform.until_ready("cart-development").await;
    // A second component whose release makes a ConfigMap of the same name.
    let own = text
        .split("---\n")
        .filter(|own| own.contains("name: cart") && !own.contains("cart-production"));
    let second: Vec<String> = own.map(|own| own.replace("cart", "till")).collect();
    platform.apply(nodes(&second.join("---\n"))).await;
    platform
        .until("the second is refused", async |platform| {
            let (status, reason, message) =
                condition(&platform.binding("till-development").await, "Ready");
            status == "False"
                && reason == "ResourceApplyFailed"
                && message.contains("ConfigMap")
                && message.contains("belongs to Release `acme/cart-development`")
        })
        .await;
    let settings = platform.on_plane("v1", "ConfigMap").await;
    let owners = settings.iter().filter(|own| own.name() == "shared");
    let owners: Vec<_> = owners
        .filter_map(|own| own.label("openchoreo.dev/release-name"))
        .collect();
    assert!(!owners.contains(&"till-development"), "{owners:?}");
    assert!(condition(&platform.binding("cart-development").await, "Ready").0 == "True");

    // When the first goes, the second has it.
    let binding = platform.binding("cart-development").await;
    platform.world.delete(&binding).await;
    platform.until_ready("till-development").await;
}

/// A data plane uses no Secret of another tenant.
#[tokio::test(start_paused = true)]
async fn a_secret_of_another_tenant_is_refused() {
    let platform = Platform::new().await;
    let text = PLATFORM.replace(
        "metadata: {name: local, namespace: acme}",
        "metadata: {name: local, namespace: acme, annotations: {fleetwright.dev/kubeconfig-secret: flux-system/secret}}",
    );
    platform.apply(nodes(&text)).await;
    platform
        .until("the binding to say why", async |platform| {
            let (_, reason, message) =
                condition(&platform.binding("cart-development").await, "Ready");
            reason == "ResourceApplyFailed" && message.contains("of another namespace")
        })
        .await;
    let plane = platform
        .world
        .get(api::openchoreo::API_VERSION, "DataPlane", "acme/local")
        .await;
    assert_eq!(condition(&plane, "Ready").1, "InvalidConfiguration");
    assert!(platform.deployments().await.is_empty());
}

/// The world's other cluster, as long as somebody lets it answer.
struct Switched(Cluster, std::sync::Arc<std::sync::atomic::AtomicBool>);

impl DefaultPlane for Switched {
    fn cluster<'a>(&'a self, _: &'a ObjectKey) -> BoxFuture<'a, Result<Cluster, String>> {
        async {
            match self.1.load(std::sync::atomic::Ordering::Relaxed) {
                true => Ok(self.0.clone()),
                false => Err("no route to the cluster".to_owned()),
            }
        }
        .boxed()
    }
}

/// Of a cluster that is silent for long nobody says that all is well on it.
#[tokio::test(start_paused = true)]
async fn a_plane_that_falls_silent_makes_its_bindings_unknown() {
    let mut platform = Platform::new().await;
    platform.components.abort();
    let answers = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let options = ComponentOptions {
        control: control::components::Options::default(),
        default_plane: std::sync::Arc::new(Switched(platform.plane.clone(), answers.clone())),
    };
    let (_, run) = Components::new(platform.world.engine(), options);
    platform.components = tokio::spawn(run);
    platform.apply(nodes(PLATFORM)).await;
    platform.until_ready("cart-development").await;
    let contact = async |platform: &Platform| {
        let plane = platform
            .world
            .get(api::openchoreo::API_VERSION, "DataPlane", "acme/local")
            .await;
        condition(&plane, "Connected")
    };
    platform
        .until("the plane is known to answer", async |platform| {
            contact(platform).await.0 == "True"
        })
        .await;
    // Heartbeats write nothing.
    platform
        .world
        .quiet(Duration::from_secs(70), "connected")
        .await;

    answers.store(false, std::sync::atomic::Ordering::Relaxed);
    platform.world.pass(Duration::from_secs(45)).await;
    assert_eq!(
        contact(&platform).await.0,
        "True",
        "one silence is not much"
    );
    platform
        .until("nothing is known", async |platform| {
            let ready = condition(&platform.binding("cart-development").await, "Ready");
            let (status, reason, message) = contact(platform).await;
            (ready.0 == "Unknown" && ready.1 == "DataPlaneUnreachable")
                && (status == "Unknown" && reason == "HeartbeatExpired")
                && message == "no route to the cluster"
        })
        .await;
    answers.store(true, std::sync::atomic::Ordering::Relaxed);
    platform.until_ready("cart-development").await;

    // What is on a cluster that is gone for good holds nobody, once somebody says so.
    answers.store(false, std::sync::atomic::Ordering::Relaxed);
    let binding = platform.binding("cart-development").await;
    platform.world.delete(&binding).await;
    let api_version = api::openchoreo::API_VERSION;
    platform
        .until("the cleanup waits", async |platform| {
            let name = "acme/cart-development";
            let release = platform.world.get(api_version, "Release", name).await;
            let (_, reason, message) = condition(&release, "ResourcesApplied");
            reason == "CleanupPending"
                && message.ends_with(
                    "set annotation fleetwright.dev/abandon of DataPlane `local` to `true`",
                )
        })
        .await;
    platform.world.pass(Duration::from_secs(60)).await;
    assert!(platform.binding("cart-development").await.is_deleting());
    let plane = platform
        .world
        .get(api_version, "DataPlane", "acme/local")
        .await;
    let patch = "{metadata: {annotations: {fleetwright.dev/abandon: 'true'}}}";
    platform.world.patch(&plane, patch).await;
    platform
        .until("the binding is gone", async |platform| {
            let name = "acme/cart-development";
            let binding = platform.world.find(api_version, "ReleaseBinding", name);
            binding.await.is_none()
        })
        .await;
}

/// Objects of releases that are gone are told on their plane.
#[tokio::test(start_paused = true)]
async fn what_nobody_knows_on_a_plane_is_told() {
    let platform = Platform::new().await;
    platform.apply(nodes(PLATFORM)).await;
    platform.until_ready("cart-development").await;
    let lost = "{apiVersion: v1, kind: ConfigMap, metadata: {name: lost, namespace: default, labels: {openchoreo.dev/managed-by: release-controller, openchoreo.dev/release-uid: x, openchoreo.dev/release-name: gone-development, openchoreo.dev/release-namespace: acme}}}";
    let how = Apply {
        manager: "release-controller",
        force: true,
        dry_run: false,
        subresource: "",
    };
    let lost = Object::new(nodes(lost).remove(0));
    platform.plane.apply(&lost, how).await.expect("a write");
    let told = async |platform: &Platform| {
        let plane = platform
            .world
            .get(api::openchoreo::API_VERSION, "DataPlane", "acme/local")
            .await;
        condition(&plane, "ObjectsOrphaned")
    };
    platform
        .until("it is told", async |platform| {
            told(platform).await.2.ends_with(": ConfigMap/default/lost")
        })
        .await;
    let how = cluster::Delete::exactly(&lost);
    let deleted = platform.plane.delete(&lost, &how).await;
    deleted.expect("a deletion");
    platform
        .until("it is gone", async |platform| {
            told(platform).await.0 != "True"
        })
        .await;
}
