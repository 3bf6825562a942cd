//! Events to trees.
//!
//! # Source
//! yaml/go-yaml v3 `decode.go`, type `parser`: which node a comment ends up at.

use std::collections::BTreeSet;

use object::Text;

use crate::events::{Event, EventKind, LONG_TAG_PREFIX, Parser};
use crate::node::{Kind, Node, Style, tag};
use crate::scan::Outcome;
use crate::{Limits, YamlError, resolve};

/// One document with the comments that are about it as a whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Source {
    /// Comment above the first node, separated from it by an empty line.
    pub head_comment: Text,
    /// The document's node.
    pub root: Node,
    /// Comment below everything.
    pub foot_comment: Text,
}

/// Reads documents, at most `most`; what follows them is not looked at.
pub(crate) fn compose(
    text: &str,
    limits: &Limits,
    keep_comments: bool,
    most: usize,
) -> Outcome<Vec<Source>> {
    let mut composer = Composer {
        parser: Parser::new(text, limits, keep_comments),
        limits,
        open: Vec::new(),
        children: Vec::new(),
        anchors: BTreeSet::new(),
        as_v2: !keep_comments,
    };
    let mut documents = Vec::new();
    composer.parser.next()?;
    while documents.len() < most {
        let event = composer.parser.next()?;
        if event.kind != EventKind::DocumentStart {
            break;
        }
        if documents.len() >= limits.documents_max {
            return Err(YamlError::Documents {
                at: event.start.position(),
                documents_max: limits.documents_max,
            });
        }
        let root = composer.root()?;
        let end = composer.parser.next()?;
        documents.push(Source {
            head_comment: event.comments.head().clone(),
            root,
            foot_comment: end.comments.foot().clone(),
        });
    }
    Ok(documents)
}

struct Composer<'a> {
    parser: Parser<'a>,
    limits: &'a Limits,
    /// Collections whose end was not seen yet, outermost first.
    open: Vec<Open>,
    /// The nodes that are in them, in the same order. A collection takes its own when it ends, so that
    /// none has to grow and none keeps room it does not need.
    children: Vec<Node>,
    anchors: BTreeSet<Text>,
    /// Whether the tag `!` makes text, as for v2; for v3 it says nothing.
    as_v2: bool,
}

/// A collection whose end was not seen yet.
struct Open {
    node: Node,
    /// Where its own children begin.
    first: usize,
}

impl Composer<'_> {
    fn root(&mut self) -> Outcome<Node> {
        // v3 knows the anchors of earlier documents.
        if self.as_v2 {
            self.anchors.clear();
        }
        loop {
            let event = self.parser.next()?;
            let finished = match event.kind {
                EventKind::Scalar => self.scalar(event),
                EventKind::Alias => self.alias(event)?,
                EventKind::SequenceStart | EventKind::MappingStart => {
                    self.start(event)?;
                    continue;
                }
                _ => self.end(event),
            };
            match self.open.last() {
                Some(parent) => add_child(parent, &mut self.children, finished),
                None => return Ok(finished),
            }
        }
    }

    fn node(&mut self, kind: Kind, event: Event) -> Node {
        if !event.anchor.is_empty() {
            self.anchors.insert(event.anchor.name().clone());
        }
        let at = event.start.position();
        let mut style = event.style;
        let tag = if event.tag == "!" && kind == Kind::Scalar && self.as_v2 && event.value != "<<" {
            style = style.with(Style::TAGGED);
            Text::new_static(tag::STR)
        } else if event.tag.is_empty() || event.tag == "!" {
            match kind {
                Kind::Sequence => Text::new_static(tag::SEQ),
                Kind::Mapping => Text::new_static(tag::MAP),
                Kind::Alias => Text::default(),
                Kind::Scalar if style.is_quoted() => Text::new_static(tag::STR),
                Kind::Scalar if event.value == "<<" => Text::new_static(tag::MERGE),
                Kind::Scalar => Text::new_static(resolve::v3_tag(&event.value)),
            }
        } else {
            style = style.with(Style::TAGGED);
            short_tag(event.tag)
        };
        Node {
            kind,
            style,
            tag,
            value: event.value,
            anchor: event.anchor,
            comments: event.comments,
            line: at.line,
            column: at.column,
            content: Vec::new(),
        }
    }

    fn scalar(&mut self, event: Event) -> Node {
        self.node(Kind::Scalar, event)
    }

    fn alias(&mut self, event: Event) -> Outcome<Node> {
        if !self.anchors.contains(&event.value) {
            return Err(YamlError::UnknownAlias {
                at: event.start.position(),
                name: event.value,
            });
        }
        Ok(self.node(Kind::Alias, event))
    }

    fn start(&mut self, event: Event) -> Outcome<()> {
        if self.open.len() >= self.limits.depth_max {
            return Err(YamlError::Depth {
                at: event.start.position(),
                depth_max: self.limits.depth_max,
            });
        }
        let kind = match event.kind {
            EventKind::SequenceStart => Kind::Sequence,
            _ => Kind::Mapping,
        };
        let node = self.node(kind, event);
        let first = self.children.len();
        self.open.push(Open { node, first });
        Ok(())
    }

    fn end(&mut self, event: Event) -> Node {
        let Open { mut node, first } = self
            .open
            .pop()
            .expect("the parser ends only collections that it started");
        node.content = self.children.split_off(first);
        node.comments.set_line_and_foot(event.comments);
        // The foot of a block mapping is that of its last key.
        let count = node.content.len();
        if node.kind == Kind::Mapping
            && !node.style.has(Style::FLOW)
            && !node.comments.foot().is_empty()
            && count > 1
        {
            let foot = node.comments.take_foot();
            node.content[count - 2].comments.set_foot(foot);
        }
        node
    }
}

/// Adds a key, a value or an item, and moves feet from where they were noticed to the key they
/// are about.
fn add_child(parent: &Open, children: &mut Vec<Node>, mut child: Node) {
    if parent.node.kind == Kind::Mapping && !child.comments.foot().is_empty() {
        let siblings = &mut children[parent.first..];
        let count = siblings.len();
        if count % 2 == 1 {
            let key = &mut siblings[count - 1];
            if key.comments.foot().is_empty() {
                key.comments.set_foot(child.comments.take_foot());
            }
        } else if !parent.node.style.has(Style::FLOW) && count >= 2 {
            // It was noticed at the next key, after the indentation went back.
            let foot = child.comments.take_foot();
            siblings[count - 2].comments.set_foot(foot);
        }
    }
    children.push(child);
}

fn short_tag(tag: Text) -> Text {
    match tag.strip_prefix(LONG_TAG_PREFIX) {
        Some(name) => format!("!!{name}").into(),
        None => tag,
    }
}
