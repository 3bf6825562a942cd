//! What `kustomize` does, for folders with a kustomization file.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use diag::{Code, Diagnostic, Explain};
use object::Object;
use tree::{Isolated, TreePath};

use super::Outcome;
use crate::exit::{Exit, Failure};
use crate::files;
use crate::output::print_all;

/// `build kustomize`.
#[derive(Debug, Args)]
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
    #[command(flatten)]
    pub programs: ProgramArgs,
}

/// Flags of `kustomize build` that run programs, which this never does.
#[derive(Debug, Args)]
pub struct ProgramArgs {
    #[arg(long, hide = true)]
    enable_alpha_plugins: bool,
    #[arg(long, hide = true)]
    enable_exec: bool,
    #[arg(long, hide = true)]
    enable_star: bool,
    #[arg(long, hide = true)]
    enable_helm: bool,
    #[arg(long, hide = true, value_name = "PATH")]
    helm_command: Option<String>,
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
            ("--enable-helm", self.enable_helm),
            ("--helm-command", self.helm_command.is_some()),
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
    let folder = on_disk(&args.folder)?;
    let options = kustomize::Options {
        root_only: args.load_restrictor == LoadRestrictor::RootOnly,
        order: match args.reorder {
            Reorder::Legacy => kustomize::Order::Legacy,
            Reorder::None => kustomize::Order::Fifo,
        },
        managed_by_label: args.enable_managedby_label,
        remote_bases: !args.no_remote_bases,
        ..options()
    };
    let (build, warnings) = kustomize::build(&files::disk(), &folder, &options, &Isolated);
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
