//! Role-based access control: who may do what.
//!
//! Everything here is a function of the roles and bindings that a [`Policy`] gives out; the store
//! is one such policy, a list of objects in a test another.
//!
//! # Source
//! kubernetes/kubernetes `plugin/pkg/auth/authorizer/rbac`, `pkg/registry/rbac`.

mod bootstrap;
mod escalation;
mod hooks;
mod impersonation;
mod reviews;
mod rule;
mod user;

use object::{Node, Text};

use crate::State;

pub use bootstrap::{aggregate, bootstrap_objects};
pub use escalation::{EscalationError, check_escalation};
pub(crate) use hooks::{guard, react};
pub use impersonation::{Impersonation, ImpersonationError, impersonate};
pub(crate) use reviews::answer as review;
pub use rule::{Attributes, Rule, missing};
pub use user::{
    ANONYMOUS, AUTHENTICATED, MASTERS, UNAUTHENTICATED, User, service_account_groups,
    split_service_account,
};

/// The API group of roles and bindings.
pub const GROUP: &str = "rbac.authorization.k8s.io";

/// Where roles and bindings come from.
pub trait Policy {
    /// Every ClusterRoleBinding.
    fn cluster_role_bindings(&self) -> Vec<Node>;
    /// The RoleBindings of one namespace.
    fn role_bindings(&self, namespace: &str) -> Vec<Node>;
    /// One ClusterRole.
    fn cluster_role(&self, name: &str) -> Option<Node>;
    /// One Role.
    fn role(&self, namespace: &str, name: &str) -> Option<Node>;
}

impl Policy for State {
    fn cluster_role_bindings(&self) -> Vec<Node> {
        let bindings = self.list("clusterrolebindings.rbac.authorization.k8s.io", None);
        bindings.map(|(_, stored)| stored.node.clone()).collect()
    }

    fn role_bindings(&self, namespace: &str) -> Vec<Node> {
        let bindings = self.list("rolebindings.rbac.authorization.k8s.io", Some(namespace));
        bindings.map(|(_, stored)| stored.node.clone()).collect()
    }

    fn cluster_role(&self, name: &str) -> Option<Node> {
        let role = self.get("clusterroles.rbac.authorization.k8s.io", "", name);
        role.map(|stored| stored.node.clone())
    }

    fn role(&self, namespace: &str, name: &str) -> Option<Node> {
        let role = self.get("roles.rbac.authorization.k8s.io", namespace, name);
        role.map(|stored| stored.node.clone())
    }
}

/// The answer to "may this user do that?".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Yes, and the binding that says so; empty for members of [`MASTERS`].
    Allow(String),
    /// Nothing allows it.
    NoOpinion,
}

impl Decision {
    /// Whether it is a yes.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allow(_))
    }
}

/// Decides whether `user` may do `wanted`.
///
/// Cluster bindings are asked first, then the bindings of the namespace; a role that does not
/// exist allows nothing.
pub fn authorize(policy: &impl Policy, user: &User, wanted: &Attributes<'_>) -> Decision {
    if user.is_master() {
        return Decision::Allow(String::new());
    }
    let namespace = match wanted {
        Attributes::Resource { namespace, .. } => namespace,
        Attributes::Path { .. } => "",
    };
    let mut decision = Decision::NoOpinion;
    visit(policy, user, namespace, |grant| {
        if !grant.rules.iter().any(|rule| rule.allows(wanted)) {
            return true;
        }
        decision = Decision::Allow(format!(
            "RBAC: allowed by {} of {} to {}",
            grant.binding, grant.role, grant.subject
        ));
        false
    });
    decision
}

/// Every rule that `user` holds in `namespace`; an empty namespace means the cluster's alone.
pub fn rules_of(policy: &impl Policy, user: &User, namespace: &str) -> Vec<Rule> {
    let mut rules = Vec::new();
    visit(policy, user, namespace, |grant| {
        rules.extend(grant.rules);
        true
    });
    rules
}

/// The `status` of a SelfSubjectRulesReview for `user` in `namespace`.
pub fn rules_review(policy: &impl Policy, user: &User, namespace: &str) -> Node {
    let mut rules = rules_of(policy, user, namespace);
    if user.is_master() {
        let all = || vec![Text::from("*")];
        rules.push(Rule {
            verbs: all(),
            api_groups: all(),
            resources: all(),
            ..Rule::default()
        });
        rules.push(Rule {
            verbs: all(),
            non_resource_urls: all(),
            ..Rule::default()
        });
    }
    let (paths, resources): (Vec<Rule>, Vec<Rule>) = rules
        .into_iter()
        .partition(|rule| !rule.non_resource_urls.is_empty());
    let list = |rules: Vec<Rule>| Node::from(rules.iter().map(Rule::to_node).collect::<Vec<_>>());
    let mut status = Node::map();
    status.set(&["resourceRules"], list(resources));
    status.set(&["nonResourceRules"], list(paths));
    status.set(&["incomplete"], false);
    status
}

/// A binding that applies to the user, with the words that describe it.
struct Grant {
    binding: String,
    role: String,
    subject: String,
    rules: Vec<Rule>,
}

/// Calls `each` for every binding that names the user, until it answers false.
fn visit(policy: &impl Policy, user: &User, namespace: &str, mut each: impl FnMut(Grant) -> bool) {
    for binding in policy.cluster_role_bindings() {
        let Some(subject) = subject_of(&binding, user, "") else {
            continue;
        };
        let Some((role, rules)) = resolve(policy, &binding, "") else {
            continue;
        };
        let name = binding.str_at(&["metadata", "name"]).unwrap_or_default();
        if !each(Grant {
            binding: format!("ClusterRoleBinding {name:?}"),
            role,
            subject,
            rules,
        }) {
            return;
        }
    }
    if namespace.is_empty() {
        return;
    }
    for binding in policy.role_bindings(namespace) {
        let Some(subject) = subject_of(&binding, user, namespace) else {
            continue;
        };
        let Some((role, rules)) = resolve(policy, &binding, namespace) else {
            continue;
        };
        let name = binding.str_at(&["metadata", "name"]).unwrap_or_default();
        let binding = format!("RoleBinding \"{name}/{namespace}\"");
        if !each(Grant {
            binding,
            role,
            subject,
            rules,
        }) {
            return;
        }
    }
}

/// Description and rules of the role that a binding refers to.
fn resolve(policy: &impl Policy, binding: &Node, namespace: &str) -> Option<(String, Vec<Rule>)> {
    let name = binding.str_at(&["roleRef", "name"])?;
    let kind = binding.str_at(&["roleRef", "kind"])?;
    let role = match kind {
        "ClusterRole" => policy.cluster_role(name),
        "Role" => policy.role(namespace, name),
        _ => None,
    }?;
    Some((format!("{kind} {name:?}"), Rule::of_role(&role)))
}

/// Description of the first subject of `binding` that `user` is.
fn subject_of(binding: &Node, user: &User, namespace: &str) -> Option<String> {
    let subjects = binding.get("subjects").and_then(Node::as_list)?;
    subjects.iter().find_map(|subject| {
        let name = subject.str_at(&["name"])?;
        match subject.str_at(&["kind"])? {
            "User" => (user.name == name).then(|| format!("User {name:?}")),
            "Group" => user.in_group(name).then(|| format!("Group {name:?}")),
            "ServiceAccount" => {
                let home = match subject.str_at(&["namespace"]) {
                    None | Some("") => namespace,
                    Some(home) => home,
                };
                (!home.is_empty() && user.as_service_account() == Some((home, name)))
                    .then(|| format!("ServiceAccount \"{name}/{home}\""))
            }
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests;
