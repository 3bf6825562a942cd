//! Reading field specs from files, and the configurations that error messages repeat.

use std::collections::BTreeMap;

use object::{Map, Node as Value, Text};
use yaml::Node;

use crate::config::{Config, NameReference};
use crate::decode::Decoder;
use crate::fieldspec::{self, FieldSpec};
use crate::file::{self, Patch};
use crate::ids::Gvk;
use crate::ops;
use crate::resource::Item;
use crate::schema::Schema;
use crate::select::Selector;

/// Makes a generated object the successor of one that exists: labels and annotations joined, name
/// and history taken over, data joined when `merge`.
///
/// # Errors
/// Metadata that is no map.
pub(crate) fn take_over(
    item: &mut Item,
    old: &Item,
    merge: bool,
    schema: &Schema,
) -> Result<(), String> {
    let join = |mut first: BTreeMap<Text, Text>, second: BTreeMap<Text, Text>| {
        first.extend(second);
        first
    };
    let labels = join(old.labels(), item.labels());
    ops::set_metadata_map(&mut item.node, "labels", &labels);
    let mut annotations = join(old.annotations(), item.annotations());
    if merge && let Some(origin) = old.annotation(crate::resource::ORIGIN) {
        annotations.insert(crate::resource::ORIGIN.into(), origin.into());
    }
    ops::set_metadata_map(&mut item.node, "annotations", &annotations);
    item.set_metadata("name", &old.id.name, schema)?;
    item.set_metadata("namespace", &old.id.namespace, schema)?;
    let needs_hash = old.history.needs_hash && item.history.needs_hash;
    item.history = old.history.clone();
    item.history.needs_hash = needs_hash;
    item.variables = old.variables.clone();
    if merge {
        let entries = |node: &Node, field: &str| -> BTreeMap<Text, Text> {
            let map = node.get(field).into_iter().flat_map(Node::pairs);
            map.map(|(key, value)| (ops::text_of(key).into(), ops::text_of(value).into()))
                .collect()
        };
        for field in ["data", "binaryData"] {
            let joined = join(entries(&old.node, field), entries(&item.node, field));
            item.node.remove(field);
            if !joined.is_empty() {
                let pairs = joined
                    .into_iter()
                    .map(|(key, value)| (Node::scalar(key), Node::string(value)));
                item.node.set(field, Node::mapping(pairs));
            }
        }
    }
    Ok(())
}

const CONFIG_FIELDS: &[&str] = &[
    "namePrefix",
    "nameSuffix",
    "namespace",
    "commonLabels",
    "labels",
    "templateLabels",
    "commonAnnotations",
    "nameReference",
    "varReference",
    "images",
    "replicas",
];

/// Reads a file of the `configurations` field.
///
/// # Errors
/// Text that is not YAML, or fields that are not known; in the reference's words.
pub(crate) fn read_config(text: &str) -> Result<Config, String> {
    let value = crate::read_document(text, yaml::Duplicates::Refuse)
        .map_err(|error| format!("error converting YAML to JSON: {error}"))?;
    let mut d = Decoder::new(true);
    let mut config = Config::default();
    d.object(
        &value,
        "TransformerConfig",
        CONFIG_FIELDS,
        |d, name, value| {
            if name == "nameReference" {
                config.name_reference =
                    d.list(value, "builtinconfig.NameBackReferences", name_reference);
                return;
            }
            let specs = d.list(value, "types.FieldSpec", file::field_spec);
            *match name {
                "namePrefix" => &mut config.name_prefix,
                "nameSuffix" => &mut config.name_suffix,
                "namespace" => &mut config.namespace,
                "commonLabels" => &mut config.common_labels,
                "labels" => &mut config.labels,
                "templateLabels" => &mut config.template_labels,
                "commonAnnotations" => &mut config.common_annotations,
                "varReference" => &mut config.var_reference,
                "images" => &mut config.images,
                _ => &mut config.replicas,
            } = specs;
        },
    );
    match d.problems.first() {
        Some(problem) => Err(format!(
            "error unmarshaling JSON: while decoding JSON: {}",
            problem.message
        )),
        None => Ok(config),
    }
}

fn name_reference(d: &mut Decoder, value: &Value) -> NameReference {
    let mut reference = NameReference {
        target: Gvk::default(),
        referrers: Vec::new(),
    };
    let known = &["group", "version", "kind", "fieldSpecs"];
    d.object(
        value,
        "NameBackReferences",
        known,
        |d, name, value| match name {
            "group" => reference.target.group = d.string(value).into(),
            "version" => reference.target.version = d.string(value).into(),
            "kind" => reference.target.kind = d.string(value).into(),
            _ => reference.referrers = d.list(value, "types.FieldSpec", file::field_spec),
        },
    );
    reference
}

/// Deepest chain of definitions that refer to each other; a recursive schema ends here.
const REFERENCES_MAX: usize = 16;

/// Most fields one file of definitions may add.
const SPECS_MAX: usize = 10_000;

/// Reads a file of the `crds` field: OpenAPI definitions whose marks say which fields are labels,
/// annotations and names.
///
/// # Errors
/// Text that holds no definitions, in the reference's words.
///
/// # Source
/// kubernetes-sigs/kustomize `api/internal/accumulator/loadconfigfromcrds.go`.
pub(crate) fn read_crds(text: &str, path: &str) -> Result<Config, String> {
    let value = match text.starts_with('{') {
        true => object::json::parse(text.as_bytes(), object::json::ANSWER_LIMITS)
            .map_err(|error| error.to_string()),
        false => crate::read_value(text),
    };
    let value = value
        .map_err(|error| format!("unable to parse open API definition from '{path}': {error}"))?;
    let mut config = Config::default();
    let Some(definitions) = value.as_map() else {
        return Err(format!(
            "unable to parse open API definition from '{path}': json: cannot unmarshal"
        ));
    };
    for (name, definition) in definitions.iter() {
        if !matches!(definition, Value::Map(_) | Value::Null) {
            return Err(format!(
                "unable to parse open API definition from '{path}': error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {} into Go value of type accumulator.OpenAPIDefinition",
                crate::decode::json_kind(definition)
            ));
        }
        let properties = definition
            .at(&["Schema", "properties"])
            .and_then(Value::as_map);
        let is_kind = properties.is_some_and(|properties| {
            ["kind", "apiVersion", "metadata"]
                .iter()
                .all(|key| properties.contains_key(key))
        });
        if !is_kind {
            continue;
        }
        let gvk = Gvk {
            kind: name.rsplit('.').next().unwrap_or_default().into(),
            ..Gvk::default()
        };
        let mut walk = CrdWalk {
            config: &mut config,
            definitions,
            gvk,
            specs: 0,
        };
        walk.definition(name, &mut Vec::new())?;
    }
    config.merge(&Config::default())?;
    Ok(config)
}

struct CrdWalk<'a> {
    config: &'a mut Config,
    definitions: &'a Map,
    gvk: Gvk,
    specs: usize,
}

impl CrdWalk<'_> {
    fn definition(&mut self, name: &str, path: &mut Vec<String>) -> Result<(), String> {
        let definition = self.definitions.get(name);
        let Some(properties) = definition
            .and_then(|d| d.at(&["Schema", "properties"]))
            .and_then(Value::as_map)
        else {
            return Ok(());
        };
        if path.len() > REFERENCES_MAX || self.specs > SPECS_MAX {
            return Ok(());
        }
        for (property, schema) in properties.clone().iter() {
            path.push(property.to_string());
            self.property(schema, path)?;
            if let Some(reference) = schema.str_at(&["$ref"]) {
                self.definition(reference, path)?;
            }
            path.pop();
        }
        Ok(())
    }

    fn property(&mut self, schema: &Value, path: &[String]) -> Result<(), String> {
        let own = FieldSpec::new(self.gvk.clone(), &path.join("/"), false);
        let mark = |name: &str| schema.str_at(&[name]);
        self.specs += 1;
        if mark("x-kubernetes-annotation").is_some() {
            fieldspec::merge_one(&mut self.config.common_annotations, &own)?;
        }
        if mark("x-kubernetes-label-selector").is_some() {
            fieldspec::merge_one(&mut self.config.common_labels, &own)?;
        }
        if mark("x-kubernetes-identity").is_some() {
            fieldspec::merge_one(&mut self.config.name_prefix, &own)?;
        }
        let version = mark("x-kubernetes-object-ref-api-version");
        if let (Some(version), Some(kind)) = (version, mark("x-kubernetes-object-ref-kind")) {
            let key = mark("x-kubernetes-object-ref-name-key").unwrap_or("name");
            self.config.add_name_reference(&NameReference {
                target: Gvk {
                    group: Text::default(),
                    version: version.into(),
                    kind: kind.into(),
                },
                referrers: vec![FieldSpec::new(
                    self.gvk.clone(),
                    &format!("{}/{key}", path.join("/")),
                    false,
                )],
            })?;
        }
        Ok(())
    }
}

/// A configuration as error messages repeat it.
pub(crate) fn yaml_of(fields: &[(&str, Value)]) -> String {
    let map: Map = fields
        .iter()
        .map(|(key, value)| (Text::from(*key), value.clone()))
        .collect();
    yaml::to_string(&Value::Map(map))
}

pub(crate) fn strings(list: &[String]) -> Value {
    Value::list(list.iter().map(String::as_str))
}

fn texts(fields: &[(&str, &str)]) -> Map {
    let set = fields.iter().filter(|(_, text)| !text.is_empty());
    set.map(|(key, text)| (Text::from(*key), Value::from(*text)))
        .collect()
}

fn selector(selector: &Selector) -> Value {
    Value::Map(texts(&[
        ("annotationSelector", &selector.annotation_selector),
        ("group", &selector.group),
        ("kind", &selector.kind),
        ("labelSelector", &selector.label_selector),
        ("name", &selector.name),
        ("namespace", &selector.namespace),
        ("version", &selector.version),
    ]))
}

/// An entry of `patches` as error messages repeat it.
pub(crate) fn patch_yaml(patch: &Patch) -> String {
    let mut map = texts(&[("patch", &patch.patch), ("path", &patch.path)]);
    if let Some(target) = &patch.target {
        map.insert("target", selector(target));
    }
    if let Some(options) = &patch.options {
        let mut set = Map::new();
        for (key, value) in [
            ("allowKindChange", options.allow_kind_change),
            ("allowNameChange", options.allow_name_change),
        ] {
            if value {
                set.insert(key, true);
            }
        }
        map.insert("options", set);
    }
    yaml::to_string(&Value::Map(map))
}

/// An entry of `patchesJson6902` as error messages repeat it.
pub(crate) fn json_patch_yaml(patch: &Patch) -> String {
    let mut map = texts(&[("jsonOp", &patch.patch), ("path", &patch.path)]);
    if let Some(target) = &patch.target {
        map.insert("target", selector(target));
    }
    yaml::to_string(&Value::Map(map))
}
