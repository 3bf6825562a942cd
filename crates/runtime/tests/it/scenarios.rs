//! What the engine does, one short story each.

use std::time::Duration;

use crate::faults::Fate;
use crate::world::{World, condition, config_map, deployment, inventory, unit};

const MINUTE: Duration = Duration::from_secs(60);

fn second() -> Duration {
    Duration::from_secs(1)
}

/// A world with one unit `web` that is ready.
async fn ready_world(files: &[(&str, &str)], spec: &str) -> (World, String) {
    let mut world = World::new(files).await;
    let revision = world.commit(files);
    world.apply(&unit("web", spec)).await;
    world.start();
    world.until_ready("web", &revision).await;
    (world, revision)
}

#[tokio::test(start_paused = true)]
async fn a_fix_ends_the_wait_for_what_it_replaces() {
    let broken = deployment("web", "fault.local/never-ready");
    let mut world = World::new(&[("web/all.yaml", &broken)]).await;
    world.apply(&unit("web", "wait: true\ntimeout: 10m")).await;
    world.start();
    world
        .until("web", "waiting for health", |unit| {
            condition(unit, "Ready")
                .2
                .starts_with("Running health checks")
        })
        .await;
    world.pass(MINUTE).await;
    let before = tokio::time::Instant::now();
    let fixed = world.commit(&[("web/all.yaml", &deployment("web", "example.com/web:2"))]);
    world.until_ready("web", &fixed).await;
    assert!(before.elapsed() < 20 * second(), "{:?}", before.elapsed());
    world.quiet(10 * MINUTE, "after the fix").await;
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_nobody_ends_fails_after_its_timeout_and_succeeds_later() {
    let slow = deployment("web", "fault.local/slow-start:3m");
    let mut world = World::new(&[("web/all.yaml", &slow)]).await;
    world.apply(&unit("web", "wait: true\ntimeout: 1m")).await;
    world.start();
    let unit = world.until_says("web", "Deployment/apps/web").await;
    assert_eq!(condition(&unit, "Ready").1, "HealthCheckFailed");
    assert_eq!(condition(&unit, "Healthy").0, "False");
    let unit = world
        .until("web", "healthy", |unit| {
            condition(unit, "Healthy").0 == "True"
        })
        .await;
    assert_eq!(condition(&unit, "Ready").0, "True");
}

#[tokio::test(start_paused = true)]
async fn a_variable_that_changes_ends_a_wait_too() {
    let image = deployment("web", "${image}");
    let mut world = World::new(&[("web/all.yaml", &image)]).await;
    let revision = world.commit(&[("web/all.yaml", &image)]);
    let variables = |image: &str| {
        format!(
            "apiVersion: v1
kind: ConfigMap
metadata: {{name: vars, namespace: flux-system, labels: {{reconcile.fluxcd.io/watch: Enabled}}}}
data: {{image: {image:?}}}
"
        )
    };
    world.apply(&variables("fault.local/never-ready")).await;
    let spec = "interval: 1h\nwait: true\ntimeout: 10m
postBuild: {substituteFrom: [{kind: ConfigMap, name: vars}]}";
    world.apply(&unit("web", spec)).await;
    world.start();
    world.pass(MINUTE).await;
    let before = tokio::time::Instant::now();
    world.apply(&variables("example.com/web:1")).await;
    world.until_ready("web", &revision).await;
    assert!(before.elapsed() < 20 * second(), "{:?}", before.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_behind_does_not_make_a_broken_revision_healthy() {
    let good = deployment("web", "example.com/web:1");
    let slow = deployment("slow", "fault.local/never-ready");
    let mut world = World::new(&[]).await;
    let first = world.commit(&[("web/all.yaml", &good), ("slow/all.yaml", &slow)]);
    world.faults.decide(
        |asked| match asked.is_watch() && asked.path.ends_with("/deployments") {
            true => Fate::Slowly(2 * second()),
            false => Fate::Pass,
        },
    );
    // Keeps the watch of Deployments open.
    world.apply(&unit("slow", "wait: true\ntimeout: 1h")).await;
    world.apply(&unit("web", "wait: true\ntimeout: 1m")).await;
    world.start();
    world.until_ready("web", &first).await;
    world.pass(5 * second()).await;
    // Only this unit changes, so that the other one goes on waiting.
    let images = "spec: {images: [{name: example.com/web, newName: fault.local/never-ready}]}";
    world.patch_unit("web", images).await;
    for _ in 0..600 {
        world.pass(Duration::from_millis(100)).await;
        let unit = world.unit("web").await;
        assert!(
            !crate::world::is_ready(&unit, &first),
            "{:?}",
            condition(&unit, "Ready")
        );
    }
    let unit = world.until_says("web", "Deployment/apps/web").await;
    assert_eq!(condition(&unit, "Ready").1, "HealthCheckFailed");
}

#[tokio::test(start_paused = true)]
async fn a_status_that_cannot_be_written_is_written_later() {
    let files = [("web/a.yaml", &*config_map("a", "1"))];
    for resource in ["gitrepositories/fleet/status", "kustomizations/web/status"] {
        let (mut world, _) = ready_world(&files, "interval: 10h").await;
        let mut left = 3;
        world.faults.decide(move |asked| {
            let concerned = asked.path.ends_with(resource) && left > 0;
            left -= i32::from(concerned);
            match concerned {
                true => Fate::Refuse(503, "ServiceUnavailable"),
                false => Fate::Pass,
            }
        });
        let before = tokio::time::Instant::now();
        let revision = world.commit(&[("web/a.yaml", &config_map("a", "2"))]);
        world.until_ready("web", &revision).await;
        assert!(
            before.elapsed() < 20 * second(),
            "{resource}: {:?}",
            before.elapsed()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_suspended_unit_does_nothing_until_it_is_resumed() {
    let files = [("web/a.yaml", &*config_map("a", "1"))];
    let (mut world, _) = ready_world(&files, "").await;
    world.patch_unit("web", "spec: {suspend: true}").await;
    world.pass(second()).await;
    let revision = world.commit(&[("web/b.yaml", &config_map("b", "1"))]);
    world.pass(5 * MINUTE).await;
    assert_eq!(world.value("apps/a").await.as_deref(), Some("1"));
    assert_eq!(world.value("apps/b").await, None);
    world.patch_unit("web", "spec: {suspend: false}").await;
    world.until_ready("web", &revision).await;
    assert_eq!(world.value("apps/a").await, None);
    assert_eq!(world.value("apps/b").await.as_deref(), Some("1"));
}

#[tokio::test(start_paused = true)]
async fn units_wait_for_what_they_depend_on() {
    let mut world = World::new(&[
        (
            "base/all.yaml",
            &deployment("base", "fault.local/slow-start:2m"),
        ),
        ("web/a.yaml", &config_map("a", "1")),
    ])
    .await;
    world.apply(&unit("base", "wait: true\ntimeout: 10m")).await;
    world.apply(&unit("web", "dependsOn: [{name: base}]")).await;
    world.start();
    let waiting = world
        .until_says("web", "dependency 'flux-system/base' is not ready")
        .await;
    assert_eq!(condition(&waiting, "Ready").1, "DependencyNotReady");
    world.pass(MINUTE).await;
    assert_eq!(world.value("apps/a").await, None);
    world
        .until("base", "ready", |unit| condition(unit, "Ready").0 == "True")
        .await;
    world.pass(second()).await;
    assert_eq!(world.value("apps/a").await.as_deref(), Some("1"));
}

#[tokio::test(start_paused = true)]
async fn units_in_a_circle_are_told_so() {
    let mut world = World::new(&[("a/a.yaml", &config_map("a", "1"))]).await;
    world.apply(&unit("a", "dependsOn: [{name: b}]")).await;
    world.apply(&unit("b", "dependsOn: [{name: a}]")).await;
    world.start();
    let circle = "circular dependency detected: flux-system/a -> flux-system/b -> flux-system/a";
    let unit = world.until_says("a", circle).await;
    assert_eq!(condition(&unit, "Stalled").0, "True");
    world.pass(second()).await;
    world.quiet(10 * MINUTE, "in a circle").await;
    // Whoever breaks the circle lets both go.
    world
        .patch_unit("b", "spec: {dependsOn: null, path: ./a}")
        .await;
    world
        .until("a", "ready", |unit| condition(unit, "Ready").0 == "True")
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_large_deletion_is_held_until_exactly_it_is_confirmed() {
    let all: Vec<(String, String)> = (0..6)
        .map(|at| (format!("web/{at}.yaml"), config_map(&format!("c{at}"), "1")))
        .collect();
    let all: Vec<(&str, &str)> = all.iter().map(|(path, text)| (&**path, &**text)).collect();
    let (mut world, first) = ready_world(&all, "").await;
    let second_revision = world.commit(&all[..1]);
    let unit = world.until_says("web", "fleetwright confirm ks/web").await;
    assert_eq!(condition(&unit, "Ready").1, "DeletionHeld");
    assert_eq!(condition(&unit, "Stalled").0, "True");
    assert_eq!(inventory(&unit).len(), 6);
    let applied = unit.node.str_at(&["status", "lastAppliedRevision"]);
    assert_eq!(applied, Some(&*first));
    world.pass(second()).await;
    world.quiet(10 * MINUTE, "while held").await;
    let message = condition(&unit, "Ready").2;
    let digest = message.split("--plan ").nth(1).expect("a digest");
    // Another digest changes nothing.
    let confirm = |digest: &str| {
        format!("metadata: {{annotations: {{fleetwright.dev/confirmed-plan: {digest:?}}}}}")
    };
    world.patch_unit("web", &confirm("sha256:0000000000")).await;
    world.pass(5 * MINUTE).await;
    assert_eq!(world.value("apps/c5").await.as_deref(), Some("1"));
    world.patch_unit("web", &confirm(digest)).await;
    let unit = world.until_ready("web", &second_revision).await;
    assert_eq!(inventory(&unit), ["apps_c0__ConfigMap"]);
    assert_eq!(world.value("apps/c5").await, None);
    world.quiet(10 * MINUTE, "after the deletion").await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_write_keeps_everything_in_the_inventory() {
    let files = [("web/a.yaml", &*config_map("a", "1"))];
    let (mut world, _) = ready_world(&files, "").await;
    world.faults.decide(
        |asked| match asked.path.ends_with("/configmaps/c") && asked.write > 0 {
            true => Fate::Refuse(403, "Forbidden"),
            false => Fate::Pass,
        },
    );
    let more = config_map("b", "1") + &config_map("c", "1");
    let revision = world.commit(&[("web/more.yaml", &more)]);
    let unit = world.until_says("web", "Forbidden by test").await;
    let ids = [
        "apps_a__ConfigMap",
        "apps_b__ConfigMap",
        "apps_c__ConfigMap",
    ];
    assert_eq!(inventory(&unit), ids, "removed, written and refused");
    assert_eq!(world.value("apps/a").await.as_deref(), Some("1"));
    assert_eq!(world.value("apps/b").await.as_deref(), Some("1"));
    world.faults.end();
    let unit = world.until_ready("web", &revision).await;
    assert_eq!(inventory(&unit), ids[1..]);
    assert_eq!(world.value("apps/a").await, None);
}

#[tokio::test(start_paused = true)]
async fn objects_of_one_kind_are_written_together_and_none_after_a_refusal() {
    let (mut world, _) = ready_world(&[("web/a.yaml", &*config_map("a", "1"))], "").await;
    world.faults.decide(
        |asked| match asked.path.ends_with("/b") && asked.write > 0 {
            true => Fate::Refuse(403, "Forbidden"),
            false => Fate::Pass,
        },
    );
    let names = ["a", "b", "c", "d", "e", "f"];
    let maps: String = names.iter().map(|name| config_map(name, "2")).collect();
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: apps}\nspec: {ports: [{port: 80}]}\n";
    let revision = world.commit(&[("web/a.yaml", &maps), ("web/s.yaml", service)]);
    world.until_says("web", "Forbidden by test").await;
    // Four at a time, as the engine of these tests is told.
    for (name, value) in [
        ("a", Some("2")),
        ("c", Some("2")),
        ("d", Some("2")),
        ("e", None),
    ] {
        let found = world.value(&format!("apps/{name}")).await;
        assert_eq!(found.as_deref(), value, "{name}");
    }
    assert_eq!(world.find("v1", "Service", "apps/s").await, None);
    world.faults.end();
    world.faults.take_log();
    world.until_ready("web", &revision).await;
    let log = world.faults.take_log();
    let written: Vec<&str> = log
        .iter()
        .filter(|asked| asked.write > 0)
        .filter_map(|asked| asked.path.strip_prefix("/api/v1/namespaces/apps/"))
        .collect();
    assert_eq!(
        written,
        ["configmaps/b", "configmaps/e", "configmaps/f", "services/s"]
    );
}

const DEFINITION: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
";

#[tokio::test(start_paused = true)]
async fn a_definition_and_an_object_of_it_may_come_in_one_commit() {
    let widget = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w, namespace: apps}\n";
    let files = [("web/a.yaml", widget), ("web/b.yaml", DEFINITION)];
    let (world, _) = ready_world(&files, "wait: true").await;
    world.get("example.com/v1", "Widget", "apps/w").await;
    world.quiet(10 * MINUTE, "with a definition").await;
}

#[tokio::test(start_paused = true)]
async fn a_namespace_on_its_way_out_is_waited_for_and_made_again() {
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\n";
    let text = namespace.to_owned() + &config_map("a", "1").replace("apps", "shop");
    let (world, revision) = ready_world(&[("web/all.yaml", &text)], "").await;
    let guard = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: guard, namespace: shop, finalizers: [example.com/guard]}\n";
    world.apply(guard).await;
    let before = world.get("v1", "Namespace", "shop").await;
    world.delete(&before).await;
    let unit = world.until_says("web", "being terminated").await;
    assert_eq!(inventory(&unit).len(), 2);
    world.pass(5 * MINUTE).await;
    let guard = world.get("v1", "ConfigMap", "shop/guard").await;
    world.patch(&guard, "metadata: {finalizers: null}").await;
    world.until_ready("web", &revision).await;
    let after = world.get("v1", "Namespace", "shop").await;
    assert_ne!(before.uid(), after.uid());
    assert_eq!(world.value("shop/a").await.as_deref(), Some("1"));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_built_changes_nothing() {
    let good = config_map("a", "1");
    let other = config_map("b", "1");
    type Files<'a> = &'a [(&'a str, &'a str)];
    let cases: &[(&str, Files<'_>, &str)] = &[
        (
            "path missing",
            &[("elsewhere/b.yaml", &other)],
            "kustomization path not found",
        ),
        (
            "a text for an object",
            &[
                ("web/b.yaml", &other),
                ("web/text.yaml", "just a sentence\n"),
            ],
            "text.yaml",
        ),
        (
            "an object without a name",
            &[
                ("web/b.yaml", &other),
                ("web/c.yaml", "apiVersion: v1\nkind: ConfigMap\n"),
            ],
            "metadata.name",
        ),
        (
            "the same object twice",
            &[("web/b.yaml", &other), ("web/c.yaml", &other)],
            "ConfigMap",
        ),
        (
            "broken YAML",
            &[("web/b.yaml", &other), ("web/c.yaml", "a: [1\nb: }\n")],
            "c.yaml",
        ),
        (
            "a missing resource",
            &[
                ("web/kustomization.yaml", "resources: [b.yaml, gone.yaml]\n"),
                ("web/b.yaml", &other),
            ],
            "gone.yaml",
        ),
    ];
    let (mut world, _) = ready_world(&[("web/a.yaml", &good)], "").await;
    for (case, files, says) in cases {
        world.commit(files);
        let unit = world
            .until("web", case, |unit| {
                let ready = condition(unit, "Ready");
                ready.0 == "False" && ready.2.contains(says)
            })
            .await;
        assert_eq!(condition(&unit, "Ready").1, "BuildFailed", "{case}");
        assert_eq!(inventory(&unit), ["apps_a__ConfigMap"], "{case}");
        world.pass(second()).await;
        world.quiet(10 * MINUTE, case).await;
        assert_eq!(world.value("apps/a").await.as_deref(), Some("1"), "{case}");
        assert_eq!(world.value("apps/b").await, None, "{case}");
        let revision = world.commit(&[("web/a.yaml", &good)]);
        world.until_ready("web", &revision).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_unreachable_git_host_leaves_units_as_they_are() {
    let (world, revision) = ready_world(&[("web/a.yaml", &config_map("a", "1"))], "").await;
    let kind = api::git_repository_kind();
    let name = "flux-system/fleet";
    let repository = world.get(&kind.api_version(), &kind.kind, name).await;
    world
        .patch(
            &repository,
            "spec: {url: 'https://git.invalid/team/fleet.git'}",
        )
        .await;
    let mut failed = repository;
    for _ in 0..600 {
        world.pass(second()).await;
        failed = world.get(&kind.api_version(), &kind.kind, name).await;
        if condition(&failed, "Ready").0 == "False" {
            break;
        }
    }
    let (status, reason, message) = condition(&failed, "Ready");
    assert_eq!(
        (&*status, &*reason),
        ("False", "GitOperationFailed"),
        "{message}"
    );
    assert!(message.contains("git.invalid"), "{message}");
    assert!(failed.node.at(&["status", "artifact"]).is_some());
    // Drift is corrected from what is stored.
    let object = world.config_map("apps/a").await.expect("it is there");
    world.patch(&object, "data: {value: changed}").await;
    world.pass(2 * MINUTE).await;
    assert_eq!(world.value("apps/a").await.as_deref(), Some("1"));
    world.until_ready("web", &revision).await;
}

#[tokio::test(start_paused = true)]
async fn a_tenant_may_do_only_what_its_account_may() {
    let account =
        "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: tenant, namespace: flux-system}\n";
    let files = [("web/a.yaml", &*config_map("a", "1"))];
    let mut world = World::new(&files).await;
    let revision = world.commit(&files);
    world.apply(account).await;
    world
        .apply(&unit("web", "serviceAccountName: tenant"))
        .await;
    world.start();
    let refused = world.until_says("web", "forbidden").await;
    let message = condition(&refused, "Ready").2;
    let user = "\"system:serviceaccount:flux-system:tenant\"";
    assert!(message.contains(user), "{message}");
    assert_eq!(world.value("apps/a").await, None);
    world
        .apply(
            "apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: tenant, namespace: apps}
rules: [{apiGroups: [''], resources: [configmaps], verbs: ['*']}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: tenant, namespace: apps}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: tenant}
subjects: [{kind: ServiceAccount, name: tenant, namespace: flux-system}]
",
        )
        .await;
    world.until_ready("web", &revision).await;
    // Every write of the object came from the tenant.
    let log = world.faults.take_log();
    let mut asked = log
        .iter()
        .filter(|asked| asked.path.contains("/configmaps/a"));
    assert!(asked.all(|asked| asked.user == "system:serviceaccount:flux-system:tenant"));
    // An account that is gone cannot delete, and does not keep the unit.
    let account = world
        .get("v1", "ServiceAccount", "flux-system/tenant")
        .await;
    world.delete(&account).await;
    world.delete(&world.unit("web").await).await;
    world.pass(MINUTE).await;
    let kind = api::kustomization_kind();
    let left = world
        .find(&kind.api_version(), &kind.kind, "flux-system/web")
        .await;
    assert!(left.is_none());
    assert_eq!(world.value("apps/a").await.as_deref(), Some("1"));
}

#[tokio::test(start_paused = true)]
async fn a_unit_can_go_to_another_cluster() {
    let files = [("web/a.yaml", &*config_map("a", "1"))];
    let mut world = World::new(&files).await;
    let revision = world.commit(&files);
    let spec = "kubeConfig: {secretRef: {name: remote}}";
    world.apply(&unit("web", spec)).await;
    world.start();
    world.until_says("web", "flux-system/remote").await;
    let kubeconfig = r"{clusters: [{name: r, cluster: {server: 'https://remote.test'}}], contexts: [{name: r, context: {cluster: r, user: r}}], users: [{name: r, user: {}}], current-context: r}";
    world
        .apply(&format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: remote, namespace: flux-system}}\nstringData: {{value: {kubeconfig:?}}}\n"
        ))
        .await;
    world.until_ready("web", &revision).await;
    assert_eq!(world.value("apps/a").await, None);
    let there = || {
        world
            .remote
            .snapshot()
            .get("configmaps", "apps", "a")
            .cloned()
    };
    assert!(there().is_some());
    world.quiet(10 * MINUTE, "elsewhere").await;
    world.delete(&world.unit("web").await).await;
    world.pass(second()).await;
    assert!(there().is_none());
}

#[tokio::test(start_paused = true)]
async fn what_a_deleted_unit_leaves_is_its_policy() {
    let cases = [
        ("prune: true", false),
        ("prune: false", true),
        ("prune: true\ndeletionPolicy: Orphan", true),
        ("prune: false\ndeletionPolicy: Delete", false),
        ("prune: false\ndeletionPolicy: WaitForTermination", false),
        ("prune: true\nsuspend: true", true),
    ];
    for (spec, stays) in cases {
        let files = [
            ("web/a.yaml", &*config_map("a", "1")),
            (
                "web/b.yaml",
                &*config_map("b", "1").replace(
                    "namespace: apps",
                    "namespace: apps, annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}",
                ),
            ),
        ];
        let (world, _) = ready_world(&files, &spec.replace("suspend: true", "")).await;
        if spec.contains("suspend") {
            world.patch_unit("web", "spec: {suspend: true}").await;
        }
        world.delete(&world.unit("web").await).await;
        world.pass(MINUTE).await;
        let kind = api::kustomization_kind();
        let left = world
            .find(&kind.api_version(), &kind.kind, "flux-system/web")
            .await;
        assert!(left.is_none(), "{spec}");
        assert_eq!(world.value("apps/a").await.is_some(), stays, "{spec}");
        assert_eq!(world.value("apps/b").await.as_deref(), Some("1"), "{spec}");
    }
}

#[tokio::test(start_paused = true)]
async fn drift_is_corrected_and_what_others_own_is_left_alone() {
    let (world, _) = ready_world(&[("web/a.yaml", &config_map("a", "1"))], "").await;
    let object = world.config_map("apps/a").await.expect("it is there");
    world
        .patch(&object, "data: {value: changed, more: mine}")
        .await;
    world.pass(2 * MINUTE).await;
    let object = world.config_map("apps/a").await.expect("it is there");
    assert_eq!(object.node.str_at(&["data", "value"]), Some("1"));
    assert_eq!(object.node.str_at(&["data", "more"]), Some("mine"));
    world.quiet(10 * MINUTE, "after drift").await;
    world.delete(&object).await;
    world.pass(2 * MINUTE).await;
    assert_eq!(world.value("apps/a").await.as_deref(), Some("1"));
}

#[tokio::test(start_paused = true)]
async fn a_changed_variable_wakes_the_units_that_read_it() {
    let files = [("web/a.yaml", &*config_map("a", "${colour}"))];
    let mut world = World::new(&files).await;
    let revision = world.commit(&files);
    let variables = |colour: &str| {
        format!(
            "apiVersion: v1
kind: ConfigMap
metadata: {{name: vars, namespace: flux-system, labels: {{reconcile.fluxcd.io/watch: Enabled}}}}
data: {{colour: {colour:?}}}
"
        )
    };
    let spec = "interval: 10h\npostBuild: {substituteFrom: [{kind: ConfigMap, name: vars}]}\nretryInterval: 30s";
    world.apply(&unit("web", spec)).await;
    world.start();
    world
        .until_says("web", "configmaps \"vars\" not found")
        .await;
    world.apply(&variables("red")).await;
    world.until_ready("web", &revision).await;
    assert_eq!(world.value("apps/a").await.as_deref(), Some("red"));
    world.apply(&variables("blue")).await;
    world.pass(second()).await;
    assert_eq!(world.value("apps/a").await.as_deref(), Some("blue"));
}

#[tokio::test(start_paused = true)]
async fn a_wish_is_answered_with_its_token() {
    let (world, _) = ready_world(&[("web/a.yaml", &config_map("a", "1"))], "interval: 10h").await;
    let object = world.config_map("apps/a").await.expect("it is there");
    world.delete(&object).await;
    let wish = "metadata: {annotations: {reconcile.fluxcd.io/requestedAt: now}}";
    world.patch_unit("web", wish).await;
    let handled = |unit: &object::Object| {
        let handled = unit.node.str_at(&["status", "lastHandledReconcileAt"]);
        handled.map(str::to_owned)
    };
    world
        .until("web", "answered", |unit| {
            handled(unit).as_deref() == Some("now")
        })
        .await;
    assert_eq!(world.value("apps/a").await.as_deref(), Some("1"));
    world.pass(second()).await;
    world.quiet(10 * MINUTE, "after a wish").await;
}

#[tokio::test(start_paused = true)]
async fn an_object_that_moves_between_units_is_kept() {
    let (a, b) = (config_map("a", "1"), config_map("b", "1"));
    let (mut world, first) = ready_world(
        &[
            ("web/a.yaml", &a),
            ("web/b.yaml", &b),
            ("api/c.yaml", &config_map("c", "1")),
        ],
        "",
    )
    .await;
    world.apply(&unit("api", "")).await;
    world.until_ready("api", &first).await;
    let second = world.commit(&[
        ("web/a.yaml", &a),
        ("api/b.yaml", &b),
        ("api/c.yaml", &config_map("c", "1")),
    ]);
    world.until_ready("api", &second).await;
    world.until_ready("web", &second).await;
    world.pass(3 * MINUTE).await;
    let after = world.config_map("apps/b").await.expect("it is there");
    let owner = after.label("kustomize.toolkit.fluxcd.io/name");
    assert_eq!(owner, Some("api"));
    world.quiet(10 * MINUTE, "after a move").await;
}

#[tokio::test(start_paused = true)]
async fn an_object_of_nobody_with_the_labels_of_a_unit_is_seen_by_the_tests() {
    let (world, _) = ready_world(&[("web/a.yaml", &config_map("a", "1"))], "").await;
    assert_eq!(world.orphans().await, Vec::<String>::new());
    let stray = config_map("stray", "1").replace(
        "namespace: apps",
        "namespace: apps, labels: {kustomize.toolkit.fluxcd.io/name: web, kustomize.toolkit.fluxcd.io/namespace: flux-system}",
    );
    world.apply(&stray).await;
    assert_eq!(world.orphans().await.len(), 1);
    // Labels alone are no reason to delete.
    world.pass(5 * MINUTE).await;
    assert_eq!(world.value("apps/stray").await.as_deref(), Some("1"));
}
