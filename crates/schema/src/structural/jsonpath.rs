//! The JSONPath of printer columns, scale and selectable fields.
//!
//! Understood: `.a.b`, `['a.b']`, `[0]`, `[-1]`, `[1:3]`, `[*]`, `.*`, `..a`, and filters
//! `[?(@.type=="Ready")]` with `==`, `!=`, `<`, `<=`, `>`, `>=` and mere presence.
//!
//! # Source
//! kubernetes/client-go `util/jsonpath/`.

use std::cmp::Ordering;

use object::Node;

/// Longest path: columns of the widest definitions have under 200 bytes.
pub const PATH_BYTES_MAX: usize = 4 << 10;

/// Most values one path may find.
pub const RESULTS_MAX: usize = 10_000;

/// A compiled path.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonPath(Vec<Step>);

/// Why a text is no path we understand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} at byte {offset} of the path")]
pub struct PathError {
    /// What is wrong.
    pub message: &'static str,
    /// Where.
    pub offset: usize,
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Key(String),
    Index(i64),
    Slice(Option<i64>, Option<i64>),
    All,
    /// Every value below, itself included.
    Below,
    Filter(Box<Filter>),
}

#[derive(Clone, Debug, PartialEq)]
struct Filter {
    left: Operand,
    /// Without comparison the filter asks for presence.
    compare: Option<(Compare, Operand)>,
}

#[derive(Clone, Debug, PartialEq)]
enum Operand {
    Path(JsonPath),
    Value(Node),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compare {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl JsonPath {
    /// Reads a path, with or without braces around it.
    ///
    /// # Errors
    /// When it is no path, or longer than [`PATH_BYTES_MAX`].
    pub fn parse(text: &str) -> Result<Self, PathError> {
        if text.len() > PATH_BYTES_MAX {
            return Err(PathError {
                message: "path too long",
                offset: PATH_BYTES_MAX,
            });
        }
        let inner = text
            .strip_prefix('{')
            .and_then(|text| text.strip_suffix('}'));
        let mut parser = Parser {
            text: inner.unwrap_or(text),
            at: 0,
        };
        let path = parser.path(false)?;
        match parser.rest() {
            "" => Ok(path),
            _ => Err(parser.error("unexpected character")),
        }
    }

    /// Every value the path leads to, in order, at most [`RESULTS_MAX`].
    pub fn find<'a>(&'a self, root: &'a Node) -> Vec<&'a Node> {
        let mut found = vec![root];
        for step in &self.0 {
            let mut next = Vec::new();
            for node in found {
                step.apply(node, &mut next);
                if next.len() >= RESULTS_MAX {
                    next.truncate(RESULTS_MAX);
                    break;
                }
            }
            found = next;
        }
        found
    }

    /// The first value the path leads to.
    pub fn first<'a>(&'a self, root: &'a Node) -> Option<&'a Node> {
        self.find(root).first().copied()
    }
}

impl Step {
    fn apply<'a>(&'a self, node: &'a Node, found: &mut Vec<&'a Node>) {
        match self {
            Self::Key(key) => found.extend(node.get(key)),
            Self::Index(index) => {
                let items = node.as_list().unwrap_or_default();
                found.extend(position(*index, items.len()).and_then(|at| items.get(at)));
            }
            Self::Slice(from, to) => {
                let items = node.as_list().unwrap_or_default();
                let bound = |bound: &Option<i64>, default: usize| match bound {
                    Some(index) if *index < 0 => {
                        items.len().saturating_sub(index.unsigned_abs() as usize)
                    }
                    Some(index) => (*index as usize).min(items.len()),
                    None => default,
                };
                let (from, to) = (bound(from, 0), bound(to, items.len()));
                found.extend(items.get(from..to).unwrap_or_default());
            }
            Self::All => match node {
                Node::List(items) => found.extend(items.iter()),
                Node::Map(map) => found.extend(map.values()),
                _ => {}
            },
            Self::Below => below(node, found),
            Self::Filter(filter) => {
                let items = node.as_list().unwrap_or_default();
                found.extend(items.iter().filter(|item| filter.accepts(item)));
            }
        }
    }
}

fn below<'a>(node: &'a Node, found: &mut Vec<&'a Node>) {
    if found.len() >= RESULTS_MAX {
        return;
    }
    found.push(node);
    match node {
        Node::List(items) => items.iter().for_each(|item| below(item, found)),
        Node::Map(map) => map.values().for_each(|value| below(value, found)),
        _ => {}
    }
}

fn position(index: i64, length: usize) -> Option<usize> {
    match index {
        index if index < 0 => length.checked_sub(usize::try_from(index.unsigned_abs()).ok()?),
        index => usize::try_from(index).ok(),
    }
}

impl Filter {
    fn accepts(&self, item: &Node) -> bool {
        let left = self.left.value(item);
        let Some((compare, right)) = &self.compare else {
            return left.is_some();
        };
        let (Some(left), Some(right)) = (left, right.value(item)) else {
            return false;
        };
        let order = match (left, right) {
            (Node::String(a), Node::String(b)) => Some(a.cmp(b)),
            (a, b) if a == b => Some(Ordering::Equal),
            (a, b) => match (a.as_f64(), b.as_f64()) {
                (Some(a), Some(b)) => a.partial_cmp(&b),
                _ => None,
            },
        };
        match compare {
            Compare::Equal => order == Some(Ordering::Equal),
            Compare::NotEqual => order != Some(Ordering::Equal),
            Compare::Less => order == Some(Ordering::Less),
            Compare::LessOrEqual => order.is_some_and(Ordering::is_le),
            Compare::Greater => order == Some(Ordering::Greater),
            Compare::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
        }
    }
}

impl Operand {
    fn value<'a>(&'a self, item: &'a Node) -> Option<&'a Node> {
        match self {
            Self::Path(path) => path.first(item),
            Self::Value(value) => Some(value),
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn error(&self, message: &'static str) -> PathError {
        PathError {
            message,
            offset: self.at,
        }
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start_matches(' ').len();
    }

    /// Steps until the end or, inside a filter, until something else.
    fn path(&mut self, inside: bool) -> Result<JsonPath, PathError> {
        let mut steps = Vec::new();
        let _ = self.take("$") || (inside && self.take("@"));
        loop {
            if self.take("..") {
                steps.push(Step::Below);
                if !self.rest().starts_with('[') {
                    steps.push(self.name()?);
                }
            } else if self.take(".") {
                let end = matches!(self.rest().chars().next(), None | Some('[' | ' ' | ')'));
                if !end {
                    steps.push(self.name()?);
                }
            } else if self.take("[") {
                // Filters do not hold filters.
                steps.push(self.bracket(inside)?);
            } else if steps.is_empty() && !inside && !self.rest().is_empty() {
                steps.push(self.name()?);
            } else {
                return Ok(JsonPath(steps));
            }
        }
    }

    fn name(&mut self) -> Result<Step, PathError> {
        let mut name = String::new();
        let mut characters = self.rest().chars();
        while let Some(c) = characters.next() {
            match c {
                '\\' => {
                    let next = characters
                        .next()
                        .ok_or_else(|| self.error("unfinished escape"))?;
                    name.push(next);
                    self.at += 1 + next.len_utf8();
                }
                '.' | '[' | ']' | '(' | ')' | '=' | '!' | '<' | '>' | ' ' | '{' | '}' => break,
                c => {
                    name.push(c);
                    self.at += c.len_utf8();
                }
            }
        }
        match name.as_str() {
            "" => Err(self.error("expected a name")),
            "*" => Ok(Step::All),
            _ => Ok(Step::Key(name)),
        }
    }

    fn bracket(&mut self, inside: bool) -> Result<Step, PathError> {
        let step = if self.take("?(") {
            if inside {
                return Err(self.error("a filter cannot hold another"));
            }
            let filter = self.filter()?;
            if !self.take(")") {
                return Err(self.error("expected )"));
            }
            Step::Filter(Box::new(filter))
        } else if self.take("*") {
            Step::All
        } else if let Some(quote) = self
            .rest()
            .chars()
            .next()
            .filter(|c| matches!(c, '\'' | '"'))
        {
            Step::Key(self.quoted(quote)?)
        } else {
            let end = self
                .rest()
                .find(']')
                .ok_or_else(|| self.error("expected ]"))?;
            let inner = &self.rest()[..end];
            let number = |text: &str| text.trim().parse::<i64>().ok();
            let step = match inner.split_once(':') {
                None => number(inner).map(Step::Index),
                Some((from, to)) => {
                    let bound = |text: &str| match text.trim() {
                        "" => Some(None),
                        text => number(text).map(Some),
                    };
                    bound(from)
                        .zip(bound(to))
                        .map(|(from, to)| Step::Slice(from, to))
                }
            };
            let step = step.ok_or_else(|| self.error("expected an index"))?;
            self.at += end;
            step
        };
        match self.take("]") {
            true => Ok(step),
            false => Err(self.error("expected ]")),
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String, PathError> {
        let mut text = String::new();
        let mut characters = self.rest().char_indices().skip(1);
        while let Some((at, c)) = characters.next() {
            match c {
                '\\' => text.extend(characters.next().map(|(_, c)| c)),
                c if c == quote => {
                    self.at += at + 1;
                    return Ok(text);
                }
                c => text.push(c),
            }
        }
        Err(self.error("unfinished text"))
    }

    fn filter(&mut self) -> Result<Filter, PathError> {
        let left = self.operand()?;
        self.blanks();
        let operators = [
            ("==", Compare::Equal),
            ("!=", Compare::NotEqual),
            ("<=", Compare::LessOrEqual),
            (">=", Compare::GreaterOrEqual),
            ("<", Compare::Less),
            (">", Compare::Greater),
        ];
        let compare = operators.into_iter().find(|(token, _)| self.take(token));
        let compare = match compare {
            None => None,
            Some((_, compare)) => Some((compare, self.operand()?)),
        };
        self.blanks();
        Ok(Filter { left, compare })
    }

    fn operand(&mut self) -> Result<Operand, PathError> {
        self.blanks();
        match self.rest().chars().next() {
            Some(quote @ ('\'' | '"')) => Ok(Operand::Value(Node::from(self.quoted(quote)?))),
            Some('@' | '$' | '.') => Ok(Operand::Path(self.path(true)?)),
            _ => {
                let end = self.rest().find([')', ' ', '=', '!', '<', '>']);
                let word = &self.rest()[..end.unwrap_or(self.rest().len())];
                let value = match word {
                    "true" => Node::Bool(true),
                    "false" => Node::Bool(false),
                    word => match (word.parse::<i64>(), word.parse::<f64>()) {
                        (Ok(number), _) => Node::Int(number),
                        (_, Ok(number)) if number.is_finite() => Node::Float(number),
                        _ => return Err(self.error("expected a value")),
                    },
                };
                self.at += word.len();
                Ok(Operand::Value(value))
            }
        }
    }
}
