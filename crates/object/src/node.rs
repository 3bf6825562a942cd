//! One value of an object.

use std::sync::Arc;

use crate::{Map, Text};

/// A list of nodes, shared until changed.
pub type List = Arc<Vec<Node>>;

/// A JSON-like value: what a manifest, a request body or an object in a cluster consists of.
///
/// Integers that fit 64 bits stay integers; everything else numeric is a float, as in the
/// Kubernetes API. Text is what YAML or JSON said after resolving; how it was written is lost.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Node {
    /// `null`, also an empty YAML value.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer of 64 bits.
    Int(i64),
    /// An integer above that range, from YAML that is only printed again. JSON readers give a
    /// [`Node::Float`] instead, as Kubernetes does.
    Uint(u64),
    /// Any other number; never NaN or infinite when it came from JSON.
    Float(f64),
    /// Text.
    String(Text),
    /// A sequence.
    List(List),
    /// A mapping with text keys.
    Map(Map),
}

impl Node {
    /// An empty map.
    pub fn map() -> Self {
        Self::Map(Map::new())
    }

    /// A list of `items`.
    pub fn list(items: impl IntoIterator<Item = impl Into<Node>>) -> Self {
        Self::List(Arc::new(items.into_iter().map(Into::into).collect()))
    }

    /// `null`, `bool`, `int`, `float`, `string`, `list` or `map`, for messages.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Int(_) | Self::Uint(_) => "int",
            Self::Float(_) => "float",
            Self::String(_) => "string",
            Self::List(_) => "list",
            Self::Map(_) => "map",
        }
    }

    /// Whether this is [`Node::Null`].
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The value of a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The value of an integer, also of a float without fraction inside the exact range.
    pub fn as_i64(&self) -> Option<i64> {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        match self {
            Self::Int(value) => Some(*value),
            Self::Float(value) if value.fract() == 0.0 && value.abs() <= EXACT => {
                Some(*value as i64)
            }
            _ => None,
        }
    }

    /// The value of a number.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Uint(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// The items of a list.
    pub fn as_list(&self) -> Option<&[Node]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// The items of a list, to change; copies them first when they are shared.
    pub fn as_list_mut(&mut self) -> Option<&mut Vec<Node>> {
        match self {
            Self::List(items) => Some(Arc::make_mut(items)),
            _ => None,
        }
    }

    /// The entries of a map.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The entries of a map, to change.
    pub fn as_map_mut(&mut self) -> Option<&mut Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The value of `key` if this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?.get(key)
    }

    /// The value of `key` if this is a map that has it, to change.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.as_map_mut()?.get_mut(key)
    }

    /// The value under nested map keys.
    pub fn at(&self, keys: &[&str]) -> Option<&Node> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The text under nested map keys; `None` also when something else is there.
    pub fn str_at(&self, keys: &[&str]) -> Option<&str> {
        self.at(keys)?.as_str()
    }

    /// The value under nested map keys, to change.
    pub fn at_mut(&mut self, keys: &[&str]) -> Option<&mut Node> {
        keys.iter().try_fold(self, |node, key| node.get_mut(key))
    }

    /// Sets the value under nested map keys; whatever is in the way becomes a map.
    pub fn set(&mut self, keys: &[&str], value: impl Into<Node>) {
        let mut node = self;
        for key in keys {
            if node.as_map().is_none() {
                *node = Self::map();
            }
            node = node.as_map_mut().expect("made a map just above").entry(key);
        }
        *node = value.into();
    }

    /// Removes the value under nested map keys and returns it.
    pub fn remove(&mut self, keys: &[&str]) -> Option<Node> {
        let (last, parents) = keys.split_last()?;
        self.at_mut(parents)?.as_map_mut()?.remove(last)
    }

    /// Whether both are one allocation, or the same scalar: equal without a look inside.
    pub fn is_one_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::List(own), Self::List(other)) => Arc::ptr_eq(own, other),
            (Self::Map(own), Self::Map(other)) => own.same(other),
            (Self::List(_) | Self::Map(_), _) => false,
            // The sign of a zero is seen when it is written.
            (Self::Float(own), Self::Float(other)) => own.to_bits() == other.to_bits(),
            _ => self == other,
        }
    }

    /// Puts the parts of `other` in the place of parts that say the same, in the same order, so that
    /// what comes later sees at once that nothing changed there.
    pub fn adopt(&mut self, other: &Self) {
        match adopted(self, other) {
            Adopted::Whole => *self = other.clone(),
            Adopted::Parts(node) => *self = node,
            Adopted::Nothing => {}
        }
    }

    /// A copy with other values in some places of this list or map, the places in order.
    pub(crate) fn with_children(&self, others: Vec<(usize, Self)>) -> Self {
        let mut copy = self.clone();
        match &mut copy {
            Self::List(items) => {
                let items = Arc::make_mut(items);
                others.into_iter().for_each(|(at, other)| items[at] = other);
            }
            Self::Map(map) => {
                let mut others = others.into_iter().peekable();
                for (at, (_, value)) in map.iter_mut().enumerate() {
                    if let Some((_, other)) = others.next_if(|(place, _)| *place == at) {
                        *value = other;
                    }
                }
            }
            _ => {}
        }
        copy
    }

    /// Orders the keys of this map and of every map below it.
    pub fn sort_keys(&mut self) {
        match self {
            Self::Map(map) => {
                map.sort_keys();
                map.iter_mut().for_each(|(_, value)| value.sort_keys());
            }
            Self::List(items) => Arc::make_mut(items).iter_mut().for_each(Self::sort_keys),
            _ => {}
        }
    }
}

/// What a node can have of another.
enum Adopted {
    /// All of it: they say the same.
    Whole,
    /// Some of what is below it, which is put into this copy.
    Parts(Node),
    Nothing,
}

fn adopted(own: &Node, other: &Node) -> Adopted {
    if own.is_one_with(other) {
        return Adopted::Whole;
    }
    let mut whole: bool;
    let mut parts: Vec<(usize, Node)> = Vec::new();
    let mut child = |at: usize, own: &Node, other: &Node| match adopted(own, other) {
        Adopted::Whole => {
            if !own.is_one_with(other) {
                parts.push((at, other.clone()));
            }
            true
        }
        Adopted::Parts(node) => {
            parts.push((at, node));
            false
        }
        Adopted::Nothing => false,
    };
    match (own, other) {
        (Node::List(items), Node::List(others)) => {
            whole = items.len() == others.len();
            for (at, (item, other)) in items.iter().zip(others.iter()).enumerate() {
                whole &= child(at, item, other);
            }
        }
        (Node::Map(map), Node::Map(others)) => {
            whole = map.len() == others.len();
            let mut in_order = others.iter();
            for (at, (key, value)) in map.iter().enumerate() {
                let beside = in_order.next().filter(|(other, _)| *other == key);
                whole &= beside.is_some();
                let other = beside.map(|(_, other)| other).or_else(|| others.get(key));
                whole &= other.is_some_and(|other| child(at, value, other));
            }
        }
        _ => return Adopted::Nothing,
    }
    match (whole, parts.is_empty()) {
        (true, _) => return Adopted::Whole,
        (false, true) => return Adopted::Nothing,
        (false, false) => {}
    }
    Adopted::Parts(own.with_children(parts))
}

impl From<bool> for Node {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Node {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for Node {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for Node {
    fn from(value: &str) -> Self {
        Self::String(value.into())
    }
}

impl From<String> for Node {
    fn from(value: String) -> Self {
        Self::String(value.into())
    }
}

impl From<Text> for Node {
    fn from(value: Text) -> Self {
        Self::String(value)
    }
}

impl From<Map> for Node {
    fn from(value: Map) -> Self {
        Self::Map(value)
    }
}

impl From<Vec<Node>> for Node {
    fn from(value: Vec<Node>) -> Self {
        Self::List(Arc::new(value))
    }
}

impl<T: Into<Node>> From<Option<T>> for Node {
    /// `None` is [`Node::Null`].
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_takes_24_bytes() {
        assert_eq!(size_of::<Node>(), 24);
    }

    #[test]
    fn set_makes_maps_on_the_way_and_remove_takes_only_the_leaf() {
        let mut node = Node::Null;
        node.set(&["metadata", "labels", "app"], "web");
        assert_eq!(node.str_at(&["metadata", "labels", "app"]), Some("web"));
        assert_eq!(
            node.remove(&["metadata", "labels", "app"]),
            Some("web".into())
        );
        assert_eq!(node.at(&["metadata", "labels"]), Some(&Node::map()));
    }

    #[test]
    fn what_says_the_same_in_the_same_order_is_adopted_and_nothing_else() {
        let node = |text: &str| {
            crate::json::parse(text.as_bytes(), crate::json::OBJECT_LIMITS).expect("JSON")
        };
        let old = node(r#"{"a":{"x":[1,{"y":2}]},"b":{"p":1,"q":2},"c":{"z":{}},"d":[{"e":1},2]}"#);
        for (text, shared) in [
            (
                r#"{"a":{"x":[1,{"y":2}]},"b":{"p":1,"q":2},"c":{"z":{}},"d":[{"e":1},2]}"#,
                "abcd",
            ),
            (r#"{"b":{"p":1,"q":2},"a":{"x":[1,{"y":2}]}}"#, "ab"),
            (
                r#"{"a":{"x":[1,{"y":3}]},"b":{"q":2,"p":1},"c":{"z":{}},"d":[{"e":1}]}"#,
                "c",
            ),
            (r#"{"a":{"x":[1,{"y":2}],"w":0},"b":1,"c":[],"d":{}}"#, ""),
            ("[]", ""),
        ] {
            let mut new = node(text);
            let before = crate::json::to_string(&new);
            new.adopt(&old);
            assert_eq!(crate::json::to_string(&new), before);
            for key in ["a", "b", "c", "d"] {
                let one = matches!((new.get(key), old.get(key)), (Some(new), Some(old)) if new.is_one_with(old));
                assert_eq!(one, shared.contains(key), "{text} {key}");
            }
        }
        // Below what changed, the rest is adopted.
        let mut new = node(r#"{"a":{"x":[1,{"y":2}],"w":0},"d":[{"e":1},3]}"#);
        new.adopt(&old);
        let one = |keys: &[&str]| {
            new.at(keys)
                .expect("there")
                .is_one_with(old.at(keys).expect("there"))
        };
        assert!(one(&["a", "x"]) && !one(&["a"]) && !one(&["d"]));
        let first = |node: &Node| node.get("d").and_then(Node::as_list).expect("a list")[0].clone();
        assert!(first(&new).is_one_with(&first(&old)));
    }

    #[test]
    fn a_float_is_an_integer_only_when_nothing_is_lost() {
        assert_eq!(Node::Float(3.0).as_i64(), Some(3));
        assert_eq!(Node::Float(3.5).as_i64(), None);
        assert_eq!(Node::Float(1e300).as_i64(), None);
    }
}
