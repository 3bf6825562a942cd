//! The dot of a chart's templates.
//!
//! # Source
//! helm/helm `pkg/engine/engine.go`, `recAllTpls`; `pkg/chart/common/util/values.go`,
//! `ToRenderValues`.

use std::any::Any;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use gotemplate::{Host, Kind, Map, MapType, Str, Value};
use object::Node;

use super::objects::{CapabilitiesHost, Files, values_type};
use crate::chart::{Content, Dependency, Metadata};
use crate::convert;
use crate::dependencies::Assembly;
use crate::options::{Options, Profile};

/// The dot of every chart, in the order of [`Assembly::walk`].
pub(super) fn dots(assembly: &Assembly, values: &object::Map, options: &Options) -> Vec<Map> {
    let values = convert::to_map(values, MapType::Any);
    let release: Map = [
        ("Name", Value::from(options.name.as_str())),
        ("Namespace", Value::from(options.namespace.as_str())),
        ("IsUpgrade", Value::Bool(options.is_upgrade)),
        ("IsInstall", Value::Bool(!options.is_upgrade)),
        ("Revision", Value::int(options.revision)),
        ("Service", Value::from("Helm")),
    ]
    .into_iter()
    .collect();
    let shared = Shared {
        release,
        capabilities: Value::Host(Rc::new(CapabilitiesHost {
            capabilities: Arc::clone(&options.capabilities),
            profile: options.profile,
        })),
        profile: options.profile,
    };
    let mut dots = Vec::new();
    shared.add(assembly, values, true, &mut dots);
    dots
}

/// What all charts of a release see.
struct Shared {
    release: Map,
    capabilities: Value,
    profile: Profile,
}

impl Shared {
    fn add(&self, assembly: &Assembly, values: Map, is_root: bool, dots: &mut Vec<Map>) -> Map {
        let subcharts = Map::default();
        let files: BTreeMap<Str, Content> = assembly
            .chart
            .files
            .iter()
            .map(|file| (Str::from(file.name.as_str()), file.content.clone()))
            .collect();
        let values = values.as_type(values_type(self.profile));
        let dot: Map = [
            ("Chart", chart(&assembly.metadata, is_root, self.profile)),
            ("Files", Value::Host(Rc::new(Files(Rc::new(files))))),
            ("Release", Value::Map(self.release.clone())),
            ("Capabilities", self.capabilities.clone()),
            ("Values", Value::Map(values.clone())),
            ("Subcharts", Value::Map(subcharts.clone())),
        ]
        .into_iter()
        .collect();
        dots.push(dot.as_type(values_type(self.profile)));
        for inside in &assembly.charts {
            let name = inside.metadata.name.as_str();
            let section = match values.get(name.as_bytes()) {
                Some(Value::Map(section)) => section,
                _ => Map::default(),
            };
            // A chart of that name would put tables into themselves.
            if name != "global" {
                share_global_tables(&values, &section);
            }
            let inside = self.add(inside, section, false, dots);
            subcharts.insert(name, Value::Map(inside));
        }
        dot
    }
}

/// Makes the tables in tables below `global` of a chart those of the chart around it, as coalescing
/// there leaves them: who changes one changes it for all charts.
///
/// `global` itself and the tables in it are copied for every chart. Deeper ones are equal already.
///
/// # Source
/// helm/helm `pkg/chart/common/util/coalesce.go`, `coalesceGlobals`.
fn share_global_tables(around: &Map, inside: &Map) {
    let global = |values: &Map| match values.get(b"global") {
        Some(Value::Map(global)) => Some(global),
        _ => None,
    };
    let (Some(around), Some(inside)) = (global(around), global(inside)) else {
        return;
    };
    for (name, table) in around.entries().iter() {
        let (Value::Map(table), Some(Value::Map(own))) = (table, inside.get(name.as_bytes()))
        else {
            continue;
        };
        for (name, shared) in table.entries().iter() {
            if let (Value::Map(_), Some(Value::Map(_))) = (shared, own.get(name.as_bytes())) {
                own.insert(name.clone(), shared.clone());
            }
        }
    }
}

/// A field of a Go structure.
struct Field {
    name: &'static str,
    /// Its name in JSON.
    json: &'static str,
    value: Value,
}

fn field(name: &'static str, json: &'static str, value: impl Into<Value>) -> Field {
    Field {
        name,
        json,
        value: value.into(),
    }
}

/// `.Chart`: a map in Helm 4, a structure in Helm 3.
fn chart(metadata: &Metadata, is_root: bool, profile: Profile) -> Value {
    let strings = |of: &[String]| match profile {
        Profile::Helm4 => Value::list(
            of.iter()
                .map(|text| Value::from(text.as_str()))
                .collect::<Vec<_>>(),
        ),
        Profile::Helm3 => Value::strings(of.iter().map(String::as_str)),
    };
    let annotations = metadata.annotations.iter();
    let annotations = annotations
        .map(|(key, value)| (Str::from(key.as_str()), Value::from(value.as_str())))
        .collect();
    let maintainers = metadata.maintainers.iter().map(|one| {
        let fields = vec![
            field("Name", "name", one.name.as_str()),
            field("Email", "email", one.email.as_str()),
            field("URL", "url", one.url.as_str()),
        ];
        structure("*chart.Maintainer", fields, profile)
    });
    let dependencies = metadata.dependencies.iter();
    let dependencies = dependencies.map(|one| dependency(one, &strings, profile));
    let mut fields = vec![
        field("Name", "name", metadata.name.as_str()),
        field("Home", "home", metadata.home.as_str()),
        field("Sources", "sources", strings(&metadata.sources)),
        field("Version", "version", metadata.version.as_str()),
        field("Description", "description", metadata.description.as_str()),
        field("Keywords", "keywords", strings(&metadata.keywords)),
        field(
            "Maintainers",
            "maintainers",
            Value::list(maintainers.collect::<Vec<_>>()),
        ),
        field("Icon", "icon", metadata.icon.as_str()),
        field("APIVersion", "apiVersion", metadata.api_version.as_str()),
        field("Condition", "condition", metadata.condition.as_str()),
        field("Tags", "tags", metadata.tags.as_str()),
        field("AppVersion", "appVersion", metadata.app_version.as_str()),
        field("Deprecated", "deprecated", Value::Bool(metadata.deprecated)),
        field(
            "Annotations",
            "annotations",
            Value::Map(match metadata.annotations.is_empty() {
                true => Map::nil(MapType::String),
                false => Map::new(annotations, MapType::String),
            }),
        ),
        field("KubeVersion", "kubeVersion", metadata.kube_version.as_str()),
        field(
            "Dependencies",
            "dependencies",
            Value::list(dependencies.collect::<Vec<_>>()),
        ),
        field("Type", "type", metadata.kind.as_str()),
    ];
    fields.push(field("IsRoot", "IsRoot", Value::Bool(is_root)));
    structure("struct { chart.Metadata; IsRoot bool }", fields, profile)
}

fn dependency(one: &Dependency, strings: &dyn Fn(&[String]) -> Value, profile: Profile) -> Value {
    let import_values: Vec<Value> = one.import_values.iter().map(import).collect();
    let fields = vec![
        field("Name", "name", one.name.as_str()),
        field("Version", "version", one.version.as_str()),
        field("Repository", "repository", one.repository.as_str()),
        field("Condition", "condition", one.condition.as_str()),
        field("Tags", "tags", strings(&one.tags)),
        field("Enabled", "enabled", Value::Bool(one.enabled)),
        field("ImportValues", "import-values", Value::list(import_values)),
        field("Alias", "alias", one.alias.as_str()),
    ];
    structure("*chart.Dependency", fields, profile)
}

/// Where values were imported from and to: a `map[string]string`.
fn import(entry: &Node) -> Value {
    let Node::Map(entry) = entry else {
        return convert::to_value(entry);
    };
    let texts = entry.iter().map(|(key, text)| {
        let text = text.as_str().unwrap_or_default();
        (Str::from(key.as_str()), Value::from(text))
    });
    Value::Map(Map::new(texts.collect(), MapType::String))
}

fn structure(type_name: &'static str, fields: Vec<Field>, profile: Profile) -> Value {
    match profile {
        Profile::Helm4 => {
            let fields = fields.into_iter().map(|field| (field.name, field.value));
            Value::Map(fields.collect())
        }
        Profile::Helm3 => Value::Host(Rc::new(Structure { type_name, fields })),
    }
}

/// A Go structure, of which only fields can be seen.
#[derive(Debug)]
struct Structure {
    type_name: &'static str,
    fields: Vec<Field>,
}

impl std::fmt::Debug for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {:?}", self.name, self.value)
    }
}

impl Host for Structure {
    fn type_name(&self) -> &'static str {
        self.type_name
    }

    fn kind(&self) -> Kind {
        match self.type_name.starts_with('*') {
            true => Kind::Pointer,
            false => Kind::Struct,
        }
    }

    fn display(&self) -> String {
        let mut out = Vec::new();
        for (at, field) in self.fields.iter().enumerate() {
            if at > 0 {
                out.push(b' ');
            }
            // What is too long to be printed ends there.
            let _ = gotemplate::format::display(&field.value, &mut out);
        }
        format!("{{{}}}", String::from_utf8_lossy(&out))
    }

    fn field(&self, name: &str) -> Option<Value> {
        let mut fields = self.fields.iter();
        let field = fields.find(|field| field.name == name)?;
        Some(field.value.clone())
    }

    /// Fields that are empty are left out, but for those that Go's structures keep.
    fn json_fields(&self) -> Option<Vec<(&'static str, Value)>> {
        let fields = self.fields.iter();
        let fields = fields.filter(|field| {
            let kept = field.json == "IsRoot"
                || self.type_name == "*chart.Dependency"
                    && matches!(field.json, "name" | "repository");
            kept || field.value.truth()
        });
        let pairs = fields.map(|field| (field.json, field.value.clone()));
        Some(pairs.collect())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
