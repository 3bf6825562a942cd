//! One number or text in a field: flags, width, precision and verb decide how it looks.

use golang::{strconv, utf8};

use super::print::Printer;
use crate::CallError;

/// What stands between `%` and the verb.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Field {
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
    pub(super) plus: bool,
    pub(super) minus: bool,
    pub(super) sharp: bool,
    pub(super) space: bool,
    pub(super) zero: bool,
    /// `%#v`: Go syntax.
    pub(super) syntax: bool,
    /// `%+v`: the names of fields.
    pub(super) names: bool,
}

const LOWER: &[u8; 17] = b"0123456789abcdefx";
const UPPER: &[u8; 17] = b"0123456789ABCDEFX";

/// Room for the digits of any integer in base 2 with sign and prefix; filled from the end.
pub(super) struct Digits {
    bytes: [u8; 72],
    at: usize,
}

impl Default for Digits {
    fn default() -> Self {
        Self {
            bytes: [0; 72],
            at: 72,
        }
    }
}

impl Digits {
    fn push(&mut self, byte: u8) {
        self.at -= 1;
        self.bytes[self.at] = byte;
    }

    fn number(&mut self, mut value: u64, base: u64, digits: &[u8; 17]) {
        while value >= base {
            self.push(digits[(value % base) as usize]);
            value /= base;
        }
        self.push(digits[value as usize]);
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[self.at..]
    }

    pub(super) fn decimal(&mut self, value: u64, negative: bool) -> &[u8] {
        self.number(value, 10, LOWER);
        if negative {
            self.push(b'-');
        }
        self.as_bytes()
    }
}

/// An integer of any type: its size and whether it is below zero.
#[derive(Clone, Copy)]
pub(super) struct Integer {
    pub(super) size: u64,
    pub(super) negative: bool,
    pub(super) signed: bool,
}

impl Integer {
    pub(super) fn signed(value: i64) -> Self {
        Self {
            size: value.unsigned_abs(),
            negative: value < 0,
            signed: true,
        }
    }

    pub(super) fn unsigned(value: u64) -> Self {
        Self {
            size: value,
            negative: false,
            signed: false,
        }
    }

    /// The character of this number.
    fn character(self) -> char {
        let code = if self.negative { u64::MAX } else { self.size };
        u32::try_from(code)
            .ok()
            .and_then(char::from_u32)
            .unwrap_or(char::REPLACEMENT_CHARACTER)
    }
}

impl Printer<'_> {
    /// Writes padding: zeros when the field asks for them and they come first.
    fn padding(&mut self, count: usize) -> Result<(), CallError> {
        self.room(count)?;
        let byte = if self.field.zero && !self.field.minus {
            b'0'
        } else {
            b' '
        };
        self.out.extend(std::iter::repeat_n(byte, count));
        Ok(())
    }

    /// Writes a text into its width.
    pub(super) fn pad(&mut self, text: &[u8]) -> Result<(), CallError> {
        let Some(width @ 1..) = self.field.width else {
            self.room(text.len())?;
            self.out.extend_from_slice(text);
            return Ok(());
        };
        let padding = width.saturating_sub(utf8::count(text));
        self.room(text.len())?;
        if self.field.minus {
            self.out.extend_from_slice(text);
            self.padding(padding)
        } else {
            self.padding(padding)?;
            self.out.extend_from_slice(text);
            Ok(())
        }
    }

    fn pad_with_blanks(&mut self, text: &[u8]) -> Result<(), CallError> {
        let zero = std::mem::replace(&mut self.field.zero, false);
        let result = self.pad(text);
        self.field.zero = zero;
        result
    }

    /// Writes a text; `false` when it has no such verb.
    pub(super) fn text(&mut self, text: &[u8], verb: char) -> Result<bool, CallError> {
        match verb {
            'v' if self.field.syntax => self.quoted(text)?,
            'v' | 's' => self.pad(self.cut(text))?,
            'x' => self.hex(text, LOWER)?,
            'X' => self.hex(text, UPPER)?,
            'q' => self.quoted(text)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// As many characters as the precision allows.
    pub(super) fn cut<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        let Some(precision) = self.field.precision else {
            return text;
        };
        match utf8::characters(text).nth(precision) {
            Some((end, ..)) => &text[..end],
            None => text,
        }
    }

    fn quoted(&mut self, text: &[u8]) -> Result<(), CallError> {
        let text = self.cut(text);
        self.room(text.len())?;
        if self.field.sharp && strconv::can_backquote(text) {
            let text = [b"`", text, b"`"].concat();
            return self.pad(&text);
        }
        let text = if self.field.plus {
            strconv::quote_ascii(text)
        } else {
            strconv::quote_bytes(text)
        };
        self.pad(text.as_bytes())
    }

    fn hex(&mut self, text: &[u8], digits: &[u8; 17]) -> Result<(), CallError> {
        let text = match self.field.precision {
            Some(precision) if precision < text.len() => &text[..precision],
            _ => text,
        };
        let Field { sharp, space, .. } = self.field;
        let count = text.len();
        let width = match (space, sharp) {
            _ if count == 0 => 0,
            (true, true) => count * 5 - 1,
            (true, false) => count * 3 - 1,
            (false, true) => count * 2 + 2,
            (false, false) => count * 2,
        };
        self.room(width)?;
        let padding = self.field.width.unwrap_or(0).saturating_sub(width);
        if !self.field.minus || count == 0 {
            self.padding(padding)?;
        }
        for (at, byte) in text.iter().enumerate() {
            if space && at > 0 {
                self.out.push(b' ');
            }
            if sharp && (space || at == 0) {
                self.out.extend([b'0', digits[16]]);
            }
            self.out.extend([
                digits[usize::from(byte >> 4)],
                digits[usize::from(byte & 15)],
            ]);
        }
        if self.field.minus && count > 0 {
            self.padding(padding)?;
        }
        Ok(())
    }

    /// Writes an integer; `false` when it has no such verb.
    pub(super) fn integer(&mut self, value: Integer, verb: char) -> Result<bool, CallError> {
        match verb {
            'v' if self.field.syntax && !value.signed => self.prefixed(value.size)?,
            'v' | 'd' => self.based(value, 10, LOWER, "")?,
            'b' => self.based(value, 2, LOWER, "")?,
            'o' => self.based(value, 8, LOWER, "")?,
            'O' => self.based(value, 8, LOWER, "0o")?,
            'x' => self.based(value, 16, LOWER, "")?,
            'X' => self.based(value, 16, UPPER, "")?,
            'c' => {
                let mut bytes = [0; 4];
                let text = value.character().encode_utf8(&mut bytes);
                self.pad(text.as_bytes())?;
            }
            'q' => {
                let text = strconv::quote_char(value.character(), self.field.plus);
                self.pad(text.as_bytes())?;
            }
            'U' => self.unicode(value)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Writes `0x1f`, whatever the flags.
    pub(super) fn prefixed(&mut self, value: u64) -> Result<(), CallError> {
        let sharp = std::mem::replace(&mut self.field.sharp, true);
        let result = self.based(Integer::unsigned(value), 16, LOWER, "");
        self.field.sharp = sharp;
        result
    }

    fn based(
        &mut self,
        value: Integer,
        base: u64,
        digits: &[u8; 17],
        prefix: &str,
    ) -> Result<(), CallError> {
        let Field {
            plus, space, sharp, ..
        } = self.field;
        let least = match (self.field.precision, self.field.width) {
            (Some(0), width) if value.size == 0 => {
                // No digits at all.
                return self.only_blanks(width.unwrap_or(0));
            }
            (Some(precision), _) => precision,
            (None, Some(width)) if self.field.zero && !self.field.minus => {
                width.saturating_sub(usize::from(value.negative || plus || space))
            }
            _ => 0,
        };
        let mut number = Digits::default();
        number.number(value.size, base, digits);
        let number = number.as_bytes();
        let zeros = least.saturating_sub(number.len());
        self.room(zeros)?;
        let mut text = Vec::with_capacity(number.len() + zeros + 5);
        if value.negative {
            text.push(b'-');
        } else if plus {
            text.push(b'+');
        } else if space {
            text.push(b' ');
        }
        text.extend_from_slice(prefix.as_bytes());
        if sharp {
            match base {
                2 => text.extend_from_slice(b"0b"),
                8 if zeros == 0 && number[0] != b'0' => text.push(b'0'),
                16 => text.extend([b'0', digits[16]]),
                _ => {}
            }
        }
        text.extend(std::iter::repeat_n(b'0', zeros));
        text.extend_from_slice(number);
        self.pad_with_blanks(&text)
    }

    fn only_blanks(&mut self, width: usize) -> Result<(), CallError> {
        let zero = std::mem::replace(&mut self.field.zero, false);
        let result = self.padding(width);
        self.field.zero = zero;
        result
    }

    fn unicode(&mut self, value: Integer) -> Result<(), CallError> {
        let size = if value.negative {
            value.size.wrapping_neg()
        } else {
            value.size
        };
        let mut number = Digits::default();
        number.number(size, 16, UPPER);
        let number = number.as_bytes();
        let least = self.field.precision.unwrap_or(0).max(4);
        let zeros = least.saturating_sub(number.len());
        self.room(zeros)?;
        let mut text = b"U+".to_vec();
        text.extend(std::iter::repeat_n(b'0', zeros));
        text.extend_from_slice(number);
        let character = u32::try_from(size).ok().and_then(char::from_u32);
        if let Some(character) = character.filter(|&character| strconv::is_print(character))
            && self.field.sharp
        {
            text.extend_from_slice(format!(" '{character}'").as_bytes());
        }
        self.pad_with_blanks(&text)
    }

    /// Writes a float; `false` when it has no such verb.
    pub(super) fn float(&mut self, value: f64, verb: char) -> Result<bool, CallError> {
        let (verb, precision) = match verb {
            'v' => ('g', None),
            'b' | 'g' | 'G' | 'x' | 'X' => (verb, None),
            'f' | 'e' | 'E' => (verb, Some(6)),
            'F' => ('f', Some(6)),
            _ => return Ok(false),
        };
        let precision = self.field.precision.or(precision);
        self.room(precision.unwrap_or(0))?;
        let mut text = strconv::format_float(value, verb, precision);
        if !text.starts_with(['-', '+']) {
            text.insert(0, '+');
        }
        let Field {
            plus, space, zero, ..
        } = self.field;
        if space && !plus && text.starts_with('+') {
            text.replace_range(..1, " ");
        }
        if !value.is_finite() {
            // Never padded with zeros, as these are no numbers.
            let skip = usize::from(value.is_nan() && !space && !plus);
            return self
                .pad_with_blanks(&text.as_bytes()[skip..])
                .map(|()| true);
        }
        if self.field.sharp && verb != 'b' {
            text = keep_point(&text, verb, precision);
            self.room(text.len())?;
        }
        if !plus && text.starts_with('+') {
            return self.pad(&text.as_bytes()[1..]).map(|()| true);
        }
        match self.field.width {
            // The sign goes before the zeros.
            Some(width) if zero && !self.field.minus && width > text.len() => {
                self.out.push(text.as_bytes()[0]);
                self.padding(width - text.len())?;
                self.room(text.len())?;
                self.out.extend_from_slice(&text.as_bytes()[1..]);
            }
            _ => self.pad(text.as_bytes())?,
        }
        Ok(true)
    }
}

/// The `#` flag: a decimal point always, and for `%g` as many digits as the precision says.
fn keep_point(text: &str, verb: char, precision: Option<usize>) -> String {
    let mut left = match verb {
        'g' | 'G' | 'x' => precision.unwrap_or(6),
        _ => 0,
    };
    let exponents: &[char] = if matches!(verb, 'x' | 'X') {
        &['p', 'P']
    } else {
        &['e', 'E']
    };
    let (number, tail) = text.split_at(text.find(exponents).unwrap_or(text.len()));
    let mut significant = false;
    for character in number.chars().skip(1).filter(|&character| character != '.') {
        significant |= character != '0';
        if significant {
            left = left.saturating_sub(1);
        }
    }
    let mut out = number.to_owned();
    if !number.contains('.') {
        // A lone zero counts as a digit.
        if &number[1..] == "0" {
            left = left.saturating_sub(1);
        }
        out.push('.');
    }
    out.extend(std::iter::repeat_n('0', left));
    out.push_str(tail);
    out
}
