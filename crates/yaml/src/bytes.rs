//! Sets of bytes that a loop asks for every byte of a text.

/// All bytes but these.
pub(crate) const fn all_but(these: &[u8]) -> [bool; 256] {
    let mut table = [true; 256];
    let mut at = 0;
    while at < these.len() {
        table[these[at] as usize] = false;
        at += 1;
    }
    table
}
