//! The variables of a unit: its own, and those of ConfigMaps and Secrets.

use std::collections::BTreeMap;

use api::Kustomization;
use base64::Engine as _;
use cluster::Cluster;
use object::{GroupVersionKind, Node, Object};

/// Every variable of a unit, later ones over earlier ones.
///
/// # Errors
/// A sentence naming the object that is missing or cannot be read.
pub(crate) async fn read(
    unit: &Kustomization,
    cluster: &Cluster,
) -> Result<Vec<(String, String)>, String> {
    let mut variables = Vec::new();
    for from in &unit.substitute_from {
        let kind = GroupVersionKind::new("v1", &from.kind);
        let shown = format!("substitute from '{}/{}' error", from.kind, from.name);
        let found = cluster.get(&kind, unit.meta.namespace(), &from.name).await;
        match found.map_err(|error| format!("{shown}: {error}"))? {
            Some(object) => variables.extend(data(&object)),
            None if from.optional => {}
            None => {
                return Err(format!(
                    "{shown}: {} \"{}\" not found",
                    from.kind.to_lowercase() + "s",
                    from.name
                ));
            }
        }
    }
    variables.extend(unit.substitute.iter().cloned());
    Ok(variables)
}

/// The keys and values of a ConfigMap or Secret; values that are no text are left out.
fn data(object: &Object) -> Vec<(String, String)> {
    if object.kind() == "Secret" {
        return secret_data(object)
            .into_iter()
            .filter_map(|(key, value)| Some((key, String::from_utf8(value).ok()?)))
            .collect();
    }
    let data = object.node.get("data").and_then(Node::as_map);
    let entries = data.into_iter().flat_map(|data| data.iter());
    entries
        .filter_map(|(key, value)| Some((key.to_string(), value.as_str()?.to_owned())))
        .collect()
}

/// The keys and values of a Secret; values that are not encoded are left out.
pub(crate) fn secret_data(secret: &Object) -> BTreeMap<String, Vec<u8>> {
    let data = secret.node.get("data").and_then(Node::as_map);
    let entries = data.into_iter().flat_map(|data| data.iter());
    entries
        .filter_map(|(key, value)| {
            let decoded = base64::engine::general_purpose::STANDARD.decode(value.as_str()?);
            Some((key.to_string(), decoded.ok()?))
        })
        .collect()
}
