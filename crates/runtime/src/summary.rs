//! How every unit and source is: the two axes people read.

use std::sync::Arc;

use api::{Conditions, condition_type};
use object::{Node, Object, ObjectKey};

/// How every unit and source is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// Sources, in key order.
    pub sources: Vec<UnitSummary>,
    /// Units, in key order.
    pub units: Vec<UnitSummary>,
}

/// How one object is.
#[derive(Clone, Debug, PartialEq)]
pub struct UnitSummary {
    /// Which object.
    pub key: ObjectKey,
    /// Git against the cluster.
    pub sync: SyncState,
    /// The objects themselves.
    pub health: Health,
    /// Whether reconciling is stopped.
    pub suspended: bool,
    /// Revision last applied or fetched; empty when there is none.
    pub revision: String,
    /// Reason word of the Ready condition.
    pub reason: String,
    /// Message of the Ready condition.
    pub message: String,
    /// Number of applied objects.
    pub objects: usize,
    /// Whether nothing is going to happen by itself soon.
    pub settled: bool,
}

/// Git against the cluster, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SyncState {
    /// Something stops it, and a person has to act.
    Blocked,
    /// Nobody has looked yet.
    Unknown,
    /// A newer wish is not applied yet.
    Behind,
    /// The wish is applied.
    Synced,
}

/// The objects themselves, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// They will not get there by themselves.
    Degraded,
    /// Nobody looks.
    Unknown,
    /// They are on their way.
    Progressing,
    /// They are there.
    Healthy,
}

impl SyncState {
    /// The word people read.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blocked => "Blocked",
            Self::Unknown => "Unknown",
            Self::Behind => "Behind",
            Self::Synced => "Synced",
        }
    }
}

impl Health {
    /// The word people read.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Degraded => "Degraded",
            Self::Unknown => "Unknown",
            Self::Progressing => "Progressing",
            Self::Healthy => "Healthy",
        }
    }
}

impl Summary {
    /// Reads statuses of sources and units.
    pub fn of(sources: &[Arc<Object>], units: &[Arc<Object>]) -> Self {
        Self {
            sources: sources
                .iter()
                .map(|object| UnitSummary::of(object))
                .collect(),
            units: units.iter().map(|object| UnitSummary::of(object)).collect(),
        }
    }

    /// Whether every source and unit rests.
    pub fn is_settled(&self) -> bool {
        self.sources
            .iter()
            .chain(&self.units)
            .all(|unit| unit.settled)
    }

    /// Number of units in a state.
    pub fn count(&self, sync: SyncState) -> usize {
        self.units.iter().filter(|unit| unit.sync == sync).count()
    }
}

impl UnitSummary {
    /// Reads the status of a source or unit.
    pub fn of(object: &Object) -> Self {
        let status = |keys: &[&str]| object.node.get("status").and_then(|node| node.at(keys));
        let text = |keys: &[&str]| status(keys).and_then(Node::as_str).unwrap_or_default();
        let conditions = Conditions::read(status(&["conditions"]));
        let ready = conditions.get(condition_type::READY);
        let observed = status(&["observedGeneration"]).and_then(Node::as_i64);
        let seen = observed == Some(object.generation());
        let stalled = conditions.is_true(condition_type::STALLED);
        let suspended = object.node.at(&["spec", "suspend"]).and_then(Node::as_bool) == Some(true);
        let ready_reason = ready.map(|ready| ready.reason.as_str()).unwrap_or_default();
        let waits = ready_reason == "DependencyNotReady";
        let is_ready = conditions.is_true(condition_type::READY) && seen;
        let failed = ready.is_some_and(|ready| ready.status == api::ConditionStatus::False);
        let sync = match () {
            () if stalled || waits => SyncState::Blocked,
            () if is_ready => SyncState::Synced,
            () if failed && ready_reason == "HealthCheckFailed" => SyncState::Synced,
            () if failed => SyncState::Blocked,
            () if ready.is_none() => SyncState::Unknown,
            () => SyncState::Behind,
        };
        let health = match conditions.get(condition_type::HEALTHY).map(|h| h.status) {
            Some(api::ConditionStatus::True) => Health::Healthy,
            Some(api::ConditionStatus::False) => Health::Degraded,
            _ if is_ready => Health::Healthy,
            _ if sync == SyncState::Behind => Health::Progressing,
            _ => Health::Unknown,
        };
        let revision = match text(&["lastAppliedRevision"]) {
            "" => text(&["artifact", "revision"]),
            revision => revision,
        };
        let entries = status(&["inventory", "entries"]).and_then(Node::as_list);
        Self {
            key: object.key(),
            sync,
            health,
            suspended,
            revision: revision.to_owned(),
            reason: ready_reason.to_owned(),
            message: ready.map(|ready| ready.message.clone()).unwrap_or_default(),
            objects: entries.map_or(0, <[Node]>::len),
            settled: suspended || stalled || (seen && is_ready) || failed,
        }
    }
}
