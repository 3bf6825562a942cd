//! Charts of a kustomization: found, their values put together, rendered by whoever knows Helm, read.
//!
//! Two things are other than in the reference. A chart that is packed may stay so:
//! `<chartHome>/<name>-<version>.tgz` or `<chartHome>/<name>.tgz` stands in for a folder that is not
//! there. And nothing is pulled: a chart that is not there is an error.
//!
//! # Source
//! kubernetes-sigs/kustomize `api/internal/builtins/HelmChartInflationGenerator.go`,
//! `api/types/helmchartargs.go`, `api/internal/target/kusttarget_configplugin.go` at api/v0.21.1.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use diag::{Code, Diagnostic, Retry, Span};
use object::{Map, Node as Value, Text};
use tree::TreePath;
use yaml::{Kind, Limits, Node, Style, tag};

use crate::accumulate::Builder;
use crate::chart::{ChartError, ChartRelease, ChartValues, Charts, LoadedChart};
use crate::decode::{folds_to, written};
use crate::error::{BuildError, ChartWanted, Facts, Failures, Outcome};
use crate::file::{HelmChart, HelmGlobals};
use crate::loader::{Access, Loader};
use crate::resource::{self, Item};
use crate::schema::Schema;
use crate::{merge, value};

/// Most charts one build renders. Fleets have some tens; one render may take a second.
pub const CHARTS_MAX: u64 = 500;

/// Most bytes that all charts of one build render. The largest public ones with their definitions
/// make six MB each.
pub const CHART_BYTES_MAX: usize = 64 << 20;

/// The folder of charts where the kustomization names none.
const CHART_HOME: &str = "charts";

const MERGES: [&str; 3] = ["merge", "override", "replace"];

/// A chart that was asked for rightly.
#[derive(Clone, Debug)]
pub(crate) struct Inflation {
    chart: HelmChart,
    /// Where charts are, as written.
    home: String,
    charts: Charts,
    /// Places of its fields; that of the whole under the empty name.
    places: Places,
}

/// Places of the fields of a chart, that of the whole under the empty name.
pub(crate) type Places = BTreeMap<&'static str, Span>;

/// Fields whose places are worth knowing.
pub(crate) const PLACED: [&str; 8] = [
    "name",
    "valuesFile",
    "additionalValuesFiles",
    "valuesInline",
    "valuesMerge",
    "releaseName",
    "nameTemplate",
    "kubeVersion",
];

/// A chart that is there.
struct Found {
    path: TreePath,
    /// Where charts are.
    home: TreePath,
    packed: bool,
}

impl Inflation {
    /// Checks what a kustomization says of a chart.
    ///
    /// # Errors
    /// What the reference refuses before it renders anything, in its words; everything, when charts
    /// are not rendered.
    pub fn configure(
        builder: &mut Builder<'_>,
        loader: &Loader,
        chart: HelmChart,
        globals: HelmGlobals,
        places: Places,
    ) -> Outcome<Self> {
        let place = |field: &str| places.get(field).or(places.get("")).cloned();
        let Some(charts) = builder.options.charts.clone() else {
            let text = "must specify --enable-helm";
            return Err(
                Failures::new(BuildError::ChartsForbidden, &*chart.name, text).at(place("")),
            );
        };
        let invalid = |field: &str, text: &str| {
            Failures::new(BuildError::ConfigurationInvalid, chart.field, text).at(place(field))
        };
        if chart.name.is_empty() {
            return Err(invalid("", "chart name cannot be empty"));
        }
        // The reference takes some of these and fails with most for reasons of its own.
        if chart.name.contains('/') || chart.name == ".." {
            let error = ChartError {
                code: Code("ChartNameInvalid"),
                message: format!(
                    "chart name {} is not the name of a folder",
                    crate::accumulate::go_quote(&chart.name)
                ),
                at: None,
                help: vec![
                    "Name the folder that holds the chart under `helmGlobals.chartHome`."
                        .to_owned(),
                ],
                retry: Retry::Never,
            };
            return Err(chart_failure(&chart, loader, error).at(place("name")));
        }
        for file in &chart.additional_values_files {
            loader.load(&mut builder.access, file).map_err(|failures| {
                failures
                    .prefix("could not load additionalValuesFile")
                    .at(place("additionalValuesFiles"))
            })?;
        }
        if !chart.values_merge.is_empty() && !MERGES.contains(&chart.values_merge.as_str()) {
            let text = format!("valuesMerge must be one of [{}]", MERGES.join(" "));
            return Err(invalid("valuesMerge", &text));
        }
        let home = match globals.chart_home.is_empty() {
            true => CHART_HOME.to_owned(),
            false => globals.chart_home,
        };
        let chart = HelmChart {
            values_inline: configured(chart.values_inline),
            ..chart
        };
        Ok(Self {
            chart,
            home,
            charts,
            places,
        })
    }

    /// Renders the chart.
    ///
    /// # Errors
    /// When it is not there, its values cannot be put together, it cannot be rendered, or what comes
    /// out are no objects.
    pub fn generate(
        &self,
        builder: &mut Builder<'_>,
        loader: &Loader,
        schema: &Schema,
    ) -> Outcome<Vec<Item>> {
        let number = builder.charts;
        builder.charts += 1;
        if number >= CHARTS_MAX {
            return Err(too_much(format!("{CHARTS_MAX} charts")).at(self.place("")));
        }
        let found = self.find(loader, &builder.access)?;
        loader
            .note_chart(&mut builder.access, &found.path, &found.home)
            .map_err(|failures| failures.at(self.place("name")))?;
        let failed = |error: ChartError| self.failed(loader, error);
        let load = || self.charts.renderer.load(&loader.tree, &found.path);
        // A chart in a folder is read after its values, as in the reference.
        let (values, loaded) = match found.packed {
            true => {
                let loaded = load().map_err(failed)?;
                let values = self.values(builder, loader, &found, Some(&*loaded), schema)?;
                (values, loaded)
            }
            false => {
                let values = self.values(builder, loader, &found, None, schema)?;
                (values, load().map_err(failed)?)
            }
        };
        let rendered = loaded
            .render(&self.release(&values, number))
            .map_err(failed)?;
        for warning in rendered.warnings {
            let mut warning = Diagnostic::warning(Code("ChartWarning"), warning);
            warning.span = self.place("");
            builder.warnings.push(warning);
        }
        builder.chart_bytes = builder.chart_bytes.saturating_add(rendered.text.len());
        if builder.chart_bytes > CHART_BYTES_MAX {
            let what = format!("{CHART_BYTES_MAX} bytes of rendered charts");
            return Err(too_much(what).at(self.place("")));
        }
        self.objects(loader, &found, &rendered.text, schema)
    }

    /// What a kustomization asks the renderer for.
    fn release<'a>(&'a self, values: &'a [ChartValues], number: u64) -> ChartRelease<'a> {
        let chart = &self.chart;
        ChartRelease {
            name: &chart.release_name,
            name_template: &chart.name_template,
            namespace: &chart.namespace,
            values,
            api_versions: match chart.api_versions.is_empty() {
                true => &self.charts.api_versions,
                false => &chart.api_versions,
            },
            kube_version: match chart.kube_version.is_empty() {
                true => &self.charts.kube_version,
                false => &chart.kube_version,
            },
            include_crds: chart.include_crds,
            skip_tests: chart.skip_tests,
            skip_hooks: chart.skip_hooks,
            number,
        }
    }

    /// The chart's folder, or the file that it is packed in.
    fn find(&self, loader: &Loader, access: &Access<'_>) -> Outcome<Found> {
        let chart = &self.chart;
        let home = loader
            .path_of(access, &self.home)
            .map_err(|failures| failures.at(self.place("")))?;
        let versioned = !chart.version.is_empty() && !chart.repo.is_empty();
        let below = |folder: &TreePath, name: &str| {
            folder.join(name).map_err(|_| {
                let text = format!("chart {name} leads outside");
                Failures::new(BuildError::PathOutsideTree, name, text).at(self.place("name"))
            })
        };
        let own_home = match versioned {
            true => below(&home, &format!("{}-{}", chart.name, chart.version))?,
            false => home.clone(),
        };
        let folder = below(&own_home, &chart.name)?;
        let there = |path: TreePath, home: TreePath, packed: bool| Found { path, home, packed };
        if loader.tree.is_directory(&folder) {
            return Ok(there(folder, own_home, false));
        }
        let versions = match chart.version.is_empty() {
            true => Vec::new(),
            false => vec![format!("{}-{}.tgz", chart.name, chart.version)],
        };
        for name in versions.into_iter().chain([format!("{}.tgz", chart.name)]) {
            let path = below(&home, &name)?;
            if loader.tree.is_file(&path) {
                return Ok(there(path, home, true));
            }
        }
        let plain = below(&home, &chart.name)?;
        let is_file = loader.tree.is_file(&folder);
        let reference = match (chart.repo.is_empty(), is_file) {
            (true, false) => "no repo specified for pull, no chart found at ''".to_owned(),
            (true, true) => format!(
                "no repo specified for pull, no chart found at '{}'",
                loader.absolute(&folder)
            ),
            (false, _) => format!("no chart found at '{}'", loader.absolute(&folder)),
        };
        let wanted = ChartWanted {
            folder: loader.shown_path(own_home.as_str()),
            repo: chart.repo.clone(),
            version: chart.version.clone(),
            elsewhere: (versioned && loader.tree.is_directory(&plain))
                .then(|| loader.shown_path(plain.as_str())),
        };
        let facts = Facts {
            subject: chart.name.clone(),
            at: self.place("name"),
            reference,
            ..Facts::default()
        };
        Err(Failures(vec![BuildError::ChartNotFound(
            facts,
            Box::new(wanted),
        )]))
    }

    /// The files of values, the first of which is the chart's own or stands in for that.
    fn values(
        &self,
        builder: &mut Builder<'_>,
        loader: &Loader,
        found: &Found,
        packed: Option<&dyn LoadedChart>,
        schema: &Schema,
    ) -> Outcome<Vec<ChartValues>> {
        let chart = &self.chart;
        let access = &mut builder.access;
        let first = match (chart.values_inline.is_empty(), chart.values_merge.as_str()) {
            (true, _) => self.values_file(access, loader, found, packed)?,
            (false, "replace") => in_no_file(Value::Map(chart.values_inline.clone())),
            (false, how) => {
                let file = self.values_file(access, loader, found, packed)?;
                let merged = merged(&file.content, &chart.values_inline, how, schema);
                in_no_file(merged.map_err(|message| {
                    let error = ChartError {
                        code: Code("ValuesInvalid"),
                        message,
                        at: Some(Span::file(&file.path)),
                        help: Vec::new(),
                        retry: Retry::Never,
                    };
                    self.failed(loader, error)
                })?)
            }
        };
        let mut values = vec![first];
        for file in &chart.additional_values_files {
            let span = self.place("additionalValuesFiles");
            // The reference takes an absolute path for one below the root.
            let path = loader.root.join(file.trim_start_matches('/'));
            let path = path.map_err(|_| {
                let text = format!("open {file}: no such file or directory");
                Failures::new(BuildError::ResourceNotFound, file, text).at(span.clone())
            })?;
            let content = loader.load_at(access, &path, file);
            values.push(ChartValues {
                content: content.map_err(|failures| failures.at(span))?,
                path: path.as_str().to_owned(),
            });
        }
        Ok(values)
    }

    /// The file of values that the kustomization names, or else the chart's own.
    fn values_file(
        &self,
        access: &mut Access<'_>,
        loader: &Loader,
        found: &Found,
        packed: Option<&dyn LoadedChart>,
    ) -> Outcome<ChartValues> {
        let named = &self.chart.values_file;
        let span = self.place("valuesFile");
        if !named.is_empty() {
            let content = loader.load(access, named);
            let path = loader.path_of(access, named);
            return Ok(ChartValues {
                content: content.map_err(|failures| failures.at(span))?,
                path: path.map_or_else(|_| named.clone(), |path| path.as_str().to_owned()),
            });
        }
        let own = found.path.join("values.yaml").unwrap_or_default();
        let content = match packed {
            Some(chart) => chart.values().ok_or_else(|| {
                let shown = loader.absolute(&own);
                let text = format!("open {shown}: no such file or directory");
                Failures::new(
                    BuildError::ResourceNotFound,
                    loader.shown_path(own.as_str()),
                    text,
                )
            }),
            None => {
                let shown = loader.shown_path(own.as_str());
                loader.load_at(access, &own, &shown)
            }
        };
        Ok(ChartValues {
            content: content.map_err(|failures| failures.at(span))?,
            path: own.as_str().to_owned(),
        })
    }

    /// The objects in what a chart renders to.
    fn objects(
        &self,
        loader: &Loader,
        found: &Found,
        text: &str,
        schema: &Schema,
    ) -> Outcome<Vec<Item>> {
        let failed = |code: Code, line: u32, message: String| {
            let error = ChartError {
                code,
                message,
                at: template_before(text, line, &found.path).map(Span::file),
                help: Vec::new(),
                retry: Retry::Never,
            };
            self.failed(loader, error)
        };
        let nodes = resource::read_objects(text).map_err(|failure| {
            let unread =
                failure.malformed || failure.message.starts_with("invalid document separator");
            let before = match unread {
                true => "error reading helm output",
                false => "could not parse rnode slice into resource map",
            };
            let message = format!("{before}: {}", failure.message);
            failed(failure.code, failure.line, message)
        })?;
        let mut seen = HashSet::with_capacity(nodes.len());
        let mut items = Vec::with_capacity(nodes.len());
        for node in nodes {
            let line = node.line;
            let mut item = Item::new(node, schema);
            if !seen.insert(item.id.key()) {
                let message = format!(
                    "could not parse rnode slice into resource map: may not add resource with an already registered id: {}",
                    item.id
                );
                return Err(failed(Code("DuplicateObject"), line, message));
            }
            item.history.helm_generated = true;
            item.history.annotated = true;
            items.push(item);
        }
        Ok(items)
    }

    /// The place of a field, or of the whole.
    pub fn place(&self, field: &str) -> Option<Span> {
        self.places.get(field).or(self.places.get("")).cloned()
    }

    /// A renderer's error, which tells its place in the chart and who asked for it.
    fn failed(&self, loader: &Loader, mut error: ChartError) -> Failures {
        let inline = error.at.as_ref().is_some_and(|at| at.path.is_empty());
        let place = self.place(match error.code.0 {
            _ if inline => "valuesInline",
            "KubeVersionInvalid" => "kubeVersion",
            "ReleaseNameInvalid" if self.chart.name_template.is_empty() => "releaseName",
            "ReleaseNameInvalid" | "TemplateFailed" => "nameTemplate",
            "ValuesSchemaMismatch" if self.chart.values_inline.is_empty() => "valuesFile",
            "ValuesSchemaMismatch" => "valuesInline",
            _ => "",
        });
        error.at = error.at.filter(|_| !inline);
        if let (Some(_), Some(asked)) = (&error.at, self.place("")) {
            let field = match self.chart.field {
                "generators" => "a generator".to_owned(),
                field => format!("`{field}[{}]`", self.chart.at),
            };
            error
                .help
                .push(format!("It is rendered for {field} of {asked}."));
        }
        chart_failure(&self.chart, loader, error).at(place)
    }
}

/// The chart as the reference's messages print it: fields that are set, by name.
pub(crate) fn config_text(chart: &HelmChart, globals: &HelmGlobals) -> String {
    let mut map = Map::new();
    let texts = [
        ("chartHome", &globals.chart_home),
        ("configHome", &globals.config_home),
        ("name", &chart.name),
        ("version", &chart.version),
        ("repo", &chart.repo),
        ("releaseName", &chart.release_name),
        ("namespace", &chart.namespace),
        ("valuesFile", &chart.values_file),
        ("valuesMerge", &chart.values_merge),
        ("kubeVersion", &chart.kube_version),
        ("nameTemplate", &chart.name_template),
    ];
    for (name, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
        map.insert(name, text.as_str());
    }
    let lists = [
        ("additionalValuesFiles", &chart.additional_values_files),
        ("apiVersions", &chart.api_versions),
    ];
    for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        map.insert(name, Value::list(list.iter().map(String::as_str)));
    }
    let flags = [
        ("includeCRDs", chart.include_crds),
        ("skipHooks", chart.skip_hooks),
        ("skipTests", chart.skip_tests),
        ("debug", chart.debug),
        ("devel", chart.devel),
    ];
    for (name, _) in flags.into_iter().filter(|(_, set)| *set) {
        map.insert(name, true);
    }
    if !chart.values_inline.is_empty() {
        map.insert(
            "valuesInline",
            as_json(Value::Map(chart.values_inline.clone())),
        );
    }
    yaml::to_string(&Value::Map(map))
}

/// Values of a file and of a kustomization in one: as `how` says, one wins over the other.
///
/// # Errors
/// In the reference's words.
fn merged(file: &[u8], inline: &Map, how: &str, schema: &Schema) -> Result<Value, String> {
    let read = |text: &str| match yaml::parse_first(text, &Limits::default()) {
        Ok(Some(node)) => Ok(node),
        Ok(None) => Err("EOF".to_owned()),
        Err(error) => Err(error.go_message()),
    };
    let file = yaml::decode(file).map_err(|error| error.go_message());
    let file = file.and_then(read);
    let file = file.map_err(|text| format!("could not parse values file into rnode: {text}"))?;
    let inline = yaml::to_string(&as_json(Value::Map(inline.clone())));
    let inline = read(&inline)
        .map_err(|text| format!("could not parse values inline into rnode: {text}"))?;
    let both = match how {
        "merge" => merge::merge_values(inline, file, schema),
        _ => merge::merge_values(file, inline, schema),
    };
    match both.map_err(|text| format!("could not merge values: {text}"))? {
        None => Ok(Value::map()),
        Some(mut node) => {
            plainly(&mut node);
            value::to_value(&node)
        }
        .map_err(|text| format!("could not parse merged values into map: {text}")),
    }
}

/// Makes of each scalar one that reads as its tag says, however it is written: the reference decodes
/// these nodes without a text in between.
fn plainly(node: &mut Node) {
    let plain = matches!(
        node.tag.as_str(),
        tag::NULL | tag::BOOL | tag::INT | tag::FLOAT | tag::TIMESTAMP
    );
    let unresolved = node.tag.is_empty() && !node.style.is_quoted();
    node.style = match node.kind {
        Kind::Scalar if !plain && !unresolved => {
            node.tag = Text::new_static(tag::STR);
            Style::DOUBLE_QUOTED
        }
        _ => Style::PLAIN,
    };
    node.content.iter_mut().for_each(plainly);
}

/// Inline values as the reference reads them from the chart's configuration, where it takes their
/// keys for fields of the chart: numbers and truth values become text where such a field is text.
fn configured(values: Map) -> Map {
    const TEXTS: [&str; 9] = [
        "name",
        "version",
        "repo",
        "releaseName",
        "namespace",
        "valuesFile",
        "valuesMerge",
        "kubeVersion",
        "nameTemplate",
    ];
    const LISTS: [&str; 2] = ["additionalValuesFiles", "apiVersions"];
    let Value::Map(mut values) = as_json(Value::Map(values)) else {
        return Map::new();
    };
    let is = |names: &[&str], key: &str| names.iter().any(|name| folds_to(key, name));
    let to_text = |value: &mut Value| {
        if let Some(text) = written(value) {
            *value = Value::from(text);
        }
    };
    for (key, value) in values.iter_mut() {
        if is(&TEXTS, key) {
            to_text(value);
        } else if is(&LISTS, key)
            && let Some(items) = value.as_list_mut()
        {
            items.iter_mut().for_each(to_text);
        }
    }
    values
}

/// Values that stand in no file.
fn in_no_file(values: Value) -> ChartValues {
    ChartValues {
        path: String::new(),
        content: Arc::from(yaml::to_string(&as_json(values)).into_bytes()),
    }
}

/// The same with numbers as they are after JSON: all are floats, and those without a fraction are
/// printed without one.
fn as_json(mut value: Value) -> Value {
    make_json(&mut value);
    value
}

fn make_json(value: &mut Value) {
    match value {
        Value::Int(number) => *value = value::from_float(*number as f64),
        Value::Uint(number) => *value = value::from_float(*number as f64),
        Value::Float(number) => *value = value::from_float(*number),
        Value::List(_) => {
            let items = value.as_list_mut().into_iter().flatten();
            items.for_each(make_json);
        }
        Value::Map(map) => map.iter_mut().for_each(|(_, value)| make_json(value)),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// The template that the line of a rendered text comes from, as a path of the tree.
fn template_before(text: &str, line: u32, chart: &TreePath) -> Option<String> {
    let lines = text.lines().take(line as usize);
    let source = lines
        .filter_map(|line| line.strip_prefix("# Source: "))
        .last()?;
    // It begins with the name of the chart, whatever its folder is called.
    let (_, inside) = source.split_once('/')?;
    Some(chart.join(inside).ok()?.as_str().to_owned())
}

fn too_much(what: String) -> Failures {
    let text = format!("more than {what}");
    Failures::new(BuildError::LimitReached, what, text)
}

fn chart_failure(chart: &HelmChart, loader: &Loader, mut error: ChartError) -> Failures {
    if let Some(at) = &mut error.at {
        at.path = loader.shown_path(&at.path);
    }
    let facts = Facts {
        subject: chart.name.clone(),
        at: error.at.clone(),
        reference: error.message.clone(),
        ..Facts::default()
    };
    Failures(vec![BuildError::ChartFailed(facts, Box::new(error))])
}
