//! One object of a build with its history, and reading objects from text.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use diag::{Code, Explain as _};
use object::{Origin, Text};
use yaml::{Kind, Limits, Node, YamlError};

use crate::ids::{Gvk, ResId};
use crate::ops::{self, ExpandError, Shared};
use crate::schema::Schema;

/// Marks the objects that only configure other tools.
pub(crate) const LOCAL_CONFIG: &str = "config.kubernetes.io/local-config";
/// Says which file an object came from.
pub(crate) const ORIGIN: &str = "config.kubernetes.io/origin";
/// Says which transformers worked on an object.
pub(crate) const TRANSFORMATIONS: &str = "alpha.config.kubernetes.io/transformations";

const INTERNAL: &str = "internal.config.kubernetes.io/";

/// Annotations that are never printed, beside those of the history.
const DROPPED: [&str; 8] = [
    "internal.config.kubernetes.io/path",
    "internal.config.kubernetes.io/index",
    "internal.config.kubernetes.io/seqindent",
    "config.k8s.io/id",
    "internal.config.kubernetes.io/id",
    "internal.config.kubernetes.io/annotations-migration-resource-id",
    "config.kubernetes.io/path",
    "config.kubernetes.io/index",
];

/// A name an object had before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Previous {
    pub name: Text,
    pub namespace: Text,
    pub kind: Text,
}

/// What a generator does with an object that exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Behavior {
    #[default]
    Unspecified,
    Create,
    Replace,
    Merge,
}

impl Behavior {
    pub fn read(text: &str) -> Self {
        match text {
            "create" => Self::Create,
            "replace" => Self::Replace,
            "merge" => Self::Merge,
            _ => Self::Unspecified,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Create => "create",
            Self::Replace => "replace",
            Self::Merge => "merge",
        }
    }
}

/// What happened to an object in this build; the reference keeps it in annotations.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    pub previous: Vec<Previous>,
    pub prefixes: Vec<Text>,
    pub suffixes: Vec<Text>,
    pub behavior: Behavior,
    pub needs_hash: bool,
    /// A generator made it.
    pub generated: bool,
    pub allow_name_change: bool,
    pub allow_kind_change: bool,
    pub helm_generated: bool,
    /// The reference would have an annotation of its own on the object by now.
    pub annotated: bool,
}

/// An object on its way through a build.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub node: Node,
    /// The current id, kept up to date by [`Item::refresh`].
    pub id: ResId,
    pub history: History,
    pub origin: Option<Arc<Origin>>,
    /// Names of the variables that read this object.
    pub variables: Vec<Text>,
    /// A patch deleted it.
    pub gone: bool,
    pub shared: Shared,
    pub shares: usize,
}

impl Item {
    /// An object just read or generated; annotations that record history are taken as such.
    pub fn new(node: Node, schema: &Schema) -> Self {
        let mut item = Self {
            node,
            id: ResId::default(),
            history: History::default(),
            origin: None,
            variables: Vec::new(),
            gone: false,
            shared: HashMap::new(),
            shares: 0,
        };
        item.refresh(schema);
        item.take_history();
        item
    }

    /// Reads the current id anew.
    pub fn refresh(&mut self, schema: &Schema) {
        let text = |key: &str| self.node.get(key).map_or("", |node| &node.value);
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        let metadata = self
            .node
            .get("metadata")
            .filter(|meta| !ops::is_empty(meta));
        let meta = |key: &str| -> Text {
            let field = metadata
                .and_then(|meta| meta.get(key))
                .filter(|node| !ops::is_empty(node));
            field.map_or_else(Text::default, |node| node.value.clone())
        };
        let (name, namespace) = (meta("name"), meta("namespace"));
        if self.id.gvk.kind != kind
            || self.id.gvk.api_version() != api_version
            || self.id.gvk.kind.is_empty()
        {
            self.id.cluster_scoped = schema.is_cluster_scoped(api_version, kind);
            self.id.gvk = Gvk::new(api_version, kind);
        }
        self.id.name = name;
        self.id.namespace = namespace;
    }

    /// The ids this object had, oldest first, without the current one.
    pub fn previous_ids(&self) -> impl Iterator<Item = ResId> + '_ {
        self.history
            .previous
            .iter()
            .map(|previous| self.id_of(previous))
    }

    fn id_of(&self, previous: &Previous) -> ResId {
        ResId {
            gvk: Gvk {
                group: self.id.gvk.group.clone(),
                version: self.id.gvk.version.clone(),
                kind: previous.kind.clone(),
            },
            name: previous.name.clone(),
            namespace: previous.namespace.clone(),
            cluster_scoped: false,
        }
    }

    /// The id the object had first.
    pub fn original_id(&self) -> ResId {
        match self.history.previous.first() {
            Some(previous) => self.id_of(previous),
            None => self.id.clone(),
        }
    }

    /// Remembers the current id before it changes.
    pub fn store_previous(&mut self) {
        self.history.previous.push(Previous {
            name: self.id.name.clone(),
            namespace: self.id.effective_namespace().into(),
            kind: self.id.gvk.kind.clone(),
        });
        self.history.annotated = true;
    }

    /// Whether any current or previous id satisfies `matches`.
    pub fn any_id(&self, matches: impl Fn(&ResId) -> bool) -> bool {
        self.previous_ids().any(|id| matches(&id)) || matches(&self.id)
    }

    /// Where the object begins, for errors about it.
    pub fn place(&self) -> Option<diag::Span> {
        self.origin
            .as_ref()
            .map(|origin| diag::Span::line(origin.path.as_str(), origin.line))
    }

    pub fn labels(&self) -> BTreeMap<Text, Text> {
        ops::metadata_map(&self.node, "labels")
    }

    pub fn annotations(&self) -> BTreeMap<Text, Text> {
        ops::metadata_map(&self.node, "annotations")
    }

    pub fn annotation(&self, key: &str) -> Option<&str> {
        let annotations = self
            .node
            .get("metadata")
            .filter(|meta| !ops::is_empty(meta))?
            .get("annotations")?;
        annotations.get(key).map(|value| value.value.as_str())
    }

    pub fn set_annotation(&mut self, key: &str, value: &str) {
        let mut annotations = self.annotations();
        annotations.insert(key.into(), value.into());
        ops::set_metadata_map(&mut self.node, "annotations", &annotations);
    }

    /// Sets a text under `metadata`; an existing one keeps its style.
    pub fn set_metadata(
        &mut self,
        field: &str,
        value: &str,
        schema: &Schema,
    ) -> Result<(), String> {
        let meta = ops::map_entry(&mut self.node, "metadata")?;
        if let Some(existing) = meta.get(field) {
            ops::expect_kind(existing, Kind::Scalar)?;
        }
        if value.is_empty() && field == "namespace" {
            meta.remove(field);
        } else {
            ops::set_field(meta, field, Node::scalar(value))?;
        }
        self.refresh(schema);
        Ok(())
    }

    /// The object with its history in annotations, as the reference's messages dump it.
    pub fn with_history(&self) -> Node {
        let mut node = self.node.clone();
        let mut annotations = self.annotations();
        let history = &self.history;
        let mut add = |key: &str, value: String| {
            if !value.is_empty() {
                annotations.insert(Text::from(format!("{INTERNAL}{key}")), value.into());
            }
        };
        let join = |texts: Vec<&str>| texts.join(",");
        let previous = |part: fn(&Previous) -> &Text| {
            join(history.previous.iter().map(|p| part(p).as_str()).collect())
        };
        add("previousKinds", previous(|previous| &previous.kind));
        add("previousNames", previous(|previous| &previous.name));
        add(
            "previousNamespaces",
            previous(|previous| &previous.namespace),
        );
        add(
            "prefixes",
            join(history.prefixes.iter().map(Text::as_str).collect()),
        );
        add(
            "suffixes",
            join(history.suffixes.iter().map(Text::as_str).collect()),
        );
        if history.generated {
            add("generatorBehavior", history.behavior.as_str().to_owned());
        }
        for (key, set) in [
            ("needsHashSuffix", history.needs_hash),
            ("allowNameChange", history.allow_name_change),
            ("allowKindChange", history.allow_kind_change),
        ] {
            add(
                key,
                if set {
                    "enabled".to_owned()
                } else {
                    String::new()
                },
            );
        }
        if history.helm_generated {
            add("helm-generated", "true".to_owned());
        }
        ops::set_metadata_map(&mut node, "annotations", &annotations);
        node
    }

    /// Does `work` while the history is in the annotations where the reference keeps it, and takes
    /// from them what is left.
    pub fn with_history_exposed<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        if !self.history.annotated {
            return work(self);
        }
        self.node = self.with_history();
        self.history = History::default();
        let done = work(self);
        self.take_history();
        done
    }

    /// A mark for a value that is about to be set in several fields.
    pub fn next_share(&mut self) -> Text {
        self.shares += 1;
        ops::share_mark(self.shares)
    }

    /// Remembers a value that was just set in several fields.
    pub fn share(&mut self, value: &Node) {
        let known = (value.value.clone(), value.tag.clone(), value.style);
        self.shared.insert(value.anchor.name().clone(), known);
    }

    /// Carries changes of shared values over, after something other than their maker ran.
    pub fn unify(&mut self) {
        if self.shares > 0 {
            ops::unify(&mut self.node, &mut self.shared);
        }
    }

    fn take_history(&mut self) {
        let has_internal = self
            .node
            .at(&["metadata", "annotations"])
            .is_some_and(|annotations| {
                annotations
                    .pairs()
                    .any(|(key, _)| is_build_annotation(&key.value))
            });
        if !has_internal {
            return;
        }
        let mut annotations = self.annotations();
        let mut list = |key: &str| -> Vec<Text> {
            let value = annotations.remove(format!("{INTERNAL}{key}").as_str());
            value.map_or_else(Vec::new, |value| value.split(',').map(Text::from).collect())
        };
        let (names, namespaces, kinds) = (
            list("previousNames"),
            list("previousNamespaces"),
            list("previousKinds"),
        );
        self.history.prefixes = list("prefixes");
        self.history.suffixes = list("suffixes");
        list("refBy");
        let mut flag =
            |key: &str| -> Option<Text> { annotations.remove(format!("{INTERNAL}{key}").as_str()) };
        let behavior = flag("generatorBehavior");
        self.history.generated = behavior.is_some();
        self.history.behavior =
            behavior.map_or(Behavior::Unspecified, |text| Behavior::read(&text));
        self.history.needs_hash = flag("needsHashSuffix").is_some_and(|value| value == "enabled");
        self.history.allow_name_change =
            flag("allowNameChange").is_some_and(|value| value == "enabled");
        self.history.allow_kind_change =
            flag("allowKindChange").is_some_and(|value| value == "enabled");
        self.history.helm_generated = flag("helm-generated").is_some_and(|value| value == "true");
        if names.len() == namespaces.len() && names.len() == kinds.len() {
            let all = names.into_iter().zip(namespaces).zip(kinds);
            self.history.previous = all
                .map(|((name, namespace), kind)| Previous {
                    name,
                    namespace,
                    kind,
                })
                .collect();
        }
        annotations.retain(|key, _| !is_build_annotation(key));
        self.history.annotated = true;
        ops::set_metadata_map(&mut self.node, "annotations", &annotations);
    }
}

pub(crate) fn is_build_annotation(key: &str) -> bool {
    if DROPPED.contains(&key) {
        return true;
    }
    let Some(name) = key.strip_prefix(INTERNAL) else {
        return false;
    };
    matches!(
        name,
        "previousKinds"
            | "previousNames"
            | "previousNamespaces"
            | "prefixes"
            | "suffixes"
            | "refBy"
            | "generatorBehavior"
            | "needsHashSuffix"
            | "allowNameChange"
            | "allowKindChange"
            | "helm-generated"
    )
}

/// Why text does not hold objects.
#[derive(Clone, Debug)]
pub(crate) struct ReadFailure {
    /// The reference's words.
    pub message: String,
    /// The line in the text, zero when unknown.
    pub line: u32,
    pub column: u32,
    /// Whether the text is not YAML at all, as opposed to YAML without objects.
    pub malformed: bool,
    /// The finest name of what is wrong.
    pub code: Code,
}

impl ReadFailure {
    fn object(message: String, line: u32) -> Self {
        Self {
            message,
            line,
            column: 0,
            malformed: false,
            code: Code("ObjectInvalid"),
        }
    }
}

/// Most objects one file may hold after lists are taken apart.
const OBJECTS_MAX: usize = 20_000;

/// Reads the objects of a text: documents, lists taken apart, aliases expanded.
///
/// # Errors
/// [`ReadFailure`] for the first document that is not YAML or not an object.
///
/// # Source
/// kubernetes-sigs/kustomize `kyaml/kio/byteio_reader.go`, `api/resource/factory.go`.
pub(crate) fn read_objects(text: &str) -> Result<Vec<Node>, ReadFailure> {
    let text = crate::without_returns(text);
    let mut nodes = Vec::new();
    let documents = split_documents(&text)?;
    let single = documents.len() == 1;
    let limits = Limits::default();
    for (part, line) in documents {
        let parsed = yaml::parse_first(part, &limits).map_err(|error| malformed(&error, line))?;
        let Some(mut node) = parsed else {
            continue;
        };
        if ops::is_null(&node) {
            continue;
        }
        shift_lines(&mut node, line);
        ops::expand(&mut node, limits.nodes_max).map_err(|error| unexpanded(&error, node.line))?;
        let kind = node.get("kind").map_or("", ops::text_of);
        if single && (kind == "List" || kind == "ResourceList") && node.get("items").is_some() {
            if let Some(items) = node.remove("items") {
                nodes.extend(items.content);
            }
            continue;
        }
        nodes.push(node);
    }
    check_objects(&mut nodes)?;
    take_lists_apart(nodes)
}

fn unexpanded(error: &ExpandError, line: u32) -> ReadFailure {
    let mut failure = ReadFailure::object(error.to_string(), line);
    if matches!(error, ExpandError::ExcessiveAliasing) {
        failure.code = Code("YamlAliasLimit");
    }
    failure
}

fn malformed(error: &YamlError, line: u32) -> ReadFailure {
    let at = error.position().unwrap_or_default();
    ReadFailure {
        message: format!("MalformedYAMLError: {}", error.go_message()),
        line: at.line + line,
        column: at.column,
        malformed: true,
        code: error.code(),
    }
}

pub(crate) fn shift_lines(node: &mut Node, by: u32) {
    if by == 0 {
        return;
    }
    node.line += by;
    node.content
        .iter_mut()
        .for_each(|child| shift_lines(child, by));
}

/// The parts of a text between lines that begin with `---`, each with the number of lines before it.
pub(crate) fn split_documents(text: &str) -> Result<Vec<(&str, u32)>, ReadFailure> {
    let mut parts = Vec::new();
    if text.is_empty() {
        return Ok(parts);
    }
    let (mut begin, mut lines_before) = (0, 0);
    let mut search = 0;
    while let Some(found) = text[search..].find("\n---") {
        let at = search + found;
        let Some(end) = text[at + 1..].find('\n').map(|end| at + 1 + end) else {
            break;
        };
        let rest = text[at + 4..end].trim();
        let lines = text[begin..=at].matches('\n').count() as u32;
        if !rest.is_empty() && !rest.starts_with('#') {
            return Err(ReadFailure::object(
                format!("invalid document separator: {}", text[at..end].trim()),
                lines_before + lines + 1,
            ));
        }
        parts.push((&text[begin..=at], lines_before));
        lines_before += lines + 1;
        begin = end + 1;
        search = begin;
        // The line break that ends a separator cannot begin the next one.
        if search >= text.len() {
            break;
        }
    }
    parts.push((&text[begin..], lines_before));
    Ok(parts)
}

/// Refuses what is not an object, and drops what is empty.
fn check_objects(nodes: &mut Vec<Node>) -> Result<(), ReadFailure> {
    nodes.retain(|node| !ops::is_empty(node));
    for node in nodes.iter() {
        if let Some(message) = object_problem(node) {
            return Err(ReadFailure::object(message, node.line));
        }
    }
    Ok(())
}

/// Why the reference does not take a tree for an object, in its words.
pub(crate) fn object_problem(node: &Node) -> Option<String> {
    let text = |key: &str| {
        node.get(key)
            .filter(|value| !ops::is_empty(value))
            .map_or("", |value| &value.value)
    };
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    let metadata = node.get("metadata").filter(|meta| !ops::is_empty(meta));
    if api_version.is_empty() && kind.is_empty() && metadata.is_none() {
        return Some("missing Resource metadata".into());
    }
    let meta = |key: &str| {
        let value = metadata.and_then(|meta| meta.get(key));
        value
            .filter(|value| !ops::is_empty(value))
            .map_or("", |value| &value.value)
    };
    let described = || {
        let map = |field: &str| {
            let entries = ops::metadata_map(node, field);
            let entries: Vec<_> = entries
                .iter()
                .map(|(key, value)| format!("{key}:{value}"))
                .collect();
            format!("map[{}]", entries.join(" "))
        };
        format!(
            "{{{{{api_version} {kind}}} {{{{{} {}}} {} {}}}}}",
            meta("name"),
            meta("namespace"),
            map("labels"),
            map("annotations")
        )
    };
    if kind.is_empty() {
        return Some(format!("missing kind in object {}", described()));
    }
    if !kind.ends_with("List") && meta("name").is_empty() {
        return Some(format!("missing metadata.name in object {}", described()));
    }
    None
}

/// Replaces objects whose kind ends in `List` by their items, which go to the end.
fn take_lists_apart(nodes: Vec<Node>) -> Result<Vec<Node>, ReadFailure> {
    let is_list = |node: &Node| {
        node.get("kind")
            .is_some_and(|kind| kind.value.ends_with("List"))
    };
    if !nodes.iter().any(is_list) {
        return Ok(nodes);
    }
    let mut queue = std::collections::VecDeque::from(nodes);
    let mut result = Vec::new();
    while let Some(mut node) = queue.pop_front() {
        if !is_list(&node) {
            result.push(node);
            continue;
        }
        let line = node.line;
        let kind = node
            .get("kind")
            .map_or_else(Text::default, |kind| kind.value.clone());
        match node.remove("items") {
            None => result.push(node),
            Some(items)
                if ops::is_null(&items)
                    || (items.kind == Kind::Scalar && items.value.is_empty()) => {}
            Some(items) if items.kind == Kind::Sequence => {
                let mut items = items.content;
                for item in &mut items {
                    through_json(item)?;
                }
                check_objects(&mut items)?;
                queue.extend(items);
            }
            Some(items) => {
                let found = match items.kind {
                    Kind::Mapping => "map[string]interface {}",
                    _ => "string",
                };
                return Err(ReadFailure::object(
                    format!("expected array in {kind}/items, but found {found}"),
                    line,
                ));
            }
        }
        if queue.len() + result.len() > OBJECTS_MAX {
            return Err(ReadFailure::object(
                format!("more than {OBJECTS_MAX} objects in one file"),
                line,
            ));
        }
    }
    Ok(result)
}

/// Makes of a list's element what the reference reads after it wrote it as JSON: texts in quotes,
/// numbers in their shortest form.
fn through_json(item: &mut Node) -> Result<(), ReadFailure> {
    let line = item.line;
    let failed = |message: String| ReadFailure::object(message, line);
    let text = crate::generate::go_json(&crate::value::to_value(item).map_err(failed)?);
    let read = yaml::parse_first(&text, &Limits::default());
    let read = read.map_err(|error| failed(error.go_message()))?;
    *item = read.unwrap_or_default();
    item.line = line;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_must_stand_alone_or_carry_a_comment() {
        let parts = split_documents("a: 1\n---\nb: 2\n--- # c\nd: 3\n").unwrap();
        assert_eq!(parts, [("a: 1\n", 0), ("b: 2\n", 2), ("d: 3\n", 4)]);
        let error = split_documents("a: 1\n--- b\nc: 2\n").unwrap_err();
        assert_eq!(error.message, "invalid document separator: --- b");
        assert_eq!(
            split_documents("---\na: 1\n").unwrap(),
            [("---\na: 1\n", 0)]
        );
    }
}
