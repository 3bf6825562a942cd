//! The format of `printf`: texts, verbs, and which argument each takes.

use golang::utf8;

use super::fields::Field;
use super::print::Printer;
use crate::{CallError, Value};

/// Largest width and precision; what is larger counts as a mistake.
const NUMBER_MAX: i64 = 1_000_000;

struct Template<'a> {
    format: &'a [u8],
    args: &'a [Value],
    /// Where in the format we are.
    at: usize,
    /// The argument that comes next.
    next: usize,
    /// Whether some index such as `[2]` occurred.
    reordered: bool,
    /// Whether the indexes of the current verb name arguments.
    good: bool,
}

pub(super) fn expand(format: &[u8], args: &[Value]) -> Result<Vec<u8>, CallError> {
    let mut out = Vec::with_capacity(format.len() + 8 * args.len());
    let mut printer = Printer::new(&mut out);
    let mut template = Template {
        format,
        args,
        at: 0,
        next: 0,
        reordered: false,
        good: true,
    };
    while template.at < format.len() {
        let rest = &format[template.at..];
        let text = rest
            .iter()
            .position(|&byte| byte == b'%')
            .unwrap_or(rest.len());
        printer.room(text)?;
        printer.out.extend_from_slice(&rest[..text]);
        template.at += text;
        if template.at < format.len() {
            template.at += 1;
            template.verb(&mut printer)?;
        }
    }
    if !template.reordered && template.next < args.len() {
        printer.field = Field::default();
        printer.write("%!(EXTRA ")?;
        for (at, value) in args[template.next..].iter().enumerate() {
            if at > 0 {
                printer.write(", ")?;
            }
            if !matches!(value, Value::Nil) {
                printer.write(value.type_name())?;
                printer.write("=")?;
            }
            printer.print(value, 'v')?;
        }
        printer.write(")")?;
    }
    Ok(out)
}

impl Template<'_> {
    fn peek(&self) -> Option<u8> {
        self.format.get(self.at).copied()
    }

    /// Everything from the flags to the verb.
    fn verb(&mut self, printer: &mut Printer<'_>) -> Result<(), CallError> {
        self.good = true;
        printer.field = Field::default();
        self.flags(&mut printer.field);

        let mut after_index = self.index();
        if self.peek() == Some(b'*') {
            self.at += 1;
            match self.number_argument() {
                Some(width) => {
                    printer.field.width = Some(width.unsigned_abs() as usize);
                    if width < 0 {
                        printer.field.minus = true;
                        printer.field.zero = false;
                    }
                }
                None => printer.write("%!(BADWIDTH)")?,
            }
            after_index = false;
        } else {
            printer.field.width = self.number();
            if after_index && printer.field.width.is_some() {
                self.good = false;
            }
        }
        if self.peek() == Some(b'.') && self.at + 1 < self.format.len() {
            self.at += 1;
            if after_index {
                self.good = false;
            }
            after_index = self.index();
            if self.peek() == Some(b'*') {
                self.at += 1;
                match self.number_argument() {
                    Some(precision @ 0..) => printer.field.precision = Some(precision as usize),
                    _ => printer.write("%!(BADPREC)")?,
                }
                after_index = false;
            } else {
                printer.field.precision = Some(self.number().unwrap_or(0));
            }
        }
        if !after_index {
            self.index();
        }

        let (verb, width) = utf8::decode(&self.format[self.at..]);
        if width == 0 {
            return printer.write("%!(NOVERB)");
        }
        self.at += width;
        let verb = verb.unwrap_or(char::REPLACEMENT_CHARACTER);
        if verb == '%' {
            return printer.write("%");
        }
        if !self.good {
            return printer.write(&format!("%!{verb}(BADINDEX)"));
        }
        let Some(value) = self.args.get(self.next) else {
            return printer.write(&format!("%!{verb}(MISSING)"));
        };
        self.next += 1;
        if matches!(verb, 'v' | 'w') {
            // `%#v` is Go syntax and `%+v` names fields; neither means the flag.
            printer.field.syntax = std::mem::take(&mut printer.field.sharp);
            printer.field.names = std::mem::take(&mut printer.field.plus);
        }
        printer.print(value, verb)
    }

    fn flags(&mut self, field: &mut Field) {
        while let Some(byte) = self.peek() {
            match byte {
                b'#' => field.sharp = true,
                b'0' => field.zero = true,
                b'+' => field.plus = true,
                b'-' => field.minus = true,
                b' ' => field.space = true,
                _ => return,
            }
            self.at += 1;
        }
    }

    /// Digits. What is too large is none, and takes the rest of the format with it.
    fn number(&mut self) -> Option<usize> {
        let (number, end) = digits(self.format, self.at);
        self.at = end;
        number
    }

    /// An argument that stands for `*`.
    fn number_argument(&mut self) -> Option<i64> {
        let value = self.args.get(self.next)?;
        self.next += 1;
        let number = match value {
            Value::Int(value, _) => *value,
            Value::Uint(value, _) => i64::try_from(*value).ok()?,
            // A number with a name: a month, a length of time.
            Value::Host(host) => match host.contents()? {
                Value::Int(value, _) => value,
                _ => return None,
            },
            _ => return None,
        };
        (-NUMBER_MAX..=NUMBER_MAX)
            .contains(&number)
            .then_some(number)
    }

    /// An index such as `[2]`, which says what argument comes next. Whether there was one.
    fn index(&mut self) -> bool {
        if self.peek() != Some(b'[') {
            return false;
        }
        self.reordered = true;
        let rest = &self.format[self.at..];
        let close = match rest.iter().position(|&byte| byte == b']') {
            Some(close) if rest.len() >= 3 => close,
            _ => {
                self.good = false;
                self.at += 1;
                return false;
            }
        };
        self.at += close + 1;
        match digits(&rest[..close], 1) {
            (Some(number), end) if end == close => {
                match number.checked_sub(1) {
                    Some(index) if index < self.args.len() => self.next = index,
                    _ => self.good = false,
                }
                true
            }
            _ => {
                self.good = false;
                false
            }
        }
    }
}

fn digits(text: &[u8], start: usize) -> (Option<usize>, usize) {
    let mut number = None;
    for (at, byte) in text.iter().enumerate().skip(start) {
        if !byte.is_ascii_digit() {
            return (number, at);
        }
        let value = number.unwrap_or(0);
        if value > NUMBER_MAX as usize {
            return (None, text.len());
        }
        number = Some(value * 10 + usize::from(byte - b'0'));
    }
    (number, text.len())
}
