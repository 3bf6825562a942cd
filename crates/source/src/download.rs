//! Artifacts that another process stored: fetched by address, believed by digest.

use std::sync::Arc;
use std::time::Duration;

use api::Artifact;
use diag::{Code, Explain, Reason, Retry};
use git::client::Addresses;
use tree::Tree;

use crate::Storage;
use crate::archive::Limits;
use crate::storage::{StorageError, open};

/// Most bytes of an archive; what unpacks to the largest tree is rarely a quarter of it.
pub const DOWNLOAD_BYTES_MAX: u64 = 256 << 20;

/// Most time for one archive.
const DOWNLOAD_MAX: Duration = Duration::from_secs(60);

/// How long the other side may send nothing.
const SILENCE_MAX: Duration = Duration::from_secs(10);

/// Why an artifact of another process cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// Its address cannot be used.
    #[error("`{0}` is no address of an artifact")]
    Url(String),
    /// Its address is one that may not be connected to.
    #[error("the address of `{0}` is not an allowed destination")]
    Address(String),
    /// Nothing answers, or the connection breaks.
    #[error("failed to download artifact from `{url}`")]
    Connect {
        /// The address.
        url: String,
        /// The cause.
        source: reqwest::Error,
    },
    /// It is not there.
    #[error("artifact not found at `{0}`")]
    NotFound(String),
    /// Any other status.
    #[error("failed to download artifact from `{url}`, status: {status}")]
    Status {
        /// The address.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// It is too large.
    #[error("the artifact at `{0}` is larger than {DOWNLOAD_BYTES_MAX} bytes")]
    TooLarge(String),
    /// It is not what was advertised, or makes no sense.
    #[error("failed to verify artifact from `{url}`")]
    Verify {
        /// The address.
        url: String,
        /// The cause.
        source: StorageError,
    },
}

impl Explain for DownloadError {
    fn code(&self) -> Code {
        match self {
            Self::Url(_) => Code("UrlInvalid"),
            Self::Address(_) => Code("AddressForbidden"),
            Self::Connect { .. } => Code("RemoteUnreachable"),
            Self::NotFound(_) => Code("ArtifactNotFound"),
            Self::Status { .. } => Code("RemoteStatus"),
            Self::TooLarge(_) => Code("ArchiveTooLarge"),
            Self::Verify { source, .. } => source.code(),
        }
    }

    fn reason(&self) -> Reason {
        Reason("ArtifactFailed")
    }

    fn retry(&self) -> Retry {
        Retry::Later
    }
}

/// Reads artifacts, from our own storage where they are in it.
#[derive(Clone, Debug)]
pub struct Downloader {
    storage: Arc<Storage>,
    addresses: Addresses,
    client: Result<reqwest::Client, String>,
}

impl Downloader {
    /// A downloader that connects to `addresses` only.
    ///
    /// Proxies named by the environment are not used: artifacts are served inside a cluster.
    pub fn new(storage: Arc<Storage>, addresses: Addresses) -> Self {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(addresses.resolver())
            .no_proxy()
            .connect_timeout(SILENCE_MAX)
            .read_timeout(SILENCE_MAX)
            .timeout(DOWNLOAD_MAX)
            .build();
        Self {
            storage,
            addresses,
            client: client.map_err(|error| error.to_string()),
        }
    }

    /// The files of an artifact: from memory, from our storage, or from its address.
    ///
    /// # Errors
    /// [`DownloadError`]; nothing of it may be used then.
    pub async fn tree(&self, artifact: &Artifact) -> Result<Tree, DownloadError> {
        if let Some(tree) = self.storage.recall(&artifact.digest) {
            return Ok(tree);
        }
        let url = artifact.url.clone();
        if url == self.storage.url(&artifact.path) {
            let (storage, artifact) = (self.storage.clone(), artifact.clone());
            let read = tokio::task::spawn_blocking(move || storage.tree(&artifact)).await;
            let read = read.map_err(|_| DownloadError::NotFound(url.clone()))?;
            return read.map_err(|source| match source {
                StorageError::Read(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    DownloadError::NotFound(url)
                }
                source => DownloadError::Verify { url, source },
            });
        }
        let bytes = self.get(&url).await?;
        let (storage, digest) = (self.storage.clone(), artifact.digest.clone());
        let opened = tokio::task::spawn_blocking(move || {
            let tree = open(&digest, &bytes, &Limits::FOREIGN)?;
            storage.remember(&digest, &tree);
            Ok(tree)
        });
        match opened.await {
            Ok(Ok(tree)) => Ok(tree),
            Ok(Err(source)) => Err(DownloadError::Verify { url, source }),
            Err(_) => Err(DownloadError::NotFound(url)),
        }
    }

    async fn get(&self, url: &str) -> Result<Vec<u8>, DownloadError> {
        let bad = || DownloadError::Url(url.chars().take(200).collect());
        let parsed = reqwest::Url::parse(url).map_err(|_| bad())?;
        let plain = parsed.username().is_empty() && parsed.password().is_none();
        if !matches!(parsed.scheme(), "http" | "https") || !plain {
            return Err(bad());
        }
        let host = parsed.host_str().unwrap_or("").trim_matches(['[', ']']);
        if host
            .parse()
            .is_ok_and(|address| !self.addresses.allow(address))
        {
            return Err(DownloadError::Address(url.to_owned()));
        }
        let Ok(client) = &self.client else {
            return Err(bad());
        };
        let connect = |source: reqwest::Error| match git::client::is_forbidden_address(&source) {
            true => DownloadError::Address(url.to_owned()),
            false => DownloadError::Connect {
                url: url.to_owned(),
                source: source.without_url(),
            },
        };
        let mut response = client.get(parsed).send().await.map_err(connect)?;
        match response.status().as_u16() {
            200 => {}
            404 | 410 => return Err(DownloadError::NotFound(url.to_owned())),
            status => {
                return Err(DownloadError::Status {
                    url: url.to_owned(),
                    status,
                });
            }
        }
        let mut bytes = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(connect)? {
            if (bytes.len() + piece.len()) as u64 > DOWNLOAD_BYTES_MAX {
                return Err(DownloadError::TooLarge(url.to_owned()));
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }
}
