//! Published GitOps repositories, unmodified, on both control planes: push, change, remove, revert,
//! force, drift.

use std::time::Duration;

use crate::backend::{Backend, Kind};
use crate::process::eventually;
use crate::repository::WorkingCopy;

const REPOSITORY: &str = "VajiraPrabuddhaka/openchoreo-gitops-demo";
const HOST: &str = "https://github.com/";

/// Longest wait for one effect of a push.
const EFFECT_TIME_MAX: Duration = Duration::from_secs(20);

/// One published repository and what to do with it.
struct Story {
    /// Folder with its files.
    tree: &'static str,
    /// Its Kustomizations, in dependsOn order.
    units: &'static [&'static str],
    /// Which one applies the environment that is changed, and its file.
    unit: &'static str,
    file: &'static str,
    namespace: &'static str,
    /// A trait that is removed, by file, and where it is listed, if it is.
    removed: &'static str,
    listed: Option<(&'static str, &'static str)>,
    /// Bindings whose components run on the data plane.
    bindings: &'static [&'static str],
    /// A binding of a release that cannot be rendered, and words of the reason.
    broken: Option<(&'static str, &'static [&'static str])>,
}

const SEED: Story = Story {
    tree: "gitops-demo-23feaa7",
    units: &[
        "openchoreo-namespace-org",
        "openchoreo-platform",
        "openchoreo-projects",
        "openchoreo-projects-release-bindings",
    ],
    unit: "openchoreo-platform",
    file: "platform/infrastructure/environments/dev-environment.yaml",
    namespace: "openchoreo",
    removed: "platform/traits/emptydir-volume.yaml",
    listed: Some((
        "platform/kustomization.yaml",
        "  - traits/emptydir-volume.yaml\n",
    )),
    bindings: &["greeter-service-development"],
    broken: None,
};

const DEMO: Story = Story {
    tree: "gitops-demo",
    units: &[
        "openchoreo-namespace-org",
        "openchoreo-platform",
        "openchoreo-projects",
    ],
    unit: "openchoreo-platform",
    file: "platform/infrastructure/environments/dev-environment.yaml",
    namespace: "openchoreo",
    removed: "platform/traits/emptydir-volume.yaml",
    listed: None,
    bindings: &[
        "greeter-service-development",
        "greeter-service-staging",
        "order-api-development",
        "product-api-development",
        "redis-cache-development",
    ],
    broken: Some(("order-api-staging", &["`main`", "`app`"])),
};

#[test]
fn kustomization_files_on_the_embedded_server() {
    tell(&SEED, Kind::Embedded);
}

#[test]
fn kustomization_files_on_kubernetes() {
    tell(&SEED, Kind::Kubernetes);
}

#[test]
fn generated_kustomization_files_on_the_embedded_server() {
    tell(&DEMO, Kind::Embedded);
}

#[test]
fn generated_kustomization_files_on_kubernetes() {
    tell(&DEMO, Kind::Kubernetes);
}

fn tell(story: &Story, kind: Kind) {
    let Some(corpus) = testkit::corpus("openchoreo") else {
        return;
    };
    let Some(backend) = Backend::start(kind, REPOSITORY, &[HOST]) else {
        return;
    };
    let copy = WorkingCopy::of(
        &corpus.join(story.tree),
        backend.home.path(),
        &format!("{}{REPOSITORY}.git", backend.git),
    );
    let first = copy.push();
    if backend.get("namespace", "", "flux-system").is_none() {
        backend.kubectl(&["create", "namespace", "flux-system"]);
    }
    backend.kubectl(&["apply", "-f", &copy.folder.join("flux").to_string_lossy()]);
    ready_in_order(story, &backend, &first);
    if matches!(kind, Kind::Embedded) {
        components_run(story, &backend);
    }
    change(story, &backend, &copy);
    remove_and_revert(story, &backend, &copy);
    force(story, &backend);
    correct_drift(story, &backend);
}

/// Every Kustomization is Ready with the commit, none before those it depends on.
fn ready_in_order(story: &Story, backend: &Backend, commit: &str) {
    let mut times = Vec::new();
    for name in story.units {
        let unit = backend.applied(name, commit);
        let status = unit.node.get("status").unwrap();
        let conditions = status
            .get("conditions")
            .and_then(object::Node::as_list)
            .unwrap();
        let ready = conditions
            .iter()
            .find(|c| c.str_at(&["type"]) == Some("Ready"))
            .unwrap();
        assert_eq!(ready.str_at(&["reason"]), Some("ReconciliationSucceeded"));
        assert_eq!(
            ready.str_at(&["message"]),
            Some(&*format!("Applied revision: main@sha1:{commit}"))
        );
        assert_eq!(
            status.at(&["observedGeneration"]),
            unit.node.at(&["metadata", "generation"])
        );
        let entries = status
            .at(&["inventory", "entries"])
            .and_then(object::Node::as_list);
        assert!(!entries.unwrap().is_empty(), "{name} has an inventory");
        times.push((
            *name,
            ready.str_at(&["lastTransitionTime"]).unwrap().to_owned(),
            unit,
        ));
    }
    for (name, time, unit) in &times {
        let on = unit
            .node
            .at(&["spec", "dependsOn"])
            .and_then(object::Node::as_list);
        for dependency in on.unwrap_or(&[]) {
            let dependency = dependency.str_at(&["name"]).unwrap();
            let (_, before, _) = times
                .iter()
                .find(|(other, ..)| *other == dependency)
                .unwrap();
            assert!(before <= time, "{name} was ready before {dependency}");
        }
    }
    let environment = environment(story, backend);
    for (label, value) in [("name", story.unit), ("namespace", "flux-system")] {
        let label = format!("kustomize.toolkit.fluxcd.io/{label}");
        assert_eq!(environment.label(&label), Some(value));
    }
}

/// What the bindings say of their components; data planes are simulated ones.
fn components_run(story: &Story, backend: &Backend) {
    let condition = |binding: &str, kind: &str| {
        let kinds = "releasebindings.openchoreo.dev";
        let binding = backend.get(kinds, story.namespace, binding)?;
        let conditions = binding
            .node
            .at(&["status", "conditions"])?
            .as_list()?
            .to_vec();
        let mut conditions = conditions.into_iter();
        conditions.find(|condition| condition.str_at(&["type"]) == Some(kind))
    };
    for binding in story.bindings {
        eventually(&format!("{binding} to be ready"), EFFECT_TIME_MAX, || {
            let ready = condition(binding, "Ready")?;
            (ready.str_at(&["status"]) == Some("True")).then_some(())
        });
    }
    if let Some((binding, words)) = story.broken {
        let message = eventually("a reason to be told", EFFECT_TIME_MAX, || {
            let synced = condition(binding, "ReleaseSynced")?;
            let failed = synced.str_at(&["reason"]) == Some("RenderingFailed");
            failed.then(|| synced.str_at(&["message"]).unwrap_or_default().to_owned())
        });
        for word in words {
            assert!(message.contains(word), "{message}");
        }
    }
}

fn environment(story: &Story, backend: &Backend) -> object::Object {
    let found = backend.get(
        "environments.openchoreo.dev",
        story.namespace,
        "development",
    );
    found.expect("the environment is there")
}

fn is_production(story: &Story, backend: &Backend) -> Option<bool> {
    environment(story, backend)
        .node
        .at(&["spec", "isProduction"])?
        .as_bool()
}

fn change(story: &Story, backend: &Backend, copy: &WorkingCopy) {
    assert_eq!(is_production(story, backend), Some(false));
    copy.replace(story.file, "isProduction: false", "isProduction: true");
    copy.commit("a changed field");
    let commit = copy.push();
    backend.applied(story.unit, &commit);
    assert_eq!(is_production(story, backend), Some(true));
}

fn remove_and_revert(story: &Story, backend: &Backend, copy: &WorkingCopy) {
    let exists = || {
        backend
            .get("traits.openchoreo.dev", story.namespace, "emptydir-volume")
            .is_some()
    };
    assert!(exists());
    copy.git(&["rm", "--quiet", story.removed]);
    if let Some((file, line)) = story.listed {
        copy.replace(file, line, "");
    }
    copy.commit("a removal");
    let commit = copy.push();
    backend.applied(story.unit, &commit);
    eventually("the removed object to be gone", EFFECT_TIME_MAX, || {
        (!exists()).then_some(())
    });
    copy.git(&["revert", "--no-edit", "HEAD"]);
    let commit = copy.push();
    backend.applied(story.unit, &commit);
    assert!(exists(), "a revert brings the object back");
}

fn force(story: &Story, backend: &Backend) {
    let wish = "2026-01-01T00:00:00Z";
    let annotation = format!("reconcile.fluxcd.io/requestedAt={wish}");
    let kind = "kustomization.kustomize.toolkit.fluxcd.io";
    backend.kubectl(&[
        "annotate",
        kind,
        story.unit,
        "-n",
        "flux-system",
        &annotation,
    ]);
    eventually("the forced sync", EFFECT_TIME_MAX, || {
        let unit = backend.get(kind, "flux-system", story.unit)?;
        (unit.node.str_at(&["status", "lastHandledReconcileAt"]) == Some(wish)).then_some(())
    });
}

/// A field that somebody edits by hand is set back by the next reconcile.
fn correct_drift(story: &Story, backend: &Backend) {
    let kind = "environments.openchoreo.dev";
    let patch = r#"{"spec":{"isProduction":false}}"#;
    let namespace = story.namespace;
    backend.kubectl(&[
        "patch",
        kind,
        "development",
        "-n",
        namespace,
        "--type=merge",
        "-p",
        patch,
    ]);
    assert_eq!(is_production(story, backend), Some(false));
    let annotation = "reconcile.fluxcd.io/requestedAt=2026-01-02T00:00:00Z";
    let unit = "kustomization.kustomize.toolkit.fluxcd.io";
    backend.kubectl(&[
        "annotate",
        "--overwrite",
        unit,
        story.unit,
        "-n",
        "flux-system",
        annotation,
    ]);
    eventually("the edit to be set back", EFFECT_TIME_MAX, || {
        (is_production(story, backend) == Some(true)).then_some(())
    });
}
