//! Pods that upstream's own tests allow and refuse at each level.

use std::path::Path;

use crate::scenario::Cluster;

#[test]
fn published_pods_pass_and_fail_as_upstream_says() {
    let Some(corpus) = testkit::corpus("apimachinery") else {
        return;
    };
    let mut cluster = Cluster::new();
    let (mut checked, mut wrong) = (0, Vec::new());
    for level in ["baseline", "restricted"] {
        cluster.send(&format!(
            r#"POST /api/v1/namespaces {{"metadata":{{"name":"{level}","labels":{{"pod-security.kubernetes.io/enforce":"{level}"}}}}}}"#
        ));
        let folder = corpus
            .join("pod-security-admission/test/testdata")
            .join(level)
            .join("v1.36");
        for (outcome, expected) in [("pass", 201), ("fail", 403)] {
            for file in files(&folder.join(outcome)) {
                let text = std::fs::read_to_string(&file).expect("the corpus is readable");
                let pod = yaml::load(&text, &yaml::Limits::default()).expect("the corpus is YAML");
                let mut pod = pod[0].node.clone();
                pod.set(&["metadata", "name"], "p");
                let body = object::json::to_string(&pod);
                let line = format!("POST /api/v1/namespaces/{level}/pods?dryRun=All {body}");
                let response = cluster.send(&line);
                checked += 1;
                if response.status != expected {
                    let node = response.node().cloned().unwrap_or_default();
                    let message = node.str_at(&["message"]).unwrap_or_default().to_owned();
                    wrong.push(format!("{}: {} {message}", file.display(), response.status));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {checked} pods:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the corpus has the folder");
    let mut files: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.sort();
    files
}
