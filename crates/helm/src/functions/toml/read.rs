//! Maps from TOML.

use std::collections::{BTreeMap, HashSet};

use golang::strconv::{NumberError, parse_float, parse_int};
use gotemplate::{CallError, ElementType, List, Map, Value};
use sprig::Time;

use super::lex::{Fault, Lexer, Number, is_blank, is_break, quoted, shown};
use super::{LOCAL_DATE, LOCAL_DATE_TIME, LOCAL_TIME};

/// Longest text. Configuration of programs has some kilobytes.
const BYTES_MAX: usize = 1 << 20;

/// Deepest nesting; every level of a dotted key is looked up from the top.
const DEPTH_MAX: usize = 100;

/// The map for a document.
///
/// # Errors
/// The reference's text for what is no TOML; [`CallError::Limit`] for what is too long or nested
/// too deeply.
pub(super) fn document(text: &[u8]) -> Result<Map, CallError> {
    if text.len() > BYTES_MAX {
        let text = format!("a TOML text of more than {BYTES_MAX} bytes");
        return Err(CallError::Limit(text));
    }
    let marks: [&[u8]; 3] = [b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf"];
    let text = marks
        .iter()
        .find_map(|mark| text.strip_prefix(*mark))
        .unwrap_or(text);
    if text.iter().take(6).any(|byte| *byte == 0) {
        return Err(
            "toml: line 1: files cannot contain NULL bytes; probably using UTF-16; TOML \
                    files must be UTF-8"
                .into(),
        );
    }
    let mut reader = Reader {
        lexer: Lexer::new(text),
        root: Table::new(),
        context: Vec::new(),
        key: String::new(),
        key_line: 1,
        implicit: HashSet::new(),
        arrays: HashSet::new(),
        depth: 0,
    };
    match reader.read() {
        Ok(()) => Ok(map(reader.root)),
        Err(fault) if fault.limit => Err(CallError::Limit(fault.message)),
        Err(Fault { line, message, .. }) => Err(CallError::Failed(match reader.current() {
            key if key.is_empty() => format!("toml: line {line}: {message}"),
            key => {
                let key = golang::strconv::quote(&key);
                format!("toml: line {line} (last key {key}): {message}")
            }
        })),
    }
}

type Table = BTreeMap<String, Item>;

enum Item {
    Value(Value),
    Array(Vec<Item>),
    Table(Table),
    /// A list of tables made by `[[key]]`.
    Tables(Vec<Table>),
}

fn map(table: Table) -> Map {
    let entries = table.into_iter();
    entries.map(|(key, item)| (key, value(item))).collect()
}

fn value(item: Item) -> Value {
    match item {
        Item::Value(value) => value,
        Item::Array(items) => Value::list(items.into_iter().map(value).collect::<Vec<_>>()),
        Item::Table(table) => Value::Map(map(table)),
        Item::Tables(tables) => {
            let maps = tables.into_iter().map(|table| Value::Map(map(table)));
            Value::List(List::new(maps.collect::<Vec<_>>(), ElementType::Map))
        }
    }
}

struct Reader<'a> {
    lexer: Lexer<'a>,
    root: Table,
    /// The table that we are in.
    context: Vec<String>,
    /// The key whose value is read; empty between keys.
    key: String,
    /// The line of the key or table that was named last.
    key_line: usize,
    /// Tables that were only named on the way to others, which may be defined later.
    implicit: HashSet<String>,
    /// Keys whose values are lists in brackets.
    arrays: HashSet<String>,
    depth: usize,
}

/// A key with dots, parts in quotes where they must be.
fn joined(parts: &[String]) -> String {
    let quoted = |part: &String| {
        let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if !part.is_empty() && part.chars().all(bare) {
            part.clone()
        } else {
            let mut out = Vec::new();
            super::write::push_quoted(&mut out, part.as_bytes());
            String::from_utf8_lossy(&out).into_owned()
        }
    };
    parts.iter().map(quoted).collect::<Vec<_>>().join(".")
}

impl Reader<'_> {
    /// The key that an error names.
    fn current(&self) -> String {
        match (self.key.as_str(), self.context.as_slice()) {
            ("", context) => joined(context),
            (key, []) => key.into(),
            (key, context) => format!("{}.{key}", joined(context)),
        }
    }

    fn fault_of_key(&self, message: String) -> Fault {
        Fault {
            line: self.key_line,
            message,
            limit: false,
        }
    }

    fn read(&mut self) -> Result<(), Fault> {
        loop {
            let character = self.lexer.next()?;
            match character {
                None => return Ok(()),
                Some('#') => self.lexer.comment()?,
                _ if is_blank(character) || is_break(character) => {}
                Some('[') => {
                    self.table()?;
                    self.line_end()?;
                }
                _ => {
                    self.lexer.back();
                    self.pair_at_top()?;
                    self.line_end()?;
                }
            }
        }
    }

    /// Nothing but a comment may follow in the line.
    fn line_end(&mut self) -> Result<(), Fault> {
        loop {
            let character = self.lexer.next()?;
            match character {
                Some('#') => return self.lexer.comment(),
                None => {
                    self.lexer.back();
                    return Ok(());
                }
                _ if is_blank(character) => {}
                _ if is_break(character) => return Ok(()),
                _ => {
                    return Err(self.lexer.fault(format!(
                        "expected a top-level item to end with a newline, comment, or EOF, but \
                         got {} instead",
                        quoted(character)
                    )));
                }
            }
        }
    }

    /// `[a.b]` or `[[a.b]]`, behind the first bracket.
    fn table(&mut self) -> Result<(), Fault> {
        let array = self.lexer.peek()? == Some('[');
        if array {
            self.lexer.next()?;
        }
        let mut key = Vec::new();
        let mut line = None;
        loop {
            self.lexer.skip_blanks()?;
            match self.lexer.peek()? {
                Some(']') | None => {
                    return Err(self
                        .lexer
                        .fault("unexpected end of table name (table names cannot be empty)"));
                }
                Some('.') => {
                    return Err(self
                        .lexer
                        .fault("unexpected table separator (table names cannot be empty)"));
                }
                _ => {}
            }
            key.push(self.lexer.name()?);
            line.get_or_insert(self.lexer.line);
            self.lexer.skip_blanks()?;
            match self.lexer.next()? {
                Some('.') => {}
                Some(']') => break,
                other => {
                    return Err(self.lexer.fault(format!(
                        "expected '.' or ']' to end table name, but got {} instead",
                        quoted(other)
                    )));
                }
            }
        }
        if array {
            let character = self.lexer.next()?;
            if character != Some(']') {
                return Err(self.lexer.fault(format!(
                    "expected end of table array name delimiter ']', but got {} instead",
                    quoted(character)
                )));
            }
        }
        self.key_line = line.unwrap_or(self.lexer.line);
        self.enter(&key, array)?;
        self.arrays.remove(&joined(&self.context));
        Ok(())
    }

    /// A key up to its `=`.
    fn key_parts(&mut self) -> Result<Vec<String>, Fault> {
        self.lexer.skip_blanks()?;
        match self.lexer.peek()? {
            Some('=') | None => {
                let text = "unexpected '=': key name appears blank";
                return Err(self.lexer.fault(text));
            }
            Some('.') => {
                let text = "unexpected '.': keys cannot start with a '.'";
                return Err(self.lexer.fault(text));
            }
            _ => {}
        }
        let mut parts = Vec::new();
        loop {
            self.lexer.skip_blanks()?;
            match self.lexer.peek()? {
                Some('=') | None => return Err(self.lexer.fault("unexpected '='")),
                Some('.') => return Err(self.lexer.fault("unexpected '.'")),
                _ => {}
            }
            parts.push(self.lexer.name()?);
            if parts.len() == 1 {
                self.key_line = self.lexer.line;
            }
            self.lexer.skip_blanks()?;
            let character = self.lexer.next()?;
            let text = match character {
                Some('.') => continue,
                Some('=') => return Ok(parts),
                None => {
                    let text = "unexpected EOF; expected key separator '='";
                    return Err(self.lexer.fault(text));
                }
                _ => format!("expected '.' or '=', but got {} instead", quoted(character)),
            };
            return Err(if character == Some('\n') {
                self.lexer.fault_before(text)
            } else {
                self.lexer.fault(text)
            });
        }
    }

    /// `a.b = value` in the table that we are in; gives a copy of it when `copy` asks for one.
    fn pair(&mut self) -> Result<Vec<String>, Fault> {
        let parts = self.key_parts()?;
        let (last, parents) = parts.split_last().expect("a key has a part");
        self.key.clone_from(last);
        for parent in parents {
            let mut context = self.context.clone();
            context.push(parent.clone());
            self.implicit.insert(joined(&context));
            self.enter(&context, false)?;
        }
        Ok(parts)
    }

    fn pair_at_top(&mut self) -> Result<(), Fault> {
        let outer = self.context.clone();
        self.pair()?;
        let (item, array) = self.value(false)?;
        self.set(item)?;
        self.set_array(array);
        self.context = outer;
        self.key.clear();
        Ok(())
    }

    fn set_array(&mut self, array: bool) {
        let mut path = self.context.clone();
        path.push(self.key.clone());
        let path = joined(&path);
        if array {
            self.arrays.insert(path);
        } else {
            self.arrays.remove(&path);
        }
    }

    /// Makes `key` the table that we are in, or the next one of its list.
    fn enter(&mut self, key: &[String], array: bool) -> Result<(), Fault> {
        if key.len() > DEPTH_MAX {
            return Err(too_deep());
        }
        let (last, parents) = key.split_last().expect("a key has a part");
        let mut table = &mut self.root;
        for (at, part) in parents.iter().enumerate() {
            let path = &parents[..=at];
            if !table.contains_key(part) {
                self.implicit.insert(joined(path));
            }
            let item = table
                .entry(part.clone())
                .or_insert_with(|| Item::Table(Table::new()));
            let Some(inner) = inside(item) else {
                let text = format!("Key '{}' was already created as a hash.", joined(path));
                return Err(self.fault_of_key(text));
            };
            table = inner;
        }
        if array {
            let item = table
                .entry(last.clone())
                .or_insert_with(|| Item::Tables(Vec::new()));
            let added = match item {
                Item::Tables(tables) => {
                    tables.push(Table::new());
                    true
                }
                _ => false,
            };
            self.context = parents.to_vec();
            if !added {
                return Err(self.fault_of_key(format!(
                    "Key '{}' was already created and cannot be used as an array.",
                    joined(key)
                )));
            }
        } else {
            self.context = parents.to_vec();
            self.set_in_context(last, Item::Table(Table::new()))?;
        }
        self.context.push(last.clone());
        Ok(())
    }

    /// Gives the current key its value.
    fn set(&mut self, item: Item) -> Result<(), Fault> {
        let key = self.key.clone();
        self.set_in_context(&key, item)
    }

    fn set_in_context(&mut self, key: &str, item: Item) -> Result<(), Fault> {
        let defined = |path: &[String]| format!("Key '{}' has already been defined.", joined(path));
        let mut table = &mut self.root;
        for (at, part) in self.context.iter().enumerate() {
            let Some(inner) = table.get_mut(part).and_then(inside) else {
                let text = defined(&self.context[..=at]);
                return Err(self.fault_of_key(text));
            };
            table = inner;
        }
        let mut path = self.context.clone();
        path.push(key.into());
        if table.contains_key(key) {
            let name = joined(&path);
            // What was only named on the way, or by the table in braces itself, is there already.
            if !self.implicit.remove(&name) {
                return Err(self.fault_of_key(defined(&path)));
            }
            if !self.arrays.contains(&name) {
                return Ok(());
            }
        }
        table.insert(key.into(), item);
        Ok(())
    }

    /// A value, and whether it is a list.
    fn value(&mut self, in_array: bool) -> Result<(Item, bool), Fault> {
        let mut character = self.lexer.next()?;
        while is_blank(character) {
            self.lexer.begin();
            character = self.lexer.next()?;
        }
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(too_deep());
        }
        let item = match character {
            Some('0'..='9') => {
                self.lexer.back();
                self.lexer.begin();
                let number = self.lexer.number()?;
                Item::Value(self.number(number)?)
            }
            Some('[') => Item::Array(self.array()?),
            Some('{') => Item::Table(self.inline_table(in_array)?),
            Some(quote @ ('"' | '\'')) => Item::Value(self.text(quote)?.into()),
            Some('.') => return Err(self.lexer.fault("floats must start with a digit, not '.'")),
            Some('-' | '+') => {
                self.lexer.back();
                self.lexer.begin();
                self.lexer.next()?;
                let number = self.lexer.signed()?;
                Item::Value(self.number(number)?)
            }
            _ => Item::Value(self.word(character)?),
        };
        self.depth -= 1;
        let array = matches!(item, Item::Array(_));
        Ok((item, array))
    }

    /// `true`, `inf`, or an error.
    fn word(&mut self, character: Option<char>) -> Result<Value, Fault> {
        self.lexer.back();
        self.lexer.begin();
        self.lexer.next()?;
        if matches!(character, Some('i' | 'n')) && self.lexer.special()? {
            return self.number(Number::Float);
        }
        if character.is_some_and(char::is_alphabetic) {
            self.lexer.back();
            return self.lexer.word().map(Value::Bool);
        }
        let text = format!("expected value but found {} instead", quoted(character));
        Err(match character {
            None => self.lexer.fault("unexpected EOF; expected value"),
            Some('\n') => self.lexer.fault_before(text),
            Some(_) => self.lexer.fault(text),
        })
    }

    fn text(&mut self, quote: char) -> Result<String, Fault> {
        if self.lexer.peek()? == Some(quote) {
            self.lexer.next()?;
            if self.lexer.peek()? == Some(quote) {
                self.lexer.next()?;
                return self.lexer.long_text(quote);
            }
            self.lexer.back();
        }
        match quote {
            '"' => self.lexer.text(),
            _ => self.lexer.raw_text(),
        }
    }

    fn number(&self, number: Number) -> Result<Value, Fault> {
        let text = self.lexer.current();
        let fault = |message: String| Err(self.lexer.fault(message));
        let shown = golang::strconv::quote(&text);
        match number {
            Number::DateTime => self.date_time(text.trim()),
            Number::Integer if !underscores_stand_between_digits(&text) => fault(format!(
                "Invalid integer {shown}: underscores must be surrounded by digits"
            )),
            Number::Integer if has_leading_zero(&text) => fault(format!(
                "Invalid integer {shown}: cannot have leading zeroes"
            )),
            Number::Integer => match parse_int(&text, 0) {
                Ok(number) => Ok(Value::int64(number)),
                Err(NumberError::Range) => fault(format!("{text} is out of range for int64")),
                Err(NumberError::Syntax) => fault(format!("Invalid integer {shown}")),
            },
            Number::Float => {
                let mut parts = text.split(['.', 'e', 'E']).filter(|part| !part.is_empty());
                if !parts.clone().all(underscores_stand_between_digits) {
                    return fault(format!(
                        "Invalid float {shown}: underscores must be surrounded by digits"
                    ));
                }
                if parts.next().is_some_and(has_leading_zero) {
                    return fault(format!("Invalid float {shown}: cannot have leading zeroes"));
                }
                let after_points = text.split('.').skip(1);
                if !after_points
                    .into_iter()
                    .all(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
                {
                    return fault(format!(
                        "Invalid float {shown}: '.' must be followed by one or more digits"
                    ));
                }
                let plain = text.replace('_', "");
                if plain.ends_with("nan") {
                    return Ok(Value::Float(f64::NAN));
                }
                match parse_float(&plain) {
                    Ok(number) => Ok(Value::Float(number)),
                    Err(NumberError::Range) => fault(format!("{text} is out of range for float64")),
                    Err(NumberError::Syntax) => fault(format!("Invalid float value: {shown}")),
                }
            }
        }
    }

    fn date_time(&self, text: &str) -> Result<Value, Fault> {
        const LAYOUTS: [(&str, Option<&str>); 7] = [
            ("2006-01-02T15:04:05.999999999Z07:00", None),
            ("2006-01-02T15:04:05.999999999", Some(LOCAL_DATE_TIME)),
            ("2006-01-02", Some(LOCAL_DATE)),
            ("15:04:05.999999999", Some(LOCAL_TIME)),
            ("2006-01-02T15:04Z07:00", None),
            ("2006-01-02T15:04", Some(LOCAL_DATE_TIME)),
            ("15:04", Some(LOCAL_TIME)),
        ];
        let text: String = text
            .chars()
            .map(|character| match character {
                'z' => 'Z',
                't' | ' ' => 'T',
                other => other,
            })
            .collect();
        let invalid = || {
            let shown = golang::strconv::quote(&text);
            Err(self.lexer.fault(format!("invalid datetime: {shown}")))
        };
        for (layout, zone) in LAYOUTS {
            let Ok(time) = Time::parse(layout.as_bytes(), text.as_bytes()) else {
                continue;
            };
            // Go's reader takes numbers of one digit; the separators tell.
            let digits = layout.split(['.', 'Z']).next().unwrap_or_default();
            let separators = digits
                .bytes()
                .enumerate()
                .filter(|(_, b)| !b.is_ascii_digit());
            for (at, separator) in separators {
                if text.as_bytes().get(at) != Some(&separator) {
                    return invalid();
                }
            }
            return Ok(match zone {
                Some(zone) => time.named(zone).into(),
                None => time.into(),
            });
        }
        invalid()
    }

    fn array(&mut self) -> Result<Vec<Item>, Fault> {
        self.set_array(true);
        let mut items = Vec::new();
        loop {
            let character = self.lexer.next()?;
            match character {
                Some('#') => {
                    self.lexer.comment()?;
                    continue;
                }
                Some(',') => return Err(self.lexer.fault("unexpected comma")),
                Some(']') => return Ok(items),
                _ if is_blank(character) || is_break(character) => continue,
                _ => self.lexer.back(),
            }
            self.lexer.begin();
            items.push(self.value(true)?.0);
            loop {
                let character = self.lexer.next()?;
                match character {
                    Some('#') => self.lexer.comment()?,
                    Some(',') => break,
                    Some(']') => return Ok(items),
                    _ if is_blank(character) || is_break(character) => {}
                    _ => {
                        return Err(self.lexer.fault(format!(
                            "expected a comma (',') or array terminator (']'), but got {}",
                            shown(character)
                        )));
                    }
                }
            }
        }
    }

    /// `{a = 1, b.c = 2}` behind its brace. It is built twice: inside the document, where keys are
    /// checked, and as the value of an element of a list.
    fn inline_table(&mut self, in_array: bool) -> Result<Table, Fault> {
        let (outer, outer_key) = (self.context.clone(), self.key.clone());
        let mut context = outer.clone();
        context.push(std::mem::take(&mut self.key));
        self.context.clone_from(&context);
        self.implicit.insert(joined(&context));
        self.enter(&context, in_array)?;
        while self.inline_pair_follows()? {
            self.pair()?;
            let (item, array) = self.value(false)?;
            self.set(item)?;
            self.set_array(array);
            self.context.clone_from(&context);
            if !self.inline_comma_follows()? {
                break;
            }
        }
        let table = self.take_context();
        self.context = outer;
        self.key = outer_key;
        Ok(table)
    }

    /// Whether a key comes, and not the closing brace.
    fn inline_pair_follows(&mut self) -> Result<bool, Fault> {
        loop {
            let character = self.lexer.next()?;
            match character {
                Some('#') => self.lexer.comment()?,
                Some(',') => return Err(self.lexer.fault("unexpected comma")),
                Some('}') => return Ok(false),
                _ if is_blank(character) || is_break(character) => {}
                _ => {
                    self.lexer.back();
                    return Ok(true);
                }
            }
        }
    }

    /// Whether a comma comes, and not the closing brace.
    fn inline_comma_follows(&mut self) -> Result<bool, Fault> {
        loop {
            let character = self.lexer.next()?;
            match character {
                Some('#') => self.lexer.comment()?,
                Some(',') => {
                    self.lexer.skip_blanks()?;
                    if self.lexer.peek()? != Some('}') {
                        return Ok(true);
                    }
                }
                Some('}') => return Ok(false),
                _ if is_blank(character) || is_break(character) => {}
                _ => {
                    return Err(self.lexer.fault(format!(
                        "expected a comma or an inline table terminator '}}', but got {} instead",
                        shown(character)
                    )));
                }
            }
        }
    }

    /// A copy of the table that we are in.
    fn take_context(&mut self) -> Table {
        let mut table = &mut self.root;
        for part in &self.context {
            match table.get_mut(part).and_then(inside) {
                Some(inner) => table = inner,
                None => return Table::new(),
            }
        }
        copy(table)
    }
}

fn too_deep() -> Fault {
    Fault {
        line: 0,
        message: format!("a TOML text is nested deeper than {DEPTH_MAX} levels"),
        limit: true,
    }
}

/// The table that a path goes on in: of a list, the last.
fn inside(item: &mut Item) -> Option<&mut Table> {
    match item {
        Item::Table(table) => Some(table),
        Item::Tables(tables) => tables.last_mut(),
        _ => None,
    }
}

fn copy(table: &Table) -> Table {
    let entries = table.iter();
    entries
        .map(|(key, item)| (key.clone(), copy_item(item)))
        .collect()
}

fn copy_item(item: &Item) -> Item {
    match item {
        Item::Value(value) => Item::Value(value.clone()),
        Item::Array(items) => Item::Array(items.iter().map(copy_item).collect()),
        Item::Table(table) => Item::Table(copy(table)),
        Item::Tables(tables) => Item::Tables(tables.iter().map(copy).collect()),
    }
}

fn has_leading_zero(text: &str) -> bool {
    match text.as_bytes() {
        [b'0', b'b' | b'o' | b'x', ..] => false,
        [b'0', _, ..] | [b'-' | b'+', b'0', _, ..] => true,
        _ => false,
    }
}

/// Whether every `_` follows a digit and is followed by one; hexadecimal ones count.
fn underscores_stand_between_digits(text: &str) -> bool {
    if matches!(text.trim_start_matches(['+', '-']), "nan" | "inf") {
        return true;
    }
    let mut accept = false;
    for byte in text.bytes() {
        if byte == b'_' && !accept {
            return false;
        }
        accept = byte.is_ascii_hexdigit();
    }
    accept
}
