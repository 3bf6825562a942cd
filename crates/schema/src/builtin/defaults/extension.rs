//! Defaults of what extends the API: admission webhooks and policies, custom resource definitions.

use object::{Map, Node};

use super::{Rule, fill, fill_zero, has_entries, inner, text};

pub(super) const RULES: &[Rule] = &[
    ("admissionregistration.v1.ValidatingWebhook", webhook),
    ("admissionregistration.v1.MutatingWebhook", |hook| {
        webhook(hook);
        fill(hook, "reinvocationPolicy", "Never");
    }),
    ("admissionregistration.v1.Rule", |rule| {
        fill(rule, "scope", "*")
    }),
    ("admissionregistration.v1.ServiceReference", |service| {
        fill(service, "port", 443)
    }),
    (
        "admissionregistration.v1.ValidatingAdmissionPolicySpec",
        |spec| {
            fill(spec, "failurePolicy", "Fail");
        },
    ),
    (
        "admissionregistration.v1.MutatingAdmissionPolicySpec",
        |spec| {
            fill(spec, "failurePolicy", "Fail");
        },
    ),
    ("admissionregistration.v1.MatchResources", selectors),
    ("apiextensions.v1.CustomResourceDefinition", definition),
    ("apiextensions.v1.ServiceReference", |service| {
        fill(service, "port", 443)
    }),
];

fn webhook(hook: &mut Map) {
    fill(hook, "failurePolicy", "Fail");
    selectors(hook);
    fill(hook, "timeoutSeconds", 10);
}

fn selectors(owner: &mut Map) {
    fill(owner, "matchPolicy", "Equivalent");
    fill(owner, "namespaceSelector", Map::new());
    fill(owner, "objectSelector", Map::new());
}

fn definition(definition: &mut Map) {
    let spec = inner(definition, "spec");
    let names = inner(spec, "names");
    let kind = text(names, "kind").to_owned();
    fill_zero(names, "singular", kind.to_lowercase());
    if !kind.is_empty() {
        fill_zero(names, "listKind", format!("{kind}List"));
    }
    let mut conversion = Map::new();
    conversion.insert("strategy", "None");
    fill(spec, "conversion", conversion);
    let stored = spec
        .get("versions")
        .and_then(Node::as_list)
        .and_then(|versions| {
            let stored =
                |version: &&Node| version.get("storage").and_then(Node::as_bool) == Some(true);
            versions.iter().find(stored)?.get("name").cloned()
        });
    let status = inner(definition, "status");
    if let (Some(name), false) = (stored, has_entries(status, "storedVersions")) {
        status.insert("storedVersions", vec![name]);
    }
}
