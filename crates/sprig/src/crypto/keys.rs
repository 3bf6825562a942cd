//! Private keys: made, read and written.

use aws_lc_rs::encoding::{AsDer as _, EcPrivateKeyRfc5915Der};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm,
};
use gotemplate::{CallError, Context, World};
use rcgen::{KeyPair, PublicKeyData, SignatureAlgorithm, SigningKey};

use super::der::{element, read};
use super::ecdsa::{self, Curve};
use super::{STEPS_PER_LONG_KEY, charge, dsa, pem, rsa};

/// A private key.
pub(super) struct PrivateKey {
    /// What signs; nothing does with a key of DSA.
    pub signer: Option<Signer>,
    /// As sprig prints it: PKCS#1 for RSA, SEC 1 for elliptic curves, PKCS#8 for others.
    pub pem: String,
}

/// `SEQUENCE { INTEGER 0, SEQUENCE { OBJECT IDENTIFIER rsaEncryption, NULL }, … }` without its head.
const PKCS8_RSA: [u8; 18] = [
    2, 1, 0, 0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0,
];

/// What is said in a world that always gives the same.
const NO_CHANCE: &str = "failed to generate private key: no randomness";

/// A PKCS#8 Ed25519 key up to its 32 bytes.
const PKCS8_ED25519: [u8; 16] = [
    0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
];

/// Object identifier of the curve P-256.
const P256: [u8; 10] = [6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];

/// The key inside a PKCS#8 text.
fn inner_of_pkcs8(der: &[u8]) -> Option<&[u8]> {
    let (contents, _) = read(der, 0x30)?;
    let (_version, rest) = read(contents, 2)?;
    let (_algorithm, rest) = read(rest, 0x30)?;
    Some(read(rest, 4)?.0)
}

/// What makes signatures that depend on the key and the message alone.
pub(super) enum Signer {
    Curve(ecdsa::Key),
    Other(KeyPair),
}

impl PublicKeyData for Signer {
    fn der_bytes(&self) -> &[u8] {
        match self {
            Self::Curve(key) => key.der_bytes(),
            Self::Other(pair) => pair.der_bytes(),
        }
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        match self {
            Self::Curve(key) => key.algorithm(),
            Self::Other(pair) => PublicKeyData::algorithm(pair),
        }
    }
}

impl SigningKey for Signer {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        match self {
            Self::Curve(key) => key.sign(message),
            Self::Other(pair) => pair.sign(message),
        }
    }
}

/// A new elliptic curve key as SEC 1.
fn new_p256(world: &dyn World) -> Result<Vec<u8>, CallError> {
    // All but one in four billion texts of 32 bytes are keys.
    for _ in 0..8 {
        let mut secret = [0; 32];
        world.random(&mut secret);
        let Some(public) = ecdsa::P256.point(&secret) else {
            continue;
        };
        return Ok(element(
            0x30,
            &[
                &[2, 1, 1],
                &element(4, &[&secret]),
                &element(0xa0, &[&P256]),
                &element(0xa1, &[&element(3, &[&[0], &public])]),
            ],
        ));
    }
    Err(NO_CHANCE.into())
}

/// The text of `genPrivateKey`.
pub(super) fn generate(context: &mut Context<'_>, kind: &str) -> Result<String, CallError> {
    let world = context.world;
    match kind {
        "" | "rsa" => {
            charge(context, STEPS_PER_LONG_KEY)?;
            let der = rsa::generate(world, 4096).ok_or(NO_CHANCE)?;
            Ok(pem::encode("RSA PRIVATE KEY", &der))
        }
        "ecdsa" => Ok(pem::encode("EC PRIVATE KEY", &new_p256(world)?)),
        "ed25519" => {
            let mut der = PKCS8_ED25519.to_vec();
            der.extend([0; 32]);
            world.random(&mut der[PKCS8_ED25519.len()..]);
            Ok(pem::encode("PRIVATE KEY", &der))
        }
        "dsa" => {
            charge(context, STEPS_PER_LONG_KEY)?;
            let der = dsa::generate(world).ok_or(NO_CHANCE)?;
            Ok(pem::encode("DSA PRIVATE KEY", &der))
        }
        _ => Ok(format!("Unknown type {kind}")),
    }
}

impl PrivateKey {
    /// A new key for a certificate.
    pub(super) fn generate(world: &dyn World) -> Result<Self, CallError> {
        let der = rsa::generate(world, 2048).ok_or(NO_CHANCE)?;
        Ok(Self::of_rsa(&der).ok_or("error generating rsa key")?)
    }

    fn of_rsa(pkcs1: &[u8]) -> Option<Self> {
        let wrapped = element(0x30, &[&PKCS8_RSA, &element(4, &[pkcs1])]);
        Some(Self {
            signer: Some(Signer::Other(KeyPair::try_from(wrapped.as_slice()).ok()?)),
            pem: pem::encode("RSA PRIVATE KEY", pkcs1),
        })
    }

    fn of_curve(der: &[u8]) -> Option<Self> {
        let curves: [(&EcdsaSigningAlgorithm, &Curve); 3] = [
            (&ECDSA_P256_SHA256_ASN1_SIGNING, &ecdsa::P256),
            (&ECDSA_P384_SHA384_ASN1_SIGNING, &ecdsa::P384),
            (&ECDSA_P521_SHA512_ASN1_SIGNING, &ecdsa::P521),
        ];
        let mut keys = curves.into_iter().filter_map(|(algorithm, curve)| {
            let key = EcdsaKeyPair::from_private_key_der(algorithm, der).ok()?;
            Some((key, curve))
        });
        let (key, curve) = keys.next()?;
        let sec1: EcPrivateKeyRfc5915Der<'_> = key.private_key().as_der().ok()?;
        let (contents, _) = read(sec1.as_ref(), 0x30)?;
        let (_version, rest) = read(contents, 2)?;
        let (secret, _) = read(rest, 4)?;
        Some(Self {
            signer: Some(Signer::Curve(ecdsa::Key::new(curve, secret)?)),
            pem: pem::encode("EC PRIVATE KEY", sec1.as_ref()),
        })
    }

    /// Reads a key.
    ///
    /// # Errors
    /// Sprig's words for a text that is none; what is wrong inside it is told in fewer words.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        let block = pem::decode(text).ok_or("no PEM data in input")?;
        let der = block.der.as_slice();
        let Some(kind) = block.label.strip_suffix("PRIVATE KEY") else {
            return Err(format!(
                "no private key data in PEM block of type {}",
                block.label
            ));
        };
        match kind {
            "" => {
                let rsa = || Self::of_rsa(inner_of_pkcs8(der)?);
                let other = || {
                    Some(Self {
                        signer: Some(Signer::Other(KeyPair::try_from(der).ok()?)),
                        pem: pem::encode("PRIVATE KEY", der),
                    })
                };
                rsa()
                    .or_else(|| Self::of_curve(der))
                    .or_else(other)
                    .ok_or_else(|| {
                        "decoding PEM as PKCS#8: x509: failed to parse private key".into()
                    })
            }
            "RSA " => Self::of_rsa(der).ok_or_else(|| {
                "parsing RSA private key from PEM: x509: failed to parse private key".into()
            }),
            "EC " => Self::of_curve(der).ok_or_else(|| {
                "parsing EC private key from PEM: x509: failed to parse EC private key".into()
            }),
            "DSA " if dsa::is_key(der) => Ok(Self {
                signer: None,
                pem: pem::encode("DSA PRIVATE KEY", der),
            }),
            "DSA " => Err("parsing DSA private key from PEM: asn1: syntax error".into()),
            _ if kind.ends_with(' ') => Err(format!("invalid private key type {}", block.label)),
            _ => Err(format!(
                "no private key data in PEM block of type {}",
                block.label
            )),
        }
    }
}
