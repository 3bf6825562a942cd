//! `controller`: reconciles the Flux objects of a Kubernetes cluster.

use git::client::Addresses;
use runtime::{Engine, Sources, Targets};
use tokio::net::TcpListener;

use super::Outcome;
use crate::cli::{ControllerArgs, Role};
use crate::connect::connect_to;
use crate::exit::{Exit, Failure};
use crate::platform::{
    archive_routes, engine_options, git_client, install_definitions, interrupted, rewrites, storage,
};

/// Runs until interrupted, or until a part has ended by accident.
pub async fn run(args: ControllerArgs) -> Outcome {
    let cluster = match args
        .kubeconfig
        .clone()
        .filter(|path| path.as_os_str() != "")
    {
        Some(path) => connect_to(&path, args.context.as_deref()).await?,
        None => cluster::in_cluster().await.map_err(|error| {
            let message = format!("{error}; outside a cluster, give --kubeconfig");
            Failure::plain(Exit::Unreachable, message)
        })?,
    };
    if args.install_crds {
        install_definitions(&cluster).await?;
    }
    let health = TcpListener::bind(args.health_addr).await?;
    let archives = TcpListener::bind(args.storage_addr).await?;
    let advertised = match &args.storage_adv_addr {
        Some(address) => address.clone(),
        None => advertised(&archives)?,
    };
    let storage = storage(args.storage_path.clone(), &advertised);
    let sources = Sources {
        client: git_client(&args.engine),
        rewrites: rewrites(&args.engine, None)?,
        storage: storage.clone(),
        downloader: source::Downloader::new(storage.clone(), Addresses::ALL),
    };
    let (engine, run) = Engine::new(
        Targets::new(cluster.clone(), args.engine.allow_loopback_targets),
        sources,
        options(&args)?,
    );
    let address = health.local_addr()?;
    tracing::info!(%address, roles = ?args.roles, "controllers start");
    if args.roles.contains(&Role::Source) {
        tokio::spawn(server::serve(archives, archive_routes(storage)));
    }
    tokio::spawn(server::serve(health, server::health(engine)));
    tokio::select! {
        () = interrupted() => {
            tracing::info!(requests = cluster.requests(), "controllers stop");
            Ok(Exit::Done)
        }
        why = run => Err(Failure::plain(Exit::Defect, format!("the controllers stopped: {why}"))),
    }
}

fn options(args: &ControllerArgs) -> Result<runtime::Options, Failure> {
    let mut options = engine_options(&args.engine, plan::Brake::Warn)?;
    options.serve_sources = args.roles.contains(&Role::Source);
    options.serve_units = args.roles.contains(&Role::Kustomize);
    if !args.watch_all_namespaces {
        options.namespace = args.runtime_namespace.clone();
    }
    Ok(options)
}

/// The address of archives when nobody says how others see it: right on this machine only.
fn advertised(listener: &TcpListener) -> Result<String, Failure> {
    let address = listener.local_addr()?;
    Ok(match address.ip().is_unspecified() {
        true => format!("127.0.0.1:{}", address.port()),
        false => address.to_string(),
    })
}
