//! Private keys: made, read and written.

use aws_lc_rs::agreement;
use aws_lc_rs::encoding::{AsDer as _, EcPrivateKeyRfc5915Der, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm,
};
use gotemplate::{CallError, Context, World};
use rcgen::KeyPair;

use super::{STEPS_PER_KEY, pem};

/// A private key that can sign.
pub(super) struct PrivateKey {
    pub pair: KeyPair,
    /// As sprig prints it: PKCS#1 for RSA, SEC 1 for elliptic curves, PKCS#8 for others.
    pub pem: String,
}

/// `SEQUENCE { INTEGER 0, SEQUENCE { OBJECT IDENTIFIER rsaEncryption, NULL }, … }` without its head.
const PKCS8_RSA: [u8; 18] = [
    2, 1, 0, 0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0,
];

/// A PKCS#8 Ed25519 key up to its 32 bytes.
const PKCS8_ED25519: [u8; 16] = [
    0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
];

/// Object identifier of the curve P-256.
const P256: [u8; 10] = [6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];

/// One element of DER.
fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = vec![tag];
    match length {
        0..0x80 => out.push(length as u8),
        0x80..0x100 => out.extend([0x81, length as u8]),
        _ => {
            // Keys have some thousand bytes at most.
            let length = u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
            out.extend([0x82, length[0], length[1]]);
        }
    }
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out
}

/// The contents of the element at the start of `der` and what follows it; `None` when its tag is
/// another.
fn read(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x83 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first) - 0x80)?;
            let length = bytes
                .iter()
                .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            (length, rest)
        }
        _ => return None,
    };
    (found == tag).then(|| rest.split_at_checked(length))?
}

/// The key inside a PKCS#8 text.
fn inner_of_pkcs8(der: &[u8]) -> Option<&[u8]> {
    let (contents, _) = read(der, 0x30)?;
    let (_version, rest) = read(contents, 2)?;
    let (_algorithm, rest) = read(rest, 0x30)?;
    Some(read(rest, 4)?.0)
}

/// A new RSA key as PKCS#1.
fn new_rsa(world: &dyn World, bits: u32) -> Result<Vec<u8>, CallError> {
    if let Some(der) = world.rsa_key(bits) {
        return Ok(der);
    }
    let size = if bits == 4096 {
        KeySize::Rsa4096
    } else {
        KeySize::Rsa2048
    };
    let key = RsaKeyPair::generate(size).and_then(|pair| pair.as_der());
    let key: Pkcs8V1Der<'_> = key.map_err(|_| "error generating rsa key")?;
    let inner = inner_of_pkcs8(key.as_ref()).ok_or("error generating rsa key")?;
    Ok(inner.to_vec())
}

/// A new elliptic curve key as SEC 1.
fn new_p256(world: &dyn World) -> Result<Vec<u8>, CallError> {
    // All but one in four billion texts of 32 bytes are keys.
    for _ in 0..8 {
        let mut secret = [0; 32];
        world.random(&mut secret);
        let key = agreement::PrivateKey::from_private_key(&agreement::ECDH_P256, &secret);
        let Ok(public) = key
            .map_err(|_| ())
            .and_then(|key| key.compute_public_key().map_err(|_| ()))
        else {
            continue;
        };
        return Ok(element(
            0x30,
            &[
                &[2, 1, 1],
                &element(4, &[&secret]),
                &element(0xa0, &[&P256]),
                &element(0xa1, &[&element(3, &[&[0], public.as_ref()])]),
            ],
        ));
    }
    Err("failed to generate private key: no randomness".into())
}

/// The text of `genPrivateKey`.
pub(super) fn generate(context: &mut Context<'_>, kind: &str) -> Result<String, CallError> {
    let world = context.world;
    world.impure("genPrivateKey");
    match kind {
        "" | "rsa" => {
            context.charge(STEPS_PER_KEY)?;
            Ok(pem::encode("RSA PRIVATE KEY", &new_rsa(world, 4096)?))
        }
        "ecdsa" => Ok(pem::encode("EC PRIVATE KEY", &new_p256(world)?)),
        "ed25519" => {
            let mut der = PKCS8_ED25519.to_vec();
            der.extend([0; 32]);
            world.random(&mut der[PKCS8_ED25519.len()..]);
            Ok(pem::encode("PRIVATE KEY", &der))
        }
        "dsa" => Err("DSA keys are not supported; use rsa, ecdsa or ed25519".into()),
        _ => Ok(format!("Unknown type {kind}")),
    }
}

impl PrivateKey {
    /// A new key for a certificate.
    pub(super) fn generate(world: &dyn World) -> Result<Self, CallError> {
        let der = new_rsa(world, 2048)?;
        Self::of_rsa(&der).ok_or_else(|| "error generating rsa key".into())
    }

    fn of_rsa(pkcs1: &[u8]) -> Option<Self> {
        let wrapped = element(0x30, &[&PKCS8_RSA, &element(4, &[pkcs1])]);
        Some(Self {
            pair: KeyPair::try_from(wrapped.as_slice()).ok()?,
            pem: pem::encode("RSA PRIVATE KEY", pkcs1),
        })
    }

    fn of_curve(der: &[u8]) -> Option<Self> {
        let curves: [&'static EcdsaSigningAlgorithm; 3] = [
            &ECDSA_P256_SHA256_ASN1_SIGNING,
            &ECDSA_P384_SHA384_ASN1_SIGNING,
            &ECDSA_P521_SHA512_ASN1_SIGNING,
        ];
        let mut keys = curves
            .into_iter()
            .filter_map(|curve| EcdsaKeyPair::from_private_key_der(curve, der).ok());
        let key = keys.next()?;
        let sec1: EcPrivateKeyRfc5915Der<'_> = key.private_key().as_der().ok()?;
        let pkcs8 = key.to_pkcs8v1().ok()?;
        Some(Self {
            pair: KeyPair::try_from(pkcs8.as_ref()).ok()?,
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
                        pair: KeyPair::try_from(der).ok()?,
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
            "DSA " => Err("DSA keys are not supported".into()),
            _ if kind.ends_with(' ') => Err(format!("invalid private key type {}", block.label)),
            _ => Err(format!(
                "no private key data in PEM block of type {}",
                block.label
            )),
        }
    }
}
