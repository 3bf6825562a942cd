//! Custom resources: definitions become served types, and take their objects with them when they go.
//!
//! # Source
//! kubernetes/apiextensions-apiserver `pkg/apiserver/customresource_handler.go`,
//! `pkg/controller/{establish,finalizer,status}`, `pkg/registry/customresourcedefinition`.

use std::sync::Arc;

use object::{Node, Text};
use schema::Structural;
use schema::structural::crd;

use crate::builtin::Types;
use crate::call::{Call, Target, finalizers, is_deleting, meta, set_finalizers, stamp};
use crate::settle::Worklist;
use crate::types::{CustomVersion, ResourceType, Scale, Subresource, qualified};
use crate::{Deletion, Refusal, State, Writer};

pub(crate) const STORAGE: &str = "customresourcedefinitions.apiextensions.k8s.io";
/// Holds a definition until its objects are gone.
const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";
/// In the order in which the API's own handler lists them.
const VERBS: [&str; 8] = [
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "create",
    "update",
    "watch",
];

/// Accepts names, serves what is established, deletes what was taken away.
pub(crate) fn react(writer: &mut Writer<'_>, worklist: &Worklist) {
    let changed: Vec<Text> = worklist
        .iter()
        .filter(|(resource, _)| resource == STORAGE)
        .map(|(_, key)| key.name.clone())
        .collect();
    if !changed.is_empty() {
        // A name that one definition gives up may be what another waits for.
        let all: Vec<Text> = writer
            .state()
            .list(STORAGE, None)
            .map(|(key, _)| key.name.clone())
            .collect();
        let settled = all.iter().filter(|name| settle_names(writer, name));
        let settled: Vec<&Text> = settled.collect();
        // Compiling schemas is what takes time: not those of definitions that stayed as they were.
        for name in settled.into_iter().chain(&changed) {
            writer.change_state(|state| serve(state, name));
        }
    }
    let custom = |resource: &Text| {
        let mut types = writer.state().resource_types();
        types.any(|known| known.custom.is_some() && known.storage == *resource)
    };
    if changed.is_empty()
        && !worklist
            .iter()
            .any(|(resource, _)| resource.contains('.') && custom(resource))
    {
        return;
    }
    let touched = |name: &Text, resource: &Text| {
        changed.contains(name) || worklist.iter().any(|(other, _)| other == resource)
    };
    let ending: Vec<(Text, Text)> = writer
        .state()
        .list(STORAGE, None)
        .filter(|(_, stored)| is_deleting(stored))
        .map(|(key, stored)| (key.name.clone(), storage_of(stored)))
        .filter(|(name, resource)| touched(name, resource))
        .collect();
    for (name, resource) in ending {
        clean_up(writer, &name, &resource);
    }
}

fn storage_of(definition: &Node) -> Text {
    let text = |keys: &[&str]| definition.str_at(keys).unwrap_or_default();
    qualified(text(&["spec", "names", "plural"]), text(&["spec", "group"]))
}

/// Brings the status of a definition up to date; whether that changed it.
fn settle_names(writer: &mut Writer<'_>, name: &str) -> bool {
    let Some(stored) = writer.state().get(STORAGE, "", name) else {
        return false;
    };
    if is_deleting(stored) {
        return false;
    }
    let mut definition = stored.node.clone();
    // The canonical form shows a list that is empty as null.
    if definition
        .at(&["status", "conditions"])
        .is_some_and(Node::is_null)
    {
        definition.remove(&["status", "conditions"]);
    }
    let others: Vec<Node> = writer
        .state()
        .list(STORAGE, None)
        .filter(|(key, _)| key.name != name)
        .map(|(_, stored)| stored.node.clone())
        .collect();
    let others: Vec<&Node> = others.iter().collect();
    let status = crd::settle(&definition, &others, &stamp(writer.env().now));
    let changes = definition.get("status") != Some(&status);
    if changes {
        definition.set(&["status"], status);
        // A refusal means a definition that could not have been stored.
        let _ = writer.update_status(STORAGE, definition);
    }
    changes
}

/// Brings the served types in line with a definition.
fn serve(state: &mut State, name: &str) {
    let definition = state
        .get(STORAGE, "", name)
        .map(|stored| stored.node.clone());
    let established =
        definition.filter(|definition| crd::condition(definition, "Established") == Some("True"));
    let types: Vec<ResourceType> = match &established {
        Some(definition) => versions(definition)
            .filter_map(|version| resource_type(definition, version))
            .collect(),
        None => Vec::new(),
    };
    let of_definition = |resource: &ResourceType| {
        resource
            .custom
            .as_ref()
            .is_some_and(|custom| custom.definition == name)
    };
    if types.is_empty() && !state.types.values().any(|resource| of_definition(resource)) {
        return;
    }
    let served: &mut Types = Arc::make_mut(&mut state.types);
    served.retain(|_, resource| !of_definition(resource));
    for resource in types {
        let key = (
            resource.group.clone(),
            resource.version.clone(),
            resource.plural.clone(),
        );
        // Built-in resources cannot be replaced.
        served.entry(key).or_insert_with(|| Arc::new(resource));
    }
}

fn versions(definition: &Node) -> impl Iterator<Item = &Node> {
    let all = definition
        .at(&["spec", "versions"])
        .and_then(Node::as_list)
        .unwrap_or_default();
    all.iter()
}

fn flag(version: &Node, key: &str) -> bool {
    version.get(key).and_then(Node::as_bool) == Some(true)
}

fn resource_type(definition: &Node, version: &Node) -> Option<ResourceType> {
    if !flag(version, "served") {
        return None;
    }
    let text = |keys: &[&str]| Text::from(definition.str_at(keys).unwrap_or_default());
    let name = |key: &str| text(&["status", "acceptedNames", key]);
    let texts = |key: &str| -> Vec<Text> {
        let list = definition
            .at(&["status", "acceptedNames", key])
            .and_then(Node::as_list)
            .unwrap_or_default();
        list.iter()
            .filter_map(|item| Some(item.as_str()?.into()))
            .collect()
    };
    let storage_version = versions(definition).find(|version| flag(version, "storage"))?;
    let group = text(&["spec", "group"]);
    let schema = version
        .at(&["schema", "openAPIV3Schema"])
        .cloned()
        .unwrap_or_else(Node::map);
    let mut subresources = Vec::new();
    let verbs = ["get", "patch", "update"].map(Text::from).to_vec();
    if version.at(&["subresources", "scale"]).is_some() {
        subresources.push(Subresource {
            name: "scale".into(),
            kind: Some(object::GroupVersionKind {
                group: "autoscaling".into(),
                version: "v1".into(),
                kind: "Scale".into(),
            }),
            verbs: verbs.clone(),
        });
    }
    if version.at(&["subresources", "status"]).is_some() {
        subresources.push(Subresource {
            name: "status".into(),
            kind: None,
            verbs,
        });
    }
    let path = |key: &str| {
        version
            .str_at(&["subresources", "scale", key])
            .map(Text::from)
    };
    let scale = path("specReplicasPath").zip(path("statusReplicasPath"));
    let kind = name("kind");
    let version_name = Text::from(version.str_at(&["name"])?);
    let deprecated =
        flag(version, "deprecated").then(|| match version.str_at(&["deprecationWarning"]) {
            Some(warning) => warning.into(),
            None => Text::from(format!("{group}/{version_name} {kind} is deprecated")),
        });
    let columns = version
        .get("additionalPrinterColumns")
        .and_then(Node::as_list)
        .unwrap_or_default();
    let selectable = version
        .get("selectableFields")
        .and_then(Node::as_list)
        .unwrap_or_default();
    let plural = name("plural");
    Some(ResourceType {
        storage: qualified(&plural, &group),
        storage_version: storage_version.str_at(&["name"])?.into(),
        version: version_name,
        singular: name("singular"),
        list_kind: name("listKind"),
        kind,
        plural,
        namespaced: definition.str_at(&["spec", "scope"]) == Some("Namespaced"),
        short_names: texts("shortNames"),
        categories: texts("categories"),
        verbs: VERBS.map(Text::from).to_vec(),
        subresources,
        scale: scale.map(|(spec_replicas, status_replicas)| Scale {
            spec_replicas,
            status_replicas,
            label_selector: path("labelSelectorPath"),
        }),
        custom: Some(Arc::new(CustomVersion {
            definition: meta(definition, "name").into(),
            printer_columns: columns.to_vec(),
            selectable_fields: selectable
                .iter()
                .filter_map(|field| Some(field.str_at(&["jsonPath"])?.into()))
                .collect(),
            structural: Structural::compile_stored(&schema),
            schema,
            deprecation_warning: deprecated,
        })),
        group,
    })
}

/// Deletes the objects of a definition that is going away, then lets it go.
fn clean_up(writer: &mut Writer<'_>, name: &str, resource: &Text) {
    let Some(stored) = writer.state().get(STORAGE, "", name) else {
        return;
    };
    if !finalizers(stored)
        .iter()
        .any(|finalizer| finalizer == CLEANUP)
    {
        return;
    }
    let now = stamp(writer.env().now);
    let mut definition = stored.node.clone();
    let keys: Vec<_> = writer
        .state()
        .list(resource, None)
        .map(|(key, _)| key.clone())
        .collect();
    if !keys.is_empty() {
        let mut status = definition.get("status").cloned().unwrap_or_else(Node::map);
        crd::terminating(&mut status, false, &now);
        if definition.get("status") != Some(&status) {
            definition.set(&["status"], status);
            let _ = writer.update_status(STORAGE, definition);
        }
        for key in keys {
            let live = writer.state().get(resource, &key.namespace, &key.name);
            if live.is_some_and(|live| !is_deleting(live)) {
                let _ = writer.delete(resource, &key.namespace, &key.name, &Deletion::default());
            }
        }
    }
    if writer.state().list(resource, None).next().is_some() {
        return;
    }
    let Some(stored) = writer.state().get(STORAGE, "", name) else {
        return;
    };
    let mut definition = stored.node.clone();
    let mut status = definition.get("status").cloned().unwrap_or_else(Node::map);
    crd::terminating(&mut status, true, &now);
    definition.set(&["status"], status);
    let _ = writer.update_status(STORAGE, definition);
    let Some(stored) = writer.state().get(STORAGE, "", name) else {
        return;
    };
    let mut definition = stored.node.clone();
    let kept: Vec<Text> = finalizers(&definition)
        .into_iter()
        .filter(|finalizer| finalizer != CLEANUP)
        .collect();
    set_finalizers(&mut definition, &kept);
    let _ = writer.update(STORAGE, definition);
    writer.change_state(|state| serve(state, name));
}

/// Begins to delete a definition: its objects come first.
pub(crate) fn begin_delete(definition: &mut Node) {
    let mut names = finalizers(definition);
    if !names.iter().any(|name| name == CLEANUP) {
        names.push(CLEANUP.into());
        set_finalizers(definition, &names);
    }
}

/// Nothing is created while its definition goes away.
pub(crate) fn admit(call: &Call<'_>, target: &Target<'_>, name: &str) -> Result<(), Refusal> {
    let Some(custom) = &target.resource.custom else {
        return Ok(());
    };
    let definition = call.state.get(STORAGE, "", &custom.definition);
    match definition.is_some_and(|definition| is_deleting(definition)) {
        true => Err(Refusal::not_admitted(
            target.resource,
            name,
            "create not allowed while custom resource definition is terminating",
        )),
        false => Ok(()),
    }
}
