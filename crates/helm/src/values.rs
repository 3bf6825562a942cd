//! Values: what the user gives, and what charts have by default.
//!
//! Values are [`object::Node`]s in which every number is a float, as everywhere in Helm; only
//! `--set` makes integers.

pub mod coalesce;
mod display;
pub mod strvals;
pub(crate) mod table;

use std::sync::Arc;

use object::{Map, Node};

pub(crate) use display::{shown, type_shown};

use crate::decode::{Mistakes, RULES};
use crate::error::ValuesError;
use crate::options::Profile;

/// Everything the user gives, by flag; each list in the order given.
#[derive(Clone, Debug, Default)]
pub struct UserValues {
    /// `-f`: whole files, later ones over earlier ones.
    pub files: Vec<ValuesFile>,
    /// `--set-json`.
    pub set_json: Vec<String>,
    /// `--set`.
    pub set: Vec<String>,
    /// `--set-string`.
    pub set_string: Vec<String>,
    /// `--set-file`, with the files it names.
    pub set_file: Vec<String>,
    /// `--set-literal`.
    pub set_literal: Vec<String>,
}

/// A file of values.
#[derive(Clone, Debug)]
pub struct ValuesFile {
    /// As the user named it.
    pub name: String,
    /// Its text.
    pub content: Arc<[u8]>,
}

/// Gives the text of a file that `--set-file` names, or why it cannot be had in the words of Go:
/// `open secret.txt: no such file or directory`.
pub type ReadFile<'a> = &'a dyn Fn(&str) -> Result<String, String>;

impl UserValues {
    /// All of it in one map: files, then the flags in the reference's order of flags.
    ///
    /// # Errors
    /// [`ValuesError`] with the reference's message.
    ///
    /// # Source
    /// helm/helm `pkg/cli/values/options.go`.
    pub fn merged(&self, read: ReadFile<'_>, profile: Profile) -> Result<Map, ValuesError> {
        let mut values = Map::new();
        for file in &self.files {
            merge(&mut values, file.values(profile)?);
        }
        for given in &self.set_json {
            self::set_json(given, &mut values, profile)?;
        }
        for given in &self.set {
            strvals::set(given, &mut values, profile)?;
        }
        for given in &self.set_string {
            strvals::set_string(given, &mut values, profile)?;
        }
        for given in &self.set_file {
            strvals::set_file(given, &mut values, read, profile)?;
        }
        for given in &self.set_literal {
            strvals::set_literal(given, &mut values, profile)?;
        }
        Ok(values)
    }
}

impl ValuesFile {
    /// What the file says.
    ///
    /// # Errors
    /// [`ValuesError::File`].
    pub fn values(&self, profile: Profile) -> Result<Map, ValuesError> {
        read_documents(&self.content, profile).map_err(|text| ValuesError::File {
            file: self.name.clone(),
            text,
        })
    }
}

fn set_json(given: &str, values: &mut Map, profile: Profile) -> Result<(), ValuesError> {
    if profile == Profile::Helm3 || !given.trim().starts_with('{') {
        return strvals::set_json(given, values, profile);
    }
    match object::json::parse_floats(given.trim().as_bytes(), strvals::JSON_LIMITS) {
        Ok(Node::Map(map)) => {
            merge(values, map);
            Ok(())
        }
        _ => Err(ValuesError::Flag {
            flag: "--set-json",
            colon: false,
            text: format!("JSON: {given}"),
        }),
    }
}

/// The values of a file: in Helm 4 all its documents, later ones over earlier ones, in Helm 3 the
/// first.
///
/// # Errors
/// The reference's message, without the name of the file.
///
/// # Source
/// helm/helm `pkg/chart/v2/loader/load.go`, `LoadValues`; kubernetes/apimachinery
/// `pkg/util/yaml/decoder.go`, `YAMLReader`.
pub(crate) fn read_documents(bytes: &[u8], profile: Profile) -> Result<Map, String> {
    if profile == Profile::Helm3 {
        return read_document(bytes);
    }
    let mut values = Map::new();
    for (_, document) in documents(bytes)? {
        let read = read_document(document);
        let read = read.map_err(|text| format!("cannot unmarshal yaml document: {text}"))?;
        match values.is_empty() {
            true => values = read,
            false => merge(&mut values, read),
        }
    }
    Ok(values)
}

/// The documents of a file, each with the number of lines before it.
pub(crate) fn documents(bytes: &[u8]) -> Result<Vec<(u32, &[u8])>, String> {
    let lines = |bytes| memchr::memchr_iter(b'\n', bytes).count() as u32;
    let marks = memchr::memmem::find_iter(bytes, b"\n---").map(|at| at + 1);
    let first = bytes.starts_with(b"---").then_some(0);
    let mut found = Vec::new();
    let (mut start, mut start_line) = (0, 0);
    for at in first.into_iter().chain(marks) {
        let end = memchr::memchr(b'\n', &bytes[at..]).map(|length| at + length + 1);
        let end = end.unwrap_or(bytes.len());
        let rest = String::from_utf8_lossy(&bytes[at + 3..end]);
        let rest = rest.trim();
        if !rest.is_empty() && !rest.starts_with('#') {
            return Err(format!(
                "error reading yaml document: invalid Yaml document separator: {rest}"
            ));
        }
        // A mark at the very beginning is part of the document behind it.
        if at > start {
            let document = &bytes[start..at];
            found.push((start_line, document));
            start_line += lines(&bytes[start..end]);
            start = end;
        }
    }
    if bytes.len() > start {
        found.push((start_line, &bytes[start..]));
    }
    Ok(found)
}

fn read_document(bytes: &[u8]) -> Result<Map, String> {
    let node = crate::decode::yaml(bytes)?;
    let mut mistakes = Mistakes::default();
    let map = mistakes.document(&node, "map[string]interface {}").cloned();
    mistakes.finish()?;
    match floats(map.map_or_else(Node::map, Node::Map)) {
        Node::Map(map) => Ok(map),
        _ => Ok(Map::new()),
    }
}

/// The syntax tree of a document, for the places of its parts.
pub(crate) fn tree(bytes: &[u8]) -> Option<yaml::Node> {
    let text = yaml::decode(bytes).ok()?;
    yaml::parse_first(text, &RULES().limits).ok()?
}

/// The same with every number a float, as JSON has them.
pub(crate) fn floats(mut node: Node) -> Node {
    make_floats(&mut node);
    node
}

fn make_floats(node: &mut Node) {
    match node {
        Node::Int(value) => *node = Node::Float(*value as f64),
        Node::Uint(value) => *node = Node::Float(*value as f64),
        Node::List(_) => {
            if let Some(items) = node.as_list_mut() {
                items.iter_mut().for_each(make_floats);
            }
        }
        Node::Map(map) => map.iter_mut().for_each(|(_, value)| make_floats(value)),
        _ => {}
    }
}

/// Puts `over` over `values`: maps are merged, everything else replaced, nulls too.
pub(crate) fn merge(values: &mut Map, over: Map) {
    for (key, value) in over.iter() {
        match (values.get_mut(key), value) {
            (Some(Node::Map(old)), Node::Map(new)) => merge(old, new.clone()),
            _ => {
                values.insert(key.clone(), value.clone());
            }
        }
    }
}
