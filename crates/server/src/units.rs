//! Sources and units as the API gives them.

use object::Node;
use runtime::{Summary, UnitSummary};

/// `{sources, units}`, each a list.
pub(crate) fn to_node(summary: &Summary) -> Node {
    let mut node = Node::map();
    node.set(&["apiVersion"], "fleetwright.dev/v1alpha1");
    node.set(&["kind"], "Summary");
    node.set(&["sources"], Node::list(summary.sources.iter().map(unit)));
    node.set(&["units"], Node::list(summary.units.iter().map(unit)));
    node
}

fn unit(summary: &UnitSummary) -> Node {
    let mut node = Node::map();
    node.set(&["kind"], summary.key.kind.clone());
    node.set(&["namespace"], summary.key.namespace.clone());
    node.set(&["name"], summary.key.name.clone());
    node.set(&["sync"], summary.sync.as_str());
    node.set(&["health"], summary.health.as_str());
    node.set(&["suspended"], summary.suspended);
    node.set(&["revision"], summary.revision.as_str());
    node.set(&["reason"], summary.reason.as_str());
    node.set(&["message"], summary.message.as_str());
    node.set(&["objects"], summary.objects as i64);
    node
}
