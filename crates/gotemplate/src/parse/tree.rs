//! What a parsed text is: nodes in one arena, printed back on demand.
//!
//! The same nodes are executed. Names are cut apart, functions found and constants read once, here;
//! a node refers to others by number, so that nothing nested deeply is freed by recursion.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use super::lex::Token;
use super::literal::{Number, quote};
use crate::exec::Callee;
use crate::{Functions, Str, stack};

/// A node's number, from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Id(NonZeroU32);

impl Id {
    /// Stands for no node: an execution that has not begun.
    pub(crate) const NONE: Self = Self(NonZeroU32::MAX);

    fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// Neighbours in one of the pools.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Run {
    start: u32,
    length: u32,
}

impl Run {
    pub(crate) fn is_empty(self) -> bool {
        self.length == 0
    }

    fn of<T>(self, pool: &[T]) -> &[T] {
        let start = self.start as usize;
        &pool[start..start + self.length as usize]
    }
}

/// A variable's name, interned per text. [`ROOT`] is `$`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Variable(u32);

/// `$`
pub(crate) const ROOT: Variable = Variable(0);

/// A field's name: where it is in the text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name {
    start: u32,
    end: u32,
}

/// A node. Positions are beside it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Node {
    /// Plain text up to a place in the text.
    Text {
        end: u32,
    },
    Action {
        pipe: Id,
    },
    If(Branch),
    With(Branch),
    Range(Branch),
    Template {
        name: u32,
        pipe: Option<Id>,
    },
    Break,
    Continue,
    List {
        nodes: Run,
    },
    Pipe {
        assigns: bool,
        /// How many of the nodes are variables, in the order of the text; the others are commands.
        declared: u8,
        nodes: Run,
    },
    /// A function or value with its arguments. One without arguments stands for itself, unless it is a
    /// pipeline in parentheses.
    Command {
        words: Run,
    },
    Function(u32),
    Field {
        names: Run,
    },
    Variable {
        variable: Variable,
        names: Run,
    },
    Chain {
        of: Id,
        names: Run,
    },
    Dot,
    Nil,
    Bool(bool),
    Number {
        number: u32,
        end: u32,
    },
    String {
        text: u32,
        end: u32,
    },
}

/// A text can be nothing but nodes.
const _: () = assert!(size_of::<Node>() <= 16, "a node is small");

/// The parts of `if`, `with` and `range`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Branch {
    pub(crate) pipe: Id,
    pub(crate) body: Id,
    pub(crate) otherwise: Option<Id>,
}

/// One text, parsed.
#[derive(Debug)]
pub(crate) struct Source {
    /// The name errors give for the place.
    pub(crate) name: Str,
    pub(crate) text: Str,
    nodes: Vec<Node>,
    positions: Vec<u32>,
    ids: Vec<Id>,
    names: Vec<Name>,
    /// Their names.
    variables: Vec<Box<str>>,
    /// Where a name is in `variables`.
    interned: HashMap<Box<str>, Variable>,
    numbers: Vec<Number>,
    strings: Vec<Str>,
    functions: Vec<Called>,
}

/// A function that is called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Called {
    pub(crate) name: &'static str,
    pub(crate) callee: Callee,
}

/// A template: a name, and where its nodes begin.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    pub(crate) name: Str,
    pub(crate) source: Arc<Source>,
    pub(crate) root: Id,
}

impl Source {
    pub(super) fn new(name: Str, text: Str) -> Self {
        Self {
            name,
            text,
            nodes: Vec::new(),
            positions: Vec::new(),
            ids: Vec::new(),
            names: Vec::new(),
            variables: vec!["$".into()],
            interned: HashMap::new(),
            numbers: Vec::new(),
            strings: Vec::new(),
            functions: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, position: u32, node: Node) -> Id {
        self.nodes.push(node);
        self.positions.push(position);
        let count = NonZeroU32::new(self.nodes.len() as u32);
        Id(count.expect("a text is too short for more"))
    }

    pub(super) fn add_ids(&mut self, ids: &[Id]) -> Run {
        let start = self.ids.len() as u32;
        self.ids.extend_from_slice(ids);
        Run {
            start,
            length: ids.len() as u32,
        }
    }

    /// Puts other content into the node that was added last.
    pub(super) fn replace_last(&mut self, position: u32, node: Node) -> Id {
        self.nodes.pop();
        self.positions.pop();
        self.add(position, node)
    }

    /// Adds the name of a field to the names that were added last, or to none.
    pub(super) fn add_name(&mut self, before: Run, field: Token) -> Run {
        let start = match before.is_empty() {
            true => self.names.len() as u32,
            false => before.start,
        };
        self.names.push(Name {
            start: field.start + 1,
            end: field.end,
        });
        Run {
            start,
            length: before.length + 1,
        }
    }

    pub(super) fn add_variable(&mut self, name: &str) -> Variable {
        if name == "$" {
            return ROOT;
        }
        if let Some(known) = self.interned.get(name) {
            return *known;
        }
        let variable = Variable(self.variables.len() as u32);
        self.variables.push(name.into());
        self.interned.insert(name.into(), variable);
        variable
    }

    /// Gives back what only parsing needs.
    pub(super) fn finish(&mut self) {
        self.interned = HashMap::new();
        self.nodes.shrink_to_fit();
        self.positions.shrink_to_fit();
        self.ids.shrink_to_fit();
        self.names.shrink_to_fit();
        self.numbers.shrink_to_fit();
        self.strings.shrink_to_fit();
        self.functions.shrink_to_fit();
    }

    /// Adds a function and gives its number, if there is one of this name.
    pub(super) fn add_function(&mut self, name: &str, functions: &Functions) -> Option<u32> {
        self.functions.push(Callee::find(name, functions)?);
        Some(self.functions.len() as u32 - 1)
    }

    pub(super) fn add_number(&mut self, number: Number) -> u32 {
        self.numbers.push(number);
        self.numbers.len() as u32 - 1
    }

    pub(super) fn add_string(&mut self, text: impl Into<Str>) -> u32 {
        self.strings.push(text.into());
        self.strings.len() as u32 - 1
    }

    pub(crate) fn node(&self, id: Id) -> Node {
        self.nodes[id.index()]
    }

    pub(crate) fn position(&self, id: Id) -> usize {
        self.positions[id.index()] as usize
    }

    /// The nodes directly below a node.
    pub(crate) fn below(&self, node: Node) -> Vec<Id> {
        match node {
            Node::Action { pipe } => vec![pipe],
            Node::If(branch) | Node::With(branch) | Node::Range(branch) => {
                let parts = [Some(branch.pipe), Some(branch.body), branch.otherwise];
                parts.into_iter().flatten().collect()
            }
            Node::Template { pipe, .. } => pipe.into_iter().collect(),
            Node::List { nodes } => self.ids(nodes).to_vec(),
            Node::Pipe {
                declared, nodes, ..
            } => self.pipe(declared, nodes).1.to_vec(),
            Node::Command { words } => self.ids(words).to_vec(),
            Node::Chain { of, .. } => vec![of],
            Node::Text { .. }
            | Node::Break
            | Node::Continue
            | Node::Function(_)
            | Node::Field { .. }
            | Node::Variable { .. }
            | Node::Dot
            | Node::Nil
            | Node::Bool(_)
            | Node::Number { .. }
            | Node::String { .. } => Vec::new(),
        }
    }

    /// The variables and the commands of a pipeline.
    pub(crate) fn pipe(&self, declared: u8, nodes: Run) -> (&[Id], &[Id]) {
        self.ids(nodes).split_at(usize::from(declared))
    }

    pub(crate) fn ids(&self, run: Run) -> &[Id] {
        run.of(&self.ids)
    }

    pub(crate) fn names(&self, run: Run) -> &[Name] {
        run.of(&self.names)
    }

    /// The text of a name; the lexer lets nothing into one that is no UTF-8.
    pub(crate) fn name(&self, name: Name) -> &str {
        let bytes = self.slice(name.start as usize, name.end);
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    pub(crate) fn variable(&self, variable: Variable) -> &str {
        &self.variables[variable.0 as usize]
    }

    pub(crate) fn number(&self, number: u32) -> &Number {
        &self.numbers[number as usize]
    }

    pub(crate) fn string(&self, string: u32) -> &Str {
        &self.strings[string as usize]
    }

    pub(crate) fn function(&self, function: u32) -> Called {
        self.functions[function as usize]
    }

    pub(crate) fn slice(&self, start: usize, end: u32) -> &[u8] {
        &self.text.as_bytes()[start..end as usize]
    }

    /// Line from one, and the bytes before `id` in it, as Go counts columns.
    pub(crate) fn line_and_column(&self, id: Id) -> (usize, usize) {
        let before = &self.text.as_bytes()[..self.position(id)];
        let start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
        let lines = memchr::memchr_iter(b'\n', before).count();
        (lines + 1, before.len() - start)
    }

    /// Whether nothing but blank text is below a node.
    pub(crate) fn is_empty(&self, id: Id) -> bool {
        match self.node(id) {
            Node::Text { end } => {
                let text = self.slice(self.position(id), end);
                String::from_utf8_lossy(text).trim().is_empty()
            }
            Node::List { nodes } => self.ids(nodes).iter().all(|id| self.is_empty(*id)),
            _ => false,
        }
    }

    /// The node as source, in the one form Go prints it in.
    pub(crate) fn print(&self, id: Id) -> String {
        let mut out = Vec::new();
        self.print_to(id, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    fn print_to(&self, id: Id, out: &mut Vec<u8>) {
        stack::grow(|| self.print_node(id, out));
    }

    fn print_node(&self, id: Id, out: &mut Vec<u8>) {
        let position = self.position(id);
        match self.node(id) {
            Node::Text { end } | Node::Number { end, .. } | Node::String { end, .. } => {
                out.extend(self.slice(position, end));
            }
            Node::Action { pipe } => {
                out.extend(b"{{");
                self.print_to(pipe, out);
                out.extend(b"}}");
            }
            Node::If(branch) => self.print_branch("if", branch, out),
            Node::With(branch) => self.print_branch("with", branch, out),
            Node::Range(branch) => self.print_branch("range", branch, out),
            Node::Template { name, pipe } => {
                out.extend(b"{{template ");
                out.extend(quote(self.string(name).as_bytes()).as_bytes());
                if let Some(pipe) = pipe {
                    out.push(b' ');
                    self.print_to(pipe, out);
                }
                out.extend(b"}}");
            }
            Node::Break => out.extend(b"{{break}}"),
            Node::Continue => out.extend(b"{{continue}}"),
            Node::List { nodes } => {
                for id in self.ids(nodes) {
                    self.print_to(*id, out);
                }
            }
            Node::Pipe {
                assigns,
                declared,
                nodes,
            } => {
                let (declared, commands) = self.pipe(declared, nodes);
                for (at, id) in declared.iter().enumerate() {
                    out.extend(if at > 0 { ", " } else { "" }.as_bytes());
                    self.print_to(*id, out);
                }
                if !declared.is_empty() {
                    out.extend(if assigns { " = " } else { " := " }.as_bytes());
                }
                for (at, id) in commands.iter().enumerate() {
                    out.extend(if at > 0 { " | " } else { "" }.as_bytes());
                    self.print_to(*id, out);
                }
            }
            Node::Command { words } => {
                for (at, id) in self.ids(words).iter().enumerate() {
                    out.extend(if at > 0 { " " } else { "" }.as_bytes());
                    self.print_operand(*id, out);
                }
            }
            Node::Function(function) => out.extend(self.function(function).name.as_bytes()),
            Node::Field { names } => self.print_names(names, out),
            Node::Variable { variable, names } => {
                out.extend(self.variable(variable).as_bytes());
                self.print_names(names, out);
            }
            Node::Chain { of, names } => {
                self.print_operand(of, out);
                self.print_names(names, out);
            }
            Node::Dot => out.push(b'.'),
            Node::Nil => out.extend(b"nil"),
            Node::Bool(value) => out.extend(if value { "true" } else { "false" }.as_bytes()),
        }
    }

    fn print_operand(&self, id: Id, out: &mut Vec<u8>) {
        let nested = matches!(self.node(id), Node::Pipe { .. });
        out.extend(if nested { "(" } else { "" }.as_bytes());
        self.print_to(id, out);
        out.extend(if nested { ")" } else { "" }.as_bytes());
    }

    fn print_names(&self, names: Run, out: &mut Vec<u8>) {
        for name in self.names(names) {
            out.push(b'.');
            out.extend(self.name(*name).as_bytes());
        }
    }

    fn print_branch(&self, word: &str, branch: Branch, out: &mut Vec<u8>) {
        out.extend(format!("{{{{{word} ").as_bytes());
        self.print_to(branch.pipe, out);
        out.extend(b"}}");
        self.print_to(branch.body, out);
        if let Some(otherwise) = branch.otherwise {
            out.extend(b"{{else}}");
            self.print_to(otherwise, out);
        }
        out.extend(b"{{end}}");
    }
}
