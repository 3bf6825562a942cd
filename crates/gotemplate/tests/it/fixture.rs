//! The functions, values and templates that the rows are written for.

use std::any::Any;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use golang::Timestamp;
use gotemplate::{
    CallError, Context, Error, Field, Function, Functions, Host, Kind, Limits, List, Map,
    MapMethods, MapType, Method, MissingKey, Set, Signature, Str, Type, UintType, Value, World,
    format,
};

/// A world without time or chance.
pub struct Nowhere;

impl World for Nowhere {
    fn now(&self) -> Timestamp {
        panic!("no row asks for the time")
    }

    fn random(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

/// `type Values map[string]any` with methods.
#[derive(Debug)]
struct Values;

impl MapMethods for Values {
    fn type_name(&self) -> &'static str {
        "main.Values"
    }

    fn method(&self, name: &str) -> Method {
        let params: &[Type] = match name {
            "Table" => &[Type::String],
            "Count" => &[],
            _ => return Method::Absent,
        };
        Method::Takes(Signature {
            params,
            variadic: None,
        })
    }

    fn call(
        &self,
        map: &Map,
        name: &str,
        args: &[Value],
        _context: &mut Context<'_>,
    ) -> Option<Result<Value, CallError>> {
        Some(match (name, args) {
            ("Table", [Value::String(key)]) => match map.get(key.as_bytes()) {
                Some(table @ Value::Map(_)) => Ok(table),
                _ => Err(format!("{:?} is not a table", key.to_text()).into()),
            },
            ("Count", []) => Ok(Value::int(map.len() as i64)),
            _ => return None,
        })
    }
}

/// `*Version`, a struct with fields `Major int` and `Meta any`.
#[derive(Debug)]
struct Version {
    major: i64,
    meta: Value,
}

impl Host for Version {
    fn type_name(&self) -> &'static str {
        "*main.Version"
    }

    fn kind(&self) -> Kind {
        Kind::Pointer
    }

    fn text(&self) -> Option<String> {
        Some(format!("v{}", self.major))
    }

    fn fields(&self) -> Option<Vec<Field>> {
        let meta = Field::new("Meta", self.meta.clone());
        Some(vec![Field::new("Major", Value::int(self.major)), meta])
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Major" => Some(Value::int(self.major)),
            "Meta" => Some(self.meta.clone()),
            _ => None,
        }
    }

    fn method(&self, name: &str) -> Method {
        let params: &[Type] = match name {
            "String" | "Next" => &[],
            "Add" => &[Type::Int],
            _ => return Method::Absent,
        };
        Method::Takes(Signature {
            params,
            variadic: None,
        })
    }

    fn call(
        &self,
        name: &str,
        args: &[Value],
        _context: &mut Context<'_>,
    ) -> Option<Result<Value, CallError>> {
        Some(match (name, args) {
            ("String", []) => Ok(self.text().unwrap_or_default().into()),
            ("Next", []) => Ok(version(self.major + 1, Value::Nil)),
            ("Add", [Value::Int(number, _)]) if *number < 0 => Err("negative".into()),
            ("Add", [Value::Int(number, _)]) => Ok(Value::int(self.major + number)),
            _ => return None,
        })
    }

    fn equals(&self, _other: &dyn Host) -> bool {
        false
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn version(major: i64, meta: Value) -> Value {
    Value::Host(Rc::new(Version { major, meta }))
}

fn dict(entries: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    Value::Map(entries.into_iter().collect())
}

fn named(entries: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let entries = entries.into_iter();
    let entries: BTreeMap<Str, Value> = entries.map(|(key, value)| (key.into(), value)).collect();
    Value::Map(Map::new(entries, MapType::Named(&Values)))
}

/// The dot of every row.
pub fn data() -> Value {
    let texts = |items: [(&str, &str); 2]| {
        let items = items.into_iter();
        let entries = items.map(|(key, value)| (Str::from(key), Value::from(value)));
        Value::Map(Map::new(entries.collect(), MapType::String))
    };
    let ints = vec![Value::int(3), Value::int(4)];
    let values = named([
        ("s", "str".into()),
        ("n", Value::Nil),
        ("i", Value::Float(5.0)),
        ("big", Value::Float(12_345_678.0)),
        ("b", Value::Bool(true)),
        ("f", Value::Bool(false)),
        ("e", "".into()),
        (
            "l",
            Value::list(vec!["a".into(), dict([("k", "v".into())])]),
        ),
        ("m", dict([("x", dict([("z", Value::Float(1.0))]))])),
        ("strs", Value::strings(["x", "y"])),
        (
            "ints",
            Value::List(List::new(ints, gotemplate::ElementType::Int)),
        ),
        ("i64", Value::int64(7)),
        ("u", Value::Uint(8, UintType::Uint64)),
        ("tm", texts([("a", "1"), ("b", "2")])),
        ("bytes", Value::Bytes(b"hi".as_slice().into())),
        ("none", Value::list(vec![])),
        ("nils", Value::list(vec![Value::Nil, Value::int(1)])),
        ("html", "<a href='x'>&\"".into()),
        (
            "sub",
            named([("Count", "key".into()), ("q", Value::int(1))]),
        ),
    ]);
    let v = version(2, dict([("k", "v".into())]));
    dict([("Values", values), ("V", v)])
}

fn text(value: &Value) -> &[u8] {
    match value {
        Value::String(text) => text.as_bytes(),
        other => panic!("the check let {other:?} pass for a text"),
    }
}

fn list(value: &Value) -> &[Value] {
    match value {
        Value::List(list) => list.items(),
        Value::Nil => &[],
        other => panic!("the check let {other:?} pass for a list"),
    }
}

fn output(bytes: Vec<u8>) -> Result<Value, CallError> {
    Ok(Value::from(bytes))
}

/// Helm's `include`, without its counting.
fn include(context: &mut Context<'_>, args: &mut [Value]) -> Result<Value, CallError> {
    let mut out = Vec::new();
    context.execute(text(&args[0]), &args[1], &mut out)?;
    output(out)
}

/// Helm's `tpl`.
fn tpl(context: &mut Context<'_>, args: &mut [Value]) -> Result<Value, CallError> {
    let source = Str::from(text(&args[0]));
    let mut out = Vec::new();
    let done = context.execute_text(&"gotpl".into(), &source, &args[1], &mut out);
    let quoted = golang::strconv::quote(&source.to_text());
    match done {
        Ok(()) => output(out),
        Err(error) => Err(CallError::Template {
            before: match error {
                Error::Parse(_) => format!("cannot parse template {quoted}: "),
                _ => format!("error during tpl function execution for {quoted}: "),
            },
            error: Box::new(error),
        }),
    }
}

type Row = (
    &'static str,
    &'static [Type],
    Option<Type>,
    gotemplate::Body,
);

const ROWS: &[Row] = &[
    ("upper", &[Type::String], None, |_, args| {
        output(text(&args[0]).to_ascii_uppercase())
    }),
    ("trunc", &[Type::Int, Type::String], None, |_, args| {
        let Value::Int(length, _) = args[0] else {
            return Err("no length".into());
        };
        let text = text(&args[1]);
        output(text[..text.len().min(length as usize)].to_vec())
    }),
    ("list", &[], Some(Type::Any), |_, args| {
        Ok(Value::list(args.to_vec()))
    }),
    ("strs", &[], Some(Type::String), |_, args| {
        Ok(Value::List(List::new(
            args.to_vec(),
            gotemplate::ElementType::String,
        )))
    }),
    ("dict", &[], Some(Type::Any), |_, args| {
        let pairs = args.chunks_exact(2);
        let entries = pairs.map(|pair| Ok((format::sprint(&pair[..1])?, pair[1].clone())));
        let entries: Result<Map, CallError> = entries.collect();
        Ok(Value::Map(entries?))
    }),
    (
        "set",
        &[Type::Map, Type::String, Type::Any],
        None,
        |_, args| {
            let Value::Map(map) = &args[0] else {
                return Err("assignment to entry in nil map".into());
            };
            map.insert(text(&args[1]), args[2].clone());
            Ok(args[0].clone())
        },
    ),
    ("keep", &[Type::Map], None, |_, args| match &args[0] {
        Value::Map(map) => output(map.len().to_string().into_bytes()),
        _ => output(b"0".to_vec()),
    }),
    ("joined", &[Type::List], None, |_, args| {
        Ok(Value::int(list(&args[0]).len() as i64))
    }),
    ("joins", &[Type::Strings], None, |_, args| {
        let texts: Vec<&[u8]> = list(&args[0]).iter().map(text).collect();
        output(texts.join(&b','))
    }),
    ("one", &[], None, |_, _| Ok(Value::int(1))),
    ("nothing", &[], None, |_, _| Ok(Value::Nil)),
    ("fail", &[Type::String], None, |_, args| {
        Err(String::from_utf8_lossy(text(&args[0])).into_owned().into())
    }),
    ("boom", &[], None, |_, _| Err("boom!".into())),
    ("wide", &[Type::Int64], None, |_, args| Ok(args[0].clone())),
    ("half", &[Type::Float64], None, |_, args| match args[0] {
        Value::Float(value) => Ok(Value::Float(value / 2.0)),
        _ => Err("no float".into()),
    }),
    (
        "ternary",
        &[Type::Any, Type::Any, Type::Bool],
        None,
        |_, args| {
            let at = usize::from(!args[2].truth());
            Ok(args[at].clone())
        },
    ),
    ("version", &[Type::Int], None, |_, args| match args[0] {
        Value::Int(major, _) => Ok(version(major, "meta".into())),
        _ => Err("no number".into()),
    }),
    (
        "major",
        &[Type::Named("*main.Version")],
        None,
        |_, args| match &args[0] {
            Value::Host(host) => Ok(host.field("Major").unwrap_or_default()),
            _ => Err("runtime error: invalid memory address or nil pointer dereference".into()),
        },
    ),
    ("int", &[Type::Any], None, |_, args| match args[0] {
        Value::Float(value) => Ok(Value::int(value as i64)),
        Value::Int(value, _) => Ok(Value::int(value)),
        _ => Ok(Value::int(0)),
    }),
    (
        "default",
        &[Type::Any],
        Some(Type::Any),
        |_, args| match args {
            [_, value] if value.truth() => Ok(value.clone()),
            _ => Ok(args[0].clone()),
        },
    ),
    ("include", &[Type::String, Type::Any], None, include),
    ("tpl", &[Type::String, Type::Any], None, tpl),
];

const DEFINITIONS: &str = r#"{{ define "echo" }}[{{ . }}]{{ end }}{{ define "bad" }}
 x {{ .Values.s.x }}{{ end }}{{ define "outer" }}{{ include "bad" . }}{{ end }}{{ define "s" }}{{ .x }}{{ end }}{{ define "vars" }}{{ $ }}{{ end }}"#;

/// The functions of the rows.
pub fn functions() -> Functions {
    let mut functions = Functions::default();
    for (name, params, variadic, body) in ROWS {
        functions.insert(
            name,
            Function {
                params,
                variadic: *variadic,
                body: *body,
            },
        );
    }
    functions.looks(None, &["list", "dict", "include", "tpl"]);
    functions
}

/// A set with the row's template `F`.
pub fn set(template: &[u8], missing_key: MissingKey) -> Result<Arc<Set>, Error> {
    let mut set = Set::new("gotpl", Arc::new(functions()), missing_key);
    set.parse("defs", DEFINITIONS)?;
    set.parse("F", template)?;
    Ok(Arc::new(set))
}

/// Executes a row.
pub fn run(template: &[u8], missing_key: MissingKey, limits: Limits) -> Result<Vec<u8>, Error> {
    let set = set(template, missing_key)?;
    let mut out = Vec::new();
    let mut nothing = ();
    let mut context = Context::new(&set, &Nowhere, &mut nothing, limits);
    context.execute(b"F", &data(), &mut out)?;
    Ok(out)
}
