//! A component frozen: the release that would be made of what is there now.

use component::model::{Component, GROUP, Named, Reference, Schemas, TraitUse};
use component::model::{ComponentType, Owner};
use component::snapshot as frozen;
use object::{Map, Node, Object, Text};

use super::subject::{Subject, key};

/// A release that could be made.
pub(super) struct Snapshot {
    pub digest: String,
    spec: Node,
}

impl Snapshot {
    /// Freezes a component; `None` when a part of it is not there any more.
    ///
    /// Specs are taken whole as they are stored, so that no field gets lost.
    pub fn of(
        subject: &Subject<'_>,
        component: &Component,
        component_type: &Named<ComponentType>,
        workload: &str,
    ) -> Option<Self> {
        let spec = |reference: &Reference| {
            let namespace = match reference.kind.starts_with("Cluster") {
                true => "",
                false => subject.namespace(),
            };
            let key = key(&reference.kind, namespace, &reference.name);
            subject.view.objects.get(&key)?.node.get("spec").cloned()
        };
        let reference = Reference {
            kind: component_type.head.kind.clone(),
            name: component_type.head.name.clone(),
        };
        let written = subject.object.node.at(&["spec", "componentType"]);
        let listed = written.is_some_and(|own| own.as_map().is_some())
            || reference.kind.starts_with("Cluster")
            || matches!(component_type.spec.schemas, Schemas::OpenApi { .. });

        let mut out = Node::map();
        let owner = &component.owner;
        out.set(&["owner", "projectName"], owner.project.clone());
        out.set(&["owner", "componentName"], component.head.name.clone());
        let own = spec(&reference)?;
        match listed {
            true => {
                out.set(&["componentType", "kind"], reference.kind);
                out.set(&["componentType", "name"], reference.name);
                out.set(&["componentType", "spec"], own);
            }
            false => out.set(&["componentType"], own),
        }
        let mut traits: Vec<(Reference, Node)> = Vec::new();
        for own in trait_references(component_type, &component.traits) {
            if !traits.iter().any(|(known, _)| *known == own) {
                let spec = spec(&own)?;
                traits.push((own, spec));
            }
        }
        if !traits.is_empty() {
            let traits: Node = match listed {
                true => Node::list(traits.into_iter().map(|(own, spec)| {
                    Map::from_iter([
                        ("kind", Node::from(own.kind)),
                        ("name", own.name.into()),
                        ("spec", spec),
                    ])
                })),
                false => {
                    let named = traits.into_iter().map(|(own, spec)| (own.name, spec));
                    named.collect::<Map>().into()
                }
            };
            out.set(&["traits"], traits);
        }
        for field in ["parameters", "traits"] {
            let given = subject.object.node.at(&["spec", field]);
            if let Some(given) = given.filter(|given| !given.is_null()) {
                out.set(&["componentProfile", field], given.clone());
            }
        }
        let workload = key("Workload", subject.namespace(), workload);
        let workload = subject.view.objects.get(&workload)?;
        let mut workload = workload.node.get("spec").cloned().unwrap_or_default();
        workload.remove(&["owner"]);
        out.set(&["workload"], workload);
        Some(Self {
            digest: frozen::release_digest(&out),
            spec: out,
        })
    }

    /// The release itself.
    pub fn object(&self, namespace: &str, name: &str) -> Object {
        let mut node = Node::map();
        node.set(&["apiVersion"], format!("{GROUP}/v1alpha1"));
        node.set(&["kind"], "ComponentRelease");
        node.set(&["metadata", "name"], name);
        node.set(&["metadata", "namespace"], namespace);
        let annotation = &["metadata", "annotations", frozen::RELEASE_DIGEST];
        node.set(annotation, self.digest.as_str());
        node.set(&["spec"], self.spec.clone());
        Object::new(node)
    }
}

/// The traits of a type and of a component, in this order.
pub(super) fn trait_references<'a>(
    component_type: &'a Named<ComponentType>,
    own: &'a [TraitUse],
) -> impl Iterator<Item = Reference> + 'a {
    let all = component_type.spec.traits.iter().chain(own);
    all.map(|own| Reference {
        kind: match own.kind.as_str() {
            "" => "Trait".into(),
            kind => kind.into(),
        },
        name: own.name.clone(),
    })
}

/// Names for a release of a digest, the usual one first, the others for when that is taken.
pub(super) fn names(owner: &Owner, digest: &str) -> Vec<Text> {
    /// Digits that each name takes of the digest.
    const DIGITS: usize = 10;
    let starts = (0..digest.len().saturating_sub(DIGITS)).step_by(DIGITS);
    starts
        .map(|start| frozen::release_name(&owner.component, &digest[start..]).into())
        .collect()
}
