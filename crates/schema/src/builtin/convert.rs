//! Two pairs of kinds are one resource in two shapes: autoscalers in autoscaling/v1 and v2, events in
//! v1 and events.k8s.io/v1.

use object::{Map, Node, json};

use super::canonical::canonicalize;
use super::kinds::type_of;
use super::validation::go_form;

/// The same object in another API version of its resource, in canonical form.
///
/// `None` when the kind is not served in `to`. An object that has that version already comes back
/// as it is. What version 1 of an autoscaler has no field for stands in annotations there, as
/// upstream; so converting back and forth loses nothing.
///
/// # Source
/// kubernetes/kubernetes `pkg/apis/autoscaling/v1/conversion.go` and
/// `pkg/apis/events/v1/conversion.go` at v1.36.3.
pub fn convert(node: &Node, to: &str) -> Option<Node> {
    let from = node.str_at(&["apiVersion"]).unwrap_or_default();
    if from == to {
        return Some(node.clone());
    }
    let kind = node.str_at(&["kind"]).unwrap_or_default();
    let mut converted = match (kind, from, to) {
        ("HorizontalPodAutoscaler", "autoscaling/v1", "autoscaling/v2") => to_v2(node),
        ("HorizontalPodAutoscaler", "autoscaling/v2", "autoscaling/v1") => to_v1(node),
        ("Event", "v1", "events.k8s.io/v1") => rename(node, EVENT_FIELDS, false),
        ("Event", "events.k8s.io/v1", "v1") => rename(node, EVENT_FIELDS, true),
        _ => return None,
    };
    converted.set(&["apiVersion"], to);
    let ty = type_of(to, kind)?;
    canonicalize(ty, &mut converted).ok()?;
    Some(converted)
}

/// Fields of events that changed their name: core, then events.k8s.io.
const EVENT_FIELDS: &[(&str, &str)] = &[
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
];

fn rename(node: &Node, fields: &[(&str, &str)], back: bool) -> Node {
    let renamed = node
        .as_map()
        .into_iter()
        .flat_map(Map::iter)
        .map(|(key, value)| {
            let found = fields.iter().find_map(|(one, other)| match back {
                true => (*other == key).then_some(*one),
                false => (*one == key).then_some(*other),
            });
            (found.unwrap_or(key.as_str()), value.clone())
        });
    Node::Map(renamed.collect())
}

const METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";
const CURRENT_METRICS: &str = "autoscaling.alpha.kubernetes.io/current-metrics";
const CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";
const BEHAVIOR: &str = "autoscaling.alpha.kubernetes.io/behavior";

/// Load of a pod's requested CPU to aim at when nothing is said, in percent.
const CPU_PERCENT: i64 = 80;

/// A field in version 1 and the path of the same field in version 2.
type Pair = (&'static str, &'static [&'static str]);

/// Fields of metric sources, by key of the source.
const SOURCES: &[(&str, &[Pair])] = &[
    (
        "object",
        &[
            ("target", &["describedObject"]),
            ("metricName", &["metric", "name"]),
            ("targetValue", &["target", "value"]),
            ("selector", &["metric", "selector"]),
            ("averageValue", &["target", "averageValue"]),
        ],
    ),
    (
        "pods",
        &[
            ("metricName", &["metric", "name"]),
            ("targetAverageValue", &["target", "averageValue"]),
            ("selector", &["metric", "selector"]),
        ],
    ),
    (
        "resource",
        &[
            ("name", &["name"]),
            (
                "targetAverageUtilization",
                &["target", "averageUtilization"],
            ),
            ("targetAverageValue", &["target", "averageValue"]),
        ],
    ),
    (
        "containerResource",
        &[
            ("name", &["name"]),
            (
                "targetAverageUtilization",
                &["target", "averageUtilization"],
            ),
            ("targetAverageValue", &["target", "averageValue"]),
            ("container", &["container"]),
        ],
    ),
    (
        "external",
        &[
            ("metricName", &["metric", "name"]),
            ("metricSelector", &["metric", "selector"]),
            ("targetValue", &["target", "value"]),
            ("targetAverageValue", &["target", "averageValue"]),
        ],
    ),
];

/// Fields of what was measured, by key of the source.
const MEASURED: &[(&str, &[Pair])] = &[
    (
        "object",
        &[
            ("target", &["describedObject"]),
            ("metricName", &["metric", "name"]),
            ("currentValue", &["current", "value"]),
            ("selector", &["metric", "selector"]),
            ("averageValue", &["current", "averageValue"]),
        ],
    ),
    (
        "pods",
        &[
            ("metricName", &["metric", "name"]),
            ("currentAverageValue", &["current", "averageValue"]),
            ("selector", &["metric", "selector"]),
        ],
    ),
    (
        "resource",
        &[
            ("name", &["name"]),
            (
                "currentAverageUtilization",
                &["current", "averageUtilization"],
            ),
            ("currentAverageValue", &["current", "averageValue"]),
        ],
    ),
    (
        "containerResource",
        &[
            ("name", &["name"]),
            (
                "currentAverageUtilization",
                &["current", "averageUtilization"],
            ),
            ("currentAverageValue", &["current", "averageValue"]),
            ("container", &["container"]),
        ],
    ),
    (
        "external",
        &[
            ("metricName", &["metric", "name"]),
            ("metricSelector", &["metric", "selector"]),
            ("currentValue", &["current", "value"]),
            ("currentAverageValue", &["current", "averageValue"]),
        ],
    ),
];

/// A metric with its source's fields moved between the shapes.
fn moved(metric: &Node, sources: &[(&str, &[Pair])], back: bool) -> Node {
    let mut out = Node::map();
    out.set(&["type"], metric.get("type").cloned());
    for (key, pairs) in sources {
        let Some(source) = metric.get(key).filter(|source| !source.is_null()) else {
            continue;
        };
        for (old, new) in *pairs {
            let (from, to) = match back {
                true => (*new, std::slice::from_ref(old)),
                false => (std::slice::from_ref(old), *new),
            };
            if let Some(value) = source.at(from).filter(|value| !value.is_null()) {
                let path: Vec<&str> = std::iter::once(*key).chain(to.iter().copied()).collect();
                out.set(&path, value.clone());
            }
        }
        if out.get(key).is_none() {
            out.set(&[key], Map::new());
        }
    }
    out
}

/// A metric of version 1 with the type of its target, which that version leaves to be guessed.
fn metric_to_v2(metric: &Node) -> Node {
    let mut out = moved(metric, SOURCES, false);
    for (key, _) in SOURCES {
        let Some(source) = out.get_mut(key) else {
            continue;
        };
        let has = |source: &Node, field: &str| source.at(&["target", field]).is_some();
        let kind = match *key {
            "object" | "pods" if has(source, "averageValue") => "AverageValue",
            "pods" => "AverageValue",
            "object" => "Value",
            "external" if has(source, "value") => "Value",
            "external" => "AverageValue",
            _ if has(source, "averageUtilization") => "Utilization",
            _ => "AverageValue",
        };
        // Version 1 cannot leave the value of an object metric out.
        let placeholder = source.str_at(&["target", "value"]) == Some("0");
        if *key == "object" && kind == "AverageValue" && placeholder {
            source.remove(&["target", "value"]);
        }
        source.set(&["target", "type"], kind);
    }
    out
}

fn metric_to_v1(metric: &Node) -> Node {
    let mut out = moved(metric, SOURCES, true);
    if let Some(object) = out.get_mut("object")
        && object.get("targetValue").is_none()
    {
        object.set(&["targetValue"], "0");
    }
    out
}

fn is_cpu_share(metric: &Node) -> bool {
    metric.str_at(&["type"]) == Some("Resource")
        && metric.str_at(&["resource", "name"]) == Some("cpu")
        && metric
            .at(&["resource", "target", "averageUtilization"])
            .is_some()
}

fn each(node: Option<&Node>, change: impl Fn(&Node) -> Node) -> Vec<Node> {
    let items = node.and_then(Node::as_list).unwrap_or_default();
    items.iter().map(change).collect()
}

fn to_v1(node: &Node) -> Node {
    let mut out = node.clone();
    let metrics = node
        .at(&["spec", "metrics"])
        .and_then(Node::as_list)
        .unwrap_or_default();
    let others: Vec<Node> = metrics
        .iter()
        .filter(|metric| !is_cpu_share(metric))
        .map(metric_to_v1)
        .collect();
    for key in [METRICS, CURRENT_METRICS, CONDITIONS, BEHAVIOR] {
        out.remove(&["metadata", "annotations", key]);
    }
    let mut note = |key: &str, value: &Node| {
        out.set(&["metadata", "annotations", key], json::to_string(value));
    };
    if !others.is_empty() {
        note(METRICS, &others.into());
    }
    let measured = node.at(&["status", "currentMetrics"]);
    let current = each(measured, |metric| moved(metric, MEASURED, true));
    if !current.is_empty() {
        note(CURRENT_METRICS, &current.clone().into());
    }
    if let Some(behavior) = node
        .at(&["spec", "behavior"])
        .filter(|node| !node.is_null())
    {
        note(
            BEHAVIOR,
            &go_form(behavior, "autoscaling.v2.HorizontalPodAutoscalerBehavior"),
        );
    }
    let conditions = node.at(&["status", "conditions"]);
    if let Some(conditions) =
        conditions.filter(|node| node.as_list().is_some_and(|list| !list.is_empty()))
    {
        note(CONDITIONS, conditions);
    }
    for keys in [
        ["spec", "metrics"],
        ["spec", "behavior"],
        ["status", "currentMetrics"],
        ["status", "conditions"],
    ] {
        out.remove(&keys);
    }
    if let Some(cpu) = metrics.iter().find(|metric| is_cpu_share(metric)) {
        let percent = cpu
            .at(&["resource", "target", "averageUtilization"])
            .cloned();
        out.set(&["spec", "targetCPUUtilizationPercentage"], percent);
    }
    let cpu = current.iter().find_map(|metric| {
        let resource = metric.get("resource")?;
        (resource.str_at(&["name"]) == Some("cpu"))
            .then(|| resource.get("currentAverageUtilization"))?
    });
    if let Some(percent) = cpu {
        out.set(
            &["status", "currentCPUUtilizationPercentage"],
            percent.clone(),
        );
    }
    out
}

fn to_v2(node: &Node) -> Node {
    let mut out = node.clone();
    let annotation = |key: &str| {
        let text = node.str_at(&["metadata", "annotations", key])?;
        json::parse(text.as_bytes(), json::OBJECT_LIMITS).ok()
    };
    let mut metrics = each(annotation(METRICS).as_ref(), metric_to_v2);
    out.remove(&["spec", "targetCPUUtilizationPercentage"]);
    let percent = node.at(&["spec", "targetCPUUtilizationPercentage"]);
    let percent = percent.and_then(Node::as_i64);
    if let Some(percent) = percent.or(metrics.is_empty().then_some(CPU_PERCENT)) {
        let mut cpu = Node::map();
        cpu.set(&["type"], "Resource");
        cpu.set(&["resource", "name"], "cpu");
        cpu.set(&["resource", "target", "type"], "Utilization");
        cpu.set(&["resource", "target", "averageUtilization"], percent);
        metrics.push(cpu);
    }
    out.set(&["spec", "metrics"], metrics);
    if let Some(behavior) = annotation(BEHAVIOR) {
        out.set(&["spec", "behavior"], published(&behavior));
    }
    let used = out.remove(&["status", "currentCPUUtilizationPercentage"]);
    match annotation(CURRENT_METRICS) {
        Some(current) => {
            let current = each(Some(&current), |metric| moved(metric, MEASURED, false));
            out.set(&["status", "currentMetrics"], current);
        }
        None => {
            if let Some(percent) = used.filter(|used| !used.is_null()) {
                let mut cpu = Node::map();
                cpu.set(&["type"], "Resource");
                cpu.set(&["resource", "name"], "cpu");
                cpu.set(&["resource", "current", "averageUtilization"], percent);
                out.set(&["status", "currentMetrics"], vec![cpu]);
            }
        }
    }
    if let Some(conditions) = annotation(CONDITIONS) {
        out.set(&["status", "conditions"], conditions);
    }
    for key in [METRICS, CURRENT_METRICS, CONDITIONS, BEHAVIOR] {
        out.remove(&["metadata", "annotations", key]);
    }
    out
}

/// Go member names back to JSON names.
fn published(node: &Node) -> Node {
    match node {
        Node::Map(map) => {
            let entries = map.iter().map(|(key, value)| {
                let mut chars = key.chars();
                let first = chars.next().map(|first| first.to_ascii_lowercase());
                let name: String = first.into_iter().chain(chars).collect();
                (name, published(value))
            });
            Node::Map(entries.collect())
        }
        Node::List(items) => items.iter().map(published).collect::<Vec<_>>().into(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Node {
        json::parse(text.as_bytes(), json::OBJECT_LIMITS).expect("JSON")
    }

    #[test]
    fn an_autoscaler_survives_the_way_through_version_1() {
        let object = parse(
            r#"{"apiVersion":"autoscaling/v2","kind":"HorizontalPodAutoscaler","metadata":{"name":"h"},
            "spec":{"scaleTargetRef":{"kind":"Deployment","name":"d","apiVersion":"apps/v1"},"maxReplicas":5,
            "metrics":[{"type":"Pods","pods":{"metric":{"name":"m"},"target":{"type":"AverageValue","averageValue":"3"}}},
            {"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":70}}}],
            "behavior":{"scaleUp":{"stabilizationWindowSeconds":0,"selectPolicy":"Max","policies":[{"type":"Pods","value":4,"periodSeconds":15}]}}},
            "status":{"desiredReplicas":0,"currentMetrics":null}}"#,
        );
        let old = convert(&object, "autoscaling/v1").expect("a pair");
        assert_eq!(
            old.at(&["spec", "targetCPUUtilizationPercentage"]),
            Some(&Node::Int(70))
        );
        assert_eq!(
            old.str_at(&["metadata", "annotations", METRICS]),
            Some(r#"[{"type":"Pods","pods":{"metricName":"m","targetAverageValue":"3"}}]"#)
        );
        assert_eq!(convert(&old, "autoscaling/v2"), Some(object));
    }

    #[test]
    fn version_1_without_a_target_aims_at_four_fifths_of_the_cpu() {
        let object = parse(
            r#"{"apiVersion":"autoscaling/v1","kind":"HorizontalPodAutoscaler","metadata":{"name":"h"},
            "spec":{"scaleTargetRef":{"kind":"Deployment","name":"d","apiVersion":"apps/v1"},"maxReplicas":5}}"#,
        );
        let new = convert(&object, "autoscaling/v2").expect("a pair");
        let metrics = new
            .at(&["spec", "metrics"])
            .and_then(Node::as_list)
            .expect("metrics");
        let target = metrics[0].at(&["resource", "target", "averageUtilization"]);
        assert_eq!(target, Some(&Node::Int(CPU_PERCENT)));
    }

    #[test]
    fn an_event_changes_its_names_both_ways() {
        let event = parse(
            r#"{"apiVersion":"v1","kind":"Event","metadata":{"name":"e"},"involvedObject":{"kind":"Pod","name":"p"},
            "reason":"Started","message":"m","source":{"component":"kubelet"},"firstTimestamp":null,"lastTimestamp":null,
            "count":2,"type":"Normal","eventTime":null,"reportingComponent":"","reportingInstance":""}"#,
        );
        let newer = convert(&event, "events.k8s.io/v1").expect("a pair");
        assert_eq!(newer.str_at(&["note"]), Some("m"));
        assert_eq!(newer.str_at(&["regarding", "name"]), Some("p"));
        assert_eq!(newer.at(&["deprecatedCount"]), Some(&Node::Int(2)));
        assert_eq!(convert(&newer, "v1"), Some(event));
        assert_eq!(
            convert(&parse(r#"{"apiVersion":"v1","kind":"Pod"}"#), "v2"),
            None
        );
    }
}
