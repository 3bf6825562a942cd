//! Components, releases and bindings.

use expect_test::expect;
use object::Node;

use super::world::{World, key};

/// A tenant with a plane, three environments, a pipeline, a project and a component type.
pub const PLATFORM: &str = r#"
apiVersion: v1
kind: Namespace
metadata: {name: acme}
---
apiVersion: openchoreo.dev/v1alpha1
kind: DataPlane
metadata: {name: local, namespace: acme}
spec:
  gateway: {publicVirtualHost: example.test, organizationVirtualHost: internal.test}
---
apiVersion: openchoreo.dev/v1alpha1
kind: Environment
metadata: {name: development, namespace: acme}
spec: {dataPlaneRef: local}
---
apiVersion: openchoreo.dev/v1alpha1
kind: Environment
metadata: {name: staging, namespace: acme}
spec: {dataPlaneRef: local}
---
apiVersion: openchoreo.dev/v1alpha1
kind: Environment
metadata: {name: production, namespace: acme}
spec: {dataPlaneRef: local, isProduction: true}
---
apiVersion: openchoreo.dev/v1alpha1
kind: DeploymentPipeline
metadata: {name: standard, namespace: acme}
spec:
  promotionPaths:
  - sourceEnvironmentRef: development
    targetEnvironmentRefs: [{name: staging}]
  - sourceEnvironmentRef: staging
    targetEnvironmentRefs: [{name: production, requiresApproval: true}]
---
apiVersion: openchoreo.dev/v1alpha1
kind: Project
metadata: {name: shop, namespace: acme}
spec: {deploymentPipelineRef: standard}
---
apiVersion: openchoreo.dev/v1alpha1
kind: ComponentType
metadata: {name: service, namespace: acme}
spec:
  workloadType: deployment
  schema:
    parameters: {port: "integer | default=80"}
    envOverrides: {replicas: "integer | default=1", disk: "boolean | default=false"}
  resources:
  - id: deployment
    template:
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: "${metadata.name}", namespace: "${metadata.namespace}"}
      spec:
        replicas: ${envOverrides.replicas}
        image: ${workload.containers["app"].image}
  - id: claim
    includeWhen: ${envOverrides.disk}
    template:
      apiVersion: v1
      kind: PersistentVolumeClaim
      metadata:
        name: "${metadata.name}-data"
        namespace: "${metadata.namespace}"
        annotations: {fleetwright.dev/retain: "true"}
"#;

/// A component with its workload.
pub const WEB: &str = r#"
apiVersion: openchoreo.dev/v1alpha1
kind: Component
metadata: {name: web, namespace: acme}
spec:
  owner: {projectName: shop}
  componentType: deployment/service
  autoDeploy: true
---
apiVersion: openchoreo.dev/v1alpha1
kind: Workload
metadata: {name: web, namespace: acme}
spec:
  owner: {projectName: shop, componentName: web}
  containers: {app: {image: "web:1"}}
"#;

pub const ALL: &[&str] = &[
    "Project",
    "Environment",
    "DataPlane",
    "DeploymentPipeline",
    "ComponentType",
    "Component",
    "ReleaseBinding",
];

/// The first binding, as `autoDeploy` makes it.
pub fn development() -> object::ObjectKey {
    key("ReleaseBinding", "acme", "web-development")
}

/// A world in which the component runs in the first environment.
pub fn shop() -> World {
    let mut world = World::new();
    world.apply(PLATFORM);
    world.apply(WEB);
    world
}

/// The name of the newest release of the component.
pub fn latest(world: &World) -> String {
    let component = world.get(&key("Component", "acme", "web")).unwrap();
    let name = component.node.str_at(&["status", "latestRelease", "name"]);
    name.unwrap_or_default().to_owned()
}

/// A binding of the component.
pub fn binding(environment: &str, more: &str) -> String {
    format!(
        "apiVersion: openchoreo.dev/v1alpha1\nkind: ReleaseBinding\nmetadata: {{name: web-{environment}, namespace: acme}}\nspec:\n  owner: {{projectName: shop, componentName: web}}\n  environment: {environment}\n{more}"
    )
}

#[test]
fn a_component_that_deploys_itself_runs_in_the_first_environment() {
    let world = shop();
    expect![[r#"
        Component web True ComponentReleaseReady
        ComponentType service True Reconciled
        DataPlane local True Reconciled
        DeploymentPipeline standard True Reconciled
        Environment development True Reconciled
        Environment production True Reconciled
        Environment staging True Reconciled
        Project shop True Reconciled
        ReleaseBinding web-development True Ready
    "#]]
    .assert_eq(&world.ready(ALL));
    expect![[r#"
        [
            "Deployment web-development-b408fa90",
            "Namespace dp-acme-shop-development-12d45ec4",
        ]
    "#]]
    .assert_debug_eq(&world.running());
}

#[test]
fn the_release_object_says_whose_it_is_where_it_goes_and_what_it_holds() {
    let world = shop();
    let release = world
        .get(&key("Release", "acme", "web-development"))
        .unwrap();
    let mut node = release.node.clone();
    for path in [
        &["status"][..],
        &["metadata", "creationTimestamp"],
        &["metadata", "uid"],
        &["metadata", "finalizers"],
        &["spec", "resources"],
    ] {
        node.remove(path);
    }
    expect![[r#"
        apiVersion: openchoreo.dev/v1alpha1
        kind: Release
        metadata:
          annotations:
            fleetwright.dev/data-plane: DataPlane/local
          generation: 1
          labels:
            openchoreo.dev/component: web
            openchoreo.dev/environment: development
            openchoreo.dev/organization: acme
            openchoreo.dev/project: shop
          name: web-development
          namespace: acme
          ownerReferences:
          - apiVersion: openchoreo.dev/v1alpha1
            blockOwnerDeletion: true
            controller: true
            kind: ReleaseBinding
            name: web-development
            uid: uid-12
        spec:
          environmentName: development
          owner:
            componentName: web
            projectName: shop
          targetPlane: dataplane
    "#]]
    .assert_eq(&yaml::to_string(&node));
}

#[test]
fn a_new_image_makes_a_new_release_and_an_old_one_is_used_again() {
    let mut world = shop();
    let first = latest(&world);
    world.apply(&WEB.replace("web:1", "web:2"));
    let second = latest(&world);
    assert_ne!(first, second);
    let bound = |world: &World| {
        let binding = world.get(&development()).unwrap();
        binding
            .node
            .str_at(&["spec", "releaseName"])
            .unwrap()
            .to_owned()
    };
    assert_eq!(bound(&world), second);
    world.apply(WEB);
    assert_eq!(bound(&world), first, "equal content is one release");
    let releases = world.keys();
    let releases = releases.iter().filter(|key| key.kind == "ComponentRelease");
    assert_eq!(releases.count(), 2);
}

#[test]
fn a_release_whose_name_is_taken_by_other_content_gets_another_name() {
    let mut world = World::new();
    world.apply(PLATFORM);
    let probe = shop();
    let name = latest(&probe);
    let release = probe.get(&key("ComponentRelease", "acme", &name)).unwrap();
    let mut node = release.node.clone();
    node.remove(&["status"]);
    node.set(
        &["spec", "workload", "containers", "app", "image"],
        "evil:1",
    );
    world.put(object::Object::new(node));
    world.apply(WEB);
    assert_ne!(latest(&world), name);
    let tampered = key("ComponentRelease", "acme", &name);
    assert_eq!(
        world.condition(&tampered, "ReleaseTampered"),
        "True ReleaseTampered"
    );
    assert_eq!(world.condition(&development(), "Ready"), "True Ready");
}

#[test]
fn a_binding_from_git_is_never_written() {
    for marker in [
        "labels: {kustomize.toolkit.fluxcd.io/name: apps}",
        "annotations: {argocd.argoproj.io/tracking-id: apps}",
        "managedFields: [{manager: kustomize-controller, operation: Apply}]",
    ] {
        let mut world = shop();
        let first = latest(&world);
        let own = binding("development", &format!("  releaseName: {first}\n"))
            .replace("namespace: acme}", &format!("namespace: acme, {marker}}}"));
        world.apply(&own);
        world.apply(&WEB.replace("web:1", "web:2"));
        let object = world.get(&development()).unwrap();
        assert_eq!(
            object.node.str_at(&["spec", "releaseName"]),
            Some(first.as_str()),
            "{marker}"
        );
        let component = key("Component", "acme", "web");
        assert_eq!(world.condition(&component, "Ready"), "True UpdateAvailable");
        assert_ne!(latest(&world), first, "the release itself is made");
        expect!["release `web-8080808080` is there; ReleaseBinding `web-development` comes from Git, so set `releaseName` there"]
            .assert_eq(&world.message(&component, "Ready").replace(&latest(&world), "web-8080808080"));
    }
}

#[test]
fn changing_a_component_type_changes_nothing_that_runs() {
    let mut world = World::new();
    world.apply(PLATFORM);
    world.apply(&WEB.replace("  autoDeploy: true\n", ""));
    // A release made by hand, and bound.
    let donor = shop();
    let name = latest(&donor);
    let release = donor.get(&key("ComponentRelease", "acme", &name)).unwrap();
    world.put((*release).clone());
    world.apply(&binding("development", &format!("  releaseName: {name}\n")));
    assert_eq!(world.condition(&development(), "Ready"), "True Ready");
    let before = world.applied.clone();
    world.log.borrow_mut().clear();
    world.apply(&PLATFORM.replace("replicas: ${", "paused: true\n        replicas: ${"));
    assert_eq!(world.applied, before);
    let written = world.log.borrow();
    assert!(
        !written.iter().any(|line| line.contains(" Release/")),
        "{written:?}"
    );
}

#[test]
fn references_are_missed_in_upstreams_words_and_what_runs_stays() {
    let shop = shop();
    let name = latest(&shop);
    for (kind, missing, reason) in [
        (
            "ComponentRelease",
            name.as_str(),
            "ComponentReleaseNotFound",
        ),
        ("Environment", "development", "EnvironmentNotFound"),
        ("DataPlane", "local", "DataPlaneNotFound"),
        ("Project", "shop", "ProjectNotFound"),
    ] {
        let mut world = World::new();
        world.apply(PLATFORM);
        for key in shop.keys() {
            let kinds = [
                "ComponentRelease",
                "ReleaseBinding",
                "Component",
                "Workload",
            ];
            if kinds.contains(&key.kind.as_str()) {
                let mut node = shop.get(&key).unwrap().node.clone();
                node.remove(&["status"]);
                node.remove(&["metadata", "finalizers"]);
                node.remove(&["spec", "autoDeploy"]);
                world.put(object::Object::new(node));
            }
        }
        world.settle();
        assert_eq!(world.condition(&development(), "Ready"), "True Ready");
        let before = world.running();
        world.vanish(&key(kind, "acme", missing));
        assert_eq!(
            world.condition(&development(), "ReleaseSynced"),
            format!("False {reason}")
        );
        assert_eq!(
            world.condition(&development(), "Ready"),
            format!("False {reason}")
        );
        assert_eq!(world.running(), before, "{kind}");
    }
}

#[test]
fn a_binding_without_release_or_with_one_of_another_component_says_so() {
    let mut world = shop();
    world.apply(&binding("staging", ""));
    let staging = key("ReleaseBinding", "acme", "web-staging");
    expect!["no release is selected"].assert_eq(&world.message(&staging, "Ready"));
    assert_eq!(
        world.condition(&staging, "Ready"),
        "False ComponentReleaseNotFound"
    );
    let name = latest(&world);
    let other = binding("staging", &format!("  releaseName: {name}\n"));
    world.apply(&other.replace("componentName: web", "componentName: api"));
    assert_eq!(
        world.condition(&staging, "ReleaseSynced"),
        "False InvalidReleaseConfiguration"
    );
}

#[test]
fn a_release_that_belongs_to_somebody_else_is_left_alone() {
    let mut world = World::new();
    world.apply(PLATFORM);
    let foreign = "apiVersion: openchoreo.dev/v1alpha1\nkind: Release\nmetadata: {name: web-development, namespace: acme}\nspec: {owner: {projectName: x, componentName: y}, environmentName: z}\n";
    world.apply(foreign);
    world.apply(WEB);
    assert_eq!(
        world.condition(&development(), "ReleaseSynced"),
        "False ReleaseOwnershipConflict"
    );
    let release = world
        .get(&key("Release", "acme", "web-development"))
        .unwrap();
    assert_eq!(release.node.str_at(&["spec", "environmentName"]), Some("z"));
}

#[test]
fn of_two_bindings_for_one_place_the_one_that_runs_goes_on() {
    let mut world = shop();
    let name = latest(&world);
    let before = world.running();
    let second = binding("development", &format!("  releaseName: {name}\n"))
        .replace("name: web-development", "name: a-second");
    world.apply(&second.replace(
        "releaseName",
        "componentTypeEnvOverrides: {replicas: 5}\n  releaseName",
    ));
    let second = key("ReleaseBinding", "acme", "a-second");
    for binding in [&development(), &second] {
        assert_eq!(
            world.condition(binding, "DuplicateBinding"),
            "True DuplicateBinding"
        );
    }
    assert_eq!(world.condition(&development(), "Ready"), "True Ready");
    assert_eq!(world.condition(&second, "Ready"), "False DuplicateBinding");
    assert_eq!(world.running(), before);
    expect!["component `shop/web` has more bindings for `development`: `a-second`"]
        .assert_eq(&world.message(&development(), "DuplicateBinding"));

    // When the first goes, the second takes over.
    let component = key("Component", "acme", "web");
    let mut node = world.get(&component).unwrap().node.clone();
    node.remove(&["spec", "autoDeploy"]);
    world.put(object::Object::new(node));
    world.delete(&development());
    world.settle();
    assert_eq!(world.condition(&second, "Ready"), "True Ready");
    assert_eq!(world.condition(&second, "DuplicateBinding"), "none");
}

#[test]
fn undeploying_takes_everything_away_but_what_stays_and_comes_back() {
    let mut world = shop();
    let name = latest(&world);
    let more = format!(
        "  releaseName: {name}\n  componentTypeEnvOverrides: {{disk: true, replicas: 3}}\n"
    );
    world.apply(&binding("development", &more));
    let full = world.running();
    assert_eq!(full.len(), 3, "{full:?}");

    world.apply(&binding(
        "development",
        &format!("{more}  state: Undeploy\n"),
    ));
    let left: Vec<String> = world.running();
    assert!(
        left.iter()
            .any(|own| own.starts_with("PersistentVolumeClaim")),
        "{left:?}"
    );
    assert!(
        !left.iter().any(|own| own.starts_with("Deployment")),
        "{left:?}"
    );
    for kind in ["Ready", "ResourcesReady"] {
        assert_eq!(
            world.condition(&development(), kind),
            "False ResourcesUndeployed"
        );
    }
    expect!["nothing of it runs, as `state: Undeploy` asks; 1 objects stay because of annotation `fleetwright.dev/retain`"]
        .assert_eq(&world.message(&development(), "Ready"));
    let object = world.get(&development()).unwrap();
    assert_eq!(
        object.node.str_at(&["spec", "releaseName"]),
        Some(name.as_str())
    );

    world.apply(&binding("development", &more));
    assert_eq!(world.running(), full);
    assert_eq!(world.condition(&development(), "Ready"), "True Ready");
}

#[test]
fn undeploying_what_keeps_nothing_deletes_the_release() {
    let mut world = shop();
    let name = latest(&world);
    let more = format!("  releaseName: {name}\n");
    world.apply(&binding(
        "development",
        &format!("{more}  state: Undeploy\n"),
    ));
    assert!(
        world
            .get(&key("Release", "acme", "web-development"))
            .is_none()
    );
    world.apply(&binding("development", &more));
    assert_eq!(world.condition(&development(), "Ready"), "True Ready");
}

#[test]
fn a_release_is_tried_for_every_environment_before_it_is_bound() {
    let mut world = shop();
    let name = latest(&world);
    let release = world.get(&key("ComponentRelease", "acme", &name)).unwrap();
    expect![[r#"
        conditions:
        - lastTransitionTime: "2027-01-15T08:00:00Z"
          message: renders for every environment of its pipeline
          observedGeneration: 1
          reason: Renderable
          status: "True"
          type: Renderable
        dialect: envOverrides
        digest: 541c91a627b231ed434fe09dfdccea52476e592ad25694e21aeadc8cc498f56e
        observedGeneration: 1
        renderable:
        - environment: development
          renderable: true
        - environment: staging
          renderable: true
        - environment: production
          renderable: true
    "#]]
    .assert_eq(&yaml::to_string(release.node.get("status").unwrap()));

    let mut node = release.node.clone();
    node.remove(&["status"]);
    node.set(&["metadata", "name"], "web-broken");
    node.remove(&["metadata", "annotations"]);
    let app = node
        .remove(&["spec", "workload", "containers", "app"])
        .unwrap();
    node.set(&["spec", "workload", "containers", "main"], app);
    world.put(object::Object::new(node));
    world.settle();
    let broken = key("ComponentRelease", "acme", "web-broken");
    assert_eq!(
        world.condition(&broken, "Renderable"),
        "False RenderingFailed"
    );
    let object = world.get(&broken).unwrap();
    let results = object
        .node
        .at(&["status", "renderable"])
        .and_then(Node::as_list);
    assert_eq!(results.unwrap().len(), 3);
    let message = results.unwrap()[0].str_at(&["message"]).unwrap().to_owned();
    assert!(
        message.contains("app") && message.contains("main"),
        "{message}"
    );
}

#[test]
fn what_a_component_lacks_is_said_in_upstreams_words() {
    let broken = |change: &dyn Fn(String) -> String| {
        let mut world = World::new();
        world.apply(PLATFORM);
        world.apply(&change(WEB.to_owned()));
        let component = key("Component", "acme", "web");
        format!(
            "{}: {}\n",
            world.condition(&component, "Ready"),
            world.message(&component, "Ready")
        )
    };
    let mut told = String::new();
    told += &broken(&|web| web.replace("deployment/service", "deployment/servce"));
    told += &broken(&|web| web.replace("deployment/service", "job/service"));
    told += &broken(&|web| web.replace("componentType: deployment/service", "type: service"));
    told += &broken(&|web| web.replace("componentName: web", "componentName: other"));
    told += &broken(&|web| {
        let second = web.split("---").nth(1).unwrap();
        format!("{web}---{}", second.replace("{name: web,", "{name: web-2,"))
    });
    told += &broken(&|web| {
        web.replace(
            "  autoDeploy",
            "  traits: [{name: disk, instanceName: a}]\n  autoDeploy",
        )
    });
    told += &broken(&|web| web.replace("projectName: shop", "projectName: shp"));
    told += &broken(&|web| web.replace("componentType: deployment/service", "componentType: 7"));
    expect![[r#"
        False ComponentTypeNotFound: ComponentType `servce` does not exist
        False InvalidConfiguration: the component wants a job, and its type makes a deployment
        False InvalidConfiguration: legacy type: name a component type in `spec.componentType`
        False WorkloadNotFound: the component has no Workload
        False InvalidConfiguration: the component has several Workloads: web, web-2
        False TraitNotFound: Trait `disk` does not exist
        False ProjectNotFound: Project `shp` does not exist
        False InvalidConfiguration: Component/acme/web cannot be read: `spec.componentType` has to be text or a map, not a int; `spec.componentType` is missing
    "#]].assert_eq(&told);
}

#[test]
fn fields_that_nobody_knows_are_told_and_harm_nothing() {
    let mut world = World::new();
    world.apply(&PLATFORM.replace(
        "spec: {deploymentPipelineRef: standard}",
        "spec: {deploymentPipelineRef: {name: standard}, displayName: Shop}",
    ));
    let project = key("Project", "acme", "shop");
    assert_eq!(world.condition(&project, "Ready"), "True Reconciled");
    expect!["`spec.displayName` is a field of no version"]
        .assert_eq(&world.message(&project, "SchemaWarnings"));
    world.apply(PLATFORM);
    assert_eq!(world.condition(&project, "SchemaWarnings"), "none");
}

#[test]
fn templates_that_do_not_compile_are_told_on_the_type() {
    let mut world = World::new();
    world.apply(&PLATFORM.replace("${envOverrides.replicas}", "${1 +}"));
    let own = key("ComponentType", "acme", "service");
    assert_eq!(world.condition(&own, "Ready"), "False TemplateInvalid");
    let message = world.message(&own, "Ready");
    assert!(message.starts_with("resource `deployment`: "), "{message}");
}

#[test]
fn what_is_for_the_observability_plane_has_a_release_of_its_own() {
    let observed = PLATFORM
        .replace(
            "  gateway: {public",
            "  observabilityPlaneRef: eyes\n  gateway: {public",
        )
        .replace(
            "  - id: claim\n",
            "  - id: claim\n    targetPlane: observabilityplane\n",
        );
    let second = key("Release", "acme", "web-development-observability");
    let mut world = World::new();
    world.apply(&observed);
    world.apply(WEB);
    let more = format!(
        "  releaseName: {}\n  componentTypeEnvOverrides: {{disk: true}}\n",
        latest(&world)
    );
    world.apply(&binding("development", &more));
    assert!(world.get(&second).is_none(), "there is no such plane yet");
    assert_eq!(world.condition(&development(), "Ready"), "True Ready");

    world.apply("apiVersion: openchoreo.dev/v1alpha1\nkind: ObservabilityPlane\nmetadata: {name: eyes, namespace: acme}\nspec: {}\n");
    let release = world.get(&second).expect("the plane is there now");
    assert_eq!(
        release.annotation("fleetwright.dev/data-plane"),
        Some("ObservabilityPlane/eyes")
    );
    assert_eq!(
        release.node.str_at(&["spec", "targetPlane"]),
        Some("observabilityplane")
    );
    assert_eq!(world.applied[&second].len(), 1);

    let without = more.replace("disk: true", "disk: false");
    world.apply(&binding("development", &without));
    assert!(world.get(&second).is_none(), "nothing is for it any more");
}

#[test]
fn a_secret_that_comes_later_is_found() {
    let mut world = World::new();
    world.apply(PLATFORM);
    world.apply(&WEB.replace(
        "{image: \"web:1\"}",
        "{image: \"web:1\", env: [{key: PASSWORD, valueFrom: {secretRef: {name: database, key: password}}}]}",
    ));
    assert_eq!(
        world.condition(&development(), "ReleaseSynced"),
        "False RenderingFailed"
    );
    world.apply("apiVersion: openchoreo.dev/v1alpha1\nkind: SecretReference\nmetadata: {name: database, namespace: acme}\nspec: {data: [{secretKey: password, remoteRef: {key: db}}]}\n");
    assert_eq!(world.condition(&development(), "Ready"), "True Ready");
    let object = world.get(&development()).unwrap();
    let names = object.node.at(&["status", "secretReferenceNames"]);
    let names = names.and_then(Node::as_list).unwrap();
    assert_eq!(names, [Node::from("database")]);
    world.delete(&key("SecretReference", "acme", "database"));
    world.settle();
    assert_eq!(
        world.condition(&development(), "ReleaseSynced"),
        "False RenderingFailed"
    );
    assert!(!world.running().is_empty(), "what runs stays");
}

#[test]
fn what_fails_below_is_told_on_component_and_project() {
    let mut world = shop();
    let (component, project) = (
        key("Component", "acme", "web"),
        key("Project", "acme", "shop"),
    );
    let told = |world: &World| {
        [
            world.condition(&component, "BindingsFailing"),
            world.condition(&project, "ComponentsFailing"),
        ]
    };
    assert_eq!(told(&world), ["none", "none"]);
    world.apply(&binding("staging", "  releaseName: nothing\n"));
    world.apply(
        &WEB.replace("name: web", "name: api")
            .replace("componentName: web", "componentName: x"),
    );
    assert_eq!(
        told(&world),
        ["True BindingsFailing", "True ComponentsFailing"]
    );
    expect!["ReleaseBinding `web-staging`: ComponentReleaseNotFound"]
        .assert_eq(&world.message(&component, "BindingsFailing"));
    expect![
        "Component `api`: WorkloadNotFound; ReleaseBinding `web-staging`: ComponentReleaseNotFound"
    ]
    .assert_eq(&world.message(&project, "ComponentsFailing"));
    for own in ["True Reconciled", "True ComponentReleaseReady"]
        .iter()
        .zip([&project, &component])
    {
        assert_eq!(
            world.condition(own.1, "Ready"),
            *own.0,
            "both are fine themselves"
        );
    }
    // What was asked for is no failure, and what is gone fails no more.
    let name = latest(&world);
    world.apply(&binding(
        "staging",
        &format!("  releaseName: {name}\n  state: Undeploy\n"),
    ));
    world.delete(&key("Component", "acme", "api"));
    world.settle();
    assert_eq!(told(&world), ["none", "none"]);
}
