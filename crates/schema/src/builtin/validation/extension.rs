//! Rules of admission webhooks and policies.

use object::Node;

use super::{Errors, Fields, Rules, Seen, names, selector};
use crate::field_error::Place;

pub(super) const RULES: &[Rules] = &[
    Rules {
        of: "admissionregistration.v1.ValidatingWebhookConfiguration",
        object: webhooks,
        update: super::any_update,
        update_first: false,
    },
    Rules {
        of: "admissionregistration.v1.MutatingWebhookConfiguration",
        object: webhooks,
        update: super::any_update,
        update_first: false,
    },
    Rules {
        of: "admissionregistration.v1.ValidatingAdmissionPolicy",
        object: policy,
        update: super::any_update,
        update_first: false,
    },
    Rules {
        of: "admissionregistration.v1.ValidatingAdmissionPolicyBinding",
        object: binding,
        update: super::any_update,
        update_first: false,
    },
];

fn webhooks(errors: &mut Errors, configuration: &Node) {
    let list = Place::ROOT.child("webhooks");
    let hooks = configuration.items("webhooks");
    let mut seen = Seen::default();
    for (at, hook) in hooks.iter().enumerate() {
        let place = list.index(at);
        let name = hook.text("name");
        let name_place = place.child("name");
        match name {
            "" => errors.required(&name_place, ""),
            name => {
                errors.invalid_each(&name_place, name, names::subdomain(name));
                if name.split('.').count() < 3 {
                    let text = "should be a domain with at least three segments separated by dots";
                    errors.invalid(&name_place, name, text);
                }
            }
        }
        if seen.again(name) {
            errors.duplicate(&name_place, name);
        }
        let rules = place.child("rules");
        for (at, rule) in hook.items("rules").iter().enumerate() {
            check_rule(errors, &rules.index(at), rule);
        }
        policies(errors, &place, hook);
        let effects = hook.text("sideEffects");
        errors.required_one_of(
            &place.child("sideEffects"),
            effects,
            &["None", "NoneOnDryRun"],
        );
        let seconds = hook.number("timeoutSeconds");
        if hook.has("timeoutSeconds") && !(1..=30).contains(&seconds) {
            let text = "the timeout value must be between 1 and 30 seconds";
            errors.invalid(&place.child("timeoutSeconds"), seconds, text);
        }
        if hook.items("admissionReviewVersions").is_empty() {
            let text = "must specify one of v1, v1beta1";
            errors.required(&place.child("admissionReviewVersions"), text);
        }
        client_config(
            errors,
            &place.child("clientConfig"),
            hook.sub("clientConfig"),
        );
    }
}

fn policies(errors: &mut Errors, place: &Place<'_>, hook: &Node) {
    let failure = hook.text("failurePolicy");
    errors.optional_one_of(&place.child("failurePolicy"), failure, &["Fail", "Ignore"]);
    let matching = hook.text("matchPolicy");
    errors.optional_one_of(
        &place.child("matchPolicy"),
        matching,
        &["Equivalent", "Exact"],
    );
    for key in ["namespaceSelector", "objectSelector"] {
        selector::check(errors, &place.child(key), hook.sub(key));
    }
}

fn client_config(errors: &mut Errors, place: &Place<'_>, config: &Node) {
    match (config.has("url"), config.has("service")) {
        (true, true) | (false, false) => {
            errors.required(place, "exactly one of url or service is required");
        }
        (true, false) => {
            let url = config.text("url");
            if !url.starts_with("https://") {
                let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
                let text = format!(
                    "'https' is the only allowed URL scheme; desired format: https://host[/path]; got {scheme:?}"
                );
                errors.invalid(&place.child("url"), url, text);
            }
        }
        (false, true) => {
            let (place, service) = (place.child("service"), config.sub("service"));
            for key in ["name", "namespace"] {
                if service.text(key).is_empty() {
                    errors.required(&place.child(key), &format!("service {key} is required"));
                }
            }
            let port = service.number("port");
            if !(1..=65_535).contains(&port) {
                let text = "port is not valid: must be between 1 and 65535, inclusive";
                errors.invalid(&place.child("port"), port, text);
            }
        }
    }
}

fn check_rule(errors: &mut Errors, place: &Place<'_>, rule: &Node) {
    let operations = rule.items("operations");
    for key in ["operations", "apiGroups", "apiVersions", "resources"] {
        if rule.items(key).is_empty() {
            errors.required(&place.child(key), "");
        }
    }
    let list = place.child("operations");
    let known = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
    for (at, operation) in operations.iter().enumerate() {
        errors.one_of(
            &list.index(at),
            operation.as_str().unwrap_or_default(),
            &known,
        );
    }
    for key in ["operations", "apiGroups", "apiVersions"] {
        let all = rule
            .items(key)
            .iter()
            .any(|item| item.as_str() == Some("*"));
        if all && rule.items(key).len() > 1 {
            let text = "if '*' is present, must not specify other";
            let what = match key {
                "operations" => "operations",
                "apiGroups" => "API groups",
                _ => "API versions",
            };
            errors.invalid(&place.child(key), rule.sub(key), format!("{text} {what}"));
        }
    }
    let scope = rule.text("scope");
    errors.optional_one_of(
        &place.child("scope"),
        scope,
        &["*", "Cluster", "Namespaced"],
    );
}

fn policy(errors: &mut Errors, policy: &Node) {
    let (place, spec) = (Place::ROOT.child("spec"), policy.sub("spec"));
    let failure = spec.text("failurePolicy");
    errors.required_one_of(&place.child("failurePolicy"), failure, &["Fail", "Ignore"]);
    match spec.has("matchConstraints") {
        false => errors.required(&place.child("matchConstraints"), ""),
        true => {
            let (place, constraints) = (
                place.child("matchConstraints"),
                spec.sub("matchConstraints"),
            );
            let rules = place.child("resourceRules");
            if constraints.items("resourceRules").is_empty() {
                errors.required(&rules, "");
            }
            for (at, rule) in constraints.items("resourceRules").iter().enumerate() {
                check_rule(errors, &rules.index(at), rule);
            }
            policies(errors, &place, constraints);
        }
    }
    let list = place.child("validations");
    if spec.items("validations").is_empty() && spec.items("auditAnnotations").is_empty() {
        let text = "validations or auditAnnotations must contain at least one item";
        errors.required(&list, text);
    }
    for (at, validation) in spec.items("validations").iter().enumerate() {
        if validation.text("expression").trim().is_empty() {
            errors.required(
                &list.index(at).child("expression"),
                "expression is not specified",
            );
        }
    }
}

fn binding(errors: &mut Errors, binding: &Node) {
    let (place, spec) = (Place::ROOT.child("spec"), binding.sub("spec"));
    let name = spec.text("policyName");
    match name {
        "" => errors.required(&place.child("policyName"), ""),
        name => errors.invalid_each(&place.child("policyName"), name, names::subdomain(name)),
    }
    let list = place.child("validationActions");
    let actions = spec.items("validationActions");
    if actions.is_empty() {
        errors.required(&list, "at least one validation action is required");
    }
    let mut seen = Seen::default();
    for (at, action) in actions.iter().enumerate() {
        let known = ["Audit", "Deny", "Warn"];
        let text = action.as_str().unwrap_or_default();
        errors.one_of(&list.index(at), text, &known);
        if seen.again(text) {
            errors.duplicate(&list.index(at), text);
        }
    }
    let has = |name: &str| actions.iter().any(|action| action.as_str() == Some(name));
    if has("Deny") && has("Warn") {
        let text = "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)";
        errors.invalid(&list, spec.sub("validationActions"), text);
    }
}
