//! Published GitOps repositories, unmodified, on both control planes: push, change, remove, revert,
//! force, drift.

use std::path::Path;
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
    /// Folder with its files, and folder with the CRDs of its time.
    tree: &'static str,
    crds: &'static str,
    /// Its Kustomizations, in dependsOn order.
    units: &'static [&'static str],
    /// Which one applies the environment that is changed, and its file.
    unit: &'static str,
    file: &'static str,
    namespace: &'static str,
    /// A trait that is removed, by file, and where it is listed, if it is.
    removed: &'static str,
    listed: Option<(&'static str, &'static str)>,
    /// A unit that the files as published break, the file, and what the server says to it.
    broken: Option<(&'static str, &'static str, &'static str)>,
}

const SEED: Story = Story {
    tree: "gitops-demo-23feaa7",
    crds: "crds-seed",
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
    broken: None,
};

const DEMO: Story = Story {
    tree: "gitops-demo",
    crds: "crds-demo",
    units: &["openchoreo-namespace-org", "openchoreo-platform"],
    unit: "openchoreo-platform",
    file: "platform/infrastructure/environments/dev-environment.yaml",
    namespace: "openchoreo",
    removed: "platform/traits/emptydir-volume.yaml",
    listed: None,
    // The definition of a Project has no display name, and wants the name of a pipeline as text.
    broken: Some((
        "openchoreo-projects",
        "projects/demo-project-gitops/project.yaml",
        ".spec.displayName: field not declared in schema",
    )),
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
    let crds = corpus.join(story.crds);
    for file in yaml_files(&crds) {
        backend.kubectl(&["apply", "--server-side", "-f", &file]);
    }
    backend.kubectl(&[
        "wait",
        "--for=condition=Established",
        "crd",
        "--all",
        "--timeout=30s",
    ]);
    if backend.get("namespace", "", "flux-system").is_none() {
        backend.kubectl(&["create", "namespace", "flux-system"]);
    }
    backend.kubectl(&["apply", "-f", &copy.folder.join("flux").to_string_lossy()]);
    ready_in_order(story, &backend, &first);
    if let Some(broken) = story.broken {
        mend(broken, &backend, &copy);
    }
    change(story, &backend, &copy);
    remove_and_revert(story, &backend, &copy);
    force(story, &backend);
    correct_drift(story, &backend);
}

fn yaml_files(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    let yaml = files.filter(|file| {
        file.extension()
            .is_some_and(|extension| extension == "yaml")
    });
    yaml.map(|file| file.to_string_lossy().into_owned())
        .collect()
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

/// A unit says which file the server refuses, in the server's words; without it, it is Ready.
fn mend((unit, file, words): (&str, &str, &str), backend: &Backend, copy: &WorkingCopy) {
    let kind = "kustomization.kustomize.toolkit.fluxcd.io";
    let message = eventually("the refusal to be told", EFFECT_TIME_MAX, || {
        let unit = backend.get(kind, "flux-system", unit)?;
        let conditions = unit.node.at(&["status", "conditions"])?.as_list()?.to_vec();
        let ready = conditions
            .iter()
            .find(|c| c.str_at(&["type"]) == Some("Ready"))?;
        let failed = ready.str_at(&["reason"]) == Some("ReconciliationFailed");
        failed.then(|| ready.str_at(&["message"]).unwrap().to_owned())
    });
    assert!(message.contains(words), "{message}");
    assert!(message.contains(&format!("(from {file}:1)")), "{message}");
    copy.git(&["rm", "--quiet", file]);
    copy.commit("without what is refused");
    let commit = copy.push();
    backend.applied(unit, &commit);
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
