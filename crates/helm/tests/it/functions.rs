//! The functions for data, with calls recorded from Helm 4.3.1.

use gotemplate::Functions;

use crate::recording::check;

/// Sprig's functions and Helm's own.
pub fn functions() -> Functions {
    let mut functions = sprig::functions();
    helm::functions::add(&mut functions);
    functions
}

#[test]
fn yaml_is_written_and_read_as_helm_does() {
    check(&functions(), include_str!("recorded/yaml.txt"));
}

#[test]
fn durations_are_those_of_helm() {
    check(&functions(), include_str!("recorded/durations.txt"));
}

#[test]
fn json_is_written_and_read_as_helm_does() {
    check(&functions(), include_str!("recorded/json.txt"));
}

#[test]
fn toml_is_written_and_read_as_helm_does() {
    check(&functions(), include_str!("recorded/toml.txt"));
}

/// Made by a program: values full of what YAML, JSON and TOML take for something else, and TOML with
/// mistakes.
#[test]
fn calls_that_nobody_writes_are_those_of_helm_too() {
    check(&functions(), include_str!("recorded/generated.txt"));
}

#[test]
fn functions_that_helm_3_does_not_have_exist() {
    let functions = functions();
    for name in helm::functions::SINCE_HELM_4 {
        assert!(functions.get(name).is_some(), "{name}");
    }
}
