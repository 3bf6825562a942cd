//! Field specs that reach no field.

use std::sync::Arc;

use diag::{Code, Span};
use object::FieldPath;
use tree::TreePath;

use super::{Collector, finding};
use crate::accumulate::Target;
use crate::configure;
use crate::fieldspec::{self, Create, FieldSpec};
use crate::file::Label;
use crate::ids::Gvk;
use crate::resource::Item;

const UNMATCHED: Code = Code("FieldSpecUnmatched");
const UNUSED: Code = Code("ConfigurationUnused");

/// Looks at the `fields` of the entry number `at` of `labels`.
pub(super) fn check_label(
    lint: &mut Collector,
    target: &Target,
    at: usize,
    label: &Label,
    items: &[Item],
) {
    for (number, spec) in label.fields.iter().enumerate() {
        let path = FieldPath::keys(["labels"])
            .index(at)
            .key("fields")
            .index(number);
        let of_kind: Vec<&Item> = items
            .iter()
            .filter(|item| item.id.gvk.is_selected(&spec.gvk))
            .collect();
        let reached = of_kind.iter().any(|item| reaches(item, spec));
        let (field, written) = match (of_kind.is_empty(), spec.gvk.kind.is_empty()) {
            (true, false) => ("kind", spec.gvk.kind.as_str()),
            _ => ("path", spec.path.as_str()),
        };
        let found = (!reached).then(|| {
            let message = "this field of `labels` is in no object, so no label goes there";
            let label = match field {
                "kind" => format!("no {written} in this build"),
                _ => "no object has this field".to_owned(),
            };
            let found = finding(UNMATCHED, message, label);
            let same = items
                .iter()
                .find(|item| item.id.gvk.kind.eq_ignore_ascii_case(&spec.gvk.kind));
            match (of_kind.is_empty(), same) {
                (true, Some(item)) if item.id.gvk.kind != spec.gvk.kind => {
                    found.with_help(format!("Did you mean `{}`?", item.id.gvk.kind))
                }
                (true, Some(item)) => found.with_help(format!(
                    "{} has apiVersion `{}`.",
                    super::described(item),
                    item.id.gvk.api_version()
                )),
                (true, None) => found.with_help("Correct kind, group and version, or drop it."),
                (false, _) => found
                    .with_help("Correct the path, or set `create: true` if it should be added."),
            }
        });
        let span = target.value_span(&path.key(field), written);
        lint.see(UNMATCHED, span, "", target.depends_on(), found);
    }
}

/// Whether the spec has an effect on an object of its kind.
fn reaches(item: &Item, spec: &FieldSpec) -> bool {
    let mut node = item.node.clone();
    let mut reached = false;
    let create = if spec.create {
        Create::Map
    } else {
        Create::Nothing
    };
    let walked = fieldspec::apply_to_any(&mut node, &item.id, spec, create, &mut |_| {
        reached = true;
        Ok(())
    });
    reached || walked.is_err()
}

/// A file of `configurations` that takes part in a build.
#[derive(Clone)]
pub(super) struct Configuration {
    span: Span,
    entry: String,
    directory: TreePath,
    kinds: Arc<Vec<Gvk>>,
}

/// Remembers the files under `configurations`.
pub(super) fn remember(lint: &mut Collector, target: &Target) {
    for (at, entry) in target.file.configurations.iter().enumerate() {
        let path = FieldPath::keys(["configurations"]).index(at);
        let Some(span) = target.value_span(&path, entry) else {
            continue;
        };
        let config = target
            .loader
            .root
            .join(entry)
            .ok()
            .and_then(|path| target.loader.tree.read_text(&path).ok())
            .and_then(|text| configure::read_config(&text).ok());
        let Some(config) = config else { continue };
        let mut kinds: Vec<Gvk> = [
            &config.name_prefix,
            &config.name_suffix,
            &config.namespace,
            &config.common_labels,
            &config.labels,
            &config.template_labels,
            &config.common_annotations,
            &config.var_reference,
            &config.images,
            &config.replicas,
        ]
        .into_iter()
        .flatten()
        .chain(
            config
                .name_reference
                .iter()
                .flat_map(|reference| &reference.referrers),
        )
        .map(|spec| spec.gvk.clone())
        .collect();
        kinds.sort();
        kinds.dedup();
        lint.build.configurations.push(Configuration {
            span,
            entry: entry.clone(),
            directory: target.loader.root.clone(),
            kinds: Arc::new(kinds),
        });
    }
}

/// Reports files under `configurations` that are about kinds no build has.
pub(super) fn check_configurations(lint: &mut Collector, items: &[Item]) {
    for known in std::mem::take(&mut lint.build.configurations) {
        let used = known
            .kinds
            .iter()
            .any(|kind| items.iter().any(|item| item.id.gvk.is_selected(kind)));
        let found = (!used && !known.kinds.is_empty()).then(|| {
            let message = format!(
                "configuration `{}` is about kinds that no object has, so it changes nothing",
                known.entry
            );
            let kinds: Vec<String> = known
                .kinds
                .iter()
                .map(|gvk| match gvk.group.is_empty() {
                    true => format!("`{}`", gvk.kind),
                    false => format!("`{}` of {}", gvk.kind, gvk.group),
                })
                .collect();
            let mut found = finding(UNUSED, message, "has no effect");
            found.notes.push(format!("it names {}", super::some(&kinds)));
            let near = known.kinds.iter().find_map(|gvk| {
                items
                    .iter()
                    .map(|item| &item.id.gvk.kind)
                    .find(|kind| kind.eq_ignore_ascii_case(&gvk.kind))
            });
            match near {
                Some(near) => found.with_help(format!(
                    "This build has objects of kind `{near}`; compare letter case, group and version."
                )),
                None => found.with_help("Drop the entry, or correct its kinds, groups and versions."),
            }
        });
        let span = Some(known.span.clone());
        lint.see(UNUSED, span, "", Some(&known.directory), found);
    }
}
