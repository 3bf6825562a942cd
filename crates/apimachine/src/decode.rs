//! From the bytes of a body to an object of the expected kind.

use object::{Node, Text, json};
use schema::{FieldError, builtin};

use crate::options::FieldValidation;
use crate::types::api_version;
use crate::{Content, Refusal, ResourceType, State, kind, negotiate};

/// Most bytes of a body; what an API server takes.
const BODY_BYTES_MAX: usize = 3 << 20;
/// Bytes of a body that a message about it shows.
const SUMMARY_BYTES: usize = 30;

/// The encodings a body may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Json,
    Yaml,
    Protobuf,
}

/// A body read without looking at its type.
#[derive(Clone, Debug, Default)]
pub(crate) struct Raw {
    pub node: Node,
    /// Problems that strict reading refuses: repeated keys.
    pub problems: Vec<String>,
}

/// Which encoding a `Content-Type` names; nothing means JSON.
pub(crate) fn encoding(content_type: Option<&str>, custom: bool) -> Result<Encoding, Refusal> {
    let media_type = content_type
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    match media_type {
        "" | "application/json" => Ok(Encoding::Json),
        "application/yaml" => Ok(Encoding::Yaml),
        "application/vnd.kubernetes.protobuf" if !custom => Ok(Encoding::Protobuf),
        _ => {
            let types = match custom {
                true => "application/json, application/yaml",
                false => "application/json, application/yaml, application/vnd.kubernetes.protobuf",
            };
            let message = format!(
                "the body of the request was in an unknown format - accepted media types include: {types}"
            );
            Err(Refusal::new(415, "UnsupportedMediaType", message))
        }
    }
}

/// Refuses bodies over the limit.
pub(crate) fn check_size(body: &Content) -> Result<(), Refusal> {
    match matches!(body, Content::Bytes(bytes) if bytes.len() > BODY_BYTES_MAX) {
        true => Err(Refusal::new(
            413,
            "RequestEntityTooLarge",
            format!("Request entity too large: limit is {BODY_BYTES_MAX}"),
        )),
        false => Ok(()),
    }
}

/// Parses a body; the error is the text of Go's decoder.
pub(crate) fn parse(body: &Content, encoding: Encoding) -> Result<Raw, String> {
    let body = match body {
        Content::Bytes(bytes) => bytes,
        Content::Node(node) => {
            return Ok(Raw {
                node: node.clone(),
                problems: Vec::new(),
            });
        }
    };
    match encoding {
        Encoding::Json => {
            let parsed = json::parse_reporting(body, json::OBJECT_LIMITS)
                .map_err(|error| json_problem(body, &error))?;
            let problems = parsed
                .duplicates
                .iter()
                .map(|path| format!("duplicate field {:?}", path.to_string()));
            Ok(Raw {
                problems: problems.collect(),
                node: parsed.node,
            })
        }
        Encoding::Yaml => parse_yaml(body),
        Encoding::Protobuf => {
            let node = builtin::protobuf::decode(body).map_err(|error| {
                let text = error.to_string();
                text.strip_prefix("proto: ")
                    .map(str::to_owned)
                    .unwrap_or(text)
            })?;
            Ok(Raw {
                node,
                problems: Vec::new(),
            })
        }
    }
}

fn parse_yaml(body: &[u8]) -> Result<Raw, String> {
    let text =
        std::str::from_utf8(body).map_err(|_| "yaml: invalid leading UTF-8 octet".to_owned())?;
    let limits = yaml::Limits::default();
    let documents = yaml::parse(text, &limits).map_err(|error| error.sigs_message())?;
    let Some(document) = documents.first() else {
        return Ok(Raw::default());
    };
    let strict = yaml::ResolveOptions::default();
    let loose = yaml::ResolveOptions {
        duplicates: yaml::Duplicates::LastWins,
        ..strict
    };
    let node = yaml::to_value(document, &loose).map_err(|error| error.sigs_message())?;
    let problems = match yaml::to_value(document, &strict) {
        Err(yaml::YamlError::DuplicateKeys { keys, .. }) => {
            let keys = keys.iter();
            keys.map(|key| {
                format!(
                    "line {}: key {:?} already set in map",
                    key.value_line, key.key
                )
            })
            .collect()
        }
        _ => Vec::new(),
    };
    Ok(Raw { node, problems })
}

/// What Go's JSON decoder says.
fn json_problem(body: &[u8], error: &json::JsonError) -> String {
    use json::JsonErrorKind as Kind;
    match &error.kind {
        Kind::End => "unexpected end of JSON input".to_owned(),
        Kind::Character(c) => format!(
            "invalid character {} {}",
            go_quote(*c),
            json_context(body, error.offset)
        ),
        other => other.to_string(),
    }
}

fn go_quote(c: char) -> String {
    match c {
        '\'' => "'\\''".to_owned(),
        '"' => "'\"'".to_owned(),
        c => format!("'{}'", c.escape_debug()),
    }
}

/// What Go's scanner was doing at the place where it stopped.
fn json_context(body: &[u8], offset: usize) -> &'static str {
    let before = body.get(..offset).unwrap_or(body);
    let previous = before.iter().rev().find(|byte| !byte.is_ascii_whitespace());
    match previous {
        None | Some(b'[' | b':') => "looking for beginning of value",
        Some(b'{') => "looking for beginning of object key string",
        Some(b',') => {
            // Inside a map a comma is followed by a key, inside a list by a value.
            let mut depth = 0;
            let opening = before.iter().rev().find(|byte| {
                match byte {
                    b'}' | b']' => depth += 1,
                    b'{' | b'[' if depth == 0 => return true,
                    b'{' | b'[' => depth -= 1,
                    _ => {}
                }
                false
            });
            match opening {
                Some(b'{') => "looking for beginning of object key string",
                _ => "looking for beginning of value",
            }
        }
        Some(_) => "after top-level value",
    }
}

/// The beginning of a body, for messages.
pub(crate) fn summary(body: &[u8]) -> String {
    let shown = &body[..body.len().min(SUMMARY_BYTES)];
    let dots = if body.len() > SUMMARY_BYTES {
        " ..."
    } else {
        ""
    };
    match body.first() {
        None => "<empty>".to_owned(),
        Some(b'{') => format!("{}{dots}", String::from_utf8_lossy(shown)),
        Some(_) => {
            let hex: String = shown.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{hex}{dots}")
        }
    }
}

/// The JSON words for a value where a text is expected.
pub(crate) fn json_type(node: &Node) -> &'static str {
    match node {
        Node::Null => "null",
        Node::Bool(_) => "bool",
        Node::Int(_) | Node::Uint(_) | Node::Float(_) => "number",
        Node::String(_) => "string",
        Node::List(_) => "array",
        Node::Map(_) => "object",
    }
}

/// Reads `apiVersion` and `kind` of a parsed body; absent ones are empty.
pub(crate) fn version_and_kind(node: &Node) -> Result<(Text, Text), String> {
    if !matches!(node, Node::Map(_) | Node::Null) {
        return Err(format!(
            "couldn't get version/kind; json parse error: json: cannot unmarshal {} into Go value of type struct {{ APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }}",
            json_type(node)
        ));
    }
    let text = |key: &str| match node.get(key) {
        None | Some(Node::Null) => Ok(Text::default()),
        Some(Node::String(text)) => Ok(text.clone()),
        Some(other) => Err(format!(
            "couldn't get version/kind; json parse error: json: cannot unmarshal {} into Go struct field .{key} of type string",
            json_type(other)
        )),
    };
    Ok((text("apiVersion")?, text("kind")?))
}

/// What a write expects in its body.
pub(crate) struct Expected<'a> {
    /// Group of the kind.
    pub group: &'a str,
    /// Version of the kind.
    pub version: &'a str,
    /// The kind.
    pub kind: &'a str,
    /// A custom resource: typed by its definition only.
    pub custom: Option<&'a ResourceType>,
}

impl<'a> Expected<'a> {
    pub(crate) fn object(resource: &'a ResourceType) -> Self {
        Self {
            group: &resource.group,
            version: &resource.version,
            kind: &resource.kind,
            custom: resource.custom.is_some().then_some(resource),
        }
    }
}

/// A decoded body in canonical form, with what strict reading would refuse as warnings.
pub(crate) struct Decoded {
    pub node: Node,
    pub warnings: Vec<String>,
}

/// Reads a body that has to be of one kind.
pub(crate) fn object(
    state: &State,
    body: &Content,
    content_type: Option<&str>,
    expected: &Expected<'_>,
    validation: FieldValidation,
) -> Result<Decoded, Refusal> {
    check_size(body)?;
    let encoding = encoding(content_type, expected.custom.is_some())?;
    let wanted = api_version(expected.group, expected.version);
    let unrecognized = |problem: String| {
        let (kind, summary) = (expected.kind, summary(&body.text()));
        Refusal::bad_request(format!(
            "the object provided is unrecognized (must be of type {kind}): {problem} ({summary})"
        ))
    };
    let raw = parse(body, encoding).map_err(|problem| match encoding {
        Encoding::Json => unrecognized(format!(
            "couldn't get version/kind; json parse error: {problem}"
        )),
        _ => unrecognized(problem),
    })?;
    let mut node = raw.node;
    let (version, kind) = version_and_kind(&node).map_err(unrecognized)?;
    if version.matches('/').count() > 1 {
        return Err(unrecognized(format!(
            "unexpected GroupVersion string: {version}"
        )));
    }
    if node.is_null() {
        node = Node::map();
    }
    if let Some(missing) = missing_kind(expected, &version, &kind) {
        let body = body.text();
        let text = String::from_utf8_lossy(&body);
        return Err(unrecognized(format!(
            "Object '{missing}' is missing in '{text}'"
        )));
    }
    if version.is_empty() {
        node.set(&["apiVersion"], wanted.clone());
    }
    if kind.is_empty() {
        node.set(&["kind"], expected.kind);
    }
    let version = if version.is_empty() {
        wanted.clone()
    } else {
        version
    };
    let kind = if kind.is_empty() {
        expected.kind.into()
    } else {
        kind
    };
    check_kind(state, expected, &wanted, &version, &kind).map_err(|refusal| {
        match refusal.code {
            422 => named(refusal, &node),
            _ => refusal,
        }
    })?;
    let reset = resets_managers(&node);
    let id = builtin::types().of_kind(&wanted, expected.kind);
    let decoded = match expected.custom {
        Some(resource) => resource.canonicalize(&mut node),
        None => kind::canonicalize(id, &mut node),
    };
    let unknown = decoded.map_err(|problem| misfit(expected, &version, &kind, &problem.0))?;
    node.set(&["apiVersion"], version.clone());
    node.set(&["kind"], kind.clone());
    if reset {
        node.set(&["metadata", "managedFields"], Vec::new());
    }
    let mut problems = raw.problems;
    problems.extend(unknown);
    let warnings = match validation {
        FieldValidation::Ignore => Vec::new(),
        FieldValidation::Warn => problems,
        FieldValidation::Strict if problems.is_empty() => Vec::new(),
        FieldValidation::Strict => {
            let yaml = |problem: &String| match problem.starts_with("line ") {
                true => format!("yaml: unmarshal errors:\n  {problem}"),
                false => problem.clone(),
            };
            let list: Vec<String> = problems.iter().map(yaml).collect();
            let problem = format!("strict decoding error: {}", list.join(", "));
            return Err(misfit(expected, &version, &kind, &problem));
        }
    };
    Ok(Decoded { node, warnings })
}

/// Which part of its kind a custom resource fails to say; built-in ones need not say any.
fn missing_kind(expected: &Expected<'_>, version: &str, kind: &str) -> Option<&'static str> {
    expected.custom?;
    match (version, kind) {
        (_, "") => Some("Kind"),
        ("", _) => Some("apiVersion"),
        _ => None,
    }
}

fn misfit(expected: &Expected<'_>, version: &str, kind: &str, problem: &str) -> Refusal {
    let version = version.rsplit('/').next().unwrap_or_default();
    let wanted = expected.kind;
    Refusal::bad_request(format!(
        "{kind} in version {version:?} cannot be handled as a {wanted}: {problem}"
    ))
}

fn check_kind(
    state: &State,
    expected: &Expected<'_>,
    wanted: &str,
    version: &str,
    kind: &str,
) -> Result<(), Refusal> {
    if version == wanted && kind == expected.kind {
        return Ok(());
    }
    let group = version.split_once('/').map_or("", |(group, _)| group);
    if expected.custom.is_some() {
        return Err(match kind == expected.kind && group == expected.group {
            true => Refusal::bad_request(format!(
                "the API version in the data ({version}) does not match the expected API version ({wanted})"
            )),
            false if group == expected.group => wrong_kind(expected, kind),
            false => misfit_custom(expected, wanted, version, kind),
        });
    }
    let known = builtin::types().of_kind(version, kind).is_some()
        || state.resource_types().any(|resource| {
            resource.custom.is_none()
                && resource.api_version() == version
                && (resource.kind == kind || resource.list_kind == kind)
        })
        || version == "v1" && kind == "List";
    if !known {
        let problem = format!(
            "no kind {kind:?} is registered for version {version:?} in scheme \"pkg/runtime/scheme.go:111\""
        );
        return Err(misfit(expected, version, kind, &problem));
    }
    if kind == expected.kind && group == expected.group {
        return Err(Refusal::bad_request(format!(
            "the API version in the data ({version}) does not match the expected API version ({wanted})"
        )));
    }
    let short = version.rsplit('/').next().unwrap_or_default();
    let package = negotiate::package(expected.group);
    let internal = expected.kind;
    let problem =
        format!("converting ({short}.{kind}) to ({package}.{internal}): unknown conversion");
    Err(misfit(expected, version, kind, &problem))
}

fn misfit_custom(expected: &Expected<'_>, wanted: &str, version: &str, kind: &str) -> Refusal {
    let (group, short) = version.split_once('/').unwrap_or(("", version));
    let (wanted_group, wanted_short) = wanted.split_once('/').unwrap_or(("", wanted));
    let expected = expected.kind;
    Refusal::bad_request(format!(
        "the object provided is unrecognized (must be of type {expected}): expected {wanted_group}/{wanted_short}, Kind={expected}, got {group}/{short}, Kind={kind}"
    ))
}

/// Whether an object asks for its managers to be forgotten: by an empty list, which the canonical
/// form would drop.
pub(crate) fn resets_managers(object: &Node) -> bool {
    let managers = object
        .at(&["metadata", "managedFields"])
        .and_then(Node::as_list);
    managers.is_some_and(<[Node]>::is_empty)
}

/// A custom resource of another kind of the same group.
fn wrong_kind(expected: &Expected<'_>, kind: &str) -> Refusal {
    let error = FieldError::invalid("kind", kind, format!("must be {}", expected.kind));
    Refusal::invalid(expected.group, kind, "", &[error])
}

/// A refusal about an object whose name is known by now.
fn named(mut refusal: Refusal, object: &Node) -> Refusal {
    let name = object.str_at(&["metadata", "name"]).unwrap_or_default();
    refusal.message = refusal.message.replacen("\"\"", &format!("{name:?}"), 1);
    refusal.name = name.into();
    refusal
}
