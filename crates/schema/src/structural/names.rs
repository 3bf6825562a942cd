//! Names a definition or an embedded object may carry.
//!
//! # Source
//! Texts: kubernetes/apimachinery `pkg/util/validation/validation.go`.

const LABEL_1035: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const LABEL_1123: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN_1123: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/// What is wrong with `text` as a DNS-1035 label.
pub(super) fn label_1035(text: &str) -> Vec<String> {
    let valid = is_label(text) && text.starts_with(|c: char| c.is_ascii_lowercase());
    found(text, 63, valid, LABEL_1035)
}

/// What is wrong with `text` as an RFC 1123 label.
pub(super) fn label_1123(text: &str) -> Vec<String> {
    found(text, 63, is_label(text), LABEL_1123)
}

/// What is wrong with `text` as an RFC 1123 subdomain.
pub(super) fn subdomain_1123(text: &str) -> Vec<String> {
    found(text, 253, text.split('.').all(is_label), SUBDOMAIN_1123)
}

/// What is wrong with `text` as the value of a label.
pub(super) fn label_value(text: &str) -> Vec<String> {
    let inner = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let edge = |c: char| c.is_ascii_alphanumeric();
    let valid = text.is_empty()
        || (text.starts_with(edge) && text.ends_with(edge) && text.chars().all(inner));
    found(text, 63, valid, LABEL_VALUE)
}

fn found(text: &str, bytes_max: usize, valid: bool, message: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if text.len() > bytes_max {
        wrong.push(format!("must be no more than {bytes_max} bytes"));
    }
    if !valid {
        wrong.push(message.to_owned());
    }
    wrong
}

fn is_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    match text.as_bytes() {
        [] => false,
        bytes => {
            inner(bytes[0])
                && inner(bytes[bytes.len() - 1])
                && bytes.iter().all(|byte| inner(*byte) || *byte == b'-')
        }
    }
}
