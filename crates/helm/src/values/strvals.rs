//! Values on the command line: `--set a.b[0]=c,d={e,f}` and its relatives.
//!
//! # Source
//! helm/helm `pkg/strvals/{parser,literal_parser}.go`. The end of the text ends reading wherever it
//! comes, so that `a[b=1` says nothing and is accepted. Other than there, nesting is limited, and so
//! is how much a text may pad lists.

use golang::strconv::{parse_int, quote};
use object::json::Limits;
use object::{Map, Node};

use super::{ReadFile, type_shown};
use crate::error::ValuesError;
use crate::options::Profile;

/// Highest index of a list, as in the reference.
pub const INDEX_MAX: i64 = 65_536;

/// Most dots in one key, as in the reference.
pub const DOTS_MAX: usize = 30;

/// Deepest nesting of lists and maps in one key; the reference has no end.
const DEPTH_MAX: usize = 100;

/// Most items that one text may add to lists: several of the largest.
const ITEMS_MAX: usize = 1_000_000;

/// What JSON on the command line may be: as large as an object.
pub(crate) const JSON_LIMITS: Limits = object::json::OBJECT_LIMITS;

/// `--set`: integers, booleans, nulls, texts.
///
/// # Errors
/// [`ValuesError::Flag`] with the reference's message.
pub fn set(text: &str, values: &mut Map, profile: Profile) -> Result<(), ValuesError> {
    run("--set", true, text, values, profile, Kind::Typed)
}

/// `--set-string`: every value is text.
///
/// # Errors
/// As [`set`].
pub fn set_string(text: &str, values: &mut Map, profile: Profile) -> Result<(), ValuesError> {
    run("--set-string", true, text, values, profile, Kind::Text)
}

/// `--set-file`: every value names a file, whose text it stands for.
///
/// # Errors
/// As [`set`], and when a file cannot be read.
pub fn set_file(
    text: &str,
    values: &mut Map,
    read: ReadFile<'_>,
    profile: Profile,
) -> Result<(), ValuesError> {
    run("--set-file", true, text, values, profile, Kind::File(read))
}

/// `--set-json`: every value is JSON.
///
/// # Errors
/// As [`set`]; the reference does not say what is wrong.
pub fn set_json(text: &str, values: &mut Map, profile: Profile) -> Result<(), ValuesError> {
    run("--set-json", false, text, values, profile, Kind::Json)
}

/// `--set-literal`: one key; everything behind its `=` is text.
///
/// # Errors
/// As [`set`].
pub fn set_literal(text: &str, values: &mut Map, profile: Profile) -> Result<(), ValuesError> {
    run("--set-literal", true, text, values, profile, Kind::Literal)
}

fn run(
    flag: &'static str,
    explains: bool,
    text: &str,
    values: &mut Map,
    profile: Profile,
    kind: Kind<'_>,
) -> Result<(), ValuesError> {
    let mut parser = Parser {
        rest: text,
        kind,
        profile,
        items: 0,
    };
    loop {
        match parser.key(values, 0, 0) {
            Ok(()) => {}
            Err(Stop::End) => return Ok(()),
            Err(Stop::Wrong(problem)) => {
                return Err(ValuesError::Flag {
                    flag,
                    colon: explains,
                    text: if explains { problem } else { text.to_owned() },
                });
            }
        }
    }
}

enum Kind<'a> {
    Typed,
    Text,
    File(ReadFile<'a>),
    Json,
    Literal,
}

/// Why reading stops.
enum Stop {
    /// There is nothing more, which ends everything well.
    End,
    Wrong(String),
}

fn wrong<T>(text: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Wrong(text.into()))
}

struct Parser<'a> {
    rest: &'a str,
    kind: Kind<'a>,
    profile: Profile,
    /// Added to lists so far.
    items: usize,
}

impl Parser<'_> {
    fn is_literal(&self) -> bool {
        matches!(self.kind, Kind::Literal)
    }

    /// Text up to one of `stops`, which is taken and given, too. The text alone when there is none.
    fn until(&mut self, stops: &[char]) -> (String, Option<char>) {
        let mut found = String::new();
        let mut characters = self.rest.char_indices();
        while let Some((_, character)) = characters.next() {
            if stops.contains(&character) {
                self.rest = characters.as_str();
                return (found, Some(character));
            }
            if character == '\\' && !self.is_literal() {
                match characters.next() {
                    Some((_, escaped)) => found.push(escaped),
                    None => break,
                }
            } else {
                found.push(character);
            }
        }
        self.rest = "";
        (found, None)
    }

    /// One key and its value; or one step of a key and the rest of it.
    fn key(&mut self, map: &mut Map, dots: usize, depth: usize) -> Result<(), Stop> {
        if depth > DEPTH_MAX {
            return wrong(format!("value nested deeper than {DEPTH_MAX} levels"));
        }
        let stops: &[char] = match self.is_literal() {
            true => &['=', '[', '.'],
            false => &['=', '[', ',', '.'],
        };
        let (key, stop) = self.until(stops);
        match stop {
            None if key.is_empty() => Err(Stop::End),
            None => wrong(format!("key {} has no value", quote(&key))),
            Some('[') => {
                let index = self.index()?;
                let mut fresh = Vec::new();
                let existing = match map.get_mut(&key) {
                    None => None,
                    Some(node) => Some(as_list(node)?),
                };
                let is_new = existing.is_none();
                let list = existing.unwrap_or(&mut fresh);
                let done = self.item(list, index, dots, depth + 1);
                if is_new {
                    put(map, &key, fresh.into());
                }
                done
            }
            Some('=') => self.value(map, &key),
            Some(',') => {
                put(map, &key, "".into());
                wrong(format!(
                    "key {} has no value (cannot end with ,)",
                    quote(&key)
                ))
            }
            Some(_) => {
                let dots = dots + 1;
                if dots > DOTS_MAX {
                    return wrong(format!(
                        "value name nested level is greater than maximum supported nested level of {DOTS_MAX}"
                    ));
                }
                let mut fresh = Map::new();
                let existing = match map.get_mut(&key) {
                    None => None,
                    Some(node) => Some(as_map(node)?),
                };
                let is_new = existing.is_none();
                let inner = existing.unwrap_or(&mut fresh);
                let done = self.key(inner, dots, depth + 1);
                let is_empty = inner.is_empty();
                if done.is_ok() && is_empty {
                    return wrong(format!("key map {} has no value", quote(&key)));
                }
                if is_new && !is_empty {
                    put(map, &key, fresh.into());
                }
                done
            }
        }
    }

    /// What stands behind the `=` of a key in a map.
    fn value(&mut self, map: &mut Map, key: &str) -> Result<(), Stop> {
        match self.kind {
            Kind::Json => {
                let value = self.json()?;
                put(map, key, value);
                Ok(())
            }
            Kind::Literal => {
                put(map, key, std::mem::take(&mut self.rest).into());
                Ok(())
            }
            _ if self.rest.is_empty() => {
                put(map, key, "".into());
                Err(Stop::End)
            }
            _ => {
                let value = self.plain()?;
                put(map, key, value);
                Ok(())
            }
        }
    }

    /// The rest of a key behind `[index]`.
    fn item(
        &mut self,
        list: &mut Vec<Node>,
        index: i64,
        dots: usize,
        depth: usize,
    ) -> Result<(), Stop> {
        if depth > DEPTH_MAX {
            return wrong(format!("value nested deeper than {DEPTH_MAX} levels"));
        }
        if index < 0 {
            return wrong(format!("negative {index} index not allowed"));
        }
        let at = usize::try_from(index).unwrap_or(usize::MAX);
        let (text, stop) = self.until(&['[', '.', '=']);
        if !text.is_empty() {
            let text: Vec<String> = text.chars().map(quote_character).collect();
            let text = text.join(" ");
            return wrong(format!("unexpected data at end of array index: [{text}]"));
        }
        match stop {
            None => Err(Stop::End),
            Some('=') => {
                let value = match self.kind {
                    Kind::Json => self.json()?,
                    Kind::Literal => std::mem::take(&mut self.rest).into(),
                    _ if self.rest.is_empty() => "".into(),
                    _ => self.plain()?,
                };
                self.put_item(list, index, value)
            }
            Some('[') => {
                let next = self.index()?;
                match list.get_mut(at) {
                    Some(node) if !node.is_null() => {
                        let inner = as_list(node)?;
                        self.item(inner, next, dots, depth + 1)
                    }
                    _ => {
                        let mut inner = Vec::new();
                        self.item(&mut inner, next, dots, depth + 1)?;
                        self.put_item(list, index, inner.into())
                    }
                }
            }
            Some(_) => {
                if let Some(node) = list.get_mut(at) {
                    if node.as_map().is_none() {
                        *node = Node::map();
                    }
                    let inner = as_map(node)?;
                    return self.key(inner, dots, depth + 1);
                }
                let mut inner = Map::new();
                self.key(&mut inner, dots, depth + 1)?;
                self.put_item(list, index, inner.into())
            }
        }
    }

    /// Sets an item; nulls fill the list up to it.
    fn put_item(&mut self, list: &mut Vec<Node>, index: i64, value: Node) -> Result<(), Stop> {
        if index > INDEX_MAX {
            return wrong(format!(
                "index of {index} is greater than maximum supported index of {INDEX_MAX}"
            ));
        }
        let at = usize::try_from(index).unwrap_or(0);
        if list.len() <= at {
            self.items += at + 1 - list.len();
            if self.items > ITEMS_MAX {
                return wrong(format!("more than {ITEMS_MAX} items of lists"));
            }
            list.resize(at + 1, Node::Null);
        }
        list[at] = value;
        Ok(())
    }

    /// The number between brackets.
    fn index(&mut self) -> Result<i64, Stop> {
        let (text, stop) = self.until(&[']']);
        if stop.is_none() {
            return match self.profile {
                Profile::Helm4 => Err(Stop::End),
                Profile::Helm3 => wrong("error parsing index: EOF"),
            };
        }
        parse_int(&text, 10).or_else(|error| {
            let text = quote(&text);
            wrong(format!(
                "error parsing index: strconv.Atoi: parsing {text}: {error}"
            ))
        })
    }

    /// A list in braces, or text up to a comma.
    fn plain(&mut self) -> Result<Node, Stop> {
        let Some(rest) = self.rest.strip_prefix('{') else {
            let (text, _) = self.until(&[',']);
            return self.scalar(text);
        };
        self.rest = rest;
        let mut items = Vec::new();
        loop {
            let (text, stop) = self.until(&[',', '}']);
            let Some(stop) = stop else {
                return wrong("list must terminate with '}'");
            };
            if stop == '}' {
                self.rest = self.rest.strip_prefix(',').unwrap_or(self.rest);
            }
            items.push(self.scalar(text)?);
            if stop == '}' {
                return Ok(items.into());
            }
        }
    }

    fn scalar(&self, text: String) -> Result<Node, Stop> {
        match self.kind {
            Kind::Typed => Ok(typed(text)),
            Kind::File(read) => match read(&text) {
                Ok(content) => Ok(content.into()),
                Err(problem) => wrong(problem),
            },
            _ => Ok(text.into()),
        }
    }

    /// A JSON value, and the comma behind it. Nothing at all is a null.
    fn json(&mut self) -> Result<Node, Stop> {
        if self.nothing_here() {
            return Ok(Node::Null);
        }
        let Some(length) = json_length(self.rest) else {
            return wrong("");
        };
        let Some((value, rest)) = self.rest.split_at_checked(length) else {
            return wrong("");
        };
        let parsed = object::json::parse_floats(value.as_bytes(), JSON_LIMITS);
        let Ok(value) = parsed else {
            return wrong("");
        };
        self.rest = rest;
        self.nothing_here();
        Ok(value)
    }

    /// Takes blanks, and a comma behind them; whether that or the end is all there is.
    fn nothing_here(&mut self) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(',') {
            Some(rest) => self.rest = rest,
            None if self.rest.is_empty() => {}
            None => return false,
        }
        true
    }
}

/// `%q` of a character.
fn quote_character(character: char) -> String {
    match character {
        '"' => "'\"'".to_owned(),
        '\'' => r"'\''".to_owned(),
        _ => quote(character.encode_utf8(&mut [0; 4])).replace('"', "'"),
    }
}

fn put(map: &mut Map, key: &str, value: Node) {
    if !key.is_empty() {
        map.insert(key, value);
    }
}

fn as_list(node: &mut Node) -> Result<&mut Vec<Node>, Stop> {
    let found = type_shown(node);
    let found = if found == "<nil>" { "nil" } else { found };
    let wanted = || {
        Stop::Wrong(format!(
            "unable to parse key: interface conversion: interface {{}} is {found}, not []interface {{}}"
        ))
    };
    node.as_list_mut().ok_or_else(wanted)
}

fn as_map(node: &mut Node) -> Result<&mut Map, Stop> {
    let found = type_shown(node);
    let found = if found == "<nil>" { "nil" } else { found };
    let wanted = || {
        Stop::Wrong(format!(
            "unable to parse key: interface conversion: interface {{}} is {found}, not map[string]interface {{}}"
        ))
    };
    node.as_map_mut().ok_or_else(wanted)
}

/// Booleans and nulls in any case, integers without leading zeros; everything else is text.
fn typed(text: String) -> Node {
    if text.eq_ignore_ascii_case("true") {
        return Node::Bool(true);
    }
    if text.eq_ignore_ascii_case("false") {
        return Node::Bool(false);
    }
    if text.eq_ignore_ascii_case("null") {
        return Node::Null;
    }
    if text == "0" {
        return Node::Int(0);
    }
    if !text.starts_with('0')
        && let Ok(value) = parse_int(&text, 10)
    {
        return Node::Int(value);
    }
    text.into()
}

/// Length of the JSON value that a text begins with; `None` for what cannot be one.
fn json_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    match bytes.first()? {
        b'{' | b'[' | b'"' => {}
        b't' | b'n' => return Some(4),
        b'f' => return Some(5),
        b'-' | b'0'..=b'9' => {
            let part = |byte: &&u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
            return Some(
                number_length(text).unwrap_or_else(|| bytes.iter().take_while(part).count()),
            );
        }
        _ => return None,
    }
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for (at, byte) in bytes.iter().enumerate() {
        if escaped {
            escaped = false;
        } else if in_text {
            match byte {
                b'\\' => escaped = true,
                b'"' => in_text = false,
                _ => {}
            }
        } else {
            match byte {
                b'"' => in_text = true,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.checked_sub(1)?,
                _ => {}
            }
        }
        if depth == 0 && !in_text {
            return Some(at + 1);
        }
    }
    None
}

/// Length of the longest JSON number that a text begins with.
fn number_length(text: &str) -> Option<usize> {
    let digits = |from: usize| text[from..].bytes().take_while(u8::is_ascii_digit).count();
    let mut at = usize::from(text.starts_with('-'));
    match digits(at) {
        0 => return None,
        _ if text[at..].starts_with('0') => at += 1,
        count => at += count,
    }
    if text[at..].starts_with('.') {
        match digits(at + 1) {
            0 => return None,
            count => at += 1 + count,
        }
    }
    if text[at..].starts_with(['e', 'E']) {
        let sign = usize::from(text[at + 1..].starts_with(['+', '-']));
        match digits(at + 1 + sign) {
            0 => return None,
            count => at += 1 + sign + count,
        }
    }
    Some(at)
}
