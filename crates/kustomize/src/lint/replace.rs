//! Replacements that replace nothing, and values that get lost on the way.

use diag::{Code, Diagnostic, Span};
use object::FieldPath;
use yaml::{Kind, Node};

use super::select::{self, Unmatched};
use super::{Collector, described, finding};
use crate::accumulate::Target;
use crate::file::{Replacement, TargetSelector};
use crate::paths;
use crate::replace;
use crate::resource::Item;
use crate::schema::Schema;
use crate::select::{Pattern, Selector};

const TARGET: Code = Code("ReplacementTargetNotFound");
const REJECT: Code = Code("RejectMatchesNothing");
const LOST: Code = Code("ReplacementValueLost");

/// Where a replacement is written.
struct Written {
    /// Its place in the kustomization, if it is there and not in a file of its own.
    path: Option<FieldPath>,
    span: Option<Span>,
}

/// Looks at the replacements of a file before they are made.
pub(super) fn check(
    lint: &mut Collector,
    target: &Target,
    all: &[Replacement],
    items: &[Item],
    schema: &Schema,
) {
    let written = written(target, all.len());
    let mut items = items.to_vec();
    let mut writes = replace::Writes::default();
    for (at, replacement) in all.iter().enumerate() {
        let targets = replacement.targets.as_deref().unwrap_or_default();
        let value = source_text(replacement, &items);
        let mut doubtful = Vec::new();
        if let Some(written) = written.get(at) {
            // Copied lists of targets often name kinds that only some builds have.
            let none_selected = !targets.iter().any(|to| selects_any(to, &items));
            for (number, to) in targets.iter().enumerate() {
                let path = written
                    .path
                    .as_ref()
                    .map(|path| path.key("targets").index(number));
                let mut look = Look {
                    lint,
                    target,
                    written,
                    path: path.as_ref(),
                    to,
                    number,
                };
                look.check_target(none_selected, &items);
                if let Some(value) = &value {
                    doubtful.extend(look.doubtful(value, &items));
                }
            }
        }
        // What is wrong with it is an error of the build.
        if replace::run_one(at, replacement, &mut items, schema, &mut writes).is_err() {
            return;
        }
        for Doubtful {
            item,
            before,
            finding,
        } in doubtful
        {
            // A change is a change; only what stays as it was can be lost.
            if items.get(item).is_some_and(|item| item.node == before) {
                let about = finding.notes.join(" ");
                lint.report(LOST, &about, finding);
            }
        }
    }
}

/// A value that is about to be written into a text, and may get lost.
struct Doubtful {
    item: usize,
    before: Node,
    finding: Diagnostic,
}

fn selects_any(to: &TargetSelector, items: &[Item]) -> bool {
    let pattern = to.select.as_ref().and_then(|select| select.compile().ok());
    pattern.is_some_and(|pattern| {
        items
            .iter()
            .any(|item| replace::is_target(item, &pattern, &[]) == Ok(true))
    })
}

/// The places of all replacements; those of files are found by reading the file again.
fn written(target: &Target, count: usize) -> Vec<Written> {
    let mut all = Vec::with_capacity(count);
    for (at, entry) in target.file.replacements.iter().enumerate() {
        let path = FieldPath::keys(["replacements"]).index(at);
        if entry.path.is_empty() {
            let span = target.span(&path);
            let path = Some(path);
            all.push(Written { path, span });
            continue;
        }
        let shown = target.loader.shown(&entry.path);
        let document = target
            .loader
            .root
            .join(&entry.path)
            .ok()
            .and_then(|path| target.loader.tree.read_text(&path).ok())
            .and_then(|text| yaml::parse(&text, &yaml::Limits::default()).ok())
            .and_then(|documents| documents.into_iter().next());
        let nodes: Vec<Node> = match document {
            Some(list) if list.kind == Kind::Sequence => list.content,
            Some(node) => vec![node],
            None => Vec::new(),
        };
        all.extend(nodes.iter().map(|node| Written {
            path: None,
            span: Some(Span {
                path: shown.clone(),
                line: node.line,
                column: node.column,
                length: 0,
            }),
        }));
    }
    all
}

/// One target of a replacement, looked at.
struct Look<'a> {
    lint: &'a mut Collector,
    target: &'a Target,
    written: &'a Written,
    path: Option<&'a FieldPath>,
    to: &'a TargetSelector,
    number: usize,
}

impl Look<'_> {
    /// The place of a part of the target, or of the replacement if it is in a file of its own.
    fn span_of(&self, path: Option<FieldPath>) -> Option<Span> {
        match path {
            Some(path) => self.target.span(&path),
            None => self.written.span.clone(),
        }
    }

    fn check_target(&mut self, none_selected: bool, items: &[Item]) {
        let to = self.to;
        let Some(selector) = &to.select else { return };
        let Ok(pattern) = selector.compile() else {
            return;
        };
        let selected: Vec<&Item> = items
            .iter()
            .filter(|item| replace::is_target(item, &pattern, &[]) == Ok(true))
            .collect();
        let message = "this replacement's target matches no object, so nothing is replaced there";
        let found = selected
            .is_empty()
            .then(|| select::unmatched(TARGET, message, selector, items))
            .filter(|found| none_selected || found.is_slip);
        let path = self.path.map(|path| path.key("select"));
        let about = self.number.to_string();
        self.see(TARGET, path.as_ref(), selector, &about, found);
        if let Some(path) = &path {
            select::check_glob(self.lint, self.target, path, selector, items);
        }
        if selected.is_empty() {
            return;
        }
        for (at, reject) in to.reject.iter().enumerate() {
            let Ok(rejects) = reject.compile() else {
                continue;
            };
            let alone = std::slice::from_ref(&rejects);
            let rejected = selected
                .iter()
                .any(|item| replace::is_target(item, &pattern, alone) == Ok(false));
            let message =
                "this `reject` matches none of the selected objects, so it rejects nothing";
            let found = (!rejected).then(|| select::unmatched(REJECT, message, reject, items));
            let path = self.path.map(|path| path.key("reject").index(at));
            let about = format!("{about} {at}");
            self.see(REJECT, path.as_ref(), reject, &about, found);
        }
    }

    /// Sees a selector, and shows the finding at the field that keeps it from selecting.
    fn see(
        &mut self,
        code: Code,
        path: Option<&FieldPath>,
        selector: &Selector,
        about: &str,
        found: Option<Unmatched>,
    ) {
        let Some(site) = self.span_of(path.cloned()) else {
            return;
        };
        let field = found.as_ref().and_then(|found| found.field);
        let place = path
            .zip(field)
            .and_then(|(path, field)| select::value_span(self.target, path, field, selector));
        let finding = found.map(|found| found.finding);
        let depends_on = self.target.depends_on();
        self.lint
            .see(code, Some(site.clone()), about, depends_on, finding);
        if let Some(place) = place
            && let Some(Some(found)) = self.lint.open.get_mut(&(site, code, about.to_owned()))
        {
            found.span = Some(place);
        }
    }

    /// Fields inside of texts that are about to change to `value`.
    fn doubtful(&self, value: &str, items: &[Item]) -> Vec<Doubtful> {
        let to = self.to;
        let Some(pattern) = to.select.as_ref().and_then(|select| select.compile().ok()) else {
            return Vec::new();
        };
        let rejects: Vec<Pattern> = to
            .reject
            .iter()
            .filter_map(|reject| reject.compile().ok())
            .collect();
        let mut all = Vec::new();
        for (at, field) in to.field_paths.iter().enumerate() {
            let parts = paths::split(field);
            let path = self.path.map(|path| path.key("fieldPaths").index(at));
            let span = match &path {
                Some(path) => self.target.value_span(path, field),
                None => self.written.span.clone(),
            };
            let Some(span) = span else { continue };
            for (number, item) in items.iter().enumerate() {
                if replace::is_target(item, &pattern, &rejects) != Ok(true) {
                    continue;
                }
                let Some((outer, inner)) = inside_text(&item.node, &parts) else {
                    continue;
                };
                if value == inner.value.as_str() {
                    continue;
                }
                let message = format!("a value written to `{field}` is lost without a word");
                let mut found = finding(LOST, message, "stays as it was").at(span.clone());
                found.notes.push(format!(
                    "the text `{}` of {} holds {} there, and {} is none",
                    parts[..outer].join("."),
                    described(item),
                    type_name(&inner),
                    shown(value)
                ));
                all.push(Doubtful {
                    item: number,
                    before: item.node.clone(),
                    finding: found
                        .with_help("Quote the value inside the text, so that it may be any text."),
                });
            }
        }
        all
    }
}

/// A value as a message can hold it.
fn shown(value: &str) -> String {
    const LETTERS_MAX: usize = 60;
    match value.contains('\n') || value.chars().count() > LETTERS_MAX {
        true => "the new value".to_owned(),
        false => format!("`{value}`"),
    }
}

fn type_name(node: &Node) -> &'static str {
    match node.resolved_tag() {
        yaml::tag::INT | yaml::tag::FLOAT => "a number",
        yaml::tag::BOOL => "true or false",
        yaml::tag::NULL => "null",
        _ => "another type",
    }
}

/// The value that a replacement writes, where that is text.
fn source_text(replacement: &Replacement, items: &[Item]) -> Option<String> {
    let source = match (&replacement.source_value, &replacement.source) {
        (Some(value), _) => return Some(value.clone()),
        (None, Some(source)) => source,
        (None, None) => return None,
    };
    if source
        .options
        .as_ref()
        .is_some_and(|options| !options.delimiter.is_empty())
    {
        return None;
    }
    let item = items
        .iter()
        .find(|item| item.any_id(|id| id.is_selected_by(&source.id)))?;
    let path = match source.field_path.as_str() {
        "" => "metadata.name",
        path => path,
    };
    let node = paths::lookup(&item.node, &paths::split(path)).ok()??;
    (node.kind == Kind::Scalar).then(|| node.value.to_string())
}

/// The scalar below a text that a path leads to, and how many parts lead to the text.
fn inside_text(object: &Node, parts: &[String]) -> Option<(usize, Node)> {
    for length in 1..parts.len() {
        let Some(text) = paths::lookup(object, &parts[..length]).ok().flatten() else {
            continue;
        };
        if text.kind != Kind::Scalar || text.value.is_empty() {
            continue;
        }
        let inner = paths::parse_inner(&text.value).ok()?;
        let found = paths::lookup(&inner, &parts[length..]).ok()??;
        return (found.kind == Kind::Scalar).then(|| (length, found.clone()));
    }
    None
}
