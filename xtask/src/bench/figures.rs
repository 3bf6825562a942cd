//! Medians, percentiles, and the table they are printed in.

use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value, json};

/// Figures of one benchmark.
pub struct Table {
    name: &'static str,
    columns: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

/// One entry of a table.
pub enum Cell {
    Text(String),
    Number(f64),
    /// A median between two quartiles.
    Spread {
        median: f64,
        quartiles: (f64, f64),
    },
    /// Nothing was measured here.
    Empty,
}

impl Cell {
    /// The median of `values` with their quartiles, as far as there are values.
    pub fn spread(values: &[f64]) -> Self {
        match values.is_empty() {
            true => Self::Empty,
            false => Self::Spread {
                median: median(values),
                quartiles: (percentile(values, 0.25), percentile(values, 0.75)),
            },
        }
    }
}

/// One document of one table, or a list of them.
pub fn to_json(tables: &[Table]) -> Value {
    match tables {
        [table] => table.to_json(),
        _ => tables.iter().map(Table::to_json).collect(),
    }
}

impl Table {
    /// A table without rows; the unit of a column is part of its name.
    pub fn new(name: &'static str, columns: &[&'static str]) -> Self {
        Self {
            name,
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row with one cell a column.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// One map a row, by the names of the columns.
    fn to_json(&self) -> Value {
        let rounded = |number: f64| json!((number * 1000.0).round() / 1000.0);
        let row = |cells: &Vec<Cell>| {
            let entries = self.columns.iter().zip(cells);
            let entries = entries.filter_map(|(name, cell)| {
                let value = match cell {
                    Cell::Text(text) => json!(text),
                    Cell::Number(number) => rounded(*number),
                    Cell::Spread {
                        median,
                        quartiles: (lower, upper),
                    } => json!({
                        "median": rounded(*median),
                        "quartiles": [rounded(*lower), rounded(*upper)],
                    }),
                    Cell::Empty => return None,
                };
                Some((name.replace(' ', "_"), value))
            });
            Value::Object(entries.collect::<Map<_, _>>())
        };
        let rows: Vec<Value> = self.rows.iter().map(row).collect();
        json!({"benchmark": self.name, "rows": rows})
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |cell: &Cell| match cell {
            Cell::Text(text) => text.clone(),
            Cell::Number(number) => short(*number),
            Cell::Spread {
                median,
                quartiles: (lower, upper),
            } => format!("{} ({}–{})", short(*median), short(*lower), short(*upper)),
            Cell::Empty => String::new(),
        };
        let header = self.columns.iter().map(|name| (*name).to_owned()).collect();
        let rows = self
            .rows
            .iter()
            .map(|row| row.iter().map(shown).collect::<Vec<_>>());
        let lines: Vec<Vec<String>> = std::iter::once(header).chain(rows).collect();
        let width = |at: usize| {
            let cells = lines.iter().filter_map(|line| line.get(at));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        for (at, line) in lines.iter().enumerate() {
            let cells = line.iter().zip(&widths);
            let cells: Vec<String> = cells
                .map(|(cell, width)| format!("{cell:<width$}"))
                .collect();
            writeln!(f, "| {} |", cells.join(" | "))?;
            if at == 0 {
                let dashes: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
                writeln!(f, "| {} |", dashes.join(" | "))?;
            }
        }
        Ok(())
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

/// A number with the digits that mean something.
fn short(number: f64) -> String {
    match number {
        _ if number.fract() == 0.0 || number >= 100.0 => format!("{number:.0}"),
        _ if number < 1.0 => format!("{number:.2}"),
        _ => format!("{number:.1}"),
    }
}

/// Milliseconds, with fractions.
pub fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// Mebibytes, with fractions.
pub fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// The value below which `share` of the values lie, by the nearest rank; 0 of none.
pub fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    let at = rank.saturating_sub(1);
    sorted.get(at).copied().unwrap_or_default()
}

/// The middle value.
pub fn median(values: &[f64]) -> f64 {
    percentile(values, 0.5)
}

#[test]
fn percentiles_are_values_that_were_measured() {
    let values = [4.0, 1.0, 3.0, 2.0, 5.0];
    assert_eq!(median(&values), 3.0);
    assert_eq!(percentile(&values, 0.95), 5.0);
    assert_eq!(percentile(&values, 0.2), 1.0);
    assert_eq!(percentile(&[], 0.5), 0.0);
}
