//! How objects of OpenChoreo's kinds are, as their statuses say.

use api::{ConditionStatus, Conditions, condition_type};
use component::model::Owner;
use object::{Node, Object, ObjectKey};

/// Whether an object is ready, and why not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// What is known.
    pub state: ReadyState,
    /// Reason word of the condition; empty when there is none.
    pub reason: String,
    /// Message of the condition.
    pub message: String,
    /// When the condition last changed, RFC 3339.
    pub since: String,
}

/// Whether an object is ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadyState {
    /// It is.
    Ready,
    /// It is not.
    NotReady,
    /// What is known is of an earlier spec.
    Outdated,
    /// Nobody has looked yet.
    #[default]
    Unknown,
}

impl Readiness {
    /// Reads the condition that tells of an object's kind whether all is well.
    pub fn of(object: &Object) -> Self {
        let kind = match object.kind() {
            "ComponentRelease" => "Renderable",
            "Release" | "RenderedRelease" => control::release::RESOURCES_APPLIED,
            _ => condition_type::READY,
        };
        Self::of_condition(object, kind)
    }

    /// Reads a condition.
    pub fn of_condition(object: &Object, kind: &str) -> Self {
        let conditions = Conditions::read(object.node.at(&["status", "conditions"]));
        let Some(condition) = conditions.get(kind) else {
            return Self::default();
        };
        let is_outdated = condition.observed_generation < object.generation();
        Self {
            state: match condition.status {
                _ if is_outdated => ReadyState::Outdated,
                ConditionStatus::True => ReadyState::Ready,
                ConditionStatus::False => ReadyState::NotReady,
                ConditionStatus::Unknown => ReadyState::Unknown,
            },
            reason: condition.reason.clone(),
            message: condition.message.clone(),
            since: condition.last_transition_time.clone(),
        }
    }

    /// Whether it is ready.
    pub fn is_ready(&self) -> bool {
        self.state == ReadyState::Ready
    }

    /// One word: `Ready`, or why not.
    pub fn word(&self) -> &str {
        match self.state {
            ReadyState::Ready => "Ready",
            ReadyState::Outdated => "Pending",
            _ if self.reason.is_empty() => "Unknown",
            _ => &self.reason,
        }
    }
}

/// How the binding of a component to an environment is.
#[derive(Clone, Debug, PartialEq)]
pub struct BindingSummary {
    /// Which binding.
    pub key: ObjectKey,
    /// Of which component.
    pub owner: Owner,
    /// Where.
    pub environment: String,
    /// The release it selects; empty when it selects none.
    pub release: String,
    /// The release that was handed to the data plane last; empty when there is none.
    pub running: String,
    /// Whether that is ready.
    pub ready: Readiness,
}

impl BindingSummary {
    /// Reads a ReleaseBinding.
    pub fn of(binding: &Object) -> Self {
        let text = |keys: &[&str]| binding.node.str_at(keys).unwrap_or_default();
        Self {
            key: binding.key(),
            owner: Owner::of(binding),
            environment: text(&["spec", "environment"]).to_owned(),
            release: text(&["spec", "releaseName"]).to_owned(),
            running: text(&["status", "release", "name"]).to_owned(),
            ready: Readiness::of(binding),
        }
    }

    /// Whether something else runs than is selected.
    pub fn is_behind(&self) -> bool {
        !self.running.is_empty() && self.running != self.release
    }
}

/// A time in which a release was ready in an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadyTime {
    /// Name of the release.
    pub release: String,
    /// Digest of its content.
    pub digest: String,
    /// RFC 3339.
    pub since: String,
    /// RFC 3339; empty while it lasts.
    pub until: String,
}

/// When which release was ready, as a binding remembers, the newest first.
pub fn release_history(binding: &Object) -> Vec<ReadyTime> {
    let entries = binding.node.at(&["status", "releaseHistory"]);
    let entries = entries.and_then(Node::as_list).unwrap_or_default().iter();
    let text = |own: &Node, key: &str| own.str_at(&[key]).unwrap_or_default().to_owned();
    let mut found: Vec<ReadyTime> = entries
        .map(|own| ReadyTime {
            release: text(own, "name"),
            digest: text(own, "digest"),
            since: text(own, "readySince"),
            until: text(own, "readyUntil"),
        })
        .collect();
    found.sort_by(|a, b| {
        let open = |own: &ReadyTime| (own.until.is_empty(), own.until.clone());
        open(b).cmp(&open(a))
    });
    found
}
