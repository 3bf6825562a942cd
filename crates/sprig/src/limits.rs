//! How large things may get.

use gotemplate::CallError;
use gotemplate::format::TEXT_BYTES_MAX;

/// Most elements of a list that one call may make.
///
/// A list takes about 24 bytes for each; with a million a chart can still go over every port or
/// address it may have, and a mistyped `until` does not take the memory of its neighbours.
pub const ITEMS_MAX: usize = 1_000_000;

/// Most values that one call may visit while it compares, copies or merges.
///
/// Values refer to each other: a map of n maps in a chain, each holding the next one twice, reads as
/// two to the power of n. The values of the largest charts have about 50,000.
pub const NODES_MAX: usize = 1_000_000;

/// Refuses a text of more than the limit.
pub(crate) fn text(bytes: usize) -> Result<(), CallError> {
    if bytes > TEXT_BYTES_MAX {
        return Err(CallError::Limit(format!(
            "the text is longer than the limit of {TEXT_BYTES_MAX} bytes"
        )));
    }
    Ok(())
}

/// Refuses a list of more than the limit.
pub(crate) fn items(count: usize) -> Result<(), CallError> {
    if count > ITEMS_MAX {
        return Err(CallError::Limit(format!(
            "the list is longer than the limit of {ITEMS_MAX} elements"
        )));
    }
    Ok(())
}

/// Most steps that one call may take to find lists and maps among others.
///
/// Each is compared with each: this is enough for about 10,000, and takes less than a second.
pub(crate) const COMPARISONS_MAX: usize = 50_000_000;

/// Counts the values that a walk visits, and how deep it is.
#[derive(Debug)]
pub(crate) struct Walk {
    left: usize,
    max: usize,
    depth: usize,
}

impl Default for Walk {
    fn default() -> Self {
        Self::new(NODES_MAX)
    }
}

impl Walk {
    /// A walk to so many values.
    pub(crate) fn new(max: usize) -> Self {
        Self {
            left: max,
            max,
            depth: 0,
        }
    }

    /// Visits one value.
    pub(crate) fn step(&mut self) -> Result<(), CallError> {
        let Some(left) = self.left.checked_sub(1) else {
            return Err(CallError::Limit(format!(
                "more than the limit of {} values in one call",
                self.max
            )));
        };
        self.left = left;
        Ok(())
    }

    /// Goes into a list or map. Whoever enters leaves, unless he gives up.
    pub(crate) fn enter(&mut self) -> Result<(), CallError> {
        self.step()?;
        self.depth += 1;
        if self.depth > gotemplate::format::DEPTH_MAX {
            return Err(CallError::Limit(format!(
                "lists and maps are nested deeper than the limit of {}, or contain themselves",
                gotemplate::format::DEPTH_MAX
            )));
        }
        Ok(())
    }

    pub(crate) fn leave(&mut self) {
        self.depth -= 1;
    }
}
