//! Keys of values that nothing knows: neither defaults, nor schema, nor templates.

use std::sync::Arc;

use diag::nearest;
use object::{FieldPath, Map, Node};

use super::KNOWN;
use super::read::{Read, mentions, template_texts};
use super::shape::Shape;
use crate::Chart;
use crate::dependencies::Assembly;
use crate::engine::Programs;
use crate::options::Profile;
use crate::schema;

/// A key that nothing knows, and the one that was meant.
pub(super) type Unknown = (FieldPath, Option<String>);

/// What is known of values besides defaults and schema.
pub(super) struct Known<'k> {
    /// `None` when some template takes all values.
    pub(super) read: Option<&'k Read>,
    /// The paths that templates name.
    pub(super) named: &'k [Vec<String>],
}

impl Known<'_> {
    /// Keys that nothing knows, with the key that was meant.
    pub(super) fn unknown_values<'a>(
        &self,
        values: &'a Map,
        defaults: Option<&Map>,
        shape: Option<&Shape<'_>>,
        path: &mut Vec<&'a str>,
        found: &mut Vec<Unknown>,
    ) {
        for (key, value) in values.iter() {
            path.push(key);
            let default = defaults.and_then(|defaults| defaults.get(key));
            let below = shape.and_then(|shape| shape.below(key));
            let is_known = default.is_some() || below.is_some();
            match (value, default) {
                (Node::Map(map), _) if is_known => {
                    let defaults = match default {
                        Some(Node::Map(defaults)) if !defaults.is_empty() => Some(defaults),
                        _ => None,
                    };
                    if defaults.is_some() || below.is_some() {
                        self.unknown_values(map, defaults, below.as_ref(), path, found);
                    }
                }
                _ if is_known => {}
                _ => found.extend(self.judge(key, defaults, shape, path)),
            }
            path.pop();
        }
    }

    /// A key that neither defaults nor schema have: no finding where it may be meant.
    fn judge(
        &self,
        key: &str,
        defaults: Option<&Map>,
        shape: Option<&Shape<'_>>,
        path: &[&str],
    ) -> Option<Unknown> {
        let names = shape.map(Shape::names).unwrap_or_default();
        let may_be_read = self.read.is_none_or(|read| read.has(path));
        let keys = defaults.into_iter().flat_map(|defaults| defaults.keys());
        let keys = keys.map(|name| name.as_str());
        let near = nearest(key, names.iter().copied().chain(keys));
        if !may_be_read && (defaults.is_some() || !shape.is_none_or(|shape| shape.is_free)) {
            return Some((FieldPath::keys(path.iter().copied()), near));
        }
        // A template takes all there is. What is described key by key is still misspelt.
        let shape = shape.filter(|shape| !shape.is_free)?;
        let is_named = |read: &Vec<String>| {
            read.len() >= path.len() && read.iter().zip(path).all(|(read, name)| read == name)
        };
        let near = near.filter(|near| shape.names().contains(near.as_str()))?;
        let is_own = path.len() > 1 || !KNOWN.contains(&key);
        (is_own && !self.named.iter().any(is_named))
            .then(|| (FieldPath::keys(path.iter().copied()), Some(near)))
    }
}

/// Most sections that are compared with their charts; large umbrella charts have some thirty.
///
/// A chart that names another under many aliases, which does so as well, has more of them than there is
/// time for.
const SECTIONS_MAX: usize = 256;

/// What is shared while sections are found.
struct Search {
    left: usize,
    programs: Programs,
    profile: Profile,
}

/// The charts inside a chart, by the keys of their sections.
#[derive(Default)]
pub(super) struct Inside(Vec<(String, Section)>);

/// What is known of the values of a chart inside.
struct Section {
    chart: Arc<Chart>,
    read: Option<Read>,
    named: Vec<Vec<String>>,
    inside: Inside,
}

impl Inside {
    /// The charts inside `chart`, of whose values its own templates read `named`. Libraries have none.
    pub(super) fn all(chart: &Chart, named: &[Vec<String>], profile: Profile) -> Self {
        let mut search = Search {
            left: SECTIONS_MAX,
            programs: Programs::default(),
            profile,
        };
        Self::find(chart, named, &mut search)
    }

    fn find(chart: &Chart, named: &[Vec<String>], search: &mut Search) -> Self {
        let conditions = chart.metadata.dependencies.iter();
        let conditions = conditions.flat_map(|one| one.condition.split(','));
        let conditions = conditions.map(|path| path.trim().split('.').map(str::to_owned).collect());
        let named: Vec<Vec<String>> = named.iter().cloned().chain(conditions).collect();
        let mut found = Self::default();
        for inside in &chart.charts {
            let entries = chart.metadata.dependencies.iter();
            let aliases = entries.filter(|entry| entry.name == inside.name());
            let mut keys: Vec<String> = aliases.map(|entry| entry.alias.clone()).collect();
            keys.retain(|alias| !alias.is_empty());
            if keys.is_empty() {
                keys.push(inside.name().to_owned());
            }
            for key in keys {
                let below = named.iter().filter(|path| path.first() == Some(&key));
                let below: Vec<Vec<String>> = below.map(|path| path[1..].to_vec()).collect();
                // Who takes a whole section may read anything in it.
                if !inside.metadata.is_library() && !below.iter().any(Vec::is_empty) {
                    found
                        .0
                        .extend(Section::new(inside, below, search).map(|one| (key, one)));
                }
            }
        }
        found
    }

    pub(super) fn unknown(&self, values: &Map) -> Vec<Unknown> {
        let sections = self
            .0
            .iter()
            .filter_map(|(key, section)| match values.get(key) {
                Some(Node::Map(values)) => Some((key, section.unknown(values))),
                _ => None,
            });
        let below = sections.flat_map(|(key, unknown)| {
            unknown.into_iter().map(move |(path, near)| {
                let mut whole = FieldPath::keys([key.as_str()]);
                path.steps()
                    .iter()
                    .for_each(|step| whole.push(step.clone()));
                (whole, near)
            })
        });
        below.collect()
    }
}

impl Section {
    /// `None` for a chart whose templates cannot be read.
    fn new(chart: &Arc<Chart>, above: Vec<Vec<String>>, search: &mut Search) -> Option<Self> {
        let charts = Assembly::whole(chart);
        search.left = search.left.checked_sub(1)?;
        let program = search.programs.get(&charts, search.profile).ok()?;
        let mut read = Read::new(&charts, &program);
        if let Some(read) = &mut read {
            read.also(above.iter().cloned());
        }
        let mut named = program.values_read(&charts.metadata.name);
        named.extend(above);
        Some(Self {
            inside: Inside::find(chart, &named, search),
            chart: Arc::clone(chart),
            read,
            named,
        })
    }

    fn unknown(&self, values: &Map) -> Vec<Unknown> {
        let known = Known {
            read: self.read.as_ref(),
            named: &self.named,
        };
        let shape = schema::document(&self.chart).map(Shape::of);
        let mut found = Vec::new();
        let defaults = Some(&self.chart.values);
        known.unknown_values(
            values,
            defaults,
            shape.as_ref(),
            &mut Vec::new(),
            &mut found,
        );
        found.extend(self.inside.unknown(values));
        // The chart may execute texts that stand beside them.
        let mut templates = String::new();
        template_texts(&Node::Map(values.clone()), &mut templates);
        found.retain(|(path, _)| !mentions(&templates, &path.to_string()));
        found
    }
}
