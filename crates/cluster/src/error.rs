//! What a Kubernetes API answers when it does not do what was asked.

use diag::{Code, Explain, Reason, Retry};
use object::Node;

/// Longest foreign message kept.
///
/// Admission webhooks put whole documents into denials; a condition holds 32 KiB in all.
const MESSAGE_BYTES_MAX: usize = 1024 * 4;

/// An answer that is no success, or the lack of any answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// What kind of refusal this is.
    pub class: ErrorClass,
    /// HTTP status; zero when there was no answer.
    pub status: u16,
    /// Reason word of the Status object, empty when it had none.
    pub reason: String,
    /// The server's own words, cut to a bounded length.
    pub message: String,
    /// Seconds the server asked to wait.
    pub retry_after: Option<u64>,
}

/// Kinds of refusal that callers tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// The object or its kind is not there.
    NotFound,
    /// It is there already.
    AlreadyExists,
    /// Somebody else changed it, or a precondition failed.
    Conflict,
    /// The object breaks a rule of its kind, or of admission.
    Invalid,
    /// The identity lacks the right.
    Forbidden,
    /// The identity is not known.
    Unauthorized,
    /// The asked version is no longer kept.
    Gone,
    /// The server wants fewer requests.
    Throttled,
    /// The server failed; the outcome of a write is unknown.
    Server,
    /// No answer came; the outcome of a write is unknown.
    Unreachable,
}

impl ApiError {
    /// The error of a Status object, or of any other body that came with a failure.
    pub(crate) fn from_answer(status: u16, body: &[u8], retry_after: Option<u64>) -> Self {
        let parsed = object::json::parse(body, object::json::OBJECT_LIMITS);
        let node = parsed.unwrap_or_default();
        let is_status = node.str_at(&["kind"]) == Some("Status");
        let reason = node.str_at(&["reason"]).unwrap_or_default();
        let message = match node.str_at(&["message"]) {
            Some(message) if is_status => message.to_owned(),
            _ => format!("HTTP {status}: {}", String::from_utf8_lossy(body).trim()),
        };
        let details = node.at(&["details", "retryAfterSeconds"]);
        let asked = details.and_then(Node::as_i64).map(|s| s.max(0) as u64);
        Self {
            class: class_of(status, reason),
            status,
            reason: reason.to_owned(),
            message: cut(message),
            retry_after: retry_after.or(asked),
        }
    }

    /// The error of a Status object inside a watch.
    pub(crate) fn from_status(node: &Node) -> Self {
        let code = node.at(&["code"]).and_then(Node::as_i64).unwrap_or(500);
        let body = object::json::to_string(node);
        Self::from_answer(code as u16, body.as_bytes(), None)
    }

    /// No answer came.
    pub(crate) fn unreachable(message: impl Into<String>) -> Self {
        Self {
            class: ErrorClass::Unreachable,
            status: 0,
            reason: String::new(),
            message: cut(message.into()),
            retry_after: None,
        }
    }

    /// Whether the object is not there.
    pub fn is_not_found(&self) -> bool {
        self.class == ErrorClass::NotFound
    }
}

impl Explain for ApiError {
    fn code(&self) -> Code {
        Code(match self.class {
            ErrorClass::NotFound => "ObjectNotFound",
            ErrorClass::AlreadyExists | ErrorClass::Conflict => "ObjectConflict",
            ErrorClass::Invalid => "ObjectRefused",
            ErrorClass::Forbidden => "NotAllowed",
            ErrorClass::Unauthorized => "NotAuthenticated",
            ErrorClass::Gone => "VersionTooOld",
            ErrorClass::Throttled => "Throttled",
            ErrorClass::Server => "ApiServerFailed",
            ErrorClass::Unreachable => "ClusterUnreachable",
        })
    }

    fn reason(&self) -> Reason {
        Reason("ReconciliationFailed")
    }

    fn retry(&self) -> Retry {
        Retry::Later
    }
}

fn class_of(status: u16, reason: &str) -> ErrorClass {
    match (status, reason) {
        (409, "AlreadyExists") => ErrorClass::AlreadyExists,
        (409, _) => ErrorClass::Conflict,
        (404, _) => ErrorClass::NotFound,
        (401, _) => ErrorClass::Unauthorized,
        (403, _) => ErrorClass::Forbidden,
        (410, _) => ErrorClass::Gone,
        (429, _) => ErrorClass::Throttled,
        (400..=499, _) => ErrorClass::Invalid,
        // The schema errors of server-side apply come as 500 without a reason.
        (500, "") => ErrorClass::Invalid,
        _ => ErrorClass::Server,
    }
}

fn cut(mut message: String) -> String {
    if message.len() > MESSAGE_BYTES_MAX {
        let end = (0..=MESSAGE_BYTES_MAX)
            .rev()
            .find(|&at| message.is_char_boundary(at))
            .unwrap_or(0);
        message.truncate(end);
        message.push('…');
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_object_keeps_its_words_and_a_foreign_page_is_quoted() {
        let status = br#"{"kind":"Status","reason":"AlreadyExists","message":"pods \"a\" already exists","code":409}"#;
        let error = ApiError::from_answer(409, status, None);
        assert_eq!(error.class, ErrorClass::AlreadyExists);
        assert_eq!(error.message, "pods \"a\" already exists");
        let error = ApiError::from_answer(502, b"<html>bad gateway</html>", None);
        assert_eq!(error.class, ErrorClass::Server);
        assert_eq!(error.message, "HTTP 502: <html>bad gateway</html>");
    }

    #[test]
    fn a_denial_of_ten_megabytes_is_cut() {
        let error = ApiError::from_answer(403, "ä".repeat(5 << 20).as_bytes(), None);
        assert!(error.message.len() <= MESSAGE_BYTES_MAX + 4);
    }
}
