//! Documents from text.

use crate::compose::{Source, compose};
use crate::{Limits, Node, YamlError};

/// Reads every document of a text.
///
/// A document without content is a null; a text of comments only has no document. Comments about
/// a document as a whole are left out, see [`parse_sources`].
///
/// # Errors
/// [`YamlError`] for a text that go-yaml refuses, or that exceeds a limit.
pub fn parse(text: &str, limits: &Limits) -> Result<Vec<Node>, YamlError> {
    let sources = parse_sources(text, limits)?;
    Ok(sources.into_iter().map(|source| source.root).collect())
}

/// Reads every document of a text with the comments above and below its node.
///
/// # Errors
/// As [`parse`].
pub fn parse_sources(text: &str, limits: &Limits) -> Result<Vec<Source>, YamlError> {
    compose(check_text(text, limits)?, limits, true, usize::MAX)
}

/// Reads the first document of a text and does not look at what follows it, as Go's `Unmarshal`
/// functions do; `None` for a text without any.
///
/// # Errors
/// As [`parse`].
pub fn parse_first(text: &str, limits: &Limits) -> Result<Option<Node>, YamlError> {
    let sources = compose(check_text(text, limits)?, limits, true, 1)?;
    Ok(sources.into_iter().next().map(|source| source.root))
}

/// The text of a file.
///
/// # Errors
/// [`YamlError::Encoding`] with the offset of the first byte that is not UTF-8; UTF-16 too is
/// refused, with a byte order mark at offset zero.
pub fn decode(bytes: &[u8]) -> Result<&str, YamlError> {
    std::str::from_utf8(bytes).map_err(|error| YamlError::Encoding {
        offset: error.valid_up_to(),
        problem: match error.error_len() {
            None => "incomplete UTF-8 octet sequence",
            Some(1) => "invalid leading UTF-8 octet",
            Some(_) => "invalid trailing UTF-8 octet",
        },
    })
}

/// Whether no forbidden character contains the byte. It is asked without a branch.
fn is_plain(byte: u8) -> bool {
    let is_control = (byte < 0x20) & (byte != b'\t') & (byte != b'\n') & (byte != b'\r');
    !is_control & (byte != 0x7f) & (byte != 0xc2) & (byte != 0xef)
}

/// Checks size and characters, and cuts a byte order mark off.
pub(crate) fn check_text<'a>(text: &'a str, limits: &Limits) -> Result<&'a str, YamlError> {
    if text.len() > limits.file_bytes_max {
        return Err(YamlError::FileSize {
            bytes: text.len(),
            bytes_max: limits.file_bytes_max,
        });
    }
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        // Most text is allowed at a glance.
        while let Some(chunk) = bytes.get(at..at + 32)
            && chunk.iter().fold(true, |all, byte| all & is_plain(*byte))
        {
            at += 32;
        }
        if at == bytes.len() {
            break;
        }
        let forbidden = match bytes[at] {
            b'\t' | b'\n' | b'\r' | 0x20..=0x7e => false,
            // C1 controls except the line break U+0085.
            0xc2 => matches!(bytes.get(at + 1), Some(0x80..=0x84 | 0x86..=0x9f)),
            // U+FFFE and U+FFFF.
            0xef => bytes[at + 1] == 0xbf && bytes[at + 2] >= 0xbe,
            0x80.. => false,
            _ => true,
        };
        if forbidden {
            return Err(YamlError::Encoding {
                offset: at,
                problem: "control characters are not allowed",
            });
        }
        at += 1;
    }
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}
