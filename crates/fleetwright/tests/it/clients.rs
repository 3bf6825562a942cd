//! Stock kubectl and stock git, on what a unit manages.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use object::Node;

use crate::backend::{Backend, Kind};
use crate::kubelet::Kubelets;
use crate::manifests::{source, unit};
use crate::process::{eventually, hermetic, output};
use crate::repository::{WorkingCopy, write_tree};

const REPOSITORY: &str = "shop/fleet";
const HOST: &str = "https://forge.example.com/";

/// Longest wait for one effect.
const EFFECT_TIME_MAX: Duration = Duration::from_secs(20);

const WEB: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: default
spec:
  replicas: 2
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: web
          image: registry.example.com/web:1.0.0
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  namespace: default
data:
  colour: green
";

struct World {
    // Dropped before what they talk to.
    _kubelets: Option<Kubelets>,
    backend: Backend,
    copy: WorkingCopy,
    commit: String,
}

impl World {
    fn start(kind: Kind) -> Option<Self> {
        let backend = Backend::start(kind, REPOSITORY, &[HOST])?;
        let kubelets = (kind == Kind::Kubernetes).then(|| backend.kubelets());
        let files = backend.home.path().join("files");
        write_tree(&files, &[("apps/web.yaml", WEB)]);
        let remote = format!("{}{REPOSITORY}.git", backend.git);
        let copy = WorkingCopy::of(&files, backend.home.path(), &remote);
        let commit = copy.push();
        if backend.get("namespace", "", "flux-system").is_none() {
            backend.kubectl(&["create", "namespace", "flux-system"]);
        }
        let flux = source("shop", &format!("{HOST}{REPOSITORY}.git"))
            + &unit("apps", "shop", "./apps", "  wait: true\n");
        let world = Self {
            _kubelets: kubelets,
            backend,
            copy,
            commit,
        };
        let file = world.file("flux.yaml", &flux);
        world.backend.kubectl(&["apply", "-f", &file]);
        world.backend.applied("apps", &world.commit);
        Some(world)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.backend.home.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    }

    /// Exit code and everything kubectl prints.
    fn kubectl(&self, arguments: &[&str]) -> (i32, String) {
        said(output(&mut self.backend.command(arguments)))
    }

    /// A field of the ConfigMap of the unit.
    fn colour(&self) -> Option<String> {
        let map = self.backend.get("configmap", "default", "settings")?;
        map.node.str_at(&["data", "colour"]).map(str::to_owned)
    }

    /// Asks for a reconcile and waits until it was handled.
    fn reconcile(&self, wish: &str) {
        let kind = "kustomization.kustomize.toolkit.fluxcd.io";
        let annotation = format!("reconcile.fluxcd.io/requestedAt={wish}");
        let what = ["annotate", "--overwrite", kind, "apps", "-n", "flux-system"];
        self.backend.kubectl(&[&what[..], &[&annotation]].concat());
        eventually("the reconcile", EFFECT_TIME_MAX, || {
            let unit = self.backend.get(kind, "flux-system", "apps")?;
            let handled = unit.node.str_at(&["status", "lastHandledReconcileAt"]);
            (handled == Some(wish)).then_some(())
        });
        self.backend.applied("apps", &self.commit);
    }
}

fn said(output: Output) -> (i32, String) {
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    (output.status.code().unwrap_or(-1), text)
}

#[test]
fn kubectl_on_the_embedded_server() {
    kubectl(Kind::Embedded);
}

#[test]
fn kubectl_on_kubernetes() {
    kubectl(Kind::Kubernetes);
}

fn kubectl(kind: Kind) {
    let Some(world) = World::start(kind) else {
        return;
    };
    lists_and_explains(&world);
    applies_and_compares(&world);
    edits(&world);
    deletes_in_the_foreground(&world);
}

fn lists_and_explains(world: &World) {
    let (code, listed) = world.kubectl(&["get", "ks,gitrepo", "-n", "flux-system"]);
    assert_eq!(code, 0, "{listed}");
    let apps = listed.lines().find(|line| line.contains("/apps "));
    let apps = apps.unwrap_or_else(|| panic!("apps is not in\n{listed}"));
    let cells: Vec<&str> = apps.split_whitespace().collect();
    assert_eq!(cells[2], "True", "{listed}");
    let revision = format!("Applied revision: main@sha1:{}", world.commit);
    assert!(apps.ends_with(&revision), "{listed}");
    let (_, listed) = world.kubectl(&["get", "deployment", "web"]);
    assert!(
        listed.starts_with("NAME   READY   UP-TO-DATE   AVAILABLE   AGE\n"),
        "{listed}"
    );
    assert!(
        listed.contains("web    2/2     2            2 "),
        "{listed}"
    );
    let (code, told) = world.kubectl(&["rollout", "status", "deployment/web"]);
    assert_eq!(
        (code, &*told),
        (0, "deployment \"web\" successfully rolled out\n")
    );
    let available = [
        "wait",
        "--for=condition=Available",
        "deployment/web",
        "--timeout=20s",
    ];
    let (code, told) = world.kubectl(&available);
    assert_eq!((code, &*told), (0, "deployment.apps/web condition met\n"));
    let ready = [
        "wait",
        "--for=condition=Ready",
        "ks/apps",
        "-n",
        "flux-system",
        "--timeout=20s",
    ];
    let (code, told) = world.kubectl(&ready);
    let met = "kustomization.kustomize.toolkit.fluxcd.io/apps condition met\n";
    assert_eq!((code, &*told), (0, met));
    for (path, kind) in [
        (
            "kustomization.spec.dependsOn",
            "FIELD: dependsOn <[]Object>",
        ),
        ("gitrepository.spec.url", "FIELD: url <string>"),
        ("deployment.spec.replicas", "FIELD: replicas <integer>"),
    ] {
        let (code, told) = world.kubectl(&["explain", path]);
        assert_eq!(code, 0, "{told}");
        assert!(told.contains(kind), "{told}");
        assert!(told.contains("DESCRIPTION:"), "{told}");
    }
}

fn applies_and_compares(world: &World) {
    let other = WEB.replace("colour: green", "colour: blue");
    let file = world.file("other.yaml", &other);
    let (code, shown) = world.kubectl(&["diff", "-f", &file]);
    assert_eq!(code, 1, "{shown}");
    assert!(
        shown.contains("-  colour: green\n+  colour: blue\n"),
        "{shown}"
    );
    let apply = ["apply", "--server-side", "--field-manager=me", "-f", &file];
    let (code, told) = world.kubectl(&apply);
    assert_eq!(code, 1, "{told}");
    let conflict = "conflict with \"kustomize-controller\": .data.colour";
    assert!(told.contains(conflict), "{told}");
    let (code, told) = world.kubectl(&[&apply[..], &["--force-conflicts"]].concat());
    assert_eq!(code, 0, "{told}");
    assert!(
        told.contains("configmap/settings serverside-applied"),
        "{told}"
    );
    assert_eq!(world.colour().as_deref(), Some("blue"));
    let (code, shown) =
        world.kubectl(&["diff", "--server-side", "--field-manager=me", "-f", &file]);
    assert_eq!((code, &*shown), (0, ""));
    world.reconcile("2026-01-01T00:00:00Z");
    assert_eq!(world.colour().as_deref(), Some("green"));
}

fn edits(world: &World) {
    let mut edit = world.backend.command(&["edit", "configmap", "settings"]);
    edit.env("KUBE_EDITOR", "sed -i s/green/red/");
    let (code, told) = said(output(&mut edit));
    assert_eq!((code, &*told), (0, "configmap/settings edited\n"));
    assert_eq!(world.colour().as_deref(), Some("red"));
    let mut edit = world.backend.command(&["edit", "configmap", "settings"]);
    edit.env("KUBE_EDITOR", "true");
    let (code, told) = said(output(&mut edit));
    assert_eq!((code, &*told), (0, "Edit cancelled, no changes made.\n"));
    world.reconcile("2026-01-02T00:00:00Z");
    assert_eq!(world.colour().as_deref(), Some("green"));
}

fn deletes_in_the_foreground(world: &World) {
    let uid = |object: &object::Object| object.uid().to_owned();
    let before = world
        .backend
        .get("deployment", "default", "web")
        .map(|web| uid(&web));
    let delete = [
        "delete",
        "deployment",
        "web",
        "--cascade=foreground",
        "--timeout=20s",
    ];
    let (code, told) = world.kubectl(&delete);
    assert_eq!(code, 0, "{told}");
    assert!(
        told.starts_with("deployment.apps \"web\" deleted"),
        "{told}"
    );
    // The wait was for what belongs to it, too.
    let (_, left) = world.kubectl(&["get", "replicasets,pods", "-l", "app=web", "-o", "name"]);
    assert_eq!(left, "");
    world.reconcile("2026-01-03T00:00:00Z");
    let web = world.backend.get("deployment", "default", "web").unwrap();
    assert_ne!(Some(uid(&web)), before);
    let ready = web.node.at(&["status", "readyReplicas"]);
    assert_eq!(ready.and_then(Node::as_i64), Some(2));
}

/// Runs stock git in a folder.
fn git(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new("git");
    hermetic(&mut command, folder);
    command.args(["-c", "user.name=Test", "-c", "user.email=test@example.com"]);
    said(output(command.args(arguments)))
}

fn git_ok(folder: &Path, arguments: &[&str]) -> String {
    let (code, told) = git(folder, arguments);
    assert_eq!(code, 0, "git {arguments:?}: {told}");
    told.trim().to_owned()
}

#[test]
fn git_clones_pushes_and_fetches() {
    let Some(world) = World::start(Kind::Embedded) else {
        return;
    };
    let home = world.backend.home.path();
    let remote = format!("{}{REPOSITORY}.git", world.backend.git);
    git_ok(home, &["clone", "--quiet", &remote, "clone"]);
    let clone = home.join("clone");
    assert_eq!(git_ok(&clone, &["rev-parse", "HEAD"]), world.commit);

    let changed = WEB.replace("green", "yellow");
    write_tree(&clone, &[("apps/web.yaml", &changed)]);
    git_ok(
        &clone,
        &["commit", "--quiet", "--all", "--message", "yellow"],
    );
    let more = ["commit", "--quiet", "--allow-empty", "--message", "a pause"];
    git_ok(&clone, &more);
    git_ok(&clone, &["tag", "v1"]);
    git_ok(
        &clone,
        &[
            "push",
            "--quiet",
            "origin",
            "main",
            "v1",
            "main:refs/heads/feature",
        ],
    );
    let second = git_ok(&clone, &["rev-parse", "HEAD"]);
    world.backend.applied("apps", &second);
    assert_eq!(world.colour().as_deref(), Some("yellow"));

    git_ok(home, &["clone", "--quiet", "--depth=1", &remote, "shallow"]);
    let shallow = home.join("shallow");
    assert_eq!(git_ok(&shallow, &["rev-list", "--count", "HEAD"]), "1");
    git_ok(&shallow, &["fetch", "--quiet", "--depth=2"]);
    assert_eq!(git_ok(&shallow, &["rev-list", "--count", "HEAD"]), "2");
    git_ok(&shallow, &["fetch", "--quiet", "--unshallow", "--tags"]);
    assert_eq!(git_ok(&shallow, &["rev-parse", "v1"]), second);
    write_tree(&shallow, &[("README.md", "A clone that was shallow.\n")]);
    git_ok(&shallow, &["add", "--all"]);
    git_ok(&shallow, &["commit", "--quiet", "--message", "a page"]);
    git_ok(&shallow, &["push", "--quiet"]);
    git_ok(&shallow, &["fsck", "--full", "--strict"]);

    // The first copy knows nothing of this: its push is behind.
    world.copy.replace("apps/web.yaml", "green", "black");
    world.copy.commit("black");
    let (code, told) = git(&world.copy.folder, &["push", "origin", "main"]);
    assert_eq!(code, 1, "{told}");
    assert!(
        told.contains("! [rejected]        main -> main (fetch first)"),
        "{told}"
    );
    git_ok(
        &world.copy.folder,
        &["fetch", "--quiet", "--depth=1", "origin", "main"],
    );
    git_ok(
        &world.copy.folder,
        &["push", "--quiet", "--force", "origin", "main"],
    );
    world.backend.applied("apps", &world.copy.head());
    assert_eq!(world.colour().as_deref(), Some("black"));

    let (_, address) = remote.split_once('@').unwrap();
    let address = format!("http://{address}");
    git_ok(home, &["ls-remote", &address]);
    let (code, told) = git(&clone, &["push", &address, "main:refs/heads/anonymous"]);
    assert_eq!(code, 128, "{told}");
    let refs = git_ok(home, &["ls-remote", &address]);
    assert!(
        refs.contains("refs/heads/feature") && !refs.contains("anonymous"),
        "{refs}"
    );
}
