//! Every field of a kustomization file, to read all of them and write them again.
//!
//! [`crate::file`] keeps what a build needs. Here nothing may be lost that the reference writes back,
//! so a value stays a value, and tables say what the structs of the reference do to it.
//!
//! A value that was read has its fields under their proper names. Null stands for what Go calls nil:
//! a list, map or pointer that is not set.
//!
//! # Source
//! kubernetes-sigs/kustomize `api/types`; Go's `encoding/json` `decode.go`, `encode.go`.

use object::{FieldPath, Map, Node as Value, Step};

use crate::decode::{Problem, folds_to, json_kind, sorted_keys, written};

/// The type of a field.
pub(super) enum Shape {
    /// Text, of the type that Go calls it by.
    Text(&'static str),
    Bool,
    /// An integer of 64 bits, of the type that Go calls it by.
    Integer(&'static str),
    /// A map of text.
    Texts,
    /// A map of anything, in which all numbers are floats.
    Values,
    /// A list of the shape, which Go calls by the name.
    List(&'static Shape, &'static str),
    Struct(&'static Struct),
    Pointer(&'static Shape),
}

/// A type with named fields.
pub(super) struct Struct {
    name: &'static str,
    names: &'static [&'static str],
    fields: &'static [Field],
}

/// A field of a struct.
pub(super) struct Field {
    /// The embedded structs it is a field of, which messages name.
    embedded: &'static [&'static str],
    shape: Shape,
    /// Whether it is written even when it is not set.
    always: bool,
}

const fn of(shape: Shape) -> Field {
    Field {
        embedded: &[],
        shape,
        always: false,
    }
}

impl Field {
    const fn inside(self, embedded: &'static [&'static str]) -> Self {
        Self { embedded, ..self }
    }

    const fn always(self) -> Self {
        Self {
            always: true,
            ..self
        }
    }
}

/// A struct by its fields, so that names and fields cannot drift apart.
macro_rules! structure {
    ($name:literal, $($field:literal: $shape:expr),* $(,)?) => {
        Struct { name: $name, names: &[$($field),*], fields: &[$($shape),*] }
    };
}

const TEXT: Shape = Shape::Text("string");
const STRINGS: Shape = Shape::List(&TEXT, "string");
const LABEL_SHAPE: Shape = Shape::Struct(&LABEL);
const PATCH_SHAPE: Shape = Shape::Struct(&PATCH);
const IMAGE_SHAPE: Shape = Shape::Struct(&IMAGE);
const SELECTOR_POINTER: Shape = Shape::Pointer(&Shape::Struct(&SELECTOR));
const FIELD_OPTIONS_POINTER: Shape = Shape::Pointer(&Shape::Struct(&FIELD_OPTIONS));
const GENERATOR_OPTIONS_POINTER: Shape = Shape::Pointer(&Shape::Struct(&GENERATOR_OPTIONS));

const GVK: &[&str] = &["Gvk"];
const ID: &[&str] = &["ResId"];
const ID_GVK: &[&str] = &["ResId", "Gvk"];
const GENERATOR: &[&str] = &["GeneratorArgs"];
const PAIRS: &[&str] = &["GeneratorArgs", "KvPairSources"];

/// A whole file.
pub(super) static KUSTOMIZATION: Struct = structure! {
    "Kustomization",
    "apiVersion": of(TEXT).inside(&["TypeMeta"]),
    "kind": of(TEXT).inside(&["TypeMeta"]),
    "metadata": of(Shape::Pointer(&Shape::Struct(&OBJECT_META))),
    "openapi": of(Shape::Texts),
    "namePrefix": of(TEXT),
    "nameSuffix": of(TEXT),
    "namespace": of(TEXT),
    "commonLabels": of(Shape::Texts),
    "labels": of(Shape::List(&LABEL_SHAPE, "types.Label")),
    "commonAnnotations": of(Shape::Texts),
    "patchesStrategicMerge":
        of(Shape::List(&Shape::Text("types.PatchStrategicMerge"), "types.PatchStrategicMerge")),
    "patchesJson6902": of(Shape::List(&PATCH_SHAPE, "types.Patch")),
    "patches": of(Shape::List(&PATCH_SHAPE, "types.Patch")),
    "images": of(Shape::List(&IMAGE_SHAPE, "types.Image")),
    "imageTags": of(Shape::List(&IMAGE_SHAPE, "types.Image")),
    "replacements": of(Shape::List(&Shape::Struct(&REPLACEMENT_FIELD), "types.ReplacementField")),
    "replicas": of(Shape::List(&Shape::Struct(&REPLICA), "types.Replica")),
    "vars": of(Shape::List(&Shape::Struct(&VAR), "types.Var")),
    "sortOptions": of(Shape::Pointer(&Shape::Struct(&SORT_OPTIONS))),
    "resources": of(STRINGS),
    "components": of(STRINGS),
    "crds": of(STRINGS),
    "bases": of(STRINGS),
    "configMapGenerator": of(Shape::List(&Shape::Struct(&CONFIG_MAP_ARGS), "types.ConfigMapArgs")),
    "secretGenerator": of(Shape::List(&Shape::Struct(&SECRET_ARGS), "types.SecretArgs")),
    "helmGlobals": of(Shape::Pointer(&Shape::Struct(&HELM_GLOBALS))),
    "helmCharts": of(Shape::List(&Shape::Struct(&HELM_CHART), "types.HelmChart")),
    "helmChartInflationGenerator":
        of(Shape::List(&Shape::Struct(&HELM_CHART_ARGS), "types.HelmChartArgs")),
    "generatorOptions": of(GENERATOR_OPTIONS_POINTER),
    "configurations": of(STRINGS),
    "generators": of(STRINGS),
    "transformers": of(STRINGS),
    "validators": of(STRINGS),
    "buildMetadata": of(STRINGS),
};

static OBJECT_META: Struct = structure! {
    "ObjectMeta",
    "name": of(TEXT),
    "namespace": of(TEXT),
    "labels": of(Shape::Texts),
    "annotations": of(Shape::Texts),
};

static LABEL: Struct = structure! {
    "Label",
    "pairs": of(Shape::Texts),
    "includeSelectors": of(Shape::Bool),
    "includeTemplates": of(Shape::Bool),
    "fields": of(Shape::List(&Shape::Struct(&FIELD_SPEC), "types.FieldSpec")),
};

static FIELD_SPEC: Struct = structure! {
    "FieldSpec",
    "group": of(TEXT).inside(GVK),
    "version": of(TEXT).inside(GVK),
    "kind": of(TEXT).inside(GVK),
    "path": of(TEXT),
    "create": of(Shape::Bool),
};

static PATCH: Struct = structure! {
    "Patch",
    "path": of(TEXT),
    "patch": of(TEXT),
    "target": of(SELECTOR_POINTER),
    "options": of(Shape::Pointer(&Shape::Struct(&PATCH_ARGS))),
};

static PATCH_ARGS: Struct = structure! {
    "PatchArgs",
    "allowNameChange": of(Shape::Bool),
    "allowKindChange": of(Shape::Bool),
};

static SELECTOR: Struct = structure! {
    "Selector",
    "group": of(TEXT).inside(ID_GVK),
    "version": of(TEXT).inside(ID_GVK),
    "kind": of(TEXT).inside(ID_GVK),
    "name": of(TEXT).inside(ID),
    "namespace": of(TEXT).inside(ID),
    "annotationSelector": of(TEXT),
    "labelSelector": of(TEXT),
};

static IMAGE: Struct = structure! {
    "Image",
    "name": of(TEXT),
    "newName": of(TEXT),
    "tagSuffix": of(TEXT),
    "newTag": of(TEXT),
    "digest": of(TEXT),
};

static REPLACEMENT_FIELD: Struct = structure! {
    "ReplacementField",
    "source": of(Shape::Pointer(&Shape::Struct(&SOURCE_SELECTOR))).inside(&["Replacement"]),
    "targets": of(Shape::List(
        &Shape::Pointer(&Shape::Struct(&TARGET_SELECTOR)),
        "*types.TargetSelector",
    )).inside(&["Replacement"]),
    "sourceValue": of(Shape::Pointer(&TEXT)).inside(&["Replacement"]),
    "path": of(TEXT),
};

static SOURCE_SELECTOR: Struct = structure! {
    "SourceSelector",
    "group": of(TEXT).inside(ID_GVK),
    "version": of(TEXT).inside(ID_GVK),
    "kind": of(TEXT).inside(ID_GVK),
    "name": of(TEXT).inside(ID),
    "namespace": of(TEXT).inside(ID),
    "fieldPath": of(TEXT),
    "options": of(FIELD_OPTIONS_POINTER),
};

static TARGET_SELECTOR: Struct = structure! {
    "TargetSelector",
    "select": of(SELECTOR_POINTER).always(),
    "reject": of(Shape::List(&SELECTOR_POINTER, "*types.Selector")),
    "fieldPaths": of(STRINGS),
    "options": of(FIELD_OPTIONS_POINTER),
};

static FIELD_OPTIONS: Struct = structure! {
    "FieldOptions",
    "delimiter": of(TEXT),
    "index": of(Shape::Integer("int")),
    "encoding": of(TEXT),
    "create": of(Shape::Bool),
};

static REPLICA: Struct = structure! {
    "Replica",
    "name": of(TEXT),
    "count": of(Shape::Integer("int64")).always(),
};

static VAR: Struct = structure! {
    "Var",
    "name": of(TEXT).always(),
    "objref": of(Shape::Struct(&TARGET)),
    "fieldref": of(Shape::Struct(&FIELD_SELECTOR)),
};

static TARGET: Struct = structure! {
    "Target",
    "apiVersion": of(TEXT),
    "group": of(TEXT).inside(GVK),
    "version": of(TEXT).inside(GVK),
    "kind": of(TEXT).inside(GVK),
    "name": of(TEXT).always(),
    "namespace": of(TEXT),
};

static FIELD_SELECTOR: Struct = structure! {
    "FieldSelector",
    "fieldPath": of(TEXT),
};

static SORT_OPTIONS: Struct = structure! {
    "SortOptions",
    "order": of(Shape::Text("types.SortOrder")),
    "legacySortOptions": of(Shape::Pointer(&Shape::Struct(&LEGACY_SORT_OPTIONS))),
};

static LEGACY_SORT_OPTIONS: Struct = structure! {
    "LegacySortOptions",
    "orderFirst": of(STRINGS).always(),
    "orderLast": of(STRINGS).always(),
};

static CONFIG_MAP_ARGS: Struct = structure! {
    "ConfigMapArgs",
    "namespace": of(TEXT).inside(GENERATOR),
    "name": of(TEXT).inside(GENERATOR),
    "behavior": of(TEXT).inside(GENERATOR),
    "literals": of(STRINGS).inside(PAIRS),
    "files": of(STRINGS).inside(PAIRS),
    "envs": of(STRINGS).inside(PAIRS),
    "env": of(TEXT).inside(PAIRS),
    "options": of(GENERATOR_OPTIONS_POINTER).inside(GENERATOR),
};

static SECRET_ARGS: Struct = structure! {
    "SecretArgs",
    "namespace": of(TEXT).inside(GENERATOR),
    "name": of(TEXT).inside(GENERATOR),
    "behavior": of(TEXT).inside(GENERATOR),
    "literals": of(STRINGS).inside(PAIRS),
    "files": of(STRINGS).inside(PAIRS),
    "envs": of(STRINGS).inside(PAIRS),
    "env": of(TEXT).inside(PAIRS),
    "options": of(GENERATOR_OPTIONS_POINTER).inside(GENERATOR),
    "type": of(TEXT),
};

static GENERATOR_OPTIONS: Struct = structure! {
    "GeneratorOptions",
    "labels": of(Shape::Texts),
    "annotations": of(Shape::Texts),
    "disableNameSuffixHash": of(Shape::Bool),
    "immutable": of(Shape::Bool),
};

static HELM_GLOBALS: Struct = structure! {
    "HelmGlobals",
    "chartHome": of(TEXT),
    "configHome": of(TEXT),
};

static HELM_CHART: Struct = structure! {
    "HelmChart",
    "name": of(TEXT),
    "version": of(TEXT),
    "repo": of(TEXT),
    "releaseName": of(TEXT),
    "namespace": of(TEXT),
    "additionalValuesFiles": of(STRINGS),
    "valuesFile": of(TEXT),
    "valuesInline": of(Shape::Values),
    "valuesMerge": of(TEXT),
    "includeCRDs": of(Shape::Bool),
    "skipHooks": of(Shape::Bool),
    "apiVersions": of(STRINGS),
    "kubeVersion": of(TEXT),
    "nameTemplate": of(TEXT),
    "skipTests": of(Shape::Bool),
    "debug": of(Shape::Bool),
    "devel": of(Shape::Bool),
};

static HELM_CHART_ARGS: Struct = structure! {
    "HelmChartArgs",
    "chartName": of(TEXT),
    "chartVersion": of(TEXT),
    "chartRepoUrl": of(TEXT),
    "chartHome": of(TEXT),
    "chartRepoName": of(TEXT),
    "helmBin": of(TEXT),
    "helmHome": of(TEXT),
    "values": of(TEXT),
    "valuesLocal": of(Shape::Values),
    "valuesMerge": of(TEXT),
    "releaseName": of(TEXT),
    "releaseNamespace": of(TEXT),
    "extraArgs": of(STRINGS),
};

/// Reads values into shapes as Go's JSON decoder does.
#[derive(Default)]
pub(super) struct Reader {
    /// What is wrong, in the order of sorted keys.
    pub problems: Vec<Problem>,
    /// Whether unknown fields are passed over.
    lenient: bool,
    /// Whether numbers and booleans are taken for text, which a lenient reader does except in fields of
    /// embedded structs.
    converts: bool,
    path: FieldPath,
    names: Vec<&'static str>,
    structs: Vec<&'static str>,
}

impl Reader {
    pub fn strict() -> Self {
        Self::default()
    }

    pub fn lenient() -> Self {
        Self {
            lenient: true,
            converts: true,
            ..Self::default()
        }
    }

    /// The fields of a file.
    pub fn file(&mut self, value: &Value) -> Map {
        match self.structure(&KUSTOMIZATION, value, Value::Null) {
            Value::Map(map) => map,
            _ => Map::new(),
        }
    }

    /// Reads `value` over what an earlier key of the same meaning left, as Go does.
    fn read(&mut self, shape: &'static Shape, value: &Value, before: Value) -> Value {
        match (shape, value) {
            (Shape::Text(_) | Shape::Bool | Shape::Integer(_), Value::Null) => before,
            (Shape::Struct(structure), _) => self.structure(structure, value, before),
            (_, Value::Null) => Value::Null,
            (Shape::Pointer(shape), _) => {
                let before = match before {
                    Value::Null => zero(shape),
                    set => set,
                };
                self.read(shape, value, before)
            }
            (Shape::Text(_), Value::String(_)) | (Shape::Bool, Value::Bool(_)) => value.clone(),
            (Shape::Text(go_type), _) => match written(value).filter(|_| self.converts) {
                Some(text) => text.into(),
                None => self.mismatch(value, go_type, before),
            },
            (Shape::Bool, _) => self.mismatch(value, "bool", before),
            (Shape::Integer(go_type), _) => match value.as_i64() {
                Some(number) => number.into(),
                None => self.mismatch(value, go_type, before),
            },
            (Shape::Texts, Value::Map(map)) => {
                let mut texts = before.as_map().cloned().unwrap_or_default();
                for key in sorted_keys(map) {
                    self.path.push(Step::Key(key.into()));
                    let value = map.get(key).unwrap_or(&Value::Null);
                    let text = self.read(&TEXT, value, zero(&TEXT));
                    self.path.pop();
                    texts.insert(key, text);
                }
                Value::Map(texts)
            }
            (Shape::Texts, _) => self.mismatch(value, "map[string]string", before),
            (Shape::Values, Value::Map(map)) => {
                let mut values = before.as_map().cloned().unwrap_or_default();
                for (key, value) in map.iter() {
                    values.insert(key.clone(), through_floats(value));
                }
                Value::Map(values)
            }
            (Shape::Values, _) => self.mismatch(value, "map[string]interface {}", before),
            (Shape::List(shape, _), Value::List(items)) => {
                let earlier = before.as_list().unwrap_or_default();
                let mut list = Vec::with_capacity(items.len());
                for (at, item) in items.iter().enumerate() {
                    self.path.push(Step::Index(at));
                    let before = earlier.get(at).cloned().unwrap_or_else(|| zero(shape));
                    list.push(self.read(shape, item, before));
                    self.path.pop();
                }
                list.into()
            }
            (Shape::List(_, go_type), _) => self.mismatch(value, &format!("[]{go_type}"), before),
        }
    }

    fn structure(&mut self, structure: &'static Struct, value: &Value, before: Value) -> Value {
        let mut read = before.as_map().cloned().unwrap_or_default();
        let map = match value {
            Value::Map(map) => map,
            Value::Null => return Value::Map(read),
            _ => return self.mismatch(value, &format!("types.{}", structure.name), before),
        };
        self.structs.push(structure.name);
        for key in sorted_keys(map) {
            self.path.push(Step::Key(key.into()));
            match structure.find(key) {
                Some((name, field)) => {
                    let depth = self.names.len();
                    self.names.extend(field.embedded);
                    self.names.push(name);
                    let before = read.remove(name).unwrap_or_else(|| zero(&field.shape));
                    let value = map.get(key).unwrap_or(&Value::Null);
                    let converts = self.converts;
                    self.converts &= field.embedded.is_empty();
                    let value = self.read(&field.shape, value, before);
                    self.converts = converts;
                    read.insert(name, value);
                    self.names.truncate(depth);
                }
                None if self.lenient => {}
                None => self.problems.push(Problem {
                    message: format!("json: unknown field {}", golang::strconv::quote(key)),
                    path: self.path.clone(),
                    unknown: Some(key.to_owned()),
                    known: structure.names,
                }),
            }
            self.path.pop();
        }
        self.structs.pop();
        Value::Map(read)
    }

    /// Notes a value of the wrong type and leaves what was there.
    fn mismatch(&mut self, found: &Value, go_type: &str, before: Value) -> Value {
        let found = match found {
            Value::Float(_) if go_type.starts_with("int") => {
                format!("number {}", object::json::to_string(found))
            }
            found => json_kind(found).to_owned(),
        };
        let target = match self.structs.last() {
            Some(name) if !self.names.is_empty() => format!(
                "Go struct field {name}.{} of type {go_type}",
                self.names.join(".")
            ),
            _ => format!("Go value of type {go_type}"),
        };
        self.problems.push(Problem {
            message: format!("json: cannot unmarshal {found} into {target}"),
            path: self.path.clone(),
            unknown: None,
            known: &[],
        });
        before
    }
}

impl Struct {
    fn find(&'static self, key: &str) -> Option<(&'static str, &'static Field)> {
        let exact = self.names.iter().position(|name| *name == key);
        let at = exact.or_else(|| self.names.iter().position(|name| folds_to(key, name)))?;
        Some((self.names[at], &self.fields[at]))
    }

    fn pairs(&'static self) -> impl Iterator<Item = (&'static str, &'static Field)> {
        self.names.iter().copied().zip(self.fields)
    }
}

/// The value a field has before it is read.
fn zero(shape: &Shape) -> Value {
    match shape {
        Shape::Text(_) => "".into(),
        Shape::Bool => false.into(),
        Shape::Integer(_) => 0.into(),
        Shape::Struct(_) => Value::map(),
        Shape::Texts | Shape::Values | Shape::List(..) | Shape::Pointer(_) => Value::Null,
    }
}

fn is_unset(shape: &Shape, value: &Value) -> bool {
    match (shape, value) {
        (Shape::Struct(_), _) => false,
        (_, Value::Null) => true,
        (Shape::Pointer(_), _) => false,
        (_, Value::String(text)) => text.is_empty(),
        (_, Value::Bool(value)) => !value,
        (_, Value::Int(number)) => *number == 0,
        (_, Value::Uint(_)) => false,
        (_, Value::List(items)) => items.is_empty(),
        (_, Value::Map(map)) => map.is_empty(),
        (_, Value::Float(_)) => false,
    }
}

/// The text of one field of a file under its name; empty when it has no content.
///
/// # Errors
/// The name of a field with text that cannot be written.
pub(super) fn write(name: &'static str, file: &Map) -> Result<String, &'static str> {
    let (Some((name, field)), Some(value)) = (KUSTOMIZATION.find(name), file.get(name)) else {
        return Ok(String::new());
    };
    if is_unset(&field.shape, value) {
        return Ok(String::new());
    }
    if !is_writable(value) {
        return Err(name);
    }
    let mut alone = Map::new();
    alone.insert(name, tidy(&field.shape, value));
    Ok(yaml::to_string(&Value::Map(alone)))
}

/// Whether no text holds a character that the reference loses on its way: it writes JSON, which does not
/// escape these, and reads that as YAML, which refuses them.
fn is_writable(value: &Value) -> bool {
    let is_allowed = |text: &str| {
        !text.contains(|symbol| {
            matches!(symbol, '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}')
        })
    };
    match value {
        Value::String(text) => is_allowed(text),
        Value::List(items) => items.iter().all(is_writable),
        Value::Map(map) => map
            .iter()
            .all(|(key, value)| is_allowed(key) && is_writable(value)),
        _ => true,
    }
}

/// A value without what is not set in it, and with what is written all the same.
fn tidy(shape: &Shape, value: &Value) -> Value {
    match (shape, value) {
        (Shape::Struct(structure), Value::Map(map)) => {
            let mut tidied = Map::new();
            for (name, field) in structure.pairs() {
                let value = map.get(name).cloned();
                let value = value.unwrap_or_else(|| zero(&field.shape));
                if field.always || !is_unset(&field.shape, &value) {
                    tidied.insert(name, tidy(&field.shape, &value));
                }
            }
            Value::Map(tidied)
        }
        (Shape::List(shape, _), Value::List(items)) => {
            Value::list(items.iter().map(|item| tidy(shape, item)))
        }
        (Shape::Pointer(shape), value) => tidy(shape, value),
        (_, value) => value.clone(),
    }
}

/// A value in which every number went through a float of 64 bits.
fn through_floats(value: &Value) -> Value {
    match value {
        Value::Int(number) => (*number as f64).into(),
        Value::Uint(number) => (*number as f64).into(),
        Value::List(items) => Value::list(items.iter().map(through_floats)),
        Value::Map(map) => {
            let mut floats = Map::with_capacity(map.len());
            for (key, value) in map.iter() {
                floats.insert(key.clone(), through_floats(value));
            }
            Value::Map(floats)
        }
        other => other.clone(),
    }
}
