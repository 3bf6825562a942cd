//! Rules of roles and bindings.

use object::Node;

use super::internal::{self, Member};
use super::{Errors, Fields, Rules, names, selector};
use crate::field_error::Place;

pub(super) const RULES: &[Rules] = &[
    Rules {
        of: "rbac.v1.Role",
        object: role,
        update: super::any_update,
        update_first: false,
    },
    Rules {
        of: "rbac.v1.ClusterRole",
        object: cluster_role,
        update: super::any_update,
        update_first: false,
    },
    Rules {
        of: "rbac.v1.RoleBinding",
        object: role_binding,
        update: binding_update,
        update_first: false,
    },
    Rules {
        of: "rbac.v1.ClusterRoleBinding",
        object: cluster_role_binding,
        update: binding_update,
        update_first: false,
    },
];

const GROUP: &str = "rbac.authorization.k8s.io";

fn role(errors: &mut Errors, role: &Node) {
    rules(errors, role, true);
}

fn cluster_role(errors: &mut Errors, role: &Node) {
    rules(errors, role, false);
    let selectors = role.sub("aggregationRule");
    if selectors.is_null() {
        return;
    }
    let list = Place::ROOT.child("aggregationRule.clusterRoleSelectors");
    let selectors = selectors.items("clusterRoleSelectors");
    if selectors.is_empty() {
        errors.required(
            &list,
            "at least one clusterRoleSelector required if aggregationRule is non-nil",
        );
    }
    for (at, item) in selectors.iter().enumerate() {
        selector::check(errors, &list.index(at), item);
    }
}

fn rules(errors: &mut Errors, role: &Node, namespaced: bool) {
    let list = Place::ROOT.child("rules");
    for (at, rule) in role.items("rules").iter().enumerate() {
        let place = list.index(at);
        let count = |key| rule.items(key).len();
        if count("verbs") == 0 {
            errors.required(
                &place.child("verbs"),
                "verbs must contain at least one value",
            );
        }
        if count("nonResourceURLs") > 0 {
            let shown = rule.sub("nonResourceURLs");
            let place = place.child("nonResourceURLs");
            if namespaced {
                let text = "namespaced rules cannot apply to non-resource URLs";
                errors.invalid(&place, shown, text);
            }
            if count("apiGroups") + count("resources") + count("resourceNames") > 0 {
                let text = "rules cannot apply to both regular resources and non-resource URLs";
                errors.invalid(&place, shown, text);
            }
            continue;
        }
        if count("apiGroups") == 0 {
            let text = "resource rules must supply at least one api group";
            errors.required(&place.child("apiGroups"), text);
        }
        if count("resources") == 0 {
            let text = "resource rules must supply at least one resource";
            errors.required(&place.child("resources"), text);
        }
    }
}

fn role_binding(errors: &mut Errors, binding: &Node) {
    check_binding(errors, binding, &["Role", "ClusterRole"], true);
}

fn cluster_role_binding(errors: &mut Errors, binding: &Node) {
    check_binding(errors, binding, &["ClusterRole"], false);
}

fn check_binding(errors: &mut Errors, binding: &Node, kinds: &[&str], namespaced: bool) {
    let (place, role) = (Place::ROOT.child("roleRef"), binding.sub("roleRef"));
    errors.one_of(&place.child("apiGroup"), role.text("apiGroup"), &[GROUP]);
    errors.one_of(&place.child("kind"), role.text("kind"), kinds);
    match role.text("name") {
        "" => errors.required(&place.child("name"), ""),
        name => errors.invalid_each(&place.child("name"), name, names::path_segment(name)),
    }
    let list = Place::ROOT.child("subjects");
    for (at, subject) in binding.items("subjects").iter().enumerate() {
        let place = list.index(at);
        let name = subject.text("name");
        if name.is_empty() {
            errors.required(&place.child("name"), "");
        }
        let group = subject.text("apiGroup");
        match subject.text("kind") {
            "ServiceAccount" => {
                if !name.is_empty() {
                    errors.invalid_each(&place.child("name"), name, names::subdomain(name));
                }
                errors.one_of(&place.child("apiGroup"), group, &[""]);
                if !namespaced && subject.text("namespace").is_empty() {
                    errors.required(&place.child("namespace"), "");
                }
            }
            "User" | "Group" => errors.one_of(&place.child("apiGroup"), group, &[GROUP]),
            other => {
                let kinds = ["ServiceAccount", "User", "Group"];
                errors.one_of(&place.child("kind"), other, &kinds);
            }
        }
    }
}

const ROLE_REF: &[Member] = &[
    ("APIGroup", "apiGroup", "\"\""),
    ("Kind", "kind", "\"\""),
    ("Name", "name", "\"\""),
];

fn binding_update(errors: &mut Errors, new: &Node, old: &Node) {
    if new.sub("roleRef") != old.sub("roleRef") {
        let shown = internal::structure(new.sub("roleRef"), ROLE_REF);
        errors.invalid(
            &Place::ROOT.child("roleRef"),
            shown,
            "cannot change roleRef",
        );
    }
}
