//! Repositories of all releases, as they are.

use std::collections::BTreeMap;
use std::path::Path;

use object::Node;

use super::Served;

#[test]
fn every_object_of_every_tree_is_taken_as_it_is() {
    let Some(corpus) = testkit::corpus("openchoreo") else {
        return;
    };
    let served = Served::new();
    let mut found = Found::default();
    for tree in [
        "gitops-demo",
        "gitops-demo-23feaa7",
        "gitops-demo-branches",
        "sample-gitops",
        "samples",
        "expected",
    ] {
        let before = found.objects;
        walk(&corpus.join(tree), &served, &mut found);
        println!("{tree}: {} objects", found.objects - before);
    }
    assert_eq!(found.refused, Vec::<String>::new());
    for (what, count) in &found.changes {
        println!("{count:5} {what}");
    }
    println!(
        "{} objects, {} command line files",
        found.objects, found.command_line
    );
    assert!(found.objects > 300);
    assert!(found.command_line > 0);
}

#[derive(Default)]
struct Found {
    objects: usize,
    command_line: usize,
    refused: Vec<String>,
    changes: BTreeMap<String, usize>,
}

fn walk(path: &Path, served: &Served, found: &mut Found) {
    if path.is_dir() {
        let mut entries: Vec<_> = path
            .read_dir()
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        entries.sort();
        entries.iter().for_each(|entry| walk(entry, served, found));
        return;
    }
    let extension = path.extension().and_then(|extension| extension.to_str());
    if !matches!(extension, Some("yaml" | "yml")) {
        return;
    }
    let text = std::fs::read_to_string(path).unwrap();
    let documents = match yaml::load(&text, &yaml::Limits::default()) {
        Ok(documents) => documents,
        // Templates of other tools.
        Err(error) => {
            println!("{}: {error}", path.display());
            return;
        }
    };
    for document in documents {
        let node = document.node;
        if node.str_at(&["apiVersion"]) != Some(api::openchoreo::API_VERSION) {
            continue;
        }
        let kind = node.str_at(&["kind"]).unwrap();
        if kind == api::openchoreo::RELEASE_CONFIG {
            found.command_line += 1;
            continue;
        }
        found.objects += 1;
        let name = node.str_at(&["metadata", "name"]).unwrap_or_default();
        let place = format!("{} {kind}/{name}", path.display());
        match served.admit(&node, None) {
            None => found.refused.push(format!("{place}: no definition")),
            Some(admitted) => {
                let wrong = admitted.errors.iter().chain(&admitted.pruned);
                found
                    .refused
                    .extend(wrong.map(|error| format!("{place}: {error}")));
                changes(&node, &admitted.node, kind, &mut found.changes);
                let again = served.admit(&admitted.node, Some(&admitted.node)).unwrap();
                assert_eq!(again.node, admitted.node, "{place}");
                assert!(again.errors.is_empty(), "{place}: {:?}", again.errors);
            }
        }
    }
}

/// Counts what a server changed, by place.
fn changes(before: &Node, after: &Node, place: &str, found: &mut BTreeMap<String, usize>) {
    let mut count = |what: String| *found.entry(what).or_default() += 1;
    match (before, after) {
        (Node::Map(before), Node::Map(after)) => {
            for (key, value) in before.iter() {
                match after.get(key) {
                    Some(after) => changes(value, after, &format!("{place}.{key}"), found),
                    None => {
                        *found
                            .entry(format!("{place}.{key} dropped, was {}", value.type_name()))
                            .or_default() += 1
                    }
                }
            }
            for (key, value) in after.iter() {
                if !before.contains_key(key) {
                    let value = object::json::to_string(value);
                    *found
                        .entry(format!("{place}.{key} became {value}"))
                        .or_default() += 1;
                }
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
        _ => count(format!("{place} changed")),
    }
}
