//! Quoted text as Go's `strconv` writes it.
//!
//! # Source
//! golang/go `src/strconv/quote.go`.

use std::fmt::Write as _;

use crate::utf8;

/// `strconv.Quote(text)`, printf's `%q`: double quotes, escapes for what does not print.
pub fn quote(text: &str) -> String {
    quote_bytes(text.as_bytes())
}

/// [`quote`] for a text that need not be UTF-8: bytes that are none are written as `\xff`.
pub fn quote_bytes(text: &[u8]) -> String {
    quoted(text, false)
}

/// `strconv.QuoteToASCII(text)`: as [`quote_bytes`], with escapes for all that is not ASCII.
pub fn quote_ascii(text: &[u8]) -> String {
    quoted(text, true)
}

fn quoted(text: &[u8], ascii: bool) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    if let Ok(plain) = std::str::from_utf8(text)
        && plain
            .bytes()
            .all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\')
    {
        out.push_str(plain);
        out.push('"');
        return out;
    }
    for (start, character, _) in utf8::characters(text) {
        match character {
            Some(character) => quote_into(character, '"', ascii, &mut out),
            None => write!(out, "\\x{:02x}", text[start]).expect("a String takes every write"),
        }
    }
    out.push('"');
    out
}

/// `strconv.QuoteRune(character)`, and `strconv.QuoteRuneToASCII` with `ascii`.
pub fn quote_char(character: char, ascii: bool) -> String {
    let mut out = String::from("'");
    quote_into(character, '\'', ascii, &mut out);
    out.push('\'');
    out
}

/// `strconv.CanBackquote(text)`: one line of text without control characters but tab.
pub fn can_backquote(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| {
        text.chars().all(|character| {
            !matches!(character, '\u{feff}' | '`' | '\u{7f}')
                && (character >= ' ' || character == '\t')
        })
    })
}

fn quote_into(character: char, quote: char, ascii: bool, out: &mut String) {
    let written = match character {
        '\\' => out.write_str("\\\\"),
        _ if character == quote => write!(out, "\\{quote}"),
        _ if (character.is_ascii() || !ascii) && is_print(character) => out.write_char(character),
        '\u{7}' => out.write_str("\\a"),
        '\u{8}' => out.write_str("\\b"),
        '\u{c}' => out.write_str("\\f"),
        '\n' => out.write_str("\\n"),
        '\r' => out.write_str("\\r"),
        '\t' => out.write_str("\\t"),
        '\u{b}' => out.write_str("\\v"),
        _ => match u32::from(character) {
            code @ (..0x20 | 0x7f) => write!(out, "\\x{code:02x}"),
            code @ ..0x1_0000 => write!(out, "\\u{code:04x}"),
            code => write!(out, "\\U{code:08x}"),
        },
    };
    written.expect("a String takes every write");
}

/// Whether Go prints `character` in quoted text: letters, marks, numbers, punctuation, symbols, and
/// of the spaces only U+0020.
///
/// Rust's table for `Debug` differs only in combining marks, which Go prints.
pub fn is_print(character: char) -> bool {
    match character {
        ' '..='~' => true,
        '\u{a0}' | '\u{ad}' => false,
        _ if character.is_control() || character.is_whitespace() => false,
        _ => {
            let mut escaped = character.escape_debug();
            escaped.len() == 1 || is_mark(character) && escaped.next() == Some('\\')
        }
    }
}

/// Combining marks, which `char::escape_debug` escapes although they print.
fn is_mark(character: char) -> bool {
    // Inside a string after a letter, `str::escape_debug` escapes only what does not print.
    let text: String = ['a', character].into_iter().collect();
    text.escape_debug().count() == 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_text_escapes_what_does_not_print() {
        assert_eq!(
            quote("a\"\\\n\u{7}\u{7f}\u{a0}é日😀\u{301}"),
            r#""a\"\\\n\a\x7f\u00a0é日😀́""#
        );
        assert_eq!(quote("\u{e000}\u{feff}"), r#""\ue000\ufeff""#);
        assert_eq!(quote_bytes(b"\xc3\xa9\xff\xe2\x82'"), r#""é\xff\xe2\x82'""#);
        assert_eq!(
            quote_ascii("é😀\u{fffd}".as_bytes()),
            r#""\u00e9\U0001f600\ufffd""#
        );
        assert_eq!(quote_char('\'', false), r"'\''");
        assert_eq!(quote_char('é', true), r"'\u00e9'");
    }
}
