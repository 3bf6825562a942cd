//! New RSA keys.
//!
//! # Source
//! RFC 8017 appendix A.1.2 (the text of a key); golang/go `crypto/rsa` (the exponent).

use gotemplate::World;
use num_bigint::BigUint;

use super::der::{element, integer};
use super::primes;

/// The exponent of every public key.
const EXPONENT: u32 = 65_537;

/// Most pairs of primes that are tried. One in thirty thousand does not fit.
const PAIRS_MAX: usize = 8;

/// A new key of so many bits as a PKCS#1 `RSAPrivateKey`. `None` when the world is not random.
pub(super) fn generate(world: &dyn World, bits: u64) -> Option<Vec<u8>> {
    (0..PAIRS_MAX).find_map(|_| {
        let half = bits / 2;
        let (p, q) = (primes::prime(world, half)?, primes::prime(world, half)?);
        let (p, q) = if p > q { (p, q) } else { (q, p) };
        // Primes that are close to each other are found by whoever looks around the root.
        if (&p - &q).bits() < half - 100 {
            return None;
        }
        let (p_last, q_last) = (&p - 1u32, &q - 1u32);
        let exponent = BigUint::from(EXPONENT);
        let secret = exponent.modinv(&(&p_last * &q_last))?;
        let parts = [
            BigUint::ZERO,
            &p * &q,
            exponent,
            secret.clone(),
            p.clone(),
            q.clone(),
            &secret % p_last,
            &secret % q_last,
            q.modinv(&p)?,
        ];
        let parts = parts.map(|part| integer(&part));
        Some(element(0x30, &parts.each_ref().map(Vec::as_slice)))
    })
}
