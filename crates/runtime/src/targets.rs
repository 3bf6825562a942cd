//! Which cluster a unit's objects go to, and as whom.

use std::collections::BTreeMap;
use std::sync::{Mutex, RwLock};

use cluster::{ApiError, Cluster, KubeconfigError};
use object::{GroupVersionKind, Object};

/// The clusters that units can reach.
pub struct Targets {
    control_plane: Cluster,
    /// Clusters of this process, by the address their kubeconfigs name.
    registered: RwLock<BTreeMap<String, Cluster>>,
    /// Clients made from Secrets by namespace and name, each with the UID and kubeconfig it is of.
    clients: Mutex<BTreeMap<String, (String, Cluster)>>,
    /// Whether a kubeconfig from a Secret may name an address of this machine.
    allow_loopback: bool,
}

/// Why a unit's cluster cannot be reached.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The Secret is not there, or lacks its key.
    #[error("the kubeconfig Secret '{0}' {1}")]
    Secret(String, &'static str),
    /// The Secret could not be read.
    #[error("the kubeconfig Secret '{0}' could not be read: {1}")]
    Read(String, cluster::ApiError),
    /// The kubeconfig leads nowhere.
    #[error("{}", chain(.0))]
    Kubeconfig(#[from] KubeconfigError),
    /// It names this machine, where other people's services listen.
    #[error(
        "the kubeconfig names `{0}`, an address of this machine; \
         --allow-loopback-targets permits that"
    )]
    Loopback(String),
}

fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

impl Targets {
    /// Only the control plane itself, until more are registered.
    pub fn new(control_plane: Cluster, allow_loopback: bool) -> Self {
        Self {
            control_plane,
            registered: RwLock::default(),
            clients: Mutex::default(),
            allow_loopback,
        }
    }

    /// Reaches `cluster` in process whenever a kubeconfig names `address`.
    pub fn register(&self, address: &str, cluster: Cluster) {
        let mut registered = self
            .registered
            .write()
            .unwrap_or_else(|lock| lock.into_inner());
        registered.insert(address.trim_end_matches('/').to_owned(), cluster);
    }

    /// The cluster the Flux objects are in.
    pub fn control_plane(&self) -> &Cluster {
        &self.control_plane
    }

    /// The cluster a unit's objects go to, with the rights of its service account if it has one.
    ///
    /// # Errors
    /// [`TargetError`].
    pub async fn of(&self, unit: &api::Kustomization) -> Result<Cluster, TargetError> {
        let cluster = self.unimpersonated(unit).await?;
        let namespace = unit.meta.namespace();
        Ok(match unit.service_account.as_str() {
            "" => cluster,
            account => {
                cluster.impersonating(&format!("system:serviceaccount:{namespace}:{account}"))
            }
        })
    }

    /// The cluster a unit's objects go to, with our own rights there.
    pub(crate) async fn unimpersonated(
        &self,
        unit: &api::Kustomization,
    ) -> Result<Cluster, TargetError> {
        if !unit.is_remote() {
            return Ok(self.control_plane.clone());
        }
        let (name, key) = &unit.kube_config;
        self.by_secret(unit.meta.namespace(), name, key).await
    }

    /// The cluster of the kubeconfig in a Secret, under a key or under the usual ones.
    ///
    /// # Errors
    /// [`TargetError`].
    pub async fn by_secret(
        &self,
        namespace: &str,
        name: &str,
        key: &str,
    ) -> Result<Cluster, TargetError> {
        let shown = format!("{namespace}/{name}");
        let secret = self
            .secret(namespace, name)
            .await
            .map_err(|error| TargetError::Read(shown.clone(), error))?
            .ok_or_else(|| TargetError::Secret(shown.clone(), "not found"))?;
        let kubeconfig = kubeconfig(&secret, key)
            .ok_or_else(|| TargetError::Secret(shown.clone(), "has no key with a kubeconfig"))?;
        // A Secret that only got another label leads to the same client, with all its watches.
        let identity = format!("{} {kubeconfig}", secret.uid());
        let known = {
            let clients = self.clients.lock().unwrap_or_else(|lock| lock.into_inner());
            clients.get(&shown).cloned()
        };
        if let Some((of, cluster)) = known
            && of == identity
        {
            return Ok(cluster);
        }
        let cluster = self.connect(&kubeconfig).await?;
        let mut clients = self.clients.lock().unwrap_or_else(|lock| lock.into_inner());
        clients.insert(shown, (identity, cluster.clone()));
        Ok(cluster)
    }

    /// A Secret of the control plane.
    pub(crate) async fn secret(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Object>, ApiError> {
        let kind = GroupVersionKind::new("v1", "Secret");
        self.control_plane.get(&kind, namespace, name).await
    }

    async fn connect(&self, kubeconfig: &str) -> Result<Cluster, TargetError> {
        let address = cluster::kubeconfig_address(kubeconfig)?;
        let registered = {
            let registered = self
                .registered
                .read()
                .unwrap_or_else(|lock| lock.into_inner());
            registered.get(address.trim_end_matches('/')).cloned()
        };
        if let Some(cluster) = registered {
            return Ok(cluster);
        }
        if !self.allow_loopback && cluster::is_loopback(&address) {
            return Err(TargetError::Loopback(address));
        }
        Ok(cluster::from_kubeconfig(kubeconfig).await?)
    }
}

/// The kubeconfig in a Secret: under `key`, else under `value`, else under `value.yaml`.
fn kubeconfig(secret: &Object, key: &str) -> Option<String> {
    let keys: &[&str] = match key {
        "" => &["value", "value.yaml"],
        key => &[key],
    };
    let mut data = crate::variables::secret_data(secret);
    let found = keys.iter().find_map(|key| data.remove(*key))?;
    String::from_utf8(found).ok()
}
