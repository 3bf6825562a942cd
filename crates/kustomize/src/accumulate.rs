//! One kustomization after the other: its objects, then its transformers, then its parent's.
//!
//! # Source
//! kubernetes-sigs/kustomize `api/internal/target/kusttarget.go`.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use diag::{Code, Diagnostic, Span};
use object::{FieldPath, Origin, Text};
use tree::World;
use yaml::{Duplicates, Node};

use crate::accumulator::{Accumulator, check_unique};
use crate::config::Config;
use crate::decode::Decoder;
use crate::error::{BuildError, Failures, Outcome, nearest};
use crate::file::{File, GeneratorArgs};
use crate::generate::{self, Generator};
use crate::ids::IdKey;
use crate::inflate::{self, Inflation};
use crate::lint::{self, Collector};
use crate::loader::{Access, FileText, Loader};
use crate::origin::{self, Trail};
use crate::overlay::Overlay;
use crate::plugin::{self, Plugin};
use crate::resource::{self, Item, ReadFailure};
use crate::schema::Schema;
use crate::{Options, Profile, configure, vars};

/// Names a kustomization file may have.
pub(crate) const FILE_NAMES: [&str; 3] =
    ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// What all kustomizations of one build share.
pub(crate) struct Builder<'a> {
    pub access: Access<'a>,
    pub options: &'a Options,
    pub schema: Arc<Schema>,
    pub schema_is_set: bool,
    /// The reference would have looked into the built-in schema by now, so it stays beside a custom one.
    pub schema_is_used: bool,
    pub warnings: Vec<Diagnostic>,
    /// Charts rendered so far.
    pub charts: u64,
    /// Bytes that they have rendered.
    pub chart_bytes: usize,
    /// What lint finds; nothing looks for it otherwise.
    pub lint: Option<Box<Collector>>,
}

impl<'a> Builder<'a> {
    pub fn new(options: &'a Options, world: &'a dyn World) -> Self {
        Self {
            access: Access {
                world,
                remote_bases: options.remote_bases,
                absolute: options.absolute_paths,
                files_read: BTreeSet::new(),
                sources_read: BTreeSet::new(),
                count: 0,
            },
            options,
            schema: Arc::new(Schema::built_in()),
            schema_is_set: false,
            schema_is_used: false,
            warnings: Vec::new(),
            charts: 0,
            chart_bytes: 0,
            lint: None,
        }
    }
}

/// A kustomization file that was read.
pub(crate) struct Target {
    pub file: File,
    pub loader: Rc<Loader>,
    pub file_name: &'static str,
    /// The file as written, for showing places.
    pub document: Option<Node>,
    pub trail: Option<Trail>,
    /// The namespace of the nearest kustomization around it that has one, for charts.
    pub outer_namespace: String,
}

impl Target {
    /// Reads the kustomization file of a directory.
    pub fn load(
        builder: &mut Builder<'_>,
        loader: Rc<Loader>,
        overlay: Option<&Overlay>,
    ) -> Outcome<Self> {
        if let Some(overlay) = overlay.filter(|overlay| overlay.generated.is_some()) {
            let mut file = File::decode(&mut Decoder::new(true), &object::Node::map());
            overlay.apply(&mut file);
            return Ok(Self {
                file,
                loader,
                file_name: FILE_NAMES[0],
                document: None,
                trail: None,
                outer_namespace: String::new(),
            });
        }
        let mut found: Vec<(&'static str, FileText)> = Vec::new();
        for name in FILE_NAMES {
            if !loader.has(name) {
                continue;
            }
            match loader.load_text(&mut builder.access, name) {
                Ok(text) => found.push((name, text)),
                // A link that leads elsewhere is as good as no file.
                Err(failures) if matches!(failures.0.first(), Some(BuildError::YamlSyntax(_))) => {
                    return Err(failures);
                }
                Err(_) => {}
            }
        }
        let directory = loader.shown(".");
        if found.len() > 1 {
            let text = format!(
                "Found multiple kustomization files under: {}\n",
                loader.root_text()
            );
            return Err(Failures::new(
                BuildError::KustomizationAmbiguous,
                directory,
                text,
            ));
        }
        let Some((file_name, text)) = found.pop() else {
            let text = format!(
                "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '{}'",
                loader.root_text()
            );
            return Err(Failures::new(
                BuildError::KustomizationNotFound,
                directory,
                text,
            ));
        };
        let shown = loader.shown(file_name);
        let unreadable = |text: String| {
            let text = format!("invalid Kustomization: {text}");
            Failures::new(BuildError::KustomizationInvalid, shown.clone(), text)
                .at(Some(Span::file(shown.clone())))
        };
        let document = crate::parse_document(&text).map_err(unreadable)?;
        let value = crate::document_value(document.as_ref(), Duplicates::LastWins);
        let value = value.map_err(unreadable)?;
        let mut target = Self {
            file: File::default(),
            loader,
            file_name,
            document,
            trail: None,
            outer_namespace: String::new(),
        };
        let mut decoder = Decoder::new(overlay.is_none());
        target.file = File::decode(&mut decoder, &value);
        if !decoder.problems.is_empty() {
            let errors = decoder.problems.iter().map(|problem| {
                let text = format!("invalid Kustomization: {}", problem.message);
                let near = problem
                    .unknown
                    .as_ref()
                    .and_then(|name| nearest(name, problem.known.iter().copied()));
                let failures = Failures::new(BuildError::KustomizationInvalid, shown.clone(), text);
                failures.at(target.span(&problem.path)).near(near).0
            });
            return Err(Failures(errors.flatten().collect()));
        }
        target.warn_deprecated(builder);
        if let Some(lint) = &mut builder.lint {
            lint::file::check(lint, &target, &decoder.other_case);
        }
        if let Some(overlay) = overlay {
            overlay.apply(&mut target.file);
        }
        if target.file.empty {
            let failures = Failures::new(
                BuildError::KustomizationEmpty,
                shown.clone(),
                "kustomization.yaml is empty",
            );
            return Err(failures.at(Some(Span::file(shown))));
        }
        let problems = target.file.type_problems();
        if !problems.is_empty() {
            let text = format!(
                "Failed to read kustomization file under {}:\n{}",
                target.loader.root_text(),
                problems.join("\n")
            );
            let failures = Failures::new(BuildError::KustomizationInvalid, shown.clone(), text);
            return Err(failures.at(target.span(&FieldPath::keys(["apiVersion"]))));
        }
        Ok(target)
    }

    fn warn_deprecated(&self, builder: &mut Builder<'_>) {
        for (old, new) in &self.file.deprecated {
            let experimental = if *old == "vars" {
                "[EXPERIMENTAL] "
            } else {
                ""
            };
            let text = format!(
                "# Warning: '{old}' is deprecated. Please use '{new}' instead. {experimental}Run 'kustomize edit fix' to update your Kustomization automatically."
            );
            let mut warning = Diagnostic::warning(Code("DeprecatedField"), text);
            warning.span = self.span(&FieldPath::keys([*old]));
            builder.warnings.push(warning);
        }
    }

    /// The place of a field of this file.
    pub fn span(&self, path: &FieldPath) -> Option<Span> {
        let shown = self.loader.shown(self.file_name);
        let mut path = path.clone();
        let document = self.document.as_ref()?;
        loop {
            if let Some((line, column)) = yaml::locate(document, &path) {
                return Some(Span {
                    path: shown,
                    line,
                    column,
                    length: 0,
                });
            }
            if path.pop().is_none() {
                return Some(Span::file(shown));
            }
        }
    }

    pub fn entry_span(&self, field: &str, at: usize) -> Option<Span> {
        self.span(&FieldPath::keys([field]).index(at))
    }

    /// Adds the objects of this kustomization, transformed, to those that are there.
    pub fn accumulate(
        &mut self,
        builder: &mut Builder<'_>,
        into: Accumulator,
    ) -> Outcome<Accumulator> {
        let resources = self.file.resources.clone();
        let mut ra = self
            .accumulate_resources(builder, into, &resources, "resources")
            .map_err(|failures| failures.prefix("accumulating resources"))?;
        self.merge_configurations(builder, &mut ra)?;
        self.run_generators(builder, &mut ra)?;
        ra = self
            .accumulate_components(builder, ra)
            .map_err(|failures| failures.prefix("accumulating components"))?;
        self.run_transformers(builder, &mut ra)?;
        self.run_validators(builder, &mut ra)?;
        let listed: Vec<_> = self
            .file
            .vars
            .iter()
            .map(|var| var.written.clone())
            .collect();
        let mut known = std::mem::take(&mut ra.vars);
        let merged = vars::merge(&mut known, &self.file.vars, &mut ra.items);
        ra.vars = known;
        merged.map_err(|failures| {
            let span = self.span(&FieldPath::keys(["vars"]));
            failures
                .prefix(format!("merging vars [{}]", listed.join(" ")))
                .at(span)
        })?;
        Ok(ra)
    }

    /// Adds files and directories; what is wrong with one does not hide what is wrong with others.
    fn accumulate_resources(
        &mut self,
        builder: &mut Builder<'_>,
        into: Accumulator,
        entries: &[String],
        field: &str,
    ) -> Outcome<Accumulator> {
        let mut ra = into;
        let mut errors = Vec::new();
        for (at, entry) in entries.iter().enumerate() {
            let span = self.entry_span(field, at);
            if let Err(failures) = self.accumulate_entry(builder, &mut ra, entry) {
                errors.extend(failures.at(span).0);
            }
        }
        if errors.is_empty() {
            Ok(ra)
        } else {
            Err(Failures(errors))
        }
    }

    fn accumulate_entry(
        &mut self,
        builder: &mut Builder<'_>,
        ra: &mut Accumulator,
        entry: &str,
    ) -> Outcome<()> {
        let (file_failure, malformed) = match self.accumulate_file(builder, ra, entry) {
            Ok(()) => return Ok(()),
            Err(failed) => failed,
        };
        // Whether it is a file or a directory shows when it is there.
        if let Some(BuildError::RemoteBaseMissing(_, missing)) = file_failure.0.first()
            && missing.why.is_none()
        {
            return Err(file_failure);
        }
        let text = file_failure.text().to_owned();
        let wrap = |failures: Failures| failures.prefix(format!("accumulation err='{text}'"));
        let loader = match self.loader.enter(&mut builder.access, entry) {
            Ok(loader) => loader,
            Err(_) if malformed => return Err(file_failure),
            Err(failures) => {
                // The file's own problem is the better explanation when there is a file.
                let root_text = failures.text().to_owned();
                let forbidden = failures.0.iter().any(|error| {
                    matches!(
                        error,
                        BuildError::RemoteBaseForbidden(_)
                            | BuildError::RemoteBaseMissing(..)
                            | BuildError::BaseCycle(_)
                    )
                });
                let is_absent = |failures: &Failures| {
                    matches!(failures.0.first(), Some(BuildError::ResourceNotFound(_)))
                };
                let explained =
                    match forbidden || (is_absent(&file_failure) && !is_absent(&failures)) {
                        true => failures,
                        false => file_failure,
                    };
                return Err(explained.map(|_| format!("accumulation err='{text}': {root_text}")));
            }
        };
        let outer = self.trail.clone();
        if let Some(trail) = &mut self.trail {
            *trail = trail.append(entry);
        }
        let result = self.accumulate_directory(builder, ra, loader, false);
        self.trail = outer;
        result.map_err(wrap)
    }

    /// Adds the objects of a file; on failure also says whether the file is not YAML at all.
    fn accumulate_file(
        &mut self,
        builder: &mut Builder<'_>,
        ra: &mut Accumulator,
        entry: &str,
    ) -> Result<(), (Failures, bool)> {
        let prefix = format!("accumulating resources from '{entry}'");
        let text = self
            .loader
            .load_text(&mut builder.access, entry)
            .map_err(|failures| {
                let malformed = matches!(failures.0.first(), Some(BuildError::YamlSyntax(_)));
                (failures.prefix(&prefix), malformed)
            })?;
        let shown = self.loader.shown(entry);
        let nodes = resource::read_objects(&text).map_err(|failure| {
            (
                read_failure(&failure, entry, &shown).prefix(&prefix),
                failure.malformed,
            )
        })?;
        let path = Text::from(shown);
        let annotation = self
            .trail
            .as_ref()
            .map(|trail| trail.append(entry).to_text());
        let mut own: HashMap<IdKey, ()> = HashMap::new();
        let mut items = Vec::with_capacity(nodes.len());
        for (document, node) in nodes.into_iter().enumerate() {
            let line = node.line;
            let mut item = Item::new(node, &builder.schema);
            builder.schema_is_used |= builder
                .schema
                .kind(&item.id.gvk.api_version(), &item.id.gvk.kind)
                .is_none();
            item.origin = Some(Arc::new(Origin {
                path: path.clone(),
                line,
                document: document as u32,
            }));
            if own.insert(item.id.key(), ()).is_some() {
                let text = format!(
                    "may not add resource with an already registered id: {}",
                    item.id
                );
                let failures =
                    Failures::new(BuildError::DuplicateObject, item.id.to_string(), text)
                        .at(item.place());
                return Err((failures.prefix(&prefix), false));
            }
            if let Some(annotation) = &annotation {
                item.set_annotation(resource::ORIGIN, annotation);
            }
            items.push(item);
        }
        for item in items {
            ra.append(item).map_err(|failures| {
                (
                    failures.prefix(format!("merging resources from '{entry}'")),
                    false,
                )
            })?;
        }
        Ok(())
    }

    fn accumulate_components(
        &mut self,
        builder: &mut Builder<'_>,
        into: Accumulator,
    ) -> Outcome<Accumulator> {
        let mut ra = into;
        for (at, entry) in self.file.components.clone().iter().enumerate() {
            let span = self.entry_span("components", at);
            let loader = self
                .loader
                .enter(&mut builder.access, entry)
                .map_err(|failures| {
                    failures
                        .map(|text| format!("loader.New {}", go_quote(text)))
                        .at(span.clone())
                })?;
            let outer = self.trail.clone();
            if let Some(trail) = &mut self.trail {
                *trail = trail.append(entry);
            }
            let result = self.accumulate_directory(builder, &mut ra, loader, true);
            self.trail = outer;
            result.map_err(|failures| {
                failures
                    .map(|text| format!("accumulateDirectory: {}", go_quote(text)))
                    .at(span)
            })?;
        }
        Ok(ra)
    }

    /// Adds a nested kustomization, or lets a component work on what is there.
    fn accumulate_directory(
        &mut self,
        builder: &mut Builder<'_>,
        ra: &mut Accumulator,
        loader: Rc<Loader>,
        component: bool,
    ) -> Outcome<()> {
        let root = loader.root_text();
        let mut nested = Self::load(builder, loader, None).map_err(|failures| {
            failures.prefix(format!("couldn't make target for path '{root}'"))
        })?;
        nested.file.build_metadata = self.file.build_metadata.clone();
        nested.trail = self.trail.clone();
        nested.outer_namespace = match self.file.namespace.is_empty() {
            true => self.outer_namespace.clone(),
            false => self.file.namespace.clone(),
        };
        nested.set_schema(builder, false)?;
        let mismatch = match (component, nested.file.kind == "Component") {
            (true, false) => Some(format!(
                "expected kind 'Component' for path '{root}' but got '{}'",
                nested.file.kind
            )),
            (false, true) => Some(format!("expected kind != 'Component' for path '{root}'")),
            _ => None,
        };
        if let Some(text) = mismatch {
            return Err(Failures::new(
                BuildError::KindMismatch,
                nested.loader.shown(nested.file_name),
                text,
            ));
        }
        if let Some(lint) = &mut builder.lint {
            lint::file::check_nested(lint, self, &nested);
        }
        let recursed =
            |failures: Failures| failures.prefix(format!("recursed accumulation of path '{root}'"));
        if component {
            let mut all = nested
                .accumulate(builder, std::mem::take(ra))
                .map_err(recursed)?;
            // The reference merges it into a new accumulator.
            if let Some(config) = all.config.take() {
                all.merge_config(&config).map_err(|text| {
                    Failures::new(BuildError::ConfigurationInvalid, "configurations", text)
                })?;
            }
            *ra = all;
            return check_unique(&ra.items).map_err(|failures| {
                failures.prefix(format!("recursed merging from path '{root}'"))
            });
        }
        let inner = nested
            .accumulate(builder, Accumulator::default())
            .map_err(recursed)?;
        ra.merge(inner)
            .map_err(|failures| failures.prefix(format!("recursed merging from path '{root}'")))
    }

    /// Takes the schema this kustomization asks for, unless an outer one asked.
    pub fn set_schema(&self, builder: &mut Builder<'_>, top: bool) -> Outcome<()> {
        let get = |key: &str| {
            self.file
                .openapi
                .iter()
                .find(|(name, _)| name == key)
                .map(|(_, value)| value.as_str())
        };
        let span = || self.span(&FieldPath::keys(["openapi"]));
        let fail = |text: &str| {
            Err(Failures::new(BuildError::ConfigurationInvalid, "openapi", text).at(span()))
        };
        let text = match get("path") {
            Some(path) => Some(
                self.loader
                    .load_text(&mut builder.access, path)
                    .map_err(|failures| failures.at(span()))?,
            ),
            None => None,
        };
        if builder.schema_is_set && !top {
            return Ok(());
        }
        let version = get("version");
        let Some(text) = text else {
            match version {
                None | Some("") => {}
                Some("v1.21.2") => builder.schema_is_set = true,
                Some(_) => return fail("the specified OpenAPI version is not built in"),
            }
            return Ok(());
        };
        if version.is_some() {
            return fail("builtin version and custom schema provided, cannot use both");
        }
        let document = match text.trim_start().starts_with('{') {
            true => object::json::parse(text.as_bytes(), object::json::ANSWER_LIMITS)
                .map_err(|error| error.to_string()),
            false => crate::read_value(&text),
        };
        let document = match document {
            Ok(document) => document,
            Err(error) => return fail(&format!("invalid schema file: {error}")),
        };
        let mut schema = match builder.options.profile {
            Profile::Cli if !builder.schema_is_used => Schema::default(),
            Profile::Cli | Profile::Flux => (*builder.schema).clone(),
        };
        schema.add_document(&document);
        builder.schema = Arc::new(schema);
        builder.schema_is_set = true;
        Ok(())
    }

    fn merge_configurations(&self, builder: &mut Builder<'_>, ra: &mut Accumulator) -> Outcome<()> {
        let default = Config::defaults();
        let fail =
            |text: String| Failures::new(BuildError::ConfigurationInvalid, "configurations", text);
        if self.file.configurations.is_empty() {
            ra.merge_config(default).map_err(fail)?;
        } else {
            let mut config = Config::default();
            for (at, path) in self.file.configurations.iter().enumerate() {
                let span = self.entry_span("configurations", at);
                let text = self
                    .loader
                    .load_text(&mut builder.access, path)
                    .map_err(|failures| failures.at(span.clone()))?;
                let read = configure::read_config(&text).and_then(|read| config.merge(&read));
                read.map_err(|text| fail(text).at(span))?;
            }
            let mut merged = (**default).clone();
            merged.is_default = false;
            merged.merge(&config).map_err(fail)?;
            ra.merge_config(&Arc::new(merged)).map_err(fail)?;
        }
        for (at, path) in self.file.crds.iter().enumerate() {
            let span = self.entry_span("crds", at);
            let wrap = |failures: Failures| {
                failures
                    .prefix(format!("loading CRDs [{}]", self.file.crds.join(" ")))
                    .at(span.clone())
            };
            let text = self
                .loader
                .load_text(&mut builder.access, path)
                .map_err(wrap)?;
            let config = configure::read_crds(&text, path).map_err(|text| wrap(fail(text)))?;
            ra.merge_config(&Arc::new(config))
                .map_err(|text| wrap(fail(text)))?;
        }
        Ok(())
    }

    fn run_generators(&mut self, builder: &mut Builder<'_>, ra: &mut Accumulator) -> Outcome<()> {
        let schema = builder.schema.clone();
        let entries: [(Generator, Vec<GeneratorArgs>, &str); 2] = [
            (
                Generator::ConfigMap,
                self.file.config_map_generator.clone(),
                "configMapGenerator",
            ),
            (
                Generator::Secret,
                self.file.secret_generator.clone(),
                "secretGenerator",
            ),
        ];
        let charts = self.charts(builder)?;
        let external =
            self.external_plugins(builder, &self.file.generators.clone(), "generators", true)?;
        let mut errors = Vec::new();
        for (kind, list, field) in entries {
            let plugin = format!("{kind:?}Generator");
            for (at, mut args) in list.into_iter().enumerate() {
                let span = self.entry_span(field, at);
                args.options = generate::merged_options(
                    args.options.as_ref(),
                    self.file.generator_options.as_ref(),
                );
                let origin = self
                    .trail
                    .as_ref()
                    .map(|trail| trail.configured_in(self.file_name, &plugin));
                let item =
                    generate::generate(kind, &args, &self.loader, &mut builder.access, &schema);
                let result = item.and_then(|item| {
                    self.absorb_generated(ra, item, origin, span.as_ref(), &schema)
                });
                if let Err(failures) = result {
                    errors.extend(failures.at(span).0);
                }
            }
        }
        for chart in charts {
            let kind = "HelmChartInflationGenerator";
            let trail = self.trail.as_ref();
            let origin = trail.map(|trail| trail.configured_in(self.file_name, kind));
            if let Err(failures) = self.absorb_chart(builder, ra, &chart, origin, &schema) {
                errors.extend(failures.0);
            }
        }
        if !errors.is_empty() {
            return Err(Failures(errors));
        }
        for (plugin, origin) in external {
            let item = match plugin {
                Plugin::Inflate(chart) => {
                    self.absorb_chart(builder, ra, &chart, origin, &schema)?;
                    continue;
                }
                Plugin::Generate(kind, args) => {
                    generate::generate(kind, &args, &self.loader, &mut builder.access, &schema)?
                }
                Plugin::ServiceAccount(node) => Item::new(*node, &schema),
                _ => continue,
            };
            self.absorb_generated(ra, item, origin, None, &schema)?;
        }
        Ok(())
    }

    /// The charts of this kustomization, checked.
    fn charts(&self, builder: &mut Builder<'_>) -> Outcome<Vec<Inflation>> {
        let globals = self.file.helm_globals.clone().unwrap_or_default();
        let inherited = match self.file.namespace.is_empty() {
            true => &self.outer_namespace,
            false => &self.file.namespace,
        };
        let charts = self.file.helm_charts.iter().cloned().map(|mut chart| {
            if chart.namespace.is_empty() {
                chart.namespace.clone_from(inherited);
            }
            let config = inflate::config_text(&chart, &globals);
            let entry = FieldPath::keys([chart.field]).index(chart.at);
            let mut places = inflate::Places::new();
            places.extend(self.span(&entry).map(|span| ("", span)));
            for field in inflate::PLACED {
                let place = self.span(&entry.clone().key(field));
                places.extend(place.map(|span| (field, span)));
            }
            Inflation::configure(builder, &self.loader, chart, globals.clone(), places).map_err(
                |failures| {
                    failures.prefix(format!(
                        "trouble configuring builtin HelmChartInflationGenerator with config: `\n{config}`"
                    ))
                },
            )
        });
        charts.collect()
    }

    /// Renders a chart and adds its objects.
    fn absorb_chart(
        &self,
        builder: &mut Builder<'_>,
        ra: &mut Accumulator,
        chart: &Inflation,
        origin: Option<String>,
        schema: &Schema,
    ) -> Outcome<()> {
        let span = chart.place("");
        for item in chart.generate(builder, &self.loader, schema)? {
            self.absorb_generated(ra, item, origin.clone(), span.as_ref(), schema)
                .map_err(|failures| failures.at(span.clone()))?;
        }
        Ok(())
    }

    fn absorb_generated(
        &self,
        ra: &mut Accumulator,
        mut item: Item,
        origin: Option<String>,
        span: Option<&Span>,
        schema: &Schema,
    ) -> Outcome<()> {
        if let Some(origin) = origin
            && item.annotation(resource::ORIGIN).is_none()
        {
            item.set_annotation(resource::ORIGIN, &origin);
        }
        if let Some(span) = span {
            item.origin = Some(Arc::new(Origin {
                path: span.path.as_str().into(),
                line: span.line,
                document: 0,
            }));
        }
        ra.absorb(item, schema)
            .map_err(|failures| failures.prefix("merging from generator &{0xc000000000 <nil>}"))
    }

    fn run_transformers(&mut self, builder: &mut Builder<'_>, ra: &mut Accumulator) -> Outcome<()> {
        let mut all = self.built_in_transformers(builder, ra)?;
        let external = self.external_plugins(
            builder,
            &self.file.transformers.clone(),
            "transformers",
            false,
        )?;
        let built_in = all.len();
        for (plugin, origin) in external {
            let transformer = self.configured(builder, plugin)?;
            all.push((transformer, origin, None));
        }
        let schema = builder.schema.clone();
        builder.schema_is_used |= all
            .iter()
            .any(|(transformer, ..)| transformer.uses_schema());
        let mut steps = lint::Steps::default();
        for (at, (transformer, origin, span)) in all.into_iter().enumerate() {
            if let Some(lint) = &mut builder.lint {
                steps.before(lint, self, &transformer, &ra.items, &schema);
            }
            let items = ra.changed();
            let matched = transformer
                .run(items, &schema)
                .map_err(|failures| failures.at(span.clone()))?;
            if let (Some(0), Some(span)) = (matched, span) {
                let text = "this patch's target matches no object, so the patch changes nothing";
                builder
                    .warnings
                    .push(Diagnostic::warning(Code("PatchTargetNotFound"), text).at(span));
            }
            if let Some(origin) = origin {
                for item in items.iter_mut() {
                    origin::record(item, &origin);
                }
            }
            items.retain(|item| !item.gone);
            // One with field specs of its own may write what an object is.
            if at >= built_in {
                items.iter_mut().for_each(|item| item.refresh(&schema));
            }
        }
        Ok(())
    }

    fn run_validators(&mut self, builder: &mut Builder<'_>, ra: &mut Accumulator) -> Outcome<()> {
        let validators =
            self.external_plugins(builder, &self.file.validators.clone(), "validators", false)?;
        for (plugin, _) in validators {
            let transformer = self.configured(builder, plugin)?;
            let before: Vec<_> = ra
                .items
                .iter()
                .map(|item| crate::value::to_value(&item.node))
                .collect();
            transformer.run(ra.changed(), &builder.schema.clone())?;
            for item in &mut ra.items {
                let mut labels = item.labels();
                if labels.remove("validated-by").is_some() {
                    crate::ops::set_metadata_map(&mut item.node, "labels", &labels);
                }
            }
            let after: Vec<_> = ra
                .items
                .iter()
                .map(|item| crate::value::to_value(&item.node))
                .collect();
            if before != after {
                let text = "validator shouldn't modify the resource map: nodes unequal";
                return Err(Failures::new(
                    BuildError::TransformFailed,
                    "validators",
                    text,
                ));
            }
        }
        Ok(())
    }

    /// The objects that configure plugins, read, with where they came from.
    fn external_plugins(
        &mut self,
        builder: &mut Builder<'_>,
        entries: &[String],
        field: &str,
        generators: bool,
    ) -> Outcome<Vec<(Plugin, Option<String>)>> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let mut ra = Accumulator::default();
        let mut paths = Vec::new();
        for entry in entries {
            let Ok(nodes) = resource::read_objects(entry) else {
                paths.push(entry.clone());
                continue;
            };
            for node in nodes {
                let mut item = Item::new(node, &builder.schema);
                if let Some(trail) = &self.trail {
                    item.set_annotation(resource::ORIGIN, &trail.append(self.file_name).to_text());
                }
                ra.append(item)
                    .map_err(|failures| failures.prefix("configuring external plugin"))?;
            }
        }
        let wrap = |failures: Failures| match generators {
            true => failures.prefix("loading generator plugins"),
            false => failures,
        };
        let ra = self
            .accumulate_resources(builder, ra, &paths, field)
            .map_err(wrap)?;
        let mut plugins = Vec::with_capacity(ra.items.len());
        for item in &ra.items {
            let plugin = self
                .external_plugin(builder, item, generators)
                .map_err(|failures| {
                    let span = item
                        .place()
                        .or_else(|| self.span(&FieldPath::keys([field])));
                    match generators {
                        true => failures
                            .prefix("failed to load generator")
                            .prefix("loading generator plugins")
                            .at(span),
                        false => failures.at(span),
                    }
                })?;
            plugins.push((plugin, origin::of_plugin(item)));
        }
        Ok(plugins)
    }

    fn external_plugin(
        &self,
        builder: &mut Builder<'_>,
        item: &Item,
        generators: bool,
    ) -> Outcome<Plugin> {
        let id = item.original_id();
        let kind = id.gvk.kind.as_str();
        let built_in = id.gvk.group.is_empty() && id.gvk.version == "builtin";
        if !built_in {
            let text =
                format!("external plugins disabled; unable to load external plugin '{kind}'");
            return Err(Failures::new(BuildError::PluginForbidden, kind, text));
        }
        match plugin::is_generator(kind) {
            None => {
                let text = format!("unable to load builtin {}", id.gvk);
                return Err(Failures::new(BuildError::ConfigurationInvalid, kind, text));
            }
            Some(generates) if generates != generators => {
                let wanted = if generators {
                    "generator"
                } else {
                    "transformer"
                };
                let text = format!("plugin {id} not a {wanted}");
                return Err(Failures::new(BuildError::ConfigurationInvalid, kind, text));
            }
            Some(_) => {}
        }
        let fail = |text: String| {
            Failures::new(
                BuildError::ConfigurationInvalid,
                kind,
                format!("plugin {id} fails configuration: {text}"),
            )
        };
        let config = crate::value::to_value(&item.node).map_err(fail)?;
        match plugin::read(kind, &config).map_err(fail)? {
            Plugin::Chart(chart) => {
                let (chart, globals) = *chart;
                let mut places = inflate::Places::new();
                places.extend(item.place().map(|place| ("", place)));
                let chart = Inflation::configure(builder, &self.loader, chart, globals, places);
                chart
                    .map(|chart| Plugin::Inflate(Box::new(chart)))
                    .map_err(|failures| failures.prefix(format!("plugin {id} fails configuration")))
            }
            plugin => Ok(plugin),
        }
    }
}

pub(crate) fn read_failure(failure: &ReadFailure, entry: &str, shown: &str) -> Failures {
    let span = match failure.line {
        0 => Span::file(shown),
        line => Span {
            path: shown.to_owned(),
            line,
            column: failure.column,
            length: 0,
        },
    };
    match failure.malformed {
        true => {
            let text = format!("{} in File: {entry}", failure.message);
            Failures::new(BuildError::YamlSyntax, shown, text).at(Some(span))
        }
        false => {
            Failures::new(BuildError::ObjectInvalid, shown, failure.message.clone()).at(Some(span))
        }
    }
}

/// Text as Go's `%q` prints it.
pub(crate) fn go_quote(text: &str) -> String {
    golang::strconv::quote(text)
}
