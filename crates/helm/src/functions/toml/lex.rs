//! TOML character by character: names, texts and numbers, and what is said when they are wrong.
//!
//! Line numbers of errors depend on how far the reference has looked ahead, so this looks as far.

/// Why a text is no TOML.
#[derive(Debug)]
pub(super) struct Fault {
    /// From one.
    pub line: usize,
    pub message: String,
    /// Whether it is one of our limits.
    pub limit: bool,
}

pub(super) struct Lexer<'a> {
    input: &'a [u8],
    at: usize,
    /// Where what is being read began.
    start: usize,
    pub line: usize,
    at_end: bool,
    /// How long the characters read last are, the last one at the end.
    widths: Vec<usize>,
}

type Next = Result<Option<char>, Fault>;

/// A character as Go's `%q` prints it.
pub(super) fn quoted(character: Option<char>) -> String {
    match character {
        None => "'\\x00'".into(),
        Some('\'') => "'\\''".into(),
        Some('"') => "'\"'".into(),
        Some(character) => {
            let text = golang::strconv::quote(character.encode_utf8(&mut [0; 4]));
            format!("'{}'", text.trim_matches('"'))
        }
    }
}

/// A character in quotes, or that there is none.
pub(super) fn shown(character: Option<char>) -> String {
    match character {
        None => "end of file".into(),
        Some(character) => format!("'{character}'"),
    }
}

pub(super) fn is_blank(character: Option<char>) -> bool {
    matches!(character, Some(' ' | '\t'))
}

pub(super) fn is_break(character: Option<char>) -> bool {
    matches!(character, Some('\n' | '\r'))
}

fn is_digit(character: Option<char>) -> bool {
    character.is_some_and(|character| character.is_ascii_digit())
}

fn is_hex(character: Option<char>) -> bool {
    character.is_some_and(|character| character.is_ascii_hexdigit())
}

impl<'a> Lexer<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        Self {
            input,
            at: 0,
            start: 0,
            line: 1,
            at_end: false,
            widths: Vec::new(),
        }
    }

    fn fault_at(&self, line: usize, message: impl Into<String>) -> Fault {
        Fault {
            line,
            message: message.into(),
            limit: false,
        }
    }

    /// An error where we are; at the end of the text, where that is not on an empty line.
    pub(super) fn fault(&self, message: impl Into<String>) -> Fault {
        let after_break = self.at > 0 && self.input[self.at - 1] == b'\n';
        let line = self.line - usize::from(self.at_end && after_break);
        self.fault_at(line, message)
    }

    /// An error about a line break that was read: it is on the line before.
    pub(super) fn fault_before(&self, message: impl Into<String>) -> Fault {
        self.fault_at(self.line - 1, message)
    }

    pub(super) fn next(&mut self) -> Next {
        let rest = &self.input[self.at..];
        let Some(&first) = rest.first() else {
            self.at_end = true;
            return Ok(None);
        };
        if first == b'\n' {
            self.line += 1;
        }
        let (character, width) = golang::utf8::decode(rest);
        let Some(character) = character else {
            return Err(self.fault_at(self.line, format!("invalid UTF-8 byte: {first:#04x}")));
        };
        let control = character < ' ' && !matches!(character, '\t' | '\n' | '\r');
        let lone = character == '\r' && rest.get(1) != Some(&b'\n');
        if control || lone || character == '\u{7f}' {
            let text = format!("TOML files cannot contain control characters: '{first:#04x}'");
            return Err(self.fault_at(self.line, text));
        }
        if self.widths.len() == 8 {
            self.widths.remove(0);
        }
        self.widths.push(width);
        self.at += width;
        Ok(Some(character))
    }

    /// Unreads one character.
    pub(super) fn back(&mut self) {
        if self.at_end {
            self.at_end = false;
            return;
        }
        self.at -= self.widths.pop().unwrap_or(0);
        if self.input.get(self.at) == Some(&b'\n') {
            self.line -= 1;
        }
    }

    pub(super) fn peek(&mut self) -> Next {
        let character = self.next()?;
        self.back();
        Ok(character)
    }

    fn accept(&mut self, wanted: char) -> Result<bool, Fault> {
        if self.next()? == Some(wanted) {
            return Ok(true);
        }
        self.back();
        Ok(false)
    }

    pub(super) fn skip_blanks(&mut self) -> Result<(), Fault> {
        while is_blank(self.next()?) {}
        self.back();
        self.begin();
        Ok(())
    }

    /// What comes now begins here.
    pub(super) fn begin(&mut self) {
        self.start = self.at;
    }

    /// What was read since the beginning.
    pub(super) fn current(&self) -> String {
        String::from_utf8_lossy(&self.input[self.start..self.at]).into_owned()
    }

    /// The rest of a line, behind `#`.
    pub(super) fn comment(&mut self) -> Result<(), Fault> {
        loop {
            let character = self.next()?;
            if character.is_none() || is_break(character) {
                self.back();
                return Ok(());
            }
        }
    }

    /// One part of a key, behind blanks: in quotes, or letters, digits, `_` and `-`; maybe nothing.
    pub(super) fn name(&mut self) -> Result<String, Fault> {
        self.begin();
        match self.peek()? {
            Some('"') => {
                self.next()?;
                self.text()
            }
            Some('\'') => {
                self.next()?;
                self.raw_text()
            }
            _ => {
                while matches!(
                    self.next()?,
                    Some('a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-')
                ) {}
                self.back();
                Ok(self.current())
            }
        }
    }

    /// A text behind its first `"`.
    pub(super) fn text(&mut self) -> Result<String, Fault> {
        self.begin();
        loop {
            let character = self.next()?;
            match character {
                None => return Err(self.fault("unexpected EOF; expected '\"'")),
                _ if is_break(character) => {
                    return Err(self.fault_before("strings cannot contain newlines"));
                }
                Some('\\') => self.escape()?,
                Some('"') => {
                    self.back();
                    let text = self.current();
                    let text = self.unescape(&text)?;
                    self.next()?;
                    return Ok(text);
                }
                _ => {}
            }
        }
    }

    /// A text behind its first `'`.
    pub(super) fn raw_text(&mut self) -> Result<String, Fault> {
        self.begin();
        loop {
            let character = self.next()?;
            match character {
                None => return Err(self.fault("unexpected EOF; expected \"'\"")),
                _ if is_break(character) => {
                    return Err(self.fault_before("strings cannot contain newlines"));
                }
                Some('\'') => {
                    self.back();
                    let text = self.current();
                    self.next()?;
                    return Ok(text);
                }
                _ => {}
            }
        }
    }

    /// A text behind its first three quotes.
    pub(super) fn long_text(&mut self, quote: char) -> Result<String, Fault> {
        self.begin();
        let escapes = quote == '"';
        loop {
            match self.next()? {
                None if escapes => return Err(self.fault("unexpected EOF; expected '\"\"\"'")),
                None => return Err(self.fault("unexpected EOF; expected \"'''\"")),
                Some('\\') if escapes => {
                    if !is_break(self.next()?) {
                        self.back();
                        self.escape()?;
                    }
                }
                Some(found) if found == quote && self.accept(quote)? => {
                    if !self.accept(quote)? {
                        self.back();
                        continue;
                    }
                    if self.peek()? == Some(quote) {
                        self.check_quotes(quote)?;
                        // Up to two quotes may stand before the last three.
                        self.back();
                        self.back();
                        continue;
                    }
                    (0..3).for_each(|_| self.back());
                    let text = self.current();
                    let text = text
                        .strip_prefix("\r\n")
                        .or_else(|| text.strip_prefix('\n'))
                        .unwrap_or(&text);
                    let text = if escapes {
                        self.unescape(&join_lines(text))?
                    } else {
                        text.to_owned()
                    };
                    for _ in 0..3 {
                        self.next()?;
                    }
                    return Ok(text);
                }
                Some(_) => {}
            }
        }
    }

    /// Refuses six quotes in a row.
    fn check_quotes(&self, quote: char) -> Result<(), Fault> {
        let five: String = std::iter::repeat_n(quote, 5).collect();
        let current = self.current();
        let escaped = quote == '"' && current.ends_with(&format!("\\{five}"));
        if current.ends_with(&five) && !escaped {
            let outer = if quote == '"' { '\'' } else { '"' };
            return Err(self.fault(format!("unexpected {outer}{five}{quote}{outer}")));
        }
        Ok(())
    }

    /// What follows a backslash.
    fn escape(&mut self) -> Result<(), Fault> {
        let character = self.next()?;
        let (digits, count, name) = match character {
            Some('e' | 'b' | 't' | 'n' | 'f' | 'r' | '"' | ' ' | '\t' | '\\') => return Ok(()),
            Some('x') => (2, "two", 'x'),
            Some('u') => (4, "four", 'u'),
            Some('U') => (8, "eight", 'U'),
            None => return Err(self.fault_before("invalid escape in string '\\\0'")),
            Some(other) => {
                return Err(self.fault(format!("invalid escape in string '\\{other}'")));
            }
        };
        for _ in 0..digits {
            if !is_hex(self.next()?) {
                let found = golang::strconv::quote(&self.current());
                return Err(self.fault(format!(
                    "expected {count} hexadecimal digits after '\\{name}', but got {found} instead"
                )));
            }
        }
        Ok(())
    }

    fn unescape(&self, text: &str) -> Result<String, Fault> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('\\') {
            out.push_str(before);
            let mut characters = after.chars();
            let Some(escape) = characters.next() else {
                break;
            };
            rest = characters.as_str();
            let digits = match escape {
                'x' => 2,
                'u' => 4,
                'U' => 8,
                _ => 0,
            };
            if digits > 0 {
                let (hex, after) = rest.split_at(digits.min(rest.len()));
                rest = after;
                let code = u32::from_str_radix(hex, 16).ok();
                out.push(code.and_then(char::from_u32).ok_or_else(|| {
                    self.fault(format!("Escaped character '\\u{hex}' is not valid UTF-8."))
                })?);
                continue;
            }
            out.push(match escape {
                'b' => '\u{8}',
                't' => '\t',
                'n' => '\n',
                'f' => '\u{c}',
                'r' => '\r',
                'e' => '\u{1b}',
                ' ' | '\t' => return Err(self.fault(format!("invalid escape: '\\{escape}'"))),
                other => other,
            });
        }
        out.push_str(rest);
        Ok(out)
    }

    /// `true` or `false`; any other word is an error.
    pub(super) fn word(&mut self) -> Result<bool, Fault> {
        let from = self.at;
        while self.next()?.is_some_and(char::is_alphabetic) {}
        self.back();
        let word = String::from_utf8_lossy(&self.input[from..self.at]).into_owned();
        match word.as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => {
                let word = golang::strconv::quote(&word);
                Err(self.fault(format!("expected value but found {word} instead")))
            }
        }
    }

    /// Whether `inf` or `nan` comes, behind its first letter; otherwise the letters that looked so
    /// far like it are lost for the error.
    pub(super) fn special(&mut self) -> Result<bool, Fault> {
        let infinite = self.accept('n')? && self.accept('f')?;
        Ok(infinite || self.accept('a')? && self.accept('n')?)
    }
}

/// What a number looks like so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    Integer,
    Float,
    DateTime,
}

impl Lexer<'_> {
    /// What begins with a digit.
    pub(super) fn number(&mut self) -> Result<Number, Fault> {
        if self.next()? == Some('0') {
            let character = self.next()?;
            let (name, fits): (_, fn(Option<char>) -> bool) = match character {
                Some('0'..='9') => return self.number_or_date(),
                Some('_') => return self.decimal(),
                Some('.' | 'e' | 'E') => return self.float(),
                Some('b') => ("a binary", |digit| matches!(digit, Some('0' | '1'))),
                Some('o') => ("an octal", |digit| matches!(digit, Some('0'..='7'))),
                Some('x') => ("a hexadecimal", is_hex),
                _ => {
                    self.back();
                    return Ok(Number::Integer);
                }
            };
            let digit = self.peek()?;
            if !fits(digit) {
                let digit = digit.unwrap_or('\0');
                let text = format!("not {name} number: '{}{digit}'", self.current());
                return Err(self.fault(text));
            }
            self.while_next(|character| fits(character) || character == Some('_'))?;
            return Ok(Number::Integer);
        }
        self.number_or_date()
    }

    /// What begins with a sign.
    pub(super) fn signed(&mut self) -> Result<Number, Fault> {
        let character = self.next()?;
        let word = match character {
            Some('i') => Some(['n', 'f']),
            Some('n') => Some(['a', 'n']),
            _ => None,
        };
        if let Some([second, third]) = word {
            if !self.accept(second)? || !self.accept(third)? {
                return Err(self.fault(format!("invalid float: '{}'", self.current())));
            }
            return Ok(Number::Float);
        }
        if character == Some('0')
            && let Some(base @ ('b' | 'o' | 'x')) = self.peek()?
        {
            let text = format!(
                "cannot use sign with non-decimal numbers: '{}{base}'",
                self.current()
            );
            return Err(self.fault(text));
        }
        if character == Some('.') {
            return Err(self.fault("floats must start with a digit, not '.'"));
        }
        if !is_digit(character) {
            let text = format!("expected a digit but got {}", quoted(character));
            return Err(self.fault(text));
        }
        self.decimal()
    }

    fn while_next(&mut self, fits: impl Fn(Option<char>) -> bool) -> Result<(), Fault> {
        while fits(self.next()?) {}
        self.back();
        Ok(())
    }

    fn number_or_date(&mut self) -> Result<Number, Fault> {
        self.while_next(is_digit)?;
        match self.next()? {
            Some('-' | ':') => {
                self.while_next(|character| {
                    is_digit(character)
                        || matches!(
                            character,
                            Some('-' | ':' | 'T' | 't' | ' ' | '.' | 'Z' | 'z' | '+')
                        )
                })?;
                Ok(Number::DateTime)
            }
            Some('_') => self.decimal(),
            Some('.' | 'e' | 'E') => self.float(),
            _ => {
                self.back();
                Ok(Number::Integer)
            }
        }
    }

    fn decimal(&mut self) -> Result<Number, Fault> {
        self.while_next(|character| is_digit(character) || character == Some('_'))?;
        if matches!(self.next()?, Some('.' | 'e' | 'E')) {
            return self.float();
        }
        self.back();
        Ok(Number::Integer)
    }

    fn float(&mut self) -> Result<Number, Fault> {
        self.while_next(|character| {
            is_digit(character) || matches!(character, Some('_' | '.' | '-' | '+' | 'e' | 'E'))
        })?;
        Ok(Number::Float)
    }
}

/// A text without the line ends behind a backslash and the blanks that follow them.
fn join_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let trimmed = after.trim_start_matches([' ', '\t', '\r', '\n']);
        let blanks = &after[..after.len() - trimmed.len()];
        if blanks.contains('\n') {
            rest = trimmed;
            continue;
        }
        out.push('\\');
        rest = after;
        // An escaped backslash escapes nothing.
        if let Some(after) = rest.strip_prefix('\\') {
            out.push('\\');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}
