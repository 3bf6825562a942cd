//! Defaults of the core group.

use object::{Map, Node};

use super::{Rule, fill, fill_zero, has_entries, inner, items, text};

/// Permissions of files from secrets and config maps: 0644.
const FILE_MODE: i64 = 0o644;

pub(super) const RULES: &[Rule] = &[
    ("core.v1.Pod", pod),
    ("core.v1.PodSpec", pod_spec),
    ("core.v1.Container", container),
    ("core.v1.EphemeralContainerCommon", container),
    ("core.v1.Probe", |probe| {
        fill_zero(probe, "timeoutSeconds", 1);
        fill_zero(probe, "periodSeconds", 10);
        fill_zero(probe, "successThreshold", 1);
        fill_zero(probe, "failureThreshold", 3);
    }),
    ("core.v1.HTTPGetAction", |action| {
        fill_zero(action, "path", "/");
        fill_zero(action, "scheme", "HTTP");
    }),
    ("core.v1.Volume", volume),
    ("core.v1.SecretVolumeSource", |source| {
        fill(source, "defaultMode", FILE_MODE)
    }),
    ("core.v1.ConfigMapVolumeSource", |source| {
        fill(source, "defaultMode", FILE_MODE)
    }),
    ("core.v1.DownwardAPIVolumeSource", |source| {
        fill(source, "defaultMode", FILE_MODE)
    }),
    ("core.v1.ProjectedVolumeSource", |source| {
        fill(source, "defaultMode", FILE_MODE)
    }),
    ("core.v1.ServiceAccountTokenProjection", |source| {
        fill(source, "expirationSeconds", 3600)
    }),
    ("core.v1.HostPathVolumeSource", |source| {
        fill(source, "type", "")
    }),
    ("core.v1.ObjectFieldSelector", |selector| {
        fill_zero(selector, "apiVersion", "v1")
    }),
    ("core.v1.Service", service),
    ("core.v1.Secret", secret),
    ("core.v1.Namespace", namespace),
    ("core.v1.NamespaceStatus", |status| {
        fill_zero(status, "phase", "Active")
    }),
    ("core.v1.NodeStatus", |status| {
        if let Some(capacity) = status.get("capacity").cloned() {
            fill(status, "allocatable", capacity);
        }
    }),
    ("core.v1.PersistentVolume", |volume| {
        fill_zero(inner(volume, "status"), "phase", "Pending");
        let spec = inner(volume, "spec");
        fill_zero(spec, "persistentVolumeReclaimPolicy", "Retain");
        fill(spec, "volumeMode", "Filesystem");
    }),
    ("core.v1.PersistentVolumeClaim", |claim| {
        fill_zero(inner(claim, "status"), "phase", "Pending");
    }),
    ("core.v1.PersistentVolumeClaimSpec", |spec| {
        fill(spec, "volumeMode", "Filesystem")
    }),
    ("core.v1.EndpointPort", |port| {
        fill_zero(port, "protocol", "TCP")
    }),
    ("core.v1.LimitRangeItem", limit_range_item),
    ("core.v1.ReplicationController", replication_controller),
];

fn pod(pod: &mut Map) {
    let spec = inner(pod, "spec");
    for list in ["containers", "initContainers"] {
        for container in items(spec, list) {
            requests_from_limits(container);
        }
    }
    pod_requests(spec);
    fill(spec, "enableServiceLinks", true);
    if spec.get("hostNetwork").and_then(Node::as_bool) == Some(true) {
        for list in ["containers", "initContainers"] {
            for container in items(spec, list) {
                for port in items(container, "ports") {
                    if let Some(number) = port.get("containerPort").cloned() {
                        fill_zero(port, "hostPort", number);
                    }
                }
            }
        }
    }
}

fn requests_from_limits(container: &mut Map) {
    let Some(resources) = container.get_mut("resources").and_then(Node::as_map_mut) else {
        return;
    };
    let Some(limits) = resources.get("limits").and_then(Node::as_map).cloned() else {
        return;
    };
    let requests = inner(resources, "requests");
    for (name, amount) in limits.iter() {
        fill(requests, name, amount.clone());
    }
}

/// Requests of the pod as a whole follow its limits when no container says what it needs.
fn pod_requests(spec: &mut Map) {
    let asked = |container: &Map, name: &str| {
        let requests = container
            .get("resources")
            .and_then(|node| node.get("requests"));
        requests.is_some_and(|requests| requests.get(name).is_some())
    };
    let containers: Vec<Map> = ["containers", "initContainers"]
        .iter()
        .filter_map(|list| spec.get(list)?.as_list())
        .flatten()
        .filter_map(|container| container.as_map().cloned())
        .collect();
    let Some(resources) = spec.get_mut("resources").and_then(Node::as_map_mut) else {
        return;
    };
    let Some(limits) = resources.get("limits").and_then(Node::as_map).cloned() else {
        return;
    };
    for (name, amount) in limits.iter() {
        let supported = matches!(name.as_str(), "cpu" | "memory") || name.starts_with("hugepages-");
        if supported && !containers.iter().any(|container| asked(container, name)) {
            fill(inner(resources, "requests"), name, amount.clone());
        }
    }
}

fn pod_spec(spec: &mut Map) {
    fill_zero(spec, "dnsPolicy", "ClusterFirst");
    fill_zero(spec, "restartPolicy", "Always");
    fill(spec, "securityContext", Map::new());
    fill(spec, "terminationGracePeriodSeconds", 30);
    fill_zero(spec, "schedulerName", "default-scheduler");
    // The older of two names for one field; the newer wins.
    for (from, to) in [
        ("serviceAccount", "serviceAccountName"),
        ("serviceAccountName", "serviceAccount"),
    ] {
        let account = text(spec, from).to_owned();
        if !account.is_empty() && (from == "serviceAccountName" || text(spec, to).is_empty()) {
            spec.insert(to, account);
        }
    }
}

fn container(container: &mut Map) {
    let policy = pull_policy(text(container, "image"));
    fill_zero(container, "imagePullPolicy", policy);
    fill_zero(container, "terminationMessagePath", "/dev/termination-log");
    fill_zero(container, "terminationMessagePolicy", "File");
}

/// `Always` for an image that may change under its name.
fn pull_policy(image: &str) -> &'static str {
    let (name, digest) = match image.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (image, None),
    };
    let last = name.rsplit('/').next().unwrap_or_default();
    let (repository, tag) = match last.split_once(':') {
        Some((repository, tag)) => (repository, Some(tag)),
        None => (last, None),
    };
    let malformed = repository.is_empty()
        || repository.bytes().any(|byte| byte.is_ascii_uppercase())
        || name.bytes().any(|byte| byte.is_ascii_whitespace());
    match (tag, digest) {
        _ if malformed => "IfNotPresent",
        (Some("latest"), _) | (None, None) => "Always",
        _ => "IfNotPresent",
    }
}

fn volume(volume: &mut Map) {
    let without_source = volume
        .iter()
        .all(|(key, value)| key == "name" || value.is_null());
    if without_source {
        volume.insert("emptyDir", Map::new());
    }
    if let Some(image) = volume.get_mut("image").and_then(Node::as_map_mut) {
        let policy = pull_policy(text(image, "reference"));
        fill_zero(image, "pullPolicy", policy);
    }
}

fn service(service: &mut Map) {
    /// Three hours.
    const AFFINITY_SECONDS: i64 = 10_800;
    let spec = inner(service, "spec");
    fill_zero(spec, "sessionAffinity", "None");
    match text(spec, "sessionAffinity") {
        "None" => {
            spec.remove("sessionAffinityConfig");
        }
        "ClientIP" => {
            let client = inner(inner(spec, "sessionAffinityConfig"), "clientIP");
            fill(client, "timeoutSeconds", AFFINITY_SECONDS);
        }
        _ => {}
    }
    fill_zero(spec, "type", "ClusterIP");
    for port in items(spec, "ports") {
        fill_zero(port, "protocol", "TCP");
        if let Some(number) = port.get("port").cloned() {
            fill_zero(port, "targetPort", number);
        }
    }
    let kind = text(spec, "type").to_owned();
    let external = matches!(kind.as_str(), "NodePort" | "LoadBalancer")
        || (kind == "ClusterIP" && has_entries(spec, "externalIPs"));
    if external {
        fill_zero(spec, "externalTrafficPolicy", "Cluster");
    }
    if matches!(kind.as_str(), "NodePort" | "LoadBalancer" | "ClusterIP") {
        fill(spec, "internalTrafficPolicy", "Cluster");
    }
    if kind == "LoadBalancer" {
        fill(spec, "allocateLoadBalancerNodePorts", true);
        if let Some(balancer) = inner(service, "status").get_mut("loadBalancer") {
            for ingress in balancer
                .as_map_mut()
                .into_iter()
                .flat_map(|map| items(map, "ingress"))
            {
                if !text(ingress, "ip").is_empty() {
                    fill(ingress, "ipMode", "VIP");
                }
            }
        }
    }
}

fn secret(secret: &mut Map) {
    use base64::Engine;
    fill_zero(secret, "type", "Opaque");
    if let Some(Node::Map(plain)) = secret.remove("stringData") {
        let data = inner(secret, "data");
        for (key, value) in plain.iter() {
            let bytes = value.as_str().unwrap_or_default();
            data.insert(
                key.clone(),
                base64::engine::general_purpose::STANDARD.encode(bytes),
            );
        }
    }
}

fn namespace(namespace: &mut Map) {
    let metadata = inner(namespace, "metadata");
    let name = text(metadata, "name").to_owned();
    if !name.is_empty() {
        inner(metadata, "labels").insert("kubernetes.io/metadata.name", name);
    }
}

fn limit_range_item(item: &mut Map) {
    if text(item, "type") != "Container" {
        return;
    }
    for (from, to) in [
        ("max", "default"),
        ("default", "defaultRequest"),
        ("min", "defaultRequest"),
    ] {
        let Some(amounts) = item.get(from).and_then(Node::as_map).cloned() else {
            continue;
        };
        let target = inner(item, to);
        for (name, amount) in amounts.iter() {
            fill(target, name, amount.clone());
        }
    }
}

fn replication_controller(controller: &mut Map) {
    let labels = controller
        .get("spec")
        .and_then(|spec| spec.at(&["template", "metadata", "labels"]))
        .filter(|labels| labels.as_map().is_some_and(|labels| !labels.is_empty()))
        .cloned();
    let Some(labels) = labels else {
        return;
    };
    for (owner, key) in [("spec", "selector"), ("metadata", "labels")] {
        let owner = inner(controller, owner);
        if !has_entries(owner, key) {
            owner.insert(key, labels.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn images_that_may_change_are_always_pulled() {
        let table = [
            ("x", "Always"),
            ("x:latest", "Always"),
            ("x:1", "IfNotPresent"),
            ("x@sha256:aa", "IfNotPresent"),
            ("host:5000/x", "Always"),
            ("host:5000/x:2", "IfNotPresent"),
            ("", "IfNotPresent"),
            (" a ", "IfNotPresent"),
            ("Upper", "IfNotPresent"),
        ];
        for (image, policy) in table {
            assert_eq!(super::pull_policy(image), policy, "{image}");
        }
    }
}
