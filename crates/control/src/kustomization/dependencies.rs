//! Waiting for other units.

use std::collections::BTreeMap;

use api::{Artifact, Kustomization, condition_type};

/// What is known of a dependency.
#[derive(Clone, Debug, PartialEq)]
pub struct Dependency {
    /// `namespace/name`.
    pub name: String,
    /// The unit; `None` when it is not there.
    pub unit: Option<Box<Kustomization>>,
    /// What its `readyExpr` says, when there is one.
    pub expression: Option<ReadyExpression>,
}

/// What a `readyExpr` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadyExpression {
    /// The dependency is ready.
    Ready,
    /// It is not.
    NotReady,
    /// It cannot be evaluated now.
    Failed(String),
    /// It is no expression of this language, or gives no boolean.
    Invalid(String),
}

/// Why the first unready dependency is not ready, and whether waiting cannot help.
///
/// # Source
/// Order and texts: fluxcd/kustomize-controller `internal/controller/kustomization_controller.go`,
/// `checkDependencies`.
pub(super) fn first_unready(
    dependencies: &[Dependency],
    unit: &Kustomization,
    artifact: &Artifact,
) -> Option<(String, bool)> {
    dependencies
        .iter()
        .find_map(|dependency| unready(dependency, unit, artifact))
}

fn unready(
    dependency: &Dependency,
    unit: &Kustomization,
    artifact: &Artifact,
) -> Option<(String, bool)> {
    let name = &dependency.name;
    let Some(other) = &dependency.unit else {
        return Some((format!("dependency '{name}' not found"), false));
    };
    match &dependency.expression {
        Some(ReadyExpression::Ready) => return None,
        Some(ReadyExpression::NotReady) => {
            let message = format!("dependency '{name}' is not ready according to readyExpr eval");
            return Some((message, false));
        }
        Some(ReadyExpression::Failed(why)) => {
            return Some((format!("dependency '{name}' is not ready: {why}"), false));
        }
        Some(ReadyExpression::Invalid(why)) => {
            let message = format!("failed to evaluate dependency {name}: {why}");
            return Some((message, true));
        }
        None => {}
    }
    let status = &other.status;
    let seen = status.observed_generation == other.meta.generation;
    if !seen || !status.conditions.is_true(condition_type::READY) {
        return Some((format!("dependency '{name}' is not ready"), false));
    }
    let same_source = other.source == unit.source;
    if same_source && status.last_applied_revision != artifact.revision {
        let message = format!("dependency '{name}' revision is not up to date");
        return Some((message, false));
    }
    None
}

/// The units that depend on each other in a circle through `start`, beginning and ending with it;
/// empty if there is none.
///
/// `depends_on` gives the names each unit depends on.
pub fn cycle(start: &str, depends_on: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    // Depth first, each unit entered once: linear in units and dependencies.
    let mut entered: Vec<&str> = Vec::new();
    let mut path: Vec<(&str, usize)> = vec![(start, 0)];
    while let Some((unit, at)) = path.pop() {
        let Some(next) = depends_on.get(unit).and_then(|list| list.get(at)) else {
            continue;
        };
        path.push((unit, at + 1));
        if next == start {
            let mut names: Vec<String> = path.iter().map(|(name, _)| (*name).to_owned()).collect();
            names.push(start.to_owned());
            return names;
        }
        if !entered.contains(&next.as_str()) {
            entered.push(next);
            path.push((next, 0));
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(graph: &[(&str, &[&str])], start: &str, expected: &[&str]) {
        let graph = graph
            .iter()
            .map(|(unit, on)| {
                let on = on.iter().map(|name| (*name).to_owned()).collect();
                ((*unit).to_owned(), on)
            })
            .collect();
        assert_eq!(cycle(start, &graph), expected);
    }

    #[test]
    fn a_circle_is_told_in_order_and_a_diamond_is_none() {
        check(
            &[("a", &["b"]), ("b", &["c"]), ("c", &["a"])],
            "a",
            &["a", "b", "c", "a"],
        );
        check(&[("a", &["a"])], "a", &["a", "a"]);
        check(
            &[("a", &["b", "c"]), ("b", &["d"]), ("c", &["d"]), ("d", &[])],
            "a",
            &[],
        );
        // A unit before a circle is not in it.
        check(&[("a", &["b"]), ("b", &["c"]), ("c", &["b"])], "a", &[]);
    }
}
