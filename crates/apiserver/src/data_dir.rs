//! What a durable installation keeps in its folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cluster::random_bytes;
use crate::kubeconfig::write_private;
use crate::{Authority, CertificateError, RedbStore};

/// A folder with a certificate authority, the secret of service account tokens and the stores.
pub struct DataDir {
    path: PathBuf,
    /// Signs the certificates of server and clients.
    pub authority: Arc<Authority>,
    /// What service account tokens are signed with.
    pub token_secret: [u8; 32],
}

impl DataDir {
    /// Opens a folder, and makes what is missing in it.
    ///
    /// # Errors
    /// [`CertificateError::Keep`] names the file that cannot be read or written.
    pub fn open(path: &Path) -> Result<Self, CertificateError> {
        let secret = path.join("pki").join("token-secret");
        let keep = |source| CertificateError::Keep {
            path: secret.display().to_string(),
            source,
        };
        let authority = Arc::new(Authority::open(&path.join("pki"))?);
        let token_secret = match std::fs::read(&secret) {
            Ok(bytes) => bytes
                .try_into()
                .map_err(|_| keep(std::io::ErrorKind::InvalidData.into()))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let bytes = random_bytes();
                write_private(&secret, &bytes).map_err(keep)?;
                bytes
            }
            Err(error) => return Err(keep(error)),
        };
        Ok(Self {
            path: path.to_owned(),
            authority,
            token_secret,
        })
    }

    /// The store of the cluster of that name.
    pub fn store(&self, cluster: &str) -> RedbStore {
        RedbStore::file(&self.path.join(format!("{cluster}.redb")))
    }
}
