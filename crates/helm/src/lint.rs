//! Mistakes that a chart renders with and nobody meant: values that nothing reads, values with a name
//! that nothing knows, templates whose result is not a function of what they are given.
//!
//! Findings follow from the texts alone; nothing is executed. Where a chart hands all its values to
//! somebody (`toYaml .Values`, a library that is given `.Values`), nothing is said about what is read.

use std::collections::BTreeSet;

use diag::{Code, Diagnostic, Span, nearest};
use object::{FieldPath, Map, Node};

use crate::Chart;
use crate::dependencies::Assembly;
use crate::engine::Program;
use crate::error::TemplateError;
use crate::options::Profile;
use crate::provenance::locate;
use crate::values::ValuesFile;

/// Most findings of one kind for one chart.
const FINDINGS_MAX: usize = 100;

/// Values that templates and charts inside see though no template names them.
const KNOWN: [&str; 3] = ["global", "tags", "enabled"];

/// Looks at a chart, and at values files that are meant for it. Places are below the chart's name.
///
/// # Errors
/// [`TemplateError`] for templates that cannot be parsed.
pub fn lint(
    chart: &std::sync::Arc<Chart>,
    files: &[ValuesFile],
    profile: Profile,
) -> Result<Vec<Diagnostic>, TemplateError> {
    let charts = Assembly::whole(chart);
    let program = Program::parse(&charts, profile)?;
    let mut found = Vec::new();
    for (name, at) in program.impure_calls(&charts.metadata.name) {
        let (text, help) = match name.as_str() {
            "lookup" => (
                "`lookup` reads the cluster, so the render depends on more than chart and values"
                    .to_owned(),
                "A preview without that cluster shows other bytes.",
            ),
            _ => (
                format!("`{name}` gives something else at every render"),
                "Take the value from .Values, or keep it in an object that `lookup` finds again.",
            ),
        };
        let finding = Diagnostic::warning(Code("ChartNotReproducible"), text).at(at);
        found.push(finding.with_help(help));
    }
    let read = Read::new(&charts, &program);
    if let Some(read) = &read {
        let mut unread = Vec::new();
        unread_values(&chart.values, &mut Vec::new(), read, &mut unread);
        let text = chart.values_text.as_deref().unwrap_or_default();
        let name = format!("{}/values.yaml", charts.metadata.name);
        for path in unread.into_iter().take(FINDINGS_MAX) {
            let message = format!("no template reads the value `{path}`");
            let at = locate(&name, text, &path, profile);
            let at = at.unwrap_or_else(|| Span::file(&name));
            let finding = Diagnostic::warning(Code("ChartValueUnread"), message).at(at);
            found.push(finding.with_help("Take it out, or name it in a template."));
        }
    }
    for file in files {
        let Ok(values) = file.values(profile) else {
            continue;
        };
        let mut unknown = Vec::new();
        unknown_values(
            &values,
            Some(&chart.values),
            &mut Vec::new(),
            read.as_ref(),
            &mut unknown,
        );
        for (path, near) in unknown.into_iter().take(FINDINGS_MAX) {
            let message = format!("the chart knows no value `{path}`");
            let at = locate(&file.name, &file.content, &path, profile);
            let at = at.unwrap_or_else(|| Span::file(&file.name));
            let mut finding = Diagnostic::warning(Code("ChartValueUnknown"), message).at(at);
            if let Some(near) = near {
                finding = finding.with_help(format!("Did you mean `{near}`?"));
            }
            found.push(finding);
        }
    }
    Ok(found)
}

/// What the templates of a chart read of its values.
struct Read {
    paths: BTreeSet<Vec<String>>,
    /// Names of the charts inside, whose sections are theirs.
    inside: BTreeSet<String>,
    /// Paths that `condition` of a dependency names.
    conditions: Vec<Vec<String>>,
    /// Texts of values that are templates themselves.
    templates: String,
}

impl Read {
    /// `None` when some template takes all values at once.
    fn new(charts: &Assembly, program: &Program) -> Option<Self> {
        let paths = program.values_read(&charts.metadata.name);
        if paths.iter().any(Vec::is_empty) {
            return None;
        }
        let names = |text: &str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
        let dependencies = charts.chart.metadata.dependencies.iter();
        let conditions = dependencies.flat_map(|one| one.condition.split(','));
        let mut templates = String::new();
        template_texts(&Node::Map(charts.chart.values.clone()), &mut templates);
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
        })
    }

    /// Whether the value at a path may be read: it, something in it, or something it is in.
    fn has(&self, path: &[&str]) -> bool {
        let first = path.first().copied().unwrap_or_default();
        if KNOWN.contains(&first) || self.inside.contains(first) {
            return true;
        }
        let mut known = self.paths.iter().chain(&self.conditions);
        let touches = |read: &Vec<String>| {
            let mut pairs = read.iter().zip(path);
            pairs.all(|(read, name)| read == name)
        };
        known.any(touches)
            || self
                .templates
                .contains(&format!(".Values.{}", path.join(".")))
    }

    /// Whether some template reads something inside the value at a path, so that not every key of it
    /// need be read.
    fn has_below(&self, path: &[&str]) -> bool {
        let below = |read: &Vec<String>| {
            let mut pairs = read.iter().zip(path);
            read.len() > path.len() && pairs.all(|(read, name)| read == name)
        };
        self.paths.iter().any(below)
    }

    /// Whether the whole of a map is taken.
    fn takes(&self, path: &[&str]) -> bool {
        let whole = |read: &Vec<String>| {
            let mut pairs = read.iter().zip(path);
            read.len() <= path.len() && pairs.all(|(read, name)| read == name)
        };
        self.paths.iter().any(whole)
    }
}

fn template_texts(node: &Node, out: &mut String) {
    match node {
        Node::String(text) if text.contains("{{") => {
            out.push_str(text);
            out.push('\n');
        }
        Node::List(items) => items.iter().for_each(|item| template_texts(item, out)),
        Node::Map(map) => map.values().for_each(|item| template_texts(item, out)),
        _ => {}
    }
}

fn unread_values<'a>(
    values: &'a Map,
    path: &mut Vec<&'a str>,
    read: &Read,
    found: &mut Vec<FieldPath>,
) {
    for (key, value) in values.iter() {
        path.push(key);
        if !read.has(path) {
            found.push(FieldPath::keys(path.iter().copied()));
        } else if let Node::Map(map) = value
            && read.has_below(path)
            && !read.takes(path)
        {
            unread_values(map, path, read, found);
        }
        path.pop();
    }
}

fn unknown_values<'a>(
    values: &'a Map,
    defaults: Option<&Map>,
    path: &mut Vec<&'a str>,
    read: Option<&Read>,
    found: &mut Vec<(FieldPath, Option<String>)>,
) {
    for (key, value) in values.iter() {
        path.push(key);
        let default = defaults.and_then(|defaults| defaults.get(key));
        let may_be_read = read.is_none_or(|read| read.has(path));
        match (value, default) {
            (Node::Map(map), Some(Node::Map(defaults))) if !defaults.is_empty() => {
                unknown_values(map, Some(defaults), path, read, found);
            }
            (_, Some(_)) => {}
            (_, None) if may_be_read => {}
            (_, None) => {
                let names = defaults.into_iter().flat_map(|defaults| defaults.keys());
                let near = nearest(key, names.map(|name| name.as_str()));
                found.push((FieldPath::keys(path.iter().copied()), near));
            }
        }
        path.pop();
    }
}
