//! What the reference accepts without a word although it is almost surely a mistake.
//!
//! [`lint`] builds kustomizations with a [`Collector`] that looks on: at a file when it is read, at
//! a transformer before it runs, at the objects when a build is done. The build itself stays as it
//! is; without a collector it pays for a few comparisons with `None`.
//!
//! # Invariants
//!
//! - **Silence over noise.** A finding needs a reason in the objects of a real build: a selector is
//!   reported when it selects nothing, not when it looks odd. Where another build could give the
//!   place a meaning it is reported only if no build does: a component's patch that matches in one
//!   overlay of ten is no finding, nor is a base's variable that one overlay uses.
//! - **Once.** A base that ten overlays use is reported once.
//! - **No guesses about what was not seen.** Where a build fails, what depends on the objects of that
//!   build is not reported.
//!
//! Deliberately absent: what the reference refuses or warns of by itself as text on stderr; style;
//! whether the objects are valid for a cluster.

pub(crate) mod file;
mod images;
mod merge;
mod names;
mod namespace;
mod replace;
mod select;
mod specs;
mod unlisted;
pub(crate) mod vars;

use std::collections::{BTreeMap, BTreeSet};

use diag::{Code, Diagnostic, Explain as _, Span};
use object::FieldPath;
use tree::{Tree, TreePath, World};

use crate::accumulate::{Builder, FILE_NAMES, Target};
use crate::error::BuildError;
use crate::patch::Body;
use crate::plugin::Transformer;
use crate::resource::Item;
use crate::schema::Schema;
use crate::{Options, read_value};

/// Finds mistakes in the kustomizations of `roots`, or in all of `tree` when there are none.
///
/// The result is ordered by file and line, and nothing is in it twice. Warnings are findings; errors
/// say why a kustomization does not build, but for what only this machine refuses: remote bases and
/// plugins.
///
/// With `roots`, what a component or base means is judged by these builds alone, and files that no
/// kustomization reads are not looked for. Of a tree that is read on demand nobody knows all files,
/// so it needs `roots`.
pub fn lint(
    tree: &Tree,
    options: &Options,
    world: &dyn World,
    roots: &[TreePath],
) -> Vec<Diagnostic> {
    let whole = roots.is_empty();
    let all = match whole {
        true => directories(tree),
        false => BTreeMap::new(),
    };
    let roots: Vec<TreePath> = match whole {
        // A component has no objects of its own to work on.
        true => all
            .iter()
            .filter(|(_, component)| !**component)
            .map(|(directory, _)| directory.clone())
            .collect(),
        false => roots.to_vec(),
    };
    let mut collector = Box::new(Collector {
        shown_from: options.shown_from.clone(),
        ..Collector::default()
    });
    let mut errors: BTreeMap<(Option<Span>, &'static str, String), Diagnostic> = BTreeMap::new();
    for directory in &roots {
        let mut builder = Builder::new(options, world);
        collector.build = BuildFacts {
            directory: directory.clone(),
            ..BuildFacts::default()
        };
        builder.lint = Some(collector);
        let result = crate::run(&mut builder, tree, directory, None);
        collector = builder.lint.take().unwrap_or_default();
        collector.read.append(&mut builder.access.files_read);
        let Err(failures) = result else { continue };
        collector.doubt(tree, directory);
        for error in failures.0.iter().filter(|error| !is_of_this_machine(error)) {
            let diagnostic = error.to_diagnostic();
            let key = (
                diagnostic.span.clone(),
                diagnostic.code.0,
                diagnostic.message.clone(),
            );
            errors.entry(key).or_insert(diagnostic);
        }
    }
    if whole {
        for (directory, _) in all.iter().filter(|(_, component)| **component) {
            collector.check_unused_component(tree, directory, options, world);
        }
        unlisted::check(&mut collector, tree, &all, &options.shown_from);
    }
    let mut found: Vec<Diagnostic> = errors.into_values().chain(collector.finish()).collect();
    for diagnostic in &mut found {
        show_line(diagnostic, tree, &options.shown_from);
    }
    found.sort_by(|a, b| (&a.span, a.code, &a.message).cmp(&(&b.span, b.code, &b.message)));
    found
}

/// Directories with a kustomization file, and whether it is a component.
fn directories(tree: &Tree) -> BTreeMap<TreePath, bool> {
    let mut all = BTreeMap::new();
    for (path, _) in tree.entries() {
        if !FILE_NAMES.contains(&path.file_name()) {
            continue;
        }
        let Some(directory) = path.parent() else {
            continue;
        };
        let kind = tree.read_text(path).ok().and_then(|text| {
            let value = read_value(&text).ok()?;
            value.str_at(&["kind"]).map(str::to_owned)
        });
        all.insert(directory, kind.as_deref() == Some("Component"));
    }
    all
}

/// Whether it is this machine that refuses, where another one would build.
fn is_of_this_machine(error: &BuildError) -> bool {
    matches!(
        error,
        BuildError::RemoteBaseForbidden(_)
            | BuildError::RemoteBaseMissing(..)
            | BuildError::PluginForbidden(_)
            | BuildError::ChartsForbidden(_)
    ) || matches!(error, BuildError::ChartNotFound(_, wanted) if !wanted.repo.is_empty())
}

/// Fills in the line of the file, and moves the place past an opening quote.
fn show_line(diagnostic: &mut Diagnostic, tree: &Tree, shown_from: &TreePath) {
    let Some(span) = diagnostic.span.as_mut().filter(|span| span.line > 0) else {
        return;
    };
    let Ok(path) = shown_from.join(&span.path) else {
        return;
    };
    let Ok(text) = tree.read_text(&path) else {
        return;
    };
    let Some(line) = text.lines().nth(span.line as usize - 1) else {
        return;
    };
    let from = (span.column as usize).saturating_sub(1);
    let rest: Vec<char> = line.chars().skip(from).collect();
    if span.column > 0 && span.length > 0 && matches!(rest.first(), Some('"' | '\'')) {
        span.column += 1;
    }
    let left = line.trim_end().chars().count() + 1;
    span.length = span
        .length
        .min(left.saturating_sub(span.column as usize) as u32);
    diagnostic.snippet = Some(line.trim_end().to_owned());
}

/// Where a finding depends on the objects of a build: place, code, and what it is about.
type Site = (Span, Code, String);

/// What lint has found so far.
#[derive(Default)]
pub(crate) struct Collector {
    /// True wherever the file is used.
    certain: BTreeMap<Site, Diagnostic>,
    /// Findings of every build so far; `None` once a build gave the place a meaning.
    open: BTreeMap<Site, Option<Diagnostic>>,
    /// Open findings that other builds than those that were seen could answer, by directory.
    depends: BTreeMap<Site, TreePath>,
    /// Files read by any build.
    read: BTreeSet<TreePath>,
    /// Directories that are used by kustomizations that do not build.
    doubted: BTreeSet<TreePath>,
    /// Directories whose kustomization was read.
    seen: BTreeSet<TreePath>,
    /// Fields of custom resources that a build knows as names.
    followed: BTreeSet<String>,
    /// Fields that only the build of their own directory does not know as names.
    alone: BTreeMap<Site, Option<String>>,
    /// The directory from which the paths of places are shown.
    shown_from: TreePath,
    build: BuildFacts,
}

/// What is known about the build that is going on.
#[derive(Default)]
struct BuildFacts {
    directory: TreePath,
    variables: BTreeMap<String, (Span, TreePath)>,
    configurations: Vec<specs::Configuration>,
}

impl Collector {
    /// Adds what is a mistake wherever the file is used.
    fn report(&mut self, code: Code, about: &str, diagnostic: Diagnostic) {
        let Some(span) = diagnostic.span.clone() else {
            return;
        };
        self.certain
            .entry((span, code, about.to_owned()))
            .or_insert(diagnostic);
    }

    /// Adds what one build says about a place: a finding, or that it has a meaning.
    fn see(
        &mut self,
        code: Code,
        span: Option<Span>,
        about: &str,
        depends_on: Option<&TreePath>,
        finding: Option<Diagnostic>,
    ) {
        let Some(span) = span else { return };
        let site = (span.clone(), code, about.to_owned());
        if let Some(directory) = depends_on {
            self.depends.insert(site.clone(), directory.clone());
        }
        match (self.open.get_mut(&site), finding) {
            (Some(known), None) => *known = None,
            (Some(_), Some(_)) => {}
            (None, finding) => {
                let finding = finding.map(|finding| finding.at(span));
                self.open.insert(site, finding);
            }
        }
    }

    /// Remembers that a build of `directory` failed, so what it uses may mean more than was seen.
    fn doubt(&mut self, tree: &Tree, directory: &TreePath) {
        let mut next = vec![directory.clone()];
        while let Some(directory) = next.pop() {
            if !self.doubted.insert(directory.clone()) {
                continue;
            }
            for name in FILE_NAMES {
                let Some(value) = directory
                    .join(name)
                    .ok()
                    .and_then(|path| tree.read_text(&path).ok())
                    .and_then(|text| read_value(&text).ok())
                else {
                    continue;
                };
                for field in ["resources", "components", "bases"] {
                    let entries = value.get(field).and_then(object::Node::as_list);
                    for entry in entries.into_iter().flatten() {
                        let used = entry.as_str().and_then(|entry| directory.join(entry).ok());
                        next.extend(used.filter(|path| tree.is_directory(path)));
                    }
                }
            }
        }
    }

    /// Reads a component that no build has read, for what can be said without objects.
    fn check_unused_component(
        &mut self,
        tree: &Tree,
        directory: &TreePath,
        options: &Options,
        world: &dyn World,
    ) {
        if self.seen.contains(directory) {
            return;
        }
        let mut builder = Builder::new(options, world);
        builder.lint = Some(Box::new(std::mem::take(self)));
        let loader = crate::loader::Loader::top(tree, directory, options);
        if let Ok(loader) = loader {
            // What is wrong with it is an error of whoever uses it.
            drop(Target::load(&mut builder, loader, None));
        }
        *self = *builder.lint.take().unwrap_or_default();
    }

    /// Looks at a whole build, variables resolved.
    pub fn finish_build(
        &mut self,
        items: &[Item],
        unused: &[String],
        references: &[vars::Reference],
        schema: &Schema,
    ) {
        vars::check(self, items, unused, references);
        specs::check_configurations(self, items);
        names::check(self, items, schema);
    }

    fn finish(self) -> impl Iterator<Item = Diagnostic> {
        let Self {
            certain,
            open,
            depends,
            doubted,
            followed,
            alone,
            ..
        } = self;
        let open = open.into_iter().filter_map(move |(site, finding)| {
            let in_doubt = depends
                .get(&site)
                .is_some_and(|directory| doubted.contains(directory));
            let is_unused_base = alone
                .get(&site)
                .and_then(Option::as_ref)
                .is_some_and(|field| followed.contains(field));
            finding.filter(|_| !in_doubt && !is_unused_base)
        });
        certain.into_values().chain(open)
    }
}

/// A warning with a code and a message, and words beside the place.
fn finding(code: Code, message: impl Into<String>, label: impl Into<String>) -> Diagnostic {
    Diagnostic {
        label: label.into(),
        ..Diagnostic::warning(code, message)
    }
}

/// An object as help names it: "Deployment `web`, from base/web.yaml:4".
fn described(item: &Item) -> String {
    let from = item
        .origin
        .as_ref()
        .map_or_else(String::new, |origin| format!(", from {origin}"));
    format!("{} `{}`{from}", item.id.gvk.kind, item.id.name)
}

/// Some of the words, and how many more there are.
fn some(words: &[String]) -> String {
    const SHOWN: usize = 4;
    let shown = words[..words.len().min(SHOWN)].join(", ");
    match words.len().checked_sub(SHOWN) {
        None | Some(0) => shown,
        Some(more) => format!("{shown} and {more} more"),
    }
}

/// "is" or "are".
fn is_or_are(count: usize) -> &'static str {
    if count == 1 { "is" } else { "are" }
}

impl Target {
    /// Whether the file lies in the tree that is linted.
    fn is_own(&self) -> bool {
        self.loader.in_repository().is_none() && self.document.is_some()
    }

    /// The place of a value of this file that reads `written`.
    fn value_span(&self, path: &FieldPath, written: &str) -> Option<Span> {
        let mut span = self.span(path)?;
        if !written.contains('\n') {
            span.length = written.chars().count() as u32;
        }
        Some(span)
    }

    /// The directory that decides what this file's findings depend on beyond the builds that were
    /// seen: a component's own.
    fn depends_on(&self) -> Option<&TreePath> {
        (self.file.kind == "Component").then_some(&self.loader.root)
    }
}

/// Which entry of the file the next transformer of each kind is; they run in the file's order.
#[derive(Default)]
pub(crate) struct Steps {
    patches: usize,
    json_patches: usize,
    images: usize,
    labels: usize,
    namespaces: usize,
    replacements: usize,
    merges: usize,
}

impl Steps {
    /// Looks at a transformer and the objects it is about to work on.
    pub fn before(
        &mut self,
        lint: &mut Collector,
        target: &Target,
        transformer: &Transformer,
        items: &[Item],
        schema: &Schema,
    ) {
        // A build without objects says nothing; it may wait for a file that a tool makes.
        if !target.is_own() || items.is_empty() {
            return;
        }
        let next = |counter: &mut usize| {
            *counter += 1;
            *counter - 1
        };
        let file = &target.file;
        match transformer {
            Transformer::Patch(patch) => {
                let at = next(&mut self.patches);
                if at >= file.patches.len() {
                    return;
                }
                let path = FieldPath::keys(["patches"]).index(at);
                if let Some(selector) = &patch.target {
                    select::check_patch(lint, target, &path.key("target"), selector, items);
                }
                if let Body::Merge(patches) = &patch.body {
                    let place = target.span(&path.key("patch"));
                    merge::check(lint, patches, patch.target.as_ref(), items, schema, place);
                }
            }
            Transformer::PatchesStrategicMerge(patches)
                if next(&mut self.merges) == 0 && !file.patches_strategic_merge.is_empty() =>
            {
                let place = target.span(&FieldPath::keys(["patchesStrategicMerge"]));
                merge::check(lint, patches, None, items, schema, place);
            }
            Transformer::JsonPatch(_, selector) => {
                let at = next(&mut self.json_patches);
                if at < file.patches_json6902.len() {
                    let path = FieldPath::keys(["patchesJson6902"]).index(at).key("target");
                    select::check_patch(lint, target, &path, selector, items);
                }
            }
            Transformer::Images(images) => {
                let at = next(&mut self.images);
                if at < file.images.len() {
                    images::check(lint, target, at, images, items);
                }
            }
            Transformer::Entries(_) => {
                let at = next(&mut self.labels);
                if let Some(label) = file.labels.get(at) {
                    specs::check_label(lint, target, at, label, items);
                }
            }
            Transformer::Namespace(namespace)
                if next(&mut self.namespaces) == 0 && !file.namespace.is_empty() =>
            {
                namespace::check(lint, target, namespace, items);
            }
            Transformer::Replacements(all)
                if next(&mut self.replacements) == 0 && !file.replacements.is_empty() =>
            {
                replace::check(lint, target, all, items, schema);
            }
            _ => {}
        }
    }
}
