//! Everything in one process: API servers, Git server, archives, controllers, status page.

mod archives;
mod bootstrap;
mod embedded;
mod git;
mod listen;
mod planes;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use apiserver::Server;
use runtime::{ComponentOptions, Components, DefaultPlane, Engine, Options, SystemClock, Targets};
use tokio::task::JoinHandle;

pub use archives::{archive_routes, storage};
pub use bootstrap::{Definitions, install_definitions};
pub use git::{bases, engine_bases, git_client, rewrites};
pub use planes::{OwnCluster, plane_kubeconfig};

use crate::cli::{Addresses, BrakeMode, DemoArgs, EngineArgs, ServeArgs};
use crate::commands;
use crate::connect::{connect_to, state_folder};
use crate::exit::{Exit, Failure};
use crate::sample::{self, Sample};
use archives::sources;
use bootstrap::set_up_samples;
use embedded::Embedded;
use git::{create_repositories, git_routes, git_server, push_token};
use listen::listen;

/// What to vary about a platform.
pub struct PlatformOptions {
    addresses: Addresses,
    engine: EngineArgs,
    /// Folder that keeps everything; `None` keeps nothing.
    data: Option<PathBuf>,
    /// Folder for the kubeconfig.
    state: PathBuf,
    /// A control plane elsewhere, instead of the embedded one.
    control_plane: Option<(PathBuf, Option<String>)>,
    /// The sample repositories that are set up.
    samples: &'static [Sample],
    /// Repositories to make on the Git server.
    repositories: Vec<String>,
}

/// Everything in one process.
pub struct Platform {
    /// The controllers.
    pub engine: Engine,
    /// The controllers of components.
    pub components: Components,
    /// Where the status page and the Git server are.
    pub http: SocketAddr,
    /// Where the Kubernetes API is; `None` when it is elsewhere.
    pub api: Option<SocketAddr>,
    /// Where archives are.
    pub storage: SocketAddr,
    /// The kubeconfig that was written.
    pub kubeconfig: PathBuf,
    /// What pushes need as a password.
    pub push_token: String,
    /// What was opened elsewhere than asked.
    pub notices: Vec<String>,
    run: JoinHandle<String>,
    _api_server: Option<Server>,
    _folder: Option<tempfile::TempDir>,
}

impl PlatformOptions {
    /// As the demo asks.
    pub fn demo(args: &DemoArgs) -> Self {
        Self {
            addresses: args.addresses.clone(),
            engine: args.engine.clone(),
            data: None,
            state: state_folder(args.state_dir.as_deref()),
            control_plane: None,
            samples: sample::SAMPLES,
            repositories: Vec::new(),
        }
    }

    /// As serve asks.
    pub fn serve(args: &ServeArgs) -> Result<Self, Failure> {
        let data = match &args.data_dir {
            Some(data) => data.clone(),
            None => data_folder()?,
        };
        Ok(Self {
            addresses: args.addresses.clone(),
            engine: args.engine.clone(),
            data: Some(data),
            state: state_folder(args.state_dir.as_deref()),
            control_plane: args
                .kubeconfig
                .clone()
                .map(|path| (path, args.context.clone())),
            samples: match args.kubeconfig {
                None => &sample::SAMPLES[..1],
                Some(_) => &[],
            },
            repositories: args.create_repository.clone(),
        })
    }
}

impl Platform {
    /// Starts everything and returns when it is reachable.
    pub async fn start(options: PlatformOptions) -> Result<Self, Failure> {
        let folder = match &options.data {
            Some(_) => None,
            None => Some(tempfile::tempdir()?),
        };
        let data = match (&options.data, &folder) {
            (Some(data), _) => data.clone(),
            (None, Some(folder)) => folder.path().to_owned(),
            (None, None) => std::env::temp_dir(),
        };
        std::fs::create_dir_all(&data)?;
        let mut notices = Vec::new();
        let http = listen(options.addresses.http_addr, "--http-addr", &mut notices).await?;
        let http_address = http.local_addr()?;
        let storage = listen(
            options.addresses.storage_addr,
            "--storage-addr",
            &mut notices,
        )
        .await?;
        let storage_address = storage.local_addr()?;

        let embedded = match &options.control_plane {
            Some(_) => None,
            None => Some(Embedded::start(&options, &data, &mut notices).await?),
        };
        let control_plane = match (&embedded, &options.control_plane) {
            (Some(embedded), _) => embedded.control_plane.clone(),
            (None, Some((path, context))) => connect_to(path, context.as_deref()).await?,
            (None, None) => return Err(Failure::plain(Exit::Defect, "there is no control plane")),
        };
        install_definitions(&control_plane, Definitions::All).await?;

        let push_token = push_token(&data)?;
        let announced: Arc<OnceLock<Engine>> = Arc::default();
        let git = git_server(&data, &push_token, http_address, announced.clone());
        create_repositories(&git, &options.repositories)?;
        let base = format!("http://{http_address}/git/");
        let (sources, archives) = sources(&options.engine, &data, storage_address, &base, &git)?;

        let targets = Targets::new(control_plane.clone(), options.engine.allow_loopback_targets);
        if let Some(embedded) = &embedded {
            for (address, cluster) in &embedded.targets {
                targets.register(address, cluster.clone());
            }
        }
        let defaults = Defaults {
            brake: plan::Brake::Confirm,
            concurrent_ssa: match embedded {
                Some(_) => CONCURRENT_SSA_EMBEDDED,
                None => CONCURRENT_SSA,
            },
        };
        let engine_options = engine_options(&options.engine, &defaults)?;
        let (engine, run) = Engine::new(targets, sources, engine_options);
        let _ = announced.set(engine.clone());
        let default_plane: Arc<dyn DefaultPlane> = match &embedded {
            Some(embedded) => embedded.planes.clone(),
            None => Arc::new(OwnCluster(control_plane.clone())),
        };
        let (components, run) = with_components(&engine, default_plane, run);
        let run = tokio::spawn(run);
        tokio::spawn(server::serve(storage, archive_routes(archives)));
        let routes = server::router(engine.clone()).merge(git_routes(git.clone()));
        tokio::spawn(server::serve(http, routes));

        let platform = Self {
            engine,
            components,
            http: http_address,
            api: embedded.as_ref().map(|embedded| embedded.address),
            storage: storage_address,
            kubeconfig: match (&embedded, &options.control_plane) {
                (None, Some((path, _))) => path.clone(),
                _ => options.state.join("kubeconfig"),
            },
            push_token,
            notices,
            run,
            _folder: folder,
            _api_server: None,
        };
        if !options.samples.is_empty() {
            set_up_samples(&control_plane, &git, embedded.as_ref(), options.samples).await?;
        }
        Ok(Self {
            _api_server: embedded.map(|embedded| embedded.server),
            ..platform
        })
    }

    /// Says on standard error what was opened.
    pub fn print_addresses(&self) {
        for notice in &self.notices {
            eprintln!("◎ {notice}");
        }
        if let Some(api) = self.api {
            eprintln!(
                "► Kubernetes API   https://{api}   kubeconfig {}",
                self.kubeconfig.display()
            );
        }
        eprintln!("► status page      http://{}", self.http);
        eprintln!("► Git server       http://{}/git/", self.http);
        eprintln!("► archives         http://{}", self.storage);
    }

    /// Runs until interrupted, or until a part has ended by accident.
    pub async fn run_until_interrupted(self) -> commands::Outcome {
        tokio::select! {
            () = interrupted() => Ok(Exit::Done),
            ended = self.run => {
                let why = ended.unwrap_or_else(|error| error.to_string());
                Err(Failure::plain(Exit::Defect, format!("the controllers stopped: {why}")))
            }
        }
    }
}

/// The controllers of components beside the engine, and what runs both until one of them ends by
/// accident.
pub fn with_components(
    engine: &Engine,
    default_plane: Arc<dyn DefaultPlane>,
    run: impl Future<Output = String> + Send + 'static,
) -> (Components, impl Future<Output = String> + Send + 'static) {
    let options = ComponentOptions {
        control: control::components::Options::default(),
        default_plane,
    };
    let (components, run_components) = Components::new(engine, options);
    let both = async {
        tokio::select! {
            ended = run => ended,
            ended = run_components => ended,
        }
    };
    (components, both)
}

/// Ends at the first wish of the system to stop.
pub async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let interrupt = tokio::signal::ctrl_c();
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = interrupt => {}
            _ = terminate.recv() => {}
        },
        Err(_) => {
            let _ = interrupt.await;
        }
    }
}

/// What differs between a control plane of ours and a Kubernetes that others use as well.
pub struct Defaults {
    pub brake: plan::Brake,
    /// Dry runs and writes of one unit at the same time.
    pub concurrent_ssa: usize,
}

/// Flux's number of dry runs of a unit at the same time.
pub const CONCURRENT_SSA: usize = 4;

/// The same where the embedded API server is the control plane: it stores many writes as fast as
/// one.
const CONCURRENT_SSA_EMBEDDED: usize = 16;

/// What the flags say about the controllers.
pub fn engine_options(args: &EngineArgs, defaults: &Defaults) -> Result<Options, Failure> {
    let custom_kinds = args.custom_apply_stage_kinds.iter().map(|text| {
        let (group, kind) = text.split_once('/').ok_or_else(|| {
            let message = format!("--custom-apply-stage-kinds `{text}` is not Group/Kind");
            Failure::plain(Exit::Usage, message)
        })?;
        Ok(object::GroupKind {
            group: group.into(),
            kind: kind.into(),
        })
    });
    Ok(Options {
        clock: Arc::new(SystemClock),
        concurrent: args.concurrent,
        concurrent_sources: 2,
        concurrent_ssa: args.concurrent_ssa.unwrap_or(defaults.concurrent_ssa),
        brake: match args.deletion_brake {
            None => defaults.brake,
            Some(BrakeMode::Confirm) => plan::Brake::Confirm,
            Some(BrakeMode::Warn) => plan::Brake::Warn,
            Some(BrakeMode::Off) => plan::Brake::Off,
        },
        custom_kinds: custom_kinds.collect::<Result<_, Failure>>()?,
        override_managers: args.override_manager.clone(),
        namespace: String::new(),
        labels: args.watch_label_selector.clone(),
        cross_namespace_refs: !args.no_cross_namespace_refs,
        default_service_account: args.default_service_account.clone(),
        serve_sources: true,
        serve_units: true,
    })
}

fn data_folder() -> Result<PathBuf, Failure> {
    if let Some(data) = std::env::var_os("XDG_DATA_HOME") {
        return Ok(Path::new(&data).join("fleetwright"));
    }
    let home = std::env::var_os("HOME")
        .ok_or_else(|| Failure::plain(Exit::Usage, "HOME is not set; give --data-dir"))?;
    Ok(Path::new(&home).join(".local/share/fleetwright"))
}
