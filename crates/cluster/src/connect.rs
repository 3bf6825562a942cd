//! Ways to reach an API server.

use std::convert::Infallible;
use std::path::Path;

use bytes::Bytes;
use http::{Request, Response};
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use tower::Service;

use crate::request::Cluster;

/// Why a kubeconfig leads to no server.
#[derive(Debug, thiserror::Error)]
pub enum KubeconfigError {
    /// It cannot be read or names nothing usable.
    #[error("the kubeconfig cannot be used")]
    Unusable(#[source] kube::config::KubeconfigError),
    /// A client cannot be made from it.
    #[error("no client can be made from the kubeconfig")]
    Client(#[source] kube::Error),
    /// This process does not run in a cluster.
    #[error("this process does not run in a cluster")]
    NotInCluster(#[source] kube::config::InClusterError),
    /// Its current context names no server.
    #[error("the kubeconfig names no server in its current context")]
    NoServer,
    /// It starts a program or reads a file, which a kubeconfig from a cluster must not.
    #[error(
        "the kubeconfig uses `{0}`, which is refused in a kubeconfig that comes from a cluster"
    )]
    Refused(&'static str),
}

/// A server in this process.
///
/// `service` answers HTTP requests and takes what is handed over; no socket is opened.
pub fn in_process<S, B>(service: S) -> Cluster
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    Cluster::in_process(kube::Client::new(service, "default"))
}

/// The server an operator's kubeconfig file names; `context` picks one, else its current context.
///
/// # Errors
/// [`KubeconfigError`] when the file cannot be read or used.
pub async fn from_kubeconfig_file(
    path: &Path,
    context: Option<&str>,
) -> Result<Cluster, KubeconfigError> {
    let kubeconfig = Kubeconfig::read_from(path).map_err(KubeconfigError::Unusable)?;
    connect(kubeconfig, context).await
}

/// The cluster this process runs in, as its service account.
///
/// # Errors
/// [`KubeconfigError::NotInCluster`] outside of one.
pub async fn in_cluster() -> Result<Cluster, KubeconfigError> {
    let config = kube::Config::incluster().map_err(KubeconfigError::NotInCluster)?;
    let client = kube::Client::try_from(config).map_err(KubeconfigError::Client)?;
    Ok(Cluster::new(client))
}

/// The server a kubeconfig from a Secret names.
///
/// It belongs to a tenant, so it may name only a server, certificates and tokens inside itself: a
/// program to run, a file to read or a proxy is refused.
///
/// # Errors
/// [`KubeconfigError`].
pub async fn from_kubeconfig(text: &str) -> Result<Cluster, KubeconfigError> {
    let kubeconfig = Kubeconfig::from_yaml(text).map_err(KubeconfigError::Unusable)?;
    if let Some(field) = refused_field(&kubeconfig) {
        return Err(KubeconfigError::Refused(field));
    }
    connect(kubeconfig, None).await
}

/// The address of the server a kubeconfig names in its current context.
///
/// # Errors
/// [`KubeconfigError::Unusable`] when it is no kubeconfig, [`KubeconfigError::NoServer`] when it
/// names none.
pub fn kubeconfig_address(text: &str) -> Result<String, KubeconfigError> {
    let kubeconfig = Kubeconfig::from_yaml(text).map_err(KubeconfigError::Unusable)?;
    let current = kubeconfig.current_context.unwrap_or_default();
    let context = kubeconfig
        .contexts
        .iter()
        .find(|context| context.name == current);
    let cluster = context.and_then(|context| Some(&context.context.as_ref()?.cluster));
    let cluster = kubeconfig
        .clusters
        .iter()
        .find(|named| Some(&named.name) == cluster)
        .and_then(|named| named.cluster.as_ref());
    cluster
        .and_then(|cluster| cluster.server.clone())
        .ok_or(KubeconfigError::NoServer)
}

/// Whether an address names this machine.
pub fn is_loopback(address: &str) -> bool {
    let uri: Result<http::Uri, _> = address.parse();
    let Some(host) = uri.ok().and_then(|uri| uri.host().map(str::to_owned)) else {
        return false;
    };
    let host = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_lowercase();
    match host.parse::<std::net::IpAddr>() {
        Ok(ip) => ip.to_canonical().is_loopback() || ip.is_unspecified(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

/// The first field of a kubeconfig that one from a cluster must not have.
fn refused_field(kubeconfig: &Kubeconfig) -> Option<&'static str> {
    let users = kubeconfig.auth_infos.iter();
    let users = users.filter_map(|user| user.auth_info.as_ref());
    for user in users {
        if user.exec.is_some() {
            return Some("exec");
        }
        if user.auth_provider.is_some() {
            return Some("auth-provider");
        }
        if user.token_file.is_some() {
            return Some("tokenFile");
        }
        if user.client_certificate.is_some() || user.client_key.is_some() {
            return Some("client-certificate");
        }
    }
    let clusters = kubeconfig.clusters.iter();
    let clusters = clusters.filter_map(|cluster| cluster.cluster.as_ref());
    for cluster in clusters {
        if cluster.certificate_authority.is_some() {
            return Some("certificate-authority");
        }
        if cluster.proxy_url.is_some() {
            return Some("proxy-url");
        }
        if cluster.insecure_skip_tls_verify == Some(true) {
            return Some("insecure-skip-tls-verify");
        }
    }
    None
}

async fn connect(
    kubeconfig: Kubeconfig,
    context: Option<&str>,
) -> Result<Cluster, KubeconfigError> {
    let options = KubeConfigOptions {
        context: context.map(str::to_owned),
        ..KubeConfigOptions::default()
    };
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(KubeconfigError::Unusable)?;
    let client = kube::Client::try_from(config).map_err(KubeconfigError::Client)?;
    Ok(Cluster::new(client))
}
