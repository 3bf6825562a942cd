//! One reconcile, request by request: scripts of answers, and what is asked and reported.

use api::{Artifact, Kustomization};
use control::kustomization::{
    Answer, Attempt, Finished, HealthVerdict, Memory, Next, Observed, Options, Refusal, Rendered,
    Request, Source, Step, next,
};
use expect_test::{Expect, expect};
use object::{Node, Object};
use plan::{LiveStale, Probe};

use crate::{conditions, object, seconds, timing};

fn unit(spec: &str, inventory: &[&str]) -> Kustomization {
    let mut object = object(&format!(
        "
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: apps, namespace: team, generation: 1, finalizers: [finalizers.fluxcd.io]}}
spec: {{interval: 10m, retryInterval: 1m, prune: true, sourceRef: {{kind: GitRepository, name: fleet}}{spec}}}
"
    ));
    let entries = inventory.iter().map(|name| {
        let mut entry = Node::map();
        entry.set(&["id"], format!("app_{name}__ConfigMap"));
        entry.set(&["v"], "v1");
        entry
    });
    if !inventory.is_empty() {
        object
            .node
            .set(&["status", "inventory", "entries"], Node::list(entries));
    }
    Kustomization::read(&object).unwrap()
}

fn config(name: &str) -> Object {
    let mut node = Node::map();
    node.set(&["apiVersion"], "v1");
    node.set(&["kind"], "ConfigMap");
    node.set(&["metadata", "namespace"], "app");
    node.set(&["metadata", "name"], name);
    for (key, value) in [("name", "apps"), ("namespace", "team")] {
        let key = format!("kustomize.toolkit.fluxcd.io/{key}");
        node.set(&["metadata", "labels", &key], value);
    }
    node.set(&["metadata", "uid"], format!("uid-{name}"));
    Object::new(node)
}

/// A cluster that does what it is asked, with what goes wrong in a script.
#[derive(Default)]
struct World {
    /// What the build gives; `Err` for a failing build.
    built: Vec<&'static str>,
    build_fails: bool,
    /// Names of live objects.
    live: Vec<&'static str>,
    /// Names of objects that the server refuses.
    refused: Vec<&'static str>,
    /// Names whose write fails.
    write_fails: Vec<&'static str>,
    /// Names whose deletion is refused.
    delete_fails: Vec<&'static str>,
    health: Option<HealthVerdict>,
}

impl World {
    fn answer(&self, request: &Request) -> (String, Answer) {
        let names = |objects: &[Object]| {
            let names: Vec<&str> = objects.iter().map(Object::name).collect();
            names.join(" ")
        };
        match request {
            Request::Render if self.build_fails => {
                let refusal = Refusal {
                    reason: "BuildFailed".into(),
                    message: "apps/x.yaml:3: no such file".into(),
                };
                ("render".into(), Answer::Rendered(Err(refusal)))
            }
            Request::Render => {
                let rendered = Rendered {
                    objects: self.built.iter().map(|name| config(name)).collect(),
                    ignore: Vec::new(),
                    digest: "sha256:1".into(),
                };
                ("render".into(), Answer::Rendered(Ok(rendered)))
            }
            Request::Record(inventory) => (
                format!("record {} objects", inventory.len()),
                Answer::Recorded(Ok(())),
            ),
            Request::Probe(objects) => {
                let probe = |object: &Object| {
                    let known = |list: &[&str]| list.contains(&object.name());
                    let mut changed = object.clone();
                    changed.node.set(&["data", "k"], "v");
                    Probe {
                        live: known(&self.live).then(|| object.clone()),
                        dry_run: match known(&self.refused) {
                            true => Err(plan::ProbeRefusal {
                                reason: "Invalid".into(),
                                message: "no".into(),
                                not_found: false,
                            }),
                            false => Ok(object.clone()),
                        },
                    }
                };
                let probes = objects.iter().map(probe).collect();
                (
                    format!("probe {}", names(objects)),
                    Answer::Probed(Ok(probes)),
                )
            }
            Request::Write(writes) => {
                let objects: Vec<Object> = writes
                    .iter()
                    .filter_map(|write| match write {
                        plan::Write::Apply(object) => Some(object.clone()),
                        _ => None,
                    })
                    .collect();
                let mut outcomes = Vec::new();
                for object in &objects {
                    let fails = self.write_fails.contains(&object.name());
                    outcomes.push(match fails {
                        true => Err(format!("{} apply failed: no", object.key())),
                        false => Ok(()),
                    });
                    if fails {
                        break;
                    }
                }
                (
                    format!("write {}", names(&objects)),
                    Answer::Written(outcomes),
                )
            }
            Request::AwaitEstablished(..) => {
                ("await established".into(), Answer::Established(Ok(())))
            }
            Request::ReadStale(entries) => {
                let stale = entries.iter().map(|entry| LiveStale {
                    entry: entry.clone(),
                    live: self
                        .live
                        .contains(&&*entry.key.name)
                        .then(|| config(&entry.key.name)),
                    has_content: false,
                });
                let answer = Answer::StaleRead(Ok(stale.collect()));
                (format!("read {} stale", entries.len()), answer)
            }
            Request::Delete(deletions) => {
                let outcomes = deletions.iter().map(|deletion| {
                    match self.delete_fails.contains(&deletion.live.name()) {
                        true => Err(format!("{} delete failed: no", deletion.live.key())),
                        false => Ok(()),
                    }
                });
                let live: Vec<Object> = deletions.iter().map(|d| d.live.clone()).collect();
                (
                    format!("delete {}", names(&live)),
                    Answer::Deleted(outcomes.collect()),
                )
            }
            Request::AwaitHealth(targets, until) => {
                let verdict = self.health.clone().unwrap_or(HealthVerdict::Healthy);
                let asked = format!(
                    "await health of {} until {}",
                    targets.len(),
                    seconds(Some(*until))
                );
                (asked, Answer::Health(verdict))
            }
        }
    }
}

fn attempt(unit: &Kustomization) -> Attempt {
    let observed = Observed {
        unit,
        memory: &Memory::default(),
        source: Source::Ready(Artifact {
            revision: "main@sha1:2".into(),
            ..Artifact::default()
        }),
        dependencies: Vec::new(),
        cycle: Vec::new(),
    };
    match next(&observed, &Options::default(), timing(0)) {
        Next::Reconcile(attempt) => *attempt,
        other => panic!("{other:?}"),
    }
}

fn run(unit: &Kustomization, world: &World) -> (String, Finished) {
    let mut attempt = attempt(unit);
    let mut request = attempt.start();
    let mut script = String::new();
    let mut events = Vec::new();
    loop {
        let (asked, answer) = world.answer(&request);
        script.push_str(&format!("{asked}\n"));
        match attempt.answer(answer, timing(2)) {
            Step::Do(next) => request = next,
            Step::Finish(finished) => {
                events.extend(
                    finished
                        .report
                        .events
                        .iter()
                        .map(|event| event.message.clone()),
                );
                for event in events {
                    script.push_str(&format!("tell {}\n", event.replace('\n', ", ")));
                }
                return (script, *finished);
            }
        }
        events.extend(attempt.take_events().into_iter().map(|event| event.message));
    }
}

fn check(unit: &Kustomization, world: &World, expected: Expect) {
    let (mut script, finished) = run(unit, world);
    let status = &finished.report.status;
    script.push_str(&conditions(&status.conditions));
    let ids: Vec<&str> = status.inventory.iter().map(|(id, _)| id.as_str()).collect();
    script.push_str(&format!("inventory {}\n", ids.join(" ")));
    script.push_str(&format!("look again {}\n", seconds(finished.report.wake)));
    expected.assert_eq(&script);
}

#[test]
fn the_inventory_is_recorded_before_the_first_write() {
    check(
        &unit(", wait: true", &[]),
        &World {
            built: vec!["a", "b"],
            ..World::default()
        },
        expect![[r#"
            render
            record 2 objects
            probe a b
            write a b
            await health of 2 until at 570s
            tell ConfigMap/app/a created, ConfigMap/app/b created
            tell Health check passed in 2s
            tell Reconciliation finished in 2s, next run in 10m0s
              Healthy True Succeeded: Health check passed in 2s
              Ready True ReconciliationSucceeded: Applied revision: main@sha1:2
            inventory app_a__ConfigMap app_b__ConfigMap
            look again at 602s
        "#]],
    );
}

#[test]
fn a_partial_apply_keeps_its_inventory() {
    check(
        &unit("", &["old"]),
        &World {
            built: vec!["a", "b"],
            live: vec!["old"],
            write_fails: vec!["b"],
            ..World::default()
        },
        expect![[r#"
            render
            record 3 objects
            probe a b
            write a b
            tell ConfigMap/app/b apply failed: no
              Ready False ReconciliationFailed: ConfigMap/app/b apply failed: no
              Reconciling True ProgressingWithRetry: ConfigMap/app/b apply failed: no
            inventory app_a__ConfigMap app_b__ConfigMap app_old__ConfigMap
            look again at 62s
        "#]],
    );
}

#[test]
fn nothing_is_deleted_when_the_build_or_a_probe_fails() {
    check(
        &unit("", &["old"]),
        &World {
            build_fails: true,
            live: vec!["old"],
            ..World::default()
        },
        expect![[r#"
            render
            tell apps/x.yaml:3: no such file
              Ready False BuildFailed: apps/x.yaml:3: no such file
              Reconciling True ProgressingWithRetry: apps/x.yaml:3: no such file
            inventory app_old__ConfigMap
            look again at 62s
        "#]],
    );
    check(
        &unit("", &["old"]),
        &World {
            built: vec!["a"],
            live: vec!["old"],
            refused: vec!["a"],
            ..World::default()
        },
        expect![[r#"
            render
            record 2 objects
            probe a
            tell ConfigMap/app/a dry-run failed (Invalid): no
              Ready False ReconciliationFailed: ConfigMap/app/a dry-run failed (Invalid): no
              Reconciling True ProgressingWithRetry: ConfigMap/app/a dry-run failed (Invalid): no
            inventory app_a__ConfigMap app_old__ConfigMap
            look again at 62s
        "#]],
    );
}

#[test]
fn a_refused_deletion_stays_in_the_inventory() {
    check(
        &unit("", &["a", "b", "kept"]),
        &World {
            built: vec!["kept"],
            live: vec!["a", "b", "kept"],
            delete_fails: vec!["a"],
            ..World::default()
        },
        expect![[r#"
            render
            probe kept
            read 2 stale
            delete b a
            tell ConfigMap/app/a delete failed: no
              Ready False PruneFailed: ConfigMap/app/a delete failed: no
              Reconciling True ProgressingWithRetry: ConfigMap/app/a delete failed: no
            inventory app_a__ConfigMap app_b__ConfigMap app_kept__ConfigMap
            look again at 62s
        "#]],
    );
}

#[test]
fn a_large_deletion_waits_and_goes_when_confirmed() {
    let names = ["a", "b", "c", "d", "kept"];
    let world = World {
        built: vec!["kept"],
        live: names.to_vec(),
        ..World::default()
    };
    let mut unit = unit("", &names);
    let (script, held) = run(&unit, &world);
    assert!(!script.contains("delete"), "{script}");
    let ready = held.report.status.conditions.get("Ready").unwrap().clone();
    assert_eq!(ready.reason, "DeletionHeld");
    assert!(held.report.status.conditions.is_true("Stalled"));
    assert_eq!(held.report.status.inventory.len(), 5);
    let digest = ready.message.split("--plan ").nth(1).unwrap();
    unit.meta.confirmed_plan = digest.to_owned();
    let (script, done) = run(&unit, &world);
    assert!(script.contains("delete d c b a"), "{script}");
    assert_eq!(done.report.status.inventory.len(), 1);
}

#[test]
fn a_quiet_attempt_changes_nothing_in_the_status() {
    let world = World {
        built: vec!["a"],
        live: vec!["a"],
        ..World::default()
    };
    let mut unit = unit("", &["a"]);
    let (_, first) = run(&unit, &world);
    unit.status = first.report.status.clone();
    let (script, second) = run(&unit, &world);
    assert_eq!(second.report.status, first.report.status);
    assert_eq!(script, "render\nprobe a\n");
}

#[test]
fn a_canceled_wait_is_tried_again_at_once_and_failed_health_later() {
    let world = |health| World {
        built: vec!["a"],
        live: vec!["a"],
        health: Some(health),
        ..World::default()
    };
    let unit = unit(", wait: true", &["a"]);
    let (_, canceled) = run(&unit, &world(HealthVerdict::Superseded));
    assert_eq!(seconds(canceled.report.wake), "at 2s");
    let failed =
        HealthVerdict::Failed("timeout waiting for: [ConfigMap/app/a status: 'InProgress']".into());
    let (_, failed) = run(&unit, &world(failed));
    assert_eq!(seconds(failed.report.wake), "at 62s");
    let conditions = failed.report.status.conditions;
    assert_eq!(conditions.get("Ready").unwrap().reason, "HealthCheckFailed");
    assert_eq!(
        conditions.get("Healthy").unwrap().status,
        api::ConditionStatus::False
    );
}
