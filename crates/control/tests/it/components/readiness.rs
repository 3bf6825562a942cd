//! When what was applied counts as ready.

use expect_test::expect;

use super::stories::{PLATFORM, WEB, binding, development, latest, shop};
use super::world::{World, key};

/// `ResourcesReady` for each health of the workload, by kind of workload.
#[test]
fn each_kind_of_workload_is_ready_in_its_own_way() {
    let mut table = String::new();
    for (workload, kind, api) in [
        ("deployment", "Deployment", "apps/v1"),
        ("statefulset", "StatefulSet", "apps/v1"),
        ("cronjob", "CronJob", "batch/v1"),
        ("job", "Job", "batch/v1"),
        ("proxy", "Anything", "example.test/v1"),
    ] {
        for health in ["Healthy", "Progressing", "Degraded", "Suspended", "Unknown"] {
            let mut world = World::new();
            world.apply(
                &PLATFORM
                    .replace(
                        "workloadType: deployment",
                        &format!("workloadType: {workload}"),
                    )
                    .replace("id: deployment", &format!("id: {workload}"))
                    .replace("kind: Deployment\n", &format!("kind: {kind}\n"))
                    .replace("apps/v1", api),
            );
            let name = component::names::generate_name(253, &["web", "development"]);
            world.health.insert(name, health);
            world.apply(&WEB.replace("deployment/", &format!("{workload}/")));
            world.seconds = 3;
            world.look(&development());
            let own = world.condition(&development(), "ResourcesReady");
            table += &format!("{workload} {health}: {own}\n");
        }
    }
    expect![[r#"
        deployment Healthy: True Ready
        deployment Progressing: False ResourcesProgressing
        deployment Degraded: False ResourcesDegraded
        deployment Suspended: True ReadyWithSuspendedResources
        deployment Unknown: False ResourcesUnknown
        statefulset Healthy: True Ready
        statefulset Progressing: False ResourcesProgressing
        statefulset Degraded: False ResourcesDegraded
        statefulset Suspended: True ReadyWithSuspendedResources
        statefulset Unknown: False ResourcesUnknown
        cronjob Healthy: True CronJobScheduled
        cronjob Progressing: True CronJobScheduled
        cronjob Degraded: False ResourcesDegraded
        cronjob Suspended: True CronJobSuspended
        cronjob Unknown: False ResourcesUnknown
        job Healthy: True JobCompleted
        job Progressing: False JobRunning
        job Degraded: False JobFailed
        job Suspended: False JobRunning
        job Unknown: False ResourcesUnknown
        proxy Healthy: True Ready
        proxy Progressing: False ResourcesProgressing
        proxy Degraded: False ResourcesDegraded
        proxy Suspended: True Ready
        proxy Unknown: False ResourcesUnknown
    "#]]
    .assert_eq(&table);
}

#[test]
fn what_stands_beside_a_workload_counts_when_it_fails() {
    let mut world = shop();
    let name = component::names::generate_name(253, &["web", "development"]);
    let claim = format!("{name}-data");
    let more = format!(
        "  releaseName: {}\n  componentTypeEnvOverrides: {{disk: true}}\n",
        latest(&world)
    );
    world.health.insert(claim.clone(), "Progressing");
    world.apply(&binding("development", &more));
    assert_eq!(world.condition(&development(), "Ready"), "True Ready");
    world.health.insert(claim, "Degraded");
    world.recover();
    assert_eq!(
        world.condition(&development(), "Ready"),
        "False ResourcesDegraded"
    );
}

#[test]
fn of_a_release_on_its_way_nothing_is_told_for_some_seconds() {
    let mut world = World::new();
    world.apply(PLATFORM);
    let name = component::names::generate_name(253, &["web", "development"]);
    world.health.insert(name.clone(), "Progressing");
    world.apply(WEB);
    assert_eq!(world.condition(&development(), "Ready"), "none");
    assert_eq!(world.wake(&development()), "at 3s");
    world.seconds = 3;
    world.look(&development());
    assert_eq!(
        world.condition(&development(), "Ready"),
        "False ResourcesProgressing"
    );
    // What fails is told at once.
    let mut world = World::new();
    world.apply(PLATFORM);
    world.health.insert(name, "Degraded");
    world.apply(WEB);
    assert_eq!(
        world.condition(&development(), "Ready"),
        "False ResourcesDegraded"
    );
}

#[test]
fn nothing_is_ready_by_what_an_earlier_generation_became() {
    let mut world = shop();
    let more = format!(
        "  releaseName: {}\n  componentTypeEnvOverrides: {{replicas: 7}}\n",
        latest(&world)
    );
    world.online = false;
    world.apply(&binding("development", &more));
    assert_eq!(
        world.condition(&development(), "ReleaseSynced"),
        "True ReleaseSynced"
    );
    assert_eq!(
        world.condition(&development(), "Ready"),
        "False ResourcesProgressing"
    );
    expect!["release `web-development` is not applied yet"]
        .assert_eq(&world.message(&development(), "Ready"));
    world.online = true;
    world.recover();
    assert_eq!(world.condition(&development(), "Ready"), "True Ready");
}

#[test]
fn a_release_that_cannot_be_applied_is_never_ready() {
    let condition = "{type: ResourcesApplied, status: 'False', reason: ApplyFailed, message: quota exceeded, observedGeneration: 1}";
    let condition = yaml::load(condition, &yaml::Limits::default())
        .unwrap()
        .remove(0)
        .node;
    let conditions = object::Node::list([condition]);
    let mut world = shop();
    let release = key("Release", "acme", "web-development");
    let status = world.get(&release).unwrap().node.get("status").cloned();
    // Some of its objects are there, or nobody has ever reached its data plane.
    for mut status in [status.unwrap(), object::Node::map()] {
        status.set(&["conditions"], conditions.clone());
        world.set_status(&release, status);
        assert_eq!(
            world.condition(&development(), "Ready"),
            "False ResourceApplyFailed"
        );
        expect!["release `web-development` is not applied: quota exceeded"]
            .assert_eq(&world.message(&development(), "Ready"));
    }
}

#[test]
fn a_refused_write_is_told() {
    let world = shop();
    let decision = world.refused(&development(), "denied by webhook `size`");
    let [control::components::Action::Status(status)] = decision.actions.as_slice() else {
        panic!("{:?}", decision.actions);
    };
    let conditions = api::Conditions::read(status.get("conditions"));
    let synced = conditions.get("ReleaseSynced").unwrap();
    assert_eq!(
        (synced.reason.as_str(), synced.message.as_str()),
        ("ReleaseUpdateFailed", "denied by webhook `size`")
    );
}
