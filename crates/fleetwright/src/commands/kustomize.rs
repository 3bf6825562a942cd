//! What `kustomize` does, for folders with a kustomization file.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use diag::{Code, Diagnostic, Explain, Severity};
use object::Object;
use tree::{Isolated, SourceRef, TreePath, World};

use super::Outcome;
use crate::exit::{Exit, Failure};
use crate::files;
use crate::output::print_all;
use crate::platform::{bases, git_client, rewrites};

/// `build kustomize`.
#[derive(Debug, Default, Args)]
pub struct BuildArgs {
    /// The folder, or the address of a Git repository with a folder in it.
    #[arg(default_value = ".", value_name = "DIR|URL")]
    pub folder: String,
    /// Which files a kustomization may read.
    #[arg(
        long,
        value_enum,
        default_value_t,
        ignore_case = true,
        value_name = "RULE"
    )]
    pub load_restrictor: LoadRestrictor,
    /// Writes to this file; in a folder, one file for each object.
    #[arg(short, long, value_name = "PATH")]
    pub output: Option<PathBuf>,
    /// Order of the objects where the kustomization does not say.
    #[arg(long, value_enum, default_value_t)]
    pub reorder: Reorder,
    /// Labels every object with `app.kubernetes.io/managed-by`.
    #[arg(long)]
    pub enable_managedby_label: bool,
    /// Refuses bases that are addresses.
    #[arg(long)]
    pub no_remote_bases: bool,
    /// Reads addresses that begin with FROM as if they began with TO; may be repeated.
    #[arg(long, value_name = "FROM=TO")]
    pub git_rewrite: Vec<String>,
    #[command(flatten)]
    pub charts: ChartArgs,
    #[command(flatten)]
    pub programs: ProgramArgs,
}

/// How charts are rendered.
#[derive(Debug, Default, Args)]
pub struct ChartArgs {
    /// Renders charts of `helmCharts`; without it they are refused.
    #[arg(long)]
    pub enable_helm: bool,
    /// APIs that charts without `apiVersions` see: `group/version` or `group/version/Kind`.
    #[arg(long, value_delimiter = ',', value_name = "API")]
    pub helm_api_versions: Vec<String>,
    /// Version of Kubernetes that charts without `kubeVersion` see.
    #[arg(long, value_name = "VERSION")]
    pub helm_kube_version: Option<String>,
    /// Renders charts as Helm 3 does.
    #[arg(long)]
    pub helm3: bool,
    /// With --enable-helm: fixed time for `now`, in seconds after 1970, and fixed randomness.
    #[arg(long, value_name = "SECONDS")]
    pub fixed_time: Option<i64>,
}

impl ChartArgs {
    /// What a build needs to render charts, if it shall.
    fn charts(&self) -> Result<Option<kustomize::Charts>, Failure> {
        if !self.enable_helm {
            return Ok(None);
        }
        let renderer = super::helm::charts(self.helm3, self.fixed_time)?;
        Ok(Some(kustomize::Charts {
            renderer,
            api_versions: self.helm_api_versions.clone(),
            kube_version: self.helm_kube_version.clone().unwrap_or_default(),
        }))
    }
}

/// Flags of `kustomize build` that run programs, which this never does.
#[derive(Debug, Default, Args)]
pub struct ProgramArgs {
    #[arg(long, hide = true)]
    enable_alpha_plugins: bool,
    #[arg(long, hide = true)]
    enable_exec: bool,
    #[arg(long, hide = true)]
    enable_star: bool,
    #[arg(long, hide = true, value_name = "PATH")]
    helm_command: Option<String>,
    #[arg(long, hide = true)]
    helm_debug: bool,
    #[arg(long, hide = true)]
    network: bool,
    #[arg(long, hide = true, value_name = "NAME")]
    network_name: Option<String>,
    #[arg(long, hide = true, value_name = "MOUNT")]
    mount: Vec<String>,
    #[arg(short, long, hide = true, value_name = "NAME=VALUE")]
    env: Vec<String>,
    #[arg(long, hide = true)]
    as_current_user: bool,
}

impl ProgramArgs {
    /// Says of each flag that was given why it changes nothing.
    fn notices(&self) -> Vec<Diagnostic> {
        let given = [
            ("--enable-alpha-plugins", self.enable_alpha_plugins),
            ("--enable-exec", self.enable_exec),
            ("--enable-star", self.enable_star),
            ("--helm-command", self.helm_command.is_some()),
            ("--helm-debug", self.helm_debug),
            ("--network", self.network),
            ("--network-name", self.network_name.is_some()),
            ("--mount", !self.mount.is_empty()),
            ("--env", !self.env.is_empty()),
            ("--as-current-user", self.as_current_user),
        ];
        let given = given.iter().filter(|(_, given)| *given);
        let notice = |flag| {
            let text = format!("{flag} changes nothing: a build starts no program");
            Diagnostic::warning(Code("FlagWithoutEffect"), text)
        };
        given.map(|(flag, _)| notice(flag)).collect()
    }
}

/// Which files a kustomization may read, with the names of `kustomize build`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LoadRestrictor {
    /// Those in or below its own folder.
    #[default]
    #[value(name = "LoadRestrictionsRootOnly")]
    RootOnly,
    /// Any.
    #[value(name = "LoadRestrictionsNone")]
    None,
}

/// Order of the objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Reorder {
    /// Well-known kinds first.
    #[default]
    Legacy,
    /// As they were accumulated.
    None,
}

/// Builds and prints or writes.
pub fn build(args: &BuildArgs) -> Outcome {
    for notice in args.programs.notices() {
        eprint!("{}", notice.render());
    }
    let options = kustomize::Options {
        root_only: args.load_restrictor == LoadRestrictor::RootOnly,
        order: match args.reorder {
            Reorder::Legacy => kustomize::Order::Legacy,
            Reorder::None => kustomize::Order::Fifo,
        },
        managed_by_label: args.enable_managedby_label,
        remote_bases: !args.no_remote_bases,
        charts: args.charts.charts()?,
        ..options()
    };
    let (build, warnings) = build_complete(args, &options)?;
    for warning in warnings {
        eprint!("{}", warning.render());
    }
    let build = build.map_err(|errors| {
        let diagnostics = errors.iter().map(Explain::to_diagnostic).collect();
        // The tool this command replaces ends with 1.
        Failure::explained(Exit::Negative, diagnostics)
    })?;
    match &args.output {
        None => print_all(build.documents()),
        Some(output) => write(output, &build).map_err(|error| {
            let message = format!("`{}`: {error}", output.display());
            Failure::plain(Exit::Negative, message)
        })?,
    }
    // The process ends now, which frees it all at once.
    std::mem::forget(build);
    Ok(Exit::Done)
}

type Built = (
    Result<kustomize::Build, Vec<kustomize::BuildError>>,
    Vec<Diagnostic>,
);

/// Builds; when bases are missing that are addresses, fetches them and builds again.
fn build_complete(args: &BuildArgs, options: &kustomize::Options) -> Result<Built, Failure> {
    let disk = files::disk();
    let address = kustomize::is_address(&args.folder);
    let folder = match address {
        true => TreePath::root(),
        false => on_disk(&args.folder)?,
    };
    let build = |world: &dyn World| match address {
        true => kustomize::build_address(&args.folder, options, world),
        false => kustomize::build(&disk, &folder, options, world),
    };
    let missing = |built: &Built| -> Vec<SourceRef> {
        let errors = built.0.as_ref().err().into_iter().flatten();
        errors.filter_map(kustomize::BuildError::missing).collect()
    };
    let first = build(&Isolated);
    if missing(&first).is_empty() {
        return Ok(first);
    }
    crate::start_network();
    let rules = &args.git_rewrite;
    let bases = bases(rules, &git_client(rules), &rewrites(rules, None)?);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(runtime.block_on(bases.complete(|world| {
        let built = build(&*world);
        let missing = missing(&built);
        std::future::ready((built, missing))
    })))
}

/// `lint`.
#[derive(Debug, Args)]
pub struct LintArgs {
    /// A folder of a checkout; its kustomizations and charts are looked at, and its files that none of
    /// the checkout reads.
    #[arg(default_value = ".", value_name = "DIR")]
    pub folder: PathBuf,
    /// Files of values that are meant for the charts there.
    #[arg(short = 'f', long, value_name = "FILE")]
    pub values: Vec<PathBuf>,
    /// How findings are printed.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: LintFormat,
}

/// How findings are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LintFormat {
    /// With places and what to do, for people.
    #[default]
    Text,
    /// `file:line:column: Code: message`, one a line.
    Line,
    /// A JSON document.
    Json,
}

/// Looks at every kustomization and chart of a checkout; ends with 1 when there are findings.
pub fn lint(args: &LintArgs) -> Outcome {
    let (root, inside) = files::checkout(&args.folder)?;
    let tree = files::read(&root)?;
    let here = std::env::current_dir().unwrap_or_default();
    // From above the checkout, places are shown with the way to it.
    let (shown_from, way) = match here.strip_prefix(&root) {
        Ok(below) => (below.to_owned(), PathBuf::new()),
        Err(_) => {
            let way = root.strip_prefix(&here).unwrap_or(&root);
            (PathBuf::new(), way.to_owned())
        }
    };
    let options = kustomize::Options {
        root_only: false,
        shown_from: TreePath::new(&shown_from.to_string_lossy()).unwrap_or_default(),
        charts: Some(kustomize::Charts {
            renderer: super::helm::charts(false, Some(0))?,
            api_versions: Vec::new(),
            kube_version: String::new(),
        }),
        ..kustomize::Options::default()
    };
    let mut found = kustomize::lint(&tree, &options, &Isolated, &[]);
    found.retain(|finding| {
        let place = finding.span.as_ref();
        let place = place.map(|span| options.shown_from.join(&span.path));
        place.is_none_or(|path| path.is_ok_and(|path| path.is_within(&inside)))
    });
    found.extend(super::helm::lint(&tree, &inside, &args.values)?);
    if !way.as_os_str().is_empty() {
        let spans = found.iter_mut().filter_map(|finding| finding.span.as_mut());
        spans.for_each(|span| span.path = way.join(&span.path).to_string_lossy().into_owned());
    }
    let of_components = super::preview::lint(root, &inside, &tree);
    // A file that cannot be read is told once, by whoever reads it first.
    let place = |own: &Diagnostic| own.span.as_ref().map(|own| (own.path.clone(), own.line));
    let known: BTreeSet<_> = found.iter().map(|own| (own.code, place(own))).collect();
    let new = of_components.into_iter();
    found.extend(new.filter(|own| !known.contains(&(own.code, place(own)))));
    match args.output {
        LintFormat::Text => print_all(found.iter().map(Diagnostic::render)),
        LintFormat::Line => print_all(found.iter().map(finding_line)),
        LintFormat::Json => print_all(std::iter::once(findings_json(&found))),
    }
    Ok(match found.is_empty() {
        true => Exit::Done,
        false => Exit::Negative,
    })
}

fn finding_line(finding: &Diagnostic) -> String {
    let place = finding.span.as_ref();
    let place = place.map_or_else(String::new, |span| format!("{span}: "));
    format!("{place}{}: {}\n", finding.code.0, finding.message)
}

fn findings_json(found: &[Diagnostic]) -> String {
    let findings = found.iter().map(|finding| {
        let mut node = object::Node::map();
        node.set(&["code"], finding.code.0);
        let severity = match finding.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        node.set(&["severity"], severity);
        node.set(&["message"], finding.message.as_str());
        if let Some(span) = &finding.span {
            node.set(&["path"], span.path.as_str());
            node.set(&["line"], i64::from(span.line));
            node.set(&["column"], i64::from(span.column));
        }
        node.set(
            &["help"],
            object::Node::list(finding.help.iter().map(String::as_str)),
        );
        node
    });
    let mut document = object::Node::map();
    document.set(&["findings"], object::Node::list(findings));
    object::json::to_string_pretty(&document, 2) + "\n"
}

/// What can be rewritten.
#[derive(Debug, Subcommand)]
pub enum FixCommand {
    /// Rewrites a kustomization file without deprecated fields, as `kustomize edit fix` does.
    Kustomize(FixArgs),
}

/// `fix kustomize`.
#[derive(Debug, Args)]
pub struct FixArgs {
    /// The folder of the kustomization file.
    #[arg(default_value = ".", value_name = "DIR")]
    pub folder: PathBuf,
    /// Also makes replacements of variables, in every file that uses them.
    #[arg(long)]
    pub vars: bool,
    /// Only says what would be rewritten; ends with 1 when something would.
    #[arg(long)]
    pub dry_run: bool,
}

/// Rewrites the files of a folder.
pub fn fix(command: &FixCommand) -> Outcome {
    let FixCommand::Kustomize(args) = command;
    let folder = on_disk(&args.folder.to_string_lossy())?;
    let fix_options = kustomize::FixOptions {
        vars: args.vars,
        build: options(),
    };
    let fixed = kustomize::fix(&files::disk(), &folder, &fix_options, &Isolated);
    let fixed = fixed.map_err(|errors| {
        let diagnostics = errors.iter().map(Explain::to_diagnostic).collect();
        Failure::explained(Exit::Negative, diagnostics)
    })?;
    let mut said = BTreeSet::new();
    for warning in fixed.warnings.iter().map(Diagnostic::render) {
        if said.insert(warning.clone()) {
            eprint!("{warning}");
        }
    }
    if args.dry_run {
        let here = &fix_options.build.shown_from;
        let names = fixed.files.keys().map(|path| path.relative_to(here) + "\n");
        print_all(names);
        return Ok(match fixed.files.is_empty() {
            true => Exit::Done,
            false => Exit::Negative,
        });
    }
    for (path, text) in &fixed.files {
        files::replace(path, text)?;
    }
    print_all(fixed.notes.iter().map(|note| format!("{note}\n")));
    Ok(Exit::Done)
}

/// For builds from this machine's disk.
pub fn options() -> kustomize::Options {
    let here = std::env::current_dir().and_then(|here| files::on_disk(&here));
    kustomize::Options {
        absolute_paths: true,
        shown_from: here.unwrap_or_default(),
        ..kustomize::Options::default()
    }
}

/// The folder in the tree of this machine's disk.
fn on_disk(folder: &str) -> Result<TreePath, Failure> {
    files::on_disk(Path::new(folder)).map_err(|error| {
        let message = format!("`{folder}`: {error}");
        Failure::plain(Exit::Negative, message)
    })
}

/// Writes everything to a file, or each object to a file of its own in a folder.
fn write(output: &Path, build: &kustomize::Build) -> std::io::Result<()> {
    if !output.is_dir() {
        let mut file = std::io::BufWriter::new(std::fs::File::create(output)?);
        build
            .documents()
            .try_for_each(|document| file.write_all(document.as_bytes()))?;
        return file.flush();
    }
    // As the reference has it: objects without a namespace count as those of `default`.
    let namespace = |object: &Object| match object.namespace() {
        _ if kustomize::is_cluster_scoped(object.api_version(), object.kind()) => None,
        "" => Some("default".to_owned()),
        namespace => Some(namespace.to_owned()),
    };
    let namespaces: BTreeSet<_> = build.objects.iter().filter_map(namespace).collect();
    for object in &build.objects {
        let (gvk, namespace) = (object.gvk(), namespace(object).unwrap_or_default());
        let mut parts = vec![gvk.group.as_str(), gvk.version.as_str(), gvk.kind.as_str()];
        if namespaces.len() > 1 {
            parts.insert(0, &namespace);
        }
        parts.push(object.name());
        parts.retain(|part| !part.is_empty());
        let name = format!("{}.yaml", parts.join("_").to_lowercase());
        std::fs::write(
            output.join(name.replace('/', "_")),
            yaml::to_string(&object.node),
        )?;
    }
    Ok(())
}
