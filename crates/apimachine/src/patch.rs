//! Patches: JSON patch, merge patch, strategic merge patch and apply.
//!
//! # Source
//! kubernetes/apiserver `pkg/endpoints/handlers/patch.go`.

use std::sync::Arc;

use merge::json_patch::JsonPatchError;
use merge::strategic::Refusal as StrategicRefusal;
use merge::{Force, Managers, Write};
use object::{Node, Text, json};
use schema::builtin;
use schema::{FieldError, FieldValue};

use crate::call::{Call, Target, meta};
use crate::decode::{self, Encoding};
use crate::options::FieldValidation;
use crate::update::{Written, check_name};
use crate::{Content, Refusal, ResourceType, create, ownership};

/// The kinds of patches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PatchKind {
    Json,
    Merge,
    Strategic,
    Apply,
}

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// Above this the annotation is dropped rather than rewritten.
const LAST_APPLIED_BYTES_MAX: usize = 256 * 1024;

/// Reads the patch type from `Content-Type`.
pub(crate) fn kind_of(content_type: Option<&str>, custom: bool) -> Result<PatchKind, Refusal> {
    let media_type = content_type
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    match media_type {
        "application/json-patch+json" => Ok(PatchKind::Json),
        "application/merge-patch+json" => Ok(PatchKind::Merge),
        "application/strategic-merge-patch+json" if !custom => Ok(PatchKind::Strategic),
        "application/apply-patch+yaml" => Ok(PatchKind::Apply),
        _ if custom => {
            let types = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
            let message = format!(
                "the body of the request was in an unknown format - accepted media types include: {types}"
            );
            Err(Refusal::new(415, "UnsupportedMediaType", message))
        }
        _ => Err(Refusal {
            bare_details: true,
            ..Refusal::new(415, "UnsupportedMediaType", "415: Unsupported Media Type")
        }),
    }
}

impl Call<'_> {
    /// Patches the target; an apply creates it when it is not there.
    pub(crate) fn patch(
        &mut self,
        target: &Target<'_>,
        kind: PatchKind,
        body: &Content,
    ) -> Result<Written, Refusal> {
        decode::check_size(body)?;
        let resource = target.resource;
        if kind == PatchKind::Apply {
            return self.apply(target, body);
        }
        let Some(live) = self.live(resource, target.namespace, target.name) else {
            return Err(Refusal::not_found(resource, target.name));
        };
        let raw = read(body)?;
        let old = resource.show(&live.node);
        let mut patched = patched(&**resource, kind, &old, &raw.node)?;
        let undecoded = patched.clone();
        let refused = |problem: String| {
            let shown = match kind {
                PatchKind::Strategic => go_map(&raw.node),
                _ => json::to_string(&as_patch_library_orders(&undecoded, &old)),
            };
            let value = FieldValue::Text(shown);
            Refusal::invalid("", "", "", &[FieldError::invalid("patch", value, problem)])
        };
        let unknown =
            decode_patched(resource, &mut patched, &old).map_err(|problem| match kind {
                PatchKind::Strategic => refused(unstructured_problem(&problem).unwrap_or(problem)),
                _ => refused(problem),
            })?;
        let problems: Vec<String> = raw.problems.iter().cloned().chain(unknown).collect();
        match target.options.validation {
            FieldValidation::Strict if !problems.is_empty() => {
                return Err(refused(format!(
                    "strict decoding error: {}",
                    problems.join(", ")
                )));
            }
            FieldValidation::Warn => self.warnings.extend(problems),
            _ => {}
        }
        check_name(&patched, target.name)?;
        create::place_in_namespace(&mut patched, resource.namespaced, target.namespace)?;
        self.replace(target, &live, patched, true)
    }

    fn apply(&mut self, target: &Target<'_>, body: &Content) -> Result<Written, Refusal> {
        let resource = target.resource;
        let raw = decode::parse(body, Encoding::Yaml).map_err(|problem| {
            Refusal::bad_request(format!(
                "error decoding YAML: error converting YAML to JSON: {problem}"
            ))
        })?;
        let applied = raw.node;
        if !matches!(applied, Node::Map(_) | Node::Null) {
            let kind = decode::json_type(&applied);
            return Err(Refusal::bad_request(format!(
                "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
            )));
        }
        match target.options.validation {
            FieldValidation::Strict if !raw.problems.is_empty() => {
                return Err(Refusal::bad_request(format!(
                    "error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  {}",
                    raw.problems.join("\n  ")
                )));
            }
            FieldValidation::Warn => self.warnings.extend(raw.problems),
            _ => {}
        }
        let applied = self.check_applied(target, applied)?;
        let live = self.live(resource, target.namespace, target.name);
        if live.is_none() {
            self.authorize_apply(target)?;
        }
        let uid = meta(&applied, "uid");
        if live.is_none() && !uid.is_empty() {
            let problem = format!(
                "uid mismatch: the provided object specified uid {uid}, and no existing object was found"
            );
            return Err(Refusal::conflict(resource, target.name, &problem));
        }
        let old = live.as_ref().map(|live| resource.show(&live.node));
        let mut object = self.applied(target, old.as_ref(), &applied)?;
        if let Some(old) = &old {
            object.adopt(old);
        }
        let canonical = resource.canonicalize_beside(&mut object, old.as_ref());
        canonical.map_err(|problem| {
            Refusal::plain_error(format!(
                "failed to convert the applied object: {}",
                problem.0
            ))
        })?;
        match live {
            Some(live) => {
                create::place_in_namespace(&mut object, resource.namespaced, target.namespace)?;
                self.replace(target, &live, object, true)
            }
            None if !target.subresource.is_empty() => {
                Err(Refusal::not_found(resource, target.name))
            }
            None => {
                object.remove(&["metadata", "resourceVersion"]);
                let object = self.create(target, object)?;
                Ok(Written {
                    object,
                    created: true,
                })
            }
        }
    }

    /// Checks kind, name and managers of what is applied, and fills its name.
    fn check_applied(&self, target: &Target<'_>, mut applied: Node) -> Result<Node, Refusal> {
        let resource = target.resource;
        let text = |key: &str| applied.str_at(&[key]).unwrap_or_default();
        let (version, kind) = (text("apiVersion"), text("kind"));
        let named = applied
            .at(&["metadata", "managedFields"])
            .is_some_and(|fields| !fields.is_null());
        if named {
            return Err(Refusal::bad_request("metadata.managedFields must be nil"));
        }
        if version != resource.api_version() || kind != resource.kind {
            let version = if version.is_empty() { "/" } else { version };
            let message = format!("invalid object type: {version}, Kind={kind}");
            return Err(Refusal::bad_request(message));
        }
        if applied.get("metadata").is_none_or(Node::is_null) {
            applied.set(&["metadata"], Node::map());
        }
        match applied.at(&["metadata", "name"]) {
            None | Some(Node::Null) => applied.set(&["metadata", "name"], target.name),
            Some(Node::String(name)) if name.is_empty() => {
                applied.set(&["metadata", "name"], target.name)
            }
            Some(_) => check_name(&applied, target.name)?,
        }
        let namespace = meta(&applied, "namespace");
        if resource.namespaced && !namespace.is_empty() && namespace != target.namespace {
            return Err(Refusal::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
        Ok(applied)
    }

    /// The live object with what is applied, and its managers.
    fn applied(
        &self,
        target: &Target<'_>,
        live: Option<&Node>,
        applied: &Node,
    ) -> Result<Node, Refusal> {
        let resource = target.resource;
        let now = self.now();
        let reset = ownership::reset(resource, target.subresource);
        let missing = resource.missing();
        let api_version = resource.api_version();
        let write = Write {
            manager: &target.options.manager,
            api_version: &api_version,
            subresource: target.subresource,
            now: &now,
            reset: &reset,
            missing: &missing,
        };
        let versions = ownership::ServedVersions::new(self.state, resource);
        let managers = live.map(Managers::of).unwrap_or_default();
        let bare = live.map(ownership::without_managers);
        let last = bare
            .as_ref()
            .filter(|_| target.options.manager == "kubectl")
            .and_then(|live| {
                let text = live.str_at(&["metadata", "annotations", LAST_APPLIED])?;
                let last = json::parse(text.as_bytes(), json::OBJECT_LIMITS).ok()?;
                merge::fields_of_last_applied(&versions, &last, live, &api_version)
            });
        let force = match (&last, target.options.force) {
            (_, true) => Force::Yes,
            (Some(fields), false) => Force::Over(fields),
            (None, false) => Force::No,
        };
        let outcome = merge::apply(&versions, bare.as_ref(), applied, managers, &write, force)
            .map_err(|error| ownership::refusal(&error))?;
        let mut object = match (outcome.object, bare) {
            (Some(object), _) => object,
            (None, Some(live)) => live,
            (None, None) => missing.clone(),
        };
        if last.is_some() {
            rewrite_last_applied(&mut object, applied);
        }
        outcome.managers.write(&mut object);
        Ok(object)
    }

    fn authorize_apply(&self, target: &Target<'_>) -> Result<(), Refusal> {
        let resource = target.resource;
        self.authorize(&crate::rbac::Attributes::Resource {
            verb: "create",
            group: &resource.group,
            resource: &resource.plural,
            subresource: target.subresource,
            namespace: target.namespace,
            name: target.name,
        })
    }
}

fn rewrite_last_applied(object: &mut Node, applied: &Node) {
    let mut recorded = applied.clone();
    recorded.sort_keys();
    let text = json::to_string(&recorded) + "\n";
    if text.len() > LAST_APPLIED_BYTES_MAX {
        object.remove(&["metadata", "annotations", LAST_APPLIED]);
    } else {
        object.set(&["metadata", "annotations", LAST_APPLIED], text);
    }
}

/// Reads a JSON patch document.
pub(crate) fn read(body: &Content) -> Result<decode::Raw, Refusal> {
    decode::parse(body, Encoding::Json)
        .map_err(|problem| Refusal::bad_request(format!("error decoding patch: {problem}")))
}

/// A mismatch of JSON and a Go type as the converter of unstructured objects words it.
///
/// # Source
/// kubernetes/apimachinery `pkg/runtime/converter.go`, `fromUnstructured`.
fn unstructured_problem(problem: &str) -> Option<String> {
    let (given, rest) = problem
        .strip_prefix("json: cannot unmarshal ")?
        .split_once(" into Go ")?;
    let (_, wanted) = rest.rsplit_once(" of type ")?;
    let given = match given {
        "object" => "map",
        "array" => "slice",
        "string" => "string",
        "bool" => "bool",
        number => match number
            .trim_start_matches("number")
            .contains(['.', 'e', 'E'])
        {
            true => "float64",
            false => "int64",
        },
    };
    let wanted = wanted.trim_start_matches('*');
    Some(match (given, wanted) {
        (_, list) if list.starts_with("[]") => format!("cannot restore slice from {given}"),
        (_, map) if map.starts_with("map[") => format!("cannot restore map from {given}"),
        // Go converts a number to text and would make a letter of it.
        ("int64", "string") | ("float64", "int32" | "int64") => {
            format!("cannot convert {given} to {wanted}")
        }
        (_, "string" | "bool" | "int32" | "int64") => format!("unrecognized type: {wanted}"),
        (_, structure) if structure.contains('.') => {
            format!("cannot restore struct from: {given}")
        }
        _ => return None,
    })
}

/// What strategic patches need to know of a kind.
pub(crate) trait Patchable {
    /// The Go struct that carries the merge keys; custom resources have none.
    fn struct_id(&self) -> Option<builtin::StructId>;
}

impl Patchable for ResourceType {
    fn struct_id(&self) -> Option<builtin::StructId> {
        Self::struct_id(self)
    }
}

/// The live object after the patch, not yet decoded.
pub(crate) fn patched(
    resource: &dyn Patchable,
    kind: PatchKind,
    old: &Node,
    patch: &Node,
) -> Result<Node, Refusal> {
    match kind {
        PatchKind::Json => merge::json_patch::apply(old, patch).map_err(|error| match &error {
            JsonPatchError::NotAList(kind) => Refusal::bad_request(format!(
                "error decoding patch: json: cannot unmarshal {kind} into Go value of type []handlers.jsonPatchOp"
            )),
            JsonPatchError::TooMany(_) => {
                let message = format!("Request entity too large: {error}");
                Refusal::new(413, "RequestEntityTooLarge", message)
            }
            _ => unprocessable(),
        }),
        PatchKind::Merge => merge::merge_patch::apply(old, patch).map_err(|error| match error {
            merge::merge_patch::MergePatchError::Null => Refusal::bad_request(error.to_string()),
            _ => Refusal::bad_request(format!("error decoding patch: {error}")),
        }),
        _ => {
            let Some(id) = resource.struct_id() else { return Err(unprocessable()) };
            let schema = builtin::strategic_schema(id);
            merge::strategic::apply(old, patch, &schema).map_err(|error| match error.refusal() {
                StrategicRefusal::BadRequest => Refusal::bad_request(error.to_string()),
                StrategicRefusal::Unprocessable => unprocessable(),
                StrategicRefusal::Internal => Refusal::plain_error(error.to_string()),
            })
        }
    }
}

fn unprocessable() -> Refusal {
    let message = "the server rejected our request due to an error in our request";
    Refusal {
        bare_details: true,
        ..Refusal::new(422, "Invalid", message)
    }
}

fn decode_patched(
    resource: &Arc<ResourceType>,
    patched: &mut Node,
    old: &Node,
) -> Result<Vec<String>, String> {
    let (version, kind) = decode::version_and_kind(patched)?;
    if !version.is_empty() && version != resource.api_version()
        || !kind.is_empty() && kind != resource.kind
    {
        return Err(other_kind(resource, &version, &kind));
    }
    let reset = decode::resets_managers(patched);
    let unknown = resource
        .canonicalize_beside(patched, Some(old))
        .map_err(|problem| problem.0)?;
    if reset {
        patched.set(&["metadata", "managedFields"], Vec::new());
    }
    patched.set(&["apiVersion"], resource.api_version());
    patched.set(&["kind"], resource.kind.clone());
    Ok(unknown)
}

/// The patched document with its keys as the patch library writes them: maps it opened are sorted.
fn as_patch_library_orders(patched: &Node, old: &Node) -> Node {
    let mut ordered = reorder(patched, Some(old), true);
    if let Some(map) = ordered.as_map_mut() {
        map.sort_keys();
    }
    ordered
}

fn reorder(node: &Node, old: Option<&Node>, root: bool) -> Node {
    if !root && old == Some(node) {
        return node.clone();
    }
    match node {
        Node::Map(map) => {
            let entries = map.iter().map(|(key, value)| {
                let before = old.and_then(|old| old.get(key));
                (key.clone(), reorder(value, before, false))
            });
            let mut map: object::Map = entries.collect();
            map.sort_keys();
            Node::Map(map)
        }
        _ => node.clone(),
    }
}

/// A patch as Go prints a decoded map.
fn go_map(node: &Node) -> String {
    match node {
        Node::Null => "<nil>".to_owned(),
        Node::String(text) => text.to_string(),
        Node::List(items) => {
            let items: Vec<String> = items.iter().map(go_map).collect();
            format!("[{}]", items.join(" "))
        }
        Node::Map(map) => {
            let mut entries: Vec<(&Text, &Node)> = map.iter().collect();
            entries.sort_by_key(|(key, _)| key.as_str());
            let entries: Vec<String> = entries
                .into_iter()
                .map(|(key, value)| format!("{key}:{}", go_map(value)))
                .collect();
            format!("map[{}]", entries.join(" "))
        }
        other => json::to_string(other),
    }
}

/// What the decoder says about a patch that turns an object into something else.
fn other_kind(resource: &ResourceType, version: &str, kind: &str) -> String {
    let short = version.rsplit('/').next().unwrap_or_default();
    match builtin::types().of_kind(version, kind) {
        Some(_) => format!(
            "converting ({short}.{kind}) to ({}.{}): unknown conversion",
            crate::negotiate::package(&resource.group),
            resource.kind
        ),
        None => format!(
            "no kind {kind:?} is registered for version {version:?} in scheme \"pkg/runtime/scheme.go:111\""
        ),
    }
}
