//! What templates mention, without executing them.

use crate::parse::{Node, Source, Template};
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
    /// `.Values.image.tag`, `$.Values.image`, `$ctx.Values`. What they are fields of is unknown.
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
            Node::Chain { names, .. } => {
                open.extend(source.below(node));
                Mentioned::Fields(texts(source, names))
            }
            Node::Function(function) => Mentioned::Function(source.function(function).name),
            _ => {
                open.extend(source.below(node));
                continue;
            }
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

fn texts(source: &Source, names: crate::parse::Run) -> Vec<&str> {
    let names = source.names(names).iter();
    names.map(|name| source.name(*name)).collect()
}
