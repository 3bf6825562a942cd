//! What functions take.
//!
//! `signatures.tsv` was recorded from sprig v3.3.0: all functions but `env`, `expandenv` and
//! `getHostByName`, and the Go types of their parameters.

use std::collections::BTreeMap;

use gotemplate::Type;

fn go_name(of: Type) -> &'static str {
    match of {
        Type::Any => "interface {}",
        Type::Reflect => "reflect.Value",
        Type::Bool => "bool",
        Type::Int => "int",
        Type::Int64 => "int64",
        Type::Uint32 => "uint32",
        Type::Float64 => "float64",
        Type::String => "string",
        Type::List => "[]interface {}",
        Type::Strings => "[]string",
        Type::Map => "map[string]interface {}",
        Type::Named(name) => name,
    }
}

#[test]
fn functions_take_what_they_take_in_go() {
    let recorded: BTreeMap<&str, &str> = include_str!("signatures.tsv")
        .lines()
        .filter_map(|row| row.split_once('\t'))
        .collect();
    let functions = sprig::functions();
    let mut names: Vec<&str> = functions.names().collect();
    names.sort_unstable();
    for name in names {
        let function = functions.get(name).expect("just listed");
        let mut params: Vec<String> = function
            .params
            .iter()
            .map(|&of| go_name(of).to_owned())
            .collect();
        params.extend(function.variadic.map(|of| format!("...{}", go_name(of))));
        assert_eq!(
            Some(&*params.join(", ")),
            recorded.get(name).copied(),
            "{name}"
        );
    }
}
