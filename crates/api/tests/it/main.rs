//! The definitions of the kinds served, and what is read from objects of them.

mod openchoreo;

use object::{Node, Object};

/// A definition without what is ours to word, and with keys in order.
fn structure(definition: &Node) -> Node {
    fn strip(node: &mut Node) {
        match node {
            Node::Map(map) => {
                // A property may be called `description` too; then it is a map.
                map.retain(|key, value| !(key == "description" && value.as_str().is_some()));
                map.iter_mut().for_each(|(_, value)| strip(value));
            }
            Node::List(_) => {
                if let Some(items) = node.as_list_mut() {
                    items.iter_mut().for_each(strip);
                }
            }
            _ => {}
        }
    }
    let mut definition = definition.clone();
    strip(&mut definition);
    definition.sort_keys();
    definition
}

#[test]
fn definitions_equal_upstream_in_all_but_words() {
    let Some(corpus) = testkit::corpus("flux/crds") else {
        return;
    };
    for ours in api::custom_resource_definitions() {
        let name = ours.str_at(&["metadata", "name"]).unwrap();
        let (plural, group) = name.split_once('.').unwrap();
        let controller = match group {
            "source.toolkit.fluxcd.io" => "source-controller",
            _ => "kustomize-controller",
        };
        let file = corpus
            .join(controller)
            .join(format!("{group}_{plural}.yaml"));
        let text = std::fs::read_to_string(file).unwrap();
        let upstream = yaml::load(&text, &yaml::Limits::default())
            .unwrap()
            .remove(0)
            .node;
        assert_eq!(
            object::json::to_string_pretty(&structure(&ours), 1),
            object::json::to_string_pretty(&structure(&upstream), 1),
            "{name}"
        );
        let words = |node: &Node| object::json::to_string(node);
        // A few words about a name are the same in every language.
        let longer = descriptions(&ours)
            .into_iter()
            .filter(|text| text.len() > 30);
        for description in longer {
            let quoted = format!("\"description\":{}", words(&description.into()));
            assert!(
                !words(&upstream).contains(&quoted),
                "{quoted} is upstream's text"
            );
        }
    }
}

fn descriptions(node: &Node) -> Vec<&str> {
    match node {
        Node::Map(map) => map
            .iter()
            .flat_map(|(key, value)| match (key.as_str(), value.as_str()) {
                ("description", Some(text)) => vec![text],
                _ => descriptions(value),
            })
            .collect(),
        Node::List(items) => items.iter().flat_map(descriptions).collect(),
        _ => Vec::new(),
    }
}

fn object(yaml: &str) -> Object {
    let mut documents = yaml::load(yaml, &yaml::Limits::default()).unwrap();
    Object::new(documents.remove(0).node)
}

#[test]
fn a_kustomization_is_read_with_flux_defaults() {
    let unit = api::Kustomization::read(&object(
        "
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: team}
spec:
  interval: 10m
  prune: true
  sourceRef: {kind: GitRepository, name: fleet}
  dependsOn: [{name: infra}, {name: base, namespace: platform}]
  healthChecks: [{kind: Deployment, name: web, namespace: shop}]
",
    ))
    .unwrap();
    assert_eq!(unit.source.namespace, "team");
    assert_eq!(unit.retry_interval.to_string(), "10m0s");
    assert_eq!(unit.timeout.to_string(), "9m30s");
    assert_eq!(unit.depends_on[0].namespace, "team");
    assert_eq!(unit.depends_on[1].namespace, "platform");
    assert_eq!(unit.health_checks[0].api_version, "apps/v1");
    assert_eq!(unit.health_checks[0].key.group, "apps");
    assert_eq!(unit.status.observed_generation, -1);
}

#[test]
fn a_field_that_cannot_be_read_is_named() {
    for (spec, expected) in [
        (
            "interval: 1d",
            "field `spec.interval` is `1d`, wanted a duration such as `10m` or `1h30m`",
        ),
        (
            "interval: -1s",
            "field `spec.interval` is `-1s`, wanted a duration such as `10m` or `1h30m`",
        ),
        (
            "interval: 5",
            "field `spec.interval` is of type int, wanted a text",
        ),
        (
            "prune: 'yes'",
            "field `spec.prune` is of type string, wanted true or false",
        ),
        (
            "patches: [x]",
            "field `spec.patches[0]` is of type string, wanted a map",
        ),
        (
            "sourceRef: []",
            "field `spec.sourceRef` is of type list, wanted a map",
        ),
    ] {
        let yaml = format!("metadata: {{name: a}}\nspec:\n  {spec}\n");
        let error = api::Kustomization::read(&object(&yaml)).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn a_status_survives_being_read_and_written() {
    let text = "
metadata: {name: fleet, namespace: team, generation: 3}
spec: {url: 'https://git.example.com/fleet', interval: 1m}
status:
  artifact: {digest: 'sha256:ab', lastUpdateTime: '2026-01-01T00:00:00Z', path: a/b, revision: 'main@sha1:cd', size: 7, url: 'http://host/a/b'}
  conditions:
  - {lastTransitionTime: '2026-01-01T00:00:00Z', message: stored, observedGeneration: 3, reason: Succeeded, status: 'True', type: Ready}
  lastHandledReconcileAt: now
  observedGeneration: 3
  observedIgnore: '*.md'
  observedRecurseSubmodules: true
  observedSparseCheckout: [apps]
";
    let object = object(text);
    let repository = api::GitRepository::read(&object).unwrap();
    assert_eq!(
        &repository.status.to_node(),
        object.node.get("status").unwrap()
    );
}

#[test]
fn a_condition_keeps_its_time_until_its_status_changes() {
    let at = golang::Timestamp::from_unix;
    let mut conditions = api::Conditions::default();
    let ready = |status| (api::condition_type::READY, status);
    conditions.set(ready(api::ConditionStatus::False), "A", "a", 1, at(10));
    conditions.set(ready(api::ConditionStatus::False), "B", "b", 1, at(20));
    assert_eq!(
        conditions.get("Ready").unwrap().last_transition_time,
        at(10).to_string()
    );
    conditions.set(ready(api::ConditionStatus::True), "C", "c", 1, at(30));
    assert_eq!(
        conditions.get("Ready").unwrap().last_transition_time,
        at(30).to_string()
    );
    let again = api::Conditions::read(Some(&conditions.to_node()));
    assert_eq!(again, conditions);
}
