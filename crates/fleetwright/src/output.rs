//! Printing: tables for people, JSON and YAML for programs, logs on standard error.

use std::io::{IsTerminal as _, Write as _};

use object::Node;

use crate::cli::{Cli, Command, Format};

/// Starts logging to standard error.
///
/// Servers log what happens, as JSON when nobody watches; other commands only warn.
pub fn start_logging(cli: &Cli) {
    use tracing_subscriber::EnvFilter;
    let controller = match &cli.command {
        Command::Controller(args) => Some(args),
        _ => None,
    };
    let asked = controller.and_then(|args| args.log_level.as_deref());
    let default = match (cli.verbose, asked, controller) {
        (2.., ..) => "debug",
        (_, Some(level), _) => level,
        (1, ..) | (_, _, Some(_)) => "info,kube=warn,hyper=warn",
        // Whoever names an insecure kubeconfig knows what it says.
        (0, None, None) => "warn,kube_client=error",
    };
    let filter = EnvFilter::try_from_env("FLEETWRIGHT_LOG").unwrap_or_else(|_| default.into());
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match controller {
        Some(args) if args.log_encoding == "json" => subscriber.json().init(),
        _ => subscriber.with_target(false).init(),
    }
}

/// Rows under a header, in columns of equal width; the last column is not padded.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let cells = cells.map(|cell| cell.chars().count());
        cells.max().unwrap_or(0).max(header[column].len())
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let mut line = String::new();
        for (column, cell) in cells.iter().enumerate() {
            line.push_str(cell);
            if column + 1 < cells.len() {
                let pad = widths[column] + 3 - cell.chars().count();
                line.extend(std::iter::repeat_n(' ', pad));
            }
        }
        line.push('\n');
        line
    };
    let mut text = line(header.to_vec());
    for row in rows {
        text.push_str(&line(row.iter().map(String::as_str).collect()));
    }
    text
}

/// Prints to standard output; a reader that is gone is no error.
pub fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}

/// Prints texts one after the other to standard output.
pub fn print_all(texts: impl Iterator<Item = String>) {
    let mut out = std::io::BufWriter::with_capacity(64 << 10, std::io::stdout().lock());
    for text in texts {
        // Nobody reads any more, as after `| head`.
        if out.write_all(text.as_bytes()).is_err() {
            return;
        }
    }
    let _ = out.flush();
}

/// Prints what `give` hands out to standard output, part by part.
pub fn print_parts<T>(give: impl FnOnce(&mut dyn FnMut(&str)) -> T) -> T {
    let mut out = std::io::BufWriter::with_capacity(64 << 10, std::io::stdout().lock());
    let mut is_read = true;
    let given = give(&mut |text| is_read = is_read && out.write_all(text.as_bytes()).is_ok());
    let _ = out.flush();
    given
}

/// Prints a value as JSON or YAML, or what `table` makes of it.
pub fn print_as(format: Format, node: &Node, table: impl FnOnce(bool) -> String) {
    match format {
        Format::Json => print(&(object::json::to_string_pretty(node, 2) + "\n")),
        Format::Yaml => print(&yaml::to_string(node)),
        Format::Table => print(&table(false)),
        Format::Wide => print(&table(true)),
        Format::Name => {
            let items = node.get("items").and_then(Node::as_list).unwrap_or(&[]);
            for item in items {
                if let Some(name) = item.str_at(&["id"]) {
                    print(&format!("{name}\n"));
                }
            }
        }
    }
}

/// The revision as people read it: the commit cut to twelve characters.
pub fn short_revision(revision: &str) -> String {
    match revision.rsplit_once(':') {
        Some((before, hex)) if hex.len() > 12 && hex.is_ascii() => {
            format!("{before}:{}", &hex[..12])
        }
        _ => revision.to_owned(),
    }
}
