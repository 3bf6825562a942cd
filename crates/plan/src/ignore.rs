//! Fields whose live value is left alone.
//!
//! # Source
//! fluxcd/pkg `ssa/manager_apply.go`, `computeDriftedPaths`.

use merge::{FieldSet, Managers, Operation, PathElement};
use object::{FieldPath, Node, Object, Step, Text};

use crate::Options;
use crate::settle::Probe;

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

/// What a dry run gave, with every ignored field as it is live, so that it does not count as
/// drift.
pub(crate) fn as_live(result: &Object, live: &Object, rules: &[IgnoreRule]) -> Object {
    let mut out = result.clone();
    for path in paths(result, rules) {
        put(&mut out.node, &path, get(&live.node, &path));
    }
    out
}

/// What to apply to an object whose ignored fields may have drifted.
///
/// A drifted field that somebody else applies is left out, so that they keep it alone; any other
/// gets its live value, so that applying does not set it back.
pub(crate) fn payload(object: &Object, live: &Object, probe: &Probe, options: &Options) -> Object {
    let mut out = object.clone();
    let Ok(result) = &probe.dry_run else {
        return out;
    };
    let paths = paths(result, &options.ignore);
    if paths.is_empty() {
        return out;
    }
    let others = applied_by_others(live, options.manager());
    for path in paths {
        let current = get(&live.node, &path);
        let drifted = match (current, get(&result.node, &path)) {
            (Some(live), Some(result)) => !merge::same(live, result),
            (None, None) => false,
            _ => true,
        };
        if !drifted {
            continue;
        }
        let theirs = owns(&others, &live.node, &path);
        put(&mut out.node, &path, if theirs { None } else { current });
    }
    out
}

/// The tokens of every pointer of the rules for this object.
fn paths(object: &Object, rules: &[IgnoreRule]) -> Vec<Vec<Text>> {
    let matching = rules.iter().filter(|rule| (rule.target.0)(object));
    let pointers = matching.flat_map(|rule| &rule.paths);
    let paths = pointers.filter_map(|pointer| FieldPath::from_json_pointer(pointer));
    let tokens = paths.map(|path| {
        let steps = path.steps().iter();
        let keys = steps.filter_map(|step| match step {
            Step::Key(key) => Some(key.clone()),
            Step::Index(_) => None,
        });
        keys.collect::<Vec<_>>()
    });
    tokens.filter(|tokens| !tokens.is_empty()).collect()
}

/// What others than `manager` apply to the object itself.
fn applied_by_others(live: &Object, manager: &str) -> FieldSet {
    let managers = Managers::of(&live.node);
    let others = managers.entries().iter().filter(|entry| {
        let id = &entry.id;
        id.operation == Operation::Apply && id.subresource.is_empty() && id.name != manager
    });
    others.fold(FieldSet::EMPTY, |all, entry| all.union(entry.fields()))
}

/// Whether the set has the field at `path`, or fields inside it; an index stands for the item
/// with the same key.
fn owns(set: &FieldSet, live: &Node, path: &[Text]) -> bool {
    let Some((token, rest)) = path.split_first() else {
        return true;
    };
    let Node::List(items) = live else {
        let Some(branch) = set.get_field(token) else {
            return false;
        };
        let below = live.get(token).unwrap_or(&Node::Null);
        return rest.is_empty() || owns(&branch.below, below, rest);
    };
    let Some(item) = token.parse().ok().and_then(|at: usize| items.get(at)) else {
        return false;
    };
    let branch = set.branches().iter().find(|branch| match &branch.element {
        PathElement::Key(fields) => fields
            .iter()
            .all(|(name, value)| item.get(name).is_some_and(|own| merge::same(own, value))),
        _ => false,
    });
    branch.is_some_and(|branch| rest.is_empty() || owns(&branch.below, item, rest))
}

fn get<'n>(node: &'n Node, path: &[Text]) -> Option<&'n Node> {
    path.iter().try_fold(node, |node, token| match node {
        Node::Map(map) => map.get(token),
        Node::List(items) => items.get(token.parse::<usize>().ok()?),
        _ => None,
    })
}

/// Sets the field at `path`, or removes it; nothing happens when its parent is missing.
fn put(node: &mut Node, path: &[Text], value: Option<&Node>) {
    let Some((last, parents)) = path.split_last() else {
        return;
    };
    let parent = parents.iter().try_fold(node, |node, token| match node {
        Node::Map(map) => map.get_mut(token),
        Node::List(_) => {
            let at = token.parse::<usize>().ok()?;
            node.as_list_mut()?.get_mut(at)
        }
        _ => None,
    });
    match (parent, value) {
        (Some(Node::Map(map)), Some(value)) => {
            map.insert(last.clone(), value.clone());
        }
        (Some(Node::Map(map)), None) => {
            map.remove(last);
        }
        (Some(list @ Node::List(_)), value) => {
            let Some(at) = last.parse::<usize>().ok() else {
                return;
            };
            let Some(items) = list.as_list_mut().filter(|items| at < items.len()) else {
                return;
            };
            match value {
                Some(value) => items[at] = value.clone(),
                None => {
                    items.remove(at);
                }
            }
        }
        _ => {}
    }
}
