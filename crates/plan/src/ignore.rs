//! Fields whose live value is left alone.

use object::{Node, Object, Step};

/// Fields of some objects that drift without being corrected.
#[derive(Clone, Debug, Default)]
pub struct IgnoreRule {
    /// JSON pointers.
    pub paths: Vec<String>,
    /// Which objects.
    pub target: IgnoreTarget,
}

/// Decides which objects a rule is for.
///
/// The shell compiles the selector of a spec, with its regular expressions, into this.
#[derive(Clone)]
pub struct IgnoreTarget(pub std::sync::Arc<dyn Fn(&Object) -> bool + Send + Sync>);

impl Default for IgnoreTarget {
    fn default() -> Self {
        Self(std::sync::Arc::new(|_| true))
    }
}

impl std::fmt::Debug for IgnoreTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IgnoreTarget")
    }
}

/// Copies the live value of every ignored field into `object`; a field the live object lacks is
/// removed.
pub(crate) fn adopt(object: &mut Object, live: &Object, rules: &[IgnoreRule]) {
    let matching: Vec<&IgnoreRule> = rules
        .iter()
        .filter(|rule| (rule.target.0)(object))
        .collect();
    for pointer in matching.iter().flat_map(|rule| &rule.paths) {
        let Some(path) = object::FieldPath::from_json_pointer(pointer) else {
            continue;
        };
        let keys: Vec<&str> = path
            .steps()
            .iter()
            .filter_map(|step| match step {
                Step::Key(key) => Some(key.as_str()),
                Step::Index(_) => None,
            })
            .collect();
        copy(&mut object.node, &live.node, &keys);
    }
}

fn copy(to: &mut Node, from: &Node, keys: &[&str]) {
    let Some((first, rest)) = keys.split_first() else {
        *to = from.clone();
        return;
    };
    match (to, from) {
        (Node::Map(to), Node::Map(from)) => match (from.get(first), rest.is_empty()) {
            (None, true) => {
                to.remove(first);
            }
            (None, false) => {}
            (Some(value), true) => {
                to.insert(*first, value.clone());
            }
            (Some(value), false) => {
                if let Some(below) = to.get_mut(first) {
                    copy(below, value, rest);
                }
            }
        },
        (to @ Node::List(_), Node::List(from)) => {
            let Ok(index) = first.parse::<usize>() else {
                return;
            };
            let to = to.as_list_mut().and_then(|items| items.get_mut(index));
            if let (Some(to), Some(from)) = (to, from.get(index)) {
                copy(to, from, rest);
            }
        }
        _ => {}
    }
}
