//! Direct access for reducers: the same rules as requests, without paths and encodings.

use std::sync::Arc;

use object::{Node, Text};

use crate::{Env, Event, Refusal, State, Stored};

/// How to delete.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deletion {
    /// Seconds until the end; `None`: the kind's default.
    pub grace_period_seconds: Option<i64>,
    /// `Background`, `Foreground` or `Orphan`; `None`: the kind's default.
    pub propagation_policy: Option<Text>,
    /// Only if the live object has this uid.
    pub uid: Option<Text>,
    /// Only if the live object has this version.
    pub resource_version: Option<Text>,
}

/// Writes of one reducer: validated, defaulted and recorded like those of a client.
///
/// Resources are named by storage key (`deployments.apps`). Nothing is authorised.
pub struct Writer<'a> {
    state: &'a mut State,
    env: &'a Env,
    manager: Text,
    events: Vec<Event>,
}

impl<'a> Writer<'a> {
    /// A writer that is recorded as `manager` in managed fields.
    pub fn new(state: &'a mut State, env: &'a Env, manager: &str) -> Self {
        Self {
            state,
            env,
            manager: manager.into(),
            events: Vec::new(),
        }
    }

    /// The state with all writes so far.
    pub fn state(&self) -> &State {
        self.state
    }

    /// Time and seed of this writer.
    pub fn env(&self) -> &Env {
        self.env
    }

    /// Creates an object; its namespace is in the metadata.
    pub fn create(&mut self, resource: &str, object: Node) -> Result<Arc<Stored>, Refusal> {
        let _ = (resource, object, &self.manager);
        Err(Refusal::unknown_path())
    }

    /// Replaces an object; a `resourceVersion` in it is a precondition.
    pub fn update(&mut self, resource: &str, object: Node) -> Result<Arc<Stored>, Refusal> {
        self.update_subresource(resource, "", object)
    }

    /// Replaces the status of an object.
    pub fn update_status(&mut self, resource: &str, object: Node) -> Result<Arc<Stored>, Refusal> {
        self.update_subresource(resource, "status", object)
    }

    fn update_subresource(
        &mut self,
        resource: &str,
        subresource: &str,
        object: Node,
    ) -> Result<Arc<Stored>, Refusal> {
        let _ = (resource, subresource, object);
        Err(Refusal::unknown_path())
    }

    /// Deletes an object, or starts to when it has finalizers or a grace period.
    pub fn delete(
        &mut self,
        resource: &str,
        namespace: &str,
        name: &str,
        deletion: &Deletion,
    ) -> Result<(), Refusal> {
        let _ = (resource, namespace, name, deletion);
        Err(Refusal::unknown_path())
    }

    /// Lets the API's own controllers react and gives all events, own writes first.
    pub fn finish(mut self) -> Vec<Event> {
        let more = crate::settle(self.state, self.env);
        self.events.extend(more);
        self.events
    }
}
