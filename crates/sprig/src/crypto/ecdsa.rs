//! Signatures on elliptic curves that depend on the key and the message alone.
//!
//! The usual ones take a random number each, which no seed reaches.
//!
//! # Source
//! RFC 6979 (the number), SEC 1 section 4.1.3 (the signature).

use aws_lc_rs::agreement;
use aws_lc_rs::digest;
use aws_lc_rs::hmac;
use num_bigint::BigUint;
use rcgen::{PublicKeyData, SignatureAlgorithm, SigningKey};

use super::der::{element, integer};

/// A curve, and what goes with it.
pub(super) struct Curve {
    agreement: &'static agreement::Algorithm,
    digest: &'static digest::Algorithm,
    hmac: hmac::Algorithm,
    certificate: &'static SignatureAlgorithm,
    /// How many points there are, in hexadecimal digits.
    order: &'static str,
}

pub(super) static P256: Curve = Curve {
    agreement: &agreement::ECDH_P256,
    digest: &digest::SHA256,
    hmac: hmac::HMAC_SHA256,
    certificate: &rcgen::PKCS_ECDSA_P256_SHA256,
    order: "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
};

pub(super) static P384: Curve = Curve {
    agreement: &agreement::ECDH_P384,
    digest: &digest::SHA384,
    hmac: hmac::HMAC_SHA384,
    certificate: &rcgen::PKCS_ECDSA_P384_SHA384,
    order: "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf\
            581a0db248b0a77aecec196accc52973",
};

pub(super) static P521: Curve = Curve {
    agreement: &agreement::ECDH_P521,
    digest: &digest::SHA512,
    hmac: hmac::HMAC_SHA512,
    certificate: &rcgen::PKCS_ECDSA_P521_SHA512,
    order: "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\
            fa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
};

impl Curve {
    fn order(&self) -> BigUint {
        BigUint::parse_bytes(self.order.as_bytes(), 16).expect("the constants are numbers")
    }

    /// Bytes of a number below the order.
    fn length(&self) -> usize {
        self.order.len() / 2
    }

    /// The point that so many steps from the generator lead to: 4, x, y. `None` when `secret` is no
    /// number from 1 to the order.
    pub(super) fn point(&self, secret: &[u8]) -> Option<Vec<u8>> {
        let key = agreement::PrivateKey::from_private_key(self.agreement, secret).ok()?;
        Some(key.compute_public_key().ok()?.as_ref().to_vec())
    }

    fn to_bytes(&self, number: &BigUint) -> Vec<u8> {
        let bytes = number.to_bytes_be();
        let mut out = vec![0; self.length().saturating_sub(bytes.len())];
        out.extend(bytes);
        out
    }
}

/// A key that signs.
pub(super) struct Key {
    curve: &'static Curve,
    secret: BigUint,
    public: Vec<u8>,
}

impl Key {
    /// The key of a secret number.
    pub(super) fn new(curve: &'static Curve, secret: &[u8]) -> Option<Self> {
        Some(Self {
            curve,
            secret: BigUint::from_bytes_be(secret),
            public: curve.point(secret)?,
        })
    }

    /// The two numbers of the signature of a message.
    fn numbers(&self, message: &[u8]) -> Option<[BigUint; 2]> {
        let order = self.curve.order();
        let digest = digest::digest(self.curve.digest, message);
        // No digest is longer than its curve's order.
        let digest = BigUint::from_bytes_be(digest.as_ref());
        let mut stream = Stream::new(self, &(&digest % &order));
        for _ in 0..8 {
            let number = stream.below(&order)?;
            let point = self.curve.point(&self.curve.to_bytes(&number))?;
            let first = BigUint::from_bytes_be(&point[1..=point.len() / 2]) % &order;
            // Another number hides the time that the inversion takes.
            let blind = stream.below(&order)?;
            let inverse = (&number * &blind).modinv(&order)?;
            let sum = (&digest + &first * &self.secret) % &order;
            let second = inverse * (blind * sum % &order) % &order;
            if first != BigUint::ZERO && second != BigUint::ZERO {
                return Some([first, second]);
            }
        }
        None
    }
}

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.curve.certificate
    }
}

impl SigningKey for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let numbers = self.numbers(message);
        let numbers = numbers.ok_or(rcgen::Error::RemoteKeyError)?;
        let parts = numbers.map(|number| integer(&number));
        Ok(element(0x30, &parts.each_ref().map(Vec::as_slice)))
    }
}

/// The numbers that a key and a message give.
struct Stream {
    algorithm: hmac::Algorithm,
    key: Vec<u8>,
    value: Vec<u8>,
}

impl Stream {
    fn new(key: &Key, digest: &BigUint) -> Self {
        let length = key.curve.digest.output_len();
        let mut stream = Self {
            algorithm: key.curve.hmac,
            key: vec![0; length],
            value: vec![1; length],
        };
        let (secret, digest) = (key.curve.to_bytes(&key.secret), key.curve.to_bytes(digest));
        for round in 0..2 {
            stream.mix(&[&[round], &secret, &digest]);
        }
        stream
    }

    fn hmac(&self, parts: &[&[u8]]) -> Vec<u8> {
        let mut context = hmac::Context::with_key(&hmac::Key::new(self.algorithm, &self.key));
        parts.iter().for_each(|part| context.update(part));
        context.sign().as_ref().to_vec()
    }

    fn mix(&mut self, parts: &[&[u8]]) {
        let all: Vec<&[u8]> = std::iter::once(self.value.as_slice())
            .chain(parts.iter().copied())
            .collect();
        self.key = self.hmac(&all);
        self.value = self.hmac(&[&self.value]);
    }

    /// The next number from 1 to below `end`.
    fn below(&mut self, end: &BigUint) -> Option<BigUint> {
        let bits = end.bits();
        // All but one in four billion fit; for the longest curve one in two does.
        for _ in 0..128 {
            let mut bytes = Vec::new();
            while (bytes.len() as u64) * 8 < bits {
                self.value = self.hmac(&[&self.value]);
                bytes.extend_from_slice(&self.value);
            }
            bytes.truncate(bits.div_ceil(8) as usize);
            let number = BigUint::from_bytes_be(&bytes) >> (bytes.len() as u64 * 8 - bits);
            let fits = number != BigUint::ZERO && number < *end;
            // So the next number differs, whether this one fits or not.
            self.mix(&[&[0]]);
            if fits {
                return Some(number);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_the_standard() {
        // RFC 6979 A.2.5 to A.2.7, the message `sample`.
        let vectors = [
            (
                &P256,
                "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
                "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
                "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
            ),
            (
                &P384,
                "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d8\
                 96d5724e4c70a825f872c9ea60d2edf5",
                "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c\
                 81a648152e44acf96e36dd1e80fabe46",
                "99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94f\
                 a329c145786e679e7b82c71a38628ac8",
            ),
            (
                &P521,
                "fad06daa62ba3b25d2fb40133da757205de67f5bb0018fee8c86e1b68c7e75ca\
                 a896eb32f1f47c70855836a6d16fcc1466f6d8fbec67db89ec0c08b0e996b83538",
                "c328fafcbd79dd77850370c46325d987cb525569fb63c5d3bc53950e6d4c5f17\
                 4e25a1ee9017b5d450606add152b534931d7d4e8455cc91f9b15bf05ec36e377fa",
                "617cce7cf5064806c467f678d3b4080d6f1cc50af26ca209417308281b68af28\
                 2623eaa63e5b5c0723d8b8c37ff0777b1a20f8ccb1dccc43997f1ee0e44da4a67a",
            ),
        ];
        for (curve, secret, r, s) in vectors {
            let number = |text: &str| BigUint::parse_bytes(text.as_bytes(), 16).expect("a number");
            let secret = curve.to_bytes(&number(secret));
            let key = Key::new(curve, &secret).expect("a key");
            let numbers = key.numbers(b"sample").expect("a signature");
            assert_eq!(numbers, [r, s].map(number), "{}", curve.order);
        }
    }

    #[test]
    fn secrets_are_between_one_and_the_order() {
        for curve in [&P256, &P384, &P521] {
            let order = curve.order();
            assert!(curve.point(&curve.to_bytes(&order)).is_none());
            assert!(curve.point(&curve.to_bytes(&BigUint::ZERO)).is_none());
            let point = curve.point(&curve.to_bytes(&(order - 1u32)));
            assert_eq!(point.expect("a point").len(), 2 * curve.length() + 1);
        }
    }
}
