//! Which release may go where.

use control::components::PromotionMode;
use expect_test::expect;
use object::Node;

use super::stories::{PLATFORM, WEB, binding, latest, shop};
use super::world::{World, key};

fn enforcing() -> World {
    let mut world = World::new();
    world.options.promotion = PromotionMode::Enforce;
    world.apply(PLATFORM);
    world.apply(WEB);
    world
}

fn bind(world: &mut World, environment: &str, release: &str, more: &str) {
    world.apply(&binding(
        environment,
        &format!("  releaseName: {release}\n{more}"),
    ));
}

fn image(world: &World, environment: &str) -> String {
    let release = key("Release", "acme", &format!("web-{environment}"));
    let Some(objects) = world.applied.get(&release) else {
        return "nothing".to_owned();
    };
    let mut images = objects
        .values()
        .filter_map(|own| own.str_at(&["spec", "image"]));
    images.next().unwrap_or_default().to_owned()
}

#[test]
fn a_release_that_never_was_ready_before_is_held_and_what_runs_stays() {
    let mut world = enforcing();
    let first = latest(&world);
    bind(&mut world, "staging", &first, "");
    assert_eq!(image(&world, "staging"), "web:1");

    // The next one never gets ready in development.
    let name = world
        .running()
        .into_iter()
        .find(|own| own.starts_with("Deployment web-dev"));
    let name = name.unwrap().replace("Deployment ", "");
    world.health.insert(name.clone(), "Progressing");
    world.apply(&WEB.replace("web:1", "web:2"));
    let second = latest(&world);
    bind(&mut world, "staging", &second, "");
    let staging = key("ReleaseBinding", "acme", "web-staging");
    assert_eq!(
        world.condition(&staging, "PromotionBlocked"),
        "True PromotionPath"
    );
    assert_eq!(world.condition(&staging, "Ready"), "False PromotionBlocked");
    assert_eq!(image(&world, "staging"), "web:1");
    expect!["the release has not been ready in `development`; bind and prove it there first"]
        .assert_eq(&world.message(&staging, "Ready"));

    // Going back needs nothing: it runs already.
    bind(&mut world, "staging", &first, "");
    assert_eq!(world.condition(&staging, "Ready"), "True Ready");
    bind(&mut world, "staging", &second, "");

    world.health.clear();
    world.recover();
    assert_eq!(image(&world, "development"), "web:2");
    assert_eq!(world.condition(&staging, "Ready"), "True Ready");
    assert_eq!(image(&world, "staging"), "web:2");
}

#[test]
fn of_bindings_that_come_together_none_tells_that_the_one_before_it_was_not_ready() {
    for seed in 0..40 {
        let mut world = World::shuffled(seed);
        world.apply(PLATFORM);
        let components = WEB.replace("  autoDeploy: true\n", "");
        world.apply(&components);
        // What a release freezes is known when it was made once.
        let maker = shop();
        let name = latest(&maker);
        let release = maker.get(&key("ComponentRelease", "acme", &name)).unwrap();
        world.put((*release).clone());
        world.log.borrow_mut().clear();
        let all = ["production", "staging", "development"]
            .map(|environment| binding(environment, &format!("  releaseName: {name}\n")));
        world.apply(&all.join("\n---\n"));
        let log = world.log.borrow().join("\n");
        for environment in ["development", "staging"] {
            let own = key("ReleaseBinding", "acme", &format!("web-{environment}"));
            assert_eq!(world.condition(&own, "Ready"), "True Ready", "seed {seed}");
            assert_eq!(world.condition(&own, "PromotionBlocked"), "none");
            let told = format!("status ReleaseBinding/web-{environment}");
            assert_eq!(log.matches(&told).count(), 1, "seed {seed}:\n{log}");
        }
    }
}

#[test]
fn a_release_has_to_last_before_it_goes_on() {
    let mut world = enforcing();
    let development = PLATFORM.split("---").nth(2).unwrap();
    world.apply(&development.replace(
        "namespace: acme}",
        "namespace: acme, annotations: {fleetwright.dev/promotion-soak: 10m}}",
    ));
    let first = latest(&world);
    world.seconds = 60;
    bind(&mut world, "staging", &first, "");
    let staging = key("ReleaseBinding", "acme", "web-staging");
    assert_eq!(
        world.condition(&staging, "PromotionBlocked"),
        "True PromotionHealth"
    );
    assert_eq!(world.wake(&staging), "at 600s");
    world.seconds = 600;
    world.look(&staging);
    assert_eq!(world.condition(&staging, "Ready"), "True Ready");
    assert_eq!(image(&world, "staging"), "web:1");
}

#[test]
fn an_approval_is_for_one_release_in_one_place_with_its_values() {
    let mut world = enforcing();
    let first = latest(&world);
    bind(&mut world, "staging", &first, "");
    bind(&mut world, "production", &first, "");
    let production = key("ReleaseBinding", "acme", "web-production");
    assert_eq!(
        world.condition(&production, "PromotionBlocked"),
        "True PromotionApproval"
    );
    assert_eq!(image(&world, "production"), "nothing");
    let asked = |world: &World| {
        let object = world.get(&production).unwrap();
        let digest = object.node.str_at(&["status", "promotion", "digest"]);
        digest.unwrap_or_default().to_owned()
    };
    let digest = asked(&world);
    let approved = |digest: &str, more: &str| {
        let own = binding("production", &format!("  releaseName: {first}\n{more}"));
        let marker =
            format!("namespace: acme, annotations: {{fleetwright.dev/approval: \"{digest}\"}}}}");
        own.replacen("namespace: acme}", &marker, 1)
    };
    world.apply(&approved("something else", ""));
    assert_eq!(image(&world, "production"), "nothing");
    world.apply(&approved(&digest, ""));
    assert_eq!(image(&world, "production"), "web:1");
    assert_eq!(world.condition(&production, "Ready"), "True Ready");

    // Other values are another thing to approve; what was approved goes on running.
    let more = "  componentTypeEnvOverrides: {replicas: 9}\n";
    world.apply(&approved(&digest, more));
    assert_eq!(
        world.condition(&production, "PromotionBlocked"),
        "True PromotionApproval"
    );
    let release = &world.applied[&key("Release", "acme", "web-production")];
    let replicas = release
        .values()
        .find_map(|own| own.at(&["spec", "replicas"]).and_then(Node::as_i64));
    assert_eq!(replicas, Some(1));
    let second = asked(&world);
    assert_ne!(second, digest);

    // An approval that was recorded elsewhere counts as well.
    world.options.approvals.insert(second.into());
    world.look(&production);
    assert_eq!(world.condition(&production, "Ready"), "True Ready");
}

#[test]
fn a_decision_to_force_a_release_is_for_exactly_that_and_is_told() {
    let mut world = enforcing();
    let first = latest(&world);
    bind(&mut world, "production", &first, "");
    let production = key("ReleaseBinding", "acme", "web-production");
    assert_eq!(
        world.condition(&production, "PromotionBlocked"),
        "True PromotionPath"
    );
    let object = world.get(&production).unwrap();
    let digest = object.node.str_at(&["status", "promotion", "digest"]);
    let digest = digest.unwrap_or_default().to_owned();
    let forced = |more: &str| {
        let own = binding("production", &format!("  releaseName: {first}\n{more}"));
        let marker = format!(
            "namespace: acme, annotations: {{fleetwright.dev/promotion-forced: \"{digest}\"}}}}"
        );
        own.replacen("namespace: acme}", &marker, 1)
    };
    world.apply(&forced("  componentTypeEnvOverrides: {replicas: 9}\n"));
    assert_eq!(image(&world, "production"), "nothing");
    world.apply(&forced(""));
    assert_eq!(image(&world, "production"), "web:1");
    assert_eq!(world.condition(&production, "Ready"), "True Ready");
    assert!(world.told.contains("PromotionForced"));
}

#[test]
fn trees_that_come_from_elsewhere_are_told_and_not_stopped() {
    let mut world = shop();
    let first = latest(&world);
    bind(&mut world, "production", &first, "");
    let production = key("ReleaseBinding", "acme", "web-production");
    assert_eq!(
        world.condition(&production, "PromotionBlocked"),
        "False PromotionPath"
    );
    assert_eq!(world.condition(&production, "Ready"), "True Ready");
    assert_eq!(image(&world, "production"), "web:1");

    // The environment decides for itself.
    let own = PLATFORM.split("---").nth(4).unwrap();
    for (mode, condition) in [("off", "none"), ("warn", "False PromotionPath")] {
        world.apply(&own.replace(
            "namespace: acme}",
            &format!("namespace: acme, annotations: {{fleetwright.dev/promotion: \"{mode}\"}}}}"),
        ));
        assert_eq!(world.condition(&production, "PromotionBlocked"), condition);
    }
}

#[test]
fn an_environment_that_no_path_leads_to_gets_nothing() {
    let mut world = enforcing();
    let first = latest(&world);
    world.apply("apiVersion: openchoreo.dev/v1alpha1\nkind: Environment\nmetadata: {name: lab, namespace: acme}\nspec: {dataPlaneRef: local}\n");
    bind(&mut world, "lab", &first, "");
    let lab = key("ReleaseBinding", "acme", "web-lab");
    expect!["pipeline `standard` does not lead to `lab`"]
        .assert_eq(&world.message(&lab, "PromotionBlocked"));
}
