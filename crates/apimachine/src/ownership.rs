//! Field ownership of the objects of one resource: which types and versions `merge` works with.

use std::collections::BTreeMap;

use merge::{FieldSet, Managers, ObjectType, Reset, Versions, Write};
use object::{Node, Text};

use crate::types::ResourceType;
use crate::{Refusal, State};

/// The served versions of one resource, as `merge` wants them.
pub(crate) struct ServedVersions {
    types: BTreeMap<Text, ObjectType>,
}

impl ServedVersions {
    pub(crate) fn new(state: &State, resource: &ResourceType) -> Self {
        let same = state
            .resource_types()
            .filter(|other| other.storage == resource.storage);
        let types = same.map(|other| (other.api_version(), other.object_type()));
        Self {
            types: types.collect(),
        }
    }
}

impl Versions for ServedVersions {
    fn object_type(&self, api_version: &str) -> Option<&ObjectType> {
        self.types.get(api_version)
    }

    fn convert(&self, object: &Node, api_version: &str) -> Option<Node> {
        self.types.contains_key(api_version).then(|| {
            let mut object = object.clone();
            object.set(&["apiVersion"], api_version);
            object
        })
    }
}

/// The fields that an endpoint takes no notice of.
pub(crate) fn reset(resource: &ResourceType, subresource: &str) -> Reset {
    let fields = |paths: &[&[&str]]| Reset::Except(FieldSet::of_fields(paths));
    match (subresource, resource.has_status()) {
        ("", true) => fields(&[&["status"]]),
        ("status", _) if resource.custom.is_some() => fields(&[&["spec"], &["metadata"]]),
        ("status", _) => match resource.kind.as_str() {
            "Deployment" | "DaemonSet" | "ReplicaSet" | "StatefulSet" => {
                fields(&[&["spec"], &["metadata", "labels"]])
            }
            _ => fields(&[&["spec"]]),
        },
        ("finalize", _) => fields(&[&["status"]]),
        _ => Reset::Nothing,
    }
}

/// Computes who owns what after `manager` changed `live` into `new` by anything but apply.
///
/// The managers are written into `new`. Objects that do not fit their type keep the live managers.
pub(crate) fn update(
    versions: &ServedVersions,
    live: Option<&Node>,
    new: &mut Node,
    write: &Write<'_>,
) {
    let managers = match live {
        Some(live) => Managers::for_update(live, new, write.subresource),
        None => Managers::none(),
    };
    let bare = without_managers(new);
    let live_bare = live.map(without_managers);
    match merge::update(versions, live_bare.as_ref(), &bare, managers.clone(), write) {
        Ok(after) => after.write(new),
        Err(_) => managers.write(new),
    }
}

/// The object without its list of managers.
pub(crate) fn without_managers(object: &Node) -> Node {
    let mut bare = object.clone();
    bare.remove(&["metadata", "managedFields"]);
    bare
}

/// What the server answers when an apply fails.
pub(crate) fn refusal(error: &merge::ApplyError) -> Refusal {
    match error {
        merge::ApplyError::Conflicts(conflicts) => Refusal {
            causes: conflicts
                .causes()
                .into_iter()
                .map(|cause| crate::status::Cause {
                    reason: "FieldManagerConflict".into(),
                    message: cause.message,
                    field: cause.field,
                })
                .collect(),
            ..Refusal::new(409, "Conflict", conflicts.to_string())
        },
        other => Refusal::plain_error(other.to_string()),
    }
}
