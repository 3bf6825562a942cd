//! Values as `sigs.k8s.io/yaml` writes them.
//!
//! # Source
//! yaml/go-yaml v2 `encode.go`, `sorter.go`, `emitterc.go`.

use super::writer::{Dialect, Place, ScalarStyle, Writer};
use crate::resolve::{Rules, Scalar, plain};
use crate::value::float_text;

/// One value as the writer sees it.
pub(crate) enum View<'a, V> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Text(&'a str),
    List(&'a [V]),
    /// In any order.
    Map(Vec<(&'a str, &'a V)>),
}

/// What can be written.
pub(crate) trait Viewed: Sized {
    fn view(&self) -> View<'_, Self>;
}

/// Longest text that is written as an implicit key.
const SIMPLE_KEY_MAX: usize = 128;

/// The document for `value`.
pub(crate) fn write_value<V: Viewed>(value: &V) -> String {
    let mut writer = Writer::new(2, Dialect::V2);
    write(&mut writer, value, false);
    writer.write_indent();
    writer.out
}

/// Writes a value. `mapping` says that it is a key's value, or an explicit key.
fn write<V: Viewed>(writer: &mut Writer, value: &V, mapping: bool) {
    match value.view() {
        View::Null => write_word(writer, "null"),
        View::Bool(value) => write_word(writer, if value { "true" } else { "false" }),
        View::Int(value) => write_word(writer, &value.to_string()),
        View::Uint(value) => write_word(writer, &value.to_string()),
        View::Float(value) => {
            // Whole numbers come out of JSON as integers where those fit.
            let text = golang::strconv::format_float_f(value);
            if text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok() {
                write_word(writer, if text == "-0" { "0" } else { &text });
            } else {
                write_word(writer, &float_text(value));
            }
        }
        View::Text(text) => write_text(writer, text, false),
        View::List([]) => {
            writer.write_indicator("[", true, true, false);
            writer.write_indicator("]", false, false, false);
        }
        View::List(items) => {
            let indentless = mapping && !writer.indention;
            writer.push_indent(false, indentless, false, false);
            for item in items {
                writer.write_indent();
                writer.write_indicator("-", true, false, true);
                write(writer, item, false);
            }
            writer.pop_indent();
        }
        View::Map(entries) if entries.is_empty() => {
            writer.write_indicator("{", true, true, false);
            writer.write_indicator("}", false, false, false);
        }
        View::Map(entries) => {
            let entries = sort_entries(entries);
            writer.push_indent(false, false, false, false);
            for (key, value) in entries {
                writer.write_indent();
                let simple = key.len() <= SIMPLE_KEY_MAX && !writer.analyze(key).multiline;
                if simple {
                    write_text(writer, key, true);
                    writer.write_indicator(":", false, false, false);
                } else {
                    writer.write_indicator("?", true, false, true);
                    write_text(writer, key, false);
                    writer.write_indent();
                    writer.write_indicator(":", true, false, true);
                }
                write(writer, value, true);
            }
            writer.pop_indent();
        }
    }
}

fn write_word(writer: &mut Writer, text: &str) {
    writer.push_indent(true, false, false, false);
    writer.write_scalar(text, ScalarStyle::Plain, Place::default(), |_| {});
    writer.pop_indent();
}

fn write_text(writer: &mut Writer, text: &str, simple_key: bool) {
    let folded;
    let text = if text.contains('\u{85}') {
        folded = fold_next_lines(text);
        &folded
    } else {
        text
    };
    let style = if text.contains('\n') {
        ScalarStyle::Literal
    } else if plain(text, Rules::V2, true) == Scalar::Text && !is_base_60(text) {
        ScalarStyle::Plain
    } else {
        ScalarStyle::DoubleQuoted
    };
    let place = Place {
        in_flow: false,
        simple_key,
    };
    let analysis = writer.analyze(text);
    let style = writer.select_style(text, &analysis, style, place, true);
    writer.push_indent(true, false, false, false);
    writer.write_scalar(text, style, place, Writer::put_break);
    writer.pop_indent();
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
fn sort_entries<V>(mut entries: Vec<(&str, V)>) -> Vec<(&str, V)> {
    if entries.len() < 2 {
        return entries;
    }
    let right = entries.split_off(entries.len() / 2);
    let mut left = sort_entries(entries).into_iter().peekable();
    let mut right = sort_entries(right).into_iter().peekable();
    let mut out = Vec::with_capacity(left.len() + right.len());
    while let (Some(one), Some(other)) = (left.peek(), right.peek()) {
        let next = if less(other.0, one.0) {
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

/// The order of keys: runs of digits by their number, letters after everything else.
fn less(one: &str, other: &str) -> bool {
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
        (true, false) | (false, true) => return letters.1,
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
