//! Values as `sigs.k8s.io/yaml` writes them, which is go-yaml v2, and as go-yaml v3 writes them.
//!
//! # Source
//! yaml/go-yaml v2 and v3 `encode.go`, `sorter.go`, `emitterc.go`.

use super::writer::{Dialect, Place as ScalarPlace, ScalarStyle, Writer};
use crate::resolve::{Rules, Scalar, plain};
use crate::value::float_text;

/// One value as the writer sees it.
#[derive(Debug)]
pub enum View<'a, V> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An integer that may be above `i64::MAX`.
    Uint(u64),
    /// A number.
    Float(f64),
    /// A text, quoted where it could be taken for something else.
    Text(&'a str),
    /// A word that is written as it is, such as a time.
    Word(&'a str),
    /// A text that is not UTF-8, which becomes base64 with a tag.
    Binary(&'a [u8]),
    /// A sequence.
    List(&'a [V]),
    /// A mapping, its entries in any order.
    Map(Vec<(&'a str, &'a V)>),
    /// A mapping, its entries in this order.
    Fields(Vec<(&'a str, &'a V)>),
}

/// Shows values to the writer, so that values of any type are written without being copied.
pub trait Viewer {
    /// The type of the values.
    type Value;

    /// Hands what `value` is to `see`.
    fn view<R>(&self, value: &Self::Value, see: impl FnOnce(View<'_, Self::Value>) -> R) -> R;
}

/// Longest text that is written as an implicit key.
const SIMPLE_KEY_MAX: usize = 128;

/// The document for `value` as `sigs.k8s.io/yaml` writes it: long text folded at column 80, lists at
/// the column of their key. Whoever shows the values bounds how deeply they are nested.
pub fn write_value<V: Viewer>(viewer: &V, value: &V::Value) -> String {
    write_in(viewer, value, Dialect::V2)
}

/// The document for `value` as go-yaml v3 writes it with two spaces a level: nothing folded, lists
/// inside their key. Whoever shows the values bounds how deeply they are nested.
pub fn write_value_v3<V: Viewer>(viewer: &V, value: &V::Value) -> String {
    write_in(viewer, value, Dialect::V3)
}

fn write_in<V: Viewer>(viewer: &V, value: &V::Value, dialect: Dialect) -> String {
    let mut emitter = Emitter {
        writer: Writer::new(2, dialect),
        dialect,
        viewer,
    };
    emitter.write(value, Place::Root);
    emitter.writer.write_indent();
    emitter.writer.out
}

/// Where a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Root,
    Entry,
    /// A key's value.
    Mapping,
}

struct Emitter<'a, V> {
    writer: Writer,
    dialect: Dialect,
    viewer: &'a V,
}

impl<V: Viewer> Emitter<'_, V> {
    fn write(&mut self, value: &V::Value, place: Place) {
        let viewer = self.viewer;
        viewer.view(value, |view| self.write_view(view, place));
    }

    fn write_view(&mut self, view: View<'_, V::Value>, place: Place) {
        let (writer, dialect) = (&mut self.writer, self.dialect);
        match view {
            View::Null => write_word(writer, "null"),
            View::Bool(value) => write_word(writer, if value { "true" } else { "false" }),
            View::Int(value) => write_word(writer, &value.to_string()),
            View::Uint(value) => write_word(writer, &value.to_string()),
            View::Float(value) if dialect == Dialect::V3 => {
                write_word(writer, &float_text(value));
            }
            View::Float(value) => {
                // Whole numbers come out of JSON as integers where those fit.
                let text = golang::strconv::format_float_f(value);
                if text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok() {
                    write_word(writer, if text == "-0" { "0" } else { &text });
                } else {
                    write_word(writer, &float_text(value));
                }
            }
            View::Text(text) => write_text(writer, dialect, text, false),
            View::Word(text) => write_word(writer, text),
            View::Binary(bytes) => {
                writer.write_indicator("!!binary", true, false, false);
                write_word(writer, &golang::base64::encode(bytes));
            }
            View::List([]) => {
                writer.write_indicator("[", true, true, false);
                writer.write_indicator("]", false, false, false);
            }
            View::List(items) => {
                let indentless =
                    place == Place::Mapping && dialect == Dialect::V2 && !writer.indention;
                writer.push_indent(false, indentless, place == Place::Entry, false);
                for item in items {
                    self.writer.write_indent();
                    self.writer.write_indicator("-", true, false, true);
                    self.write(item, Place::Entry);
                }
                self.writer.pop_indent();
            }
            View::Map(entries) | View::Fields(entries) if entries.is_empty() => {
                writer.write_indicator("{", true, true, false);
                writer.write_indicator("}", false, false, false);
            }
            View::Map(entries) => {
                self.write_entries(sort_entries(entries, dialect), place);
            }
            View::Fields(entries) => self.write_entries(entries, place),
        }
    }

    fn write_entries(&mut self, entries: Vec<(&str, &V::Value)>, place: Place) {
        self.writer
            .push_indent(false, false, place == Place::Entry, false);
        for (key, value) in entries {
            self.write_entry(key, value);
        }
        self.writer.pop_indent();
    }

    fn write_entry(&mut self, key: &str, value: &V::Value) {
        let (writer, dialect) = (&mut self.writer, self.dialect);
        writer.write_indent();
        let simple = key.len() <= SIMPLE_KEY_MAX && !writer.analyze(key).multiline;
        if simple {
            write_text(writer, dialect, key, true);
            writer.write_indicator(":", false, false, false);
        } else {
            writer.write_indicator("?", true, false, true);
            write_text(writer, dialect, key, false);
            writer.write_indent();
            writer.write_indicator(":", true, false, true);
        }
        self.write(value, Place::Mapping);
    }
}

fn write_word(writer: &mut Writer, text: &str) {
    writer.push_indent(true, false, false, false);
    writer.write_scalar(text, ScalarStyle::Plain, ScalarPlace::default(), |_| {});
    writer.pop_indent();
}

fn write_text(writer: &mut Writer, dialect: Dialect, text: &str, simple_key: bool) {
    let folded;
    let text = if dialect == Dialect::V2 && text.contains('\u{85}') {
        folded = fold_next_lines(text);
        &folded
    } else {
        text
    };
    let style = if text.contains('\n') {
        ScalarStyle::Literal
    } else if reads_as_written(text, dialect) && !is_base_60(text) {
        ScalarStyle::Plain
    } else {
        ScalarStyle::DoubleQuoted
    };
    let place = ScalarPlace {
        in_flow: false,
        simple_key,
    };
    let analysis = writer.analyze(text);
    let style = writer.select_style(text, &analysis, style, place, true);
    writer.push_indent(true, false, false, false);
    writer.write_scalar(text, style, place, Writer::put_break);
    writer.pop_indent();
}

/// Whether a text without quotes is a text.
fn reads_as_written(text: &str, dialect: Dialect) -> bool {
    match dialect {
        Dialect::V2 => plain(text, Rules::V2, true) == Scalar::Text,
        Dialect::V3 => plain(text, Rules::V3, true) == Scalar::Text && !is_old_bool(text),
    }
}

/// Words that are booleans for go-yaml v2 only.
fn is_old_bool(text: &str) -> bool {
    !matches!(text, "true" | "True" | "TRUE" | "false" | "False" | "FALSE")
        && matches!(plain(text, Rules::V2, false), Scalar::Bool(_))
}

/// What is left of a text with U+0085 after the way through JSON, which does not escape it, and
/// through a YAML reader, to which it is a line break inside quotes: one of them a space, several
/// one line feed less, blanks around them nothing.
fn fold_next_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut breaks = 0;
    for (at, part) in text.split('\u{85}').enumerate() {
        let part = if at > 0 {
            part.trim_start_matches(' ')
        } else {
            part
        };
        breaks += usize::from(at > 0);
        if part.is_empty() && at > 0 {
            continue;
        }
        push_breaks(&mut out, breaks);
        breaks = 0;
        out.push_str(part);
    }
    push_breaks(&mut out, breaks);
    out
}

fn push_breaks(out: &mut String, count: usize) {
    if count > 0 {
        out.truncate(out.trim_end_matches(' ').len());
        if count == 1 {
            out.push(' ');
        } else {
            out.extend(std::iter::repeat_n('\n', count - 1));
        }
    }
}

/// Whether YAML 1.1 takes a text for a number to the base of sixty: `1:30`, `-12:30:45.6`.
fn is_base_60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let mut parts = unsigned.split(':');
    let first = parts.next().unwrap_or_default();
    let digits = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'_')
    };
    if !first.starts_with(|c: char| c.is_ascii_digit()) || !digits(first) {
        return false;
    }
    let mut rest: Vec<&str> = parts.collect();
    let Some(last) = rest.last_mut() else {
        return false;
    };
    if let Some((whole, fraction)) = last.split_once('.') {
        if !digits(fraction) {
            return false;
        }
        *last = whole;
    }
    rest.iter()
        .all(|part| matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']))
}

/// Sorts by key, stably.
///
/// By merging, as the order below is none in the strict sense: numbers of more than 64 bits make
/// circles in it, and the sorts of the standard library may panic then.
fn sort_entries<V>(mut entries: Vec<(&str, V)>, dialect: Dialect) -> Vec<(&str, V)> {
    // Mostly they are in order already.
    if entries.is_sorted_by(|one, other| !less(other.0, one.0, dialect)) {
        return entries;
    }
    let right = entries.split_off(entries.len() / 2);
    let mut left = sort_entries(entries, dialect).into_iter().peekable();
    let mut right = sort_entries(right, dialect).into_iter().peekable();
    let mut out = Vec::with_capacity(left.len() + right.len());
    while let (Some(one), Some(other)) = (left.peek(), right.peek()) {
        let next = if less(other.0, one.0, dialect) {
            right.next()
        } else {
            left.next()
        };
        out.extend(next);
    }
    out.extend(left);
    out.extend(right);
    out
}

/// The order of keys: runs of digits by their number, letters after everything else; in v3 not after
/// what ends a number.
fn less(one: &str, other: &str, dialect: Dialect) -> bool {
    let common = one
        .char_indices()
        .zip(other.chars())
        .find(|((_, a), b)| a != b);
    let Some(((at, a), b)) = common else {
        return one.len() < other.len();
    };
    let letters = (a.is_alphabetic(), b.is_alphabetic());
    match letters {
        (true, true) => return a < b,
        (true, false) | (false, true) => {
            let after_digit = one[..at].ends_with(char::is_numeric);
            return letters.1 != (dialect == Dialect::V3 && after_digit);
        }
        (false, false) => {}
    }
    // Zeros inside a number count, leading ones do not.
    let mut start = 0i64;
    if a == '0' || b == '0' {
        let digits_before = one[..at].chars().rev().take_while(|c| c.is_numeric());
        if digits_before.into_iter().any(|digit| digit != '0') {
            start = 1;
        }
    }
    let number = |text: &str| {
        let digits = text[at..].chars().take_while(|c| c.is_numeric());
        digits.fold((start, 0), |(number, count), digit| {
            let digit = i64::from(u32::from(digit)) - i64::from(u32::from('0'));
            (number.wrapping_mul(10).wrapping_add(digit), count + 1)
        })
    };
    let (first, second) = (number(one), number(other));
    if first.0 != second.0 {
        return first.0 < second.0;
    }
    if first.1 != second.1 {
        return first.1 < second.1;
    }
    a < b
}
