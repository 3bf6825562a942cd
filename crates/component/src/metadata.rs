//! What the objects of a binding are called and labelled.
//!
//! # Source
//! openchoreo/openchoreo `internal/controller/releasebinding/controller.go` and
//! `internal/labels/labels.go` at v0.12.0 and v1.2.3.

use object::{Map, Node, Text};

use crate::model::Dialect;
use crate::names::{LABEL_BYTES_MAX, NAME_BYTES_MAX, generate_name};

/// Keys of labels and annotations.
pub mod keys {
    /// The tenant, up to v0.12.
    pub const ORGANIZATION: &str = "openchoreo.dev/organization";
    /// The tenant's namespace, since v1.
    pub const NAMESPACE: &str = "openchoreo.dev/namespace";
    /// The project.
    pub const PROJECT: &str = "openchoreo.dev/project";
    /// The component.
    pub const COMPONENT: &str = "openchoreo.dev/component";
    /// The environment.
    pub const ENVIRONMENT: &str = "openchoreo.dev/environment";
    /// Identity of the project.
    pub const PROJECT_UID: &str = "openchoreo.dev/project-uid";
    /// Identity of the component.
    pub const COMPONENT_UID: &str = "openchoreo.dev/component-uid";
    /// Identity of the environment.
    pub const ENVIRONMENT_UID: &str = "openchoreo.dev/environment-uid";
    /// On pods of the platform that may reach workloads.
    pub const SYSTEM_COMPONENT: &str = "openchoreo.dev/system-component";
    /// On pod templates: a hash of what the pods may read.
    pub const RESOURCE_HASH: &str = "openchoreo.dev/dp-resource-hash";
    /// On data planes: which network policies they understand.
    pub const NETWORK_POLICY_PROVIDER: &str = "openchoreo.dev/networkpolicyprovider";
}

/// Names and identities of what a binding is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identities {
    /// Namespace of the binding: the tenant.
    pub namespace: Text,
    /// Name of the project.
    pub project: Text,
    /// Identity of the project.
    pub project_uid: Text,
    /// Name of the component.
    pub component: Text,
    /// Identity of the component.
    pub component_uid: Text,
    /// Name of the environment.
    pub environment: Text,
    /// Identity of the environment.
    pub environment_uid: Text,
    /// Name of the data plane.
    pub data_plane: Text,
    /// Identity of the data plane.
    pub data_plane_uid: Text,
}

/// Names, labels and selectors for the objects of a binding; the variable `metadata`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata {
    /// Names and identities it was made from.
    pub identities: Identities,
    /// Name for objects that have no other.
    pub name: Text,
    /// Namespace in the data plane.
    pub namespace: Text,
    /// Labels for every object.
    pub labels: Map,
    /// Annotations for every object.
    pub annotations: Map,
    /// Labels that select the pods.
    pub pod_selectors: Map,
    /// Labels that objects get whatever their template says.
    pub forced_labels: Map,
    /// Whether templates see the tenant's namespace.
    shows_component_namespace: bool,
}

impl Metadata {
    /// As the versions of `dialect` make them.
    pub fn new(identities: Identities, dialect: Dialect) -> Self {
        let own = &identities;
        let name = generate_name(NAME_BYTES_MAX, &[&own.component, &own.environment]);
        let namespace = namespace(&own.namespace, &own.project, &own.environment);
        let uids = [
            (keys::COMPONENT_UID, &own.component_uid),
            (keys::ENVIRONMENT_UID, &own.environment_uid),
            (keys::PROJECT_UID, &own.project_uid),
        ];
        let tenant = match dialect.is_v1() {
            true => keys::NAMESPACE,
            false => keys::ORGANIZATION,
        };
        let names = [
            (keys::PROJECT, &own.project),
            (keys::COMPONENT, &own.component),
            (keys::ENVIRONMENT, &own.environment),
        ];
        let tenant = [(tenant, &own.namespace)];
        let map = |entries: &[&[(&str, &Text)]]| -> Map {
            let entries = entries.iter().copied().flatten();
            entries
                .map(|(key, value)| (*key, (*value).clone()))
                .collect()
        };
        let (labels, pod_selectors, forced_labels) = match dialect.is_v1() {
            true => {
                let all = map(&[&tenant, &names, &uids]);
                (all.clone(), all.clone(), all)
            }
            false => (map(&[&tenant, &names]), map(&[&uids]), map(&[&names])),
        };
        Self {
            name: name.into(),
            namespace: namespace.into(),
            labels,
            annotations: Map::new(),
            pod_selectors,
            forced_labels,
            shows_component_namespace: dialect.is_v1(),
            identities,
        }
    }

    /// The variable `metadata`.
    pub fn to_node(&self) -> Node {
        let own = &self.identities;
        let mut out = Map::from_iter([
            ("name", Node::from(self.name.clone())),
            ("namespace", self.namespace.clone().into()),
            ("labels", self.labels.clone().into()),
            ("annotations", self.annotations.clone().into()),
            ("podSelectors", self.pod_selectors.clone().into()),
            ("componentName", own.component.clone().into()),
            ("componentUID", own.component_uid.clone().into()),
            ("projectName", own.project.clone().into()),
            ("projectUID", own.project_uid.clone().into()),
            ("dataPlaneName", own.data_plane.clone().into()),
            ("dataPlaneUID", own.data_plane_uid.clone().into()),
            ("environmentName", own.environment.clone().into()),
            ("environmentUID", own.environment_uid.clone().into()),
        ]);
        if self.shows_component_namespace {
            out.insert("componentNamespace", own.namespace.clone());
        }
        out.into()
    }
}

/// The namespace of a project in a data plane.
pub fn namespace(tenant: &str, project: &str, environment: &str) -> String {
    generate_name(LABEL_BYTES_MAX, &["dp", tenant, project, environment])
}

/// The id of an object in a rendered release, as upstream makes it: kind and name, or a generated
/// name when that is longer than a label. Objects of two groups or namespaces may have one id.
pub fn resource_id(object: &Node) -> String {
    let kind = object.str_at(&["kind"]).unwrap_or_default().to_lowercase();
    let name = object.str_at(&["metadata", "name"]).unwrap_or_default();
    let id = format!("{kind}-{name}");
    match id.len() > LABEL_BYTES_MAX {
        true => generate_name(LABEL_BYTES_MAX, &[&kind, name]),
        false => id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_short_enough_for_a_label() {
        let object = |kind: &str, name: &str| {
            let mut node = Node::map();
            node.set(&["kind"], kind);
            node.set(&["metadata", "name"], name);
            node
        };
        assert_eq!(resource_id(&object("ConfigMap", "web")), "configmap-web");
        assert_eq!(
            resource_id(&object(
                "PersistentVolumeClaim",
                "postgres-development-1e5b3b43-data-storage"
            )),
            "persistentvolumeclaim-postgres-development-1e5b3-ac709eb8"
        );
    }
}
