//! Large trees, built here and by the tool: the same bytes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;
use testkit::trees::{CLUSTERS, Tree};
use tree::{Isolated, TreeBuilder, TreePath};

/// Builds every target of a tree by both and compares what they print.
fn check(which: Tree, objects_min: usize) {
    let Some(tool) = testkit::reference_tool("kustomize") else {
        return;
    };
    let folder = TempDir::new().expect("temporary folders can be made");
    which
        .write(folder.path())
        .expect("temporary files can be written");
    let tree = in_memory(which);
    let mut objects = 0;
    let mut different = Vec::new();
    for target in which.targets() {
        // The tool works while we do.
        let out = folder.path().join("output");
        let mut running = start(&tool, &folder.path().join(&target), &out);
        let path = TreePath::new(&target).expect("targets stay inside");
        let options = kustomize::Options::default();
        let (result, warnings) = kustomize::build(&tree, &path, &options, &Isolated);
        let build = result.unwrap_or_else(|errors| panic!("{target}: {}", errors[0].reference()));
        assert_eq!(warnings, [], "{target}");
        let ours = build.to_yaml();
        objects += build.objects.len();
        let status = running.wait().expect("the tool was started");
        assert!(status.success(), "the tool refuses {target}");
        let theirs = fs::read_to_string(&out).expect("the tool prints text");
        if ours != theirs {
            different.push(format!("{target}: {}", first_difference(&ours, &theirs)));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert!(objects >= objects_min, "only {objects} objects");
}

fn in_memory(which: Tree) -> tree::Tree {
    let mut builder = TreeBuilder::default();
    which.files(&mut |path, text| {
        let path = TreePath::new(path).expect("files stay inside");
        builder.file(path, text.as_bytes());
    });
    builder.build()
}

fn start(tool: &Path, target: &Path, out: &PathBuf) -> std::process::Child {
    let out = fs::File::create(out).expect("temporary files can be written");
    let mut command = Command::new(tool);
    let command = command.arg("build").arg(target);
    command
        .stdin(Stdio::null())
        .stdout(out)
        .spawn()
        .expect("the tool starts")
}

fn first_difference(ours: &str, theirs: &str) -> String {
    let mut lines = ours.lines().zip(theirs.lines()).enumerate();
    match lines.find(|(_, (ours, theirs))| ours != theirs) {
        Some((at, (ours, theirs))) => {
            format!("line {}: `{theirs}` wanted, got `{ours}`", at + 1)
        }
        None => format!("{} bytes wanted, got {}", theirs.len(), ours.len()),
    }
}

#[test]
fn twelve_clusters_are_equal() {
    assert_eq!(Tree::Fleet.targets().len(), CLUSTERS.len());
    check(Tree::Fleet, 1000);
}

#[test]
fn one_object_and_a_few_are_equal() {
    check(Tree::Tiny, 1);
    for objects in [10, 20, 35] {
        check(Tree::Small(objects), objects);
    }
}

#[test]
fn large_definitions_are_equal() {
    check(Tree::LargeDefinitions, 59);
}

#[test]
fn deployments_are_equal() {
    check(Tree::Deployments(100), 100);
}
