//! Classes of storage and ingress: the default one, and whether a claim may grow.
//!
//! # Source
//! kubernetes/kubernetes `plugin/pkg/admission/storage/storageclass/setdefault/admission.go`,
//! `plugin/pkg/admission/network/defaultingressclass/admission.go`,
//! `plugin/pkg/admission/storage/persistentvolume/resize/admission.go`.

use std::cmp::Reverse;

use golang::Quantity;
use object::{Node, Text};

use crate::call::{Call, Target, meta};
use crate::{Refusal, State};

const STORAGE_CLASSES: &str = "storageclasses.storage.k8s.io";
const INGRESS_CLASSES: &str = "ingressclasses.networking.k8s.io";
/// Where claims named their class before they had a field for it.
const OLD_CLAIM_CLASS: &str = "volume.beta.kubernetes.io/storage-class";

/// Gives a new claim the default class of the cluster, unless it says something about classes.
pub(crate) fn for_claim(call: &Call<'_>, claim: &mut Node) {
    const DEFAULT: [&str; 2] = [
        "storageclass.kubernetes.io/is-default-class",
        "storageclass.beta.kubernetes.io/is-default-class",
    ];
    if !call.state.features().default_storage_class_admission
        || annotation(claim, OLD_CLAIM_CLASS).is_some()
        || claim.at(&["spec", "storageClassName"]).is_some()
    {
        return;
    }
    if let Some(class) = default_class(call.state, STORAGE_CLASSES, &DEFAULT) {
        claim.set(&["spec", "storageClassName"], class);
    }
}

/// Gives a new ingress the default class of the cluster, unless it says something about classes.
pub(crate) fn for_ingress(call: &Call<'_>, ingress: &mut Node) {
    const DEFAULT: [&str; 1] = ["ingressclass.kubernetes.io/is-default-class"];
    if annotation(ingress, "kubernetes.io/ingress.class").is_some()
        || ingress.at(&["spec", "ingressClassName"]).is_some()
    {
        return;
    }
    if let Some(class) = default_class(call.state, INGRESS_CLASSES, &DEFAULT) {
        ingress.set(&["spec", "ingressClassName"], class);
    }
}

/// Refuses to grow a claim whose class does not allow it.
pub(crate) fn check_growth(
    target: &Target<'_>,
    state: &State,
    claim: &Node,
    live: &Node,
) -> Result<(), Refusal> {
    let size = |claim: &Node| -> Option<Quantity> {
        let text = claim.at(&["spec", "resources", "requests", "storage"])?;
        text.as_str()?.parse().ok()
    };
    if size(claim) <= size(live) {
        return Ok(());
    }
    let class = class_of(claim);
    let grows = state
        .get(STORAGE_CLASSES, "", class)
        .and_then(|class| class.get("allowVolumeExpansion")?.as_bool());
    let problem = if live.str_at(&["status", "phase"]) != Some("Bound") {
        "Only bound persistent volume claims can be expanded"
    } else if class.is_empty() || class != class_of(live) || grows != Some(true) {
        "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize"
    } else {
        return Ok(());
    };
    let name = meta(claim, "name");
    Err(Refusal::not_admitted(target.resource, name, problem))
}

/// The newest class marked as default; of equally old ones the first by name.
fn default_class(state: &State, resource: &str, marks: &[&str]) -> Option<Text> {
    let marked = state.list(resource, None).filter(|(_, class)| {
        let is_set = |mark: &&str| annotation(class, mark) == Some("true");
        marks.iter().any(is_set)
    });
    let newest = marked.min_by_key(|(key, class)| {
        let created = Text::from(meta(class, "creationTimestamp"));
        (Reverse(created), key.name.clone())
    })?;
    Some(newest.0.name.clone())
}

fn class_of(claim: &Node) -> &str {
    annotation(claim, OLD_CLAIM_CLASS)
        .or_else(|| claim.str_at(&["spec", "storageClassName"]))
        .unwrap_or_default()
}

fn annotation<'n>(object: &'n Node, name: &str) -> Option<&'n str> {
    object.str_at(&["metadata", "annotations", name])
}
