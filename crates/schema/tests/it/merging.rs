//! What the type table tells the merge crate.

use merge::strategic::StrategicSchema;
use schema::builtin;

#[test]
fn strategic_patches_know_keys_and_strategies() {
    let deployment = builtin::type_of("apps/v1", "Deployment").expect("built in");
    let schema = builtin::strategic_schema(deployment);
    let mut at = schema.root();
    assert_eq!(schema.name(at), "Deployment");
    for name in ["spec", "template", "spec"] {
        at = schema
            .field(at, name)
            .and_then(|field| field.value)
            .expect("a struct");
    }
    let volumes = schema.field(at, "volumes").expect("a field");
    assert!(volumes.merge && volumes.retain_keys && !volumes.replace);
    assert_eq!(volumes.merge_key, Some("name"));
    assert!(schema.field(at, "nope").is_none());
    let labels = schema.field(at, "nodeSelector").expect("a field");
    assert_eq!(labels.value, None);
}

#[test]
fn apply_knows_owners_of_lists_and_maps() {
    let service = builtin::type_of("v1", "Service").expect("built in");
    let object = builtin::merge_schema(service);
    let schema = object.schema();
    let field = |of, name: &str| {
        let map = schema.atom(of).map.as_ref().expect("a struct");
        map.field(name).cloned().expect("a field")
    };
    let spec = field(object.root(), "spec").type_ref;
    let selector = schema.atom(field(spec, "selector").type_ref);
    assert!(selector.map.as_ref().expect("a map").is_atomic());
    let ports = schema
        .atom(field(spec, "ports").type_ref)
        .list
        .clone()
        .expect("a list");
    let merge::schema::ListRelationship::Associative(keys) = &ports.relationship else {
        panic!("ports have keys");
    };
    assert_eq!(
        keys.iter().map(|key| key.as_str()).collect::<Vec<_>>(),
        ["port", "protocol"]
    );
    let protocol = field(ports.element, "protocol");
    assert_eq!(protocol.default, Some("TCP".into()));
}
