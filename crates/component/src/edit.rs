//! Changes of single values in files that people wrote.
//!
//! [`set`] touches the bytes of one value, or adds lines; everything else of the file stays as it
//! is: comments, quotes, order, line ends. Where that is not possible (the value is a block, or
//! stands in a map in one line) the file is written anew, with its comments.
//!
//! # Invariants
//!
//! - **What was asked and nothing else.** Every result is read again: the value is there, all other
//!   values of all documents are what they were. A result that fails this is never returned.

use object::{Node, Text};
use yaml::{EmitOptions, Kind, Limits, ResolveOptions, Source, Style, YamlError};

/// Why a file cannot be changed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EditError {
    /// It is no YAML.
    #[error("cannot read the file as YAML")]
    Yaml(#[from] YamlError),
    /// There is no such document.
    #[error("the file has no document number {0}")]
    NoDocument(u32),
    /// A value on the way is neither a map nor absent.
    #[error("`{0}` leads through a value that is no map")]
    NoMap(String),
    /// No way of writing it reads back as what was asked.
    #[error("`{0}` cannot be set without changing something else")]
    NotExact(String),
}

/// Sets the value at `path`, keys from the root, of a document, counted from zero.
///
/// Maps on the way are made where they are missing.
///
/// # Errors
/// [`EditError`].
pub fn set(text: &str, document: u32, path: &[Text], value: &Node) -> Result<String, EditError> {
    let mut sources = yaml::parse_sources(text, &Limits::default())?;
    let mut wanted = values(&sources)?;
    let at = document as usize;
    let (Some(own), Some(whole)) = (sources.get(at), wanted.get_mut(at)) else {
        return Err(EditError::NoDocument(document));
    };
    let keys: Vec<&str> = path.iter().map(Text::as_str).collect();
    for length in 1..keys.len() {
        let between = whole.at(&keys[..length]);
        if between.is_some_and(|node| node.as_map().is_none() && !node.is_null()) {
            return Err(EditError::NoMap(keys.join(".")));
        }
        if between.is_some_and(Node::is_null) {
            whole.set(&keys[..length], Node::map());
        }
    }
    if whole.at(&keys) == Some(value) {
        return Ok(text.to_owned());
    }
    whole.set(&keys, value.clone());

    let fits = |candidate: &String| {
        let read = yaml::parse_sources(candidate, &Limits::default());
        read.ok().and_then(|sources| values(&sources).ok()) == Some(wanted.clone())
    };
    if let Some(done) = in_place(text, &own.root, &keys, value)
        .into_iter()
        .find(fits)
    {
        return Ok(done);
    }
    put(&mut sources[at].root, &keys, value);
    let written = yaml::emit_sources(&sources, &EmitOptions::default());
    match fits(&written) {
        true => Ok(written),
        false => Err(EditError::NotExact(keys.join("."))),
    }
}

/// Puts a value in the place of a whole document; the others keep their comments.
///
/// # Errors
/// [`EditError`].
pub fn replace_document(text: &str, document: u32, value: &Node) -> Result<String, EditError> {
    let mut sources = yaml::parse_sources(text, &Limits::default())?;
    let several = sources.len() > 1;
    let own = sources
        .get_mut(document as usize)
        .ok_or(EditError::NoDocument(document))?;
    if !several {
        return Ok(yaml::to_string(value));
    }
    *own = Source {
        root: yaml::from_value(value),
        ..Source::default()
    };
    Ok(yaml::emit_sources(&sources, &EmitOptions::default()))
}

fn values(sources: &[Source]) -> Result<Vec<Node>, YamlError> {
    let options = ResolveOptions::default();
    sources
        .iter()
        .map(|source| yaml::to_value(&source.root, &options))
        .collect()
}

/// Texts in which only the value or the lines of new keys differ, likeliest first.
fn in_place(text: &str, root: &yaml::Node, keys: &[&str], value: &Node) -> Vec<String> {
    let lines = Lines::of(text);
    let mut map = root;
    for (depth, key) in keys.iter().enumerate() {
        if map.kind != Kind::Mapping {
            return Vec::new();
        }
        match map.get(key) {
            Some(child) if depth + 1 == keys.len() => return replaced(&lines, child, value),
            Some(child) => map = child,
            None => return added(&lines, map, &keys[depth..], value),
        }
    }
    Vec::new()
}

/// The scalar at its place, in each of the ways to write the new one.
fn replaced(lines: &Lines<'_>, old: &yaml::Node, value: &Node) -> Vec<String> {
    let scalar = value.as_map().is_none() && value.as_list().is_none();
    let span = match old.kind {
        Kind::Scalar if scalar => lines.token(old),
        _ => None,
    };
    let Some((from, to)) = span else {
        return Vec::new();
    };
    let plain = yaml::to_string(value);
    let ways = [plain.trim_end().to_owned(), object::json::to_string(value)];
    let ways = ways.iter().filter(|way| !way.contains('\n'));
    ways.map(|way| format!("{}{way}{}", &lines.text[..from], &lines.text[to..]))
        .collect()
}

/// The text with new lines behind the last entry of a map, or before it.
fn added(lines: &Lines<'_>, map: &yaml::Node, keys: &[&str], value: &Node) -> Vec<String> {
    let Some((last, content)) = map.pairs().next_back() else {
        return Vec::new();
    };
    if map.style.has(Style::FLOW) || last.column == 0 {
        return Vec::new();
    }
    let mut entry = Node::map();
    entry.set(keys, value.clone());
    let indent = " ".repeat(last.column as usize - 1);
    let block: String = yaml::to_string(&entry)
        .lines()
        .map(|line| format!("{indent}{line}\n"))
        .collect();
    let behind = lines.start(last_line(content).max(last.line) + 1);
    let before = lines.start(last.line);
    let at = |place: usize| {
        let (head, tail) = lines.text.split_at(place);
        let feed = match head.is_empty() || head.ends_with('\n') {
            true => "",
            false => "\n",
        };
        format!("{head}{feed}{block}{tail}")
    };
    vec![at(behind), at(before)]
}

/// The line that the last node below starts on.
fn last_line(node: &yaml::Node) -> u32 {
    let below = node.content.iter().map(last_line);
    below.max().unwrap_or(0).max(node.line)
}

/// Sets a value in a tree.
fn put(node: &mut yaml::Node, keys: &[&str], value: &Node) {
    match keys {
        [] => {}
        [key] => drop(node.set(key, yaml::from_value(value))),
        [key, rest @ ..] => {
            if node.get(key).is_none_or(yaml::Node::is_null) {
                node.set(key, yaml::Node::mapping([]));
            }
            if let Some(child) = node.get_mut(key) {
                put(child, rest, value);
            }
        }
    }
}

/// A text and where its lines start.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        let feeds = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            text,
            starts: std::iter::once(0).chain(feeds).collect(),
        }
    }

    /// Where a line, counted from one, starts; the end of the text for lines behind it.
    fn start(&self, line: u32) -> usize {
        let at = (line as usize).saturating_sub(1);
        self.starts.get(at).copied().unwrap_or(self.text.len())
    }

    /// From where to where a scalar in one line stands.
    fn token(&self, node: &yaml::Node) -> Option<(usize, usize)> {
        let start = self.start(node.line);
        let column = (node.column as usize).checked_sub(1)?;
        let rest = self.text.get(start..)?;
        let rest = rest.split('\n').next()?;
        let (offset, _) = rest.char_indices().nth(column)?;
        let from = start + offset;
        let rest = &rest[offset..];
        let length = match rest.as_bytes().first()? {
            b'"' => closing_double(rest)?,
            b'\'' => closing_single(rest)?,
            _ if !node.value.is_empty() && rest.starts_with(node.value.as_str()) => {
                node.value.len()
            }
            _ => return None,
        };
        Some((from, from + length))
    }
}

/// Length of a text in double quotes.
fn closing_double(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return Some(at + 1),
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    None
}

/// Length of a text in single quotes.
fn closing_single(text: &str) -> Option<usize> {
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        if c == '\'' && characters.next_if(|(_, next)| *next == '\'').is_none() {
            return Some(at + 1);
        }
    }
    None
}
