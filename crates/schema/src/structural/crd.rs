//! CustomResourceDefinitions: what they default to, whether they are valid, whose names they get.
//!
//! Everything here is a function of definitions; the caller stores them and tells the time.
//!
//! # Source
//! kubernetes/apiextensions-apiserver `pkg/apis/apiextensions/validation/validation.go`,
//! `pkg/apis/apiextensions/v1/defaults.go`.

use std::collections::BTreeSet;

use object::{Node, names};

pub use super::conditions::{condition, settle, terminating};
use super::definition::{self, Definition};
use super::node::Level;
use super::{field_path, internal};
use crate::field_error::{FieldError, FieldValue};

/// Most fields of a version that lists can be narrowed by.
pub const SELECTABLE_FIELDS_MAX: usize = 8;

/// Fills in what a definition may leave out: names, conversion, stored versions.
pub fn default(crd: &mut Node) {
    let kind = crd
        .str_at(&["spec", "names", "kind"])
        .unwrap_or_default()
        .to_owned();
    let missing = |crd: &Node, keys: &[&str]| crd.str_at(keys).unwrap_or_default().is_empty();
    if !kind.is_empty() {
        let singular = ["spec", "names", "singular"];
        if missing(crd, &singular) {
            crd.set(&singular, kind.to_lowercase());
        }
        let list = ["spec", "names", "listKind"];
        if missing(crd, &list) {
            crd.set(&list, format!("{kind}List"));
        }
    }
    if missing(crd, &["spec", "conversion", "strategy"]) {
        crd.set(&["spec", "conversion", "strategy"], "None");
    }
    let service = ["spec", "conversion", "webhook", "clientConfig", "service"];
    if let Some(service) = crd.at_mut(&service)
        && service.as_map().is_some()
        && service.get("port").is_none_or(Node::is_null)
    {
        service.set(&["port"], 443i64);
    }
}

/// Adds the storage version to `status.storedVersions`, as every write of a definition does.
pub fn record_storage_version(crd: &mut Node) {
    let Some(storage) = versions(crd)
        .iter()
        .find(|version| flag(version, "storage"))
        .and_then(|version| version.str_at(&["name"]))
        .map(str::to_owned)
    else {
        return;
    };
    let mut stored = stored_versions(crd);
    if !stored.contains(&storage) {
        stored.push(storage);
        crd.set(&["status", "storedVersions"], Node::list(stored));
    }
}

/// Everything wrong with a new definition, after [`default`] and [`record_storage_version`].
pub fn validate(crd: &Node) -> Vec<FieldError> {
    let mut errors = name_errors(crd);
    errors.extend(spec_errors(crd, None));
    errors.extend(status_errors(crd));
    errors.extend(approval_errors(crd, None));
    errors.extend(preserving_errors(crd, None));
    errors
}

/// Everything wrong with a changed definition.
pub fn validate_update(crd: &Node, old: &Node) -> Vec<FieldError> {
    let mut errors = spec_errors(crd, Some(old));
    let established = condition(old, "Established") == Some("True");
    let fixed: [(&[&str], bool); 4] = [
        (&["spec", "scope"], established),
        (&["spec", "names", "kind"], established),
        (&["spec", "group"], true),
        (&["spec", "names", "plural"], true),
    ];
    for (keys, applies) in fixed {
        let (new, old) = (crd.str_at(keys), old.str_at(keys));
        if applies && new != old {
            let shown = new.unwrap_or_default();
            errors.push(FieldError::invalid(
                keys.join("."),
                shown,
                "field is immutable",
            ));
        }
    }
    errors.extend(status_errors(crd));
    errors.extend(approval_errors(crd, Some(old)));
    errors.extend(preserving_errors(crd, Some(old)));
    errors
}

/// What a definition that was accepted should be warned about: `unrecognized format "x"`.
pub fn warnings(crd: &Node) -> Vec<String> {
    let mut found = Vec::new();
    for version in versions(crd) {
        let schema = version.at(&["schema", "openAPIV3Schema"]);
        if let Some(level) = schema.and_then(Level::read) {
            definition::unrecognised_formats(&level, &mut found);
        }
    }
    found.sort_unstable();
    found.dedup();
    let quoted = found.iter().map(|name| crate::field_error::quote(name));
    quoted
        .map(|name| format!("unrecognized format {name}"))
        .collect()
}

fn versions(crd: &Node) -> &[Node] {
    crd.at(&["spec", "versions"])
        .and_then(Node::as_list)
        .unwrap_or_default()
}

fn flag(node: &Node, key: &str) -> bool {
    node.get(key).and_then(Node::as_bool).unwrap_or(false)
}

pub(super) fn texts<'a>(node: &'a Node, key: &str) -> Vec<&'a str> {
    let list = node.get(key).and_then(Node::as_list).unwrap_or_default();
    list.iter().filter_map(Node::as_str).collect()
}

fn stored_versions(crd: &Node) -> Vec<String> {
    let status = crd.get("status").unwrap_or(&Node::Null);
    texts(status, "storedVersions")
        .into_iter()
        .map(str::to_owned)
        .collect()
}

/// Which of the fields a version may have for itself are the same in all versions; the server
/// keeps those once, and names them so in errors.
fn shared(versions: &[Node]) -> Vec<&'static str> {
    let same = |key: &str| {
        let first = versions.first().and_then(|version| version.get(key));
        let first = first.filter(|value| !value.is_null());
        first.is_some() && versions.iter().all(|version| version.get(key) == first)
    };
    [
        "schema",
        "subresources",
        "additionalPrinterColumns",
        "selectableFields",
    ]
    .into_iter()
    .filter(|key| same(key))
    .collect()
}

fn name_errors(crd: &Node) -> Vec<FieldError> {
    let name = crd.str_at(&["metadata", "name"]).unwrap_or_default();
    let plural = crd.str_at(&["spec", "names", "plural"]).unwrap_or_default();
    let group = crd.str_at(&["spec", "group"]).unwrap_or_default();
    if name.is_empty() {
        return vec![FieldError::required(
            "metadata.name",
            "name or generateName is required",
        )];
    }
    let mut details = names::subdomain(name);
    if name != format!("{plural}.{group}") {
        details.push("must be spec.names.plural+\".\"+spec.group".into());
    }
    let error = |detail| FieldError::invalid("metadata.name", name, detail);
    details.into_iter().map(error).collect()
}

/// With `old`, rules of schemas that did not change are not held to their cost again.
fn spec_errors(crd: &Node, old: Option<&Node>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let none = Node::Null;
    let spec = crd.get("spec").unwrap_or(&none);
    let group = spec.str_at(&["group"]).unwrap_or_default();
    let wrong = names::subdomain(group);
    if group.is_empty() {
        errors.push(FieldError::required("spec.group", ""));
    } else if !wrong.is_empty() {
        errors.push(FieldError::invalid("spec.group", group, wrong.join(",")));
    } else if !group.contains('.') {
        let detail = "should be a domain with at least one dot";
        errors.push(FieldError::invalid("spec.group", group, detail));
    }
    match spec.str_at(&["scope"]).unwrap_or_default() {
        "" => errors.push(FieldError::required("spec.scope", "")),
        "Cluster" | "Namespaced" => {}
        other => {
            let known = ["Cluster", "Namespaced"];
            errors.push(FieldError::not_supported("spec.scope", other, known));
        }
    }
    let versions = versions(crd);
    let shared = shared(versions);
    let schema_of = |version: &'_ Node| version.at(&["schema", "openAPIV3Schema"]).is_some();
    if !shared.contains(&"schema") || !versions.iter().all(schema_of) {
        for (index, version) in versions.iter().enumerate() {
            if !schema_of(version) {
                let path = format!("spec.versions[{index}].schema.openAPIV3Schema");
                errors.push(FieldError::required(path, ""));
            }
        }
    }
    let unchanged = |version: &Node| {
        let name = version.str_at(&["name"]);
        old.is_some_and(|old| {
            let same = self::versions(old)
                .iter()
                .find(|own| own.str_at(&["name"]) == name);
            same.is_some_and(|same| same.get("schema") == version.get("schema"))
        })
    };
    let status = |version: &Node| version.at(&["subresources", "status"]).is_some();
    for (index, version) in versions.iter().enumerate() {
        let path = format!("spec.versions[{index}]");
        let name = version.str_at(&["name"]).unwrap_or_default();
        let wrong = names::label_1035(name);
        if !wrong.is_empty() {
            errors.push(FieldError::invalid(
                format!("{path}.name"),
                name,
                wrong.join(","),
            ));
        }
        errors.extend(deprecation_errors(version, &path));
        let unchanged = unchanged(version);
        parts(
            version,
            &path,
            &shared,
            false,
            status(version),
            unchanged,
            &mut errors,
        );
    }
    errors.extend(version_set_errors(versions, &shared));
    let names = spec.get("names").unwrap_or(&none);
    for key in ["plural", "singular", "kind", "listKind"] {
        if names.str_at(&[key]).unwrap_or_default().is_empty() {
            errors.push(FieldError::required(format!("spec.names.{key}"), ""));
        }
    }
    names_errors(names, "spec.names", &mut errors);
    if let Some(first) = versions.first() {
        let any = versions.iter().any(status);
        parts(
            first,
            "spec",
            &shared,
            true,
            any,
            unchanged(first),
            &mut errors,
        );
    }
    errors.extend(conversion_errors(spec));
    errors
}

/// Schema, subresources, columns and selectable fields of a version, or (`hoisted`) those that all
/// versions share.
fn parts(
    version: &Node,
    path: &str,
    shared: &[&str],
    hoisted: bool,
    status: bool,
    unchanged: bool,
    errors: &mut Vec<FieldError>,
) {
    let part = |key: &str| {
        let here = shared.contains(&key) == hoisted;
        version.get(key).filter(|value| here && !value.is_null())
    };
    let schema_name = if hoisted { "validation" } else { "schema" };
    if let Some(raw) = part("schema").and_then(|schema| schema.get("openAPIV3Schema")) {
        errors.extend(definition::errors(&Definition {
            raw,
            path: &format!("{path}.{schema_name}.openAPIV3Schema"),
            status_subresource: status,
            costs_limited: !unchanged,
        }));
    }
    if let Some(subresources) = part("subresources") {
        scale_errors(subresources, &format!("{path}.subresources"), errors);
    }
    let columns = part("additionalPrinterColumns").and_then(Node::as_list);
    for (index, column) in columns.unwrap_or_default().iter().enumerate() {
        let path = format!("{path}.additionalPrinterColumns[{index}]");
        column_errors(column, &path, errors);
    }
    if let Some(fields) = part("selectableFields").and_then(Node::as_list) {
        let schema = version.at(&["schema", "openAPIV3Schema"]);
        selectable_errors(fields, schema, &format!("{path}.selectableFields"), errors);
    }
}

fn version_set_errors(versions: &[Node], shared: &[&str]) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let shown = || FieldValue::Bare(internal::versions(versions, shared));
    let name = |version: &'_ Node| version.str_at(&["name"]).unwrap_or_default().to_owned();
    let unique: BTreeSet<String> = versions.iter().map(name).collect();
    if unique.len() != versions.len() {
        let detail = "must contain unique version names";
        errors.push(FieldError::invalid("spec.versions", shown(), detail));
    }
    if versions
        .iter()
        .filter(|version| flag(version, "storage"))
        .count()
        != 1
    {
        let detail = "must have exactly one version marked as storage version";
        errors.push(FieldError::invalid("spec.versions", shown(), detail));
    }
    if let Some(first) = versions.first().map(name) {
        let wrong = names::label_1035(&first);
        if !first.is_empty() && !wrong.is_empty() {
            errors.push(FieldError::invalid("spec.version", first, wrong.join(",")));
        }
    }
    errors
}

fn names_errors(names: &Node, path: &str, errors: &mut Vec<FieldError>) {
    for (key, mixed_case) in [
        ("plural", false),
        ("singular", false),
        ("kind", true),
        ("listKind", true),
    ] {
        let name = names.str_at(&[key]).unwrap_or_default();
        let checked = if mixed_case {
            name.to_lowercase()
        } else {
            name.to_owned()
        };
        let wrong = names::label_1035(&checked);
        if !name.is_empty() && !wrong.is_empty() {
            let prefix = match mixed_case {
                true => "may have mixed case, but should otherwise match: ",
                false => "",
            };
            let detail = format!("{prefix}{}", wrong.join(","));
            errors.push(FieldError::invalid(format!("{path}.{key}"), name, detail));
        }
    }
    let list = |key: &str, errors: &mut Vec<FieldError>| {
        for (index, name) in texts(names, key).into_iter().enumerate() {
            let wrong = names::label_1035(name);
            if !wrong.is_empty() {
                let path = format!("{path}.{key}[{index}]");
                errors.push(FieldError::invalid(path, name, wrong.join(",")));
            }
        }
    };
    list("shortNames", errors);
    let kind = names.str_at(&["kind"]).unwrap_or_default();
    if !kind.is_empty() && names.str_at(&["listKind"]) == Some(kind) {
        let detail = "kind and listKind may not be the same";
        errors.push(FieldError::invalid(
            format!("{path}.listKind"),
            kind,
            detail,
        ));
    }
    list("categories", errors);
}

fn deprecation_errors(version: &Node, path: &str) -> Vec<FieldError> {
    let Some(warning) = version.str_at(&["deprecationWarning"]) else {
        return Vec::new();
    };
    let mut details = Vec::new();
    if !flag(version, "deprecated") {
        details.push("can only be set for deprecated versions".to_owned());
    } else {
        if warning.len() > 256 {
            details.push("must be <= 256 characters long".into());
        }
        if warning.is_empty() {
            details.push("must not be an empty string".into());
        }
        let strange = warning.char_indices().find(|(_, c)| c.is_control());
        if let Some((at, _)) = strange {
            details.push(format!(
                "must only contain printable UTF-8 characters; non-printable character found at index {at}"
            ));
        }
    }
    let path = format!("{path}.deprecationWarning");
    details
        .into_iter()
        .map(|detail| FieldError::invalid(&path, warning, detail))
        .collect()
}

fn simple_path_error(path: &str, text: &str) -> Option<FieldError> {
    let detail = "must be a simple json path starting with .";
    (!text.starts_with('.')).then(|| FieldError::invalid(path, text, detail))
}

fn scale_errors(subresources: &Node, path: &str, errors: &mut Vec<FieldError>) {
    let Some(scale) = subresources.get("scale").filter(|scale| !scale.is_null()) else {
        return;
    };
    for (key, parents, required) in [
        ("specReplicasPath", &[".spec."][..], true),
        ("statusReplicasPath", &[".status."], true),
        ("labelSelectorPath", &[".spec.", ".status."], false),
    ] {
        let path = format!("{path}.scale.{key}");
        let text = scale.str_at(&[key]).unwrap_or_default();
        if text.is_empty() {
            if required {
                errors.push(FieldError::required(path, ""));
            }
        } else if let Some(error) = simple_path_error(&path, text) {
            errors.push(error);
        } else if !parents.iter().any(|parent| text.starts_with(parent)) {
            let parents: Vec<&str> = parents
                .iter()
                .rev()
                .map(|parent| parent.trim_end_matches('.'))
                .collect();
            let detail = match parents.as_slice() {
                [one] => format!("should be a json path under {one}"),
                many => format!("should be a json path under either {}", many.join(" or ")),
            };
            errors.push(FieldError::invalid(path, text, detail));
        }
    }
}

fn column_errors(column: &Node, path: &str, errors: &mut Vec<FieldError>) {
    const KINDS: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
    const FORMATS: [&str; 8] = [
        "byte",
        "date",
        "date-time",
        "double",
        "float",
        "int32",
        "int64",
        "password",
    ];
    let text = |key: &str| column.str_at(&[key]).unwrap_or_default();
    if text("name").is_empty() {
        errors.push(FieldError::required(format!("{path}.name"), ""));
    }
    let kinds = format!("must be one of {}", KINDS.join(","));
    match text("type") {
        "" => errors.push(FieldError::required(format!("{path}.type"), kinds)),
        kind if !KINDS.contains(&kind) => {
            errors.push(FieldError::invalid(format!("{path}.type"), kind, kinds));
        }
        _ => {}
    }
    let format = text("format");
    if !format.is_empty() && !FORMATS.contains(&format) {
        let detail = format!("must be one of {}", FORMATS.join(","));
        errors.push(FieldError::invalid(
            format!("{path}.format"),
            format,
            detail,
        ));
    }
    let path = format!("{path}.JSONPath");
    match text("jsonPath") {
        "" => errors.push(FieldError::required(path, "")),
        json_path => errors.extend(simple_path_error(&path, json_path)),
    }
}

fn selectable_errors(
    fields: &[Node],
    schema: Option<&Node>,
    path: &str,
    errors: &mut Vec<FieldError>,
) {
    let level = schema.and_then(Level::read).unwrap_or_default();
    let mut seen = BTreeSet::new();
    for (index, field) in fields.iter().enumerate() {
        let path = format!("{path}[{index}].jsonPath");
        let text = field.str_at(&["jsonPath"]).unwrap_or_default();
        if text.is_empty() {
            errors.push(FieldError::required(path, ""));
            continue;
        }
        let resolved = match field_path::resolve(text, &level, false) {
            Ok(resolved) => resolved,
            Err(error) => {
                let detail = format!("is an invalid path: {error}");
                errors.push(FieldError::invalid(path, text, detail));
                continue;
            }
        };
        if text == ".metadata" || text.starts_with(".metadata.") {
            let detail = "must not point to fields in metadata";
            errors.push(FieldError::invalid(&path, text, detail));
        }
        if !matches!(
            resolved.level.kind.as_str(),
            "string" | "boolean" | "integer"
        ) {
            let detail = "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.";
            errors.push(FieldError::invalid(&path, text, detail));
        }
        if !seen.insert(resolved.path) {
            errors.push(FieldError::duplicate(path, text));
        }
    }
    if seen.len() > SELECTABLE_FIELDS_MAX {
        errors.push(FieldError::too_many(
            path,
            seen.len(),
            SELECTABLE_FIELDS_MAX,
        ));
    }
}

fn conversion_errors(spec: &Node) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let Some(conversion) = spec.get("conversion").filter(|node| !node.is_null()) else {
        return errors;
    };
    let path = "spec.conversion";
    let strategy = conversion.str_at(&["strategy"]).unwrap_or_default();
    match strategy {
        "" => errors.push(FieldError::required(format!("{path}.strategy"), "")),
        "None" | "Webhook" => {}
        other => {
            let known = ["None", "Webhook"];
            errors.push(FieldError::not_supported(
                format!("{path}.strategy"),
                other,
                known,
            ));
        }
    }
    let none = Node::Null;
    let webhook = conversion.get("webhook").unwrap_or(&none);
    let client = webhook.get("clientConfig").filter(|node| !node.is_null());
    let client_path = format!("{path}.webhookClientConfig");
    let reviews = texts(webhook, "conversionReviewVersions");
    let reviews_path = format!("{path}.conversionReviewVersions");
    if strategy != "Webhook" {
        let detail = "should not be set when strategy is not set to Webhook";
        if client.is_some() {
            errors.push(FieldError::forbidden(client_path, detail));
        }
        if !reviews.is_empty() {
            errors.push(FieldError::forbidden(reviews_path, detail));
        }
        return errors;
    }
    match client {
        None => {
            let detail = "required when strategy is set to Webhook";
            errors.push(FieldError::required(client_path, detail));
        }
        Some(client) if client.get("url").is_some() == client.get("service").is_some() => {
            let detail = "exactly one of url or service is required";
            errors.push(FieldError::required(client_path, detail));
        }
        Some(_) => {}
    }
    if reviews.is_empty() {
        errors.push(FieldError::required(reviews_path, ""));
    } else if !reviews
        .iter()
        .any(|version| matches!(*version, "v1" | "v1beta1"))
    {
        let shown = FieldValue::from(&Node::list(reviews.iter().copied()));
        let detail = "must include at least one of v1, v1beta1";
        errors.push(FieldError::invalid(reviews_path, shown, detail));
    }
    errors
}

fn status_errors(crd: &Node) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if let Some(names) = crd.at(&["status", "acceptedNames"]) {
        names_errors(names, "status.acceptedNames", &mut errors);
    }
    let path = "status.storedVersions";
    let stored = stored_versions(crd);
    if stored.is_empty() {
        let shown = FieldValue::Bare("null".into());
        errors.push(FieldError::invalid(
            path,
            shown,
            "must have at least one stored version",
        ));
        return errors;
    }
    for version in versions(crd) {
        let name = version.str_at(&["name"]).unwrap_or_default();
        if flag(version, "storage") && !stored.iter().any(|own| own == name) {
            let shown = FieldValue::from(&Node::list(stored.iter().map(String::as_str)));
            let detail = format!("must have the storage version {name}");
            errors.push(FieldError::invalid(path, shown, detail));
        }
    }
    for (index, name) in stored.iter().enumerate() {
        let present = versions(crd)
            .iter()
            .any(|own| own.str_at(&["name"]) == Some(name));
        if !present {
            errors.push(FieldError::invalid(
                format!("{path}[{index}]"),
                name.as_str(),
                format!(
                    "missing from spec.versions; {name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in {name} and removes {name} from status.storedVersions"
                ),
            ));
        }
    }
    errors
}

#[derive(PartialEq, Eq)]
enum Approval {
    Missing,
    Given,
    Bypassed,
    Invalid,
}

const APPROVED: &str = "api-approved.kubernetes.io";

fn approval(crd: &Node) -> Approval {
    match crd
        .str_at(&["metadata", "annotations", APPROVED])
        .unwrap_or_default()
    {
        "" => Approval::Missing,
        text if text.starts_with("unapproved") => Approval::Bypassed,
        text => match text.split_once("://") {
            Some((scheme, rest)) if !scheme.is_empty() && !rest.is_empty() => Approval::Given,
            _ => Approval::Invalid,
        },
    }
}

/// Whether the group belongs to Kubernetes itself.
pub(super) fn protected(crd: &Node) -> bool {
    let group = crd.str_at(&["spec", "group"]).unwrap_or_default();
    ["k8s.io", "kubernetes.io"].iter().any(|owner| {
        group
            .strip_suffix(owner)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

/// Status, reason and message of the condition about approval.
pub(super) fn approval_told(crd: &Node) -> (&'static str, &'static str, String) {
    let annotation = crd
        .str_at(&["metadata", "annotations", APPROVED])
        .unwrap_or_default();
    let refused = approval_errors(crd, None).map(|error| error.detail);
    match approval(crd) {
        Approval::Given => (
            "True",
            "ApprovedAnnotation",
            format!("approved in {annotation}"),
        ),
        Approval::Bypassed => {
            let quoted = crate::field_error::quote(annotation);
            (
                "False",
                "UnapprovedAnnotation",
                format!("not approved: {quoted}"),
            )
        }
        Approval::Missing => ("False", "MissingAnnotation", refused.unwrap_or_default()),
        Approval::Invalid => ("False", "InvalidAnnotation", refused.unwrap_or_default()),
    }
}

pub(super) fn approval_errors(crd: &Node, old: Option<&Node>) -> Option<FieldError> {
    let state = approval(crd);
    if !protected(crd) || old.is_some_and(|old| approval(old) == state) {
        return None;
    }
    let path = format!("metadata.annotations[{APPROVED}]");
    let about = format!("protected groups must have approval annotation \"{APPROVED}\"");
    let see = "see https://github.com/kubernetes/enhancements/pull/1111";
    match state {
        Approval::Missing => Some(FieldError::required(path, format!("{about}, {see}"))),
        Approval::Invalid => Some(FieldError::invalid(
            path,
            crd.str_at(&["metadata", "annotations", APPROVED])
                .unwrap_or_default(),
            format!("{about} with either a URL or a reason starting with \"unapproved\", {see}"),
        )),
        Approval::Given | Approval::Bypassed => None,
    }
}

fn preserving_errors(crd: &Node, old: Option<&Node>) -> Option<FieldError> {
    let preserves = |crd: &Node| {
        crd.at(&["spec", "preserveUnknownFields"])
            .and_then(Node::as_bool)
            == Some(true)
    };
    (preserves(crd) && !old.is_some_and(preserves)).then(|| {
        FieldError::invalid(
            "spec.preserveUnknownFields",
            true,
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead",
        )
    })
}
