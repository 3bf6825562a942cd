//! Who may read and who may push.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode, header};
use subtle::ConstantTimeEq as _;

use super::route::Service;
use super::{Options, Refusal};

/// A secret that opens the server.
///
/// It is given as the password of Basic authentication, with any user name, or as a Bearer token.
#[derive(Clone)]
pub struct Token {
    /// Who it stands for, for events.
    pub name: String,
    /// The secret; an empty one never matches.
    pub secret: String,
    /// Whether it may push.
    pub write: bool,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("name", &self.name)
            .field("write", &self.write)
            .finish_non_exhaustive()
    }
}

/// The name of the token that was used; `None` for anonymous reading.
pub(super) fn authorise(
    options: &Options,
    headers: &HeaderMap,
    service: Service,
) -> Result<Option<String>, Refusal> {
    let given = secret(headers);
    let refuse = |status, message: String| Err(Refusal::new(status, message));
    match judge(options, given.as_deref(), service) {
        Verdict::Anonymous => Ok(None),
        Verdict::Token(token) => Ok(Some(token.name.clone())),
        Verdict::Missing => {
            let wish = match service {
                Service::Upload => "read",
                Service::Receive => "push",
            };
            let message = format!("a token is needed to {wish}; give it as the password");
            refuse(StatusCode::UNAUTHORIZED, message)
        }
        Verdict::Unknown => refuse(StatusCode::UNAUTHORIZED, "the token is not known".into()),
        Verdict::ReadOnly(token) => {
            let message = format!("the token `{}` may read but not push", token.name);
            refuse(StatusCode::FORBIDDEN, message)
        }
    }
}

/// What a secret is good for.
pub(super) enum Verdict<'a> {
    Anonymous,
    Token(&'a Token),
    Missing,
    Unknown,
    ReadOnly(&'a Token),
}

/// The one place that decides.
pub(super) fn judge<'a>(
    options: &'a Options,
    given: Option<&str>,
    service: Service,
) -> Verdict<'a> {
    let Some(given) = given else {
        return match service == Service::Upload && options.anonymous_read {
            true => Verdict::Anonymous,
            false => Verdict::Missing,
        };
    };
    let mut found = None;
    for token in &options.tokens {
        // Every token is compared, so that time does not tell which one was near.
        let equal = token.secret.as_bytes().ct_eq(given.as_bytes());
        if bool::from(equal) && !token.secret.is_empty() {
            found = Some(token);
        }
    }
    match (found, service) {
        (None, _) => Verdict::Unknown,
        (Some(token), Service::Receive) if !token.write => Verdict::ReadOnly(token),
        (Some(token), _) => Verdict::Token(token),
    }
}

fn secret(headers: &HeaderMap) -> Option<String> {
    // A header that cannot be read is a wrong secret, not a missing one.
    let value = headers.get(header::AUTHORIZATION)?.to_str().unwrap_or("");
    let (scheme, rest) = value.split_once(' ').unwrap_or_default();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return Some(String::new());
    }
    let decoded = STANDARD.decode(rest.trim()).unwrap_or_default();
    let decoded = String::from_utf8(decoded).unwrap_or_default();
    let (_, password) = decoded.split_once(':').unwrap_or_default();
    Some(password.to_owned())
}
