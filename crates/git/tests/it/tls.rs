//! Certificates: ours and theirs.

use std::sync::Arc;

use diag::Explain as _;
use git::client::{Remote, Tls};
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use tokio_rustls::rustls;

use crate::client::{client, remote};
use crate::support::{Served, serve_connection};

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    Authority {
        issuer: Issuer::new(params, key),
        pem,
    }
}

impl Authority {
    /// A certificate for a name, and its key, as PEM.
    fn certify(&self, name: &str, usage: ExtendedKeyUsagePurpose) -> (String, String) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}

/// Serves over TLS and asks every client for a certificate of `clients`.
fn serve(served: &Served, server: (String, String), clients: &Authority) -> String {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(clients.pem.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(
        Arc::new(roots),
        provider.clone(),
    );
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(server.0.as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(server.1.as_bytes()).unwrap(),
        )
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let git = served.server.clone();
    served.block_on(async move {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, git) = (acceptor.clone(), git.clone());
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        serve_connection(stream, git).await;
                    }
                });
            }
        });
        format!("https://localhost:{port}/git/app.git")
    })
}

#[test]
fn only_the_right_authority_and_identity_get_through() {
    let served = Served::new();
    served.server.create("app", "main").unwrap();
    let (ours, theirs) = (authority(), authority());
    let server = ours.certify("localhost", ExtendedKeyUsagePurpose::ServerAuth);
    let identity = ours.certify("robot", ExtendedKeyUsagePurpose::ClientAuth);
    let foreign = theirs.certify("robot", ExtendedKeyUsagePurpose::ClientAuth);
    let url = serve(&served, server, &ours);
    let tls = |authority: &Authority, identity: Option<&(String, String)>| Tls {
        authorities: Some(authority.pem.clone().into_bytes()),
        identity: identity.map(|(chain, key)| (chain.clone().into(), key.clone().into())),
    };
    let list = |tls: Tls| {
        let remote = Remote {
            tls,
            ..remote(&url)
        };
        let listed = served.block_on(client().list(&remote, &[]));
        listed.map(|_| ()).map_err(|error| error.code().0)
    };
    assert_eq!(list(tls(&ours, Some(&identity))), Ok(()));
    for (case, tls, code) in [
        ("no authority", Tls::default(), "RemoteUnreachable"),
        (
            "another authority",
            tls(&theirs, Some(&identity)),
            "RemoteUnreachable",
        ),
        ("no identity", tls(&ours, None), "RemoteUnreachable"),
        (
            "another identity",
            tls(&ours, Some(&foreign)),
            "RemoteUnreachable",
        ),
        (
            "no PEM",
            Tls {
                authorities: Some(b"nonsense".to_vec()),
                identity: None,
            },
            "CertificateInvalid",
        ),
        (
            "no key",
            tls(&ours, Some(&(identity.0.clone(), "nonsense".into()))),
            "CertificateInvalid",
        ),
    ] {
        assert_eq!(list(tls), Err(code), "{case}");
    }
}
