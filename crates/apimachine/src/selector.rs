//! Label and field selectors: text to requirements, requirements against objects.
//!
//! # Source
//! kubernetes/apimachinery `pkg/labels/selector.go`, `pkg/fields/selector.go`.

use object::{Map, Node, Text};

use crate::metadata;

/// A label selector; empty matches everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LabelSelector(Vec<Requirement>);

#[derive(Clone, Debug, PartialEq)]
struct Requirement {
    key: Text,
    operator: Operator,
    values: Vec<Text>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
    GreaterThan,
    LessThan,
}

impl LabelSelector {
    /// Reads `a=b,c!=d,e in (f,g),!h`.
    ///
    /// # Errors
    /// Text as the API server answers it.
    pub fn parse(text: &str) -> Result<Self, String> {
        Parser {
            tokens: scan(text),
            at: 0,
        }
        .selector()
        .map(Self)
    }

    /// Reads the `LabelSelector` object of a spec; malformed parts match nothing.
    pub fn from_node(node: &Node) -> Self {
        let mut requirements = Vec::new();
        for (key, value) in node
            .get("matchLabels")
            .and_then(Node::as_map)
            .into_iter()
            .flat_map(Map::iter)
        {
            requirements.push(Requirement {
                key: key.clone(),
                operator: Operator::In,
                values: value.as_str().map(Text::from).into_iter().collect(),
            });
        }
        let expressions = node
            .get("matchExpressions")
            .and_then(Node::as_list)
            .unwrap_or_default();
        for expression in expressions {
            let values = expression
                .get("values")
                .and_then(Node::as_list)
                .unwrap_or_default();
            requirements.push(Requirement {
                key: expression.str_at(&["key"]).unwrap_or_default().into(),
                operator: match expression.str_at(&["operator"]) {
                    Some("NotIn") => Operator::NotIn,
                    Some("Exists") => Operator::Exists,
                    Some("DoesNotExist") => Operator::DoesNotExist,
                    _ => Operator::In,
                },
                values: values
                    .iter()
                    .filter_map(|value| Some(value.as_str()?.into()))
                    .collect(),
            });
        }
        Self(requirements)
    }

    /// Whether nothing is required.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an object with these labels is selected.
    pub fn matches(&self, labels: Option<&Map>) -> bool {
        let label = |key: &str| labels.and_then(|labels| labels.get(key)?.as_str());
        self.0
            .iter()
            .all(|requirement| requirement.matches(label(&requirement.key)))
    }
}

impl Requirement {
    fn matches(&self, label: Option<&str>) -> bool {
        let listed = |label: &str| self.values.iter().any(|value| value == label);
        let numbers = |label: &str| {
            let bound: Option<i64> = self.values.first().and_then(|value| value.parse().ok());
            Some((label.parse::<i64>().ok()?, bound?))
        };
        match self.operator {
            Operator::In => label.is_some_and(listed),
            Operator::NotIn => !label.is_some_and(listed),
            Operator::Exists => label.is_some(),
            Operator::DoesNotExist => label.is_none(),
            Operator::GreaterThan => label
                .and_then(numbers)
                .is_some_and(|(value, bound)| value > bound),
            Operator::LessThan => label
                .and_then(numbers)
                .is_some_and(|(value, bound)| value < bound),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TokenKind {
    End,
    Identifier,
    In,
    NotIn,
    Equals,
    DoubleEquals,
    NotEquals,
    Greater,
    Less,
    Not,
    Open,
    Close,
    Comma,
}

fn scan(text: &str) -> Vec<(TokenKind, &str)> {
    const SYMBOLS: &[(&str, TokenKind)] = &[
        ("==", TokenKind::DoubleEquals),
        ("!=", TokenKind::NotEquals),
        ("=", TokenKind::Equals),
        ("!", TokenKind::Not),
        ("(", TokenKind::Open),
        (")", TokenKind::Close),
        (",", TokenKind::Comma),
        (">", TokenKind::Greater),
        ("<", TokenKind::Less),
    ];
    let mut tokens = Vec::new();
    let mut rest = text;
    let blank = |c| matches!(c, ' ' | '\t' | '\r' | '\n');
    loop {
        rest = rest.trim_start_matches(blank);
        if rest.is_empty() {
            tokens.push((TokenKind::End, ""));
            return tokens;
        }
        let symbol = SYMBOLS.iter().find(|(symbol, _)| rest.starts_with(symbol));
        let (kind, length) = match symbol {
            Some((symbol, kind)) => (*kind, symbol.len()),
            None => {
                let end = |c| blank(c) || "=!(),><".contains(c);
                let length = rest.find(end).unwrap_or(rest.len());
                match &rest[..length] {
                    "in" => (TokenKind::In, length),
                    "notin" => (TokenKind::NotIn, length),
                    _ => (TokenKind::Identifier, length),
                }
            }
        };
        tokens.push((kind, &rest[..length]));
        rest = &rest[length..];
    }
}

struct Parser<'a> {
    tokens: Vec<(TokenKind, &'a str)>,
    at: usize,
}

impl<'a> Parser<'a> {
    /// The next token where keywords are names.
    fn peek(&self) -> (TokenKind, &'a str) {
        match self.peek_operator() {
            (TokenKind::In | TokenKind::NotIn, text) => (TokenKind::Identifier, text),
            other => other,
        }
    }

    fn peek_operator(&self) -> (TokenKind, &'a str) {
        self.tokens
            .get(self.at)
            .copied()
            .unwrap_or((TokenKind::End, ""))
    }

    fn next(&mut self) -> (TokenKind, &'a str) {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn selector(&mut self) -> Result<Vec<Requirement>, String> {
        let mut requirements = Vec::new();
        loop {
            match self.peek() {
                (TokenKind::Identifier | TokenKind::Not, _) => {
                    let requirement = self.requirement();
                    requirements.push(
                        requirement
                            .map_err(|error| format!("unable to parse requirement: {error}"))?,
                    );
                    match self.next() {
                        (TokenKind::End, _) => return Ok(requirements),
                        (TokenKind::Comma, _) => match self.peek() {
                            (TokenKind::Identifier | TokenKind::Not, _) => {}
                            (_, text) => {
                                return Err(format!(
                                    "found '{text}', expected: identifier after ','"
                                ));
                            }
                        },
                        (_, text) => {
                            return Err(format!(
                                "found '{text}', expected: ',' or 'end of string'"
                            ));
                        }
                    }
                }
                (TokenKind::End, _) => return Ok(requirements),
                (_, text) => {
                    return Err(format!(
                        "found '{text}', expected: !, identifier, or 'end of string'"
                    ));
                }
            }
        }
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let (mut kind, mut text) = self.next();
        let negated = kind == TokenKind::Not;
        if negated {
            (kind, text) = self.next();
        }
        if kind != TokenKind::Identifier {
            return Err(format!("found '{text}', expected: identifier"));
        }
        if let Some(problem) = metadata::qualified_name(text).first() {
            return Err(format!("<nil>: Invalid value: {text:?}: {problem}"));
        }
        let key: Text = text.into();
        if negated {
            return Ok(Requirement {
                key,
                operator: Operator::DoesNotExist,
                values: Vec::new(),
            });
        }
        if matches!(self.peek().0, TokenKind::End | TokenKind::Comma) {
            return Ok(Requirement {
                key,
                operator: Operator::Exists,
                values: Vec::new(),
            });
        }
        let (kind, text) = self.peek_operator();
        self.at += 1;
        let operator = match kind {
            TokenKind::In | TokenKind::Equals | TokenKind::DoubleEquals => Operator::In,
            TokenKind::NotIn | TokenKind::NotEquals => Operator::NotIn,
            TokenKind::Greater => Operator::GreaterThan,
            TokenKind::Less => Operator::LessThan,
            _ => {
                return Err(format!(
                    "found '{text}', expected: in, notin, =, ==, !=, gt, lt"
                ));
            }
        };
        let values = match kind {
            TokenKind::In | TokenKind::NotIn => self.values()?,
            _ => vec![self.value()?],
        };
        self.check(&key, operator, &values)?;
        Ok(Requirement {
            key,
            operator,
            values,
        })
    }

    fn check(&self, key: &str, operator: Operator, values: &[Text]) -> Result<(), String> {
        for (index, value) in values.iter().enumerate() {
            let number = matches!(operator, Operator::GreaterThan | Operator::LessThan);
            if number && value.parse::<i64>().is_err() {
                let problem = "for 'Gt', 'Lt' operators, the value must be an integer";
                return Err(format!(
                    "values[{index}]: Invalid value: {value:?}: {problem}"
                ));
            }
            if let Some(problem) = metadata::label_value(value).first() {
                return Err(format!(
                    "values[{index}][{key}]: Invalid value: {value:?}: {problem}"
                ));
            }
        }
        Ok(())
    }

    fn value(&mut self) -> Result<Text, String> {
        if matches!(self.peek().0, TokenKind::End | TokenKind::Comma) {
            return Ok(Text::default());
        }
        match self.next() {
            (TokenKind::Identifier, text) => Ok(text.into()),
            (_, text) => Err(format!("found '{text}', expected: identifier")),
        }
    }

    fn values(&mut self) -> Result<Vec<Text>, String> {
        match self.next() {
            (TokenKind::Open, _) => {}
            (_, text) => return Err(format!("found '{text}' expected: '('")),
        }
        match self.peek() {
            (TokenKind::Identifier | TokenKind::Comma, _) => {}
            (TokenKind::Close, _) => {
                self.at += 1;
                return Ok(Vec::new());
            }
            (_, text) => return Err(format!("found '{text}', expected: ',', ')' or identifier")),
        }
        let mut values = Vec::new();
        loop {
            match self.next() {
                (TokenKind::Identifier, text) => {
                    values.push(text.into());
                    match self.next() {
                        (TokenKind::Comma, _) if self.peek().0 == TokenKind::Close => {
                            values.push(Text::default())
                        }
                        (TokenKind::Comma, _) => {}
                        (TokenKind::Close, _) => return Ok(values),
                        (_, text) => return Err(format!("found '{text}', expected: ',' or ')'")),
                    }
                }
                (TokenKind::Comma, _) => values.push(Text::default()),
                (TokenKind::Close, _) => return Ok(values),
                (_, text) => return Err(format!("found '{text}', expected: ',', or identifier")),
            }
        }
    }
}

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
    fn selectors_select() {
        let labels: Map = [("app", "web"), ("n", "5")].into_iter().collect();
        for (text, expected) in [
            ("", true),
            ("app=web", true),
            ("app==web,n", true),
            ("app!=web", false),
            ("app in (db, web)", true),
            ("app notin (db)", true),
            ("other notin (db)", true),
            ("!app", false),
            ("!other", true),
            ("n>4", true),
            ("n<5", false),
            ("app in ()", false),
        ] {
            let selector = LabelSelector::parse(text).expect(text);
            assert_eq!(selector.matches(Some(&labels)), expected, "{text}");
        }
    }

    #[test]
    fn broken_selectors_say_what_was_found() {
        for (text, expected) in [
            (
                "a===b",
                "unable to parse requirement: found '=', expected: identifier",
            ),
            (
                "a in b",
                "unable to parse requirement: found 'b' expected: '('",
            ),
            (
                "!!a",
                "unable to parse requirement: found '!', expected: identifier",
            ),
            (
                "a b",
                "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
            ),
            ("a=b,", "found '', expected: identifier after ','"),
        ] {
            assert_eq!(LabelSelector::parse(text).expect_err(text), expected);
        }
        let error = FieldSelector::parse("metadata.name").expect_err("no operator");
        assert_eq!(
            error,
            "invalid selector: 'metadata.name'; can't understand 'metadata.name'"
        );
    }
}
