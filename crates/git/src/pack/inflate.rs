//! Unpacking one zlib stream within a limit.

use std::io;

use flate2::{Decompress, FlushDecompress, Status};

use super::read::{PackError, Source};

/// Bytes taken from the pack at a time.
const CHUNK_BYTES: usize = 16 * 1024;

/// Inflates streams of a pack; keeps its buffers between objects.
pub(super) struct Inflater {
    state: Decompress,
    input: Vec<u8>,
    output: Vec<u8>,
}

impl Inflater {
    pub(super) fn new() -> Self {
        Self {
            state: Decompress::new(true),
            input: vec![0; CHUNK_BYTES],
            output: vec![0; CHUNK_BYTES],
        }
    }

    /// Inflates the stream at `offset` that must have `size` bytes, handing each piece of input to
    /// `seen`; returns the content and how long the stream was. Memory follows what arrives, not `size`.
    pub(super) fn inflate(
        &mut self,
        source: &dyn Source,
        offset: u64,
        size: u64,
        keep: bool,
        mut seen: impl FnMut(&[u8]),
    ) -> Result<(Vec<u8>, u64), PackError> {
        let bad = |why| PackError::Object { offset, why };
        self.state.reset(true);
        let mut content = Vec::new();
        let mut total = 0_u64;
        let mut at = offset;
        loop {
            let filled = source.read_at(at, &mut self.input)?;
            if filled == 0 {
                return Err(PackError::Io(io::ErrorKind::UnexpectedEof.into()));
            }
            let mut used = 0;
            loop {
                let (before_in, before_out) = (self.state.total_in(), self.state.total_out());
                let status = self
                    .state
                    .decompress(
                        &self.input[used..filled],
                        &mut self.output,
                        FlushDecompress::None,
                    )
                    .map_err(|_| bad("its compression is damaged"))?;
                let taken = (self.state.total_in() - before_in) as usize;
                let made = (self.state.total_out() - before_out) as usize;
                used += taken;
                total += made as u64;
                if total > size {
                    return Err(bad("it is larger than its header says"));
                }
                if keep {
                    content.extend_from_slice(&self.output[..made]);
                }
                if status == Status::StreamEnd {
                    seen(&self.input[..used]);
                    if total != size {
                        return Err(bad("it is smaller than its header says"));
                    }
                    return Ok((content, at + used as u64 - offset));
                }
                if taken == 0 && made == 0 {
                    if used < filled {
                        return Err(bad("its compression is damaged"));
                    }
                    break;
                }
                if used == filled && made < self.output.len() {
                    break;
                }
            }
            seen(&self.input[..used]);
            at += used as u64;
        }
    }
}
