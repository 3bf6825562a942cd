//! What can go wrong with a remote, in Flux's words where it has some.

use std::time::Duration;

use diag::{Code, Explain, Reason, Retry};

use super::RemoteUrl;
use crate::odb::ObjectError;
use crate::{CheckoutError, Oid, PackError, RefNameError, RepositoryError};

/// Why a remote cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address breaks a rule.
    #[error("`{url}` is no valid address of a Git repository: {why}")]
    UrlInvalid {
        /// The address without credentials.
        url: String,
        /// The rule.
        why: &'static str,
    },
    /// The address asks for a way that is not supported.
    #[error("`{url}` asks for SSH, which is not supported")]
    Scheme {
        /// The address without credentials.
        url: String,
    },
    /// A reference name breaks the rules.
    #[error(transparent)]
    RefName(#[from] RefNameError),
    /// The host's address is one that may not be connected to.
    #[error("the address of `{url}` is not an allowed destination")]
    Address {
        /// The repository.
        url: RemoteUrl,
    },
    /// Certificates, keys or the proxy cannot be used.
    #[error("a connection to `{url}` cannot be set up: {why}")]
    Tls {
        /// The repository.
        url: RemoteUrl,
        /// What is wrong.
        why: String,
    },
    /// Nothing answers, or the connection breaks.
    #[error("cannot reach `{url}`")]
    Connect {
        /// The repository.
        url: RemoteUrl,
        /// The cause, without the address.
        source: reqwest::Error,
    },
    /// Everything took too long.
    #[error("`{url}` did not answer within {} seconds", .after.as_secs_f32())]
    Timeout {
        /// The repository.
        url: RemoteUrl,
        /// The deadline.
        after: Duration,
    },
    /// The host wants to know who asks, or does not like the answer.
    #[error("authentication required for `{url}`")]
    Unauthorized {
        /// The repository.
        url: RemoteUrl,
        /// Whether credentials were given.
        given: bool,
    },
    /// The host knows who asks and says no.
    #[error("access to `{url}` is denied")]
    Forbidden {
        /// The repository.
        url: RemoteUrl,
    },
    /// The host has no such repository.
    #[error("repository `{url}` not found")]
    NotFound {
        /// The repository.
        url: RemoteUrl,
    },
    /// The host asks to slow down.
    #[error("`{url}` asks to wait, with status {status}")]
    Busy {
        /// The repository.
        url: RemoteUrl,
        /// The HTTP status.
        status: u16,
        /// How long, if it says.
        retry_after: Option<Duration>,
    },
    /// Any other status.
    #[error("`{url}` answers with status {status}")]
    Status {
        /// The repository.
        url: RemoteUrl,
        /// The HTTP status.
        status: u16,
    },
    /// The host sends us elsewhere.
    #[error("`{url}` redirects to `{to}`, which is another host or less secure")]
    Redirect {
        /// The repository.
        url: RemoteUrl,
        /// Where to.
        to: String,
    },
    /// Something else lives there, such as a page to sign in.
    #[error("`{url}` does not answer as a Git server does")]
    NotAGitServer {
        /// The repository.
        url: RemoteUrl,
    },
    /// The remote's own words.
    #[error("`{url}` refuses: {message}")]
    Refused {
        /// The repository.
        url: RemoteUrl,
        /// At most 1000 characters, without control characters.
        message: String,
    },
    /// The answer breaks the protocol.
    #[error("`{url}` breaks the protocol: {why}")]
    Protocol {
        /// The repository.
        url: RemoteUrl,
        /// How.
        why: &'static str,
    },
    /// The repository names its objects by SHA-256.
    #[error("`{url}` uses SHA-256 objects, which are not supported")]
    ObjectFormat {
        /// The repository.
        url: RemoteUrl,
    },
    /// The answer is larger than a limit.
    #[error("`{url}` sends more {what} than the limit of {limit}")]
    Limit {
        /// The repository.
        url: RemoteUrl,
        /// What is counted.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// The remote does not have this commit, or does not give it away.
    #[error("commit {id} is not in the repository")]
    NoSuchCommit {
        /// What was asked for.
        id: Oid,
    },
    /// The pack is damaged or too large.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// An object is missing or malformed.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The files cannot be had.
    #[error(transparent)]
    Checkout(#[from] CheckoutError),
    /// The process ends before the work is done.
    #[error("the process is stopping")]
    Stopping,
    /// A repository of this process cannot be read.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
}

impl Explain for Error {
    fn code(&self) -> Code {
        Code(match self {
            Self::UrlInvalid { .. } => "UrlInvalid",
            Self::Scheme { .. } => "UrlSchemeUnsupported",
            Self::RefName(_) => "RefNameInvalid",
            Self::Address { .. } => "AddressForbidden",
            Self::Tls { .. } => "CertificateInvalid",
            Self::Connect { .. } => "RemoteUnreachable",
            Self::Timeout { .. } => "RemoteTimeout",
            Self::Unauthorized { .. } => "AuthenticationRequired",
            Self::Forbidden { .. } => "AccessDenied",
            Self::NotFound { .. } => "RepositoryNotFound",
            Self::Busy { .. } => "RemoteBusy",
            Self::Status { .. } => "RemoteStatus",
            Self::Redirect { .. } => "RedirectForbidden",
            Self::NotAGitServer { .. } => "NotAGitServer",
            Self::Refused { .. } => "RemoteRefused",
            Self::Protocol { .. } => "ProtocolError",
            Self::ObjectFormat { .. } => "ObjectFormatUnsupported",
            Self::Limit { .. } | Self::Pack(PackError::Limit { .. }) => "GitLimit",
            Self::Checkout(CheckoutError::Limit { .. }) => "GitLimit",
            Self::NoSuchCommit { .. } => "CommitNotFound",
            Self::Pack(PackError::Collision(_)) => "CollisionDetected",
            Self::Pack(_) => "PackDamaged",
            Self::Object(_) | Self::Checkout(_) => "ObjectMalformed",
            Self::Stopping => "Stopping",
            Self::Repository(RepositoryError::NotARepository(_)) => "RepositoryNotFound",
            Self::Repository(_) => "RepositoryUnreadable",
        })
    }

    /// Flux keeps `AuthenticationFailed` for credentials that cannot be used at all; a host that
    /// refuses them is a failed operation.
    fn reason(&self) -> Reason {
        Reason(match self {
            Self::UrlInvalid { .. } | Self::Scheme { .. } => "URLInvalid",
            Self::Tls { .. } => "AuthenticationFailed",
            _ => "GitOperationFailed",
        })
    }

    fn retry(&self) -> Retry {
        match self {
            Self::UrlInvalid { .. } | Self::Scheme { .. } => Retry::Never,
            _ => Retry::Later,
        }
    }

    fn help(&self) -> Vec<String> {
        let help = match self {
            Self::Unauthorized { given: false, .. } => {
                "Name a Secret with `username` and `password`, or `bearerToken`, in `spec.secretRef`."
            }
            Self::Unauthorized { given: true, .. } => {
                "Check that the token in the Secret has not expired and may read this repository."
            }
            Self::NotFound { .. } => {
                "Check the address; many hosts also say this when the token may not see the repository."
            }
            Self::Scheme { .. } => "Use the https address of the repository and a token.",
            Self::Redirect { .. } => "Put the address it redirects to into `spec.url`.",
            Self::NotAGitServer { .. } => {
                "Check that the address is the one used to clone; a page to sign in may stand before it."
            }
            Self::Address { .. } => {
                "Addresses of this machine and of cloud metadata are not reached from data; use the host's public name."
            }
            Self::Tls { .. } => {
                "Check that `ca.crt`, `tls.crt` and `tls.key` of the Secret are PEM."
            }
            _ => return Vec::new(),
        };
        vec![help.to_owned()]
    }
}
