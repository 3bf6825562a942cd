//! What an Organization needs now: the namespace of its name.

use component::metadata::keys as labels;
use object::{Map, Node, Object};

use super::rendered::owner_reference;
use super::report::Report;
use super::subject::{Subject, key, namespace_key};
use super::{Action, Decision, keys};

/// The condition of an organization that goes, as upstream calls it for this kind only.
const DELETING: &str = "Deleting";

pub(super) fn next(subject: &Subject<'_>) -> Decision {
    if subject.object.is_deleting() {
        return finalize(subject);
    }
    if !subject.has_finalizer(keys::ORGANIZATION_FINALIZER) {
        return Decision::finalizer(keys::ORGANIZATION_FINALIZER, true);
    }
    let mut report = Report::new(subject);
    if let Ok((_, findings)) = subject.readable() {
        report.warn(findings);
    }
    let name = subject.name();
    let wanted = namespace(subject);
    match subject.view.objects.get(&namespace_key(name)) {
        None => return Decision::one(Action::Create(wanted)),
        Some(own) if own.is_deleting() => {
            let message = format!("waits until the old Namespace `{name}` is deleted");
            report.ready(false, "NamespaceTerminating", &message);
            return report.finish();
        }
        Some(own) if !super::rendered::is_applied(&own, &wanted) => {
            return Decision::one(Action::Apply(wanted));
        }
        Some(_) => {}
    }
    report.field("namespace", name);
    let message = format!("Namespace `{name}` is there");
    report.ready(true, "NamespaceCreated", &message);
    report.finish()
}

fn namespace(subject: &Subject<'_>) -> Object {
    let name = subject.name();
    let own = Map::from_iter([
        ("openchoreo.dev/managed-by", "openchoreo-control-plane"),
        (labels::ORGANIZATION, name),
        ("openchoreo.dev/name", name),
    ]);
    let mut node = Node::map();
    node.set(&["apiVersion"], "v1");
    node.set(&["kind"], "Namespace");
    node.set(&["metadata", "name"], name);
    node.set(&["metadata", "labels"], own);
    let owners = Node::list([owner_reference(&subject.object)]);
    node.set(&["metadata", "ownerReferences"], owners);
    Object::new(node)
}

fn finalize(subject: &Subject<'_>) -> Decision {
    if !subject.has_finalizer(keys::ORGANIZATION_FINALIZER) {
        return Decision::default();
    }
    let name = subject.name();
    let Some(namespace) = subject.view.objects.get(&namespace_key(name)) else {
        return Decision::finalizer(keys::ORGANIZATION_FINALIZER, false);
    };
    let mut report = Report::new(subject);
    let confirmed = subject.object.annotation(keys::CONFIRM_DELETION) == Some("true");
    let living = production_bindings(subject);
    if living > 0 && !confirmed && !namespace.is_deleting() {
        let message = format!(
            "{living} bindings of production environments are in Namespace `{name}`; delete them, or set annotation `{}` to `true`",
            keys::CONFIRM_DELETION
        );
        report.set(DELETING, true, "ConfirmationRequired", &message);
        report.ready(false, "ConfirmationRequired", &message);
        return report.finish();
    }
    let message = format!("waits until Namespace `{name}` is deleted");
    report.set(DELETING, true, "OrganizationFinalizing", &message);
    report.ready(false, "OrganizationFinalizing", &message);
    let mut decision = report.finish();
    if !namespace.is_deleting() {
        decision.actions.push(Action::Delete(namespace.key()));
    }
    decision
}

/// How many bindings of production environments live in the namespace.
fn production_bindings(subject: &Subject<'_>) -> usize {
    let (view, name) = (subject.view, subject.name());
    let bindings = view.catalog.bindings().filter(|binding| {
        let environment = view.catalog.environment(name, &binding.environment);
        binding.head.namespace == name && environment.is_some_and(|own| own.production)
    });
    let living = bindings.filter(|binding| {
        let key = key("ReleaseBinding", name, &binding.head.name);
        let object = view.objects.get(&key);
        object.is_some_and(|object| !object.is_deleting())
    });
    living.count()
}
