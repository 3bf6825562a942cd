//! Nobody grants what they do not hold.

use object::Node;

use super::rule::quoted;
use super::{Attributes, GROUP, Policy, Rule, User, authorize, missing, rules_of};

/// Why a role or binding may not be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EscalationError {
    /// The writer lacks some of the rights; answered as Forbidden with this text.
    #[error("{0}")]
    NotHeld(String),
    /// The binding refers to a role that does not exist, and the writer may not bind it blindly;
    /// answered as NotFound with the role's name.
    #[error("role `{0}` does not exist")]
    RoleNotFound(String),
}

/// Checks that `user` may write `new`, a Role, ClusterRole, RoleBinding or ClusterRoleBinding.
///
/// `old` is the stored object, if there is one: writes that change no right are always fine.
/// Objects of other kinds pass. Rights count as held in `namespace` (empty for cluster objects).
///
/// # Errors
/// [`EscalationError`] when rights are missing that neither `escalate` (roles) nor `bind`
/// (bindings) makes up for.
///
/// # Source
/// kubernetes/kubernetes `pkg/registry/rbac/{role,clusterrole,rolebinding,clusterrolebinding}/policybased/storage.go`.
pub fn check_escalation(
    policy: &impl Policy,
    user: &User,
    namespace: &str,
    new: &Node,
    old: Option<&Node>,
) -> Result<(), EscalationError> {
    if user.is_master() {
        return Ok(());
    }
    let same = |key: &str| old.is_some_and(|old| old.get(key) == new.get(key));
    let kind = new.str_at(&["kind"]).unwrap_or_default();
    let name = new.str_at(&["metadata", "name"]).unwrap_or_default();
    let wanted = match kind {
        "Role" | "ClusterRole" => {
            let aggregates = new
                .get("aggregationRule")
                .is_some_and(|rule| !rule.is_null());
            if old.is_some() && same("rules") && same("aggregationRule") {
                return Ok(());
            }
            let resource = if kind == "Role" {
                "roles"
            } else {
                "clusterroles"
            };
            if may(policy, user, "escalate", resource, namespace, name) {
                return Ok(());
            }
            let mut wanted = Rule::of_role(new);
            if aggregates && !same("aggregationRule") {
                wanted.extend(everything());
            }
            wanted
        }
        "RoleBinding" | "ClusterRoleBinding" => {
            if old.is_some() && same("roleRef") && same("subjects") {
                return Ok(());
            }
            let role = new.str_at(&["roleRef", "name"]).unwrap_or_default();
            let cluster = new.str_at(&["roleRef", "kind"]) == Some("ClusterRole");
            let resource = if cluster { "clusterroles" } else { "roles" };
            if may(policy, user, "bind", resource, namespace, role) {
                return Ok(());
            }
            let found = if cluster {
                policy.cluster_role(role)
            } else {
                policy.role(namespace, role)
            };
            let found = found.ok_or_else(|| EscalationError::RoleNotFound(role.into()))?;
            Rule::of_role(&found)
        }
        _ => return Ok(()),
    };
    let missing = missing(&rules_of(policy, user, namespace), &wanted);
    if missing.is_empty() {
        return Ok(());
    }
    let missing: Vec<String> = missing.into_iter().collect();
    Err(EscalationError::NotHeld(format!(
        "user {:?} (groups={}) is attempting to grant RBAC permissions not currently held:\n{}",
        user.name.as_str(),
        quoted(&user.groups),
        missing.join("\n")
    )))
}

fn may(
    policy: &impl Policy,
    user: &User,
    verb: &str,
    resource: &str,
    namespace: &str,
    name: &str,
) -> bool {
    let wanted = Attributes::Resource {
        verb,
        group: GROUP,
        resource,
        subresource: "",
        namespace,
        name,
    };
    authorize(policy, user, &wanted).is_allowed()
}

/// The rules of `cluster-admin`, which whoever lets a role collect others' rules has to hold.
fn everything() -> [Rule; 2] {
    let all = || vec!["*".into()];
    [
        Rule {
            verbs: all(),
            api_groups: all(),
            resources: all(),
            ..Rule::default()
        },
        Rule {
            verbs: all(),
            non_resource_urls: all(),
            ..Rule::default()
        },
    ]
}
