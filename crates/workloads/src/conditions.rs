//! Conditions of workloads.

use golang::Timestamp;
use object::Node;

/// Conditions of one status, by type.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conditions(Vec<Node>);

impl Conditions {
    /// Those an object has.
    pub(crate) fn of(object: &object::Object) -> Self {
        let list = object.node.at(&["status", "conditions"]);
        Self(list.and_then(Node::as_list).unwrap_or(&[]).to_vec())
    }

    pub(crate) fn get(&self, kind: &str) -> Option<&Node> {
        self.0.iter().find(|c| c.str_at(&["type"]) == Some(kind))
    }

    /// Whether a condition is there and true.
    pub(crate) fn is_true(&self, kind: &str) -> bool {
        self.get(kind).and_then(|c| c.str_at(&["status"])) == Some("True")
    }

    /// Sets a condition; its time changes only with its status. Empty texts are left out.
    pub(crate) fn set(
        &mut self,
        kind: &str,
        status: bool,
        (reason, message): (&str, &str),
        now: Timestamp,
    ) -> &mut Node {
        let status = if status { "True" } else { "False" };
        let at = self
            .0
            .iter()
            .position(|c| c.str_at(&["type"]) == Some(kind));
        let at = at.unwrap_or_else(|| {
            let mut condition = Node::map();
            condition.set(&["type"], kind);
            self.0.push(condition);
            self.0.len() - 1
        });
        let condition = &mut self.0[at];
        if condition.str_at(&["status"]) != Some(status) {
            condition.set(&["status"], status);
            condition.set(&["lastTransitionTime"], now.to_string());
        }
        for (key, text) in [("reason", reason), ("message", message)] {
            match text {
                "" => {
                    condition.remove(&[key]);
                }
                text => condition.set(&[key], text),
            }
        }
        condition
    }

    pub(crate) fn remove(&mut self, kind: &str) {
        self.0.retain(|c| c.str_at(&["type"]) != Some(kind));
    }

    pub(crate) fn into_node(self) -> Node {
        Node::from(self.0)
    }
}
