//! Fields no release of OpenChoreo knows: kept by the server, worth a warning by whoever reads them.

use std::collections::BTreeMap;

use object::Node;

use super::{Kind, custom_resource_definitions};

/// Most fields named of one object.
///
/// They end in the message of a condition; who misspells more than a screen of fields sees the
/// rest after mending the first.
pub const UNDECLARED_FIELDS_MAX: usize = 20;

/// The fields that the definitions declare below spec.
#[derive(Clone, Debug)]
pub struct DeclaredFields(BTreeMap<Kind, Node>);

impl Default for DeclaredFields {
    fn default() -> Self {
        Self::new()
    }
}

impl DeclaredFields {
    /// Reads the definitions, which takes a while: to be made once and kept.
    pub fn new() -> Self {
        let spec = |definition: &Node| {
            let kind = definition.str_at(&["spec", "names", "kind"])?;
            let versions = definition.at(&["spec", "versions"])?.as_list()?;
            let schema = versions.first()?.at(&["schema", "openAPIV3Schema"])?;
            let spec = schema.at(&["properties", "spec"])?;
            Some((Kind::from_name(kind)?, spec.clone()))
        };
        let definitions = custom_resource_definitions();
        Self(definitions.iter().filter_map(spec).collect())
    }

    /// Paths of fields below spec that no release declares, such as `spec.traits[0].nmae`: in the
    /// order of the object, at most [`UNDECLARED_FIELDS_MAX`].
    ///
    /// Parameters, overrides, schemas and templates are free; nothing in them is undeclared.
    pub fn undeclared_in(&self, kind: Kind, object: &Node) -> Vec<String> {
        let mut found = Vec::new();
        if let (Some(schema), Some(spec)) = (self.0.get(&kind), object.get("spec")) {
            walk(schema, spec, "spec", &mut found);
        }
        found
    }
}

/// Goes no deeper than the schema.
fn walk(schema: &Node, node: &Node, path: &str, found: &mut Vec<String>) {
    if let Some(items) = node.as_list() {
        if let Some(schema) = schema.get("items") {
            for (index, item) in items.iter().enumerate() {
                walk(schema, item, &format!("{path}[{index}]"), found);
            }
        }
        return;
    }
    let Some(map) = node.as_map() else {
        return;
    };
    let declared = schema.get("properties");
    let values = schema.get("additionalProperties");
    for (key, value) in map.iter() {
        if found.len() >= UNDECLARED_FIELDS_MAX {
            return;
        }
        let path = format!("{path}.{key}");
        match (declared.and_then(|declared| declared.get(key)), values) {
            (Some(schema), _) | (None, Some(schema)) => walk(schema, value, &path, found),
            (None, None) if declared.is_some() => found.push(path),
            (None, None) => {}
        }
    }
}
