//! What names, keys and addresses in specs have to look like, beyond what holds for every object.

use object::names::is_subdomain;
pub(super) use object::names::{SUBDOMAIN_BYTES_MAX, label, label_value, qualified, subdomain};

const CONFIG_KEY: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
const PERCENT: &str = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";
const WILDCARD: &str = "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const IP: &str = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
const CIDR: &str = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

fn too_long(max: usize) -> String {
    format!("must be no more than {max} characters")
}

/// A subdomain whose first label is `*`.
pub(super) fn wildcard_subdomain(text: &str) -> Vec<String> {
    let mut messages = Vec::new();
    if text.len() > SUBDOMAIN_BYTES_MAX {
        messages.push(too_long(SUBDOMAIN_BYTES_MAX));
    }
    if !text.strip_prefix("*.").is_some_and(is_subdomain) {
        messages.push(WILDCARD.into());
    }
    messages
}

/// Anything that can be one segment of a path.
pub(super) fn path_segment(text: &str) -> Vec<String> {
    if matches!(text, "." | "..") {
        return vec![format!("may not be '{text}'")];
    }
    let refused = ["/", "%"].iter().filter(|part| text.contains(**part));
    refused
        .map(|part| format!("may not contain '{part}'"))
        .collect()
}

/// A key of a ConfigMap or Secret.
pub(super) fn config_key(text: &str) -> Vec<String> {
    let mut messages = Vec::new();
    if text.len() > SUBDOMAIN_BYTES_MAX {
        messages.push(too_long(SUBDOMAIN_BYTES_MAX));
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if text.is_empty() || !text.bytes().all(fits) {
        messages.push(CONFIG_KEY.into());
    }
    match text {
        "." | ".." => messages.push(format!("must not be '{text}'")),
        _ if text.starts_with("..") => messages.push("must not start with '..'".into()),
        _ => {}
    }
    messages
}

/// The name of a port: a service name of RFC 6335.
pub(super) fn port_name(text: &str) -> Vec<String> {
    let mut messages = Vec::new();
    if text.len() > 15 {
        messages.push(too_long(15));
    }
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if text.is_empty() || !text.bytes().all(fits) {
        messages
            .push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)".into());
    }
    if !text.bytes().any(|byte| byte.is_ascii_lowercase()) {
        messages.push("must contain at least one letter (a-z)".into());
    }
    if text.contains("--") {
        messages.push("must not contain consecutive hyphens".into());
    }
    if text.starts_with('-') || text.ends_with('-') {
        messages.push("must not begin or end with a hyphen".into());
    }
    messages
}

/// The name of an environment variable.
pub(super) fn variable(text: &str) -> Vec<String> {
    let fits = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b'=';
    match text.bytes().all(fits) {
        true => Vec::new(),
        false => vec![
            "a valid environment variable name must consist only of printable ASCII characters other than '='".into(),
        ],
    }
}

/// `25%`.
pub(super) fn percent(text: &str) -> Vec<String> {
    let digits = text.strip_suffix('%').unwrap_or_default();
    match !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Vec::new(),
        false => vec![PERCENT.into()],
    }
}

/// An IP address.
pub(super) fn ip(text: &str) -> Vec<String> {
    match text.parse::<std::net::IpAddr>() {
        Ok(_) => Vec::new(),
        Err(_) => vec![IP.into()],
    }
}

/// A network in CIDR form.
pub(super) fn cidr(text: &str) -> Vec<String> {
    match network(text) {
        Some(_) => Vec::new(),
        None => vec![CIDR.into()],
    }
}

/// Address and length of a network in CIDR form.
pub(super) fn network(text: &str) -> Option<(std::net::IpAddr, u32)> {
    let (address, length) = text.split_once('/')?;
    let address: std::net::IpAddr = address.parse().ok()?;
    let digits = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
    let length: u32 = length.parse().ok().filter(|_| digits)?;
    let max = if address.is_ipv4() { 32 } else { 128 };
    (length <= max).then_some((address, length))
}

/// A domain, a slash and a path: `acme.io/foo`.
pub(super) fn domain_prefixed(text: &str) -> Vec<(String, String)> {
    const PATH: &str =
        "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')";
    let Some((host, path)) = text
        .split_once('/')
        .filter(|(host, path)| !host.is_empty() && !path.is_empty())
    else {
        let message = "must be a domain-prefixed path (such as \"acme.io/foo\")";
        return vec![(text.into(), message.into())];
    };
    let mut messages: Vec<_> = subdomain(host)
        .into_iter()
        .map(|message| (host.to_owned(), message))
        .collect();
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:".contains(&byte);
    if !path.bytes().all(fits) {
        messages.push((path.into(), PATH.into()));
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_refused_in_the_words_of_the_api() {
        assert_eq!(config_key(".."), ["must not be '..'"]);
        assert_eq!(port_name("80"), ["must contain at least one letter (a-z)"]);
        assert!(percent("25%").is_empty() && !percent("25").is_empty() && !percent("%").is_empty());
        assert_eq!(
            network("10.0.0.0/8"),
            Some(("10.0.0.0".parse().unwrap(), 8))
        );
        assert!(network("10.0.0.0/33").is_none() && network("10.0.0.0/+8").is_none());
        assert_eq!(
            path_segment("a/b%"),
            ["may not contain '/'", "may not contain '%'"]
        );
    }
}
