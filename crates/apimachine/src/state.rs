//! Everything one cluster knows.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Deref;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use object::{Node, Sharing, Text, json};

use crate::services::Taken;
use crate::types::ResourceType;
use crate::{Env, Random, ServiceNetwork};

/// Events kept for watches that resume and for lists of the past.
///
/// A client that lost its connection is back within seconds; ten thousand changes are minutes of a
/// busy cluster.
const EVENTS_KEPT_DEFAULT: usize = 10_000;

/// Most memory of the objects in those events, roughly in bytes.
///
/// An event keeps what its object was at that time, five to twenty kilobytes: ten thousand changes
/// of large objects would be more than all objects that are there. This is about a thousand changes,
/// more than a second of a cluster that writes as fast as it can; who is further behind lists again.
const EVENTS_WEIGHT_MAX: usize = 8 << 20;

/// Changes whose text is kept, for those who are about to read it: the store and watches that keep
/// up. It is made again for whoever comes later.
pub const TEXTS_KEPT: usize = 64;

/// Namespace and name; the namespace is empty for cluster-scoped objects.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Namespace, or empty.
    pub namespace: Text,
    /// Name.
    pub name: Text,
}

impl Key {
    /// The key of an object in a namespace (empty: cluster-scoped).
    pub fn new(namespace: impl Into<Text>, name: impl Into<Text>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
        }
    }
}

/// An object as it is stored: canonical, in its storage version.
#[derive(Debug)]
pub struct Stored {
    /// The object, `metadata.resourceVersion` included.
    pub node: Node,
    /// The same version as a number.
    pub version: u64,
    /// How much memory the object takes, roughly.
    weight: usize,
    json: Mutex<Option<Arc<str>>>,
    /// Whether reading its text gives the object again.
    survives: OnceLock<bool>,
}

impl Stored {
    pub(crate) fn new(node: Node, version: u64) -> Self {
        Self::after(node, version, None)
    }

    /// What `old` became.
    fn after(node: Node, version: u64, old: Option<&Self>) -> Self {
        Self {
            weight: weight_beside(&node, old),
            node,
            version,
            json: Mutex::default(),
            survives: OnceLock::new(),
        }
    }

    /// A stored object read back; its version is in its metadata.
    pub fn restore(node: Node) -> Self {
        let version = node.str_at(&["metadata", "resourceVersion"]);
        let version = version.and_then(|text| text.parse().ok()).unwrap_or(0);
        Self::new(node, version)
    }

    /// The object as compact JSON, made once for all who ask about the same time.
    pub fn json(&self) -> Arc<str> {
        let mut known = self.json.lock().unwrap_or_else(PoisonError::into_inner);
        let text = known.get_or_insert_with(|| json::to_string(&self.node).into());
        text.clone()
    }

    /// The same, not remembered when it was forgotten already.
    pub fn past_json(&self) -> Arc<str> {
        let known = self.json.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.clone();
        known.unwrap_or_else(|| json::to_string(&self.node).into())
    }

    /// What reading the text of the object gives: nearly always the object, which is looked through
    /// once for all who ask.
    pub fn as_read(&self) -> Node {
        let survives = || json::survives(&self.node, json::ANSWER_LIMITS);
        match self.survives.get_or_init(survives) {
            true => self.node.clone(),
            false => json::as_read(&self.node),
        }
    }

    /// Lets go of the text; whoever asks later makes it again.
    pub fn forget_json(&self) {
        *self.json.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Bytes that a node takes, give or take a third; of what it shares with `old` that is known.
pub(crate) fn weight_beside(node: &Node, old: Option<&Stored>) -> usize {
    match old {
        Some(old) => old
            .weight
            .saturating_add_signed(weight_change(&old.node, node)),
        None => weight(node),
    }
}

/// By how much a node weighs more than the one before.
fn weight_change(old: &Node, new: &Node) -> isize {
    let whole = |node: &Node| weight(node) as isize;
    if new.is_one_with(old) {
        return 0;
    }
    let (Some(before), Some(after)) = (old.as_map(), new.as_map()) else {
        return whole(new) - whole(old);
    };
    // What is at the places of both is compared, the rest counts as gone and come.
    let mut change = own_weight(new) as isize - own_weight(old) as isize;
    for (key, value) in after.iter() {
        change += match before.get(key) {
            Some(known) => weight_change(known, value),
            None => whole(value),
        };
    }
    let gone = before.iter().filter(|(key, _)| !after.contains_key(key));
    change - gone.map(|(_, value)| whole(value)).sum::<isize>()
}

fn weight(node: &Node) -> usize {
    let below: usize = match node {
        Node::List(items) => items.iter().map(weight).sum(),
        Node::Map(map) => map.values().map(weight).sum(),
        _ => 0,
    };
    own_weight(node) + below
}

/// The same without what is below.
fn own_weight(node: &Node) -> usize {
    /// Of an allocation: counters, length, and what the allocator adds.
    const BLOCK: usize = 48;
    /// Longest text without memory of its own.
    const INLINE: usize = 23;
    let text = |text: &Text| match text.len() {
        0..=INLINE => 0,
        length => length + BLOCK,
    };
    match node {
        Node::String(own) => text(own),
        Node::List(items) => BLOCK + items.len() * size_of::<Node>(),
        Node::Map(map) => {
            let keys: usize = map.keys().map(text).sum();
            BLOCK + map.len() * size_of::<(Text, Node)>() + keys
        }
        _ => 0,
    }
}

impl Deref for Stored {
    type Target = Node;

    fn deref(&self) -> &Node {
        &self.node
    }
}

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It appeared.
    Added,
    /// It changed.
    Modified,
    /// It is gone.
    Deleted,
}

/// One stored change.
#[derive(Clone, Debug)]
pub struct Event {
    /// Version of the change; larger than that of every earlier one.
    pub version: u64,
    /// Storage key of the resource, as `deployments.apps`.
    pub resource: Text,
    /// What happened.
    pub change: Change,
    /// Which object.
    pub key: Key,
    /// The object after the change; when deleted its last state, carrying the deletion's version.
    pub object: Arc<Stored>,
    /// The object before the change.
    pub old: Option<Arc<Stored>>,
}

/// What varies between clusters.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    /// Minor version of Kubernetes that is imitated.
    pub minor: u32,
    /// Events kept for watches and paged lists.
    pub events_kept: usize,
    /// Whether pods get a ServiceAccount and its token volume.
    pub service_account_admission: bool,
    /// Whether claims get the default StorageClass.
    pub default_storage_class_admission: bool,
    /// The certificate that `kube-root-ca.crt` carries, in PEM.
    pub root_certificate: Text,
    /// Where Services get their addresses from.
    pub service_network: ServiceNetwork,
}

impl Default for Features {
    fn default() -> Self {
        Self {
            minor: 36,
            events_kept: EVENTS_KEPT_DEFAULT,
            service_account_admission: true,
            default_storage_class_admission: true,
            root_certificate: Text::default(),
            service_network: ServiceNetwork::default(),
        }
    }
}

type Objects = BTreeMap<Key, Arc<Stored>>;

/// One cluster. A clone shares everything until one of the two changes.
#[derive(Clone, Debug)]
pub struct State {
    pub(crate) features: Arc<Features>,
    version: u64,
    oldest: u64,
    draws: u64,
    objects: BTreeMap<Text, Arc<Objects>>,
    events: Arc<VecDeque<Event>>,
    /// What the objects of `events` take together.
    events_weight: usize,
    by_uid: Arc<BTreeMap<Text, (Text, Key)>>,
    /// Uid of an owner, and resource and key of what it owns.
    owned: Arc<BTreeSet<(Text, (Text, Key))>>,
    sharing: Arc<Sharing>,
    /// Addresses and ports of Services.
    pub(crate) service_holdings: Arc<Taken>,
    /// Admission policies, compiled.
    pub(crate) policies: Arc<crate::policies::Policies>,
    /// Served resources by group, version and plural.
    pub(crate) types: Arc<BTreeMap<(Text, Text, Text), Arc<ResourceType>>>,
}

impl State {
    /// A cluster with the objects every cluster has: namespaces, their ServiceAccounts, the
    /// Service of the API itself, priority classes and roles.
    pub fn new(features: Features, env: &Env) -> Self {
        let mut state = Self::empty(features);
        crate::bootstrap::fill(&mut state, env);
        state
    }

    /// A cluster without any object, also without those every cluster has; for loading a backup.
    pub fn empty(features: Features) -> Self {
        Self {
            features: Arc::new(features),
            version: 1,
            oldest: 1,
            draws: 0,
            objects: BTreeMap::new(),
            events: Arc::default(),
            events_weight: 0,
            by_uid: Arc::default(),
            owned: Arc::default(),
            sharing: Arc::default(),
            service_holdings: Arc::default(),
            policies: Arc::default(),
            types: crate::builtin::types(),
        }
    }

    /// A cluster read back from a store: objects by storage key, and the changes since `oldest`.
    pub fn restore(
        features: Features,
        version: u64,
        oldest: u64,
        objects: Vec<(Text, Key, Node)>,
        events: Vec<Event>,
    ) -> Self {
        let mut state = Self::empty(features);
        state.version = version;
        state.oldest = oldest.min(version);
        state.events_weight = events.iter().map(|event| event.object.weight).sum();
        state.events = Arc::new(events.into());
        for (resource, key, mut node) in objects {
            Arc::make_mut(&mut state.sharing).share(&mut node, None);
            let object = Arc::new(Stored::restore(node));
            state.index(&resource, &key, None, Some(&object));
            let objects = Arc::make_mut(state.objects.entry(resource).or_default());
            objects.insert(key, object);
        }
        state
    }

    /// What varies between clusters.
    pub fn features(&self) -> &Features {
        &self.features
    }

    /// Version of the last change.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Makes the next version larger than `version`; for a restart above what was handed out.
    pub fn skip_to(&mut self, version: u64) {
        if version > self.version {
            self.version = version;
            self.oldest = version;
            self.events = Arc::default();
            self.events_weight = 0;
        }
    }

    /// The object of a resource (`deployments.apps`, `pods`); namespace empty when cluster-scoped.
    pub fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<&Arc<Stored>> {
        self.objects.get(resource)?.get(&Key::new(namespace, name))
    }

    /// The objects of a resource in key order; of one namespace or of all.
    pub fn list<'a>(
        &'a self,
        resource: &str,
        namespace: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a Key, &'a Arc<Stored>)> + use<'a> {
        let start = Key::new(namespace.unwrap_or_default(), "");
        let objects = self.objects.get(resource).into_iter();
        objects
            .flat_map(move |objects| objects.range(start.clone()..))
            .take_while(move |(key, _)| namespace.is_none_or(|wanted| key.namespace == wanted))
    }

    /// Storage keys of all resources that have objects, in order.
    pub fn stored_resources(&self) -> impl Iterator<Item = &Text> {
        self.objects.keys()
    }

    /// How many objects there are.
    pub fn count(&self) -> usize {
        self.objects.values().map(|objects| objects.len()).sum()
    }

    /// Resource and key of the object with that uid.
    pub fn by_uid(&self, uid: &str) -> Option<&(Text, Key)> {
        self.by_uid.get(uid)
    }

    /// Resource and key of every object that names `uid` among its owners.
    pub fn owned_by(&self, uid: &str) -> impl Iterator<Item = &(Text, Key)> {
        let uid = Text::from(uid);
        let from = (uid.clone(), <(Text, Key)>::default());
        self.owned
            .range(from..)
            .take_while(move |(owner, _)| *owner == uid)
            .map(|(_, own)| own)
    }

    /// The changes after `version`, or `None` when some of them are forgotten.
    pub fn events_after(&self, version: u64) -> Option<impl DoubleEndedIterator<Item = &Event>> {
        let start = self
            .events
            .partition_point(|event| event.version <= version);
        (version >= self.oldest).then(|| self.events.range(start..))
    }

    /// The served resource at a group, version and plural.
    pub fn resource_type(
        &self,
        group: &str,
        version: &str,
        plural: &str,
    ) -> Option<&Arc<ResourceType>> {
        self.types
            .get(&(group.into(), version.into(), plural.into()))
    }

    /// All served resources, by group, version and plural.
    pub fn resource_types(&self) -> impl Iterator<Item = &Arc<ResourceType>> {
        self.types.values()
    }

    /// The resource in the version that is stored under this key.
    pub fn storage_type(&self, storage: &str) -> Option<Arc<ResourceType>> {
        let mut types = self.types.values();
        let found = types.find(|resource| {
            resource.storage == storage && resource.storage_api_version() == resource.api_version()
        });
        found.cloned()
    }

    /// The stream of random values for this step; give it back with [`State::drawn`].
    pub(crate) fn random(&self, env: &Env) -> Random {
        Random::new(env.seed, self.draws)
    }

    /// Remembers how far the stream was read.
    pub(crate) fn drawn(&mut self, random: &Random) {
        self.draws = self.draws.max(random.position());
    }

    /// Stores (or with `None` removes) an object and records the event.
    ///
    /// Returns nothing when there was nothing to remove.
    pub(crate) fn commit(&mut self, resource: &str, key: Key, new: Option<Node>) -> Option<Event> {
        let old = self.get(resource, &key.namespace, &key.name).cloned();
        let (change, mut node) = match (&old, new) {
            (None, None) => return None,
            (None, Some(node)) => (Change::Added, node),
            (Some(_), Some(node)) => (Change::Modified, node),
            (Some(old), None) => (Change::Deleted, old.node.clone()),
        };
        self.version += 1;
        let version = self.version;
        node.set(&["metadata", "resourceVersion"], version.to_string());
        order_metadata(&mut node);
        let before = old.as_deref().map(|old| &old.node);
        Arc::make_mut(&mut self.sharing).share(&mut node, before);
        let object = Arc::new(Stored::after(node, version, old.as_deref()));
        let resource: Text = resource.into();
        self.index(
            &resource,
            &key,
            old.as_deref(),
            (change != Change::Deleted).then_some(&object),
        );
        let objects = Arc::make_mut(self.objects.entry(resource.clone()).or_default());
        if change == Change::Deleted {
            objects.remove(&key);
        } else {
            objects.insert(key.clone(), object.clone());
        }
        let event = Event {
            version,
            resource,
            change,
            key,
            object,
            old,
        };
        let events = Arc::make_mut(&mut self.events);
        events.push_back(event.clone());
        self.events_weight += event.object.weight;
        let is_heavy = |weight: usize, count: usize| weight > EVENTS_WEIGHT_MAX && count > 1;
        while (events.len() > self.features.events_kept
            || is_heavy(self.events_weight, events.len()))
            && let Some(forgotten) = events.pop_front()
        {
            self.oldest = forgotten.version;
            self.events_weight -= forgotten.object.weight;
            forgotten.object.forget_json();
        }
        let read = events.len().checked_sub(TEXTS_KEPT);
        if let Some(read) = read.and_then(|at| events.get(at)) {
            read.object.forget_json();
        }
        Some(event)
    }

    /// Makes one change of `earlier` and the last one, which are of the same object: nobody knows of
    /// the state between them. Gives the change as it is told.
    pub(crate) fn fold(&mut self, earlier: &Event, mut last: Event) -> Event {
        last.change = earlier.change;
        last.old.clone_from(&earlier.old);
        let events = Arc::make_mut(&mut self.events);
        let at = events.partition_point(|event| event.version < earlier.version);
        if events
            .get(at)
            .is_some_and(|event| event.version == earlier.version)
        {
            self.events_weight -= earlier.object.weight;
            events.remove(at);
        }
        if let Some(told) = events
            .back_mut()
            .filter(|told| told.version == last.version)
        {
            told.clone_from(&last);
        }
        last
    }

    /// Keeps the indexes by uid and by owner in step with a change.
    fn index(
        &mut self,
        resource: &Text,
        key: &Key,
        old: Option<&Stored>,
        new: Option<&Arc<Stored>>,
    ) {
        let new = new.map(|stored| &***stored);
        let old = old.map(|stored| &**stored);
        if resource == "services" {
            Arc::make_mut(&mut self.service_holdings).note(key, old, new);
        }
        let uid = |node: Option<&Node>| match node?.at(&["metadata", "uid"])? {
            Node::String(uid) => Some(uid.clone()),
            _ => None,
        };
        let (before, after) = (uid(old), uid(new));
        if before != after {
            let by_uid = Arc::make_mut(&mut self.by_uid);
            before.map(|uid| by_uid.remove(&uid));
            after.map(|uid| by_uid.insert(uid, (resource.clone(), key.clone())));
        }
        let (before, after) = (owners(old), owners(new));
        if before != after {
            let owned = Arc::make_mut(&mut self.owned);
            let entry = |uid: &Text| (uid.clone(), (resource.clone(), key.clone()));
            for uid in before.difference(&after) {
                owned.remove(&entry(uid));
            }
            owned.extend(after.difference(&before).map(entry));
        }
    }
}

/// The uids an object names as owners.
fn owners(node: Option<&Node>) -> BTreeSet<Text> {
    let references = node.and_then(|node| node.at(&["metadata", "ownerReferences"])?.as_list());
    let uids =
        references
            .into_iter()
            .flatten()
            .filter_map(|reference| match reference.get("uid")? {
                Node::String(uid) => Some(uid.clone()),
                _ => None,
            });
    uids.collect()
}

/// Puts the keys of metadata into the order in which the API shows them.
fn order_metadata(object: &mut Node) {
    const KEYS: [&str; 15] = [
        "name",
        "generateName",
        "namespace",
        "selfLink",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "labels",
        "annotations",
        "ownerReferences",
        "finalizers",
        "managedFields",
    ];
    let Some(metadata) = object.get_mut("metadata").and_then(Node::as_map_mut) else {
        return;
    };
    let known = KEYS
        .iter()
        .filter_map(|key| Some((Text::from(*key), metadata.get(key)?.clone())));
    let mut ordered: Vec<(Text, Node)> = known.collect();
    let rest = metadata
        .iter()
        .filter(|(key, _)| !KEYS.contains(&key.as_str()));
    ordered.extend(rest.map(|(key, value)| (key.clone(), value.clone())));
    *metadata = ordered.into_iter().collect();
}
