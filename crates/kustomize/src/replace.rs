//! Replacements: a value from one object written into fields of others.
//!
//! # Source
//! kubernetes-sigs/kustomize `api/filters/replacement/replacement.go`.

use yaml::{Kind, Node};

use crate::error::{BuildError, Failures, Outcome};
use crate::file::{FieldOptions, Replacement, SourceSelector, TargetSelector};
use crate::ids::ResId;
use crate::ops;
use crate::paths;
use crate::resource::{self, Item};
use crate::schema::Schema;
use crate::select::Pattern;
use crate::{generate, value};

/// Most fields all replacements of one kustomization write.
const WRITES_MAX: usize = 200_000;

/// Most nodes all replacements of one kustomization copy; a list that copies itself ends here.
const NODES_MAX: usize = 1_000_000;

/// Deepest nesting a replacement may make; documents that are read have the same limit.
const DEPTH_MAX: usize = 200;

/// What was written so far.
#[derive(Default)]
pub(crate) struct Writes {
    fields: usize,
    nodes: usize,
}

impl Writes {
    fn count(&mut self, value: &Node) -> Result<(), String> {
        let (nodes, _) = ops::measure(value);
        self.fields += 1;
        self.nodes += nodes;
        if self.fields > WRITES_MAX {
            return Err(format!("replacements write more than {WRITES_MAX} fields"));
        }
        if self.nodes > NODES_MAX {
            return Err(format!("replacements copy more than {NODES_MAX} nodes"));
        }
        Ok(())
    }
}

/// Carries out replacements in order.
///
/// # Errors
/// A source or field that is not there, or a target that does not fit.
pub(crate) fn run(
    replacements: &[Replacement],
    items: &mut [Item],
    schema: &Schema,
) -> Outcome<()> {
    let mut writes = Writes::default();
    for (number, replacement) in replacements.iter().enumerate() {
        run_one(number, replacement, items, schema, &mut writes)?;
    }
    Ok(())
}

/// Carries out one replacement.
///
/// # Errors
/// As [`run`].
pub(crate) fn run_one(
    number: usize,
    replacement: &Replacement,
    items: &mut [Item],
    schema: &Schema,
    writes: &mut Writes,
) -> Outcome<()> {
    let fail = |text: String| {
        Failures::new(
            BuildError::ReplacementFailed,
            (number + 1).to_string(),
            text,
        )
    };
    let (None | Some(_), Some(targets)) = (&replacement.source, &replacement.targets) else {
        return Err(fail(
            "replacements must specify a source and at least one target".into(),
        ));
    };
    if targets.is_empty() || (replacement.source.is_none() && replacement.source_value.is_none()) {
        return Err(fail(
            "replacements must specify a source and at least one target".into(),
        ));
    }
    let value = source_value(replacement, items).map_err(fail)?;
    for target in targets {
        apply(&value, target, items, schema, writes).map_err(fail)?;
    }
    Ok(())
}

fn source_value(replacement: &Replacement, items: &[Item]) -> Result<Node, String> {
    match (&replacement.source_value, &replacement.source) {
        (Some(_), Some(_)) => Err("value and resource selectors are mutually exclusive".into()),
        (Some(value), None) => Ok(Node::scalar(value.as_str())),
        (None, Some(source)) => {
            let object = select_source(source, items)?;
            let path = match source.field_path.as_str() {
                "" => "metadata.name",
                path => path,
            };
            let found = paths::lookup(&object.node, &paths::split(path))
                .map_err(|error| format!("error looking up replacement source: {error}"))?;
            let found = found.filter(|node| !ops::is_empty(node));
            let node = found.ok_or_else(|| {
                format!(
                    "fieldPath `{path}` is missing for replacement source {}",
                    source.id
                )
            })?;
            refine(source.options.as_ref(), node)
        }
        (None, None) => Err("replacements must specify a source and at least one target".into()),
    }
}

fn select_source<'a>(source: &SourceSelector, items: &'a [Item]) -> Result<&'a Item, String> {
    let mut found = items
        .iter()
        .filter(|item| item.any_id(|id| id.is_selected_by(&source.id)));
    let first = found
        .next()
        .ok_or_else(|| format!("nothing selected by {}", source.go_text()))?;
    match found.next() {
        Some(_) => Err(format!(
            "multiple matches for selector {}",
            source.go_text()
        )),
        None => Ok(first),
    }
}

impl SourceSelector {
    fn go_text(&self) -> String {
        let mut text = self.id.to_string();
        if !self.field_path.is_empty() {
            text = format!("{text}:{}", self.field_path);
        }
        if let Some(options) = self
            .options
            .as_ref()
            .filter(|o| !o.delimiter.is_empty() || o.create)
        {
            text = format!(
                "{text}:{}({}), create={}",
                options.delimiter, options.index, options.create
            );
        }
        text
    }
}

fn refine(options: Option<&FieldOptions>, node: &Node) -> Result<Node, String> {
    let mut node = node.clone();
    let Some(options) = options.filter(|options| !options.delimiter.is_empty()) else {
        return Ok(node);
    };
    if node.kind != Kind::Scalar {
        return Err("delimiter option can only be used with scalar nodes".into());
    }
    let text = ops::text_of(&node).to_owned();
    let part = usize::try_from(options.index)
        .ok()
        .and_then(|index| text.split(options.delimiter.as_str()).nth(index));
    match part {
        Some(part) => {
            node.value = part.into();
            Ok(node)
        }
        None => Err(format!(
            "options.index {} is out of bounds for value {text}",
            options.index
        )),
    }
}

fn apply(
    value: &Node,
    target: &TargetSelector,
    items: &mut [Item],
    schema: &Schema,
    writes: &mut Writes,
) -> Result<(), String> {
    let Some(select) = &target.select else {
        return Err("target must specify resources to select".into());
    };
    let wrap = |error: String| format!("error creating target selector: {error}");
    let select = select.compile().map_err(wrap)?;
    let reject: Vec<Pattern> = target
        .reject
        .iter()
        .map(|reject| reject.compile())
        .collect::<Result<_, _>>()
        .map_err(wrap)?;
    let default = ["metadata.name".to_owned()];
    let fields = if target.field_paths.is_empty() {
        &default[..]
    } else {
        &target.field_paths
    };
    for item in items {
        if !is_target(item, &select, &reject)? {
            continue;
        }
        let mut write_all = |item: &mut Item| {
            fields.iter().try_for_each(|field| {
                writes.count(value)?;
                write(&mut item.node, value, field, target.options.as_ref())
            })
        };
        match fields.iter().any(|field| reaches_annotations(field)) {
            true => {
                item.with_history_exposed(write_all)?;
                if let Some(problem) = resource::object_problem(&item.node) {
                    return Err(problem);
                }
            }
            false => write_all(item)?,
        }
        item.unify();
        item.refresh(schema);
    }
    Ok(())
}

/// Whether a field path names all annotations, or something around them.
fn reaches_annotations(field: &str) -> bool {
    let parts = paths::split(field);
    let is = |at: usize, name: &str| {
        let part = parts.get(at).map(|part| part.trim());
        part.is_none_or(|part| part == name || part == "*")
    };
    parts.len() <= 2 && is(0, "metadata") && is(1, "annotations")
}

/// Whether a target's patterns select an object.
pub(crate) fn is_target(item: &Item, select: &Pattern, reject: &[Pattern]) -> Result<bool, String> {
    let needs_metadata = select.has_labels() || reject.iter().any(Pattern::has_labels);
    if needs_metadata {
        let (labels, annotations) = (item.labels(), item.annotations());
        if !select.metadata(&labels, &annotations)? {
            return Ok(false);
        }
        for reject in reject.iter().filter(|reject| reject.has_labels()) {
            if reject.metadata(&labels, &annotations)? {
                return Ok(false);
            }
        }
    }
    let any = |pattern: &Pattern| item.any_id(|id: &ResId| pattern.id(id));
    Ok(!reject.iter().any(|reject| reject.has_id() && any(reject)) && any(select))
}

fn write(
    object: &mut Node,
    value: &Node,
    field: &str,
    options: Option<&FieldOptions>,
) -> Result<(), String> {
    let create = options.filter(|options| options.create).map(|_| value.kind);
    let parts = paths::split(field);
    ops::check_path(parts.len())?;
    if parts.len() + ops::measure(value).1 > DEPTH_MAX {
        return Err(format!(
            "replacement nests values deeper than {DEPTH_MAX} levels"
        ));
    }
    if write_inside_text(object, value, &parts, create).is_ok() {
        return Ok(());
    }
    let problem = || match create.is_some() {
        true => format!("unable to find or create field {field:?} in replacement target"),
        false => format!("unable to find field {field:?} in replacement target"),
    };
    let mut failure = None;
    let count = paths::visit(object, &parts, create, &mut |node| {
        if failure.is_none() {
            failure = set(options, node, value).err();
        }
        Ok(())
    })
    .map_err(|error| format!("{}: {error}", problem()))?;
    match failure {
        Some(failure) => Err(failure),
        None if count == 0 => Err(problem()),
        None => Ok(()),
    }
}

fn set(options: Option<&FieldOptions>, target: &mut Node, value: &Node) -> Result<(), String> {
    let mut value = value.clone();
    value.anchor = Default::default();
    if let Some(options) = options.filter(|options| !options.delimiter.is_empty()) {
        if target.kind != Kind::Scalar {
            return Err("delimiter option can only be used with scalar nodes".into());
        }
        let mut parts: Vec<&str> = target.value.split(options.delimiter.as_str()).collect();
        let part = ops::text_of(&value).to_owned();
        match usize::try_from(options.index) {
            Err(_) => parts.insert(0, &part),
            Ok(index) if index >= parts.len() => parts.push(&part),
            Ok(index) => parts[index] = &part,
        }
        value.value = parts.join(&options.delimiter).into();
    }
    if target.kind == Kind::Scalar {
        target.value = value.value;
    } else {
        ops::overwrite(target, value);
    }
    Ok(())
}

/// Writes below a text that holds YAML or JSON.
fn write_inside_text(
    object: &mut Node,
    value: &Node,
    parts: &[String],
    create: Option<Kind>,
) -> Result<(), String> {
    if parts.len() < 2 {
        return Err("not a structured data path".into());
    }
    let outer = (1..parts.len()).find(|length| {
        let found = paths::lookup(object, &parts[..*length]).ok().flatten();
        found.is_some_and(|node| {
            node.kind == Kind::Scalar
                && (node.value.is_empty() || paths::parse_inner(&node.value).is_ok())
        })
    });
    let outer = outer.ok_or("no structured data found in path")?;
    let text = paths::lookup(object, &parts[..outer])?
        .map(|node| node.value.clone())
        .unwrap_or_default();
    let mut inner = paths::parse_inner(&text)?;
    let count = paths::visit(&mut inner, &parts[outer..], create, &mut |node| {
        match node.kind {
            Kind::Scalar => node.value = value.value.clone(),
            _ => *node = value.clone(),
        }
        Ok(())
    })?;
    if count == 0 {
        return Err("unable to find field in structured data".into());
    }
    let written = match text.trim_start().starts_with(['{', '[']) {
        true => {
            let resolved = value::to_value(&inner)?;
            match text.contains('\n') && text.contains("  ") {
                true => generate::go_json_indented(&resolved),
                false => generate::go_json(&resolved),
            }
        }
        false => ops::emit(&inner).trim().to_owned(),
    };
    let mut set = |node: &mut Node| {
        node.value = written.as_str().into();
        Ok(())
    };
    visit_exact(object, &parts[..outer], &mut set)
}

/// Calls `set` for the node that [`paths::lookup`] finds.
fn visit_exact(
    node: &mut Node,
    parts: &[String],
    set: &mut dyn FnMut(&mut Node) -> Result<(), String>,
) -> Result<(), String> {
    let Some((part, rest)) = parts.split_first() else {
        return set(node);
    };
    if paths::lookup(node, std::slice::from_ref(part))?.is_none() {
        return Err("no structured data found in path".into());
    }
    let place = match node.kind {
        Kind::Mapping => node.position(part.trim()).map(|at| at + 1),
        Kind::Sequence => (0..node.content.len()).find(|at| {
            let one = paths::lookup(node, std::slice::from_ref(part))
                .ok()
                .flatten();
            one.is_some_and(|one| std::ptr::eq(one, &node.content[*at]))
        }),
        _ => None,
    };
    match place {
        Some(place) => visit_exact(&mut node.content[place], rest, set),
        None if part.trim().is_empty() => visit_exact(node, rest, set),
        None => Err("no structured data found in path".into()),
    }
}
