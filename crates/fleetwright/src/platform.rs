//! Everything in one process: API servers, Git server, archives, controllers, status page.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use apimachine::{Features, User};
use apiserver::{Authority, DataDir, Fleet, Identity, Kubeconfig, Server, ServerOptions};
use axum::Router;
use axum::routing::any;
use cluster::{Apply, Cluster};
use diag::{Code, Diagnostic};
use git::client::Addresses as Reach;
use git::server::{PushEvent, Token};
use object::{Node, Object};
use runtime::{Clock, Engine, Options, Sources, SystemClock, Targets};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::cli::{Addresses, BrakeMode, DemoArgs, EngineArgs, ServeArgs};
use crate::connect::{connect_to, state_folder};
use crate::exit::{Exit, Failure};
use crate::{commands, sample};

/// Name under which the platform itself owns fields.
const MANAGER: &str = "fleetwright";

/// Longest wait for the kinds served to be established.
const ESTABLISH_TIME_MAX: Duration = Duration::from_secs(30);

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
    /// Whether the sample repository and its clusters are set up.
    sample: bool,
    /// Repositories to make on the Git server.
    repositories: Vec<String>,
}

/// Everything in one process.
pub struct Platform {
    /// The controllers.
    pub engine: Engine,
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
            sample: true,
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
            sample: args.kubeconfig.is_none(),
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
        install_definitions(&control_plane).await?;

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
        let engine_options = engine_options(&options.engine, plan::Brake::Confirm)?;
        let (engine, run) = Engine::new(targets, sources, engine_options);
        let _ = announced.set(engine.clone());
        let run = tokio::spawn(run);
        tokio::spawn(server::serve(storage, archive_routes(archives)));
        let routes = server::router(engine.clone()).merge(git_routes(git.clone()));
        tokio::spawn(server::serve(http, routes));

        let platform = Self {
            engine,
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
        if options.sample {
            set_up_sample(&control_plane, &git, embedded.as_ref()).await?;
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

/// The embedded API servers: the control plane at `/`, targets below `/clusters/`.
struct Embedded {
    server: Server,
    address: SocketAddr,
    control_plane: Cluster,
    /// Targets by the address their kubeconfigs name.
    targets: Vec<(String, Cluster)>,
    /// Kubeconfigs of the targets, by name.
    kubeconfigs: Vec<(String, String)>,
}

impl Embedded {
    async fn start(
        options: &PlatformOptions,
        data: &Path,
        notices: &mut Vec<String>,
    ) -> Result<Self, Failure> {
        let durable = match &options.data {
            Some(_) => Some(DataDir::open(data).map_err(|error| anyhow::anyhow!(error))?),
            None => None,
        };
        let authority = match &durable {
            Some(durable) => durable.authority.clone(),
            None => Arc::new(Authority::generate().map_err(|error| anyhow::anyhow!(error))?),
        };
        let open = |name: &str| open_cluster(durable.as_ref(), &authority, name);
        let root = open("control-plane")?;
        let fleet = Fleet::new(root.clone());
        let mut clusters = Vec::new();
        for name in sample::CLUSTERS {
            let cluster = open(name)?;
            fleet.insert(name, cluster.clone());
            clusters.push((*name, cluster));
        }
        let server = start_server(&fleet, &authority, options.addresses.api_addr, notices).await?;
        let address = server.address();
        let admin = authority
            .client("fleetwright-admin", &["system:masters"])
            .map_err(|error| anyhow::anyhow!(error))?;
        let kubeconfig = |name: &str, path: &str| Kubeconfig {
            name: name.to_owned(),
            server: format!("https://{address}{path}"),
            authority: Some(authority.certificate().to_owned()),
            identity: Some(Identity {
                certificate: admin.certificate.clone(),
                key: admin.key.clone(),
            }),
            token: None,
        };
        std::fs::create_dir_all(&options.state)?;
        let written = kubeconfig("fleetwright", "").write(&options.state.join("kubeconfig"));
        written.map_err(|error| {
            let message = format!("cannot write {}: {error}", options.state.display());
            Failure::plain(Exit::Unreadable, message)
        })?;
        let mut targets = Vec::new();
        let mut kubeconfigs = Vec::new();
        for (name, cluster) in clusters {
            let target = kubeconfig(name, &format!("/clusters/{name}"));
            let file = options.state.join(format!("kubeconfig-{name}"));
            target.write(&file)?;
            targets.push((
                target.server.clone(),
                cluster::in_process(cluster.service(User::admin())),
            ));
            kubeconfigs.push((name.to_owned(), target.to_yaml()));
        }
        Ok(Self {
            server,
            address,
            control_plane: cluster::in_process(root.service(User::admin())),
            targets,
            kubeconfigs,
        })
    }
}

/// One embedded cluster, with its simulated workloads.
fn open_cluster(
    durable: Option<&DataDir>,
    authority: &Authority,
    name: &str,
) -> Result<Arc<apiserver::Cluster>, Failure> {
    let mut options = apiserver::Options {
        features: Features {
            root_certificate: authority.certificate().into(),
            ..Features::default()
        },
        reducers: workloads::reducers(),
        ..apiserver::Options::default()
    };
    let Some(durable) = durable else {
        return Ok(apiserver::Cluster::new(options));
    };
    options.token_secret = durable.token_secret;
    let store = Box::new(durable.store(name));
    apiserver::Cluster::open(options, store).map_err(|error| {
        let diagnostic = Diagnostic::error(Code("StoreUnusable"), error.in_full())
            .with_help("Is another fleetwright serve running on this data folder?");
        Failure::explained(Exit::Unreadable, vec![diagnostic])
    })
}

async fn start_server(
    fleet: &Arc<Fleet>,
    authority: &Arc<Authority>,
    wanted: SocketAddr,
    notices: &mut Vec<String>,
) -> Result<Server, Failure> {
    let options = |listen: SocketAddr| ServerOptions {
        listen,
        authority: Some(authority.clone()),
        names: Vec::new(),
    };
    match Server::start(fleet.clone(), options(wanted)).await {
        Ok(server) => Ok(server),
        Err(_) if wanted.port() != 0 => {
            let free = SocketAddr::new(wanted.ip(), 0);
            let server = Server::start(fleet.clone(), options(free)).await;
            let server = server.map_err(|error| anyhow::anyhow!(error))?;
            notices.push(taken(wanted, server.address(), "--api-addr"));
            Ok(server)
        }
        Err(error) => Err(anyhow::anyhow!(error).into()),
    }
}

/// Listens at `wanted`, or at a free port with a notice when it is taken.
async fn listen(
    wanted: SocketAddr,
    flag: &str,
    notices: &mut Vec<String>,
) -> Result<TcpListener, Failure> {
    match TcpListener::bind(wanted).await {
        Ok(listener) => Ok(listener),
        Err(error) if wanted.port() != 0 && error.kind() == std::io::ErrorKind::AddrInUse => {
            let listener = TcpListener::bind(SocketAddr::new(wanted.ip(), 0)).await?;
            notices.push(taken(wanted, listener.local_addr()?, flag));
            Ok(listener)
        }
        Err(error) => {
            let message = format!("cannot listen on {wanted} ({flag}): {error}");
            Err(Failure::plain(Exit::Unreadable, message))
        }
    }
}

fn taken(wanted: SocketAddr, found: SocketAddr, flag: &str) -> String {
    format!("{wanted} is used by another program; took {found} instead ({flag} sets it)")
}

/// The token that pushes need; kept, so that clones go on working.
fn push_token(data: &Path) -> Result<String, Failure> {
    let path = data.join("push-token");
    if let Ok(token) = std::fs::read_to_string(&path) {
        return Ok(token.trim().to_owned());
    }
    let token = random_token();
    write_private(&path, token.as_bytes())?;
    Ok(token)
}

/// Forty letters nobody can guess.
fn random_token() -> String {
    let mut bytes = [0; 20];
    rustls::crypto::aws_lc_rs::default_provider()
        .secure_random
        .fill(&mut bytes)
        .expect("the system has a source of randomness");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn git_server(
    data: &Path,
    push_token: &str,
    address: SocketAddr,
    engine: Arc<OnceLock<Engine>>,
) -> Arc<git::server::Server> {
    let on_push = move |push: &PushEvent| {
        let Some(engine) = engine.get() else {
            return;
        };
        let address = format!("http://{address}/git/{}", push.repository);
        engine.announce(|url| url.trim_end_matches('/').trim_end_matches(".git") == address);
    };
    let options = git::server::Options {
        anonymous_read: address.ip().is_loopback(),
        tokens: vec![Token {
            name: "push".into(),
            secret: push_token.to_owned(),
            write: true,
        }],
        on_push: Some(Arc::new(on_push)),
        ..git::server::Options::default()
    };
    Arc::new(git::server::Server::new(data.join("git"), options))
}

/// The Git server, below its prefix.
fn git_routes(git: Arc<git::server::Server>) -> Router {
    let path = format!("{}/{{*path}}", git.prefix());
    let handle = move |request: axum::extract::Request| {
        let git = git.clone();
        async move { git.handle(request).await.map(axum::body::Body::new) }
    };
    Router::new().route(&path, any(handle))
}

/// The archives of sources.
pub fn archive_routes(storage: Arc<source::Storage>) -> Router {
    let handle = move |request: axum::extract::Request| {
        let storage = storage.clone();
        async move {
            // The body of a request for a file says nothing.
            let request = request.map(|_| ());
            let response = source::serve::handle(&storage, &request).await;
            response.map(axum::body::Body::new)
        }
    };
    Router::new().fallback(any(handle))
}

fn sources(
    args: &EngineArgs,
    data: &Path,
    storage_address: SocketAddr,
    base: &str,
    git: &Arc<git::server::Server>,
) -> Result<(Sources, Arc<source::Storage>), Failure> {
    let sample = format!("{}={base}", sample::ADDRESS);
    let host = base.trim_end_matches('/').trim_end_matches(git.prefix());
    let client = git_client(args).with_local(host, git.clone());
    let storage = storage(data.join("artifacts"), &storage_address.to_string());
    Ok((
        Sources {
            client,
            rewrites: rewrites(args, Some(&sample))?,
            storage: storage.clone(),
            downloader: source::Downloader::new(storage.clone(), Reach::ALL),
        },
        storage,
    ))
}

/// A client that reaches addresses of this machine only when the operator's own rules lead there.
pub fn git_client(args: &EngineArgs) -> git::client::Client {
    let local = |rule: &String| {
        rule.rsplit_once('=')
            .is_some_and(|(_, to)| cluster::is_loopback(to))
    };
    let addresses = Reach {
        loopback: args.git_rewrite.iter().any(local),
        ..Reach::default()
    };
    git::client::Client::new(git::client::Options {
        addresses,
        ..git::client::Options::default()
    })
}

/// Storage of archives in a folder, advertised at a host.
pub fn storage(folder: PathBuf, host: &str) -> Arc<source::Storage> {
    let disk = Arc::new(source::disk::RealDisk);
    let retention = source::Retention::default();
    Arc::new(source::Storage::new(folder, host, retention, disk))
}

/// The rules of `--git-rewrite`, and one of our own.
pub fn rewrites(args: &EngineArgs, own: Option<&str>) -> Result<git::Rewrites, Failure> {
    let rules = args.git_rewrite.iter().map(String::as_str).chain(own);
    git::Rewrites::parse(rules)
        .map_err(|error| Failure::plain(Exit::Usage, format!("--git-rewrite: {error}")))
}

/// What the flags say about the controllers.
pub fn engine_options(args: &EngineArgs, brake: plan::Brake) -> Result<Options, Failure> {
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
        concurrent_ssa: args.concurrent_ssa,
        brake: match args.deletion_brake {
            None => brake,
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

/// Applies the definitions of the kinds served and waits until they are.
pub async fn install_definitions(cluster: &Cluster) -> Result<(), Failure> {
    for definition in api::custom_resource_definitions() {
        apply(cluster, definition).await?;
    }
    let served = async {
        for kind in [api::git_repository_kind(), api::kustomization_kind()] {
            while cluster.mapping(&kind).await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    };
    let waited = tokio::time::timeout(ESTABLISH_TIME_MAX, served).await;
    waited.map_err(|_| Failure::plain(Exit::TimedOut, "the CRDs are not established in time"))
}

async fn apply(cluster: &Cluster, node: Node) -> Result<(), Failure> {
    let how = Apply {
        manager: MANAGER,
        force: true,
        dry_run: false,
        subresource: "",
    };
    cluster.apply(&Object::new(node), how).await?;
    Ok(())
}

async fn set_up_sample(
    control_plane: &Cluster,
    git: &git::server::Server,
    embedded: Option<&Embedded>,
) -> Result<(), Failure> {
    commit_sample(git)?;
    let documents = yaml::load(sample::BOOTSTRAP, &yaml::Limits::default());
    let documents = documents.map_err(|error| anyhow::anyhow!(error))?;
    let mut documents = documents.into_iter().map(|document| document.node);
    if let Some(namespace) = documents.next() {
        apply(control_plane, namespace).await?;
    }
    for (name, kubeconfig) in embedded
        .into_iter()
        .flat_map(|embedded| &embedded.kubeconfigs)
    {
        let mut secret = Node::map();
        secret.set(&["apiVersion"], "v1");
        secret.set(&["kind"], "Secret");
        secret.set(&["metadata", "name"], format!("{name}-kubeconfig"));
        secret.set(&["metadata", "namespace"], "flux-system");
        secret.set(&["stringData", "value"], kubeconfig.as_str());
        apply(control_plane, secret).await?;
    }
    for document in documents {
        apply(control_plane, document).await?;
    }
    Ok(())
}

fn create_repositories(git: &git::server::Server, names: &[String]) -> Result<(), Failure> {
    let known = git.list();
    for name in names.iter().filter(|name| !known.contains(name)) {
        git.create(name, "main").map_err(|error| {
            let message = format!("cannot make the repository `{name}`: {error}");
            Failure::plain(Exit::Unreadable, message)
        })?;
    }
    Ok(())
}

/// Makes the sample repository, unless a data folder has it already.
fn commit_sample(git: &git::server::Server) -> Result<(), Failure> {
    if git.list().iter().any(|name| name == sample::REPOSITORY) {
        return Ok(());
    }
    let failed = |error: &dyn std::error::Error| {
        Failure::plain(
            Exit::Unreadable,
            format!("cannot make the sample repository: {error}"),
        )
    };
    git.create(sample::REPOSITORY, "main")
        .map_err(|error| failed(&error))?;
    let tree = sample::files();
    let author = git::Signature {
        name: "Fleetwright".into(),
        email: "demo@example.com".into(),
        seconds: SystemClock.now().unix(),
        offset_minutes: 0,
    };
    let committed = git.commit(
        sample::REPOSITORY,
        &git::NewCommit {
            branch: "main",
            onto: None,
            tree: &tree,
            author: author.clone(),
            committer: author,
            message: "Two clusters, their infrastructure and their apps\n",
        },
    );
    committed.map_err(|error| failed(&error))?;
    Ok(())
}

fn data_folder() -> Result<PathBuf, Failure> {
    if let Some(data) = std::env::var_os("XDG_DATA_HOME") {
        return Ok(Path::new(&data).join("fleetwright"));
    }
    let home = std::env::var_os("HOME")
        .ok_or_else(|| Failure::plain(Exit::Usage, "HOME is not set; give --data-dir"))?;
    Ok(Path::new(&home).join(".local/share/fleetwright"))
}
