//! Gets and lists: selection, pages, versions of the past.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use object::{LabelSelector, Map, Node, Text, json};

use crate::fields;
use crate::options::{ListOptions, Match, version};
use crate::path::Route;
use crate::selector::FieldSelector;
use crate::status::Cause;
use crate::{Key, Refusal, ResourceType, State, Stored};

/// What a list or watch selects.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only this namespace; all when empty.
    pub namespace: Text,
    /// By labels.
    pub labels: LabelSelector,
    /// By fields.
    pub fields: FieldSelector,
}

impl Selection {
    /// Reads the selectors of a request.
    ///
    /// # Errors
    /// 400 with the parser's words; also for fields the kind cannot be selected by.
    pub(crate) fn of(route: &Route, options: &ListOptions) -> Result<Self, Refusal> {
        let labels = LabelSelector::parse(&options.label_selector)
            .map_err(|error| Refusal::bad_request(error.to_string()))?;
        let fields = FieldSelector::parse(&options.field_selector).map_err(Refusal::bad_request)?;
        for field in fields.fields() {
            fields::check(&route.resource, field).map_err(Refusal::bad_request)?;
        }
        Ok(Self {
            namespace: route.namespace.clone(),
            labels,
            fields,
        })
    }

    /// Whether anything but the namespace restricts.
    pub(crate) fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    /// Whether an object is selected.
    pub(crate) fn matches(&self, resource: &ResourceType, key: &Key, object: &Node) -> bool {
        (self.namespace.is_empty() || key.namespace == self.namespace)
            && self
                .labels
                .matches(object.at(&["metadata", "labels"]).and_then(Node::as_map))
            && self
                .fields
                .matches(|field| fields::value(resource, object, field))
    }
}

/// Refuses a version nobody has seen yet.
pub(crate) fn not_in_future(state: &State, wanted: u64) -> Result<(), Refusal> {
    let current = state.version();
    if wanted <= current {
        return Ok(());
    }
    let message = "Too large resource version";
    Err(Refusal {
        retry_after: 1,
        causes: vec![Cause {
            reason: "ResourceVersionTooLarge".into(),
            message: message.to_owned(),
            field: String::new(),
        }],
        ..Refusal::new(
            504,
            "Timeout",
            format!("Timeout: {message}: {wanted}, current: {current}"),
        )
    })
}

/// Where a page ended.
struct Continue {
    version: i64,
    /// `namespace/name` of the last object, followed by a zero character.
    start: String,
}

impl Continue {
    fn encode(&self) -> String {
        let mut token: Map = [("v", "meta.k8s.io/v1")].into_iter().collect();
        token.insert("rv", self.version);
        token.insert("start", self.start.as_str());
        URL_SAFE_NO_PAD.encode(json::to_string(&token.into()))
    }

    fn decode(text: &str) -> Result<Self, Refusal> {
        let problem = |problem: &str| {
            Refusal::bad_request(format!(
                "invalid continue token: continue key is not valid: {problem}"
            ))
        };
        let bytes = URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| problem("illegal base64 data"))?;
        let limits = json::Limits {
            bytes_max: 8 << 10,
            depth_max: 4,
        };
        let token = json::parse(&bytes, limits).map_err(|error| match error.kind {
            json::JsonErrorKind::Character(c) => problem(&format!(
                "invalid character '{c}' looking for beginning of value"
            )),
            _ => match bytes.first().map(|byte| char::from(*byte)) {
                Some(c) if !matches!(c, '{' | '[' | '"') => problem(&format!(
                    "invalid character '{c}' looking for beginning of value"
                )),
                _ => problem("unexpected end of JSON input"),
            },
        })?;
        if token.str_at(&["v"]) != Some("meta.k8s.io/v1") {
            return Err(problem("server does not recognize this encoded version"));
        }
        let version = token.get("rv").and_then(Node::as_i64).unwrap_or_default();
        let start = token.str_at(&["start"]).unwrap_or_default();
        if version == 0 {
            return Err(problem(
                "incorrect encoded start resourceVersion (version meta.k8s.io/v1)",
            ));
        }
        if start.is_empty() {
            return Err(problem("encoded start key empty (version meta.k8s.io/v1)"));
        }
        Ok(Self {
            version,
            start: start.to_owned(),
        })
    }

    fn after(&self, namespaced: bool) -> Key {
        let (namespace, name) = match namespaced {
            true => self.start.split_once('/').unwrap_or(("", &self.start)),
            false => ("", self.start.as_str()),
        };
        Key::new(namespace, name)
    }
}

/// The objects of a resource as they were at a version.
enum Snapshot<'a> {
    Now(&'a State, &'a ResourceType),
    Past(BTreeMap<Key, Arc<Stored>>),
}

impl<'a> Snapshot<'a> {
    /// `None` when the version is forgotten.
    fn at(state: &'a State, resource: &'a ResourceType, version: u64) -> Option<Self> {
        let later = state.events_after(version)?;
        let mine: Vec<_> = later
            .filter(|event| event.resource == resource.storage)
            .collect();
        if mine.is_empty() {
            return Some(Self::Now(state, resource));
        }
        let now = state.list(&resource.storage, None);
        let mut objects: BTreeMap<_, _> = now
            .map(|(key, stored)| (key.clone(), stored.clone()))
            .collect();
        for event in mine.into_iter().rev() {
            match &event.old {
                Some(old) => objects.insert(event.key.clone(), old.clone()),
                None => objects.remove(&event.key),
            };
        }
        Some(Self::Past(objects))
    }

    fn iter(&self) -> Box<dyn Iterator<Item = (&Key, &Arc<Stored>)> + '_> {
        match self {
            Self::Now(state, resource) => Box::new(state.list(&resource.storage, None)),
            Self::Past(objects) => Box::new(objects.iter()),
        }
    }
}

/// One object.
pub(crate) fn get(state: &State, route: &Route, wanted: &str) -> Result<Node, Refusal> {
    let wanted = version(wanted).map_err(Refusal::plain_error)?;
    not_in_future(state, wanted)?;
    let resource = &route.resource;
    match state.get(&resource.storage, &route.namespace, &route.name) {
        Some(stored) => Ok(resource.show(&stored.node)),
        None => Err(Refusal::not_found(resource, &route.name)),
    }
}

/// A page of objects as a list.
pub(crate) fn list(state: &State, route: &Route, options: &ListOptions) -> Result<Node, Refusal> {
    let resource = &route.resource;
    let selection = Selection::of(route, options)?;
    let token = match options.continue_token.as_str() {
        "" => None,
        text => Some(Continue::decode(text)?),
    };
    if token.is_some() && !matches!(options.resource_version.as_str(), "" | "0") {
        let message = "specifying resource version is not allowed when using continue";
        return Err(Refusal::bad_request(message));
    }
    let wanted = version(&options.resource_version)
        .map_err(|problem| Refusal::bad_request(format!("invalid resource version: {problem}")))?;
    not_in_future(state, wanted)?;
    let any = options.resource_version == "0";
    let limit = usize::try_from(options.limit).unwrap_or_default();
    let limit = if any { 0 } else { limit };
    let exact = options.version_match == Match::Exact
        || options.version_match == Match::Unset && wanted > 0 && limit > 0;
    let snapshot_version = match &token {
        Some(token) => u64::try_from(token.version).unwrap_or(state.version()),
        None if exact => wanted,
        None => state.version(),
    };
    not_in_future(state, snapshot_version)?;
    let Some(snapshot) = Snapshot::at(state, resource, snapshot_version) else {
        return Err(expired(state, token.as_ref()));
    };
    let start = token.as_ref().map(|token| token.after(resource.namespaced));
    let after = |key: &Key| {
        start
            .as_ref()
            .is_none_or(|start| key_at_or_after(key, start))
    };
    let selected = snapshot
        .iter()
        .filter(|(key, _)| after(key))
        .filter(|(key, stored)| selection.matches(resource, key, stored));
    let mut items = Vec::new();
    let mut last = None;
    let mut remaining = 0;
    for (key, stored) in selected {
        if limit > 0 && items.len() == limit {
            remaining += 1;
            continue;
        }
        items.push(item(resource, &stored.node));
        last = Some(key.clone());
    }
    let mut metadata: Map = [("resourceVersion", snapshot_version.to_string())]
        .into_iter()
        .collect();
    if let (true, Some(key)) = (remaining > 0, last) {
        let start = match resource.namespaced {
            true => format!("{}/{}\0", key.namespace, key.name),
            false => format!("{}\0", key.name),
        };
        let version = i64::try_from(snapshot_version).unwrap_or(i64::MAX);
        metadata.insert("continue", Continue { version, start }.encode());
        if selection.is_empty() {
            metadata.insert("remainingItemCount", remaining);
        }
    }
    if resource.custom.is_some() && !metadata.contains_key("continue") {
        metadata.insert("continue", "");
    }
    let mut list = Map::new();
    list.insert("kind", resource.list_kind.clone());
    list.insert("apiVersion", resource.api_version());
    list.insert("metadata", metadata);
    list.insert("items", items);
    Ok(list.into())
}

fn key_at_or_after(key: &Key, start: &Key) -> bool {
    (key.namespace.as_str(), key.name.as_str()) >= (start.namespace.as_str(), start.name.as_str())
}

/// An object as a member of a list: built-in ones leave out their kind there.
fn item(resource: &ResourceType, stored: &Node) -> Node {
    let mut object = resource.show(stored);
    if resource.custom.is_none() {
        object.remove(&["kind"]);
        object.remove(&["apiVersion"]);
    }
    object
}

fn expired(state: &State, token: Option<&Continue>) -> Refusal {
    let Some(token) = token else {
        let message = "The resourceVersion for the provided list is too old.";
        return Refusal::new(410, "Expired", message);
    };
    let fresh = Continue {
        version: -1,
        start: token.start.clone(),
    };
    let _ = state;
    Refusal {
        continue_token: fresh.encode(),
        ..Refusal::new(
            410,
            "Expired",
            "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
        )
    }
}
