//! Ingresses: an address for each.

use object::{Node, Object};

use crate::template::number;
use crate::view::{View, Writes};

/// What an ingress controller would do about one Ingress.
pub(crate) fn reconcile(_view: &dyn View, ingress: &Object) -> Writes {
    let mut writes = Writes::default();
    if ingress.is_deleting() {
        return writes;
    }
    let mut address = Node::map();
    let last = 1 + number(ingress.namespace()) % 254;
    address.set(&["ip"], format!("198.51.100.{last}"));
    let mut status = Node::map();
    status.set(&["loadBalancer", "ingress"], Node::list([address]));
    writes.status("ingresses.networking.k8s.io", ingress, status);
    writes
}
