//! Cuts a template's text into tokens.
//!
//! A token is a range of the text; nothing is copied but the message of an error.
//!
//! # Source
//! golang/go `src/text/template/parse/lex.go` at 1.26.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use regex::Regex;

use super::literal::{quote, unicode_name};

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The text cannot be cut; [`Lexer::error`] says why.
    Error,
    End,
    Text,
    /// `{{`
    Open,
    /// `}}`
    Close,
    Space,
    Bool,
    /// A printing ASCII character that means nothing by itself.
    Char,
    Character,
    Complex,
    Number,
    String,
    RawString,
    Field,
    Identifier,
    Variable,
    Assign,
    Declare,
    Pipe,
    OpenParen,
    CloseParen,
    Keyword(Keyword),
}

/// Words with a meaning of their own; Go counts the dot among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyword {
    Block,
    Break,
    Continue,
    Define,
    Dot,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

/// A piece of the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Token {
    pub(super) const NONE: Self = Self {
        kind: Kind::End,
        start: 0,
        end: 0,
    };
}

/// The cutter. It stops for good at the first error.
pub(super) struct Lexer<'t> {
    text: &'t [u8],
    at: usize,
    start: usize,
    /// Finds `{{`.
    open: Finder<'static>,
    inside: bool,
    parens: u32,
    /// Whether `break` and `continue` are keywords, that is, no functions.
    loops: (bool, bool),
    error: String,
}

const SPACE: &[u8] = b" \t\r\n";

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t [u8], break_is_keyword: bool, continue_is_keyword: bool) -> Self {
        Self {
            text,
            at: 0,
            start: 0,
            open: Finder::new("{{"),
            inside: false,
            parens: 0,
            loops: (break_is_keyword, continue_is_keyword),
            error: String::new(),
        }
    }

    /// Why the last token is an error.
    pub(super) fn error(&self) -> &str {
        &self.error
    }

    /// The next token.
    pub(super) fn next(&mut self) -> Token {
        if self.inside {
            self.start = self.at;
            self.inside_action()
        } else {
            self.outside()
        }
    }

    fn token(&self, kind: Kind) -> Token {
        Token {
            kind,
            start: self.start as u32,
            end: self.at as u32,
        }
    }

    fn fail(&mut self, error: impl Into<String>) -> Token {
        self.error = error.into();
        self.token(Kind::Error)
    }

    fn rest(&self) -> &'t [u8] {
        &self.text[self.at..]
    }

    fn byte(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// The character at the current place and its length in bytes.
    fn peek(&self) -> Option<(char, usize)> {
        decode(self.rest())
    }

    /// Text up to the next action; comments vanish.
    fn outside(&mut self) -> Token {
        loop {
            self.start = self.at;
            let Some(length) = self.open.find(self.rest()) else {
                self.at = self.text.len();
                let kind = if self.at > self.start {
                    Kind::Text
                } else {
                    Kind::End
                };
                return self.token(kind);
            };
            let open = self.at + length;
            let trims = left_marker(&self.text[open + 2..]);
            let text = &self.text[self.at..open];
            let text = if trims { trim_end(text) } else { text };
            if !text.is_empty() {
                self.at += text.len();
                let token = self.token(Kind::Text);
                self.at = open;
                return token;
            }
            self.at = open;
            self.start = open;
            let inner = open + 2 + if trims { 2 } else { 0 };
            if !self.text[inner..].starts_with(b"/*") {
                self.at = open + 2;
                let token = self.token(Kind::Open);
                self.at = inner;
                self.inside = true;
                self.parens = 0;
                return token;
            }
            self.start = inner;
            self.at = inner;
            let Some(length) = find(&self.text[inner + 2..], b"*/") else {
                return self.fail("unclosed comment");
            };
            self.at = inner + 2 + length + 2;
            let Some(trims) = self.at_close() else {
                return self.fail("comment ends before closing delimiter");
            };
            self.skip_close(trims);
        }
    }

    /// Whether an action ends here, and whether it trims the text behind it.
    fn at_close(&self) -> Option<bool> {
        let rest = self.rest();
        if right_marker(rest) && rest[2..].starts_with(b"}}") {
            Some(true)
        } else if rest.starts_with(b"}}") {
            Some(false)
        } else {
            None
        }
    }

    fn skip_close(&mut self, trims: bool) {
        self.at += if trims { 4 } else { 2 };
        if trims {
            let blank = self.rest().iter().take_while(|byte| SPACE.contains(byte));
            self.at += blank.count();
        }
    }

    fn close(&mut self, trims: bool) -> Token {
        self.start = self.at + if trims { 2 } else { 0 };
        self.at = self.start + 2;
        let token = self.token(Kind::Close);
        self.at = self.start - if trims { 2 } else { 0 };
        self.skip_close(trims);
        self.inside = false;
        token
    }

    fn inside_action(&mut self) -> Token {
        if let Some(trims) = self.at_close() {
            if self.parens == 0 {
                return self.close(trims);
            }
            return self.fail("unclosed left paren");
        }
        let Some((character, length)) = self.peek() else {
            return self.fail("unclosed action");
        };
        match character {
            ' ' | '\t' | '\r' | '\n' => return self.space(),
            '.' => match self.text.get(self.at + 1) {
                None | Some(b'0'..=b'9') => return self.number(),
                Some(_) => {
                    self.at += 1;
                    return self.name_after_sign(Kind::Field);
                }
            },
            '+' | '-' | '0'..='9' => return self.number(),
            _ if is_alphanumeric(character) => return self.identifier(),
            _ => self.at += length,
        }
        match character {
            '=' => self.token(Kind::Assign),
            ':' => {
                if self.byte() != Some(b'=') {
                    return self.fail("expected :=");
                }
                self.at += 1;
                self.token(Kind::Declare)
            }
            '|' => self.token(Kind::Pipe),
            '"' => self.quoted(b'"', Kind::String, "unterminated quoted string"),
            '\'' => self.quoted(b'\'', Kind::Character, "unterminated character constant"),
            '`' => match memchr::memchr(b'`', self.rest()) {
                Some(length) => {
                    self.at += length + 1;
                    self.token(Kind::RawString)
                }
                None => self.fail("unterminated raw quoted string"),
            },
            '$' => self.name_after_sign(Kind::Variable),
            '(' => {
                self.parens += 1;
                self.token(Kind::OpenParen)
            }
            ')' if self.parens == 0 => self.fail("unexpected right paren"),
            ')' => {
                self.parens -= 1;
                self.token(Kind::CloseParen)
            }
            ' '..='~' => self.token(Kind::Char),
            _ => self.fail(format!(
                "unrecognized character in action: {}",
                unicode_name(character)
            )),
        }
    }

    /// A run of blanks, without the one that belongs to a closing ` -}}`.
    fn space(&mut self) -> Token {
        let blanks = self.rest().iter().take_while(|byte| SPACE.contains(byte));
        let count = blanks.count();
        self.at += count - 1;
        if self.at_close() == Some(true) {
            if count == 1 {
                return self.close(true);
            }
        } else {
            self.at += 1;
        }
        self.token(Kind::Space)
    }

    fn take_name(&mut self) {
        let ascii = self.rest().iter();
        self.at += ascii.take_while(|byte| is_name_byte(**byte)).count();
        while let Some((character, length)) = self.peek()
            && is_alphanumeric(character)
        {
            self.at += length;
        }
    }

    /// Whether a name may end here.
    fn at_terminator(&self) -> bool {
        match self.byte() {
            None | Some(b' ' | b'\t' | b'\r' | b'\n' | b'.' | b',' | b'|' | b':' | b')' | b'(') => {
                true
            }
            Some(_) => self.rest().starts_with(b"}}"),
        }
    }

    fn bad_character(&mut self) -> Token {
        let character = self.peek().map_or('\u{fffd}', |(character, _)| character);
        self.fail(format!("bad character {}", unicode_name(character)))
    }

    /// A field or a variable, whose sign has been taken.
    fn name_after_sign(&mut self, kind: Kind) -> Token {
        if self.at_terminator() {
            return self.token(if kind == Kind::Variable {
                kind
            } else {
                Kind::Keyword(Keyword::Dot)
            });
        }
        self.take_name();
        if self.at_terminator() {
            self.token(kind)
        } else {
            self.bad_character()
        }
    }

    fn identifier(&mut self) -> Token {
        self.take_name();
        if !self.at_terminator() {
            return self.bad_character();
        }
        let (break_is_keyword, continue_is_keyword) = self.loops;
        let keyword = match &self.text[self.start..self.at] {
            b"true" | b"false" => return self.token(Kind::Bool),
            b"block" => Keyword::Block,
            b"break" if break_is_keyword => Keyword::Break,
            b"continue" if continue_is_keyword => Keyword::Continue,
            b"define" => Keyword::Define,
            b"else" => Keyword::Else,
            b"end" => Keyword::End,
            b"if" => Keyword::If,
            b"nil" => Keyword::Nil,
            b"range" => Keyword::Range,
            b"template" => Keyword::Template,
            b"with" => Keyword::With,
            _ => return self.token(Kind::Identifier),
        };
        self.token(Kind::Keyword(keyword))
    }

    /// A constant in quotes, whose first quote has been taken.
    fn quoted(&mut self, quote: u8, kind: Kind, unterminated: &str) -> Token {
        loop {
            match self.byte() {
                None | Some(b'\n') => return self.fail(unterminated),
                Some(b'\\') => {
                    if matches!(self.text.get(self.at + 1), None | Some(b'\n')) {
                        return self.fail(unterminated);
                    }
                    self.at += 2;
                }
                Some(byte) => {
                    self.at += 1;
                    if byte == quote {
                        return self.token(kind);
                    }
                }
            }
        }
    }

    fn accept(&mut self, set: &[u8]) -> bool {
        let fits = self.byte().is_some_and(|byte| set.contains(&byte));
        self.at += usize::from(fits);
        fits
    }

    fn accept_run(&mut self, set: &[u8]) {
        while self.accept(set) {}
    }

    fn number(&mut self) -> Token {
        let mut kind = Kind::Number;
        let mut fits = self.scan_number();
        if fits && matches!(self.byte(), Some(b'+' | b'-')) {
            kind = Kind::Complex;
            fits = self.scan_number() && self.text[self.at - 1] == b'i';
        }
        if fits {
            return self.token(kind);
        }
        let text = quote(&self.text[self.start..self.at]);
        self.fail(format!("bad number syntax: {text}"))
    }

    /// Takes what looks like a number; reading it finds out whether it is one.
    fn scan_number(&mut self) -> bool {
        const DECIMAL: &[u8] = b"0123456789_";
        const HEXADECIMAL: &[u8] = b"0123456789abcdefABCDEF_";
        self.accept(b"+-");
        let mut digits = DECIMAL;
        if self.accept(b"0") {
            if self.accept(b"xX") {
                digits = HEXADECIMAL;
            } else if self.accept(b"oO") {
                digits = b"01234567_";
            } else if self.accept(b"bB") {
                digits = b"01_";
            }
        }
        self.accept_run(digits);
        if self.accept(b".") {
            self.accept_run(digits);
        }
        if digits == DECIMAL && self.accept(b"eE") || digits == HEXADECIMAL && self.accept(b"pP") {
            self.accept(b"+-");
            self.accept_run(DECIMAL);
        }
        self.accept(b"i");
        match self.peek() {
            Some((character, length)) if is_alphanumeric(character) => {
                self.at += length;
                false
            }
            _ => true,
        }
    }
}

/// Whether nothing but the characters that trimming takes away is in `text`.
fn trim_end(text: &[u8]) -> &[u8] {
    let blank = text.iter().rev().take_while(|byte| SPACE.contains(byte));
    &text[..text.len() - blank.count()]
}

fn left_marker(text: &[u8]) -> bool {
    matches!(text, [b'-', blank, ..] if SPACE.contains(blank))
}

fn right_marker(text: &[u8]) -> bool {
    matches!(text, [blank, b'-', ..] if SPACE.contains(blank))
}

fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, needle)
}

fn is_name_byte(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}

/// The first character, U+FFFD of length one where the bytes are none.
fn decode(bytes: &[u8]) -> Option<(char, usize)> {
    let first = *bytes.first()?;
    if first < 0x80 {
        return Some((char::from(first), 1));
    }
    let bytes = &bytes[..bytes.len().min(4)];
    let valid = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
    };
    let character = valid.chars().next();
    Some(character.map_or(('\u{fffd}', 1), |c| (c, c.len_utf8())))
}

/// Whether a name may hold the character: Go's letters (Unicode's category L) and digits (Nd).
fn is_alphanumeric(character: char) -> bool {
    static ALPHANUMERIC: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\A[\p{L}\p{Nd}]\z").expect("the pattern is ours"));
    if let Ok(byte) = u8::try_from(character)
        && byte.is_ascii()
    {
        return is_name_byte(byte);
    }
    ALPHANUMERIC.is_match(character.encode_utf8(&mut [0; 4]))
}
