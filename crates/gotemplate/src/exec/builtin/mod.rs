//! The functions of text/template itself.
//!
//! # Source
//! golang/go `src/text/template/funcs.go` at 1.26.

mod compare;
mod escape;
mod index;

use super::Operand;
use crate::function::Known;
use crate::parse::Called;
use crate::{CallError, Context, Functions, Kind, Signature, Type, Use, Value, format};

/// What a name in a template calls.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Callee {
    /// A function of the program.
    Function(Known),
    Builtin(Builtin),
}

/// A function of text/template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Builtin {
    And,
    Call,
    Eq,
    Ge,
    Gt,
    Html,
    Index,
    Js,
    Le,
    Len,
    Lt,
    Ne,
    Not,
    Or,
    Print,
    Printf,
    Println,
    Slice,
    Urlquery,
}

const ALL: [Builtin; 19] = [
    Builtin::And,
    Builtin::Call,
    Builtin::Eq,
    Builtin::Ge,
    Builtin::Gt,
    Builtin::Html,
    Builtin::Index,
    Builtin::Js,
    Builtin::Le,
    Builtin::Len,
    Builtin::Lt,
    Builtin::Ne,
    Builtin::Not,
    Builtin::Or,
    Builtin::Print,
    Builtin::Printf,
    Builtin::Println,
    Builtin::Slice,
    Builtin::Urlquery,
];

impl Callee {
    /// The program's functions come before ours.
    pub(crate) fn find(name: &str, functions: &Functions) -> Option<Called> {
        if let Some((name, known)) = functions.known(name) {
            let callee = Self::Function(known);
            return Some(Called { name, callee });
        }
        let builtin = ALL.into_iter().find(|builtin| builtin.name() == name)?;
        Some(Called {
            name: builtin.name(),
            callee: Self::Builtin(builtin),
        })
    }
}

impl Builtin {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::And => "and",
            Self::Call => "call",
            Self::Eq => "eq",
            Self::Ge => "ge",
            Self::Gt => "gt",
            Self::Html => "html",
            Self::Index => "index",
            Self::Js => "js",
            Self::Le => "le",
            Self::Len => "len",
            Self::Lt => "lt",
            Self::Ne => "ne",
            Self::Not => "not",
            Self::Or => "or",
            Self::Print => "print",
            Self::Printf => "printf",
            Self::Println => "println",
            Self::Slice => "slice",
            Self::Urlquery => "urlquery",
        }
    }

    /// Whether it stops at the argument that decides.
    pub(super) fn is_logic(self) -> bool {
        matches!(self, Self::And | Self::Or)
    }

    pub(super) fn signature(self) -> Signature {
        let (params, variadic): (&'static [Type], _) = match self {
            Self::And | Self::Or | Self::Call | Self::Eq | Self::Index | Self::Slice => {
                (&[Type::Reflect], Some(Type::Reflect))
            }
            Self::Ge | Self::Gt | Self::Le | Self::Lt | Self::Ne => {
                (&[Type::Reflect, Type::Reflect], None)
            }
            Self::Len | Self::Not => (&[Type::Reflect], None),
            Self::Html | Self::Js | Self::Print | Self::Println | Self::Urlquery => {
                (&[], Some(Type::Any))
            }
            Self::Printf => (&[Type::String], Some(Type::Any)),
        };
        Signature { params, variadic }
    }
}

/// Calls a builtin function; `callee` is the word that `call` is given.
pub(super) fn call(
    context: &mut Context<'_>,
    builtin: Builtin,
    args: &[Operand],
    callee: impl FnOnce() -> String,
) -> Result<Operand, CallError> {
    let value = match builtin {
        Builtin::And | Builtin::Or => args.last().map_or(Value::Nil, |arg| arg.value.clone()),
        Builtin::Call => call_value(context, args, &callee())?,
        Builtin::Eq => Value::Bool(compare::eq(context, args)?),
        Builtin::Ne => Value::Bool(!compare::eq(context, args)?),
        Builtin::Lt => Value::Bool(compare::lt(&args[0], &args[1])?),
        Builtin::Ge => Value::Bool(!compare::lt(&args[0], &args[1])?),
        Builtin::Le => Value::Bool(compare::le(context, args)?),
        Builtin::Gt => Value::Bool(!compare::le(context, args)?),
        Builtin::Index => return index::index(context, args),
        Builtin::Slice => index::slice(context, args)?,
        Builtin::Len => Value::int(index::len(context, &args[0])?),
        Builtin::Not => {
            context.read_whole(&args[0].value, Use::Truth);
            Value::Bool(!args[0].value.truth())
        }
        Builtin::Html => text(context, args, Some(escape::html))?,
        Builtin::Js => text(context, args, Some(escape::js))?,
        Builtin::Urlquery => text(context, args, Some(escape::url_query))?,
        Builtin::Print => text(context, args, None)?,
        Builtin::Println => {
            let values = printable(context, args)?;
            made(context, format::sprintln(&values)?)?
        }
        Builtin::Printf => {
            let values = printable(context, &args[1..])?;
            let Value::String(template) = &args[0].value else {
                return Err("printf needs a format".into());
            };
            made(context, format::sprintf(template.as_bytes(), &values)?)?
        }
    };
    Ok(Operand::of(value))
}

/// The arguments, which together must not be more than an output may be.
fn printable(context: &mut Context<'_>, args: &[Operand]) -> Result<Vec<Value>, CallError> {
    let mut bytes = 0;
    for arg in args {
        context.read_whole(&arg.value, Use::Printed);
        bytes += context.weigh(&arg.value)?;
    }
    if bytes > context.limits.output_bytes {
        return Err(CallError::Limit(format!(
            "a text of more than {} bytes",
            context.limits.output_bytes
        )));
    }
    Ok(args.iter().map(|arg| arg.value.clone()).collect())
}

/// A new text.
fn made(context: &mut Context<'_>, text: Vec<u8>) -> Result<Value, CallError> {
    if text.len() > context.limits.output_bytes {
        return Err(CallError::Limit(format!(
            "a text of more than {} bytes",
            context.limits.output_bytes
        )));
    }
    context.charge_bytes(text.len() as u64)?;
    Ok(Value::from(text))
}

type Escape = fn(&[u8]) -> Vec<u8>;

fn text(
    context: &mut Context<'_>,
    args: &[Operand],
    escape: Option<Escape>,
) -> Result<Value, CallError> {
    let mut values = printable(context, args)?;
    let Some(escape) = escape else {
        return made(context, format::sprint(&values)?);
    };
    for value in &mut values {
        if let Value::Nil = value {
            *value = Value::from("<no value>");
        }
    }
    let text = match values.as_slice() {
        [Value::String(text)] => escape(text.as_bytes()),
        values => escape(&format::sprint_targets(values)?),
    };
    made(context, text)
}

fn call_value(
    context: &mut Context<'_>,
    args: &[Operand],
    callee: &str,
) -> Result<Value, CallError> {
    match &args[0].value {
        Value::Nil => Err("call of nil".into()),
        Value::Host(host) if host.kind() == Kind::Func => {
            let args: Vec<Value> = args[1..].iter().map(|arg| arg.value.clone()).collect();
            match host.call("", &args, context) {
                Some(result) => result,
                None => Err("call of nil".into()),
            }
        }
        other => Err(format!("non-function {callee} of type {}", other.type_name()).into()),
    }
}
