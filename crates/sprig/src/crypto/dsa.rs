//! Keys of the old Digital Signature Algorithm, which can be made but sign nothing.
//!
//! # Source
//! golang/go `crypto/dsa` (2,048 and 256 bits); Masterminds/sprig v3.3 `crypto.go` (the text of a key).

use gotemplate::World;
use num_bigint::BigUint;

use super::der::{element, integer, read};
use super::primes;

/// Lengths of the modulus and of the order of what generates the group.
const BITS: u64 = 2048;
const ORDER_BITS: u64 = 256;

/// Most bases that a generator is made of. All but one in `2^256` give one.
const BASES_MAX: u32 = 16;

/// A new key: version, modulus, order, generator, public and secret number. `None` when the world is
/// not random.
pub(super) fn generate(world: &dyn World) -> Option<Vec<u8>> {
    let one = BigUint::from(1u32);
    let order = primes::prime(world, ORDER_BITS)?;
    let modulus = primes::prime_above_multiple(world, BITS, &order)?;
    let cofactor = (&modulus - 1u32) / &order;
    let mut bases = (2..BASES_MAX).map(BigUint::from);
    let generator = bases.find_map(|base| {
        let power = base.modpow(&cofactor, &modulus);
        (power != one).then_some(power)
    })?;
    let secret = primes::random(world, ORDER_BITS + 64) % (&order - 1u32) + 1u32;
    let public = generator.modpow(&secret, &modulus);
    let parts = [BigUint::ZERO, modulus, order, generator, public, secret];
    let parts = parts.map(|part| integer(&part));
    Some(element(0x30, &parts.each_ref().map(Vec::as_slice)))
}

/// Whether a text is a key.
pub(super) fn is_key(der: &[u8]) -> bool {
    let Some((mut contents, _)) = read(der, 0x30) else {
        return false;
    };
    (0..6).all(|_| match read(contents, 2) {
        Some((_, rest)) => {
            contents = rest;
            true
        }
        None => false,
    })
}
