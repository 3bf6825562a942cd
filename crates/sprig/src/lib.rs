//! The functions of sprig 3.3 for Go templates.
//!
//! [`functions`] gives them all, with the signatures that the template engine checks arguments
//! against before a call. A function that panics in Go fails here with the text of the panic.
//!
//! # Invariants
//!
//! - **Maps are shared.** `set`, `unset` and the merges change the map they are given, and what they
//!   take from another map stays that map's as well. Lists never change.
//! - **No order is left to chance.** Where Go goes over a map in random order, this goes by key.
//! - **Time and randomness come from the world**, and their use is noted there.
//! - **Nothing grows without bound.** Texts, lists and walks through values end at the limits below.
//!
//! Deliberately absent: the functions that Helm adds or replaces, see `helm`; `env` and `expandenv`,
//! which nothing that is rendered for others may call.
//!
//! # Source
//! Masterminds/sprig v3.3.0, `functions.go`.

mod args;
mod cast;
mod compare;
mod copy;
mod crypto;
mod dates;
mod decimal;
mod defaults;
mod dicts;
mod encoding;
pub mod json;
mod limits;
mod lists;
mod merge;
mod numbers;
mod paths;
mod random;
mod regex;
mod semver;
mod strings;
mod take;
mod types;
mod urls;

use gotemplate::Functions;

pub use crypto::{STEPS_PER_KEY, STEPS_PER_LONG_KEY};
pub use dates::{Duration, Time};
pub use limits::{ITEMS_MAX, NODES_MAX};

/// All functions, by name.
pub fn functions() -> Functions {
    let mut functions = Functions::default();
    crypto::add(&mut functions);
    dates::add(&mut functions);
    decimal::add(&mut functions);
    defaults::add(&mut functions);
    dicts::add(&mut functions);
    encoding::add(&mut functions);
    json::add(&mut functions);
    lists::add(&mut functions);
    merge::add(&mut functions);
    numbers::add(&mut functions);
    paths::add(&mut functions);
    random::add(&mut functions);
    regex::add(&mut functions);
    semver::add(&mut functions);
    strings::add(&mut functions);
    types::add(&mut functions);
    urls::add(&mut functions);
    functions
}
