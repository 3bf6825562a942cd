//! Plain, quoted and block scalars.

use object::Text;

use super::{Mark, Outcome, Scanner, Token, TokenKind};
use crate::bytes::all_but;
use crate::node::Style;

/// Whether a plain scalar goes on over this byte without a closer look.
const PLAIN: [bool; 256] = all_but(b" \t\r\n:,?[]{}\xc2\xe2");

/// Line breaks and blanks seen since the last text of a flow scalar.
#[derive(Default)]
struct Gap {
    /// Whether the gap holds a line break, so that it folds.
    broken: bool,
    blanks: String,
    first_break: String,
    more_breaks: String,
}

impl Gap {
    /// Appends what the gap means: its blanks, or one space for a line break, or the line breaks
    /// after the first.
    fn fold(&mut self, out: &mut String) {
        if !self.broken {
            out.push_str(&self.blanks);
        } else if self.first_break.starts_with('\n') {
            if self.more_breaks.is_empty() {
                out.push(' ');
            } else {
                out.push_str(&self.more_breaks);
            }
        } else {
            out.push_str(&self.first_break);
            out.push_str(&self.more_breaks);
        }
        self.clear();
    }

    fn clear(&mut self) {
        self.broken = false;
        self.blanks.clear();
        self.first_break.clear();
        self.more_breaks.clear();
    }
}

impl Scanner<'_> {
    fn scalar(&self, start: Mark, end: Mark, value: Text, style: Style) -> Token {
        Token {
            value,
            style,
            ..Token::new(TokenKind::Scalar, start, end)
        }
    }

    pub(super) fn scan_plain(&mut self) -> Outcome<Token> {
        let start = self.mark;
        let mut end = start;
        let least_column = (self.indent + 1) as u32;
        let flow = self.flow_level > 0;
        // Text that is one slice of the input stays one; only folding copies.
        let mut folded: Option<String> = None;
        let mut piece = start.index;
        let mut gap = Gap::default();
        let broken;
        loop {
            if self.mark.column == 0 && self.is_document_indicator() || self.byte(0) == b'#' {
                broken = gap.broken;
                break;
            }
            if gap.broken && self.plain_run_length(flow) > 0 {
                let text = folded.get_or_insert_with(String::new);
                text.push_str(&self.text[piece..end.index]);
                gap.fold(text);
                piece = self.mark.index;
            }
            loop {
                let length = self.plain_run_length(flow);
                if length == 0 {
                    break;
                }
                self.skip_bytes(length);
                end = self.mark;
                gap.clear();
            }
            if !self.is_blank(0) && !self.is_break(0) {
                broken = gap.broken;
                break;
            }
            loop {
                if self.is_blank(0) {
                    if gap.broken && self.mark.column < least_column && self.byte(0) == b'\t' {
                        return self
                            .error(start, "found a tab character that violates indentation");
                    }
                    self.mark.index += 1;
                    self.mark.column += 1;
                } else if self.is_break(0) {
                    if gap.broken {
                        self.read_line(&mut gap.more_breaks);
                    } else {
                        self.read_line(&mut gap.first_break);
                        gap.broken = true;
                    }
                } else {
                    break;
                }
            }
            if !flow && self.mark.column < least_column {
                broken = gap.broken;
                break;
            }
        }
        let last = &self.text[piece..end.index];
        let value = match folded {
            None => Text::new(last),
            Some(mut text) => {
                text.push_str(last);
                text.into()
            }
        };
        if broken {
            self.simple_key_allowed = true;
        }
        Ok(self.scalar(start, end, value, Style::PLAIN))
    }

    /// Length of the text from here up to a blank, a line break or an indicator.
    #[inline]
    fn plain_run_length(&self, flow: bool) -> usize {
        let rest = &self.bytes[self.mark.index..];
        let mut length = 0;
        loop {
            while length < rest.len() && PLAIN[rest[length] as usize] {
                length += 1;
            }
            let ends = match rest.get(length) {
                None | Some(b' ' | b'\t' | b'\r' | b'\n') => true,
                Some(b':') => self.is_blank_or_end(length + 1),
                Some(b',' | b'?' | b'[' | b']' | b'{' | b'}') => flow,
                Some(_) => self.is_break(length),
            };
            if ends {
                return length;
            }
            length += 1;
        }
    }

    pub(super) fn scan_quoted(&mut self, single: bool) -> Outcome<Token> {
        let start = self.mark;
        self.skip();
        let quote = if single { b'\'' } else { b'"' };
        let style = if single {
            Style::SINGLE_QUOTED
        } else {
            Style::DOUBLE_QUOTED
        };
        // Most quoted text is short and has nothing to unescape or fold.
        let rest = &self.bytes[self.mark.index..];
        let simple = rest
            .iter()
            .position(|&byte| byte == quote || matches!(byte, b'\\' | b'\n' | b'\r' | 0xc2 | 0xe2))
            .filter(|&at| rest[at] == quote && (!single || rest.get(at + 1) != Some(&b'\'')));
        if let Some(length) = simple {
            let value = Text::new(&self.text[self.mark.index..self.mark.index + length]);
            self.skip_bytes(length + 1);
            return Ok(self.scalar(start, self.mark, value, style));
        }

        let mut text = String::new();
        let mut gap = Gap::default();
        loop {
            if self.mark.column == 0 && self.is_document_indicator() {
                return self.error(start, "found unexpected document indicator");
            }
            if self.at_end() {
                return self.error(start, "found unexpected end of stream");
            }
            let mut escaped_break = false;
            while !self.is_blank_or_end(0) {
                let byte = self.byte(0);
                if byte == quote && !(single && self.byte(1) == quote) {
                    break;
                }
                if byte == quote {
                    text.push('\'');
                    self.skip_bytes(2);
                } else if !single && byte == b'\\' {
                    if self.is_break(1) {
                        self.skip();
                        self.skip_line();
                        escaped_break = true;
                        break;
                    }
                    let character = self.scan_escape(start)?;
                    text.push(character);
                } else {
                    let from = self.mark.index;
                    self.skip();
                    text.push_str(self.slice(from));
                }
            }
            if self.byte(0) == quote && !self.at_end() {
                break;
            }
            gap.broken = escaped_break;
            loop {
                if self.is_blank(0) {
                    if !gap.broken {
                        gap.blanks.push(char::from(self.byte(0)));
                    }
                    self.mark.index += 1;
                    self.mark.column += 1;
                } else if self.is_break(0) {
                    if gap.broken {
                        self.read_line(&mut gap.more_breaks);
                    } else {
                        self.read_line(&mut gap.first_break);
                        gap.broken = true;
                    }
                } else {
                    break;
                }
            }
            if escaped_break {
                // The escaped break itself is nothing; further ones count.
                text.push_str(&gap.more_breaks);
                gap.clear();
            } else {
                gap.fold(&mut text);
            }
        }
        self.skip();
        Ok(self.scalar(start, self.mark, text.into(), style))
    }

    /// One escape of a double-quoted scalar.
    fn scan_escape(&mut self, start: Mark) -> Outcome<char> {
        let digits = match self.byte(1) {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            _ => 0,
        };
        let character = match self.byte(1) {
            b'0' => '\0',
            b'a' => '\u{7}',
            b'b' => '\u{8}',
            b't' | b'\t' => '\t',
            b'n' => '\n',
            b'v' => '\u{b}',
            b'f' => '\u{c}',
            b'r' => '\r',
            b'e' => '\u{1b}',
            b' ' => ' ',
            b'"' => '"',
            b'\'' => '\'',
            b'\\' => '\\',
            b'N' => '\u{85}',
            b'_' => '\u{a0}',
            b'L' => '\u{2028}',
            b'P' => '\u{2029}',
            b'x' | b'u' | b'U' => '\0',
            _ => return self.error(start, "found unknown escape character"),
        };
        self.skip_bytes(2);
        if digits == 0 {
            return Ok(character);
        }
        let mut code: u32 = 0;
        for at in 0..digits {
            match char::from(self.byte(at)).to_digit(16) {
                // Eight digits fit 32 bits.
                Some(digit) => code = code << 4 | digit,
                None => return self.error(start, "did not find expected hexdecimal number"),
            }
        }
        let Some(character) = char::from_u32(code) else {
            return self.error(start, "found invalid Unicode character escape code");
        };
        self.skip_bytes(digits);
        Ok(character)
    }

    pub(super) fn scan_block_scalar(&mut self, literal: bool) -> Outcome<Token> {
        let start = self.mark;
        self.skip();
        let (keep, strip, increment) = self.scan_block_header(start)?;

        while self.is_blank(0) {
            self.skip();
        }
        if self.byte(0) == b'#' {
            if self.keep_comments {
                self.scan_line_comment(start);
            }
            self.skip_comment();
        }
        if !self.is_break_or_end(0) {
            return self.error(start, "did not find expected comment or line break");
        }
        self.skip_line();

        let mut end = self.mark;
        let mut indent = match increment {
            0 => 0,
            _ => (self.indent.max(0) as u32) + increment,
        };
        let mut text = String::new();
        let mut leading_break = String::new();
        let mut trailing_breaks = String::new();
        self.scan_block_breaks(&mut indent, &mut trailing_breaks, start, &mut end)?;

        let mut leading_blank = false;
        while self.mark.column == indent && !self.at_end() {
            let blank = self.is_blank(0);
            if !literal && !leading_blank && !blank && leading_break.starts_with('\n') {
                if trailing_breaks.is_empty() {
                    text.push(' ');
                }
            } else {
                text.push_str(&leading_break);
            }
            leading_break.clear();
            text.push_str(&trailing_breaks);
            trailing_breaks.clear();
            leading_blank = blank;

            let from = self.mark.index;
            self.skip_comment();
            text.push_str(self.slice(from));
            self.read_line(&mut leading_break);
            self.scan_block_breaks(&mut indent, &mut trailing_breaks, start, &mut end)?;
        }
        if !strip {
            text.push_str(&leading_break);
        }
        if keep {
            text.push_str(&trailing_breaks);
        }
        let style = if literal {
            Style::LITERAL
        } else {
            Style::FOLDED
        };
        Ok(self.scalar(start, end, text.into(), style))
    }

    /// What stands behind `|` or `>`: whether final breaks are kept, whether they are stripped, and
    /// the indentation if it is given.
    fn scan_block_header(&mut self, start: Mark) -> Outcome<(bool, bool, u32)> {
        let (mut keep, mut strip, mut increment) = (false, false, 0);
        let mut chomped = false;
        for _ in 0..2 {
            match self.byte(0) {
                byte @ (b'+' | b'-') if !chomped => {
                    keep = byte == b'+';
                    strip = byte == b'-';
                    chomped = true;
                }
                b'0' if increment == 0 => {
                    return self.error(start, "found an indentation indicator equal to 0");
                }
                digit @ b'1'..=b'9' if increment == 0 => increment = u32::from(digit - b'0'),
                _ => break,
            }
            self.skip();
        }
        Ok((keep, strip, increment))
    }

    /// Indentation and empty lines of a block scalar; finds out the indentation while it is zero.
    fn scan_block_breaks(
        &mut self,
        indent: &mut u32,
        breaks: &mut String,
        start: Mark,
        end: &mut Mark,
    ) -> Outcome<()> {
        *end = self.mark;
        let mut most = 0;
        loop {
            while (*indent == 0 || self.mark.column < *indent) && self.byte(0) == b' ' {
                self.mark.index += 1;
                self.mark.column += 1;
            }
            most = most.max(self.mark.column);
            if (*indent == 0 || self.mark.column < *indent) && self.byte(0) == b'\t' {
                return self.error(
                    start,
                    "found a tab character where an indentation space is expected",
                );
            }
            if !self.is_break(0) {
                break;
            }
            self.read_line(breaks);
            *end = self.mark;
        }
        if *indent == 0 {
            *indent = most.max((self.indent + 1) as u32).max(1);
        }
        Ok(())
    }
}
