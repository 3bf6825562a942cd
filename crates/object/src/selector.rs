//! Label selectors: text to requirements, requirements against labels.
//!
//! # Source
//! kubernetes/apimachinery `pkg/labels/selector.go`.

use crate::{Map, Node, Text, names};

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
    /// [`SelectorError`], in the words of the API server.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        let tokens = scan(text);
        let requirements = Parser { tokens, at: 0 }.selector();
        requirements.map(Self).map_err(SelectorError)
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
            let values = expression.get("values").and_then(Node::as_list);
            let mut values: Vec<Text> = values
                .unwrap_or_default()
                .iter()
                .filter_map(|value| Some(value.as_str()?.into()))
                .collect();
            let operator = match expression.str_at(&["operator"]) {
                Some("In") => Operator::In,
                Some("NotIn") => Operator::NotIn,
                Some("Exists") => Operator::Exists,
                Some("DoesNotExist") => Operator::DoesNotExist,
                _ => {
                    values.clear();
                    Operator::In
                }
            };
            requirements.push(Requirement {
                key: expression.str_at(&["key"]).unwrap_or_default().into(),
                operator,
                values,
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
        self.matches_by(|key| labels.and_then(|labels| labels.get(key)?.as_str()))
    }

    /// Whether an object is selected whose labels `label` reads.
    pub fn matches_by<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.0
            .iter()
            .all(|requirement| requirement.matches(label(&requirement.key)))
    }
}

/// Why a text is no label selector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SelectorError(String);

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
        if let Some(problem) = names::qualified(text).first() {
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
            if let Some(problem) = names::label_value(value).first() {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_select() {
        let labels: Map = [("app", "web"), ("n", "5")].into_iter().collect();
        for (text, expected) in [
            ("", true),
            ("app=web", true),
            ("app == web , n", true),
            ("app!=web", false),
            ("other!=web", true),
            ("app in (db, web)", true),
            ("app notin (db)", true),
            ("app notin (db,web)", false),
            ("other notin (db)", true),
            ("!app", false),
            ("!other,app", true),
            ("n>4,n<6", true),
            ("n<5", false),
            ("app in ()", false),
        ] {
            let selector = LabelSelector::parse(text).expect(text);
            assert_eq!(selector.matches(Some(&labels)), expected, "{text}");
        }
    }

    #[test]
    fn selectors_of_specs_select() {
        let labels: Map = [("app", "web"), ("n", "5")].into_iter().collect();
        for (text, expected) in [
            (r#"{}"#, true),
            (r#"{"matchLabels": {"app": "web"}}"#, true),
            (r#"{"matchLabels": {"app": 1}}"#, false),
            (
                r#"{"matchExpressions": [{"key": "n", "operator": "In", "values": ["4", "5"]}]}"#,
                true,
            ),
            (
                r#"{"matchExpressions": [{"key": "n", "operator": "NotIn", "values": ["5"]}]}"#,
                false,
            ),
            (
                r#"{"matchExpressions": [{"key": "n", "operator": "Exists"}]}"#,
                true,
            ),
            (
                r#"{"matchExpressions": [{"key": "n", "operator": "DoesNotExist"}]}"#,
                false,
            ),
            (
                r#"{"matchExpressions": [{"key": "n", "operator": "Gt", "values": ["5"]}]}"#,
                false,
            ),
        ] {
            let node = crate::json::parse(text.as_bytes(), crate::json::OBJECT_LIMITS).expect(text);
            let selector = LabelSelector::from_node(&node);
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
                "a in (b",
                "unable to parse requirement: found '', expected: ',' or ')'",
            ),
            (
                "!!a",
                "unable to parse requirement: found '!', expected: identifier",
            ),
            (
                "=a",
                "found '=', expected: !, identifier, or 'end of string'",
            ),
            (
                "a b",
                "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
            ),
            ("a=b,", "found '', expected: identifier after ','"),
        ] {
            let error = LabelSelector::parse(text).expect_err(text);
            assert_eq!(error.to_string(), expected, "{text}");
        }
        for text in ["-a=b", "a=b c", "a=-", "a>b"] {
            assert!(LabelSelector::parse(text).is_err(), "{text}");
        }
    }
}
