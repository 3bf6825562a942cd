//! Directives, anchors and tags.

use object::Text;

use super::{Mark, Outcome, Scanner, Token, TokenKind};

impl<'a> Scanner<'a> {
    /// `%YAML 1.1` and `%TAG !e! tag:example.com,2024:`.
    pub(super) fn scan_directive(&mut self) -> Outcome<Token> {
        let start = self.mark;
        self.skip();
        let name = self.scan_word();
        if name.is_empty() {
            return self.error(start, "could not find expected directive name");
        }
        if !self.is_blank_or_end(0) {
            return self.error(start, "found unexpected non-alphabetical character");
        }
        let token = match name {
            "YAML" => {
                self.skip_blanks();
                let major = self.scan_version_number(start)?;
                if self.byte(0) != b'.' {
                    return self.error(start, "did not find expected digit or '.' character");
                }
                self.skip();
                let minor = self.scan_version_number(start)?;
                Token {
                    value: format!("{major}.{minor}").into(),
                    ..Token::new(TokenKind::VersionDirective, start, self.mark)
                }
            }
            "TAG" => {
                self.skip_blanks();
                let handle = self.scan_tag_handle(true, start)?;
                if !self.is_blank(0) {
                    return self.error(start, "did not find expected whitespace");
                }
                self.skip_blanks();
                let prefix = self.scan_tag_uri("", start)?;
                if !self.is_blank_or_end(0) {
                    return self.error(start, "did not find expected whitespace or line break");
                }
                Token {
                    value: handle.into(),
                    suffix: prefix.into(),
                    ..Token::new(TokenKind::TagDirective, start, self.mark)
                }
            }
            _ => return self.error(start, "found unknown directive name"),
        };
        self.skip_blanks();
        if self.byte(0) == b'#' {
            self.skip_comment();
        }
        if !self.is_break_or_end(0) {
            return self.error(start, "did not find expected comment or line break");
        }
        self.skip_line();
        Ok(token)
    }

    fn skip_blanks(&mut self) {
        while self.is_blank(0) {
            self.skip();
        }
    }

    fn scan_word(&mut self) -> &'a str {
        let from = self.mark.index;
        while self.is_word(0) {
            self.skip();
        }
        self.slice(from)
    }

    fn scan_version_number(&mut self, start: Mark) -> Outcome<u32> {
        let from = self.mark.index;
        while self.byte(0).is_ascii_digit() {
            if self.mark.index - from == 2 {
                return self.error(start, "found extremely long version number");
            }
            self.skip();
        }
        match self.slice(from).parse() {
            Ok(number) => Ok(number),
            Err(_) => self.error(start, "did not find expected version number"),
        }
    }

    pub(super) fn scan_anchor(&mut self, kind: TokenKind) -> Outcome<Token> {
        let start = self.mark;
        self.skip();
        let name = Text::new(self.scan_word());
        let end = self.mark;
        let ends = self.is_blank_or_end(0)
            || matches!(
                self.byte(0),
                b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`'
            );
        if name.is_empty() || !ends {
            return self.error(
                start,
                "did not find expected alphabetic or numeric character",
            );
        }
        Ok(Token {
            value: name,
            ..Token::new(kind, start, end)
        })
    }

    /// `!<uri>`, `!handle!suffix`, `!suffix` or `!`.
    pub(super) fn scan_tag(&mut self) -> Outcome<Token> {
        let start = self.mark;
        let (handle, suffix);
        if self.byte(1) == b'<' {
            self.skip_bytes(2);
            handle = String::new();
            suffix = self.scan_tag_uri("", start)?;
            if self.byte(0) != b'>' {
                return self.error(start, "did not find the expected '>'");
            }
            self.skip();
        } else {
            let first = self.scan_tag_handle(false, start)?;
            if first.len() > 1 && first.ends_with('!') {
                suffix = self.scan_tag_uri("", start)?;
                handle = first;
            } else {
                let rest = self.scan_tag_uri(&first, start)?;
                // A lone `!` has no handle.
                (handle, suffix) = if rest.is_empty() {
                    (String::new(), "!".to_owned())
                } else {
                    ("!".to_owned(), rest)
                };
            }
        }
        if !self.is_blank_or_end(0) {
            return self.error(start, "did not find expected whitespace or line break");
        }
        Ok(Token {
            value: handle.into(),
            suffix: suffix.into(),
            ..Token::new(TokenKind::Tag, start, self.mark)
        })
    }

    /// `!`, `!!`, `!word!`, or for a tag without a handle `!word`.
    fn scan_tag_handle(&mut self, directive: bool, start: Mark) -> Outcome<String> {
        if self.byte(0) != b'!' {
            return self.error(start, "did not find expected '!'");
        }
        let from = self.mark.index;
        self.skip();
        while self.is_word(0) {
            self.skip();
        }
        if self.byte(0) == b'!' {
            self.skip();
        } else if directive && self.slice(from) != "!" {
            return self.error(start, "did not find expected '!'");
        }
        Ok(self.slice(from).to_owned())
    }

    /// The rest of a tag. `head` is what was taken for a handle and is part of it; its `!` is not.
    fn scan_tag_uri(&mut self, head: &str, start: Mark) -> Outcome<String> {
        let mut uri = head.get(1..).unwrap_or_default().as_bytes().to_vec();
        let mut seen = !head.is_empty();
        loop {
            let byte = self.byte(0);
            if byte == b'%' {
                self.scan_uri_escape(&mut uri, start)?;
            } else if self.is_word(0) || b";/?:@&=+$,.!~*'()[]".contains(&byte) {
                uri.push(byte);
                self.skip();
            } else {
                break;
            }
            seen = true;
        }
        if !seen {
            return self.error(start, "did not find expected tag URI");
        }
        // Escapes were checked to be whole characters, but not which ones.
        match String::from_utf8(uri) {
            Ok(uri) => Ok(uri),
            Err(_) => self.error(start, "found an incorrect trailing UTF-8 octet"),
        }
    }

    /// `%C3%A9`: all bytes of one character.
    fn scan_uri_escape(&mut self, uri: &mut Vec<u8>, start: Mark) -> Outcome<()> {
        let mut left = 0;
        loop {
            let digit = |ahead| char::from(self.byte(ahead)).to_digit(16);
            let (b'%', Some(high), Some(low)) = (self.byte(0), digit(1), digit(2)) else {
                return self.error(start, "did not find URI escaped octet");
            };
            let octet = (high << 4 | low) as u8;
            if left == 0 {
                left = match octet {
                    0..0x80 => 1,
                    0xc0..0xe0 => 2,
                    0xe0..0xf0 => 3,
                    0xf0..0xf8 => 4,
                    _ => return self.error(start, "found an incorrect leading UTF-8 octet"),
                };
            } else if octet & 0xc0 != 0x80 {
                return self.error(start, "found an incorrect trailing UTF-8 octet");
            }
            uri.push(octet);
            self.skip_bytes(3);
            left -= 1;
            if left == 0 {
                return Ok(());
            }
        }
    }
}
