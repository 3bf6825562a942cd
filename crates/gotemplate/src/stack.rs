//! Recursion that does not end at the end of the thread's stack.

/// Room that must be left for whatever runs before the next check, functions of others included.
const RED_ZONE_BYTES: usize = 256 << 10;

/// How much is added at a time.
const SEGMENT_BYTES: usize = 2 << 20;

/// Calls `call`, on a new piece of stack where little is left of this one. Whoever recurses through
/// it bounds the depth.
pub(crate) fn grow<T>(call: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(RED_ZONE_BYTES, SEGMENT_BYTES, call)
}
