//! Structural schemas: what custom resources must look like, and what the server does to them.
//!
//! A request walks an object through [`Structural::prune`], [`Structural::drop_nulls`],
//! [`Structural::default`] and [`Structural::validate`], in this order. A [`Structural`] is built
//! once per version of a definition and shared by all requests; patterns and rules are compiled in it.
//!
//! # Invariants
//!
//! - **Texts are interface.** Errors read as kube-apiserver's do.
//! - **Bounded.** Schemas deeper than [`SCHEMA_DEPTH_MAX`] are refused; objects are walked no deeper
//!   than their schema; rules share one budget per object.
//! - **Nothing is copied to find it clean.** Pruning and defaulting copy only what they change.

pub mod columns;
mod conditions;
pub mod crd;
mod definition;
mod field_path;
mod formats;
mod internal;
pub mod jsonpath;
mod lists;
mod merging;
mod metadata;
mod node;
mod openapi;
mod prune;
mod rules;
mod shapes;
mod values;

use std::sync::Arc;

use merge::schema::ObjectType;
use object::Node;

pub use jsonpath::JsonPath;
pub use node::SCHEMA_DEPTH_MAX;

use crate::field_error::{FieldError, FieldErrorKind, FieldValue, Place};
use definition::Definition;
use node::Level;

/// A compiled schema of one version of a custom resource. Cloning copies a pointer.
#[derive(Clone, Debug)]
pub struct Structural {
    root: Arc<Level>,
    object_type: Arc<ObjectType>,
}

/// What validation found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validation {
    /// Why the object is refused.
    pub errors: Vec<FieldError>,
    /// Rules that the object did not meet before either; shown as warnings.
    pub warnings: Vec<FieldError>,
}

impl Structural {
    /// Compiles the schema under `openAPIV3Schema`, checking it first.
    ///
    /// # Errors
    /// Everything wrong with it, at paths from `openAPIV3Schema`.
    pub fn compile(schema: &Node) -> Result<Self, Vec<FieldError>> {
        let errors = definition::errors(&Definition {
            raw: schema,
            path: "openAPIV3Schema",
            status_subresource: false,
            costs_limited: true,
        });
        if !errors.is_empty() {
            return Err(errors);
        }
        Self::compile_stored(schema).ok_or_else(|| {
            let detail = format!("nested deeper than {SCHEMA_DEPTH_MAX} levels");
            vec![FieldError::invalid("openAPIV3Schema", "", detail)]
        })
    }

    /// Compiles the schema of a definition that was accepted, without checking it again.
    ///
    /// `None` when it is nested deeper than [`SCHEMA_DEPTH_MAX`].
    pub fn compile_stored(schema: &Node) -> Option<Self> {
        let mut root = Level::read(schema)?;
        rules::compile(&mut root, true);
        Some(Self {
            object_type: merging::shared(&root),
            root: Arc::new(root),
        })
    }

    /// Drops fields the schema does not know; their paths, sorted: `spec.items[0].typo`.
    ///
    /// Fields of metadata are not looked at, except of embedded objects.
    pub fn prune(&self, object: &mut Node) -> Vec<String> {
        prune::prune(&self.root, object, true)
    }

    /// Drops nulls of fields that do not allow them and have no default.
    pub fn drop_nulls(&self, object: &mut Node) {
        prune::drop_nulls(&self.root, object);
    }

    /// Fills in defaults.
    pub fn default(&self, object: &mut Node) {
        prune::default(&self.root, object);
    }

    /// Embedded objects whose metadata cannot be read; the request is malformed (400) then.
    pub fn malformed(&self, object: &Node) -> Vec<FieldError> {
        metadata::malformed(&self.root, object, Place::ROOT, false)
    }

    /// Checks an object, on update against what it was.
    ///
    /// Parts that an update leaves as they were are not held against it. Rules are evaluated only
    /// when nothing else is wrong; metadata of the object itself is the caller's business.
    pub fn validate(&self, object: &Node, old: Option<&Node>) -> Validation {
        let root = &self.root;
        let mut errors = values::validate(root, object, old);
        errors.extend(metadata::validate(root, object, Place::ROOT, false));
        let repeated = lists::duplicates(root, object, Place::ROOT);
        let before = |old| !lists::duplicates(root, old, Place::ROOT).is_empty();
        if !repeated.is_empty() && !old.is_some_and(before) {
            errors.extend(repeated);
        }
        let mut warnings = Vec::new();
        if root.has_rules {
            let blocking = errors.iter().any(|error| {
                matches!(
                    error.kind,
                    FieldErrorKind::NotSupported
                        | FieldErrorKind::Required
                        | FieldErrorKind::TooLong
                        | FieldErrorKind::TooMany
                        | FieldErrorKind::TypeInvalid
                )
            });
            if blocking {
                errors.push(FieldError::invalid(
                    Place::ROOT,
                    FieldValue::Bare("null".into()),
                    "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
                ));
            } else {
                let outcome = rules::evaluate(root, object, old);
                errors.extend(outcome.errors);
                warnings = outcome.warnings;
            }
        }
        Validation { errors, warnings }
    }

    /// The type by which server-side apply merges objects of this schema.
    pub fn object_type(&self) -> &Arc<ObjectType> {
        &self.object_type
    }
}
