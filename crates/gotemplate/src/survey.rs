//! What templates mention, without executing them.

use crate::parse::{Id, Node, Source, Template};
use crate::{Set, Str};

/// One mention of something in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention<'a> {
    /// The name under which the text was parsed.
    pub file: &'a Str,
    /// Line, from one.
    pub line: usize,
    /// Bytes before it in the line.
    pub column: usize,
    /// What is mentioned.
    pub what: Mentioned<'a>,
}

/// What a text mentions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mentioned<'a> {
    /// Fields of dot, of a variable or of what is in parentheses, outermost first:
    /// `.Values.image.tag`, `$.Values.image`, `index .Values "image" "tag"`. What they are fields of is
    /// unknown.
    Fields(Vec<&'a str>),
    /// A function that is called.
    Function(&'static str),
}

impl Set {
    /// All fields and all functions that the templates mention; by file and place.
    /// Templates that were replaced by others are not looked at.
    pub fn mentions(&self) -> Vec<Mention<'_>> {
        let mut templates: Vec<&Template> = self.own_templates().collect();
        templates.sort_by(|a, b| a.name.cmp(&b.name));
        let mut found: Vec<Mention<'_>> = templates.into_iter().flat_map(of).collect();
        found.sort_by_key(|mention| (mention.file, mention.line, mention.column));
        found
    }
}

fn of(template: &Template) -> Vec<Mention<'_>> {
    let source = &template.source;
    let mut found = Vec::new();
    let mut open = vec![template.root];
    while let Some(id) = open.pop() {
        let node = source.node(id);
        let what = match node {
            Node::Field { names } => Mentioned::Fields(texts(source, names)),
            Node::Variable { names, .. } if !names.is_empty() => {
                Mentioned::Fields(texts(source, names))
            }
            Node::Chain { of, names } => {
                let mut fields = in_parentheses(source, of).unwrap_or_else(|| {
                    open.push(of);
                    Vec::new()
                });
                fields.extend(texts(source, names));
                Mentioned::Fields(fields)
            }
            Node::Function(function) => Mentioned::Function(source.function(function).name),
            _ => match indexed(source, node) {
                Some((fields, others)) => {
                    open.extend(others);
                    Mentioned::Fields(fields)
                }
                None => {
                    open.extend(source.below(node));
                    continue;
                }
            },
        };
        let (line, column) = source.line_and_column(id);
        found.push(Mention {
            file: &source.name,
            line,
            column,
            what,
        });
    }
    found
}

/// What `(.Values)` mentions, behind which more fields follow.
fn in_parentheses(source: &Source, id: Id) -> Option<Vec<&str>> {
    let Node::Pipe {
        declared: 0, nodes, ..
    } = source.node(id)
    else {
        return None;
    };
    match source.ids(nodes) {
        [word] => fields(source, *word),
        _ => None,
    }
}

/// The names of fields of dot or of a variable.
fn fields(source: &Source, id: Id) -> Option<Vec<&str>> {
    match source.node(id) {
        Node::Field { names } | Node::Variable { names, .. } => Some(texts(source, names)),
        _ => None,
    }
}

/// What `index .Values "a" "b"` mentions, which is what `.Values.a.b` does, and the words behind it. A
/// single key of a single field is a section that a variable stands for, of which no more is known.
fn indexed(source: &Source, node: Node) -> Option<(Vec<&str>, &[Id])> {
    let Node::Command { words } = node else {
        return None;
    };
    let [function, map, keys @ ..] = source.ids(words) else {
        return None;
    };
    let Node::Function(function) = source.node(*function) else {
        return None;
    };
    let mut fields = fields(source, *map)?;
    let constants = keys.iter().map_while(|key| match source.node(*key) {
        Node::String { text, .. } => source.string(text).as_str(),
        _ => None,
    });
    let constants: Vec<&str> = constants.collect();
    let others = &keys[constants.len()..];
    let is_followed = !constants.is_empty() && !fields.is_empty();
    fields.extend(constants);
    let is_index = source.function(function).name == "index";
    (is_index && is_followed && fields.len() > 2).then_some((fields, others))
}

fn texts(source: &Source, names: crate::parse::Run) -> Vec<&str> {
    let names = source.names(names).iter();
    names.map(|name| source.name(*name)).collect()
}
