//! Tokens to syntax tree, macros included.
//!
//! Own parser rather than the `cel` crate's: that one returns no source positions, which the API
//! server's messages carry, and expands macros into folds.
//!
//! # Source
//! Grammar and precedence: google/cel-spec `doc/langdef.md`; macro texts: google/cel-go
//! `parser/macro.go`, `ext/comprehensions.go`, `ext/bindings.go`, `cel/library.go`.

use object::Text;

use crate::ast::{
    Bind, Binding, Call, Comprehension, Element, Entry, Expr, Fold, Index, Kind, Select, Target,
};
use crate::error::{CompileError, Issue};
use crate::lexer::{Spanned, Token, tokens};
use crate::{AST_NODES_MAX, NESTING_MAX, TEXT_BYTES_MAX, Value};

const RESERVED: [&str; 17] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// Binary operators with their precedence, loosest first; `&&` and `||` are handled apart.
const OPERATORS: [(&str, u8); 11] = [
    ("==", 1),
    ("!=", 1),
    ("<", 1),
    ("<=", 1),
    (">", 1),
    (">=", 1),
    ("+", 2),
    ("-", 2),
    ("*", 3),
    ("/", 3),
    ("%", 3),
];

pub(crate) fn parse(text: &str) -> Result<Expr, CompileError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(CompileError::TooLarge {
            what: "text bytes",
            limit: TEXT_BYTES_MAX,
        });
    }
    let tokens = tokens(text).map_err(|issue| CompileError::Invalid(vec![issue]))?;
    let mut parser = Parser {
        text,
        tokens,
        next: 0,
        nodes: 0,
        open: 0,
    };
    let expr = parser.expression()?;
    match parser.peek() {
        Token::End => Ok(expr),
        _ => Err(parser.unexpected("<EOF>")),
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Spanned>,
    next: usize,
    nodes: usize,
    /// Expressions begun and not ended.
    open: usize,
}

type Parsed<T = Expr> = Result<T, CompileError>;

impl Parser<'_> {
    fn peek(&self) -> &Token {
        &self.tokens[self.next].token
    }

    fn at(&self) -> u32 {
        self.tokens[self.next].at
    }

    fn take(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Token::Symbol(next) if *next == symbol);
        if found {
            self.next += 1;
        }
        found
    }

    fn expect(&mut self, symbol: &'static str) -> Parsed<()> {
        if self.take(symbol) {
            return Ok(());
        }
        Err(self.unexpected(&format!("'{symbol}'")))
    }

    fn unexpected(&self, wanted: &str) -> CompileError {
        let at = self.at() as usize;
        let end = self
            .tokens
            .get(self.next + 1)
            .map_or(self.text.len(), |token| token.at as usize);
        let found = match self.peek() {
            Token::End => "<EOF>",
            _ => self.text[at..end].trim_end(),
        };
        self.error(
            self.at(),
            format!("Syntax error: mismatched input '{found}' expecting {wanted}"),
        )
    }

    fn error(&self, at: u32, message: impl Into<String>) -> CompileError {
        CompileError::Invalid(vec![Issue::new(self.text, at, message.into())])
    }

    fn node(&mut self, at: u32, kind: Kind) -> Parsed {
        self.nodes += 1;
        if self.nodes > AST_NODES_MAX {
            return Err(CompileError::TooLarge {
                what: "syntax nodes",
                limit: AST_NODES_MAX,
            });
        }
        let depth = 1 + deepest_child(&kind);
        if usize::from(depth) > NESTING_MAX {
            return Err(CompileError::TooLarge {
                what: "nesting",
                limit: NESTING_MAX,
            });
        }
        Ok(Expr { kind, at, depth })
    }

    /// `condition ? then : else`
    fn expression(&mut self) -> Parsed {
        self.open += 1;
        if self.open > NESTING_MAX {
            return Err(CompileError::TooLarge {
                what: "nesting",
                limit: NESTING_MAX,
            });
        }
        let condition = self.or()?;
        let at = self.at();
        let expr = if self.take("?") {
            let then = self.or()?;
            self.expect(":")?;
            let otherwise = self.expression()?;
            let branches = Box::new([condition, then, otherwise]);
            self.node(at, Kind::Conditional(branches))?
        } else {
            condition
        };
        self.open -= 1;
        Ok(expr)
    }

    fn or(&mut self) -> Parsed {
        let first = self.and()?;
        let at = self.at();
        if !matches!(self.peek(), Token::Symbol("||")) {
            return Ok(first);
        }
        let mut operands = vec![first];
        while self.take("||") {
            operands.push(self.and()?);
        }
        self.node(at, Kind::Or(operands))
    }

    fn and(&mut self) -> Parsed {
        let first = self.binary(1)?;
        let at = self.at();
        if !matches!(self.peek(), Token::Symbol("&&")) {
            return Ok(first);
        }
        let mut operands = vec![first];
        while self.take("&&") {
            operands.push(self.binary(1)?);
        }
        self.node(at, Kind::And(operands))
    }

    fn operator(&self, tightness: u8) -> Option<(&'static str, u8)> {
        match self.peek() {
            Token::Symbol(symbol) => OPERATORS
                .iter()
                .find(|(name, level)| name == symbol && *level >= tightness)
                .copied(),
            Token::Ident(name, false) if name == "in" && tightness <= 1 => Some(("in", 1)),
            _ => None,
        }
    }

    fn binary(&mut self, tightness: u8) -> Parsed {
        let mut left = self.unary()?;
        while let Some((symbol, level)) = self.operator(tightness) {
            let at = self.at();
            self.next += 1;
            let right = self.binary(level + 1)?;
            let name = match symbol {
                "in" => "@in".into(),
                symbol => format!("_{symbol}_"),
            };
            left = self.call(at, &name, false, vec![left, right])?;
        }
        Ok(left)
    }

    fn call(&mut self, at: u32, name: &str, member: bool, arguments: Vec<Expr>) -> Parsed {
        let target = Target::Named(name.into());
        self.node(
            at,
            Kind::Call(Call {
                target,
                member,
                arguments,
            }),
        )
    }

    fn unary(&mut self) -> Parsed {
        let at = self.at();
        let mut count = 0usize;
        if self.take("!") {
            count += 1;
            while self.take("!") {
                count += 1;
            }
            let operand = self.member()?;
            if count.is_multiple_of(2) {
                return Ok(operand);
            }
            return self.node(at, Kind::Not(Box::new(operand)));
        }
        if self.take("-") {
            count += 1;
            // `-1` is a literal; so is the smallest integer, which has no positive twin.
            if let Token::Literal(value) = self.peek() {
                let negated = match value {
                    Value::Int(value) => Some(Value::Int(value.wrapping_neg())),
                    Value::Double(value) => Some(Value::Double(-value)),
                    _ => None,
                };
                if let Some(value) = negated {
                    self.next += 1;
                    let literal = self.node(at, Kind::Literal(value))?;
                    return self.suffixes(literal);
                }
            }
            while self.take("-") {
                count += 1;
            }
            let operand = self.member()?;
            if count.is_multiple_of(2) {
                return Ok(operand);
            }
            return self.call(at, "-_", false, vec![operand]);
        }
        self.member()
    }

    fn member(&mut self) -> Parsed {
        let primary = self.primary()?;
        self.suffixes(primary)
    }

    fn suffixes(&mut self, mut operand: Expr) -> Parsed {
        loop {
            let at = self.at();
            if self.take(".") {
                let optional = self.take("?");
                let field = self.field()?;
                if !optional && matches!(self.peek(), Token::Symbol("(")) {
                    let open = self.at();
                    self.next += 1;
                    let arguments = self.arguments(")")?;
                    operand = self.member_call(open, operand, &field, arguments)?;
                    continue;
                }
                let select = Box::new(Select {
                    operand,
                    field,
                    optional,
                });
                operand = self.node(at, Kind::Select(select))?;
            } else if self.take("[") {
                let optional = self.take("?");
                let index = self.expression()?;
                self.expect("]")?;
                let index = Box::new(Index {
                    operand,
                    index,
                    optional,
                });
                operand = self.node(at, Kind::Index(index))?;
            } else if matches!(self.peek(), Token::Symbol("{")) && operand.dotted().is_some() {
                self.next += 1;
                let name = operand.dotted().expect("tested just above");
                let fields = self.struct_fields()?;
                operand = self.node(operand.at, Kind::Struct(name.into(), fields))?;
            } else {
                return Ok(operand);
            }
        }
    }

    /// The name after a dot; reserved words may stand there.
    fn field(&mut self) -> Parsed<Text> {
        let name = match self.peek() {
            Token::Ident(name, _) if name != "in" => name.clone(),
            _ => return Err(self.unexpected("IDENTIFIER")),
        };
        self.next += 1;
        Ok(name)
    }

    fn primary(&mut self) -> Parsed {
        let at = self.at();
        let literal = match self.peek() {
            Token::Literal(value) => Some(value.clone()),
            _ => None,
        };
        if let Some(value) = literal {
            // Without its sign it is too large.
            if let Value::Int(i64::MIN) = value {
                return Err(self.error(at, "invalid int literal"));
            }
            self.next += 1;
            return self.node(at, Kind::Literal(value));
        }
        if self.take("(") {
            let inner = self.expression()?;
            self.expect(")")?;
            return Ok(inner);
        }
        if self.take("[") {
            let elements = self.elements()?;
            return self.node(at, Kind::List(elements));
        }
        if self.take("{") {
            let entries = self.entries()?;
            return self.node(at, Kind::Map(entries));
        }
        // A leading dot asks for the root container, the only one there is.
        self.take(".");
        let name = match self.peek() {
            Token::Ident(name, quoted) if name != "in" => {
                if !quoted && RESERVED.contains(&name.as_str()) {
                    return Err(self.error(at, format!("reserved identifier: {name}")));
                }
                name.clone()
            }
            _ => {
                return Err(self.unexpected(
                    "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}",
                ));
            }
        };
        self.next += 1;
        let open = self.at();
        if self.take("(") {
            let arguments = self.arguments(")")?;
            return self.global_call(open, &name, arguments);
        }
        self.node(at, Kind::Ident(name))
    }

    fn arguments(&mut self, end: &'static str) -> Parsed<Vec<Expr>> {
        let mut arguments = Vec::new();
        if self.take(end) {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.expression()?);
            if self.take(end) {
                return Ok(arguments);
            }
            self.expect(",")?;
        }
    }

    fn elements(&mut self) -> Parsed<Vec<Element>> {
        let mut elements = Vec::new();
        while !self.take("]") {
            let optional = self.take("?");
            let value = self.expression()?;
            elements.push(Element { value, optional });
            if !self.take(",") {
                self.expect("]")?;
                break;
            }
        }
        Ok(elements)
    }

    fn entries(&mut self) -> Parsed<Vec<Entry>> {
        let mut entries = Vec::new();
        while !self.take("}") {
            let optional = self.take("?");
            let key = self.expression()?;
            self.expect(":")?;
            let value = self.expression()?;
            entries.push(Entry {
                key,
                value,
                optional,
            });
            if !self.take(",") {
                self.expect("}")?;
                break;
            }
        }
        Ok(entries)
    }

    fn struct_fields(&mut self) -> Parsed<Vec<(Text, Expr)>> {
        let mut fields = Vec::new();
        while !self.take("}") {
            let name = self.field()?;
            self.expect(":")?;
            fields.push((name, self.expression()?));
            if !self.take(",") {
                self.expect("}")?;
                break;
            }
        }
        Ok(fields)
    }

    fn global_call(&mut self, at: u32, name: &str, mut arguments: Vec<Expr>) -> Parsed {
        if name == "has" && arguments.len() == 1 {
            let argument = arguments.remove(0);
            return match argument.kind {
                Kind::Select(select) if !select.optional => {
                    self.node(argument.at, Kind::Has(select))
                }
                _ => Err(self.error(argument.at, "invalid argument to has() macro")),
            };
        }
        self.call(at, name, false, arguments)
    }

    fn member_call(
        &mut self,
        at: u32,
        operand: Expr,
        name: &str,
        mut arguments: Vec<Expr>,
    ) -> Parsed {
        if name == "bind" && arguments.len() == 3 && operand.dotted().as_deref() == Some("cel") {
            let body = arguments.remove(2);
            let init = arguments.remove(1);
            let name = self.variable(&arguments[0])?;
            return self.bind(at, Binding::Plain, name, init, body);
        }
        let optional = match (name, arguments.len()) {
            ("optMap", 2) => Some(Binding::OptMap),
            ("optFlatMap", 2) => Some(Binding::OptFlatMap),
            _ => None,
        };
        if let Some(binding) = optional {
            let body = arguments.remove(1);
            let name = self.variable(&arguments[0])?;
            return self.bind(at, binding, name, operand, body);
        }
        // (fold, variables, whether a filter stands before the last argument)
        let (fold, variables, filter) = match (name, arguments.len()) {
            ("all", 2) => (Fold::All, 1, false),
            ("all", 3) => (Fold::All, 2, false),
            ("exists", 2) => (Fold::Exists, 1, false),
            ("exists", 3) => (Fold::Exists, 2, false),
            ("exists_one", 2) => (Fold::ExistsOne, 1, false),
            ("exists_one" | "existsOne", 3) => (Fold::ExistsOne, 2, false),
            ("map", 2) => (Fold::List, 1, false),
            ("map", 3) => (Fold::List, 1, true),
            ("filter", 2) => (Fold::Filter, 1, false),
            ("transformList", 3) => (Fold::List, 2, false),
            ("transformList", 4) => (Fold::List, 2, true),
            ("transformMap", 3) => (Fold::Map, 2, false),
            ("transformMap", 4) => (Fold::Map, 2, true),
            ("transformMapEntry", 3) => (Fold::Entries, 2, false),
            ("transformMapEntry", 4) => (Fold::Entries, 2, true),
            ("sortBy", 2) => (Fold::SortBy, 1, false),
            _ => {
                arguments.insert(0, operand);
                return self.call(at, name, true, arguments);
            }
        };
        let body = arguments.pop().expect("counted above");
        let filter = if filter { arguments.pop() } else { None };
        let first = self.variable(&arguments[0])?;
        let second = match variables {
            2 => Some(self.variable(&arguments[1])?),
            _ => None,
        };
        let comprehension = Box::new(Comprehension {
            fold,
            range: operand,
            first,
            second,
            filter,
            body,
        });
        self.node(at, Kind::Comprehension(comprehension))
    }

    fn bind(&mut self, at: u32, binding: Binding, name: Text, init: Expr, body: Expr) -> Parsed {
        let bind = Box::new(Bind {
            binding,
            name,
            init,
            body,
        });
        self.node(at, Kind::Bind(bind))
    }

    fn variable(&self, argument: &Expr) -> Parsed<Text> {
        match &argument.kind {
            Kind::Ident(name) => Ok(name.clone()),
            _ => Err(self.error(argument.at, "argument must be a simple name")),
        }
    }
}

fn deepest_child(kind: &Kind) -> u16 {
    let deepest = |exprs: &[Expr]| exprs.iter().map(|expr| expr.depth).max().unwrap_or(0);
    match kind {
        Kind::Literal(_) | Kind::Ident(_) => 0,
        Kind::Select(select) | Kind::Has(select) => select.operand.depth,
        Kind::Index(index) => index.operand.depth.max(index.index.depth),
        Kind::List(elements) => elements.iter().map(|e| e.value.depth).max().unwrap_or(0),
        Kind::Map(entries) => entries
            .iter()
            .map(|entry| entry.key.depth.max(entry.value.depth))
            .max()
            .unwrap_or(0),
        Kind::Struct(_, fields) => fields.iter().map(|(_, e)| e.depth).max().unwrap_or(0),
        Kind::And(operands) | Kind::Or(operands) => deepest(operands),
        Kind::Not(operand) => operand.depth,
        Kind::Conditional(branches) => deepest(&**branches),
        Kind::Call(call) => deepest(&call.arguments),
        Kind::Comprehension(fold) => {
            let filter = fold.filter.as_ref().map_or(0, |filter| filter.depth);
            fold.range.depth.max(fold.body.depth).max(filter)
        }
        Kind::Bind(bind) => bind.init.depth.max(bind.body.depth),
    }
}
