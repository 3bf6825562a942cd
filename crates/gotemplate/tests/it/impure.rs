//! Calls whose results do not depend on their arguments alone are noted with place and number.

use std::sync::Arc;

use gotemplate::{
    Context, Function, Functions, IMPURE_PLACES_MAX, ImpureCall, Limits, MissingKey, Set, Str,
    Type, Value,
};

use crate::fixture::Nowhere;

fn functions() -> Functions {
    let mut functions = Functions::default();
    let mut add = |name, params: &'static [Type], body| {
        let function = Function {
            params,
            variadic: None,
            body,
        };
        functions.insert(name, function);
    };
    add("dice", &[], |_, _| Ok(Value::int(4)));
    add("count", &[], |_, _| Ok(Value::int(1)));
    // Of the clock only when it is asked for nothing else.
    add("date", &[Type::Any], |context, args| {
        if matches!(args[0], Value::Nil) {
            context.mark_impure();
        }
        Ok("today".into())
    });
    add("fails", &[], |_, _| Err("no luck".into()));
    add("tpl", &[Type::String], |context, args| {
        let Value::String(text) = &args[0] else {
            return Ok(Value::Nil);
        };
        let mut out = Vec::new();
        let name = Str::from("inner");
        context
            .execute_text(&name, &text.clone(), &Value::Nil, &mut out)
            .map_err(|error| error.to_string())?;
        Ok(out.into())
    });
    functions.impure(&["dice", "fails", "never-there"]);
    functions
}

fn calls(text: &str) -> Vec<ImpureCall> {
    let mut set = Set::new("set", Arc::new(functions()), MissingKey::default());
    set.parse("t.yaml", text)
        .unwrap_or_else(|error| panic!("{text}: {error}"));
    let set = Arc::new(set);
    let mut host = ();
    let mut context = Context::new(&set, &Nowhere, &mut host, Limits::default());
    let _ = context.execute(b"t.yaml", &Value::Nil, &mut Vec::new());
    context.impure_calls()
}

fn shown(calls: &[ImpureCall]) -> String {
    let lines = calls.iter().map(|call| {
        let ImpureCall {
            file,
            line,
            column,
            function,
            times,
            root,
        } = call;
        assert_eq!(root, "t.yaml");
        format!("{file}:{line}:{column} {function} {times}")
    });
    lines.collect::<Vec<_>>().join(", ")
}

#[test]
fn places_are_told_with_how_often() {
    for (text, wanted) in [
        ("{{ count }}", ""),
        ("{{ dice }}", "t.yaml:1:3 dice 1"),
        (
            "a\n b {{ dice | print dice }}",
            "t.yaml:2:6 dice 1, t.yaml:2:19 dice 1",
        ),
        ("{{ range 3 }}{{ dice }}{{ end }}", "t.yaml:1:16 dice 3"),
        ("{{ if false }}{{ dice }}{{ end }}", ""),
        ("{{ fails }}", "t.yaml:1:3 fails 1"),
        ("{{ date 1 }}", ""),
        ("{{ date nil }}{{ date 1 }}", "t.yaml:1:3 date 1"),
        // The one around the marked one is not marked.
        (r#"{{ tpl "{{ date nil }}" }}"#, "inner:1:3 date 1"),
        (
            r#"{{ define "x" }}{{ dice }}{{ end }}{{ template "x" }}{{ template "x" }}"#,
            "t.yaml:1:19 dice 2",
        ),
    ] {
        assert_eq!(shown(&calls(text)), wanted, "{text}");
    }
}

#[test]
fn places_are_limited() {
    let text = "{{ dice }}\n".repeat(IMPURE_PLACES_MAX + 10);
    let calls = calls(&text);
    assert_eq!(calls.len(), IMPURE_PLACES_MAX);
    assert_eq!(calls.last().map(|call| call.line), Some(IMPURE_PLACES_MAX));
}
