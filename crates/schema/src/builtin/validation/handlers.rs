//! Rules of probes and life cycle hooks, and of ports by number or name.

use object::Node;

use super::{Errors, Fields, names};
use crate::field_error::Place;

pub(super) fn handlers(errors: &mut Errors, place: &Place<'_>, container: &Node) {
    if container.has("lifecycle") {
        let (place, lifecycle) = (place.child("lifecycle"), container.sub("lifecycle"));
        for key in ["postStart", "preStop"] {
            if lifecycle.has(key) {
                handler(errors, &place.child(key), lifecycle.sub(key));
            }
        }
    }
    for key in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if container.has(key) {
            probe(errors, &place.child(key), container.sub(key), key);
        }
    }
}

fn probe(errors: &mut Errors, place: &Place<'_>, probe: &Node, key: &str) {
    handler(errors, place, probe);
    for key in [
        "initialDelaySeconds",
        "timeoutSeconds",
        "periodSeconds",
        "successThreshold",
        "failureThreshold",
    ] {
        errors.not_negative(&place.child(key), probe.int(key));
    }
    let grace = place.child("terminationGracePeriodSeconds");
    match probe.int("terminationGracePeriodSeconds") {
        Some(_) if key == "readinessProbe" => {
            let value = probe.number("terminationGracePeriodSeconds");
            errors.invalid(&grace, value, "must not be set for readinessProbes");
        }
        Some(seconds) if seconds <= 0 => errors.invalid(&grace, seconds, "must be greater than 0"),
        _ => {}
    }
    let successes = probe.number("successThreshold");
    if key != "readinessProbe" && successes != 1 {
        errors.invalid(&place.child("successThreshold"), successes, "must be 1");
    }
}

fn handler(errors: &mut Errors, place: &Place<'_>, handler: &Node) {
    let mut found = false;
    for key in ["exec", "httpGet", "tcpSocket", "grpc", "sleep"] {
        if !handler.has(key) {
            continue;
        }
        let (at, action) = (place.child(key), handler.sub(key));
        if found {
            errors.forbidden(&at, "may not specify more than 1 handler type");
            continue;
        }
        found = true;
        match key {
            "exec" if action.items("command").is_empty() => {
                errors.required(&at.child("command"), "")
            }
            "httpGet" => {
                if action.text("path").is_empty() {
                    errors.required(&at.child("path"), "");
                }
                port(errors, &at.child("port"), action.sub("port"));
                errors.one_of(
                    &at.child("scheme"),
                    action.text("scheme"),
                    &["HTTP", "HTTPS"],
                );
            }
            "tcpSocket" => port(errors, &at.child("port"), action.sub("port")),
            "grpc" => errors.port(&at.child("port"), action.number("port")),
            _ => {}
        }
    }
    if !found {
        errors.required(place, "must specify a handler type");
    }
}

/// A port by number or by name.
pub(super) fn port(errors: &mut Errors, place: &Place<'_>, port: &Node) {
    match port {
        Node::String(name) => errors.invalid_each(place, name, names::port_name(name)),
        other => errors.port(place, other.as_i64().unwrap_or(0)),
    }
}
