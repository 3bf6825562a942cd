//! Parts of cells: ages, lists, selectors.

use golang::{Timestamp, human_duration};
use object::{Map, Node};

pub(super) const NONE: &str = "<none>";
pub(super) const UNSET: &str = "<unset>";
const UNKNOWN: &str = "<unknown>";

/// A text at a path, empty when it is absent.
pub(super) fn at<'a>(object: &'a Node, path: &[&str]) -> &'a str {
    object.str_at(path).unwrap_or_default()
}

/// A whole number at a path, zero when it is absent.
pub(super) fn number(object: &Node, path: &[&str]) -> i64 {
    object.at(path).and_then(Node::as_i64).unwrap_or(0)
}

/// The items of a list at a path.
pub(super) fn items<'a>(object: &'a Node, path: &[&str]) -> &'a [Node] {
    object.at(path).and_then(Node::as_list).unwrap_or_default()
}

/// How many members a map or list at a path has.
pub(super) fn count(object: &Node, path: &[&str]) -> i64 {
    let length = match object.at(path) {
        Some(Node::Map(map)) => map.len(),
        Some(Node::List(list)) => list.len(),
        _ => 0,
    };
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// `text`, or `otherwise` when it is empty.
pub(super) fn or<'a>(text: &'a str, otherwise: &'a str) -> &'a str {
    if text.is_empty() { otherwise } else { text }
}

/// How long ago a time was: `3m5s`; `<unknown>` without a time.
pub(super) fn since(time: &str, now: Timestamp) -> String {
    match time.parse::<Timestamp>() {
        Ok(time) => human_duration(now.since(time)),
        Err(_) => UNKNOWN.to_owned(),
    }
}

/// The age of an object.
pub(super) fn age(object: &Node, now: Timestamp) -> Node {
    since(at(object, &["metadata", "creationTimestamp"]), now).into()
}

/// `a=1,b=2` in key order, or `<none>`.
pub(super) fn labels(map: Option<&Node>) -> String {
    let Some(map) = map.and_then(Node::as_map).filter(|map| !map.is_empty()) else {
        return NONE.to_owned();
    };
    pairs(map).join(",")
}

fn pairs(map: &Map) -> Vec<String> {
    let mut pairs: Vec<(&str, &str)> = map
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str().unwrap_or_default()))
        .collect();
    pairs.sort_unstable();
    pairs
        .into_iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect()
}

/// A LabelSelector as text: `a=1,b in (x,y),!c`; `<none>` when it selects everything.
pub(super) fn selector(selector: Option<&Node>) -> String {
    let Some(selector) = selector.filter(|node| !node.is_null()) else {
        return NONE.to_owned();
    };
    let mut terms: Vec<(String, String)> = Vec::new();
    if let Some(map) = selector.get("matchLabels").and_then(Node::as_map) {
        terms.extend(map.iter().map(|(key, value)| {
            (
                key.to_string(),
                format!("{key}={}", value.as_str().unwrap_or_default()),
            )
        }));
    }
    for expression in items(selector, &["matchExpressions"]) {
        let key = at(expression, &["key"]);
        let mut values: Vec<&str> = items(expression, &["values"])
            .iter()
            .filter_map(Node::as_str)
            .collect();
        values.sort_unstable();
        let values = values.join(",");
        let term = match at(expression, &["operator"]) {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "DoesNotExist" => format!("!{key}"),
            _ => key.to_owned(),
        };
        terms.push((key.to_owned(), term));
    }
    terms.sort();
    if terms.is_empty() {
        return NONE.to_owned();
    }
    terms
        .into_iter()
        .map(|(_, term)| term)
        .collect::<Vec<_>>()
        .join(",")
}

/// Names and images of the containers of a pod spec.
pub(super) fn containers(pod_spec: Option<&Node>) -> [Node; 2] {
    let containers = pod_spec
        .map(|spec| items(spec, &["containers"]))
        .unwrap_or_default();
    ["name", "image"].map(|member| {
        let texts: Vec<&str> = containers
            .iter()
            .map(|container| at(container, &[member]))
            .collect();
        texts.join(",").into()
    })
}

/// The first `most` of `all`, and how many there are beside: `a,b,c + 2 more...`.
pub(super) fn some(all: &[String], most: usize) -> String {
    if all.len() <= most {
        return all.join(",");
    }
    format!("{} + {} more...", all[..most].join(","), all.len() - most)
}

/// `RWO,ROX`: access modes of a volume, in a fixed order, each once.
pub(super) fn access_modes(modes: &[Node]) -> String {
    const SHORT: [(&str, &str); 4] = [
        ("ReadWriteOnce", "RWO"),
        ("ReadOnlyMany", "ROX"),
        ("ReadWriteMany", "RWX"),
        ("ReadWriteOncePod", "RWOP"),
    ];
    let present = SHORT
        .iter()
        .filter(|(long, _)| modes.iter().any(|mode| mode.as_str() == Some(long)));
    present
        .map(|(_, short)| *short)
        .collect::<Vec<_>>()
        .join(",")
}

/// A condition of that type with status `True`.
pub(super) fn is_true(object: &Node, condition: &str) -> bool {
    items(object, &["status", "conditions"])
        .iter()
        .any(|one| at(one, &["type"]) == condition && at(one, &["status"]) == "True")
}
