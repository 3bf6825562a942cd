//! Kustomizations rendered natively: kustomize 5.8.1 as a function from files to objects.
//!
//! [`build`] reads a kustomization from a [`Tree`], accumulates its resources depth first, runs its
//! generators and transformers, fixes the names that objects refer to each other by, and returns the
//! objects in order. [`Build::to_yaml`] prints them byte for byte as the reference does.
//!
//! # Invariants
//!
//! - **Pure.** A build sees its tree, its options and its [`World`]; no process is started, no plugin
//!   loaded, no address opened. Equal arguments give equal bytes.
//! - **Same verdict.** What the reference builds, this builds, and what it refuses, this refuses, but
//!   for plugins, limits and addresses that are not allowed. Its message is the cause of our error.
//! - **History beside objects.** Former names, prefixes and flags are kept beside an object, not in its
//!   annotations; where the annotations of the reference can be seen, the effect is copied.
//! - **Linear.** Work grows with objects and fields: names are found through an index.
//!
//! Start at [`build`]; `accumulate` holds the order of everything. [`lint`](fn@lint) builds with
//! somebody looking on, for what the reference accepts without a word. [`fix()`] rewrites a
//! kustomization file without deprecated fields.
//!
//! Deliberately absent: what Flux adds to a kustomization, see `render`; templates of Helm charts,
//! which a [`ChartRenderer`] brings.

mod accumulate;
mod accumulator;
mod base64;
mod chart;
mod config;
mod configure;
mod decode;
mod error;
mod fieldspec;
mod file;
mod fix;
mod generate;
mod giturl;
mod ids;
mod inflate;
mod jsonpatch;
mod lint;
mod loader;
mod merge;
mod nameref;
mod ops;
mod origin;
mod overlay;
mod patch;
mod paths;
mod plugin;
mod replace;
mod resource;
mod schema;
mod select;
mod sort;
mod transform;
mod transformers;
mod value;
mod vars;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::rc::Rc;

use diag::{Code, Diagnostic, Span};
use object::{Node as Value, Object};
use tree::{SourceRef, Tree, TreePath, World};
use yaml::{Duplicates, Limits, Node, ResolveOptions, Tags};

pub use chart::{
    ChartError, ChartRelease, ChartRenderer, ChartValues, Charts, LoadedChart, RenderedChart,
};
pub use error::{BuildError, ChartWanted, Facts};
pub use fix::{Fix, FixOptions, fix};
pub use inflate::{CHART_BYTES_MAX, CHARTS_MAX};
pub use lint::lint;
pub use overlay::{Overlay, OverlayImage, OverlayPatch, OverlaySelector};

use accumulate::{Builder, Target};
use accumulator::Accumulator;
use error::{Failures, Outcome};
use loader::Loader;
use schema::Schema;

/// Whose habits a build follows where the two differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// `kustomize build`: a custom OpenAPI document replaces the built-in one.
    #[default]
    Cli,
    /// Flux: a custom OpenAPI document is added to the built-in one.
    Flux,
}

/// In which order objects are printed when the kustomization does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Well-known kinds first, as `kustomize build` prints them.
    #[default]
    Legacy,
    /// As they were accumulated, as Flux applies them.
    Fifo,
}

/// What to vary in a build.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whose habits to follow.
    pub profile: Profile,
    /// Whether a kustomization may only read files in or below its own directory.
    pub root_only: bool,
    /// The order when `sortOptions` is absent.
    pub order: Order,
    /// Whether every object gets the label `app.kubernetes.io/managed-by`.
    pub managed_by_label: bool,
    /// The version in that label.
    pub version: String,
    /// Whether bases may be addresses, which the [`World`] then answers for.
    pub remote_bases: bool,
    /// How charts are rendered; without it they are refused.
    pub charts: Option<Charts>,
    /// Whether absolute paths name files of the tree, as if its root were `/`.
    pub absolute_paths: bool,
    /// What the reference's messages show before paths, without a slash at the end.
    pub root: String,
    /// The directory from which the paths of places are shown.
    pub shown_from: TreePath,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            profile: Profile::Cli,
            root_only: true,
            order: Order::Legacy,
            managed_by_label: false,
            version: "v5.8.1".into(),
            remote_bases: false,
            charts: None,
            absolute_paths: false,
            root: String::new(),
            shown_from: TreePath::root(),
        }
    }
}

impl Options {
    /// How Flux builds: files anywhere in the tree, objects in the order of accumulation.
    pub fn flux() -> Self {
        Self {
            profile: Profile::Flux,
            root_only: false,
            order: Order::Fifo,
            ..Self::default()
        }
    }
}

/// What a build gives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Build {
    /// The objects in order. An origin is the file an object came from, or the kustomization that
    /// generates it.
    pub objects: Vec<Object>,
    /// Every file of the tree that was read, and what links stand for.
    pub files_read: BTreeSet<TreePath>,
    /// Every other source that was read.
    pub sources_read: BTreeSet<SourceRef>,
}

impl Build {
    /// The objects as `kustomize build` prints them.
    pub fn to_yaml(&self) -> String {
        self.documents().collect()
    }

    /// The parts of what [`Build::to_yaml`] gives, one for each object.
    pub fn documents(&self) -> impl Iterator<Item = String> + '_ {
        self.objects.iter().enumerate().map(|(at, object)| {
            let text = yaml::to_string(&object.node);
            match at {
                0 => text,
                _ => format!("---\n{text}"),
            }
        })
    }
}

/// Builds the kustomization in `directory` of `tree`.
///
/// Warnings come with a result as well as with errors.
///
/// # Errors
/// Everything found wrong, the one the reference would report first.
pub fn build(
    tree: &Tree,
    directory: &TreePath,
    options: &Options,
    world: &dyn World,
) -> (Result<Build, Vec<BuildError>>, Vec<Diagnostic>) {
    build_with(tree, directory, None, options, world)
}

/// Whether a text is the address of a repository rather than a path.
pub fn is_address(text: &str) -> bool {
    giturl::parse(text).is_some()
}

/// Builds the kustomization at an address, `https://host/repository//directory?ref=v1`.
///
/// # Errors
/// As [`build`]; [`BuildError::RemoteBaseForbidden`] when addresses are not allowed.
pub fn build_address(
    address: &str,
    options: &Options,
    world: &dyn World,
) -> (Result<Build, Vec<BuildError>>, Vec<Diagnostic>) {
    let tree = Tree::default();
    let mut builder = Builder::new(options, world);
    let loader = Loader::top(&tree, &TreePath::root(), options)
        .and_then(|here| here.enter(&mut builder.access, address));
    let result = loader.and_then(|loader| run_from(&mut builder, loader, None));
    finished(builder, result)
}

/// As [`build`], with additions to the kustomization in `directory`, or one made of them alone.
///
/// # Errors
/// As [`build`].
pub fn build_with(
    tree: &Tree,
    directory: &TreePath,
    overlay: Option<&Overlay>,
    options: &Options,
    world: &dyn World,
) -> (Result<Build, Vec<BuildError>>, Vec<Diagnostic>) {
    let mut builder = Builder::new(options, world);
    let result = run(&mut builder, tree, directory, overlay);
    finished(builder, result)
}

fn finished(
    builder: Builder<'_>,
    result: Outcome<Vec<Object>>,
) -> (Result<Build, Vec<BuildError>>, Vec<Diagnostic>) {
    let result = result.map_err(|failures| failures.0).map(|objects| Build {
        objects,
        files_read: builder.access.files_read,
        sources_read: builder.access.sources_read,
    });
    (result, builder.warnings)
}

fn run(
    builder: &mut Builder<'_>,
    tree: &Tree,
    directory: &TreePath,
    overlay: Option<&Overlay>,
) -> Outcome<Vec<Object>> {
    let loader = Loader::top(tree, directory, builder.options)?;
    run_from(builder, loader, overlay)
}

fn run_from(
    builder: &mut Builder<'_>,
    loader: Rc<Loader>,
    overlay: Option<&Overlay>,
) -> Outcome<Vec<Object>> {
    let options = builder.options;
    let mut target = Target::load(builder, loader, overlay)?;
    target.set_schema(builder, true)?;
    if !target.file.build_metadata.is_empty() {
        target.trail = Some(origin::Trail::default());
    }
    let mut all = target.accumulate(builder, Accumulator::default())?;
    let schema = builder.schema.clone();
    let items = all.changed();
    transform::add_hashes(items, &schema)?;
    let config = all.config.clone().unwrap_or_default();
    let mut items = std::mem::take(&mut all.items);
    nameref::fix(&mut items, &config.name_reference, &schema)?;
    let references = match &builder.lint {
        Some(_) => lint::vars::references(&items, &all.vars),
        None => Vec::new(),
    };
    let unused = vars::resolve(&mut items, &all.vars, &config.var_reference)?;
    if let Some(lint) = &mut builder.lint {
        lint.finish_build(&items, &unused, &references, &schema);
    }
    if !unused.is_empty() {
        let text = format!(
            "well-defined vars that were never replaced: {}",
            unused.join(",")
        );
        builder
            .warnings
            .push(Diagnostic::warning(Code("VariableUnused"), text));
    }
    items.retain(
        |item| !matches!(item.annotation(resource::LOCAL_CONFIG), Some(value) if value != "false"),
    );
    match (&target.file.sort_options, options.order) {
        (Some(sort_options), _) => sort::run(&mut items, sort_options)?,
        (None, Order::Legacy) => sort::legacy_default(&mut items)?,
        (None, Order::Fifo) => {}
    }
    let asked = |word: &str| target.file.build_metadata.iter().any(|asked| asked == word);
    if options.managed_by_label || asked("managedByLabel") {
        let label = transform::Entries {
            pairs: vec![(
                "app.kubernetes.io/managed-by".into(),
                format!("kustomize-{}", options.version),
            )],
            specs: vec![fieldspec::FieldSpec::any("metadata/labels", true)],
        };
        label.run(&mut items)?;
    }
    finish(
        items,
        asked("originAnnotations"),
        asked("transformerAnnotations"),
    )
}

/// Turns finished items into objects.
fn finish(
    items: Vec<resource::Item>,
    keep_origin: bool,
    keep_transformations: bool,
) -> Outcome<Vec<Object>> {
    let mut objects = Vec::with_capacity(items.len());
    let mut errors = Vec::new();
    for mut item in items {
        let mut annotations = item.annotations();
        annotations.retain(|key, _| {
            !resource::is_build_annotation(key)
                && (keep_origin || key != resource::ORIGIN)
                && (keep_transformations || key != resource::TRANSFORMATIONS)
        });
        ops::set_metadata_map(&mut item.node, "annotations", &annotations);
        match value::to_value(&item.node) {
            Ok(node) => objects.push(Object {
                node,
                origin: item.origin,
            }),
            Err(text) => errors.extend(unprintable(&item, &text).0),
        }
    }
    if errors.is_empty() {
        Ok(objects)
    } else {
        Err(Failures(errors))
    }
}

/// Why an object has no value: every key that is repeated, else what stopped the reader.
fn unprintable(item: &resource::Item, text: &str) -> Failures {
    let place = item.place();
    let (repeated, all) = value::repeated_keys(&item.node);
    if repeated.is_empty() {
        let text = format!("map[string]interface {{}}(nil): {text}");
        return Failures::new(BuildError::ObjectInvalid, item.id.to_string(), text).at(place);
    }
    let text = format!("map[string]interface {{}}(nil): {all}");
    let failures = repeated.iter().flat_map(|repeated| {
        let span = place.clone().map(|place| Span {
            line: repeated.line,
            column: repeated.column,
            ..place
        });
        let failures = Failures::new(BuildError::DuplicateKey, repeated.key.as_str(), &text);
        failures.at(span).0
    });
    Failures(failures.collect())
}

/// Whether kustomize knows a kind as one whose objects have no namespace.
pub fn is_cluster_scoped(api_version: &str, kind: &str) -> bool {
    Schema::built_in().is_cluster_scoped(api_version, kind)
}

/// The value of a text's first document by the rules of YAML 1.1; the last of repeated keys wins.
fn read_value(text: &str) -> Result<Value, String> {
    read_document(text, Duplicates::LastWins)
}

/// The value of a text's first document by the rules of YAML 1.1.
fn read_document(text: &str, duplicates: Duplicates) -> Result<Value, String> {
    document_value(parse_document(text)?.as_ref(), duplicates)
}

/// A text's first document, if it has one.
fn parse_document(text: &str) -> Result<Option<Node>, String> {
    let parsed = yaml::parse_first(&without_returns(text), &Limits::default());
    parsed.map_err(|error| error.go_message())
}

fn document_value(document: Option<&Node>, duplicates: Duplicates) -> Result<Value, String> {
    let Some(document) = document else {
        return Ok(Value::Null);
    };
    let options = ResolveOptions {
        duplicates,
        tags: Tags::Ignore,
        ..ResolveOptions::default()
    };
    yaml::to_value(document, &options).map_err(|error| error.go_message())
}

/// The text with line feeds alone at the ends of lines.
fn without_returns(text: &str) -> Cow<'_, str> {
    match text.contains("\r\n") {
        true => Cow::Owned(text.replace("\r\n", "\n")),
        false => Cow::Borrowed(text),
    }
}

/// Whether a text holds only objects, as a file that is found by walking a directory must.
///
/// # Errors
/// The reference's message, the line where it is known, else zero, and the finest name of what is
/// wrong.
pub fn check_objects(text: &str) -> Result<(), (String, u32, Code)> {
    resource::read_objects(text)
        .map(drop)
        .map_err(|failure| (failure.message, failure.line, failure.code))
}

/// A tree as it would be printed if it were finished.
fn print(node: &Node) -> Result<String, String> {
    value::to_value(node).map(|value| yaml::to_string(&value))
}
