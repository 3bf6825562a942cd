//! The type table agrees with the schema that Kubernetes publishes for apply configurations.

use std::collections::BTreeSet;

use schema::builtin::types;
use schema::builtin::types::{ListType, Type};

/// Rows `type, field, relationship, keys` as the recorded table has them, from our types.
fn ours() -> BTreeSet<String> {
    let mut rows = BTreeSet::new();
    for (_, ty) in types().iter() {
        let name = ty.openapi_name();
        if ty.atomic {
            rows.insert(format!("{name}\t\tstruct-atomic\t"));
        }
        for field in &ty.fields {
            let row = |relationship: &str, keys: &str| {
                format!("{name}\t{}\t{relationship}\t{keys}", field.json)
            };
            match field.ty.target() {
                Type::List(_) | Type::Items(_) => {
                    let merged = field.patch_strategy.split(',').any(|said| said == "merge");
                    rows.insert(match field.list {
                        ListType::Map => row("list-map", &field.list_keys.join(",")),
                        ListType::Set => row("list-set", ""),
                        ListType::Unset if merged && field.patch_key.is_empty() => {
                            row("list-set", "")
                        }
                        ListType::Unset if merged => row("list-map", field.patch_key),
                        ListType::Atomic | ListType::Unset => row("list-atomic", ""),
                    });
                }
                Type::Map(_) if field.atomic => {
                    rows.insert(row("map-atomic", ""));
                }
                Type::Struct(_) if field.atomic => {
                    rows.insert(row("struct-atomic", ""));
                }
                _ => {}
            }
        }
    }
    rows
}

#[test]
fn every_published_list_and_map_type_is_in_the_table() {
    let Some(folder) = testkit::corpus("apimachinery") else {
        return;
    };
    let text = std::fs::read_to_string(folder.join("merge-types.tsv")).expect("a file");
    let ours = ours();
    // The recorded table is of a later commit; fields that came since are not ours.
    let mut known: BTreeSet<(String, &str)> = BTreeSet::new();
    for (_, ty) in types().iter() {
        known.insert((ty.openapi_name(), ""));
        known.extend(
            ty.fields
                .iter()
                .map(|field| (ty.openapi_name(), field.json)),
        );
    }
    let (mut same, mut elsewhere, mut missing) = (0, 0, Vec::new());
    for row in text.lines().skip(1) {
        let mut words = row.split('\t');
        let name = words.next().unwrap_or_default().to_owned();
        match known.contains(&(name, words.next().unwrap_or_default())) {
            false => elsewhere += 1,
            // Got its key after our release.
            true if row.contains("nodeAllocatableResourceClaimStatuses") => elsewhere += 1,
            true if ours.contains(row) => same += 1,
            true => missing.push(row),
        }
    }
    eprintln!("{same} rows agree, {elsewhere} are of types or fields that are not served");
    assert!(same > 250, "only {same} rows were compared");
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
