//! Mistakes in a chart and in values for it: values that nothing reads, that have a name nothing
//! knows, or that the schema refuses; keys of the schema that nothing reads; templates whose result is
//! not a function of what they are given.
//!
//! Findings follow from the texts alone; nothing is executed. Where a chart hands all its values to
//! somebody (`toYaml .Values`), nothing is said about what is read. What cannot be known is no finding:
//! a key in a map that may have any keys, a default that users have to replace.

mod known;
mod read;
mod shape;

use diag::{Code, Diagnostic, Span, nearest};
use object::{FieldPath, Map, Node, Step};

use self::known::{Inside, Known, Unknown};
use self::read::Read;
use self::shape::Shape;
use crate::Chart;
use crate::dependencies::Assembly;
use crate::engine::Program;
use crate::error::TemplateError;
use crate::options::{Options, Profile};
use crate::provenance::locate;
use crate::schema::{self, Fault};
use crate::values::{UserValues, ValuesFile};

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
    let read = Read::new(&charts, &program);
    let document = schema::document(chart);
    let shape = document.map(Shape::of);
    let mut found = impure(&charts, &program);
    if let Some(read) = &read {
        found.extend(unread(&charts, read, profile));
        if let Some(shape) = &shape {
            found.extend(unread_by_schema(&charts, read, shape, profile));
        }
    }
    let named = program.values_read(&charts.metadata.name);
    let inside = Inside::all(chart, &named, profile);
    let own = ValuesFile {
        name: format!("{}/values.yaml", chart.name()),
        content: chart.values_text().into(),
    };
    found.extend(unknown(&inside.unknown(&chart.values), &own, profile));
    for file in files {
        if let Ok(values) = file.values(profile) {
            let known = Known {
                read: read.as_ref(),
                named: &named,
            };
            let mut paths = Vec::new();
            let defaults = Some(&chart.values);
            known.unknown_values(
                &values,
                defaults,
                shape.as_ref(),
                &mut Vec::new(),
                &mut paths,
            );
            paths.extend(inside.unknown(&values));
            found.extend(unknown(&paths, file, profile));
        }
    }
    // A key that nobody knows is often refused as well; once is enough.
    let mut refused = refused(chart, files, profile);
    refused.retain(|finding| {
        let is_told =
            |other: &Diagnostic| other.code.0 == "ChartValueUnknown" && other.span == finding.span;
        !found.iter().any(is_told)
    });
    found.append(&mut refused);
    Ok(found)
}

/// Calls whose results do not depend on their arguments alone.
fn impure(charts: &Assembly, program: &Program) -> Vec<Diagnostic> {
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
    found
}

/// Defaults that nothing reads.
fn unread(charts: &Assembly, read: &Read, profile: Profile) -> Vec<Diagnostic> {
    let chart = &charts.chart;
    let mut paths = Vec::new();
    unread_values(&chart.values, &mut Vec::new(), read, &mut paths);
    let text = chart.values_text();
    let name = format!("{}/values.yaml", charts.metadata.name);
    let findings = paths.into_iter().take(FINDINGS_MAX).map(|path| {
        let message = format!("no template reads the value `{path}`");
        let at = locate(&name, text, &path, profile);
        let at = at.unwrap_or_else(|| Span::file(&name));
        let finding = Diagnostic::warning(Code("ChartValueUnread"), message).at(at);
        finding.with_help("Take it out, or name it in a template.")
    });
    findings.collect()
}

/// Keys of the schema that have no default and that nothing reads.
fn unread_by_schema(
    charts: &Assembly,
    read: &Read,
    shape: &Shape<'_>,
    profile: Profile,
) -> Vec<Diagnostic> {
    let chart = &charts.chart;
    let mut paths = Vec::new();
    unread_names(
        shape,
        Some(&chart.values),
        &mut Vec::new(),
        read,
        &mut paths,
    );
    let text = chart.schema.as_deref().unwrap_or_default();
    let name = format!("{}/values.schema.json", charts.metadata.name);
    let findings = paths.into_iter().take(FINDINGS_MAX).map(|path| {
        let value = FieldPath::keys(path.iter().copied());
        let message =
            format!("the schema describes the value `{value}`, which has no default and no reader");
        let steps = path.iter().flat_map(|key| ["properties", *key]);
        let at = locate(&name, text, &FieldPath::keys(steps), profile);
        let at = at.unwrap_or_else(|| Span::file(&name));
        let finding = Diagnostic::warning(Code("ChartValueUnread"), message).at(at);
        finding.with_help("Take it out of the schema, or read it in a template.")
    });
    findings.collect()
}

/// Keys of a values file that neither defaults, nor templates, nor the schema know.
fn unknown(paths: &[Unknown], file: &ValuesFile, profile: Profile) -> Vec<Diagnostic> {
    let findings = paths.iter().take(FINDINGS_MAX).map(|(path, near)| {
        let message = format!("the chart knows no value `{path}`");
        let at = locate(&file.name, &file.content, path, profile);
        let at = at.unwrap_or_else(|| Span::file(&file.name));
        let finding = Diagnostic::warning(Code("ChartValueUnknown"), message).at(at);
        match near {
            Some(near) => finding.with_help(format!("Did you mean `{near}`?")),
            None => finding,
        }
    });
    findings.collect()
}

/// What schemas refuse in the defaults and in values files, all of these together.
///
/// Without files, defaults that somebody has to replace are no finding: what is missing or empty.
fn refused(
    chart: &std::sync::Arc<Chart>,
    files: &[ValuesFile],
    profile: Profile,
) -> Vec<Diagnostic> {
    let user = UserValues {
        files: files.to_vec(),
        ..UserValues::default()
    };
    let options = Options {
        profile,
        skip_schema: true,
        ..Options::default()
    };
    let none = |name: &str| Err(format!("open {name}: no such file or directory"));
    let Ok(scope) = crate::prepare(chart, &user, &none, &options, &mut Vec::new()) else {
        return Vec::new();
    };
    let values = Node::Map(scope.values.clone());
    let mut refusals = schema::refusals(&scope.charts, &scope.values);
    refusals.sort_by(|a, b| a.path.cmp(&b.path).then_with(|| a.text.cmp(&b.text)));
    let refusals = refusals.into_iter().filter(|refusal| {
        let value = at(&values, &refusal.path);
        !files.is_empty()
            || match refusal.fault {
                Fault::Key => true,
                Fault::Missing => false,
                Fault::Type | Fault::Other => value.is_some_and(is_filled),
            }
    });
    let findings = refusals.take(FINDINGS_MAX).map(|refusal| {
        let steps = refusal.path.steps();
        let own = FieldPath::keys(steps[refusal.section..].iter().map_while(key));
        let path = match refusal.path.is_root() {
            true => "the values".to_owned(),
            false => format!("`{}`", refusal.path),
        };
        let name = &refusal.chart.metadata.name;
        let message = format!(
            "the schema of chart `{name}` refuses {path}: {}",
            refusal.text
        );
        let given = files
            .iter()
            .rev()
            .find_map(|file| locate(&file.name, &file.content, &refusal.path, profile));
        let at = given.or_else(|| {
            let text = chart.values_text();
            let name = format!("{}/values.yaml", chart.name());
            locate(&name, text, &refusal.path, profile)
        });
        let mut finding = Diagnostic::warning(Code("ValuesSchemaMismatch"), message);
        if let Some(at) = at {
            finding = finding.at(at);
        }
        match suggestion(&refusal, &own) {
            Some(near) => finding.with_help(format!("Did you mean `{near}`?")),
            None => finding,
        }
    });
    findings.collect()
}

fn key(step: &Step) -> Option<&str> {
    match step {
        Step::Key(key) => Some(key),
        Step::Index(_) => None,
    }
}

fn at<'n>(node: &'n Node, path: &FieldPath) -> Option<&'n Node> {
    path.steps()
        .iter()
        .try_fold(node, |node, step| match (node, step) {
            (Node::Map(map), Step::Key(key)) => map.get(key),
            (Node::List(items), Step::Index(index)) => items.get(*index),
            _ => None,
        })
}

/// Whether a value is more than a place for one.
fn is_filled(value: &Node) -> bool {
    match value {
        Node::Null => false,
        Node::String(text) => !text.is_empty(),
        Node::List(items) => !items.is_empty(),
        Node::Map(map) => !map.is_empty(),
        _ => true,
    }
}

/// The key of the schema that a key it does not have was meant to be.
fn suggestion(refusal: &schema::Refusal<'_>, own: &FieldPath) -> Option<String> {
    let document = schema::document(&refusal.chart.chart)?;
    let (last, above) = own.steps().split_last()?;
    let mut shape = Shape::of(document);
    for step in above {
        shape = shape.below(key(step)?)?;
    }
    match refusal.fault {
        Fault::Key => nearest(key(last)?, shape.names().into_iter()),
        _ => None,
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

fn unread_names<'s>(
    shape: &Shape<'s>,
    defaults: Option<&Map>,
    path: &mut Vec<&'s str>,
    read: &Read,
    found: &mut Vec<Vec<&'s str>>,
) {
    for name in shape.names() {
        path.push(name);
        let below = shape.below(name);
        let default = defaults.and_then(|defaults| defaults.get(name));
        let is_deprecated = below.as_ref().is_some_and(Shape::is_deprecated);
        match default {
            None if !read.has(path) && !is_deprecated => found.push(path.clone()),
            Some(Node::Map(defaults)) if read.has_below(path) && !read.takes(path) => {
                if let Some(below) = &below {
                    unread_names(below, Some(defaults), path, read, found);
                }
            }
            _ => {}
        }
        path.pop();
    }
}
