//! The command line: what it prints and how it ends.

use std::time::Duration;

use expect_test::{Expect, expect};
use tempfile::TempDir;

use crate::process::{fleetwright, output, run};

/// Runs a command in an empty home and compares exit code, standard output and standard error.
fn check(arguments: &[&str], expected: Expect) {
    let home = TempDir::new().unwrap();
    let output = output(fleetwright(home.path()).args(arguments));
    let shown = format!(
        "exit {}\n{}{}",
        output.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    expected.assert_eq(&shown.replace(&home.path().display().to_string(), "HOME"));
}

#[test]
fn mistakes_are_answered_with_what_to_do() {
    check(
        &["get"],
        expect![[r#"
            exit 4
            error[NoServer]: no server to talk to: nothing runs here, and no kubeconfig is named
             = help: Start `fleetwright demo` in another terminal.
             = help: Or name a cluster with --kubeconfig FILE or --context NAME.
             = more: fleetwright explain NoServer
        "#]],
    );
    check(
        &["explain", "Nonsense"],
        expect![[r#"
            exit 2
            error: there is no error code `Nonsense`; `fleetwright explain` lists them
        "#]],
    );
}

#[test]
fn the_demo_settles_in_the_state_its_sample_says() {
    let home = TempDir::new().unwrap();
    let mut demo = fleetwright(home.path());
    demo.args(["demo", "--settle", "-o", "json", "--timeout", "30s"])
        .args(["--http-addr", "127.0.0.1:0", "--api-addr", "127.0.0.1:0"])
        .args(["--storage-addr", "127.0.0.1:0"]);
    let started = std::time::Instant::now();
    let json = run(&mut demo);
    assert!(started.elapsed() < Duration::from_secs(30));
    let summary = object::json::parse(json.as_bytes(), object::json::OBJECT_LIMITS).unwrap();
    let count = |state: &str| {
        summary
            .at(&["counts", state])
            .and_then(object::Node::as_i64)
    };
    assert_eq!((count("synced"), count("blocked")), (Some(7), Some(1)));
    // Everything of the second repository runs, but for the release that waits for an approval.
    let bindings = summary.get("bindings").and_then(object::Node::as_list);
    let held = bindings.unwrap().iter().filter_map(|own| {
        let reason = own.str_at(&["reason"]).filter(|reason| *reason != "Ready");
        Some((own.str_at(&["name"])?, reason?))
    });
    assert_eq!(
        held.collect::<Vec<_>>(),
        [("catalog-production", "PromotionBlocked")]
    );
    // Nothing is left behind but the kubeconfigs of the clusters it had.
    let state = home.path().join(".local/state/fleetwright");
    assert!(state.join("kubeconfig").is_file());
    assert!(!home.path().join(".kube").exists());
}

#[test]
fn silent_mistakes_are_reported_and_old_files_fixed() {
    let home = TempDir::new().unwrap();
    let files = [
        (
            "shop/kustomization.yaml",
            "resources: [web.yaml]\ncommonLabels: {team: shop}\nimages: [{name: nginx, newTag: \"2\"}]\n",
        ),
        (
            "shop/web.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: a, image: busybox}]}\n",
        ),
        (
            "shop/extra.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra}\n",
        ),
        // What programs put there is nobody's mistake.
        ("shop/out/CACHEDIR.TAG", ""),
        (
            "shop/out/kustomization.yaml",
            "commonLabels: {team: shop}\n",
        ),
        (
            "shop/node_modules/kustomization.yaml",
            "commonLabels: {team: shop}\n",
        ),
    ];
    crate::repository::write_tree(home.path(), &files);
    let run_in = |arguments: &[&str]| {
        let output = output(fleetwright(home.path()).args(arguments));
        format!(
            "exit {}\n{}",
            output.status.code().unwrap_or(-1),
            String::from_utf8_lossy(&output.stdout)
        )
    };
    expect![[r#"
        exit 1
        shop/extra.yaml:1: ResourceUnlisted: no kustomization reads `extra.yaml`
        shop/kustomization.yaml:2:1: DeprecatedField: field `commonLabels` is deprecated in favor of `labels`
        shop/kustomization.yaml:3:17: ImageUnmatched: image `nginx` is in no container, so this entry changes nothing
    "#]]
    .assert_eq(&run_in(&["lint", "shop", "-o", "line"]));
    let before = run_in(&["build", "kustomize", "shop"]);
    expect![[r#"
        exit 1
        shop/kustomization.yaml
    "#]]
    .assert_eq(&run_in(&["fix", "kustomize", "--dry-run", "shop"]));
    assert!(run_in(&["fix", "kustomize", "shop"]).starts_with("exit 0\n"));
    expect![[r#"
        resources:
        - web.yaml
        images:
        - name: nginx
          newTag: "2"
        apiVersion: kustomize.config.k8s.io/v1beta1
        kind: Kustomization
        labels:
        - includeSelectors: true
          pairs:
            team: shop
    "#]]
    .assert_eq(&std::fs::read_to_string(home.path().join("shop/kustomization.yaml")).unwrap());
    assert_eq!(run_in(&["build", "kustomize", "shop"]), before);
    assert_eq!(
        run_in(&["fix", "kustomize", "--dry-run", "shop"]),
        "exit 0\n"
    );

    let folder = home.path().join("out");
    std::fs::create_dir(&folder).unwrap();
    run_in(&["build", "kustomize", "shop", "-o", "out"]);
    assert!(folder.join("v1_pod_web.yaml").is_file());
}
