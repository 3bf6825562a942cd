//! Data planes of components that name no cluster: each is a simulated one in this process.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use apimachine::User;
use apiserver::{Authority, DataDir, Fleet, Kubeconfig};
use cluster::Cluster;
use futures::future::{BoxFuture, FutureExt};
use object::{Node, ObjectKey};
use runtime::DefaultPlane;
use tokio::sync::Mutex;

use super::bootstrap::apply;
use super::embedded::open_cluster;

/// Kinds that components use and Kubernetes does not have: operators bring them to real planes. Nobody
/// acts on them here, so their objects are stored as they are.
const FOREIGN: &[(&str, &str, &str, &str, bool)] = &[
    (
        "gateway.networking.k8s.io",
        "v1",
        "Gateway",
        "gateways",
        true,
    ),
    (
        "gateway.networking.k8s.io",
        "v1",
        "GRPCRoute",
        "grpcroutes",
        true,
    ),
    (
        "gateway.networking.k8s.io",
        "v1",
        "HTTPRoute",
        "httproutes",
        true,
    ),
    (
        "gateway.networking.k8s.io",
        "v1alpha2",
        "TCPRoute",
        "tcproutes",
        true,
    ),
    (
        "gateway.networking.k8s.io",
        "v1alpha3",
        "TLSRoute",
        "tlsroutes",
        true,
    ),
    (
        "gateway.networking.k8s.io",
        "v1alpha2",
        "UDPRoute",
        "udproutes",
        true,
    ),
    (
        "gateway.networking.k8s.io",
        "v1beta1",
        "ReferenceGrant",
        "referencegrants",
        true,
    ),
    (
        "external-secrets.io",
        "v1",
        "ExternalSecret",
        "externalsecrets",
        true,
    ),
    (
        "external-secrets.io",
        "v1",
        "SecretStore",
        "secretstores",
        true,
    ),
    (
        "external-secrets.io",
        "v1",
        "ClusterSecretStore",
        "clustersecretstores",
        false,
    ),
    (
        "cilium.io",
        "v2",
        "CiliumNetworkPolicy",
        "ciliumnetworkpolicies",
        true,
    ),
    ("cert-manager.io", "v1", "Certificate", "certificates", true),
    ("keda.sh", "v1alpha1", "ScaledObject", "scaledobjects", true),
    (
        "monitoring.coreos.com",
        "v1",
        "PodMonitor",
        "podmonitors",
        true,
    ),
    (
        "monitoring.coreos.com",
        "v1",
        "ServiceMonitor",
        "servicemonitors",
        true,
    ),
];

/// The default of a control plane elsewhere: components run there, too.
pub struct OwnCluster(pub Cluster);

impl DefaultPlane for OwnCluster {
    fn cluster<'a>(&'a self, _: &'a ObjectKey) -> BoxFuture<'a, Result<Cluster, String>> {
        async { Ok(self.0.clone()) }.boxed()
    }
}

/// Opens a simulated cluster for each data plane, when it is first asked for.
pub(super) struct SimulatedPlanes {
    pub(super) fleet: Arc<Fleet>,
    pub(super) authority: Arc<Authority>,
    pub(super) durable: Option<DataDir>,
    /// Folder for their kubeconfigs.
    pub(super) state: PathBuf,
    /// The kubeconfig of the control plane: theirs differ by name and path.
    pub(super) kubeconfig: Kubeconfig,
    pub(super) open: Mutex<BTreeMap<String, Plane>>,
}

/// A simulated cluster.
pub(super) struct Plane {
    cluster: Cluster,
    /// Whether it has the kinds that operators bring.
    is_furnished: bool,
}

impl SimulatedPlanes {
    async fn open(&self, name: &str) -> Result<Cluster, String> {
        let mut open = self.open.lock().await;
        let plane = match open.entry(name.to_owned()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(self.start(name)?),
        };
        if !plane.is_furnished {
            for kind in FOREIGN {
                let applied = apply(&plane.cluster, definition(kind)).await;
                applied.map_err(|error| error.render())?;
            }
            plane.is_furnished = true;
        }
        Ok(plane.cluster.clone())
    }

    fn start(&self, name: &str) -> Result<Plane, String> {
        let opened = open_cluster(self.durable.as_ref(), &self.authority, name);
        let opened = opened.map_err(|error| error.render())?;
        self.fleet.insert(name, opened.clone());
        let server = &self.kubeconfig.server;
        let kubeconfig = Kubeconfig {
            name: name.to_owned(),
            server: format!("{server}/clusters/{name}"),
            ..self.kubeconfig.clone()
        };
        let written = kubeconfig.write(&kubeconfig_of(&self.state, name));
        written.map_err(|error| format!("its kubeconfig cannot be written: {error}"))?;
        Ok(Plane {
            cluster: cluster::in_process(opened.service(User::admin())),
            is_furnished: false,
        })
    }
}

impl DefaultPlane for SimulatedPlanes {
    fn cluster<'a>(&'a self, plane: &'a ObjectKey) -> BoxFuture<'a, Result<Cluster, String>> {
        async move { self.open(&name(plane)).await }.boxed()
    }
}

/// The kubeconfig of a simulated cluster, in the folder of that of its control plane.
fn kubeconfig_of(state: &Path, name: &str) -> PathBuf {
    state.join(format!("kubeconfig-{name}"))
}

/// The kubeconfig of a data plane that is simulated, in the folder of that of its control plane.
pub fn plane_kubeconfig(state: &Path, plane: &ObjectKey) -> PathBuf {
    kubeconfig_of(state, &name(plane))
}

/// `plane-NAMESPACE-NAME`, or `plane-NAME` of one that is in no namespace.
fn name(plane: &ObjectKey) -> String {
    match plane.namespace.as_str() {
        "" => format!("plane-{}", plane.name),
        namespace => format!("plane-{namespace}-{}", plane.name),
    }
}

fn definition((group, version, kind, plural, namespaced): &(&str, &str, &str, &str, bool)) -> Node {
    let mut node = Node::map();
    node.set(&["apiVersion"], "apiextensions.k8s.io/v1");
    node.set(&["kind"], "CustomResourceDefinition");
    node.set(&["metadata", "name"], format!("{plural}.{group}"));
    // Groups of Kubernetes itself ask for it.
    let approved = "api-approved.kubernetes.io";
    let reason = "unapproved, objects are stored for a simulation";
    node.set(&["metadata", "annotations", approved], reason);
    node.set(&["spec", "group"], *group);
    node.set(
        &["spec", "scope"],
        if *namespaced { "Namespaced" } else { "Cluster" },
    );
    node.set(&["spec", "names", "kind"], *kind);
    node.set(&["spec", "names", "listKind"], format!("{kind}List"));
    node.set(&["spec", "names", "plural"], *plural);
    node.set(&["spec", "names", "singular"], kind.to_lowercase());
    let mut served = Node::map();
    served.set(&["name"], *version);
    served.set(&["served"], true);
    served.set(&["storage"], true);
    served.set(&["subresources", "status"], Node::map());
    let schema = ["schema", "openAPIV3Schema"];
    served.set(&[schema[0], schema[1], "type"], "object");
    let keep = "x-kubernetes-preserve-unknown-fields";
    served.set(&[schema[0], schema[1], keep], true);
    node.set(&["spec", "versions"], Node::list([served]));
    node
}
