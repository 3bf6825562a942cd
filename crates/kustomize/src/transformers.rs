//! The transformers that a kustomization's fields ask for, their files read.
//!
//! # Source
//! kubernetes-sigs/kustomize `api/internal/target/kusttarget_configplugin.go`.

use std::sync::Arc;

use diag::Span;
use object::{FieldPath, Origin};

use crate::accumulate::{Builder, Target, go_quote, read_failure};
use crate::accumulator::Accumulator;
use crate::config::Config;
use crate::configure;
use crate::decode::Decoder;
use crate::error::{BuildError, Failures, Outcome};
use crate::fieldspec::{self, FieldSpec};
use crate::file;
use crate::patch::{self, Body};
use crate::plugin::{self, Plugin, Transformer};
use crate::resource::{self, Item};
use crate::transform::{Affix, Entries, Images, Namespace, Replicas, Subjects};

impl Target {
    /// The transformer of an explicit configuration, the files it names read.
    pub(crate) fn configured(
        &self,
        builder: &mut Builder<'_>,
        plugin: Plugin,
    ) -> Outcome<Transformer> {
        match plugin {
            Plugin::Ready(transformer) => Ok(transformer),
            Plugin::Patch(patch) => self.patch(builder, &patch, None).map(Transformer::Patch),
            Plugin::Patches { paths, text } => self
                .merge_patches(builder, &paths, &text)
                .map(Transformer::PatchesStrategicMerge),
            Plugin::JsonPatch {
                target,
                path,
                operations,
            } => self.json_patch(builder, target, &path, &operations),
            Plugin::Replacements(entries) => self.replacements(builder, &entries),
            Plugin::ValueAdd {
                value,
                targets,
                file,
            } => self.value_add(builder, &value, targets, &file),
            Plugin::Generate(..)
            | Plugin::ServiceAccount(_)
            | Plugin::Chart(_)
            | Plugin::Inflate(_) => Err(Failures::new(
                BuildError::ConfigurationInvalid,
                "transformers",
                "plugin not a transformer",
            )),
        }
    }

    #[expect(
        clippy::type_complexity,
        reason = "a transformer, its record and its place; used once"
    )]
    pub(crate) fn built_in_transformers(
        &self,
        builder: &mut Builder<'_>,
        ra: &Accumulator,
    ) -> Outcome<Vec<(Transformer, Option<String>, Option<Span>)>> {
        let file = &self.file;
        let config = ra.config.clone().unwrap_or_default();
        let mut all = Vec::new();
        let mut errors: Vec<BuildError> = Vec::new();
        let origin = |kind: &str| {
            self.trail
                .as_ref()
                .map(|trail| trail.configured_in(self.file_name, kind))
        };
        let mut add = |kind: &str, transformer: Transformer, span: Option<Span>| {
            all.push((transformer, origin(kind), span));
        };
        if !file.patches_strategic_merge.is_empty() {
            match self.merge_patches(builder, &file.patches_strategic_merge, "") {
                Ok(patches) => add(
                    "PatchStrategicMergeTransformer",
                    Transformer::PatchesStrategicMerge(patches),
                    self.span(&FieldPath::keys(["patchesStrategicMerge"])),
                ),
                Err(failures) => {
                    let config = configure::yaml_of(&[(
                        "paths",
                        configure::strings(&file.patches_strategic_merge),
                    )]);
                    let wrapped = trouble("PatchStrategicMergeTransformer", &config, failures);
                    errors.extend(
                        wrapped
                            .at(self.span(&FieldPath::keys(["patchesStrategicMerge"])))
                            .0,
                    );
                }
            }
        }
        for (at, entry) in file.patches.iter().enumerate() {
            let span = self.entry_span("patches", at);
            match self.patch(builder, entry, span.clone()) {
                Ok(patch) => add("PatchTransformer", Transformer::Patch(patch), span),
                Err(failures) => errors.extend(
                    trouble("PatchTransformer", &configure::patch_yaml(entry), failures)
                        .at(span)
                        .0,
                ),
            }
        }
        if !file.namespace.is_empty() {
            let namespace = Namespace {
                namespace: file.namespace.clone(),
                specs: config.namespace.clone(),
                unset_only: false,
                subjects: Subjects::Default,
            };
            add(
                "NamespaceTransformer",
                Transformer::Namespace(namespace),
                self.span(&FieldPath::keys(["namespace"])),
            );
        }
        for (text, specs, suffix, field, kind) in [
            (
                &file.name_prefix,
                &config.name_prefix,
                false,
                "namePrefix",
                "PrefixTransformer",
            ),
            (
                &file.name_suffix,
                &config.name_suffix,
                true,
                "nameSuffix",
                "SuffixTransformer",
            ),
        ] {
            if !text.is_empty() {
                let affix = Affix {
                    text: text.clone(),
                    specs: specs.clone(),
                    suffix,
                };
                add(
                    kind,
                    Transformer::Affix(affix),
                    self.span(&FieldPath::keys([field])),
                );
            }
        }
        for (at, label) in file.labels.iter().enumerate() {
            let span = self.entry_span("labels", at);
            match label_specs(label, &config) {
                Ok(specs) => add(
                    "LabelTransformer",
                    Transformer::Entries(Entries {
                        pairs: label.pairs.clone(),
                        specs,
                    }),
                    span,
                ),
                Err(text) => errors.extend(
                    Failures::new(BuildError::ConfigurationInvalid, "labels", text)
                        .at(span)
                        .0,
                ),
            }
        }
        if !file.labels.is_empty() || !file.common_labels.is_empty() {
            let entries = Entries {
                pairs: file.common_labels.clone(),
                specs: config.common_labels.clone(),
            };
            add(
                "LabelTransformer",
                Transformer::Entries(entries),
                self.span(&FieldPath::keys(["commonLabels"])),
            );
        }
        if !file.common_annotations.is_empty() {
            let entries = Entries {
                pairs: file.common_annotations.clone(),
                specs: config.common_annotations.clone(),
            };
            add(
                "AnnotationsTransformer",
                Transformer::Entries(entries),
                None,
            );
        }
        for (at, entry) in file.patches_json6902.iter().enumerate() {
            let span = self.entry_span("patchesJson6902", at);
            match self.json_patch(builder, entry.target.clone(), &entry.path, &entry.patch) {
                Ok(transformer) => add("PatchJson6902Transformer", transformer, span),
                Err(failures) => {
                    let config = configure::json_patch_yaml(entry);
                    errors.extend(
                        trouble("PatchJson6902Transformer", &config, failures)
                            .at(span)
                            .0,
                    );
                }
            }
        }
        for (at, replica) in file.replicas.iter().enumerate() {
            let replicas = Replicas {
                name: replica.name.clone(),
                count: replica.count,
                specs: config.replicas.clone(),
            };
            add(
                "ReplicaCountTransformer",
                Transformer::Replicas(replicas),
                self.entry_span("replicas", at),
            );
        }
        for (at, image) in file.images.iter().enumerate() {
            let span = self.entry_span("images", at);
            match Images::new(image.clone(), config.images.clone()) {
                Ok(images) => add("ImageTagTransformer", Transformer::Images(images), span),
                Err(text) => {
                    errors.extend(
                        Failures::new(BuildError::SelectorInvalid, image.name.clone(), text)
                            .at(span)
                            .0,
                    );
                }
            }
        }
        if !file.replacements.is_empty() {
            let span = self.span(&FieldPath::keys(["replacements"]));
            match self.replacements(builder, &file.replacements) {
                Ok(transformer) => add("ReplacementTransformer", transformer, span),
                Err(failures) => errors.extend(failures.at(span).0),
            }
        }
        if errors.is_empty() {
            Ok(all)
        } else {
            Err(Failures(errors))
        }
    }

    fn patch(
        &self,
        builder: &mut Builder<'_>,
        entry: &file::Patch,
        at: Option<Span>,
    ) -> Outcome<patch::Patch> {
        let inline = entry.patch.trim();
        let fail = |text: String| Failures::new(BuildError::PatchInvalid, entry.path.clone(), text);
        let (text, source, begin) = match (inline.is_empty(), entry.path.is_empty()) {
            (true, true) => {
                let yaml = configure::patch_yaml(entry);
                return Err(fail(format!(
                    "must specify one of patch and path in\n{yaml}"
                )));
            }
            (false, false) => {
                let yaml = configure::patch_yaml(entry);
                return Err(fail(format!(
                    "patch and path can't be set at the same time\n{yaml}"
                )));
            }
            (false, true) => (
                inline.to_owned(),
                format!("[patch: {}]", go_quote(inline)),
                None,
            ),
            (true, false) => {
                let path = &entry.path;
                let text =
                    self.loader
                        .load_text(&mut builder.access, path)
                        .map_err(|failures| {
                            failures
                                .prefix(format!("failed to get the patch file from path({path})"))
                        })?;
                (
                    text.to_string(),
                    format!("[path: {}]", go_quote(path)),
                    Some(self.loader.shown(path)),
                )
            }
        };
        let mut body = patch::read_body(&text, &builder.schema).map_err(|both| match both {
            Some(()) => fail(format!(
                "illegally qualifies as both an SM and JSON patch: {source}"
            )),
            None => fail(format!("unable to parse SM or JSON patch from {source}")),
        })?;
        if let Body::Merge(items) = &mut body {
            for item in items {
                let options = entry.options.unwrap_or_default();
                item.history.allow_name_change |= options.allow_name_change;
                item.history.allow_kind_change |= options.allow_kind_change;
                item.origin = begin.as_ref().map(|path| {
                    Arc::new(Origin {
                        path: path.as_str().into(),
                        line: item.node.line,
                        document: 0,
                    })
                });
            }
        }
        Ok(patch::Patch {
            body,
            target: entry.target.clone(),
            source,
            at,
        })
    }

    fn merge_patches(
        &self,
        builder: &mut Builder<'_>,
        paths: &[String],
        inline: &str,
    ) -> Outcome<Vec<Item>> {
        let fail = |text: String| Failures::new(BuildError::PatchInvalid, paths.join(", "), text);
        if paths.is_empty() && inline.is_empty() {
            return Err(fail("empty file path and empty patch content".into()));
        }
        let mut items = Vec::new();
        for path in paths {
            if let Ok(nodes) = resource::read_objects(path) {
                items.extend(
                    nodes
                        .into_iter()
                        .map(|node| Item::new(node, &builder.schema)),
                );
                continue;
            }
            let text = self.loader.load_text(&mut builder.access, path)?;
            let shown = self.loader.shown(path);
            let nodes = resource::read_objects(&text)
                .map_err(|failure| read_failure(&failure, path, &shown))?;
            for node in nodes {
                let line = node.line;
                let mut item = Item::new(node, &builder.schema);
                item.origin = Some(Arc::new(Origin {
                    path: shown.as_str().into(),
                    line,
                    document: 0,
                }));
                items.push(item);
            }
        }
        if !inline.is_empty() {
            let nodes = resource::read_objects(inline).map_err(|failure| fail(failure.message))?;
            items.extend(
                nodes
                    .into_iter()
                    .map(|node| Item::new(node, &builder.schema)),
            );
        }
        if items.is_empty() {
            let text = format!(
                "patch appears to be empty; files=[{}], Patch={inline}",
                paths.join(" ")
            );
            return Err(fail(text));
        }
        Ok(items)
    }

    fn json_patch(
        &self,
        builder: &mut Builder<'_>,
        target: Option<crate::select::Selector>,
        path: &str,
        operations: &str,
    ) -> Outcome<Transformer> {
        let fail = |text: String| Failures::new(BuildError::PatchInvalid, path, text);
        let Some(target) = target.filter(|target| !target.name.is_empty()) else {
            return Err(fail("must specify the target name".into()));
        };
        let text = match (path.is_empty(), operations.is_empty()) {
            (true, true) => return Err(fail("empty file path and empty jsonOp".into())),
            (false, false) => {
                return Err(fail("must specify a file path or jsonOp, not both".into()));
            }
            (true, false) => operations.to_owned(),
            (false, true) => {
                let text = self.loader.load_text(&mut builder.access, path)?;
                if text.is_empty() {
                    return Err(fail(format!("patch file '{path}' empty seems to be empty")));
                }
                text.to_string()
            }
        };
        let json = crate::jsonpatch::parse(&text).map_err(|error| match text.starts_with('[') {
            true => fail(format!("decoding {text}: {error}")),
            false => fail(error),
        })?;
        match json.filter(|json| !json.is_empty()) {
            Some(json) => Ok(Transformer::JsonPatch(json, target)),
            None => Err(fail(format!(
                "patch appears to be empty; file={path}, JsonOp={text}"
            ))),
        }
    }

    fn replacements(
        &self,
        builder: &mut Builder<'_>,
        entries: &[file::ReplacementEntry],
    ) -> Outcome<Transformer> {
        let mut all = Vec::new();
        for entry in entries {
            let fail = |text: String| {
                Failures::new(BuildError::ReplacementFailed, entry.path.clone(), text)
            };
            if entry.path.is_empty() {
                all.push(entry.replacement.clone());
                continue;
            }
            if entry.replacement.source.is_some()
                || entry
                    .replacement
                    .targets
                    .as_ref()
                    .is_some_and(|t| !t.is_empty())
            {
                return Err(fail(
                    "cannot specify both path and inline replacement".into(),
                ));
            }
            let text = self.loader.load_text(&mut builder.access, &entry.path)?;
            let value = crate::read_value(&text).map_err(fail)?;
            let mut decoder = Decoder::new(false);
            match &value {
                object::Node::List(_) => {
                    all.extend(decoder.list(&value, "types.Replacement", file::replacement))
                }
                object::Node::Map(_) => all.push(file::replacement(&mut decoder, &value)),
                _ => {
                    let text =
                        "unsupported replacement type encountered within replacement path: invalid";
                    return Err(fail(text.into()));
                }
            }
            if let Some(problem) = decoder.problems.first() {
                return Err(fail(format!(
                    "error unmarshaling JSON: {}",
                    problem.message
                )));
            }
        }
        Ok(Transformer::Replacements(all))
    }

    fn value_add(
        &self,
        builder: &mut Builder<'_>,
        value: &str,
        mut targets: Vec<plugin::ValueAdd>,
        path: &str,
    ) -> Outcome<Transformer> {
        let fail = |text: String| {
            Failures::new(
                BuildError::ConfigurationInvalid,
                "ValueAddTransformer",
                text,
            )
        };
        if !path.is_empty() {
            let text = self.loader.load_text(&mut builder.access, path)?;
            let read = crate::read_value(&text).map_err(fail)?;
            let mut decoder = Decoder::new(false);
            decoder.object(&read, "Targets", &["targets"], |d, _, value| {
                targets.extend(d.list(value, "Target", plugin::value_add));
            });
        }
        if targets.is_empty() {
            return Err(fail("must specify at least one target".into()));
        }
        let value = match value.is_empty() {
            true => self.loader.root_name(),
            false => value,
        };
        for target in &mut targets {
            if target.field_path.is_empty() {
                return Err(fail("fieldPath cannot be empty".into()));
            }
            if target.file_path_position < 0 {
                let text = format!(
                    "value of FilePathPosition ({}) cannot be negative",
                    target.file_path_position
                );
                return Err(fail(text));
            }
            target.value = value.to_owned();
        }
        Ok(Transformer::ValueAdd(targets))
    }
}

/// The fields a `labels` entry sets.
fn label_specs(label: &file::Label, config: &Config) -> Result<Vec<FieldSpec>, String> {
    let wrap = |text: String| format!("failed to merge labels: {text}");
    let mut specs = label.fields.clone();
    fieldspec::merge_all(&mut specs, &config.labels).map_err(wrap)?;
    if label.include_selectors {
        fieldspec::merge_all(&mut specs, &config.common_labels).map_err(wrap)?;
        return Ok(specs);
    }
    if label.include_templates {
        fieldspec::merge_all(&mut specs, &config.template_labels)
            .map_err(|text| format!("failed to merge template fieldSpec: {text}"))?;
    }
    fieldspec::merge_one(&mut specs, &FieldSpec::any("metadata/labels", true)).map_err(wrap)?;
    Ok(specs)
}

fn trouble(kind: &str, config: &str, failures: Failures) -> Failures {
    failures.prefix(format!(
        "trouble configuring builtin {kind} with config: `\n{config}`"
    ))
}
