//! Objects that nobody means, and control planes that are built again.

use control::components::KINDS;
use object::{Node, Object};

use super::stories::{PLATFORM, WEB, shop};
use super::world::{World, key};

/// Specs of the wrong shape, with text where maps belong and the reverse.
const SPECS: &[&str] = &[
    "null",
    "7",
    "text",
    "[]",
    "{}",
    "{owner: 7, environment: {}, releaseName: [], resources: {}}",
    "{owner: {projectName: [], componentName: {}}, componentType: [], traits: 7, autoDeploy: yes}",
    "{owner: {projectName: '', componentName: ''}, environment: '', releaseName: ''}",
    "{owner: {projectName: shop, componentName: web}, environment: development, promotionPaths: 7}",
    "{promotionPaths: [7, {sourceEnvironmentRef: a, targetEnvironmentRefs: [a, a]}, {}]}",
    "{dataPlaneRef: {kind: [], name: 7}, deploymentPipelineRef: [], type: {name: {}}}",
    "{workloadType: deployment, resources: [{id: deployment, template: '${', forEach: '${x'}]}",
];

#[test]
fn whatever_an_object_says_it_settles_harms_no_other_and_can_be_deleted() {
    for spec in SPECS {
        let mut world = shop();
        let before = world.applied.clone();
        let mut keys = Vec::new();
        for kind in KINDS.iter().chain(&["Release", "RenderedRelease"]) {
            let cluster = kind.starts_with("Cluster") || *kind == "Organization";
            let namespace = if cluster { "" } else { "acme" };
            let mut node = Node::map();
            node.set(&["apiVersion"], "openchoreo.dev/v1alpha1");
            node.set(&["kind"], *kind);
            node.set(&["metadata", "name"], "odd");
            if !cluster {
                node.set(&["metadata", "namespace"], namespace);
            }
            let spec = yaml::load(spec, &yaml::Limits::default()).unwrap();
            let spec = spec.into_iter().next().map(|own| own.node);
            node.set(&["spec"], spec.unwrap_or_default());
            node.set(&["status"], "odd");
            world.put(Object::new(node));
            keys.push(key(kind, namespace, "odd"));
        }
        world.settle();
        for (release, objects) in &before {
            assert_eq!(world.applied.get(release), Some(objects), "{spec}");
        }
        for key in &keys {
            world.delete(key);
        }
        world.settle();
        for key in &keys {
            assert!(world.get(key).is_none(), "{spec}: {key:?} stays");
        }
    }
}

#[test]
fn odd_metadata_is_no_reason_to_stop() {
    for metadata in [
        "{name: odd, namespace: acme, finalizers: 7, labels: [], annotations: text}",
        "{name: odd, namespace: acme, ownerReferences: [7, {controller: true}], generation: -5}",
        "{name: odd, namespace: acme, finalizers: [7, {}], managedFields: text}",
    ] {
        let mut world = shop();
        let text = format!(
            "apiVersion: openchoreo.dev/v1alpha1\nkind: ReleaseBinding\nmetadata: {metadata}\nspec: {{owner: {{projectName: shop, componentName: web}}, environment: staging, releaseName: x}}\n"
        );
        world.apply(&text);
        let odd = key("ReleaseBinding", "acme", "odd");
        assert_eq!(
            world.condition(&odd, "Ready"),
            "False ComponentReleaseNotFound"
        );
    }
}

#[test]
fn a_history_and_annotations_of_nonsense_block_and_break_nothing() {
    let mut world = shop();
    let binding = super::stories::development();
    let status = "{releaseHistory: [7, {name: a}, {name: a, digest: b, readySince: never}], release: [], conditions: [{type: 7}]}";
    let status = yaml::load(status, &yaml::Limits::default())
        .unwrap()
        .remove(0);
    world.set_status(&binding, status.node);
    assert_eq!(world.condition(&binding, "Ready"), "True Ready");
    let own = PLATFORM.split("---").nth(2).unwrap();
    world.apply(&own.replace(
        "namespace: acme}",
        "namespace: acme, annotations: {fleetwright.dev/promotion: maybe, fleetwright.dev/promotion-soak: soon}}",
    ));
    assert_eq!(world.condition(&binding, "Ready"), "True Ready");
}

/// Selectors of pods hold identities. They come from names, so that a control plane that lost its
/// database asks for exactly what runs.
#[test]
fn a_control_plane_that_is_built_again_asks_for_the_same_objects() {
    let first = shop();
    let mut second = World::shuffled(7);
    let mut documents: Vec<&str> = PLATFORM.split("---").chain(WEB.split("---")).collect();
    documents.reverse();
    for document in documents {
        second.apply(document);
    }
    let uid = |world: &World| {
        let component = world.get(&key("Component", "acme", "web")).unwrap();
        component.uid().to_owned()
    };
    assert_ne!(uid(&first), uid(&second));
    assert_eq!(first.applied, second.applied);
    // It takes what is there over as well: the binding is another object of the same name.
    let mut third = shop();
    let release = key("Release", "acme", "web-development");
    let mut node = third.get(&release).unwrap().node.clone();
    node.set(
        &["metadata", "ownerReferences"],
        first
            .get(&release)
            .unwrap()
            .node
            .at(&["metadata", "ownerReferences"])
            .unwrap()
            .clone(),
    );
    third.put(Object::new(node));
    third.settle();
    assert_eq!(third.applied, first.applied);
}
