//! Defaults of workloads: the groups apps and batch.

use object::{Map, Node};

use super::{Rule, fill, fill_zero, has_entries, inner, items, text};

pub(super) const RULES: &[Rule] = &[
    ("apps.v1.Deployment", deployment),
    ("apps.v1.ReplicaSet", |set| {
        fill(inner(set, "spec"), "replicas", 1)
    }),
    ("apps.v1.StatefulSet", stateful_set),
    ("apps.v1.DaemonSet", daemon_set),
    ("batch.v1.Job", job),
    ("batch.v1.CronJob", |job| {
        let spec = inner(job, "spec");
        fill_zero(spec, "concurrencyPolicy", "Allow");
        fill(spec, "suspend", false);
        fill(spec, "successfulJobsHistoryLimit", 3);
        fill(spec, "failedJobsHistoryLimit", 1);
    }),
    (
        "batch.v1.PodFailurePolicyOnPodConditionsPattern",
        |pattern| {
            fill_zero(pattern, "status", "True");
        },
    ),
];

fn deployment(deployment: &mut Map) {
    let spec = inner(deployment, "spec");
    fill(spec, "replicas", 1);
    let strategy = inner(spec, "strategy");
    fill_zero(strategy, "type", "RollingUpdate");
    if text(strategy, "type") == "RollingUpdate" {
        let rolling = inner(strategy, "rollingUpdate");
        fill(rolling, "maxUnavailable", "25%");
        fill(rolling, "maxSurge", "25%");
    }
    fill(spec, "revisionHistoryLimit", 10);
    fill(spec, "progressDeadlineSeconds", 600);
}

fn daemon_set(set: &mut Map) {
    let spec = inner(set, "spec");
    let strategy = inner(spec, "updateStrategy");
    fill_zero(strategy, "type", "RollingUpdate");
    if text(strategy, "type") == "RollingUpdate" {
        let rolling = inner(strategy, "rollingUpdate");
        fill(rolling, "maxUnavailable", 1);
        fill(rolling, "maxSurge", 0);
    }
    fill(spec, "revisionHistoryLimit", 10);
}

fn stateful_set(set: &mut Map) {
    let spec = inner(set, "spec");
    fill_zero(spec, "podManagementPolicy", "OrderedReady");
    let strategy = inner(spec, "updateStrategy");
    if text(strategy, "type").is_empty() {
        strategy.insert("type", "RollingUpdate");
        fill(strategy, "rollingUpdate", Map::new());
    }
    if text(strategy, "type") == "RollingUpdate"
        && let Some(rolling) = strategy.get_mut("rollingUpdate").and_then(Node::as_map_mut)
    {
        fill(rolling, "partition", 0);
    }
    let retention = inner(spec, "persistentVolumeClaimRetentionPolicy");
    fill_zero(retention, "whenDeleted", "Retain");
    fill_zero(retention, "whenScaled", "Retain");
    fill(spec, "replicas", 1);
    fill(spec, "revisionHistoryLimit", 10);
    for claim in items(spec, "volumeClaimTemplates") {
        claim.insert("apiVersion", "v1");
        claim.insert("kind", "PersistentVolumeClaim");
    }
}

fn job(job: &mut Map) {
    let spec = inner(job, "spec");
    let unset = |spec: &Map, key| spec.get(key).is_none_or(Node::is_null);
    // Parallelism without completions is a work queue; neither means one pod.
    if unset(spec, "parallelism") {
        fill(spec, "completions", 1);
        fill(spec, "parallelism", 1);
    }
    let per_index = !unset(spec, "backoffLimitPerIndex");
    fill(
        spec,
        "backoffLimit",
        if per_index { i64::from(i32::MAX) } else { 6 },
    );
    fill(spec, "completionMode", "NonIndexed");
    fill(spec, "suspend", false);
    let policy = match unset(spec, "podFailurePolicy") {
        true => "TerminatingOrFailed",
        false => "Failed",
    };
    fill(spec, "podReplacementPolicy", policy);
    fill(spec, "manualSelector", false);
    let labels = spec
        .get("template")
        .and_then(|node| node.at(&["metadata", "labels"]));
    let labels = labels.cloned();
    let metadata = inner(job, "metadata");
    if let Some(Node::Map(labels)) = labels
        && !labels.is_empty()
        && !has_entries(metadata, "labels")
    {
        metadata.insert("labels", labels);
    }
}
