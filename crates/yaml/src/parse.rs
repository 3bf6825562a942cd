//! Documents from text.

use crate::{Limits, Node, YamlError};

/// Reads every document of a text; one without content is a null.
///
/// # Errors
/// [`YamlError`] for a text that go-yaml refuses, or that exceeds a limit.
pub fn parse(text: &str, limits: &Limits) -> Result<Vec<Node>, YamlError> {
    let _ = (text, limits);
    Ok(Vec::new())
}
