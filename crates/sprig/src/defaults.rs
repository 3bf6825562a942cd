//! Defaults and choices: `default`, `empty`, `coalesce`, `ternary` …

use gotemplate::{CallError, Functions, Type, Use, Value};

use crate::args::{boolean, function, string_of, variadic};

pub(crate) fn add(functions: &mut Functions) {
    functions.insert(
        "default",
        variadic(&[Type::Any], Type::Any, |_, args| {
            let given = args.get_mut(1).filter(|given| given.truth());
            Ok(std::mem::take(match given {
                Some(_) => &mut args[1],
                None => &mut args[0],
            }))
        }),
    );
    functions.insert(
        "empty",
        function(&[Type::Any], |_, args| Ok(Value::Bool(!args[0].truth()))),
    );
    functions.insert(
        "coalesce",
        variadic(&[], Type::Any, |_, args| {
            let first = args.iter_mut().find(|value| value.truth());
            Ok(first.map(std::mem::take).unwrap_or_default())
        }),
    );
    functions.insert(
        "all",
        variadic(&[], Type::Any, |_, args| {
            Ok(Value::Bool(args.iter().all(Value::truth)))
        }),
    );
    functions.insert(
        "any",
        variadic(&[], Type::Any, |_, args| {
            Ok(Value::Bool(args.iter().any(Value::truth)))
        }),
    );
    functions.insert(
        "ternary",
        function(&[Type::Any, Type::Any, Type::Bool], |_, args| {
            let chosen = usize::from(!boolean(&args[2]));
            Ok(std::mem::take(&mut args[chosen]))
        }),
    );
    let choosing = ["default", "empty", "coalesce", "all", "any", "ternary"];
    functions.looks(Some(Use::Truth), &choosing);
    functions.insert(
        "fail",
        function(&[Type::String], |_, args| {
            Err(CallError::Failed(
                string_of(&args[0])?.to_text().into_owned(),
            ))
        }),
    );
    functions.insert("hello", function(&[], |_, _| Ok(Value::from("Hello!"))));
}
