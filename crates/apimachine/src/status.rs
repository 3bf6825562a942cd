//! Refusals and the Status objects that tell them.
//!
//! # Source
//! Reasons, codes and messages: kubernetes/apimachinery `pkg/api/errors/errors.go`.

use object::{Map, Node, Text};

use crate::Response;

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
