//! Large prime numbers made of a stream of random bytes: equal streams give equal numbers.
//!
//! Candidates follow each other at a fixed distance behind a random number, as in OpenSSL; a sieve
//! takes those out that small primes divide, and the Miller-Rabin test decides about the others.
//!
//! # Source
//! FIPS 186-5 appendix B.3 (the test and its rounds).

use std::sync::LazyLock;

use gotemplate::World;
use num_bigint::BigUint;

/// Candidates behind one random number, for each bit. One in `0.35 * bits` is prime, so that none is
/// found once in ten billion times.
const CANDIDATES_PER_BIT: usize = 8;

/// Most random numbers that are begun with. The second is needed once in a lifetime, others never; a
/// world that gives always the same ends here.
const STARTS_MAX: usize = 8;

/// Rounds with random bases after the one with base 2: enough for numbers of 1,024 bits and more that
/// are random themselves, and more than enough for shorter ones that nobody else chooses.
const ROUNDS: usize = 5;

/// Primes up to here are sieved with: twelve thousand, after which one in ten odd numbers is left.
const SMALL_END: usize = 1 << 17;

/// The odd primes below [`SMALL_END`].
static SMALL: LazyLock<Vec<u32>> = LazyLock::new(|| {
    let mut composite = vec![false; SMALL_END];
    let mut found = Vec::new();
    for number in (3..SMALL_END).step_by(2) {
        if composite[number] {
            continue;
        }
        found.push(number as u32);
        let multiples = (number * number..SMALL_END).step_by(2 * number);
        multiples.for_each(|multiple| composite[multiple] = true);
    }
    found
});

/// So many random bits.
pub(super) fn random(world: &dyn World, bits: u64) -> BigUint {
    let mut bytes = vec![0; bits.div_ceil(8) as usize];
    world.random(&mut bytes);
    BigUint::from_bytes_be(&bytes) >> (bytes.len() as u64 * 8 - bits)
}

/// A prime of so many bits, of which the highest two are set: the product of two such numbers has
/// twice as many bits. `None` when the world is not random.
pub(super) fn prime(world: &dyn World, bits: u64) -> Option<BigUint> {
    let mut starts = (0..STARTS_MAX).map(|_| {
        let mut start = random(world, bits);
        for bit in [0, bits - 2, bits - 1] {
            start.set_bit(bit, true);
        }
        start
    });
    starts.find_map(|start| first(world, start, &BigUint::from(2u32), bits))
}

/// A prime of so many bits that leaves 1 when divided by `divisor`, which is odd. `None` when the
/// world is not random.
pub(super) fn prime_above_multiple(
    world: &dyn World,
    bits: u64,
    divisor: &BigUint,
) -> Option<BigUint> {
    let step = divisor * 2u32;
    let mut starts = (0..STARTS_MAX).map(|_| {
        let mut start = random(world, bits);
        start.set_bit(bits - 1, true);
        &start - &start % &step + 1u32
    });
    starts.find_map(|start| first(world, start, &step, bits))
}

/// The first prime of so many bits among `start`, `start + step` and so on. `start` is odd, `step` is
/// even.
fn first(world: &dyn World, start: BigUint, step: &BigUint, bits: u64) -> Option<BigUint> {
    let mut composite = vec![false; bits as usize * CANDIDATES_PER_BIT];
    for &small in SMALL.iter() {
        let [start, step] = [&start, step].map(|number| low_digit(&(number % small)));
        let small = u64::from(small);
        if step == 0 {
            // The only prime that divides the step is a large one.
            continue;
        }
        // The candidates `start + at * step` that it divides.
        let at = (small - start) * inverse(step, small) % small;
        let multiples = (at as usize..composite.len()).step_by(small as usize);
        multiples.for_each(|multiple| composite[multiple] = true);
    }
    let candidates = composite.iter().enumerate().filter(|(_, not)| !**not);
    let candidates = candidates.map(|(at, _)| &start + step * at);
    candidates
        .take_while(|candidate| candidate.bits() == bits)
        .find(|candidate| is_prime(world, candidate))
}

fn low_digit(number: &BigUint) -> u64 {
    number.iter_u64_digits().next().unwrap_or(0)
}

/// The number that gives 1 times `number`, modulo a small prime.
fn inverse(number: u64, prime: u64) -> u64 {
    let (mut power, mut base, mut exponent) = (1, number % prime, prime - 2);
    while exponent > 0 {
        if exponent & 1 == 1 {
            power = power * base % prime;
        }
        base = base * base % prime;
        exponent >>= 1;
    }
    power
}

/// Whether a large odd number is prime, but for a chance that is less than that of a broken machine.
fn is_prime(world: &dyn World, number: &BigUint) -> bool {
    let last = number - 1u32;
    let twos = last.trailing_zeros().unwrap_or(0);
    let odd = &last >> twos;
    let passes = |base: &BigUint| {
        let mut power = base.modpow(&odd, number);
        if power == BigUint::from(1u32) || power == last {
            return true;
        }
        (1..twos).any(|_| {
            power = &power * &power % number;
            power == last
        })
    };
    let bits = number.bits();
    passes(&BigUint::from(2u32))
        && (0..ROUNDS).all(|_| passes(&(random(world, bits) % (&last - 2u32) + 2u32)))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use golang::Timestamp;

    use super::*;

    /// Numbers by a linear congruence.
    struct Dice(Cell<u64>);

    impl World for Dice {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }

        fn random(&self, bytes: &mut [u8]) {
            for byte in bytes {
                let next = self.0.get().wrapping_mul(6_364_136_223_846_793_005);
                self.0.set(next.wrapping_add(1_442_695_040_888_963_407));
                *byte = (self.0.get() >> 56) as u8;
            }
        }
    }

    /// Ever the same byte.
    struct Constant(u8);

    impl World for Constant {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }

        fn random(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn small_primes_are_all_there() {
        assert_eq!(SMALL[..5], [3, 5, 7, 11, 13]);
        // There are 12,251 primes below 131,072.
        assert_eq!(SMALL.len(), 12_250);
        assert_eq!(SMALL.last(), Some(&131_071));
    }

    #[test]
    fn numbers_are_told_apart() {
        let dice = Dice(Cell::new(1));
        // Mersenne's primes, their neighbours; Carmichael numbers and strong pseudoprimes to base 2.
        for exponent in [31, 61, 89, 107, 127, 521] {
            let number = (BigUint::from(1u32) << exponent) - 1u32;
            assert!(is_prime(&dice, &number), "2^{exponent}-1");
            assert!(!is_prime(&dice, &(number - 2u32)), "2^{exponent}-3");
        }
        for composite in [
            561u64,
            1105,
            2047,
            3277,
            4033,
            8321,
            3_215_031_751,
            65_537 * 65_539,
        ] {
            assert!(!is_prime(&dice, &composite.into()), "{composite}");
        }
        for exponent in [67, 257] {
            let number = (BigUint::from(1u32) << exponent) - 1u32;
            assert!(!is_prime(&dice, &number), "2^{exponent}-1");
        }
    }

    #[test]
    fn primes_have_their_length_and_remainder() {
        for seed in 0..20 {
            let dice = Dice(Cell::new(seed));
            let divisor = prime(&dice, 64).expect("a prime");
            assert_eq!(divisor.bits(), 64);
            assert!(divisor.bit(62));
            let found = prime_above_multiple(&dice, 256, &divisor).expect("a prime");
            assert_eq!(found.bits(), 256);
            assert_eq!(found % divisor, BigUint::from(1u32));
        }
    }

    #[test]
    fn a_world_without_chance_ends_the_search() {
        for byte in [0, 1, 0x55, 0xff] {
            let world = Constant(byte);
            // It finds one, the same every time, or none.
            assert_eq!(prime(&world, 128), prime(&world, 128));
        }
    }
}
