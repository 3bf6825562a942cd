//! Pipelines, commands and operands.

use std::borrow::Cow;

use super::lex::{Keyword, Kind, Token};
use super::literal::{Number, quote, unquote};
use super::tree::{Id, Node, Run};
use super::{Parser, Result};
use crate::{limits, stack};

impl<'t> Parser<'t> {
    pub(super) fn pipeline(&mut self, context: &str, end: Kind) -> Result<Id> {
        let position = self.peek_solid().start;
        let begin = self.begin();
        let assigns = self.declarations(context)?;
        let commands = self.begin();
        loop {
            let token = self.next_solid();
            match token.kind {
                kind if kind == end => break,
                Kind::Bool
                | Kind::Character
                | Kind::Complex
                | Kind::Keyword(Keyword::Dot | Keyword::Nil)
                | Kind::Field
                | Kind::Identifier
                | Kind::Number
                | Kind::RawString
                | Kind::String
                | Kind::Variable
                | Kind::OpenParen => {
                    self.count += 1;
                    let command = self.command()?;
                    self.open.push(command);
                }
                _ => return Err(self.unexpected(token, context)),
            }
        }
        if self.open.len() == commands {
            return Err(self.error(format!("missing value for {context}")));
        }
        for (stage, command) in self.open[commands..].iter().enumerate().skip(1) {
            if !self.is_executable(*command) {
                return Err(self.error(format!(
                    "non executable command in pipeline stage {}",
                    stage + 1
                )));
            }
        }
        let node = Node::Pipe {
            assigns,
            // No more than two.
            declared: (commands - begin) as u8,
            nodes: self.finish(begin),
        };
        Ok(self.source.add(position, node))
    }

    fn is_executable(&self, command: Id) -> bool {
        let first = match self.source.node(command) {
            Node::Command { words } => self.source.ids(words)[0],
            _ => command,
        };
        !matches!(
            self.source.node(first),
            Node::Bool(_) | Node::Dot | Node::Nil | Node::Number { .. } | Node::String { .. }
        )
    }

    /// Opens the variables before `:=` or `=`; whether it was `=`.
    fn declarations(&mut self, context: &str) -> Result<bool> {
        let begin = self.begin();
        while let variable = self.peek_solid()
            && variable.kind == Kind::Variable
        {
            self.next();
            let adjacent = self.peek();
            let next = self.peek_solid();
            let comma = next.kind == Kind::Char && self.bytes(next) == b",";
            if !comma && !matches!(next.kind, Kind::Assign | Kind::Declare) {
                // An argument: everything goes back.
                if adjacent.kind == Kind::Space {
                    self.pending[1] = adjacent;
                    self.pending[2] = variable;
                    self.count = 3;
                } else {
                    self.pending[1] = variable;
                    self.count = 2;
                }
                break;
            }
            self.next_solid();
            let name = self.word(variable);
            let slot = self.source.add_variable(&name);
            let node = Node::Variable {
                variable: slot,
                names: Run::default(),
            };
            let declared = self.source.add(variable.start, node);
            self.open.push(declared);
            self.state.declare(slot);
            if !comma {
                return Ok(next.kind == Kind::Assign);
            }
            if context != "range" || self.open.len() - begin > 1 {
                return Err(self.error(format!("too many declarations in {context}")));
            }
            let after = self.peek_solid().kind;
            if !matches!(after, Kind::Variable | Kind::Close | Kind::CloseParen) {
                return Err(self.error("range can only initialize variables"));
            }
        }
        Ok(false)
    }

    fn command(&mut self) -> Result<Id> {
        let position = self.peek_solid().start;
        let begin = self.begin();
        loop {
            self.peek_solid();
            let word = self.operand()?;
            self.open.extend(word);
            let token = self.next();
            match token.kind {
                Kind::Space => continue,
                Kind::Close | Kind::CloseParen => self.count += 1,
                Kind::Pipe => {}
                _ => return Err(self.unexpected(token, "operand")),
            }
            break;
        }
        if self.open.len() == begin {
            return Err(self.error("empty command"));
        }
        if let [word] = self.open[begin..]
            && !matches!(self.source.node(word), Node::Pipe { .. })
        {
            self.open.truncate(begin);
            return Ok(word);
        }
        let words = self.finish(begin);
        Ok(self.source.add(position, Node::Command { words }))
    }

    /// A term with the fields that follow it; none where no term begins.
    fn operand(&mut self) -> Result<Option<Id>> {
        let Some(term) = self.term()? else {
            return Ok(None);
        };
        let first = self.peek();
        if first.kind != Kind::Field {
            return Ok(Some(term));
        }
        let node = self.source.node(term);
        // The name of a term that is a field goes in front of the others.
        let mut names = match node {
            Node::Field { names } => names,
            _ => Run::default(),
        };
        while self.peek().kind == Kind::Field {
            let token = self.next();
            names = self.source.add_name(names, token);
        }
        let id = match node {
            Node::Field { .. } => self.source.replace_last(first.start, Node::Field { names }),
            Node::Variable { variable, .. } => {
                let node = Node::Variable { variable, names };
                self.source.replace_last(first.start, node)
            }
            Node::Bool(_) | Node::String { .. } | Node::Number { .. } | Node::Nil | Node::Dot => {
                let term = quote(self.source.print(term).as_bytes());
                return Err(self.error(format!("unexpected . after term {term}")));
            }
            _ => self
                .source
                .add(first.start, Node::Chain { of: term, names }),
        };
        Ok(Some(id))
    }

    fn term(&mut self) -> Result<Option<Id>> {
        let token = self.next_solid();
        let node = match token.kind {
            Kind::Identifier => Node::Function(self.once(token, Self::function)?),
            Kind::Keyword(Keyword::Dot) => Node::Dot,
            Kind::Keyword(Keyword::Nil) => Node::Nil,
            Kind::Variable => {
                let name = self.word(token);
                let variable = self.source.add_variable(&name);
                if !self.state.is_declared(variable) {
                    let name = quote(name.as_bytes());
                    return Err(self.error(format!("undefined variable {name}")));
                }
                Node::Variable {
                    variable,
                    names: Run::default(),
                }
            }
            Kind::Field => Node::Field {
                names: self.source.add_name(Run::default(), token),
            },
            Kind::Bool => Node::Bool(self.bytes(token) == b"true"),
            Kind::Character | Kind::Complex | Kind::Number => {
                let number = self.once(token, Self::number)?;
                let end = token.end;
                Node::Number { number, end }
            }
            Kind::OpenParen => {
                if self.state.parens >= limits::PARENS_MAX {
                    return Err(self.error("max expression depth exceeded"));
                }
                self.state.parens += 1;
                let pipe =
                    stack::grow(|| self.pipeline("parenthesized pipeline", Kind::CloseParen))?;
                self.state.parens -= 1;
                return Ok(Some(pipe));
            }
            Kind::String | Kind::RawString => {
                let text = self.once(token, Self::string)?;
                let end = token.end;
                Node::String { text, end }
            }
            _ => {
                self.count += 1;
                return Ok(None);
            }
        };
        Ok(Some(self.source.add(token.start, node)))
    }

    /// The number of what a token stands for, which `add` adds where its word comes first.
    fn once(&mut self, token: Token, add: fn(&mut Self, Token) -> Result<u32>) -> Result<u32> {
        let word = self.bytes(token);
        if let Some(known) = self.known.get(word) {
            return Ok(*known);
        }
        let number = add(self, token)?;
        self.known.insert(word, number);
        Ok(number)
    }

    fn function(&mut self, token: Token) -> Result<u32> {
        let name = self.word(token);
        let added = self.source.add_function(&name, self.functions);
        added.ok_or_else(|| {
            let name = quote(name.as_bytes());
            self.error(format!("function {name} not defined"))
        })
    }

    fn number(&mut self, token: Token) -> Result<u32> {
        let number = Number::read(&self.word(token), token.kind);
        let number = number.map_err(|message| self.error(message))?;
        Ok(self.source.add_number(number))
    }

    fn string(&mut self, token: Token) -> Result<u32> {
        let text = self.unquote(token)?;
        Ok(self.source.add_string(&*text))
    }

    pub(super) fn unquote(&self, token: Token) -> Result<Cow<'t, [u8]>> {
        unquote(self.bytes(token)).ok_or_else(|| self.error("invalid syntax"))
    }
}
