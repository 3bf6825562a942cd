//! Refusals and the Status objects that tell them.
//!
//! # Source
//! Reasons, codes and messages: kubernetes/apimachinery `pkg/api/errors/errors.go`.

use object::{Map, Node, Text};

use schema::FieldError;

use crate::{ResourceType, Response};

/// One cause inside a Status: a field and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cause {
    /// Machine-readable, as `FieldValueInvalid`; empty leaves it out.
    pub reason: Text,
    /// For people.
    pub message: String,
    /// Path of the field; empty leaves it out.
    pub field: String,
}

/// A request that is not carried out: everything its Status will say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Refusal {
    /// HTTP status code.
    pub code: u16,
    /// Reason, as `NotFound`; empty for plain errors.
    pub reason: Text,
    /// For people.
    pub message: String,
    /// `details.name`.
    pub name: Text,
    /// `details.group`.
    pub group: Text,
    /// `details.kind`: the plural of the resource, for invalid objects the kind.
    pub kind: Text,
    /// `details.uid`.
    pub uid: Text,
    /// `details.causes`.
    pub causes: Vec<Cause>,
    /// `details.retryAfterSeconds`, and the header.
    pub retry_after: u32,
    /// Whether `details` is there although all of it is empty.
    pub bare_details: bool,
    /// `metadata.continue`: how to go on after an expired list.
    pub continue_token: String,
    /// Plain text instead of a Status; for paths outside the API.
    pub plain: bool,
}

impl Refusal {
    /// A refusal with nothing but code, reason and message.
    pub fn new(code: u16, reason: &str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason: reason.into(),
            message: message.into(),
            ..Self::default()
        }
    }

    /// A path that no API group knows.
    pub fn unknown_path() -> Self {
        Self {
            plain: true,
            ..Self::new(404, "", "404 page not found\n")
        }
    }

    /// The Status object.
    pub fn node(&self) -> Node {
        let mut metadata = Map::new();
        if !self.continue_token.is_empty() {
            metadata.insert("continue", self.continue_token.as_str());
        }
        let mut status: Map = [("kind", "Status"), ("apiVersion", "v1")]
            .into_iter()
            .collect();
        status.insert("metadata", metadata);
        status.insert("status", "Failure");
        if !self.message.is_empty() {
            status.insert("message", self.message.as_str());
        }
        if !self.reason.is_empty() {
            status.insert("reason", self.reason.clone());
        }
        let details = self.details();
        if !details.is_empty() || self.bare_details {
            status.insert("details", details);
        }
        status.insert("code", i64::from(self.code));
        status.into()
    }

    fn details(&self) -> Map {
        let mut details = Map::new();
        let texts = [
            ("name", &self.name),
            ("group", &self.group),
            ("kind", &self.kind),
            ("uid", &self.uid),
        ];
        for (key, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
            details.insert(key, text.clone());
        }
        if !self.causes.is_empty() {
            details.insert("causes", Node::list(self.causes.iter().map(Cause::node)));
        }
        if self.retry_after > 0 {
            details.insert("retryAfterSeconds", i64::from(self.retry_after));
        }
        details
    }

    /// The answer.
    pub fn into_response(self) -> Response {
        if self.plain {
            return Response::text(self.code, self.message);
        }
        let response = Response::json(self.code, self.node());
        match self.retry_after {
            0 => response,
            seconds => response.with_header("Retry-After", seconds.to_string()),
        }
    }
}

impl Cause {
    fn node(&self) -> Node {
        let mut cause = Map::new();
        if !self.reason.is_empty() {
            cause.insert("reason", self.reason.clone());
        }
        if !self.message.is_empty() {
            cause.insert("message", self.message.as_str());
        }
        if !self.field.is_empty() {
            cause.insert("field", self.field.as_str());
        }
        cause.into()
    }
}

/// The usual refusals.
impl Refusal {
    /// A resource or subresource that a served group does not have.
    pub fn unknown_resource() -> Self {
        Self {
            bare_details: true,
            ..Self::new(
                404,
                "NotFound",
                "the server could not find the requested resource",
            )
        }
    }

    /// A method that is never allowed at that path.
    pub fn method_not_allowed() -> Self {
        Self {
            bare_details: true,
            ..Self::new(
                405,
                "MethodNotAllowed",
                "the server does not allow this method on the requested resource",
            )
        }
    }

    /// A malformed request.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// A plain error inside the server: no reason, the message as it is.
    pub fn plain_error(message: impl Into<String>) -> Self {
        Self::new(500, "", message)
    }

    /// An error inside the server, told as such.
    pub fn internal(message: &str) -> Self {
        Self {
            causes: vec![Cause {
                message: message.to_owned(),
                ..Cause::default()
            }],
            ..Self::new(
                500,
                "InternalError",
                format!("Internal error occurred: {message}"),
            )
        }
    }

    fn about(mut self, resource: &ResourceType, name: &str) -> Self {
        self.name = name.into();
        self.group = resource.group.clone();
        self.kind = resource.plural.clone();
        self
    }

    /// An object that is not there.
    pub fn not_found(resource: &ResourceType, name: &str) -> Self {
        let message = format!("{} {name:?} not found", resource.qualified());
        Self::new(404, "NotFound", message).about(resource, name)
    }

    /// An object that is there already.
    pub fn already_exists(resource: &ResourceType, name: &str) -> Self {
        let message = format!("{} {name:?} already exists", resource.qualified());
        Self::new(409, "AlreadyExists", message).about(resource, name)
    }

    /// A write that somebody else's write came before.
    pub fn conflict(resource: &ResourceType, name: &str, problem: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {} {name:?}: {problem}",
            resource.qualified()
        );
        Self::new(409, "Conflict", message).about(resource, name)
    }

    /// The conflict of an outdated `resourceVersion`.
    pub fn outdated(resource: &ResourceType, name: &str) -> Self {
        let problem = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(resource, name, problem)
    }

    /// Something this user may not do.
    pub fn forbidden(
        qualified: &str,
        resource: &str,
        group: &str,
        name: &str,
        problem: &str,
    ) -> Self {
        let message = match name {
            "" => format!("{qualified} is forbidden: {problem}"),
            name => format!("{qualified} {name:?} is forbidden: {problem}"),
        };
        Self {
            name: name.into(),
            group: group.into(),
            kind: resource.into(),
            ..Self::new(403, "Forbidden", message)
        }
    }

    /// A refusal of admission: an object that may not be so, whoever sends it.
    pub fn not_admitted(resource: &ResourceType, name: &str, problem: &str) -> Self {
        Self::forbidden(
            &resource.qualified(),
            &resource.plural,
            &resource.group,
            name,
            problem,
        )
    }

    /// An object whose fields are wrong. `qualified` is `Deployment.apps`, `kind` goes into details.
    pub fn invalid(group: &str, kind: &str, name: &str, errors: &[FieldError]) -> Self {
        let texts: Vec<String> = errors.iter().map(FieldError::to_string).collect();
        let mut unique: Vec<&str> = Vec::new();
        for text in &texts {
            if !unique.contains(&text.as_str()) {
                unique.push(text);
            }
        }
        let joined = match unique[..] {
            [one] => one.to_owned(),
            _ => format!("[{}]", unique.join(", ")),
        };
        let qualified = crate::types::qualified(kind, group);
        Self {
            name: name.into(),
            group: group.into(),
            kind: kind.into(),
            causes: errors.iter().map(Cause::from).collect(),
            ..Self::new(
                422,
                "Invalid",
                format!("{qualified} {name:?} is invalid: {joined}"),
            )
        }
    }
}

impl From<&FieldError> for Cause {
    fn from(error: &FieldError) -> Self {
        Self {
            reason: error.kind.reason().into(),
            message: error.body(),
            field: error.path.clone(),
        }
    }
}
