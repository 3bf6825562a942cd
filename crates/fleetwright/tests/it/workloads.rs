//! Units whose workloads must become healthy, on both control planes, and what the command line
//! says about them.

use std::path::Path;
use std::time::{Duration, Instant};

use expect_test::{Expect, expect};
use object::{Node, Object};

use crate::backend::{Backend, Kind};
use crate::process::{eventually, fleetwright, output};
use crate::repository::{WorkingCopy, write_tree};

const REPOSITORY: &str = "shop/fleet";
const HOST: &str = "https://forge.example.com/";
const UNIT: &str = "kustomization.kustomize.toolkit.fluxcd.io";

/// Longest wait for one effect.
const EFFECT_TIME_MAX: Duration = Duration::from_secs(20);

/// Longest time from a push to its objects, while the unit waits for what was pushed before.
const FIX_TIME_MAX: Duration = Duration::from_secs(5);

/// An app with a base and an overlay that uses what overlays commonly use.
const TREE: &[(&str, &str)] = &[
    (
        "namespaces/shop.yaml",
        "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n",
    ),
    (
        "apps/base/kustomization.yaml",
        "resources: [deployment.yaml, service.yaml]\n",
    ),
    (
        "apps/base/deployment.yaml",
        "apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  progressDeadlineSeconds: 600
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
        - name: web
          image: registry.example.com/web:0.0.0
          envFrom:
            - configMapRef:
                name: settings
          ports:
            - containerPort: 8080
",
    ),
    (
        "apps/base/service.yaml",
        "apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector:
    app: web
  ports:
    - port: 80
      targetPort: 8080
",
    ),
    (
        "apps/staging/kustomization.yaml",
        "resources: [../base]
namePrefix: staging-
namespace: shop
labels:
  - pairs:
      stage: staging
images:
  - name: registry.example.com/web
    newTag: 1.4.2
configMapGenerator:
  - name: settings
    literals:
      - greeting=${GREETING}
patches:
  - path: replicas.yaml
  - target:
      kind: Deployment
      name: web
    patch: |
      - op: add
        path: /spec/template/spec/containers/0/env
        value: [{name: STAGE, value: staging}]
",
    ),
    (
        "apps/staging/replicas.yaml",
        "apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
",
    ),
];

/// What brings the tree into the cluster.
const FLUX: &str = "apiVersion: v1
kind: ConfigMap
metadata:
  name: variables
  namespace: flux-system
data:
  GREETING: good day
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata:
  name: shop
  namespace: flux-system
spec:
  interval: 1h
  url: https://forge.example.com/shop/fleet.git
  ref:
    branch: main
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: namespaces
  namespace: flux-system
spec:
  interval: 1h
  path: ./namespaces
  prune: true
  sourceRef:
    kind: GitRepository
    name: shop
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: apps
  namespace: flux-system
spec:
  dependsOn:
    - name: namespaces
  interval: 1h
  timeout: 10m
  path: ./apps/staging
  prune: true
  wait: true
  sourceRef:
    kind: GitRepository
    name: shop
  postBuild:
    substituteFrom:
      - kind: ConfigMap
        name: variables
";

const OVERLAY: &str = "apps/staging/kustomization.yaml";
const TAG: &str = "    newTag: 1.4.2\n";
const BAD_IMAGE: &str = "    newName: fault.local/image-pull\n    newTag: 1.4.2\n";

#[test]
fn workloads_on_the_embedded_server() {
    tell(Kind::Embedded);
}

#[test]
fn workloads_on_kubernetes() {
    tell(Kind::Kubernetes);
}

fn tell(kind: Kind) {
    let Some(backend) = Backend::start(kind, REPOSITORY, &[HOST]) else {
        return;
    };
    let _kubelets = (kind == Kind::Kubernetes).then(|| backend.kubelets());
    let files = backend.home.path().join("files");
    write_tree(&files, TREE);
    std::fs::write(files.join("flux.yaml"), FLUX).unwrap();
    let remote = format!("{}{REPOSITORY}.git", backend.git);
    let copy = WorkingCopy::of(&files, backend.home.path(), &remote);
    let first = copy.push();
    if backend.get("namespace", "", "flux-system").is_none() {
        backend.kubectl(&["create", "namespace", "flux-system"]);
    }
    let flux = copy.folder.join("flux.yaml");
    backend.kubectl(&["apply", "-f", &flux.to_string_lossy()]);
    becomes_ready(&backend, &first);
    let cli = CommandLine { backend: &backend };
    healthy_units_are_shown(&cli);
    let broken = a_stalled_rollout_fails(&backend, &copy);
    a_failure_is_explained(&cli);
    a_fix_does_not_wait(&backend, &copy, &broken);
    drift_is_shown(&cli, &copy.folder);
    suspended_units_rest(&cli, &copy);
}

fn deployment(backend: &Backend) -> Object {
    let found = backend.get("deployment", "shop", "staging-web");
    found.expect("the Deployment is there")
}

/// Ready means that the Deployment is; and it is as the overlay says.
fn becomes_ready(backend: &Backend, commit: &str) {
    backend.applied("apps", commit);
    let web = deployment(backend).node;
    let integer = |keys: &[&str]| web.at(keys).and_then(Node::as_i64);
    assert_eq!(integer(&["status", "readyReplicas"]), Some(2));
    assert_eq!(
        web.str_at(&["metadata", "labels", "stage"]),
        Some("staging")
    );
    let containers = web.at(&["spec", "template", "spec", "containers"]);
    let container = &containers.and_then(Node::as_list).unwrap()[0];
    let image = container.str_at(&["image"]);
    assert_eq!(image, Some("registry.example.com/web:1.4.2"));
    let first = |field: &str| container.get(field).and_then(Node::as_list).unwrap()[0].clone();
    assert_eq!(first("env").str_at(&["value"]), Some("staging"));
    let settings = first("envFrom");
    let settings = settings.str_at(&["configMapRef", "name"]).unwrap();
    assert!(settings.starts_with("staging-settings-"), "{settings}");
    let settings = backend.get("configmap", "shop", settings).unwrap();
    let greeting = settings.node.str_at(&["data", "greeting"]);
    assert_eq!(greeting, Some("good day"));
    assert!(backend.get("service", "shop", "staging-web").is_some());
}

/// What a condition of the unit says: status, reason and message.
fn condition(backend: &Backend, kind: &str) -> Option<[String; 3]> {
    let unit = backend.get(UNIT, "flux-system", "apps")?;
    let conditions = unit.node.at(&["status", "conditions"])?.as_list()?.to_vec();
    let found = conditions
        .iter()
        .find(|c| c.str_at(&["type"]) == Some(kind))?;
    let text = |field: &str| found.str_at(&[field]).unwrap_or_default().to_owned();
    Some([text("status"), text("reason"), text("message")])
}

/// The unit fails as soon as the rollout is given up, and names the Deployment.
fn a_stalled_rollout_fails(backend: &Backend, copy: &WorkingCopy) -> String {
    copy.replace(OVERLAY, TAG, BAD_IMAGE);
    let base = "apps/base/deployment.yaml";
    copy.replace(base, "DeadlineSeconds: 600", "DeadlineSeconds: 2");
    let broken = copy.commit("an image that is not there");
    copy.push();
    let message = eventually("the failure", EFFECT_TIME_MAX, || {
        let [status, reason, message] = condition(backend, "Ready")?;
        (status == "False" && reason == "HealthCheckFailed").then_some(message)
    });
    let named = "[Deployment/shop/staging-web status: 'Failed']";
    assert!(message.contains(named), "{message}");
    let unit = backend.get(UNIT, "flux-system", "apps").unwrap();
    let attempted = unit.node.str_at(&["status", "lastAttemptedRevision"]);
    assert_eq!(attempted, Some(&*format!("main@sha1:{broken}")));
    broken
}

/// A wait of ten minutes ends when there is something newer to apply.
fn a_fix_does_not_wait(backend: &Backend, copy: &WorkingCopy, broken: &str) {
    let base = "apps/base/deployment.yaml";
    copy.replace(base, "DeadlineSeconds: 2", "DeadlineSeconds: 600");
    copy.replace(OVERLAY, "image-pull", "never-ready");
    let waiting = copy.commit("another image, and more patience");
    assert_ne!(waiting, broken);
    copy.push();
    eventually("the wait", EFFECT_TIME_MAX, || {
        let [status, _, message] = condition(backend, "Ready")?;
        let health = format!("Running health checks for revision main@sha1:{waiting}");
        (status == "Unknown" && message.starts_with(&health)).then_some(())
    });
    let unit = backend.get(UNIT, "flux-system", "apps").unwrap();
    let attempted = unit.node.str_at(&["status", "lastAttemptedRevision"]);
    assert_eq!(attempted, Some(&*format!("main@sha1:{waiting}")));
    copy.replace(OVERLAY, "    newName: fault.local/never-ready\n", "");
    let fixed = copy.commit("the image that is there");
    let pushed = Instant::now();
    copy.push();
    eventually("the fix", FIX_TIME_MAX, || {
        let web = deployment(backend).node;
        let containers = web.at(&["spec", "template", "spec", "containers"])?;
        let image = containers.as_list()?[0].str_at(&["image"])?.to_owned();
        (image == "registry.example.com/web:1.4.2").then_some(())
    });
    eprintln!("the fix took {:?}", pushed.elapsed());
    backend.applied("apps", &fixed);
}

/// The command line against the server of a back end.
struct CommandLine<'a> {
    backend: &'a Backend,
}

impl CommandLine<'_> {
    /// Exit code and what is printed, without what differs from run to run.
    fn run(&self, arguments: &[&str]) -> String {
        let mut command = fleetwright(self.backend.home.path());
        command
            .args(arguments)
            .env("FLEETWRIGHT_LOG", "error")
            .env("KUBECONFIG", &self.backend.kubeconfig);
        let output = output(&mut command);
        let text = format!(
            "exit {}\n{}{}",
            output.status.code().unwrap_or(-1),
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        mask(&text)
    }

    fn check(&self, arguments: &[&str], expected: Expect) {
        expected.assert_eq(&self.run(arguments));
    }
}

/// Replaces commits, generated name endings, uids, times and durations.
fn mask(text: &str) -> String {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.');
    let mut masked = String::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let end = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
        if end == 0 {
            // Columns are as wide as what was masked in them.
            let blanks = rest.len() - rest.trim_start_matches(' ').len();
            masked.push_str(match blanks {
                0 => &rest[..letter.len_utf8()],
                4.. if !masked.ends_with('\n') => "   ",
                _ => &rest[..blanks],
            });
            rest = &rest[blanks.max(letter.len_utf8())..];
            continue;
        }
        masked.push_str(mask_word(&rest[..end]));
        rest = &rest[end..];
    }
    masked
}

fn mask_word(word: &str) -> &str {
    let is_hex = word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_time = word.starts_with(|first: char| first.is_ascii_digit())
        && word.ends_with(['s', 'm'])
        && word.parse::<golang::Duration>().is_ok();
    match word {
        _ if is_hex && matches!(word.len(), 12 | 40) => "COMMIT",
        _ if is_time => "TIME",
        _ if word.starts_with("staging-web-") => "staging-web-ID",
        _ => word,
    }
}

fn healthy_units_are_shown(cli: &CommandLine) {
    cli.check(
        &["get", "ks/apps", "-o", "wide"],
        expect![[r#"
        exit 0
        NAME   SYNC   HEALTH   REVISION   OBJECTS   MESSAGE
        ks/apps   Synced   Healthy   main@sha1:COMMIT   3   Applied revision: main@sha1:COMMIT
    "#]],
    );
    cli.check(&["get", "gitrepo/shop"], expect![[r#"
        exit 0
        NAME   SYNC   HEALTH   REVISION   MESSAGE
        gitrepo/shop   Synced   Healthy   main@sha1:COMMIT   stored artifact for revision 'main@sha1:COMMIT'
    "#]]);
    cli.check(
        &["why", "ks/apps"],
        expect![[r#"
        exit 0
        ks/apps is Synced and Healthy: desired main@sha1:COMMIT, applied main@sha1:COMMIT, for TIME
    "#]],
    );
    cli.check(
        &["tree", "ks/apps"],
        expect![[r#"
        exit 0
        Kustomization/flux-system/apps   Healthy
        ├── ConfigMap/shop/staging-settings-df2bb6b27c   Current
        ├── Service/shop/staging-web   Current
        └── Deployment/shop/staging-web   Current
    "#]],
    );
    // When the unit waited for the namespace, and for how long, is a matter of chance.
    let events = eventually("the last event", EFFECT_TIME_MAX, || {
        let events = cli.run(&["events", "--for", "ks/apps"]);
        events.contains("ReconciliationSucceeded").then_some(events)
    });
    let certain = |line: &&str| !line.contains("DependencyNotReady");
    let events: Vec<&str> = events.lines().filter(certain).collect();
    expect![[r#"
        exit 0
        LAST SEEN   TYPE   REASON   OBJECT   MESSAGE
        TIME   Normal   NewArtifact   GitRepository/shop   stored artifact for commit 'first'
        TIME   Normal   Progressing   Kustomization/apps   ConfigMap/shop/staging-settings-df2bb6b27c created, Service/shop/staging-web created, Deployment/shop/staging-web created
        TIME   Normal   Progressing   Kustomization/apps   Health check passed in TIME
        TIME   Normal   ReconciliationSucceeded   Kustomization/apps   Reconciliation finished in TIME, next run in TIME"#]].assert_eq(&events.join("\n"));
    cli.check(
        &["reconcile", "ks/apps", "--with-source"],
        expect![[r#"
        exit 0
        ► annotating GitRepository shop in flux-system
        ◎ waiting for GitRepository shop in flux-system
        ✔ fetched revision main@sha1:COMMIT
        ► annotating Kustomization apps in flux-system
        ◎ waiting for Kustomization apps in flux-system
        ✔ applied revision main@sha1:COMMIT
    "#]],
    );
}

fn a_failure_is_explained(cli: &CommandLine) {
    cli.check(&["get", "ks/apps"], expect![[r#"
        exit 0
        NAME   SYNC   HEALTH   REVISION   MESSAGE
        ks/apps   Synced   Degraded   main@sha1:COMMIT   failed early due to stalled resources: [Deployment/shop/staging-web status: 'Failed']
    "#]]);
    cli.check(&["why", "ks/apps"], expect![[r#"
        exit 1
        ks/apps is Synced and Degraded: desired main@sha1:COMMIT, applied main@sha1:COMMIT, for TIME
          because Deployment/shop/staging-web: 0 of 2 new pods ready: container web: image `fault.local/image-pull:1.4.2` not found (ImagePullBackOff)
        Next: fleetwright tree ks/apps -n flux-system
    "#]]);
    cli.check(
        &["tree", "ks", "apps"],
        expect![[r#"
        exit 0
        Kustomization/flux-system/apps   Degraded
        ├── ConfigMap/shop/staging-settings-df2bb6b27c   Current
        ├── Service/shop/staging-web   Current
        └── Deployment/shop/staging-web   Failed
    "#]],
    );
}

fn drift_is_shown(cli: &CommandLine, checkout: &Path) {
    let file = checkout.join("flux.yaml");
    let (file, checkout) = (file.to_string_lossy(), checkout.to_string_lossy());
    let unit = ["apps", "--kustomization-file", &file, "--path", &checkout];
    let variables = ["--substitute", "GREETING=good day"];
    let diff = [&["diff", "ks"], &unit[..], &variables].concat();
    cli.check(
        &diff,
        expect![[r#"
        exit 0
        ◎ the variables of ConfigMap variables are not known here; --substitute gives them
    "#]],
    );
    let patch = r#"{"spec":{"replicas":3}}"#;
    cli.backend.kubectl(&[
        "patch",
        "deployment",
        "staging-web",
        "-n",
        "shop",
        "--type=merge",
        "-p",
        patch,
    ]);
    cli.check(
        &diff,
        expect![[r#"
        exit 1
        ~ Deployment/shop/staging-web
            spec.replicas  3 → 2
        ◎ the variables of ConfigMap variables are not known here; --substitute gives them
    "#]],
    );
    cli.check(
        &[&["build", "ks"], &unit[..], &variables].concat(),
        expect![[r#"
            exit 0
            apiVersion: apps/v1
            kind: Deployment
            metadata:
              labels:
                kustomize.toolkit.fluxcd.io/name: apps
                kustomize.toolkit.fluxcd.io/namespace: flux-system
                stage: staging
              name: staging-web
              namespace: shop
            spec:
              progressDeadlineSeconds: 600
              replicas: 2
              selector:
                matchLabels:
                  app: web
              template:
                metadata:
                  labels:
                    app: web
                spec:
                  containers:
                  - env:
                    - name: STAGE
                      value: staging
                    envFrom:
                    - configMapRef:
                        name: staging-settings-df2bb6b27c
                    image: registry.example.com/web:1.4.2
                    name: web
                    ports:
                    - containerPort: 8080
                      protocol: TCP
            ---
            apiVersion: v1
            kind: Service
            metadata:
              labels:
                kustomize.toolkit.fluxcd.io/name: apps
                kustomize.toolkit.fluxcd.io/namespace: flux-system
                stage: staging
              name: staging-web
              namespace: shop
            spec:
              ports:
              - port: 80
                protocol: TCP
                targetPort: 8080
              selector:
                app: web
            ---
            apiVersion: v1
            data:
              greeting: good day
            kind: ConfigMap
            metadata:
              labels:
                kustomize.toolkit.fluxcd.io/name: apps
                kustomize.toolkit.fluxcd.io/namespace: flux-system
                stage: staging
              name: staging-settings-df2bb6b27c
              namespace: shop
            ◎ the variables of ConfigMap variables are not known here; --substitute gives them
        "#]],
    );
}

fn suspended_units_rest(cli: &CommandLine, copy: &WorkingCopy) {
    cli.check(
        &["suspend", "ks/apps"],
        expect![[r#"
        exit 0
        ✔ Kustomization apps suspended
    "#]],
    );
    cli.check(
        &["get", "ks/apps"],
        expect![[r#"
        exit 0
        NAME   SYNC   HEALTH   REVISION   MESSAGE
        ks/apps   Suspended   Healthy   main@sha1:COMMIT   Applied revision: main@sha1:COMMIT
    "#]],
    );
    cli.check(
        &["why", "ks/apps"],
        expect![[r#"
        exit 1
        ks/apps is suspended: desired main@sha1:COMMIT, applied main@sha1:COMMIT, for TIME
          because ks/apps is suspended
        Next: fleetwright resume ks/apps -n flux-system
    "#]],
    );
    cli.check(
        &["reconcile", "ks/apps"],
        expect![[r#"
        exit 6
        error: Kustomization apps in flux-system is suspended; `fleetwright resume` it first
    "#]],
    );
    copy.replace("apps/staging/replicas.yaml", "replicas: 2", "replicas: 1");
    let commit = copy.commit("fewer");
    copy.push();
    cli.backend.applied("namespaces", &commit);
    cli.check(
        &["resume", "ks/apps"],
        expect![[r#"
        exit 0
        ✔ Kustomization apps resumed
    "#]],
    );
    cli.backend.applied("apps", &commit);
    let web = deployment(cli.backend).node;
    assert_eq!(
        web.at(&["spec", "replicas"]).and_then(Node::as_i64),
        Some(1)
    );
}
