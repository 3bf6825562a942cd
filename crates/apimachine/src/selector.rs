//! Field selectors: text to requirements, requirements against fields.
//!
//! # Source
//! kubernetes/apimachinery `pkg/fields/selector.go`.

use object::Text;

/// A field selector; empty matches everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FieldSelector(Vec<(Text, bool, Text)>);

impl FieldSelector {
    /// Reads `metadata.name=a,status.phase!=Running`. Whether the fields exist is another question.
    ///
    /// # Errors
    /// Text as the API server answers it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut terms = Vec::new();
        for term in split_terms(text)
            .into_iter()
            .filter(|term| !term.is_empty())
        {
            let operator = term.char_indices().find_map(|(at, _)| {
                let found = ["!=", "==", "="]
                    .into_iter()
                    .find(|operator| term[at..].starts_with(operator));
                found.map(|operator| (at, operator))
            });
            let Some((at, operator)) = operator else {
                return Err(format!(
                    "invalid selector: '{text}'; can't understand '{term}'"
                ));
            };
            let value = unescape(&term[at + operator.len()..])?;
            terms.push((term[..at].into(), operator != "!=", value.into()));
        }
        Ok(Self(terms))
    }

    /// Whether nothing is required.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fields it asks for.
    pub fn fields(&self) -> impl Iterator<Item = &Text> {
        self.0.iter().map(|(field, _, _)| field)
    }

    /// The value that `field` has to have, if it has to have one.
    pub fn exact(&self, field: &str) -> Option<&Text> {
        let mut terms = self.0.iter();
        let found = terms.find(|(name, equal, _)| name == field && *equal);
        found.map(|(_, _, value)| value)
    }

    /// Whether an object is selected whose fields `value_of` reads.
    pub fn matches(&self, value_of: impl Fn(&str) -> String) -> bool {
        self.0
            .iter()
            .all(|(field, equal, value)| (value_of(field) == value.as_str()) == *equal)
    }
}

fn split_terms(text: &str) -> Vec<&str> {
    let mut terms = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ',' => {
                terms.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    terms.push(&text[start..]);
    terms
}

fn unescape(text: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => match characters.next() {
                Some(c @ ('\\' | ',' | '=')) => out.push(c),
                Some(c) => {
                    return Err(format!(
                        "invalid field selector: invalid escape sequence: \\{c}"
                    ));
                }
                None => {
                    return Err("invalid field selector: invalid escape sequence: \\".to_owned());
                }
            },
            ',' | '=' => {
                return Err(format!(
                    "invalid field selector: unescaped character in value: {}",
                    u32::from(c)
                ));
            }
            c => out.push(c),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_compared_as_text() {
        let value_of = |field: &str| match field {
            "metadata.name" => "web".to_owned(),
            "spec.text" => "a,b".to_owned(),
            _ => String::new(),
        };
        for (text, expected) in [
            ("", true),
            ("metadata.name=web", true),
            ("metadata.name==web,status.phase=", true),
            ("metadata.name!=web", false),
            (r"spec.text=a\,b", true),
        ] {
            let selector = FieldSelector::parse(text).expect(text);
            assert_eq!(selector.matches(value_of), expected, "{text}");
        }
    }

    #[test]
    fn broken_selectors_say_what_is_not_understood() {
        for (text, expected) in [
            (
                "metadata.name",
                "invalid selector: 'metadata.name'; can't understand 'metadata.name'",
            ),
            (
                r"a=\b",
                r"invalid field selector: invalid escape sequence: \b",
            ),
        ] {
            assert_eq!(FieldSelector::parse(text).expect_err(text), expected);
        }
    }
}
