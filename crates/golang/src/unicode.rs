//! Classes and cases of single characters, as Go's `unicode` has them.
//!
//! Rust's own answers differ: `is_uppercase` and `is_alphabetic` take in more than the letters, and a
//! mapping to another case may give several characters where Go's gives one.
//!
//! # Source
//! golang/go `src/unicode/{graphic,letter}.go`; the Unicode Character Database.

use std::sync::OnceLock;

use regex::Regex;

/// Whether `character` is in a general category, beyond ASCII.
fn is(class: &'static OnceLock<Option<Regex>>, pattern: &str, character: char) -> bool {
    class
        .get_or_init(|| Regex::new(pattern).ok())
        .as_ref()
        .is_some_and(|class| class.is_match(character.encode_utf8(&mut [0; 4])))
}

/// `unicode.IsUpper`: upper case letters.
pub fn is_upper(character: char) -> bool {
    static CLASS: OnceLock<Option<Regex>> = OnceLock::new();
    match character.is_ascii() {
        true => character.is_ascii_uppercase(),
        false => character.is_uppercase() && is(&CLASS, r"\p{Lu}", character),
    }
}

/// `unicode.IsLower`: lower case letters.
pub fn is_lower(character: char) -> bool {
    static CLASS: OnceLock<Option<Regex>> = OnceLock::new();
    match character.is_ascii() {
        true => character.is_ascii_lowercase(),
        false => character.is_lowercase() && is(&CLASS, r"\p{Ll}", character),
    }
}

/// `unicode.IsTitle`: letters of two parts, of which the first is in upper case.
pub fn is_title(character: char) -> bool {
    static CLASS: OnceLock<Option<Regex>> = OnceLock::new();
    !character.is_ascii() && is(&CLASS, r"\p{Lt}", character)
}

/// `unicode.IsLetter`.
pub fn is_letter(character: char) -> bool {
    static CLASS: OnceLock<Option<Regex>> = OnceLock::new();
    match character.is_ascii() {
        true => character.is_ascii_alphabetic(),
        false => character.is_alphabetic() && is(&CLASS, r"\p{L}", character),
    }
}

/// `unicode.IsDigit`: decimal digits of any script.
pub fn is_digit(character: char) -> bool {
    static CLASS: OnceLock<Option<Regex>> = OnceLock::new();
    match character.is_ascii() {
        true => character.is_ascii_digit(),
        false => character.is_numeric() && is(&CLASS, r"\p{Nd}", character),
    }
}

/// `unicode.IsNumber`: digits, fractions, Roman numerals and such.
pub fn is_number(character: char) -> bool {
    character.is_numeric()
}

/// `unicode.IsPunct`. Of ASCII, `$+<=>^|~` and the backquote are symbols and not in it.
pub fn is_punctuation(character: char) -> bool {
    static CLASS: OnceLock<Option<Regex>> = OnceLock::new();
    match character.is_ascii() {
        true => {
            character.is_ascii_punctuation()
                && !matches!(
                    character,
                    '$' | '+' | '<' | '=' | '>' | '^' | '|' | '~' | '`'
                )
        }
        false => is(&CLASS, r"\p{P}", character),
    }
}

/// `unicode.IsSpace`.
pub fn is_space(character: char) -> bool {
    character.is_whitespace()
}

/// `unicode.ToUpper`: always one character.
pub fn to_upper(character: char) -> char {
    match character {
        // Greek letters with an iota beside them: their full mapping has two letters, the simple one
        // is the title case.
        '\u{1f80}'..='\u{1faf}' => raise_iota(character),
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => shift(character, 9),
        '\u{1fbc}' | '\u{1fcc}' | '\u{1ffc}' => character,
        _ => single(character.to_uppercase(), character),
    }
}

/// `unicode.ToLower`: always one character.
pub fn to_lower(character: char) -> char {
    match character {
        '\u{130}' => 'i',
        _ => single(character.to_lowercase(), character),
    }
}

/// `unicode.ToTitle`: as [`to_upper`], but for letters of two parts and Georgian.
pub fn to_title(character: char) -> char {
    match character {
        '\u{1c4}'..='\u{1c6}' => '\u{1c5}',
        '\u{1c7}'..='\u{1c9}' => '\u{1c8}',
        '\u{1ca}'..='\u{1cc}' => '\u{1cb}',
        '\u{1f1}'..='\u{1f3}' => '\u{1f2}',
        '\u{10d0}'..='\u{10fa}' | '\u{10fd}'..='\u{10ff}' => character,
        _ => to_upper(character),
    }
}

/// Lower and upper letters with iota come in groups of eight.
fn raise_iota(character: char) -> char {
    if u32::from(character) & 8 == 0 {
        shift(character, 8)
    } else {
        character
    }
}

fn shift(character: char, by: u32) -> char {
    char::from_u32(u32::from(character) + by).unwrap_or(character)
}

fn single(mut mapped: impl ExactSizeIterator<Item = char>, character: char) -> char {
    match (mapped.len(), mapped.next()) {
        (1, Some(mapped)) => mapped,
        _ => character,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_map_one_to_one() {
        for (character, upper, lower, title) in [
            ('a', 'A', 'a', 'A'),
            ('É', 'É', 'é', 'É'),
            ('ß', 'ß', 'ß', 'ß'),
            ('ÿ', 'Ÿ', 'ÿ', 'Ÿ'),
            ('İ', 'İ', 'i', 'İ'),
            ('ı', 'I', 'ı', 'I'),
            ('Σ', 'Σ', 'σ', 'Σ'),
            ('ǆ', 'Ǆ', 'ǆ', 'ǅ'),
            ('ǅ', 'Ǆ', 'ǆ', 'ǅ'),
            ('ᾳ', 'ᾼ', 'ᾳ', 'ᾼ'),
            ('ᾀ', 'ᾈ', 'ᾀ', 'ᾈ'),
            ('ა', 'Ა', 'ა', 'ა'),
            ('ﬀ', 'ﬀ', 'ﬀ', 'ﬀ'),
            ('1', '1', '1', '1'),
        ] {
            assert_eq!(to_upper(character), upper);
            assert_eq!(to_lower(character), lower);
            assert_eq!(to_title(character), title);
        }
    }

    #[test]
    fn classes_are_general_categories() {
        assert!(is_upper('É') && !is_upper('Ⅷ') && !is_upper('ǅ'));
        assert!(is_lower('é') && !is_lower('ª') && !is_lower('ⅷ'));
        assert!(is_title('ǅ') && !is_title('A'));
        assert!(is_letter('日') && is_letter('ª') && !is_letter('Ⅷ'));
        assert!(is_digit('٣') && !is_digit('½') && is_number('½'));
        assert!(is_punctuation('-') && is_punctuation('_') && is_punctuation('«'));
        assert!(!is_punctuation('+') && !is_punctuation('€') && !is_punctuation('`'));
        assert!(is_space('\u{a0}') && is_space('\u{85}') && !is_space('\u{200b}'));
    }
}
