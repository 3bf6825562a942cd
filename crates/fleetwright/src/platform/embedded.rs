//! The embedded API servers: the control plane and the clusters beside it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use apimachine::{Features, User};
use apiserver::{Authority, DataDir, Fleet, Identity, Kubeconfig, Server, ServerOptions};
use cluster::Cluster;
use diag::{Code, Diagnostic};
use tokio::sync::Mutex;

use super::PlatformOptions;
use super::listen::{may_move, taken};
use super::planes::SimulatedPlanes;
use crate::exit::{Exit, Failure};
use crate::sample;

/// The embedded API servers: the control plane at `/`, targets below `/clusters/`.
pub(super) struct Embedded {
    pub(super) server: Server,
    pub(super) address: SocketAddr,
    pub(super) control_plane: Cluster,
    /// Targets by the address their kubeconfigs name.
    pub(super) targets: Vec<(String, Cluster)>,
    /// Kubeconfigs of the targets, by name.
    pub(super) kubeconfigs: Vec<(String, String)>,
    /// Clusters for data planes that name none.
    pub(super) planes: Arc<SimulatedPlanes>,
}

impl Embedded {
    pub(super) async fn start(
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
        let planes = Arc::new(SimulatedPlanes {
            fleet,
            kubeconfig: kubeconfig("fleetwright", ""),
            authority,
            durable,
            state: options.state.clone(),
            open: Mutex::default(),
        });
        Ok(Self {
            planes,
            server,
            address,
            control_plane: cluster::in_process(root.service(User::admin())),
            targets,
            kubeconfigs,
        })
    }
}

/// One embedded cluster, with its simulated workloads.
pub(super) fn open_cluster(
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

pub(super) async fn start_server(
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
        Err(_) if may_move(wanted) => {
            let free = SocketAddr::new(wanted.ip(), 0);
            let server = Server::start(fleet.clone(), options(free)).await;
            let server = server.map_err(|error| anyhow::anyhow!(error))?;
            notices.push(taken(wanted, server.address(), "--api-addr"));
            Ok(server)
        }
        Err(error) => Err(Failure::plain(
            Exit::Unreadable,
            format!("{error} (--api-addr)"),
        )),
    }
}
