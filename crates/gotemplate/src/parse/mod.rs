//! Parses a template's text.
//!
//! # Source
//! golang/go `src/text/template/parse/{parse,node}.go` at 1.26: what is accepted, what the nodes'
//! positions are, and the words of errors.

mod actions;
mod lex;
mod literal;
mod pipeline;
mod tree;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

pub(crate) use literal::{Number, quote};
pub(crate) use tree::{Branch, Called, Id, Name, Node, ROOT, Run, Source, Template, Variable};

use self::lex::{Kind, Lexer, Token};
use crate::{Functions, ParseError, Str, limits, stack};

/// A text, parsed: what it defines. Its own template is among it, under the text's name.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) templates: Vec<Template>,
}

impl Parsed {
    /// The template of the text itself.
    pub(crate) fn main(&self) -> Option<&Template> {
        let name = &self.templates.first()?.source.name;
        self.templates
            .iter()
            .find(|template| template.name == *name)
    }
}

/// Parses `text`. Functions are looked up in `functions`, then among the builtin ones.
pub(crate) fn parse(name: Str, text: Str, functions: &Functions) -> Result<Parsed, ParseError> {
    let mut parser = Parser {
        text: text.as_bytes(),
        lexer: Lexer::new(
            text.as_bytes(),
            functions.get("break").is_none(),
            functions.get("continue").is_none(),
        ),
        functions,
        source: Source::new(name.clone(), text.clone()),
        pending: [Token::NONE; 3],
        count: 0,
        known: HashMap::new(),
        open: Vec::new(),
        state: State::new(),
        nesting: 0,
        templates: Vec::new(),
        by_name: HashMap::new(),
    };
    if text.len() > limits::TEXT_BYTES_MAX {
        let limit = format!("a template of more than {} bytes", limits::TEXT_BYTES_MAX);
        return Err(ParseError::limit(&parser.source.name, 1, &limit));
    }
    parser.top_level().map_err(|error| *error)?;
    parser.source.finish();
    let source = Arc::new(parser.source);
    let templates = parser.templates.into_iter();
    let templates = templates.map(|(name, root)| Template {
        name,
        source: Arc::clone(&source),
        root,
    });
    Ok(Parsed {
        templates: templates.collect(),
    })
}

type Result<T, E = Box<ParseError>> = std::result::Result<T, E>;

/// What begins anew in every `define` and `block`.
struct State {
    /// Variables in scope, the innermost last.
    variables: Vec<Variable>,
    /// How often each is among them.
    declared: HashMap<Variable, u32>,
    /// The `{{` of the action at hand.
    action: Option<Token>,
    ranges: u32,
    parens: u32,
}

impl State {
    fn new() -> Self {
        Self {
            variables: vec![ROOT],
            declared: HashMap::new(),
            action: None,
            ranges: 0,
            parens: 0,
        }
    }

    fn declare(&mut self, variable: Variable) {
        self.variables.push(variable);
        *self.declared.entry(variable).or_default() += 1;
    }

    fn is_declared(&self, variable: Variable) -> bool {
        variable == ROOT || self.declared.get(&variable).is_some_and(|count| *count > 0)
    }

    /// Ends the scope of all variables but the first `count`.
    fn leave(&mut self, count: usize) {
        for variable in self.variables.drain(count..) {
            if let Some(count) = self.declared.get_mut(&variable) {
                *count -= 1;
            }
        }
    }
}

struct Parser<'t> {
    text: &'t [u8],
    lexer: Lexer<'t>,
    functions: &'t Functions,
    source: Source,
    /// Numbers of functions, constant numbers and texts by the words that stand for them.
    known: HashMap<&'t [u8], u32>,
    /// Nodes whose list is not complete, innermost lists last.
    open: Vec<Id>,
    /// Tokens put back, the next one last. The first is always the last one cut: errors are on its line.
    pending: [Token; 3],
    count: usize,
    state: State,
    nesting: u32,
    templates: Vec<(Str, Id)>,
    /// Where a name is in `templates`.
    by_name: HashMap<Str, usize>,
}

impl<'t> Parser<'t> {
    // Tokens.

    fn next(&mut self) -> Token {
        if self.count > 0 {
            self.count -= 1;
        } else {
            self.pending[0] = self.lexer.next();
        }
        self.pending[self.count]
    }

    fn peek(&mut self) -> Token {
        let token = self.next();
        self.count += 1;
        token
    }

    fn next_solid(&mut self) -> Token {
        loop {
            let token = self.next();
            if token.kind != Kind::Space {
                return token;
            }
        }
    }

    fn peek_solid(&mut self) -> Token {
        let token = self.next_solid();
        self.count += 1;
        token
    }

    fn bytes(&self, token: Token) -> &'t [u8] {
        &self.text[token.start as usize..token.end as usize]
    }

    fn word(&self, token: Token) -> Cow<'t, str> {
        String::from_utf8_lossy(self.bytes(token))
    }

    /// The line on which a token starts, from one.
    fn line(&self, token: Token) -> u32 {
        let before = &self.text[..token.start as usize];
        memchr::memchr_iter(b'\n', before).count() as u32 + 1
    }

    // Lists of nodes.

    /// Where a list begins whose nodes are pushed to `open` next.
    fn begin(&self) -> usize {
        self.open.len()
    }

    /// The list of what was pushed since.
    fn finish(&mut self, begin: usize) -> Run {
        let nodes = self.source.add_ids(&self.open[begin..]);
        self.open.truncate(begin);
        nodes
    }

    // Errors.

    #[cold]
    fn error(&self, message: impl Into<String>) -> Box<ParseError> {
        Box::new(ParseError {
            name: self.source.name.to_text().into_owned(),
            line: self.line(self.pending[0]),
            message: message.into(),
            is_limit: false,
        })
    }

    fn describe(&self, token: Token) -> String {
        let bytes = self.bytes(token);
        match token.kind {
            Kind::End => "EOF".into(),
            Kind::Error => self.lexer.error().into(),
            Kind::Keyword(_) => format!("<{}>", self.word(token)),
            _ if bytes.len() > 10 => {
                let length = bytes.utf8_chunks().flat_map(|chunk| {
                    let characters = chunk.valid().chars().map(char::len_utf8);
                    characters.chain(chunk.invalid().iter().map(|_| 1))
                });
                let length: usize = length.take(10).sum();
                format!("{}...", quote(&bytes[..length]))
            }
            _ => quote(bytes),
        }
    }

    #[cold]
    fn unexpected(&self, token: Token, context: &str) -> Box<ParseError> {
        let described = self.describe(token);
        if token.kind != Kind::Error {
            return self.error(format!("unexpected {described} in {context}"));
        }
        let line = self.state.action.map(|open| self.line(open));
        let Some(line) = line.filter(|line| *line != self.line(token)) else {
            return self.error(described);
        };
        let action = if described.ends_with(" action") {
            ""
        } else {
            " in action"
        };
        let name = self.source.name.to_text();
        self.error(format!("{described}{action} started at {name}:{line}"))
    }

    fn expect(&mut self, kind: Kind, context: &str) -> Result<Token> {
        let token = self.next_solid();
        if token.kind == kind {
            Ok(token)
        } else {
            Err(self.unexpected(token, context))
        }
    }

    /// Counts a level of nesting, and makes sure of stack for it.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.nesting >= limits::NESTING_MAX {
            let limit = format!("actions nested more than {} deep", limits::NESTING_MAX);
            let line = self.line(self.pending[0]);
            return Err(ParseError::limit(&self.source.name, line, &limit).into());
        }
        self.nesting += 1;
        let parsed = stack::grow(|| parse(self));
        self.nesting -= 1;
        parsed
    }
}
