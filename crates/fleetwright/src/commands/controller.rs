//! `controller`: reconciles the Flux objects of a Kubernetes cluster.

use std::sync::Arc;

use cluster::{Cluster, ErrorClass};
use diag::{Code, Diagnostic};
use futures::future::{BoxFuture, FutureExt};
use git::client::Addresses;
use golang::{Duration, Timestamp};
use object::{GroupVersionKind, Node, Object};
use runtime::{Clock, Engine, Sources, SystemClock, Targets};
use tokio::net::TcpListener;

use super::Outcome;
use crate::cli::{ControllerArgs, Role};
use crate::connect::connect_to;
use crate::exit::{Exit, Failure};
use crate::platform::{
    CONCURRENT_SSA, Defaults, Definitions, OwnCluster, archive_routes, engine_bases,
    engine_options, git_client, install_definitions, interrupted, rewrites, storage,
    with_components,
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
    for flag in args.accepted.given() {
        tracing::warn!(flag, "this flag of Flux's controllers changes nothing here");
    }
    if !args.take_over {
        refuse_beside_flux(&cluster).await?;
    }
    if args.install_crds {
        let which = match args.roles.contains(&Role::Component) {
            true => Definitions::All,
            false => Definitions::Flux,
        };
        install_definitions(&cluster, which).await?;
    }
    let health = TcpListener::bind(args.health_addr).await?;
    let archives = TcpListener::bind(args.storage_addr).await?;
    let advertised = match &args.storage_adv_addr {
        Some(address) => address.clone(),
        None => advertised(&archives)?,
    };
    let storage = storage(args.storage_path.clone(), &advertised);
    let client = git_client(&args.engine.git_rewrite);
    let rewrites = rewrites(&args.engine.git_rewrite, None)?;
    let sources = Sources {
        bases: engine_bases(&args.engine, &client, &rewrites),
        client,
        rewrites,
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
    let run: BoxFuture<'static, String> = match args.roles.contains(&Role::Component) {
        true => {
            let plane = Arc::new(OwnCluster(cluster.clone()));
            with_components(&engine, plane, run).1.boxed()
        }
        false => run.boxed(),
    };
    tokio::spawn(server::serve(health, server::health(engine)));
    tokio::select! {
        () = interrupted() => {
            tracing::info!(requests = cluster.requests(), "controllers stop");
            Ok(Exit::Done)
        }
        why = run => Err(Failure::plain(Exit::Defect, format!("the controllers stopped: {why}"))),
    }
}

/// Refuses to start while a controller of Flux holds its lease: two engines would undo each other.
async fn refuse_beside_flux(cluster: &Cluster) -> Result<(), Failure> {
    let kind = GroupVersionKind::new("coordination.k8s.io/v1", "Lease");
    let leases = match cluster.list(&kind, "", "").await {
        Ok(leases) => leases,
        // Who may not look cannot know; the operator decides.
        Err(error) if error.class == ErrorClass::Forbidden => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let now = SystemClock.now();
    for lease in leases {
        let of_flux = ["source-controller", "kustomize-controller"]
            .iter()
            .any(|name| lease.name().starts_with(&format!("{name}-leader-election")));
        if of_flux && is_held(&lease, now) {
            let holder = lease
                .node
                .str_at(&["spec", "holderIdentity"])
                .unwrap_or("?");
            let message = format!(
                "a controller of Flux runs on this cluster: `{holder}` holds the lease {} in {}",
                lease.name(),
                lease.namespace()
            );
            let diagnostic = Diagnostic::error(Code("FluxIsRunning"), message)
                .with_help("Scale its Deployment to zero, then start again.")
                .with_help("Or give --take-over if you know that it serves other objects.");
            return Err(Failure::explained(Exit::Refused, vec![diagnostic]));
        }
    }
    Ok(())
}

/// Whether a lease was renewed within its duration.
fn is_held(lease: &Object, now: Timestamp) -> bool {
    let renewed = lease.node.str_at(&["spec", "renewTime"]);
    let renewed = renewed.and_then(|text| text.parse::<Timestamp>().ok());
    let seconds = lease.node.at(&["spec", "leaseDurationSeconds"]);
    let seconds = seconds.and_then(Node::as_i64).unwrap_or(35);
    let holder = lease.node.str_at(&["spec", "holderIdentity"]);
    holder.is_some_and(|holder| !holder.is_empty())
        && renewed.is_some_and(|at| at.plus(Duration::from_seconds(seconds)) > now)
}

fn options(args: &ControllerArgs) -> Result<runtime::Options, Failure> {
    let defaults = Defaults {
        brake: plan::Brake::Warn,
        concurrent_ssa: CONCURRENT_SSA,
    };
    let mut options = engine_options(&args.engine, &defaults)?;
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
