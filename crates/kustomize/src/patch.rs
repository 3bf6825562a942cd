//! Patches: what kind they are, which objects they are for, and applying them.
//!
//! # Source
//! kubernetes-sigs/kustomize `api/internal/builtins/Patch*Transformer.go`, `api/resmap/reswrangler.go`.

use diag::Span;
use object::Node as Value;
use yaml::Node;

use crate::error::{BuildError, Failures, Outcome, nearest};
use crate::ids::ResId;
use crate::jsonpatch::{self, JsonPatch};
use crate::merge;
use crate::ops;
use crate::resource::{self, Item};
use crate::schema::Schema;
use crate::select::Selector;
use crate::value;

/// An entry of `patches`, read.
#[derive(Clone, Debug)]
pub(crate) struct Patch {
    pub body: Body,
    pub target: Option<Selector>,
    /// What was read, for messages: `[path: "a.yaml"]`.
    pub source: String,
    pub at: Option<Span>,
}

#[derive(Clone, Debug)]
pub(crate) enum Body {
    /// Objects to merge in.
    Merge(Vec<Item>),
    Json(JsonPatch),
    /// Comments only.
    Nothing,
}

impl Patch {
    /// Applies the patch to the objects it is for, and returns how many these were.
    pub fn run(&self, items: &mut Vec<Item>, schema: &Schema) -> Outcome<usize> {
        match &self.body {
            Body::Nothing => Ok(1),
            Body::Json(patch) => {
                let Some(target) = &self.target else {
                    let text = format!("must specify a target for JSON patch {}", self.source);
                    return Err(
                        Failures::new(BuildError::PatchInvalid, self.source.clone(), text)
                            .at(self.at.clone()),
                    );
                };
                let selected = self.select(items, target)?;
                for at in &selected {
                    items[*at].store_previous();
                    apply_json(&mut items[*at], patch, schema)
                        .map_err(|failures| failures.at(self.at.clone()))?;
                }
                Ok(selected.len())
            }
            Body::Merge(patches) => match &self.target {
                Some(_) if patches.len() > 1 => {
                    let text = format!(
                        "Multiple Strategic-Merge Patches in one `patches` entry is not allowed to set `patches.target` field: {}",
                        self.source
                    );
                    Err(
                        Failures::new(BuildError::PatchInvalid, self.source.clone(), text)
                            .at(self.at.clone()),
                    )
                }
                Some(target) => {
                    let selected = self.select(items, target).map_err(|failures| {
                        let quoted = format!(
                            "{}:a={}:l={}",
                            target.literal(),
                            target.annotation_selector,
                            target.label_selector
                        );
                        failures.prefix(format!(
                            "unable to find patch target {quoted:?} in `resources`"
                        ))
                    })?;
                    let count = selected.len();
                    if let Some(patch) = patches.first() {
                        apply_to_all(items, &selected, patch, schema)
                            .map_err(|failures| failures.at(self.at.clone()))?;
                    }
                    Ok(count)
                }
                None => {
                    for patch in patches {
                        let id = patch.original_id();
                        let at = find_target(items, &id).map_err(|failures| {
                            failures
                                .prefix(format!(
                                    "no resource matches strategic merge patch {:?}",
                                    id.to_string()
                                ))
                                .at(patch.place())
                                .at(self.at.clone())
                        })?;
                        apply_merge(&mut items[at], patch, patch.node.clone(), schema)
                            .map_err(|failures| failures.at(patch.place()).at(self.at.clone()))?;
                        if items[at].gone {
                            items.remove(at);
                        }
                    }
                    Ok(patches.len())
                }
            },
        }
    }

    fn select(&self, items: &[Item], target: &Selector) -> Outcome<Vec<usize>> {
        select(items, target).map_err(|text| {
            Failures::new(BuildError::SelectorInvalid, self.source.clone(), text)
                .at(self.at.clone())
        })
    }
}

/// Places of the objects that a selector matches.
///
/// # Errors
/// A pattern or label selector that cannot be read.
pub(crate) fn select(items: &[Item], selector: &Selector) -> Result<Vec<usize>, String> {
    let pattern = selector.compile()?;
    let matches = |item: &Item| -> Result<bool, String> {
        let original = item.original_id();
        let (was, is) = (&original, &item.id);
        let named = (pattern.namespace(was.effective_namespace())
            || pattern.namespace(is.effective_namespace()))
            && (pattern.name(&was.name) || pattern.name(&is.name))
            && pattern.gvk(&is.gvk);
        match named && pattern.has_labels() {
            true => pattern.metadata(&item.labels(), &item.annotations()),
            false => Ok(named),
        }
    };
    let mut selected = Vec::new();
    for (at, item) in items.iter().enumerate() {
        if matches(item)? {
            selected.push(at);
        }
    }
    Ok(selected)
}

/// The one object that has, or had, this id.
///
/// # Errors
/// None or several have it.
pub(crate) fn find_target(items: &[Item], id: &ResId) -> Outcome<usize> {
    let mut found = (0..items.len()).filter(|at| items[*at].any_id(|own| id.equals(own)));
    let problem = match (found.next(), found.next()) {
        (Some(at), None) => return Ok(at),
        (Some(_), Some(_)) => "multiple matches for Id",
        (None, _) => "no matches for Id",
    };
    let text = format!("{problem} {id}; failed to find unique target for patch {id}");
    let same_kind = || items.iter().filter(|item| item.id.gvk.kind == id.gvk.kind);
    let near = nearest(&id.name, same_kind().map(|item| item.id.name.as_str()));
    let near = near.or_else(|| {
        let same_name = same_kind().find(|item| item.id.name == id.name);
        same_name.map(|item| item.id.to_string())
    });
    let near_item = same_kind().find(|item| {
        near.as_deref()
            .is_some_and(|near| item.id.name == near || item.id.to_string() == near)
    });
    let near_from = near_item
        .and_then(|item| item.origin.as_ref())
        .map(ToString::to_string);
    let failures = Failures::new(BuildError::PatchTargetNotFound, id.to_string(), text).near(near);
    Err(failures.near_from(near_from))
}

/// Applies one patch to several objects, to each with that object's version.
pub(crate) fn apply_to_all(
    items: &mut Vec<Item>,
    selected: &[usize],
    patch: &Item,
    schema: &Schema,
) -> Outcome<()> {
    let fail = |text: String| Failures::new(BuildError::PatchFailed, patch.id.to_string(), text);
    for at in selected {
        let item = &mut items[*at];
        let mut body = patch.node.clone();
        for field in ["labels", "annotations"] {
            let entries = ops::metadata_map(&body, field);
            ops::set_metadata_map(&mut body, field, &entries);
        }
        ops::set_field(
            &mut body,
            "apiVersion",
            Node::scalar(item.id.gvk.api_version()),
        )
        .map_err(fail)?;
        apply_merge(item, patch, body, schema)?;
    }
    items.retain(|item| !item.gone);
    crate::accumulator::check_unique(items)
}

/// Merges `body` into an object, which keeps its name and kind unless the patch may change them.
pub(crate) fn apply_merge(
    item: &mut Item,
    patch: &Item,
    body: Node,
    schema: &Schema,
) -> Outcome<()> {
    let before = item.id.clone();
    let fail = |text: String| Failures::new(BuildError::PatchFailed, before.to_string(), text);
    let allowed = &patch.history;
    if allowed.allow_name_change || allowed.allow_kind_change {
        item.store_previous();
    }
    let left = match reaches_annotations(&body) {
        true => item.with_history_exposed(|item| merge::merge(&mut item.node, body, schema)),
        false => merge::merge(&mut item.node, body, schema),
    };
    let left = left.map_err(fail)?;
    if !left || ops::is_empty(&item.node) {
        item.gone = true;
        return Ok(());
    }
    if !allowed.allow_kind_change {
        ops::set_field(
            &mut item.node,
            "kind",
            Node::scalar(before.gvk.kind.clone()),
        )
        .map_err(fail)?;
    }
    if !allowed.allow_name_change {
        item.set_metadata("name", &before.name, schema)
            .map_err(fail)?;
    }
    item.set_metadata("namespace", &before.namespace, schema)
        .map_err(fail)?;
    item.unify();
    item.refresh(schema);
    Ok(())
}

/// Whether a merge patch replaces or deletes all annotations.
fn reaches_annotations(patch: &Node) -> bool {
    let directs = |node: &Node| ops::is_null(node) || node.get("$patch").is_some();
    let metadata = patch.get("metadata");
    let annotations = metadata.and_then(|metadata| metadata.get("annotations"));
    patch.get("$patch").is_some()
        || metadata.is_some_and(directs)
        || annotations.is_some_and(|annotations| {
            directs(annotations) || annotations.kind != yaml::Kind::Mapping
        })
}

/// Applies a JSON patch to one object.
pub(crate) fn apply_json(item: &mut Item, patch: &JsonPatch, schema: &Schema) -> Outcome<()> {
    let id = item.id.clone();
    let fail = |text: String| Failures::new(BuildError::PatchFailed, id.to_string(), text);
    // The reference keeps history in annotations, where a patch can see it, but not change it.
    let sees_history = item.history.annotated && patch.reaches(&["metadata", "annotations"]);
    let mut object = match sees_history {
        true => value::to_value(&item.with_history()),
        false => value::to_value(&item.node),
    }
    .map_err(fail)?;
    patch.apply(&mut object).map_err(fail)?;
    jsonpatch::round_numbers(&mut object);
    if object.as_map().is_none() {
        return Err(fail(
            "json: cannot unmarshal array into Go value of type map[string]interface {}".into(),
        ));
    }
    item.node = yaml::from_value(&object);
    item.shared.clear();
    item.shares = 0;
    if let Some(problem) = resource::object_problem(&item.node) {
        let has_metadata = item
            .node
            .get("metadata")
            .is_some_and(|meta| !ops::is_null(meta));
        let with_history = has_metadata.then(|| resource::object_problem(&item.with_history()));
        return Err(fail(with_history.flatten().unwrap_or(problem)));
    }
    let mut annotations = item.annotations();
    annotations.retain(|key, _| !resource::is_build_annotation(key));
    // Numbers among them become texts after Go wrote them as floats.
    let values = object
        .at(&["metadata", "annotations"])
        .and_then(Value::as_map);
    for (key, value) in values.into_iter().flat_map(|map| map.iter()) {
        if let (Some(number), Some(text)) = (value.as_f64(), annotations.get_mut(key.as_str())) {
            *text = golang::strconv::format_float_g(number).into();
        }
    }
    ops::set_metadata_map(&mut item.node, "annotations", &annotations);
    item.refresh(schema);
    Ok(())
}

/// Reads the text of a patch as objects or as operations.
///
/// # Errors
/// `None` for a text that is neither, `Some` for one that is both.
pub(crate) fn read_body(text: &str, schema: &Schema) -> Result<Body, Option<()>> {
    let merges = resource::read_objects(text);
    let json = jsonpatch::parse(text);
    match (merges, json) {
        (Ok(nodes), Ok(Some(patch))) if !nodes.is_empty() && !patch.is_empty() => Err(Some(())),
        (Ok(nodes), _) if nodes.is_empty() => Ok(Body::Nothing),
        (Ok(nodes), _) => Ok(Body::Merge(
            nodes
                .into_iter()
                .map(|node| Item::new(node, schema))
                .collect(),
        )),
        (Err(_), Ok(Some(patch))) => Ok(Body::Json(patch)),
        (Err(_), Ok(None)) => Ok(Body::Nothing),
        (Err(_), Err(_)) => Err(None),
    }
}
