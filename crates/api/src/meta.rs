//! What every object says of itself.

use object::{Object, ObjectKey};

/// Annotations that steer Fleetwright and Flux alike.
pub mod annotation {
    /// A new value asks for a reconcile now.
    pub const RECONCILE_REQUESTED_AT: &str = "reconcile.fluxcd.io/requestedAt";
    /// The digest of a plan whose deletions a person has confirmed.
    pub const CONFIRMED_PLAN: &str = "fleetwright.dev/confirmed-plan";
}

/// Names under which fields are owned; Flux's, so that a take-over changes no owner.
pub mod field_manager {
    /// Objects of a Kustomization.
    pub const KUSTOMIZE: &str = "kustomize-controller";
    /// Status and finalizer of Kustomizations.
    pub const KUSTOMIZE_STATUS: &str = "gotk-kustomize-controller";
    /// Status and finalizer of sources.
    pub const SOURCE: &str = "source-controller";
}

/// The metadata that decisions need.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Meta {
    /// Group, kind, namespace and name.
    pub key: ObjectKey,
    /// UID given by the server.
    pub uid: String,
    /// Changes with the spec.
    pub generation: i64,
    /// Whether deletion has been asked for.
    pub deleting: bool,
    /// Whether our finalizer is on it.
    pub has_finalizer: bool,
    /// Value of the annotation that asks for a reconcile; empty when absent.
    pub requested_at: String,
    /// Digest of the plan whose deletions are confirmed; empty when absent.
    pub confirmed_plan: String,
}

impl Meta {
    /// Reads the metadata of an object.
    pub fn read(object: &Object) -> Self {
        let annotation = |key: &str| object.annotation(key).unwrap_or_default().to_owned();
        Self {
            key: object.key(),
            uid: object.uid().to_owned(),
            generation: object.generation(),
            deleting: object.is_deleting(),
            has_finalizer: object.has_finalizer(crate::FINALIZER),
            requested_at: annotation(annotation::RECONCILE_REQUESTED_AT),
            confirmed_plan: annotation(annotation::CONFIRMED_PLAN),
        }
    }

    /// Name of the object.
    pub fn name(&self) -> &str {
        &self.key.name
    }

    /// Namespace of the object.
    pub fn namespace(&self) -> &str {
        &self.key.namespace
    }
}
