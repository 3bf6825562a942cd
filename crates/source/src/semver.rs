//! The highest tag in a range of versions.

use crate::FetchError;

/// The tag with the highest version in `range`.
///
/// # Errors
/// [`FetchError::Range`]: ranges are not served so far.
pub(crate) fn highest<'a>(
    range: &str,
    _tags: impl Iterator<Item = &'a str>,
) -> Result<String, FetchError> {
    Err(FetchError::Range {
        range: range.to_owned(),
        why: "ranges are not served so far".into(),
    })
}
