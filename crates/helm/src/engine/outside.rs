//! The clock and the dice of one execution.

use std::cell::{Cell, RefCell};
use std::ops::Range;

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
    used: RefCell<Used>,
}

/// What a file took from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Used {
    /// It asked for the time.
    pub now: bool,
    /// The blocks of randomness that were given to it.
    pub blocks: Range<u64>,
}

impl Outside {
    pub fn new(world: &dyn tree::World) -> Self {
        Self {
            now: world.now(),
            seed: world.seed(),
            blocks: Cell::new(0),
            used: RefCell::default(),
        }
    }

    /// Blocks of randomness that are gone.
    pub fn blocks(&self) -> u64 {
        self.blocks.get()
    }

    /// Gives blocks of randomness to nobody.
    pub fn skip(&self, blocks: u64) {
        self.blocks.set(self.blocks.get() + blocks);
        self.take_used();
    }

    /// What was used since the last time this was asked.
    pub fn take_used(&self) -> Used {
        let next = Used {
            blocks: self.blocks.get()..self.blocks.get(),
            ..Used::default()
        };
        let mut used = self.used.replace(next);
        used.blocks.end = self.blocks.get();
        used
    }
}

impl World for Outside {
    fn now(&self) -> Timestamp {
        self.used.borrow_mut().now = true;
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
