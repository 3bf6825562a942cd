//! Names and conditions of definitions: who gets which names, and what the status says of it.
//!
//! # Source
//! kubernetes/apiextensions-apiserver `pkg/controller/{status,establish,apiapproval}/`.

use std::collections::BTreeSet;

use object::Node;

use super::crd::{approval_told, protected, texts};

/// The status of a definition once its names have been compared with those of all `others`:
/// accepted names and the conditions NamesAccepted and Established, for groups of Kubernetes itself
/// also KubernetesAPIApprovalPolicyConformant. `now` is the transition time
/// of conditions that change, in RFC 3339.
pub fn settle(crd: &Node, others: &[&Node], now: &str) -> Node {
    let group = crd.str_at(&["spec", "group"]);
    let mut resources = BTreeSet::new();
    let mut kinds = BTreeSet::new();
    let name = crd.str_at(&["metadata", "name"]);
    for other in others {
        let same_group = other.str_at(&["spec", "group"]) == group;
        if !same_group || other.str_at(&["metadata", "name"]) == name {
            continue;
        }
        let accepted = other
            .at(&["status", "acceptedNames"])
            .unwrap_or(&Node::Null);
        let single = ["plural", "singular"]
            .into_iter()
            .filter_map(|key| accepted.str_at(&[key]));
        resources.extend(single.chain(texts(accepted, "shortNames")));
        kinds.extend(
            ["kind", "listKind"]
                .into_iter()
                .filter_map(|key| accepted.str_at(&[key])),
        );
    }
    resources.remove("");
    kinds.remove("");

    let wanted = crd.at(&["spec", "names"]).unwrap_or(&Node::Null);
    let mut accepted = crd
        .at(&["status", "acceptedNames"])
        .cloned()
        .unwrap_or_else(Node::map);
    let mut conflict: Option<(&str, String)> = None;
    for (key, taken, reason) in [
        ("plural", &resources, "PluralConflict"),
        ("singular", &resources, "SingularConflict"),
        ("shortNames", &resources, "ShortNamesConflict"),
        ("kind", &kinds, "KindConflict"),
        ("listKind", &kinds, "ListKindConflict"),
    ] {
        if key == "shortNames" {
            let own = texts(&accepted, key);
            let used: Vec<String> = texts(wanted, key)
                .into_iter()
                .filter(|name| taken.contains(name) && !own.contains(name))
                .map(in_use)
                .collect();
            match used.as_slice() {
                [] => copy_or_remove(wanted, &mut accepted, key),
                [one] => conflict = Some((reason, one.clone())),
                many => conflict = Some((reason, format!("[{}]", many.join(", ")))),
            }
            continue;
        }
        let name = wanted.str_at(&[key]).unwrap_or_default();
        let own = accepted.str_at(&[key]).unwrap_or_default();
        if taken.contains(name) && own != name {
            conflict = Some((reason, in_use(name)));
        } else {
            copy_or_remove(wanted, &mut accepted, key);
        }
    }
    copy_or_remove(wanted, &mut accepted, "categories");
    for key in ["kind", "plural"] {
        if accepted.get(key).is_none() {
            accepted.set(&[key], "");
        }
    }

    let mut status = crd.get("status").cloned().unwrap_or_else(Node::map);
    status.set(&["acceptedNames"], accepted);
    if protected(crd) {
        let (state, reason, message) = approval_told(crd);
        let told = (state, reason, message.as_str());
        set_condition(
            &mut status,
            "KubernetesAPIApprovalPolicyConformant",
            told,
            now,
        );
    }
    let established = condition(crd, "Established") == Some("True");
    match conflict {
        Some((reason, message)) => {
            set_condition(
                &mut status,
                "NamesAccepted",
                ("False", reason, &message),
                now,
            );
            if !established {
                let told = ("False", "NotAccepted", "not all names are accepted");
                set_condition(&mut status, "Established", told, now);
            }
        }
        None => {
            let told = ("True", "NoConflicts", "no conflicts found");
            set_condition(&mut status, "NamesAccepted", told, now);
            let told = (
                "True",
                "InitialNamesAccepted",
                "the initial names have been accepted",
            );
            set_condition(&mut status, "Established", told, now);
        }
    }
    status
}

/// Sets the condition Terminating while instances are deleted, and when none are left.
pub fn terminating(status: &mut Node, finished: bool, now: &str) {
    let told = match finished {
        false => (
            "True",
            "InstanceDeletionInProgress",
            "CustomResource deletion is in progress",
        ),
        true => (
            "False",
            "InstanceDeletionCompleted",
            "removed all instances",
        ),
    };
    set_condition(status, "Terminating", told, now);
}

/// The status (`True`, `False`) of a condition of a definition.
pub fn condition<'a>(crd: &'a Node, name: &str) -> Option<&'a str> {
    let conditions = crd.at(&["status", "conditions"])?.as_list()?;
    let own = conditions
        .iter()
        .find(|own| own.str_at(&["type"]) == Some(name))?;
    own.str_at(&["status"])
}

fn set_condition(status: &mut Node, name: &str, told: (&str, &str, &str), now: &str) {
    let (state, reason, message) = told;
    let mut conditions = status
        .get("conditions")
        .cloned()
        .unwrap_or_else(|| Node::list([Node::Null; 0]));
    let Some(list) = conditions.as_list_mut() else {
        return;
    };
    let at = list
        .iter()
        .position(|own| own.str_at(&["type"]) == Some(name));
    let since = at
        .filter(|at| list[*at].str_at(&["status"]) == Some(state))
        .and_then(|at| list[at].str_at(&["lastTransitionTime"]).map(str::to_owned));
    let mut told = Node::map();
    told.set(
        &["lastTransitionTime"],
        since.unwrap_or_else(|| now.to_owned()),
    );
    told.set(&["message"], message);
    told.set(&["reason"], reason);
    told.set(&["status"], state);
    told.set(&["type"], name);
    match at {
        Some(at) => list[at] = told,
        None => list.push(told),
    }
    status.set(&["conditions"], conditions);
}

fn in_use(name: &str) -> String {
    format!("{} is already in use", crate::field_error::quote(name))
}

fn copy_or_remove(from: &Node, to: &mut Node, key: &str) {
    match from.get(key) {
        Some(value) => to.set(&[key], value.clone()),
        None => drop(to.remove(&[key])),
    }
}
