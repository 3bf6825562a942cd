//! Upper and lower case, of characters and of words.
//!
//! # Source
//! golang/go `src/strings/strings.go`; Masterminds/goutils v1.1.1, `wordutils.go`; huandu/xstrings
//! v1.5.0, `convert.go`.

use golang::unicode;
use golang::utf8;
use gotemplate::{Functions, Type, Value};

use super::super::args::{function, text};
use words::{camel, joined_lower};

mod words;

pub(crate) fn add(functions: &mut Functions) {
    functions.insert(
        "upper",
        function(&[Type::String], |_, args| {
            let text = text(&args[0]);
            Ok(Value::from(if text.is_ascii() {
                text.to_ascii_uppercase()
            } else {
                mapped(text, unicode::to_upper)
            }))
        }),
    );
    functions.insert(
        "lower",
        function(&[Type::String], |_, args| {
            let text = text(&args[0]);
            Ok(Value::from(if text.is_ascii() {
                text.to_ascii_lowercase()
            } else {
                mapped(text, unicode::to_lower)
            }))
        }),
    );
    functions.insert(
        "title",
        function(&[Type::String], |_, args| {
            let mut before = ' ';
            Ok(Value::from(mapped(text(&args[0]), |character| {
                let first = separates(before);
                before = character;
                if first {
                    unicode::to_title(character)
                } else {
                    character
                }
            })))
        }),
    );
    functions.insert(
        "untitle",
        function(&[Type::String], |_, args| {
            let mut first = true;
            Ok(Value::from(mapped(text(&args[0]), |character| {
                if unicode::is_space(character) {
                    first = true;
                    character
                } else if std::mem::take(&mut first) {
                    unicode::to_lower(character)
                } else {
                    character
                }
            })))
        }),
    );
    functions.insert(
        "swapcase",
        function(&[Type::String], |_, args| {
            let mut after_blank = true;
            Ok(Value::from(mapped(text(&args[0]), |character| {
                swapped(character, &mut after_blank)
            })))
        }),
    );
    functions.insert(
        "snakecase",
        function(&[Type::String], |_, args| {
            Ok(Value::from(joined_lower(text(&args[0]), '_')))
        }),
    );
    functions.insert(
        "kebabcase",
        function(&[Type::String], |_, args| {
            Ok(Value::from(joined_lower(text(&args[0]), '-')))
        }),
    );
    functions.insert(
        "camelcase",
        function(&[Type::String], |_, args| {
            Ok(Value::from(camel(text(&args[0]))))
        }),
    );
}

/// The text with every character changed, and U+FFFD for every byte that is none.
fn mapped(text: &[u8], mut change: impl FnMut(char) -> char) -> Vec<u8> {
    let changed: String = utf8::characters(text)
        .map(|(_, character, _)| change(character.unwrap_or(char::REPLACEMENT_CHARACTER)))
        .collect();
    changed.into_bytes()
}

/// Whether a word may begin behind this character.
fn separates(character: char) -> bool {
    if character.is_ascii() {
        return !character.is_ascii_alphanumeric() && character != '_';
    }
    !unicode::is_letter(character) && !unicode::is_digit(character) && unicode::is_space(character)
}

fn swapped(character: char, after_blank: &mut bool) -> char {
    if unicode::is_upper(character) || unicode::is_title(character) {
        *after_blank = false;
        unicode::to_lower(character)
    } else if unicode::is_lower(character) {
        if std::mem::take(after_blank) {
            unicode::to_title(character)
        } else {
            unicode::to_upper(character)
        }
    } else {
        *after_blank = unicode::is_space(character);
        character
    }
}
