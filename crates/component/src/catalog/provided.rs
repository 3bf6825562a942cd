//! What resources provide to workloads: outputs of ResourceReleaseBindings.
//!
//! # Source
//! openchoreo/openchoreo `internal/controller/releasebinding/controller_resourcedependencies.go` at v1.2.3.

use std::collections::BTreeMap;

use object::{Node, Text};

use super::Catalog;
use crate::dependencies::Output;
use crate::model::Owner;

/// What one resource provides in one environment.
#[derive(Clone, Debug, Default)]
pub(super) struct Provided {
    project: Text,
    resource: Text,
    environment: Text,
    ready: bool,
    outputs: BTreeMap<Text, Output>,
}

impl Provided {
    /// Reads a binding of a resource; outputs that say nothing are left out.
    pub fn read(object: &Node) -> Self {
        let text = |keys: &[&str]| Text::from(object.str_at(keys).unwrap_or_default());
        let list = |field: &str| {
            let list = object.at(&["status", field]).and_then(Node::as_list);
            list.unwrap_or_default()
        };
        let ready = list("conditions").iter().any(|own| {
            own.str_at(&["type"]) == Some("Ready") && own.str_at(&["status"]) == Some("True")
        });
        let outputs = list("outputs").iter().filter_map(|own| {
            let name = own.str_at(&["name"])?;
            Some((name.into(), output(own)?))
        });
        Self {
            project: text(&["spec", "owner", "projectName"]),
            resource: text(&["spec", "owner", "resourceName"]),
            environment: text(&["spec", "environment"]),
            ready,
            outputs: outputs.collect(),
        }
    }
}

fn output(node: &Node) -> Option<Output> {
    let entry = |field: &str| {
        let name = node.str_at(&[field, "name"])?.into();
        Some((name, node.str_at(&[field, "key"])?.into()))
    };
    if let Some((name, key)) = entry("secretKeyRef") {
        return Some(Output::Secret { name, key });
    }
    if let Some((name, key)) = entry("configMapKeyRef") {
        return Some(Output::ConfigMap { name, key });
    }
    Some(Output::Value(node.str_at(&["value"])?.into()))
}

impl Catalog {
    /// What a resource of a project provides in an environment.
    ///
    /// # Errors
    /// Why it provides nothing yet, in words.
    pub fn outputs(
        &self,
        namespace: &str,
        owner: &Owner,
        resource: &str,
        environment: &str,
    ) -> Result<&BTreeMap<Text, Output>, String> {
        let found = self.provided.iter().filter(|((own, _), provided)| {
            own == namespace
                && provided.project == owner.project
                && provided.resource == resource
                && provided.environment == environment
        });
        match found.collect::<Vec<_>>().as_slice() {
            [] => Err(format!("nothing binds it in environment `{environment}`")),
            [((_, name), provided)] => match provided.ready {
                true => Ok(&provided.outputs),
                false => Err(format!("ResourceReleaseBinding `{name}` is not ready")),
            },
            [((_, first), _), ((_, second), _), ..] => Err(format!(
                "ResourceReleaseBindings `{first}` and `{second}` are both for environment `{environment}`"
            )),
        }
    }
}
