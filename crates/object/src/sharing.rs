//! Equal parts of many objects, kept once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::Node;

/// Parts that are remembered: a cluster of a hundred kinds, each written by a dozen managers, has
/// some ten thousand that repeat, and each of a thousand applications a dozen of its own. An entry
/// takes some 40 bytes.
const KEPT_MAX: usize = 64 * 1024;

/// Parts after which it is seen for the first time which of them nobody else has.
const KEPT_FIRST: usize = 1024;

/// Parts that were seen once lately. Most never come again, and only their digests are kept: about
/// a megabyte, for the parts of some thousand objects.
const SEEN_MAX: usize = 64 * 1024;

/// Lets objects share the parts that they have in common.
///
/// Of a thousand objects of one kind nearly all have the same owners of fields, the same defaults,
/// the same frozen templates. A part is a map or a list with something in it. One that comes for
/// the second time is remembered, and from then on everybody has that one.
#[derive(Clone, Debug, Default)]
pub struct Sharing {
    kept: HashMap<u64, Node>,
    seen: HashSet<u64>,
    /// Parts that may still come until those go that nobody else has.
    room: usize,
}

impl Sharing {
    /// Puts shared parts in place of equal ones in `node`. What `old`, the object before, has in
    /// the same place is shared with it, and not looked at further.
    pub fn share(&mut self, node: &mut Node, old: Option<&Node>) {
        if let (_, Some(shared)) = self.part(node, old) {
            *node = shared;
        }
    }

    /// The digest of a part, nothing of one that was not looked at as a whole; and what takes its
    /// place, if anything does.
    fn part(&mut self, node: &Node, old: Option<&Node>) -> (Option<u64>, Option<Node>) {
        if !is_part(node) {
            return (Some(scalar(node)), None);
        }
        if old.is_some_and(|old| node.is_one_with(old)) {
            return (None, None);
        }
        let mut digest = Digest::new(node);
        let mut whole = true;
        let mut changed: Vec<(usize, Node)> = Vec::new();
        match node {
            Node::List(items) => {
                let before = old.and_then(Node::as_list).unwrap_or_default();
                for (at, item) in items.iter().enumerate() {
                    let (below, shared) = self.part(item, before.get(at));
                    whole &= below.is_some();
                    digest.add(below.unwrap_or_default());
                    changed.extend(shared.map(|shared| (at, shared)));
                }
            }
            Node::Map(map) => {
                for (at, (key, value)) in map.iter().enumerate() {
                    digest.text(key);
                    let before = old.and_then(|old| old.get(key));
                    let (below, shared) = self.part(value, before);
                    whole &= below.is_some();
                    digest.add(below.unwrap_or_default());
                    changed.extend(shared.map(|shared| (at, shared)));
                }
            }
            _ => {}
        }
        let copy = (!changed.is_empty()).then(|| node.with_children(changed));
        if !whole {
            return (None, copy);
        }
        let digest = digest.0;
        let shared = self.one(copy.as_ref().unwrap_or(node), digest);
        (Some(digest), shared.or(copy))
    }

    /// The part that everybody has in the place of an equal one, if it is another.
    fn one(&mut self, node: &Node, digest: u64) -> Option<Node> {
        if let Some(known) = self.kept.get(&digest) {
            return (known == node && !known.is_one_with(node)).then(|| known.clone());
        }
        if self.seen.len() >= SEEN_MAX {
            self.seen.clear();
        }
        if self.seen.insert(digest) {
            return None;
        }
        if self.room == 0 {
            self.tidy();
        }
        self.room -= 1;
        if self.kept.len() < KEPT_MAX {
            self.seen.remove(&digest);
            self.kept.insert(digest, node.clone());
        }
        None
    }

    /// Forgets the parts that nobody else has. The next time is when there may be twice as many,
    /// so that a part is looked at a few times altogether.
    fn tidy(&mut self) {
        self.kept.retain(|_, known| match known {
            Node::Map(map) => map.is_shared(),
            Node::List(items) => Arc::strong_count(items) > 1,
            _ => false,
        });
        self.room = self.kept.len().max(KEPT_FIRST);
    }
}

fn is_part(node: &Node) -> bool {
    match node {
        Node::List(items) => !items.is_empty(),
        Node::Map(map) => !map.is_empty(),
        _ => false,
    }
}

/// A digest that two different parts hardly ever have in common. Whoever makes them so on purpose
/// loses the sharing of these: equal digests are followed by a comparison.
struct Digest(u64);

impl Digest {
    fn new(node: &Node) -> Self {
        Self(match node {
            Node::List(items) => 0x9e37_79b9_7f4a_7c15 ^ items.len() as u64,
            Node::Map(map) => 0xc2b2_ae3d_27d4_eb4f ^ map.len() as u64,
            _ => 0,
        })
    }

    fn add(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word) * 0xa076_1d64_78bd_642f;
        self.0 = (product as u64) ^ ((product >> 64) as u64).rotate_left(23) ^ word.rotate_left(32);
    }

    fn text(&mut self, text: &str) {
        let (words, rest) = text.as_bytes().as_chunks::<8>();
        for word in words {
            self.add(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.add(u64::from_le_bytes(last));
        self.add(text.len() as u64);
    }
}

/// The digest of what is no part.
fn scalar(node: &Node) -> u64 {
    let (kind, word) = match node {
        Node::Null => (1, 0),
        Node::Bool(own) => (2, u64::from(*own)),
        Node::Int(own) => (3, own.cast_unsigned()),
        Node::Uint(own) => (4, *own),
        Node::Float(own) => (5, own.to_bits()),
        Node::String(_) => (6, 0),
        Node::List(_) => (7, 0),
        Node::Map(_) => (8, 0),
    };
    let mut digest = Digest(kind);
    match node {
        Node::String(own) => digest.text(own),
        _ => digest.add(word),
    }
    digest.0
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
        assert!(part(second, &["spec"]).is_one_with(part(third, &["spec"])));
        // A part of another whole.
        let mut other = node(r#"{"spec":{"a":[1,{"b":"c"}],"d":1}}"#);
        sharing.share(&mut other, None);
        let list = ["spec", "a"];
        assert!(part(&other, &list).is_one_with(part(third, &list)));
        assert!(!part(&other, &["spec"]).is_one_with(part(third, &["spec"])));
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
        assert!(again.is_one_with(&kept));
    }

    #[test]
    fn what_the_object_had_before_stays_as_it_is() {
        let mut sharing = Sharing::default();
        let old = node(r#"{"spec":{"a":{"b":1}},"status":{"c":1}}"#);
        let mut new = old.clone();
        new.set(&["status", "c"], 2i64);
        sharing.share(&mut new, Some(&old));
        assert!(part(&new, &["spec"]).is_one_with(part(&old, &["spec"])));
    }
}
