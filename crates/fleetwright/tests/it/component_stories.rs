//! Published repositories of components, unmodified, from Git to the exact objects that upstream
//! makes of them, and what happens to these when Git, a cluster or the control plane changes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use object::{Node, Object};

use crate::backend::{Backend, Kind, start_kubernetes};
use crate::component_planes::{Key, Plane, Remote};
use crate::kubelet::Kubelets;
use crate::process::eventually;
use crate::repository::{WorkingCopy, copy, write_tree};

const DEMO: &str = "VajiraPrabuddhaka/openchoreo-gitops-demo";
const SAMPLE: &str = "openchoreo/sample-gitops";
const HOST: &str = "https://github.com/";

/// The tenant that `serve` begins with.
const SAMPLE_TENANT: &str = "acme";

/// Longest wait for one effect.
const EFFECT_TIME_MAX: Duration = Duration::from_secs(180);

/// Names where a data plane's kubeconfig is.
const ANNOTATION: &str = "fleetwright.dev/kubeconfig-secret";

const DEMO_UNITS: [&str; 3] = [
    "openchoreo-namespace-org",
    "openchoreo-platform",
    "openchoreo-projects",
];

/// A control plane with a repository of components.
struct Platform {
    corpus: PathBuf,
    backend: Backend,
    copy: WorkingCopy,
}

impl Platform {
    fn start(kind: Kind, repository: &str, tree: &str) -> Option<Self> {
        let corpus = testkit::corpus("openchoreo")?;
        // Everything is deleted in one commit here, which nobody confirms.
        let flags = ["--deletion-brake", "warn", "--allow-loopback-targets"];
        let backend = Backend::start_with(kind, repository, &[HOST], &flags)?;
        let copy = WorkingCopy::of(
            &corpus.join(tree),
            backend.home.path(),
            &format!("{}{repository}.git", backend.git),
        );
        Some(Self {
            corpus,
            backend,
            copy,
        })
    }

    /// The demo's files that say what is wanted.
    fn expected(&self, files: &[&str]) -> Vec<PathBuf> {
        let root = self.corpus.join("expected");
        files.iter().map(|file| root.join(file)).collect()
    }

    fn plane(&self, kubeconfig: &str) -> Plane {
        let home = self.backend.home.path();
        Plane::new(&home.join("state").join(kubeconfig), home)
    }

    /// Pushes, and has Flux's objects applied.
    fn set_up(&self) -> String {
        let commit = self.copy.push();
        if self.backend.get("namespace", "", "flux-system").is_none() {
            self.backend
                .kubectl(&["create", "namespace", "flux-system"]);
        }
        let flux = self.copy.folder.join("flux");
        self.backend
            .kubectl(&["apply", "-f", &flux.to_string_lossy()]);
        commit
    }

    /// Commits, pushes, and waits until the Kustomizations have applied it.
    fn push(&self, message: &str, units: &[&str]) {
        self.copy.commit(message);
        let commit = self.copy.push();
        for unit in units {
            self.backend.applied(unit, &commit);
        }
    }

    fn condition(&self, kind: &str, name: &str, condition: &str) -> Option<Node> {
        let (namespace, name) = name.split_once('/').unwrap_or(("openchoreo", name));
        let kind = format!("{kind}.openchoreo.dev");
        let object = self.backend.get(&kind, namespace, name)?;
        let all = object
            .node
            .at(&["status", "conditions"])?
            .as_list()?
            .to_vec();
        let mut all = all.into_iter();
        all.find(|own| own.str_at(&["type"]) == Some(condition))
    }

    /// Waits for a condition, as `True Reason`; gives its message.
    fn says(&self, kind: &str, name: &str, condition: &str, wanted: &str) -> String {
        let mut last = String::new();
        let until = std::time::Instant::now() + EFFECT_TIME_MAX;
        while std::time::Instant::now() < until {
            if let Some(own) = self.condition(kind, name, condition) {
                let text = |key: &str| own.str_at(&[key]).unwrap_or_default().to_owned();
                last = format!("{} {}", text("status"), text("reason"));
                if last == wanted {
                    return text("message");
                }
                last = format!("{last}: {}", text("message"));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let (namespace, own) = name.split_once('/').unwrap_or(("openchoreo", name));
        let object = self
            .backend
            .get(&format!("{kind}.openchoreo.dev"), namespace, own);
        let object = object
            .map(|own| yaml::to_string(&own.node))
            .unwrap_or_default();
        panic!("{kind} {name}: {condition} is not {wanted} but {last}\n{object}");
    }

    /// Every object of the component model that is there.
    fn left(&self) -> Vec<String> {
        let kinds = "organizations,projects,environments,dataplanes,deploymentpipelines,\
            componenttypes,traits,components,workloads,componentreleases,releasebindings,\
            releases.openchoreo.dev,renderedreleases,secretreferences";
        let columns = "custom-columns=N:.metadata.namespace,K:.kind,M:.metadata.name";
        let arguments = ["get", kinds, "-A", "--no-headers", "-o", columns];
        let listed = self.backend.kubectl(&arguments);
        // What `serve` begins with is not of this repository.
        let own = listed.lines().filter(|line| !line.contains(SAMPLE_TENANT));
        own.map(str::to_owned).collect()
    }

    /// Removes every file below these folders in one commit. The folders stay: Flux takes one
    /// that is missing for a mistake.
    fn delete_everything(&self, folders: &[&str], units: &[&str]) {
        for folder in folders {
            std::fs::remove_dir_all(self.copy.folder.join(folder)).unwrap();
            let file = format!("{folder}/README.md");
            write_tree(&self.copy.folder, &[(&file, "nothing\n")]);
        }
        self.push("everything goes", units);
    }
}

/// What tells whether an object was made anew or changed.
fn identity(object: &Object) -> String {
    format!("{} {}", object.uid(), object.generation())
}

/// Objects of namespaces of an environment, with what tells whether they changed.
fn of_environment(objects: &BTreeMap<Key, Object>, environment: &str) -> BTreeMap<Key, String> {
    let own = objects
        .iter()
        .filter(|(key, _)| key[0].contains(&format!("-{environment}-")));
    own.map(|(key, object)| (key.clone(), identity(object)))
        .collect()
}

fn names(objects: &BTreeMap<Key, Object>) -> BTreeSet<Key> {
    objects.keys().cloned().collect()
}

#[test]
fn the_demo_on_the_embedded_server() {
    demo(Kind::Embedded);
}

#[test]
fn the_demo_on_kubernetes() {
    demo(Kind::Kubernetes);
}

fn demo(kind: Kind) {
    let Some(platform) = Platform::start(kind, DEMO, "gitops-demo") else {
        return;
    };
    let home = platform.backend.home.path();
    // A plane that names no cluster is a simulated one, or the control plane itself.
    let kubernetes = (kind == Kind::Kubernetes).then(|| {
        let plane = Plane::new(&platform.backend.kubeconfig, home);
        plane.furnish();
        (plane, platform.backend.kubelets())
    });
    let commit = platform.set_up();
    for unit in DEMO_UNITS {
        platform.backend.applied(unit, &commit);
    }
    let simulated = kubernetes
        .is_none()
        .then(|| platform.plane("kubeconfig-plane-openchoreo-non-prod"));
    let plane = match (&kubernetes, &simulated) {
        (Some((plane, _)), _) | (None, Some(plane)) => plane,
        (None, None) => unreachable!("one of both is there"),
    };
    let files = platform.expected(&["gitops-demo/development.yaml", "gitops-demo/staging.yaml"]);
    let first = plane.has_exactly("the demo", &files);
    assert_eq!(first.len(), 15);
    statuses(&platform);
    overlay(&platform, plane, &first);
    remove_binding(&platform, plane);
    ask_for_a_fetch(&platform);
    extend(&platform, plane, kind);
    undeploy(&platform, plane);
    let remaining = || (platform.left(), plane.namespaces());
    platform.delete_everything(&["organization", "platform", "projects"], &DEMO_UNITS);
    eventually("everything to be gone", EFFECT_TIME_MAX, || {
        let (left, namespaces) = remaining();
        (left.is_empty() && namespaces.is_empty()).then_some(())
    });
    assert!(
        platform
            .backend
            .get("namespace", "", "openchoreo")
            .is_none()
    );
}

/// What components and bindings say of themselves.
fn statuses(platform: &Platform) {
    for (component, wanted) in [
        ("greeter-service", "True Reconciled"),
        ("order-api", "True Reconciled"),
        ("product-api", "True Reconciled"),
        ("redis-cache", "True Reconciled"),
        ("default/greeter-service-gitops", "False WorkloadNotFound"),
        (
            "default/reading-list-service-gitops",
            "False WorkloadNotFound",
        ),
        (
            "default/react-starter-gitops",
            "False ComponentTypeNotFound",
        ),
    ] {
        platform.says("component", component, "Ready", wanted);
    }
    for binding in [
        "greeter-service-development",
        "greeter-service-staging",
        "order-api-development",
        "product-api-development",
        "redis-cache-development",
    ] {
        platform.says("releasebinding", binding, "Ready", "True Ready");
    }
    for binding in ["order-api", "product-api", "redis-cache"] {
        let binding = format!("{binding}-staging");
        let wanted = "False RenderingFailed";
        let message = platform.says("releasebinding", &binding, "ReleaseSynced", wanted);
        assert!(
            message.contains("`main`") && message.contains("`app`"),
            "{message}"
        );
    }
    let kind = "releasebindings.openchoreo.dev";
    let greeter = platform
        .backend
        .get(kind, "openchoreo", "greeter-service-development");
    let warnings = greeter.unwrap();
    let warnings = warnings
        .node
        .at(&["status", "warnings"])
        .and_then(Node::as_list);
    let warnings: Vec<&str> = warnings.unwrap().iter().filter_map(Node::as_str).collect();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(
        warnings[0].contains("`parameters.containerName`"),
        "{warnings:?}"
    );
    assert!(warnings[1].contains("`parameters.exposed`"), "{warnings:?}");
    let pipeline = "default/simple-pipeline";
    let wanted = "False EnvironmentNotFound";
    platform.says("deploymentpipeline", pipeline, "EnvironmentsFound", wanted);
}

/// A public branch that releases everything to staging.
fn overlay(platform: &Platform, plane: &Plane, before: &BTreeMap<Key, Object>) {
    let branch = "gitops-demo-branches/bulk-release_all-20260128-090321";
    copy(&platform.corpus.join(branch), &platform.copy.folder);
    platform.push("a bulk release", &["openchoreo-projects"]);
    let files = platform.expected(&[
        "gitops-demo/development.yaml",
        "gitops-demo+bulk-release-090321/staging.yaml",
    ]);
    let after = plane.has_exactly("the bulk release", &files);
    assert_eq!(
        of_environment(before, "development"),
        of_environment(&after, "development"),
        "development is as it was"
    );
    let old = before
        .keys()
        .filter(|key| key[1] == "Service" && key[2] == "greeter-service");
    let old: Vec<&Key> = old.collect();
    assert_eq!(old.len(), 1);
    assert!(!after.contains_key(old[0]), "the old Service is pruned");
    for binding in ["greeter-service", "order-api", "product-api", "redis-cache"] {
        let binding = format!("{binding}-staging");
        platform.says("releasebinding", &binding, "Ready", "True Ready");
    }
}

/// A binding that is removed from Git takes its own objects with it.
fn remove_binding(platform: &Platform, plane: &Plane) {
    let before = plane.objects();
    let file =
        "projects/ecommerce-demo/components/order-api/release-bindings/order-api-development.yaml";
    platform.copy.git(&["rm", "--quiet", file]);
    platform.push("no order-api in development", &["openchoreo-projects"]);
    let mut wanted = before.clone();
    wanted.retain(|key, _| !key[2].starts_with("order-api-development-"));
    assert_eq!(before.len() - wanted.len(), 3);
    eventually("its objects to be gone", EFFECT_TIME_MAX, || {
        (names(&plane.objects()) == names(&wanted)).then_some(())
    });
    let shown = |objects: &BTreeMap<Key, Object>| -> BTreeMap<Key, String> {
        let own = objects.iter();
        own.map(|(key, object)| (key.clone(), identity(object)))
            .collect()
    };
    assert_eq!(
        shown(&plane.objects()),
        shown(&wanted),
        "nothing else changes"
    );
    let release = platform.backend.get(
        "componentreleases.openchoreo.dev",
        "openchoreo",
        "order-api-20260107-1",
    );
    assert!(release.is_some(), "the release stays");
}

/// An annotation asks for a fetch, and the status says that it was answered.
fn ask_for_a_fetch(platform: &Platform) {
    let kind = "gitrepositories.source.toolkit.fluxcd.io";
    let wish = "2026-02-03T04:05:06Z";
    platform.backend.kubectl(&[
        "annotate",
        kind,
        "openchoreo-gitops",
        "-n",
        "flux-system",
        &format!("reconcile.fluxcd.io/requestedAt={wish}"),
    ]);
    eventually("the fetch", EFFECT_TIME_MAX, || {
        let source = platform
            .backend
            .get(kind, "flux-system", "openchoreo-gitops")?;
        (source.node.str_at(&["status", "lastHandledReconcileAt"]) == Some(wish)).then_some(())
    });
}

/// Volumes, jobs, configuration and secrets in three environments, beside the demo.
fn extend(platform: &Platform, plane: &Plane, kind: Kind) {
    let before = names(&plane.objects());
    let expected = platform.corpus.join("expected/extended");
    let target = platform
        .copy
        .folder
        .join("projects/ecommerce-demo/extended");
    copy(&expected.join("input"), &target);
    std::fs::copy(expected.join("releases.yaml"), target.join("releases.yaml")).unwrap();
    platform.push("more components", &["openchoreo-projects"]);
    let files = |names: &[&str]| platform.expected(names);
    let own = |plane: &Plane, wanted: &[PathBuf]| {
        let mut all = wanted.to_vec();
        // What was there before stays.
        let staging = platform
            .corpus
            .join("expected/gitops-demo+bulk-release-090321/staging.yaml");
        let development = without_order_api(platform);
        all.extend([staging, development]);
        plane.has_exactly("the extended demo", &all)
    };
    match kind {
        Kind::Kubernetes => {
            let files = files(&[
                "extended/development.yaml",
                "extended/staging.yaml",
                "extended/production.yaml",
            ]);
            assert_eq!(own(plane, &files).len(), before.len() + 30);
        }
        Kind::Embedded => {
            let lower = files(&["extended/development.yaml", "extended/staging.yaml"]);
            let there = own(plane, &lower).len() - before.len();
            let production = platform.plane("kubeconfig-plane-openchoreo-prod");
            let files = files(&["extended/production.yaml"]);
            let production = production.has_exactly("production", &files);
            assert_eq!(there + production.len(), 30);
        }
    }
    for (binding, reason) in [
        ("ledger-api-development", "Ready"),
        ("ledger-api-production", "Ready"),
        ("storefront-production", "Ready"),
        ("nightly-report-staging", "CronJobScheduled"),
    ] {
        let wanted = format!("True {reason}");
        platform.says("releasebinding", binding, "ResourcesReady", &wanted);
        platform.says("releasebinding", binding, "Ready", "True Ready");
    }
}

/// What development of the demo is since a binding was removed.
fn without_order_api(platform: &Platform) -> PathBuf {
    let file = platform
        .corpus
        .join("expected/gitops-demo/development.yaml");
    let text = std::fs::read_to_string(file).unwrap();
    let documents = text.split("\n---\n");
    let kept: Vec<&str> = documents
        .filter(|own| !own.contains("name: order-api-development-"))
        .collect();
    let file = platform.backend.home.path().join("development.yaml");
    std::fs::write(&file, kept.join("\n---\n")).unwrap();
    file
}

/// `state: Undeploy` takes away what runs, but not what says that it stays.
fn undeploy(platform: &Platform, plane: &Plane) {
    let before = plane.objects();
    let own: BTreeMap<Key, Object> = before
        .iter()
        .filter(|(key, _)| key[2].starts_with("ledger-api-development-"))
        .map(|(key, object)| (key.clone(), object.clone()))
        .collect();
    assert_eq!(own.len(), 4, "{:?}", own.keys());
    let claim = own
        .keys()
        .find(|key| key[1] == "PersistentVolumeClaim")
        .unwrap();
    let annotate = |value: &str| {
        let annotation = format!("fleetwright.dev/retain{value}");
        let [namespace, _, name] = claim;
        let kind = "persistentvolumeclaim";
        plane.kubectl(&["annotate", kind, name, "-n", namespace, &annotation]);
    };
    annotate("=true");
    let file = "projects/ecommerce-demo/extended/bindings.yaml";
    let (active, undeployed) = (
        "environment: development\n  releaseName: ledger-api-20260201-1\n",
        "environment: development\n  state: Undeploy\n  releaseName: ledger-api-20260201-1\n",
    );
    platform.copy.replace(file, active, undeployed);
    platform.push("undeploy", &["openchoreo-projects"]);
    let mut wanted = names(&before);
    wanted.retain(|key| !own.contains_key(key) || key == claim);
    eventually("what runs to be gone", EFFECT_TIME_MAX, || {
        (names(&plane.objects()) == wanted).then_some(())
    });
    let reason = "False ResourcesUndeployed";
    platform.says("releasebinding", "ledger-api-development", "Ready", reason);
    platform.copy.replace(file, undeployed, active);
    platform.push("deploy again", &["openchoreo-projects"]);
    eventually("what runs to be back", EFFECT_TIME_MAX, || {
        (names(&plane.objects()) == names(&before)).then_some(())
    });
    platform.says(
        "releasebinding",
        "ledger-api-development",
        "Ready",
        "True Ready",
    );
    assert_eq!(
        plane.objects()[claim].uid(),
        own[claim].uid(),
        "the claim has stayed"
    );
    annotate("-");
}

/// The first tree of the demo keeps its bindings apart, as the version it was written for had to find
/// a release before a binding of it. Here they may stand beside everything else.
#[test]
fn bindings_may_stand_beside_what_they_bind() {
    let Some(platform) = Platform::start(Kind::Embedded, DEMO, "gitops-demo-23feaa7") else {
        return;
    };
    let folder = "demo-project-1/components/greeter-service";
    let file = "greeter-service-development.yaml";
    let from = format!("projects-release-bindings/{folder}/{file}");
    let to = format!("projects/{folder}/{file}");
    platform.copy.git(&["mv", &from, &to]);
    let flux = "flux/projects-release-bindings-kustomization.yaml";
    platform
        .copy
        .git(&["rm", "-r", "--quiet", "projects-release-bindings", flux]);
    let listed = format!("projects/{folder}/kustomization.yaml");
    let resources = format!("resources:\n  - {file}\n");
    platform.copy.replace(&listed, "resources:\n", &resources);
    platform.copy.commit("bindings beside their components");
    let commit = platform.set_up();
    for unit in DEMO_UNITS {
        platform.backend.applied(unit, &commit);
    }
    let plane = platform.plane("kubeconfig-plane-openchoreo-non-prod");
    let files = platform.expected(&["gitops-demo-23feaa7/development.yaml"]);
    assert_eq!(plane.has_exactly("the first tree", &files).len(), 3);
    let binding = "greeter-service-development";
    platform.says("releasebinding", binding, "Ready", "True Ready");
    // Namespace and label are those that the files of the tree set.
    let mut count = 0;
    for kind in [
        "project",
        "component",
        "workload",
        "componentrelease",
        "releasebinding",
    ] {
        let kind = format!("{kind}s.openchoreo.dev");
        let listed = platform
            .backend
            .kubectl(&["get", &kind, "-A", "-o", "json"]);
        let listed = object::json::parse(listed.as_bytes(), object::json::ANSWER_LIMITS).unwrap();
        for own in listed.get("items").and_then(Node::as_list).unwrap() {
            let own = Object::new(own.clone());
            if own.namespace() == SAMPLE_TENANT {
                continue;
            }
            let label = own.label("openchoreo.dev/organization");
            assert_eq!((own.namespace(), label), ("openchoreo", Some("openchoreo")));
            count += 1;
        }
    }
    assert!(count >= 5, "{count}");
    let organization = platform
        .backend
        .get("organizations.openchoreo.dev", "", "openchoreo");
    assert_eq!(organization.unwrap().namespace(), "");
}

/// A repository of the first major version, whose data plane is a Kubernetes of its own.
#[test]
fn the_sample_on_a_cluster_named_by_a_kubeconfig() {
    let Some(platform) = Platform::start(Kind::Embedded, SAMPLE, "sample-gitops") else {
        return;
    };
    let home = platform.backend.home.path().join("kubernetes");
    std::fs::create_dir_all(&home).unwrap();
    let mut processes = Vec::new();
    let Some(kubeconfig) = start_kubernetes(&home, &mut processes) else {
        return;
    };
    let plane = Plane::new(&kubeconfig, &home);
    // A kubeconfig from a Secret has to say whom it trusts.
    let authority = home.join("certificates/apiserver.crt");
    let authority = format!("--certificate-authority={}", authority.display());
    let secure = [
        &*authority,
        "--embed-certs",
        "--tls-server-name=kubernetes",
        "--insecure-skip-tls-verify=false",
    ];
    plane.kubectl(&[&["config", "set-cluster", "test"], &secure[..]].concat());
    let kubectl = testkit::reference_tool("kubectl").unwrap();
    let _kubelets = Kubelets::start(&kubectl, &kubeconfig, &home);
    let control_plane = Plane::new(&platform.backend.kubeconfig, &home);
    // The repository has objects of Argo Workflows, too.
    control_plane.furnish();
    plane.furnish();
    let commit = platform.set_up();
    give_kubeconfig(&platform.backend, "flux-system", &kubeconfig);
    let own = format!(
        "apiVersion: openchoreo.dev/v1alpha1\nkind: ClusterDataPlane\n\
         metadata: {{name: default, annotations: {{{ANNOTATION}: flux-system/plane}}}}\n\
         spec: {{planeID: default, secretStoreRef: {{name: default}}, clusterAgent: {{clientCA: {{value: x}}}}}}\n"
    );
    control_plane.apply(&own);
    for unit in ["namespaces", "oc-demo-platform", "oc-demo-projects"] {
        platform.backend.applied(unit, &commit);
    }
    let release = "default/nats-development";
    platform.says(
        "renderedrelease",
        release,
        "ResourcesApplied",
        "True ApplySucceeded",
    );
    let files = platform.expected(&[
        "sample-gitops/development.yaml",
        "sample-gitops/staging.yaml",
    ]);
    let objects = plane.has_exactly("the sample", &files);
    assert_eq!(objects.len(), 16);
    for binding in ["nats", "postgres"] {
        for environment in ["development", "staging"] {
            let binding = format!("default/{binding}-{environment}");
            platform.says("releasebinding", &binding, "Ready", "True Ready");
        }
    }
}

/// Puts a kubeconfig into the Secret `plane`.
fn give_kubeconfig(backend: &Backend, namespace: &str, kubeconfig: &Path) {
    let file = format!("--from-file=value={}", kubeconfig.display());
    backend.kubectl(&[
        "create", "secret", "generic", "plane", "-n", namespace, &file,
    ]);
}

/// The demo on a cluster elsewhere.
fn elsewhere() -> Option<(Platform, Remote)> {
    let platform = Platform::start(Kind::Embedded, DEMO, "gitops-demo")?;
    let remote = Remote::start(platform.backend.home.path());
    for plane in ["non-prod", "prod"] {
        let file = format!("platform/infrastructure/dataplanes/{plane}-dataplane.yaml");
        let annotated = format!("  annotations:\n    {ANNOTATION}: plane\n");
        platform.copy.replace(&file, "  annotations:\n", &annotated);
    }
    platform.copy.commit("data planes say where they are");
    Some((platform, remote))
}

/// Applies the demo, and waits for its objects.
fn run_demo(platform: &Platform, remote: &Remote) -> BTreeMap<Key, Object> {
    platform
        .backend
        .kubectl(&["create", "namespace", "openchoreo"]);
    give_kubeconfig(&platform.backend, "openchoreo", remote.kubeconfig());
    let commit = platform.set_up();
    for unit in DEMO_UNITS {
        platform.backend.applied(unit, &commit);
    }
    let files = platform.expected(&["gitops-demo/development.yaml", "gitops-demo/staging.yaml"]);
    let objects = remote.plane.has_exactly("the demo", &files);
    for binding in ["greeter-service-development", "redis-cache-development"] {
        platform.says("releasebinding", binding, "Ready", "True Ready");
    }
    objects
}

/// A control plane that has lost everything takes over what runs, and makes nothing anew.
#[test]
fn a_control_plane_that_lost_its_database_keeps_what_runs() {
    let Some((mut platform, remote)) = elsewhere() else {
        return;
    };
    let before = run_demo(&platform, &remote);
    let pods = || -> BTreeSet<String> {
        let pods = remote.plane.list("pods").into_iter();
        pods.map(|own| format!("{} {}", own.name(), own.uid()))
            .collect()
    };
    eventually("every pod", EFFECT_TIME_MAX, || {
        (pods().len() == 9).then_some(())
    });
    let pods_before = pods();
    platform.backend.start_from_nothing();
    let address = format!("{}{DEMO}.git", platform.backend.git);
    platform
        .copy
        .git(&["remote", "set-url", "origin", &address]);
    let after = run_demo(&platform, &remote);
    let shown = |objects: &BTreeMap<Key, Object>| -> BTreeMap<Key, String> {
        let workloads = objects.iter().filter(|(key, _)| key[1] != "HTTPRoute");
        workloads
            .map(|(key, own)| (key.clone(), identity(own)))
            .collect()
    };
    assert_eq!(shown(&before), shown(&after));
    assert_eq!(pods_before, pods());
}

/// What is on a cluster that does not answer waits, and nothing else does.
#[test]
fn a_deletion_waits_for_a_cluster_that_does_not_answer() {
    let Some((platform, mut remote)) = elsewhere() else {
        return;
    };
    run_demo(&platform, &remote);
    remote.switch_off();
    platform.delete_everything(&["organization", "platform", "projects"], &DEMO_UNITS);
    let release = "greeter-service-development";
    platform.says(
        "release",
        release,
        "ResourcesApplied",
        "False CleanupPending",
    );
    let message = platform.says("releasebinding", release, "Finalizing", "True Finalizing");
    assert!(
        message.contains("Release `greeter-service-development`"),
        "{message}"
    );
    // What is not on the cluster goes.
    eventually("the rest to be gone", EFFECT_TIME_MAX, || {
        let left = platform.left();
        let free = ["ComponentType", "Trait", "Workload"];
        let left = left
            .iter()
            .any(|own| free.iter().any(|kind| own.contains(&format!(" {kind} "))));
        (!left).then_some(())
    });
    remote.switch_on();
    eventually("everything to be gone", EFFECT_TIME_MAX, || {
        let done = platform.left().is_empty() && remote.plane.namespaces().is_empty();
        done.then_some(())
    });
    // The Secret with the kubeconfig has waited, and its namespace with it.
    eventually("the namespace to be gone", EFFECT_TIME_MAX, || {
        let namespace = platform.backend.get("namespace", "", "openchoreo");
        namespace.is_none().then_some(())
    });
}
