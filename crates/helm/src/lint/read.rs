//! What the templates of a chart read of its values, as far as their texts show it.

use std::collections::BTreeSet;

use object::Node;

use super::KNOWN;
use crate::dependencies::Assembly;
use crate::engine::Program;

/// What the templates of a chart read of its values.
pub(super) struct Read {
    paths: BTreeSet<Vec<String>>,
    /// Names of the charts inside, whose sections are theirs.
    inside: BTreeSet<String>,
    /// Paths that `condition` of a dependency names.
    conditions: Vec<Vec<String>>,
    /// Texts of values and of files that are templates themselves.
    templates: String,
    /// Templates of the chart and of those inside, for paths that they name in quotes.
    texts: Vec<Vec<u8>>,
}

impl Read {
    /// `None` when some template takes all values at once.
    pub(super) fn new(charts: &Assembly, program: &Program) -> Option<Self> {
        let mut paths = program.values_read(&charts.metadata.name);
        if paths.iter().any(Vec::is_empty) {
            return None;
        }
        // What charts inside define may be called with the values of this one.
        for (path, inside) in charts.walk().into_iter().skip(1) {
            let mut read = program.values_read(&path);
            if !inside.metadata.is_library() {
                read.retain(|path| !path.is_empty());
            }
            paths.extend(read);
        }
        if paths.iter().any(Vec::is_empty) {
            return None;
        }
        let names = |text: &str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
        let dependencies = charts.chart.metadata.dependencies.iter();
        let conditions = dependencies.flat_map(|one| one.condition.split(','));
        let mut templates = String::new();
        template_texts(&Node::Map(charts.chart.values.clone()), &mut templates);
        for file in &charts.chart.files {
            if file.content.length() <= TEMPLATE_BYTES_MAX {
                template_text(
                    &String::from_utf8_lossy(file.content.bytes()),
                    &mut templates,
                );
            }
        }
        let mut inside: BTreeSet<String> = BTreeSet::new();
        for one in &charts.chart.metadata.dependencies {
            inside.extend([one.name.clone(), one.alias.clone()]);
        }
        inside.extend(charts.chart.charts.iter().map(|one| one.name().to_owned()));
        Some(Self {
            paths: paths.into_iter().collect(),
            inside,
            conditions: conditions.map(|text| names(text.trim())).collect(),
            templates,
            texts: charts
                .templates()
                .into_iter()
                .map(|template| template.content.to_vec())
                .collect(),
        })
    }

    /// Adds what others read of these values.
    pub(super) fn also(&mut self, paths: impl IntoIterator<Item = Vec<String>>) {
        self.paths.extend(paths);
    }

    /// Whether the value at a path may be read: it, something in it, or something it is in.
    pub(super) fn has(&self, path: &[&str]) -> bool {
        let first = path.first().copied().unwrap_or_default();
        if KNOWN.contains(&first) || self.inside.contains(first) {
            return true;
        }
        let mut known = self.paths.iter().chain(&self.conditions);
        let touches = |read: &Vec<String>| {
            let mut pairs = read.iter().zip(path);
            pairs.all(|(read, name)| read == name)
        };
        let text = path.join(".");
        known.any(touches) || mentions(&self.templates, &text) || self.is_quoted(&text)
    }

    /// Whether some template has the path in quotes, alone or with more behind it, as libraries are
    /// told of values. One key alone may mean anything.
    fn is_quoted(&self, path: &str) -> bool {
        let whole = path.contains('.').then(|| format!("\"{path}\""));
        let begun = format!("\"{path}.");
        let has =
            |text: &[u8], quoted: &str| memchr::memmem::find(text, quoted.as_bytes()).is_some();
        let mut texts = self.texts.iter();
        texts.any(|text| has(text, &begun) || whole.as_ref().is_some_and(|whole| has(text, whole)))
    }

    /// Whether some template reads something inside the value at a path, so that not every key of it
    /// need be read.
    pub(super) fn has_below(&self, path: &[&str]) -> bool {
        let below = |read: &Vec<String>| {
            let mut pairs = read.iter().zip(path);
            read.len() > path.len() && pairs.all(|(read, name)| read == name)
        };
        self.paths.iter().any(below)
    }

    /// Whether the whole of a map is taken.
    pub(super) fn takes(&self, path: &[&str]) -> bool {
        let whole = |read: &Vec<String>| {
            let mut pairs = read.iter().zip(path);
            read.len() <= path.len() && pairs.all(|(read, name)| read == name)
        };
        self.paths.iter().any(whole)
    }
}

/// Largest file of a chart that is looked at as a template for `tpl`.
const TEMPLATE_BYTES_MAX: usize = 1 << 20;

/// Whether texts of templates name the value at a path.
pub(super) fn mentions(templates: &str, path: &str) -> bool {
    templates.contains(&format!(".Values.{path}"))
}

fn template_text(text: &str, out: &mut String) {
    if text.contains("{{") {
        out.push_str(text);
        out.push('\n');
    }
}

/// Adds the texts below a value that are templates themselves.
pub(super) fn template_texts(node: &Node, out: &mut String) {
    match node {
        Node::String(text) => template_text(text, out),
        Node::List(items) => items.iter().for_each(|item| template_texts(item, out)),
        Node::Map(map) => map.values().for_each(|item| template_texts(item, out)),
        _ => {}
    }
}
