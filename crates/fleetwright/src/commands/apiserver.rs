//! `apiserver`: only the Kubernetes-compatible API server.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use apimachine::{Features, ServiceNetwork};
use apiserver::{
    Authority, Cluster, DataDir, Fleet, Kubeconfig, Options, Server, ServerOptions, Tokens,
};

use super::Outcome;
use crate::exit::{Exit, Failure};
use crate::output::print;
use crate::platform::interrupted;

/// What can be said about the server.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:7443", value_name = "ADDR")]
    listen: SocketAddr,
    /// Folder that everything is kept in.
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with = "memory",
        required_unless_present = "memory"
    )]
    data_dir: Option<PathBuf>,
    /// Keep everything in memory; nothing is left when the server stops.
    #[arg(long)]
    memory: bool,
    /// Write a kubeconfig of an administrator to this file.
    #[arg(long, value_name = "FILE")]
    kubeconfig_out: Option<PathBuf>,
    /// Bearer tokens, one `token,user,uid,"group,group"` a line.
    #[arg(long, value_name = "FILE")]
    token_auth_file: Option<PathBuf>,
    /// What happens to objects after they are written.
    #[arg(long, value_enum, default_value_t = Simulate::Workloads)]
    simulate: Simulate,
    /// Where Services get their addresses from.
    #[arg(long, default_value = "10.0.0.0/16", value_name = "CIDR")]
    service_cluster_ip_range: ServiceNetwork,
    /// Admission plugins to switch off: ServiceAccount, DefaultStorageClass.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    disable_admission_plugins: Vec<Plugin>,
}

/// Who acts on objects beside the API server itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Simulate {
    /// Controllers and kubelets: Deployments get pods, and pods become ready.
    Workloads,
    /// Nobody; controllers of your own may connect.
    None,
}

/// Admission plugins that can be switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Plugin {
    /// Gives pods a service account and its token.
    #[value(name = "ServiceAccount")]
    ServiceAccount,
    /// Gives claims the default storage class.
    #[value(name = "DefaultStorageClass")]
    DefaultStorageClass,
}

/// Runs until interrupted.
pub async fn run(args: Args) -> Outcome {
    let failed =
        |error: &dyn std::error::Error| Failure::plain(Exit::Unreadable, diag::with_causes(error));
    let data_dir = match &args.data_dir {
        Some(path) => Some(DataDir::open(path).map_err(|error| failed(&error))?),
        None => None,
    };
    let authority = match &data_dir {
        Some(data_dir) => data_dir.authority.clone(),
        None => Arc::new(Authority::generate().map_err(|error| failed(&error))?),
    };
    let tokens = match &args.token_auth_file {
        Some(path) => Tokens::read(path).map_err(|error| failed(&error))?,
        None => Tokens::default(),
    };
    let off = |plugin| args.disable_admission_plugins.contains(&plugin);
    let mut options = Options {
        features: Features {
            service_account_admission: !off(Plugin::ServiceAccount),
            default_storage_class_admission: !off(Plugin::DefaultStorageClass),
            root_certificate: authority.certificate().into(),
            service_network: args.service_cluster_ip_range,
            ..Features::default()
        },
        tokens,
        reducers: match args.simulate {
            Simulate::Workloads => workloads::reducers(),
            Simulate::None => Vec::new(),
        },
        ..Options::default()
    };
    let cluster = match &data_dir {
        Some(data_dir) => {
            options.token_secret = data_dir.token_secret;
            let store = Box::new(data_dir.store("control-plane"));
            Cluster::open(options, store).map_err(|error| failed(&error))?
        }
        None => Cluster::new(options),
    };
    let server = ServerOptions {
        listen: args.listen,
        authority: Some(authority.clone()),
        names: Vec::new(),
    };
    let server = Server::start(Fleet::new(cluster), server).await;
    let server = server.map_err(|error| failed(&error))?;
    let address = format!("https://{}", server.address());
    if let Some(path) = &args.kubeconfig_out {
        let identity = authority
            .client("admin", &["system:masters"])
            .map_err(|error| failed(&error))?;
        let kubeconfig = Kubeconfig {
            name: "fleetwright".into(),
            server: address.clone(),
            authority: Some(authority.certificate().to_owned()),
            identity: Some(identity),
            token: None,
        };
        kubeconfig.write(path).map_err(|error| {
            Failure::plain(
                Exit::Unreadable,
                format!("cannot write the kubeconfig `{}`: {error}", path.display()),
            )
        })?;
        print(&format!("kubeconfig  {}\n", path.display()));
    }
    print(&format!("API server  {address}\n"));
    interrupted().await;
    server.stop().await;
    Ok(Exit::Done)
}
