//! Words joined in other ways: `snakecase`, `kebabcase`, `camelcase`.
//!
//! # Source
//! huandu/xstrings v1.5.0, `convert.go`, `count.go`.

use golang::{unicode, utf8};

/// What a word is made of.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// No text, or nothing that is text.
    None,
    Number,
    /// Upper case letters, or one with lower case letters behind it.
    Upper,
    Letters,
    /// Blanks, `-` and `_`.
    Connector,
    Punctuation,
    Other,
}

fn is_connector(character: char) -> bool {
    matches!(character, '-' | '_') || unicode::is_space(character)
}

/// Letters but those of Chinese.
fn is_alphabet(character: char) -> bool {
    unicode::is_letter(character)
        && !matches!(
            character,
            '\u{4e00}'..='\u{9fcc}' | '\u{3400}'..='\u{4d85}' | '\u{20000}'..='\u{2b81d}'
        )
}

/// The next character and how many bytes it takes together with those before it that are no text.
/// Where nothing else follows, these belong to the character before.
fn next_character(text: &[u8], before: Option<char>) -> (Option<char>, usize) {
    for (start, character, width) in utf8::characters(text) {
        if let Some(character) = character
            && character != char::REPLACEMENT_CHARACTER
        {
            return (Some(character), start + width);
        }
    }
    (before, text.len())
}

/// How many bytes at the start of `text` go on with what `before` began, and what follows them.
fn run(text: &[u8], before: char, goes_on: impl Fn(char) -> bool) -> (usize, usize, Option<char>) {
    let (mut end, mut last) = (0, 0);
    let mut before = Some(before);
    while end < text.len() {
        let (character, width) = next_character(&text[end..], before);
        if !character.is_some_and(&goes_on) {
            return (end, last, character);
        }
        before = character;
        last = width;
        end += width;
    }
    (end, last, None)
}

/// Splits off the first word.
fn next_word(text: &[u8]) -> (Kind, &[u8], &[u8]) {
    let (Some(first), width) = next_character(text, None) else {
        return (Kind::None, text, &[]);
    };
    let rest = &text[width..];
    let lower = |character: char| is_alphabet(character) && !unicode::is_upper(character);
    let (kind, length) = if is_connector(first) {
        (Kind::Connector, run(rest, first, is_connector).0)
    } else if unicode::is_punctuation(first) {
        (
            Kind::Punctuation,
            run(rest, first, unicode::is_punctuation).0,
        )
    } else if unicode::is_upper(first) {
        let (length, last, behind) = run(rest, first, unicode::is_upper);
        let length = match behind {
            // The last of several begins the next word.
            Some(behind) if length > 0 && is_alphabet(behind) => length - last,
            Some(behind) if length == 0 && is_alphabet(behind) => run(rest, first, lower).0,
            _ => length,
        };
        (Kind::Upper, length)
    } else if is_alphabet(first) {
        (Kind::Letters, run(rest, first, lower).0)
    } else if unicode::is_number(first) {
        (Kind::Number, run(rest, first, unicode::is_number).0)
    } else {
        let other = |character: char| {
            !is_connector(character)
                && !is_alphabet(character)
                && !unicode::is_number(character)
                && !unicode::is_punctuation(character)
        };
        (Kind::Other, run(rest, first, other).0)
    };
    let (word, rest) = text.split_at(width + length);
    (kind, word, rest)
}

/// Words in lower case, joined by `connector`. Digits stay with the letters behind them, and with those
/// before them if nothing else follows.
pub(super) fn joined_lower(text: &[u8], connector: char) -> Vec<u8> {
    let mut out = Joined {
        out: Vec::with_capacity(text.len() + 8),
        connector,
    };
    let mut next = next_word(text);
    while !next.2.is_empty() {
        let (kind, word, rest) = next;
        if kind != Kind::Connector {
            out.word(kind, word);
        }
        next = next_word(rest);
        match kind {
            Kind::Connector => out.word(kind, word),
            Kind::Punctuation => {}
            Kind::Number => {
                next = out.letters_and_numbers(next);
                if next.0 != Kind::None {
                    out.connect_before(next.0);
                }
            }
            _ if next.0 != Kind::Number => out.connect_before(next.0),
            _ if next.2.is_empty() => {}
            _ => {
                let number = next.1;
                next = next_word(next.2);
                if next.0 == Kind::Letters {
                    out.connect();
                    out.word(Kind::Number, number);
                    next = out.letters_and_numbers(next);
                    if next.0 != Kind::None {
                        out.connect_before(next.0);
                    }
                } else {
                    out.word(Kind::Number, number);
                    out.connect_before(next.0);
                }
            }
        }
    }
    out.word(next.0, next.1);
    out.out
}

struct Joined {
    out: Vec<u8>,
    connector: char,
}

impl Joined {
    fn push(&mut self, character: char) {
        self.out
            .extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }

    fn connect(&mut self) {
        self.push(self.connector);
    }

    /// Connects with the next word, unless that does it by itself.
    fn connect_before(&mut self, kind: Kind) {
        if !matches!(kind, Kind::Connector | Kind::Punctuation) {
            self.connect();
        }
    }

    fn word(&mut self, kind: Kind, word: &[u8]) {
        if !matches!(kind, Kind::Upper | Kind::Connector) {
            self.out.extend_from_slice(word);
            return;
        }
        for (_, character, _) in utf8::characters(word) {
            match character.unwrap_or(char::REPLACEMENT_CHARACTER) {
                character if is_connector(character) => self.connect(),
                character if unicode::is_upper(character) => {
                    self.push(unicode::to_lower(character));
                }
                character => self.push(character),
            }
        }
    }

    /// Takes words as long as they are letters and numbers, and gives the one behind them.
    fn letters_and_numbers<'t>(
        &mut self,
        mut next: (Kind, &'t [u8], &'t [u8]),
    ) -> (Kind, &'t [u8], &'t [u8]) {
        while matches!(next.0, Kind::Letters | Kind::Number) {
            self.word(next.0, next.1);
            next = next_word(next.2);
        }
        next
    }
}

/// Words that begin in upper case, without what connected them; connectors at the ends stay, and of
/// several all but one.
pub(super) fn camel(text: &[u8]) -> String {
    let mut characters = utf8::characters(text)
        .map(|(_, character, _)| character.unwrap_or(char::REPLACEMENT_CHARACTER));
    let mut out = String::with_capacity(text.len());
    let mut current = None;
    // Whether the word has been in upper case so far: then it goes on in lower case.
    let mut capitals = false;
    for character in characters.by_ref() {
        current = Some(character);
        if !is_connector(character) {
            capitals = unicode::is_upper(character);
            current = Some(unicode::to_upper(character));
            break;
        }
        out.push(character);
    }
    let Some(mut current) = current else {
        return out;
    };
    for mut character in characters {
        match (is_connector(current), is_connector(character)) {
            (true, true) => out.push(current),
            (true, false) => {
                capitals = unicode::is_upper(character);
                character = unicode::to_upper(character);
            }
            (false, _) => {
                if capitals && unicode::is_upper(character) {
                    character = unicode::to_lower(character);
                } else {
                    capitals = false;
                }
                out.push(current);
            }
        }
        current = character;
    }
    out.push(current);
    out
}
