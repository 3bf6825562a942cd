//! A request, as the rules see it.

use std::borrow::Cow;

use object::{Node, Text, json};

use crate::rbac::User;

/// What a request brings.
#[derive(Clone, Debug)]
pub enum Content {
    /// The bytes as sent, decompressed; they are what `Content-Type` says.
    Bytes(Vec<u8>),
    /// A value that a client in this process has handed over. It is within the limits of a body.
    Node(Node),
}

impl Default for Content {
    fn default() -> Self {
        Self::Bytes(Vec::new())
    }
}

impl Content {
    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Bytes(bytes) if bytes.is_empty())
    }

    /// The bytes, for messages: of a value, its JSON.
    pub(crate) fn text(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Bytes(bytes) => Cow::Borrowed(bytes),
            Self::Node(node) => Cow::Owned(json::to_string(node).into_bytes()),
        }
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

/// One request to one cluster.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// HTTP method in capitals.
    pub method: Text,
    /// Path below the cluster's root, still percent-encoded, without query: `/api/v1/pods`.
    pub path: String,
    /// Query parameters in order, decoded.
    pub query: Vec<(String, String)>,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// All `Accept` headers, joined by commas.
    pub accept: Option<String>,
    /// The `If-None-Match` header, for discovery and OpenAPI.
    pub if_none_match: Option<String>,
    /// The body.
    pub body: Content,
    /// Who asks.
    pub user: User,
    /// The `User-Agent` header; names the field manager when the request does not.
    pub user_agent: String,
}

impl Request {
    /// A request of an administrator with a JSON body (none when empty); for tests and reducers.
    pub fn new(method: &str, path_and_query: &str, body: &str) -> Self {
        let (path, query) = path_and_query
            .split_once('?')
            .unwrap_or((path_and_query, ""));
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let query = pairs
            .map(|pair| {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                (decode(key, true), decode(value, true))
            })
            .collect();
        Self {
            method: method.into(),
            path: path.to_owned(),
            query,
            content_type: (!body.is_empty()).then(|| "application/json".to_owned()),
            accept: Some("application/json".to_owned()),
            body: body.as_bytes().to_vec().into(),
            user: User::admin(),
            user_agent: "test/1.0".to_owned(),
            ..Self::default()
        }
    }

    /// The first value of a query parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut pairs = self.query.iter();
        let found = pairs.find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// All values of a query parameter.
    pub fn parameters<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let matching = self.query.iter().filter(move |(key, _)| key == name);
        matching.map(|(_, value)| value.as_str())
    }
}

/// Undoes percent-encoding; `plus_is_blank` as in query strings. Broken escapes stay as they are.
pub(crate) fn decode(text: &str, plus_is_blank: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (bytes[at], escaped) {
            (_, Some(byte)) => {
                out.push(byte);
                at += 2;
            }
            (b'+', _) if plus_is_blank => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}
