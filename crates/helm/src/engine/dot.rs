//! The dot of a chart's templates.
//!
//! # Source
//! helm/helm `pkg/engine/engine.go`, `recAllTpls`; `pkg/chart/common/util/values.go`,
//! `ToRenderValues`.

use std::any::Any;
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use gotemplate::{ElementType, Field, Host, Kind, List, Map, MapType, Str, Value};
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

/// A field of a Go structure, and its name in JSON.
type Named = (Field, &'static str);

fn field(name: &'static str, json: &'static str, value: impl Into<Value>) -> Named {
    (Field::new(name, value), json)
}

/// `.Chart`: a map in Helm 4, a structure in Helm 3.
fn chart(metadata: &Metadata, is_root: bool, profile: Profile) -> Value {
    let strings = |of: &[String]| match profile {
        Profile::Helm4 => Value::list(
            of.iter()
                .map(|text| Value::from(text.as_str()))
                .collect::<Vec<_>>(),
        ),
        Profile::Helm3 if of.is_empty() => Value::List(List::nil(ElementType::String)),
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
            list("[]*chart.Maintainer", maintainers.collect(), profile),
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
            list("[]*chart.Dependency", dependencies.collect(), profile),
        ),
        field("Type", "type", metadata.kind.as_str()),
    ];
    if profile == Profile::Helm3 {
        let metadata = structure("chart.Metadata", fields, profile);
        let (mut embedded, json) = field("Metadata", "", metadata);
        embedded.is_embedded = true;
        fields = vec![(embedded, json)];
    }
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

fn structure(type_name: &'static str, fields: Vec<Named>, profile: Profile) -> Value {
    match profile {
        Profile::Helm4 => {
            let fields = fields.into_iter();
            let fields = fields.map(|(field, _)| (field.name, field.value));
            Value::Map(fields.collect())
        }
        Profile::Helm3 => Value::Host(Rc::new(Structure { type_name, fields })),
    }
}

/// A list of structures.
fn list(type_name: &'static str, items: Vec<Value>, profile: Profile) -> Value {
    let list = match profile {
        Profile::Helm3 if items.is_empty() => List::nil(ElementType::Any),
        _ => List::new(items, ElementType::Any),
    };
    match profile {
        Profile::Helm4 => Value::List(list),
        Profile::Helm3 => Value::Host(Rc::new(Structures { type_name, list })),
    }
}

/// A Go structure, of which only fields can be seen.
#[derive(Debug)]
struct Structure {
    type_name: &'static str,
    fields: Vec<Named>,
}

impl Structure {
    fn embedded(&self) -> Option<&Self> {
        let (first, _) = self.fields.first()?;
        match &first.value {
            Value::Host(host) if first.is_embedded => host.as_any().downcast_ref(),
            _ => None,
        }
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

    fn fields(&self) -> Option<Vec<Field>> {
        Some(self.fields.iter().map(|(field, _)| field.clone()).collect())
    }

    fn field(&self, name: &str) -> Option<Value> {
        let mut fields = self.fields.iter();
        let own = fields.find(|(field, _)| field.name == name);
        match own {
            Some((field, _)) => Some(field.value.clone()),
            None => self.embedded()?.field(name),
        }
    }

    /// Fields that are empty are left out, but for those that Go's structures keep.
    fn json_fields(&self) -> Option<Vec<(&'static str, Value)>> {
        let embedded = self.embedded().and_then(Self::json_fields);
        let fields = self.fields.iter().filter(|(field, json)| {
            let kept = *json == "IsRoot"
                || self.type_name == "*chart.Dependency" && matches!(*json, "name" | "repository");
            !field.is_embedded && (kept || field.value.truth())
        });
        let own = fields.map(|(field, json)| (*json, field.value.clone()));
        Some(embedded.into_iter().flatten().chain(own).collect())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A list of structures of one type.
#[derive(Debug)]
struct Structures {
    type_name: &'static str,
    list: List,
}

impl Host for Structures {
    fn type_name(&self) -> &'static str {
        self.type_name
    }

    fn kind(&self) -> Kind {
        Kind::Slice
    }

    fn truth(&self) -> bool {
        !self.list.items().is_empty()
    }

    fn part(&self, range: Range<usize>) -> Option<Value> {
        let list = List::new(&self.list.items()[range], self.list.of());
        let type_name = self.type_name;
        Some(Value::Host(Rc::new(Self { type_name, list })))
    }

    fn contents(&self) -> Option<Value> {
        Some(Value::List(self.list.clone()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
