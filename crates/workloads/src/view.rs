//! What a reducer sees, and what it wants written.

use golang::Timestamp;
use object::{Node, Object};

/// What is there. Resources are named by storage key: `pods`, `deployments.apps`.
pub trait View {
    /// An object by name.
    fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<Object>;

    /// The objects of a resource in a namespace; of all namespaces when it is empty.
    fn list(&self, resource: &str, namespace: &str) -> Vec<Object>;

    /// The objects of a resource that an object owns.
    fn owned(&self, resource: &str, owner: &Object) -> Vec<Object>;

    /// Why the last child of an object could not be created, if it could not.
    fn refusal(&self, owner: &Object) -> Option<String>;
}

/// One write.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    /// Creates an object, for an owner whose uid is told so that a refusal finds it.
    Create {
        /// Storage key of the resource.
        resource: &'static str,
        /// The object.
        object: Node,
        /// Uid of the owner; empty for none.
        owner: String,
    },
    /// Replaces an object.
    Update {
        /// Storage key of the resource.
        resource: &'static str,
        /// The whole object.
        object: Node,
    },
    /// Replaces the status of an object.
    Status {
        /// Storage key of the resource.
        resource: &'static str,
        /// The whole object.
        object: Node,
    },
    /// Deletes an object at once.
    Delete {
        /// Storage key of the resource.
        resource: &'static str,
        /// Namespace.
        namespace: String,
        /// Name.
        name: String,
    },
}

/// What a reducer wants: writes in order, and when to look again if nothing changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Writes {
    /// In order.
    pub writes: Vec<Write>,
    /// The earliest time at which something would be different.
    pub wake: Option<Timestamp>,
}

impl Writes {
    /// Wants an object created below `owner`, which becomes its controller.
    pub(crate) fn create(&mut self, resource: &'static str, mut object: Node, owner: &Object) {
        let mut reference = Node::map();
        reference.set(&["apiVersion"], owner.api_version());
        reference.set(&["kind"], owner.kind());
        reference.set(&["name"], owner.name());
        reference.set(&["uid"], owner.uid());
        reference.set(&["controller"], true);
        reference.set(&["blockOwnerDeletion"], true);
        object.set(&["metadata", "ownerReferences"], Node::list([reference]));
        object.set(&["metadata", "namespace"], owner.namespace());
        self.writes.push(Write::Create {
            resource,
            object,
            owner: owner.uid().to_owned(),
        });
    }

    /// Wants the status of `object` to be `status`, if it is another one.
    pub(crate) fn status(&mut self, resource: &'static str, object: &Object, status: Node) {
        if object.node.get("status") == Some(&status) {
            return;
        }
        let mut node = object.node.clone();
        node.set(&["status"], status);
        self.writes.push(Write::Status {
            resource,
            object: node,
        });
    }

    /// Wants an object gone.
    pub(crate) fn delete(&mut self, resource: &'static str, object: &Object) {
        self.writes.push(Write::Delete {
            resource,
            namespace: object.namespace().to_owned(),
            name: object.name().to_owned(),
        });
    }

    /// Wants to be asked again at a time.
    pub(crate) fn wake_at(&mut self, at: Timestamp) {
        self.wake = Some(self.wake.map_or(at, |known| known.min(at)));
    }
}

/// An integer field, or a default.
pub(crate) fn int(object: &Object, keys: &[&str], default: i64) -> i64 {
    object
        .node
        .at(keys)
        .and_then(Node::as_i64)
        .unwrap_or(default)
}

/// Whether an object is controlled by another.
pub(crate) fn is_controlled_by(object: &Object, owner: &Object) -> bool {
    let references = object.node.at(&["metadata", "ownerReferences"]);
    let references = references.and_then(Node::as_list).unwrap_or(&[]);
    references.iter().any(|reference| {
        reference.str_at(&["uid"]) == Some(owner.uid())
            && reference.get("controller").and_then(Node::as_bool) == Some(true)
    })
}

/// When an object was created.
pub(crate) fn created(object: &Object) -> Option<Timestamp> {
    let text = object.node.str_at(&["metadata", "creationTimestamp"])?;
    text.parse().ok()
}
