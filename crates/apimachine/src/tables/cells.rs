//! The cells of built-in kinds.

use golang::{Duration, Timestamp, human_duration};
use object::{Map, Node};

use super::text::{
    NONE, UNSET, access_modes, age, at, containers, count, is_true, items, labels, number, or,
    selector, since, some,
};

/// Members that fit into a cell before it is cut short.
const MEMBERS_SHOWN: usize = 3;

fn name(object: &Node) -> Node {
    at(object, &["metadata", "name"]).into()
}

fn row<const N: usize>(cells: [Node; N]) -> Vec<Node> {
    cells.to_vec()
}

fn text(text: impl Into<String>) -> Node {
    Node::from(text.into())
}

fn template(object: &Node) -> [Node; 2] {
    containers(object.at(&["spec", "template", "spec"]))
}

pub(super) fn created_at(object: &Node, _now: Timestamp) -> Vec<Node> {
    row([
        name(object),
        at(object, &["metadata", "creationTimestamp"]).into(),
    ])
}

pub(super) fn named(object: &Node, now: Timestamp) -> Vec<Node> {
    row([name(object), age(object, now)])
}

pub(super) fn deployment(object: &Node, now: Timestamp) -> Vec<Node> {
    let [names, images] = template(object);
    row([
        name(object),
        text(format!(
            "{}/{}",
            number(object, &["status", "readyReplicas"]),
            number(object, &["spec", "replicas"])
        )),
        number(object, &["status", "updatedReplicas"]).into(),
        number(object, &["status", "availableReplicas"]).into(),
        age(object, now),
        names,
        images,
        text(selector(object.at(&["spec", "selector"]))),
    ])
}

fn replicas(object: &Node, now: Timestamp, selector: String) -> Vec<Node> {
    let [names, images] = template(object);
    row([
        name(object),
        number(object, &["spec", "replicas"]).into(),
        number(object, &["status", "replicas"]).into(),
        number(object, &["status", "readyReplicas"]).into(),
        age(object, now),
        names,
        images,
        text(selector),
    ])
}

pub(super) fn replica_set(object: &Node, now: Timestamp) -> Vec<Node> {
    replicas(object, now, selector(object.at(&["spec", "selector"])))
}

pub(super) fn replication_controller(object: &Node, now: Timestamp) -> Vec<Node> {
    replicas(object, now, labels(object.at(&["spec", "selector"])))
}

pub(super) fn stateful_set(object: &Node, now: Timestamp) -> Vec<Node> {
    let [names, images] = template(object);
    let ready = format!(
        "{}/{}",
        number(object, &["status", "readyReplicas"]),
        number(object, &["spec", "replicas"])
    );
    row([name(object), text(ready), age(object, now), names, images])
}

pub(super) fn daemon_set(object: &Node, now: Timestamp) -> Vec<Node> {
    let [names, images] = template(object);
    let status = |member: &str| Node::from(number(object, &["status", member]));
    row([
        name(object),
        status("desiredNumberScheduled"),
        status("currentNumberScheduled"),
        status("numberReady"),
        status("updatedNumberScheduled"),
        status("numberAvailable"),
        text(labels(object.at(&[
            "spec",
            "template",
            "spec",
            "nodeSelector",
        ]))),
        age(object, now),
        names,
        images,
        text(selector(object.at(&["spec", "selector"]))),
    ])
}

pub(super) fn job(object: &Node, now: Timestamp) -> Vec<Node> {
    let succeeded = number(object, &["status", "succeeded"]);
    let wanted = |member: &str| object.at(&["spec", member]).and_then(Node::as_i64);
    let completions = match (wanted("completions"), wanted("parallelism").unwrap_or(0)) {
        (Some(completions), _) => format!("{succeeded}/{completions}"),
        (None, parallelism) if parallelism > 1 => format!("{succeeded}/1 of {parallelism}"),
        _ => format!("{succeeded}/1"),
    };
    let time = |member: &str| at(object, &["status", member]).parse::<Timestamp>().ok();
    let duration = time("startTime")
        .map(|start| human_duration(time("completionTime").unwrap_or(now).since(start)));
    let status = if is_true(object, "Complete") {
        "Complete"
    } else if is_true(object, "Failed") {
        "Failed"
    } else if !at(object, &["metadata", "deletionTimestamp"]).is_empty() {
        "Terminating"
    } else if is_true(object, "Suspended") {
        "Suspended"
    } else if is_true(object, "FailureTarget") {
        "FailureTarget"
    } else if is_true(object, "SuccessCriteriaMet") {
        "SuccessCriteriaMet"
    } else {
        "Running"
    };
    let [names, images] = template(object);
    row([
        name(object),
        status.into(),
        text(completions),
        text(duration.unwrap_or_default()),
        age(object, now),
        names,
        images,
        text(selector(object.at(&["spec", "selector"]))),
    ])
}

pub(super) fn cron_job(object: &Node, now: Timestamp) -> Vec<Node> {
    let suspend = match object.at(&["spec", "suspend"]).and_then(Node::as_bool) {
        Some(true) => "True",
        Some(false) => "False",
        None => UNSET,
    };
    let last = at(object, &["status", "lastScheduleTime"]);
    let [names, images] =
        containers(object.at(&["spec", "jobTemplate", "spec", "template", "spec"]));
    row([
        name(object),
        at(object, &["spec", "schedule"]).into(),
        or(at(object, &["spec", "timeZone"]), NONE).into(),
        suspend.into(),
        count(object, &["status", "active"]).into(),
        if last.is_empty() {
            NONE.into()
        } else {
            text(since(last, now))
        },
        age(object, now),
        names,
        images,
        text(selector(object.at(&[
            "spec",
            "jobTemplate",
            "spec",
            "selector",
        ]))),
    ])
}

pub(super) fn service(object: &Node, now: Timestamp) -> Vec<Node> {
    let ports = items(object, &["spec", "ports"]).iter().map(|port| {
        let protocol = at(port, &["protocol"]);
        match number(port, &["nodePort"]) {
            0 => format!("{}/{protocol}", number(port, &["port"])),
            node_port => format!("{}:{node_port}/{protocol}", number(port, &["port"])),
        }
    });
    let ports = ports.collect::<Vec<_>>().join(",");
    let cluster_ip = match items(object, &["spec", "clusterIPs"])
        .first()
        .and_then(Node::as_str)
    {
        Some(first) => first,
        None => at(object, &["spec", "clusterIP"]),
    };
    row([
        name(object),
        at(object, &["spec", "type"]).into(),
        or(cluster_ip, NONE).into(),
        text(external_ip(object)),
        or(&ports, NONE).into(),
        age(object, now),
        text(labels(object.at(&["spec", "selector"]))),
    ])
}

fn external_ip(service: &Node) -> String {
    let external: Vec<&str> = items(service, &["spec", "externalIPs"])
        .iter()
        .filter_map(Node::as_str)
        .collect();
    match at(service, &["spec", "type"]) {
        "ExternalName" => at(service, &["spec", "externalName"]).to_owned(),
        "LoadBalancer" => {
            let balancer = balancer_addresses(service);
            let all: Vec<&str> = std::iter::once(balancer.as_str())
                .chain(external)
                .filter(|one| !one.is_empty())
                .collect();
            if all.is_empty() {
                "<pending>".to_owned()
            } else {
                all.join(",")
            }
        }
        _ if external.is_empty() => NONE.to_owned(),
        _ => external.join(","),
    }
}

fn balancer_addresses(object: &Node) -> String {
    let mut addresses: Vec<&str> = items(object, &["status", "loadBalancer", "ingress"])
        .iter()
        .map(|ingress| or(at(ingress, &["ip"]), at(ingress, &["hostname"])))
        .filter(|address| !address.is_empty())
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses.join(",")
}

pub(super) fn ingress(object: &Node, now: Timestamp) -> Vec<Node> {
    let hosts: Vec<String> = items(object, &["spec", "rules"])
        .iter()
        .map(|rule| at(rule, &["host"]).to_owned())
        .filter(|host| !host.is_empty())
        .collect();
    let hosts = if hosts.is_empty() {
        "*".to_owned()
    } else {
        some(&hosts, MEMBERS_SHOWN)
    };
    let ports = if items(object, &["spec", "tls"]).is_empty() {
        "80"
    } else {
        "80, 443"
    };
    row([
        name(object),
        or(at(object, &["spec", "ingressClassName"]), NONE).into(),
        text(hosts),
        text(balancer_addresses(object)),
        ports.into(),
        age(object, now),
    ])
}

pub(super) fn ingress_class(object: &Node, now: Timestamp) -> Vec<Node> {
    let parameters = object
        .at(&["spec", "parameters"])
        .filter(|node| !node.is_null())
        .map(|parameters| {
            let group = at(parameters, &["apiGroup"]);
            let dot = if group.is_empty() { "" } else { "." };
            format!(
                "{}{dot}{group}/{}",
                at(parameters, &["kind"]),
                at(parameters, &["name"])
            )
        });
    row([
        name(object),
        at(object, &["spec", "controller"]).into(),
        text(parameters.unwrap_or_else(|| NONE.to_owned())),
        age(object, now),
    ])
}

pub(super) fn endpoints(object: &Node, now: Timestamp) -> Vec<Node> {
    let mut all: Vec<String> = Vec::new();
    for subset in items(object, &["subsets"]) {
        let addresses = items(subset, &["addresses"])
            .iter()
            .map(|address| at(address, &["ip"]));
        let ports = items(subset, &["ports"]);
        for address in addresses {
            if ports.is_empty() {
                all.push(address.to_owned());
            }
            all.extend(
                ports
                    .iter()
                    .map(|port| format!("{address}:{}", number(port, &["port"]))),
            );
        }
    }
    let shown = if all.is_empty() {
        NONE.to_owned()
    } else {
        some(&all, MEMBERS_SHOWN)
    };
    row([name(object), text(shown), age(object, now)])
}

pub(super) fn endpoint_slice(object: &Node, now: Timestamp) -> Vec<Node> {
    let ports: Vec<String> = items(object, &["ports"])
        .iter()
        .map(
            |port| match (port.get("port").and_then(Node::as_i64), at(port, &["name"])) {
                (Some(number), _) => number.to_string(),
                (None, "") => "*".to_owned(),
                (None, name) => name.to_owned(),
            },
        )
        .collect();
    let addresses: Vec<String> = items(object, &["endpoints"])
        .iter()
        .flat_map(|endpoint| items(endpoint, &["addresses"]))
        .filter_map(|address| address.as_str().map(str::to_owned))
        .collect();
    let or_unset = |all: Vec<String>| {
        if all.is_empty() {
            UNSET.to_owned()
        } else {
            some(&all, MEMBERS_SHOWN)
        }
    };
    row([
        name(object),
        at(object, &["addressType"]).into(),
        text(or_unset(ports)),
        text(or_unset(addresses)),
        age(object, now),
    ])
}

pub(super) fn node(object: &Node, now: Timestamp) -> Vec<Node> {
    const ROLE: &str = "node-role.kubernetes.io/";
    let ready = items(object, &["status", "conditions"])
        .iter()
        .find(|one| at(one, &["type"]) == "Ready");
    let mut status = match ready.map(|one| at(one, &["status"])) {
        Some("True") => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    }
    .to_owned();
    if object
        .at(&["spec", "unschedulable"])
        .and_then(Node::as_bool)
        == Some(true)
    {
        status += ",SchedulingDisabled";
    }
    let mut roles: Vec<&str> = Vec::new();
    if let Some(map) = object.at(&["metadata", "labels"]).and_then(Node::as_map) {
        roles.extend(
            map.keys()
                .filter_map(|key| key.strip_prefix(ROLE))
                .filter(|role| !role.is_empty()),
        );
        roles.extend(map.get("kubernetes.io/role").and_then(Node::as_str));
    }
    roles.sort_unstable();
    roles.dedup();
    let address = |kind: &str| {
        let found = items(object, &["status", "addresses"])
            .iter()
            .find(|one| at(one, &["type"]) == kind);
        found.map_or(NONE, |one| at(one, &["address"])).to_owned()
    };
    let info =
        |member: &str| Node::from(or(at(object, &["status", "nodeInfo", member]), "<unknown>"));
    row([
        name(object),
        text(status),
        or(&roles.join(","), NONE).into(),
        age(object, now),
        at(object, &["status", "nodeInfo", "kubeletVersion"]).into(),
        text(address("InternalIP")),
        text(address("ExternalIP")),
        info("osImage"),
        info("kernelVersion"),
        info("containerRuntimeVersion"),
    ])
}

/// Both forms of events: core/v1 and events.k8s.io/v1 name the same things differently.
pub(super) fn event(object: &Node, now: Timestamp) -> Vec<Node> {
    let first = |paths: &[&[&str]]| {
        paths
            .iter()
            .map(|path| at(object, path))
            .find(|text| !text.is_empty())
            .unwrap_or_default()
            .to_owned()
    };
    let event_time = at(object, &["eventTime"]);
    let first_seen = first(&[
        &["firstTimestamp"],
        &["deprecatedFirstTimestamp"],
        &["eventTime"],
    ]);
    let last_seen = match first(&[
        &["series", "lastObservedTime"],
        &["lastTimestamp"],
        &["deprecatedLastTimestamp"],
    ]) {
        time if time.is_empty() => first_seen.clone(),
        time => time,
    };
    let subject = object
        .get("involvedObject")
        .or_else(|| object.get("regarding"))
        .cloned()
        .unwrap_or_else(Node::map);
    let kind = at(&subject, &["kind"]).to_lowercase();
    let target = match at(&subject, &["name"]) {
        "" => kind,
        name => format!("{kind}/{name}"),
    };
    let component = first(&[
        &["source", "component"],
        &["deprecatedSource", "component"],
        &["reportingComponent"],
        &["reportingController"],
    ]);
    let host = first(&[
        &["source", "host"],
        &["deprecatedSource", "host"],
        &["reportingInstance"],
    ]);
    let source = if host.is_empty() {
        component
    } else {
        format!("{component}, {host}")
    };
    let counts: [&[&str]; 3] = [&["series", "count"], &["count"], &["deprecatedCount"]];
    let times = counts
        .iter()
        .map(|path| number(object, path))
        .find(|count| *count > 0);
    let times = times.unwrap_or(i64::from(!event_time.is_empty()));
    row([
        text(since(&last_seen, now)),
        at(object, &["type"]).into(),
        at(object, &["reason"]).into(),
        text(target),
        at(&subject, &["fieldPath"]).into(),
        text(source),
        text(first(&[&["message"], &["note"]]).trim()),
        text(since(&first_seen, now)),
        times.into(),
        name(object),
    ])
}

pub(super) fn namespace(object: &Node, now: Timestamp) -> Vec<Node> {
    row([
        name(object),
        at(object, &["status", "phase"]).into(),
        age(object, now),
    ])
}

pub(super) fn config_map(object: &Node, now: Timestamp) -> Vec<Node> {
    row([
        name(object),
        (count(object, &["data"]) + count(object, &["binaryData"])).into(),
        age(object, now),
    ])
}

pub(super) fn secret(object: &Node, now: Timestamp) -> Vec<Node> {
    row([
        name(object),
        at(object, &["type"]).into(),
        count(object, &["data"]).into(),
        age(object, now),
    ])
}

pub(super) fn lease(object: &Node, now: Timestamp) -> Vec<Node> {
    row([
        name(object),
        at(object, &["spec", "holderIdentity"]).into(),
        age(object, now),
    ])
}

fn storage_class_of(object: &Node) -> Node {
    const OLD: &str = "volume.beta.kubernetes.io/storage-class";
    let annotated = at(object, &["metadata", "annotations", OLD]);
    or(annotated, at(object, &["spec", "storageClassName"])).into()
}

fn volume_phase(object: &Node) -> Node {
    if at(object, &["metadata", "deletionTimestamp"]).is_empty() {
        at(object, &["status", "phase"]).into()
    } else {
        "Terminating".into()
    }
}

pub(super) fn volume(object: &Node, now: Timestamp) -> Vec<Node> {
    let claim = object
        .at(&["spec", "claimRef"])
        .filter(|node| !node.is_null())
        .map(|claim| format!("{}/{}", at(claim, &["namespace"]), at(claim, &["name"])));
    row([
        name(object),
        at(object, &["spec", "capacity", "storage"]).into(),
        text(access_modes(items(object, &["spec", "accessModes"]))),
        at(object, &["spec", "persistentVolumeReclaimPolicy"]).into(),
        volume_phase(object),
        text(claim.unwrap_or_default()),
        storage_class_of(object),
        or(at(object, &["spec", "volumeAttributesClassName"]), UNSET).into(),
        at(object, &["status", "reason"]).into(),
        age(object, now),
        or(at(object, &["spec", "volumeMode"]), UNSET).into(),
    ])
}

pub(super) fn volume_claim(object: &Node, now: Timestamp) -> Vec<Node> {
    let volume = at(object, &["spec", "volumeName"]);
    let bound = !volume.is_empty();
    let modes = if bound {
        access_modes(items(object, &["status", "accessModes"]))
    } else {
        String::new()
    };
    let capacity = if bound {
        at(object, &["status", "capacity", "storage"])
    } else {
        ""
    };
    row([
        name(object),
        volume_phase(object),
        volume.into(),
        capacity.into(),
        text(modes),
        storage_class_of(object),
        or(at(object, &["spec", "volumeAttributesClassName"]), UNSET).into(),
        age(object, now),
        or(at(object, &["spec", "volumeMode"]), UNSET).into(),
    ])
}

pub(super) fn storage_class(object: &Node, now: Timestamp) -> Vec<Node> {
    let default = [
        "storageclass.kubernetes.io/is-default-class",
        "storageclass.beta.kubernetes.io/is-default-class",
    ]
    .iter()
    .any(|annotation| at(object, &["metadata", "annotations", annotation]) == "true");
    let suffix = if default { " (default)" } else { "" };
    row([
        text(format!("{}{suffix}", at(object, &["metadata", "name"]))),
        at(object, &["provisioner"]).into(),
        or(at(object, &["reclaimPolicy"]), "Delete").into(),
        or(at(object, &["volumeBindingMode"]), "Immediate").into(),
        object
            .get("allowVolumeExpansion")
            .and_then(Node::as_bool)
            .unwrap_or(false)
            .into(),
        age(object, now),
    ])
}

pub(super) fn autoscaler(object: &Node, now: Timestamp) -> Vec<Node> {
    let minimum = object.at(&["spec", "minReplicas"]).and_then(Node::as_i64);
    row([
        name(object),
        text(format!(
            "{}/{}",
            at(object, &["spec", "scaleTargetRef", "kind"]),
            at(object, &["spec", "scaleTargetRef", "name"])
        )),
        text(autoscaler_targets(object)),
        text(minimum.map_or_else(|| UNSET.to_owned(), |minimum| minimum.to_string())),
        number(object, &["spec", "maxReplicas"]).into(),
        number(object, &["status", "currentReplicas"]).into(),
        age(object, now),
    ])
}

/// `cpu: 12%/80%, memory: 1Gi/2Gi`: measured and wished values, the first two.
fn autoscaler_targets(object: &Node) -> String {
    const SHOWN: usize = 2;
    if let Some(wished) = object
        .at(&["spec", "targetCPUUtilizationPercentage"])
        .and_then(Node::as_i64)
    {
        let measured = object
            .at(&["status", "currentCPUUtilizationPercentage"])
            .and_then(Node::as_i64);
        return format!(
            "cpu: {}/{wished}%",
            measured.map_or_else(|| "<unknown>".to_owned(), |value| format!("{value}%"))
        );
    }
    let metrics = items(object, &["spec", "metrics"]);
    if metrics.is_empty() {
        return NONE.to_owned();
    }
    let measured = items(object, &["status", "currentMetrics"]);
    let mut all: Vec<String> = metrics
        .iter()
        .enumerate()
        .map(|(index, metric)| metric_target(metric, measured.get(index)))
        .collect();
    let rest = all.len().saturating_sub(SHOWN);
    all.truncate(SHOWN);
    let more = if rest > 0 {
        format!(" + {rest} more...")
    } else {
        String::new()
    };
    format!("{}{more}", all.join(", "))
}

fn metric_target(metric: &Node, measured: Option<&Node>) -> String {
    let kind = at(metric, &["type"]);
    let member = match kind {
        "External" => "external",
        "Pods" => "pods",
        "Object" => "object",
        "Resource" => "resource",
        "ContainerResource" => "containerResource",
        _ => return "<unknown type>".to_owned(),
    };
    let target = |what: &str| metric.at(&[member, "target", what]);
    let current = |what: &str| measured.and_then(|one| one.at(&[member, "current", what]));
    let shown = |value: Option<&Node>| {
        value
            .and_then(Node::as_str)
            .map_or_else(|| "<unknown>".to_owned(), str::to_owned)
    };
    if let Some(wished) = target("averageUtilization").and_then(Node::as_i64) {
        let current = current("averageUtilization").and_then(Node::as_i64);
        let current = current.map_or_else(|| "<unknown>".to_owned(), |value| format!("{value}%"));
        return format!("{}: {current}/{wished}%", at(metric, &[member, "name"]));
    }
    let prefix = match member {
        "resource" | "containerResource" => format!("{}: ", at(metric, &[member, "name"])),
        _ => String::new(),
    };
    if let Some(wished) = target("averageValue").and_then(Node::as_str) {
        let per_pod = if matches!(member, "external" | "object") {
            " (avg)"
        } else {
            ""
        };
        return format!(
            "{prefix}{}/{wished}{per_pod}",
            shown(current("averageValue"))
        );
    }
    format!(
        "{prefix}{}/{}",
        shown(current("value")),
        shown(target("value"))
    )
}

pub(super) fn disruption_budget(object: &Node, now: Timestamp) -> Vec<Node> {
    let bound = |member: &str| match object.at(&["spec", member]) {
        Some(Node::Int(number)) => text(number.to_string()),
        Some(Node::String(percent)) => Node::String(percent.clone()),
        _ => "N/A".into(),
    };
    row([
        name(object),
        bound("minAvailable"),
        bound("maxUnavailable"),
        number(object, &["status", "disruptionsAllowed"]).into(),
        age(object, now),
    ])
}

pub(super) fn network_policy(object: &Node, now: Timestamp) -> Vec<Node> {
    row([
        name(object),
        text(selector(object.at(&["spec", "podSelector"]))),
        age(object, now),
    ])
}

pub(super) fn quota(object: &Node, now: Timestamp) -> Vec<Node> {
    let hard = object
        .at(&["status", "hard"])
        .and_then(Node::as_map)
        .cloned()
        .unwrap_or_else(Map::new);
    let mut keys: Vec<&str> = hard.keys().map(|key| key.as_str()).collect();
    keys.sort_unstable();
    let used = |key: &str| or(at(object, &["status", "used", key]), "0").to_owned();
    let list = |limits: bool| {
        let wanted = keys
            .iter()
            .filter(|key| key.starts_with("limits.") == limits);
        let parts = wanted.map(|key| {
            format!(
                "{key}: {}/{}",
                used(key),
                hard.get(key).and_then(Node::as_str).unwrap_or_default()
            )
        });
        text(parts.collect::<Vec<_>>().join(", "))
    };
    row([name(object), list(false), list(true), age(object, now)])
}

pub(super) fn role_binding(object: &Node, now: Timestamp) -> Vec<Node> {
    let subjects = |kind: &str| {
        let wanted = items(object, &["subjects"])
            .iter()
            .filter(|subject| at(subject, &["kind"]) == kind);
        let names = wanted.map(|subject| match kind {
            "ServiceAccount" => {
                format!("{}/{}", at(subject, &["namespace"]), at(subject, &["name"]))
            }
            _ => at(subject, &["name"]).to_owned(),
        });
        text(names.collect::<Vec<_>>().join(", "))
    };
    row([
        name(object),
        text(format!(
            "{}/{}",
            at(object, &["roleRef", "kind"]),
            at(object, &["roleRef", "name"])
        )),
        age(object, now),
        subjects("User"),
        subjects("Group"),
        subjects("ServiceAccount"),
    ])
}

pub(super) fn priority_class(object: &Node, now: Timestamp) -> Vec<Node> {
    row([
        name(object),
        number(object, &["value"]).into(),
        object
            .get("globalDefault")
            .and_then(Node::as_bool)
            .unwrap_or(false)
            .into(),
        age(object, now),
        at(object, &["preemptionPolicy"]).into(),
    ])
}

pub(super) fn webhooks(object: &Node, now: Timestamp) -> Vec<Node> {
    row([
        name(object),
        count(object, &["webhooks"]).into(),
        age(object, now),
    ])
}

fn policy(object: &Node, now: Timestamp, rules: &str) -> Vec<Node> {
    let parameters = object
        .at(&["spec", "paramKind"])
        .filter(|node| !node.is_null());
    let kind = parameters.map_or_else(
        || UNSET.to_owned(),
        |kind| format!("{}/{}", at(kind, &["apiVersion"]), at(kind, &["kind"])),
    );
    row([
        name(object),
        count(object, &["spec", rules]).into(),
        text(kind),
        age(object, now),
    ])
}

pub(super) fn validating_policy(object: &Node, now: Timestamp) -> Vec<Node> {
    policy(object, now, "validations")
}

pub(super) fn mutating_policy(object: &Node, now: Timestamp) -> Vec<Node> {
    policy(object, now, "mutations")
}

pub(super) fn policy_binding(object: &Node, now: Timestamp) -> Vec<Node> {
    let reference = object
        .at(&["spec", "paramRef"])
        .filter(|node| !node.is_null());
    let parameters = reference.map_or_else(
        || UNSET.to_owned(),
        |reference| match at(reference, &["namespace"]) {
            "" => or(at(reference, &["name"]), "*").to_owned(),
            namespace => format!("{namespace}/{}", or(at(reference, &["name"]), "*")),
        },
    );
    row([
        name(object),
        at(object, &["spec", "policyName"]).into(),
        text(parameters),
        age(object, now),
    ])
}

pub(super) fn controller_revision(object: &Node, now: Timestamp) -> Vec<Node> {
    let owners = items(object, &["metadata", "ownerReferences"]);
    let owner = owners
        .iter()
        .find(|owner| owner.get("controller").and_then(Node::as_bool) == Some(true));
    let controller = owner.map_or_else(
        || NONE.to_owned(),
        |owner| {
            let group = at(owner, &["apiVersion"])
                .split_once('/')
                .map_or("", |(group, _)| group);
            let dot = if group.is_empty() { "" } else { "." };
            format!(
                "{}{dot}{group}/{}",
                at(owner, &["kind"]).to_lowercase(),
                at(owner, &["name"])
            )
        },
    );
    row([
        name(object),
        text(controller),
        number(object, &["revision"]).into(),
        age(object, now),
    ])
}

pub(super) fn signing_request(object: &Node, now: Timestamp) -> Vec<Node> {
    let mut states: Vec<&str> = Vec::new();
    for condition in ["Approved", "Denied", "Failed"] {
        let set = items(object, &["status", "conditions"])
            .iter()
            .any(|one| at(one, &["type"]) == condition);
        states.extend(set.then_some(condition));
    }
    let mut state = if states.is_empty() {
        "Pending".to_owned()
    } else {
        states.join(",")
    };
    if !at(object, &["status", "certificate"]).is_empty() {
        state += ",Issued";
    }
    let seconds = object
        .at(&["spec", "expirationSeconds"])
        .and_then(Node::as_i64);
    let asked = seconds.map_or_else(
        || NONE.to_owned(),
        |seconds| human_duration(seconds_long(seconds)),
    );
    row([
        name(object),
        age(object, now),
        or(at(object, &["spec", "signerName"]), NONE).into(),
        at(object, &["spec", "username"]).into(),
        text(asked),
        text(state),
    ])
}

fn seconds_long(seconds: i64) -> Duration {
    Timestamp::from_unix(seconds.max(0)).since(Timestamp::from_unix(0))
}

pub(super) fn pod_template(object: &Node, _now: Timestamp) -> Vec<Node> {
    let [names, images] = containers(object.at(&["template", "spec"]));
    row([
        name(object),
        names,
        images,
        text(labels(object.at(&["template", "metadata", "labels"]))),
    ])
}

pub(super) fn runtime_class(object: &Node, now: Timestamp) -> Vec<Node> {
    row([
        name(object),
        at(object, &["handler"]).into(),
        age(object, now),
    ])
}

pub(super) fn volume_attachment(object: &Node, now: Timestamp) -> Vec<Node> {
    row([
        name(object),
        at(object, &["spec", "attacher"]).into(),
        at(object, &["spec", "source", "persistentVolumeName"]).into(),
        at(object, &["spec", "nodeName"]).into(),
        object
            .at(&["status", "attached"])
            .and_then(Node::as_bool)
            .unwrap_or(false)
            .into(),
        age(object, now),
    ])
}
