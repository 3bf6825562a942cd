//! Where the rules of roles meet the store: before a write, and after.

use object::Node;

use super::{EscalationError, GROUP, aggregate, check_escalation};
use crate::call::{Call, Target};
use crate::settle::Worklist;
use crate::{Env, Event, Refusal, State, Writer};

const CLUSTER_ROLES: &str = "clusterroles.rbac.authorization.k8s.io";

/// Refuses a role or binding that gives away more than its writer holds.
pub(crate) fn guard(
    call: &Call<'_>,
    target: &Target<'_>,
    object: &Node,
    live: Option<&Node>,
) -> Result<(), Refusal> {
    let resource = target.resource;
    if resource.group != GROUP || call.trusted {
        return Ok(());
    }
    let checked = check_escalation(&*call.state, call.user, target.namespace, object, live);
    checked.map_err(|error| match error {
        EscalationError::NotHeld(problem) => {
            Refusal::not_admitted(resource, crate::call::meta(object, "name"), &problem)
        }
        EscalationError::RoleNotFound(name) => Refusal::not_found(resource, &name),
    })
}

/// Gives collecting roles what they collect, after some role changed.
pub(crate) fn react(state: &mut State, env: &Env, worklist: &Worklist) -> Vec<Event> {
    if !worklist
        .iter()
        .any(|(resource, _)| resource == CLUSTER_ROLES)
    {
        return Vec::new();
    }
    let roles: Vec<Node> = state
        .list(CLUSTER_ROLES, None)
        .map(|(_, stored)| stored.node.clone())
        .collect();
    let mut writer = Writer::new(state, env, "clusterrole-aggregation-controller");
    for (name, rules) in aggregate(&roles) {
        let mut role = Node::map();
        role.set(&["metadata", "name"], name);
        role.set(
            &["rules"],
            if rules.is_null() {
                Node::list(Vec::<Node>::new())
            } else {
                rules
            },
        );
        // A role that went away meanwhile needs nothing.
        let _ = writer.apply(CLUSTER_ROLES, role);
    }
    writer.events().to_vec()
}
