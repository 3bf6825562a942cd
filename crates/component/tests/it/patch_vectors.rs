//! The tables of upstream's own tests of its patches, at two versions.

use component::patch::{Dialect, Operation, PatchErrorKind, Verb, apply, expand};
use object::Node;

use crate::template_vectors::{same, table, yaml};

const VERSIONS: [(&str, Dialect); 2] = [("v0.12.0", Dialect::Legacy), ("v1.2.3", Dialect::Current)];

fn fails(vector: &Node) -> bool {
    vector.get("wantErr") == Some(&Node::Bool(true))
}

#[test]
fn operations_change_what_upstreams_table_says() {
    let (mut count, mut wrong) = (0, String::new());
    for (version, dialect) in VERSIONS {
        for (name, vector) in table(version, "patch.patch.yaml", "TestApplyPatches") {
            count += 1;
            let mut object = yaml(vector.str_at(&["initial"]).expect("there is an object"));
            let operations = vector.get("operations").and_then(Node::as_list);
            let mut outcome = Ok(());
            for operation in operations.expect("there are operations") {
                let text = |key: &str| operation.str_at(&[key]).expect("is there");
                let operation = Operation {
                    verb: Verb::parse(text("Op")).expect("is a verb"),
                    path: text("Path").into(),
                    value: operation.get("Value").cloned(),
                };
                outcome = outcome.and_then(|()| apply(&mut object, &operation, dialect));
            }
            let wanted = vector.str_at(&["want"]).map(yaml);
            match (outcome, wanted) {
                (Ok(()), Some(wanted)) if !fails(&vector) && same(&object, &wanted) => {}
                (Err(_), _) if fails(&vector) => {}
                (Err(error), _) => wrong.push_str(&format!("{name}\n  {error}\n")),
                (Ok(()), _) => {
                    wrong.push_str(&format!("{name}\n  {}\n", object::json::to_string(&object)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(count == 0 || count == 44, "{count} vectors");
}

#[test]
fn paths_expand_to_what_upstreams_table_says() {
    let (mut count, mut wrong) = (0, String::new());
    for (version, dialect) in VERSIONS {
        for (name, vector) in table(version, "patch.expand_paths.yaml", "TestExpandPaths") {
            count += 1;
            let root = yaml(vector.str_at(&["root"]).expect("there is an object"));
            let path = vector.str_at(&["path"]).expect("there is a path");
            let wanted = vector
                .get("want")
                .and_then(Node::as_list)
                .unwrap_or_default();
            let wanted: Vec<&str> = wanted.iter().filter_map(Node::as_str).collect();
            let right = match expand(&root, path, dialect) {
                Ok(found) => found == wanted && !fails(&vector),
                // What matches nothing is an empty list there.
                Err(PatchErrorKind::NoMatch { .. }) => wanted.is_empty() && !fails(&vector),
                Err(_) => fails(&vector),
            };
            if !right {
                let found = expand(&root, path, dialect);
                wrong.push_str(&format!("{name}\n  {found:?}\n"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(count == 0 || count == 32, "{count} vectors");
}
