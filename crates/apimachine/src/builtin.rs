//! The built-in resources as this crate uses them, and what their strategies do differently.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use object::{GroupVersionKind, Text};
use schema::builtin::{Kind, NameRule};

use crate::types::{ResourceType, Scale, Subresource, qualified};

/// What a kind does differently from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Traits {
    /// `metadata.generation` counts changes of the wish.
    pub generation: bool,
    /// A PUT of an object that is not there creates it.
    pub create_on_update: bool,
    /// A PUT without resourceVersion overwrites.
    pub unconditional_update: bool,
    /// DELETE answers the object.
    pub delete_returns_object: bool,
    /// Dependents are left alone when the client does not say.
    pub orphans_by_default: bool,
    /// How names are checked.
    pub name: NameRule,
    /// Keys outside metadata whose change counts as a new generation.
    pub payload: &'static [&'static str],
}

/// Served resources by group, version and plural.
pub(crate) type Types = BTreeMap<(Text, Text, Text), Arc<ResourceType>>;

struct Table {
    types: Arc<Types>,
    traits: BTreeMap<Text, Traits>,
}

/// The built-in resources.
pub(crate) fn types() -> Arc<Types> {
    table().types.clone()
}

/// What the kind stored under this key does differently; custom resources are not in the table.
pub(crate) fn traits(storage: &str) -> Traits {
    const CUSTOM: Traits = Traits {
        generation: true,
        create_on_update: false,
        unconditional_update: false,
        delete_returns_object: false,
        orphans_by_default: false,
        name: NameRule::Subdomain,
        payload: &[],
    };
    table().traits.get(storage).copied().unwrap_or(CUSTOM)
}

fn table() -> &'static Table {
    static CELL: OnceLock<Table> = OnceLock::new();
    CELL.get_or_init(|| {
        let mut types = Types::new();
        let mut traits = BTreeMap::new();
        for kind in schema::builtin::kinds() {
            let resource = resource(kind);
            traits.insert(resource.storage.clone(), traits_of(kind));
            let key = (
                resource.group.clone(),
                resource.version.clone(),
                resource.plural.clone(),
            );
            types.insert(key, Arc::new(resource));
        }
        Table {
            types: Arc::new(types),
            traits,
        }
    })
}

fn traits_of(kind: &Kind) -> Traits {
    Traits {
        generation: kind.has_generation,
        create_on_update: kind.create_on_update,
        unconditional_update: kind.unconditional_update,
        delete_returns_object: kind.delete_returns_object,
        orphans_by_default: matches!(kind.kind, "Job" | "ReplicationController"),
        name: kind.name_rule,
        payload: payload(kind.kind),
    }
}

fn resource(kind: &Kind) -> ResourceType {
    let texts = |list: &[&'static str]| list.iter().copied().map(Text::from).collect::<Vec<_>>();
    // Two groups may serve the same objects.
    let (storage, storage_version) = match (kind.group, kind.plural) {
        ("events.k8s.io", "events") => ("events".into(), "v1"),
        ("autoscaling", _) => (qualified(kind.plural, kind.group), "v2"),
        _ => (qualified(kind.plural, kind.group), kind.version),
    };
    let subresource = |sub: &schema::builtin::Subresource| Subresource {
        name: sub.name.into(),
        kind: sub.serves.map(|(group, version, kind)| GroupVersionKind {
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
        }),
        verbs: texts(sub.verbs),
    };
    let scaled = kind.subresources.iter().any(|sub| sub.name == "scale");
    ResourceType {
        group: kind.group.into(),
        version: kind.version.into(),
        plural: kind.plural.into(),
        singular: kind.kind.to_ascii_lowercase().into(),
        kind: kind.kind.into(),
        list_kind: format!("{}List", kind.kind).into(),
        namespaced: kind.namespaced,
        short_names: texts(kind.short_names),
        categories: texts(kind.categories),
        verbs: texts(kind.verbs),
        subresources: kind.subresources.iter().map(subresource).collect(),
        storage,
        storage_version: storage_version.into(),
        scale: scaled.then(|| Scale {
            spec_replicas: ".spec.replicas".into(),
            status_replicas: ".status.replicas".into(),
            label_selector: Some(".spec.selector".into()),
        }),
        custom: None,
    }
}

/// The keys whose change makes a new generation.
fn payload(kind: &str) -> &'static [&'static str] {
    match kind {
        "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration" => &["webhooks"],
        "EndpointSlice" => &["addressType", "endpoints", "ports"],
        "PriorityClass" => &["value", "globalDefault", "description", "preemptionPolicy"],
        "PodTemplate" => &["template"],
        _ => &["spec"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_two_groups_share_one_store() {
        let types = types();
        let storage = |group: &str| {
            types[&(group.into(), "v1".into(), "events".into())]
                .storage
                .clone()
        };
        assert_eq!(storage("events.k8s.io"), storage(""));
        assert!(traits("events").create_on_update);
        assert!(!traits("widgets.example.com").unconditional_update);
    }
}
