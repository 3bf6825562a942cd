//! What is wrong with an admission policy itself: missing parts, expressions that do not compile.
//!
//! # Source
//! kubernetes/kubernetes `pkg/apis/admissionregistration/validation/validation.go`,
//! kubernetes/apiserver `pkg/admission/plugin/cel/compile.go`.

use expr::{Options, Program, Shape};
use object::Node;
use schema::FieldError;

use crate::policies::{MUTATING, POLICIES, list};

/// Problems of a policy that the schema of its kind does not see.
pub(crate) fn problems(storage: &str, policy: &Node) -> Vec<FieldError> {
    let mut errors = Vec::new();
    match storage {
        POLICIES => validating(&mut errors, policy),
        MUTATING => mutating(&mut errors, policy),
        _ => {}
    }
    errors
}

fn validating(errors: &mut Vec<FieldError>, policy: &Node) {
    shared(errors, policy);
    for (at, one) in list(policy, &["spec", "validations"]).iter().enumerate() {
        let place = format!("spec.validations[{at}]");
        expression(errors, one, &place, "expression", &["bool"]);
        expression(errors, one, &place, "messageExpression", &["string"]);
    }
    let annotations = list(policy, &["spec", "auditAnnotations"]);
    for (at, one) in annotations.iter().enumerate() {
        let place = format!("spec.auditAnnotations[{at}]");
        expression(errors, one, &place, "valueExpression", &["string", "null"]);
    }
}

fn mutating(errors: &mut Vec<FieldError>, policy: &Node) {
    shared(errors, policy);
    let mutations = list(policy, &["spec", "mutations"]);
    if mutations.is_empty() {
        let detail = "mutations must contain at least one item";
        errors.push(FieldError::required("spec.mutations", detail));
    }
    for (at, mutation) in mutations.iter().enumerate() {
        let place = format!("spec.mutations[{at}]");
        let kind = mutation.str_at(&["patchType"]).unwrap_or_default();
        let (part, result) = match kind {
            "ApplyConfiguration" => ("applyConfiguration", "Object"),
            "JSONPatch" => ("jsonPatch", "list(JSONPatch)"),
            "" => {
                errors.push(FieldError::required(format!("{place}.patchType"), ""));
                continue;
            }
            _ => {
                let known = ["ApplyConfiguration", "JSONPatch"];
                let place = format!("{place}.patchType");
                errors.push(FieldError::not_supported(place, kind, known));
                continue;
            }
        };
        let place = format!("{place}.{part}");
        match mutation.get(part) {
            None => {
                let detail = format!("must be specified when patchType is {kind}");
                errors.push(FieldError::required(place, detail));
            }
            Some(body) => expression(errors, body, &place, "expression", &[result]),
        }
    }
    let place = "spec.reinvocationPolicy";
    match policy.str_at(&["spec", "reinvocationPolicy"]) {
        None | Some("") => errors.push(FieldError::required(place, "")),
        Some("Never" | "IfNeeded") => {}
        Some(other) => {
            let known = ["IfNeeded", "Never"];
            errors.push(FieldError::not_supported(place, other, known));
        }
    }
}

/// What both kinds of policies have.
fn shared(errors: &mut Vec<FieldError>, policy: &Node) {
    for (at, one) in list(policy, &["spec", "variables"]).iter().enumerate() {
        expression(
            errors,
            one,
            &format!("spec.variables[{at}]"),
            "expression",
            &[],
        );
    }
    let conditions = list(policy, &["spec", "matchConditions"]);
    for (at, one) in conditions.iter().enumerate() {
        let place = format!("spec.matchConditions[{at}]");
        expression(errors, one, &place, "expression", &["bool"]);
    }
}

/// Compiles the expression at `key` and compares what it gives with what it should.
fn expression(
    errors: &mut Vec<FieldError>,
    holder: &Node,
    place: &str,
    key: &str,
    results: &[&str],
) {
    let Some(text) = holder.str_at(&[key]).filter(|text| !text.trim().is_empty()) else {
        return;
    };
    // The functions of `authorizer` are not known here.
    if text.contains("authorizer") {
        return;
    }
    let place = format!("{place}.{key}");
    let program = match Program::compile(text, &Options::dynamic()) {
        Ok(program) => program,
        Err(error) => {
            let detail = format!("compilation failed: {error}");
            errors.push(FieldError::invalid(place, text, detail));
            return;
        }
    };
    let Some(given) = scalar(program.shape()).filter(|given| !results.contains(given)) else {
        return;
    };
    let detail = match results {
        [] => return,
        [one] => format!("must evaluate to {one} but got {given}"),
        several => format!("must evaluate to one of [{}]", several.join(" ")),
    };
    errors.push(FieldError::invalid(place, text, detail));
}

/// Name of a type that is surely not another one.
fn scalar(shape: &Shape) -> Option<&'static str> {
    Some(match shape {
        Shape::Null => "null",
        Shape::Bool => "bool",
        Shape::Int => "int",
        Shape::Uint => "uint",
        Shape::Double => "double",
        Shape::String => "string",
        Shape::Bytes => "bytes",
        Shape::Duration => "duration",
        Shape::Timestamp | Shape::Date => "timestamp",
        _ => return None,
    })
}
