//! The objects every cluster has from the start.

use object::Node;

use crate::{Env, State, Writer};

/// Creates the namespaces every cluster has; what belongs into each follows by itself.
pub(crate) fn fill(state: &mut State, env: &Env) {
    let mut writer = Writer::new(state, env, "kube-apiserver");
    for name in ["kube-system", "kube-public", "kube-node-lease", "default"] {
        let mut namespace = Node::map();
        namespace.set(&["metadata", "name"], name);
        namespace.set(&["metadata", "labels", "kubernetes.io/metadata.name"], name);
        // It cannot be there already.
        let _ = writer.create("namespaces", namespace);
    }
    for object in crate::rbac::bootstrap_objects() {
        let resource = match object.str_at(&["kind"]) {
            Some("ClusterRole") => "clusterroles.rbac.authorization.k8s.io",
            Some("ClusterRoleBinding") => "clusterrolebindings.rbac.authorization.k8s.io",
            Some("Role") => "roles.rbac.authorization.k8s.io",
            _ => "rolebindings.rbac.authorization.k8s.io",
        };
        let _ = writer.create(resource, object);
    }
    for (name, value) in [
        ("system-cluster-critical", 2_000_000_000),
        ("system-node-critical", 2_000_001_000),
    ] {
        let mut class = Node::map();
        class.set(&["metadata", "name"], name);
        class.set(&["value"], value);
        class.set(
            &["description"],
            match name {
                "system-node-critical" => "Used for system critical pods that must not be moved from their current node.",
                _ => "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
            },
        );
        class.set(&["preemptionPolicy"], "PreemptLowerPriority");
        let _ = writer.create("priorityclasses.scheduling.k8s.io", class);
    }
    let address = writer.state().features().service_network.address(1);
    let _ = writer.create("services", api_service(address.to_string()));
    let _ = writer.create("endpointslices.discovery.k8s.io", api_endpoints());
    writer.finish();
}

/// The Service through which pods reach the API.
fn api_service(address: String) -> Node {
    let mut service = Node::map();
    service.set(&["metadata", "name"], "kubernetes");
    service.set(&["metadata", "namespace"], "default");
    service.set(&["metadata", "labels", "component"], "apiserver");
    service.set(&["metadata", "labels", "provider"], "kubernetes");
    let mut port = Node::map();
    port.set(&["name"], "https");
    port.set(&["protocol"], "TCP");
    port.set(&["port"], 443);
    port.set(&["targetPort"], 6443);
    service.set(&["spec", "ports"], Node::list([port]));
    service.set(&["spec", "clusterIP"], address);
    service.set(&["spec", "type"], "ClusterIP");
    service.set(&["spec", "sessionAffinity"], "None");
    service
}

/// Where that Service leads: nowhere a pod could go, but controllers expect the object.
fn api_endpoints() -> Node {
    let mut slice = Node::map();
    slice.set(&["metadata", "name"], "kubernetes");
    slice.set(&["metadata", "namespace"], "default");
    slice.set(
        &["metadata", "labels", "kubernetes.io/service-name"],
        "kubernetes",
    );
    slice.set(&["addressType"], "IPv4");
    let mut port = Node::map();
    port.set(&["name"], "https");
    port.set(&["protocol"], "TCP");
    port.set(&["port"], 6443);
    slice.set(&["ports"], Node::list([port]));
    let mut endpoint = Node::map();
    endpoint.set(&["addresses"], Node::list(["192.0.2.1"]));
    endpoint.set(&["conditions", "ready"], true);
    slice.set(&["endpoints"], Node::list([endpoint]));
    slice
}
