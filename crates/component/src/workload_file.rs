//! Workloads from an image and what the source code says about itself.
//!
//! A descriptor stands beside the source code: endpoints, dependencies, environment variables and
//! files. [`create`] makes of it, and of an image that was built, the Workload that the checkout
//! holds.
//!
//! # Source
//! openchoreo/openchoreo `internal/occ/resources/workload/converter.go` and
//! `internal/occ/cmd/workload` at v0.12.0 and v1.2.3: fields of the descriptor, the name of the
//! Workload, that without a descriptor only the image of a Workload changes.

use diag::{Code, Diagnostic, Explain, Reason, Retry, Span};
use object::{Map, Node, Object, Text};
use tree::{Tree, TreePath};

use crate::checkout::{Checkout, Manifest};
use crate::edit::{self, EditError};
use crate::generate::{Difference, differences, new_object};
use crate::model::{Owner, Schemas};

/// What the one container of versions before v1 is called when nothing else says so.
const CONTAINER: &str = "main";

/// Most bytes of a file that a Workload holds: what an API server takes in one request is 3 MiB,
/// and a Workload is in every release again.
pub const CONTENT_BYTES_MAX: usize = 1 << 20;

/// What Workload is wanted.
#[derive(Clone, Debug, Default)]
pub struct WorkloadRequest {
    /// Its namespace; `None` for that of the component.
    pub namespace: Option<Text>,
    /// Its project and component.
    pub owner: Owner,
    /// The image.
    pub image: Text,
    /// The container, for types that name theirs; else see [`create`].
    pub container: Option<Text>,
    /// The file, or a folder for it; where the Workload stands by default.
    pub path: Option<TreePath>,
}

/// A descriptor, and the folder it stands in.
#[derive(Clone, Debug)]
pub struct Descriptor {
    /// Its content.
    pub node: Node,
    /// The files that it can name; nothing outside of this folder.
    pub folder: Tree,
}

/// A Workload to be written.
#[derive(Clone, Debug)]
pub struct WorkloadFile {
    /// Its file.
    pub path: TreePath,
    /// The whole text of the file; `None` when nothing changes.
    pub text: Option<String>,
    /// The object.
    pub object: Object,
    /// What differs from what stands there.
    pub changes: Vec<Difference>,
    /// Whether the file is new.
    pub new: bool,
    /// Fields of the descriptor that nobody knows.
    pub warnings: Vec<Diagnostic>,
}

/// Why there is no Workload.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum WorkloadError {
    /// Fields of the descriptor that cannot be used.
    #[error("the descriptor cannot be used: {}", .0.join("; "))]
    Descriptor(Vec<String>),
    /// A name that is none.
    #[error("`{name}` is no name of a {what}")]
    Name {
        /// Of what.
        what: &'static str,
        /// The name.
        name: Text,
    },
    /// The component has several Workloads.
    #[error("component `{component}` has several Workloads: {}", names.join(", "))]
    Several {
        /// The component.
        component: Text,
        /// Their names.
        names: Vec<Text>,
    },
    /// The Workload has several containers, and none was named.
    #[error("Workload `{name}` has several containers: {}", containers.join(", "))]
    Containers {
        /// The Workload.
        name: Text,
        /// Their names.
        containers: Vec<Text>,
    },
    /// Something else is at the path.
    #[error("`{0}` is taken by something else")]
    FileTaken(TreePath),
    /// A path outside of the checkout.
    #[error("the file would be outside of the checkout: {0}")]
    Path(#[from] tree::PathError),
    /// A file that cannot be read.
    #[error("cannot read `{0}`: {1}")]
    Read(TreePath, String),
    /// A file that cannot be changed.
    #[error("cannot change `{0}`")]
    Edit(TreePath, #[source] EditError),
}

impl Explain for WorkloadError {
    fn code(&self) -> Code {
        Code(match self {
            Self::Descriptor(_) => "WorkloadDescriptorInvalid",
            Self::Name { .. } => "ComponentNameInvalid",
            Self::Several { .. } | Self::Containers { .. } => "WorkloadAmbiguous",
            Self::FileTaken(_) => "OutputFileTaken",
            Self::Path(_) => "OutputOutsideCheckout",
            Self::Read(..) => "FileUnreadable",
            Self::Edit(..) => "FileNotEditable",
        })
    }

    fn reason(&self) -> Reason {
        Reason("InvalidConfiguration")
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }

    fn span(&self) -> Option<Span> {
        match self {
            Self::FileTaken(path) | Self::Read(path, _) | Self::Edit(path, _) => {
                Some(Span::file(path.as_str()))
            }
            _ => None,
        }
    }

    fn help(&self) -> Vec<String> {
        match self {
            Self::Containers { .. } => vec!["Choose one with --container.".to_owned()],
            Self::FileTaken(_) => vec!["Write elsewhere with --output-path.".to_owned()],
            _ => Vec::new(),
        }
    }
}

/// Which way containers are written.
enum Form {
    /// One without a name, since v1.
    Single,
    /// By name.
    Named(Text),
}

/// The Workload of a component with this image.
///
/// A Workload that is there keeps its form and, without a descriptor, everything but the image. A
/// new one has the form of the component's type; its container has the name that the templates of
/// the type ask for, if that is one.
///
/// # Errors
/// [`WorkloadError`].
pub fn create(
    checkout: &Checkout,
    request: &WorkloadRequest,
    descriptor: Option<&Descriptor>,
) -> Result<WorkloadFile, WorkloadError> {
    let owner = &request.owner;
    for (what, name) in [("component", &owner.component), ("project", &owner.project)] {
        if !object::names::is_subdomain(name) {
            let name = name.clone();
            return Err(WorkloadError::Name { what, name });
        }
    }
    let component = checkout.catalog().components().find(|own| {
        own.head.name == owner.component
            && own.owner.project == owner.project
            && request
                .namespace
                .as_ref()
                .is_none_or(|wanted| *wanted == own.head.namespace)
    });
    let namespace = component.map(|own| own.head.namespace.clone());
    let namespace = namespace.or_else(|| request.namespace.clone());
    let there: Vec<&Manifest> = match &namespace {
        Some(namespace) => checkout.owned("Workload", namespace, owner).collect(),
        None => Vec::new(),
    };
    if there.len() > 1 {
        let names = there.iter().map(|own| own.object.name().into());
        return Err(WorkloadError::Several {
            component: owner.component.clone(),
            names: names.collect(),
        });
    }
    let there = there.first().copied();
    let form = match there {
        Some(own) => form_of(own, request.container.as_ref())?,
        None => form_for(checkout, component, request.container.as_ref()),
    };
    let place: Vec<Text> = match &form {
        Form::Single => vec!["spec".into(), "container".into()],
        Form::Named(name) => vec!["spec".into(), "containers".into(), name.clone()],
    };
    if let (Some(own), None) = (there, descriptor) {
        let mut keys = place;
        keys.push("image".into());
        return change_image(checkout, own, &keys, &request.image);
    }

    let mut object = new_object("Workload");
    match there {
        Some(own) => {
            let metadata = own.object.node.get("metadata").cloned().unwrap_or_default();
            object.node.set(&["metadata"], metadata);
        }
        None => {
            let name = format!("{}-workload", owner.component);
            object.node.set(&["metadata", "name"], name);
            let written = component.and_then(|own| checkout.file_of(own));
            let written = written.is_none_or(|own| !own.object.namespace().is_empty());
            if let (Some(namespace), true) = (&namespace, written) {
                object
                    .node
                    .set(&["metadata", "namespace"], namespace.clone());
            }
        }
    }
    object
        .node
        .set(&["spec", "owner", "projectName"], owner.project.clone());
    object
        .node
        .set(&["spec", "owner", "componentName"], owner.component.clone());
    let mut warnings = Vec::new();
    let mut container = Map::new();
    container.insert("image", request.image.clone());
    if let Some(descriptor) = descriptor {
        let mut reader = Reader {
            folder: &descriptor.folder,
            single: matches!(form, Form::Single),
            problems: Vec::new(),
            warnings: Vec::new(),
        };
        let spec = reader.read(&descriptor.node, &mut container);
        if !reader.problems.is_empty() {
            return Err(WorkloadError::Descriptor(reader.problems));
        }
        for (key, value) in spec {
            object.node.set(&["spec", &key], value);
        }
        warnings = reader.warnings;
    }
    let keys: Vec<&str> = place.iter().map(Text::as_str).collect();
    object.node.set(&keys, container);
    match there {
        Some(own) => Ok(WorkloadFile {
            warnings,
            ..replace(checkout, own, object)?
        }),
        None => {
            let path = new_path(checkout, component, request)?;
            Ok(WorkloadFile {
                text: Some(yaml::to_string(&object.node)),
                path,
                object,
                changes: Vec::new(),
                new: true,
                warnings,
            })
        }
    }
}

fn change_image(
    checkout: &Checkout,
    own: &Manifest,
    keys: &[Text],
    image: &Text,
) -> Result<WorkloadFile, WorkloadError> {
    let mut object = own.object.clone();
    let path: Vec<&str> = keys.iter().map(Text::as_str).collect();
    object.node.set(&path, image.clone());
    changed(checkout, own, object, |text, _| {
        edit::set(text, own.document, keys, &Node::from(image.clone()))
    })
}

fn replace(
    checkout: &Checkout,
    own: &Manifest,
    object: Object,
) -> Result<WorkloadFile, WorkloadError> {
    changed(checkout, own, object, |text, node| {
        edit::replace_document(text, own.document, node)
    })
}

/// A Workload that is there, as another object; its file is edited if that differs.
fn changed(
    checkout: &Checkout,
    own: &Manifest,
    object: Object,
    edit: impl FnOnce(&str, &Node) -> Result<String, EditError>,
) -> Result<WorkloadFile, WorkloadError> {
    let changes = differences(&own.object.node, &object.node);
    let text = match changes.is_empty() {
        true => None,
        false => {
            let text = edit(&read(checkout, &own.path)?, &object.node);
            Some(text.map_err(|error| WorkloadError::Edit(own.path.clone(), error))?)
        }
    };
    Ok(WorkloadFile {
        path: own.path.clone(),
        text,
        object,
        changes,
        new: false,
        warnings: Vec::new(),
    })
}

fn read(checkout: &Checkout, path: &TreePath) -> Result<String, WorkloadError> {
    let text = checkout.tree().read_text(path);
    text.map_err(|error| WorkloadError::Read(path.clone(), error.to_string()))
}

/// Where a Workload that is not there yet is written.
fn new_path(
    checkout: &Checkout,
    component: Option<&crate::model::Component>,
    request: &WorkloadRequest,
) -> Result<TreePath, WorkloadError> {
    const NAME: &str = "workload.yaml";
    let owner = &request.owner;
    let beside = component
        .and_then(|own| checkout.file_of(own))
        .and_then(|own| own.path.parent())
        .filter(|folder| folder.file_name() == owner.component);
    let path = match (&request.path, beside) {
        (Some(path), _) if path.as_str().ends_with(".yaml") || path.as_str().ends_with(".yml") => {
            path.clone()
        }
        (Some(folder), _) => folder.join(NAME)?,
        (None, Some(folder)) => folder.join(NAME)?,
        (None, None) => TreePath::new(&format!(
            "projects/{}/components/{}/{NAME}",
            owner.project, owner.component
        ))?,
    };
    let tree = checkout.tree();
    let folder_is_file = path.prefixes().any(|at| at != path && tree.is_file(&at));
    match tree.is_file(&path) || tree.is_directory(&path) || folder_is_file {
        true => Err(WorkloadError::FileTaken(path)),
        false => Ok(path),
    }
}

/// The form of a Workload that is there.
fn form_of(own: &Manifest, container: Option<&Text>) -> Result<Form, WorkloadError> {
    let spec = own.object.node.get("spec").cloned().unwrap_or_default();
    if spec.get("container").is_some_and(|own| !own.is_null()) {
        return Ok(Form::Single);
    }
    if let Some(name) = container {
        return Ok(Form::Named(name.clone()));
    }
    let containers = spec.get("containers").and_then(Node::as_map);
    let names: Vec<Text> = containers
        .map(|map| map.keys().cloned().collect())
        .unwrap_or_default();
    match names.as_slice() {
        [] => Ok(Form::Named(CONTAINER.into())),
        [only] => Ok(Form::Named(only.clone())),
        _ => Err(WorkloadError::Containers {
            name: own.object.name().into(),
            containers: names,
        }),
    }
}

/// The form for a component without a Workload.
fn form_for(
    checkout: &Checkout,
    component: Option<&crate::model::Component>,
    container: Option<&Text>,
) -> Form {
    if let Some(name) = container {
        return Form::Named(name.clone());
    }
    let found = component.and_then(|own| {
        let typed = own.component_type.as_ref()?;
        let name = typed
            .split_once('/')
            .map_or(typed.as_str(), |(_, name)| name);
        let reference = crate::model::Reference {
            kind: own.type_kind.clone(),
            name: name.into(),
        };
        checkout
            .catalog()
            .component_type(&own.head.namespace, &reference)
    });
    let Some(found) = found else {
        return Form::Single;
    };
    let mut names = Vec::new();
    for resource in &found.spec.resources {
        container_names(&resource.template, &mut names);
    }
    match (names.as_slice(), &found.spec.schemas) {
        ([only], _) => Form::Named(only.clone()),
        (_, Schemas::Shorthand { .. }) => Form::Named(CONTAINER.into()),
        _ => Form::Single,
    }
}

/// Names of containers that expressions ask for as `workload.containers["name"]`.
fn container_names(node: &Node, found: &mut Vec<Text>) {
    match node {
        Node::String(text) => {
            for part in text.split("workload.containers[").skip(1) {
                let Some(quote) = part.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
                    continue;
                };
                let name = part[1..].split(quote).next().unwrap_or_default();
                if !name.is_empty() && !found.iter().any(|own| own == name) {
                    found.push(name.into());
                }
            }
        }
        Node::List(items) => items.iter().for_each(|item| container_names(item, found)),
        Node::Map(map) => map.values().for_each(|item| container_names(item, found)),
        _ => {}
    }
}

/// Reads a descriptor into the form of a Workload.
struct Reader<'a> {
    folder: &'a Tree,
    single: bool,
    problems: Vec<String>,
    warnings: Vec<Diagnostic>,
}

impl Reader<'_> {
    /// The fields of the spec beside the container, whose own are added to it.
    fn read(&mut self, node: &Node, container: &mut Map) -> Map {
        let mut spec = Map::new();
        if node.as_map().is_none() {
            self.problems.push("it is no map".to_owned());
            return spec;
        }
        self.known(
            node,
            "",
            &[
                "apiVersion",
                "kind",
                "metadata",
                "endpoints",
                "dependencies",
                "connections",
                "configurations",
            ],
        );
        let mut endpoints = Map::new();
        for (at, item) in self
            .items(node, "endpoints", "endpoints")
            .iter()
            .enumerate()
        {
            let place = format!("endpoints[{at}]");
            let name = self.required(item, &place, "name");
            let endpoint = self.endpoint(item, &place);
            if endpoints.insert(name.clone(), endpoint).is_some() {
                self.problems
                    .push(format!("endpoint `{name}` is there twice"));
            }
        }
        if !endpoints.is_empty() {
            spec.insert("endpoints", endpoints);
        }
        if let Some(own) = node.get("dependencies").filter(|own| !own.is_null()) {
            for (at, item) in self
                .items(own, "endpoints", "dependencies.endpoints")
                .iter()
                .enumerate()
            {
                let place = format!("dependencies.endpoints[{at}]");
                self.required(item, &place, "component");
                self.required(item, &place, "name");
                let visibility = self.required(item, &place, "visibility");
                self.one_of(&visibility, &place, &["project", "namespace"]);
            }
            spec.insert("dependencies", own.clone());
        }
        if let Some(own) = node.get("connections").filter(|own| !own.is_null()) {
            spec.insert("connections", own.clone());
        }
        let configurations = node.get("configurations").cloned().unwrap_or_default();
        if !configurations.is_null() {
            self.known(&configurations, "configurations.", &["env", "files"]);
        }
        for key in ["env", "files"] {
            let place = format!("configurations.{key}");
            let items = self.items(&configurations, key, &place);
            let settings: Vec<Map> = items
                .iter()
                .enumerate()
                .map(|(at, item)| self.setting(item, &format!("{place}[{at}]"), key == "files"))
                .collect();
            if !settings.is_empty() {
                container.insert(key, Node::list(settings));
            }
        }
        spec
    }

    fn endpoint(&mut self, item: &Node, place: &str) -> Map {
        const KNOWN: [&str; 10] = [
            "name",
            "type",
            "port",
            "targetPort",
            "displayName",
            "basePath",
            "context",
            "visibility",
            "schema",
            "schemaFile",
        ];
        const NOT_KEPT: [&str; 3] = ["name", "context", "schemaFile"];
        self.known(item, &format!("{place}."), &KNOWN);
        let mut out = item.as_map().cloned().unwrap_or_default();
        out.retain(|key, value| !value.is_null() && !NOT_KEPT.contains(&key));
        for key in ["port", "targetPort"] {
            let port = item.get(key).filter(|port| !port.is_null());
            let right = port.map(|port| {
                port.as_i64()
                    .is_some_and(|port| (1..=65535).contains(&port))
            });
            match (right, key) {
                (Some(true), _) | (None, "targetPort") => {}
                _ => self
                    .problems
                    .push(format!("`{place}.{key}` is to be a port")),
            }
        }
        for visibility in item
            .get("visibility")
            .and_then(Node::as_list)
            .unwrap_or_default()
        {
            let visibility: Text = visibility.as_str().unwrap_or_default().into();
            self.one_of(
                &visibility,
                place,
                &["project", "namespace", "internal", "external"],
            );
        }
        // Older descriptors call the base path so.
        if let Some(context) = item.get("context").filter(|own| !own.is_null())
            && !out.contains_key("basePath")
        {
            out.insert("basePath", context.clone());
        }
        let file = item.str_at(&["schemaFile"]).filter(|own| !own.is_empty());
        if let Some(file) = file
            && let Some(content) = self.content(file, &format!("{place}.schemaFile"))
        {
            let kind = item.get("type").cloned().unwrap_or_default();
            let schema = Map::from_iter([("type", kind), ("content", content.into())]);
            out.insert("schema", schema);
        }
        out
    }

    /// An environment variable or a file.
    fn setting(&mut self, item: &Node, place: &str, file: bool) -> Map {
        self.known(
            item,
            &format!("{place}."),
            &["name", "key", "value", "valueFrom", "mountPath"],
        );
        let mut out = Map::new();
        let name = item.str_at(&["name"]).or_else(|| item.str_at(&["key"]));
        match name.filter(|name| !name.is_empty()) {
            Some(name) => drop(out.insert("key", name)),
            None => self.problems.push(format!("`{place}.name` is missing")),
        }
        if file {
            let path = self.required(item, place, "mountPath");
            out.insert("mountPath", path);
        }
        let from = item.get("valueFrom").cloned().unwrap_or_default();
        let secret = ["secretKeyRef", "secretRef"]
            .iter()
            .find_map(|key| from.get(key).filter(|own| !own.is_null()));
        if let Some(secret) = secret {
            let place = format!("{place}.valueFrom.secretKeyRef");
            self.required(secret, &place, "name");
            self.required(secret, &place, "key");
            let key = if self.single {
                "secretKeyRef"
            } else {
                "secretRef"
            };
            out.insert("valueFrom", Map::from_iter([(key, secret.clone())]));
        } else if let Some(path) = from
            .str_at(&["path"])
            .filter(|path| file && !path.is_empty())
        {
            if let Some(content) = self.content(path, &format!("{place}.valueFrom.path")) {
                out.insert("value", content);
            }
        } else if !from.is_null() {
            out.insert("valueFrom", from);
        } else if let Some(value) = item.get("value").filter(|value| !value.is_null()) {
            match value {
                Node::String(_) => drop(out.insert("value", value.clone())),
                // Everything in an environment is text.
                Node::Int(_) | Node::Uint(_) | Node::Float(_) | Node::Bool(_) => {
                    out.insert("value", object::json::to_string(value));
                }
                _ => self
                    .problems
                    .push(format!("`{place}.value` is to be a text")),
            }
        }
        out
    }

    /// A file beside the descriptor.
    fn content(&mut self, path: &str, place: &str) -> Option<String> {
        let read = TreePath::new(path)
            .map_err(|error| error.to_string())
            .and_then(|path| {
                self.folder
                    .read_text(&path)
                    .map_err(|error| error.to_string())
            });
        match read {
            Ok(text) if text.len() <= CONTENT_BYTES_MAX => Some(text),
            Ok(_) => {
                self.problems.push(format!(
                    "`{place}`: `{path}` is larger than {CONTENT_BYTES_MAX} bytes"
                ));
                None
            }
            Err(error) => {
                self.problems.push(format!("`{place}`: {error}"));
                None
            }
        }
    }

    fn items<'n>(&mut self, node: &'n Node, key: &str, place: &str) -> &'n [Node] {
        match node.get(key) {
            None | Some(Node::Null) => &[],
            Some(Node::List(items)) => items,
            Some(_) => {
                self.problems.push(format!("`{place}` is to be a list"));
                &[]
            }
        }
    }

    fn required(&mut self, node: &Node, place: &str, key: &str) -> Text {
        match node.str_at(&[key]) {
            Some(text) if !text.is_empty() => text.into(),
            _ => {
                self.problems.push(format!("`{place}.{key}` is missing"));
                Text::default()
            }
        }
    }

    fn one_of(&mut self, text: &str, place: &str, known: &[&str]) {
        if !text.is_empty() && !known.contains(&text) {
            self.problems.push(format!(
                "`{place}.visibility`: `{text}` is none of {}",
                known.join(", ")
            ));
        }
    }

    /// Warns of fields that nobody knows.
    fn known(&mut self, node: &Node, place: &str, known: &[&str]) {
        for key in node.as_map().into_iter().flat_map(Map::keys) {
            if !known.contains(&key.as_str()) {
                let near = diag::nearest(key, known.iter().copied());
                let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                let message = format!("`{place}{key}` is no known field of a descriptor{near}");
                self.warnings.push(Diagnostic::warning(
                    Code("WorkloadDescriptorInvalid"),
                    message,
                ));
            }
        }
    }
}
