//! `url("https://example.com/a?b=c")`
//!
//! # Source
//! kubernetes/apiserver `pkg/cel/library/urls.go`; what is a URL: golang/go `src/net/url`,
//! `ParseRequestURI` (an absolute URL, or a path from the root).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Function, Outcome, global, member, no_overload, text};
use crate::cost::Cost;
use crate::{Shape, Value};

const URL: &[&str] = &["kubernetes.URL"];

pub(super) static FUNCTIONS: &[Function] = &[
    global(
        "url",
        (1, 1),
        Cost::Traverse,
        Shape::Named("kubernetes.URL"),
        |a| {
            let written = text(&a[0])?;
            Url::parse(written)
            .map(|url| Value::Url(Arc::new(url)))
            .ok_or_else(|| {
                format!("URL parse error during conversion from string: parse {written:?}: invalid URI for request").into()
            })
        },
    ),
    global("isURL", (1, 1), Cost::Traverse, Shape::Bool, |a| {
        Ok(Value::Bool(Url::parse(text(&a[0])?).is_some()))
    }),
    member("getScheme", (1, 1), URL, Cost::One, Shape::String, |a| {
        part(a, |url| url.scheme.clone())
    }),
    member("getHost", (1, 1), URL, Cost::One, Shape::String, |a| {
        part(a, |url| url.host.clone())
    }),
    member("getHostname", (1, 1), URL, Cost::One, Shape::String, |a| {
        part(a, |url| {
            let name = url.hostname_and_port().0;
            let bare = name
                .strip_prefix('[')
                .and_then(|name| name.strip_suffix(']'));
            bare.unwrap_or(name).to_owned()
        })
    }),
    member("getPort", (1, 1), URL, Cost::One, Shape::String, |a| {
        part(a, |url| url.hostname_and_port().1.to_owned())
    }),
    member(
        "getEscapedPath",
        (1, 1),
        URL,
        Cost::One,
        Shape::String,
        |a| part(a, |url| url.path.clone()),
    ),
    member("getQuery", (1, 1), URL, Cost::One, Shape::Dyn, |a| {
        let Value::Url(url) = &a[0] else {
            return no_overload();
        };
        let mut query: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for pair in url.query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if let (Some(key), Some(value)) = (unescape(key, true), unescape(value, true)) {
                query.entry(key).or_default().push(Value::string(value));
            }
        }
        Ok(Value::map(
            query
                .into_iter()
                .map(|(key, values)| (key, Value::list(values))),
        ))
    }),
];

/// A parsed URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Url {
    /// As written.
    pub text: String,
    /// Without colon, lower case.
    pub scheme: String,
    /// Host and port, without user.
    pub host: String,
    /// Path as written.
    pub path: String,
    /// After the question mark, as written.
    pub query: String,
}

impl Url {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.is_empty() || text.bytes().any(|byte| byte < 0x20 || byte == 0x7f) {
            return None;
        }
        let mut url = Self {
            text: text.to_owned(),
            ..Self::default()
        };
        let mut rest: &str = text;
        if let Some(colon) = rest.find(':') {
            let scheme = &rest[..colon];
            let valid = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
            if valid {
                url.scheme = scheme.to_ascii_lowercase();
                rest = &rest[colon + 1..];
            } else if colon == 0 {
                return None;
            }
        }
        // A fragment is not looked at.
        rest = rest.split_once('#').map_or(rest, |(before, _)| before);
        if let Some((before, query)) = rest.split_once('?') {
            url.query = query.to_owned();
            rest = before;
        }
        if !rest.starts_with('/') {
            // An opaque part is accepted after a scheme, a relative path never.
            return (!url.scheme.is_empty()).then_some(url);
        }
        if let Some(after) = rest.strip_prefix("//")
            && (!url.scheme.is_empty() || !rest.starts_with("///"))
        {
            let end = after.find('/').unwrap_or(after.len());
            let authority = &after[..end];
            let host = authority
                .rsplit_once('@')
                .map_or(authority, |(_, host)| host);
            if !valid_host(host) {
                return None;
            }
            url.host = unescape(host, false)?;
            rest = &after[end..];
        }
        unescape(rest, false)?;
        // What Go would escape itself is escaped in the escaped path.
        url.path = escape_path(rest);
        Some(url)
    }

    fn hostname_and_port(&self) -> (&str, &str) {
        let after = self.host.rfind(']').map_or(0, |at| at + 1);
        match self.host[after..].rfind(':') {
            Some(colon) => (&self.host[..after + colon], &self.host[after + colon + 1..]),
            None => (&self.host, ""),
        }
    }
}

fn valid_host(host: &str) -> bool {
    let after = match host.strip_prefix('[') {
        Some(inner) => match inner.split_once(']') {
            Some((_, after)) => after,
            None => return false,
        },
        None => host.find(':').map_or("", |at| &host[at..]),
    };
    let port = after.strip_prefix(':').unwrap_or(after);
    let characters = host.chars().all(|c| {
        !matches!(
            c,
            ' ' | '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}'
        )
    });
    characters
        && (after.is_empty() || after.starts_with(':'))
        && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// Resolves `%41`; in queries `+` is a blank.
fn unescape(text: &str, query: bool) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'%' => {
                let digits = text.get(at + 1..at + 3)?;
                if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                    return None;
                }
                out.push(u8::from_str_radix(digits, 16).ok()?);
                at += 3;
                continue;
            }
            b'+' if query => out.push(b' '),
            byte => out.push(byte),
        }
        at += 1;
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}

fn escape_path(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => out.push(byte as char),
            b'-' | b'_' | b'.' | b'~' | b'$' | b'&' | b'+' | b',' | b'/' | b':' | b';' | b'='
            | b'@' | b'!' | b'\'' | b'(' | b')' | b'*' | b'[' | b']' | b'%' => {
                out.push(byte as char);
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

fn part(a: &[Value], of: fn(&Url) -> String) -> Outcome {
    match &a[0] {
        Value::Url(url) => Ok(Value::string(of(url))),
        _ => no_overload(),
    }
}
