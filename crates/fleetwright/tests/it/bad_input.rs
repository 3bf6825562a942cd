//! Bad input of every kind: each is told where it is, and harms nobody else.

use std::path::Path;
use std::time::Duration;

use expect_test::expect;
use object::Node;

use crate::backend::{Backend, Kind};
use crate::manifests::{config_map, source, unit};
use crate::process::eventually;
use crate::repository::{WorkingCopy, write_tree};

const REPOSITORY: &str = "shop/fleet";
const HOST: &str = "https://forge.example.com/";
const UNIT: &str = "kustomization.kustomize.toolkit.fluxcd.io";
const SOURCE: &str = "gitrepository.source.toolkit.fluxcd.io";

/// Longest wait for one effect.
const EFFECT_TIME_MAX: Duration = Duration::from_secs(20);

const DEFINITION: &str = "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: boats.example.com
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Boat, listKind: BoatList, plural: boats, singular: boat}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties:
                length: {type: integer}
";

const BOAT: &str = "apiVersion: example.com/v1
kind: Boat
metadata:
  name: dinghy
  namespace: default
spec:
  length: 3
";

/// Nine levels, each nine times the one before.
fn alias_bomb() -> String {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let before = vec![format!("*a{}", level - 1); 9].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{before}]\n"));
    }
    text
}

fn write_files(folder: &Path) {
    let same = config_map("default", "same", "1");
    let brackets = format!("nested: {}\n", "[".repeat(100_000));
    let broken = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: broken\n data: {}\n";
    let misfit = config_map("default", "misfit", "1") + "  number: 3\n";
    write_tree(
        folder,
        &[
            ("good/map.yaml", &config_map("default", "good", "1")),
            ("no-object/list.yaml", "# A list.\n- one\n- two\n"),
            ("broken/broken.yaml", broken),
            ("misfit/misfit.yaml", &misfit),
            ("duplicate/one.yaml", &same),
            ("duplicate/two.yaml", &format!("# Again.\n{same}")),
            ("cycle/map.yaml", &config_map("default", "cycle", "1")),
            ("together/a-boat.yaml", BOAT),
            ("together/z-definition.yaml", DEFINITION),
            ("deleted/map.yaml", &config_map("leaving", "late", "1")),
            ("bomb/bomb.yaml", &alias_bomb()),
            ("brackets/brackets.yaml", &brackets),
        ],
    );
}

/// Reason and message of the Ready condition, once it says False.
fn failure(backend: &Backend, kind: &str, name: &str) -> String {
    let told = eventually(&format!("{name} to fail"), EFFECT_TIME_MAX, || {
        let object = backend.get(kind, "flux-system", name)?;
        let conditions = object.node.at(&["status", "conditions"])?.as_list()?;
        let is_ready = |condition: &&Node| condition.str_at(&["type"]) == Some("Ready");
        let ready = conditions.iter().find(is_ready)?;
        let text = |field: &str| ready.str_at(&[field]).unwrap_or_default();
        let failed = text("status") == "False" && text("message") != "Source artifact not found";
        failed.then(|| format!("{}: {}", text("reason"), text("message")))
    });
    // The system's own words for a host that cannot be reached differ.
    let (told, _) = told.split_once(": client error").unwrap_or((&told, ""));
    format!("{name}: {told}\n")
}

#[test]
fn bad_input_is_told_and_harms_nobody() {
    let Some(backend) = Backend::start(Kind::Embedded, REPOSITORY, &[HOST]) else {
        return;
    };
    let files = backend.home.path().join("files");
    write_files(&files);
    let remote = format!("{}{REPOSITORY}.git", backend.git);
    let copy = WorkingCopy::of(&files, backend.home.path(), &remote);
    let first = copy.push();
    leave(&backend);
    let mut flux = source("shop", &format!("{HOST}{REPOSITORY}.git"));
    flux += &source("unreachable", "https://192.0.2.1.invalid/shop/fleet.git");
    flux += &source("forbidden", "http://127.0.0.1:1/shop/fleet.git");
    let failing = [
        "no-object",
        "broken",
        "misfit",
        "duplicate",
        "missing",
        "deleted",
        "bomb",
        "brackets",
    ];
    for name in failing.iter().chain(&["good", "together"]) {
        flux += &unit(name, "shop", &format!("./{name}"), "");
    }
    for (name, on) in [("cycle-a", "cycle-b"), ("cycle-b", "cycle-a")] {
        flux += &unit(
            name,
            "shop",
            "./cycle",
            &format!("  dependsOn: [{{name: {on}}}]\n"),
        );
    }
    flux += &unit("no-source", "absent", "./good", "");
    let file = backend.home.path().join("flux.yaml");
    std::fs::write(&file, flux).unwrap();
    backend.kubectl(&["apply", "-f", &file.to_string_lossy()]);

    backend.applied("good", &first);
    backend.applied("together", &first);
    at_first_try(&backend, "together");
    let sources = ["unreachable", "forbidden"].map(|name| failure(&backend, SOURCE, name));
    let units = failing.iter().chain(&["cycle-a", "cycle-b"]);
    let units: String = units.map(|name| failure(&backend, UNIT, name)).collect();
    let told = (units + &sources.concat()).replace(&first, "COMMIT");
    expect![[r#"
        no-object: BuildFailed: no-object/list.yaml:2: failed to decode Kubernetes YAML from no-object/list.yaml: missing Resource metadata
        broken: BuildFailed: broken/broken.yaml:5: failed to decode Kubernetes YAML from broken/broken.yaml: MalformedYAMLError: yaml: line 4: did not find expected key
        misfit: ReconciliationFailed: ConfigMap/default/misfit dry-run failed: failed to create typed patch object (default/misfit; /v1, Kind=ConfigMap): .data.number: expected string, got &value.valueUnstructured{Value:3} (from misfit/misfit.yaml:1)
        duplicate: BuildFailed: duplicate/two.yaml:2: object `ConfigMap.v1.[noGrp]/same.default` is defined twice: accumulating resources: accumulation err='merging resources from './two.yaml': may not add resource with an already registered id: ConfigMap.v1.[noGrp]/same.default': must build at directory: '/duplicate/two.yaml': file is not directory
        missing: BuildFailed: kustomization path not found: ./missing
        deleted: ReconciliationFailed: ConfigMap/leaving/late dry-run failed (Forbidden): configmaps "late" is forbidden: unable to create new content in namespace leaving because it is being terminated (from deleted/map.yaml:1)
        bomb: BuildFailed: bomb/bomb.yaml:1: failed to decode Kubernetes YAML from bomb/bomb.yaml: yaml: document contains excessive aliasing
        brackets: BuildFailed: brackets/brackets.yaml:1: failed to decode Kubernetes YAML from brackets/brackets.yaml: MalformedYAMLError: yaml: line 1, column 208: nested deeper than 200 levels
        cycle-a: DependencyNotReady: circular dependency detected: flux-system/cycle-a -> flux-system/cycle-b -> flux-system/cycle-a
        cycle-b: DependencyNotReady: circular dependency detected: flux-system/cycle-b -> flux-system/cycle-a -> flux-system/cycle-b
        unreachable: GitOperationFailed: failed to checkout and determine revision: unable to list remote for 'https://192.0.2.1.invalid/shop/fleet.git': cannot reach `https://192.0.2.1.invalid/shop/fleet.git`: error sending request
        forbidden: GitOperationFailed: failed to checkout and determine revision: unable to list remote for 'http://127.0.0.1:1/shop/fleet.git': cannot reach `http://127.0.0.1:1/shop/fleet.git`: error sending request
    "#]].assert_eq(&told);

    copy.replace("good/map.yaml", "\"1\"", "\"2\"");
    copy.commit("a change elsewhere");
    let second = copy.push();
    backend.applied("good", &second);
    let map = backend.get("configmap", "default", "good").unwrap();
    assert_eq!(map.node.str_at(&["data", "value"]), Some("2"));

    for (file, text) in [
        ("no-object/list.yaml", config_map("default", "mended", "1")),
        ("bomb/bomb.yaml", config_map("default", "mended-bomb", "1")),
    ] {
        write_tree(&copy.folder, &[(file, &text)]);
    }
    copy.commit("two are mended");
    let third = copy.push();
    backend.applied("no-object", &third);
    backend.applied("bomb", &third);
}

/// A namespace that is being deleted, and stays so.
fn leave(backend: &Backend) {
    let held = config_map("leaving", "held", "1");
    let held = held.replace(
        "metadata:\n",
        "metadata:\n  finalizers: [example.com/held]\n",
    );
    let file = backend.home.path().join("held.yaml");
    std::fs::write(&file, held).unwrap();
    backend.kubectl(&["create", "namespace", "leaving"]);
    backend.kubectl(&["apply", "-f", &file.to_string_lossy()]);
    backend.kubectl(&["delete", "namespace", "leaving", "--wait=false"]);
}

/// Nothing about the unit was ever wrong.
fn at_first_try(backend: &Backend, name: &str) {
    let events = backend.kubectl(&[
        "get", "events", "-n", "flux-system", "-o", "jsonpath={range .items[*]}{.type} {.reason} {.involvedObject.name}: {.message}{\"\\n\"}{end}",
    ]);
    let about = format!(" {name}: ");
    let events: Vec<&str> = events
        .lines()
        .filter(|line| line.contains(&about))
        .collect();
    assert!(!events.is_empty());
    for event in events {
        assert!(event.starts_with("Normal "), "{event}");
    }
}
