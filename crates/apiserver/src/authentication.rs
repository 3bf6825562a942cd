//! From credentials to a user.

use std::collections::BTreeMap;
use std::path::Path;

use apimachine::User;
use apimachine::rbac::{AUTHENTICATED, Impersonation};
use http::HeaderMap;
use object::Text;
use subtle::ConstantTimeEq as _;

/// Static bearer tokens and their users.
#[derive(Clone, Debug, Default)]
pub struct Tokens(Vec<(String, User)>);

/// Why a token file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenFileError {
    /// The file cannot be read.
    #[error("cannot read the token file `{path}`")]
    Read {
        /// Which file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line has fewer than the three columns token, user, uid.
    #[error(
        "line {line} of the token file has fewer than three columns: token,user,uid,\"group,group\""
    )]
    Columns {
        /// Which line, from one.
        line: usize,
    },
    /// A line has an empty token, which nobody could send.
    #[error("line {line} of the token file has an empty token")]
    EmptyToken {
        /// Which line, from one.
        line: usize,
    },
}

impl Tokens {
    /// Reads a file in the format of `kube-apiserver --token-auth-file`.
    ///
    /// # Errors
    /// [`TokenFileError`].
    pub fn read(path: &Path) -> Result<Self, TokenFileError> {
        let text = std::fs::read_to_string(path).map_err(|source| TokenFileError::Read {
            path: path.display().to_string(),
            source,
        })?;
        Self::parse(&text)
    }

    /// Reads lines `token,user,uid[,"group,group"]`; empty lines and lines that start with `#` are skipped.
    ///
    /// # Errors
    /// [`TokenFileError`].
    ///
    /// # Source
    /// kubernetes/apiserver `pkg/authentication/token/tokenfile/tokenfile.go`.
    pub fn parse(text: &str) -> Result<Self, TokenFileError> {
        let mut tokens = Self::default();
        for (at, line) in text.lines().enumerate() {
            let line_number = at + 1;
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let cells = cells(line);
            let [token, name, uid, ..] = &cells[..] else {
                return Err(TokenFileError::Columns { line: line_number });
            };
            if token.is_empty() {
                return Err(TokenFileError::EmptyToken { line: line_number });
            }
            let groups = cells.get(3).map_or("", String::as_str);
            let groups = groups
                .split(',')
                .map(str::trim)
                .filter(|group| !group.is_empty());
            tokens.add(
                token,
                User {
                    uid: uid.into(),
                    ..User::new(name, groups)
                },
            );
        }
        Ok(tokens)
    }

    /// Adds one token.
    pub fn add(&mut self, token: &str, user: User) {
        self.0.push((token.to_owned(), user));
    }

    /// Whose token it is. Takes the same time whichever bytes differ.
    pub(crate) fn user(&self, token: &str) -> Option<&User> {
        let found = self
            .0
            .iter()
            .filter(|(one, _)| bool::from(one.as_bytes().ct_eq(token.as_bytes())));
        found.map(|(_, user)| user).next_back()
    }
}

/// The cells of a CSV line; quoted cells may hold commas and doubled quotes.
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        let cell = cells.last_mut().expect("there is always a cell");
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                cell.push('"');
                characters.next();
            }
            '"' if quoted || cell.trim().is_empty() => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            _ => cell.push(character),
        }
    }
    cells.iter().map(|cell| cell.trim().to_owned()).collect()
}

/// The token of an `Authorization: Bearer` header; `Some("")` for a header that holds something else.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(http::header::AUTHORIZATION)?;
    let text = value.to_str().unwrap_or_default();
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    Some(if scheme.eq_ignore_ascii_case("bearer") {
        token.trim()
    } else {
        ""
    })
}

/// What the `Impersonate-*` headers ask for.
pub(crate) fn impersonation(headers: &HeaderMap) -> Impersonation {
    const EXTRA: &str = "impersonate-extra-";
    let text = |name: &str| -> Text {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .into()
    };
    let mut extra: BTreeMap<Text, Vec<Text>> = BTreeMap::new();
    for (name, value) in headers {
        if let (Some(key), Ok(value)) = (name.as_str().strip_prefix(EXTRA), value.to_str()) {
            let key = crate::http::percent_decode(key).to_lowercase();
            extra.entry(key.into()).or_default().push(value.into());
        }
    }
    let groups = headers.get_all("impersonate-group").into_iter();
    Impersonation {
        user: text("impersonate-user"),
        uid: text("impersonate-uid"),
        groups: groups
            .filter_map(|group| group.to_str().ok().map(Text::from))
            .collect(),
        extra,
    }
}

/// The user of a client certificate: common name, and organisations as groups.
///
/// `None` when the certificate names nobody; its chain and dates were checked by the handshake.
pub(crate) fn certificate_user(der: &[u8]) -> Option<User> {
    let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
    let subject = certificate.subject();
    let name = subject
        .iter_common_name()
        .next()?
        .as_str()
        .ok()
        .filter(|name| !name.is_empty())?;
    let groups = subject
        .iter_organization()
        .filter_map(|group| group.as_str().ok());
    let mut user = User::new(name, groups);
    user.add_group(AUTHENTICATED);
    Some(user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_files_are_read_as_kubernetes_reads_them() {
        let tokens =
            Tokens::parse("# staff\na-token,admin,1,\"system:masters,ops\"\n\nb-token,bob,2\n")
                .expect("a right file");
        let groups = |token: &str| tokens.user(token).map(|user| user.groups.join(" "));
        assert_eq!(
            groups("a-token").as_deref(),
            Some("system:masters ops system:authenticated")
        );
        assert_eq!(groups("b-token").as_deref(), Some("system:authenticated"));
        assert_eq!(groups(""), None);
        assert!(matches!(
            Tokens::parse("x,y"),
            Err(TokenFileError::Columns { line: 1 })
        ));
        assert!(matches!(
            Tokens::parse("\n,y,z"),
            Err(TokenFileError::EmptyToken { line: 2 })
        ));
    }

    #[test]
    fn only_bearer_tokens_count() {
        let header = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("authorization", value.parse().expect("a header value"));
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(header("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(header("bearer  abc ").as_deref(), Some("abc"));
        assert_eq!(header("Basic abc").as_deref(), Some(""));
        assert_eq!(bearer(&HeaderMap::new()), None);
    }
}
