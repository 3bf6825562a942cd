//! What can be said on the command line.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, FromArgMatches as _, Parser, Subcommand, ValueEnum};

use crate::commands::{apiserver, build, component, diff, helm, kustomize, openchoreo, preview};

/// Turns Git into running fleets.
#[derive(Debug, Parser)]
#[command(name = "fleetwright", version, infer_subcommands = false)]
pub struct Cli {
    /// More on standard error; twice for everything.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// `build kustomize` of a folder without any flag.
    pub fn plain_build(folder: String) -> Self {
        let args = kustomize::BuildArgs {
            folder,
            ..kustomize::BuildArgs::default()
        };
        Self {
            verbose: 0,
            command: Command::Build(build::BuildCommand::Kustomize(args)),
        }
    }

    /// `build helm` with the arguments behind it, where these are all for that command: none of them
    /// asks for help or is wrong.
    pub fn build_helm(arguments: impl Iterator<Item = OsString>) -> Option<Self> {
        let command = clap::Command::new("helm")
            .no_binary_name(true)
            .disable_help_flag(true)
            .disable_version_flag(true);
        let matches = helm::BuildArgs::augment_args(command).try_get_matches_from(arguments);
        let args = helm::BuildArgs::from_arg_matches(&matches.ok()?).ok()?;
        Some(Self {
            verbose: 0,
            command: Command::Build(build::BuildCommand::Helm(Box::new(args))),
        })
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Tries everything in one process: a control plane, two clusters and a sample repository.
    Demo(DemoArgs),
    /// Runs the same, durable, in a data directory.
    Serve(ServeArgs),
    /// Reconciles the Flux objects of a Kubernetes cluster.
    Controller(Box<ControllerArgs>),
    /// Runs only the Kubernetes-compatible API server.
    Apiserver(apiserver::Args),
    /// Builds manifests from files, without a server.
    #[command(subcommand)]
    Build(build::BuildCommand),
    /// Renders the components of a checkout for an environment, without a server.
    Render(preview::RenderArgs),
    /// Reports what renders without a word and is almost surely a mistake.
    Lint(kustomize::LintArgs),
    /// Rewrites files that use what is deprecated.
    #[command(subcommand)]
    Fix(kustomize::FixCommand),
    /// Shows what applying files would change.
    #[command(subcommand)]
    Diff(diff::DiffCommand),
    #[command(flatten)]
    Components(component::Commands),
    /// Lists sources and units and how they are; or components, bindings, releases and others.
    Get(GetArgs),
    /// Shows the objects of a unit, and of the units among them; of a component, project,
    /// environment or binding, down to pods.
    Tree(UnitArgs),
    /// Lists what happened, oldest first.
    Events(EventsArgs),
    /// Looks at a source or unit now, and waits for the outcome.
    Reconcile(ReconcileArgs),
    /// Stops reconciling a source or unit.
    Suspend(UnitArgs),
    /// Goes on reconciling a source or unit.
    Resume(UnitArgs),
    /// Lets a held deletion go.
    Confirm(ConfirmArgs),
    /// Says why a unit is not in sync, or a component, binding or release is not ready, down to the
    /// cause; with `binding/NAME KIND[/NAME][:PATH]`, which template, patch and value made an
    /// object or a field of it; with `value PATH --chart CHART`, where a
    /// value of a chart comes from and what reads it.
    Why(Box<WhyArgs>),
    /// Binds the release of one environment in the next, in a checkout or with --server.
    Promote(Box<openchoreo::change::PromoteArgs>),
    /// Binds the release that ran before, in a checkout or with --server.
    Rollback(Box<openchoreo::change::RollbackArgs>),
    /// Approves what is bound in an environment: exactly this release with these values.
    Approve(Box<openchoreo::change::ApproveArgs>),
    /// Lists which releases of a component were ready where.
    History(openchoreo::history::HistoryArgs),
    /// Explains an error code.
    Explain {
        /// The code, as `PatchTargetNotFound`; without one, lists them.
        code: Option<String>,
    },
    /// Prints a completion script.
    Completion {
        /// For which shell.
        shell: clap_complete::Shell,
    },
    /// Prints the version.
    Version,
}

/// Which server to talk to.
#[derive(Clone, Debug, Default, Args)]
pub struct ServerArgs {
    /// The kubeconfig to use; else KUBECONFIG, else that of a running demo or serve.
    #[arg(long, env = "KUBECONFIG", value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig to use.
    #[arg(long)]
    pub context: Option<String>,
    /// Folder where a running demo or serve left its kubeconfig.
    #[arg(long, env = "FLEETWRIGHT_STATE_DIR", value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Namespace of the object; by default flux-system, and of OpenChoreo's objects any.
    #[arg(short, long)]
    pub namespace: Option<String>,
}

impl ServerArgs {
    /// The namespace of Flux's objects.
    pub fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or("flux-system")
    }
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Columns for people.
    #[default]
    Table,
    /// More columns.
    Wide,
    /// JSON.
    Json,
    /// YAML.
    Yaml,
    /// One name a line.
    Name,
}

const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

const DEFAULT_HTTP_ADDRESS: SocketAddr = loopback(7080);
const DEFAULT_API_ADDRESS: SocketAddr = loopback(7443);
const DEFAULT_STORAGE_ADDRESS: SocketAddr = loopback(9090);

/// Where something listens when nobody says where; when one is taken, a free port does as well.
pub const DEFAULT_ADDRESSES: [SocketAddr; 3] = [
    DEFAULT_HTTP_ADDRESS,
    DEFAULT_API_ADDRESS,
    DEFAULT_STORAGE_ADDRESS,
];

/// Addresses of everything that listens.
#[derive(Clone, Debug, Args)]
pub struct Addresses {
    /// Status page and Git server; port 0 takes a free one.
    #[arg(long, default_value_t = DEFAULT_HTTP_ADDRESS, value_name = "ADDRESS")]
    pub http_addr: SocketAddr,
    /// Kubernetes API; port 0 takes a free one.
    #[arg(long, default_value_t = DEFAULT_API_ADDRESS, value_name = "ADDRESS")]
    pub api_addr: SocketAddr,
    /// Archives of sources; port 0 takes a free one.
    #[arg(long, default_value_t = DEFAULT_STORAGE_ADDRESS, value_name = "ADDRESS")]
    pub storage_addr: SocketAddr,
}

/// `demo`.
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    #[command(flatten)]
    pub addresses: Addresses,
    /// Ends when every unit rests, with a summary; exits 0 if each is as the sample says.
    #[arg(long)]
    pub settle: bool,
    /// How the summary of --settle is printed.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Format,
    /// Longest time for --settle.
    #[arg(long, default_value = "60s", value_parser = duration)]
    pub timeout: golang::Duration,
    /// Folder for the kubeconfig.
    #[arg(long, env = "FLEETWRIGHT_STATE_DIR", value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    #[command(flatten)]
    pub engine: EngineArgs,
}

/// `serve`.
#[derive(Clone, Debug, Args)]
pub struct ServeArgs {
    #[command(flatten)]
    pub addresses: Addresses,
    /// Folder that keeps everything; your data folder by default.
    #[arg(long, env = "FLEETWRIGHT_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Folder for the kubeconfig.
    #[arg(long, env = "FLEETWRIGHT_STATE_DIR", value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Makes an empty repository OWNER/NAME on the Git server, if it is not there; may be repeated.
    #[arg(long, value_name = "OWNER/NAME")]
    pub create_repository: Vec<String>,
    /// A real control plane instead of the embedded one.
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig to use.
    #[arg(long)]
    pub context: Option<String>,
    #[command(flatten)]
    pub engine: EngineArgs,
}

/// What is common to everything that reconciles.
#[derive(Clone, Debug, Args)]
pub struct EngineArgs {
    /// Reads addresses that begin with FROM as if they began with TO; may be repeated.
    #[arg(long, value_name = "FROM=TO")]
    pub git_rewrite: Vec<String>,
    /// Refuses bases that kustomizations name by address.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", action = clap::ArgAction::Set)]
    pub no_remote_bases: bool,
    /// What is done about large deletions: confirm, warn or off.
    #[arg(long, value_name = "MODE")]
    pub deletion_brake: Option<BrakeMode>,
    /// Reconciles of units at the same time.
    #[arg(long, default_value_t = 4)]
    pub concurrent: usize,
    /// Dry runs and writes of one unit at the same time [default: 4, on an embedded API server 16].
    #[arg(long, value_name = "N")]
    pub concurrent_ssa: Option<usize>,
    /// Refuses sources of other namespaces.
    #[arg(long)]
    pub no_cross_namespace_refs: bool,
    /// Service account of units that name none.
    #[arg(long, default_value = "", value_name = "NAME")]
    pub default_service_account: String,
    /// Kinds applied in a stage of their own before others, as Group/Kind.
    #[arg(long, value_delimiter = ',', value_name = "GROUP/KIND")]
    pub custom_apply_stage_kinds: Vec<String>,
    /// Field managers whose fields are taken over, beside kubectl's.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub override_manager: Vec<String>,
    /// Serves only objects with these labels.
    #[arg(long, default_value = "", value_name = "SELECTOR")]
    pub watch_label_selector: String,
    /// Lets kubeconfigs from Secrets name addresses of this machine.
    #[arg(long)]
    pub allow_loopback_targets: bool,
}

/// What is done about large deletions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BrakeMode {
    /// They wait until somebody confirms them.
    Confirm,
    /// They happen, with a warning.
    Warn,
    /// They happen.
    Off,
}

/// `controller`.
#[derive(Clone, Debug, Args)]
pub struct ControllerArgs {
    /// The cluster to serve; inside one, its own by default.
    #[arg(long, env = "KUBECONFIG", value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig to use.
    #[arg(long)]
    pub context: Option<String>,
    /// What to do, of `source` and `kustomize`.
    #[arg(long, value_delimiter = ',', default_value = "source,kustomize")]
    pub roles: Vec<Role>,
    /// Serves all namespaces; else only that of RUNTIME_NAMESPACE.
    #[arg(long, default_value = "true", num_args = 0..=1, default_missing_value = "true", action = clap::ArgAction::Set)]
    pub watch_all_namespaces: bool,
    /// The namespace served when not all are.
    #[arg(
        long,
        env = "RUNTIME_NAMESPACE",
        default_value = "flux-system",
        hide = true
    )]
    pub runtime_namespace: String,
    /// Folder for archives.
    #[arg(long, default_value = "/data", value_name = "DIR")]
    pub storage_path: PathBuf,
    /// Where archives are served.
    #[arg(long, default_value = "0.0.0.0:9090", value_name = "ADDRESS")]
    pub storage_addr: SocketAddr,
    /// The address of archives as others see it.
    #[arg(long, value_name = "HOST")]
    pub storage_adv_addr: Option<String>,
    /// Where health is answered: /healthz and /readyz.
    #[arg(long, default_value = "0.0.0.0:9440", value_name = "ADDRESS")]
    pub health_addr: SocketAddr,
    /// Installs the CRDs of the served kinds first.
    #[arg(long)]
    pub install_crds: bool,
    /// Starts although Flux's own controllers run on the cluster.
    #[arg(long)]
    pub take_over: bool,
    /// How much is logged: trace, debug, info, warn or error.
    #[arg(long, value_name = "LEVEL")]
    pub log_level: Option<String>,
    /// How logs are written: json or console.
    #[arg(long, default_value = "json", value_name = "FORMAT")]
    pub log_encoding: String,
    #[command(flatten)]
    pub engine: EngineArgs,
    #[command(flatten)]
    pub accepted: AcceptedFlags,
}

/// Flags of Flux's controllers that change nothing here; they are accepted, so that a Deployment
/// made for Flux starts, and named in a warning.
#[derive(Clone, Debug, Default, Args)]
pub struct AcceptedFlags {
    #[arg(long, hide = true)]
    pub metrics_addr: Option<String>,
    #[arg(long, hide = true)]
    pub events_addr: Option<String>,
    #[arg(long, hide = true)]
    pub requeue_dependency: Option<String>,
    #[arg(long, hide = true)]
    pub min_retry_delay: Option<String>,
    #[arg(long, hide = true)]
    pub max_retry_delay: Option<String>,
    #[arg(long, hide = true)]
    pub interval_jitter_percentage: Option<String>,
    #[arg(long, hide = true)]
    pub kube_api_qps: Option<String>,
    #[arg(long, hide = true)]
    pub kube_api_burst: Option<String>,
    #[arg(long, hide = true, num_args = 0..=1, default_missing_value = "true")]
    pub enable_leader_election: Option<String>,
    #[arg(long, hide = true, num_args = 0..=1, default_missing_value = "true")]
    pub leader_election_release_on_cancel: Option<String>,
    #[arg(long, hide = true)]
    pub leader_election_lease_duration: Option<String>,
    #[arg(long, hide = true)]
    pub leader_election_renew_deadline: Option<String>,
    #[arg(long, hide = true)]
    pub leader_election_retry_period: Option<String>,
    #[arg(long, hide = true)]
    pub feature_gates: Option<String>,
    #[arg(long, hide = true)]
    pub token_cache_max_size: Option<String>,
    #[arg(long, hide = true)]
    pub token_cache_max_duration: Option<String>,
    #[arg(long, hide = true)]
    pub http_retry: Option<String>,
    #[arg(long, hide = true)]
    pub artifact_retention_ttl: Option<String>,
    #[arg(long, hide = true)]
    pub artifact_retention_records: Option<String>,
    #[arg(long, hide = true)]
    pub artifact_digest_algo: Option<String>,
    #[arg(long, hide = true, num_args = 0..=1, default_missing_value = "true")]
    pub insecure_kubeconfig_exec: Option<String>,
    #[arg(long, hide = true, num_args = 0..=1, default_missing_value = "true")]
    pub insecure_kubeconfig_tls: Option<String>,
}

impl AcceptedFlags {
    /// The flags that were given.
    pub fn given(&self) -> Vec<&'static str> {
        let all: [(&'static str, &Option<String>); 22] = [
            ("--metrics-addr", &self.metrics_addr),
            ("--events-addr", &self.events_addr),
            ("--requeue-dependency", &self.requeue_dependency),
            ("--min-retry-delay", &self.min_retry_delay),
            ("--max-retry-delay", &self.max_retry_delay),
            (
                "--interval-jitter-percentage",
                &self.interval_jitter_percentage,
            ),
            ("--kube-api-qps", &self.kube_api_qps),
            ("--kube-api-burst", &self.kube_api_burst),
            ("--enable-leader-election", &self.enable_leader_election),
            (
                "--leader-election-release-on-cancel",
                &self.leader_election_release_on_cancel,
            ),
            (
                "--leader-election-lease-duration",
                &self.leader_election_lease_duration,
            ),
            (
                "--leader-election-renew-deadline",
                &self.leader_election_renew_deadline,
            ),
            (
                "--leader-election-retry-period",
                &self.leader_election_retry_period,
            ),
            ("--feature-gates", &self.feature_gates),
            ("--token-cache-max-size", &self.token_cache_max_size),
            ("--token-cache-max-duration", &self.token_cache_max_duration),
            ("--http-retry", &self.http_retry),
            ("--artifact-retention-ttl", &self.artifact_retention_ttl),
            (
                "--artifact-retention-records",
                &self.artifact_retention_records,
            ),
            ("--artifact-digest-algo", &self.artifact_digest_algo),
            ("--insecure-kubeconfig-exec", &self.insecure_kubeconfig_exec),
            ("--insecure-kubeconfig-tls", &self.insecure_kubeconfig_tls),
        ];
        let given = all.into_iter().filter(|(_, value)| value.is_some());
        given.map(|(name, _)| name).collect()
    }
}

/// A part of the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Fetches GitRepositories.
    Source,
    /// Reconciles Kustomizations.
    Kustomize,
    /// Turns components into objects on data planes.
    Component,
}

/// `get`.
#[derive(Clone, Debug, Args)]
pub struct GetArgs {
    /// `all` sources and units, `ks`, `sources`; `components`, `bindings`, `releases`, `projects`,
    /// `environments` and other kinds of OpenChoreo; or KIND/NAME.
    #[arg(default_value = "all")]
    pub what: String,
    /// Only this one.
    pub name: Option<String>,
    #[command(flatten)]
    pub server: ServerArgs,
    /// All namespaces.
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
    /// How it is printed.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Format,
}

/// A command about one source or unit.
#[derive(Clone, Debug, Args)]
pub struct UnitArgs {
    /// KIND/NAME, or KIND and NAME: `ks/apps`, `gitrepo/fleet`, `component/web`.
    #[arg(required = true, num_args = 1..=2)]
    pub unit: Vec<String>,
    #[command(flatten)]
    pub server: ServerArgs,
    /// How it is printed.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Format,
}

/// `why`.
#[derive(Clone, Debug, Args)]
pub struct WhyArgs {
    #[command(flatten)]
    pub unit: UnitArgs,
    /// Of a component, only this environment.
    #[arg(short, long, value_name = "NAME", conflicts_with = "chart")]
    pub env: Option<String>,
    #[command(flatten)]
    pub value: helm::WhyValueArgs,
}

/// `events`.
#[derive(Clone, Debug, Args)]
pub struct EventsArgs {
    #[command(flatten)]
    pub server: ServerArgs,
    /// All namespaces.
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
    /// Only events of KIND/NAME, and of its source.
    #[arg(long = "for", value_name = "KIND/NAME")]
    pub for_object: Option<String>,
    /// How it is printed.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Format,
}

/// `reconcile`.
#[derive(Clone, Debug, Args)]
pub struct ReconcileArgs {
    /// KIND/NAME, or KIND and NAME.
    #[arg(required = true, num_args = 1..=2)]
    pub unit: Vec<String>,
    #[command(flatten)]
    pub server: ServerArgs,
    /// Looks at the unit's source first.
    #[arg(long)]
    pub with_source: bool,
    /// Longest time to wait.
    #[arg(long, default_value = "5m", value_parser = duration)]
    pub timeout: golang::Duration,
}

/// `confirm`.
#[derive(Clone, Debug, Args)]
pub struct ConfirmArgs {
    /// KIND/NAME, or KIND and NAME.
    #[arg(required = true, num_args = 1..=2)]
    pub unit: Vec<String>,
    #[command(flatten)]
    pub server: ServerArgs,
    /// Digest of the held deletions, as the unit's status names it.
    #[arg(long, value_name = "DIGEST")]
    pub plan: String,
}

/// Reads a Go duration.
pub fn duration(text: &str) -> Result<golang::Duration, String> {
    text.parse::<golang::Duration>()
        .map_err(|error| error.to_string())
}
