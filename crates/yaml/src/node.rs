//! The syntax tree: YAML as written.

use object::Text;

use crate::resolve;

/// One node of a document: what was written and how, not yet what it means.
///
/// Modelled on go-yaml v3's `yaml.Node`, so that a renderer can keep styles, comments and order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node {
    /// Scalar, sequence, mapping or alias.
    pub kind: Kind,
    /// How it was, or is to be, written.
    pub style: Style,
    /// The tag in its short form: written (`!!str`, `!Foo`, and [`Style::TAGGED`] is set) or resolved
    /// from a plain scalar by YAML 1.2 rules (`!!int`). Empty means: resolve when needed.
    pub tag: Text,
    /// The text of a scalar, the anchor's name of an alias, empty otherwise.
    pub value: Text,
    /// The anchor this node defines.
    pub anchor: Anchor,
    /// The comments around it.
    pub comments: Comments,
    /// Line, from one; zero for a node that was not read.
    pub line: u32,
    /// Column in characters, from one; zero for a node that was not read.
    pub column: u32,
    /// Items of a sequence; key, value, key, value of a mapping.
    pub content: Vec<Node>,
}

impl Node {
    /// A scalar without a tag: `value` is resolved when needed.
    pub fn scalar(value: impl Into<Text>) -> Self {
        Self {
            value: value.into(),
            ..Self::default()
        }
    }

    /// Text: a scalar tagged as a string, so quoted when it would read as something else.
    pub fn string(value: impl Into<Text>) -> Self {
        Self {
            tag: Text::new_static(tag::STR),
            value: value.into(),
            ..Self::default()
        }
    }

    /// A scalar of the type `tag`, one of [`tag`](mod@tag)'s constants.
    pub fn typed(tag: &'static str, value: impl Into<Text>) -> Self {
        Self {
            tag: Text::new_static(tag),
            value: value.into(),
            ..Self::default()
        }
    }

    /// An integer.
    pub fn int(value: i64) -> Self {
        Self::typed(tag::INT, value.to_string())
    }

    /// `true` or `false`.
    pub fn bool(value: bool) -> Self {
        Self::typed(tag::BOOL, if value { "true" } else { "false" })
    }

    /// `null`.
    pub fn null() -> Self {
        Self::typed(tag::NULL, "null")
    }

    /// A sequence of `items`.
    pub fn sequence(items: impl IntoIterator<Item = Self>) -> Self {
        Self {
            kind: Kind::Sequence,
            tag: Text::new_static(tag::SEQ),
            content: items.into_iter().collect(),
            ..Self::default()
        }
    }

    /// A mapping of `pairs`; keys are not checked for repetition.
    pub fn mapping(pairs: impl IntoIterator<Item = (Self, Self)>) -> Self {
        Self {
            kind: Kind::Mapping,
            tag: Text::new_static(tag::MAP),
            content: pairs
                .into_iter()
                .flat_map(|(key, value)| [key, value])
                .collect(),
            ..Self::default()
        }
    }

    /// The same, written in `style`.
    pub fn styled(mut self, style: Style) -> Self {
        self.style = style;
        self
    }

    /// The short tag: the node's own, or that of its kind, or what a plain scalar resolves to by
    /// YAML 1.2 rules as go-yaml v3 has them (`yes` is a string, `0o7` and `0x1f` are integers).
    pub fn resolved_tag(&self) -> &str {
        if !self.tag.is_empty() && self.tag != "!" {
            return &self.tag;
        }
        match self.kind {
            Kind::Sequence => tag::SEQ,
            Kind::Mapping => tag::MAP,
            Kind::Alias => "",
            Kind::Scalar if self.style.is_quoted() || self.tag == "!" => tag::STR,
            Kind::Scalar => resolve::v3_tag(&self.value),
        }
    }

    /// Whether this is a null scalar: `null`, `~` or nothing.
    pub fn is_null(&self) -> bool {
        self.kind == Kind::Scalar && self.resolved_tag() == tag::NULL
    }

    /// Whether this is a mapping.
    pub fn is_mapping(&self) -> bool {
        self.kind == Kind::Mapping
    }

    /// Whether this is a sequence.
    pub fn is_sequence(&self) -> bool {
        self.kind == Kind::Sequence
    }

    /// Whether this is a null, or a sequence or mapping without content.
    pub fn is_empty(&self) -> bool {
        match self.kind {
            Kind::Sequence | Kind::Mapping => self.content.is_empty(),
            Kind::Scalar => self.is_null(),
            Kind::Alias => false,
        }
    }

    /// The text of a scalar, whatever its type; `None` for a null and for anything else.
    pub fn as_str(&self) -> Option<&str> {
        (self.kind == Kind::Scalar && !self.is_null()).then_some(&*self.value)
    }

    /// The text of a scalar that is a string.
    pub fn as_string(&self) -> Option<&str> {
        (self.kind == Kind::Scalar && self.resolved_tag() == tag::STR).then_some(&*self.value)
    }

    /// Keys and values of a mapping, in order; nothing for other kinds.
    pub fn pairs(&self) -> impl DoubleEndedIterator<Item = (&Node, &Node)> {
        let content: &[Node] = if self.is_mapping() {
            &self.content
        } else {
            &[]
        };
        content.chunks_exact(2).map(|pair| (&pair[0], &pair[1]))
    }

    /// Keys and values of a mapping, in order, to change; nothing for other kinds.
    pub fn pairs_mut(&mut self) -> impl DoubleEndedIterator<Item = (&mut Node, &mut Node)> {
        let content: &mut [Node] = if self.kind == Kind::Mapping {
            &mut self.content
        } else {
            &mut []
        };
        content.chunks_exact_mut(2).map(|pair| {
            let (key, value) = pair.split_at_mut(1);
            (&mut key[0], &mut value[0])
        })
    }

    /// Items of a sequence; nothing for other kinds.
    pub fn items(&self) -> &[Node] {
        if self.is_sequence() {
            &self.content
        } else {
            &[]
        }
    }

    /// Items of a sequence, to change; `None` for other kinds.
    pub fn items_mut(&mut self) -> Option<&mut Vec<Node>> {
        (self.kind == Kind::Sequence).then_some(&mut self.content)
    }

    /// The value of the scalar key `key`, if this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.position(key).map(|at| &self.content[at + 1])
    }

    /// The value of `key`, to change.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.position(key).map(|at| &mut self.content[at + 1])
    }

    /// The key's own node and its value.
    pub fn get_pair(&self, key: &str) -> Option<(&Node, &Node)> {
        self.position(key)
            .map(|at| (&self.content[at], &self.content[at + 1]))
    }

    /// The value under nested mapping keys.
    pub fn at(&self, keys: &[&str]) -> Option<&Node> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The value under nested mapping keys, to change.
    pub fn at_mut(&mut self, keys: &[&str]) -> Option<&mut Node> {
        keys.iter().try_fold(self, |node, key| node.get_mut(key))
    }

    /// The text under nested mapping keys; `None` also for nulls and other kinds.
    pub fn str_at(&self, keys: &[&str]) -> Option<&str> {
        self.at(keys)?.as_str()
    }

    /// Sets `key` to `value` and returns the value it had; a new key goes to the end. A node of
    /// another kind becomes a mapping first.
    pub fn set(&mut self, key: &str, value: Node) -> Option<Node> {
        if self.kind != Kind::Mapping {
            *self = Self::mapping([]);
        }
        match self.position(key) {
            Some(at) => Some(std::mem::replace(&mut self.content[at + 1], value)),
            None => {
                self.content.extend([Self::string(key), value]);
                None
            }
        }
    }

    /// The value of `key`, made a null first if the key is missing. A node of another kind becomes
    /// a mapping first.
    pub fn entry(&mut self, key: &str) -> &mut Node {
        if self.kind != Kind::Mapping {
            *self = Self::mapping([]);
        }
        let at = self.position(key).unwrap_or_else(|| {
            self.content.extend([Self::string(key), Self::null()]);
            self.content.len() - 2
        });
        &mut self.content[at + 1]
    }

    /// Removes `key` and returns its value.
    pub fn remove(&mut self, key: &str) -> Option<Node> {
        let at = self.position(key)?;
        self.content.drain(at..at + 2).nth(1)
    }

    /// Index in `content` of the key `key`.
    pub fn position(&self, key: &str) -> Option<usize> {
        if self.kind != Kind::Mapping {
            return None;
        }
        let keys = self.content.iter().step_by(2);
        keys.zip((0..).step_by(2))
            .find(|(node, _)| node.kind == Kind::Scalar && node.value == key)
            .map(|(_, at)| at)
            .filter(|at| at + 1 < self.content.len())
    }

    /// Removes every comment of this node and below.
    pub fn strip_comments(&mut self) {
        self.comments = Comments::default();
        self.content.iter_mut().for_each(Self::strip_comments);
    }
}

/// The comments around a node. Most nodes have none, and then they take no room for them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comments(Option<Box<Texts>>);

#[derive(Clone, Debug, Default, PartialEq)]
struct Texts {
    head: Text,
    line: Text,
    foot: Text,
}

static NOTHING: Text = Text::new_static("");

/// The name of an anchor without `&`, empty for none. Few nodes have one, so it takes little room.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Anchor(Option<Box<Text>>);

impl Anchor {
    /// The name.
    pub fn name(&self) -> &Text {
        self.0.as_deref().unwrap_or(&NOTHING)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

impl From<Text> for Anchor {
    fn from(name: Text) -> Self {
        Self((!name.is_empty()).then(|| Box::new(name)))
    }
}

impl Comments {
    /// Comments, each empty where there is none.
    pub fn new(head: Text, line: Text, foot: Text) -> Self {
        let mut comments = Self::default();
        comments.put(Texts { head, line, foot });
        comments
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Comment lines above, with their `#`, joined by line feeds.
    pub fn head(&self) -> &Text {
        self.0.as_ref().map_or(&NOTHING, |texts| &texts.head)
    }

    /// The comment at the end of the line.
    pub fn line(&self) -> &Text {
        self.0.as_ref().map_or(&NOTHING, |texts| &texts.line)
    }

    /// Comment lines below, before an empty line.
    pub fn foot(&self) -> &Text {
        self.0.as_ref().map_or(&NOTHING, |texts| &texts.foot)
    }

    /// Takes line and foot of `other`, and loses its own.
    pub(crate) fn set_line_and_foot(&mut self, other: Self) {
        if self.is_empty() && other.is_empty() {
            return;
        }
        let (mut texts, other) = (self.take(), other.into_texts());
        (texts.line, texts.foot) = (other.line, other.foot);
        self.put(texts);
    }

    /// Moves the head to the foot.
    pub(crate) fn turn_head_to_foot(&mut self) {
        let mut texts = self.take();
        texts.foot = std::mem::take(&mut texts.head);
        self.put(texts);
    }

    fn into_texts(mut self) -> Texts {
        self.take()
    }

    pub(crate) fn set_foot(&mut self, foot: Text) {
        let mut texts = self.take();
        texts.foot = foot;
        self.put(texts);
    }

    pub(crate) fn take_foot(&mut self) -> Text {
        let mut texts = self.take();
        let foot = std::mem::take(&mut texts.foot);
        self.put(texts);
        foot
    }

    fn take(&mut self) -> Texts {
        self.0.take().map_or_else(Texts::default, |texts| *texts)
    }

    fn put(&mut self, texts: Texts) {
        let any = !(texts.head.is_empty() && texts.line.is_empty() && texts.foot.is_empty());
        self.0 = any.then(|| Box::new(texts));
    }
}

/// What a node is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A single value.
    #[default]
    Scalar,
    /// A list.
    Sequence,
    /// Keys and values.
    Mapping,
    /// A reference to an anchor before it.
    Alias,
}

/// How a node is written: a set of flags, of which [`Style::TAGGED`] combines with any other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Style(u8);

impl Style {
    /// Plain where that is possible.
    pub const PLAIN: Self = Self(0);
    /// The tag is written out.
    pub const TAGGED: Self = Self(1);
    /// `"text"`.
    pub const DOUBLE_QUOTED: Self = Self(2);
    /// `'text'`.
    pub const SINGLE_QUOTED: Self = Self(4);
    /// A block after `|`.
    pub const LITERAL: Self = Self(8);
    /// A block after `>`.
    pub const FOLDED: Self = Self(16);
    /// `[a, b]` or `{a: b}`.
    pub const FLOW: Self = Self(32);

    /// Whether all flags of `other` are set.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These flags and those of `other`.
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These flags without those of `other`.
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether a scalar of this style is quoted or a block, so a string unless tagged otherwise.
    pub fn is_quoted(self) -> bool {
        self.0 & (2 | 4 | 8 | 16) != 0
    }
}

/// Short tags of YAML's own types.
pub mod tag {
    /// Null.
    pub const NULL: &str = "!!null";
    /// Boolean.
    pub const BOOL: &str = "!!bool";
    /// Text.
    pub const STR: &str = "!!str";
    /// Integer.
    pub const INT: &str = "!!int";
    /// Any other number.
    pub const FLOAT: &str = "!!float";
    /// Date or time.
    pub const TIMESTAMP: &str = "!!timestamp";
    /// Base64.
    pub const BINARY: &str = "!!binary";
    /// List.
    pub const SEQ: &str = "!!seq";
    /// Keys and values.
    pub const MAP: &str = "!!map";
    /// The key `<<`.
    pub const MERGE: &str = "!!merge";
}
