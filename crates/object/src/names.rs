//! What names and labels have to look like, in the words of the API server.
//!
//! Each function gives what is wrong with a text, nothing when it is right.
//!
//! # Source
//! kubernetes/apimachinery `pkg/util/validation/validation.go`, which counts characters, and for
//! labels `pkg/api/validate/content/{dns,kube}.go`, which counts bytes.

/// Most bytes of a subdomain, and so of most names.
pub const SUBDOMAIN_BYTES_MAX: usize = 253;

/// Most bytes of a DNS label, of the name part of a label's key and of a label's value.
pub const LABEL_BYTES_MAX: usize = 63;

const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const LABEL_1035: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const QUALIFIED: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/// A lowercase RFC 1123 label: the name of a Namespace or a container.
pub fn label(text: &str) -> Vec<String> {
    let wrong = (!is_label(text)).then(|| match is_subdomain(text) {
        true => "must not contain dots".to_owned(),
        false => LABEL.to_owned(),
    });
    too_long(text, LABEL_BYTES_MAX).chain(wrong).collect()
}

/// A DNS-1035 label, which starts with a letter: the name of a kind or a Service.
pub fn label_1035(text: &str) -> Vec<String> {
    let right = is_label(text) && text.starts_with(|c: char| c.is_ascii_lowercase());
    let wrong = (!right).then(|| LABEL_1035.to_owned());
    too_long(text, LABEL_BYTES_MAX).chain(wrong).collect()
}

/// Lowercase labels joined by dots: the name of most objects.
pub fn subdomain(text: &str) -> Vec<String> {
    let wrong = (!is_subdomain(text)).then(|| SUBDOMAIN.to_owned());
    too_long(text, SUBDOMAIN_BYTES_MAX).chain(wrong).collect()
}

/// The key of a label: an optional prefix that is a subdomain, and a name.
pub fn qualified(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let name = match text.split('/').collect::<Vec<_>>()[..] {
        [name] => name,
        [prefix, name] => {
            if prefix.is_empty() {
                wrong.push("prefix part must be non-empty".to_owned());
            } else {
                if prefix.len() > SUBDOMAIN_BYTES_MAX {
                    let most = SUBDOMAIN_BYTES_MAX;
                    wrong.push(format!("prefix part must be no more than {most} bytes"));
                }
                if !is_subdomain(prefix) {
                    wrong.push(format!("prefix part {SUBDOMAIN}"));
                }
            }
            name
        }
        _ => {
            return vec![format!(
                "a valid label key {QUALIFIED} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
    };
    if name.is_empty() {
        wrong.push("name part must be non-empty".to_owned());
    } else if name.len() > LABEL_BYTES_MAX {
        wrong.push(format!(
            "name part must be no more than {LABEL_BYTES_MAX} bytes"
        ));
    }
    if !is_qualified_part(name) {
        wrong.push(format!("name part {QUALIFIED}"));
    }
    wrong
}

/// The value of a label.
pub fn label_value(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if text.len() > LABEL_BYTES_MAX {
        wrong.push(format!("must be no more than {LABEL_BYTES_MAX} bytes"));
    }
    if !text.is_empty() && !is_qualified_part(text) {
        wrong.push(LABEL_VALUE.to_owned());
    }
    wrong
}

/// Whether the characters of `text` are those of a subdomain, however long it is.
pub fn is_subdomain(text: &str) -> bool {
    text.split('.').all(is_label)
}

fn is_label(text: &str) -> bool {
    let edge = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes.first().is_some_and(edge)
        && bytes.last().is_some_and(edge)
        && bytes.iter().all(|byte| edge(byte) || *byte == b'-')
}

fn is_qualified_part(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

fn too_long(text: &str, most: usize) -> impl Iterator<Item = String> {
    let wrong = (text.len() > most).then(|| format!("must be no more than {most} characters"));
    wrong.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_refused_in_the_words_of_the_api() {
        let long = "a".repeat(254);
        for (wrong, expected) in [
            (label("web-1"), &[][..]),
            (label("a.b"), &["must not contain dots"]),
            (label(&long), &["must be no more than 63 characters"]),
            (label("-"), &[LABEL]),
            (label_1035("a1"), &[]),
            (label_1035("1a"), &[LABEL_1035]),
            (label_1035(&long), &["must be no more than 63 characters"]),
            (subdomain("1.example.com"), &[]),
            (subdomain("a..b"), &[SUBDOMAIN]),
            (subdomain(&long), &["must be no more than 253 characters"]),
            (qualified("example.com/Name_1"), &[]),
            (qualified("/x"), &["prefix part must be non-empty"]),
            (
                qualified(&format!("{long}/x")),
                &["prefix part must be no more than 253 bytes"],
            ),
            (
                qualified(&long),
                &["name part must be no more than 63 bytes"],
            ),
            (label_value(""), &[]),
            (label_value("-"), &[LABEL_VALUE]),
            (label_value(&long), &["must be no more than 63 bytes"]),
        ] {
            assert_eq!(wrong, expected);
        }
        assert!(qualified("a/b/c")[0].starts_with("a valid label key must consist"));
        assert_eq!(qualified("a/").len(), 2);
    }
}
