//! Calls recorded from Helm 4.3.1, whose results come in files of their own.

use crate::recording::check;

#[test]
fn dates_are_those_of_helm() {
    check(&sprig::functions(), include_str!("recorded/dates.txt"));
}

#[test]
fn regular_expressions_are_those_of_helm() {
    check(&sprig::functions(), include_str!("recorded/regex.txt"));
}

#[test]
fn versions_are_those_of_helm() {
    check(&sprig::functions(), include_str!("recorded/semver.txt"));
}

#[test]
fn hashes_and_passwords_are_those_of_helm() {
    check(&sprig::functions(), include_str!("recorded/crypto.txt"));
}

#[test]
fn random_functions_refuse_and_shorten_as_those_of_helm() {
    check(&sprig::functions(), include_str!("recorded/random.txt"));
}

/// Made by a program: layouts, texts that nearly are times, patterns, replacements, constraints.
#[test]
fn calls_that_nobody_writes_are_those_of_helm_too() {
    check(&sprig::functions(), include_str!("recorded/generated.txt"));
}
