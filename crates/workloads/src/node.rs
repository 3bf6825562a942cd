//! Simulated nodes.

use golang::Timestamp;
use object::{Node, Object};

use crate::conditions::Conditions;
use crate::view::{View, Write, Writes};

/// Nodes of a cluster that has none.
const COUNT: usize = 3;

/// Makes the nodes of a cluster that has none.
pub(crate) fn bootstrap(view: &dyn View, now: Timestamp) -> Writes {
    let mut writes = Writes::default();
    if !view.list("nodes", "").is_empty() {
        return writes;
    }
    for number in 1..=COUNT {
        let name = format!("node-{number}");
        let mut node = Node::map();
        node.set(&["apiVersion"], "v1");
        node.set(&["kind"], "Node");
        node.set(&["metadata", "name"], name.as_str());
        let labels = ["metadata", "labels"];
        for (key, value) in [
            ("kubernetes.io/hostname", name.as_str()),
            ("kubernetes.io/os", "linux"),
            ("kubernetes.io/arch", "amd64"),
        ] {
            node.set(&[labels[0], labels[1], key], value);
        }
        let mut conditions = Conditions::default();
        let ready = ("KubeletReady", "no kubelet runs; this node is simulated");
        conditions.set("Ready", true, ready, now);
        node.set(&["status", "conditions"], conditions.into_node());
        for kind in ["capacity", "allocatable"] {
            for (resource, amount) in [("cpu", "8"), ("memory", "32Gi"), ("pods", "110")] {
                node.set(&["status", kind, resource], amount);
            }
        }
        let mut address = Node::map();
        address.set(&["type"], "InternalIP");
        address.set(&["address"], address_of(&name));
        node.set(&["status", "addresses"], Node::list([address]));
        writes.writes.push(Write::Create {
            resource: "nodes",
            object: node,
            owner: String::new(),
        });
    }
    writes
}

/// Address of a node, from the block for documentation.
pub(crate) fn address_of(name: &str) -> String {
    let digits = name.rsplit('-').next().unwrap_or_default();
    let number = digits.parse::<u8>().unwrap_or(254);
    format!("192.0.2.{number}")
}

/// Names of nodes whose labels a pod's `nodeSelector` accepts and that take pods.
pub(crate) fn fitting(view: &dyn View, pod: &Node) -> Vec<String> {
    let selector = pod.at(&["spec", "nodeSelector"]).and_then(Node::as_map);
    let fits = |node: &Object| {
        let closed = node
            .node
            .at(&["spec", "unschedulable"])
            .and_then(Node::as_bool);
        let labels = node.labels();
        closed != Some(true)
            && selector.is_none_or(|wanted| {
                wanted
                    .iter()
                    .all(|(key, value)| labels.and_then(|labels| labels.get(key)) == Some(value))
            })
    };
    let nodes = view.list("nodes", "");
    let names = nodes.iter().filter(|node| fits(node));
    names.map(|node| node.name().to_owned()).collect()
}
