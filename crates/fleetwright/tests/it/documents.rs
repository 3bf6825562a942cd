//! What the documentation promises is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use object::Object;

const COMPATIBILITY: &str = include_str!("../../../../docs/compatibility.md");
const ARCHITECTURE: &str = include_str!("../../../../docs/architecture.md");

/// Every test that the page names stands in the file of the link before it.
#[test]
fn tests_named_as_evidence_exist() {
    let documents = Path::new("../../docs").to_owned();
    let mut count = 0;
    for line in COMPATIBILITY.lines() {
        let mut file: Option<PathBuf> = None;
        for (at, _) in line.match_indices(['`', '(']) {
            let (mark, rest) = line[at..].split_at(1);
            if mark == "(" {
                let target = rest.split(')').next().unwrap_or_default();
                if target.ends_with(".rs") {
                    file = Some(documents.join(target));
                }
                continue;
            }
            let name = rest.split('`').next().unwrap_or_default();
            let Some(file) = file.as_ref().filter(|_| is_test_name(name)) else {
                continue;
            };
            let text = fs::read_to_string(file).unwrap();
            assert!(
                text.contains(&format!("fn {name}(")),
                "{} has no test {name}",
                file.display()
            );
            count += 1;
        }
    }
    assert!(count > 50, "only {count} tests were found on the page");
}

/// A name of several words; what code and paths have between backticks is shorter.
fn is_test_name(text: &str) -> bool {
    text.matches('_').count() >= 3 && text.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}

/// The fields that are accepted without effect are those that the program itself names.
#[test]
fn fields_without_effect_are_listed() {
    let everything = [
        r#"{"kind": "GitRepository", "spec": {
            "url": "https://git.example.com/fleet", "interval": "1m",
            "include": [{"repository": {"name": "other"}}], "verify": {"mode": "HEAD"},
            "ignore": "/*", "sparseCheckout": ["apps"], "recurseSubmodules": true,
            "provider": "generic", "serviceAccountName": "reader",
            "secretRef": {"name": "access"}, "proxySecretRef": {"name": "proxy"}}}"#,
        r#"{"kind": "Kustomization", "spec": {
            "interval": "1m", "prune": true,
            "sourceRef": {"kind": "GitRepository", "name": "fleet"},
            "decryption": {"provider": "sops"},
            "kubeConfig": {"configMapRef": {"name": "target"}}}}"#,
    ];
    let mut unserved = BTreeSet::new();
    for text in everything {
        let node = object::json::parse(text.as_bytes(), object::json::OBJECT_LIMITS).unwrap();
        let object = Object::new(node);
        let kind = object.kind().to_owned();
        let fields = match kind.as_str() {
            "GitRepository" => api::GitRepository::read(&object).unwrap().unserved,
            _ => api::Kustomization::read(&object).unwrap().unserved,
        };
        unserved.extend(
            fields
                .into_iter()
                .map(|field| format!("{kind} | `spec.{field}`")),
        );
    }
    let listed: BTreeSet<String> = COMPATIBILITY
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .filter(|row| row.contains(" | `spec."))
        .map(str::to_owned)
        .collect();
    assert_eq!(listed, unserved);
}

/// The code map has every crate, and no crate that is gone.
#[test]
fn the_code_map_is_complete() {
    let crates = Path::new("..");
    let there: BTreeSet<String> = fs::read_dir(crates)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("Cargo.toml").is_file())
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    let mapped: BTreeSet<String> = ARCHITECTURE
        .lines()
        .filter_map(|line| line.strip_prefix("- **[")?.split_once("](../crates/"))
        .map(|(name, _)| name.to_owned())
        .collect();
    assert_eq!(mapped, there);
}
