//! The scale subresource: replicas of any kind through one small object.
//!
//! # Source
//! kubernetes/kubernetes `pkg/registry/apps/deployment/storage/storage.go`, kubernetes/apimachinery
//! `pkg/util/managedfields/scalehandler.go`, kubernetes/apiextensions-apiserver
//! `pkg/registry/customresource/etcd.go`.

use merge::{
    Entry, FieldSet, Force, Managers, ObjectType, OneVersion, Operation, Reset, Versions, Write,
};
use object::{Node, Text};
use schema::{FieldError, builtin};

use crate::call::{Call, Target, meta};
use crate::decode::{self, Expected};
use crate::options::{self, WriteOptions};
use crate::patch::{self, PatchKind};
use crate::path::{Route, Verb};
use crate::serve::{Answer, body_of};
use crate::types::{ResourceType, Scale};
use crate::update::check_name;
use crate::{Refusal, Request, ownership};

const VERSION: &str = "autoscaling/v1";
const KIND: &str = "Scale";

/// Answers a request to a scale subresource.
pub(crate) fn perform(
    call: &mut Call<'_>,
    request: &Request,
    route: &Route,
) -> Result<Answer, Refusal> {
    let resource = &route.resource;
    let Some(live) = call.live(resource, &route.namespace, &route.name) else {
        return Err(Refusal::not_found(resource, &route.name));
    };
    let Some(paths) = resource.scale.clone() else {
        return Err(Refusal::unknown_resource());
    };
    let parent = resource.show(&live.node);
    let scale = read(&paths, &parent);
    let node = match route.verb {
        Verb::Get => existing(&paths, &parent, scale)?,
        Verb::Update => {
            let options = options::write(request, "UpdateOptions", false)?;
            call.dry_run = options.dry_run;
            let expected = Expected {
                group: "autoscaling",
                version: "v1",
                kind: KIND,
                custom: None,
            };
            let wanted = body_of(call, request, &expected, &options)?;
            check_name(&wanted, &route.name)?;
            write(call, route, &options, &paths, &parent, &scale, wanted)?
        }
        _ => {
            let kind = patch::kind_of(request.content_type.as_deref(), resource.custom.is_some())?;
            let options = options::write(request, "PatchOptions", kind == PatchKind::Apply)?;
            call.dry_run = options.dry_run;
            if kind == PatchKind::Apply {
                apply(call, request, route, &options, &paths, &parent, &scale)?
            } else {
                let raw = patch::read(&request.body)?;
                let mut patched = patch::patched(&Patched, kind, &scale, &raw.node)?;
                builtin::canonicalize(scale_type(), &mut patched)
                    .map_err(|error| Refusal::bad_request(error.message))?;
                check_name(&patched, &route.name)?;
                write(call, route, &options, &paths, &parent, &scale, patched)?
            }
        }
    };
    Ok(Answer { status: 200, node })
}

/// What strategic patches of a Scale go by.
struct Patched;

impl patch::Patchable for Patched {
    fn struct_id(&self) -> Option<builtin::StructId> {
        Some(scale_type())
    }
}

fn scale_type() -> builtin::StructId {
    let found = builtin::types().of_kind(VERSION, KIND);
    found.expect("the table of types has Scale")
}

fn keys(path: &str) -> Vec<&str> {
    path.split('.').filter(|key| !key.is_empty()).collect()
}

/// The Scale of an object; without replicas when the object says nothing about them.
fn read(paths: &Scale, parent: &Node) -> Node {
    let mut scale = Node::map();
    scale.set(&["kind"], KIND);
    scale.set(&["apiVersion"], VERSION);
    for key in [
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "creationTimestamp",
    ] {
        if let Some(value) = parent.at(&["metadata", key]) {
            scale.set(&["metadata", key], value.clone());
        }
    }
    scale.set(&["spec"], Node::map());
    let number = |path: &str| parent.at(&keys(path)).and_then(Node::as_i64);
    if let Some(replicas) = number(&paths.spec_replicas).filter(|replicas| *replicas != 0) {
        scale.set(&["spec", "replicas"], replicas);
    }
    scale.set(
        &["status", "replicas"],
        number(&paths.status_replicas).unwrap_or_default(),
    );
    let selector = paths
        .label_selector
        .as_deref()
        .and_then(|path| parent.at(&keys(path)));
    let selector = selector.map(selector_text).unwrap_or_default();
    if !selector.is_empty() {
        scale.set(&["status", "selector"], selector);
    }
    scale
}

/// Custom resources without replicas cannot be read as a Scale, only be given one.
fn existing(paths: &Scale, parent: &Node, scale: Node) -> Result<Node, Refusal> {
    match parent
        .at(&keys(&paths.spec_replicas))
        .and_then(Node::as_i64)
    {
        Some(_) => Ok(scale),
        None => Err(Refusal {
            bare_details: true,
            ..Refusal::internal(&format!(
                "the spec replicas field {:?} does not exist",
                paths.spec_replicas
            ))
        }),
    }
}

/// A selector as `kubectl` would take it; text stays as it is.
fn selector_text(selector: &Node) -> String {
    if let Some(text) = selector.as_str() {
        return text.to_owned();
    }
    let expressions = selector.get("matchExpressions").and_then(Node::as_list);
    let labels = match (selector.get("matchLabels"), expressions) {
        (None, None) => Some(selector),
        (labels, _) => labels,
    };
    let mut terms: Vec<(String, String)> = Vec::new();
    for (key, value) in labels
        .and_then(Node::as_map)
        .into_iter()
        .flat_map(object::Map::iter)
    {
        terms.push((
            key.to_string(),
            format!("{key}={}", value.as_str().unwrap_or_default()),
        ));
    }
    for expression in expressions.unwrap_or_default() {
        let key = expression.str_at(&["key"]).unwrap_or_default();
        let values = expression
            .get("values")
            .and_then(Node::as_list)
            .unwrap_or_default();
        let mut values: Vec<&str> = values.iter().filter_map(Node::as_str).collect();
        values.sort_unstable();
        let values = values.join(",");
        let text = match expression.str_at(&["operator"]) {
            Some("In") => format!("{key} in ({values})"),
            Some("NotIn") => format!("{key} notin ({values})"),
            Some("DoesNotExist") => format!("!{key}"),
            _ => key.to_owned(),
        };
        terms.push((key.to_owned(), text));
    }
    terms.sort();
    let terms: Vec<String> = terms.into_iter().map(|(_, text)| text).collect();
    terms.join(",")
}

/// Who owns the replicas of the parent, as managers of a Scale.
fn managers_of_scale(paths: &Scale, managers: &Managers) -> Managers {
    let path = FieldSet::of_fields(&[&keys(&paths.spec_replicas)]);
    let mut mapped = Managers::none();
    for entry in managers.entries() {
        if path.is_subset(entry.fields()) {
            let mut id = entry.id.clone();
            id.api_version = VERSION.into();
            let replicas = FieldSet::of_fields(&[&["spec", "replicas"]]);
            mapped.put(Entry::new(id, entry.time.clone(), replicas));
        }
    }
    mapped
}

/// The managers of the parent after those of its Scale have changed.
fn managers_of_parent(
    paths: &Scale,
    version: &str,
    before: &Managers,
    scale: &Managers,
) -> Managers {
    let path = FieldSet::of_fields(&[&keys(&paths.spec_replicas)]);
    let mut after = Managers::none();
    let owns = |entry: &Entry| {
        let mut id = entry.id.clone();
        id.api_version = VERSION.into();
        scale.get(&id).is_some()
    };
    for entry in before.entries() {
        let mut entry = entry.clone();
        if !owns(&entry) {
            entry.set_fields(entry.fields().difference(&path));
        }
        if !entry.fields().is_empty() {
            after.put(entry);
        }
    }
    for entry in scale.entries() {
        let mut id = entry.id.clone();
        id.api_version = version.into();
        let known = after.get(&id).cloned();
        let mut entry = known.unwrap_or_else(|| Entry::new(id, "", FieldSet::EMPTY));
        entry.set_fields(entry.fields().union(&path));
        after.put(entry);
    }
    after
}

/// Runs an ownership rule of `merge` over the Scale.
struct Ownership {
    object_type: ObjectType,
    reset: Reset,
    missing: Node,
}

impl Ownership {
    fn new() -> Self {
        Self {
            object_type: builtin::merge_schema(scale_type()),
            reset: Reset::Except(FieldSet::of_fields(&[&["status"]])),
            missing: Node::map(),
        }
    }

    fn versions(&self) -> impl Versions + '_ {
        OneVersion {
            api_version: VERSION,
            object_type: &self.object_type,
        }
    }

    fn write<'a>(&'a self, manager: &'a str, now: &'a str) -> Write<'a> {
        Write {
            manager,
            api_version: VERSION,
            subresource: "scale",
            now,
            reset: &self.reset,
            missing: &self.missing,
        }
    }
}

fn write(
    call: &mut Call<'_>,
    route: &Route,
    options: &WriteOptions,
    paths: &Scale,
    parent: &Node,
    scale: &Node,
    new: Node,
) -> Result<Node, Refusal> {
    let managers = Managers::of(parent);
    let owned = managers_of_scale(paths, &managers);
    let mut compared = scale.clone();
    let replicas = new
        .at(&["spec", "replicas"])
        .and_then(Node::as_i64)
        .unwrap_or_default();
    compared.set(&["spec", "replicas"], replicas);
    let mut live = scale.clone();
    let known = parent
        .at(&keys(&paths.spec_replicas))
        .and_then(Node::as_i64);
    if let Some(known) = known {
        live.set(&["spec", "replicas"], known);
    }
    let ownership = Ownership::new();
    let now = call.now();
    let write = ownership.write(&options.manager, &now);
    let id_owned = match (managers.is_empty(), known == Some(replicas)) {
        (true, _) | (_, true) => owned,
        (false, false) => {
            let mut after = owned;
            // Others lose what this write changes; the writer gains it.
            after.retain(|_| false);
            let id = merge::ManagerId {
                name: write.manager.into(),
                operation: Operation::Update,
                api_version: VERSION.into(),
                subresource: "scale".into(),
            };
            after.put(Entry::new(
                id,
                now.clone(),
                FieldSet::of_fields(&[&["spec", "replicas"]]),
            ));
            after
        }
    };
    finish(
        call, route, options, paths, parent, &managers, &id_owned, &new,
    )
}

fn apply(
    call: &mut Call<'_>,
    request: &Request,
    route: &Route,
    options: &WriteOptions,
    paths: &Scale,
    parent: &Node,
    scale: &Node,
) -> Result<Node, Refusal> {
    let raw = decode::parse(&request.body, decode::Encoding::Yaml).map_err(|problem| {
        Refusal::bad_request(format!(
            "error decoding YAML: error converting YAML to JSON: {problem}"
        ))
    })?;
    let mut applied = raw.node;
    let text = |key: &str| applied.str_at(&[key]).unwrap_or_default().to_owned();
    let (version, kind) = (text("apiVersion"), text("kind"));
    if version != VERSION || kind != KIND {
        let version = if version.is_empty() {
            "/".to_owned()
        } else {
            version
        };
        return Err(Refusal::bad_request(format!(
            "invalid object type: {version}, Kind={kind}"
        )));
    }
    if meta(&applied, "name").is_empty() {
        applied.set(&["metadata", "name"], route.name.clone());
    }
    check_name(&applied, &route.name)?;
    let managers = Managers::of(parent);
    let ownership = Ownership::new();
    let now = call.now();
    let write = ownership.write(&options.manager, &now);
    let force = if options.force { Force::Yes } else { Force::No };
    let owned = managers_of_scale(paths, &managers);
    let outcome = merge::apply(
        &ownership.versions(),
        Some(scale),
        &applied,
        owned,
        &write,
        force,
    )
    .map_err(|error| ownership::refusal(&error))?;
    let new = outcome.object.unwrap_or_else(|| scale.clone());
    finish(
        call,
        route,
        options,
        paths,
        parent,
        &managers,
        &outcome.managers,
        &new,
    )
}

/// Puts the replicas of a Scale into its parent.
#[expect(clippy::too_many_arguments, reason = "the halves of one write")]
fn finish(
    call: &mut Call<'_>,
    route: &Route,
    options: &WriteOptions,
    paths: &Scale,
    parent: &Node,
    managers: &Managers,
    owned: &Managers,
    new: &Node,
) -> Result<Node, Refusal> {
    let resource = &route.resource;
    let replicas = new
        .at(&["spec", "replicas"])
        .and_then(Node::as_i64)
        .unwrap_or_default();
    if replicas < 0 {
        return Err(negative(resource, paths, &route.name, replicas));
    }
    let mut object = parent.clone();
    object.set(&keys(&paths.spec_replicas), replicas);
    match meta(new, "resourceVersion") {
        "" => {
            object.remove(&["metadata", "resourceVersion"]);
        }
        version => object.set(&["metadata", "resourceVersion"], version),
    }
    let uid = meta(new, "uid");
    if !uid.is_empty() && uid != meta(parent, "uid") {
        object.set(&["metadata", "uid"], uid);
    }
    managers_of_parent(paths, &resource.api_version(), managers, owned).write(&mut object);
    let options = WriteOptions {
        force_managers: true,
        ..options.clone()
    };
    let target = Target::of(route, &options);
    let Some(live) = call.live(resource, &route.namespace, &route.name) else {
        return Err(Refusal::not_found(resource, &route.name));
    };
    let written = call.replace(&target, &live, object, true)?;
    Ok(read(paths, &resource.show(&written.object)))
}

fn negative(resource: &ResourceType, paths: &Scale, name: &str, replicas: i64) -> Refusal {
    let (group, kind, error): (&str, &str, _) = match resource.custom {
        Some(_) => {
            let problem = "should be a non-negative integer";
            let error = FieldError::invalid(&paths.spec_replicas, replicas, problem);
            (&resource.group, &resource.kind, error)
        }
        None => {
            let problem = "must be greater than or equal to 0";
            (
                "autoscaling",
                KIND,
                FieldError::invalid("spec.replicas", replicas, problem),
            )
        }
    };
    Refusal::invalid(group, kind, name, &[error])
}

/// The type by which a Scale is shown; it has no table of its own.
pub(crate) fn shown_as(resource: &ResourceType) -> ResourceType {
    let mut shown = resource.clone();
    shown.group = "autoscaling".into();
    shown.version = "v1".into();
    shown.kind = KIND.into();
    shown.list_kind = Text::from("ScaleList");
    shown.custom = None;
    shown
}
