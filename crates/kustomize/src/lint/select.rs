//! Selectors that select nothing, and patterns that mean less than they seem to.

use diag::{Code, Diagnostic, Span};
use object::FieldPath;

use super::{Collector, described, finding};
use crate::accumulate::Target;
use crate::error::{distance, nearest};
use crate::patch;
use crate::resource::Item;
use crate::select::{Matcher, Selector};

const NOT_FOUND: Code = Code("PatchTargetNotFound");
const GLOB: Code = Code("SelectorIsGlob");

/// Looks at the target of a patch; `path` is the target's place in the file.
pub(super) fn check_patch(
    lint: &mut Collector,
    target: &Target,
    path: &FieldPath,
    selector: &Selector,
    items: &[Item],
) {
    let Ok(selected) = patch::select(items, selector) else {
        return;
    };
    let span = target.span(path);
    let found = selected.is_empty().then(|| {
        let message = "this patch's target matches no object, so the patch changes nothing";
        unmatched(NOT_FOUND, message, selector, items)
    });
    let place = found
        .as_ref()
        .and_then(|found| found.field)
        .and_then(|field| value_span(target, path, field, selector));
    let finding = found.map(|found| found.finding);
    see_at(lint, target, NOT_FOUND, span, place, finding);
    check_glob(lint, target, path, selector, items);
}

/// Sees a site known by `span`, and shows the finding at `place`.
pub(super) fn see_at(
    lint: &mut Collector,
    target: &Target,
    code: Code,
    span: Option<Span>,
    place: Option<Span>,
    finding: Option<Diagnostic>,
) {
    let site = span.clone();
    lint.see(code, span, "", target.depends_on(), finding);
    if let (Some(site), Some(place)) = (site, place)
        && let Some(Some(found)) = lint.open.get_mut(&(site, code, String::new()))
    {
        found.span = Some(place);
    }
}

/// The place of what the selector says about `field`.
pub(super) fn value_span(
    target: &Target,
    path: &FieldPath,
    field: &str,
    selector: &Selector,
) -> Option<Span> {
    let span = target.value_span(&path.key(field), value(selector, field))?;
    (span.column > 0).then_some(span)
}

/// Reports a pattern that would select more objects if it were the glob it looks like.
pub(super) fn check_glob(
    lint: &mut Collector,
    target: &Target,
    path: &FieldPath,
    selector: &Selector,
    items: &[Item],
) {
    for field in ["kind", "name", "namespace"] {
        let written = value(selector, field);
        let Some(meant) = glob_as_regex(written) else {
            continue;
        };
        let mut as_glob = selector.clone();
        *value_mut(&mut as_glob, field) = meant.clone();
        let (Ok(selects), Ok(would_select)) = (
            patch::select(items, selector),
            patch::select(items, &as_glob),
        ) else {
            continue;
        };
        // A pattern that selects nothing is reported as that.
        let missed: Vec<_> = would_select
            .iter()
            .filter(|at| !selects.contains(at))
            .collect();
        if selects.is_empty() || missed.is_empty() {
            continue;
        }
        let label = format!("matches {} of {}", selects.len(), would_select.len());
        let message =
            format!("pattern `{written}` is a regular expression and matches less than a glob");
        let mut found = finding(GLOB, message, label);
        if let Some(item) = missed.first().and_then(|at| items.get(**at)) {
            found
                .notes
                .push(format!("it does not match {}", described(item)));
        }
        let found = found.with_help(format!(
            "Write `{meant}`: in a regular expression, `*` repeats what stands before it."
        ));
        let span = value_span(target, path, field, selector);
        lint.see(GLOB, span, "", target.depends_on(), Some(found));
    }
}

/// The regular expression for a text that looks like a glob: `web-*` for `web-.*`.
fn glob_as_regex(written: &str) -> Option<String> {
    if written
        .chars()
        .any(|c| !(c.is_ascii_alphanumeric() || "-_*".contains(c)))
    {
        return None;
    }
    let stars = written.char_indices().filter(|(_, c)| *c == '*').count();
    (stars > 0).then(|| written.replace('*', ".*"))
}

pub(super) fn value<'a>(selector: &'a Selector, field: &str) -> &'a str {
    match field {
        "group" => &selector.group,
        "version" => &selector.version,
        "kind" => &selector.kind,
        "name" => &selector.name,
        "namespace" => &selector.namespace,
        "labelSelector" => &selector.label_selector,
        _ => &selector.annotation_selector,
    }
}

fn value_mut<'a>(selector: &'a mut Selector, field: &str) -> &'a mut String {
    match field {
        "group" => &mut selector.group,
        "version" => &mut selector.version,
        "kind" => &mut selector.kind,
        "name" => &mut selector.name,
        "namespace" => &mut selector.namespace,
        "labelSelector" => &mut selector.label_selector,
        _ => &mut selector.annotation_selector,
    }
}

/// Fields by how often a slip is in them.
const FIELDS: [&str; 7] = [
    "name",
    "kind",
    "namespace",
    "version",
    "group",
    "labelSelector",
    "annotationSelector",
];

/// What is known about a selector that selects nothing.
pub(super) struct Unmatched {
    pub finding: Diagnostic,
    /// The field that keeps it from selecting.
    pub field: Option<&'static str>,
    /// Whether an object is so near that a slip is likely.
    pub is_slip: bool,
}

/// A finding about a selector that selects nothing.
pub(super) fn unmatched(
    code: Code,
    message: &str,
    selector: &Selector,
    items: &[Item],
) -> Unmatched {
    let mut best: Option<(Rank, &'static str, String, String)> = None;
    for field in FIELDS {
        if value(selector, field).is_empty() {
            continue;
        }
        let mut relaxed = selector.clone();
        value_mut(&mut relaxed, field).clear();
        let Ok(found) = patch::select(items, &relaxed) else {
            continue;
        };
        let others: Vec<&Item> = found.iter().filter_map(|at| items.get(*at)).collect();
        let Some((rank, label, help)) = advice(selector, field, &others) else {
            continue;
        };
        if best.as_ref().is_none_or(|(known, ..)| rank < *known) {
            best = Some((rank, field, label, help));
        }
    }
    match best {
        Some((rank, field, label, help)) => Unmatched {
            finding: finding(code, message, label).with_help(help),
            field: Some(field),
            is_slip: rank <= Rank::Near,
        },
        None => {
            let set = |field: &&str| !value(selector, field).is_empty();
            let (field, label) = match selector.kind.as_str() {
                "" => (
                    FIELDS.into_iter().find(set),
                    "selects nothing in this build".to_owned(),
                ),
                kind if items.iter().any(|item| item.id.gvk.kind == kind) => (
                    FIELDS.into_iter().find(set),
                    format!("no {kind} like this in this build"),
                ),
                kind => (Some("kind"), format!("no {kind} in this build")),
            };
            Unmatched {
                finding: finding(code, message, label).with_help(GONE),
                field,
                is_slip: false,
            }
        }
    }
}

const GONE: &str = "Correct the target, or drop the entry if the object is gone.";

/// How well a field explains that nothing is selected, best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    LetterCase,
    Glob,
    Near,
    Other,
    Labels,
    Gone,
}

/// Most letters by which the name of a kind may be wrong; other kinds have similar names.
const KIND_LETTERS_MAX: usize = 2;

/// Whether a pattern can only mean itself.
fn is_literal(pattern: &str) -> bool {
    !pattern.is_empty() && !pattern.contains(['*', '+', '?', '|', '(', '[', '\\', '^', '$'])
}

/// How well `field` explains that nothing is selected, given the objects selected without it.
fn advice(selector: &Selector, field: &str, others: &[&Item]) -> Option<(Rank, String, String)> {
    let written = value(selector, field);
    let first = others.first()?;
    let of = |item: &Item| -> String {
        match field {
            "name" => item.original_id().name.to_string(),
            "kind" => item.id.gvk.kind.to_string(),
            "namespace" => item.id.effective_namespace().to_owned(),
            "version" => item.id.gvk.version.to_string(),
            "group" => item.id.gvk.group.to_string(),
            _ => String::new(),
        }
    };
    let what = match (field, selector.kind.as_str()) {
        ("name", "") => format!("no object named `{written}`"),
        ("name", kind) => format!("no {kind} named `{written}`"),
        ("labelSelector" | "annotationSelector", _) => "no object it names has these".to_owned(),
        _ => format!("no such object has {field} `{written}`"),
    };
    let label = format!("{what} in this build");
    if matches!(field, "labelSelector" | "annotationSelector") {
        let help = format!("Without it the target is {}.", described(first));
        return Some((Rank::Labels, label, help));
    }
    let meant = |item: &Item| {
        let from = item
            .origin
            .as_ref()
            .map_or_else(String::new, |origin| format!(", from {origin}"));
        format!("Did you mean `{}`{from}?", of(item))
    };
    if let Some(same) = others
        .iter()
        .find(|item| of(item).eq_ignore_ascii_case(written))
    {
        return Some((Rank::LetterCase, label, meant(same)));
    }
    if let Some(pattern) = glob_as_regex(written) {
        let matcher = Matcher::whole(&pattern).ok()??;
        let matching: Vec<_> = others
            .iter()
            .filter(|item| matcher.is_match(&of(item)))
            .collect();
        if let Some(item) = matching.first() {
            let help = format!(
                "Write `{pattern}`, which matches {}: in a regular expression, `*` repeats what stands before it.",
                described(item)
            );
            return Some((Rank::Glob, label, help));
        }
    }
    let values: Vec<String> = others.iter().map(|item| of(item)).collect();
    let near = nearest(written, values.iter().map(String::as_str))
        .filter(|near| field != "kind" || distance(written, near) <= KIND_LETTERS_MAX);
    if let Some(near) = near {
        let item = others.iter().find(|item| of(item) == near)?;
        return Some((Rank::Near, label, meant(item)));
    }
    // A name that nothing is like says only that the object is gone.
    if field == "name" {
        return Some((Rank::Gone, label, GONE.to_owned()));
    }
    // Without a name, every other object is one of another kind.
    if !is_literal(&selector.name) {
        return None;
    }
    let help = match of(first).as_str() {
        "" => format!("{} has no {field}.", described(first)),
        has => format!("{} has {field} `{has}`.", described(first)),
    };
    Some((Rank::Other, label, help))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_words_with_stars_look_like_globs() {
        assert_eq!(glob_as_regex("web-*").as_deref(), Some("web-.*"));
        assert_eq!(glob_as_regex("web-.*"), None);
        assert_eq!(glob_as_regex("web"), None);
    }
}
