//! Direct access for reducers: the same rules as requests, without paths and encodings.

use std::sync::Arc;

use object::{Node, Text};

use crate::call::{Call, Target, meta};
use crate::options::{DeleteOptions, WriteOptions};
use crate::patch::PatchKind;
use crate::{Change, Content, Env, Event, Refusal, ResourceType, State, Stored, User};

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
/// Resources are named by storage key (`deployments.apps`), objects are in their storage version.
/// Nothing is authorised.
pub struct Writer<'a> {
    state: &'a mut State,
    env: &'a Env,
    manager: Text,
    events: Vec<Event>,
    /// Whether what is written twice becomes one change.
    folds: bool,
}

impl<'a> Writer<'a> {
    /// A writer that is recorded as `manager` in managed fields.
    pub fn new(state: &'a mut State, env: &'a Env, manager: &str) -> Self {
        Self {
            state,
            env,
            manager: manager.into(),
            events: Vec::new(),
            folds: false,
        }
    }

    /// The same, but an object that is created or changed and then changed again is told as one
    /// change, in the place of the last.
    ///
    /// Nobody sees a state between the writes of one reaction, so nobody waits for one.
    pub(crate) fn folding(mut self) -> Self {
        self.folds = true;
        self
    }

    /// The state with all writes so far.
    pub fn state(&self) -> &State {
        self.state
    }

    /// Changes what is derived from objects, as the served types are.
    pub(crate) fn change_state(&mut self, change: impl FnOnce(&mut State)) {
        change(self.state);
    }

    /// Time and seed of this writer.
    pub fn env(&self) -> &Env {
        self.env
    }

    /// Everything this writer has changed so far, by version.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Creates an object; its namespace is in the metadata.
    ///
    /// # Errors
    /// What a client would be answered.
    pub fn create(&mut self, resource: &str, object: Node) -> Result<Arc<Stored>, Refusal> {
        let namespace = Text::from(meta(&object, "namespace"));
        self.write(resource, "", &namespace, "", |call, target| {
            let mut object = object;
            normalise(target, &mut object, None)?;
            call.create(target, object)
        })
    }

    /// Replaces an object; a `resourceVersion` in it is a precondition.
    ///
    /// # Errors
    /// What a client would be answered.
    pub fn update(&mut self, resource: &str, object: Node) -> Result<Arc<Stored>, Refusal> {
        self.update_subresource(resource, "", object)
    }

    /// Applies an object, taking over the fields that others own.
    ///
    /// # Errors
    /// What a client would be answered.
    pub fn apply(&mut self, resource: &str, object: Node) -> Result<Arc<Stored>, Refusal> {
        let namespace = Text::from(meta(&object, "namespace"));
        let name = Text::from(meta(&object, "name"));
        self.write(resource, "", &namespace, &name, |call, target| {
            let mut object = object;
            object.set(&["apiVersion"], target.resource.api_version());
            object.set(&["kind"], target.resource.kind.clone());
            let options = WriteOptions {
                force: true,
                force_managers: true,
                ..target.options.clone()
            };
            let target = Target {
                options: &options,
                ..*target
            };
            let body = Content::Node(object);
            Ok(call.patch(&target, PatchKind::Apply, &body)?.object)
        })
    }

    /// Replaces the status of an object.
    ///
    /// # Errors
    /// What a client would be answered.
    pub fn update_status(&mut self, resource: &str, object: Node) -> Result<Arc<Stored>, Refusal> {
        self.update_subresource(resource, "status", object)
    }

    /// Replaces an object through one of its subresources.
    ///
    /// # Errors
    /// What a client would be answered.
    pub fn update_subresource(
        &mut self,
        resource: &str,
        subresource: &str,
        object: Node,
    ) -> Result<Arc<Stored>, Refusal> {
        let namespace = Text::from(meta(&object, "namespace"));
        let name = Text::from(meta(&object, "name"));
        self.write(resource, subresource, &namespace, &name, |call, target| {
            let mut object = object;
            let live = call.live(target.resource, target.namespace, target.name);
            normalise(target, &mut object, live.as_ref().map(|live| &live.node))?;
            Ok(call.update(target, object)?.object)
        })
    }

    /// Deletes an object, or starts to when it has finalizers or a grace period.
    ///
    /// # Errors
    /// What a client would be answered.
    pub fn delete(
        &mut self,
        resource: &str,
        namespace: &str,
        name: &str,
        deletion: &Deletion,
    ) -> Result<(), Refusal> {
        let options = DeleteOptions {
            deletion: deletion.clone(),
            explicit: deletion.propagation_policy.is_some(),
            ..DeleteOptions::default()
        };
        self.run(resource, "", namespace, name, |call, target| {
            call.delete(target, &options).map(|_| ())
        })
    }

    /// Lets the API's own controllers react and gives all events, own writes first.
    pub fn finish(mut self) -> Vec<Event> {
        let events = std::mem::take(&mut self.events);
        let more = crate::settle_after(self.state, self.env, &events);
        events.into_iter().chain(more).collect()
    }

    fn write(
        &mut self,
        resource: &str,
        subresource: &str,
        namespace: &str,
        name: &str,
        act: impl FnOnce(&mut Call<'_>, &Target<'_>) -> Result<Node, Refusal>,
    ) -> Result<Arc<Stored>, Refusal> {
        let node = self.run(resource, subresource, namespace, name, act)?;
        let live = self
            .state
            .get(resource, meta(&node, "namespace"), meta(&node, "name"));
        let version = meta(&node, "resourceVersion").parse().unwrap_or_default();
        Ok(live
            .cloned()
            .unwrap_or_else(|| Arc::new(Stored::new(node, version))))
    }

    fn run<T>(
        &mut self,
        resource: &str,
        subresource: &str,
        namespace: &str,
        name: &str,
        act: impl FnOnce(&mut Call<'_>, &Target<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let Some(resource) = self.state.storage_type(resource) else {
            return Err(Refusal::unknown_resource());
        };
        let user = User::admin();
        let options = WriteOptions {
            manager: self.manager.clone(),
            ..WriteOptions::default()
        };
        let mut call = Call::new(self.state, self.env, &user);
        call.trusted = true;
        let target = Target {
            resource: &resource,
            namespace,
            name,
            subresource,
            options: &options,
        };
        let outcome = act(&mut call, &target);
        let events = std::mem::take(&mut call.events);
        for event in events {
            self.record(event);
        }
        outcome
    }

    fn record(&mut self, event: Event) {
        let same = |earlier: &Event| {
            earlier.key == event.key
                && earlier.resource == event.resource
                && earlier.change != Change::Deleted
        };
        let earlier = match event.change {
            Change::Modified if self.folds => self.events.iter().rposition(same),
            _ => None,
        };
        let event = match earlier {
            Some(at) => {
                let earlier = self.events.remove(at);
                self.state.fold(&earlier, event)
            }
            None => event,
        };
        self.events.push(event);
    }
}

fn normalise(target: &Target<'_>, object: &mut Node, live: Option<&Node>) -> Result<(), Refusal> {
    let resource: &ResourceType = target.resource;
    let decoded = resource.canonicalize_beside(object, live);
    decoded.map_err(|problem| Refusal::bad_request(problem.0))?;
    object.set(&["apiVersion"], resource.api_version());
    object.set(&["kind"], resource.kind.clone());
    Ok(())
}
