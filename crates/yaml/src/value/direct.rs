//! From text to values in one pass, for the YAML that most manifests are written in.
//!
//! Block maps and lists, scalars, and flow collections on one line are read without tokens and without
//! a tree. Whatever else occurs (anchors, tags, merge keys, keys that are no text, rare escapes, any
//! mistake) ends the attempt, and the text is read by way of a tree, which knows all of YAML and says
//! what is wrong. So this reader never refuses anything, and what it reads must be what the tree means.

use object::{Map, Node, Text};

use super::resolver::Value;
use super::{Document, Duplicates, ResolveOptions};
use crate::bytes::all_but;
use crate::resolve::{Rules, Scalar, plain};

/// Deepest nesting that is read here, for the stack.
const DEPTH_MAX: usize = 100;

/// Longest key in bytes that is read here; YAML allows 1024 characters.
const KEY_BYTES_MAX: usize = 1000;

/// The column where a document has ended.
const END: i32 = -1;

/// Reads the first document of a text that was checked, of its outermost map only the entries that
/// `wanted` names; `None` if it is not simple.
pub(super) fn first(
    text: &str,
    options: &ResolveOptions,
    wanted: Option<&dyn Fn(&str) -> bool>,
) -> Option<Node> {
    let mut reader = Reader::new(text, options)?;
    // A key that occurs twice is to be found wherever it is.
    reader.wanted = wanted.filter(|_| options.duplicates == Duplicates::LastWins);
    reader.next_line()?;
    if !reader.start()? {
        return Some(Node::Null);
    }
    reader.root()
}

/// Reads all documents of a text that was checked; `None` if they are not simple.
pub(super) fn all(text: &str, options: &ResolveOptions) -> Option<Vec<Document>> {
    let mut reader = Reader::new(text, options)?;
    let mut documents = Vec::new();
    let (mut line, mut counted) = (1, 0);
    reader.next_line()?;
    for index in 0..options.limits.documents_max {
        if !reader.start()? {
            return Some(documents);
        }
        let from = reader.at;
        line += memchr::memchr_iter(b'\n', &reader.bytes[counted..from]).count() as u32;
        counted = from;
        let node = reader.root()?;
        if !node.is_null() {
            let index = index as u32;
            documents.push(Document { node, line, index });
        }
    }
    None
}

/// What reading gives; `None` when the text is not simple.
type Simple<T> = Option<T>;

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    options: &'a ResolveOptions,
    wanted: Option<&'a dyn Fn(&str) -> bool>,
    /// Whether values are dropped: they are only checked.
    dropping: bool,
    at: usize,
    /// Where the current line begins.
    line: usize,
    /// Column of the first thing on the line; [`END`] at the end of a document.
    column: i32,
    nodes: usize,
    depth: usize,
    depth_max: usize,
    /// Items of the lists whose end was not seen yet, so that no list keeps more room than it needs.
    items: Vec<Node>,
    /// Text of which the pieces lie apart, while it is put together.
    scratch: String,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, options: &'a ResolveOptions) -> Simple<Self> {
        let simple = options.rules == Rules::V2 && has_simple_breaks(text);
        simple.then(|| Self {
            text,
            bytes: text.as_bytes(),
            options,
            wanted: None,
            dropping: false,
            at: 0,
            line: 0,
            column: END,
            nodes: 0,
            depth: 0,
            depth_max: options.limits.depth_max.min(DEPTH_MAX),
            items: Vec::new(),
            scratch: String::new(),
        })
    }

    /// The byte `ahead` of here; a line break behind the end.
    #[inline]
    fn byte(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(b'\n')
    }

    /// Whether a blank, a line break or the end is `ahead` of here.
    #[inline]
    fn is_space(&self, ahead: usize) -> bool {
        matches!(self.byte(ahead), b' ' | b'\t' | b'\n')
    }

    fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    #[inline]
    fn skip_spaces(&mut self) {
        while self.byte(0) == b' ' {
            self.at += 1;
        }
    }

    fn skip_rest_of_line(&mut self) {
        let rest = &self.bytes[self.at..];
        self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    }

    /// From the beginning of a line to the next thing that is no comment.
    fn next_line(&mut self) -> Simple<()> {
        loop {
            self.line = self.at;
            self.skip_spaces();
            if self.is_at_end() {
                self.column = END;
                return Some(());
            }
            match self.byte(0) {
                b'\n' => self.at += 1,
                b'#' => {
                    self.skip_rest_of_line();
                    self.at += 1;
                    self.at = self.at.min(self.bytes.len());
                }
                b'\t' => return None,
                byte => {
                    self.column = (self.at - self.line) as i32;
                    if self.column == 0 && matches!(byte, b'-' | b'.' | b'%') {
                        if self.is_document_start() {
                            self.column = END;
                        } else if byte == b'%' || self.bytes[self.at..].starts_with(b"...") {
                            return None;
                        }
                    }
                    return Some(());
                }
            }
        }
    }

    fn is_document_start(&self) -> bool {
        self.bytes[self.at..].starts_with(b"---") && self.is_space(3)
    }

    /// Over the rest of a line on which nothing but a comment may follow.
    fn end_line(&mut self) -> Simple<()> {
        let from = self.at;
        self.skip_spaces();
        match self.byte(0) {
            b'\n' => {}
            b'#' if self.at > from => self.skip_rest_of_line(),
            _ => return None,
        }
        if !self.is_at_end() {
            self.at += 1;
        }
        self.next_line()
    }

    /// Over the marker of a document, if there is one, to what the document holds; whether there is
    /// a document at all.
    fn start(&mut self) -> Simple<bool> {
        if self.column != END {
            // Only the first one can do without a marker, and only it comes here like this.
            return Some(true);
        }
        if self.is_at_end() {
            return Some(false);
        }
        self.at += 3;
        self.end_line()?;
        Some(true)
    }

    /// A whole document.
    fn root(&mut self) -> Simple<Node> {
        self.nodes = 0;
        if self.column == END {
            return Some(Node::Null);
        }
        let node = self.block(END)?;
        (self.column == END).then_some(node)
    }

    fn count(&mut self) -> Simple<()> {
        self.nodes += 1;
        (self.nodes < self.options.limits.nodes_max).then_some(())
    }

    fn nested<T>(&mut self, inside: impl FnOnce(&mut Self) -> Simple<T>) -> Simple<T> {
        if self.depth >= self.depth_max {
            return None;
        }
        self.depth += 1;
        let result = inside(self);
        self.depth -= 1;
        result
    }

    /// What begins on this line, in a collection at `outer`.
    fn block(&mut self, outer: i32) -> Simple<Node> {
        let column = self.column;
        if self.is_entry() {
            return self.list(column);
        }
        match self.key()? {
            Some(key) => self.map(column, key),
            None => self.scalar_or_flow(outer),
        }
    }

    /// Whether the `-` of a list is here.
    #[inline]
    fn is_entry(&self) -> bool {
        self.byte(0) == b'-' && self.is_space(1)
    }

    /// The entries of a map, from behind the first key.
    fn map(&mut self, column: i32, first: Text) -> Simple<Node> {
        self.nested(|reader| {
            reader.count()?;
            let mut map = Map::new();
            let mut key = first;
            loop {
                let drops = reader.drop_unless_wanted(&key);
                let value = reader.value(column)?;
                if drops {
                    reader.dropping = false;
                } else {
                    reader.insert(&mut map, key, value)?;
                }
                if reader.column != column {
                    break;
                }
                key = reader.key()??;
            }
            (reader.column < column).then_some(Node::Map(map))
        })
    }

    /// Begins to drop what stands behind a key of the outermost map, if nobody wants it.
    fn drop_unless_wanted(&mut self, key: &str) -> bool {
        let drops = self.depth == 1 && self.wanted.is_some_and(|wanted| !wanted(key));
        self.dropping |= drops;
        drops
    }

    fn insert(&mut self, map: &mut Map, key: Text, value: Node) -> Simple<()> {
        self.count()?;
        if self.dropping {
            return Some(());
        }
        let replaced = map.insert(key, value);
        (replaced.is_none() || self.options.duplicates == Duplicates::LastWins).then_some(())
    }

    /// The items of a list, from its first `-`.
    fn list(&mut self, column: i32) -> Simple<Node> {
        self.nested(|reader| {
            reader.count()?;
            let first = reader.items.len();
            loop {
                let item = reader.item(column)?;
                if !reader.dropping {
                    reader.items.push(item);
                }
                if reader.column != column || !reader.is_entry() {
                    break;
                }
            }
            (reader.column <= column).then(|| reader.items.split_off(first).into())
        })
    }

    fn item(&mut self, column: i32) -> Simple<Node> {
        self.at += 1;
        let from = self.at;
        self.skip_spaces();
        if matches!(self.byte(0), b'\n' | b'#') {
            self.at = from;
            self.end_line()?;
            return match self.column > column {
                true => self.block(column),
                false => self.null(),
            };
        }
        let inner = (self.at - self.line) as i32;
        if self.is_entry() {
            return self.list(inner);
        }
        match self.key()? {
            Some(key) => self.map(inner, key),
            None => self.scalar_or_flow(column),
        }
    }

    /// What belongs to the key before it, in a map at `column`.
    fn value(&mut self, column: i32) -> Simple<Node> {
        let from = self.at;
        self.skip_spaces();
        if !matches!(self.byte(0), b'\n' | b'#') {
            return self.scalar_or_flow(column);
        }
        self.at = from;
        self.end_line()?;
        if self.column > column {
            self.block(column)
        } else if self.column == column && self.is_entry() {
            self.list(column)
        } else {
            self.null()
        }
    }

    fn null(&mut self) -> Simple<Node> {
        self.count()?;
        Some(Node::Null)
    }

    /// What begins on this line and is neither a block map nor a block list; `column` is that of the
    /// collection it is in.
    fn scalar_or_flow(&mut self, column: i32) -> Simple<Node> {
        let node = match self.byte(0) {
            b'"' | b'\'' => {
                self.count()?;
                Node::String(self.quoted()?)
            }
            b'|' => return self.block_scalar(column, true),
            b'>' => return self.block_scalar(column, false),
            b'[' | b'{' => self.flow()?,
            _ => self.plain(column)?,
        };
        self.end_line()?;
        Some(node)
    }

    /// A key up to and with its colon; within, nothing and no step if no key is here.
    fn key(&mut self) -> Simple<Option<Text>> {
        let from = self.at;
        let key = match self.byte(0) {
            b'"' | b'\'' => {
                let key = self.quoted()?;
                self.skip_spaces();
                let is_key = self.byte(0) == b':' && self.is_space(1) && self.is_one_line(from);
                is_key.then_some(key)
            }
            b'[' | b'{' | b'|' | b'>' => None,
            _ => {
                let end = self.plain_end()?;
                let is_key = self.bytes.get(end) == Some(&b':');
                let text = self.text[from..end].trim_end_matches(' ');
                self.at = end;
                match is_key {
                    true => Some(self.text_key(text)?),
                    false => None,
                }
            }
        };
        match key {
            Some(_) if self.at - from > KEY_BYTES_MAX => None,
            Some(key) => {
                self.at += 1;
                Some(Some(key))
            }
            None => {
                self.at = from;
                Some(None)
            }
        }
    }

    /// A plain key that means its own text.
    fn text_key(&self, text: &str) -> Simple<Text> {
        if text == "<<" || plain(text, Rules::V2, true) != Scalar::Text {
            return None;
        }
        Some(self.keep(text))
    }

    fn keep(&self, text: &str) -> Text {
        // Keys of the outermost map are looked at before anything is dropped.
        match self.dropping {
            true => Text::default(),
            false => Text::new(text),
        }
    }

    fn is_one_line(&self, from: usize) -> bool {
        memchr::memchr(b'\n', &self.bytes[from..self.at]).is_none()
    }

    /// Where the plain text that begins here ends, on this line.
    fn plain_end(&self) -> Simple<usize> {
        match self.begins_plain() {
            true => self.run_end(self.at),
            false => None,
        }
    }

    /// Where plain text ends that goes on at `at`: at a colon with a space behind it, before a
    /// comment, or at the end of the line.
    fn run_end(&self, mut at: usize) -> Simple<usize> {
        loop {
            while self
                .bytes
                .get(at)
                .is_some_and(|&byte| GOES_ON[byte as usize])
            {
                at += 1;
            }
            match self.bytes.get(at) {
                None | Some(b'\n') => return Some(at),
                Some(b':') if matches!(self.bytes.get(at + 1), None | Some(b' ' | b'\n')) => {
                    return Some(at);
                }
                Some(b'#') if self.bytes[at - 1] == b' ' => return Some(at),
                Some(b'\t') => return None,
                _ => at += 1,
            }
        }
    }

    /// Whether plain text can begin here.
    fn begins_plain(&self) -> bool {
        match self.byte(0) {
            b'-' | b':' => !self.is_space(1),
            byte => !INDICATORS.contains(&byte),
        }
    }

    /// Plain text in a collection at `column`.
    fn plain(&mut self, column: i32) -> Simple<Node> {
        let from = self.at;
        self.at = self.plain_end()?;
        let mut next = self.continuation(column)?;
        let first = self.text[from..self.at].trim_end_matches(' ');
        if next.is_none() && self.byte(0) != b':' {
            self.at = from + first.len();
            return self.meaning(first);
        }
        let mut text = std::mem::take(&mut self.scratch);
        text.push_str(first);
        while let Some((breaks, at)) = next {
            push_folded(&mut text, breaks);
            self.at = self.run_end(at)?;
            text.push_str(self.text[at..self.at].trim_end_matches(' '));
            next = self.continuation(column)?;
        }
        if self.byte(0) == b':' {
            return None;
        }
        while self.bytes[self.at - 1] == b' ' {
            self.at -= 1;
        }
        let node = self.meaning(&text);
        self.put_back(text)?;
        node
    }

    /// Where plain text in a collection at `column` goes on that has come to the end of its line, and
    /// how many empty lines are between; nothing if it does not go on.
    fn continuation(&self, column: i32) -> Simple<Option<(usize, usize)>> {
        if self.byte(0) != b'\n' {
            return Some(None);
        }
        let (mut line, mut breaks) = (self.at + 1, 0);
        loop {
            let rest = self.bytes.get(line..).unwrap_or_default();
            let spaces = rest.iter().take_while(|&&byte| byte == b' ').count();
            match rest.get(spaces) {
                None | Some(b'#') => return Some(None),
                Some(b'\t') => return None,
                Some(b'\n') => {
                    breaks += 1;
                    line += spaces + 1;
                }
                // It may be the marker of a document.
                Some(_) if column == END && spaces == 0 => return None,
                Some(_) => {
                    let goes_on = spaces as i32 > column;
                    return Some(goes_on.then_some((breaks, line + spaces)));
                }
            }
        }
    }

    /// What a plain scalar means.
    fn meaning(&mut self, text: &str) -> Simple<Node> {
        self.count()?;
        let scalar = plain(text, Rules::V2, true);
        match scalar {
            // What JSON cannot hold, or what depends on options.
            Scalar::Float(value) if !value.is_finite() => None,
            Scalar::Float(value) if value == 0.0 && value.is_sign_negative() => None,
            Scalar::Text | Scalar::Timestamp => Some(Node::String(self.scalar(text)?)),
            _ => Some(Value::scalar(scalar, &Text::default())),
        }
    }

    /// The text of a scalar.
    fn scalar(&self, text: &str) -> Simple<Text> {
        (text.len() <= self.options.limits.scalar_bytes_max).then(|| self.keep(text))
    }

    /// The text of a scalar that was put together.
    fn put_back(&mut self, mut text: String) -> Simple<Text> {
        let scalar = self.scalar(&text);
        text.clear();
        self.scratch = text;
        scalar
    }

    /// Quoted text.
    fn quoted(&mut self) -> Simple<Text> {
        let quote = self.byte(0);
        self.at += 1;
        let from = self.at;
        loop {
            let rest = &self.bytes[self.at..];
            self.at += rest
                .iter()
                .position(|&byte| byte == quote || byte == b'\n' || byte == b'\\')?;
            match self.byte(0) {
                b'\\' if quote == b'\'' => self.at += 1,
                byte if byte != quote || quote == b'\'' && self.byte(1) == quote => {
                    return self.unescaped(from);
                }
                _ => break,
            }
        }
        let text = self.scalar(&self.text[from..self.at])?;
        self.at += 1;
        Some(text)
    }

    fn quoted_on_line(&mut self) -> Simple<Text> {
        let from = self.at;
        let text = self.quoted()?;
        self.is_one_line(from).then_some(text)
    }

    /// Quoted text with its usual escapes and with folded lines, from its beginning on.
    fn unescaped(&mut self, from: usize) -> Simple<Text> {
        let quote = self.bytes[from - 1];
        let mut text = std::mem::take(&mut self.scratch);
        let mut piece = from;
        loop {
            let rest = &self.bytes[self.at..];
            self.at += memchr::memchr3(quote, b'\\', b'\n', rest)?;
            let escaped = match self.byte(0) {
                b'\n' => {
                    text.push_str(self.text[piece..self.at].trim_end_matches([' ', '\t']));
                    let breaks = self.folded_breaks()?;
                    push_folded(&mut text, breaks);
                    piece = self.at;
                    continue;
                }
                b'\\' if quote == b'\'' => {
                    self.at += 1;
                    continue;
                }
                b'\\' => match self.byte(1) {
                    b'n' => '\n',
                    b't' => '\t',
                    b'"' => '"',
                    b'\\' => '\\',
                    _ => return None,
                },
                _ if quote == b'\'' && self.byte(1) == b'\'' => '\'',
                _ => break,
            };
            text.push_str(&self.text[piece..self.at]);
            text.push(escaped);
            self.at += 2;
            piece = self.at;
        }
        text.push_str(&self.text[piece..self.at]);
        self.at += 1;
        self.put_back(text)
    }

    /// From the end of a line in quoted text to where it goes on: how many empty lines are between.
    fn folded_breaks(&mut self) -> Simple<usize> {
        let mut breaks = 0;
        loop {
            self.at += 1;
            let line = self.at;
            self.skip_spaces();
            if self.is_at_end() {
                return None;
            }
            match self.byte(0) {
                b'\n' => breaks += 1,
                b'\t' => return None,
                // It may be the marker of a document.
                b'-' | b'.' if self.at == line => return None,
                _ => return Some(breaks),
            }
        }
    }

    /// A flow list or map that ends on its line.
    fn flow(&mut self) -> Simple<Node> {
        self.nested(|reader| {
            reader.count()?;
            match reader.byte(0) {
                b'[' => reader.flow_list(),
                _ => reader.flow_map(),
            }
        })
    }

    fn flow_list(&mut self) -> Simple<Node> {
        let first = self.items.len();
        self.at += 1;
        loop {
            self.skip_spaces();
            if self.byte(0) == b']' {
                break;
            }
            let item = self.flow_node()?;
            if !self.dropping {
                self.items.push(item);
            }
            if !self.flow_goes_on(b']')? {
                break;
            }
        }
        self.at += 1;
        Some(self.items.split_off(first).into())
    }

    fn flow_map(&mut self) -> Simple<Node> {
        let mut map = Map::new();
        self.at += 1;
        loop {
            self.skip_spaces();
            let from = self.at;
            let (key, quoted) = match self.byte(0) {
                b'}' => break,
                b'"' | b'\'' => (self.quoted_on_line()?, true),
                _ => {
                    let text = self.flow_plain()?;
                    (self.text_key(text)?, false)
                }
            };
            self.skip_spaces();
            let is_key = self.byte(0) == b':' && (quoted || self.is_space(1));
            if !is_key || self.at - from > KEY_BYTES_MAX {
                return None;
            }
            self.at += 1;
            self.skip_spaces();
            let value = self.flow_node()?;
            self.insert(&mut map, key, value)?;
            if !self.flow_goes_on(b'}')? {
                break;
            }
        }
        self.at += 1;
        Some(Node::Map(map))
    }

    /// Over a comma; whether one was there and not the end.
    fn flow_goes_on(&mut self, end: u8) -> Simple<bool> {
        self.skip_spaces();
        match self.byte(0) {
            b',' => {
                self.at += 1;
                Some(true)
            }
            byte => (byte == end).then_some(false),
        }
    }

    fn flow_node(&mut self) -> Simple<Node> {
        match self.byte(0) {
            b'"' | b'\'' => {
                self.count()?;
                let text = self.quoted_on_line()?;
                // `"a": b` is a map with one entry.
                self.skip_spaces();
                (self.byte(0) != b':').then_some(Node::String(text))
            }
            b'[' | b'{' => self.flow(),
            _ => {
                let text = self.flow_plain()?;
                self.meaning(text)
            }
        }
    }

    /// Plain text in a flow collection, up to what ends it.
    fn flow_plain(&mut self) -> Simple<&'a str> {
        if !self.begins_plain() || self.byte(0) == b':' {
            return None;
        }
        let from = self.at;
        loop {
            match self.byte(0) {
                b',' | b']' | b'}' => break,
                b':' if self.is_space(1) => break,
                b'#' if self.bytes[self.at - 1] == b' ' => return None,
                b'\n' | b'\t' | b'?' | b'[' | b'{' => return None,
                _ => self.at += 1,
            }
        }
        let text = self.text[from..self.at].trim_end_matches(' ');
        (!text.is_empty()).then_some(text)
    }

    /// A block scalar in a collection at `column`, from its `|` or `>`.
    fn block_scalar(&mut self, column: i32, literal: bool) -> Simple<Node> {
        self.count()?;
        self.at += 1;
        let (mut chomping, mut indented) = (0, 0);
        loop {
            match self.byte(0) {
                byte @ (b'+' | b'-') if chomping == 0 => chomping = byte,
                byte @ b'1'..=b'9' if indented == 0 => indented = usize::from(byte - b'0'),
                _ => break,
            }
            self.at += 1;
        }
        self.skip_spaces();
        if self.byte(0) != b'\n' || self.is_at_end() {
            return None;
        }
        self.at += 1;

        let mut text = std::mem::take(&mut self.scratch);
        let (indent, mut breaks) = match indented {
            0 => self.first_breaks(column)?,
            _ => {
                let indent = column.max(0) as usize + indented;
                (indent, self.breaks(indent)?)
            }
        };
        let mut broken = false;
        let mut after_blank = false;
        while self.at - self.line == indent && !self.is_at_end() {
            let blank = matches!(self.byte(0), b' ' | b'\t');
            if !self.dropping {
                // The first line has no break before it.
                if broken && (literal || after_blank || blank) {
                    text.push('\n');
                } else if broken && breaks == 0 {
                    text.push(' ');
                }
                text.extend(std::iter::repeat_n('\n', breaks));
            }
            after_blank = blank;
            let start = self.at;
            self.skip_rest_of_line();
            if !self.dropping {
                text.push_str(&self.text[start..self.at]);
            }
            broken = !self.is_at_end();
            self.at += usize::from(broken);
            breaks = self.breaks(indent)?;
        }
        if !self.dropping {
            if broken && chomping != b'-' {
                text.push('\n');
            }
            if chomping == b'+' {
                text.extend(std::iter::repeat_n('\n', breaks));
            }
        }
        self.at = self.line;
        self.next_line()?;
        Some(Node::String(self.put_back(text)?))
    }

    /// The empty lines before a block scalar, and how far it is indented.
    fn first_breaks(&mut self, column: i32) -> Simple<(usize, usize)> {
        let (mut breaks, mut most) = (0, 0);
        loop {
            self.line = self.at;
            self.skip_spaces();
            most = most.max(self.at - self.line);
            match self.byte(0) {
                b'\t' => return None,
                b'\n' if !self.is_at_end() => {
                    self.at += 1;
                    breaks += 1;
                }
                _ => break,
            }
        }
        Some((most.max((column + 1) as usize).max(1), breaks))
    }

    /// Empty lines inside a block scalar, and the indentation of the line behind them.
    fn breaks(&mut self, indent: usize) -> Simple<usize> {
        let mut breaks = 0;
        loop {
            self.line = self.at;
            while self.at - self.line < indent && self.byte(0) == b' ' {
                self.at += 1;
            }
            match self.byte(0) {
                b'\t' if self.at - self.line < indent => return None,
                b'\n' if !self.is_at_end() => {
                    self.at += 1;
                    breaks += 1;
                }
                _ => return Some(breaks),
            }
        }
    }
}

/// What a line break in a scalar means that is not kept, with so many empty lines behind it.
fn push_folded(text: &mut String, breaks: usize) {
    match breaks {
        0 => text.push(' '),
        _ => text.extend(std::iter::repeat_n('\n', breaks)),
    }
}

/// What plain text cannot begin with; `-` and `:` can, before text.
const INDICATORS: &[u8] = b" \t\n?,[]{}#&*!|>'\"%@`";

/// Whether plain text goes on over this byte without a closer look.
const GOES_ON: [bool; 256] = all_but(b"\t\n:#");

/// Whether every line ends in a line feed, and no byte order mark is inside.
fn has_simple_breaks(text: &str) -> bool {
    let bytes = text.as_bytes();
    if memchr::memchr2(b'\r', 0xef, bytes).is_some() {
        return false;
    }
    // U+0085, U+2028, U+2029.
    text.is_ascii()
        || memchr::memchr2_iter(0xc2, 0xe2, bytes).all(|at| {
            let rest = &bytes[at..];
            !(rest.starts_with(b"\xc2\x85")
                || rest.starts_with(b"\xe2\x80\xa8")
                || rest.starts_with(b"\xe2\x80\xa9"))
        })
}

#[cfg(test)]
mod tests {
    use testkit::Dice;

    use super::*;
    use crate::compose::compose;
    use crate::{Tags, to_value};

    const OPTIONS: [Duplicates; 2] = [Duplicates::Refuse, Duplicates::LastWins];

    fn options(duplicates: Duplicates) -> ResolveOptions {
        ResolveOptions {
            duplicates,
            tags: Tags::Ignore,
            minus_zero: true,
            ..ResolveOptions::default()
        }
    }

    /// What the tree means; nothing where it is refused.
    fn by_tree(text: &str, options: &ResolveOptions) -> Option<Vec<Document>> {
        let sources = compose(text, &options.limits, false, usize::MAX).ok()?;
        let mut documents = Vec::new();
        for (source, index) in sources.iter().zip(0..) {
            let node = to_value(&source.root, options).ok()?;
            let line = source.root.line;
            documents.push(Document { node, line, index });
        }
        Some(documents)
    }

    /// Whether a text is simple. What is read in one pass is what its tree means.
    fn check(text: &str) -> bool {
        let mut simple = false;
        for options in OPTIONS.map(options) {
            let read = all(text, &options);
            if let Some(read) = &read {
                let tree = by_tree(text, &options).map(|mut documents| {
                    documents.retain(|document| !document.node.is_null());
                    documents
                });
                assert_eq!(Some(read), tree.as_ref(), "{text}");
            }
            if let Some(read) = first(text, &options, None) {
                let tree = compose(text, &options.limits, false, 1).map(|mut sources| {
                    sources
                        .pop()
                        .map_or(Ok(Node::Null), |source| to_value(&source.root, &options))
                });
                assert_eq!(Ok(Ok(read.clone())), tree, "{text}");
                let wanted = |key: &str| key.len().is_multiple_of(2);
                let mut some = first(text, &options, Some(&wanted)).expect("simple as a whole");
                if let (Node::Map(all), Node::Map(some)) = (&read, &mut some) {
                    let mut all = all.clone();
                    all.retain(|key, _| wanted(key));
                    some.retain(|key, _| wanted(key));
                    assert_eq!(all, *some, "{text}");
                } else {
                    assert_eq!(read, some, "{text}");
                }
            }
            simple = read.is_some();
        }
        simple
    }

    #[test]
    fn what_manifests_hold_is_simple() {
        for text in SIMPLE {
            assert!(check(text), "{text}");
        }
    }

    #[test]
    fn what_is_not_simple_is_left_to_the_tree() {
        for text in NOT_SIMPLE {
            assert!(!check(text), "{text}");
        }
    }

    #[test]
    fn changed_manifests_mean_what_their_trees_mean() {
        let mut dice = Dice::new(7);
        let mut simple = 0;
        for round in 0..60_000 {
            let mut text = dice.pick(SIMPLE).to_owned();
            for _ in 0..1 + round % 3 {
                let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
                let Some(&at) = dice.choose(&places) else {
                    continue;
                };
                if dice.one_in(2) {
                    text.remove(at);
                }
                text.insert_str(at, dice.pick(PIECES));
            }
            simple += usize::from(check(&text));
        }
        assert!(simple > 10_000, "{simple}");
    }

    const PIECES: &[&str] = &[
        "",
        "",
        " ",
        "  ",
        "\n",
        "\n\n",
        "\n  ",
        "-",
        "- ",
        "\n- ",
        ":",
        ": ",
        "#",
        " #",
        "'",
        "\"",
        "|",
        "|-\n",
        ">",
        "[",
        "]",
        "{",
        "}",
        ",",
        "&a ",
        "*a",
        "!!str ",
        "\t",
        "\\",
        "\\n",
        "?",
        "---\n",
        "\n---\n",
        "...\n",
        "%",
        "@",
        "~",
        "a",
        "a: ",
        "b: c\n",
        "1",
        "0x1",
        ".5",
        "-0",
        "1e3",
        "yes",
        "null",
        "<<: ",
        "\u{e9}",
        "\u{85}",
        "\u{2028}",
        "\u{2019}",
        "2001-01-01",
        ".nan",
    ];

    const SIMPLE: &[&str] = &[
        "",
        "a",
        "\"a\"",
        "[a]",
        "{a: b}",
        "a: b\n  c\n\n  - d  \n\n\n    e # f\ng: h\n  # i\nj:\n  k\n  l\n",
        "- a\n  b\n- c: d\n    e\n- 1\n 2\n-\n  3\n",
        "a: \"b  \n  c\n\n\nd\\t \n \\n e \n\"\nf: 'g\n  h ''\n\n  i'\n",
        "a:\n  \"b\"\nc:\n  {}\nd:\n  []\ne:\n    |\n   f\n",
        "\n\n",
        "# only a comment",
        "---\n",
        "---\n---\na: b\n---\n# nothing\n---\nc: d",
        "# first\n--- # second\na: 1\n",
        "a: b\nc: \"d\"\ne: 'f'\n",
        "a:\n  b:\n    c: d # e\n  f: g#h\ni:   j  \n",
        "a:\n- b\n- c: d\n  e: f\n-   g: h\n    i:\n    - j\n    k: l\n- - m\n  - n\nb: c\n",
        "a:\n  - b\n  -\n    c: d\n  -\n  - e\n\n  # f\n  -\ng:\n",
        "- a\n- \"b: c\"\n- d:e\n- -f\n- null\n- ~\n- -1.5e3\n- 0x1f\n- 017\n- yes\n- 12:30\n- 1_000\n- 2001-01-01\n",
        "a: |\n  b\n\n   c\n  d\ne: |-\n    f\n\ng: |+\n  h\n\n\ni: >\n  j\n  k\n\n  l\n    m\n    n\n  o\np: >-\n\n  q\n",
        "a:\n- |\n b\n- >\n  c\n   \n  d\n- e: |\n    #f\n  g: |\n  h: i\n",
        "a: |\n  b",
        "a: [b, \"c\", 'd', 1, [e, f], {g: h}, ]\ni: {}\nj: []\nk: {l: m, \"n\":o, 'p': [q]} # r\n",
        "a: 'it''s'\nb: \"c\\n\\\"d\\\"\\te\\\\\"\n\"f\": g\n'h i' : j\nk l: m\n'n\\o': 'p\\q''r\\'\n",
        "a: http://b:80/c?d=e#f\n",
        "a: b\na: c\nd:\n  e: 1\n  e: 2\n",
        "a: |2\n   b\n  c\nd: >-1\n  e\n f\ng:\n- |+2\n\n    h\n\n",
        "a: :80\nb: [http://c:80/d#e, f:g, h#i, j k]\n",
        "caf\u{e9}: \u{2019}\n\u{e9}: [\u{e9}]\n",
        "a: .5\nb: -0.5\nc: 18446744073709551615\nd: 1e400x\ne: 0.0\n",
        "/a: b\n$c: d\n.e: f\n-g: h\n(i): j\n",
    ];

    const NOT_SIMPLE: &[&str] = &[
        "--- a\n",
        "a: b\n...\n",
        "%YAML 1.1\n---\na: b\n",
        "a: &b c\n",
        "a: *b\n",
        "a: !!str 1\n",
        "<<: {a: b}\n",
        "? a\n: b\n",
        "a: [b,\n  c]\n",
        "a: [b: c]\n",
        "a: [b, , c]\n",
        "a: {b}\n",
        "1: a\n",
        "yes: a\n",
        "~: a\n",
        "a: b: c\n",
        "a: b\n  c: d\n",
        "a: b\n  # c\n  d\n",
        "a: \"b\n---\nc\"\n",
        "a: \"b\\\n c\"\n",
        "\"a\n b\": c\n",
        "[\"a\n b\"]\n",
        "a: - b\n",
        "a: b\n c: d\n",
        "a:\n    b: c\n  d: e\n",
        "- a\nb: c\n",
        "a: b\n- c\n",
        "a:\tb\n",
        "a: b\t\n",
        "a:\n\tb: c\n",
        "a: |0\n b\n",
        "a: |1-2\n b\n",
        "a: |\n\tb\n",
        "a: |b\n",
        "a: 'b' c\n",
        "a: 'b'#c\n",
        "a: \"\\x41\"\n",
        "a: \"b\n",
        "a: .nan\n",
        "a: -0.0\n",
        "a: @b\n",
        "a: b\r\nc: d\r\n",
        "a: b\u{85}c: d\n",
        "a: b\u{2028}c\n",
        "a: b\n\u{feff}c: d\n",
    ];
}
