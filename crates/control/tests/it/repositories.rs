//! When a GitRepository is fetched, and what its status says.

use api::{Artifact, GitRepository};
use control::git_repository::{
    FetchFailure, Fetched, Memory, Next, Observed, failed, fetched, next,
};
use expect_test::{Expect, expect};

use crate::{at, conditions, object, seconds, timing};

fn repository(change: impl Fn(&mut object::Node)) -> GitRepository {
    let mut object = object(
        "
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: fleet, namespace: team, generation: 1, finalizers: [finalizers.fluxcd.io]}
spec: {url: 'https://git.example.com/fleet', interval: 5m}
",
    );
    change(&mut object.node);
    GitRepository::read(&object).unwrap()
}

fn has_artifact(node: &mut object::Node) {
    node.set(&["status", "artifact", "revision"], "main@sha1:1");
}

fn check(repository: &GitRepository, memory: &Memory, stored: bool, expected: Expect) {
    let observed = Observed {
        repository,
        memory,
        stored,
    };
    let shown = match next(&observed, timing(100)) {
        Next::Sleep(wake) => format!("sleep, look again {}", seconds(wake)),
        other => format!("{other:?}"),
    };
    expected.assert_eq(&shown);
}

fn fetched_at(time: i64, failures: u32) -> Memory {
    Memory {
        attempted: Some((at(time), 1)),
        failures,
        announced: false,
    }
}

/// Conditions under a heading that fixes how far they are indented.
fn told(all: &api::Conditions) -> String {
    format!("conditions\n{}", conditions(all))
}

#[test]
fn a_repository_is_fetched_when_new_changed_asked_for_announced_due_or_lost() {
    let plain = repository(has_artifact);
    check(&plain, &Memory::default(), true, expect!["Fetch"]);
    check(
        &plain,
        &fetched_at(0, 0),
        true,
        expect!["sleep, look again at 300s"],
    );
    check(&plain, &fetched_at(-200, 0), true, expect!["Fetch"]);
    check(&plain, &fetched_at(0, 0), false, expect!["Fetch"]);
    let announced = Memory {
        announced: true,
        ..fetched_at(0, 0)
    };
    check(&plain, &announced, true, expect!["Fetch"]);
    let changed = repository(|node| {
        has_artifact(node);
        node.set(&["metadata", "generation"], 2i64);
    });
    check(&changed, &fetched_at(0, 0), true, expect!["Fetch"]);
    let suspended = repository(|node| node.set(&["spec", "suspend"], true));
    check(
        &suspended,
        &Memory::default(),
        false,
        expect!["sleep, look again on change"],
    );
    let bare = repository(|node| {
        node.remove(&["metadata", "finalizers"]);
    });
    check(&bare, &Memory::default(), false, expect!["AddFinalizer"]);
}

#[test]
fn failures_are_retried_later_and_later() {
    let plain = repository(has_artifact);
    check(&plain, &fetched_at(99, 1), true, expect!["Fetch"]);
    check(
        &plain,
        &fetched_at(99, 2),
        true,
        expect!["sleep, look again at 100s"],
    );
    check(
        &plain,
        &fetched_at(99, 8),
        true,
        expect!["sleep, look again at 195s"],
    );
}

#[test]
fn a_fetch_is_told_once_and_a_failure_keeps_the_archive() {
    let plain = repository(|_| {});
    let artifact = Artifact {
        revision: "main@sha1:1".into(),
        digest: "sha256:1".into(),
        ..Artifact::default()
    };
    let found = Fetched {
        artifact: artifact.clone(),
        subject: "first".into(),
        is_new: true,
    };
    let report = fetched(&plain, found, timing(0));
    let messages: Vec<&str> = report
        .events
        .iter()
        .map(|event| event.message.as_str())
        .collect();
    assert_eq!(messages, ["stored artifact for commit 'first'"]);
    assert_eq!(seconds(report.wake), "at 300s");
    expect![[r#"
        conditions
          Ready True Succeeded: stored artifact for revision 'main@sha1:1'
          ArtifactInStorage True Succeeded: stored artifact for revision 'main@sha1:1'
    "#]]
    .assert_eq(&told(&report.status.conditions));

    let mut stored = repository(|_| {});
    stored.status = report.status.clone();
    let same = Fetched {
        artifact: artifact.clone(),
        subject: String::new(),
        is_new: false,
    };
    let quiet = fetched(&stored, same, timing(300));
    assert_eq!((quiet.events.len(), &quiet.status), (0, &stored.status));

    let failure = FetchFailure {
        reason: "GitOperationFailed".into(),
        message: "host is away".into(),
        stalled: false,
        storage: false,
    };
    let report = failed(&stored, &failure, 2, timing(600));
    assert_eq!(report.status.artifact, Some(artifact));
    assert_eq!(seconds(report.wake), "at 601s");
    expect![[r#"
        conditions
          Ready False GitOperationFailed: host is away
          ArtifactInStorage True Succeeded: stored artifact for revision 'main@sha1:1'
          FetchFailed True GitOperationFailed: host is away
          Reconciling True ProgressingWithRetry: reconciliation in progress
    "#]]
    .assert_eq(&told(&report.status.conditions));
    stored.status = report.status;
    let again = failed(&stored, &failure, 3, timing(700));
    assert_eq!((again.events.len(), &again.status), (0, &stored.status));
}
