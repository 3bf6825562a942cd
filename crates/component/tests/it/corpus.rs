//! Public trees, schemas and cases: what they hold is read and rendered as upstream does.

use component::model::{self, Item};
use component::schema::Schema;
use object::Node;

use crate::support::{files, node, read_file, same, tree};

#[test]
fn every_object_of_the_public_trees_is_accepted_as_it_is() {
    let Some(root) = testkit::corpus("openchoreo") else {
        return;
    };
    let mut accepted = 0;
    let mut warnings = Vec::new();
    let mut refused = Vec::new();
    let mut notices = 0;
    for name in [
        "gitops-demo",
        "gitops-demo-23feaa7",
        "gitops-demo-branches",
        "sample-gitops",
        "samples/v0.12.0",
        "samples/v1.2.3",
    ] {
        for object in tree(&root.join(name)) {
            match model::read(&object) {
                None => {}
                Some(Ok(read)) => {
                    accepted += 1;
                    notices += usize::from(matches!(read.item, Item::ReleaseConfig(_)));
                    let told = read.warnings.iter();
                    warnings.extend(
                        told.map(|warning| format!("{name} {}: {warning}", read.item.head())),
                    );
                }
                Some(Err(error)) => refused.push(format!("{name}: {error}")),
            }
        }
    }
    println!(
        "{accepted} objects accepted, {notices} release configs, {} warnings",
        warnings.len()
    );
    for warning in &warnings {
        println!("  {warning}");
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
    assert!(accepted > 200 && notices >= 1, "{accepted} {notices}");
    let own = "gitops-demo Project/default/demo-project-gitops: `spec.displayName` is a field of no version";
    assert!(warnings.iter().any(|warning| warning == own));
}

#[test]
fn schema_vectors_give_the_expected_schema_or_error() {
    let Some(root) = testkit::corpus("openchoreo/cases/v0.12.0/vectors") else {
        return;
    };
    let (mut passed, mut failed) = (0, Vec::new());
    let mut check = |name: &str, case: &Node| {
        let text = |key: &str| case.str_at(&[key]).unwrap_or_default();
        for form in ["schemaYAML", "listSchema", "arraySchema"] {
            let Some(fields) = case.str_at(&[form]) else {
                continue;
            };
            let made = Schema::shorthand("x", &node(fields), &node(text("typesYAML")));
            let wanted_error = text("expectError");
            let right = match (&made, case.str_at(&["expected"])) {
                (Ok(schema), Some(expected)) => same(schema.json(), &node(expected)),
                (Ok(_), None) => wanted_error.is_empty(),
                (Err(errors), _) => {
                    // A message of crate `schema` where upstream has its own words.
                    let told = errors.iter().map(ToString::to_string).collect::<Vec<_>>();
                    !wanted_error.is_empty() && told.join("; ").contains(wanted_error)
                }
            };
            match right {
                true => passed += 1,
                false => failed.push(format!("{name} {form}: {made:?}")),
            }
        }
    };
    let conversions = read_file(&root.join("schema.extractor.schema-conversions.yaml"));
    for (name, case) in conversions.as_map().expect("a map of cases").iter() {
        check(name, case);
    }
    let tables = read_file(&root.join("schema.extractor.schema.yaml"));
    for (table, cases) in tables.as_map().expect("a map of tables").iter() {
        for case in cases.as_list().unwrap_or_default() {
            let name = case.str_at(&["name"]).unwrap_or_default();
            check(&format!("{table}/{name}"), case);
        }
    }
    println!("{passed} schema vectors pass");
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(passed > 60, "{passed}");
}

#[test]
fn open_api_schemas_resolve_their_references() {
    let Some(root) = testkit::corpus("openchoreo/cases/v1.2.3/schema/testdata") else {
        return;
    };
    for path in files(&root) {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let made = Schema::open_api("parameters", &read_file(&path));
        assert_eq!(
            made.is_err(),
            name.starts_with("invalid"),
            "{name}: {made:?}"
        );
    }
}
