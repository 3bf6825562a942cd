//! Trees as go-yaml v3 writes them, comments included.
//!
//! # Source
//! yaml/go-yaml v3 `encode.go` and `emitterc.go`. Comments that wait to be written are kept in the
//! writer's state there, which decides where they appear; so it is here.

use object::Text;

use super::EmitOptions;
use super::writer::{Analysis, Dialect, Place, ScalarStyle, Writer};
use crate::events::LONG_TAG_PREFIX;
use crate::node::{Kind, Node, Style, tag};
use crate::resolve::v3_tag;

/// Longest text that is written as an implicit key.
const SIMPLE_KEY_MAX: usize = 128;

/// Writes documents: the comment above, the node, the comment below.
pub(super) fn write<'a>(
    documents: impl Iterator<Item = (&'a Text, &'a Node, &'a Text)>,
    options: &EmitOptions,
) -> String {
    let mut emitter = Emitter {
        writer: Writer::new(options.indent, Dialect::V3),
        compact: options.compact_sequences,
        flow_level: 0,
        pending: Comments::default(),
        key_line_comment: "",
    };
    for (at, (head, root, foot)) in documents.enumerate() {
        emitter.document(at > 0, head, root, foot);
    }
    emitter.writer.out
}

/// Comments that were announced and wait for their place.
#[derive(Clone, Copy, Debug, Default)]
struct Comments<'a> {
    head: &'a str,
    line: &'a str,
    foot: &'a str,
    /// The foot of the key before.
    tail: &'a str,
}

impl<'a> Comments<'a> {
    fn of(node: &'a Node) -> Self {
        Self {
            head: node.comments.head(),
            line: node.comments.line(),
            foot: node.comments.foot(),
            tail: "",
        }
    }

    /// Announces `new`; what it does not have stays.
    fn announce(&mut self, new: Self) {
        for (old, new) in [
            (&mut self.head, new.head),
            (&mut self.line, new.line),
            (&mut self.foot, new.foot),
            (&mut self.tail, new.tail),
        ] {
            if !new.is_empty() {
                *old = new;
            }
        }
    }

    fn any_behind(&self) -> bool {
        !self.line.is_empty() || !self.foot.is_empty() || !self.tail.is_empty()
    }
}

/// Where a node stands.
#[derive(Clone, Copy, Debug, Default)]
struct Context {
    /// It is a key or a key's value.
    mapping: bool,
    simple_key: bool,
    /// It is an entry of a block sequence.
    after_dash: bool,
    /// It is a key, whose foot comes after its value.
    key: bool,
}

/// A node with what is known about it before it is written.
struct Prepared<'a> {
    node: &'a Node,
    /// The tag to write, if any.
    tag: Option<String>,
    style: ScalarStyle,
    analysis: Analysis,
}

struct Emitter<'a> {
    writer: Writer,
    compact: bool,
    flow_level: usize,
    pending: Comments<'a>,
    key_line_comment: &'a str,
}

impl<'a> Emitter<'a> {
    fn document(&mut self, separated: bool, head: &'a Text, root: &'a Node, foot: &'a Text) {
        self.pending.announce(Comments {
            head,
            ..Comments::default()
        });
        if separated {
            self.writer.write_indent();
            self.writer.write_indicator("---", true, false, false);
            self.writer.write_indent();
        }
        if !self.pending.head.is_empty() {
            self.write_head();
            self.writer.put_break();
        }

        let prepared = self.prepare(root);
        self.announce_start(root, "");
        self.write_head();
        let context = Context::default();
        self.start(&prepared, context);
        self.write_line_comment();
        self.write_foot();
        self.body(&prepared, context);

        self.pending.announce(Comments {
            foot,
            ..Comments::default()
        });
        self.writer.foot_indent = 0;
        self.write_foot();
        self.writer.foot_indent = -1;
        self.writer.write_indent();
    }

    fn prepare(&self, node: &'a Node) -> Prepared<'a> {
        let mut force_quotes = false;
        let mut written_tag = (!node.tag.is_empty()).then_some(&*node.tag);
        if let Some(tag) = written_tag
            && !node.style.has(Style::TAGGED)
        {
            let implied = match node.kind {
                Kind::Scalar if tag == tag::STR && node.style.is_quoted() => tag::STR,
                Kind::Scalar => v3_tag(&node.value),
                Kind::Mapping => tag::MAP,
                Kind::Sequence => tag::SEQ,
                Kind::Alias => "",
            };
            if implied == tag {
                written_tag = None;
            } else if node.kind == Kind::Scalar && tag == tag::STR {
                written_tag = None;
                force_quotes = true;
            }
        }
        let style = if node.style.has(Style::DOUBLE_QUOTED) {
            ScalarStyle::DoubleQuoted
        } else if node.style.has(Style::SINGLE_QUOTED) {
            ScalarStyle::SingleQuoted
        } else if node.style.has(Style::LITERAL) {
            ScalarStyle::Literal
        } else if node.style.has(Style::FOLDED) {
            ScalarStyle::Folded
        } else if node.value.contains('\n') {
            ScalarStyle::Literal
        } else if force_quotes {
            ScalarStyle::DoubleQuoted
        } else {
            ScalarStyle::Plain
        };
        Prepared {
            node,
            tag: written_tag.map(tag_text),
            style,
            analysis: self.writer.analyze(match node.kind {
                Kind::Scalar => &node.value,
                _ => "",
            }),
        }
    }

    /// Announces the comments a node's first event carries.
    fn announce_start(&mut self, node: &'a Node, tail: &'a str) {
        let all = Comments::of(node);
        self.pending.announce(match node.kind {
            Kind::Scalar => Comments { tail, ..all },
            Kind::Alias => all,
            Kind::Mapping => Comments {
                head: all.head,
                tail,
                ..Comments::default()
            },
            Kind::Sequence => Comments {
                head: all.head,
                ..Comments::default()
            },
        });
    }

    /// Announces the comments a collection's last event carries.
    fn announce_end(&mut self, node: &'a Node, tail: &'a str, context: Context) {
        self.pending.announce(Comments {
            line: node.comments.line(),
            foot: if context.key {
                ""
            } else {
                node.comments.foot()
            },
            head: "",
            tail,
        });
    }

    fn write_head(&mut self) {
        let tail = std::mem::take(&mut self.pending.tail);
        if !tail.is_empty() {
            self.writer.write_indent();
            self.writer.write_comment(tail);
            self.writer.foot_indent = self.writer.indent.max(0);
        }
        let head = std::mem::take(&mut self.pending.head);
        if !head.is_empty() {
            self.writer.write_indent();
            self.writer.write_comment(head);
        }
    }

    fn write_line_comment(&mut self) {
        let line = std::mem::take(&mut self.pending.line);
        if !line.is_empty() {
            write_behind(&mut self.writer, line);
        }
    }

    fn write_foot(&mut self) {
        let foot = std::mem::take(&mut self.pending.foot);
        if !foot.is_empty() {
            self.writer.write_indent();
            self.writer.write_comment(foot);
            self.writer.foot_indent = self.writer.indent.max(0);
        }
    }

    /// Writes a scalar or alias, or a collection's anchor and tag.
    fn start(&mut self, prepared: &Prepared<'a>, context: Context) {
        let node = prepared.node;
        if node.kind == Kind::Alias {
            self.writer.write_indicator("*", true, false, false);
            self.writer.write_word(&node.value, false);
            return;
        }
        let place = Place {
            in_flow: self.flow_level > 0,
            simple_key: context.simple_key,
        };
        let tagged = prepared.tag.is_some();
        let style = if node.kind == Kind::Scalar {
            self.writer
                .select_style(&node.value, &prepared.analysis, prepared.style, place, true)
        } else {
            prepared.style
        };
        if !node.anchor.is_empty() {
            self.writer.write_indicator("&", true, false, false);
            self.writer.write_word(node.anchor.name(), false);
        }
        if let Some(tag) = &prepared.tag {
            self.writer.write_word(tag, true);
        }
        if node.kind == Kind::Scalar {
            debug_assert!(tagged || prepared.tag.is_none());
            self.writer
                .push_indent(true, false, context.after_dash, false);
            let line = &mut self.pending.line;
            self.writer
                .write_scalar(&node.value, style, place, |writer| {
                    // The comment behind `|` ends the line; without one a break does.
                    let comment = std::mem::take(line);
                    if comment.is_empty() {
                        writer.put_break();
                    } else {
                        write_behind(writer, comment);
                    }
                });
            self.writer.pop_indent();
        }
    }

    /// Writes what is inside a collection.
    fn body(&mut self, prepared: &Prepared<'a>, context: Context) {
        let node = prepared.node;
        let flow = self.flow_level > 0 || node.style.has(Style::FLOW) || node.content.is_empty();
        match node.kind {
            Kind::Scalar | Kind::Alias => {}
            Kind::Sequence if flow => self.flow_sequence(node, context),
            Kind::Sequence => self.block_sequence(node, context),
            Kind::Mapping if flow => self.flow_mapping(node, context),
            Kind::Mapping => self.block_mapping(node, context),
        }
    }

    fn block_sequence(&mut self, node: &'a Node, context: Context) {
        let compact =
            self.compact && context.mapping && (self.writer.column == 0 || !self.writer.indention);
        self.writer
            .push_indent(false, false, context.after_dash, compact);
        let entry = Context {
            after_dash: true,
            ..Context::default()
        };
        for item in &node.content {
            let prepared = self.prepare(item);
            self.announce_start(item, "");
            self.write_head();
            self.writer.write_indent();
            self.writer.write_indicator("-", true, false, true);
            self.start(&prepared, entry);
            self.write_line_comment();
            self.write_foot();
            self.body(&prepared, entry);
        }
        self.announce_end(node, "", context);
        self.writer.pop_indent();
    }

    fn block_mapping(&mut self, node: &'a Node, context: Context) {
        self.writer
            .push_indent(false, false, context.after_dash, false);
        let mut tail = "";
        for (key, value) in node.pairs() {
            let simple = self.block_key(key, tail);
            tail = key.comments.foot();
            self.block_value(value, simple);
        }
        self.announce_end(node, tail, context);
        self.write_head();
        self.writer.pop_indent();
    }

    /// Writes a key; whether it was written as an implicit one.
    fn block_key(&mut self, key: &'a Node, tail: &'a str) -> bool {
        let prepared = self.prepare(key);
        self.announce_key(key, tail);
        self.write_head();
        self.writer.write_indent();
        if !self.pending.line.is_empty() {
            // Comments stand behind values; where there is no value in this line, the key's does.
            self.key_line_comment = std::mem::take(&mut self.pending.line);
        }
        let simple = is_simple_key(&prepared);
        if !simple {
            self.writer.write_indicator("?", true, false, true);
        }
        let context = Context {
            mapping: true,
            simple_key: simple,
            after_dash: false,
            key: true,
        };
        self.start(&prepared, context);
        self.body(&prepared, context);
        simple
    }

    /// A key's foot comes after its value, as the tail of what follows.
    fn announce_key(&mut self, key: &'a Node, tail: &'a str) {
        let kept = self.pending.foot;
        self.announce_start(key, tail);
        self.pending.foot = kept;
    }

    fn block_value(&mut self, value: &'a Node, simple: bool) {
        let prepared = self.prepare(value);
        self.announce_start(value, "");
        if simple {
            self.writer.write_indicator(":", false, false, false);
        } else {
            self.writer.write_indent();
            self.writer.write_indicator(":", true, false, true);
        }
        if !self.key_line_comment.is_empty() {
            if value.kind == Kind::Scalar {
                if self.pending.line.is_empty() {
                    self.pending.line = std::mem::take(&mut self.key_line_comment);
                }
            } else if value.kind != Kind::Alias && !value.style.has(Style::FLOW) {
                std::mem::swap(&mut self.pending.line, &mut self.key_line_comment);
                self.write_line_comment();
                std::mem::swap(&mut self.pending.line, &mut self.key_line_comment);
            }
        }
        let context = Context {
            mapping: true,
            ..Context::default()
        };
        self.start(&prepared, context);
        self.write_line_comment();
        self.write_foot();
        self.body(&prepared, context);
    }

    fn flow_sequence(&mut self, node: &'a Node, context: Context) {
        self.writer.write_indicator("[", true, true, false);
        self.writer
            .push_indent(true, false, context.after_dash, false);
        self.flow_level += 1;
        let mut comma_written = true;
        for item in &node.content {
            let prepared = self.prepare(item);
            self.announce_start(item, "");
            if !comma_written {
                self.writer.write_indicator(",", false, false, false);
            }
            self.write_head();
            if self.writer.column == 0 || self.writer.column > self.writer.width {
                self.writer.write_indent();
            }
            comma_written = self.pending.any_behind();
            self.start(&prepared, Context::default());
            self.flow_item_end();
            self.body(&prepared, Context::default());
        }
        self.announce_end(node, "", context);
        self.flow_level -= 1;
        self.writer.pop_indent();
        if self.writer.column == 0 {
            self.writer.write_indent();
        }
        self.writer.write_indicator("]", false, false, false);
        self.write_line_comment();
        self.write_foot();
    }

    /// A comma before comments, as nothing can follow them in their line.
    fn flow_item_end(&mut self) {
        if self.pending.any_behind() {
            self.writer.write_indicator(",", false, false, false);
        }
        self.write_line_comment();
        self.write_foot();
    }

    fn flow_mapping(&mut self, node: &'a Node, context: Context) {
        self.writer.write_indicator("{", true, true, false);
        self.writer
            .push_indent(true, false, context.after_dash, false);
        self.flow_level += 1;
        let mut comma_written = true;
        let mut tail = "";
        for (key, value) in node.pairs() {
            let prepared = self.prepare(key);
            self.announce_key(key, tail);
            if !comma_written {
                self.writer.write_indicator(",", false, false, false);
            }
            self.write_head();
            if self.writer.column == 0 {
                self.writer.write_indent();
            }
            if self.writer.column > self.writer.width {
                self.writer.write_indent();
            }
            let simple = is_simple_key(&prepared);
            if !simple {
                self.writer.write_indicator("?", true, false, false);
            }
            let context = Context {
                mapping: true,
                simple_key: simple,
                after_dash: false,
                key: true,
            };
            self.start(&prepared, context);
            self.body(&prepared, context);
            tail = key.comments.foot();

            let prepared = self.prepare(value);
            self.announce_start(value, "");
            self.writer.write_indicator(":", !simple, false, false);
            comma_written = self.pending.any_behind();
            let context = Context {
                mapping: true,
                ..Context::default()
            };
            self.start(&prepared, context);
            self.flow_item_end();
            self.body(&prepared, context);
        }
        self.announce_end(node, tail, context);
        let comments = !self.pending.head.is_empty()
            || !self.pending.foot.is_empty()
            || !self.pending.tail.is_empty();
        if comments && !comma_written {
            self.writer.write_indicator(",", false, false, false);
        }
        self.write_head();
        self.flow_level -= 1;
        self.writer.pop_indent();
        self.writer.write_indicator("}", false, false, false);
        self.write_line_comment();
        self.write_foot();
    }
}

fn write_behind(writer: &mut Writer, comment: &str) {
    if !writer.whitespace {
        writer.put(' ');
    }
    writer.write_comment(comment);
}

fn is_simple_key(prepared: &Prepared<'_>) -> bool {
    let node = prepared.node;
    let length = match node.kind {
        Kind::Alias => node.value.len(),
        Kind::Scalar if prepared.analysis.multiline => return false,
        Kind::Scalar => node.value.len(),
        _ if !node.content.is_empty() => return false,
        _ => 0,
    };
    let tag = prepared.tag.as_ref().map_or(0, String::len);
    node.anchor.name().len() + tag + length <= SIMPLE_KEY_MAX
}

/// A tag as it is written: `!!int`, `!local`, `!<uri>`.
fn tag_text(tag: &str) -> String {
    let escaped = |text: &str| {
        let mut out = String::with_capacity(text.len());
        for byte in text.bytes() {
            if byte.is_ascii_alphanumeric() || b"-_;/?:@&=+$,.~*'()[]".contains(&byte) {
                out.push(char::from(byte));
            } else {
                out.push_str(&format!("%{byte:02X}"));
            }
        }
        out
    };
    let long = tag.strip_prefix(LONG_TAG_PREFIX).or(tag.strip_prefix("!!"));
    if let Some(name) = long {
        return format!("!!{}", escaped(name));
    }
    match tag.strip_prefix('!') {
        Some(suffix) => format!("!{}", escaped(suffix)),
        None => format!("!<{}>", escaped(tag)),
    }
}
