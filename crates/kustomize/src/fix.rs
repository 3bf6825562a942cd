//! A kustomization file written anew without deprecated fields, as `kustomize edit fix` writes it.
//!
//! [`fix`] gives new files and leaves it to the caller to store them. Fields keep the order of the
//! file, new ones follow in a fixed order; comments stay above their fields. Everything else about
//! how the file was written is lost, for it is read into values and those are written.
//!
//! With [`FixOptions::vars`] variables become replacements as well, which changes resources and
//! patches too.
//!
//! Some things differ on purpose: nothing changes when anything fails, while the reference leaves what it
//! has written by then; all errors are given, not only the first; and text that the reference cannot write
//! is always an error, while it may leave an empty file.
//!
//! # Source
//! kubernetes-sigs/kustomize `kustomize/commands/edit/fix`, `api/types/kustomization.go`.

mod convert;
mod fields;
mod layout;

use std::collections::BTreeMap;

use diag::{Code, Diagnostic, Span};
use object::{FieldPath, Map, Node as Value};
use tree::{ReadError, Tree, TreePath, World};
use yaml::{Duplicates, Limits, Node, ResolveOptions, Tags};

use crate::accumulate::FILE_NAMES;
use crate::error::{BuildError, Failures, Outcome, nearest};
use crate::{Build, Options, build};
use fields::Reader;
use layout::Layout;

/// Most things wrong with one file that are reported; each is looked for in the whole file.
const PROBLEMS_MAX: usize = 100;

/// What to vary in a fix.
#[derive(Clone, Debug, Default)]
pub struct FixOptions {
    /// Whether variables become replacements.
    pub vars: bool,
    /// How to build before and after, to say what the fix changes.
    pub build: Options,
}

/// What a fix gives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fix {
    /// The new text of every file that changes, by where it really is when links lead there.
    pub files: BTreeMap<TreePath, String>,
    /// What `kustomize edit fix` prints, each without the line feed at its end.
    pub notes: Vec<String>,
    /// What is lost, and the warnings of the builds before and after.
    pub warnings: Vec<Diagnostic>,
}

/// Rewrites the kustomization file in `directory` of `tree`.
///
/// The kustomization is built before and after; a build that fails, or gives something else than
/// before, is a note and no error.
///
/// # Errors
/// Everything found wrong, the one the reference would report first.
pub fn fix(
    tree: &Tree,
    directory: &TreePath,
    options: &FixOptions,
    world: &dyn World,
) -> Result<Fix, Vec<BuildError>> {
    rewrite(tree, directory, options, world).map_err(|failures| failures.0)
}

fn rewrite(
    tree: &Tree,
    directory: &TreePath,
    options: &FixOptions,
    world: &dyn World,
) -> Outcome<Fix> {
    let (path, text) = find(tree, directory)?;
    let file = KustomizationFile::new(path.relative_to(&options.build.shown_from), text);
    let prefix = "invalid Kustomization";
    let mut fields = file.read(&mut Reader::strict(), prefix, prefix)?;
    let layout = Layout::read(&file.text);
    let mut warnings = Vec::new();
    modernize(&mut fields);
    patches_in_one_list(tree, directory, &mut fields);
    labels_in_one_list(&file, &mut fields)?;
    let mut files = BTreeMap::new();
    if options.vars {
        warnings.extend(dropped_replacements(&file, &fields));
        files = convert::run(tree, directory, &mut fields)?;
    }
    let real = tree
        .resolve(&path)
        .map_err(|error| unreadable(&path, &error))?;
    let written = layout.write(&fields).map_err(|field| {
        let text = "yaml: control characters are not allowed";
        let place = FieldPath::keys([field]);
        file.invalid(text.into(), file.span(file.document().as_ref(), &place))
    })?;
    files.insert(real.clone(), written);
    let changes = files
        .iter()
        .map(|(path, text)| (path.clone(), text.as_bytes().into()));
    let fixed = tree.with_changes(changes.collect());
    if files[&real] == file.text {
        files.remove(&real);
    }
    let (before, old_warnings) = build(tree, directory, &options.build, world);
    let (after, new_warnings) = build(&fixed, directory, &options.build, world);
    warnings.extend(old_warnings);
    warnings.extend(new_warnings);
    let mut notes = vec![summary(options.vars)];
    notes.extend(difference(before, after));
    Ok(Fix {
        files,
        notes,
        warnings,
    })
}

/// What a build gave, or why it failed.
type Built = Result<Build, Vec<BuildError>>;

/// What the reference prints when the kustomization builds to something else than before; a build that
/// fails counts as one of nothing.
fn difference(before: Built, after: Built) -> Option<String> {
    let before = before.map_or_else(|_| String::new(), |build| build.to_yaml());
    match after.map(|build| build.to_yaml()) {
        Err(errors) => Some(format!(
            "Warning: 'Fixed' kustomization now produces the error when running `kustomize build`: {}",
            errors.first().map_or("", BuildError::reference)
        )),
        Ok(after) if after != before => Some(format!(
            "Warning: 'Fixed' kustomization now produces different output when running `kustomize build`:\n...{after}..."
        )),
        Ok(_) => None,
    }
}

/// What the reference always prints.
fn summary(vars: bool) -> String {
    let fields = "\nFixed fields:\n  patchesJson6902 -> patches\n  patchesStrategicMerge -> patches\n  commonLabels -> labels\n";
    let more = match vars {
        true => "  vars -> replacements",
        false => {
            "
To convert vars -> replacements, run the command `kustomize edit fix --vars`

WARNING: Converting vars to replacements will potentially overwrite many resource files \n\
and the resulting files may not produce the same output when `kustomize build` is run. \n\
We recommend doing this in a clean git repository where the change is easy to undo."
        }
    };
    format!("{fields}{more}")
}

/// The one kustomization file of a directory.
fn find(tree: &Tree, directory: &TreePath) -> Outcome<(TreePath, String)> {
    let mut found = Vec::new();
    for name in FILE_NAMES {
        if let Ok(path) = directory.join(name)
            && (tree.is_file(&path) || tree.is_directory(&path))
        {
            found.push((name, path));
        }
    }
    if found.len() > 1 {
        let names: Vec<_> = found.iter().map(|(name, _)| *name).collect();
        return Err(Failures::new(
            BuildError::KustomizationAmbiguous,
            directory.to_string(),
            format!("Found multiple kustomization file: [{}]\n", names.join(" ")),
        ));
    }
    let Some((name, path)) = found.pop() else {
        let name = FILE_NAMES[0];
        return Err(Failures::new(
            BuildError::KustomizationNotFound,
            directory.to_string(),
            format!("Missing kustomization file '{name}'.\n"),
        ));
    };
    let bytes = tree.read(&path).map_err(|error| match error {
        ReadError::Directory(_) => Failures::new(
            BuildError::KustomizationInvalid,
            path.to_string(),
            format!("{name} should be a file"),
        ),
        error => unreadable(&path, &error),
    })?;
    let text = yaml::decode(&bytes).map_err(|error| {
        let text = format!("invalid Kustomization: {}", error.sigs_message());
        let failures = Failures::new(BuildError::KustomizationInvalid, path.to_string(), text);
        failures.at(Some(Span::file(path.to_string())))
    })?;
    Ok((path, text.to_owned()))
}

fn unreadable(path: &TreePath, error: &ReadError) -> Failures {
    Failures::new(
        BuildError::SymlinkOutsideTree,
        path.to_string(),
        error.to_string(),
    )
}

/// A kustomization file as text.
struct KustomizationFile {
    /// Its path, for showing places.
    shown: String,
    text: String,
}

impl KustomizationFile {
    fn new(shown: String, text: String) -> Self {
        Self { shown, text }
    }

    /// The fields of the first document.
    ///
    /// # Errors
    /// What is not YAML after the prefix `not_yaml`, what does not fit its field after `not_fit`.
    fn read(&self, reader: &mut Reader, not_yaml: &str, not_fit: &str) -> Outcome<Map> {
        let options = ResolveOptions {
            duplicates: Duplicates::LastWins,
            tags: Tags::Ignore,
            ..ResolveOptions::default()
        };
        let value = yaml::load_first(&self.text, &options).map_err(|error| {
            let at = error.position().unwrap_or_default();
            let span = Span {
                path: self.shown.clone(),
                line: at.line,
                column: at.column,
                length: 0,
            };
            self.invalid(format!("{not_yaml}: {}", error.sigs_message()), Some(span))
        })?;
        let fields = reader.file(&value);
        if reader.problems.is_empty() {
            return Ok(fields);
        }
        let document = self.document();
        let errors = reader.problems.iter().take(PROBLEMS_MAX).map(|problem| {
            let text = format!("{not_fit}: {}", problem.message);
            let near = problem
                .unknown
                .as_ref()
                .and_then(|name| nearest(name, problem.known.iter().copied()));
            let span = self.span(document.as_ref(), &problem.path);
            self.invalid(text, span).near(near).0
        });
        Err(Failures(errors.flatten().collect()))
    }

    fn invalid(&self, reference: String, span: Option<Span>) -> Failures {
        Failures::new(
            BuildError::KustomizationInvalid,
            self.shown.clone(),
            reference,
        )
        .at(span)
    }

    fn document(&self) -> Option<Node> {
        yaml::parse_first(&self.text, &Limits::default())
            .ok()
            .flatten()
    }

    fn span(&self, document: Option<&Node>, path: &FieldPath) -> Option<Span> {
        let place = document.and_then(|document| yaml::locate(document, path));
        let (line, column) = place.unwrap_or_default();
        Some(Span {
            path: self.shown.clone(),
            line,
            column,
            length: 0,
        })
    }
}

/// What the reference does to every file that it reads for editing: sets kind and version, and moves
/// fields that have another name by now.
fn modernize(file: &mut Map) {
    let is_empty = |file: &Map, name: &str| {
        let text = file.get(name).and_then(Value::as_str);
        text.unwrap_or_default().is_empty()
    };
    if is_empty(file, "kind") {
        file.insert("kind", "Kustomization");
    }
    if is_empty(file, "apiVersion") {
        let is_component = file.get("kind").and_then(Value::as_str) == Some("Component");
        let version = match is_component {
            true => "kustomize.config.k8s.io/v1alpha1",
            false => "kustomize.config.k8s.io/v1beta1",
        };
        file.insert("apiVersion", version);
    }
    for (old, new) in [("bases", "resources"), ("imageTags", "images")] {
        let items = take_list(file, old);
        append(file, new, items);
    }
    for generators in ["configMapGenerator", "secretGenerator"] {
        let list = file.get_mut(generators).and_then(Value::as_list_mut);
        for generator in list.into_iter().flatten().filter_map(Value::as_map_mut) {
            match generator.remove("env") {
                Some(env) if env.as_str() != Some("") => append(generator, "envs", vec![env]),
                _ => {}
            }
        }
    }
    split_inflation_generators(file);
}

/// Turns the chart inflation generators of old into charts and what holds for all charts.
fn split_inflation_generators(file: &mut Map) {
    const RENAMED: [(&str, &str); 7] = [
        ("chartName", "name"),
        ("chartVersion", "version"),
        ("chartRepoUrl", "repo"),
        ("values", "valuesFile"),
        ("valuesLocal", "valuesInline"),
        ("valuesMerge", "valuesMerge"),
        ("releaseName", "releaseName"),
    ];
    let mut globals = Map::new();
    let mut charts = Vec::new();
    for old in take_list(file, "helmChartInflationGenerator") {
        let mut chart = Map::new();
        for (from, to) in RENAMED {
            if let Some(value) = old.get(from) {
                chart.insert(to, value.clone());
            }
        }
        charts.push(Value::Map(chart));
        for (from, to) in [("helmHome", "configHome"), ("chartHome", "chartHome")] {
            if let Some(value) = old.get(from).filter(|value| value.as_str() != Some("")) {
                globals.insert(to, value.clone());
            }
        }
    }
    let has_globals = file
        .get("helmGlobals")
        .is_some_and(|value| !value.is_null());
    if !has_globals && !globals.is_empty() {
        file.insert("helmGlobals", globals);
    }
    append(file, "helmCharts", charts);
}

/// Moves both deprecated kinds of patches under `patches`. What a strategic merge patch names is a path
/// when there is such a file, else it is the patch.
fn patches_in_one_list(tree: &Tree, directory: &TreePath, file: &mut Map) {
    let json = take_list(file, "patchesJson6902");
    append(file, "patches", json);
    let merges = take_list(file, "patchesStrategicMerge");
    let patches = merges.into_iter().map(|entry| {
        let text = entry.as_str().unwrap_or_default();
        let is_file = !text.is_empty()
            && directory
                .join(text)
                .is_ok_and(|path| tree.is_file(&path) && !text.ends_with('/'));
        let mut patch = Map::new();
        patch.insert(if is_file { "path" } else { "patch" }, entry);
        Value::Map(patch)
    });
    append(file, "patches", patches.collect());
}

/// Moves common labels to the end of `labels`.
///
/// # Errors
/// A label that is in both.
fn labels_in_one_list(source: &KustomizationFile, file: &mut Map) -> Outcome<()> {
    let common = match file.get("commonLabels") {
        Some(Value::Map(common)) if !common.is_empty() => common.clone(),
        _ => return Ok(()),
    };
    let labels = file.get("labels").and_then(Value::as_list);
    let mut conflicts = Vec::new();
    for (at, label) in labels.unwrap_or_default().iter().enumerate() {
        let pairs = label.get("pairs").and_then(Value::as_map);
        for (key, _) in pairs.iter().flat_map(|pairs| pairs.iter()) {
            if common.contains_key(key) {
                conflicts.push((at, key));
            }
        }
    }
    if !conflicts.is_empty() {
        let document = source.document();
        let errors = conflicts.into_iter().take(PROBLEMS_MAX).map(|(at, key)| {
            let text = format!("label name '{key}' exists in both commonLabels and labels");
            let path = FieldPath::keys(["labels"]).index(at);
            let path = path.key("pairs").key(key.clone());
            source
                .invalid(text, source.span(document.as_ref(), &path))
                .0
        });
        return Err(Failures(errors.flatten().collect()));
    }
    let mut label = Map::new();
    label.insert("pairs", common);
    label.insert("includeSelectors", true);
    append(file, "labels", vec![Value::Map(label)]);
    file.remove("commonLabels");
    Ok(())
}

/// A warning when the file has replacements that those of variables will take the place of.
fn dropped_replacements(source: &KustomizationFile, file: &Map) -> Option<Diagnostic> {
    let has = |name: &str| {
        let list = file.get(name).and_then(Value::as_list);
        list.is_some_and(|list| !list.is_empty())
    };
    let converts = file.get("vars").is_some_and(|vars| !vars.is_null());
    if !converts || !has("replacements") {
        return None;
    }
    let mut warning = Diagnostic::warning(
        Code("ReplacementsDropped"),
        "the replacements of the file are dropped: those made of `vars` take their place",
    );
    warning.span = source.span(
        source.document().as_ref(),
        &FieldPath::keys(["replacements"]),
    );
    Some(warning)
}

fn take_list(map: &mut Map, name: &str) -> Vec<Value> {
    match map.remove(name) {
        Some(Value::List(items)) => items.to_vec(),
        _ => Vec::new(),
    }
}

fn append(map: &mut Map, name: &str, mut items: Vec<Value>) {
    if items.is_empty() {
        return;
    }
    match map.get_mut(name).and_then(Value::as_list_mut) {
        Some(list) => list.append(&mut items),
        None => drop(map.insert(name, items)),
    }
}
