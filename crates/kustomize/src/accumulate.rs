//! One kustomization after the other: its objects, then its transformers, then its parent's.
//!
//! # Source
//! kubernetes-sigs/kustomize `api/internal/target/kusttarget.go`, `api/internal/accumulator`,
//! `api/resmap/reswrangler.go`.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use diag::{Code, Diagnostic, Span};
use object::{FieldPath, Origin, Text};
use yaml::{Limits, Node};

use crate::config::Config;
use crate::decode::Decoder;
use crate::error::{BuildError, Failures, Outcome, nearest};
use crate::fieldspec::{self, FieldSpec};
use crate::file::{self, File, GeneratorArgs};
use crate::generate::{self, Generator};
use crate::ids::IdKey;
use crate::loader::{Access, Loader};
use crate::origin::{self, Trail};
use crate::overlay::Overlay;
use crate::patch::{self, Body};
use crate::plugin::{self, Plugin, Transformer};
use crate::resource::{self, Behavior, Item, ReadFailure};
use crate::schema::Schema;
use crate::transform::{Affix, Entries, Images, Namespace, Replicas, Subjects};
use crate::{Options, Profile, configure, vars};

/// Names a kustomization file may have.
const FILE_NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Most objects of one build; beyond that the inventory of a unit cannot hold them anyway.
const OBJECTS_MAX: usize = 50_000;

/// What all kustomizations of one build share.
pub(crate) struct Builder<'a> {
    pub access: Access<'a>,
    pub options: &'a Options,
    pub schema: Arc<Schema>,
    pub schema_is_set: bool,
    /// The reference would have looked into the built-in schema by now, so it stays beside a custom one.
    pub schema_is_used: bool,
    pub warnings: Vec<Diagnostic>,
}

/// Objects on their way up, with what configures the transformers above.
#[derive(Default)]
pub(crate) struct Accumulator {
    pub items: Vec<Item>,
    /// Current ids, while nothing has changed them.
    ids: Option<HashMap<IdKey, usize>>,
    pub config: Option<Arc<Config>>,
    pub vars: Vec<file::Var>,
}

/// A kustomization file that was read.
pub(crate) struct Target {
    pub file: File,
    pub loader: Rc<Loader>,
    pub file_name: &'static str,
    /// The file as written, for showing places.
    document: Option<Node>,
    pub trail: Option<Trail>,
}

impl Accumulator {
    /// Adds an object that must be new.
    pub fn append(&mut self, item: Item) -> Outcome<()> {
        if self.items.len() >= OBJECTS_MAX {
            let text = format!("more than {OBJECTS_MAX} objects");
            return Err(Failures::new(
                BuildError::LimitReached,
                format!("{OBJECTS_MAX} objects"),
                text,
            ));
        }
        let items = &self.items;
        let ids = self.ids.get_or_insert_with(|| {
            items
                .iter()
                .enumerate()
                .map(|(at, item)| (item.id.key(), at))
                .collect()
        });
        if let Some(first) = ids.get(&item.id.key()) {
            let text = format!(
                "may not add resource with an already registered id: {}",
                item.id
            );
            let first = self.items[*first].origin.as_ref().map(ToString::to_string);
            return Err(
                Failures::new(BuildError::DuplicateObject, item.id.to_string(), text)
                    .at(item.place())
                    .near_from(first),
            );
        }
        ids.insert(item.id.key(), self.items.len());
        self.items.push(item);
        Ok(())
    }

    /// Forgets the ids, because something may change them.
    pub fn changed(&mut self) -> &mut Vec<Item> {
        self.ids = None;
        &mut self.items
    }

    /// Adds a generated object, or merges it into the one it is for.
    fn absorb(&mut self, mut item: Item, schema: &Schema) -> Outcome<()> {
        let subject = item.id.to_string();
        let fail = |text: String| Failures::new(BuildError::GeneratorFailed, subject.clone(), text);
        let mut matches =
            (0..self.items.len()).filter(|at| self.items[*at].any_id(|id| item.id.equals(id)));
        let found = (matches.next(), matches.next());
        let behavior = item.history.behavior;
        match found {
            (None, _) => match behavior {
                Behavior::Merge | Behavior::Replace => Err(fail(format!(
                    "id {} does not exist; cannot merge or replace",
                    item.id.go_syntax()
                ))),
                _ => self.append(item),
            },
            (Some(at), None) => {
                if !matches!(behavior, Behavior::Merge | Behavior::Replace) {
                    return Err(fail(format!(
                        "id {} exists; can not use behavior: '{}', behavior must be merge or replace",
                        item.id.go_syntax(),
                        behavior.as_str()
                    )));
                }
                let old = &self.items[at];
                configure::take_over(&mut item, old, behavior == Behavior::Merge, schema)
                    .map_err(fail)?;
                self.changed()[at] = item;
                Ok(())
            }
            (Some(_), Some(_)) => Err(fail(format!(
                "found multiple objects that could accept merge of {}",
                item.id
            ))),
        }
    }

    fn merge_config(&mut self, other: &Arc<Config>) -> Result<(), String> {
        match &mut self.config {
            None if other.is_default => self.config = Some(other.clone()),
            None => {
                // Merging into nothing still drops specs that an earlier one makes superfluous.
                let mut merged = Config::default();
                merged.merge(other)?;
                self.config = Some(Arc::new(merged));
            }
            Some(own) if Arc::ptr_eq(own, other) => {}
            Some(own) => {
                let own = Arc::make_mut(own);
                own.is_default = false;
                own.merge(other)?;
            }
        }
        Ok(())
    }

    /// Adds everything of a nested kustomization.
    fn merge(&mut self, other: Self) -> Outcome<()> {
        for item in other.items {
            self.append(item)?;
        }
        if let Some(config) = &other.config {
            self.merge_config(config).map_err(|text| {
                Failures::new(BuildError::ConfigurationInvalid, "configurations", text)
            })?;
        }
        vars::add_all(&mut self.vars, &other.vars)
    }
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
            });
        }
        let mut found: Vec<(&'static str, String)> = Vec::new();
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
        let directory = loader.root.to_string();
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
        let document = yaml::parse(&text.replace("\r\n", "\n"), &Limits::default())
            .ok()
            .and_then(|documents| documents.into_iter().next());
        let mut target = Self {
            file: File::default(),
            loader,
            file_name,
            document,
            trail: None,
        };
        let value = crate::read_value(&text).map_err(|text| {
            let text = format!("invalid Kustomization: {text}");
            Failures::new(BuildError::KustomizationInvalid, shown.clone(), text)
                .at(Some(Span::file(shown.clone())))
        })?;
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

    fn entry_span(&self, field: &str, at: usize) -> Option<Span> {
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
        let schema = builder.schema.clone();
        let listed: Vec<_> = self
            .file
            .vars
            .iter()
            .map(|var| var.written.clone())
            .collect();
        let mut known = std::mem::take(&mut ra.vars);
        let merged = vars::merge(&mut known, &self.file.vars, &mut ra.items, &schema);
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
        let recursed =
            |failures: Failures| failures.prefix(format!("recursed accumulation of path '{root}'"));
        if component {
            let all = nested
                .accumulate(builder, std::mem::take(ra))
                .map_err(recursed)?;
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
        static DEFAULT: std::sync::OnceLock<Arc<Config>> = std::sync::OnceLock::new();
        let default = DEFAULT.get_or_init(|| Arc::new(Config::defaults().clone()));
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
        if let Some(chart) = self.file.helm_charts.first() {
            let text = format!(
                "trouble configuring builtin HelmChartInflationGenerator with config: `\n{}`: must specify --enable-helm",
                yaml::to_string(chart)
            );
            let span = self.span(&FieldPath::keys(["helmCharts"]));
            return Err(Failures::new(BuildError::PluginForbidden, "helmCharts", text).at(span));
        }
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
        if !errors.is_empty() {
            return Err(Failures(errors));
        }
        for (plugin, origin) in external {
            let item = match plugin {
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
        for (plugin, origin) in external {
            let transformer = self.configured(builder, plugin)?;
            all.push((transformer, origin, None));
        }
        let schema = builder.schema.clone();
        builder.schema_is_used |= all
            .iter()
            .any(|(transformer, ..)| transformer.uses_schema());
        for (transformer, origin, span) in all {
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
            let plugin = self.external_plugin(item, generators).map_err(|failures| {
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

    fn external_plugin(&self, item: &Item, generators: bool) -> Outcome<Plugin> {
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
            Plugin::Chart => {
                let text = format!("plugin {id} fails configuration: must specify --enable-helm");
                Err(Failures::new(BuildError::PluginForbidden, kind, text))
            }
            plugin => Ok(plugin),
        }
    }

    /// The transformer of an explicit configuration, the files it names read.
    fn configured(&self, builder: &mut Builder<'_>, plugin: Plugin) -> Outcome<Transformer> {
        match plugin {
            Plugin::Ready(transformer) => Ok(transformer),
            Plugin::Patch(patch) => self.patch(builder, &patch, None).map(Transformer::Patch),
            Plugin::Patches { paths, text } => self
                .merge_patches(builder, &paths, &text)
                .map(Transformer::PatchesStrategicMerge),
            Plugin::JsonPatch {
                target,
                path,
                operations,
            } => self.json_patch(builder, target, &path, &operations),
            Plugin::Replacements(entries) => self.replacements(builder, &entries),
            Plugin::ValueAdd {
                value,
                targets,
                file,
            } => self.value_add(builder, &value, targets, &file),
            Plugin::Generate(..) | Plugin::ServiceAccount(_) | Plugin::Chart => Err(Failures::new(
                BuildError::ConfigurationInvalid,
                "transformers",
                "plugin not a transformer",
            )),
        }
    }

    #[expect(
        clippy::type_complexity,
        reason = "a transformer, its record and its place; used once"
    )]
    fn built_in_transformers(
        &self,
        builder: &mut Builder<'_>,
        ra: &Accumulator,
    ) -> Outcome<Vec<(Transformer, Option<String>, Option<Span>)>> {
        let file = &self.file;
        let config = ra.config.clone().unwrap_or_default();
        let mut all = Vec::new();
        let mut errors: Vec<BuildError> = Vec::new();
        let origin = |kind: &str| {
            self.trail
                .as_ref()
                .map(|trail| trail.configured_in(self.file_name, kind))
        };
        let mut add = |kind: &str, transformer: Transformer, span: Option<Span>| {
            all.push((transformer, origin(kind), span));
        };
        if !file.patches_strategic_merge.is_empty() {
            match self.merge_patches(builder, &file.patches_strategic_merge, "") {
                Ok(patches) => add(
                    "PatchStrategicMergeTransformer",
                    Transformer::PatchesStrategicMerge(patches),
                    self.span(&FieldPath::keys(["patchesStrategicMerge"])),
                ),
                Err(failures) => {
                    let config = configure::yaml_of(&[(
                        "paths",
                        configure::strings(&file.patches_strategic_merge),
                    )]);
                    let wrapped = trouble("PatchStrategicMergeTransformer", &config, failures);
                    errors.extend(
                        wrapped
                            .at(self.span(&FieldPath::keys(["patchesStrategicMerge"])))
                            .0,
                    );
                }
            }
        }
        for (at, entry) in file.patches.iter().enumerate() {
            let span = self.entry_span("patches", at);
            match self.patch(builder, entry, span.clone()) {
                Ok(patch) => add("PatchTransformer", Transformer::Patch(patch), span),
                Err(failures) => errors.extend(
                    trouble("PatchTransformer", &configure::patch_yaml(entry), failures)
                        .at(span)
                        .0,
                ),
            }
        }
        if !file.namespace.is_empty() {
            let namespace = Namespace {
                namespace: file.namespace.clone(),
                specs: config.namespace.clone(),
                unset_only: false,
                subjects: Subjects::Default,
            };
            add(
                "NamespaceTransformer",
                Transformer::Namespace(namespace),
                self.span(&FieldPath::keys(["namespace"])),
            );
        }
        for (text, specs, suffix, field, kind) in [
            (
                &file.name_prefix,
                &config.name_prefix,
                false,
                "namePrefix",
                "PrefixTransformer",
            ),
            (
                &file.name_suffix,
                &config.name_suffix,
                true,
                "nameSuffix",
                "SuffixTransformer",
            ),
        ] {
            if !text.is_empty() {
                let affix = Affix {
                    text: text.clone(),
                    specs: specs.clone(),
                    suffix,
                };
                add(
                    kind,
                    Transformer::Affix(affix),
                    self.span(&FieldPath::keys([field])),
                );
            }
        }
        for (at, label) in file.labels.iter().enumerate() {
            let span = self.entry_span("labels", at);
            match label_specs(label, &config) {
                Ok(specs) => add(
                    "LabelTransformer",
                    Transformer::Entries(Entries {
                        pairs: label.pairs.clone(),
                        specs,
                    }),
                    span,
                ),
                Err(text) => errors.extend(
                    Failures::new(BuildError::ConfigurationInvalid, "labels", text)
                        .at(span)
                        .0,
                ),
            }
        }
        if !file.labels.is_empty() || !file.common_labels.is_empty() {
            let entries = Entries {
                pairs: file.common_labels.clone(),
                specs: config.common_labels.clone(),
            };
            add(
                "LabelTransformer",
                Transformer::Entries(entries),
                self.span(&FieldPath::keys(["commonLabels"])),
            );
        }
        if !file.common_annotations.is_empty() {
            let entries = Entries {
                pairs: file.common_annotations.clone(),
                specs: config.common_annotations.clone(),
            };
            add(
                "AnnotationsTransformer",
                Transformer::Entries(entries),
                None,
            );
        }
        for (at, entry) in file.patches_json6902.iter().enumerate() {
            let span = self.entry_span("patchesJson6902", at);
            match self.json_patch(builder, entry.target.clone(), &entry.path, &entry.patch) {
                Ok(transformer) => add("PatchJson6902Transformer", transformer, span),
                Err(failures) => {
                    let config = configure::json_patch_yaml(entry);
                    errors.extend(
                        trouble("PatchJson6902Transformer", &config, failures)
                            .at(span)
                            .0,
                    );
                }
            }
        }
        for (at, replica) in file.replicas.iter().enumerate() {
            let replicas = Replicas {
                name: replica.name.clone(),
                count: replica.count,
                specs: config.replicas.clone(),
            };
            add(
                "ReplicaCountTransformer",
                Transformer::Replicas(replicas),
                self.entry_span("replicas", at),
            );
        }
        for (at, image) in file.images.iter().enumerate() {
            let span = self.entry_span("images", at);
            match Images::new(image.clone(), config.images.clone()) {
                Ok(images) => add("ImageTagTransformer", Transformer::Images(images), span),
                Err(text) => {
                    errors.extend(
                        Failures::new(BuildError::SelectorInvalid, image.name.clone(), text)
                            .at(span)
                            .0,
                    );
                }
            }
        }
        if !file.replacements.is_empty() {
            let span = self.span(&FieldPath::keys(["replacements"]));
            match self.replacements(builder, &file.replacements) {
                Ok(transformer) => add("ReplacementTransformer", transformer, span),
                Err(failures) => errors.extend(failures.at(span).0),
            }
        }
        if errors.is_empty() {
            Ok(all)
        } else {
            Err(Failures(errors))
        }
    }

    fn patch(
        &self,
        builder: &mut Builder<'_>,
        entry: &file::Patch,
        at: Option<Span>,
    ) -> Outcome<patch::Patch> {
        let inline = entry.patch.trim();
        let fail = |text: String| Failures::new(BuildError::PatchInvalid, entry.path.clone(), text);
        let (text, source, begin) = match (inline.is_empty(), entry.path.is_empty()) {
            (true, true) => {
                let yaml = configure::patch_yaml(entry);
                return Err(fail(format!(
                    "must specify one of patch and path in\n{yaml}"
                )));
            }
            (false, false) => {
                let yaml = configure::patch_yaml(entry);
                return Err(fail(format!(
                    "patch and path can't be set at the same time\n{yaml}"
                )));
            }
            (false, true) => (
                inline.to_owned(),
                format!("[patch: {}]", go_quote(inline)),
                None,
            ),
            (true, false) => {
                let path = &entry.path;
                let text =
                    self.loader
                        .load_text(&mut builder.access, path)
                        .map_err(|failures| {
                            failures
                                .prefix(format!("failed to get the patch file from path({path})"))
                        })?;
                (
                    text,
                    format!("[path: {}]", go_quote(path)),
                    Some(self.loader.shown(path)),
                )
            }
        };
        let mut body = patch::read_body(&text, &builder.schema).map_err(|both| match both {
            Some(()) => fail(format!(
                "illegally qualifies as both an SM and JSON patch: {source}"
            )),
            None => fail(format!("unable to parse SM or JSON patch from {source}")),
        })?;
        if let Body::Merge(items) = &mut body {
            for item in items {
                let options = entry.options.unwrap_or_default();
                item.history.allow_name_change |= options.allow_name_change;
                item.history.allow_kind_change |= options.allow_kind_change;
                item.origin = begin.as_ref().map(|path| {
                    Arc::new(Origin {
                        path: path.as_str().into(),
                        line: item.node.line,
                        document: 0,
                    })
                });
            }
        }
        Ok(patch::Patch {
            body,
            target: entry.target.clone(),
            source,
            at,
        })
    }

    fn merge_patches(
        &self,
        builder: &mut Builder<'_>,
        paths: &[String],
        inline: &str,
    ) -> Outcome<Vec<Item>> {
        let fail = |text: String| Failures::new(BuildError::PatchInvalid, paths.join(", "), text);
        if paths.is_empty() && inline.is_empty() {
            return Err(fail("empty file path and empty patch content".into()));
        }
        let mut items = Vec::new();
        for path in paths {
            if let Ok(nodes) = resource::read_objects(path) {
                items.extend(
                    nodes
                        .into_iter()
                        .map(|node| Item::new(node, &builder.schema)),
                );
                continue;
            }
            let text = self.loader.load_text(&mut builder.access, path)?;
            let shown = self.loader.shown(path);
            let nodes = resource::read_objects(&text)
                .map_err(|failure| read_failure(&failure, path, &shown))?;
            for node in nodes {
                let line = node.line;
                let mut item = Item::new(node, &builder.schema);
                item.origin = Some(Arc::new(Origin {
                    path: shown.as_str().into(),
                    line,
                    document: 0,
                }));
                items.push(item);
            }
        }
        if !inline.is_empty() {
            let nodes = resource::read_objects(inline).map_err(|failure| fail(failure.message))?;
            items.extend(
                nodes
                    .into_iter()
                    .map(|node| Item::new(node, &builder.schema)),
            );
        }
        if items.is_empty() {
            let text = format!(
                "patch appears to be empty; files=[{}], Patch={inline}",
                paths.join(" ")
            );
            return Err(fail(text));
        }
        Ok(items)
    }

    fn json_patch(
        &self,
        builder: &mut Builder<'_>,
        target: Option<crate::select::Selector>,
        path: &str,
        operations: &str,
    ) -> Outcome<Transformer> {
        let fail = |text: String| Failures::new(BuildError::PatchInvalid, path, text);
        let Some(target) = target.filter(|target| !target.name.is_empty()) else {
            return Err(fail("must specify the target name".into()));
        };
        let text = match (path.is_empty(), operations.is_empty()) {
            (true, true) => return Err(fail("empty file path and empty jsonOp".into())),
            (false, false) => {
                return Err(fail("must specify a file path or jsonOp, not both".into()));
            }
            (true, false) => operations.to_owned(),
            (false, true) => {
                let text = self.loader.load_text(&mut builder.access, path)?;
                if text.is_empty() {
                    return Err(fail(format!("patch file '{path}' empty seems to be empty")));
                }
                text
            }
        };
        let json = crate::jsonpatch::parse(&text).map_err(|error| match text.starts_with('[') {
            true => fail(format!("decoding {text}: {error}")),
            false => fail(error),
        })?;
        match json.filter(|json| !json.is_empty()) {
            Some(json) => Ok(Transformer::JsonPatch(json, target)),
            None => Err(fail(format!(
                "patch appears to be empty; file={path}, JsonOp={text}"
            ))),
        }
    }

    fn replacements(
        &self,
        builder: &mut Builder<'_>,
        entries: &[file::ReplacementEntry],
    ) -> Outcome<Transformer> {
        let mut all = Vec::new();
        for entry in entries {
            let fail = |text: String| {
                Failures::new(BuildError::ReplacementFailed, entry.path.clone(), text)
            };
            if entry.path.is_empty() {
                all.push(entry.replacement.clone());
                continue;
            }
            if entry.replacement.source.is_some()
                || entry
                    .replacement
                    .targets
                    .as_ref()
                    .is_some_and(|t| !t.is_empty())
            {
                return Err(fail(
                    "cannot specify both path and inline replacement".into(),
                ));
            }
            let text = self.loader.load_text(&mut builder.access, &entry.path)?;
            let value = crate::read_value(&text).map_err(fail)?;
            let mut decoder = Decoder::new(false);
            match &value {
                object::Node::List(_) => {
                    all.extend(decoder.list(&value, "types.Replacement", file::replacement))
                }
                object::Node::Map(_) => all.push(file::replacement(&mut decoder, &value)),
                _ => {
                    let text =
                        "unsupported replacement type encountered within replacement path: invalid";
                    return Err(fail(text.into()));
                }
            }
            if let Some(problem) = decoder.problems.first() {
                return Err(fail(format!(
                    "error unmarshaling JSON: {}",
                    problem.message
                )));
            }
        }
        Ok(Transformer::Replacements(all))
    }

    fn value_add(
        &self,
        builder: &mut Builder<'_>,
        value: &str,
        mut targets: Vec<plugin::ValueAdd>,
        path: &str,
    ) -> Outcome<Transformer> {
        let fail = |text: String| {
            Failures::new(
                BuildError::ConfigurationInvalid,
                "ValueAddTransformer",
                text,
            )
        };
        if !path.is_empty() {
            let text = self.loader.load_text(&mut builder.access, path)?;
            let read = crate::read_value(&text).map_err(fail)?;
            let mut decoder = Decoder::new(false);
            decoder.object(&read, "Targets", &["targets"], |d, _, value| {
                targets.extend(d.list(value, "Target", plugin::value_add));
            });
        }
        if targets.is_empty() {
            return Err(fail("must specify at least one target".into()));
        }
        let value = match value.is_empty() {
            true => self.loader.root.file_name(),
            false => value,
        };
        for target in &mut targets {
            if target.field_path.is_empty() {
                return Err(fail("fieldPath cannot be empty".into()));
            }
            if target.file_path_position < 0 {
                let text = format!(
                    "value of FilePathPosition ({}) cannot be negative",
                    target.file_path_position
                );
                return Err(fail(text));
            }
            target.value = value.to_owned();
        }
        Ok(Transformer::ValueAdd(targets))
    }
}

/// Whether every object has an id of its own.
///
/// # Errors
/// The first that has not.
pub(crate) fn check_unique(items: &[Item]) -> Outcome<()> {
    let mut seen = HashSet::with_capacity(items.len());
    for item in items {
        if !seen.insert(item.id.key()) {
            let text = format!(
                "may not add resource with an already registered id: {}",
                item.id
            );
            let failures = Failures::new(BuildError::DuplicateObject, item.id.to_string(), text);
            return Err(failures.at(item.place()));
        }
    }
    Ok(())
}

/// The fields a `labels` entry sets.
fn label_specs(label: &file::Label, config: &Config) -> Result<Vec<FieldSpec>, String> {
    let wrap = |text: String| format!("failed to merge labels: {text}");
    let mut specs = label.fields.clone();
    fieldspec::merge_all(&mut specs, &config.labels).map_err(wrap)?;
    if label.include_selectors {
        fieldspec::merge_all(&mut specs, &config.common_labels).map_err(wrap)?;
        return Ok(specs);
    }
    if label.include_templates {
        fieldspec::merge_all(&mut specs, &config.template_labels)
            .map_err(|text| format!("failed to merge template fieldSpec: {text}"))?;
    }
    fieldspec::merge_one(&mut specs, &FieldSpec::any("metadata/labels", true)).map_err(wrap)?;
    Ok(specs)
}

fn trouble(kind: &str, config: &str, failures: Failures) -> Failures {
    failures.prefix(format!(
        "trouble configuring builtin {kind} with config: `\n{config}`"
    ))
}

fn read_failure(failure: &ReadFailure, entry: &str, shown: &str) -> Failures {
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
