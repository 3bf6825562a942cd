//! What a release of a component needs now, so that its objects are on a data plane.
//!
//! A `Release` (or `RenderedRelease`, as later versions call it) lists finished objects. They are
//! applied one by one, in order; what it listed before is deleted; how they are goes into its
//! status. Its status is its inventory, too: an object is recorded before it is first written, and
//! forgotten when it is gone, so that cleaning up needs nothing but the release itself.
//!
//! # Source
//! openchoreo/openchoreo `internal/controller/{release,renderedrelease}` at v0.12.0 and v1.2.3: names of
//! labels, conditions, states of health.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use api::{ConditionStatus, Conditions};
use golang::{Duration, Timestamp};
use health::Status;
use object::{GroupVersionKind, Node, Object, ObjectKey, Text};

pub use crate::components::keys::{ABANDON, DATA_PLANE, DATA_PLANE_FINALIZER as FINALIZER, RETAIN};
use crate::{Timing, backoff};
use component::metadata::keys::{COMPONENT_UID, ENVIRONMENT_UID, PROJECT_UID};
pub use component::model::GROUP;

/// The kinds a release may have: of older versions, and of newer ones.
pub const KINDS: [&str; 2] = ["Release", "RenderedRelease"];

/// Who applies the objects.
pub const MANAGER: &str = "fleetwright-components";

/// The objects' label that says who manages them.
pub const MANAGED_BY: &str = "openchoreo.dev/managed-by";

/// Who applied the objects when OpenChoreo itself ran.
pub const UPSTREAM_MANAGERS: &[&str] = &["release-controller", "renderedrelease-controller"];

/// Condition: whether all objects are applied.
pub const RESOURCES_APPLIED: &str = "ResourcesApplied";

/// After so long everything is applied again, whether anything was seen or not.
const INTERVAL: Duration = Duration::from_minutes(5);

/// Something a release lists.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// Its name within the release.
    pub id: Text,
    /// What is applied, labels of ours included.
    pub object: Object,
}

/// An object that was applied, or was about to be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Its name within the release.
    pub id: Text,
    /// Which object.
    pub key: ObjectKey,
    /// API version without its group.
    pub version: Text,
}

impl Entry {
    /// Group, version and kind.
    pub fn gvk(&self) -> GroupVersionKind {
        GroupVersionKind {
            group: self.key.group.clone(),
            version: self.version.clone(),
            kind: self.key.kind.clone(),
        }
    }
}

/// A release, read.
#[derive(Clone, Debug)]
pub struct Release {
    /// Namespace, name, and which of the two kinds.
    pub key: ObjectKey,
    /// UID given by the server.
    pub uid: String,
    /// Changes with the spec.
    pub generation: i64,
    /// Whether deletion has been asked for.
    pub deleting: bool,
    /// Whether our finalizer is on it.
    pub has_finalizer: bool,
    /// Where it goes, as [`DATA_PLANE`] says.
    pub data_plane: Option<String>,
    /// What it lists.
    pub resources: Vec<Resource>,
    /// What its status lists.
    pub inventory: Vec<Entry>,
    interval: Duration,
    status: Node,
    labels: Labels,
}

/// Labels that every object of a release has.
#[derive(Clone, Debug)]
struct Labels {
    manager: &'static str,
    prefix: &'static str,
}

impl Release {
    /// Reads a release; entries that are no objects are left out.
    pub fn read(object: &Object) -> Self {
        let is_old = object.kind() == "Release";
        let labels = match is_old {
            true => Labels {
                manager: "release-controller",
                prefix: "openchoreo.dev/release",
            },
            false => Labels {
                manager: "renderedrelease-controller",
                prefix: "openchoreo.dev/rendered-release",
            },
        };
        let interval = object.node.str_at(&["spec", "interval"]);
        let interval = interval.and_then(|text| text.parse().ok());
        let status = object.node.get("status").cloned();
        let status = status.filter(|status| status.as_map().is_some());
        let mut release = Self {
            key: object.key(),
            uid: object.uid().to_owned(),
            generation: object.generation(),
            deleting: object.is_deleting(),
            has_finalizer: object.has_finalizer(FINALIZER),
            data_plane: object.annotation(DATA_PLANE).map(str::to_owned),
            resources: Vec::new(),
            inventory: Vec::new(),
            interval: interval.unwrap_or(INTERVAL),
            status: status.unwrap_or_else(Node::map),
            labels,
        };
        let listed = object
            .node
            .at(&["spec", "resources"])
            .and_then(Node::as_list);
        let listed = listed.unwrap_or(&[]).iter();
        release.resources = listed
            .filter_map(|resource| release.resource(resource))
            .collect();
        let applied = release.status.get("resources").and_then(Node::as_list);
        let applied = applied.unwrap_or(&[]).iter();
        release.inventory = applied.filter_map(entry).collect();
        release
    }

    fn resource(&self, listed: &Node) -> Option<Resource> {
        let id: Text = listed.str_at(&["id"])?.into();
        let mut object = Object::new(listed.get("object")?.clone());
        if object.kind().is_empty() || object.name().is_empty() {
            return None;
        }
        let Labels { manager, prefix } = self.labels;
        let mut label = |key: &str, value: &str| {
            object.node.set(&["metadata", "labels", key], value);
        };
        label(MANAGED_BY, manager);
        label(&format!("{prefix}-resource-id"), &id);
        label(&format!("{prefix}-uid"), &self.uid);
        label(&format!("{prefix}-name"), &self.key.name);
        label(&format!("{prefix}-namespace"), &self.key.namespace);
        Some(Resource { id, object })
    }

    /// The namespaces its objects are in, as objects to create where they are missing.
    pub fn namespaces(&self) -> Vec<Object> {
        let mut names: Vec<&str> = self
            .resources
            .iter()
            .map(|own| own.object.namespace())
            .collect();
        names.retain(|name| !name.is_empty());
        names.sort_unstable();
        names.dedup();
        let namespace = |name: &&str| {
            let mut node = Node::map();
            node.set(&["apiVersion"], "v1");
            node.set(&["kind"], "Namespace");
            node.set(&["metadata", "name"], *name);
            node.set(
                &["metadata", "labels", "openchoreo.dev/created-by"],
                self.labels.manager,
            );
            Object::new(node)
        };
        names.iter().map(namespace).collect()
    }

    /// What the status says of the objects when nothing is known of them but that they are, or will
    /// be, there.
    fn with_inventory(&self, entries: &[Entry]) -> Node {
        let known = |entry: &Entry| {
            let listed = self.status.get("resources").and_then(Node::as_list);
            let mut listed = listed.unwrap_or(&[]).iter();
            listed
                .find(|node| node.str_at(&["id"]) == Some(&entry.id))
                .cloned()
        };
        let mut status = self.status.clone();
        let list = entries
            .iter()
            .map(|entry| known(entry).unwrap_or_else(|| entry_node(entry, "Unknown", None)));
        status.set(&["resources"], Node::list(list));
        status
    }

    /// Whether an object was made for this release, or for an earlier one of its name.
    pub fn has_made(&self, object: &Object) -> bool {
        maker(object).is_some_and(|of| self.is_called(&of))
    }

    /// Whether a release has the namespace and name of this one, of either kind: which it is changes
    /// with the version that a component is written for.
    fn is_called(&self, other: &ObjectKey) -> bool {
        (&self.key.namespace, &self.key.name) == (&other.namespace, &other.name)
    }

    fn desired(&self) -> Vec<Entry> {
        let entries = self.resources.iter().map(|resource| Entry {
            id: resource.id.clone(),
            key: resource.object.key(),
            version: resource.object.gvk().version,
        });
        entries.collect()
    }

    /// What the status lists and the spec does not.
    fn stale(&self) -> Vec<Entry> {
        let desired = self.desired();
        let is_stale = |entry: &&Entry| desired.iter().all(|wanted| wanted.key != entry.key);
        self.inventory.iter().filter(is_stale).cloned().collect()
    }
}

fn entry(node: &Node) -> Option<Entry> {
    let text = |key: &str| Text::from(node.str_at(&[key]).unwrap_or_default());
    let (kind, name) = (text("kind"), text("name"));
    (!kind.is_empty() && !name.is_empty()).then(|| Entry {
        id: text("id"),
        version: text("version"),
        key: ObjectKey {
            group: text("group"),
            kind,
            namespace: text("namespace"),
            name,
        },
    })
}

fn entry_node(entry: &Entry, health: &str, live: Option<&Object>) -> Node {
    let mut node = Node::map();
    node.set(&["id"], entry.id.as_str());
    if !entry.key.group.is_empty() {
        node.set(&["group"], entry.key.group.as_str());
    }
    node.set(&["version"], entry.version.as_str());
    node.set(&["kind"], entry.key.kind.as_str());
    node.set(&["name"], entry.key.name.as_str());
    if !entry.key.namespace.is_empty() {
        node.set(&["namespace"], entry.key.namespace.as_str());
    }
    node.set(&["healthStatus"], health);
    if let Some(status) = live.and_then(|live| live.node.get("status")) {
        node.set(&["status"], status.clone());
    }
    node
}

/// What is known of an object on the data plane.
#[derive(Clone, Debug)]
pub enum Live {
    /// Nobody has looked yet.
    Unknown,
    /// It is not there.
    Absent,
    /// It is there, and of this release.
    There(Arc<Object>),
    /// It is there, and was made for another release, or for one of this name that is no more.
    Other(Arc<Object>),
}

/// What is true about a release when it is looked at.
pub struct Observed<'a> {
    /// The release.
    pub release: &'a Release,
    /// What this process remembers of it.
    pub memory: &'a Memory,
    /// Its objects on the data plane.
    pub live: &'a dyn Fn(&Entry) -> Live,
    /// Objects on the data plane that were made for an earlier release of this name, as far as
    /// their kinds are known.
    pub inherited: &'a dyn Fn() -> Vec<Arc<Object>>,
    /// Whether a release is there, that is, an object that is not being deleted.
    pub exists: &'a dyn Fn(&ObjectKey) -> bool,
}

/// What a process remembers of a release; lost at a restart without harm.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    /// The last time all objects were applied.
    pub applied: Option<Applied>,
    /// The last try that failed.
    pub failed: Option<Failed>,
}

/// What was applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    /// When.
    pub at: Timestamp,
    /// Of which generation of the release.
    pub generation: i64,
    /// What the server answered.
    pub versions: Vec<Version>,
}

/// What tells whether somebody else has changed an object: a digest of its identity and of what
/// changes with its spec, or with everything where a kind has no status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version(u64);

impl Version {
    /// Of an object as a server shows it.
    pub fn of(object: &Object) -> Self {
        let mut hasher = DefaultHasher::new();
        object.uid().hash(&mut hasher);
        match object.generation() {
            0 => object.resource_version().hash(&mut hasher),
            generation => generation.hash(&mut hasher),
        }
        Self(hasher.finish())
    }
}

/// A try that failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Failed {
    /// When.
    pub at: Timestamp,
    /// Of which generation of the release.
    pub generation: i64,
    /// How often in a row.
    pub times: u32,
    /// Why.
    pub message: String,
}

/// What to do now.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Put our finalizer on the release, then look again.
    AddFinalizer,
    /// Write this status, then look again: objects are recorded before they are written.
    Record(Node),
    /// Create these namespaces where they are missing, take fields over, apply the objects in order
    /// up to the first refusal, and remember how it went.
    Apply {
        /// Namespaces.
        namespaces: Vec<Object>,
        /// JSON patches of objects that OpenChoreo has applied: what it had there and is no longer
        /// wanted goes with the next apply.
        take_over: Vec<(Arc<Object>, Node)>,
        /// Objects.
        objects: Vec<Object>,
    },
    /// Apply nothing, and remember that it failed with this message.
    Refuse(String),
    /// Delete these as far as they are there and are ours, then look again when something changes.
    Delete(Vec<Entry>),
    /// Write this status if it differs, and look again at this time.
    Report(Node, Option<Timestamp>),
    /// Take our finalizer off.
    RemoveFinalizer,
    /// Nothing before this time; `None` when only a change can help.
    Sleep(Option<Timestamp>),
}

/// A deletion that nothing was heard of is asked for again after this time.
const DELETION_PAUSE: Duration = Duration::from_seconds(5);

/// Decides what a release needs now.
pub fn next(observed: &Observed<'_>, timing: Timing) -> Next {
    let release = observed.release;
    if release.deleting {
        return clean_up(observed, timing);
    }
    if !release.has_finalizer {
        return Next::AddFinalizer;
    }
    let desired = release.desired();
    let stale = release.stale();
    let recorded = |wanted: &Entry| {
        release
            .inventory
            .iter()
            .any(|entry| entry.key == wanted.key)
    };
    let inherited = inherited(observed, &desired);
    if !desired.iter().all(recorded) || !inherited.is_empty() {
        let all = desired.iter().chain(&stale).chain(&inherited);
        return Next::Record(release.with_inventory(&all.cloned().collect::<Vec<_>>()));
    }
    let due = due(observed, timing);
    if due <= timing.now {
        return apply(observed, &desired);
    }
    let failed = observed.memory.failed.as_ref();
    if failed.is_none() {
        let there = |entry: &&Entry| !matches!(ours(observed, entry), Live::Absent);
        let stale: Vec<Entry> = stale.iter().filter(there).cloned().collect();
        let going = |entry: &Entry| match ours(observed, entry) {
            Live::There(live) => live.is_deleting() || is_retained(&live),
            _ => false,
        };
        if !stale.is_empty() && !stale.iter().all(going) {
            return Next::Delete(stale);
        }
    }
    Next::Report(status(observed, &desired, &stale, timing.now), Some(due))
}

/// What is known of an object; one that an earlier release of this name has left is ours.
fn ours(observed: &Observed<'_>, entry: &Entry) -> Live {
    match (observed.live)(entry) {
        Live::Other(live) if observed.release.has_made(&live) => Live::There(live),
        Live::Other(_) => Live::Absent,
        live => live,
    }
}

/// What an earlier release of this name has left and neither the spec nor the status lists.
///
/// Only where this release has objects, too: the name of a namespace is made of tenant, project and
/// environment, so that another control plane with equal names of releases loses nothing.
fn inherited(observed: &Observed<'_>, desired: &[Entry]) -> Vec<Entry> {
    let release = observed.release;
    let known = |key: &ObjectKey| {
        let mut all = desired.iter().chain(&release.inventory);
        all.any(|entry| entry.key == *key)
    };
    let left = (observed.inherited)().into_iter();
    let shared = |object: &Object| {
        let mut namespaces = desired.iter().map(|entry| &entry.key.namespace);
        namespaces.any(|own| own == object.namespace() && !own.is_empty())
    };
    let left =
        left.filter(|object| !object.is_deleting() && shared(object) && !known(&object.key()));
    let entries = left.map(|object| Entry {
        id: component::metadata::resource_id(&object.node).into(),
        key: object.key(),
        version: object.gvk().version,
    });
    entries.collect()
}

/// Applies everything, unless something belongs to somebody else.
fn apply(observed: &Observed<'_>, desired: &[Entry]) -> Next {
    let release = observed.release;
    let mut live = Vec::new();
    for entry in desired {
        match (observed.live)(entry) {
            Live::There(own) => live.push(own),
            Live::Other(other) => {
                if let Some(refusal) = refusal(observed, &other) {
                    return Next::Refuse(refusal);
                }
                live.push(other);
            }
            Live::Absent | Live::Unknown => {}
        }
    }
    let identities = identities(&release.resources, &live);
    let objects = release.resources.iter().map(|own| {
        let mut object = own.object.clone();
        if !identities.is_empty() {
            keep_identities(&mut object.node, &identities);
        }
        object
    });
    let take_over = live.iter().filter_map(|live| {
        let patch = plan::take_over(live, UPSTREAM_MANAGERS, MANAGER)?;
        Some((live.clone(), patch))
    });
    Next::Apply {
        namespaces: release.namespaces(),
        take_over: take_over.collect(),
        objects: objects.collect(),
    }
}

/// Why an object that another release has made cannot be applied, if it cannot.
///
/// It can when that release is gone and was of the same tenant, as after a control plane was built
/// again or OpenChoreo was replaced.
fn refusal(observed: &Observed<'_>, other: &Object) -> Option<String> {
    let release = observed.release;
    let of = maker(other)?;
    if release.is_called(&of) {
        return None;
    }
    let same_tenant = of.namespace == release.key.namespace;
    if same_tenant && !(observed.exists)(&of) {
        return None;
    }
    let next = match (observed.exists)(&of) {
        true => "let one of the two give it another name",
        false => "delete it, or take this label off it, if nothing else looks after it",
    };
    Some(format!(
        "{} belongs to {} `{}/{}`, as its label {MANAGED_BY} and those beside it say; {next}",
        other.key(),
        of.kind,
        of.namespace,
        of.name
    ))
}

/// The release that an object on a data plane says it is of.
pub fn maker(object: &Object) -> Option<ObjectKey> {
    let (kind, prefix) = match object.label(MANAGED_BY)? {
        "release-controller" => ("Release", "openchoreo.dev/release"),
        _ => ("RenderedRelease", "openchoreo.dev/rendered-release"),
    };
    Some(ObjectKey {
        group: GROUP.into(),
        kind: kind.into(),
        namespace: object.label(&format!("{prefix}-namespace"))?.into(),
        name: object.label(&format!("{prefix}-name"))?.into(),
    })
}

/// Identities that are computed, with those that live selectors have in their place: selectors of
/// workloads cannot change.
fn identities(resources: &[Resource], live: &[Arc<Object>]) -> BTreeMap<(Text, Text), Text> {
    const SELECTOR: [&str; 3] = ["spec", "selector", "matchLabels"];
    let mut found = BTreeMap::new();
    for resource in resources {
        let key = resource.object.key();
        let Some(live) = live.iter().find(|live| live.key() == key) else {
            continue;
        };
        for name in [PROJECT_UID, COMPONENT_UID, ENVIRONMENT_UID] {
            let value = |object: &Object| {
                let labels = object.node.at(&SELECTOR)?;
                Some(Text::from(labels.str_at(&[name])?))
            };
            if let (Some(computed), Some(kept)) = (value(&resource.object), value(live))
                && computed != kept
            {
                found.insert((name.into(), computed), kept);
            }
        }
    }
    found
}

fn keep_identities(node: &mut Node, identities: &BTreeMap<(Text, Text), Text>) {
    match node {
        Node::Map(map) => {
            for (key, value) in map.iter_mut() {
                let kept = match &*value {
                    Node::String(text) => identities.get(&(key.clone(), text.clone())),
                    _ => None,
                };
                match kept {
                    Some(kept) => *value = Node::String(kept.clone()),
                    None => keep_identities(value, identities),
                }
            }
        }
        Node::List(items) => {
            let items = Arc::make_mut(items).iter_mut();
            items.for_each(|item| keep_identities(item, identities));
        }
        _ => {}
    }
}

/// When everything is to be applied: now if something is new or differs.
fn due(observed: &Observed<'_>, timing: Timing) -> Timestamp {
    let release = observed.release;
    if let Some(failed) = &observed.memory.failed
        && failed.generation == release.generation
    {
        return failed.at.plus(backoff(failed.times));
    }
    let Some(applied) = &observed.memory.applied else {
        return timing.now;
    };
    // Of one generation the objects are always the same.
    let differs = |(at, entry): (usize, &Entry)| {
        let known = applied.versions.get(at);
        match (observed.live)(entry) {
            Live::Unknown => false,
            Live::Absent | Live::Other(_) => true,
            Live::There(live) => known != Some(&Version::of(&live)),
        }
    };
    match applied.generation != release.generation
        || release.desired().iter().enumerate().any(differs)
    {
        true => timing.now,
        false => applied.at.plus(release.interval),
    }
}

fn is_retained(object: &Object) -> bool {
    object.annotation(RETAIN) == Some("true")
}

fn clean_up(observed: &Observed<'_>, timing: Timing) -> Next {
    let release = observed.release;
    if !release.has_finalizer {
        return Next::Sleep(None);
    }
    let mut going = false;
    let mut left = Vec::new();
    for entry in &release.inventory {
        match (observed.live)(entry) {
            Live::Absent | Live::Other(_) => {}
            Live::There(live) if is_retained(&live) => {}
            Live::There(live) if live.is_deleting() => going = true,
            Live::There(_) | Live::Unknown => left.push(entry.clone()),
        }
    }
    if !left.is_empty() {
        return Next::Delete(left);
    }
    match going {
        true => Next::Sleep(Some(timing.now.plus(DELETION_PAUSE))),
        false => Next::RemoveFinalizer,
    }
}

fn status(observed: &Observed<'_>, desired: &[Entry], stale: &[Entry], now: Timestamp) -> Node {
    let release = observed.release;
    let mut status = release.status.clone();
    let list = desired.iter().chain(stale).filter_map(|entry| {
        let live = match ours(observed, entry) {
            Live::There(live) => Some(live),
            // A stale one that is gone is forgotten.
            Live::Absent if !desired.contains(entry) => return None,
            _ => None,
        };
        let health = live
            .as_deref()
            .map_or("Progressing", |live| health(live, now));
        Some(entry_node(entry, health, live.as_deref()))
    });
    status.set(&["resources"], Node::list(list));
    let mut conditions = Conditions::read(status.get("conditions"));
    let mut set = |state, reason: &str, message: &str| {
        let kind = (RESOURCES_APPLIED, state);
        conditions.set(kind, reason, message, release.generation, now);
    };
    match &observed.memory.failed {
        Some(failed) => set(ConditionStatus::False, "ApplyFailed", &failed.message),
        None => set(
            ConditionStatus::True,
            "ApplySucceeded",
            "every object is applied",
        ),
    }
    status.set(&["conditions"], conditions.to_node());
    status.set(&["observedGeneration"], release.generation);
    status
}

/// The status of a release whose data plane cannot be reached: what is known of its objects stays.
pub fn unreachable(release: &Release, memory: &Memory, now: Timestamp) -> Node {
    let mut status = release.status.clone();
    let message = memory.failed.as_ref().map(|failed| failed.message.as_str());
    let message = message.unwrap_or_default();
    let (reason, message) = match (release.deleting, &release.data_plane) {
        (true, Some(plane)) => {
            let message = format!(
                "{message}; if the cluster is gone for good, set annotation {ABANDON} of {} to `true`",
                plane.replacen('/', " `", 1) + "`"
            );
            ("CleanupPending", message)
        }
        _ => ("ApplyFailed", message.to_owned()),
    };
    let mut conditions = Conditions::read(status.get("conditions"));
    conditions.set(
        (RESOURCES_APPLIED, ConditionStatus::False),
        reason,
        &message,
        release.generation,
        now,
    );
    status.set(&["conditions"], conditions.to_node());
    status
}

/// How an object is, in the words of a release's status.
pub fn health(object: &Object, now: Timestamp) -> &'static str {
    let flag = |keys: &[&str]| object.node.at(keys).and_then(Node::as_bool) == Some(true);
    let number = |keys: &[&str]| object.node.at(keys).and_then(Node::as_i64);
    match object.kind() {
        "Deployment" | "StatefulSet"
            if flag(&["spec", "paused"]) || number(&["spec", "replicas"]) == Some(0) =>
        {
            "Suspended"
        }
        "CronJob" if flag(&["spec", "suspend"]) => "Suspended",
        "CronJob" => {
            let active = object
                .node
                .at(&["status", "active"])
                .and_then(Node::as_list);
            let is_active = active.is_some_and(|active| !active.is_empty());
            let has_run = object.node.at(&["status", "lastScheduleTime"]).is_some();
            match !is_active && has_run {
                true => "Healthy",
                false => "Progressing",
            }
        }
        "Job" if flag(&["spec", "suspend"]) => "Suspended",
        "Job" => job_health(object),
        _ => match health::assess(object, now).status {
            Status::Current => "Healthy",
            Status::InProgress | Status::Terminating | Status::NotFound => "Progressing",
            Status::Failed => "Degraded",
            Status::Unknown => "Unknown",
        },
    }
}

/// A job that runs is on its way, whatever else calls it current.
fn job_health(object: &Object) -> &'static str {
    let conditions = Conditions::read(object.node.at(&["status", "conditions"]));
    match (conditions.is_true("Complete"), conditions.is_true("Failed")) {
        (_, true) => "Degraded",
        (true, _) => "Healthy",
        _ => "Progressing",
    }
}
