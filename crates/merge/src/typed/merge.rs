//! Merging what somebody applies into what is there.

use object::{Map, Node};

use super::{Fit, Form, Items};
use crate::schema::{ListType, MapType, ObjectType, TypeRef};
use crate::value::{same, shared};

/// What became of the live value.
enum Merged {
    /// It stays as it is.
    Live,
    /// It becomes this.
    Changed(Node),
}

impl ObjectType {
    /// `live` with everything in `applied` put into it.
    ///
    /// Nothing is removed. Leaves and atomic values of `applied` win. List items are found by
    /// their key; where `applied` says something about a list, its order wins, and items that
    /// only `live` has keep their place relative to the items both have.
    pub fn merge(&self, live: &Node, applied: &Node) -> Node {
        match self.merge_nodes(live, applied, self.root()) {
            Merged::Live => live.clone(),
            Merged::Changed(node) => node,
        }
    }

    fn merge_nodes(&self, live: &Node, applied: &Node, type_ref: TypeRef) -> Merged {
        if shared(live, applied) {
            return Merged::Live;
        }
        let atom = self.schema().atom(type_ref);
        match atom.form(Fit::of(atom, Some(applied))) {
            Form::Map(map) if !map.is_atomic() => self.merge_maps(live, applied, map),
            Form::List(list) if !list.is_atomic() => self.merge_lists(live, applied, list),
            _ => take(live, applied),
        }
    }

    fn merge_maps(&self, live: &Node, applied: &Node, map: &MapType) -> Merged {
        let empty = Map::new();
        let entries = match applied {
            Node::Map(entries) => entries,
            _ => &empty,
        };
        let live_entries = match live {
            Node::Map(entries) if !entries.is_empty() => entries,
            _ if entries.is_empty() => return take(live, applied),
            _ => return Merged::Changed(applied.clone()),
        };
        let mut out: Option<Map> = None;
        let mut hint = live_entries.iter();
        for (key, value) in entries.iter() {
            let live = match hint.next() {
                Some((live_key, live)) if live_key == key => Some(live),
                _ => live_entries.get(key),
            };
            let merged = match (live, map.value_type(key)) {
                (Some(live), Some(inner)) => self.merge_nodes(live, value, inner),
                _ => Merged::Changed(value.clone()),
            };
            if let Merged::Changed(node) = merged {
                let out = out.get_or_insert_with(|| live_entries.clone());
                out.insert(key.clone(), node);
            }
        }
        out.map_or(Merged::Live, |out| Merged::Changed(out.into()))
    }

    fn merge_lists(&self, live: &Node, applied: &Node, list: &ListType) -> Merged {
        let applied_items = applied.as_list().unwrap_or_default();
        let live_items = live.as_list().unwrap_or_default();
        if applied_items.is_empty() {
            return if live_items.is_empty() {
                take(live, applied)
            } else {
                Merged::Live
            };
        }
        if live_items.is_empty() {
            return Merged::Changed(applied.clone());
        }
        let mut order = Order::of(
            Items::of(self.schema(), list, live_items),
            Items::of(self.schema(), list, applied_items),
        );
        let mut unchanged = true;
        let mut out = Vec::with_capacity(live_items.len().max(applied_items.len()));
        while let Some((live, applied)) = order.next() {
            let merged = match (live, applied) {
                (Some(live), Some(applied)) => {
                    match self.merge_nodes(live, applied, list.element) {
                        Merged::Live => live.clone(),
                        Merged::Changed(node) => {
                            unchanged = false;
                            node
                        }
                    }
                }
                (Some(only), None) => only.clone(),
                (None, Some(only)) => {
                    unchanged = false;
                    only.clone()
                }
                (None, None) => continue,
            };
            out.push(merged);
        }
        let in_place = unchanged
            && out.len() == live_items.len()
            && out.iter().zip(live_items).all(|(a, b)| same(a, b));
        if in_place {
            return Merged::Live;
        }
        Merged::Changed(Node::from(out))
    }
}

/// The applied value, unless it is the live one.
fn take(live: &Node, applied: &Node) -> Merged {
    if same(live, applied) {
        Merged::Live
    } else {
        Merged::Changed(applied.clone())
    }
}

/// Walks the items of two lists in the order the merged list has them.
struct Order<'n> {
    live: Items<'n>,
    applied: Items<'n>,
    live_at: usize,
    applied_at: usize,
    /// Places in `applied` of items that both lists have, in order.
    shared: Vec<usize>,
    /// How many of `shared` have been passed.
    shared_at: usize,
    /// Which items of `applied` are in the result.
    done: Vec<bool>,
    /// For each live item the place of its counterpart in `applied`.
    counterpart: Vec<Option<usize>>,
}

impl<'n> Order<'n> {
    fn of(live: Items<'n>, applied: Items<'n>) -> Self {
        let elements = live.in_order.iter();
        let counterpart = elements
            .map(|(element, _)| applied.places(element).first)
            .collect();
        let shared = (0..applied.in_order.len())
            .filter(|&at| live.contains(&applied.in_order[at].0))
            .collect();
        Self {
            live_at: 0,
            applied_at: 0,
            shared,
            shared_at: 0,
            done: vec![false; applied.in_order.len()],
            counterpart,
            live,
            applied,
        }
    }

    /// The next item: its live and its applied value.
    fn next(&mut self) -> Option<(Option<&'n Node>, Option<&'n Node>)> {
        loop {
            let live_left = self.live_at < self.live.in_order.len();
            let applied_left = self.applied_at < self.applied.in_order.len();
            if !live_left && !applied_left {
                return None;
            }
            let counterpart = if live_left {
                self.counterpart[self.live_at]
            } else {
                None
            };
            if live_left && applied_left {
                if counterpart == Some(self.applied_at) {
                    self.live_at += 1;
                    return Some(self.take_applied(true));
                }
                let next_shared = self.shared.get(self.shared_at).copied();
                if counterpart.is_some() && next_shared.is_some() && next_shared != counterpart {
                    self.live_at += 1;
                    continue;
                }
            }
            if live_left {
                match counterpart {
                    None => {
                        let node = self.live.in_order[self.live_at].1;
                        self.live_at += 1;
                        return Some((Some(node), None));
                    }
                    Some(at) if self.done[at] => self.live_at += 1,
                    Some(_) => {}
                }
            }
            if applied_left {
                let next = self.shared.get(self.shared_at) == Some(&self.applied_at);
                return Some(self.take_applied(next));
            }
        }
    }

    /// The next applied item with its live counterpart; one that the live list has several
    /// times has none.
    fn take_applied(&mut self, advance_shared: bool) -> (Option<&'n Node>, Option<&'n Node>) {
        let (element, node) = &self.applied.in_order[self.applied_at];
        let places = self.live.places(element);
        let live = match (places.first, places.count) {
            (Some(at), 1) => Some(self.live.in_order[at].1),
            _ => None,
        };
        let node = *node;
        self.done[self.applied_at] = true;
        self.applied_at += 1;
        if advance_shared {
            self.shared_at += 1;
        }
        (live, Some(node))
    }
}
