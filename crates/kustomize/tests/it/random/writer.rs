//! Writes values as YAML in every dialect, or as JSON, such that they mean what they say.

use super::maker::{Maker, Odd};
use super::value::Value;

/// How one file is written.
struct Style {
    /// Columns that a nested map is deeper than its key.
    step: usize,
    /// Whether the items of a list are deeper than its key.
    deep_lists: bool,
    /// How often a collection is written in flow style; zero is never.
    flow_one_in: usize,
    comment_one_in: usize,
    /// How often a text is quoted without need; zero is never.
    quote_one_in: usize,
    shuffled: bool,
}

impl Style {
    fn new(maker: &mut Maker) -> Self {
        let dice = &mut maker.dice;
        let mut style = Self {
            step: [2, 2, 2, 2, 4, 3, 1][dice.below(7)],
            deep_lists: dice.one_in(2),
            flow_one_in: 0,
            comment_one_in: 0,
            quote_one_in: 12,
            shuffled: dice.one_in(3),
        };
        if maker.has(Odd::Flow) {
            style.flow_one_in = maker.dice.between(2, 8);
        }
        if maker.has(Odd::Comments) {
            style.comment_one_in = maker.dice.between(2, 12);
        }
        if maker.has(Odd::Quotes) {
            style.quote_one_in = maker.dice.between(2, 4);
        }
        style
    }
}

/// A file of which the reference reads the first document only.
pub fn only_document(maker: &mut Maker, value: &Value) -> String {
    if maker.odd(Odd::Documents, 8) {
        return documents(maker, std::slice::from_ref(value));
    }
    let mut out = String::new();
    if maker.odd(Odd::Json, 2) {
        maker.note("style", "json");
        json(value, Some(0), &mut out);
        return out;
    }
    document(maker, value, &mut out);
    finish(maker, out)
}

/// The values as the documents of one file.
pub fn documents(maker: &mut Maker, values: &[Value]) -> String {
    let mut out = String::new();
    if let [value] = values
        && maker.odd(Odd::Json, 2)
    {
        maker.note("style", "json");
        let pretty = maker.dice.one_in(2);
        json(value, pretty.then_some(0), &mut out);
        out.push('\n');
        return out;
    }
    if maker.odd(Odd::LineEnds, 6) {
        maker.note("style", "byte order mark");
        out.push('\u{feff}');
    }
    let odd_documents = maker.odd(Odd::Documents, 2);
    if maker.dice.one_in(4) {
        out.push_str("---\n");
    } else if odd_documents {
        let start = maker.noted(
            "document start",
            &[
                "--- # first\n",
                "# head\n---\n",
                "\n\n---\n",
                "---   \n",
                "# only a comment\n\n",
                "---\n---\n",
                "---\t\n",
            ],
        );
        out.push_str(start);
    }
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            let separator = match maker.odd(Odd::Documents, 2) {
                true => maker.noted(
                    "separator",
                    &[
                        "--- # next\n",
                        "---\n---\n",
                        "---  \n",
                        "# foot\n---\n# head\n",
                        "---\n# empty\n---\n",
                        "...\n---\n",
                        "\n\n---\n\n",
                        "---\t# tab\n",
                        "---#x\n",
                        "... # end\n---\n",
                        "---\nnull\n---\n",
                    ],
                ),
                false => "---\n",
            };
            out.push_str(separator);
        }
        if maker.odd(Odd::Documents, 40) {
            let piece = maker.noted(
                "odd document",
                &[
                    "%YAML 1.1\n---\n",
                    "{}\n---\n",
                    "--- |\n  text\n---\n",
                    "[]\n---\n",
                    "text\n---\n",
                ],
            );
            out.push_str(piece);
        }
        document(maker, value, &mut out);
    }
    if odd_documents {
        let end = maker.noted(
            "document end",
            &[
                "",
                "---\n",
                "...\n",
                "---\n# foot\n",
                "# foot\n",
                "\n\n",
                "--- # foot",
            ],
        );
        out.push_str(end);
    }
    finish(maker, out)
}

/// Line ends and damage.
fn finish(maker: &mut Maker, mut out: String) -> String {
    if maker.odd(Odd::LineEnds, 3) {
        maker.note("style", "CRLF");
        out = out.replace('\n', "\r\n");
    }
    if maker.dice.one_in(12) && !out.ends_with("\n\n") {
        maker.note("style", "no newline at the end");
        out.truncate(out.trim_end_matches(['\n', '\r']).len());
    }
    if maker.odd(Odd::Damage, 8) {
        maker.note("style", "damage");
        damage(maker, &mut out);
    }
    out
}

/// One value as a text of its own, as inside a block scalar.
pub fn inline(maker: &mut Maker, value: &Value) -> String {
    let mut out = String::new();
    if maker.odd(Odd::Json, 2) || maker.dice.one_in(12) {
        json(value, None, &mut out);
    } else {
        document(maker, value, &mut out);
    }
    out
}

/// Inserts or removes something somewhere.
fn damage(maker: &mut Maker, text: &mut String) {
    let dice = &mut maker.dice;
    let mut at = dice.below(text.len() + 1);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    if dice.one_in(2) {
        let piece = dice.pick(&[
            " ", "  ", "\n", "\t", ":", ": ", "#", " # c\n", "-", "- ", "?", "? ", "\"", "'", "[",
            "]", "{", "}", ",", "|", ">", "&a ", "*a", "!t ", "\\", "\r", "\n---\n", "\n# c\n",
            "\n\n", "%", "@",
        ]);
        text.insert_str(at, piece);
    } else if let Some(character) = text[at..].chars().next() {
        text.replace_range(at..at + character.len_utf8(), "");
    }
}

fn document(maker: &mut Maker, value: &Value, out: &mut String) {
    let style = Style::new(maker);
    let mut writer = Writer {
        maker,
        style,
        out,
        anchors: Vec::new(),
        opened: 0,
    };
    writer.comment_lines(0);
    match value {
        Value::Map(entries) if !entries.is_empty() => {
            if writer.flows() {
                writer.flow(value, 0);
                writer.end_line();
            } else {
                writer.map(entries, 0, true);
            }
        }
        Value::List(items) if !items.is_empty() => {
            if writer.flows() {
                writer.flow(value, 0);
                writer.end_line();
            } else {
                writer.list(items, 0);
            }
        }
        _ => {
            writer.scalar(value, 0, false);
        }
    }
    writer.comment_lines(0);
}

/// Standard JSON; `indent` is the depth where it has several lines.
pub fn json(value: &Value, indent: Option<usize>, out: &mut String) {
    let deeper = indent.map(|depth| depth + 1);
    let line = |depth: Option<usize>, out: &mut String| {
        if let Some(depth) = depth {
            out.push('\n');
            out.push_str(&"  ".repeat(depth));
        }
    };
    match value {
        Value::Plain(text) if is_json_word(text) => out.push_str(text),
        Value::Plain(text) if matches!(text.as_str(), "" | "~") => out.push_str("null"),
        Value::Plain(text) | Value::Text(text) => json_text(text, out),
        Value::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                line(deeper, out);
                json(item, deeper, out);
            }
            if !items.is_empty() {
                line(indent, out);
            }
            out.push(']');
        }
        Value::Map(entries) => {
            out.push('{');
            for (at, (key, value)) in entries.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                line(deeper, out);
                json_text(key.scalar().unwrap_or_default(), out);
                out.push_str(if indent.is_some() { ": " } else { ":" });
                json(value, deeper, out);
            }
            if !entries.is_empty() {
                line(indent, out);
            }
            out.push('}');
        }
    }
}

fn is_json_word(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    matches!(text, "null" | "true" | "false")
        || digits == "0"
        || digits.starts_with(|c: char| c.is_ascii_digit() && c != '0')
            && digits.len() < 15
            && digits.chars().all(|c| c.is_ascii_digit())
}

fn json_text(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if u32::from(c) < 0x20 || u32::from(c) == 0x7f => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Whether a text can stand alone and stays a text.
fn is_safe_plain(text: &str) -> bool {
    let reserved = [
        "true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf",
    ];
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '$')
        && text.ends_with(|c: char| c.is_ascii_graphic() && c != ':')
        && !reserved.contains(&text.to_ascii_lowercase().as_str())
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.contains(":,")
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "/$().:;@=_- \\<>~^+|".contains(c))
}

/// Whether it is a date with a time, as plain scalars have it.
fn is_time(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit()) && text.contains('-') && text.contains(':')
}

fn is_printable(text: &str) -> bool {
    text.chars()
        .all(|c| c == '\n' || c == ' ' || c.is_ascii_graphic() || c.is_alphanumeric())
}

struct Writer<'a> {
    maker: &'a mut Maker,
    style: Style,
    out: &'a mut String,
    anchors: Vec<(String, Value)>,
    opened: usize,
}

impl Writer<'_> {
    fn indent(&mut self, columns: usize) {
        self.out.extend(std::iter::repeat_n(' ', columns));
    }

    fn flows(&mut self) -> bool {
        let flows = self.style.flow_one_in > 0 && self.maker.dice.one_in(self.style.flow_one_in);
        if flows {
            self.maker.note("style", "flow");
        }
        flows
    }

    fn comments(&mut self) -> bool {
        self.style.comment_one_in > 0 && self.maker.dice.one_in(self.style.comment_one_in)
    }

    /// Perhaps comments and empty lines of their own.
    fn comment_lines(&mut self, column: usize) {
        while self.comments() {
            self.maker.note("style", "comment line");
            match self.maker.dice.below(5) {
                0 => self.out.push('\n'),
                1 => {
                    let other = self.maker.dice.below(6);
                    self.indent(other);
                    self.out.push_str("# elsewhere\n");
                }
                _ => {
                    self.indent(column);
                    let text = self.maker.dice.pick(&[
                        "# one\n",
                        "#two\n",
                        "# three: x # four\n",
                        "#\n",
                        "# é \u{1F600}\n",
                    ]);
                    self.out.push_str(text);
                }
            }
        }
    }

    /// Ends a line whose value begins on the next one, or is not there.
    fn end_header(&mut self) {
        if self.maker.odd(Odd::Comments, 30) {
            self.maker.note("style", "trailing blank");
            self.out.push_str("  ");
        }
        self.out.push('\n');
    }

    fn end_line(&mut self) {
        if self.comments() {
            self.maker.note("style", "comment behind");
            let text = match self.maker.dice.below(200) {
                0..=5 if self.maker.has(Odd::Scalars) => "\t# tab",
                6 => {
                    self.maker.note("style", "schema in a comment");
                    self.maker.dice.pick(&[
                        " # {\"$ref\": \"#/definitions/io.k8s.api.core.v1.PodSpec\"}",
                        " # {\"type\": \"string\"}",
                        " # {\"items\": {\"type\": \"object\"}}",
                    ])
                }
                _ => self
                    .maker
                    .dice
                    .pick(&[" # line", "  # line: x", " #line", " #"]),
            };
            self.out.push_str(text);
        } else if self.maker.odd(Odd::Comments, 30) {
            self.maker.note("style", "trailing blank");
            self.out.push_str("  ");
        }
        self.out.push('\n');
    }

    /// An alias where the same value was anchored before.
    fn alias(&mut self, value: &Value) -> bool {
        let known = self.anchors.iter().rev().find(|(_, known)| known == value);
        let Some((name, _)) = known else {
            return false;
        };
        if self.maker.dice.one_in(3) {
            return false;
        }
        self.out.push('*');
        self.out.push_str(name);
        self.maker.note(
            "style",
            match value {
                Value::Map(_) => "alias of a map",
                Value::List(_) => "alias of a list",
                _ => "alias of a scalar",
            },
        );
        true
    }

    /// Perhaps an anchor in front of the value, with a blank behind.
    fn anchor(&mut self, value: &Value) -> Option<String> {
        let chances = if value.scalar().is_some() { 6 } else { 2 };
        if !self.maker.odd(Odd::Anchors, chances) {
            return None;
        }
        let name = match self.maker.dice.below(8) {
            0 => "a".to_owned(),
            _ => format!("a{}", self.opened),
        };
        self.out.push_str(&format!("&{name} "));
        self.anchors.retain(|(other, _)| *other != name);
        self.maker.note("style", "anchor");
        self.opened += 1;
        Some(name)
    }

    /// Lets aliases use an anchor, now that its value is written.
    fn anchored(&mut self, name: Option<String>, value: &Value) {
        if let Some(name) = name
            && self.anchors.iter().all(|(other, _)| *other != name)
        {
            self.anchors.push((name, value.clone()));
        }
    }

    fn ordered<'v>(&mut self, entries: &'v [(Value, Value)]) -> Vec<&'v (Value, Value)> {
        let mut entries: Vec<_> = entries.iter().collect();
        if self.style.shuffled {
            self.maker.dice.shuffle(&mut entries);
        }
        entries
    }

    /// A map in block style; `indented` is false where the cursor stands at its first key.
    fn map(&mut self, entries: &[(Value, Value)], column: usize, mut indented: bool) {
        let entries = self.ordered(entries);
        let merged = self.merged(&entries);
        if let Some((name, known)) = merged {
            if indented {
                self.indent(column);
            }
            let text = match self.maker.dice.below(4) {
                0 => format!("<<: [*{name}]\n"),
                _ => format!("<<: *{name}\n"),
            };
            self.out.push_str(&text);
            self.maker.note("style", "merge key");
            for entry in &entries {
                if known.contains(entry) {
                    continue;
                }
                self.pair(entry, column, true);
            }
            return;
        }
        for entry in entries {
            self.pair(entry, column, indented);
            indented = true;
        }
    }

    /// The anchor of a map whose entries are all among these, and those entries.
    fn merged(&mut self, entries: &[&(Value, Value)]) -> Option<(String, Vec<(Value, Value)>)> {
        if !self.maker.odd(Odd::Anchors, 2) {
            return None;
        }
        let overrides = self.maker.overrides;
        let fits = |known: &Value| match known {
            Value::Map(known) => {
                known.len() < entries.len()
                    && !known.is_empty()
                    && known
                        .iter()
                        .all(|entry| entries.iter().any(|(key, _)| *key == entry.0))
                    && (overrides || known.iter().all(|entry| entries.contains(&entry)))
            }
            _ => false,
        };
        let (name, known) = self.anchors.iter().find(|(_, known)| fits(known))?;
        let Value::Map(known) = known else {
            return None;
        };
        Some((name.clone(), known.clone()))
    }

    fn pair(&mut self, (key, value): &(Value, Value), column: usize, indented: bool) {
        if indented {
            self.comment_lines(column);
            self.indent(column);
        }
        if self.maker.odd(Odd::Keys, 25) {
            self.maker.note("style", "explicit key");
            self.out.push_str("? ");
            self.key(key);
            self.out.push('\n');
            self.indent(column);
        } else {
            self.key(key);
            if self.maker.odd(Odd::Comments, 40) {
                self.out.push(' ');
            }
        }
        self.out.push(':');
        let identity = column == 0 || matches!(key.scalar(), Some("name" | "kind" | "op" | "path"));
        if !identity && self.maker.odd(Odd::Nulls, 60) {
            // An empty value is a null.
            self.maker.note("style", "empty value");
            self.end_header();
            return;
        }
        self.behind_key(value, column);
        if self.maker.odd(Odd::Repeats, 80) {
            self.maker.note("style", "repeated key");
            self.indent(column);
            self.key(key);
            self.out.push(':');
            self.behind_key(value, column);
        }
    }

    fn key(&mut self, key: &Value) {
        match key {
            Value::Text(text) => {
                if self.maker.odd(Odd::Tags, 40) {
                    self.maker.note("style", "tagged key");
                    self.out.push_str("!!str ");
                }
                if is_safe_plain(text) && !self.maker.odd(Odd::Quotes, 8) {
                    self.out.push_str(text);
                } else if is_printable(text) && !text.contains('\n') && self.maker.dice.one_in(2) {
                    self.single(text, None);
                } else {
                    self.double(text, None);
                }
            }
            Value::Plain(text) => self.out.push_str(text),
            Value::List(_) | Value::Map(_) => {
                self.maker.note("style", "complex key");
                self.flow(key, 0);
            }
        }
    }

    fn behind_key(&mut self, value: &Value, column: usize) {
        self.out.push(' ');
        if self.alias(value) {
            self.end_line();
            return;
        }
        let name = self.anchor(value);
        self.tag(value);
        match value {
            Value::Plain(_) | Value::Text(_) => self.scalar(value, column, false),
            _ if value.is_empty_collection() || self.flows() => {
                self.flow(value, column);
                self.end_line();
            }
            Value::Map(entries) => {
                self.drop_blank();
                self.end_header();
                let column = column + self.style.step;
                self.map(entries, column, true);
            }
            Value::List(items) => {
                self.drop_blank();
                self.end_header();
                let deeper = if self.style.deep_lists {
                    self.style.step
                } else {
                    0
                };
                self.list(items, column + deeper);
            }
        }
        self.anchored(name, value);
    }

    fn drop_blank(&mut self) {
        if self.out.ends_with(' ') {
            self.out.pop();
        }
    }

    fn tag(&mut self, value: &Value) {
        if !self.maker.odd(Odd::Tags, 15) {
            return;
        }
        let tag = match value {
            Value::Text(_) => self.maker.noted(
                "tag",
                &["!!str ", "! ", "!<tag:yaml.org,2002:str> ", "!!str "],
            ),
            Value::Plain(_) => self
                .maker
                .noted("tag", &["!!str ", "!!int ", "!!bool ", "!x ", "!!float "]),
            Value::List(_) => self.maker.noted("tag", &["!!seq ", "!x ", "!!set "]),
            Value::Map(_) => self.maker.noted("tag", &["!!map ", "!x ", "!!omap "]),
        };
        self.out.push_str(tag);
    }

    fn list(&mut self, items: &[Value], column: usize) {
        for item in items {
            self.comment_lines(column);
            self.indent(column);
            self.out.push_str("- ");
            if self.alias(item) {
                self.end_line();
                continue;
            }
            let name = self.anchor(item);
            let bare = self.out.ends_with("- ");
            match item {
                Value::Plain(_) | Value::Text(_) => self.scalar(item, column, true),
                _ if item.is_empty_collection() || self.flows() => {
                    self.flow(item, column);
                    self.end_line();
                }
                Value::Map(entries) if bare && !self.maker.odd(Odd::Comments, 8) => {
                    let extra = match self.maker.odd(Odd::Flow, 10) {
                        true => {
                            self.out.push_str("  ");
                            4
                        }
                        false => 2,
                    };
                    self.map(entries, column + extra, false);
                }
                Value::Map(entries) => {
                    self.drop_blank();
                    self.end_header();
                    self.map(entries, column + 2, true);
                }
                Value::List(items) => {
                    self.drop_blank();
                    self.end_header();
                    self.list(items, column + 2);
                }
            }
            self.anchored(name, item);
        }
    }

    /// A collection in flow style, lines deeper than `column` where it has several.
    fn flow(&mut self, value: &Value, column: usize) {
        match value {
            Value::List(items) => {
                self.out.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        self.comma(column);
                    }
                    self.flow(item, column);
                }
                self.flow_end(!items.is_empty(), column);
                self.out.push(']');
            }
            Value::Map(entries) => {
                self.out.push('{');
                let entries = self.ordered(entries);
                let some = !entries.is_empty();
                for (at, (key, value)) in entries.into_iter().enumerate() {
                    if at > 0 {
                        self.comma(column);
                    }
                    self.key(key);
                    self.out.push_str(": ");
                    self.flow(value, column);
                }
                self.flow_end(some, column);
                self.out.push('}');
            }
            Value::Plain(text) => {
                let in_flow_unsafe = text.contains([',', '[', ']', '{', '}', '#'])
                    || text.is_empty()
                    || is_time(text);
                match in_flow_unsafe {
                    true if text.is_empty() => self.out.push('~'),
                    true => self.double(text, None),
                    false => self.out.push_str(text),
                }
            }
            Value::Text(text) => {
                let plain = is_safe_plain(text) && !text.contains([':', '{', '[', ',']);
                if plain && !self.maker.dice.one_in(4) {
                    self.out.push_str(text);
                } else if is_printable(text) && !text.contains('\n') && self.maker.dice.one_in(2) {
                    self.single(text, Some(column + 1));
                } else {
                    self.double(text, Some(column + 1));
                }
            }
        }
    }

    fn comma(&mut self, column: usize) {
        self.out.push(',');
        match self.maker.dice.below(10) {
            0 => {}
            1 => {
                self.out.push('\n');
                self.indent(column + 2);
            }
            2 if self.comments() => {
                self.maker.note("style", "comment in flow");
                self.out.push_str(" # c\n");
                self.indent(column + 1);
            }
            _ => self.out.push(' '),
        }
    }

    fn flow_end(&mut self, some: bool, column: usize) {
        if !some {
            return;
        }
        match self.maker.dice.below(12) {
            0 => self.out.push(','),
            1 => self.out.push(' '),
            2 => {
                self.out.push('\n');
                self.indent(column + 1);
            }
            _ => {}
        }
    }

    /// A scalar and the end of its line; further lines are deeper than `column`.
    fn scalar(&mut self, value: &Value, column: usize, in_list: bool) {
        let text = match value {
            Value::Plain(text) => {
                self.out.push_str(text);
                if text.is_empty() {
                    self.drop_blank();
                    self.end_header();
                } else {
                    self.end_line();
                }
                return;
            }
            Value::Text(text) => text,
            Value::List(_) | Value::Map(_) => unreachable!("collections are no scalars"),
        };
        let deeper = column + if in_list { 2 } else { self.style.step };
        let block = text.contains('\n') || self.maker.odd(Odd::Blocks, 6);
        if block && self.block_scalar(text, column, deeper) {
            return;
        }
        if is_safe_plain(text) && !self.maker.dice.one_in(self.style.quote_one_in) {
            let text = self.broken(text, deeper);
            self.out.push_str(&text);
        } else if is_printable(text) && !text.contains('\n') && self.maker.dice.one_in(2) {
            self.single(text, Some(deeper));
        } else {
            self.double(text, Some(deeper));
        }
        self.end_line();
    }

    /// The text with some single blanks between words made line breaks.
    fn broken(&mut self, text: &str, column: usize) -> String {
        if !self.maker.odd(Odd::Blocks, 2) {
            return text.to_owned();
        }
        let bytes = text.as_bytes();
        let mut out = String::new();
        for (at, character) in text.char_indices() {
            let word = |at: Option<usize>| {
                at.and_then(|at| bytes.get(at))
                    .is_some_and(u8::is_ascii_alphabetic)
            };
            if character == ' '
                && word(at.checked_sub(1))
                && word(Some(at + 1))
                && self.maker.dice.one_in(4)
            {
                self.maker.note("style", "broken line");
                out.push('\n');
                out.extend(std::iter::repeat_n(' ', column.max(1)));
            } else {
                out.push(character);
            }
        }
        out
    }

    fn single(&mut self, text: &str, column: Option<usize>) {
        self.maker.note("style", "single quotes");
        let text = text.replace('\'', "''");
        let text = match column {
            Some(column) => self.broken(&text, column),
            None => text,
        };
        self.out.push_str(&format!("'{text}'"));
    }

    fn double(&mut self, text: &str, column: Option<usize>) {
        self.maker.note("style", "double quotes");
        let mut out = String::new();
        for character in text.chars() {
            match character {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str(self.maker.dice.pick(&["\\t", "\t"])),
                '\r' => out.push_str("\\r"),
                '\u{85}' => out.push_str("\\N"),
                '\u{a0}' => out.push_str("\\_"),
                '\u{2028}' => out.push_str("\\L"),
                '\u{2029}' => out.push_str("\\P"),
                c if c.is_control() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
                '\u{feff}' | '\u{200b}' | '\u{200e}' | '\u{e000}' => {
                    out.push_str(&format!("\\u{:04x}", u32::from(character)));
                }
                c if self.maker.odd(Odd::Quotes, 20) => match u32::from(c) {
                    0x2f if self.maker.has(Odd::Damage) => out.push_str("\\/"),
                    code @ 0..=0xff => out.push_str(&format!("\\x{code:02X}")),
                    code @ 0..=0xffff => out.push_str(&format!("\\u{code:04x}")),
                    code => out.push_str(&format!("\\U{code:08X}")),
                },
                c => out.push(c),
            }
        }
        let out = match column {
            Some(column) => self.broken(&out, column),
            None => out,
        };
        self.out.push_str(&format!("\"{out}\""));
    }

    /// Writes a literal or folded block if the text can be one.
    fn block_scalar(&mut self, text: &str, column: usize, deeper: usize) -> bool {
        let printable = text.chars().all(|c| {
            matches!(c, '\n' | '\t')
                || (!c.is_control() && !"\u{feff}\u{2028}\u{2029}\u{fffe}".contains(c))
        });
        let body = text.trim_end_matches('\n');
        if !printable || body.trim_matches(['\n', ' ', '\t']).is_empty() {
            return false;
        }
        let chomping = match text.len() - body.len() {
            0 => "-",
            1 => "",
            _ => "+",
        };
        let plain_lines = body
            .split('\n')
            .all(|line| !line.starts_with([' ', '\t']) && !line.is_empty() && !line.ends_with(' '));
        let folded = plain_lines && self.maker.dice.one_in(3);
        let deeper = match self.maker.dice.below(5) {
            0 => column + 1 + self.maker.dice.below(4),
            _ => deeper,
        };
        let first = body.trim_start_matches('\n');
        if first.starts_with('\t') {
            return false;
        }
        let indicator = match first.starts_with([' ', '\t'])
            || body.len() > first.len()
            || self.maker.odd(Odd::Blocks, 6)
        {
            true => (deeper - column).to_string(),
            false => String::new(),
        };
        // A list item's own column is that of its dash.
        let header = match self.maker.dice.one_in(2) {
            true => format!("{indicator}{chomping}"),
            false => format!("{chomping}{indicator}"),
        };
        self.maker.note(
            "style",
            &format!(
                "{}{chomping}{}",
                if folded { '>' } else { '|' },
                if indicator.is_empty() { "" } else { "N" }
            ),
        );
        self.out.push(if folded { '>' } else { '|' });
        self.out.push_str(&header);
        self.end_header();
        for line in text.trim_end_matches('\n').split('\n') {
            if !line.is_empty() {
                self.indent(deeper);
                let line = match folded {
                    true => self.broken(line, deeper),
                    false => line.to_owned(),
                };
                self.out.push_str(&line);
            }
            self.out.push_str(if folded { "\n\n" } else { "\n" });
        }
        if folded {
            // The last line is followed by no empty one.
            self.out.pop();
        }
        for _ in 1..text.len() - body.len() {
            self.out.push('\n');
        }
        true
    }
}
