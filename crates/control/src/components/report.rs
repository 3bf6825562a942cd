//! The status that a look at an object ends with.

use api::{ConditionStatus, Conditions, condition_type};
use component::model::Finding;
use golang::Timestamp;
use object::Node;

use super::roll_up::HARMLESS;
use super::subject::Subject;
use super::{Action, Decision};
use crate::Event;

/// The condition that lists fields no version knows; present only while there are some.
pub(super) const SCHEMA_WARNINGS: &str = "SchemaWarnings";

/// The condition of what is being deleted and has to wait.
pub(super) const FINALIZING: &str = "Finalizing";

/// Most fields that one condition lists.
const FIELDS_SHOWN: usize = 20;

/// A status in the making: what was there, changed where something else is true now.
pub(super) struct Report {
    before: Node,
    pub status: Node,
    pub conditions: Conditions,
    pub events: Vec<Event>,
    pub wake: Option<Timestamp>,
    generation: i64,
    now: Timestamp,
}

impl Report {
    pub fn new(subject: &Subject<'_>) -> Self {
        let before = subject.object.node.get("status").cloned();
        let before = before.unwrap_or_else(Node::map);
        Self {
            status: before.clone(),
            conditions: Conditions::read(before.get("conditions")),
            before,
            events: Vec::new(),
            wake: None,
            generation: subject.object.generation(),
            now: subject.view.timing.now,
        }
    }

    pub fn set(&mut self, kind: &str, holds: bool, reason: &str, message: &str) {
        let status = match holds {
            true => ConditionStatus::True,
            false => ConditionStatus::False,
        };
        self.conditions
            .set((kind, status), reason, message, self.generation, self.now);
    }

    pub fn unknown(&mut self, kind: &str, reason: &str, message: &str) {
        let state = (kind, ConditionStatus::Unknown);
        self.conditions
            .set(state, reason, message, self.generation, self.now);
    }

    pub fn ready(&mut self, holds: bool, reason: &str, message: &str) {
        self.set(condition_type::READY, holds, reason, message);
    }

    /// Sets a field of the status, or takes it away when there is nothing to say.
    pub fn field(&mut self, name: &str, value: impl Into<Node>) {
        let value = value.into();
        let empty = match &value {
            Node::Null => true,
            Node::List(items) => items.is_empty(),
            Node::Map(map) => map.is_empty(),
            Node::String(text) => text.is_empty(),
            _ => false,
        };
        match empty {
            true => drop(self.status.remove(&[name])),
            false => self.status.set(&[name], value),
        }
    }

    /// Tells fields that no version knows.
    pub fn warn(&mut self, findings: &[Finding]) {
        if findings.is_empty() {
            return self.conditions.remove(SCHEMA_WARNINGS);
        }
        let shown = findings.iter().take(FIELDS_SHOWN);
        let mut message: Vec<String> = shown.map(ToString::to_string).collect();
        if findings.len() > FIELDS_SHOWN {
            message.push(format!("and {} more", findings.len() - FIELDS_SHOWN));
        }
        self.set(SCHEMA_WARNINGS, true, "UnknownFields", &message.join("; "));
    }

    /// Like [`Self::finish`] for kinds that have no status as long as nothing is odd.
    pub fn finish_quietly(self) -> Decision {
        let nothing = self.before.as_map().is_some_and(object::Map::is_empty);
        match nothing && self.conditions.iter().next().is_none() {
            true => Decision::default(),
            false => self.finish(),
        }
    }

    /// The decision to write this status, if it says something new.
    pub fn finish(mut self) -> Decision {
        self.field("conditions", self.conditions.to_node());
        if self.generation > 0 {
            self.field("observedGeneration", self.generation);
        }
        self.tell();
        let actions = match self.status == self.before {
            true => Vec::new(),
            false => vec![Action::Status(self.status)],
        };
        Decision {
            actions,
            events: self.events,
            wake: self.wake,
        }
    }

    /// An event when the object became ready, or is not ready for another reason than before that
    /// somebody should know of.
    fn tell(&mut self) {
        let before = Conditions::read(self.before.get("conditions"));
        let old = before.get(condition_type::READY);
        let Some(new) = self.conditions.get(condition_type::READY) else {
            return;
        };
        let same = old.is_some_and(|old| old.status == new.status && old.reason == new.reason);
        let fails = new.status == ConditionStatus::False;
        if same || (fails && HARMLESS.contains(&new.reason.as_str())) {
            return;
        }
        self.events.push(match fails {
            true => Event::error(&new.reason, new.message.clone(), ""),
            false => Event::info(&new.reason, new.message.clone(), ""),
        });
    }
}
