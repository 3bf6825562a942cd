//! What a step may learn from outside: the time and a seed.

use golang::Timestamp;
use sha2::{Digest, Sha256};

/// Time and randomness of one step.
///
/// The seed may stay the same for the life of a cluster: every draw also counts inside the state,
/// so no name or uid comes out twice.
#[derive(Clone, Debug)]
pub struct Env {
    /// The wall clock.
    pub now: Timestamp,
    /// Where uids, generated names and addresses come from.
    pub seed: [u8; 32],
}

/// Letters of generated names: no vowels, so no words.
const SUFFIX_LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// A stream of random bytes that depends only on the seed and a position.
#[derive(Clone, Debug)]
pub struct Random {
    seed: [u8; 32],
    position: u64,
}

impl Random {
    /// The stream of `seed` from `position` on.
    pub fn new(seed: [u8; 32], position: u64) -> Self {
        Self { seed, position }
    }

    /// How many blocks were drawn from the beginning of the stream.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The next 32 bytes.
    pub fn block(&mut self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.seed);
        hash.update(self.position.to_be_bytes());
        self.position += 1;
        hash.finalize().into()
    }

    /// A number below `bound`; zero when the bound is zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        let block = self.block();
        let value = u64::from_be_bytes(block[..8].try_into().expect("eight of 32 bytes"));
        value.checked_rem(bound).unwrap_or(0)
    }

    /// A version 4 UUID.
    pub fn uuid(&mut self) -> String {
        let mut bytes = self.block();
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let hex: String = bytes[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!(
            "{}-{}-{}-{}-{}",
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..32]
        )
    }

    /// A suffix of `length` letters for generated names; at most 32.
    pub fn suffix(&mut self, length: usize) -> String {
        let block = self.block();
        let letters = block.iter().take(length);
        letters
            .map(|byte| char::from(SUFFIX_LETTERS[usize::from(*byte) % SUFFIX_LETTERS.len()]))
            .collect()
    }
}
