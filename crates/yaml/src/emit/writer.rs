//! Lines, columns and scalars.
//!
//! # Source
//! yaml/go-yaml v3 `emitterc.go`; v2's differs in what it folds and in tabs.

/// Where the writer stands, and what it wrote last.
#[derive(Debug)]
pub(super) struct Writer {
    pub out: String,
    /// Column where the current collection's lines begin; -1 before the first.
    pub indent: i32,
    indents: Vec<i32>,
    pub column: i32,
    /// Whether a blank or the start of a line stands before.
    pub whitespace: bool,
    /// Whether nothing but indentation and `-`, `?`, `:` stands before in this line.
    pub indention: bool,
    /// Column of the foot comment written last; -1 when something else came after it.
    pub foot_indent: i32,
    /// Spaces per level.
    pub best_indent: i32,
    /// Column after which text is folded.
    pub width: i32,
    dialect: Dialect,
}

/// Whose habits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    V2,
    V3,
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScalarStyle {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
    Folded,
}

/// Which styles keep a text as it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Analysis {
    pub multiline: bool,
    flow_plain: bool,
    block_plain: bool,
    single_quoted: bool,
    block: bool,
}

/// Where a scalar stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    pub in_flow: bool,
    pub simple_key: bool,
}

impl Writer {
    pub(super) fn new(best_indent: u8, dialect: Dialect) -> Self {
        Self {
            out: String::new(),
            indent: -1,
            indents: Vec::new(),
            column: 0,
            whitespace: true,
            indention: true,
            foot_indent: -1,
            best_indent: if (2..=9).contains(&best_indent) {
                best_indent.into()
            } else {
                2
            },
            width: match dialect {
                Dialect::V2 => 80,
                Dialect::V3 => i32::MAX,
            },
            dialect,
        }
    }

    /// Goes one level in. `after_dash` says that the level is inside a sequence entry; `compact`
    /// that it is a sequence whose dashes take the place of its indentation.
    pub(super) fn push_indent(
        &mut self,
        flow: bool,
        indentless: bool,
        after_dash: bool,
        compact: bool,
    ) {
        self.indents.push(self.indent);
        if self.indent < 0 {
            self.indent = if flow { self.best_indent } else { 0 };
        } else if !indentless {
            if self.dialect == Dialect::V2 {
                self.indent += self.best_indent;
            } else if after_dash {
                // Past the `- `.
                self.indent += 2;
            } else {
                self.indent =
                    self.best_indent * ((self.indent + self.best_indent) / self.best_indent);
                if compact {
                    self.indent -= 2;
                }
            }
        }
    }

    pub(super) fn pop_indent(&mut self) {
        self.indent = self
            .indents
            .pop()
            .expect("every level that is left was entered");
    }

    pub(super) fn put(&mut self, character: char) {
        self.out.push(character);
        self.column += 1;
    }

    fn put_str(&mut self, text: &str) {
        self.out.push_str(text);
        let characters = if text.is_ascii() {
            text.len()
        } else {
            text.chars().count()
        };
        self.column += characters as i32;
    }

    pub(super) fn put_break(&mut self) {
        self.out.push('\n');
        self.column = 0;
        self.indention = true;
    }

    /// Writes a line break of a text: U+0085 and the like stay themselves.
    fn put_text_break(&mut self, character: char) {
        if character == '\n' {
            self.put_break();
        } else {
            self.out.push(character);
            self.column = 0;
            self.indention = true;
        }
    }

    /// Starts a new line unless one has begun, and indents it.
    pub(super) fn write_indent(&mut self) {
        let indent = self.indent.max(0);
        if !self.indention || self.column > indent || self.column == indent && !self.whitespace {
            self.put_break();
        }
        if self.foot_indent == indent {
            self.put_break();
        }
        while self.column < indent {
            self.put(' ');
        }
        self.whitespace = true;
        self.foot_indent = -1;
    }

    pub(super) fn write_indicator(
        &mut self,
        text: &str,
        spaced: bool,
        whitespace: bool,
        indention: bool,
    ) {
        if spaced && !self.whitespace {
            self.put(' ');
        }
        self.put_str(text);
        self.whitespace = whitespace;
        self.indention = self.indention && indention;
    }

    /// Writes an anchor's name or a part of a tag.
    pub(super) fn write_word(&mut self, text: &str, spaced: bool) {
        if spaced && !self.whitespace {
            self.put(' ');
        }
        self.put_str(text);
        self.whitespace = false;
        self.indention = false;
    }

    pub(super) fn write_comment(&mut self, comment: &str) {
        let (mut breaks, mut pound) = (false, false);
        for character in comment.chars() {
            if is_break(character) {
                self.put_text_break(character);
                breaks = true;
                pound = false;
                continue;
            }
            if breaks {
                self.write_indent();
            }
            if !pound {
                if character != '#' {
                    self.put_str("# ");
                }
                pound = true;
            }
            self.put(character);
            self.indention = false;
            breaks = false;
        }
        if !breaks {
            self.put_break();
        }
        self.whitespace = true;
    }

    /// The style to write a text in that wants `style`; without `plain_allowed` it must not be plain.
    pub(super) fn select_style(
        &self,
        text: &str,
        analysis: &Analysis,
        style: ScalarStyle,
        place: Place,
        plain_allowed: bool,
    ) -> ScalarStyle {
        let mut style = style;
        if place.simple_key && analysis.multiline {
            style = ScalarStyle::DoubleQuoted;
        }
        if style == ScalarStyle::Plain {
            let fits = if place.in_flow {
                analysis.flow_plain
            } else {
                analysis.block_plain
            };
            let empty = text.is_empty() && (place.in_flow || place.simple_key);
            if !fits || empty || !plain_allowed {
                style = ScalarStyle::SingleQuoted;
            }
        }
        if style == ScalarStyle::SingleQuoted && !analysis.single_quoted {
            style = ScalarStyle::DoubleQuoted;
        }
        if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded)
            && (!analysis.block || place.in_flow || place.simple_key)
        {
            style = ScalarStyle::DoubleQuoted;
        }
        style
    }

    /// Writes a text. `after_header` writes what belongs behind `|` or `>` up to the line's end.
    pub(super) fn write_scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        place: Place,
        after_header: impl FnOnce(&mut Self),
    ) {
        let folds = !place.simple_key;
        match style {
            ScalarStyle::Plain => self.write_plain(text, folds),
            ScalarStyle::SingleQuoted => self.write_single_quoted(text, folds),
            ScalarStyle::DoubleQuoted => self.write_double_quoted(text, folds),
            ScalarStyle::Literal => {
                self.write_block_header('|', text);
                after_header(self);
                self.write_literal(text);
            }
            ScalarStyle::Folded => {
                self.write_block_header('>', text);
                after_header(self);
                self.write_folded(text);
            }
        }
    }

    fn write_plain(&mut self, text: &str, folds: bool) {
        if !self.whitespace && (self.dialect == Dialect::V2 || !text.is_empty()) {
            self.put(' ');
        }
        self.write_folding(text, folds, false);
        if !text.is_empty() || self.dialect == Dialect::V2 {
            self.whitespace = false;
        }
        self.indention = false;
    }

    fn write_single_quoted(&mut self, text: &str, folds: bool) {
        self.write_indicator("'", true, false, false);
        self.write_folding(text, folds, true);
        self.write_indicator("'", false, false, false);
        self.whitespace = false;
        self.indention = false;
    }

    /// Writes plain or single-quoted text, breaking lines at single spaces.
    fn write_folding(&mut self, text: &str, folds: bool, quoted: bool) {
        let fits = i64::from(self.column) + text.len() as i64 <= i64::from(self.width);
        let simple = |byte: &u8| match byte {
            b'\n' | b'\r' | 0xc2 | 0xe2 => false,
            b'\'' => !quoted,
            _ => true,
        };
        if fits && !text.is_empty() && text.as_bytes().iter().all(simple) {
            self.put_str(text);
            self.indention = false;
            return;
        }
        let (mut spaces, mut breaks) = (false, false);
        for (at, character) in text.char_indices() {
            if character == ' ' {
                let next = text.as_bytes().get(at + 1);
                let inside = !quoted || at > 0 && at < text.len() - 1;
                if folds && !spaces && self.column > self.width && inside && next != Some(&b' ') {
                    self.write_indent();
                } else {
                    self.put(' ');
                }
                spaces = true;
            } else if is_break(character) {
                if !breaks && character == '\n' {
                    self.put_break();
                }
                self.put_text_break(character);
                breaks = true;
            } else {
                if breaks {
                    self.write_indent();
                }
                if quoted && character == '\'' {
                    self.put('\'');
                }
                self.put(character);
                self.indention = false;
                spaces = false;
                breaks = false;
            }
        }
    }

    fn write_double_quoted(&mut self, text: &str, folds: bool) {
        self.write_indicator("\"", true, false, false);
        // go-yaml looks for a byte order mark at the start of the text, whichever character it
        // is at, and then escapes them all.
        let escapes_all = text.starts_with('\u{feff}');
        let mut spaces = false;
        for (at, character) in text.char_indices() {
            if escapes_all
                || !is_printable(character)
                || is_break(character)
                || matches!(character, '"' | '\\')
            {
                self.write_escape(character);
                spaces = false;
            } else if character == ' ' {
                if folds && !spaces && self.column > self.width && at > 0 && at < text.len() - 1 {
                    self.write_indent();
                    if text.as_bytes().get(at + 1) == Some(&b' ') {
                        self.put('\\');
                    }
                } else {
                    self.put(' ');
                }
                spaces = true;
            } else {
                self.put(character);
                spaces = false;
            }
        }
        self.write_indicator("\"", false, false, false);
        self.whitespace = false;
        self.indention = false;
    }

    fn write_escape(&mut self, character: char) {
        let short = match character {
            '\0' => '0',
            '\u{7}' => 'a',
            '\u{8}' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\u{b}' => 'v',
            '\u{c}' => 'f',
            '\r' => 'r',
            '\u{1b}' => 'e',
            '"' => '"',
            '\\' => '\\',
            '\u{85}' => 'N',
            '\u{a0}' => '_',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            _ => {
                let code = u32::from(character);
                let text = match code {
                    0..0x100 => format!("\\x{code:02X}"),
                    0x100..0x1_0000 => format!("\\u{code:04X}"),
                    _ => format!("\\U{code:08X}"),
                };
                self.put_str(&text);
                return;
            }
        };
        self.put('\\');
        self.put(short);
    }

    /// `|` or `>` with indentation and chomping as the text needs them.
    fn write_block_header(&mut self, indicator: char, text: &str) {
        let mut header = String::from(indicator);
        self.write_indicator(&header, true, false, false);
        header.clear();
        if text.starts_with(|c| c == ' ' || is_break(c)) {
            header.push_str(&self.best_indent.to_string());
        }
        let mut backwards = text.chars().rev();
        match (backwards.next(), backwards.next()) {
            (Some(last), before) if is_break(last) => {
                if before.is_none_or(is_break) {
                    header.push('+');
                }
            }
            _ => header.push('-'),
        }
        self.write_indicator(&header, false, false, false);
    }

    fn write_literal(&mut self, text: &str) {
        self.whitespace = true;
        let mut rest = text;
        while !rest.is_empty() {
            let length = rest.find(is_break).unwrap_or(rest.len());
            let (line, after) = rest.split_at(length);
            if !line.is_empty() {
                self.write_indent();
                self.put_str(line);
                self.indention = false;
            }
            rest = after;
            if let Some(character) = rest.chars().next() {
                self.put_text_break(character);
                rest = &rest[character.len_utf8()..];
            }
        }
    }

    fn write_folded(&mut self, text: &str) {
        self.whitespace = true;
        let (mut breaks, mut leading_spaces) = (true, true);
        // go-yaml looks at the start of the text, not at the current place.
        let after_breaks = text.trim_start_matches(is_break).chars().next();
        let text_follows = !matches!(after_breaks, None | Some(' ' | '\t' | '\0'));
        for (at, character) in text.char_indices() {
            if is_break(character) {
                if !breaks && !leading_spaces && character == '\n' && text_follows {
                    self.put_break();
                }
                self.put_text_break(character);
                breaks = true;
            } else {
                if breaks {
                    self.write_indent();
                    leading_spaces = matches!(character, ' ' | '\t');
                }
                let next = text.as_bytes().get(at + 1);
                if !breaks && character == ' ' && next != Some(&b' ') && self.column > self.width {
                    self.write_indent();
                } else {
                    self.put(character);
                }
                self.indention = false;
                breaks = false;
            }
        }
    }

    /// Which styles keep `text` as it is.
    pub(super) fn analyze(&self, text: &str) -> Analysis {
        if text.is_empty() {
            return Analysis {
                multiline: false,
                flow_plain: false,
                block_plain: true,
                single_quoted: true,
                block: false,
            };
        }
        let bytes = text.as_bytes();
        let edges = [bytes[0], bytes[bytes.len() - 1]];
        if !matches!(bytes[0], b'-' | b'.' | b' ')
            && edges[1] != b' '
            && bytes.iter().all(|&byte| HARMLESS[usize::from(byte)])
        {
            return Analysis {
                multiline: false,
                flow_plain: true,
                block_plain: true,
                single_quoted: true,
                block: true,
            };
        }
        let marker = text.starts_with("---") || text.starts_with("...");
        let (mut block_indicators, mut flow_indicators) = (marker, marker);
        let (mut breaks, mut special, mut tabs) = (false, false, false);
        let (mut break_space, mut space_break) = (false, false);
        let (mut previous_space, mut previous_break) = (false, false);
        let mut after_blank = true;
        let mut characters = text.char_indices().peekable();
        while let Some((at, character)) = characters.next() {
            // A line break is no blank here, neither behind nor, but for the end, before.
            let before_blank = match characters.peek() {
                None => true,
                Some((_, next)) => matches!(next, ' ' | '\t'),
            };
            match character {
                '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"'
                | '%' | '@' | '`'
                    if at == 0 =>
                {
                    flow_indicators = true;
                    block_indicators = true;
                }
                '?' | ':' if at == 0 => {
                    flow_indicators = true;
                    block_indicators |= before_blank;
                }
                '-' if at == 0 && before_blank => {
                    flow_indicators = true;
                    block_indicators = true;
                }
                ',' | '?' | '[' | ']' | '{' | '}' => flow_indicators = true,
                ':' => {
                    flow_indicators = true;
                    block_indicators |= before_blank;
                }
                '#' if after_blank => {
                    flow_indicators = true;
                    block_indicators = true;
                }
                _ => {}
            }
            if character == '\t' && self.dialect == Dialect::V3 {
                tabs = true;
            } else if !is_printable(character) {
                special = true;
            }
            let space = character == ' ';
            let is_break = is_break(character);
            breaks |= is_break;
            break_space |= space && previous_break;
            space_break |= is_break && previous_space;
            previous_space = space;
            previous_break = is_break;
            after_blank = space || is_break || matches!(character, '\t' | '\0');
        }
        let blank_edge = |character: Option<char>| {
            character.is_some_and(|character| character == ' ' || is_break(character))
        };
        let edges = blank_edge(text.chars().next()) || blank_edge(text.chars().next_back());
        let escapes = space_break || tabs || special;
        let plain = !(edges || break_space || escapes || breaks);
        Analysis {
            multiline: breaks,
            flow_plain: plain && !flow_indicators,
            block_plain: plain && !block_indicators,
            single_quoted: !(break_space || escapes),
            block: !(text.ends_with(' ') || space_break || special),
        }
    }
}

/// Bytes that mean nothing anywhere inside a scalar.
const HARMLESS: [bool; 256] = {
    let mut table = [false; 256];
    let harmless =
        b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./ ()+=;$^~\\<";
    let mut at = 0;
    while at < harmless.len() {
        table[harmless[at] as usize] = true;
        at += 1;
    }
    table
};

fn is_break(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// What go-yaml takes for printable: nothing above U+FFFF.
fn is_printable(character: char) -> bool {
    matches!(
        character,
        '\n' | ' '..='~' | '\u{a0}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}'
    )
}
