//! Rules of pods and pod templates.

use std::collections::BTreeSet;

use object::Node;

use super::fields::labels_value;
use super::{
    Errors, Fields, Rules, Seen, container, metadata, names, scheduling, selector, volume,
};
use crate::field_error::Place;

pub(super) const RULES: &[Rules] = &[
    Rules {
        of: "core.v1.Pod",
        object: |errors, pod| {
            let name = pod.sub("metadata").text("name");
            spec(errors, &Place::ROOT.child("spec"), pod.sub("spec"), name);
        },
        update,
        update_first: false,
    },
    Rules {
        of: "core.v1.PodTemplate",
        object: |errors, template| {
            check_template(
                errors,
                &Place::ROOT.child("template"),
                template.sub("template"),
            );
        },
        update: super::any_update,
        update_first: false,
    },
];

/// Checks a pod template: labels, annotations and the pod.
pub(super) fn check_template(errors: &mut Errors, place: &Place<'_>, template: &Node) {
    let meta = template.sub("metadata");
    selector::labels(errors, &place.child("labels"), meta.sub("labels"));
    metadata::annotations(errors, &place.child("annotations"), meta.sub("annotations"));
    spec(errors, &place.child("spec"), template.sub("spec"), "");
    if !template.sub("spec").items("ephemeralContainers").is_empty() {
        let text = "ephemeral containers not allowed in pod template";
        errors.forbidden(&place.child("spec.ephemeralContainers"), text);
    }
}

/// Refuses a template whose labels `selector` does not match.
pub(super) fn check_matches(
    errors: &mut Errors,
    place: &Place<'_>,
    selector: &Node,
    template: &Node,
) {
    let labels = template.sub("metadata").sub("labels");
    if !selector::matches(selector, labels) {
        let text = "`selector` does not match template `labels`";
        errors.invalid(&place.child("metadata.labels"), labels_value(labels), text);
    }
}

/// Refuses pods that would not be restarted for ever.
pub(super) fn check_runs_always(
    errors: &mut Errors,
    place: &Place<'_>,
    template: &Node,
    kind: &str,
) {
    let spec = template.sub("spec");
    let policy = place.child("spec.restartPolicy");
    errors.one_of(&policy, spec.text("restartPolicy"), &["Always"]);
    if spec.has("activeDeadlineSeconds") {
        let text = format!("activeDeadlineSeconds in {kind} is not Supported");
        errors.forbidden(&place.child("spec.activeDeadlineSeconds"), text);
    }
}

fn spec(errors: &mut Errors, place: &Place<'_>, spec: &Node, pod_name: &str) {
    let volumes = volume::check(errors, &place.child("volumes"), spec, pod_name);
    resource_claims(errors, place, spec);
    container::check_all(errors, place, spec, &volumes);
    host_network(errors, place, spec);
    let policy = place.child("restartPolicy");
    errors.required_one_of(
        &policy,
        spec.text("restartPolicy"),
        &["Always", "OnFailure", "Never"],
    );
    let policies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
    errors.required_one_of(&place.child("dnsPolicy"), spec.text("dnsPolicy"), &policies);
    selector::labels(
        errors,
        &place.child("nodeSelector"),
        spec.sub("nodeSelector"),
    );
    security_context(
        errors,
        &place.child("securityContext"),
        spec.sub("securityContext"),
    );
    scheduling::affinity(errors, &place.child("affinity"), spec.sub("affinity"));
    dns(errors, &place.child("dnsConfig"), spec);
    for (at, gate) in spec.items("readinessGates").iter().enumerate() {
        let place = place.child("readinessGates");
        let kind = gate.text("conditionType");
        errors.invalid_each(
            &place.index(at).child("conditionType"),
            kind,
            names::qualified(kind),
        );
    }
    let mut gates = Seen::default();
    for (at, gate) in spec.items("schedulingGates").iter().enumerate() {
        let place = place.child("schedulingGates");
        let (place, name) = (place.index(at), gate.text("name"));
        errors.invalid_each(&place, name, names::qualified(name));
        if gates.again(name) {
            errors.duplicate(&place, name);
        }
    }
    scheduling::spread(errors, &place.child("topologySpreadConstraints"), spec);
    let account = spec.text("serviceAccountName");
    optional_subdomain(errors, &place.child("serviceAccountName"), account);
    optional_subdomain(errors, &place.child("nodeName"), spec.text("nodeName"));
    if let Some(seconds) = spec.int("activeDeadlineSeconds")
        && !(1..=i64::from(i32::MAX)).contains(&seconds)
    {
        let text = "must be between 1 and 2147483647, inclusive";
        errors.invalid(&place.child("activeDeadlineSeconds"), seconds, text);
    }
    for key in ["hostname", "subdomain"] {
        let name = spec.text(key);
        if !name.is_empty() {
            errors.invalid_each(&place.child(key), name, names::label(name));
        }
    }
    scheduling::tolerations(errors, &place.child("tolerations"), spec);
    for (at, alias) in spec.items("hostAliases").iter().enumerate() {
        let place = place.child("hostAliases");
        let place = place.index(at);
        errors.invalid_each(
            &place.child("ip"),
            alias.text("ip"),
            names::ip(alias.text("ip")),
        );
        for (at, name) in alias.items("hostnames").iter().enumerate() {
            let name = name.as_str().unwrap_or_default();
            let place = place.child("hostnames");
            errors.invalid_each(&place.index(at), name, names::subdomain(name));
        }
    }
    optional_subdomain(
        errors,
        &place.child("priorityClassName"),
        spec.text("priorityClassName"),
    );
    optional_subdomain(
        errors,
        &place.child("runtimeClassName"),
        spec.text("runtimeClassName"),
    );
    let preemption = spec.text("preemptionPolicy");
    let policies = ["PreemptLowerPriority", "Never"];
    errors.optional_one_of(&place.child("preemptionPolicy"), preemption, &policies);
    container::amounts(errors, &place.child("overhead"), spec.sub("overhead"));
    if spec.has("os") {
        let place = place.child("os.name");
        errors.required_one_of(&place, spec.sub("os").text("name"), &["linux", "windows"]);
    }
}

fn optional_subdomain(errors: &mut Errors, place: &Place<'_>, name: &str) {
    if !name.is_empty() {
        errors.invalid_each(place, name, names::subdomain(name));
    }
}

fn resource_claims(errors: &mut Errors, place: &Place<'_>, spec: &Node) {
    let place = place.child("resourceClaims");
    let mut seen = Seen::default();
    for (at, claim) in spec.items("resourceClaims").iter().enumerate() {
        let (place, name) = (place.index(at), claim.text("name"));
        match name {
            "" => errors.required(&place.child("name"), ""),
            name if seen.again(name) => errors.duplicate(&place.child("name"), name),
            name => errors.invalid_each(&place.child("name"), name, names::label(name)),
        }
        let (claim, template) = (
            claim.has("resourceClaimName"),
            claim.has("resourceClaimTemplateName"),
        );
        if claim == template {
            let text = match claim {
                true => {
                    "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
                }
                false => "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`",
            };
            errors.invalid(&place, &spec.items("resourceClaims")[at], text);
        }
    }
}

fn host_network(errors: &mut Errors, place: &Place<'_>, spec: &Node) {
    if !spec.flag("hostNetwork") {
        return;
    }
    for list in ["containers", "initContainers"] {
        let list_place = place.child(list);
        for (at, container) in spec.items(list).iter().enumerate() {
            let container_place = list_place.index(at);
            let ports = container_place.child("ports");
            for (at, port) in container.items("ports").iter().enumerate() {
                let host = port.number("hostPort");
                if host != 0 && host != port.number("containerPort") {
                    let text = "must match `containerPort` when `hostNetwork` is true";
                    errors.invalid(&ports.index(at).child("hostPort"), host, text);
                }
            }
        }
    }
}

fn security_context(errors: &mut Errors, place: &Place<'_>, context: &Node) {
    for key in ["fsGroup", "runAsUser", "runAsGroup"] {
        container::user_id(errors, &place.child(key), context.int(key));
    }
    let groups = place.child("supplementalGroups");
    for (at, group) in context.items("supplementalGroups").iter().enumerate() {
        container::user_id(errors, &groups.index(at), group.as_i64());
    }
    let policy = context.text("fsGroupChangePolicy");
    errors.optional_one_of(
        &place.child("fsGroupChangePolicy"),
        policy,
        &["Always", "OnRootMismatch"],
    );
    let mut seen = Seen::default();
    for (at, setting) in context.items("sysctls").iter().enumerate() {
        let (place, name) = (place.child("sysctls"), setting.text("name"));
        let place = place.index(at);
        match name {
            "" => errors.required(&place.child("name"), ""),
            name if seen.again(name) => errors.duplicate(&place.child("name"), name),
            _ => {}
        }
    }
    container::seccomp(
        errors,
        &place.child("seccompProfile"),
        context.sub("seccompProfile"),
    );
}

fn dns(errors: &mut Errors, place: &Place<'_>, spec: &Node) {
    const NAMESERVERS_MAX: usize = 3;
    const SEARCHES_MAX: usize = 32;
    let config = spec.sub("dnsConfig");
    let nameservers = config.items("nameservers");
    if spec.text("dnsPolicy") == "None" {
        if config.is_null() {
            errors.required(place, "must provide `dnsConfig` when `dnsPolicy` is None");
            return;
        }
        if nameservers.is_empty() {
            let text = "must provide at least one DNS nameserver when `dnsPolicy` is None";
            errors.required(&place.child("nameservers"), text);
            return;
        }
    }
    if nameservers.len() > NAMESERVERS_MAX {
        let text = format!("must not have more than {NAMESERVERS_MAX} nameservers");
        errors.invalid(&place.child("nameservers"), config.sub("nameservers"), text);
    }
    for (at, server) in nameservers.iter().enumerate() {
        let server = server.as_str().unwrap_or_default();
        errors.invalid_each(
            &place.child("nameservers").index(at),
            server,
            names::ip(server),
        );
    }
    let searches = config.items("searches");
    if searches.len() > SEARCHES_MAX {
        let text = format!("must not have more than {SEARCHES_MAX} search paths");
        errors.invalid(&place.child("searches"), config.sub("searches"), text);
    }
    for (at, option) in config.items("options").iter().enumerate() {
        if option.text("name").is_empty() {
            errors.required(&place.child("options").index(at), "must not be empty");
        }
    }
}

/// Fields of a pod that may change while it lives.
const UPDATABLE: &str = "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

fn update(errors: &mut Errors, new: &Node, old: &Node) {
    let place = Place::ROOT.child("spec");
    let (new, old) = (new.sub("spec"), old.sub("spec"));
    for list in ["containers", "initContainers"] {
        if new.items(list).len() != old.items(list).len() {
            let text = match list {
                "containers" => "pod updates may not add or remove containers",
                _ => "pod updates may not add or remove init containers",
            };
            errors.forbidden(&place.child(list), text);
            return;
        }
    }
    let deadline = place.child("activeDeadlineSeconds");
    match (
        new.int("activeDeadlineSeconds"),
        old.int("activeDeadlineSeconds"),
    ) {
        (Some(new), Some(old)) if new > old => {
            errors.invalid(
                &deadline,
                new,
                "must be less than or equal to previous value",
            );
            return;
        }
        (None, Some(_)) => {
            let text = "must not update from a positive integer to nil value";
            errors.invalid(&deadline, &Node::Null, text);
        }
        _ => {}
    }
    let identity = |toleration: &Node| -> Vec<String> {
        let keys = ["key", "operator", "value", "effect"];
        keys.into_iter()
            .map(|key| toleration.text(key).to_owned())
            .collect()
    };
    let kept: BTreeSet<_> = new.items("tolerations").iter().map(identity).collect();
    for toleration in old.items("tolerations") {
        if !kept.contains(&identity(toleration)) {
            let text = "existing toleration can not be modified except its tolerationSeconds";
            errors.forbidden(&place.child("tolerations"), text);
            return;
        }
    }
    let gates: BTreeSet<&str> = old
        .items("schedulingGates")
        .iter()
        .map(|gate| gate.text("name"))
        .collect();
    for gate in new.items("schedulingGates") {
        let name = gate.text("name");
        if !gates.contains(name) {
            let text = format!("only deletion is allowed, but found new scheduling gate '{name}'");
            errors.forbidden(&place.child("schedulingGates"), text);
        }
    }
    let comparable = munged(new, old);
    if comparable != *old {
        let text = format!(
            "pod updates may not change fields other than {UPDATABLE}\n{}",
            super::internal::diff(old, &comparable, "core.v1.PodSpec")
        );
        errors.forbidden(&place, text);
    }
}

/// `new` with everything that may change taken from `old`.
fn munged(new: &Node, old: &Node) -> Node {
    let mut comparable = new.clone();
    for list in ["containers", "initContainers"] {
        let items = comparable.get_mut(list).and_then(Node::as_list_mut);
        for (container, before) in items.into_iter().flatten().zip(old.items(list)) {
            restore(container, before, "image");
        }
    }
    for key in ["activeDeadlineSeconds", "tolerations", "schedulingGates"] {
        restore(&mut comparable, old, key);
    }
    let (grace, before) = (
        new.int("terminationGracePeriodSeconds"),
        old.int("terminationGracePeriodSeconds"),
    );
    if grace == Some(1) && before.is_some_and(|seconds| seconds < 0) {
        restore(&mut comparable, old, "terminationGracePeriodSeconds");
    }
    if !old.items("schedulingGates").is_empty() {
        // A gated pod may be narrowed to fewer nodes.
        let kept = old.entries("nodeSelector");
        let narrower = kept
            .iter()
            .all(|(key, value)| new.sub("nodeSelector").get(key) == Some(value));
        if narrower {
            restore(&mut comparable, old, "nodeSelector");
        }
        restore(&mut comparable, old, "affinity");
    }
    comparable
}

fn restore(node: &mut Node, from: &Node, key: &str) {
    match from.get(key) {
        Some(value) => node.set(&[key], value.clone()),
        None => {
            node.remove(&[key]);
        }
    }
}
