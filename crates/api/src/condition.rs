//! Conditions: what is true about an object now.

use golang::Timestamp;
use object::Node;

/// Longest message, as the CRDs allow it.
const MESSAGE_BYTES_MAX: usize = 32_000;

/// Types of conditions.
pub mod condition_type {
    /// The object has reached what its spec asks for.
    pub const READY: &str = "Ready";
    /// Work is under way; present only while true.
    pub const RECONCILING: &str = "Reconciling";
    /// Waiting cannot help; present only while true.
    pub const STALLED: &str = "Stalled";
    /// The applied objects are healthy.
    pub const HEALTHY: &str = "Healthy";
    /// The archive of the source is stored.
    pub const ARTIFACT_IN_STORAGE: &str = "ArtifactInStorage";
    /// The source could not be fetched; present only while true.
    pub const FETCH_FAILED: &str = "FetchFailed";
    /// The archive could not be stored; present only while true.
    pub const STORAGE_OPERATION_FAILED: &str = "StorageOperationFailed";
    /// The stored archive is not of the newest revision; present only while true.
    pub const ARTIFACT_OUTDATED: &str = "ArtifactOutdated";
}

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConditionStatus {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// Not known yet.
    #[default]
    Unknown,
}

/// One statement about an object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Condition {
    /// What it is about.
    pub kind: String,
    /// Whether it holds.
    pub status: ConditionStatus,
    /// Why, in one word.
    pub reason: String,
    /// Why, in a sentence.
    pub message: String,
    /// Generation it was made about.
    pub observed_generation: i64,
    /// When `status` last changed, RFC 3339.
    pub last_transition_time: String,
}

/// The conditions of one object, in the order they were first set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conditions(Vec<Condition>);

impl ConditionStatus {
    /// `True`, `False` or `Unknown`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }

    fn read(text: &str) -> Self {
        match text {
            "True" => Self::True,
            "False" => Self::False,
            _ => Self::Unknown,
        }
    }
}

impl Conditions {
    /// Reads `status.conditions`; entries without a type are left out.
    pub fn read(list: Option<&Node>) -> Self {
        let entries = list.and_then(Node::as_list).unwrap_or(&[]).iter();
        let text = |entry: &Node, key: &str| entry.str_at(&[key]).unwrap_or_default().to_owned();
        Self(
            entries
                .filter(|entry| entry.str_at(&["type"]).is_some())
                .map(|entry| Condition {
                    kind: text(entry, "type"),
                    status: ConditionStatus::read(&text(entry, "status")),
                    reason: text(entry, "reason"),
                    message: text(entry, "message"),
                    observed_generation: entry
                        .get("observedGeneration")
                        .and_then(Node::as_i64)
                        .unwrap_or_default(),
                    last_transition_time: text(entry, "lastTransitionTime"),
                })
                .collect(),
        )
    }

    /// The list as it stands in a status.
    pub fn to_node(&self) -> Node {
        Node::list(self.0.iter().map(|condition| {
            let mut node = Node::map();
            let time = condition.last_transition_time.as_str();
            node.set(&["lastTransitionTime"], time);
            node.set(&["message"], condition.message.as_str());
            node.set(&["observedGeneration"], condition.observed_generation);
            node.set(&["reason"], condition.reason.as_str());
            node.set(&["status"], condition.status.as_str());
            node.set(&["type"], condition.kind.as_str());
            node
        }))
    }

    /// The condition of a type.
    pub fn get(&self, kind: &str) -> Option<&Condition> {
        self.0.iter().find(|condition| condition.kind == kind)
    }

    /// Whether the condition of a type is there and holds.
    pub fn is_true(&self, kind: &str) -> bool {
        self.get(kind)
            .is_some_and(|condition| condition.status == ConditionStatus::True)
    }

    /// Sets a condition; its time changes only together with its status.
    pub fn set(
        &mut self,
        (kind, status): (&str, ConditionStatus),
        reason: &str,
        message: &str,
        observed_generation: i64,
        now: Timestamp,
    ) {
        let mut condition = Condition {
            kind: kind.to_owned(),
            status,
            reason: reason.to_owned(),
            message: cut(message),
            observed_generation,
            last_transition_time: now.to_string(),
        };
        match self.0.iter_mut().find(|known| known.kind == kind) {
            Some(known) => {
                if known.status == status {
                    condition.last_transition_time = known.last_transition_time.clone();
                }
                *known = condition;
            }
            None => self.0.push(condition),
        }
    }

    /// Takes the condition of a type away.
    pub fn remove(&mut self, kind: &str) {
        self.0.retain(|condition| condition.kind != kind);
    }

    /// Every condition.
    pub fn iter(&self) -> impl Iterator<Item = &Condition> {
        self.0.iter()
    }
}

fn cut(message: &str) -> String {
    let end = (0..=message.len().min(MESSAGE_BYTES_MAX))
        .rev()
        .find(|&at| message.is_char_boundary(at));
    message[..end.unwrap_or(0)].to_owned()
}
