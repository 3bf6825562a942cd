//! Text of an expression to tokens.
//!
//! # Source
//! The CEL language definition: google/cel-spec `doc/langdef.md`, "Syntax".

use std::sync::Arc;

use object::Text;

use crate::Value;
use crate::error::Issue;

#[derive(Clone, Debug)]
pub(crate) enum Token {
    /// A name; `true` for one quoted with backticks.
    Ident(Text, bool),
    Literal(Value),
    Symbol(&'static str),
    End,
}

pub(crate) struct Spanned {
    pub token: Token,
    pub at: u32,
}

/// Longest first, so that the first match is the right one.
const SYMBOLS: [&str; 26] = [
    "&&", "||", "==", "!=", "<=", ">=", "[", "]", "{", "}", "(", ")", ".", ",", "-", "+", "*", "/",
    "%", "?", ":", "!", "<", ">", "=", "|",
];

pub(crate) fn tokens(text: &str) -> Result<Vec<Spanned>, Issue> {
    let mut lexer = Lexer { text, at: 0 };
    let mut found = Vec::new();
    loop {
        lexer.skip_blank();
        let at = lexer.at as u32;
        let token = lexer.next()?;
        let end = matches!(token, Token::End);
        found.push(Spanned { token, at });
        if end {
            return Ok(found);
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_blank(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches([' ', '\t', '\n', '\r', '\x0c']);
            self.at += rest.len() - trimmed.len();
            if !trimmed.starts_with("//") {
                return;
            }
            self.at += trimmed.find('\n').unwrap_or(trimmed.len());
        }
    }

    fn next(&mut self) -> Result<Token, Issue> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Ok(Token::End);
        };
        if let Some((raw, bytes, length)) = string_prefix(rest) {
            let start = self.at;
            self.at += length;
            return self.string(raw, bytes, start);
        }
        match first {
            'a'..='z' | 'A'..='Z' | '_' => Ok(self.word()),
            '`' => {
                let inner = &rest[1..];
                let end = inner
                    .find('`')
                    .ok_or_else(|| self.issue("Syntax error: unterminated quoted identifier"))?;
                self.at += end + 2;
                Ok(Token::Ident(inner[..end].into(), true))
            }
            '0'..='9' => self.number(),
            '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => self.number(),
            _ => {
                let symbol = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol));
                let Some(symbol) = symbol.filter(|symbol| !matches!(**symbol, "=" | "|")) else {
                    return Err(self.issue(&format!(
                        "Syntax error: token recognition error at: '{first}'"
                    )));
                };
                self.at += symbol.len();
                Ok(Token::Symbol(symbol))
            }
        }
    }

    fn word(&mut self) -> Token {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        self.at += end;
        match &rest[..end] {
            "true" => Token::Literal(Value::Bool(true)),
            "false" => Token::Literal(Value::Bool(false)),
            "null" => Token::Literal(Value::Null),
            name => Token::Ident(name.into(), false),
        }
    }

    fn number(&mut self) -> Result<Token, Issue> {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        let digits = |from: usize| {
            bytes[from..]
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count()
        };
        if rest.starts_with("0x") || rest.starts_with("0X") {
            let count = bytes[2..]
                .iter()
                .take_while(|byte| byte.is_ascii_hexdigit())
                .count();
            return self.integer(&rest[2..2 + count], 16, 2 + count);
        }
        let mut end = digits(0);
        let mut float = false;
        if bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
            float = true;
            end += 1;
            end += digits(end);
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            let exponent = digits((end + 1 + sign).min(bytes.len()));
            if exponent > 0 {
                float = true;
                end += 1 + sign + exponent;
            }
        }
        if !float {
            return self.integer(&rest[..end], 10, end);
        }
        let value = rest[..end].parse().unwrap_or(f64::INFINITY);
        if f64::is_infinite(value) {
            return Err(self.issue("invalid double literal"));
        }
        self.at += end;
        Ok(Token::Literal(Value::Double(value)))
    }

    /// The sign belongs to the parser: `-9223372036854775808` arrives as a `Uint` one too large.
    fn integer(&mut self, digits: &str, radix: u32, length: usize) -> Result<Token, Issue> {
        let value = u64::from_str_radix(digits, radix).ok();
        if self.rest()[length..].starts_with(['u', 'U']) {
            let value = value.ok_or_else(|| self.issue("invalid uint literal"))?;
            self.at += length + 1;
            return Ok(Token::Literal(Value::Uint(value)));
        }
        const SMALLEST: u64 = 1 << 63;
        let value = match value {
            Some(SMALLEST) => Value::Int(i64::MIN),
            Some(value) if value < SMALLEST => Value::Int(value as i64),
            _ => return Err(self.issue("invalid int literal")),
        };
        self.at += length;
        Ok(Token::Literal(value))
    }

    fn string(&mut self, raw: bool, bytes: bool, start: usize) -> Result<Token, Issue> {
        let rest = self.rest();
        let quote = ["\"\"\"", "'''", "\"", "'"]
            .into_iter()
            .find(|quote| rest.starts_with(quote))
            .expect("the caller saw a quote");
        self.at += quote.len();
        let mut out: Vec<u8> = Vec::new();
        loop {
            let rest = self.rest();
            if rest.starts_with(quote) {
                self.at += quote.len();
                break;
            }
            let Some(next) = rest.chars().next() else {
                return Err(self.issue_at(start, "Syntax error: unterminated string"));
            };
            if quote.len() == 1 && matches!(next, '\n' | '\r') {
                return Err(self.issue_at(start, "Syntax error: unterminated string"));
            }
            if next == '\\' && !raw {
                self.at += 1;
                self.escape(bytes, &mut out)?;
                continue;
            }
            if next == '\\' {
                // In a raw string a backslash keeps the next character from ending it.
                out.push(b'\\');
                self.at += 1;
                let Some(next) = self.rest().chars().next() else {
                    continue;
                };
                self.at += next.len_utf8();
                out.extend_from_slice(next.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            }
            self.at += next.len_utf8();
            out.extend_from_slice(next.encode_utf8(&mut [0; 4]).as_bytes());
        }
        if bytes {
            return Ok(Token::Literal(Value::Bytes(Arc::from(out))));
        }
        let text = String::from_utf8(out).map_err(|_| self.issue_at(start, "invalid UTF-8"))?;
        Ok(Token::Literal(Value::String(text.into())))
    }

    fn escape(&mut self, bytes: bool, out: &mut Vec<u8>) -> Result<(), Issue> {
        let unable = "Syntax error: invalid escape sequence in string";
        let rest = self.rest();
        let next = rest.chars().next().ok_or_else(|| self.issue(unable))?;
        let simple = match next {
            'a' => Some(7),
            'b' => Some(8),
            'f' => Some(12),
            'n' => Some(b'\n'),
            'r' => Some(b'\r'),
            't' => Some(b'\t'),
            'v' => Some(11),
            '\\' | '\'' | '"' | '`' | '?' => Some(next as u8),
            _ => None,
        };
        if let Some(byte) = simple {
            self.at += 1;
            out.push(byte);
            return Ok(());
        }
        let (skip, length, radix) = match next {
            'x' | 'X' => (1, 2, 16),
            'u' if !bytes => (1, 4, 16),
            'U' if !bytes => (1, 8, 16),
            '0'..='3' => (0, 3, 8),
            _ => return Err(self.issue(unable)),
        };
        let code = rest
            .get(skip..skip + length)
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|digits| u32::from_str_radix(digits, radix).ok())
            .ok_or_else(|| self.issue(unable))?;
        self.at += skip + length;
        if bytes {
            out.push(code as u8);
        } else {
            let c = char::from_u32(code).ok_or_else(|| self.issue(unable))?;
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
        Ok(())
    }

    fn issue(&self, message: &str) -> Issue {
        self.issue_at(self.at, message)
    }

    fn issue_at(&self, at: usize, message: &str) -> Issue {
        Issue::new(self.text, at as u32, message.to_owned())
    }
}

/// Whether a string literal starts here: raw, bytes, and the length of `r`, `b`, `rb`, `br`.
fn string_prefix(rest: &str) -> Option<(bool, bool, usize)> {
    let quote = |byte: &u8| matches!(byte, b'"' | b'\'');
    let length = rest.as_bytes().iter().take(3).position(quote)?;
    let (raw, bytes) = match &rest[..length] {
        "" => (false, false),
        "r" | "R" => (true, false),
        "b" | "B" => (false, true),
        "rb" | "rB" | "Rb" | "RB" | "br" | "bR" | "Br" | "BR" => (true, true),
        _ => return None,
    };
    Some((raw, bytes, length))
}
