//! Services: endpoints from ready pods, addresses for load balancers.

use golang::Timestamp;
use object::{Map, Node, Object};

use crate::pod::ready_since;
use crate::template::{self, letters, number};
use crate::view::{View, Write, Writes};

const SLICES: &str = "endpointslices.discovery.k8s.io";
const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// Most endpoints of one slice, as Kubernetes has it.
const ENDPOINTS_MAX: usize = 100;

/// What the controllers would do about one Service.
pub(crate) fn reconcile(view: &dyn View, service: &Object, _now: Timestamp) -> Writes {
    let mut writes = Writes::default();
    if service.is_deleting() {
        return writes;
    }
    balance(service, &mut writes);
    let selector = service
        .node
        .at(&["spec", "selector"])
        .and_then(Node::as_map);
    let Some(selector) = selector.filter(|selector| !selector.is_empty()) else {
        return writes;
    };
    let pods: Vec<Object> = view
        .list("pods", service.namespace())
        .into_iter()
        .filter(|pod| template::has_all(Some(selector), pod.labels()))
        .filter(|pod| pod.node.str_at(&["status", "podIP"]).is_some() && !pod.is_deleting())
        .collect();
    let ports = ports(service, pods.first());
    let mut chunks: Vec<&[Object]> = pods.chunks(ENDPOINTS_MAX).collect();
    if chunks.is_empty() {
        chunks.push(&[]);
    }
    let slices = view.owned(SLICES, service);
    for (at, chunk) in chunks.iter().enumerate() {
        let name = slice_name(service, at);
        let endpoints = Node::list(chunk.iter().map(endpoint));
        match slices.iter().find(|slice| slice.name() == name) {
            None => writes.create(SLICES, slice(service, &name, endpoints, &ports), service),
            Some(live) => {
                let mut wanted = live.node.clone();
                wanted.set(&["endpoints"], endpoints);
                wanted.set(&["ports"], ports.clone());
                if wanted != live.node {
                    writes.writes.push(Write::Update {
                        resource: SLICES,
                        object: wanted,
                    });
                }
            }
        }
    }
    for slice in &slices {
        if !(0..chunks.len()).any(|at| slice_name(service, at) == slice.name()) {
            writes.delete(SLICES, slice);
        }
    }
    writes
}

/// Gives a load balancer an address, from the block for documentation.
fn balance(service: &Object, writes: &mut Writes) {
    if service.node.str_at(&["spec", "type"]) != Some("LoadBalancer") {
        return;
    }
    let mut ingress = Node::map();
    let last = 1 + number(service.uid()) % 254;
    ingress.set(&["ip"], format!("198.51.100.{last}"));
    ingress.set(&["ipMode"], "VIP");
    let mut status = service.node.get("status").cloned().unwrap_or(Node::map());
    status.set(&["loadBalancer", "ingress"], Node::list([ingress]));
    writes.status("services", service, status);
}

fn slice_name(service: &Object, at: usize) -> String {
    let suffix = letters(number(&format!("{}{at}", service.uid())), 5);
    format!("{}-{suffix}", service.name())
}

fn slice(service: &Object, name: &str, endpoints: Node, ports: &Node) -> Node {
    let mut slice = Node::map();
    slice.set(&["apiVersion"], "discovery.k8s.io/v1");
    slice.set(&["kind"], "EndpointSlice");
    slice.set(&["metadata", "name"], name);
    let mut labels: Map = service.labels().cloned().unwrap_or_default();
    labels.insert(SERVICE_NAME, service.name());
    let manager = "endpointslice-controller.k8s.io";
    labels.insert("endpointslice.kubernetes.io/managed-by", manager);
    slice.set(&["metadata", "labels"], labels);
    slice.set(&["addressType"], "IPv4");
    slice.set(&["endpoints"], endpoints);
    slice.set(&["ports"], ports.clone());
    slice
}

fn endpoint(pod: &Object) -> Node {
    let text = |keys: &[&str]| pod.node.str_at(keys).unwrap_or_default().to_owned();
    let ready = ready_since(pod).is_some();
    let mut endpoint = Node::map();
    endpoint.set(&["addresses"], Node::list([text(&["status", "podIP"])]));
    endpoint.set(&["conditions", "ready"], ready);
    endpoint.set(&["conditions", "serving"], ready);
    endpoint.set(&["conditions", "terminating"], false);
    let node = text(&["spec", "nodeName"]);
    if !node.is_empty() {
        endpoint.set(&["nodeName"], node);
    }
    for (field, value) in [
        ("kind", "Pod"),
        ("namespace", pod.namespace()),
        ("name", pod.name()),
        ("uid", pod.uid()),
    ] {
        endpoint.set(&["targetRef", field], value);
    }
    endpoint
}

/// The ports of a Service as its pods listen: names of container ports become numbers.
fn ports(service: &Object, pod: Option<&Object>) -> Node {
    let ports = service.node.at(&["spec", "ports"]).and_then(Node::as_list);
    Node::list(ports.unwrap_or(&[]).iter().map(|port| {
        let mut out = Node::map();
        out.set(&["name"], port.str_at(&["name"]).unwrap_or_default());
        out.set(&["protocol"], port.str_at(&["protocol"]).unwrap_or("TCP"));
        let target = port.get("targetPort").or_else(|| port.get("port"));
        let number = match target {
            Some(Node::String(name)) => pod.and_then(|pod| container_port(pod, name)),
            Some(number) => number.as_i64(),
            None => None,
        };
        if let Some(number) = number {
            out.set(&["port"], number);
        }
        out
    }))
}

fn container_port(pod: &Object, name: &str) -> Option<i64> {
    let containers = pod.node.at(&["spec", "containers"])?.as_list()?;
    let ports = containers
        .iter()
        .filter_map(|c| c.get("ports")?.as_list())
        .flatten();
    let mut named = ports.filter(|port| port.str_at(&["name"]) == Some(name));
    named.next()?.get("containerPort")?.as_i64()
}
