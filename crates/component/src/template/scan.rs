//! Finds `${…}` in text.

use std::ops::Range;

/// One `${…}` in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// Bytes of the whole marker.
    pub range: Range<usize>,
}

impl Marker {
    /// The expression between the braces.
    pub fn expression<'a>(&self, text: &'a str) -> &'a str {
        &text[self.range.start + 2..self.range.end - 1]
    }
}

/// A `${` inside an expression and outside of quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NestedMarker {
    /// The byte it starts at.
    pub at: usize,
    /// The byte that the one around it starts at.
    pub outer: usize,
}

/// The markers of a text, in order.
///
/// A marker ends at the brace that balances its own; braces in quotes do not count, and in quotes
/// a backslash takes away the meaning of the next character. What is not closed is plain text, up
/// to the end.
///
/// ```
/// let text = r#"${"}"} and ${name"#;
/// let found = component::template::markers(text).unwrap();
/// assert_eq!(found.len(), 1);
/// assert_eq!(found[0].expression(text), r#""}""#);
/// ```
///
/// # Errors
/// [`NestedMarker`], also when the outer one is not closed.
pub fn markers(text: &str) -> Result<Vec<Marker>, NestedMarker> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text[from..].find("${") {
        let start = from + start;
        let closed = close(bytes, start + 2).map_err(|at| NestedMarker { at, outer: start });
        match closed? {
            Some(end) => {
                found.push(Marker { range: start..end });
                from = end;
            }
            None => break,
        }
    }
    Ok(found)
}

/// The byte after the brace that closes the one before `at`; or, as an error, that of a `${`.
fn close(bytes: &[u8], mut at: usize) -> Result<Option<usize>, usize> {
    let mut open = 1;
    let mut quote = None;
    while let Some(&byte) = bytes.get(at) {
        match (quote, byte) {
            (Some(_), b'\\') => at += 1,
            (Some(own), _) if own == byte => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'{') => open += 1,
            (None, b'}') => {
                open -= 1;
                if open == 0 {
                    return Ok(Some(at + 1));
                }
            }
            (None, b'$') if bytes.get(at + 1) == Some(&b'{') => return Err(at),
            (None, _) => {}
        }
        at += 1;
    }
    Ok(None)
}
