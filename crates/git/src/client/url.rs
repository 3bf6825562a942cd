//! Addresses of remotes.

use std::fmt;

use super::{Credentials, Error};

/// Longest address; forges refuse longer ones.
const URL_BYTES_MAX: usize = 2048;

/// The checked address of a repository, over http or https.
///
/// Shown without the credentials that may be part of it.
#[derive(Clone, PartialEq, Eq)]
pub struct RemoteUrl {
    text: String,
    credentials: Credentials,
}

impl RemoteUrl {
    /// Checks an address.
    ///
    /// # Errors
    /// [`Error::UrlInvalid`] when it could be read in more than one way, [`Error::Scheme`] when it
    /// is well-formed but not served over http.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let refuse = |why| Error::UrlInvalid {
            url: redact(text),
            why,
        };
        if text.len() > URL_BYTES_MAX {
            return Err(refuse("it is longer than 2048 bytes"));
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(refuse("it does not start with `http://` or `https://`"));
        };
        let unusual = |c: char| c.is_whitespace() || c.is_control() || "\\#?<>\"`{}|^".contains(c);
        if text.contains(unusual) {
            return Err(refuse(
                "it holds a space, control character, `#`, `?` or `\\`",
            ));
        }
        let authority = rest.split('/').next().unwrap_or("");
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, _)) if user.contains('@') => {
                return Err(refuse("it holds more than one `@` before the path"));
            }
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        if host.is_empty() || host.starts_with(['-', ':']) {
            return Err(refuse("it has no host"));
        }
        if user.is_some_and(|user| user.starts_with('-')) {
            return Err(refuse("its user starts with a dash"));
        }
        match scheme {
            "http" | "https" => {}
            "ssh" => {
                return Err(Error::Scheme { url: redact(text) });
            }
            _ => return Err(refuse("its scheme is not http, https or ssh")),
        }
        let path = rest.split_once('/').map_or("", |(_, path)| path);
        if path.split('/').any(|segment| matches!(segment, "." | "..")) {
            return Err(refuse("its path holds `.` or `..`"));
        }
        let mut url = reqwest::Url::parse(text).map_err(|_| refuse("it cannot be read"))?;
        let credentials = match (url.username(), url.password()) {
            ("", None) => Credentials::None,
            (name, password) => Credentials::Basic {
                username: unescape(name),
                password: unescape(password.unwrap_or("")),
            },
        };
        if url.set_username("").is_err() || url.set_password(None).is_err() {
            return Err(refuse("it has no host"));
        }
        Ok(Self {
            text: url.as_str().trim_end_matches('/').to_owned(),
            credentials,
        })
    }

    /// The address without credentials and without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The credentials in the address, used when none are given beside it.
    pub(super) fn credentials(&self) -> &Credentials {
        &self.credentials
    }
}

/// The address without what stands before an `@`, and not all of a long one.
fn redact(text: &str) -> String {
    let shown = match (text.find("://"), text.rfind('@')) {
        (Some(start), Some(at)) if at > start => format!("{}://***{}", &text[..start], &text[at..]),
        _ => text.to_owned(),
    };
    shown.chars().take(200).collect()
}

/// Undoes `%41`.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        let digit = |at: usize| tail.get(at).and_then(|byte| (*byte as char).to_digit(16));
        match (byte, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high << 4 | low) as u8);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl fmt::Display for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_two_readers_could_take_differently_are_refused() {
        for bad in [
            "ssh://-oProxyCommand=x/y",
            "git@-h:x",
            "https://h#@evil/",
            "https://u:p@h@evil",
            "ext::sh -c x",
            "file:///etc",
            "https://",
            "https:///x",
            "https://h/a/../b",
            "https://h\\@evil/",
            "https://h/a b",
            "",
        ] {
            let error = RemoteUrl::parse(bad).unwrap_err();
            assert!(matches!(error, Error::UrlInvalid { .. }), "{bad}: {error}");
        }
        let error = RemoteUrl::parse("ssh://git@github.com/x/y").unwrap_err();
        assert!(matches!(error, Error::Scheme { .. }), "{error}");
    }

    #[test]
    fn credentials_in_an_address_are_used_and_never_shown() {
        let url = RemoteUrl::parse("https://bot:t%40ken@example.com/a/b.git/").unwrap();
        assert_eq!(url.to_string(), "https://example.com/a/b.git");
        let expected = Credentials::Basic {
            username: "bot".into(),
            password: "t@ken".into(),
        };
        assert_eq!(*url.credentials(), expected);
        let error = RemoteUrl::parse("https://bot:token@example.com/a b").unwrap_err();
        assert!(!error.to_string().contains("token"), "{error}");
    }
}
