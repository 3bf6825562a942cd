//! What templates find beside values: the cluster's capabilities, the chart's files, and the methods
//! of `.Values`.
//!
//! # Source
//! helm/helm `pkg/chart/common/{capabilities,values}.go`, `pkg/engine/files.go`.

use std::any::Any;
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use golang::glob::Glob;
use golang::strconv::quote;
use gotemplate::{
    CallError, Context, Field, Host, Kind, Map, MapMethods, MapType, Method, Signature, Str, Type,
    Value,
};

use crate::capabilities::Capabilities;
use crate::chart::Content;
use crate::functions::to_yaml;
use crate::options::Profile;

type Called = Option<Result<Value, CallError>>;

fn text(args: &[Value]) -> Str {
    match args.first() {
        Some(Value::String(text)) => text.clone(),
        _ => Str::default(),
    }
}

const ONE_TEXT: Signature = Signature {
    params: &[Type::String],
    variadic: None,
};

const NOTHING: Signature = Signature {
    params: &[],
    variadic: None,
};

/// `.Capabilities`.
#[derive(Debug)]
pub(super) struct CapabilitiesHost {
    pub capabilities: Arc<Capabilities>,
    pub profile: Profile,
}

impl CapabilitiesHost {
    fn package(&self, helm4: &'static str, helm3: &'static str) -> &'static str {
        match self.profile {
            Profile::Helm4 => helm4,
            Profile::Helm3 => helm3,
        }
    }

    fn part(&self, part: Part) -> Value {
        Value::Host(Rc::new(CapabilitiesPart {
            of: Rc::new(Self {
                capabilities: Arc::clone(&self.capabilities),
                profile: self.profile,
            }),
            part,
            is_copy: false,
        }))
    }

    /// What the Kubernetes version says of itself.
    fn version(&self) -> &str {
        let kube = &self.capabilities.kube_version;
        match kube.normalized.is_empty() {
            true => &kube.version,
            false => &kube.normalized,
        }
    }

    /// Others, as of a deep copy or of a part of the API versions.
    fn changed(&self, change: impl FnOnce(&mut Capabilities)) -> Self {
        let mut capabilities = Arc::clone(&self.capabilities);
        change(Arc::make_mut(&mut capabilities));
        Self {
            capabilities,
            profile: self.profile,
        }
    }

    /// Without what is not exported.
    fn exported(&self) -> Self {
        self.changed(|capabilities| capabilities.kube_version.normalized.clear())
    }
}

impl Host for CapabilitiesHost {
    fn type_name(&self) -> &'static str {
        self.package("*common.Capabilities", "*chartutil.Capabilities")
    }

    fn kind(&self) -> Kind {
        Kind::Pointer
    }

    fn fields(&self) -> Option<Vec<Field>> {
        // Fields are printed as copies.
        let copy = |name, part| {
            let part = self.part(part);
            let copied = match &part {
                Value::Host(host) => host.copied(),
                _ => None,
            };
            Field::new(name, copied.unwrap_or(part))
        };
        Some(vec![
            copy("KubeVersion", Part::KubeVersion),
            copy("APIVersions", Part::ApiVersions),
            copy("HelmVersion", Part::HelmVersion),
        ])
    }

    fn deep_copy(&self) -> Option<Value> {
        Some(Value::Host(Rc::new(self.exported())))
    }

    fn field(&self, name: &str) -> Option<Value> {
        Some(match name {
            "KubeVersion" => self.part(Part::KubeVersion),
            "APIVersions" => self.part(Part::ApiVersions),
            "HelmVersion" => self.part(Part::HelmVersion),
            _ => return None,
        })
    }

    fn json_fields(&self) -> Option<Vec<(&'static str, Value)>> {
        Some(vec![
            ("KubeVersion", self.part(Part::KubeVersion)),
            ("APIVersions", self.part(Part::ApiVersions)),
            ("HelmVersion", self.part(Part::HelmVersion)),
        ])
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A field of `.Capabilities` that has fields or methods itself.
#[derive(Debug)]
struct CapabilitiesPart {
    of: Rc<CapabilitiesHost>,
    part: Part,
    /// Whether a function has got it, or gave it: what is found on pointers only is no longer there.
    is_copy: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    KubeVersion,
    ApiVersions,
    HelmVersion,
}

impl Part {
    /// The fields of a structure, by name, in Go's order.
    fn fields(self, of: &CapabilitiesHost) -> Vec<(&'static str, String)> {
        let kube = &of.capabilities.kube_version;
        let helm = &of.capabilities.helm_version;
        let mut fields = match self {
            Self::KubeVersion => vec![
                ("Version", kube.version.clone()),
                ("normalizedVersion", kube.normalized.clone()),
                ("Major", kube.major.clone()),
                ("Minor", kube.minor.clone()),
            ],
            Self::ApiVersions => Vec::new(),
            Self::HelmVersion => vec![
                ("Version", helm.version.clone()),
                ("GitCommit", helm.git_commit.clone()),
                ("GitTreeState", helm.git_tree_state.clone()),
                ("GoVersion", helm.go_version.clone()),
                ("KubeClientVersion", helm.kube_client_version.clone()),
            ],
        };
        if of.profile == Profile::Helm3 {
            fields.retain(|(name, _)| !matches!(*name, "normalizedVersion" | "KubeClientVersion"));
        }
        fields
    }
}

impl Host for CapabilitiesPart {
    fn type_name(&self) -> &'static str {
        match self.part {
            Part::KubeVersion => self
                .of
                .package("common.KubeVersion", "chartutil.KubeVersion"),
            Part::ApiVersions => self.of.package("common.VersionSet", "chartutil.VersionSet"),
            Part::HelmVersion => "version.BuildInfo",
        }
    }

    fn kind(&self) -> Kind {
        match self.part {
            Part::ApiVersions => Kind::Slice,
            Part::KubeVersion | Part::HelmVersion => Kind::Struct,
        }
    }

    fn text(&self) -> Option<String> {
        let has_method = self.part == Part::KubeVersion && !self.is_copy;
        has_method.then(|| self.of.version().to_owned())
    }

    fn fields(&self) -> Option<Vec<Field>> {
        let fields = self.part.fields(&self.of).into_iter();
        let fields = fields.map(|(name, text)| Field::new(name, text));
        (self.part != Part::ApiVersions).then(|| fields.collect())
    }

    fn copied(&self) -> Option<Value> {
        (self.part == Part::KubeVersion).then(|| {
            Value::Host(Rc::new(Self {
                of: Rc::clone(&self.of),
                part: self.part,
                is_copy: true,
            }))
        })
    }

    fn deep_copy(&self) -> Option<Value> {
        Some(Value::Host(Rc::new(Self {
            of: Rc::new(self.of.exported()),
            part: self.part,
            is_copy: true,
        })))
    }

    fn slice(&self, range: Range<usize>) -> Option<Value> {
        (self.part == Part::ApiVersions).then(|| {
            let of = self.of.changed(|capabilities| {
                let versions = capabilities.api_versions[range].to_vec();
                capabilities.api_versions = versions;
            });
            of.part(Part::ApiVersions)
        })
    }

    fn truth(&self) -> bool {
        self.part != Part::ApiVersions || !self.of.capabilities.api_versions.is_empty()
    }

    fn field(&self, name: &str) -> Option<Value> {
        let is_public = name.starts_with(|first: char| first.is_ascii_uppercase());
        let mut fields = self.part.fields(&self.of).into_iter();
        let found = fields.find(|(field, _)| is_public && *field == name)?;
        Some(Value::from(found.1))
    }

    fn method(&self, name: &str) -> Method {
        match (self.part, name) {
            (Part::KubeVersion, "GitVersion" | "String") if !self.is_copy => Method::Takes(NOTHING),
            (Part::ApiVersions, "Has") => Method::Takes(ONE_TEXT),
            _ => Method::Absent,
        }
    }

    fn call(&self, name: &str, args: &[Value], _: &mut Context<'_>) -> Called {
        let capabilities = &self.of.capabilities;
        Some(Ok(match (self.part, name) {
            (Part::KubeVersion, "GitVersion") => {
                Value::from(capabilities.kube_version.version.as_str())
            }
            (Part::KubeVersion, "String") => Value::from(self.of.version()),
            (Part::ApiVersions, "Has") => {
                let wanted = text(args);
                let wanted = wanted.as_str();
                Value::Bool(wanted.is_some_and(|wanted| capabilities.has(wanted)))
            }
            _ => return None,
        }))
    }

    fn contents(&self) -> Option<Value> {
        let versions = self.of.capabilities.api_versions.iter();
        (self.part == Part::ApiVersions).then(|| Value::strings(versions.map(String::as_str)))
    }

    fn json(&self) -> Option<Value> {
        match self.json_fields() {
            Some(fields) => Some(Value::Map(fields.into_iter().collect())),
            None => self.contents(),
        }
    }

    fn json_fields(&self) -> Option<Vec<(&'static str, Value)>> {
        let fields = self.part.fields(&self.of).into_iter();
        let named = |(name, value): (&'static str, String)| {
            let name = match (self.part, name) {
                (_, "normalizedVersion") => return None,
                (Part::HelmVersion, "Version") => "version",
                (_, "GitCommit") => "git_commit",
                (_, "GitTreeState") => "git_tree_state",
                (_, "GoVersion") => "go_version",
                (_, "KubeClientVersion") => "kube_client_version",
                (_, name) => name,
            };
            let left_out =
                self.part == Part::HelmVersion && value.is_empty() && name != "kube_client_version";
            (!left_out).then(|| (name, Value::from(value)))
        };
        (self.part != Part::ApiVersions).then(|| fields.filter_map(named).collect())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// `.Files`: what a chart holds beside templates and values.
#[derive(Debug)]
pub(super) struct Files(pub Rc<BTreeMap<Str, Content>>);

impl Files {
    fn get(&self, name: &Str) -> Arc<[u8]> {
        let found = self.0.get(name).map(Content::bytes).cloned();
        found.unwrap_or_else(|| Arc::from([]))
    }

    /// The files by the last part of their path, as `ConfigMap` and `Secret` have data.
    fn by_base_name(&self, show: &dyn Fn(&[u8]) -> Str) -> Value {
        let files = self.0.iter().map(|(name, content)| {
            let name = name.to_text();
            let base = name.rsplit('/').next().unwrap_or_default().to_owned();
            (base, Value::String(show(content.bytes())))
        });
        let files: Map = files.collect();
        to_yaml(&Value::Map(files))
    }
}

impl Host for Files {
    fn type_name(&self) -> &'static str {
        "engine.files"
    }

    fn kind(&self) -> Kind {
        Kind::Map
    }

    fn truth(&self) -> bool {
        !self.0.is_empty()
    }

    fn field(&self, name: &str) -> Option<Value> {
        Some(Value::Bytes(self.get(&Str::from(name))))
    }

    fn method(&self, name: &str) -> Method {
        match name {
            "Get" | "GetBytes" | "Glob" | "Lines" => Method::Takes(ONE_TEXT),
            "AsConfig" | "AsSecrets" => Method::Takes(NOTHING),
            _ => Method::Absent,
        }
    }

    fn call(&self, name: &str, args: &[Value], context: &mut Context<'_>) -> Called {
        Some(Ok(match name {
            "Get" => Value::from(&*self.get(&text(args))),
            "GetBytes" => Value::Bytes(self.get(&text(args))),
            "Glob" => {
                let pattern = text(args);
                // A pattern that is none matches everything.
                let pattern = Glob::new(&pattern.to_text(), &['/']).ok();
                let files = self.0.iter().filter(|(name, _)| {
                    let pattern = pattern.as_ref();
                    pattern.is_none_or(|pattern| pattern.is_match(&name.to_text()))
                });
                let files = files.map(|(name, content)| (name.clone(), content.clone()));
                Value::Host(Rc::new(Self(Rc::new(files.collect()))))
            }
            "Lines" => {
                let content = self.get(&text(args));
                let content = content.strip_suffix(b"\n").unwrap_or(&content);
                if content.is_empty() && self.get(&text(args)).is_empty() {
                    return Some(Ok(Value::strings(std::iter::empty::<&str>())));
                }
                Value::strings(content.split(|&byte| byte == b'\n'))
            }
            "AsConfig" | "AsSecrets" => {
                let bytes: usize = self.0.values().map(|content| content.bytes().len()).sum();
                if let Err(limit) = context.charge_bytes(bytes as u64 * 2) {
                    return Some(Err(limit));
                }
                match name {
                    "AsConfig" => self.by_base_name(&|content| Str::from(content)),
                    _ => self.by_base_name(&|content| golang::base64::encode(content).into()),
                }
            }
            _ => return None,
        }))
    }

    fn contents(&self) -> Option<Value> {
        let files = self.0.iter();
        let files =
            files.map(|(name, content)| (name.clone(), Value::Bytes(Arc::clone(content.bytes()))));
        Some(Value::Map(Map::new(files.collect(), MapType::Bytes)))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// `common.Values`, in Helm 3 `chartutil.Values`.
#[derive(Debug)]
pub(super) struct ValuesMethods(&'static str);

pub(super) static HELM_4_VALUES: ValuesMethods = ValuesMethods("common.Values");
pub(super) static HELM_3_VALUES: ValuesMethods = ValuesMethods("chartutil.Values");

/// The type of `.Values`, `.Template` and the dot of a file.
pub(super) fn values_type(profile: Profile) -> MapType {
    MapType::Named(match profile {
        Profile::Helm4 => &HELM_4_VALUES,
        Profile::Helm3 => &HELM_3_VALUES,
    })
}

/// The table at a path of names with dots between them.
fn table(map: &Map, path: &str) -> Result<Map, CallError> {
    path.split('.').try_fold(map.clone(), |table, name| {
        match table.get(name.as_bytes()) {
            Some(Value::Map(table)) => Ok(table),
            _ => Err(CallError::Failed(format!("{} is not a table", quote(name)))),
        }
    })
}

fn path_value(map: &Map, path: &str) -> Result<Value, CallError> {
    let (above, key) = path
        .rsplit_once('.')
        .map_or((None, path), |(above, key)| (Some(above), key));
    let nothing = || CallError::Failed(format!("{} is not a value", quote(key)));
    if path.is_empty() {
        return Err(CallError::Failed("YAML path cannot be empty".to_owned()));
    }
    let table = match above {
        Some(above) => table(map, above).map_err(|_| nothing())?,
        None => map.clone(),
    };
    match table.get(key.as_bytes()) {
        None | Some(Value::Map(_)) => Err(nothing()),
        Some(value) => Ok(value),
    }
}

impl MapMethods for ValuesMethods {
    fn type_name(&self) -> &'static str {
        self.0
    }

    fn method(&self, name: &str) -> Method {
        match name {
            "Table" | "PathValue" => Method::Takes(ONE_TEXT),
            "YAML" | "AsMap" => Method::Takes(NOTHING),
            _ => Method::Absent,
        }
    }

    fn call(&self, map: &Map, name: &str, args: &[Value], _: &mut Context<'_>) -> Called {
        Some(match name {
            "Table" => {
                table(map, &text(args).to_text()).map(|table| Value::Map(table.as_type(map.of())))
            }
            "PathValue" => path_value(map, &text(args).to_text()),
            "YAML" => Ok(match to_yaml(&Value::Map(map.clone())) {
                Value::String(text) if !text.is_empty() => {
                    Value::from([text.as_bytes(), b"\n"].concat())
                }
                nothing => nothing,
            }),
            "AsMap" => Ok(Value::Map(match map.is_empty() {
                true => Map::default(),
                false => map.as_type(MapType::Any),
            })),
            _ => return None,
        })
    }
}
