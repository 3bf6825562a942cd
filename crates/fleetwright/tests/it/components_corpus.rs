//! Public trees of components through the binary.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use object::Node;
use tempfile::TempDir;

use crate::process::{fleetwright, output};
use crate::repository::{WorkingCopy, copy};

struct Said {
    exit: i32,
    out: String,
    errors: String,
}

fn run(folder: &Path, arguments: &[&str]) -> Said {
    let output = output(fleetwright(folder).args(arguments));
    Said {
        exit: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        errors: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Objects by namespace, kind and name.
fn objects(text: &str) -> BTreeMap<[String; 3], Node> {
    let documents = yaml::load(text, &yaml::Limits::default()).unwrap();
    let text = |node: &Node, keys: &[&str]| node.str_at(keys).unwrap_or_default().to_owned();
    let keyed = documents.into_iter().map(|document| {
        let node = document.node;
        let key = [
            text(&node, &["metadata", "namespace"]),
            text(&node, &["kind"]),
            text(&node, &["metadata", "name"]),
        ];
        (key, node)
    });
    keyed.collect()
}

/// Whether both are the same as data, where `<uid:…>` stands for one identity each and
/// `<dp-resource-hash>` for any text.
fn same(wanted: &Node, got: &Node, identities: &mut BTreeMap<String, String>) -> bool {
    match (wanted, got) {
        (Node::List(a), Node::List(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b, identities))
        }
        (Node::Map(a), Node::Map(b)) => {
            let own = |(key, value): (_, &Node)| {
                let key: &object::Text = key;
                b.get(key)
                    .is_some_and(|other| same(value, other, identities))
            };
            a.len() == b.len() && a.iter().all(own)
        }
        (Node::String(a), Node::String(_)) if a == "<dp-resource-hash>" => true,
        (Node::String(a), Node::String(b)) if a.starts_with("<uid:") => {
            let known = identities.entry(a.to_string());
            *known.or_insert_with(|| b.to_string()) == b.as_str()
        }
        _ => wanted == got || (wanted.as_f64().is_some() && wanted.as_f64() == got.as_f64()),
    }
}

/// Compares what was printed with a file; returns how many objects there are.
fn compare(said: &Said, file: &Path) -> usize {
    let wanted = objects(&std::fs::read_to_string(file).unwrap());
    let got = objects(&said.out);
    let keys = |all: &BTreeMap<[String; 3], Node>| all.keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        keys(&wanted),
        keys(&got),
        "{}\n{}",
        file.display(),
        said.errors
    );
    let mut identities = BTreeMap::new();
    for (key, node) in &wanted {
        let (wanted, got) = (yaml::to_string(node), yaml::to_string(&got[key]));
        assert!(
            same(node, &objects(&said.out)[key], &mut identities),
            "{key:?}\n{wanted}\n{got}"
        );
    }
    let distinct: BTreeSet<&String> = identities.values().collect();
    assert_eq!(distinct.len(), identities.len(), "{identities:?}");
    wanted.len()
}

fn render(tree: &Path, environment: &str) -> Said {
    let home = TempDir::new().unwrap();
    let tree = tree.display().to_string();
    run(home.path(), &["render", &tree, "--env", environment])
}

#[test]
fn public_trees_render_to_the_objects_that_upstream_makes() {
    let Some(root) = testkit::corpus("openchoreo") else {
        return;
    };
    let expected = root.join("expected");
    let mut count = 0;
    for (tree, environment, exit) in [
        ("gitops-demo", "development", 0),
        ("gitops-demo", "staging", 3),
        ("gitops-demo-23feaa7", "development", 0),
        ("sample-gitops", "development", 0),
        ("sample-gitops", "staging", 0),
    ] {
        let said = render(&root.join(tree), environment);
        count += compare(
            &said,
            &expected.join(tree).join(format!("{environment}.yaml")),
        );
        assert_eq!(said.exit, exit, "{tree} {environment}\n{}", said.errors);
    }
    assert_eq!(count, 15 + 3 + 16);
    println!("{count} objects are as expected");

    let production = render(&root.join("gitops-demo"), "production");
    assert_eq!((production.exit, production.out.as_str()), (0, ""));
    let staging = render(&root.join("gitops-demo"), "staging");
    for name in ["order-api", "product-api", "redis-cache"] {
        let told = staging.errors.split("error[").any(|own| {
            own.contains(&format!("ReleaseBinding/openchoreo/{name}-staging"))
                && own.contains("container 'main' not found")
                && own.contains("`app`")
                && own.contains(".yaml:")
        });
        assert!(told, "{name}\n{}", staging.errors);
    }
    let development = render(&root.join("gitops-demo"), "development");
    let unknown = development.errors.matches("warning[ComponentValueUnknown]");
    assert_eq!(unknown.count(), 2, "{}", development.errors);
}

#[test]
fn a_branch_laid_over_the_demo_is_reviewed_without_a_cluster() {
    let Some(root) = testkit::corpus("openchoreo") else {
        return;
    };
    let home = TempDir::new().unwrap();
    let demo = root.join("gitops-demo");
    let working = WorkingCopy::of(&demo, home.path(), "http://127.0.0.1:1/none");
    let branch = root.join("gitops-demo-branches/bulk-release_all-20260128-090321");
    copy(&branch, &working.folder);
    let at = |arguments: &[&str]| run(&working.folder, arguments);

    let rendered = at(&["render", "--env", "staging"]);
    let file = root.join("expected/gitops-demo+bulk-release-090321/staging.yaml");
    assert_eq!(compare(&rendered, &file), 12);
    assert_eq!(rendered.exit, 0, "{}", rendered.errors);

    let difference = at(&["render", "--env", "staging", "--diff"]);
    assert_eq!(difference.exit, 1, "{}", difference.errors);
    let before =
        objects(&std::fs::read_to_string(root.join("expected/gitops-demo/staging.yaml")).unwrap());
    let after = objects(&std::fs::read_to_string(&file).unwrap());
    let shown = |sign: &str, key: &[String; 3]| format!("{sign} {}/{}/{}", key[1], key[0], key[2]);
    let mut wanted = BTreeSet::new();
    for (key, old) in &before {
        match after.get(key) {
            None => drop(wanted.insert(shown("-", key))),
            Some(new) if same(old, new, &mut BTreeMap::new()) => {}
            Some(_) => drop(wanted.insert(shown("~", key))),
        }
    }
    let added = after.keys().filter(|key| !before.contains_key(*key));
    wanted.extend(added.map(|key| shown("+", key)));
    let signs = ["+ ", "- ", "~ "];
    let lines = difference.out.lines();
    let heads = lines.filter(|line| signs.iter().any(|sign| line.starts_with(sign)));
    let heads: BTreeSet<String> = heads.map(str::to_owned).collect();
    assert_eq!(heads, wanted);
    println!(
        "{} objects differ, as expected\n{}",
        heads.len(),
        difference.out
    );

    let development = at(&["render", "--env", "development", "--diff"]);
    assert_eq!((development.exit, development.out.as_str()), (0, ""));
}

#[test]
fn a_release_that_never_deploys_is_found_before_it_is_merged() {
    let Some(root) = testkit::corpus("openchoreo") else {
        return;
    };
    let home = TempDir::new().unwrap();
    let tree = home.path().join("tree");
    copy(&root.join("gitops-demo"), &tree);
    copy(
        &root.join("gitops-demo-branches/release_greeter-service-gitops-20260130-050053"),
        &tree,
    );
    let said = run(&tree, &["lint", "-o", "line"]);
    assert_eq!(said.exit, 1);
    println!("{}", said.out);
    let about = "greeter-service-gitops-b1e72d38";
    let found = |parts: &[&str]| {
        let mut lines = said.out.lines();
        lines.any(|line| parts.iter().all(|part| line.contains(part)))
    };
    assert!(found(&[
        "bindings/greeter-service-gitops-development.yaml:1",
        "ComponentNotApplied",
        "greeter-service-gitops-development",
    ]));
    assert!(found(&[
        "greeter-service-gitops-b1e72d38.yaml:",
        "cannot be rendered in development",
        about,
        "`app`",
        "`main`",
    ]));
    // The three releases of the demo that cannot work either, and its unknown field.
    for name in ["order-api", "product-api", "redis-cache"] {
        assert!(
            found(&["cannot be rendered in development, staging", name]),
            "{name}"
        );
    }
    assert_eq!(said.out.matches("ComponentFieldUnknown").count(), 1);
}
