//! `Chart.yaml`: what a chart says about itself.
//!
//! # Source
//! helm/helm `pkg/chart/v2/{metadata,dependency}.go`.

use golang::Version;
use golang::strconv::{is_print, quote};
use golang::time::layout;
use object::Node;

use crate::decode::{self, Mistakes, Place, sorted};

/// What a chart says about itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata {
    /// Name; also the key of its section in the values of the chart that depends on it.
    pub name: String,
    /// Web page.
    pub home: String,
    /// Addresses of sources.
    pub sources: Vec<String>,
    /// Version of the chart.
    pub version: String,
    /// One sentence about it.
    pub description: String,
    /// Words to find it by.
    pub keywords: Vec<String>,
    /// Who looks after it.
    pub maintainers: Vec<Maintainer>,
    /// Address of a picture.
    pub icon: String,
    /// Format of the chart: `v1` or `v2`.
    pub api_version: String,
    /// Unused since Helm 2.
    pub condition: String,
    /// Unused since Helm 2.
    pub tags: String,
    /// Version of what the chart installs.
    pub app_version: String,
    /// Whether it should not be used any more.
    pub deprecated: bool,
    /// Sorted by key.
    pub annotations: Vec<(String, String)>,
    /// The versions of Kubernetes it is for.
    pub kube_version: String,
    /// The charts it needs.
    pub dependencies: Vec<Dependency>,
    /// `application`, `library` or empty, which means application.
    pub kind: String,
    /// Whether dependencies are named at all, if only none.
    pub(crate) has_dependencies: bool,
    /// Whether a null stands among the maintainers.
    null_maintainer: bool,
    /// Whether a null stands among the dependencies.
    null_dependency: bool,
}

/// Who looks after a chart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Maintainer {
    /// Name of a person or team.
    pub name: String,
    /// Address to write to.
    pub email: String,
    /// Address of a page.
    pub url: String,
}

/// A chart that another one needs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dependency {
    /// Name of the chart; of an alias once dependencies are decided.
    pub name: String,
    /// The versions that will do.
    pub version: String,
    /// Where it comes from.
    pub repository: String,
    /// Paths of values that switch it on or off, separated by commas.
    pub condition: String,
    /// Words by which values switch it on or off.
    pub tags: Vec<String>,
    /// Whether it is used; set once dependencies are decided.
    pub enabled: bool,
    /// What of its values the parent takes over: texts and maps of `child` and `parent`.
    pub import_values: Vec<Node>,
    /// Another name for it.
    pub alias: String,
}

impl Metadata {
    /// Whether it only holds definitions for other charts.
    pub fn is_library(&self) -> bool {
        self.kind == "library"
    }

    /// Fills fields from the text of a `Chart.yaml` or `requirements.yaml`; what the text does not
    /// name stays.
    ///
    /// # Errors
    /// The reference's message. `structure` is the Go type it names for a text that is no map.
    pub(super) fn read(&mut self, bytes: &[u8], structure: &str) -> Result<(), String> {
        let node = decode::yaml(bytes)?;
        let mut mistakes = Mistakes::default();
        let Some(map) = mistakes.document(&node, structure) else {
            return mistakes.finish();
        };
        let package = structure.split('.').next().unwrap_or_default();
        for (key, node) in sorted(map) {
            self.read_field(key, node, package, &mut mistakes);
        }
        mistakes.finish()
    }

    fn read_field(&mut self, key: &str, node: &Node, package: &str, mistakes: &mut Mistakes) {
        let field = FIELDS.iter().find(|field| field.eq_ignore_ascii_case(key));
        let Some(&field) = field else { return };
        let place = Place {
            structure: "Metadata",
            field,
        };
        let text = match field {
            "name" => &mut self.name,
            "home" => &mut self.home,
            "version" => &mut self.version,
            "description" => &mut self.description,
            "icon" => &mut self.icon,
            "apiVersion" => &mut self.api_version,
            "condition" => &mut self.condition,
            "tags" => &mut self.tags,
            "appVersion" => &mut self.app_version,
            "kubeVersion" => &mut self.kube_version,
            "type" => &mut self.kind,
            "deprecated" => {
                self.deprecated = mistakes.bool(node, place).unwrap_or(self.deprecated);
                return;
            }
            "sources" => {
                self.sources = mistakes.strings(node, place);
                return;
            }
            "keywords" => {
                self.keywords = mistakes.strings(node, place);
                return;
            }
            "annotations" => {
                self.annotations = mistakes.string_map(node, place);
                return;
            }
            "maintainers" => {
                let wanted = format!("{package}.Maintainer");
                let items = mistakes.list(node, place, &format!("[]*{wanted}"));
                self.null_maintainer = items.iter().any(Node::is_null);
                let read = items
                    .iter()
                    .map(|item| Maintainer::read(item, &wanted, mistakes));
                self.maintainers = read.collect();
                return;
            }
            _ => {
                self.has_dependencies |= !node.is_null();
                let items = node.as_list().unwrap_or_default();
                self.null_dependency = items.iter().any(Node::is_null);
                self.dependencies = Dependency::read_all(node, place, package, mistakes);
                return;
            }
        };
        if let Some(value) = mistakes.string(node, place) {
            *text = value;
        }
    }

    /// Checks the fields, and takes control characters out of texts.
    ///
    /// # Errors
    /// The reference's message, without `validation: `.
    pub(super) fn validate(&mut self) -> Result<(), Invalid> {
        let texts = [
            &mut self.name,
            &mut self.description,
            &mut self.home,
            &mut self.icon,
            &mut self.condition,
            &mut self.tags,
            &mut self.app_version,
            &mut self.kube_version,
        ];
        texts.into_iter().for_each(sanitize);
        self.sources.iter_mut().for_each(sanitize);
        self.keywords.iter_mut().for_each(sanitize);
        if self.api_version.is_empty() {
            return Err("chart.metadata.apiVersion is required".into());
        }
        if self.name.is_empty() {
            return Err("chart.metadata.name is required".into());
        }
        if self.name == "." || self.name == ".." {
            return Err(Invalid::name(&self.name, "is not allowed"));
        }
        if self.name.contains('/') {
            return Err(Invalid::name(&self.name, "is invalid"));
        }
        if self.version.is_empty() {
            return Err("chart.metadata.version is required".into());
        }
        if self.version.parse::<Version>().is_err() {
            let version = quote(&self.version);
            return Err(format!("chart.metadata.version {version} is invalid").into());
        }
        if !matches!(&*self.kind, "" | "application" | "library") {
            return Err("chart.metadata.type must be application or library".into());
        }
        if self.null_maintainer {
            return Err("maintainers must not contain empty or null nodes".into());
        }
        for maintainer in &mut self.maintainers {
            sanitize(&mut maintainer.name);
            sanitize(&mut maintainer.email);
            sanitize(&mut maintainer.url);
        }
        if self.null_dependency {
            return Err("dependencies must not contain empty or null nodes".into());
        }
        let mut names: Vec<String> = Vec::new();
        for dependency in &mut self.dependencies {
            dependency.validate()?;
            let key = match dependency.alias.is_empty() {
                true => &dependency.name,
                false => &dependency.alias,
            };
            if names.contains(key) {
                let key = quote(key);
                return Err(format!("more than one dependency with name or alias {key}").into());
            }
            names.push(key.clone());
        }
        Ok(())
    }
}

/// What is wrong with metadata.
pub(super) struct Invalid {
    pub text: String,
    /// Whether the name is unfit to be part of a path.
    pub name: bool,
}

impl Invalid {
    fn name(name: &str, what: &str) -> Self {
        Self {
            text: format!("chart.metadata.name {} {what}", quote(name)),
            name: true,
        }
    }
}

impl From<String> for Invalid {
    fn from(text: String) -> Self {
        Self { text, name: false }
    }
}

impl From<&str> for Invalid {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

const FIELDS: [&str; 17] = [
    "name",
    "home",
    "sources",
    "version",
    "description",
    "keywords",
    "maintainers",
    "icon",
    "apiVersion",
    "condition",
    "tags",
    "appVersion",
    "deprecated",
    "annotations",
    "kubeVersion",
    "dependencies",
    "type",
];

impl Maintainer {
    fn read(node: &Node, wanted: &str, mistakes: &mut Mistakes) -> Self {
        let mut read = Self::default();
        let Node::Map(map) = node else {
            if node.is_null() {
                return read;
            }
            let place = Place {
                structure: "Metadata",
                field: "maintainers",
            };
            mistakes.mismatch(node, place, wanted);
            return read;
        };
        for (key, node) in sorted(map) {
            let (field, text) = match &*key.to_ascii_lowercase() {
                "name" => ("maintainers.name", &mut read.name),
                "email" => ("maintainers.email", &mut read.email),
                "url" => ("maintainers.url", &mut read.url),
                _ => continue,
            };
            let place = Place {
                structure: "Maintainer",
                field,
            };
            *text = mistakes.string(node, place).unwrap_or_default();
        }
        read
    }
}

impl Dependency {
    fn read_all(
        node: &Node,
        place: Place<'_>,
        package: &str,
        mistakes: &mut Mistakes,
    ) -> Vec<Self> {
        let wanted = format!("{package}.Dependency");
        let items = mistakes.list(node, place, &format!("[]*{wanted}"));
        let items = items.iter();
        items
            .map(|item| Self::read(item, place, &wanted, mistakes))
            .collect()
    }

    fn read(node: &Node, place: Place<'_>, wanted: &str, mistakes: &mut Mistakes) -> Self {
        let mut read = Self::default();
        let Node::Map(map) = node else {
            if !node.is_null() {
                mistakes.mismatch(node, place, wanted);
            }
            return read;
        };
        for (key, node) in sorted(map) {
            let key = key.to_ascii_lowercase();
            let field = format!("dependencies.{key}");
            let place = Place {
                structure: "Dependency",
                field: &field,
            };
            let text = match &*key {
                "name" => &mut read.name,
                "version" => &mut read.version,
                "repository" => &mut read.repository,
                "condition" => &mut read.condition,
                "alias" => &mut read.alias,
                "tags" => {
                    read.tags = mistakes.strings(node, place);
                    continue;
                }
                "enabled" => {
                    read.enabled = mistakes.bool(node, place).unwrap_or_default();
                    continue;
                }
                "import-values" => {
                    read.import_values = mistakes.list(node, place, "[]interface {}").to_vec();
                    continue;
                }
                _ => continue,
            };
            *text = mistakes.string(node, place).unwrap_or_default();
        }
        read
    }

    fn validate(&mut self) -> Result<(), Invalid> {
        let texts = [
            &mut self.name,
            &mut self.version,
            &mut self.repository,
            &mut self.condition,
        ];
        texts.into_iter().for_each(sanitize);
        self.tags.iter_mut().for_each(sanitize);
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if !self.alias.bytes().all(allowed) {
            let name = quote(&self.name);
            return Err(format!("dependency {name} has disallowed characters in the alias").into());
        }
        Ok(())
    }
}

/// Whether a text is a lock: when it was made, a digest, the dependencies and their versions.
///
/// # Errors
/// The reference's message. `package` is the Go package it names.
///
/// # Source
/// helm/helm `pkg/chart/v2/dependency.go`; golang/go `src/time/time.go`, `UnmarshalJSON`.
pub(super) fn check_lock(bytes: &[u8], package: &str) -> Result<(), String> {
    let node = decode::yaml(bytes)?;
    let mut mistakes = Mistakes::default();
    let map = mistakes.document(&node, &format!("{package}.Lock"));
    for (key, node) in map.into_iter().flat_map(sorted) {
        let place = |field| Place {
            structure: "Lock",
            field,
        };
        match &*key.to_ascii_lowercase() {
            // A time that is none ends the reading.
            "generated" => check_time(node).map_err(decode::told)?,
            "digest" => {
                mistakes.string(node, place("digest"));
            }
            "dependencies" => {
                Dependency::read_all(node, place("dependencies"), package, &mut mistakes);
            }
            _ => {}
        }
    }
    mistakes.finish()
}

fn check_time(node: &Node) -> Result<(), String> {
    let text = match node {
        Node::Null => return Ok(()),
        Node::String(text) => text.as_bytes(),
        _ => return Err("Time.UnmarshalJSON: input is not a JSON string".to_owned()),
    };
    let read = layout::parse(b"2006-01-02T15:04:05Z07:00", text);
    read.map_err(|error| error.to_string())?;
    Ok(())
}

/// Makes every kind of space a blank and takes out what does not print.
fn sanitize(text: &mut String) {
    let clean =
        |character: char| character == ' ' || (character != '\u{a0}' && is_print(character));
    if text.chars().all(clean) {
        return;
    }
    let kept = text.chars().filter_map(|character| match character {
        _ if character.is_whitespace() => Some(' '),
        _ => is_print(character).then_some(character),
    });
    *text = kept.collect();
}
