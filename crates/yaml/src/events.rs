//! Tokens to events.
//!
//! A pushdown automaton: every state is one place of the grammar, the stack holds where to go on
//! after a node. Nothing recurses, so depth costs no stack here.
//!
//! # Source
//! yaml/go-yaml v3 `parserc.go`.

use object::Text;

use crate::node::{Anchor, Comments, Style};
use crate::scan::{Mark, Outcome, Scanner, Token, TokenKind};
use crate::{Limits, YamlError};

/// The comments of an event that has only one above it.
fn head_only(head: String) -> Comments {
    match head.is_empty() {
        true => Comments::default(),
        false => Comments::new(head.into(), Text::default(), Text::default()),
    }
}

/// What an event announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventKind {
    StreamStart,
    StreamEnd,
    DocumentStart,
    DocumentEnd,
    Alias,
    Scalar,
    SequenceStart,
    SequenceEnd,
    MappingStart,
    MappingEnd,
}

/// One event.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub kind: EventKind,
    pub start: Mark,
    pub anchor: Anchor,
    /// The tag with its prefix resolved; empty when none is written.
    pub tag: Text,
    pub value: Text,
    pub style: Style,
    pub comments: Comments,
}

impl Event {
    fn new(kind: EventKind, start: Mark) -> Self {
        Self {
            kind,
            start,
            anchor: Anchor::default(),
            tag: Text::default(),
            value: Text::default(),
            style: Style::PLAIN,
            comments: Comments::default(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    StreamStart,
    ImplicitDocumentStart,
    DocumentStart,
    DocumentContent,
    DocumentEnd,
    BlockNode,
    BlockSequenceFirstEntry,
    BlockSequenceEntry,
    IndentlessSequenceEntry,
    BlockMappingFirstKey,
    BlockMappingKey,
    BlockMappingValue,
    FlowSequenceFirstEntry,
    FlowSequenceEntry,
    FlowSequenceEntryMappingKey,
    FlowSequenceEntryMappingValue,
    FlowSequenceEntryMappingEnd,
    FlowMappingFirstKey,
    FlowMappingKey,
    FlowMappingValue,
    FlowMappingEmptyValue,
    End,
}

pub(crate) struct Parser<'a> {
    scanner: Scanner<'a>,
    state: State,
    states: Vec<State>,
    /// Where the open collections began, for errors.
    marks: Vec<Mark>,
    tag_directives: Vec<(Text, Text)>,
    head_comment: String,
    line_comment: String,
    foot_comment: String,
    /// The part of a head comment that is about a collection inside a sequence entry.
    stem_comment: String,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(text: &'a str, limits: &Limits, keep_comments: bool) -> Self {
        Self {
            scanner: Scanner::new(text, limits, keep_comments),
            state: State::StreamStart,
            states: Vec::new(),
            marks: Vec::new(),
            tag_directives: Vec::new(),
            head_comment: String::new(),
            line_comment: String::new(),
            foot_comment: String::new(),
            stem_comment: String::new(),
        }
    }

    /// The next event; after the end of the stream that end again.
    pub(crate) fn next(&mut self) -> Outcome<Event> {
        match self.state {
            State::StreamStart => {
                let token = self.take_next()?;
                self.state = State::ImplicitDocumentStart;
                Ok(Event::new(EventKind::StreamStart, token.start))
            }
            State::ImplicitDocumentStart => self.document_start(true),
            State::DocumentStart => self.document_start(false),
            State::DocumentContent => self.document_content(),
            State::DocumentEnd => self.document_end(),
            State::BlockNode => self.node(true, false),
            State::BlockSequenceFirstEntry => {
                self.open_collection()?;
                self.block_sequence_entry()
            }
            State::BlockSequenceEntry => self.block_sequence_entry(),
            State::IndentlessSequenceEntry => self.indentless_sequence_entry(),
            State::BlockMappingFirstKey => {
                self.open_collection()?;
                self.block_mapping_key()
            }
            State::BlockMappingKey => self.block_mapping_key(),
            State::BlockMappingValue => self.block_mapping_value(),
            State::FlowSequenceFirstEntry => {
                self.open_collection()?;
                self.flow_sequence_entry(true)
            }
            State::FlowSequenceEntry => self.flow_sequence_entry(false),
            State::FlowSequenceEntryMappingKey => self.flow_sequence_entry_mapping_key(),
            State::FlowSequenceEntryMappingValue => self.flow_sequence_entry_mapping_value(),
            State::FlowSequenceEntryMappingEnd => {
                let start = self.peek()?.start;
                self.state = State::FlowSequenceEntry;
                Ok(Event::new(EventKind::MappingEnd, start))
            }
            State::FlowMappingFirstKey => {
                self.open_collection()?;
                self.flow_mapping_key(true)
            }
            State::FlowMappingKey => self.flow_mapping_key(false),
            State::FlowMappingValue => self.flow_mapping_value(),
            State::FlowMappingEmptyValue => {
                let start = self.peek()?.start;
                self.state = State::FlowMappingKey;
                Ok(Self::empty_scalar(start))
            }
            State::End => Ok(Event::new(EventKind::StreamEnd, Mark::default())),
        }
    }

    /// The next token; comments up to it are collected first.
    fn peek(&mut self) -> Outcome<&mut Token> {
        let token = self.scanner.peek()?;
        let (kind, index) = (token.kind, token.start.index);
        if !self.scanner.comments.is_empty() {
            self.collect_comments(kind, index);
        }
        // Looking again costs nothing: the token is still in the queue.
        self.scanner.peek()
    }

    fn peek_kind(&mut self) -> Outcome<TokenKind> {
        Ok(self.peek()?.kind)
    }

    fn take_next(&mut self) -> Outcome<Token> {
        self.peek()?;
        Ok(self.scanner.take())
    }

    fn collect_comments(&mut self, kind: TokenKind, index: usize) {
        fn append(to: &mut String, comment: String) {
            if comment.is_empty() {
                return;
            }
            if to.is_empty() {
                *to = comment;
            } else {
                to.push('\n');
                to.push_str(&comment);
            }
        }
        while let Some(comment) = self.scanner.comments.front() {
            // A head is not about the end of a block; it waits for the next token.
            if comment.token.index > index
                || !comment.head.is_empty() && kind == TokenKind::BlockEnd
            {
                return;
            }
            let Some(comment) = self.scanner.comments.pop_front() else {
                return;
            };
            append(&mut self.head_comment, comment.head);
            append(&mut self.foot_comment, comment.foot);
            append(&mut self.line_comment, comment.line);
        }
    }

    /// Gives the collected comments to `event`.
    fn with_comments(&mut self, mut event: Event) -> Event {
        self.stem_comment.clear();
        if self.head_comment.is_empty()
            && self.line_comment.is_empty()
            && self.foot_comment.is_empty()
        {
            return event;
        }
        event.comments = Comments::new(
            std::mem::take(&mut self.head_comment).into(),
            std::mem::take(&mut self.line_comment).into(),
            std::mem::take(&mut self.foot_comment).into(),
        );
        event
    }

    fn error<T>(&self, context: Mark, problem: &'static str, at: Mark) -> Outcome<T> {
        Err(YamlError::Syntax {
            at: at.position(),
            problem,
            // Counted from zero here: go-yaml forgets to add one for errors of its parser.
            go_line: if context.line > 0 {
                context.line
            } else {
                at.line
            },
            go_line_v2: if at.line > 0 { at.line } else { context.line },
        })
    }

    fn open_collection(&mut self) -> Outcome<()> {
        let token = self.take_next()?;
        self.marks.push(token.start);
        Ok(())
    }

    fn pop_state(&mut self) {
        self.state = self
            .states
            .pop()
            .expect("a state was pushed for every node that ends");
    }

    fn pop_mark(&mut self) -> Mark {
        self.marks
            .pop()
            .expect("a mark was pushed for every open collection")
    }

    fn empty_scalar(at: Mark) -> Event {
        Event::new(EventKind::Scalar, at)
    }

    fn document_start(&mut self, implicit: bool) -> Outcome<Event> {
        if !implicit {
            while self.peek_kind()? == TokenKind::DocumentEnd {
                self.scanner.take();
            }
        }
        let (kind, start) = {
            let token = self.peek()?;
            (token.kind, token.start)
        };
        let explicit = matches!(
            kind,
            TokenKind::VersionDirective | TokenKind::TagDirective | TokenKind::DocumentStart
        );
        if kind == TokenKind::StreamEnd {
            self.scanner.take();
            self.state = State::End;
            return Ok(Event::new(EventKind::StreamEnd, start));
        }
        if implicit && !explicit {
            self.process_directives()?;
            self.states.push(State::DocumentEnd);
            self.state = State::BlockNode;
            let mut event = Event::new(EventKind::DocumentStart, start);
            event.comments = head_only(self.split_document_comment());
            return Ok(event);
        }
        self.process_directives()?;
        let token = self.peek()?;
        if token.kind != TokenKind::DocumentStart {
            let at = token.start;
            return self.error(
                Mark::default(),
                "did not find expected <document start>",
                at,
            );
        }
        self.scanner.take();
        self.states.push(State::DocumentEnd);
        self.state = State::DocumentContent;
        Ok(Event::new(EventKind::DocumentStart, start))
    }

    /// Cuts the comment before the first token at its last empty line: what is above is about the
    /// document, what is below about the first node.
    fn split_document_comment(&mut self) -> String {
        let comment = self.head_comment.as_bytes();
        for at in (1..comment.len()).rev() {
            if comment[at] != b'\n' {
                continue;
            }
            let end = if at == comment.len() - 1 {
                at
            } else if comment[at - 1] == b'\n' {
                at - 1
            } else {
                continue;
            };
            let rest = self.head_comment.split_off(at + 1);
            let mut above = std::mem::replace(&mut self.head_comment, rest);
            above.truncate(end);
            return above;
        }
        String::new()
    }

    fn process_directives(&mut self) -> Outcome<()> {
        let mut version = false;
        loop {
            let token = self.peek()?;
            let at = token.start;
            match token.kind {
                TokenKind::VersionDirective => {
                    if version {
                        return self.error(Mark::default(), "found duplicate %YAML directive", at);
                    }
                    if token.value != "1.1" {
                        return self.error(Mark::default(), "found incompatible YAML document", at);
                    }
                    version = true;
                }
                TokenKind::TagDirective => {
                    let directive = (token.value.clone(), token.suffix.clone());
                    if self
                        .tag_directives
                        .iter()
                        .any(|known| known.0 == directive.0)
                    {
                        return self.error(Mark::default(), "found duplicate %TAG directive", at);
                    }
                    self.tag_directives.push(directive);
                }
                _ => break,
            }
            self.scanner.take();
        }
        for (handle, prefix) in [("!", "!"), ("!!", LONG_TAG_PREFIX)] {
            if !self.tag_directives.iter().any(|known| known.0 == handle) {
                self.tag_directives
                    .push((Text::new_static(handle), Text::new_static(prefix)));
            }
        }
        Ok(())
    }

    fn document_content(&mut self) -> Outcome<Event> {
        let token = self.peek()?;
        let start = token.start;
        match token.kind {
            TokenKind::VersionDirective
            | TokenKind::TagDirective
            | TokenKind::DocumentStart
            | TokenKind::DocumentEnd
            | TokenKind::StreamEnd => {
                self.pop_state();
                Ok(Self::empty_scalar(start))
            }
            _ => self.node(true, false),
        }
    }

    fn document_end(&mut self) -> Outcome<Event> {
        let token = self.peek()?;
        let (kind, start) = (token.kind, token.start);
        if kind == TokenKind::DocumentEnd {
            self.scanner.take();
        }
        self.tag_directives.clear();
        self.state = State::DocumentStart;
        let mut event = self.with_comments(Event::new(EventKind::DocumentEnd, start));
        if event.comments.foot().is_empty() {
            event.comments.turn_head_to_foot();
        }
        Ok(event)
    }

    /// A node with its anchor and tag.
    fn node(&mut self, block: bool, indentless: bool) -> Outcome<Event> {
        if self.peek_kind()? == TokenKind::Alias {
            // Comments are given before the token goes: those behind it are not looked for yet.
            let token = self.scanner.take();
            self.pop_state();
            let mut event = Event::new(EventKind::Alias, token.start);
            event.value = token.value;
            return Ok(self.with_comments(event));
        }
        let start = self.peek()?.start;
        let mut anchor = Anchor::default();
        let mut tag_token: Option<Token> = None;
        match self.peek_kind()? {
            TokenKind::Anchor => {
                anchor = self.scanner.take().value.into();
                if self.peek_kind()? == TokenKind::Tag {
                    tag_token = Some(self.scanner.take());
                }
            }
            TokenKind::Tag => {
                tag_token = Some(self.scanner.take());
                if self.peek_kind()? == TokenKind::Anchor {
                    anchor = self.scanner.take().value.into();
                }
            }
            _ => {}
        }
        let mut tag = Text::default();
        if let Some(token) = tag_token {
            tag = self.resolve_tag(&token, start)?;
        }

        let token = self.peek()?;
        let (kind, at) = (token.kind, token.start);
        let event = |kind, style| {
            let mut event = Event::new(kind, start);
            event.anchor = anchor.clone();
            event.tag = tag.clone();
            event.style = style;
            event
        };
        match kind {
            TokenKind::BlockEntry if indentless => {
                self.state = State::IndentlessSequenceEntry;
                Ok(event(EventKind::SequenceStart, Style::PLAIN))
            }
            TokenKind::Scalar => {
                let value = std::mem::take(&mut token.value);
                let mut event = event(EventKind::Scalar, token.style);
                event.value = value;
                self.pop_state();
                let event = self.with_comments(event);
                self.scanner.take();
                Ok(event)
            }
            TokenKind::FlowSequenceStart => {
                self.state = State::FlowSequenceFirstEntry;
                let event = event(EventKind::SequenceStart, Style::FLOW);
                Ok(self.with_comments(event))
            }
            TokenKind::FlowMappingStart => {
                self.state = State::FlowMappingFirstKey;
                let event = event(EventKind::MappingStart, Style::FLOW);
                Ok(self.with_comments(event))
            }
            TokenKind::BlockSequenceStart if block => {
                self.state = State::BlockSequenceFirstEntry;
                let mut event = event(EventKind::SequenceStart, Style::PLAIN);
                event.comments = head_only(std::mem::take(&mut self.stem_comment));
                Ok(event)
            }
            TokenKind::BlockMappingStart if block => {
                self.state = State::BlockMappingFirstKey;
                let mut event = event(EventKind::MappingStart, Style::PLAIN);
                event.comments = head_only(std::mem::take(&mut self.stem_comment));
                Ok(event)
            }
            _ if !anchor.is_empty() || !tag.is_empty() => {
                self.pop_state();
                Ok(event(EventKind::Scalar, Style::PLAIN))
            }
            _ => self.error(start, "did not find expected node content", at),
        }
    }

    fn resolve_tag(&self, token: &Token, start: Mark) -> Outcome<Text> {
        if token.value.is_empty() {
            return Ok(token.suffix.clone());
        }
        let directive = self
            .tag_directives
            .iter()
            .find(|(handle, _)| *handle == token.value);
        match directive {
            Some((_, prefix)) => Ok(format!("{prefix}{}", token.suffix).into()),
            None => self.error(start, "found undefined tag handle", token.start),
        }
    }

    /// Moves the head comment of a sequence entry aside when a collection follows, which it is
    /// about; what came later is about the collection's first node.
    ///
    /// An error here is only noted: go-yaml goes on reading behind it, and reports what it finds
    /// then, or else this one.
    fn split_stem_comment(&mut self, length: usize) -> Option<YamlError> {
        if length == 0 {
            return None;
        }
        let kind = match self.peek_kind() {
            Ok(kind) => kind,
            Err(error) => return Some(error),
        };
        if matches!(
            kind,
            TokenKind::BlockSequenceStart | TokenKind::BlockMappingStart
        ) {
            let rest = match self.head_comment.len() {
                all if all == length => String::new(),
                _ => self.head_comment.split_off(length + 1),
            };
            self.stem_comment = std::mem::replace(&mut self.head_comment, rest);
            self.stem_comment.truncate(length);
        }
        None
    }

    fn block_sequence_entry(&mut self) -> Outcome<Event> {
        let token = self.peek()?;
        let (kind, start, end) = (token.kind, token.start, token.end);
        match kind {
            TokenKind::BlockEntry => {
                let head = self.head_comment.len();
                self.scanner.take();
                let noted = self.split_stem_comment(head);
                let empty = matches!(
                    self.peek_kind()?,
                    TokenKind::BlockEntry | TokenKind::BlockEnd
                );
                let event = if empty {
                    self.state = State::BlockSequenceEntry;
                    Self::empty_scalar(end)
                } else {
                    self.states.push(State::BlockSequenceEntry);
                    self.node(true, false)?
                };
                noted.map_or(Ok(event), Err)
            }
            TokenKind::BlockEnd => {
                self.pop_state();
                self.pop_mark();
                self.scanner.take();
                Ok(Event::new(EventKind::SequenceEnd, start))
            }
            _ => {
                let context = self.pop_mark();
                self.error(context, "did not find expected '-' indicator", start)
            }
        }
    }

    fn indentless_sequence_entry(&mut self) -> Outcome<Event> {
        let token = self.peek()?;
        let (kind, start, end) = (token.kind, token.start, token.end);
        if kind != TokenKind::BlockEntry {
            self.pop_state();
            return Ok(Event::new(EventKind::SequenceEnd, start));
        }
        let head = self.head_comment.len();
        self.scanner.take();
        let noted = self.split_stem_comment(head);
        let empty = matches!(
            self.peek_kind()?,
            TokenKind::BlockEntry | TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd
        );
        let event = if empty {
            self.state = State::IndentlessSequenceEntry;
            Self::empty_scalar(end)
        } else {
            self.states.push(State::IndentlessSequenceEntry);
            self.node(true, false)?
        };
        noted.map_or(Ok(event), Err)
    }

    fn block_mapping_key(&mut self) -> Outcome<Event> {
        let token = self.peek()?;
        let (kind, start, end) = (token.kind, token.start, token.end);
        match kind {
            TokenKind::Key => {
                self.scanner.take();
                if matches!(
                    self.peek_kind()?,
                    TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd
                ) {
                    self.state = State::BlockMappingValue;
                    return Ok(Self::empty_scalar(end));
                }
                self.states.push(State::BlockMappingValue);
                self.node(true, true)
            }
            TokenKind::BlockEnd => {
                self.pop_state();
                self.pop_mark();
                let event = self.with_comments(Event::new(EventKind::MappingEnd, start));
                self.scanner.take();
                Ok(event)
            }
            _ => {
                let context = self.pop_mark();
                self.error(context, "did not find expected key", start)
            }
        }
    }

    fn block_mapping_value(&mut self) -> Outcome<Event> {
        let token = self.peek()?;
        let (kind, start, end) = (token.kind, token.start, token.end);
        if kind != TokenKind::Value {
            self.state = State::BlockMappingKey;
            return Ok(Self::empty_scalar(start));
        }
        self.scanner.take();
        if matches!(
            self.peek_kind()?,
            TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd
        ) {
            self.state = State::BlockMappingKey;
            return Ok(Self::empty_scalar(end));
        }
        self.states.push(State::BlockMappingKey);
        self.node(true, true)
    }

    fn flow_sequence_entry(&mut self, first: bool) -> Outcome<Event> {
        let mut token = self.peek()?;
        if token.kind != TokenKind::FlowSequenceEnd {
            if !first {
                if token.kind != TokenKind::FlowEntry {
                    let at = token.start;
                    let context = self.pop_mark();
                    return self.error(context, "did not find expected ',' or ']'", at);
                }
                self.scanner.take();
                token = self.peek()?;
            }
            let (kind, start) = (token.kind, token.start);
            if kind == TokenKind::Key {
                self.state = State::FlowSequenceEntryMappingKey;
                self.scanner.take();
                let mut event = Event::new(EventKind::MappingStart, start);
                event.style = Style::FLOW;
                return Ok(event);
            }
            if kind != TokenKind::FlowSequenceEnd {
                self.states.push(State::FlowSequenceEntry);
                return self.node(false, false);
            }
        }
        self.close_flow(EventKind::SequenceEnd)
    }

    fn close_flow(&mut self, kind: EventKind) -> Outcome<Event> {
        let start = self.peek()?.start;
        self.pop_state();
        self.pop_mark();
        let event = self.with_comments(Event::new(kind, start));
        self.scanner.take();
        Ok(event)
    }

    fn flow_sequence_entry_mapping_key(&mut self) -> Outcome<Event> {
        let token = self.peek()?;
        let (kind, end) = (token.kind, token.end);
        if matches!(
            kind,
            TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowSequenceEnd
        ) {
            // The token is lost here, as in go-yaml: `[? , a]` reads as `[{: a}]`.
            self.scanner.take();
            self.state = State::FlowSequenceEntryMappingValue;
            return Ok(Self::empty_scalar(end));
        }
        self.states.push(State::FlowSequenceEntryMappingValue);
        self.node(false, false)
    }

    fn flow_sequence_entry_mapping_value(&mut self) -> Outcome<Event> {
        let token = self.peek()?;
        // Not the token behind the `:`, as in go-yaml.
        let (kind, start) = (token.kind, token.start);
        if kind == TokenKind::Value {
            self.scanner.take();
            if !matches!(
                self.peek_kind()?,
                TokenKind::FlowEntry | TokenKind::FlowSequenceEnd
            ) {
                self.states.push(State::FlowSequenceEntryMappingEnd);
                return self.node(false, false);
            }
        }
        self.state = State::FlowSequenceEntryMappingEnd;
        Ok(Self::empty_scalar(start))
    }

    fn flow_mapping_key(&mut self, first: bool) -> Outcome<Event> {
        let mut token = self.peek()?;
        if token.kind != TokenKind::FlowMappingEnd {
            if !first {
                if token.kind != TokenKind::FlowEntry {
                    let at = token.start;
                    let context = self.pop_mark();
                    return self.error(context, "did not find expected ',' or '}'", at);
                }
                self.scanner.take();
                token = self.peek()?;
            }
            let kind = token.kind;
            if kind == TokenKind::Key {
                self.scanner.take();
                let token = self.peek()?;
                let (kind, start) = (token.kind, token.start);
                if matches!(
                    kind,
                    TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowMappingEnd
                ) {
                    self.state = State::FlowMappingValue;
                    return Ok(Self::empty_scalar(start));
                }
                self.states.push(State::FlowMappingValue);
                return self.node(false, false);
            }
            if kind != TokenKind::FlowMappingEnd {
                self.states.push(State::FlowMappingEmptyValue);
                return self.node(false, false);
            }
        }
        self.close_flow(EventKind::MappingEnd)
    }

    fn flow_mapping_value(&mut self) -> Outcome<Event> {
        let token = self.peek()?;
        let (kind, mut start) = (token.kind, token.start);
        if kind == TokenKind::Value {
            self.scanner.take();
            let token = self.peek()?;
            start = token.start;
            if !matches!(token.kind, TokenKind::FlowEntry | TokenKind::FlowMappingEnd) {
                self.states.push(State::FlowMappingKey);
                return self.node(false, false);
            }
        }
        self.state = State::FlowMappingKey;
        Ok(Self::empty_scalar(start))
    }
}

/// What `!!` stands for.
pub(crate) const LONG_TAG_PREFIX: &str = "tag:yaml.org,2002:";
