//! Deletion, planes that do not answer, organizations, and projects with types.

use expect_test::expect;
use object::Object;
use testkit::Dice;

use super::stories::{ALL, PLATFORM, WEB, binding, development, latest, shop};
use super::world::{World, key};

#[test]
fn everything_deleted_at_once_goes_in_any_order() {
    for seed in 0..50 {
        let mut world = World::shuffled(seed);
        world.apply(PLATFORM);
        world.apply(WEB);
        let mut keys = vec![
            key("Namespace", "", "acme"),
            key("Environment", "acme", "development"),
            key("Project", "acme", "shop"),
            key("Component", "acme", "web"),
            development(),
        ];
        Dice::new(seed).shuffle(&mut keys);
        for key in &keys {
            world.delete(key);
        }
        world.settle();
        assert_eq!(world.keys(), [], "seed {seed}");
    }
}

#[test]
fn a_plane_that_does_not_answer_holds_only_what_is_on_it() {
    let mut world = shop();
    world.online = false;
    for own in [
        key("Component", "acme", "web"),
        key("Project", "acme", "shop"),
    ] {
        world.delete(&own);
    }
    world.settle();
    expect![[r#"
        Component web False ComponentFinalizing
        ComponentType service True Reconciled
        DataPlane local True Reconciled
        DeploymentPipeline standard True Reconciled
        Environment development True Reconciled
        Environment production True Reconciled
        Environment staging True Reconciled
        Project shop False ProjectFinalizing
        ReleaseBinding web-development False Finalizing
    "#]]
    .assert_eq(&world.ready(ALL));
    expect!["waits until the objects of Release `web-development` are deleted"]
        .assert_eq(&world.message(&development(), "Finalizing"));
    world.online = true;
    world.settle();
    assert_eq!(world.ready(&["Component", "Project", "ReleaseBinding"]), "");
    assert!(world.applied.is_empty(), "{:?}", world.applied);
}

#[test]
fn deleting_a_binding_takes_its_objects_and_nothing_else() {
    let mut world = shop();
    let name = latest(&world);
    world.apply(&binding("staging", &format!("  releaseName: {name}\n")));
    let before = world.running();
    world.delete(&key("ReleaseBinding", "acme", "web-staging"));
    world.settle();
    let gone: Vec<String> = before
        .into_iter()
        .filter(|own| !world.running().contains(own))
        .collect();
    assert_eq!(gone.len(), 1, "{gone:?}");
    assert!(gone[0].starts_with("Deployment web-staging-"), "{gone:?}");
    assert!(world.get(&key("ComponentRelease", "acme", &name)).is_some());
}

#[test]
fn an_environment_that_a_pipeline_needs_waits_and_then_takes_its_bindings() {
    let mut world = shop();
    let development = key("Environment", "acme", "development");
    world.delete(&development);
    world.settle();
    assert_eq!(
        world.condition(&development, "Ready"),
        "False DeletionBlocked"
    );
    expect!["deployment pipelines lead through it; take it out of them first: standard"]
        .assert_eq(&world.message(&development, "Ready"));
    world.delete(&key("Component", "acme", "web"));
    let pipeline = PLATFORM
        .split("---")
        .find(|own| own.contains("kind: DeploymentPipeline"));
    world.apply(
        &pipeline
            .unwrap()
            .replace("Ref: development", "Ref: staging"),
    );
    assert!(world.get(&development).is_none());
    assert!(world.applied.is_empty(), "{:?}", world.applied);
}

#[test]
fn a_pipeline_and_a_plane_in_use_stay() {
    let mut world = shop();
    for own in [
        key("DeploymentPipeline", "acme", "standard"),
        key("DataPlane", "acme", "local"),
    ] {
        world.delete(&own);
        world.settle();
        assert_eq!(
            world.condition(&own, "Ready"),
            "False DeletionBlocked",
            "{own:?}"
        );
    }
    world.delete(&key("Project", "acme", "shop"));
    world.settle();
    assert!(
        world
            .get(&key("DeploymentPipeline", "acme", "standard"))
            .is_none()
    );
    assert!(world.get(&key("DataPlane", "acme", "local")).is_none());
}

#[test]
fn an_organization_has_a_namespace_and_gives_it_back_when_confirmed() {
    let organization =
        "apiVersion: openchoreo.dev/v1alpha1\nkind: Organization\nmetadata: {name: acme}\n";
    let own = key("Organization", "", "acme");
    let mut world = World::new();
    world.apply(organization);
    let namespace = world.get(&key("Namespace", "", "acme")).unwrap();
    assert_eq!(
        namespace.label("openchoreo.dev/managed-by"),
        Some("openchoreo-control-plane")
    );
    assert_eq!(namespace.label("openchoreo.dev/organization"), Some("acme"));
    assert_eq!(namespace.label("openchoreo.dev/name"), Some("acme"));
    assert_eq!(world.condition(&own, "Ready"), "True NamespaceCreated");

    // One that is there already is adopted.
    world.apply(PLATFORM);
    let namespace = world.get(&key("Namespace", "", "acme")).unwrap();
    assert_eq!(namespace.label("openchoreo.dev/organization"), Some("acme"));

    world.apply(WEB);
    let name = latest(&world);
    world.apply(&binding("production", &format!("  releaseName: {name}\n")));
    world.delete(&own);
    world.settle();
    assert_eq!(
        world.condition(&own, "Deleting"),
        "True ConfirmationRequired"
    );
    let mut node = world.get(&own).unwrap().node.clone();
    node.set(
        &[
            "metadata",
            "annotations",
            "fleetwright.dev/confirm-deletion",
        ],
        "true",
    );
    world.put(Object::new(node));
    world.settle();
    assert_eq!(world.keys(), []);
}

const PROJECT_TYPE: &str = r#"
apiVersion: openchoreo.dev/v1alpha1
kind: ProjectType
metadata: {name: team, namespace: acme}
spec:
  environmentConfigs:
    openAPIV3Schema: {type: object, properties: {pods: {type: integer, default: 10}}}
  resources:
  - id: namespace
    template:
      apiVersion: v1
      kind: Namespace
      metadata: {name: "${metadata.namespace}"}
  - id: quota
    template:
      apiVersion: v1
      kind: ResourceQuota
      metadata: {name: pods, namespace: "${metadata.namespace}"}
      spec: {hard: {pods: "${environmentConfigs.pods}"}}
"#;

const PROJECT_BINDING: &str = r#"
apiVersion: openchoreo.dev/v1alpha1
kind: ProjectReleaseBinding
metadata: {name: shop-development, namespace: acme}
spec:
  owner: {projectName: shop}
  environment: development
"#;

#[test]
fn a_project_with_a_type_is_frozen_and_bound_once() {
    let mut world = World::new();
    world.apply(&PLATFORM.replace(
        "spec: {deploymentPipelineRef: standard}",
        "spec: {deploymentPipelineRef: {name: standard}, type: {name: team}}",
    ));
    let project = key("Project", "acme", "shop");
    assert_eq!(
        world.condition(&project, "Ready"),
        "False ProjectTypeNotFound"
    );
    world.apply(PROJECT_TYPE);
    world.apply(PROJECT_BINDING);
    let own = key("ProjectReleaseBinding", "acme", "shop-development");
    assert_eq!(world.condition(&project, "Ready"), "True Reconciled");
    for kind in ["Synced", "NamespaceReady", "ResourcesReady", "Ready"] {
        assert!(world.condition(&own, kind).starts_with("True"), "{kind}");
    }
    let first = world.get(&own).unwrap();
    let first = first
        .node
        .str_at(&["spec", "projectRelease"])
        .unwrap()
        .to_owned();
    let status = world.get(&own).unwrap();
    let namespace = status.node.str_at(&["status", "namespace"]).unwrap();
    assert!(
        namespace.starts_with("dp-acme-shop-development-"),
        "{namespace}"
    );
    assert_eq!(world.running().len(), 2, "{:?}", world.running());

    // Another release is made; which one is bound is the user's business now.
    world.apply(&PROJECT_TYPE.replace("default: 10", "default: 20"));
    let bound = world.get(&own).unwrap();
    assert_eq!(
        bound.node.str_at(&["spec", "projectRelease"]),
        Some(first.as_str())
    );
    let status = world.get(&project).unwrap();
    assert_ne!(
        status.node.str_at(&["status", "latestRelease", "name"]),
        Some(first.as_str())
    );
}

#[test]
fn the_namespace_of_a_project_outlives_its_binding_while_something_runs_there() {
    let mut world = World::new();
    world.apply(&PLATFORM.replace(
        "spec: {deploymentPipelineRef: standard}",
        "spec: {deploymentPipelineRef: {name: standard}, type: {name: team}}",
    ));
    world.apply(PROJECT_TYPE);
    world.apply(PROJECT_BINDING);
    world.apply(WEB);
    let release = key("RenderedRelease", "acme", "project-shop-development");
    let uid = world.get(&release).unwrap().uid().to_owned();
    world.delete(&key("ProjectReleaseBinding", "acme", "shop-development"));
    world.settle();
    let left = world.get(&release).expect("the namespace is still needed");
    assert_eq!(left.uid(), uid, "it was not made again");
    assert!(
        world
            .running()
            .iter()
            .any(|own| own.starts_with("Namespace "))
    );
}

#[test]
fn a_release_that_openchoreo_made_for_a_project_gives_way() {
    let mut world = World::new();
    world.apply(&PLATFORM.replace(
        "spec: {deploymentPipelineRef: standard}",
        "spec: {deploymentPipelineRef: {name: standard}, type: {name: team}}",
    ));
    world.apply(PROJECT_BINDING);
    let binding = key("ProjectReleaseBinding", "acme", "shop-development");
    let uid = world.get(&binding).unwrap().uid().to_owned();
    world.apply(&format!(
        "apiVersion: openchoreo.dev/v1alpha1\nkind: RenderedRelease\nmetadata:\n  name: shop-development\n  namespace: acme\n  ownerReferences: [{{apiVersion: openchoreo.dev/v1alpha1, kind: ProjectReleaseBinding, name: shop-development, uid: {uid}, controller: true}}]\nspec: {{owner: {{projectName: shop}}, environmentName: development}}\n"
    ));
    world.apply(PROJECT_TYPE);
    assert_eq!(world.condition(&binding, "Ready"), "True Ready");
    let old = world.get(&key("RenderedRelease", "acme", "shop-development"));
    assert!(old.is_none_or(|old| old.is_deleting()));
    let own = world.get(&key("RenderedRelease", "acme", "project-shop-development"));
    assert!(own.is_some());
}

#[test]
fn a_plane_lets_go_of_a_secret_that_it_no_longer_uses() {
    let plane = |secret: &str| {
        format!(
            "apiVersion: openchoreo.dev/v1alpha1\nkind: DataPlane\nmetadata: {{name: far, namespace: acme, annotations: {{fleetwright.dev/kubeconfig-secret: {secret}}}}}\nspec: {{}}\n"
        )
    };
    let own = key("DataPlane", "acme", "far");
    let mut world = World::new();
    let let_go = |world: &World| -> Vec<String> {
        let log = world.log.borrow();
        let lines = log.iter().filter(|line| line.contains("let go"));
        lines.cloned().collect()
    };
    world.apply(PLATFORM);
    world.apply(&plane("one"));
    assert!(let_go(&world).is_empty());
    world.apply(&plane("two"));
    assert_eq!(let_go(&world), ["far: let go Secret acme/one"]);
    world.apply(&plane("other/three"));
    assert_eq!(world.condition(&own, "Ready"), "False InvalidConfiguration");
    world.delete(&own);
    world.settle();
    assert_eq!(
        let_go(&world).last().unwrap(),
        "far: let go Secret acme/two"
    );
    assert!(world.get(&own).is_none());
}
