//! The health of built-in and unknown kinds.

use crate::{now, object};

/// Kind, fields below the object, what it comes to.
const TABLE: &[(&str, &str, &str)] = &[
    // what holds for every kind
    (
        "x/v1 Thing",
        r#""metadata":{"deletionTimestamp":"2024-01-01T00:00:00Z"}"#,
        "Terminating: Resource scheduled for deletion",
    ),
    (
        "x/v1 Thing",
        r#""metadata":{"generation":3},"status":{"observedGeneration":2}"#,
        "InProgress: Thing generation is 3, but latest observed generation is 2 [Reconciling LatestGenerationNotObserved]",
    ),
    (
        "x/v1 Thing",
        r#""metadata":{"generation":3},"status":{"observedGeneration":3}"#,
        "Current: Resource is current",
    ),
    (
        "x/v1 Thing",
        r#""metadata":{"generation":3},"status":{"observedGeneration":"3"}"#,
        "Unknown: looking up status.observedGeneration from resource: .status.observedGeneration accessor error: the value is of the type string, expected int64",
    ),
    (
        "x/v1 Thing",
        r#""status":{"conditions":[{"type":"Reconciling","status":"True","reason":"R","message":"m"}]}"#,
        "InProgress: m [Reconciling R]",
    ),
    (
        "x/v1 Thing",
        r#""status":{"conditions":[{"type":"Ready","status":"True"},{"type":"Stalled","status":"True","reason":"S","message":"m"}]}"#,
        "Failed: m [Stalled S]",
    ),
    (
        "x/v1 Thing",
        r#""status":{"conditions":[{"type":"Ready","status":"True"}]}"#,
        "Current: Resource is Ready",
    ),
    (
        "x/v1 Thing",
        r#""status":{"conditions":[{"type":"Ready","status":"False","reason":"No","message":"m"}]}"#,
        "InProgress: m [Reconciling No]",
    ),
    (
        "x/v1 Thing",
        r#""status":{"conditions":"nonsense"}"#,
        "Current: Resource is current",
    ),
    (
        "x/v1 Thing",
        r#""status":7"#,
        "Current: Resource is current",
    ),
    // plain ones
    (
        "v1 ConfigMap",
        r#""data":{}"#,
        "Current: Resource is always ready",
    ),
    (
        "v1 Service",
        r#""spec":{"type":"LoadBalancer"}"#,
        "InProgress: ClusterIP not set. Service type: LoadBalancer [Reconciling NoIPAssigned]",
    ),
    (
        "v1 Service",
        r#""spec":{"clusterIP":"10.0.0.1"}"#,
        "Current: Service is ready",
    ),
    (
        "v1 PersistentVolumeClaim",
        r#""spec":{}"#,
        "InProgress: PVC is not Bound. phase: unknown [Reconciling NotBound]",
    ),
    (
        "v1 PersistentVolumeClaim",
        r#""status":{"phase":"Bound"}"#,
        "Current: PVC is Bound",
    ),
    (
        "policy/v1 PodDisruptionBudget",
        r#""spec":{}"#,
        "Current: AllowedDisruptions has been computed.",
    ),
    // deployments
    (
        "apps/v1 Deployment",
        r#""spec":{"replicas":2},"status":{}"#,
        "InProgress: Replicas: 0/2 [Reconciling LessReplicas]",
    ),
    (
        "apps/v1 Deployment",
        r#""spec":{"replicas":2},"status":{"replicas":2,"updatedReplicas":1}"#,
        "InProgress: Updated: 1/2 [Reconciling LessUpdated]",
    ),
    (
        "apps/v1 Deployment",
        r#""spec":{"replicas":2},"status":{"replicas":3,"updatedReplicas":2}"#,
        "InProgress: Pending termination: 1 [Reconciling ExtraPods]",
    ),
    (
        "apps/v1 Deployment",
        r#""status":{"replicas":1,"updatedReplicas":1,"availableReplicas":1,"readyReplicas":1}"#,
        "InProgress: Deployment not Available [Reconciling DeploymentNotAvailable]",
    ),
    (
        "apps/v1 Deployment",
        r#""spec":{"progressDeadlineSeconds":600},"status":{"replicas":1,"updatedReplicas":1,"availableReplicas":1,"readyReplicas":1,"conditions":[{"type":"Available","status":"True"}]}"#,
        "InProgress: ReplicaSet not Available [Reconciling ReplicaSetNotAvailable]",
    ),
    (
        "apps/v1 Deployment",
        r#""spec":{"progressDeadlineSeconds":600},"status":{"replicas":1,"updatedReplicas":1,"availableReplicas":1,"readyReplicas":1,"conditions":[{"type":"Available","status":"True"},{"type":"Progressing","status":"True","reason":"NewReplicaSetAvailable"}]}"#,
        "Current: Deployment is available. Replicas: 1",
    ),
    (
        "apps/v1 Deployment",
        r#""spec":{"progressDeadlineSeconds":600},"status":{"conditions":[{"type":"Progressing","status":"False","reason":"ProgressDeadlineExceeded","message":"late"}]}"#,
        "Failed: Progress deadline exceeded [Stalled ProgressDeadlineExceeded]",
    ),
    // other workloads
    (
        "apps/v1 StatefulSet",
        r#""spec":{"updateStrategy":{"type":"OnDelete"}}"#,
        "Current: StatefulSet is using the ondelete update strategy",
    ),
    (
        "apps/v1 StatefulSet",
        r#""spec":{"replicas":3,"updateStrategy":{"rollingUpdate":{"partition":1}}},"status":{"replicas":3,"readyReplicas":3,"updatedReplicas":1}"#,
        "InProgress: updated: 1/2 [Reconciling PartitionRollout]",
    ),
    (
        "apps/v1 StatefulSet",
        r#""status":{"replicas":1,"readyReplicas":1,"currentReplicas":1,"currentRevision":"a","updateRevision":"b"}"#,
        "InProgress: Waiting for updated revision to match current [Reconciling RevisionMismatch]",
    ),
    (
        "apps/v1 StatefulSet",
        r#""status":{"replicas":1,"readyReplicas":1,"currentReplicas":1,"currentRevision":"a","updateRevision":"a"}"#,
        "Current: All replicas scheduled as expected. Replicas: 1",
    ),
    (
        "apps/v1 DaemonSet",
        r#""metadata":{"generation":1},"status":{}"#,
        "InProgress: DaemonSet status.observedGeneration not found [Reconciling NoObservedGeneration]",
    ),
    (
        "apps/v1 DaemonSet",
        r#""metadata":{"generation":1},"status":{"observedGeneration":1,"desiredNumberScheduled":2,"currentNumberScheduled":2,"updatedNumberScheduled":2,"numberAvailable":1}"#,
        "InProgress: Available: 1/2 [Reconciling LessAvailable]",
    ),
    (
        "apps/v1 ReplicaSet",
        r#""status":{"conditions":[{"type":"ReplicaFailure","status":"True"}]}"#,
        "InProgress: Replica Failure condition. Check Pods [Reconciling ReplicaFailure]",
    ),
    (
        "apps/v1 ReplicaSet",
        r#""spec":{"replicas":-9223372036854775808},"status":{"replicas":9223372036854775807}"#,
        "InProgress: Pending termination: 9223372036854775807 [Reconciling ExtraPods]",
    ),
    (
        "batch/v1 Job",
        r#""spec":{"suspend":true}"#,
        "Current: Job is suspended",
    ),
    (
        "batch/v1 Job",
        r#""spec":{"parallelism":2}"#,
        "InProgress: Job not started. active: 0/2 [Reconciling JobNotStarted]",
    ),
    (
        "batch/v1 Job",
        r#""status":{"startTime":"2024-01-01T00:00:00Z","active":1}"#,
        "InProgress: Job in progress. success:0, active: 1, failed: 0 [Reconciling JobInProgress]",
    ),
    (
        "batch/v1 Job",
        r#""status":{"succeeded":1,"conditions":[{"type":"Complete","status":"True"}]}"#,
        "Current: Job Completed. succeeded: 1/1",
    ),
    (
        "batch/v1 Job",
        r#""status":{"failed":3,"conditions":[{"type":"Failed","status":"True"}]}"#,
        "Failed: Job Failed. failed: 3/1 [Stalled JobFailed]",
    ),
    // pods
    (
        "v1 Pod",
        r#""status":{}"#,
        "InProgress: Pod phase not available [Reconciling PodNotObserved]",
    ),
    (
        "v1 Pod",
        r#""status":{"phase":"Odd"}"#,
        "Unknown: unknown phase Odd",
    ),
    (
        "v1 Pod",
        r#""status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}"#,
        "Current: Pod is Ready",
    ),
    (
        "v1 Pod",
        r#""status":{"phase":"Running","containerStatuses":[{"name":"a","state":{"waiting":{"reason":"CrashLoopBackOff"}}}]}"#,
        "Failed: Containers in CrashLoop state: a [Stalled ContainerCrashLooping]",
    ),
    (
        "v1 Pod",
        r#""metadata":{"creationTimestamp":"2024-01-01T00:00:50Z"},"status":{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable"}]}"#,
        "InProgress: Pod has not been scheduled [Reconciling PodNotScheduled]",
    ),
    (
        "v1 Pod",
        r#""metadata":{"creationTimestamp":"2024-01-01T00:00:00Z"},"status":{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable"}]}"#,
        "Failed: Pod could not be scheduled [Stalled PodUnschedulable]",
    ),
    // definitions
    (
        "apiextensions.k8s.io/v1 CustomResourceDefinition",
        r#""status":{}"#,
        "InProgress: Install in progress [Reconciling Installing]",
    ),
    (
        "apiextensions.k8s.io/v1 CustomResourceDefinition",
        r#""status":{"conditions":[{"type":"Established","status":"True"}]}"#,
        "Current: CRD is established",
    ),
    (
        "apiextensions.k8s.io/v1 CustomResourceDefinition",
        r#""status":{"conditions":[{"type":"NamesAccepted","status":"False","reason":"Taken","message":"m"}]}"#,
        "Failed: m [Stalled Taken]",
    ),
];

#[test]
fn every_kind_says_in_its_own_way_whether_it_is_there() {
    for (kind, fields, wanted) in TABLE {
        let (api_version, kind) = kind.split_once(' ').unwrap();
        let text = format!(r#"{{"apiVersion":"{api_version}","kind":"{kind}",{fields}}}"#);
        let health = health::assess(&object(&text), now());
        let mut got = format!("{}: {}", health.status, health.message);
        for condition in &health.conditions {
            got.push_str(&format!(" [{} {}]", condition.kind, condition.reason));
        }
        assert_eq!(&got, wanted, "{kind} {fields}");
    }
}

#[test]
fn a_finished_job_may_vanish_and_nothing_else() {
    let job = |ttl| {
        object(&format!(
            r#"{{"apiVersion":"batch/v1","kind":"Job","spec":{{"ttlSecondsAfterFinished":{ttl}}}}}"#
        ))
    };
    assert_eq!(health::missing(&job("5")).status, health::Status::Current);
    assert_eq!(
        health::missing(&job("null")).status,
        health::Status::NotFound
    );
}
