//! Public trees and the exact objects they come to.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use component::catalog::{Catalog, Notice, Outcome, Session};
use component::identity::STABLE_UID;
use component::model::{self, Head, Plane};
use component::render::{Renderer, Rendering};
use component::snapshot::{content, release_digest, release_name};
use diag::Explain;
use object::{Node, Object};

use crate::support::{differences, objects, tree};

/// What the bindings of one environment come to.
struct Rendered {
    objects: Vec<Node>,
    renderings: BTreeMap<String, Rendering>,
    failures: BTreeMap<String, (String, String)>,
    notices: Vec<Notice>,
}

fn render(mut all: Vec<Object>, namespace: &str, environment: &str) -> Rendered {
    for object in &mut all {
        let uid = format!("<uid:{}/{}>", object.kind(), object.name());
        object
            .node
            .set(&["metadata", "annotations", STABLE_UID], uid);
    }
    let (catalog, notices) = Catalog::read(&all, namespace);
    let mut out = Rendered {
        objects: Vec::new(),
        renderings: BTreeMap::new(),
        failures: BTreeMap::new(),
        notices,
    };
    let mut session = Session::new(&catalog);
    for binding in catalog.bindings() {
        if binding.environment != environment {
            continue;
        }
        let name = binding.head.name.to_string();
        match session.render(binding) {
            Outcome::Rendered(rendering) => {
                let objects = rendering.objects.iter();
                let objects = objects.filter(|own| own.plane == Plane::Data);
                out.objects.extend(objects.map(|own| own.object.clone()));
                out.renderings.insert(name, *rendering);
            }
            Outcome::Failed(error) => {
                let text = error.to_string();
                out.failures
                    .insert(name, (error.reason().0.to_owned(), text));
            }
            other => panic!("{name}: {other:?}"),
        }
    }
    out
}

/// Compares the objects as sets; returns how many there are.
fn compare(got: &Rendered, file: &Path) -> usize {
    let text = fs::read_to_string(file).expect("a file of the corpus can be read");
    let key = |node: &Node| {
        let text = |keys: &[&str]| node.str_at(keys).unwrap_or_default().to_owned();
        [
            text(&["metadata", "namespace"]),
            text(&["kind"]),
            text(&["metadata", "name"]),
        ]
    };
    let sorted = |mut nodes: Vec<Node>| {
        nodes.sort_by_key(key);
        nodes
    };
    let wanted = objects(&text, "expected").into_iter().map(|own| own.node);
    let wanted = sorted(wanted.collect());
    let got = sorted(got.objects.clone());
    let keys = |nodes: &[Node]| nodes.iter().map(key).collect::<Vec<_>>();
    assert_eq!(keys(&wanted), keys(&got), "{}", file.display());
    let found = differences(&wanted.clone().into(), &got.into());
    assert!(found.is_empty(), "{}\n{}", file.display(), found.join("\n"));
    wanted.len()
}

fn corpus() -> Option<PathBuf> {
    testkit::corpus("openchoreo")
}

#[test]
fn the_demo_comes_to_its_fifteen_objects() {
    let Some(root) = corpus() else { return };
    let all = tree(&root.join("gitops-demo"));
    let development = render(all.clone(), "default", "development");
    let staging = render(all.clone(), "default", "staging");
    let production = render(all, "default", "production");
    let expected = root.join("expected/gitops-demo");
    let mut count = compare(&development, &expected.join("development.yaml"));
    count += compare(&staging, &expected.join("staging.yaml"));
    println!("{count} objects of the demo are as expected");
    assert_eq!(count, 15);
    assert!(production.objects.is_empty());
    assert!(development.failures.is_empty());

    let failed: Vec<&String> = staging.failures.keys().collect();
    assert_eq!(
        failed,
        [
            "order-api-staging",
            "product-api-staging",
            "redis-cache-staging"
        ]
    );
    for (name, (reason, text)) in &staging.failures {
        assert_eq!(reason, "RenderingFailed", "{name}");
        assert!(
            text.contains("`main`") && text.contains("`app`"),
            "{name}: {text}"
        );
    }

    let greeter = &development.renderings["greeter-service-development"];
    let warnings: Vec<String> = greeter.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "ComponentType `deployment`: `parameters.containerName` is in no schema and has no effect",
            "ComponentType `deployment`: `parameters.exposed` is in no schema and has no effect",
        ]
    );
    let notices: Vec<String> = development
        .notices
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(notices.len(), 2, "{notices:?}");
    assert!(notices[0].contains("`spec.displayName`") || notices[1].contains("`spec.displayName`"));
}

#[test]
fn an_overlay_of_bindings_changes_staging_and_nothing_else() {
    let Some(root) = corpus() else { return };
    // As files are laid over files: of two objects with one key the later one counts.
    let mut all = tree(&root.join("gitops-demo-branches/bulk-release_all-20260128-090321"));
    let branch: Vec<_> = all.iter().map(Object::key).collect();
    let below = tree(&root.join("gitops-demo"));
    all.extend(below.into_iter().filter(|own| !branch.contains(&own.key())));
    let staging = render(all.clone(), "default", "staging");
    let development = render(all, "default", "development");
    let expected = root.join("expected");
    let count = compare(
        &staging,
        &expected.join("gitops-demo+bulk-release-090321/staging.yaml"),
    );
    assert_eq!(count, 12);
    compare(&development, &expected.join("gitops-demo/development.yaml"));
}

#[test]
fn the_first_tree_renders_by_its_own_rules() {
    let Some(root) = corpus() else { return };
    let all = tree(&root.join("gitops-demo-23feaa7"));
    let development = render(all, "openchoreo", "development");
    let file = root.join("expected/gitops-demo-23feaa7/development.yaml");
    assert_eq!(compare(&development, &file), 3);
    assert!(development.failures.is_empty());
}

#[test]
fn volumes_jobs_and_secrets_come_out_right_in_three_environments() {
    let Some(root) = corpus() else { return };
    let expected = root.join("expected/extended");
    let mut count = 0;
    for environment in ["development", "staging", "production"] {
        let mut all = tree(&expected.join("input"));
        let releases = fs::read_to_string(expected.join("releases.yaml"));
        let releases = releases.expect("a file of the corpus can be read");
        all.extend(objects(&releases, "releases.yaml"));
        all.extend(tree(&root.join("gitops-demo")).into_iter().filter(|own| {
            !matches!(
                own.kind(),
                "ReleaseBinding" | "ComponentRelease" | "Component" | "Workload"
            )
        }));
        let got = render(all, "default", environment);
        assert!(got.failures.is_empty(), "{:?}", got.failures);
        count += compare(&got, &expected.join(format!("{environment}.yaml")));
    }
    println!("{count} objects of the extended tree are as expected");
    assert_eq!(count, 30);
}

#[test]
fn a_tree_of_the_first_major_version_renders_with_its_policies() {
    let Some(root) = corpus() else { return };
    let mut all = tree(&root.join("sample-gitops"));
    all.extend(objects(
        "{apiVersion: openchoreo.dev/v1alpha1, kind: ClusterDataPlane, metadata: {name: default}, spec: {planeID: default, secretStoreRef: {name: default}}}",
        "plane",
    ));
    let mut count = 0;
    for environment in ["development", "staging"] {
        let got = render(all.clone(), "default", environment);
        assert!(got.failures.is_empty(), "{:?}", got.failures);
        let file = root.join(format!("expected/sample-gitops/{environment}.yaml"));
        count += compare(&got, &file);
    }
    println!("{count} objects of the sample tree are as expected");
    assert_eq!(count, 16);
}

#[test]
fn components_that_cannot_be_released_say_why() {
    let Some(root) = corpus() else { return };
    let (catalog, _) = Catalog::read(&tree(&root.join("gitops-demo")), "default");
    let found: Vec<String> = catalog
        .components()
        .map(|component| match catalog.freeze(component) {
            Ok(_) => format!("{} Reconciled", component.head.name),
            Err(problems) => format!("{} {}", component.head.name, problems[0].reason()),
        })
        .collect();
    assert_eq!(
        found,
        [
            "greeter-service-gitops WorkloadNotFound",
            "react-starter-gitops ComponentTypeNotFound",
            "reading-list-service-gitops WorkloadNotFound",
            "greeter-service Reconciled",
            "order-api Reconciled",
            "product-api Reconciled",
            "redis-cache Reconciled",
        ]
    );
}

#[test]
fn frozen_components_are_the_releases_that_the_reference_tool_wrote() {
    let Some(root) = corpus() else { return };
    let expected = root.join("expected/extended");
    let mut all = tree(&expected.join("input"));
    all.extend(tree(&root.join("gitops-demo")));
    let (catalog, _) = Catalog::read(&all, "default");
    let text = fs::read_to_string(expected.join("releases.yaml"));
    let releases = objects(
        &text.expect("a file of the corpus can be read"),
        "releases.yaml",
    );
    assert_eq!(releases.len(), 3);
    for release in releases {
        let spec = release.node.get("spec").expect("a release has a spec");
        let name = spec.str_at(&["owner", "componentName"]).expect("an owner");
        let component = catalog.component("openchoreo", name).expect("a component");
        let frozen = catalog
            .freeze(component)
            .unwrap_or_else(|why| panic!("{why:?}"));
        assert_eq!(frozen.first_environment, "development");
        let found = differences(&content(spec), &content(&frozen.spec));
        assert!(found.is_empty(), "{name}\n{}", found.join("\n"));
        assert_eq!(frozen.digest, release_digest(spec));
        let digest = &frozen.digest[..10];
        assert_eq!(
            release_name(name, &frozen.digest),
            format!("{name}-{digest}")
        );
    }
}

#[test]
fn the_default_project_type_makes_the_published_namespace() {
    let Some(root) = corpus() else { return };
    let (catalog, _) = Catalog::read(
        &tree(&root.join("samples/v1.2.3/getting-started")),
        "default",
    );
    let mut all = catalog;
    for plane in objects(
        "{apiVersion: openchoreo.dev/v1alpha1, kind: ClusterDataPlane, metadata: {name: default}, spec: {planeID: default}}",
        "plane",
    ) {
        all.add(&plane, "default");
    }
    let objects = Session::new(&all).render_project("default", "default", "development");
    let objects = objects.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(objects.len(), 1);
    assert_eq!(
        objects[0].object.str_at(&["metadata", "name"]),
        Some("dp-default-default-development-f8e58905")
    );
}

#[test]
fn components_of_the_samples_render_once_they_are_frozen() {
    let Some(root) = corpus() else { return };
    let (mut rendered, mut objects_made, mut pending) = (0, 0, 0);
    let mut failed = Vec::new();
    for version in ["samples/v0.12.0", "samples/v1.2.3", "sample-gitops"] {
        let mut all = tree(&root.join(version));
        all.extend(objects(
            "{apiVersion: openchoreo.dev/v1alpha1, kind: Environment, metadata: {name: try, namespace: default}, spec: {dataPlaneRef: {kind: ClusterDataPlane, name: try}}}\n---\n{apiVersion: openchoreo.dev/v1alpha1, kind: ClusterDataPlane, metadata: {name: try}, spec: {planeID: default, secretStoreRef: {name: default}, gateway: {ingress: {external: {name: g, namespace: g, http: {host: x.org, port: 80}, https: {host: x.org, port: 443}}, internal: {name: g, namespace: g, http: {host: y.org, port: 80}}}}}}\n---\n{apiVersion: openchoreo.dev/v1alpha1, kind: ObservabilityAlertsNotificationChannel, metadata: {name: mail, namespace: default}, spec: {environment: try}}",
            "try.yaml",
        ));
        let (catalog, _) = Catalog::read(&all, "default");
        let mut more = Vec::new();
        for component in catalog.components() {
            let Ok(frozen) = catalog.freeze(component) else {
                continue;
            };
            let release = model::read_release_spec(Head::default(), &frozen.spec);
            let problems = Renderer::default().problems(&release);
            assert!(problems.is_empty(), "{version}: {problems:?}");
            let name = &component.head.name;
            for (kind, mut spec) in [
                ("ComponentRelease", frozen.spec),
                ("ReleaseBinding", Node::map()),
            ] {
                spec.set(&["owner", "projectName"], component.owner.project.clone());
                spec.set(&["owner", "componentName"], name.clone());
                if kind == "ReleaseBinding" {
                    spec.set(&["environment"], "try");
                    spec.set(&["releaseName"], format!("try-{name}"));
                }
                let mut node = Node::map();
                node.set(&["apiVersion"], "openchoreo.dev/v1alpha1");
                node.set(&["kind"], kind);
                node.set(&["metadata", "namespace"], component.head.namespace.clone());
                node.set(&["metadata", "name"], format!("try-{name}"));
                node.set(&["spec"], spec);
                more.push(Object::new(node));
            }
        }
        all.extend(more);
        let (catalog, _) = Catalog::read(&all, "default");
        let mut session = Session::new(&catalog);
        for binding in catalog.bindings().filter(|own| own.environment == "try") {
            match session.render(binding) {
                Outcome::Rendered(rendering) => {
                    rendered += 1;
                    objects_made += rendering.objects.len();
                }
                // What other controllers provide is not in a tree.
                Outcome::Pending { missing, errors } => {
                    assert_eq!(errors, None);
                    assert!(missing.iter().all(|own| own.starts_with("resource ")));
                    pending += 1;
                }
                other => failed.push(format!("{version} {}: {other:?}", binding.head)),
            }
        }
    }
    println!("{rendered} components of the samples render to {objects_made} objects");
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(rendered >= 29 && pending == 3, "{rendered} {pending}");
}
