//! Definitions and objects through the door of a server.

use std::collections::BTreeMap;

use apimachine::Body;
use object::{Node, json};
use schema::structural::crd;

use super::trees;
use crate::scenario::Cluster;

#[test]
fn every_definition_is_one_a_server_takes() {
    for definition in api::openchoreo::custom_resource_definitions() {
        let name = definition.str_at(&["metadata", "name"]).unwrap();
        assert_eq!(refusals(&definition), Vec::<String>::new(), "{name}");
    }
}

/// What is wrong with a definition for a server.
fn refusals(definition: &Node) -> Vec<String> {
    let mut definition = definition.clone();
    crd::default(&mut definition);
    crd::record_storage_version(&mut definition);
    let errors = crd::validate(&definition);
    let warnings = crd::warnings(&definition);
    let errors = errors.iter().map(ToString::to_string);
    errors.chain(warnings).collect()
}

/// A server with the definitions.
struct Server {
    cluster: Cluster,
    /// Addresses of objects by kind.
    paths: BTreeMap<String, String>,
}

impl Server {
    fn new() -> Self {
        let mut cluster = Cluster::new();
        let mut paths = BTreeMap::new();
        for definition in api::openchoreo::custom_resource_definitions() {
            let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
            let response = cluster.send(&format!("POST {path} {}", json::to_string(&definition)));
            assert_eq!(response.status, 201, "{definition:?}");
            let text = |keys: &[&str]| definition.str_at(keys).unwrap().to_owned();
            let plural = text(&["spec", "names", "plural"]);
            let namespace = match text(&["spec", "scope"]).as_str() {
                "Cluster" => "",
                _ => "namespaces/default/",
            };
            let path = format!("/apis/openchoreo.dev/v1alpha1/{namespace}{plural}");
            paths.insert(text(&["spec", "names", "kind"]), path);
        }
        Self { cluster, paths }
    }

    /// Applies an object as a Kustomization does; what was refused, if it was.
    fn apply(&mut self, node: &Node, manager: &str) -> Option<String> {
        let path = &self.paths[node.str_at(&["kind"]).unwrap()];
        let name = node.str_at(&["metadata", "name"]).unwrap();
        let text = json::to_string(node);
        let line = format!("PATCH {path}/{name}?fieldManager={manager}&force=true apply {text}");
        let response = self.cluster.send(&line);
        let refused = !matches!(response.status, 200 | 201);
        refused.then(|| match response.body {
            Body::Node(node) => json::to_string(&node),
            _ => response.status.to_string(),
        })
    }
}

#[test]
fn releases_are_applied_again_and_again() {
    let mut server = Server::new();
    let release = "
apiVersion: openchoreo.dev/v1alpha1
kind: ComponentRelease
metadata: {name: web-1, namespace: default}
spec:
  owner: {projectName: p, componentName: c}
  componentType: {workloadType: job, resources: [{id: job, template: {a: b}}]}
  componentProfile: {parameters: null}
  traits: {t: {creates: [{template: {a: b}}]}}
  workload: {containers: {app: {image: a}}}
";
    let release = super::documents(release).remove(0);
    for manager in ["a", "a", "b"] {
        assert_eq!(server.apply(&release, manager), None, "{manager}");
    }
    let mut labelled = release.clone();
    labelled.set(&["metadata", "labels", "team"], "web");
    assert_eq!(server.apply(&labelled, "a"), None);
    let mut changed = release;
    changed.set(&["spec", "workload", "containers", "app", "image"], "b");
    let refused = server.apply(&changed, "a").unwrap();
    assert!(refused.contains("spec.workload is immutable"), "{refused}");
}

#[test]
fn every_object_of_every_tree_is_applied_twice() {
    let Some(corpus) = testkit::corpus("openchoreo") else {
        return;
    };
    let mut server = Server::new();
    let mut objects = Vec::new();
    trees::each(&corpus, &mut |_, node| {
        let mut node = node.clone();
        // Trees use the same names.
        node.set(&["metadata", "name"], format!("object-{}", objects.len()));
        if node.str_at(&["metadata", "namespace"]).is_some() {
            node.set(&["metadata", "namespace"], "default");
        }
        for field in ["uid", "ownerReferences"] {
            node.remove(&["metadata", field]);
        }
        objects.push(node);
    });
    for manager in ["a", "a", "b"] {
        let refused = objects
            .iter()
            .filter_map(|node| server.apply(node, manager));
        assert_eq!(refused.collect::<Vec<_>>(), Vec::<String>::new());
    }
    assert!(objects.len() > 300);
}
