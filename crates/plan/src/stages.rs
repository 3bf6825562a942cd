//! What to apply, in which stages, and what left the source.

use std::collections::BTreeMap;

use diag::{Code, Explain, Reason, Retry};
use object::{GroupKind, Object, ObjectKey};
use sha2::{Digest, Sha256};

use crate::inventory::{Entry, Inventory};
use crate::order::{apply_order, sort};
use crate::{IgnoreRule, Owner};

/// What to vary about a plan.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Whose objects these are.
    pub owner: Owner,
    /// Whether objects that left the source are deleted.
    pub prune: bool,
    /// Whether an object is created again when a fixed field has to change.
    pub force: bool,
    /// Kinds that have a stage of their own before everything else.
    pub custom_kinds: Vec<GroupKind>,
    /// Fields whose live value is left alone.
    pub ignore: Vec<IgnoreRule>,
    /// Name under which the objects are owned; empty for [`MANAGER`].
    pub manager: String,
    /// Further managers whose fields are taken over, beside kubectl's; by the start of their name.
    pub override_managers: Vec<String>,
    /// Whether managers recorded under an older version of the object are moved to the version
    /// that is applied.
    ///
    /// A server refuses an apply when an old version does not know a field that a new version
    /// fills in by default.
    pub migrate_versions: bool,
}

/// Name under which the objects of a Kustomization are owned.
pub const MANAGER: &str = "kustomize-controller";

/// Most objects of one plan.
///
/// The inventory lives in the status of one object, which a server refuses above 1.5 MiB; an entry
/// takes about 100 bytes, so that a third is left for conditions and history.
pub const OBJECTS_MAX: usize = 10_000;

/// Staged intents: what to apply and what left the source.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// At most four stages, none empty.
    pub stages: Vec<Stage>,
    /// Objects of the previous inventory that the source no longer has, in deletion order.
    pub stale: Vec<Entry>,
    /// The inventory once the plan is carried out.
    pub inventory: Inventory,
}

impl Options {
    /// Name under which the objects are owned.
    pub fn manager(&self) -> &str {
        match self.manager.as_str() {
            "" => MANAGER,
            name => name,
        }
    }
}

/// Objects that are applied together.
#[derive(Clone, Debug, Default)]
pub struct Stage {
    /// In the order in which they are applied.
    pub objects: Vec<Object>,
    /// Whether they have to be established before the next stage begins.
    pub wait: bool,
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Two objects share a key.
    #[error("{key} is defined twice: {first} and {second}")]
    DuplicateKey {
        /// The key.
        key: Box<ObjectKey>,
        /// Where it came from first.
        first: String,
        /// Where it came from again.
        second: String,
    },
    /// More than [`OBJECTS_MAX`] objects.
    #[error("the build gives {0} objects, more than {OBJECTS_MAX}")]
    TooMany(usize),
    /// An object has no kind, version or name.
    #[error("an object from {origin} has no {missing}")]
    Incomplete {
        /// Where it came from.
        origin: String,
        /// The missing field.
        missing: &'static str,
    },
}

impl Explain for PlanError {
    fn code(&self) -> Code {
        match self {
            Self::DuplicateKey { .. } => Code("DuplicateObject"),
            Self::TooMany(_) => Code("TooManyObjects"),
            Self::Incomplete { .. } => Code("ObjectInvalid"),
        }
    }

    fn reason(&self) -> Reason {
        Reason("BuildFailed")
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }
}

/// Plans from all objects a unit wants and the inventory of what it has.
///
/// `desired` must come from a complete render without errors: whatever it lacks of the inventory
/// becomes stale. Stages are in this order: cluster definitions (CRDs, Namespaces, ClusterRoles),
/// classes, `custom_kinds`, everything else. Every object is in exactly one.
///
/// # Errors
/// [`PlanError`] when two objects share a key or one lacks what makes a key.
///
/// # Source
/// Flux's stages: fluxcd/pkg `ssa/manager_apply.go`, `ApplyAllStaged`.
pub fn make(
    desired: Vec<Object>,
    previous: &Inventory,
    options: &Options,
) -> Result<Plan, PlanError> {
    if desired.len() > OBJECTS_MAX {
        return Err(PlanError::TooMany(desired.len()));
    }
    let mut origins: BTreeMap<ObjectKey, String> = BTreeMap::new();
    let mut inventory = Inventory::default();
    let mut stages: [Stage; 4] = Default::default();
    stages[0].wait = true;
    stages[1].wait = true;
    for object in desired {
        let key = object.key();
        let origin = match &object.origin {
            Some(origin) => origin.to_string(),
            None => "the build".to_owned(),
        };
        let version = object.gvk().version;
        for (field, value) in [
            ("kind", &key.kind),
            ("apiVersion", &version),
            ("name", &key.name),
        ] {
            if value.is_empty() {
                return Err(PlanError::Incomplete {
                    origin,
                    missing: field,
                });
            }
        }
        if let Some(first) = origins.insert(key.clone(), origin.clone()) {
            return Err(PlanError::DuplicateKey {
                key: Box::new(key),
                first,
                second: origin,
            });
        }
        let stage = stage_of(&key, &options.custom_kinds);
        inventory.insert(Entry { key, version });
        stages[stage].objects.push(object);
    }
    let mut stale: Vec<Entry> = previous
        .entries()
        .filter(|entry| !inventory.contains(&entry.key))
        .collect();
    stale.sort_by(|a, b| apply_order(&b.key, &a.key));
    for stage in &mut stages {
        sort(&mut stage.objects);
    }
    Ok(Plan {
        stages: stages
            .into_iter()
            .filter(|stage| !stage.objects.is_empty())
            .collect(),
        stale,
        inventory,
    })
}

impl Plan {
    /// Every object to apply, in order.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        self.stages.iter().flat_map(|stage| &stage.objects)
    }

    /// `sha256:HEX` over what is applied and what is stale; equal plans have equal digests.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for object in self.objects() {
            hash.update(object::json::to_string(&object.node));
            hash.update([0]);
        }
        for entry in &self.stale {
            hash.update(format!("-{}.{}", entry.key, entry.key.group));
            hash.update([0]);
        }
        sha256_text(&hash.finalize())
    }
}

/// `sha256:` and the bytes in hexadecimal.
pub(crate) fn sha256_text(bytes: &[u8]) -> String {
    let mut text = String::from("sha256:");
    for byte in bytes {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

fn stage_of(key: &ObjectKey, custom_kinds: &[GroupKind]) -> usize {
    match key.kind.as_str() {
        "CustomResourceDefinition" | "Namespace" => 0,
        "ClusterRole" if key.group == "rbac.authorization.k8s.io" => 0,
        kind if kind.ends_with("Class") => 1,
        _ if custom_kinds.contains(&key.group_kind()) => 2,
        _ => 3,
    }
}
