//! The clock and the dice of one execution.

use std::cell::Cell;

use golang::Timestamp;
use gotemplate::World;
use sha2::{Digest as _, Sha256};

/// What functions may learn from outside: the same for equal worlds, call by call.
#[derive(Debug)]
pub(super) struct Outside {
    now: Timestamp,
    seed: [u8; 32],
    /// Blocks of randomness that were given away.
    blocks: Cell<u64>,
}

impl Outside {
    pub fn new(world: &dyn tree::World) -> Self {
        Self {
            now: world.now(),
            seed: world.seed(),
            blocks: Cell::new(0),
        }
    }
}

impl World for Outside {
    fn now(&self) -> Timestamp {
        self.now
    }

    /// Hashes of the seed with a counter.
    fn random(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let block = self.blocks.get();
            self.blocks.set(block + 1);
            let hash = Sha256::new()
                .chain_update(self.seed)
                .chain_update(block.to_le_bytes())
                .finalize();
            chunk.copy_from_slice(&hash[..chunk.len()]);
        }
    }
}
