//! Text, actions, and the blocks that actions open and close.

use super::lex::{Keyword, Kind, Token};
use super::literal::quote;
use super::tree::{Branch, Id, Node};
use super::{Parser, Result, State};
use crate::Str;

/// What ends a list.
#[derive(Clone, Copy)]
enum Ending {
    End,
    /// `{{else}}`, or the `{{else` before an `if` or `with` that is still to be read.
    Else,
}

impl Ending {
    fn text(self) -> &'static str {
        match self {
            Self::End => "{{end}}",
            Self::Else => "{{else}}",
        }
    }
}

enum Item {
    Node(Id),
    Ending(Ending),
}

impl Parser<'_> {
    pub(super) fn top_level(&mut self) -> Result<()> {
        let position = self.peek().start;
        let begin = self.begin();
        loop {
            let token = self.peek();
            match token.kind {
                Kind::End => break,
                Kind::Open => {
                    let open = self.next();
                    if self.next_solid().kind == Kind::Keyword(Keyword::Define) {
                        self.define()?;
                        continue;
                    }
                    self.pending[1] = open;
                    self.count = 2;
                }
                _ => {}
            }
            match self.text_or_action()? {
                Item::Node(id) => self.open.push(id),
                Item::Ending(ending) => {
                    return Err(self.error(format!("unexpected {}", ending.text())));
                }
            }
        }
        let nodes = self.finish(begin);
        let root = self.source.add(position, Node::List { nodes });
        let name = self.source.name.clone();
        self.add_template(name, root)
    }

    fn add_template(&mut self, name: Str, root: Id) -> Result<()> {
        match self.by_name.get(&name).copied() {
            None => {
                self.by_name.insert(name.clone(), self.templates.len());
                self.templates.push((name, root));
            }
            Some(at) if self.source.is_empty(self.templates[at].1) => self.templates[at].1 = root,
            Some(_) if self.source.is_empty(root) => {}
            Some(_) => {
                let name = quote(name.as_bytes());
                return Err(self.error(format!("template: multiple definition of template {name}")));
            }
        }
        Ok(())
    }

    fn define(&mut self) -> Result<()> {
        const CONTEXT: &str = "define clause";
        let outer = std::mem::replace(&mut self.state, State::new());
        let token = self.next_solid();
        let name = self.template_name(token, CONTEXT)?;
        self.expect(Kind::Close, CONTEXT)?;
        let (root, ending) = self.list()?;
        if let Ending::Else = ending {
            return Err(self.error(format!("unexpected {} in {CONTEXT}", ending.text())));
        }
        self.add_template(name, root)?;
        self.state = outer;
        Ok(())
    }

    /// Nodes up to an `{{end}}` or `{{else}}`.
    fn list(&mut self) -> Result<(Id, Ending)> {
        let position = self.peek_solid().start;
        let begin = self.begin();
        while self.peek_solid().kind != Kind::End {
            match self.text_or_action()? {
                Item::Node(id) => self.open.push(id),
                Item::Ending(ending) => {
                    let nodes = self.finish(begin);
                    return Ok((self.source.add(position, Node::List { nodes }), ending));
                }
            }
        }
        Err(self.error("unexpected EOF"))
    }

    fn text_or_action(&mut self) -> Result<Item> {
        let token = self.next_solid();
        match token.kind {
            Kind::Text => {
                let node = Node::Text { end: token.end };
                Ok(Item::Node(self.source.add(token.start, node)))
            }
            Kind::Open => {
                self.state.action = Some(token);
                let item = self.action()?;
                self.state.action = None;
                Ok(item)
            }
            _ => Err(self.unexpected(token, "input")),
        }
    }

    fn action(&mut self) -> Result<Item> {
        let token = self.next_solid();
        let node = match token.kind {
            Kind::Keyword(Keyword::Block) => self.block()?,
            Kind::Keyword(Keyword::Break) => self.leave_range(token, Node::Break)?,
            Kind::Keyword(Keyword::Continue) => self.leave_range(token, Node::Continue)?,
            Kind::Keyword(Keyword::Else) => {
                let after = self.peek_solid().kind;
                if !matches!(after, Kind::Keyword(Keyword::If | Keyword::With)) {
                    self.expect(Kind::Close, "else")?;
                }
                return Ok(Item::Ending(Ending::Else));
            }
            Kind::Keyword(Keyword::End) => {
                self.expect(Kind::Close, "end")?;
                return Ok(Item::Ending(Ending::End));
            }
            Kind::Keyword(Keyword::If) => self.control("if")?,
            Kind::Keyword(Keyword::Range) => self.control("range")?,
            Kind::Keyword(Keyword::With) => self.control("with")?,
            Kind::Keyword(Keyword::Template) => self.template()?,
            _ => {
                self.count += 1;
                let position = self.peek().start;
                let pipe = self.pipeline("command", Kind::Close)?;
                self.source.add(position, Node::Action { pipe })
            }
        };
        Ok(Item::Node(node))
    }

    fn leave_range(&mut self, token: Token, node: Node) -> Result<Id> {
        let word = format!("{{{{{}}}}}", self.word(token));
        let close = self.next_solid();
        if close.kind != Kind::Close {
            return Err(self.unexpected(close, &word));
        }
        if self.state.ranges == 0 {
            return Err(self.error(format!("{word} outside {{{{range}}}}")));
        }
        Ok(self.source.add(token.start, node))
    }

    fn control(&mut self, word: &'static str) -> Result<Id> {
        self.nested(|parser| parser.control_inner(word))
    }

    fn control_inner(&mut self, word: &'static str) -> Result<Id> {
        let variables = self.state.variables.len();
        let pipe = self.pipeline(word, Kind::Close)?;
        let range = u32::from(word == "range");
        self.state.ranges += range;
        let (body, ending) = self.list()?;
        self.state.ranges -= range;
        let otherwise = match ending {
            Ending::End => None,
            Ending::Else => Some(self.otherwise(word)?),
        };
        self.state.leave(variables);
        let branch = Branch {
            pipe,
            body,
            otherwise,
        };
        let node = match word {
            "if" => Node::If(branch),
            "with" => Node::With(branch),
            _ => Node::Range(branch),
        };
        Ok(self.source.add(self.source.position(pipe) as u32, node))
    }

    /// What is behind an `{{else}}`; the `if` of an `{{else if}}` stands in a list of its own.
    fn otherwise(&mut self, word: &'static str) -> Result<Id> {
        let token = self.peek();
        let nested = matches!(
            (word, token.kind),
            ("if", Kind::Keyword(Keyword::If)) | ("with", Kind::Keyword(Keyword::With))
        );
        if nested {
            self.next();
            let node = self.control(word)?;
            let nodes = self.source.add_ids(&[node]);
            return Ok(self.source.add(token.start, Node::List { nodes }));
        }
        let (list, ending) = self.list()?;
        if let Ending::Else = ending {
            return Err(self.error(format!("expected end; found {}", ending.text())));
        }
        Ok(list)
    }

    fn block(&mut self) -> Result<Id> {
        self.nested(Self::block_inner)
    }

    fn block_inner(&mut self) -> Result<Id> {
        const CONTEXT: &str = "block clause";
        let token = self.next_solid();
        let name = self.template_name(token, CONTEXT)?;
        let pipe = self.pipeline(CONTEXT, Kind::Close)?;
        let last = self.pending[0];
        let outer = std::mem::replace(&mut self.state, State::new());
        let (root, ending) = self.list()?;
        if let Ending::Else = ending {
            // Go gives the line where the clause ends.
            self.pending[0] = last;
            return Err(self.error(format!("unexpected {} in {CONTEXT}", ending.text())));
        }
        self.add_template(name.clone(), root)?;
        self.state = outer;
        Ok(self.add_call(token, name, Some(pipe)))
    }

    fn template(&mut self) -> Result<Id> {
        const CONTEXT: &str = "template clause";
        let token = self.next_solid();
        let name = self.template_name(token, CONTEXT)?;
        let pipe = if self.next_solid().kind == Kind::Close {
            None
        } else {
            self.count += 1;
            Some(self.pipeline(CONTEXT, Kind::Close)?)
        };
        Ok(self.add_call(token, name, pipe))
    }

    fn add_call(&mut self, token: Token, name: Str, pipe: Option<Id>) -> Id {
        let name = self.source.add_string(name);
        self.source.add(token.start, Node::Template { name, pipe })
    }

    fn template_name(&mut self, token: Token, context: &str) -> Result<Str> {
        match token.kind {
            Kind::String | Kind::RawString => Ok(self.unquote(token)?.as_ref().into()),
            _ => Err(self.unexpected(token, context)),
        }
    }
}
