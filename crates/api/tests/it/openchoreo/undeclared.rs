//! Fields that no release knows.

use api::openchoreo::{DeclaredFields, Kind, UNDECLARED_FIELDS_MAX};
use object::Node;

fn undeclared(kind: Kind, spec: &str) -> Vec<String> {
    let text = format!("spec: {spec}");
    let documents = yaml::load(&text, &yaml::Limits::default()).unwrap();
    DeclaredFields::new().undeclared_in(kind, &documents[0].node)
}

#[test]
fn undeclared_fields_are_named_by_path() {
    for (kind, spec, expected) in [
        (
            Kind::Project,
            "{deploymentPipelineRef: {name: a}, displayName: A}",
            "spec.displayName",
        ),
        (
            Kind::Project,
            "{deploymentPipelineRef: {name: a, weight: 1}}",
            "spec.deploymentPipelineRef.weight",
        ),
        (
            Kind::Project,
            "{deploymentPipelineRef: a, parameters: {any: {thing: 1}}}",
            "",
        ),
        (
            Kind::Component,
            "{traits: [{name: t}, {nmae: t}], parameters: {a: b}}",
            "spec.traits[1].nmae",
        ),
        (
            Kind::Workload,
            "{containers: {app: {image: a, imagePull: b}}}",
            "spec.containers.app.imagePull",
        ),
        (
            Kind::ComponentRelease,
            "{componentType: {resource: [], schema: {parameters: {a: b}}}, traits: {t: {patch: []}}}",
            "spec.componentType.resource spec.traits.t.patch",
        ),
        (
            Kind::ComponentRelease,
            "{traits: [{name: t, spec: {patch: []}}]}",
            "spec.traits[0].spec.patch",
        ),
        (
            Kind::ReleaseBinding,
            "{traitOverrides: {t: {a: {b: c}}}, workloadOverrides: {container: {image: a}}}",
            "spec.workloadOverrides.container.image",
        ),
        (Kind::Trait, "[]", ""),
        (Kind::Trait, "null", ""),
    ] {
        assert_eq!(undeclared(kind, spec).join(" "), expected, "{spec}");
    }
    let many: Vec<_> = (0..100).map(|n| format!("f{n}: 1")).collect();
    let many = format!("{{{}}}", many.join(", "));
    assert_eq!(
        undeclared(Kind::Organization, &many).len(),
        UNDECLARED_FIELDS_MAX
    );
}

#[test]
fn the_public_demo_has_one_undeclared_field() {
    let Some(corpus) = testkit::corpus("openchoreo") else {
        return;
    };
    fn walk(path: &std::path::Path, take: &mut dyn FnMut(&Node)) {
        if path.is_dir() {
            let entries = path.read_dir().unwrap();
            entries.for_each(|entry| walk(&entry.unwrap().path(), take));
        } else if path.extension().is_some_and(|own| own == "yaml") {
            let text = std::fs::read_to_string(path).unwrap();
            for document in yaml::load(&text, &yaml::Limits::default()).unwrap() {
                take(&document.node);
            }
        }
    }
    let declared = DeclaredFields::new();
    let mut found = Vec::new();
    walk(&corpus.join("gitops-demo"), &mut |node| {
        let kind = node.str_at(&["kind"]).and_then(Kind::from_name);
        if let Some(kind) = kind {
            let name = node.str_at(&["metadata", "name"]).unwrap();
            for path in declared.undeclared_in(kind, node) {
                found.push(format!("{}/{name} {path}", kind.name()));
            }
        }
    });
    assert_eq!(found, ["Project/demo-project-gitops spec.displayName"]);
}
