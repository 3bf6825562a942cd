//! Stored sets of fields that objects have in common.
//!
//! All Deployments that one manager has written own the same fields, and what a set of fields takes
//! is often more than the object itself.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use object::{Map, Node, Text};

/// Sets and parts of sets that are remembered; a cluster of a hundred kinds and a dozen managers
/// has a few thousand.
const KEPT_MAX: usize = 16 * 1024;

/// The sets that stored objects share, by digest.
#[derive(Clone, Debug, Default)]
pub(crate) struct FieldSets(HashMap<u64, Map>);

impl FieldSets {
    /// Lets the managers of `object` share their sets with those of other objects; what `old`, the
    /// object before, has unchanged is shared already.
    pub(crate) fn share(&mut self, object: &mut Node, old: Option<&Node>) {
        let before = old.map_or(&[][..], managers);
        let is_known = |set: &Map| before.iter().filter_map(set_of).any(|own| own.same(set));
        let fresh: Vec<(usize, Map)> = managers(object)
            .iter()
            .enumerate()
            .filter_map(|(at, entry)| Some((at, set_of(entry)?)))
            .filter(|(_, set)| !set.is_empty() && !is_known(set))
            .map(|(at, set)| (at, self.shared(set).0))
            .collect();
        if fresh.is_empty() {
            return;
        }
        let entries = object.at_mut(&["metadata", "managedFields"]);
        let Some(entries) = entries.and_then(Node::as_list_mut) else {
            return;
        };
        for (at, set) in fresh {
            entries[at].set(&["fieldsV1"], set);
        }
    }

    /// The one copy of a set, and its digest.
    fn shared(&mut self, set: &Map) -> (Map, u64) {
        let mut hasher = DefaultHasher::new();
        let mut parts: Vec<(Text, Node)> = Vec::with_capacity(set.len());
        for (key, value) in set.iter() {
            key.hash(&mut hasher);
            let value = match value {
                Node::Map(inner) if !inner.is_empty() => {
                    let (inner, digest) = self.shared(inner);
                    digest.hash(&mut hasher);
                    Node::Map(inner)
                }
                other => other.clone(),
            };
            parts.push((key.clone(), value));
        }
        let digest = hasher.finish();
        if let Some(known) = self.0.get(&digest)
            && known == set
        {
            return (known.clone(), digest);
        }
        let mut own = Map::with_capacity(parts.len());
        own.extend(parts);
        if self.0.len() >= KEPT_MAX {
            self.0.retain(|_, known| known.is_shared());
        }
        if self.0.len() < KEPT_MAX {
            self.0.insert(digest, own.clone());
        }
        (own, digest)
    }
}

fn managers(object: &Node) -> &[Node] {
    let list = object.at(&["metadata", "managedFields"]);
    list.and_then(Node::as_list).unwrap_or_default()
}

fn set_of(entry: &Node) -> Option<&Map> {
    entry.get("fieldsV1")?.as_map()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(name: &str, set: &str) -> Node {
        let text = format!(
            r#"{{"metadata":{{"name":"{name}","managedFields":[{{"manager":"m","fieldsV1":{set}}}]}}}}"#
        );
        let limits = object::json::OBJECT_LIMITS;
        object::json::parse(text.as_bytes(), limits).expect("JSON")
    }

    fn set(object: &Node) -> &Map {
        set_of(&managers(object)[0]).expect("it has a set")
    }

    #[test]
    fn equal_sets_and_parts_are_one_and_say_what_they_said() {
        let texts = [
            r#"{"f:spec":{".":{},"f:replicas":{}},"f:status":{"f:ready":{}}}"#,
            r#"{"f:spec":{".":{},"f:replicas":{}},"f:status":{"f:ready":{}}}"#,
            r#"{"f:spec":{".":{},"f:replicas":{}},"f:data":{}}"#,
        ];
        let mut sets = FieldSets::default();
        let mut objects: Vec<Node> = texts.iter().map(|text| object("a", text)).collect();
        let before = objects.clone();
        for object in &mut objects {
            sets.share(object, None);
        }
        assert_eq!(objects, before);
        assert!(set(&objects[0]).same(set(&objects[1])));
        assert!(!set(&objects[0]).same(set(&objects[2])));
        let spec = |object: &Node| set(object).get("f:spec").and_then(Node::as_map).cloned();
        let (one, other) = (spec(&objects[0]), spec(&objects[2]));
        assert!(one.expect("a part").same(&other.expect("a part")));
    }

    #[test]
    fn what_nobody_has_any_more_makes_room() {
        let mut sets = FieldSets::default();
        let name = |at: usize| format!(r#"{{"f:a{at}":{{}},"f:b":{{}}}}"#);
        let mut kept = object("kept", r#"{"f:kept":{}}"#);
        sets.share(&mut kept, None);
        for at in 0..KEPT_MAX + 10 {
            sets.share(&mut object("gone", &name(at)), None);
            assert!(sets.0.len() <= KEPT_MAX);
        }
        let mut again = object("again", r#"{"f:kept":{}}"#);
        sets.share(&mut again, None);
        assert!(set(&again).same(set(&kept)));
    }
}
