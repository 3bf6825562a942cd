//! What `helm template` does.

mod difference;
mod ignored;

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use diag::{Code, Diagnostic, Explain, Span};
use golang::Timestamp;
use helm::engine::{Program, Reader, Reading};
use helm::provenance::{Source, Why};
use helm::{
    Chart, ChartError, DependencyError, Engine, Files, KubeVersion, Manifests, Options, Profile,
    Programs, RenderError, TextOptions, UserValues, ValuesFile, Written, WrittenKind,
};
use object::Node;
use tree::{Moment, Tree, TreePath};

pub use self::difference::{DiffArgs, diff};
use self::ignored::IgnoredArgs;
use super::Outcome;
use crate::cli::Format;
use crate::exit::{Exit, Failure};
use crate::files;
use crate::output::{print, print_as, print_parts};

/// `build helm`.
#[derive(Debug, Args)]
#[command(args_override_self = true, mut_args = ignored::as_pflag)]
pub struct BuildArgs {
    /// Name of the release, and the chart: a folder or a packed one. Without a name it is
    /// `release-name`.
    #[arg(value_name = "[RELEASE] CHART", required = true, num_args = 1..=2)]
    pub words: Vec<String>,
    #[command(flatten)]
    pub values: ValueArgs,
    /// Namespace of the release.
    #[arg(short, long, default_value = "default", value_name = "NAME")]
    pub namespace: String,
    /// Version of Kubernetes that templates see.
    #[arg(long, value_name = "VERSION")]
    pub kube_version: Option<String>,
    /// Further APIs that templates see: `group/version` or `group/version/Kind`.
    #[arg(short, long, value_parser = Names::read, value_name = "API")]
    pub api_versions: Vec<Names>,
    /// Templates see an upgrade instead of an installation.
    #[arg(long)]
    pub is_upgrade: bool,
    /// Leaves hooks out.
    #[arg(long)]
    pub no_hooks: bool,
    /// Leaves hooks out that are tests.
    #[arg(long)]
    pub skip_tests: bool,
    /// Prints the files of `crds/`, too.
    #[arg(long)]
    pub include_crds: bool,
    /// Prints only what these templates make; patterns such as `templates/*.yaml`.
    #[arg(short, long, value_name = "TEMPLATE")]
    pub show_only: Vec<String>,
    /// Does not check values against the charts' schemas.
    #[arg(long)]
    pub skip_schema_validation: bool,
    /// Changes nothing: without a name it is `release-name`, as with the tool.
    #[arg(short, long)]
    pub generate_name: bool,
    /// Makes the name by a template.
    #[arg(long, value_name = "TEMPLATE")]
    pub name_template: Option<String>,
    /// Writes the documents to files in this folder.
    #[arg(long, value_name = "DIR")]
    pub output_dir: Option<String>,
    /// Puts the files of --output-dir into a folder named after the release.
    #[arg(long)]
    pub release_name: bool,
    /// Prints what templates have made even if it is no YAML.
    #[arg(long)]
    pub debug: bool,
    /// Renders as Helm 3 does.
    #[arg(long)]
    pub helm3: bool,
    /// Fixed time for `now`, in seconds after 1970, and fixed randomness: equal inputs give equal bytes.
    #[arg(long, value_name = "SECONDS")]
    pub fixed_time: Option<i64>,
    #[command(flatten)]
    pub ignored: IgnoredArgs,
}

/// Where values come from.
#[derive(Clone, Debug, Default, Args)]
pub struct ValueArgs {
    /// A file of values, `-` for standard input; later ones win.
    #[arg(
        short = 'f',
        long = "values",
        value_parser = Names::read,
        value_name = "FILE"
    )]
    pub files: Vec<Names>,
    /// A value: `a.b=1,c[0]=x`.
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// A value that is text.
    #[arg(long, value_name = "PATH=TEXT")]
    pub set_string: Vec<String>,
    /// A value that is the text of a file.
    #[arg(long, value_name = "PATH=FILE")]
    pub set_file: Vec<String>,
    /// A value that is JSON, or a JSON object of values.
    #[arg(long, value_name = "PATH=JSON")]
    pub set_json: Vec<String>,
    /// A value that is text, with no special characters in it.
    #[arg(long, value_name = "PATH=TEXT")]
    pub set_literal: Vec<String>,
}

/// Names in the value of one flag, separated by commas.
#[derive(Clone, Debug)]
pub struct Names(Vec<String>);

impl Names {
    fn read(text: &str) -> Result<Self, golang::csv::CsvError> {
        golang::csv::record(text).map(Self)
    }

    fn all(flags: &[Self]) -> impl Iterator<Item = &String> {
        flags.iter().flat_map(|Self(names)| names)
    }
}

/// What is outside of a render on this machine: the clock and the dice, but no cluster.
fn machine(fixed_time: Option<i64>) -> Result<Moment, Failure> {
    if let Some(seconds) = fixed_time {
        return Ok(Moment {
            now: Timestamp::from_unix(seconds),
            seed: [0; 32],
        });
    }
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let since = since.unwrap_or_default();
    let mut seed = [0; 32];
    // The cryptographic library would first spend 35 ms on testing the processor's clock.
    let filled = rustix::rand::getrandom(&mut seed, rustix::rand::GetRandomFlags::empty());
    if filled != Ok(seed.len()) {
        let message = "the system has no randomness to give";
        return Err(Failure::plain(Exit::Negative, message));
    }
    Ok(Moment {
        now: Timestamp::from_unix_nanos(since.as_secs() as i64, since.subsec_nanos()),
        seed,
    })
}

/// Builds and prints or writes.
pub fn build(args: &BuildArgs, is_verbose: bool) -> Outcome {
    args.ignored.check()?;
    let profile = profile(args.helm3);
    let world = machine(args.fixed_time)?;
    let (name, chart) = name_and_chart(args, &world)?;
    let user = user_values(&args.values)?;
    let loaded = load(&chart, profile);
    if loaded.is_err() && Path::new(&chart).exists() {
        // The tool looks at what the user gives before it looks into the chart.
        let merged = user.merged(&read_set_file, profile);
        merged.map_err(|error| explained(&error))?;
    }
    let chart = loaded?;
    let options = options(args, name, profile).map_err(|error| explained(&error))?;
    let programs = Programs::once();
    let engine = Engine {
        programs: &programs,
        world: &world,
    };
    let mut warnings = Vec::new();
    let manifests = helm::render(
        &chart,
        &user,
        &read_set_file,
        &options,
        &engine,
        &mut warnings,
    );
    print_warnings(&warnings);
    let text_options = TextOptions {
        profile,
        include_crds: args.include_crds,
        no_hooks: args.no_hooks,
        skip_tests: args.skip_tests,
        show_only: args.show_only.clone(),
    };
    let manifests = manifests.map_err(|error| {
        if args.debug {
            print_failed(&error, &chart, &user, &options, &engine, &text_options);
        }
        explained(&error)
    })?;
    if is_verbose {
        print_impure(&manifests.impure);
    }
    match args.output_dir.as_deref() {
        None | Some("") => {
            let printed = print_parts(|print| manifests.parts(&text_options, print));
            printed.map_err(|error| explained(&error))?;
            // The process ends: nothing is given back piece by piece.
            std::mem::forget((chart, manifests, programs));
        }
        Some(folder) => {
            let folder = Path::new(folder);
            let own = match args.release_name {
                true => folder.join(&options.name),
                false => folder.to_owned(),
            };
            write(folder, &own, manifests.written(&text_options))?;
            // What goes to standard output otherwise, of which nothing is left.
            match args.show_only.first() {
                None => print("\n"),
                Some(pattern) => {
                    let error = helm::ManifestError::NotFound(pattern.clone());
                    return Err(explained(&error));
                }
            }
        }
    }
    Ok(Exit::Done)
}

fn profile(helm3: bool) -> Profile {
    match helm3 {
        true => Profile::Helm3,
        false => Profile::Helm4,
    }
}

fn print_warnings(warnings: &[helm::Warning]) {
    for warning in warnings {
        let warning = Diagnostic::warning(Code("ChartWarning"), warning.text.as_str());
        eprint!("{}", warning.render());
    }
}

/// Prints what templates have made before a render failed: nothing when they failed themselves, or
/// were not executed for a Kubernetes of another version.
fn print_failed(
    error: &RenderError,
    chart: &Arc<Chart>,
    user: &UserValues,
    options: &Options,
    engine: &Engine<'_>,
    text_options: &TextOptions,
) {
    let files = match error {
        RenderError::Templates(_)
        | RenderError::Dependencies(DependencyError::KubeVersion { .. }) => Files::default(),
        // Executed once more: it is seldom asked for, and the same world gives the same.
        RenderError::Manifests(_) => {
            let scope = helm::prepare(chart, user, &read_set_file, options, &mut Vec::new());
            let executed = scope.ok().and_then(|scope| engine.execute(&scope).ok());
            executed.map(|executed| executed.files).unwrap_or_default()
        }
        _ => return,
    };
    // Patterns that match nothing are the lesser fault.
    if let Ok(text) = Manifests::unsorted(&files, text_options) {
        print(&text);
    }
}

/// Says what the result depends on besides chart and values.
fn print_impure(calls: &[helm::ImpureCall]) {
    for call in calls {
        let chart = call.root.split("/templates/").next().unwrap_or_default();
        let chart = chart.rsplit('/').next().unwrap_or_default();
        let mut text = format!("chart `{chart}` calls `{}`", call.function);
        if call.times > 1 {
            text.push_str(&format!(" {} times", call.times));
        }
        text.push_str(match call.function.as_str() {
            "lookup" => "; there is no cluster here, so it found nothing",
            "getHostByName" => "; builds ask no name server, so it gave nothing",
            _ => "; what it gives depends on the clock or on chance",
        });
        let at = match call.file.contains('/') {
            true => Span {
                column: call.column as u32 + 1,
                ..Span::line(call.file.as_str(), call.line as u32)
            },
            // A text that it gives to `tpl`.
            false => Span::file(call.root.as_str()),
        };
        let mut notice = Diagnostic::warning(Code("ChartNotReproducible"), text).at(at);
        if call.root != call.file {
            notice = notice.with_help(format!("It renders {}.", call.root));
        }
        eprint!("{}", notice.render());
    }
}

/// Renders the charts of kustomizations with this machine's clock and dice.
pub fn charts(
    helm3: bool,
    fixed_time: Option<i64>,
) -> Result<Arc<dyn kustomize::ChartRenderer>, Failure> {
    let moment = machine(fixed_time)?;
    Ok(Arc::new(render::HelmCharts {
        profile: profile(helm3),
        now: moment.now,
        seed: moment.seed,
        programs: Arc::default(),
    }))
}

/// What `why value` asks about.
#[derive(Clone, Debug, Default, Args)]
pub struct WhyValueArgs {
    /// With `value PATH`: the chart whose value it is, a folder or a packed one.
    #[arg(long, value_name = "CHART")]
    pub chart: Option<String>,
    #[command(flatten)]
    pub values: ValueArgs,
    /// Follows Helm 3.
    #[arg(long)]
    pub helm3: bool,
}

/// Most lines of templates that are told of one value.
const READERS_MAX: usize = 50;

/// Says where a value of a chart comes from, and which lines of templates read it.
pub fn why(args: &WhyValueArgs, chart: &str, path: &str, format: Format) -> Outcome {
    let profile = profile(args.helm3);
    let parsed = helm::provenance::parse_path(path).ok_or_else(|| {
        let message = format!("`{path}` is no path of a value; write it as `a.b[0].c`");
        Failure::plain(Exit::Usage, message)
    })?;
    let chart = load(chart, profile)?;
    let user = user_values(&args.values)?;
    let options = Options {
        profile,
        skip_schema: true,
        ..Options::default()
    };
    let mut warnings = Vec::new();
    let scope = helm::prepare(&chart, &user, &read_set_file, &options, &mut warnings);
    let scope = scope.map_err(|error| explained(&error))?;
    let found = helm::provenance::why(&scope, &user, &read_set_file, &parsed);
    let found = found.map_err(|error| explained(&error))?;
    let program = Program::parse(&scope.charts, profile).map_err(|error| explained(&error))?;
    let keys = parsed.steps().iter().map_while(|step| match step {
        object::Step::Key(key) => Some(key.as_str()),
        object::Step::Index(_) => None,
    });
    let keys: Vec<&str> = keys.collect();
    let readers = program.readers(&scope.charts, &keys);
    let node = why_node(path, &found, &readers);
    print_as(format, &node, |_| why_text(path, &found, &readers));
    Ok(match found.value {
        Some(_) => Exit::Done,
        None => Exit::Negative,
    })
}

/// Findings about every chart of a tree at or below a folder; charts inside charts belong to those.
pub fn lint(
    tree: &Tree,
    inside: &TreePath,
    values: &[PathBuf],
) -> Result<Vec<Diagnostic>, Failure> {
    let files = values
        .iter()
        .map(|file| file.to_string_lossy().into_owned());
    let user = user_values(&ValueArgs {
        files: vec![Names(files.collect())],
        ..ValueArgs::default()
    })?;
    let manifests = tree
        .entries()
        .filter(|(path, _)| path.file_name() == "Chart.yaml");
    let folders: Vec<TreePath> = manifests.filter_map(|(path, _)| path.parent()).collect();
    let is_part = |folder: &TreePath| {
        let charts = |around: &TreePath| {
            around
                .join("charts")
                .is_ok_and(|charts| folder.is_within(&charts))
        };
        folders
            .iter()
            .any(|around| around != folder && charts(around))
    };
    let mut found = Vec::new();
    for folder in &folders {
        if !folder.is_within(inside) || is_part(folder) {
            continue;
        }
        let chart = match Chart::from_tree(tree, folder, Profile::Helm4) {
            Ok(chart) => chart,
            Err(error) => {
                let mut finding = error.to_diagnostic();
                finding
                    .span
                    .get_or_insert_with(|| Span::file(folder.as_str()));
                found.push(finding);
                continue;
            }
        };
        let findings = match helm::lint(&chart, &user.files, Profile::Helm4) {
            Ok(findings) => findings,
            Err(error) => vec![error.to_diagnostic()],
        };
        // Places begin with the chart's name; files of the checkout are below its folder.
        let own = format!("{}/", chart.name());
        found.extend(findings.into_iter().map(|mut finding| {
            if let Some(span) = &mut finding.span
                && let Some(rest) = span.path.strip_prefix(&own)
                && let Ok(path) = folder.join(rest)
            {
                span.path = path.as_str().to_owned();
            }
            finding
        }));
    }
    Ok(found)
}

/// Who gave a value, in words.
fn source_text(source: &Source) -> String {
    match source {
        Source::Chart(chart) => format!("defaults of {chart}"),
        Source::Import { chart, from } => format!("{chart} imports it from {from}"),
        Source::File(file) => format!("values file {file}"),
        Source::Flag(flag, text) => format!("{flag} {text}"),
    }
}

fn why_node(path: &str, found: &Why, readers: &[Reader]) -> Node {
    let mut node = Node::map();
    node.set(&["path"], path);
    if let Some(value) = &found.value {
        node.set(&["value"], value.clone());
    }
    let place = |node: &mut Node, at: &Span| {
        node.set(&["file"], at.path.as_str());
        node.set(&["line"], i64::from(at.line));
        node.set(&["column"], i64::from(at.column));
    };
    let given = found.given.iter().map(|given| {
        let mut node = Node::map();
        node.set(&["source"], source_text(&given.source));
        if let Some(at) = &given.at {
            place(&mut node, at);
        }
        node.set(&["value"], given.value.clone());
        node
    });
    node.set(&["given"], Node::list(given));
    let readers = readers.iter().map(|reader| {
        let mut node = Node::map();
        place(&mut node, &reader.at);
        node.set(&["text"], reader.text.as_str());
        node.set(&["within"], Node::Bool(reader.reading == Reading::Within));
        node
    });
    node.set(&["readers"], Node::list(readers));
    node
}

fn why_text(path: &str, found: &Why, readers: &[Reader]) -> String {
    let shown = |value: &Node| {
        let text = object::json::to_string(value);
        let short: String = text.chars().take(100).collect();
        match short.len() < text.len() {
            true => format!("{short}…"),
            false => short,
        }
    };
    let mut text = match &found.value {
        Some(value) => format!("{path} is {}\n", shown(value)),
        None => format!("{path} has no value\n"),
    };
    let last = found.given.len().saturating_sub(1);
    for (at, given) in found.given.iter().enumerate().rev() {
        let verb = match (at == last, &given.value, &found.value) {
            (_, Node::Map(_), Some(Node::Map(_))) => "from",
            (true, ..) => "because",
            (false, ..) => "instead of",
        };
        let place = given
            .at
            .as_ref()
            .map_or_else(String::new, |at| format!(" ({at})"));
        let source = source_text(&given.source);
        text.push_str(&format!(
            "  {verb} {source}{place}: {}\n",
            shown(&given.value)
        ));
    }
    if readers.is_empty() {
        text.push_str("No template names it.\n");
    } else {
        text.push_str("Read by:\n");
    }
    for reader in readers.iter().take(READERS_MAX) {
        let within = match reader.reading {
            Reading::Named => "",
            Reading::Within => " (takes all of it)",
        };
        text.push_str(&format!("  {}: {}{within}\n", reader.at, reader.text));
    }
    if readers.len() > READERS_MAX {
        let more = readers.len() - READERS_MAX;
        text.push_str(&format!("  and {more} more lines\n"));
    }
    text
}

/// The tool this command replaces ends with 1.
fn explained(error: &dyn Explain) -> Failure {
    Failure::explained(Exit::Negative, vec![error.to_diagnostic()])
}

/// The name of the release and the chart, as the words and flags say.
fn name_and_chart(args: &BuildArgs, world: &Moment) -> Result<(String, String), Failure> {
    let refuse = |message: &str| Err(Failure::plain(Exit::Negative, message));
    let name_template = args.name_template.as_deref();
    let name_template = name_template.filter(|template| !template.is_empty());
    match args.words.as_slice() {
        [_, _] if args.generate_name => {
            refuse("cannot set --generate-name and also specify a name")
        }
        [_, _] if name_template.is_some() => {
            refuse("cannot set --name-template and also specify a name")
        }
        [name, chart] => Ok((name.clone(), chart.clone())),
        [chart] => {
            let name = match name_template {
                Some(template) => helm::engine::name_from_template(template, world)
                    .map_err(|error| explained(&error))?,
                None => "release-name".to_owned(),
            };
            Ok((name, chart.clone()))
        }
        _ => refuse("name a chart"),
    }
}

fn options(
    args: &BuildArgs,
    name: String,
    profile: Profile,
) -> Result<Options, helm::OptionsError> {
    let mut options = Options {
        profile,
        name,
        namespace: match &*args.namespace {
            "" => "default".to_owned(),
            namespace => namespace.to_owned(),
        },
        is_upgrade: args.is_upgrade,
        skip_schema: args.skip_schema_validation,
        ..Options::default()
    };
    let capabilities = Arc::make_mut(&mut options.capabilities);
    capabilities.helm_version = helm::HelmVersion::of(profile);
    if let Some(version) = &args.kube_version {
        capabilities.kube_version = KubeVersion::parse(version, profile)?;
    }
    capabilities
        .api_versions
        .extend(Names::all(&args.api_versions).cloned());
    Ok(options)
}

/// Reads the chart in a folder or a file.
fn load(chart: &str, profile: Profile) -> Result<Arc<Chart>, Failure> {
    let place = Path::new(chart);
    if chart.contains("://") {
        let message = format!("`{chart}` is an address; a build reads charts of this machine");
        let diagnostic = Diagnostic::error(Code("ChartNotFound"), message)
            .with_help("Fetch it with `helm pull` and name the file.");
        return Err(Failure::explained(Exit::Negative, vec![diagnostic]));
    }
    let loaded = if place.is_dir() {
        let (root, inside) = files::checkout(place)?;
        Chart::from_tree(&files::below(root), &inside, profile)
    } else if place.is_file() {
        let bytes = files::read_shared(place).map_err(|error| unreadable(chart, &error))?;
        Chart::from_archive(bytes, profile)
    } else {
        let diagnostic =
            Diagnostic::error(Code("ChartNotFound"), format!("path {chart:?} not found"))
                .with_help("Name a folder with a Chart.yaml, or a chart packed as .tgz.");
        return Err(Failure::explained(Exit::Negative, vec![diagnostic]));
    };
    loaded.map_err(|error| {
        let mut diagnostic = error.to_diagnostic();
        if place.is_file() {
            diagnostic.message = archive_text(place, &error, profile);
        }
        let at = diagnostic.span.get_or_insert_with(|| Span::file(chart));
        if at.path.is_empty() {
            at.path = chart.to_owned();
        }
        Failure::explained(Exit::Negative, vec![diagnostic])
    })
}

/// What Helm says of a packed chart; it keeps the cause to itself.
fn archive_text(file: &Path, error: &ChartError, profile: Profile) -> String {
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let file = file.display();
    match (error, profile) {
        (ChartError::NotAnArchive(got), _) => {
            let is_yaml = file.to_string().ends_with(".yml") || file.to_string().ends_with(".yaml");
            match is_yaml {
                true => {
                    format!("file '{file}' seems to be a YAML file, but expected a gzipped archive")
                }
                false => {
                    format!("file '{file}' does not appear to be a gzipped archive; got '{got}'")
                }
            }
        }
        (ChartError::Missing, Profile::Helm4) => {
            "unable to detect chart version, no Chart.yaml found".to_owned()
        }
        (
            ChartError::Archive(_) | ChartError::EntryPath(_) | ChartError::Entry { .. },
            Profile::Helm4,
        ) => {
            format!("unable to load chart archive: {error}")
        }
        _ => error.to_string(),
    }
}

fn unreadable(file: &str, error: &io::Error) -> Failure {
    let diagnostic = Diagnostic::error(Code("FileUnreadable"), format!("{file}: {error}"));
    Failure::explained(Exit::Negative, vec![diagnostic.at(Span::file(file))])
}

/// What the flags give, files read.
fn user_values(args: &ValueArgs) -> Result<UserValues, Failure> {
    let read = |name: &String| -> Result<ValuesFile, Failure> {
        let content = read_named(name).map_err(|error| unreadable(name, &error))?;
        Ok(ValuesFile {
            name: name.clone(),
            content: content.into(),
        })
    };
    Ok(UserValues {
        files: Names::all(&args.files)
            .map(read)
            .collect::<Result<_, _>>()?,
        set_json: args.set_json.clone(),
        set: args.set.clone(),
        set_string: args.set_string.clone(),
        set_file: args.set_file.clone(),
        set_literal: args.set_literal.clone(),
    })
}

/// The bytes of a file, those of standard input for `-`.
fn read_named(name: &str) -> io::Result<Vec<u8>> {
    match name.trim() {
        "-" => {
            let mut bytes = Vec::new();
            io::stdin().lock().read_to_end(&mut bytes)?;
            Ok(bytes)
        }
        _ => fs::read(name),
    }
}

/// The text of a file that `--set-file` names; an error in Go's words.
fn read_set_file(name: &str) -> Result<String, String> {
    let bytes = read_named(name).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("open {name}: no such file or directory"),
        _ => format!("open {name}: {error}"),
    })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Writes documents to the files they come from: files of `crds/` below `folder`, others below `own`.
fn write<'a>(
    folder: &Path,
    own: &Path,
    documents: impl Iterator<Item = Written<'a>>,
) -> Result<(), Failure> {
    let mut begun = std::collections::BTreeSet::new();
    for document in documents {
        let place = match document.kind {
            WrittenKind::Crd => folder.join(document.path),
            WrittenKind::Manifest | WrittenKind::Hook => own.join(document.path),
        };
        let failed = |error| unreadable(&place.to_string_lossy(), &error);
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        // A hook goes to the end of a file that an earlier run has left, too.
        let is_first = begun.insert(place.clone());
        let is_new = is_first && !(document.kind == WrittenKind::Hook && place.exists());
        let mut file = fs::OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(is_new)
            .append(!is_new)
            .open(&place)
            .map_err(failed)?;
        io::Write::write_all(&mut file, document.text.as_bytes()).map_err(failed)?;
        print(&format!("wrote {}\n", place.display()));
    }
    Ok(())
}
