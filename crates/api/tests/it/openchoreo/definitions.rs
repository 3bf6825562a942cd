//! The definitions themselves.

use std::collections::BTreeSet;

use api::openchoreo::{Kind, custom_resource_definitions};
use object::Node;

use super::schema_of;

#[test]
fn every_kind_has_one_definition_that_agrees_with_it() {
    let definitions = custom_resource_definitions();
    for kind in Kind::ALL {
        let own =
            |definition: &&Node| definition.str_at(&["spec", "names", "kind"]) == Some(kind.name());
        let definition = definitions.iter().find(own).unwrap();
        let text = |keys: &[&str]| definition.str_at(keys).unwrap();
        assert_eq!(text(&["spec", "names", "plural"]), kind.plural());
        assert_eq!(
            text(&["spec", "scope"]) == "Namespaced",
            kind.is_namespaced()
        );
        assert_eq!(Kind::of(&kind.group_version_kind()), Some(*kind));
    }
    let names: BTreeSet<_> = definitions
        .iter()
        .map(|definition| definition.str_at(&["metadata", "name"]))
        .collect();
    assert_eq!(names.len(), definitions.len());
    assert_eq!(Kind::from_name(api::openchoreo::RELEASE_CONFIG), None);
    assert_eq!(definitions.len(), 47);
}

#[test]
fn short_names_are_taken_once() {
    let mut taken = BTreeSet::new();
    for definition in custom_resource_definitions() {
        let names = definition.at(&["spec", "names"]).unwrap();
        let short = names.get("shortNames").and_then(Node::as_list);
        let own: BTreeSet<_> = short
            .unwrap_or_default()
            .iter()
            .chain([names.get("plural").unwrap()])
            .map(|name| name.as_str().unwrap().to_owned())
            .collect();
        for name in own {
            assert!(taken.insert(name.clone()), "{name}");
        }
    }
}

#[test]
fn every_field_is_described_and_no_object_forgets_fields() {
    fn walk(schema: &Node, path: &str, count: &mut usize) {
        *count += 1;
        assert!(
            schema
                .str_at(&["description"])
                .is_some_and(|text| text.ends_with('.')),
            "{path}"
        );
        let kept = schema.get("x-kubernetes-preserve-unknown-fields").is_some();
        let of_values = schema.get("additionalProperties");
        match schema.str_at(&["type"]) {
            None => assert!(kept, "{path}"),
            Some("object") => assert!(kept || of_values.is_some(), "{path}"),
            Some(_) => assert!(!kept, "{path}"),
        }
        for (key, inner) in schema
            .get("properties")
            .and_then(Node::as_map)
            .into_iter()
            .flat_map(|map| map.iter())
        {
            walk(inner, &format!("{path}.{key}"), count);
        }
        for (key, sign) in [("items", "[]"), ("additionalProperties", "{}")] {
            if let Some(inner) = schema.get(key) {
                walk(inner, &format!("{path}{sign}"), count);
            }
        }
    }
    let mut count = 0;
    for definition in custom_resource_definitions() {
        let kind = definition.str_at(&["spec", "names", "kind"]).unwrap();
        let schema = schema_of(&definition);
        assert!(schema.get("description").is_some(), "{kind}");
        for field in ["spec", "status"] {
            let inner = schema.at(&["properties", field]).unwrap();
            walk(inner, &format!("{kind}.{field}"), &mut count);
        }
    }
    assert!(count > 1000, "{count}");
    println!("{count} fields described");
}
