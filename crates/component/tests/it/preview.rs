//! What is told about a tree before anything of it is applied.

use component::catalog::Catalog;
use component::preview::{
    self, Problem, Selection, State, Written, assume_planes, changed_releases,
};
use expect_test::{Expect, expect};
use object::Object;

use crate::support::objects;

const TREE: &str = r#"
apiVersion: openchoreo.dev/v1alpha1
kind: Project
metadata: {name: shop, namespace: acme}
spec: {deploymentPipelineRef: main}
---
apiVersion: openchoreo.dev/v1alpha1
kind: DeploymentPipeline
metadata: {name: main, namespace: acme}
spec: {promotionPaths: [{sourceEnvironmentRef: dev, targetEnvironmentRefs: [{name: prod}]}]}
---
apiVersion: openchoreo.dev/v1alpha1
kind: Component
metadata: {name: web, namespace: acme}
spec: {owner: {projectName: shop}, componentType: deployment/web}
---
apiVersion: openchoreo.dev/v1alpha1
kind: Environment
metadata: {name: dev, namespace: acme}
spec: {dataPlaneRef: plane}
---
apiVersion: openchoreo.dev/v1alpha1
kind: Environment
metadata: {name: prod, namespace: acme}
spec: {dataPlaneRef: plane}
---
apiVersion: openchoreo.dev/v1alpha1
kind: DataPlane
metadata: {name: plane, namespace: acme}
spec: {gateway: {publicVirtualHost: apps.example.org}}
---
apiVersion: openchoreo.dev/v1alpha1
kind: ComponentRelease
metadata: {name: web-1, namespace: acme}
spec:
  owner: {projectName: shop, componentName: web}
  componentType:
    workloadType: deployment
    schema: {envOverrides: {level: integer}}
    resources:
    - id: deployment
      template:
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: '${metadata.name}', namespace: '${metadata.namespace}'}
        data: {host: '${dataplane.publicVirtualHost}', image: '${workload.containers.app.image}'}
  workload: {containers: {app: {image: 'web:1'}}}
---
apiVersion: openchoreo.dev/v1alpha1
kind: ReleaseBinding
metadata: {name: web-dev, namespace: acme}
spec:
  owner: {projectName: shop, componentName: web}
  environment: dev
  releaseName: web-1
  componentTypeEnvOverrides: {level: 1}
"#;

/// One line a problem, with its place.
fn shown(problems: &[Problem]) -> String {
    let lines = problems.iter().map(|own| {
        let (place, severity) = (&own.place, own.severity);
        format!(
            "{severity:?} {} {} {}: {}\n",
            own.code, place.head, place.path, own.message
        )
    });
    lines.collect()
}

fn tree(changes: &[(&str, &str)]) -> Vec<Object> {
    let mut text = TREE.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    objects(&text, "tree.yaml")
}

fn check_lint(changes: &[(&str, &str)], expected: Expect) {
    let all = tree(changes);
    let (catalog, notices) = Catalog::read(&all, "acme");
    let mut problems = preview::notices(&notices, &all);
    problems.extend(preview::lint(catalog, &Written::new(&all)));
    expected.assert_eq(&shown(&problems));
}

#[test]
fn a_release_is_tried_in_every_environment_but_where_its_binding_has_to_say_something() {
    // `prod` has no binding yet, which will have to give `level`.
    check_lint(&[], expect![[""]]);
    check_lint(
        &[("containers.app", "containers.main")],
        expect![[r#"
        Error ExpressionKeyNotFound ComponentRelease/acme/web-1 spec.componentType.resources[0].template.data.image: ComponentRelease/acme/web-1 cannot be rendered in dev: ComponentType `deployment`, resource `deployment`, template.data.image: no such key: `main` in `workload.containers`, which has `app` (in `${workload.containers.main.image}`)
    "#]],
    );
    check_lint(
        &[
            ("level: integer", "level: integer | default=1"),
            ("containers.app", "containers.main"),
        ],
        expect![[r#"
            Error ExpressionKeyNotFound ComponentRelease/acme/web-1 spec.componentType.resources[0].template.data.image: ComponentRelease/acme/web-1 cannot be rendered in dev, prod: ComponentType `deployment`, resource `deployment`, template.data.image: no such key: `main` in `workload.containers`, which has `app` (in `${workload.containers.main.image}`)
        "#]],
    );
    // A binding that exists has to say it.
    check_lint(
        &[("{level: 1}", "{}")],
        expect![[r#"
        Error ComponentValueInvalid ReleaseBinding/acme/web-dev spec.componentTypeEnvOverrides: ComponentRelease/acme/web-1 cannot be rendered in dev: ComponentType `deployment`, environment values: envOverrides.level: Required value
    "#]],
    );
}

#[test]
fn what_a_tree_does_not_have_is_no_reason_to_blame_a_release() {
    check_lint(
        &[("kind: DataPlane", "kind: ObservabilityPlane")],
        expect![[""]],
    );
    check_lint(
        &[
            ("kind: Project\n", "kind: Workflow\n"),
            ("kind: Component\n", "kind: Workflow\n"),
            ("kind: Environment", "kind: Workflow"),
            ("kind: DataPlane", "kind: ObservabilityPlane"),
        ],
        expect![[r#"
            Warning ComponentReferenceMissing DeploymentPipeline/acme/main spec.promotionPaths[0].sourceEnvironmentRef: DeploymentPipeline/acme/main: Environment `dev` does not exist
            Warning ComponentReferenceMissing DeploymentPipeline/acme/main spec.promotionPaths[0].targetEnvironmentRefs[0]: DeploymentPipeline/acme/main: Environment `prod` does not exist
            Error ComponentReferenceMissing ReleaseBinding/acme/web-dev spec.environment: ReleaseBinding/acme/web-dev: Environment `dev` does not exist
            Error ComponentReferenceMissing ReleaseBinding/acme/web-dev spec.owner.componentName: ReleaseBinding/acme/web-dev: Component `web` does not exist
            Error ComponentReferenceMissing ReleaseBinding/acme/web-dev spec.owner.projectName: ReleaseBinding/acme/web-dev: Project `shop` does not exist
        "#]],
    );
    // What has nothing to do with what is missing is told all the same.
    check_lint(
        &[
            ("kind: Environment", "kind: Workflow"),
            ("containers.app", "containers.main"),
        ],
        expect![[r#"
            Warning ComponentReferenceMissing DeploymentPipeline/acme/main spec.promotionPaths[0].sourceEnvironmentRef: DeploymentPipeline/acme/main: Environment `dev` does not exist
            Warning ComponentReferenceMissing DeploymentPipeline/acme/main spec.promotionPaths[0].targetEnvironmentRefs[0]: DeploymentPipeline/acme/main: Environment `prod` does not exist
            Error ComponentReferenceMissing ReleaseBinding/acme/web-dev spec.environment: ReleaseBinding/acme/web-dev: Environment `dev` does not exist
            Error ExpressionKeyNotFound ComponentRelease/acme/web-1 spec.componentType.resources[0].template.data.image: ComponentRelease/acme/web-1 cannot be rendered in dev: ComponentType `deployment`, resource `deployment`, template.data.image: no such key: `main` in `workload.containers`, which has `app` (in `${workload.containers.main.image}`)
        "#]],
    );
}

#[test]
fn a_binding_that_fails_has_no_objects_and_its_reasons_have_places() {
    let render = |changes: &[(&str, &str)], environment: &str| {
        let all = tree(changes);
        let (mut catalog, _) = Catalog::read(&all, "acme");
        let assumed = assume_planes(&mut catalog, |own| own.head.name == environment);
        let selection = Selection {
            environment,
            ..Selection::default()
        };
        let found = preview::preview(&catalog, &Written::new(&all), selection);
        let bound = found.bindings.iter();
        let bound: Vec<(State, usize)> = bound.map(|own| (own.state, own.objects.len())).collect();
        (bound, assumed.len(), shown(&found.problems))
    };
    let nothing = String::new();
    assert_eq!(
        render(&[], "dev"),
        (vec![(State::Rendered, 1)], 0, nothing.clone())
    );
    assert_eq!(render(&[], "prod"), (Vec::new(), 0, nothing.clone()));
    let undeploy = [(
        "releaseName: web-1",
        "releaseName: web-1\n  state: Undeploy",
    )];
    let undeployed = (vec![(State::Undeployed, 0)], 0, nothing);
    assert_eq!(render(&undeploy, "dev"), undeployed);

    let second = "---\napiVersion: openchoreo.dev/v1alpha1\nkind: ReleaseBinding\nmetadata: {name: web-too, namespace: acme}\nspec: {owner: {projectName: shop, componentName: web}, environment: dev, releaseName: web-1}\n";
    let last = "  componentTypeEnvOverrides: {level: 1}\n";
    let both = format!("{last}{second}");
    let (bound, _, text) = render(&[(last, &both)], "dev");
    assert_eq!(bound, [(State::Rendered, 1), (State::Failed, 0)]);
    expect![[r#"
        Error ComponentBoundTwice ReleaseBinding/acme/web-too spec.environment: ReleaseBinding/acme/web-too: ReleaseBinding/acme/web-dev binds this component in dev too
    "#]].assert_eq(&text);

    let (bound, assumed, text) = render(&[("kind: DataPlane", "kind: Workflow")], "dev");
    assert_eq!((bound, assumed), (vec![(State::Failed, 0)], 1));
    expect![[r#"
        Error ExpressionKeyNotFound ComponentRelease/acme/web-1 spec.componentType.resources[0].template.data.host: ReleaseBinding/acme/web-dev: ComponentType `deployment`, resource `deployment`, template.data.host: no such key: `publicVirtualHost` in `dataplane`, which is empty (in `${dataplane.publicVirtualHost}`)
    "#]].assert_eq(&text);
    let (_, _, text) = render(&[("{level: 1}", "{level: high, more: 1}")], "dev");
    expect![[r#"
        Error ComponentValueInvalid ReleaseBinding/acme/web-dev spec.componentTypeEnvOverrides: ReleaseBinding/acme/web-dev: ComponentType `deployment`, environment values: envOverrides.level: Invalid value: "string": envOverrides.level in body must be of type integer: "string"
    "#]].assert_eq(&text);
    let other = (
        "metadata: {name: dev, namespace: acme}",
        "metadata: {name: dev, namespace: other}",
    );
    let all = tree(&[other]);
    let (catalog, _) = Catalog::read(&all, "acme");
    let selection = Selection {
        environment: "dev",
        ..Selection::default()
    };
    let found = preview::preview(&catalog, &Written::new(&all), selection);
    expect!["There is one in namespace `other`; it has to be in that of the binding."]
        .assert_eq(&found.problems[0].help.join("\n"));
}

#[test]
fn a_selection_takes_what_it_names() {
    let all = tree(&[]);
    let (catalog, _) = Catalog::read(&all, "acme");
    let count = |selection: Selection<'_>| {
        let written = Written::new(&all);
        preview::preview(&catalog, &written, selection)
            .bindings
            .len()
    };
    let dev = Selection {
        environment: "dev",
        ..Selection::default()
    };
    for (selection, wanted) in [
        (dev, 1),
        (
            Selection {
                project: Some("shop"),
                ..dev
            },
            1,
        ),
        (
            Selection {
                project: Some("sho"),
                ..dev
            },
            0,
        ),
        (
            Selection {
                component: Some("web"),
                ..dev
            },
            1,
        ),
        (
            Selection {
                component: Some("api"),
                ..dev
            },
            0,
        ),
        (
            Selection {
                folder: "tree.yaml",
                ..dev
            },
            1,
        ),
        (
            Selection {
                folder: "tree",
                ..dev
            },
            0,
        ),
    ] {
        assert_eq!(count(selection), wanted, "{selection:?}");
    }
}

#[test]
fn a_release_changes_when_its_content_does_and_not_when_it_is_written_otherwise() {
    let changed = |changes: &[(&str, &str)]| {
        let (old, new) = (tree(&[]), tree(changes));
        shown(&changed_releases(&Written::new(&old), &Written::new(&new)))
    };
    assert_eq!(changed(&[]), "");
    assert_eq!(
        changed(&[(
            "{app: {image: 'web:1'}}",
            "{\"app\": {image: web:1, env: []}}"
        )]),
        ""
    );
    assert_eq!(
        changed(&[("name: web-1,", "name: web-2,"), ("web:1", "web:2")]),
        ""
    );
    expect![[r#"
        Error ComponentReleaseReused ComponentRelease/acme/web-1 metadata.name: ComponentRelease/acme/web-1 had another content before
    "#]].assert_eq(&changed(&[("web:1", "web:2")]));
}
