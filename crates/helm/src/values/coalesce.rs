//! Values of charts and users put together.
//!
//! Two modes: *coalescing* gives what templates see, and a null takes a default away; *merging*
//! keeps nulls for a later coalescing.
//!
//! # Source
//! helm/helm `pkg/chart/common/util/coalesce.go` of 4.3 and `pkg/chartutil/coalesce.go` of 3.22,
//! which keeps nulls of charts' own defaults.

use object::{Map, Node, Text};

use super::display::shown_as_bool;
use super::shown;
use super::table::{DEPTH_MAX, Table, Value, without_nulls};
use crate::error::{ValuesError, Warning};
use crate::options::Profile;

/// The key whose value every chart inside gets, too.
const GLOBAL: &str = "global";

/// A chart as far as its values are concerned.
pub trait Values: Sized {
    /// Name, which is its section in the values of the chart around it.
    fn name(&self) -> &str;
    /// Its default values.
    fn defaults(&self) -> &Map;
    /// The charts inside it.
    fn inside(&self) -> &[Self];
}

/// What to do with nulls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A null takes a default away.
    Coalesce,
    /// Nulls stay.
    Merge,
}

/// The values of `chart` and of all charts inside it, `given` by the user over their defaults.
///
/// # Errors
/// [`ValuesError::Section`].
pub fn coalesce(
    chart: &impl Values,
    given: &Map,
    mode: Mode,
    profile: Profile,
    warnings: &mut Vec<Warning>,
) -> Result<Map, ValuesError> {
    let table = tables(chart, given, mode, profile, warnings)?;
    table.freeze().map_err(|_| too_large(chart))
}

/// As [`coalesce`], its tables still shared.
pub(crate) fn tables(
    chart: &impl Values,
    given: &Map,
    mode: Mode,
    profile: Profile,
    warnings: &mut Vec<Warning>,
) -> Result<Table, ValuesError> {
    let table = Table::new(given);
    let mut coalescing = Coalescing { profile, warnings };
    coalescing.chart(chart, &table, "", mode)?;
    Ok(table)
}

/// Puts the entries of `src` into `dst` where it has none, keeping nulls.
pub(crate) fn merge_tables(dst: &Table, src: &Table, warnings: &mut Vec<Warning>) {
    let profile = Profile::default();
    Coalescing { profile, warnings }.tables(dst, src, "", Mode::Merge, 0);
}

pub(crate) fn too_large(chart: &impl Values) -> ValuesError {
    ValuesError::TooLarge(chart.name().to_owned())
}

struct Coalescing<'a> {
    profile: Profile,
    warnings: &'a mut Vec<Warning>,
}

fn joined(prefix: &str, key: &str) -> String {
    match prefix.is_empty() {
        true => key.to_owned(),
        false => format!("{prefix}.{key}"),
    }
}

impl Coalescing<'_> {
    fn warn(&mut self, text: String) {
        self.warnings.push(Warning::new(text));
    }

    fn chart<C: Values>(
        &mut self,
        chart: &C,
        values: &Table,
        prefix: &str,
        mode: Mode,
    ) -> Result<(), ValuesError> {
        self.defaults(chart, values, prefix, mode);
        let below = joined(prefix, chart.name());
        for inside in chart.inside() {
            let name = inside.name();
            let section = match values.get(name) {
                Some(Value::Table(table)) => table,
                None => {
                    let table = Table::default();
                    values.insert(name, Value::Table(table.clone()));
                    table
                }
                Some(value) => {
                    return Err(ValuesError::Section {
                        prefix: "",
                        chart: name.to_owned(),
                        shown: shown_as_bool(&value.node()),
                    });
                }
            };
            self.globals(&section, values, &below);
            self.chart(inside, &section, &below, mode)?;
        }
        Ok(())
    }

    /// Fills what is missing in `values` from the defaults of `chart`.
    fn defaults<C: Values>(&mut self, chart: &C, values: &Table, prefix: &str, mode: Mode) {
        let below = joined(prefix, chart.name());
        let cleans = mode == Mode::Coalesce && self.profile == Profile::Helm4;
        for (key, default) in chart.defaults().iter() {
            match values.get(key) {
                Some(Value::Null) if mode == Mode::Coalesce => values.remove(key),
                Some(Value::Table(table)) => match default {
                    Node::Map(default) => {
                        let is_chart = chart.inside().iter().any(|inside| inside.name() == &**key);
                        let mode = if is_chart { Mode::Merge } else { mode };
                        let default = match mode == Mode::Coalesce && cleans {
                            true => Table::new(&without_nulls(default)),
                            false => Table::new(default),
                        };
                        self.tables(&table, &default, &joined(&below, key), mode, 0);
                    }
                    Node::Null => {}
                    _ => self.warn(format!(
                        "warning: skipped value for {below}.{key}: Not a table."
                    )),
                },
                Some(_) => {}
                None => match default {
                    Node::Null if cleans => {}
                    Node::Map(map) if cleans => {
                        values.insert_whole(key, Node::Map(without_nulls(map)));
                    }
                    default => values.insert_whole(key, default.clone()),
                },
            }
        }
    }

    /// Fills what is missing in `dst` from `src`. Nulls of `dst` get into `src`, too.
    fn tables(&mut self, dst: &Table, src: &Table, prefix: &str, mode: Mode, depth: usize) {
        // Whoever asks for the result is told.
        if depth > DEPTH_MAX {
            return;
        }
        let before: Vec<Text> = src.keys();
        let had_value: Vec<bool> = before.iter().map(|key| !src.is_null(key)).collect();
        for key in dst.keys() {
            if dst.is_null(&key) {
                src.insert(&key, Value::Null);
            }
        }
        for key in src.keys() {
            let Some(value) = src.get(&key) else { continue };
            let had_value = || {
                let at = before.binary_search(&key);
                at.is_ok_and(|at| had_value[at])
            };
            match dst.get(&key) {
                Some(Value::Null) if mode == Mode::Coalesce && had_value() => dst.remove(&key),
                None => dst.insert(&key, value),
                Some(theirs) => match (value, theirs) {
                    (Value::Table(src), Value::Table(dst)) => {
                        self.tables(&dst, &src, &joined(prefix, &key), mode, depth + 1);
                    }
                    (Value::Table(src), _) => {
                        let key = joined(prefix, &key);
                        let value = shown(&Value::Table(src).node());
                        self.warn(format!(
                            "warning: cannot overwrite table with non table for {key} ({value})"
                        ));
                    }
                    (Value::Other(value), Value::Table(_)) => {
                        let key = joined(prefix, &key);
                        let value = shown(&value);
                        self.warn(format!(
                            "warning: destination for {key} is a table. Ignoring non-table value ({value})"
                        ));
                    }
                    _ => {}
                },
            }
        }
    }

    /// Hands the globals of `src` down to `dst`, where they win.
    fn globals(&mut self, dst: &Table, src: &Table, prefix: &str) {
        let theirs = match dst.get(GLOBAL) {
            None => Table::default(),
            Some(Value::Table(table)) => table,
            Some(_) => {
                self.warn(format!(
                    "warning: skipping globals because destination {GLOBAL} is not a table."
                ));
                return;
            }
        };
        let ours = match src.get(GLOBAL) {
            None => Table::default(),
            Some(Value::Table(table)) => table,
            Some(_) => {
                self.warn(format!(
                    "warning: skipping globals because source {GLOBAL} is not a table."
                ));
                return;
            }
        };
        for key in ours.keys() {
            let Some(value) = ours.get(&key) else {
                continue;
            };
            match (value, theirs.get(&key)) {
                (Value::Table(table), None) => {
                    theirs.insert(&key, Value::Table(table.shallow_copy()));
                }
                (Value::Table(table), Some(Value::Table(old))) => {
                    let copy = table.shallow_copy();
                    self.tables(&copy, &old, &joined(prefix, &key), Mode::Merge, 0);
                    theirs.insert(&key, Value::Table(copy));
                }
                (Value::Table(_), Some(_)) => {
                    let key = golang::strconv::quote(&key);
                    self.warn(format!(
                        "Conflict: cannot merge map onto non-map for {key}. Skipping."
                    ));
                }
                (_, Some(Value::Table(_))) => {
                    self.warn(format!("key {key} is table. Skipping"));
                }
                (value, _) => theirs.insert(&key, value),
            }
        }
        dst.insert(GLOBAL, Value::Table(theirs));
    }
}
