//! Repositories of all releases, as they are.

use std::collections::BTreeMap;
use std::path::Path;

use object::Node;

use super::Served;

/// All that a server adds.
const DEFAULTS: &[&str] = &[
    ".targetPlane became \"dataplane\"",
    "Project.spec.deploymentPipelineRef.kind became \"DeploymentPipeline\"",
    "DeploymentPipeline.spec.promotionPaths[].sourceEnvironmentRef.kind became \"Environment\"",
    "ComponentType.spec.allowedTraits[].kind became \"Trait\"",
    "ClusterComponentType.spec.traits[].kind became \"ClusterTrait\"",
    "SecretReference.spec.refreshInterval became \"1h\"",
];

#[test]
fn every_object_of_every_tree_is_taken_as_it_is() {
    let Some(corpus) = testkit::corpus("openchoreo") else {
        return;
    };
    let served = Served::get();
    let (mut objects, mut refused, mut changed) = (0, Vec::new(), BTreeMap::new());
    each(&corpus, &mut |place, node| {
        objects += 1;
        let Some(admitted) = served.admit(node, None) else {
            refused.push(format!("{place}: no definition"));
            return;
        };
        let wrong = admitted.errors.iter().chain(&admitted.pruned);
        refused.extend(wrong.map(|error| format!("{place}: {error}")));
        let kind = node.str_at(&["kind"]).unwrap();
        changes(node, &admitted.node, kind, &mut changed);
        let again = served.admit(&admitted.node, Some(&admitted.node)).unwrap();
        assert_eq!(again.node, admitted.node, "{place}");
        assert_eq!(again.errors, Vec::<String>::new(), "{place}");
    });
    assert_eq!(refused, Vec::<String>::new());
    for (what, count) in &changed {
        println!("{count:5} {what}");
        let expected = DEFAULTS.iter().any(|default| what.ends_with(default));
        assert!(expected, "{what}");
    }
    assert!(objects >= 452, "{objects}");
}

/// Hands over every object of OpenChoreo's in the trees, and where it is.
pub fn each(corpus: &Path, take: &mut dyn FnMut(&str, &Node)) {
    let mut command_line = 0;
    for tree in [
        "gitops-demo",
        "gitops-demo-23feaa7",
        "gitops-demo-branches",
        "sample-gitops",
        "samples",
        "expected",
    ] {
        let mut count = 0;
        walk(&corpus.join(tree), &mut |place, node| {
            if node.str_at(&["kind"]) == Some(api::openchoreo::RELEASE_CONFIG) {
                command_line += 1;
                return;
            }
            count += 1;
            take(place, node);
        });
        println!("{tree}: {count} objects");
    }
    assert!(command_line > 0);
}

fn walk(path: &Path, take: &mut dyn FnMut(&str, &Node)) {
    if path.is_dir() {
        let entries = path.read_dir().unwrap();
        let mut entries: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        entries.iter().for_each(|entry| walk(entry, take));
        return;
    }
    let extension = path.extension().and_then(|extension| extension.to_str());
    if !matches!(extension, Some("yaml" | "yml")) {
        return;
    }
    let text = std::fs::read_to_string(path).unwrap();
    for node in super::documents(&text) {
        if node.str_at(&["apiVersion"]) == Some(api::openchoreo::API_VERSION) {
            let kind = node.str_at(&["kind"]).unwrap_or_default();
            let name = node.str_at(&["metadata", "name"]).unwrap_or_default();
            take(&format!("{} {kind}/{name}", path.display()), &node);
        }
    }
}

/// Counts what a server changed, by place.
fn changes(before: &Node, after: &Node, place: &str, found: &mut BTreeMap<String, usize>) {
    match (before, after) {
        (Node::Map(before), Node::Map(after)) => {
            for (key, value) in before.iter() {
                let place = format!("{place}.{key}");
                match after.get(key) {
                    Some(after) => changes(value, after, &place, found),
                    None => *found.entry(format!("{place} dropped")).or_default() += 1,
                }
            }
            for (key, value) in after.iter().filter(|(key, _)| !before.contains_key(key)) {
                let value = object::json::to_string(value);
                let what = format!("{place}.{key} became {value}");
                *found.entry(what).or_default() += 1;
            }
        }
        _ if before.as_list().is_some() && after.as_list().is_some() => {
            let (before, after) = (before.as_list().unwrap(), after.as_list().unwrap());
            assert_eq!(before.len(), after.len(), "{place}");
            for (before, after) in before.iter().zip(after) {
                changes(before, after, &format!("{place}[]"), found);
            }
        }
        _ if before == after => {}
        _ => *found.entry(format!("{place} changed")).or_default() += 1,
    }
}
