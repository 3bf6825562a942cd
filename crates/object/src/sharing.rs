//! Equal parts of many objects, kept once.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem::discriminant;
use std::sync::Arc;

use crate::{Map, Node};

/// Parts that are remembered: a cluster of a hundred kinds, each written by a dozen managers, has
/// some ten thousand that repeat.
const KEPT_MAX: usize = 32 * 1024;

/// Parts that were seen once lately. Most never come again, and only their digests are kept.
const SEEN_MAX: usize = 16 * 1024;

/// Lets objects share the parts that they have in common.
///
/// Of a thousand objects of one kind nearly all have the same owners of fields, the same defaults,
/// the same frozen templates. A part is a map or a list with something in it. One that comes for
/// the second time is remembered, and from then on everybody has that one.
#[derive(Clone, Debug, Default)]
pub struct Sharing {
    kept: HashMap<u64, Node>,
    seen: HashSet<u64>,
}

impl Sharing {
    /// Puts shared parts in place of equal ones in `node`. What `old`, the object before, has in
    /// the same place is shared with it, and not looked at further.
    pub fn share(&mut self, node: &mut Node, old: Option<&Node>) {
        self.part(node, old);
    }

    /// The digest of a part; nothing of one that was not looked at as a whole.
    fn part(&mut self, node: &mut Node, old: Option<&Node>) -> Option<u64> {
        if let Some(old) = old
            && is_part(node)
            && is_same(node, old)
        {
            return None;
        }
        let mut hasher = DefaultHasher::new();
        discriminant(node).hash(&mut hasher);
        let mut whole = true;
        match node {
            Node::Null => {}
            Node::Bool(own) => own.hash(&mut hasher),
            Node::Int(own) => own.hash(&mut hasher),
            Node::Uint(own) => own.hash(&mut hasher),
            Node::Float(own) => own.to_bits().hash(&mut hasher),
            Node::String(own) => own.hash(&mut hasher),
            Node::List(items) => {
                let before = old.and_then(Node::as_list).unwrap_or_default();
                items.len().hash(&mut hasher);
                for at in 0..items.len() {
                    let mut item = items[at].clone();
                    match self.part(&mut item, before.get(at)) {
                        Some(digest) => digest.hash(&mut hasher),
                        None => whole = false,
                    }
                    if is_part(&item) && !is_same(&item, &items[at]) {
                        Arc::make_mut(items)[at] = item;
                    }
                }
            }
            Node::Map(map) => {
                map.len().hash(&mut hasher);
                let mut changed: Vec<(usize, Node)> = Vec::new();
                for (at, (key, value)) in map.iter().enumerate() {
                    key.hash(&mut hasher);
                    let before = old.and_then(|old| old.get(key));
                    let mut own = value.clone();
                    match self.part(&mut own, before) {
                        Some(digest) => digest.hash(&mut hasher),
                        None => whole = false,
                    }
                    if is_part(&own) && !is_same(&own, value) {
                        changed.push((at, own));
                    }
                }
                if !changed.is_empty() {
                    let mut changed = changed.into_iter().peekable();
                    for (at, (_, value)) in map.iter_mut().enumerate() {
                        if let Some((_, own)) = changed.next_if(|(own, _)| *own == at) {
                            *value = own;
                        }
                    }
                }
            }
        }
        let digest = whole.then(|| hasher.finish())?;
        if is_part(node) {
            self.one(node, digest);
        }
        Some(digest)
    }

    /// Takes the part that everybody has in the place of an equal one.
    fn one(&mut self, node: &mut Node, digest: u64) {
        if let Some(known) = self.kept.get(&digest) {
            if known == node {
                *node = known.clone();
            }
            return;
        }
        if self.seen.len() >= SEEN_MAX {
            self.seen.clear();
        }
        if self.seen.insert(digest) {
            return;
        }
        if self.kept.len() >= KEPT_MAX {
            self.kept.retain(|_, known| match known {
                Node::Map(map) => map.is_shared(),
                Node::List(items) => Arc::strong_count(items) > 1,
                _ => false,
            });
        }
        if self.kept.len() < KEPT_MAX {
            self.seen.remove(&digest);
            if let Node::Map(map) = node {
                map.shrink_to_fit();
            }
            self.kept.insert(digest, node.clone());
        }
    }
}

fn is_part(node: &Node) -> bool {
    match node {
        Node::List(items) => !items.is_empty(),
        Node::Map(map) => !map.is_empty(),
        _ => false,
    }
}

/// Whether two parts are one allocation.
fn is_same(one: &Node, other: &Node) -> bool {
    match (one, other) {
        (Node::List(one), Node::List(other)) => Arc::ptr_eq(one, other),
        (Node::Map(one), Node::Map(other)) => Map::same(one, other),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(text: &str) -> Node {
        crate::json::parse(text.as_bytes(), crate::json::OBJECT_LIMITS).expect("JSON")
    }

    fn part<'n>(node: &'n Node, keys: &[&str]) -> &'n Node {
        node.at(keys).expect("it is there")
    }

    #[test]
    fn what_comes_again_is_one_and_says_what_it_said() {
        let text =
            |name: &str| format!(r#"{{"name":"{name}","spec":{{"a":[1,{{"b":"c"}}],"d":{{}}}}}}"#);
        let mut sharing = Sharing::default();
        let mut objects: Vec<Node> = ["x", "y", "z"].map(|name| node(&text(name))).into();
        let before = objects.clone();
        for object in &mut objects {
            sharing.share(object, None);
        }
        assert_eq!(objects, before);
        let [_, second, third] = objects.as_slice() else {
            unreachable!();
        };
        assert!(is_same(part(second, &["spec"]), part(third, &["spec"])));
        // A part of another whole.
        let mut other = node(r#"{"spec":{"a":[1,{"b":"c"}],"d":1}}"#);
        sharing.share(&mut other, None);
        let list = ["spec", "a"];
        assert!(is_same(part(&other, &list), part(third, &list)));
        assert!(!is_same(part(&other, &["spec"]), part(third, &["spec"])));
    }

    #[test]
    fn numbers_that_are_written_alike_stay_what_they_are() {
        let mut sharing = Sharing::default();
        for value in [
            Node::Int(1),
            Node::Float(1.0),
            Node::Uint(1),
            Node::Bool(true),
        ] {
            let mut object = Node::list([value.clone()]);
            for _ in 0..3 {
                sharing.share(&mut object, None);
                assert_eq!(object, Node::list([value.clone()]));
                object = Node::list([value.clone()]);
            }
        }
    }

    #[test]
    fn what_nobody_has_any_more_makes_room() {
        let mut sharing = Sharing::default();
        let mut kept = node(r#"{"kept":1}"#);
        for _ in 0..2 {
            sharing.share(&mut kept, None);
        }
        for at in 0..KEPT_MAX + 10 {
            for _ in 0..2 {
                sharing.share(&mut node(&format!(r#"{{"a":{at}}}"#)), None);
            }
            assert!(sharing.kept.len() <= KEPT_MAX);
        }
        let mut again = node(r#"{"kept":1}"#);
        sharing.share(&mut again, None);
        assert!(is_same(&again, &kept));
    }

    #[test]
    fn what_the_object_had_before_stays_as_it_is() {
        let mut sharing = Sharing::default();
        let old = node(r#"{"spec":{"a":{"b":1}},"status":{"c":1}}"#);
        let mut new = old.clone();
        new.set(&["status", "c"], 2i64);
        sharing.share(&mut new, Some(&old));
        assert!(is_same(part(&new, &["spec"]), part(&old, &["spec"])));
    }
}
