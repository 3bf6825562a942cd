//! Workloads on the state of an API server: apply something, let time pass, see what is there.

use apimachine::{Env, Request, State};
use expect_test::{Expect, expect};
use golang::{Duration, Timestamp};
use object::{Node, Object};

/// One cluster with a clock of its own.
struct Cluster {
    state: State,
    reducers: Vec<Box<dyn apimachine::Reducer>>,
    now: Timestamp,
}

impl Cluster {
    fn new() -> Self {
        let now = Timestamp::from_unix(1_700_000_000);
        let mut cluster = Self {
            state: State::new(apimachine::Features::default(), &env(now)),
            reducers: workloads::reducers(),
            now,
        };
        cluster.settle(&[]);
        cluster
    }

    fn request(&mut self, method: &str, path: &str, body: &str) -> Node {
        let mut request = Request::new(method, path, body);
        if method == "PATCH" {
            request.content_type = Some("application/merge-patch+json".into());
        }
        let (response, events) = apimachine::step(&mut self.state, &request, &env(self.now));
        let node = response.node().cloned().unwrap_or_default();
        assert!(response.status < 300, "{method} {path}: {node:?}");
        self.settle(&events);
        node
    }

    fn create(&mut self, path: &str, yaml: &str) {
        let documents = yaml::load(yaml, &yaml::Limits::default()).unwrap();
        for document in documents {
            self.request("POST", path, &object::json::to_string(&document.node));
        }
    }

    fn settle(&mut self, events: &[apimachine::Event]) -> Option<Timestamp> {
        let env = env(self.now);
        apimachine::react(&mut self.reducers, &mut self.state, &env, events).wake
    }

    /// Lets time pass, waking the reducers whenever they asked for it.
    fn pass(&mut self, time: Duration) {
        let end = self.now.plus(time);
        while let Some(wake) = self.settle(&[]).filter(|wake| *wake <= end) {
            self.now = wake.max(self.now.plus(Duration::from_millis(1)));
        }
        self.now = end;
        self.settle(&[]);
    }

    fn objects(&self, resource: &str) -> Vec<Object> {
        let listed = self.state.list(resource, Some("default"));
        listed
            .map(|(_, stored)| Object::new(stored.node.clone()))
            .collect()
    }

    fn status(&self, resource: &str, fields: &[&str]) -> String {
        let object = &self.objects(resource)[0];
        let mut line = String::new();
        for field in fields {
            let value = object
                .node
                .at(&["status", field])
                .cloned()
                .unwrap_or_default();
            line.push_str(&format!("{field}={} ", object::json::to_string(&value)));
        }
        for condition in object
            .node
            .at(&["status", "conditions"])
            .and_then(Node::as_list)
            .unwrap_or(&[])
        {
            let text = |key: &str| condition.str_at(&[key]).unwrap_or("-").to_owned();
            line.push_str(&format!(
                "\n  {} {} {}",
                text("type"),
                text("status"),
                text("reason")
            ));
        }
        line + "\n"
    }
}

fn env(now: Timestamp) -> Env {
    Env { now, seed: [7; 32] }
}

fn check(actual: &str, expected: Expect) {
    expected.assert_eq(actual);
}

const WEB: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: 'registry.example.com/web:1'}]}
";

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";

const COUNTS: &[&str] = &[
    "replicas",
    "updatedReplicas",
    "readyReplicas",
    "availableReplicas",
];

/// What [`WEB`] runs.
const IMAGE: &str = "registry.example.com/web:1";

impl Cluster {
    /// [`WEB`] three seconds after it was created with an image that cannot be had and has timed out.
    fn with_failed_web(image: &str) -> Self {
        let mut cluster = Self::new();
        let broken = WEB
            .replace(IMAGE, image)
            .replace("replicas: 3", "replicas: 3\n  progressDeadlineSeconds: 2");
        cluster.create(DEPLOYMENTS, &broken);
        cluster.pass(Duration::from_seconds(3));
        cluster
    }

    /// Gives the Deployment another image.
    fn set_image(&mut self, image: &str) {
        let containers = format!(r#"[{{"name":"web","image":"{image}"}}]"#);
        self.request(
            "PATCH",
            &format!("{DEPLOYMENTS}/web"),
            &format!(r#"{{"spec":{{"template":{{"spec":{{"containers":{containers}}}}}}}}}"#),
        );
    }
}

#[test]
fn a_deployment_becomes_available_and_rolls_out_without_a_gap() {
    let mut cluster = Cluster::new();
    cluster.create(DEPLOYMENTS, WEB);
    check(
        &cluster.status("deployments.apps", COUNTS),
        expect![[r#"
            replicas=3 updatedReplicas=3 readyReplicas=3 availableReplicas=3 
              Available True MinimumReplicasAvailable
              Progressing True NewReplicaSetAvailable
        "#]],
    );
    cluster.set_image("registry.example.com/web:2");
    cluster.pass(Duration::from_seconds(5));
    let images: Vec<String> = cluster
        .objects("pods")
        .iter()
        .map(|pod| {
            let containers = pod.node.at(&["spec", "containers"]).and_then(Node::as_list);
            containers.unwrap()[0]
                .str_at(&["image"])
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(images, ["registry.example.com/web:2"; 3]);
    let revisions: Vec<(i64, String)> = cluster
        .objects("replicasets.apps")
        .iter()
        .map(|set| {
            let replicas = set.node.at(&["spec", "replicas"]).and_then(Node::as_i64);
            let revision = set.annotation("deployment.kubernetes.io/revision");
            (replicas.unwrap(), revision.unwrap().to_owned())
        })
        .collect();
    assert!(revisions.contains(&(0, "1".into())) && revisions.contains(&(3, "2".into())));
    assert_eq!(
        cluster.objects("deployments.apps")[0].annotation("deployment.kubernetes.io/revision"),
        Some("2")
    );
}

#[test]
fn an_image_that_is_not_there_fails_the_rollout_at_its_deadline() {
    let cluster = Cluster::with_failed_web("fault.local/image-pull:2.3.1");
    check(
        &cluster.status("deployments.apps", COUNTS),
        expect![[r#"
            replicas=3 updatedReplicas=3 readyReplicas=null availableReplicas=null 
              Available False MinimumReplicasUnavailable
              Progressing False ProgressDeadlineExceeded
        "#]],
    );
    let pod = &cluster.objects("pods")[0];
    let statuses = pod
        .node
        .at(&["status", "containerStatuses"])
        .and_then(Node::as_list);
    let waiting = statuses.unwrap()[0].at(&["state", "waiting"]).unwrap();
    check(
        &format!("{}\n", object::json::to_string(waiting)),
        expect![[r#"
            {"reason":"ImagePullBackOff","message":"Back-off pulling image \"fault.local/image-pull:2.3.1\": ErrImagePull: fault.local/image-pull:2.3.1: not found"}
        "#]],
    );
}

#[test]
fn a_rollout_that_follows_a_failed_one_has_its_own_time() {
    let mut cluster = Cluster::with_failed_web("fault.local/image-pull:1");
    cluster.set_image("fault.local/image-pull:2");
    let progress = |cluster: &Cluster| {
        let status = cluster.status("deployments.apps", COUNTS);
        let line = status.lines().find(|line| line.contains("Progressing"));
        line.unwrap_or_default().trim().to_owned()
    };
    assert_eq!(progress(&cluster), "Progressing True ReplicaSetUpdated");
    cluster.pass(Duration::from_seconds(1));
    assert_eq!(progress(&cluster), "Progressing True ReplicaSetUpdated");
    cluster.pass(Duration::from_seconds(2));
    assert_eq!(
        progress(&cluster),
        "Progressing False ProgressDeadlineExceeded"
    );
}

#[test]
fn a_crash_loop_restarts_with_growing_pauses() {
    let mut cluster = Cluster::new();
    let crashing = WEB.replace(IMAGE, "fault.local/crash-loop:2");
    cluster.create(DEPLOYMENTS, &crashing);
    let restarts = |cluster: &Cluster| {
        let pod = &cluster.objects("pods")[0];
        let statuses = pod
            .node
            .at(&["status", "containerStatuses"])
            .and_then(Node::as_list);
        statuses.unwrap()[0]
            .get("restartCount")
            .and_then(Node::as_i64)
            .unwrap()
    };
    // It runs for a second each time; the pauses are 10, 20 and 40 seconds.
    cluster.pass(Duration::from_seconds(10));
    assert_eq!(restarts(&cluster), 0);
    cluster.pass(Duration::from_seconds(3));
    assert_eq!(restarts(&cluster), 1);
    cluster.pass(Duration::from_seconds(20));
    assert_eq!(restarts(&cluster), 2);
}

#[test]
fn a_slow_start_is_ready_after_its_time() {
    let mut cluster = Cluster::new();
    let slow = WEB.replace("metadata: {labels: {app: web}}", "metadata: {labels: {app: web}, annotations: {sim.fleetwright.dev/fault: 'slow-start=90s'}}");
    cluster.create(DEPLOYMENTS, &slow);
    cluster.pass(Duration::from_seconds(80));
    assert!(
        cluster
            .status("deployments.apps", &["readyReplicas"])
            .starts_with("readyReplicas=null")
    );
    cluster.pass(Duration::from_seconds(11));
    assert!(
        cluster
            .status("deployments.apps", &["readyReplicas"])
            .starts_with("readyReplicas=3")
    );
}

#[test]
fn a_stateful_set_has_numbered_pods_with_claims() {
    let mut cluster = Cluster::new();
    cluster.create(
        "/apis/apps/v1/namespaces/default/statefulsets",
        "
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 2
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: 'registry.example.com/db:1', volumeMounts: [{name: data, mountPath: /data}]}]}
  volumeClaimTemplates:
    - metadata: {name: data}
      spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
",
    );
    cluster.pass(Duration::from_seconds(1));
    let names = |resource: &str| -> Vec<String> {
        cluster
            .objects(resource)
            .iter()
            .map(|o| o.name().to_owned())
            .collect()
    };
    assert_eq!(names("pods"), ["db-0", "db-1"]);
    assert_eq!(names("persistentvolumeclaims"), ["data-db-0", "data-db-1"]);
    assert_eq!(
        cluster.status("persistentvolumeclaims", &["phase"]).trim(),
        "phase=\"Bound\""
    );
    assert!(
        cluster
            .status("statefulsets.apps", &["readyReplicas", "updatedReplicas"])
            .starts_with("readyReplicas=2 updatedReplicas=2")
    );
}

#[test]
fn a_daemon_set_has_a_pod_on_every_node() {
    let mut cluster = Cluster::new();
    let agents = WEB
        .replace("kind: Deployment", "kind: DaemonSet")
        .replace("  replicas: 3\n", "");
    cluster.create("/apis/apps/v1/namespaces/default/daemonsets", &agents);
    check(
        &cluster.status(
            "daemonsets.apps",
            &["desiredNumberScheduled", "numberReady", "numberAvailable"],
        ),
        expect![[r#"
            desiredNumberScheduled=3 numberReady=3 numberAvailable=3 
        "#]],
    );
}

#[test]
fn a_job_completes_and_goes_after_its_time() {
    let mut cluster = Cluster::new();
    cluster.create(
        "/apis/batch/v1/namespaces/default/jobs",
        "
apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
spec:
  completions: 2
  ttlSecondsAfterFinished: 30
  template:
    spec: {restartPolicy: Never, containers: [{name: migrate, image: 'registry.example.com/migrate:1'}]}
",
    );
    cluster.pass(Duration::from_seconds(5));
    check(
        &cluster.status("jobs.batch", &["succeeded", "active"]),
        expect![[r#"
            succeeded=2 active=null 
              SuccessCriteriaMet True CompletionsReached
              Complete True CompletionsReached
        "#]],
    );
    cluster.pass(Duration::from_seconds(31));
    assert!(cluster.objects("jobs.batch").is_empty());
}

#[test]
fn a_service_has_the_addresses_of_ready_pods() {
    let mut cluster = Cluster::new();
    cluster.create(DEPLOYMENTS, WEB);
    cluster.create(
        "/api/v1/namespaces/default/services",
        "
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
",
    );
    let slices = cluster.objects("endpointslices.discovery.k8s.io");
    let slice = slices
        .iter()
        .find(|slice| slice.name().starts_with("web-"))
        .unwrap();
    let endpoints = slice.node.get("endpoints").and_then(Node::as_list).unwrap();
    assert_eq!(endpoints.len(), 3);
    assert!(
        endpoints
            .iter()
            .all(|e| e.at(&["conditions", "ready"]) == Some(&Node::Bool(true)))
    );
    let services = cluster.objects("services");
    let web = services
        .iter()
        .find(|service| service.name() == "web")
        .unwrap();
    let ingress = web
        .node
        .at(&["status", "loadBalancer", "ingress"])
        .and_then(Node::as_list);
    assert!(
        ingress.unwrap()[0]
            .str_at(&["ip"])
            .unwrap()
            .starts_with("198.51.100.")
    );
}

#[test]
fn what_happens_in_one_moment_is_told_once_children_first() {
    let mut cluster = Cluster::new();
    cluster.create(DEPLOYMENTS, WEB);
    let start = cluster.state.version();
    cluster.request(
        "PATCH",
        &format!("{DEPLOYMENTS}/web"),
        r#"{"spec":{"replicas":2,"template":{"metadata":{"labels":{"v":"2"}}}}}"#,
    );
    // The pods of the old template go one by one as those of the new one are ready, and each
    // ReplicaSet is told as it is in the end.
    let events = cluster.state.events_after(start).expect("all are kept");
    let told = events.map(|event| format!("{:?} {}\n", event.change, event.resource));
    check(
        &told.collect::<String>(),
        expect![[r#"
        Modified deployments.apps
        Modified pods
        Deleted pods
        Added pods
        Modified pods
        Deleted pods
        Added pods
        Added replicasets.apps
        Modified pods
        Deleted pods
        Modified replicasets.apps
        Modified deployments.apps
    "#]],
    );
    let generations = |keys: &[&str]| {
        let web = &cluster.objects("deployments.apps")[0];
        web.node.at(keys).and_then(Node::as_i64)
    };
    assert_eq!(generations(&["metadata", "generation"]), Some(2));
    assert_eq!(generations(&["status", "observedGeneration"]), Some(2));
}

#[test]
fn a_child_that_is_refused_shows_in_the_status() {
    let mut cluster = Cluster::new();
    cluster.create(
        "/api/v1/namespaces/default/resourcequotas",
        "
apiVersion: v1
kind: ResourceQuota
metadata: {name: few}
spec: {hard: {pods: '1'}}
",
    );
    cluster.create(DEPLOYMENTS, WEB);
    check(
        &cluster.status("replicasets.apps", &["replicas", "readyReplicas"]),
        expect![[r#"
            replicas=1 readyReplicas=1 
              ReplicaFailure True FailedCreate
        "#]],
    );
    check(
        &cluster.status("deployments.apps", COUNTS),
        expect![[r#"
        replicas=1 updatedReplicas=1 readyReplicas=1 availableReplicas=1 
          Available False MinimumReplicasUnavailable
          Progressing True ReplicaSetUpdated
          ReplicaFailure True FailedCreate
    "#]],
    );
}

#[test]
fn what_is_done_is_not_written_again() {
    let mut cluster = Cluster::new();
    cluster.create(DEPLOYMENTS, WEB);
    cluster.pass(Duration::from_seconds(60));
    let version = cluster.state.version();
    cluster.pass(Duration::from_hours(1));
    assert_eq!(cluster.state.version(), version);
}
