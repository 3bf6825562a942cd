//! Which of the charts inside a chart are used, under what names, and which of their values the
//! charts around them take over.
//!
//! # Source
//! helm/helm `pkg/chart/v2/util/dependencies.go` of 4.3 and `pkg/chartutil/dependencies.go` of 3.22,
//! in which the entries of an aliased chart's own dependencies are shared between its copies.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use golang::strconv::quote;
use golang::{Constraints, Version};
use object::{Map, Node};

use crate::chart::{Chart, Dependency, Metadata};
use crate::error::{DependencyError, ValuesError, Warning};
use crate::manifest::Crd;
use crate::options::{Options, Profile};
use crate::values::coalesce::{self, Mode, Values};
use crate::values::shown;
use crate::values::table::{Table, Value};

/// Most keys on all paths that one chart imports to. Charts have a dozen; each could be one level
/// deeper than the one before.
const IMPORT_KEYS_MAX: usize = 1_000;

/// Most copies of charts that are made while it is decided which are used, each with those inside it.
/// Large umbrella charts make some hundred.
///
/// An alias makes a copy of a chart, and that chart may have aliases as well: a few lines at each of
/// six levels ask for a million charts.
pub const CHARTS_MAX: usize = 10_000;

/// A chart as one release uses it.
#[derive(Clone, Debug)]
pub struct Assembly {
    /// The files.
    pub chart: Arc<Chart>,
    /// What the chart says about itself; its name is an alias where it has one, and its
    /// dependencies are those that are used.
    pub metadata: Metadata,
    /// Its default values, with what it imports.
    pub values: Map,
    /// The charts inside that are used: first those that `Chart.yaml` does not name.
    pub charts: Vec<Assembly>,
}

impl Values for Assembly {
    fn name(&self) -> &str {
        &self.metadata.name
    }

    fn defaults(&self) -> &Map {
        &self.values
    }

    fn inside(&self) -> &[Self] {
        &self.charts
    }
}

impl Assembly {
    /// Decides what of `chart` is used when the user gives `given`.
    ///
    /// # Errors
    /// [`ValuesError::Section`] when the values of a chart inside are no map,
    /// [`ValuesError::TooManyCharts`].
    pub fn new(
        chart: &Arc<Chart>,
        given: &Map,
        profile: Profile,
        warnings: &mut Vec<Warning>,
    ) -> Result<Self, ValuesError> {
        let mut draft = Draft::new(chart);
        let mut deciding = Deciding {
            profile,
            warnings,
            left: CHARTS_MAX,
        };
        let decided = deciding
            .enable(&mut draft, given, "")
            .and_then(|()| deciding.import(&mut draft));
        decided.map_err(|error| match error {
            ValuesError::Section { chart, shown, .. } => ValuesError::Section {
                prefix: match profile {
                    Profile::Helm4 => "chart dependencies processing failed: ",
                    Profile::Helm3 => "",
                },
                chart,
                shown,
            },
            error => error,
        })?;
        Ok(draft.finish())
    }

    /// The CRDs of this chart and of those inside.
    pub fn crds(&self) -> Vec<Crd> {
        let mut crds = Vec::new();
        for (path, assembly) in self.walk() {
            let files = assembly
                .chart
                .files
                .iter()
                .filter(|file| is_crd(&file.name));
            crds.extend(files.map(|file| Crd {
                path: format!("{path}/{}", file.name),
                content: file.content.clone(),
            }));
        }
        crds
    }

    /// The templates of this chart and of those inside, in the order in which they are parsed and
    /// executed: deepest paths first, then by path backwards. A library has only its partials.
    ///
    /// # Source
    /// helm/helm `pkg/engine/engine.go`, `sortTemplates` and `recAllTpls`.
    pub fn templates(&self) -> Vec<Template<'_>> {
        let mut found = Vec::new();
        for (chart_path, assembly) in self.walk() {
            let is_library = assembly.metadata.is_library();
            let mine = assembly.chart.templates.iter();
            let mine = mine.filter(|file| !is_library || is_partial(&file.name));
            found.extend(mine.map(|file| Template {
                path: format!("{chart_path}/{}", file.name),
                base_path: format!("{chart_path}/templates"),
                content: file.content.bytes(),
                assembly,
            }));
        }
        let depth = |path: &str| path.bytes().filter(|&byte| byte == b'/').count();
        let found = found.into_iter();
        let mut found: Vec<(usize, Template<'_>)> = found
            .map(|template| (depth(&template.path), template))
            .collect();
        found.sort_by(|(depth, template), (other_depth, other)| {
            (other_depth, &other.path).cmp(&(depth, &template.path))
        });
        found.into_iter().map(|(_, template)| template).collect()
    }

    /// All of a chart with all charts inside it, nothing decided.
    pub fn whole(chart: &Arc<Chart>) -> Self {
        Self {
            metadata: chart.metadata.clone(),
            values: chart.values.clone(),
            charts: chart.charts.iter().map(Self::whole).collect(),
            chart: Arc::clone(chart),
        }
    }

    /// This chart and every one inside, each with its path: `umbrella/charts/kid`. Charts come
    /// before those inside them.
    pub fn walk(&self) -> Vec<(String, &Self)> {
        let mut found = Vec::new();
        self.walk_from(self.metadata.name.clone(), &mut found);
        found
    }

    fn walk_from<'a>(&'a self, path: String, found: &mut Vec<(String, &'a Self)>) {
        found.push((path.clone(), self));
        for inside in &self.charts {
            inside.walk_from(format!("{path}/charts/{}", inside.metadata.name), found);
        }
    }
}

/// A template with its place.
#[derive(Clone, Debug)]
pub struct Template<'a> {
    /// Its name for other templates: its path from the outermost chart's name on.
    pub path: String,
    /// The folder of its chart's templates.
    pub base_path: String,
    /// Its text.
    pub content: &'a Arc<[u8]>,
    /// The chart whose values it sees.
    pub assembly: &'a Assembly,
}

impl Template<'_> {
    /// Whether it is only there for other templates.
    pub fn is_partial(&self) -> bool {
        is_partial(&self.path)
    }
}

fn is_partial(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.starts_with('_')
}

fn is_crd(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or(name);
    let extension = last.rsplit_once('.').map_or("", |(_, extension)| extension);
    let extensions = ["yaml", "yml", "json"];
    name.starts_with("crds/")
        && extensions
            .iter()
            .any(|one| one.eq_ignore_ascii_case(extension))
}

/// Checks that a chart can be rendered on its own, and that the charts it names are there.
///
/// # Errors
/// [`DependencyError`].
///
/// # Source
/// helm/helm `pkg/cmd/install.go`, `pkg/action/install.go`.
pub fn check(chart: &Chart, profile: Profile) -> Result<(), DependencyError> {
    let kind = &chart.metadata.kind;
    if !matches!(&**kind, "" | "application") {
        return Err(DependencyError::NotInstallable(kind.clone()));
    }
    let wanted = chart.metadata.dependencies.iter();
    let missing =
        wanted.filter(|wanted| !chart.charts.iter().any(|here| here.name() == wanted.name));
    let names: Vec<String> = missing.map(|wanted| wanted.name.clone()).collect();
    if names.is_empty() {
        return Ok(());
    }
    let prefix = match profile {
        Profile::Helm4 => {
            "an error occurred while checking for chart dependencies. You may need to run 'helm dependency build' to fetch missing dependencies: "
        }
        Profile::Helm3 => {
            "An error occurred while checking for chart dependencies. You may need to run `helm dependency build` to fetch missing dependencies: "
        }
    };
    Err(DependencyError::Missing { prefix, names })
}

/// Checks that the cluster's Kubernetes is one the chart is for.
///
/// # Errors
/// [`DependencyError::KubeVersion`].
pub fn check_kube_version(metadata: &Metadata, options: &Options) -> Result<(), DependencyError> {
    let range = &metadata.kube_version;
    let version = &options.capabilities.kube_version;
    if range.is_empty() || is_compatible(range, &version.normalized) {
        return Ok(());
    }
    Err(DependencyError::KubeVersion {
        range: range.clone(),
        version: version.version.clone(),
    })
}

/// Whether `version` is one that `range` allows; what cannot be understood allows nothing.
pub fn is_compatible(range: &str, version: &str) -> bool {
    match (range.parse::<Constraints>(), version.parse::<Version>()) {
        (Ok(range), Ok(version)) => range.check(&version),
        _ => false,
    }
}

/// An entry of a chart's dependencies while it is being decided about.
#[derive(Clone)]
struct Wanted {
    entry: Dependency,
    /// Whether values were taken over by it.
    imported: bool,
}

/// A chart while it is being decided about.
#[derive(Clone)]
struct Draft {
    chart: Arc<Chart>,
    name: String,
    /// `None` where the chart names no dependencies.
    wanted: Option<Vec<Rc<RefCell<Wanted>>>>,
    values: Map,
    charts: Vec<Draft>,
}

impl Values for Draft {
    fn name(&self) -> &str {
        &self.name
    }

    fn defaults(&self) -> &Map {
        &self.values
    }

    fn inside(&self) -> &[Self] {
        &self.charts
    }
}

impl Draft {
    fn new(chart: &Arc<Chart>) -> Self {
        let metadata = &chart.metadata;
        let wanted = metadata.dependencies.iter();
        let wanted = wanted
            .map(|one| {
                let entry = one.clone();
                let imported = false;
                Rc::new(RefCell::new(Wanted { entry, imported }))
            })
            .collect();
        Self {
            chart: chart.clone(),
            name: metadata.name.clone(),
            wanted: metadata.has_dependencies.then_some(wanted),
            values: chart.values.clone(),
            charts: chart.charts.iter().map(Self::new).collect(),
        }
    }

    /// This chart and those inside.
    fn count(&self) -> usize {
        1 + self.charts.iter().map(Self::count).sum::<usize>()
    }

    /// The same with entries of its own.
    fn detach(&mut self) {
        for wanted in self.wanted.iter_mut().flatten() {
            let own = wanted.borrow().clone();
            *wanted = Rc::new(RefCell::new(own));
        }
        self.charts.iter_mut().for_each(Self::detach);
    }

    fn fits(&self, wanted: &Dependency) -> bool {
        self.name == wanted.name && is_compatible(&wanted.version, &self.chart.metadata.version)
    }

    fn finish(self) -> Assembly {
        let mut metadata = self.chart.metadata.clone();
        metadata.name = self.name;
        let wanted = self.wanted.unwrap_or_default();
        metadata.dependencies = wanted
            .iter()
            .map(|one| one.borrow().entry.clone())
            .collect();
        Assembly {
            chart: self.chart,
            metadata,
            values: self.values,
            charts: self.charts.into_iter().map(Self::finish).collect(),
        }
    }
}

struct Deciding<'a> {
    profile: Profile,
    warnings: &'a mut Vec<Warning>,
    /// Copies of charts that may still be made.
    left: usize,
}

impl Deciding<'_> {
    fn warn(&mut self, helm4: String, helm3: String) {
        self.warnings.push(Warning::new(match self.profile {
            Profile::Helm4 => helm4,
            Profile::Helm3 => helm3,
        }));
    }

    /// Keeps the charts inside that are wanted, here and below. `given` is what the user gives the
    /// outermost chart, coalesced so far; `path` leads there to this chart's section.
    fn enable(&mut self, draft: &mut Draft, given: &Map, path: &str) -> Result<(), ValuesError> {
        let Some(wanted) = draft.wanted.clone() else {
            return Ok(());
        };
        let here = std::mem::take(&mut draft.charts);
        let named = |chart: &Draft| {
            wanted
                .iter()
                .any(|wanted| chart.fits(&wanted.borrow().entry))
        };
        let mut used: Vec<Draft> = here.iter().filter(|chart| !named(chart)).cloned().collect();
        for wanted in &wanted {
            let wanted = &mut wanted.borrow_mut().entry;
            let alias = wanted.alias.clone();
            if let Some(found) = here.iter().find(|chart| chart.fits(wanted)) {
                self.left = match self.left.checked_sub(found.count()) {
                    Some(left) => left,
                    None => return Err(ValuesError::TooManyCharts),
                };
                let mut found = found.clone();
                if self.profile == Profile::Helm4 {
                    found.detach();
                }
                if !alias.is_empty() {
                    found.name.clone_from(&alias);
                }
                used.push(found);
            }
            if !alias.is_empty() {
                wanted.name = alias;
            }
        }
        draft.charts = used;
        wanted
            .iter()
            .for_each(|wanted| wanted.borrow_mut().entry.enabled = true);
        let mut ignored = Vec::new();
        let values = coalesce::coalesce(draft, given, Mode::Coalesce, self.profile, &mut ignored)?;
        for wanted in &wanted {
            let entry = &mut wanted.borrow_mut().entry;
            self.apply_tags(entry, &values);
            self.apply_conditions(entry, &values, path);
        }
        let is_off = |name: &str| {
            let mut wanted = wanted.iter().map(|wanted| wanted.borrow());
            wanted.any(|wanted| !wanted.entry.enabled && wanted.entry.name == name)
        };
        draft.charts.retain(|chart| !is_off(&chart.name));
        let mut kept = wanted.clone();
        kept.retain(|wanted| !is_off(&wanted.borrow().entry.name));
        for chart in &mut draft.charts {
            let path = format!("{path}{}.", chart.name);
            self.enable(chart, &values, &path)?;
        }
        draft.wanted = (!kept.is_empty()).then_some(kept);
        Ok(())
    }

    fn apply_tags(&mut self, wanted: &mut Dependency, values: &Map) {
        let Some(tags) = values.get("tags").and_then(Node::as_map) else {
            return;
        };
        let (mut on, mut off) = (false, false);
        for tag in &wanted.tags {
            match tags.get(tag) {
                None => {}
                Some(Node::Bool(true)) => on = true,
                Some(Node::Bool(false)) => off = true,
                Some(_) => {
                    let chart = &wanted.name;
                    self.warn(
                        format!("returned non-bool value tag={tag} chart={chart}"),
                        format!("Warning: Tag '{tag}' for chart {chart} returned non-bool value"),
                    );
                }
            }
        }
        wanted.enabled = on || !off;
    }

    /// The first condition that has an answer decides.
    fn apply_conditions(&mut self, wanted: &mut Dependency, values: &Map, path: &str) {
        let conditions = wanted.condition.trim().to_owned();
        for condition in conditions.split(',').filter(|one| !one.is_empty()) {
            let full = format!("{path}{condition}");
            let mut keys = full.split('.');
            let first = keys.next().and_then(|key| values.get(key));
            let found = keys.try_fold(first, |node, key| node.map(|node| node.get(key)));
            match found.flatten() {
                Some(Node::Bool(value)) => {
                    wanted.enabled = *value;
                    break;
                }
                None | Some(Node::Map(_)) => {}
                Some(_) => {
                    let chart = &wanted.name;
                    self.warn(
                        format!("returned non-bool value path={condition} chart={chart}"),
                        format!(
                            "Warning: Condition path '{condition}' for chart {chart} returned non-bool value"
                        ),
                    );
                }
            }
        }
    }

    /// Takes values over from the charts inside, deepest first.
    fn import(&mut self, draft: &mut Draft) -> Result<(), ValuesError> {
        for chart in &mut draft.charts {
            self.import(chart)?;
        }
        let Some(wanted) = draft.wanted.clone() else {
            return Ok(());
        };
        let mut ignored = Vec::new();
        let values = coalesce::tables(draft, &Map::new(), Mode::Merge, self.profile, &mut ignored)?;
        let imported = Table::default();
        let mut keys = 0;
        for wanted in &wanted {
            let mut wanted = wanted.borrow_mut();
            let mut read = Vec::new();
            let entries = std::mem::take(&mut wanted.entry.import_values);
            // Where copies of a chart share their entries, the first copy reads them and the others
            // find nothing that they understand.
            let is_new = !std::mem::replace(&mut wanted.imported, true);
            for entry in entries.into_iter().filter(|_| is_new) {
                let (child, parent) = match &entry {
                    Node::String(name) => (format!("exports.{name}"), ".".to_owned()),
                    Node::Map(map) => {
                        let text = |key| shown(map.get(key).unwrap_or(&Node::Null));
                        (text("child"), text("parent"))
                    }
                    _ => continue,
                };
                let chart = &wanted.entry.name;
                match values.table_at(&format!("{chart}.{child}")) {
                    Ok(table) => {
                        // An empty table is not shared.
                        let table = if table.is_empty() {
                            Table::default()
                        } else {
                            table
                        };
                        keys += parent.split('.').count();
                        if keys > IMPORT_KEYS_MAX {
                            return Err(coalesce::too_large(draft));
                        }
                        let table = at_path(&parent, table);
                        coalesce::merge_tables(&imported, &table, self.warnings);
                    }
                    Err(error) if matches!(entry, Node::Map(_)) => self.warn(
                        format!(
                            "ImportValues missing table from chart chart={chart} error={}",
                            quote(&error)
                        ),
                        format!("Warning: ImportValues missing table from chart {chart}: {error}"),
                    ),
                    Err(error) => self.warn(
                        format!("ImportValues missing table error={}", quote(&error)),
                        format!("Warning: ImportValues missing table: {error}"),
                    ),
                }
                let mut entry = Map::new();
                entry.insert("child", child);
                entry.insert("parent", parent);
                read.push(Node::Map(entry));
            }
            wanted.entry.import_values = read;
        }
        let too_large = |_| coalesce::too_large(draft);
        let own = Table::new(&values.freeze().map_err(too_large)?);
        coalesce::merge_tables(&own, &imported, self.warnings);
        draft.values = own.freeze().map_err(too_large)?;
        Ok(())
    }
}

/// A table under nested keys; `.` is no key.
fn at_path(path: &str, table: Table) -> Table {
    if path == "." {
        return table;
    }
    path.rsplit('.').fold(table, |table, key| {
        let outer = Table::default();
        outer.insert(key, Value::Table(table));
        outer
    })
}
