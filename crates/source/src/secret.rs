//! How a source names itself: from the keys of a Secret to credentials and certificates.

use std::collections::BTreeMap;

use diag::{Code, Explain, Reason, Retry};
use git::client::{Credentials, Tls};

/// Longest value of a credential; request headers are not longer.
const CREDENTIAL_BYTES_MAX: usize = 16 * 1024;

/// Credentials and certificates of one source.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// How to name ourselves.
    pub credentials: Credentials,
    /// Whom to trust, and our own certificate.
    pub tls: Tls,
}

/// Why a Secret cannot be used; values are never shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Two keys belong together and one is missing.
    #[error("the Secret has `{has}` but not `{lacks}`")]
    Incomplete {
        /// What is there.
        has: &'static str,
        /// What is not.
        lacks: &'static str,
    },
    /// Two ways to name ourselves.
    #[error("the Secret has both `bearerToken` and `username`; only one can be used")]
    Both,
    /// A value that no header can hold.
    #[error("the value of `{0}` in the Secret is not one line of text")]
    Value(&'static str),
}

impl Explain for SecretError {
    fn code(&self) -> Code {
        Code("SecretUnusable")
    }

    fn reason(&self) -> Reason {
        Reason("AuthenticationFailed")
    }

    fn retry(&self) -> Retry {
        Retry::Later
    }

    fn help(&self) -> Vec<String> {
        vec!["Put `username` and `password`, or `bearerToken`, into the Secret; `ca.crt`, or `tls.crt` with `tls.key`, beside them.".into()]
    }
}

/// Reads the keys `username`, `password`, `bearerToken`, `ca.crt` (before `caFile`), `tls.crt` and
/// `tls.key`; others mean nothing over HTTP.
///
/// # Errors
/// [`SecretError`] names the key.
///
/// # Source
/// The keys of fluxcd/source-controller `docs/spec/v1/gitrepositories.md`, "Secret reference".
pub fn read(data: &BTreeMap<String, Vec<u8>>) -> Result<Access, SecretError> {
    let bytes = |key: &str| data.get(key).filter(|value| !value.is_empty());
    let line = |key: &'static str| -> Result<Option<String>, SecretError> {
        let Some(value) = bytes(key) else {
            return Ok(None);
        };
        let text = std::str::from_utf8(value).map_err(|_| SecretError::Value(key))?;
        // An editor's newline at the end is nobody's wish.
        let text = text.trim_end_matches(['\n', '\r']);
        match text.len() > CREDENTIAL_BYTES_MAX || text.contains(char::is_control) {
            true => Err(SecretError::Value(key)),
            false => Ok(Some(text.to_owned())),
        }
    };
    let incomplete = |has, lacks| Err(SecretError::Incomplete { has, lacks });
    let credentials = match (line("username")?, line("password")?, line("bearerToken")?) {
        (None, None, None) => Credentials::None,
        (Some(_), _, Some(_)) | (_, Some(_), Some(_)) => return Err(SecretError::Both),
        (None, None, Some(token)) => Credentials::Bearer(token),
        (Some(username), Some(password), None) => Credentials::Basic { username, password },
        (Some(_), None, None) => return incomplete("username", "password"),
        (None, Some(_), None) => return incomplete("password", "username"),
    };
    let identity = match (bytes("tls.crt"), bytes("tls.key")) {
        (Some(certificate), Some(key)) => Some((certificate.clone(), key.clone())),
        (Some(_), None) => return incomplete("tls.crt", "tls.key"),
        (None, Some(_)) => return incomplete("tls.key", "tls.crt"),
        (None, None) => None,
    };
    Ok(Access {
        credentials,
        tls: Tls {
            authorities: bytes("ca.crt").or(bytes("caFile")).cloned(),
            identity,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(keys: &[(&str, &str)]) -> Result<Access, SecretError> {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), value.as_bytes().to_vec());
        read(&keys.iter().map(owned).collect())
    }

    #[test]
    fn keys_of_a_secret_are_read_as_flux_does() {
        let access = given(&[("username", "bot\n"), ("password", "s3")]).unwrap();
        let expected = Credentials::Basic {
            username: "bot".into(),
            password: "s3".into(),
        };
        assert_eq!(access.credentials, expected);
        let access = given(&[("bearerToken", "t"), ("caFile", "old"), ("ca.crt", "new")]).unwrap();
        assert_eq!(access.credentials, Credentials::Bearer("t".into()));
        assert_eq!(access.tls.authorities.as_deref(), Some(&b"new"[..]));
        assert!(given(&[]).is_ok());
        for (keys, message) in [
            (
                &[("username", "a")][..],
                "the Secret has `username` but not `password`",
            ),
            (
                &[("tls.crt", "a")],
                "the Secret has `tls.crt` but not `tls.key`",
            ),
            (
                &[("bearerToken", "a\nb")],
                "the value of `bearerToken` in the Secret is not one line of text",
            ),
        ] {
            assert_eq!(given(keys).unwrap_err().to_string(), message);
        }
        assert_eq!(
            given(&[("username", "a"), ("password", "b"), ("bearerToken", "c")]).unwrap_err(),
            SecretError::Both
        );
    }
}
