//! Objects of every version as one model.

use component::model::{self, Dialect, Finding, Item};
use expect_test::{Expect, expect};
use object::Object;

use crate::support::node;

fn object(text: &str) -> Object {
    Object::new(node(text))
}

fn item(text: &str) -> Item {
    let read = model::read(&object(text)).expect("it is of the group");
    read.unwrap_or_else(|error| panic!("{error}")).item
}

fn check_findings(text: &str, expected: Expect) {
    let found = match model::read(&object(text)).expect("it is of the group") {
        Ok(read) => lines("warning", &read.warnings),
        Err(error) => lines("error", &error.findings),
    };
    expected.assert_eq(&found);
}

fn lines(severity: &str, findings: &[Finding]) -> String {
    let lines = findings
        .iter()
        .map(|finding| format!("{severity}: {finding}\n"));
    lines.collect()
}

fn manifest(kind: &str, spec: &str) -> String {
    format!(
        "apiVersion: openchoreo.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: x, namespace: acme}}\nspec: {spec}\n"
    )
}

#[test]
fn references_are_names_in_old_trees_and_objects_in_new_ones() {
    for (spec, kind, name) in [
        ("{dataPlaneRef: non-prod}", "DataPlane", "non-prod"),
        ("{dataPlaneRef: {name: edge}}", "DataPlane", "edge"),
        (
            "{dataPlaneRef: {kind: ClusterDataPlane, name: default}}",
            "ClusterDataPlane",
            "default",
        ),
    ] {
        let Item::Environment(environment) = item(&manifest("Environment", spec)) else {
            panic!("{spec} is no environment");
        };
        let found = environment.data_plane.expect("a reference");
        assert_eq!(
            (found.kind.as_str(), found.name.as_str()),
            (kind, name),
            "{spec}"
        );
    }
    let Item::Environment(none) = item(&manifest("Environment", "{}")) else {
        panic!("no environment");
    };
    assert_eq!(none.data_plane, None);
}

#[test]
fn a_field_no_version_knows_is_a_warning_with_its_path() {
    check_findings(
        &manifest(
            "Project",
            "{deploymentPipelineRef: {kind: DeploymentPipeline, name: simple}, displayName: Demo}",
        ),
        expect![[r#"
            warning: `spec.displayName` is a field of no version
        "#]],
    );
    check_findings(
        &manifest(
            "ReleaseBinding",
            "{owner: {projectName: p, componentName: c}, environment: dev, traitOverides: {}}",
        ),
        expect![[r#"
            warning: `spec.traitOverides` is a field of no version; did you mean `traitOverrides`?
        "#]],
    );
}

#[test]
fn a_slip_beside_the_spec_is_told_too() {
    check_findings(
        "{apiVersion: openchoreo.dev/v1alpha1, kind: Environment, metadata: {name: x}, specs: {dataPlaneRef: a}}",
        expect![[r#"
            warning: `specs` is a field of no version; did you mean `spec`?
        "#]],
    );
}

#[test]
fn a_kind_no_version_knows_is_kept_and_told() {
    check_findings(
        &manifest("ReleaseBindin", "{anything: 1}"),
        expect![[r#"
            warning: `kind` is of no version; did you mean `ReleaseBinding`?
        "#]],
    );
}

#[test]
fn everything_wrong_with_an_object_is_told_at_once() {
    check_findings(
        &manifest(
            "Component",
            "{owner: {projectName: 7}, componentType: foo/x, traits: [{name: t}, {name: t, instanceName: a}, {name: u, instanceName: a}]}",
        ),
        expect![[r#"
            error: `spec.owner.projectName` has to be text, not a int
            error: `spec.traits[0].instanceName` is missing
            error: `spec.componentType` is `foo/x`, which is not a workload type (deployment, statefulset, cronjob, job or proxy), a slash and a name
            error: `spec.traits[2].instanceName` repeats `a`
        "#]],
    );
    check_findings(
        &manifest(
            "ComponentRelease",
            "{owner: {projectName: p, componentName: c}, componentType: {schema: {}}, traits: {t: {patches: [{target: {kind: Deployment}, operations: [{op: move, path: /a}]}]}}}",
        ),
        expect![[r#"
            error: `spec.traits.t.patches[0].target.version` is missing
            error: `spec.traits.t.patches[0].operations[0].op` is `move`, not one of add, replace, remove, mergeShallow
            error: `spec.componentType.workloadType` is missing
            error: `spec.componentType.resources` is missing
        "#]],
    );
    check_findings(
        "{apiVersion: openchoreo.dev/v1alpha1, kind: Environment, spec: [1]}",
        expect![[r#"
            error: `metadata.name` is missing
            error: `spec` has to be a map, not a list
        "#]],
    );
}

#[test]
fn objects_of_other_groups_are_nobodys_business() {
    let other =
        object("{apiVersion: openchoreo.dev.example.com/v1, kind: Component, metadata: {name: x}}");
    assert!(model::read(&other).is_none());
    assert!(model::read(&object("just text")).is_none());
}

#[test]
fn a_release_config_is_told_from_objects_and_other_kinds_are_kept() {
    assert!(matches!(
        item(
            "{apiVersion: openchoreo.dev/v1alpha1, kind: ReleaseConfig, componentReleaseDefaults: {}}"
        ),
        Item::ReleaseConfig(_)
    ));
    assert!(matches!(
        item(&manifest("Workflow", "{anything: [1]}")),
        Item::Stored(_)
    ));
}

#[test]
fn hosts_of_old_planes_become_gateways_and_back() {
    let Item::DataPlane(old) = item(&manifest(
        "DataPlane",
        "{gateway: {publicVirtualHost: apps.example.org, organizationVirtualHost: int.example.org, publicHTTPPort: 80}}",
    )) else {
        panic!("no plane");
    };
    expect!["{\"ingress\":{\"external\":{\"http\":{\"host\":\"apps.example.org\",\"port\":80},\"https\":{\"host\":\"apps.example.org\",\"port\":19443}},\"internal\":{\"http\":{\"host\":\"int.example.org\",\"port\":19081},\"https\":{\"host\":\"int.example.org\",\"port\":19444}}}}"]
        .assert_eq(&object::json::to_string(&old.gateway));
    let Item::DataPlane(new) = item(&manifest(
        "ClusterDataPlane",
        "{planeID: p, gateway: {ingress: {external: {name: gw, namespace: ns, https: {host: new.example.org, port: 443}}}}}",
    )) else {
        panic!("no plane");
    };
    assert_eq!(new.public_virtual_host.as_deref(), Some("new.example.org"));
}

#[test]
fn the_dialect_of_a_release_comes_from_its_content() {
    let release = |component_type: &str, workload: &str| {
        let spec = format!(
            "{{owner: {{projectName: p, componentName: c}}, componentType: {component_type}, workload: {workload}}}"
        );
        let Item::ComponentRelease(release) = item(&manifest("ComponentRelease", &spec)) else {
            panic!("no release");
        };
        release.dialect
    };
    let bare = |schema: &str, template: &str| {
        format!(
            "{{workloadType: deployment, {schema} resources: [{{id: deployment, template: {{a: '{template}'}}}}]}}"
        )
    };
    let both = "schema: {parameters: {port: integer}, envOverrides: {resources: {cpu: string}}},";
    for (component_type, workload, expected) in [
        (
            bare(both, "${parameters.port}"),
            "{}",
            Dialect::EnvOverrides,
        ),
        (
            bare(both, "${envOverrides.resources.cpu}"),
            "{}",
            Dialect::EnvOverrides,
        ),
        (
            bare(both, "${parameters.resources.cpu}"),
            "{}",
            Dialect::LegacyMerged,
        ),
        (
            bare(both, "text parameters.resources"),
            "{}",
            Dialect::EnvOverrides,
        ),
        (
            bare("", "x"),
            "{containers: {app: {image: i}}}",
            Dialect::EnvOverrides,
        ),
        (bare("", "x"), "{container: {image: i}}", Dialect::V1),
        (
            bare("parameters: {openAPIV3Schema: {type: object}},", "x"),
            "{}",
            Dialect::V1,
        ),
        (
            format!(
                "{{kind: ComponentType, name: deployment/x, spec: {}}}",
                bare("", "x")
            ),
            "{}",
            Dialect::V1,
        ),
        (
            format!(
                "{{kind: ComponentType, name: deployment/x, spec: {}}}",
                bare(both, "x")
            ),
            "{}",
            Dialect::EnvOverrides,
        ),
    ] {
        assert_eq!(
            release(&component_type, workload),
            expected,
            "{component_type}"
        );
    }
}

#[test]
fn frozen_fields_may_not_change_and_labels_may() {
    let release = |image: &str, labels: &str| {
        node(&format!(
            "{{metadata: {{name: r, labels: {labels}}}, spec: {{owner: {{projectName: p, componentName: c}}, workload: {{containers: {{app: {{image: '{image}'}}}}}}}}}}"
        ))
    };
    let changed = |kind: &str, old: &object::Node, new: &object::Node| -> Vec<String> {
        let paths = model::changed_fixed_fields(kind, old, new);
        paths.iter().map(ToString::to_string).collect()
    };
    let before = release("a:1", "{}");
    assert_eq!(
        changed("ComponentRelease", &before, &release("a:2", "{}")),
        ["spec.workload"]
    );
    assert!(changed("ComponentRelease", &before, &release("a:1", "{x: y}")).is_empty());

    let component = |reference: &str| {
        node(&format!(
            "{{spec: {{owner: {{projectName: p}}, componentType: {reference}}}}}"
        ))
    };
    let old = component("deployment/http-service");
    assert_eq!(
        changed("Component", &old, &component("statefulset/x")),
        ["spec.componentType"]
    );
    let same = component("{kind: ComponentType, name: deployment/http-service}");
    assert!(changed("Component", &old, &same).is_empty());

    let environment = |spec: &str| node(&format!("{{spec: {spec}}}"));
    let unset = environment("{isProduction: false}");
    assert!(changed("Environment", &unset, &environment("{dataPlaneRef: a}")).is_empty());
    assert_eq!(
        changed(
            "Environment",
            &environment("{dataPlaneRef: a}"),
            &environment("{dataPlaneRef: {name: b}}")
        ),
        ["spec.dataPlaneRef"]
    );
}
