//! One call: the state it changes and everything it collects on the way.

use std::sync::Arc;

use golang::Timestamp;
use object::{Node, Text};

use crate::options::WriteOptions;
use crate::path::{self, Route};
use crate::rbac::{self, Attributes};
use crate::{Env, Event, Key, Random, Refusal, ResourceType, State, Stored, User};

/// A request or a reducer's write while it is carried out.
pub(crate) struct Call<'a> {
    pub state: &'a mut State,
    pub env: &'a Env,
    pub user: &'a User,
    pub random: Random,
    pub warnings: Vec<String>,
    pub events: Vec<Event>,
    /// Not to be stored.
    pub dry_run: bool,
    /// A controller of the API itself or a reducer: no rights are asked.
    pub trusted: bool,
}

impl<'a> Call<'a> {
    pub(crate) fn new(state: &'a mut State, env: &'a Env, user: &'a User) -> Self {
        let random = state.random(env);
        Self {
            state,
            env,
            user,
            random,
            warnings: Vec::new(),
            events: Vec::new(),
            dry_run: false,
            trusted: false,
        }
    }

    /// Refuses what the user may not do.
    pub(crate) fn authorize(&self, attributes: &Attributes<'_>) -> Result<(), Refusal> {
        match self.trusted || rbac::authorize(&*self.state, self.user, attributes).is_allowed() {
            true => Ok(()),
            false => Err(path::forbidden(&self.user.name, attributes)),
        }
    }

    /// The time as objects carry it.
    pub(crate) fn now(&self) -> Text {
        stamp(self.env.now)
    }

    /// The live object a route names.
    pub(crate) fn live(
        &self,
        resource: &ResourceType,
        namespace: &str,
        name: &str,
    ) -> Option<Arc<Stored>> {
        self.state.get(&resource.storage, namespace, name).cloned()
    }

    /// Stores or removes an object, unless this is a dry run; gives what is stored afterwards.
    ///
    /// In a dry run the answer is the object as it would be, with the version it had.
    pub(crate) fn store(
        &mut self,
        resource: &ResourceType,
        key: Key,
        object: Option<Node>,
    ) -> Node {
        let before = self.state.get(&resource.storage, &key.namespace, &key.name);
        if self.dry_run {
            return match (object, before) {
                (Some(object), _) => object,
                (None, Some(before)) => before.node.clone(),
                (None, None) => Node::Null,
            };
        }
        self.state.drawn(&self.random);
        match self.state.commit(&resource.storage, key, object) {
            Some(event) => {
                let node = event.object.node.clone();
                self.events.push(event);
                node
            }
            None => Node::Null,
        }
    }
}

/// A time as objects carry it: RFC 3339 in whole seconds.
pub(crate) fn stamp(time: Timestamp) -> Text {
    time.truncate_to_seconds().to_string().into()
}

/// What a write is about.
pub(crate) struct Target<'a> {
    pub resource: &'a Arc<ResourceType>,
    pub namespace: &'a str,
    pub name: &'a str,
    pub subresource: &'a str,
    pub options: &'a WriteOptions,
}

impl<'a> Target<'a> {
    pub(crate) fn of(route: &'a Route, options: &'a WriteOptions) -> Self {
        Self {
            resource: &route.resource,
            namespace: &route.namespace,
            name: &route.name,
            subresource: &route.subresource,
            options,
        }
    }

    pub(crate) fn key(&self, name: &str) -> Key {
        Key::new(self.namespace, name)
    }
}

/// Text inside an object's metadata; empty when it is not there.
pub(crate) fn meta<'n>(object: &'n Node, key: &str) -> &'n str {
    object.str_at(&["metadata", key]).unwrap_or_default()
}

/// Finalizers of an object.
pub(crate) fn finalizers(object: &Node) -> Vec<Text> {
    let list = object
        .at(&["metadata", "finalizers"])
        .and_then(Node::as_list)
        .unwrap_or_default();
    list.iter()
        .filter_map(|item| item.as_str().map(Text::from))
        .collect()
}

/// Replaces the finalizers of an object; an empty list goes away.
pub(crate) fn set_finalizers(object: &mut Node, finalizers: &[Text]) {
    if finalizers.is_empty() {
        object.remove(&["metadata", "finalizers"]);
    } else {
        object.set(
            &["metadata", "finalizers"],
            Node::list(finalizers.iter().cloned()),
        );
    }
}

/// Whether a deletion has begun.
pub(crate) fn is_deleting(object: &Node) -> bool {
    !meta(object, "deletionTimestamp").is_empty()
}
