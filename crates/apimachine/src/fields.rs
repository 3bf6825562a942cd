//! The fields that lists and watches can select by.
//!
//! # Source
//! kubernetes/kubernetes `pkg/apis/*/v1/conversion.go` (labels), `pkg/registry/*/*/strategy.go` (values).

use object::Node;

use crate::ResourceType;

/// Field labels of a kind beyond name and namespace.
fn labels(resource: &ResourceType) -> &'static [&'static str] {
    let kind = schema::builtin::lookup(&resource.group, &resource.version, &resource.plural);
    kind.map_or(&[], |kind| kind.field_selectors)
}

/// Refuses a field the kind cannot be selected by, in its own words.
pub(crate) fn check(resource: &ResourceType, field: &str) -> Result<(), String> {
    if field == "metadata.name" || field == "metadata.namespace" && resource.namespaced {
        return Ok(());
    }
    let own = labels(resource);
    let selectable = |path: &object::Text| path.trim_start_matches('.') == field;
    let custom = resource.custom.as_ref();
    if own.contains(&field)
        || custom.is_some_and(|custom| custom.selectable_fields.iter().any(selectable))
    {
        return Ok(());
    }
    if own.is_empty() && custom.is_none() {
        return Err(format!(
            "{field:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
        ));
    }
    Err(format!("field label not supported: {field}"))
}

/// The value of a field as selectors compare it; empty when absent.
pub(crate) fn value(resource: &ResourceType, object: &Node, field: &str) -> String {
    let text = |path: &str| {
        let keys: Vec<&str> = path.split('.').collect();
        match object.at(&keys) {
            Some(Node::String(text)) => text.to_string(),
            Some(Node::Bool(value)) => value.to_string(),
            Some(Node::Int(value)) => value.to_string(),
            _ => String::new(),
        }
    };
    match (resource.storage.as_str(), field) {
        ("pods", "spec.hostNetwork") | ("nodes", "spec.unschedulable") => {
            match text(field).as_str() {
                "true" => "true".to_owned(),
                _ => "false".to_owned(),
            }
        }
        ("replicationcontrollers", "status.replicas") => match text(field).as_str() {
            "" => "0".to_owned(),
            count => count.to_owned(),
        },
        ("jobs.batch", "status.successful") => match text("status.succeeded").as_str() {
            "" => "0".to_owned(),
            count => count.to_owned(),
        },
        ("events", field) if field.starts_with("regarding.") => {
            text(&field.replacen("regarding", "involvedObject", 1))
        }
        ("events", "reportingController") => text("reportingComponent"),
        ("events", "source") => match text("source.component").as_str() {
            "" => text("reportingComponent"),
            component => component.to_owned(),
        },
        _ => text(field),
    }
}
