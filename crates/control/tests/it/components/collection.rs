//! Releases that nobody needs any more.

use object::{Node, Object};

use super::stories::{PLATFORM, WEB, binding, latest, shop};
use super::world::{World, key};

const NEWEST: &str = "fleetwright.dev/keep-releases";
const YOUNGER: &str = "fleetwright.dev/keep-releases-for";
const MODE: &str = "fleetwright.dev/release-collection";

/// Releases `web-old-1` … of ages in hours, beside the one that `autoDeploy` makes.
fn world(ages: &[i64], annotations: &[(&str, &str)]) -> World {
    let mut world = shop();
    let donor = key("ComponentRelease", "acme", &latest(&world));
    let donor = world.get(&donor).unwrap();
    for (at, age) in ages.iter().enumerate() {
        let mut node = donor.node.clone();
        node.remove(&["status"]);
        node.remove(&["metadata", "uid"]);
        node.set(&["metadata", "name"], format!("web-old-{at}"));
        let image = format!("web:old-{at}");
        node.set(&["spec", "workload", "containers", "app", "image"], image);
        world.seconds = -age * 3600;
        world.put(Object::new(node));
    }
    world.seconds = 0;
    let project = key("Project", "acme", "shop");
    let mut node = world.get(&project).unwrap().node.clone();
    for (name, value) in annotations {
        node.set(&["metadata", "annotations", name], *value);
    }
    world.put(Object::new(node));
    world.settle();
    world
}

/// What the component says that nobody needs.
fn told(world: &World) -> Vec<String> {
    let component = world.get(&key("Component", "acme", "web")).unwrap();
    let names = component.node.at(&["status", "collectableReleases"]);
    let names = names.and_then(Node::as_list).unwrap_or_default().iter();
    names.filter_map(Node::as_str).map(str::to_owned).collect()
}

fn releases(world: &World) -> Vec<String> {
    let keys = world.keys().into_iter();
    let names = keys.filter(|key| key.kind == "ComponentRelease" && key.name.contains("old"));
    names.map(|key| key.name.to_string()).collect()
}

#[test]
fn releases_that_nobody_needs_are_told_before_they_are_deleted() {
    let ages = [2000, 1500, 1000, 800, 10];
    let keep = [(NEWEST, "2"), (YOUNGER, "720h")];
    let world = self::world(&ages, &keep);
    assert_eq!(
        told(&world),
        ["web-old-0", "web-old-1", "web-old-2", "web-old-3"]
    );
    assert_eq!(releases(&world).len(), 5, "telling deletes nothing");
    let world = self::world(&ages, &[keep[0], keep[1], (MODE, "delete")]);
    assert_eq!(releases(&world), ["web-old-4"]);
    assert!(told(&world).is_empty());
    let world = self::world(&ages, &[keep[0], keep[1], (MODE, "off")]);
    assert_eq!((told(&world).len(), releases(&world).len()), (0, 5));
    // Ten and thirty days are kept unless something else is said.
    assert!(told(&self::world(&ages, &[])).is_empty());
    assert_eq!(told(&self::world(&[2000; 12], &[])).len(), 3);
}

#[test]
fn what_is_bound_runs_or_comes_from_git_stays() {
    let ages = [2000, 1500, 1000, 800, 700];
    let mut world = self::world(&ages, &[(NEWEST, "0"), (YOUNGER, "1h")]);
    assert_eq!(told(&world).len(), 5);
    world.apply(&binding("staging", "  releaseName: web-old-0\n"));
    let git = key("ComponentRelease", "acme", "web-old-1");
    let mut node = world.get(&git).unwrap().node.clone();
    node.set(
        &["metadata", "labels", "kustomize.toolkit.fluxcd.io/name"],
        "apps",
    );
    world.put(Object::new(node));
    world.settle();
    assert_eq!(told(&world), ["web-old-2", "web-old-3", "web-old-4"]);
    // What runs while another release is held back.
    let staging = key("ReleaseBinding", "acme", "web-staging");
    let mut node = world.get(&staging).unwrap().node.clone();
    node.set(&["spec", "releaseName"], "web-old-2");
    let environment = PLATFORM
        .split("---")
        .find(|own| own.contains("name: staging,"));
    world.apply(&environment.unwrap().replace(
        "namespace: acme}",
        "namespace: acme, annotations: {fleetwright.dev/promotion: enforce}}",
    ));
    world.put(Object::new(node));
    world.settle();
    assert_eq!(
        world
            .condition(&staging, "PromotionBlocked")
            .split(' ')
            .next(),
        Some("True")
    );
    assert_eq!(told(&world), ["web-old-3", "web-old-4"]);
    // Of a component that does not deploy itself nothing else is kept.
    world.apply(&WEB.replace("  autoDeploy: true\n", ""));
    assert!(told(&world).contains(&"web-old-3".to_owned()));
}

#[test]
fn a_release_is_looked_at_again_when_it_is_old_enough() {
    let world = self::world(&[100, 90], &[(NEWEST, "0"), (YOUNGER, "110h")]);
    assert!(told(&world).is_empty());
    let component = key("Component", "acme", "web");
    assert_eq!(world.wake(&component), format!("at {}s", 10 * 3600));
}
