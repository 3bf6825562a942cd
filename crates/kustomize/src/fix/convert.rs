//! Variables become replacements, and references to them in files become placeholders.
//!
//! The files are those that the reference looks at: the resources and patches of the kustomization
//! and, below directories among its resources, of theirs. It looks for a directory inside a directory
//! from where the first kustomization is, and so do we.
//!
//! # Source
//! kubernetes-sigs/kustomize `kustomize/commands/edit/fix/convert.go`, `kyaml/yaml/rnode.go`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use diag::Span;
use object::{Map, Node as Value, Text};
use tree::{Tree, TreePath};
use yaml::{EmitOptions, Kind, Limits, Node};

use super::KustomizationFile;
use super::fields::Reader;
use crate::error::{BuildError, Failures, Outcome};
use crate::{ops, resource};

/// Most variables that are converted: each looks at every file, and people define a few dozen.
const VARS_MAX: usize = 1_000;

/// Most files that are looked at, counted as often as they are listed.
const FILES_MAX: usize = 20_000;

/// Deepest chain of kustomizations that list each other; people stop at eight.
const LEVELS_MAX: usize = 64;

/// Most targets of all replacements: a hundred variables that each occur in a thousand texts.
const TARGETS_MAX: usize = 100_000;

/// Most bytes that are searched for references: four hundred variables in ten megabytes.
const SEARCHED_BYTES_MAX: u64 = 4 << 30;

/// How many bytes could be searched in the time it takes to parse one.
const PARSING_COST: u64 = 16;

/// Names a kustomization file may have, in the order of a directory's listing.
const SORTED_FILE_NAMES: [&str; 3] = ["Kustomization", "kustomization.yaml", "kustomization.yml"];

/// What the conversion reads and changes.
struct Converter<'a> {
    tree: &'a Tree,
    directory: &'a TreePath,
    /// The text of files that were read, by where they really are.
    texts: BTreeMap<TreePath, Rc<str>>,
    changed: BTreeSet<TreePath>,
    /// The documents of files, until the file changes; none for a file that is not YAML.
    documents: HashMap<TreePath, Option<Rc<Vec<Node>>>>,
    /// The entry under `patches` that names a file.
    patches: BTreeMap<String, Value>,
    files_count: usize,
    targets_count: usize,
    searched_bytes: u64,
}

/// Where a variable occurs in a document.
struct Occurrence<'a> {
    field_path: String,
    node: &'a Node,
}

/// Turns the variables of a file into replacements; gives the new text of each file that changes.
///
/// Replacements that the file has are dropped, as the reference does.
///
/// # Errors
/// A reference that is not the whole text and does not stand between equal separators, a file
/// below that is no kustomization, or more files than there may be.
pub(super) fn run(
    tree: &Tree,
    directory: &TreePath,
    file: &mut Map,
) -> Outcome<BTreeMap<TreePath, String>> {
    let Some(Value::List(vars)) = file.get("vars").cloned() else {
        return Ok(BTreeMap::new());
    };
    if vars.len() > VARS_MAX {
        return Err(limit(VARS_MAX as u64, "vars"));
    }
    let mut converter = Converter {
        tree,
        directory,
        texts: BTreeMap::new(),
        changed: BTreeSet::new(),
        documents: HashMap::new(),
        patches: BTreeMap::new(),
        files_count: 0,
        targets_count: 0,
        searched_bytes: 0,
    };
    let files = converter.files_of(file, "", 1)?;
    let mut replacements = Vec::with_capacity(vars.len());
    let mut errors = Vec::new();
    for var in vars.iter() {
        let name = var.str_at(&["name"]).unwrap_or_default();
        match converter.targets(name, &files) {
            Ok(targets) => replacements.push(replacement(var, targets)),
            Err(failures) => errors.extend(failures.0),
        }
        if converter.is_too_much() {
            break;
        }
        converter.set_placeholders(name, &files);
    }
    if !errors.is_empty() {
        return Err(Failures(errors));
    }
    file.insert("replacements", replacements);
    file.remove("vars");
    let changed = converter.changed.into_iter().map(|path| {
        let text = converter.texts[&path].to_string();
        (path, text)
    });
    Ok(changed.collect())
}

/// The replacement that takes the value a variable had.
fn replacement(var: &Value, targets: Vec<Value>) -> Value {
    let text = |keys: &[&str]| Text::from(var.str_at(keys).unwrap_or_default());
    let api_version = text(&["objref", "apiVersion"]);
    let (group, version) = split_api_version(&api_version);
    let mut source = Map::new();
    source.insert("group", group);
    source.insert("version", version);
    for field in ["kind", "name", "namespace"] {
        source.insert(field, text(&["objref", field]));
    }
    source.insert("fieldPath", text(&["fieldref", "fieldPath"]));
    let mut replacement = Map::new();
    replacement.insert("source", source);
    replacement.insert("targets", targets);
    Value::Map(replacement)
}

fn split_api_version(text: &str) -> (&str, &str) {
    text.split_once('/').unwrap_or(("", text))
}

impl Converter<'_> {
    /// The files that a kustomization in `base` lists, and those of directories it lists.
    fn files_of(&mut self, file: &Map, base: &str, level: usize) -> Outcome<Vec<String>> {
        if level > LEVELS_MAX {
            let text =
                format!("cycle detected: more than {LEVELS_MAX} kustomizations include each other");
            return Err(Failures::new(BuildError::BaseCycle, base, text));
        }
        let mut files = Vec::new();
        let resources = file.get("resources").and_then(Value::as_list);
        for resource in resources.unwrap_or_default() {
            let resource = resource.as_str().unwrap_or_default();
            for name in SORTED_FILE_NAMES {
                if resource.is_empty() {
                    continue;
                }
                let path = join(resource, name);
                let Some((_, text)) = self.text(&path) else {
                    continue;
                };
                let below = self.read_below(&path, &text)?;
                files.extend(self.files_of(&below, resource, level + 1)?);
            }
            files.push(join(base, resource));
            self.count_file()?;
        }
        let patches = file.get("patches").and_then(Value::as_list);
        for patch in patches.unwrap_or_default() {
            match patch.str_at(&["path"]) {
                None | Some("") => {}
                Some(path) => {
                    let path = join(base, path);
                    self.patches.insert(path.clone(), patch.clone());
                    files.push(path);
                    self.count_file()?;
                }
            }
        }
        Ok(files)
    }

    fn count_file(&mut self) -> Outcome<()> {
        self.files_count += 1;
        match self.files_count > FILES_MAX {
            true => Err(limit(FILES_MAX as u64, "files")),
            false => Ok(()),
        }
    }

    fn is_too_much(&self) -> bool {
        self.targets_count > TARGETS_MAX || self.searched_bytes > SEARCHED_BYTES_MAX
    }

    /// The fields of a kustomization below, read as loosely as the reference does.
    fn read_below(&self, path: &str, text: &str) -> Outcome<Map> {
        let shown = self.path(path).unwrap_or_default().to_string();
        let file = KustomizationFile::new(shown, text.to_owned());
        let mut reader = Reader::lenient();
        file.read(
            &mut reader,
            "error converting YAML to JSON",
            "error unmarshaling JSON: while decoding JSON",
        )
    }

    fn path(&self, name: &str) -> Option<TreePath> {
        match name {
            "" => None,
            _ => self.directory.join(name).ok(),
        }
    }

    /// The text of a file as it is by now, and where it really is; none when there is no such file
    /// in the tree or it is not text.
    fn text(&mut self, name: &str) -> Option<(TreePath, Rc<str>)> {
        let real = self.tree.resolve(&self.path(name)?).ok()?;
        if let Some(text) = self.texts.get(&real) {
            return Some((real, text.clone()));
        }
        let bytes = self.tree.read(&real).ok()?;
        let text: Rc<str> = std::str::from_utf8(&bytes).ok()?.into();
        self.texts.insert(real.clone(), text.clone());
        Some((real, text))
    }

    fn documents(&mut self, name: &str) -> Option<Rc<Vec<Node>>> {
        let (real, text) = self.text(name)?;
        let length = text.len() as u64;
        self.searched_bytes += length;
        if let Some(documents) = self.documents.get(&real) {
            return documents.clone();
        }
        self.searched_bytes += PARSING_COST * length;
        let documents = documents(&text).map(Rc::new);
        self.documents.insert(real, documents.clone());
        documents
    }

    /// The targets of a variable's replacement: one for every text that refers to it.
    fn targets(&mut self, variable: &str, files: &[String]) -> Outcome<Vec<Value>> {
        let reference = format!("$({variable})");
        let mut targets = Vec::new();
        let mut errors = Vec::new();
        for file in files {
            let Some(documents) = self.documents(file) else {
                continue;
            };
            for document in documents.iter() {
                let mut found = Vec::new();
                find(document, &reference, &mut Vec::new(), &mut found);
                self.targets_count += found.len();
                if self.targets_count > TARGETS_MAX {
                    return Err(limit(TARGETS_MAX as u64, "targets"));
                }
                if self.searched_bytes > SEARCHED_BYTES_MAX {
                    return Err(limit(SEARCHED_BYTES_MAX, "bytes searched for vars"));
                }
                let Some(first) = found.first() else {
                    continue;
                };
                let mut fail = |at: &Node, text: String| {
                    let place = Span {
                        path: self.path(file).unwrap_or_default().to_string(),
                        line: at.line,
                        column: at.column,
                        length: 0,
                    };
                    let failures = Failures::new(BuildError::VariableFailed, variable, text);
                    errors.extend(failures.at(Some(place)).0);
                };
                let select = self.select(file, document);
                for occurrence in &found {
                    match (options(&occurrence.node.value, &reference), &select) {
                        (Err(text), _) => {
                            fail(occurrence.node, format!("error with {file}: {text}"));
                        }
                        (Ok(options), Ok(select)) => {
                            targets.push(target(select, &occurrence.field_path, options));
                        }
                        (Ok(_), Err(_)) => {}
                    }
                }
                if let Err(text) = select {
                    fail(first.node, text);
                }
            }
        }
        match errors.is_empty() {
            true => Ok(targets),
            false => Err(Failures(errors)),
        }
    }

    /// What selects the objects that a document stands for.
    fn select(&self, file: &str, document: &Node) -> Result<Map, String> {
        match self.patches.get(file) {
            Some(patch) if !allows_both_changes(patch) => select_patched(patch, document),
            _ => select_object(document),
        }
    }

    fn set_placeholders(&mut self, variable: &str, files: &[String]) {
        let reference = format!("$({variable})");
        for file in files {
            let Some((real, text)) = self.text(file) else {
                continue;
            };
            if text.contains(&reference) {
                let text = text.replace(&reference, &format!("{variable}_PLACEHOLDER"));
                self.documents.remove(&real);
                self.changed.insert(real.clone());
                self.texts.insert(real, text.into());
            }
        }
    }
}

fn limit(most: u64, what: &str) -> Failures {
    let text = format!("more than {most} {what}");
    Failures::new(BuildError::LimitReached, format!("{most} {what}"), text)
}

/// One target of a replacement, with the separator and which part between separators it is.
fn target(select: &Map, field_path: &str, options: Option<(String, i64)>) -> Value {
    let mut target = Map::new();
    target.insert("select", select.clone());
    target.insert("fieldPaths", Value::list([field_path]));
    if let Some((delimiter, index)) = options {
        let mut options = Map::new();
        options.insert("delimiter", delimiter);
        options.insert("index", index);
        target.insert("options", options);
    }
    Value::Map(target)
}

/// The documents of a text, a list of objects taken apart; none for a text that is not YAML.
///
/// # Source
/// kubernetes-sigs/kustomize `kyaml/kio/byteio_reader.go`.
fn documents(text: &str) -> Option<Vec<Node>> {
    let text = text.replace("\r\n", "\n");
    let parts = resource::split_documents(&text).ok()?;
    let single = parts.len() == 1;
    let mut documents = Vec::new();
    for (part, line) in parts {
        let Some(mut document) = yaml::parse_first(part, &Limits::default()).ok()? else {
            continue;
        };
        if ops::is_null(&document) {
            continue;
        }
        resource::shift_lines(&mut document, line);
        let kind = document.get("kind").map_or("", ops::text_of);
        let wraps = document.get("items").is_some() || document.get("functionConfig").is_some();
        if single && matches!(kind, "List" | "ResourceList") && wraps {
            let items = document.remove("items");
            documents.extend(items.map(|items| items.content).unwrap_or_default());
            continue;
        }
        documents.push(document);
    }
    Some(documents)
}

/// A step from a node to a child.
#[derive(Clone, Copy)]
enum Step<'a> {
    Key(&'a Node),
    Index(usize),
}

/// Finds every text that refers to a variable. Of a repeated key only the first is looked at, as often
/// as the key occurs.
fn find<'a>(
    node: &'a Node,
    reference: &str,
    path: &mut Vec<Step<'a>>,
    found: &mut Vec<Occurrence<'a>>,
) {
    match node.kind {
        Kind::Sequence => {
            for (at, item) in node.content.iter().enumerate() {
                path.push(Step::Index(at));
                find(item, reference, path, found);
                path.pop();
            }
        }
        Kind::Mapping => {
            let mut first: HashMap<&str, (&Node, &Node)> = HashMap::new();
            for (key, value) in node.pairs() {
                let (key, value) = *first.entry(&key.value).or_insert((key, value));
                path.push(Step::Key(key));
                find(value, reference, path, found);
                path.pop();
            }
        }
        Kind::Scalar if node.value.contains(reference) => found.push(Occurrence {
            field_path: field_path(path),
            node,
        }),
        Kind::Scalar | Kind::Alias => {}
    }
}

/// A path as replacements write it. A key is written as it stands in its file, with its quotes and its
/// comments, for so does the reference.
fn field_path(path: &[Step<'_>]) -> String {
    let parts: Vec<String> = path
        .iter()
        .map(|step| match step {
            Step::Index(at) => at.to_string(),
            Step::Key(key) => {
                let text = yaml::emit(&[(*key).clone()], &EmitOptions::default());
                match text.trim() {
                    text if text.contains('.') => format!("[{text}]"),
                    text => text.to_owned(),
                }
            }
        })
        .collect();
    parts.join(".")
}

/// The separator around a reference and which part between separators it is; none when it is the whole
/// text.
///
/// Only the first occurrence counts, and a separator is a byte.
fn options(text: &str, reference: &str) -> Result<Option<(String, i64)>, String> {
    let Some((before, after)) = text.split_once(reference) else {
        return Ok(None);
    };
    let separator = |byte: u8| char::from(byte).to_string();
    let (delimiter, index) = match (before.as_bytes().last(), after.as_bytes().first()) {
        (None, None) => return Ok(None),
        (None, Some(after)) => (separator(*after), 0),
        (Some(before), None) => {
            let delimiter = separator(*before);
            let index = text.matches(delimiter.as_str()).count();
            (delimiter, index)
        }
        (Some(before), Some(after)) if before == after => {
            let delimiter = separator(*before);
            let index = text
                .split(delimiter.as_str())
                .position(|part| part == reference);
            let index = index
                .ok_or_else(|| format!("internal error: could not get index of var {reference}"))?;
            (delimiter, index)
        }
        _ => {
            return Err(format!(
                "cannot convert all vars to replacements; {reference} is not delimited"
            ));
        }
    };
    Ok(Some((delimiter, index as i64)))
}

fn allows_both_changes(patch: &Value) -> bool {
    allows(patch, "allowNameChange") && allows(patch, "allowKindChange")
}

fn allows(patch: &Value, option: &str) -> bool {
    patch.at(&["options", option]).and_then(Value::as_bool) == Some(true)
}

/// Selects what a patch is applied to, which may be called otherwise than the patch.
fn select_patched(patch: &Value, document: &Node) -> Result<Map, String> {
    let mut select = patch
        .get("target")
        .and_then(Value::as_map)
        .cloned()
        .unwrap_or_default();
    if allows(patch, "allowNameChange") {
        select.insert("name", metadata_text(document, "name")?);
    }
    if allows(patch, "allowKindChange") {
        select.insert("kind", kind_of(document)?);
    }
    let namespace = metadata_text(document, "namespace")?;
    if !namespace.is_empty() {
        select.insert("namespace", namespace);
    }
    Ok(select)
}

/// Selects an object itself.
fn select_object(document: &Node) -> Result<Map, String> {
    let api_version = document.get("apiVersion").map_or("", ops::text_of);
    let (group, version) = split_api_version(api_version);
    let mut select = Map::new();
    select.insert("group", group);
    select.insert("version", version);
    select.insert("kind", kind_of(document)?);
    select.insert("name", metadata_text(document, "name")?);
    select.insert("namespace", metadata_text(document, "namespace")?);
    Ok(select)
}

fn kind_of(document: &Node) -> Result<Text, String> {
    let kind = field_of(document, "kind")?;
    Ok(kind.map(|kind| kind.value.clone()).unwrap_or_default())
}

fn metadata_text(document: &Node, field: &str) -> Result<Text, String> {
    let Some(metadata) = field_of(document, "metadata")?.filter(|node| !is_blank(node)) else {
        return Ok(Text::default());
    };
    let text = field_of(metadata, field)?.filter(|node| !is_blank(node));
    Ok(text.map(|text| text.value.clone()).unwrap_or_default())
}

/// The value after a key. The reference takes the items of a list for keys and values too, and breaks
/// off when they do not come in pairs.
fn field_of<'a>(node: &'a Node, name: &str) -> Result<Option<&'a Node>, String> {
    let length = node.content.len();
    for (at, pair) in node.content.chunks(2).enumerate() {
        let [key, value] = pair else {
            let index = 2 * at + 1;
            return Err(format!(
                "runtime error: index out of range [{index}] with length {length}"
            ));
        };
        if key.value == name {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

/// Whether a node is null, or a list or map without content; an alias never is.
fn is_blank(node: &Node) -> bool {
    ops::is_empty(node) && node.kind != Kind::Alias
}

/// Joins two paths and cleans the result by text, as Go's `path.Join` does.
fn join(base: &str, path: &str) -> String {
    let joined = match (base, path) {
        ("", "") => return String::new(),
        ("", path) => path.to_owned(),
        (base, "") => base.to_owned(),
        (base, path) => format!("{base}/{path}"),
    };
    let rooted = joined.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in joined.split('/') {
        match (part, parts.last()) {
            ("" | ".", _) => {}
            ("..", Some(last)) if *last != ".." => drop(parts.pop()),
            ("..", None) if rooted => {}
            _ => parts.push(part),
        }
    }
    match (rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".into(),
        (false, false) => parts.join("/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_are_inferred_from_what_is_beside_the_reference() {
        let cases = [
            ("$(V)", "whole"),
            ("$(V):80", ": 0"),
            ("a/b/$(V)", "/ 2"),
            ("a-$(V)-$(V)", "- 1"),
            ("$(V)$(W)", "$ 0"),
            ("é$(V)", "\u{a9} 0"),
            (
                "a/$(V):b",
                "cannot convert all vars to replacements; $(V) is not delimited",
            ),
            ("$$(V)$", "internal error: could not get index of var $(V)"),
        ];
        for (text, expected) in cases {
            let got = match options(text, "$(V)") {
                Ok(None) => "whole".to_owned(),
                Ok(Some((delimiter, index))) => format!("{delimiter} {index}"),
                Err(text) => text,
            };
            assert_eq!(got, expected, "{text}");
        }
    }

    #[test]
    fn paths_are_joined_and_cleaned() {
        let cases = [
            ("", "", ""),
            ("", "./a/", "a"),
            ("base", "../../x//y", "../x/y"),
            ("base", "/x", "base/x"),
            ("", "/../x", "/x"),
            ("a", "..", "."),
        ];
        for (base, path, expected) in cases {
            assert_eq!(join(base, path), expected, "{base} {path}");
        }
    }
}
