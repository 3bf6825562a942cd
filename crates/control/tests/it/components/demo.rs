//! Public trees: what they come to, in whatever order they arrive.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use expect_test::expect;
use object::Object;
use testkit::Dice;

use super::world::{World, key};

/// Every object of a folder and below.
fn tree(folder: &Path) -> Vec<Object> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the corpus can be read") {
            let path = entry.expect("an entry can be read").path();
            match path.is_dir() {
                true => folders.push(path),
                false => files.push(path),
            }
        }
    }
    files.sort();
    let yaml = files
        .iter()
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"));
    let mut found = Vec::new();
    for path in yaml {
        let text = fs::read_to_string(path).expect("a file of the corpus can be read");
        let documents = yaml::load(&text, &yaml::Limits::default()).expect("the corpus is right");
        found.extend(documents.into_iter().map(|own| Object::new(own.node)));
    }
    found.retain(|own| {
        let group = own.gvk().group;
        own.kind() == "Namespace" || (group == "openchoreo.dev" && own.kind() != "ReleaseConfig")
    });
    found
}

fn demo() -> Option<Vec<Object>> {
    Some(tree(&testkit::corpus("openchoreo")?.join("gitops-demo")))
}

fn arrived(mut world: World, objects: &[Object]) -> World {
    for object in objects {
        world.put(object.clone());
    }
    world.settle();
    world
}

#[test]
fn every_object_of_the_demo_says_how_it_is() {
    let Some(objects) = demo() else { return };
    let world = arrived(World::new(), &objects);
    expect![[r#"
        Component greeter-service-gitops False WorkloadNotFound
        Component react-starter-gitops False ComponentTypeNotFound
        Component reading-list-service-gitops False WorkloadNotFound
        Component greeter-service True Reconciled
        Component order-api True Reconciled
        Component product-api True Reconciled
        Component redis-cache True Reconciled
        DeploymentPipeline simple-pipeline True Reconciled
        DeploymentPipeline fast-track True Reconciled
        DeploymentPipeline standard True Reconciled
        Organization openchoreo True NamespaceCreated
        Project demo-project-gitops True Reconciled
        Project demo-project-1 True Reconciled
        Project ecommerce-demo True Reconciled
        ReleaseBinding greeter-service-development True Ready
        ReleaseBinding greeter-service-staging True Ready
        ReleaseBinding order-api-development True Ready
        ReleaseBinding order-api-staging False RenderingFailed
        ReleaseBinding product-api-development True Ready
        ReleaseBinding product-api-staging False RenderingFailed
        ReleaseBinding redis-cache-development True Ready
        ReleaseBinding redis-cache-staging False RenderingFailed
    "#]]
    .assert_eq(&world.ready(&[
        "Component",
        "DeploymentPipeline",
        "Project",
        "Organization",
        "ReleaseBinding",
    ]));
    let pipeline = key("DeploymentPipeline", "default", "simple-pipeline");
    assert_eq!(
        world.condition(&pipeline, "EnvironmentsFound"),
        "False EnvironmentNotFound"
    );
    let count = |kind: &str| {
        world
            .running()
            .iter()
            .filter(|own| own.starts_with(kind))
            .count()
    };
    assert_eq!(
        [
            "Deployment ",
            "Service ",
            "HTTPRoute ",
            "PersistentVolumeClaim"
        ]
        .map(count),
        [5, 5, 5, 0]
    );
    let staging = key("ReleaseBinding", "openchoreo", "order-api-staging");
    assert_eq!(
        world.condition(&staging, "ReleaseSynced"),
        "False RenderingFailed"
    );
    let message = world.message(&staging, "ReleaseSynced");
    assert!(
        message.contains("`main`") && message.contains("`app`"),
        "{message}"
    );
}

#[test]
fn the_demo_ends_the_same_in_whatever_order_it_arrives() {
    let Some(mut objects) = demo() else { return };
    let wanted = arrived(World::new(), &objects);
    objects.reverse();
    let reversed = arrived(World::new(), &objects);
    compare(&wanted, &reversed, "reverse order");
    for seed in 0..100 {
        Dice::new(seed).shuffle(&mut objects);
        let mut world = World::shuffled(seed);
        for (at, object) in objects.iter().enumerate() {
            world.put(object.clone());
            // Some arrive together, some when everything before them is settled.
            if seed.is_multiple_of(4) && (seed + at as u64).is_multiple_of(7) {
                world.settle();
            }
        }
        world.settle();
        compare(&wanted, &world, &format!("seed {seed}"));
    }
}

fn compare(wanted: &World, got: &World, what: &str) {
    assert_eq!(wanted.running(), got.running(), "{what}");
    let (wanted, got): (BTreeMap<_, _>, BTreeMap<_, _>) = (wanted.state(), got.state());
    let keys = |state: &BTreeMap<object::ObjectKey, _>| state.keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&wanted), keys(&got), "{what}");
    for (key, node) in &wanted {
        assert_eq!(node, &got[key], "{what}: {} {}", key.kind, key.name);
    }
}

#[test]
fn a_bulk_release_replaces_what_ran_in_staging_and_touches_nothing_else() {
    let Some(corpus) = testkit::corpus("openchoreo") else {
        return;
    };
    let mut world = arrived(World::new(), &tree(&corpus.join("gitops-demo")));
    let development = |world: &World| {
        let own = world
            .applied
            .iter()
            .filter(|(key, _)| key.name.ends_with("-development"));
        own.map(|(key, objects)| (key.clone(), objects.clone()))
            .collect::<BTreeMap<_, _>>()
    };
    let before = development(&world);
    let release = key("Release", "openchoreo", "greeter-service-staging");
    assert!(world.applied[&release].contains_key("service-greeter-service"));
    let branch = "gitops-demo-branches/bulk-release_all-20260128-090321";
    for object in tree(&corpus.join(branch)) {
        world.put(object);
    }
    world.settle();
    assert_eq!(development(&world), before);
    assert!(!world.applied[&release].contains_key("service-greeter-service"));
    let staging = world
        .applied
        .iter()
        .filter(|(key, _)| key.kind == "Release");
    let staging = staging.filter(|(key, _)| key.name.ends_with("-staging"));
    let ids: Vec<&String> = staging.flat_map(|(_, objects)| objects.keys()).collect();
    assert_eq!(ids.len(), 12, "{ids:?}");
}

#[test]
fn a_new_component_type_changes_nothing_that_runs_in_the_demo() {
    let Some(objects) = demo() else { return };
    let mut world = arrived(World::new(), &objects);
    let before = world.applied.clone();
    let own = key("ComponentType", "openchoreo", "http-service");
    let mut node = world.get(&own).unwrap().node.clone();
    let resources = node.at_mut(&["spec", "resources"]).unwrap();
    let first = &mut resources.as_list_mut().unwrap()[0];
    first.set(
        &["template", "metadata", "labels"],
        "${{\"more\": \"labels\"}}",
    );
    world.put(Object::new(node));
    world.settle();
    assert_eq!(world.applied, before);
}

#[test]
fn the_demo_goes_as_a_whole_in_any_order() {
    let Some(objects) = demo() else { return };
    for seed in 0..20 {
        let mut world = World::shuffled(seed);
        for object in &objects {
            world.put(object.clone());
        }
        world.settle();
        let mut keys = world.keys();
        keys.retain(|key| objects.iter().any(|own| own.key() == *key));
        Dice::new(seed).shuffle(&mut keys);
        for key in &keys {
            world.delete(key);
        }
        world.settle();
        let left = world.keys();
        assert!(left.is_empty(), "seed {seed}: {left:?}");
        assert!(world.applied.is_empty());
    }
}

#[test]
fn a_tree_of_the_newest_version_runs_beside() {
    let Some(corpus) = testkit::corpus("openchoreo") else {
        return;
    };
    let mut objects = tree(&corpus.join("sample-gitops"));
    let plane = "apiVersion: openchoreo.dev/v1alpha1\nkind: ClusterDataPlane\nmetadata: {name: default}\nspec: {secretStoreRef: {name: default}}\n";
    let plane = yaml::load(plane, &yaml::Limits::default())
        .unwrap()
        .remove(0);
    objects.push(Object::new(plane.node));
    for object in &mut objects {
        let cluster = object.kind().starts_with("Cluster") || object.kind() == "Namespace";
        if object.namespace().is_empty() && !cluster {
            object.node.set(&["metadata", "namespace"], "default");
        }
    }
    let world = arrived(World::new(), &objects);
    expect![[r#"
        Component collab-svc True Reconciled
        Component document-svc True Reconciled
        Component frontend True Reconciled
        Component nats True Reconciled
        Component postgres True Reconciled
        Project doclet True Reconciled
        ReleaseBinding nats-development True Ready
        ReleaseBinding nats-staging True Ready
        ReleaseBinding postgres-development True Ready
        ReleaseBinding postgres-staging True Ready
    "#]]
    .assert_eq(&world.ready(&["Component", "ReleaseBinding", "Project"]));
}
