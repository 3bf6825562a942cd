//! Kustomizations whose bases are addresses: on the command line, and reconciled.

use object::Node;

use crate::backend::{Backend, Kind};
use crate::process::{eventually, fleetwright, output};
use crate::repository::{WorkingCopy, write_tree};

const REPOSITORY: &str = "shop/fleet";
const HOST: &str = "https://git.example.com/";
const BASE: &str = "https://git.example.com/shop/fleet.git//base?ref=main";

const TREE: &[(&str, &str)] = &[
    (
        "base/kustomization.yaml",
        "resources: [settings.yaml]\nlabels: [{pairs: {from: base}}]\n",
    ),
    (
        "base/settings.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {mode: plain}\n",
    ),
    (
        "app/kustomization.yaml",
        "namespace: default\nnamePrefix: app-\nresources:\n- https://git.example.com/shop/fleet.git//base?ref=main\n",
    ),
    (
        "flux.yaml",
        "\
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: fleet, namespace: flux-system}
spec:
  interval: 1h
  url: https://git.example.com/shop/fleet.git
  ref: {branch: main}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: app, namespace: flux-system}
spec:
  interval: 1h
  path: ./app
  prune: true
  sourceRef: {kind: GitRepository, name: fleet}
",
    ),
];

const BUILT: &str = "\
apiVersion: v1
data:
  mode: plain
kind: ConfigMap
metadata:
  labels:
    from: base
  name: app-settings
  namespace: default
";

#[test]
fn bases_are_fetched_for_builds_and_for_units() {
    let Some(backend) = Backend::start(Kind::Embedded, REPOSITORY, &[HOST]) else {
        return;
    };
    let files = backend.home.path().join("files");
    write_tree(&files, TREE);
    let remote = format!("{}{REPOSITORY}.git", backend.git);
    let copy = WorkingCopy::of(&files, backend.home.path(), &remote);
    let first = copy.push();

    let open = backend
        .git
        .replace(backend.git.split('@').next().unwrap(), "http://");
    let open = open.replace("//@", "//");
    let rewrite = format!("{HOST}={open}");
    let app = copy.folder.join("app");
    let app = app.to_string_lossy();
    let build = |arguments: &[&str]| {
        let mut command = fleetwright(backend.home.path());
        command.args(["build", "kustomize"]).args(arguments);
        output(&mut command)
    };
    let built = build(&["--git-rewrite", &rewrite, &app]);
    assert_eq!(String::from_utf8_lossy(&built.stdout), BUILT, "{built:?}");
    let built = build(&["--git-rewrite", &rewrite, BASE]);
    let plain = BUILT
        .replace("app-", "")
        .replace("  namespace: default\n", "");
    assert_eq!(String::from_utf8_lossy(&built.stdout), plain, "{built:?}");

    let refused = build(&["--no-remote-bases", &app]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1));
    assert!(said.contains("error[RemoteBaseForbidden]"), "{said}");
    let gone = BASE.replace("ref=main", "ref=gone");
    let missing = build(&["--git-rewrite", &rewrite, &gone]);
    let said = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert!(said.contains("has no branch or tag `gone`"), "{said}");

    if backend.get("namespace", "", "flux-system").is_none() {
        backend.kubectl(&["create", "namespace", "flux-system"]);
    }
    let flux = copy.folder.join("flux.yaml");
    backend.kubectl(&["apply", "-f", &flux.to_string_lossy()]);
    backend.applied("app", &first);
    let settings = backend.get("configmap", "default", "app-settings").unwrap();
    let mode = |node: &Node| node.str_at(&["data", "mode"]).map(str::to_owned);
    assert_eq!(mode(&settings.node).as_deref(), Some("plain"));

    // The base moves without the unit's own path changing.
    copy.replace("base/settings.yaml", "plain", "new");
    copy.commit("another mode");
    let second = copy.push();
    backend.applied("app", &second);
    eventually("the new base", std::time::Duration::from_secs(20), || {
        let settings = backend.get("configmap", "default", "app-settings")?;
        (mode(&settings.node).as_deref() == Some("new")).then_some(())
    });
}
