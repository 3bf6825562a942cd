//! An authority of our own: the server's certificate and those of its clients.

use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use crate::kubeconfig::write_private;

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// Making or signing one failed.
    #[error("cannot make a certificate")]
    Make(#[from] rcgen::Error),
    /// TLS refuses what was made or read.
    #[error("cannot use the certificate")]
    Use(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The authority's files cannot be read or written.
    #[error("cannot keep the certificate authority in `{path}`")]
    Keep {
        /// The folder or file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
}

/// A certificate and its key, both PEM.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The certificate.
    pub certificate: String,
    /// The private key.
    pub key: String,
}

/// Signs the certificates of one installation.
pub struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
    key: String,
}

impl Authority {
    /// A new one, kept nowhere.
    ///
    /// # Errors
    /// [`CertificateError::Make`].
    pub fn generate() -> Result<Self, CertificateError> {
        let key = KeyPair::generate()?;
        let mut params = params("fleetwright-ca", &[], &[])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::CrlSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        params.extended_key_usages.clear();
        let certificate = params.self_signed(&key)?.pem();
        let key_text = key.serialize_pem();
        Ok(Self {
            certificate,
            issuer: Issuer::new(params, key),
            key: key_text,
        })
    }

    /// The one kept in `folder` (`ca.crt`, `ca.key`), or a new one that is kept there from now on.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn open(folder: &Path) -> Result<Self, CertificateError> {
        let (certificate_path, key_path) = (folder.join("ca.crt"), folder.join("ca.key"));
        let keep = |path: &Path| {
            let path = path.display().to_string();
            |source| CertificateError::Keep { path, source }
        };
        if key_path.exists() {
            let certificate =
                std::fs::read_to_string(&certificate_path).map_err(keep(&certificate_path))?;
            let key = std::fs::read_to_string(&key_path).map_err(keep(&key_path))?;
            let issuer = Issuer::from_ca_cert_pem(&certificate, KeyPair::from_pem(&key)?)?;
            return Ok(Self {
                certificate,
                issuer,
                key,
            });
        }
        let authority = Self::generate()?;
        // The key last: without it the next start makes both anew.
        write_private(&certificate_path, authority.certificate.as_bytes())
            .map_err(keep(&certificate_path))?;
        write_private(&key_path, authority.key.as_bytes()).map_err(keep(&key_path))?;
        Ok(authority)
    }

    /// The authority's certificate, PEM.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// A client certificate for a user and its groups.
    ///
    /// # Errors
    /// [`CertificateError::Make`].
    pub fn client(&self, user: &str, groups: &[&str]) -> Result<Identity, CertificateError> {
        let mut params = params(user, groups, &[])?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(params)
    }

    /// A server certificate for names and addresses.
    ///
    /// # Errors
    /// [`CertificateError::Make`].
    pub fn server(&self, names: &[String]) -> Result<Identity, CertificateError> {
        let mut params = params("kube-apiserver", &[], names)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(params)
    }

    /// TLS settings of a server with this certificate that asks clients for one of ours, but
    /// takes those without, too; offers HTTP/2 and HTTP/1.1.
    ///
    /// # Errors
    /// [`CertificateError::Use`].
    pub fn server_config(&self, server: &Identity) -> Result<Arc<ServerConfig>, CertificateError> {
        let wrong = |error: Box<dyn std::error::Error + Send + Sync>| CertificateError::Use(error);
        let certificate = |pem: &str| {
            CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|error| wrong(Box::new(error)))
        };
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        roots
            .add(certificate(&self.certificate)?)
            .map_err(|error| wrong(Box::new(error)))?;
        let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone())
            .allow_unauthenticated()
            .build()
            .map_err(|error| wrong(Box::new(error)))?;
        let key = PrivateKeyDer::from_pem_slice(server.key.as_bytes())
            .map_err(|error| wrong(Box::new(error)))?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| wrong(Box::new(error)))?
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![certificate(&server.certificate)?], key)
            .map_err(|error| wrong(Box::new(error)))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    fn sign(&self, params: CertificateParams) -> Result<Identity, CertificateError> {
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Identity {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        })
    }
}

fn params(
    name: &str,
    organisations: &[&str],
    names: &[String],
) -> Result<CertificateParams, CertificateError> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    for organisation in organisations {
        params
            .distinguished_name
            .push(DnType::OrganizationName, *organisation);
    }
    params.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyEncipherment,
    ];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authentication::certificate_user;

    #[test]
    fn a_client_certificate_names_user_and_groups() {
        let authority = Authority::generate().expect("an authority");
        let identity = authority
            .client("ada", &["system:masters"])
            .expect("a certificate");
        let der = CertificateDer::from_pem_slice(identity.certificate.as_bytes()).expect("PEM");
        let user = certificate_user(&der).expect("a user");
        assert_eq!(user.name, "ada");
        assert_eq!(user.groups, ["system:masters", "system:authenticated"]);
        assert_eq!(certificate_user(b"\x30\x03\x02\x01\x00"), None);
    }

    #[test]
    fn a_kept_authority_signs_again_after_a_restart() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = Authority::open(folder.path()).expect("a new authority");
        let again = Authority::open(folder.path()).expect("the same authority");
        assert_eq!(first.certificate(), again.certificate());
        let server = again
            .server(&["localhost".into(), "127.0.0.1".into()])
            .expect("a certificate");
        again.server_config(&server).expect("TLS settings");
    }
}
