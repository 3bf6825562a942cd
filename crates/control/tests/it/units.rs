//! When a Kustomization runs, and what it waits for.

use api::{Artifact, Kustomization};
use control::kustomization::{
    Attempted, Dependency, Memory, Next, Observed, Options, ReadyExpression, Source, next,
};
use expect_test::{Expect, expect};

use crate::{at, conditions, object, seconds, timing};

const UNIT: &str = "
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: team, generation: 1, finalizers: [finalizers.fluxcd.io]}
spec:
  interval: 10m
  retryInterval: 1m
  prune: true
  sourceRef: {kind: GitRepository, name: fleet}
";

fn unit(change: impl Fn(&mut object::Node)) -> Kustomization {
    let mut object = object(UNIT);
    change(&mut object.node);
    Kustomization::read(&object).unwrap()
}

fn artifact(revision: &str) -> Source {
    Source::Ready(Artifact {
        revision: revision.into(),
        ..Artifact::default()
    })
}

/// An attempt that ended well at 0 s.
fn succeeded(revision: &str) -> Memory {
    Memory {
        attempted: Some(Attempted {
            at: at(0),
            uid: String::new(),
            generation: 1,
            revision: revision.into(),
            confirmed_plan: String::new(),
            wake: Some(at(600)),
        }),
        inputs_changed: false,
    }
}

fn check(unit: &Kustomization, memory: &Memory, source: Source, expected: Expect) {
    check_with(unit, memory, source, Vec::new(), Vec::new(), expected);
}

fn check_with(
    unit: &Kustomization,
    memory: &Memory,
    source: Source,
    dependencies: Vec<Dependency>,
    cycle: Vec<String>,
    expected: Expect,
) {
    let observed = Observed {
        unit,
        memory,
        source,
        dependencies,
        cycle,
    };
    let shown = match next(&observed, &Options::default(), timing(100)) {
        Next::AddFinalizer => "add the finalizer\n".to_owned(),
        Next::Reconcile(attempt) => format!("reconcile {}\n", attempt.artifact().revision),
        Next::Finalize(cleanup) => format!("clean up {} objects\n", cleanup.objects.len()),
        Next::Sleep(wake) => format!("sleep, look again {}\n", seconds(wake)),
        Next::Blocked(report) => format!(
            "blocked, look again {}\n{}",
            seconds(report.wake),
            conditions(&report.status.conditions)
        ),
    };
    expected.assert_eq(&shown);
}

#[test]
fn what_was_never_tried_is_tried_and_what_rests_rests() {
    let plain = unit(|_| {});
    let fresh = Memory::default();
    check(
        &plain,
        &fresh,
        artifact("main@sha1:1"),
        expect!["reconcile main@sha1:1\n"],
    );
    check(
        &plain,
        &succeeded("main@sha1:1"),
        artifact("main@sha1:1"),
        expect!["sleep, look again at 600s\n"],
    );
    check(
        &plain,
        &succeeded("main@sha1:1"),
        artifact("main@sha1:2"),
        expect!["reconcile main@sha1:2\n"],
    );
}

#[test]
fn a_changed_spec_a_wish_a_confirmation_and_a_changed_input_wake_it() {
    let wakes = |unit: Kustomization, memory: Memory| {
        check(
            &unit,
            &memory,
            artifact("main@sha1:1"),
            expect!["reconcile main@sha1:1\n"],
        );
    };
    let rested = || succeeded("main@sha1:1");
    wakes(
        unit(|node| node.set(&["metadata", "generation"], 2i64)),
        rested(),
    );
    let annotate =
        |key: &'static str| unit(move |node| node.set(&["metadata", "annotations", key], "new"));
    wakes(annotate("reconcile.fluxcd.io/requestedAt"), rested());
    wakes(annotate("fleetwright.dev/confirmed-plan"), rested());
    let changed = Memory {
        inputs_changed: true,
        ..rested()
    };
    wakes(unit(|_| {}), changed);
    let due = Memory {
        attempted: rested().attempted.map(|attempted| Attempted {
            wake: Some(at(99)),
            ..attempted
        }),
        inputs_changed: false,
    };
    wakes(unit(|_| {}), due);
    let another = unit(|node| node.set(&["metadata", "uid"], "another"));
    wakes(another, rested());
}

#[test]
fn a_suspended_unit_does_nothing_and_a_deleted_one_cleans_up() {
    let suspended = unit(|node| node.set(&["spec", "suspend"], true));
    let fresh = Memory::default();
    check(
        &suspended,
        &fresh,
        artifact("main@sha1:1"),
        expect!["sleep, look again on change\n"],
    );
    let with_inventory = |node: &mut object::Node| {
        let mut entry = object::Node::map();
        entry.set(&["id"], "team_settings__ConfigMap");
        entry.set(&["v"], "v1");
        node.set(
            &["status", "inventory", "entries"],
            object::Node::list([entry]),
        );
        node.set(&["metadata", "deletionTimestamp"], "2026-01-01T00:00:00Z");
    };
    let deleted = unit(with_inventory);
    check(
        &deleted,
        &fresh,
        Source::Absent,
        expect!["clean up 1 objects\n"],
    );
    for (field, value) in [
        (["spec", "prune"], object::Node::Bool(false)),
        (["spec", "suspend"], object::Node::Bool(true)),
        (["spec", "deletionPolicy"], "Orphan".into()),
    ] {
        let left = unit(|node| {
            with_inventory(node);
            node.set(&field, value.clone());
        });
        check(
            &left,
            &fresh,
            Source::Absent,
            expect!["clean up 0 objects\n"],
        );
    }
}

#[test]
fn a_source_that_is_not_ready_blocks() {
    let plain = unit(|_| {});
    let fresh = Memory::default();
    check(
        &plain,
        &fresh,
        Source::Absent,
        expect![[r#"
            blocked, look again at 160s
              Ready False ArtifactFailed: Source 'GitRepository/team/fleet' not found
              Reconciling True ProgressingWithRetry: Source 'GitRepository/team/fleet' not found
        "#]],
    );
    check(
        &plain,
        &fresh,
        Source::Empty,
        expect![[r#"
            blocked, look again at 130s
              Ready False ArtifactFailed: Source artifact not found, retrying in 30s
              Reconciling True ProgressingWithRetry: Source artifact not found, retrying in 30s
        "#]],
    );
    check(
        &plain,
        &fresh,
        Source::Forbidden,
        expect![[r#"
            blocked, look again on change
              Ready False AccessDenied: can't access 'GitRepository/team/fleet', cross-namespace references have been blocked
              Stalled True AccessDenied: can't access 'GitRepository/team/fleet', cross-namespace references have been blocked
        "#]],
    );
}

/// A dependency of the same source, Ready with a revision.
fn dependency(revision: &str, ready: &str) -> Dependency {
    let mut object = object(UNIT);
    object.node.set(&["metadata", "name"], "infra");
    let mut condition = object::Node::map();
    condition.set(&["type"], "Ready");
    condition.set(&["status"], ready);
    object
        .node
        .set(&["status", "conditions"], object::Node::list([condition]));
    object.node.set(&["status", "observedGeneration"], 1i64);
    object
        .node
        .set(&["status", "lastAppliedRevision"], revision);
    Dependency {
        name: "team/infra".into(),
        unit: Some(Box::new(Kustomization::read(&object).unwrap())),
        expression: None,
    }
}

#[test]
fn dependencies_have_to_be_ready_and_of_the_same_revision() {
    let plain = unit(|_| {});
    let blocked = |dependency: Dependency, expected: Expect| {
        let memory = Memory::default();
        let source = artifact("main@sha1:2");
        check_with(
            &plain,
            &memory,
            source,
            vec![dependency],
            Vec::new(),
            expected,
        );
    };
    blocked(
        dependency("main@sha1:2", "True"),
        expect!["reconcile main@sha1:2\n"],
    );
    blocked(
        dependency("main@sha1:1", "True"),
        expect![[r#"
            blocked, look again at 130s
              Ready False DependencyNotReady: dependency 'team/infra' revision is not up to date
              Reconciling True ProgressingWithRetry: dependency 'team/infra' revision is not up to date
        "#]],
    );
    blocked(
        dependency("main@sha1:2", "False"),
        expect![[r#"
            blocked, look again at 130s
              Ready False DependencyNotReady: dependency 'team/infra' is not ready
              Reconciling True ProgressingWithRetry: dependency 'team/infra' is not ready
        "#]],
    );
    let expression = |expression: ReadyExpression| Dependency {
        expression: Some(expression),
        ..dependency("main@sha1:1", "False")
    };
    blocked(
        expression(ReadyExpression::Ready),
        expect!["reconcile main@sha1:2\n"],
    );
    blocked(
        expression(ReadyExpression::Invalid("no such function".into())),
        expect![[r#"
            blocked, look again at 130s
              Ready False InvalidCELExpression: failed to evaluate dependency team/infra: no such function
              Stalled True InvalidCELExpression: failed to evaluate dependency team/infra: no such function
        "#]],
    );
}

#[test]
fn a_circle_of_dependencies_is_told_and_not_waited_for() {
    let cycle = ["team/apps", "team/infra", "team/apps"].map(str::to_owned);
    check_with(
        &unit(|_| {}),
        &Memory::default(),
        artifact("main@sha1:1"),
        vec![dependency("main@sha1:1", "False")],
        cycle.into(),
        expect![[r#"
            blocked, look again on change
              Ready False DependencyNotReady: circular dependency detected: team/apps -> team/infra -> team/apps
              Stalled True DependencyNotReady: circular dependency detected: team/apps -> team/infra -> team/apps
        "#]],
    );
}
