//! Kinds that two groups or versions show differently: Events and HorizontalPodAutoscalers.
//!
//! # Source
//! kubernetes/kubernetes `pkg/apis/events/v1/conversion.go`,
//! `pkg/apis/autoscaling/v1/conversion.go`.

use object::{Map, Node};

use crate::types::ResourceType;

/// Names of the same fields in `v1` and in `events.k8s.io/v1`.
const EVENT_FIELDS: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("reportingComponent", "reportingController"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
];
const METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";
const CURRENT_METRICS: &str = "autoscaling.alpha.kubernetes.io/current-metrics";
const BEHAVIOR: &str = "autoscaling.alpha.kubernetes.io/behavior";
const CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";

/// A stored object in the version `resource` shows, its fields named as there.
pub(crate) fn from_storage(resource: &ResourceType, object: &mut Node) {
    match (
        resource.group.as_str(),
        resource.version.as_str(),
        resource.kind.as_str(),
    ) {
        ("events.k8s.io", _, "Event") => rename(object, |(core, new)| (core, new)),
        ("autoscaling", "v1", "HorizontalPodAutoscaler") => old_autoscaler(object),
        _ => {}
    }
}

/// An object in the version of `resource`, its fields named as they are stored.
pub(crate) fn to_storage(resource: &ResourceType, object: &mut Node) {
    match (
        resource.group.as_str(),
        resource.version.as_str(),
        resource.kind.as_str(),
    ) {
        ("events.k8s.io", _, "Event") => rename(object, |(core, new)| (new, core)),
        ("autoscaling", "v1", "HorizontalPodAutoscaler") => new_autoscaler(object),
        _ => {}
    }
}

fn rename(
    event: &mut Node,
    direction: impl Fn((&'static str, &'static str)) -> (&'static str, &'static str),
) {
    let Some(map) = event.as_map() else { return };
    let names: Vec<_> = EVENT_FIELDS.into_iter().map(direction).collect();
    let renamed = map.iter().map(|(key, value)| {
        let found = names.iter().find(|(from, _)| key == from);
        (
            found.map_or_else(|| key.clone(), |(_, to)| (*to).into()),
            value.clone(),
        )
    });
    let renamed: Map = renamed.collect();
    *event = renamed.into();
}

/// A processor metric on utilization, which is all that v1 has words for.
fn utilization<'n>(metrics: &'n [Node], key: &str, field: &str) -> Option<(usize, &'n Node)> {
    metrics.iter().enumerate().find_map(|(at, metric)| {
        let cpu = metric.str_at(&["type"]) == Some("Resource")
            && metric.str_at(&["resource", "name"]) == Some("cpu");
        let value = metric.at(&["resource", key, field])?;
        cpu.then_some((at, value))
    })
}

fn items(object: &Node, keys: &[&str]) -> Vec<Node> {
    object
        .at(keys)
        .and_then(Node::as_list)
        .unwrap_or_default()
        .to_vec()
}

fn note(object: &mut Node, key: &str, value: &Node) {
    object.set(
        &["metadata", "annotations", key],
        object::json::to_string(value),
    );
}

fn old_autoscaler(object: &mut Node) {
    let mut metrics = items(object, &["spec", "metrics"]);
    if let Some((at, value)) = utilization(&metrics, "target", "averageUtilization") {
        object.set(&["spec", "targetCPUUtilizationPercentage"], value.clone());
        metrics.remove(at);
    }
    if !metrics.is_empty() {
        note(object, METRICS, &Node::list(metrics));
    }
    let mut current = items(object, &["status", "currentMetrics"]);
    if let Some((at, value)) = utilization(&current, "current", "averageUtilization") {
        object.set(
            &["status", "currentCPUUtilizationPercentage"],
            value.clone(),
        );
        current.remove(at);
    }
    if !current.is_empty() {
        note(object, CURRENT_METRICS, &Node::list(current));
    }
    for (keys, key) in [
        (["spec", "behavior"], BEHAVIOR),
        (["status", "conditions"], CONDITIONS),
    ] {
        if let Some(value) = object.remove(&keys).filter(|value| !value.is_null()) {
            note(object, key, &value);
        }
    }
    object.remove(&["spec", "metrics"]);
    object.remove(&["status", "currentMetrics"]);
}

fn new_autoscaler(object: &mut Node) {
    let noted = |object: &mut Node, key: &str| {
        let text = object.remove(&["metadata", "annotations", key])?;
        let parsed = object::json::parse(text.as_str()?.as_bytes(), object::json::OBJECT_LIMITS);
        parsed.ok()
    };
    let lists = [
        (
            "spec",
            "targetCPUUtilizationPercentage",
            METRICS,
            "metrics",
            "target",
        ),
        (
            "status",
            "currentCPUUtilizationPercentage",
            CURRENT_METRICS,
            "currentMetrics",
            "current",
        ),
    ];
    for (part, field, key, list, which) in lists {
        let mut metrics = noted(object, key)
            .and_then(|node| Some(node.as_list()?.to_vec()))
            .unwrap_or_default();
        if let Some(value) = object
            .remove(&[part, field])
            .filter(|value| !value.is_null())
        {
            let mut metric = Node::map();
            metric.set(&["type"], "Resource");
            metric.set(&["resource", "name"], "cpu");
            if which == "target" {
                metric.set(&["resource", which, "type"], "Utilization");
            }
            metric.set(&["resource", which, "averageUtilization"], value);
            metrics.insert(0, metric);
        }
        if !metrics.is_empty() {
            object.set(&[part, list], metrics);
        }
    }
    for (keys, key) in [
        (["spec", "behavior"], BEHAVIOR),
        (["status", "conditions"], CONDITIONS),
    ] {
        if let Some(value) = noted(object, key) {
            object.set(&keys, value);
        }
    }
    let annotations = ["metadata", "annotations"];
    if object
        .at(&annotations)
        .and_then(Node::as_map)
        .is_some_and(Map::is_empty)
    {
        object.remove(&annotations);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn autoscaler(version: &str) -> crate::ResourceType {
        let types = crate::builtin::types();
        let key = (
            "autoscaling".into(),
            version.into(),
            "horizontalpodautoscalers".into(),
        );
        (*types[&key]).clone()
    }

    #[test]
    fn an_old_autoscaler_survives_the_way_into_the_store_and_back() {
        let mut object = Node::map();
        object.set(&["spec", "maxReplicas"], 3);
        object.set(&["spec", "targetCPUUtilizationPercentage"], 70);
        let before = object.clone();
        to_storage(&autoscaler("v1"), &mut object);
        let metric = &items(&object, &["spec", "metrics"])[0];
        assert_eq!(
            metric.at(&["resource", "target", "averageUtilization"]),
            Some(&Node::Int(70))
        );
        from_storage(&autoscaler("v1"), &mut object);
        assert_eq!(object, before);
    }
}
