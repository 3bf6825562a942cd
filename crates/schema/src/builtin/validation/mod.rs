//! Rules of built-in kinds: which objects are refused, and in which words.
//!
//! Objects come in canonical form with their defaults filled in. Rules are functions per kind,
//! listed per area in the modules below; the order of errors is the API server's. What needs other
//! objects or the cluster's configuration (quota, address ranges, taken node ports) is not here.
//!
//! # Source
//! kubernetes/kubernetes `pkg/apis/*/validation/validation.go` and kubernetes/apimachinery
//! `pkg/api/validation/objectmeta.go` at v1.36.3.

use std::sync::LazyLock;

use object::Node;

use super::kinds::{Kind, kinds};
use super::types::{StructId, types};
use crate::FieldError;
use crate::field_error::Place;

mod autoscaling;
mod config;
mod container;
mod cron;
mod environment;
mod extension;
mod fields;
mod handlers;
mod internal;
mod jobs;
mod metadata;
mod names;
mod network;
mod pod;
mod quota;
mod rbac;
mod scheduling;
mod selector;
mod service;
mod storage;
mod volume;
mod workloads;

use fields::{Errors, Fields, Seen};

/// The rules of one kind.
struct Rules {
    /// Its Go struct.
    of: &'static str,
    /// What holds for every object, beside metadata.
    object: fn(&mut Errors, &Node),
    /// What holds between an object and what it replaces.
    update: fn(&mut Errors, &Node, &Node),
    /// Whether `update` speaks before `object`.
    update_first: bool,
}

const RULES: [&[Rules]; 10] = [
    pod::RULES,
    workloads::RULES,
    jobs::RULES,
    service::RULES,
    config::RULES,
    quota::RULES,
    storage::RULES,
    network::RULES,
    autoscaling::RULES,
    rbac::RULES,
];
const MORE_RULES: [&[Rules]; 2] = [scheduling::RULES, extension::RULES];

/// What is wrong with `node`, a new object of type `ty`; empty when nothing is.
pub fn validate(ty: StructId, node: &Node) -> Vec<FieldError> {
    let mut errors = Errors::default();
    if let Some(kind) = kind_of(ty) {
        metadata::check(&mut errors, kind, node);
    }
    if let Some(rules) = rules_of(ty) {
        (rules.object)(&mut errors, node);
    }
    errors.into_list()
}

/// What is wrong with replacing `old` by `new`, both of type `ty`; includes what [`validate`] finds
/// wrong with `new`, except what `old` cannot have changed.
///
/// `new` has got everything from `old` that a request cannot set: the resource version, the uid,
/// the creation time and the status (or, on the status endpoint, everything else).
pub fn validate_update(ty: StructId, new: &Node, old: &Node) -> Vec<FieldError> {
    let mut errors = Errors::default();
    metadata::check_update(&mut errors, new, old);
    metadata::unqualified_finalizers(&mut errors, new);
    if let Some(rules) = rules_of(ty) {
        if rules.update_first {
            (rules.update)(&mut errors, new, old);
        }
        (rules.object)(&mut errors, new);
        if !rules.update_first {
            (rules.update)(&mut errors, new, old);
        }
    }
    errors.into_list()
}

/// What is wrong with the metadata of an object of any kind, custom resources included.
pub fn validate_metadata(namespaced: bool, rule: super::NameRule, node: &Node) -> Vec<FieldError> {
    let mut errors = Errors::default();
    metadata::check_parts(&mut errors, namespaced, rule, node);
    errors.into_list()
}

/// What is wrong with replacing the metadata of `old` by that of `new`, for any kind.
pub fn validate_metadata_update(new: &Node, old: &Node) -> Vec<FieldError> {
    let mut errors = Errors::default();
    metadata::check_update(&mut errors, new, old);
    errors.into_list()
}

/// `node`, a struct called `of`, with Go names and zero values, as Go writes types without JSON names.
pub(crate) fn go_form(node: &Node, of: &str) -> Node {
    internal::form(node, of)
}

fn rules_of(ty: StructId) -> Option<&'static Rules> {
    static INDEX: LazyLock<Vec<Option<&'static Rules>>> = LazyLock::new(|| {
        let find = |name: &str| {
            let all = RULES.iter().chain(MORE_RULES.iter());
            all.copied().flatten().find(|rules| rules.of == name)
        };
        types().iter().map(|(_, ty)| find(ty.name)).collect()
    });
    INDEX[ty.index()]
}

fn kind_of(ty: StructId) -> Option<&'static Kind> {
    static INDEX: LazyLock<Vec<Option<&'static Kind>>> = LazyLock::new(|| {
        let mut index = vec![None; types().iter().count()];
        for kind in kinds() {
            index[kind.struct_id().index()] = Some(kind);
        }
        index
    });
    INDEX[ty.index()]
}

/// No rule between an object and what it replaces.
fn any_update(_: &mut Errors, _: &Node, _: &Node) {}

/// `field is immutable` when `key` below `place` differs.
fn immutable(errors: &mut Errors, place: &Place<'_>, key: &str, new: &Node, old: &Node) {
    if new.sub(key) != old.sub(key) {
        errors.invalid(&place.child(key), new.sub(key), "field is immutable");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_names_a_struct_of_the_table() {
        let all = RULES.iter().chain(MORE_RULES.iter());
        for rules in all.copied().flatten() {
            assert!(types().by_name(rules.of).is_some(), "{}", rules.of);
        }
    }
}
