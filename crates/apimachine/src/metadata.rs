//! Rules for names, labels, owners and the other metadata every object has.
//!
//! # Source
//! kubernetes/apimachinery `pkg/api/validation/objectmeta.go`, `pkg/util/validation/validation.go`.

use object::{Map, Node};
use schema::FieldError;
use schema::builtin::NameRule;

const NAME_BYTES_MAX: usize = 253;
const LABEL_BYTES_MAX: usize = 63;
/// Keys and values of all annotations together; etcd would refuse much larger objects anyway.
const ANNOTATION_BYTES_MAX: usize = 256 * 1024;
const FIELD_MANAGER_BYTES_MAX: usize = 128;

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const QUALIFIED: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const IMMUTABLE: &str = "field is immutable";

/// What is wrong with a lowercase RFC 1123 subdomain.
pub(crate) fn subdomain(text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if text.len() > NAME_BYTES_MAX {
        problems.push(format!("must be no more than {NAME_BYTES_MAX} characters"));
    }
    if !text.split('.').all(is_label) {
        problems.push(SUBDOMAIN.to_owned());
    }
    problems
}

/// What is wrong with a lowercase RFC 1123 label.
pub(crate) fn label(text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if text.len() > LABEL_BYTES_MAX {
        problems.push(format!("must be no more than {LABEL_BYTES_MAX} characters"));
    }
    if !is_label(text) {
        if text.contains('.') {
            problems.push("must not contain dots".to_owned());
        }
        problems.push(LABEL.to_owned());
    }
    problems
}

/// What is wrong with a name that becomes a segment of a path.
pub(crate) fn path_segment(text: &str) -> Vec<String> {
    if text == "." || text == ".." {
        return vec![format!("may not be '{text}'")];
    }
    let found = ['/', '%'].into_iter().filter(|&c| text.contains(c));
    found.map(|c| format!("may not contain '{c}'")).collect()
}

/// What is wrong with the key of a label.
pub(crate) fn qualified_name(text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let parts: Vec<&str> = text.split('/').collect();
    let name = match parts[..] {
        [name] => name,
        [prefix, name] => {
            if prefix.is_empty() {
                problems.push("prefix part must be non-empty".to_owned());
            } else {
                problems.extend(
                    subdomain(prefix)
                        .into_iter()
                        .map(|problem| format!("prefix part {problem}")),
                );
            }
            name
        }
        _ => {
            let example =
                "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
            return vec![format!("a valid label key {QUALIFIED} {example}")];
        }
    };
    if name.is_empty() {
        problems.push("name part must be non-empty".to_owned());
    } else if name.len() > LABEL_BYTES_MAX {
        problems.push(format!(
            "name part must be no more than {LABEL_BYTES_MAX} bytes"
        ));
    }
    if !is_qualified(name) {
        problems.push(format!("name part {QUALIFIED}"));
    }
    problems
}

/// What is wrong with the value of a label.
pub(crate) fn label_value(text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if text.len() > LABEL_BYTES_MAX {
        problems.push(format!("must be no more than {LABEL_BYTES_MAX} bytes"));
    }
    if !text.is_empty() && !is_qualified(text) {
        problems.push(LABEL_VALUE.to_owned());
    }
    problems
}

/// What is wrong with the name of a field manager.
pub(crate) fn field_manager(path: &str, text: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if text.len() > FIELD_MANAGER_BYTES_MAX {
        errors.push(FieldError::too_long(path, FIELD_MANAGER_BYTES_MAX));
    }
    if let Some((at, c)) = text.chars().enumerate().find(|(_, c)| c.is_control()) {
        let problem = format!(
            "invalid character U+{:04X} (at position {at})",
            u32::from(c)
        );
        errors.push(FieldError::invalid(path, text, problem));
    }
    errors
}

fn is_label(text: &str) -> bool {
    let edge = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes.first().is_some_and(edge)
        && bytes.last().is_some_and(edge)
        && bytes.iter().all(|byte| edge(byte) || *byte == b'-')
}

fn is_qualified(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

/// What is wrong with a name, by the rule of its kind.
///
/// `prefix` is for generateName, whose end need not look like the end of a name.
pub(crate) fn name(rule: NameRule, text: &str, prefix: bool) -> Vec<String> {
    let masked;
    let text = if prefix && text.len() > 1 && text.ends_with('-') {
        masked = format!("{}a", &text[..text.len() - 1]);
        &masked
    } else {
        text
    };
    match rule {
        NameRule::Subdomain => subdomain(text),
        NameRule::Label | NameRule::ServiceLabel => label(text),
        NameRule::PathSegment => path_segment(text),
        NameRule::Free => Vec::new(),
    }
}

/// What the metadata of an object has to fulfil by itself.
pub(crate) fn validate(
    object: &Node,
    namespaced: bool,
    rule: NameRule,
    custom: bool,
) -> Vec<FieldError> {
    let empty = Map::new();
    let metadata = object
        .get("metadata")
        .and_then(Node::as_map)
        .unwrap_or(&empty);
    let text = |key: &str| metadata.get(key).and_then(Node::as_str).unwrap_or_default();
    let mut errors = Vec::new();
    let generate_name = text("generateName");
    if !generate_name.is_empty() {
        for problem in name(rule, generate_name, true) {
            errors.push(FieldError::invalid(
                "metadata.generateName",
                generate_name,
                problem,
            ));
        }
    }
    if text("name").is_empty() {
        errors.push(FieldError::required(
            "metadata.name",
            "name or generateName is required",
        ));
    } else {
        for problem in name(rule, text("name"), false) {
            errors.push(FieldError::invalid("metadata.name", text("name"), problem));
        }
    }
    let namespace = text("namespace");
    if !namespaced && !namespace.is_empty() {
        errors.push(FieldError::forbidden(
            "metadata.namespace",
            "not allowed on this type",
        ));
    } else if namespaced && namespace.is_empty() {
        errors.push(FieldError::required("metadata.namespace", ""));
    } else if namespaced {
        for problem in label(namespace) {
            errors.push(FieldError::invalid(
                "metadata.namespace",
                namespace,
                problem,
            ));
        }
    }
    if metadata
        .get("generation")
        .and_then(Node::as_i64)
        .is_some_and(|generation| generation < 0)
    {
        let problem = "must be greater than or equal to 0";
        let generation = metadata.get("generation");
        errors.push(FieldError::invalid(
            "metadata.generation",
            generation,
            problem,
        ));
    }
    errors.extend(validate_content(object, custom));
    errors
}

/// What labels, annotations, owners, finalizers and managers have to fulfil by themselves.
pub(crate) fn validate_content(object: &Node, custom: bool) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let Some(metadata) = object.get("metadata").and_then(Node::as_map) else {
        return errors;
    };
    labels("metadata.labels", metadata.get("labels"), &mut errors);
    annotations(metadata.get("annotations"), &mut errors);
    owner_references(metadata.get("ownerReferences"), &mut errors);
    finalizers(metadata.get("finalizers"), custom, &mut errors);
    managed_fields(metadata.get("managedFields"), &mut errors);
    errors
}

/// Checks keys and values of labels, in key order.
pub(crate) fn labels(path: &str, labels: Option<&Node>, errors: &mut Vec<FieldError>) {
    for (key, value) in sorted(labels) {
        let keys = qualified_name(key)
            .into_iter()
            .map(|problem| (key, problem));
        let value = value.as_str().unwrap_or_default();
        let values = label_value(value)
            .into_iter()
            .map(|problem| (value, problem));
        errors.extend(
            keys.chain(values)
                .map(|(text, problem)| FieldError::invalid(path, text, problem)),
        );
    }
}

fn annotations(annotations: Option<&Node>, errors: &mut Vec<FieldError>) {
    let mut bytes = 0;
    for (key, value) in sorted(annotations) {
        for problem in qualified_name(&key.to_lowercase()) {
            errors.push(FieldError::invalid("metadata.annotations", key, problem));
        }
        bytes += key.len() + value.as_str().map_or(0, str::len);
    }
    if bytes > ANNOTATION_BYTES_MAX {
        errors.push(FieldError::too_long(
            "metadata.annotations",
            ANNOTATION_BYTES_MAX,
        ));
    }
}

fn sorted(map: Option<&Node>) -> Vec<(&str, &Node)> {
    let entries = map.and_then(Node::as_map).into_iter().flat_map(Map::iter);
    let mut entries: Vec<_> = entries.map(|(key, value)| (key.as_str(), value)).collect();
    entries.sort_by_key(|(key, _)| *key);
    entries
}

fn items(list: Option<&Node>) -> &[Node] {
    list.and_then(Node::as_list).unwrap_or_default()
}

fn owner_references(references: Option<&Node>, errors: &mut Vec<FieldError>) {
    const PATH: &str = "metadata.ownerReferences";
    let mut controller: Option<String> = None;
    for reference in items(references) {
        let text = |key: &str| reference.str_at(&[key]).unwrap_or_default();
        let (group, version) = text("apiVersion")
            .rsplit_once('/')
            .unwrap_or(("", text("apiVersion")));
        if version.is_empty() {
            let path = format!("{PATH}.apiVersion");
            errors.push(FieldError::invalid(
                path,
                text("apiVersion"),
                "version must not be empty",
            ));
        }
        for key in ["kind", "name", "uid"]
            .into_iter()
            .filter(|key| text(key).is_empty())
        {
            errors.push(FieldError::invalid(
                format!("{PATH}.{key}"),
                "",
                "must not be empty",
            ));
        }
        if (group, version, text("kind")) == ("", "v1", "Event") {
            let problem = "/v1, Kind=Event is disallowed from being an owner";
            errors.push(FieldError::invalid(
                PATH,
                &owner_reference(reference),
                problem,
            ));
        }
        if reference.get("controller").and_then(Node::as_bool) != Some(true) {
            continue;
        }
        let this = format!("{}/{}", text("kind"), text("name"));
        match &controller {
            None => controller = Some(this),
            Some(first) => {
                let all = Node::list(items(references).iter().map(owner_reference));
                let problem = format!(
                    "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {this}"
                );
                errors.push(FieldError::invalid(PATH, &all, problem));
            }
        }
    }
}

/// An owner reference with its keys in the order of the Go struct, as messages show it.
fn owner_reference(reference: &Node) -> Node {
    const KEYS: [&str; 6] = [
        "apiVersion",
        "kind",
        "name",
        "uid",
        "controller",
        "blockOwnerDeletion",
    ];
    let present = KEYS
        .into_iter()
        .filter_map(|key| Some((key, reference.get(key)?.clone())));
    Node::Map(present.collect())
}

fn finalizers(finalizers: Option<&Node>, custom: bool, errors: &mut Vec<FieldError>) {
    const PATH: &str = "metadata.finalizers";
    let names: Vec<&str> = items(finalizers).iter().filter_map(Node::as_str).collect();
    for finalizer in &names {
        for problem in qualified_name(finalizer) {
            errors.push(FieldError::invalid(PATH, *finalizer, problem));
        }
    }
    if names.contains(&"orphan") && names.contains(&"foregroundDeletion") {
        let problem = "finalizer orphan and foregroundDeletion cannot be both set";
        errors.push(FieldError::invalid(
            PATH,
            &Node::list(names.iter().copied()),
            problem,
        ));
    }
    for (index, finalizer) in names.iter().enumerate().filter(|_| !custom) {
        if !finalizer.contains('/') && !is_standard_finalizer(finalizer) {
            let problem = "name is neither a standard finalizer name nor is it fully qualified";
            errors.push(FieldError::invalid(
                format!("{PATH}[{index}]"),
                *finalizer,
                problem,
            ));
        }
    }
}

/// Whether a finalizer needs no domain.
pub(crate) fn is_standard_finalizer(name: &str) -> bool {
    matches!(name, "kubernetes" | "orphan" | "foregroundDeletion")
}

fn managed_fields(entries: Option<&Node>, errors: &mut Vec<FieldError>) {
    for (index, entry) in items(entries).iter().enumerate() {
        let path = format!("metadata.managedFields[{index}]");
        let text = |key: &str| entry.str_at(&[key]).unwrap_or_default();
        if !matches!(text("operation"), "Apply" | "Update") {
            let problem = "must be `Apply` or `Update`";
            errors.push(FieldError::invalid(
                format!("{path}.operation"),
                text("operation"),
                problem,
            ));
        }
        if !matches!(text("fieldsType"), "" | "FieldsV1") {
            let problem = "must be `FieldsV1`";
            errors.push(FieldError::invalid(
                format!("{path}.fieldsType"),
                text("fieldsType"),
                problem,
            ));
        }
        errors.extend(field_manager(&format!("{path}.manager"), text("manager")));
    }
}

/// What the metadata of an object has to fulfil compared with what it replaces.
pub(crate) fn validate_update(new: &Node, old: &Node) -> Vec<FieldError> {
    let get = |object: &Node, key: &str| object.at(&["metadata", key]).cloned().unwrap_or_default();
    let mut errors = Vec::new();
    if !get(old, "deletionTimestamp").is_null() {
        let before: Vec<Node> = items(old.at(&["metadata", "finalizers"])).to_vec();
        let added = items(new.at(&["metadata", "finalizers"]))
            .iter()
            .filter(|item| !before.contains(item));
        let mut added: Vec<&str> = added.filter_map(Node::as_str).collect();
        added.sort_unstable();
        added.dedup();
        if !added.is_empty() {
            let quoted: Vec<String> = added.iter().map(|name| format!("{name:?}")).collect();
            let problem = format!(
                "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                quoted.join(", ")
            );
            errors.push(FieldError::forbidden("metadata.finalizers", problem));
        }
    }
    if get(new, "resourceVersion")
        .as_str()
        .is_none_or(|version| version.is_empty() || version == "0")
    {
        let problem = "must be specified for an update";
        errors.push(FieldError::invalid("metadata.resourceVersion", 0, problem));
    }
    let number = |object, key| get(object, key).as_i64().unwrap_or_default();
    if number(new, "generation") < number(old, "generation") {
        let problem = "must not be decremented";
        errors.push(FieldError::invalid(
            "metadata.generation",
            number(new, "generation"),
            problem,
        ));
    }
    for key in [
        "name",
        "namespace",
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    ] {
        if get(new, key) != get(old, key) {
            errors.push(FieldError::invalid(
                format!("metadata.{key}"),
                &get(new, key),
                IMMUTABLE,
            ));
        }
    }
    errors
}
