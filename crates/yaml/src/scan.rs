//! Characters to tokens.
//!
//! The token grammar is libyaml's, with go-yaml's additions for comments. While comments are kept,
//! two tokens are always looked at ahead of the reader, because only they tell whether a comment
//! belongs to what came before or to what follows.
//!
//! # Source
//! yaml/go-yaml v3 `scannerc.go`.

mod comments;
mod scalars;
mod tags;

use std::collections::VecDeque;

use object::Text;

use crate::node::Style;
use crate::{Limits, Position, YamlError};

/// A place: bytes from the start, line and column in characters, all from zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    pub index: usize,
    pub line: u32,
    pub column: u32,
}

impl Mark {
    pub(crate) fn position(self) -> Position {
        Position {
            line: self.line + 1,
            column: self.column + 1,
        }
    }
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    StreamStart,
    StreamEnd,
    VersionDirective,
    TagDirective,
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias,
    Anchor,
    Tag,
    Scalar,
}

/// One token.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub kind: TokenKind,
    pub start: Mark,
    pub end: Mark,
    /// The text of a scalar, the name of an anchor or alias, the handle of a tag, the version.
    pub value: Text,
    /// The rest of a tag, the prefix of a tag directive.
    pub suffix: Text,
    pub style: Style,
}

impl Token {
    fn new(kind: TokenKind, start: Mark, end: Mark) -> Self {
        Self {
            kind,
            start,
            end,
            value: Text::default(),
            suffix: Text::default(),
            style: Style::PLAIN,
        }
    }
}

/// A comment that waits for the token it belongs to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Comment {
    /// Where the search for it began.
    scan: Mark,
    /// Belongs to the first token that starts here or later.
    pub token: Mark,
    start: Mark,
    end: Mark,
    pub head: String,
    pub line: String,
    pub foot: String,
}

/// The place where an implicit key may have begun.
#[derive(Clone, Copy, Debug, Default)]
struct SimpleKey {
    possible: bool,
    required: bool,
    token_number: usize,
    mark: Mark,
}

/// Longest implicit key in characters; YAML's own limit.
const SIMPLE_KEY_MAX: usize = 1024;

pub(crate) type Outcome<T> = Result<T, YamlError>;

pub(crate) struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    mark: Mark,
    /// Line breaks since the last character that is not blank.
    newlines: u32,
    keep_comments: bool,
    depth_max: usize,
    scalar_bytes_max: usize,
    /// Column of the innermost block collection; -1 outside.
    indent: i32,
    indents: Vec<i32>,
    flow_level: usize,
    simple_key_allowed: bool,
    simple_keys: Vec<SimpleKey>,
    /// Which possible key a token is: token number and index in `simple_keys`. Not the same as what
    /// those say: go-yaml forgets the key of an empty flow collection and keeps some that are
    /// impossible by now, which shows in how far it reads before it finds an error.
    keys_by_token: Vec<(usize, usize)>,
    tokens: VecDeque<Token>,
    /// Tokens taken out of the queue so far.
    tokens_parsed: usize,
    token_available: bool,
    pub comments: VecDeque<Comment>,
}

impl<'a> Scanner<'a> {
    /// A scanner at the beginning of `text`, which holds no characters that YAML forbids.
    pub(crate) fn new(text: &'a str, limits: &Limits, keep_comments: bool) -> Self {
        let mut tokens = VecDeque::with_capacity(8);
        let start = Mark::default();
        tokens.push_back(Token::new(TokenKind::StreamStart, start, start));
        Self {
            text,
            bytes: text.as_bytes(),
            mark: start,
            newlines: 0,
            keep_comments,
            depth_max: limits.depth_max,
            scalar_bytes_max: limits.scalar_bytes_max,
            indent: -1,
            indents: Vec::new(),
            flow_level: 0,
            simple_key_allowed: true,
            simple_keys: vec![SimpleKey::default()],
            keys_by_token: Vec::new(),
            tokens,
            tokens_parsed: 0,
            token_available: false,
            comments: VecDeque::new(),
        }
    }

    /// The next token, which stays in the queue.
    pub(crate) fn peek(&mut self) -> Outcome<&mut Token> {
        if !self.token_available {
            self.fetch_more()?;
        }
        Ok(self
            .tokens
            .front_mut()
            .expect("fetching leaves at least one token"))
    }

    /// Takes the token that was peeked at.
    pub(crate) fn take(&mut self) -> Token {
        self.token_available = false;
        self.tokens_parsed += 1;
        self.tokens
            .pop_front()
            .expect("a token is taken only after it was peeked at")
    }

    fn fetch_more(&mut self) -> Outcome<()> {
        // go-yaml v2 has no comments and looks no further than it must, which shows in its errors.
        let ahead = if self.keep_comments { 2 } else { 0 };
        loop {
            if self.tokens.len() > ahead && !self.head_may_become_key()? {
                break;
            }
            self.fetch_next()?;
        }
        self.token_available = true;
        Ok(())
    }

    /// Whether a `:` further on could still turn the head of the queue into a key.
    fn head_may_become_key(&mut self) -> Outcome<bool> {
        let head = self.tokens_parsed;
        let known = self.keys_by_token.iter().find(|(token, _)| *token == head);
        match known {
            Some(&(_, at)) if at < self.simple_keys.len() => self.simple_key_is_valid(at),
            _ => Ok(false),
        }
    }

    /// The byte `ahead` of the current place; zero behind the end.
    #[inline]
    fn byte(&self, ahead: usize) -> u8 {
        self.bytes
            .get(self.mark.index + ahead)
            .copied()
            .unwrap_or(0)
    }

    fn at_end(&self) -> bool {
        self.mark.index >= self.bytes.len()
    }

    /// Length of the line break `ahead` of the current place in bytes; zero if there is none.
    #[inline]
    fn break_length(&self, ahead: usize) -> usize {
        match self.byte(ahead) {
            b'\n' => 1,
            b'\r' if self.byte(ahead + 1) == b'\n' => 2,
            b'\r' => 1,
            0xc2 if self.byte(ahead + 1) == 0x85 => 2,
            0xe2 if self.byte(ahead + 1) == 0x80 && matches!(self.byte(ahead + 2), 0xa8 | 0xa9) => {
                3
            }
            _ => 0,
        }
    }

    #[inline]
    fn is_break(&self, ahead: usize) -> bool {
        self.break_length(ahead) > 0
    }

    #[inline]
    fn is_blank(&self, ahead: usize) -> bool {
        matches!(self.byte(ahead), b' ' | b'\t')
    }

    #[inline]
    fn is_break_or_end(&self, ahead: usize) -> bool {
        self.mark.index + ahead >= self.bytes.len() || self.is_break(ahead)
    }

    #[inline]
    fn is_blank_or_end(&self, ahead: usize) -> bool {
        self.is_blank(ahead) || self.is_break_or_end(ahead)
    }

    /// Letters, digits, `_` and `-`.
    fn is_word(&self, ahead: usize) -> bool {
        let byte = self.byte(ahead);
        byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
    }

    /// Steps over one character that is no line break.
    #[inline]
    fn skip(&mut self) {
        let byte = self.byte(0);
        if byte != b' ' && byte != b'\t' {
            self.newlines = 0;
        }
        self.mark.column += 1;
        self.mark.index += match byte {
            0..0x80 => 1,
            0x80..0xe0 => 2,
            0xe0..0xf0 => 3,
            _ => 4,
        };
    }

    /// Steps over `count` bytes of one line.
    #[inline]
    fn skip_bytes(&mut self, count: usize) {
        let run = &self.bytes[self.mark.index..self.mark.index + count];
        if self.newlines > 0 && run.iter().any(|byte| !matches!(byte, b' ' | b'\t')) {
            self.newlines = 0;
        }
        self.mark.index += count;
        // Every character has one byte that does not continue another.
        let characters = if run.is_ascii() {
            count
        } else {
            run.iter().filter(|&&byte| byte & 0xc0 != 0x80).count()
        };
        self.mark.column += characters as u32;
    }

    /// Steps over one line break, if there is one.
    #[inline]
    fn skip_line(&mut self) {
        let length = self.break_length(0);
        if length > 0 {
            self.mark.index += length;
            self.mark.column = 0;
            self.mark.line += 1;
            self.newlines += 1;
        }
    }

    /// Steps over one line break and appends it: a line feed, or the separator itself for U+2028
    /// and U+2029.
    fn read_line(&mut self, out: &mut String) {
        match self.break_length(0) {
            0 => return,
            3 => out.push_str(&self.text[self.mark.index..self.mark.index + 3]),
            _ => out.push('\n'),
        }
        self.skip_line();
    }

    fn slice(&self, start: usize) -> &'a str {
        &self.text[start..self.mark.index]
    }

    /// A scanner's error: `context` is where the construct began.
    fn error<T>(&self, context: Mark, problem: &'static str) -> Outcome<T> {
        Err(YamlError::Syntax {
            at: self.mark.position(),
            problem,
            go_line: if context.line > 0 {
                context.line + 1
            } else if self.mark.line > 0 {
                self.mark.line + 1
            } else {
                0
            },
            go_line_v2: if self.mark.line > 0 {
                self.mark.line + 1
            } else {
                context.line
            },
        })
    }

    fn push(&mut self, token: Token) {
        self.tokens.push_back(token);
    }

    /// Puts a token before the one of that number; last, as go-yaml does, when that one is gone.
    fn insert(&mut self, number: usize, token: Token) {
        match number.checked_sub(self.tokens_parsed) {
            Some(at) if at <= self.tokens.len() => self.tokens.insert(at, token),
            _ => self.push(token),
        }
    }

    fn fetch_next(&mut self) -> Outcome<()> {
        let scan_mark = self.mark;
        self.scan_to_next_token()?;
        let column = self.mark.column as i32;
        self.unroll_indent(column, scan_mark);

        if self.at_end() {
            return self.fetch_stream_end();
        }
        let byte = self.byte(0);
        if column == 0 {
            if byte == b'%' {
                return self.fetch_directive();
            }
            if (byte == b'-' || byte == b'.') && self.is_document_indicator() {
                let kind = if byte == b'-' {
                    TokenKind::DocumentStart
                } else {
                    TokenKind::DocumentEnd
                };
                return self.fetch_document_indicator(kind);
            }
        }

        let mut comment_mark = self.mark;
        if let Some(last) = self.tokens.back()
            && (self.flow_level == 0 && byte == b':' || self.flow_level > 0 && byte == b',')
        {
            // Comments behind these belong to what stands before them.
            comment_mark = last.start;
        }
        self.fetch_token(byte)?;
        // A comment behind a lone `-` is about what follows, so it waits.
        let after_entry = self
            .tokens
            .back()
            .is_some_and(|token| token.kind == TokenKind::BlockEntry);
        if self.keep_comments && !after_entry {
            self.scan_line_comment(comment_mark);
        }
        Ok(())
    }

    #[inline]
    fn is_document_indicator(&self) -> bool {
        let byte = self.byte(0);
        (byte == b'-' || byte == b'.')
            && self.byte(1) == byte
            && self.byte(2) == byte
            && self.is_blank_or_end(3)
    }

    fn fetch_token(&mut self, byte: u8) -> Outcome<()> {
        let block = self.flow_level == 0;
        match byte {
            b'[' => self.fetch_flow_start(TokenKind::FlowSequenceStart),
            b'{' => self.fetch_flow_start(TokenKind::FlowMappingStart),
            b']' => self.fetch_flow_end(TokenKind::FlowSequenceEnd),
            b'}' => self.fetch_flow_end(TokenKind::FlowMappingEnd),
            b',' => self.fetch_flow_entry(),
            b'-' if self.is_blank_or_end(1) => self.fetch_block_entry(),
            b'?' if !block || self.is_blank_or_end(1) => self.fetch_key(),
            b':' if !block || self.is_blank_or_end(1) => self.fetch_value(),
            b'*' => self.fetch_anchor(TokenKind::Alias),
            b'&' => self.fetch_anchor(TokenKind::Anchor),
            b'!' => self.fetch_tag(),
            b'|' if block => self.fetch_block_scalar(true),
            b'>' if block => self.fetch_block_scalar(false),
            b'\'' => self.fetch_quoted(true),
            b'"' => self.fetch_quoted(false),
            b'\t' | b'#' | b'|' | b'>' | b'%' | b'@' | b'`' => {
                self.error(self.mark, "found character that cannot start any token")
            }
            _ => self.fetch_plain(),
        }
    }

    /// Whether the `:` at the current place can belong to the possible key number `at`.
    fn simple_key_is_valid(&mut self, at: usize) -> Outcome<bool> {
        let key = self.simple_keys[at];
        if !key.possible {
            return Ok(false);
        }
        let far = self.mark.index > key.mark.index + SIMPLE_KEY_MAX
            && self.text[key.mark.index..self.mark.index].chars().count() > SIMPLE_KEY_MAX;
        if key.mark.line < self.mark.line || far {
            if key.required {
                return self.error(key.mark, "could not find expected ':'");
            }
            self.simple_keys[at].possible = false;
            return Ok(false);
        }
        Ok(true)
    }

    fn save_simple_key(&mut self) -> Outcome<()> {
        if self.simple_key_allowed {
            let key = SimpleKey {
                possible: true,
                required: self.flow_level == 0 && self.indent == self.mark.column as i32,
                token_number: self.tokens_parsed + self.tokens.len(),
                mark: self.mark,
            };
            self.remove_simple_key()?;
            let parsed = self.tokens_parsed;
            self.keys_by_token.retain(|(token, _)| *token >= parsed);
            self.forget_key(key.token_number);
            self.keys_by_token
                .push((key.token_number, self.simple_keys.len() - 1));
            *self.last_simple_key() = key;
        }
        Ok(())
    }

    fn remove_simple_key(&mut self) -> Outcome<()> {
        let key = *self.last_simple_key();
        if key.possible {
            if key.required {
                return self.error(key.mark, "could not find expected ':'");
            }
            self.last_simple_key().possible = false;
            self.forget_key(key.token_number);
        }
        Ok(())
    }

    fn forget_key(&mut self, token_number: usize) {
        self.keys_by_token
            .retain(|(token, _)| *token != token_number);
    }

    fn last_simple_key(&mut self) -> &mut SimpleKey {
        self.simple_keys
            .last_mut()
            .expect("there is one for every flow level and one for the block context")
    }

    fn check_depth(&self) -> Outcome<()> {
        if self.indents.len() + self.flow_level > self.depth_max {
            return Err(YamlError::Depth {
                at: self.mark.position(),
                depth_max: self.depth_max,
            });
        }
        Ok(())
    }

    /// Opens a block collection at `column` unless one is open there. Its token goes before the
    /// token `number`, counted from the start of the stream.
    fn roll_indent(&mut self, number: Option<usize>, kind: TokenKind, mark: Mark) -> Outcome<()> {
        let column = mark.column as i32;
        if self.flow_level > 0 || self.indent >= column {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = column;
        self.check_depth()?;
        let token = Token::new(kind, mark, mark);
        match number {
            Some(number) => self.insert(number, token),
            None => self.push(token),
        }
        Ok(())
    }

    /// Closes block collections that stand further right than `column`.
    ///
    /// The closing token is put before comments that are indented like the outer collection, so
    /// that they become feet of that one.
    fn unroll_indent(&mut self, column: i32, scan_mark: Mark) {
        if self.flow_level > 0 {
            return;
        }
        let mut block_mark = scan_mark;
        let mut block_index = scan_mark.index as i64 - 1;
        while self.indent > column {
            let mut stop = block_index;
            for comment in self.comments.iter().rev() {
                if (comment.end.index as i64) < stop {
                    break;
                }
                if comment.start.column as i32 == self.indent + 1 {
                    block_mark = comment.start;
                    block_index = comment.start.index as i64;
                }
                stop = comment.scan.index as i64;
            }
            let mut mark = block_mark;
            mark.index = usize::try_from(block_index).unwrap_or(0);
            self.push(Token::new(TokenKind::BlockEnd, mark, mark));
            self.indent = self
                .indents
                .pop()
                .expect("every indentation was pushed before it grew");
        }
    }

    fn fetch_stream_end(&mut self) -> Outcome<()> {
        if self.mark.column != 0 {
            self.mark.column = 0;
            self.mark.line += 1;
        }
        self.unroll_indent(-1, self.mark);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        self.push(Token::new(TokenKind::StreamEnd, self.mark, self.mark));
        Ok(())
    }

    fn fetch_directive(&mut self) -> Outcome<()> {
        self.unroll_indent(-1, self.mark);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        let token = self.scan_directive()?;
        self.push(token);
        Ok(())
    }

    fn fetch_document_indicator(&mut self, kind: TokenKind) -> Outcome<()> {
        self.unroll_indent(-1, self.mark);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        let start = self.mark;
        self.skip_bytes(3);
        self.push(Token::new(kind, start, self.mark));
        Ok(())
    }

    /// Consumes one character and pushes the token it is.
    fn push_indicator(&mut self, kind: TokenKind) {
        let start = self.mark;
        self.skip();
        self.push(Token::new(kind, start, self.mark));
    }

    fn fetch_flow_start(&mut self, kind: TokenKind) -> Outcome<()> {
        self.save_simple_key()?;
        self.simple_keys.push(SimpleKey {
            token_number: self.tokens_parsed + self.tokens.len(),
            ..SimpleKey::default()
        });
        self.flow_level += 1;
        self.check_depth()?;
        self.simple_key_allowed = true;
        self.push_indicator(kind);
        Ok(())
    }

    fn fetch_flow_end(&mut self, kind: TokenKind) -> Outcome<()> {
        self.remove_simple_key()?;
        if self.flow_level > 0 {
            self.flow_level -= 1;
            if let Some(key) = self.simple_keys.pop() {
                self.forget_key(key.token_number);
            }
        }
        self.simple_key_allowed = false;
        self.push_indicator(kind);
        Ok(())
    }

    fn fetch_flow_entry(&mut self) -> Outcome<()> {
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        self.push_indicator(TokenKind::FlowEntry);
        Ok(())
    }

    fn fetch_block_entry(&mut self) -> Outcome<()> {
        if self.flow_level == 0 {
            if !self.simple_key_allowed {
                return self.error(
                    self.mark,
                    "block sequence entries are not allowed in this context",
                );
            }
            self.roll_indent(None, TokenKind::BlockSequenceStart, self.mark)?;
        }
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        self.push_indicator(TokenKind::BlockEntry);
        Ok(())
    }

    fn fetch_key(&mut self) -> Outcome<()> {
        if self.flow_level == 0 {
            if !self.simple_key_allowed {
                return self.error(self.mark, "mapping keys are not allowed in this context");
            }
            self.roll_indent(None, TokenKind::BlockMappingStart, self.mark)?;
        }
        self.remove_simple_key()?;
        self.simple_key_allowed = self.flow_level == 0;
        self.push_indicator(TokenKind::Key);
        Ok(())
    }

    fn fetch_value(&mut self) -> Outcome<()> {
        let last = self.simple_keys.len() - 1;
        if self.simple_key_is_valid(last)? {
            let key = self.simple_keys[last];
            let token = Token::new(TokenKind::Key, key.mark, key.mark);
            self.insert(key.token_number, token);
            self.roll_indent(
                Some(key.token_number),
                TokenKind::BlockMappingStart,
                key.mark,
            )?;
            self.simple_keys[last].possible = false;
            self.forget_key(key.token_number);
            self.simple_key_allowed = false;
        } else {
            if self.flow_level == 0 {
                if !self.simple_key_allowed {
                    return self.error(self.mark, "mapping values are not allowed in this context");
                }
                self.roll_indent(None, TokenKind::BlockMappingStart, self.mark)?;
            }
            self.simple_key_allowed = self.flow_level == 0;
        }
        self.push_indicator(TokenKind::Value);
        Ok(())
    }

    fn fetch_anchor(&mut self, kind: TokenKind) -> Outcome<()> {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        let token = self.scan_anchor(kind)?;
        self.push(token);
        Ok(())
    }

    fn fetch_tag(&mut self) -> Outcome<()> {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        let token = self.scan_tag()?;
        self.push(token);
        Ok(())
    }

    fn fetch_block_scalar(&mut self, literal: bool) -> Outcome<()> {
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        let token = self.scan_block_scalar(literal)?;
        self.push_scalar(token)
    }

    fn fetch_quoted(&mut self, single: bool) -> Outcome<()> {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        let token = self.scan_quoted(single)?;
        self.push_scalar(token)
    }

    fn fetch_plain(&mut self) -> Outcome<()> {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        let token = self.scan_plain()?;
        self.push_scalar(token)
    }

    fn push_scalar(&mut self, token: Token) -> Outcome<()> {
        if token.value.len() > self.scalar_bytes_max {
            return Err(YamlError::ScalarSize {
                at: token.start.position(),
                bytes: token.value.len(),
                bytes_max: self.scalar_bytes_max,
            });
        }
        self.push(token);
        Ok(())
    }

    /// Steps over blanks, line breaks and comments.
    fn scan_to_next_token(&mut self) -> Outcome<()> {
        let scan_mark = self.mark;
        // A second byte order mark at the start is skipped; elsewhere it is text.
        if self.mark.index == 0 && self.text.starts_with('\u{feff}') {
            self.skip();
        }
        loop {
            // Tabs indent nothing, so they are blanks only where no key may start.
            while self.byte(0) == b' '
                || self.byte(0) == b'\t' && (self.flow_level > 0 || !self.simple_key_allowed)
            {
                self.mark.index += 1;
                self.mark.column += 1;
            }
            if self.keep_comments {
                self.move_entry_comment();
            }
            if self.byte(0) == b'#' {
                if self.keep_comments {
                    self.scan_comments(scan_mark);
                } else {
                    self.skip_comment();
                }
            }
            if !self.is_break(0) {
                return Ok(());
            }
            self.skip_line();
            if self.flow_level == 0 {
                self.simple_key_allowed = true;
            }
        }
    }

    /// Steps to the end of the line.
    fn skip_comment(&mut self) {
        let start = self.mark.index;
        let rest = &self.bytes[start..];
        let mut length = 0;
        // Not all of the rest at once: line breaks of several bytes may come long before the others.
        for piece in rest.chunks(64) {
            let end = memchr::memchr2(b'\n', b'\r', piece);
            let plain = &piece[..end.unwrap_or(piece.len())];
            let wide = match plain.is_ascii() {
                true => None,
                false => (0..plain.len()).find(|at| self.is_break(length + at)),
            };
            length += wide.unwrap_or(plain.len());
            if wide.is_some() || end.is_some() {
                break;
            }
        }
        self.skip_bytes(length);
    }
}
