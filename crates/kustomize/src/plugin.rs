//! Transformers in the order they run, and those that are configured by objects of their own.
//!
//! # Source
//! kubernetes-sigs/kustomize `api/internal/plugins/loader`, `api/internal/builtins`.

use object::Node as Value;
use yaml::Node;

use crate::decode::Decoder;
use crate::error::{BuildError, Failures, Outcome};
use crate::fieldspec::{FieldSpec, split_path};
use crate::file::{self, Replacement};
use crate::generate::Generator;
use crate::inflate::Inflation;
use crate::jsonpatch::JsonPatch;
use crate::ops;
use crate::patch::{self, Patch};
use crate::replace;
use crate::resource::Item;
use crate::schema::Schema;
use crate::select::Selector;
use crate::transform::{self, Affix, Entries, Images, Namespace, Replicas, Subjects};

/// A transformer ready to run.
#[derive(Clone, Debug)]
pub(crate) enum Transformer {
    PatchesStrategicMerge(Vec<Item>),
    Patch(Patch),
    Namespace(Namespace),
    Affix(Affix),
    Affixes(Affix, Affix),
    Entries(Entries),
    JsonPatch(JsonPatch, Selector),
    Replicas(Replicas),
    Images(Images),
    Replacements(Vec<Replacement>),
    ValueAdd(Vec<ValueAdd>),
    Hash,
}

/// A value put into one field of the selected objects.
#[derive(Clone, Debug)]
pub(crate) struct ValueAdd {
    pub value: String,
    pub selector: Option<Selector>,
    pub field_path: String,
    pub file_path_position: i64,
}

impl Transformer {
    /// Whether it asks which lists merge.
    pub fn uses_schema(&self) -> bool {
        matches!(
            self,
            Self::PatchesStrategicMerge(_)
                | Self::Patch(Patch {
                    body: patch::Body::Merge(_),
                    ..
                })
        )
    }

    /// Works on the objects; returns how many a patch was for, where that is known.
    pub fn run(&self, items: &mut Vec<Item>, schema: &Schema) -> Outcome<Option<usize>> {
        match self {
            Self::PatchesStrategicMerge(patches) => {
                for patch in patches {
                    let at = patch::find_target(items, &patch.original_id())
                        .map_err(|failures| failures.at(patch.place()))?;
                    patch::apply_to_all(items, &[at], patch, schema)
                        .map_err(|failures| failures.at(patch.place()))?;
                }
            }
            Self::Patch(patch) => return patch.run(items, schema).map(Some),
            Self::Namespace(namespace) => namespace.run(items, schema)?,
            Self::Affix(affix) => affix.run(items, schema)?,
            Self::Affixes(prefix, suffix) => {
                prefix.run(items, schema)?;
                suffix.run(items, schema)?;
            }
            Self::Entries(entries) => entries.run(items)?,
            Self::JsonPatch(json, target) => {
                let selected = patch::select(items, target).map_err(|text| {
                    Failures::new(BuildError::SelectorInvalid, target.name.clone(), text)
                })?;
                for at in selected {
                    patch::apply_json(&mut items[at], json, schema)?;
                }
            }
            Self::Replicas(replicas) => replicas.run(items)?,
            Self::Images(images) => images.run(items)?,
            Self::Replacements(replacements) => replace::run(replacements, items, schema)?,
            Self::ValueAdd(adds) => {
                for add in adds {
                    add.run(items, schema)?;
                }
            }
            Self::Hash => transform::add_hashes(items, schema)?,
        }
        Ok(None)
    }
}

impl ValueAdd {
    fn run(&self, items: &mut [Item], schema: &Schema) -> Outcome<()> {
        let fail = |text: String| {
            Failures::new(BuildError::TransformFailed, self.field_path.clone(), text)
        };
        let selected = match &self.selector {
            Some(selector) => patch::select(items, selector).map_err(fail)?,
            None => (0..items.len()).collect(),
        };
        for at in selected {
            let item = &mut items[at];
            if self.field_path == "metadata/namespace" {
                let namespace = Namespace {
                    namespace: self.value.clone(),
                    specs: Vec::new(),
                    unset_only: false,
                    subjects: Subjects::Default,
                };
                namespace.run_on(item).map_err(fail)?;
            } else {
                let parts = split_path(&self.field_path, '/');
                ops::check_path(parts.len()).map_err(fail)?;
                self.set(&mut item.node, &parts).map_err(fail)?;
            }
            item.unify();
            item.refresh(schema);
        }
        Ok(())
    }

    fn set(&self, node: &mut Node, parts: &[String]) -> Result<(), String> {
        let Some((part, rest)) = parts.split_first() else {
            ops::expect_kind(node, yaml::Kind::Scalar)?;
            let value = match self.file_path_position {
                at if at > 0 => insert_part(&node.value, at as usize - 1, &self.value),
                _ => self.value.clone(),
            };
            return ops::set_scalar(node, Node::scalar(value));
        };
        if part.starts_with('[') && part.ends_with(']') {
            let Some((name, value)) = part[1..part.len() - 1].split_once('=') else {
                return Err(
                    "list path element must contain fieldName=fieldValue for element to match"
                        .into(),
                );
            };
            ops::expect_kind(node, yaml::Kind::Sequence)?;
            let found = node
                .content
                .iter_mut()
                .find(|item| item.get(name).is_some_and(|field| field.value == value));
            return found.map_or(Ok(()), |item| self.set(item, rest));
        }
        if let Ok(index) = part.parse::<usize>() {
            ops::expect_kind(node, yaml::Kind::Sequence)?;
            return node
                .content
                .get_mut(index)
                .map_or(Ok(()), |item| self.set(item, rest));
        }
        ops::expect_kind(node, yaml::Kind::Mapping)?;
        if node.get(part).is_none() {
            let new = if rest.is_empty() {
                Node::default()
            } else {
                Node::mapping([])
            };
            ops::append_field(node, part, new);
        }
        self.set(node.get_mut(part).expect("found or added just above"), rest)
    }
}

/// Puts a part into a path, at the end when the place is beyond it.
fn insert_part(path: &str, at: usize, part: &str) -> String {
    if path.is_empty() {
        return cleaned(part);
    }
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    parts.insert(at.min(parts.len()), part);
    let absolute = if path.starts_with('/') { "/" } else { "" };
    cleaned(&format!("{absolute}{}", parts.join("/")))
}

/// A path without repeated slashes.
fn cleaned(path: &str) -> String {
    let absolute = if path.starts_with('/') { "/" } else { "" };
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    format!("{absolute}{}", parts.join("/"))
}

/// A plugin configuration, read but for the files it names.
#[derive(Clone, Debug)]
pub(crate) enum Plugin {
    Ready(Transformer),
    Patch(file::Patch),
    Patches {
        paths: Vec<String>,
        text: String,
    },
    JsonPatch {
        target: Option<Selector>,
        path: String,
        operations: String,
    },
    Replacements(Vec<file::ReplacementEntry>),
    ValueAdd {
        value: String,
        targets: Vec<ValueAdd>,
        file: String,
    },
    Generate(Generator, file::GeneratorArgs),
    ServiceAccount(Box<Node>),
    Chart(Box<(file::HelmChart, file::HelmGlobals)>),
    Inflate(Box<Inflation>),
}

/// Whether the built-in kind is a generator; `None` when there is no such kind.
pub(crate) fn is_generator(kind: &str) -> Option<bool> {
    match kind {
        "ConfigMapGenerator"
        | "SecretGenerator"
        | "HelmChartInflationGenerator"
        | "IAMPolicyGenerator" => Some(true),
        "AnnotationsTransformer"
        | "HashTransformer"
        | "ImageTagTransformer"
        | "LabelTransformer"
        | "NamespaceTransformer"
        | "PatchJson6902Transformer"
        | "PatchStrategicMergeTransformer"
        | "PatchTransformer"
        | "PrefixTransformer"
        | "SuffixTransformer"
        | "PrefixSuffixTransformer"
        | "ReplacementTransformer"
        | "ReplicaCountTransformer"
        | "ValueAddTransformer" => Some(false),
        _ => None,
    }
}

/// Reads the configuration of a built-in plugin.
///
/// # Errors
/// Fields of the wrong type or with impossible values, in the reference's words.
pub(crate) fn read(kind: &str, config: &Value) -> Result<Plugin, String> {
    let mut d = Decoder::new(false);
    d.lenient_texts = true;
    let plugin = read_with(&mut d, kind, config)?;
    match d.problems.first() {
        Some(problem) => Err(format!(
            "error unmarshaling JSON: while decoding JSON: {}",
            problem.message
        )),
        None => Ok(plugin),
    }
}

fn specs(d: &mut Decoder, value: &Value) -> Vec<FieldSpec> {
    d.list(value, "types.FieldSpec", file::field_spec)
}

fn read_with(d: &mut Decoder, kind: &str, config: &Value) -> Result<Plugin, String> {
    Ok(match kind {
        "LabelTransformer" | "AnnotationsTransformer" => {
            let mut entries = Entries {
                pairs: Vec::new(),
                specs: Vec::new(),
            };
            let known = match kind {
                "LabelTransformer" => &["labels", "fieldSpecs"],
                _ => &["annotations", "fieldSpecs"],
            };
            d.object(config, "Plugin", known, |d, name, value| match name {
                "fieldSpecs" => entries.specs = specs(d, value),
                _ => entries.pairs = d.string_map(value),
            });
            Plugin::Ready(Transformer::Entries(entries))
        }
        "HashTransformer" => Plugin::Ready(Transformer::Hash),
        "ImageTagTransformer" => {
            let (mut image, mut fields) = (file::Image::default(), Vec::new());
            d.object(
                config,
                "Plugin",
                &["imageTag", "fieldSpecs"],
                |d, name, value| match name {
                    "fieldSpecs" => fields = specs(d, value),
                    _ => image = file::image(d, value),
                },
            );
            Plugin::Ready(Transformer::Images(Images::new(image, fields)?))
        }
        "NamespaceTransformer" => {
            let mut namespace = Namespace {
                namespace: String::new(),
                specs: Vec::new(),
                unset_only: false,
                subjects: Subjects::Default,
            };
            let mut subjects = String::new();
            let known = &[
                "metadata",
                "fieldSpecs",
                "unsetOnly",
                "setRoleBindingSubjects",
            ];
            d.object(config, "Plugin", known, |d, name, value| match name {
                "metadata" => d.object(value, "ObjectMeta", &["namespace"], |d, _, value| {
                    namespace.namespace = d.string(value);
                }),
                "fieldSpecs" => namespace.specs = specs(d, value),
                "unsetOnly" => namespace.unset_only = d.bool(value),
                _ => subjects = d.string(value),
            });
            namespace.subjects = Subjects::read(&subjects)?;
            Plugin::Ready(Transformer::Namespace(namespace))
        }
        "PrefixTransformer" | "SuffixTransformer" | "PrefixSuffixTransformer" => {
            let (mut prefix, mut suffix, mut fields) = (String::new(), String::new(), None);
            d.object(
                config,
                "Plugin",
                &["prefix", "suffix", "fieldSpecs"],
                |d, name, value| match name {
                    "fieldSpecs" => fields = (!value.is_null()).then(|| specs(d, value)),
                    "prefix" => prefix = d.string(value),
                    _ => suffix = d.string(value),
                },
            );
            let specs = fields.ok_or("fieldSpecs is not expected to be nil")?;
            let prefix = Affix {
                text: prefix,
                specs: specs.clone(),
                suffix: false,
            };
            let suffix = Affix {
                text: suffix,
                specs,
                suffix: true,
            };
            Plugin::Ready(match kind {
                "PrefixTransformer" => Transformer::Affix(prefix),
                "SuffixTransformer" => Transformer::Affix(suffix),
                _ => Transformer::Affixes(prefix, suffix),
            })
        }
        "ReplicaCountTransformer" => {
            let (mut replica, mut fields) = (file::Replica::default(), Vec::new());
            d.object(
                config,
                "Plugin",
                &["replica", "fieldSpecs"],
                |d, name, value| match name {
                    "fieldSpecs" => fields = specs(d, value),
                    _ => replica = file::replica(d, value),
                },
            );
            Plugin::Ready(Transformer::Replicas(Replicas {
                name: replica.name,
                count: replica.count,
                specs: fields,
            }))
        }
        "PatchTransformer" => Plugin::Patch(file::patch(d, config)),
        "PatchStrategicMergeTransformer" => {
            let (mut paths, mut text) = (Vec::new(), String::new());
            d.object(
                config,
                "Plugin",
                &["paths", "patches"],
                |d, name, value| match name {
                    "paths" => paths = d.strings(value),
                    _ => text = d.string(value),
                },
            );
            Plugin::Patches { paths, text }
        }
        "PatchJson6902Transformer" => {
            let (mut target, mut path, mut operations) = (None, String::new(), String::new());
            d.object(
                config,
                "Plugin",
                &["target", "path", "jsonOp"],
                |d, name, value| match name {
                    "target" => target = (!value.is_null()).then(|| file::selector(d, value)),
                    "path" => path = d.string(value),
                    _ => operations = d.string(value),
                },
            );
            Plugin::JsonPatch {
                target,
                path,
                operations,
            }
        }
        "ReplacementTransformer" => {
            let mut entries = Vec::new();
            d.object(config, "Plugin", &["replacements"], |d, _, value| {
                entries = d.list(value, "types.ReplacementField", file::replacement_entry);
            });
            Plugin::Replacements(entries)
        }
        "ValueAddTransformer" => {
            let (mut value, mut targets, mut path) = (String::new(), Vec::new(), String::new());
            let known = &["value", "targets", "targetFilePath"];
            d.object(config, "Plugin", known, |d, name, field| match name {
                "value" => value = d.string(field).trim().to_owned(),
                "targets" => targets = d.list(field, "Target", value_add),
                _ => path = d.string(field),
            });
            Plugin::ValueAdd {
                value,
                targets,
                file: path,
            }
        }
        "ConfigMapGenerator" | "SecretGenerator" => {
            let (mut args, mut env) = (file::GeneratorArgs::default(), String::new());
            let (mut meta_name, mut meta_namespace) = (String::new(), String::new());
            const KNOWN: &[&str] = &[
                "namespace",
                "name",
                "behavior",
                "literals",
                "files",
                "envs",
                "env",
                "options",
                "type",
                "metadata",
            ];
            // `kind` and `apiVersion` of the configuration are no fields of the generator.
            d.object(config, "Plugin", KNOWN, |d, name, value| match name {
                "metadata" => d.object(
                    value,
                    "ObjectMeta",
                    &["name", "namespace"],
                    |d, name, value| match name {
                        "name" => meta_name = d.string(value),
                        _ => meta_namespace = d.string(value),
                    },
                ),
                _ => file::generator_field(d, &mut args, &mut env, name, value),
            });
            if args.name.is_empty() {
                args.name = meta_name;
            }
            if args.namespace.is_empty() {
                args.namespace = meta_namespace;
            }
            let generator = match kind {
                "ConfigMapGenerator" => Generator::ConfigMap,
                _ => Generator::Secret,
            };
            Plugin::Generate(generator, args)
        }
        "IAMPolicyGenerator" => Plugin::ServiceAccount(Box::new(service_account(d, config)?)),
        _ => Plugin::Chart(Box::new(file::helm_chart_plugin(d, config))),
    })
}

pub(crate) fn value_add(d: &mut Decoder, value: &Value) -> ValueAdd {
    let mut add = ValueAdd {
        value: String::new(),
        selector: None,
        field_path: String::new(),
        file_path_position: 0,
    };
    let known = &["selector", "fieldPath", "filePathPosition"];
    d.object(value, "Target", known, |d, name, value| match name {
        "selector" => add.selector = (!value.is_null()).then(|| file::selector(d, value)),
        "fieldPath" => add.field_path = d.string(value),
        _ => add.file_path_position = d.integer(value, "int"),
    });
    add
}

/// The service account that stands for one of a cloud.
fn service_account(d: &mut Decoder, config: &Value) -> Result<Node, String> {
    let (mut cloud, mut name, mut namespace) = (String::new(), String::new(), String::new());
    let (mut account, mut project) = (String::new(), String::new());
    let known = &["cloud", "kubernetesService", "serviceAccount"];
    d.object(config, "Plugin", known, |d, field, value| match field {
        "cloud" => cloud = d.string(value),
        "kubernetesService" => d.object(
            value,
            "KubernetesService",
            &["name", "namespace"],
            |d, field, value| match field {
                "name" => name = d.string(value),
                _ => namespace = d.string(value),
            },
        ),
        _ => d.object(
            value,
            "ServiceAccount",
            &["name", "projectId"],
            |d, field, value| match field {
                "name" => account = d.string(value),
                _ => project = d.string(value),
            },
        ),
    });
    if cloud != "gke" {
        return Err(format!("cloud provider {cloud} not supported yet"));
    }
    let annotation = format!("{account}@{project}.iam.gserviceaccount.com");
    let mut metadata = Node::mapping([
        (
            Node::scalar("annotations"),
            Node::mapping([(
                Node::scalar("iam.gke.io/gcp-service-account"),
                Node::string(annotation),
            )]),
        ),
        (Node::scalar("name"), Node::scalar(name)),
    ]);
    if !namespace.is_empty() {
        metadata.set("namespace", Node::scalar(namespace));
    }
    Ok(Node::mapping([
        (Node::scalar("apiVersion"), Node::string("v1")),
        (Node::scalar("kind"), Node::string("ServiceAccount")),
        (Node::scalar("metadata"), metadata),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_goes_into_a_path_without_changing_its_root() {
        let cases = [
            ("", 0, "P"),
            ("pie", 0, "P/pie"),
            ("/pie", 0, "/P/pie"),
            ("/a/b", 1, "/a/P/b"),
            ("a/b", 9, "a/b/P"),
        ];
        for (path, at, expected) in cases {
            assert_eq!(insert_part(path, at, "P"), expected, "{path}");
        }
    }
}
