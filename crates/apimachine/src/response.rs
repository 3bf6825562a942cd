//! An answer, as the rules give it.

use object::{Node, json};

use crate::watch::WatchPlan;

/// How a body is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Compact JSON.
    #[default]
    Json,
    /// JSON with two blanks per level.
    PrettyJson,
    /// YAML.
    Yaml,
}

/// What follows the headers.
#[derive(Clone, Debug)]
pub enum Body {
    /// One object, list, table or Status.
    Node(Node),
    /// Text as it is.
    Text(String),
    /// A stream: feed it with a [`crate::watch::Watcher`] made from this plan.
    Watch(Box<WatchPlan>),
}

/// The answer to one request.
#[derive(Clone, Debug)]
pub struct Response {
    /// HTTP status code.
    pub status: u16,
    /// Headers apart from those the shell owns (`Date`, `Content-Length`, `Audit-Id`).
    /// `Content-Type` is always among them.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
    /// How a [`Body::Node`] is to be written; agrees with `Content-Type`.
    pub format: Format,
}

impl Response {
    /// An answer with one object as JSON.
    pub fn json(status: u16, node: Node) -> Self {
        Self {
            status,
            headers: vec![("Content-Type".into(), "application/json".into())],
            body: Body::Node(node),
            format: Format::Json,
        }
    }

    /// An answer in plain text.
    pub fn text(status: u16, text: impl Into<String>) -> Self {
        Self {
            status,
            headers: vec![("Content-Type".into(), "text/plain; charset=utf-8".into())],
            body: Body::Text(text.into()),
            format: Format::Json,
        }
    }

    /// Adds a header.
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The first header of that name; names compare without case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The object in the body, if there is one.
    pub fn node(&self) -> Option<&Node> {
        match &self.body {
            Body::Node(node) => Some(node),
            _ => None,
        }
    }

    /// The bytes of the body; empty for a watch.
    pub fn encode(&self) -> Vec<u8> {
        match &self.body {
            Body::Node(node) => encode(node, self.format).into_bytes(),
            Body::Text(text) => text.clone().into_bytes(),
            Body::Watch(_) => Vec::new(),
        }
    }
}

/// Writes `node` in `format`, with the line end a server puts after JSON.
pub(crate) fn encode(node: &Node, format: Format) -> String {
    match format {
        Format::Json => json::to_string(node) + "\n",
        Format::PrettyJson => json::to_string_pretty(node, 2) + "\n",
        Format::Yaml => yaml::to_string(node),
    }
}
