//! Defaults of the group autoscaling.

use object::{Map, Node};

use super::{Rule, fill, fill_zero, has_entries, inner};

pub(super) const RULES: &[Rule] = &[
    ("autoscaling.v2.HorizontalPodAutoscaler", autoscaler),
    ("autoscaling.v1.HorizontalPodAutoscaler", |autoscaler| {
        // Metrics that this version has no field for stand in an annotation.
        let annotation = "autoscaling.alpha.kubernetes.io/metrics";
        let metadata = inner(autoscaler, "metadata");
        let measured = metadata
            .get("annotations")
            .is_some_and(|annotations| annotations.get(annotation).is_some());
        let spec = inner(autoscaler, "spec");
        fill(spec, "minReplicas", 1);
        if !measured {
            fill(spec, "targetCPUUtilizationPercentage", CPU_PERCENT);
        }
    }),
];

/// Average load of a pod's requested CPU to aim at when nothing is said.
const CPU_PERCENT: i64 = 80;

/// Seconds over which a scaling policy counts when it is a default.
const PERIOD_SECONDS: i64 = 15;

fn autoscaler(autoscaler: &mut Map) {
    let spec = inner(autoscaler, "spec");
    fill(spec, "minReplicas", 1);
    if !has_entries(spec, "metrics") {
        let mut metric = Node::map();
        metric.set(&["type"], "Resource");
        metric.set(&["resource", "name"], "cpu");
        metric.set(&["resource", "target", "type"], "Utilization");
        metric.set(&["resource", "target", "averageUtilization"], CPU_PERCENT);
        spec.insert("metrics", vec![metric]);
    }
    if let Some(behavior) = spec.get_mut("behavior").and_then(Node::as_map_mut) {
        let up = inner(behavior, "scaleUp");
        fill(up, "stabilizationWindowSeconds", 0);
        rules(up, vec![policy("Pods", 4), policy("Percent", 100)]);
        rules(inner(behavior, "scaleDown"), vec![policy("Percent", 100)]);
    }
}

fn rules(rules: &mut Map, policies: Vec<Node>) {
    fill(rules, "selectPolicy", "Max");
    fill_zero(rules, "policies", policies);
}

fn policy(kind: &str, value: i64) -> Node {
    let mut policy = Node::map();
    policy.set(&["type"], kind);
    policy.set(&["value"], value);
    policy.set(&["periodSeconds"], PERIOD_SECONDS);
    policy
}
